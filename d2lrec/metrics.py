"""Measures of a prediction, as pure functions on arrays.

N rows, U users, I items. Arrays may be NumPy's, MXNet's, pandas' or lists. All is computed in
float64, and equals scikit-learn's measure of that name where it has one. Of shape (N,) or (N, 1)
are

- `labels`: 0 or 1; `probs`: from 0 to 1; `scores`: any finite numbers, larger for a likelier 1;
- `ratings` and `predictions`: any finite numbers.

`sample_weight` (N,), where a function takes it, says how many rows each row stands for: every
mean over rows becomes sum(weight * value) / sum(weight), and a row of weight 0 does not count. It
undoes a sampling of the rows: where one in ten of the zeros was kept, these zeros have a weight
of 10.

Each function refuses, in a ValueError of one sentence, what is empty, of unequal lengths, not a
number, or out of its range.
"""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .arguments import check_call, check_real, check_seed, check_whole, shown

__all__ = [
    'accuracy',
    'Interval',
    'auc',
    'bootstrap',
    'calibration_table',
    'constant_rate',
    'ctr_report',
    'gauc',
    'hit_rate',
    'log_loss',
    'mae',
    'masked_rmse',
    'ndcg',
    'normalized_entropy',
    'rmse',
    'sigmoid',
    'squared_error',
]

SMALLEST = float(np.finfo('float64').eps)  # the least probability of what happened in `log_loss`

# Items of users, in the forms that `hit_rate` takes.
Items = Union[ArrayLike, Sequence[Sequence[int]], Mapping[int, Sequence[int]]]


def sigmoid(logits: ArrayLike) -> np.ndarray:
    """1 / (1 + exp(-logits)) without overflow, in float64; same shape as `logits`.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    x = _numbers(logits, 'logits')
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


def log_loss(
    labels: ArrayLike, probs: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> float:
    """Mean of -y log p - (1 - y) log(1 - p) over the rows, in nats.

    Parameters
    ----------
    labels : array_like (N,), each 0 or 1
    probs : array_like (N,), from 0 to 1
        Exactly 0 or 1 is clipped by float64's machine epsilon.
    sample_weight : array_like (N,), optional
        How many rows each row stands for.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    labels, probs = _clicks(labels, probs)
    return _log_loss(labels, probs, _weights(sample_weight, labels.size))


