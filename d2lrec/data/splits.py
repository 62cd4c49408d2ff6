"""Which rows go to which part: at random, by time, the last of each user, or whole users."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ..arguments import check_seed, shown

__all__ = ['WAYS', 'check_one_unit', 'split_rows']

#: The ways to split a table's rows.
WAYS = ('random', 'time', 'last', 'users')


# Units of a time since 1970, from 1973 to 2128, which no two of them share.
UNITS = {'seconds': 1e8, 'milliseconds': 1e11, 'microseconds': 1e14, 'nanoseconds': 1e17}
WIDE = 50  # how far such a range goes


def check_one_unit(times: np.ndarray, name: str, source: str = 'the data') -> np.ndarray:
    """Times as they are; refuse numbers that are seconds since 1970 in some rows only.

    Only where every number but 0 is such a time, in one unit or another: so none is refused that
    merely counts.

    Examples
    --------
    >>> check_one_unit(np.array([1.6e9, 1.7e12]), 'at')
    Traceback (most recent call last):
    ...
    ValueError: the data: the time 'at' is in seconds in row 1 (1600000000) and in milliseconds ...
    """
    if times.dtype.kind not in 'iuf' or not len(times):
        return times
    unit = np.full(len(times), -1)
    for number, low in enumerate(UNITS.values()):
        unit[(times >= low) & (times < WIDE * low)] = number
    known = unit[(times == times) & (times != 0)]
    if len(known) and (known >= 0).all() and (known != known[0]).any():
        units = np.unique(known)
        one, other = sorted(int(np.flatnonzero(unit == u)[0]) for u in units[:2])
        words = [f'in {list(UNITS)[unit[r]]} in row {r + 1} ({times[r]:.0f})' for r in (one, other)]
        raise ValueError(
            f'{source}: the time {name!r} is {words[0]} and {words[1]}: bring all to one unit.'
        )
    return times


def split_rows(
    by: str,
    rows: int,
    valid: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    times: Any = None,
    users: Any = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The row numbers of the training, validation and test part.

    Parameters
    ----------
    by : 'random', 'time', 'last' or 'users'
        'random' draws rows. 'time' takes the earliest rows for training and the latest for the
        test; of rows at one time those further up in the table come first. 'last' takes, of each
        user, the latest rows for the test and those before them for validation; without times the
        order of the table counts. 'users' draws whole users, so that none is in two parts.
    rows : int, N
    valid, test : float
        Their shares: of the rows, of each user's rows (rounded down) for 'last', and for 'users'
        of the users.
    seed : int
        Of what is drawn; the same seed gives the same parts.
    times : array (N,), for 'time' and 'last'
    users : array (N,) of whole numbers, for 'last' and 'users'

    Returns
    -------
    three int64 arrays, together each row once. Those of 'time' are in the order of time, all
    others in that of the table.

    Raises
    ------
    ValueError
        For shares that leave a part without a row, a time or user that is missing, or another way.

    Examples
    --------
    >>> [part.tolist() for part in split_rows('time', 5, 0.2, 0.2, times=[3, 1, 2, 3, 0])]
    [[4, 1, 2], [0], [3]]
    """
    check_way(by)
    _check_shares(valid, test)
    if by in ('last', 'users') and users is None:
        raise ValueError(
            f'a split by {shown(by)} needs to know the users: name their column by user=.'
        )
    if by == 'time' and times is None:
        raise ValueError("a split by 'time' needs times: name their column by time=.")
    rng = np.random.RandomState(check_seed(seed))
    if by == 'random':
        parts = [np.sort(p) for p in _cut(rng.permutation(rows), valid, test)]
    elif by == 'time':
        parts = _cut(np.argsort(np.asarray(times), kind='stable'), valid, test)
    elif by == 'users':
        distinct, codes = np.unique(np.asarray(users), return_inverse=True)
        part_of = np.empty(len(distinct), np.int64)
        for number, some in enumerate(_cut(rng.permutation(len(distinct)), valid, test, 'users')):
            part_of[some] = number
        parts = [np.flatnonzero(part_of[codes.reshape(-1)] == number) for number in range(3)]
    else:
        parts = _last(np.asarray(users), rows, valid, test, times)
    for name, part, share in zip(('training', 'validation', 'test'), parts, (1, valid, test)):
        if share and not len(part):
            raise ValueError(
                f'the {name} part would have none of the {rows:,} rows: give larger shares, or '
                'more rows.'
            )
    return tuple(parts)


def _check_shares(valid, test):
    for name, share in (('valid', valid), ('test', test)):
        number = isinstance(share, (int, float, np.number)) and not isinstance(share, bool)
        if not number or not 0 <= share < 1:
            raise ValueError(f'{name} is {shown(share)}: give a share from 0 to below 1.')
    if valid + test >= 1:
        raise ValueError(f'valid and test are {valid} and {test}: leave a share for training.')


def _cut(order, valid, test, what='rows'):
    """An order cut into training, validation and test."""
    count = len(order)
    num_test, num_valid = (int(round(count * share)) for share in (test, valid))
    first = count - num_test - num_valid
    if first < 1 or (valid and not num_valid) or (test and not num_test):
        raise ValueError(
            f'{count:,} {what} cannot be cut into shares of {1 - valid - test:.2g}, {valid:g} and '
            f'{test:g}: give more {what}, or other shares.'
        )
    return order[:first], order[first : first + num_valid], order[first + num_valid :]


def _last(users, rows, valid, test, times):
    """Of each user the latest rows: shares of those that the user has, rounded down."""
    keys = [np.arange(rows)] if times is None else [np.asarray(times)]
    order = np.lexsort([*keys, users])  # stable: rows of one time keep their order
    _, first, counts = np.unique(users[order], return_index=True, return_counts=True)
    from_end = np.repeat(first + counts, counts) - 1 - np.arange(rows)
    counts = np.repeat(counts, counts)
    num_test = np.floor(counts * test + 1e-9)
    num_valid = np.floor(counts * valid + 1e-9)
    part = np.where(from_end < num_test, 2, np.where(from_end < num_test + num_valid, 1, 0))
    part_of = np.empty(rows, np.int64)
    part_of[order] = part
    return [np.flatnonzero(part_of == number) for number in range(3)]


def check_complete(values: np.ndarray, what: str, source: str, name: Optional[str]) -> None:
    """Refuse a time or a user that is missing, with its row."""
    missing = np.isnat(values) if values.dtype.kind in 'mM' else np.isnan(values)
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(
            f'{source}: {name!r} of row {row + 1} is missing: give the {what} of each row, or '
            'leave such rows out.'
        )


def check_way(by: str) -> None:
    """Refuse what is no way of splitting.

    Examples
    --------
    >>> check_way('alphabet')
    Traceback (most recent call last):
    ...
    ValueError: by is 'alphabet': choose one of 'random', 'time', 'last', 'users'.
    """
    if not isinstance(by, str) or by not in WAYS:
        raise ValueError(f'by is {shown(by)}: choose one of {", ".join(map(repr, WAYS))}.')
