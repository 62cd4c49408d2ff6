"""Printed lines in another language: what stood in columns still does.

A told word has another length than the code's, and a line that is told as a sentence other widths
than its neighbour, told column by column.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from . import Phrasebook

LEFT, RIGHT = 0, 1
AT_LEFT = (0, 0)  # where the names of lines are meant to stand
LONGEST = 400  # letters of a line that may have columns
BETWEEN = re.compile(r'( {2,})(?![^\[\]]*\])')  # two columns; an array in its brackets is one
NUMBER = re.compile(r'[-+]?[.\d][\d.,:%e+-]*')
IN_SENTENCE = re.compile(r'\[[^\[\]]*\]|(?<![\w.])[-+]?\d[\d.,]*%?')  # a number, or a list of them
HEADS = re.compile(r'[^\d:\[]*\S {2,}\S[^\d:\[]*')  # over the columns of a table: no number
BRACKETS = ('()', '[]', '{}')
FIGURE = r'[-+]?(?:\d[\d,]*\.?\d*|\.\d+)%?'  # one number,
FIGURE = re.compile(rf'{FIGURE}(?:(?<=,) {FIGURE})?')  # or two, as a column holds them


class Place(NamedTuple):
    """What stands in a column of some lines."""

    pieces: list  # a text of each line
    side: Optional[int]  # on which they stand under each other; None for neither
    gap: int  # spaces before the longest


def lined_up(said: str, told: str, book: Phrasebook) -> str:
    """A told text whose lines stand under each other where those of the code do.

    Each kind of lines that stand so is looked for in what the code said, and put together anew of
    what is told of them. A table that is no more than numbers under heads is as wide as its own
    words ask; other tables keep the places in which the book has told them. Lines of which nothing
    is told stay as they were printed.
    """
    said, told = said.split('\n'), told.split('\n')
    passed = _under_heads(said)
    names = partial(_names, _shared_starts(said))
    for kind in (_table, names, _columns, _sentences) if len(said) == len(told) else ():
        first = 0
        while first < len(said):
            free = kind is _table or first not in passed
            end, lines = (free and kind(said, told, first, book)) or (first + 1, None)
            if lines and told[first:end] != said[first:end]:
                told[first:end] = lines
            if lines and kind is _table:
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
    if _ends(said[first]):
        return None
    if body < len(said) and not _ends(said[body]):
        body += 1  # the name of the lines has a line of its own
    end = body
    while end < len(said) and _ends(said[end]):
        end += 1
    if end - body < 2:
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
    parts, ends = [], []
    if len(line) <= LONGEST:
        parts = [(one.end(), one[0]) for one in re.finditer('[^ ]+(?: [^ ]+)*', line)]
    while parts and FIGURE.fullmatch(parts[-1][1]):
        ends.insert(0, parts.pop()[0])
    return ends if parts or line[:1] == ' ' else ends[1:]  # at the margin is a line's name


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


def _names(starts, said, told, first, book):
    """Lines of which the longest name has one space before its value.

    It looks like a sentence: what is told of it has another length, and the values beside the
    other names no longer stand under its own.
    """
    for column, (end, gaps) in starts[first].items():
        if len(gaps) < 2:
            continue
        cuts = _tails(said[first:end], told[first:end], column, book)
        heads = [line[:cut].rstrip() for line, cut in zip(told[first:end], cuts)]
        if all(heads):
            rest = [line[cut:] for line, cut in zip(told[first:end], cuts)]
            return end, put_together([Place(heads, LEFT, 0), Place(rest, LEFT, 1)])
    return None


def _shared_starts(lines):
    """Of each line {column: (end, gaps)}: where a second part of it and of the lines up to `end`
    may begin, and whether more than one space is before it, in any of them."""
    starts, below = [], {}
    for at in reversed(range(len(lines))):
        line, mine, open_ones = lines[at], {}, [0] * len(BRACKETS)
        for column in range(min(len(line), LONGEST)):
            if column > 1 and line[column - 1] == ' ' and not line[column].isspace():
                if line[:column].strip() and not any(open_ones):
                    end, gaps = below.get(column, (at + 1, frozenset()))
                    mine[column] = (end, gaps | {line[column - 2] == ' '})
            for kind, pair in enumerate(BRACKETS):
                open_ones[kind] += (line[column] == pair[0]) - (line[column] == pair[1])
        starts.append(mine)
        below = mine
    return starts[::-1]


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
    end, rows = _alike(said, told, first, _by_columns)
    return end, _kept(rows)


def _sentences(said, told, first, _):
    """Sentences of the same words but for their numbers, and the names before the first."""
    end, rows = _alike(said, told, first, _by_numbers)
    if rows and rows[0][0].meant == AT_LEFT and not any(map(_is_padded, said[first:end])):
        before = [line[: IN_SENTENCE.search(line).start()].rstrip() for line in told[first:end]]
        if any(name[-1] in ':=' for name in before):
            return None  # what stands before the numbers is no name of a line
    return end, _kept(rows)


class _Part(NamedTuple):
    """A part of a told line: its place there and in the code's, and the gap before it."""

    text: str
    own: Optional[tuple]  # where it starts and ends
    meant: Optional[tuple]
    gap: int


