"""What several tests need: random ids, exact gradients, the definition of a sum over pairs."""

import mxnet as mx
import numpy as np
from mxnet import autograd


def random_ids(field_dims, rows, seed=0):
    """Ids (rows, F), int32, already offset by field."""
    rng = np.random.default_rng(seed)
    dims = np.asarray(field_dims)
    offsets = np.cumsum(dims) - dims
    return mx.np.array(offsets + rng.integers(0, dims, size=(rows, len(dims))), dtype='int32')


def randomize(net, seed=0, scale=0.5, ctx=None):
    """Initialize `net` and draw every weight from a normal law, the same on each device."""
    net.initialize(ctx=ctx, force_reinit=True)
    rng = np.random.default_rng(seed)
    for param in net.collect_params().values():
        if param.grad_req != 'null':
            param.set_data(mx.np.array(rng.normal(scale=scale, size=param.shape), dtype='float32'))
    return net


def weights_of(net):
    """name within the net -> float64 NumPy array."""
    return {
        name[len(net.prefix) :]: p.data(p.list_ctx()[0]).asnumpy().astype('float64')
        for name, p in net.collect_params().items()
    }


def check_gradients(net, x, definition, seed=0, tolerance=1e-3):
    """Hold each weight's gradient of sum(c * net(x)) against finite differences of `definition`.

    `definition(weights, x)` computes the outputs in NumPy float64 from `weights_of(net)`.
    For a net of several inputs `x` is their tuple, and so many arguments of `definition`.
    """
    rng = np.random.default_rng(seed)
    x = x if isinstance(x, tuple) else (x,)
    with autograd.record():
        out = net(*x)
        c = rng.normal(size=out.shape)
        loss = (out * mx.np.array(c, dtype='float32')).sum()
    loss.backward()
    weights, step = weights_of(net), 1e-5
    inputs = [a.asnumpy() for a in x]
    for name, param in net.collect_params().items():
        if param.grad_req == 'null':
            continue
        weight = weights[name[len(net.prefix) :]]
        grad = param.grad(param.list_ctx()[0]).asnumpy()
        assert np.abs(grad).max() > 0, f'{name} gets no gradient'
        for index in rng.choice(weight.size, size=min(weight.size, 25), replace=False):
            where = np.unravel_index(index, weight.shape)
            kept = weight[where]
            weight[where] = kept + step
            above = (definition(weights, *inputs) * c).sum()
            weight[where] = kept - step
            below = (definition(weights, *inputs) * c).sum()
            weight[where] = kept
            expected = (above - below) / (2 * step)
            assert abs(grad[where] - expected) < tolerance * (1 + abs(expected)), (name, where)


def check_input_gradient(net, x, definition, seed=0, tolerance=1e-3):
    """Hold the gradient of sum(c * net(x)) by x against finite differences of `definition(x)`."""
    rng = np.random.default_rng(seed)
    x.attach_grad()
    with autograd.record():
        out = net(x)
        c = rng.normal(size=out.shape)
        loss = (out * mx.np.array(c, dtype='float32')).sum()
    loss.backward()
    grad, values, step = x.grad.asnumpy(), x.asnumpy().astype('float64'), 1e-5
    assert np.abs(grad).max() > 0
    for index in rng.choice(values.size, size=min(values.size, 40), replace=False):
        where = np.unravel_index(index, values.shape)
        kept = values[where]
        values[where] = kept + step
        above = (definition(values) * c).sum()
        values[where] = kept - step
        below = (definition(values) * c).sum()
        values[where] = kept
        expected = (above - below) / (2 * step)
        assert abs(grad[where] - expected) < tolerance * (1 + abs(expected)), where


def give(source, target):
    """Copy all of a block's weights to another block of the same structure."""
    ours, theirs = source.collect_params().values(), target.collect_params().values()
    assert [p.shape for p in ours] == [p.shape for p in theirs]
    for mine, other in zip(ours, theirs):
        other.set_data(mine.data())


def fill(block, value):
    """Set each trainable weight of a block to `value`."""
    for param in block.collect_params().values():
        if param.grad_req != 'null':
            param.set_data(mx.np.full(param.shape, value))


def differences(values, order):
    """The finite difference of that order along the first axis: 0 for a lower degree."""
    return np.diff(np.asarray(values, dtype='float64'), n=order, axis=0)
