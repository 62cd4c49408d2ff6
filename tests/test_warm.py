"""A warm start: rows follow their values into a vocabulary ordered anew."""

import d2lrec as d2l
from d2lrec import DLRM, FM, LR, Crosses, CTRDataset, DeepFM, WideDeep, multi_hot, warm_start

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import randomize
from mxnet import gluon
from mxnet.gluon.loss import SigmoidBCELoss

CROSSED = [('user', 'app'), ('app', 'day')]


def table(rows, users, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            'y': rng.integers(0, 2, rows),
            'user': rng.permutation(users)[rng.integers(0, users, rows)],
            'app': rng.zipf(1.7, rows) % 6,
            'day': rng.integers(0, 7, rows),
            'new': rng.integers(0, 2, rows),
            'hot': rng.integers(0, 2, rows),
        }
    )


@pytest.fixture(scope='module')
def old():
    return CTRDataset(table(120, 8, 0), min_threshold=2)


@pytest.fixture(scope='module')
def new():
    """Twice as many users, other frequencies: nearly every row moves."""
    return CTRDataset(pd.concat([table(120, 8, 0), table(200, 16, 1)]), min_threshold=2)


def in_words(data, crosses=None):
    """(name, value) of each id; value None for unknown ones."""
    names = [data.value_of(row) for row in range(int(sum(data.field_dims)))]
    if crosses:
        for cross, dim, vocab in zip(crosses.fields, crosses.dims, crosses.vocab):
            words = [None] * int(dim)
            for value, i in vocab.items():
                words[i] = value
            names += [(cross, word) for word in words]
    return names


@pytest.mark.parametrize(
    'build', [LR, lambda dims: FM(dims, 3), lambda dims: DeepFM(dims, 3, [5], drop_rate=0)]
)
def test_each_value_keeps_its_row_and_old_rows_their_logit(old, new, build):
    before, after, fresh = (
        randomize(build(d.field_dims), seed=s) for d, s in ((old, 1), (new, 2), (new, 2))
    )
    kept = warm_start(after, new, before, old)
    old_names, names = in_words(old), in_words(new)
    assert names[: len(old_names)] != old_names and kept.sum() == len(old_names) < len(names)
    for part in ('linear', 'embedding'):
        if hasattr(after, part):
            weights = [getattr(n, part).weight.data().asnumpy() for n in (before, after, fresh)]
            for row, name in enumerate(names):
                assert kept[row] == (name in old_names)
                expected = weights[0][old_names.index(name)] if kept[row] else weights[2][row]
                assert (weights[1][row] == expected).all()
    again = CTRDataset(table(120, 8, 0), new.feat_mapper, new.defaults)
    known = [None not in old.words(row).values() for row in range(120)]
    assert (np.asarray(known)).sum() > 100
    assert (d2l.predict(after, again)[known] == d2l.predict(before, old)[known]).all()


@pytest.mark.parametrize('num_buckets', [None, 30])
def test_crosses_and_batch_norm_come_along(old, new, num_buckets):
    crosses = [Crosses(d, CROSSED, min_threshold=2, num_buckets=num_buckets) for d in (old, new)]
    before, after, fresh = (
        randomize(
            WideDeep(d.field_dims, 3, [5, 4], cross_dims=c.dims, num_dense=2, batch_norm=True),
            seed=s,
        )
        for d, c, s in ((old, crosses[0], 1), (new, crosses[1], 2), (new, crosses[1], 2))
    )
    for param in before.collect_params('.*running').values():
        param.set_data(mx.np.arange(1, param.shape[0] + 1, dtype='float32'))
    kept = warm_start(after, crosses[1].apply(new), before, crosses[0].apply(old).encoder)
    assert len(kept) == len(after.linear.weight.data()) and not kept.all()
    weights = [n.linear.weight.data().asnumpy()[:, 0] for n in (before, after, fresh)]
    if num_buckets is None:
        old_names, names = in_words(old, crosses[0]), in_words(new, crosses[1])
        for row, name in enumerate(names):
            expected = weights[0][old_names.index(name)] if name in old_names else weights[2][row]
            assert weights[1][row] == expected and kept[row] == (name in old_names)
    else:
        assert (weights[1][-60:] == weights[0][-60:]).all() and kept[-60:].all()
    dense = np.random.default_rng(0).random((120, 2)).astype('float32')
    again = CTRDataset(table(120, 8, 0), new.feat_mapper, new.defaults)
    probs = [
        d2l.predict(net, (c.apply(d).features, dense))
        for net, c, d in ((before, crosses[0], old), (after, crosses[1], again))
    ]
    known = np.array([None not in old.words(row).values() for row in range(120)])
    if num_buckets is None:  # a tuple too rare before may have its own id, untrained, now
        known &= [
            all(
                tuple(old.words(row)[f] for f in cross) in vocab
                for cross, vocab in zip(CROSSED, crosses[0].vocab)
            )
            for row in range(120)
        ]
    assert known.sum() > 50 and (probs[0][known] == probs[1][known]).all()


