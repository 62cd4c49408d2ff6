"""Examples: columns by name, sliced and joined together, and what may enter a net."""

import d2lrec as d2l
from d2lrec.checks import check_ids, check_labels
from d2lrec.data.columns import Examples, check_columns, concat, examples_of

import mxnet as mx
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def data():
    return Examples(
        {'ids': [[0, 3], [1, 4], [2, 3]], 'dense': [[0.5], [1.5], [2.5]]},
        labels=[True, False, True],
        names={'dense': ['age']},
    )


def test_columns_are_kept_in_the_types_that_mxnet_sees(data):
    assert data.columns['ids'].dtype == np.int32
    assert data.columns['dense'].dtype == data.labels.dtype == np.float32
    assert data.labels.tolist() == [1, 0, 1]
    for ids in (np.array([3.0]), np.array([3], np.uint8), np.array([True]), mx.np.array([3.0])):
        kept = Examples({'users': ids}).columns['users']
        assert kept.dtype == np.int32 and kept.flags['C_CONTIGUOUS']
    exact = Examples({'users': np.array([16_777_217.0])}).columns['users']
    assert exact.tolist() == [16_777_217]  # which float32 cannot hold
    for name in ('dense', 'weights', 'rows', 'mask'):
        assert Examples({name: np.array([[1, 0]])}).columns[name].dtype == np.float32


