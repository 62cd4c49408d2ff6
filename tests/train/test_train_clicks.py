"""The loops: what they learn, keep, count and refuse."""

import warnings

import d2lrec as d2l
from d2lrec.train.devices import MAX_BATCHES_AHEAD
from d2lrec.train.loop import LOOK, _Guard

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize
from mxnet import autograd, gluon
from mxnet.gluon import nn

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
    fm_auc = train(fm, loaders(clicks), 12).kept['test_auc']
    lr_auc = train(lr, loaders(clicks), 12).kept['test_auc']
    assert best - fm_auc < 0.01
    assert best - lr_auc > 0.05


def test_random_labels_teach_nothing():
    noise = d2l.planted(30_000, DIMS, random_labels=True, seed=5)
    history = train(d2l.DeepFM(DIMS, 4, [16]), loaders(noise))
    assert abs(history.kept['test_auc'] - 0.5) < 0.03


def test_history_is_what_a_fresh_pass_measures(clicks):
    data, net = loaders(clicks), d2l.FM(DIMS, 4)
    history = train(net, data)
    report = d2l.evaluate(net, data[2])
    assert history.kept['test_auc'] == pytest.approx(report['auc'], abs=1e-9)
    assert history.kept['test_loss'] == pytest.approx(report['log_loss'], abs=1e-9)
    assert history.kept['test_acc'] == pytest.approx(report['accuracy'], abs=1e-9)
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
    assert set(reads[:200]) <= {(), (1,)}  # sums, which were computed batches ago
    assert len(reads) < 200 + 200 / LOOK + 20


def test_what_the_loop_reads_was_added_batches_ago():
    read = []

    class Total:
        def __init__(self, step):
            self.step = step

        def asnumpy(self):
            read.append(self.step)
            return np.zeros(1)

    guard = _Guard(randomize(d2l.LR(DIMS)), epoch=1)
    for step in range(1, 40):
        guard.add([Total(step)])
        assert not read or read[-1] <= step - MAX_BATCHES_AHEAD + 40 // LOOK
    assert read == sorted(read) and len(read) > 10


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
    with pytest.warns(UserWarning, match=r'ends in a sigmoid.*from_sigmoid=True'):
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
    assert history.kept['test_loss'] < clicks[25_000:].best['base_log_loss'] - 0.02
    assert history.kept['test_acc'] > 0.7 and history.kept['train_acc'] > 0.7


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
    assert history.kept['test_acc'] > 0.9 and history.kept['train_acc'] > 0.85


