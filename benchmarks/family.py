"""All click models of the book under one protocol on MovieLens-100K, for the chapter that compares.

    OMP_NUM_THREADS=1 python benchmarks/family.py [--fields 2 9] [--trials 8] [--seeds 5]

Every model gets the same budget: `--trials` settings of learning rate, weight decay and dropout,
drawn once by a seeded generator and the same for all, each judged by the validation log loss of
one run. The best one is then run with `--seeds` seeds, and only these runs see the test part.
Differences from FM are taken seed by seed; their intervals resample users (1,000 draws), with all
rows of a user, for rows of one user are not independent. MF learns stars under the same rules.
Hidden layers start from Xavier's weights, which depend on their widths; with `--default-start` from
MXNet's default, uniform within .07. `results/family.md` has both.
Prints Markdown tables.
"""

import argparse
import time

import d2lrec as d2l

import numpy as np
import pandas as pd
from mxnet import init

K, HIDDEN, DRAWS = 8, (64, 64), 1000
EPOCHS, PATIENCE, BATCH = 15, 2, 2000  # at most
START = {'init': init.Xavier()}  # of hidden layers; embeddings and linear terms have their own


def dlrm(field_dims, drop_rate):
    net = d2l.DLRM(field_dims, K, HIDDEN, drop_rate=drop_rate)
    net.embedding.weight.init = init.Normal(0.1)  # products of .01 would be of .0001
    return net


