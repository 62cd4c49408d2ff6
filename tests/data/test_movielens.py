import math
import random
import shutil
from datetime import datetime, timezone

import d2lrec as d2l
import d2lrec.data.movielens as ml

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import randomize

U, I, N = 12, 30, 300


@pytest.fixture(scope='module')
def ratings():
    """Made-up ratings: each pair once, in random order, many equal time stamps."""
    rng = np.random.RandomState(0)
    pairs = rng.permutation(U * I)[:N]
    return pd.DataFrame(
        {
            'user_id': pairs // I + 1,
            'item_id': pairs % I + 1,
            'rating': rng.randint(1, 6, N),
            'timestamp': 880_000_000 + rng.randint(0, 20, N) * 50_000,
        }
    )


USERS = [
    f'{u}|{age}|{"MF"[u % 2]}|baker|{zip_code}'
    for u, (age, zip_code) in enumerate(
        zip([7, 17, 18, 24, 25, 44, 45, 49, 50, 55, 56, 90], ['01234', 'V3N4P', *['98765'] * 10]), 1
    )
]
DATES = ['1-Jan-1995', '31-Dec-1989', '', '28-Feb-1922']
FLAGS = {i: [int((i * g) % 3 == 1) for g in range(18)] for i in range(1, I + 1)}
ITEMS = [
    f'{i}|Café no. {i}|{DATES[i % 4]}||http://host/{i}|{int(i % 4 == 2)}|'
    + '|'.join(map(str, FLAGS[i]))
    for i in range(1, I + 1)
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory, ratings):
    """The made-up data in the layout of ml-100k."""
    path = tmp_path_factory.mktemp('ml')
    ratings.to_csv(path / 'u.data', sep='\t', header=False, index=False)
    (path / 'u.user').write_text('\n'.join(USERS) + '\n')
    (path / 'u.item').write_text('\n'.join(ITEMS) + '\n', encoding='latin-1')
    return path


@pytest.fixture
def hub(folder, monkeypatch):
    monkeypatch.setattr(ml, 'download_extract', {'ml-100k': str(folder)}.__getitem__)


def rows(frame):
    return list(frame.itertuples(index=False, name=None))


def later(data):
    """Each user's rows from first to last: by time, then by place in the file."""
    users = {}
    for row in rows(data):
        users.setdefault(row[0], []).append(row)
    return {u: sorted(mine, key=lambda r: r[3]) for u, mine in users.items()}  # sorted is stable


def test_tables(folder, ratings):
    data = ml.read_ml100k(folder)
    assert rows(data.ratings) == rows(ratings)
    assert repr(data) == 'MovieLens(300 ratings, 12 users, 30 items)'
    assert rows(data.users)[:2] == [(1, 7, 'F', 'baker', '01234'), (2, 17, 'M', 'baker', 'V3N4P')]
    first = data.items.iloc[0]
    assert (first.title, str(first.release_date.date())) == ('Café no. 1', '1989-12-31')
    assert data.items.release_date.isna().tolist() == [i % 4 == 2 for i in range(1, I + 1)]
    assert data.items[ml.GENRES].to_numpy().tolist() == list(FLAGS.values())
    assert data.items.columns.tolist() == [
        'item_id',
        'title',
        'release_date',
        'unknown',
        *ml.GENRES,
    ]


def test_read_data(hub, ratings):
    data, users, items = ml.read_data_ml100k()
    assert rows(data) == rows(ratings) and (users, items) == (U, I)
    assert data.columns.tolist() == ['user_id', 'item_id', 'rating', 'timestamp']


def test_random_split_is_seeded_exact_and_a_partition(ratings):
    train, test = ml.split_data_ml100k(ratings, U, I)
    assert (len(train), len(test)) == (270, 30)
    assert sorted(train.index.tolist() + test.index.tolist()) == list(range(N))
    assert train.index.is_monotonic_increasing and test.index.is_monotonic_increasing
    assert rows(train) == [rows(ratings)[i] for i in train.index]
    np.random.seed(99)  # nothing global matters
    assert ml.split_data_ml100k(ratings, U, I)[1].equals(test)
    assert not ml.split_data_ml100k(ratings, U, I, seed=1)[1].equals(test)
    assert len(ml.split_data_ml100k(ratings, U, I, 'random', 0.25)[1]) == 75