def auc(
    labels: ArrayLike, scores: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> float:
    """Area under the ROC curve: the chance that a random 1 scores above a random 0.

    Parameters
    ----------
    labels : array_like (N,), each 0 or 1
    scores : array_like (N,), logits or probabilities
        Equal scores count one half.
    sample_weight : array_like (N,), optional
        How many rows each row stands for: the two are drawn in proportion to it.

    Examples
    --------
    >>> auc([1, 0, 1, 0], [0.9, 0.4, 0.4, 0.1])  # of the 4 pairs 3 are in order and 1 is tied
    0.875
    """
    labels, scores = _clicks(labels, scores, 'scores')
    weight = _weights(sample_weight, labels.size)
    counted = labels if weight is None else labels[weight > 0]
    if counted.min() == counted.max():
        raise ValueError(f'all {counted.size} labels are {counted[0]:g}: AUC needs both classes.')
    return _auc(labels, scores, weight)


def accuracy(y_hat: ArrayLike, y: ArrayLike) -> float:
    """Number of rows whose predicted class is right, as *Dive into Deep Learning* counts them.

    Returns a float: divide by N for the share.

    Parameters
    ----------
    y_hat : array_like (N,) or (N, 1), logits, of which one above 0 predicts 1
        Or scores (N, C) of C > 1 classes, of which the largest is predicted.
    y : array_like (N,), the true classes

    Examples
    --------
    >>> accuracy([1.5, -0.5, 2.0], [1, 0, 0])
    2.0
    """
    y_hat = _numbers(y_hat, 'y_hat')
    if y_hat.ndim == 2 and y_hat.shape[1] > 1:
        _check_finite(y_hat, 'y_hat')
        labels, classes = _pair(y, y_hat.argmax(axis=1), 'y_hat')
    else:
        labels, logits = _clicks(y, y_hat, 'y_hat')
        classes = logits > 0
    return float((classes == labels).sum())


def rmse(
    ratings: ArrayLike, predictions: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> float:
    """Root mean squared error over the rows, in rating units.

    Parameters
    ----------
    ratings, predictions : array_like (N,)
    sample_weight : array_like (N,), optional
        How many rows each row stands for.

    Examples
    --------
    >>> rmse([1, 2, 3, 5], [1, 2, 3, 3])
    1.0
    """
    ratings, predictions = _pair(ratings, predictions, 'predictions', 'ratings')
    weight = _weights(sample_weight, ratings.size)
    return float(np.sqrt(_mean(np.square(ratings - predictions), weight)))


def mae(
    ratings: ArrayLike, predictions: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> float:
    """Mean absolute error over the rows, in rating units.

    Parameters
    ----------
    ratings, predictions : array_like (N,)
    sample_weight : array_like (N,), optional
        How many rows each row stands for.

    Examples
    --------
    >>> mae([1, 2, 3, 5], [1, 2, 3, 3])
    0.5
    """
    ratings, predictions = _pair(ratings, predictions, 'predictions', 'ratings')
    weight = _weights(sample_weight, ratings.size)
    return float(_mean(np.abs(ratings - predictions), weight))


def squared_error(
    ratings: ArrayLike, predictions: ArrayLike, mask: Optional[ArrayLike] = None
) -> tuple[float, int]:
    """Sum of squared errors over the observed entries, and the number of these.

    Pieces add up: sum both over batches and devices, divide, and take one root.

    Parameters
    ----------
    ratings, predictions : arrays of one shape
        What `ratings` holds where nothing was observed does not matter.
    mask : array of that shape, optional
        Not 0 where a rating was observed; by default wherever `ratings` is not 0.

    Examples
    --------
    >>> squared_error([[5, 0], [3, 1]], [[4, 9], [3, 3]])
    (5.0, 3)
    """
    ratings, predictions = _numbers(ratings, 'ratings'), _numbers(predictions, 'predictions')
    observed = ratings != 0 if mask is None else _numbers(mask, 'mask') != 0
    if not ratings.shape == predictions.shape == observed.shape:
        raise ValueError(
            f'the ratings have shape {ratings.shape}, the predictions '
            f'{predictions.shape} and the mask {observed.shape}: give equal shapes.'
        )
    errors = ratings[observed] - predictions[observed]
    if not np.isfinite(errors).all():
        raise ValueError(
            'an observed rating or its prediction is not a number: look for a '
            'learning rate that is too high, or mark missing ratings in the mask.'
        )
    return float(np.square(errors).sum()), int(observed.sum())


def masked_rmse(ratings: Any, predictions: Any, mask: Any = None) -> float:
    """Root mean squared error over the observed entries, in rating units.

    Parameters
    ----------
    ratings, predictions, mask : as in `squared_error`
        Or lists of these, with one array for each batch or device: there is still one root.

    Examples
    --------
    >>> ratings, predictions = np.array([[5, 0], [3, 1]]), np.array([[4, 9], [3, 1]])
    >>> round(masked_rmse(ratings, predictions), 4)
    0.5774
    """
    if not isinstance(ratings, (list, tuple)):
        ratings, predictions, mask = [ratings], [predictions], [mask]
    masks = [None] * len(ratings) if mask is None else mask
    for pieces, name in ((predictions, 'predictions'), (masks, 'mask')):
        if not np.iterable(pieces):
            raise ValueError(f'ratings is a list but {name} is not: give as many arrays of each.')
    if not len(ratings) == len(predictions) == len(masks):
        raise ValueError(
            f'{len(ratings)} arrays of ratings, {len(predictions)} of predictions '
            f'and {len(masks)} masks: give as many of each.'
        )
    sums = [squared_error(*piece) for piece in zip(ratings, predictions, masks)]
    count = sum(n for _, n in sums)
    if not count:
        raise ValueError('no rating is observed: there is nothing to measure.')
    return float(np.sqrt(sum(s for s, _ in sums) / count))


def gauc(
    labels: ArrayLike,
    scores: ArrayLike,
    users: ArrayLike,
    *,
    sample_weight: Optional[ArrayLike] = None,
) -> dict[str, Any]:
    """AUC within each user, averaged with the users' numbers of rows as weights.

    It asks what a ranking shown to one user asks: a score that only tells users apart gets .5.
    Zhu et al., Optimized Cost per Click in Taobao Display Advertising, KDD 2017.
    Users whose labels are all of one class have no AUC: they are left out, and counted.

    Parameters
    ----------
    labels, scores : as in `auc`
    users : ids (N,) of any kind, none missing
    sample_weight : array (N,), optional
        Weighs the AUC within each user, as in `auc`, and the users by their rows' sum.

    Returns
    -------
    dict with `gauc`, `users` (that count), `users_left_out` and `rows_left_out`.

    Examples
    --------
    >>> gauc([1, 0, 1, 0, 1], [0.9, 0.1, 0.3, 0.4, 0.5], ['Kim', 'Kim', 'Lee', 'Lee', 'Park'])
    {'gauc': 0.5, 'users': 2, 'users_left_out': 1, 'rows_left_out': 1}
    """
    labels, scores = _clicks(labels, scores, 'scores')
    users = _codes(users)
    if users.size != labels.size:
        raise ValueError(f'{labels.size} labels but {users.size} users: give one for each row.')
    weight = _weights(sample_weight, labels.size)
    weight = np.ones(labels.size) if weight is None else weight
    num_users = int(users.max()) + 1
    rows = np.bincount(users, weight > 0, num_users)
    ones = np.bincount(users, weight * labels, num_users)
    zeros = np.bincount(users, weight * (1 - labels), num_users)
    both = (ones > 0) & (zeros > 0)
    if not both.any():
        raise ValueError(
            f'none of the {num_users} users has labels of both classes: GAUC needs one who has.'
        )
    above = np.bincount(users, weight * labels * _below(users, scores, weight * (1 - labels)))
    aucs = above[both] / (ones * zeros)[both]
    return {
        'gauc': float(np.average(aucs, weights=(ones + zeros)[both])),
        'users': int(both.sum()),
        'users_left_out': int((~both).sum()),
        'rows_left_out': int(rows[~both].sum()),
    }


def normalized_entropy(
    labels: ArrayLike, probs: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> float:
    """Log loss divided by that of the constant rate of `labels`: 1 tells nothing, 0 is perfect.

    He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014,
    equation (1).

    Parameters
    ----------
    labels, probs, sample_weight : as in `log_loss`

    Examples
    --------
    >>> normalized_entropy([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25])
    1.0
    """
    labels, probs = _clicks(labels, probs)
    weight = _weights(sample_weight, labels.size)
    counted = labels if weight is None else labels[weight > 0]
    if counted.min() == counted.max():
        raise ValueError(
            f'all {counted.size} labels are {counted[0]:g}: their entropy is 0, '
            'and nothing can be divided by it.'
        )
    return _log_loss(labels, probs, weight) / _constant_rate(labels, weight)['log_loss']


def hit_rate(
    scores: ArrayLike, held_out: Items, seen: Optional[Items] = None, k: int = 10
) -> float:
    """Share of users with a held-out item among their k best of all items they have not seen.

    Parameters
    ----------
    scores : array (U, I)
        Larger is better. Of equal scores the held-out items come last: a model that scores all
        items alike gains nothing by it.
    held_out : (U,), matrix (U, I) of zeros and ones, list of U lists, or dict {user: items}
        One item for each user, or several. Users without one do not count.
    seen : in the same forms, optional
        Items known from training: they are no candidates.
    k : int

    Raises
    ------
    ValueError
        For an item out of range or both seen and held out, or where no user has a held-out item.

    Examples
    --------
    >>> scores = [[0.9, 0.5, 0.1], [0.2, 0.8, 0.3]]  # 2 users, 3 items
    >>> hit_rate(scores, held_out=[1, 0], seen={0: [0]}, k=1)
    0.5
    """
    return _hit_rate(*_ranks(scores, held_out, seen, k), k)


def ndcg(scores: ArrayLike, held_out: Items, seen: Optional[Items] = None, k: int = 10) -> float:
    """Normalized discounted cumulative gain at k over all items a user has not seen.

    The mean over users of Σ 1 / log₂(1 + rank) over the held-out items of rank up to k, divided
    by its largest value. Järvelin and Kekäläinen, TOIS 20(4), 2002. With one held-out item a
    user it is what He et al. (2017) report beside the hit rate, but against all items: against
    a sample the order of models can change (Krichene and Rendle, KDD 2020).

    Parameters and errors as in `hit_rate`, and so is the rule for equal scores.

    Examples
    --------
    >>> round(ndcg([[0.9, 0.5, 0.1], [0.2, 0.8, 0.3]], held_out=[1, 1]), 4)  # ranks 2 and 1
    0.8155
    """
    return _ndcg(*_ranks(scores, held_out, seen, k), k)


def constant_rate(
    labels: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> dict[str, float]:
    """The baseline of every click model: predict the mean of `labels` for each row.

    Returns
    -------
    dict with `rate` (share of ones), `log_loss` (in nats) and `auc` (always .5).

    Examples
    --------
    >>> base = constant_rate([1, 0, 0, 0])
    >>> base['rate'], round(base['log_loss'], 4)
    (0.25, 0.5623)
    """
    labels = _column(labels, 'labels')
    _check_labels(labels)
    return _constant_rate(labels, _weights(sample_weight, labels.size))


def calibration_table(
    labels: ArrayLike,
    probs: ArrayLike,
    num_bins: int = 10,
    *,
    sample_weight: Optional[ArrayLike] = None,
) -> pd.DataFrame:
    """Compare what was predicted with what happened, in bins of equal numbers of rows.

    Parameters
    ----------
    labels, probs : as in `log_loss`
    num_bins : int
    sample_weight : array (N,), optional
        Weighs the means within a bin. Rows of weight 0 are in no bin.

    Returns
    -------
    DataFrame
        One row a bin, from low to high predictions: `rows`, `predicted` (mean probability),
        `observed` (share of ones), `ratio` (predicted / observed, inf where none).

    Examples
    --------
    >>> table = calibration_table([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], num_bins=2)
    >>> table.predicted.round(2).tolist(), table.observed.tolist()
    ([0.2, 0.7], [0.0, 1.0])
    """
    labels, probs = _clicks(labels, probs)
    weight = _weights(sample_weight, labels.size)
    if weight is not None:
        labels, probs, weight = (a[weight > 0] for a in (labels, probs, weight))
    num_bins = _whole(num_bins, 'num_bins')
    if not 1 <= num_bins <= labels.size:
        raise ValueError(f'num_bins is {num_bins}: choose between 1 and the {labels.size} rows.')
    order = np.argsort(probs, kind='stable')
    bins = np.array_split(order, num_bins)
    of_bin = [None if weight is None else weight[b] for b in bins]
    table = pd.DataFrame(
        {
            'rows': [len(b) for b in bins],
            'predicted': [_mean(probs[b], w) for b, w in zip(bins, of_bin)],
            'observed': [_mean(labels[b], w) for b, w in zip(bins, of_bin)],
        },
        index=pd.RangeIndex(1, num_bins + 1, name='bin'),
    )
    table['ratio'] = table.predicted / table.observed.where(table.observed > 0)
    return table.fillna({'ratio': np.inf})


def ctr_report(
    labels: ArrayLike, probs: ArrayLike, *, sample_weight: Optional[ArrayLike] = None
) -> dict[str, float]:
    """All a click model is judged by, beside the constant-rate baseline.

    Returns
    -------
    dict with `auc`, `log_loss`, `base_log_loss` (of the constant rate), `accuracy` (at .5),
    `rate` (share of ones) and `mean_prob`. `auc` is nan where only one class is present.

    Examples
    --------
    >>> report = ctr_report([1, 0, 0, 0], [0.7, 0.4, 0.2, 0.1])
    >>> {name: round(value, 3) for name, value in report.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'auc': 1.0, 'log_loss': 0.299, 'base_log_loss': 0.562, 'accuracy': 1.0, 'rate': 0.25,
     'mean_prob': 0.35}
    """
    labels, probs = _clicks(labels, probs)
    weight = _weights(sample_weight, labels.size)
    base = _constant_rate(labels, weight)
    counted = labels if weight is None else labels[weight > 0]
    both = counted.min() < counted.max()
    return {
        'auc': _auc(labels, probs, weight) if both else float('nan'),
        'log_loss': _log_loss(labels, probs, weight),
        'base_log_loss': base['log_loss'],
        'accuracy': float(_mean((probs > 0.5) == labels, weight)),
        'rate': base['rate'],
        'mean_prob': float(_mean(probs, weight)),
    }


class Interval(NamedTuple):
    """A measure, the interval that `bootstrap` puts round it, and its standard error.

    Attributes
    ----------
    value : float, the measure on all rows
    low, high : float, the ends of the interval
    error : float, the standard error

    Examples
    --------
    >>> Interval(value=0.79, low=0.78, high=0.80, error=0.005).low
    0.78
    """

    value: float
    low: float
    high: float
    error: float


def bootstrap(
    measure: Callable[..., float],
    *columns: ArrayLike,
    groups: Optional[ArrayLike] = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """How far a measure could be off, had other users come: an interval by resampling them.

    The rows of one user are alike, so they are drawn together: each draw takes as many groups as
    there are, with replacement and all their rows, and measures these. The interval leaves out
    equal shares of the draws at both ends, the standard error is the draws' standard deviation.
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.

    Parameters
    ----------
    measure : function of the columns, in their order, such as `auc`
    *columns : arrays (N, ...)
        Labels and scores, say. For the lead of one model on another pass both models' scores
        and a measure that takes the difference: both are then measured on the same draws.
    groups : ids (N,) of any kind, optional
        Whose row each is; by default each row is its own.
    draws, seed : int
        The same seed, groups and number of draws take the same rows.
    level : float
        The share of the draws within the interval.

    Returns
    -------
    Interval, a tuple (value, low, high, error); `value` is the measure of the columns themselves.

    Raises
    ------
    ValueError
        For columns or groups of unequal lengths, fewer than 2 groups or draws, a level that is
        not between 0 and 1, or what `measure` refuses in a draw.

    Examples
    --------
    >>> users, errors = ['Kim', 'Kim', 'Lee', 'Park'], np.array([1.0, 3.0, 2.0, 4.0])
    >>> mean = bootstrap(lambda x: x.mean(), errors, groups=users, draws=200)
    >>> mean.value, round(mean.low, 1), round(mean.high, 1)
    (2.5, 2.0, 4.0)
    """
    columns = tuple(np.asarray(c.asnumpy() if hasattr(c, 'asnumpy') else c) for c in columns)
    if not columns:
        raise ValueError('there is no column: pass what the measure is of, labels and scores say.')
    lengths = [len(c) if c.ndim else 0 for c in columns]
    groups = np.arange(lengths[0]) if groups is None else _codes(groups)
    if len({*lengths, len(groups)}) > 1:
        raise ValueError(
            f'the columns have {" and ".join(map(str, lengths))} rows and groups has '
            f'{len(groups)}: give one value for each row.'
        )
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 2:
        raise ValueError(f'there are {count} groups: an interval needs 2 or more.')
    check_whole(draws, 'draws', 2, 10**9)
    if not 0 < check_real(level, 'level', 'a share between 0 and 1, such as .95') < 1:
        raise ValueError(f'level is {level}: give a share between 0 and 1, such as .95.')
    check_call(measure, 'measure', 'a function, such as rmse')
    order = np.argsort(groups, kind='stable')
    members = np.split(order, np.cumsum(np.bincount(groups))[:-1])  # the rows of each group
    rng = np.random.default_rng(check_seed(seed))
    drawn = np.empty(draws)
    for i in range(draws):
        rows = np.concatenate([members[g] for g in rng.integers(count, size=count)])
        value = measure(*(c[rows] for c in columns))
        if not np.isscalar(value) or isinstance(value, str):
            raise ValueError(f'measure gives {shown(value)}: give a function that gives a number.')
        drawn[i] = value
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    value = float(measure(*columns))
    return Interval(value, float(low), float(high), float(drawn.std(ddof=1)))


# The formulas, on arrays that are checked already.


def _mean(values, weight=None):
    return values.mean() if weight is None else np.average(values, weights=weight)


def _log_loss(labels, probs, weight=None):
    of_label = np.where(labels == 1, probs, 1 - probs)  # the probability of what happened
    return float(-_mean(np.log(np.clip(of_label, SMALLEST, 1 - SMALLEST)), weight))


def _constant_rate(labels, weight=None):
    rate = float(_mean(labels, weight))
    loss = _log_loss(labels, np.full(labels.size, rate), weight)
    return {'rate': rate, 'log_loss': loss, 'auc': 0.5}


def _below(users, scores, weight):
    """For each row the weight of its user's rows with lower scores, and half of those beside it."""
    order = np.lexsort((scores, users))
    users, scores, weight = users[order], scores[order], weight[order]
    total = np.concatenate([[0.0], np.cumsum(weight)])
    changes = np.flatnonzero(np.diff(users)) + 1
    first = np.concatenate([[0], changes])[users - users[0]]  # users are whole numbers in a row
    ties = np.flatnonzero((np.diff(users) != 0) | (np.diff(scores) != 0)) + 1
    starts = np.concatenate([[0], ties])
    run = np.repeat(np.arange(len(starts)), np.diff(np.concatenate([starts, [len(users)]])))
    ends = np.concatenate([ties, [len(users)]])
    below = (total[starts[run]] + total[ends[run]]) / 2 - total[first]
    out = np.empty(len(users))
    out[order] = below
    return out


def _auc(labels, scores, weight=None):
    """For each 1 the (weight of the) zeros below it, and half of those beside it."""
    ones = labels == 1
    if weight is None:
        positive, negative = np.sort(scores[ones]), np.sort(scores[~ones])
        below = np.searchsorted(negative, positive, 'left').sum()
        up_to = np.searchsorted(negative, positive, 'right').sum()
        return float((below + up_to) / 2 / (positive.size * negative.size))
    order = np.argsort(scores[~ones])
    negative, positive = scores[~ones][order], scores[ones]
    total = np.concatenate([[0.0], np.cumsum(weight[~ones][order])])  # of the first n zeros
    below = total[np.searchsorted(negative, positive, 'left')]
    up_to = total[np.searchsorted(negative, positive, 'right')]
    return float(np.average((below + up_to) / 2, weights=weight[ones]) / total[-1])


def _hit_rate(users, ranks, counts, k):
    return float((np.bincount(users[ranks <= k], minlength=len(counts)) > 0).mean())


def _ndcg(users, ranks, counts, k):
    users, ranks = users[ranks <= k], ranks[ranks <= k]
    gains = np.bincount(users, 1 / np.log2(1 + ranks), minlength=len(counts))
    best = np.cumsum(1 / np.log2(np.arange(2, counts.max() + 2)))
    return float(np.mean(gains / best[np.minimum(counts, min(k, len(best))) - 1]))


def _ranks(scores, held_out, seen, k):
    """Held-out items, one entry each: its user (numbered among those with one), its rank from 1.

    And how many each such user has. Ranks above k are only known to be above k: of the other
    candidates no more than the k best of a user are put in order, found in time linear in I. Of
    equal scores relevant items come last; seen items come after all others.
    """
    scores = _numbers(scores, 'scores')
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f'scores has shape {scores.shape}: give (users, items), 2 items or more.')
    if not np.isfinite(scores).all():
        user, item = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f'scores[{user}, {item}] is {scores[user, item]}: give numbers only, and '
            'items that are no candidates as seen.'
        )
    if _whole(k, 'k') < 1:
        raise ValueError(f'k is {k}: give 1 or more.')
    relevant = _items(held_out, scores.shape, 'held_out')
    known = _items({} if seen is None else seen, scores.shape, 'seen')
    if (relevant & known).any():
        user, item = np.argwhere(relevant & known)[0]
        raise ValueError(f'user {user} has item {item} both seen and held out: leave it in one.')
    users = relevant.any(axis=1)
    if not users.any():
        raise ValueError('no user has a held-out item: there is nothing to measure.')
    scores, relevant, known = scores[users], relevant[users], known[users]
    k = min(int(k), scores.shape[1])
    counts = relevant.sum(axis=1)
    others = np.where(relevant | known, -np.inf, scores)
    ahead = -np.partition(-others, k - 1, axis=1)[:, :k]  # a user's k best others, in no order
    users, items = np.nonzero(relevant)
    mine = scores[users, items]
    order = np.lexsort((items, -mine, users))
    users, mine = users[order], mine[order]
    place = np.arange(len(users)) - np.repeat(np.cumsum(counts) - counts, counts)
    return users, 1 + place + (ahead[users] >= mine[:, None]).sum(axis=1), counts


# What may come in.


def _numbers(values, name):
    """`values` as a float64 array of their own shape."""
    if values is None:
        raise ValueError(f'{name} is None: give an array of numbers.')
    try:
        values = values.asnumpy() if hasattr(values, 'asnumpy') else values
        kind = getattr(values, 'dtype', np.dtype('O'))
        if isinstance(kind, np.dtype) and kind.kind in 'cmM':
            raise TypeError
        return np.asarray(values, dtype='float64')
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f'{name} is not an array of numbers: give one number in each place, and none missing.'
        ) from None


def _check_finite(values, name):
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = ', '.join(map(str, bad[0]))
        raise ValueError(
            f'{name}[{place}] is {values[tuple(bad[0])]}: '
            'look for a learning rate that is too high or a division by zero.'
        )


def _flat(values, name):
    """An array of shape (N,) or (N, 1) as (N,)."""
    if values.ndim == 0 or values.ndim != 1 and values.size != len(values):
        raise ValueError(f'{name} has shape {values.shape}: give one value for each row.')
    return values.reshape(-1)


def _column(values, name):
    """`values` as a flat float64 array; refuse what is empty, not a column or not a number."""
    values = _flat(_numbers(values, name), name)
    if not values.size:
        raise ValueError(f'{name} is empty: there is nothing to measure.')
    _check_finite(values, name)
    return values


def _pair(truth, predictions, name='probs', truth_name='labels'):
    truth, predictions = _column(truth, truth_name), _column(predictions, name)
    if truth.size != predictions.size:
        raise ValueError(
            f'{truth.size} {truth_name} but {predictions.size} {name}: '
            'both must come from the same rows.'
        )
    return truth, predictions


def _check_labels(labels):
    bad = np.flatnonzero((labels != 0) & (labels != 1))
    if bad.size:
        raise ValueError(f'labels[{bad[0]}] is {labels[bad[0]]:g}: a click label is 0 or 1.')


def _clicks(labels, predictions, name='probs'):
    """A checked pair with labels in {0, 1} and, for `probs`, predictions in [0, 1]."""
    labels, predictions = _pair(labels, predictions, name)
    _check_labels(labels)
    if name == 'probs':
        bad = np.flatnonzero((predictions < 0) | (predictions > 1))
        if bad.size:
            raise ValueError(
                f'probs[{bad[0]}] is {predictions[bad[0]]:.3g}, not a probability: '
                'pass logits through sigmoid first.'
            )
    return labels, predictions


def _weights(sample_weight, size):
    """Checked weights of `size` rows, or None."""
    if sample_weight is None:
        return None
    weight = _column(sample_weight, 'sample_weight')
    if weight.size != size:
        raise ValueError(f'{size} rows but {weight.size} sample weights: give one for each row.')
    bad = np.flatnonzero(weight < 0)
    if bad.size:
        raise ValueError(
            f'sample_weight[{bad[0]}] is {weight[bad[0]]:g}: a weight is 0 or more, '
            'the number of rows that the row stands for.'
        )
    if not weight.any():
        raise ValueError('every sample weight is 0: no row is left to measure.')
    return weight


def _whole(number, name):
    try:
        return operator.index(number)
    except TypeError:
        raise ValueError(f'{name} is {shown(number)}: give a whole number.') from None


def _codes(users):
    """Users of any kind as whole numbers from 0, in the order in which they first come."""
    if users is None:
        raise ValueError('users is None: give the user of each row.')
    if hasattr(users, 'asnumpy'):
        users = users.asnumpy()
    # From a list NumPy would make texts of one length, and so one user of two.
    users = np.asarray(users, dtype=None if hasattr(users, 'dtype') else object)
    users = _flat(users.astype(object) if users.dtype.kind in 'US' else users, 'users')
    missing = np.flatnonzero(pd.isna(users))
    if missing.size:
        raise ValueError(
            f'users[{missing[0]}] is missing: give the user of each row, or leave such rows out.'
        )
    if users.dtype != object:
        return pd.factorize(users)[0]
    known: dict[Any, int] = {}  # pandas would take texts that differ after a NUL for the same
    try:
        codes = [known.setdefault(user, len(known)) for user in users.tolist()]
    except TypeError:
        raise ValueError('a user is a list: give one number or text for each row.') from None
    return np.array(codes, dtype='int64')


def _items(items, shape, name):
    """Items of users in any of the forms of `hit_rate`, as a boolean matrix of this shape."""
    users, num_items = shape
    items = items.asnumpy() if hasattr(items, 'asnumpy') else items
    if isinstance(items, np.ndarray) and items.shape == shape:
        return items if items.dtype == bool else _numbers(items, name) != 0
    if not isinstance(items, Mapping):
        try:
            count = len(items)
        except TypeError:
            raise ValueError(
                f'{name} is {type(items).__name__}: give an item for each user, '
                'lists of items, a matrix or a dict.'
            ) from None
        if count != users:
            raise ValueError(
                f'{name} is for {count} users and scores for {users}: give the items of each user.'
            )
        items = dict(enumerate(items))
    out = np.zeros(shape, bool)
    for user, of_user in items.items():
        of_user = of_user.tolist() if hasattr(of_user, 'tolist') else of_user
        numbers = _item_numbers(of_user)
        if numbers is None or not isinstance(user, (int, np.integer)):
            raise ValueError(
                f'{name} gives user {user} the items {reprlib.repr(of_user)}: give whole numbers, '
                'and an empty list where there are none.'
            )
        bad = numbers[(numbers < 0) | (numbers >= num_items)]
        if bad.size or not 0 <= user < users:
            raise ValueError(
                f'{name} gives user {user} the items {numbers.tolist()[:5]}: give '
                f'users from 0 to {users - 1} and items from 0 to {num_items - 1}.'
            )
        out[user, numbers] = True
    return out


def _item_numbers(items):
    """The items of a user as int64, or None where they are no whole numbers."""
    items = sorted(items) if isinstance(items, (set, frozenset)) else items
    try:
        whole = np.floor(np.asarray(items, dtype='float64')).reshape(-1)
        numbers = np.asarray(items).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        return None
    if numbers.size and not (
        numbers.dtype.kind in 'iuf' and np.isfinite(whole).all() and (whole == numbers).all()
    ):
        return None
    return np.clip(whole, -1, 2**31).astype('int64')
