"""MovieLens-100K in the views that the book needs.

The data are those of Harper and Konstan, "The MovieLens Datasets: History and Context" (2015).
Ids of users and items count from 1, as in the files; time stamps are seconds since 1970 in UTC.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
import pandas as pd

from ..arguments import check_real, check_seed, shown
from .batches import BatchLoader
from .ctr import CTRDataset
from .hub import download_extract
from .ratings import Ratings, check_pairs, ids_from_1, numbers
from .splits import check_one_unit

__all__ = [
    'MovieLens',
    'MovieLensCTR',
    'load_data_ml100k',
    'load_ml100k_ctr',
    'ml100k_fold',
    'random_split_ml100k',
    'read_data_ml100k',
    'read_ml100k',
    'split_and_load_ml100k',
    'split_data_ml100k',
    'temporal_split_ml100k',
]

GENRES = [
    'Action',
    'Adventure',
    'Animation',
    "Children's",
    'Comedy',
    'Crime',
    'Documentary',
    'Drama',
    'Fantasy',
    'Film-Noir',
    'Horror',
    'Musical',
    'Mystery',
    'Romance',
    'Sci-Fi',
    'Thriller',
    'War',
    'Western',
]
RATINGS = ['user_id', 'item_id', 'rating', 'timestamp']
AGES = {
    0: 'under 18',
    18: '18-24',
    25: '25-34',
    35: '35-44',
    45: '45-49',
    50: '50-55',
    56: '56 and over',
}  # the bands of MovieLens-1M
WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']


@dataclass(frozen=True, eq=False)
class MovieLens:
    """The three tables of MovieLens-100K.

    Attributes
    ----------
    ratings : DataFrame user_id, item_id, rating (1-5), timestamp; in the row order of u.data
    users : DataFrame user_id, age (years), gender, occupation, zip_code (text)
    items : DataFrame item_id, title, release_date (NaT where unknown), unknown, 18 genres (0/1)

    Examples
    --------
    >>> import pandas as pd
    >>> users = pd.DataFrame({'user_id': [1], 'age': [24]})
    >>> MovieLens(users, users, users)
    MovieLens(1 ratings, 1 users, 1 items)
    """

    ratings: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame

    def __repr__(self):
        return (
            f'MovieLens({len(self.ratings):,} ratings, {len(self.users):,} users, '
            f'{len(self.items):,} items)'
        )


def read_ml100k(folder: Union[str, os.PathLike, None] = None) -> MovieLens:
    """Read the three tables, as `MovieLens`; fetched where `folder` is not given.

    Raises
    ------
    ValueError
        Where a line of u.data, u.user or u.item in `folder` is not as in MovieLens-100K: numbers
        of columns, ids from 1 without gaps, ratings 1-5, ages, genders M and F, dates, 0 or 1
        for the genres, one rating a pair; with file and line.

    Examples
    --------
    >>> read_ml100k('no such folder')
    Traceback (most recent call last):
    ...
    FileNotFoundError: ...
    """
    folder = folder or download_extract('ml-100k')
    if not os.path.exists(os.path.join(folder, 'u.user')):
        raise FileNotFoundError(
            f'{folder} has no file u.user, so that it is not MovieLens-100K: ratings of another '
            'form, ml-1m or ml-latest-small say, are read by d2l.read_ratings(folder).'
        )
    users = _read_users(os.path.join(folder, 'u.user'))
    items = _read_items(os.path.join(folder, 'u.item'))
    return MovieLens(_read_ratings(os.path.join(folder, 'u.data')), users, items)


def read_data_ml100k() -> tuple[pd.DataFrame, int, int]:
    """Return the ratings in the row order of u.data, the number of users and that of items.

    Examples
    --------
    After a first fetch it needs no network.

    >>> import inspect
    >>> list(inspect.signature(read_data_ml100k).parameters)
    []
    """
    data = _read_ratings(os.path.join(download_extract('ml-100k'), 'u.data'))
    return data, int(data.user_id.max()), int(data.item_id.max())


FIRST_TIME, LAST_TIME = 788_918_400, 4_102_444_800  # 1995, before MovieLens began, and 2100


def _read_ratings(path):
    columns = _cells(path, '\t', RATINGS)
    table = pd.DataFrame(
        {
            'user_id': _whole(path, columns, 'user_id', 1, 10**7),
            'item_id': _whole(path, columns, 'item_id', 1, 10**7),
            'rating': _whole(path, columns, 'rating', 1, 5),
            'timestamp': _whole(path, columns, 'timestamp', FIRST_TIME, LAST_TIME),
        }
    )
    try:
        check_pairs(table.user_id.to_numpy(), table.item_id.to_numpy())
    except ValueError as error:
        line = int(np.argmax(table.duplicated(['user_id', 'item_id']))) + 1
        raise ValueError(f'{path}, line {line}: {error}') from None
    return table


def _read_users(path):
    columns = _cells(path, '|', ['user_id', 'age', 'gender', 'occupation', 'zip_code'])
    users = pd.DataFrame(
        {
            'user_id': _numbered(path, columns, 'user_id'),
            'age': _whole(path, columns, 'age', 1, 120),
            'gender': columns['gender'],
            'occupation': columns['occupation'],
            'zip_code': columns['zip_code'],
        }
    )
    _check(path, 'gender', columns['gender'], [g in ('M', 'F') for g in users.gender], 'M or F')
    return users


def _read_items(path):
    names = ['item_id', 'title', 'release_date', 'video', 'url', 'unknown', *GENRES]
    columns = _cells(path, '|', names)
    dates = pd.to_datetime(pd.Series(columns['release_date']), format='%d-%b-%Y', errors='coerce')
    plain = [
        d == '' or re.fullmatch(r'\d{1,2}-[A-Z][a-z]{2}-(18|19|20)\d\d', d)
        for d in columns['release_date']
    ]
    read = dates.notna().to_numpy() | (np.array(columns['release_date'], object) == '')
    good = [bool(p and r) for p, r in zip(plain, read)]
    _check(path, 'release date', columns['release_date'], good, 'a day such as 01-Jan-1995')
    return pd.DataFrame(
        {
            'item_id': _numbered(path, columns, 'item_id'),
            'title': columns['title'],
            'release_date': dates,
            **{name: _whole(path, columns, name, 0, 1) for name in ['unknown', *GENRES]},
        }
    )


def _cells(path, separator, names):
    """{name: the cells of the column} of a file with so many columns in every line."""
    with open(path, encoding='latin-1') as file:
        lines = file.read().split('\n')
    if lines[-1] == '':
        lines.pop()
    if not lines:
        raise ValueError(f'{path} is empty: give lines of {", ".join(names)}.')
    rows = [line.split(separator) for line in lines]
    for i, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise ValueError(
                f'{path}, line {i}: there are {len(row)} columns where {len(names)} are '
                f'expected: {", ".join(names[:5])}{" and so on" if len(names) > 5 else ""}.'
            )
    return dict(zip(names, map(list, zip(*rows))))


def _whole(path, columns, name, first, last):
    """A column of whole numbers from `first` to `last`, as int64."""
    cells = columns[name]
    good = [c.isdigit() and c.isascii() and len(c) < 19 for c in cells]
    _check(path, name, cells, good, f'a whole number from {first} to {last}')
    found = np.array(cells, dtype=np.int64)
    _check(path, name, cells, (first <= found) & (found <= last), f'{first} to {last}')
    return found


def _numbered(path, columns, name):
    """A column of ids that are 1 to the number of lines, each once."""
    ids, count = _whole(path, columns, name, 1, len(columns[name])), len(columns[name])
    _, first = np.unique(ids, return_index=True)
    again = np.ones(count, bool)
    again[first] = False
    _check(path, name, columns[name], ~again, 'given once')
    return ids


def _check(path, name, cells, good, wanted):
    """Refuse a cell that is not good, with its line."""
    if not np.all(good):
        line = int(np.argmin(good))
        raise ValueError(
            f'{path}, line {line + 1}: the {name} is {cells[line][:40]!r}, which should be '
            f'{wanted}.'
        )


def split_data_ml100k(
    data: pd.DataFrame,
    num_users: int,
    num_items: int,
    split_mode: str = 'random',
    test_ratio: float = 0.1,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split ratings into a training and a test part.

    'random' holds out `test_ratio` of the rows, drawn with `seed`, and leaves both parts in
    the order of `data`.  'seq-aware' holds out each user's last rating; of ratings with the
    same time stamp the one further down in `data` counts as the later.  Its training part is
    ordered by user and time.

    Returns two frames, with the index of `data`.  Raises ValueError for ids out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         'user_id': [1, 1, 2, 2],
    ...         'item_id': [1, 2, 1, 2],
    ...         'rating': [4, 2, 5, 3.5],
    ...         'timestamp': [9, 8, 7, 6],
    ...     }
    ... )
    >>> train, test = split_data_ml100k(frame, 2, 2, 'seq-aware')
    >>> test.index.tolist()  # each user's last
    [0, 2]
    """
    _check_ids(data, num_users, num_items)
    if isinstance(split_mode, str) and split_mode == 'random':
        train, _, test = random_split_ml100k(data, 0, test_ratio, seed)
        return train, test
    if not isinstance(split_mode, str) or split_mode != 'seq-aware':
        raise ValueError(f"split_mode is {shown(split_mode)}: choose 'random' or 'seq-aware'.")
    order, from_end, _ = _by_user_and_time(data)
    return data.iloc[order[from_end > 0]], data.iloc[order[from_end == 0]]


