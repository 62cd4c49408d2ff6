"""Crosses, quantiles and multi-hot fields: each cell by its definition."""

import hashlib
import json
import os
import subprocess
import sys

from d2lrec import definitions
from d2lrec.data import (
    Bags,
    Crosses,
    CTRDataset,
    Examples,
    MultiHot,
    Quantiles,
    Standardize,
    concat,
    multi_hot,
)

import numpy as np
import pandas as pd
import pytest


def clicks(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            'y': rng.integers(0, 2, rows),
            'app': rng.zipf(1.6, rows) % 9,
            'town': rng.choice(list('abcé'), rows),
            'age': rng.zipf(2, rows) % 5,
        }
    )


CROSSES = [('app', 'town'), ('town', 'age', 'app')]


@pytest.fixture
def train():
    return CTRDataset(clicks(), min_threshold=25)


def words_of(data, row, cross):
    words = data.words(row)
    return tuple(words[name] for name in cross)


def counts_of(data, cross):
    counts = {}
    for row in range(len(data)):
        words = words_of(data, row, cross)
        counts[words] = counts.get(words, 0) + 1
    return counts


def test_crosses_equal_the_definition_row_by_row(train):
    crosses = Crosses(train, CROSSES, min_threshold=6)
    test = CTRDataset(clicks(100, seed=1), train.feat_mapper, train.defaults)
    for data in (train, test):
        x = crosses.apply(data).features
        assert x.shape == (len(data), 5) and x.dtype == np.int32
        assert (x[:, :3] == data.features).all()
        offset = sum(data.field_dims)
        for c, cross in enumerate(CROSSES):
            counts = counts_of(train, cross)
            kept = [t for t in counts if counts[t] >= 6]
            assert set(crosses.vocab[c]) == set(kept) and crosses.dims[c] == len(kept) + 1
            for row in range(len(data)):
                words = words_of(data, row, cross)
                expected = crosses.vocab[c][words] if words in kept else len(kept)
                assert x[row, 3 + c] == offset + expected
            offset += crosses.dims[c]
        assert x.max() < offset
    assert any(None in words for words in crosses.vocab[0])  # an unknown value is a value


def test_a_cross_is_the_product_of_its_one_hot_features(train):
    crosses = Crosses(train, CROSSES, min_threshold=6)
    x, offset = crosses.apply(train).features, sum(train.field_dims)
    for c, cross in enumerate(crosses.fields):
        for words, i in list(crosses.vocab[c].items())[:8]:
            picks = np.zeros(offset)
            picks[[train.id_of(name, word) for name, word in zip(cross, words)]] = 1
            for row in range(0, len(train), 7):
                onehot = np.zeros(offset)
                onehot[train.features[row]] = 1
                is_there = x[row, 3 + c] == offset + sum(crosses.dims[:c]) + i
                assert definitions.cross_product(onehot, picks) == is_there


def test_frequent_tuples_come_first_and_equal_counts_go_by_text():
    frame = pd.DataFrame({'y': [1, 0] * 5, 'a': list('pqpqprrsss'), 'b': list('xyxyxxxzzy')})
    crosses = Crosses(CTRDataset(frame, min_threshold=3), [(1, 'b')], min_threshold=1)
    # q and r occur twice: not in the vocabulary, so None, which comes before all text
    assert crosses.vocab == [
        {('p', 'x'): 0, (None, 'x'): 1, (None, 'y'): 2, ('s', None): 3, ('s', 'y'): 4}
    ]
    assert crosses.fields == [('a', 'b')]
    assert crosses.id_of(0, ('s', 'y')) == 4 and crosses.id_of(0, ('p', 'y')) == 5


