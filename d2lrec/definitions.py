"""The papers' formulas, written as loops over examples, fields and factors.

Slow on purpose: each is held against the layer or model that computes the same fast. All take
and return plain arrays: ids x (B, F), users and items (B,); w (V, 1), b (1,); v (V, K); vectors
e (B, F, K). A list of layers holds a pair (weight (units, D), bias (units,)) for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Optional

import numpy as np

__all__ = [
    'lookup',
    'concatenated',
    'linear_term',
    'bi_interaction',
    'pairwise_term',
    'field_aware_pairwise_term',
    'attention_pooling',
    'weighted_bags',
    'dice',
    'activation_unit',
    'gru',
    'augru',
    'target_attention',
    'next_item_loss',
    'dot_products',
    'cross_product',
    'cross_network',
    'cross_network_v2',
    'cin',
    'dense',
    'relu_layers',
    'mlp',
    'lr',
    'fm',
    'ffm',
    'embedding_mlp',
    'deepfm',
    'deepfm_concat',
    'nfm',
    'afm',
    'dcn',
    'dcn_v2',
    'xdeepfm',
    'wide_deep',
    'dlrm',
    'history_bag',
    'din',
    'dien',
    'mf',
    'neumf',
    'autorec',
    'bpr_loss',
    'negative_probabilities',
    'ranking',
    'quantile',
    'auc',
    'gauc',
    'frequency_ids',
    'fold_in',
    'past_rows',
    'undo_downsampling',
    'top_unseen',
    'auc_gap',
    'ftrl_weight',
    'logit_loss',
    'three_way',
    'cross_layer',
    'cin_layer',
    'masked_error',
    'merge_shards',
    'sparse_update',
    'lazy_adam',
    'rmse',
]

Layers = Sequence[tuple[np.ndarray, np.ndarray]]


# Layers


def lookup(v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The vectors of ids: (V, K), (B, F) -> (B, F, K).

    Examples
    --------
    >>> v = np.arange(6.0).reshape(3, 2)
    >>> lookup(v, np.array([[0, 2]])).tolist()
    [[[0.0, 1.0], [4.0, 5.0]]]
    """
    return np.array([[v[i] for i in ids] for ids in x])


