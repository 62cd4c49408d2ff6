"""DLRM: its definition with and without dense features, bags and products with self."""

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import check_gradients, random_ids, randomize, weights_of
from mxnet import autograd, gluon

import d2lrec as d2l
from d2lrec import DLRM, definitions

SINGLES, BAGS, SIZES, K, D = [3, 5, 2], [4, 6], [3, 2], 4, 3
# name -> (dense features, bags, products with self)
KINDS = {
    'all': (D, True, False),
    'all, with self': (D, True, True),
    'no bags': (D, False, False),
    'no dense': (0, True, False),
    'ids alone': (0, False, False),
    'ids alone, with self': (0, False, True),
}


def build(kind, **kwargs):
    num_dense, bags, with_self = KINDS[kind]
    return DLRM(
        SINGLES + BAGS * bags,
        K,
        [7, 5],
        num_dense,
        [6] if num_dense else [],
        SIZES if bags else [],
        with_self,
        **kwargs,
    )


def inputs(kind, rows, seed=0):
    num_dense, bags, _ = KINDS[kind]
    rng = np.random.default_rng(seed)
    x = [random_ids(SINGLES, rows, seed).asnumpy()]
    if bags:
        offset = sum(SINGLES)
        for dim, size in zip(BAGS, SIZES):
            x.append(offset + rng.integers(0, dim, (rows, size)))
            offset += dim
    out = [mx.np.array(np.concatenate(x, axis=1), dtype='int32')]
    if num_dense:
        out.append(mx.np.array(rng.normal(size=(rows, num_dense)), dtype='float32'))
    if bags:
        weights = rng.normal(size=(rows, sum(SIZES))) * rng.integers(0, 2, (rows, sum(SIZES)))
        weights[-1, : SIZES[0]] = 0  # an empty bag
        out.append(mx.np.array(weights, dtype='float32'))
    return tuple(out)


def relu(x):
    return np.vectorize(lambda number: max(0.0, number))(x)


def definition(kind):
    num_dense, bags, with_self = KINDS[kind]

    def compute(w, x, *rest):
        rest = list(rest)
        v, z = w['embedding0_weight'], []
        bottom = None
        if num_dense:
            bottom = rest.pop(0)
            for i in range(2):
                bottom = relu(definitions.dense(w[f'dense{i}_weight'], w[f'dense{i}_bias'], bottom))
            z.append(bottom[:, None])
        z.append(v[x[:, :3]])
        if bags:
            z.append(definitions.weighted_bags(v[x[:, 3:]], rest.pop(0), SIZES))
        top = definitions.dot_products(np.concatenate(z, axis=1), with_self)
        first = w['dotinteraction0_weight']
        if num_dense:  # the bottom's output comes first
            top = np.concatenate([bottom, top], axis=1)
            first = np.concatenate([w['dotinteraction0_dense0_weight'], first], axis=1)
        return definitions.mlp(
            [
                (first, w['dotinteraction0_bias']),
                *[(w[f'mlp0_dense{i}_weight'], w[f'mlp0_dense{i}_bias']) for i in range(2)],
            ],
            top,
        )

    return compute


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('rows', [1, 6])
def test_forward_and_gradients_equal_the_definition(kind, rows, hybrid):
    net = randomize(build(kind))
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    x = inputs(kind, rows)
    out = net(*x)
    assert out.shape == (rows, 1)
    np.testing.assert_allclose(
        out.asnumpy(),
        definition(kind)(weights_of(net), *(a.asnumpy() for a in x)),
        rtol=1e-4,
        atol=1e-4,
    )
    x = inputs(kind, 6)  # a single row may leave every unit of a layer off
    check_gradients(net, x, definition(kind))


