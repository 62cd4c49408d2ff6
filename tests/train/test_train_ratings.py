"""The loop over ratings: pairs and rows, what is observed, what is kept and refused."""

import math

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize
from mxnet import autograd, gluon, init
from mxnet.gluon import nn


def ratings(rows=3_000, users=40, items=30, seed=0):
    rng = np.random.default_rng(seed)
    u, i = rng.integers(0, users, rows), rng.integers(0, items, rows)
    r = 3 + rng.normal(size=users)[u] * 0.5 + rng.normal(size=items)[i] * 0.5
    return u, i, r.astype('float32')


class MF(nn.Block):
    """Biases and a product of vectors, as a reader would write it."""

    def __init__(self, users, items):
        super().__init__()
        self.P, self.Q = nn.Embedding(users, 4), nn.Embedding(items, 4)
        self.b, self.c = nn.Embedding(users, 1), nn.Embedding(items, 1)

    def forward(self, u, i):
        return (self.P(u) * self.Q(i)).sum(-1) + self.b(u)[:, 0] + self.c(i)[:, 0]


def test_rating_loss_and_rmse_are_means_over_all_ratings():
    u, i, r = ratings()
    train_iter = d2l.BatchLoader(u, i, r, batch_size=700)  # 4 full batches and one of 200
    net = MF(40, 30)
    net.initialize(init.Normal(0.1))
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.0})
    history = d2l.train_recsys_rating(
        net, train_iter, train_iter, gluon.loss.L2Loss(), trainer, 1, verbose=False
    )
    out = net(mx.np.array(u), mx.np.array(i)).asnumpy()
    assert history['train_loss'][0] == pytest.approx(((out - r) ** 2).mean() / 2, rel=1e-5)
    assert history['test_rmse'][0] == pytest.approx(math.sqrt(((out - r) ** 2).mean()), rel=1e-5)
    assert history.rows[0]['train_rows'] == 3_000


def test_ratings_are_learned():
    u, i, r = ratings()
    train_iter = d2l.BatchLoader(
        u[:2_500], i[:2_500], r[:2_500], batch_size=100, shuffle=True, seed=0
    )
    test_iter = d2l.BatchLoader(u[2_500:], i[2_500:], r[2_500:], batch_size=100)
    net = MF(40, 30)
    net.initialize(init.Normal(0.1))
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.05})
    history = d2l.train_recsys_rating(
        net, train_iter, test_iter, gluon.loss.L2Loss(), trainer, 15, verbose=False, seed=0
    )
    assert history.kept['test_rmse'] < 0.3 * r[2_500:].std()


class AutoRec(nn.Block):
    """As in the original chapter: masks its own output while training."""

    def __init__(self, num_hidden, num_users):
        super().__init__()
        self.encoder = nn.Dense(num_hidden, activation='sigmoid')
        self.decoder = nn.Dense(num_users)

    def forward(self, x):
        out = self.decoder(self.encoder(x))
        return out * mx.np.sign(x) if autograd.is_training() else out


@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_rows_of_a_matrix_count_their_ratings_only(devices):
    u, i, r = ratings(600)
    held = np.arange(600) % 5 == 0
    matrix, test = np.zeros((30, 40), 'float32'), np.zeros((30, 40), 'float32')
    matrix[i[~held], u[~held]] = r[~held]
    test[i[held], u[held]] = r[held]
    net = AutoRec(8, 40)
    net.initialize(ctx=devices)
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.0})
    train_iter = d2l.BatchLoader(matrix, batch_size=7)
    history = d2l.train_recsys_rating(
        net,
        train_iter,
        d2l.BatchLoader(matrix, batch_size=8),
        gluon.loss.L2Loss(),
        trainer,
        1,
        devices,
        inter_mat=mx.np.array(test),
        verbose=False,
    )
    out = net(mx.np.array(matrix, ctx=devices[0])).asnumpy()
    seen, asked = matrix != 0, test != 0
    assert history.rows[0]['train_rows'] == seen.sum()
    assert history['train_loss'][0] == pytest.approx(
        np.square(out - matrix)[seen].mean() / 2, rel=1e-4
    )
    assert history['test_rmse'][0] == pytest.approx(
        np.sqrt(np.square(out - test)[asked].mean()), rel=1e-4
    )


