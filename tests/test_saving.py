"""Models and checkpoints on disk: what comes back, bit for bit, and what is refused."""

import json
import os
import subprocess
import sys
import textwrap
import zipfile

import mxnet as mx
import numpy as np
import pytest
from helpers import random_ids, randomize, weights_of
from mxnet import gluon
from mxnet.gluon import nn

import d2lrec as d2l
from d2lrec import saving
from d2lrec.models.base import CTRModel, Model

DIMS, K = [3, 5, 2, 4], 4


class Mine(CTRModel):
    """A reader's own model, of arguments of several kinds."""

    def __init__(self, field_dims, sizes, *, names=('a', 'b'), scale=1.0, **kwargs):
        super().__init__(field_dims, **kwargs)
        self.names, self.scale = names, scale
        with self.name_scope():
            self.embedding = d2l.layers.Embedding(sum(self.field_dims), sizes['factors'])
            self.norm = nn.BatchNorm(in_channels=len(self.field_dims) * sizes['factors'])
            self.out = nn.Dense(1, in_units=len(self.field_dims) * sizes['factors'])

    def hybrid_forward(self, F, x):
        return self.out(self.norm(F.npx.reshape(self.embedding(x), (-2, -1)))) * self.scale


MODELS = {
    'LR': lambda: d2l.LR(DIMS),
    'FM': lambda: d2l.FM(np.array(DIMS), num_factors=K),
    'DeepFM': lambda: d2l.DeepFM(mx.np.array(DIMS), K, (6, 5), drop_rate=np.float32(0.5)),
    'Mine': lambda: Mine(
        DIMS, {'factors': np.int64(3)}, names=('x', 'y'), scale=0.5, prefix='own_'
    ),
    'MF': lambda: d2l.MF(K, 7, 9, mean=3.5),
    'NeuMF': lambda: d2l.NeuMF(K, 7, 9, [5]),
    'AutoRec': lambda: d2l.AutoRec([5, 4], 9, 0.0, 'tanh'),
    'EmbeddingMLP': lambda: d2l.EmbeddingMLP(DIMS, K, [6], batch_norm=True),
    'NFM': lambda: d2l.NFM(DIMS, K, [6]),
    'AFM': lambda: d2l.AFM(DIMS, K, 5),
    'FFM': lambda: d2l.FFM(DIMS, K),
    'WideDeep': lambda: d2l.WideDeep(DIMS, K, [6], cross_dims=[4, 3], num_dense=2),
    'DCN': lambda: d2l.DCN(DIMS, K, [6]),
    'XDeepFM': lambda: d2l.XDeepFM(DIMS, K, [6], cin_dims=[4]),
    'DLRM': lambda: d2l.DLRM(DIMS, K, [6], num_dense=2, bottom_dims=[5]),
}


def inputs_of(net, rows=6):
    rng = np.random.default_rng(0)
    inputs = [
        mx.np.array(rng.integers(0, 3, shape), dtype='float32') for shape in net.input_shapes(rows)
    ]
    if isinstance(net, CTRModel):
        inputs[0] = inputs[0].astype('int32')
    return tuple(inputs)


@pytest.mark.parametrize('name', MODELS)
def test_a_model_comes_back_from_its_file_alone(name, tmp_path):
    net = randomize(MODELS[name]())
    for param in net.collect_params('.*running.*').values():
        param.set_data(mx.np.full(param.shape, 2.0))  # not what a new net begins with
    d2l.save(net, tmp_path / 'net')
    back = d2l.load(tmp_path / 'net')
    assert type(back) is type(net) and back is not net and back.vocab is None
    for x in (inputs_of(net, 6), inputs_of(net, 1)):
        np.testing.assert_array_equal(back(*x).asnumpy(), net(*x).asnumpy())
    assert back.arguments == net.arguments
    assert os.listdir(tmp_path) == ['net']


def test_every_model_of_the_library_is_here():
    classes = [o for o in vars(d2l.models).values() if isinstance(o, type) and issubclass(o, Model)]
    assert {c.__name__ for c in classes} <= set(MODELS) and len(classes) >= 14


