"""Measures of a prediction, as pure functions on arrays.

N rows. Arrays may be NumPy's or MXNet's, of shape (N,) or (N, 1); labels are 0 or 1.
Scikit-learn computes what it has; it is imported at the first call, for it is slow to import.
"""
import numpy as onp
import pandas as pd

__all__ = ['accuracy', 'auc', 'calibration_table', 'constant_rate', 'ctr_report', 'log_loss',
           'rmse', 'sigmoid']


def _column(values, name):
    """`values` as a flat float64 array; refuse what is empty, not a column or not a number."""
    values = values.asnumpy() if hasattr(values, 'asnumpy') else onp.asarray(values)
    if values.ndim != 1 and values.size != len(values):
        raise ValueError(f'{name} has shape {values.shape}: give one value for each row.')
    values = values.reshape(-1).astype('float64')
    if not values.size:
        raise ValueError(f'{name} is empty: there is nothing to measure.')
    bad = onp.flatnonzero(~onp.isfinite(values))
    if bad.size:
        raise ValueError(f'{name}[{bad[0]}] is {values[bad[0]]}: '
                         'look for a learning rate that is too high or a division by zero.')
    return values


def _pair(labels, predictions, name='probs'):
    labels, predictions = _column(labels, 'labels'), _column(predictions, name)
    if labels.size != predictions.size:
        raise ValueError(f'{labels.size} labels but {predictions.size} {name}: '
                         'both must come from the same rows.')
    return labels, predictions


def _clicks(labels, predictions, name='probs'):
    """A checked pair with labels in {0, 1} and, for `probs`, predictions in [0, 1]."""
    labels, predictions = _pair(labels, predictions, name)
    bad = onp.flatnonzero((labels != 0) & (labels != 1))
    if bad.size:
        raise ValueError(f'labels[{bad[0]}] is {labels[bad[0]]:g}: a click label is 0 or 1.')
    if name == 'probs':
        bad = onp.flatnonzero((predictions < 0) | (predictions > 1))
        if bad.size:
            raise ValueError(f'probs[{bad[0]}] is {predictions[bad[0]]:.3g}, not a probability: '
                             'pass logits through sigmoid first.')
    return labels, predictions


def sigmoid(logits):
    """1 / (1 + exp(-logits)) without overflow, in float64; same shape as `logits`."""
    x = logits.asnumpy() if hasattr(logits, 'asnumpy') else onp.asarray(logits)
    z = onp.exp(-onp.abs(x.astype('float64')))
    return onp.where(x >= 0, 1, z) / (1 + z)


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
    y_hat = y_hat.asnumpy() if hasattr(y_hat, 'asnumpy') else onp.asarray(y_hat)
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
    return float(onp.sqrt(onp.mean(onp.square(ratings - predictions))))


def constant_rate(labels):
    """The baseline of every click model: predict the mean of `labels` for each row.

    Returns
    -------
    dict with `rate` (share of ones), `log_loss` (in nats) and `auc` (always .5).
    """
    labels = _column(labels, 'labels')
    rate = float(labels.mean())
    return {'rate': rate, 'log_loss': log_loss(labels, onp.full(labels.size, rate)), 'auc': .5}


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
    order = onp.argsort(probs, kind='stable')
    bins = onp.array_split(order, num_bins)
    table = pd.DataFrame({'rows': [len(b) for b in bins],
                          'predicted': [probs[b].mean() for b in bins],
                          'observed': [labels[b].mean() for b in bins]},
                         index=pd.RangeIndex(1, num_bins + 1, name='bin'))
    table['ratio'] = table.predicted / table.observed.where(table.observed > 0)
    return table.fillna({'ratio': onp.inf})


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
    return {'auc': auc(labels, probs) if both else float('nan'),
            'log_loss': log_loss(labels, probs), 'base_log_loss': base['log_loss'],
            'accuracy': float(((probs > .5) == labels).mean()),
            'rate': base['rate'], 'mean_prob': float(probs.mean())}
