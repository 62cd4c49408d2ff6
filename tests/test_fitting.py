"""The three verbs, and the street they walk: every kind of data set into every kind of net."""

import math

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import gluon, init

DIMS = [20, 15, 10]


@pytest.fixture(scope='module')
def clicks():
    return d2l.planted(3_000, DIMS, linear=0.5, pairwise=1.5, zipf=0.5, seed=3)


@pytest.fixture(scope='module')
def table(clicks):
    """A frame of raw values: words, two numbers, and two columns of weights."""
    rng = np.random.default_rng(0)
    frame = clicks.frame()
    return frame.assign(
        age=rng.normal(40, 10, len(frame)), price=rng.exponential(5, len(frame)),
        war=rng.integers(0, 2, len(frame)), crime=rng.integers(0, 2, len(frame)),
    )  # fmt: skip


@pytest.fixture(scope='module')
def streets(clicks, table):
    """name: (a net, three data sets that it reads)."""
    fields = ['label', 'field1', 'field2', 'field3']
    train = d2l.CTRDataset(table[:2000][fields + ['age', 'price']], dense=['age', 'price'])
    rest = [
        d2l.CTRDataset(part, vocabulary=train.vocabulary, dense=['age', 'price'])
        for part in (table[2000:2500], table[2500:])
    ]
    dense = [train, *rest]
    crosses, scaled = d2l.Crosses(train, [('field1', 'field2')]), d2l.Quantiles(train, 10)
    crossed = [scaled.apply(crosses.apply(part)) for part in dense]
    words = [*fields, 'war', 'crime']
    plain = d2l.CTRDataset(table[:2000][words])
    bagged = [plain] + [
        d2l.CTRDataset(part, vocabulary=plain.vocabulary)
        for part in (table[2000:2500], table[2500:])
    ]
    first = d2l.multi_hot(plain, {'genre': ['war', 'crime']})
    bags = [first] + [
        d2l.multi_hot(part, {'genre': ['war', 'crime']}, bag_sizes=first.bag_sizes)
        for part in bagged[1:]
    ]
    arrays = [(p.columns['ids'], p.columns['dense'], p.labels) for p in dense]
    return {
        'FM on planted data': (lambda: d2l.FM(DIMS, 4), [clicks[:2000], clicks[2000:2500],
                                                         clicks[2500:]]),
        'FM on data with dense columns': (lambda: d2l.FM(train.field_dims, 4), dense),
        'Wide & Deep, dense': (
            lambda: d2l.WideDeep(train.field_dims, 4, [8], num_dense=2), dense),
        'Wide & Deep, crosses and quantiles': (
            lambda: d2l.WideDeep(train.field_dims, 4, [8], cross_dims=crosses.dims, num_dense=2),
            crossed),
        'Wide & Deep, arrays': (
            lambda: d2l.WideDeep(train.field_dims, 4, [8], num_dense=2), arrays),
        'DLRM on bags': (
            lambda: d2l.DLRM(first.field_dims, 4, [8], bag_sizes=first.bag_sizes), bags),
    }  # fmt: skip


NAMES = [
    'FM on planted data', 'FM on data with dense columns', 'Wide & Deep, dense',
    'Wide & Deep, crosses and quantiles', 'Wide & Deep, arrays', 'DLRM on bags',
]  # fmt: skip


@pytest.mark.filterwarnings('ignore:.*unknown')
@pytest.mark.parametrize('name', NAMES)
def test_every_data_set_travels_the_whole_street(streets, name):
    build, (train, valid, test) = streets[name]
    net = build()
    history = d2l.fit(net, train, valid, test, num_epochs=2, batch_size=200)
    report = d2l.evaluate(net, test)
    assert report['log_loss'] == pytest.approx(history.kept['test_loss'], abs=1e-12)
    probs = d2l.predict(net, test)
    labels = test[-1] if isinstance(test, tuple) else test.labels
    assert d2l.auc(labels, probs) == report['auc'] == history.kept['test_auc']
    assert len(probs) == len(labels) and ((probs > 0) & (probs < 1)).all()