def _alike(said, told, first, parts_of):
    """(end, rows): the parts of lines that are alike, from `first` to `end`.

    `parts_of` gives what such lines share, and the parts of one; None for a line without any.
    """
    rows, shared = [], None
    for at in range(first, len(said)):
        found = parts_of(said[at], told[at])
        if found is None or rows and shared != found[0]:
            break
        shared = found[0]
        rows.append(found[1])
    return first + max(len(rows), 1), rows


def _kept(rows):
    """Lines of parts that stand as they are meant; None where they do, or there is one line."""
    places, stand = [], True
    for parts in zip(*rows):
        side = _side([part.meant for part in parts])
        stand = stand and (side is None or len({part.own[side] for part in parts}) == 1)
        places.append(Place([part.text for part in parts], side, parts[0].gap))
    return None if stand or len(rows) < 2 else put_together(places)


def _side(spans):
    """On which the pieces of a place stand under each other; None for neither."""
    if spans[0] is None:
        return None
    return next((side for side in (LEFT, RIGHT) if len({one[side] for one in spans}) == 1), None)


def _by_columns(line, own):
    meant, mine = (_pieces(BETWEEN, one, between=True) for one in (line, own))
    if len(mine) < 2 or len(meant) != len(mine):
        return None
    parts = [
        _Part(text, span, there, 2 * (at > 0))
        for at, ((span, text), (there, _)) in enumerate(zip(mine, meant))
    ]
    return len(mine), parts


def _by_numbers(line, own):
    cuts = [one.span() for one in IN_SENTENCE.finditer(own)]
    meant = _pieces(IN_SENTENCE, line)
    if not cuts or len(cuts) != len(meant) or not re.search('[^\x00-\x7f]', own):
        return None
    before = own[: cuts[0][0]]
    names = _pieces(BETWEEN, before.rstrip(), between=True)
    spaced = before.endswith(' ') and bool(names)
    starts, ends = [start for start, _ in cuts[1:]], [end for _, end in cuts]
    words = [re.sub(' {2,}', ' ', own[a:b]) for a, b in zip(ends, [*starts, None])]
    parts = [_Part(text, span, AT_LEFT, 2 * (at > 0)) for at, (span, text) in enumerate(names)]
    for at, ((span, text), (there, _)) in enumerate(zip(_pieces(IN_SENTENCE, own), meant)):
        parts += [
            _Part(text, span, there, int(at == 0 and spaced)),
            _Part(words[at], None, None, 0),
        ]
    margin = len(line) - len(line.lstrip()) if names else 0
    return (len(names), spaced, margin, *words), parts


def _is_padded(line):
    """Whether more than one space follows a word before the first number."""
    return re.search(r'\S {2,}', line[: IN_SENTENCE.search(line).start()]) is not None


def _pieces(pattern, text, between=False):
    """[((start, end), piece)] of what the pattern finds in a text, or of what stands between."""
    spans = [one.span() for one in pattern.finditer(text)]
    if between:
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        spans = list(zip(edges[::2], edges[1::2]))
    found, at, wide = [], 0, 0  # so wide is the text up to there
    for start, end in spans:
        piece = text[start:end].strip()
        if piece:
            start = text.index(piece, start)
            wide += width(text[at:start])
            at = start
            found.append(((wide, wide + width(piece)), piece))
    return found


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
    starts, shared = {}, {}
    for row, found in zip(rows, cells):
        for start, end, _ in found:
            starts.setdefault((row, end), set()).add(start)
            if len(starts[row, end]) > 1:
                shared.setdefault(row, set()).add(end)
    ends = []
    for at, row in enumerate(rows):
        near = [one for one in (at - 1, at + 1, at + 2) if 0 <= one < len(rows)]
        numbers = [cell for one in near if rows[one] == row for cell in cells[one]]
        ends.append(frozenset(end for _, end, number in numbers if number) | shared.get(row, set()))
    return ends


def width(text: str) -> int:
    """Columns that a text takes in print: a Korean letter takes two.

    Examples
    --------
    >>> width('epoch'), width('에폭')
    (5, 4)
    """
    if text.isascii():
        return len(text)
    return sum(1 + (unicodedata.east_asian_width(letter) in 'WF') for letter in text)
