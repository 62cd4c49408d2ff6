"""The chapter on growing."""

from drawings.canvas import Figure


def draw_scale():
    """Data-parallel workers and an embedding table cut over servers."""
    f = Figure('scale', 560)
    f.text(260, 34, 'one batch of B rows', 'note')
    f.rect(16, 46, 300, 34, 'box')
    f.rect(324, 46, 180, 34, 'box')
    f.math(166, 68, 'n_1 rows')
    f.math(414, 68, 'n_2 rows')

    for x, name in ((16, 'worker 1'), (304, 'worker 2')):
        f.edge((x + 100, 80), (x + 100, 107))
        f.rect(x + 4, 108, 192, 212, 'group', r=12)
        f.text(x + 100, 132, name, 'name')
        f.rect(x + 14, 146, 172, 62, 'c')
        f.text(x + 100, 172, 'MLPs')
        f.text(x + 100, 194, 'a full copy', 'note')
        f.edge((x + 100, 232), (x + 100, 209))
        f.rect(x + 14, 232, 172, 74, 'a')
        for n in range(3):
            for k in range(3):
                f.rect(x + 37 + n * 44 + k * 12, 246, 12, 14, 'a-thick', r=0)
        f.text(x + 100, 290, 'only the rows looked up', 'note')
    f.edge((260, 177), (203, 177))
    f.edge((260, 177), (317, 177))
    f.lines(260, 146, ['add', 'the gradients'], 'note', 'middle')
    f.text(260, 202, 'each step', 'note')

    for x in (116, 404):
        f.edge((x - 22, 348), (x - 22, 321))
        f.edge((x + 22, 321), (x + 22, 347))
    f.rect(16, 348, 488, 46, 'group', r=12)
    f.text(148, 376, 'pull the rows')
    f.text(364, 376, 'push their gradients')
    for n in range(3):
        x = 16 + n * 166
        f.edge((x + 56, 422), (x + 56, 395))
        f.edge((x + 100, 395), (x + 100, 421))
        f.rect(x, 422, 156, 92, 'a-thick')
        f.text(x + 78, 446, f'server {n + 1}', 'name')
        f.text(x + 78, 472, 'V / 3 rows')
        f.text(x + 78, 496, 'and their moments', 'note')
    f.text(260, 540, 'one embedding table, cut by rows', 'note')
    return f


def draw_ring():
    """Gradients added in a ring of devices, and through a server."""
    f = Figure('ring', 350)
    f.text(130, 32, 'ring', 'name')
    f.text(390, 32, 'server', 'name')
    places = [(130, 84), (206, 160), (130, 236), (54, 160)]
    for n, (x, y) in enumerate(places):
        f.rect(x - 42, y - 20, 84, 40, 'c')
        f.text(x, y + 5, f'device {n + 1}')
    f.edge((172, 84), (206, 84), (206, 139), r=8)
    f.edge((206, 180), (206, 236), (173, 236), r=8)
    f.edge((88, 236), (54, 236), (54, 181), r=8)
    f.edge((54, 140), (54, 84), (87, 84), r=8)
    f.lines(
        130,
        292,
        ['every device sends to the next one,', 'a piece of the sum each time'],
        'note',
        'middle',
    )
    f.path('M260 52V330', 'group')
    f.rect(330, 64, 120, 44, 'a')
    f.text(390, 91, 'server')
    for n in range(4):
        x = 300 + n * 60
        f.rect(x - 26, 200, 52, 40, 'c')
        f.text(x, 225, str(n + 1))
        f.edge((x - 7, 200), (372 + n * 12 - 4, 109))
        f.edge((372 + n * 12 + 6, 108), (x + 7, 199))
    f.text(390, 268, 'devices', 'note')
    f.lines(
        390, 292, ['all traffic passes one place,', 'but only the rows asked for'], 'note', 'middle'
    )
    return f
