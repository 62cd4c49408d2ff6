"""What the layers' choice of operators buys: each slow form beside the fast one, in one run.

    OMP_NUM_THREADS=2 python benchmarks/operators.py [--rows 2048] [--fields 26] [--factors 16]

Prints milliseconds of forward and backward together, the median of alternating runs, and the
ratio. Both forms of a line compute the same numbers, which is checked before they are timed.
"""

import argparse
import statistics
import time

from d2lrec import layers

import mxnet as mx
import numpy as np
from mxnet import autograd, npx
from mxnet.gluon import HybridBlock, nn

HIDDEN, MAPS, CROSS = 400, 32, 3  # units, feature maps, cross layers


class Form(HybridBlock):
    """One function of arrays as a block, so that it hybridizes like a layer."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self._function = function

    def hybrid_forward(self, F, *arrays):
        return self._function(F, *arrays)


def naive_cross(F, x, w, b):
    x0 = x
    for l in range(CROSS):
        row = {'begin': (l, None), 'end': (l + 1, None)}
        xw = F.npx.fully_connected(x, F.npx.slice(w, **row), num_hidden=1, no_bias=True)
        x = x0 * xw + F.npx.slice(b, **row) + x
    return x


def naive_cin(F, e, w):  # one layer
    pairs = F.np.expand_dims(e, 2) * F.np.expand_dims(e, 1)  # (B, F, F, K)
    return F.np.sum(F.np.matmul(w, F.npx.reshape(pairs, (-2, -5, -2))), axis=2)


def naive_attention(F, e, weight, bias, h, left, right):
    pairs = F.np.take(e, left, axis=1) * F.np.take(e, right, axis=1)
    hidden = F.npx.relu(F.np.dot(pairs, F.np.transpose(weight)) + bias)
    a = F.npx.softmax(F.np.dot(hidden, F.np.transpose(h)), axis=1)
    return F.np.sum(a * pairs, axis=1)


def lines(B, fields, K):
    """(what, slow form, its arrays, fast form, its arrays)."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return mx.np.array(rng.normal(size=shape), dtype='float32')

    D = fields * K
    e, x, w, a = normal(B, fields, K), normal(B, D), normal(HIDDEN, D) * 0.05, normal(B, 1)
    cross, cin = layers.CrossNetwork(D, CROSS), layers.CIN(fields, K, [MAPS])
    attention = layers.AttentionPooling(fields, K, K)
    parts = [
        cross,
        cin,
        attention,
        over_fields := layers.SumOver(fields, K),
        over_all := layers.SumOver(D),
    ]
    for part in parts:
        part.initialize()
    cross.bias.set_data(normal(CROSS, D))
    ones = mx.np.ones((D, 1))

    def data(*params):
        return [p.data() for p in params]

    return [
        (
            'matrix product',
            Form(lambda F, x, w: F.np.dot(x, F.np.transpose(w))),
            [x, w],
            Form(lambda F, x, w: F.npx.fully_connected(x, w, num_hidden=HIDDEN, no_bias=True)),
            [x, w],
        ),
        ('sum over fields', Form(lambda F, e: F.np.sum(e, axis=1)), [e], over_fields, [e]),
        (
            'sum over a row',
            Form(lambda F, x: F.np.sum(x, axis=1, keepdims=True)),
            [x],
            over_all,
            [x],
        ),
        ('square', Form(lambda F, e: e**2), [e], Form(lambda F, e: F.np.square(e)), [e]),
        ('relu', Form(lambda F, x: F.npx.relu(x)), [x], nn.Activation('relu'), [x]),
        (
            'scalar times row',
            Form(lambda F, x, a: x * a),
            [x, a],
            Form(
                lambda F, x, a, ones: x * F.npx.fully_connected(a, ones, num_hidden=D, no_bias=True)
            ),
            [x, a, ones],
        ),
        (
            f'cross network, {CROSS} layers',
            Form(naive_cross),
            [x, *data(cross.weight, cross.bias)],
            cross,
            [x],
        ),
        (f'CIN, {MAPS} maps', Form(naive_cin), [e, *data(cin.maps[0].weight)], cin, [e]),
        (
            'attention over pairs',
            Form(naive_attention),
            [
                e,
                *data(
                    attention.hidden.weight,
                    attention.hidden.bias,
                    attention.score.weight,
                    attention.left,
                    attention.right,
                ),
            ],
            attention,
            [e],
        ),
    ]


def run(net, arrays):
    """Seconds of one forward and backward pass, and the output."""
    npx.waitall()
    start = time.perf_counter()
    with autograd.record():
        out = net(*arrays)
    out.backward()
    npx.waitall()
    return time.perf_counter() - start, out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rows', type=int, default=2048)
    parser.add_argument('--fields', type=int, default=26)
    parser.add_argument('--factors', type=int, default=16)
    parser.add_argument('--runs', type=int, default=9)
    args = parser.parse_args()
    print(f'B = {args.rows}, F = {args.fields}, K = {args.factors}; forward and backward, ms\n')
    print(f'| {"operator":24} | {"slow":>8} | {"fast":>8} | {"ratio":>6} |')
    print(f'|{"-" * 26}|{"-" * 9}:|{"-" * 9}:|{"-" * 7}:|')
    for what, *forms in lines(args.rows, args.fields, args.factors):
        forms = list(zip(forms[::2], forms[1::2]))
        for net, arrays in forms:
            net.hybridize(static_alloc=True, static_shape=True)
            for array in arrays:
                if array.dtype == np.float32:
                    array.attach_grad()
        slow, fast = (run(*form)[1].asnumpy() for form in forms)
        np.testing.assert_allclose(slow, fast, rtol=1e-3, atol=1e-3 * abs(slow).max())
        times = [[run(*form)[0] * 1e3 for form in forms] for _ in range(args.runs + 1)][1:]
        slow, fast = (statistics.median(column) for column in zip(*times))
        print(f'| {what:24} | {slow:8.2f} | {fast:8.2f} | {slow / fast:6.1f} |', flush=True)


if __name__ == '__main__':
    main()
