"""The loops: what they learn, keep, count and refuse."""

import math
import warnings

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize
from mxnet import autograd, gluon, init
from mxnet.gluon import nn

import d2lrec as d2l

DIMS = [20, 15, 10]


@pytest.fixture(scope='module')
def clicks():
    return d2l.planted(30_000, DIMS, linear=0.5, pairwise=1.5, zipf=0.5, seed=3)


def loaders(clicks, batch_size=500, seed=0):
    parts = clicks[:20_000], clicks[20_000:25_000], clicks[25_000:]
    return [
        d2l.BatchLoader(
            p.features,
            p.labels,
            batch_size=batch_size,
            shuffle=i == 0,
            seed=seed if i == 0 else None,
        )
        for i, p in enumerate(parts)
    ]


def train(net, data, epochs=6, lr=0.02, optimizer='adam', devices=None, **kwargs):
    mx.random.seed(1)
    net.initialize(ctx=devices or mx.cpu(), force_reinit=True)
    trainer = gluon.Trainer(net.collect_params(), optimizer, {'learning_rate': lr})
    train_iter, valid_iter, test_iter = data
    return d2l.train_ch13(
        net,
        train_iter,
        test_iter,
        gluon.loss.SigmoidBCELoss(),
        trainer,
        epochs,
        devices,
        valid_iter=valid_iter,
        verbose=False,
        **kwargs,
    )


def test_fm_learns_pairs_that_lr_cannot(clicks):
    best = clicks[25_000:].best['auc']
    fm, lr = d2l.FM(DIMS, 4), d2l.LR(DIMS)
    fm_auc = train(fm, loaders(clicks), 12).last['test_auc']
    lr_auc = train(lr, loaders(clicks), 12).last['test_auc']
    assert best - fm_auc < 0.01
    assert best - lr_auc > 0.05


def test_random_labels_teach_nothing():
    noise = d2l.planted(30_000, DIMS, random_labels=True, seed=5)
    history = train(d2l.DeepFM(DIMS, 4, [16]), loaders(noise))
    assert abs(history.last['test_auc'] - 0.5) < 0.03


def test_history_is_what_a_fresh_pass_measures(clicks):
    data, net = loaders(clicks), d2l.FM(DIMS, 4)
    history = train(net, data)
    report = d2l.evaluate(net, data[2])
    assert history.last['test_auc'] == pytest.approx(report['auc'], abs=1e-9)
    assert history.last['test_loss'] == pytest.approx(report['log_loss'], abs=1e-9)
    assert history.last['test_acc'] == pytest.approx(report['accuracy'], abs=1e-9)
    probs = d2l.predict(net, data[2])
    assert probs.shape == (5_000,) and (0 < probs).all() and (probs < 1).all()
    assert d2l.log_loss(clicks[25_000:].labels, probs) == pytest.approx(report['log_loss'])
    assert list(history.table().index) == list(range(1, 7))


def test_train_loss_is_the_mean_over_rows_uneven_batches_included():
    # A learning rate of 0 freezes the net: every epoch's training loss is the loss of that net.
    data = d2l.planted(1_030, DIMS, seed=1)
    net = randomize(d2l.FM(DIMS, 4))
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.0})
    loader = d2l.BatchLoader(data.features, data.labels, batch_size=500, shuffle=True, seed=0)
    history = d2l.train_ch13(
        net, loader, loader, gluon.loss.SigmoidBCELoss(), trainer, 2, verbose=False
    )
    report = d2l.evaluate(net, d2l.BatchLoader(data.features, data.labels, batch_size=7))
    assert history['train_loss'] == pytest.approx([report['log_loss']] * 2, abs=1e-5)
    assert history['train_acc'] == pytest.approx([report['accuracy']] * 2)
    assert [row['train_rows'] for row in history.rows] == [1_030, 1_030]


