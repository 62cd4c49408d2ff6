"""Lists on MovieLens-100K: popularity, item-kNN, EASE, MF and NeuMF on implicit feedback.

All ratings are interactions. By time within each user the last tenth is for testing, the tenth
before it for validation. Every model is given the same number of settings, drawn at random
(`d2l.random_search`), and the one with the best NDCG@10 on validation is trained with three seeds
and measured once on the test part, among all films that a user has not seen.

    python benchmarks/ranking.py [names of models] [--trials 8] [--seeds 0 1 2] [--out FILE]

writes a line for each trial and each test, as it goes; `results/ranking.md` has what it printed.
"""

import argparse
import sys
import time

import d2lrec as d2l

import mxnet as mx
import numpy as np


def parts(ratings, num_users, num_items):
    """Training, validation and test part, as `Interactions`."""
    frames = d2l.temporal_split_ml100k(ratings)
    return [
        d2l.Interactions(f.user_id.to_numpy() - 1, f.item_id.to_numpy() - 1, num_users, num_items)
        for f in frames
    ]


# Each function returns the scores of all items for all users (U, I), and the epoch that was kept.


def popularity(train, valid, seed):
    return np.tile(train.counts().astype(float), (train.num_users, 1)), 0


def item_knn(train, valid, seed, neighbours, damping):
    """Cosines of the columns of the matrix, damped; the best `neighbours` of each item."""
    X = train.matrix().astype(float)
    norm = np.sqrt(np.maximum(X.sum(axis=0), 1))
    cosine = X.T @ X / (np.outer(norm, norm) + damping)
    np.fill_diagonal(cosine, 0)
    least = -np.partition(-cosine, neighbours - 1, axis=1)[:, neighbours - 1 : neighbours]
    return X @ np.where(cosine >= least, cosine, 0).T, 0


def ease(train, valid, seed, penalty):
    """The item-by-item weights of least squares, with a diagonal of zeros: Steck, WWW 2019."""
    X = train.matrix().astype(float)
    P = np.linalg.inv(X.T @ X + penalty * np.eye(train.num_items))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    return X @ B, 0


SMALL = mx.init.Normal(0.05)


def fitted(net, train, valid, seed, init, **options):
    history = d2l.fit(net, train, valid, init=init, seed=seed, patience=3, **options)
    return net.scores(np.arange(train.num_users)), history.best_epoch


def mf_bpr(train, valid, seed, num_factors, lr, wd, power):
    net = d2l.MF(num_factors, train.num_users, train.num_items, output='logit')
    options = {'lr': lr, 'wd': wd, 'power': power, 'batch_size': 1024, 'num_epochs': 20}
    return fitted(net, train, valid, seed, SMALL, loss=d2l.BPRLoss(), **options)


def mf_pointwise(train, valid, seed, num_factors, lr, wd, negatives):
    net = d2l.MF(num_factors, train.num_users, train.num_items, output='logit')
    options = {'lr': lr, 'wd': wd, 'negatives': negatives, 'batch_size': 2048, 'num_epochs': 15}
    return fitted(net, train, valid, seed, SMALL, **options)


def neumf(train, valid, seed, num_factors, lr, wd, negatives):
    widths = [2 * num_factors, num_factors]
    net = d2l.NeuMF(num_factors, train.num_users, train.num_items, widths)
    options = {'lr': lr, 'wd': wd, 'negatives': negatives, 'batch_size': 2048, 'num_epochs': 10}
    return fitted(net, train, valid, seed, mx.init.Xavier(), **options)


FACTORS = [16, 32, 64]
STEPS = {'lr': (1e-3, 1e-2), 'wd': (1e-6, 3e-4)}
MODELS = {
    'popularity': (popularity, None),
    'item-kNN': (item_knn, {'neighbours': [20, 50, 100, 200, 400], 'damping': [0, 5, 20, 50]}),
    'EASE': (ease, {'penalty': (30.0, 3000.0)}),
    'MF, BPR': (mf_bpr, {'num_factors': FACTORS, **STEPS, 'power': [0.0, 0.5, 1.0]}),
    'MF, pointwise': (mf_pointwise, {'num_factors': FACTORS, **STEPS, 'negatives': [1, 2, 4]}),
    'NeuMF': (neumf, {'num_factors': [8, 16, 32], **STEPS, 'negatives': [1, 2, 4]}),
}


def main(data, names, trials, seeds, say):
    """Search, then test: one line for each, through `say`."""
    train, valid, test = data
    known = train.matrix() | valid.matrix()
    for name in names:
        model, space = MODELS[name]

        def trial(**setting):
            start = time.time()
            scores, epoch = model(train, valid, 0, **setting)
            found = d2l.ndcg(scores, valid.matrix(), train.matrix())
            took = f'{time.time() - start:.0f} s'
            say(f'{name} | {setting} | epoch {epoch} | valid {found:.4f} | {took}')
            return found

        best = {}
        if space:
            best = d2l.random_search(trial, space, trials=trials, seed=0, score=float).best
        for seed in seeds if name in ('MF, BPR', 'MF, pointwise', 'NeuMF') else seeds[:1]:
            start = time.time()
            scores, epoch = model(train, valid, seed, **best)
            say(
                f'{name} | {best} | seed {seed} | epoch {epoch} | '
                f'test NDCG@10 {d2l.ndcg(scores, test.matrix(), known):.4f} | '
                f'HitRate@10 {d2l.hit_rate(scores, test.matrix(), known):.4f} | '
                f'{time.time() - start:.0f} s'
            )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('models', nargs='*', default=list(MODELS), help=', '.join(MODELS))
    parser.add_argument('--trials', type=int, default=8)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--out', help='a file to write to, beside the screen')
    args = parser.parse_args()
    file = open(args.out, 'a') if args.out else None

    def say(line):
        for target in (sys.stdout, file):
            if target:
                print(line, file=target, flush=True)

    ml = d2l.read_ml100k()
    main(parts(ml.ratings, len(ml.users), len(ml.items)), args.models, args.trials, args.seeds, say)
