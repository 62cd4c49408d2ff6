"""Two vectors to drag: a user's and a film's of a matrix factorization, in their own plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
from numpy.typing import ArrayLike

from .. import palette
from ..arguments import check_list, check_whole, is_number, shown
from ..models.mf import MF
from .instrument import Instrument, packed, rounded

__all__ = ['vectors']

NUMBERS = "whole numbers of the net's items"


def vectors(
    net: MF,
    user: int,
    item: int,
    items: ArrayLike,
    titles: Sequence[str],
    users: Optional[Sequence[Any]] = None,
) -> Instrument:
    """A user's and an item's vector as arrows to drag, and what becomes of the predictions.

    The two span a plane; drawn in it they have their lengths, their angle and their inner product,
    whatever K is. With them move the prediction, the user's list and the item's predictions for
    all users.

    Parameters
    ----------
    net : MF
    user, item : int
        Whose vectors to begin with, by the net's numbers.
    items : array (N,) of whole numbers
        The items to choose from and to list, by the net's numbers; `item` is one of them.
    titles : list of str, one for each of the net's items
    users : list, optional
        What the users are called; by default their numbers.

    Raises
    ------
    ValueError
        For a net that is no MF with vectors of two numbers or more, or a `user` or `item` that is
        not among those to choose from.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.MF(4, num_users=3, num_items=2, mean=3.5)
    >>> net.initialize()
    >>> d2l.instruments.vectors(net, 0, 1, [0, 1], ['Alien', 'Bambi']).data['titles']
    ['Alien', 'Bambi']
    """
    if not isinstance(net, MF) or net.P.weight.shape[1] < 2:
        raise ValueError(
            f'{type(net).__name__} has no vectors of users and items of two numbers or more: '
            'give an MF with num_factors of at least 2.'
        )
    P, Q, b_u, b_i = (
        one.data().asnumpy().astype('float64')
        for one in (net.P.weight, net.Q.weight, net.user_bias, net.item_bias)
    )
    items = [check_whole(i, 'an item', 0, len(Q) - 1) for i in check_list(items, 'items', NUMBERS)]
    user = check_whole(user, 'user', 0, len(P) - 1)
    if not is_number(item) or item not in items:
        raise ValueError(f'item {shown(item)} is not among the items to choose from: give one.')
    item = int(item)
    titles = check_list(titles, 'titles', 'one for each of the items of the net')
    users = None if users is None else check_list(users, 'users', 'one name for each of the users')
    for what, given, wanted in (('titles', titles, len(Q)), ('users', users, len(P))):
        if given is not None and len(given) != wanted:
            raise ValueError(f'{what} are {len(given)} for {wanted} of the net: give one for each.')
    names = list(range(len(P))) if users is None else users
    given = {
        'mean': net.mean,
        'P': packed(P),
        'Q': packed(Q[items]),
        'userBias': rounded(b_u[:, 0]),
        'itemBias': rounded(b_i[items, 0]),
        'titles': [str(titles[i]) for i in items],
        'users': [str(name) for name in names],
        'start': [int(user), items.index(item)],
    }
    p, q = P[user], Q[item]
    return Instrument(
        'vectors',
        given,
        _figure(p, q, names[user], str(titles[item])[:30]),
        user=names[user],
        item=titles[item],
        product=f'{p @ q:.2f}',
        angle=f'{np.degrees(_angle(p, q)):.0f}',
        p=f'{np.linalg.norm(p):.2f}',
        q=f'{np.linalg.norm(q):.2f}',
    )


def _angle(p, q):
    long = np.linalg.norm(p) * np.linalg.norm(q)
    return float(np.arccos(np.clip(p @ q / long, -1, 1))) if long else 0.0


def _figure(p, q, user, title):
    """The two arrows in their plane, and the shadow of the one on the other."""
    from ..plot import _figure, _styled, _text

    @_styled
    def draw():
        figure, (axis,) = _figure(1, width=4.4, height=3.6)
        angle, long, other = _angle(p, q), np.linalg.norm(p), np.linalg.norm(q)
        tips = long * np.array([1.0, 0.0]), other * np.array([np.cos(angle), np.sin(angle)])
        for tip, color, name in zip(tips, (palette.A, palette.B), (f'user {user}', title)):
            axis.annotate(
                '', tip, (0, 0), arrowprops={'arrowstyle': '-|>', 'color': color, 'lw': 2}
            )
            axis.annotate(_text(name), tip, xytext=(4, 4), textcoords='offset points', color=color)
        axis.plot([tips[1][0]] * 2, [0, tips[1][1]], ':', color=palette.LINE, linewidth=1)
        reach = 1.15 * max(long, other, 1e-9)
        axis.set(xlim=(-reach, 1.5 * reach), ylim=(-0.15 * reach, reach), aspect='equal')
        return figure

    return draw()
