"""What can be known before the first step is refused before it, in one sentence."""

import tempfile

import d2lrec as d2l
from d2lrec.train import loop

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize
from mxnet import gluon
from mxnet.gluon import nn

DIMS = [20, 15, 10]
DATA = d2l.planted(200, DIMS, seed=0)
TRAIN, HELD = DATA[:120], DATA[120:]
ONES = np.ones(len(HELD))


@pytest.fixture
def steps(monkeypatch):
    """The steps taken so far."""
    taken, step = [], gluon.Trainer.step

    def counted(trainer, *args):
        taken.append(1)
        return step(trainer, *args)

    monkeypatch.setattr(gluon.Trainer, 'step', counted)
    return taken


def sgd(net):
    return gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})


def loader(part, labels=None, **options):
    labels = part.labels if labels is None else labels
    return d2l.BatchLoader(part.features, labels, batch_size=30, **options)


def foreign(part, labels=None, ids=None):
    """As a loader of another library gives them."""
    ids = part.features if ids is None else ids
    labels = part.labels if labels is None else labels
    return [(mx.np.array(ids, dtype='int32'), mx.np.array(labels))]


def classes(outputs=3):
    net = nn.HybridSequential()
    net.add(nn.Embedding(45, 2), nn.Dense(outputs))
    net.initialize()
    return net


def clicks(net=None, train=None, test=None, loss=None, num_epochs=2, devices=None, **options):
    net = net or randomize(d2l.FM(DIMS, 2))
    loss = gluon.loss.SigmoidBCELoss() if loss is None else loss
    train = loader(TRAIN) if train is None else train
    return d2l.train_ch13(
        net, train, test, loss, sgd(net), num_epochs, devices, verbose=False, **options
    )


def three(**options):
    return clicks(**{'net': classes(), 'loss': gluon.loss.SoftmaxCELoss(), **options})


CLICKS = [
    (dict(valid_iter=foreign(HELD, ONES), monitor='auc'), 'all labels of valid_iter are 1'),
    (dict(valid_iter=loader(HELD, ONES * -1)), r'labels of valid_iter\[0\] is -1: a click'),
    (dict(test=loader(HELD, ONES * 4)), r'labels of test_iter\[0\] is 4: a click label is 0'),
    (dict(test=foreign(HELD, ONES * 4)), r'labels of test_iter\[0\] is 4'),
    (dict(test=d2l.BatchLoader(HELD.features, batch_size=9)), 'test_iter has no labels'),
    (dict(test=[mx.np.array(HELD.features)]), 'a batch has no label: give a loader'),
    (dict(valid_iter=[]), 'a held-out part gives no batch'),
    (dict(test=foreign(HELD, ids=HELD.features + 20)), r'ids\[0, 0\] is \d+, outside its range'),
    (dict(valid_iter=iter(foreign(HELD))), 'valid_iter is a list_iterator, which gives its b'),
    (dict(train=iter(foreign(TRAIN))), 'train_iter is a list_iterator, which gives its batches'),
    (dict(loss='bce'), "loss is 'bce': give a Gluon loss"),
    (dict(loss=gluon.loss.SigmoidBCELoss), r'loss is the class Sig.*: give Sigmoid.*\(\.\.\.\)'),
    (dict(loss=lambda out, y: ((out - y) ** 2).mean()), 'gives 1 values for 30 rows: give a loss'),
    (dict(loss=gluon.loss.CTCLoss()), r'CTCLoss does not take outputs of shape \(30, 1\)'),
    (dict(loss=d2l.BPRLoss()), 'BPRLoss compares two scores: it is for train_ranking'),
    (dict(net=classes()), 'the net gives 3 outputs a row and the loss takes one logit'),
    (dict(split_f=5), 'split_f is 5: give a function'),
    (dict(seed=2**32), 'seed is 4294967296: give a whole number, 0 to 4294967295'),
    (dict(devices=5), 'devices is 5: give devices such as'),
    (dict(devices='cpu'), "devices is 'cpu': give devices such as"),
    (dict(checkpoint='a\0b'), 'give the path of a file'),
    (dict(checkpoint='x' * 300), 'cannot be written: File name too long'),
    (dict(checkpoint=d2l.Checkpoint), 'checkpoint is <class .*: give the path of a file'),
    (dict(lr_factor=True, valid_iter=loader(HELD)), 'lr_factor is True'),
    (dict(clip=0), 'clip is 0: give a number above 0'),
    (dict(clip=float('inf')), 'clip is inf: give a number above 0'),
]


