"""Few rows by NumPy: what the net gives, or the net itself where NumPy cannot."""

import threading

import d2lrec as d2l
from d2lrec import few, operators
from d2lrec.train.requests import few_rows

import mxnet as mx
import numpy as np
import pytest
from helpers import random_inputs, randomize
from mxnet import autograd, gluon
from zoo import ZOO

DIMS = [5, 7, 3]
MORE = {
    'batch norm': lambda: d2l.NFM(DIMS, 4, [6], batch_norm=True),
    'dropout': lambda: d2l.AFM(DIMS, 4, attention_drop_rate=0.5),
    'Dice': lambda: d2l.DIN(DIMS, 4, [6], 5, activation='dice'),
    'softrelu': lambda: d2l.XDeepFM(DIMS, 4, [6], activation='softrelu'),
    'softsign': lambda: d2l.XDeepFM(DIMS, 4, [6], activation='softsign'),
}
BUILD = {**{name: build for name, (build, _) in ZOO.items()}, **MORE}


def ready(net, seed=0):
    randomize(net, seed)
    net.hybridize(static_alloc=True, static_shape=True)
    return net


def by_the_net(net, arrays):
    out = net(*(mx.np.array(a, dtype=a.dtype) for a in arrays)).asnumpy()
    return out.reshape(len(arrays[0]), -1)


def is_by_numpy(net):
    return net._by_numpy is not None and net._by_numpy[1] is not None


@pytest.mark.parametrize('name', BUILD)
def test_numpy_gives_what_the_net_gives(name):
    net = ready(BUILD[name]())
    for p in net.collect_params('.*running_var').values():
        p.set_data(mx.np.random.uniform(0.5, 2, p.shape))
    few.of_few(net, [a.asnumpy() for a in random_inputs(net, 2)])
    assert is_by_numpy(net)
    for rows in (1, 3):
        arrays = [a.asnumpy() for a in random_inputs(net, rows, seed=rows)]
        expected = by_the_net(net, arrays)
        got = few.of_few(net, arrays)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('name', ['DeepFM', 'FFM', 'AFM', 'XDeepFM', 'DLRM'])
def test_so_does_a_net_with_compiled_layers(name):
    pytest.importorskip('numba')
    net = ready(ZOO[name][0]())
    operators.choose(net, least=0)
    arrays = [a.asnumpy() for a in random_inputs(net, 3)]
    few.of_few(net, arrays)
    assert is_by_numpy(net)
    np.testing.assert_allclose(few.of_few(net, arrays), by_the_net(net, arrays), atol=1e-5)


def pair():
    """A net that NumPy has computed, and rows."""
    net = ready(d2l.DeepFM(DIMS, 4, [6], drop_rate=0.5))
    rows = np.array([[0, 5, 12], [4, 11, 14]], np.int32)
    few.of_few(net, [rows])
    assert is_by_numpy(net)
    return net, rows


def follow(net, rows):
    np.testing.assert_allclose(few.of_few(net, [rows]), by_the_net(net, [rows]), atol=1e-6)
    assert is_by_numpy(net)


def test_it_sees_weights_that_training_is_still_writing():
    net, rows = pair()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.1})
    many = mx.np.array(np.tile(rows, (2000, 1)), dtype='int32')
    seen = []
    for _ in range(5):
        with autograd.record():
            loss = (net(many) ** 2).sum()
        loss.backward()
        trainer.step(len(many))
        seen.append(few.of_few(net, [rows]))  # while the step is on its way
        np.testing.assert_allclose(seen[-1], by_the_net(net, [rows]), atol=1e-6)
    assert len({s.tobytes() for s in seen}) == 5


def test_it_follows_weights_wherever_they_go(tmp_path):
    net, rows = pair()
    first = few.of_few(net, [rows])
    net.save_parameters(str(tmp_path / 'weights'))
    randomize(net, seed=1)
    follow(net, rows)
    net.initialize(mx.init.Normal(1), force_reinit=True)
    follow(net, rows)
    net.load_parameters(str(tmp_path / 'weights'))
    follow(net, rows)
    np.testing.assert_array_equal(few.of_few(net, [rows]), first)
    net.collect_params().reset_ctx(mx.cpu(1))
    moved = few.of_few(net, [rows])
    np.testing.assert_allclose(moved, first, atol=1e-6)


def test_rows_of_the_batch_alone_are_trained_and_the_table_is_read():
    net, rows = pair()
    d2l.touched.touch_rows(net)
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    with autograd.record():
        loss = net(mx.np.array(rows[:1], dtype='int32')).sum()
    before = few.of_few(net, [rows])
    loss.backward()
    trainer.step(1)
    after = few.of_few(net, [rows])
    assert abs(before[0, 0] - after[0, 0]) > 1e-4
    np.testing.assert_allclose(after, by_the_net(net, [rows]), atol=1e-6)


def test_a_net_that_was_changed_is_read_anew():
    net, rows = pair()
    net.mlp = ready(d2l.layers.MLP(12, [3]), seed=5)
    net.hybridize()
    assert few.of_few(net, [rows]) is not None
    follow(net, rows)


