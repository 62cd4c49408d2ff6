"""Checks of the chapter on running a model in production."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def ftrl_weight(function: Function) -> Verdict:
    """FTRL's weights: z (V,), n (V,), α, β, λ₁, λ₂ -> w (V,).

    w = 0 for z from -λ₁ to λ₁, else -(z - sign(z) λ₁) / ((β + √n) / α + λ₂).
    McMahan et al., Ad Click Prediction: a View from the Trenches, KDD 2013, algorithm 1.

    Examples
    --------
    >>> ftrl_weight(lambda z, n, alpha, beta, l1, l2: -z / ((beta + n**0.5) / alpha + l2)).key
    'ftrl_weight.no_threshold'
    """
    weight = definitions.ftrl_weight

    def no_threshold(z, n, alpha, beta, l1, l2):
        return weight(z, n, alpha, beta, 0.0, l2)

    def not_shrunk(z, n, alpha, beta, l1, l2):
        return np.where(np.abs(z) > l1, weight(z, n, alpha, beta, 0.0, l2), 0)

    def pushed_away(z, n, alpha, beta, l1, l2):
        return np.where(np.abs(z) > l1, weight(z, n, alpha, beta, -l1, l2), 0)

    def never_zero(z, n, alpha, beta, l1, l2):
        return weight(z - np.sign(z) * l1, n, alpha, beta, 0.0, l2)

    return judge(
        function,
        weight,
        cases=[
            {
                'z': normal(8, seed=seed),
                'n': np.square(normal(8, seed=seed + 9)),
                'α': alpha,
                'β': beta,
                'λ₁': 0.6,
                'λ₂': l2,
            }
            for seed, alpha, beta, l2 in ((0, 0.5, 0.3, 0.2), (1, 0.1, 1.0, 0.5))
        ],
        mistakes=[
            ('ftrl_weight.no_minus', lambda *case: -weight(*case)),
            ('ftrl_weight.no_threshold', no_threshold),
            ('ftrl_weight.not_shrunk', not_shrunk),
            ('ftrl_weight.pushed_away', pushed_away),
            ('ftrl_weight.never_zero', never_zero),
        ],
    )