def test_a_reader_s_own_evaluator_is_called_as_in_the_original():
    matrix = np.ones((6, 5), 'float32')
    loader, calls = d2l.BatchLoader(matrix, batch_size=3), []

    def evaluator(network, inter_matrix, test_data, devices):
        calls.append((network, inter_matrix, test_data, devices))
        return 0.5

    net = AutoRec(2, 5)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
    history = d2l.train_recsys_rating(
        net,
        loader,
        loader,
        gluon.loss.L2Loss(),
        trainer,
        2,
        d2l.try_all_gpus(),
        evaluator,
        inter_mat=matrix,
        verbose=False,
    )
    assert history['test_rmse'] == [0.5, 0.5] and len(calls) == 2
    assert calls[0][:2] == (net, loader) and calls[0][2] is matrix


@pytest.fixture
def centred():
    """Rows (30, 40) of centred ratings, many of them 0, with masks of training and test."""
    rng = np.random.default_rng(0)
    rows = (rng.integers(1, 6, (30, 40)) - 3.0).astype('float32')
    drawn = rng.random(rows.shape)
    return rows, drawn < 0.4, drawn > 0.8


def frozen(net, devices=None):
    net.initialize(init.Normal(0.3), ctx=devices)
    return gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.0})


@pytest.mark.parametrize('filler', [0, 7, float('nan')])
@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_an_explicit_mask_decides_what_is_observed(centred, devices, filler):
    rows, seen, asked = centred
    shown = np.where(seen, rows, 0)
    net = d2l.AutoRec(8, 40, dropout=0)
    trainer = frozen(net, devices)
    given = np.where(seen, rows, np.float32(filler))  # what is not observed may be anything
    loader = d2l.BatchLoader(given, seen, batch_size=7)
    history = d2l.train_recsys_rating(
        net,
        loader,
        loader,
        gluon.loss.L2Loss(),
        trainer,
        1,
        devices,
        inter_mat=np.where(asked, rows, np.float32(filler)),
        inter_mask=asked,
        verbose=False,
    )
    out = net(mx.np.array(shown, ctx=devices[0])).asnumpy()
    assert (rows[seen] == 0).sum() > 50 and (rows[asked] == 0).sum() > 20
    assert history.rows[0]['train_rows'] == seen.sum()
    assert history['train_loss'][0] == pytest.approx(
        np.square(out - rows)[seen].mean() / 2, rel=1e-4
    )
    assert history['test_rmse'][0] == pytest.approx(
        math.sqrt(np.square(out - rows)[asked].mean()), rel=1e-4
    )


@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_what_is_shown_need_not_be_what_is_rebuilt(centred, devices):
    rows, seen, asked = centred
    shown, target = np.where(seen, 3, 0).astype('float32'), rows - 1
    net = d2l.AutoRec(8, 40, dropout=0)
    trainer = frozen(net, devices)
    loader = d2l.BatchLoader(shown, seen, target, batch_size=7)
    history = d2l.train_recsys_rating(
        net, loader, loader, gluon.loss.L2Loss(), trainer, 1, devices,
        inter_mat=target, inter_mask=asked, verbose=False,
    )  # fmt: skip
    out = net(mx.np.array(shown, ctx=devices[0])).asnumpy()
    squared, held_out = np.square(out - target), []
    for i, j in np.argwhere(asked):  # the definition
        held_out.append((target[i, j] - out[i, j]) ** 2)
    assert history['train_loss'][0] == pytest.approx(squared[seen].mean() / 2, rel=1e-4)
    assert history['test_rmse'][0] == pytest.approx(math.sqrt(np.mean(held_out)), rel=1e-4)
    with pytest.raises(ValueError, match='the target has shape'):
        wrong = d2l.BatchLoader(shown, seen, target[:, :39], batch_size=7)
        d2l.train_recsys_rating(
            net, wrong, None, gluon.loss.L2Loss(), trainer, 1, devices, verbose=False
        )


