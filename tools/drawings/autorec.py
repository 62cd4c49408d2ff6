"""The chapter on AutoRec."""

from drawings.canvas import Figure

# A toy row: its known ratings, and what the network gives for every place.
KNOWN = {0: 5, 2: 3, 5: 4, 8: 1}
REBUILT = '4.7 3.9 3.2 2.4 4.4 3.8 3.1 4.1 1.6 2.9'.split()


def draw_ratingrows():
    """One rating matrix, two autoencoders."""
    f = Figure('ratingrows', 372)
    c, x, y = 28, 46, 76
    rows, cols, i, u = 7, 8, 2, 5
    known = {
        (0, 1): 4,
        (0, 5): 5,
        (1, 3): 2,
        (2, 0): 5,
        (2, 2): 3,
        (2, 5): 4,
        (3, 4): 1,
        (3, 7): 5,
        (4, 2): 2,
        (4, 5): 3,
        (5, 0): 4,
        (5, 6): 3,
        (6, 3): 5,
        (6, 5): 2,
    }

    def kind(a, b):
        return 'd' if (a, b) == (i, u) else 'b' if a == i else 'a' if b == u else 'cell'

    f.text(x + cols * c / 2, 32, 'users', 'term')
    f.math(x + u * c + c / 2, y - 12, 'u')
    f.math(x - 14, y + i * c + 20, 'i')
    f.shape(x + cols * c / 2, y + rows * c + 26, '*R* : I × U')
    f.text(x, y + rows * c + 54, 'rows are films; an empty cell is', 'note', 'start')
    f.text(x, y + rows * c + 72, 'unknown, not a rating of 0', 'note', 'start')
    f.grid(x, y, c, c, rows, cols, kind)
    for (a, b), rating in known.items():
        f.text(x + b * c + c / 2, y + a * c + 20, str(rating), 'text')

    right = x + cols * c
    f.edge((right, y + i * c + c / 2), (324, y + i * c + c / 2))
    f.rect(325, 76, 179, 112, 'b')
    f.text(339, 102, 'I-AutoRec', 'name', 'start')
    f.text(339, 126, 'one film, all its users', 'note', 'start')
    f.math(339, 152, '*r*^{(i)}', 'start')
    f.shape(490, 152, 'D = U', 'end')
    f.text(339, 176, 'batch of films: (B, U)', 'note', 'start')

    f.edge(
        (x + u * c + c / 2, y + rows * c),
        (x + u * c + c / 2, y + rows * c + 14),
        (300, y + rows * c + 14),
        (300, 268),
        (324, 268),
    )
    f.rect(325, 212, 179, 112, 'a')
    f.text(339, 238, 'U-AutoRec', 'name', 'start')
    f.text(339, 262, 'one user, all the films', 'note', 'start')
    f.math(339, 288, '*r*^{(u)}', 'start')
    f.shape(490, 288, 'D = I', 'end')
    f.text(339, 312, 'batch of users: (B, I)', 'note', 'start')
    return f


def draw_autorec():
    """AutoRec: a rating row through one hidden layer and back."""
    f = Figure('autorec', 640)
    w, x = 46, 30
    mid = x + 5 * w

    def row(y, kind, words):
        f.grid(x, y, w, 34, 1, 10, kind)
        for n, (word, style) in enumerate(words):
            f.text(x + n * w + w / 2, y + 23, word, style)

    f.text(x, 36, 'a row of ratings', 'name', 'start')
    f.shape(x + 10 * w, 36, '*r* : (B, D)', 'end')
    row(
        48,
        lambda _, n: 'a' if n in KNOWN else 'cell',
        [(str(KNOWN[n]), 'text') if n in KNOWN else ('0', 'note') for n in range(10)],
    )
    f.text(x, 102, '0: not known', 'note', 'start')
    f.edge((mid, 82), (mid, 129))

    f.rect(mid - 120, 130, 240, 62, 'c')
    f.text(mid, 155, 'encoder', 'text')
    f.math(mid, 180, '*z* = g(*V* *r* + *μ*)')
    f.shape(mid + 134, 168, '(B, H)', 'start')
    f.edge((mid, 192), (mid, 215))
    f.grid(mid - 65, 216, 26, 26, 1, 5, lambda *_: 'c')
    f.text(mid - 79, 234, 'the code of this row', 'note', 'end')
    f.edge((mid, 242), (mid, 265))
    f.rect(mid - 120, 266, 240, 62, 'b')
    f.text(mid, 291, 'decoder', 'text')
    f.math(mid, 316, 'f(*W* *z* + *b*)')
    f.shape(mid + 134, 304, '(B, D)', 'start')
    f.edge((mid, 328), (mid, 373))

    f.text(x, 362, 'the row rebuilt', 'name', 'start')
    f.shape(x + 10 * w, 362, 'h(*r*)', 'end')
    row(374, lambda _, n: 'a' if n in KNOWN else 'd', [(v, 'text') for v in REBUILT])
    f.edge((x + w / 2, 408), (x + w / 2, 465))
    f.edge((x + 9 * w + w / 2, 408), (x + 9 * w + w / 2, 465))

    f.rect(x, 466, 222, 150, 'group', r=12)
    f.text(x + 14, 492, 'training', 'name', 'start')
    f.text(x + 14, 516, 'error at known places only', 'note', 'start')
    f.math(x + 14, 548, '*m* ⊙ (*r* − h(*r*))', 'start')
    for n, m in enumerate('1010010010'):
        f.rect(x + 40 + n * 17, 568, 17, 24, 'a' if m == '1' else 'cell', r=0)
        f.text(x + 40 + n * 17 + 8.5, 585, m, 'note')
    f.math(x + 14, 586, '*m*', 'start')

    f.rect(x + 238, 466, 222, 150, 'group', r=12)
    f.text(x + 252, 492, 'prediction', 'name', 'start')
    f.text(x + 252, 516, 'read the unknown places', 'note', 'start')
    f.rect(x + 252, 540, 46, 34, 'd', r=0)
    f.text(x + 275, 563, '4.4', 'text')
    f.text(x + 310, 554, 'the best of them', 'note', 'start')
    f.text(x + 310, 572, 'is recommended', 'note', 'start')
    return f