@pytest.mark.parametrize('options, words', CLICKS)
def test_of_clicks(steps, options, words):
    with pytest.raises(ValueError, match=words) as refusal:
        clicks(**options)
    assert not steps and '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(valid_iter=loader(HELD), monitor='auc'), 'of which there is no AUC'),
        (
            dict(train=loader(TRAIN, TRAIN.labels * 3)),
            r'labels of train_iter\[\d+\] is 3: the net has 3',
        ),
        (
            dict(test=loader(HELD, ONES * 0.5)),
            'labels of test_iter.* is 0.5: the net has 3 outputs',
        ),
        (dict(valid_iter=foreign(HELD, -ONES)), r'labels of valid_iter\[0\] is -1: the net has 3'),
    ],
)
def test_of_classes(steps, options, words):
    with pytest.raises(ValueError, match=words):
        three(**options)
    assert not steps


FIT = [
    (dict(lr='a'), "lr is 'a': give a number, 0 or more"),
    (dict(lr=-0.1), 'lr is -0.1'),
    (dict(lr=float('nan')), 'lr is nan'),
    (dict(lr=None), 'lr is None'),
    (dict(wd=float('inf')), 'wd is inf'),
    (dict(wd=None), 'wd is None'),
    (dict(final_lr='a'), "final_lr is 'a': give a number from 0 to lr"),
    (dict(seed=2**40), 'seed is 1099511627776: give a whole number, 0 to'),
    (dict(seed=None), 'seed is None: give a whole number'),
    (dict(init='zero'), "init is 'zero': give an initializer"),
    (dict(devices=[5]), r'devices is \[5\]: give different ones'),
    (dict(loss=5), 'loss is 5: give a Gluon loss'),
]


@pytest.mark.parametrize('options, words', FIT)
def test_of_fit(steps, options, words):
    with pytest.raises(ValueError, match=words):
        d2l.fit(d2l.FM(DIMS, 2), TRAIN, HELD, num_epochs=1, **options)
    assert not steps


@pytest.mark.parametrize('net', [None, d2l.FM, 'FM'])
def test_no_net(net):
    for call in (
        lambda: d2l.fit(net, TRAIN),
        lambda: d2l.predict(net, TRAIN),
        lambda: d2l.train_ch13(net, loader(TRAIN), None, None, None, 1),
    ):
        with pytest.raises(ValueError, match='net is .*: give a model'):
            call()


ROWS, SEEN = np.arange(30).reshape(6, 5).astype('float32') % 5 + 1, np.ones((6, 5), bool)


def rows(shuffle=False, **options):
    net = randomize(d2l.AutoRec(2, 5))
    train, shown = (
        d2l.BatchLoader(ROWS, SEEN, batch_size=4, shuffle=shuffled) for shuffled in (True, shuffle)
    )
    options = {'test_iter': shown, 'inter_mat': ROWS, **options}
    test_iter = options.pop('test_iter')
    return d2l.train_recsys_rating(
        net, train, test_iter, options.pop('loss', gluon.loss.L2Loss()), sgd(net), 2,
        verbose=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(inter_mat=ROWS[:5]), 'more rows than the 5 of the held-out'),
        (dict(inter_mat=np.ones((9, 5))), 'gives 6 rows for the 9'),
        (dict(inter_mat=np.ones((6, 4))), 'inter_mat has rows of 4 ratings and test_iter shows'),
        (dict(inter_mat=np.ones(6)), r'inter_mat has shape \(6,\)'),
        (dict(inter_mat='abc'), r'inter_mat has shape \(\) and type <U3'),
        (dict(inter_mat=ROWS * np.nan), 'inter_mat holds nan: mark it in inter_mask'),
        (dict(inter_mask=~SEEN), 'there is no test rating to measure'),
        (dict(inter_mask=SEEN[:, :2]), r'inter_mask has shape \(6, 2\) and inter_mat \(6, 5\)'),
        (dict(shuffle=True), 'test_iter shuffles, so that no row would meet its ratings'),
        (dict(evaluator=5), 'evaluator is 5: give a function'),
        (dict(loss=5), 'loss is 5: give a Gluon loss'),
    ],
)
def test_of_rows_of_ratings(steps, options, words):
    with pytest.raises(ValueError, match=words):
        rows(**options)
    assert not steps


@pytest.mark.parametrize('value', ['x', None, float('nan')])
def test_an_evaluator_that_measures_nothing(value):
    shown = d2l.BatchLoader(ROWS, SEEN, batch_size=4)
    with pytest.raises(ValueError, match='evaluator returned .*: it has to return a number'):
        rows(evaluator=lambda *_: value, valid_iter=shown, valid_mat=ROWS)


def test_an_evaluation_needs_rows_in_order():
    with pytest.raises(ValueError, match='the loader shuffles'):
        shuffled = d2l.BatchLoader(ROWS, SEEN, batch_size=4, shuffle=True)
        d2l.evaluator(randomize(d2l.AutoRec(2, 5)), shuffled, ROWS)


