"""Printed lines in another language: what stood in columns still does.

A told word has another length than the code's, and a line that is told as a sentence other widths
than its neighbour, told column by column.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from . import Phrasebook

LEFT, RIGHT = 0, 1
LONGEST = 400  # letters of a line that may have columns
BETWEEN = re.compile(r'( {2,})(?![^\[\]]*\])')  # two columns; an array in its brackets is one
NUMBER = re.compile(r'[-+]?[.\d][\d.,:%e+-]*')
IN_SENTENCE = re.compile(r'\[[^\[\]]*\]|(?<![\w.])[-+]?\d[\d.,]*%?')  # a number, or a list of them
HEADS = re.compile(r'[^\d:\[]*\S {2,}\S[^\d:\[]*')  # over the columns of a table: no number
BRACKETS = ('()', '[]', '{}')
FIGURE = r'[-+]?(?:\d[\d,]*\.?\d*|\.\d+)%?'  # one number,
FIGURE = rf'{FIGURE}(?:(?<=,) {FIGURE})?'  # or two, as a column holds them
FIGURES = re.compile(rf'(?:.*?\S)??((?:(?:^ +| {{2,}}){FIGURE})+) *')


class Place(NamedTuple):
    """What stands in a column of some lines."""

    pieces: list  # a text of each line
    side: Optional[int]  # on which they stand under each other; None for neither
    gap: int  # spaces before the longest


def lined_up(said: str, told: str, book: Phrasebook) -> str:
    """A told text whose lines stand under each other where those of the code do.

    Each kind of lines that stand so is looked for in what the code said, and put together anew of
    what is told of them. A table that is no more than numbers under heads is as wide as its own
    words ask; other tables keep the places in which the book has told them.
    """
    said, told = said.split('\n'), told.split('\n')
    passed = _under_heads(said)
    for kind in (_table, _names, _columns, _sentences) if len(said) == len(told) else ():
        first = 0
        while first < len(said):
            free = kind is _table or first not in passed
            end, lines = (free and kind(said, told, first, book)) or (first + 1, None)
            if lines:
                told[first:end] = lines
            if kind is _table and lines:
                passed.update(range(first, end))
            first = end
    return '\n'.join(told)


def put_together(places: list[Place]) -> list[str]:
    """Lines of their pieces, place by place."""
    lines = [''] * len(places[0].pieces)
    for pieces, side, gap in places:
        lines = [line + ' ' * gap for line in lines]
        if side is not None:
            ends = [width(line) + side * width(piece) for line, piece in zip(lines, pieces)]
            lines = [line + ' ' * (max(ends) - end) for line, end in zip(lines, ends)]
        lines = [line + piece for line, piece in zip(lines, pieces)]
    return [line.rstrip() for line in lines]


def _under_heads(said):
    """The numbers of the lines that are the heads of a table or under them, up to an empty one.

    And of those that are too long for columns.
    """
    found, headed = set(), False
    for at, line in enumerate(said):
        is_long = len(line) > LONGEST
        headed = bool(line.strip()) and (headed or not is_long and HEADS.fullmatch(line))
        if headed or is_long:
            found.add(at)
    return found


# ----------------------------------------------------------------- numbers under heads: _table


def _table(said, told, first, book):
    """A line of heads, and under it lines that are a name and numbers.

    All its columns but the names stand at the right.
    """
    body = first + 1
    if body < len(said) and not _ends(said[body]):
        body += 1  # the name of the lines has a line of its own
    end = body
    while end < len(said) and _ends(said[end]):
        end += 1
    if end - body < 2 or _ends(said[first]):
        return None
    found = [_ends(line) for line in said[body:end]]
    ends = sorted({one for line in found for one in line})
    if not _is_table(said[first:end], body - first, found, ends):
        return None
    names, *columns = zip(*(_cut(line, ends) for line in said[first:end]))
    gaps = [
        max(2, min(len(cell) - len(cell.lstrip()) for cell in column if cell.strip()))
        for column in columns
    ]
    names, *columns = [[book.line(cell.strip()) for cell in one] for one in (names, *columns)]
    gaps[0] = 2 * any(names)
    places = [Place(names, LEFT, 0), Place([''] * len(names), LEFT, 0)]
    places += [Place(column, RIGHT, gap) for column, gap in zip(columns, gaps)]
    return end, put_together(places)


def _ends(line):
    """Where the numbers end that close a line, each two spaces or more from what is before it."""
    found = FIGURES.fullmatch(line) if len(line) <= LONGEST else None
    return [found.start(1) + one.end() for one in re.finditer(FIGURE, found[1])] if found else []


def _cut(line, ends):
    """The columns of a line that end where told, the name before the first of them apart."""
    starts = [0, *ends]
    first, *rest = [line.ljust(ends[-1])[start:end] for start, end in zip(starts, ends)]
    name = first if first.endswith(' ') else re.match(r'(?:.* {2}|)', first)[0]
    return [name, first[len(name) :], *rest]


def _is_table(lines, body, found, ends):
    """Whether lines are a table, of which those from `body` on have numbers that end as found."""
    head, over = lines[0], lines[1:body]  # the name of the lines
    if any(not line[: ends[0]].strip() or line[ends[0] - 1 :].strip() for line in over):
        return False
    for line, own in zip(lines[body:], found):  # no name reaches into a column
        if any(line[end - 1 : end].strip() and end not in own for end in ends):
            return False
    names = [_cut(line, ends)[0] for line in lines]
    if any('  ' in name.strip() for name in names) or all(name[:1] == ' ' for name in names):
        return False
    heads = _cut(head, ends)[1:]
    if any(one.endswith(' ') or head[end : end + 1].strip() for one, end in zip(heads, ends)):
        return False
    return not head[ends[-1] :].strip() and bool(re.search('[A-Za-z]', ''.join(heads)))


# ------------------------------------------------------------- a name and what follows: _names


def _names(said, told, first, book):
    """Lines of which the longest name has one space before its value.

    It looks like a sentence: what is told of it has another length, and the values beside the
    other names no longer stand under its own.
    """
    for column, end in _shared_starts(said, first):
        cuts = _tails(said[first:end], told[first:end], column, book)
        heads = [line[:cut].rstrip() for line, cut in zip(told[first:end], cuts)]
        if all(heads):
            rest = [line[cut:] for line, cut in zip(told[first:end], cuts)]
            return end, put_together([Place(heads, LEFT, 0), Place(rest, LEFT, 1)])
    return None


def _shared_starts(lines, first):
    """[(column, end)]: where the second part of the lines from `first` to `end` may begin, with
    one space before it in one line and more in another."""
    starts = []
    for column in range(2, len(lines[first])):
        end, gaps = first, set()
        while end < len(lines) and re.match(r'. \S', lines[end][column - 2 : column + 1]):
            head = lines[end][:column]
            if not head.strip() or any(head.count(one) != head.count(two) for one, two in BRACKETS):
                break
            gaps.add(head[-2] == ' ')
            end += 1
        if len(gaps) == 2:
            starts.append((column, end))
    return starts


def _tails(said, told, column, book):
    """Where in each told line begins what begins at `column` in the code's; 0 for not found."""
    cuts, firsts = [], set()
    for line, own in zip(said, told):
        tail = line[column:]
        firsts.add(tail.split()[0])
        words = next((w for w in (book.phrase(tail), tail) if w and own.endswith(w)), None)
        cuts.append(len(own) - len(words) if words else own.find(f' {tail.split()[0]}') + 1)
    if not all(cuts) and len(firsts) == 1:  # one wording in all lines: from its first own word on
        both = set.intersection(*(set(own.split()[1:]) for own in told))
        word = next((word for word in told[0].split()[1:] if word in both), '')
        cuts = [own.find(f' {word}') + 1 if word else 0 for own in told]
    return cuts


