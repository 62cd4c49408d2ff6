"""What each model learns, and does not, from planted clicks whose best AUC is known."""

import d2lrec as d2l

import mxnet as mx
import pytest
from mxnet import gluon

DIMS, K, HELD_OUT = [10, 10, 10], 8, 10_000


def held_out_auc(net, data, epochs, batch_size):
    """AUC on the last rows of `data`, of the epoch that is best on those before them."""
    parts = data[: -2 * HELD_OUT], data[-2 * HELD_OUT : -HELD_OUT], data[-HELD_OUT:]
    train_iter, valid_iter, test_iter = [
        d2l.BatchLoader(p.features, p.labels, batch_size=batch_size, shuffle=i == 0, seed=0)
        for i, p in enumerate(parts)
    ]
    mx.random.seed(0)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    history = d2l.train_ch13(
        net,
        train_iter,
        test_iter,
        gluon.loss.SigmoidBCELoss(),
        trainer,
        epochs,
        valid_iter=valid_iter,
        monitor='auc',
        seed=0,
        verbose=False,
    )
    return history.kept['test_auc']


@pytest.fixture(scope='module')
def pairs():
    return d2l.planted(80_000, DIMS, linear=0.5, pairwise=1.5, zipf=0.5, seed=0)


@pytest.mark.parametrize(
    'build, gap',
    [
        (lambda: d2l.FM(DIMS, 4), 0.005),
        (lambda: d2l.FFM(DIMS, 4), 0.005),
        (lambda: d2l.NFM(DIMS, 4, [16], drop_rate=0), 0.015),
        (lambda: d2l.AFM(DIMS, 4, drop_rate=0), 0.02),
    ],
    ids=['FM', 'FFM', 'NFM', 'AFM'],
)
def test_pairs_are_learned(pairs, build, gap):
    assert pairs[-HELD_OUT:].best['auc'] - held_out_auc(build(), pairs, 8, 1000) < gap


def test_pairs_are_beyond_lr(pairs):
    assert pairs[-HELD_OUT:].best['auc'] - held_out_auc(d2l.LR(DIMS), pairs, 8, 1000) > 0.08


@pytest.fixture(scope='module')
def triples():
    """Clicks of three-way effects, the AUC of an FM on them and the best there is."""
    data = d2l.planted(60_000, DIMS, linear=0.5, pairwise=0, threeway=2.0, zipf=0.5, seed=11)
    return data, held_out_auc(d2l.FM(DIMS, K), data, 8, 500), data[-HELD_OUT:].best['auc']


@pytest.mark.parametrize(
    'build',
    [
        lambda: d2l.DeepFM(DIMS, K, [64, 64], drop_rate=0),
        lambda: d2l.DCN(DIMS, K, [64, 64], drop_rate=0),
        lambda: d2l.DCN(DIMS, K, [], version=2, stacked=True),  # the cross network alone
        lambda: d2l.XDeepFM(DIMS, K, [64, 64], drop_rate=0),
    ],
    ids=['DeepFM', 'DCN', 'cross network v2', 'XDeepFM'],
)
def test_triples_are_beyond_fm_and_learned_by_the_deep_models(triples, build):
    data, fm, best = triples
    assert best - fm > 0.07
    assert held_out_auc(build(), data, 8, 500) - fm > 2 / 3 * (best - fm)


@pytest.mark.parametrize(
    'build',
    [
        lambda: d2l.LR(DIMS),
        lambda: d2l.FM(DIMS, K),
        lambda: d2l.DeepFM(DIMS, K, [16]),
        lambda: d2l.DeepFMConcat(DIMS, K, [16]),
        lambda: d2l.EmbeddingMLP(DIMS, K, [16]),
        lambda: d2l.NFM(DIMS, K, [16], batch_norm=True),
        lambda: d2l.AFM(DIMS, K),
        lambda: d2l.FFM(DIMS, K),
        lambda: d2l.DCN(DIMS, K, [16]),
        lambda: d2l.DCN(DIMS, K, [16], version=2),
        lambda: d2l.XDeepFM(DIMS, K, [16]),
    ],
    ids=[
        'LR',
        'FM',
        'DeepFM',
        'DeepFMConcat',
        'EmbeddingMLP',
        'NFM',
        'AFM',
        'FFM',
        'DCN',
        'DCNv2',
        'XDeepFM',
    ],
)
def test_random_labels_teach_nothing(build):
    noise = d2l.planted(40_000, DIMS, random_labels=True, seed=5)
    assert abs(held_out_auc(build(), noise, 3, 1000) - 0.5) < 0.025
