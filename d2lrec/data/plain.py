"""Plain text as numbers, by loops over its bytes; numba makes them fast, where installed.

Plain is a text in UTF-8 without quotes, NULs and ends of lines of old, each of its lines of the
same number of cells. A block of anything else is refused, and its reader goes its usual way; so
is it where numba is not installed (`pip install d2lrec[fast]`), and for a file for which numba
would take longer to load than the loops save.

What the loops give is what pyarrow gives: the distinct cells of a column in the order in which
they first come, for each row the number of its cell, and decimals as the floats next to them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Optional

import numpy as np

from ..kernels import _numba, compiled
from .values import Column

LEAST = 100_000_000  # bytes of a file from which the loops save what loading them takes
MOST_COLUMNS = 2_000  # each takes memory of its own
MOST_BYTES = 2**30  # of a block, whose places are int32

# A cell of up to 8 bytes is its own key. That of a longer one is a hash which ends in a byte
# that no character begins with, so that it is no short cell's, and neither is nobody's.
SHORT, LONG, NOBODY = 8, np.uint64(0xFF), np.uint64(0xFE)
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hashing: 2^64 over the golden ratio
ONE, LAST = np.uint64(1), np.uint64(63)
LOW_BYTES = np.array([2 ** (8 * n) - 1 for n in range(SHORT + 1)], np.uint64)
NEWLINE, POINT, MINUS, ZERO, NINE = 10, 46, 45, 48, 57
DIGITS = 15  # of a whole number that is exact as a float, as are the powers of ten so far
TENS = 10.0 ** np.arange(DIGITS + 1)
TILE = 64  # rows that are turned at a time: a processor's nearest cache holds them


def cell_ends(text, separator, ends):
    """Where each cell of the text ends, behind `ends[0]`; how many cells there are.

    Every byte's place is written down, and kept only if a cell ends there: that needs no branch,
    of which a processor would guess every seventh or so wrong.
    """
    count = 1
    for i in range(len(text)):
        ends[count] = i
        count += int(text[i] == separator) | int(text[i] == NEWLINE)
    return count - 1


def eight_bytes(words, at):
    """The 8 bytes from a place on, as a number, of a text that is given 8 bytes at a time."""
    shift = np.uint64((at & 7) * 8)
    return (words[at >> 3] >> shift) | ((words[(at >> 3) + 1] << ONE) << (LAST - shift))


def cell_keys(words, ends, keys):
    """A key (columns, rows) of each cell."""
    columns, rows = keys.shape
    for row in range(rows):
        for place in range(columns):
            k = row * columns + place
            start, end = ends[k] + 1, ends[k + 1]
            key = eight_bytes(words, start)
            if end - start <= SHORT:
                key &= LOW_BYTES[end - start]
            else:
                for at in range(start + SHORT, end, SHORT):
                    more = eight_bytes(words, at) & LOW_BYTES[min(end - at, SHORT)]
                    key = (key ^ more) * SPREAD
                key |= LONG
            keys[place, row] = key


def guess(keys, index, shift, codes):
    """What the index says at each key's first place: nearly always its number.

    A loop without branches, whose reads from memory the processor does not wait for one by one.
    """
    for row in range(len(keys)):
        codes[row] = index[np.int64((keys[row] * SPREAD) >> shift)]


def enter(
    keys, codes, begin, ends, place, columns, text, index, shift, known, counts, starts, cells, size
):
    """From row `begin` on, codes instead of guessed numbers; a new cell gets the next number.

    A code counts from 0, a number from 1. `index` holds numbers at the places of their keys or
    behind, 0 where nobody is; by number, `known` has the keys and `counts` the rows; `cells` the
    text of all, which begin at `starts` and end in a newline. Returns the row at which one of
    these is full; `size` has the numbers given and the bytes of `cells`.
    """
    last = len(index) - 1
    for row in range(begin, len(keys)):
        key, number = keys[row], codes[row]
        if known[number] == key and (key & LONG) != LONG:
            counts[number] += 1
            codes[row] = number - 1
            continue
        start = ends[row * columns + place] + 1
        length = ends[row * columns + place + 1] - start
        at = np.int64((key * SPREAD) >> shift)
        while index[at] != 0:
            if known[index[at]] == key and (
                length <= SHORT or same(text, start, length, cells, starts[index[at]])
            ):
                break
            at = (at + 1) & last
        if index[at] == 0:
            new, used = size[0] + 1, size[1]
            if new == len(known) or used + length >= len(cells):
                return row
            index[at], known[new], counts[new], starts[new] = new, key, 0, used
            for i in range(length):
                cells[used + i] = text[start + i]
            cells[used + length] = NEWLINE
            size[0], size[1] = new, used + length + 1
        counts[index[at]] += 1
        codes[row] = index[at] - 1
    return len(keys)


def same(text, start, length, cells, at):
    """Whether the cell of a text is the one that begins at a place of `cells`."""
    for i in range(length):
        if text[start + i] != cells[at + i]:
            return False
    return cells[at + length] == NEWLINE


def enter_again(known, count, index, shift):
    """Put the first `count` numbers into an empty index."""
    for number in range(1, count + 1):
        at = np.int64((known[number] * SPREAD) >> shift)
        while index[at] != 0:
            at = (at + 1) & (len(index) - 1)
        index[at] = number


def decimals(text, ends, place, columns, numbers):
    """The numbers of a column's cells, NaN for an empty one; the first row of another spelling.

    A whole number and a power of ten that are exact as floats have the float next to their
    quotient for their quotient.
    """
    for row in range(len(numbers)):
        at, end = ends[row * columns + place] + 1, ends[row * columns + place + 1]
        if at == end:
            numbers[row] = np.nan
            continue
        sign = 1.0
        if text[at] == MINUS:
            sign, at = -1.0, at + 1
        whole, point = 0, -1
        for i in range(at, end):
            if ZERO <= text[i] <= NINE:
                whole = whole * 10 + (int(text[i]) - ZERO)
            elif text[i] == POINT and point < 0 and at < i:
                point = i
            else:
                return row
        digits = end - at - int(point >= 0)
        if digits == 0 or digits > DIGITS or point == end - 1:
            return row
        numbers[row] = sign * (whole / TENS[end - 1 - point if point >= 0 else 0])
    return len(numbers)


def turn(columns, rows):
    """The columns of some rows, one after another, as rows."""
    for first in range(0, len(rows), TILE):
        for place in range(len(columns)):
            for row in range(first, min(first + TILE, len(rows))):
                rows[row, place] = columns[place, row]


def fill_column(ids, table, codes):
    """A column of ids from a table of them and the rows' places in it."""
    for row in range(len(ids)):
        ids[row] = table[codes[row]]


