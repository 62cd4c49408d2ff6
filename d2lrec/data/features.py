"""Features made of other columns: crosses, numbers on one scale, fields of several values.

Each is fitted to the training data, `apply` adds it to any data set, and the data set's encoder
remembers it: new rows are treated alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np

from ..arguments import check_list, shown
from .columns import Examples, even_array
from .ctr import CTRDataset, Encoded, Rows
from .encoder import Encoder, Step
from .json_files import is_whole
from .vocabulary import Field, Vocabulary, check_threshold, first_ids

__all__ = ['Bags', 'Crosses', 'MultiHot', 'Quantiles', 'Standardize', 'STEPS', 'multi_hot']


class Crosses(Step):
    """Cross-product features: which values two or more fields take together.

    φ(x) = ∏ x_i^c over the one-hot inputs x (Cheng et al., 2016, equation (1)) is 1 where all
    the values that c picks occur in the row. A row has exactly one of them for each tuple of
    fields, so a cross is one more field, whose values are tuples of words. A value that the
    dataset's vocabulary does not hold takes part as None, as it has an id of its own there too.

    Parameters
    ----------
    data : CTRDataset
        The training set, to which the vocabulary of tuples is fitted.
    fields : list of tuples of two or more field names (or numbers from 1)
    min_threshold : number
        Rows that a tuple needs to enter the vocabulary: the most frequent come first, equally
        frequent ones in the order of their text. All others share the cross's last id.
    num_buckets : int, optional
        No vocabulary: a hash of the words (BLAKE2, the same in every run) picks one of so many
        ids a cross. Different tuples may share one.

    Attributes
    ----------
    fields : list of C tuples of field names
    dims : int64 (C,), number of ids of each cross: what `WideDeep` takes as `cross_dims`
    vocab : list of C dicts {tuple of words: id within the cross}; empty where hashed

    Raises
    ------
    ValueError
        For no cross, one of fewer than two fields, a field twice or not in the data, a threshold
        or number of buckets below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({'y': [1, 0, 1], 'a': list('ppq'), 'b': list('xyx')})
    >>> train = CTRDataset(frame, min_threshold=1)
    >>> Crosses(train, [('a', 'b')], min_threshold=1).apply(train).features.tolist()
    [[0, 3, 6], [0, 4, 7], [1, 3, 8]]
    """

    def __init__(
        self,
        data: CTRDataset,
        fields: Sequence[Sequence[Union[str, int]]],
        min_threshold: float = 4,
        num_buckets: Optional[int] = None,
    ):
        check_threshold(min_threshold)
        if num_buckets is not None:
            whole = isinstance(num_buckets, (int, np.integer, float, np.floating))
            whole = whole and not isinstance(num_buckets, bool) and num_buckets == num_buckets // 1
            if not whole or num_buckets < 1:
                raise ValueError(
                    f'num_buckets is {shown(num_buckets)}: give a whole number, 1 or more.'
                )
            num_buckets = int(num_buckets)
        _check_clicks(data, 'Crosses')
        vocabulary = data.vocabulary
        wanted = 'a list of tuples of field names'
        fields = check_list(fields, 'fields', wanted)
        fields = [check_list(cross, 'a cross', wanted) for cross in fields]
        self.fields = [
            tuple(vocabulary.names[vocabulary.number_of(f)] for f in cross) for cross in fields
        ]
        self.num_buckets, self.vocab = num_buckets, []
        self._check()
        for cross in self.fields:
            tuples, codes = _tuples(data, cross) if num_buckets is None else ([], [])
            counts = np.bincount(codes, minlength=len(tuples)).tolist() if tuples else []
            kept = sorted(
                [(-c, _in_order(t), t) for c, t in zip(counts, tuples) if c >= min_threshold]
            )
            self.vocab.append({t: i for i, (_, _, t) in enumerate(kept)})

    def _check(self):
        if not self.fields:
            raise ValueError('There is no cross: give at least one tuple of field names.')
        for cross in self.fields:
            if len(set(cross)) < max(2, len(cross)):
                raise ValueError(f'The cross {cross} needs two or more different fields.')

    @property
    def dims(self) -> np.ndarray:
        """Number of ids of each cross, (C,): what `WideDeep` takes as `cross_dims`."""
        return np.array([self.num_buckets or len(v) + 1 for v in self.vocab], np.int64)

    def apply(self, data: CTRDataset) -> CTRDataset:
        """The data with ids (N, F + C): those of the F fields, then those of the C crosses.

        Crosses go on where the fields end, at V = sum(field_dims) of `data`.
        """
        _check_clicks(data, 'Crosses')
        offsets = first_ids([*data.field_dims, *self.dims])[len(data.field_dims) :]
        columns = [data.features]
        for c, cross in enumerate(self.fields):
            tuples, codes = _tuples(data, cross)
            ids = np.array([self.id_of(c, t) for t in tuples], np.int64) + offsets[c]
            columns.append(ids.astype(np.int32)[codes][:, None])
        return data.with_step(self, ids=np.concatenate(columns, axis=1))

    def id_of(self, cross: int, words: Sequence[Optional[str]]) -> int:
        """Id, within the cross (its number from 0), of a tuple of words; None for an unknown."""
        if self.num_buckets is None:
            return self.vocab[cross].get(tuple(words), len(self.vocab[cross]))
        text = json.dumps([self.fields[cross], words], ensure_ascii=False)
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, 'big') % self.num_buckets

    def tables(self, tables: list) -> list:
        """See `Step.tables`."""
        for cross, dim, vocab in zip(self.fields, self.dims.tolist(), self.vocab):
            hashed = {bucket: bucket for bucket in range(dim)}
            ids = hashed if self.num_buckets else {**vocab, None: len(vocab)}
            tables = [*tables, (cross, dim, ids)]
        return tables

    def __repr__(self):
        how = 'hashed' if self.num_buckets else 'with a vocabulary'
        return f'Crosses({self.fields}, {self.dims.sum():,} ids, {how})'

    def to_json(self) -> dict:
        """See `Step.to_json`."""
        return {
            'num_buckets': self.num_buckets,
            'crosses': [
                {'fields': list(cross), 'values': [list(words) for words in vocab]}
                for cross, vocab in zip(self.fields, self.vocab)
            ],
        }

    @classmethod
    def from_json(cls, content: Any) -> Crosses:
        """See `Step.from_json`; every entry is checked."""
        crosses = cls.__new__(cls)
        crosses.num_buckets, entries = content['num_buckets'], content['crosses']
        buckets = crosses.num_buckets
        if buckets is not None and not (is_whole(buckets) and 1 <= buckets < 2**31):
            raise ValueError(
                f'num_buckets is {shown(buckets)}, not a whole number from 1 to 2^31 - 1'
            )
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ValueError('its crosses are no list')
        crosses.fields = [tuple(_texts(e['fields'], 'fields')) for e in entries]
        crosses._check()
        crosses.vocab = []
        for cross, entry in zip(crosses.fields, entries):
            vocab = {}
            if not isinstance(entry['values'], list) or (buckets and entry['values']):
                raise ValueError(f'the values of the cross {cross} are no list, or it is hashed')
            for words in entry['values']:
                words = tuple(_texts(words, f'words of {cross}', or_none=True))
                if len(words) != len(cross) or words in vocab:
                    raise ValueError(
                        f'{words} of the cross {cross} is too short, long or there twice'
                    )
                vocab[words] = len(vocab)
            crosses.vocab.append(vocab)
        first_ids(crosses.dims)
        return crosses


def _check_clicks(data, what):
    """Refuse data that is not encoded by a vocabulary, or has crosses or bags already."""
    if not isinstance(data, (CTRDataset, Rows)):
        raise ValueError(f'{what} got a {type(data).__name__}: give a CTRDataset.')
    if data.bag_sizes:
        raise ValueError(f'{what}: the data has bags already: give the data without them.')
    if data.features.shape[1] != len(data.vocabulary):
        raise ValueError(f'{what}: the data has crosses already: give the data without them.')


def _tuples(data, cross):
    """The distinct tuples of words of some fields, and each row's code (N,) among them."""
    codes, parts = np.zeros(len(data), np.int64), []
    vocabulary = data.vocabulary
    for name in cross:
        f = vocabulary.number_of(name)
        one, offset = vocabulary.fields[f], vocabulary.offsets[f]
        # Numbered anew at each field, so that codes never exceed rows times ids.
        found, codes = np.unique(
            codes * one.dim + data.features[:, f] - offset, return_inverse=True
        )
        codes = codes.reshape(-1)
        before, within = np.divmod(found, one.dim)
        parts = [[part[b] for b in before] for part in parts]
        parts.append([one.value(i) for i in within.tolist()])
    return list(zip(*parts)), codes