def test_seq_aware_split_holds_out_the_last_rating_of_each_user(ratings):
    train, test = ml.split_data_ml100k(ratings, U, I, 'seq-aware')
    expected = later(ratings)
    assert rows(test) == [expected[u][-1] for u in sorted(expected)]
    assert rows(train) == [row for u in sorted(expected) for row in expected[u][:-1]]


def test_of_equal_time_stamps_the_row_further_down_is_the_later():
    data = pd.DataFrame(
        [(1, i, 3, t) for i, t in [(1, 5), (2, 9), (3, 9), (4, 2)]], columns=ml.RATINGS
    )
    train, test = ml.split_data_ml100k(data, 1, 4, 'seq-aware')
    assert test.item_id.tolist() == [3] and train.item_id.tolist() == [4, 1, 2]
    train, valid, test = ml.temporal_split_ml100k(data, 0.25, 0.25)
    assert (test.item_id.tolist(), valid.item_id.tolist()) == ([3], [2])
    assert train.item_id.tolist() == [1, 4]


@pytest.mark.parametrize('valid_ratio, test_ratio', [(0.1, 0.1), (0, 0.3), (0.25, 0.05)])
def test_temporal_split_equals_its_definition(ratings, valid_ratio, test_ratio):
    train, valid, test = ml.temporal_split_ml100k(ratings, valid_ratio, test_ratio)
    wanted = set(), set(), set()
    for mine in later(ratings).values():
        end = len(mine) - max(1, int(len(mine) * test_ratio))
        start = end - (max(1, int(len(mine) * valid_ratio)) if valid_ratio else 0)
        for part, cut in zip(wanted, (mine[:start], mine[start:end], mine[end:])):
            part.update(cut)
    assert [set(rows(p)) for p in (train, valid, test)] == list(wanted)
    assert sum(map(len, wanted)) == N
    assert all(p.index.is_monotonic_increasing for p in (train, valid, test))


def test_three_way_random_split_is_a_partition(ratings):
    parts = ml.random_split_ml100k(ratings, 0.2, 0.1, seed=3)
    assert [len(p) for p in parts] == [210, 60, 30]
    assert sorted(sum([p.index.tolist() for p in parts], [])) == list(range(N))


@pytest.mark.parametrize('ratios', [(0.5, 0.5), (-0.1, 0.1), (0.1, 0), (0.9, 0.2)])
def test_impossible_shares_are_refused(ratings, ratios):
    for split in ml.random_split_ml100k, ml.temporal_split_ml100k:
        with pytest.raises(ValueError, match=f'test_ratio is {ratios[1]}'):
            split(ratings, *ratios)


def test_folds_are_the_fifths_in_file_order(ratings):
    seen = []
    for k in range(1, 6):
        train, test = ml.ml100k_fold(ratings, k)
        assert test.index.tolist() == list(range((k - 1) * 60, k * 60))
        assert sorted(train.index.tolist() + test.index.tolist()) == list(range(N))
        seen += test.index.tolist()
    assert seen == list(range(N))
    with pytest.raises(ValueError, match='no fold 0'):
        ml.ml100k_fold(ratings, 0)
    with pytest.raises(ValueError, match='299 rows are not'):
        ml.ml100k_fold(ratings[1:], 1)


def test_load_explicit(ratings):
    users, items, scores, inter = ml.load_data_ml100k(ratings, U, I)
    assert [users, items, scores] == [
        (ratings[c] - k).tolist() for c, k in [('user_id', 1), ('item_id', 1), ('rating', 0)]
    ]
    assert {type(v) for v in users + items + scores} == {int}
    wanted = np.zeros((I, U))
    for u, i, r, _ in rows(ratings):
        wanted[i - 1, u - 1] = r
    assert isinstance(inter, mx.np.ndarray) and inter.dtype == np.float32
    assert (inter.asnumpy() == wanted).all()


def test_load_implicit(ratings):
    users, items, scores, inter = ml.load_data_ml100k(ratings, U, I, 'implicit')
    assert scores == [1] * N
    wanted = {}
    for u, i, _, _ in rows(ratings):
        wanted.setdefault(u - 1, []).append(i - 1)
    assert inter == wanted