def test_it_prints_what_readers_of_the_original_expect(clicks, capsys):
    net = d2l.FM(DIMS, 4)
    net.initialize()
    train_iter, _, test_iter = loaders(clicks)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    history = d2l.train_ch13(net, train_iter, test_iter, gluon.loss.SigmoidBCELoss(), trainer, 1)
    out, err = capsys.readouterr()
    row = history.kept
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
    ids = np.array([[0, 20, 35], [1, 21, 36], [0, 34, 44], [19, 20, 35]])
    y = np.array([0, 1, 0, 1])
    loader = d2l.BatchLoader(ids, y, batch_size=2)
    ones = d2l.BatchLoader(ids, np.ones(4), batch_size=2)
    data = d2l.planted(20, DIMS, seed=0)

    def run(train_iter=loader, net=None, devices=None, loss=None, trainer=None, epochs=1, **kwargs):
        net = randomize(d2l.FM(DIMS, 2)) if net is None else net
        if trainer is None:
            trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
        loss = loss or gluon.loss.SigmoidBCELoss()
        d2l.train_ch13(
            net, train_iter, loader, loss, trainer, epochs, devices, verbose=False, **kwargs
        )

    def dense(value):
        part = (ids, [[0.1, 0.2], [0.3, value], [0.5, 0.6], [0.7, 0.8]], y)
        d2l.fit(d2l.WideDeep(DIMS, 2, [4], num_dense=2), part, part)

    class Nothing(list):
        """A loader without a batch."""

    class Foreign(list):
        """A loader of another library."""

    def foreign(ids, y):
        return Foreign([(mx.np.array(ids), mx.np.array(y))])

    other = randomize(d2l.FM(DIMS, 2))
    net = randomize(d2l.FM(DIMS, 2))
    infinite = randomize(d2l.LR(DIMS))
    infinite.linear.weight.set_data(mx.np.full((45, 1), np.nan))
    beyond = ids + [0, 0, 10]
    return [
        (lambda: d2l.predict(d2l.FM(DIMS, 2), loader), 'FM has no weights yet: call net.init'),
        (lambda: run(devices=[]), 'devices is empty'),
        (lambda: run(devices=[mx.cpu(3)]), r'the weights are on \[cpu\(0\)\]'),
        (lambda: run(patience=2), 'patience needs a validation set'),
        (lambda: run(patience=1.5, valid_iter=loader), 'patience is 1.5: give a whole number, 1'),
        (lambda: run(lr_factor=0.1), 'lr_factor needs a validation set'),
        (lambda: run(lr_factor=2, valid_iter=loader), 'lr_factor is 2'),
        (lambda: run(epochs=True), 'num_epochs is True: give a whole number, 0 or more'),
        (lambda: run(seed='a'), "seed is 'a': give a whole number"),
        (lambda: run(monitor='loss'), "monitor is 'loss'"),
        (lambda: run(monitor='auc', valid_iter=ones), "labels of valid_iter are 1: monitor='auc'"),
        (lambda: run(trainer=[]), r'trainer is \[\]: give a gluon.Trainer'),
        (
            lambda: run(trainer=gluon.Trainer(other.collect_params(), 'sgd')),
            'the trainer is not of this FM',
        ),
        (lambda: run(checkpoint='/no such folder/a'), 'cannot be written: there is no folder'),
        (lambda: run(checkpoint=5), 'checkpoint is 5: give the path'),
        (lambda: run(train_iter=Nothing()), 'gave no batch'),
        (lambda: run(train_iter=data), r'train_iter is a Planted: pass BatchLoader'),
        (lambda: run(train_iter=data.frame()), r'train_iter is a DataFrame: pass BatchLoader'),
        (lambda: run(net=infinite), r'training loss became nan at step 1 of epoch 1'),
        (lambda: run(loss=gluon.loss.SoftmaxCELoss()), r'one logit a row, and the loss is a soft'),
        (
            lambda: run(train_iter=d2l.BatchLoader(beyond, y, batch_size=2)),
            r'ids\[0, 2\] is 45.*35 to 44',
        ),
        (lambda: run(train_iter=foreign(beyond, y)), r'ids\[0, 2\] is 45.*35 to 44'),
        (
            lambda: run(train_iter=d2l.BatchLoader(ids, y * 2 - 1, batch_size=2)),
            r'labels\[0\] is -1: a click label is 0 or 1; use \(labels \+ 1\) / 2',
        ),
        (lambda: run(train_iter=d2l.BatchLoader(ids, y + 3, batch_size=2)), 'use ratings >= 4'),
        (lambda: run(train_iter=foreign(ids, y * 2 - 1)), r'labels\[0\] is -1'),
        (lambda: dense(float('nan')), r'dense\[1, 1\] is nan: fill in what is missing'),
        (lambda: dense(float('inf')), r'dense\[1, 1\] is inf: fill in'),
        (lambda: d2l.predict(net, iter([])), 'data to predict is empty'),
        (lambda: d2l.predict(net, []), 'the data has no rows'),
        (lambda: d2l.predict(infinite, ids), 'the output for row 0 is nan'),
        (lambda: d2l.predict(net, beyond), r'ids\[0, 2\] is 45, outside its range, 35 to 44'),
        (lambda: d2l.predict(net, ids + 0.7), r'ids\[0, 0\] is 0.7: ids are whole numbers'),
        (lambda: d2l.predict(net, -ids), r'ids\[0, 1\] is -20, outside'),
        (lambda: d2l.predict(net, data.frame()), 'a frame holds raw values: encode it first'),
        (lambda: d2l.predict(net, ids[:, :2]), r'FM was built for ids of shape \(rows, 3\)'),
        (lambda: d2l.evaluate(net, ids), 'data has no labels'),
        (lambda: d2l.evaluate(net, (ids, y * 2 - 1)), r'labels\[0\] is -1: a click label'),
    ]


@pytest.mark.parametrize('case', range(len(refusals())))
def test_refusals_say_what_where_and_what_to_do(case):
    call, words = refusals()[case]
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
    assert history.kept['test_loss'] == pytest.approx(d2l.log_loss(part.labels, expected), abs=1e-5)
