"""Each layer equals its definition, written as loops in `definitions`, and so do its gradients."""
import definitions
import mxnet as mx
import numpy as onp
import pytest
from helpers import check_gradients, random_ids, randomize, weights_of
from mxnet import autograd, init, np

from d2lrec import layers

DIMS, K = [3, 5, 2, 4], 6


def vectors(rows, seed=0):
    return onp.random.default_rng(seed).normal(size=(rows, len(DIMS), K)).astype('float32')


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_embedding_looks_up_rows(rows, hybrid):
    net = randomize(layers.Embedding(sum(DIMS), K))
    net.hybridize(hybrid)
    x = random_ids(DIMS, rows)
    weight = net.weight.data().asnumpy()
    expected = onp.stack([[weight[i] for i in row] for row in x.asnumpy()])
    onp.testing.assert_array_equal(net(x).asnumpy(), expected)


@pytest.mark.parametrize('num_features', [2_000, 200_000])
def test_embedding_scale_does_not_depend_on_the_vocabulary(num_features):
    net = layers.Embedding(num_features, 4)
    net.initialize(init.Xavier())       # what readers of the original chapters write
    assert abs(float(net.weight.data().std()) - .01) < .001


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_linear_term(rows, hybrid):
    net = randomize(layers.LinearTerm(DIMS))
    net.hybridize(hybrid)
    x = random_ids(DIMS, rows)

    def definition(w, ids):
        return definitions.linear_term(w['weight'], w['bias'], ids)
    onp.testing.assert_allclose(net(x).asnumpy(), definition(weights_of(net), x.asnumpy()),
                                rtol=1e-5, atol=1e-5)
    check_gradients(net, x, definition)     # the bias included: see stack-facts' silent bug


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
@pytest.mark.parametrize('layer, definition', [
    (layers.BiInteraction, definitions.bi_interaction),
    (layers.PairwiseTerm, definitions.pairwise_term)])
def test_pairwise_layers(layer, definition, rows, hybrid):
    net = layer(len(DIMS), K)
    net.initialize()
    net.hybridize(hybrid)
    e = np.array(vectors(rows))
    e.attach_grad()
    with autograd.record():
        out = net(e)
        c = onp.random.default_rng(1).normal(size=out.shape)
        total = (out * np.array(c, dtype='float32')).sum()
    total.backward()
    onp.testing.assert_allclose(out.asnumpy(), definition(vectors(rows).astype('float64')),
                                rtol=1e-4, atol=1e-4)
    grad, step = e.grad.asnumpy(), 1e-4
    for where in onp.ndindex(*grad.shape):
        shifted = [vectors(rows).astype('float64') for _ in range(2)]
        shifted[0][where] += step
        shifted[1][where] -= step
        expected = sum(sign * (definition(s) * c).sum() for sign, s in zip((1, -1), shifted))
        assert abs(grad[where] - expected / (2 * step)) < 1e-3


def test_pairwise_term_of_one_field_is_nothing():
    net = layers.PairwiseTerm(1, K)
    net.initialize()
    assert onp.abs(net(np.array(vectors(5)[:, :1])).asnumpy()).max() < 1e-5


def mlp_layers(weights):
    """Weights of an `MLP`, layer by layer, in the order of its forward pass."""
    names = sorted({n.rsplit('_', 1)[0] for n in weights}, key=lambda n: int(n.split('dense')[1]))
    return [(weights[n + '_weight'], weights[n + '_bias']) for n in names]


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('dims', [[], [5], [5, 4]])
@pytest.mark.parametrize('rows', [1, 7])
def test_mlp(rows, dims, hybrid):
    net = randomize(layers.MLP(6, dims, drop_rate=.5))      # dropout is off outside training
    net.hybridize(hybrid)
    x = np.array(vectors(rows)[:, 0])

    def definition(w, x):
        return definitions.mlp(mlp_layers(w), x.astype('float64'))
    onp.testing.assert_allclose(net(x).asnumpy(), definition(weights_of(net), x.asnumpy()),
                                rtol=1e-4, atol=1e-4)
    no_dropout = randomize(layers.MLP(6, dims))
    no_dropout.hybridize(hybrid)
    check_gradients(no_dropout, x, definition)


