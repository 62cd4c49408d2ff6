"""Models of what a user had before: the bag, and attention over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..layers import MLP, Embedding
from ..layers_sequence import ActivationUnit, SlotMask, WeightedSlots
from .base import HistoryModel

__all__ = ['DIN', 'HistoryBag']


class HistoryBag(HistoryModel):
    """The mean of what the user had before: ids (B, F), history (B, L), lengths (B,) -> (B, 1).

    logit = MLP([v[x_1], ..., v[x_F], 1 / n sum_l v[h_l]])

    The vector of a user is the same whichever item it meets. A history of no item is a vector of
    zeros.

    Zhou et al., Deep Interest Network, KDD 2018, section 4.2, the base model, with mean pooling.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate : as in `CTRModel`
    history_length, item_field : as in `HistoryModel`
    activation : str
        Of the MLP: 'relu' or 'dice'.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.HistoryBag([3, 5], 8, [16], history_length=20)
    HistoryBag(
      (embedding): Embedding(8 -> 8)
      (slots): SlotMask(1 -> 20, mean)
      (pool): WeightedSlots(20 x 8 -> 8)
      (mlp): MLP(24 -> 16 -> 1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        history_length: int,
        item_field: int = -1,
        drop_rate: float = 0.0,
        activation: str = 'relu',
        **kwargs,
    ):
        super().__init__(field_dims, history_length, item_field, **kwargs)
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors)
            self.slots = SlotMask(history_length, mean=True)
            self.pool = WeightedSlots(history_length, num_factors)
            in_units = (self.num_fields + 1) * num_factors
            self.mlp = MLP(in_units, mlp_dims, drop_rate, activation=activation)

    def hybrid_forward(self, F, ids, history, lengths):
        e = self.embedding(ids)
        mean = self.pool(self.embedding(history), self.slots(lengths))  # (B, K)
        return self._top(F, e, mean)


class DIN(HistoryModel):
    """Deep interest network: ids (B, F), history (B, L), lengths (B,) -> logits (B, 1).

    logit = MLP([v[x_1], ..., v[x_F], sum_l a(v[h_l], v[item]) v[h_l]])

    The activation unit a weighs each past item by what it has to do with the item at hand, so
    that a user is another vector for another item. `weights` says how much.

    Zhou et al., Deep Interest Network, KDD 2018, equation (3).

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate : as in `CTRModel`
    history_length, item_field : as in `HistoryModel`
    attention_dims : sequence of int
        Widths of the activation unit's hidden layers.
    activation : str
        Of the MLP: 'relu', or the paper's 'dice'.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DIN([3, 5], 8, [16], history_length=20)
    DIN(
      (embedding): Embedding(8 -> 8)
      (slots): SlotMask(1 -> 20)
      (unit): ActivationUnit(20 slots x 8 -> 20, hidden 16)
      (pool): WeightedSlots(20 x 8 -> 8)
      (mlp): MLP(24 -> 16 -> 1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        history_length: int,
        item_field: int = -1,
        attention_dims: Sequence[int] = (16,),
        drop_rate: float = 0.0,
        activation: str = 'relu',
        **kwargs,
    ):
        super().__init__(field_dims, history_length, item_field, **kwargs)
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors)
            self.slots = SlotMask(history_length)
            self.unit = ActivationUnit(history_length, num_factors, attention_dims)
            self.pool = WeightedSlots(history_length, num_factors)
            in_units = (self.num_fields + 1) * num_factors
            self.mlp = MLP(in_units, mlp_dims, drop_rate, activation=activation)

    def hybrid_forward(self, F, ids, history, lengths):
        e, past = self.embedding(ids), self.embedding(history)
        interest = self.pool(past, self._weights(e, past, lengths))  # (B, K)
        return self._top(F, e, interest)

    def _weights(self, e, past, lengths):  # (B, L)
        return self.unit(past, e[:, self.item_field]) * self.slots(lengths)

    def attention(self, data: Any) -> np.ndarray:
        """How much each slot of each example weighs, (N, L); 0 in the empty ones."""
        return self._weights(*self._looked_up(data)).asnumpy()
