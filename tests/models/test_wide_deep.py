"""Wide & Deep: its definition, its halves, its two optimizers."""

import d2lrec as d2l
from d2lrec import LR, Crosses, CTRDataset, WideDeep, definitions

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import check_gradients, dense_layers, randomize, weights_of
from mxnet import autograd, gluon
from mxnet.gluon.loss import SigmoidBCELoss

CROSSED = [('a', 'b'), ('b', 'c'), ('a', 'b', 'c')]


def table(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            'y': rng.integers(0, 2, rows),
            'a': rng.integers(0, 3, rows),
            'b': rng.integers(0, 4, rows),
            'c': rng.integers(0, 2, rows),
        }
    )


@pytest.fixture(scope='module')
def data():
    return CTRDataset(table(60))


@pytest.fixture(scope='module')
def crosses(data):
    return Crosses(data, CROSSED, min_threshold=3)


def build(data, crosses, num_dense=2, mlp_dims=(7, 6, 5), **kwargs):
    return WideDeep(
        data.field_dims, 4, mlp_dims, cross_dims=crosses.dims, num_dense=num_dense, **kwargs
    )


def inputs(data, crosses, rows, num_dense=2):
    dense = np.random.default_rng(rows).random((rows, num_dense))
    return (
        mx.np.array(crosses.apply(data).columns['ids'][:rows], dtype='int32'),
        mx.np.array(dense, dtype='float32'),
    )


def definition(data, crosses):
    """The paper's equation (3), with the crosses looked up in the dataset's own words."""

    def compute(w, x, dense):
        raw = sum(data.field_dims)
        linear = w['linear.weight']
        cross_weights, row = [], raw
        for names, vocab in zip(crosses.fields, crosses.vocab):
            picked = []
            for words in vocab:
                c = np.zeros(raw)
                c[[data.id_of(n, word) for n, word in zip(names, words)]] = 1
                picked.append(c)
            cross_weights += [(c, linear[row + i, 0]) for i, c in enumerate(picked)]
            row += len(vocab)
            # the last id: 1 for a row in which no kept tuple occurs
            others = linear[row, 0]
            cross_weights += [(np.zeros(raw), others)]  # φ = 1 always
            cross_weights += [(c, -others) for c in picked]
            row += 1
        return definitions.wide_deep(
            linear[:raw],
            w['linear.bias'],
            cross_weights,
            w['embedding.weight'],
            dense_layers(w, 'mlp'),
            x[:, : len(data.field_dims)],
            dense,
        )

    return compute


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 6])
def test_forward_and_gradients_equal_the_definition(data, crosses, rows, hybrid):
    net = randomize(build(data, crosses))
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    x = inputs(data, crosses, rows)
    compute = definition(data, crosses)
    out = net(*x)
    assert out.shape == (rows, 1)
    np.testing.assert_allclose(
        out.asnumpy(), compute(weights_of(net), *(a.asnumpy() for a in x)), rtol=1e-4, atol=1e-4
    )
    check_gradients(net, x, compute)


@pytest.mark.parametrize('hybrid', [False, True])
def test_without_its_deep_half_it_is_lr_with_crosses_exactly(data, crosses, hybrid):
    net = randomize(build(data, crosses, num_dense=0))
    lr = randomize(LR([*data.field_dims, *crosses.dims]), seed=1)
    for name in ('weight', 'bias'):
        getattr(lr.linear, name).set_data(getattr(net.linear, name).data())
    for param in net.mlp.output.collect_params().values():
        param.set_data(mx.np.zeros(param.shape))
    net.hybridize(hybrid)
    x = inputs(data, crosses, 60)[0]
    assert (net(x).asnumpy() == lr(x).asnumpy()).all()


def test_without_crosses_and_dense_features_it_takes_ids_alone(data):
    net = randomize(WideDeep(data.field_dims, 4))
    assert [layer.weight.shape for layer in net.mlp.hidden if hasattr(layer, 'weight')] == [
        (1024, 12),
        (512, 1024),
        (256, 512),
    ]  # the paper's three
    assert net(mx.np.array(data.features)).shape == (60, 1)
    assert net.linear.weight.data().shape == (sum(data.field_dims), 1)
    assert net.embedding.weight.data().shape == (sum(data.field_dims), 4)


