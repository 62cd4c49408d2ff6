"""MF, AutoRec, NeuMF and the bias baseline: what they start from, learn and refuse."""

import os

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import randomize, weights_of
from mxnet import autograd, gluon, init

U, I, K, MEAN = 6, 9, 3, 3.5


def pairs(rows, seed=0):
    rng = np.random.default_rng(seed)
    return (
        mx.np.array(rng.integers(0, U, rows), dtype='int32'),
        mx.np.array(rng.integers(0, I, rows), dtype='int32'),
    )


def rows_of_ratings(rows, seed=0):
    rng = np.random.default_rng(seed)
    return (mx.np.array(rng.integers(0, 6, (rows, U)), dtype='float32'),)


def test_mf_starts_at_the_global_mean():
    net = d2l.MF(K, U, I, mean=MEAN)
    net.initialize()
    out = net(*pairs(20)).asnumpy()
    assert abs(out - MEAN).max() < 0.01 and out.std() > 0  # vectors are small, not 0
    assert not net.user_bias.data().any() and not net.item_bias.data().any()
    assert net.P.weight.shape == (U, K) and net.Q.weight.shape == (I, K)


def test_the_global_mean_is_not_trained():
    net = d2l.MF(K, U, I, mean=MEAN)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1, 'wd': 0.1})
    with autograd.record():
        net(*pairs(20)).sum().backward()
    trainer.step(1)
    assert net.mean == net.config['mean'] == MEAN and net.user_bias.data().any()
    assert not any('mean' in name for name in net.collect_params())


def test_neumf_without_its_mlp_is_a_weighted_product():
    net = randomize(d2l.NeuMF(K, U, I, [5]))
    for param in net.mlp.output.collect_params().values():
        param.set_data(mx.np.zeros(param.shape))
    net.gmf.weight.set_data(mx.np.ones((1, K)))
    users, items = pairs(7)
    dots = [
        float((net.P.weight.data()[u] * net.Q.weight.data()[i]).sum())
        for u, i in zip(users.asnumpy(), items.asnumpy())
    ]
    np.testing.assert_allclose(net(users, items).asnumpy()[:, 0], dots, rtol=1e-4, atol=1e-6)


def test_autorec_is_the_same_in_training_but_for_dropout():
    (x,) = rows_of_ratings(5)
    for dropout, same in ((0, True), (0.5, False)):
        net = randomize(d2l.AutoRec(20, U, dropout))
        out = net(x).asnumpy()
        with autograd.train_mode():
            trained = net(x).asnumpy()
        assert (out == trained).all() == same
        # Where nothing is known a rating is still predicted, in training too.
        assert trained[x.asnumpy() == 0].all()


@pytest.mark.parametrize('num_hidden', [4, [5, 4]])
def test_autorec_decays_weights_and_not_biases(num_hidden):
    net = randomize(d2l.AutoRec(num_hidden, U))
    before = weights_of(net)
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1, 'wd': 0.5})
    with autograd.record():
        (net(rows_of_ratings(5)[0]) * 0).sum().backward()
    trainer.step(1)
    for name, weight in weights_of(net).items():
        shrunk = before[name] * (1 if name.endswith('bias') else 1 - 0.1 * 0.5)
        np.testing.assert_allclose(weight, shrunk, rtol=1e-6)
    assert sum(name.endswith('bias') for name in before) == (3 if num_hidden == [5, 4] else 2)


def biased_ratings(rows=4_000, users=60, items=40, seed=0):
    rng = np.random.default_rng(seed)
    u, i = rng.integers(0, users, rows), rng.integers(0, items, rows)
    b, c = rng.normal(scale=0.6, size=users), rng.normal(scale=0.6, size=items)
    return u, i, 3 + b[u] + c[i] + rng.normal(scale=0.3, size=rows)


def test_bias_baseline_minimizes_the_damped_squares():
    u, i, r = biased_ratings(500, 12, 10)
    model = d2l.BiasBaseline(damping=4.0, num_passes=200).fit(u, i, r)
    design = np.zeros((500 + 22, 22))
    design[np.arange(500), u] = design[np.arange(500), 12 + i] = 1
    design[500:] = np.eye(22) * 2.0  # the square root of the damping
    solved = np.linalg.lstsq(design, np.append(r - r.mean(), np.zeros(22)), rcond=None)[0]
    np.testing.assert_allclose(np.append(model.user_bias, model.item_bias), solved, atol=1e-8)
    np.testing.assert_allclose(model.predict(u, i), r.mean() + solved[u] + solved[12 + i])


def test_bias_baseline_learns_biases_and_knows_what_it_has_not_seen():
    u, i, r = biased_ratings()
    model = d2l.BiasBaseline().fit(u[:3_000], i[:3_000], r[:3_000], num_users=70)
    assert d2l.rmse(r[3_000:], model.predict(u[3_000:], i[3_000:])) < 0.34
    assert model.predict([65, 99], [40, 1_000]) == pytest.approx([model.mean] * 2)
    plain = d2l.BiasBaseline(damping=0).fit([0, 0, 2], [0, 1, 1], [1.0, 2.0, 3.0])
    assert np.isfinite(plain.user_bias).all() and plain.user_bias[1] == 0