@pytest.mark.filterwarnings('ignore:.*unknown')
@pytest.mark.parametrize('name', [n for n in NAMES if 'arrays' not in n])
def test_slices_and_concatenations_keep_everything(streets, name):
    build, (train, valid, test) = streets[name]
    net = build()
    net.initialize(init.Normal(0.5))
    whole, rows = d2l.predict(net, test), np.arange(len(test)) % 3 == 0
    for part, expected in (
        (test[10:50], whole[10:50]),
        (test[rows], whole[rows]),
        (test[np.array([5, 3, 5])], whole[[5, 3, 5]]),
        (d2l.concat([test[:7], test[7:]]), whole),
    ):
        assert type(part) is type(test) and list(part.columns) == list(test.columns)
        np.testing.assert_allclose(d2l.predict(net, part), expected, rtol=1e-5)
        assert len(part.labels) == len(part)


def test_fit_is_the_trainer_written_out(clicks):
    train, valid, test = clicks[:2000], clicks[2000:2500], clicks[2500:]
    short = d2l.fit(
        d2l.DeepFM(DIMS, 4, [8], 0.5),
        train,
        valid,
        test,
        lr=0.02,
        wd=1e-4,
        seed=5,
        num_epochs=3,
        batch_size=100,
    )
    d2l.set_seed(5)
    net = d2l.DeepFM(DIMS, 4, [8], 0.5)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02, 'wd': 1e-4})
    long = d2l.train_ch13(
        net,
        d2l.BatchLoader(train, batch_size=100, shuffle=True, seed=5),
        d2l.BatchLoader(test, batch_size=4096),
        gluon.loss.SigmoidBinaryCrossEntropyLoss(),
        trainer,
        3,
        valid_iter=d2l.BatchLoader(valid, batch_size=4096),
        seed=5,
        verbose=False,
    )

    def measures(history):
        return [{k: v for k, v in row.items() if 'seconds' not in k} for row in history.rows]

    assert measures(short) == measures(long) and short.best_epoch == long.best_epoch


def test_fit_goes_on_from_the_weights_a_net_has(clicks):
    net = d2l.LR(DIMS)
    first = d2l.fit(net, clicks, num_epochs=2)
    second = d2l.fit(net, clicks, num_epochs=1)
    assert second['train_loss'][0] < first['train_loss'][-1] < first['train_loss'][0]


def test_a_trainer_of_one_s_own_a_list_or_a_function(clicks):
    net = d2l.WideDeep(DIMS, 4, [8])
    d2l.fit(net, clicks, trainer=d2l.wide_deep_trainers, num_epochs=1)
    trainers = d2l.wide_deep_trainers(net, wide_lr=0.05)
    d2l.fit(net, clicks, trainer=trainers, num_epochs=1)
    d2l.fit(net, clicks, trainer=gluon.Trainer(net.collect_params(), 'sgd'), num_epochs=1)
    assert net.linear.weight._trainer is not None


def test_an_optimizer_by_name_or_as_it_is(clicks):
    net = d2l.LR(DIMS)
    d2l.fit(net, clicks, optimizer=d2l.FTRL(learning_rate=0.05), num_epochs=1)
    assert type(net.linear.weight._trainer.optimizer) is d2l.FTRL
    with pytest.raises(ValueError, match="optimizer is 'nonsense': give the name of one of Gluon"):
        d2l.fit(d2l.LR(DIMS), clicks, optimizer='nonsense')


