"""Field-aware factorization machine."""

from __future__ import annotations

from collections.abc import Sequence

from ..layers import FieldAwareEmbedding, FieldAwarePairwiseTerm, LinearTerm
from .base import CTRModel

__all__ = ['FFM']


class FFM(CTRModel):
    """Field-aware factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_{f<g} <v[x_f, g], v[x_g, f]>

    Juan et al., Field-aware Factorization Machines for CTR Prediction, RecSys 2016, equation (4),
    with the first-order term of an FM. `embedding.weight` has shape (V, F * K): the vector of
    feature i for field g is `weight[i, g * K:(g + 1) * K]`.

    Parameters
    ----------
    field_dims : as in `CTRModel`; two fields or more
    num_factors : int
        K, the length of the vector that each feature keeps for each field.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.FFM([3, 5, 2], num_factors=4)
    FFM(
      (linear): LinearTerm(10 -> 1)
      (embedding): FieldAwareEmbedding(10 -> 3 x 4)
      (pairwise): FieldAwarePairwiseTerm(3 x 4 -> 1)
    )
    """

    def __init__(self, field_dims: Sequence[int], num_factors: int, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = FieldAwareEmbedding(
                self.num_features, self.num_fields, num_factors, self.bag_sizes
            )
            self.pairwise = FieldAwarePairwiseTerm(self.num_fields, num_factors)

    def hybrid_forward(self, F, *x):
        pairs = self.embedding._pairwise(F, x[0])
        if pairs is None:
            v_fg, v_gf = self.embedding(*x)  # (B, P, K), of the P pairs of fields f < g
            pairs = self.pairwise(v_fg, v_gf)
        return self.linear(*x) + pairs
