"""Time of one training step of every model: d2lrec beside PyTorch, DeepCTR-Torch and the old d2l.

    python3.11 -m venv _build/parity
    _build/parity/bin/pip install -r benchmarks/requirements-parity.txt -e .[fast]
    _build/parity/bin/pip install --no-deps deepctr-torch
    _build/parity/bin/python benchmarks/steps.py --into _build/steps FM DeepFM   # some models
    _build/parity/bin/python benchmarks/steps.py --into _build/steps             # those missing
    _build/parity/bin/python benchmarks/steps.py --table _build/steps

A step is the forward pass, the log loss (of MF and AutoRec the squared error), the backward pass
and Adam, on a batch that is already in memory, without dropout. All sides of a model compute the
same function from the same weights: the script ends with an error where PyTorch's first loss or
gradients differ from ours. The sides run in turn, a block of steps at a time, in one process; the
table gives medians over the blocks of the processor time, which other programs disturb less than
the time that passed. d2lrec trains as `fit` does: hybridized, with its own Adam and loss, by rows
where the tables are large (FFM's are), AutoRec from what is known. PyTorch runs eagerly with the
Adam that it takes unasked, eagerly with `fused=True`, and compiled (`torch.compile`) with
`fused=True`. What either side takes to compile is left out.
"""

import os
import sys

os.environ['OMP_NUM_THREADS'] = os.environ.get('OMP_NUM_THREADS', '1')

import argparse
import json
import platform
import statistics
import time
import warnings
from pathlib import Path

import d2lrec as d2l
from d2lrec.train import optim
from d2lrec.train.losses import in_one_pass

import mxnet as mx
import numpy as np
import torch
from mxnet import autograd, gluon, npx
from mxnet.gluon import nn as mxnn
from tables import put_out
from torch import nn

npx.set_np()
optim.STEPS = 1  # small weights are stepped as after some thousand steps, when compiling has paid
THREADS = int(os.environ['OMP_NUM_THREADS'])
torch.set_num_threads(THREADS)

