"""Draw the book's figures: ``python tools/figures.py`` writes ``img/*.svg``.

Both editions share these files, so their labels are the field's English terms and mathematics.
A figure is 520 units wide, so that its smallest text (13 units) is still 9 px in a 360 px column.
Colours are CSS variables with fallbacks: a page that inlines a figure can switch it to dark,
and as a plain image it stands on its own paper. Ids and classes carry the file's name, so that
several figures can live in one page.
"""
import re
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH = 520
SHOWN = 640  # width in px where the column allows it

PALETTE = {
    'ink': '#1f2933', 'muted': '#7b8794', 'paper': '#ffffff', 'line': '#9aa5b1',
    'a': '#2f6fde', 'a-soft': '#e3edfd', 'b': '#d9822b', 'b-soft': '#fbeedd',
    'c': '#2e9e6b', 'c-soft': '#def3e8', 'd': '#8a5cd1', 'd-soft': '#eee6fa',
}
SANS = "system-ui,'Noto Sans',sans-serif"
SERIF = "'STIX Two Math','Cambria Math',Georgia,serif"


def var(name):
    """The CSS value of a palette colour."""
    return f'var(--fig-{name},{PALETTE[name]})'


RULES = {
    'paper': f'fill:{var("paper")}',
    'text': f'fill:{var("ink")};font:15px {SANS}',
    'name': f'fill:{var("ink")};font:600 16px {SANS}',
    'note': f'fill:{var("ink")};fill-opacity:.78;font:13px {SANS}',
    'term': f'fill:{var("ink")};font:600 13px {SANS}',
    'math': f'fill:{var("ink")};font:17px {SERIF}',
    'dim': f'fill:{var("ink")};fill-opacity:.78;font:15px {SERIF}',
    'it': 'font-style:italic',
    'bf': 'font-weight:700',
    'low': 'font-size:13px',
    'edge': f'fill:none;stroke:{var("muted")};stroke-width:1.75',
    'maybe': f'fill:none;stroke:{var("muted")};stroke-width:1.75;stroke-dasharray:5 4',
    'tip': f'fill:{var("muted")}',
    'box': f'fill:none;stroke:{var("line")};stroke-width:1.5',
    'leaf': f'fill:none;stroke:{var("line")};stroke-width:1;stroke-dasharray:2 3',
    'group': f'fill:none;stroke:{var("line")};stroke-width:1',
    'cell': f'fill:none;stroke:{var("line")};stroke-width:1',
    'void': f'fill:{var("line")};fill-opacity:.28;stroke:{var("line")};stroke-width:1',
    'hole': f'fill:none;stroke:{var("d")};stroke-width:2.5;stroke-dasharray:4 3',
    'dot': f'fill:{var("muted")};fill-opacity:.55',
}
for _c in 'abcd':
    RULES[_c] = f'fill:{var(_c + "-soft")};stroke:{var(_c)};stroke-width:1.5'
    RULES[_c + '-full'] = f'fill:{var(_c)};stroke:{var(_c)};stroke-width:1.5'
    RULES[_c + '-thick'] = f'fill:{var(_c + "-soft")};stroke:{var(_c)};stroke-width:3'
    RULES[_c + '-rule'] = f'fill:none;stroke:{var(_c)};stroke-width:3'
    RULES[_c + '-vector'] = (f'fill:none;stroke:{var(_c)};stroke-width:6;stroke-linecap:round;'
                             'stroke-linejoin:round')


