"""Measures of a prediction, as pure functions on arrays.

N rows. Arrays may be NumPy's or MXNet's, of shape (N,) or (N, 1); labels are 0 or 1.
Scikit-learn computes what it has; it is imported at the first call, for it is slow to import.
"""

import numpy as np
import pandas as pd

__all__ = [
    'accuracy',
    'auc',
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


def _column(values, name):
    """`values` as a flat float64 array; refuse what is empty, not a column or not a number."""
    values = values.asnumpy() if hasattr(values, 'asnumpy') else np.asarray(values)
    if values.ndim != 1 and values.size != len(values):
        raise ValueError(f'{name} has shape {values.shape}: give one value for each row.')
    values = values.reshape(-1).astype('float64')
    if not values.size:
        raise ValueError(f'{name} is empty: there is nothing to measure.')
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise ValueError(
            f'{name}[{bad[0]}] is {values[bad[0]]}: '
            'look for a learning rate that is too high or a division by zero.'
        )
    return values


def _pair(labels, predictions, name='probs'):
    labels, predictions = _column(labels, 'labels'), _column(predictions, name)
    if labels.size != predictions.size:
        raise ValueError(
            f'{labels.size} labels but {predictions.size} {name}: '
            'both must come from the same rows.'
        )
    return labels, predictions


def _clicks(labels, predictions, name='probs'):
    """A checked pair with labels in {0, 1} and, for `probs`, predictions in [0, 1]."""
    labels, predictions = _pair(labels, predictions, name)
    bad = np.flatnonzero((labels != 0) & (labels != 1))
    if bad.size:
        raise ValueError(f'labels[{bad[0]}] is {labels[bad[0]]:g}: a click label is 0 or 1.')
    if name == 'probs':
        bad = np.flatnonzero((predictions < 0) | (predictions > 1))
        if bad.size:
            raise ValueError(
                f'probs[{bad[0]}] is {predictions[bad[0]]:.3g}, not a probability: '
                'pass logits through sigmoid first.'
            )
    return labels, predictions


def sigmoid(logits):
    """1 / (1 + exp(-logits)) without overflow, in float64; same shape as `logits`."""
    x = logits.asnumpy() if hasattr(logits, 'asnumpy') else np.asarray(logits)
    z = np.exp(-np.abs(x.astype('float64')))
    return np.where(x >= 0, 1, z) / (1 + z)


def log_loss(labels, probs):
    """Mean of -y log p - (1 - y) log(1 - p) over the rows, in nats.

    Probabilities of exactly 0 or 1 are clipped by float64's machine epsilon.
    """
    from sklearn.metrics import log_loss as sk_log_loss

    labels, probs = _clicks(labels, probs)
    return float(sk_log_loss(labels, probs, labels=[0, 1]))


def auc(labels, scores):
    """Area under the ROC curve: the chance that a random 1 scores above a random 0.

    `scores` may be logits or probabilities. Ties count one half.
    """
    from sklearn.metrics import roc_auc_score

    labels, scores = _clicks(labels, scores, 'scores')
    if labels.min() == labels.max():
        raise ValueError(f'all {labels.size} labels are {labels[0]:g}: AUC needs both classes.')
    return float(roc_auc_score(labels, scores))


def accuracy(y_hat, y):
    """Number of rows whose predicted class is right, as `d2l.accuracy` counts them.

    Logits of shape (N,) or (N, 1) predict 1 above 0; scores of shape (N, C) with C > 1 predict
    their largest column. Returns a float: divide by N for the share.
    """
    y_hat = y_hat.asnumpy() if hasattr(y_hat, 'asnumpy') else np.asarray(y_hat)
    if y_hat.ndim == 2 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
        labels, classes = _pair(y, y_hat, 'y_hat')
    else:
        labels, logits = _clicks(y, y_hat, 'y_hat')
        classes = logits > 0
    return float((classes == labels).sum())


def rmse(ratings, predictions):
    """Root mean squared error over the rows, in rating units."""
    ratings, predictions = _pair(ratings, predictions, 'predictions')
    return float(np.sqrt(np.mean(np.square(ratings - predictions))))


def mae(ratings, predictions):
    """Mean absolute error over the rows, in rating units."""
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(*_pair(ratings, predictions, 'predictions')))


