"""DIN and DIEN: what their histories do, whole, and what they learn beyond a bag."""

import d2lrec as d2l

import numpy as np
import pytest
from helpers import randomize

DIMS, L = [3, 6], 5
MODELS = ['HistoryBag', 'DIN', 'DIEN']


def build(name, **kwargs):
    return getattr(d2l, name)(DIMS, 4, [6], L, **kwargs)


def examples(rows=8, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(0, 3, rows), rng.integers(3, 9, rows)], axis=1)
    history, lengths = rng.integers(3, 9, (rows, L)), rng.integers(0, L + 1, rows)
    columns = {'ids': ids, 'history': history, 'lengths': lengths}
    return d2l.Examples(columns, labels=rng.integers(0, 2, rows))


@pytest.mark.parametrize('name', MODELS)
def test_what_stands_in_an_empty_slot_does_not_count(name):
    net, data = randomize(build(name)), examples()
    history = data.columns['history'].copy()
    empty = np.arange(L) >= data.columns['lengths'][:, None]
    history[empty] = 11 - history[empty]
    np.testing.assert_array_equal(
        d2l.predict(net, data), d2l.predict(net, data.with_columns(history=history))
    )


@pytest.mark.parametrize('name', MODELS)
def test_only_dien_sees_the_order(name):
    net, data = randomize(build(name)), examples()
    data = data.with_columns(lengths=np.full(len(data), L))
    turned = data.with_columns(history=data.columns['history'][:, ::-1])
    apart = np.abs(d2l.predict(net, data) - d2l.predict(net, turned)).max()
    assert apart > 1e-3 if name == 'DIEN' else apart < 1e-5


@pytest.mark.parametrize('name', ['DIN', 'DIEN'])
def test_attention_is_that_of_the_filled_slots(name):
    net, data = randomize(build(name)), examples()
    weights = net.attention(data)
    empty = np.arange(L) >= data.columns['lengths'][:, None]
    assert weights.shape == (8, L) and (weights[empty] == 0).all() and (weights[~empty] != 0).all()
    with pytest.raises(NotImplementedError, match='HistoryBag weighs all past items alike'):
        build('HistoryBag').attention(data)


@pytest.mark.parametrize('name', MODELS)
def test_it_is_trained_saved_and_loaded(name, tmp_path):
    net, data = build(name, drop_rate=0.2, activation='dice'), examples(64)
    d2l.fit(net, data[:48], data[48:], num_epochs=2, batch_size=16)
    d2l.save(net, tmp_path / 'net')
    again, _ = d2l.load(tmp_path / 'net')
    np.testing.assert_array_equal(d2l.predict(net, data), d2l.predict(again, data))
    assert d2l.evaluate(net, data)['log_loss'] > 0


@pytest.mark.parametrize(
    'name, kwargs, words',
    [
        ('DIN', {'item_field': 2}, 'item_field is 2 and there are 2 fields'),
        ('DIEN', {'auxiliary': -1}, 'auxiliary is -1'),
        ('DIN', {'attention_dims': [0]}, r'DIN got attention_dims = \[0\]'),
    ],
)
def test_refusals(name, kwargs, words):
    with pytest.raises(ValueError, match=words):
        build(name, **kwargs)


def test_no_slot_is_refused():
    with pytest.raises(ValueError, match='history_length = 0'):
        d2l.DIN(DIMS, 4, [6], 0)


def test_attention_learns_what_is_beyond_a_bag():
    """More groups than a vector has numbers, and clicks by how many past items are related."""
    data = d2l.planted_histories(16_000, num_groups=16, group_size=2, length=6, related=1.5, seed=0)
    parts = data[:12_000], data[12_000:14_000], data[14_000:]
    auc = {}
    for cls in (d2l.HistoryBag, d2l.DIN):
        net = cls(data.field_dims, 6, [32], 6)
        history = d2l.fit(net, *parts, lr=0.03, batch_size=200, num_epochs=8)
        auc[cls.__name__] = history.kept['test_auc']
    best = parts[2].best['auc']
    assert best - auc['DIN'] < 2 / 3 * (best - auc['HistoryBag'])
