"""The compiled loops equal the definitions: outputs, gradients, in a graph or out of it."""

import d2lrec as d2l
from d2lrec import kernels, operators
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


@pytest.mark.parametrize('static', [False, True])
def test_a_part_of_another_type_is_refused_and_not_read_as_float32(static, monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    net.embedding.cast('float64')
    with pytest.raises(mx.MXNetError):
        net(random_inputs(net, 5)[0]).asnumpy()


@pytest.mark.parametrize(
    'name, layer, shape',
    [
        ('FM', 'pairwise', (4, 16)),
        ('AFM', 'attention', (4, 8, 2)),  # wrote beyond its memory
        ('XDeepFM', 'cin', (4, 8, 2)),
    ],
)
def test_vectors_that_do_not_fit_a_layer_are_refused(name, layer, shape):
    net, _ = compiled(name)
    with pytest.raises(mx.MXNetError):
        getattr(net, layer)(mx.np.ones(shape)).asnumpy()
