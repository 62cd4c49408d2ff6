"""Logistic regression on one-hot fields."""

from __future__ import annotations

from collections.abc import Sequence

from ..layers import LinearTerm
from .base import CTRModel

__all__ = ['LR']


class LR(CTRModel):
    """Logistic regression: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f]

    Parameters
    ----------
    field_dims : as in `CTRModel`

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.LR([3, 5])
    LR(
      (linear): LinearTerm(8 -> 1)
    )
    """

    def __init__(self, field_dims: Sequence[int], **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.linear = LinearTerm(field_dims, self.bag_sizes)

    def hybrid_forward(self, F, *x):
        return self.linear(*x)
