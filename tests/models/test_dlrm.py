"""DLRM: its inputs by name, its bags, what it refuses."""

import d2lrec as d2l
from d2lrec import DLRM

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import random_ids, random_inputs, randomize
from mxnet import gluon

SINGLES, BAGS, SIZES, K, D = [3, 5, 2], [4, 6], [3, 2], 4, 3


def build(num_dense=D, **kwargs):
    bottom_dims = [6] if num_dense else []
    return DLRM(SINGLES + BAGS, K, [7, 5], num_dense, bottom_dims, SIZES, **kwargs)


def inputs(net, rows):
    """Random inputs of which some slots, and in the last example a whole bag, are empty."""
    *rest, weights = random_inputs(net, rows)
    weights = weights * (weights > 0)
    weights[-1, : SIZES[0]] = 0
    return *rest, weights


def test_only_weights_count_not_what_an_empty_slot_holds():
    net = randomize(build())
    ids, dense, weights = inputs(net, 6)
    other = ids.asnumpy()
    empty = weights.asnumpy() == 0
    other[:, 3:][empty] = np.where(np.arange(5) < 3, 10, 14)[None].repeat(6, 0)[empty]
    assert (other != ids.asnumpy()).any()
    assert (
        net(mx.np.array(other), dense, weights).asnumpy() == net(ids, dense, weights).asnumpy()
    ).all()


def test_rows_whose_bags_are_all_empty_have_a_zero_vector_there():
    net = randomize(build(num_dense=0))
    ids, weights = inputs(net, 4)
    out = net(ids, mx.np.zeros(weights.shape)).asnumpy()
    z = np.zeros((4, 5, K))
    z[:, :3] = net.embedding.weight.data().asnumpy()[ids.asnumpy()[:, :3]]
    np.testing.assert_allclose(
        out, net.top(mx.np.array(z, dtype='float32')).asnumpy(), rtol=1e-5, atol=1e-5
    )
    assert np.isfinite(out).all()


def test_a_bag_of_one_is_a_field():
    bag = randomize(DLRM([*SINGLES, 4], K, [7], bag_sizes=[1]))
    field = randomize(DLRM([*SINGLES, 4], K, [7]))
    x = random_ids([*SINGLES, 4], 9)
    np.testing.assert_allclose(
        bag(x, mx.np.ones((9, 1))).asnumpy(), field(x).asnumpy(), rtol=1e-5, atol=1e-6
    )


def test_two_fields_only_bags_and_one_field_self_interaction():
    x = random_ids([3, 4], 5)
    assert randomize(DLRM([3, 4], K, [6]))(x).shape == (5, 1)
    assert randomize(DLRM([3, 4], K, [6], bag_sizes=[1, 1]))(x, mx.np.ones((5, 2))).shape == (5, 1)
    assert randomize(DLRM([3], K, [6], self_interaction=True))(random_ids([3], 5)).shape == (5, 1)


def test_it_normalises_and_drops_in_the_top():
    net = DLRM(SINGLES, K, [7, 5], batch_norm=True, drop_rate=0.5)
    layer = ['BatchNorm', 'Activation', 'Dropout']
    kinds = [[type(part).__name__ for part in parts] for parts in (net.top, net.top[-1].hidden)]
    assert kinds == [['DotInteractionDense', *layer, 'MLP'], ['Dense', *layer]]


def test_it_learns_pairs_from_bags_and_dense_features():
    """Clicks that hang on the user's taste for a tag, and on a number: AUC .5 without them."""
    rng = np.random.default_rng(0)
    rows, users, tags = 8_000, 10, 6
    user, has = rng.integers(0, users, rows), rng.integers(0, 2, (rows, tags))
    taste = rng.normal(size=(users, tags))
    age = rng.normal(size=(rows, 1)).astype('float32')
    logits = 1.5 * (has - 0.5) * taste[user] + age / 3
    labels = (rng.random(rows) < d2l.metrics.sigmoid(logits.sum(1))).astype(int)
    names = [f'tag {t}' for t in range(tags)]
    frame = pd.DataFrame(has, columns=names)
    frame.insert(0, 'user', user)
    frame.insert(0, 'y', labels)
    data = d2l.multi_hot(d2l.CTRDataset(frame), {'tags': names})
    net = DLRM(data.field_dims, 8, [16], 1, [8], bag_sizes=data.bag_sizes)
    mx.random.seed(0)
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    arrays = data.features, age, data.weights, data.labels
    train, test = ([a[part] for a in arrays] for part in (slice(0, 6_000), slice(6_000, None)))
    loader = d2l.BatchLoader(*train, batch_size=100, shuffle=True, seed=0)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    d2l.train_ch13(net, loader, None, gluon.loss.SigmoidBCELoss(), trainer, 8, verbose=False)
    best = d2l.auc(test[-1], logits.sum(1)[6_000:])
    assert best - d2l.auc(test[-1], d2l.predict(net, tuple(test[:-1]))) < 0.03 < best - 0.5


def test_inputs_come_in_the_order_that_it_names():
    net = randomize(build())
    assert net.inputs == {'ids': 8, 'dense': 3, 'weights': 5}
    assert [end.tolist() for end in net.ranges['ids']] == [
        [0, 3, 8, 10, 10, 10, 14, 14],
        [3, 8, 10, 14, 14, 14, 20, 20],
    ]
    ids, dense, weights = inputs(net, 2)
    with pytest.raises(
        ValueError,
        match=r'ids \(rows, 8\), dense \(rows, 3\), weights \(rows, 5\) but got inputs of shape '
        r'\(2, 8\), \(2, 5\), \(2, 3\): pass these',
    ):
        net(ids, weights, dense)


@pytest.mark.parametrize(
    'kwargs, words',
    [
        ({'top_dims': []}, 'top_dims is empty'),
        ({'bottom_dims': [4]}, r'bottom_dims is \[4\] but num_dense is 0'),
        ({'bag_sizes': [2, 0]}, r'bag_sizes = \[2, 0\]'),
        ({'bag_sizes': [2] * 4}, r'bag_sizes is \[2, 2, 2, 2\] for 3 fields'),
        ({'field_dims': [5]}, 'no pair to multiply'),
    ],
)
def test_refusals(kwargs, words):
    with pytest.raises(ValueError, match=words):
        DLRM(**{'field_dims': SINGLES, 'num_factors': K, 'top_dims': [4], **kwargs})
