"""Each layer equals its definition, written as loops in `definitions`, and so do its gradients."""

import re

from d2lrec import definitions, layers

import mxnet as mx
import numpy as np
import pytest
from helpers import (
    check_gradients,
    check_input_gradients,
    dense_layers,
    differences,
    give,
    learned,
    random_ids,
    randomize,
    weights_of,
)
from mxnet import autograd, init
from mxnet.gluon import nn

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


def test_pairwise_term_of_one_field_is_nothing():
    net = layers.PairwiseTerm(1, K)
    assert np.abs(net(mx.np.array(vectors(5)[:, :1])).asnumpy()).max() < 1e-5


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('dims', [[], [5], [5, 4]])
@pytest.mark.parametrize('rows', [1, 7])
def test_mlp(rows, dims, hybrid):
    net = randomize(layers.MLP(6, dims, drop_rate=0.5))  # dropout is off outside training
    net.hybridize(hybrid)
    x = mx.np.array(vectors(rows)[:, 0])

    def definition(w, x):
        return definitions.mlp(dense_layers(w, 'hidden', 'output'), x.astype('float64'))

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


def dots(self_interaction, include_dense=False):
    def definition(w, z):
        x, weight = definitions.dot_products(z, self_interaction), w['weight']
        if include_dense:
            x = np.concatenate([z[:, 0], x], axis=1)
            weight = np.concatenate([w['dense.weight'], weight], axis=1)
        return definitions.dense(weight, w['bias'], x)

    return definition


def attention(w, e):
    hidden = dense_layers(w, 'hidden')[0]
    return definitions.attention_pooling(e, *hidden, w['score.weight'][0])


def field_aware(w, e_fg, e_gf):
    """From the vectors of the pairs to those of all fields for all fields."""
    e = np.zeros((len(e_fg), 4, 4, K))
    left, right = np.triu_indices(4, 1)
    e[:, left, right], e[:, right, left] = e_fg, e_gf
    return definitions.field_aware_pairwise_term(e)


def cross_v2(w, x):
    return definitions.cross_network_v2(dense_layers(w, 'layers'), x)


def cross_low_rank(w, x):
    dense = dense_layers(w, 'layers')  # V^T, then U, of each layer
    pairs = zip(dense[::2], dense[1::2])
    return definitions.cross_network_v2([(u @ v, bias) for (v, _), (u, bias) in pairs], x)


def cin(split, activation=None):
    def definition(w, e):
        weights = [m.reshape(len(m), -1, e.shape[1]) for m, _ in dense_layers(w, 'maps')]
        return definitions.cin(weights, e, split, activation)

    return definition


