"""Deep interest evolution network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_real
from ..layers import MLP, Embedding
from ..layers_sequence import AUGRU, GRU, NextItemLoss, SlotMask, TargetAttention
from .base import HistoryModel

__all__ = ['DIEN']


class DIEN(HistoryModel):
    """Deep interest evolution network: ids (B, F), history (B, L), lengths (B,) -> logits (B, 1).

    h_1, ..., h_L = GRU(v[h_1], ..., v[h_L])
    logit = MLP([v[x_1], ..., v[x_F], AUGRU(h_1, ..., h_L; a)])

    A first GRU makes states of interest of the past items, in their order; the attention a of
    the item at hand says how far each moves the state of the second, so that the last word is
    that of the related interests and not that of the last item. In training the loss has another
    term, `NextItemLoss`: a state should tell the item that came next from another.

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equations (2) to (12). The states
    have as many numbers as the vectors, K, as the inner products of the auxiliary loss need.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate : as in `CTRModel`
    history_length, item_field : as in `HistoryModel`
    auxiliary : float
        Weight α of the auxiliary loss; 0 leaves it out.
    activation : str
        Of the MLP: 'relu', or 'dice'.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DIEN([3, 5], 8, [16], history_length=20)
    DIEN(
      (embedding): Embedding(8 -> 8)
      (slots): SlotMask(1 -> 20)
      (extractor): GRU(20 x 8 -> 8)
      (unit): TargetAttention(20 x 8, 8 -> 20)
      (evolution): AUGRU(20 x 8 -> 8)
      (mlp): MLP(24 -> 16 -> 1)
      (next_item): NextItemLoss(19 x 8 -> 1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        history_length: int,
        item_field: int = -1,
        auxiliary: float = 1.0,
        drop_rate: float = 0.0,
        activation: str = 'relu',
        **kwargs,
    ):
        super().__init__(field_dims, history_length, item_field, **kwargs)
        wanted = 'the weight of a loss, 0 or more'
        if check_real(auxiliary, 'auxiliary', wanted) < 0:
            raise ValueError(f'auxiliary is {auxiliary}: give {wanted}.')
        self.auxiliary = float(auxiliary) if history_length > 1 else 0.0
        self.adds_loss = self.auxiliary > 0
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors)
            self.slots = SlotMask(history_length)
            self.extractor = GRU(history_length, num_factors, num_factors)
            self.unit = TargetAttention(history_length, num_factors, num_factors)
            self.evolution = AUGRU(history_length, num_factors, num_factors)
            in_units = (self.num_fields + 1) * num_factors
            self.mlp = MLP(in_units, mlp_dims, drop_rate, activation=activation)
            if self.adds_loss:
                self.next_item = NextItemLoss(history_length, num_factors)

    def hybrid_forward(self, F, ids, history, lengths):
        e, past, mask = self.embedding(ids), self.embedding(history), self.slots(lengths)
        states = self.extractor(past)  # (B, L, K)
        interest = self.evolution(states, self.unit(states, e[:, self.item_field], mask))  # (B, K)
        out = self._top(F, e, interest)
        if not self.adds_loss:
            return out
        return out, self.auxiliary * self.next_item(states, past, mask)

    def attention(self, data: Any) -> np.ndarray:
        """How much each slot of each example weighs, (N, L); 0 in the empty ones."""
        e, past, lengths = self._looked_up(data)
        states = self.extractor(past)
        return self.unit(states, e[:, self.item_field], self.slots(lengths)).asnumpy()
