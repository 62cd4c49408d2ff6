"""Checks of the chapter on DeepFM."""

from __future__ import annotations

from .. import definitions
from .judge import Function, Verdict, judge, normal


def three_way(function: Function) -> Verdict:
    """What three fields alone decide: a table (I, J, K) -> the same shape, 0 along each axis.

    Examples
    --------
    >>> three_way(lambda table: table - table.mean()).key
    'three_way.constant'
    """
    rest = definitions.three_way
    return judge(
        function,
        rest,
        cases=[{'table': normal(3, 2, 4)}, {'table': normal(2, 5, 3, seed=1)}],
        mistakes=[
            ('three_way.constant', lambda t: t - t.mean()),
            *(('three_way.one_axis', lambda t, n=n: _centred(t, n)) for n in range(3)),
            *(
                ('three_way.two_axes', lambda t, m=m, n=n: _centred(_centred(t, m), n))
                for m, n in ((0, 1), (0, 2), (1, 2))
            ),
            ('three_way.one_field', _without_fields),
            ('three_way.twice', _without_means),
            ('three_way.taken_off', lambda t: t - rest(t)),
        ],
    )


def _centred(table, axis):
    return table - table.mean(axis, keepdims=True)


def _without_fields(table):
    """The constant and the terms of one field are off, those of two are in it."""
    ones = sum(table.mean(axes, keepdims=True) for axes in ((0, 1), (0, 2), (1, 2)))
    return table - ones + 2 * table.mean()


def _without_means(table):
    """The means along all three axes are those of the whole table: some is taken off twice."""
    return table - sum(table.mean(axis, keepdims=True) for axis in range(3))
