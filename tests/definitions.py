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
