"""From a file or a frame to `Rows`: a label and columns, found by their names.

A file is read in blocks. A block without quotes, faults or odd labels goes through pyarrow, or in
a large file through compiled loops; any other is read line by line, which knows the number of each
line and what it held.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from ..arguments import shown
from . import plain
from .lines import MARK, whole_lines
from .values import (
    MISSING,
    Column,
    is_missing,
    is_number,
    numbers_of,
    read_column,
    text_of,
    to_float,
)
from .vocabulary import Vocabulary, default_names, place_of

BLOCK = 8_000_000  # bytes of a file in memory as text at one time
PART = 4_000_000  # bytes that pyarrow parses at a time
FIRST_LINES = 5_000  # the most common number of columns among these is taken for all
MAX_COLUMNS = 100_000
MAX_LINES = 1_000  # that a quoted cell may go on for
LABEL_NAMES = ('label', 'click', 'clicked', 'clicks', 'target', 'is_click')
KINDS_OF_FILE = {
    b'\x1f\x8b': 'is compressed by gzip: unpack it, or give it to d2l.read',
    b'PK\x03\x04': 'is a zip archive or a workbook: unpack it, or read it by pandas',
    b'PAR1': 'is a parquet file: give pandas.read_parquet of it, or give it to d2l.read',
    b'\xff\xfe': "is text in UTF-16: save it in UTF-8, or say d2l.read(path, encoding='utf-16')",
    b'\xfe\xff': "is text in UTF-16: save it in UTF-8, or say d2l.read(path, encoding='utf-16')",
}


class Dropped(NamedTuple):
    """Rows left out for one reason: how many, the first one (from 1), what it held."""

    count: int
    first: str
    found: str


@dataclass
class Rows:
    """What was read: the rows that can be used, column by column.

    Attributes
    ----------
    source : str, what the rows are called in messages
    fields : list of Column
    labels : float32 (N,), or None where there are none
    dense : float32 (N, D), or None
    dense_names : list of D str
    label : name of the column of labels, or None where it has none
    dropped : dict {reason: Dropped}
    bad_labels : Counter of the labels that are not 0 or 1
    hints : list of sentences to warn by
    by_place : whether the columns are known by their place only, as those of a file
    codes : int32 (N, F), the fields' own codes, or None where they are arrays of their own
    """

    source: str
    fields: list
    labels: Optional[np.ndarray]
    dense: Optional[np.ndarray] = None
    dense_names: list = field(default_factory=list)
    label: Optional[str] = None
    dropped: dict = field(default_factory=dict)
    bad_labels: Counter = field(default_factory=Counter)
    hints: list = field(default_factory=list)
    by_place: bool = False
    codes: Optional[np.ndarray] = None

    @property
    def num_dropped(self) -> int:
        return sum(d.count for d in self.dropped.values())


def dropped_sentence(source: str, dropped: Mapping[str, Dropped], rows: int) -> str:
    """What was left out of a source, in words, beside `rows` rows that are in."""
    reasons = ', '.join(
        f'{d.count:,} for its {reason} (first: {d.first}, {d.found})'
        for reason, d in dropped.items()
    )
    total = sum(d.count for d in dropped.values())
    return f'{source}: {total:,} of {total + rows:,} rows dropped: {reasons}.'


# --------------------------------------------------------------------------------------- files


def read_file(
    path: Union[str, os.PathLike],
    width: Optional[int] = None,
    *,
    separator: str = '\t',
    header: bool = False,
    labelled: Optional[bool] = True,
    names: Optional[Sequence[str]] = None,
) -> Rows:
    """Read lines of a label and `width` columns, which are called 'field 1' and so on.

    Parameters
    ----------
    width : int, optional
        Without it, the number most common among the first lines.
    header : bool
        Pass over the first line.
    labelled : bool or None
        Whether the label stands first; None for whichever makes the first lines fit `width`.
    names : list of str, optional
        What the columns are called instead.

    Raises
    ------
    ValueError
        For a file that is no text in UTF-8, has no line that can be used, or few.
    """
    reader = _Lines(path, width, separator, header, labelled)
    with open(path, 'rb') as file:
        if file.peek(4).startswith(tuple(KINDS_OF_FILE)):
            raise not_text(path)
        for block, is_last in whole_lines(file, BLOCK):
            reader.read(block, is_last)
    if reader.rows == 0:
        what = '; '.join(
            f'{d.first} was dropped for its {reason}: {d.found}'
            for reason, d in reader.dropped.items()
        )
        kind = 'tabs' if separator == '\t' else 'commas'
        label = 'a label, 0 or 1, and ' if labelled is not False else ''
        raise ValueError(
            f'{path} has no line that can be used ({what or "it is empty"}): give lines of '
            f'{label}{reader.width or "some"} fields, separated by {kind}'
            f'{"" if labelled is False else "; rows without labels go to encoder.encode"}.'
        )
    names = default_names(reader.width) if names is None else names
    columns, codes = reader.columns(names)
    labels = np.concatenate(reader.labels) if reader.labelled else None
    name = os.path.basename(os.fspath(path))
    table = Rows(name if isinstance(name, str) else name.decode(), columns, labels)
    table.dropped, table.bad_labels, table.by_place = reader.dropped, reader.bad_labels, True
    table.codes = codes
    check_dropped(table, reader.rows)
    return table


class _Lines:
    """What has been read of a file: parts of each column, labels, faults."""

    def __init__(self, path, width, separator, header, labelled):
        self.path, self.width, self.separator = path, width, separator
        self.skip, self.labelled = int(header), labelled
        self.quoted = re.compile(rf'"((?:[^"]|"")*)("?)([^{separator}]*)|[^{separator}]*')
        self.dropped, self.bad_labels = {}, Counter()
        self.parts, self.labels, self.plain = None, [], None
        self.size = self.left = os.path.getsize(path)  # in bytes; those left to read
        self.lines = self.rows = 0
        self.rest = b''  # lines of a quoted cell that goes on in the next block

    def read(self, block, is_last):
        self.left -= len(block)
        block, self.rest = self.rest + block, b''
        if self.skip:
            end = re.search(rb'\r\n|\n|\r|\Z', block).end()
            block, self.skip, self.lines = block[end:], 0, 1
            if not block:
                return
        if self.parts is None:
            self._begin(block)
        if not block.isascii():
            self._text(block)  # refused here: of broken UTF-8 pyarrow only prints a complaint
        closer = b'"' in block or block.startswith(MARK)
        if not closer and self._read_plain(block):
            return
        self._end_plain()
        if closer or not self._read_clean(block):
            self._read_lines(block, is_last)

    def _begin(self, block):
        """Find out how many columns there are."""
        lines = self._text(block).split('\n', FIRST_LINES)[:FIRST_LINES]
        if len(lines) > 1 and lines[-1] == '':
            lines.pop()
        counts, at = Counter(), 0
        while at < len(lines):
            cells, used = lines[at].count(self.separator) + 1, 1
            if '"' in lines[at]:
                found, used = self._quoted(lines, at, None, True)
                cells = len(found)
            counts[cells] += 1
            at += used
        most = counts.most_common(1)[0][0] if counts else 1
        if self.width is None:
            self.width = most - (1 if self.labelled is not False else 0)
            if most == 1 and (self.labelled is not False or ',' in lines[0]):
                kind = 'tabs' if self.separator == '\t' else 'commas'
                raise ValueError(
                    f'{self.path}, line 1: there are no {kind}: give lines of a label and at '
                    f'least one field, separated by {kind}, or the frame that pandas.read_csv '
                    'makes of the file; or d2l.read, which takes any separator.'
                )
        if self.labelled is None:
            self.labelled = most != self.width
        if self.width > MAX_COLUMNS:
            raise ValueError(
                f'{self.path}, line 1: there are {most:,} columns, more than {MAX_COLUMNS:,}: '
                'give one line a row.'
            )
        self.parts = [[] for _ in range(self.width)]

    def _text(self, block):
        try:
            text = block.decode('utf-8')
        except UnicodeDecodeError:
            raise not_text(self.path) from None
        return text.replace('\r\n', '\n').replace('\r', '\n')

    def columns(self, names):
        """All columns, of these names; where one matrix holds their codes, that too."""
        if self.plain is not None and not any(self.parts):
            return self._take_plain(names)
        self._end_plain()
        return [_unified(name, parts) for name, parts in zip(names, self.parts)], None

    def _read_plain(self, block):
        """Read a block of a large file by compiled loops; False where it is not plain."""
        columns = self.width + self.labelled
        if self.plain is None:
            if not plain.is_worth_it(self.size, self.separator, columns):
                return False
            self.plain = plain.PlainText(
                self.separator, columns, range(self.labelled, columns),
                size=self.left + len(block), label_of=label_of if self.labelled else None,
                by_row=True,
            )  # fmt: skip
        rows = self.plain.read(block)
        self.rows += rows
        self.lines += rows
        return rows > 0

    def _take_plain(self, names):
        """The columns of what the loops have read; its labels are among the labels from here."""
        done, self.plain = self.plain, None
        self.labels += done.labels
        return done.words(names), done.codes

    def _end_plain(self):
        """Add what the loops have read to the parts: a block that is not plain follows."""
        if self.plain is None:
            return
        columns, _ = self._take_plain(range(self.width))
        for parts, column in zip(self.parts, columns):
            if len(column.codes):
                cells = pa.array(column.cells, pa.string())
                parts.append(pa.DictionaryArray.from_arrays(pa.array(column.codes.copy()), cells))

    def _read_clean(self, block):
        """Read a block by pyarrow; False, and nothing read, where a line is not as expected."""
        names = [str(i) for i in range(self.width + self.labelled)]
        longest, faults = _longest(block), []

        def refuse(row):
            faults.append(row)
            return 'skip'

        try:
            table = csv.read_csv(
                pa.BufferReader(block),
                csv.ReadOptions(column_names=names, block_size=min(len(block), longest + PART)),
                csv.ParseOptions(
                    delimiter=self.separator,
                    quote_char=False,
                    double_quote=False,
                    ignore_empty_lines=False,
                    invalid_row_handler=refuse,
                ),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string()))
                ),
            )
        except pa.ArrowInvalid:
            return False
        if faults:
            return False
        columns = table.columns
        if self.labelled:
            label = _unified('label', columns.pop(0).chunks)
            found = np.array([label_of(c) for c in label.cells], np.float32)
            if (found < 0).any():
                return False
            self.labels.append(found[label.codes])
        for parts, column in zip(self.parts, columns):
            parts.extend(column.chunks)
        self.rows += len(table)
        self.lines += len(table)
        return True

    def _read_lines(self, block, is_last):
        """Read a block line by line."""
        lines = self._text(block).split('\n')
        if lines[-1] == '':
            lines.pop()
        labels, rows, at = [], [], 0
        columns = self.width + self.labelled
        while at < len(lines):
            line, used = lines[at], 1
            if '"' in line:
                cells, used = self._quoted(lines, at, columns, is_last)
                if used == 0:  # goes on in the next block
                    self.rest = '\n'.join([*lines[at:], '']).encode()
                    break
            else:
                cells = line.split(self.separator)
            at += used
            self.lines += used
            where = f'line {self.lines - used + 1}'
            if len(cells) != columns:
                found = f'{len(cells)} where {columns} are expected'
                drop(self.dropped, 'number of columns', where, found)
                continue
            if self.labelled:
                label = label_of(cells[0])
                if label < 0:
                    self.bad_labels[cells[0][:40]] += 1
                    drop(self.dropped, 'label', where, f'{cells[0][:40]!r}, not 0 or 1')
                    continue
                labels.append(label)
                del cells[0]
            rows.append(cells)
        if rows:
            self.labels.append(np.array(labels, np.float32))
            for parts, cells in zip(self.parts, zip(*rows)):
                parts.append(pa.array(cells, pa.string()).dictionary_encode())
        self.rows += len(rows)

    def _quoted(self, lines, at, columns, is_last):
        """The cells of a line with quotes, and how many lines it goes on for; 0 for not known.

        A quote that opens a cell and is closed in none of the next lines at the end of a cell, so
        that the row has its number of columns, is a character like any other.
        """
        cells, is_open, _ = self._cells(lines[at])
        if not is_open:
            return cells, 1
        text = lines[at]
        for used in range(2, MAX_LINES + 1):
            if at + used > len(lines):
                if not is_last and used < MAX_LINES:
                    return [], 0
                break
            text += '\n' + lines[at + used - 1]
            if '"' in lines[at + used - 1]:
                cells, is_open, torn = self._cells(text)
                if not is_open:
                    if not torn and columns in (None, len(cells)):
                        return cells, used
                    break
        return lines[at].split(self.separator), 1

    def _cells(self, line):
        """The cells of a line, unquoted as pandas does it, and whether a quote stays open.

        Last, whether a cell of several lines goes on behind its closing quote.
        """
        cells, at, is_open, torn = [], 0, False, False
        while True:
            found = self.quoted.match(line, at)
            if found[1] is None:
                cells.append(found[0])
            else:
                cells.append(found[1].replace('""', '"') + found[3])
                is_open = not found[2]
                torn = torn or bool(found[3] and '\n' in found[1])
            at = found.end() + 1
            if at > len(line):
                return cells, is_open, torn


def _longest(block):
    """The length of the longest line."""
    if b'\r' in block:
        return max(map(len, block.splitlines()))
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord('\n'))
    return int(np.diff(ends, prepend=-1, append=len(block)).max())


def _unified(name, parts):
    """One column of parts that each have distinct cells of their own."""
    chunks = pa.chunked_array(parts).unify_dictionaries().chunks
    cells = chunks[-1].dictionary.to_numpy(zero_copy_only=False).tolist()
    codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in chunks]
    return Column(name, cells, np.concatenate(codes))


def not_text(path) -> ValueError:
    """The refusal of a file that is no text in UTF-8, which says what it is instead."""
    with open(path, 'rb') as file:
        start = file.read(4)
    for magic, what in KINDS_OF_FILE.items():
        if start.startswith(magic):
            return ValueError(f'{path} {what}.')
    return ValueError(
        f'{path} is not text in UTF-8: save it in UTF-8, or name its encoding, '
        "d2l.read(path, encoding='cp949') say."
    )


# -------------------------------------------------------------------------------------- frames


def read_frame(
    frame: pd.DataFrame,
    vocabulary: Optional[Vocabulary] = None,
    label: Union[str, bool, None] = None,
    dense: Sequence[str] = (),
    width: Optional[int] = None,
    must_have_label: bool = True,
) -> Rows:
    """Read the label, the fields and the dense columns of a frame, each by its name.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Its fields are looked for; without it, every column that is not the label or dense is one.
    label : str, optional
        By default the column it was in training, or the first one. False for none.
    width : int, optional
        The number of fields that is expected.
    must_have_label : bool
        Refuse a frame without the label.
    """
    names = names_of(frame)
    dense = _listed(dense)
    label = str(label) if label is not None and label is not False else label
    chosen = _choose(names, vocabulary, label, dense, must_have_label)
    if len(frame) == 0 or not chosen.fields or width not in (None, len(chosen.fields)):
        raise ValueError(
            f'The frame has {len(frame)} rows and {frame.shape[1]} columns: give at least one '
            f'row, with the label and {width or "at least one"} fields as columns.'
        )
    table = Rows('frame', [], None, label=chosen.label)
    kept = slice(None)
    if chosen.label is not None:
        column = read_column(chosen.label, _column(frame, names, chosen.label))
        words = ['' if is_missing(c) else text_of(c) for c in column.cells]
        found = np.array([label_of(c) for c in column.cells], np.float32)[column.codes]
        for row in np.flatnonzero(found < 0):
            word = words[column.codes[row]][:40]
            table.bad_labels[word] += 1
            drop(table.dropped, 'label', f'row {row + 1}', f'{word!r}, not 0 or 1')
        if table.dropped:
            kept = found >= 0
            if not kept.any():
                raise ValueError(
                    f'The frame has no row that can be used (row 1 has the label '
                    f'{words[column.codes[0]][:40]!r} in the column {chosen.label!r}): give a '
                    'label of 0 or 1, and name its column by label=.'
                )
        table.labels = found[kept]
        check_dropped(table, len(table.labels))
        if vocabulary is None and label is None:
            table.hints = _label_hint(chosen.label, names)
    for name, source in zip(chosen.field_names, chosen.fields):
        table.fields.append(read_column(name, _column(frame, names, source)[kept]))
    if dense:
        rows = np.arange(len(frame))[kept]
        columns = [_dense(frame, names, source, rows) for source in chosen.dense]
        table.dense, table.dense_names = np.stack(columns, axis=1), dense
    return table


class _Chosen(NamedTuple):
    label: Optional[str]
    field_names: list  # what the fields are called
    fields: list  # in which columns they are
    dense: list


def _choose(names, vocabulary, label, dense, must_have_label):
    """Which columns of a frame are the label, the fields, the dense ones."""
    if isinstance(label, str) and label not in names:
        raise ValueError(
            f'the frame has no column {shown(label)} for the label: it has {", ".join(names)}.'
        )
    if vocabulary is None:
        label = names[0] if label is None and names else label
        _check_there(dense, names, 'dense')
        if label in dense:
            raise ValueError(f'the column {shown(label)} is the label and dense: choose one.')
        fields = [n for n in names if n != label and n not in dense]
        return _Chosen(label or None, fields, fields, dense)
    wanted = [*vocabulary.columns, *dense]
    if any(n not in names for n in wanted) and all(place_of(n) is not None for n in wanted):
        return _by_place(names, vocabulary, wanted, label, dense, must_have_label)
    _check_there(vocabulary.columns, names, 'field')
    _check_there(dense, names, 'dense')
    if label is None:
        if vocabulary.label in names:
            label = vocabulary.label
        elif not must_have_label:
            pass
        elif vocabulary.label is not None:
            raise ValueError(
                f'the frame has no column {vocabulary.label!r}, which held the labels of the '
                'training data: name it by label=, or encode without labels by '
                'train.encoder.encode(frame).'
            )
        elif names[0] in wanted:
            raise ValueError(
                f'the first column, {names[0]!r}, is not the label but one of the fields: name '
                'the column of the labels by label=, or encode without labels by '
                'train.encoder.encode(frame).'
            )
        else:
            label = names[0]
    return _Chosen(label or None, vocabulary.columns, vocabulary.columns, dense)


def _by_place(names, vocabulary, wanted, label, dense, must_have_label):
    """Columns by their place, for a vocabulary of a file, whose columns have no names."""
    rest = [n for n in names if n != label]
    if label is None and len(names) == len(wanted) + 1:
        label, rest = names[0], names[1:]
    elif label is None and must_have_label or len(rest) != len(wanted):
        raise ValueError(
            f'The frame has {len(names)} columns and none called {wanted[0]!r}: give the label '
            f'first and then the {len(wanted)} columns of the training file, in their order, or '
            'name them so.'
        )
    places = sorted(wanted, key=place_of)
    by_name = dict(zip(places, rest))
    return _Chosen(
        label or None,
        vocabulary.columns,
        [by_name[n] for n in vocabulary.columns],
        [by_name[n] for n in dense],
    )


def _check_there(wanted, names, what):
    missing = [n for n in wanted if n not in names]
    if missing:
        raise ValueError(
            f'the frame has no column {missing[0]!r}, which is '
            f'{"a field of the training data" if what == "field" else "asked for as dense"}: it '
            f'has {", ".join(names)}; give it, or rename the one that it is.'
        )


def names_of(frame: pd.DataFrame) -> list[str]:
    """The names of a frame's columns as text; refuse those that are no single names."""
    names = []
    for i, name in enumerate(frame.columns, 1):
        if isinstance(name, tuple) or name is None or name != name:
            raise ValueError(
                f'column {i} of the frame is called {name!r}: give each column a name of its '
                'own, as text.'
            )
        names.append(str(name))
        try:
            names[-1].encode()
        except UnicodeEncodeError:
            raise ValueError(
                f'column {i} of the frame has half a character in its name, {name!a}: give text.'
            ) from None
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f'two columns of the frame are called {name!r}: rename one.')
    return names


