"""Checks of the chapter on ranking."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def bpr_loss(function: Function) -> Verdict:
    """scores (P,), others (P,) -> the mean of -log σ(score - other) over the pairs, a number.

    Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009, section
    4.1, without the regularization.

    Examples
    --------
    >>> bpr_loss(lambda scores, others: np.log1p(np.exp(scores - others)).mean()).key
    'bpr_loss.reversed'
    """
    definition = definitions.bpr_loss

    def labels(scores, others):
        return np.mean(np.log1p(np.exp(-scores)) + np.log1p(np.exp(others)))

    return judge(
        function,
        definition,
        cases=[
            {'scores': normal(6), 'others': normal(6, seed=1)},
            {'scores': normal(1, seed=2), 'others': normal(1, seed=3)},
        ],
        mistakes=[
            ('bpr_loss.reversed', lambda scores, others: definition(others, scores)),
            ('bpr_loss.summed', lambda scores, others: definition(scores, others) * len(scores)),
            ('bpr_loss.labels', labels),
            ('bpr_loss.sign', lambda scores, others: -definition(scores, others)),
        ],
    )