def test_hashed_crosses_fill_their_buckets_and_depend_on_words_alone(train):
    crosses = Crosses(train, CROSSES, num_buckets=7)
    assert crosses.dims.tolist() == [7, 7] and crosses.vocab == [{}, {}]
    x, offset = crosses.apply(train).features[:, 3:], sum(train.field_dims)
    assert x[:, 0].min() >= offset and x[:, 0].max() < offset + 7 <= x[:, 1].min()
    assert len(np.unique(x)) == 14
    # another vocabulary, in another order, of the same words: the same buckets
    other = CTRDataset(clicks()[::-1].iloc[:150], min_threshold=1)
    same = CTRDataset(clicks(), other.feat_mapper, other.defaults)
    everything = CTRDataset(clicks(), min_threshold=1)
    known = (same.features - same.offsets < [len(v) for v in same.feat_mapper.values()]).all(1)
    ids = [crosses.apply(d).features[:, 3:] - sum(d.field_dims) for d in (same, everything)]
    assert (ids[0][known] == ids[1][known]).all() and known.sum() > 250


def test_crosses_do_not_depend_on_the_hash_seed(tmp_path):
    clicks().to_csv(tmp_path / 'train', sep='\t', header=False, index=False)
    code = (
        'import sys; from d2lrec.data import CTRDataset, Crosses;'
        'd = CTRDataset(sys.argv[1], min_threshold=10);'
        'f = [(1, 2), (2, 3, 1)];'
        'print(Crosses(d, f).vocab, Crosses(d, f).apply(d).features.tolist(),'
        'Crosses(d, f, num_buckets=50).apply(d).features.tolist())'
    )
    seen = {
        subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', code, tmp_path / 'train'],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, 'PYTHONHASHSEED': seed},
        ).stdout
        for seed in ('1', '2')
    }
    assert len(seen) == 1 and 'é' in seen.pop()


def test_a_bucket_is_the_hash_of_the_fields_and_words_as_text():
    # Weights that someone saved are of no use once this moves.
    frame = pd.DataFrame({'y': [1, 0], 'a': ['x', 'y'], 'b': ['1', '2']})
    crosses = Crosses(CTRDataset(frame, min_threshold=1), [('a', 'b')], num_buckets=1_000_000)
    for words, text in (
        (('x', '1'), b'[["a", "b"], ["x", "1"]]'),
        ((None, '1'), b'[["a", "b"], [null, "1"]]'),
    ):
        digest = hashlib.blake2b(text, digest_size=8).hexdigest()
        assert crosses.id_of(0, words) == int(digest, 16) % 1_000_000


def test_words_count_whatever_order_the_vocabulary_is_in(train):
    crosses = Crosses(train, CROSSES, min_threshold=6)
    turned = {
        f: {w: len(ids) - 1 - i for w, i in ids.items()} for f, ids in train.feat_mapper.items()
    }
    other = CTRDataset(clicks(), turned, train.defaults)
    assert (other.features != train.features).any()
    assert (crosses.apply(other).features[:, 3:] == crosses.apply(train).features[:, 3:]).all()


@pytest.mark.parametrize('num_buckets', [None, 20])
def test_crosses_survive_a_file(train, tmp_path, num_buckets):
    crosses = Crosses(train, CROSSES, num_buckets=num_buckets)
    crosses.save(tmp_path / 'crosses.json')
    again = Crosses.load(tmp_path / 'crosses.json')
    assert (again.fields, again.vocab, again.num_buckets) == (
        crosses.fields,
        crosses.vocab,
        crosses.num_buckets,
    )
    assert (again.apply(train).features == crosses.apply(train).features).all()
    assert os.listdir(tmp_path) == ['crosses.json']


def test_quantiles_equal_the_definition_cell_by_cell():
    rng = np.random.default_rng(0)
    train = np.stack([rng.normal(size=83), rng.integers(0, 4, 83), np.full(83, 2.0)], axis=1)
    test = np.concatenate([train[:20], rng.normal(size=(20, 3)) * 3])
    for n in (2, 5, 83, 100):
        quantiles = Quantiles(train, n)
        for dense in (train, test):
            out = quantiles.transform(dense)
            expected = [
                [definitions.quantile(x, train[:, d], n) for d, x in enumerate(row)]
                for row in dense
            ]
            np.testing.assert_allclose(out, np.array(expected, np.float64), atol=1e-6)
            assert out.dtype == np.float32 and out.min() >= 0 and out.max() <= 1