def test_without_a_mask_zero_is_unobserved_as_in_the_original(centred):
    rows, seen, asked = centred
    shown, held = np.where(seen, rows, 0), np.where(asked, rows, 0)
    net = d2l.AutoRec(8, 40, dropout=0)
    trainer = frozen(net)
    loader = d2l.BatchLoader(shown, batch_size=7)
    history = d2l.train_recsys_rating(
        net,
        loader,
        loader,
        gluon.loss.L2Loss(),
        trainer,
        1,
        inter_mat=mx.np.array(held),
        verbose=False,
    )
    out = net(mx.np.array(shown)).asnumpy()
    assert history.rows[0]['train_rows'] == (shown != 0).sum() < seen.sum()
    assert history['test_rmse'][0] == pytest.approx(
        math.sqrt(np.square(out - held)[held != 0].mean()), rel=1e-4
    )
    assert d2l.evaluator(net, loader, held, d2l.try_all_gpus()) == history['test_rmse'][0]
    assert d2l.evaluator(net, loader, rows, mask=asked) == pytest.approx(
        math.sqrt(np.square(out - rows)[asked].mean()), rel=1e-4
    )
    assert d2l.evaluator(net, loader, rows, mask=asked) != history['test_rmse'][0]


def test_the_step_is_the_gradient_of_the_mean_over_observed_ratings(centred):
    rows, seen, _ = centred
    net = d2l.AutoRec(8, 40, dropout=0)
    net.initialize(init.Normal(0.3))
    before = net.decoder.bias.data().asnumpy()
    out = net(mx.np.array(np.where(seen, rows, 0))).asnumpy()
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 1.0})
    d2l.train_recsys_rating(
        net,
        d2l.BatchLoader(rows, seen, batch_size=30),
        None,
        gluon.loss.L2Loss(),
        trainer,
        1,
        valid_iter=d2l.BatchLoader(rows, seen, batch_size=30),
        valid_mat=rows,
        verbose=False,
    )
    gradient = np.where(seen, out - rows, 0).sum(0) / seen.sum()
    np.testing.assert_allclose(before - net.decoder.bias.data().asnumpy(), gradient, atol=1e-6)


@pytest.mark.parametrize('rebuilds', [True, False])
def test_two_devices_learn_ratings_as_one_does(centred, rebuilds):
    """The last batch is a single row: one device is idle."""
    rows, seen, _ = centred
    u, i, r = ratings(61)
    weights = []
    for devices in ([mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]):
        if rebuilds:
            net = d2l.AutoRec(8, 40, 0)
            loader = d2l.BatchLoader(rows[:21], seen[:21], batch_size=5)
            more = {'inter_mat': rows[:21]}
        else:
            net, loader = d2l.MF(4, 40, 30), d2l.BatchLoader(u, i, r, batch_size=20)
            more = {}
        randomize(net, scale=0.1, ctx=devices)
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.5})
        d2l.train_recsys_rating(
            net, loader, loader, gluon.loss.L2Loss(), trainer, 3, devices, verbose=False, **more
        )
        weights.append([p.data(devices[0]).asnumpy() for p in net.collect_params().values()])
    for one, two in zip(*weights):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


def test_the_best_epoch_of_a_rating_model_is_kept():
    u, i, r = ratings(400)
    r = r + np.random.default_rng(1).normal(scale=0.8, size=400).astype('float32')
    parts = [
        d2l.BatchLoader(u[s], i[s], r[s], batch_size=50)
        for s in (slice(150), slice(150, 250), slice(250, 400))
    ]

    def run(**kwargs):
        mx.random.seed(0)
        net = d2l.MF(8, 40, 30, mean=3.0)
        net.initialize()
        trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.1})
        return net, d2l.train_recsys_rating(
            net,
            parts[0],
            parts[2],
            gluon.loss.L2Loss(),
            trainer,
            25,
            valid_iter=parts[1],
            verbose=False,
            **kwargs,
        )

    net, history = run()
    errors = history['valid_rmse']
    assert history.best_epoch == 1 + errors.index(min(errors)) < len(errors) == 25
    out = net(mx.np.array(u[250:]), mx.np.array(i[250:]))
    assert d2l.rmse(r[250:], out) == pytest.approx(history.kept['test_rmse'], rel=1e-5)
    _, early = run(patience=3)
    assert len(early) == early.best_epoch + 3 < 25


