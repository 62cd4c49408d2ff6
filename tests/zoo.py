"""Every model of the library: a small one of its kind, and its definition in loops.

A new model gets a line in `ZOO`, or several where its options change the formula: 'Name: option'.
`build(**options)` builds it, without dropout; `definition(weights, *inputs)` computes its outputs
from `helpers.weights_of` it. All that `tests/models/test_contract.py` asks then holds for it too.
"""

import inspect
import math

from d2lrec import definitions, models
from d2lrec.models.base import Model

import numpy as np
from helpers import dense_layers

DIMS, K = [3, 5, 2, 4], 4
NUM_FIELDS, NUM_FEATURES = len(DIMS), sum(DIMS)
U, I, MEAN = 6, 9, 3.5


def linear(w):
    return w['linear.weight'], w['linear.bias']


def table(w):
    return w['embedding.weight']


def mlp(w):
    return dense_layers(w, 'mlp')


def deepfm_concat(w, x):
    layers = dense_layers(w, 'hidden', 'head')
    return definitions.deepfm_concat(*linear(w), table(w), layers, x)


def attention(w):
    return *dense_layers(w, 'attention.hidden')[0], w['attention.score.weight'][0]


def ffm(w, x):
    return definitions.ffm(*linear(w), table(w).reshape(NUM_FEATURES, NUM_FIELDS, K), x)


def dcn(w, x):
    cross = w['cross.weight'], w['cross.bias']
    return definitions.dcn(table(w), cross, w.get('head.weight'), mlp(w), x)


def dcn_v2(w, x):
    cross = dense_layers(w, 'cross.layers')
    return definitions.dcn_v2(table(w), cross, w.get('head.weight'), mlp(w), x)


def low_rank(w, x):
    layers = dense_layers(w, 'cross.layers')  # V^T, then U, of each
    cross = [(u @ v, bias) for (v, _), (u, bias) in zip(layers[::2], layers[1::2])]
    return definitions.dcn_v2(table(w), cross, w.get('head.weight'), mlp(w), x)


def xdeepfm(split=True, activation=None):
    def definition(w, x):
        maps = [m.reshape(len(m), -1, NUM_FIELDS) for m, _ in dense_layers(w, 'cin.maps')]
        head = w['head.weight']
        return definitions.xdeepfm(
            *linear(w), table(w), maps, head, mlp(w), x, split=split, activation=activation
        )

    return definition


def wide_deep(w, x, dense=None):
    """The ids of crosses are ids of their own here; `test_wide_deep` computes them as φ(x)."""
    out = definitions.linear_term(*linear(w), x)
    deep = definitions.concatenated(table(w), x[:, :NUM_FIELDS])
    if dense is not None:
        deep = np.concatenate([deep, dense], axis=1)
    return out + definitions.mlp(mlp(w), deep)


def dlrm(bag_sizes=(), num_dense=0, self_interaction=False):
    def definition(w, x, *rest):
        rest = list(rest)
        dense = rest.pop(0) if num_dense else None
        weights = rest.pop(0) if bag_sizes else None
        first = w['top.0.weight']
        if num_dense:  # the bottom's output comes first
            first = np.concatenate([w['top.0.dense.weight'], first], axis=1)
        above = next(n for n in w if n.endswith('.output.weight'))[: -len('.output.weight')]
        top = [(first, w['top.0.bias']), *dense_layers(w, above)]
        return definitions.dlrm(
            table(w),
            top,
            x,
            dense,
            weights,
            bottom=dense_layers(w, 'bottom'),
            bag_sizes=bag_sizes,
            self_interaction=self_interaction,
        )

    return definition


def mf(w, users, items):
    biases = w['user_bias'], w['item_bias']
    return definitions.mf([MEAN], *biases, w['P.weight'], w['Q.weight'], users, items)


def neumf(w, users, items):
    tables = [w[f'{name}.weight'] for name in 'PQUV']
    return definitions.neumf(*tables, w['gmf.weight'], mlp(w), users, items)