def _in_order(words):
    """A key that sorts tuples of words by text, None before all."""
    return [(word is not None, word or '') for word in words]


class _DenseStep(Step):
    """What maps each dense feature by itself, as fitted to the training data.

    Parameters
    ----------
    data : a data set with dense features, or a matrix (N, D)
    names : list of D str, optional
        By default those of the data set.
    """

    names: list

    def _matrix(self, data, names):
        """The matrix to fit to, in float64; sets the names."""
        if isinstance(data, Examples):
            if 'dense' not in data.columns:
                raise ValueError(
                    f'{type(self).__name__}: the data has no dense features: read some by dense=, '
                    'or set data.dense.'
                )
            names = data.column_names.get('dense') if names is None else names
            data = data.columns['dense']
        try:
            shape = np.shape(data if hasattr(data, 'shape') else even_array(data))
        except ValueError:
            raise ValueError(f'The features are {shown(data)}: give a matrix (N, D).') from None
        if len(shape) != 2 or 0 in shape:
            raise ValueError(
                f'The features have shape {shape}: give a matrix (N, D) with at least one row '
                'and one column.'
            )
        names = [f'dense {d + 1}' for d in range(shape[1])] if names is None else names
        self.names = [str(n) for n in check_list(names, 'names', 'a name for each column')]
        return self._checked(data)

    def _checked(self, dense):
        try:
            dense = np.asarray(dense, np.float64)
        except (TypeError, ValueError):
            raise ValueError('The features are no numbers: give a matrix of floats.') from None
        if dense.ndim != 2 or dense.shape[1] != len(self.names):
            raise ValueError(
                f'The features have shape {dense.shape}: give a matrix of '
                f'{len(self.names)} columns, {self.names}.'
            )
        bad = np.argwhere(~np.isfinite(dense))
        if len(bad):
            row, column = bad[0]
            raise ValueError(
                f'{self.names[column]!r} of row {row + 1} is {dense[row, column]}: '
                'fill in what is missing, with the mean of the training data say.'
            )
        return dense

    def transform(self, dense: Any) -> np.ndarray:
        """A matrix (N, D) -> (N, D) float32."""
        return self._map(self._checked(dense)).astype(np.float32)

    def _map(self, dense):
        raise NotImplementedError

    def apply(self, data: Examples) -> Examples:
        """The data with its dense features so mapped."""
        if not isinstance(data, Examples) or 'dense' not in data.columns:
            raise ValueError(
                f'{type(self).__name__}: the data has no dense features: give a data set with '
                f'{", ".join(self.names)}, or transform a matrix.'
            )
        dense = self.transform(data.columns['dense'])
        return (
            data.with_step(self, dense=dense)
            if isinstance(data, Encoded)
            else (data.with_columns(dense=dense))
        )

    def __repr__(self):
        return f'{type(self).__name__}({", ".join(self.names)})'

    @classmethod
    def _from_features(cls, features):
        """An instance with the names of a list of dicts, checked."""
        if not isinstance(features, list) or not features:
            raise ValueError('its features are no list')
        step = cls.__new__(cls)
        step.names = _texts([feature['name'] for feature in features], 'names')
        if len(set(step.names)) < len(step.names):
            raise ValueError(f'its names, {step.names}, are not different')
        return step


