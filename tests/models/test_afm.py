"""AFM: with equal attention it is an FM of means."""

from d2lrec import AFM, FM

import numpy as np
import pytest
from helpers import fill, give, random_ids, randomize
from mxnet import autograd

DIMS, K = [3, 5, 2, 4], 4


def test_equal_attention_and_ones_are_fm_up_to_the_number_of_pairs():
    fm, afm = randomize(FM(DIMS, K)), randomize(AFM(DIMS, K))
    give(fm.linear, afm.linear)
    give(fm.embedding, afm.embedding)
    fill(afm.attention.score, 0)
    fill(afm.head, 1)
    x = random_ids(DIMS, 9)
    first = fm.linear(x).asnumpy()
    num_pairs = len(DIMS) * (len(DIMS) - 1) / 2
    np.testing.assert_allclose(
        (afm(x).asnumpy() - first) * num_pairs, fm(x).asnumpy() - first, rtol=1e-4, atol=1e-5
    )


def test_one_field_is_refused():
    with pytest.raises(ValueError, match='but there is 1 field: give at least two'):
        AFM([7], K)


def test_dropped_attention_keeps_the_mean_and_prediction_drops_nothing():
    """In training a share of the weights is 0 and the others grow; a prediction drops none."""
    plain = randomize(AFM(DIMS, K, drop_rate=0))
    dropped = randomize(AFM(DIMS, K, drop_rate=0, attention_drop_rate=0.5))
    give(plain, dropped)
    x = random_ids(DIMS, 1)
    np.testing.assert_allclose(dropped(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5)
    many = random_ids(DIMS, 1).repeat(20_000, axis=0)
    with autograd.record():
        outs = dropped(many).asnumpy()
    assert outs.std() > 0
    np.testing.assert_allclose(outs.mean(), plain(many[:1]).item(), atol=5 * outs.std() / 140)
