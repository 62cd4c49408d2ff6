"""Examples: named columns of equal length, and what may enter a net.

A data set says what it has (`data.columns`), a net what it reads (`net.inputs`), and whatever
stands between them picks by name. Numbers are looked at here, once, before a batch is made of
them: MXNet clips an id out of range and turns a NaN into 0 without a word.

The names: `ids` (N, F) int32, `dense` (N, D) float32, `weights` (N, M) float32 of bags' slots,
`users` and `items` (N,) int32, `rows`, `mask` and `target` (N, D) float32 of a rating matrix,
`history` (N, L) int32 of the items that the user had before and `lengths` (N,) int32, how many.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from ..arguments import check_list, shown
from ..checks import CURE, check_finite, check_ids

__all__ = ['Examples', 'check_columns', 'concat', 'examples_of']

IDS = ('ids', 'users', 'items', 'history', 'lengths')  # columns of whole numbers


def picked(rows: Any, count: int) -> Any:
    """Rows of `count` that were asked for: a slice, or an array of row numbers or booleans.

    Raises
    ------
    ValueError
        For anything else, and for rows that are not there.

    Examples
    --------
    >>> picked([0, 2], 3).tolist()
    [0, 2]
    >>> picked([5], 3)
    Traceback (most recent call last):
    ...
    ValueError: there is no row 5: the data has 3, numbered from 0.
    """
    if isinstance(rows, slice):
        try:
            rows.indices(count)
        except (TypeError, ValueError):  # of other bounds than whole numbers, or a step of 0
            raise ValueError(
                f'rows is {shown(rows)}: give a slice of whole numbers, such as [:100].'
            ) from None
        return rows
    try:
        rows = rows.asnumpy() if hasattr(rows, 'asnumpy') else even_array(rows)
    except (ValueError, OverflowError):  # a list of lists of unequal lengths
        raise ValueError(
            f'rows is {shown(rows)}: give a slice, or an array of row numbers.'
        ) from None
    if rows.shape == (0,) and rows.dtype.kind == 'f':  # an empty list
        rows = rows.astype(np.int64)
    if rows.ndim != 1 or rows.dtype.kind not in 'iub':
        raise ValueError(f'rows is {shown(rows)}: give a slice, or an array of row numbers.')
    if rows.dtype.kind == 'b' and len(rows) != count:
        raise ValueError(f'rows has {len(rows)} booleans for {count} rows: give one for each.')
    if rows.dtype.kind != 'b' and len(rows):
        first, last = int(rows.min()), int(rows.max())
        if first < -count or last >= count:
            raise ValueError(
                f'there is no row {last if last >= count else first}: the data has '
                f'{count}, numbered from 0.'
            )
    return rows


class Examples:
    """N examples: named columns, and labels where there are any.

    Slices, subsets by an index or a boolean array, and concatenations keep every column, the
    labels, and whatever else a subclass holds for each example.

    Parameters
    ----------
    columns : dict {name: array (N, ...)}
        Floats are kept as float32; ids as int32.
    labels : array (N,), optional
        Kept as float32.
    names : dict {name of a column: list of str}, optional
        What the columns of a matrix are called, for messages.
    sample_weight : array (N,), optional
        How many examples each one stands for: in the loss, and in every measure.

    Raises
    ------
    ValueError
        For no column, columns that are no numbers, unequal lengths, or a float that is not
        finite.

    Examples
    --------
    >>> data = Examples({'ids': [[0, 3], [1, 4]], 'dense': [[0.5], [1.5]]}, labels=[0, 1])
    >>> data
    Examples(2 rows: ids (2, 2), dense (2, 1), labels)
    >>> data[:1].columns['dense'].tolist()
    [[0.5]]
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        labels: Any = None,
        names: Optional[Mapping[str, Sequence[str]]] = None,
        sample_weight: Any = None,
    ):
        if not isinstance(columns, Mapping):
            raise ValueError(f'columns is {shown(columns)}: give a dict {{name: array}}.')
        if not columns:
            raise ValueError('there is no column: give at least one, such as ids.')
        self.columns = {name: as_matrix(a, name) for name, a in columns.items()}
        self.labels = None if labels is None else as_labels(labels)
        self.column_names = dict(names or {})
        self._per_row: dict[str, np.ndarray] = {}  # what else has one entry an example
        lengths = {name: len(a) for name, a in self.columns.items()}
        if self.labels is not None:
            lengths['labels'] = len(self.labels)
        if sample_weight is not None:
            self._per_row['sample_weight'] = as_weights(sample_weight)
            lengths['sample_weight'] = len(self.sample_weight)
        if len(set(lengths.values())) > 1:
            raise ValueError(f'the columns have unequal numbers of rows ({lengths}).')
        for name, array in self.columns.items():
            if name == 'rows' and 'mask' in self.columns:
                _check_observed(array, self.columns['mask'])
            else:
                check_finite(array, name, self.column_names.get(name))

    @property
    def sample_weight(self) -> Optional[np.ndarray]:
        """How many examples each one stands for, (N,) float32; None where each is one."""
        return self._per_row.get('sample_weight')

    def with_sample_weight(self, sample_weight: Any) -> Examples:
        """The same examples with these weights (N,), or for None without any."""
        new = copy.copy(self)
        new._per_row = {n: a for n, a in self._per_row.items() if n != 'sample_weight'}
        if sample_weight is not None:
            weights = as_weights(sample_weight)
            if len(weights) != len(self):
                raise ValueError(
                    f'sample_weight has {len(weights)} numbers for {len(self)} rows: give one each.'
                )
            new._per_row['sample_weight'] = weights
        return new

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, rows):
        """The chosen examples (a slice, an index array or a boolean array), with all they have."""
        return self._chosen(picked(rows, len(self)))

    def _chosen(self, rows):
        new = copy.copy(self)
        new.columns = {name: a[rows] for name, a in self.columns.items()}
        new.labels = None if self.labels is None else self.labels[rows]
        new._per_row = {name: a[rows] for name, a in self._per_row.items()}
        return new

    def _alike(self):
        """What must be equal, beside the columns, for data sets to be concatenated."""
        return None

    def _joined(self, parts):
        """Mend what a subclass holds, once this has become all of `parts`."""

    def with_columns(
        self, names: Optional[Mapping[str, Sequence[str]]] = None, **columns: Any
    ) -> Examples:
        """The same examples with these columns added, or put in the place of those so named."""
        new = copy.copy(self)
        added = Examples({**self.columns, **columns}, self.labels, names)
        new.columns = added.columns
        new.column_names = {**self.column_names, **added.column_names}
        return new

    def __repr__(self):
        parts = [f'{name} {a.shape}' for name, a in self.columns.items()]
        parts += ['labels'] if self.labels is not None else []
        parts += ['weighted'] if self.sample_weight is not None else []
        return f'{type(self).__name__}({len(self):,} rows: {", ".join(parts)})'


