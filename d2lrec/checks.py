"""Numbers looked at before they enter a net: finite, whole, inside their range.

MXNet clips an id out of range and turns a NaN into 0 without a word.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Optional, Union

import numpy as np

__all__ = ['LOOKED_AT', 'check_finite', 'check_ids', 'check_labels']


class _LookedAt(threading.local):
    """While it is entered, in this thread: what enters a net has been looked at before."""

    depth = 0

    def __enter__(self):
        self.depth += 1

    def __exit__(self, *error):
        self.depth -= 1

    def __bool__(self):
        return self.depth > 0


#: Within this context data count as checked: what reads them again does not check them again.
LOOKED_AT = _LookedAt()

CURE = {
    'dense': 'fill in what is missing, with the mean of the training part say',
    'weights': 'give 0 where a slot is empty',
    'rows': 'give 0 and a mask of 0 where there is no rating',
}


def check_finite(array: np.ndarray, name: str, names: Optional[Sequence[str]] = None) -> None:
    """Refuse a float that is not finite, with its row, column and a cure.

    Examples
    --------
    >>> check_finite(np.array([[0.5, np.nan]]), 'dense', ['age', 'price'])
    Traceback (most recent call last):
    ...
    ValueError: dense[0, 1] (price) is nan: fill in what is missing, ...
    """
    if array.dtype.kind != 'f' or np.isfinite(np.dot(array.ravel(), array.ravel())):
        return  # one pass; a sum that overflows is looked at again
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f'{_place(name, names, bad[0])} is {array[tuple(bad[0])]}: '
            f'{CURE.get(name, "give finite numbers only")}.'
        )


def check_ids(
    array: np.ndarray,
    first: Union[int, np.ndarray],
    end: Union[int, np.ndarray],
    name: str = 'ids',
    names: Optional[Sequence[str]] = None,
) -> None:
    """Refuse ids that are no whole numbers from `first` up to, not including, `end`.

    The bounds are numbers or, where each column has its own, arrays.

    Examples
    --------
    >>> check_ids(np.array([[0, 7]]), np.array([0, 3]), np.array([3, 7]))
    Traceback (most recent call last):
    ...
    ValueError: ids[0, 1] is 7, outside its range, 3 to 6: ...
    """
    if array.dtype.kind == 'f':
        check_finite(array, name, names)
        bad = np.argwhere(array != np.floor(array))
        if len(bad):
            place, value = _place(name, names, bad[0]), array[tuple(bad[0])]
            raise ValueError(f'{place} is {value}: ids are whole numbers.')
    if not array.size:
        return
    if (array.min(axis=0) >= first).all() and (array.max(axis=0) < end).all():
        return
    bad = np.argwhere((array < first) | (array >= end))[0]
    first, end = (int(np.broadcast_to(b, array.shape[1:])[tuple(bad[1:])]) for b in (first, end))
    cure = {
        'ids': 'add the offset of each field, or encode the data with the vocabulary the net was '
        'built for',
        'history': "give ids of the item's field, in empty slots too; with_history does",
        'lengths': 'give the number of filled slots',
    }.get(name, 'count from 0, and build the net for all of them')
    raise ValueError(
        f'{_place(name, names, bad)} is {array[tuple(bad)]}, outside its range, {first} to '
        f'{end - 1}: {cure}.'
    )


def check_labels(labels: np.ndarray, name: str = 'labels') -> None:
    """Refuse labels that are not 0 or 1, with the row, the value and a cure.

    Examples
    --------
    >>> check_labels(np.array([1.0, -1.0]))
    Traceback (most recent call last):
    ...
    ValueError: labels[1] is -1: a click label is 0 or 1; use (labels + 1) / 2.
    """
    bad = np.flatnonzero((labels != 0) & (labels != 1))  # a NaN is neither
    if bad.size:
        cure = 'use (labels + 1) / 2' if np.isin(labels, (-1, 1)).all() else 'use ratings >= 4, say'
        raise ValueError(
            f'{name}[{bad[0]}] is {labels[bad[0]]:g}: a click label is 0 or 1; {cure}.'
        )


def _place(name, names, where):
    """'dense[3, 1] (age)': a cell, with its column's name where there is one."""
    cell = f'{name}[{", ".join(map(str, where))}]'
    if names is not None and len(where) > 1 and where[1] < len(names):
        cell += f' ({names[where[1]]})'
    return cell