def _listed(names):
    if isinstance(names, str) or not isinstance(names, (list, tuple, pd.Index, np.ndarray)):
        raise ValueError(f'dense is {shown(names)}: give a list of names of columns.')
    names = [str(n) for n in names]
    if len(set(names)) < len(names):
        raise ValueError(f'dense is {names}: name each column once.')
    return names


def _column(frame, names, name):
    return frame.iloc[:, names.index(name)]


def _dense(frame, names, name, rows):
    """A column as float32 at the chosen rows; refuse what is no finite number."""
    values = _column(frame, names, name)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in 'biuf':
        numbers = values.to_numpy()[rows].astype(np.float64)
    else:
        column = read_column(name, values)
        cells = [to_float(n) for n in numbers_of(column.cells)]
        numbers = np.array(cells, np.float64)[column.codes][rows]
    return finite(numbers, name, lambda i: (f'row {rows[i] + 1}', values.iloc[rows[i]]))


def finite(numbers: np.ndarray, name: str, cell_of: Any) -> np.ndarray:
    """Numbers as float32; refuse what is not finite, with place and cell from `cell_of(i)`."""
    with np.errstate(over='ignore'):
        dense = numbers.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(dense))
    if len(bad):
        where, cell = cell_of(bad[0])
        if is_missing(cell):
            cell = 'missing'
        else:
            cell = float(cell) if is_number(cell) else repr(text_of(cell)[:40])
        raise ValueError(
            f'{name!r} of {where} is {cell}: dense features are finite numbers; fill in what is '
            'missing, with the mean of the training part say, or leave the row out.'
        )
    return dense


