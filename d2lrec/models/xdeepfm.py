"""xDeepFM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mxnet.gluon import nn

from ..layers import CIN, MLP, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['XDeepFM']


class XDeepFM(CTRModel):
    """xDeepFM: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + w . CIN(v[x_1], ..., v[x_F]) + MLP([v[x_1], ..., v[x_F]])

    Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions, KDD 2018,
    equation (9), here before the sigmoid.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate, batch_norm : as in `CTRModel`
    cin_dims : sequence of int
        Number of feature maps of each layer of the CIN; layer l holds products of l + 1 fields.
    split : bool
        Half of each layer's maps feed the next layer, the other half the output.
    activation : str, optional
        For each feature map of the CIN, such as 'relu'.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.XDeepFM([3, 5], num_factors=4, mlp_dims=[16], cin_dims=[8, 6]).cin
    CIN(2 x 4 -> 8 -> 6 maps -> 10, split)
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        cin_dims: Sequence[int] = (16, 16),
        split: bool = True,
        activation: Optional[str] = None,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.cin = CIN(self.num_fields, num_factors, cin_dims, split, activation)
            self.head = nn.Dense(1, in_units=self.cin.out_units, use_bias=False)
            self.mlp = MLP(self.num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *x):
        e = self.embedding(*x)  # (B, F, K)
        return self.linear(*x) + self.head(self.cin(e)) + self.mlp(F.npx.batch_flatten(e))
