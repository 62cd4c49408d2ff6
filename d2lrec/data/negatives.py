"""Implicit feedback: who did what, and the items drawn as what he did not do.

A log of implicit feedback has ones only. What stands for the zeros is drawn anew for each epoch,
among the items that a user has not interacted with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional, Union

import numpy as np
from mxnet import nd
from numpy.typing import ArrayLike

from ..arguments import check_flag, check_real, check_seed, check_whole
from ..checks import check_ids
from .batches import BatchLoader
from .columns import Examples
from .json_files import is_whole
from .ratings import _extent

__all__ = ['Interactions', 'NegativeLoader', 'NegativeSampler']

ROUNDS = 20  # of drawing again what is seen, before the unseen items are listed one by one


class Interactions(Examples):
    """Pairs of a user and an item that he interacted with: what a ranking is learned from.

    Parameters
    ----------
    users, items : whole numbers (N,), counting from 0
    num_users, num_items : int
        U and I; by default the largest id and one.

    Attributes
    ----------
    columns : 'users' and 'items', int32 (N,)

    Raises
    ------
    ValueError
        For ids that are not whole or out of range.

    Examples
    --------
    >>> log = Interactions([0, 1, 1], [2, 0, 2], num_items=4)
    >>> log
    Interactions(3 pairs of 2 users and 4 items)
    >>> log.matrix().astype(int).tolist()
    [[0, 0, 1, 0], [1, 0, 1, 0]]
    """

    def __init__(
        self,
        users: Any,
        items: Any,
        num_users: Optional[int] = None,
        num_items: Optional[int] = None,
    ):
        super().__init__({'users': users, 'items': items})
        self.num_users = _extent(self.users, num_users, 'num_users')
        self.num_items = _extent(self.items, num_items, 'num_items')
        check_ids(self.users, 0, self.num_users, 'users')
        check_ids(self.items, 0, self.num_items, 'items')

    @property
    def users(self) -> np.ndarray:
        """`columns['users']`: (N,) int32."""
        return self.columns['users']

    @property
    def items(self) -> np.ndarray:
        """`columns['items']`: (N,) int32."""
        return self.columns['items']

    def counts(self) -> np.ndarray:
        """How many pairs each item has, (I,): the popularity."""
        return np.bincount(self.items, minlength=self.num_items)

    def matrix(self) -> np.ndarray:
        """True where a user has an item, (U, I): the form of `held_out` and `seen` in `ndcg`."""
        out = np.zeros((self.num_users, self.num_items), bool)
        out[self.users, self.items] = True
        return out

    def _alike(self):
        return self.num_users, self.num_items

    def __repr__(self):
        return (
            f'Interactions({len(self):,} pairs of {self.num_users:,} users and '
            f'{self.num_items:,} items)'
        )


class NegativeSampler:
    """Draws, for a user, items that he has not interacted with, with replacement.

    Item i is drawn with a probability proportional to its weight, among the user's unseen items:
    weight 1 where `power` is 0, the number of its pairs to the power of `power` otherwise. So an
    item without a pair is never drawn unless all are alike.

    The uniform draw is that of BPR (Rendle et al., UAI 2009); by popularity to the power of 3/4
    word2vec draws (Mikolov et al., NeurIPS 2013).

    Parameters
    ----------
    seen : Interactions
    power : float
        0 draws uniformly, 1 by popularity; what lies between is between.
    seed : int or numpy.random.Generator

    Raises
    ------
    ValueError
        Where a user has seen all that could be drawn, or for a power below 0.

    Examples
    --------
    >>> log = Interactions([0, 0, 1], [0, 1, 2], num_items=4)
    >>> NegativeSampler(log, seed=0).draw([1, 0, 0]).shape
    (3,)
    >>> sorted(set(NegativeSampler(log, seed=0).draw([0] * 50).tolist()))
    [2, 3]
    """

    def __init__(
        self, seen: Interactions, power: float = 0.0, seed: Union[int, np.random.Generator] = 0
    ):
        if not isinstance(seen, Interactions):
            raise ValueError(f'seen is a {type(seen).__name__}: give Interactions(users, items).')
        wanted = 'a number, 0 (uniform) or more'
        if check_real(power, 'power', wanted) < 0:
            raise ValueError(f'power is {power}: give {wanted}.')
        self.seen, self.power = seen, float(power)
        self.num_items = seen.num_items
        if not isinstance(seed, np.random.Generator):
            seed = check_seed(seed)
        self.rng = np.random.default_rng(seed)
        weights = seen.counts().astype('float64') ** self.power  # 0 ** 0 is 1
        self.weights = weights / weights.sum()
        self._ends = np.cumsum(self.weights)
        keys = seen.users.astype('int64') * self.num_items + seen.items
        self._keys = np.unique(keys)
        known = np.bincount(self._keys // self.num_items, minlength=seen.num_users)
        full = np.flatnonzero(known >= (self.weights > 0).sum())
        if full.size:
            raise ValueError(
                f'user {full[0]} has seen all {known[full[0]]} items that could be drawn: leave '
                'the user out, or add items (num_items=) and draw uniformly (power=0).'
            )

    def is_seen(self, users: ArrayLike, items: ArrayLike) -> np.ndarray:
        """Whether each user has interacted with the item beside it: (N,) booleans."""
        keys = np.asarray(users, 'int64') * self.num_items + np.asarray(items, 'int64')
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return self._keys[place] == keys

    def draw(self, users: ArrayLike) -> np.ndarray:
        """One unseen item for each of the users (N,): (N,) int32."""
        users = np.asarray(users)
        check_ids(users, 0, self.seen.num_users, 'users')
        items, open_ = np.zeros(len(users), 'int32'), np.arange(len(users))
        for _ in range(ROUNDS):
            items[open_] = self._any(len(open_))
            open_ = open_[self.is_seen(users[open_], items[open_])]
            if not len(open_):
                return items
        for row in open_:  # users who have seen nearly all
            ids = np.arange(self.num_items)
            weights = np.where(self.is_seen(np.full_like(ids, users[row]), ids), 0, self.weights)
            items[row] = self.rng.choice(self.num_items, p=weights / weights.sum())
        return items

    def _any(self, count):
        if not self.power:
            return self.rng.integers(0, self.num_items, count)
        places = np.searchsorted(self._ends, self.rng.random(count), 'right')
        return np.minimum(places, np.flatnonzero(self.weights)[-1])  # the ends' rounding


class NegativeLoader:
    """Batches of interactions and of negatives, which are drawn anew for each epoch.

    Parameters
    ----------
    data : Interactions
    batch_size : int
        Rows a batch, B.
    negatives : int
        How many are drawn for each pair.
    pairwise : bool
        Give (users, items, others), an unseen item `others` beside each item: N x negatives rows.
        Otherwise (users, items, labels), label 1 for what is in the data and 0 for what was drawn:
        N x (1 + negatives) rows.
    power : float
        As in `NegativeSampler`.
    seed : int
        Orders and draws the same each time.

    Yields
    ------
    list of mxnet.numpy.ndarray, each (B,)

    Raises
    ------
    ValueError
        As `NegativeSampler`; for no pairs, or sizes below 1.

    Examples
    --------
    >>> log = Interactions([0, 0, 1], [0, 1, 2], num_items=4)
    >>> for users, items, labels in NegativeLoader(log, batch_size=9, negatives=2):
    ...     print(len(users), int(labels.sum()))
    9 3
    """

    named = False  # always the same three columns

    def __init__(
        self,
        data: Interactions,
        batch_size: int,
        negatives: int = 1,
        pairwise: bool = False,
        power: float = 0.0,
        seed: int = 0,
    ):
        for name, value in (('batch_size', batch_size), ('negatives', negatives)):
            check_whole(value, name)
        self.sampler = NegativeSampler(data, power)
        if not len(data):
            raise ValueError('the data has no pairs: give at least one.')
        self.data, self.pairwise = data, check_flag(pairwise, 'pairwise')
        self.batch_size, self.negatives, self.seed = int(batch_size), int(negatives), seed
        self.epoch = 0

    @property
    def rows(self) -> int:
        """Rows of an epoch."""
        return len(self.data) * (self.negatives + (not self.pairwise))

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[list]:
        return self.batches()

    def batches(self, inputs: Optional[Mapping] = None) -> Iterator[list]:
        """The next epoch's batches."""
        self.sampler.rng = rng = np.random.default_rng([self.seed, self.epoch])
        self.epoch += 1
        users, items = (
            np.repeat(self.data.columns[name], self.negatives) for name in ('users', 'items')
        )
        others = self.sampler.draw(users)
        if self.pairwise:
            columns = [users, items, others]
        else:
            users = np.concatenate([self.data.users, users])
            labels = np.zeros(len(users), 'float32')
            labels[: len(self.data)] = 1
            columns = [users, np.concatenate([self.data.items, others]), labels]
        order = rng.permutation(self.rows)
        for first in range(0, self.rows, self.batch_size):
            some = order[first : first + self.batch_size]
            yield [nd.from_numpy(column[some]).as_np_ndarray() for column in columns]

    def check(self, net: Any, inputs: Optional[Mapping] = None) -> None:
        """Hold the data against a net, as `BatchLoader.check`; there are no labels to return."""
        BatchLoader(self.data, batch_size=self.batch_size).check(net, getattr(net, 'inputs', None))

    def fingerprint(self) -> int:
        """A checksum of the data, by which a checkpoint knows it again."""
        return BatchLoader(self.data, batch_size=self.batch_size).fingerprint()

    def get_state(self) -> dict:
        """What decides the epochs to come, for JSON; see `set_state`."""
        kind = [self.seed, self.negatives, self.pairwise, self.sampler.power]
        return {'rows': self.rows, 'batch_size': self.batch_size, 'kind': kind, 'at': self.epoch}

    def set_state(self, state: Mapping) -> None:
        """Go on as the loader did whose `get_state` this is; refuses one of another kind."""
        mine = self.get_state()
        if any(state[key] != mine[key] for key in ('rows', 'batch_size', 'kind')):
            raise ValueError(
                'the state is of a loader of other data, batch size, seed or way of drawing: '
                'give the same as before.'
            )
        if not is_whole(state['at']) or state['at'] < 0:
            raise ValueError(
                f'the state is of the epoch {state["at"]!r}: give what get_state gave.'
            )
        self.epoch = state['at']
