"""Checks of the chapter on xDeepFM."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def cin_layer(function: Function) -> Verdict:
    """A layer of CIN: x^l (B, H, K), x^0 (B, F, K), W (M, H, F) -> M feature maps (B, M, K).

    out_m = sum_{i,j} W_mij (x^l_i * x^0_j), element by element in K.

    Lian et al., xDeepFM, KDD 2018, equation (6).

    Examples
    --------
    >>> import mxnet as mx
    >>> cin_layer(lambda x, x0, W: mx.np.einsum('bik,bjk,mij->bm', x, x0, W)).key
    'cin_layer.pooled'
    """
    layer = definitions.cin_layer

    def bit_wise(x, x0, W):  # coordinate k of x_i meets all coordinates of x0_j
        return layer(x, np.broadcast_to(x0.sum(2, keepdims=True), x0.shape), W)

    def all_bits(x, x0, W):
        return np.einsum('bik,mij,bjn->bmkn', x, W, x0)

    def crosses_itself(x, x0, W):
        return layer(x, x, W) if x.shape == x0.shape else np.nan

    def case(b, h, f, k, m, seed):
        shapes = {'x': (b, h, k), 'x0': (b, f, k), 'W': (m, h, f)}
        return {name: normal(*shapes[name], seed=seed + n) for n, name in enumerate(shapes)}

    return judge(
        function,
        layer,
        cases=[case(2, 3, 3, 4, 5, seed=0), case(3, 2, 4, 3, 2, seed=10)],
        mistakes=[
            ('cin_layer.bit_wise', bit_wise),
            ('cin_layer.bit_wise', all_bits),
            ('cin_layer.pooled', lambda *case: layer(*case).sum(2)),
            ('cin_layer.crosses_itself', crosses_itself),
            ('cin_layer.no_cross', lambda x, x0, W: layer(x, np.ones_like(x0), W)),
        ],
    )