def autorec(g, f):
    return lambda w, x: definitions.autorec(dense_layers(w, 'encoder', 'decoder'), g, f, x)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def relu(x):
    return max(0.0, x)


SIZES = (3, 2)  # the last two fields of DIMS as bags


def bagged(definition):
    """A model's definition where the last fields are bags, by the one of fields of one value.

    A bag acts as one feature, whose rows of the tables are the sums of its slots' rows, each times
    its weight: row by row, with tables of F rows made for that row alone.
    """

    def of_bags(w, x, *rest):
        *dense, weights = rest
        outputs = []
        for b in range(len(x)):
            own = dict(w)
            for name in ('linear.weight', 'embedding.weight'):
                if name in w:
                    own[name] = np.array(_field_rows(w[name], x[b], weights[b]))
            fields = np.arange(NUM_FIELDS)[None]
            outputs.append(definition(own, fields, *(d[b : b + 1] for d in dense)))
        return np.concatenate(outputs)

    return of_bags


def _field_rows(table, ids, weights):
    single = NUM_FIELDS - len(SIZES)
    rows, at = [table[i] for i in ids[:single]], 0
    for size in SIZES:
        total = np.zeros(table.shape[1])
        for slot in range(at, at + size):
            total = total + weights[slot] * table[ids[single + slot]]
        rows.append(total)
        at += size
    return rows


def ffm_bagged(w, x):
    return definitions.ffm(*linear(w), table(w).reshape(NUM_FIELDS, NUM_FIELDS, K), x)


