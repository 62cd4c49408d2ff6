"""DeepFM, with its three parts added up or concatenated."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet.gluon import nn

from ..layers import MLP, BiInteraction, Embedding, LinearTerm, PairwiseTerm, hidden_layers
from .base import CTRModel

__all__ = ['DeepFM', 'DeepFMConcat']


class DeepFM(CTRModel):
    """DeepFM: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_{f<g} <v[x_f], v[x_g]> + MLP([v[x_1], ..., v[x_F]])

    An FM and an MLP on the same vectors v.

    Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction,
    IJCAI 2017, equation (1), here before the sigmoid.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate, batch_norm : as in `CTRModel`

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DeepFM([3, 5], num_factors=4, mlp_dims=[16])
    DeepFM(
      (linear): LinearTerm(8 -> 1)
      (embedding): Embedding(8 -> 4)
      (pairwise): PairwiseTerm(2 x 4 -> 1)
      (mlp): MLP(8 -> 16 -> 1, dropout 0.1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.pairwise = PairwiseTerm(self.num_fields, num_factors)
            self.mlp = MLP(self.num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *x):
        e = self.embedding(*x)  # (B, F, K)
        return self.linear(*x) + self.pairwise(e) + self.mlp(F.npx.batch_flatten(e))


class DeepFMConcat(CTRModel):
    """DeepFM with its parts concatenated under one dense layer: ids (B, F) -> logits (B, 1).

    logit = u . [b + sum_f w[x_f], sum_{f<g} v[x_f] * v[x_g], hidden] + c

    Here `hidden` is the last hidden layer of the MLP.

    As many write-ups of DeepFM have it: instead of adding up the first-order term, the K pairwise
    terms and the MLP's output, one last layer weighs them. With u of ones on the first 1 + K
    numbers it is `DeepFM`.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate, batch_norm : as in `CTRModel`

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DeepFMConcat([3, 5], num_factors=4, mlp_dims=[16]).head
    Dense(21 -> 1, linear)
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        units = self.num_fields * num_factors
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.pairwise = BiInteraction(self.num_fields, num_factors)
            self.hidden = hidden_layers(units, mlp_dims, drop_rate, batch_norm)
            self.head = nn.Dense(1, in_units=1 + num_factors + [units, *mlp_dims][-1])

    def hybrid_forward(self, F, *x):
        e = self.embedding(*x)  # (B, F, K)
        parts = self.linear(*x), self.pairwise(e), self.hidden(F.npx.batch_flatten(e))
        return self.head(F.np.concatenate(parts, axis=1))
