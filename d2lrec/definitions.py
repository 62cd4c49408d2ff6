"""The papers' formulas, written as loops over rows, fields and factors.

Slow on purpose: each is held against the layer or model that computes the same fast.
Ids x (B, F); w (V, 1); v (V, K); e (B, F, K).
"""

import numpy as np


def linear_term(w, b, x):
    out = np.zeros((len(x), 1))
    for row, ids in enumerate(x):
        out[row] = b[0]
        for i in ids:
            out[row] += w[i, 0]
    return out


def bi_interaction(e):
    rows, fields, factors = e.shape
    out = np.zeros((rows, factors))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, k] += e[row, f, k] * e[row, g, k]
    return out


def pairwise_term(e):
    rows, fields, factors = e.shape
    out = np.zeros((rows, 1))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, 0] += e[row, f, k] * e[row, g, k]
    return out


def dense(weight, bias, x):
    out = np.zeros((len(x), len(weight)))
    for row in range(len(x)):
        for unit in range(len(weight)):
            out[row, unit] = bias[unit]
            for i in range(x.shape[1]):
                out[row, unit] += weight[unit, i] * x[row, i]
    return out


def mlp(layers, x):
    """`layers` is a list of (weight, bias); ReLU after each but the last."""
    for weight, bias in layers[:-1]:
        x = dense(weight, bias, x)
        for row in range(len(x)):
            for unit in range(x.shape[1]):
                x[row, unit] = max(0.0, x[row, unit])
    return dense(*layers[-1], x)


def mf(mean, user_bias, item_bias, p, q, users, items):
    out = np.zeros(len(users))
    for row, (u, i) in enumerate(zip(users, items)):
        out[row] = mean[0] + user_bias[u, 0] + item_bias[i, 0]
        for k in range(p.shape[1]):
            out[row] += p[u, k] * q[i, k]
    return out


def autorec(layers, g, f, x):
    """`layers` is a list of (weight, bias); g after each but the last, f after that."""
    for weight, bias in layers[:-1]:
        x = dense(weight, bias, x)
        for row in range(len(x)):
            for unit in range(x.shape[1]):
                x[row, unit] = g(x[row, unit])
    x = dense(*layers[-1], x)
    for row in range(len(x)):
        for unit in range(x.shape[1]):
            x[row, unit] = f(x[row, unit])
    return x


def ranking(scores, held_out, seen):
    """For each user the candidates from best to worst, held-out ones last among equals."""
    out = []
    for user, items in enumerate(scores):
        candidates = [i for i in range(len(items)) if i not in seen[user]]
        out.append(sorted(candidates, key=lambda i: (-items[i], i in held_out[user])))
    return out


def cross_product(onehot, cross):
    """φ(x) = prod_i x_i^c_i, for one row's one-hot features x (V,) and c (V,) in {0, 1}."""
    product = 1.0
    for x_i, c_i in zip(onehot, cross):
        product *= x_i**c_i
    return product


def wide_deep(w, b, cross_weights, v, layers, x, dense):
    """`cross_weights` is a list of (c, weight); `layers` as in `mlp`."""
    out = linear_term(w, b, x)
    for row, ids in enumerate(x):
        onehot = np.zeros(len(w))
        onehot[ids] = 1
        for cross, weight in cross_weights:
            out[row] += weight * cross_product(onehot, cross)
        deep = [number for i in ids for number in v[i]] + list(dense[row])
        out[row] += mlp(layers, np.array([deep]))[0]
    return out


def weighted_bags(e, weights, sizes):
    rows, _, factors = e.shape
    out, first = np.zeros((rows, len(sizes), factors)), 0
    for bag, size in enumerate(sizes):
        for place in range(first, first + size):
            for row in range(rows):
                for k in range(factors):
                    out[row, bag, k] += weights[row, place] * e[row, place, k]
        first += size
    return out


def dot_products(z, with_self=False):
    """<z_i, z_j> for i > j (i >= j), row by row of the triangle: (B, F, K) -> (B, P)."""
    rows, vectors, factors = z.shape
    out = [[] for _ in range(rows)]
    for row in range(rows):
        for i in range(vectors):
            for j in range(i + 1 if with_self else i):
                out[row].append(sum(z[row, i, k] * z[row, j, k] for k in range(factors)))
    return np.array(out)


def quantile(x, train, n):
    """(i - 1) / (n - 1) for an x in the i-th of n quantiles of `train`, by P(X <= x)."""
    at_most = sum(1 for t in train if t <= x)
    for i in range(1, n + 1):
        if at_most * n <= i * len(train):  # P(X <= x) <= i / n, without rounding
            return (i - 1) / (n - 1)


def field_aware_pairwise_term(e):
    """e (B, F, F, K): e[row, f, g] is the vector of field f's feature for field g."""
    rows, fields, _, factors = e.shape
    out = np.zeros((rows, 1))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, 0] += e[row, f, g, k] * e[row, g, f, k]
    return out


def attention_pooling(e, weight, bias, h):
    """weight (A, K), bias (A,), h (A,)."""
    rows, fields, factors = e.shape
    out = np.zeros((rows, factors))
    for row in range(rows):
        products, scores = [], []
        for f in range(fields):
            for g in range(f + 1, fields):
                products.append(e[row, f] * e[row, g])
                scores.append(0.0)
                for a in range(len(h)):
                    hidden = bias[a]
                    for k in range(factors):
                        hidden += weight[a, k] * products[-1][k]
                    scores[-1] += h[a] * max(0.0, hidden)
        total = sum(np.exp(score) for score in scores)
        for product, score in zip(products, scores):
            out[row] += np.exp(score) / total * product
    return out


def cross_network(weight, bias, x):
    """weight, bias (L, D): x_{l+1} = x_0 (x_l . w_l) + b_l + x_l."""
    out = np.zeros(x.shape)
    for row, x0 in enumerate(x):
        xl = x0
        for w, b in zip(weight, bias):
            dot = 0.0
            for i in range(len(xl)):
                dot += xl[i] * w[i]
            xl = x0 * dot + b + xl
        out[row] = xl
    return out


def cross_network_v2(layers, x):
    """`layers` is a list of (matrix (D, D), bias (D,)): x_{l+1} = x_0 * (W x_l + b) + x_l."""
    out = np.zeros(x.shape)
    for row, x0 in enumerate(x):
        xl = x0
        for weight, bias in layers:
            new = np.zeros(len(xl))
            for i in range(len(xl)):
                inner = bias[i]
                for j in range(len(xl)):
                    inner += weight[i, j] * xl[j]
                new[i] = x0[i] * inner + xl[i]
            xl = new
        out[row] = xl
    return out


def cin(weights, e, split, activation=None):
    """`weights` is a list of (H_l, H_{l-1}, F); `activation` acts on one number."""
    rows, fields, factors = e.shape
    out = []
    for x0 in e:
        xl, sums = x0, []
        for layer, weight in enumerate(weights):
            maps = np.zeros((len(weight), factors))
            for h in range(len(weight)):
                for k in range(factors):
                    for i in range(len(xl)):
                        for j in range(fields):
                            maps[h, k] += weight[h, i, j] * xl[i, k] * x0[j, k]
                    if activation:
                        maps[h, k] = activation(maps[h, k])
            half = len(maps) // 2 if split and layer < len(weights) - 1 else 0
            for h in range(half, len(maps)):
                sums.append(sum(maps[h, k] for k in range(factors)))
            xl = maps[:half] if half else maps
        out.append(sums)
    return np.array(out)