@pytest.mark.parametrize('several', [False, True])
def test_one_trainer_a_part(centred, several):
    """The encoder stands still where its own trainer has a learning rate of 0."""
    rows, seen, _ = centred
    net = randomize(d2l.AutoRec(8, 40, dropout=0))
    before = net.encoder[0].weight.data().asnumpy(), net.decoder.weight.data().asnumpy()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.1})
    if several:
        trainer = [
            gluon.Trainer(net.encoder.collect_params(), 'sgd', {'learning_rate': 0.0}),
            gluon.Trainer(net.decoder.collect_params(), 'adam', {'learning_rate': 0.1}),
        ]
    loader = d2l.BatchLoader(rows, seen, batch_size=10)
    d2l.train_recsys_rating(
        net, loader, loader, gluon.loss.L2Loss(), trainer, 2, inter_mat=rows, verbose=False
    )
    assert (net.encoder[0].weight.data().asnumpy() == before[0]).all() == several
    assert (net.decoder.weight.data().asnumpy() != before[1]).all()


def test_a_reader_s_evaluator_gets_the_mask_that_was_passed():
    rows, calls = np.ones((6, 5), 'float32'), []
    net = d2l.AutoRec(2, 5)
    trainer = frozen(net)
    loader = d2l.BatchLoader(rows, rows, batch_size=3)
    d2l.train_recsys_rating(
        net,
        loader,
        loader,
        gluon.loss.L2Loss(),
        trainer,
        1,
        None,
        lambda *args: calls.append(args) or 1.0,
        rows,
        inter_mask=rows > 0,
        verbose=False,
    )
    assert len(calls[0]) == 5 and calls[0][2] is rows and calls[0][4].dtype == bool


def test_rating_training_prints_what_it_reached(centred, capsys):
    rows, seen, asked = centred
    net = d2l.AutoRec(2, 40)
    trainer = frozen(net)
    loader = d2l.BatchLoader(rows, seen, batch_size=10)
    row = d2l.train_recsys_rating(
        net, loader, loader, gluon.loss.L2Loss(), trainer, 1, inter_mat=rows, inter_mask=asked
    ).kept
    out = capsys.readouterr().out
    assert f'train loss {row["train_loss"]:.3f}, test RMSE {row["test_rmse"]:.3f}' in out
    assert 'examples/sec on [cpu(0)]' in out


def rating_refusals():
    rows, mask = np.ones((6, 5), 'float32'), np.ones((6, 5), bool)

    def run(rows=rows, mask=mask, **kwargs):
        net = d2l.AutoRec(2, 5)
        trainer = frozen(net)
        loader = d2l.BatchLoader(rows, mask, batch_size=4)
        d2l.train_recsys_rating(
            net,
            loader,
            loader,
            gluon.loss.L2Loss(),
            trainer,
            1,
            verbose=False,
            **{'inter_mat': rows, **kwargs},
        )

    infinite = np.full((6, 5), np.inf, 'float32')
    return [
        (lambda: run(patience=2), 'patience needs a validation set'),
        (lambda: run(mask=mask[:, :4]), r'mask has shape \(4, 4\) and the rows \(4, 5\)'),
        (lambda: run(mask=~mask), 'training data holds no rating'),
        (lambda: run(rows=infinite), r'is inf'),
        (lambda: run(inter_mask=~mask), 'no test rating to measure'),
        (lambda: run(inter_mat=rows[:5]), 'more rows than the 5'),
        (lambda: run(inter_mat=np.ones((9, 5))), 'gives 6 rows for the 9'),
    ]


@pytest.mark.parametrize('case', range(7))
def test_rating_refusals_say_what_where_and_what_to_do(case):
    call, words = rating_refusals()[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


def test_each_epoch_has_a_seed_of_its_own():
    orders = []

    class Loader(list):
        def __iter__(self):
            orders.append(np.random.permutation(1_000)[:5].tolist())
            return super().__iter__()

    u, i, r = ratings(20)
    loader = Loader([(mx.np.array(u), mx.np.array(i), mx.np.array(r))])
    for start in (0, 1):
        np.random.seed(start)
        net = d2l.MF(2, 40, 30)
        trainer = frozen(net)
        d2l.train_recsys_rating(
            net, loader, None, gluon.loss.L2Loss(), trainer, 3, seed=5, verbose=False
        )
    assert orders[:3] == orders[3:] and orders[0] != orders[1] != orders[2]
