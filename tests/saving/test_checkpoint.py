"""Checkpoints: a run that goes on equals one that never stopped; what does not fit is refused."""

import json
import os
import subprocess
import sys
import textwrap

import d2lrec as d2l
from d2lrec.saving.archive import read_archive, write_archive

import mxnet as mx
import numpy as np
import pytest
from helpers import randomize, weights_of
from mxnet import gluon
from mxnet.gluon import nn

DIMS, K = [3, 5, 2, 4], 4


# Checkpoints. The script is what a reader runs twice; it must need nothing from the first time.
SCRIPT = textwrap.dedent("""
    import sys
    import d2lrec as d2l
    import mxnet as mx
    from mxnet import gluon
    from mxnet.gluon import nn

    def run(epochs, checkpoint, devices=(mx.cpu(0),), optimizer='adam', seed=7, loader_seed=None,
            valid=True, net=None, last_batch='keep', patience=None, start=3, dtype='int32'):
        devices = list(devices)
        data = d2l.planted(700, [9, 7, 5], seed=1)
        x = data.features.astype(dtype)
        train = d2l.BatchLoader(x[:500], data.labels[:500], batch_size=64, shuffle=True,
                                seed=loader_seed, last_batch=last_batch)
        test = d2l.BatchLoader(x[500:], data.labels[500:], batch_size=100)
        if net is None:
            net = d2l.DeepFM([9, 7, 5], 4, [8], drop_rate=.5)
            net.mlp.hidden.add(nn.BatchNorm(in_channels=8))
        mx.random.seed(start)
        net.initialize(ctx=devices, force_reinit=True)
        net.hybridize(static_alloc=True, static_shape=True)
        schedule = mx.lr_scheduler.FactorScheduler(step=10, factor=.9, base_lr=.05)
        trainer = gluon.Trainer(net.collect_params(), optimizer,
                                {'learning_rate': .05, 'lr_scheduler': schedule})
        history = d2l.train_ch13(net, train, test, gluon.loss.SigmoidBCELoss(), trainer, epochs,
                                 devices, valid_iter=test if valid else None, seed=seed,
                                 patience=patience, verbose=False, checkpoint=checkpoint)
        return net, history

    if __name__ == '__main__':
        run(int(sys.argv[1]), sys.argv[2], valid=sys.argv[3] == 'valid')
""")
run = {'__name__': 'script'}
exec(SCRIPT, run)
run = run['run']


def measures(history):
    return [{k: v for k, v in row.items() if 'seconds' not in k} for row in history.rows]


def same(one, two):
    (net, history), (other, rest) = one, two
    assert measures(history) == measures(rest)
    assert history.best_epoch == rest.best_epoch
    for (name, a), b in zip(weights_of(net).items(), weights_of(other).values()):
        np.testing.assert_array_equal(a, b, err_msg=name)
    for a, b in zip(net.collect_params().values(), other.collect_params().values()):
        for mine, theirs in zip(a.list_data(), b.list_data()):
            np.testing.assert_array_equal(mine.asnumpy(), theirs.asnumpy(), err_msg=a.name)
    return True


@pytest.mark.parametrize('valid', ['valid', ''])
def test_resuming_in_a_new_process_equals_never_having_stopped(tmp_path, valid):
    path = tmp_path / 'state'
    (tmp_path / 'script.py').write_text(SCRIPT)
    root = os.path.dirname(os.path.dirname(d2l.__file__))
    for _ in range(2):  # the second time there is nothing left to do
        subprocess.run(
            [sys.executable, '-W', 'ignore', str(tmp_path / 'script.py'), '3', str(path), valid],
            check=True,
            env={**os.environ, 'PYTHONPATH': root},
        )
    resumed = run(6, path, valid=bool(valid), start=11)
    assert len(resumed[1]) == 6
    same(run(6, None, valid=bool(valid)), resumed)