@pytest.mark.parametrize(
    'rows, expected',
    [
        (slice(1, None), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        ([2, 0, 2], [2, 0, 2]),
        (np.array([-1]), [2]),
        (np.array([True, False, True]), [0, 2]),
        (mx.np.array([1], dtype='int32'), [1]),
        ([], []),
    ],
)
def test_a_choice_of_rows_keeps_all_columns(data, rows, expected):
    data._per_row['more'] = np.array([7, 8, 9])
    part = data[rows]
    assert len(part) == len(expected) and part.column_names == data.column_names
    for name in data.columns:
        assert part.columns[name].tolist() == data.columns[name][expected].tolist()
    assert part.labels.tolist() == data.labels[expected].tolist()
    assert part._per_row['more'].tolist() == [7 + i for i in expected]


def test_parts_join_to_the_whole(data):
    data._per_row['more'] = np.array([7, 8, 9])
    whole = concat([data[:1], data[1:2], data[2:]])
    assert repr(whole) == repr(data) == 'Examples(3 rows: ids (3, 2), dense (3, 1), labels)'
    for name in data.columns:
        assert (whole.columns[name] == data.columns[name]).all()
    assert (whole.labels == data.labels).all() and whole._per_row['more'].tolist() == [7, 8, 9]
    assert len(data[:1]) == 1  # the parts are as they were
    bare = Examples({'ids': [[1, 2]]})
    assert concat([bare, bare]).labels is None


def test_columns_are_added_or_replaced(data):
    more = data.with_columns(weights=np.ones((3, 2)), dense=[[1], [2], [3]])
    assert list(more.columns) == ['ids', 'dense', 'weights'] and list(data.columns) == [
        'ids',
        'dense',
    ]
    assert more.columns['dense'].tolist() == [[1], [2], [3]] and (more.labels == data.labels).all()


def test_a_rating_under_a_mask_may_be_anything():
    mask = [[1, 0]]
    assert len(Examples({'rows': [[3.0, np.nan]], 'mask': mask})) == 1
    with pytest.raises(ValueError, match=r'rows\[0, 0\] is nan: give 0 and a mask of 0'):
        Examples({'rows': [[np.nan, 0]], 'mask': mask})
    with pytest.raises(ValueError, match=r'rows\[0, 1\] is inf'):
        Examples({'rows': [[1, np.inf]]})


NET = {'ids': 2, 'dense': 1}


def test_examples_of_picks_what_the_net_reads(data):
    assert list(examples_of(data, {'dense': 1, 'ids': 2}).columns) == ['dense', 'ids']
    assert list(examples_of(data, {'ids': 2}).columns) == ['ids'] and 'dense' in data.columns
    columns = {**data.columns, 'labels': data.labels}
    arrays = (*data.columns.values(), data.labels)
    for given in (columns, arrays, list(arrays)):
        found = examples_of(given, NET)
        assert repr(found) == repr(data) and (found.labels == data.labels).all()
    assert examples_of(arrays[:2], NET).labels is None
    assert examples_of([[0, 3], [1, 4]], {'ids': 2}).columns['ids'].shape == (2, 2)
    assert list(examples_of(arrays[::2]).columns) == ['ids']  # without a net: ids and labels


def test_a_data_set_of_another_make_is_read_by_its_columns(data):
    class Other:
        columns, labels = data.columns, data.labels

    assert repr(examples_of(Other(), NET)) == repr(data)


def test_what_a_net_reads_is_held_against_its_ranges(data):
    net = d2l.WideDeep([3, 2], 4, num_dense=1)
    assert list(check_columns(data, net.inputs, net.ranges).columns) == ['ids', 'dense']
    for ids, words in (
        ([[0, 5]], r'ids\[0, 1\] is 5, outside its range, 3 to 4: add the offset'),
        ([[0, 1]], r'ids\[0, 1\] is 1, outside its range, 3 to 4'),
        ([[-1, 3]], r'ids\[0, 0\] is -1, outside its range, 0 to 2'),
        ([[2**40, 3]], r'ids\[0, 0\] is 1099511627776'),
    ):
        with pytest.raises(ValueError, match=words):
            check_columns(Examples({'ids': ids, 'dense': [[0.0]]}), net.inputs, net.ranges)
    mf = d2l.MF(3, 5, 4)
    with pytest.raises(ValueError, match=r'users\[1\] is 5, outside its range, 0 to 4: count'):
        check_columns(Examples({'users': [0, 5], 'items': [0, 0]}), mf.inputs, mf.ranges)


REFUSALS = [
    (lambda d: Examples({}), 'there is no column'),
    (lambda d: Examples({'ids': [[1]], 'dense': [[1.0], [2.0]]}), 'unequal numbers of rows'),
    (lambda d: Examples({'ids': [[1]]}, labels=[1, 0]), 'unequal numbers of rows'),
    (lambda d: Examples({'ids': [['a']]}), 'ids has shape .1, 1. and type <U1'),
    (lambda d: Examples({'ids': 3}), 'give numbers with one row per example'),
    (lambda d: Examples({'ids': [[1]]}, labels=[['a']]), 'the labels have shape'),
    (lambda d: Examples({'ids': [[1]]}, labels=[[1, 0]]), 'give one number a row'),
    (lambda d: Examples({'dense': [[1.0], [np.nan]]}), r'dense\[1, 0\] is nan: fill in'),
    (
        lambda d: Examples({'dense': [[1.0, -np.inf]]}, names={'dense': ['age', 'price']}),
        r'dense\[0, 1\] \(price\) is -inf',
    ),
    (lambda d: Examples({'dense': [[1e39]]}), r'dense\[0, 0\] is inf'),
    (lambda d: Examples({'weights': [[np.nan]]}), r'weights\[0, 0\] is nan: give 0 where a slot'),
    (lambda d: Examples({'ids': [[1.0, np.nan]]}), r'ids\[0, 1\] is nan'),
    (lambda d: d[1], 'rows is array.1.: give a slice'),
    (lambda d: d['ids'], 'rows is .*: give a slice'),
    (lambda d: d[[0.5]], 'give a slice, or an array of row numbers'),
    (lambda d: d[[0, 3]], 'there is no row 3: the data has 3'),
    (lambda d: d[[-4]], 'there is no row -4'),
    (lambda d: d[np.array([True])], 'rows has 1 booleans for 3 rows'),
    (lambda d: concat([]), 'nothing to concatenate'),
    (lambda d: concat(d), 'parts is one data set'),
    (lambda d: concat([d, 3]), '3 cannot follow Examples'),
    (lambda d: concat([3]), '3 cannot follow 3'),
    (lambda d: concat([d, Examples({'ids': [[1, 2]]})]), 'give data sets of the same columns'),
    (lambda d: d.with_columns(dense=[[1.0]]), 'unequal numbers of rows'),
    (lambda d: examples_of(pd.DataFrame({'a': [1]}), NET), 'train.encoder.encode.frame.'),
    (lambda d: examples_of(d[:1].columns['ids'], NET), 'the net reads ids, dense but got 1 arrays'),
    (lambda d: examples_of(Examples({'ids': [[1]]}), NET), 'give data with dense, or build'),
    (lambda d: check_columns(d, {'ids': 3}), 'was built for ids of shape .rows, 3. but got .3, 2.'),
    (lambda d: check_columns(d, {'ids': None}), 'for ids of shape .rows,. but got'),
    (lambda d: check_ids(np.array([[0.5]]), 0, 3), r'ids\[0, 0\] is 0.5: ids are whole'),
    (lambda d: check_labels(np.array([1.0, -1])), r'labels\[1\] is -1: .* use .labels \+ 1. / 2'),
    (lambda d: check_labels(np.array([0.0, 4])), r'labels\[1\] is 4: .* ratings >= 4'),
    (lambda d: check_labels(np.array([np.nan])), r'labels\[0\] is nan'),
]


@pytest.mark.parametrize('case', range(len(REFUSALS)))
def test_refusals_say_what_where_and_what_to_do(data, case):
    call, words = REFUSALS[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call(data)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'rows',
    [[[1.0, 2.0], [3.0]], [10**30], [2**63], slice('a'), slice(0, 5, 0), 'a', None, {1, 2}, 1.5,
     [None], {'a': 1}, np.array([[1]]), print],
)  # fmt: skip
def test_odd_picks_of_rows_get_one_sentence(rows):
    frame = pd.DataFrame({'y': [0, 1] * 4, 'a': list('xyxyxyxy')})
    table = d2l.read(frame, label='y', categories=['a'], numbers=[])
    for data in (d2l.planted(8, [3, 4], seed=0), d2l.CTRDataset(frame, min_threshold=1), table):
        with pytest.raises(ValueError) as refusal:
            data[rows]
        assert '\n' not in str(refusal.value)


def test_a_row_that_is_not_there_ends_a_walk():
    data = d2l.CTRDataset(pd.DataFrame({'y': [0, 1], 'a': list('xy')}), min_threshold=1)
    assert len([label for _, label in data]) == 2
    for row in (2, -3, 10**30):
        with pytest.raises(IndexError, match=f'there is no row {row}: the data has 2'):
            data[row]
