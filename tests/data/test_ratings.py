"""Ratings one by one and as rows: half stars kept, ids in range, a pair rated once."""

import zipfile

import d2lrec as d2l
from d2lrec.data import RatingRows, Ratings, concat
from d2lrec.data.columns import check_columns
from d2lrec.models import MF, AutoRec

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            'rating': [0.5, 3.5, 4, 5],
            'user_id': [1, 2, 2, 3],
            'timestamp': [9, 8, 7, 6],
            'item_id': [4, 1, 4, 2],
        }
    )


def test_a_frame_is_read_by_names_and_ids_count_from_0(frame):
    ratings = Ratings.from_frame(frame)
    assert ratings.users.tolist() == [0, 1, 1, 2] and ratings.items.tolist() == [3, 0, 3, 1]
    assert ratings.ratings.tolist() == [0.5, 3.5, 4, 5] and ratings.ratings.dtype == np.float32
    assert ratings.users.dtype == ratings.items.dtype == np.int32
    assert repr(ratings) == 'Ratings(4 ratings of 4 items by 3 users)'
    other = frame.rename(columns={'user_id': 'u', 'item_id': 'i', 'rating': 'stars'})
    again = Ratings.from_frame(other, 'u', 'i', 'stars', num_users=7, num_items=9)
    assert (again.users == ratings.users).all() and (again.num_users, again.num_items) == (7, 9)


@pytest.mark.parametrize('by', ['item', 'user'])
def test_rows_hold_each_rating_where_it_belongs(frame, by):
    ratings = Ratings.from_frame(frame, num_items=5)
    rows = ratings.rows(by)
    dense, mask = rows.columns['rows'], rows.columns['mask']
    assert dense.shape == mask.shape == ((5, 3) if by == 'item' else (3, 5))
    assert mask.sum() == 4 and dense.sum() == 13 and rows.labels is None and rows.by == by
    for u, i, r in zip(ratings.users, ratings.items, ratings.ratings):
        where = (i, u) if by == 'item' else (u, i)
        assert dense[where] == r and mask[where] == 1


def test_slices_and_joins(frame):
    ratings = Ratings.from_frame(frame)
    part = ratings[ratings.ratings > 3]
    assert len(part) == 3 and part.num_items == 4 and part.rows().columns['rows'].shape == (4, 3)
    whole = concat([ratings[:1], ratings[1:]])
    assert (whole.users == ratings.users).all() and (whole.ratings == ratings.ratings).all()
    with pytest.raises(ValueError, match='cannot follow'):
        concat([ratings, Ratings.from_frame(frame, num_users=9)])
    rows = ratings.rows()
    assert len(rows[1:3]) == 2 and rows[1:3].by == 'item'


def test_the_models_read_them(frame):
    ratings = Ratings.from_frame(frame)
    mf = MF(3, ratings.num_users, ratings.num_items)
    assert len(check_columns(ratings, mf.inputs, mf.ranges)) == 4
    net = AutoRec(2, ratings.num_users)
    rows = ratings.rows('item')
    assert rows.columns['rows'].shape[1] == next(iter(net.input_shapes(1)))[1]


