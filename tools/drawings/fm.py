"""The chapter on factorization machines."""

from drawings.canvas import FIELDS, Figure, id_row, key, output, strips


def draw_onehot():
    """A row of data as one-hot blocks, and the same row as ids into an embedding."""
    f = Figure('onehot', 582)
    dims, ids = [5, 6, 2, 7], [3, 1, 1, 3]
    w, gap, x0 = 22, 12, 22

    f.text(22, 32, 'one row, one-hot', 'name', 'start')
    f.shape(498, 32, 'V = 5 + 6 + 2 + 7 = 20', 'end')
    x = x0
    for (field, _, kind), dim, hot in zip(FIELDS, dims, ids):
        f.text(x + dim * w / 2, 62, field, 'term')
        f.grid(x, 72, w, 28, 1, dim, lambda _, n: kind if n == hot else 'cell')
        for n in range(dim):
            on = n == hot
            f.text(x + n * w + w / 2, 91, '1' if on else '0', 'term' if on else 'note')
        f.path(f'M{x} 107h{dim * w}', kind + '-rule')
        x += dim * w + gap

    top, h, cols, mx = 216, 16, 5, 264
    f.text(22, 150, 'the same row, as ids', 'name', 'start')
    for cx, s in [(126, 'id'), (168, 'offset'), (217, 'row')]:
        f.text(cx, 200, s, 'note')
    f.text(mx + 65, 176, 'embedding', 'term')
    f.shape(mx + 65, 200, '*V* : V × K')
    f.shape(464, 200, 'F × K')
    hits = {hit: kind for _, hit, kind in FIELDS}
    f.grid(mx, top, 26, h, sum(dims), cols, lambda i, _: hits.get(i, 'cell'))

    offset = 0
    for (field, hit, kind), dim, hot in zip(FIELDS, dims, ids):
        mid = top + (offset + hot + 0.5) * h
        f.text(22, mid + 5, field, 'term', 'start')
        for cx, s in [(126, hot), (147, '+'), (168, offset), (193, '='), (217, hit)]:
            f.text(cx, mid + 5, str(s))
        f.edge((231, mid), (mx - 9, mid))
        f.edge((mx + 133, mid), (mx + 170, mid))
        f.math(464, mid + 4, f'*v*_{{{hit}}}')
        f.path(f'M{mx - 5} {top + offset * h + 2}v{dim * h - 4}', kind + '-rule')
        offset += dim
    f.text(22, 564, 'toy sizes; MovieLens-100K has 943 users and 1,682 items', 'note', 'start')
    return f


def draw_pairs():
    """Pair weights learned cell by cell, and pair weights factorized."""
    f = Figure('pairs', 440)
    c, top = 20, 148
    ax, bx, vx = 48, 322, 250
    u, i = 2, 6
    seen = {(0, 4), (0, 6), (1, 5), (1, 7), (2, 4), (2, 7), (3, 5), (3, 6)}

    def axes(x, left):
        f.math(left - 10, top + u * c + 15, 'u', 'end')
        f.math(x + i * c + c / 2, top + 8 * c + 17, 'i')

    def learned(a, b):
        if (a < 4) == (b < 4):
            return 'void'
        return 'd' if (a, b) in seen or (b, a) in seen else 'cell'

    f.text(ax + 80, 32, 'LR with crosses', 'name')
    f.text(ax + 80, 55, 'one free weight a pair', 'note')
    f.shape(ax + 80, top - 12, '*W* : V × V')
    axes(ax, ax)
    f.grid(ax, top, c, c, 8, 8, learned)
    f.rect(ax + i * c, top + u * c, c, c, 'hole', r=0)
    f.text(ax + i * c + c / 2, top + u * c + 15, '?', 'term')

    f.text((vx + bx + 160) / 2, 32, 'FM', 'name')
    f.math((vx + bx + 160) / 2, 56, '*W* ≈ *V* *V*^T')
    axes(bx, vx)
    f.shape(bx - 12, top - 12, '*V* : V × K', 'end')
    f.shape(bx + 168, top - 36, '*V*^T', 'start')
    f.grid(vx, top, c, c, 8, 3, lambda a, _: 'a' if a == u else 'cell')
    f.grid(bx, top - 70, c, c, 3, 8, lambda _, b: 'b' if b == i else 'cell')
    f.grid(bx, top, c, c, 8, 8, lambda a, b: 'void' if (a < 4) == (b < 4) else 'd')
    f.rect(bx + i * c, top + u * c, c, c, 'd-full', r=0)

    y = top + 8 * c + 46
    key(f, ax, y + 1, 'd', 'pair seen')
    key(f, ax, y + 27, 'cell', 'never seen: stays 0')
    key(f, ax, y + 53, 'void', 'same field: no pair')
    key(f, vx, y + 1, 'd-full', symbol='w_{ui} = ⟨*v*_u, *v*_i⟩')
    key(f, vx, y + 27, 'a', 'from other items of u', '*v*_u')
    key(f, vx, y + 53, 'b', 'from other users of i', '*v*_i')
    return f


