"""FTRL begins from the weights as they are, and MXNet's own does not."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

import d2lrec as d2l


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