REFUSALS = [
    (lambda f: Ratings([0, 2], [0, 0], [1, 2], num_users=2), r'users\[1\] is 2, outside .* 0 to 1'),
    (lambda f: Ratings([0], [-1], [1]), r'items\[0\] is -1'),
    (lambda f: Ratings([0.5], [0], [1]), r'users\[0\] is 0.5: ids are whole'),
    (lambda f: Ratings([np.nan], [0], [1]), r'users\[0\] is nan'),
    (lambda f: Ratings([0], [0], [np.nan]), r'ratings\[0\] is nan'),
    (lambda f: Ratings([0, 1], [0, 0], [1]), 'unequal numbers of rows'),
    (lambda f: Ratings([0], [0], [1], num_users=0), 'num_users is 0'),
    (lambda f: Ratings([0], [0], [1], num_items=2.5), 'num_items is 2.5'),
    (lambda f: Ratings(['a'], [0], [1]), 'users has shape'),
    (lambda f: Ratings([0, 1, 0], [2, 0, 2], [1, 2, 3]).rows(), 'user 0 rated item 2 twice'),
    (lambda f: Ratings([0], [0], [1]).rows('film'), "by is 'film'"),
    (lambda f: Ratings.from_frame(f, user='who'), "no column 'who': it has rating, user_id"),
    (lambda f: Ratings.from_frame(f.assign(user_id=0)), 'Row 0 has the user id 0: give whole ids'),
    (lambda f: Ratings.from_frame(f, num_items=3), 'item id 4: give whole ids from 1 to 3'),
    (
        lambda f: Ratings.from_frame(f.assign(user_id=list('abcd'))),
        "Row 0 has the user id 'a': number them first, by pandas.factorize",
    ),
    (lambda f: Ratings.from_frame(f.assign(rating=[1, None, 2, 3])), 'Row 1 has the rating nan'),
    (lambda f: Ratings.from_frame(f.assign(item_id=[1, 2.5, 3, 4])), 'Row 1 has the item id 2.5'),
    (lambda f: Ratings.from_frame([1]), 'the ratings are a list'),
    (lambda f: RatingRows([[1, 2]], [[1]]), 'give matrices of one shape'),
    (lambda f: RatingRows([1, 2], [1, 1]), 'give matrices of one shape'),
    (lambda f: RatingRows([[1, 2]], [[1, 3]]), 'mask has other numbers than 0 and 1'),
    (lambda f: RatingRows([[1, np.nan]], [[1, 1]]), r'rows\[0, 1\] is nan'),
    (lambda f: RatingRows([[1]], [[1]], 'x'), "by is 'x'"),
]


@pytest.mark.parametrize('case', range(len(REFUSALS)))
def test_refusals_say_what_where_and_what_to_do(frame, case):
    call, words = REFUSALS[case]
    with pytest.raises(ValueError, match=words) as refusal:
        call(frame)
    assert '\n' not in str(refusal.value)


def test_rows_carry_another_target_at_the_same_places():
    stars = Ratings([0, 1, 1], [1, 0, 2], [5, 3, 1], 2, 4)
    rest = Ratings([0, 1, 1], [1, 0, 2], [0.5, 0, -1.5], 2, 4)
    for by, order in (('item', (1, 0)), ('user', (0, 1))):
        rows = stars.rows(by, target=rest)
        assert list(rows.columns) == ['rows', 'mask', 'target']
        for u, i, one, other in zip(stars.users, stars.items, stars.ratings, rest.ratings):
            where = tuple(np.array([u, i])[list(order)])
            assert rows.columns['rows'][where] == one and rows.columns['target'][where] == other
        assert np.count_nonzero(rows.columns['target']) == 2
        assert rows[:1].columns['target'].shape == rows[:1].columns['rows'].shape
    assert list(stars.rows().columns) == ['rows', 'mask']
    with pytest.raises(ValueError, match='one for each of these 3 ratings'):
        stars.rows(target=rest[:2])
    with pytest.raises(ValueError, match='give matrices of one shape'):
        RatingRows([[1, 2]], [[1, 0]], 'item', [[1]])


@pytest.mark.parametrize('at', range(0, 260, 9))
def test_a_damaged_archive_of_ratings_is_refused_or_read_as_it_was(tmp_path, at):
    path = tmp_path / 'ml.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('ml/ratings.dat', '1::2::5::978300760\n2::1::3::978300761\n' * 1)
        archive.writestr('ml/movies.dat', '1::A::Drama\n2::B::War|Drama\n')
    clean, data = d2l.read_ratings(path).frame, bytearray(path.read_bytes())
    data[at % len(data)] ^= 8
    path.write_bytes(data)
    try:
        found = d2l.read_ratings(path).frame
    except ValueError as refusal:
        assert '\n' not in str(refusal)
    else:  # a name, a time, or an attribute of a member
        assert found[['user', 'item', 'rating']].equals(clean[['user', 'item', 'rating']])
