"""RMSE of the rating models on MovieLens, beside the published figures.

Every choice from a grid, and the number of epochs, is made on a seeded tenth of the training part.
The model is then trained anew on the whole training part with that choice, and measured once on
the test part. `results/ml100k.md` and `results/ml1m.md` say how the grids came about.
"""

import os
import time
from collections import namedtuple

import d2lrec as d2l
from d2lrec.data.movielens import ml100k_fold

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import gluon, init

UNSEEN = 3.0  # AutoRec's rating where the user or the item has none in the training part
VALID_SHARE = 0.1

Ratings = namedtuple('Ratings', 'users items ratings num_users num_items')
# A validation's best RMSE, and after how many epochs of training it was reached.
Choice = namedtuple('Choice', 'rmse epochs setting')


def take(data, rows):
    """Some rows of `Ratings`; the numbers of users and items stay."""
    return data._replace(users=data.users[rows], items=data.items[rows], ratings=data.ratings[rows])


def split(data, share, seed):
    """Two parts of `Ratings`, drawn at random: what is left, and `share` of the rows."""
    order = np.random.RandomState(seed).permutation(len(data.ratings))
    held_out = int(len(order) * share)
    return take(data, np.sort(order[held_out:])), take(data, np.sort(order[:held_out]))


def rmse(data, predicted, clip=True):
    """Of predictions (N,), clipped to the scale of 1 to 5."""
    return d2l.metrics.rmse(data.ratings, np.clip(predicted, 1, 5) if clip else predicted)


# Each `fit_` function below trains on `train`, and calls `look(epoch, predict)` now and then,
# where predict(data) gives ratings (N,). `look` may say True: stop.


def fit_bias(train, setting, seed, look):
    """Koren's damped biases; one "epoch", for nothing is trained step by step."""
    net = d2l.BiasBaseline(setting['damping']).fit(*train)
    look(1, lambda data: net.predict(data.users, data.items))


def fit_mf(train, setting, seed, look):
    d2l.set_seed(seed)
    net = d2l.MF(setting['factors'], train.num_users, train.num_items, mean=train.ratings.mean())
    net.initialize(init.Normal(0.01))
    net.hybridize(static_alloc=True)
    loader = d2l.BatchLoader(*train[:3], batch_size=setting['batch'], shuffle=True, seed=seed)
    trainer = _adam(net, setting, len(loader))

    def predict(data):
        return np.concatenate(
            [net(*ids).asnumpy() for ids in d2l.BatchLoader(*data[:2], batch_size=4096)]
        )

    for epoch in range(1, setting['epochs'] + 1):
        d2l.train_recsys_rating(net, loader, None, gluon.loss.L2Loss(), trainer, 1, verbose=False)
        if epoch % setting['every'] == 0 and look(epoch, predict):
            return


def fit_autorec(train, setting, seed, look):
    """I-AutoRec where setting['side'] is 'item', else U-AutoRec; an explicit mask in any case.

    setting['shown'] says what goes in at the observed places: the 'ratings', what the damped
    biases leave over ('residuals'), or a 3 for each ('mask'); setting['target'], what is to come
    out: 'ratings' or 'residuals', to which predictions then add the biases.
    """
    d2l.set_seed(seed)
    baseline = d2l.BiasBaseline(setting.get('damping', 5.0)).fit(*train)
    over = setting['target'] == 'residuals'

    def biases(data):
        return baseline.predict(data.users, data.items)

    by_item = setting['side'] == 'item'
    shape = train.num_users, train.num_items
    shape = shape[::-1] if by_item else shape

    def places(data):
        return (data.items, data.users) if by_item else (data.users, data.items)

    def matrix(values):
        out = np.zeros(shape, 'float32')
        out[places(train)] = values
        return out

    contents = {
        'ratings': lambda: train.ratings,
        'residuals': lambda: train.ratings - biases(train),
        'mask': lambda: 3,
    }
    rows, target = (matrix(contents[setting[name]]()) for name in ('shown', 'target'))
    mask = matrix(1)

    net = d2l.AutoRec(
        setting['hidden'],
        shape[1],
        dropout=setting['dropout'],
        encoder_activation=setting['encoder'],
    )
    net.initialize(init.Normal(setting['sigma']) if 'sigma' in setting else init.Xavier())
    net.hybridize(static_alloc=True)
    data = d2l.RatingRows(rows, mask, setting['side'], target)
    loader = d2l.BatchLoader(data, batch_size=setting['batch'], shuffle=True, seed=seed)
    shown = d2l.BatchLoader(rows, batch_size=512)
    trainer = _adam(net, setting, len(loader))
    seen = mask.any(axis=1), mask.any(axis=0)

    def predict(data):
        rows, columns = places(data)
        rebuilt = np.concatenate([net(batch).asnumpy() for batch in shown])[rows, columns]
        rebuilt = rebuilt + biases(data) if over else rebuilt
        return np.where(seen[0][rows] & seen[1][columns], rebuilt, UNSEEN)

    for epoch in range(1, setting['epochs'] + 1):
        d2l.train_recsys_rating(net, loader, None, gluon.loss.L2Loss(), trainer, 1, verbose=False)
        if epoch % setting['every'] == 0 and look(epoch, predict):
            return


