"""Logistic regression on one-hot fields."""

from ..layers import LinearTerm
from .base import CTRModel

__all__ = ['LR']


class LR(CTRModel):
    """Logistic regression: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f]

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields.
    """

    def __init__(self, field_dims, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)

    def hybrid_forward(self, F, x):
        return self.linear(x)
