"""MovieLens-100K in time: FM of user and item, the bag of past films, DIN and DIEN.

    OMP_NUM_THREADS=1 python benchmarks/histories.py [--trials 6] [--models DIN DIEN]
    OMP_NUM_THREADS=1 python benchmarks/histories.py --planted

Each user's last tenth is the test part, the tenth before it the validation part. A history holds
the last 10 films that the user had given 4 or 5 stars before the row's time stamp. Learning rate
and weight decay come from a random search on validation, as many trials for every model; the
best setting is trained with three seeds, and the test part is looked at then. The intervals of
the differences draw users, not ratings.

With --planted: the three sets of the chapter on histories, whose best possible is known, with
three seeds each for the clicks and the weights, at the chapter's settings.
"""

import argparse

import d2lrec as d2l

import numpy as np
import pandas as pd

LENGTH, K, SEEDS = 10, 8, 3


def parts():
    """Training, validation and test part with histories, and the users of the test part."""
    cut = d2l.temporal_split_ml100k(d2l.read_ml100k().ratings)
    frames = [
        pd.DataFrame({'label': (p.rating >= 4).astype(int), 'user': p.user_id, 'item': p.item_id})
        for p in cut
    ]
    first = d2l.CTRDataset(frames[0], min_threshold=4)
    rest = [d2l.CTRDataset(f, vocabulary=first.vocabulary) for f in frames[1:]]
    table = pd.concat(cut)
    past = d2l.past_rows(table.user_id, table.timestamp, LENGTH, (table.rating >= 4).to_numpy())
    data = d2l.with_history(d2l.concat([first, *rest]), past)
    ends = np.cumsum([len(p) for p in cut])
    return (data[: ends[0]], data[ends[0] : ends[1]], data[ends[1] :]), cut[2].user_id.to_numpy()


PLANTED = {
    'how many are related, 20 kinds': {'num_groups': 20, 'related': 1.5},
    'the latest that is related, 6 kinds': {'num_groups': 6, 'related': 0, 'latest': 1.5},
    'item, latest and earliest at once, 6 kinds': {'num_groups': 6, 'related': 0, 'threeway': 1.5},
}


def planted():
    """Test AUC on planted histories: a row for each set and model, mean and sd of three seeds."""
    models = {
        'FM, item only': lambda dims: d2l.FM(dims, K),
        'bag': lambda dims: d2l.HistoryBag(dims, K, [32], 8),
        'DIN': lambda dims: d2l.DIN(dims, K, [32], 8),
        'DIN with Dice': lambda dims: d2l.DIN(dims, K, [32], 8, activation='dice'),
        'DIEN, without auxiliary loss': lambda dims: d2l.DIEN(dims, K, [32], 8, auxiliary=0),
        'DIEN': lambda dims: d2l.DIEN(dims, K, [32], 8, auxiliary=0.1),
    }
    rows = {}
    for name, effects in PLANTED.items():
        scores = {model: [] for model in [*models, 'best possible']}
        for seed in range(SEEDS):
            clicks = d2l.planted_histories(30_000, group_size=4, length=8, seed=seed, **effects)
            train, valid, test = clicks[:22_000], clicks[22_000:26_000], clicks[26_000:]
            for model, build in models.items():
                net = build(train.field_dims)
                d2l.fit(net, train, valid, lr=0.02, batch_size=250, num_epochs=10, seed=seed)
                scores[model].append(d2l.evaluate(net, test)['auc'])
            scores['best possible'].append(test.best['auc'])
        for model, aucs in scores.items():
            rows[name, model] = {'test AUC': np.mean(aucs), 'sd': np.std(aucs, ddof=1)}
            print(name, '|', model, '|', np.round(aucs, 4), flush=True)
    print(pd.DataFrame(rows).T.round(4).to_string())


def main(trials=6, chosen=None):
    (train, valid, test), users = parts()
    dims = train.field_dims
    models = {
        'FM, user and item only': lambda: d2l.FM(dims, K),
        'bag of past films': lambda: d2l.HistoryBag(dims, K, [32], LENGTH),
        'DIN': lambda: d2l.DIN(dims, K, [32], LENGTH),
        'DIEN': lambda: d2l.DIEN(dims, K, [32], LENGTH, auxiliary=0.1),
    }
    models = {name: build for name, build in models.items() if not chosen or name in chosen}
    space, rows, scores = {'lr': (1e-3, 2e-2), 'wd': (3e-6, 1e-3)}, {}, {}
    for name, build in models.items():

        def fit(lr, wd, seed=0, test=None, build=build):
            net = build()
            history = d2l.fit(
                net, train, valid, test, lr=lr, wd=wd, seed=seed, num_epochs=8, patience=1
            )
            history.net = net
            return history

        best = d2l.random_search(fit, space, trials=trials, score='valid_auc').best
        runs = [fit(**best, seed=seed, test=test) for seed in range(SEEDS)]
        scores[name] = np.mean([d2l.predict(run.net, test) for run in runs], axis=0)
        aucs = [run.kept['test_auc'] for run in runs]
        rows[name] = {
            **best,
            'valid AUC': np.mean([run.kept['valid_auc'] for run in runs]),
            'test AUC': np.mean(aucs),
            'sd': np.std(aucs, ddof=1),
            'test log loss': np.mean([run.kept['test_loss'] for run in runs]),
        }
        print(name, rows[name], flush=True)
    print(pd.DataFrame(rows).T.round(5).to_string())
    for one, other in [
        ('DIN', 'bag of past films'),
        ('bag of past films', 'FM, user and item only'),
        ('DIN', 'FM, user and item only'),
        ('DIEN', 'DIN'),
    ]:
        if one not in scores or other not in scores:
            continue
        found = d2l.bootstrap(
            lambda y, p, q: d2l.auc(y, p) - d2l.auc(y, q),
            test.labels,
            scores[one],
            scores[other],
            groups=users,
            draws=300,
        )
        print(f'{one} - {other}: {found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--trials', type=int, default=6)
    parser.add_argument('--models', nargs='+', help='only these, by their names in the table')
    parser.add_argument('--planted', action='store_true')
    asked = parser.parse_args()
    if asked.planted:
        planted()
    else:
        main(asked.trials, asked.models)
