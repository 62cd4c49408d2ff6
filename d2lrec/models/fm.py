"""Factorization machine."""

from ..layers import Embedding, LinearTerm, PairwiseTerm
from .base import CTRModel

__all__ = ['FM']


class FM(CTRModel):
    """Factorization machine: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_{f<g} <v[x_f], v[x_g]>

    Rendle, Factorization Machines, ICDM 2010, equation (1).

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of each feature's vector.
    """

    def __init__(self, field_dims, num_factors, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.pairwise = PairwiseTerm(len(self.field_dims), num_factors)

    def hybrid_forward(self, F, x):
        return self.linear(x) + self.pairwise(self.embedding(x))
