"""Training by rows is dense training, with every optimizer that leaves a row without gradient."""

import d2lrec as d2l
from d2lrec import definitions, kernels, touched
from d2lrec.touched import TouchedRows, touch_rows, touched_of
from d2lrec.train import optim

import mxnet as mx
import numpy as np
import pytest
from helpers import weights_of
from mxnet import autograd, gluon
from zoo import ZOO

ONE, TWO = [mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]
WAYS = [
    pytest.param(False, id='numpy'),
    pytest.param(
        True, id='numba', marks=pytest.mark.skipif(kernels._numba() is None, reason='no numba')
    ),
]
OPTIMIZERS = {
    'sgd': lambda: optim.SGD(learning_rate=0.3),
    'adagrad': lambda: optim.AdaGrad(learning_rate=0.1),
    'ftrl': lambda: optim.FTRL(learning_rate=0.3, lamda1=0.001, beta=0.1),
}


@pytest.fixture(params=WAYS)
def by_numba(request, monkeypatch):
    """With numba, on weights of any size, or without."""
    if request.param:
        monkeypatch.setattr(kernels, 'LARGE', 0)
    else:
        monkeypatch.setattr(kernels, '_numba', lambda: None)
        monkeypatch.setattr(kernels, '_marking', lambda: None)
    return request.param


def batches(net, rows=7, count=4, seed=0):
    """Inputs that the net reads, with labels."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        columns = []
        for name, width in net.inputs.items():
            shape = (rows,) if width is None else (rows, width)
            if name in net.ranges:
                columns.append(rng.integers(*net.ranges[name], size=shape).astype('int32'))
            else:
                columns.append(rng.normal(size=shape).astype('float32'))
        yield (*columns, rng.integers(0, 2, (rows, 1)).astype('float32'))


def initialize(net, devices=None):
    """All weights at random: at a logit of exactly 0 MXNet's log loss has a slope of its own."""
    net.initialize(ctx=devices)
    rng = np.random.default_rng(3)
    for parameter in net.collect_params().values():
        value = rng.normal(scale=0.1, size=parameter.shape)
        parameter.set_data(mx.np.array(value, dtype='float32'))


def trained(build, on, optimizer, devices=ONE, hybridize=True, **options):
    """Weights after a few steps of the plain loop that readers write."""
    d2l.set_seed(1)
    net = touch_rows(build(), on)
    initialize(net, devices)
    if hybridize:
        net.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), optimizer, options or None)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    for *inputs, labels in batches(net):
        columns = [mx.np.array(x, dtype=x.dtype) for x in (*inputs, labels)]
        parts = [gluon.utils.split_and_load(x, devices, even_split=False) for x in columns]
        with autograd.record():
            losses = [loss(net(*some).reshape(-1, 1), y) for *some, y in zip(*parts)]
        autograd.backward(losses)
        trainer.step(len(labels))
    assert bool(touched_of(net)) == bool(on)
    return weights_of(net)


def same(one, other, **tolerance):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], err_msg=name, **tolerance)


BUILDS = {name: build for name, (build, _) in ZOO.items() if build().tables()}


@pytest.mark.parametrize('name', BUILDS)
def test_every_model_learns_the_same_by_rows(name):
    build = BUILDS[name]
    dense = trained(build, False, OPTIMIZERS['adagrad']())
    for hybridize in (True, False):
        rows = trained(build, True, OPTIMIZERS['adagrad'](), hybridize=hybridize)
        same(rows, dense, rtol=1e-4, atol=1e-5)


def fm():
    return d2l.FM([30, 20, 5], 4)


