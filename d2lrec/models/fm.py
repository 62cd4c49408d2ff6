"""Factorization machine."""

from __future__ import annotations

from collections.abc import Sequence

from ..layers import Embedding, LinearTerm, PairwiseTerm
from .base import CTRModel

__all__ = ['FM']


class FM(CTRModel):
    """Factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_{f<g} <v[x_f], v[x_g]>

    Rendle, Factorization Machines, ICDM 2010, equation (1).

    Parameters
    ----------
    field_dims, num_factors : as in `CTRModel`

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.FM([3, 5], num_factors=4)
    FM(
      (linear): LinearTerm(8 -> 1)
      (embedding): Embedding(8 -> 4)
      (pairwise): PairwiseTerm(2 x 4 -> 1)
    )
    """

    def __init__(self, field_dims: Sequence[int], num_factors: int, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.pairwise = PairwiseTerm(self.num_fields, num_factors, alone=True)

    def hybrid_forward(self, F, *x):
        return self.linear(*x) + self.pairwise(self.embedding(*x))
