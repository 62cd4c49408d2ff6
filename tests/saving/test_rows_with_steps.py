"""A few rows as dicts, encoded by an encoder with steps: as a table of them, without making one."""

import d2lrec as d2l
from d2lrec.data.ctr import Rows
from d2lrec.saving.rows import encode_rows

import numpy as np
import pandas as pd
import pytest
from helpers import randomize

N = 400
RNG = np.random.default_rng(0)
LOG = pd.DataFrame(
    {
        'click': np.arange(N) % 2,
        'user': RNG.integers(0, 30, N).astype(str),
        'item': RNG.integers(0, 20, N).astype(str),
        'hour': RNG.integers(0, 24, N),
        'price': RNG.normal(50, 9, N),
        'age': RNG.integers(18, 70, N),
        'War': RNG.integers(0, 2, N),
        'Drama': 1,
        'Kids': RNG.integers(0, 2, N),
    }
)
TRAIN = d2l.CTRDataset(LOG, min_threshold=9, dense=['price', 'age'])
SCALED = d2l.Quantiles(TRAIN, 20).apply(TRAIN)
GENRES = {'genre': ['War', 'Drama', 'Kids']}
HOW = {'label': 'click', 'categories': ['user', 'item', 'hour'], 'numbers': ['price', 'age']}
PLANNED = d2l.read(LOG, **HOW).dataset('dense', min_threshold=9)


def crossed(data, **how):
    return d2l.Crosses(data, [('user', 'item'), ('hour', 'item')], 2, **how).apply(data)


SETS = {
    'quantiles': SCALED,
    'standardized': d2l.Standardize(TRAIN).apply(TRAIN),
    'crosses': crossed(TRAIN),
    'hashed crosses of scaled numbers': crossed(SCALED, num_buckets=40),
    'bags': d2l.Bags(TRAIN, GENRES).apply(TRAIN),
    'mean bags of scaled numbers': d2l.Bags(SCALED, GENRES, 'mean').apply(SCALED),
    'a plan, crosses': crossed(PLANNED),
    'a plan, standardized, crosses': crossed(d2l.Standardize(PLANNED).apply(PLANNED)),
}
KNOWN = LOG.iloc[7].drop('click').to_dict()
NEW = {**KNOWN, 'user': 'nobody', 'price': 1e9, 'hour': None}


@pytest.mark.parametrize('name', SETS)
@pytest.mark.parametrize('rows', [[KNOWN], [NEW], [KNOWN, NEW]], ids=['known', 'new', 'both'])
def test_a_few_rows_are_encoded_as_a_table_of_them(name, rows, monkeypatch):
    encoder = SETS[name].encoder
    slow = encoder.encode(pd.DataFrame(rows), label=False, too_many=2)
    monkeypatch.setattr(type(encoder), 'encode', None)  # no table is made
    for source in (rows, pd.DataFrame(rows).infer_objects()):
        fast = encode_rows(encoder, source)
        assert list(fast.columns) == list(slow.columns) and fast.labels is None
        for column, array in slow.columns.items():
            assert fast.columns[column].dtype == array.dtype
            np.testing.assert_array_equal(fast.columns[column], array)
        np.testing.assert_allclose(fast.unknown, slow.unknown)
        assert fast.column_names == slow.column_names
        assert fast.encoder == slow.encoder


def test_a_saved_model_with_bags_predicts_rows_and_tells_what_is_unknown(tmp_path):
    train = SETS['bags']
    net = randomize(d2l.DLRM(train.field_dims, 4, [6], 2, [6, 4], bag_sizes=train.bag_sizes))
    d2l.save(net, tmp_path / 'net', train)
    saved = d2l.load(tmp_path / 'net')
    rows = [KNOWN, NEW]
    table = d2l.predict(net, train.encoder.encode(pd.DataFrame(rows), label=False))
    np.testing.assert_allclose(saved.predict(rows), table, rtol=1e-6)
    np.testing.assert_allclose([saved.predict(row)[0] for row in rows], table, rtol=1e-6)
    shares = saved.unknown(rows)
    assert (shares['user'], shares['item'], shares['genre']) == (0.5, 0, 0)


class Doubled(d2l.data.encoder.Step):
    def apply(self, data):
        assert type(data) is d2l.CTRDataset
        return data.with_step(self, dense=data.dense * 2)


def test_a_step_of_a_readers_own_is_given_a_table():
    encoder = Doubled().apply(TRAIN).encoder
    assert encode_rows(encoder, KNOWN).dense[0, 1] == 2 * KNOWN['age']


def test_steps_refuse_rows_as_they_refuse_tables():
    row = {**KNOWN, 'War': 'yes'}
    few = d2l.CTRDataset(LOG.astype({'War': str}).replace({'War': {'1': 'x'}}), min_threshold=1)
    with pytest.raises(ValueError, match='which is no weight'):
        d2l.Bags(few, GENRES)
    encoded = encode_rows(TRAIN.encoder, row)  # unknown: of no weight
    assert type(encoded) is Rows
    assert d2l.Bags(TRAIN, GENRES).apply(encoded).weights[0, 2] == 0
