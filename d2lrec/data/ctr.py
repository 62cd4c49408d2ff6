"""Click-through data: columns of a file or a frame become one matrix of int32 ids."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np
import pandas as pd
from mxnet.gluon.data import Dataset

from ..arguments import check_list, shown
from .columns import Examples
from .encoder import ENOUGH, TOO_MANY, Encoder, Step
from .hashed import HashedField
from .plan import Plan
from .rows import dropped_sentence, finite, not_text, read_file, read_frame
from .values import Column, distinct, is_missing, numbers_of, only_spaces_apart, to_float
from .vocabulary import Mappers, Vocabulary, check_threshold, default_names

__all__ = ['CTRDataset', 'Encoded']

NUM_FEAT = 34  # fields of the original chapters' file; left at this, num_feat follows the file
NEARLY_ALL = 0.99  # share of unknown values from which a field is as good as lost
COUNTS = [f'I{i}' for i in range(1, 14)]  # of Criteo's format
CRITEO = [*COUNTS, *(f'C{i}' for i in range(1, 27))]


class NoRow(IndexError, ValueError):
    """A number that is no row's; an IndexError, at which Python ends to walk through a sequence."""


class Encoded(Examples):
    """Examples whose ids are those of a vocabulary.

    Attributes
    ----------
    vocabulary : Vocabulary
    encoder : Encoder, which makes the same of new rows
    features : int32 (N, F), the column 'ids', offset by field
    dense : float32 (N, D) or None; may be set
    dense_names : list of D str; may be set
    field_names : list of F str
    field_dims, offsets : int64 (F,)
    feat_mapper, defaults : read-only dicts {1..F: ...} for the original chapters' code
    unknown : float64 (F,), the share of these rows whose value the vocabulary does not hold

    Examples
    --------
    `CTRDataset` is one.

    >>> issubclass(CTRDataset, Encoded)
    True
    """

    vocabulary: Vocabulary
    _steps: tuple = ()
    _format = 'table'
    _label: Optional[str] = None
    _plan: Optional[Plan] = None

    @property
    def encoder(self) -> Encoder:
        """What turns raw rows into these columns; `save` keeps it with a model."""
        names = self.dense_names
        return Encoder(self.vocabulary, self._label, names, self._steps, self._format, self._plan)

    @property
    def bag_sizes(self) -> list[int]:
        """Number of slots of each multi-valued field, which stand last; empty without any."""
        return [] if self._plan is None else self._plan.bag_sizes

    @property
    def weights(self) -> Optional[np.ndarray]:
        """The slots' weights, `columns['weights']`: (N, M) float32, or None without bags."""
        return self.columns.get('weights')

    @property
    def unknown(self) -> np.ndarray:
        """Share (F,) of the rows whose value the vocabulary does not hold."""
        lost, there = unknown_in(self.vocabulary, self.bag_sizes, self.features, self.weights)
        return lost / np.maximum(there, 1)

    def with_step(self, step: Step, **columns: np.ndarray) -> Encoded:
        """The data with columns changed by a step, which its encoder then has."""
        new = self.with_columns(**columns)
        new._steps = (*self._steps, step)
        return new

    def only(self, fields: Sequence[Union[str, int]]) -> Encoded:
        """The same rows with these fields alone, by name or number from 1, in this order.

        The dense features stay. What was fitted to ids, such as crosses, is added after it.

        Raises
        ------
        ValueError
            For a field that is not there or named twice, and for data with crosses or bags.

        Examples
        --------
        >>> frame = pd.DataFrame({'y': [1, 0], 'user': ['u', 'v'], 'hour': [7, 8], 'item': 'x'})
        >>> data = CTRDataset(frame, min_threshold=1).only(['item', 'user'])
        >>> data.field_names, data.features.tolist()
        (['item', 'user'], [[0, 2], [0, 3]])
        """
        wanted = check_list(fields, 'fields', 'a list of names of fields')
        if self.bag_sizes or self._steps or self.features.shape[1] != len(self.vocabulary):
            raise ValueError('the data has bags, crosses or other steps: take only() before these.')
        if self._plan is not None:
            raise ValueError(
                'the data is of a table of d2lrec.read: name the columns there, categories=[...].'
            )
        numbers = [self.vocabulary.number_of(f) for f in wanted]
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(f'fields is {shown(wanted)}: name one or more, each once.')
        vocabulary = Vocabulary([self.vocabulary.fields[f] for f in numbers], self.vocabulary.label)
        ids = self.features[:, numbers] - self.offsets[numbers] + vocabulary.offsets
        new = self.with_columns(ids=ids.astype(np.int32))
        new.vocabulary = vocabulary
        if getattr(new, '_distinct', None) is not None:
            new._distinct = new._distinct[numbers]
        return new

    @property
    def features(self) -> np.ndarray:
        """The ids, `columns['ids']`: (N, F) int32, offset by field."""
        return self.columns['ids']

    @property
    def dense(self) -> Optional[np.ndarray]:
        """The dense features, `columns['dense']`: (N, D) float32, or None. It can be set."""
        return self.columns.get('dense')

    @dense.setter
    def dense(self, matrix):
        if matrix is None:
            self.columns = {name: a for name, a in self.columns.items() if name != 'dense'}
            self.column_names = {n: c for n, c in self.column_names.items() if n != 'dense'}
            return
        width = np.shape(matrix)[1] if np.ndim(matrix) == 2 else 0
        if not width or len(matrix) != len(self):
            raise ValueError(
                f'dense has shape {np.shape(matrix)}: give a matrix of {len(self)} rows, one '
                'column a feature.'
            )
        names = self.column_names.get('dense', [])
        if len(names) != width:
            names = [f'dense {d + 1}' for d in range(width)]
        changed = self.with_columns({'dense': names}, dense=matrix)
        self.columns, self.column_names = changed.columns, changed.column_names

    @property
    def dense_names(self) -> list[str]:
        """The names of the dense features. They can be set."""
        return list(self.column_names.get('dense', [])) if self.dense is not None else []

    @dense_names.setter
    def dense_names(self, names):
        width = 0 if self.dense is None else self.dense.shape[1]
        names = [str(n) for n in names]
        if len(names) != width:
            raise ValueError(f'dense_names is {names} for {width} dense features: give as many.')
        self.column_names = {**self.column_names, 'dense': names}

    @property
    def field_names(self) -> list[str]:
        """The names of the F fields."""
        return self.vocabulary.names

    @property
    def field_dims(self) -> np.ndarray:
        """Number of ids of each field, (F,) int64."""
        return self.vocabulary.dims

    @property
    def offsets(self) -> np.ndarray:
        """The first id of each field, (F,) int64."""
        return self.vocabulary.offsets

    @property
    def feat_mapper(self) -> Mappers:
        """A view for the original code: {1..F: {value: id within the field}}."""
        return self.vocabulary.mappers

    @property
    def defaults(self) -> Mappers:
        """A view for the original code: {1..F: id within the field of unknown values}."""
        return self.vocabulary.defaults

    def id_of(self, field: Union[str, int], value: Any) -> int:
        """The id of a field's value; the one of unknown values for None.

        Raises ValueError where the vocabulary does not hold the value.
        """
        return self.vocabulary.id_of(field, value)

    def ids_of(self, field: Union[str, int]) -> slice:
        """The ids of a field (name, or number from 1) as a slice of the embedding matrix."""
        return self.vocabulary.ids_of(field)

    def value_of(self, id: int) -> tuple[str, Optional[str]]:
        """(field name, value) of an id; the value is None for the id of unknown values."""
        return self.vocabulary.value_of(id)

    def _alike(self):
        return super()._alike(), self.encoder


