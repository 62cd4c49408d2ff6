"""Deep & cross network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from mxnet.gluon import nn

from ..layers import MLP, CrossNetwork, CrossNetworkV2, Embedding
from .base import CTRModel

__all__ = ['DCN']


class DCN(CTRModel):
    """Deep & cross network: ids (B, F) -> logits (B, 1).

    With e = [v[x_1], ..., v[x_F]], parallel: logit = w . cross(e) + MLP(e);
    stacked: logit = MLP(cross(e)).

    Version 1: Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017;
    version 2: Wang et al., DCN V2, WWW 2021, equations (1) to (3).

    Parameters
    ----------
    field_dims, num_factors, drop_rate, batch_norm : as in `CTRModel`
    mlp_dims : as in `CTRModel`; without any, a stacked DCN is the cross network alone
    num_layers : int
        L: the cross network is a polynomial of degree L + 1 in e.
    version : 1 or 2
        A vector (1) or a matrix (2) of weights for each cross layer.
    rank : int, optional
        In version 2, the rank of each matrix; without it they are full.
    stacked : bool
        The MLP follows the cross network instead of running beside it.

    Raises
    ------
    ValueError
        For no cross layer, another version, or a rank without a matrix.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DCN([3, 5], num_factors=4, mlp_dims=[16], version=2)
    DCN(
      (embedding): Embedding(8 -> 4)
      (cross): CrossNetworkV2(8 -> 8, 3 layers)
      (head): Dense(8 -> 1, linear)
      (mlp): MLP(8 -> 16 -> 1, dropout 0.1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        num_layers: int = 3,
        version: int = 1,
        rank: Optional[int] = None,
        stacked: bool = False,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        if version not in (1, 2):
            raise ValueError(f'version is {version!r}: choose 1 (vectors) or 2 (matrices).')
        if version == 1 and rank is not None:
            raise ValueError(f'rank is {rank} but version 1 has no matrix: pass version=2.')
        if num_layers < 1 or rank is not None and rank < 1:
            raise ValueError(
                f'num_layers is {num_layers} and rank is {rank}: both need to be at least 1.'
            )
        units = self.num_fields * num_factors
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            if version == 1:
                self.cross = CrossNetwork(units, num_layers)
            else:
                self.cross = CrossNetworkV2(units, num_layers, rank)
            self.head = None if stacked else nn.Dense(1, in_units=units, use_bias=False)
            self.mlp = MLP(units, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *x):
        e = F.npx.batch_flatten(self.embedding(*x))  # (B, F * K)
        if self.head is None:
            return self.mlp(self.cross(e))
        return self.head(self.cross(e)) + self.mlp(e)