F, K, MLP_DIMS, CIN_DIMS, BATCH = 26, 16, [64, 32], [16, 16], 2048
FIELD_DIMS = [100_000 // F] * F
V, WIDTH, PAIRS = sum(FIELD_DIMS), F * K, F * (F - 1) // 2
DENSE, BOTTOM, ATTENTION = 13, [64], 16
USERS, ITEMS, HIDDEN, ROWS = 943, 1682, 500, 256


# The models in PyTorch: ids (B, F) -> logits (B, 1). Parameters come in d2lrec's order.


def mlp(width=WIDTH, dims=MLP_DIMS):
    parts = []
    for dim in dims:
        parts += [nn.Linear(width, dim), nn.ReLU()]
        width = dim
    return nn.Sequential(*parts, nn.Linear(width, 1))


class LR(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(V, 1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return nn.functional.embedding(x, self.weight).sum(1) + self.bias


def bi_interaction(e):
    return 0.5 * (e.sum(1) ** 2 - (e**2).sum(1))


def pairwise(e):
    return bi_interaction(e).sum(1, keepdim=True)


class FM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = LR(), nn.Embedding(V, K)

    def forward(self, x):
        return self.linear(x) + pairwise(self.embedding(x))


class FFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = LR(), nn.Embedding(V, F * K)
        f, g = torch.triu_indices(F, F, 1)
        self.pairs = f * F + g, g * F + f

    def forward(self, x):
        e = self.embedding(x).reshape(-1, F * F, K)
        products = e[:, self.pairs[0]] * e[:, self.pairs[1]]
        return self.linear(x) + products.sum((1, 2))[:, None]


class NFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding, self.mlp = LR(), nn.Embedding(V, K), mlp(K)

    def forward(self, x):
        return self.linear(x) + self.mlp(bi_interaction(self.embedding(x)))


class AFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = LR(), nn.Embedding(V, K)
        self.hidden, self.score = nn.Linear(K, ATTENTION), nn.Linear(ATTENTION, 1, bias=False)
        self.head = nn.Linear(K, 1, bias=False)
        self.pairs = tuple(torch.triu_indices(F, F, 1))

    def forward(self, x):
        e = self.embedding(x)
        pairs = e[:, self.pairs[0]] * e[:, self.pairs[1]]
        a = torch.softmax(self.score(torch.relu(self.hidden(pairs))), 1)
        return self.linear(x) + self.head((a * pairs).sum(1))


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding, self.mlp = LR(), nn.Embedding(V, K), mlp()

    def forward(self, x):
        return self.linear(x) + self.mlp(self.embedding(x).flatten(1))


class DeepFM(WideDeep):
    def forward(self, x):
        e = self.embedding(x)
        return self.linear(x) + pairwise(e) + self.mlp(e.flatten(1))


class CrossNetwork(nn.Module):
    def __init__(self, num_layers=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_layers, WIDTH))
        self.bias = nn.Parameter(torch.zeros(num_layers, WIDTH))

    def forward(self, x0):
        x = x0
        for weight, bias in zip(self.weight, self.bias):
            x = x0 * (x @ weight)[:, None] + bias + x
        return x


class CrossNetworkV2(nn.Module):
    def __init__(self, num_layers=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(num_layers))

    def forward(self, x0):
        x = x0
        for layer in self.layers:
            x = x0 * layer(x) + x
        return x


class DCN(nn.Module):
    def __init__(self, cross=CrossNetwork):
        super().__init__()
        self.embedding, self.cross = nn.Embedding(V, K), cross()
        self.output, self.mlp = nn.Linear(WIDTH, 1, bias=False), mlp()

    def forward(self, x):
        e = self.embedding(x).flatten(1)
        return self.output(self.cross(e)) + self.mlp(e)


class CIN(nn.Module):
    """As ours, one inner product a layer: einsum and a convolution take twice as long."""

    def __init__(self):
        super().__init__()
        self.maps, fed = nn.ModuleList(), F
        for dim in CIN_DIMS:
            self.maps.append(nn.Linear(fed * F, dim, bias=False))
            fed = dim // 2

    def forward(self, e):
        x = x0 = e.transpose(1, 2).flatten(0, 1)  # (B * K, F)
        kept = []
        for maps in self.maps:
            x = maps(torch.bmm(x[:, :, None], x0[:, None]).flatten(1))  # (B * K, maps)
            half = x.shape[1] // 2 if maps is not self.maps[-1] else 0
            kept.append(x[:, half:])
            x = x[:, :half]
        return torch.cat(kept, 1).unflatten(0, (-1, K)).sum(1)


class XDeepFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding, self.cin = LR(), nn.Embedding(V, K), CIN()
        kept = sum(CIN_DIMS[:-1]) // 2 + CIN_DIMS[-1]
        self.output, self.mlp = nn.Linear(kept, 1, bias=False), mlp()

    def forward(self, x):
        e = self.embedding(x)
        return self.linear(x) + self.output(self.cin(e)) + self.mlp(e.flatten(1))


class DLRM(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(V, K)
        self.bottom = nn.Sequential(
            nn.Linear(DENSE, BOTTOM[0]), nn.ReLU(), nn.Linear(BOTTOM[0], K), nn.ReLU()
        )
        pairs = (F + 1) * F // 2
        self.products = nn.Linear(pairs, MLP_DIMS[0])
        self.dense = nn.Linear(K, MLP_DIMS[0], bias=False)
        self.top = mlp(MLP_DIMS[0], MLP_DIMS[1:])
        self.pairs = tuple(torch.tril_indices(F + 1, F + 1, -1))

    def forward(self, x, dense):
        z = self.bottom(dense)
        e = torch.cat([z[:, None], self.embedding(x)], 1)
        products = torch.bmm(e, e.transpose(1, 2))[:, self.pairs[0], self.pairs[1]]
        return self.top(torch.relu(self.products(products) + self.dense(z)))


class MF(nn.Module):
    def __init__(self):
        super().__init__()
        self.user_bias = nn.Parameter(torch.zeros(USERS, 1))
        self.item_bias = nn.Parameter(torch.zeros(ITEMS, 1))
        self.P, self.Q = nn.Embedding(USERS, K), nn.Embedding(ITEMS, K)

    def forward(self, users, items):
        look_up = nn.functional.embedding
        biases = look_up(users, self.user_bias) + look_up(items, self.item_bias)
        return 3.5 + biases[:, 0] + (self.P(users) * self.Q(items)).sum(1)


class AutoRec(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(USERS, HIDDEN), nn.Linear(HIDDEN, USERS)

    def forward(self, x):
        return self.decoder(torch.sigmoid(self.encoder(x)))


# The old chapters' classes, as far as they had them.


class OldFM(mxnn.Block):
    def __init__(self, deep=False):
        super().__init__()
        self.embedding, self.fc = mxnn.Embedding(V, K), mxnn.Embedding(V, 1)
        self.linear_layer = mxnn.Dense(1, use_bias=True)
        self.mlp = mxnn.Sequential() if deep else None
        if deep:
            for dim in MLP_DIMS:
                self.mlp.add(mxnn.Dense(dim, 'relu', in_units=0))
            self.mlp.add(mxnn.Dense(1))

    def forward(self, x):
        e = self.embedding(x)
        pairs = mx.np.sum(e, axis=1) ** 2 - mx.np.sum(e**2, axis=1)
        out = self.linear_layer(self.fc(x).sum(1)) + 0.5 * pairs.sum(1, keepdims=True)
        if self.mlp is not None:
            out = out + self.mlp(mx.np.reshape(e, (-1, WIDTH)))
        return npx.sigmoid(out)


class OldMF(mxnn.Block):
    def __init__(self):
        super().__init__()
        self.P, self.Q = mxnn.Embedding(USERS, K), mxnn.Embedding(ITEMS, K)
        self.user_bias, self.item_bias = mxnn.Embedding(USERS, 1), mxnn.Embedding(ITEMS, 1)

    def forward(self, users, items):
        products = (self.P(users) * self.Q(items)).sum(axis=1)
        biases = mx.np.squeeze(self.user_bias(users)) + mx.np.squeeze(self.item_bias(items))
        return products + biases.flatten()


class OldAutoRec(mxnn.Block):
    def __init__(self):
        super().__init__()
        self.encoder = mxnn.Dense(HIDDEN, activation='sigmoid', use_bias=True)
        self.decoder = mxnn.Dense(USERS, use_bias=True)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def deepctr(name):
    """A model of DeepCTR-Torch on the same fields; None where it is not installed."""
    try:
        from deepctr_torch import models
        from deepctr_torch.inputs import SparseFeat
    except ImportError:
        return None
    fields = [SparseFeat(f'f{f}', n, K) for f, n in enumerate(FIELD_DIMS)]
    plain = {'l2_reg_linear': 0, 'l2_reg_embedding': 0, 'device': 'cpu'}
    deep = {'dnn_hidden_units': tuple(MLP_DIMS), **plain}
    cross = {'dnn_feature_columns': fields, 'cross_num': 3, 'l2_reg_cross': 0}
    build = {
        'FM': lambda: models.DeepFM(fields, fields, dnn_hidden_units=(), **plain),
        'DeepFM': lambda: models.DeepFM(fields, fields, **deep),
        'Wide & Deep': lambda: models.WDL(fields, fields, **deep),
        'NFM': lambda: models.NFM(fields, fields, bi_dropout=0, **deep),
        'AFM': lambda: models.AFM(
            fields, fields, attention_factor=ATTENTION, afm_dropout=0, l2_reg_att=0, **plain
        ),
        'DCN': lambda: models.DCN([], **cross, **deep),
        'DCN v2': lambda: models.DCN([], **cross, cross_parameterization='matrix', **deep),
        'xDeepFM': lambda: models.xDeepFM(
            fields, fields, cin_layer_size=CIN_DIMS, cin_activation='linear', **deep
        ),
    }
    return build[name]() if name in build else None


DEEP = (FIELD_DIMS, K, MLP_DIMS, 0.0)
MODELS = {
    'LR': (lambda: d2l.LR(FIELD_DIMS), LR, None),
    'FM': (lambda: d2l.FM(FIELD_DIMS, K), FM, OldFM),
    'FFM': (lambda: d2l.FFM(FIELD_DIMS, K), FFM, None),
    'DeepFM': (lambda: d2l.DeepFM(*DEEP), DeepFM, lambda: OldFM(deep=True)),
    'Wide & Deep': (lambda: d2l.WideDeep(*DEEP[:3]), WideDeep, None),
    'NFM': (lambda: d2l.NFM(*DEEP), NFM, None),
    'AFM': (lambda: d2l.AFM(FIELD_DIMS, K, ATTENTION, 0.0), AFM, None),
    'DCN': (lambda: d2l.DCN(*DEEP), DCN, None),
    'DCN v2': (lambda: d2l.DCN(*DEEP, version=2), lambda: DCN(CrossNetworkV2), None),
    'xDeepFM': (lambda: d2l.XDeepFM(*DEEP, cin_dims=CIN_DIMS), XDeepFM, None),
    'DLRM': (
        lambda: d2l.DLRM(FIELD_DIMS, K, MLP_DIMS, num_dense=DENSE, bottom_dims=BOTTOM), DLRM, None
    ),
    'AutoRec': (lambda: d2l.AutoRec(HIDDEN, USERS, dropout=0), AutoRec, OldAutoRec),
    'MF': (lambda: d2l.MF(K, USERS, ITEMS, mean=3.5), MF, OldMF),
}  # fmt: skip
OURS, EAGER, FUSED, COMPILED, CTR, OLD = SIDES = (
    'd2lrec', 'PyTorch eager', 'eager, fused Adam', 'compiled, fused Adam', 'DeepCTR-Torch',
    'd2l before',
)  # fmt: skip


def batches_of(name, rng, count):
    """Batches of inputs and labels, as NumPy arrays; of AutoRec (rows, what is known of them)."""
    made = []
    for _ in range(count):
        if name == 'AutoRec':
            known = rng.random((ROWS, USERS)) < 0.063
            rows = (known * rng.integers(1, 6, known.shape)).astype('float32')
            made.append(([rows], rows))
        elif name == 'MF':
            users, items = rng.integers(0, USERS, BATCH), rng.integers(0, ITEMS, BATCH)
            made.append(([users, items], rng.integers(1, 6, BATCH).astype('float32')))
        else:
            first = np.cumsum(FIELD_DIMS) - FIELD_DIMS
            x = [first + rng.integers(0, FIELD_DIMS, (BATCH, F))]
            if name == 'DLRM':
                x.append(rng.normal(size=(BATCH, DENSE)).astype('float32'))
            made.append((x, rng.integers(0, 2, (BATCH, 1)).astype('float32')))
    return made


def pairs(net, peer):
    """Each of our parameters with that of the peer."""
    return zip(net.collect_params().values(), peer.parameters(), strict=True)


def copy_weights(net, peer, rng, scale):
    """Give both the same random weights."""
    for mine, other in pairs(net, peer):
        value = rng.normal(scale=scale, size=mine.shape).astype('float32')
        mine.set_data(mx.np.array(value))
        other.data = torch.tensor(value).reshape(other.shape)


def check_gradients(net, peer, rows):
    """After a step from the same weights; ours are sums over the batch."""
    for mine, other in pairs(net, peer):
        grad, others = _dense(mine.grad()) / rows, other.grad.numpy().reshape(mine.shape)
        # A unit at 0 is on here and off there, by rounding: so a few numbers may differ.
        far = (abs(grad - others) > 1e-4 * abs(others).max()).mean()
        if far > 1e-4:
            sys.exit(
                f'{type(net).__name__}: the gradients of {mine.name} differ, but both sides '
                'should compute the same: correct the model here or there.'
            )


def _dense(grad):
    return (grad.tostype('default') if grad.stype != 'default' else grad).asnumpy()


# The sides: each returns a function that takes so many steps and returns the first's loss.


def masked_square(prediction, rating):
    """Of the known ratings alone, which are not 0: half the squared errors, a mean a row."""
    return 0.5 * (prediction - rating) ** 2 * (rating != 0)


def ours(name, net, batches, hybridize=True, optimizer=None):
    if hybridize:
        net.hybridize(static_alloc=True, static_shape=True)
    log_loss = gluon.loss.SigmoidBinaryCrossEntropyLoss(from_sigmoid=not hybridize)
    log_loss = in_one_pass(net, log_loss)  # as `fit` does
    square = in_one_pass(net, gluon.loss.L2Loss())
    known = [(y != 0).astype('float32') for _, y in batches]
    for loss in (log_loss, square):
        if isinstance(loss, gluon.loss.Loss):
            loss.hybridize()
    optimizer = optimizer or d2l.Adam(learning_rate=0.001)  # as `fit` makes of 'adam'
    trainer = gluon.Trainer(net.collect_params(), optimizer)
    batches = [
        ([mx.np.array(x, dtype='int32' if x.dtype.kind == 'i' else None) for x in xs],
         mx.np.array(y), mx.np.array(k))
        for (xs, y), k in zip(batches, known)
    ]  # fmt: skip

    def steps(count):
        losses = []
        for xs, y, k in batches[:count]:
            with autograd.record():
                if name == 'AutoRec':
                    losses.append(square(net.for_known(*xs, k) if hybridize else net(*xs), y, k))
                elif name == 'MF':
                    losses.append(square(net(*xs), y))
                else:
                    losses.append(log_loss(net(*xs), y))
            losses[-1].backward()
            trainer.step(len(y))
        npx.waitall()
        return losses[0].mean().item()

    return steps


def theirs(name, net, batches, fused=False, compiled=False, columns=False):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, **({'fused': True} if fused else {}))
    batches = [([torch.tensor(x) for x in xs], torch.tensor(y)) for xs, y in batches]
    if columns:  # DeepCTR-Torch counts ids from 0 in each field, and gives probabilities
        first = torch.tensor(np.cumsum(FIELD_DIMS) - FIELD_DIMS)
        batches = [([(x - first).float()], y) for (x,), y in batches]
    log_loss = nn.BCELoss() if columns else nn.BCEWithLogitsLoss()

    def loss_of(xs, y):
        if name == 'AutoRec':
            return masked_square(net(*xs), y).mean()
        if name == 'MF':
            return 0.5 * ((net(*xs) - y) ** 2).mean()
        return log_loss(net(*xs), y)

    if compiled:
        torch.compiler.reset()  # after eight models it would compile no other
        loss_of = torch.compile(loss_of, dynamic=False)

    def steps(count):
        losses = []
        for xs, y in batches[:count]:
            optimizer.zero_grad()
            losses.append(loss_of(xs, y))
            losses[-1].backward()
            optimizer.step()
        return losses[0].item()

    return steps


def measure(name, blocks, compile_it):
    """{side: (time of a step, processor time of a step)} in ms, medians; and the step's `work`."""
    build, module, old = MODELS[name]
    rng = np.random.default_rng(0)
    batches = batches_of(name, rng, 20)
    net, peer = build(), module()
    net.initialize()
    # Small weights would have all pairs switch AFM's units on alike: the gradient would be nothing.
    copy_weights(net, peer, rng, 0.5 if name == 'AFM' else 0.1)
    sides = {OURS: ours(name, net, batches), EAGER: theirs(name, peer, batches)}
    first, second = [steps(1) for steps in sides.values()]
    if abs(first - second) > 1e-5 * max(1, abs(second)):
        sys.exit(
            f'{name}: the losses are {first} and {second}, but both sides should compute '
            'the same: correct the model here or there.'
        )
    check_gradients(net, peer, len(batches[0][1]))
    sides[FUSED] = theirs(name, peer, batches, fused=True)
    if compile_it:
        sides[COMPILED] = theirs(name, peer, batches, fused=True, compiled=True)
    foreign = deepctr(name)
    if foreign is not None:
        foreign.train()
        sides[CTR] = theirs(name, foreign, batches, columns=True)
    if old is not None:
        net = old()
        net.initialize(mx.init.Normal(0.01))
        sides[OLD] = ours(name, net, batches, hybridize=False, optimizer=mx.optimizer.Adam())
    counts, times = {}, {side: [] for side in sides}
    for side, steps in sides.items():
        steps(2)
        start = time.perf_counter()
        steps(2)
        counts[side] = max(1, min(20, int(0.1 / (time.perf_counter() - start))))
    for _ in range(blocks):
        for side, steps in sides.items():
            start = time.perf_counter(), time.process_time()
            steps(counts[side])
            wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
            times[side].append((wall / counts[side], cpu / counts[side]))
    medians = {
        side: [1000 * statistics.median(column) for column in zip(*taken)]
        for side, taken in times.items()
    }
    return medians, work(name, batches)


def work(name, batches):
    """What a step cannot do without: multiply-adds, and bytes of weights and of rows looked up.

    Forward and twice as much back; Adam reads a weight, two moments and a gradient and writes three
    of them, seven numbers; a row is read, written to the batch, and the same with its gradient.
    """
    net = MODELS[name][0]()
    whole, rows = net.describe().loc['total'], len(batches[0][1])
    products, weights, looked_up = 3 * rows * whole.multiply_adds, whole.parameters, 0
    ids = [x for x in batches[0][0] if x.dtype.kind == 'i']
    if name == 'AutoRec':  # both products are needed where a rating is known
        products *= (batches[0][1] != 0).mean()
    if name == 'FFM':  # trained by rows
        weights *= len(np.unique(ids[0])) / V
    for x in ids:
        looked_up += x.size * (WIDTH if name == 'FFM' else K + 1)
    return float(products), 4.0 * (7 * weights + 5 * looked_up)


def machine():
    """What the core gives in this run: products of matrices, copies of memory and of the cache."""
    x = mx.np.random.normal(size=(2048, 416))
    w = mx.np.random.normal(size=(416, 416))
    big, small = np.ones(2**24, 'float32'), np.ones(2**21, 'float32')
    rates = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(10):
            y = npx.fully_connected(x, w, num_hidden=416, no_bias=True)
        y.wait_to_read()
        npx.waitall()
        gemm = 10 * 2 * 2048 * 416 * 416 / (time.process_time() - start) / 1e9
        start = time.process_time()
        copied = big.copy()
        memory = 2 * copied.nbytes / (time.process_time() - start) / 1e9
        other = small.copy()
        start = time.process_time()
        for _ in range(20):
            np.copyto(other, small)
        cache = 40 * small.nbytes / (time.process_time() - start) / 1e9
        rates.append((gemm, memory, cache))
    return [statistics.median(column) for column in zip(*rates)]


def table(folder):
    """The table of all models that the folder has times of."""
    found = {}
    for path in sorted(Path(folder).glob('*.json')):
        found.update(json.loads(path.read_text()))
    lines = [
        '| model | d2lrec, ms | eager | eager, fused Adam | compiled, fused Adam | DeepCTR-Torch '
        "| d2l before | best of PyTorch's three ÷ d2lrec | the same, by the time that passed "
        '| floor, ms | d2lrec ÷ floor |',
        '|---|---|---|---|---|---|---|---|---|---|---|',
    ]
    for name in MODELS:
        if name not in found:
            continue
        times = found[name]['times']
        cells = [f'{times[OURS][1]:.1f}']
        for side in SIDES[1:]:
            ratio = times[side][1] / times[OURS][1] if side in times else None
            cells.append('–' if ratio is None else f'{ratio:.2f}')
        peers = [side for side in (EAGER, FUSED, COMPILED) if side in times]
        for clock in (1, 0):
            cells.append(f'{min(times[s][clock] for s in peers) / times[OURS][clock]:.2f}')
        (products, moved), (gemm, _, cache) = found[name]['work'], found[name]['machine']
        floor = 2e-6 * products / gemm + 1e-6 * moved / cache
        cells += [f'{floor:.2f}', f'{times[OURS][1] / floor:.1f}']
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    if found:
        gemm, memory, cache = [
            statistics.median(column) for column in zip(*[f['machine'] for f in found.values()])
        ]
        lines += [
            '',
            f'In the same runs the core did {gemm:.0f} GFLOP/s in a product of matrices '
            f'(2,048 × 416 × 416, oneDNN) and copied {memory:.1f} GB/s of 64 MB and {cache:.1f} '
            'GB/s of 8 MB, read and write together. The floor is the multiply-adds of a step at '
            'the first of these rates, and the bytes of its weights and rows at the last.',
        ]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('models', nargs='*', help=f'of {", ".join(MODELS)}')
    parser.add_argument('--into', default='_build/steps', help='folder for the times')
    parser.add_argument('--blocks', type=int, default=9)
    parser.add_argument('--no-compile', action='store_true', help='leave torch.compile out')
    parser.add_argument('--table', metavar='FOLDER', help='print the table of a folder')
    args = parser.parse_args()
    if args.table:
        put_out(table(args.table))
        return
    warnings.simplefilter('ignore')
    folder = Path(args.into)
    folder.mkdir(parents=True, exist_ok=True)
    for name in args.models or MODELS:
        path = folder / f'{name.replace(" ", "")}.json'
        if path.exists() and not args.models:
            continue
        times, needs = measure(name, args.blocks, not args.no_compile)
        facts = {'times': times, 'work': needs, 'machine': machine(), 'threads': THREADS}
        facts['versions'] = [mx.__version__, torch.__version__, platform.machine()]
        path.write_text(json.dumps({name: facts}))
        print(name, {side: [round(t, 2) for t in both] for side, both in times.items()}, flush=True)


if __name__ == '__main__':
    main()