class Figure:
    """An SVG in the making; every method adds one mark. Lengths are in viewBox units."""

    def __init__(self, name, title, desc, height, width=WIDTH, shown=SHOWN, paper=True):
        self.name, self.title, self.desc = name, title, desc
        self.width, self.height, self.shown = width, height, shown
        self.used, self.body = [], []
        if paper:
            self.rect(0, 0, width, height, 'paper', r=12)

    def cls(self, *kinds):
        self.used += [k for k in kinds if k not in self.used]
        return 'class="{}"'.format(' '.join(f'{self.name}-{k}' for k in kinds))

    def rect(self, x, y, w, h, kind, r=8):
        self.body.append(f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" '
                         f'{self.cls(kind)}/>')

    def circle(self, x, y, r, kind):
        self.body.append(f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" {self.cls(kind)}/>')

    def path(self, d, kind, tip=False):
        end = ''
        if tip:
            self.cls('tip')
            end = f' marker-end="url(#{self.name}-arrow)"'
        self.body.append(f'<path d="{d}" {self.cls(kind)}{end}/>')

    def text(self, x, y, s, kind='text', anchor='middle'):
        """Text on the baseline y."""
        self.body.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {self.cls(kind)}>'
                         f'{escape(s)}</text>')

    def lines(self, x, y, lines, kind='note', anchor='start', pitch=17):
        for n, s in enumerate(lines):
            self.text(x, y + n * pitch, s, kind, anchor)

    def math(self, x, y, s, anchor='middle', kind='math'):
        """Mathematics: letters lean, ``*v*`` is bold, ``_i`` / ``_{i<j}`` lower, ``^2`` raised."""
        out, shift = [], 0
        for bold, mark, long, short, letters, rest in re.findall(
                r'\*(\w+)\*|([_^])(?:\{([^}]*)\}|(.))|([A-Za-zα-ω]+)|([^*_^A-Za-zα-ω]+)', s):
            want = {'_': 5, '^': -7}.get(mark, 0)
            dy = f' dy="{want - shift}"' if want != shift else ''
            shift = want
            if bold:
                out.append(f'<tspan{dy} {self.cls("bf")}>{bold}</tspan>')
            elif mark:
                inner = long or short
                lean = ['it'] if mark == '_' and re.search('[A-Za-z]', inner) else []
                out.append(f'<tspan{dy} {self.cls("low", *lean)}>{escape(inner)}</tspan>')
            elif letters:
                out.append(f'<tspan{dy} {self.cls("it")}>{letters}</tspan>')
            else:
                out.append(f'<tspan{dy}>{escape(rest)}</tspan>' if dy else escape(rest))
        self.body.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {self.cls(kind)}>'
                         f'{"".join(out)}</text>')

    def grid(self, x, y, w, h, rows, cols, kind):
        """Cells of w × h, of the kind that ``kind(row, col)`` names; coloured ones on top."""
        cells = [(kind(i, j), i, j) for i in range(rows) for j in range(cols)]
        for k, i, j in sorted(cells, key=lambda cell: cell[0] not in ('cell', 'void')):
            self.rect(x + j * w, y + i * h, w, h, k, r=0)

    def shape(self, x, y, s, anchor='middle'):
        """The shape of an array."""
        self.math(x, y, s, anchor, 'dim')

    def edge(self, *points, kind='edge', tip=True, r=8):
        """A polyline along the axes, its corners rounded, with an arrow tip."""
        d = 'M{:g} {:g}'.format(*points[0])
        for (x0, y0), (x, y), (x1, y1) in zip(points, points[1:], points[2:]):
            def toward(px, py):
                dist = abs(px - x) + abs(py - y)
                return x + (px - x) * r / dist, y + (py - y) * r / dist
            d += 'L{:g} {:g}'.format(*toward(x0, y0))
            d += 'Q{:g} {:g} {:g} {:g}'.format(x, y, *toward(x1, y1))
        self.path(d + 'L{:g} {:g}'.format(*points[-1]), kind, tip)

    def sign(self, x, y, s):
        """An operator in a circle."""
        self.circle(x, y, 13, 'box')
        self.text(x, y + 6, s, 'name')

    def svg(self):
        n = self.name
        css = ''.join(f'\n.{n}-{k}{{{RULES[k]}}}' for k in RULES if k in self.used)
        defs = ''
        if 'tip' in self.used:
            defs = (f'<defs><marker id="{n}-arrow" viewBox="0 0 8 8" refX="8" refY="4" '
                    'markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
                    f'<path d="M0 0.5L8 4L0 7.5Z" {self.cls("tip")}/></marker></defs>\n')
        shown_height = round(self.height * self.shown / self.width)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.shown}" height="{shown_height}" style="max-width:100%;height:auto" '
            f'role="img" aria-labelledby="{n}-title {n}-desc" xml:lang="en">\n'
            f'<title id="{n}-title">{escape(self.title)}</title>\n'
            f'<desc id="{n}-desc">{escape(self.desc)}</desc>\n'
            f'<style>{css}\n</style>\n{defs}' + '\n'.join(self.body) + '\n</svg>\n')