def _label_hint(taken, names):
    """What to say where the first column is taken for the label and another is called one."""
    others = [n for n in names if n.lower() in LABEL_NAMES and n != taken]
    if not others or taken.lower() in LABEL_NAMES:
        return []
    return [
        f'the first column, {taken!r}, is taken for the label, and {others[0]!r} for a field: '
        f'say label={others[0]!r} if that is the label.'
    ]


# -------------------------------------------------------------------------------------- labels


def label_of(cell: Any) -> int:
    """0 or 1 for a cell that is this number, or false or true; -1 for any other."""
    found = _LABELS.get(cell) if isinstance(cell, str) else None
    if found is None:
        found = {'0': 0, '1': 1}.get(numbers_of([cell])[0], -1)
    return found


_LABELS = {'0': 0, '1': 1}


def check_dropped(table: Rows, rows: int) -> None:
    """Refuse where most rows, or one of the two classes, went with those that were dropped."""
    total = table.num_dropped
    bad = table.dropped.get('label', Dropped(0, '', ''))
    one_class = table.labels is not None and table.labels.min() == table.labels.max()
    numbers = numbers_of(list(table.bad_labels))
    others = bad.count - sum(n for word, n in table.bad_labels.items() if word in MISSING)
    lost = one_class and (any(numbers) or others > max(1, 0.01 * rows))
    if total <= rows and not lost:
        return
    if bad.count <= total / 2 and not lost:
        reason, first = next((r, d) for r, d in table.dropped.items() if r != 'label')
        raise ValueError(
            f'{table.source}: {total:,} of {total + rows:,} rows would be dropped, for their '
            f'{reason} (first: {first.first}, {first.found}): give rows of one shape.'
        )
    seen = Counter(table.bad_labels)
    if rows:
        ones = int(table.labels.sum())
        seen.update({'1': ones, '0': rows - ones})
    seen = +seen
    shown = ', '.join(f'{word!r} ({count:,})' for word, count in seen.most_common(6))
    shown += ' and others' if len(seen) > 6 else ''
    known = [n for n in numbers_of([w for w in seen if w != '']) if n is not None]
    if set(known) <= {'-1', '1', '0'} and '-1' in known:
        cure = 'make them 0 and 1, by (label + 1) / 2'
    elif len(known) > 2:
        cure = 'make clicks of them, by rating >= 4 say, or name the true label by label='
    else:
        cure = 'make them 0 and 1, or name the true label by label='
    where = f' of the column {table.label!r}' if table.label else ''
    raise ValueError(
        f'{table.source}: the labels{where} are {shown}, and a label is 0 or 1, so that '
        f'{bad.count:,} of {total + rows:,} rows would be dropped: {cure}.'
    )


def drop(dropped: dict, reason: str, first: str, found: str) -> None:
    """Count a row that is left out; the first one of its reason is described."""
    before = dropped.get(reason)
    dropped[reason] = (
        before._replace(count=before.count + 1) if before else Dropped(1, first, found)
    )
