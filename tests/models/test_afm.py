"""AFM: with equal attention it is an FM of means."""

from d2lrec import AFM, FM

import numpy as np
import pytest
from helpers import fill, give, random_ids, randomize

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