def test_quantiles_are_even_in_training():
    train = np.random.default_rng(0).exponential(size=(1_000, 1))
    values, counts = np.unique(Quantiles(train, 10).transform(train), return_counts=True)
    np.testing.assert_allclose(values, np.arange(10) / 9, atol=1e-6)
    assert (counts == 100).all()


def test_quantiles_survive_a_file(tmp_path):
    train = np.random.default_rng(0).normal(size=(50, 2)).astype('float32')
    quantiles = Quantiles(train, 7, ['age', 'price'])
    quantiles.save(tmp_path / 'q.json')
    again = Quantiles.load(tmp_path / 'q.json')
    assert (again.cuts == quantiles.cuts).all() and again.names == ['age', 'price']
    assert (again.transform(train) == quantiles.transform(train)).all()


@pytest.mark.parametrize(
    'content',
    [
        '',
        '[]',
        '{"quantiles": 3}',
        '{"crosses": [{}]}',
        '{"quantiles": [{"name": "a", "cuts": "x"}]}',
        'null',
        '[' * 100_000,
    ],
)
@pytest.mark.parametrize('kind', [Crosses, Quantiles, Standardize, Bags])
def test_a_file_that_holds_something_else_is_refused(tmp_path, kind, content):
    (tmp_path / 'f').write_text(content)
    with pytest.raises(ValueError, match=f'holds no {kind.__name__.lower()}'):
        kind.load(tmp_path / 'f')


def films():
    return pd.DataFrame(
        {
            'y': [1, 0, 1, 0, 1, 0],
            'Drama': [1, 0, 0, 1, 1, 0],
            'user': list('aabbca'),
            'War': [0, 0, 1, 1, 1, 0],
            'Crime': [0, 0, 1, 0, 1, 0],
            'day': list('xyxyxy'),
        }
    )


GROUPS = {'genre': ['Drama', 'War', 'Crime']}


@pytest.mark.parametrize('pool', ['sum', 'mean'])
def test_multi_hot_holds_what_the_columns_hold(pool):
    frame = films()
    data = CTRDataset(frame, min_threshold=1)
    hot = multi_hot(data, GROUPS, pool)
    assert hot.field_names == ['user', 'day', 'genre'] and hot.bag_sizes == [3]
    assert hot.field_dims.tolist() == [4, 3, 3] and hot.offsets.tolist() == [0, 4, 7]
    assert hot.features.shape == (6, 5) and hot.features.dtype == np.int32
    assert hot.weights.dtype == np.float32 and (hot.labels == data.labels).all()
    for row in range(6):
        assert hot.features[row, 0] == hot.feat_mapper[1][frame.user[row]]
        assert hot.features[row, 1] == 4 + hot.feat_mapper[2][frame.day[row]]
        bag = {}
        for i, weight in zip(hot.features[row, 2:], hot.weights[row]):
            assert 7 <= i < 10
            bag[i] = bag.get(i, 0) + weight
        genres = [g for g in GROUPS['genre'] if frame[g][row] == 1]
        for name, i in hot.feat_mapper[3].items():
            expected = (name in genres) / (len(genres) if pool == 'mean' and genres else 1)
            assert bag.get(7 + i, 0) == pytest.approx(expected)
    assert (hot.weights[[1, 5]] == 0).all()  # rows of no genre


def test_several_groups_given_weights_and_more_places():
    frame = films().assign(Drama=[0.5, 0, 0, 2, 1, 0])
    hot = multi_hot(
        CTRDataset(frame, min_threshold=1),
        {'dark': ['War', 'Crime'], 'other': ['Drama']},
        bag_sizes=[2, 3],
    )
    assert hot.field_names == ['user', 'day', 'dark', 'other'] and hot.bag_sizes == [2, 3]
    assert hot.weights.tolist()[3] == [1, 0, 2, 0, 0] and hot.weights[0, 2] == 0.5
    assert hot.weights.shape == (6, 5) and hot.features.max() == hot.field_dims.sum() - 1 == 9