def ratings(seed=0, users=40, items=30, num=700):
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(users * items)[:num]
    quality = rng.normal(size=items)
    stars = np.clip(np.round(2 * (3 + quality[pairs % items])) / 2, 0.5, 5)
    return d2l.Ratings(pairs // items, pairs % items, stars, users, items)


def test_ratings_of_pairs(clicks):
    data = ratings()
    net = d2l.MF(4, 40, 30, mean=float(data.labels.mean()))
    history = d2l.fit(
        net, data[:500], data[500:600], data[600:], lr=0.02, wd=1e-3, num_epochs=8, batch_size=50
    )
    report = d2l.evaluate(net, data[600:])
    assert report['rmse'] == pytest.approx(history.kept['test_rmse'], abs=1e-9)
    assert report['ratings'] == 100 and report['rmse'] < data[600:].labels.std()
    predicted = d2l.predict(net, (data[600:].columns['users'], data[600:].columns['items']))
    assert d2l.rmse(data[600:].labels, predicted) == pytest.approx(report['rmse'], abs=1e-9)
    assert predicted.max() > 1  # stars, no probabilities
    for users, items, words in (
        ([0, 40], [0, 1], r'users\[1\] is 40, outside its range, 0 to 39: count from 0'),
        ([0, -1], [0, 1], r'users\[1\] is -1'),
        ([0, 1], [0, 30], r'items\[1\] is 30'),
        ([0, 1.5], [0, 1], r'users\[1\] is 1.5: ids are whole numbers'),
        ([0, np.nan], [0, 1], r'users\[1\] is nan'),
    ):
        with pytest.raises(ValueError, match=words):
            d2l.predict(net, (np.array(users), np.array(items)))
        with pytest.raises(ValueError, match=words):
            d2l.fit(net, (np.array(users), np.array(items), np.ones(2)))
    with pytest.raises(ValueError, match=r'labels\[1\] is nan'):
        d2l.fit(net, ([0, 1], [0, 1], np.array([3, np.nan])))


@pytest.mark.parametrize('by', ['item', 'user'])
def test_ratings_as_rows_learn_ratings_and_not_their_mask(by):
    data = ratings()
    train, test = data[:600], data[600:]
    net = d2l.AutoRec(20, 40 if by == 'item' else 30, dropout=0.0)
    history = d2l.fit(
        net, train.rows(by), None, test.rows(by), lr=0.01, batch_size=10, num_epochs=100
    )
    assert history.rows[0]['train_rows'] == 600
    rows = train.rows(by)
    out = d2l.predict(net, rows)
    seen = rows.columns['mask'] > 0
    assert out[seen].mean() == pytest.approx(train.labels.mean(), abs=0.3)
    assert np.corrcoef(out[seen], rows.columns['rows'][seen])[0, 1] > 0.5
    np.testing.assert_array_equal(d2l.predict(net, train), out)  # ratings become its rows
    report = d2l.evaluate(net, test, shown=train)
    assert report['rmse'] == pytest.approx(history.kept['test_rmse'], abs=1e-6)
    with pytest.raises(ValueError, match='pass what it is shown'):
        d2l.evaluate(net, test)


def test_rows_and_mask_without_held_out_ratings_are_no_input_and_target():
    rows = ratings().rows('item')
    net = d2l.AutoRec(8, 40, dropout=0.0)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.05})
    loader = d2l.BatchLoader(rows.columns['rows'], rows.columns['mask'], batch_size=10)
    history = d2l.train_recsys_rating(
        net, loader, None, gluon.loss.L2Loss(), trainer, 30, verbose=False
    )
    assert history.rows[0]['train_rows'] == 700
    seen = rows.columns['mask'] > 0
    assert d2l.predict(net, rows.columns['rows'])[seen].mean() > 2


def test_implicit_feedback_of_pairs():
    data = ratings()
    clicks = (data.columns['users'], data.columns['items'], (data.labels > 3).astype('float32'))
    net = d2l.NeuMF(4, 40, 30, [8])
    history = d2l.fit(net, clicks, None, clicks, num_epochs=3)
    assert 'test_auc' in history.kept and d2l.predict(net, clicks[:2]).max() <= 1


def test_a_net_that_does_not_say_what_it_reads(clicks):
    class Mine(gluon.nn.Block):
        def __init__(self):
            super().__init__()
            self.embedding = gluon.nn.Embedding(sum(DIMS), 1)

        def forward(self, x):
            return self.embedding(x).sum(axis=1)

    net = Mine()
    with_dense = clicks.with_columns(dense=np.ones((len(clicks), 2)))
    d2l.fit(net, with_dense[:2000], None, clicks[2000:], num_epochs=2)
    assert d2l.evaluate(net, with_dense[2000:]) == d2l.evaluate(net, clicks[2000:])
    np.testing.assert_array_equal(d2l.predict(net, clicks.features), d2l.predict(net, with_dense))


