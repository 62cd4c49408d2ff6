"""The layers of histories against their loops; Dice, and the auxiliary loss of DIEN."""

import d2lrec as d2l
from d2lrec import definitions, layers
from d2lrec.layers_sequence import (
    AUGRU,
    GRU,
    ActivationUnit,
    NextItemLoss,
    SlotMask,
    TargetAttention,
    WeightedSlots,
)

import mxnet as mx
import numpy as np
import pytest
from helpers import check_gradients, check_input_gradients, dense_layers, randomize, weights_of
from mxnet import autograd, gluon
from zoo import gru

L, K, H = 4, 3, 3
LENGTHS = np.array([4, 0, 2, 1, 3])


def normal(*shape, seed=0):
    values = np.random.default_rng(seed).normal(size=shape)
    return mx.np.array(values, dtype='float32')


def mask(lengths=LENGTHS):
    return SlotMask(L)(mx.np.array(lengths, dtype='int32'))


def named(w):
    return gru({f'gru.{name}': array for name, array in w.items()}, 'gru')


CASES = {
    'unit': (
        lambda: ActivationUnit(L, K, [5]),
        [(5, L, K), (5, K)],
        lambda w, e, v: definitions.activation_unit(
            dense_layers(w, 'hidden', 'score'), e, v, [L] * len(e)
        ),
    ),
    'GRU': (lambda: GRU(L, K, H), [(5, L, K)], lambda w, x: definitions.gru(named(w), x)),
    'AUGRU': (
        lambda: AUGRU(L, K, H),
        [(5, L, K), (5, L)],
        lambda w, x, a: definitions.augru(named(w), x, a),
    ),
}


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('name', CASES)
def test_a_layer_is_its_loops_with_gradients(name, hybrid):
    build, shapes, definition = CASES[name]
    net = randomize(build())
    net.hybridize(hybrid)
    inputs = [normal(*shape, seed=n) for n, shape in enumerate(shapes)]
    w, arrays = weights_of(net), [x.asnumpy() for x in inputs]
    np.testing.assert_allclose(net(*inputs).asnumpy(), definition(w, *arrays), rtol=1e-4, atol=1e-5)
    check_gradients(net, tuple(inputs), definition)
    check_input_gradients(net, tuple(inputs), lambda *a: definition(w, *a))


def test_attention_of_the_target_is_its_loops_and_none_where_nothing_is():
    net = randomize(TargetAttention(L, K, H))
    states, v = normal(5, L, H), normal(5, K, seed=1)
    got = net(states, v, mask()).asnumpy()
    right = definitions.target_attention(
        weights_of(net)['bilinear.weight'], states.asnumpy(), v.asnumpy(), LENGTHS
    )
    np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(got.sum(axis=1), LENGTHS > 0, rtol=1e-5)


@pytest.mark.parametrize('rows', [5, 2, 1])
def test_the_next_item_loss_is_its_loops(rows):
    net, lengths = NextItemLoss(L, K), LENGTHS[:rows]
    states, e = normal(rows, L, K), normal(rows, L, K, seed=1)

    def definition(states, e):
        return definitions.next_item_loss(states, e, lengths)

    np.testing.assert_allclose(
        net(states, e, mask(lengths)).asnumpy(),
        definition(states.asnumpy(), e.asnumpy()),
        rtol=1e-4,
        atol=1e-6,
    )
    if rows == 5:
        check_input_gradients(lambda h, x: net(h, x, mask(lengths)), (states, e), definition)


def test_a_step_without_attention_leaves_the_state():
    net = randomize(AUGRU(L, K, H))
    x, a = normal(2, L, K), mx.np.array([[1, 0.5, 0, 0]] * 2)
    other = mx.np.concatenate([x[:, :2], normal(2, 2, K, seed=9)], axis=1)
    np.testing.assert_array_equal(net(x, a).asnumpy(), net(other, a).asnumpy())


def test_full_attention_is_a_plain_gru():
    plain, attending = randomize(GRU(L, K, H)), randomize(AUGRU(L, K, H))
    for one, other in zip(plain.collect_params().values(), attending.collect_params().values()):
        other.set_data(one.data())
    x = normal(3, L, K)
    np.testing.assert_allclose(
        plain(x)[:, -1].asnumpy(), attending(x, mx.np.ones((3, L))).asnumpy(), rtol=1e-5
    )


def test_slots_and_their_weighted_sum():
    assert mask([3, 0]).tolist() == [[1, 1, 1, 0], [0, 0, 0, 0]]
    mean = SlotMask(L, mean=True)(mx.np.array([2, 0], dtype='int32'))
    assert mean.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 0]]
    e, w = normal(5, L, K), normal(5, L, seed=1)
    np.testing.assert_allclose(
        WeightedSlots(L, K)(e, w).asnumpy(), (e * w[:, :, None]).sum(1).asnumpy(), rtol=1e-4,
        atol=1e-5,
    )  # fmt: skip