# ---------------------------------- the same columns, the same words: _columns, _sentences


def _columns(said, told, first, _):
    """Lines with the same columns."""
    return _as_many(said, told, first, _by_columns)


def _sentences(said, told, first, _):
    """Sentences of the same words but for their numbers, and the names before the first."""
    return _as_many(said, told, first, _by_numbers)


def _as_many(said, told, first, places_of):
    """From `first` on as many lines as have places together; put together where one is not kept.

    `places_of` gives of each place the pieces, the code's side there and the gap before it; None
    where lines have no places together.
    """
    end, places = first + 1, None
    while end < len(said):
        more = places_of(said[first : end + 1], told[first : end + 1])
        if not more:
            break
        end, places = end + 1, more
    if not places or all(map(_stands, places)):
        return end, None
    return end, put_together([Place([p.text for p in one[0]], *one[1:]) for one in places])


class _Piece(NamedTuple):
    """A part of a line, and where it stands."""

    start: Optional[int]
    end: Optional[int]
    text: str


def _by_columns(said, told):
    meant, own = (
        [_pieces(BETWEEN, line, between=True) for line in lines] for lines in (said, told)
    )
    if len(own[0]) < 2 or len({len(row) for row in [*meant, *own]}) > 1:
        return None
    return [Place(*place, 2 * (at > 0)) for at, place in enumerate(zip(zip(*own), _sides(meant)))]


