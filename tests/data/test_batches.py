import json

from d2lrec.data.batches import BatchLoader
from d2lrec.data.columns import Examples
from d2lrec.original import get_dataloader_workers

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, npx

npx.set_np()


def rows(loader):
    """Ids of the first column, batch by batch, of one epoch."""
    return [batch.asnumpy()[:, 0].tolist() for batch in loader]


@pytest.fixture
def ids():
    return np.arange(20, dtype=np.int32).reshape(10, 2)


def test_batches_are_the_rows_in_order_with_their_types(ids):
    labels = np.arange(10) / 10
    loader = BatchLoader(ids, labels, batch_size=4)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert [len(X) for X, _ in batches] == [4, 4, 2]
    X = np.concatenate([X.asnumpy() for X, _ in batches])
    y = np.concatenate([y.asnumpy() for _, y in batches])
    assert X.dtype == np.int32 and y.dtype == np.float32
    assert (X == ids).all() and np.array_equal(y, labels.astype(np.float32))
    assert all(isinstance(a, mx.np.ndarray) for a in batches[0])


def test_one_array_is_not_wrapped_in_a_list(ids):
    assert isinstance(next(iter(BatchLoader(ids, batch_size=4))), mx.np.ndarray)


@pytest.fixture
def examples(ids):
    columns = {'dense': ids / 10, 'ids': ids, 'weights': np.ones((10, 1))}
    return Examples(columns, labels=np.arange(10) % 2)


def test_a_data_set_gives_all_its_columns_and_the_labels_last(examples):
    dense, ids, weights, y = next(iter(BatchLoader(examples, batch_size=3)))
    assert dense.shape == ids.shape == (3, 2) and weights.shape == (3, 1)
    assert y.asnumpy().tolist() == [0, 1, 0] and dense.dtype == np.float32


def test_columns_are_picked_by_name_in_the_order_of_the_net(examples):
    loader = BatchLoader(examples, inputs={'ids': 2, 'dense': 2}, batch_size=3)
    ids, dense, y = next(iter(loader))
    assert ids.dtype == np.int32 and dense.dtype == np.float32 and len(y) == 3
    whole = BatchLoader(examples, batch_size=3)
    assert [len(b) for b in whole.batches({'weights': 1})] == [2] * 4
    with pytest.raises(ValueError, match='the net reads ids, users but the data has dense, ids'):
        BatchLoader(examples, inputs={'ids': 2, 'users': None}, batch_size=3)


def test_arrays_without_names_take_those_of_the_net(ids):
    loader = BatchLoader(ids, ids / 10, np.ones(10), batch_size=3)
    assert not loader.named
    bound = loader.bound({'ids': 2, 'dense': 2})
    assert list(bound.columns) == ['ids', 'dense'] and bound.labels is not None
    with pytest.raises(ValueError, match='the net reads ids but got 3 arrays'):
        loader.bound({'ids': 2})


def test_the_order_goes_on_whichever_columns_are_picked(examples):
    one, other = (BatchLoader(examples, batch_size=4, shuffle=True, seed=3) for _ in range(2))
    list(one), list(other.batches({'ids': 2}))
    assert [b[1].asnumpy().tolist() for b in one] == [
        b[0].asnumpy().tolist() for b in other.batches({'ids': 2})
    ]


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused_where_the_batch_source_is_made(ids, value):
    dense = ids / 10
    dense[7, 1] = value
    with pytest.raises(ValueError, match=r'dense\[7, 1\] is .*: fill in what is missing'):
        BatchLoader({'ids': ids, 'dense': dense}, batch_size=3)


def test_booleans_and_whole_numbers_become_what_their_column_needs(ids):
    loader = BatchLoader({'ids': ids, 'dense': ids, 'labels': ids[:, 0] > 5}, batch_size=10)
    x, dense, y = next(iter(loader))
    assert (x.dtype, dense.dtype, y.dtype) == (np.int32, np.float32, np.float32)


def test_a_checksum_knows_the_data_again(ids):
    one = BatchLoader(ids, batch_size=4).fingerprint()
    assert one == BatchLoader(ids.copy(), batch_size=2).fingerprint()
    ids[3, 1] += 1
    assert one != BatchLoader(ids, batch_size=4).fingerprint()


def test_takes_mxnet_arrays_and_big_ids_exactly():
    big = mx.np.array([2**24 + 1, 5], dtype='int32')
    assert next(iter(BatchLoader(big, batch_size=2))).asnumpy().tolist() == [16777217, 5]
    wide = np.array([2**40 + 1])
    batch = next(iter(BatchLoader(wide, batch_size=2)))
    assert batch.dtype == np.int64 and batch.asnumpy().tolist() == [2**40 + 1]


def test_bools_and_bytes_stay(ids):
    mask = np.array([True, False])
    assert next(iter(BatchLoader(mask, batch_size=2))).asnumpy().tolist() == [True, False]
    small = np.array([200, 3], dtype=np.uint8)
    assert next(iter(BatchLoader(small, batch_size=2))).asnumpy().tolist() == [200, 3]


@pytest.mark.parametrize('shuffle', [False, True])
def test_a_batch_is_not_a_view_of_the_data(ids, shuffle):
    kept = ids.copy()
    for X in BatchLoader(ids, batch_size=4, shuffle=shuffle, seed=0):
        X[:] = -1
    assert (ids == kept).all() and ids.flags.writeable
    whole = next(iter(BatchLoader(ids, batch_size=10)))  # a slice of everything is a view too
    whole[:] = -1
    mx.nd.waitall()
    assert (ids == kept).all() and ids.flags.writeable


