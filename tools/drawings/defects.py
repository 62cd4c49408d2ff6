"""The chapter on what the original got wrong."""

from drawings.canvas import Figure

# Stage, what it hands on, and the defects that sit there, in the order of the chapter.
STREET = [
    (
        'data',
        'a',
        'int32 (N, F)',
        [
            'an archive writes outside its folder',
            'ids in the order of a set',
            'ids that nobody checks',
        ],
    ),
    ('batches', 'a', '(B, F)', ['a batch is made row by row', 'the test set rolls over']),
    ('model', 'c', '(B, 1)', ['a second sigmoid']),
    ('loss', 'b', '(B,)', ['the mask is a sign']),
    ('metric', 'd', '', ['== on floats, (B, 1) against (B,)', 'the mean of roots']),
]


def draw_street():
    """Where along the street from data to metric each defect sits."""
    f = Figure('mistakes', 640)
    x, w, y, number, tops = 72, 118, 28, 0, []
    for n, (stage, kind, shape, defects) in enumerate(STREET):
        h = max(46, 30 * len(defects) + 10)
        f.rect(x, y, w, h, kind)
        f.text(x + w / 2, y + h / 2 + 6, stage, 'name')
        tops.append(y + h / 2)
        for row, words in enumerate(defects):
            number += 1
            mid = y + h / 2 + 30 * (row - (len(defects) - 1) / 2)
            f.circle(232, mid, 12, kind)
            f.text(232, mid + 5, str(number), 'term')
            f.text(254, mid + 5, words, 'text', 'start')
        if n + 1 < len(STREET):
            f.edge((x + w / 2, y + h), (x + w / 2, y + h + 41))
            f.shape(x + w / 2 + 10, y + h + 26, shape, 'start')
        y += h + 42

    f.edge((x + w / 2, y - 42), (x + w / 2, y - 1))
    f.edge((x, y + 23), (32, y + 23), (32, tops[1]), (x - 1, tops[1]))
    f.rect(x, y, w, 46, 'box')
    f.text(x + w / 2, y + 28, 'loop', 'name')
    f.circle(232, y + 23, 12, 'box')
    f.text(232, y + 28, '10', 'term')
    f.text(254, y + 28, 'the last epoch, no baseline', 'text', 'start')
    return f