def test_batches_of_a_list(clicks):
    net = d2l.LR(DIMS)
    net.initialize()
    batches = [(mx.np.array(clicks[:5].features), mx.np.array(clicks[:5].labels))]
    assert d2l.predict(net, batches).tolist() == [0.5] * 5
    assert d2l.evaluate(net, batches)['log_loss'] == pytest.approx(np.log(2))


def test_a_frame_is_refused_with_the_way(clicks):
    net = d2l.LR(DIMS)
    net.initialize()
    for verb in (d2l.predict, d2l.evaluate, d2l.fit):
        with pytest.raises(ValueError, match=r'encode it first.*train.encoder.encode\(frame\)'):
            verb(net, pd.DataFrame({'a': [1]}))


def test_parts_of_different_vocabularies_are_refused(table):
    fields = ['label', 'field1', 'field2']
    train = d2l.CTRDataset(table[:2000][fields])
    other = d2l.CTRDataset(table[2000:][fields])
    net = d2l.LR(train.field_dims)
    with pytest.raises(
        ValueError, match='than the training data, by another vocabulary.*train.encoder'
    ):
        d2l.fit(net, train, other)
    d2l.fit(net, train, d2l.CTRDataset(table[2000:][fields], vocabulary=train.vocabulary))


def test_predictions_stand_in_the_order_of_the_rows_or_are_refused(clicks):
    net = d2l.LR(DIMS)
    net.initialize()
    for options, words in (
        ({'shuffle': True}, 'the loader shuffles'),
        ({'last_batch': 'discard'}, "last_batch is 'discard', so that rows would be left out"),
    ):
        with pytest.raises(ValueError, match=words):
            d2l.predict(net, d2l.BatchLoader(clicks, batch_size=64, **options))
    assert len(d2l.predict(net, d2l.BatchLoader(clicks, batch_size=64))) == len(clicks)


@pytest.mark.parametrize('hybrid', [False, True])
def test_a_net_that_ends_in_a_sigmoid_gets_no_second_one(clicks, hybrid):
    net = gluon.nn.HybridSequential()
    net.add(d2l.FM(DIMS, 4), gluon.nn.Activation('sigmoid'))
    loss = gluon.loss.SigmoidBCELoss(from_sigmoid=True)
    history = d2l.fit(net, clicks[:2000], clicks[2000:], loss=loss, num_epochs=2)
    net.hybridize(hybrid)
    report = d2l.evaluate(net, clicks[2000:])
    assert report['log_loss'] == pytest.approx(history.kept['valid_loss'], abs=1e-6)
    probs = d2l.predict(net, clicks[2000:])
    assert d2l.log_loss(clicks[2000:].labels, probs) == pytest.approx(report['log_loss'])


def test_ftrl_by_name_keeps_what_was_learned(clicks):
    net = d2l.LR(DIMS)
    d2l.fit(net, clicks, num_epochs=8)
    before = d2l.evaluate(net, clicks)['auc']
    d2l.fit(net, clicks, optimizer='ftrl', num_epochs=1)
    assert d2l.evaluate(net, clicks)['auc'] > before - 0.02


@pytest.mark.parametrize(
    'changes, words',
    [
        ({'seed': 'a'}, "seed is 'a': give a whole number"),
        ({'seed': 1.5}, 'seed is 1.5'),
        ({'seed': -1}, 'seed is -1'),
        ({'trainer': 5}, 'trainer is 5: give a gluon.Trainer'),
        ({'devices': ['cpu']}, r"devices is \['cpu'\]: give different ones"),
        ({'devices': [mx.cpu(0), mx.cpu(0)]}, 'give different ones'),
    ],
)
def test_arguments_of_a_wrong_kind(clicks, changes, words):
    net = d2l.LR(DIMS)
    net.initialize()
    with pytest.raises(ValueError, match=words) as refusal:
        d2l.fit(net, clicks, **changes)
    assert '\n' not in str(refusal.value)