@pytest.mark.parametrize('devices', [ONE, TWO], ids=['one', 'two'])
@pytest.mark.parametrize('name', OPTIMIZERS)
def test_rows_are_dense_training(name, devices, by_numba):
    dense, rows = (trained(fm, on, OPTIMIZERS[name](), devices) for on in (False, True))
    if devices is ONE and name != 'ftrl':  # which computes a weight anew, and rounds, at each step
        same(rows, dense, rtol=0, atol=0)
    else:
        same(rows, dense, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('name', ['sgd', 'adagrad', 'adam'])
def test_the_optimizers_of_mxnet_take_rows_too(name):
    rows = trained(fm, True, name, learning_rate=0.1)
    if name == 'adam':
        dense = trained(fm, True, optim.Adam(learning_rate=0.1))
    else:
        dense = trained(fm, False, name, learning_rate=0.1)
    same(rows, dense, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('devices', [ONE, TWO], ids=['one', 'two'])
def test_adam_by_rows_is_lazy_adam(devices, by_numba):
    """Row for row as its definition: who is not looked up rests, and so do his moments."""
    got = trained(lambda: d2l.LR([6, 4]), True, optim.Adam(learning_rate=0.1, wd=0.01), devices)
    probe = d2l.LR([6, 4])
    initialize(probe)
    table = probe.linear.weight.data().asnumpy().astype('float64')
    mean, var = np.zeros_like(table), np.zeros_like(table)
    bias, bm, bv = float(probe.linear.bias.data()[0]), 0.0, 0.0
    for t, (ids, labels) in enumerate(batches(probe), 1):
        logits = bias + table[ids].sum(axis=(1, 2))
        error = 1 / (1 + np.exp(-logits)) - labels[:, 0]
        grads = np.repeat(error, ids.shape[1])[:, None] / len(ids)
        definitions.lazy_adam(table, mean, var, ids.reshape(-1), grads, t, 0.1, wd=0.01)
        g = error.mean() + 0.01 * bias
        bm, bv = 0.9 * bm + 0.1 * g, 0.999 * bv + 0.001 * g * g
        bias -= 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * bm / (np.sqrt(bv) + 1e-8)
    np.testing.assert_allclose(got['linear.weight'], table, rtol=1e-4, atol=1e-6)


DENSE = {
    'sgd': (kernels.sgd, 0, [0.1, 0.5, 0.01]),
    'adam': (kernels.adam, 2, [0.1, 0.5, 0.01, 0.9, 0.1, 0.999, 0.001, 1e-8]),
    'adagrad': (kernels.adagrad, 1, [0.1, 0.5, 0.01, 1e-7]),
    'ftrl': (kernels.ftrl, 2, [0.1, 0.5, 0.01, 0.02, 1.0]),
}


@pytest.mark.parametrize('name', DENSE)
@pytest.mark.parametrize('some', [None, np.array([1, 4, 6])], ids=['whole', 'rows'])
def test_a_step_is_its_definition_bit_for_bit(name, some):
    definition, count, settings = DENSE[name]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(8, 3)).astype('float32') for _ in range(1 + count)]
    arrays[1:] = [np.abs(x) for x in arrays[1:]]
    grad = rng.normal(size=(8, 3) if some is None else (3, 3)).astype('float32')
    wanted = [x.copy() for x in arrays]
    values = np.array(settings, 'float32')
    rows = range(8) if some is None else some
    for n, row in enumerate(rows):
        spare = [x[row] for x in wanted] + [None, None]
        definition(*spare[:3], grad[n], values)
    ways = [kernels.step_by_numpy] + [kernels.step] * (kernels._numba() is not None)
    for take in ways:
        w, *states = (mx.nd.array(x) for x in arrays)
        take(definition, w, states, mx.nd.array(grad), settings, some)
        mx.nd.waitall()
        for x, y in zip((w, *states), wanted):
            assert (x.asnumpy() == y).all()


@pytest.mark.parametrize('name', ['sgd', 'adagrad'])
def test_whole_weights_step_as_in_mxnet(name, by_numba):
    rate = {'sgd': 0.3, 'adagrad': 0.1}[name]
    theirs = trained(fm, False, name, learning_rate=rate)
    same(trained(fm, False, OPTIMIZERS[name]()), theirs, rtol=0, atol=0)


