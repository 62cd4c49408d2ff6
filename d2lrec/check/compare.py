"""Checks of the chapter that compares the models."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge


def gauc(function: Function) -> Verdict:
    """AUC by user: labels (N,), scores (N,), users (N,) -> one number.

    The AUC within each user, averaged with the users' numbers of rows as weights; users whose
    labels are all alike have none and are left out. Zhu et al., Optimized Cost per Click in
    Taobao Display Advertising, KDD 2017.

    Examples
    --------
    >>> from d2lrec import metrics
    >>> gauc(lambda labels, scores, users: metrics.auc(labels, scores)).key
    'gauc.all_together'
    """

    def within(labels, scores, users, without):
        """The users' AUCs, `without` where there is none, and their numbers of rows."""
        mine = [users == user for user in np.unique(users)]
        aucs = [
            definitions.auc(labels[m], scores[m]) if len(set(labels[m])) > 1 else without
            for m in mine
        ]
        return np.array(aucs), [m.sum() for m in mine]

    def unweighted(labels, scores, users):
        return np.nanmean(within(labels, scores, users, without=np.nan)[0])

    def with_half(labels, scores, users):
        aucs, rows = within(labels, scores, users, without=0.5)
        return np.average(aucs, weights=rows)

    cases = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        users = np.repeat([7, 2, 9, 4], [2, 5, 12, 4]).astype('int32')
        labels = rng.permutation(np.arange(len(users)) % 2).astype('float32')
        labels[:7], labels[users == 4] = [0, 1, 1, 0, 1, 0, 0], 1  # user 4 has no zero
        scores = rng.integers(0, 6, len(users)).astype('float32') + users  # with ties
        order = rng.permutation(len(users))
        cases.append({'labels': labels[order], 'scores': scores[order], 'users': users[order]})
    return judge(
        function,
        definitions.gauc,
        cases,
        mistakes=[
            ('gauc.unweighted', unweighted),
            ('gauc.with_half', with_half),
            ('gauc.all_together', lambda labels, scores, users: definitions.auc(labels, scores)),
        ],
    )