def concat(parts: Sequence[Examples]) -> Examples:
    """The examples of all parts, in order, as one data set of the first one's kind.

    Raises
    ------
    ValueError
        For no part, or parts of other columns or another vocabulary.

    Examples
    --------
    >>> one = Examples({'ids': [[0], [1]]}, labels=[0, 1])
    >>> len(concat([one, one[:1]]))
    3
    """
    if isinstance(parts, Examples):
        raise ValueError('parts is one data set: give a list of several.')
    parts = check_list(parts, 'parts', 'a list of data sets')
    if not parts:
        raise ValueError('there is nothing to concatenate: give at least one data set.')
    first = parts[0]
    new = copy.copy(first)
    for part in parts:
        alike = (
            isinstance(first, Examples)
            and type(part) is type(first)
            and list(part.columns) == list(first.columns)
            and all(part.columns[c].shape[1:] == a.shape[1:] for c, a in first.columns.items())
            and (part.labels is None) == (first.labels is None)
            and list(part._per_row) == list(first._per_row)
            and part._alike() == first._alike()
        )
        if not alike:
            raise ValueError(
                f'{part!r} cannot follow {first!r}: give data sets of the same columns, '
                'encoded by the same vocabulary.'
            )
    new.columns = {c: np.concatenate([p.columns[c] for p in parts]) for c in first.columns}
    if first.labels is not None:
        new.labels = np.concatenate([p.labels for p in parts])
    new._per_row = {c: np.concatenate([p._per_row[c] for p in parts]) for c in first._per_row}
    new._joined(parts)
    return new


