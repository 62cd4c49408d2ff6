"""Attentional factorization machine."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet.gluon import nn

from ..layers import AttentionPooling, Dropout, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['AFM']


class AFM(CTRModel):
    """Attentional factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + p . sum_{f<g} a_fg (v[x_f] * v[x_g])

    An attention network gives each pair its weight a_fg; the weights sum to 1.

    Xiao et al., Attentional Factorization Machines, IJCAI 2017, equation (6).

    Parameters
    ----------
    field_dims : as in `CTRModel`; two fields or more
    num_factors : as in `CTRModel`
    attention_dim : int
        Width of the attention's hidden layer.
    drop_rate : float
        Dropout on the pooled vector, as in the paper.
    attention_drop_rate : float
        Dropout on the weights a_fg.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.AFM([3, 5, 2], num_factors=4).attention
    AttentionPooling(3 pairs x 4 -> 4, attention 16)
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        attention_dim: int = 16,
        drop_rate: float = 0.1,
        attention_drop_rate: float = 0.0,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.attention = AttentionPooling(
                self.num_fields, num_factors, attention_dim, attention_drop_rate
            )
            self.dropout = Dropout(drop_rate)
            self.head = nn.Dense(1, in_units=num_factors, use_bias=False)

    def hybrid_forward(self, F, *x):
        pooled = self.attention(self.embedding(*x))  # (B, K)
        return self.linear(*x) + self.head(self.dropout(pooled))