PAIRS = (6, K)
LAYERS = {  # layer, shapes of its inputs, definition
    'SumOver': (
        lambda: layers.SumOver(4, K),
        [(4 * K,)],
        lambda w, x: x.reshape(-1, 4, K).sum(axis=1),
    ),
    'BiInteraction': (
        lambda: layers.BiInteraction(4, K),
        [(4, K)],
        lambda w, e: definitions.bi_interaction(e),
    ),
    'PairwiseTerm': (
        lambda: layers.PairwiseTerm(4, K),
        [(4, K)],
        lambda w, e: definitions.pairwise_term(e),
    ),
    'FieldAwarePairwiseTerm': (
        lambda: layers.FieldAwarePairwiseTerm(4, K),
        [PAIRS, PAIRS],
        field_aware,
    ),
    **{
        f'WeightedEmbeddingBag, {sizes}': (
            lambda sizes=sizes: layers.WeightedEmbeddingBag(sizes),
            [(4, K), (4,)],
            lambda w, e, weights, sizes=sizes: definitions.weighted_bags(e, weights, sizes),
        )
        for sizes in ([4], [1, 3], [2, 1, 1])
    },
    **{
        f'DotInteraction, self {self_interaction}': (
            lambda self_interaction=self_interaction: layers.DotInteraction(4, self_interaction),
            [(4, K)],
            lambda w, z, self_interaction=self_interaction: definitions.dot_products(
                z, self_interaction
            ),
        )
        for self_interaction in (False, True)
    },
    **{
        f'DotInteractionDense, self {options[0]}, dense {options[1]}': (
            lambda options=options: layers.DotInteractionDense(4, K, 5, *options),
            [(4, K)],
            dots(*options),
        )
        for options in ((False, False), (False, True), (True, False), (True, True))
    },
    'AttentionPooling': (lambda: layers.AttentionPooling(4, K, 3), [(4, K)], attention),
    'CrossNetwork': (
        lambda: layers.CrossNetwork(9, 3),
        [(9,)],
        lambda w, x: definitions.cross_network(w['weight'], w['bias'], x),
    ),
    'CrossNetwork, one layer': (
        lambda: layers.CrossNetwork(9, 1),
        [(9,)],
        lambda w, x: definitions.cross_network(w['weight'], w['bias'], x),
    ),
    'CrossNetworkV2': (lambda: layers.CrossNetworkV2(9, 3), [(9,)], cross_v2),
    'CrossNetworkV2, low rank': (
        lambda: layers.CrossNetworkV2(9, 3, rank=2),
        [(9,)],
        cross_low_rank,
    ),
    'CIN': (lambda: layers.CIN(4, K, [6, 4, 3], split=False), [(4, K)], cin(False)),
    'CIN, split': (lambda: layers.CIN(4, K, [6, 4, 3]), [(4, K)], cin(True)),
    'CIN, relu': (
        lambda: layers.CIN(4, K, [6, 4], activation='relu'),
        [(4, K)],
        cin(True, lambda z: max(0.0, z)),
    ),
    'CIN, one layer of one map': (lambda: layers.CIN(4, K, [1]), [(4, K)], cin(True)),
}


def numbers(shapes, rows, ctx=None):
    rng = np.random.default_rng(rows)
    return tuple(
        mx.np.array(rng.normal(size=(rows, *shape)), dtype='float32', ctx=ctx) for shape in shapes
    )


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 5])
@pytest.mark.parametrize('name', LAYERS)
def test_layers_equal_their_definitions(name, rows, hybrid):
    build, shapes, formula = LAYERS[name]
    net = build()
    if learned(net):  # what has nothing to learn needs no `initialize`
        randomize(net)
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    inputs = numbers(shapes, rows)

    def definition(w, *inputs):
        return formula(w, *[x.astype('float64') for x in inputs])

    w = weights_of(net)
    np.testing.assert_allclose(
        net(*inputs).asnumpy(), definition(w, *[x.asnumpy() for x in inputs]), rtol=1e-4, atol=1e-4
    )
    check_input_gradients(net, inputs, lambda *inputs: definition(w, *inputs))
    if learned(net):
        check_gradients(net, inputs, definition)


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('name', LAYERS)
def test_layers_hold_what_they_learn_and_make_constants_where_their_inputs_are(name, hybrid):
    build, shapes, _ = LAYERS[name]
    net, devices = build(), [mx.cpu(1), mx.cpu(0)]
    assert list(learned(net)) == list(net._collect_params_with_prefix())
    if learned(net):
        randomize(net, ctx=devices)
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    outs = []
    for device in devices:
        inputs = numbers(shapes, 3, device)
        for x in inputs:
            x.attach_grad()
        with autograd.record():
            out = net(*inputs)
        out.backward()
        assert out.ctx == device and all(x.grad.ctx == device for x in inputs)
        outs.append(out.asnumpy())
    np.testing.assert_array_equal(*outs)


@pytest.mark.parametrize('name', LAYERS)
def test_layers_can_be_cast(name):
    build, shapes, formula = LAYERS[name]
    net = build()
    if learned(net):
        randomize(net)
    net.cast('float64')
    inputs = [x.astype('float64') for x in numbers(shapes, 3)]
    out = net(*inputs)
    assert out.dtype == np.float64
    np.testing.assert_allclose(
        out.asnumpy(),
        formula(weights_of(net), *[x.asnumpy() for x in inputs]),
        rtol=1e-9,
        atol=1e-9,
    )


