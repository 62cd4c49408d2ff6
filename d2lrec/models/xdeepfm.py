"""xDeepFM."""

from mxnet.gluon import nn

from ..layers import CIN, MLP, Embedding, LinearTerm
from .base import CTRModel

__all__ = ['XDeepFM']


class XDeepFM(CTRModel):
    """xDeepFM: ids (B, F) -> logits (B, 1).

    logit = b + sum_f w[x_f] + w . CIN(v[x_1], ..., v[x_F]) + MLP([v[x_1], ..., v[x_F]])

    Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions, KDD 2018,
    equation (9), here before the sigmoid.

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
    cin_dims : sequence of int
        Number of feature maps of each layer of the CIN; layer l holds products of l + 1 fields.
    split : bool
        Half of each layer's maps feed the next layer, the other half the output.
    activation : str, optional
        For each feature map of the CIN, such as 'relu'.
    batch_norm : bool
        Normalise before each activation of the MLP.
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        mlp_dims,
        drop_rate=0.1,
        cin_dims=(16, 16),
        split=True,
        activation=None,
        batch_norm=False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        num_fields = len(self.field_dims)
        with self.name_scope():
            self.linear = LinearTerm(field_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.cin = CIN(num_fields, num_factors, cin_dims, split, activation)
            self.output = nn.Dense(1, in_units=self.cin.out_units, use_bias=False)
            self.mlp = MLP(num_fields * num_factors, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x):
        e = self.embedding(x)  # (B, F, K)
        return self.linear(x) + self.output(self.cin(e)) + self.mlp(F.npx.reshape(e, (-2, -1)))
