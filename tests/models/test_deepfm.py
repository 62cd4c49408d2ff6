"""DeepFM with its parts concatenated under one layer."""

from d2lrec import LR, DeepFM, DeepFMConcat

import mxnet as mx
import numpy as np
from helpers import give, random_ids, randomize

DIMS, K = [3, 5, 2, 4], 4


def test_with_ones_on_the_terms_of_the_fm_it_is_deepfm():
    plain, concat = randomize(DeepFM(DIMS, K, [6, 5])), randomize(DeepFMConcat(DIMS, K, [6, 5]))
    for part in ('linear', 'embedding'):
        give(getattr(plain, part), getattr(concat, part))
    give(plain.mlp.hidden, concat.hidden)
    ones = mx.np.ones((1, 1 + K))
    deep = plain.mlp.output
    concat.head.weight.set_data(mx.np.concatenate([ones, deep.weight.data()], axis=1))
    concat.head.bias.set_data(deep.bias.data())
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(concat(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_with_weight_on_the_first_order_term_alone_it_is_lr():
    concat, lr = randomize(DeepFMConcat(DIMS, K, [6, 5])), LR(DIMS)
    lr.initialize()
    give(concat.linear, lr.linear)
    concat.head.weight.set_data(mx.np.array([[2.0] + [0.0] * (K + 5)]))
    concat.head.bias.set_data(mx.np.zeros(1))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(concat(x).asnumpy(), 2 * lr(x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_without_hidden_layers_the_vectors_enter_the_head():
    concat = randomize(DeepFMConcat(DIMS, K, []))
    assert concat.head.weight.shape == (1, 1 + K + len(DIMS) * K)
    assert concat(random_ids(DIMS, 9)).shape == (9, 1)
