"""MovieLens-100K in the views that the book needs.

The data are those of Harper and Konstan, "The MovieLens Datasets: History and Context" (2015).
Ids of users and items count from 1, as in the files; time stamps are seconds since 1970 in UTC.
"""

import os
from dataclasses import dataclass

import mxnet as mx
import numpy as np
import pandas as pd

from .batches import BatchLoader
from .ctr import CTRDataset
from .hub import download_extract

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
    """

    ratings: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame

    def __repr__(self):
        return (
            f'MovieLens({len(self.ratings):,} ratings, {len(self.users):,} users, '
            f'{len(self.items):,} items)'
        )


def read_ml100k(folder=None):
    """Read the three tables, as ``MovieLens``; fetched where ``folder`` is not given."""
    folder = folder or download_extract('ml-100k')
    users = _read(folder, 'u.user', '|', ['user_id', 'age', 'gender', 'occupation', 'zip_code'])
    items = _read(
        folder,
        'u.item',
        '|',
        ['item_id', 'title', 'release_date', 'video', 'url', 'unknown', *GENRES],
    ).drop(columns=['video', 'url'])
    items['release_date'] = pd.to_datetime(items.release_date, format='%d-%b-%Y')
    return MovieLens(_read(folder, 'u.data', '\t', RATINGS), users, items)


def read_data_ml100k():
    """Return the ratings in the row order of u.data, the number of users and that of items."""
    data = _read(download_extract('ml-100k'), 'u.data', '\t', RATINGS)
    return data, int(data.user_id.max()), int(data.item_id.max())


def _read(folder, name, separator, columns):
    text = dict.fromkeys(
        ('gender', 'occupation', 'zip_code', 'title', 'release_date', 'url', 'video'), str
    )
    return pd.read_csv(
        os.path.join(folder, name),
        sep=separator,
        names=columns,
        dtype=text,
        encoding='latin-1',
        quoting=3,
        na_filter=False,
    )


def split_data_ml100k(data, num_users, num_items, split_mode='random', test_ratio=0.1, seed=0):
    """Split ratings into a training and a test part.

    'random' holds out ``test_ratio`` of the rows, drawn with ``seed``, and leaves both parts in
    the order of ``data``.  'seq-aware' holds out each user's last rating; of ratings with the
    same time stamp the one further down in ``data`` counts as the later.  Its training part is
    ordered by user and time.

    Returns two frames, with the index of ``data``.  Raises ValueError for ids out of range.
    """
    _check_ids(data, num_users, num_items)
    if split_mode == 'random':
        train, _, test = random_split_ml100k(data, 0, test_ratio, seed)
        return train, test
    if split_mode != 'seq-aware':
        raise ValueError(f"split_mode is {split_mode!r}: choose 'random' or 'seq-aware'.")
    order, from_end, _ = _by_user_and_time(data)
    return data.iloc[order[from_end > 0]], data.iloc[order[from_end == 0]]


def random_split_ml100k(data, valid_ratio=0.1, test_ratio=0.1, seed=0):
    """Training, validation and test part of the rows, drawn with ``seed``, in their order."""
    _check_ratios(valid_ratio, test_ratio)
    order = np.random.RandomState(seed).permutation(len(data))
    test, valid = round(len(data) * test_ratio), round(len(data) * valid_ratio)
    cuts = [order[test + valid :], order[test : test + valid], order[:test]]
    return tuple(data.iloc[np.sort(rows)] for rows in cuts)


def temporal_split_ml100k(data, valid_ratio=0.1, test_ratio=0.1):
    """Training, validation and test part, by time within each user.

    The last ``test_ratio`` of a user's ratings (rounded down, at least one) are for testing,
    the ``valid_ratio`` before them for validation (none where it is 0).  Of ratings with the
    same time stamp the one further down in ``data`` counts as the later.  The parts keep the
    order of ``data``.
    """
    _check_ratios(valid_ratio, test_ratio)
    order, from_end, counts = _by_user_and_time(data)
    test = np.maximum(1, (counts * test_ratio).astype(int))
    valid = test + (np.maximum(1, (counts * valid_ratio).astype(int)) if valid_ratio else 0)
    cuts = [from_end >= valid, (from_end >= test) & (from_end < valid), from_end < test]
    return tuple(data.iloc[np.sort(order[cut])] for cut in cuts)


def ml100k_fold(data, k):
    """Training and test part of the official fold k, 1 to 5, of the whole of u.data.

    Fold k's test part is the k-th fifth of the rows in file order, the rule by which GroupLens
    made u1.test to u5.test (those files hold the same rows sorted by user and item).
    """
    if k not in range(1, 6):
        raise ValueError(f'There is no fold {k!r}: choose 1 to 5.')
    if len(data) == 0 or len(data) % 5:
        raise ValueError(
            f'The folds are fifths of the whole of u.data, and {len(data)} rows '
            'are not: give what read_data_ml100k returned.'
        )
    size = len(data) // 5
    inside = np.arange(len(data)) // size == k - 1
    return data[~inside], data[inside]


def load_data_ml100k(data, num_users, num_items, feedback='explicit'):
    """Ratings as lists and as a matrix.

    Returns
    -------
    users, items, scores : lists of int; ids from 0; scores are 1 where feedback is 'implicit'
    inter : mxnet.numpy.ndarray (I, U) float32 with 0 where there is no rating; where feedback is
        'implicit', the dict {user: items} instead
    """
    if feedback not in ('explicit', 'implicit'):
        raise ValueError(f"feedback is {feedback!r}: choose 'explicit' or 'implicit'.")
    _check_ids(data, num_users, num_items)
    users, items = (data.iloc[:, c].to_numpy() - 1 for c in (0, 1))
    if feedback == 'implicit':
        scores, inter = np.ones(len(data), int), {}
        for u, i in zip(users.tolist(), items.tolist()):
            inter.setdefault(u, []).append(i)
    else:
        scores = data.iloc[:, 2].to_numpy().astype(int)
        matrix = np.zeros((num_items, num_users), np.float32)
        matrix[items, users] = scores
        inter = mx.np.array(matrix, dtype='float32')
    return users.tolist(), items.tolist(), scores.tolist(), inter


def split_and_load_ml100k(
    split_mode='seq-aware', feedback='explicit', test_ratio=0.1, batch_size=256, seed=0
):
    """Return the numbers of users and items, and loaders of the training and the test part.

    A batch is users (B,) int32, items (B,) int32 and scores (B,) float32.  ``seed`` governs the
    split and the order of the training batches.
    """
    data, num_users, num_items = read_data_ml100k()
    loaders = []
    for part in split_data_ml100k(data, num_users, num_items, split_mode, test_ratio, seed):
        users, items, scores, _ = load_data_ml100k(part, num_users, num_items, feedback)
        loaders.append(
            BatchLoader(
                np.array(users),
                np.array(items),
                np.array(scores, np.float32),
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
    train, valid, test : CTRDataset, each with ``dense`` (N, D) and ``dense_names``
    items : DataFrame item_id, title, count (ratings in the training part); its index is the
        item's id, that is, its row of the embedding; films below the threshold are not in it
    """

    train: CTRDataset
    valid: CTRDataset
    test: CTRDataset
    items: pd.DataFrame

    def __repr__(self):
        rows = ' + '.join(f'{len(part):,}' for part in (self.train, self.valid, self.test))
        return (
            f'MovieLensCTR({rows} rows, {self.train.NUM_FEATS} fields, '
            f'{self.train.field_dims.sum():,} features, share liked '
            f'{self.train.labels.mean():.3f})'
        )