def test_the_halves_share_all_parameters_and_overlap_nowhere(data, crosses):
    net = build(data, crosses, batch_norm=True)
    wide, deep = set(net.wide_params()), set(net.deep_params())
    assert wide | deep == set(net.collect_params()) and not wide & deep
    assert net.linear.weight.name in wide and net.embedding.weight.name in deep


def wide_deep_data(rows=1_003):
    frame = table(rows, seed=2)
    data = CTRDataset(frame)
    crosses = Crosses(data, CROSSED)
    dense = np.random.default_rng(0).random((rows, 2)).astype('float32')
    return data, crosses, (crosses.apply(data).columns['ids'], dense, data.labels)


@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_training_with_both_trainers_equals_each_by_hand(devices):
    data, crosses, arrays = wide_deep_data()
    net = randomize(build(data, crosses), scale=0.1, ctx=devices)
    hand = randomize(build(data, crosses), scale=0.1)
    loader = d2l.BatchLoader(*arrays, batch_size=501)  # the last batch: one row
    d2l.train_ch13(
        net,
        loader,
        loader,
        SigmoidBCELoss(),
        d2l.wide_deep_trainers(net, 0.1, 0.002, 0.05, beta=0.02),
        3,
        devices,
        verbose=False,
    )

    def values(param):
        return param.data().asnumpy().astype('float64')

    halves = [
        [p for p in part.values() if p.grad_req != 'null']
        for part in (hand.wide_params(), hand.deep_params())
    ]
    wide = [[p, -0.2 * values(p) - 0.002 * np.sign(values(p)), 0.0] for p in halves[0]]
    deep = [[p, 0.0] for p in halves[1]]
    for _ in range(3):
        for x, dense, y in loader:
            with autograd.record():
                loss = SigmoidBCELoss()(hand(x, dense), y.reshape(-1, 1)).sum()
            loss.backward()
            for state in wide:  # McMahan et al., algorithm 1: α = .1, β = .02, λ₁ = .002
                p, z, n = state
                w, g = values(p), p.grad().asnumpy() / len(y)
                z = z + g - (np.sqrt(n + g**2) - np.sqrt(n)) / 0.1 * w
                n = n + g**2
                w = -np.sign(z) * np.maximum(np.abs(z) - 0.002, 0) / (0.02 + np.sqrt(n)) * 0.1
                state[1:] = z, n
                p.set_data(mx.np.array(w, dtype='float32'))
            for state in deep:  # Duchi et al.
                p, history = state
                g = p.grad().asnumpy() / len(y)
                state[1] = history = history + g**2
                p.set_data(
                    mx.np.array(values(p) - 0.05 * g / np.sqrt(history + 1e-20), dtype='float32')
                )
    for mine, other in zip(net.collect_params().values(), hand.collect_params().values()):
        for replica in mine.list_data():
            np.testing.assert_allclose(
                replica.asnumpy(), other.data().asnumpy(), rtol=1e-3, atol=2e-4, err_msg=mine.name
            )


def test_a_new_deep_half_takes_full_steps_although_its_gradients_are_small():
    # AdaGrad's first step is the learning rate, whatever the gradient; MXNet's own epsilon, 1e-7
    # beside squares of 1e-14, would make it a thousand times smaller.
    data, crosses, arrays = wide_deep_data()
    net = build(data, crosses)
    mx.random.seed(0)
    net.initialize()
    before = net.embedding.weight.data().asnumpy()
    d2l.train_ch13(
        net,
        d2l.BatchLoader(*arrays, batch_size=len(data)),
        None,
        SigmoidBCELoss(),
        d2l.wide_deep_trainers(net, deep_lr=0.01),
        1,
        verbose=False,
    )
    moved = np.abs(net.embedding.weight.data().asnumpy() - before)[np.unique(data.features)]
    gradients = np.abs(net.embedding.weight.grad().asnumpy()) / len(data)
    assert gradients.max() < 1e-4
    assert np.median(moved) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize('begin', [0.0, 0.01])
