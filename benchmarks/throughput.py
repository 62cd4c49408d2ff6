"""Rows a second, end to end: d2lrec beside the original chapters' code and PyTorch.

    _build/parity/bin/python benchmarks/throughput.py --into benchmarks/results/throughput.md

needs the environment of steps.py. Without PyTorch, `python benchmarks/throughput.py` compares
d2lrec with the original alone.

**Training.** 15,000 planted rows of 34 fields. All sides build DeepFM (K = 10, MLP [30, 20, 10],
dropout .1, Adam, batch 2,048) and run epochs that shuffle, train, and measure a test pass. The
original side is `d2l.mxnet` as it is installed, with four changes without which it does not run or
cannot be compared: devices are given (its default is empty without a GPU), `last_batch` is 'keep',
the progress is printed once instead of animated (its figure would be most of the time), and rows
are read without worker processes, or with the four that its chapters have. PyTorch's loop is
written by hand: tensors in memory, a drawn order, rows picked by it; its test pass gives d2lrec's
measures by d2lrec's functions.

**Prediction.** 1,000,000 rows of 26 fields, K = 16, MLP [64, 32], 100,000 ids, from ids in memory
to probabilities; PyTorch in batches of 4,096, under `torch.inference_mode`.

Sides run in turn in one process, after a run of each that warms up (and compiles, which is left
out). The tables give medians of processor time, which other programs disturb less than the time
that passed.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import functools
import importlib.util
import platform
import statistics
import tempfile
import time
import warnings

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import gluon, init, npx
from mxnet.gluon import nn
from tables import put_out

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

BATCH, EPOCHS = 2048, 3
K, MLP_DIMS, DROPOUT, RATE = 10, [30, 20, 10], 0.1, 0.01
MANY, FIELDS, WIDE_K, WIDE_DIMS, AT_ONCE = 1_000_000, 26, 16, [64, 32], 4096


class OriginalDeepFM(nn.Block):
    """Two look-ups, reductions over axes, a sigmoid at the end: as readers had it."""

    def __init__(self, field_dims, num_factors, mlp_dims, drop_rate=0.1):
        super().__init__()
        num_inputs = int(sum(field_dims))
        self.embedding = nn.Embedding(num_inputs, num_factors)
        self.fc = nn.Embedding(num_inputs, 1)
        self.linear_layer = nn.Dense(1)
        self.width = len(field_dims) * num_factors
        self.mlp = nn.Sequential()
        for dim in mlp_dims:
            self.mlp.add(nn.Dense(dim, 'relu'), nn.Dropout(drop_rate))
        self.mlp.add(nn.Dense(1))

    def forward(self, x):
        e = self.embedding(x)
        pairs = mx.np.sum(e, axis=1) ** 2 - mx.np.sum(e**2, axis=1)
        return npx.sigmoid(
            self.linear_layer(self.fc(x).sum(1))
            + 0.5 * pairs.sum(1, keepdims=True)
            + self.mlp(mx.np.reshape(e, (-1, self.width)))
        )


def original(data, path, workers=0):
    from d2l import mxnet as theirs

    rows = theirs.CTRDataset(path)
    theirs.Animator = lambda **_: type('Quiet', (), {'add': lambda *_: None})()

    def run(epochs):
        loaders = [
            gluon.data.DataLoader(
                rows, BATCH, shuffle=shuffle, last_batch='keep', num_workers=workers
            )
            for shuffle in (True, False)
        ]
        net = OriginalDeepFM(rows.field_dims, K, MLP_DIMS, DROPOUT)
        net.initialize(init.Xavier(), ctx=[mx.cpu()])
        trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': RATE})
        loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
        theirs.train_ch13(net, *loaders, loss, trainer, epochs, [mx.cpu()])

    return run


def ours(data, path):
    def run(epochs):
        net = d2l.DeepFM(data.field_dims, K, MLP_DIMS, DROPOUT)
        d2l.fit(net, data, test=data, lr=RATE, batch_size=BATCH, num_epochs=epochs)

    return run


def torch_deepfm(features, width, dims, fields, drop_rate=0.0):
    class DeepFM(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Embedding(features, 1)
            self.bias = torch.nn.Parameter(torch.zeros(1))
            self.embedding = torch.nn.Embedding(features, width)
            parts, before = [], fields * width
            for dim in dims:
                parts += [torch.nn.Linear(before, dim), torch.nn.ReLU()]
                parts += [torch.nn.Dropout(drop_rate)] if drop_rate else []
                before = dim
            self.mlp = torch.nn.Sequential(*parts, torch.nn.Linear(before, 1))
            torch.nn.init.normal_(self.embedding.weight, std=0.01)
            torch.nn.init.zeros_(self.linear.weight)

        def forward(self, x):
            e = self.embedding(x)
            pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
            return self.linear(x).sum(1) + self.bias + pairs + self.mlp(e.flatten(1))

    return DeepFM()


def by_hand(compiled):
    def side(data, path):
        ids = torch.from_numpy(data.features.astype('int64'))
        labels = torch.from_numpy(data.labels)[:, None]
        loss_of = torch.nn.functional.binary_cross_entropy_with_logits
        net = torch_deepfm(int(sum(data.field_dims)), K, MLP_DIMS, len(data.field_dims), DROPOUT)
        call = torch.compile(net, dynamic=False) if compiled else net
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=compiled or None)

        def run(epochs):
            for _ in range(epochs):
                net.train()
                order, total, right = torch.randperm(len(ids)), 0.0, 0
                for start in range(0, len(ids), BATCH):
                    rows = order[start : start + BATCH]
                    x, y = ids[rows], labels[rows]
                    optimizer.zero_grad()
                    out = call(x)
                    loss = loss_of(out, y)
                    loss.backward()
                    optimizer.step()
                    total += loss.item() * len(y)
                    right += int(((out > 0) == (y > 0.5)).sum())
                net.eval()
                with torch.no_grad():
                    outs = [call(ids[s : s + BATCH]) for s in range(0, len(ids), BATCH)]
                d2l.metrics.ctr_report(data.labels, d2l.metrics.sigmoid(torch.cat(outs).numpy()))

        return run

    return side


def deepctr(data, path):
    from deepctr_torch.inputs import SparseFeat
    from deepctr_torch.models import DeepFM

    names = [f'f{f}' for f in range(len(data.field_dims))]
    within = data.features - np.asarray(data.vocabulary.offsets)
    frame = pd.DataFrame(within, columns=names)
    columns = [SparseFeat(name, dim, embedding_dim=K) for name, dim in zip(names, data.field_dims)]
    inputs = {name: frame[name].to_numpy() for name in names}

    def run(epochs):
        net = DeepFM(
            columns, columns, dnn_hidden_units=MLP_DIMS, dnn_dropout=DROPOUT, l2_reg_linear=0,
            l2_reg_embedding=0, device='cpu',
        )  # fmt: skip
        net.compile('adam', 'binary_crossentropy', metrics=['auc', 'binary_crossentropy', 'acc'])
        net.fit(
            inputs, data.labels, batch_size=BATCH, epochs=epochs, verbose=0,
            validation_data=(inputs, data.labels),
        )  # fmt: skip

    return run


def timed(run, *args):
    """Processor time, of processes that ended meanwhile too, and the time that passed, in s."""
    start = _processor(), time.perf_counter()
    run(*args)
    return _processor() - start[0], time.perf_counter() - start[1]


def _processor():
    return time.process_time() + sum(os.times()[2:4])  # the latter of processes that ended


def in_turn(sides, repeats, unit):
    """Rows a second of processor time, and of the time that passed, of each side."""
    found = {name: [] for name in sides}
    for turn in range(repeats + 1):  # the first warms up
        for name, run in sides.items():
            few = name.startswith('original')  # whose epoch takes as long as all others together
            if few and not turn:
                continue
            epochs = 1 if few or not turn else EPOCHS
            seconds = timed(run, epochs)
            if turn:
                found[name].append([unit * epochs / s for s in seconds])
    return {name: [statistics.median(c) for c in zip(*runs)] for name, runs in found.items()}


def has(name):
    return importlib.util.find_spec(name) is not None


def training(path, repeats):
    """{side: rows a second} of epochs."""
    data = d2l.CTRDataset(path)
    kinds = {'d2lrec': ours}
    if has('d2l'):
        kinds['original'] = original
        kinds['original, 4 workers'] = functools.partial(original, workers=4)
    if torch is not None:
        kinds.update({'PyTorch eager': by_hand(False), 'PyTorch compiled': by_hand(True)})
    if has('deepctr_torch'):
        kinds['DeepCTR-Torch'] = deepctr
    sides = {name: side(data, path) for name, side in kinds.items()}
    return len(data), int(sum(data.field_dims)), in_turn(sides, repeats, len(data))


def predicting(repeats):
    """{side: rows a second} of prediction; all give the same."""
    dims = [100_000 // FIELDS] * FIELDS
    net = d2l.DeepFM(dims, WIDE_K, WIDE_DIMS, 0)
    d2l.set_seed(0)
    net.initialize()
    for parameter in net.collect_params().values():
        parameter.set_data(mx.np.random.normal(scale=0.1, size=parameter.shape))
    net.hybridize(static_alloc=True, static_shape=True)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, dims, size=(MANY, FIELDS)) + np.cumsum([0, *dims[:-1]])
    ids, outs = ids.astype(np.int32), {}

    def keep(name, call):
        def run(epochs):
            outs[name] = call()

        return run

    sides = {'d2lrec': keep('d2lrec', lambda: d2l.predict(net, ids))}
    if torch is not None:
        peer = torch_deepfm(sum(dims), WIDE_K, WIDE_DIMS, FIELDS).eval()
        mine = net._collect_params_with_prefix()
        weights = {
            'linear.weight': 'linear.weight', 'linear.bias': 'bias',
            'embedding.weight': 'embedding.weight',
        }  # fmt: skip
        for i, path in enumerate(['hidden.0', 'hidden.2', 'output']):
            weights.update({f'mlp.{path}.{n}': f'mlp.{2 * i}.{n}' for n in ('weight', 'bias')})
        state = {
            theirs: torch.from_numpy(mine[n].data().asnumpy()) for n, theirs in weights.items()
        }
        peer.load_state_dict(state)
        compiled, whole = torch.compile(peer, dynamic=False), torch.from_numpy(ids)

        def by(call):
            def predict():
                with torch.inference_mode():
                    parts = [whole[s : s + AT_ONCE].long() for s in range(0, MANY, AT_ONCE)]
                    return torch.cat([torch.sigmoid(call(x)) for x in parts]).numpy()[:, 0]

            return predict

        sides['PyTorch eager'] = keep('PyTorch eager', by(peer))
        sides['PyTorch compiled'] = keep('PyTorch compiled', by(compiled))
    speeds = in_turn({n: lambda _, r=r: r(1) for n, r in sides.items()}, repeats, MANY / EPOCHS)
    for name, out in outs.items():
        if np.abs(out - outs['d2lrec']).max() > 1e-5:
            raise SystemExit(f'{name} does not compute what d2lrec does.')
    return speeds


def rows_of(speeds):
    base = speeds['d2lrec']
    lines = ['| | rows / s, processor | rows / s, passed | d2lrec / it, processor | passed |']
    lines.append('|---|---|---|---|---|')
    for name, (cpu, wall) in speeds.items():
        ratios = f'{base[0] / cpu:.2f} | {base[1] / wall:.2f}'
        lines.append(f'| {name} | {cpu:,.0f} | {wall:,.0f} | {ratios} |')
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file', nargs='?', help='label first, tab-separated, 34 fields')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--into', help='a file, instead of standard output')
    parser.add_argument('--only', choices=['training', 'prediction'])
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    lines = []
    if args.only != 'prediction':
        with tempfile.TemporaryDirectory() as folder:
            path = args.file
            if path is None:
                path = os.path.join(folder, 'train.csv')
                d2l.planted(15_000, [2_000] * 34, rate=0.22, seed=0).write(path)
            rows, ids, speeds = training(path, args.repeats)
        lines += [f'Training, {rows:,} rows x 34 fields, {ids:,} ids.', '', *rows_of(speeds), '']
    if args.only != 'training':
        speeds = predicting(args.repeats)
        lines += [f'Prediction, {MANY:,} rows x {FIELDS} fields.', '', *rows_of(speeds), '']
    versions = f'MXNet {mx.__version__}, NumPy {np.__version__}'
    versions += f', torch {torch.__version__}' if torch is not None else ''
    versions += ', with numba' if has('numba') else ', without numba'
    lines += [f'{versions}; one thread of a {os.cpu_count()}-core {platform.machine()} CPU.']
    put_out(lines, args.into)


if __name__ == '__main__':
    main()
