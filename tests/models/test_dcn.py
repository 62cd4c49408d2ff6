"""DCN: a polynomial of the right degree, and what its versions share."""

from d2lrec import DCN, EmbeddingMLP

import mxnet as mx
import numpy as np
import pytest
from helpers import differences, fill, give, random_ids, randomize

DIMS, K = [3, 5, 2, 4], 4


@pytest.mark.parametrize('num_layers', [1, 2, 4])
@pytest.mark.parametrize('options', [{}, {'version': 2}, {'version': 2, 'rank': 2}], ids=str)
@pytest.mark.parametrize('stacked', [False, True])
def test_without_hidden_layers_it_is_a_polynomial_of_degree_layers_plus_one(
    stacked, options, num_layers
):
    """Differences along a line in the embeddings vanish at order L + 2, not at order L + 1."""
    points = num_layers + 4
    net = randomize(DCN([points] * 3, K, [], num_layers=num_layers, stacked=stacked, **options))
    net.cast('float64')
    rng = np.random.default_rng(0)
    start, direction = rng.normal(size=(2, 3, 1, K))
    line = start + np.linspace(-1, 1, points)[:, None] * direction  # (3, points, K)
    net.embedding.weight.set_data(mx.np.array(line.reshape(-1, K), dtype='float64'))
    ids = np.arange(points)[:, None] + points * np.arange(3)
    out = net(mx.np.array(ids, dtype='int32')).asnumpy()
    scale = np.abs(out).max()
    assert np.abs(differences(out, num_layers + 2)).max() < 1e-12 * scale
    assert np.abs(differences(out, num_layers + 1)).max() > 1e-4 * scale


@pytest.mark.parametrize('options', [{}, {'version': 2}, {'version': 2, 'rank': 2}], ids=str)
def test_without_its_cross_half_it_is_the_mlp(options):
    whole, deep = randomize(DCN(DIMS, K, [6, 5], **options)), EmbeddingMLP(DIMS, K, [6, 5])
    deep.initialize()
    give(whole.embedding, deep.embedding)
    give(whole.mlp, deep.mlp)
    fill(whole.head, 0)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(whole(x).asnumpy(), deep(x).asnumpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('options', [{}, {'version': 2}, {'version': 2, 'rank': 2}], ids=str)
def test_stacked_on_a_cross_network_of_zeros_it_is_the_mlp(options):
    whole = randomize(DCN(DIMS, K, [6, 5], stacked=True, **options))
    deep = EmbeddingMLP(DIMS, K, [6, 5])
    deep.initialize()
    give(whole.embedding, deep.embedding)
    give(whole.mlp, deep.mlp)
    fill(whole.cross, 0)
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(whole(x).asnumpy(), deep(x).asnumpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    'options, words',
    [
        ({'version': 3}, 'version is 3: choose 1'),
        ({'rank': 4}, 'rank is 4 but version 1 has no matrix'),
        ({'num_layers': 0}, 'num_layers = 0: give a whole number'),
        ({'version': 2, 'rank': 0}, 'rank is 0'),
    ],
)
def test_refusals(options, words):
    with pytest.raises(ValueError, match=words) as refusal:
        DCN(DIMS, K, [5], **options)
    assert '\n' not in str(refusal.value)