def test_l1_sets_weights_to_exactly_zero(begin):
    data, crosses, arrays = wide_deep_data()
    met, shares = np.unique(arrays[0]), []
    for l1 in (0.0, 0.03, 10.0):
        net = randomize(build(data, crosses))
        net.linear.weight.set_data(begin * mx.np.sign(net.linear.weight.data()))
        loader = d2l.BatchLoader(*arrays, batch_size=100, shuffle=True, seed=0)
        d2l.train_ch13(
            net,
            loader,
            None,
            SigmoidBCELoss(),
            d2l.wide_deep_trainers(net, l1=l1, beta=0.01),
            3,
            verbose=False,
        )
        weight = net.linear.weight.data().asnumpy()
        assert net.zero_share() == (weight == 0).sum() / weight.size
        shares.append((weight[met] == 0).mean())
    assert shares[0] == 0 < 0.1 < shares[1] < 0.9
    assert begin or shares[2] == 1


def planted_pairs(rows=12_000, values=30, seed=0):
    """Clicks that hang on pairs of values alone: each value is in as many good pairs as bad."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, values, (rows, 2))
    good = rng.permutation(values) % 2
    probs = np.where(good[ids.sum(1) % values], 0.8, 0.2)
    labels = (rng.random(rows) < probs).astype(int)
    frame = pd.DataFrame({'y': labels, 'user': ids[:, 0], 'app': ids[:, 1]})
    return frame[:-3_000], frame[-3_000:], d2l.auc(labels[-3_000:], probs[-3_000:])


def test_crosses_memorise_pairs_that_lr_cannot_see():
    train, test, best = planted_pairs()
    train = CTRDataset(train)
    test = train.encoder.encode(test)
    crosses = Crosses(train, [('user', 'app')])
    dims = train.field_dims, crosses.dims

    def test_auc(net, crossed):
        encode = crosses.apply if crossed else lambda data: data
        mx.random.seed(0)
        net.initialize()
        net.hybridize(static_alloc=True, static_shape=True)
        trainers = (
            d2l.wide_deep_trainers(net)
            if isinstance(net, WideDeep)
            else gluon.Trainer(net.collect_params(), d2l.FTRL(lamda1=0, beta=0.001))
        )
        loader = d2l.BatchLoader(encode(train), batch_size=200, shuffle=True, seed=0)
        d2l.train_ch13(net, loader, None, SigmoidBCELoss(), trainers, 6, verbose=False)
        return d2l.auc(test.labels, d2l.predict(net, encode(test)))

    assert abs(test_auc(LR(train.field_dims), False) - 0.5) < 0.02
    assert best - test_auc(LR([*dims[0], *dims[1]]), True) < 0.01  # the wide half alone
    assert best - test_auc(WideDeep(dims[0], 4, [8, 8, 8], cross_dims=dims[1]), True) < 0.01


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize(
    'shapes, words',
    [
        ([(2, 3), (2, 2)], r'ids \(rows, 6\), dense \(rows, 2\) but got .* \(2, 3\), \(2, 2\)'),
        ([(2, 6)], r'ids \(rows, 6\), dense \(rows, 2\) but got .* \(2, 6\):'),
        ([(2, 6), (2, 3)], r'got inputs of shape \(2, 6\), \(2, 3\)'),
        ([(2, 6), (1, 2)], r'got inputs of shape \(2, 6\), \(1, 2\)'),
        ([(2, 6), (2, 2), (2, 2)], r'\(2, 2\), \(2, 2\)'),
    ],
)
def test_other_inputs_are_refused(data, crosses, shapes, words, hybrid):
    net = randomize(build(data, crosses))
    net.hybridize(hybrid)
    ids, *rest = shapes
    with pytest.raises(ValueError, match=words) as refusal:
        net(mx.np.zeros(ids, dtype='int32'), *map(mx.np.zeros, rest))
    assert '\n' not in str(refusal.value)
