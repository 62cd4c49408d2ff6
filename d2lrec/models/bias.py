"""The baseline that every rating model is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from ..arguments import check_list, check_real, check_whole, shown
from ..checks import check_ids

if TYPE_CHECKING:  # its type is all that is needed of it
    from ..data.ratings import Ratings

__all__ = ['BiasBaseline']


class BiasBaseline:
    """Global mean with damped user and item biases; no vectors, no gradients.

    rating = μ + b_u + b_i
    b = argmin Σ (r_ui - μ - b_u - b_i)² + λ (Σ b_u² + Σ b_i²)

    Koren, Factor in the Neighbors: Scalable and Accurate Collaborative Filtering, TKDD 4(1),
    2010, section 2.1. For given user biases the best item biases are means over the item's
    ratings, divided by their number plus λ, and the other way round: a few turns settle both.

    Parameters
    ----------
    damping : float
        λ: how many ratings of exactly μ each user and each item is given on top.
    num_passes : int
        Turns of item and user biases.

    Examples
    --------
    >>> baseline = BiasBaseline(damping=0).fit([0, 0, 1, 1], [0, 1, 0, 1], [5, 3, 4, 2])
    >>> baseline.predict([0, 1], [0, 1]).round(2).tolist()
    [5.0, 2.0]
    """

    def __init__(self, damping: float = 5.0, num_passes: int = 20):
        if check_real(damping, 'damping', 'a number, 0 or more') < 0:
            raise ValueError(f'damping is {damping}: give a number, 0 or more.')
        self.damping, self.num_passes = damping, check_whole(num_passes, 'num_passes')

    def fit(
        self,
        users: Union[Ratings, np.ndarray],
        items: Optional[np.ndarray] = None,
        ratings: Optional[np.ndarray] = None,
        num_users: Optional[int] = None,
        num_items: Optional[int] = None,
    ) -> BiasBaseline:
        """Learn from `Ratings`, or from ratings (N,) of users (N,) and items (N,); return self.

        Users and items without a rating have the bias 0. Raises ValueError for no ratings, or
        unequal lengths.
        """
        if items is None:
            _check_ratings(users)
            num_users, num_items = users.num_users, users.num_items
            users, items, ratings = users.users, users.items, users.ratings
        users, items = self._ids(users, 'user'), self._ids(items, 'item')
        ratings = np.asarray(ratings)
        if not len(ratings) or not len(users) == len(items) == len(ratings):
            raise ValueError(
                f'BiasBaseline got {len(users)} users, {len(items)} items and '
                f'{len(ratings)} ratings: give as many of each, at least one.'
            )
        counted = int(users.max()) + 1, int(items.max()) + 1
        num_users = counted[0] if num_users is None else check_whole(num_users, 'num_users')
        num_items = counted[1] if num_items is None else check_whole(num_items, 'num_items')
        check_ids(users, 0, num_users, 'users')
        check_ids(items, 0, num_items, 'items')
        self.mean = float(ratings.mean(dtype='float64'))
        self.user_bias, self.item_bias = np.zeros(num_users), np.zeros(num_items)
        for _ in range(self.num_passes):
            for own, mine, other, theirs in (
                (self.item_bias, items, self.user_bias, users),
                (self.user_bias, users, self.item_bias, items),
            ):
                rest = np.bincount(mine, ratings - self.mean - other[theirs], len(own))
                count = np.bincount(mine, minlength=len(own)) + self.damping
                own[:] = np.divide(rest, count, out=np.zeros(len(own)), where=count > 0)
        return self

    def predict(
        self, users: Union[Ratings, np.ndarray], items: Optional[np.ndarray] = None
    ) -> np.ndarray:
        """Ratings (N,) of `Ratings`, or of users (N,) and items (N,).

        The bias of ids never seen is 0.
        """
        if items is None:
            _check_ratings(users)
            users, items = users.users, users.items
        out = np.full(len(users), self.mean)
        for bias, ids in (
            (self.user_bias, self._ids(users, 'user')),
            (self.item_bias, self._ids(items, 'item')),
        ):
            known = ids < len(bias)
            out[known] += bias[ids[known]]
        return out

    @staticmethod
    def _ids(ids, what):
        ids = np.asarray(check_list(ids, f'{what}s', 'whole numbers from 0'))
        if ids.dtype.kind not in 'iu' and ids.size:
            raise ValueError(f'the {what} ids are of type {ids.dtype}: give whole numbers from 0.')
        if ids.size and ids.min() < 0:
            raise ValueError(f'row {ids.argmin()} has the {what} id {ids.min()}: ids count from 0.')
        return ids


def _check_ratings(data):
    if not hasattr(data, 'users'):
        raise ValueError(f'users is {shown(data)}: give Ratings, or users and items.')
