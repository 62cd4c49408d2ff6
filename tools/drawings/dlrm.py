"""The chapter on DLRM."""

from drawings.canvas import Figure, output

CELL = 11  # of a vector, K = 4 cells


def vector(f, x, y, kind, name=None):
    for k in range(4):
        f.rect(x + k * CELL, y, CELL, 14, kind, r=0)
    if name:
        f.math(x + 2 * CELL, y + 33, name)


def draw_bags():
    """A film of two genres, as one-hot fields and as one bag."""
    f = Figure('bags', 386)
    f.text(128, 32, 'a field for each genre', 'name')
    f.text(128, 54, 'as many vectors as genres', 'note')
    f.text(388, 32, 'one multi-hot field', 'name')
    f.text(388, 54, 'one vector, the bag', 'note')

    genres = [('Action', 0), ('Comedy', 1), ('Drama', 0), ('Romance', 1), ('War', 0)]
    for n, (genre, has) in enumerate(genres):
        y = 84 + n * 46
        f.text(96, y + 18, genre, 'term', 'end')
        f.rect(108, y, 28, 28, 'a' if has else 'cell', r=4)
        f.text(122, y + 19, str(has), 'term' if has else 'note')
        f.edge((140, y + 14), (168, y + 14))
        vector(f, 172, y + 7, 'a' if has else 'void')
    f.text(128, 336, 'the other genres likewise', 'note')

    f.path('M244 76V366', 'group')
    for x, s in [(300, 'slot'), (354, 'weight'), (406, 'vector')]:
        f.text(x, 84, s, 'note')
    for n, (genre, weight) in enumerate([('Comedy', 1), ('Romance', 1), ('empty', 0)]):
        y = 98 + n * 46
        kind = 'a' if weight else 'cell'
        f.rect(260, y, 80, 28, kind, r=4)
        f.text(300, y + 19, genre, 'term' if weight else 'note')
        f.text(354, y + 19, str(weight), 'term' if weight else 'note')
        f.text(371, y + 19, '×', 'note')
        vector(f, 384, y + 7, 'a' if weight else 'void')
        f.edge((432, y + 14), (468, y + 14), (468, 262 if n == 2 else y + 60), tip=n == 2)
    f.rect(422, 263, 92, 34, 'd')
    f.math(468, 285, 'Σ_m a_m *v*_m')
    f.edge((468, 297), (468, 320))
    vector(f, 446, 322, 'd')
    f.text(432, 334, 'the bag', 'term', 'end')
    f.text(388, 362, 'no genre at all: zeros', 'note')
    return f


def draw_dlrm():
    """DLRM: dense and sparse sides, dot products, a top MLP."""
    f = Figure('dlrm', 762)
    # What comes in
    for x, w, name, shape, words in [
        (16, 132, 'dense', '(B, D)', 'age, counts'),
        (160, 172, 'ids', '(B, S)', 'user, item, hour'),
        (344, 160, 'multi-hot', '(B, M)', 'genres and weights'),
    ]:
        f.rect(x, 16, w, 62, 'box')
        f.text(x + 12, 40, name, 'term', 'start')
        f.shape(x + w - 12, 40, shape, 'end')
        f.text(x + w / 2, 65, words, 'note')
    f.edge((82, 78), (82, 105))
    f.edge((246, 78), (246, 105))
    f.edge((424, 78), (424, 105))

    # Each side to vectors
    f.rect(16, 106, 132, 118, 'c')
    f.text(82, 131, 'bottom MLP', 'name')
    for y, w, layer in [(144, 112, 'ReLU layer'), (184, 88, 'ReLU, K')]:
        f.rect(82 - w / 2, y, w, 30, 'c')
        f.text(82, y + 20, layer)
    f.rect(160, 106, 344, 118, 'a')
    f.text(174, 131, 'embedding', 'name', 'start')
    f.shape(490, 131, 'V × K', 'end')
    for n in range(3):
        vector(f, 174 + n * 50, 158, 'a')
    for n in range(2):
        vector(f, 354 + n * 62, 158, 'a')
    f.sign(376, 200, 'Σ')
    f.edge((376, 172), (376, 186), r=6)
    f.edge((438, 172), (438, 200), (390, 200), r=6)
    f.text(490, 212, 'bag', 'term', 'end')

    # The vectors, side by side
    f.edge((82, 224), (82, 259))
    for n in range(3):
        f.edge((196 + n * 50, 172), (196 + n * 50, 259))
    f.edge((376, 213), (376, 259))
    f.rect(16, 260, 488, 62, 'group', r=12)
    vector(f, 60, 272, 'c', '*z*_1')
    for n in range(3):
        vector(f, 174 + n * 50, 272, 'a', f'*z*_{n + 2}')
    vector(f, 354, 272, 'd', '*z*_5')
    f.shape(492, 312, '(B, n, K)', 'end')

    # The triangle
    f.edge((260, 322), (260, 353))
    f.rect(160, 354, 344, 150, 'd')
    f.text(174, 380, 'dot products', 'name', 'start')
    f.math(174, 412, '⟨*z*_i, *z*_j⟩,  i > j', 'start')
    f.shape(174, 444, '(B, P)', 'start')
    f.math(174, 478, 'P = n(n − 1)/2', 'start')
    f.grid(362, 372, 23, 23, 5, 5, lambda i, j: 'd-full' if i > j else 'void' if i == j else 'cell')
    f.edge((82, 322), (82, 533))
    f.edge((332, 504), (332, 533))
    f.rect(16, 534, 488, 34, 'c')
    f.text(30, 556, 'concatenate', 'text', 'start')
    f.shape(490, 556, '(B, K + P)', 'end')

    for y, w, layer in [(588, 180, 'ReLU layer'), (638, 132, 'linear layer')]:
        f.edge((260, y - 20), (260, y - 1))
        f.rect(260 - w / 2, y, w, 30, 'c')
        f.text(260, y + 20, layer)
    f.text(162, 630, 'top MLP', 'name', 'end')
    f.edge((260, 668), (260, 691))
    output(f, 260, 692)
    return f