def test_a_model_comes_back_on_several_devices_and_trains_on(tmp_path):
    net = randomize(MODELS['DeepFM']())
    d2l.save(net, tmp_path / 'net')
    devices = [mx.cpu(0), mx.cpu(1)]
    back = d2l.load(tmp_path / 'net', devices)
    assert back.linear.weight.list_ctx() == devices
    x = random_ids(DIMS, 20)
    loader = d2l.BatchLoader(x, np.arange(20) % 2, batch_size=10)
    trainer = gluon.Trainer(back.collect_params(), 'adam', {'learning_rate': 0.1})
    assert (
        len(
            d2l.train_ch13(
                back,
                loader,
                loader,
                gluon.loss.SigmoidBCELoss(),
                trainer,
                1,
                devices,
                verbose=False,
            )
        )
        == 1
    )


@pytest.fixture(scope='module')
def datasets(tmp_path_factory):
    clicks = d2l.planted(600, [6, 9, 4], seed=0)
    train = d2l.CTRDataset(clicks[:500].frame(), min_threshold=20)
    return train, clicks[500:].frame()


def test_the_vocabulary_comes_with_the_model(datasets, tmp_path):
    train, new = datasets
    net = randomize(d2l.FM(train.field_dims, K))
    d2l.save(net, tmp_path / 'a', train)
    d2l.save(net, tmp_path / 'b', (train.feat_mapper, train.defaults))
    expected = net(mx.np.array(d2l.CTRDataset(new, train.feat_mapper, train.defaults).features))
    for file in ('a', 'b'):
        back = d2l.load(tmp_path / file)
        assert back.vocab == (train.feat_mapper, train.defaults)
        ids = d2l.CTRDataset(new, *back.vocab).features
        np.testing.assert_array_equal(back(mx.np.array(ids)).asnumpy(), expected.asnumpy())
    d2l.save(back, tmp_path / 'c')  # what was loaded keeps its vocabulary
    assert d2l.load(tmp_path / 'c').vocab == back.vocab


@pytest.mark.parametrize('num_buckets', [None, 7])
def test_crosses_and_quantiles_come_with_the_model(datasets, tmp_path, num_buckets):
    train, new = datasets
    crosses = d2l.data.Crosses(train, [(1, 2), (1, 2, 3)], min_threshold=3, num_buckets=num_buckets)
    dense = np.random.default_rng(0).normal(size=(len(train), 2))
    quantiles = d2l.data.Quantiles(dense, 10, ['a', 'b'])
    net = randomize(d2l.WideDeep(train.field_dims, K, [6], cross_dims=crosses.dims, num_dense=2))
    d2l.save(net, tmp_path / 'net', train, crosses, quantiles)
    back = d2l.load(tmp_path / 'net')
    rows = d2l.CTRDataset(new, *back.vocab)

    def outputs(net, crosses, quantiles):
        return net(
            mx.np.array(crosses.transform(rows)),
            mx.np.array(quantiles.transform(dense[: len(rows)])),
        ).asnumpy()

    np.testing.assert_array_equal(
        outputs(back, back.crosses, back.quantiles), outputs(net, crosses, quantiles)
    )
    d2l.save(back, tmp_path / 'again')
    assert d2l.load(tmp_path / 'again').crosses.dims.tolist() == crosses.dims.tolist()
    with pytest.raises(ValueError, match='ids and WideDeep was built with cross_dims'):
        d2l.save(net, tmp_path / 'x', train, d2l.data.Crosses(train, [(1, 2)]))
    with pytest.raises(ValueError, match='quantiles are of 1 features and WideDeep takes 2'):
        d2l.save(net, tmp_path / 'x', train, crosses, d2l.data.Quantiles(dense[:, :1]))
    with pytest.raises(ValueError, match='crosses is a list: give the Crosses'):
        d2l.save(net, tmp_path / 'x', train, [(1, 2)])


def test_the_file_is_json_and_arrays(tmp_path):
    net = randomize(d2l.FM(DIMS, K))
    d2l.save(net, tmp_path / 'fm.npz')
    with zipfile.ZipFile(tmp_path / 'fm.npz') as archive:
        facts = json.loads(archive.read('facts.json'))
    assert facts['class'] == 'FM'
    assert facts['arguments'] == {'field_dims': DIMS, 'num_factors': K}
    arrays = np.load(tmp_path / 'fm.npz', allow_pickle=False)
    np.testing.assert_array_equal(arrays['embedding.weight'], net.embedding.weight.data().asnumpy())


