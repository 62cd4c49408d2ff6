"""A figure of the book in the making, and the pieces that several figures share.

All editions share the drawings. Labels are written in English; what `words/<language>.json` has for
one stands beside it in the file, and a viewer shows its own language's (SVG's <switch>).
A figure is 520 units wide, so that its smallest text (13.5 units) is still 10 px on a phone of 390,
where the site draws it from edge to edge, and 9 px in a 360 px column.
Colours are CSS variables with fallbacks: a page that inlines a figure can switch it to dark,
and as a plain image it stands on its own paper. Ids and classes carry the file's name, so that
several figures can live in one page.
"""

import json
import re
from pathlib import Path
from xml.sax.saxutils import escape

from d2lrec import palette

WIDTH = 520
SHOWN = 640  # width in px where the column allows it

PALETTE = {
    'ink': palette.INK,
    'muted': palette.MUTED,
    'paper': palette.PAPER,
    'line': palette.LINE,
    'a': palette.A,
    'a-soft': palette.A_SOFT,
    'b': palette.B,
    'b-soft': palette.B_SOFT,
    'c': palette.C,
    'c-soft': palette.C_SOFT,
    'd': palette.D,
    'd-soft': palette.D_SOFT,
}
SANS = "system-ui,'Noto Sans',sans-serif"
SERIF = "'STIX Two Math','Cambria Math',Georgia,serif"


# language -> English label -> its own
WORDS = {
    path.stem: json.loads(path.read_text(encoding='utf-8'))
    for path in sorted((Path(__file__).parent / 'words').glob('*.json'))
}


def var(name):
    """The CSS value of a palette colour."""
    return f'var(--fig-{name},{PALETTE[name]})'