def test_dice_is_its_loops_in_training_and_in_prediction():
    dice, s = layers.Dice(3), 2 * normal(40, 3) + 1
    dice.initialize()
    dice.alpha.set_data(mx.np.array([0.0, 0.25, -0.5]))
    values, alpha = s.asnumpy().astype('float64'), [0.0, 0.25, -0.5]

    def by_batch(s):
        return definitions.dice(s, s.mean(axis=0), s.var(axis=0), alpha)

    with autograd.record():
        out = dice(s)
    np.testing.assert_allclose(out.asnumpy(), by_batch(values), rtol=1e-3, atol=1e-4)
    check_input_gradients(dice, s, by_batch)
    mean, var = (
        getattr(dice.normalize, f'running_{name}').data().asnumpy() for name in ('mean', 'var')
    )
    np.testing.assert_allclose(
        dice(s).asnumpy(), definitions.dice(values, mean, var, alpha), rtol=1e-3, atol=1e-4
    )


def test_dice_in_the_place_of_relu():
    net = d2l.DIN([3, 5], 4, [8, 6], 5, drop_rate=0.5, activation='dice')
    kinds = [type(part).__name__ for part in net.mlp.hidden]
    assert kinds == ['Dense', 'Dice', 'Dropout'] * 2
    assert repr(net.mlp) == 'MLP(12 -> 8 -> 6 -> 1, dice, dropout 0.5)'


# What a net adds to the loss


def planted():
    return d2l.planted_histories(400, 3, 4, 5, seed=0)


@pytest.mark.parametrize('hybrid', [False, True])
def test_the_auxiliary_loss_is_asked_for_and_the_output_stays_a_logit(hybrid):
    net, data = randomize(d2l.DIEN([10, 12], 4, [6], 5, auxiliary=0.5)), planted()[:6]
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    batch = [mx.np.array(data.columns[name]) for name in net.inputs]
    out, extra = net.with_loss(*batch)
    assert net(*batch).shape == out.shape == (6, 1) and extra.shape == (6,)
    w = weights_of(net)
    e = definitions.lookup(w['embedding.weight'], data.columns['history'])
    right = definitions.next_item_loss(
        definitions.gru(gru(w, 'extractor'), e), e, data.columns['lengths']
    )
    np.testing.assert_allclose(extra.asnumpy(), 0.5 * right, rtol=1e-4, atol=1e-5)
    other = d2l.HistoryBag([10, 12], 4, [6], 5)
    other.initialize()
    assert other.with_loss(*batch)[1] is None


@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]], ids=['one', 'two'])
def test_fit_minimizes_both(devices):
    data, losses = planted(), {}
    for auxiliary in (0, 1.0):
        net = d2l.DIEN(data.field_dims, 4, [6], 5, auxiliary=auxiliary)
        history = d2l.fit(
            net, data[:300], data[300:], lr=0.02, num_epochs=6, batch_size=50, devices=devices
        )
        losses[auxiliary] = [row['train_loss'] for row in history.rows]
        assert history.rows[-1]['valid_loss'] < 1.0  # the click's loss alone
    assert losses[1.0][0] > losses[0][0] + 0.5  # 2 log 2 times the share of filled slots
    assert losses[1.0][-1] < losses[1.0][0] - 0.05


def test_a_step_on_two_devices_is_that_of_both_shards():
    data, grads = planted()[:8], []
    names = list(d2l.DIEN([10, 12], 4, [6], 5).inputs)
    batch = [mx.np.array(data.columns[name]) for name in names]

    def losses(net, rows, device):
        out, extra = net.with_loss(*(a[rows].as_in_ctx(device) for a in batch))
        return gluon.loss.SigmoidBCELoss()(out, mx.np.ones(out.shape, ctx=device)) + extra

    for devices in ([mx.cpu(0)] * 2, [mx.cpu(0), mx.cpu(1)]):
        net = randomize(d2l.DIEN([10, 12], 4, [6], 5), ctx=list(dict.fromkeys(devices)))
        net.hybridize(static_alloc=True, static_shape=True)
        total = {}
        for rows, device in zip((slice(0, 4), slice(4, 8)), devices):
            with autograd.record():
                loss = losses(net, rows, device)
            loss.backward()
            for name, param in net._collect_params_with_prefix().items():
                total[name] = total.get(name, 0) + param.grad(device).asnumpy()
        grads.append(total)
    for name, one in grads[0].items():
        np.testing.assert_allclose(grads[1][name], one, rtol=1e-4, atol=1e-6, err_msg=name)