class Quantiles(_DenseStep):
    """Map each continuous feature to [0, 1] by its quantile in the training data.

    A value x in the i-th of n quantiles, by P(X <= x), becomes (i - 1) / (n - 1): Cheng et al.,
    Wide & Deep Learning (2016), section 4.1. The map is a staircase. Scikit-learn's
    QuantileTransformer draws straight lines between the quantiles instead, which is another map,
    and has no form to be kept as text.

    Parameters
    ----------
    data : a data set with dense features, or a matrix (N, D)
        The training data.
    num_quantiles : int
        n.
    names : list of D str, optional
        By default those of the data set.

    Attributes
    ----------
    cuts : float64 (D, n - 1), the smallest value of each quantile but the first

    Raises
    ------
    ValueError
        For a matrix without rows, a value that is not finite, or fewer than two quantiles.

    Examples
    --------
    >>> Quantiles([[1.0], [2.0], [9.0]], num_quantiles=3).transform([[0.0], [2.5], [50.0]]).tolist()
    [[0.0], [0.5], [1.0]]
    """

    def __init__(self, data: Any, num_quantiles: int = 100, names: Optional[Sequence[str]] = None):
        whole = isinstance(num_quantiles, (int, np.integer, float, np.floating))
        whole = whole and not isinstance(num_quantiles, bool)
        if not whole or not 2 <= num_quantiles <= 1e6 or int(num_quantiles) != num_quantiles:
            raise ValueError(
                f'num_quantiles is {shown(num_quantiles)}: give a whole number, 2 or more.'
            )
        dense, num_quantiles = self._matrix(data, names), int(num_quantiles)
        # The smallest x with P(X <= x) > j / n is number N j // n of the sorted values.
        firsts = len(dense) * np.arange(1, num_quantiles) // num_quantiles
        self.cuts = np.sort(dense, axis=0)[firsts].T

    def _map(self, dense):
        """Ranks in [0, 1]; values beyond training's get 0 or 1."""
        ranks = [
            np.searchsorted(cuts, column, side='right') for cuts, column in zip(self.cuts, dense.T)
        ]
        return np.stack(ranks, axis=1) / self.cuts.shape[1]

    def to_json(self) -> dict:
        """See `Step.to_json`."""
        return {
            'quantiles': [
                {'name': name, 'cuts': cuts.tolist()} for name, cuts in zip(self.names, self.cuts)
            ]
        }

    @classmethod
    def from_json(cls, content: Any) -> Quantiles:
        """See `Step.from_json`; every entry is checked."""
        features = content['quantiles']
        quantiles = cls._from_features(features)
        quantiles.cuts = _floats([feature['cuts'] for feature in features], 2, 'cuts')
        if quantiles.cuts.shape[1] < 1 or (np.diff(quantiles.cuts, axis=1) < 0).any():
            raise ValueError('its cuts do not rise')
        return quantiles


