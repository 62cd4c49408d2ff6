"""What a net's ids mean: it remembers what encoded its training data, and other data is refused.

Two vocabularies of equal sizes fit the same net, and an id of the one is another value in the
other: nothing else would tell.
"""

from __future__ import annotations

from typing import Any, Optional

from mxnet import gluon

from .models.base import Model

__all__ = ['check_origin', 'check_parts', 'origin_of', 'remember', 'same_origin']


def origin_of(data: Any) -> Optional[tuple]:
    """What gives the numbers of a data set, an encoder or a loader their meaning, or None.

    (vocabulary, steps, plan) of what is encoded; (names of users, names of items) of `Ratings`
    that `Table.ratings` made.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> origin_of(d2l.Ratings([0], [1], [3.5])) is None
    True
    """
    data = getattr(data, '_examples', data)  # of a loader
    base = getattr(data, '_encoder', data)  # a `MultiHot` lays its vocabulary out anew
    vocabulary = getattr(base, 'vocabulary', None)
    if vocabulary is not None:
        steps = getattr(data, '_steps', None)
        steps = getattr(data, 'steps', ()) if steps is None else steps
        plan = getattr(data, '_plan', None) or getattr(base, 'plan', None)
        return vocabulary, tuple(steps), plan
    names = getattr(data, 'user_names', None), getattr(data, 'item_names', None)
    return None if None in names else names


def same_origin(one: Optional[tuple], other: Optional[tuple]) -> bool:
    """Whether equal numbers mean the same in both; True where one of them is not known.

    Examples
    --------
    >>> same_origin((['ann'], ['tea']), (['ann'], ['jam'])), same_origin(None, (['ann'], ['jam']))
    (False, True)
    """
    if one is None or other is None or len(one) != len(other):
        return True
    if len(one) == 2:
        return all(a is b or list(a) == list(b) for a, b in zip(one, other))
    (vocabulary, steps, plan), (vocabulary_2, steps_2, plan_2) = one, other
    return (
        (vocabulary is vocabulary_2 or vocabulary == vocabulary_2)
        and (steps == steps_2)
        and (plan is plan_2 or _treated(plan) == _treated(plan_2))
    )


def _treated(plan):
    """What a plan does to numbers and lists; which columns there are the vocabulary says."""
    if plan is None:
        return None
    cuts = {name: cuts.tolist() for name, cuts in plan.cuts.items()}
    return plan.numbers, cuts, list(plan.missing), dict(plan.slots), plan.pool


def remember(net: gluon.Block, data: Any) -> None:
    """Have a model know what encoded the data that it is trained on, until it begins anew.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> remember(net, d2l.Ratings([0], [1], [3.5]))
    >>> net._origin is None
    True
    """
    origin = origin_of(data)
    if isinstance(net, Model) and origin is not None:
        object.__setattr__(net, '_origin', origin)


def check_origin(net: gluon.Block, data: Any, what: str = 'the data') -> None:
    """Refuse data whose numbers mean other values than those that a model was trained on.

    Examples
    --------
    >>> import pandas as pd
    >>> import d2lrec as d2l
    >>> frame = pd.DataFrame({'y': [1, 0], 'town': ['Oslo', 'Rome']})
    >>> one, other = (
    ...     d2l.CTRDataset(f, min_threshold=1) for f in (frame, frame.replace('Rome', 'Lima'))
    ... )
    >>> net = d2l.LR(one.field_dims)
    >>> remember(net, one)
    >>> check_origin(net, other)
    Traceback (most recent call last):
    ...
    ValueError: the data was encoded in another way than what LR was trained on, ...
    """
    _check(
        getattr(net, '_origin', None),
        data,
        what,
        f'what {type(net).__name__} was trained on',
        ', or the encoder that load gives; a net for another vocabulary is built anew, or by '
        'warm_start',
    )


def check_parts(net: gluon.Block, train: Any, what: str = 'train_iter', **held_out: Any) -> None:
    """Refuse parts whose numbers mean other values than the net's, or than each other's.

    Examples
    --------
    >>> import pandas as pd
    >>> import d2lrec as d2l
    >>> frame = pd.DataFrame({'y': [1, 0], 'town': ['Oslo', 'Rome']})
    >>> one, other = (
    ...     d2l.CTRDataset(f, min_threshold=1) for f in (frame, frame.replace('Rome', 'Lima'))
    ... )
    >>> check_parts(d2l.LR(one.field_dims), one, valid_iter=other)
    Traceback (most recent call last):
    ...
    ValueError: valid_iter was encoded in another way than train_iter, ...
    """
    known = origin_of(train)
    for name, part in held_out.items():
        _check(known, part, name, what)
    check_origin(net, train, what)


def _check(known, data, what, than, more=''):
    """Refuse data whose numbers mean other values than those of a known origin."""
    if same_origin(known, origin_of(data)):
        return
    if len(known) == 2:
        raise ValueError(
            f'{what} numbers its users and items in another way than {than}, so that a number '
            'stands for somebody else: take all from the ratings of one table, ratings[rows] by '
            'its split_rows.'
        )
    raise ValueError(
        f'{what} was encoded in another way than {than}, by another vocabulary or by steps that '
        'were fitted apart, so that an id stands for another value: encode it by that of the '
        'training part, train.encoder.encode(frame) or CTRDataset(frame, '
        f'vocabulary=train.vocabulary){more}.'
    )
