"""Arguments looked at where they come in: what is of another kind is named in one sentence."""

from __future__ import annotations

import difflib
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any, Optional

import numpy as np

__all__ = [
    'check_call',
    'check_flag',
    'check_list',
    'check_net',
    'check_options',
    'check_path',
    'check_real',
    'check_seed',
    'check_whole',
    'is_number',
    'shown',
]

LONGEST = 80  # characters of a value in a sentence
LAST_SEED = 2**32 - 1  # that NumPy and MXNet take


def shown(value: Any) -> str:
    """A value as it stands in a sentence: on one line, and not long.

    Examples
    --------
    >>> shown('a'), shown(np.zeros((2, 2)))
    ("'a'", 'array([[0., 0.], [0., 0.]])')
    """
    value = value.item() if isinstance(value, np.generic) else value
    text = ' '.join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'


def is_number(value: Any) -> bool:
    """Whether a value is a real number; True and False are not.

    Examples
    --------
    >>> is_number(np.float32(1)), is_number(True)
    (True, False)
    """
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def check_whole(value: Any, name: str, least: int = 1, most: Optional[float] = None) -> int:
    """A whole number of Python's or NumPy's, from `least` on, as an int.

    Examples
    --------
    >>> check_whole(np.int64(3), 'k'), check_whole(0, 'seed', 0)
    (3, 0)
    >>> check_whole(2.5, 'k')
    Traceback (most recent call last):
    ...
    ValueError: k is 2.5: give a whole number, 1 or more.
    """
    whole = isinstance(value, numbers.Integral) and is_number(value)
    if not whole or value < least or (most is not None and value > most):
        end = ' or more' if most is None else f' to {int(most)}'
        raise ValueError(f'{name} is {shown(value)}: give a whole number, {least}{end}.')
    return int(value)


def check_real(value: Any, name: str, wanted: str = 'a number') -> float:
    """A finite number as a float; `wanted` says what it is asked to be.

    Examples
    --------
    >>> check_real('a', 'rate', 'a share between 0 and 1')
    Traceback (most recent call last):
    ...
    ValueError: rate is 'a': give a share between 0 and 1.
    """
    try:
        if is_number(value) and np.isfinite(float(value)):
            return float(value)
    except OverflowError:
        pass
    raise ValueError(f'{name} is {shown(value)}: give {wanted}.')


def check_seed(seed: Any, name: str = 'seed') -> int:
    """A seed of NumPy's and MXNet's, as an int.

    Examples
    --------
    >>> check_seed(-1)
    Traceback (most recent call last):
    ...
    ValueError: seed is -1: give a whole number, 0 to 4294967295.
    """
    return check_whole(seed, name, 0, LAST_SEED)


def check_path(path: Any, name: str = 'path') -> str:
    """The path of a file, as text.

    Examples
    --------
    >>> check_path(3)
    Traceback (most recent call last):
    ...
    ValueError: path is 3: give the path of a file.
    """
    if isinstance(path, (str, bytes, os.PathLike)) and os.fspath(path):
        path = os.fsdecode(path)
        if _fits(path):
            return path
    raise ValueError(f'{name} is {shown(path)}: give the path of a file.')


def _fits(path):
    """Whether a path can be a file's name: half a character or a NUL cannot."""
    try:
        return b'\0' not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def check_list(values: Any, name: str, wanted: str) -> list:
    """Several values (a list, tuple, array and so on, not a text) as a list.

    Examples
    --------
    >>> check_list((3, 5), 'field_dims', 'the number of ids of each field')
    [3, 5]
    >>> check_list(3, 'field_dims', 'the number of ids of each field')
    Traceback (most recent call last):
    ...
    ValueError: field_dims is 3: give the number of ids of each field.
    """
    values = values.asnumpy() if hasattr(values, 'asnumpy') else values
    several = isinstance(values, Sequence) or hasattr(values, '__array__')
    if isinstance(values, (str, bytes)) or not several or getattr(values, 'ndim', 1) != 1:
        raise ValueError(f'{name} is {shown(values)}: give {wanted}.')
    return list(values)


def check_call(value: Any, name: str, wanted: str) -> None:
    """Refuse what cannot be called, and a class in place of what it makes.

    Examples
    --------
    >>> check_call(1, 'measure', 'a function, such as rmse')
    Traceback (most recent call last):
    ...
    ValueError: measure is 1: give a function, such as rmse.
    """
    if isinstance(value, type):
        raise ValueError(f'{name} is the class {value.__name__}: give {value.__name__}(...).')
    if not callable(value):
        raise ValueError(f'{name} is {shown(value)}: give {wanted}.')


def check_flag(value: Any, name: str) -> bool:
    """True or False, also NumPy's, or 1 or 0.

    Examples
    --------
    >>> check_flag('no', 'shuffle')
    Traceback (most recent call last):
    ...
    ValueError: shuffle is 'no': give True or False.
    """
    if isinstance(value, (bool, np.bool_, numbers.Integral)) and value in (0, 1):
        return bool(value)
    raise ValueError(f'{name} is {shown(value)}: give True or False.')


def check_options(options: Iterable[str], known: Sequence[str], what: str) -> None:
    """Refuse an argument by a name that is none of those known, such as one misspelled.

    Examples
    --------
    >>> check_options({'patiense': 2}, ['patience', 'monitor'], 'fit')
    Traceback (most recent call last):
    ...
    ValueError: fit has no argument 'patiense': did you mean patience?
    """
    for name in options:
        if name not in known:
            alike = difflib.get_close_matches(name, known, 1)
            cure = f'did you mean {alike[0]}?' if alike else f'it takes {", ".join(known)}.'
            raise ValueError(f'{what} has no argument {name!r}: {cure}')


def check_net(net: Any, name: str = 'net') -> None:
    """Refuse what is no block of Gluon's.

    Examples
    --------
    >>> check_net('FM')
    Traceback (most recent call last):
    ...
    ValueError: net is 'FM': give a model, such as d2l.FM(field_dims, num_factors=8).
    """
    from mxnet import gluon

    if not isinstance(net, gluon.Block):
        what = f'the class {net.__name__}' if isinstance(net, type) else shown(net)
        raise ValueError(
            f'{name} is {what}: give a model, such as d2l.FM(field_dims, num_factors=8).'
        )
