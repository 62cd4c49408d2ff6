"""Rows as requests bring them: the same numbers as a table of them, in this process and another."""

import datetime
import json
import subprocess
import sys
import warnings

import d2lrec as d2l
from d2lrec.data.ctr import Rows
from d2lrec.saving.rows import encode_rows

import numpy as np
import pandas as pd
import pytest
from helpers import randomize

LOG = pd.DataFrame(
    {
        'click': [1, 0, 1, 0, 1, 0],
        'user': [7, 8, 9, 7, 8, 9],
        'town': ['Oslo', 'Rome', None, '007', '7', 'Rome'],
        'flag': [True, False, True, True, False, False],
        'share': [0.1, 0.25, 3.0, 0.1, np.nan, 3.0],
        'price': [1.5, 2.0, 3.25, 4.0, 0.1, 6.0],
    }
)
CELLS = {
    'user': [7, '7', '07', 7.0, '7.0', np.int64(8), np.float32(9), 70, None, '', 'NA', np.nan],
    'town': ['Oslo', '007', '7', 7, 7.0, 'Paris', None, '', 'nan', True, datetime.date(2020, 1, 2)],
    'flag': [True, 'True', 1, '1', 0.0, np.bool_(False), 'maybe', None],
    'share': [0.1, '0.10', np.float32(0.1), 3, '3', 0.2, None],
}  # fmt: skip


@pytest.fixture(scope='module')
def train():
    return d2l.CTRDataset(LOG, label='click', min_threshold=1, dense=['price'])


@pytest.fixture(scope='module')
def path(train, tmp_path_factory):
    net = randomize(d2l.WideDeep(train.field_dims, 4, [6], num_dense=1))
    path = tmp_path_factory.mktemp('net') / 'net'
    d2l.save(net, path, train)
    return path


def one(**changed):
    return {'user': 7, 'town': 'Rome', 'flag': True, 'share': 0.25, 'price': 2.0, **changed}


@pytest.mark.filterwarnings('ignore:.*unknown in 99')
@pytest.mark.parametrize('field', CELLS)
def test_a_row_is_encoded_as_a_table_of_it_whatever_the_cell(train, field):
    for cell in CELLS[field]:
        row = one(**{field: cell})
        table = pd.DataFrame({n: pd.Series([c], dtype=object) for n, c in row.items()})
        expected = train.encoder.encode(table.infer_objects(), label=False)
        for given in (row, [row], table, table.infer_objects()):
            got = encode_rows(train.encoder, given)
            np.testing.assert_array_equal(got.features, expected.features, repr(cell))
            np.testing.assert_array_equal(got.dense, expected.dense)
            np.testing.assert_array_equal(got.unknown, expected.unknown)
            assert got.labels is None and got.encoder == expected.encoder


def test_several_rows_and_numbers_in_text(train):
    rows = [one(price=p, user=u) for p, u in ((1, 8), (2.5, '9'), ('3.5', None), (True, 1.0))]
    for some in (rows[:2], rows[:3], rows):
        expected = train.encoder.encode(pd.DataFrame(some), label=False)
        got = encode_rows(train.encoder, some)
        np.testing.assert_array_equal(got.features, expected.features)
        np.testing.assert_array_equal(got.dense, expected.dense)
    assert isinstance(encode_rows(train.encoder, rows[:2]), Rows)


TABLE = LOG.assign(
    age=[20.0, np.nan, 35.5, 41.0, 35.5, 60.0],
    tags=['a|b', '', 'b', 'c| a', None, 'a|b|c'],
    words=[['x'], ['x', 'y'], [], None, ['z', 3], ['y']],
)
MORE = {
    **CELLS,
    'price': [2, '2.50', True, None, '', 'NA', np.nan, 10**30, np.float32(0.1), -5, 'x', np.inf],
    'age': [35.5, '35.5', 35, None, 99],
    'tags': ['a|b|c|a|b', 'c', 'b| |new', '', None, 7, ['a', 'new'], {'a': 2.0, 'c': 1}, ('a|b',)],
    'words': [['y', 'z', 'new', 'x'], [3, '3', 3.0], [], None, 'x', ('x', None), {'x': 0.5}],
}  # fmt: skip


def planned(numbers, pool):
    log = d2l.read(
        TABLE,
        label='click',
        categories=['user', 'town', 'flag', 'share'],
        numbers=['price', 'age'],
        multi={'tags': '|', 'words': None},
    )
    return log.dataset(numbers, min_threshold=1, num_bins=3, pool=pool, slots=3)


def encoded_or_refused(how):
    try:
        return how(), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.filterwarnings('ignore:.*unknown in')
