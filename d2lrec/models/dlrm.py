"""DLRM."""

import numpy as np
from mxnet.gluon import nn

from ..layers import MLP, DotInteraction, Embedding, WeightedBags
from .base import CTRModel

__all__ = ['DLRM']


class DLRM(CTRModel):
    """DLRM: ids (B, S + M)[, dense (B, D)][, weights (B, M)] -> logits (B, 1).

    z = [bottom MLP(dense), v[x_1], ..., v[x_S], bag_1, ..., bag_G]
    logit = top MLP([z_1, <z_i, z_j> for i > j])

    The first S columns of the ids are fields of one value a row; then come the places of the G
    multi-hot fields, sum(bag_sizes) = M, each with its weight: a bag is the weighted sum of its
    vectors. `multi_hot` makes both matrices.

    Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation
    Systems, 2019, section 2. Without dense features there is no bottom MLP, and the products
    alone enter the top.

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the S + G fields, the multi-hot ones last.
    num_factors : int
        K, the length of each vector.
    top_dims : sequence of int
        Widths of the top MLP's hidden layers, at least one.
    num_dense : int
        D, the number of dense features.
    bottom_dims : sequence of int
        Widths of the bottom MLP's layers before its last, of width K; ReLU after each.
    bag_sizes : sequence of int
        Number of places of each of the G multi-hot fields.
    with_self : bool
        Products of vectors with themselves count too.
    drop_rate, batch_norm : of the top MLP, as in `MLP`
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        top_dims,
        num_dense=0,
        bottom_dims=(),
        bag_sizes=(),
        with_self=False,
        drop_rate=0.0,
        batch_norm=False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        singles, places = len(self.field_dims) - len(bag_sizes), sum(bag_sizes)
        num_vectors = len(self.field_dims) + bool(num_dense)
        self._check(singles, num_vectors, top_dims, num_dense, bottom_dims, bag_sizes, with_self)
        self.inputs = {
            'ids': singles + places,
            **({'dense': num_dense} if num_dense else {}),
            **({'weights': places} if places else {}),
        }
        ends = np.repeat(np.cumsum(self.field_dims), [1] * singles + list(bag_sizes))
        dims = np.repeat(self.field_dims, [1] * singles + list(bag_sizes))
        self.ranges = {'ids': (ends - dims, ends)}
        self._singles, self._places = slice(0, singles), slice(singles, singles + places)
        with self.name_scope():
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.bags = WeightedBags(bag_sizes) if places else None
            self.bottom = None
            if num_dense:
                self.bottom, in_units = nn.HybridSequential(), num_dense
                for dim in [*bottom_dims, num_factors]:
                    self.bottom.add(nn.Dense(dim, 'relu', in_units=in_units))
                    in_units = dim
            interaction = DotInteraction(
                num_vectors, num_factors, top_dims[0], with_self, beside=bool(num_dense)
            )
            self.top = MLP(None, top_dims, drop_rate, batch_norm, first=interaction)

    def hybrid_forward(self, F, x, *inputs):
        e, inputs = self.embedding(x), list(inputs)  # (B, S + M, K)
        z = []
        if self.bottom is not None:
            z.append(F.np.expand_dims(self.bottom(inputs.pop(0)), axis=1))  # (B, 1, K)
        if self.bags is None:
            z.append(e)
        else:
            z.append(e[:, self._singles])
            z.append(self.bags(e[:, self._places], inputs.pop(0)))  # (B, G, K)
        return self.top(z[0] if len(z) == 1 else F.np.concatenate(z, axis=1))

    @staticmethod
    def _check(singles, num_vectors, top_dims, num_dense, bottom_dims, bag_sizes, with_self):
        if not len(top_dims):
            raise ValueError('top_dims is empty: give the width of at least one hidden layer.')
        if len(bottom_dims) and not num_dense:
            raise ValueError(
                f'bottom_dims is {list(bottom_dims)} but num_dense is 0: '
                'give the number of dense features, or no bottom_dims.'
            )
        if singles < 0 or any(size < 1 for size in bag_sizes):
            raise ValueError(
                f'bag_sizes is {list(bag_sizes)} for {singles + len(bag_sizes)} '
                'fields: give one size of at least 1 for each multi-hot field.'
            )
        if num_vectors < 2 and not with_self:
            raise ValueError(
                'there is one field and no dense feature, so no pair to multiply: '
                'give another, or with_self=True.'
            )
