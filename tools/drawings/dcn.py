"""The chapter on deep & cross networks."""

from drawings.canvas import Figure, id_row, output, strips


def draw_crosslayer():
    """One cross layer, with a vector (version 1) and with a matrix (version 2)."""
    f = Figure('crosslayer', 396)
    c, n = 17, 5
    tall = n * c

    def column(x, y, kind, name):
        f.grid(x, y, c, c, n, 1, lambda *_: kind)
        f.math(x + c / 2, y + tall + 24, name)

    for y, version, title in [(62, 1, 'version 1: a vector w'), (254, 2, 'version 2: a matrix W')]:
        mid = y + tall / 2 + 6
        f.text(20, y - 30, title, 'name', 'start')
        column(24, y, 'd', '*x*_{l+1}')
        f.math(60, mid, '=')
        column(80, y, 'a', '*x*_0')
        if version == 1:
            f.math(116, mid, '(')
            f.grid(126, mid - 6 - c / 2, c, c, 1, n, lambda *_: 'b')
            f.math(126 + tall / 2, mid + 40, '*x*_l^T')
            f.math(222, mid, '·')
            column(232, y, 'c', '*w*')
            f.math(261, mid, ')')
            f.math(284, mid, '+')
            column(302, y, 'cell', '*b*')
            f.math(344, mid, '+')
            column(366, y, 'b', '*x*_l')
            f.lines(402, y + 24, ['one number', 'for the whole', 'vector'])
            f.text(402, y + 84, 'd weights', 'term', 'start')
        else:
            f.math(112, mid, '⊙')
            f.math(130, mid, '(')
            f.grid(140, y, c, c, n, n, lambda *_: 'c')
            f.math(140 + tall / 2, y + tall + 24, '*W*')
            column(240, y, 'b', '*x*_l')
            f.math(276, mid, '+')
            column(292, y, 'cell', '*b*')
            f.math(323, mid, ')')
            f.math(344, mid, '+')
            column(366, y, 'b', '*x*_l')
            f.lines(402, y + 24, ['a number', 'for each', 'coordinate'])
            f.text(402, y + 84, 'd × d weights', 'term', 'start')
    f.path('M20 196H500', 'group')
    return f


def draw_dcn():
    """Deep & cross network, parallel and stacked."""
    f = Figure('dcn', 752)
    y = id_row(f, 16)
    f.edge((260, y), (260, 121))
    f.rect(60, 122, 400, 92, 'a-thick')
    f.text(76, 146, 'embedding, concatenated', 'name', 'start')
    f.shape(446, 146, '(B, F·K)', 'end')
    strips(f, 110, 160, 84)

    # parallel
    f.rect(16, 244, 296, 384, 'group', r=12)
    f.text(30, 268, 'parallel', 'term', 'start')
    f.edge((104, 214), (104, 297))
    f.edge((244, 214), (244, 297))
    f.math(116, 290, '*x*_0', 'start')
    for top, layer in [(298, 'cross layer'), (370, 'cross layer')]:
        f.rect(52, top, 104, 36, 'd')
        f.text(104, top + 23, layer)
    f.edge((104, 334), (104, 369))
    f.math(116, 357, '*x*_1', 'start')
    f.edge((104, 406), (104, 477))
    f.math(116, 446, '*x*_2', 'start')
    f.edge((104, 280), (32, 280), (32, 316), (51, 316), tip=True)
    f.edge((32, 310), (32, 388), (51, 388), tip=True)
    for top, layer in [(298, 'ReLU layer'), (370, 'ReLU layer')]:
        f.rect(188, top, 112, 36, 'c')
        f.text(244, top + 23, layer)
    f.edge((244, 334), (244, 369))
    f.edge((244, 406), (244, 477))
    f.rect(62, 478, 84, 34, 'b')
    f.text(104, 500, 'linear')
    f.rect(202, 478, 84, 34, 'b')
    f.text(244, 500, 'linear')
    f.edge((104, 512), (104, 580), (160, 580))
    f.edge((244, 512), (244, 580), (188, 580))
    f.shape(96, 566, '(B, 1)', 'end')
    f.shape(252, 566, '(B, 1)', 'start')
    f.sign(174, 580, '+')
    f.edge((174, 593), (174, 657))

    # stacked
    f.rect(328, 244, 176, 384, 'group', r=12)
    f.text(342, 268, 'stacked', 'term', 'start')
    f.edge((424, 214), (424, 297))
    f.math(436, 290, '*x*_0', 'start')
    f.edge((424, 280), (350, 280), (350, 316), (371, 316), tip=True)
    f.edge((350, 310), (350, 388), (371, 388), tip=True)
    for top, layer, kind in [
        (298, 'cross layer', 'd'),
        (370, 'cross layer', 'd'),
        (442, 'ReLU layer', 'c'),
        (502, 'ReLU layer', 'c'),
    ]:
        f.rect(372, top, 104, 36, kind)
        f.text(424, top + 23, layer)
    f.edge((424, 334), (424, 369))
    f.math(436, 357, '*x*_1', 'start')
    f.edge((424, 406), (424, 441))
    f.math(436, 430, '*x*_2', 'start')
    f.edge((424, 478), (424, 501))
    f.edge((424, 538), (424, 565))
    f.rect(382, 566, 84, 34, 'b')
    f.text(424, 588, 'linear')
    f.edge((424, 600), (424, 642), (200, 642), (200, 657))
    output(f, 187, 658)
    return f