# Pieces that several figures share --------------------------------------------------------------

FIELDS = [('user', 3, 'a'), ('item', 6, 'b'), ('gender', 12, 'c'), ('weekday', 16, 'd')]


def id_row(f, y):
    """The ids of one row of data, one box a field: the top of both architectures."""
    f.rect(16, y, 488, 78, 'group', r=12)
    f.text(28, y + 22, 'ids, offset by field', 'note', 'start')
    f.shape(492, y + 22, '(B, F)', 'end')
    for n, (field, row, _) in enumerate(FIELDS):
        x = 28 + n * 117.5
        f.rect(x, y + 34, 111.5, 32, 'box')
        f.text(x + 55.75, y + 55, f'{field} {row}')
    return y + 78


def strips(f, x, y, pitch):
    """The vectors looked up, K cells each, with their names below."""
    for n, (_, row, _) in enumerate(FIELDS):
        for k in range(4):
            f.rect(x + n * pitch + k * 13, y, 13, 16, 'a', r=0)
        f.math(x + n * pitch + 26, y + 35, f'*v*_{{{row}}}')


def output(f, x, y):
    """The logit and, apart from it, the sigmoid."""
    f.rect(x - 62, y, 124, 40, 'box')
    f.text(x, y + 25, 'logit', 'name')
    f.shape(x - 74, y + 25, '(B, 1)', 'end')
    f.edge((x + 62, y + 20), (x + 104, y + 20), kind='maybe')
    f.rect(x + 105, y, 116, 40, 'maybe')
    f.text(x + 163, y + 25, 'sigmoid', 'text')
    f.text(x + 163, y + 59, 'only in prediction', 'note')


# The figures ------------------------------------------------------------------------------------

def draw_map():
    f = Figure(
        'map', 'The models of this book and how each grew out of the one before',
        'Logistic regression and matrix factorization lead to factorization machines (FM, 2010). '
        'From FM come FFM, NFM and AFM. Logistic regression with an MLP on embeddings is Wide & '
        'Deep (2016); sharing the embedding with FM gives DeepFM (2017); explicit crosses give '
        'DCN (2017), vector-wise crosses xDeepFM (2018); DLRM (2019) keeps dot products only. '
        'AutoRec (2015) encodes a row of the rating matrix of matrix factorization. FM and '
        'DeepFM are marked: their chapters can be read now.', 706)

    def node(cx, y, name, year, kind='box', w=116):
        f.rect(cx - w / 2, y, w, 48, kind)
        f.text(cx, y + 21, name, 'name')
        f.text(cx, y + 39, year, 'note')

    node(94, 24, 'LR', 'logistic regression', w=152)
    node(424, 24, 'MF', '2009, Koren et al.', w=152)
    node(260, 152, 'FM', '2010', 'a')
    node(424, 152, 'AutoRec', '2015, item or user', w=152)
    node(94, 262, 'Wide & Deep', '2016', w=152)
    node(260, 412, 'DeepFM', '2017', 'a')
    node(94, 442, 'DCN', '2017')
    node(94, 576, 'xDeepFM', '2018')
    node(290, 628, 'DLRM', '2019')

    for n, (name, idea) in enumerate([('FFM, 2016', 'vector per field'),
                                      ('NFM, 2017', 'MLP on pooled pairs'),
                                      ('AFM, 2017', 'attention on pairs')]):
        y = 232 + n * 52
        f.rect(348, y, 152, 42, 'leaf')
        f.text(424, y + 17, name, 'term')
        f.text(424, y + 34, idea, 'note')
        f.edge((333, y + 11), (333, y + 21), (348, y + 21))

    f.edge((318, 176), (333, 176), (333, 347), tip=False)

    f.edge((170, 48), (240, 48), (240, 152))
    f.lines(230, 98, ['factorize the', 'pair weights'], anchor='end')
    f.edge((348, 48), (280, 48), (280, 152))
    f.lines(290, 98, ['any fields,', 'not only two'])
    f.edge((424, 72), (424, 152))
    f.lines(434, 98, ['nonlinear', 'encoder', 'of a row'])
    f.edge((94, 72), (94, 262))
    f.lines(104, 164, ['MLP on', 'embeddings'])
    f.edge((170, 286), (224, 286), (224, 412))
    f.lines(215, 326, ['share the', 'embedding'], anchor='end')
    f.edge((260, 200), (260, 412))
    f.text(269, 330, '+ MLP', 'note', 'start')
    f.edge((94, 310), (94, 442))
    f.lines(104, 386, ['explicit', 'crosses'])
    f.edge((94, 490), (94, 576))
    f.lines(104, 524, ['vector-wise', 'crosses (CIN)'])
    f.edge((224, 460), (224, 600), (152, 600))
    f.edge((290, 460), (290, 628))
    f.lines(300, 530, ['dense + multi-hot,', 'dot products only'])

    f.rect(388, 632, 22, 16, 'a', r=4)
    f.text(418, 645, 'read it now', 'note', 'start')
    f.rect(388, 658, 22, 16, 'box', r=4)
    f.text(418, 671, 'to come', 'note', 'start')
    return f


