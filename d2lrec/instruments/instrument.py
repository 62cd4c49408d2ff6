"""An instrument: what a notebook shows as a figure that answers.

It is data, a small script that reads them in the page, and what stands in its place where no
script runs: a figure or a table, and a sentence. It needs no server and asks for nothing.

An instrument called `name` is made of `static/<name>.js`, a module with one function
`start(box, data, say)`, and of `words/<name>.json`, what it says in each language. In Jupyter the
output carries the script and its style; a page of the book has them in one file for all
(`d2lrec.instruments.site_files`), and its build takes them out of the output.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import check_whole, shown
from ..check.words import notebook_language
from ..phrases import phrasebook

__all__ = ['Instrument', 'packed', 'rounded']

FOLDER = Path(__file__).parent
STATIC, WORDS = FOLDER / 'static', FOLDER / 'words'
FALLBACK = 'en'
LARGEST = 2_000_000  # bytes, with which a page is slow to load
IMPORT = re.compile(r"^import (\{[^}]*\}) from '\./([\w-]+)\.js';$", re.MULTILINE)
EXPORT = re.compile(r'^export (?=(?:async )?(?:function|const|class) (\w+))', re.MULTILINE)


class Instrument:
    """Data and the name of the script that shows them; a notebook shows it by itself.

    Parameters
    ----------
    name : str
        Of `static/<name>.js` and `words/<name>.json`.
    data : dict
        What the script is given, as JSON: text, numbers, lists, dicts, NumPy arrays of them.
    figure : matplotlib Figure or pandas DataFrame, optional
        Stands in the instrument's place where no script runs, and on paper.
    **values
        What stands in the braces of the sentence beside that figure, `without` in the words.

    Raises
    ------
    ValueError
        For a name that has no script, and for data that are no JSON: NaN and infinity are none.

    Examples
    --------
    >>> Instrument('no_such', {})
    Traceback (most recent call last):
    ...
    ValueError: there is no instrument 'no_such': its script is static/no_such.js.
    """

    def __init__(self, name: str, data: dict[str, Any], figure: Any = None, **values: object):
        if not isinstance(name, str) or not re.fullmatch(r'\w+', name):
            raise ValueError(f'name is {shown(name)}: give the name of an instrument.')
        if not (STATIC / f'{name}.js').exists():
            raise ValueError(f'there is no instrument {name!r}: its script is static/{name}.js.')
        if not isinstance(data, Mapping) or not isinstance(data.get('names', []), (list, tuple)):
            raise ValueError(f'data is {shown(data)}: give a dict, its names a list.')
        self.name, self.data, self.figure, self.values = name, data, figure, values
        try:
            self.json = safe_json({'data': data, 'words': words_of(name, data), 'values': values})
        except ValueError as error:
            raise ValueError(f'{name}: the data are no JSON: {error}.') from None
        if len(self.json) > LARGEST:
            warnings.warn(
                f'the instrument {name!r} has {len(self.json) / 1e6:.1f} MB, which each page that '
                'shows it has to load: give it fewer rows or names.',
                stacklevel=3,
            )

    def __repr__(self) -> str:
        return f'<instrument {self.name!r}, {len(self.json):,} bytes>'

    def _repr_html_(self) -> str:
        """It all in one element: data, figure and sentence, style and script."""
        own = notebook_language()
        own = own if own in spoken(self.name) else FALLBACK
        # A notebook run for every edition holds the figure in each language: a page takes its own,
        # as a part of itself. In Jupyter it is an image: a notebook that is not trusted shows
        # nothing else.
        editions = bool(os.environ.get('D2LREC_LANGUAGE'))
        languages = list(spoken(self.name)) if editions else [own]
        instead = ''.join(
            f'<div lang="{name}"{"" if name == own else " hidden"}>'
            f'{self.instead(name, image=not editions)}</div>'
            for name in languages
        )
        return (
            f'<div class="d2lrec-instrument" data-instrument="{self.name}" data-language="{own}">'
            f'<script type="application/json">{self.json}</script>'
            f'<div class="d2i-without">{instead}</div>'
            f'<style>{style()}</style><script data-d2lrec="code">{script([self.name])}</script>'
            '</div>'
        )

    def instead(self, language: str, image: bool = False) -> str:
        """What stands in its place where no script runs: a sentence, and the figure as HTML.

        As an `image` the figure is one element on white paper, which Jupyter shows of any notebook.
        """
        words = spoken(self.name)[language]
        sentence = words['without'].format(**self.values)
        if 'of' in self.values and 'sample' in words:
            sentence += ' ' + words['sample'].format(**self.values)
        return f'<p>{escape(_whole(sentence))}</p>{self._drawn(language, words, image)}'

    def _drawn(self, language, words, image):
        if self.figure is None:
            return ''
        if not hasattr(self.figure, 'savefig'):  # a table
            text, book = self.figure._repr_html_(), phrasebook(language)
            text = re.sub(r'<style[^>]*>.*?</style>', '', text, flags=re.DOTALL)
            return text if book is None else book.markup(text)
        from ..plot import as_svg

        svg = re.sub(r'^.*?(?=<svg\b)', '', as_svg(self.figure, language), flags=re.DOTALL)
        label = escape(_whole(words['figure'].format(**self.values)))
        if image:
            svg = re.sub(
                r'(<svg\b[^>]*>)', r'\1<rect width="100%" height="100%" fill="#fff"/>', svg, count=1
            )
            coded = base64.b64encode(svg.encode()).decode()
            return f'<img alt="{label}" src="data:image/svg+xml;base64,{coded}">'
        svg = re.sub(
            r'<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*', '', svg, count=1
        )  # is for every path of a page
        one = f'd2i-{self.name}-{language}'
        svg = re.sub(r'\bid="([^"]+)"', rf'id="{one}-\1"', svg)
        svg = re.sub(r'((?:xlink:)?href="|url\()#', rf'\1#{one}-', svg)
        return re.sub(
            r'<svg\b',
            f'<svg role="img" aria-label="{label}" stroke-linejoin="round" stroke-linecap="butt"',
            svg,
            count=1,
        )


def _whole(text):
    """A text with a ? for each half of a character, which no page can hold."""
    return text.encode('utf-8', 'replace').decode()


def safe_json(value: Any) -> str:
    """JSON that may stand in a page: no text in it can end the element that it stands in.

    Examples
    --------
    >>> safe_json({'name': '</script>', 'bars': np.ones(2)})
    '{"name":"\\\\u003c/script\\\\u003e","bars":[1.0,1.0]}'
    """
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=_plain
    )
    text = _whole(text)
    for letter in '<>&\u2028\u2029':
        text = text.replace(letter, f'\\u{ord(letter):04x}')
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise ValueError(f'{type(value).__name__} is none')


def rounded(values: ArrayLike, digits: int = 4) -> Any:
    """Numbers as lists of floats of few digits after the point, which take little room.

    Examples
    --------
    >>> rounded([1 / 3, 2.0])
    [0.3333, 2.0]
    """
    digits = check_whole(digits, 'digits', 0)
    return (np.round(as_numbers(values, 'values'), digits) + 0.0).tolist()


def as_numbers(values: Any, name: str) -> np.ndarray:
    """An array of float64; ValueError for what is no number, or rows of unequal length.

    Examples
    --------
    >>> as_numbers(['a'], 'values')
    Traceback (most recent call last):
    ...
    ValueError: values is ['a']: give an array of numbers.
    """
    try:
        if values is not None:
            values = values.asnumpy() if hasattr(values, 'asnumpy') else values
            return np.asarray(values, dtype='float64')
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f'{name} is {shown(values)}: give an array of numbers.')


def whole_numbers(values: Any, name: str, end: int) -> np.ndarray:
    """An array of whole numbers from 0 to below `end`, as int64; ValueError for anything else.

    Examples
    --------
    >>> whole_numbers([0, 9], 'items', 5)
    Traceback (most recent call last):
    ...
    ValueError: items has 9.0: give whole numbers from 0 to 4.
    """
    found = as_numbers(values, name)
    bad = ~((found >= 0) & (found < end) & (found == np.floor(found)))
    if bad.any():
        raise ValueError(
            f'{name} has {found[bad].flat[0]}: give whole numbers from 0 to {end - 1}.'
        )
    return found.astype('int64')


def of_kind(value: Any, kind: type, name: str) -> None:
    """Refuse what is no object of a class.

    Examples
    --------
    >>> of_kind(3, dict, 'mine')
    Traceback (most recent call last):
    ...
    ValueError: mine is 3: give a dict.
    """
    if not isinstance(value, kind):
        article = 'an' if kind.__name__[0] in 'AEIOU' else 'a'
        word = {'Mapping': 'dict'}.get(kind.__name__, kind.__name__)
        raise ValueError(f'{name} is {shown(value)}: give {article} {word}.')


def packed(values: ArrayLike, bits: int = 16) -> dict[str, Any]:
    """An array as base64, for `unpacked` of `helpers.js`: whole numbers of few bits, or float32.

    Of 8 or 16 bits, a number is off by at most half of `step`, the largest of them divided by 127
    or by 32,767. With 32 bits they are as float32 has them.

    Parameters
    ----------
    values : array of any shape
    bits : 8, 16 or 32

    Returns
    -------
    dict
        `shape`, `step`, `bits` and `base64`.

    Raises
    ------
    ValueError
        Where there is NaN or infinity in it, or what is no number; for other `bits`.

    Examples
    --------
    >>> one = packed([[0.5, -1.0]])
    >>> one['shape'], round(1 / one['step'])
    ([1, 2], 32767)
    """
    if not isinstance(bits, (int, np.integer)) or bits not in (8, 16, 32):
        raise ValueError(f'bits is {shown(bits)}: choose 8, 16 or 32.')
    values = as_numbers(values, 'values')
    fits = np.isfinite(values).all()
    if bits == 32 and fits:
        fits = not values.size or np.abs(values).max() <= np.finfo('<f4').max
    if not fits:
        raise ValueError(
            'NaN or infinity cannot be packed, nor what float32 does not hold: leave such rows out.'
        )
    if bits == 32:
        raw, step = values.astype('<f4').tobytes(), 1.0
    else:
        most = {8: 127, 16: 32767}[bits]
        step = (float(np.abs(values).max()) if values.size else 0.0) / most or 1.0
        raw = np.round(values / step).astype(f'<i{bits // 8}').tobytes()
    return {
        'shape': list(values.shape),
        'step': step,
        'bits': bits,
        'base64': base64.b64encode(raw).decode(),
    }


@functools.cache
def spoken(name: str) -> dict[str, dict[str, str]]:
    """language -> key -> what an instrument says, its own words after those that all share."""
    shared, own = (
        json.loads((WORDS / f'{one}.json').read_text(encoding='utf-8')) for one in ('shared', name)
    )
    return {language: {**shared[language], **own[language]} for language in own}


def words_of(name: str, data: dict[str, Any], page: str | None = None) -> dict[str, dict[str, str]]:
    """What an instrument says, with the phrases of its own `names` in the data, as figures have."""
    words = {}
    for language, own in spoken(name).items():
        book = phrasebook(language, page)
        told = {} if book is None else {one: book.phrase(one) for one in data.get('names', ())}
        words[language] = {**{one: text for one, text in told.items() if text}, **own}
    return words


def names_of(groups: Mapping[str, Any]) -> dict[str, str]:
    """The names of groups, such as genres, in every language that knows one: a search finds each.

    Examples
    --------
    >>> names_of({'Comedy': [0], 'Odd': [1]})
    {'Comedy': '코미디 comedy'}
    """
    shared = json.loads((WORDS / 'shared.json').read_text(encoding='utf-8'))
    said = {name: [words.get(f'group.{name}') for words in shared.values()] for name in groups}
    return {name: ' '.join(filter(None, names)) for name, names in said.items() if any(names)}


def years_of(years: ArrayLike | None, count: int) -> list[int | None]:
    """Years as whole numbers for a page, None for NaN or all; ValueError unless there are `count`.

    Examples
    --------
    >>> years_of([1994.0, float('nan')], 2)
    [1994, None]
    """
    found = as_numbers([np.nan] * count if years is None else years, 'years')
    if found.shape != (count,):
        raise ValueError(f'years have shape {found.shape}: give one for each of {count}.')
    return [int(year) if np.isfinite(year) else None for year in found]


@functools.cache
def _module(name: str) -> tuple[str, tuple[str, ...]]:
    """A module of `static` as a function's body, and the modules it imports from."""
    text = (STATIC / f'{name}.js').read_text(encoding='utf-8')
    needed = tuple(match[2] for match in IMPORT.finditer(text))
    names = EXPORT.findall(text)
    text = EXPORT.sub('', IMPORT.sub(r"const \1 = modules['\2'];", text))
    if re.search(r'^\s*(import|export)\b', text, re.MULTILINE):
        raise ValueError(
            f"{name}.js: write imports as import {{ a }} from './b.js'; and export functions, "
            'classes and constants where they begin.'
        )
    body = f"modules['{name}'] = (() => {{\n{text}\nreturn {{ {', '.join(names)} }};\n}})();"
    return body, needed


def script(names: Sequence[str]) -> str:
    """The scripts of instruments as one that stands alone: no module, for a page from a folder.

    Examples
    --------
    >>> 'import ' in script([])
    False
    """
    order: list[str] = []

    def need(name: str) -> None:
        for other in _module(name)[1]:
            need(other)
        if name not in order:
            order.append(name)

    for name in ('helpers', *names):
        need(name)
    bodies = [_module(name)[0] for name in order]
    starts = [f"modules['helpers'].mount('{name}', modules['{name}'].start);" for name in names]
    return '\n'.join(
        ["(() => {\n'use strict';\nconst modules = {};", *bodies, *starts, '})();']
    ).replace('</', '<\\/')


@functools.cache
def style() -> str:
    """The style of all instruments."""
    return (STATIC / 'instruments.css').read_text(encoding='utf-8')


def site_files() -> dict[str, str]:
    """name -> text of the two files that the pages of a site share: script and style.

    Examples
    --------
    >>> sorted(site_files())
    ['instruments.css', 'instruments.js']
    """
    names = sorted(path.stem for path in WORDS.glob('*.json') if path.stem != 'shared')
    return {'instruments.css': style(), 'instruments.js': script(names)}
