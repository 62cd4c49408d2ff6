"""The chapter on histories."""

from drawings.canvas import Figure, layers, output


def draw_past():
    """What may stand in the history of one rating, and what may not."""
    f = Figure('past', 236)
    f.path('M24 118H496', 'edge', tip=True)
    f.text(496, 144, 'time', 'note', 'end')
    for x in (52, 96, 132, 178, 214):
        f.circle(x, 118, 9, 'a-full')
    for y in (118, 88):
        f.circle(300, y, 9, 'hole')
    f.rect(289, 47, 22, 22, 'd-full', r=4)
    for x in (366, 402, 452):
        f.circle(x, 118, 9, 'hole')
    f.path('M257 30V196', 'group')
    f.text(133, 76, 'strictly earlier', 'term')
    f.text(133, 176, 'the history', 'name')
    f.text(133, 198, 'the last L of these', 'note')
    f.text(326, 64, 'the row to predict', 'term', 'start')
    f.text(326, 94, 'same time stamp', 'note', 'start')
    f.text(384, 176, 'not in the history', 'name')
    f.text(384, 198, 'itself, ties, later rows', 'note')
    return f


def draw_din():
    """DIN: the target weighs each past item, their weighted sum joins the other vectors."""
    f = Figure('din', 694)
    f.text(184, 32, 'history, oldest first', 'name')
    f.text(452, 32, 'target item', 'name')
    for n in range(4):
        x = 36 + n * 84
        filled = n < 3
        f.rect(x, 48, 64, 30, 'box' if filled else 'maybe')
        f.text(x + 32, 68, f'film {n + 1}' if filled else 'empty', 'text' if filled else 'note')
        f.edge((x + 32, 78), (x + 32, 103))
        for k in range(4):
            f.rect(x + 6 + k * 13, 104, 13, 16, 'a' if filled else 'void', r=0)
        f.edge((x + 32, 120), (x + 32, 161))
    f.rect(420, 48, 64, 30, 'box')
    f.text(452, 68, 'film 9')
    f.edge((452, 78), (452, 103))
    for k in range(4):
        f.rect(426 + k * 13, 104, 13, 16, 'b', r=0)

    f.rect(24, 162, 360, 84, 'c')
    f.text(204, 190, 'activation unit, for each slot', 'name')
    f.math(204, 222, 'a(*e*, *v*) = MLP([*e*, *v*, *e* ⊙ *v*])')
    f.edge((452, 120), (452, 204), (385, 204))
    for n, weight in enumerate(['1.3', '0.1', '0.9', '0']):
        x = 68 + n * 84
        f.edge((x, 246), (x, 275))
        f.rect(x - 24, 276, 48, 28, 'd' if n < 3 else 'cell', r=4)
        f.text(x, 295, weight, 'term')
    f.text(452, 286, 'weights,', 'note')
    f.text(452, 304, 'no softmax', 'note')
    for n in range(4):
        f.edge((68 + n * 84, 304), (68 + n * 84, 332), (194, 332), (194, 358), tip=n == 0)
    f.rect(118, 359, 152, 38, 'd')
    f.math(194, 384, 'Σ_l a_l *e*_l')
    f.text(286, 384, 'the interest in film 9', 'note', 'start')
    f.edge((194, 397), (194, 447))
    f.path('M484 112H504V432H400V446', 'edge', tip=True)
    f.text(414, 424, 'and user', 'note', 'end')
    f.rect(120, 448, 320, 34, 'c')
    f.text(280, 470, 'concatenate')
    layers(f, 280, 504, [180, 132])
    f.edge((280, 588), (280, 611))
    output(f, 280, 612)
    return f
