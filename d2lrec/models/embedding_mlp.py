"""MLP on embeddings, the deep half of the hybrids."""

from __future__ import annotations

from collections.abc import Sequence

from ..layers import MLP, Embedding
from .base import CTRModel

__all__ = ['EmbeddingMLP']


class EmbeddingMLP(CTRModel):
    """Embeddings and an MLP (DNN): ids (B, F) -> logits (B, 1).

    logit = MLP([v[x_1], ..., v[x_F]])

    The deep half alone of Wide & Deep, DeepFM, DCN and xDeepFM, and their baseline;
    Covington et al., Deep Neural Networks for YouTube Recommendations, RecSys 2016, section 4.

    Parameters
    ----------
    field_dims, num_factors, mlp_dims, drop_rate, batch_norm : as in `CTRModel`

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.EmbeddingMLP([3, 5], num_factors=4, mlp_dims=[16])
    EmbeddingMLP(
      (embedding): Embedding(8 -> 4)
      (mlp): MLP(8 -> 16 -> 1, dropout 0.1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int],
        drop_rate: float = 0.1,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.mlp = MLP(self.num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *x):
        return self.mlp(F.npx.batch_flatten(self.embedding(*x)))