def random_split_ml100k(
    data: pd.DataFrame, valid_ratio: float = 0.1, test_ratio: float = 0.1, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training, validation and test part of the rows, drawn with `seed`, in their order.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         'user_id': [1, 1, 2, 2],
    ...         'item_id': [1, 2, 1, 2],
    ...         'rating': [4, 2, 5, 3.5],
    ...         'timestamp': [9, 8, 7, 6],
    ...     }
    ... )
    >>> [len(part) for part in random_split_ml100k(frame, 0.25, 0.25)]
    [2, 1, 1]
    """
    _check_ratios(valid_ratio, test_ratio)
    _check_frame(data)
    order = np.random.RandomState(check_seed(seed)).permutation(len(data))
    test, valid = round(len(data) * test_ratio), round(len(data) * valid_ratio)
    cuts = [order[test + valid :], order[test : test + valid], order[:test]]
    return tuple(data.iloc[np.sort(rows)] for rows in cuts)


def temporal_split_ml100k(
    data: pd.DataFrame, valid_ratio: float = 0.1, test_ratio: float = 0.1
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Training, validation and test part, by time within each user.

    The last `test_ratio` of a user's ratings (rounded down, at least one) are for testing,
    the `valid_ratio` before them for validation (none where it is 0).  Of ratings with the
    same time stamp the one further down in `data` counts as the later.  The parts keep the
    order of `data`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         'user_id': [1, 1, 2, 2],
    ...         'item_id': [1, 2, 1, 2],
    ...         'rating': [4, 2, 5, 3.5],
    ...         'timestamp': [9, 8, 7, 6],
    ...     }
    ... )
    >>> [part.index.tolist() for part in temporal_split_ml100k(frame, 0, 0.5)]
    [[1, 3], [], [0, 2]]
    """
    _check_ratios(valid_ratio, test_ratio)
    order, from_end, counts = _by_user_and_time(data)
    test = np.maximum(1, (counts * test_ratio).astype(int))
    valid = test + (np.maximum(1, (counts * valid_ratio).astype(int)) if valid_ratio else 0)
    cuts = [from_end >= valid, (from_end >= test) & (from_end < valid), from_end < test]
    return tuple(data.iloc[np.sort(order[cut])] for cut in cuts)