@pytest.mark.parametrize(
    'numbers, pool', [('quantiles', 'sum'), ('logsquare', 'sum'), ('dense', 'mean')]
)
def test_a_row_of_a_table_is_encoded_as_a_table_of_it(numbers, pool):
    encoder = planned(numbers, pool).encoder
    usual = {n: c for n, c in TABLE.iloc[3].to_dict().items() if n != 'click'}
    usual['words'] = ['y', 'z']
    rows = [[{**usual, name: cell}] for name, cells in MORE.items() for cell in cells]
    rows += [[rows[0][0], rows[20][0]], [usual, {**usual, 'tags': None, 'price': '3'}, usual]]
    quick = 0
    for some in rows:
        table = pd.DataFrame(
            {n: pd.Series([r[n] for r in some], dtype=object).infer_objects() for n in some[0]}
        )
        expected, refused = encoded_or_refused(lambda t=table: encoder.encode(t, label=False))
        got, refused_too = encoded_or_refused(lambda s=some: encode_rows(encoder, s))
        assert refused == refused_too
        if refused is not None:
            continue
        assert got.columns.keys() == expected.columns.keys(), some
        for name, array in expected.columns.items():
            np.testing.assert_array_equal(got.columns[name], array, f'{name} of {some}')
            assert got.columns[name].dtype == array.dtype
        np.testing.assert_allclose(got.unknown, expected.unknown, err_msg=str(some))
        assert got.encoder == encoder and got.labels is None
        quick += isinstance(got, Rows)
    assert quick > 0.7 * len(rows)  # few kinds of cells take the way of tables


def test_steps_are_applied_to_a_row(train):
    data = d2l.Standardize(train).apply(train)
    data = d2l.Crosses(data, [('user', 'town')], min_threshold=1).apply(data)
    row = one(town='Oslo')
    expected = data.encoder.encode(pd.DataFrame([row]), label=False)
    got = encode_rows(data.encoder, row)
    for name, array in expected.columns.items():
        np.testing.assert_array_equal(got.columns[name], array)


@pytest.mark.parametrize(
    'row, words',
    [
        ({'user': 7}, "row 0 has no 'town'"),
        (one(price=None), 'price'),
        (one(price=float('inf')), 'price'),
        (one(price='dear'), 'price'),
        (one(town=['Oslo', 'Rome']), 'town'),
        ([], 'there is no row'),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_name(path, row, words):
    with pytest.raises(ValueError, match=words):
        d2l.load(path).predict(row)


def test_one_row_alone_gives_what_it_gives_among_others(path):
    saved = d2l.load(path)
    rows = [one(user=u, price=p) for u, p in ((7, 1.0), (8, 2.5), (1, 9.0))]
    whole = saved.predict(pd.DataFrame(rows))
    for _ in range(2):
        for row, expected in zip(rows, whole):
            assert saved.predict(row) == pytest.approx([expected], rel=1e-6)
    np.testing.assert_array_equal(saved.predict(rows), whole)


PROGRAM = """
import json, sys, warnings
import pandas as pd
import d2lrec as d2l
frame = pd.read_json(sys.argv[2], orient='records', dtype=False)
saved = d2l.load(sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    probs = saved.predict(frame)
print(json.dumps([probs.tolist(), [str(w.message) for w in caught], dict(saved.unknown(frame))]))
"""


def test_a_new_process_predicts_by_name_and_says_what_it_does_not_know(path, tmp_path, train):
    frame = LOG.drop(columns='click').fillna({'share': 0.1, 'town': ''})
    frame = pd.concat([frame] * 4, ignore_index=True)
    frame['town'] = frame.town.where(frame.index < 6, 'Atlantis')
    frame['user'] = frame.user.where(frame.index % 4 > 0, 99)
    expected = d2l.load(path).net
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        expected = d2l.predict(expected, train.encoder.encode(frame, label=False))
    shuffled = frame[[*frame.columns[::-1]]].assign(more=1)
    shuffled.to_json(tmp_path / 'rows.json', orient='records')
    run = subprocess.run(
        [sys.executable, '-c', PROGRAM, str(path), str(tmp_path / 'rows.json')],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    probs, said, unknown = json.loads(run.stdout)
    np.testing.assert_allclose(probs, expected, rtol=1e-6)
    assert unknown == {'user': 0.25, 'town': 0.75, 'flag': 0.0, 'share': 0.0}
    assert len(said) == 1 and "'town' (75%)" in said[0] and 'user' not in said[0]


def test_the_share_that_is_warned_of_can_be_said(path):
    saved = d2l.load(path)
    frame = pd.DataFrame([one(user=u) for u in [7] * 8 + [99] * 4])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        saved.predict(frame)
    with pytest.warns(UserWarning, match=r"'user' \(33%\)"):
        saved.predict(frame, max_unknown=0.3)
    assert saved.unknown(frame)['user'] == pytest.approx(1 / 3)
