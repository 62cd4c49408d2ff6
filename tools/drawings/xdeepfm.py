"""The chapter on xDeepFM."""

from drawings.canvas import Figure, id_row, output, strips


def draw_bitwise():
    """The weights of a pair of fields, bit-wise and vector-wise."""
    f = Figure('bitwise', 366)
    c, n, top = 21, 3, 78
    side = n * n * c
    fields = ['user', 'item', 'hour']
    colours = ['abc', 'bcd', 'cda']
    for x, name, kind in [
        (62, 'bit-wise', lambda i, j: 'd'),
        (
            312,
            'vector-wise',
            lambda i, j: colours[i // n][j // n] + '-full' if i % n == j % n else 'cell',
        ),
    ]:
        f.text(x + side / 2, 34, name, 'name')
        f.grid(x, top, c, c, n * n, n * n, kind)
        for b, field in enumerate(fields):
            f.text(x + (b + 0.5) * n * c, 68, field, 'note')
            if x < 200:
                f.text(54, top + (b + 0.5) * n * c + 5, field, 'note', 'end')
        for b in range(n + 1):
            f.path(f'M{x} {top + b * n * c}h{side}', 'group')
            f.path(f'M{x + b * n * c} {top}v{side}', 'group')
    f.math(62 + side / 2, 300, '(F·K)^2')
    f.text(62 + side / 2, 328, 'each cell a weight', 'note')
    f.math(312 + side / 2, 300, 'F^2')
    f.text(312 + side / 2, 328, 'one weight a block', 'note')
    return f


def draw_cin():
    """One feature map of a CIN layer."""
    f = Figure('cin', 356)
    c, k = 20, 1
    h, fields, factors = 3, 5, 4

    f.math(60, 40, '*X*^l')
    f.grid(20, 58, c, c, h, factors, lambda i, j: 'b' if j == k else 'cell')
    f.shape(60, 142, 'H × K')
    f.math(60, 192, '*X*^0')
    f.grid(20, 210, c, c, fields, factors, lambda i, j: 'a' if j == k else 'cell')
    f.shape(60, 334, 'F × K')

    y = 128
    f.edge((101, 88), (128, 88), (128, y + 21), (149, y + 21))
    f.edge((101, 260), (128, 260), (128, y + 39), (149, y + 39))
    f.text(200, 86, 'outer product', 'term')
    f.text(200, 106, 'of columns k', 'note')
    f.grid(150, y, c, c, h, fields, lambda i, j: 'd')
    f.shape(200, y + 84, 'H × F')

    f.math(268, y + 36, '⊙')
    f.math(336, 108, '*W*_m')
    f.grid(286, y, c, c, h, fields, lambda i, j: 'c')
    f.text(336, y + 84, 'the same for all k', 'note')

    f.edge((388, y + 30), (431, y + 30))
    f.text(409, y + 16, 'sum', 'note')
    f.math(464, 108, '*X*^{l+1}')
    f.grid(432, y, 16, c, h, factors, lambda i, j: 'd-full' if (i, j) == (1, k) else 'cell')
    f.shape(464, y + 84, 'M × K')
    f.text(498, 268, 'filled: coordinate k of map m', 'note', 'end')
    return f


def draw_xdeepfm():
    """xDeepFM: a linear term, a CIN and an MLP on one shared embedding."""
    f = Figure('xdeepfm', 716)
    y = id_row(f, 16)
    f.edge((66, y), (66, 307))
    f.edge((322, y), (322, 125))

    f.rect(132, 126, 372, 96, 'a-thick')
    f.text(148, 152, 'one embedding, shared', 'name', 'start')
    f.shape(490, 152, '(B, F, K)', 'end')
    strips(f, 172, 167, 80)

    f.rect(20, 308, 92, 68, 'b')
    f.text(66, 334, 'linear')
    f.math(66, 361, 'Σ_i w_i + b')

    f.rect(132, 252, 216, 300, 'group', r=12)
    f.text(146, 275, 'CIN', 'term', 'start')
    f.edge((262, 222), (262, 307))
    f.math(274, 300, '*X*^0', 'start')
    for top in (308, 382):
        f.rect(210, top, 104, 36, 'd')
        f.text(262, top + 23, 'CIN layer')
    f.edge((262, 344), (262, 381))
    f.math(274, 370, '*X*^1', 'start')
    f.edge((262, 274), (334, 274), (334, 326), (315, 326))
    f.edge((334, 318), (334, 400), (315, 400))
    f.edge((210, 326), (166, 326), (166, 473))
    f.edge((262, 418), (262, 473))
    f.math(274, 446, '*X*^2', 'start')
    f.rect(144, 474, 192, 34, 'b')
    f.text(240, 496, 'sum over k, linear')

    f.rect(364, 252, 140, 300, 'group', r=12)
    f.text(376, 275, 'deep', 'term', 'start')
    f.edge((434, 222), (434, 307))
    f.rect(374, 308, 120, 36, 'c')
    f.text(434, 331, 'concatenate')
    for top, layer in [(370, 'ReLU layer'), (432, 'ReLU layer'), (494, 'linear layer')]:
        f.edge((434, top - 26), (434, top - 1))
        f.rect(378, top, 112, 36, 'c')
        f.text(434, top + 23, layer)

    f.edge((66, 376), (66, 600), (226, 600))
    f.edge((240, 508), (240, 586))
    f.edge((434, 530), (434, 600), (254, 600))
    f.sign(240, 600, '+')
    f.edge((240, 613), (240, 635))
    output(f, 240, 636)
    return f
