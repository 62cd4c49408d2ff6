"""Checks of the chapter on matrix factorization."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def biased_mf(function: Function) -> Verdict:
    """mean, user_bias (U,), item_bias (I,), P (U, K), Q (I, K), users (B,), items (B,) -> (B,).

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems, Computer
    42(8), 2009, equation (4).

    Examples
    --------
    >>> biased_mf(lambda mean, b_u, b_i, P, Q, u, i: mean + (P[u] * Q[i]).sum(1)).key
    'biased_mf.no_biases'
    """

    def definition(mean, user_bias, item_bias, P, Q, users, items):
        return definitions.mf([mean], user_bias[:, None], item_bias[:, None], P, Q, users, items)

    def no_biases(mean, user_bias, item_bias, *rest):
        return definition(mean, 0 * user_bias, 0 * item_bias, *rest)

    def all_pairs(mean, user_bias, item_bias, P, Q, users, items):
        return mean + user_bias[users][:, None] + item_bias[items] + P[users] @ Q[items].T

    def case(rows, seed):
        rng = np.random.default_rng(seed)
        return {
            'mean': 3.5,
            'user_bias': normal(5, seed=seed),
            'item_bias': normal(7, seed=seed + 1),
            'P': normal(5, 3, seed=seed + 2),
            'Q': normal(7, 3, seed=seed + 3),
            'users': rng.integers(0, 5, rows).astype('int32'),
            'items': rng.integers(0, 7, rows).astype('int32'),
        }

    return judge(
        function,
        definition,
        cases=[case(4, 0), case(1, 9)],
        mistakes=[
            ('biased_mf.no_mean', lambda mean, *rest: definition(0.0, *rest)),
            ('biased_mf.no_biases', no_biases),
            ('biased_mf.all_pairs', all_pairs),
            ('biased_mf.columns', lambda *case: definition(*case)[:, None]),
        ],
    )


def fold_in(function: Function) -> Verdict:
    """The vector of a new user: Q (n, K) of the n items rated, rest (n,), damping -> p (K,).

    p minimizes sum_i (rest_i - <p, q_i>)^2 + damping <p, p>, a ridge regression: what alternating
    least squares does for one user (Koren, Bell and Volinsky, Matrix Factorization Techniques
    for Recommender Systems, Computer 42(8), 2009).

    Examples
    --------
    >>> fold_in(lambda Q, rest, damping: Q.T.dot(rest)).key
    'fold_in.right_side'
    """
    solve = definitions.fold_in
    return judge(
        function,
        solve,
        cases=[
            {'Q': normal(6, 3), 'rest': normal(6, seed=1), 'damping': 2.0},
            {'Q': normal(2, 4, seed=2), 'rest': normal(2, seed=3), 'damping': 0.5},
        ],
        mistakes=[
            ('fold_in.undamped', lambda Q, rest, damping: np.linalg.pinv(Q) @ rest),
            ('fold_in.per_rating', lambda Q, rest, damping: solve(Q, rest, damping * len(Q))),
            ('fold_in.right_side', lambda Q, rest, damping: Q.T @ rest),
        ],
    )
