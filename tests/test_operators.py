"""The compiled loops equal the definitions: outputs, gradients, in a graph or out of it."""

import d2lrec as d2l
from d2lrec import kernels, layers, operators
from d2lrec.touched import touch_rows

import mxnet as mx
import numpy as np
import pytest
from helpers import check_gradients, learned, random_inputs, randomize, weights_of
from mxnet import autograd
from zoo import ZOO

pytestmark = pytest.mark.skipif(kernels._numba() is None, reason='numba is not installed')

# What has a layer with a loop, one of each kind.
MODELS = [
    'LR', 'FM', 'FFM', 'DeepFM', 'NFM', 'AFM', 'XDeepFM', 'XDeepFM: not split, relu',
    'DLRM: no bags', 'DLRM', 'DLRM: self', 'FM: bags', 'FFM: bags', 'MF',
]  # fmt: skip


def compiled(name):
    build, definition = ZOO[name]
    net = build()
    operators.choose(net, 0)
    return randomize(net), definition


def assert_defined(net, definition, inputs):
    expected = definition(weights_of(net), *[x.asnumpy() for x in inputs])
    np.testing.assert_allclose(net(*inputs).asnumpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('static', [False, True])
@pytest.mark.parametrize('name', MODELS)
def test_forward_and_gradients_equal_the_definition(name, static, monkeypatch):
    net, definition = compiled(name)
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    monkeypatch.setattr(operators, 'FEW', 3)
    for rows in (6, 1, 6, 11, 2):
        assert_defined(net, definition, random_inputs(net, rows, seed=rows))
    check_gradients(net, random_inputs(net, 6), definition)


def gradients(net, inputs):
    with autograd.record():
        loss = net(*inputs).sum()
    loss.backward()
    grads = {n: p.grad() for n, p in learned(net).items()}
    return {
        n: (g if g.stype == 'default' else g.tostype('default')).asnumpy() for n, g in grads.items()
    }


@pytest.mark.parametrize('name', ['FM', 'FFM', 'AFM', 'XDeepFM', 'DLRM: no bags'])
def test_gradients_equal_those_of_the_formula(name):
    net, _ = compiled(name)
    inputs = random_inputs(net, 9)
    by_loops = gradients(net, inputs)
    with operators.PLAIN:
        by_formula = gradients(net, inputs)
    for path, found in by_loops.items():
        np.testing.assert_allclose(found, by_formula[path], rtol=1e-4, atol=1e-4, err_msg=path)


@pytest.mark.parametrize('name', ['FM', 'FFM'])
def test_rows_alone(name):
    net, _ = compiled(name)
    inputs = random_inputs(net, 9)
    whole = gradients(net, inputs)
    touch_rows(net)
    for path, found in gradients(net, inputs).items():
        np.testing.assert_allclose(found, whole[path], rtol=1e-5, atol=1e-5, err_msg=path)


@pytest.mark.parametrize('static', [False, True])
def test_gradients_are_added_or_left_out_where_asked(static):
    net, _ = compiled('DeepFM')
    inputs = random_inputs(net, 9)
    once = gradients(net, inputs)
    params = learned(net)
    for param in params.values():
        param.grad_req = 'add'
    params['linear.weight'].grad_req = 'null'
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    for _ in range(2):
        with autograd.record():
            loss = net(*inputs).sum()
        loss.backward()
    for path, param in params.items():
        if param.grad_req == 'add':
            found = param.grad().asnumpy()
            np.testing.assert_allclose(found, 2 * once[path], rtol=1e-4, atol=1e-5, err_msg=path)


def test_two_devices_agree(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, definition = ZOO['FM'][0](), ZOO['FM'][1]
    operators.choose(net, 0)
    randomize(net, ctx=[mx.cpu(0), mx.cpu(1)])
    inputs = random_inputs(net, 5)
    expected = definition(weights_of(net), *[x.asnumpy() for x in inputs])
    for device in (mx.cpu(0), mx.cpu(1)):
        out = net(*[x.as_in_ctx(device) for x in inputs])
        np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-4, atol=1e-4)


def test_ids_of_another_type_and_a_net_of_another_type(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    ids = random_inputs(net, 5)[0]
    for kind in ('int64', 'float32'):
        out = net(ids.astype(kind)).asnumpy()
        np.testing.assert_array_equal(out, net(ids).asnumpy())
    net.cast('float64')
    assert net(ids).dtype == np.float64


def test_few_rows_take_the_formulas_until_the_weights_change_their_type():
    net, definition = compiled('DeepFM')
    net.hybridize(static_alloc=True, static_shape=True)
    inputs = random_inputs(net, 4)
    assert_defined(net, definition, inputs)
    assert net._cached_op is None and net._of_few[1] is not None
    randomize(net, seed=1)
    assert_defined(net, definition, inputs)
    net.hybridize()
    assert net._of_few is None
    assert_defined(net, definition, inputs)


def test_small_nets_are_not_compiled():
    net = ZOO['FM'][0]()
    operators.choose(net)
    assert not net.pairwise._compile
    operators.choose(net, 0)
    assert net.pairwise._compiled
    with operators.PLAIN:
        assert not net.pairwise._compiled


def test_nothing_more_is_kept_for_each_call(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    gradients(net, random_inputs(net, 3))
    kept = len(operators._KEPT)
    for rows in range(1, 8):
        gradients(net, random_inputs(net, rows))
    assert len(operators._KEPT) == kept


@pytest.mark.parametrize('static', [False, True])
def test_attention_weights_are_dropped_in_training_and_only_there(static):
    ids = mx.np.array(np.random.default_rng(0).integers(0, 5, (300, 3)) + [0, 5, 10], dtype='int32')
    plain, dropping = (d2l.AFM([5, 5, 5], 4, 3, 0.0, attention_drop_rate=r) for r in (0, 0.5))
    for net in (plain, dropping):
        operators.choose(net, 0)
        randomize(net)
        if static:
            net.hybridize(static_alloc=True, static_shape=True)
    expected = plain(ids).asnumpy()
    np.testing.assert_allclose(dropping(ids).asnumpy(), expected, rtol=1e-4, atol=1e-4)
    with autograd.record():
        one, other = dropping(ids).asnumpy(), dropping(ids).asnumpy()
    assert np.abs(one - expected).max() > 1e-3 and np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize('hybridized', [False, True])
def test_dropout_is_gluon_s_but_for_the_masks(hybridized):
    rate, x = 0.3, mx.np.random.uniform(1, 2, size=(300, 41))
    dropout = layers.Dropout(rate)
    dropout._compile = True
    if hybridized:
        dropout.hybridize(static_alloc=True, static_shape=True)
    x.attach_grad()

    def masks(seed):
        mx.random.seed(seed)
        with autograd.record():
            one = dropout(x)
            two = dropout(x)
        autograd.backward([one, two], [mx.np.ones_like(x), 2 * mx.np.ones_like(x)])
        return [(y / x).asnumpy() for y in (one, two)], x.grad.asnumpy()

    (one, two), grad = masks(1)
    for mask in (one, two):
        assert set(np.unique(mask.round(5))) == {0, np.float32(round(1 / (1 - rate), 5))}
        assert abs((mask == 0).mean() - rate) < 0.02  # 12,300 draws: four standard deviations
        assert np.abs((mask == 0).mean(axis=0) - rate).max() < 0.13  # each column of 300
        assert abs((mask[1:] == 0)[mask[:-1] == 0].mean() - rate) < 0.03  # a row knows no other
        assert abs((mask[:, 1:] == 0)[mask[:, :-1] == 0].mean() - rate) < 0.03
    assert abs(((one == 0) & (two == 0)).mean() - rate**2) < 0.02  # nor a pass
    np.testing.assert_allclose(grad, one + 2 * two, rtol=1e-5)
    again, _ = masks(1)
    np.testing.assert_array_equal(again, [one, two])
    assert (masks(2)[0][0] != one).any()
    np.testing.assert_array_equal(dropout(x).asnumpy(), x.asnumpy())
    with autograd.record(train_mode=False):
        y = dropout(x)
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), 1)


def test_nothing_is_drawn_for_dropout_where_nothing_is_dropped():
    dropout, x = layers.Dropout(0.5), mx.np.ones((4, 4))
    dropout._compile = True
    drawn = []
    for predicts in (False, True):
        mx.random.seed(3)
        if predicts:
            dropout(x).wait_to_read()
        drawn.append(float(mx.np.random.uniform()))
    assert drawn[0] == drawn[1]