def examples_of(data: Any, inputs: Optional[Mapping[str, Optional[int]]] = None) -> Examples:
    """`data` as `Examples`, whose columns stand in the order of `inputs` where that is given.

    Parameters
    ----------
    data : a data set, a dict {name: array}, an array, or a tuple of arrays
        A dict has the labels under 'labels' and weights of the rows under 'sample_weight'. A tuple
        has what `inputs` names, in order, and then the labels if there is one array more; without
        `inputs` its last array is the labels.
    inputs : dict {name: number of columns}, optional
        A net's `inputs`.

    Raises
    ------
    ValueError
        Where a column that the net reads is not there, or more arrays are given than it reads.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.WideDeep([3, 2], 4, num_dense=1)
    >>> examples_of(([[0, 3]], [[0.5]], [1]), net.inputs)
    Examples(1 rows: ids (1, 2), dense (1, 1), labels)
    """
    if hasattr(data, 'columns') and isinstance(getattr(data, 'columns', None), Mapping):
        found = data if isinstance(data, Examples) else Examples(data.columns, data.labels)
    elif isinstance(data, Mapping):
        columns = {n: a for n, a in data.items() if n not in ('labels', 'sample_weight')}
        found = Examples(columns, data.get('labels'), None, data.get('sample_weight'))
    elif hasattr(data, 'iloc'):
        raise ValueError(
            'a frame holds raw values: encode it first, by the encoder of the training data, '
            'train.encoder.encode(frame), or the one that load gives back with the net.'
        )
    else:
        found = _positional(data, inputs)
    if inputs is None:
        return found
    missing = [name for name in inputs if name not in found.columns]
    if missing:
        raise ValueError(
            f'the net reads {", ".join(inputs)} but the data has {", ".join(found.columns)}: '
            f'give data with {missing[0]}, or build the net without it.'
        )
    if list(found.columns) != list(inputs):
        found = copy.copy(found)
        found.columns = {name: found.columns[name] for name in inputs}
    return found


def _positional(data, inputs):
    """Arrays without names, named by what the net reads."""
    if not isinstance(data, (tuple, list)) or not len(data) or not hasattr(data[0], '__len__'):
        data = (data,)
    elif isinstance(data, list) and not hasattr(data[0], 'shape'):
        data = (_asarray(data, 'ids'),)  # a matrix written as lists
    arrays = list(data)
    if inputs is None:
        names = ['ids'] if len(arrays) <= 2 else [f'input {i + 1}' for i in range(len(arrays) - 1)]
    else:
        names = list(inputs)
    if not len(names) <= len(arrays) <= len(names) + 1:
        shapes = ', '.join(str(np.shape(a)) for a in arrays)
        raise ValueError(
            f'the net reads {", ".join(names)} but got {len(arrays)} arrays, of shape {shapes}: '
            'give these in this order, and the labels last where there are any.'
        )
    labels = arrays[len(names)] if len(arrays) > len(names) else None
    return Examples(dict(zip(names, arrays)), labels)


def check_columns(
    examples: Examples,
    inputs: Mapping[str, Optional[int]],
    ranges: Optional[Mapping[str, tuple]] = None,
    net: str = 'the net',
) -> Examples:
    """Hold examples against what a net reads; returns them, columns in the net's order.

    Parameters
    ----------
    examples : as for `examples_of`
    inputs : dict {name: number of columns, or None for one number an example, shape (N,)}
    ranges : dict {name: (first, end)}, optional
        For ids, the least one and the one after the last: numbers, or arrays with one entry a
        column. `Model.ranges` says it.
    net : name of the net, for messages

    Raises
    ------
    ValueError
        For a column that is missing or of another width, a number that is not finite, or an id
        out of its range: with row, column and value.

    Examples
    --------
    >>> data = Examples({'ids': [[0, 3], [1, 9]]})
    >>> check_columns(data, {'ids': 2}, {'ids': ([0, 3], [3, 5])})
    Traceback (most recent call last):
    ...
    ValueError: ids[1, 1] is 9, outside its range, 3 to 4: ...
    """
    examples = examples_of(examples, inputs)
    for name, width in inputs.items():
        array = examples.columns[name]
        wanted = () if width is None else (width,)
        if array.shape[1:] != wanted:
            shape = '(rows,)' if width is None else f'(rows, {width})'
            raise ValueError(
                f'{net} was built for {name} of shape {shape} but got {array.shape}: give these, '
                'or build the net for this data.'
            )
        names = examples.column_names.get(name)
        known = (getattr(examples, 'bounds', None) or {}).get(name)
        if known is not None and _within(known, (ranges or {}).get(name)):
            continue  # looked at when its files were opened
        if name in (ranges or {}):
            check_ids(array, *ranges[name], name, names)
        elif name != 'rows':
            check_finite(array, name, names)
    return examples