def test_test_data_take_the_places_of_training():
    train = CTRDataset(films()[:4], min_threshold=1)
    test = CTRDataset(films()[4:], train.feat_mapper, train.defaults)
    places = multi_hot(train, GROUPS).bag_sizes
    assert places == [2]
    assert multi_hot(test, {'genre': ['Drama', 'War']}, bag_sizes=places).weights.shape == (2, 2)
    with pytest.raises(ValueError, match="'genre' of row 1 has 3 values for 2 slots"):
        multi_hot(test, GROUPS, bag_sizes=places)


@pytest.fixture
def numbers():
    return CTRDataset(
        clicks().assign(price=np.random.default_rng(1).exponential(size=300), one=1.0),
        min_threshold=25,
        dense=['price', 'one'],
    )


@pytest.mark.parametrize('kind', [Quantiles, Standardize])
def test_dense_features_of_a_data_set_are_mapped(numbers, kind, tmp_path):
    step = kind(numbers)
    assert step.names == ['price', 'one'] and 'price' in repr(step)
    data = step.apply(numbers)
    assert (data.dense == step.transform(numbers.dense)).all() and data.dense.dtype == np.float32
    assert (data.features == numbers.features).all() and data.dense_names == ['price', 'one']
    assert data.encoder.steps == (step,) and numbers.encoder.steps == ()
    assert (data[:5].dense == data.dense[:5]).all() and data[:5].encoder.steps == (step,)
    matrix = Examples({'dense': numbers.dense})
    assert (step.apply(matrix).columns['dense'] == data.dense).all()
    assert (kind(matrix, names=['price', 'one']).transform(numbers.dense) == data.dense).all()
    step.save(tmp_path / 's')
    again = kind.load(tmp_path / 's')
    assert again == step and (again.transform(numbers.dense) == data.dense).all()
    if kind is Standardize:
        dense = numbers.dense[:, 0].astype('float64')
        expected = (dense - dense.mean()) / dense.std()
        np.testing.assert_allclose(data.dense[:, 0], expected, rtol=1e-5, atol=1e-6)
        assert (data.dense[:, 1] == 0).all()  # constant
        assert (step.transform(numbers.dense + 5)[:, 1] == 0).all()
    else:
        assert data.dense.min() >= 0 and data.dense.max() <= 1


def test_a_constant_that_rounding_moves_is_constant():
    dense = np.full((1000, 1), 0.1)
    assert (Standardize(dense).transform(dense) == 0).all()


def test_crosses_are_a_step_of_the_encoder(train):
    crosses = Crosses(train, CROSSES, min_threshold=6)
    data = crosses.apply(train)
    assert isinstance(data, CTRDataset) and data.features.shape == (300, 5)
    assert data.field_dims.tolist() == train.field_dims.tolist() and 'crosses' in repr(data)
    assert data.words(3) == train.words(3) and (data.labels == train.labels).all()
    assert (data.unknown == train.unknown).all() and data.encoder.steps == (crosses,)
    assert (data[10:20].features == data.features[10:20]).all()
    assert (data.encoder.encode(clicks()).features == data.features).all()
    with pytest.raises(ValueError, match='the data has crosses already'):
        crosses.apply(data)


@pytest.mark.parametrize('pool', ['sum', 'mean'])
def test_bags_are_a_step_of_the_encoder(pool):
    frame = films().assign(price=[1.0, 2, 3, 4, 5, 6])
    data = CTRDataset(frame, min_threshold=1, dense=['price'])
    bags = Bags(data, GROUPS, pool)
    hot = bags.apply(data)
    assert isinstance(hot, MultiHot) and list(hot.columns) == ['ids', 'weights', 'dense']
    assert hot.dense_names == ['price'] and (hot.dense == data.dense).all()
    assert hot.encoder.steps == (bags,) and bags.bag_sizes == hot.bag_sizes
    again = hot.encoder.encode(frame[::-1])
    for name in hot.columns:
        assert (again.columns[name][::-1] == hot.columns[name]).all()
    part = hot[2:4]
    assert (part.weights == hot.weights[2:4]).all() and part.bag_sizes == hot.bag_sizes
    assert len(concat([hot, part])) == 8
    short = multi_hot(data, GROUPS, pool)
    assert (short.weights == hot.weights).all() and (short.features == hot.features).all()
    ends = hot.offsets + hot.field_dims
    empty = hot.weights == 0
    assert empty.any() and (hot.features[:, 2:][empty] >= hot.offsets[2]).all()
    assert hot.features.max() < ends[-1]
    assert hot.value_of(7) == ('genre', 'Drama') and hot.id_of('genre', 'War') == 8
    assert hot.ids_of('genre') == slice(7, 10)