def concatenated(v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The vectors of an example's ids, one after the other: (V, K), (B, F) -> (B, F * K).

    Examples
    --------
    >>> v = np.arange(6.0).reshape(3, 2)
    >>> concatenated(v, np.array([[0, 2]])).tolist()
    [[0.0, 1.0, 4.0, 5.0]]
    """
    return np.array([[number for i in ids for number in v[i]] for ids in x])


def linear_term(w: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """b + sum_f w[x_f], shape (B, 1).

    Examples
    --------
    >>> w = np.array([[0.5], [1.0], [2.0]])
    >>> linear_term(w, np.array([0.1]), np.array([[0, 2]])).tolist()
    [[2.6]]
    """
    out = np.zeros((len(x), 1))
    for row, ids in enumerate(x):
        out[row] = b[0]
        for i in ids:
            out[row] += w[i, 0]
    return out


def bi_interaction(e: np.ndarray) -> np.ndarray:
    """sum_{f<g} e_f * e_g, shape (B, K).

    Examples
    --------
    >>> e = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> bi_interaction(e).tolist()
    [[3.0, 8.0]]
    """
    rows, fields, factors = e.shape
    out = np.zeros((rows, factors))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, k] += e[row, f, k] * e[row, g, k]
    return out


def pairwise_term(e: np.ndarray) -> np.ndarray:
    """sum_{f<g} <e_f, e_g>, shape (B, 1).

    Examples
    --------
    >>> e = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> pairwise_term(e).tolist()
    [[11.0]]
    """
    rows, fields, factors = e.shape
    out = np.zeros((rows, 1))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, 0] += e[row, f, k] * e[row, g, k]
    return out


def field_aware_pairwise_term(e: np.ndarray) -> np.ndarray:
    """sum_{f<g} <e_fg, e_gf>, shape (B, 1); e (B, F, F, K).

    e[row, f, g] is the vector of field f's feature for field g.

    Examples
    --------
    >>> e = np.arange(8.0).reshape(1, 2, 2, 2)
    >>> field_aware_pairwise_term(e).tolist()
    [[23.0]]
    """
    rows, fields, _, factors = e.shape
    out = np.zeros((rows, 1))
    for row in range(rows):
        for f in range(fields):
            for g in range(f + 1, fields):
                for k in range(factors):
                    out[row, 0] += e[row, f, g, k] * e[row, g, f, k]
    return out


def attention_pooling(
    e: np.ndarray, weight: np.ndarray, bias: np.ndarray, h: np.ndarray
) -> np.ndarray:
    """sum_{f<g} a_fg (e_f * e_g), shape (B, K); weight (A, K), bias (A,), h (A,).

    Examples
    --------
    >>> e = np.array([[[1.0, 2.0], [3.0, 4.0]]])  # one pair has all the attention
    >>> attention_pooling(e, np.ones((3, 2)), np.zeros(3), np.ones(3)).tolist()
    [[3.0, 8.0]]
    """
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


def weighted_bags(e: np.ndarray, weights: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Each bag's weighted sum of its vectors: (B, M, K), (B, M) -> (B, G, K).

    Examples
    --------
    >>> e = np.array([[[1.0], [2.0], [4.0]]])
    >>> weighted_bags(e, np.array([[1.0, 0.5, 0.0]]), [2, 1]).tolist()
    [[[2.0], [0.0]]]
    """
    rows, _, factors = e.shape
    out, first = np.zeros((rows, len(sizes), factors)), 0
    for bag, size in enumerate(sizes):
        for slot in range(first, first + size):
            for row in range(rows):
                for k in range(factors):
                    out[row, bag, k] += weights[row, slot] * e[row, slot, k]
        first += size
    return out


def dice(s: np.ndarray, mean: np.ndarray, var: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """p s + (1 - p) α s with p = σ((s - mean) / sqrt(var + 1e-5)), of each unit: (B, D).

    Examples
    --------
    >>> s, zero, one = np.array([[-1.0], [0.0], [1.0]]), np.zeros(1), np.ones(1)
    >>> dice(s, zero, one, 0.25 * one).round(2).ravel().tolist()
    [-0.45, 0.0, 0.8]
    """
    out = np.zeros(s.shape)
    for row in range(len(s)):
        for d in range(s.shape[1]):
            p = _sigmoid((s[row, d] - mean[d]) / math.sqrt(var[d] + 1e-5))
            out[row, d] = p * s[row, d] + (1 - p) * alpha[d] * s[row, d]
    return out


def activation_unit(
    layers: Layers, e: np.ndarray, target: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """MLP([e_l, v, e_l * v]) of the filled slots, 0 in the others: e (B, L, K), v (B, K) -> (B, L).

    Examples
    --------
    >>> e, v = np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([[1.0, -1.0]])
    >>> sum_of_products = [(np.array([[0.0, 0, 0, 0, 1, 1]]), np.zeros(1))]
    >>> activation_unit(sum_of_products, e, v, [2]).tolist()
    [[-1.0, -1.0]]
    """
    out = np.zeros(e.shape[:2])
    for row in range(len(e)):
        for slot in range(int(lengths[row])):
            past, v = e[row, slot], target[row]
            out[row, slot] = mlp(layers, np.concatenate([past, v, past * v])[None])[0, 0]
    return out


def _weighted_slots(e, weights):
    """sum_l weight_l e_l, shape (B, K)."""
    out = np.zeros((len(e), e.shape[2]))
    for row in range(len(e)):
        for slot in range(e.shape[1]):
            out[row] += weights[row, slot] * e[row, slot]
    return out


def gru(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The state of a GRU after each step: x (B, L, K) -> (B, L, H).

    Parameters
    ----------
    weights : dict of W_u, W_r, W_c (H, K), U_u, U_r, U_c (H, H) and b_u, b_r, b_c (H,)
    x : array (B, L, K)

    Examples
    --------
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> weights = {name: zero for name in ('W_u', 'W_r', 'U_u', 'U_r', 'U_c')}
    >>> weights.update(W_c=one, b_u=zero[0], b_r=zero[0], b_c=zero[0])
    >>> gru(weights, np.array([[[1.0], [0.0]]])).round(3).tolist()  # half a step each
    [[[0.381], [0.19]]]
    """
    return np.stack([_gru_states(weights, row, np.ones(len(row))) for row in x])


def augru(weights: Mapping[str, np.ndarray], x: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """The last state of a GRU whose update gates are multiplied by a_t: -> (B, H).

    Parameters
    ----------
    weights : as in `gru`
    x, attention : arrays (B, L, K) and (B, L)

    Examples
    --------
    >>> one, zero = np.ones((1, 1)), np.zeros((1, 1))
    >>> weights = {name: zero for name in ('W_u', 'W_r', 'U_u', 'U_r', 'U_c')}
    >>> weights.update(W_c=one, b_u=zero[0], b_r=zero[0], b_c=zero[0])
    >>> augru(weights, np.array([[[1.0], [9.0]]]), np.array([[1.0, 0.0]])).round(3).tolist()
    [[0.381]]
    """
    return np.stack([_gru_states(weights, row, a)[-1] for row, a in zip(x, attention)])


def _gru_states(w, x, attention):
    """The states of one example; a step's attention multiplies its update gate."""
    h, states = np.zeros(len(w['b_u'])), []
    for step, a in zip(x, attention):
        new = np.zeros(len(h))
        for i in range(len(h)):
            u = float(a) * _sigmoid(w['W_u'][i] @ step + w['U_u'][i] @ h + w['b_u'][i])
            r = _sigmoid(w['W_r'][i] @ step + w['U_r'][i] @ h + w['b_r'][i])
            c = math.tanh(w['W_c'][i] @ step + r * (w['U_c'][i] @ h) + w['b_c'][i])
            new[i] = (1 - u) * h[i] + u * c
        h = new
        states.append(h)
    return np.array(states)


def target_attention(
    weight: np.ndarray, states: np.ndarray, target: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Softmax of h_t W v over the filled slots, 0 in the others: (B, L, H), (B, K) -> (B, L).

    Examples
    --------
    >>> states = np.array([[[0.0], [math.log(3)], [9.0]]])
    >>> target_attention(np.ones((1, 1)), states, np.ones((1, 1)), [2]).round(2).tolist()
    [[0.25, 0.75, 0.0]]
    """
    out = np.zeros(states.shape[:2])
    for row in range(len(states)):
        for t in range(int(lengths[row])):
            out[row, t] = math.exp(states[row, t] @ weight @ target[row])
        if lengths[row]:
            out[row] /= out[row].sum()
    return out


def next_item_loss(states: np.ndarray, e: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """DIEN's auxiliary loss: states and slots (B, L, K) -> a loss an example, (B,).

    -log σ(<h_t, e_{t+1}>) - log(1 - σ(<h_t, e'_{t+1}>)) over the filled slots t + 1, divided by
    L - 1; e' is of the example that follows in the batch, where that slot is filled.

    Examples
    --------
    >>> e = np.zeros((2, 2, 1))
    >>> next_item_loss(e, e, [2, 1]).round(3).tolist()  # the other one has no second item
    [0.693, 0.0]
    """
    rows, slots, _ = e.shape
    out = np.zeros(rows)
    for row in range(rows):
        other = (row + 1) % rows
        for t in range(slots - 1):
            if t + 1 < lengths[row]:
                out[row] -= math.log(_sigmoid(states[row, t] @ e[row, t + 1]))
                if t + 1 < lengths[other]:
                    out[row] -= math.log(1 - _sigmoid(states[row, t] @ e[other, t + 1]))
    return out / (slots - 1)


def _sigmoid(x):
    return 1 / (1 + math.exp(-x))


def dot_products(z: np.ndarray, self_interaction: bool = False) -> np.ndarray:
    """<z_i, z_j> for i > j (i >= j), row by row of the triangle: (B, F, K) -> (B, P).

    Examples
    --------
    >>> z = np.array([[[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]])
    >>> dot_products(z).tolist()
    [[1.0, 0.0, 2.0]]
    """
    rows, vectors, factors = z.shape
    out = [[] for _ in range(rows)]
    for row in range(rows):
        for i in range(vectors):
            for j in range(i + 1 if self_interaction else i):
                out[row].append(sum(z[row, i, k] * z[row, j, k] for k in range(factors)))
    return np.array(out)


def cross_product(onehot: np.ndarray, cross: np.ndarray) -> float:
    """φ(x) = prod_i x_i^c_i, for one example's one-hot x (V,) and c (V,) in {0, 1}.

    Examples
    --------
    >>> onehot = np.array([1, 0, 1])
    >>> [float(cross_product(onehot, c)) for c in ([1, 0, 1], [1, 1, 0])]
    [1.0, 0.0]
    """
    product = 1.0
    for x_i, c_i in zip(onehot, cross):
        product *= x_i**c_i
    return product


def cross_network(weight: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x_{l+1} = x_0 (x_l . w_l) + b_l + x_l, shape (B, D); weight, bias (L, D).

    Examples
    --------
    >>> x = np.array([[1.0, 2.0]])
    >>> cross_network(np.ones((1, 2)), np.zeros((1, 2)), x).tolist()
    [[4.0, 8.0]]
    """
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


def cross_network_v2(layers: Layers, x: np.ndarray) -> np.ndarray:
    """x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, shape (B, D); W_l (D, D), b_l (D,).

    Examples
    --------
    >>> x = np.array([[1.0, 2.0]])
    >>> cross_network_v2([(np.eye(2), np.zeros(2))], x).tolist()
    [[2.0, 6.0]]
    """
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


def cin(
    weights: Sequence[np.ndarray],
    e: np.ndarray,
    split: bool,
    activation: Optional[Callable[[float], float]] = None,
) -> np.ndarray:
    """Feature maps, summed: (B, H). `weights` is a list of (H_l, H_{l-1}, F).

    Examples
    --------
    >>> e = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> cin([np.ones((1, 2, 2))], e, split=False).tolist()
    [[52.0]]
    """
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


def dense(weight: np.ndarray, bias: np.ndarray, x: np.ndarray) -> np.ndarray:
    """b + W x, shape (B, units); weight (units, D), bias (units,), x (B, D).

    Examples
    --------
    >>> dense(np.ones((1, 2)), np.array([0.5]), np.array([[1.0, 2.0]])).tolist()
    [[3.5]]
    """
    out = np.zeros((len(x), len(weight)))
    for row in range(len(x)):
        for unit in range(len(weight)):
            out[row, unit] = bias[unit]
            for i in range(x.shape[1]):
                out[row, unit] += weight[unit, i] * x[row, i]
    return out


def relu_layers(layers: Layers, x: np.ndarray) -> np.ndarray:
    """Each layer, and ReLU after it.

    Examples
    --------
    >>> relu_layers([(np.array([[-1.0], [1.0]]), np.zeros(2))], np.array([[3.0]])).tolist()
    [[0.0, 3.0]]
    """
    for weight, bias in layers:
        x = dense(weight, bias, x)
        for row in range(len(x)):
            for unit in range(x.shape[1]):
                x[row, unit] = max(0.0, x[row, unit])
    return x


def mlp(layers: Layers, x: np.ndarray) -> np.ndarray:
    """Each layer, and ReLU after each but the last.

    Examples
    --------
    >>> layers = [(np.array([[-1.0], [1.0]]), np.zeros(2)), (np.ones((1, 2)), np.zeros(1))]
    >>> mlp(layers, np.array([[3.0]])).tolist()
    [[3.0]]
    """
    return dense(*layers[-1], relu_layers(layers[:-1], x))


# Models


def lr(w: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Logits (B, 1) of LR.

    Examples
    --------
    >>> w = np.array([[0.5], [1.0], [2.0]])
    >>> lr(w, np.array([0.1]), np.array([[0, 2]])).tolist()
    [[2.6]]
    """
    return linear_term(w, b, x)


def fm(w: np.ndarray, b: np.ndarray, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Logits (B, 1) of FM.

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])
    >>> fm(w, np.zeros(1), v, np.array([[0, 2]])).tolist()
    [[3.0]]
    """
    return linear_term(w, b, x) + pairwise_term(lookup(v, x))


def ffm(w: np.ndarray, b: np.ndarray, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Logits (B, 1) of FFM; v (V, F, K) holds a feature's vector for each field.

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.arange(6.0).reshape(3, 2, 1)
    >>> ffm(w, np.zeros(1), v, np.array([[0, 2]])).tolist()
    [[4.0]]
    """
    return linear_term(w, b, x) + field_aware_pairwise_term(lookup(v, x))


def embedding_mlp(v: np.ndarray, layers: Layers, x: np.ndarray) -> np.ndarray:
    """Logits (B, 1) of EmbeddingMLP.

    Examples
    --------
    >>> v = np.array([[1.0], [2.0], [3.0]])
    >>> embedding_mlp(v, [(np.ones((1, 2)), np.zeros(1))], np.array([[0, 2]])).tolist()
    [[4.0]]
    """
    return mlp(layers, concatenated(v, x))


def deepfm(
    w: np.ndarray, b: np.ndarray, v: np.ndarray, layers: Layers, x: np.ndarray
) -> np.ndarray:
    """Logits (B, 1) of DeepFM.

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])
    >>> layers = [(np.ones((1, 2)), np.zeros(1))]
    >>> deepfm(w, np.zeros(1), v, layers, np.array([[0, 2]])).tolist()
    [[7.0]]
    """
    return fm(w, b, v, x) + mlp(layers, concatenated(v, x))


def deepfm_concat(
    w: np.ndarray, b: np.ndarray, v: np.ndarray, layers: Layers, x: np.ndarray
) -> np.ndarray:
    """Logits (B, 1) of DeepFMConcat; the last layer weighs 1 + K + the hidden units.

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])
    >>> layers = [(np.ones((1, 2)), np.zeros(1)), (np.ones((1, 3)), np.zeros(1))]
    >>> deepfm_concat(w, np.zeros(1), v, layers, np.array([[0, 2]])).tolist()
    [[7.0]]
    """
    first, second = linear_term(w, b, x), bi_interaction(lookup(v, x))
    hidden = relu_layers(layers[:-1], concatenated(v, x))
    return dense(*layers[-1], np.concatenate([first, second, hidden], axis=1))


def nfm(w: np.ndarray, b: np.ndarray, v: np.ndarray, layers: Layers, x: np.ndarray) -> np.ndarray:
    """Logits (B, 1) of NFM.

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])
    >>> nfm(w, np.zeros(1), v, [(np.ones((1, 1)), np.zeros(1))], np.array([[0, 2]])).tolist()
    [[3.0]]
    """
    return linear_term(w, b, x) + mlp(layers, bi_interaction(lookup(v, x)))


def afm(
    w: np.ndarray,
    b: np.ndarray,
    v: np.ndarray,
    attention: tuple[np.ndarray, np.ndarray, np.ndarray],
    p: np.ndarray,
    x: np.ndarray,
) -> np.ndarray:
    """Logits (B, 1) of AFM; `attention` is (weight, bias, h) of the pooling, p (1, K).

    Examples
    --------
    >>> w, v = np.zeros((3, 1)), np.array([[1.0], [2.0], [3.0]])
    >>> attention = np.ones((2, 1)), np.zeros(2), np.ones(2)
    >>> afm(w, np.zeros(1), v, attention, np.ones((1, 1)), np.array([[0, 2]])).tolist()
    [[3.0]]
    """
    pooled = attention_pooling(lookup(v, x), *attention)
    return linear_term(w, b, x) + dense(p, [0.0], pooled)


def dcn(
    v: np.ndarray,
    cross: tuple[np.ndarray, np.ndarray],
    head: Optional[np.ndarray],
    layers: Layers,
    x: np.ndarray,
) -> np.ndarray:
    """Logits (B, 1) of DCN; `cross` is (weight, bias), head (1, F * K), or None where stacked.

    Examples
    --------
    >>> v, cross = np.array([[1.0], [2.0]]), (np.ones((1, 2)), np.zeros((1, 2)))
    >>> layers = [(np.ones((1, 2)), np.zeros(1))]
    >>> dcn(v, cross, np.ones((1, 2)), layers, np.array([[0, 1]])).tolist()
    [[15.0]]
    """
    e = concatenated(v, x)
    crossed = cross_network(*cross, e)
    return mlp(layers, crossed) if head is None else dense(head, [0.0], crossed) + mlp(layers, e)


def dcn_v2(
    v: np.ndarray, cross: Layers, head: Optional[np.ndarray], layers: Layers, x: np.ndarray
) -> np.ndarray:
    """Logits (B, 1) of DCN v2; head (1, F * K), or None where stacked.

    Examples
    --------
    >>> v, cross = np.array([[1.0], [2.0]]), [(np.eye(2), np.zeros(2))]
    >>> layers = [(np.ones((1, 2)), np.zeros(1))]
    >>> dcn_v2(v, cross, np.ones((1, 2)), layers, np.array([[0, 1]])).tolist()
    [[11.0]]
    """
    e = concatenated(v, x)
    crossed = cross_network_v2(cross, e)
    return mlp(layers, crossed) if head is None else dense(head, [0.0], crossed) + mlp(layers, e)


def xdeepfm(
    w: np.ndarray,
    b: np.ndarray,
    v: np.ndarray,
    maps: Sequence[np.ndarray],
    head: np.ndarray,
    layers: Layers,
    x: np.ndarray,
    split: bool = True,
    activation: Optional[Callable[[float], float]] = None,
) -> np.ndarray:
    """Logits (B, 1) of xDeepFM; `maps` are the weights of `cin`, head (1, H).

    Examples
    --------
    >>> w, v = np.zeros((2, 1)), np.array([[1.0], [2.0]])
    >>> maps, layers = [np.ones((1, 2, 2))], [(np.ones((1, 2)), np.zeros(1))]
    >>> xdeepfm(w, np.zeros(1), v, maps, np.ones((1, 1)), layers, np.array([[0, 1]])).tolist()
    [[12.0]]
    """
    pooled = cin(maps, lookup(v, x), split, activation)
    return linear_term(w, b, x) + dense(head, [0.0], pooled) + mlp(layers, concatenated(v, x))


def wide_deep(
    w: np.ndarray,
    b: np.ndarray,
    cross_weights: Sequence[tuple[np.ndarray, float]],
    v: np.ndarray,
    layers: Layers,
    x: np.ndarray,
    dense: np.ndarray,
) -> np.ndarray:
    """Logits (B, 1) of Wide & Deep; `cross_weights` is a list of (c (V,), weight).

    Examples
    --------
    >>> w, v = np.zeros((2, 1)), np.array([[1.0], [2.0]])
    >>> crosses, layers = [(np.array([1, 1]), 0.5)], [(np.ones((1, 2)), np.zeros(1))]
    >>> wide_deep(w, np.zeros(1), crosses, v, layers, np.array([[0, 1]]), np.zeros((1, 0))).tolist()
    [[3.5]]
    """
    out = linear_term(w, b, x)
    for row, ids in enumerate(x):
        onehot = np.zeros(len(w))
        onehot[ids] = 1
        for cross, weight in cross_weights:
            out[row] += weight * cross_product(onehot, cross)
        deep = [number for i in ids for number in v[i]] + list(dense[row])
        out[row] += mlp(layers, np.array([deep]))[0]
    return out


def dlrm(
    v: np.ndarray,
    top: Layers,
    x: np.ndarray,
    dense: Optional[np.ndarray] = None,
    weights: Optional[np.ndarray] = None,
    *,
    bottom: Layers = (),
    bag_sizes: Sequence[int] = (),
    self_interaction: bool = False,
) -> np.ndarray:
    """Logits (B, 1) of DLRM, of dense features (B, D) and slots' weights (B, M) where given.

    `top` begins with the layer on [z_1, the products] where there are dense features, on the
    products alone where there are none.

    Examples
    --------
    >>> v, top = np.array([[1.0], [2.0]]), [(np.ones((1, 1)), np.zeros(1))]
    >>> dlrm(v, top, np.array([[0, 1]])).tolist()
    [[2.0]]
    """
    single = x.shape[1] - sum(bag_sizes)
    z = [lookup(v, x[:, :single])] if single else []
    if bag_sizes:
        z.append(weighted_bags(lookup(v, x[:, single:]), weights, bag_sizes))
    if dense is None:
        return mlp(top, dot_products(np.concatenate(z, axis=1), self_interaction))
    first = relu_layers(bottom, dense)
    products = dot_products(np.concatenate([first[:, None], *z], axis=1), self_interaction)
    return mlp(top, np.concatenate([first, products], axis=1))


def history_bag(
    v: np.ndarray, layers: Layers, x: np.ndarray, history: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """MLP([v[x_1], ..., v[x_F], the mean of v[h_l]]), shape (B, 1).

    Examples
    --------
    >>> v = np.array([[1.0], [2.0], [4.0]])
    >>> layers = [(np.array([[1.0, 1.0]]), np.zeros(1))]
    >>> history_bag(v, layers, np.array([[0]]), np.array([[1, 2]]), [2]).tolist()
    [[4.0]]
    """
    slots = np.arange(history.shape[1])
    weights = np.array([(slots < n) / max(n, 1) for n in lengths])
    mean = _weighted_slots(lookup(v, history), weights)
    return mlp(layers, np.concatenate([concatenated(v, x), mean], axis=1))


def din(
    v: np.ndarray,
    unit: Layers,
    layers: Layers,
    x: np.ndarray,
    history: np.ndarray,
    lengths: np.ndarray,
    item_field: int = -1,
) -> np.ndarray:
    """MLP([v[x_1], ..., v[x_F], sum_l a(v[h_l], v[item]) v[h_l]]), shape (B, 1).

    Parameters
    ----------
    v : array (V, K)
    unit, layers : list of pairs (weight, bias)
        The activation unit a and the MLP on top.
    x, history, lengths : arrays (B, F), (B, L), (B,)
    item_field : int

    Examples
    --------
    >>> v, product = np.array([[1.0], [2.0], [4.0]]), [(np.array([[0.0, 0, 1]]), np.zeros(1))]
    >>> layers = [(np.array([[0.0, 1.0]]), np.zeros(1))]
    >>> din(v, product, layers, np.array([[0]]), np.array([[1, 2]]), [2]).tolist()  # 2² + 4²
    [[20.0]]
    """
    e, past = lookup(v, x), lookup(v, history)
    weights = activation_unit(unit, past, e[:, item_field], lengths)
    interest = _weighted_slots(past, weights)
    return mlp(layers, np.concatenate([concatenated(v, x), interest], axis=1))


def dien(
    v: np.ndarray,
    extractor: Mapping[str, np.ndarray],
    attention: np.ndarray,
    evolution: Mapping[str, np.ndarray],
    layers: Layers,
    x: np.ndarray,
    history: np.ndarray,
    lengths: np.ndarray,
    item_field: int = -1,
) -> np.ndarray:
    """MLP([v[x_1], ..., v[x_F], AUGRU(h; a)]) of the states h = GRU(v[h_1], ...), shape (B, 1).

    Parameters
    ----------
    v : array (V, K)
    extractor, evolution : weights of the GRU and the AUGRU, as in `gru`
    attention : array (K, K)
    layers : list of pairs (weight, bias)
    x, history, lengths : arrays (B, F), (B, L), (B,)
    item_field : int

    Examples
    --------
    >>> zero = {name: np.zeros((1, 1)) for name in ('W_u', 'W_r', 'W_c', 'U_u', 'U_r', 'U_c')}
    >>> zero.update({name: np.zeros(1) for name in ('b_u', 'b_r', 'b_c')})
    >>> layers, x = [(np.array([[3.0, 1.0]]), np.zeros(1))], np.array([[0]])
    >>> dien(np.ones((1, 1)), zero, np.zeros((1, 1)), zero, layers, x, x, [1]).tolist()
    [[3.0]]
    """
    e, states = lookup(v, x), gru(extractor, lookup(v, history))
    shares = target_attention(attention, states, e[:, item_field], lengths)
    interest = augru(evolution, states, shares)
    return mlp(layers, np.concatenate([concatenated(v, x), interest], axis=1))


def mf(
    mean: np.ndarray,
    user_bias: np.ndarray,
    item_bias: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    users: np.ndarray,
    items: np.ndarray,
) -> np.ndarray:
    """Ratings (B,) of MF: μ + b_u + b_i + <p_u, q_i>; mean (1,), biases (U, 1), (I, 1).

    Examples
    --------
    >>> p, q = np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]])
    >>> mf(np.array([3.0]), np.zeros((1, 1)), np.zeros((1, 1)), p, q, [0], [0]).tolist()
    [4.5]
    """
    out = np.zeros(len(users))
    for row, (u, i) in enumerate(zip(users, items)):
        out[row] = mean[0] + user_bias[u, 0] + item_bias[i, 0]
        for k in range(p.shape[1]):
            out[row] += p[u, k] * q[i, k]
    return out


def neumf(
    p: np.ndarray,
    q: np.ndarray,
    mlp_p: np.ndarray,
    mlp_q: np.ndarray,
    h: np.ndarray,
    layers: Layers,
    users: np.ndarray,
    items: np.ndarray,
) -> np.ndarray:
    """Logits (B, 1) of NeuMF: h (1, K) weighs p_u * q_i, beside an MLP on [mlp_p_u, mlp_q_i].

    Examples
    --------
    >>> p, q, layers = np.ones((1, 2)), np.ones((1, 2)), [(np.ones((1, 4)), np.zeros(1))]
    >>> neumf(p, q, p, q, np.ones((1, 2)), layers, [0], [0]).tolist()
    [[6.0]]
    """
    out = np.zeros((len(users), 1))
    for row, (u, i) in enumerate(zip(users, items)):
        for k in range(p.shape[1]):
            out[row, 0] += h[0, k] * p[u, k] * q[i, k]
        out[row] += mlp(layers, np.array([[*mlp_p[u], *mlp_q[i]]]))[0]
    return out


def autorec(
    layers: Layers, g: Callable[[float], float], f: Callable[[float], float], x: np.ndarray
) -> np.ndarray:
    """Ratings (B, D) of AutoRec: g after each layer but the last, f after that.

    Examples
    --------
    >>> layers = [(np.ones((1, 2)), np.zeros(1)), (np.ones((2, 1)), np.zeros(2))]
    >>> autorec(layers, abs, float, np.array([[-5.0, 2.0]])).tolist()
    [[3.0, 3.0]]
    """
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


# Measures and data


def bpr_loss(scores: np.ndarray, others: np.ndarray) -> float:
    """The mean of -log σ(score - other) over pairs (P,) of an item and an item drawn beside it.

    Rendle et al., UAI 2009, section 4.1, without the regularization.

    Examples
    --------
    >>> round(bpr_loss([1.0], [1.0]), 4)
    0.6931
    """
    total = 0.0
    for score, other in zip(scores, others):
        total -= math.log(1 / (1 + math.exp(-(score - other))))
    return total / len(scores)


def negative_probabilities(
    users: Sequence[int], items: Sequence[int], num_items: int, user: int, power: float
) -> list[float]:
    """With what probability each item is drawn for a user who has not interacted with it.

    Examples
    --------
    >>> negative_probabilities([0, 1, 2, 2], [0, 1, 1, 2], 4, user=0, power=1)
    [0.0, 0.6666666666666666, 0.3333333333333333, 0.0]
    """
    weights = []
    for item in range(num_items):
        pairs = [u for u, i in zip(users, items) if i == item]
        weights.append(0.0 if user in pairs else float(len(pairs) ** power))
    return [weight / sum(weights) for weight in weights]


def ranking(
    scores: np.ndarray, held_out: Sequence[Sequence[int]], seen: Sequence[Sequence[int]]
) -> list[list[int]]:
    """For each user the candidates from best to worst, held-out ones last among equals.

    Examples
    --------
    >>> ranking(np.array([[0.1, 0.9, 0.5]]), [[2]], [[1]])
    [[2, 0]]
    """
    out = []
    for user, items in enumerate(scores):
        candidates = [i for i in range(len(items)) if i not in seen[user]]
        out.append(sorted(candidates, key=lambda i: (-items[i], i in held_out[user])))
    return out


def quantile(x: float, train: Sequence[float], n: int) -> float:
    """(i - 1) / (n - 1) for an x in the i-th of n quantiles of `train`, by P(X <= x).

    Examples
    --------
    >>> [quantile(x, [1, 2, 3, 4], 2) for x in (1, 4)]
    [0.0, 1.0]
    """
    at_most = sum(1 for t in train if t <= x)
    for i in range(1, n + 1):
        if at_most * n <= i * len(train):  # P(X <= x) <= i / n, without rounding
            return (i - 1) / (n - 1)


# What the exercises ask for ------------------------------------------------------------------


def auc(labels: np.ndarray, scores: np.ndarray, tie: float = 0.5) -> float:
    """Labels (N,) and scores (N,) -> the share of pairs of a 1 and a 0 that are in order.

    A tie counts one half. Hanley and McNeil, The Meaning and Use of the Area under a Receiver
    Operating Characteristic (ROC) Curve, Radiology 143(1), 1982.

    Examples
    --------
    >>> auc(np.array([1, 0, 1]), np.array([0.9, 0.5, 0.5]))
    0.75
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


def gauc(labels: np.ndarray, scores: np.ndarray, users: np.ndarray) -> float:
    """Labels, scores, users (N,) -> the users' AUCs, averaged with their numbers of examples.

    Users whose labels are all alike have no AUC and are left out. Zhu et al., Optimized Cost
    per Click in Taobao Display Advertising, KDD 2017.

    Examples
    --------
    >>> float(gauc(np.array([1, 0, 1]), np.array([0.9, 0.5, 0.5]), np.array([7, 7, 8])))
    1.0
    """
    total = count = 0.0
    for user in sorted(set(users.tolist())):
        mine = [n for n in range(len(users)) if users[n] == user]
        if len({float(labels[n]) for n in mine}) > 1:
            total += len(mine) * auc(labels[mine], scores[mine])
            count += len(mine)
    return total / count


def frequency_ids(
    words: np.ndarray, min_count: int, order: Callable = lambda word, count: (-count, word)
) -> np.ndarray:
    """Words (N,) -> ids (N,): 0, 1, ... from the most frequent word on, the smaller one first.

    Words that occur fewer than min_count times share the id after the last.

    Examples
    --------
    >>> frequency_ids(np.array([5, 3, 5, 9]), 2).tolist()
    [0, 1, 0, 1]
    """
    words = words.tolist()
    count = {word: words.count(word) for word in words}
    kept = [word for word in count if count[word] >= min_count]
    kept.sort(key=lambda word: order(word, count[word]))
    return np.array([kept.index(word) if word in kept else len(kept) for word in words])


def fold_in(q: np.ndarray, rest: np.ndarray, damping: float) -> np.ndarray:
    """q (n, K), rest (n,) -> the p (K,) of least sum_i (rest_i - <p, q_i>)^2 + damping <p, p>.

    A user's step of alternating least squares: Koren, Bell and Volinsky, Matrix Factorization
    Techniques for Recommender Systems, Computer 42(8), 2009.

    Examples
    --------
    >>> fold_in(np.array([[1.0], [1.0]]), np.array([1.0, 2.0]), 1.0).tolist()
    [1.0]
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


def past_rows(
    users: Sequence, times: Sequence, length: int, where: Optional[Sequence[bool]] = None
) -> np.ndarray:
    """The last `length` rows that each row's user had strictly before it, -1 for none.

    Examples
    --------
    >>> past_rows(['Kim', 'Lee', 'Kim', 'Kim'], [1, 2, 5, 5], 2).tolist()
    [[-1, -1], [-1, -1], [0, -1], [0, -1]]
    """
    out = np.full((len(users), length), -1)
    for row in range(len(users)):
        past = []
        for other in range(len(users)):
            if users[other] == users[row] and times[other] < times[row]:
                if where is None or where[other]:
                    past.append((times[other], other))
        past = sorted(past)[-length:]
        out[row, : len(past)] = [other for _, other in past]
    return out


def ftrl_weight(
    z: np.ndarray, n: np.ndarray, alpha: float, beta: float, l1: float, l2: float
) -> np.ndarray:
    """z, n (V,) -> w (V,). McMahan et al., Ad Click Prediction, KDD 2013, algorithm 1.

    Examples
    --------
    >>> ftrl_weight(np.array([0.5, -3.0]), np.zeros(2), 0.1, 1.0, 1.0, 0.0).tolist()
    [0.0, 0.2]
    """
    out = np.zeros(len(z))
    for i in range(len(z)):
        if abs(z[i]) > l1:
            out[i] = -(z[i] - np.sign(z[i]) * l1) / ((beta + np.sqrt(n[i])) / alpha + l2)
    return out


def logit_loss(z: np.ndarray, y: np.ndarray) -> float:
    """Logits z (B, 1), labels y (B, 1) -> -mean(y log σ(z) + (1 - y) log(1 - σ(z))), a number.

    Examples
    --------
    >>> round(float(logit_loss(np.array([[0.0]]), np.array([[1.0]]))), 4)
    0.6931
    """
    total = 0.0
    for row in range(len(z)):
        logit = float(z[row, 0]) if y[row, 0] else -float(z[row, 0])  # of what happened
        total += max(-logit, 0.0) + np.log1p(np.exp(-abs(logit)))  # -log σ(logit)
    return total / len(z)


def three_way(table: np.ndarray) -> np.ndarray:
    """A table (I, J, K) -> what its three indices decide together, of the same shape.

    t[i, j, k] less the constant, the terms of one index and those of two, which are found as
    means over the other indices. The sum along each axis is 0.

    Examples
    --------
    >>> three_way(np.array([[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 8.0]]])).tolist()
    [[[-1.0, 1.0], [1.0, -1.0]], [[1.0, -1.0], [-1.0, 1.0]]]
    """
    out = np.zeros(table.shape)
    for i, j, k in np.ndindex(*table.shape):
        two = table[i, j].mean() + table[i, :, k].mean() + table[:, j, k].mean()
        one = table[i].mean() + table[:, j].mean() + table[:, :, k].mean()
        out[i, j, k] = table[i, j, k] - two + one - table.mean()
    return out


def cross_layer(x0: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x0, x (B, D), w, b (D,) -> x0 (x . w) + b + x, shape (B, D).

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).

    Examples
    --------
    >>> x = np.array([[1.0, 2.0]])
    >>> cross_layer(x, x, np.ones(2), np.zeros(2)).tolist()
    [[4.0, 8.0]]
    """
    out = np.zeros(x.shape)
    for row in range(len(x)):
        dot = 0.0
        for i in range(x.shape[1]):
            dot += x[row, i] * w[i]
        for i in range(x.shape[1]):
            out[row, i] = x0[row, i] * dot + b[i] + x[row, i]
    return out


