"""Models on disk: what comes back, bit for bit, and what is refused."""

import json
import os
import tracemalloc
import zipfile

import d2lrec as d2l
from d2lrec.models.base import CTRModel
from d2lrec.saving import archive

import mxnet as mx
import numpy as np
import pytest
from helpers import random_ids, randomize
from mxnet import gluon
from mxnet.gluon import nn

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


def test_a_reader_s_own_model_comes_back(tmp_path):
    net = randomize(
        Mine(DIMS, {'factors': np.int64(3)}, names=('x', 'y'), scale=0.5, prefix='own_')
    )
    for param in net.collect_params('.*running.*').values():
        param.set_data(mx.np.full(param.shape, 2.0))  # not what a new net begins with
    d2l.save(net, tmp_path / 'net')
    saved = d2l.load(tmp_path / 'net')
    back, encoder = saved
    assert type(back) is Mine and back is not net and encoder is saved.encoder is None
    for x in (random_ids(DIMS, 6), random_ids(DIMS, 1)):
        np.testing.assert_array_equal(back(x).asnumpy(), net(x).asnumpy())
    assert (
        back.config
        == net.config
        == {'field_dims': DIMS, 'sizes': {'factors': 3}, 'names': ['x', 'y'], 'scale': 0.5}
    )
    assert os.listdir(tmp_path) == ['net']


def test_a_model_comes_back_on_several_devices_and_trains_on(tmp_path):
    net = randomize(d2l.DeepFM(DIMS, K, (6, 5), drop_rate=0.5))
    d2l.save(net, tmp_path / 'net')
    devices = [mx.cpu(0), mx.cpu(1)]
    back, _ = d2l.load(tmp_path / 'net', devices)
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


