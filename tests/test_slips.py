"""Small slips of the hand that no other test would notice: `tools/mutate.py` found them."""

import copy
import json
import pickle
import warnings

import d2lrec as d2l
from d2lrec.arguments import check_whole
from d2lrec.check import judge
from d2lrec.models import Model
from d2lrec.saving.rows import encode_rows
from d2lrec.train import optim

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import gluon


def tagged():
    frame = pd.DataFrame({'y': [0, 1] * 2, 'tags': ['p|q', 'q', 'p', 'q'], 'a': list('xyxy')})
    return d2l.read(frame, label='y', categories=['a'], numbers=[], multi={'tags': '|'})


def test_the_share_of_unknown_values_of_a_bag_is_of_those_that_are_there():
    encoder = tagged().dataset(min_threshold=1).encoder
    new = pd.DataFrame({'tags': ['p', 'z|p', 'q|p', 'z'], 'a': list('xxww')})
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        encoded = encoder.encode(new, label=False)
    assert encoded.unknown.tolist() == pytest.approx([0.5, 1 / 3])


def test_a_bag_of_one_value_is_no_field_of_one_value():
    frame = pd.DataFrame({'y': [0, 1] * 3, 'a': ['x'] * 6, 'tags': ['p', 'p', 'p', 'p', 'p', 'p']})
    table = d2l.read(frame, label='y', categories=['a'], numbers=[], multi={'tags': '|'})
    _, *lines = table.dataset(min_threshold=1).summary().splitlines()
    single, bag = ([li for li in lines if f' {name} ' in li] for name in ('a', 'tags'))
    assert 'single value' in single[0] and 'single value' not in bag[0]


def test_a_few_unknown_values_are_a_share_of_the_rows():
    encoder = tagged().dataset(min_threshold=1).encoder
    new = pd.DataFrame({'tags': ['p'] * 20, 'a': ['x'] * 13 + ['new'] * 7})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        encoded = encoder.encode(new, label=False)
    assert encoded.unknown.tolist() == pytest.approx([0.35, 0])


def test_numbers_and_an_empty_cell_make_a_field_of_numbers():
    assert d2l.Field.from_mapper('a', {'1': 0, '': 1}, 2, 'it').kind == 'number'
    assert d2l.Field.from_mapper('a', {'x': 0, '': 1}, 2, 'it').kind == 'text'


def test_a_label_is_not_taken_for_the_user():
    frame = pd.DataFrame({'user': [0, 1, 1, 0], 'a': list('xyxy')})
    table = d2l.read(frame, label='user', categories=['a'], numbers=[])
    assert table.schema.label == 'user' and table.schema.user is None


def test_pairs_are_only_made_where_they_are_asked_for():
    loader = d2l.NegativeLoader(d2l.Interactions([0, 1], [0, 1], 2, 4), batch_size=9)
    assert not loader.pairwise and loader.rows == 4


@pytest.mark.parametrize('before', [1, 'x'], ids=['among numbers', 'among words'])
def test_half_a_character_is_refused_with_its_place(before):
    frame = pd.DataFrame({'y': [0, 1], 'a': pd.Series([before, '\ud800'], dtype=object)})
    with pytest.raises(ValueError, match=r"half a character .* in the column 'a', row 2, "):
        d2l.CTRDataset(frame, min_threshold=1)


def test_one_value_a_row_may_be_named_multi():
    frame = pd.DataFrame({'y': [0, 1, 1], 'tag': ['p', None, 'q']})
    lists = d2l.read(frame, label='y', categories=[], numbers=[], multi=['tag']).lists('tag')
    assert lists.counts.tolist() == [1, 0, 1] and [lists.cells[c] for c in lists.codes] == [
        'p',
        'q',
    ]


def test_films_of_movielens_100k_are_joined_on(tmp_path):
    (tmp_path / 'u.data').write_text('1\t2\t5\t880000000\n1\t1\t3\t880000001\n')
    flags = ['0'] * 18
    drama = [*flags[:7], '1', *flags[8:]]
    rows = [[str(i), f'Film {i}', '', '', '', '0', *f] for i, f in ((1, flags), (2, drama))]
    (tmp_path / 'u.item').write_text(''.join('|'.join(r) + '\n' for r in rows))
    table = d2l.read_ratings(tmp_path)
    assert table.schema.multi == {'genres': '|'}
    assert table.frame.genres.fillna('').tolist() == ['Drama', '']
    assert table.frame.title.tolist() == ['Film 2', 'Film 1']
    assert np.array_equal(table.labels, [1, 0])