def _by_numbers(said, told):
    meant, own, forms = [_pieces(IN_SENTENCE, line) for line in said], [], set()
    for line in told:
        numbers = _pieces(IN_SENTENCE, line)
        cuts = [one.span() for one in IN_SENTENCE.finditer(line)]
        if not cuts or not re.search('[^\x00-\x7f]', line):
            return None
        name = line[: cuts[0][0]]
        names = _pieces(BETWEEN, name.rstrip(), between=True)
        words = [line[a:b] for a, b in zip([b for _, b in cuts], [a for a, _ in cuts[1:]] + [None])]
        words = [re.sub(' {2,}', ' ', one) for one in words]
        own.append((names, numbers))
        forms.add((len(names), name.endswith(' ') and bool(names), *words))
    if len(forms) > 1 or {len(row) for row in meant} != {len(words)}:
        return None
    count, spaced, *words = forms.pop()
    starts = {len(line) - len(line.lstrip()) for line in said}
    padded = any(
        re.search(r'\S {2,}', line[: line.find(row[0].text)]) for line, row in zip(said, meant)
    )
    if count and (len(starts) > 1 or not padded and name.rstrip()[-1] in ':='):
        return None  # what stands before the numbers is no name of a line
    names, numbers = ([*zip(*rows)] for rows in zip(*own))
    places = [Place(one, LEFT, 2 * (at > 0)) for at, one in enumerate(names)]
    for at, (one, side) in enumerate(zip(numbers, _sides(meant))):
        places.append(Place(one, side, int(at == 0 and spaced)))
        places.append(Place([_Piece(None, None, words[at])] * len(told), None, 0))
    return places


def _pieces(pattern, text, between=False):
    """What the pattern finds in a text, or what stands between."""
    spans = [one.span() for one in pattern.finditer(text)]
    if between:
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        spans = list(zip(edges[::2], edges[1::2]))
    spans = [
        (a + len(text[a:b]) - len(text[a:b].lstrip()), b) for a, b in spans if text[a:b].strip()
    ]
    return [_Piece(width(text[:a]), width(text[:b].rstrip()), text[a:b].rstrip()) for a, b in spans]


def _sides(rows):
    """The side on which the pieces of each place stand under each other; None for neither."""
    return [
        next((side for side in (LEFT, RIGHT) if len({one[side] for one in place}) == 1), None)
        for place in zip(*rows)
    ]


def _stands(place):
    """Whether the pieces of a place stand on its side."""
    return place.side is None or len({one[place.side] for one in place.pieces}) == 1


# ------------------------------------------------------------------------- of single lines


def right_ends(lines: list[str]) -> list[frozenset[int]]:
    """Of each printed line, where its columns end that stand at the right.

    Those are the columns over and under numbers, and the words of one end and several starts.
    """
    cells, rows, row = [], [], 0
    for line in lines:
        row += not line.strip()  # an empty line ends a table
        rows.append(row)
        at, found = len(line) - len(line.lstrip()), []
        for part in BETWEEN.split(line.strip()):
            if part.strip():
                found.append((at, at + width(part), re.fullmatch(NUMBER, part)))
            at += width(part)
        cells.append(found)
    starts = {}
    for row, found in zip(rows, cells):
        for start, end, _ in found:
            starts.setdefault((row, end), set()).add(start)
    ends = []
    for at, row in enumerate(rows):
        near = [one for one in (at - 1, at + 1, at + 2) if 0 <= one < len(rows)]
        ends.append(
            frozenset(
                end
                for one in near
                if rows[one] == row
                for _, end, is_number in cells[one]
                if is_number
            )
            | frozenset(
                end for where, end in starts if where == row and len(starts[where, end]) > 1
            )
        )
    return ends


def width(text: str) -> int:
    """Columns that a text takes in print: a Korean letter takes two.

    Examples
    --------
    >>> width('epoch'), width('에폭')
    (5, 4)
    """
    return sum(1 + (unicodedata.east_asian_width(letter) in 'WF') for letter in text)