class Standardize(_DenseStep):
    """Bring each continuous feature to mean 0 and standard deviation 1 in the training data.

    x becomes (x - mean) / deviation; a feature that is constant in training becomes 0.

    Parameters
    ----------
    data : a data set with dense features, or a matrix (N, D)
        The training data.
    names : list of D str, optional
        By default those of the data set.

    Attributes
    ----------
    means, deviations : float64 (D,)

    Raises
    ------
    ValueError
        For a matrix without rows or a value that is not finite.

    Examples
    --------
    >>> Standardize([[1.0, 7.0], [3.0, 7.0]]).transform([[1.0, 7.0], [4.0, 9.0]]).tolist()
    [[-1.0, 0.0], [2.0, 0.0]]
    """

    def __init__(self, data: Any, names: Optional[Sequence[str]] = None):
        dense = self._matrix(data, names)
        self.means, self.deviations = dense.mean(axis=0), dense.std(axis=0)
        self.deviations[dense.min(axis=0) == dense.max(axis=0)] = 0  # whatever rounding left

    def _map(self, dense):
        constant = self.deviations == 0
        return np.where(constant, 0, (dense - self.means) / np.where(constant, 1, self.deviations))

    def to_json(self) -> dict:
        """See `Step.to_json`."""
        return {
            'features': [
                {'name': name, 'mean': float(mean), 'deviation': float(deviation)}
                for name, mean, deviation in zip(self.names, self.means, self.deviations)
            ]
        }

    @classmethod
    def from_json(cls, content: Any) -> Standardize:
        """See `Step.from_json`; every entry is checked."""
        features = content['features']
        step = cls._from_features(features)
        step.means = _floats([f['mean'] for f in features], 1, 'means')
        step.deviations = _floats([f['deviation'] for f in features], 1, 'deviations')
        if (step.deviations < 0).any():
            raise ValueError('a deviation is negative')
        return step


