"""Checks of the first steps."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def logit_loss(function: Function) -> Verdict:
    """Mean log loss: logits z (B, 1) and labels y (B, 1) -> one number, finite for large logits.

    Examples
    --------
    >>> import mxnet as mx
    >>> logit_loss(lambda z, y: (mx.np.log(1 + mx.np.exp(z)) - y * z).sum()).key
    'logit_loss.total'
    """
    loss = definitions.logit_loss

    def by_example(z, y):
        return [[loss(z[b : b + 1], y[b : b + 1])] for b in range(len(z))]

    labels = np.array([[1], [0], [1], [0], [0]], 'float32')
    far = np.array([[60], [-60], [-60], [60], [0]], 'float32')
    return judge(
        function,
        loss,
        cases=[{'z': normal(5, 1), 'y': labels}, {'z': far, 'y': labels}],
        mistakes=[
            ('logit_loss.total', lambda z, y: len(z) * loss(z, y)),
            ('logit_loss.second_sigmoid', lambda z, y: loss(1 / (1 + np.exp(-z)), y)),
            ('logit_loss.swapped', lambda z, y: loss(z, 1 - y)),
            ('logit_loss.by_example', by_example),
        ],
    )
