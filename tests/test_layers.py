"""Each layer equals its definition, written as loops in `definitions`, and so do its gradients."""

import mxnet as mx
import numpy as np
import pytest
from helpers import (
    check_gradients,
    check_input_gradient,
    differences,
    random_ids,
    randomize,
    weights_of,
)
from mxnet import autograd, init

from d2lrec import definitions, layers

DIMS, K = [3, 5, 2, 4], 6


def vectors(rows, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, len(DIMS), K)).astype('float32')


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_embedding_looks_up_rows(rows, hybrid):
    net = randomize(layers.Embedding(sum(DIMS), K))
    net.hybridize(hybrid)
    x = random_ids(DIMS, rows)
    weight = net.weight.data().asnumpy()
    expected = np.stack([[weight[i] for i in row] for row in x.asnumpy()])
    np.testing.assert_array_equal(net(x).asnumpy(), expected)


@pytest.mark.parametrize('num_features', [2_000, 200_000])
def test_embedding_scale_does_not_depend_on_the_vocabulary(num_features):
    net = layers.Embedding(num_features, 4)
    net.initialize(init.Xavier())  # what readers of the original chapters write
    assert abs(float(net.weight.data().std()) - 0.01) < 0.001


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_linear_term(rows, hybrid):
    net = randomize(layers.LinearTerm(DIMS))
    net.hybridize(hybrid)
    x = random_ids(DIMS, rows)

    def definition(w, ids):
        return definitions.linear_term(w['weight'], w['bias'], ids)

    np.testing.assert_allclose(
        net(x).asnumpy(), definition(weights_of(net), x.asnumpy()), rtol=1e-5, atol=1e-5
    )
    check_gradients(net, x, definition)  # the bias included: MXNet can lose its gradient


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
@pytest.mark.parametrize(
    'layer, definition',
    [
        (layers.BiInteraction, definitions.bi_interaction),
        (layers.PairwiseTerm, definitions.pairwise_term),
    ],
)
def test_pairwise_layers(layer, definition, rows, hybrid):
    net = layer(len(DIMS), K)
    net.initialize()
    net.hybridize(hybrid)
    e = mx.np.array(vectors(rows))
    e.attach_grad()
    with autograd.record():
        out = net(e)
        c = np.random.default_rng(1).normal(size=out.shape)
        total = (out * mx.np.array(c, dtype='float32')).sum()
    total.backward()
    np.testing.assert_allclose(
        out.asnumpy(), definition(vectors(rows).astype('float64')), rtol=1e-4, atol=1e-4
    )
    grad, step = e.grad.asnumpy(), 1e-4
    for where in np.ndindex(*grad.shape):
        shifted = [vectors(rows).astype('float64') for _ in range(2)]
        shifted[0][where] += step
        shifted[1][where] -= step
        expected = sum(sign * (definition(s) * c).sum() for sign, s in zip((1, -1), shifted))
        assert abs(grad[where] - expected / (2 * step)) < 1e-3


def test_pairwise_term_of_one_field_is_nothing():
    net = layers.PairwiseTerm(1, K)
    net.initialize()
    assert np.abs(net(mx.np.array(vectors(5)[:, :1])).asnumpy()).max() < 1e-5


def mlp_layers(weights):
    """Weights of an `MLP`, layer by layer, in the order of its forward pass."""
    names = sorted({n.rsplit('_', 1)[0] for n in weights}, key=lambda n: int(n.split('dense')[1]))
    return [(weights[n + '_weight'], weights[n + '_bias']) for n in names]


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('dims', [[], [5], [5, 4]])
@pytest.mark.parametrize('rows', [1, 7])
def test_mlp(rows, dims, hybrid):
    net = randomize(layers.MLP(6, dims, drop_rate=0.5))  # dropout is off outside training
    net.hybridize(hybrid)
    x = mx.np.array(vectors(rows)[:, 0])

    def definition(w, x):
        return definitions.mlp(mlp_layers(w), x.astype('float64'))

    np.testing.assert_allclose(
        net(x).asnumpy(), definition(weights_of(net), x.asnumpy()), rtol=1e-4, atol=1e-4
    )
    no_dropout = randomize(layers.MLP(6, dims))
    no_dropout.hybridize(hybrid)
    check_gradients(no_dropout, x, definition)


def test_mlp_drops_the_stated_share_in_training():
    net = layers.MLP(1, [4000], drop_rate=0.3)
    net.initialize()
    mx.random.seed(0)
    with autograd.train_mode():
        hidden = net.hidden(mx.np.ones((20, 1))).asnumpy()
    alive = net.hidden(mx.np.ones((1, 1))).asnumpy()[0] > 0
    assert abs((hidden[:, alive] == 0).mean() - 0.3) < 0.02


