"""Time of an optimizer's step a parameter, and Wide & Deep with FTRL and AdaGrad beside Adam.

    python benchmarks/optimizers.py > benchmarks/results/optimizers.md

needs numba for its columns (`pip install -e .[fast]`), and shows PyTorch's where it is installed.
Dense gradients, processor time, one thread, medians of blocks that the sides run in turn.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
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

SIZES, BLOCKS, STEPS = (1_700_000, 17_000_000), 5, 2
BATCH, FIELDS, IDS, K, MLP_DIMS = 2048, 26, 4_000, 16, [64, 32]
FOUND = kernels._numba


def medians(sides, blocks=BLOCKS, steps=STEPS):
    """Processor time of a step of each side, in seconds."""
    times = {name: [] for name in sides}
    for round_ in range(blocks + 1):  # the first warms up
        for name, block in sides.items():
            start = time.process_time()
            block(steps)
            if round_:
                times[name].append((time.process_time() - start) / steps)
    return {name: statistics.median(found) for name, found in times.items()}


def updates(optimizer, size, numba=True):
    """So many steps of an optimizer on one weight."""
    rng = np.random.default_rng(0)
    weight, grad = (mx.nd.array(rng.normal(size=size), dtype='float32') for _ in range(2))
    state = optimizer.create_state(0, weight)

    def block(steps):
        kernels._numba = FOUND if numba else lambda: None
        for _ in range(steps):
            optimizer.update(0, weight, grad, state)
        mx.nd.waitall()
        kernels._numba = FOUND

    return block


def in_torch(make, size):
    """The same in PyTorch."""
    weight = torch.nn.Parameter(torch.randn(size))
    weight.grad = torch.randn(size)
    optimizer = make([weight])

    def block(steps):
        for _ in range(steps):
            optimizer.step()

    return block


def wide_deep(trainers, numba=True):
    """So many steps of Wide & Deep."""
    net = d2l.WideDeep([IDS] * FIELDS, K, MLP_DIMS)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    trainers = trainers(net)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, IDS, (BATCH, FIELDS)) + np.arange(FIELDS) * IDS
    x = mx.np.array(ids, dtype='int32')
    y = mx.np.array(rng.integers(0, 2, (BATCH, 1)), dtype='float32')

    def block(steps):
        kernels._numba = FOUND if numba else lambda: None
        for _ in range(steps):
            with autograd.record():
                losses = loss(net(x), y)
            losses.backward()
            for trainer in trainers:
                trainer.step(BATCH)
        mx.nd.waitall()
        kernels._numba = FOUND

    return block


def with_adam(optimizer):
    return lambda net: [gluon.Trainer(net.collect_params(), optimizer())]


def original(net):
    """The paper's optimizers as MXNet has them."""
    ftrl = mx.optimizer.Ftrl(learning_rate=0.1, lamda1=0.001, beta=1)
    adagrad = mx.optimizer.AdaGrad(learning_rate=0.01)
    return [gluon.Trainer(net.wide_params(), ftrl), gluon.Trainer(net.deep_params(), adagrad)]


def of_updates(blocks):
    """Nanoseconds a parameter of each optimizer."""
    print('Nanoseconds a parameter, dense gradient; d2lrec by NumPy, and by numba:\n')
    print('| optimizer | parameters | MXNet | NumPy | numba | torch | torch fused |')
    print('|---|---|---|---|---|---|---|')
    pairs = {
        'SGD': (mx.optimizer.SGD, d2l.SGD, 'SGD'),
        'Adam': (mx.optimizer.Adam, d2l.Adam, 'Adam'),
        'AdaGrad': (mx.optimizer.AdaGrad, d2l.AdaGrad, 'Adagrad'),
        'FTRL': (mx.optimizer.Ftrl, d2l.FTRL, None),
    }
    for name, (theirs, mine, peer) in pairs.items():
        for size in SIZES:
            sides = {
                'MXNet': updates(theirs(), size),
                'NumPy': updates(mine(), size, numba=False),
                'numba': updates(mine(), size),
            }
            if torch is not None and peer:
                make = getattr(torch.optim, peer)
                sides['torch'] = in_torch(lambda w: make(w, lr=0.01), size)
                sides['fused'] = in_torch(lambda w: make(w, lr=0.01, fused=True), size)
            found = medians(sides, blocks)
            names = 'MXNet', 'NumPy', 'numba', 'torch', 'fused'
            cells = [f'{1e9 * found[s] / size:.2f}' if s in found else '' for s in names]
            print(f'| {name} | {size:,} | ' + ' | '.join(cells) + ' |', flush=True)


def of_wide_deep(blocks):
    """Milliseconds of a step with each pair of optimizers."""
    print(f'A step of Wide & Deep, {FIELDS} fields of {IDS:,} ids, K = {K}, MLP {MLP_DIMS},')
    print(f'batch {BATCH:,}:\n')
    sides = {
        "Adam, MXNet's": wide_deep(with_adam(mx.optimizer.Adam)),
        'Adam, numba': wide_deep(with_adam(d2l.Adam)),
        "FTRL and AdaGrad, MXNet's": wide_deep(original),
        'FTRL and AdaGrad, NumPy': wide_deep(d2l.wide_deep_trainers, numba=False),
        'FTRL and AdaGrad, numba': wide_deep(d2l.wide_deep_trainers),
    }
    found = medians(sides, blocks, steps=5)
    print("| optimizers | ms | / Adam, MXNet's | / Adam, numba |\n|---|---|---|---|")
    for name, seconds in found.items():
        one, two = (seconds / found[base] for base in ("Adam, MXNet's", 'Adam, numba'))
        print(f'| {name} | {1e3 * seconds:.1f} | {one:.2f} | {two:.2f} |')


def main():
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--blocks', type=int, default=BLOCKS)
    parser.add_argument('--part', choices=('updates', 'wide_deep'), help='by default both')
    args = parser.parse_args()
    versions = f'MXNet {mx.__version__}'
    versions += f', torch {torch.__version__}' if torch is not None else ''
    print('# Steps of the optimizers\n')
    print(f'`python benchmarks/optimizers.py`: {versions}; {os.cpu_count()}-core')
    print(f'{platform.machine()} CPU, one thread, processor time, medians of {args.blocks} ')
    print('alternating blocks.\n')
    for name, print_table in (('updates', of_updates), ('wide_deep', of_wide_deep)):
        if args.part in (None, name):
            print_table(args.blocks)
            print()


if __name__ == '__main__':
    main()