def ml100k_fold(data: pd.DataFrame, k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test part of the official fold k, 1 to 5, of the whole of u.data.

    Fold k's test part is the k-th fifth of the rows in file order, the rule by which GroupLens
    made u1.test to u5.test (those files hold the same rows sorted by user and item).

    Examples
    --------
    >>> import pandas as pd
    >>> train, test = ml100k_fold(pd.DataFrame({'rating': range(10)}), 1)
    >>> test.index.tolist()
    [0, 1]
    """
    if not isinstance(k, (int, np.integer)) or k not in range(1, 6):
        raise ValueError(f'There is no fold {shown(k)}: choose 1 to 5.')
    _check_frame(data)
    if len(data) == 0 or len(data) % 5:
        raise ValueError(
            f'The folds are fifths of the whole of u.data, and {len(data)} rows '
            'are not: give what read_data_ml100k returned.'
        )
    size = len(data) // 5
    inside = np.arange(len(data)) // size == k - 1
    return data[~inside], data[inside]


def load_data_ml100k(
    data: pd.DataFrame, num_users: int, num_items: int, feedback: str = 'explicit'
) -> tuple[list, list, list, Any]:
    """Ratings as lists and as a matrix.

    Parameters
    ----------
    data : DataFrame
        Its columns are found as user_id, item_id and rating, or else by their place; ids from 1.
    num_users, num_items : int
    feedback : {'explicit', 'implicit'}
        Whether scores are the stars, or 1 for each pair that was rated.

    Returns
    -------
    users, items : lists of int, ids from 0
    scores : list
        Of int where all ratings are whole, else of float; 1 where feedback is 'implicit'.
    inter : mxnet.numpy.ndarray (I, U) float32, or dict
        0 where there is no rating; where feedback is 'implicit', {user: items} instead.

    Raises
    ------
    ValueError
        For ids out of range, a rating that is missing or looks like a time stamp, with its
        row (from 0), or a pair that is rated twice.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         'user_id': [1, 1, 2, 2],
    ...         'item_id': [1, 2, 1, 2],
    ...         'rating': [4, 2, 5, 3.5],
    ...         'timestamp': [9, 8, 7, 6],
    ...     }
    ... )
    >>> users, items, scores, inter = load_data_ml100k(frame, 2, 2)
    >>> scores, inter.tolist()
    ([4.0, 2.0, 5.0, 3.5], [[4.0, 5.0], [2.0, 3.5]])
    """
    if not isinstance(feedback, str) or feedback not in ('explicit', 'implicit'):
        raise ValueError(f"feedback is {shown(feedback)}: choose 'explicit' or 'implicit'.")
    users, items = _check_ids(data, num_users, num_items)
    users, items = users - 1, items - 1
    if feedback == 'implicit':
        scores, inter = np.ones(len(data), int), {}
        for u, i in zip(users.tolist(), items.tolist()):
            inter.setdefault(u, []).append(i)
    else:
        scores = _scores(data)
        check_pairs(users, items, 1)  # a matrix has one place for each
        matrix = np.zeros((num_items, num_users), np.float32)
        matrix[items, users] = scores
        inter = mx.np.array(matrix, dtype='float32')
    return users.tolist(), items.tolist(), scores.tolist(), inter


def _scores(data):
    """The ratings: int64 where all are whole, else float64."""
    scores = numbers(_column(data, 'rating'), 'rating')
    odd = np.abs(scores) > 100
    if odd.any():
        row = int(np.argmax(odd))
        raise ValueError(
            f'Row {row} has the rating {scores[row]:g}, which looks like a time stamp: give the '
            'columns user_id, item_id, rating, timestamp, by these names or in this order.'
        )
    return scores.astype(int) if (scores == np.floor(scores)).all() else scores


def split_and_load_ml100k(
    split_mode: str = 'seq-aware',
    feedback: str = 'explicit',
    test_ratio: float = 0.1,
    batch_size: int = 256,
    seed: int = 0,
) -> tuple[int, int, BatchLoader, BatchLoader]:
    """Return the numbers of users and items, and loaders of the training and the test part.

    A batch is users (B,) int32, items (B,) int32 and scores (B,) float32.

    Parameters
    ----------
    split_mode, test_ratio : as in `split_data_ml100k`
    feedback : {'explicit', 'implicit'}
        Whether scores are the stars, or 1 for each pair that was rated.
    batch_size : int
    seed : int
        Of the split, and of the order of the training batches.

    Examples
    --------
    >>> split_and_load_ml100k(feedback='thumbs')
    Traceback (most recent call last):
    ...
    ValueError: feedback is 'thumbs': choose 'explicit' or 'implicit'.
    """
    if feedback not in ('explicit', 'implicit'):
        raise ValueError(f"feedback is {shown(feedback)}: choose 'explicit' or 'implicit'.")
    data, num_users, num_items = read_data_ml100k()
    loaders = []
    for part in split_data_ml100k(data, num_users, num_items, split_mode, test_ratio, seed):
        users, items, scores, _ = load_data_ml100k(part, num_users, num_items, feedback)
        ratings = Ratings(users, items, scores, num_users, num_items)
        loaders.append(
            BatchLoader(
                ratings.users,
                ratings.items,
                ratings.ratings,
                batch_size=batch_size,
                shuffle=not loaders,
                seed=seed,
            )
        )
    return num_users, num_items, *loaders


@dataclass(frozen=True, eq=False)
class MovieLensCTR:
    """MovieLens-100K as click data: three parts that share the training part's vocabulary.

    Attributes
    ----------
    train, valid, test : CTRDataset, each with `dense` (N, D) and `dense_names`
    items : DataFrame item_id, title, count (ratings in the training part)
        Its index is the item's id. Films below the threshold are not in it.
    users, films : DataFrame
        What `recommend` asks for: a row for each user and each of these films, with the raw values
        of the fields and dense features that are theirs. The context (hour, weekday) is that of the
        user's latest rating in the training part, `film_age` that at the end of it.
        `films` has the title and the count, too.

    Examples
    --------
    >>> import pandas as pd
    >>> from d2lrec import CTRDataset
    >>> part = CTRDataset(pd.DataFrame({'label': [1, 0], 'user': [7, 8]}), min_threshold=1)
    >>> MovieLensCTR(part, part, part, pd.DataFrame())
    MovieLensCTR(2 + 2 + 2 rows, 1 fields, 3 features, share liked 0.500)
    """

    train: CTRDataset
    valid: CTRDataset
    test: CTRDataset
    items: pd.DataFrame
    users: Optional[pd.DataFrame] = None
    films: Optional[pd.DataFrame] = None

    def __repr__(self):
        rows = ' + '.join(f'{len(part):,}' for part in (self.train, self.valid, self.test))
        return (
            f'MovieLensCTR({rows} rows, {self.train.NUM_FEATS} fields, '
            f'{self.train.field_dims.sum():,} features, share liked '
            f'{self.train.labels.mean():.3f})'
        )


def load_ml100k_ctr(
    split: str = 'random',
    valid_ratio: float = 0.1,
    test_ratio: float = 0.1,
    min_threshold: float = 4,
    seed: int = 0,
    folder: Union[str, os.PathLike, None] = None,
) -> MovieLensCTR:
    """MovieLens-100K as click data: does the user give the film 4 or 5 stars?

    The fields are user, item, gender, age_band, occupation, region (first digit of the zip code;
    'letter' for the Canadian ones), decade (of the film's release), hour and weekday (of the
    rating, in UTC) and the 18 genres, each a field of its own with the values 0 and 1.

    The dense features are the user's age and the film's age in years when rated (where the
    release is unknown, the training part's mean) and log(1 + ratings in the training part) of
    the user and of the item; raw, not standardized.

    Parameters
    ----------
    split : {'random', 'temporal'}
        The default draws the rows at random, so that nearly all users and films of the test part
        are known from training: it asks how well a model fits the interactions, and is how most
        published figures on such data are made.  'temporal' asks the harder question, each
        user's later ratings after the earlier ones (`temporal_split_ml100k`).
    valid_ratio, test_ratio : float
        Shares of all rows, or of each user's where the split is temporal.
    min_threshold : int
        Ratings in the training part that a film, or any other value, needs for an id of its own.
    seed : int
        Of the random split.
    folder : path, optional
        Where u.data, u.user and u.item lie; fetched otherwise.

    Returns
    -------
    MovieLensCTR

    Examples
    --------
    >>> load_ml100k_ctr(split='by mood')
    Traceback (most recent call last):
    ...
    ValueError: split is 'by mood': choose 'random' or 'temporal'.
    """
    if split not in ('random', 'temporal'):
        raise ValueError(f"split is {shown(split)}: choose 'random' or 'temporal'.")
    tables = read_ml100k(folder)
    _check_ids(tables.ratings, len(tables.users), len(tables.items))
    if split == 'random':
        parts = random_split_ml100k(tables.ratings, valid_ratio, test_ratio, seed)
    else:
        parts = temporal_split_ml100k(tables.ratings, valid_ratio, test_ratio)
    sides = _sides(tables)
    frames = [
        _fields(part.join(sides[0], on='user_id').join(sides[1], on='item_id')) for part in parts
    ]
    dense = _dense(frames)
    vocabulary, datasets = None, []
    for frame, matrix in zip(frames, dense):
        names = [
            'label',
            'user',
            'item',
            'gender',
            'age_band',
            'occupation',
            'region',
            'decade',
            'hour',
            'weekday',
            *GENRES,
        ]
        data = CTRDataset(frame[names], min_threshold=min_threshold, vocabulary=vocabulary)
        data.dense, data.dense_names = matrix, list(DENSE)
        vocabulary = data.vocabulary
        datasets.append(data)
    items = _items(tables.items, frames[0], datasets[0])
    return MovieLensCTR(*datasets, items, *_raw_sides(frames[0], sides[1], items))


OF_USERS = ['user', 'gender', 'age_band', 'occupation', 'region', 'hour', 'weekday', 'age']
OF_FILMS = ['item', 'title', 'count', 'decade', *GENRES]
DENSE = ['age', 'film_age', 'log_user_count', 'log_item_count']


def _sides(tables):
    """What is known of users and of items, as frames indexed by id."""
    users, items = tables.users.set_index('user_id'), tables.items.set_index('item_id')
    lower = np.array(list(AGES))
    bands = np.array(list(AGES.values()))
    first = users.zip_code.str[0]
    users['age_band'] = bands[np.searchsorted(lower, users.age, side='right') - 1]
    users['region'] = first.where(first.str.isdigit(), 'letter')
    decade = items.release_date.dt.year // 10 * 10
    items['decade'] = decade.map('{:.0f}s'.format).where(decade.notna(), 'unknown')
    return users, items


def _fields(rows):
    """The columns that depend on the rating itself."""
    time = pd.to_datetime(rows.timestamp, unit='s')
    rows = rows.rename(columns={'user_id': 'user', 'item_id': 'item'})
    rows['label'] = (rows.rating >= 4).astype(int)
    rows['hour'] = time.dt.hour
    rows['weekday'] = np.array(WEEKDAYS)[time.dt.day_of_week]
    rows['film_age'] = (time - rows.release_date).dt.total_seconds() / (365.25 * 24 * 3600)
    return rows


def _dense(frames):
    """Dense features (N, 4) float32 of each part; counts and means come from the first."""
    train = frames[0]
    counts = {c: train[c].value_counts() for c in ('user', 'item')}
    columns = [
        [
            f.age,
            f.film_age.fillna(train.film_age.mean()),
            *(np.log1p(f[c].map(counts[c]).fillna(0)) for c in counts),
        ]
        for f in frames
    ]
    return [np.stack(c, axis=1).astype(np.float32) for c in columns]


def _raw_sides(train, items, known):
    """Users and films with an id of their own, as raw rows: see `MovieLensCTR`."""
    latest = train.sort_values('timestamp', kind='stable').drop_duplicates('user', keep='last')
    users = latest.sort_values('user')[OF_USERS].reset_index(drop=True)
    users['log_user_count'] = np.log1p(users.user.map(train.user.value_counts()))
    films = items.loc[known.item_id].rename_axis('item').reset_index()
    films['count'] = known['count'].to_numpy()
    films = films[[*OF_FILMS, 'release_date']]
    now = pd.to_datetime(train.timestamp.max(), unit='s')
    age = (now - films.pop('release_date')).dt.total_seconds() / (365.25 * 24 * 3600)
    films['film_age'] = age.fillna(train.film_age.mean())
    films['log_item_count'] = np.log1p(films['count'])
    return users, films


def _items(items, train, dataset):
    """The films with an id of their own, by id."""
    ids = dataset.vocabulary.fields[dataset.vocabulary.number_of('item')].ids
    items = items.set_index(items.item_id.astype(str)).loc[list(ids), ['item_id', 'title']]
    items['count'] = items.item_id.map(train.item.value_counts())
    items.index = pd.Index(dataset.ids_of('item').start + np.array(list(ids.values())), name='id')
    return items


def _column(data, name):
    """A column of ratings, by its name where the frame has all that are needed, else by place."""
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f'the ratings are a {type(data).__name__}: give a pandas.DataFrame.')
    if set(RATINGS[:3]) <= set(data.columns):
        if name not in data.columns:
            raise ValueError(f'the ratings have no column {name!r}: give time stamps, too.')
        return data[name]
    place = RATINGS.index(name)
    if data.shape[1] <= place:
        raise ValueError(
            f'the ratings have {data.shape[1]} columns and {name!r} would be number {place + 1}: '
            f'give {", ".join(RATINGS)}.'
        )
    return data.iloc[:, place]


def _by_user_and_time(data):
    """Rows ordered by user, time and row; each one's place from its user's end; their count."""
    users, times = ids_from_1(_column(data, 'user_id'), 'user'), _column(data, 'timestamp')
    if not pd.api.types.is_datetime64_any_dtype(times):
        times = check_one_unit(numbers(times, 'timestamp'), 'timestamp', 'the ratings')
    elif times.isna().any():
        raise ValueError(f'Row {int(np.argmax(times.isna()))} has no timestamp: give one.')
    order = np.lexsort((np.asarray(times), users))  # stable: ties keep their order
    _, first, counts = np.unique(users[order], return_index=True, return_counts=True)
    end = np.repeat(first + counts, counts)
    return order, end - 1 - np.arange(len(order)), np.repeat(counts, counts)


def _check_ids(data, num_users, num_items):
    """The ids of users and items, counting from 1, as int64; refuse those out of range."""
    for limit, what in (num_users, 'num_users'), (num_items, 'num_items'):
        if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < 1:
            raise ValueError(f'{what} is {shown(limit)}: give a whole number, 1 or more.')
    return (
        ids_from_1(_column(data, 'user_id'), 'user', num_users),
        ids_from_1(_column(data, 'item_id'), 'item', num_items),
    )


def _check_frame(data):
    if not isinstance(data, pd.DataFrame):
        raise ValueError(f'data is {shown(data)}: give the frame that read_data_ml100k returns.')


def _check_ratios(valid_ratio, test_ratio):
    for name, value in (('valid_ratio', valid_ratio), ('test_ratio', test_ratio)):
        check_real(value, name, 'a share of the rows')
    if not (0 <= valid_ratio and 0 < test_ratio and valid_ratio + test_ratio < 1):
        raise ValueError(
            f'valid_ratio is {valid_ratio} and test_ratio is {test_ratio}: give '
            'shares above 0 (for validation also 0) that leave rows for training.'
        )
