"""FTRL begins from the weights as they are, and MXNet's own does not."""

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon


def a_step(optimizer, weights, grads, devices=None, steps=1):
    net = gluon.nn.Dense(1, in_units=len(weights), use_bias=False)
    net.initialize(ctx=devices)
    net.weight.set_data(mx.np.array([weights], dtype='float32'))
    trainer = gluon.Trainer(net.collect_params(), optimizer)
    for _ in range(steps):
        with autograd.record():
            losses = [
                net(mx.np.array([grads], dtype='float32', ctx=c)).sum()
                for c in net.weight.list_ctx()
            ]
        autograd.backward(losses)
        trainer.step(len(losses))
    return [d.asnumpy()[0] for d in net.weight.list_data()]


WEIGHTS = [0.5, -0.3, 1e-4, 0.0]


@pytest.mark.parametrize(
    'options',
    [
        {'lamda1': 0.0},
        {'lamda1': 0.2, 'wd': 0.1},
        {'lamda1': 0.2, 'beta': 0.001, 'learning_rate': 0.5},
    ],
)
@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_weights_without_a_gradient_stay(options, devices):
    for after in a_step(d2l.FTRL(**options), WEIGHTS, [0, 0, 0, 0], devices, steps=3):
        np.testing.assert_allclose(after, WEIGHTS, atol=1e-5)  # float32, beside λ₁ in z
    assert (a_step(mx.optimizer.Ftrl(**options), WEIGHTS, [0, 0, 0, 0])[0] == 0).all()


def test_from_zero_it_is_the_ftrl_of_mxnet():
    options, grads = {'lamda1': 0.05, 'beta': 0.5, 'wd': 0.01}, [1, -0.2, 0.02, 0]
    ours = a_step(d2l.FTRL(**options), [0] * 4, grads, steps=4)[0]
    theirs = a_step(mx.optimizer.Ftrl(**options), [0] * 4, grads, steps=4)[0]
    assert (ours == theirs).all() and ours[0] < 0 < ours[1] and ours[3] == 0


@pytest.mark.parametrize('options', [{'lamda1': 0.0}, {'lamda1': 0.05, 'wd': 0.01}])
@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_another_learning_rate_moves_no_weight(options, devices):
    """FTRL computes a weight from z under the rate: MXNet's own shrinks all at the next step."""

    def run(optimizer):
        net = gluon.nn.Dense(1, in_units=4, use_bias=False)
        net.initialize(ctx=devices)
        net.weight.set_data(mx.np.array([[0.95, -0.55, -0.05, 1.95]]))
        trainer = gluon.Trainer(net.collect_params(), optimizer)

        def step(gradient):
            with autograd.record():
                losses = [
                    net(mx.np.array([gradient], dtype='float32', ctx=c)).sum() for c in devices
                ]
            autograd.backward(losses)
            trainer.step(len(devices))
            return net.weight.data(devices[0]).asnumpy()[0]

        before = step([0.3, -0.1, 0.02, 0])
        trainer.set_learning_rate(0.01)
        kept = step([0, 0, 0, 0])
        moved = step([0.3, -0.1, 0.02, 0])
        trainer.set_learning_rate(0.1)
        return before, kept, moved, step([0, 0, 0, 0])

    before, kept, moved, again = run(d2l.FTRL(learning_rate=0.1, beta=1.0, **options))
    np.testing.assert_allclose(kept, before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(again, moved, rtol=1e-5, atol=1e-6)
    step = np.abs(moved - kept)[:2]
    assert (0 < step).all() and (step < 0.01).all()  # at the small rate
    before, kept, *_ = run(mx.optimizer.Ftrl(learning_rate=0.1, beta=1.0, **options))
    assert (np.abs(kept) < 0.2 * np.abs(before) + 1e-6).all()


def test_the_rate_of_a_schedule_is_the_one_that_z_belongs_to():
    weight, grad = mx.nd.array([0.5, -0.2]), mx.nd.zeros(2)
    schedule = mx.lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=0.1)
    ftrl = d2l.FTRL(learning_rate=0.1, beta=1.0, lamda1=0.01, lr_scheduler=schedule)
    state = ftrl.create_state(0, weight)
    for _ in range(5):
        ftrl.update(0, weight, grad, state)
    np.testing.assert_allclose(weight.asnumpy(), [0.5, -0.2], rtol=1e-4)


def test_a_falling_rate_does_not_wreck_a_wide_half():
    clicks = d2l.planted(6_000, [30, 20, 10], linear=1.0, pairwise=1.0, seed=0)
    parts = clicks[:4_000], clicks[4_000:5_000]
    history = {}
    for factor in (None, 0.1):
        net = d2l.WideDeep(clicks.field_dims, 4, [8])
        history[factor] = d2l.fit(
            net, *parts, trainer=d2l.wide_deep_trainers, num_epochs=8, batch_size=100,
            lr_factor=factor,
        )['train_loss']  # fmt: skip
    assert max(history[0.1][1:]) < history[0.1][0] and history[0.1][-1] < history[None][1]