def test_what_encodes_the_data_is_enough(old, new):
    before, after, again = (
        randomize(LR(d.field_dims), seed=s) for d, s in ((old, 1), (new, 2), (new, 2))
    )
    kept = warm_start(after, new.vocabulary, before, old.encoder)
    assert (kept == warm_start(again, new, before, old)).all()
    weights = [net.linear.weight.data().asnumpy() for net in (after, again)]
    assert (weights[0] == weights[1]).all()


def test_an_extended_vocabulary_keeps_every_old_row(old):
    frame = pd.concat([table(120, 8, 0), table(200, 16, 1)])
    vocabulary = old.vocabulary.extend(frame, 2)
    before, after = (
        randomize(LR(v.dims), seed=s) for v, s in ((old.vocabulary, 1), (vocabulary, 2))
    )
    kept = warm_start(after, vocabulary, before, old)
    assert kept.sum() == old.vocabulary.num_features < vocabulary.num_features
    data = CTRDataset(table(120, 8, 0), vocabulary=vocabulary)
    known = [None not in old.words(row).values() for row in range(120)]
    assert (d2l.predict(after, data)[known] == d2l.predict(before, old)[known]).all()


def test_multi_hot_fields_come_along(old, new):
    hots = [multi_hot(d, {'flag': ['new', 'hot']}, bag_sizes=[2]) for d in (old, new)]
    before, after = (
        randomize(DLRM(h.field_dims, 3, [5, 4], bag_sizes=h.bag_sizes), seed=s)
        for h, s in zip(hots, (1, 2))
    )
    kept = warm_start(after, hots[1], before, hots[0])
    assert kept[-2:].all() and not kept.all()
    again = multi_hot(
        CTRDataset(table(120, 8, 0), new.feat_mapper, new.defaults),
        {'flag': ['new', 'hot']},
        bag_sizes=[2],
    )
    probs = [
        d2l.predict(net, (h.features, h.weights)) for net, h in ((before, hots[0]), (after, again))
    ]
    known = [None not in old.words(row).values() for row in range(120)]
    assert (probs[0][known] == probs[1][known]).all()


def test_ftrl_goes_on_from_where_it_starts(old, new):
    before, after = (randomize(LR(d.field_dims), seed=s) for d, s in ((old, 1), (new, 2)))
    warm_start(after, new, before, old)
    start = after.linear.weight.data().asnumpy()
    trainer = gluon.Trainer(after.collect_params(), d2l.FTRL(learning_rate=1e-3, lamda1=0.01))
    loader = d2l.BatchLoader(new, batch_size=40)
    d2l.train_ch13(after, loader, None, SigmoidBCELoss(), trainer, 1, verbose=False)
    end = after.linear.weight.data().asnumpy()
    assert (end != start).any() and np.abs(end - start).max() < 0.01


def refusals(old, new):
    crosses = [Crosses(d, CROSSED, num_buckets=b) for d, b in ((old, None), (new, None), (new, 9))]
    frame = table(50, 8, 0)
    other = CTRDataset(frame.rename(columns={'app': 'site'}))

    def wide(data, c):
        return randomize(WideDeep(data.field_dims, 3, [4], cross_dims=c.dims))

    def lr(data):
        return randomize(LR(data.field_dims))

    def fm(data, k=3):
        return randomize(FM(data.field_dims, k))

    return [
        (lambda: warm_start(lr(other), other, lr(old), old), "fields differ .*'site'"),
        (
            lambda: warm_start(
                wide(new, crosses[2]),
                crosses[2].apply(new),
                wide(old, crosses[0]),
                crosses[0].apply(old),
            ),
            'crosses differ',
        ),
        (
            lambda: warm_start(wide(new, crosses[1]), new, wide(old, crosses[0]), old),
            'linear.weight has .* pass the data, with its crosses',
        ),
        (lambda: warm_start(lr(old), new, lr(old), old), 'linear.weight has'),
        (lambda: warm_start(lr(old), frame, lr(old), old), 'DataFrame has no vocabulary'),
        (lambda: warm_start(fm(new), new, lr(old), old), 'layers differ'),
        (lambda: warm_start(fm(new, 4), new, fm(old), old), 'columns of embedding.weight differ'),
        (
            lambda: warm_start(
                randomize(DeepFM(new.field_dims, 3, [6])),
                new,
                randomize(DeepFM(old.field_dims, 3, [5])),
                old,
            ),
            r'shapes of mlp.hidden.0.weight differ \(\(6, 15\) and, before, \(5, 15\)\)',
        ),
    ]


@pytest.mark.parametrize('case', range(8))
def test_refusals_say_what_where_and_what_to_do(old, new, case):
    call, words = refusals(old, new)[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)
