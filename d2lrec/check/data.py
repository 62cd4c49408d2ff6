"""Checks of the chapter on click data."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge


def auc(function: Function) -> Verdict:
    """Area under the ROC curve: labels (N,) and scores (N,) -> a number; ties count one half.

    Examples
    --------
    >>> from d2lrec import metrics
    >>> auc(lambda labels, scores: 1 - metrics.auc(labels, scores)).key
    'auc.upside_down'
    """
    labels = np.array([1, 0, 1, 0, 0, 1, 0], 'float32')
    scores = np.array([0.9, 0.7, 0.5, 0.5, 0.2, 0.3, 0.1], 'float32')
    return judge(
        function,
        definitions.auc,
        cases=[
            {'labels': labels, 'scores': scores},
            {'labels': labels[::-1].copy(), 'scores': 10 * scores - 5},
        ],
        mistakes=[
            ('auc.ties_lost', lambda labels, scores: definitions.auc(labels, scores, tie=0)),
            ('auc.ties_won', lambda labels, scores: definitions.auc(labels, scores, tie=1)),
            ('auc.upside_down', lambda *case: 1 - definitions.auc(*case)),
            ('auc.accuracy', lambda labels, scores: ((scores > 0.5) == labels).mean()),
        ],
    )


def vocabulary(function: Function) -> Verdict:
    """Ids by frequency: words (N,), whole numbers, and min_count -> ids (N,).

    Words that occur min_count times or more get 0, 1, ... from the most frequent on, the smaller
    one first among equally frequent ones; all others share the next id.

    Examples
    --------
    >>> vocabulary(lambda words, min_count: words).key
    'answer.value_at'
    """
    ids = definitions.frequency_ids

    def known(words, min_count):
        return sum(np.unique(words, return_counts=True)[1] >= min_count)

    def minus_one(words, min_count):
        out = ids(words, min_count)
        return np.where(out == known(words, min_count), -1, out)

    def unknown_first(words, min_count):
        return (ids(words, min_count) + 1) % (known(words, min_count) + 1)

    words = np.array([7, 3, 3, 9, 7, 5, 7, 9, 2, 5, 5, 5])
    return judge(
        function,
        ids,
        cases=[
            {'words': words, 'min_count': 2},
            {'words': words[::-1].copy(), 'min_count': 1},
            {'words': words, 'min_count': 4},
        ],
        mistakes=[
            ('vocabulary.more_than', lambda words, least: ids(words, least + 1)),
            ('vocabulary.by_value', lambda words, least: ids(words, least, lambda w, n: w)),
            ('vocabulary.reversed', lambda words, least: ids(words, least, lambda w, n: (-n, -w))),
            ('vocabulary.unknown_minus_one', minus_one),
            ('vocabulary.unknown_first', unknown_first),
        ],
    )
