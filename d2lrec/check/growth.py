"""Checks of the chapter on growing vocabularies."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def sparse_update(function: Function) -> Verdict:
    """A step of SGD on a batch's rows: table (V, K), ids (n,), gradients (n, K), lr -> (V, K).

    Examples
    --------
    >>> def overwritten(table, ids, grads, lr):
    ...     table[ids] -= lr * grads
    ...     return table
    >>> sparse_update(overwritten).key
    'sparse_update.overwritten'
    """
    update = definitions.sparse_update

    def overwritten(table, ids, grads, lr):
        out = table.copy()
        out[ids] -= lr * grads
        return out

    def averaged(table, ids, grads, lr):
        return update(table, ids, grads / np.bincount(ids)[ids][:, None], lr)

    def case(v, k, ids, lr, seed):
        return {
            'table': normal(v, k, seed=seed),
            'ids': np.array(ids, 'int32'),
            'grads': normal(len(ids), k, seed=seed + 1),
            'lr': lr,
        }

    return judge(
        function,
        update,
        cases=[case(5, 2, [3, 1, 3, 0, 3], 0.5, seed=0), case(4, 3, [2, 2], 0.1, seed=2)],
        mistakes=[
            ('sparse_update.overwritten', overwritten),
            ('sparse_update.averaged', averaged),
            ('sparse_update.uphill', lambda t, ids, g, lr: update(t, ids, g, -lr)),
            ('sparse_update.no_rate', lambda t, ids, g, lr: update(t, ids, g, 1.0)),
        ],
    )
