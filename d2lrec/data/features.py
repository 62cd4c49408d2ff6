"""Features made of other columns: crosses, normalised numbers, multi-hot fields."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from ..files import atomic_write
from .ctr import _offsets


class Crosses:
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
    min_threshold : int
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
    """

    def __init__(self, data, fields, min_threshold=4, num_buckets=None):
        if isinstance(min_threshold, bool) or not min_threshold >= 1:
            raise ValueError(f'min_threshold is {min_threshold!r}: give a number, 1 or more.')
        if num_buckets is not None and (
            isinstance(num_buckets, bool) or num_buckets < 1 or int(num_buckets) != num_buckets
        ):
            raise ValueError(f'num_buckets is {num_buckets!r}: give a whole number, 1 or more.')
        self.fields = [
            tuple(data.field_names[data._field(f) - 1] for f in cross) for cross in fields
        ]
        if not self.fields:
            raise ValueError('There is no cross: give at least one tuple of field names.')
        for cross in self.fields:
            if len(set(cross)) < max(2, len(cross)):
                raise ValueError(f'The cross {cross} needs two or more different fields.')
        self.num_buckets, self.vocab = num_buckets, []
        for cross in self.fields:
            tuples, codes = _tuples(data, cross) if num_buckets is None else ([], [])
            counts = np.bincount(codes, minlength=len(tuples)).tolist() if tuples else []
            kept = sorted(
                [(-c, _in_order(t), t) for c, t in zip(counts, tuples) if c >= min_threshold]
            )
            self.vocab.append({t: i for i, (_, _, t) in enumerate(kept)})

    @property
    def dims(self):
        return np.array([self.num_buckets or len(v) + 1 for v in self.vocab], np.int64)

    def transform(self, data):
        """Ids (N, F + C) int32: those of the F fields, then those of the C crosses.

        Crosses go on where the fields end, at V = sum(field_dims) of `data`.
        """
        offsets = _offsets([*data.field_dims, *self.dims])[len(data.field_dims) :]
        columns = [data.features]
        for c, cross in enumerate(self.fields):
            tuples, codes = _tuples(data, cross)
            ids = np.array([self.id_of(c, t) for t in tuples]) + offsets[c]
            columns.append(ids.astype(np.int32)[codes][:, None])
        return np.concatenate(columns, axis=1)

    def id_of(self, cross, words):
        """Id, within the cross (its number from 0), of a tuple of words; None for an unknown."""
        if self.num_buckets is None:
            return self.vocab[cross].get(tuple(words), len(self.vocab[cross]))
        text = json.dumps([self.fields[cross], words], ensure_ascii=False)
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(digest, 'big') % self.num_buckets

    def __repr__(self):
        how = 'hashed' if self.num_buckets else 'with a vocabulary'
        return f'Crosses({self.fields}, {self.dims.sum():,} ids, {how})'

    def to_json(self):
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            'num_buckets': self.num_buckets,
            'crosses': [
                {'fields': cross, 'values': list(vocab)}
                for cross, vocab in zip(self.fields, self.vocab)
            ],
        }

    @classmethod
    def from_json(cls, content):
        """Of what `to_json` gave; KeyError, TypeError or ValueError for anything else."""
        crosses = cls.__new__(cls)
        crosses.num_buckets = content['num_buckets']
        crosses.fields = [tuple(c['fields']) for c in content['crosses']]
        crosses.vocab = [
            {tuple(words): i for i, words in enumerate(c['values'])} for c in content['crosses']
        ]
        return crosses

    def save(self, path):
        """Write as JSON: whole or not at all."""
        _write_json(path, self.to_json())

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; ValueError where the file holds something else."""
        return _from_file(cls, path, 'crosses')


def _tuples(data, cross):
    """The distinct tuples of words of some fields, and each row's code (N,) among them."""
    codes, parts = np.zeros(len(data.features), np.int64), []
    for name in cross:
        f = data._field(name)
        dim = int(data.field_dims[f - 1])
        words = {i: w for w, i in reversed(data.feat_mapper[f].items())}
        # Numbered anew at each field, so that codes never exceed rows times ids.
        found, codes = np.unique(
            codes * dim + data.features[:, f - 1] - data.offsets[f - 1], return_inverse=True
        )
        before, within = np.divmod(found, dim)
        parts = [[part[b] for b in before] for part in parts]
        parts.append([words.get(i) for i in within.tolist()])
    return list(zip(*parts)), codes