def test_an_error_without_a_message_is_told():
    assert judge.told(ValueError()) == '' and judge.told(ValueError('a\nb')) == 'a'


@pytest.mark.parametrize('kind', ['float32', 'float16'])
def test_a_request_of_short_floats_is_read_like_a_table_of_them(kind):
    frame = pd.DataFrame({'y': [0, 1, 1], 'a': np.array([0.1, 0.1, 0.2], kind)})
    for encoder in (
        d2l.CTRDataset(frame, min_threshold=2).encoder,
        d2l.read(frame, label='y', categories=['a'], numbers=[]).dataset(min_threshold=2).encoder,
    ):
        wanted = encoder.encode(frame[['a']], label=False).features.tolist()
        assert encode_rows(encoder, frame[['a']]).features.tolist() == wanted == [[0], [0], [1]]


def test_raw_rows_need_an_encoder():
    net = d2l.FM([3, 2], 2)
    net.initialize()
    with pytest.raises(ValueError, match='FM was saved without an encoder'):
        d2l.Saved(net, None).predict({'a': 'x'})


def test_times_are_all_numbers_or_all_dates():
    frame = pd.DataFrame({'y': [0, 1], 'a': ['x', 'y'], 'time': ['5', 'tomorrow']})
    with pytest.raises(ValueError, match="the time 'time' of row"):
        d2l.read(frame, label='y', categories=['a'], numbers=[], time='time').times


def test_a_folder_whose_list_of_blocks_is_cut_is_refused(tmp_path):
    frame = pd.DataFrame({'y': [0, 1] * 4, 'a': list('xyxyxyxy')})
    how = dict(label='y', categories=['a'], numbers=[])
    d2l.encode(frame, tmp_path / 'made', verbose=False, **how)
    path = tmp_path / 'made' / 'blocks.bin'
    for size in (0, 1, 4, 7):
        data = path.read_bytes()
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match='is damaged in rows 0 to'):
            d2l.open_encoded(tmp_path / 'made')
        path.write_bytes(data)


def test_what_lies_outside_a_mask_enters_no_hidden_layer():
    """Of AutoRec, and of a net that has no encoder and decoder."""
    rows = np.array([[5, 1, 0, 2], [0, 4, 3, 0], [1, 0, 0, 5]], 'float32')
    mask = (rows > 0).astype('float32')

    class Flat(Model):
        output = 'rating'

        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.inputs = {'rows': width}
            with self.name_scope():
                self.layer = gluon.nn.Dense(width, in_units=width)

        def hybrid_forward(self, F, x):
            return self.layer(x)

    for net in (d2l.AutoRec(3, 4), Flat(4)):
        net.initialize(mx.init.Normal(0.5))
        lists = [
            d2l.recommend(net, [0, 1, 2, 3], 2, seen=d2l.RatingRows(r, mask)).score.tolist()
            for r in (rows, rows + 7 * (1 - mask))
        ]
        assert lists[0] == lists[1]


def test_a_short_line_that_says_to_double_is_told_with_its_row(tmp_path):
    path = tmp_path / 'log.csv'
    path.write_text('y,a,n\n0,x,1\n1,to double\n1,z,2\n')
    with pytest.raises(ValueError, match=r"row 3 \('1,to double'\) has 2 cells where 3"):
        d2l.read(path, label='y', categories=['a'], numbers=['n'])


def test_whole_numbers_with_a_missing_one_are_numbers():
    frame = pd.DataFrame({'y': [0, 1, 1], 'n': pd.array([1, None, 3], 'Int64'), 'a': list('xyx')})
    table = d2l.read(frame, label='y', categories=['a'], numbers=['n'])
    assert type(table.numbers('n')) is np.ndarray
    assert np.isnan(table.numbers('n')[1]) and table.numbers('n')[[0, 2]].tolist() == [1, 3]


def guessed(source, **how):
    with pytest.warns(UserWarning) as said:
        schema = d2l.read(source, label='y', **how).schema
    return schema, str(said[0].message)


def test_numbers_with_a_missing_one_are_guessed_to_be_numbers():
    cells = [None, *(f'{i}.5' for i in range(40))]
    frame = pd.DataFrame({'y': [0, 1] * 20 + [1], 'n': pd.Series(cells, dtype=object)})
    assert guessed(frame)[0].numbers == ('n',)