RULES = {
    'paper': f'fill:{var("paper")}',
    'text': f'fill:{var("ink")};font:15px {SANS}',
    'name': f'fill:{var("ink")};font:600 16px {SANS}',
    'note': f'fill:{var("ink")};fill-opacity:.78;font:13.5px {SANS}',
    'term': f'fill:{var("ink")};font:600 13.5px {SANS}',
    'math': f'fill:{var("ink")};font:17px {SERIF}',
    'dim': f'fill:{var("ink")};fill-opacity:.78;font:15px {SERIF}',
    'it': 'font-style:italic',
    'bf': 'font-weight:700',
    'low': 'font-size:13.5px',
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
    RULES[_c + '-vector'] = (
        f'fill:none;stroke:{var(_c)};stroke-width:6;stroke-linecap:round;stroke-linejoin:round'
    )


class Figure:
    """An SVG in the making; every method adds one mark. Lengths are in viewBox units.

    What it shows is said where it is shown, in the page's language: as the image's alt text.
    """

    def __init__(self, name, height, width=WIDTH, shown=SHOWN, paper=True):
        self.name = name
        self.width, self.height, self.shown = width, height, shown
        self.used, self.body = [], []
        if paper:
            self.rect(0, 0, width, height, 'paper', r=12)

    def cls(self, *kinds):
        self.used += [k for k in kinds if k not in self.used]
        return 'class="{}"'.format(' '.join(f'{self.name}-{k}' for k in kinds))

    def rect(self, x, y, w, h, kind, r=8):
        self.body.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" {self.cls(kind)}/>'
        )

    def circle(self, x, y, r, kind):
        self.body.append(f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" {self.cls(kind)}/>')

    def path(self, d, kind, tip=False):
        end = ''
        if tip:
            self.cls('tip')
            end = f' marker-end="url(#{self.name}-arrow)"'
        self.body.append(f'<path d="{d}" {self.cls(kind)}{end}/>')

    def text(self, x, y, s, kind='text', anchor='middle'):
        """Text on the baseline y, in every language that has words for it."""
        place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" {self.cls(kind)}'
        own = {language: words[s] for language, words in WORDS.items() if words.get(s, s) != s}
        plain = f'<text {place}>{escape(s)}</text>'
        if own:
            told = ''.join(
                f'<text systemLanguage="{language}" {place}>{escape(word)}</text>'
                for language, word in own.items()
            )
            plain = f'<switch>{told}{plain}</switch>'
        self.body.append(plain)

    def lines(self, x, y, lines, kind='note', anchor='start', pitch=17):
        for n, s in enumerate(lines):
            self.text(x, y + n * pitch, s, kind, anchor)

    def math(self, x, y, s, anchor='middle', kind='math'):
        """Mathematics: letters lean, ``*v*`` is bold, ``_i`` / ``_{i<j}`` lower, ``^2`` raised.

        In every language that has other words for the whole of it.
        """
        place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" {self.cls(kind)}'
        plain = f'<text {place}>{self._formula(s)}</text>'
        told = ''.join(
            f'<text systemLanguage="{language}" {place}>{self._formula(words[s])}</text>'
            for language, words in WORDS.items()
            if words.get(s, s) != s
        )
        self.body.append(f'<switch>{told}{plain}</switch>' if told else plain)

    def _formula(self, s):
        out, shift = [], 0
        for bold, mark, long, short, letters, rest in re.findall(
            r'\*(\w+)\*|([_^])(?:\{([^}]*)\}|(.))|([A-Za-zα-ωŷ]+)|([^*_^A-Za-zα-ωŷ]+)', s
        ):
            want = {'_': 5, '^': -7}.get(mark, 0)
            dy = f' dy="{want - shift}"' if want != shift else ''
            shift = want
            if bold and out and out[-1].endswith('⟨') or rest.startswith('⟩'):
                dy += ' dx="2"'  # an angle's point is nearer to a letter than its ends are
            if bold:
                out.append(f'<tspan{dy} {self.cls("bf")}>{bold}</tspan>')
            elif mark:
                inner = long or short
                lean = ['it'] if re.search('[A-Za-z]' if mark == '_' else '[a-z]', inner) else []
                if mark == '^' and out and '"it"' in out[-1].replace(f'{self.name}-', ''):
                    dy += ' dx="2"'  # a leaning letter ends further right at its top
                out.append(f'<tspan{dy} {self.cls("low", *lean)}>{escape(inner)}</tspan>')
            elif letters in ('log', 'MLP'):
                out.append(f'<tspan{dy}>{letters}</tspan>')
            elif letters:
                out.append(f'<tspan{dy} {self.cls("it")}>{letters}</tspan>')
            else:
                out.append(f'<tspan{dy}>{escape(rest)}</tspan>' if dy else escape(rest))
        return ''.join(out)

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
            defs = (
                f'<defs><marker id="{n}-arrow" viewBox="0 0 8 8" refX="8" refY="4" '
                'markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
                f'<path d="M0 0.5L8 4L0 7.5Z" {self.cls("tip")}/></marker></defs>\n'
            )
        shown_height = round(self.height * self.shown / self.width)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.shown}" height="{shown_height}" style="max-width:100%;height:auto" '
            'role="img">\n'
            f'<style>{css}\n</style>\n{defs}' + '\n'.join(self.body) + '\n</svg>\n'
        )


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


def layers(f, x, top, widths):
    """A column of an MLP about x: ReLU layers of these widths and a linear one, each entered."""
    for n, w in enumerate(widths, 1):
        y = top + (n - 1) * 52
        f.edge((x, y - 20), (x, y - 1))
        f.rect(x - w / 2, y, w, 32, 'c')
        f.text(x, y + 21, 'linear layer' if n == len(widths) else 'ReLU layer')


def key(f, x, y, kind, words='', symbol=None):
    """A line of a matrix's key: a square of the kind, a symbol where there is one, words."""
    f.rect(x, y - 13, 16, 16, kind, r=0)
    if symbol:
        f.math(x + 24, y, symbol, 'start')
    if words:
        f.text(x + (48 if symbol else 24), y, words, 'note', 'start')