class Own(d2l.models.CTRModel):
    """A model of a reader's own, with an operator that nobody has foreseen."""

    def __init__(self, field_dims, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.embedding = d2l.layers.Embedding(self.num_features, 2)

    def hybrid_forward(self, F, x):
        return F.np.expand_dims(F.np.cumsum(self.embedding(x), axis=2)[:, 0, 0], 1)


class Wrapped(d2l.FM):
    def forward(self, *inputs):
        return super().forward(*inputs) + 1


def test_what_numpy_lacks_goes_through_the_net():
    rows = np.array([[0, 5, 12]], np.int32)
    own = ready(Own(DIMS))
    expected = by_the_net(own, [rows])
    np.testing.assert_array_equal(few.of_few(own, [rows]), expected)
    assert few.of_few(own, [rows]) is None and not is_by_numpy(own)
    np.testing.assert_allclose(d2l.predict(own, rows), d2l.metrics.sigmoid(expected[:, 0]))
    wrapped = ready(Wrapped(DIMS, 4))
    assert few.of_few(wrapped, [rows]) is None
    expected = d2l.metrics.sigmoid(by_the_net(wrapped, [rows])[:, 0])
    np.testing.assert_allclose(d2l.predict(wrapped, rows), expected)


def test_what_is_not_the_usual_case_goes_through_the_net():
    net, rows = pair()
    called = []
    hook = net.register_forward_hook(lambda *_: called.append(1))
    assert few.of_few(net, [rows]) is None
    d2l.predict(net, rows[:1])
    assert called
    hook.detach()
    assert few.of_few(net, [rows]) is not None
    with autograd.train_mode():
        assert few.of_few(net, [rows]) is None
    net.hybridize(False)
    assert few.of_few(net, [rows]) is None
    net.mlp.register_forward_hook(lambda *_: called.append(2))  # of a part: only without a graph
    d2l.predict(net, rows[:1])
    assert 2 in called


def test_a_net_whose_own_forward_was_given_to_it_is_called():
    net, rows = pair()
    expected = few.of_few(net, [rows]) + 1
    forward = net.forward
    net.forward = lambda *inputs: forward(*inputs) + 1
    assert few.of_few(net, [rows]) is None
    found = d2l.predict(net, rows)
    np.testing.assert_allclose(found, d2l.metrics.sigmoid(expected[:, 0]), rtol=1e-6)


@pytest.mark.parametrize('first', [False, True])
def test_what_is_no_number_is_told_though_relu_makes_0_of_it(first):
    net = ready(d2l.DeepFM(DIMS, 4, [6]))
    rows = np.array([[0, 5, 12], [4, 11, 14]], np.int32)
    if not first:
        d2l.predict(net, rows)
    hidden = next(iter(net.mlp.collect_params('.*weight').values()))
    values = hidden.data().asnumpy()
    values[0] = np.nan
    hidden.set_data(values)
    many = np.tile(rows, (few.FEW, 1))
    for ask in (
        lambda: d2l.predict(net, rows),
        lambda: d2l.predict(net, rows),
        lambda: d2l.predict(net, many),
        lambda: d2l.evaluate(net, (many, [0, 1] * few.FEW)),
    ):
        with pytest.raises(ValueError, match='not finite.* train it anew'):
            ask()
    hidden.set_data(np.ones_like(values))
    assert np.isfinite(d2l.predict(net, rows)).all()


@pytest.mark.parametrize('change', ['precision', 'devices'])
def test_weights_of_another_kind_are_left_to_the_net(change):
    net, rows = pair()
    expected = d2l.predict(net, rows[:1])
    if change == 'precision':
        net.cast('float64')
    else:
        net.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    assert all(few.of_few(net, [rows]) is None for _ in range(2)) or not is_by_numpy(net)
    np.testing.assert_allclose(d2l.predict(net, rows[:1], mx.cpu(0)), expected, rtol=1e-5)


def test_only_few_rows_and_only_what_stands_in_memory():
    net, _ = pair()
    rows = np.tile(np.array([[0, 5, 12]], np.int32), (few.FEW, 1))
    assert few_rows(net, rows, [mx.cpu()]) is None
    assert len(few_rows(net, rows[1:], [mx.cpu()])) == few.FEW - 1
    assert few_rows(net, rows[:0], [mx.cpu()]) is None
    with pytest.raises(ValueError, match='outside its range'):
        d2l.predict(net, np.array([[0, 5, 15]]))
    net.embedding.weight.set_data(mx.np.full(net.embedding.weight.shape, np.inf))
    with pytest.raises(ValueError, match='not finite'):
        d2l.predict(net, rows[:1])


def test_several_threads_serve_at_once_while_the_net_is_read_for_the_first_time():
    net = ready(d2l.DeepFM(DIMS, 4, [6]))
    rows = np.array([[i % 5, 5 + i % 7, 12 + i % 3] for i in range(8)], np.int32)
    expected = d2l.metrics.sigmoid(by_the_net(net, [rows])[:, 0])
    net.hybridize(static_alloc=True, static_shape=True)
    wrong = []

    done = []

    def ask(i):
        for _ in range(100):
            got = d2l.predict(net, rows[i : i + 1])[0]
            if abs(got - expected[i]) > 1e-6:
                wrong.append((i, got))
        done.append(i)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(done) == 8


@pytest.mark.parametrize(
    'codes', [(-2, -3, -4), (-2, -2, -6, 3, -1, -2), (-5, -5), (-1, 5), (-2, -1), (-4, 1), (-1,)]
)
def test_codes_of_a_reshape(codes):
    x = np.arange(120, dtype=np.float32).reshape(2, 1, 12, 5)
    expected = mx.npx.reshape(mx.np.array(x), codes).asnumpy()
    np.testing.assert_array_equal(few._reshape(codes)(x), expected)
