"""Time of one training step: d2lrec beside the same models as plain PyTorch modules.

    python3.11 -m venv _build/parity
    _build/parity/bin/pip install -r benchmarks/requirements-parity.txt -e .
    _build/parity/bin/python benchmarks/steps.py > benchmarks/results/steps.md

A step is the forward pass, the log loss, the backward pass and Adam, on a batch that is already
in memory. Both sides use dense gradients, no dropout, and one thread; d2lrec is hybridized as the
chapters do it, PyTorch runs eagerly. Each model's two sides run in turn, a block of steps at a
time, and the table gives medians over the blocks: of the time that passed, and of the processor
time, which other programs disturb less. Both start from the same weights, and it ends with an
error where their first losses or gradients differ: so both compute the same function.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import platform
import statistics
import sys
import time

import d2lrec as d2l

import mxnet
import mxnet as mx
import numpy as np
import torch
from mxnet import autograd, gluon, npx
from torch import nn

npx.set_np()
torch.set_num_threads(1)

FIELD_DIMS, K, MLP_DIMS, CIN_DIMS, BATCH = [2_000] * 34, 10, [30, 20, 10], [16, 16], 2048
WIDTH = len(FIELD_DIMS) * K


# The models in PyTorch: ids (B, F) -> logits (B, 1). Parameters come in d2lrec's order.


def mlp():
    parts, width = [], WIDTH
    for dim in MLP_DIMS:
        parts += [nn.Linear(width, dim), nn.ReLU()]
        width = dim
    return nn.Sequential(*parts, nn.Linear(width, 1))


class LR(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(sum(FIELD_DIMS), 1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return nn.functional.embedding(x, self.weight).sum(1) + self.bias


def pairwise(e):
    return 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)


class FM(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = LR(), nn.Embedding(sum(FIELD_DIMS), K)

    def forward(self, x):
        return self.linear(x) + pairwise(self.embedding(x))


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding, self.mlp = LR(), nn.Embedding(sum(FIELD_DIMS), K), mlp()

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


class DCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.cross = nn.Embedding(sum(FIELD_DIMS), K), CrossNetwork()
        self.output, self.mlp = nn.Linear(WIDTH, 1, bias=False), mlp()

    def forward(self, x):
        e = self.embedding(x).flatten(1)
        return self.output(self.cross(e)) + self.mlp(e)


class CIN(nn.Module):
    """As ours, one inner product a layer: einsum and a convolution take twice as long."""

    def __init__(self):
        super().__init__()
        self.maps, fed = nn.ModuleList(), len(FIELD_DIMS)
        for dim in CIN_DIMS:
            self.maps.append(nn.Linear(fed * len(FIELD_DIMS), dim, bias=False))
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
        self.linear, self.embedding, self.cin = LR(), nn.Embedding(sum(FIELD_DIMS), K), CIN()
        kept = sum(CIN_DIMS[:-1]) // 2 + CIN_DIMS[-1]
        self.output, self.mlp = nn.Linear(kept, 1, bias=False), mlp()

    def forward(self, x):
        e = self.embedding(x)
        return self.linear(x) + self.output(self.cin(e)) + self.mlp(e.flatten(1))


MODELS = {
    'LR': (lambda: d2l.LR(FIELD_DIMS), LR),
    'FM': (lambda: d2l.FM(FIELD_DIMS, K), FM),
    'DeepFM': (lambda: d2l.DeepFM(FIELD_DIMS, K, MLP_DIMS, 0.0), DeepFM),
    'Wide & Deep': (lambda: d2l.WideDeep(FIELD_DIMS, K, MLP_DIMS), WideDeep),
    'DCN': (lambda: d2l.DCN(FIELD_DIMS, K, MLP_DIMS, 0.0), DCN),
    'xDeepFM': (lambda: d2l.XDeepFM(FIELD_DIMS, K, MLP_DIMS, 0.0, cin_dims=CIN_DIMS), XDeepFM),
}


def pairs(net, peer):
    """Each of our parameters with that of the peer."""
    return zip(net.collect_params().values(), peer.parameters(), strict=True)


def copy_weights(net, peer, rng):
    """Give both the same random weights."""
    for mine, other in pairs(net, peer):
        value = rng.normal(scale=0.1, size=mine.shape).astype('float32')
        mine.set_data(mx.np.array(value))
        other.data = torch.tensor(value).reshape(other.shape)


def check_gradients(net, peer):
    """After a step from the same weights; ours are sums over the batch."""
    for mine, other in pairs(net, peer):
        grad, others = mine.grad().asnumpy() / BATCH, other.grad.numpy().reshape(mine.shape)
        if abs(grad - others).max() > 1e-4 * abs(others).max():
            sys.exit(
                f'{type(net).__name__}: the gradients of {mine.name} differ, but both sides '
                'should compute the same: correct the model here or there.'
            )


# The two sides: each returns a function that takes so many steps and returns the first's loss.


def ours(net, batches):
    net.hybridize(static_alloc=True, static_shape=True)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.001})
    batches = [(mx.np.array(x, dtype='int32'), mx.np.array(y)) for x, y in batches]

    def steps(count):
        losses = []
        for x, y in batches[:count]:
            with autograd.record():
                losses.append(loss(net(x), y))
            losses[-1].backward()
            trainer.step(BATCH)
        npx.waitall()
        return losses[0].mean().item()

    return steps


def theirs(net, batches):
    loss = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    batches = [(torch.tensor(x), torch.tensor(y)) for x, y in batches]

    def steps(count):
        losses = []
        for x, y in batches[:count]:
            optimizer.zero_grad()
            losses.append(loss(net(x), y))
            losses[-1].backward()
            optimizer.step()
        return losses[0].item()

    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--blocks', type=int, default=21)
    parser.add_argument('--steps', type=int, default=10, help='steps of a block')
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    offsets = np.cumsum(FIELD_DIMS) - FIELD_DIMS
    batches = [
        (
            offsets + rng.integers(0, FIELD_DIMS, (BATCH, len(FIELD_DIMS))),
            rng.integers(0, 2, (BATCH, 1)).astype('float32'),
        )
        for _ in range(args.steps)
    ]
    print(
        '# A training step beside PyTorch\n\n'
        f'`python benchmarks/steps.py`: Adam, batch {BATCH:,}, {len(FIELD_DIMS)} fields of '
        f'{FIELD_DIMS[0]:,} ids, K = {K}, MLP {MLP_DIMS},\n3 cross layers, CIN {CIN_DIMS}; '
        f'medians of {args.blocks} alternating blocks of {args.steps} steps.\nMXNet '
        f'{mxnet.__version__} hybridized, torch {torch.__version__} eager, one thread each; '
        f'{os.cpu_count()}-core {platform.machine()} CPU.\n\n'
        '| model | d2lrec, ms | PyTorch, ms | PyTorch / d2lrec '
        '| d2lrec, CPU ms | PyTorch, CPU ms | PyTorch / d2lrec |\n|---|---|---|---|---|---|---|'
    )
    for name, (build, module) in MODELS.items():
        net, peer = build(), module()
        net.initialize()
        copy_weights(net, peer, rng)
        sides, times = [ours(net, batches), theirs(peer, batches)], [[], []]
        first, second = [steps(1) for steps in sides]
        if abs(first - second) > 1e-5:
            sys.exit(
                f'{name}: the losses are {first} and {second}, but both sides should compute '
                'the same: correct the model here or there.'
            )
        check_gradients(net, peer)
        for steps in sides:
            steps(args.steps)  # to warm up
        for _ in range(args.blocks):
            for steps, taken in zip(sides, times):
                start = time.perf_counter(), time.process_time()
                steps(args.steps)
                taken.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        cells = []
        for clock in zip(*[zip(*taken) for taken in times]):
            mine, other = [1000 * statistics.median(t) / args.steps for t in clock]
            cells += [f'{mine:.1f}', f'{other:.1f}', f'{other / mine:.2f}']
        print(f'| {name} | {" | ".join(cells)} |', flush=True)
    print('\nOther programs shared the cores if the time that passed is far above the CPU time.')


if __name__ == '__main__':
    main()
