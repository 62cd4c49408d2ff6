"""DLRM."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet.gluon import nn

from ..layers import MLP, DotInteractionDense, Embedding, WeightedEmbeddingBag, hidden_layer
from .base import CTRModel

__all__ = ['DLRM']


class DLRM(CTRModel):
    """DLRM: ids (B, S + M)[, dense (B, D)][, weights (B, M)] -> logits (B, 1).

    z = [bottom MLP(dense), v[x_1], ..., v[x_S], bag_1, ..., bag_G]
    logit = top MLP([z_1, <z_i, z_j> for i > j])

    The first S columns of the ids are fields of one value an example; then come the slots of the
    G multi-hot fields, sum(bag_sizes) = M, each with its weight: a bag is the weighted sum of its
    vectors. `multi_hot` makes both matrices.

    Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation
    Systems, 2019, section 2. Without dense features there is no bottom MLP, and the products
    alone enter the top.

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the S + G fields, the multi-hot ones last.
    num_factors : as in `CTRModel`
    top_dims : sequence of int
        Widths of the top MLP's hidden layers, at least one.
    num_dense : int
        D, the number of dense features.
    bottom_dims : sequence of int
        Widths of the bottom MLP's layers before its last, of width K; ReLU after each.
    bag_sizes : sequence of int
        Number of slots of each of the G multi-hot fields.
    self_interaction : bool
        Products of vectors with themselves count too.
    drop_rate, batch_norm : of the top MLP, as in `CTRModel`

    Raises
    ------
    ValueError
        For no hidden layer on top, bottom layers without dense features, sizes that cannot be
        bags, or a single vector without self_interaction.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.DLRM([3, 5, 4], 8, [16], num_dense=2, bag_sizes=[3])
    DLRM(
      (embedding): Embedding(12 -> 8)
      (bottom): HybridSequential(
        (0): Dense(2 -> 8, Activation(relu))
      )
      (bags): WeightedEmbeddingBag(3 slots -> 1)
      (top): HybridSequential(
        (0): DotInteractionDense(6 products of 4 x 8 -> 16, dense included)
        (1): Activation(relu)
        (2): MLP(16 -> 1)
      )
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        top_dims: Sequence[int],
        num_dense: int = 0,
        bottom_dims: Sequence[int] = (),
        bag_sizes: Sequence[int] = (),
        self_interaction: bool = False,
        drop_rate: float = 0.0,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, bag_sizes, **kwargs)
        self._check(top_dims, num_dense, bottom_dims, self_interaction)
        self._read(num_dense=num_dense)
        self._single = self.num_fields - len(bag_sizes)
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors)
            self.bottom = self.bags = None
            if num_dense:
                self.bottom, in_units = nn.HybridSequential(), num_dense
                for dim in [*bottom_dims, num_factors]:
                    self.bottom.add(nn.Dense(dim, 'relu', in_units=in_units))
                    in_units = dim
            if len(bag_sizes):
                self.bags = WeightedEmbeddingBag(bag_sizes)
            interaction = DotInteractionDense(
                self.num_fields + bool(num_dense),
                num_factors,
                top_dims[0],
                self_interaction,
                include_dense=bool(num_dense),
            )
            self.top = nn.HybridSequential()
            self.top.add(*hidden_layer(interaction, top_dims[0], drop_rate, batch_norm))
            self.top.add(MLP(top_dims[0], top_dims[1:], drop_rate, batch_norm))

    def hybrid_forward(self, F, *inputs):
        inputs = dict(zip(self.inputs, inputs))
        z = [self.embedding(inputs['ids'])]  # (B, S + M, K)
        if self.bags is not None:
            single, slots = z[0][:, : self._single], z[0][:, self._single :]
            z = [single, self.bags(slots, inputs['weights'])]  # (B, S, K), (B, G, K)
        if self.bottom is not None:
            dense = self.bottom(inputs['dense'])  # (B, K)
            z.insert(0, F.np.expand_dims(dense, axis=1))  # (B, 1, K)
        return self.top(F.np.concatenate(z, axis=1))

    def _check(self, top_dims, num_dense, bottom_dims, self_interaction):
        if not len(top_dims):
            raise ValueError('top_dims is empty: give the width of at least one hidden layer.')
        if len(bottom_dims) and not num_dense:
            raise ValueError(
                f'bottom_dims is {list(bottom_dims)} but num_dense is 0: '
                'give the number of dense features, or no bottom_dims.'
            )
        if self.num_fields + bool(num_dense) < 2 and not self_interaction:
            raise ValueError(
                'there is one field and no dense feature, so no pair to multiply: '
                'give another, or self_interaction=True.'
            )
