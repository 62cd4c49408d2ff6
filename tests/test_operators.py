"""The compiled loops equal the definitions: outputs, gradients, in a graph or out of it."""

import d2lrec as d2l
from d2lrec import kernels, layers, operators
from d2lrec.models import autorec
from d2lrec.touched import touch_rows
from d2lrec.train.losses import in_one_pass

import mxnet as mx
import numpy as np
import pytest
from helpers import check_gradients, learned, random_inputs, randomize, weights_of
from mxnet import autograd, gluon
from zoo import ZOO

pytestmark = pytest.mark.skipif(kernels._numba() is None, reason='numba is not installed')

# What has a layer with a loop, one of each kind.
MODELS = [
    'LR', 'FM', 'FFM', 'DeepFM', 'NFM', 'AFM', 'XDeepFM', 'XDeepFM: not split, relu',
    'DCN', 'DCN: stacked', 'DCN: bags', 'DLRM: no bags', 'DLRM', 'DLRM: self',
    'FM: bags', 'FFM: bags', 'MF',
]  # fmt: skip


def compiled(name):
    build, definition = ZOO[name]
    net = build()
    operators.choose(net, 0)
    return randomize(net), definition


def assert_defined(net, definition, inputs):
    expected = definition(weights_of(net), *[x.asnumpy() for x in inputs])
    np.testing.assert_allclose(net(*inputs).asnumpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('static', [False, True])
@pytest.mark.parametrize('name', MODELS)
def test_forward_and_gradients_equal_the_definition(name, static, monkeypatch):
    net, definition = compiled(name)
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    monkeypatch.setattr(operators, 'FEW', 3)
    for rows in (6, 1, 6, 11, 2):
        assert_defined(net, definition, random_inputs(net, rows, seed=rows))
    check_gradients(net, random_inputs(net, 6), definition)


def gradients(net, inputs):
    with autograd.record():
        loss = net(*inputs).sum()
    loss.backward()
    grads = {n: p.grad() for n, p in learned(net).items()}
    return {
        n: (g if g.stype == 'default' else g.tostype('default')).asnumpy() for n, g in grads.items()
    }


@pytest.mark.parametrize('name', ['FM', 'FFM', 'AFM', 'XDeepFM', 'DLRM: no bags'])
def test_gradients_equal_those_of_the_formula(name):
    net, _ = compiled(name)
    inputs = random_inputs(net, 9)
    by_loops = gradients(net, inputs)
    with operators.PLAIN:
        by_formula = gradients(net, inputs)
    for path, found in by_loops.items():
        np.testing.assert_allclose(found, by_formula[path], rtol=1e-4, atol=1e-4, err_msg=path)


@pytest.mark.parametrize('name', ['FM', 'FFM'])
def test_rows_alone(name):
    net, _ = compiled(name)
    inputs = random_inputs(net, 9)
    whole = gradients(net, inputs)
    touch_rows(net)
    for path, found in gradients(net, inputs).items():
        np.testing.assert_allclose(found, whole[path], rtol=1e-5, atol=1e-5, err_msg=path)


@pytest.mark.parametrize('static', [False, True])
def test_gradients_are_added_or_left_out_where_asked(static):
    net, _ = compiled('DeepFM')
    inputs = random_inputs(net, 9)
    once = gradients(net, inputs)
    params = learned(net)
    for param in params.values():
        param.grad_req = 'add'
    params['linear.weight'].grad_req = 'null'
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    for _ in range(2):
        with autograd.record():
            loss = net(*inputs).sum()
        loss.backward()
    for path, param in params.items():
        if param.grad_req == 'add':
            found = param.grad().asnumpy()
            np.testing.assert_allclose(found, 2 * once[path], rtol=1e-4, atol=1e-5, err_msg=path)


def test_two_devices_agree(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, definition = ZOO['FM'][0](), ZOO['FM'][1]
    operators.choose(net, 0)
    randomize(net, ctx=[mx.cpu(0), mx.cpu(1)])
    inputs = random_inputs(net, 5)
    expected = definition(weights_of(net), *[x.asnumpy() for x in inputs])
    for device in (mx.cpu(0), mx.cpu(1)):
        out = net(*[x.as_in_ctx(device) for x in inputs])
        np.testing.assert_allclose(out.asnumpy(), expected, rtol=1e-4, atol=1e-4)


def test_ids_of_another_type_and_a_net_of_another_type(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    ids = random_inputs(net, 5)[0]
    for kind in ('int64', 'float32'):
        out = net(ids.astype(kind)).asnumpy()
        np.testing.assert_array_equal(out, net(ids).asnumpy())
    net.cast('float64')
    assert net(ids).dtype == np.float64


def test_few_rows_take_the_formulas_until_the_weights_change_their_type():
    net, definition = compiled('DeepFM')
    net.hybridize(static_alloc=True, static_shape=True)
    inputs = random_inputs(net, 4)
    assert_defined(net, definition, inputs)
    assert net._cached_op is None and net._of_few[1] is not None
    randomize(net, seed=1)
    assert_defined(net, definition, inputs)
    net.hybridize()
    assert net._of_few is None
    assert_defined(net, definition, inputs)


def test_small_nets_are_not_compiled():
    net = ZOO['FM'][0]()
    operators.choose(net)
    assert not net.pairwise._compile
    operators.choose(net, 0)
    assert net.pairwise._compiled
    with operators.PLAIN:
        assert not net.pairwise._compiled


def test_nothing_more_is_kept_for_each_call(monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    gradients(net, random_inputs(net, 3))
    kept = len(operators._KEPT)
    for rows in range(1, 8):
        gradients(net, random_inputs(net, rows))
    assert len(operators._KEPT) == kept


@pytest.mark.parametrize('static', [False, True])
def test_attention_weights_are_dropped_in_training_and_only_there(static):
    ids = mx.np.array(np.random.default_rng(0).integers(0, 5, (300, 3)) + [0, 5, 10], dtype='int32')
    plain, dropping = (d2l.AFM([5, 5, 5], 4, 3, 0.0, attention_drop_rate=r) for r in (0, 0.5))
    for net in (plain, dropping):
        operators.choose(net, 0)
        randomize(net)
        if static:
            net.hybridize(static_alloc=True, static_shape=True)
    expected = plain(ids).asnumpy()
    np.testing.assert_allclose(dropping(ids).asnumpy(), expected, rtol=1e-4, atol=1e-4)
    with autograd.record():
        one, other = dropping(ids).asnumpy(), dropping(ids).asnumpy()
    assert np.abs(one - expected).max() > 1e-3 and np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize('static', [False, True])
def test_a_part_of_another_type_is_refused_and_not_read_as_float32(static, monkeypatch):
    monkeypatch.setattr(operators, 'FEW', 0)
    net, _ = compiled('FM')
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    net.embedding.cast('float64')
    with pytest.raises(mx.MXNetError):
        net(random_inputs(net, 5)[0]).asnumpy()


@pytest.mark.parametrize(
    'name, layer, shape',
    [
        ('FM', 'pairwise', (4, 16)),
        ('AFM', 'attention', (4, 8, 2)),  # wrote beyond its memory
        ('XDeepFM', 'cin', (4, 8, 2)),
        ('DCN', 'cross', (4, 3)),
    ],
)
def test_vectors_that_do_not_fit_a_layer_are_refused(name, layer, shape):
    net, _ = compiled(name)
    with pytest.raises(mx.MXNetError):
        getattr(net, layer)(mx.np.ones(shape)).asnumpy()


def by_known(net, rows, mask):
    """Outputs for what is known, and gradients of a weighted sum of them."""
    with autograd.record():
        out = net.for_known(rows, mask)
        loss = (out * mx.np.arange(out.size).reshape(out.shape)).sum()
    loss.backward()
    return {'out': out.asnumpy(), **{n: p.grad().asnumpy() for n, p in learned(net).items()}}


@pytest.mark.parametrize('static', [False, True])
@pytest.mark.parametrize('name', [name for name in ZOO if name.startswith('AutoRec')])
def test_known_entries_alone_give_what_a_mask_leaves(name, static, monkeypatch):
    monkeypatch.setattr(autorec, 'FEW_KNOWN', 2)
    net, _ = compiled(name)
    if static:
        net.hybridize(static_alloc=True, static_shape=True)
    rng = np.random.default_rng(0)
    for rows in (7, 1, 7):
        mask = rng.random((rows, net.num_users)) < 0.4
        mask[0], mask[-1, 0] = False, True  # a row of which nothing is known
        known = np.where(mask, rng.integers(0, 5, mask.shape), 0)  # of which one may be 0
        shown = mx.np.array(known, dtype='float32'), mx.np.array(mask, dtype='float32')
        assert net._can_skip(shown[1])
        found = by_known(net, *shown)
        with operators.PLAIN:
            assert not net._can_skip(shown[1])
            expected = by_known(net, *shown)
        for path, value in found.items():
            np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-4, err_msg=path)


def test_known_entries_alone_only_where_that_is_the_net():
    net, _ = compiled('AutoRec')
    few = mx.np.zeros((3, net.num_users))
    few[0, 0] = 1
    assert net._can_skip(few) and not net._can_skip(few * 0 + 1)
    hook = net.decoder.register_forward_hook(lambda *_: None)
    assert not net._can_skip(few)
    hook.detach()
    assert net._can_skip(few)
    net.cast('float64')
    assert not net._can_skip(few) and net.for_known(few.astype('float64'), few).dtype == np.float64

    class Own(d2l.AutoRec):
        def hybrid_forward(self, F, x):
            return super().hybrid_forward(F, x) + 1

    class Around(d2l.AutoRec):
        def forward(self, x):
            return super().forward(x) + 1

    for kind in (Own, Around):
        own = kind(2, few.shape[1])
        operators.choose(own, 0)
        assert not own._can_skip(few)
    net, _ = compiled('AutoRec')
    net.forward = lambda x: x
    assert not net._can_skip(few)
    net, _ = compiled('AutoRec')
    hook = net.encoder.register_forward_hook(lambda *_: None)
    assert not net._can_skip(few)
    hook.detach()
    net.decoder = gluon.nn.Dense(net.num_users, use_bias=False, in_units=2)
    assert not net._can_skip(few)


@pytest.mark.parametrize('least', [0, 10**9])
def test_a_mask_marks_and_does_not_weigh(least):
    net = d2l.AutoRec(3, 20, dropout=0)
    randomize(net)
    operators.choose(net, least)
    mask = mx.np.zeros((2, 20))
    mask[0, 3], mask[1, 7] = 3, 0.5
    rows = mask * 4
    expected = net(rows).asnumpy() * (mask.asnumpy() != 0)
    for marks in (mask, mask != 0):
        np.testing.assert_allclose(net.for_known(rows, marks).asnumpy(), expected, rtol=1e-5)


class Compiled:
    _compile = True


LOGITS = np.array([[-200.0], [-30.0], [-1.5], [0.0], [1e-3], [2.0], [40.0], [200.0]], np.float32)


def losses_and_slopes(loss, out, *rest):
    out = mx.np.array(out)
    out.attach_grad()
    with autograd.record():
        losses = loss(out, *rest)
    losses.backward()
    return losses.asnumpy(), out.grad.asnumpy()


@pytest.mark.parametrize('kind', ['float32', 'float64', 'int32'])
def test_log_loss_in_one_pass(kind):
    plain = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    fast = in_one_pass(Compiled, plain)
    labels = np.array([[0, 1, 1, 0, 1, 0, 1, 0]], kind).T
    losses, slopes = losses_and_slopes(fast, LOGITS, mx.np.array(labels, dtype=kind))
    z, y = LOGITS.astype('float64'), labels.astype('float64')
    assert losses.shape == (8,)
    np.testing.assert_allclose(losses, (np.logaddexp(0, z) - y * z)[:, 0], rtol=1e-5, atol=1e-6)
    at_0 = z == 0  # where MXNet's slope is -y
    expected = np.where(at_0, 0, 1 / (1 + np.exp(-z))) - y
    np.testing.assert_allclose(slopes, expected, rtol=1e-5, atol=1e-6)
    expected = losses_and_slopes(plain, LOGITS, mx.np.array(labels, dtype='float32'))
    np.testing.assert_allclose(losses, expected[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(slopes, expected[1], rtol=1e-5, atol=1e-6)


def test_square_loss_in_one_pass():
    rng = np.random.default_rng(0)
    out, target = rng.normal(size=(2, 5, 7)).astype('float32')
    mask = (rng.random((5, 7)) < 0.4).astype('float32')
    rest = mx.np.array(target), mx.np.array(mask)
    found = losses_and_slopes(in_one_pass(Compiled, gluon.loss.L2Loss()), out, *rest)
    expected = losses_and_slopes(gluon.loss.L2Loss(), out, *rest)
    by_definition = [0.5 * sum(m * (o - t) ** 2 for o, t, m in zip(*row)) / 7
                     for row in zip(out, target, mask)]  # fmt: skip
    np.testing.assert_allclose(found[0], by_definition, rtol=1e-5)
    for one, other in zip(found, expected):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_other_losses_stay_as_they_are():
    Loss = gluon.loss.SigmoidBinaryCrossEntropyLoss
    for loss in (Loss(from_sigmoid=True), Loss(weight=2), Loss(batch_axis=1), gluon.loss.L1Loss()):
        assert in_one_pass(Compiled, loss) is loss
    watched = Loss()
    watched.register_forward_hook(lambda *_: None)
    assert in_one_pass(Compiled, watched) is watched
    plain = Loss()
    assert in_one_pass(gluon.nn.Dense(1), plain) is plain
    fast = in_one_pass(Compiled, plain)
    wide = mx.np.array([[0.5, -1.0]]), mx.np.array([[1.0, 0.0]])
    np.testing.assert_array_equal(fast(*wide).asnumpy(), plain(*wide).asnumpy())


def test_training_takes_what_is_compiled_and_learns_alike():
    """The same data, seed and weights: with loops and without, losses agree."""
    rng = np.random.default_rng(0)
    mask = rng.random((40, 30)) < 0.1
    matrix = np.where(mask, rng.integers(1, 6, mask.shape), 0).astype('float32')

    def trained(least):
        net = d2l.AutoRec(8, 30, dropout=0)
        operators.choose(net, least)
        randomize(net)
        loader = gluon.data.DataLoader(matrix, 10)  # batches are rows and nothing else
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.5})
        loss = gluon.loss.L2Loss()
        history = d2l.train_recsys_rating(net, loader, None, loss, trainer, 3, verbose=False)
        return [row['train_loss'] for row in history.rows]

    np.testing.assert_allclose(trained(0), trained(10**9), rtol=1e-4)


@pytest.mark.parametrize('hybridized', [False, True])
def test_dropout_is_gluon_s_but_for_the_masks(hybridized):
    rate, x = 0.3, mx.np.random.uniform(1, 2, size=(300, 41))
    dropout = layers.Dropout(rate)
    dropout._compile = True
    if hybridized:
        dropout.hybridize(static_alloc=True, static_shape=True)
    x.attach_grad()

    def masks(seed):
        mx.random.seed(seed)
        with autograd.record():
            one = dropout(x)
            two = dropout(x)
        autograd.backward([one, two], [mx.np.ones_like(x), 2 * mx.np.ones_like(x)])
        return [(y / x).asnumpy() for y in (one, two)], x.grad.asnumpy()

    (one, two), grad = masks(1)
    for mask in (one, two):
        assert set(np.unique(mask.round(5))) == {0, np.float32(round(1 / (1 - rate), 5))}
        assert abs((mask == 0).mean() - rate) < 0.02  # 12,300 draws: four standard deviations
        assert np.abs((mask == 0).mean(axis=0) - rate).max() < 0.13  # each column of 300
        assert abs((mask[1:] == 0)[mask[:-1] == 0].mean() - rate) < 0.03  # a row knows no other
        assert abs((mask[:, 1:] == 0)[mask[:, :-1] == 0].mean() - rate) < 0.03
    assert abs(((one == 0) & (two == 0)).mean() - rate**2) < 0.02  # nor a pass
    np.testing.assert_allclose(grad, one + 2 * two, rtol=1e-5)
    again, _ = masks(1)
    np.testing.assert_array_equal(again, [one, two])
    assert (masks(2)[0][0] != one).any()
    np.testing.assert_array_equal(dropout(x).asnumpy(), x.asnumpy())
    with autograd.record(train_mode=False):
        y = dropout(x)
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), 1)


def test_nothing_is_drawn_for_dropout_where_nothing_is_dropped():
    dropout, x = layers.Dropout(0.5), mx.np.ones((4, 4))
    dropout._compile = True
    drawn = []
    for predicts in (False, True):
        mx.random.seed(3)
        if predicts:
            dropout(x).wait_to_read()
        drawn.append(float(mx.np.random.uniform()))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize('name, op', [('FM', 'pairwise_of'), ('NFM', 'bi_interaction_of')])
def test_vectors_that_nothing_else_reads_are_not_written(name, op):
    net, _ = compiled(name)
    net.hybridize()
    inputs = random_inputs(net, 300)
    net(*inputs)
    graph = net._cached_graph[1].tojson()
    assert getattr(operators, op).name in graph and operators.look_up.name not in graph
    assert operators.looked_up(inputs[0]) is None and operators.looked_up(mx.sym.var('e')) is None
