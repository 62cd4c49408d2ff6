"""MovieLens-100K in time: FM of user and item, the bag of past films, DIN and DIEN.

    OMP_NUM_THREADS=1 python benchmarks/histories.py [trials]

Each user's last tenth is the test part, the tenth before it the validation part. A history holds
the last 10 films that the user had given 4 or 5 stars before the row's time stamp. Learning rate
and weight decay come from a random search on validation, as many trials for every model; the
best setting is trained with three seeds, and the test part is looked at then. The intervals of
the differences draw users, not ratings.
"""

import sys

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


def main(trials=6):
    (train, valid, test), users = parts()
    dims = train.field_dims
    models = {
        'FM, user and item only': lambda: d2l.FM(dims, K),
        'bag of past films': lambda: d2l.HistoryBag(dims, K, [32], LENGTH),
        'DIN': lambda: d2l.DIN(dims, K, [32], LENGTH),
        'DIEN': lambda: d2l.DIEN(dims, K, [32], LENGTH, auxiliary=0.1),
    }
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
    main(*map(int, sys.argv[1:]))