class Bags(Step):
    """Gather columns of weights, such as MovieLens' 18 genres, into multi-hot fields.

    A group of fields becomes one field whose values are the names of those fields. Their words
    are numbers, the weights: 1 where the row has the value, 0 (or unknown) where not. A row's
    values fill the first slots of its bag; an empty slot holds an id of the field, of weight 0.

    Parameters
    ----------
    data : CTRDataset
        The training set.
    groups : dict {name: field names}
    pool : {'sum', 'mean'}
        A bag is the weighted sum of its vectors, or their weighted mean.
    bag_sizes : list of int, optional
        Slots of each bag. By default the most values that a row of `data` has.

    Attributes
    ----------
    bag_sizes : list of G int

    Raises
    ------
    ValueError
        For an unknown pool or field, a field in two groups, a word that is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({'y': [1, 0], 'user': ['u', 'v'], 'War': [1, 0], 'Drama': [1, 1]})
    >>> data = CTRDataset(frame, min_threshold=1)
    >>> films = Bags(data, {'genre': ['War', 'Drama']}).apply(data)
    >>> films.features.tolist(), films.weights.tolist()
    ([[0, 3, 4], [1, 4, 3]], [[1.0, 1.0], [1.0, 0.0]])
    """

    def __init__(
        self,
        data: CTRDataset,
        groups: Mapping[str, Sequence[Union[str, int]]],
        pool: str = 'sum',
        bag_sizes: Optional[Sequence[int]] = None,
    ):
        _check_clicks(data, 'Bags')
        if not isinstance(groups, Mapping) or any(isinstance(g, str) for g in groups.values()):
            raise ValueError(
                f'groups is {shown(groups)}: give a dict {{name: list of field names}}.'
            )
        vocabulary = data.vocabulary
        self.pool = pool
        self.groups = {
            str(name): [vocabulary.names[vocabulary.number_of(f)] for f in fields]
            for name, fields in groups.items()
        }
        self._check()
        if bag_sizes is not None and len(bag_sizes) != len(self.groups):
            raise ValueError(
                f'bag_sizes is {bag_sizes} for {len(self.groups)} groups: give one each.'
            )
        if bag_sizes is None:
            counts = [(self._weights(data, g) != 0).sum(axis=1) for g in self.groups]
            bag_sizes = [max(1, int(c.max())) if len(c) else 1 for c in counts]
        self.bag_sizes = [int(s) if isinstance(s, np.integer) else s for s in bag_sizes]
        self._check_sizes()

    def _check(self):
        if self.pool not in ('sum', 'mean'):
            raise ValueError(f"pool is {self.pool!r}: choose 'sum' or 'mean'.")
        members = [f for fields in self.groups.values() for f in fields]
        if not self.groups or not all(self.groups.values()) or len(set(members)) < len(members):
            raise ValueError('The groups must be one or more, none empty, and no field in two.')

    def _check_sizes(self):
        for size in self.bag_sizes:
            if not is_whole(size) or not 1 <= size <= 1_000_000:
                raise ValueError(f'bag_sizes is {self.bag_sizes}: give whole numbers, 1 or more.')

    def _weights(self, data, group):
        """The words of a group's fields as numbers (N, values) float32, 0 for unknown values."""
        return np.stack([_weights(data, field) for field in self.groups[group]], axis=1)

    def apply(self, data: CTRDataset) -> MultiHot:
        """The data with the groups gathered; a row with more values than slots is refused."""
        _check_clicks(data, 'Bags')
        vocabulary = data.vocabulary
        gathered = [f for fields in self.groups.values() for f in fields]
        for name in gathered:
            vocabulary.number_of(name)
        singles = [f for f, name in enumerate(vocabulary.names) if name not in gathered]
        fields = [vocabulary.fields[f] for f in singles]
        within = [data.features[:, [f]] - vocabulary.offsets[f] for f in singles]
        slots = []
        for (name, values), size in zip(self.groups.items(), self.bag_sizes):
            ids, weights = _bag(name, self._weights(data, name), size)
            if self.pool == 'mean':
                total = weights.sum(axis=1, keepdims=True)
                weights = np.divide(weights, total, out=np.zeros_like(weights), where=total != 0)
            fields.append(Field(name, tuple(values), 'text'))
            within.append(ids)
            slots.append(weights)
        laid_out = Vocabulary(fields, vocabulary.label)
        columns = {
            'ids': np.concatenate(
                [(i + o).astype(np.int32) for i, o in zip(within, laid_out.offsets)], axis=1
            ),
            'weights': np.concatenate(slots, axis=1),
        }
        if data.dense is not None:
            columns['dense'] = data.dense
        names = {name: n for name, n in data.column_names.items() if name in columns}
        made = MultiHot(columns, data.labels, laid_out, self, data.encoder, names)
        return made.with_sample_weight(data.sample_weight)

    def tables(self, tables: list) -> list:
        """See `Step.tables`."""
        gathered = [f for fields in self.groups.values() for f in fields]
        return [t for t in tables if t[0] not in gathered] + [
            (name, len(values), {v: i for i, v in enumerate(values)})
            for name, values in self.groups.items()
        ]

    def __repr__(self):
        return f'Bags({self.groups}, {self.pool}, slots {self.bag_sizes})'

    def to_json(self) -> dict:
        """See `Step.to_json`."""
        return {'groups': self.groups, 'pool': self.pool, 'bag_sizes': self.bag_sizes}

    @classmethod
    def from_json(cls, content: Any) -> Bags:
        """See `Step.from_json`; every entry is checked."""
        bags = cls.__new__(cls)
        groups, bags.pool, bags.bag_sizes = (content[k] for k in ('groups', 'pool', 'bag_sizes'))
        bags.groups = {name: _texts(fields, name) for name, fields in groups.items()}
        bags._check()
        if not isinstance(bags.bag_sizes, list) or len(bags.bag_sizes) != len(bags.groups):
            raise ValueError('its bag_sizes are not one a group')
        bags._check_sizes()
        return bags


