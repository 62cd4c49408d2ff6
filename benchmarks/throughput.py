"""Rows per second of training, end to end: d2lrec beside the code of the original chapters.

    python benchmarks/throughput.py [FILE]

FILE is a label-first, tab-separated file of 34 fields; without one, 15,000 planted rows of that
layout are used. Both sides read the same file, build DeepFM (K = 10, MLP [30, 20, 10], Adam,
batch 2,048), and run epochs that shuffle, train, and measure a test pass; reading and encoding
the file is timed apart. The original side is `d2l.mxnet` as it is installed, with three changes
without which it does not run or cannot be compared: devices are given (its default is empty
without a GPU), `last_batch` is 'keep', and the progress is printed once instead of animated
(its figure would be most of the time). Runs alternate; the table gives medians.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import statistics
import tempfile
import time
import warnings

import d2lrec as d2l

import mxnet as mx
from d2l import mxnet as original
from mxnet import gluon, init, npx
from mxnet.gluon import nn

BATCH, EPOCHS = 2048, 3


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


def run_original(path):
    start = time.time()
    data = original.CTRDataset(path)
    read = time.time() - start
    loaders = [
        gluon.data.DataLoader(data, shuffle=shuffle, last_batch='keep', batch_size=BATCH)
        for shuffle in (True, False)
    ]
    devices = [mx.cpu()]
    net = OriginalDeepFM(data.field_dims, 10, [30, 20, 10])
    net.initialize(init.Xavier(), ctx=devices)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
    original.Animator = lambda **_: type('Quiet', (), {'add': lambda *_: None})()
    start = time.time()
    original.train_ch13(
        net, *loaders, gluon.loss.SigmoidBinaryCrossEntropyLoss(), trainer, EPOCHS, devices
    )
    return read, (time.time() - start) / EPOCHS, len(data)


def run_ours(path):
    start = time.time()
    data = d2l.CTRDataset(path)
    read = time.time() - start
    loaders = [
        d2l.BatchLoader(data, batch_size=BATCH, shuffle=shuffle, seed=0)
        for shuffle in (True, False)
    ]
    net = d2l.DeepFM(data.field_dims, 10, [30, 20, 10])
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
    start = time.time()
    d2l.train_ch13(
        net, *loaders, gluon.loss.SigmoidBinaryCrossEntropyLoss(), trainer, EPOCHS, verbose=False
    )
    return read, (time.time() - start) / EPOCHS, len(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file', nargs='?')
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as folder:
        path = args.file
        if path is None:
            path = os.path.join(folder, 'train.csv')
            d2l.planted(15_000, [2_000] * 34, rate=0.22, seed=0).write(path)
        runs = {'original': [], 'd2lrec': []}
        for _ in range(args.repeats):
            runs['original'].append(run_original(path))
            runs['d2lrec'].append(run_ours(path))
    rows = runs['d2lrec'][0][2]
    speed = {
        name: [rows / statistics.median(column) for column in list(zip(*results))[:2]]
        for name, results in runs.items()
    }
    print(f'{rows:,} rows x 34 fields, {args.repeats} alternating runs, medians, rows/s')
    print('| | read and encode | an epoch: shuffle, train, test pass |\n|---|---|---|')
    for name, values in speed.items():
        print(f'| {name} | ' + ' | '.join(f'{v:,.0f}' for v in values) + ' |')
    print(
        '| ratio | '
        + ' | '.join(f'{a / b:.1f}' for a, b in zip(speed['d2lrec'], speed['original']))
        + ' |'
    )


if __name__ == '__main__':
    main()
