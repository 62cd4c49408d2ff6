"""The chapters' click models under one protocol on MovieLens-100K; prints Markdown tables.

    OMP_NUM_THREADS=1 python benchmarks/clicks_ml100k.py [NAME ...] [--trials 8] [--seeds 3]
    OMP_NUM_THREADS=1 python benchmarks/clicks_ml100k.py --vary DeepFM

Every model gets the same budget: `--trials` settings of learning rate, weight decay and, where it
has hidden layers, dropout, drawn by `d2l.random_search` and judged by the validation log loss of
one run each. The best is run with `--seeds` seeds, and only these runs see the test part. K is 8
and the hidden layers are [64, 64] throughout ([64, 32, 16] in Wide & Deep), with Xavier's
initial weights. The difference from an FM of user and item alone is
taken seed by seed; its 95 % interval resamples users with all their rows (500 draws).

`--vary` starts from the setting that the search found and changes one thing at a time; it looks
at validation only.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')  # before MXNet is imported

import argparse
import time

import d2lrec as d2l

import numpy as np
from mxnet import init

K, HIDDEN, DRAWS = 8, [64, 64], 500
EPOCHS, PATIENCE = 12, 2
SPACE = {'lr': (0.003, 0.03), 'wd': (1e-5, 1e-3)}
DROPS = [0.0, 0.2, 0.5]
REFERENCE = 'FM, user and item only'


class Data:
    """The views of MovieLens-100K that the models read."""

    def __init__(self):
        data = d2l.load_ml100k_ctr()
        self.all = data.train, data.valid, data.test
        self.dims = [int(d) for d in data.train.field_dims]
        self.users = data.test.features[:, 0]
        self.two, self.nine = (
            [(part.features[:, :n], part.labels) for part in self.all] for n in (2, 9)
        )
        genres = data.train.field_names[9:]
        self.crosses = d2l.Crosses(
            data.train, [('user', 'decade'), ('user', 'hour'), ('user', *genres)], min_threshold=1
        )
        scales = {
            'quantiles': d2l.Quantiles(data.train, 100),
            'standardized': d2l.Standardize(data.train),
        }
        self.scaled = {
            name: [scale.apply(part) for part in self.all] for name, scale in scales.items()
        }
        self.crossed = {
            name: [self.crosses.apply(part) for part in parts]
            for name, parts in {**self.scaled, 'raw': self.all}.items()
        }


def models(data):
    """name -> (a function of the dropout that makes the net, its data, whether it has dropout)."""
    dims, every = data.dims, data.all

    def deep(make, parts=every, **options):
        options = {'mlp_dims': HIDDEN, **options}
        return lambda drop: make(dims, K, drop_rate=drop, **options), parts, True

    def wide_deep(cross_dims):
        return lambda drop: d2l.WideDeep(
            dims, K, [64, 32, 16], drop, cross_dims=cross_dims, num_dense=4
        )

    table = {
        REFERENCE: (lambda drop: d2l.FM(dims[:2], K), data.two, False),
        'LR': (lambda drop: d2l.LR(dims), every, False),
        'FM': (lambda drop: d2l.FM(dims, K), every, False),
        'DeepFM': deep(d2l.DeepFM),
        'DeepFM, user and item only': (
            lambda drop: d2l.DeepFM(dims[:2], K, HIDDEN, drop),
            data.two,
            True,
        ),
        'DeepFM, concatenated': deep(d2l.DeepFMConcat),
        'LR with crosses': (
            lambda drop: d2l.LR([*dims, *data.crosses.dims]),
            data.crossed['raw'],
            False,
        ),
        'Wide & Deep, quantiles': (wide_deep(data.crosses.dims), data.crossed['quantiles'], True),
        'Wide & Deep, standardized': (
            wide_deep(data.crosses.dims),
            data.crossed['standardized'],
            True,
        ),
        'deep half, quantiles': (wide_deep(()), data.scaled['quantiles'], True),
        'deep half, standardized': (wide_deep(()), data.scaled['standardized'], True),
        'deep half, raw': (wide_deep(()), every, True),
        'DCN v1, depth 3': deep(d2l.DCN, num_layers=3),
        'DCN v2, depth 3': deep(d2l.DCN, num_layers=3, version=2),
        'DCN v2, depth 3, rank 16': deep(d2l.DCN, num_layers=3, version=2, rank=16),
    }
    few = dims[:9]  # the cost of a CIN grows with the square of the fields: no genres
    table.update(
        {
            'FM, nine fields': (lambda drop: d2l.FM(few, K), data.nine, False),
            'DeepFM, nine fields': (lambda drop: d2l.DeepFM(few, K, HIDDEN, drop), data.nine, True),
            'DCN v2, depth 2, rank 16, nine fields': (
                lambda drop: d2l.DCN(few, K, HIDDEN, drop, num_layers=2, version=2, rank=16),
                data.nine,
                True,
            ),
            'xDeepFM, nine fields': (
                lambda drop: d2l.XDeepFM(few, K, HIDDEN, drop, cin_dims=(16, 16)),
                data.nine,
                True,
            ),
        }
    )
    return table


VARIATIONS = {
    'DeepFM': {
        'no hidden layer': {'mlp_dims': []},
        'MLP [16]': {'mlp_dims': [16]},
        'K = 2': {'num_factors': 2},
        'K = 32': {'num_factors': 32},
        'dropout 0': {'drop_rate': 0.0},
        'dropout .5': {'drop_rate': 0.5},
        'L2 0': {'wd': 0.0},
    },
    'DCN v2, depth 2, rank 16, nine fields': {
        'depth 1': {'num_layers': 1},
        'depth 3': {'num_layers': 3},
        'stacked': {'stacked': True},
        'no MLP': {'mlp_dims': []},
        'rank 4': {'rank': 4},
        'full rank': {'rank': None},
    },
    'xDeepFM, nine fields': {
        'one layer': {'cin_dims': [16]},
        'no split': {'split': False},
        'ReLU': {'activation': 'relu'},
        'no MLP': {'mlp_dims': []},
    },
}


def run(net, parts, lr, wd, seed=0):
    first = None if isinstance(net, (d2l.LR, d2l.FM)) else init.Xavier()
    return d2l.fit(
        net, *parts, lr=lr, wd=wd, seed=seed, init=first, num_epochs=EPOCHS, patience=PATIENCE
    )


def search(make, parts, has_dropout, trials):
    """The best of so many settings, by the validation log loss; the test part stays shut."""

    def make_and_fit(lr, wd, drop=0.0):
        return run(make(drop), parts[:2], lr, wd)

    space = {**SPACE, 'drop': DROPS} if has_dropout else SPACE
    return d2l.random_search(make_and_fit, space, trials=trials, seed=0)


def resampled(users, rng):
    """The rows of as many users as there are, drawn with replacement."""
    rows = [np.flatnonzero(users == user) for user in np.unique(users)]
    return np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])


def interval(labels, users, probs, others):
    """The mean difference in AUC of paired runs, and the ends of its 95 % interval."""

    def lead(rows):
        return np.mean(
            [
                d2l.auc(labels[rows], p[rows]) - d2l.auc(labels[rows], q[rows])
                for p, q in zip(probs, others)
            ]
        )

    rng = np.random.default_rng(0)
    draws = [lead(resampled(users, rng)) for _ in range(DRAWS)]
    return (lead(np.arange(len(labels))), *np.percentile(draws, [2.5, 97.5]))


def compare(data, names, trials, seeds):
    print(
        '| model | lr | wd | dropout | validation AUC | test AUC | log loss | '
        'AUC less that of the first row | best epochs | seconds an epoch |'
    )
    print('|' + '---|' * 10)
    table, reference, labels = models(data), None, data.all[2].labels
    for name in dict.fromkeys([REFERENCE, *names]):
        make, parts, has_dropout = table[name]
        best = search(make, parts, has_dropout, trials).best
        nets = [make(best.get('drop', 0.0)) for _ in range(seeds)]
        runs = [run(net, parts, best['lr'], best['wd'], seed) for seed, net in enumerate(nets)]
        probs = [d2l.predict(net, parts[2]) for net in nets]
        reference = reference or probs
        auc, loss, valid = (
            np.array([r.kept[key] for r in runs]) for key in ('test_auc', 'test_loss', 'valid_auc')
        )
        lead = (
            '{:+.4f} ({:+.4f} to {:+.4f})'.format(*interval(labels, data.users, probs, reference))
            if probs is not reference
            else ''
        )
        print(
            f'| {name} | {best["lr"]:g} | {best["wd"]:g} | {best.get("drop", "")} '
            f'| {valid.mean():.4f} | {auc.mean():.4f} ± {auc.std(ddof=1):.4f} '
            f'| {loss.mean():.4f} ± {loss.std(ddof=1):.4f} | {lead} '
            f'| {", ".join(str(r.best_epoch) for r in runs)} '
            f'| {np.mean([np.mean(r["seconds"]) for r in runs]):.1f} |',
            flush=True,
        )


def vary(data, name, trials, seeds):
    make, parts, has_dropout = models(data)[name]
    best = search(make, parts, has_dropout, trials).best
    print(
        f'{name}, from {best}\n\n| change | validation AUC | validation log loss |\n|---|---|---|'
    )
    for change, options in {'none': {}, **VARIATIONS[name]}.items():
        options = dict(options)
        setting = {'lr': best['lr'], 'wd': options.pop('wd', best['wd'])}
        net = make(best.get('drop', 0.0))
        made = [type(net)(**{**net.config, **options}) for _ in range(seeds)]
        runs = [run(net, parts[:2], seed=seed, **setting) for seed, net in enumerate(made)]
        auc, loss = (np.array([r.kept[k] for r in runs]) for k in ('valid_auc', 'valid_loss'))
        print(
            f'| {change} | {auc.mean():.4f} ± {auc.std(ddof=1):.4f} '
            f'| {loss.mean():.4f} ± {loss.std(ddof=1):.4f} |',
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('names', nargs='*', help='by default all models')
    parser.add_argument('--vary', action='store_true')
    parser.add_argument('--trials', type=int, default=8)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args()
    data, start = Data(), time.time()
    names = args.names or list(VARIATIONS if args.vary else models(data))
    if args.vary:
        for name in names:
            vary(data, name, args.trials, args.seeds)
    else:
        compare(data, names, args.trials, args.seeds)
    print(f'\n{args.trials} trials, {args.seeds} seeds, {time.time() - start:.0f} s in all')


if __name__ == '__main__':
    main()
