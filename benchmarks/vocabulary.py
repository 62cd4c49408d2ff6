"""Time and memory of FM's training step as the vocabulary grows, beside PyTorch's.

    python3.11 -m venv _build/parity
    _build/parity/bin/pip install -r benchmarks/requirements-parity.txt -e .[fast]
    _build/parity/bin/python benchmarks/vocabulary.py > benchmarks/results/vocabulary.md

Without PyTorch it prints d2lrec's own columns. Ids are drawn from Zipf distributions (s = 1.05)
whose order is shuffled, so that frequent ids lie anywhere in the table. A step is forward, log
loss, backward and optimizer on a batch in memory; the sides run in turn, a block of steps at a
time. The times are processor time, as other programs run beside, and medians of the blocks. Memory
is what the process holds more after the side was made and has trained, its compiled code included.
How a step grows has two causes, each with a column: a larger vocabulary has more distinct rows in
a batch ("in a table of these alone": the same ids, numbered anew in each batch), and memory takes
longer for rows that lie far apart ("alone": nothing but reading and writing them).
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import gc
import platform
import statistics
import time

import d2lrec as d2l
from d2lrec import kernels

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

try:
    import torch
except ImportError:
    torch = None

BATCH, FIELDS, K, ZIPF = 2048, 26, 16, 1.05


def batches_of(V, count, rng):
    """Batches of ids (B, F) below V, and labels (B, 1)."""
    total = np.cumsum(np.arange(1, V + 1.0) ** -ZIPF)
    place = rng.permutation(V).astype('int32')
    found = []
    for _ in range(count):
        drawn = np.searchsorted(total, rng.random((BATCH, FIELDS)) * total[-1])
        labels = rng.integers(0, 2, (BATCH, 1)).astype('float32')
        found.append((place[np.minimum(drawn, V - 1)], labels))
    return found


def ours(V, batches, rows, optimizer, numba=True):
    """A function that takes a block of steps with d2lrec."""
    net = d2l.FM([V - FIELDS + 1] + [1] * (FIELDS - 1), K)  # which ids are whose does not matter
    d2l.touch_rows(net, rows)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    loss.hybridize()
    trainer = gluon.Trainer(net.collect_params(), optimizer())
    batches = [(mx.np.array(x, dtype='int32'), mx.np.array(y)) for x, y in batches]
    found = kernels._numba, kernels._marking

    def block():
        if not numba:
            kernels._numba = kernels._marking = lambda: None
        for x, y in batches:
            with autograd.record():
                losses = loss(net(x), y)
            losses.backward()
            trainer.step(BATCH)
        mx.nd.waitall()
        kernels._numba, kernels._marking = found

    return block


def theirs(V, batches, sparse):
    """A function that takes a block of steps with PyTorch."""

    class FM(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Embedding(V, 1, sparse=sparse)
            self.embedding = torch.nn.Embedding(V, K, sparse=sparse)
            self.bias = torch.nn.Parameter(torch.zeros(1))
            with torch.no_grad():
                self.linear.weight.zero_()
                self.embedding.weight.mul_(0.01)

        def forward(self, x):
            e = self.embedding(x)
            pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
            return self.linear(x).sum(1) + self.bias + pairs

    net, loss = FM(), torch.nn.BCEWithLogitsLoss()
    tables = [net.linear.weight, net.embedding.weight]
    if sparse:
        optimizers = [torch.optim.SparseAdam(tables, 0.001), torch.optim.Adam([net.bias], 0.001)]
    else:
        optimizers = [torch.optim.Adam(net.parameters(), 0.001, fused=True)]
    batches = [(torch.tensor(x, dtype=torch.int64), torch.tensor(y)) for x, y in batches]

    def block():
        for x, y in batches:
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss(net(x), y).backward()
            for optimizer in optimizers:
                optimizer.step()

    return block


def packed(batches):
    """The same ids numbered anew in each batch, 0, 1, 2 ...: and how many that makes."""
    found = [(np.unique(x, return_inverse=True)[1].reshape(x.shape), y) for x, y in batches]
    return [(x.astype('int32'), y) for x, y in found], 1 + max(int(x.max()) for x, _ in found)


def fetched(V, batches):
    """A function that reads and writes the rows of each batch in a table and its moments, alone."""
    weight, first, second = (mx.nd.zeros((V, K)) for _ in range(3))
    kernels.large_pages(weight, first, second)
    rows = [np.unique(x).astype(np.int64) for x, _ in batches]
    grad = mx.nd.zeros((max(map(len, rows)), K))
    settings = [0.001, 1, 0, 0.9, 0.1, 0.999, 0.001, 1e-8]

    def block():
        for some in rows:
            kernels.step(kernels.copy, weight, [], grad, [], some, writes='grad')
            kernels.step(kernels.adam, weight, [first, second], grad, settings, some)
        mx.nd.waitall()

    return block


def held():
    """Megabytes that this process holds."""
    gc.collect()
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) / 1024


def main():
    """Print the table of the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sizes', type=float, nargs='+', default=[1e4, 1e5, 1e6, 1e7])
    parser.add_argument('--blocks', type=int, default=7)
    parser.add_argument('--steps', type=int, default=8, help='steps of a block')
    parser.add_argument('--dense', type=float, default=1e6, help='largest size trained dense')
    parser.add_argument('--optimizers', action='store_true', help='rows by each optimizer')
    args = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(1)
    rows_of = {'rows': (d2l.Adam, True), 'rows, no numba': (d2l.Adam, False)}
    if args.optimizers:
        made = {'SGD': d2l.SGD, 'AdaGrad': d2l.AdaGrad, 'FTRL': d2l.FTRL}
        rows_of = {f'rows, {name}': (make, True) for name, make in made.items()}
    print(
        f'`python benchmarks/vocabulary.py`: FM, {FIELDS} fields, K = {K}, batch {BATCH:,}, Adam '
        f'unless\nnamed, Zipf ids ({ZIPF}); processor time of a step in ms, medians of '
        f'{args.blocks} alternating blocks\nof {args.steps} steps, one thread; '
        f'{os.cpu_count()}-core {platform.machine()} CPU.\n'
    )
    head = True
    for V in (int(size) for size in args.sizes):
        batches = batches_of(V, args.steps, np.random.default_rng(0))
        sides = {f'd2lrec {name}': lambda o=o, n=n: ours(V, batches, True, o, n)
                 for name, (o, n) in rows_of.items()}  # fmt: skip
        if not args.optimizers:
            few, count = packed(batches)
            sides['d2lrec rows, in a table of these alone'] = lambda few=few, count=count: ours(
                count, few, True, d2l.Adam
            )
            sides['rows read, updated and written alone'] = lambda: fetched(V, batches)
            sides['d2lrec dense'] = lambda: ours(V, batches, False, d2l.Adam)
            if torch is not None:
                sides['torch SparseAdam'] = lambda: theirs(V, batches, True)
                sides['torch fused Adam'] = lambda: theirs(V, batches, False)
        blocks, memory = {}, {}
        for name, make in sides.items():
            if V > args.dense and ('dense' in name or 'fused' in name or 'no numba' in name):
                continue
            before = held()
            blocks[name] = make()
            blocks[name]()
            memory[name] = held() - before
        times = {name: [] for name in blocks}
        for _ in range(args.blocks):
            for name, block in blocks.items():
                start = time.process_time()
                block()
                times[name].append(1e3 * (time.process_time() - start) / args.steps)
        if head:
            print(
                '| rows | distinct in a batch | ' + ' | '.join(sides) + ' | weights and moments |'
            )
            print('|---' * (len(sides) + 3) + '|')
            head = False
        cells = [f'{V:,}', f'{len(np.unique(batches[0][0])):,}']
        for name in sides:
            cells.append(
                f'{statistics.median(times[name]):.1f} ({memory[name]:,.0f} MB)'
                if name in times else ''
            )  # fmt: skip
        print('| ' + ' | '.join(cells) + f' | {V * (K + 1) * 12 / 2**20:,.0f} MB |', flush=True)
        blocks.clear()
        gc.collect()


if __name__ == '__main__':
    main()