def draw_onehot():
    f = Figure(
        'onehot', 'A row of data as one-hot blocks, and the same row as ids into an embedding',
        'One MovieLens row has a user, an item, a gender and a weekday. As a one-hot vector it '
        'has one block a field and a single 1 in each block. Adding its field\'s offset to each '
        'id gives a row number, and each row number selects one row of the embedding matrix '
        'with V rows and K columns.', 582)
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
        mid = top + (offset + hot + .5) * h
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
    f = Figure(
        'pairs', 'Pair weights learned cell by cell, and pair weights factorized',
        'Left: a logistic regression with crosses has a V by V matrix of pair weights; a cell is '
        'learned only from rows that contain its pair, and the pair of user u and item i, never '
        'seen, stays empty. Right: FM writes the matrix as V times V transposed; the same cell '
        'is the inner product of v_u and v_i, both learned from other pairs.', 440)
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
    f.rect(ax, y - 12, 16, 16, 'd', r=0)
    f.text(ax + 24, y + 1, 'pair seen', 'note', 'start')
    f.rect(ax, y + 14, 16, 16, 'cell', r=0)
    f.text(ax + 24, y + 27, 'never seen: stays 0', 'note', 'start')
    f.rect(ax, y + 40, 16, 16, 'void', r=0)
    f.text(ax + 24, y + 53, 'same field: no pair', 'note', 'start')
    f.rect(vx, y - 12, 16, 16, 'd-full', r=0)
    f.math(vx + 24, y + 1, 'w_{ui} = ⟨*v*_u, *v*_i⟩', 'start')
    f.rect(vx, y + 14, 16, 16, 'a', r=0)
    f.math(vx + 24, y + 27, '*v*_u', 'start')
    f.text(vx + 48, y + 27, 'from other items of u', 'note', 'start')
    f.rect(vx, y + 40, 16, 16, 'b', r=0)
    f.math(vx + 24, y + 53, '*v*_i', 'start')
    f.text(vx + 48, y + 53, 'from other users of i', 'note', 'start')
    return f


def draw_fm():
    f = Figure(
        'fm', 'The factorization machine',
        'The ids of a row go two ways. Left, their linear weights are summed and a bias is '
        'added. Right, their K-dimensional embeddings are looked up; the square of their sum '
        'minus the sum of their squares, halved and summed over K, is the pairwise term. Both '
        'are added to the logit. The sigmoid stands apart and is used only in prediction.', 656)
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

    for x, name, formula in [(188, 'square of sum', '(Σ_i *v*_i)^2'),
                             (352, 'sum of squares', 'Σ_i *v*_i^2')]:
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