def test_what_encodes_raw_rows_comes_with_the_model(datasets, tmp_path):
    train, new = datasets
    net = randomize(d2l.FM(train.field_dims, K))
    d2l.save(net, tmp_path / 'a', train)
    d2l.save(net, tmp_path / 'b', train.encoder)
    expected = d2l.predict(net, d2l.CTRDataset(new, vocabulary=train.vocabulary))
    for file in ('a', 'b'):
        back, encoder = d2l.load(tmp_path / file)
        assert encoder.vocabulary == train.vocabulary
        np.testing.assert_array_equal(d2l.predict(back, encoder.encode(new)), expected)
    d2l.save(back, tmp_path / 'c', encoder)
    saved = d2l.load(tmp_path / 'c')
    np.testing.assert_array_equal(saved.predict(new), expected)
    shuffled = new[[*new.columns[::-1]]].drop(columns='label')  # by name, and without a label
    np.testing.assert_array_equal(saved.predict(shuffled), expected)
    unclicked = new.assign(label=[None, 5] * (len(new) // 2))  # nothing that could be learned
    np.testing.assert_array_equal(saved.predict(unclicked), expected)
    with pytest.raises(ValueError, match='field2'):
        saved.predict(new.drop(columns='field2'))


@pytest.mark.parametrize('num_buckets', [None, 7])
def test_crosses_and_quantiles_come_with_the_model(datasets, tmp_path, num_buckets):
    train, new = datasets
    rng = np.random.default_rng(0)
    train = train[:]
    train.dense = rng.normal(size=(len(train), 2))
    train.dense_names = ['a', 'b']
    new = new.assign(a=rng.normal(size=len(new)), b=rng.normal(size=len(new)))
    crosses = d2l.Crosses(
        train,
        [('field1', 'field2'), ('field1', 'field2', 'field3')],
        min_threshold=3,
        num_buckets=num_buckets,
    )
    data = d2l.Quantiles(train, 10).apply(crosses.apply(train))
    net = randomize(d2l.WideDeep(train.field_dims, K, [6], cross_dims=crosses.dims, num_dense=2))
    d2l.save(net, tmp_path / 'net', data)
    saved = d2l.load(tmp_path / 'net')
    encoded = saved.encoder.encode(new)
    assert {k: v.shape[1] for k, v in encoded.columns.items()} == net.inputs
    np.testing.assert_array_equal(saved.predict(new), d2l.predict(net, data.encoder.encode(new)))
    np.testing.assert_array_equal(d2l.predict(saved.net, data), d2l.predict(net, data))
    with pytest.raises(ValueError, match='WideDeep'):
        d2l.save(net, tmp_path / 'x', train)  # without its crosses and quantiles
    with pytest.raises(ValueError, match='WideDeep'):
        d2l.save(net, tmp_path / 'x', d2l.Crosses(train, [('field1', 'field2')]).apply(train))


def test_the_file_is_json_and_arrays(tmp_path):
    net = randomize(d2l.FM(DIMS, K))
    d2l.save(net, tmp_path / 'fm.npz')
    with zipfile.ZipFile(tmp_path / 'fm.npz') as archive:
        facts = json.loads(archive.read('facts.json'))
    assert facts['class'] == 'FM'
    assert facts['config'] == {'field_dims': DIMS, 'num_factors': K}
    arrays = np.load(tmp_path / 'fm.npz', allow_pickle=False)
    np.testing.assert_array_equal(arrays['embedding.weight'], net.embedding.weight.data().asnumpy())


def test_what_the_caller_changes_later_does_not_matter(tmp_path):
    dims, hidden = list(DIMS), [6, 5]
    net = randomize(d2l.DeepFM(dims, K, hidden))
    dims.append(100), hidden.clear()
    d2l.save(net, tmp_path / 'net')
    assert d2l.load(tmp_path / 'net').net.field_dims == DIMS


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    net = randomize(d2l.LR(DIMS))
    d2l.save(net, tmp_path / 'net')
    before = (tmp_path / 'net').read_bytes()
    monkeypatch.setattr(archive.np.lib.format, 'write_array', lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        d2l.save(net, tmp_path / 'net')
    assert os.listdir(tmp_path) == ['net'] and (tmp_path / 'net').read_bytes() == before


class Variadic(CTRModel):
    def __init__(self, *field_dims, **kwargs):
        super().__init__(field_dims, **kwargs)


def refusals(path, datasets):
    def file(name, **changes):
        d2l.save(randomize(d2l.FM(DIMS, K)), path / name)
        facts, arrays = archive.read_archive(path / name, 'model', 'save')
        facts.update(changes)
        archive.write_archive(path / name, facts, arrays)
        return path / name

    (path / 'text').write_text('not a model')
    (path / 'half').write_bytes(file('whole').read_bytes()[:500])
    other, lost = randomize(d2l.FM(DIMS, K)), randomize(d2l.FM(DIMS, K))
    lost.embedding.weight.set_data(mx.np.full((14, K), np.inf))
    return [
        (lambda: d2l.save(nn.Dense(1), path / 'x'), 'Dense does not know what it was built from'),
        (lambda: d2l.save(Variadic(2, 3), path / 'x'), r'Variadic does not know.*without \*args'),
        (lambda: d2l.save(d2l.LR(DIMS), path / 'x'), 'LR has no weights yet: call net.init'),
        (
            lambda: d2l.save(randomize(Mine(DIMS, {'factors': 2}, names={1, 2})), path / 'x'),
            r'Mine was built with names = \{1, 2\}, which JSON',
        ),
        (lambda: d2l.save(other, path / 'x', datasets[0]), 'FM was built'),
        (lambda: d2l.save(randomize(d2l.MF(K, 3, 4)), path / 'x', datasets[0]), 'MF'),
        (lambda: d2l.save(other, path / 'x', {'a': 0}), 'data is a dict, which holds no encoder'),
        (lambda: d2l.save(other, path / 'no such folder' / 'x'), 'cannot be written: there is no'),
        (lambda: d2l.save(lost, path / 'x'), 'embedding.weight of this FM is not finite'),
        (lambda: d2l.load(path / 'text'), 'text is not a model'),
        (lambda: d2l.load(path / 'half'), 'half is not a model, or is damaged'),
        (lambda: d2l.load(file('gone', module='elsewhere')), 'FM of the module elsewhere.*import'),
        (lambda: d2l.load(file('old', version=1)), 'model of an older version'),
        (lambda: d2l.load(file('odd', config={'field_dims': [0]})), 'no FM that can be built'),
        (lambda: d2l.load(file('odd', config=[1])), 'no FM that can be built'),
        (lambda: d2l.load(file('odd', encoder={'version': 1})), 'no FM that can be built'),
        (
            lambda: d2l.load(file('bomb', config={'field_dims': [10**9], 'num_factors': 8})),
            r'for linear.weight it has \(14, 1\), the net \(1000000000, 1\)',
        ),
        (
            lambda: d2l.load(file('wider', config={'field_dims': DIMS, 'num_factors': 9})),
            r'does not fit this FM: for embedding.weight it has \(14, 4\), the net \(14, 9\)',
        ),
    ]


@pytest.mark.parametrize('case', range(18))
def test_refusals_say_what_where_and_what_to_do(case, tmp_path, datasets):
    call, words = refusals(tmp_path, datasets)[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value) and not (tmp_path / 'x').exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist: give a file that save wrote'):
        d2l.load(tmp_path / 'nothing')


def senseless(path, model, **config):
    """A file of about 1 kB of a model whose sizes no weight in it has."""
    d2l.save(randomize(model), path)
    facts, arrays = archive.read_archive(path, 'model', 'save')
    archive.write_archive(path, {**facts, 'config': {**facts['config'], **config}}, arrays)
    return path


@pytest.mark.parametrize(
    'build, config, words',
    [
        (lambda: d2l.FM(DIMS, K), {'field_dims': [60_000_000]}, 'linear.weight it has'),
        (lambda: d2l.FM(DIMS, K), {'num_factors': 10**9}, 'embedding.weight it has'),
        (lambda: d2l.FM(DIMS, K), {'field_dims': [2**31]}, 'each field needs a whole number'),
        (lambda: d2l.FM(DIMS, K), {'bag_sizes': [10**9]}, 'slots a row, over the limit'),
        (lambda: d2l.DCN(DIMS, K, [6]), {'num_layers': 10**9}, '1,000 or fewer'),
        (lambda: d2l.DCN(DIMS, K, [6], version=2), {'num_layers': 10**9}, '1,000 or fewer'),
        (lambda: d2l.DeepFM(DIMS, K, [6]), {'mlp_dims': [2] * 9000}, 'with 9,000 layers'),
        (lambda: d2l.DeepFM(DIMS, K, [6]), {'mlp_dims': [10**9, 10**9]}, 'does not fit'),
        (lambda: d2l.XDeepFM(DIMS, K, [6], 0, (4,)), {'cin_dims': [10**9]}, 'does not fit'),
        (lambda: d2l.MF(K, 3, 4), {'num_users': 10**12}, 'does not fit'),
        (lambda: d2l.AutoRec(2, 3), {'num_users': 10**9}, 'does not fit'),
        (lambda: d2l.AutoRec(2, 3), {'num_users': -1}, 'num_users = -1: give a whole number'),
        (lambda: d2l.AutoRec(2, 3), {'num_hidden': [3] * 5000}, 'with 5,000 layers'),
        (
            lambda: d2l.DIN(DIMS, K, [6], history_length=3),
            {'history_length': 10**9},
            'history_length is 1,000,000,000 slots',
        ),
    ],
)
def test_sizes_are_held_against_the_file_before_memory_is_taken(tmp_path, build, config, words):
    path = senseless(tmp_path / 'net', build(), **config)
    assert path.stat().st_size < 50_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words) as refusal:
            d2l.load(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert '\n' not in str(refusal.value)
