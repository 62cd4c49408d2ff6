"""Raw rows as a request brings them, encoded: a table of one row costs as much as one of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd

from ..checks import check_finite
from ..data.ctr import Encoded
from ..data.encoder import NEVER, Encoder
from ..data.values import CONTAINERS

__all__ = ['encode_rows']

FEW = 64  # rows that are looked at cell by cell
PLAIN = ('object', 'str', 'string', 'int64', 'float64', 'bool')  # whose cells Python's types hold


class Rows(Encoded):
    """A few rows without labels, encoded; as a `CTRDataset` of them would be."""

    def __init__(self, columns: Mapping[str, np.ndarray], encoder: Encoder):
        super().__init__(columns, None, {'dense': list(encoder.dense)} if encoder.dense else None)
        self.vocabulary, self._label = encoder.vocabulary, encoder.label

    @property
    def unknown(self) -> np.ndarray:
        """Share (F,) of the rows whose value the vocabulary does not hold."""
        last = [-1 if f.unknown is None else f.unknown for f in self.vocabulary.fields]
        return (self.features == self.vocabulary.offsets + last).mean(axis=0)


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
    if isinstance(source, Mapping):
        rows = [source]
    elif isinstance(source, list):
        rows = source
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise ValueError(f'row {i} is a {type(row).__name__}: give {{field: value}}.')
    if rows is not None:
        if not rows:
            raise ValueError('there is no row: give at least one.')
        numbers = encoder.dense if encoder.plan is None else encoder.plan.schema.numbers
        names = list(dict.fromkeys([*encoder.vocabulary.names, *numbers]))
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
    plain = encoder.plan is None and encoder.format == 'table' and not encoder.steps
    if cells is not None and plain:
        found = _looked_up(encoder, cells)
        if found is not None:
            return found
    source = source() if callable(source) else source
    return encoder.encode(source, label=False, too_many=NEVER)


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
    if not all(f.name in cells for f in fields) or not all(n in cells for n in dense):
        return None
    rows = len(cells[fields[0].name])
    ids = np.empty((rows, len(fields)), np.int32)
    for f, (one, offset) in enumerate(zip(fields, encoder.vocabulary.offsets.tolist())):
        column = cells[one.name]
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