@pytest.mark.parametrize(
    'column, value, message',
    [
        (0, 0, 'Row 7 has the user id 0: give whole ids from 1 to 12'),
        (0, 13, 'user id 13'),
        (1, 31, 'item id 31'),
        (1, -1, 'item id -1'),
        (0, 2.5, 'user id 2.5'),
    ],
)
def test_ids_out_of_range_are_refused(ratings, column, value, message):
    bad = ratings.astype(float) if value == 2.5 else ratings.copy()
    bad.iloc[7, column] = value
    for call in ml.split_data_ml100k, ml.load_data_ml100k:
        with pytest.raises(ValueError, match=message):
            call(bad, U, I)


def test_unknown_words_are_refused(ratings, folder):
    with pytest.raises(ValueError, match="split_mode is 'rand'"):
        ml.split_data_ml100k(ratings, U, I, 'rand')
    with pytest.raises(ValueError, match="feedback is 'x'"):
        ml.load_data_ml100k(ratings, U, I, 'x')
    with pytest.raises(ValueError, match="split is 'seq-aware'"):
        ml.load_ml100k_ctr('seq-aware', folder=folder)


def test_split_and_load(hub, ratings):
    users, items, train_iter, test_iter = ml.split_and_load_ml100k(batch_size=50)
    train, test = ml.split_data_ml100k(ratings, U, I, 'seq-aware')
    assert (users, items) == (U, I)
    for loader, part in (train_iter, train), (test_iter, test):
        got = [np.concatenate(c) for c in zip(*([a.asnumpy() for a in b] for b in loader))]
        assert [a.dtype for a in got] == [np.int32, np.int32, np.float32]
        assert sorted(zip(*got)) == sorted((u - 1, i - 1, r) for u, i, r, _ in rows(part))
    assert [a.asnumpy().tolist() for a in next(iter(test_iter))][0] == list(range(U))


def band(age):
    for lower, name in [
        (56, '56 and over'),
        (50, '50-55'),
        (45, '45-49'),
        (35, '35-44'),
        (25, '25-34'),
        (18, '18-24'),
    ]:
        if age >= lower:
            return name
    return 'under 18'


@pytest.mark.parametrize('split', ['random', 'temporal'])
def test_ctr_view_equals_its_definition_row_by_row(folder, ratings, split):
    view = ml.load_ml100k_ctr(split, 0.2, 0.1, min_threshold=1, folder=folder)
    cut = ml.random_split_ml100k if split == 'random' else ml.temporal_split_ml100k
    parts = cut(ratings, 0.2, 0.1)
    ages = [int(line.split('|')[1]) for line in USERS]
    zips = [line.split('|')[4] for line in USERS]
    release = {0: datetime(1995, 1, 1), 1: datetime(1989, 12, 31), 3: datetime(1922, 2, 28)}

    def film_age(i, t):
        born = release.get(i % 4)
        when = datetime.fromtimestamp(t, timezone.utc).replace(tzinfo=None)
        return (when - born).total_seconds() / (365.25 * 86400) if born else math.nan

    known = [film_age(i, t) for _, i, _, t in rows(parts[0])]
    mean = np.nanmean(known)
    for data, part in zip((view.train, view.valid, view.test), parts):
        assert data.vocabulary is view.train.vocabulary and len(data) == len(part)
        for n, (u, i, r, t) in enumerate(rows(part)):
            when = datetime.fromtimestamp(t, timezone.utc)
            wanted = {
                'user': str(u),
                'item': str(i),
                'gender': 'MF'[u % 2],
                'age_band': band(ages[u - 1]),
                'occupation': 'baker',
                'region': zips[u - 1][0] if zips[u - 1][0].isdigit() else 'letter',
                'decade': ['1990s', '1980s', 'unknown', '1920s'][i % 4],
                'hour': str(when.hour),
                'weekday': when.strftime('%a'),
                **dict(zip(ml.GENRES, map(str, FLAGS[i]))),
            }
            for f, (name, word) in enumerate(wanted.items(), 1):  # new words have the last id
                if word not in view.train.feat_mapper[f]:
                    wanted[name] = None
            assert data.words(n) == wanted
            assert data.labels[n] == (r >= 4)
            age = film_age(i, t)
            np.testing.assert_allclose(
                data.dense[n],
                [
                    ages[u - 1],
                    mean if math.isnan(age) else age,
                    math.log(1 + (parts[0].user_id == u).sum()),
                    math.log(1 + (parts[0].item_id == i).sum()),
                ],
                rtol=1e-5,
            )
        assert data.dense.dtype == np.float32
        assert data.dense_names == ['age', 'film_age', 'log_user_count', 'log_item_count']