def _in_order(words):
    """A key that sorts tuples of words by text, None before all."""
    return [(word is not None, word or '') for word in words]


class Quantiles:
    """Map each continuous feature to [0, 1] by its quantile in the training data.

    A value x in the i-th of n quantiles, by P(X <= x), becomes (i - 1) / (n - 1): Cheng et al.,
    Wide & Deep Learning (2016), section 4.1. The map is a staircase. Scikit-learn's
    QuantileTransformer draws straight lines between the quantiles instead, which is another map,
    and has no form to be kept as text.

    Parameters
    ----------
    dense : array (N, D)
        The training data's continuous features.
    num_quantiles : int
        n.
    names : list of D str, optional

    Attributes
    ----------
    cuts : float64 (D, n - 1), the smallest value of each quantile but the first

    Raises
    ------
    ValueError
        For a matrix without rows, a value that is not finite, or fewer than two quantiles.
    """

    def __init__(self, dense, num_quantiles=100, names=None):
        if (
            isinstance(num_quantiles, bool)
            or int(num_quantiles) != num_quantiles
            or num_quantiles < 2
        ):
            raise ValueError(f'num_quantiles is {num_quantiles!r}: give a whole number, 2 or more.')
        shape = np.shape(dense)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(
                f'The features have shape {shape}: give a matrix (N, D) with at '
                'least one row and one column.'
            )
        self.names = (
            list(names) if names is not None else [f'dense {d + 1}' for d in range(shape[1])]
        )
        dense = self._checked(dense)
        # The smallest x with P(X <= x) > j / n is number N j // n of the sorted values.
        firsts = len(dense) * np.arange(1, num_quantiles) // num_quantiles
        self.cuts = np.sort(dense, axis=0)[firsts].T

    def _checked(self, dense):
        dense = np.asarray(dense, np.float64)
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

    def transform(self, dense):
        """Features (N, D) -> (N, D) float32 in [0, 1]; values beyond training's get 0 or 1."""
        dense = self._checked(dense)
        ranks = [
            np.searchsorted(cuts, column, side='right') for cuts, column in zip(self.cuts, dense.T)
        ]
        return (np.stack(ranks, axis=1) / self.cuts.shape[1]).astype(np.float32)

    def to_json(self):
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            'quantiles': [
                {'name': str(name), 'cuts': cuts.tolist()}
                for name, cuts in zip(self.names, self.cuts)
            ]
        }

    @classmethod
    def from_json(cls, content):
        """Of what `to_json` gave; KeyError, TypeError or ValueError for anything else."""
        quantiles = cls.__new__(cls)
        quantiles.names = [feature['name'] for feature in content['quantiles']]
        quantiles.cuts = np.array([feature['cuts'] for feature in content['quantiles']], np.float64)
        if quantiles.cuts.ndim != 2:
            raise ValueError('the cuts are no matrix')
        return quantiles

    def save(self, path):
        """Write as JSON: whole or not at all."""
        _write_json(path, self.to_json())

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; ValueError where the file holds something else."""
        return _from_file(cls, path, 'quantiles')


@dataclass
class MultiHot:
    """Click data in which some fields hold several values a row, as `DLRM` takes them.

    S fields of one value; G multi-hot fields of sum(bag_sizes) = M places.

    Attributes
    ----------
    features : int32 (N, S + M), ids offset by field; an empty place holds an id of no weight
    weights : float32 (N, M), 0 for an empty place
    labels : float32 (N,)
    field_dims, offsets : int64 (S + G,)
    bag_sizes : list of G int, the number of places of each multi-hot field
    field_names, feat_mapper, defaults : as in CTRDataset; a multi-hot field has no id for
        unknown values
    """

    features: np.ndarray
    weights: np.ndarray
    labels: np.ndarray
    field_dims: np.ndarray
    offsets: np.ndarray
    bag_sizes: list
    field_names: list
    feat_mapper: dict
    defaults: dict

    def __len__(self):
        return len(self.labels)

    def __repr__(self):
        return (
            f'MultiHot({len(self):,} rows, {len(self.field_dims)} fields, '
            f'{self.field_dims.sum():,} features, bags of {self.bag_sizes})'
        )


def multi_hot(data, groups, pool='sum', bag_sizes=None):
    """Gather columns of weights, such as MovieLens' 18 genres, into multi-hot fields.

    Parameters
    ----------
    data : CTRDataset
    groups : dict {name: field names}
        Each group of fields becomes one field whose values are those fields' names. Their words
        are numbers, the weights: 1 where the row has the value, 0 (or unknown) where not.
    pool : {'sum', 'mean'}
        A bag is the weighted sum of its vectors, or their weighted mean.
    bag_sizes : list of int, optional
        Places of each bag: `train.bag_sizes` for validation and test data. By default the most
        values that a row of `data` has.

    Returns
    -------
    MultiHot

    Raises
    ------
    ValueError
        For an unknown pool or field, a field in two groups, a word that is no number, or a row
        with more values than places.
    """
    if pool not in ('sum', 'mean'):
        raise ValueError(f"pool is {pool!r}: choose 'sum' or 'mean'.")
    if bag_sizes is not None and len(bag_sizes) != len(groups):
        raise ValueError(f'bag_sizes is {bag_sizes} for {len(groups)} groups: give one each.')
    members = [data._field(f) for fields in groups.values() for f in fields]
    if not groups or not all(map(len, groups.values())) or len(set(members)) < len(members):
        raise ValueError('The groups must be one or more, none empty, and no field in two.')
    singles = [f for f in range(1, data.NUM_FEATS + 1) if f not in members]
    names = [data.field_names[f - 1] for f in singles]
    vocab, defaults = (
        {i: table[f] for i, f in enumerate(singles, 1)}
        for table in (data.feat_mapper, data.defaults)
    )
    dims = [int(data.field_dims[f - 1]) for f in singles]
    within = [data.features[:, [f - 1]] - data.offsets[f - 1] for f in singles]
    places, sizes = [], []
    for g, (name, fields) in enumerate(groups.items()):
        weights = np.stack([_weights(data, f) for f in fields], axis=1)
        ids, weights = _bag(name, weights, None if bag_sizes is None else bag_sizes[g])
        if pool == 'mean':
            total = weights.sum(axis=1, keepdims=True)
            weights = np.divide(weights, total, out=np.zeros_like(weights), where=total != 0)
        names.append(name)
        vocab[len(names)] = {
            str(data.field_names[data._field(f) - 1]): i for i, f in enumerate(fields)
        }
        dims.append(len(fields))
        within.append(ids)
        places.append(weights)
        sizes.append(ids.shape[1])
    offsets = _offsets(dims)
    columns = [(ids + offset).astype(np.int32) for ids, offset in zip(within, offsets)]
    return MultiHot(
        np.concatenate(columns, axis=1),
        np.concatenate(places, axis=1),
        data.labels,
        np.array(dims, np.int64),
        offsets,
        sizes,
        names,
        vocab,
        defaults,
    )


def _weights(data, field):
    """The words of a field as numbers (N,) float32, 0 for unknown values."""
    f = data._field(field)
    numbers = np.zeros(int(data.field_dims[f - 1]), np.float32)
    for word, i in data.feat_mapper[f].items():
        try:
            numbers[i] = float(word)
        except ValueError:
            raise ValueError(
                f'Field {data.field_names[f - 1]!r} has the value {word!r}, which '
                'is no weight: give 1 or 0, or another number.'
            ) from None
    return numbers[data.features[:, f - 1] - data.offsets[f - 1]]


def _bag(name, weights, size):
    """Weights (N, G) of all values -> ids (N, M) and weights (N, M) of those present."""
    present = weights != 0
    counts = present.sum(axis=1)
    size = max(1, int(counts.max())) if size is None else size
    if counts.max() > size:
        row = int(np.argmax(counts > size))
        raise ValueError(
            f'{name!r} of row {row + 1} has {counts[row]} values for {size} places: '
            'raise bag_sizes for the training data and for this.'
        )
    ids = np.argsort(~present, axis=1, kind='stable')[:, :size]  # those present come first
    weights = np.take_along_axis(weights, ids, axis=1)
    missing = size - ids.shape[1]  # more places than values there are
    return np.pad(ids, ((0, 0), (0, missing))), np.pad(weights, ((0, 0), (0, missing)))


def _write_json(path, content):
    """Write as JSON: whole or not at all."""
    with atomic_write(path) as file:
        json.dump(content, file, ensure_ascii=False, indent=0)


def _from_file(cls, path, what):
    """A `Crosses` or `Quantiles` of a file; ValueError where it holds something else."""
    try:
        with open(path, encoding='utf-8') as file:
            return cls.from_json(json.load(file))
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f'{path} holds no {what}: give a file that {cls.__name__}.save wrote.'
        ) from None