def test_numbers_that_json_has_as_text_are_numbers(tmp_path):
    rows = [{'y': i % 2, 'n': None if i == 3 else f'{i}.5'} for i in range(40)]
    path = tmp_path / 'log.jsonl'
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    assert guessed(path)[0].numbers == ('n',)


def test_a_number_in_a_dress_is_told():
    plain = [f'{i}.5' for i in range(40)]
    frame = pd.DataFrame({'y': [0, 1] * 20, 'n': plain, 'price': [f'€{n}' for n in plain]})
    schema, said = guessed(frame)
    assert schema.numbers == ('n',) and schema.categories == ('price',)
    assert "'price' is no number as long as it is written like '€0.5'" in said
    assert "'n' is no number" not in said


def test_numbers_that_are_not_named_beside_categories_are_taken():
    plain = [f'{i}.5' for i in range(40)]
    frame = pd.DataFrame(
        {'y': [0, 1] * 20, 'a': list('wxyz') * 10, 'n': plain, 'b': list('pq') * 20}
    )
    schema = guessed(frame, categories=['a'])[0]
    assert schema.categories == ('a',) and schema.numbers == ('n',)


def test_criteo_without_a_label_has_none(tmp_path):
    cells = ['1'] * 13 + ['w'] * 26
    (tmp_path / 'test.txt').write_text('\t'.join(cells) + '\n')
    table = d2l.read(tmp_path / 'test.txt', format='criteo')
    assert table.schema.label is None and table.labels is None


@pytest.mark.parametrize('slots', [0, 1_000_001, True, 1.0])
def test_slots_of_a_bag_are_a_number_within_bounds(slots):
    content = tagged().dataset(min_threshold=1).encoder.to_json()
    content['plan']['slots'] = {'tags': slots}
    with pytest.raises(ValueError, match='its slots are not those of its bags'):
        d2l.Encoder.from_json(content)


def test_columns_of_ratings_are_taken_by_their_places():
    frame = pd.DataFrame({'user': [5, 6], 'what': [7, 8], 'how much': [2, 3]})
    with pytest.warns(UserWarning, match="item='what', rating='how much'"):
        table = d2l.read_ratings(frame)
    assert table.schema.item == 'what' and table.ratings().ratings.tolist() == [2, 3]


def test_titles_in_latin_1_are_read(tmp_path):
    (tmp_path / 'ratings.dat').write_text('1::2::5::978300760\n2::1::3::978300761\n')
    titles = '1::Élan (1995)::Drama\n2::B (1996)::Comedy\n'
    for encoding in ('latin-1', 'utf-8'):
        (tmp_path / 'movies.dat').write_bytes(titles.encode(encoding))
        assert d2l.read_ratings(tmp_path).frame.title.tolist() == ['B (1996)', 'Élan (1995)']


def test_batches_of_pairs_are_lists_whatever_the_net_reads():
    loader = d2l.NegativeLoader(d2l.Interactions([0, 1], [0, 1], 2, 4), batch_size=9)
    assert not loader.named
    with pytest.raises(ValueError, match='users'):
        d2l.NegativeSampler(loader.sampler.seen).draw([2])


class Counting(mx.lr_scheduler.LRScheduler):
    """A schedule with something of its own to remember."""

    def __init__(self, base_lr=0.1):
        super().__init__(base_lr)
        self.last, self.steps = 0, 0

    def __call__(self, num_update):
        if num_update > self.last:
            self.last, self.steps = num_update, self.steps + 1
        return self.base_lr / (1 + self.steps)


def test_a_schedule_goes_on_from_what_it_had_counted(tmp_path):
    def trained(epochs, checkpoint):
        d2l.set_seed(1)
        net = d2l.FM([3, 2], 2)
        net.initialize()
        schedule = Counting()
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'lr_scheduler': schedule})
        ids, labels = np.array([[0, 3], [1, 4], [2, 3], [0, 4]]), np.array([0, 1, 1, 0])
        d2l.train_ch13(
            net, d2l.BatchLoader(ids, labels, batch_size=2), None, gluon.loss.SigmoidBCELoss(),
            trainer, epochs, verbose=False, seed=1, checkpoint=checkpoint,
        )  # fmt: skip
        return schedule.steps

    trained(2, tmp_path / 'state')
    assert trained(4, tmp_path / 'state') == trained(4, None) > 4


