"""What several tests need: random inputs, exact gradients, weights by their paths, peers."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon


def random_ids(field_dims, rows, seed=0):
    """Ids (rows, F), int32, already offset by field."""
    rng = np.random.default_rng(seed)
    dims = np.asarray(field_dims)
    offsets = np.cumsum(dims) - dims
    return mx.np.array(offsets + rng.integers(0, dims, size=(rows, len(dims))), dtype='int32')


def random_inputs(net, rows, seed=0):
    """A tuple of what `net` says it reads: ids within their ranges, normal numbers otherwise."""
    rng, inputs = np.random.default_rng(seed), []
    for name, shape in zip(net.inputs, net.input_shapes(rows)):
        if name in net.ranges:
            inputs.append(mx.np.array(rng.integers(*net.ranges[name], size=shape), dtype='int32'))
        else:
            inputs.append(mx.np.array(rng.normal(size=shape), dtype='float32'))
    return tuple(inputs)


def learned(net):
    """The parameters that training changes, by their paths."""
    return {n: p for n, p in net._collect_params_with_prefix().items() if p.grad_req != 'null'}


def randomize(net, seed=0, scale=0.5, ctx=None):
    """Initialize `net` and draw every weight from a normal law, the same on each device."""
    net.initialize(ctx=ctx, force_reinit=True)
    rng = np.random.default_rng(seed)
    for param in net.collect_params().values():
        if param.grad_req != 'null':
            param.set_data(mx.np.array(rng.normal(scale=scale, size=param.shape), dtype='float32'))
    return net


def weights_of(net):
    """{path of attributes, such as 'mlp.output.weight': float64 NumPy array}."""
    return {
        name: p.data(p.list_ctx()[0]).asnumpy().astype('float64')
        for name, p in net._collect_params_with_prefix().items()
    }


def dense_layers(weights, *paths):
    """[(weight, bias)] of the Dense layers under each path, in the order of their numbers.

    A layer without a bias gets one of zeros.
    """
    layers = []
    for path in paths:
        names = [n[: -len('.weight')] for n in weights if f'.{n}'.startswith(f'.{path}.')]
        names = [n for n in names if n + '.weight' in weights]
        for name in sorted(
            names, key=lambda n: [(not k.isdigit(), k.zfill(3)) for k in n.split('.')]
        ):
            weight = weights[name + '.weight']
            layers.append((weight, weights.get(name + '.bias', np.zeros(len(weight)))))
    return layers


def device_gradients(build, inputs, devices):
    """Each weight's gradient of the outputs' sum, added up over the devices' shards."""
    net = randomize(build(), ctx=devices)
    shards = [gluon.utils.split_and_load(x, devices, even_split=False) for x in inputs]
    with autograd.record():
        outs = [net(*shard) for shard in zip(*shards)]
    autograd.backward(outs)
    for out, device in zip(outs, devices):
        assert out.ctx == device
    return {name: sum(g.asnumpy() for g in p.list_grad()) for name, p in learned(net).items()}


def _check_gradient(grad, values, total, rng, count, tolerance, name):
    """Hold some of `grad` against finite differences of `total()`, which reads `values`."""
    step = 1e-5
    for index in rng.choice(values.size, size=min(values.size, count), replace=False):
        where = np.unravel_index(index, values.shape)
        kept = values[where]
        values[where] = kept + step
        above = total()
        values[where] = kept - step
        below = total()
        values[where] = kept
        expected = (above - below) / (2 * step)
        assert abs(grad[where] - expected) < tolerance * (1 + abs(expected)), (name, where)


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
    weights, inputs = weights_of(net), [a.asnumpy() for a in x]
    for name, param in learned(net).items():
        grad = param.grad(param.list_ctx()[0]).asnumpy()
        assert np.abs(grad).max() > 0, f'{name} gets no gradient'
        _check_gradient(
            grad,
            weights[name],
            lambda: (definition(weights, *inputs) * c).sum(),
            rng,
            25,
            tolerance,
            name,
        )


def check_input_gradients(net, x, definition, seed=0, tolerance=1e-3):
    """Hold the gradient of sum(c * net(*x)) by each x against differences of `definition(*x)`."""
    rng = np.random.default_rng(seed)
    x = x if isinstance(x, tuple) else (x,)
    for a in x:
        a.attach_grad()
    with autograd.record():
        out = net(*x)
        c = rng.normal(size=out.shape)
        loss = (out * mx.np.array(c, dtype='float32')).sum()
    loss.backward()
    values = [a.asnumpy().astype('float64') for a in x]
    for number, (a, v) in enumerate(zip(x, values)):
        grad = a.grad.asnumpy()
        assert np.abs(grad).max() > 0
        _check_gradient(
            grad, v, lambda: (definition(*values) * c).sum(), rng, 40, tolerance, number
        )


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


def run_beside_peers(script, *modules):
    """Runs a script that compares with other libraries; skips the test where they are missing."""
    python = os.environ.get('D2LREC_PARITY_PYTHON')
    if not python:
        missing = [m for m in modules if importlib.util.find_spec(m) is None]
        if missing:
            pytest.skip(
                f'no {" nor ".join(missing)} here: name an interpreter that has them in '
                'D2LREC_PARITY_PYTHON (benchmarks/parity.py says how to make it)'
            )
        python = sys.executable
    root = Path(__file__).resolve().parent.parent
    return subprocess.run(
        [python, script],
        text=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(root)},
    )