def test_the_best_epoch_is_kept(clicks):
    small = loaders(clicks)
    tiny = clicks[:400]
    small[0] = d2l.BatchLoader(tiny.features, tiny.labels, batch_size=50, shuffle=True, seed=0)
    net = d2l.FM(DIMS, 8)
    history = train(net, small, epochs=30, lr=0.05)
    losses = history['valid_loss']
    assert history.best_epoch == 1 + losses.index(min(losses)) < len(losses)
    assert d2l.evaluate(net, small[1])['log_loss'] == pytest.approx(min(losses), abs=1e-9)
    by_auc = train(d2l.FM(DIMS, 8), small, epochs=30, lr=0.05, monitor='auc')
    assert by_auc.best_epoch == 1 + by_auc['valid_auc'].index(max(by_auc['valid_auc']))
    early = train(d2l.FM(DIMS, 8), small, epochs=30, lr=0.05, patience=3)
    assert len(early) == early.best_epoch + 3 < 30


def test_the_rate_falls_after_each_epoch_without_a_better_one(clicks, tmp_path):
    rates, tiny, held_out = [], clicks[:400], loaders(clicks)[1]

    class Trainer(gluon.Trainer):
        def set_learning_rate(self, lr):
            rates.append(lr)
            super().set_learning_rate(lr)

    def run(epochs, path=None):
        mx.random.seed(1)
        net = d2l.FM(DIMS, 8)
        net.initialize()
        trainer = Trainer(net.collect_params(), 'adam', {'learning_rate': 0.3})
        loader = d2l.BatchLoader(tiny.features, tiny.labels, batch_size=50, shuffle=True, seed=0)
        history = d2l.train_ch13(
            net,
            loader,
            None,
            gluon.loss.SigmoidBCELoss(),
            trainer,
            epochs,
            valid_iter=held_out,
            monitor='auc',
            lr_factor=0.1,
            seed=0,
            verbose=False,
            checkpoint=path,
        )
        return history['valid_auc'], trainer.learning_rate

    aucs, last = run(9)
    worse = sum(auc <= max(aucs[:e]) for e, auc in enumerate(aucs) if e)
    assert worse == len(rates) > 1
    assert last == pytest.approx(0.3 * 0.1**worse)
    run(5, tmp_path / 'run')
    assert run(9, tmp_path / 'run') == (aucs, pytest.approx(last))


def test_decay_reaches_the_whole_tables_of_ids_and_nothing_else():
    """Where gradients are 0, SGD with wd = λ shrinks a weight by λ · rate a step."""
    net = randomize(d2l.decay_embeddings_only(d2l.WideDeep(DIMS, 4, [8], batch_norm=True)))
    before = {name: p.data().asnumpy() for name, p in net.collect_params().items()}
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.5, 'wd': 0.1})
    with autograd.record():
        loss = net(mx.np.zeros((2, 3), 'int32')) * 0
    loss.backward()
    trainer.step(1)
    tables = {net.embedding.weight.name, net.linear.weight.name}
    for name, p in net.collect_params().items():
        if p.grad_req != 'null':
            share = 0.95 if name in tables else 1.0
            assert p.data().asnumpy() == pytest.approx(before[name] * share, rel=1e-6), name


def test_the_same_seed_gives_the_same_numbers(clicks):
    def run(seed):
        history = train(
            d2l.DeepFM(DIMS, 4, [16], drop_rate=0.5),
            loaders(clicks, seed=seed),
            epochs=2,
            seed=seed,
        )
        return [{k: v for k, v in row.items() if 'seconds' not in k} for row in history.rows]

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize('optimizer, lr', [('sgd', 0.5), ('adam', 0.02)])
@pytest.mark.parametrize('hybrid', [False, True])
def test_two_devices_learn_what_one_learns(clicks, optimizer, lr, hybrid):
    """Batches of 501 leave uneven shards; the last one, of one row, an idle device."""
    weights = []
    for devices in ([mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]):
        part = clicks[:502]
        loader = d2l.BatchLoader(part.features, part.labels, batch_size=501)
        net = randomize(d2l.DeepFM(DIMS, 4, [8], drop_rate=0), scale=0.1, ctx=devices)
        net.hybridize(hybrid)
        trainer = gluon.Trainer(net.collect_params(), optimizer, {'learning_rate': lr})
        d2l.train_ch13(
            net, loader, loader, gluon.loss.SigmoidBCELoss(), trainer, 3, devices, verbose=False
        )
        for param in net.collect_params().values():
            replicas = [d.asnumpy() for d in param.list_data()]
            assert all((r == replicas[0]).all() for r in replicas), param.name
        weights.append([p.data(devices[0]).asnumpy() for p in net.collect_params().values()])
    for one, two in zip(*weights):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=2e-5)


