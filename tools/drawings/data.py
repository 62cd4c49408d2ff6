"""The chapter on recommenders and their data."""

from drawings.canvas import Figure


def draw_street():
    """The way of the data, from a log to metrics."""
    f = Figure('street', 588)
    f.rect(16, 16, 488, 46, 'box')
    f.text(30, 44, 'log', 'name', 'start')
    f.text(490, 44, 'who, what, when, how many stars', 'note', 'end')
    for x, w, name, kind in [
        (136, 240, 'train', 'a'),
        (325, 114, 'valid', 'b'),
        (449, 110, 'test', 'b'),
    ]:
        f.edge((x, 62), (x, 93))
        f.rect(x - w / 2, 94, w, 40, kind)
        f.text(x, 119, name, 'name')
    f.edge((136, 134), (136, 171))
    f.text(150, 158, 'fit', 'note', 'start')
    f.rect(16, 172, 240, 48, 'c')
    f.text(136, 192, 'vocabulary', 'name')
    f.text(136, 211, 'word → id, rare → unknown', 'note')
    f.edge((136, 220), (136, 261))
    for x in (325, 449):
        f.edge((x, 134), (x, 261))
    f.lines(387, 192, ['only', 'translated'], 'note', 'middle')
    f.rect(16, 262, 488, 42, 'a')
    f.text(30, 288, 'ids, offset by field', 'text', 'start')
    f.shape(490, 288, '(N, F)', 'end')
    f.edge((260, 304), (260, 335))
    f.rect(16, 336, 488, 42, 'a')
    f.text(30, 362, 'batches', 'text', 'start')
    f.shape(490, 362, '(B, F)', 'end')
    f.edge((260, 378), (260, 409))
    f.rect(170, 410, 180, 46, 'd')
    f.text(260, 438, 'model', 'name')
    f.shape(364, 438, '(B, 1)', 'start')
    f.edge((216, 456), (216, 484), (148, 484), (148, 511))
    f.edge((304, 456), (304, 484), (392, 484), (392, 511))
    f.rect(16, 512, 230, 58, 'b')
    f.text(131, 536, 'loss', 'name')
    f.text(131, 558, 'train: moves the weights', 'note')
    f.rect(274, 512, 230, 58, 'c')
    f.text(389, 536, 'metrics', 'name')
    f.text(389, 558, 'valid: choose, test: report', 'note')
    f.edge((66, 512), (66, 433), (169, 433), kind='maybe')
    f.text(116, 423, 'gradients', 'note')
    return f
