"""What the book's cells print and draw, in the reader's language.

Code speaks English. A file `<language>.json` here maps what it says, with `{}` in the place of what
changes (numbers, names), to the words of that language; what no file knows stays as it is. A page
is told by it when it is built, a notebook by the folder it lies in (`notebook_language`).

A word can mean one thing on one page and another on the next: an `item` is a film of MovieLens, and
an article of a shop. The name of a page with an object, `"own_log": {"item": ...}`, holds what that
page says in its own way.
"""

from __future__ import annotations

import functools
import html
import json
import re
from itertools import accumulate
from pathlib import Path

from .columns import BETWEEN, lined_up, right_ends, width

__all__ = ['Phrasebook', 'phrasebook', 'width']

FOLDER = Path(__file__).parent


FEW = 14  # letters of a phrase that says too little to stand beside any text
TOO_MUCH = re.compile(r'(?<![A-Za-z])[a-z]{3,}|  ')  # for its places: a word, another column


class _Found(str):
    """What stood in a place; `{:백만}` writes so many millions as Korean counts them."""

    def __format__(self, how):
        if how != '백만':
            return format(str(self), how)
        large, small = divmod(round(float(self.replace(',', '')) * 100), 10_000)  # of 10,000
        return ' '.join(([f'{large:,}억'] if large else []) + ([f'{small:,}만'] if small else []))


def _even(text):
    """The text with two spaces wherever it has more: columns move with what stands in them."""
    return re.sub(r'(?<=\S) {2,}(?=\S)', '  ', text)


class Phrasebook:
    """The phrases of one language.

    Parameters
    ----------
    phrases : dict of str -> str
        English -> the language. `{}` stands for anything; in a phrase of few letters for numbers
        and names alone, lest it take what is not meant. `{0}`, `{1}` on the right put what was
        found in another order, and `{:백만}` makes 3,400만 of 34 (millions). The longest fitting
        phrase is taken.

    Examples
    --------
    >>> book = Phrasebook({'epoch': '에폭', '{} films of {}': '영화 {0}편({1})'})
    >>> book.line('12 films of 1997'), book.line('epoch'), book.line('no phrase')
    ('영화 12편(1997)', '에폭', 'no phrase')
    """

    def __init__(self, phrases: dict[str, str]):
        phrases = {_even(key): text for key, text in phrases.items()}
        self.words = {key: text for key, text in phrases.items() if '{}' not in key}
        patterns = [key for key in phrases if '{}' in key]
        self.patterns = [
            (
                re.compile('(.+?)'.join(map(re.escape, key.split('{}')))),
                phrases[key],
                len(re.findall('[A-Za-z]', key)) <= FEW,
            )
            for key in sorted(patterns, key=lambda key: -len(key.replace('{}', '')))
        ]

    def phrase(self, text: str) -> str | None:
        """One phrase without the space around it, told; None where no phrase fits."""
        if text in self.words:
            return self.words[text]
        for pattern, own, short in self.patterns:
            found = pattern.fullmatch(text)
            if found and not (short and any(map(self._too_much, found.groups()))):
                return own.format(*map(self._part, found.groups()))
        return None

    @staticmethod
    def _too_much(text):
        return TOO_MUCH.search(re.sub(r'\[[^\[\]]*\]', '[]', text))

    def _part(self, text):
        """What stands in a place, told where it is a phrase; the space round it stays."""
        inner = text.strip()
        return _Found(text.replace(inner, self.phrase(inner) or inner) if inner else text)

    def line(self, text: str, ends: frozenset[int] = frozenset()) -> str:
        """A printed line, whole, or else its columns, which keep their places.

        Columns are what stands two spaces or more apart; of `name: value` the name is told too. A
        column that ends at one of `ends` keeps its end, as numbers under it do, and others their
        start.
        """
        inner = text.strip()
        if not inner or not re.search('[A-Za-z]', inner):
            return text
        start = text[: len(text) - len(text.lstrip())]
        end = text[len(text.rstrip()) :]
        parts = BETWEEN.split(inner)
        told = BETWEEN.split(self.phrase(_even(inner)) or '')
        if told[0] and (len(told) != len(parts) or inner == _even(inner)):
            return start + ''.join(told) + end
        parts = [start, *parts]
        stops = [*accumulate(map(width, parts))]
        for at in range(1, len(parts), 2):
            own = told[at - 1] if told[0] else self._named(parts[at])
            less = width(parts[at]) - width(own)
            parts[at] = own
            if not less:
                continue
            if stops[at] in ends and (at > 1 or start):  # it keeps its end
                less += len(parts[at - 1])
                parts[at - 1] = ' ' * max(less, 2 if at > 1 else 0)
                less -= len(parts[at - 1])
            if at + 1 < len(parts):  # the next column stays where it is
                room = len(parts[at + 1]) + less
                parts[at + 1] = ' ' * max(room, 2)
                if room < 2 and at > 1:  # what it lacks is taken from the space before it
                    parts[at - 1] = ' ' * max(len(parts[at - 1]) + room - 2, 2)
        return ''.join(parts) + end

    def _named(self, text):
        told = self.phrase(text)
        if told is not None:
            return told
        name, colon, value = text.partition(':')
        told = self.phrase(name) if colon else None
        return text if told is None else f'{told}:{value}'

    def text(self, text: str) -> str:
        """A printed text: its lines, which stand under each other as they did.

        Examples
        --------
        >>> print(Phrasebook({'films': '영화'}).text('films:  12\\nusers:   9'))
        영화:   12
        users:   9
        >>> print(Phrasebook({'sd': '표준편차'}).text('    AUC  sd\\nLR  .77  .1\\nFM  .79  .2'))
            AUC  표준편차
        LR  .77        .1
        FM  .79        .2
        """
        lines = text.split('\n')
        return lined_up(text, '\n'.join(map(self.line, lines, right_ends(lines))), self)

    def markup(self, text: str) -> str:
        """HTML or SVG: the text between its tags is told, its tags stay.

        Examples
        --------
        >>> Phrasebook({'epoch': '에폭'}).markup('<text x="1">epoch</text>')
        '<text x="1">에폭</text>'
        """

        def told(match):
            inner = html.unescape(match[2])
            new = self.line(inner)
            return match[0] if new == inner else match[1] + html.escape(new, quote=False)

        return re.sub(r'(<(?!style|script)[^<>]*>)([^<>]*[A-Za-z][^<>]*)(?=<)', told, text)