def test_bags_refuse_rows_that_do_not_fit(tmp_path):
    train = CTRDataset(films()[:2], min_threshold=1)
    bags = Bags(train, GROUPS)
    bags.save(tmp_path / 'b')
    assert Bags.load(tmp_path / 'b') == bags and bags.bag_sizes == [1]
    with pytest.raises(ValueError, match="'genre' of row 1 has 2 values for 1 slots"):
        Bags.load(tmp_path / 'b').apply(CTRDataset(films()[2:], min_threshold=1))


CROSS = {'fields': ['a', 'b'], 'values': [['x', None]]}
WRONG = [
    (Crosses, {'num_buckets': None, 'crosses': []}),
    (Crosses, {'num_buckets': 0, 'crosses': [{**CROSS, 'values': []}]}),
    (Crosses, {'num_buckets': 2**31, 'crosses': [{**CROSS, 'values': []}]}),
    (Crosses, {'num_buckets': 2**31 - 1, 'crosses': [{**CROSS, 'values': []}] * 2}),
    (Crosses, {'num_buckets': 1.5, 'crosses': [{**CROSS, 'values': []}]}),
    (Crosses, {'num_buckets': True, 'crosses': [{**CROSS, 'values': []}]}),
    (Crosses, {'num_buckets': 9, 'crosses': [CROSS]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'values': [['x', None]] * 2}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'values': [['x']]}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'values': [['x', 3]]}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'values': 'xy'}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'fields': ['a']}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'fields': ['a', 'a']}]}),
    (Crosses, {'num_buckets': None, 'crosses': [{**CROSS, 'fields': 'ab'}]}),
    (Crosses, {'num_buckets': None, 'crosses': [3]}),
    (Quantiles, {'quantiles': []}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': []}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [2, 1]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [1, float('nan')]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [1, float('inf')]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [10**400]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': ['1']}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [True]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': 3}]}),
    (Quantiles, {'quantiles': [{'name': 3, 'cuts': [1]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [1]}, {'name': 'b', 'cuts': [1, 2]}]}),
    (Quantiles, {'quantiles': [{'name': 'a', 'cuts': [1]}] * 2}),
    (Standardize, {'features': [{'name': 'a', 'mean': 0, 'deviation': -1}]}),
    (Standardize, {'features': [{'name': 'a', 'mean': float('nan'), 'deviation': 1}]}),
    (Standardize, {'features': [{'name': 'a', 'mean': 0}]}),
    (Bags, {'groups': {}, 'pool': 'sum', 'bag_sizes': []}),
    (Bags, {'groups': {'g': ['a']}, 'pool': 'max', 'bag_sizes': [1]}),
    (Bags, {'groups': {'g': ['a']}, 'pool': 'sum', 'bag_sizes': [0]}),
    (Bags, {'groups': {'g': ['a']}, 'pool': 'sum', 'bag_sizes': [1, 1]}),
    (Bags, {'groups': {'g': ['a']}, 'pool': 'sum', 'bag_sizes': [1e400]}),
    (Bags, {'groups': {'g': ['a', 'a']}, 'pool': 'sum', 'bag_sizes': [1]}),
    (Bags, {'groups': {'g': 'ab'}, 'pool': 'sum', 'bag_sizes': [1]}),
    (Bags, {'groups': ['a'], 'pool': 'sum', 'bag_sizes': [1]}),
]