def test_ctr_view_lists_the_films_by_their_id(folder):
    view = ml.load_ml100k_ctr(min_threshold=8, folder=folder)
    counts = pd.Series(
        [int(view.train.words(n)['item'] or 0) for n in range(len(view.train))]
    ).value_counts()
    assert 0 < len(view.items) < I
    for row, (item, title, count) in view.items.iterrows():
        assert view.train.value_of(row) == ('item', str(item))
        assert view.train.id_of('item', item) == row
        assert title == f'Café no. {item}' and count == counts[item] >= 8
    assert view.items['count'].is_monotonic_decreasing
    assert 'MovieLensCTR(240 + 30 + 30 rows, 27 fields' in repr(view)


def test_ctr_view_keeps_raw_users_and_films_for_lists(folder):
    view = ml.load_ml100k_ctr(min_threshold=8, folder=folder)
    assert view.films.item.tolist() == view.items.item_id.tolist()
    assert view.films['count'].tolist() == view.items['count'].tolist()
    assert not view.users.isna().any().any() and view.users.user.is_unique
    train = view.train
    for pick in (view.users.iloc[[0]], view.users.iloc[[3, 1]]):
        pairs = pick.assign(key=1).merge(view.films.assign(key=1), on='key')
        data = train.encoder.encode(pairs, label=False)
        # the fields of a user and a film are those of their training rows
        for name in ('age_band', 'region', 'occupation', 'decade', 'Comedy'):
            f = train.field_names.index(name)
            of = 'user' if name in pick else 'item'
            own = {row[train.field_names.index(of)]: row[f] for row in train.features}
            for row in data.features:
                assert row[f] == own.get(row[train.field_names.index(of)], row[f])
    frame = ml.read_ml100k(folder).ratings
    random = ml.random_split_ml100k(frame)[0]
    for _, row in view.users.head(5).iterrows():
        mine = random[random.user_id == row.user]
        hour = pd.to_datetime(mine.timestamp.max(), unit='s').hour
        assert row.hour == hour and row.log_user_count == np.log1p(len(mine))


def test_lists_by_name_are_those_by_ids(folder):
    view = ml.load_ml100k_ctr(min_threshold=8, folder=folder)
    train = view.train
    two = train.only(['item', 'user'])
    assert two.field_names == ['item', 'user'] and two.dense_names == train.dense_names
    for part in (train, view.test):
        some = part.only(['item', 'user'])
        assert [some.words(n) for n in range(9)] == [
            {name: part.words(n)[name] for name in ('item', 'user')} for n in range(9)
        ]
    user = view.users.iloc[[2]]
    for data in (train, two):
        net = randomize(d2l.FM(data.field_dims, 3))
        got = d2l.recommend(net, user, 5, seen=data, items=view.films, name='title')
        rows = pd.concat([user.loc[user.index.repeat(len(view.films))].reset_index(drop=True),
                          view.films.reset_index(drop=True)], axis=1)  # fmt: skip
        scores = d2l.predict(net, data.encoder.encode(rows, label=False))
        f, g = data.field_names.index('user'), data.field_names.index('item')
        mine = data.features[:, f] == data.id_of('user', str(user.user.iloc[0]))
        seen = {data.value_of(int(i))[1] for i in data.features[mine, g]}
        scores[[str(i) in seen for i in view.films.item]] = -1
        best = np.argsort(-scores, kind='stable')[:5]
        assert got.item.tolist() == view.films.item.iloc[best].tolist()
        np.testing.assert_allclose(got.score, scores[best], rtol=1e-5)
    for wrong in ([], ['item', 'item'], 'item', ['no']):
        with pytest.raises(ValueError):
            train.only(wrong)
    crossed = d2l.Crosses(two, [('item', 'user')], 1).apply(two)
    with pytest.raises(ValueError, match='before these'):
        crossed.only(['item'])


def test_ctr_view_is_seeded(folder):
    first, again, other = (ml.load_ml100k_ctr(seed=s, folder=folder) for s in (0, 0, 1))
    assert (first.test.features == again.test.features).all()
    assert (
        first.test.labels.tolist() != other.test.labels.tolist()
        or (first.test.dense != other.test.dense).any()
    )