def phrasebook(language: str, page: str | None = None) -> Phrasebook | None:
    """The phrases of a language; None where it has none, as English, in which code speaks.

    Parameters
    ----------
    language : str
    page : str, optional
        Whose own phrases come before those of all pages, such as `own_log`; by default the
        notebook that runs, where that is known (`d2lrec.check.words.notebook_page`).

    Raises
    ------
    ValueError
        Where its file is no object of strings, or of objects of strings for a page, or a phrase
        and its words have not the same braces.

    Examples
    --------
    >>> phrasebook('en') is None, phrasebook('ko').line('epoch')
    (True, '에폭')
    >>> phrasebook('ko', 'fm').line('item'), phrasebook('ko', 'own_log').line('item')
    ('영화', '상품')
    """
    if page is None:
        from ..check.words import notebook_page

        page = notebook_page()
    return _phrasebook(language, page)


@functools.cache
def _phrasebook(language, page):
    path = FOLDER / f'{language}.json'
    if not re.fullmatch(r'[A-Za-z-]+', language) or not path.exists():
        return None
    phrases = json.loads(path.read_text(encoding='utf-8'))
    general = {key: own for key, own in phrases.items() if not isinstance(own, dict)}
    pages = {key: own for key, own in phrases.items() if isinstance(own, dict)}
    for given in (general, *pages.values()):
        for key, own in given.items():
            places = len(re.findall(r'\{\d*(?::[^{}]*)?\}', own))
            if places != key.count('{}'):
                raise ValueError(
                    f'{path.name}: {key!r} has {key.count("{}")} places and its words {places}: '
                    'give both as many braces.'
                )
    return Phrasebook({**general, **pages.get(page, {})})
