"""The chapter on matrix factorization."""

from drawings.canvas import Figure, key


def draw_ratings():
    """The matrix of ratings, mostly empty, as a product of two thin matrices."""
    f = Figure('ratings', 400)
    c, top = 20, 130
    ax, vx, bx = 36, 262, 316
    u, i = 3, 6
    known = {
        (0, 0): 5,
        (0, 3): 3,
        (0, 7): 4,
        (1, 1): 2,
        (1, 4): 4,
        (1, 6): 1,
        (2, 2): 4,
        (2, 5): 5,
        (3, 0): 4,
        (3, 3): 2,
        (3, 8): 5,
        (4, 4): 3,
        (4, 6): 5,
        (4, 7): 4,
        (5, 1): 1,
        (5, 2): 4,
        (6, 5): 2,
        (6, 6): 4,
        (6, 8): 3,
        (7, 0): 5,
        (7, 3): 3,
    }
    f.text(ax + 90, 32, 'ratings', 'name')
    f.text(ax + 90, 55, 'most cells are empty', 'note')
    f.shape(ax + 90, top - 12, '*R* : U × I')
    f.math(ax - 10, top + u * c + 15, 'u', 'end')
    f.math(ax + i * c + c / 2, top + 8 * c + 17, 'i')
    f.grid(ax, top, c, c, 8, 9, lambda a, b: 'd' if (a, b) in known else 'cell')
    for (a, b), stars in known.items():
        f.text(ax + b * c + c / 2, top + a * c + 15, str(stars), 'note')
    f.rect(ax + i * c, top + u * c, c, c, 'hole', r=0)
    f.text(ax + i * c + c / 2, top + u * c + 15, '?', 'term')

    f.text((vx + bx + 180) / 2, 32, 'two thin matrices', 'name')
    f.math((vx + bx + 180) / 2, 56, '*R* ≈ biases + *P* *Q*^T')
    f.math(vx - 10, top + u * c + 15, 'u', 'end')
    f.math(bx + i * c + c / 2, top + 8 * c + 17, 'i')
    f.shape(bx - 12, top - 12, '*P* : U × K', 'end')
    f.shape(bx - 12, top - 34, '*Q*^T : K × I', 'end')
    f.grid(vx, top, c, c, 8, 2, lambda a, _: 'a' if a == u else 'cell')
    f.grid(bx, top - 50, c, c, 2, 9, lambda _, b: 'b' if b == i else 'cell')
    f.grid(bx, top, c, c, 8, 9, lambda a, b: 'd')
    f.rect(bx + i * c, top + u * c, c, c, 'd-full', r=0)

    y = top + 8 * c + 46
    key(f, ax, y + 1, 'd', 'observed')
    key(f, ax, y + 27, 'cell', 'no answer: not 0')
    key(f, vx, y + 1, 'd-full', symbol='⟨*p*_u, *q*_i⟩')
    key(f, vx, y + 27, 'a', 'from other films of u', '*p*_u')
    key(f, vx, y + 53, 'b', 'from other users of i', '*q*_i')
    return f


def draw_mf():
    """Biased matrix factorization."""
    f = Figure('mf', 478)
    for x, name in [(16, 'user u'), (266, 'item i')]:
        f.rect(x, 16, 238, 40, 'box')
        f.text(x + 14, 41, name, 'name', 'start')
        f.shape(x + 224, 41, '(B,)', 'end')
    for x, w, kind, name, symbol, shape in [
        (66, 100, 'b', 'user bias', 'b_u', '(B, 1)'),
        (191, 126, 'a', 'user vector', '*p*_u', '(B, K)'),
        (329, 126, 'a', 'item vector', '*q*_i', '(B, K)'),
        (454, 100, 'b', 'item bias', 'b_i', '(B, 1)'),
    ]:
        f.edge((x, 56), (x, 89))
        f.rect(x - w / 2, 90, w, 88, kind)
        f.text(x, 115, name)
        f.math(x, 141, symbol)
        f.shape(x, 167, shape)
    f.edge((191, 178), (191, 213))
    f.edge((329, 178), (329, 213))
    f.rect(170, 214, 180, 88, 'd')
    f.text(260, 239, 'inner product')
    f.math(260, 265, '⟨*p*_u, *q*_i⟩')
    f.shape(260, 291, '(B, 1)')
    f.edge((260, 302), (260, 327))
    f.edge((66, 178), (66, 341), (246, 341))
    f.edge((454, 178), (454, 341), (274, 341))
    f.sign(260, 341, '+')
    f.edge((260, 354), (260, 373))
    f.sign(260, 387, '+')
    f.rect(16, 367, 170, 40, 'leaf')
    f.math(28, 392, 'μ', 'start')
    f.text(46, 392, 'mean, not trained', 'note', 'start')
    f.edge((186, 387), (246, 387))
    f.edge((260, 400), (260, 423))
    f.rect(198, 424, 124, 40, 'box')
    f.text(260, 449, 'rating', 'name')
    f.shape(186, 449, '(B,)', 'end')
    return f