def test_columns_are_found_by_their_names(ratings):
    turned = ratings[['timestamp', 'rating', 'item_id', 'user_id']]
    assert ml.load_data_ml100k(turned, U, I)[:3] == ml.load_data_ml100k(ratings, U, I)[:3]
    plain = ratings.set_axis(list('abcd'), axis=1)  # else by their place
    assert ml.load_data_ml100k(plain, U, I)[:3] == ml.load_data_ml100k(ratings, U, I)[:3]
    for mode in 'random', 'seq-aware':
        for part, other in zip(
            ml.split_data_ml100k(turned, U, I, mode), ml.split_data_ml100k(ratings, U, I, mode)
        ):
            assert (part.index == other.index).all()
    parts = zip(ml.temporal_split_ml100k(turned), ml.temporal_split_ml100k(ratings))
    assert all((part.index == other.index).all() for part, other in parts)


def test_half_stars_are_kept(ratings):
    stars = ratings.assign(rating=ratings.rating - 0.5)
    users, items, scores, inter = ml.load_data_ml100k(stars, U, I)
    assert scores == stars.rating.tolist() and {type(s) for s in scores} == {float}
    assert inter.asnumpy()[items[0], users[0]] == scores[0]
    whole = ml.load_data_ml100k(ratings.assign(rating=ratings.rating.astype(float)), U, I)[2]
    assert whole == ratings.rating.tolist() and {type(s) for s in whole} == {int}


def test_one_rating_twice_is_refused(ratings):
    twice = pd.concat([ratings, ratings[:1].assign(rating=2)])
    with pytest.raises(ValueError, match='twice: keep one rating a pair'):
        ml.load_data_ml100k(twice, U, I)


@pytest.mark.parametrize(
    'change, words',
    [
        (
            lambda r: r.assign(rating=r.rating.where(r.index != 4)),
            'Row 4 has the rating nan: give a',
        ),
        (lambda r: r.assign(rating=r.timestamp), 'Row 0 has the rating .*looks like a time stamp'),
        (
            lambda r: r[['user_id', 'item_id', 'timestamp', 'rating']].set_axis(
                list('abcd'), axis=1
            ),
            'looks like a time stamp: give the columns user_id, item_id, rating, timestamp',
        ),
        (lambda r: r.assign(user_id='u' + r.user_id.astype(str)), "Row 0 has the user id 'u"),
        (lambda r: r.assign(item_id=r.item_id.where(r.index != 2)), 'Row 2 has the item id nan'),
        (lambda r: r.iloc[:, :2].set_axis(list('ab'), axis=1), "have 2 columns and 'rating' would"),
        (lambda r: [1, 2], 'the ratings are a list'),
    ],
)
def test_ratings_that_cannot_be_loaded(ratings, change, words):
    with pytest.raises(ValueError, match=words) as refusal:
        ml.load_data_ml100k(change(ratings), U, I)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'change, words',
    [
        (lambda r: r.drop(columns='timestamp'), "no column 'timestamp': give time stamps"),
        (lambda r: r.iloc[:, :3].set_axis(list('abc'), axis=1), "'timestamp' would be number 4"),
        (lambda r: r.assign(timestamp=r.timestamp.where(r.index != 3)), 'Row 3 has the timestamp'),
        (lambda r: r.assign(timestamp=pd.NaT), 'Row 0 has no timestamp'),
        (lambda r: r.assign(user_id='x'), "Row 0 has the user id 'x'"),
    ],
)
def test_a_split_by_time_needs_times(ratings, change, words):
    with pytest.raises(ValueError, match=words):
        ml.temporal_split_ml100k(change(ratings))


def test_times_may_be_dates(ratings):
    dates = ratings.assign(timestamp=pd.to_datetime(ratings.timestamp, unit='s'))
    parts = zip(ml.temporal_split_ml100k(dates), ml.temporal_split_ml100k(ratings))
    assert all((part.index == other.index).all() for part, other in parts)


@pytest.mark.parametrize('limit', [0, None, 2.5, True, '3'])
def test_numbers_of_users_are_whole(ratings, limit):
    with pytest.raises(ValueError, match='num_users is'):
        ml.load_data_ml100k(ratings, limit, I)