def test_pairs_without_ratings(steps):
    users, items = np.arange(30) % 6, np.arange(30) % 5
    net = randomize(d2l.MF(2, 6, 5))
    train = d2l.BatchLoader(users, items, np.ones(30, 'float32'), batch_size=7)
    with pytest.raises(ValueError, match='test_iter has no ratings'):
        test = d2l.BatchLoader(users, items, batch_size=7)
        d2l.train_recsys_rating(net, train, test, gluon.loss.L2Loss(), sgd(net), 2)
    assert not steps


def ranking(num_epochs=2, loss=None, **options):
    seen = d2l.Interactions([0, 1, 2], [0, 1, 2], 6, 9)
    net = randomize(d2l.MF(2, 6, 9, output='logit'))
    train = d2l.NegativeLoader(seen, batch_size=2)
    loss = loss or gluon.loss.SigmoidBCELoss()
    return d2l.train_ranking(net, train, loss, sgd(net), num_epochs, verbose=False, **options)


PAIR = d2l.Interactions([0], [8], 6, 9)


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(valid=d2l.Interactions([2], [2], 6, 9)), 'valid: user 2 has item 2 both seen and'),
        (dict(valid=PAIR, test=PAIR), 'test: user 0 has item 8 both seen and held out'),
        (dict(k=0), 'k is 0: give 1 or more'),
        (dict(k='a'), 'k is .*a'),
        (dict(loss='bpr'), "loss is 'bpr': give BPRLoss"),
        (dict(valid=5), 'valid is a int: give Interactions'),
    ],
)
def test_of_ranking(steps, options, words):
    with pytest.raises(ValueError, match=words):
        ranking(**options)
    assert not steps


@pytest.mark.parametrize(
    'train',
    [
        lambda: clicks(num_epochs=0, valid_iter=loader(HELD), test=loader(HELD)),
        lambda: ranking(num_epochs=0, valid=PAIR),
        lambda: d2l.fit(d2l.FM(DIMS, 2), TRAIN, HELD, HELD, num_epochs=0),
        lambda: d2l.fit(d2l.MF(2, 6, 9, output='logit'), PAIR, num_epochs=0),
    ],
)
def test_no_epoch_is_no_trouble(steps, train, tmp_path):
    history = train()
    assert not steps and len(history) == 0 and history.best_epoch is None
    assert history.rows == [] and history.rows_per_second == 0 and len(history.table()) == 0
    assert history._repr_svg_() is None and repr(history) == 'History(0 epochs)'
    for ask in (lambda: history.kept, history.plot):
        with pytest.raises(ValueError, match='the history is empty'):
            ask()


def test_what_fit_does_not_know_is_named():
    data = d2l.planted(60, [5, 4], seed=0)
    for options, words in (
        ({'patiense': 1}, "fit has no argument 'patiense': did you mean patience?"),
        ({'num_epoch': 1}, "fit has no argument 'num_epoch': did you mean num_epochs?"),
        ({'zzqq': 1}, "fit has no argument 'zzqq': it takes patience, monitor"),
        ({'negatives': 1}, "fit has no argument 'negatives'"),
    ):
        with pytest.raises(ValueError, match=words):
            d2l.fit(d2l.LR([5, 4]), data, data, **options)
    with pytest.raises(ValueError, match="rows is 'yes': give True or False"):
        d2l.fit(d2l.LR([5, 4]), data, rows='yes')


def test_a_place_is_tried_before_the_first_epoch(tmp_path, monkeypatch):
    """What `os.access` says may be wrong: of a quota, a special file system, a long name."""
    monkeypatch.chdir(tmp_path)
    data, net = d2l.planted(60, [5, 4], seed=0), d2l.LR([5, 4])
    with pytest.raises(ValueError, match='cannot be written: File name too long'):
        d2l.fit(net, data, checkpoint='b' * 250)

    def full(*args, **kwargs):
        raise OSError(122, 'Disk quota exceeded')

    monkeypatch.setattr(tempfile, 'mkstemp', full)
    with pytest.raises(ValueError, match='state cannot be written: Disk quota exceeded'):
        d2l.fit(net, data, checkpoint='state')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('large', [False, True])
@pytest.mark.parametrize('valid', [False, True])
def test_weights_of_touched_rows_are_finite_after_a_failure(large, valid, monkeypatch):
    if large:
        monkeypatch.setattr(loop, 'LARGE_TABLE', 1)
        monkeypatch.setattr(loop, 'PIECE', 7)
    data, net = d2l.planted(60, [30, 40], seed=0), d2l.FM([30, 40], 2)
    words = 'what was not finite in the net is now 0' if large else 'the weights it began with'
    with pytest.raises(ValueError, match=words):
        d2l.fit(
            net, data, data if valid else None, rows=True, lr=1e30, optimizer='sgd', batch_size=20
        )
    weights = {n: p.data().asnumpy() for n, p in net._collect_params_with_prefix().items()}
    assert all(np.isfinite(w).all() for w in weights.values())
    assert not large or any((w == 0).any() for w in weights.values())
