"""Field-aware factorization machine."""

from ..layers import Embedding, FieldAwarePairwiseTerm, LinearTerm
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
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of the vector that each feature keeps for each field.
    """

    def __init__(self, field_dims, num_factors, **kwargs):
        super().__init__(field_dims, **kwargs)
        num_fields = len(self.field_dims)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_fields * num_factors)
            self.pairwise = FieldAwarePairwiseTerm(num_fields, num_factors)

    def hybrid_forward(self, F, x):
        return self.linear(x) + self.pairwise(self.embedding(x))