class Rows(Encoded):
    """A few rows without labels, encoded as a `CTRDataset` of them would be, but at once.

    Examples
    --------
    `Saved.predict` makes them of rows that are dicts.

    >>> issubclass(Rows, Encoded)
    True
    """

    def __init__(self, columns: Mapping[str, np.ndarray], encoder: Encoder, unknown: Any = None):
        plan = encoder.plan
        dense = list(encoder.dense) if plan is None else plan.dense_names
        super().__init__(columns, None, {'dense': dense} if 'dense' in columns else None)
        self.vocabulary, self._label, self._plan = encoder.vocabulary, encoder.label, plan
        self._unknown = unknown

    @property
    def unknown(self) -> np.ndarray:
        """Share (F,) of the rows whose value the vocabulary does not hold."""
        return super().unknown if self._unknown is None else np.array(self._unknown)


class CTRDataset(Encoded, Dataset):
    """Rows of a 0/1 label and F categorical fields, encoded once.

    Field f (from 1) owns the ids ``offsets[f-1]`` up to ``offsets[f-1] + field_dims[f-1]``, so
    that one embedding matrix of V = ``sum(field_dims)`` rows serves all fields. Its values come
    first, the most frequent ones foremost and equally frequent ones in the order of their text,
    so that ids never depend on the run; its last id stands for every value that the vocabulary
    does not hold.

    Without a vocabulary one is fitted on these rows (the training set); with it, these rows are
    encoded (the validation and test sets)::

        train = CTRDataset('train.csv')
        test = CTRDataset('test.csv', vocabulary=train.vocabulary)
        test = CTRDataset('test.csv', train.feat_mapper, train.defaults)  # the same

    **How a value is spelled.** One value has one spelling, whether it comes from a file or from
    a frame, so that a table gives the same ids either way. The rule looks at a column at a time:

    - What `pandas.read_csv` takes for missing (`''`, NA, NaN, null, None, N/A ...) is one value,
      `''`.
    - A column whose every other value is a number or a boolean, or text that reads as one, is a
      column of numbers: ``3``, ``3.0``, ``03`` and 3.0 are '3', ``0.10`` is '0.1', ``True`` is
      '1', -0 is '0'. Whole numbers in digits are compared by them, however long; other numbers
      as floats, a float32 by its own shortest form.
    - Any other column is text, taken as it is: in a column of hashes '5e10' and '50000000000'
      stay two values, and so do '7' and '007'. A column of numbers' type, in a frame, finds a text
      field's values by their text, or else where exactly one value reads as that number.
      Dates are text, 'YYYY-MM-DD' at midnight.
    - A cell of a file in double quotes is unquoted, as by `pandas.read_csv`.

    A field remembers whether it is one of numbers or of text. What pandas itself has rounded,
    such as ids beyond 2^53 in a column with a missing cell, cannot be told apart any more.

    **Columns have names.** With a vocabulary, a frame's columns are found by theirs, in any
    order, and others are passed over. A file has no names: its columns stand in the order of
    training, the label first, and are called 'field 1', 'field 2' and so on.

    Where every value of a field passes the threshold, no training row holds its last id: that
    row of the embedding keeps its initial value, and test rows with unknown values meet it
    untrained. ``summary()`` names such fields.

    Parameters
    ----------
    source : path or pandas.DataFrame
        A tab-separated file without header, the label first; or a frame.
    feat_mapper : dict {1..F: {value: id within the field}}, optional
    defaults : dict {1..F: id within the field of unknown values}, optional
        By default the number of the field's values.
    min_threshold : number
        Occurrences that a value needs to enter the vocabulary.
    num_feat : int
        F. Left at 34, it follows the vocabulary given, else the data: the number of columns
        most common in the file's first lines. Any other number is taken at its word.
    vocabulary : Vocabulary, optional
        That of the training data, instead of `feat_mapper` and `defaults`.
    label : str, optional
        Name of a frame's column of labels; by default what it was called in training, and in
        training the first column.
    dense : list of str, optional
        Names of columns of numbers, which become `dense` features instead of fields.
    hashed : dict {column: buckets}, optional
        Columns whose values get no list but a bucket by a stable hash, the same everywhere, or
        with a list of two numbers one bucket in each of two tables: `HashedField` has the rule.
        For later data the vocabulary says it. `summary()` tells how many values share buckets.

    Attributes
    ----------
    features, dense, dense_names, vocabulary, encoder, field_names : as in `Encoded`
    field_dims, offsets, unknown, feat_mapper, defaults : as in `Encoded`
    labels : float32 (N,), or None where there are none
    source : str, what the rows came from
    dropped : dict {reason: Dropped(count, first, found)}; a warning says the same

    Raises
    ------
    ValueError
        Where no row can be used, or most cannot, or one of the two classes; where a column is
        lacking; where a dense number is not finite.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({'click': [1, 0, 1], 'town': ['Oslo', 'Rome', 'Oslo']})
    >>> data = CTRDataset(frame, min_threshold=1)
    >>> data.features.tolist(), data.words(0)
    ([[0], [1], [0]], {'town': 'Oslo'})
    """

    def __init__(
        self,
        source: Union[str, os.PathLike, pd.DataFrame],
        feat_mapper: Optional[Mapping] = None,
        defaults: Optional[Mapping] = None,
        min_threshold: float = 4,
        num_feat: int = NUM_FEAT,
        *,
        vocabulary: Optional[Vocabulary] = None,
        label: Optional[str] = None,
        dense: Optional[Sequence[str]] = None,
        hashed: Optional[Mapping] = None,
    ):
        given, named = _given(feat_mapper, defaults, vocabulary)
        known = given if named else None
        width = _width(num_feat, None if given is None else len(given.columns))
        if given is not None and hashed is not None:
            raise ValueError('hashed is given beside a vocabulary, which says it: leave it out.')
        check_threshold(min_threshold)
        dense = [] if dense is None else dense
        table = _read(source, known, label, dense, width)
        if given is not None and not named:
            known = given.renamed([c.name for c in table.fields], table.label)
        self._fill(table, known, min_threshold, hashed=hashed)

    @classmethod
    def from_criteo(
        cls,
        path: Union[str, os.PathLike],
        feat_mapper: Optional[Mapping] = None,
        defaults: Optional[Mapping] = None,
        min_threshold: float = 4,
        *,
        vocabulary: Optional[Vocabulary] = None,
        dense: bool = False,
        hashed: Optional[Mapping] = None,
    ) -> CTRDataset:
        """Read Criteo's display advertising format: label, I1-I13, C1-C26.

        With tabs or commas, with or without the header line; an empty cell is a value of its
        own. The counts I1-I13 become categories by the log-square rule of the 3 Idiots' winning
        solution (Juan et al., 2014): v above 2 becomes floor(ln(v)^2), a smaller one stays.

        With `dense=True` the counts are dense features as well, by the rule of DLRM's public
        code (Naumov et al., 2019): ln(1 + v), where a negative or missing count is 0.
        `hashed` is as for `CTRDataset`.
        """
        known, _ = _given(feat_mapper, defaults, vocabulary)
        if known is not None and hashed is not None:
            raise ValueError('hashed is given beside a vocabulary, which says it: leave it out.')
        check_threshold(min_threshold)
        if not isinstance(dense, (bool, np.bool_)):
            raise ValueError(f'dense is {shown(dense)}: give True or False.')
        table = _read_criteo(path, bool(dense), True)
        if known is not None:
            _check_criteo(known)
        new = cls.__new__(cls)
        new._fill(table, known, min_threshold, 'criteo', hashed=hashed)
        return new

    @classmethod
    def _of_table(cls, table, plan, vocabulary, min_threshold=1, too_many=None):
        """Rows of a `Table` by a plan and a vocabulary, or by one that is fitted to them."""
        new = cls.__new__(cls)
        new._fitted = vocabulary is None
        new.vocabulary, columns, unknown, distinct = plan.encode(table, vocabulary, min_threshold)
        names = {'dense': plan.dense_names} if 'dense' in columns else {}
        Examples.__init__(new, columns, table.labels, names, table.weights)
        new.source, new.dropped, new._steps, new._plan = table.source, {}, (), plan
        new._label = table.schema.label
        new._distinct = np.array(distinct) if new._fitted else None
        schema, read = table.schema, {}
        if new._fitted:
            read = {name: table.category(name).cells for name in schema.categories}
            read.update((name, table.lists(name).cells) for name in schema.multi)
        for sentence in [
            *new._spaces_sentence(read),
            *new._lost_sentence(unknown, min_threshold, too_many),
        ]:
            warnings.warn(sentence, stacklevel=3)
        return new

    @classmethod
    def _encoded(cls, source, encoder, label, too_many=TOO_MANY):
        """What `Encoder.encode` gives, but for the encoder's steps."""
        if encoder.format == 'criteo' and not isinstance(source, pd.DataFrame):
            _check_criteo(encoder.vocabulary)
            table = _read_criteo(source, bool(encoder.dense), None if label is None else label)
        elif encoder.format == 'criteo':
            table = read_frame(
                source,
                encoder.vocabulary,
                encoder.label if label is None and encoder.label in source.columns else label,
                must_have_label=False,
            )
            _bin_counts(table, bool(encoder.dense), 'The frame')
        else:
            if label is None and isinstance(source, pd.DataFrame):
                label = encoder.label if encoder.label in map(str, source.columns) else None
            table = _read(source, encoder.vocabulary, label, encoder.dense, None, False)
        new = cls.__new__(cls)
        new._fill(table, encoder.vocabulary, 1, encoder.format, 5, too_many)
        new._label = encoder.label
        return new

    def _fill(
        self, table, vocabulary, min_threshold, format='table', stacklevel=4, too_many=None,
        hashed=None,
    ):  # fmt: skip
        self._fitted = vocabulary is None
        if self._fitted:
            vocabulary, ids, unknown = Vocabulary.fit_encode(
                table.fields, min_threshold, table.label, hashed, table.codes
            )
        elif table.by_place:
            if len(table.fields) != len(vocabulary.columns):
                raise ValueError(
                    f'{table.source} has {len(table.fields)} fields and the vocabulary '
                    f'{len(vocabulary.columns)}: give the columns of the training data.'
                )
            ids, unknown = vocabulary.encode(
                [c._replace(name=n) for c, n in zip(table.fields, vocabulary.columns)], table.codes
            )
        else:
            ids, unknown = vocabulary.encode(table.fields)
        self.vocabulary = vocabulary
        columns = {'ids': ids}
        if table.dense is not None:
            columns['dense'] = table.dense
        names = {'dense': table.dense_names} if table.dense_names else {}
        super().__init__(columns, table.labels, names)
        self.source, self.dropped = table.source, table.dropped
        self._label = vocabulary.label if table.label is None else table.label
        self._steps, self._format = (), format
        cells = {c.name: len(c.cells) for c in table.fields}
        counts = [cells[f.column] for f in vocabulary.fields] if self._fitted else None
        self._distinct = None if counts is None else np.array(counts)
        for sentence in [
            *([self._dropped_sentence()] if self.dropped else []),
            *table.hints,
            *self._spaces_sentence({c.name: c.cells for c in table.fields}),
            *self._lost_sentence(unknown, min_threshold, too_many),
        ]:
            warnings.warn(sentence, stacklevel=stacklevel - 1)

    def _spaces_sentence(self, columns):
        """Of a training set, `only_spaces_apart` of its columns of text."""
        if not self._fitted:
            return []
        text = {f.column for f in self.vocabulary.fields if f.kind == 'text'}
        return only_spaces_apart(self.source, {n: c for n, c in columns.items() if n in text})

    def _lost_sentence(self, unknown, min_threshold, too_many=None):
        """A warning of the fields in which too many values are unknown, if there are any."""
        limit = NEARLY_ALL if too_many is None else too_many
        if len(self) < ENOUGH:
            limit = max(limit, NEARLY_ALL)
        lost = [(n, s) for n, s in zip(self.field_names, unknown) if s and s >= limit]
        if not lost:
            return []
        one = len(lost) == 1
        least = min(99, math.floor(100 * min(share for _, share in lost)))
        rows = f'{least} % of the rows or more'
        names = ', '.join(repr(n) for n, _ in lost[:10]) + (' and others' if lost[10:] else '')
        what = f'the field {names} is' if one else f'{len(lost)} fields are'
        which = '' if one else f' ({names})'
        if self._fitted:
            cure = (
                f'few of {"its" if one else "their"} values occur {min_threshold} times: lower '
                'min_threshold, give numbers by dense=, or leave '
                f'{"the column" if one else "the columns"} out'
            )
        else:
            cure = (
                f'{"its" if one else "their"} values are not among those of the training data: '
                'see that they are the same columns, spelled alike'
            )
        return [f'{self.source}: {what} unknown in {rows}{which}; {cure}.']

    # For the original chapters' code.
    @property
    def count(self) -> int:
        """The number of rows, as the original code calls it."""
        return len(self)

    @property
    def NUM_FEATS(self) -> int:
        """F, as the original code calls it."""
        return len(self.vocabulary)

    def columns_of(self, field: int) -> slice:
        """The columns of `features` that hold a field, by its number from 0: several for a bag."""
        single = self.NUM_FEATS - len(self.bag_sizes)
        if field < single:
            return slice(field, field + 1)
        ends = single + np.cumsum([0, *self.bag_sizes])
        return slice(int(ends[field - single]), int(ends[field - single + 1]))

    def _weights_of(self, f):
        """The weights (N, M) of the slots of field f, which is a bag."""
        where, single = self.columns_of(f), self.NUM_FEATS - len(self.bag_sizes)
        return self.weights[:, where.start - single : where.stop - single]

    def __getitem__(self, rows):
        """For a number, that row's ids (F,) and its label; else those rows as a data set."""
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
            if not -len(self) <= rows < len(self):
                raise NoRow(f'there is no row {rows}: the data has {len(self)}, numbered from 0.')
            if self.labels is None:
                return self.features[rows]
            return self.features[rows], self.labels[rows]
        return super().__getitem__(rows)

    def _chosen(self, rows):
        new = super()._chosen(rows)
        new.dropped, new._distinct = {}, None
        return new

    def _joined(self, parts):
        super()._joined(parts)
        sources = list(dict.fromkeys(p.source for p in parts))
        self.source = ' and '.join(sources)
        self.dropped, self._distinct = {}, None

    def words(self, i: int) -> dict[str, Optional[str]]:
        """Row i as {field name: value}; None stands for a value not in the vocabulary.

        Of a field of several values the value is a tuple.
        """
        single = self.NUM_FEATS - len(self.bag_sizes)
        found = dict(self.value_of(int(id)) for id in self.features[i, :single])
        for f in range(single, self.NUM_FEATS):
            there = self._weights_of(f)[i] != 0
            ids = self.features[i, self.columns_of(f)][there]
            found[self.field_names[f]] = tuple(self.value_of(int(id))[1] for id in ids)
        return found

    def save_vocab(self, path: Union[str, os.PathLike]) -> None:
        """Write the vocabulary as JSON: whole or not at all."""
        self.vocabulary.save(path)

    def __repr__(self):
        parts = [f'{len(self):,} rows', f'{self.NUM_FEATS} fields']
        parts.append(f'{self.vocabulary.num_features:,} features')
        crosses = self.features.shape[1] - self.NUM_FEATS
        if self.bag_sizes:
            crosses -= sum(self.bag_sizes) - len(self.bag_sizes)
            parts.append(f'bags of {self.bag_sizes}')
        if crosses:
            parts.append(f'{crosses} crosses')
        if self.dense is not None:
            parts.append(f'{self.dense.shape[1]} dense')
        if self.labels is None:
            parts.append('no labels')
        elif len(self):
            parts.append(f'click rate {self.labels.mean():.3f}')
        if self.dropped:
            parts.append(f'{sum(d.count for d in self.dropped.values()):,} rows dropped')
        return f'CTRDataset({self.source}: {", ".join(parts)})'

    def summary(self) -> str:
        """The data in words, as text to print: counts, what was dropped, fields to look at.

        A field is pointed out whose row for unknown values is never trained, which tells the
        label in every row, which has another value in each row, or only one.
        """
        lines = [repr(self)]
        if self.dropped:
            lines.append(self._dropped_sentence())
        names, dims = self.field_names, self.field_dims
        width = max(map(len, names))
        for f, (name, dim, unknown) in enumerate(zip(names, dims, self.unknown)):
            notes = []
            untrained = self.vocabulary.fields[f].unknown is not None and unknown == 0
            if self._fitted and self._distinct is not None and untrained:
                notes.append(', so its row is never trained')
            notes += self._notes(f)
            one = self.vocabulary.fields[f]
            what = f'features, {unknown:.2%} unknown'
            if isinstance(one, HashedField):
                what = 'buckets' + one.notes()
            lines.append(f'{f + 1:>4} {name:<{width}} {dim:>9,} {what}' + ''.join(notes))
        return '\n'.join(lines)

    def _notes(self, f):
        """What there is to say of field f (from 0)."""
        if f >= self.NUM_FEATS - len(self.bag_sizes):
            return []
        found, codes = np.unique(self.features[:, f], return_inverse=True)
        values = len(found) if self._distinct is None else int(self._distinct[f])
        rows = len(self)
        notes = ['; it has a single value'] if values == 1 and rows > 1 else []
        notes += ['; every row has a value of its own'] if values == rows > 1 else []
        if self.labels is not None and 1 < len(found) <= max(2, rows // 10):
            clicks = np.bincount(codes.reshape(-1), self.labels)
            if np.isin(clicks / np.bincount(codes.reshape(-1)), (0, 1)).all():
                notes.append('; it tells the label in every row: leave it out if it is the label')
        return notes

    def _dropped_sentence(self):
        return dropped_sentence(self.source, self.dropped, len(self))


def unknown_in(vocabulary, bag_sizes, ids, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Of each field (F,) how many values of these ids are unknown, and how many there are.

    Of the fields of one value a row these are the rows, of the bags the slots that have a weight.
    """
    single = len(vocabulary) - len(bag_sizes)
    last = [-2 if f.unknown is None else f.unknown for f in vocabulary.fields]
    gone = np.where(np.array(last) == -2, -1, vocabulary.offsets + last)  # -1 is nobody's id
    lost, there = np.zeros((2, len(vocabulary)), np.int64)
    lost[:single] = (ids[:, :single] == gone[:single]).sum(axis=0)
    there[:single] = len(ids)
    first = single
    for f, size in enumerate(bag_sizes, single):
        some = weights[:, first - single : first - single + size] != 0
        lost[f] = ((ids[:, first : first + size] == gone[f]) & some).sum()
        there[f] = some.sum()
        first += size
    return lost, there


def _given(feat_mapper, defaults, vocabulary):
    """The vocabulary that was given, whichever way, and whether its fields have their names."""
    if vocabulary is not None:
        if feat_mapper is not None or defaults is not None:
            raise ValueError('vocabulary and feat_mapper are given: give one of the two.')
        vocabulary = getattr(vocabulary, 'vocabulary', vocabulary)  # of an encoder or a data set
        if not isinstance(vocabulary, Vocabulary):
            raise ValueError(f'vocabulary is a {type(vocabulary).__name__}: give a Vocabulary.')
        return vocabulary, True
    if feat_mapper is None:
        if defaults is not None:
            raise ValueError('defaults is given without feat_mapper: give both, or none.')
        return None, False
    if isinstance(feat_mapper, Vocabulary):
        return feat_mapper, True
    if not isinstance(feat_mapper, Mapping):
        raise ValueError(f'feat_mapper is a {type(feat_mapper).__name__}: give a dict by field.')
    whole = getattr(feat_mapper, 'vocabulary', None)
    if whole is not None and (defaults is None or dict(defaults) == dict(whole.defaults)):
        return whole, True
    return Vocabulary.from_mappers(feat_mapper, defaults), False


def _width(num_feat, of_vocabulary):
    """Number of fields to expect; None where the data says."""
    whole = isinstance(num_feat, (int, np.integer)) or (
        isinstance(num_feat, (float, np.floating)) and float(num_feat).is_integer()
    )
    if not whole or isinstance(num_feat, bool) or num_feat < 1:
        raise ValueError(f'num_feat is {shown(num_feat)}: give the number of fields, 1 or more.')
    if of_vocabulary is None:
        return None if num_feat == NUM_FEAT else int(num_feat)
    if num_feat not in (NUM_FEAT, of_vocabulary):
        raise ValueError(
            f'num_feat is {num_feat} and feat_mapper has {of_vocabulary} fields: give the same '
            'number, or leave num_feat out.'
        )
    return of_vocabulary


def _read(source, vocabulary, label, dense, width, must_have_label=True):
    """Read a frame or a file."""
    if isinstance(source, pd.DataFrame):
        return read_frame(source, vocabulary, label, dense, width, must_have_label)
    _check_path(source)
    if label is not None and label is not False:
        raise ValueError(
            f'label is {shown(label)}, and a file has no names: its label stands first; or read it '
            'by pandas.read_csv and give the frame.'
        )
    if width is not None:
        width += len(dense)
    elif vocabulary is not None:
        width = len(vocabulary.columns) + len(dense)
    labelled = True if must_have_label else (None if label is None else False)
    table = read_file(source, width, labelled=labelled)
    return _with_dense(table, dense) if dense else table


def _with_dense(table, dense):
    """Move columns of a file, known by their default names, from the fields to the dense ones."""
    by_name = {c.name: c for c in table.fields}
    for name in dense:
        if name not in by_name:
            raise ValueError(
                f'{table.source} has no column {name!r}: a file has no names, and its columns '
                f"are 'field 1' to 'field {len(by_name)}'."
            )
    columns = [_floats(by_name[name], table.source) for name in dense]
    table.dense = np.stack(columns, axis=1)
    table.dense_names = list(dense)
    table.fields, table.codes = [c for c in table.fields if c.name not in dense], None
    if not table.fields:
        raise ValueError(f'{table.source} has only dense columns: leave at least one field.')
    return table


def _floats(column, source):
    """A column of a file as float32."""
    cells = [to_float(n) for n in numbers_of(column.cells)]
    numbers = np.array(cells, np.float64)[column.codes]
    return finite(
        numbers, column.name, lambda i: (f'row {i + 1} of {source}', column.cells[column.codes[i]])
    )


def _check_path(source):
    if not isinstance(source, (str, bytes, os.PathLike)):
        give = 'give the path of a file, or a pandas.DataFrame with the label in its first column'
        if isinstance(source, pd.DataFrame):
            give = 'give the path of a file; a frame goes to CTRDataset, or to d2l.read'
        raise ValueError(f'the source is a {type(source).__name__}: {give}.')


def _check_criteo(vocabulary):
    if vocabulary.columns not in (CRITEO, default_names(len(CRITEO))):
        raise ValueError(
            f'the vocabulary has the fields {vocabulary.columns[:5]} and so on, and Criteo has '
            'I1-I13 and C1-C26: give one that from_criteo fitted.'
        )


def _read_criteo(path, dense, labelled):
    """Read a file in Criteo's format; `labelled` None for with a label or without."""
    _check_path(path)
    try:
        with open(path, encoding='utf-8-sig') as file:
            first = file.readline().lower()
    except UnicodeDecodeError:
        raise not_text(path) from None
    separator = '\t' if '\t' in first else ','
    header = first.startswith(('label' + separator, 'i1' + separator))
    table = read_file(
        path, len(CRITEO), separator=separator, header=header, labelled=labelled, names=CRITEO
    )
    table.label = None if table.labels is None else 'label'
    _bin_counts(table, dense, str(path))
    return table


def _bin_counts(table, dense, where):
    """Counts as categories by the log-square rule and, if wanted, as dense features."""
    columns = []
    for f, column in enumerate(table.fields):
        if column.name not in COUNTS:
            continue
        numbers = numbers_of(column.cells)
        for code, (cell, number) in enumerate(zip(column.cells, numbers)):
            if is_missing(cell):
                continue
            if number is None or not math.isfinite(float(number)):
                raise ValueError(
                    f'{where}: {column.name} of row {column.first_row(code) + 1} is {cell!r}: '
                    'give a number or leave the cell empty.'
                )
        counts = [to_float(n) for n in numbers]
        binned = [
            '' if n is None else f'bin {math.floor(math.log(v) ** 2)}' if v > 2 else n
            for n, v in zip(numbers, counts)
        ]
        table.fields[f] = Column(column.name, *distinct(binned, column.codes))
        if dense:
            logs = np.log1p(np.maximum(np.nan_to_num(np.array(counts, np.float64)), 0))
            columns.append(logs.astype(np.float32)[column.codes])
    if dense:
        table.dense, table.dense_names = np.stack(columns, axis=1), list(COUNTS)
