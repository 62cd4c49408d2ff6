"""Raw rows as a request brings them, encoded: a table of one row costs as much as one of many."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd

from ..checks import check_finite
from ..data.ctr import Encoded, Rows
from ..data.encoder import NEVER, Encoder
from ..data.features import STEPS
from ..data.plan import log_square
from ..data.table import Table
from ..data.values import CONTAINERS, MISSING, is_missing, numbers_of, to_float

__all__ = ['encode_rows']

FEW = 64  # rows that are looked at cell by cell
PLAIN = ('object', 'str', 'string', 'int64', 'float64', 'bool')  # whose cells Python's types hold


def encode_rows(encoder: Encoder, source: Any) -> Encoded:
    """What `encoder.encode(source, label=False)` gives, also for rows that are dicts.

    A few rows are looked up value by value, without making a table of them. Of what is unknown
    nothing is said here.

    Raises ValueError for a row without one of the fields, and as `Encoder.encode`.

    Examples
    --------
    >>> from d2lrec import CTRDataset
    >>> frame = pd.DataFrame({'click': [1, 0], 'town': ['Oslo', 'Rome'], 'age': [30, 40]})
    >>> encoder = CTRDataset(frame, min_threshold=1, dense=['age']).encoder
    >>> encode_rows(encoder, {'age': 50, 'town': 'Rome'}).columns['dense'].tolist()
    [[50.0]]
    """
    rows = None
    if type(source) is dict and encoder.plan is None and _plain(encoder):
        found = _of_words(encoder, source)
        if found is not None:
            return found
    if isinstance(source, Mapping):
        rows = [source]
    elif isinstance(source, (list, tuple)):
        rows = list(source)
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise ValueError(f'row {i} is a {type(row).__name__}: give {{field: value}}.')
    if rows is not None:
        if not rows:
            raise ValueError('there is no row: give at least one.')
        numbers = encoder.dense if encoder.plan is None else encoder.plan.schema.numbers
        names = list(dict.fromkeys([*encoder.vocabulary.columns, *numbers]))
        for i, row in enumerate(rows):
            for name in names:
                if name not in row:
                    raise ValueError(
                        f'row {i} has no {name!r}: give every field, {", ".join(names)}; None '
                        'where the value is missing.'
                    )
        cells = {name: [row[name] for row in rows] for name in names}
        source = _frame_later(cells)
    elif isinstance(source, pd.DataFrame) and len(source) <= FEW:
        cells = _cells(source)
    else:
        cells = None
    if rows is None and not isinstance(source, (str, bytes, os.PathLike, pd.DataFrame, Table)):
        raise ValueError(
            f'the source is a {type(source).__name__}: give a row {{field: value}}, a list of such '
            'rows, a frame, or the path of a file.'
        )
    if cells is not None and _plain(encoder):
        found = (_looked_up if encoder.plan is None else _by_plan)(encoder, cells)
        if found is not None:
            for step in encoder.steps:
                found = step.apply(found)
            return found
    source = source() if callable(source) else source
    return encoder.encode(source, label=False, too_many=NEVER)


def _plain(encoder):
    """Whether all that encodes is the library's own, and reads cells as they are."""
    return encoder.format == 'table' and all(type(s) in STEPS.values() for s in encoder.steps)


def _of_words(encoder, row):
    """A row, most of whose values are words that a field of text holds; None where one is lacking.

    Word by word: even an array of one id a field would take longer than to look the word up.
    """
    try:
        tables = encoder._tables
    except AttributeError:
        tables = encoder._tables = [
            (f.column, getattr(f, '_ids', None) if f.kind == 'text' else None, f, offset)
            for f, offset in zip(encoder.vocabulary.fields, encoder.vocabulary.offsets.tolist())
        ]
    ids = []
    for name, table, field, offset in tables:
        if name not in row:
            return None
        cell = row[name]
        if type(cell) is str and table is not None:
            within = table.get('' if cell in MISSING else cell, -1)
        elif isinstance(cell, CONTAINERS):
            return None
        else:
            within = field.find([cell]).tolist()[0]
        if within < 0:
            within = field.unknown
            if within is None:
                return None
        ids.append(offset + within)
    columns = {'ids': np.array([ids], np.int32)}
    if encoder.dense:
        numbers = [row.get(name) for name in encoder.dense]
        if not all(type(n) in (int, float) for n in numbers):
            return None
        columns['dense'] = np.array([numbers], np.float64).astype(np.float32)
        check_finite(columns['dense'], 'dense', encoder.dense)
    found = Rows(columns, encoder)
    for step in encoder.steps:
        found = step.apply(found)
    return found