def test_a_path_that_cannot_be_written_is_refused_before_a_model_is_saved():
    net = d2l.FM([3, 2], 2)
    net.initialize()
    with pytest.raises(ValueError, match='cannot be written: there is no folder /no such folder'):
        d2l.save(net, '/no such folder/model')


def test_users_and_items_are_as_many_as_the_largest_id_says():
    made = d2l.Ratings([0, 1], [2, 0], [3, 4.0])
    assert (made.num_users, made.num_items) == (2, 3)


@pytest.mark.filterwarnings('ignore')
def test_lists_of_items_with_bags_are_those_of_predictions():
    rng = np.random.default_rng(0)
    log = pd.DataFrame({'y': [0, 1] * 30, 'user': [f'u{i % 6}' for i in range(60)],
                        'item': [f'i{i % 5}' for i in range(60)]})  # fmt: skip
    tags = dict(zip(sorted(set(log.item)), ['p|q', 'q', 'p', 'r|p', 'r']))
    log['tags'] = log.item.map(tags)
    how = dict(label='y', categories=['user', 'item'], numbers=[], multi={'tags': '|'})
    train = d2l.read(log, **how).dataset(min_threshold=1)
    net = d2l.FM.for_data(train, 3)
    net.initialize(mx.init.Normal(0.5))
    items = log[['item', 'tags']].drop_duplicates()
    lists = d2l.recommend(net, ['u0', 'u3'], 5, seen=False, items=items, encoder=train.encoder)
    rows = lists[['user', 'item']].assign(tags=lists.item.map(tags))
    rows = rows.sample(frac=1, random_state=int(rng.integers(9)))
    probs = d2l.predict(net, train.encoder.encode(rows, label=False))
    assert lists.loc[rows.index, 'score'].to_numpy() == pytest.approx(probs, abs=1e-6)
    assert len(set(lists.score.round(6))) > 5


def test_the_label_of_a_frame_for_a_files_vocabulary_stands_first(tmp_path):
    (tmp_path / 'log.tsv').write_text('1\t0\tx\n0\t1\ty\n1\t1\tx\n')
    train = d2l.CTRDataset(tmp_path / 'log.tsv', min_threshold=1, num_feat=2)
    first, second = train.field_names
    frame = pd.DataFrame({'clicked': [0, 1, 0], first: [0, 1, 1], second: list('xxy')})
    data = d2l.CTRDataset(frame, vocabulary=train.vocabulary)
    assert data.labels.tolist() == [0, 1, 0]
    assert (
        data.features.tolist()
        == train.encoder.encode(frame[[first, second]], label=False).features.tolist()
    )


def test_a_day_and_a_month_are_told_apart_by_any_of_the_times():
    frame = pd.DataFrame(
        {'y': [0, 1, 1], 'a': list('xyx'), 'when': ['02/01/2024', '13/01/2024', '']}
    )
    times = d2l.read(frame, label='y', categories=['a'], numbers=[], time='when').times
    assert pd.to_datetime(times[:2]).strftime('%Y-%m-%d').tolist() == ['2024-01-02', '2024-01-13']
    for odd in (['02/01/2024', '03/01/2024', ''], ['13/01/2024', '01/13/2024', '']):
        with pytest.raises(ValueError, match='begins with the day or the month cannot be told'):
            d2l.read(
                frame.assign(when=odd), label='y', categories=['a'], numbers=[], time='when'
            ).times


def test_a_part_without_rows_is_refused():
    frame = pd.DataFrame({'y': [0, 1] * 3, 'user': list('abcdef'), 'time': range(6)})
    table = d2l.read(frame, label='y', categories=['user'], numbers=[], time='time', user='user')
    with pytest.raises(ValueError, match='part would have none of the 6 rows: give larger shares'):
        table.split('last', 0.1, 0.1)


@pytest.mark.parametrize('at', [-1, 1.5, True, None])
def test_a_loader_of_pairs_goes_on_at_an_epoch(at):
    loader = d2l.NegativeLoader(d2l.Interactions([0, 1], [0, 1], 2, 4), batch_size=9)
    with pytest.raises(ValueError, match='the state is of the epoch'):
        loader.set_state({**loader.get_state(), 'at': at})