ZOO = {
    'LR': (lambda: models.LR(DIMS), lambda w, x: definitions.lr(*linear(w), x)),
    'FM': (lambda: models.FM(DIMS, K), lambda w, x: definitions.fm(*linear(w), table(w), x)),
    'FFM': (lambda: models.FFM(DIMS, K), ffm),
    'EmbeddingMLP': (
        lambda **o: models.EmbeddingMLP(DIMS, K, [6, 5], 0, **o),
        lambda w, x: definitions.embedding_mlp(table(w), mlp(w), x),
    ),
    'DeepFM': (
        lambda **o: models.DeepFM(DIMS, K, [6, 5], 0, **o),
        lambda w, x: definitions.deepfm(*linear(w), table(w), mlp(w), x),
    ),
    'DeepFMConcat': (lambda **o: models.DeepFMConcat(DIMS, K, [6, 5], 0, **o), deepfm_concat),
    'NFM': (
        lambda **o: models.NFM(DIMS, K, [6, 5], 0, **o),
        lambda w, x: definitions.nfm(*linear(w), table(w), mlp(w), x),
    ),
    'AFM': (
        lambda: models.AFM(DIMS, K, 3, 0),
        lambda w, x: definitions.afm(*linear(w), table(w), attention(w), w['head.weight'], x),
    ),
    'DCN': (lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, **o), dcn),
    'DCN: stacked': (lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, stacked=True, **o), dcn),
    'DCN: v2': (lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, version=2, **o), dcn_v2),
    'DCN: v2, stacked': (
        lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, version=2, stacked=True, **o),
        dcn_v2,
    ),
    'DCN: v2, low rank': (
        lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, version=2, rank=3, **o),
        low_rank,
    ),
    'XDeepFM': (lambda **o: models.XDeepFM(DIMS, K, [6, 5], 0, (4, 3), **o), xdeepfm()),
    'XDeepFM: not split, relu': (
        lambda **o: models.XDeepFM(DIMS, K, [6, 5], 0, (4, 3), False, 'relu', **o),
        xdeepfm(False, relu),
    ),
    'WideDeep': (
        lambda **o: models.WideDeep(DIMS, K, [6, 5], cross_dims=[4, 3], num_dense=2, **o),
        wide_deep,
    ),
    'WideDeep: ids alone': (lambda **o: models.WideDeep(DIMS, K, [6, 5], **o), wide_deep),
    'DLRM': (lambda **o: models.DLRM(DIMS, K, [7, 5], 3, [6], SIZES, **o), dlrm(SIZES, 3)),
    'DLRM: self': (
        lambda **o: models.DLRM(DIMS, K, [7, 5], 3, [6], SIZES, True, **o),
        dlrm(SIZES, 3, True),
    ),
    'DLRM: no bags': (lambda **o: models.DLRM(DIMS, K, [7, 5], 3, [6], **o), dlrm((), 3)),
    'DLRM: no dense': (lambda **o: models.DLRM(DIMS, K, [7, 5], bag_sizes=SIZES, **o), dlrm(SIZES)),
    'DLRM: ids alone': (lambda **o: models.DLRM(DIMS, K, [7, 5], **o), dlrm()),
    'DLRM: ids alone, self': (
        lambda **o: models.DLRM(DIMS, K, [7, 5], self_interaction=True, **o),
        dlrm(self_interaction=True),
    ),
    'LR: bags': (
        lambda: models.LR(DIMS, bag_sizes=SIZES),
        bagged(lambda w, x: definitions.lr(*linear(w), x)),
    ),
    'FM: bags': (
        lambda: models.FM(DIMS, K, bag_sizes=SIZES),
        bagged(lambda w, x: definitions.fm(*linear(w), table(w), x)),
    ),
    'FFM: bags': (lambda: models.FFM(DIMS, K, bag_sizes=SIZES), bagged(ffm_bagged)),
    'EmbeddingMLP: bags': (
        lambda **o: models.EmbeddingMLP(DIMS, K, [6, 5], 0, bag_sizes=SIZES, **o),
        bagged(lambda w, x: definitions.embedding_mlp(table(w), mlp(w), x)),
    ),
    'DeepFM: bags': (
        lambda **o: models.DeepFM(DIMS, K, [6, 5], 0, bag_sizes=SIZES, **o),
        bagged(lambda w, x: definitions.deepfm(*linear(w), table(w), mlp(w), x)),
    ),
    'DeepFMConcat: bags': (
        lambda **o: models.DeepFMConcat(DIMS, K, [6, 5], 0, bag_sizes=SIZES, **o),
        bagged(deepfm_concat),
    ),
    'NFM: bags': (
        lambda **o: models.NFM(DIMS, K, [6, 5], 0, bag_sizes=SIZES, **o),
        bagged(lambda w, x: definitions.nfm(*linear(w), table(w), mlp(w), x)),
    ),
    'AFM: bags': (
        lambda: models.AFM(DIMS, K, 3, 0, bag_sizes=SIZES),
        bagged(
            lambda w, x: definitions.afm(*linear(w), table(w), attention(w), w['head.weight'], x)
        ),
    ),
    'DCN: bags': (lambda **o: models.DCN(DIMS, K, [6, 5], 0, 2, bag_sizes=SIZES, **o), bagged(dcn)),
    'XDeepFM: bags': (
        lambda **o: models.XDeepFM(DIMS, K, [6, 5], 0, (4, 3), bag_sizes=SIZES, **o),
        bagged(xdeepfm()),
    ),
    'WideDeep: bags': (
        lambda **o: models.WideDeep(DIMS, K, [6, 5], num_dense=2, bag_sizes=SIZES, **o),
        bagged(wide_deep),
    ),
    'MF': (lambda: models.MF(K, U, I, mean=MEAN), mf),
    'NeuMF': (lambda: models.NeuMF(K, U, I, [5, 4]), neumf),
    'AutoRec': (lambda: models.AutoRec(4, U, dropout=0), autorec(sigmoid, float)),
    'AutoRec: deep': (
        lambda: models.AutoRec([5, 4], U, 0, 'tanh', 'sigmoid'),
        autorec(math.tanh, sigmoid),
    ),
    'AutoRec: linear': (lambda: models.AutoRec((4,), U, 0, None), autorec(float, float)),
}

# The models that the library offers; a baseline without weights is none.
OFFERED = {
    name
    for name in models.__all__
    if inspect.isclass(getattr(models, name)) and issubclass(getattr(models, name), Model)
}