def test_mlp_normalises_before_the_activation():
    net = layers.MLP(6, [5], batch_norm=True)
    net.initialize()
    x = mx.np.array(vectors(64)[:, 0] * 10 + 3)
    with autograd.record():
        normal = net.hidden[1](net.hidden[0](x)).asnumpy()
    np.testing.assert_allclose(normal.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(normal.std(0), 1, atol=1e-2)


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
    e = mx.np.array(vectors(rows))  # 4 places
    weights = np.random.default_rng(1).normal(size=(rows, 4)).astype('float32')
    weights[0] = 0  # every bag of row 0 is empty
    e.attach_grad()
    with autograd.record():
        out = net(e, mx.np.array(weights))
        c = np.random.default_rng(2).normal(size=out.shape).astype('float32')
        total = (out * mx.np.array(c)).sum()
    total.backward()
    np.testing.assert_allclose(
        out.asnumpy(), definitions.weighted_bags(vectors(rows), weights, sizes), atol=1e-5
    )
    assert (out.asnumpy()[0] == 0).all()
    bag_of = np.repeat(np.arange(len(sizes)), sizes)  # d out_b / d e_m = weight_m
    np.testing.assert_allclose(e.grad.asnumpy(), weights[:, :, None] * c[:, bag_of], atol=1e-5)


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('with_self', [False, True])
@pytest.mark.parametrize('beside', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_dot_interaction(rows, beside, with_self, hybrid):
    net = randomize(layers.DotInteraction(len(DIMS), K, 5, with_self, beside))
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    z = mx.np.array(vectors(rows))

    def definition(w, z):
        x, weight = definitions.dot_products(z.astype('float64'), with_self), w['weight']
        if beside:
            x = np.concatenate([z[:, 0], x], axis=1)
            weight = np.concatenate([w['dense0_weight'], weight], axis=1)
        return definitions.dense(weight, w['bias'], x)

    np.testing.assert_allclose(
        net(z).asnumpy(), definition(weights_of(net), z.asnumpy()), rtol=1e-4, atol=1e-4
    )
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
        expected = definition(weights, above).sum() - definition(weights, below).sum()
        assert abs(grad[where] - expected / (2 * step)) < 1e-3


def in_order(weights, name):
    """The weights whose name begins so, in the order of their layers' numbers."""
    return [
        weights[n]
        for n in sorted(
            (n for n in weights if n.startswith(name) and n.endswith('weight')),
            key=lambda n: int(n[len(name) :].split('_')[0]),
        )
    ]


def attention(w, e):
    return definitions.attention_pooling(
        e, w['dense0_weight'], w['dense0_bias'], w['dense1_weight'][0]
    )


def cross_v2(w, x):
    dense = in_order(w, 'dense')
    biases = [w[n] for n in sorted(n for n in w if n.endswith('bias'))]  # under 10 layers
    if len(dense) > len(biases):  # V^T, then U, of each layer
        dense = [u @ v for v, u in zip(dense[::2], dense[1::2])]
    return definitions.cross_network_v2(list(zip(dense, biases)), x)


def cin(split, activation=None):
    def definition(w, e):
        fields = e.shape[1]
        weights = [m.reshape(len(m), -1, fields) for m in in_order(w, 'dense')]
        return definitions.cin(weights, e, split, activation)

    return definition


LAYERS = {  # layer, shape of its input, definition
    'FieldAwarePairwiseTerm': (
        lambda: layers.FieldAwarePairwiseTerm(4, K),
        (4, 4 * K),
        lambda w, e: definitions.field_aware_pairwise_term(e.reshape(-1, 4, 4, K)),
    ),
    'AttentionPooling': (lambda: layers.AttentionPooling(4, K, 3), (4, K), attention),
    'CrossNetwork': (
        lambda: layers.CrossNetwork(9, 3),
        (9,),
        lambda w, x: definitions.cross_network(w['weight'], w['bias'], x),
    ),
    'CrossNetwork, one layer': (
        lambda: layers.CrossNetwork(9, 1),
        (9,),
        lambda w, x: definitions.cross_network(w['weight'], w['bias'], x),
    ),
    'CrossNetworkV2': (lambda: layers.CrossNetworkV2(9, 3), (9,), cross_v2),
    'CrossNetworkV2, low rank': (lambda: layers.CrossNetworkV2(9, 3, rank=2), (9,), cross_v2),
    'CIN': (lambda: layers.CIN(4, K, [6, 4, 3], split=False), (4, K), cin(False)),
    'CIN, split': (lambda: layers.CIN(4, K, [6, 4, 3]), (4, K), cin(True)),
    'CIN, relu': (
        lambda: layers.CIN(4, K, [6, 4], activation='relu'),
        (4, K),
        cin(True, lambda z: max(0.0, z)),
    ),
    'CIN, one layer of one map': (lambda: layers.CIN(4, K, [1]), (4, K), cin(True)),
}


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 5])
@pytest.mark.parametrize('name', LAYERS)
def test_interaction_layers(name, rows, hybrid):
    build, shape, formula = LAYERS[name]
    net = randomize(build())
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    x = mx.np.array(np.random.default_rng(rows).normal(size=(rows, *shape)), dtype='float32')

    def definition(w, x):
        return formula(w, x.astype('float64'))

    w = weights_of(net)
    np.testing.assert_allclose(net(x).asnumpy(), definition(w, x.asnumpy()), rtol=1e-4, atol=1e-4)
    check_input_gradient(net, x, lambda x: definition(w, x))
    if any(p.grad_req != 'null' for p in net.collect_params().values()):
        check_gradients(net, x, definition)