def test_masked_arrays_keep_no_secret(clicks):
    net = d2l.WideDeep(DIMS, 2, [4], num_dense=1)
    net.initialize()
    dense = np.ma.masked_greater(np.linspace(0, 1, len(clicks))[:, None], 0.5)
    with pytest.raises(ValueError, match='dense is a masked array with cells that are missing'):
        d2l.predict(net, (clicks.features, dense))


def test_two_trainers_of_the_same_weights(clicks):
    net = d2l.LR(DIMS)
    net.initialize()
    trainers = [gluon.Trainer(net.collect_params(), 'sgd') for _ in range(2)]
    with pytest.raises(ValueError, match='two trainers train the same weights'):
        d2l.fit(net, clicks, trainer=trainers)


def test_a_bad_batch_of_a_foreign_loader_leaves_the_net_as_it_was(clicks):
    net = d2l.LR(DIMS)
    net.initialize()
    good = (mx.np.array(clicks[:50].features), mx.np.array(clicks[:50].labels))
    bad = (mx.np.array(clicks[:50].features + 40), good[1])
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 1.0})
    with pytest.raises(ValueError, match=r'ids\[\d+, \d+\] is'):
        d2l.train_ch13(
            net, [good, bad], None, gluon.loss.SigmoidBCELoss(), trainer, 1, verbose=False
        )
    assert not net.linear.weight.data().asnumpy().any()


def test_the_learning_rate_falls_along_half_a_cosine_over_all_steps(monkeypatch):
    data, rates = ratings(), {}

    fall = mx.lr_scheduler.CosineScheduler.__call__

    def watched(self, step):
        rates[step] = fall(self, step)
        return rates[step]

    monkeypatch.setattr(mx.lr_scheduler.CosineScheduler, '__call__', watched)
    for optimizer in ('sgd', 'ftrl'):
        rates.clear()
        net = d2l.MF(2, 40, 30)
        d2l.fit(net, data, optimizer=optimizer, lr=0.4, final_lr=0.1, batch_size=500, num_epochs=3)
        steps = 3 * math.ceil(len(data) / 500)
        assert max(rates) == steps
        for step, rate in rates.items():
            assert rate == pytest.approx(0.1 + 0.3 * (1 + math.cos(math.pi * step / steps)) / 2)


@pytest.mark.parametrize(
    'options, match',
    [
        ({'final_lr': 0.5}, 'from 0 to lr'),
        ({'final_lr': -0.1}, 'from 0 to lr'),
        ({'final_lr': 0.01, 'lr_factor': 0.5}, 'give one of them'),
        ({'final_lr': 0.01, 'optimizer': mx.optimizer.Adam()}, 'CosineScheduler'),
        ({'final_lr': 0.01, 'trainer': lambda net: None}, 'CosineScheduler'),
    ],
)
def test_a_fall_that_cannot_be_is_refused(options, match):
    data = ratings()
    with pytest.raises(ValueError, match=match):
        d2l.fit(d2l.MF(2, 40, 30), data, data, lr=0.1, **options)


def test_rows_learn_a_target_that_is_not_what_they_show():
    data = ratings()
    train, test = data[:600], data[600:]
    less = [d2l.Ratings(p.users, p.items, p.ratings - 3, 40, 30) for p in (train, test)]
    net = d2l.AutoRec(20, 30, dropout=0.0)
    shown = train.rows('user', target=less[0])
    history = d2l.fit(net, shown, less[1], less[1], lr=0.01, batch_size=10, num_epochs=60)
    out = d2l.predict(net, shown)
    truth = np.array([out[u, i] - r for u, i, r in zip(*[*test.columns.values(), less[1].labels])])
    assert history.kept['test_rmse'] == pytest.approx(np.sqrt(np.mean(truth**2)), rel=1e-4)
    assert d2l.evaluate(net, less[1], shown=shown)['rmse'] == pytest.approx(
        history.kept['test_rmse'], abs=1e-6
    )
    assert abs(out[shown.columns['mask'] > 0].mean() - less[0].labels.mean()) < 0.3
