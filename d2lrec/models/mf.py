"""Biased matrix factorization."""

from __future__ import annotations

import numpy as np
from mxnet import init
from numpy.typing import ArrayLike

from ..arguments import shown
from ..layers import Embedding, SumOver, look_up
from .base import PairModel

__all__ = ['MF']


class MF(PairModel):
    """Biased matrix factorization: users (B,), items (B,) -> ratings (B,).

    rating = μ + b_u + b_i + <p_u, q_i>

    Of implicit feedback, `output='logit'`, the same sum is the logit of "this user, this item".

    μ is the mean of the training ratings, a number and not trained; the biases start at 0.
    `net.P.weight` (U, K), `net.Q.weight` (I, K), `net.user_bias` (U, 1), `net.item_bias` (I, 1).

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems, Computer
    42(8), 2009, equation (4).

    Parameters
    ----------
    num_factors : int
        K, the length of each user's and each item's vector.
    num_users, num_items : as in `PairModel`
    mean : float
        μ, in rating units: `mean=ratings.mean()` of the training part.
    output : 'rating' or 'logit'
        What the sum is taken for: it decides on the loss, and whether `predict` applies a sigmoid.

    Raises
    ------
    ValueError
        For another output; and as `PairModel`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.MF(8, num_users=943, num_items=1682, mean=3.5)
    MF(
      (P): Embedding(943 -> 8)
      (Q): Embedding(1682 -> 8)
      (sum_factors): SumOver(8 x 1 -> 1)
    )
    """

    def __init__(
        self,
        num_factors: int,
        num_users: int,
        num_items: int,
        mean: float = 0.0,
        output: str = 'rating',
        **kwargs,
    ):
        super().__init__(num_users, num_items, **kwargs)
        if output not in ('rating', 'logit'):
            raise ValueError(f"MF got output = {shown(output)}: give 'rating' or 'logit'.")
        self.mean, self.output = float(mean), output
        with self.name_scope():
            self.P = Embedding(num_users, num_factors)
            self.Q = Embedding(num_items, num_factors)
            self.sum_factors = SumOver(num_factors)
            self.user_bias = self.params.get('user_bias', shape=(num_users, 1), init=init.Zero())
            self.item_bias = self.params.get('item_bias', shape=(num_items, 1), init=init.Zero())
        self.user_bias.looked_up = self.item_bias.looked_up = True  # no matrix of a layer

    def hybrid_forward(self, F, users, items, user_bias, item_bias):
        b_u = look_up(F, user_bias, users)
        b_i = look_up(F, item_bias, items)
        pq = self.sum_factors(self.P(users) * self.Q(items))  # (B, 1)
        return F.npx.reshape(self.mean + b_u + b_i + pq, (-1,))

    def tables(self) -> dict:
        """Vectors and biases, by the input that looks them up."""
        return {
            ('users',): [self.P.weight, self.user_bias],
            ('items',): [self.Q.weight, self.item_bias],
        }

    def scores(self, users: ArrayLike) -> np.ndarray:
        """Of each of these users for all items, (n, I): one matrix product."""
        users = self._users(users)
        P, Q, b_u, b_i = (
            p.data(p.list_ctx()[0]).asnumpy().astype('float64')
            for p in (self.P.weight, self.Q.weight, self.user_bias, self.item_bias)
        )
        return self.mean + b_u[users] + b_i.T + P[users] @ Q.T