class MultiHot(Encoded):
    """Click data in which some fields hold several values a row, as `DLRM` takes them.

    S fields of one value; G multi-hot fields of sum(bag_sizes) = M slots. `Bags` or `multi_hot`
    makes it.

    Attributes
    ----------
    features : int32 (N, S + M), ids offset by field; an empty slot holds an id of no weight
    weights : float32 (N, M), 0 for an empty slot
    dense : float32 (N, D) or None
    labels : float32 (N,) or None
    field_dims, offsets : int64 (S + G,)
    bag_sizes : list of G int, the number of slots of each multi-hot field
    vocabulary, field_names, feat_mapper, defaults : as in CTRDataset
        A multi-hot field has no id for unknown values.

    Examples
    --------
    >>> import pandas as pd
    >>> from d2lrec import CTRDataset
    >>> films = pd.DataFrame({'y': [1, 0], 'film': ['Heat', 'Big'], 'crime': [1, 0], 'war': 1})
    >>> bags = multi_hot(CTRDataset(films, min_threshold=1), {'genre': ['crime', 'war']})
    >>> bags.field_names, bags.bag_sizes
    (['film', 'genre'], [2])
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        labels: Any,
        vocabulary: Vocabulary,
        bags: Bags,
        encoder: Encoder,
        names: Optional[Mapping[str, Sequence[str]]] = None,
    ):
        super().__init__(columns, labels, names)
        self.vocabulary, self._bags, self._encoder = vocabulary, bags, encoder
        self._steps = (*encoder.steps, bags)

    @property
    def encoder(self) -> Encoder:
        """What turns raw rows into these columns, the bags' layout included."""
        old, names = self._encoder, self.dense_names
        return Encoder(old.vocabulary, old.label, names, self._steps, old.format, old.plan)

    @property
    def weights(self) -> np.ndarray:
        """The slots' weights, `columns['weights']`: (N, M) float32."""
        return self.columns['weights']

    @property
    def bag_sizes(self) -> list[int]:
        """Number of slots of each bag."""
        return list(self._bags.bag_sizes)

    def __repr__(self):
        return (
            f'MultiHot({len(self):,} rows, {len(self.field_dims)} fields, '
            f'{self.field_dims.sum():,} features, bags of {self.bag_sizes})'
        )


