"""Layers' operators written as the loops that define them; numba compiles them, where installed.

A layer says what it computes by MXNet's own operators. Of those, some are slow on a processor: a
look-up's gradient, products of all pairs of fields, masks. Where numba is installed and a net's
weights are many (`LARGE`), the layers below take one compiled loop instead, which reads and writes
each number once. It is an operator of MXNet's graph like any other: its engine calls the compiled
code, without Python, with the gradient and in a hybridized net, too.

A loop gives what the layer's own formula gives, to rounding; `tests/test_operators.py` compares
them. `benchmarks/steps.py` has the times.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.base import MXCallbackList

from . import kernels

__all__: list[str] = []  # what layers are made of, not for readers

# The definitions. Each array is a matrix: its first axis, and all others as one. Those of a
# gradient have the name of what they belong to after a d.


def soon(table, ids, b, f):
    """Nothing but a word to the processor: the row of this id is needed next.

    Rows lie anywhere in memory, which takes longer to answer than a row takes to add. So a loop
    calls for an example's rows while it does the example before.
    """


def _look_up(table, ids, e):
    """table (V, K), ids (B, F) -> e (B, F * K)."""
    last, width = table.shape[0] - 1, table.shape[1]
    for b in range(ids.shape[0]):
        for f in range(ids.shape[1]):
            soon(table, ids, b + 1, f)
            row = min(max(ids[b, f], 0), last)
            for k in range(width):
                e[b, f * width + k] = table[row, k]


def _look_up_back(de, table, ids, dtable):
    last, width = dtable.shape[0] - 1, dtable.shape[1]
    dtable[:] = 0
    for b in range(ids.shape[0]):
        for f in range(ids.shape[1]):
            soon(dtable, ids, b + 1, f)
            row = min(max(ids[b, f], 0), last)
            for k in range(width):
                dtable[row, k] += de[b, f * width + k]


def _sum_of(table, bias, ids, total):
    """Bias and the sum of the weights of each row's ids: table (V, 1), ids (B, F) -> (B, 1)."""
    last = table.shape[0] - 1
    for b in range(ids.shape[0]):
        s = bias[0, 0]
        for f in range(ids.shape[1]):
            soon(table, ids, b + 1, f)
            s += table[min(max(ids[b, f], 0), last), 0]
        total[b, 0] = s


def _sum_of_back(dtotal, table, bias, ids, dtable, dbias):
    last, sum_of_all = dtable.shape[0] - 1, np.float32(0)
    dtable[:] = 0
    for b in range(ids.shape[0]):
        sum_of_all += dtotal[b, 0]
        for f in range(ids.shape[1]):
            soon(dtable, ids, b + 1, f)
            dtable[min(max(ids[b, f], 0), last), 0] += dtotal[b, 0]
    dbias[0, 0] = sum_of_all


