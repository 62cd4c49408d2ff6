"""What the one loop does when something goes wrong, or there is nothing to do."""

import d2lrec as d2l
from d2lrec.weights import copy_weights

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize
from mxnet import gluon

DIMS = [20, 15, 10]


@pytest.fixture(scope='module')
def clicks():
    return d2l.planted(4_000, DIMS, linear=0.5, pairwise=1.5, zipf=0.5, seed=3)


@pytest.fixture
def parts(clicks):
    return clicks[:3000], clicks[3000:3500], clicks[3500:]


def finite(net):
    return all(np.isfinite(a.asnumpy()).all() for a in copy_weights(net).values())


def breaking(monkeypatch, at, action):
    """Have the step number `at` (from 1) followed by `action(trainer)`."""
    steps, step = [], gluon.Trainer.step

    def broken(trainer, *args):
        step(trainer, *args)
        steps.append(1)
        if len(steps) == at:
            action(trainer)

    monkeypatch.setattr(gluon.Trainer, 'step', broken)


def spoil(trainer):
    """As an exploding step does: one weight of the first dense layer is no number any more."""
    weight = next(p for p in trainer._params if 'dense' in p.name and p.name.endswith('weight'))
    weight.set_data(mx.np.full(weight.shape, np.nan))


@pytest.mark.parametrize('validated', [True, False])
def test_weights_that_stop_being_finite_end_the_run(parts, monkeypatch, validated):
    """ReLU turns NaN into 0 in MXNet: the loss alone would never show it."""
    train, valid, _ = parts
    net = d2l.EmbeddingMLP(DIMS, 4, [8], drop_rate=0.0)
    breaking(monkeypatch, at=70, action=spoil)  # 30 steps an epoch: in the third
    with pytest.raises(
        ValueError,
        match=r'weight stopped being finite by step \d+ of epoch 3.*holds the weights of',
    ):
        d2l.fit(net, train, valid if validated else None, batch_size=100, num_epochs=5)
    assert finite(net)
    kept = copy_weights(net)
    monkeypatch.undo()
    other = d2l.EmbeddingMLP(DIMS, 4, [8], drop_rate=0.0)
    history = d2l.fit(other, train, valid if validated else None, batch_size=100, num_epochs=2)
    assert not validated or history.best_epoch == 2
    for name, weight in copy_weights(other).items():
        np.testing.assert_array_equal(kept[name].asnumpy(), weight.asnumpy(), err_msg=name)


def test_a_loss_that_stops_being_finite_names_its_step(parts, monkeypatch):
    net = d2l.FM(DIMS, 4)

    def explode(trainer):
        net.linear.bias.set_data(mx.np.array([np.inf]))

    breaking(monkeypatch, at=40, action=explode)
    with pytest.raises(ValueError, match='training loss became .* at step 11 of epoch 2.*epoch 1'):
        d2l.fit(net, parts[0], batch_size=100, num_epochs=3)
    assert finite(net)


@pytest.mark.parametrize('rate, optimizer', [(1e3, 'sgd'), (1e30, 'adam')])
def test_a_rate_that_is_far_too_high_leaves_a_usable_net(parts, rate, optimizer):
    for net in (d2l.EmbeddingMLP(DIMS, 4, [8, 8]), d2l.NFM(DIMS, 4, [8])):
        try:
            d2l.fit(net, *parts, lr=rate, optimizer=optimizer, batch_size=100, num_epochs=3)
        except ValueError as error:
            assert 'lower the learning rate' in str(error)
        assert finite(net)


def test_the_first_epoch_goes_back_to_where_it_began(parts, monkeypatch):
    net = randomize(d2l.EmbeddingMLP(DIMS, 4, [8], drop_rate=0.0))
    before = copy_weights(net)
    breaking(monkeypatch, at=3, action=spoil)
    with pytest.raises(ValueError, match='holds the weights it began with'):
        d2l.fit(net, parts[0], batch_size=100)
    for name, weight in copy_weights(net).items():
        np.testing.assert_array_equal(before[name].asnumpy(), weight.asnumpy(), err_msg=name)


@pytest.mark.parametrize('validated', [True, False])
def test_ctrl_c_leaves_the_best_weights_and_the_history(parts, monkeypatch, capsys, validated):
    train, valid, _ = parts
    net = d2l.FM(DIMS, 4)

    def interrupt(trainer):
        raise KeyboardInterrupt

    breaking(monkeypatch, at=75, action=interrupt)
    with pytest.raises(KeyboardInterrupt) as stopped:
        d2l.fit(net, train, valid if validated else None, batch_size=100, num_epochs=5)
    assert len(stopped.value.history) == 2
    assert 'Interrupted in epoch 3: the net holds the weights of epoch' in capsys.readouterr().out
    monkeypatch.undo()
    other = d2l.FM(DIMS, 4)
    d2l.fit(other, train, valid if validated else None, batch_size=100, num_epochs=2)
    for mine, theirs in zip(copy_weights(net).values(), copy_weights(other).values()):
        np.testing.assert_array_equal(mine.asnumpy(), theirs.asnumpy())