def draw_deepfm():
    f = Figure(
        'deepfm', 'DeepFM: a factorization machine and an MLP on one shared embedding',
        'The ids of a row are looked up once in one shared embedding. On the left the FM '
        'component adds the linear term and the pairwise term; on the right the deep component '
        'concatenates the vectors and sends them through ReLU layers and a last linear layer. '
        'The two are added to the logit. The sigmoid stands apart and is used only in '
        'prediction.', 672)
    y = id_row(f, 16)
    f.edge((72, y), (72, 337))
    f.edge((322, y), (322, 125))

    f.rect(140, 126, 364, 96, 'a-thick')
    f.text(156, 152, 'one embedding, shared', 'name', 'start')
    f.shape(490, 152, '(B, F, K)', 'end')
    strips(f, 176, 167, 80)

    f.rect(16, 252, 248, 256, 'group', r=12)
    f.lines(132, 277, ['FM', 'component'], 'term', 'middle')
    f.edge((190, 222), (190, 337))
    f.rect(26, 338, 92, 68, 'b')
    f.text(72, 364, 'linear')
    f.math(72, 391, 'Σ_i w_i + b')
    f.rect(126, 338, 128, 68, 'd')
    f.text(190, 364, 'pairwise')
    f.math(190, 391, 'Σ_{i<j} ⟨*v*_i, *v*_j⟩')
    f.edge((72, 406), (72, 464), (176, 464))
    f.edge((190, 406), (190, 450))
    f.sign(190, 464, '+')

    f.rect(276, 252, 228, 256, 'group', r=12)
    f.lines(290, 277, ['deep', 'component'], 'term')
    f.edge((390, 222), (390, 307))
    f.rect(288, 308, 204, 32, 'c')
    f.text(344, 329, 'concatenate')
    f.shape(482, 329, '(B, F·K)', 'end')
    for y, w, layer in [(360, 180, 'ReLU layer'), (412, 156, 'ReLU layer'),
                        (464, 132, 'linear layer')]:
        f.edge((390, y - 20), (390, y - 1))
        f.rect(390 - w / 2, y, w, 32, 'c')
        f.text(390, y + 21, layer)

    f.edge((190, 477), (190, 556), (246, 556))
    f.edge((390, 496), (390, 556), (274, 556))
    f.shape(180, 540, '(B, 1)', 'end')
    f.shape(400, 540, '(B, 1)', 'start')
    f.sign(260, 556, '+')
    f.edge((260, 569), (260, 593))
    output(f, 260, 594)
    return f


def draw_identity():
    f = Figure(
        'identity', 'All pair products at the cost of one pass',
        'The F by F square of all inner products of v_i and v_j is its diagonal plus twice its '
        'upper triangle. So the triangle, which is the sum over the pairs, is half of the '
        'square minus the diagonal; the square is the squared norm of the sum of the vectors, '
        'which costs O(FK) instead of O(F²K).', 434)
    n, c, top = 5, 25, 70
    xs = [22, 194, 373]

    for x, name, note, kind in [
            (xs[0], 'square', 'each with each', lambda i, j: 'b' if i == j else 'd'),
            (xs[1], 'diagonal', 'each with itself', lambda i, j: 'b' if i == j else 'cell'),
            (xs[2], 'triangle', 'each pair once', lambda i, j: 'd' if i < j else 'cell')]:
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


def draw_logo():
    f = Figure('logo', 'd2lrec', 'A sparse grid of dots and two vectors from one corner.', 64,
               width=64, shown=64, paper=False)
    for row, col in [(0, 0), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 1), (3, 2), (3, 3)]:
        f.circle(9 + col * 15.3, 9 + row * 15.3, 3.4, 'dot')
    f.path('M9 55L24.3 9', 'a-vector')
    f.path('M9 55L55 39.6', 'b-vector')
    f.circle(24.3, 9, 6.5, 'a-full')
    f.circle(55, 39.6, 6.5, 'b-full')
    return f


FIGURES = [draw_map, draw_onehot, draw_pairs, draw_fm, draw_deepfm, draw_identity, draw_logo]


def main(folder=Path(__file__).resolve().parent.parent / 'img'):
    folder.mkdir(exist_ok=True)
    for draw in FIGURES:
        f = draw()
        (folder / f'{f.name}.svg').write_text(f.svg(), encoding='utf-8')


if __name__ == '__main__':
    main()
