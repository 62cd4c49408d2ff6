"""Checks of the chapter on DLRM."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def dot_interaction(function: Function) -> Verdict:
    """DLRM's products: vectors z (B, n, K) -> (B, n(n-1)/2), <z_i, z_j> for i > j, row by row.

    Naumov et al., Deep Learning Recommendation Model, 2019, section 2.2.

    Examples
    --------
    >>> import mxnet as mx
    >>> dot_interaction(lambda z: mx.np.matmul(z, z.swapaxes(1, 2))).key
    'dot_interaction.whole'
    """

    def square(z):
        return z @ z.swapaxes(1, 2)

    def upper(z):
        first, second = np.triu_indices(z.shape[1], 1)
        return square(z)[:, first, second]

    return judge(
        function,
        definitions.dot_products,
        cases=[{'z': normal(3, 4, 2)}, {'z': normal(1, 5, 3, seed=1)}],
        mistakes=[
            ('dot_interaction.diagonal', lambda z: definitions.dot_products(z, True)),
            ('dot_interaction.whole', lambda z: square(z).reshape(len(z), -1)),
            ('dot_interaction.whole', square),
            ('dot_interaction.upper', upper),
        ],
    )


def embedding_bag(function: Function) -> Verdict:
    """Bags without empty slots: table (V, K), ids (M,), offsets (B,), weights (M,) -> (B, K).

    Bag b holds the slots from offsets[b] up to where the next bag begins and becomes
    sum_m weight_m * table[id_m]; an empty bag is 0.

    Naumov et al., Deep Learning Recommendation Model, 2019, equation (2) and section 4.1.

    Examples
    --------
    >>> import mxnet as mx
    >>> products = lambda table, ids, weights: (table[ids] * weights.reshape(-1, 1)).asnumpy()
    >>> embedding_bag(lambda t, i, o, w: np.add.reduceat(products(t, i, w), o.asnumpy())).key
    'embedding_bag.next_one'
    """

    def definition(table, ids, offsets, weights):
        sizes = np.diff([*offsets, len(ids)])
        return definitions.weighted_bags(table[ids][None], weights[None], sizes)[0]

    def unweighted(table, ids, offsets, weights):
        return definition(table, ids, offsets, np.ones_like(weights))

    def mean(table, ids, offsets, weights):
        total = definition(np.ones_like(table), ids, offsets, weights)
        return definition(table, ids, offsets, weights) / np.where(total, total, 1)

    def plain_mean(table, ids, offsets, weights):
        return mean(table, ids, offsets, np.ones_like(weights))

    def next_one(table, ids, offsets, weights):  # as NumPy's add.reduceat has it
        out = definition(table, ids, offsets, weights)
        for b in range(len(offsets) - 1):
            if offsets[b] == offsets[b + 1] < len(ids):
                out[b] = weights[offsets[b]] * table[ids[offsets[b]]]
        return out

    rng, cases = np.random.default_rng(0), []
    for seed, offsets in enumerate([[0, 2], [0, 3, 3, 4], [0, 0, 2, 6, 6]]):
        ids, weights = rng.integers(0, 5, 6), rng.uniform(0.5, 2, 6)
        cases.append(
            {
                'table': normal(5, 3, seed=seed),
                'ids': ids.astype('int32'),
                'offsets': np.array(offsets, 'int32'),
                'weights': weights.astype('float32'),
            }
        )
    return judge(
        function,
        definition,
        cases,
        mistakes=[
            ('embedding_bag.unweighted', unweighted),
            ('embedding_bag.mean', mean),
            ('embedding_bag.mean', plain_mean),
            ('embedding_bag.next_one', next_one),
        ],
    )