def _adam(net, setting, steps):
    """Adam; the learning rate falls along half a cosine to a fiftieth over all the epochs."""
    rate = setting['rate']
    schedule = mx.lr_scheduler.CosineScheduler(setting['epochs'] * steps, rate, rate / 50)
    return gluon.Trainer(
        net.collect_params(),
        'adam',
        {'learning_rate': rate, 'wd': setting['decay'], 'lr_scheduler': schedule},
    )


def choose(fit, train, grid, seed):
    """The `Choice` with the least RMSE on a seeded part of `train`: a setting, and its epochs."""
    rest, valid = split(train, VALID_SHARE, seed)
    best = None
    for setting in grid:
        seen = []

        def look(epoch, predict):
            seen.append(Choice(rmse(valid, predict(valid)), epoch, setting))

        fit(rest, setting, seed, look)
        found = min(seen, key=lambda s: s.rmse)
        print(f'  validation {found.rmse:.4f} after {found.epochs} epochs of {setting}', flush=True)
        if best is None or found.rmse < best.rmse:
            best = found
    return best


def final(fit, train, test, choice, seed):
    """Test RMSE, clipped and not, of a model trained on all of `train` as chosen."""
    out = []

    def look(epoch, predict):
        if epoch < choice.epochs:
            return False
        predicted = predict(test)
        out.extend([rmse(test, predicted), rmse(test, predicted, clip=False)])
        return True

    fit(train, choice.setting, seed, look)
    return tuple(out)


def run(name, fit, parts, grid, seed):
    """Choose, train anew, measure: a dict of what happened, which is also printed."""
    train, test = parts
    start = time.time()
    choice = choose(fit, train, grid, seed)
    return measured(name, fit, parts, choice, seed, start)


def measured(name, fit, parts, choice, seed, start=None):
    """The dict of a model trained on the whole training part as chosen."""
    start = start or time.time()
    clipped, raw = final(fit, *parts, choice, seed)
    row = {
        'model': name,
        'rmse': clipped,
        'raw': raw,
        'choice': choice,
        'seconds': time.time() - start,
    }
    print(
        f'{name}: test RMSE {clipped:.4f}, not clipped {raw:.4f}, {choice.epochs} epochs, '
        f'{row["seconds"]:.0f} s',
        flush=True,
    )
    return row


def varied(base, **lists):
    """A grid: `base` with each combination of the values."""
    grid = [dict(base)]
    for name, values in lists.items():
        grid = [{**setting, name: value} for setting in grid for value in values]
    return grid


def words(choice):
    """What was chosen, in a line."""
    out = [f'{name} {choice.setting[name]}' for name in TUNED if name in choice.setting]
    if choice.setting.get('epochs'):
        out.append(f'{choice.epochs} of {choice.setting["epochs"]} epochs')
    if choice.rmse is not None:
        out.append(f'validation {choice.rmse:.4f}')
    return ', '.join(out)


# What a grid may vary; the tables name them.
TUNED = ['damping', 'factors', 'decay']

# What AutoRec is shown and what it rebuilds: see `fit_autorec`.
WAYS = {
    'ratings in, ratings out': {'shown': 'ratings', 'target': 'ratings'},
    'ratings in, residuals out': {'shown': 'ratings', 'target': 'residuals'},
    'mask in, residuals out': {'shown': 'mask', 'target': 'residuals'},
    'residuals in, residuals out': {'shown': 'residuals', 'target': 'residuals'},
}
RAW, *_, CENTRED = WAYS


def autorecs(sides, setting, decays):
    """{name: (fit, grid)} of the ways named in `sides`, {side: ways}, with their decays."""
    return {
        f'{side[0].upper()}-AutoRec, {way}': (
            fit_autorec,
            varied({'side': side, **WAYS[way], **setting}, decay=decays[way]),
        )
        for side, ways in sides.items()
        for way in ways
    }


# MovieLens-100K, the official folds.

ML100K_AUTOREC = {
    'hidden': 500,
    'encoder': 'sigmoid',
    'dropout': 0.0,
    'batch': 32,
    'rate': 3e-3,
    'damping': 2.5,
    'epochs': 20,
    'every': 20,
}
ML100K = {
    'BiasBaseline': (fit_bias, varied({}, damping=[1.0, 2.5, 5.0])),
    'MF': (
        fit_mf,
        varied(
            {'factors': 20, 'batch': 512, 'rate': 5e-3, 'epochs': 12, 'every': 2},
            decay=[5e-5, 1e-4, 2e-4],
        ),
    ),
    **autorecs(
        {'item': WAYS, 'user': [RAW, CENTRED]},
        ML100K_AUTOREC,
        dict.fromkeys(WAYS, [5e-4, 1e-3, 2e-3]),
    ),
}


