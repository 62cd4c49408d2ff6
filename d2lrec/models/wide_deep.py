"""Wide & Deep."""

from __future__ import annotations

from collections.abc import Sequence

from mxnet import gluon

from ..layers import MLP, Embedding, LinearTerm, check_field_dims
from .base import CTRModel

__all__ = ['WideDeep']


class WideDeep(CTRModel):
    """Wide & Deep: ids (B, F + C), dense (B, D) where there are any -> logits (B, 1).

    logit = b + sum_f w[x_f] + sum_c w[φ_c(x)] + MLP([v[x_1], ..., v[x_F], dense])

    The first F columns are the fields' ids, the other C those of their crosses φ, as `Crosses`
    makes them. The wide half memorizes, with a weight for each id and cross; the deep half
    generalizes.

    Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016, equation (3), here
    before the sigmoid.

    Parameters
    ----------
    field_dims, num_factors, drop_rate, batch_norm : as in `CTRModel`
    mlp_dims : as in `CTRModel`; the paper's three by default
    cross_dims : sequence of int
        Number of ids of each of the C crosses: `Crosses.dims`.
    num_dense : int
        D, the number of dense features, normalized (`Quantiles`).

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.WideDeep([3, 5], 4, [16], cross_dims=[6], num_dense=2)
    >>> net.inputs
    {'ids': 3, 'dense': 2}
    >>> net
    WideDeep(
      (linear): LinearTerm(14 -> 1)
      (embedding): Embedding(8 -> 4)
      (mlp): MLP(10 -> 16 -> 1)
    )
    """

    def __init__(
        self,
        field_dims: Sequence[int],
        num_factors: int,
        mlp_dims: Sequence[int] = (1024, 512, 256),
        drop_rate: float = 0.0,
        cross_dims: Sequence[int] = (),
        num_dense: int = 0,
        batch_norm: bool = False,
        **kwargs,
    ):
        super().__init__(field_dims, **kwargs)
        cross_dims = check_field_dims(cross_dims) if len(cross_dims) else []
        if cross_dims and self.bag_sizes:
            raise ValueError(
                f'cross_dims is {cross_dims} and bag_sizes {self.bag_sizes}: a cross is of fields '
                'of one value; give one of the two.'
            )
        self._read(cross_dims, num_dense)
        units = self.num_fields * num_factors + num_dense
        with self.name_scope():
            self.linear = LinearTerm(self.field_dims + cross_dims, self.bag_sizes)
            self.embedding = Embedding(self.num_features, num_factors, self.bag_sizes)
            self.mlp = MLP(units, mlp_dims, drop_rate, batch_norm)

    def hybrid_forward(self, F, *inputs):
        inputs = dict(zip(self.inputs, inputs))
        ids, weights = inputs['ids'], [inputs['weights']] if self.bag_sizes else []
        fields = ids if weights else ids[:, : self.num_fields]  # (B, F), without the crosses
        deep = F.npx.batch_flatten(self.embedding(fields, *weights))  # (B, F * K)
        if 'dense' in inputs:
            deep = F.np.concatenate([deep, inputs['dense']], axis=1)  # (B, F * K + D)
        return self.linear(ids, *weights) + self.mlp(deep)

    def wide_params(self) -> gluon.ParameterDict:
        """The parameters of the wide half, for its trainer."""
        return self.linear.collect_params()

    def deep_params(self) -> gluon.ParameterDict:
        """The parameters of the deep half, for its trainer."""
        params = self.embedding.collect_params()
        params.update(self.mlp.collect_params())
        return params

    def zero_share(self) -> float:
        """Share of the wide half's weights (V, 1) that are exactly 0, those never met included."""
        weight = self.linear.weight
        return float((weight.data(weight.list_ctx()[0]).asnumpy() == 0).mean())
