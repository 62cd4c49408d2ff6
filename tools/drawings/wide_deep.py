"""The chapter on Wide & Deep."""

from drawings.canvas import Figure, layers, output


def draw_wide_deep():
    """Wide & Deep: a linear model over crosses and an MLP, trained as one."""
    f = Figure('wide_deep', 640)
    for x, w, name, shape in [
        (16, 142, 'crosses', '(B, C)'),
        (170, 142, 'ids', '(B, F)'),
        (362, 142, 'dense', '(B, D)'),
    ]:
        f.rect(x, 16, w, 40, 'box')
        f.text(x + 12, 41, name, 'text', 'start')
        f.shape(x + w - 10, 41, shape, 'end')

    f.rect(16, 86, 222, 390, 'group', r=12)
    f.lines(127, 130, ['wide half:', 'memorizes'], 'term', 'middle')
    f.edge((50, 56), (50, 207))
    f.edge((204, 56), (204, 207))
    f.rect(30, 208, 194, 100, 'b')
    f.text(127, 234, 'one weight each')
    f.math(127, 262, 'Σ_x w_x + Σ_φ w_φ')
    f.shape(127, 293, '(B, F + C)')
    f.edge((127, 308), (127, 347))
    f.rect(57, 348, 140, 40, 'b')
    f.text(127, 373, 'sum + bias')

    f.rect(250, 86, 254, 390, 'group', r=12)
    f.lines(358, 107, ['deep half:', 'generalizes'], 'term', 'middle')
    f.edge((280, 56), (280, 137))
    f.edge((445, 56), (445, 137))
    f.rect(262, 138, 122, 62, 'a')
    f.text(323, 163, 'embedding')
    f.shape(323, 188, '(B, F, K)')
    f.rect(396, 138, 98, 62, 'd')
    f.text(445, 163, 'scaled')
    f.shape(445, 188, '(B, D)')
    f.edge((323, 200), (323, 219))
    f.edge((445, 200), (445, 219))
    f.rect(262, 220, 232, 32, 'c')
    f.text(320, 241, 'concatenate')
    f.shape(484, 241, '(B, F·K + D)', 'end')
    layers(f, 378, 272, [196, 172, 148, 124])

    f.edge((127, 388), (127, 524), (246, 524))
    f.edge((378, 460), (378, 524), (274, 524))
    f.shape(117, 508, '(B, 1)', 'end')
    f.shape(388, 508, '(B, 1)', 'start')
    f.sign(260, 524, '+')
    f.edge((260, 537), (260, 561))
    output(f, 260, 562)
    return f