def test_the_engine_is_not_stopped_at_each_batch(clicks, monkeypatch):
    reads = []
    read = mx.nd.NDArray.asnumpy
    monkeypatch.setattr(
        mx.nd.NDArray, 'asnumpy', lambda self: reads.append(self.shape) or read(self)
    )
    part = clicks[:10_000]
    loader = d2l.BatchLoader(part.features, part.labels, batch_size=50)  # 200 batches
    train_only = loader, None, None
    train(d2l.FM(DIMS, 4), train_only, epochs=1)
    assert len(reads) < 20


def test_labels_of_shape_b_and_b1_are_the_same(clicks):
    part = clicks[:1_000]
    results = []
    for labels in (part.labels, part.labels.reshape(-1, 1)):
        loader = d2l.BatchLoader(part.features, labels, batch_size=100)
        history = train(d2l.FM(DIMS, 4), (loader, None, loader), epochs=2)
        results.append((history['train_loss'], history['test_acc'], history['train_acc']))
    assert results[0] == results[1]


def test_fewer_than_five_batches(clicks):  # divided by zero in the original
    part = clicks[:30]
    loader = d2l.BatchLoader(part.features, part.labels, batch_size=30)
    assert len(train(d2l.FM(DIMS, 2), (loader, None, loader), epochs=1)) == 1


def test_a_second_sigmoid_is_noticed(clicks):
    net = nn.HybridSequential()
    net.add(d2l.FM(DIMS, 4), nn.Activation('sigmoid'))
    with pytest.warns(UserWarning, match=r'lies in \[0, 1\].*from_sigmoid=True'):
        train(net, loaders(clicks), epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        train(d2l.FM(DIMS, 4), loaders(clicks), epochs=1)


def test_probabilities_with_from_sigmoid_are_measured_as_such(clicks):
    data = loaders(clicks)
    net = nn.HybridSequential()
    net.add(d2l.FM(DIMS, 4), nn.Activation('sigmoid'))
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    history = d2l.train_ch13(
        net,
        data[0],
        data[2],
        gluon.loss.SigmoidBCELoss(from_sigmoid=True),
        trainer,
        6,
        verbose=False,
    )
    assert history.last['test_loss'] < clicks[25_000:].best['base_log_loss'] - 0.02
    assert history.last['test_acc'] > 0.7 and history.last['train_acc'] > 0.7


def test_several_classes_train_too():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4)).astype('float32')
    y = X[:, :3].argmax(1).astype('float32')
    loader = d2l.BatchLoader(X, y, batch_size=100)
    net = nn.Dense(3)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.1})
    history = d2l.train_ch13(
        net, loader, loader, gluon.loss.SoftmaxCELoss(), trainer, 10, verbose=False
    )
    assert history.last['test_acc'] > 0.9 and history.last['train_acc'] > 0.85


def test_it_prints_what_readers_of_the_original_expect(clicks, capsys):
    net = d2l.FM(DIMS, 4)
    net.initialize()
    train_iter, _, test_iter = loaders(clicks)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    history = d2l.train_ch13(net, train_iter, test_iter, gluon.loss.SigmoidBCELoss(), trainer, 1)
    out, err = capsys.readouterr()
    row = history.last
    assert (
        f'loss {row["train_loss"]:.3f}, train acc {row["train_acc"]:.3f}, '
        f'test acc {row["test_acc"]:.3f}'
    ) in out
    assert 'examples/sec on [cpu(0)]' in out
    assert 'batch' in err  # the progress bar


def test_no_gpu_means_the_cpu(monkeypatch):
    monkeypatch.setattr(mx.context, 'num_gpus', lambda: 0)
    assert d2l.try_all_gpus() == [mx.cpu()]
    monkeypatch.setattr(mx.context, 'num_gpus', lambda: 2)
    assert d2l.try_all_gpus() == [mx.gpu(0), mx.gpu(1)]


