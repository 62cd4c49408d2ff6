"""Neural matrix factorization."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet.gluon import nn

from ..layers import MLP, Embedding
from .base import PairModel

__all__ = ['NeuMF']


class NeuMF(PairModel):
    """Neural matrix factorization: users (B,), items (B,) -> logits (B, 1) of implicit feedback.

    logit = h · [p_u * q_i ; φ(p'_u, q'_i)]

    A generalized matrix factorization and the last hidden layer φ of an MLP, each on vectors of
    its own, weighed together by h: here as two heads that are added.

    He et al., Neural Collaborative Filtering, WWW 2017, equation (12), before the sigmoid.

    Parameters
    ----------
    num_factors : int
        K, the length of the vectors p, q and of p', q'.
    num_users, num_items : as in `PairModel`
    nums_hiddens : sequence of int
        Widths of the MLP's hidden layers.
    drop_rate : float
        Dropout after each hidden layer.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.NeuMF(8, num_users=943, num_items=1682, nums_hiddens=[16]).mlp
    MLP(16 -> 16 -> 1)
    """

    def __init__(
        self,
        num_factors: int,
        num_users: int,
        num_items: int,
        nums_hiddens: Sequence[int],
        drop_rate: float = 0.0,
        **kwargs,
    ):
        super().__init__(num_users, num_items, **kwargs)
        with self.name_scope():
            self.P = Embedding(num_users, num_factors)
            self.Q = Embedding(num_items, num_factors)
            self.U = Embedding(num_users, num_factors)
            self.V = Embedding(num_items, num_factors)
            self.gmf = nn.Dense(1, in_units=num_factors, use_bias=False)
            self.mlp = MLP(2 * num_factors, nums_hiddens, drop_rate)

    def hybrid_forward(self, F, users, items):
        pair = F.np.concatenate([self.U(users), self.V(items)], axis=1)  # (B, 2K)
        return self.gmf(self.P(users) * self.Q(items)) + self.mlp(pair)

    def tables(self) -> dict:
        """The vectors, by the input that looks them up."""
        return {
            ('users',): [self.P.weight, self.U.weight],
            ('items',): [self.Q.weight, self.V.weight],
        }