def _bi_interaction(e, s, out):
    """e (B, F * K) -> s, the sum over the fields, and ½ (s² - the sum of e²), each (B, K)."""
    width = s.shape[1]
    for b in range(e.shape[0]):
        for k in range(width):
            s[b, k] = 0
            out[b, k] = 0
        for f in range(e.shape[1] // width):
            for k in range(width):
                x = e[b, f * width + k]
                s[b, k] += x
                out[b, k] += x * x
        for k in range(width):
            out[b, k] = np.float32(0.5) * (s[b, k] * s[b, k] - out[b, k])


def _bi_interaction_back(dout, e, s, de):
    width = s.shape[1]
    for b in range(e.shape[0]):
        for f in range(e.shape[1] // width):
            for k in range(width):
                de[b, f * width + k] = dout[b, k] * (s[b, k] - e[b, f * width + k])


def _pairwise(e, s, out):
    """As `bi_interaction`, and the sum over its K numbers: out (B, 1)."""
    width = s.shape[1]
    square = np.empty(width, np.float32)
    for b in range(e.shape[0]):
        for k in range(width):
            s[b, k] = 0
            square[k] = 0
        for f in range(e.shape[1] // width):
            for k in range(width):
                x = e[b, f * width + k]
                s[b, k] += x
                square[k] += x * x
        total = np.float32(0)
        for k in range(width):
            total += s[b, k] * s[b, k] - square[k]
        out[b, 0] = np.float32(0.5) * total


def _pairwise_back(dout, e, s, de):
    width = s.shape[1]
    for b in range(e.shape[0]):
        for f in range(e.shape[1] // width):
            for k in range(width):
                de[b, f * width + k] = dout[b, 0] * (s[b, k] - e[b, f * width + k])


def add_up(table, ids, b, s, square):
    """The sum of the vectors of row b, to s[b], and that of their squares, to square (K,)."""
    last = table.shape[0] - 1
    for k in range(table.shape[1]):
        s[b, k] = 0
        square[k] = 0
    for f in range(ids.shape[1]):
        soon(table, ids, b + 1, f)
        i = min(max(ids[b, f], 0), last)
        for k in range(table.shape[1]):
            s[b, k] += table[i, k]
            square[k] += table[i, k] * table[i, k]


def add_back(d, table, ids, b, s, dtable):
    """To each vector of row b its share of d (K,), the gradient of ½ (s[b]² - square)."""
    last = table.shape[0] - 1
    for f in range(ids.shape[1]):
        soon(table, ids, b + 1, f)
        soon(dtable, ids, b + 1, f)
        i = min(max(ids[b, f], 0), last)
        for k in range(table.shape[1]):
            dtable[i, k] += d[k] * (s[b, k] - table[i, k])


def _bi_interaction_of(table, ids, s, out):
    """`bi_interaction` of what is looked up: table (V, K), ids (B, F) -> s and out (B, K)."""
    square = np.empty(table.shape[1], np.float32)
    for b in range(ids.shape[0]):
        add_up(table, ids, b, s, square)
        for k in range(table.shape[1]):
            out[b, k] = np.float32(0.5) * (s[b, k] * s[b, k] - square[k])


def _bi_interaction_of_back(dout, table, ids, s, dtable):
    dtable[:] = 0
    for b in range(ids.shape[0]):
        add_back(dout[b], table, ids, b, s, dtable)


def _pairwise_of(table, ids, s, out):
    """`pairwise` of what is looked up: table (V, K), ids (B, F) -> s (B, K), out (B, 1)."""
    square = np.empty(table.shape[1], np.float32)
    for b in range(ids.shape[0]):
        add_up(table, ids, b, s, square)
        total = np.float32(0)
        for k in range(table.shape[1]):
            total += s[b, k] * s[b, k] - square[k]
        out[b, 0] = np.float32(0.5) * total


def _pairwise_of_back(dout, table, ids, s, dtable):
    d = np.empty(table.shape[1], np.float32)
    dtable[:] = 0
    for b in range(ids.shape[0]):
        d[:] = dout[b, 0]
        add_back(d, table, ids, b, s, dtable)


def _dots(z, like, products):
    """<z_i, z_j> for i > j: z (B, F * K) and any (1, K) -> (B, P)."""
    width, p = like.shape[1], 0
    for b in range(z.shape[0]):
        p = 0
        for i in range(z.shape[1] // width):
            for j in range(i):
                total = np.float32(0)
                for k in range(width):
                    total += z[b, i * width + k] * z[b, j * width + k]
                products[b, p] = total
                p += 1


def _dots_back(dproducts, z, like, dz, dlike):
    width, p = like.shape[1], 0
    dlike[:] = 0
    for b in range(z.shape[0]):
        for k in range(z.shape[1]):
            dz[b, k] = 0
        p = 0
        for i in range(z.shape[1] // width):
            for j in range(i):
                d = dproducts[b, p]
                for k in range(width):
                    dz[b, i * width + k] += d * z[b, j * width + k]
                    dz[b, j * width + k] += d * z[b, i * width + k]
                p += 1


def _field_aware(table, ids, out):
    """Σ_{f<g} <e_fg, e_gf>: table (V, F * K), ids (B, F) -> (B, 1)."""
    last, fields = table.shape[0] - 1, ids.shape[1]
    width = table.shape[1] // fields
    for b in range(ids.shape[0]):
        total = np.float32(0)
        for f in range(fields):
            i = min(max(ids[b, f], 0), last)
            for g in range(f + 1, fields):
                j = min(max(ids[b, g], 0), last)
                for k in range(width):
                    total += table[i, g * width + k] * table[j, f * width + k]
        out[b, 0] = total


def _field_aware_back(dout, table, ids, dtable):
    last, fields = table.shape[0] - 1, ids.shape[1]
    width = table.shape[1] // fields
    dtable[:] = 0
    for b in range(ids.shape[0]):
        d = dout[b, 0]
        for f in range(fields):
            i = min(max(ids[b, f], 0), last)
            for g in range(f + 1, fields):
                j = min(max(ids[b, g], 0), last)
                for k in range(width):
                    dtable[i, g * width + k] += d * table[j, f * width + k]
                    dtable[j, f * width + k] += d * table[i, g * width + k]


def _attention(e, W, b, h, a, pooled):
    """Σ_{i<j} a_ij (e_i * e_j), a the softmax over the pairs of h . relu(W (e_i * e_j) + b).

    e (B, F * K), W (A, K), b (A, 1), h (1, A) -> a (B, P), pooled (B, K).
    """
    units, width = W.shape
    fields = e.shape[1] // width
    WT = np.ascontiguousarray(W.T)
    unit = np.empty(units, np.float32)
    for n in range(e.shape[0]):
        p, most = 0, np.float32(-np.inf)
        for i in range(fields):
            for j in range(i + 1, fields):
                for u in range(units):
                    unit[u] = b[u, 0]
                for k in range(width):
                    x = e[n, i * width + k] * e[n, j * width + k]
                    for u in range(units):
                        unit[u] += WT[k, u] * x
                score = np.float32(0)
                for u in range(units):
                    score += h[0, u] * max(unit[u], np.float32(0))
                a[n, p] = score
                most = max(most, score)
                p += 1
        total = np.float32(0)
        for p in range(a.shape[1]):
            a[n, p] = np.exp(a[n, p] - most)
            total += a[n, p]
        for k in range(width):
            pooled[n, k] = 0
        p = 0
        for i in range(fields):
            for j in range(i + 1, fields):
                a[n, p] /= total
                for k in range(width):
                    pooled[n, k] += a[n, p] * (e[n, i * width + k] * e[n, j * width + k])
                p += 1


def _attention_back(dpooled, e, W, b, h, a, de, dW, db, dh):
    # Sums over the pairs of one example, then over examples: one long sum would round too often.
    units, width = W.shape
    fields = e.shape[1] // width
    WT, dWT = np.ascontiguousarray(W.T), np.zeros((width, units), np.float32)
    unit, x = np.empty(units, np.float32), np.empty(width, np.float32)
    dx, da = np.empty(width, np.float32), np.empty(a.shape[1], np.float32)
    own_W, own_b = np.empty((width, units), np.float32), np.empty(units, np.float32)
    own_h = np.empty(units, np.float32)
    db[:] = 0
    dh[:] = 0
    for n in range(e.shape[0]):
        p, mean = 0, np.float32(0)
        for i in range(fields):
            for j in range(i + 1, fields):
                total = np.float32(0)
                for k in range(width):
                    total += dpooled[n, k] * (e[n, i * width + k] * e[n, j * width + k])
                da[p] = total
                mean += total * a[n, p]
                p += 1
        for k in range(e.shape[1]):
            de[n, k] = 0
        own_W[:] = 0
        own_b[:] = 0
        own_h[:] = 0
        p = 0
        for i in range(fields):
            for j in range(i + 1, fields):
                for u in range(units):
                    unit[u] = b[u, 0]
                for k in range(width):
                    x[k] = e[n, i * width + k] * e[n, j * width + k]
                    for u in range(units):
                        unit[u] += WT[k, u] * x[k]
                dscore = a[n, p] * (da[p] - mean)
                for u in range(units):
                    own_h[u] += dscore * max(unit[u], np.float32(0))
                    unit[u] = dscore * h[0, u] if unit[u] > 0 else np.float32(0)
                    own_b[u] += unit[u]
                for k in range(width):
                    total = a[n, p] * dpooled[n, k]
                    for u in range(units):
                        own_W[k, u] += unit[u] * x[k]
                        total += unit[u] * WT[k, u]
                    dx[k] = total
                for k in range(width):
                    de[n, i * width + k] += dx[k] * e[n, j * width + k]
                    de[n, j * width + k] += dx[k] * e[n, i * width + k]
                p += 1
        dWT += own_W
        for u in range(units):
            db[u, 0] += own_b[u]
            dh[0, u] += own_h[u]
    dW[:] = dWT.T


TILE = 8  # examples whose products stay in the cache


def _interaction(x, e, W, like, out):
    """Σ_hf W[m, hf] (x_h * e_f): x (B, H * K), e (B, F * K), W (M, H * F) -> (B, M * K)."""
    maps, width = W.shape[0], like.shape[1]
    heads, fields = x.shape[1] // width, e.shape[1] // width
    z = np.empty((heads * fields, TILE * width), np.float32)
    y = np.empty((maps, TILE * width), np.float32)
    for first in range(0, x.shape[0], TILE):
        count = min(TILE, x.shape[0] - first)
        for h in range(heads):
            for f in range(fields):
                for n in range(count):
                    for k in range(width):
                        z[h * fields + f, n * width + k] = (
                            x[first + n, h * width + k] * e[first + n, f * width + k]
                        )
        np.dot(W, z, y)
        for n in range(count):
            for m in range(maps):
                for k in range(width):
                    out[first + n, m * width + k] = y[m, n * width + k]


def _interaction_back(dout, x, e, W, like, dx, de, dW, dlike):
    maps, width = W.shape[0], like.shape[1]
    heads, fields = x.shape[1] // width, e.shape[1] // width
    z = np.zeros((heads * fields, TILE * width), np.float32)
    dz = np.empty((heads * fields, TILE * width), np.float32)
    dy = np.zeros((maps, TILE * width), np.float32)
    some = np.empty((maps, heads * fields), np.float32)
    WT = np.ascontiguousarray(W.T)
    dW[:] = 0
    dlike[:] = 0
    for first in range(0, x.shape[0], TILE):
        count = min(TILE, x.shape[0] - first)
        if count < TILE:
            dy[:] = 0
        for n in range(count):
            for m in range(maps):
                for k in range(width):
                    dy[m, n * width + k] = dout[first + n, m * width + k]
            for k in range(x.shape[1]):
                dx[first + n, k] = 0
            for k in range(e.shape[1]):
                de[first + n, k] = 0
        np.dot(WT, dy, dz)
        for h in range(heads):
            for f in range(fields):
                for n in range(count):
                    for k in range(width):
                        i, j = h * width + k, f * width + k
                        d = dz[h * fields + f, n * width + k]
                        z[h * fields + f, n * width + k] = x[first + n, i] * e[first + n, j]
                        dx[first + n, i] += d * e[first + n, j]
                        de[first + n, j] += d * x[first + n, i]
        np.dot(dy, z.T, some)
        dW += some


def _cross(x, W, b, s, out):
    """x_{l+1} = x_0 (x_l . w_l) + b_l + x_l: x (B, D), W and b (L, D) -> s (B, L), out (B, D)."""
    layers, width = W.shape
    for n in range(x.shape[0]):
        for d in range(width):
            out[n, d] = x[n, d]
        for l in range(layers):
            product = np.float32(0)
            for d in range(width):
                product += out[n, d] * W[l, d]
            s[n, l] = product
            for d in range(width):
                out[n, d] += x[n, d] * product + b[l, d]


def _cross_back(dout, x, W, b, s, dx, dW, db):
    # With t_l = 1 + s_0 + ... + s_{l-1}, x_l = t_l x_0 + b_0 + ... + b_{l-1}, and with ds_l the
    # gradient of s_l, that of x_{l+1} is dout + ds_{l+1} w_{l+1} + ... of the layers behind it:
    # a layer adds to what all have in common by a few numbers a row.
    layers, width = W.shape
    sums, douts = np.zeros(layers, np.float32), np.zeros(width, np.float32)
    dW[:] = 0
    for n in range(x.shape[0]):
        own, times = np.float32(0), np.float32(1)
        for d in range(width):
            own += dout[n, d] * x[n, d]
        for l in range(layers):
            times += s[n, l]
        # A loop for each array: of one that writes to all, the compiler makes no vectors.
        for d in range(width):
            douts[d] += dout[n, d]
        for d in range(width):
            dx[n, d] = times * dout[n, d]
        for i in range(layers):
            l = layers - 1 - i  # of a range that counts down the loops below are no vectors
            times -= s[n, l]
            by, product = own * times, np.float32(0)
            sums[l] += own
            for d in range(width):
                product += x[n, d] * W[l, d]
            for d in range(width):
                dW[l, d] += by * x[n, d]
            for d in range(width):
                dx[n, d] += by * W[l, d]
            own += own * product
    before = np.zeros(width, np.float32)
    for l in range(layers):
        for d in range(width):
            dW[l, d] += sums[l] * before[d]
            before[d] += b[l, d]
            db[l, d] = douts[d]
        for i in range(l + 1, layers):
            for d in range(width):
                db[l, d] += sums[i] * W[i, d]


def _of_known(known, W, b, y):
    """W x + b, of an x that is mostly 0: known (B, D), W (H, D), b (H, 1) -> y (B, H)."""
    WT = np.ascontiguousarray(W.T)
    for n in range(known.shape[0]):
        for h in range(y.shape[1]):
            y[n, h] = b[h, 0]
        for d in range(known.shape[1]):
            x = known[n, d]
            if x != 0:
                for h in range(y.shape[1]):
                    y[n, h] += x * WT[d, h]


def _of_known_back(dy, known, W, b, dW, db):
    dWT = np.zeros((W.shape[1], W.shape[0]), np.float32)
    db[:] = 0
    for n in range(known.shape[0]):
        for h in range(dy.shape[1]):
            db[h, 0] += dy[n, h]
        for d in range(known.shape[1]):
            x = known[n, d]
            if x != 0:
                for h in range(dy.shape[1]):
                    dWT[d, h] += x * dy[n, h]
    dW[:] = dWT.T


def _for_known(h, W, b, known, out):
    """W h + b where something is known, else 0: h (B, H), W (D, H), b (D, 1), known (B, D)."""
    for n in range(h.shape[0]):
        for d in range(known.shape[1]):
            total = np.float32(0)
            if known[n, d] != 0:
                total = b[d, 0]
                for k in range(h.shape[1]):
                    total += W[d, k] * h[n, k]
            out[n, d] = total


def _for_known_back(dout, h, W, b, known, dh, dW, db):
    dW[:] = 0
    db[:] = 0
    for n in range(h.shape[0]):
        for k in range(h.shape[1]):
            dh[n, k] = 0
        for d in range(known.shape[1]):
            if known[n, d] != 0:
                g = dout[n, d]
                db[d, 0] += g
                for k in range(h.shape[1]):
                    dW[d, k] += g * h[n, k]
                    dh[n, k] += g * W[d, k]


def _log_loss(z, y, loss):
    """log(1 + e^z) - y z for logits z and labels y, each (B, 1)."""
    for b in range(z.shape[0]):
        x = z[b, 0]
        loss[b, 0] = max(x, np.float32(0)) - x * y[b, 0] + np.log1p(np.exp(-abs(x)))


def _log_loss_back(dloss, z, y, dz, dy):
    # The sigmoid minus y. At 0 alone MXNet takes 0 for the slopes of |z| and of max(z, 0), which
    # leaves -y: so does this, that training begins alike with compiled loops and without.
    for b in range(z.shape[0]):
        x = z[b, 0]
        small = np.exp(-abs(x))  # of the sigmoid no overflow on either side
        p = (np.float32(1) if x > 0 else small) / (np.float32(1) + small)
        dz[b, 0] = dloss[b, 0] * ((p if x != 0 else np.float32(0)) - y[b, 0])
        dy[b, 0] = -dloss[b, 0] * x


def _square_loss(out, target, known, loss):
    """The mean of a row's ½ known (out - target)²: each (B, D) -> loss (B, 1)."""
    for n in range(out.shape[0]):
        total = np.float32(0)
        for d in range(out.shape[1]):
            difference = out[n, d] - target[n, d]
            total += known[n, d] * difference * difference
        loss[n, 0] = np.float32(0.5) * total / out.shape[1]


def _square_loss_back(dloss, out, target, known, dout):
    for n in range(out.shape[0]):
        scale = dloss[n, 0] / out.shape[1]
        for d in range(out.shape[1]):
            dout[n, d] = scale * known[n, d] * (out[n, d] - target[n, d])


def _dropout(x, coins, share, kept, out):
    """x (B, W) with a share of it at 0, the rest grown by as much: out = kept * x.

    Coins (1, 64) are what MXNet's own dropout makes of ones, each with an even chance: they are 1
    where nothing is to be dropped, else 0 or 2, as MXNet's seed has it. As bits they are two
    numbers, with which the place of an element is mixed, as MurmurHash3 ends, to 32 random bits.
    """
    one, two = 0, 0
    for i in range(32):
        one = 2 * one + (coins[0, i] > 1)
        two = 2 * two + (coins[0, 32 + i] > 1)
    one, two, least = np.uint32(one), np.uint32(two), np.uint32(share[0, 0] * 4294967296.0)
    grown = np.float32(1) / (np.float32(1) - share[0, 0])
    if coins[0, 0] == 1:
        least, grown = np.uint32(0), np.float32(1)
    for b in range(x.shape[0]):
        for k in range(x.shape[1]):
            h = np.uint32(np.uint32(b * x.shape[1] + k) * np.uint32(0x9E3779B1) + one)
            h ^= h >> np.uint32(16)
            h = np.uint32(np.uint32(h ^ two) * np.uint32(0x85EBCA6B))
            h ^= h >> np.uint32(13)
            h = np.uint32(h * np.uint32(0xC2B2AE35))
            h ^= h >> np.uint32(16)
            kept[b, k] = grown if h >= least else np.float32(0)
            out[b, k] = kept[b, k] * x[b, k]


def _dropout_back(dout, x, coins, share, kept, dx, dcoins, dshare):
    dcoins[:] = 0
    dshare[:] = 0
    for b in range(x.shape[0]):
        for k in range(x.shape[1]):
            dx[b, k] = kept[b, k] * dout[b, k]


NO_GRADIENT = ('ids', 'known', 'target')


class Operator:
    """An operator for MXNet's graph from two loops.

    Parameters
    ----------
    forward : function of the inputs and outputs
    backward : function of what it `needs`, and of the inputs' gradients
    inputs, outputs : str
        Names, divided by spaces; 'ids' are whole numbers, and `NO_GRADIENT` names what has no
        gradient. The last output is the result, what
        comes before is kept for the way back.
    needs : str
        Inputs, outputs and, with a d before their names, gradients of outputs. Each input that has
        a gradient is among them: its rows are the gradient's.
    shapes : function from the inputs' shapes to the outputs'
    """

    def __init__(
        self,
        forward: Callable,
        backward: Callable,
        inputs: str,
        outputs: str,
        needs: str,
        shapes: Callable,
    ):
        self.name = f'd2lrec{forward.__name__}'
        self.forward, self.backward, self.shapes = forward, backward, shapes
        self.inputs, self.outputs, self.needs = inputs.split(), outputs.split(), needs.split()

    def __call__(self, F: Any, *arrays: Any) -> Any:
        """The last output, as an array or symbol of MXNet's NumPy."""
        _registered(self)
        arrays = [a.as_nd_ndarray() for a in arrays]
        out = F.Custom(*arrays, op_type=self.name)
        return (out if len(self.outputs) == 1 else out[len(self.outputs) - 1]).as_np_ndarray()


def _if(fit, *sizes):
    """Shapes of outputs; none where inputs do not fit: a loop would read beyond their end."""
    if not fit:
        raise ValueError
    return list(sizes)


look_up = Operator(
    _look_up, _look_up_back, 'table ids', 'e', 'de table ids',
    lambda table, ids: [(*ids, table[1])],
)  # fmt: skip
sum_of = Operator(
    _sum_of, _sum_of_back, 'table bias ids', 'total', 'dtotal table bias ids',
    lambda table, bias, ids: _if(table[1] == bias[0] == 1, (ids[0], 1)),
)  # fmt: skip
bi_interaction = Operator(
    _bi_interaction, _bi_interaction_back, 'e', 's out', 'dout e s',
    lambda e: _if(len(e) == 3, (e[0], e[2]), (e[0], e[2])),
)  # fmt: skip
pairwise = Operator(
    _pairwise, _pairwise_back, 'e', 's out', 'dout e s',
    lambda e: _if(len(e) == 3, (e[0], e[2]), (e[0], 1)),
)  # fmt: skip
bi_interaction_of = Operator(
    _bi_interaction_of, _bi_interaction_of_back, 'table ids', 's out', 'dout table ids s',
    lambda table, ids: _if(len(ids) == 2, (ids[0], table[1]), (ids[0], table[1])),
)  # fmt: skip
pairwise_of = Operator(
    _pairwise_of, _pairwise_of_back, 'table ids', 's out', 'dout table ids s',
    lambda table, ids: _if(len(ids) == 2, (ids[0], table[1]), (ids[0], 1)),
)  # fmt: skip
dots = Operator(
    _dots, _dots_back, 'z like', 'products', 'dproducts z like',
    lambda z, like: _if(
        len(z) == 3 and z[2] == like[1], (z[0], z[1] * (z[1] - 1) // 2)
    ),
)  # fmt: skip
field_aware = Operator(
    _field_aware, _field_aware_back, 'table ids', 'out', 'dout table ids',
    lambda table, ids: _if(len(ids) == 2 and table[1] % ids[1] == 0, (ids[0], 1)),
)  # fmt: skip
attention = Operator(
    _attention, _attention_back, 'e W b h', 'a pooled', 'dpooled e W b h a',
    lambda e, W, b, h: _if(
        len(e) == 3 and (b, h, e[2]) == ((W[0], 1), (1, W[0]), W[1]),
        (e[0], e[1] * (e[1] - 1) // 2), (e[0], e[2]),
    ),
)  # fmt: skip
interaction = Operator(
    _interaction, _interaction_back, 'x e W like', 'out', 'dout x e W like',
    lambda x, e, W, like: _if(
        len(x) == len(e) == 3 and (x[0], x[2], W[1]) == (e[0], e[2], x[1] * e[1])
        and like[1] == e[2],
        (e[0], W[0], e[2]),
    ),
)  # fmt: skip
cross = Operator(
    _cross, _cross_back, 'x W b', 's out', 'dout x W b s',
    lambda x, W, b: _if(len(x) == 2 and x[1:] == W[1:] and b == W, (x[0], W[0]), x),
)  # fmt: skip
of_known = Operator(
    _of_known, _of_known_back, 'known W b', 'y', 'dy known W b',
    lambda known, W, b: _if(len(known) == 2 and known[1:] == W[1:] and b[0] == W[0],
                            (known[0], W[0])),
)  # fmt: skip
for_known = Operator(
    _for_known, _for_known_back, 'h W b known', 'out', 'dout h W b known',
    lambda h, W, b, known: _if(
        (*h, b[0]) == (known[0], W[1], W[0]) and known[1:] == W[:1], known
    ),
)  # fmt: skip
square_loss = Operator(
    _square_loss, _square_loss_back, 'out target known', 'loss', 'dloss out target known',
    lambda out, target, known: _if(len(out) == 2 and out == target == known, (out[0], 1)),
)  # fmt: skip
log_loss = Operator(
    _log_loss, _log_loss_back, 'z y', 'loss', 'dloss z y',
    lambda z, y: _if(z[1:] == (1,) and z == y, z),
)  # fmt: skip
dropout = Operator(
    _dropout, _dropout_back, 'x coins share', 'kept out', 'dout x coins share kept',
    lambda x, coins, share: _if((coins, share) == ((1, 64), (1, 1)), x, x),
)  # fmt: skip


def looked_up(e: Any) -> Any:
    """The table and the ids that a symbol of vectors was looked up with; None of any other."""
    if not isinstance(e, mx.sym.Symbol) or e.attr('op_type') != look_up.name:
        return None
    table, ids = e.get_children()
    return table.as_np_ndarray(), ids.as_np_ndarray()


FEW = 256  # rows below which a prediction is sooner done than handed over to a loop


class _Plain(threading.local):
    """A context in which this thread's layers take their formulas, as who counts them wants it."""

    depth = 0

    def __enter__(self):
        self.depth += 1

    def __exit__(self, *_):
        self.depth -= 1

    def __bool__(self):
        return self.depth > 0


PLAIN = _Plain()


def choose(net: Any, least: int = kernels.LARGE) -> None:
    """Let the layers of a net of at least so many weights take compiled loops.

    Where numba is installed, and no GPU is at hand: the loops are for processors.
    """
    sizes = [int(np.prod(p.shape)) for p in net.collect_params().values() if p.shape]
    if sum(size for size in sizes if size > 0) < least or kernels._numba() is None:
        return
    if not mx.context.num_gpus():
        net.apply(lambda block: setattr(block, '_compile', True))


# How MXNet meets them. Arrays come with tags: an input 0, an output 1, an input's gradient 2, an
# output's gradient 3. Compiled code keeps their addresses by tag and place, SLOTS of each.

D_IN, SLOTS = 2, 8
ADD = 3  # what may be asked of a gradient: 0 is nothing, others to write

_int, _pointer = ctypes.c_int, ctypes.c_void_p
_ints = ctypes.POINTER(_int)


def _slot(op, name):
    """Where the array of this name has its address."""
    if name in op.inputs:
        return op.inputs.index(name)
    if name in op.outputs:
        return SLOTS + op.outputs.index(name)
    return _slot(op, name[1:]) + D_IN * SLOTS


_CALL = """
def call(size, handles, tags, asked, training, _):
    p, rows, widths = np.zeros({all}, np.int64), np.zeros({all}, np.int64), np.ones({all}, np.int64)
    seen, found, shape = np.zeros(5, np.int64), p.ctypes.data, np.zeros(2, np.int64)
    for i in range(size):
        slot = tags[i] * {slots} + seen[tags[i]]
        seen[tags[i]] += 1
        if known >> slot & 1 or tags[i] == {d_in} and asked[slot - {d_in} * {slots}]:
            address_of(handles[i], found + 8 * slot)
            shape_of(handles[i], shape.ctypes.data, shape.ctypes.data + 8)
            dims = ints(shape[1])
            rows[slot] = dims[0]
            for d in range(1, shape[0]):
                widths[slot] *= dims[d]
    {views}
    formula({names})
    {adds}
    for i in range(size):
        free(handles[i])
    return 1
"""


@functools.cache
def _helpers():
    """Have compiled code know what loops call: `soon`, and the pieces that several share."""
    extending, prefetch = kernels._numba().extending, kernels._prefetch()
    for piece in (add_up, add_back):
        extending.register_jitable(inline='always')(piece)

    @extending.overload(soon, inline='always')
    def of_a_row(table, ids, b, f):
        def call_for(table, ids, b, f):
            row = min(max(ids[min(b, ids.shape[0] - 1), f], 0), table.shape[0] - 1)
            prefetch(table.ctypes.data + np.int64(row) * table.shape[1] * 4)

        return call_for


@functools.cache
def _compiled(op, back):
    """A pass of the operator as a C function for MXNet. Arrays' shapes are asked at each call."""
    numba = kernels._numba()
    types, library = numba.types, mx.base._LIB
    _helpers()
    floats, _, ints = kernels._pointers()
    given = op.needs if back else op.inputs
    made = [f'd{n}' for n in op.inputs if n not in NO_GRADIENT] if back else op.outputs
    views, adds, known = [], [], 0
    for name in [*given, *made]:
        slot, gradient = _slot(op, name), back and name in made
        of = slot % (D_IN * SLOTS) if gradient else slot
        shape = f'(rows[{of}], widths[{of}])'
        view = f'carray({"ints" if name == "ids" else "floats"}(p[{slot}]), {shape})'
        if gradient:
            asked = f'asked[{slot % SLOTS}]'
            views += [f'v{slot} = {view}', f'if {asked} in (0, {ADD}):']
            views += [f'    v{slot} = np.empty({shape}, np.float32)']  # to be added, or left
            adds += [f'if {asked} == {ADD}:', f'    have = {view}', f'    have += v{slot}']
        else:
            views.append(f'v{slot} = {view}')
            known |= 1 << slot
    source = _CALL.format(
        all=5 * SLOTS, slots=SLOTS, d_in=D_IN, views='\n    '.join(views),
        adds='\n    '.join(adds), names=', '.join(f'v{_slot(op, n)}' for n in [*given, *made]),
    )  # fmt: skip
    formula = op.backward if back else op.forward
    fast = {'contract', 'reassoc', 'nsz'}

    def c(name, count):
        return ctypes.CFUNCTYPE(_int, *[_pointer] * count)((name, library))

    names = {
        'np': np, 'carray': numba.carray, 'floats': floats, 'ints': ints, 'known': known,
        'formula': kernels.compiled(formula, fastmath=fast),
        'address_of': c('MXNDArrayGetData', 2), 'shape_of': c('MXNDArrayGetShapeEx', 3),
        'free': c('MXNDArrayFree', 1),
    }  # fmt: skip
    exec(source, names)
    signature = types.int32(
        types.int32, types.CPointer(types.intp), types.CPointer(types.int32),
        types.CPointer(types.int32), types.int32, types.CPointer(types.int64),
    )  # fmt: skip
    call = numba.cfunc(signature, error_model='numpy')(names['call'])
    return call, call.address


_KEPT: list[Any] = []  # what MXNet has the address of


def _callbacks(addresses):
    """A list of C functions as MXNet takes it. The first is called when MXNet is done with it."""
    functions = (_pointer * (len(addresses) + 1))(_done()[1], *addresses)
    contexts = (_pointer * len(functions))()
    _KEPT.append((functions, contexts))
    return MXCallbackList(
        len(functions),
        ctypes.cast(functions, ctypes.POINTER(ctypes.CFUNCTYPE(_int))),
        ctypes.cast(contexts, ctypes.POINTER(_pointer)),
    )


@functools.cache
def _done():
    """Nothing to do then; and no Python, which may have ended before MXNet does."""
    types = kernels._numba().types
    done = kernels._numba().cfunc(types.int32(types.voidptr))(lambda _: 1)
    return done, done.address


@functools.cache
def _registered(op):
    """Tell MXNet of the operator: how its outputs' shapes follow, and what its passes are."""
    n_in = len(op.inputs)

    def function(*types):
        def as_address(f):
            callback = ctypes.CFUNCTYPE(_int, *types, _pointer)(f)
            _KEPT.append(callback)
            return ctypes.cast(callback, _pointer).value

        return as_address

    def lasting(numbers):
        array = (_int * len(numbers))(*numbers)
        recent.append(array)  # MXNet reads it at once
        return ctypes.cast(array, _ints)

    recent: deque = deque(maxlen=64)

    def names(words):
        array = (ctypes.c_char_p * (len(words) + 1))(*[w.encode() for w in words], None)

        def give(out, _):
            out[0] = ctypes.cast(array, _pointer)
            return 1

        return function(ctypes.POINTER(_pointer))(give)

    def plain(count, kinds, *_):
        """A plain array is storage 0."""
        for i in range(count):
            kinds[i] = 0
        return 1

    @function(_int, _ints)
    def types(count, kinds, _):
        """float32 is 0, int32 of ids 4, -1 not known yet: the loops read nothing else."""
        wanted = [4 if name == 'ids' else 0 for name in op.inputs]
        if any(kinds[i] not in (-1, kind) for i, kind in enumerate(wanted)):
            return 0
        for i in range(n_in, count):
            kinds[i] = 0
        return 1

    @function(_int, _ints, ctypes.POINTER(_ints))
    def shape(_, dims, shapes, key):
        inputs = [tuple(shapes[i][j] for j in range(dims[i])) for i in range(n_in)]
        if any(d < 0 for d in dims[:n_in]) or any(n < 0 for s in inputs for n in s):
            return 0
        try:
            sizes = op.shapes(*inputs)
        except (IndexError, ValueError):  # a vector where vectors are wanted
            return 0
        for i, size in enumerate(sizes):
            shapes[n_in + i], dims[n_in + i] = lasting(size), len(size)
        return 1

    @function(_ints, _ints, _ints, _ints, ctypes.POINTER(_ints))
    def needed(d_out, inputs, outputs, count, found, _):
        places = {**dict(zip(op.inputs, inputs)), **dict(zip(op.outputs, outputs))}
        places.update((f'd{n}', d_out[i]) for i, n in enumerate(op.outputs))
        count[0], found[0] = len(op.needs), lasting([places[n] for n in op.needs])
        return 1

    @functools.cache
    def passes():
        return _callbacks([_compiled(op, back)[1] for back in (False, True)])

    @function(
        ctypes.c_char_p, _int, ctypes.POINTER(_ints), _ints, _ints, ctypes.POINTER(MXCallbackList)
    )
    def create(device, count, shapes, dims, types, out, _):
        out[0] = passes()
        return 1

    properties = _callbacks(
        [
            names(op.inputs), names(op.outputs), names([]), shape, needed, create,
            types, function(_int, _ints)(plain), function(_int, _ints, _ints)(plain),
        ]
    )  # fmt: skip

    def creator(name, count, keys, values, out):
        out[0] = properties
        return 1

    texts = ctypes.POINTER(ctypes.c_char_p)
    create = ctypes.CFUNCTYPE(
        _int, ctypes.c_char_p, _int, texts, texts, ctypes.POINTER(MXCallbackList)
    )(creator)
    _KEPT.append(create)
    mx.base.check_call(mx.base._LIB.MXCustomOpRegister(op.name.encode(), create))