def squared_error(ratings, predictions, mask=None):
    """Sum of squared errors over the observed entries, and the number of these.

    Pieces add up: sum both over batches and devices, divide, and take one root.

    Parameters
    ----------
    ratings, predictions : arrays of one shape
        What `ratings` holds where nothing was observed does not matter.
    mask : array of that shape, optional
        Not 0 where a rating was observed; by default wherever `ratings` is not 0.
    """
    ratings, predictions, mask = (
        None if a is None else a.asnumpy() if hasattr(a, 'asnumpy') else np.asarray(a)
        for a in (ratings, predictions, mask)
    )
    mask = ratings != 0 if mask is None else mask != 0
    if not ratings.shape == predictions.shape == mask.shape:
        raise ValueError(
            f'the ratings have shape {ratings.shape}, the predictions '
            f'{predictions.shape} and the mask {mask.shape}: give equal shapes.'
        )
    errors = ratings[mask].astype('float64') - predictions[mask]
    if not np.isfinite(errors).all():
        raise ValueError(
            'an observed rating or its prediction is not a number: look for a '
            'learning rate that is too high, or mark missing ratings in the mask.'
        )
    return float(np.square(errors).sum()), int(mask.sum())


def masked_rmse(ratings, predictions, mask=None):
    """Root mean squared error over the observed entries, in rating units.

    Parameters
    ----------
    ratings, predictions, mask : as in `squared_error`
        Or lists of these, with one array for each batch or device: there is still one root.
    """
    if not isinstance(ratings, (list, tuple)):
        ratings, predictions, mask = [ratings], [predictions], [mask]
    masks = [None] * len(ratings) if mask is None else mask
    if not len(ratings) == len(predictions) == len(masks):
        raise ValueError(
            f'{len(ratings)} arrays of ratings, {len(predictions)} of predictions '
            f'and {len(masks)} masks: give as many of each.'
        )
    pieces = [squared_error(*piece) for piece in zip(ratings, predictions, masks)]
    count = sum(n for _, n in pieces)
    if not count:
        raise ValueError('no rating is observed: there is nothing to measure.')
    return float(np.sqrt(sum(s for s, _ in pieces) / count))


def gauc(labels, scores, users):
    """AUC within each user, averaged with the users' numbers of rows as weights.

    It asks what a ranking shown to one user asks: a score that only tells users apart gets .5.
    Zhu et al., Optimized Cost per Click in Taobao Display Advertising, KDD 2017.
    Users whose labels are all of one class have no AUC: they are left out, and counted.

    Parameters
    ----------
    labels, scores : as in `auc`
    users : ids (N,) of any kind

    Returns
    -------
    dict with `gauc`, `users` (that count), `users_left_out` and `rows_left_out`.
    """
    labels, scores = _clicks(labels, scores, 'scores')
    users = pd.factorize(
        np.asarray(users.asnumpy() if hasattr(users, 'asnumpy') else users).reshape(-1)
    )[0]
    if users.size != labels.size:
        raise ValueError(f'{labels.size} labels but {users.size} users: give one for each row.')
    rows = np.bincount(users).astype('float64')
    ones = np.bincount(users, labels)
    # Mann-Whitney: the sum of the ones' ranks (1 for the lowest, means where tied) less its least.
    ranks = pd.Series(scores).groupby(users).rank().to_numpy()
    above = np.bincount(users, ranks * labels) - ones * (ones + 1) / 2
    both = (ones > 0) & (ones < rows)
    if not both.any():
        raise ValueError(
            f'none of the {len(rows)} users has labels of both classes: GAUC needs one who has.'
        )
    aucs = above[both] / (ones * (rows - ones))[both]
    return {
        'gauc': float(np.average(aucs, weights=rows[both])),
        'users': int(both.sum()),
        'users_left_out': int((~both).sum()),
        'rows_left_out': int(rows[~both].sum()),
    }


def normalized_entropy(labels, probs):
    """Log loss divided by that of the constant rate of `labels`: 1 tells nothing, 0 is perfect.

    He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014,
    equation (1).
    """
    labels, probs = _clicks(labels, probs)
    if labels.min() == labels.max():
        raise ValueError(
            f'all {labels.size} labels are {labels[0]:g}: their entropy is 0, '
            'and nothing can be divided by it.'
        )
    return log_loss(labels, probs) / constant_rate(labels)['log_loss']


def hit_rate(scores, held_out, seen=None, k=10):
    """Share of users with a held-out item among their k best of all items they have not seen.

    Parameters
    ----------
    scores : array (U, I)
        Larger is better. Of equal scores the held-out items come last: a model that scores all
        items alike gains nothing by it.
    held_out : one item for each user (U,), or several: a matrix (U, I) of zeros and ones, a list
        of U lists, or a dict {user: items}
        Users without one do not count.
    seen : in the same forms, optional
        Items known from training: they are no candidates.
    k : int

    Raises
    ------
    ValueError
        For an item out of range or both seen and held out, or where no user has a held-out item.
    """
    relevant, ranks = _ranks(scores, held_out, seen, k)
    return float((relevant & (ranks <= k)).any(axis=1).mean())


