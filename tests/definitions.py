"""The papers' formulas, written as loops over rows, fields and factors.

Slow on purpose: each is held against the layer or model that computes the same fast.
Ids x (B, F); w (V, 1); v (V, K); e (B, F, K).
"""
import numpy as onp


def linear_term(w, b, x):
    out = onp.zeros((len(x), 1))
    for row, ids in enumerate(x):
        out[row] = b[0]
        for i in ids:
            out[row] += w[i, 0]
    return out


def bi_interaction(e):
    rows, fields, factors = e.shape
    out = onp.zeros((rows, factors))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, k] += e[row, f, k] * e[row, g, k]
    return out


def pairwise_term(e):
    rows, fields, factors = e.shape
    out = onp.zeros((rows, 1))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, 0] += e[row, f, k] * e[row, g, k]
    return out


def dense(weight, bias, x):
    out = onp.zeros((len(x), len(weight)))
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
                x[row, unit] = max(0., x[row, unit])
    return dense(*layers[-1], x)


def mf(mean, user_bias, item_bias, p, q, users, items):
    out = onp.zeros(len(users))
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
