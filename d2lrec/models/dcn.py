"""Deep & cross network."""

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
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of each feature's vector.
    mlp_dims : sequence of int
        Widths of the hidden layers; with none, a stacked DCN is the cross network alone.
    drop_rate : float
        Dropout after each hidden layer.
    num_layers : int
        L: the cross network is a polynomial of degree L + 1 in e.
    version : 1 or 2
        A vector (1) or a matrix (2) of weights for each cross layer.
    rank : int, optional
        In version 2, the rank of each matrix; without it they are full.
    stacked : bool
        The MLP follows the cross network instead of running beside it.
    batch_norm : bool
        Normalise before each activation.

    Raises
    ------
    ValueError
        For no cross layer, another version, or a rank without a matrix.
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        mlp_dims,
        drop_rate=0.1,
        num_layers=3,
        version=1,
        rank=None,
        stacked=False,
        batch_norm=False,
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
        units = len(self.field_dims) * num_factors
        with self.name_scope():
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.cross = (
                CrossNetwork(units, num_layers)
                if version == 1
                else CrossNetworkV2(units, num_layers, rank)
            )
            self.output = None if stacked else nn.Dense(1, in_units=units, use_bias=False)
            self.mlp = MLP(units, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x):
        e = F.npx.reshape(self.embedding(x), (-2, -1))  # (B, F * K)
        if self.output is None:
            return self.mlp(self.cross(e))
        return self.output(self.cross(e)) + self.mlp(e)