@pytest.mark.parametrize(
    'options',
    [
        {'loader_seed': 5},
        {'devices': (mx.cpu(0), mx.cpu(1))},
        {'optimizer': 'nadam'},
        {'loader_seed': 5, 'last_batch': 'rollover'},
        {'last_batch': 'rollover'},
        {'patience': 2},
        {'devices': (mx.cpu(0), mx.cpu(1)), 'valid': False, 'optimizer': 'sgd'},
    ],
    ids=str,
)
def test_resuming_with_new_objects_equals_never_having_stopped(tmp_path, options):
    straight = run(6, None, **options)
    run(2, tmp_path / 'state', **options)
    run(4, tmp_path / 'state', **options, start=12)
    same(straight, run(6, tmp_path / 'state', **options, start=11))


def test_resuming_after_an_interruption_within_an_epoch(tmp_path, monkeypatch):
    straight, steps = run(4, None, loader_seed=5), []
    step = gluon.Trainer.step

    def interrupted(trainer, *args):
        steps.append(1)
        if len(steps) == 20:  # 8 batches an epoch: in the third
            raise KeyboardInterrupt
        step(trainer, *args)

    monkeypatch.setattr(gluon.Trainer, 'step', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(4, tmp_path / 'state', loader_seed=5)
    same(straight, run(4, tmp_path / 'state', loader_seed=5, start=11))


def test_statistics_of_batch_normalisation_do_not_depend_on_timing():
    """On two devices MXNet lost those of the first batch now and then; training now waits."""
    first = run(1, None, devices=(mx.cpu(0), mx.cpu(1)), valid=False)
    for _ in range(5):
        same(first, run(1, None, devices=(mx.cpu(0), mx.cpu(1)), valid=False))


def test_what_is_saved_matters():
    """The control: without its checkpoint the second half differs, so equality above says much."""
    straight = run(4, None, valid=False)
    other = run(4, None, valid=False, start=11)
    assert measures(straight[1]) != measures(other[1])


def test_without_a_seed_one_is_drawn_and_kept(tmp_path):
    np.random.seed(0)
    run(2, tmp_path / 'a', seed=None)
    drawn = read_archive(tmp_path / 'a', 'checkpoint', '')[0]['seed']
    np.random.seed(1)
    same(run(4, None, seed=drawn), run(4, tmp_path / 'a', seed=None, start=11))


def test_training_that_is_done_returns_what_it_gave(tmp_path):
    first = run(3, tmp_path / 'state')
    again = run(3, tmp_path / 'state', start=11)
    assert same(first, again) and again[1].rows == first[1].rows
    stopped = run(40, tmp_path / 'other', patience=1)
    assert len(stopped[1]) < 40
    same(stopped, run(40, tmp_path / 'other', patience=1, start=11))


def test_rating_models_resume_too(tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 6, (40, 30)).astype('float32')

    def train(epochs, checkpoint, start=3):
        mx.random.seed(start)
        net = d2l.AutoRec(6, 30, dropout=0.3)
        net.initialize()
        trainers = [
            gluon.Trainer(part.collect_params(), 'adam', {'learning_rate': 0.05})
            for part in (net.encoder, net.decoder)
        ]
        loader = d2l.BatchLoader(matrix, matrix > 2, batch_size=16, shuffle=True, seed=2)
        rows = d2l.BatchLoader(matrix, matrix > 2, batch_size=16)
        return net, d2l.train_recsys_rating(
            net,
            loader,
            rows,
            gluon.loss.L2Loss(),
            trainers,
            epochs,
            inter_mat=matrix,
            inter_mask=matrix < 3,
            valid_iter=rows,
            valid_mat=matrix,
            seed=4,
            verbose=False,
            checkpoint=checkpoint,
        )

    straight = train(6, None)
    train(3, tmp_path / 'state')
    same(straight, train(6, tmp_path / 'state', start=11))


def test_nets_with_sizes_still_to_be_inferred_resume(tmp_path):
    def build():
        net = nn.HybridSequential()
        net.add(nn.Dense(8, activation='relu'), nn.Dropout(0.5), nn.Dense(1))
        return net

    straight = run(4, None, net=build(), dtype='float32')
    run(2, tmp_path / 'state', net=build(), dtype='float32')
    same(straight, run(4, tmp_path / 'state', net=build(), dtype='float32', start=11))


def test_names_that_count_up_do_not_matter(tmp_path):
    """A trainer sorts by name, where dense10 comes before dense9."""

    def build(first):
        net = nn.HybridSequential()
        net.add(nn.Dense(8, activation='relu', in_units=3, prefix=f'dense{first}_'))
        net.add(nn.Dense(1, in_units=8, prefix=f'dense{first + 1}_'))
        return net

    straight = run(4, None, net=build(1), dtype='float32')
    for written, read in ((7, 9), (9, 11)):
        path = tmp_path / str(written)
        run(2, path, net=build(written), dtype='float32')
        same(straight, run(4, path, net=build(read), dtype='float32', start=11))


@pytest.mark.parametrize(
    'changed, words',
    [
        ({'learning_rate': 0.1}, 'learning_rate = 0.05 and this trainer has 0.1'),
        ({'wd': 0.1}, 'wd = 0.0 and this trainer has 0.1'),
        ({'beta1': 0.5}, 'beta1 = 0.9 and this trainer has 0.5'),
        ('decay', r'decay of each weight = \[1.0.* and this trainer has \[.*0.0'),
        ('loss', 'loss = SigmoidBinaryCrossEntropyLoss and this run has Mine'),
        ('data', 'with other training data of the same size'),
        ('batch', 'a loader of 10 rows a batch and this one has 20'),
        ('seed', 'with the seed 1 and seed is 2'),
        ('valid', 'checksum of the validation data'),
        ('lr_factor', 'lr_factor = 0.5 and this run has 0.1'),
        ('clip', 'clip = None and this run has 1.0'),
    ],
)
def test_what_was_changed_since_is_named(tmp_path, changed, words):
    """Before, the old optimizer silently took the place of the new one."""
    clicks = d2l.planted(100, [5, 4], seed=0)

    class Mine(gluon.loss.SigmoidBCELoss):
        pass

    def train(epochs, change=None):
        net = randomize(d2l.FM(clicks.field_dims, 2))
        if change == 'decay':
            d2l.decay_embeddings_only(net)
        settings = {'learning_rate': 0.05, **(change if isinstance(change, dict) else {})}
        data = d2l.planted(100, [5, 4], seed=3) if change == 'data' else clicks
        d2l.fit(
            net,
            data,
            d2l.planted(50, [5, 4], seed=9 if change == 'valid' else 8),
            trainer=gluon.Trainer(net.collect_params(), 'adam', settings),
            loss=Mine() if change == 'loss' else None,
            batch_size=20 if change == 'batch' else 10,
            num_epochs=epochs,
            seed=2 if change == 'seed' else 1,
            checkpoint=tmp_path / 'state',
            lr_factor=0.1 if change == 'lr_factor' else 0.5,
            clip=1.0 if change == 'clip' else None,
        )

    train(1)
    before = (tmp_path / 'state').read_bytes()
    with pytest.raises(ValueError, match=words) as refusal:
        train(2, changed)
    assert '\n' not in str(refusal.value) and (tmp_path / 'state').read_bytes() == before
    train(2)


def test_ftrl_goes_on_at_the_rate_that_its_sums_belong_to(tmp_path):
    clicks = d2l.planted(300, [9, 8], seed=0)
    parts = clicks[:200], clicks[200:]

    def train(epochs, checkpoint):
        net = d2l.WideDeep(clicks.field_dims, 2, [4])
        history = d2l.fit(
            net, *parts, trainer=d2l.wide_deep_trainers, batch_size=20, num_epochs=epochs,
            lr_factor=0.5, checkpoint=checkpoint,
        )  # fmt: skip
        return net, history

    straight = train(6, None)
    train(3, tmp_path / 'state')
    same(straight, train(6, tmp_path / 'state'))


def test_nothing_in_a_checkpoint_is_code(tmp_path):
    run(1, tmp_path / 'state')
    with np.load(tmp_path / 'state', allow_pickle=False) as arrays:
        names = [n for n in arrays.files if n.startswith('trainer/')]
        assert names and all(arrays[n].dtype == np.float32 for n in names)
    assert (
        b'\x80\x04'
        not in json.dumps(read_archive(tmp_path / 'state', 'checkpoint', '')[0]).encode()
    )


def test_a_checkpoint_of_the_older_version_is_refused(tmp_path):
    run(1, tmp_path / 'state')
    facts, arrays = read_archive(tmp_path / 'state', 'checkpoint', '')
    del facts['version']
    write_archive(tmp_path / 'state', facts, arrays)
    with pytest.raises(ValueError, match='an older version, which had to be unpickled'):
        run(2, tmp_path / 'state')


def other_checkpoints(path):
    run(1, path / 'state')
    d2l.save(randomize(d2l.LR(DIMS)), path / 'model')
    (path / 'text').write_text('')
    wider = d2l.DeepFM([9, 7, 5], 4, [9], drop_rate=0.5)
    wider.mlp.hidden.add(nn.BatchNorm(in_channels=9))
    small = d2l.BatchLoader(np.tile([[0, 9, 16]], (10, 1)), np.arange(10) % 2, batch_size=64)

    def on_other_data():
        net = run(1, None)[0]
        schedule = mx.lr_scheduler.FactorScheduler(step=10, factor=0.9, base_lr=0.05)
        settings = {'learning_rate': 0.05, 'lr_scheduler': schedule}
        trainer = gluon.Trainer(net.collect_params(), 'adam', settings)
        d2l.train_ch13(
            net,
            small,
            small,
            gluon.loss.SigmoidBCELoss(),
            trainer,
            2,
            verbose=False,
            checkpoint=path / 'state',
        )

    return [
        (lambda: run(2, path / 'state', net=d2l.LR([9, 7, 5])), 'checkpoint of DeepFM and.* a LR'),
        (
            lambda: run(2, path / 'state', net=wider),
            r"written with net = .*'mlp_dims': \[8\].*this run has.*'mlp_dims': \[9\]",
        ),
        (lambda: run(2, path / 'state', optimizer='sgd'), 'with optimizer = Adam and this.* SGD'),
        (lambda: run(2, path / 'state', seed=8), 'with the seed 7 and seed is 8'),
        (lambda: run(2, path / 'model'), 'model is not a checkpoint'),
        (lambda: run(2, path / 'text'), 'text is not a checkpoint, or is damaged'),
        (on_other_data, 'loader of 500 rows and this one has 10'),
    ]


@pytest.mark.parametrize('case', range(7))
def test_a_checkpoint_of_something_else_is_refused(case, tmp_path):
    call, words = other_checkpoints(tmp_path)[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


SPOILT = {
    'no loader': lambda facts: facts.pop('loader'),
    'no trainers': lambda facts: facts.pop('trainers'),
    'a state of random numbers that is none': lambda facts: facts['loader']['rng']['state'].update(
        key=[-1] * 624
    ),
    'a place beyond the end': lambda facts: facts['loader']['rng']['state'].update(pos=1e300),
    'rows that there are not': lambda facts: facts['loader'].update(left=[10**6]),
    'a text for a number': lambda facts: facts['now'][0]['optimizer'].update(lr='fast'),
    'a number that is not finite': lambda facts: facts['now'][0]['optimizer'].update(
        lr=float('inf')
    ),
}


@pytest.mark.parametrize('case', SPOILT)
def test_facts_that_are_none_are_refused_in_one_sentence(tmp_path, case):
    run(1, tmp_path / 'state', loader_seed=1)
    facts, arrays = read_archive(tmp_path / 'state', 'checkpoint', 'a test')
    SPOILT[case](facts)
    write_archive(tmp_path / 'state', facts, arrays)
    with pytest.raises(ValueError) as refusal:
        run(2, tmp_path / 'state', loader_seed=1)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize('change', [lambda a: a.astype('int32'), lambda a: np.full_like(a, np.nan)])
def test_weights_that_are_none_are_refused_in_one_sentence(tmp_path, change):
    run(1, tmp_path / 'state')
    facts, arrays = read_archive(tmp_path / 'state', 'checkpoint', 'a test')
    name = next(n for n in arrays if n.startswith('weights/embedding'))
    arrays[name] = change(arrays[name])
    write_archive(tmp_path / 'state', facts, arrays)
    with pytest.raises(ValueError, match='damaged checkpoint|not finite throughout') as refusal:
        run(2, tmp_path / 'state')
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'key, value',
    [
        ('trainers', None),
        ('facts', 'a'),
        ('rows', [[]]),
        ('best_epoch', {'a': 1}),
        ('best_score', None),
        ('loader', 5),
        ('now', [{'optimizer': {'beta1': -1}, 'schedule': None, 'updates': {}}]),
        ('now', [{}]),
        ('seed', -1),
    ],
)
def test_facts_of_another_form_are_a_damaged_checkpoint(tmp_path, key, value):
    clicks = d2l.planted(60, [5, 4], seed=0)

    def train(epochs):
        net = d2l.FM(clicks.field_dims, 2)
        d2l.fit(net, clicks, batch_size=30, num_epochs=epochs, checkpoint=tmp_path / 'state')

    train(1)
    facts, arrays = read_archive(tmp_path / 'state', 'checkpoint', '')
    write_archive(tmp_path / 'state', {**facts, key: value}, arrays)
    with pytest.raises(ValueError, match='is a damaged checkpoint|was written with') as refusal:
        train(2)
    assert '\n' not in str(refusal.value)


def test_every_entry_of_an_optimizer_is_looked_at(tmp_path):
    clicks = d2l.planted(60, [5, 4], seed=0)

    def train(epochs):
        net = d2l.FM(clicks.field_dims, 2)
        d2l.fit(net, clicks, batch_size=30, num_epochs=epochs, checkpoint=tmp_path / 'state')

    train(1)
    facts, arrays = read_archive(tmp_path / 'state', 'checkpoint', '')
    mine = facts['now'][0]['optimizer']
    assert {'lr', 'wd', 'beta1', 'beta2', 'epsilon', 'num_update', 'rescale_grad'} <= set(mine)

    def refused(changed, updates=None):
        now = {
            **facts['now'][0],
            'optimizer': changed,
            'updates': updates or facts['now'][0]['updates'],
        }
        write_archive(tmp_path / 'state', {**facts, 'now': [now]}, arrays)
        with pytest.raises(ValueError, match='is a damaged checkpoint') as refusal:
            train(2)
        assert '\n' not in str(refusal.value), changed

    for name, value in mine.items():
        refused({**mine, name: [1, 'a']})
        refused({**mine, name: float('nan') if isinstance(value, float) else 'text'})
        if not isinstance(value, dict):
            refused({n: v for n, v in mine.items() if n != name})
    for name in ('beta1', 'beta2', 'epsilon', 'wd'):
        refused({**mine, name: mine[name] + 0.5})
    refused({**mine, 'another': 1})
    (device, counts), *_ = facts['now'][0]['updates'].items()
    for count in (-1, 1.5, True, None, 2**63):
        refused(mine, {device: {**counts, '0': count}})
    for odd in ({'9': counts}, {device: {'7': 1}}, {'x': counts}, {device: {'-1': 1}}, {device: 3}):
        refused(mine, odd)
    write_archive(tmp_path / 'state', facts, arrays)
    train(2)