def ndcg(scores, held_out, seen=None, k=10):
    """Normalized discounted cumulative gain at k over all items a user has not seen.

    The mean over users of Σ 1 / log₂(1 + rank) over the held-out items of rank up to k, divided
    by its largest value. Järvelin and Kekäläinen, TOIS 20(4), 2002. With one held-out item a
    user it is what He et al. (2017) report beside the hit rate, but against all items: against
    a sample the order of models can change (Krichene and Rendle, KDD 2020).

    Parameters and errors as in `hit_rate`, and so is the rule for equal scores.
    """
    from sklearn.metrics import ndcg_score

    relevant, ranks = _ranks(scores, held_out, seen, k)
    return float(ndcg_score(relevant, -ranks, k=k, ignore_ties=True))  # ranks have no ties


def _ranks(scores, held_out, seen, k):
    """For users with a held-out item: what is relevant (U, I), and ranks (U, I) from 1.

    Of equal scores relevant items come last; seen items come after all others.
    """
    scores = scores.asnumpy() if hasattr(scores, 'asnumpy') else np.asarray(scores)
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(f'scores has shape {scores.shape}: give (users, items), 2 items or more.')
    if not np.isfinite(scores).all():
        user, item = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f'scores[{user}, {item}] is {scores[user, item]}: give numbers only, and '
            'items that are no candidates as seen.'
        )
    if k < 1:
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
    order = np.lexsort((relevant, -scores, known), axis=1)
    ranks = np.empty(order.shape, 'int64')
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[1] + 1)[None], axis=1)
    return relevant, ranks


def _items(items, shape, name):
    """Items of users in any of the forms of `hit_rate`, as a boolean matrix of this shape."""
    users, num_items = shape
    items = items.asnumpy() if hasattr(items, 'asnumpy') else items
    if isinstance(items, np.ndarray) and items.shape == shape:
        return items != 0
    if not isinstance(items, dict):
        if len(items) != users:
            raise ValueError(
                f'{name} is for {len(items)} users and scores for {users}: '
                'give the items of each user.'
            )
        items = dict(enumerate(items))
    out = np.zeros(shape, bool)
    for user, of_user in items.items():
        of_user = np.asarray(of_user, dtype='int64').reshape(-1)
        bad = of_user[(of_user < 0) | (of_user >= num_items)]
        if bad.size or not 0 <= user < users:
            raise ValueError(
                f'{name} gives user {user} the items {of_user.tolist()[:5]}: give '
                f'users from 0 to {users - 1} and items from 0 to {num_items - 1}.'
            )
        out[user, of_user] = True
    return out


def constant_rate(labels):
    """The baseline of every click model: predict the mean of `labels` for each row.

    Returns
    -------
    dict with `rate` (share of ones), `log_loss` (in nats) and `auc` (always .5).
    """
    labels = _column(labels, 'labels')
    rate = float(labels.mean())
    return {'rate': rate, 'log_loss': log_loss(labels, np.full(labels.size, rate)), 'auc': 0.5}


def calibration_table(labels, probs, num_bins=10):
    """Compare what was predicted with what happened, in bins of equal numbers of rows.

    Returns
    -------
    DataFrame with one row a bin, from low to high predictions: `rows`, `predicted` (mean
    probability), `observed` (share of ones), `ratio` (predicted / observed, inf where none).
    """
    labels, probs = _clicks(labels, probs)
    if not 1 <= num_bins <= labels.size:
        raise ValueError(f'num_bins is {num_bins}: choose between 1 and the {labels.size} rows.')
    order = np.argsort(probs, kind='stable')
    bins = np.array_split(order, num_bins)
    table = pd.DataFrame(
        {
            'rows': [len(b) for b in bins],
            'predicted': [probs[b].mean() for b in bins],
            'observed': [labels[b].mean() for b in bins],
        },
        index=pd.RangeIndex(1, num_bins + 1, name='bin'),
    )
    table['ratio'] = table.predicted / table.observed.where(table.observed > 0)
    return table.fillna({'ratio': np.inf})


def ctr_report(labels, probs):
    """All a click model is judged by, beside the constant-rate baseline.

    Returns
    -------
    dict with `auc`, `log_loss`, `base_log_loss` (of the constant rate), `accuracy` (at .5),
    `rate` (share of ones) and `mean_prob`. `auc` is nan where only one class is present.
    """
    labels, probs = _clicks(labels, probs)
    base = constant_rate(labels)
    both = labels.min() < labels.max()
    return {
        'auc': auc(labels, probs) if both else float('nan'),
        'log_loss': log_loss(labels, probs),
        'base_log_loss': base['log_loss'],
        'accuracy': float(((probs > 0.5) == labels).mean()),
        'rate': base['rate'],
        'mean_prob': float(probs.mean()),
    }
