"""MLP on embeddings, the deep half of the hybrids."""

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
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of each feature's vector.
    mlp_dims : sequence of int
        Widths of the hidden layers.
    drop_rate : float
        Dropout after each hidden layer.
    batch_norm : bool
        Normalise before each activation.
    """

    def __init__(
        self, field_dims, num_factors, mlp_dims, drop_rate=0.1, batch_norm=False, **kwargs
    ):
        super().__init__(field_dims, **kwargs)
        num_fields = len(self.field_dims)
        with self.name_scope():
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.mlp = MLP(num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x):
        return self.mlp(F.npx.reshape(self.embedding(x), (-2, -1)))