def test_batches_survive_being_dropped_while_the_engine_computes():
    table = np.random.RandomState(0).randint(0, 100, (4000, 8)).astype(np.int32)
    sums = [(X * 2).sum() for X in BatchLoader(table, batch_size=100, shuffle=True, seed=1)]
    assert sum(int(s) for s in sums) == 2 * table.sum()


def test_every_row_once_an_epoch_and_another_order_each_epoch(ids):
    loader = BatchLoader(ids, batch_size=3, shuffle=True, seed=7)
    first, second = rows(loader), rows(loader)
    for epoch in (first, second):
        assert sorted(sum(epoch, [])) == list(range(0, 20, 2))
    assert first != second
    again = BatchLoader(ids, batch_size=3, shuffle=True, seed=7)
    assert [rows(again), rows(again)] == [first, second]
    assert rows(BatchLoader(ids, batch_size=3, shuffle=True, seed=8)) != first


def test_rows_stay_together_when_shuffled(ids):
    for X, y in BatchLoader(ids, ids[:, 0] / 2, batch_size=3, shuffle=True, seed=1):
        assert np.array_equal(X.asnumpy()[:, 0] / 2, y.asnumpy())


def test_without_seed_numpys_global_state_governs(ids):
    loader = BatchLoader(ids, batch_size=3, shuffle=True)
    np.random.seed(3)
    first = rows(loader)
    np.random.seed(3)
    assert rows(loader) == first
    assert rows(loader) != first


def test_a_seed_leaves_numpys_global_state_alone(ids):
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    rows(BatchLoader(ids, batch_size=3, shuffle=True, seed=1))
    assert np.random.rand() == expected


@pytest.mark.parametrize('last_batch', ['keep', 'discard', 'rollover'])
@pytest.mark.parametrize('batch_size', [1, 3, 4, 5, 10, 16])
def test_last_batch_means_what_gluon_means(ids, last_batch, batch_size):
    ours = BatchLoader(ids, batch_size=batch_size, last_batch=last_batch)
    theirs = gluon.data.DataLoader(
        gluon.data.SimpleDataset(list(ids)), batch_size, last_batch=last_batch
    )
    for _ in range(4):
        assert len(ours) == len(theirs)
        assert rows(ours) == rows(theirs)


def test_rollover_after_a_shuffle_loses_no_row(ids):
    loader = BatchLoader(ids, batch_size=4, shuffle=True, seed=0, last_batch='rollover')
    seen = sum(sum([rows(loader) for _ in range(2)], []), [])
    assert len(seen) == 20 and sorted(seen) == sorted(list(range(0, 20, 2)) * 2)


def test_a_pass_broken_off_leaves_the_next_one_whole(ids):
    loader = BatchLoader(ids, batch_size=4)
    next(iter(loader))
    assert rows(loader) == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


def test_trains_an_embedding(ids):
    net = gluon.nn.Embedding(20, 3)
    net.initialize()
    for X in BatchLoader(ids, batch_size=4):
        with autograd.record():
            loss = net(X).sum()
        loss.backward()
    assert float(net.weight.grad().sum()) == 2 * 2 * 3  # the last batch: 2 rows, 2 ids, 3 wide


@pytest.mark.parametrize(
    'data, options, message',
    [
        ([], {}, 'no data'),
        ([np.zeros((3, 1)), np.zeros(2)], {}, r'\[3, 2\] rows'),
        ([np.zeros((0, 2))], {}, 'no rows'),
        ([np.float32(3)], {}, 'array 0 has shape'),
        ([np.zeros(2), np.array(['a', 'b'])], {}, 'array 1 has shape'),
        ([np.zeros(3)], {'batch_size': 0}, 'batch_size is 0'),
        ([np.zeros(3)], {'batch_size': 2.5}, 'batch_size is 2.5'),
        ([np.zeros(3)], {'last_batch': 'drop'}, "last_batch is 'drop'"),
    ],
)
def test_refusals(data, options, message):
    with pytest.raises(ValueError, match=message):
        BatchLoader(*data, **{'batch_size': 2, **options})


def test_no_workers():
    assert get_dataloader_workers() == 0


@pytest.mark.parametrize('seed', [None, 3])
@pytest.mark.parametrize('last_batch', ['keep', 'rollover'])
def test_a_loader_goes_on_where_another_stood(ids, seed, last_batch):
    def loader(seed):
        return BatchLoader(ids, batch_size=4, shuffle=True, seed=seed, last_batch=last_batch)

    one = loader(seed)
    np.random.seed(0)
    rows(one)
    state = json.loads(json.dumps(one.get_state()))
    np.random.seed(1)
    expected = [rows(one), rows(one)]
    other = loader(seed if seed is None else 99)
    other.set_state(state)
    np.random.seed(1)
    assert [rows(other), rows(other)] == expected


def test_a_state_of_other_data_is_refused(ids):
    state = BatchLoader(ids, batch_size=4).get_state()
    with pytest.raises(ValueError, match='loader of 10 rows and this one has 5'):
        BatchLoader(ids[:5], batch_size=4).set_state(state)