@pytest.mark.parametrize('case', range(len(WRONG)))
def test_files_with_wrong_entries_are_refused(tmp_path, case):
    kind, content = WRONG[case]
    (tmp_path / 'f').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f'f holds no {kind.__name__.lower()}: ') as refusal:
        kind.load(tmp_path / 'f')
    assert '\n' not in str(refusal.value)


def refusals():
    data = CTRDataset(films(), min_threshold=1)
    q = Quantiles([[1.0, 2.0], [3.0, 4.0]], 2, ['age', 'price'])
    return [
        (lambda: Crosses(data, []), 'There is no cross'),
        (lambda: Crosses(data, [('user',)]), 'needs two or more different'),
        (lambda: Crosses(data, [('user', 'day', 'user')]), 'needs two or more different'),
        (lambda: Crosses(data, [('user', 'town')]), "no field 'town'"),
        (lambda: Crosses(data, [('user', 'day')], min_threshold=0), 'min_threshold is 0'),
        (lambda: Crosses(data, [('user', 'day')], num_buckets=2.5), 'num_buckets is 2.5'),
        (
            lambda: Crosses(data, [('user', 'day')], num_buckets=2**31).apply(data),
            'more than int32 ids',
        ),
        (lambda: Quantiles([[1.0], [2.0]], 1), 'num_quantiles is 1'),
        (lambda: Quantiles([1.0, 2.0]), r'shape \(2,\)'),
        (lambda: Quantiles(np.empty((0, 2))), r'shape \(0, 2\)'),
        (lambda: q.transform([[1.0, 2.0], [3.0, np.nan]]), "'price' of row 2 is nan"),
        (lambda: q.transform([[1.0], [3.0]]), "2 columns, .'age', 'price'.*"),
        (lambda: multi_hot(data, GROUPS, 'max'), "pool is 'max'"),
        (lambda: multi_hot(data, {}), 'one or more, none empty'),
        (lambda: multi_hot(data, {'a': ['War'], 'b': ['War']}), 'no field in two'),
        (lambda: multi_hot(data, {'a': ['user']}), "'user' has the value 'a', which is no weight"),
        (lambda: multi_hot(data, GROUPS, bag_sizes=[1, 2]), r'bag_sizes is \[1, 2\] for 1 group'),
        (lambda: multi_hot(data, GROUPS, bag_sizes=[0]), r'bag_sizes is \[0\]: give whole numbers'),
        (lambda: multi_hot(data, GROUPS, bag_sizes=[2.5]), r'bag_sizes is \[2.5\]'),
        (lambda: multi_hot(data, {'g': 'War'}), 'groups is .*: give a dict'),
        (lambda: multi_hot(films(), GROUPS), 'Bags got a DataFrame: give a CTRDataset'),
        (lambda: Crosses(films(), [('user', 'day')]), 'Crosses got a DataFrame'),
        (lambda: Crosses(data, ['user', 'day']), 'give a list of tuples of field names'),
        (lambda: Crosses(data, [('user', 'day')], num_buckets=True), 'num_buckets is True'),
        (lambda: Crosses(data, [('user', 'day')], num_buckets='9'), "num_buckets is '9'"),
        (lambda: Crosses(data, [('user', 'day')], min_threshold='4'), "min_threshold is '4'"),
        (lambda: Quantiles(data), 'the data has no dense features: read some by dense='),
        (lambda: q.apply(data), 'the data has no dense features: give a data set with age, price'),
        (lambda: Quantiles([['a']]), 'The features are no numbers'),
        (lambda: Quantiles([[1.0]], None), 'num_quantiles is None'),
        (lambda: Quantiles([[1.0]], float('nan')), 'num_quantiles is nan'),
        (lambda: Standardize([[np.nan]]), "'dense 1' of row 1 is nan"),
        (lambda: Standardize([[1.0]], ['a', 'b']), "2 columns, .'a', 'b'."),
    ]


@pytest.mark.parametrize('case', range(33))
def test_refusals_say_what_where_and_what_to_do(case):
    call, words = refusals()[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)
