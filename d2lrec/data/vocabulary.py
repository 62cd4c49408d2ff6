"""The values of each field and their ids: what turns a column into numbers, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Optional, Union

import numpy as np
import pandas as pd

from ..arguments import shown
from .hashed import HashedField, checked_hashed, hashed_fields
from .json_files import is_whole, read_json, save_json
from .plain import loops_at_hand
from .values import (
    MISSING,
    Column,
    distinct,
    in_other_width,
    is_missing,
    is_number,
    numbers_of,
    read_column,
    spelled,
    text_of,
)

__all__ = ['Field', 'Vocabulary', 'load_vocab']

KINDS = ('number', 'text')
FILL = 4_096  # rows of ids that the cache holds
LARGE = 1_000_000  # ids that compiled loops are asked to fill in, where they are at hand


@dataclass(frozen=True)
class Field:
    """The values of one field, in the order of their ids.

    Parameters
    ----------
    name : str
    values : tuple of str
        Spelled as `CTRDataset` says; `''` is the missing value.
    kind : 'number' or 'text'
        In a field of numbers any spelling of a number finds it.
    unknown : int or None
        The id, within the field, of every value that is not among `values`, usually the last;
        the values have the other ids in order. None where the field has no such id.
    counts : tuple of int, optional
        How often each value occurred. Equality of fields does not look at it.

    Examples
    --------
    >>> town = Field('town', ('Oslo', 'Rome'), 'text', 2)
    >>> town.dim, dict(town.ids)
    (3, {'Oslo': 0, 'Rome': 1})
    """

    name: str
    values: tuple
    kind: str = 'text'
    unknown: Optional[int] = None
    counts: Optional[tuple] = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        place = f'the field {self.name!r}'
        if not isinstance(self.name, str):
            raise ValueError(f'{place} has a name that is no text: name it in words.')
        if self.kind not in KINDS:
            raise ValueError(f"{place} is of the kind {self.kind!r}: choose 'number' or 'text'.")
        if not isinstance(self.values, tuple) or not set(map(type, self.values)) <= {str}:
            raise ValueError(f'{place} has values that are no text: spell them as text.')
        if len(set(self.values)) < len(self.values):
            twice = next(v for i, v in enumerate(self.values) if v in self.values[:i])
            raise ValueError(f'{place} has the value {twice!r} twice: give each an id of its own.')
        try:
            ''.join((self.name, *self.values)).encode()
        except UnicodeEncodeError:
            raise ValueError(f'{place} holds half a character: give text in UTF-8.') from None
        unknown = self.unknown
        if unknown is not None and not (is_whole(unknown) and 0 <= unknown <= len(self.values)):
            raise ValueError(
                f"{place} gives 'unknown values' the id {unknown!r}: give ids from 0 to "
                f'{len(self.values)}.'
            )
        if self.dim == 0:
            raise ValueError(f'{place} has no value and no id for unknown ones: leave it out.')
        counts = self.counts
        if counts is not None and (
            not isinstance(counts, tuple)
            or len(counts) != len(self.values)
            or not set(map(type, counts)) <= {int}
            or min(counts, default=0) < 0
        ):
            raise ValueError(f'{place} has counts that are not one whole number a value.')

    def __getstate__(self):  # without what is worked out again
        names = ('name', 'values', 'kind', 'unknown', 'counts')
        return {name: self.__dict__[name] for name in names}

    @property
    def dim(self) -> int:
        """Number of ids."""
        return len(self.values) + (self.unknown is not None)

    @property
    def column(self) -> str:
        """The column of its values."""
        return self.name

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """{value: id within the field}."""
        return MappingProxyType(self._ids)

    @cached_property
    def _ids(self):
        gap = len(self.values) if self.unknown is None else self.unknown
        return {v: i + (i >= gap) for i, v in enumerate(self.values)}

    @cached_property
    def _by_number(self):
        """{number: id}, -1 for a number that several values have; for fields of text."""
        found = {}
        for value, number in zip(self.values, numbers_of(self.values)):
            if number is not None:
                found[number] = -1 if number in found else self.ids[value]
        return found

    @cached_property
    def _by_float(self):
        """{float: id} of whole numbers that a float cannot tell apart, -1 for several."""
        found = {}
        for value, number in zip(self.values, numbers_of(self.values)):
            if number is not None and len(number) > 15:
                key = float(number)
                found[key] = -1 if key in found else self.ids[value]
        return found

    def find(self, cells: Sequence[Any]) -> np.ndarray:
        """The id within the field of each of a column's cells, as they came; -1 for an unknown.

        In a field of text, a column of numbers finds values by their number, where one has it.
        """
        if self.kind == 'text' and set(map(type, cells)) <= {str}:
            ids = self._ids
            return np.array([ids.get('' if c in MISSING else c, -1) for c in cells], np.int64)
        numbers = numbers_of(cells)
        typed = all(is_number(c) or is_missing(c) for c in cells)
        return np.array([self._find(c, n, typed) for c, n in zip(cells, numbers)], np.int64)

    def _find(self, cell, number, typed):
        if is_missing(cell):
            return self.ids.get('', -1)
        if self.kind == 'number' and number is not None:
            found = self.ids.get(number, -1)
            if found < 0 and isinstance(cell, (float, np.floating)) and len(number) > 15:
                found = self._by_float.get(float(cell), -1)
            if found < 0 and isinstance(cell, (float, np.floating)):
                found = self.ids.get(in_other_width(cell), -1)
            return found
        found = self.ids.get(text_of(cell), -1)
        if found < 0 and typed:
            found = self._by_number.get(number, -1)
            if found < 0 and isinstance(cell, (float, np.floating)):
                found = self._by_number.get(in_other_width(cell), -1)
        return found

    def value(self, within: int) -> Optional[str]:
        """The value of an id within the field; None for the id of unknown values."""
        if self.unknown is None or within < self.unknown:
            return self.values[within]
        return None if within == self.unknown else self.values[within - 1]

    @classmethod
    def fit(cls, column: Column, min_threshold: float = 4) -> Field:
        """The values that occur often enough: by falling count, equal counts by their text."""
        return cls._fit(column, min_threshold)[0]

    @classmethod
    def _fit(cls, column, min_threshold):
        """The field; of the column's words the ids within it and the rows; each row's word."""
        kind, words, codes = spelled(column)
        known = codes is column.codes
        counts = column.counted() if known else np.bincount(codes, minlength=len(words))
        one, within = cls._of_counts(column.name, kind, words, counts, min_threshold)
        return one, within, counts, codes

    @classmethod
    def _of_counts(cls, name, kind, words, counts, min_threshold):
        """The same, by how often each word occurs."""
        often = np.flatnonzero(counts >= min_threshold)
        texts = words if len(often) == len(words) else [words[i] for i in often.tolist()]
        # By text first; a sort that keeps the order of equals then sorts by falling count.
        by_text = _by_text(texts)
        order = by_text[np.argsort(-counts[often][by_text], kind='stable')]
        places = often[order]
        within = np.full(len(words), len(places), np.int64)
        within[places] = np.arange(len(places))
        values = tuple(texts) if len(texts) < 2 else itemgetter(*order.tolist())(texts)
        return cls(name, values, kind, len(values), tuple(counts[places].tolist())), within

    @classmethod
    def from_mapper(
        cls, name: str, ids: Mapping, unknown: Optional[int] = None, where: str = 'feat_mapper'
    ) -> Field:
        """Of a dict {value: id within the field}, each id once, and the id of unknown values."""
        if not isinstance(ids, Mapping):
            raise ValueError(f'{where}: {name} is a {type(ids).__name__}: give {{value: id}}.')
        unknown = len(ids) if unknown is None else unknown
        seen = {}
        for value, i in [('unknown values', unknown), *ids.items()]:
            whole = isinstance(i, (int, np.integer)) and not isinstance(i, bool)
            if not whole or not 0 <= i <= len(ids):
                raise ValueError(
                    f'{where}: {name} gives {value!r} the id {i!r}: give ids from 0 to {len(ids)}.'
                )
            if int(i) in seen:
                raise ValueError(
                    f'{where}: {name} gives {seen[int(i)]!r} and {value!r} the same id, {i}: '
                    'give each its own.'
                )
            seen[int(i)] = value
        values = tuple(text_of(v) for v in sorted(ids, key=ids.get))
        plain = all(n == v or v == '' for n, v in zip(numbers_of(values), values))
        return cls(name, values, 'number' if plain else 'text', int(unknown))

    def extend(self, column: Column, min_threshold: float = 4) -> Field:
        """The field with the column's values that it lacks and that occur often enough.

        The old values keep their order and come first; then the new ones, by falling count and
        then text; last the id of unknown values. In a field of numbers other text becomes a
        value as it is.
        """
        _, words, codes = spelled(column, self.kind)
        found = dict(zip(words, np.bincount(codes, minlength=len(words)).tolist()))
        kept = sorted(
            [(-c, w) for w, c in found.items() if c >= min_threshold and w not in self.ids]
        )
        old = self.counts or (0,) * len(self.values)
        return Field(
            self.name,
            self.values + tuple(w for _, w in kept),
            self.kind,
            len(self.values) + len(kept),
            tuple(c + found.get(v, 0) for v, c in zip(self.values, old))
            + tuple(-c for c, _ in kept),
        )


class Vocabulary:
    """The fields of a data set: their values, and an id for each.

    Field f owns the ids ``offsets[f]`` up to ``offsets[f] + dims[f]``, so that one embedding
    matrix of V = `num_features` rows serves all fields.

    Parameters
    ----------
    fields : sequence of Field or HashedField
    label : str, optional
        What the column of the labels was called; equality does not look at it.

    Attributes
    ----------
    names : list of F str
    columns : list of str, the columns that the fields are read from: one of several hashes once
    dims, offsets : int64 (F,)
    num_features : int, V

    Raises
    ------
    ValueError
        For no field, two of one name, or more ids than int32 can number.

    Examples
    --------
    >>> vocabulary = Vocabulary.fit({'town': ['Oslo', 'Rome', 'Oslo'], 'age': [5, 6, 6]}, 1)
    >>> vocabulary.dims.tolist(), vocabulary.id_of('age', 6), vocabulary.value_of(1)
    ([3, 3], 3, ('town', 'Rome'))
    >>> ids, unknown = vocabulary.encode({'age': ['6.0', 7], 'town': ['Rome', 'Oslo']})
    >>> ids.tolist(), unknown.tolist()
    ([[1, 3], [0, 5]], [0.0, 0.5])
    """

    def __init__(self, fields: Sequence[Field], label: Optional[str] = None):
        self.fields, self.label = tuple(fields), label
        if not self.fields:
            raise ValueError('the vocabulary has no field: give at least one.')
        self.names = [f.name for f in self.fields]
        for i, name in enumerate(self.names):
            if name in self.names[:i]:
                raise ValueError(f'two fields are called {name!r}: give each a name of its own.')
        self.columns = list(dict.fromkeys(f.column for f in self.fields))
        self.dims = np.array([f.dim for f in self.fields], np.int64)
        self.offsets = first_ids(self.dims)
        self.num_features = int(self.dims.sum())

    @classmethod
    def fit(
        cls,
        columns: Any,
        min_threshold: float = 4,
        label: Optional[str] = None,
        hashed: Optional[Mapping] = None,
    ) -> Vocabulary:
        """Fit each column: a dict {name: array or list}, a frame, or a list of `Column`.

        Values with `min_threshold` occurrences or more get an id, the most frequent foremost,
        equally frequent ones in the order of their text; the last id is that of all others.
        `hashed` is as for `CTRDataset`.
        """
        return cls.fit_encode(columns, min_threshold, label, hashed)[0]

    @classmethod
    def fit_encode(
        cls,
        columns: Any,
        min_threshold: float = 4,
        label: Optional[str] = None,
        hashed: Optional[Mapping] = None,
        into: Optional[np.ndarray] = None,
    ) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
        """`fit` and then `encode` of the same columns, each of which is read once."""
        check_threshold(min_threshold)
        columns, fields, found = as_columns(columns), [], []
        hashed = checked_hashed(hashed, [c.name for c in columns])
        for column in columns:
            if column.name in hashed:
                kind, words, codes = spelled(column)
                for one, within in hashed_fields(column.name, hashed[column.name], kind, words):
                    fields.append(one)
                    found.append((within, codes))
                continue
            one, within, _, codes = Field._fit(column, min_threshold)
            fields.append(one)
            found.append((within, codes))
        new = cls(fields, label)
        matrix = _memory(into, len(columns[0].codes), len(fields))
        unknown = np.zeros(len(fields))
        for f, ((within, codes), offset) in enumerate(zip(found, new.offsets)):
            if fields[f].unknown is not None:
                unknown[f] = (len(codes) - sum(fields[f].counts)) / max(len(codes), 1)
            found[f] = (within + offset).astype(np.int32), codes
        fill(matrix, found)
        return new, matrix, unknown

    @classmethod
    def from_mappers(
        cls,
        feat_mapper: Mapping,
        defaults: Optional[Mapping] = None,
        names: Optional[Sequence[str]] = None,
        where: str = 'feat_mapper',
        label: Optional[str] = None,
    ) -> Vocabulary:
        """Of the original chapters' dicts {1..F: {value: id}} and {1..F: id of unknown values}.

        Without `defaults`, unknown values have the id after the last; without `names`, the
        fields are called 'field 1' and so on.
        """
        for given, what in (feat_mapper, 'feat_mapper'), (defaults, 'defaults'):
            if given is not None and not isinstance(given, Mapping):
                raise ValueError(f'{what} is a {type(given).__name__}: give a dict by field.')
        wanted = set(range(1, len(feat_mapper) + 1))
        given = feat_mapper if defaults is None else defaults
        if not wanted or set(feat_mapper) != wanted or set(given) != wanted:
            raise ValueError(
                f'{where}: the vocabulary has the fields {list(feat_mapper)[:5]} and the '
                f'defaults {list(given)[:5]}: number both from 1 to F.'
            )
        names = default_names(len(wanted)) if names is None else names
        fields = []
        for f in sorted(wanted):
            unknown = None if defaults is None else defaults[f]
            if defaults is not None and unknown is None:
                unknown = 'None'  # refused there
            made = Field.from_mapper(f'field {f}', feat_mapper[f], unknown, where)
            fields.append(Field(str(names[f - 1]), made.values, made.kind, made.unknown))
        return cls(fields, label)

    def renamed(self, names: Sequence[str], label: Optional[str] = None) -> Vocabulary:
        """The same values and ids in fields of other names, in order."""
        return Vocabulary([replace(f, name=n) for f, n in zip(self.fields, names)], label)

    @property
    def mappers(self) -> Mappers:
        """`feat_mapper`, read-only: {1..F: {value: id within the field}}."""
        return Mappers(self, [f.ids for f in self.fields])

    @property
    def defaults(self) -> Mappers:
        """`defaults`, read-only: {1..F: id within the field of unknown values}."""
        return Mappers(self, [f.unknown for f in self.fields])

    @property
    def has_default_names(self) -> bool:
        """Whether the fields are known by their place only: 'field 1' and so on."""
        return all(place_of(name) is not None for name in self.names)

    def encode(
        self, columns: Any, into: Optional[np.ndarray] = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The ids of each row, and the share of unknown values of each field.

        Parameters
        ----------
        columns : dict {name: array or list}, a frame, or a list of `Column`
            Found by name, in any order; others are passed over.
        into : int32 (N, F), optional
            Memory for the ids, where it has their shape. Column f of it may be that of field f's
            codes, which are lost then.

        Returns
        -------
        ids : int32 (N, F), offset by field
        unknown : float64 (F,)
        """
        found = {c.name: c for c in as_columns(columns, self.columns)}
        lengths = {len(c.codes) for c in found.values()}
        if len(lengths) > 1:
            raise ValueError(f'the columns have {sorted(lengths)} rows: give as many in each.')
        ids = _memory(into, lengths.pop(), len(self.fields))
        unknown, tables = np.zeros(len(self.fields)), []
        for f, (one, offset) in enumerate(zip(self.fields, self.offsets)):
            column = found[one.column]
            within = one.find(column.cells)
            lost = within < 0
            if lost.any():
                rows = column.counted()[lost].sum()
                unknown[f] = rows / max(len(column.codes), 1)
                if one.unknown is None:
                    cell = column.cells[int(np.argmax(lost))]
                    raise ValueError(
                        f'{one.name!r} has the value {cell!r}, which is not among its '
                        f'{len(one.values)} and has no id: give one of {one.values[:5]}.'
                    )
                within[lost] = one.unknown
            tables.append(((within + offset).astype(np.int32), column.codes))
        fill(ids, tables)
        return ids, unknown

    def number_of(self, field: Union[str, int]) -> int:
        """Place, from 0, of a field given by its name or by its number from 1."""
        if isinstance(field, str) and field in self.names:
            return self.names.index(field)
        whole = isinstance(field, (int, np.integer)) and not isinstance(field, bool)
        if whole and 1 <= field <= len(self.fields):
            return int(field) - 1
        raise ValueError(
            f'there is no field {shown(field)}: choose from {self.names} or 1 to '
            f'{len(self.fields)}.'
        )

    def id_of(self, field: Union[str, int], value: Any) -> int:
        """The id of a field's value; the one of unknown values for None.

        Raises ValueError where the vocabulary does not hold the value.
        """
        f = self.number_of(field)
        one = self.fields[f]
        if value is None and isinstance(one, HashedField):
            raise ValueError(
                f'{one.name!r} has a bucket for every value and no id for unknown ones: ask for a '
                'value.'
            )
        within = one.unknown if value is None else int(one.find([value])[0])
        if within is None or within < 0:
            cure = 'ask for None to get the id of unknown values'
            if one.unknown is None:
                cure = f'ask for one of {one.values[:5]}'
            raise ValueError(
                f'the vocabulary of {one.name!r} does not hold '
                f'{value if value is None else text_of(value)!r}: {cure}.'
            )
        return int(self.offsets[f]) + within

    def ids_of(self, field: Union[str, int]) -> slice:
        """The ids of a field (name, or number from 1) as a slice of the embedding matrix."""
        f = self.number_of(field)
        return slice(int(self.offsets[f]), int(self.offsets[f] + self.dims[f]))

    def value_of(self, id: int) -> tuple[str, Optional[str]]:
        """(field name, value) of an id; the value is None for the id of unknown values."""
        whole = isinstance(id, (int, np.integer)) and not isinstance(id, bool)
        if not whole or not 0 <= id < self.num_features:
            raise ValueError(
                f'there is no id {shown(id)}: give one from 0 to {self.num_features - 1}.'
            )
        f = int(np.searchsorted(self.offsets, id, side='right')) - 1
        return self.names[f], self.fields[f].value(int(id) - int(self.offsets[f]))

    def extend(self, data: Any, min_threshold: float = 4) -> Vocabulary:
        """A vocabulary for newer data, in which every old value keeps its order in its field.

        Values of `data` that are new and occur `min_threshold` times or more follow the old
        ones, and the id of unknown values stands last again.

        Parameters
        ----------
        data : a frame or dict with a column for each field, or encoded data
            Of data that another vocabulary encoded, such as a CTRDataset, only the values that have
            an id count.
        """
        check_threshold(min_threshold)
        if isinstance(getattr(data, 'vocabulary', None), Vocabulary):
            data = _decoded(data)
        found = {c.name: c for c in as_columns(data, self.columns)}
        return Vocabulary(
            [f.extend(found[f.column], min_threshold) for f in self.fields], self.label
        )

    def __eq__(self, other):
        return self is other or (isinstance(other, Vocabulary) and self.fields == other.fields)

    __hash__ = None

    def __len__(self):
        return len(self.fields)

    def __repr__(self):
        return f'Vocabulary({len(self.fields)} fields, {self.num_features:,} features)'

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            'version': 1,
            'label': self.label,
            'fields': [
                f.to_json()
                if isinstance(f, HashedField)
                else {
                    'name': f.name,
                    'kind': f.kind,
                    'unknown': f.unknown,
                    'values': list(f.values),
                    'counts': None if f.counts is None else list(f.counts),
                }
                for f in self.fields
            ],
        }

    @classmethod
    def from_json(cls, content: Any) -> Vocabulary:
        """Of what `to_json` gave, every entry checked.

        Also reads what version 0 wrote, `{'fields': [{'name', 'values': {value: id}, 'default'}]}`.
        Raises ValueError, KeyError, TypeError or AttributeError for anything else; `load` turns
        them into one sentence.
        """
        if content.get('version', 0) not in (0, 1) or not isinstance(content['fields'], list):
            raise ValueError('its fields, or its version, are of another kind')
        label = content.get('label')
        if label is not None and not isinstance(label, str):
            raise ValueError('the name of its label is no text')
        fields = []
        for f, entry in enumerate(content['fields'], 1):
            if content.get('version', 0) == 0:
                name = entry.get('name', f'field {f}')
                mapper = Field.from_mapper(f'field {f}', entry['values'], entry['default'], 'it')
                fields.append(Field(name, mapper.values, mapper.kind, mapper.unknown))
                continue
            if 'buckets' in entry:
                fields.append(HashedField.from_json(entry))
                continue
            values, counts = entry['values'], entry['counts']
            if not isinstance(values, list) or not isinstance(counts, (list, type(None))):
                raise ValueError(f'field {f} has values or counts that are no list')
            counts = None if counts is None else tuple(counts)
            fields.append(
                Field(entry['name'], tuple(values), entry['kind'], entry['unknown'], counts)
            )
        return cls(fields, label)

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Write as JSON: whole or not at all."""
        save_json(path, self.to_json())

    @classmethod
    def load(cls, path: Union[str, os.PathLike]) -> Vocabulary:
        """Read what `save` wrote; ValueError where the file holds something else."""
        return read_json(path, cls.from_json, 'vocabulary')


class Mappers(Mapping):
    """A read-only dict {1..F: entry} of a vocabulary's fields, for the original chapters' code."""

    def __init__(self, vocabulary: Vocabulary, entries: Sequence[Any]):
        self.vocabulary = vocabulary
        self._entries = {f: e for f, e in enumerate(entries, 1) if e is not None}

    def __getitem__(self, field: int) -> Any:
        return self._entries[field]

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __len__(self):
        return len(self._entries)

    def __repr__(self):
        entries = {f: dict(e) if isinstance(e, Mapping) else e for f, e in self.items()}
        return repr(entries)


def load_vocab(path: Union[str, os.PathLike]) -> tuple[Mappers, Mappers]:
    """Read what `save_vocab` wrote, as `feat_mapper, defaults`.

    ``CTRDataset(data, *load_vocab(path))`` then encodes as the training data was. Raises
    ValueError where the file holds something else.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), 'vocabulary.json')
    >>> Vocabulary.fit({'town': ['Oslo', 'Rome', 'Oslo']}, min_threshold=1).save(path)
    >>> feat_mapper, defaults = load_vocab(path)
    >>> dict(feat_mapper[1]), defaults[1]
    ({'Oslo': 0, 'Rome': 1}, 2)
    """
    vocabulary = Vocabulary.load(path)
    return vocabulary.mappers, vocabulary.defaults


def as_columns(columns: Any, names: Optional[Sequence[str]] = None) -> list[Column]:
    """Columns by name: of a dict, a frame or a list of `Column`; `names` picks among them."""
    if isinstance(columns, (list, tuple)):
        if not all(isinstance(c, Column) for c in columns):
            raise ValueError(f'the columns are {shown(columns)}: give a dict {{name: values}}.')
        found = {c.name: c for c in columns}
    elif isinstance(columns, Mapping):
        found = {str(name): c for name, c in columns.items()}
    elif isinstance(columns, pd.DataFrame):
        found = {str(name): columns.iloc[:, i] for i, name in enumerate(columns.columns)}
    else:
        raise ValueError(
            f'the columns are a {type(columns).__name__}: give a dict {{name: values}} or a frame.'
        )
    names = list(found) if names is None else names
    for name in names:
        if name not in found:
            raise ValueError(f'there is no column {name!r}: the data has {", ".join(found)}.')
    return [read_column(name, found[name]) for name in names]


def _decoded(data):
    """The values of encoded data as columns; rows whose value has no id are left out."""
    columns = []
    for f, (one, offset) in enumerate(zip(data.vocabulary.fields, data.vocabulary.offsets)):
        if isinstance(one, HashedField):  # which no value extends
            columns.append(Column(one.name, [''], np.zeros(len(data), np.int32)))
            continue
        within = data.columns['ids'][:, f] - offset
        cells = [one.value(i) for i in range(one.dim)]
        kept = within if one.unknown is None else within[within != one.unknown]
        words = ['' if c is None else c for c in cells]
        columns.append(Column(one.name, *distinct(words, kept)))
    return columns


def _memory(into, rows, fields):
    same = into is not None and into.shape == (rows, fields)
    return into if same else np.empty((rows, fields), np.int32)


def fill(ids: np.ndarray, tables: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Column f of `ids` (N, F) from a table of ids and the rows' places in it, `tables[f]`.

    Some rows at a time, all columns of them: a column at a time would go through the whole
    matrix once for each.
    """
    loops = loops_at_hand() if ids.size >= LARGE else None
    for start in range(0, len(ids), FILL):
        rows = slice(start, start + FILL)
        for f, (table, codes) in enumerate(tables):
            if loops is not None:
                loops.fill_column(ids[rows, f], table, codes[rows])
            else:
                ids[rows, f] = table[codes[rows]]