def test_what_the_caller_changes_later_does_not_matter(tmp_path):
    dims, hidden = list(DIMS), [6, 5]
    net = randomize(d2l.DeepFM(dims, K, hidden))
    dims.append(100), hidden.clear()
    d2l.save(net, tmp_path / 'net')
    assert d2l.load(tmp_path / 'net').field_dims == DIMS


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    net = randomize(d2l.LR(DIMS))
    d2l.save(net, tmp_path / 'net')
    before = (tmp_path / 'net').read_bytes()
    monkeypatch.setattr(saving.np.lib.format, 'write_array', lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        d2l.save(net, tmp_path / 'net')
    assert os.listdir(tmp_path) == ['net'] and (tmp_path / 'net').read_bytes() == before


class Variadic(CTRModel):
    def __init__(self, *field_dims, **kwargs):
        super().__init__(field_dims, **kwargs)


def refusals(path, datasets):
    def file(name, **changes):
        d2l.save(randomize(d2l.FM(DIMS, K)), path / name)
        facts, arrays = saving._read(path / name, 'model', 'save')
        facts.update(changes)
        saving._write(path / name, facts, arrays)
        return path / name

    (path / 'text').write_text('not a model')
    (path / 'half').write_bytes(file('whole').read_bytes()[:500])
    other = randomize(d2l.FM(DIMS, K))
    return [
        (lambda: d2l.save(nn.Dense(1), path / 'x'), 'Dense does not know what it was built from'),
        (lambda: d2l.save(Variadic(2, 3), path / 'x'), r'Variadic does not know.*without \*args'),
        (lambda: d2l.save(d2l.LR(DIMS), path / 'x'), 'LR has no weights yet: call net.init'),
        (
            lambda: d2l.save(randomize(Mine(DIMS, {'factors': 2}, names={1, 2})), path / 'x'),
            r'Mine was built with names = \{1, 2\}, which JSON',
        ),
        (lambda: d2l.save(other, path / 'x', datasets[0]), 'vocabulary has field_dims.*FM was'),
        (lambda: d2l.save(randomize(d2l.MF(K, 3, 4)), path / 'x', datasets[0]), 'built with None'),
        (lambda: d2l.save(other, path / 'x', {'a': 0}), 'vocab is a dict: give the CTRDataset'),
        (lambda: d2l.load(path / 'text'), 'text is not a model'),
        (lambda: d2l.load(path / 'half'), 'half is not a model, or is damaged'),
        (lambda: d2l.load(file('gone', module='elsewhere')), 'FM of the module elsewhere.*import'),
        (
            lambda: d2l.load(file('wider', arguments={'field_dims': DIMS, 'num_factors': 9})),
            r'does not fit this FM: for embedding.weight it has \(14, 4\), the net \(14, 9\)',
        ),
    ]


@pytest.mark.parametrize('case', range(11))
def test_refusals_say_what_where_and_what_to_do(case, tmp_path, datasets):
    call, words = refusals(tmp_path, datasets)[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value) and not (tmp_path / 'x').exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist: give a file that save wrote'):
        d2l.load(tmp_path / 'nothing')


# Checkpoints. The script is what a reader runs twice; it must need nothing from the first time.
SCRIPT = textwrap.dedent("""
    import sys
    import mxnet as mx
    from mxnet import gluon
    from mxnet.gluon import nn
    import d2lrec as d2l

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
    drawn = saving._read(tmp_path / 'a', 'checkpoint', '')[0]['seed']
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


def other_checkpoints(path):
    run(1, path / 'state')
    d2l.save(randomize(d2l.LR(DIMS)), path / 'model')
    (path / 'text').write_text('')
    wider = d2l.DeepFM([9, 7, 5], 4, [9], drop_rate=0.5)
    wider.mlp.hidden.add(nn.BatchNorm(in_channels=9))
    small = d2l.BatchLoader(np.zeros((10, 3), 'int32'), np.zeros(10), batch_size=5)

    def on_other_data():
        net = run(1, None)[0]
        trainer = gluon.Trainer(net.collect_params(), 'adam')
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
        (lambda: run(2, path / 'state', net=wider), r'mlp.hidden.0.weight it has \(8, 12\)'),
        (lambda: run(2, path / 'state', optimizer='sgd'), 'written with other optimizers'),
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
