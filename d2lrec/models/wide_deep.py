"""Wide & Deep."""

from ..layers import MLP, Embedding, LinearTerm, check_field_dims
from .base import CTRModel

__all__ = ['WideDeep']


class WideDeep(CTRModel):
    """Wide & Deep: ids (B, F + C), dense (B, D) where there are any -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_c w[φ_c(x)] + MLP([v[x_1], ..., v[x_F], dense])

    The first F columns are the fields' ids, the other C those of their crosses φ, as `Crosses`
    makes them. The wide half memorises, with a weight for each id and cross; the deep half
    generalises.

    Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016, equation (3), here
    before the sigmoid.

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields.
    num_factors : int
        K, the length of each feature's vector.
    mlp_dims : sequence of int
        Widths of the hidden layers; the paper's three by default.
    drop_rate : float
        Dropout after each hidden layer.
    cross_dims : sequence of int
        Number of ids of each of the C crosses: `Crosses.dims`.
    num_dense : int
        D, the number of dense features, normalised (`Quantiles`).
    batch_norm : bool
        Normalise before each activation.
    """

    def __init__(
        self,
        field_dims,
        num_factors,
        mlp_dims=(1024, 512, 256),
        drop_rate=0.0,
        cross_dims=(),
        num_dense=0,
        batch_norm=False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        cross_dims = check_field_dims(cross_dims) if len(cross_dims) else []
        num_fields = len(self.field_dims)
        self.inputs = {'ids': num_fields + len(cross_dims)}
        self._set_ranges(self.field_dims + cross_dims)
        if num_dense:
            self.inputs['dense'] = num_dense
        self._fields = slice(0, num_fields) if cross_dims else None
        with self.name_scope():
            self.linear = LinearTerm(self.field_dims + cross_dims)
            self.embedding = Embedding(sum(self.field_dims), num_factors)
            self.mlp = MLP(num_fields * num_factors + num_dense, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, x, dense=None):
        e = self.embedding(x if self._fields is None else x[:, self._fields])  # (B, F, K)
        deep = F.npx.reshape(e, (-2, -1))  # (B, F * K)
        if dense is not None:
            deep = F.np.concatenate([deep, dense], axis=1)  # (B, F * K + D)
        return self.linear(x) + self.mlp(deep)

    def wide_params(self):
        """The parameters of the wide half, for its trainer."""
        return self.linear.collect_params()

    def deep_params(self):
        """The parameters of the deep half, for its trainer."""
        params = self.embedding.collect_params()
        params.update(self.mlp.collect_params())
        return params

    def zero_share(self):
        """Share of the wide half's weights (V, 1) that are exactly 0, those never met included."""
        weight = self.linear.weight
        return float((weight.data(weight.list_ctx()[0]).asnumpy() == 0).mean())
