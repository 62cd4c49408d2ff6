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


# What the exercises ask for ------------------------------------------------------------------


def auc(labels, scores, tie=0.5):
    """Labels (N,) and scores (N,) -> the share of pairs of a 1 and a 0 that are in order.

    A tie counts one half. Hanley and McNeil, The Meaning and Use of the Area under a Receiver
    Operating Characteristic (ROC) Curve, Radiology 143(1), 1982.
    """
    won = pairs = 0.0
    for n in range(len(labels)):
        for m in range(len(labels)):
            if labels[n] == 1 and labels[m] == 0:
                pairs += 1
                if scores[n] > scores[m]:
                    won += 1
                elif scores[n] == scores[m]:
                    won += tie
    return won / pairs


def gauc(labels, scores, users):
    """Labels, scores, users (N,) -> the users' AUCs, averaged with their numbers of examples.

    Users whose labels are all alike have no AUC and are left out. Zhu et al., Optimized Cost
    per Click in Taobao Display Advertising, KDD 2017.
    """
    total = count = 0.0
    for user in sorted(set(users.tolist())):
        mine = [n for n in range(len(users)) if users[n] == user]
        if len({float(labels[n]) for n in mine}) > 1:
            total += len(mine) * auc(labels[mine], scores[mine])
            count += len(mine)
    return total / count


def frequency_ids(words, min_count, order=lambda word, count: (-count, word)):
    """Words (N,) -> ids (N,): 0, 1, ... from the most frequent word on, the smaller one first.

    Words that occur fewer than min_count times share the id after the last.
    """
    words = words.tolist()
    count = {word: words.count(word) for word in words}
    kept = [word for word in count if count[word] >= min_count]
    kept.sort(key=lambda word: order(word, count[word]))
    return np.array([kept.index(word) if word in kept else len(kept) for word in words])


def fold_in(q, rest, damping):
    """q (n, K), rest (n,) -> the p (K,) of least sum_i (rest_i - <p, q_i>)^2 + damping <p, p>.

    A user's step of alternating least squares: Koren, Bell and Volinsky, Matrix Factorization
    Techniques for Recommender Systems, Computer 42(8), 2009.
    """
    factors = q.shape[1]
    left, right = np.zeros((factors, factors)), np.zeros(factors)
    for k in range(factors):
        left[k, k] = damping
        for i in range(len(q)):
            right[k] += q[i, k] * rest[i]
            for j in range(factors):
                left[k, j] += q[i, k] * q[i, j]
    return np.linalg.solve(left, right)


def ftrl_weight(z, n, alpha, beta, l1, l2):
    """z, n (V,) -> w (V,). McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1."""
    out = np.zeros(len(z))
    for i in range(len(z)):
        if abs(z[i]) > l1:
            out[i] = -(z[i] - np.sign(z[i]) * l1) / ((beta + np.sqrt(n[i])) / alpha + l2)
    return out


def logit_loss(z, y):
    """Logits z (B, 1), labels y (B, 1) -> -mean(y log σ(z) + (1 - y) log(1 - σ(z))), a number."""
    total = 0.0
    for row in range(len(z)):
        logit = float(z[row, 0]) if y[row, 0] else -float(z[row, 0])  # of what happened
        total += max(-logit, 0.0) + np.log1p(np.exp(-abs(logit)))  # -log σ(logit)
    return total / len(z)


def cross_layer(x0, x, w, b):
    """x0, x (B, D), w, b (D,) -> x0 (x . w) + b + x, shape (B, D).

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).
    """
    out = np.zeros(x.shape)
    for row in range(len(x)):
        dot = 0.0
        for i in range(x.shape[1]):
            dot += x[row, i] * w[i]
        for i in range(x.shape[1]):
            out[row, i] = x0[row, i] * dot + b[i] + x[row, i]
    return out


def cin_layer(x, x0, weight):
    """x (B, H, K), x0 (B, F, K), weight (M, H, F) -> feature maps (B, M, K).

    Lian et al., xDeepFM, KDD 2018, equation (6).
    """
    out = np.zeros((len(x), len(weight), x.shape[2]))
    for row, m, k in np.ndindex(*out.shape):
        for i in range(x.shape[1]):
            for j in range(x0.shape[1]):
                out[row, m, k] += weight[m, i, j] * x[row, i, k] * x0[row, j, k]
    return out


def masked_error(outputs, ratings, mask):
    """outputs, ratings, mask (B, D) -> mean squared error where the mask is not 0, a number.

    Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015, section 2.
    """
    squared = count = 0.0
    for row in range(len(mask)):
        for d in range(mask.shape[1]):
            if mask[row, d]:
                squared += (ratings[row, d] - outputs[row, d]) ** 2
                count += 1
    return squared / count


def merge_shards(means, sizes):
    """Devices' mean gradients (D, P) of shards of `sizes` (D,) examples -> the batch's (P,)."""
    out = np.zeros(means.shape[1])
    for device in range(len(sizes)):
        for p in range(means.shape[1]):
            out[p] += means[device, p] * sizes[device] / sum(sizes)
    return out


def sparse_update(table, ids, grads, lr):
    """A step of SGD: table (V, K), ids (n,), grads (n, K) -> (V, K); equal ids add up."""
    out = table.astype('float64')
    for n in range(len(ids)):
        for k in range(table.shape[1]):
            out[ids[n], k] -= lr * grads[n, k]
    return out


def rmse(predictions, ratings):
    """predictions, ratings (N,) -> the root of the mean squared error, a number."""
    squared = 0.0
    for n in range(len(ratings)):
        squared += (predictions[n] - ratings[n]) ** 2
    return (squared / len(ratings)) ** 0.5