def test_the_latest_related_item_raises_or_lowers():
    """Each item always the same way, whatever was before it."""
    data = d2l.planted_histories(3000, linear=0.0, related=0.0, latest=2.0, rate=0.3, seed=0)
    effect, first = data.terms['latest'], data.field_dims[0]
    group = 10  # items of one
    items, past = data.features[:, 1] - first, data.columns['history'] - first
    found = {}
    for row, length in enumerate(data.columns['lengths']):
        same = [i for i in past[row, :length] if i // group == items[row] // group]
        found.setdefault(same[-1] if same else None, set()).add(round(float(effect[row]), 6))
    assert all(len(effects) == 1 for effects in found.values())
    assert len(set.union(*found.values())) == 3  # up, down, none


def test_plain_descent_has_no_momentum():
    assert optim.SGD().momentum == 0 and optim.SGD(momentum=0.5).momentum == 0.5


def test_a_whole_number_begins_with_1():
    assert check_whole(1, 'k') == 1
    with pytest.raises(ValueError, match='k is 0: give a whole number, 1 or more'):
        check_whole(0, 'k')


@pytest.mark.parametrize('kind', ['float32', 'float64'])
@pytest.mark.parametrize('rows', [True, False])
def test_a_copied_net_is_a_net_of_its_own(rows, kind):
    data = d2l.planted(60, [5, 4], pairwise=2.0, seed=0)
    net = d2l.DeepFM(data.field_dims, 3, [4])
    d2l.fit(net, data, num_epochs=1, rows=rows)
    net.cast(kind)
    net.linear.weight.grad_req = 'null'
    before = d2l.predict(net, data)
    other = copy.deepcopy(net)
    np.testing.assert_array_equal(d2l.predict(other, data), before)
    d2l.fit(other, data, num_epochs=2, seed=1)
    np.testing.assert_array_equal(d2l.predict(net, data), before)
    d2l.fit(net, data, num_epochs=2, seed=1)
    np.testing.assert_array_equal(d2l.predict(net, data), d2l.predict(other, data))
    assert np.abs(d2l.predict(net, data) - before).max() > 1e-3
    assert copy.copy(net).embedding is net.embedding
    with pytest.raises(ValueError, match='DeepFM cannot be pickled: d2l.save'):
        pickle.dumps(net)


def test_a_net_that_was_changed_is_not_copied():
    net = d2l.LR([3, 2])
    net.more = gluon.nn.Dense(1, in_units=2)
    with pytest.raises(ValueError, match='LR was changed after it was built'):
        copy.deepcopy(net)


@pytest.mark.parametrize('kind', ['float16', 'int32', 'x'])
def test_a_type_that_nothing_computes_with_is_refused(kind):
    with pytest.raises(ValueError, match="give 'float32' or 'float64'"):
        d2l.FM([3, 2], 4).cast(kind)


def test_a_net_of_float64_begins_anew():
    net = d2l.DeepFM([3, 2], 4, [2])
    net.cast('float64')
    net.initialize()
    first = net.embedding.weight.data().asnumpy()
    net.initialize(force_reinit=True)
    again = net.embedding.weight.data().asnumpy()
    assert again.dtype == np.float64 and (again != first).any()


def test_a_net_of_which_nothing_is_trained_is_refused():
    data = d2l.planted(60, [5, 4], seed=0)
    for rows in (True, False):
        net = d2l.FM(data.field_dims, 4)
        net.collect_params().setattr('grad_req', 'null')
        with pytest.raises(ValueError, match="no weight of this FM is trained.*grad_req='write'"):
            d2l.fit(net, data, rows=rows)


def test_half_a_character_has_no_bucket():
    with pytest.raises(ValueError, match="'town' has half a character") as refusal:
        d2l.HashedField('town', 10).find(['Oslo', '\ud800'])
    assert type(refusal.value) is ValueError


def test_loaders_of_another_vocabulary_are_refused_by_the_trainers_too():
    frame = pd.DataFrame({'y': [1, 0] * 4, 'town': ['Oslo', 'Rome'] * 4})
    one, other = (
        d2l.CTRDataset(f, min_threshold=1) for f in (frame, frame.replace('Rome', 'Lima'))
    )
    net = d2l.LR(one.field_dims)
    net.initialize()
    loss, trainer = gluon.loss.SigmoidBCELoss(), gluon.Trainer(net.collect_params(), 'adam')

    def train(data, **held_out):
        loader = d2l.BatchLoader(data, batch_size=4)
        d2l.train.clicks.train_ch13(net, loader, None, loss, trainer, 1, verbose=False, **held_out)

    with pytest.raises(ValueError, match='valid_iter was encoded in another way than train_iter'):
        train(one, valid_iter=d2l.BatchLoader(other, batch_size=4))
    train(other)  # nothing was learned before
    with pytest.raises(ValueError, match='train_iter was encoded in another way'):
        train(one)
    with pytest.raises(ValueError, match='the data was encoded in another way'):
        d2l.predict(net, one)


def test_a_matrix_beyond_all_memory_is_refused():
    for by in ('item', 'user'):
        with pytest.raises(ValueError, match='1,000,000,000,001 users.*does not fit into memory'):
            d2l.Ratings([10**12], [0], [3.0]).rows(by=by)
    with pytest.raises(ValueError, match=r'users\[0\] is -1, outside its range, 0 to 0'):
        d2l.Ratings([-1], [0], [3.0])


def test_which_rating_is_the_latest_is_known_or_refused():
    rows = [('ann', 'tea', 5, 1.0), ('ann', 'tea', 2, None), ('bob', 'tea', 3, 4.0)]
    frame = pd.DataFrame(rows, columns=['user', 'item', 'rating', 'time'])
    with pytest.raises(ValueError, match="'time' of row 2 is missing"):
        d2l.read_ratings(frame, repeated='last')
    assert len(d2l.read_ratings(frame[1:], repeated='last')) == 2  # no pair twice


def test_a_saved_model_of_ratings_says_what_it_takes(tmp_path):
    frame = pd.DataFrame({'user': list('aab'), 'item': list('xyx'), 'rating': [5, 2, 3]})
    ratings = d2l.read_ratings(frame).ratings()
    net = d2l.MF(2, ratings.num_users, ratings.num_items)
    d2l.fit(net, ratings, num_epochs=1)
    d2l.save(net, tmp_path / 'mf', ratings)
    saved = d2l.load(tmp_path / 'mf')
    assert len(saved.predict(ratings)) == 3
    with pytest.raises(ValueError, match='MF reads no raw rows: give ratings of its table'):
        saved.predict({'user': 'a', 'item': 'x'})
    with pytest.raises(ValueError, match='a Ratings, whose values are numbers already'):
        saved.unknown(ratings)


@pytest.mark.parametrize('kind', ['float64', 'int64'])
@pytest.mark.parametrize('precision', ['float32', 'float64'])
def test_numbers_of_any_type_are_read(kind, precision):
    rng = np.random.default_rng(0)
    ids = np.stack([rng.integers(0, 5, 40), 5 + rng.integers(0, 7, 40)], 1)
    dense, y = rng.integers(0, 3, (40, 2)).astype(kind), rng.integers(0, 2, 40).astype(kind)
    net = d2l.WideDeep([5, 7], 2, [4], num_dense=2)
    net.initialize()
    net.cast(precision)
    loader = gluon.data.DataLoader(gluon.data.ArrayDataset(ids, dense, y), 16)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    d2l.train_ch13(net, loader, None, loss, trainer, 1, verbose=False)
    assert net(mx.np.array(ids, dtype=kind), mx.np.array(dense, dtype=kind)).dtype == precision
    expected = d2l.predict(net, (ids, dense))
    np.testing.assert_allclose(d2l.predict(net, loader), expected, rtol=1e-5)


@pytest.mark.parametrize('kind', ['float64', 'int64'])
def test_rows_of_ratings_of_any_type_are_read(kind):
    matrix = np.eye(6, 5) * 3
    losses = []
    for one in (kind, 'float32'):
        net = d2l.AutoRec(3, 5, dropout=0)
        net.initialize(mx.init.One())
        loader = gluon.data.DataLoader(matrix.astype(one), 4)
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
        loss = gluon.loss.L2Loss()
        history = d2l.train_recsys_rating(net, loader, None, loss, trainer, 2, verbose=False)
        losses.append(history['train_loss'])
        rows = mx.np.array(matrix, dtype=one)
        assert net.for_known(rows, rows != 0).dtype == np.float32
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_a_call_without_a_row_is_refused():
    net = d2l.LR([5, 4])
    net.initialize()
    with pytest.raises(ValueError, match='LR got no row: give at least one'):
        net(mx.np.zeros((0, 2), dtype='int32'))