@pytest.mark.parametrize('kind', KINDS)
def test_batches_of_changing_size_after_hybridizing(kind):
    net, plain = randomize(build(kind)), randomize(build(kind))
    net.hybridize(static_alloc=True, static_shape=True)
    for rows in (8, 3, 8, 1):
        x = inputs(kind, rows, seed=rows)
        np.testing.assert_allclose(net(*x).asnumpy(), plain(*x).asnumpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('kind', ['all', 'ids alone'])
@pytest.mark.parametrize('rows', [8, 7, 2])
def test_two_devices_give_the_gradients_of_one(kind, rows):
    x, grads = inputs(kind, rows), []
    for devices in ([mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]):
        net = randomize(build(kind), ctx=devices)
        shards = zip(*[gluon.utils.split_and_load(a, devices, even_split=False) for a in x])
        with autograd.record():
            outs = [net(*s) for s in shards]
        autograd.backward(outs)
        grads.append(
            [
                sum(g.asnumpy() for g in p.list_grad())
                for p in net.collect_params().values()
                if p.grad_req != 'null'
            ]
        )
    for one, two in zip(*grads):
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)


def test_only_weights_count_not_what_an_empty_place_holds():
    net = randomize(build('all'))
    ids, dense, weights = inputs('all', 6)
    other = ids.asnumpy()
    empty = weights.asnumpy() == 0
    other[:, 3:][empty] = np.where(np.arange(5) < 3, 10, 14)[None].repeat(6, 0)[empty]
    assert (other != ids.asnumpy()).any()
    assert (
        net(mx.np.array(other), dense, weights).asnumpy() == net(ids, dense, weights).asnumpy()
    ).all()


def test_rows_whose_bags_are_all_empty_have_a_zero_vector_there():
    net = randomize(build('no dense'))
    ids, weights = inputs('no dense', 4)
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


def test_two_fields_only_bags_and_one_field_with_self():
    x = random_ids([3, 4], 5)
    assert randomize(DLRM([3, 4], K, [6]))(x).shape == (5, 1)
    assert randomize(DLRM([3, 4], K, [6], bag_sizes=[1, 1]))(x, mx.np.ones((5, 2))).shape == (5, 1)
    assert randomize(DLRM([3], K, [6], with_self=True))(random_ids([3], 5)).shape == (5, 1)


def test_it_normalises_and_drops_in_the_top():
    net = DLRM(SINGLES, K, [7, 5], batch_norm=True, drop_rate=0.5)
    kinds = [type(layer).__name__ for layer in net.top.hidden]
    assert kinds == [
        'DotInteraction',
        'BatchNorm',
        'Activation',
        'Dropout',
        'Dense',
        'BatchNorm',
        'Activation',
        'Dropout',
    ]


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


def test_other_inputs_are_refused():
    net = randomize(build('all'))
    ids, dense, weights = inputs('all', 2)
    for wrong in ([ids], [ids, dense], [ids, weights, dense], [ids[:, :3], dense, weights]):
        with pytest.raises(
            ValueError,
            match=r'ids \(rows, 8\), dense \(rows, 3\), weights \(rows'
            r', 5\) but got inputs of shape .*pass these',
        ):
            net(*wrong)
    with pytest.raises(ValueError, match=r'built for 3 fields but got .* \(2, 2\)'):
        randomize(build('ids alone'))(ids[:, :2])


@pytest.mark.parametrize(
    'kwargs, words',
    [
        ({'top_dims': []}, 'top_dims is empty'),
        ({'bottom_dims': [4]}, r'bottom_dims is \[4\] but num_dense is 0'),
        ({'bag_sizes': [2, 0]}, r'bag_sizes is \[2, 0\]'),
        ({'bag_sizes': [2] * 4}, r'bag_sizes is \[2, 2, 2, 2\] for 3 fields'),
        ({'field_dims': [5]}, 'no pair to multiply'),
    ],
)
def test_refusals(kwargs, words):
    with pytest.raises(ValueError, match=words):
        DLRM(**{'field_dims': SINGLES, 'num_factors': K, 'top_dims': [4], **kwargs})
