"""Checks of the chapter that goes from a log to a served model."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge


def downsampling(function: Function) -> Verdict:
    """Undo a sampling of negatives: p (N,), the share kept -> probabilities (N,).

    He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014, section
    6.3.

    Examples
    --------
    >>> downsampling(lambda p, keep: p * keep).key
    'downsampling.times'
    """
    p = np.array([0.02, 0.3, 0.5, 0.97], 'float32')
    return judge(
        function,
        definitions.undo_downsampling,
        cases=[{'p': p, 'keep': 0.2}, {'p': p[:3], 'keep': 0.5}],
        mistakes=[
            ('downsampling.times', lambda p, keep: p * keep),
            ('downsampling.turned', lambda p, keep: p / (p + (1 - p) * keep)),
            ('downsampling.nothing', lambda p, keep: p),
        ],
    )


def top_unseen(function: Function) -> Verdict:
    """The k best items that are not among those seen: scores (I,), seen (n,), k -> numbers.

    Best first; of equal scores the lower number comes first.

    Examples
    --------
    >>> top_unseen(lambda scores, seen, k: (-scores).argsort()[:k]).key
    'top_unseen.seen'
    """
    scores = np.array([0.3, 0.9, 0.1, 0.9, 0.5, 0.2, 0.8], 'float32')

    def with_seen(scores, seen, k):
        return np.argsort(-scores, kind='stable')[:k]

    def worst(scores, seen, k):
        return [i for i in np.argsort(scores, kind='stable') if i not in seen][:k]

    def cut_first(scores, seen, k):
        return [i for i in np.argsort(-scores, kind='stable')[:k] if i not in seen]

    return judge(
        function,
        definitions.top_unseen,
        cases=[
            {'scores': scores, 'seen': np.array([1, 6], 'int32'), 'k': 3},
            {'scores': scores[::-1].copy(), 'seen': np.array([3], 'int32'), 'k': 4},
        ],
        mistakes=[
            ('top_unseen.seen', with_seen),
            ('top_unseen.worst', worst),
            ('top_unseen.cut_first', cut_first),
        ],
    )


def auc_gap(function: Function) -> Verdict:
    """How much AUC is lacking to the best possible: labels, probs, best (N,) -> a number.

    `best` are the true probabilities of the same rows, which planted data has.

    Examples
    --------
    >>> from d2lrec import auc
    >>> auc_gap(lambda labels, probs, best: auc(labels, probs)).key
    'auc_gap.alone'
    """
    rng = np.random.default_rng(0)
    best = rng.random(40).astype('float32')
    labels = (rng.random(40) < best).astype('float32')
    probs = np.round(best + rng.normal(0, 0.4, 40), 1).clip(0.1, 0.9).astype('float32')
    auc, gap = definitions.auc, definitions.auc_gap
    return judge(
        function,
        gap,
        cases=[
            {'labels': labels, 'probs': probs, 'best': best},
            {'labels': labels[::-1].copy(), 'probs': best, 'best': probs[::-1].copy()},
        ],
        mistakes=[
            ('auc_gap.turned', lambda labels, probs, best: -gap(labels, probs, best)),
            ('auc_gap.alone', lambda labels, probs, best: auc(labels, probs)),
            ('auc_gap.share', lambda labels, p, best: auc(labels, p) / auc(labels, best)),
            (
                'auc_gap.loss',
                lambda labels, p, best: _log_loss(labels, p) - _log_loss(labels, best),
            ),
        ],
    )


def _log_loss(labels, probs):
    probs = probs.astype('float64')
    return -np.mean(np.where(labels == 1, np.log(probs), np.log(1 - probs)))