def test_adam_steps_as_in_mxnet(by_numba):
    mine = trained(fm, False, optim.Adam(learning_rate=0.1, wd=0.01))
    same(mine, trained(fm, False, 'adam', learning_rate=0.1, wd=0.01), rtol=0, atol=0)


def test_large_tables_are_touched_by_rows_and_small_ones_not(monkeypatch):
    assert not touched_of(d2l.FM([10, 10], 4))
    net = d2l.FM([2**20, 10], 4)
    assert {type(t) for t in touched_of(net)} == {TouchedRows} and len(touched_of(net)) == 2
    assert not touched_of(touch_rows(net, False))
    with pytest.raises(ValueError, match='only models of ids'):
        touch_rows(d2l.AutoRec(3, 5))


def test_two_passes_before_a_step_add_up():
    gradients = {}
    for on in (False, True):
        d2l.set_seed(0)
        net = touch_rows(fm(), on)
        initialize(net)
        one, other = (b[0] for b in batches(net, count=2))
        with autograd.record():
            loss = net(mx.np.array(one)).sum() + 2 * net(mx.np.array(other)).sum()
        loss.backward()
        grad = net.embedding.weight.grad()
        gradients[on] = grad.asnumpy() if not on else grad.tostype('default').asnumpy()
    np.testing.assert_allclose(gradients[True], gradients[False], rtol=1e-5, atol=1e-6)


def test_a_gradient_that_somebody_scales_is_the_one_that_counts():
    moved = {}
    for scale in (1.0, 0.5):
        net = touch_rows(fm())
        initialize(net)
        before = net.embedding.weight.data().asnumpy()
        trainer = gluon.Trainer(net.collect_params(), optim.SGD(learning_rate=1.0))
        with autograd.record():
            loss = net(mx.np.array(next(batches(net))[0])).sum()
        loss.backward()
        grad = net.embedding.weight.grad()
        if scale != 1:
            mx.nd.elemwise_mul(grad, mx.nd.full(grad.shape, scale), out=grad)
        trainer.step(1)
        moved[scale] = net.embedding.weight.data().asnumpy() - before
    assert np.abs(moved[1.0]).max() > 0
    np.testing.assert_allclose(moved[0.5], moved[1.0] / 2, rtol=1e-3, atol=1e-6)


def test_fit_resumes_by_rows_bit_for_bit(tmp_path):
    clicks = d2l.planted(400, [30, 20, 5], seed=0)

    def run(epochs, checkpoint=None, on=True):
        net = touch_rows(fm(), on)
        history = d2l.fit(
            net, clicks[:300], clicks[300:], num_epochs=epochs, batch_size=64, lr=0.05,
            checkpoint=checkpoint,
        )  # fmt: skip
        return weights_of(net), history

    path = tmp_path / 'run.npz'
    whole, _ = run(4)
    run(2, path)
    resumed, history = run(4, path)
    assert len(history) == 4
    same(resumed, whole, rtol=0, atol=0)


def test_a_step_without_a_backward_pass_is_refused():
    net = touch_rows(fm())
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), optim.SGD())
    with pytest.raises(UserWarning, match='has not been updated'):
        trainer.step(1)


def test_what_was_just_made_is_written_where_it_is_read(monkeypatch):
    if kernels._numba() is None:
        pytest.skip('numba is not installed')
    monkeypatch.setattr(kernels, 'LARGE', 0)
    table, rows = mx.np.ones((64, 4)), np.arange(64, dtype=np.int64)
    adam, weight, grad = optim.Adam(), mx.nd.ones((64, 4)), mx.nd.ones((64, 4))
    for some in range(40):
        found = []
        for index in range(100 * some, 100 * some + 100):  # which keeps the engine awake
            copied = touched._Copied(table, 1024)
            copied.fill(table, rows)
            state = adam.create_state_multi_precision(index, weight)
            adam.update(index, weight, grad, state)
            found += [copied.array.as_nd_ndarray()[:64], *state]
        assert all((array.asnumpy() > 0).all() for array in found)
