"""Neural factorization machine."""

from mxnet.gluon import nn

from ..layers import MLP, BiInteraction, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['NFM']


class NFM(CTRModel):
    """Neural factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + MLP(sum_{f<g} v[x_f] * v[x_g])

    He and Chua, Neural Factorization Machines for Sparse Predictive Analytics, SIGIR 2017,
    equations (2) to (7). As there, dropout and batch normalisation begin at the pooled vector.

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of each feature's vector.
    mlp_dims : sequence of int
        Widths of the hidden layers; without any, an FM whose K products are weighed.
    drop_rate : float
        Dropout after each hidden layer.
    batch_norm : bool
        Normalise the pooled vector, and before each activation.
    pool_drop_rate : float, optional
        Dropout after the pooling; as `drop_rate` where it is not given.
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        mlp_dims,
        drop_rate=0.1,
        batch_norm=False,
        pool_drop_rate=None,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        pool_drop_rate = drop_rate if pool_drop_rate is None else pool_drop_rate
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.pool = nn.HybridSequential()
            self.pool.add(BiInteraction(len(self.field_dims), num_factors))
            if batch_norm:
                self.pool.add(nn.BatchNorm(in_channels=num_factors))
            if pool_drop_rate:
                self.pool.add(nn.Dropout(pool_drop_rate))
            self.mlp = MLP(num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x):
        return self.linear(x) + self.mlp(self.pool(self.embedding(x)))
