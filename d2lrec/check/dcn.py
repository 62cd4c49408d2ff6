"""Checks of the chapter on DCN."""

from __future__ import annotations

from .. import definitions
from .judge import Function, Verdict, judge, normal


def cross_layer(function: Function) -> Verdict:
    """A cross layer of DCN: x_0, x_l (B, D), w, b (D,) -> x_0 (x_l . w) + b + x_l, shape (B, D).

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).

    Examples
    --------
    >>> cross_layer(lambda x0, x, w, b: x0 * x * w + b + x).key
    'cross_layer.by_coordinate'
    """
    layer = definitions.cross_layer

    def case(rows, d, seed):
        shapes = {'x0': (rows, d), 'x': (rows, d), 'w': (d,), 'b': (d,)}
        return {k: normal(*shape, seed=seed + n) for n, (k, shape) in enumerate(shapes.items())}

    return judge(
        function,
        layer,
        cases=[case(4, 3, seed=0), case(2, 5, seed=10)],
        mistakes=[
            ('cross_layer.no_residual', lambda x0, x, w, b: layer(x0, x, w, b) - x),
            ('cross_layer.adds_x0', lambda x0, x, w, b: layer(x0, x, w, b) - x + x0),
            ('cross_layer.crosses_itself', lambda x0, x, w, b: layer(x, x, w, b)),
            ('cross_layer.bias_within', lambda x0, x, w, b: layer(x0, x, w, 0 * b) + x0 * b),
            ('cross_layer.by_coordinate', lambda x0, x, w, b: x0 * x * w + b + x),
        ],
    )
