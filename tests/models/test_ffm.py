"""FFM: with one vector a feature, or two fields, it is an FM."""

from d2lrec import FFM, FM

import mxnet as mx
import numpy as np
from helpers import give, random_ids, randomize
from mxnet import autograd

DIMS, K = [3, 5, 2, 4], 4


def test_the_same_vector_for_each_field_is_fm():
    fm, ffm = randomize(FM(DIMS, K)), FFM(DIMS, K)
    ffm.initialize()
    give(fm.linear, ffm.linear)
    ffm.embedding.weight.set_data(mx.np.tile(fm.embedding.weight.data(), (1, len(DIMS))))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(ffm(x).asnumpy(), fm(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_of_two_fields_it_is_fm():
    fm, ffm = randomize(FM([3, 5], K)), randomize(FFM([3, 5], K))
    give(fm.linear, ffm.linear)
    v = fm.embedding.weight.data()
    weight = ffm.embedding.weight.data()  # random: what is not set below must not matter
    weight[:3, K:], weight[3:, :K] = v[:3], v[3:]
    ffm.embedding.weight.set_data(weight)
    x = random_ids([3, 5], 9)
    np.testing.assert_allclose(ffm(x).asnumpy(), fm(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_a_field_s_vector_for_itself_takes_no_part():
    net = randomize(FFM(DIMS, K))
    with autograd.record():
        net(random_ids(DIMS, 50)).backward()
    grad = net.embedding.weight.grad().asnumpy().reshape(sum(DIMS), len(DIMS), K)
    own = np.repeat(np.arange(len(DIMS)), DIMS)[:, None] == np.arange(len(DIMS))
    assert (grad[own] == 0).all() and (grad[~own] != 0).all()
