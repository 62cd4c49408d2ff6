"""Histories: what a user had before, for each row of a table with time stamps.

A history is a feature like any other, and must have been known when the row happened. So a row
enters the histories of rows that are **strictly later**: rows of one user with the same time
stamp do not see each other, let alone themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arguments import check_list, check_whole, shown
from .columns import Examples, _asarray
from .splits import check_one_unit

__all__ = ['past_rows', 'with_history']


def past_rows(users: Any, times: Any, length: int, where: Any = None) -> np.ndarray:
    """For each row the last rows that its user had before it: (N, length) row numbers.

    They stand oldest first from the first column on; -1 where there are no more. Rows with the
    same time stamp keep the order of the table among themselves, in the histories of later rows.

    Parameters
    ----------
    users : array (N,) of anything that can be sorted
    times : array (N,) of numbers or dates
    length : int
        At most so many, the latest ones.
    where : boolean array (N,), optional
        Which rows enter histories: the liked ones, say. All rows have one.

    Returns
    -------
    int64 array (N, length)

    Raises
    ------
    ValueError
        For columns of unequal length, a time that is missing, or a length below 1.

    Examples
    --------
    >>> past_rows(['Kim', 'Lee', 'Kim', 'Kim', 'Kim'], [1, 1, 2, 2, 3], 2).tolist()
    [[-1, -1], [-1, -1], [0, -1], [0, -1], [2, 3]]
    """
    users, times = _vector(users, 'users'), _vector(times, 'times')
    where = np.ones(len(users), bool) if where is None else _vector(where, 'where')
    if not users.shape == times.shape == where.shape or users.ndim != 1:
        raise ValueError(
            f'users, times and where have shapes {users.shape}, {times.shape} and {where.shape}: '
            'give one value a row of each.'
        )
    if where.dtype != bool:
        raise ValueError(f'where holds {where.dtype}: give booleans, such as ratings >= 4.')
    if not isinstance(length, (int, np.integer)) or isinstance(length, bool) or length < 1:
        raise ValueError(f'length is {shown(length)}: give a whole number, 1 or more.')
    if (times != times).any():  # NaN and NaT are not equal to themselves
        raise ValueError(
            f'times[{int(np.argmax(times != times))}] is missing: give every row its time, or '
            'leave the row out.'
        )
    past = np.full((len(users), length), -1, dtype=np.int64)
    if not len(users):
        return past
    user = np.unique(users, return_inverse=True)[1].reshape(-1)
    check_one_unit(times, 'times')
    order = np.lexsort((times, user))  # stable: ties keep their order
    user, times = user[order], times[order]
    new_user = np.r_[True, user[1:] != user[:-1]]
    new_time = new_user | np.r_[True, times[1:] != times[:-1]]
    places = np.arange(len(order))
    # Of each row, in this order: how many that may enter come before its user, and before its time.
    before = np.r_[0, np.cumsum(where[order])]
    start = before[np.maximum.accumulate(np.where(new_user, places, 0))]
    end = before[np.maximum.accumulate(np.where(new_time, places, 0))]
    entering = order[where[order]]  # their row numbers
    first = np.maximum(start, end - length)
    column = np.arange(length)
    at = first[:, None] + column
    filled = at < end[:, None]
    past[order] = np.where(filled, np.r_[entering, -1][np.where(filled, at, -1)], -1)
    return past


def with_history(data: Examples, past: Any, item_field: int = -1) -> Examples:
    """The data with the columns `history` (N, L) and `lengths` (N,), as a `HistoryModel` reads.

    Make them of all parts in one piece, train, valid and test, and split after that: what was
    known before a test row may stand in any of them, and its own future in none.

    Parameters
    ----------
    data : a data set with ids, such as `CTRDataset`
    past : array (N, L) of row numbers of the same data, such as `past_rows` gives
        -1 in the empty slots, which come last.
    item_field : int
        The number of the field whose ids the history holds; the last by default.

    Returns
    -------
    the data set, of the same class

    Raises
    ------
    ValueError
        For a matrix of another number of rows, row numbers that the data does not have, or an
        empty slot before a filled one.

    Examples
    --------
    >>> films = Examples({'ids': [[0, 5], [0, 4], [0, 6]]}, labels=[1, 0, 1])
    >>> seen = with_history(films, past_rows([0, 0, 0], [1, 2, 3], 2))
    >>> seen.columns['history'].tolist(), seen.columns['lengths'].tolist()
    ([[4, 4], [5, 4], [5, 4]], [0, 1, 2])
    """
    if not isinstance(data, Examples) or 'ids' not in data.columns:
        raise ValueError(f'data is {shown(data)}: give a data set with ids, a CTRDataset say.')
    fields = data.columns['ids'].shape[1]
    check_whole(item_field, 'item_field', -fields, fields - 1)
    items, past = data.columns['ids'][:, item_field], _asarray(past, 'past')
    if past.ndim != 2 or past.dtype.kind not in 'iu' or len(past) != len(data):
        raise ValueError(
            f'past has shape {past.shape} and type {past.dtype} for {len(data)} rows: give row '
            'numbers, a row of them for each, as past_rows does.'
        )
    if past.size and not -1 <= past.min() <= past.max() < len(data):
        raise ValueError(
            f'past holds {past.min()} to {past.max()}: give row numbers of the data, 0 to '
            f'{len(data) - 1}, and -1 for an empty slot.'
        )
    empty = past < 0
    if (empty[:, :-1] & ~empty[:, 1:]).any():
        row = int(np.argmax((empty[:, :-1] & ~empty[:, 1:]).any(axis=1)))
        raise ValueError(f'past[{row}] has an empty slot before a filled one: put them last.')
    # An id of the field in empty slots too: the least one there is.
    history = np.where(empty, items.min() if len(items) else 0, items[past])
    return data.with_columns(history=history.astype(np.int32), lengths=(~empty).sum(axis=1))


def _vector(values, name):
    """One value a row."""
    return np.asarray(check_list(values, name, 'one value a row'))