@pytest.mark.parametrize(
    'name, line, old, new, words',
    [
        (
            'u.data',
            3,
            '\t',
            ' ',
            r'line 3: there are . columns where 4 are expected: user_id, item',
        ),
        (
            'u.data',
            5,
            None,
            '1\t2\t6\t880000000',
            "line 5: the rating is '6', which should be 1 to 5",
        ),
        ('u.data', 5, None, '1\t2\t-5\t880000000', "the rating is '-5', which should be a whole"),
        ('u.data', 5, None, '1\t2\t3\t8800', "line 5: the timestamp is '8800'"),
        ('u.data', 5, None, 'x\t2\t3\t880000000', "line 5: the user_id is 'x'"),
        ('u.data', 5, None, '1\t2\t3\t' + '9' * 400, "line 5: the timestamp is '9999"),
        (
            'u.data',
            5,
            None,
            '99\t2\t3\t880000000',
            'has the user id 99: give whole ids from 1 to 12',
        ),
        ('u.data', 5, None, '', 'line 5: there are 1 columns'),
        ('u.user', 2, '2|17', '2|-5', "line 2: the age is '-5'"),
        ('u.user', 2, '2|17', '2|500', "line 2: the age is '500'"),
        ('u.user', 2, '|M|', '|0|', "line 2: the gender is '0', which should be M or F"),
        ('u.user', 2, '2|', '1|', "line 2: the user_id is '1', which should be given once"),
        ('u.user', 2, '2|', '77|', "line 2: the user_id is '77', which should be 1 to 12"),
        ('u.item', 4, '4|', 'four|', "line 4: the item_id is 'four'"),
        ('u.item', 4, '1-Jan-1995', '1995', "line 4: the release date is '1995'"),
        ('u.item', 4, '1-Jan-1995', '99-Foo-1995', "line 4: the release date is '99-Foo-1995'"),
        ('u.item', 4, '1-Jan-1995', '01-Jan-0001', "line 4: the release date is '01-Jan-0001'"),
        ('u.item', 4, '|0|', '|5|', "line 4: the unknown is '5'"),
    ],
)
def test_a_damaged_folder_is_refused_by_file_and_line(
    folder, tmp_path, name, line, old, new, words
):
    for one in ('u.data', 'u.user', 'u.item'):
        shutil.copy(folder / one, tmp_path)
    lines = (tmp_path / name).read_text('latin-1').split('\n')
    lines[line - 1] = new if old is None else lines[line - 1].replace(old, new, 1)
    (tmp_path / name).write_text('\n'.join(lines), encoding='latin-1')
    with pytest.raises(ValueError, match=words) as refusal:
        ml.load_ml100k_ctr(folder=tmp_path)
    assert '\n' not in str(refusal.value)
    if 'user id 99' not in words:
        assert str(tmp_path / name) in str(refusal.value)


def test_a_pair_rated_twice_is_refused_by_its_line(folder, tmp_path):
    for one in ('u.user', 'u.item'):
        shutil.copy(folder / one, tmp_path)
    lines = (folder / 'u.data').read_text().split('\n')
    (tmp_path / 'u.data').write_text('\n'.join([*lines[:9], lines[2], *lines[9:]]))
    with pytest.raises(ValueError, match=r'u\.data, line 10: user \d+ rated item \d+ twice'):
        ml.read_ml100k(tmp_path)


@pytest.mark.parametrize('name', ['u.data', 'u.user', 'u.item'])
def test_an_empty_file_is_refused(folder, tmp_path, name):
    for one in ('u.data', 'u.user', 'u.item'):
        shutil.copy(folder / one, tmp_path)
    (tmp_path / name).write_text('')
    with pytest.raises(ValueError, match='is empty: give lines of'):
        ml.load_ml100k_ctr(folder=tmp_path)


def test_damaged_folders_are_refused_or_sound(folder, tmp_path):
    rng = random.Random(0)
    for _ in range(60):
        for one in ('u.data', 'u.user', 'u.item'):
            shutil.copy(folder / one, tmp_path)
        path = tmp_path / rng.choice(['u.data', 'u.user', 'u.item'])
        content = bytearray(path.read_bytes())
        at = rng.randrange(len(content))
        if rng.random() < 0.3:
            content = content[:at]
        else:
            content[at : at + rng.randint(0, 3)] = bytes(rng.choices(b'0159-|\t\nx', k=2))
        path.write_bytes(content)
        try:
            view = ml.load_ml100k_ctr(folder=tmp_path)
        except ValueError as refusal:
            assert '\n' not in str(refusal)
            continue
        assert np.isfinite(view.train.dense).all() and view.train.dense.min() > -5
