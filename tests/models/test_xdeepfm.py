"""xDeepFM: what it contains."""

from d2lrec import FM, LR, EmbeddingMLP, XDeepFM

import mxnet as mx
import numpy as np
import pytest
from helpers import fill, give, random_ids, randomize

DIMS, K = [3, 5, 2, 4], 4


def test_one_map_with_ones_above_the_diagonal_and_no_mlp_is_fm():
    fm, net = randomize(FM(DIMS, K)), randomize(XDeepFM(DIMS, K, [6, 5], cin_dims=[1]))
    give(fm.linear, net.linear)
    give(fm.embedding, net.embedding)
    fill(net.mlp.output, 0)
    fill(net.head, 1)
    above = np.triu(np.ones((4, 4)), 1)
    net.cin.maps[0].weight.set_data(mx.np.array(above.reshape(1, -1)))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(net(x).asnumpy(), fm(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_without_its_cin_it_is_lr_plus_the_mlp():
    whole, lr, deep = (randomize(XDeepFM(DIMS, K, [6, 5])), LR(DIMS), EmbeddingMLP(DIMS, K, [6, 5]))
    lr.initialize()
    deep.initialize()
    give(whole.linear, lr.linear)
    give(whole.embedding, deep.embedding)
    give(whole.mlp, deep.mlp)
    fill(whole.head, 0)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(
        whole(x).asnumpy(), (lr(x) + deep(x)).asnumpy(), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize('split, maps', [(True, 4 + 3 + 3), (False, 8 + 6 + 3)])
def test_split_decides_how_many_maps_reach_the_output(split, maps):
    net = randomize(XDeepFM(DIMS, K, [5], cin_dims=(8, 6, 3), split=split))
    assert net.head.weight.data().shape == (1, maps)
    assert net.cin(net.embedding(random_ids(DIMS, 9))).shape == (9, maps)
