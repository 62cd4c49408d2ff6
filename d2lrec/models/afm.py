"""Attentional factorization machine."""

from mxnet.gluon import nn

from ..layers import AttentionPooling, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['AFM']


class AFM(CTRModel):
    """Attentional factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + p . sum_{f<g} a_fg (v[x_f] * v[x_g]), with weights a_fg that an
    attention network gives to each pair and that sum to 1.

    Xiao et al., Attentional Factorization Machines, IJCAI 2017, equation (6).

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields, two or more.
    num_factors : int
        K, the length of each feature's vector.
    attention_dim : int
        Width of the attention's hidden layer.
    drop_rate : float
        Dropout on the pooled vector.
    """

    def __init__(self, field_dims, num_factors, attention_dim=16, drop_rate=0.1, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.attention = AttentionPooling(len(self.field_dims), num_factors, attention_dim)
            self.dropout = nn.Dropout(drop_rate)
            self.output = nn.Dense(1, in_units=num_factors, use_bias=False)

    def hybrid_forward(self, F, x):
        pooled = self.attention(self.embedding(x))  # (B, K)
        return self.linear(x) + self.output(self.dropout(pooled))