def _frame_later(cells):
    return lambda: pd.DataFrame({n: _inferred(c) for n, c in cells.items()})


def _inferred(cells):
    """Cells as a column of the type they have."""
    column = pd.Series(cells, dtype=object)
    try:
        return column.infer_objects()
    except UnicodeEncodeError:  # half a character, which is refused when it is read
        return column


def _cells(frame) -> Optional[dict]:
    """The cells of a frame as lists by name; None where Python's types would change them."""
    if not len(frame) or any(str(t) not in PLAIN for t in frame.dtypes):
        return None
    if not frame.columns.is_unique or not all(isinstance(n, str) for n in frame.columns):
        return None
    table = frame.to_numpy(dtype=object)  # of Python's own numbers
    return {name: table[:, i].tolist() for i, name in enumerate(frame.columns)}


def _looked_up(encoder, cells):
    """Ids and numbers of cells; None where they are of a kind that only a table is read with."""
    fields, dense = encoder.vocabulary.fields, encoder.dense
    if not all(f.column in cells for f in fields) or not all(n in cells for n in dense):
        return None
    rows = len(cells[fields[0].column])
    ids = np.empty((rows, len(fields)), np.int32)
    for f, (one, offset) in enumerate(zip(fields, encoder.vocabulary.offsets.tolist())):
        column = cells[one.column]
        if any(isinstance(c, CONTAINERS) for c in column):
            return None
        for i, within in enumerate(one.find(column).tolist()):
            if within < 0:
                within = one.unknown
                if within is None:
                    return None
            ids[i, f] = offset + within
    columns = {'ids': ids}
    if dense:
        matrix = [cells[n] for n in dense]
        if not all(type(c) in (int, float) for column in matrix for c in column):
            return None
        columns['dense'] = np.array(matrix, np.float64).T.astype(np.float32)
        check_finite(columns['dense'], 'dense', dense)
    return Rows(columns, encoder)


# --- by a plan -----------------------------------------------------------------------------------

SIMPLE = (str, int, float, bool, type(None))


def _by_plan(encoder, cells):
    """What `Plan.encode` gives of a table of these cells; None where only a table tells."""
    try:
        columns = encoder._columns
    except AttributeError:
        columns = encoder._columns = _columns_of(encoder)
    rows = len(next(iter(cells.values())))
    ids = np.zeros((rows, sum(c.size for c in columns if not c.dense)), np.int32)
    bags = sum(c.size for c in columns if c.bag)
    weights = np.zeros((rows, bags), np.float32)
    unknown, ranks, gaps = [], [], []
    at, slot = 0, 0
    for column in columns:
        if column.name not in cells:
            return None
        found = column.read(cells[column.name])
        if found is None:
            return None
        if column.dense:
            ranks.append(found[0])
            gaps += found[1:]
            continue
        there, lost = found[:2]
        unknown.append(lost)
        for i, some in enumerate(there):
            ids[i, at : at + len(some)] = some
        if column.bag:
            for i, some in enumerate(found[2]):
                weights[i, slot : slot + len(some)] = some
            slot += column.size
        at += column.size
    made = {'ids': ids}
    if ranks:
        made['dense'] = np.array([*ranks, *gaps], np.float32).T
    if bags:
        made['weights'] = weights
    return Rows(made, encoder, unknown)


def _columns_of(encoder):
    """The columns of a plan's encoder, each with what its cells are looked up in."""
    plan, vocabulary = encoder.plan, encoder.vocabulary
    fields = dict(zip(vocabulary.names, zip(vocabulary.fields, vocabulary.offsets.tolist())))
    columns = [_Words(n, *fields[f]) for n in plan.schema.categories for f in plan.fields_of(n)]
    for name in plan.schema.numbers:
        if plan.numbers == 'logsquare':
            columns.append(_Squares(name, *fields[name]))
            continue
        cuts = plan.cuts[name].tolist()
        if plan.numbers == 'dense':
            columns.append(_Ranks(name, cuts, name in plan.missing))
        else:
            field, offset = fields[name]
            within = field.find(plan.bins(name)).tolist()
            columns.append(_Bins(name, cuts, [offset + w for w in within]))
    for name, sep in plan.schema.multi.items():
        columns.append(_Bag(name, *fields[name], sep, plan.slots[name], plan.pool == 'mean'))
    return columns