def test_no_epoch_at_all(parts, capsys):
    history = d2l.fit(d2l.LR(DIMS), *parts, num_epochs=0, verbose=True)
    assert capsys.readouterr() == ('', '')
    assert len(history) == 0 and repr(history) == 'History(0 epochs)'
    assert len(history.table()) == 0 and history.rows_per_second == 0
    assert history._repr_svg_() is None
    for ask in (lambda: history.kept, history.plot):
        with pytest.raises(ValueError, match='train for at least one epoch'):
            ask()
    with pytest.raises(KeyError, match='none, no epoch was run'):
        history['train_loss']


def test_boolean_labels_are_counted_right(clicks):
    """A comparison of MXNet's booleans with a number is False throughout."""
    accuracies = []
    for labels in (clicks.labels, clicks.labels > 0):
        net = randomize(d2l.LR(DIMS))
        loader = [(mx.np.array(clicks.features), mx.np.array(labels))]  # a loader of its own kind
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.0})
        history = d2l.train_ch13(
            net, loader, None, gluon.loss.SigmoidBCELoss(), trainer, 1, verbose=False
        )
        accuracies.append(history['train_acc'])
    assert accuracies[0] == accuracies[1]


@pytest.mark.parametrize(
    'build', [lambda: d2l.LR(DIMS), lambda: d2l.DLRM(DIMS, 4, [8]), lambda: d2l.DCN(DIMS, 4, [8])]
)
@pytest.mark.parametrize('rate', [0.001, 0.6])
def test_no_wolf_is_cried_over_logits_between_0_and_1(build, rate, recwarn):
    """Small rates on frequent clicks, and large ones on random labels, end there."""
    for clicks in (
        d2l.planted(500, DIMS, rate=0.65, seed=0),
        d2l.planted(500, DIMS, random_labels=True, rate=0.6, seed=0),
    ):
        d2l.fit(build(), clicks[:400], None, clicks[400:], lr=rate, num_epochs=1)
    assert not [w for w in recwarn if 'sigmoid' in str(w.message)]


def test_a_full_disk_leaves_the_best_weights_and_the_history(parts, monkeypatch, tmp_path):
    train, valid, _ = parts
    net, written = d2l.FM(DIMS, 4), []
    write = d2l.Checkpoint.write

    def full(checkpoint, *args):
        if len(written) == 2:
            raise OSError(28, 'No space left on device')
        written.append(1)
        write(checkpoint, *args)

    monkeypatch.setattr(d2l.Checkpoint, 'write', full)
    with pytest.raises(OSError, match='No space left') as stopped:
        d2l.fit(net, train, valid, batch_size=100, num_epochs=5, checkpoint=tmp_path / 'state')
    assert len(stopped.value.history) == 3
    monkeypatch.undo()
    other = d2l.FM(DIMS, 4)
    d2l.fit(other, train, valid, batch_size=100, num_epochs=3)
    for mine, theirs in zip(copy_weights(net).values(), copy_weights(other).values()):
        np.testing.assert_array_equal(mine.asnumpy(), theirs.asnumpy())
    d2l.fit(net, train, valid, batch_size=100, num_epochs=5, checkpoint=tmp_path / 'state')


def one_step(clicks, clip, devices=None, rows=False):
    """How one step of SGD moves all weights, as one vector."""
    net = d2l.FM(clicks.field_dims, 2)
    net.initialize(ctx=devices or [mx.cpu(0)])
    for i, param in enumerate(net.collect_params().values()):
        value = np.random.default_rng(i).normal(size=param.shape)
        param.set_data(mx.np.array(value, dtype='float32'))
    before = copy_weights(net)
    sgd = gluon.Trainer(net.collect_params(), d2l.SGD(learning_rate=1.0))
    d2l.fit(net, clicks, trainer=sgd, batch_size=len(clicks), num_epochs=1, clip=clip, rows=rows)
    after = copy_weights(net)
    moves = [after[name].asnumpy() - before[name].asnumpy() for name in before]
    return np.concatenate([move.ravel() for move in moves])


def test_a_gradient_that_is_too_long_is_scaled_to_the_clip(clicks):
    """Its direction stays; a shorter one is left alone. Devices and rows give the same."""
    some = clicks[:51]
    whole = one_step(some, None)
    length = np.linalg.norm(whole)
    half = one_step(some, length / 2)
    np.testing.assert_allclose(half, whole / 2, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(one_step(some, 2 * length), whole)
    two = [mx.cpu(0), mx.cpu(1)]
    for options in ({'devices': two}, {'rows': True}, {'devices': two, 'rows': True}):
        np.testing.assert_allclose(
            one_step(some, length / 2, **options), half, rtol=1e-3, atol=1e-6
        )
