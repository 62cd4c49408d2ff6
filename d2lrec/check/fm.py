"""Checks of the chapter on factorization machines."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def pairwise_term(function: Function) -> Verdict:
    """FM's pairwise term: vectors v (B, F, K) -> (B, 1), sum_{f<g} <v_f, v_g>.

    Rendle, Factorization Machines, ICDM 2010, equation (1).

    Examples
    --------
    >>> pairwise_term(lambda v: (v.sum(1) ** 2 - (v**2).sum(1)).sum(1, keepdims=True)).key
    'pairwise_term.no_half'
    """
    term = definitions.pairwise_term
    return judge(
        function,
        term,
        cases=[{'v': normal(4, 3, 2)}, {'v': normal(1, 5, 3, seed=1)}],
        mistakes=[
            ('pairwise_term.no_half', lambda v: 2 * term(v)),
            ('pairwise_term.no_squares', lambda v: 0.5 * np.square(v.sum(1)).sum(1, keepdims=True)),
            ('pairwise_term.one_number', lambda v: term(v)[:, 0]),
        ],
    )