class _Words:
    """A field of one value a row."""

    size, dense, bag = 1, False, False

    def __init__(self, name, field, offset):
        self.name, self.field, self.offset = name, field, offset

    def read(self, cells):
        """The ids of each row, and the share of the rows whose value is unknown."""
        if not {type(c) for c in cells} <= set(SIMPLE):
            return None
        found = self.ids(cells)
        return None if found is None else ([[i] for i in found[0]], found[1])

    def ids(self, cells):
        """The id of each cell, and the share of unknown ones."""
        within = self.field.find(cells).tolist()
        lost = sum(w < 0 for w in within)
        if lost and self.field.unknown is None:
            return None
        ids = [self.offset + (self.field.unknown if w < 0 else w) for w in within]
        return ids, lost / max(len(ids), 1)


class _Numbers:
    """A column of numbers."""

    size, dense, bag = 1, False, False

    def floats(self, cells):
        """Each cell's number, NaN where it is missing; None where one is neither."""
        found = []
        for cell in cells:
            if type(cell) is float:
                number = cell
            elif cell is None:
                number = math.nan
            elif type(cell) is str:
                number = to_float(numbers_of([cell])[0])
                if number != number and not is_missing(cell):
                    return None
            elif type(cell) in (int, bool) and abs(cell) < 2**63:
                number = float(cell)
            else:
                return None
            if number in (math.inf, -math.inf):
                return None
            found.append(number)
        return found


class _Bins(_Numbers):
    """Intervals, the last id that of a missing number."""

    def __init__(self, name, cuts, ids):
        self.name, self.cuts, self.known = name, cuts, ids

    def read(self, cells):
        floats = self.floats(cells)
        if floats is None:
            return None
        at = [len(self.cuts) + 1 if v != v else bisect_right(self.cuts, v) for v in floats]
        return [[self.known[i]] for i in at], 0.0


class _Squares(_Numbers):
    """The rule for counts."""

    def __init__(self, name, field, offset):
        self.name, self.words = name, _Words(name, field, offset)

    def read(self, cells):
        floats = self.floats(cells)
        return None if floats is None else self.words.read([log_square(v) for v in floats])


class _Ranks(_Numbers):
    """A dense input, and whether it is missing where one says so."""

    dense = True

    def __init__(self, name, cuts, says):
        self.name, self.cuts, self.says = name, cuts, says

    def read(self, cells):
        floats = self.floats(cells)
        if floats is None:
            return None
        parts = max(len(self.cuts), 1)
        ranks = [0.5 if v != v else bisect_right(self.cuts, v) / parts for v in floats]
        return (ranks, [v != v for v in floats]) if self.says else (ranks,)


class _Bag(_Words):
    """A field of several values a row: text that is parted, a list, or {value: weight}."""

    bag = True

    def __init__(self, name, field, offset, sep, size, mean):
        super().__init__(name, field, offset)
        self.sep, self.size, self.mean = sep, size, mean

    def read(self, cells):
        whole, counts = [], []
        as_lists = any(isinstance(c, CONTAINERS) for c in cells)
        for cell in cells:
            if type(cell) in (list, tuple):
                values = cell
            elif type(cell) is str and not as_lists and self.sep is not None:
                values = [] if is_missing(cell) else cell.split(self.sep)
                values = [v for v in map(str.strip, values) if v]
            elif type(cell) in SIMPLE:
                if self.sep is not None and not as_lists and not is_missing(cell):
                    return None  # a number whose text is parted
                values = [] if is_missing(cell) else [cell]
            else:
                return None
            whole += values
            counts.append(len(values))
        if not {type(v) for v in whole} <= set(SIMPLE):
            return None
        found = self.ids(whole)
        if found is None:
            return None
        ids, at, rows, weights = found[0], 0, [], []
        for count in counts:
            some = ids[at : min(at + count, at + self.size)]
            rows.append(some)
            weights.append([1 / max(len(some), 1) if self.mean else 1.0] * len(some))
            at += count
        nowhere = -1 if self.field.unknown is None else self.offset + self.field.unknown
        lost = [i == nowhere for some in rows for i in some]  # of the slots that count
        return self._padded(rows), sum(lost) / max(len(lost), 1), weights

    def _padded(self, rows):
        """Slots without a value have the field's first id, and a weight of 0."""
        return [[*some, *[self.offset] * (self.size - len(some))] for some in rows]
