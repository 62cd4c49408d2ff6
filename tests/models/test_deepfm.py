"""DeepFM with its joint last layer."""

import mxnet as mx
import numpy as np
from helpers import fill, give, random_ids, randomize

from d2lrec import LR, DeepFM

DIMS, K = [3, 5, 2, 4], 4


def test_joint_head_of_ones_is_the_sum():
    plain, joint = randomize(DeepFM(DIMS, K, [6, 5])), DeepFM(DIMS, K, [6, 5], joint_head=True)
    joint.initialize()
    for part in ('linear', 'embedding', 'mlp'):
        give(getattr(plain, part), getattr(joint, part))
    fill(joint.head, 1)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(joint(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-5)


def test_joint_head_that_weighs_the_first_order_term_alone_is_lr():
    joint, lr = randomize(DeepFM(DIMS, K, [6, 5], joint_head=True)), LR(DIMS)
    lr.initialize()
    give(joint.linear, lr.linear)
    joint.head.weight.set_data(mx.np.array([[2.0] + [0.0] * K]))
    fill(joint.mlp.output, 0)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(joint(x).asnumpy(), 2 * lr(x).asnumpy(), rtol=1e-5, atol=1e-6)