def cin_layer(x: np.ndarray, x0: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """x (B, H, K), x0 (B, F, K), weight (M, H, F) -> feature maps (B, M, K).

    Lian et al., xDeepFM, KDD 2018, equation (6).

    Examples
    --------
    >>> e = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> cin_layer(e, e, np.ones((1, 2, 2))).tolist()
    [[[16.0, 36.0]]]
    """
    out = np.zeros((len(x), len(weight), x.shape[2]))
    for row, m, k in np.ndindex(*out.shape):
        for i in range(x.shape[1]):
            for j in range(x0.shape[1]):
                out[row, m, k] += weight[m, i, j] * x[row, i, k] * x0[row, j, k]
    return out


def masked_error(outputs: np.ndarray, ratings: np.ndarray, mask: np.ndarray) -> float:
    """outputs, ratings, mask (B, D) -> mean squared error where the mask is not 0, a number.

    Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015, section 2.

    Examples
    --------
    >>> float(masked_error(np.array([[1.0, 9.0]]), np.array([[3.0, 0.0]]), np.array([[1, 0]])))
    4.0
    """
    squared = count = 0.0
    for row in range(len(mask)):
        for d in range(mask.shape[1]):
            if mask[row, d]:
                squared += (ratings[row, d] - outputs[row, d]) ** 2
                count += 1
    return squared / count


def merge_shards(means: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Devices' mean gradients (D, P) of shards of `sizes` (D,) examples -> the batch's (P,).

    Examples
    --------
    >>> merge_shards(np.array([[1.0], [4.0]]), np.array([2, 1])).tolist()
    [2.0]
    """
    out = np.zeros(means.shape[1])
    for device in range(len(sizes)):
        for p in range(means.shape[1]):
            out[p] += means[device, p] * sizes[device] / sum(sizes)
    return out


def sparse_update(table: np.ndarray, ids: np.ndarray, grads: np.ndarray, lr: float) -> np.ndarray:
    """A step of SGD: table (V, K), ids (n,), grads (n, K) -> (V, K); equal ids add up.

    Examples
    --------
    >>> sparse_update(np.zeros((2, 1)), np.array([1, 1]), np.ones((2, 1)), 0.5).tolist()
    [[0.0], [-1.0]]
    """
    out = table.astype('float64')
    for n in range(len(ids)):
        for k in range(table.shape[1]):
            out[ids[n], k] -= lr * grads[n, k]
    return out


def rmse(predictions: np.ndarray, ratings: np.ndarray) -> float:
    """predictions, ratings (N,) -> the root of the mean squared error, a number.

    Examples
    --------
    >>> float(rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.4142135623730951
    """
    squared = 0.0
    for n in range(len(ratings)):
        squared += (predictions[n] - ratings[n]) ** 2
    return (squared / len(ratings)) ** 0.5


def undo_downsampling(p: np.ndarray, keep: float) -> np.ndarray:
    """p (N,) of a model trained on a share `keep` of the negatives -> probabilities (N,).

    He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014, section
    6.3: q = p / (p + (1 - p) / w), where w is `keep`.

    Examples
    --------
    >>> undo_downsampling(np.array([0.5]), 0.25).tolist()
    [0.2]
    """
    q = np.empty(len(p))
    for n in range(len(p)):
        q[n] = p[n] / (p[n] + (1 - p[n]) / keep)
    return q


def top_unseen(scores: np.ndarray, seen: np.ndarray, k: int) -> np.ndarray:
    """scores (I,), numbers of the items seen -> the k best others, best first; ties in order.

    Examples
    --------
    >>> top_unseen(np.array([0.1, 0.9, 0.5, 0.5]), np.array([1]), 2).tolist()
    [2, 3]
    """
    found: list = []
    while len(found) < min(k, len(scores) - len(set(seen.tolist()))):
        best = None
        for i in range(len(scores)):
            if i in seen or i in found:
                continue
            if best is None or scores[i] > scores[best]:
                best = i
        found.append(best)
    return np.array(found)


def auc_gap(labels: np.ndarray, probs: np.ndarray, best: np.ndarray) -> float:
    """Labels, predictions and true probabilities (N,) -> the AUC that is lacking to the best.

    Examples
    --------
    >>> auc_gap(np.array([1, 0, 0]), np.array([0.4, 0.5, 0.3]), np.array([0.9, 0.2, 0.1]))
    0.5
    """
    return auc(labels, best) - auc(labels, probs)


def lazy_adam(
    table: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    ids: np.ndarray,
    grads: np.ndarray,
    t: int,
    lr: float,
    wd: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
) -> None:
    """Step t of Adam on the rows that occur in ids (n,), in place; the others rest.

    Table and moments (V, K), gradients (n, K), one a place. Those of a row that occurs several
    times add up. As MXNet's Adam with `lazy_update`; PyTorch's `SparseAdam` is the same.

    Examples
    --------
    >>> table, mean, var = np.ones((3, 1)), np.zeros((3, 1)), np.zeros((3, 1))
    >>> lazy_adam(table, mean, var, np.array([2, 2]), np.array([[1.0], [3.0]]), 1, lr=0.5)
    >>> table[:, 0].round(4).tolist(), mean[:, 0].round(4).tolist()
    ([1.0, 1.0, 0.5], [0.0, 0.0, 0.4])
    """
    one, two = betas
    rate = lr * math.sqrt(1 - two**t) / (1 - one**t)
    for row in sorted(set(ids.tolist())):
        g = wd * table[row]
        for place in range(len(ids)):
            if ids[place] == row:
                g = g + grads[place]
        mean[row] = one * mean[row] + (1 - one) * g
        var[row] = two * var[row] + (1 - two) * g**2
        table[row] -= rate * mean[row] / (var[row] ** 0.5 + epsilon)