def _within(known, limits) -> bool:
    """Whether the least and the greatest of each column lie in a range."""
    if not len(known) or limits is None:
        return limits is None
    first, end = limits
    return bool((known[0] >= first).all() and (known[1] < end).all())


def _check_observed(rows, mask) -> None:
    """Refuse a rating that is not finite where the mask says that there is one."""
    if rows.shape == mask.shape:
        check_finite(np.where(mask != 0, rows, np.float32(0)), 'rows')


def _refuse_masked(array, name):
    """NumPy's masked arrays would lose their mask."""
    if np.ma.is_masked(array):
        raise ValueError(f'{name} is a masked array with cells that are missing: fill them in.')


def as_labels(labels) -> np.ndarray:
    """Labels as float32 (N,): booleans become 0 and 1, a column (N, 1) a vector."""
    _refuse_masked(labels, 'labels')
    labels = labels.asnumpy() if hasattr(labels, 'asnumpy') else np.asarray(labels)
    if labels.dtype.kind not in 'biuf' or not labels.ndim or labels.size != len(labels):
        raise ValueError(
            f'the labels have shape {labels.shape} and type {labels.dtype}: give one number a row.'
        )
    return np.ascontiguousarray(labels.reshape(-1), dtype=np.float32)


def as_weights(weights) -> np.ndarray:
    """Weights of examples as float32 (N,); refuse one below 0 or not finite, with its row."""
    weights = as_labels(weights)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(
            f'sample_weight[{bad[0]}] is {weights[bad[0]]:g}: a weight is 0 or more, the number of '
            'rows that the row stands for.'
        )
    if len(weights) and not weights.any():
        raise ValueError('every sample weight is 0: no row is left to learn from.')
    return weights


def as_matrix(array, name) -> np.ndarray:
    """An array in NumPy, contiguous, in the type that MXNet will see."""
    _refuse_masked(array, name)
    array = _asarray(array, name)
    if array.ndim == 0 or array.dtype.kind not in 'biuf':
        raise ValueError(
            f'{name} has shape {array.shape} and type {array.dtype}: '
            'give numbers with one row per example.'
        )
    if name in IDS:
        array = _as_ids(array)
    elif name in (*CURE, 'mask', 'target'):
        array = _as_float32(array)
    if array.dtype.kind in 'iu' and array.dtype.itemsize > 1 and array.dtype != np.int32:
        limits = np.iinfo(np.int32)
        if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
            return np.ascontiguousarray(array, dtype=np.int64)
        array = array.astype(np.int32)
    if array.dtype == np.float64 and name not in IDS:
        array = _as_float32(array)
    return np.ascontiguousarray(array)


def _asarray(values, name):
    """Values as an array of NumPy."""
    try:
        return values.asnumpy() if hasattr(values, 'asnumpy') else even_array(values)
    except (TypeError, ValueError):
        raise ValueError(f'{name} is {shown(values)}: give numbers, as many in each row.') from None


def even_array(values):
    """Values as an array; a ValueError for rows of unequal length.

    NumPy before 1.24 only warns of those, and makes an array of lists.
    """
    if not isinstance(values, (list, tuple)):
        return np.asarray(values)
    with warnings.catch_warnings():
        warnings.filterwarnings('error', 'Creating an ndarray from ragged')
        try:
            return np.asarray(values)
        except Warning as warning:
            raise ValueError(str(warning)) from None


def _as_ids(array):
    """Whole numbers as int32 where they fit; others stay as they are, to be refused by name."""
    limits = np.iinfo(np.int32)
    if array.dtype.kind == 'f':
        whole = np.isfinite(array).all() and (array == np.floor(array)).all()
        if not whole:
            return array
    if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
        return array
    return array.astype(np.int32, copy=False)


def _as_float32(array):
    with np.errstate(over='ignore'):  # what becomes infinite is refused as such
        return array.astype(np.float32, copy=False)