def _by_text(texts: Sequence[str]) -> np.ndarray:
    """The places of different texts in their order."""
    joined = ''.join(texts)
    if joined.isascii() and '\0' not in joined and max(map(len, texts), default=9) <= 8:
        # As numbers whose first byte weighs most, and whose last ones are 0 behind a shorter text.
        return np.argsort(np.array(texts, 'S8').view('>u8').astype(np.uint64), kind='stable')
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), np.int64)


def default_names(count: int) -> list[str]:
    """Names of columns that have none: 'field 1', 'field 2' and so on."""
    return [f'field {f + 1}' for f in range(count)]


def place_of(name: str) -> Optional[int]:
    """The number in a default name; None for any other name."""
    digits = name[6:]
    plain = name.startswith('field ') and digits.isdigit() and digits.isascii()
    return int(digits) if plain and digits[0] != '0' else None


def first_ids(dims: Sequence[int]) -> np.ndarray:
    """First id of each field (F,) int64; ValueError where the ids do not fit int32."""
    total = sum(map(int, dims))
    if total >= 2**31:
        raise ValueError(
            f'the fields have {total:,} features, more than int32 ids can number: raise '
            'min_threshold.'
        )
    return np.concatenate([[0], np.cumsum(dims[:-1])]).astype(np.int64)


def check_threshold(min_threshold: Any) -> None:
    """Refuse a threshold that is no number from 1 on."""
    number = isinstance(min_threshold, (int, float, np.integer, np.floating))
    if not number or isinstance(min_threshold, bool) or not min_threshold >= 1:
        raise ValueError(f'min_threshold is {shown(min_threshold)}: give a number, 1 or more.')