def test_mf_learns_products_that_biases_cannot():
    rng = np.random.default_rng(0)
    u, i = rng.integers(0, 60, 6_000), rng.integers(0, 40, 6_000)
    p, q = rng.normal(size=(60, 2)), rng.normal(size=(40, 2))
    r = (3 + (p[u] * q[i]).sum(1) * 0.7).astype('float32')
    baseline = d2l.BiasBaseline().fit(u[:5_000], i[:5_000], r[:5_000])
    net = d2l.MF(4, 60, 40, mean=r[:5_000].mean())
    net.initialize(init.Normal(0.1))
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    train_iter = d2l.BatchLoader(u[:5_000], i[:5_000], r[:5_000], batch_size=100, shuffle=True)
    test_iter = d2l.BatchLoader(u[5_000:], i[5_000:], r[5_000:], batch_size=500)
    history = d2l.train_recsys_rating(
        net, train_iter, test_iter, gluon.loss.L2Loss(), trainer, 12, seed=0, verbose=False
    )
    assert history.kept['test_rmse'] < 0.3
    assert d2l.rmse(r[5_000:], baseline.predict(u[5_000:], i[5_000:])) > 0.8


def test_neumf_learns_implicit_feedback():
    rng = np.random.default_rng(0)
    u, i = rng.integers(0, 40, 6_000), rng.integers(0, 30, 6_000)
    p, q = rng.normal(size=(40, 2)), rng.normal(size=(30, 2))
    y = ((p[u] * q[i]).sum(1) > 0).astype('float32')
    net = d2l.NeuMF(4, 40, 30, [16])
    net.initialize(init.Xavier())
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    train_iter = d2l.BatchLoader(u[:5_000], i[:5_000], y[:5_000], batch_size=100, shuffle=True)
    d2l.train_recsys_rating(
        net, train_iter, None, gluon.loss.SigmoidBCELoss(), trainer, 10, seed=0, verbose=False
    )
    out = net(mx.np.array(u[5_000:]), mx.np.array(i[5_000:]))
    assert d2l.auc(y[5_000:], out) > 0.95


@pytest.mark.skipif(
    'D2LREC_ML100K' not in os.environ, reason='D2LREC_ML100K does not name a folder with u.data'
)
def test_biases_on_the_first_fold_of_movielens_100k():
    data = pd.read_csv(
        os.path.join(os.environ['D2LREC_ML100K'], 'u.data'),
        sep='\t',
        names=['user', 'item', 'rating', 'time'],
    )
    train, test = d2l.ml100k_fold(data, 1)
    baseline = d2l.BiasBaseline().fit(train.user - 1, train.item - 1, train.rating)
    rmse = d2l.rmse(test.rating.to_numpy(), baseline.predict(test.user - 1, test.item - 1))
    mean = d2l.rmse(test.rating.to_numpy(), np.full(len(test), train.rating.mean()))
    assert rmse == pytest.approx(0.9547, abs=0.0005) and mean == pytest.approx(1.1537, abs=0.0001)


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda: d2l.MF(K, 0, I), 'MF got num_users = 0: give a whole number, 1 or more'),
        (
            lambda: d2l.MF(K, U, I)(mx.np.zeros(3), mx.np.zeros(2)),
            r'users \(rows,\), items \(rows,\) but got .* \(3,\), \(2,\)',
        ),
        (
            lambda: d2l.NeuMF(K, U, I, [4])(mx.np.zeros((3, 1)), mx.np.zeros((3, 1))),
            r'users \(rows,\), items \(rows,\) but got .* \(3, 1\), \(3, 1\)',
        ),
        (lambda: d2l.AutoRec(4, U)(mx.np.zeros((3, I))), r'rows \(rows, 6\).*\(3, 9\).*transpose'),
        (lambda: d2l.AutoRec(4, U, encoder_activation='swish'), "no activation 'swish'.*'relu'"),
        (lambda: d2l.BiasBaseline().fit([0], [0, 1], [3.0, 4.0]), '1 users, 2 items and 2 ratings'),
        (lambda: d2l.BiasBaseline().fit([0, -1], [0, 1], [3.0, 4.0]), 'row 1 has the user id -1'),
    ],
)
def test_refusals_say_what_where_and_what_to_do(call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


def test_the_baseline_takes_ratings_whole():
    rng = np.random.default_rng(0)
    pairs = rng.permutation(12 * 9)[:50]
    data = d2l.Ratings(pairs // 9, pairs % 9, rng.integers(1, 6, 50), 12, 9)
    whole = d2l.BiasBaseline().fit(data[:40])
    parts = d2l.BiasBaseline().fit(
        data[:40].users, data[:40].items, data[:40].ratings, num_users=12, num_items=9
    )
    assert len(whole.user_bias) == 12 and len(whole.item_bias) == 9
    np.testing.assert_array_equal(
        whole.predict(data[40:]), parts.predict(data[40:].users, data[40:].items)
    )