@pytest.mark.parametrize('name', LAYERS)
def test_layers_print_their_sizes(name):
    text = repr(LAYERS[name][0]())
    assert '\n' not in text and re.search(r'^\w+\(\d.* -> \d', text)


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('dtype', ['int32', 'float32'])
def test_field_aware_embedding_looks_up_both_vectors_of_each_pair(hybrid, dtype):
    net = randomize(layers.FieldAwareEmbedding(sum(DIMS), 4, K))
    net.hybridize(hybrid)
    x = random_ids(DIMS, 5).astype(dtype)
    e_fg, e_gf = (e.asnumpy() for e in net(x))
    weight = net.weight.data().asnumpy().reshape(-1, 4, K)
    for row, ids in enumerate(x.asnumpy().astype(int)):
        pairs = [(f, g) for f in range(4) for g in range(f + 1, 4)]
        for pair, (f, g) in enumerate(pairs):
            assert (e_fg[row, pair] == weight[ids[f], g]).all()
            assert (e_gf[row, pair] == weight[ids[g], f]).all()


def test_an_empty_bag_is_zero():
    e, weights = numbers([(4, K), (4,)], 3)
    weights[0] = 0
    assert (layers.WeightedEmbeddingBag([1, 3])(e, weights).asnumpy()[0] == 0).all()


@pytest.mark.parametrize('self_interaction', [False, True])
def test_dot_interaction_dense_is_a_dense_layer_on_the_products(self_interaction):
    fused = randomize(layers.DotInteractionDense(4, K, 5, self_interaction))
    dense = nn.Dense(5, in_units=fused.weight.shape[1])
    dense.initialize()
    give(fused, dense)
    z = mx.np.array(vectors(7))
    products = layers.DotInteraction(4, self_interaction)(z)
    np.testing.assert_allclose(fused(z).asnumpy(), dense(products).asnumpy(), rtol=1e-5, atol=1e-5)


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
    net.maps[0].weight.set_data(mx.np.array(np.triu(np.ones((4, 4)), 1).reshape(1, -1)))
    e = mx.np.array(vectors(7))
    np.testing.assert_allclose(net(e).asnumpy(), pairwise(e).asnumpy(), rtol=1e-4, atol=1e-4)


def test_equal_attention_is_the_mean_of_all_pairs():
    net, pool = randomize(layers.AttentionPooling(4, K, 3)), layers.BiInteraction(4, K)
    net.score.weight.set_data(mx.np.zeros((1, 3)))
    e = mx.np.array(vectors(7))
    np.testing.assert_allclose(net(e).asnumpy() * 6, pool(e).asnumpy(), rtol=1e-4, atol=1e-4)


def test_a_single_pair_gets_all_the_attention():
    net = randomize(layers.AttentionPooling(2, K, 3))
    e = vectors(7)[:, :2]
    np.testing.assert_allclose(net(mx.np.array(e)).asnumpy(), e[:, 0] * e[:, 1], rtol=1e-5)


def test_field_aware_term_with_one_vector_a_feature_is_the_pairwise_term():
    e = vectors(7)
    left, right = np.triu_indices(4, 1)
    aware = layers.FieldAwarePairwiseTerm(4, K)(mx.np.array(e[:, left]), mx.np.array(e[:, right]))
    pairwise = layers.PairwiseTerm(4, K)(mx.np.array(e))
    np.testing.assert_allclose(aware.asnumpy(), pairwise.asnumpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    'build, words',
    [
        (lambda: layers.AttentionPooling(1, K, 3), 'give at least two'),
        (lambda: layers.FieldAwareEmbedding(5, 1, K), 'there is 1 field: give at least two'),
        (lambda: layers.DotInteraction(1), 'no pair to multiply'),
        (lambda: layers.DotInteractionDense(1, K, 3), 'no pair to multiply'),
        (lambda: layers.CIN(4, K, []), 'CIN has no layer'),
        (lambda: layers.CIN(4, K, [5, 4]), r'\[5, 4\] feature maps cannot be split'),
    ],
)
def test_layers_that_cannot_be_built_are_refused(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize('rate', [1, 1.5, -0.1, 'a', None, float('nan'), True])
def test_dropout_refuses_what_is_no_share(rate):
    with pytest.raises(ValueError, match='Dropout got rate = .*from 0 to below 1'):
        layers.Dropout(rate)
    assert layers.Dropout(np.float32(0.25))(mx.np.ones((2, 2))).sum() == 4