def family():
    """name -> a function of (field_dims, drop_rate) that makes the model."""

    def deep(make, **options):
        return lambda dims, drop: make(dims, K, mlp_dims=HIDDEN, drop_rate=drop, **options)

    return {
        'LR': lambda dims, drop: d2l.LR(dims),
        'FM': lambda dims, drop: d2l.FM(dims, K),
        'FFM': lambda dims, drop: d2l.FFM(dims, K // 2),
        'AFM': lambda dims, drop: d2l.AFM(dims, K, attention_dim=8, drop_rate=drop),
        'NFM': lambda dims, drop: d2l.NFM(dims, K, HIDDEN[:1], drop),
        'MLP': deep(d2l.EmbeddingMLP),
        'Wide & Deep': deep(d2l.WideDeep),
        'DeepFM': deep(d2l.DeepFM),
        'DCN': deep(d2l.DCN, num_layers=2),
        'DCN v2': deep(d2l.DCN, num_layers=2, version=2, rank=16),
        'xDeepFM': deep(d2l.XDeepFM, cin_dims=(8, 8)),
        'DLRM': dlrm,
    }


def neumf(dims, drop):
    return d2l.NeuMF(K, int(dims[0]), int(dims[1]), HIDDEN, drop)


def pairs(data):
    """The parts as users and items, each counted from 0."""
    start = data.train.offsets[1]
    for part in (data.train, data.valid, data.test):
        users, items = part.features[:, 0], part.features[:, 1] - start
        yield d2l.Examples({'users': users, 'items': items}, part.labels)


def with_dense(data):
    """DLRM as its chapter has it: four dense features, genres in one bag; a maker and the parts."""
    standard = d2l.Standardize(data.train)
    parts = [standard.apply(part) for part in (data.train, data.valid, data.test)]
    bags = d2l.Bags(parts[0], {'genres': data.train.field_names[9:]})
    parts = [bags.apply(part) for part in parts]

    def make(dims, drop):
        net = d2l.DLRM(parts[0].field_dims, K, HIDDEN, 4, (32,), parts[0].bag_sizes, drop_rate=drop)
        return d2l.decay_embeddings_only(net)

    return make, parts


def settings(trials, seed=0):
    """The draws of the search: rates and decays uniform in their logarithms."""
    rng = np.random.default_rng(seed)
    return [
        {
            'lr': float(10 ** rng.uniform(-2.5, -1.5)),
            'wd': float(10 ** rng.uniform(-5.5, -3.0)),
            'drop': float(rng.choice([0.0, 0.2, 0.5])),
        }
        for _ in range(trials)
    ]


def run(net, parts, setting, seed=0):
    return d2l.fit(
        net,
        *parts,
        lr=setting['lr'],
        wd=setting['wd'],
        batch_size=BATCH,
        num_epochs=EPOCHS,
        patience=PATIENCE,
        seed=seed,
        **START,
    )


def searched(make, parts, trials, measure='valid_loss'):
    """The setting with the least `measure`, and that of its run."""
    tried = [(run(make(s['drop']), parts, s).kept[measure], n, s) for n, s in enumerate(trials)]
    best = min(tried)
    return best[2], best[0]


def user_draws(users, draws, seed=0):
    """Weights (draws, N) of the rows when users are drawn with replacement."""
    codes = np.unique(users, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        chosen = rng.integers(0, codes.max() + 1, codes.max() + 1)
        yield np.bincount(chosen, minlength=codes.max() + 1)[codes]


def weighted_auc(labels, scores):
    """A function of row weights: the AUC, ties counted half."""
    place = np.unique(scores, return_inverse=True)[1]

    def auc(weight):
        ones = np.bincount(place, weight * labels)
        zeros = np.bincount(place, weight * (1 - labels))
        return (ones * (np.cumsum(zeros) - zeros / 2)).sum() / (ones.sum() * zeros.sum())

    return auc


def intervals(labels, users, scores, against):
    """name -> the 2.5 % and 97.5 % points of the mean difference in AUC from `against`."""
    aucs = {name: [weighted_auc(labels, p) for p in ps] for name, ps in scores.items()}
    drawn = {name: [] for name in scores}
    for weight in user_draws(users, DRAWS):
        for name, seeds in aucs.items():
            drawn[name].append(np.mean([auc(weight) for auc in seeds]))
    drawn = {name: np.array(values) for name, values in drawn.items()}
    return {
        name: np.percentile(values - drawn[against], [2.5, 97.5])
        for name, values in drawn.items()
        if name != against
    }


EFFECTS = {
    'linear': {'linear': 1.5, 'pairwise': 0.0},
    'pairwise': {'linear': 0.5, 'pairwise': 1.5},
    'three-way': {'linear': 0.5, 'pairwise': 0.0, 'threeway': 1.5},
    'nonlinear': {'linear': 0.5, 'pairwise': 0.0, 'nonlinear': 1.5},
}


def triples(num_rows, num=10, strength=1.5, seed=1):
    """Clicks with a number of its own for each triple of ids of three fields: nobody's formula."""
    clicks = d2l.planted(num_rows, [num] * 4, linear=0.5, pairwise=0.0, zipf=0.3, seed=seed)
    rng = np.random.default_rng(seed)
    x = clicks.features - np.arange(4) * num
    logits = strength * rng.normal(size=(num,) * 3)[x[:, 0], x[:, 1], x[:, 2]]
    probs = d2l.sigmoid(clicks.terms['linear'] + logits - 1)
    labels = (rng.random(num_rows) < probs).astype('float32')
    return d2l.data.Planted(clicks.features, labels, probs, clicks.field_dims)


def planted_parts(effect, num_train=20_000):
    rows = num_train + 25_000
    if effect == 'triples':
        clicks = triples(rows)
    else:
        clicks = d2l.planted(rows, [10] * 4, zipf=0.3, seed=1, **EFFECTS[effect])
    return clicks[:num_train], clicks[num_train:-20_000], clicks[-20_000:]


def planted(trials, seeds, models=None):
    """Test AUC on planted effects: means over seeds, deviations, and the best possible."""
    means, deviations = {}, {}
    for effect in [*EFFECTS, 'triples']:
        *parts, test = planted_parts(effect)
        for name, make in family().items():
            if models and name not in models:
                continue
            setting = searched(lambda drop: make([10] * 4, drop), parts, trials)[0]
            nets = [make([10] * 4, setting['drop']) for _ in range(seeds)]
            for seed, net in enumerate(nets):
                run(net, parts, setting, seed)
            aucs = [d2l.evaluate(net, test)['auc'] for net in nets]
            means.setdefault(name, {})[effect] = np.mean(aucs)
            deviations.setdefault(name, {})[effect] = np.std(aucs, ddof=1)
        means.setdefault('best possible', {})[effect] = test.best['auc']
    for title, table in (('mean', means), ('standard deviation', deviations)):
        frame = pd.DataFrame(table).T.rename_axis(f'planted, {title}')
        print(markdown(frame.apply(lambda column: column.map('{:.4f}'.format))) + '\n')


def markdown(frame):
    rows = [[frame.index.name or '', *frame.columns], ['---'] * (frame.shape[1] + 1)]
    rows += [[name, *row] for name, row in zip(frame.index, frame.values)]
    return '\n'.join('| ' + ' | '.join(map(str, row)) + ' |' for row in rows)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--fields', type=int, nargs='+', default=[2, 9])
    parser.add_argument('--trials', type=int, default=8)
    parser.add_argument('--seeds', type=int, default=5)
    parser.add_argument('--models', nargs='+', help='those of the first column; default: all')
    parser.add_argument(
        '--more', action='store_true', help='NeuMF, and DLRM with dense features and bags, too'
    )
    parser.add_argument(
        '--planted', action='store_true', help='planted effects in place of MovieLens'
    )
    parser.add_argument(
        '--default-start', action='store_true', help="MXNet's initial weights in hidden layers"
    )
    options = parser.parse_args(arguments)
    START['init'] = None if options.default_start else init.Xavier()
    if options.planted:
        return planted(settings(options.trials), options.seeds, options.models)
    data, trials, first = d2l.load_ml100k_ctr(), settings(options.trials), options.fields[0]
    labels, users = data.test.labels, data.test.features[:, 0]
    rows, scores, seconds = [], {}, time.time()

    def measure(name, num, setting, valid, nets, test):
        predicted = [d2l.predict(net, test) for net in nets]
        for seed, p in enumerate(predicted):
            clicks = p.min() >= 0 and p.max() <= 1
            rows.append(
                {
                    'model': name,
                    'fields': num,
                    'seed': seed,
                    'setting': setting,
                    'valid': valid,
                    'AUC': d2l.auc(labels, p),
                    'log loss': d2l.log_loss(labels, p) if clicks else np.nan,
                    'NE': d2l.normalized_entropy(labels, p) if clicks else np.nan,
                    'GAUC': d2l.gauc(labels, p, users)['gauc'],
                    'p / rate': p.mean() / labels.mean() if clicks else np.nan,
                }
            )
        scores[f'{name}, {num}'] = predicted

    def study(name, num, make, dims, parts):
        setting, valid = searched(lambda drop: make(dims, drop), parts[:2], trials)
        nets = [make(dims, setting['drop']) for _ in range(options.seeds)]
        for seed, net in enumerate(nets):
            run(net, parts[:2], setting, seed)
        measure(name, num, setting, valid, nets, parts[2])

    for num in options.fields:
        dims = data.train.field_dims[:num]
        parts = [
            d2l.Examples({'ids': part.features[:, :num]}, part.labels)
            for part in (data.train, data.valid, data.test)
        ]
        for name, make in family().items():
            if options.models and name not in options.models and (name, num) != ('FM', first):
                continue
            study(name, num, make, dims, parts)
    if options.more:
        study('NeuMF', 2, neumf, data.train.field_dims, list(pairs(data)))
        make, parts = with_dense(data)
        study('DLRM, dense and bags', 10, make, parts[0].field_dims, parts)

    frame, num_users, num_items = d2l.read_data_ml100k()
    ratings = [
        d2l.Ratings.from_frame(part, num_users=num_users, num_items=num_items)
        for part in d2l.random_split_ml100k(frame)
    ]
    mean = float(np.mean(ratings[0].ratings))
    setting, valid = searched(
        lambda drop: d2l.MF(K, num_users, num_items, mean=mean), ratings[:2], trials, 'valid_rmse'
    )
    nets = [d2l.MF(K, num_users, num_items, mean=mean) for _ in range(options.seeds)]
    for seed, net in enumerate(nets):
        run(net, ratings[:2], setting, seed)
    measure('MF on stars', 2, setting, valid, nets, ratings[2])

    frame = pd.DataFrame(rows)
    grouped = frame.groupby(['fields', 'model'], sort=False)
    table = grouped[['AUC', 'log loss', 'NE', 'GAUC', 'p / rate']].mean()
    table.insert(1, '±', grouped.AUC.std())
    setting = grouped[['setting', 'valid']].first()
    against = f'FM, {first}'
    bounds = intervals(labels, users, scores, against)
    base = frame[(frame.model == 'FM') & (frame.fields == first)].AUC.to_numpy()
    shown = []
    for (num, name), row in table.iterrows():
        cells = {'model': f'{name}, {num} fields'}
        cells.update({key: f'{value:.4f}' for key, value in row.items()})
        own = frame[(frame.model == name) & (frame.fields == num)].AUC.to_numpy()
        if f'{name}, {num}' in bounds:
            low, high = bounds[f'{name}, {num}']
            cells[f'less FM, {first} fields'] = f'{(own - base).mean():+.4f}'
            cells['interval by user'] = f'{low:+.4f} to {high:+.4f}'
            cells['seeds ahead'] = f'{(own > base).sum()} of {len(own)}'
        s = setting.loc[(num, name)]
        cells['valid'] = f'{s.valid:.4f}'
        cells['lr'], cells['wd'] = f'{s.setting["lr"]:.4f}', f'{s.setting["wd"]:.1e}'
        cells['dropout'] = f'{s.setting["drop"]}'
        shown.append(cells)
    print(markdown(pd.DataFrame(shown).fillna('').set_index('model')))
    print()
    wide = frame.assign(column=frame.model + ', ' + frame.fields.astype(str))
    wide = wide.pivot(index='column', columns='seed', values='AUC').loc[list(scores)]
    wide.index.name = 'test AUC by seed'
    print(markdown(wide.apply(lambda column: column.map('{:.4f}'.format))))
    print(f'\n{time.time() - seconds:.0f} s')


if __name__ == '__main__':
    main()