def draw_fm():
    """The factorization machine."""
    f = Figure('fm', 656)
    y = id_row(f, 16)
    f.edge((96, y), (96, 125))
    f.edge((346, y), (346, 125))

    f.rect(16, 126, 160, 94, 'b')
    f.text(96, 151, 'linear weights')
    f.math(96, 177, 'w_3  w_6  w_{12}  w_{16}')
    f.shape(96, 208, '(B, F)')
    f.edge((96, 220), (96, 257))

    f.rect(188, 126, 316, 94, 'a')
    f.text(202, 151, 'embedding', 'text', 'start')
    f.shape(490, 151, '(B, F, K)', 'end')
    strips(f, 214, 166, 71)
    f.edge((264, 220), (264, 257))
    f.edge((428, 220), (428, 257))

    f.rect(16, 258, 160, 88, 'b')
    f.text(96, 283, 'sum + bias')
    f.math(96, 309, 'Σ_i w_i + b')
    f.shape(96, 335, '(B, 1)')

    for x, name, formula in [
        (188, 'square of sum', '(Σ_i *v*_i)^2'),
        (352, 'sum of squares', 'Σ_i *v*_i^2'),
    ]:
        f.rect(x, 258, 152, 88, 'd')
        f.text(x + 76, 283, name)
        f.math(x + 76, 310, formula)
        f.shape(x + 76, 335, '(B, K)')
    f.edge((264, 346), (264, 380), (332, 380))
    f.edge((428, 346), (428, 380), (360, 380))
    f.sign(346, 380, '−')
    f.edge((346, 393), (346, 417))

    f.rect(270, 418, 152, 88, 'd')
    f.text(346, 443, 'pairwise term')
    f.math(346, 469, '½ Σ_k')
    f.shape(346, 495, '(B, 1)')
    f.edge((346, 506), (346, 540), (274, 540))
    f.edge((96, 346), (96, 540), (246, 540))
    f.sign(260, 540, '+')
    f.edge((260, 553), (260, 577))
    output(f, 260, 578)
    return f


def draw_identity():
    """All pair products at the cost of one pass."""
    f = Figure('identity', 434)
    n, c, top = 5, 25, 70
    xs = [22, 194, 373]

    for x, name, note, kind in [
        (xs[0], 'square', 'each with each', lambda i, j: 'b' if i == j else 'd'),
        (xs[1], 'diagonal', 'each with itself', lambda i, j: 'b' if i == j else 'cell'),
        (xs[2], 'triangle', 'each pair once', lambda i, j: 'd' if i < j else 'cell'),
    ]:
        f.text(x + n * c / 2, 34, name, 'name')
        f.text(x + n * c / 2, 56, note, 'note')
        f.grid(x, top, c, c, n, n, kind)
    mid = top + n * c / 2 + 6
    f.math((xs[0] + xs[1] + n * c) / 2, mid, '=')
    f.math((xs[1] + xs[2] + n * c) / 2, mid, '+ 2 ×')
    f.math(xs[0] + 62.5, 222, 'Σ_i Σ_j ⟨*v*_i, *v*_j⟩')
    f.math(xs[0] + 62.5, 251, '= ‖Σ_i *v*_i‖^2')
    f.math(xs[1] + 62.5, 222, 'Σ_i ⟨*v*_i, *v*_i⟩')
    f.math(xs[1] + 62.5, 251, '= Σ_i ‖*v*_i‖^2')
    f.math(xs[2] + 62.5, 222, 'Σ_{i<j} ⟨*v*_i, *v*_j⟩')

    f.rect(22, 280, 476, 130, 'group', r=12)
    f.text(260, 311, 'triangle = ½ (square − diagonal)', 'name')
    f.math(260, 349, 'Σ_{i<j} ⟨*v*_i, *v*_j⟩ = ½ ( ‖Σ_i *v*_i‖^2 − Σ_i ‖*v*_i‖^2 )')
    f.text(64, 390, 'pair by pair', 'note', 'start')
    f.math(158, 390, 'O(F^2K)', 'start')
    f.text(312, 390, 'sum first', 'term', 'start')
    f.math(392, 390, 'O(FK)', 'start')
    return f