def load_ml100k_ctr(
    split='random', valid_ratio=0.1, test_ratio=0.1, min_threshold=4, seed=0, folder=None
):
    """MovieLens-100K as click data: does the user give the film 4 or 5 stars?

    The fields are user, item, gender, age_band, occupation, region (first digit of the zip code;
    'letter' for the Canadian ones), decade (of the film's release), hour and weekday (of the
    rating, in UTC) and the 18 genres, each a field of its own with the values 0 and 1.

    The dense features are the user's age and the film's age in years when rated (where the
    release is unknown, the training part's mean) and log(1 + ratings in the training part) of
    the user and of the item; raw, not standardised.

    Parameters
    ----------
    split : {'random', 'temporal'}
        The default draws the rows at random, so that nearly all users and films of the test part
        are known from training: it asks how well a model fits the interactions, and is how most
        published figures on such data are made.  'temporal' asks the harder question, each
        user's later ratings after the earlier ones (``temporal_split_ml100k``).
    min_threshold : int
        Ratings in the training part that a film, or any other value, needs for an id of its own.
    folder : path, optional
        Where u.data, u.user and u.item lie; fetched otherwise.

    Returns
    -------
    MovieLensCTR
    """
    if split not in ('random', 'temporal'):
        raise ValueError(f"split is {split!r}: choose 'random' or 'temporal'.")
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
    datasets = []
    for frame, matrix in zip(frames, dense):
        vocab = (datasets[0].feat_mapper, datasets[0].defaults) if datasets else (None, None)
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
        datasets.append(CTRDataset(frame[names], *vocab, min_threshold=min_threshold))
        datasets[-1].dense, datasets[-1].dense_names = matrix, list(DENSE)
    return MovieLensCTR(*datasets, _items(tables.items, frames[0], datasets[0]))


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
    rows['weekday'] = np.array(WEEKDAYS)[time.dt.weekday]
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


def _items(items, train, dataset):
    """The films with an id of their own, by id."""
    ids = dataset.feat_mapper[dataset.field_names.index('item') + 1]
    items = items.set_index(items.item_id.astype(str)).loc[list(ids), ['item_id', 'title']]
    items['count'] = items.item_id.map(train.item.value_counts())
    items.index = pd.Index(dataset.rows_of('item').start + np.array(list(ids.values())), name='row')
    return items


def _by_user_and_time(data):
    """Rows ordered by user, time and row; each one's place from its user's end; their count."""
    users = data.iloc[:, 0].to_numpy()
    order = np.lexsort((data.iloc[:, 3].to_numpy(), users))  # stable: ties keep their order
    _, first, counts = np.unique(users[order], return_index=True, return_counts=True)
    end = np.repeat(first + counts, counts)
    return order, end - 1 - np.arange(len(order)), np.repeat(counts, counts)


def _check_ids(data, num_users, num_items):
    for column, limit, what in (0, num_users, 'user'), (1, num_items, 'item'):
        ids = data.iloc[:, column].to_numpy()
        bad = (ids < 1) | (ids > limit) | (ids != np.floor(ids))
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f'Row {row} has the {what} id {ids[row]}: give whole ids from 1 to {limit}.'
            )


def _check_ratios(valid_ratio, test_ratio):
    if not (0 <= valid_ratio and 0 < test_ratio and valid_ratio + test_ratio < 1):
        raise ValueError(
            f'valid_ratio is {valid_ratio} and test_ratio is {test_ratio}: give '
            'shares above 0 (for validation also 0) that leave rows for training.'
        )