@pytest.mark.parametrize('num_layers', [1, 3])
@pytest.mark.parametrize(
    'build',
    [
        lambda n: layers.CrossNetwork(9, n),
        lambda n: layers.CrossNetworkV2(9, n),
        lambda n: layers.CrossNetworkV2(9, n, rank=2),
        lambda n: layers.CIN(3, 3, [4] * n),
    ],
)
def test_cross_layers_are_polynomials_of_degree_layers_plus_one(build, num_layers):
    """Along a line in the input, differences of order L + 2 vanish and of order L + 1 do not."""
    net = randomize(build(num_layers), scale=1.0)
    net.cast('float64')
    rng = np.random.default_rng(0)
    start, direction = rng.normal(size=(2, 9))
    line = start + np.linspace(-1, 1, num_layers + 3)[:, None] * direction
    if isinstance(net, layers.CIN):
        line = line.reshape(-1, 3, 3)
    out = net(mx.np.array(line, dtype='float64')).asnumpy()
    scale = np.abs(out).max()
    assert np.abs(differences(out, num_layers + 2)).max() < 1e-12 * scale
    assert np.abs(differences(out, num_layers + 1)).max() > 1e-3 * scale


def test_cross_network_equals_v2_with_equal_rows_and_no_bias():
    one, two = randomize(layers.CrossNetwork(5, 3)), randomize(layers.CrossNetworkV2(5, 3))
    one.bias.set_data(mx.np.zeros((3, 5)))
    for layer, w in zip(two.layers, one.weight.data()):
        layer[0].weight.set_data(mx.np.tile(w, (5, 1)))
        layer[0].bias.set_data(mx.np.zeros(5))
    x = mx.np.array(vectors(7)[:, 0, :5])
    np.testing.assert_allclose(two(x).asnumpy(), one(x).asnumpy(), rtol=1e-4, atol=1e-5)


def test_low_rank_cross_of_full_rank_is_the_full_one():
    full, low = (randomize(layers.CrossNetworkV2(5, 2, rank=rank)) for rank in (None, 5))
    for theirs, mine in zip(full.layers, low.layers):
        mine[0].weight.set_data(mx.np.eye(5))
        mine[1].weight.set_data(theirs[0].weight.data())
        mine[1].bias.set_data(theirs[0].bias.data())
    x = mx.np.array(vectors(7)[:, 0, :5])
    np.testing.assert_allclose(low(x).asnumpy(), full(x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_cin_with_ones_above_the_diagonal_is_the_pairwise_term():
    net, pairwise = layers.CIN(len(DIMS), K, [1]), layers.PairwiseTerm(len(DIMS), K)
    net.initialize()
    pairwise.initialize()
    net.maps[0].weight.set_data(mx.np.array(np.triu(np.ones((4, 4)), 1).reshape(1, -1)))
    e = mx.np.array(vectors(7))
    np.testing.assert_allclose(net(e).asnumpy(), pairwise(e).asnumpy(), rtol=1e-4, atol=1e-4)


def test_equal_attention_is_the_mean_of_all_pairs():
    net, pool = randomize(layers.AttentionPooling(4, K, 3)), layers.BiInteraction(4, K)
    pool.initialize()
    net.score.weight.set_data(mx.np.zeros((1, 3)))
    e = mx.np.array(vectors(7))
    np.testing.assert_allclose(net(e).asnumpy() * 6, pool(e).asnumpy(), rtol=1e-4, atol=1e-4)


def test_a_single_pair_gets_all_the_attention():
    net = randomize(layers.AttentionPooling(2, K, 3))
    e = vectors(7)[:, :2]
    np.testing.assert_allclose(net(mx.np.array(e)).asnumpy(), e[:, 0] * e[:, 1], rtol=1e-5)


def test_field_aware_term_with_one_vector_a_feature_is_the_pairwise_term():
    aware, pairwise = layers.FieldAwarePairwiseTerm(4, K), layers.PairwiseTerm(4, K)
    aware.initialize()
    pairwise.initialize()
    e = mx.np.array(vectors(7))
    np.testing.assert_allclose(
        aware(mx.np.tile(e, (1, 1, 4))).asnumpy(), pairwise(e).asnumpy(), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    'build, words',
    [
        (lambda: layers.AttentionPooling(1, K, 3), 'give at least two'),
        (lambda: layers.CIN(4, K, []), 'CIN has no layer'),
        (lambda: layers.CIN(4, K, [5, 4]), r'\[5, 4\] feature maps cannot be split'),
    ],
)
def test_layers_that_cannot_be_built_are_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()
