"""DeepFM."""
from ..layers import MLP, Embedding, LinearTerm, PairwiseTerm
from .base import CTRModel

__all__ = ['DeepFM']


class DeepFM(CTRModel):
    """DeepFM: ids (B, F) -> logits (B, 1).

    logit = FM(x) + MLP([v[x_1], ..., v[x_F]]), both on the same vectors v.

    Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction,
    IJCAI 2017, equation (1), here before the sigmoid.

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
    """

    def __init__(self, field_dims, num_factors, mlp_dims, drop_rate=0.1, **kwargs):
        super().__init__(field_dims, **kwargs)
        num_fields = len(self.field_dims)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.pairwise = PairwiseTerm(num_fields, num_factors)
            self.mlp = MLP(num_fields * num_factors, mlp_dims, drop_rate)

    def hybrid_forward(self, F, x):
        e = self.embedding(x)                                   # (B, F, K)
        return self.linear(x) + self.pairwise(e) + self.mlp(F.npx.reshape(e, (-2, -1)))
