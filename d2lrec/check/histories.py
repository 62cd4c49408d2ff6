"""Checks of the chapter on histories."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def past_rows(function: Function) -> Verdict:
    """users (N,), times (N,), length -> the rows each row's user had strictly before (N, length).

    Row numbers, oldest first and the latest `length` of them, -1 in the slots that are left.

    Examples
    --------
    >>> past_rows(lambda users, times, length: [[-1] * length] * len(users)).key
    'past_rows.none'
    """

    def rows(users, times, length, before):
        out = np.full((len(users), length), -1)
        for row in range(len(users)):
            of_user = [o for o in range(len(users)) if users[o] == users[row]]
            past = [o for o in of_user if before(times[o], times[row], o, row)]
            past = sorted(past, key=lambda o: (times[o], o))[-length:]
            out[row, : len(past)] = past
        return out

    def oldest(users, times, length):
        return definitions.past_rows(users, times, len(users))[:, :length]

    def newest_first(users, times, length):
        out = definitions.past_rows(users, times, length)
        return np.array([[*row[row >= 0][::-1], *row[row < 0]] for row in out])

    def padded_left(users, times, length):
        out = definitions.past_rows(users, times, length)
        return np.array([[*row[row < 0], *row[row >= 0]] for row in out])

    cases = [
        {
            'users': np.array([3, 1, 3, 3, 1, 3, 3], 'int32'),
            'times': np.array([5, 2, 1, 5, 9, 7, 8], 'int32'),
            'length': 3,
        },
        {
            'users': np.array([2, 2, 2, 0, 2, 2], 'int32'),
            'times': np.array([4, 1, 1, 1, 3, 4], 'int32'),
            'length': 2,
        },
    ]
    return judge(
        function,
        definitions.past_rows,
        cases,
        mistakes=[
            ('past_rows.none', lambda users, times, length: np.full((len(users), length), -1)),
            ('past_rows.itself', lambda *case: rows(*case, lambda a, b, o, row: a <= b)),
            ('past_rows.ties', lambda *case: rows(*case, lambda a, b, o, row: a <= b and o != row)),
            ('past_rows.ties', lambda *case: rows(*case, lambda a, b, o, row: (a, o) < (b, row))),
            ('past_rows.future', lambda *case: rows(*case, lambda a, b, o, row: True)),
            ('past_rows.future', lambda *case: rows(*case, lambda a, b, o, row: o != row)),
            ('past_rows.oldest', oldest),
            ('past_rows.newest_first', newest_first),
            ('past_rows.padded_left', padded_left),
        ],
    )


def augru_step(function: Function) -> Verdict:
    """h (B, H), u (B, H), c (B, H), a (B,) -> the next state of an AUGRU (B, H).

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equations (15) and (16).

    Examples
    --------
    >>> augru_step(lambda h, u, c, a: (1 - u) * h + u * c).key
    'augru_step.no_attention'
    """

    def definition(h, u, c, a):
        out = np.zeros(h.shape)
        for row in range(len(h)):
            for i in range(h.shape[1]):
                gate = a[row] * u[row, i]
                out[row, i] = (1 - gate) * h[row, i] + gate * c[row, i]
        return out

    def column(a):
        return np.asarray(a)[:, None]

    def case(rows, seed):
        rng = np.random.default_rng(seed)
        return {
            'h': normal(rows, 3, seed=seed),
            'u': rng.random((rows, 3)).astype('float32'),
            'c': normal(rows, 3, seed=seed + 1),
            'a': rng.random(rows).astype('float32'),
        }

    return judge(
        function,
        definition,
        cases=[case(4, 0), case(3, 5)],
        mistakes=[
            ('augru_step.no_attention', lambda h, u, c, a: (1 - u) * h + u * c),
            ('augru_step.agru', lambda h, u, c, a: (1 - column(a)) * h + column(a) * c),
            ('augru_step.forgets', lambda h, u, c, a: (1 - u) * h + column(a) * u * c),
            ('augru_step.turned', lambda h, u, c, a: column(a) * u * h + (1 - column(a) * u) * c),
        ],
    )