def test_mlp_drops_the_stated_share_in_training():
    net = layers.MLP(1, [4000], drop_rate=.3)
    net.initialize()
    mx.random.seed(0)
    with autograd.train_mode():
        hidden = net.hidden(np.ones((20, 1))).asnumpy()
    alive = net.hidden(np.ones((1, 1))).asnumpy()[0] > 0
    assert abs((hidden[:, alive] == 0).mean() - .3) < .02


def test_mlp_normalises_before_the_activation():
    net = layers.MLP(6, [5], batch_norm=True)
    net.initialize()
    x = np.array(vectors(64)[:, 0] * 10 + 3)
    with autograd.record():
        normal = net.hidden[1](net.hidden[0](x)).asnumpy()
    onp.testing.assert_allclose(normal.mean(0), 0, atol=1e-4)
    onp.testing.assert_allclose(normal.std(0), 1, atol=1e-2)


@pytest.mark.parametrize('dims, word', [([], 'empty'), ([3, 0], r'field_dims\[1\] is 0')])
def test_field_dims_are_checked(dims, word):
    with pytest.raises(ValueError, match=word):
        layers.LinearTerm(dims)


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('sizes', [[4], [1, 3], [2, 1, 1]])
@pytest.mark.parametrize('rows', [1, 7])
def test_weighted_bags(rows, sizes, hybrid):
    net = layers.WeightedBags(sizes)
    net.hybridize(hybrid)
    e = np.array(vectors(rows))                                 # 4 places
    weights = onp.random.default_rng(1).normal(size=(rows, 4)).astype('float32')
    weights[0] = 0                                              # every bag of row 0 is empty
    e.attach_grad()
    with autograd.record():
        out = net(e, np.array(weights))
        c = onp.random.default_rng(2).normal(size=out.shape).astype('float32')
        total = (out * np.array(c)).sum()
    total.backward()
    onp.testing.assert_allclose(out.asnumpy(), definitions.weighted_bags(vectors(rows), weights,
                                                                         sizes), atol=1e-5)
    assert (out.asnumpy()[0] == 0).all()
    bag_of = onp.repeat(onp.arange(len(sizes)), sizes)          # d out_b / d e_m = weight_m
    onp.testing.assert_allclose(e.grad.asnumpy(), weights[:, :, None] * c[:, bag_of], atol=1e-5)


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('with_self', [False, True])
@pytest.mark.parametrize('beside', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_dot_interaction(rows, beside, with_self, hybrid):
    net = randomize(layers.DotInteraction(len(DIMS), K, 5, with_self, beside))
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    z = np.array(vectors(rows))

    def definition(w, z):
        x, weight = definitions.dot_products(z.astype('float64'), with_self), w['weight']
        if beside:
            x = onp.concatenate([z[:, 0], x], axis=1)
            weight = onp.concatenate([w['dense0_weight'], weight], axis=1)
        return definitions.dense(weight, w['bias'], x)
    onp.testing.assert_allclose(net(z).asnumpy(), definition(weights_of(net), z.asnumpy()),
                                rtol=1e-4, atol=1e-4)
    check_gradients(net, z, definition)
    z.attach_grad()
    with autograd.record():
        total = net(z).sum()
    total.backward()
    weights, grad, step = weights_of(net), z.grad.asnumpy(), 1e-4
    for where in [(0, 0, 0), (0, 1, 2), (rows - 1, 3, 5)]:
        above, below = z.asnumpy().astype('float64'), z.asnumpy().astype('float64')
        above[where] += step
        below[where] -= step
        expected = (definition(weights, above).sum() - definition(weights, below).sum())
        assert abs(grad[where] - expected / (2 * step)) < 1e-3