LOOPS = (cell_ends, cell_keys, guess, enter, enter_again, decimals, turn, fill_column)


@functools.cache
def _compiled() -> Any:
    for piece in (eight_bytes, same):
        _numba().extending.register_jitable(piece)
    return SimpleNamespace(**{loop.__name__: compiled(loop, nogil=True) for loop in LOOPS})


def loops() -> Optional[Any]:
    """The loops, compiled; None where numba is not installed."""
    return None if _numba() is None else _compiled()


def is_worth_it(size: int, separator: str, columns: int) -> bool:
    """Whether numba is installed, and such a text is one that the loops read faster."""
    fits = len(separator.encode()) == 1 and separator not in '"\r\n\0'
    return fits and 2 <= columns <= MOST_COLUMNS and size >= LEAST and loops() is not None


def is_text(block: bytes) -> bool:
    """Whether a block is text in UTF-8."""
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def loops_at_hand() -> Optional[Any]:
    """The loops where reading has loaded them, for work that alone is too little for that."""
    return _compiled() if _compiled.cache_info().currsize else None


class PlainText:
    """The columns of a plain text that is read block by block.

    Parameters
    ----------
    separator : str
    columns : int, cells of a line
    words, numbers : places of columns, from 0, to be read as distinct cells and as floats
    size : int, bytes of the text as far as known, for which memory is set aside
    label_of : what label a cell of the first column is, below 0 for none; None without labels
    by_row : whether the codes of a row lie side by side, or those of a column

    Attributes
    ----------
    rows : int
    labels : list of float32, the labels of each block
    codes : int32 (N, columns of words)
    """

    def __init__(
        self,
        separator: str,
        columns: int,
        words: Sequence[int],
        numbers: Sequence[int] = (),
        size: int = 0,
        label_of: Optional[Callable[[str], int]] = None,
        by_row: bool = False,
    ):
        self._by_row = by_row
        self._separator, self._columns, self._size = separator, columns, size
        self._words = [(place, _Distinct()) for place in words]
        self._numbers, self._label_of, self._loops = list(numbers), label_of, loops()
        self.rows, self.labels, self._kept = 0, [], {}
        self._codes = np.empty((len(self._words), 0), np.int32)
        self._floats = np.empty((len(self._numbers), 0), np.float64)

    def read(self, block: bytes) -> int:
        """Enter the rows of a block of whole lines in UTF-8; how many, 0 where it is not plain.

        After that there is no more to be read.
        """
        if b'\r' in block:
            block = block.replace(b'\r\n', b'\n')
        if b'"' in block or b'\r' in block or b'\0' in block or len(block) > MOST_BYTES:
            return 0
        end = b'' if block.endswith(b'\n') else b'\n'
        length = len(block) + len(end)
        words = self._memory('words', np.uint64, length // 8 + 2)
        text = words.view(np.uint8)[:length]
        text[: len(block)] = np.frombuffer(block, np.uint8)
        text[len(block) :] = NEWLINE
        ends = self._memory('ends', np.int32, length + 2)
        ends[0] = -1
        with np.errstate(over='ignore'):  # of the hashes, where the loops are not compiled
            count = self._loops.cell_ends(text, ord(self._separator), ends)
            rows = count // self._columns
            lines = text[ends[self._columns : count + 1 : self._columns]] == NEWLINE
            if count % self._columns or not lines.all() or block.count(b'\n') + len(end) != rows:
                return 0
            return self._enter(text, words, ends, rows)

    def _enter(self, text, words, ends, rows):
        self._make_room(rows, len(text))
        new = slice(self.rows, self.rows + rows)
        for place, numbers in zip(self._numbers, self._floats):
            if self._loops.decimals(text, ends, place, self._columns, numbers[new]) < rows:
                return 0
        keys = self._memory('keys', np.uint64, self._columns, rows)
        self._loops.cell_keys(words, ends, keys)
        codes = self._codes[:, new]
        if self._by_row:
            codes = self._memory('codes', np.int32, len(self._words), rows)
        if self._label_of is not None:
            column, found = _Distinct(), np.empty(rows, np.int32)
            column.enter(self._loops, keys[0], found, ends, 0, self._columns, text)
            labels = np.array([self._label_of(cell) for cell in column.cells()], np.float32)
            if (labels < 0).any():
                return 0
            self.labels.append(labels[found])
        for (place, column), mine in zip(self._words, codes):
            column.enter(self._loops, keys[place], mine, ends, place, self._columns, text)
        if self._by_row:
            self._loops.turn(codes, self._codes.T[new])
        self.rows += rows
        return rows

    def _memory(self, name, dtype, *shape):
        """An array for a block, in the memory of the last one's: what is new costs a page fault."""
        size = math.prod(shape)
        if name not in self._kept or len(self._kept[name]) < size:
            self._kept[name] = np.empty(size + size // 8, dtype)
        return self._kept[name][:size].reshape(shape)

    def _make_room(self, rows, bytes_read):
        """For the rows of a block, and for those of the rest of the text if they are alike."""
        room = max(self._codes.shape[1], self._floats.shape[1])
        if self.rows + rows <= room:
            return
        left = self._size / bytes_read * rows * 1.02 if self.rows == 0 else self.rows / 2
        room = self.rows + rows + int(left)
        for name, order in (('_codes', 'F' if self._by_row else 'C'), ('_floats', 'C')):
            old = getattr(self, name)
            new = np.empty((len(old), room), old.dtype, order)
            new[:, : self.rows] = old[:, : self.rows]
            setattr(self, name, new)

    @property
    def codes(self) -> np.ndarray:
        """The numbers of the cells of all columns of words, from 0."""
        return self._codes[:, : self.rows].T

    def words(self, names: Sequence[str]) -> list[Column]:
        """The columns of words."""
        return [
            Column(name, column.cells(), codes, column.counts)
            for name, (_, column), codes in zip(names, self._words, self.codes.T)
        ]

    def numbers(self) -> list[np.ndarray]:
        """The floats (N,) of each column of numbers."""
        return [numbers[: self.rows] for numbers in self._floats]


class _Distinct:
    """The distinct cells of a column, numbered from 1 on."""

    def __init__(self):
        self._index = np.zeros(256, np.int32)
        self._known = np.full(64, NOBODY)
        self._counts, self._starts = np.zeros(64, np.int64), np.zeros(64, np.int64)
        self._cells, self._size = np.empty(1_024, np.uint8), np.zeros(2, np.int64)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._size[0])

    @property
    def counts(self) -> np.ndarray:
        """How many rows have each."""
        return self._counts[1 : self.count + 1]

    def enter(self, loops, keys, codes, ends, place, columns, text):
        """The codes of a block's cells."""
        row = 0
        while True:
            shift = np.uint64(65 - len(self._index).bit_length())
            loops.guess(keys[row:], self._index, shift, codes[row:])
            row = loops.enter(
                keys, codes, row, ends, place, columns, text, self._index, shift, self._known,
                self._counts, self._starts, self._cells, self._size,
            )  # fmt: skip
            if row == len(keys):
                return
            length = int(ends[row * columns + place + 1] - ends[row * columns + place])
            if self._size[1] + length > len(self._cells):
                self._cells = _longer(self._cells, len(self._cells) + length)
            if self.count + 1 == len(self._known):
                self._known = _longer(self._known, len(self._known))
                self._counts = _longer(self._counts, len(self._counts))
                self._starts = _longer(self._starts, len(self._starts))
                self._index = np.zeros(2 * len(self._index), np.int32)
                loops.enter_again(self._known, self.count, self._index, shift - ONE)

    def cells(self) -> list[str]:
        """The cells."""
        return self._cells[: max(self._size[1] - 1, 0)].tobytes().decode().split('\n')


def _longer(array, more):
    return np.concatenate([array, np.empty(more, array.dtype)])
