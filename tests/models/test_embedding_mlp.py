"""EmbeddingMLP: the deep half alone."""

from d2lrec import FM, DeepFM, EmbeddingMLP

import numpy as np
from helpers import give, random_ids, randomize

DIMS, K = [3, 5, 2, 4], 4


def test_deepfm_is_fm_plus_this():
    whole, deep, wide = (
        randomize(DeepFM(DIMS, K, [6, 5])),
        EmbeddingMLP(DIMS, K, [6, 5]),
        FM(DIMS, K),
    )
    for part in (deep, wide):
        part.initialize()
        give(whole.embedding, part.embedding)
    give(whole.mlp, deep.mlp)
    give(whole.linear, wide.linear)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(
        (deep(x) + wide(x)).asnumpy(), whole(x).asnumpy(), rtol=1e-5, atol=1e-5
    )


def test_without_hidden_layers_it_is_linear_in_the_vectors():
    net = randomize(EmbeddingMLP(DIMS, K, []))
    x = random_ids(DIMS, 9)
    e = net.embedding.weight.data().asnumpy()[x.asnumpy()].reshape(9, -1)
    expected = e @ net.mlp.output.weight.data().asnumpy().T + net.mlp.output.bias.data().asnumpy()
    np.testing.assert_allclose(net(x).asnumpy(), expected, rtol=1e-5, atol=1e-5)
