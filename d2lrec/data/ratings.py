"""Ratings: who gave what to which item, one by one or as rows of the matrix."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import pandas as pd

from ..arguments import is_number, shown
from ..checks import check_finite, check_ids
from .columns import Examples

__all__ = ['RatingRows', 'Ratings']


class Ratings(Examples):
    """Ratings one by one: what `MF` and its kin read.

    Parameters
    ----------
    users, items : whole numbers (N,), counting from 0
    ratings : numbers (N,); half stars are kept
    num_users, num_items : int
        U and I; by default the largest id and one.

    Attributes
    ----------
    columns : 'users' and 'items', int32 (N,)
    labels : float32 (N,), the ratings
    user_names, item_names : list of str, who is who, where `Table.ratings` made them; else None

    Raises
    ------
    ValueError
        For ids that are not whole or out of range, or a rating that is not finite.

    Examples
    --------
    >>> ratings = Ratings([0, 1, 1], [2, 0, 2], [3.5, 4, 1])
    >>> ratings
    Ratings(3 ratings of 3 items by 2 users)
    >>> ratings.rows(by='user').columns['rows'].tolist()
    [[0.0, 0.0, 3.5], [4.0, 0.0, 1.0]]
    """

    user_names: Optional[list] = None
    item_names: Optional[list] = None

    def __init__(
        self,
        users: Any,
        items: Any,
        ratings: Any,
        num_users: Optional[int] = None,
        num_items: Optional[int] = None,
    ):
        super().__init__({'users': users, 'items': items}, ratings)
        self.num_users = _extent(self.users, num_users, 'num_users')
        self.num_items = _extent(self.items, num_items, 'num_items')
        check_ids(self.users, 0, self.num_users, 'users')
        check_ids(self.items, 0, self.num_items, 'items')
        check_finite(self.ratings, 'ratings')

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        user: str = 'user_id',
        item: str = 'item_id',
        rating: str = 'rating',
        num_users: Optional[int] = None,
        num_items: Optional[int] = None,
        scale: Optional[Sequence[float]] = None,
    ) -> Ratings:
        """Of a frame whose ids count from 1, as MovieLens' do: id 1 becomes 0.

        Parameters
        ----------
        user, item, rating : names of the columns
        num_users, num_items : int
            By default the largest id in the frame.
        scale : (least, most), optional
            A rating beyond it is refused. Without it a warning names one that stands apart, such
            as 99 or -1 for none; another warning names a pair that is rated twice.

        Raises
        ------
        ValueError
            For a column that is lacking, ids that are no whole numbers from 1 on, or a rating
            that is missing or beyond the scale: with its row, from 0.

        Examples
        --------
        >>> frame = pd.DataFrame({'user_id': [1, 2], 'item_id': [3, 1], 'rating': [0.5, 4]})
        >>> Ratings.from_frame(frame).columns['items'].tolist()
        [2, 0]
        """
        if not isinstance(frame, pd.DataFrame):
            raise ValueError(f'the ratings are a {type(frame).__name__}: give a pandas.DataFrame.')
        names = [str(c) for c in frame.columns]
        for name in (user, item, rating):
            if name not in names:
                raise ValueError(
                    f'the frame has no column {name!r}: it has {", ".join(names)}; say which is '
                    'which by user=, item= and rating=.'
                )
        users, items = (
            ids_from_1(frame.iloc[:, names.index(name)], what, limit)
            for name, what, limit in ((user, 'user', num_users), (item, 'item', num_items))
        )
        scores = numbers(frame.iloc[:, names.index(rating)], 'rating')
        look_at_ratings(users, items, scores, rating, 'the frame', scale, 0)
        return cls(users - 1, items - 1, scores, num_users, num_items)

    @property
    def users(self) -> np.ndarray:
        """`columns['users']`: (N,) int32."""
        return self.columns['users']

    @property
    def items(self) -> np.ndarray:
        """`columns['items']`: (N,) int32."""
        return self.columns['items']

    @property
    def ratings(self) -> np.ndarray:
        """The ratings, which are the labels: (N,) float32."""
        return self.labels

    def rows(self, by: str = 'item', target: Optional[Ratings] = None) -> RatingRows:
        """The ratings as rows of a matrix: one an item (I, U), or one a user (U, I).

        Parameters
        ----------
        by : 'item' or 'user'
        target : Ratings of the same users and items, in the same order, optional
            What is to be rebuilt at these entries where that is not what is shown: what a
            baseline leaves over, say.

        Raises
        ------
        ValueError
            Where a user rated an item twice, or `target` is of other users and items.

        Examples
        --------
        >>> stars, rest = Ratings([0, 1], [1, 0], [5, 2]), Ratings([0, 1], [1, 0], [1.5, -1.5])
        >>> rows = stars.rows(by='user', target=rest).columns
        >>> rows['rows'].tolist(), rows['target'].tolist()
        ([[0.0, 5.0], [2.0, 0.0]], [[0.0, 1.5], [-1.5, 0.0]])
        """
        if not isinstance(by, str) or by not in ('item', 'user'):
            raise ValueError(f"by is {shown(by)}: choose 'item' or 'user'.")
        users, items = self.users.astype(np.int64), self.items.astype(np.int64)
        check_pairs(users, items)
        shape, where = (self.num_users, self.num_items), (users, items)
        if by == 'item':
            shape, where = shape[::-1], where[::-1]
        try:
            rows, mask = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        except (MemoryError, ValueError):  # larger than memory, or than NumPy can count
            raise ValueError(
                f'a matrix of {self.num_users:,} users and {self.num_items:,} items does not fit '
                'into memory: number both without gaps, as the ratings() of d2l.read_ratings are, '
                'or take a model of pairs.'
            ) from None
        rows[where], mask[where] = self.ratings, 1
        if target is None:
            return RatingRows(rows, mask, by)
        if not (np.array_equal(target.users, users) and np.array_equal(target.items, items)):
            raise ValueError(
                f'target holds {target!r}, and not one for each of these {len(self):,} ratings: '
                'give the same users and items in the same order.'
            )
        wanted = np.zeros(shape, np.float32)
        wanted[where] = target.ratings
        return RatingRows(rows, mask, by, wanted)

    def _alike(self):
        return self.num_users, self.num_items

    def __repr__(self):
        return (
            f'Ratings({len(self):,} ratings of {self.num_items:,} items by '
            f'{self.num_users:,} users)'
        )


class RatingRows(Examples):
    """Rows of a rating matrix, what `AutoRec` reads: `ratings.rows()` makes them.

    Parameters
    ----------
    rows : numbers (N, D), 0 where there is no rating
    mask : numbers (N, D), 1 where there is one, else 0
    by : 'item' or 'user', what a row is of
    target : numbers (N, D), optional
        What is to be rebuilt where the mask is 1; by default the rows themselves.

    Raises
    ------
    ValueError
        For matrices of unequal shapes, a mask of other numbers than 0 and 1, or another `by`.

    Examples
    --------
    >>> RatingRows([[3, 0], [0, 4.5]], [[1, 0], [0, 1]])
    RatingRows(2 ratings in 2 rows of 2, by item)
    """

    def __init__(self, rows: Any, mask: Any, by: str = 'item', target: Any = None):
        columns = {'rows': rows, 'mask': mask}
        if target is not None:
            columns['target'] = target
        super().__init__(columns)
        shapes = {name: a.shape for name, a in self.columns.items()}
        if len(set(shapes.values())) > 1 or np.ndim(rows) != 2:
            found = ' and '.join(f'{name} {shape}' for name, shape in shapes.items())
            raise ValueError(f'the shapes are {found}: give matrices of one shape.')
        if not np.isin(self.columns['mask'], (0, 1)).all():
            raise ValueError('mask has other numbers than 0 and 1: give 1 where there is a rating.')
        if not isinstance(by, str) or by not in ('item', 'user'):
            raise ValueError(f"by is {shown(by)}: choose 'item' or 'user'.")
        self.by = by

    def _alike(self):
        return self.by

    def __repr__(self):
        rows = self.columns['rows']
        return (
            f'RatingRows({int(self.columns["mask"].sum()):,} ratings in {len(rows):,} rows of '
            f'{rows.shape[1]:,}, by {self.by})'
        )


def ids_from_1(values: Any, what: str, limit: Optional[int] = None) -> np.ndarray:
    """Ids as int64; refuse what is no whole number from 1 to `limit`, with its row (from 0)."""
    ids = _floats(values)
    end = np.inf if limit is None else limit
    bad = ~((ids >= 1) & (ids <= end) & (ids == np.floor(ids)))  # a NaN is bad, too
    if bad.any():
        row = int(np.argmax(bad))
        cell = _cell(values, row)
        words = isinstance(cell, str) and np.isnan(ids[row])
        cure = (
            f'number them first, by pandas.factorize(frame[{what!r}])[0] + 1'
            if words
            else f'give whole ids from 1{"" if limit is None else f" to {limit}"}'
        )
        raise ValueError(
            f'Row {row} has the {what} id {cell if not words else repr(cell)}: {cure}.'
        )
    return ids.astype(np.int64)


def numbers(values: Any, what: str) -> np.ndarray:
    """Numbers as float64; refuse what is none, or not finite, with its row (from 0)."""
    found = _floats(values)
    bad = ~np.isfinite(found)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f'Row {row} has the {what} {_cell(values, row)}: give a number in every row.'
        )
    return found


def check_pairs(users: np.ndarray, items: np.ndarray, first: int = 0) -> None:
    """Refuse a user and item that occur twice; ids are shown counting from `first`."""
    pairs, counts = np.unique(_pairs(users, items), return_counts=True)
    if len(pairs) < len(users):
        user, item = divmod(int(pairs[np.argmax(counts > 1)]), int(items.max()) + 1)
        raise ValueError(
            f'user {user + first} rated item {item + first} twice: keep one rating a pair.'
        )


def _pairs(users, items):
    """A number (N,) for each pair, in which even the largest ids have room."""
    return users.astype(np.int64) * (int(items.max(initial=0)) + 1) + items


def check_scale(scale: Any) -> Optional[tuple[float, float]]:
    """(least, most) of a scale of ratings, or None.

    Examples
    --------
    >>> check_scale((5, 1))
    Traceback (most recent call last):
    ...
    ValueError: scale is (5, 1): give (least, most), such as (1, 5).
    """
    if scale is None:
        return None
    two = isinstance(scale, (tuple, list)) and len(scale) == 2 and all(map(is_number, scale))
    if not two or not -np.inf < scale[0] < scale[1] < np.inf:
        raise ValueError(f'scale is {shown(scale)}: give (least, most), such as (1, 5).')
    return float(scale[0]), float(scale[1])


def check_in_scale(values: np.ndarray, name: str, source: str, scale: Any, first: int = 1) -> None:
    """Refuse ratings beyond a scale, with their rows, which count from `first`."""
    scale = check_scale(scale)
    if scale is None:
        return
    bad = np.flatnonzero((values < scale[0]) | (values > scale[1]))
    if len(bad):
        rows = ', '.join(f'row {r + first} is {values[r]:g}' for r in bad[:3])
        more = f' and {len(bad) - 3:,} more' if len(bad) > 3 else ''
        raise ValueError(
            f'{source}: the rating {name!r} goes from {scale[0]:g} to {scale[1]:g}, but '
            f'{rows}{more}: mend these rows, leave them out, or give another scale.'
        )


def apart_from_others(values: np.ndarray) -> Optional[float]:
    """A rating that is likely to stand for none: far from all others, or 0 or -1 below them.

    Examples
    --------
    >>> apart_from_others(np.array([1, 2, 3, 99])), apart_from_others(np.array([1, 2, 3, 5]))
    (99.0, None)
    """
    found = np.unique(values)
    if len(found) < 3:
        return None
    for one, rest in ((found[-1], found[:-1]), (found[0], found[1:])):
        reach, gap = rest[-1] - rest[0], min(abs(rest - one))
        if (len(rest) > 2 and gap > 4 * reach) or (one in (0, -1) and rest[0] > 0):
            return float(one)
    return None


def look_at_ratings(
    users: np.ndarray,
    items: np.ndarray,
    values: np.ndarray,
    name: str,
    source: str,
    scale: Any = None,
    first: int = 1,
    cure: str = 'leave all but one of them out where one is meant',
) -> None:
    """Refuse ratings beyond their scale; warn of one that stands apart, and of pairs twice.

    Users and items are whole numbers; rows are told counting from `first`.

    Examples
    --------
    >>> look_at_ratings(np.array([0]), np.array([0]), np.array([7.0]), 'stars', 'log', (1, 5))
    Traceback (most recent call last):
    ...
    ValueError: log: the rating 'stars' goes from 1 to 5, but row 1 is 7: mend ...
    """
    check_in_scale(values, name, source, scale, first)
    odd = apart_from_others(values) if scale is None else None
    if odd is not None:
        rows, others = np.flatnonzero(values == odd), values[values != odd]
        low, high = min(odd, others.min()), max(odd, others.max())
        warnings.warn(
            f'{source}: the rating {name!r} is {odd:g} in {len(rows):,} of {len(values):,} rows, '
            f'the first of them row {rows[0] + first}, and {others.min():g} to {others.max():g} '
            'elsewhere: if it means that none was given, leave these rows out; '
            f'scale=({low:g}, {high:g}) confirms it.',
            stacklevel=4,
        )
    twice = pairs_twice(users, items)
    if twice is not None:
        count, one, other = twice
        warnings.warn(
            f'{source}: {count:,} {"pair" if count == 1 else "pairs"} of a user and an item '
            f'{"is" if count == 1 else "are"} rated more than once, such as in rows {one + first} '
            f'and {other + first}: {cure}.',
            stacklevel=4,
        )


def pairs_twice(users: np.ndarray, items: np.ndarray) -> Optional[tuple[int, int, int]]:
    """How many pairs occur more than once, and the first two rows (from 0) of one; else None.

    Examples
    --------
    >>> pairs_twice(np.array([0, 1, 0]), np.array([2, 2, 2]))
    (1, 0, 2)
    """
    if not len(users):
        return None
    keys = _pairs(users, items)
    found, first, counts = np.unique(keys, return_index=True, return_counts=True)
    if len(found) == len(keys):
        return None
    one = int(first[counts > 1].min())
    return int((counts > 1).sum()), one, int(np.flatnonzero(keys == keys[one])[1])


def _floats(values):
    """Values as float64, NaN where one is no number."""
    values = pd.Series(np.asarray(values, object) if not hasattr(values, 'dtype') else values)
    found = pd.to_numeric(values, errors='coerce')
    return found.to_numpy(dtype=np.float64, na_value=np.nan)


def _cell(values, row):
    cell = values.iloc[row] if hasattr(values, 'iloc') else values[row]
    return cell.item() if isinstance(cell, np.generic) else cell


def _extent(ids, given, what):
    """U or I, as given or as the ids have it."""
    if given is None:
        found = max(float(ids.max()), 0) if ids.size else 0
        return int(found) + 1 if np.isfinite(found) else 1
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 1:
        raise ValueError(f'{what} is {shown(given)}: give a whole number, 1 or more.')
    return int(given)
