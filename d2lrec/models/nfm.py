"""Neural factorization machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mxnet.gluon import nn

from ..layers import MLP, BiInteraction, Dropout, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['NFM']


class NFM(CTRModel):
    """Neural factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + MLP(sum_{f<g} v[x_f] * v[x_g])

    He and Chua, Neural Factorization Machines for Sparse Predictive Analytics, SIGIR 2017,
    equations (2) to (7). As there, dropout and batch normalization begin at the pooled vector.

    Parameters
    ----------
    field_dims, num_factors, drop_rate : as in `CTRModel`
    mlp_dims : as in `CTRModel`; without any, an FM whose K products are weighed
    batch_norm : as in `CTRModel`, and of the pooled vector
    pool_drop_rate : float, optional
        Dropout after the pooling; as `drop_rate` where it is not given.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.NFM([3, 5], num_factors=4, mlp_dims=[16]).mlp
    MLP(4 -> 16 -> 1, dropout 0.1)
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        batch_norm: bool = False,
        pool_drop_rate: Optional[float] = None,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        pool_drop_rate = drop_rate if pool_drop_rate is None else pool_drop_rate
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.pool = nn.HybridSequential()
            self.pool.add(BiInteraction(self.num_fields, num_factors, alone=True))
            if batch_norm:
                self.pool.add(nn.BatchNorm(in_channels=num_factors))
            if pool_drop_rate:
                self.pool.add(Dropout(pool_drop_rate))
            self.mlp = MLP(num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *x):
        return self.linear(*x) + self.mlp(self.pool(self.embedding(*x)))