def multi_hot(
    data: CTRDataset,
    groups: Mapping[str, Sequence[Union[str, int]]],
    pool: str = 'sum',
    bag_sizes: Optional[Sequence[int]] = None,
) -> MultiHot:
    """Gather columns of weights into multi-hot fields: `Bags` fitted and applied in one.

    The parameters are those of `Bags`; for validation and test data give the training data's
    `bag_sizes`, or use its encoder.

    Examples
    --------
    >>> import pandas as pd
    >>> from d2lrec import CTRDataset
    >>> films = pd.DataFrame({'y': [1, 0], 'film': ['Heat', 'Big'], 'crime': [1, 0], 'war': 1})
    >>> bags = multi_hot(CTRDataset(films, min_threshold=1), {'genre': ['crime', 'war']})
    >>> bags.columns['weights'].tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """
    return Bags(data, groups, pool, bag_sizes).apply(data)


#: The classes of steps by their names, as a saved model has them.
STEPS = {cls.__name__: cls for cls in (Crosses, Quantiles, Standardize, Bags)}


def _weights(data, name):
    """The words of a field as numbers (N,) float32, 0 for unknown values."""
    f = data.vocabulary.number_of(name)
    one = data.vocabulary.fields[f]
    numbers = np.zeros(one.dim, np.float32)
    for word, i in one.ids.items():
        try:
            numbers[i] = float(word)
        except ValueError:
            numbers[i] = np.nan
        if not np.isfinite(numbers[i]):
            raise ValueError(
                f'Field {name!r} has the value {word!r}, which is no weight: give 1 or 0, or '
                'another number.'
            )
    return numbers[data.features[:, f] - data.vocabulary.offsets[f]]


def _bag(name, weights, size):
    """Weights (N, G) of all values -> ids (N, M) and weights (N, M) of those present."""
    present = weights != 0
    counts = present.sum(axis=1)
    if len(counts) and counts.max() > size:
        row = int(np.argmax(counts > size))
        raise ValueError(
            f'{name!r} of row {row + 1} has {counts[row]} values for {size} slots: '
            'raise bag_sizes for the training data and for this.'
        )
    ids = np.argsort(~present, axis=1, kind='stable')[:, :size]  # those present come first
    weights = np.take_along_axis(weights, ids, axis=1)
    missing = size - ids.shape[1]  # more slots than values there are
    return np.pad(ids, ((0, 0), (0, missing))), np.pad(weights, ((0, 0), (0, missing)))


def _texts(values, what, or_none=False):
    """A list of JSON whose entries are text, or null where that may be."""
    if not isinstance(values, list) or not all(
        isinstance(v, str) or (or_none and v is None) for v in values
    ):
        raise ValueError(f'the {what} are no list of text')
    return values


def _floats(values, ndim, what):
    """Finite floats of JSON in a matrix or a vector."""
    flat = [v for row in values for v in row] if ndim == 2 else values
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in flat):
        raise ValueError(f'its {what} are no numbers')
    if ndim == 2 and len({len(row) for row in values}) > 1:
        raise ValueError(f'its {what} are no matrix')
    array = np.array(values, np.float64)
    if array.ndim != ndim or not np.isfinite(array).all():
        raise ValueError(f'its {what} are not finite')
    return array