def add_ml100k_arguments(parser):
    parser.add_argument('--folds', type=int, nargs='+', default=[1, 2, 3, 4, 5])
    parser.add_argument('--models', nargs='+', choices=ML100K, default=list(ML100K))
    parser.add_argument('--out', help='a file to which rows are added as they come')


def ml100k(args, data=None):
    """RMSE on MovieLens-100K's official folds; the fold's number is the seed."""
    frame, num_users, num_items = data or d2l.read_data_ml100k()
    rows = []
    for fold in args.folds:
        parts = [
            Ratings(
                f.user_id.to_numpy() - 1,
                f.item_id.to_numpy() - 1,
                f.rating.to_numpy('float32'),
                num_users,
                num_items,
            )
            for f in ml100k_fold(frame, fold)
        ]
        for name in args.models:
            fit, grid = ML100K[name]
            print(f'fold {fold}, {name}', flush=True)
            rows.append({'fold': fold, **run(name, fit, parts, grid, seed=fold)})
            record(args.out, rows[-1])
    print_tables(rows, 'fold')
    return rows


# MovieLens-1M, random 90/10. One setting for all seeds, chosen on seed 0's training part.

ML1M_AUTOREC = {
    'hidden': 500,
    'encoder': 'sigmoid',
    'dropout': 0.0,
    'batch': 256,
    'rate': 3e-3,
    'damping': 10.0,
    'epochs': 50,
    'every': 50,
}
ML1M = {
    'BiasBaseline': (fit_bias, varied({}, damping=[5.0, 10.0, 20.0])),
    'MF': (
        fit_mf,
        varied(
            {'factors': 40, 'batch': 4096, 'rate': 5e-3, 'epochs': 20, 'every': 20},
            decay=[2e-5, 4e-5, 8e-5],
        ),
    ),
    **autorecs(
        {'item': WAYS, 'user': [RAW, CENTRED]},
        ML1M_AUTOREC,
        dict.fromkeys(WAYS, [0.8e-4, 1.1e-4, 1.6e-4]),
    ),
}


def read_ml1m(path):
    """`Ratings` of a Parquet file with the columns user, movie and rating; ids from 0."""
    if not os.path.exists(path):
        raise FileNotFoundError(
            f'{path} is not there, so MovieLens-1M was skipped: give the path '
            'of a Parquet file with the columns user, movie and rating.'
        )
    frame = pd.read_parquet(path)
    users, items = (pd.factorize(frame[c], sort=True)[0] for c in ('user', 'movie'))
    return Ratings(users, items, frame.rating.to_numpy('float32'), users.max() + 1, items.max() + 1)


def add_ml1m_arguments(parser):
    parser.add_argument('path', help='ml-1m_ratings.parquet: columns user, movie, rating')
    parser.add_argument('--models', nargs='+', choices=ML1M, default=list(ML1M))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--decay', type=float, help='this weight decay, the last epoch, and no choice by validation'
    )
    parser.add_argument('--out', help='a file to which rows are added as they come')


def ml1m(args):
    """RMSE of AutoRec on random tenths of MovieLens-1M."""
    data = read_ml1m(args.path)
    rows = []
    for name in args.models:
        fit, grid = ML1M[name]
        if args.decay is None:
            train, _ = split(data, 0.1, seed=0)
            choice = choose(fit, train, grid, seed=0)
        else:
            setting = {**grid[0], 'decay': args.decay}
            choice = Choice(None, setting['epochs'], setting)
        for seed in args.seeds:
            rows.append({'seed': seed, **measured(name, fit, split(data, 0.1, seed), choice, seed)})
            record(args.out, rows[-1])
    print_tables(rows, 'seed')
    return rows


def record(path, row):
    """Add a row to a file of plain text, so that an interrupted run leaves what it found."""
    if path is None:
        return
    part = f'fold {row["fold"]}' if 'fold' in row else f'seed {row["seed"]}'
    with open(path, 'a') as file:
        file.write(
            f'{part} | {row["model"]} | RMSE {row["rmse"]:.4f} | '
            f'not clipped {row["raw"]:.4f} | {words(row["choice"])} | '
            f'{row["seconds"]:.0f} s\n'
        )


def print_tables(rows, part):
    """RMSE by model and `part` ('fold' or 'seed'), and what was chosen, in Markdown."""
    parts = sorted({row[part] for row in rows})
    print(f'\n| model | {" | ".join(f"{part} {p}" for p in parts)} | mean | mean, not clipped |')
    print('|---' * (len(parts) + 3) + '|')
    for model in dict.fromkeys(row['model'] for row in rows):
        own = {row[part]: row for row in rows if row['model'] == model}
        cells = [f'{own[p]["rmse"]:.4f}' if p in own else '' for p in parts]
        means = [f'{np.mean([row[key] for row in own.values()]):.4f}' for key in ('rmse', 'raw')]
        print(f'| {model} | {" | ".join(cells + means)} |')
    print(f'\n| {part} | model | chosen |\n|---|---|---|')
    for row in rows:
        print(f'| {row[part]} | {row["model"]} | {words(row["choice"])} |')
