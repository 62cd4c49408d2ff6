"""DeepFM."""

from mxnet.gluon import nn

from ..layers import MLP, BiInteraction, Embedding, LinearTerm, PairwiseTerm
from .base import CTRModel

__all__ = ['DeepFM']


class DeepFM(CTRModel):
    """DeepFM: ids (B, F) -> logits (B, 1).

    logit = FM(x) + MLP([v[x_1], ..., v[x_F]]), both on the same vectors v.

    Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction,
    IJCAI 2017, equation (1), here before the sigmoid.

    With `joint_head` one last layer weighs the parts of all three:
    logit = u . [b + sum_f w[x_f], sum_{f<g} v[x_f] * v[x_g], the MLP's last hidden layer] + c.

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
    joint_head : bool
        Weigh the first-order term and each factor's pairwise term instead of adding them up.
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        mlp_dims,
        drop_rate=0.1,
        batch_norm=False,
        joint_head=False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        num_fields = len(self.field_dims)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            if joint_head:  # u's weights on the hidden layer, and c, are those of mlp.output
                self.pairwise = BiInteraction(num_fields, num_factors)
                self.head = nn.Dense(1, in_units=1 + num_factors, use_bias=False)
            else:
                self.pairwise, self.head = PairwiseTerm(num_fields, num_factors), None
            self.mlp = MLP(num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x):
        e = self.embedding(x)  # (B, F, K)
        first, second = self.linear(x), self.pairwise(e)
        deep = self.mlp(F.npx.reshape(e, (-2, -1)))
        if self.head is None:
            return first + second + deep
        return self.head(F.np.concatenate([first, second], axis=1)) + deep