def refusals():
    loader = d2l.BatchLoader(np.zeros((4, 3), 'int32'), np.array([0, 1, 0, 1]), batch_size=2)
    loss = gluon.loss.SigmoidBCELoss()

    def run(net=None, train_iter=loader, devices=None, **kwargs):
        if net is None:
            net = randomize(d2l.FM(DIMS, 2))
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
        d2l.train_ch13(net, train_iter, loader, loss, trainer, 1, devices, verbose=False, **kwargs)

    class Nothing(list):
        """A loader without a batch."""

    infinite = d2l.LR(DIMS)
    infinite.initialize()
    infinite.linear.weight.set_data(mx.np.full((45, 1), np.nan))
    return [
        (
            lambda: d2l.predict(d2l.FM(DIMS, 2), loader),
            r'FM has no weights yet: call net.initialize',
        ),
        (lambda: run(devices=[]), 'devices is empty'),
        (lambda: run(devices=[mx.cpu(3)]), r'the weights are on \[cpu\(0\)\]'),
        (lambda: run(patience=2), 'patience needs a validation set'),
        (lambda: run(lr_factor=0.1), 'lr_factor needs a validation set'),
        (lambda: run(lr_factor=2, valid_iter=loader), 'lr_factor is 2'),
        (lambda: run(monitor='loss'), "monitor is 'loss'"),
        (lambda: run(train_iter=Nothing()), 'gave no batch'),
        (lambda: run(net=infinite), 'training loss became nan'),
        (lambda: d2l.predict(randomize(d2l.FM(DIMS, 2)), Nothing()), 'data to predict is empty'),
        (
            lambda: d2l.evaluate(randomize(d2l.FM(DIMS, 2)), np.zeros((3, 3), 'int32')),
            'data has no labels',
        ),
    ]


@pytest.mark.parametrize('case', range(11))
def test_refusals_say_what_where_and_what_to_do(case):
    call, words = refusals()[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


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
    assert history.last['test_rmse'] < 0.3 * r[2_500:].std()


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
    assert d2l.rmse(r[250:], out) == pytest.approx(history.last['test_rmse'], rel=1e-5)
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
    ).last
    out = capsys.readouterr().out
    assert f'train loss {row["train_loss"]:.3f}, test RMSE {row["test_rmse"]:.3f}' in out
    assert 'examples/sec on [cpu(0)]' in out


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
        (lambda: run(rows=infinite), 'training loss became'),
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


class TwoInputs(nn.Block):
    """Ids and dense features, as Wide & Deep and DLRM take them."""

    def __init__(self):
        super().__init__()
        self.lr, self.dense = d2l.LR(DIMS), nn.Dense(1, in_units=2)

    def forward(self, x, dense):
        return self.lr(x) + self.dense(dense)


@pytest.mark.parametrize('devices', [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]])
def test_a_net_of_several_inputs_is_trained_and_measured(clicks, devices):
    """The last batch, of one row, leaves the second device idle."""
    part = clicks[:501]
    dense = np.random.default_rng(0).normal(size=(501, 2)).astype('float32')
    hand, net = (randomize(TwoInputs(), scale=0.1, ctx=c) for c in (mx.cpu(), devices))
    loader = d2l.BatchLoader(part.features, dense, part.labels, batch_size=100)
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.5})
    history = d2l.train_ch13(
        net, loader, loader, gluon.loss.SigmoidBCELoss(), trainer, 2, devices, verbose=False
    )
    assert history.rows[0]['train_rows'] == 501
    for _ in range(2):
        for x, dense_rows, y in loader:
            with autograd.record():
                loss = gluon.loss.SigmoidBCELoss()(hand(x, dense_rows), y.reshape(-1, 1)).mean()
            loss.backward()
            for p in hand.collect_params().values():
                if p.grad_req != 'null':
                    p.set_data(p.data() - 0.5 * p.grad())
    for mine, other in zip(net.collect_params().values(), hand.collect_params().values()):
        for replica in mine.list_data():
            np.testing.assert_allclose(replica.asnumpy(), other.data().asnumpy(), atol=1e-5)
    logits = hand(mx.np.array(part.features), mx.np.array(dense)).asnumpy()
    expected = d2l.metrics.sigmoid(logits[:, 0])
    np.testing.assert_allclose(d2l.predict(net, loader), expected, atol=1e-5)
    np.testing.assert_allclose(d2l.predict(net, (part.features, dense)), expected, atol=1e-5)
    assert history.last['test_loss'] == pytest.approx(d2l.log_loss(part.labels, expected), abs=1e-5)
