"""Checks of the chapter on Wide & Deep."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge


def cross_product(function: Function) -> Verdict:
    """Cross-products: x (B, V) and c (C, V), both 0 and 1 -> (B, C), prod_i x_i^c_i.

    Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016, equation (1).

    Examples
    --------
    >>> cross_product(lambda x, c: x.dot(c.T)).key
    'cross_product.how_many'
    """

    def definition(x, c):
        return [[definitions.cross_product(row, picked) for picked in c] for row in x]

    rng = np.random.default_rng(0)
    x = (rng.random((6, 5)) < 0.7).astype('float32')
    c = np.array([[1, 1, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]], dtype='float32')
    return judge(
        function,
        definition,
        cases=[{'x': x, 'c': c}, {'x': x[:1], 'c': c[:2]}],
        mistakes=[
            ('cross_product.any_of', lambda x, c: x @ c.T > 0),
            ('cross_product.how_many', lambda x, c: x @ c.T),
            ('cross_product.multiplied', lambda x, c: (x[:, None] * c).prod(2)),
        ],
    )
