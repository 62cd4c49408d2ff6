"""The chapter on ranking."""

from drawings.canvas import Figure


def draw_bpr():
    """BPR: two items of one user through the same net, and only the difference of the scores."""
    f = Figure('bpr', 300)
    for y, kind, name, symbol in ((16, 'a', 'seen', 'i'), (206, 'c', 'drawn, unseen', 'j')):
        f.rect(16, y, 130, 70, kind)
        f.text(81, y + 28, name)
        f.math(81, y + 55, symbol)
    f.rect(16, 111, 130, 70, 'b')
    f.text(81, 139, 'user')
    f.math(81, 166, 'u')
    for y, item in ((42, 'i'), (190, 'j')):
        f.rect(206, y, 128, 68, 'd')
        f.text(270, y + 27, 'same model')
        f.math(270, y + 53, f'ŷ_{{u{item}}}')
    f.edge((146, 51), (205, 66))
    f.edge((146, 139), (205, 94))
    f.edge((146, 153), (205, 214))
    f.edge((146, 241), (205, 232))
    f.edge((334, 76), (372, 76), (372, 136))
    f.edge((334, 224), (372, 224), (372, 164))
    f.sign(372, 150, '−')
    f.edge((386, 150), (413, 150))
    f.rect(414, 120, 90, 60, 'box')
    f.text(459, 144, 'loss', 'name')
    f.math(459, 169, '−log σ')
    return f


def draw_stages():
    """Retrieval before ranking: many items, a short list, the ten that are shown."""
    f = Figure('stages', 250)
    for x, width, height, kind, name, note in (
        (8, 108, 200, 'd', 'all items', 'millions'),
        (220, 120, 120, 'b', 'candidates', 'hundreds'),
        (420, 92, 56, 'a', 'the list', 'ten'),
    ):
        y = 125 - height / 2
        f.rect(x, y, width, height, kind)
        f.text(x + width / 2, 121, name, 'name')
        f.text(x + width / 2, 141, note, 'note')
    for x, end, name, note in (
        (116, 219, 'retrieval', 'inner product'),
        (340, 419, 'ranking', 'FM'),
    ):
        f.edge((x, 125), (end, 125))
        f.text((x + end) / 2, 110, name, 'term')
        f.text((x + end) / 2, 146, note, 'note')
    return f
