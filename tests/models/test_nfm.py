"""NFM: what it contains, and where it drops."""

from d2lrec import FM, NFM

import mxnet as mx
import numpy as np
from helpers import fill, give, random_ids, randomize
from mxnet import autograd

DIMS, K = [3, 5, 2, 4], 4


def test_without_hidden_layers_and_with_ones_it_is_fm():
    fm, nfm = randomize(FM(DIMS, K)), NFM(DIMS, K, [])
    nfm.initialize()
    give(fm.linear, nfm.linear)
    give(fm.embedding, nfm.embedding)
    nfm.mlp.output.weight.set_data(mx.np.ones((1, K)))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(nfm(x).asnumpy(), fm(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_the_pooled_vector_is_dropped_too():
    net = NFM([1, 1], 4000, [], drop_rate=0.3)
    net.initialize()
    fill(net.embedding, 1.0)
    mx.random.seed(0)
    with autograd.train_mode():
        pooled = net.pool(net.embedding(random_ids([1, 1], 20))).asnumpy()
    assert abs((pooled == 0).mean() - 0.3) < 0.02
    np.testing.assert_allclose(pooled[pooled != 0], 1 / 0.7, rtol=1e-5)
