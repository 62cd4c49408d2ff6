"""Building blocks the models share.

Shapes: B rows of a batch, F fields, K factors, V = sum(field_dims) features in all.

MXNet's reductions, broadcasts and powers run slowly on a CPU while its inner products are fast.
So a sum over an axis is written here as an inner product with a constant of zeros and ones:
`benchmarks/operators.py` shows what that buys.
"""
import numpy as onp
from mxnet import init, np
from mxnet.gluon import HybridBlock, nn

__all__ = ['Embedding', 'LinearTerm', 'PairwiseTerm', 'BiInteraction', 'MLP', 'WeightedBags',
           'DotInteraction', 'check_field_dims']

# The scale must not depend on the vocabulary's size, as it would with Xavier.
EMBEDDING_INIT = init.Normal(0.01)


def check_field_dims(field_dims):
    """Return `field_dims` as a list of ints; refuse sizes that cannot be fields."""
    dims = [int(d) for d in field_dims]
    if not dims:
        raise ValueError('field_dims is empty: give the number of ids of each field, '
                         'for example train_data.field_dims.')
    for field, dim in enumerate(dims):
        if dim < 1:
            raise ValueError(f'field_dims[{field}] is {dim}: each field needs at least one id.')
    return dims


class Embedding(HybridBlock):
    """One vector for each feature: ids (B, F) -> vectors (B, F, K).

    `weight` has shape (V, K). Ids must already be offset by field, int32, within [0, V):
    MXNet clips others silently, so the range is checked where data comes in (`CTRDataset`).
    """

    def __init__(self, num_features, num_factors, **kwargs):
        super().__init__(**kwargs)
        self._size = {'input_dim': int(num_features), 'output_dim': int(num_factors)}
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(int(num_features), int(num_factors)),
                                          init=EMBEDDING_INIT)

    def hybrid_forward(self, F, x, weight):
        return F.npx.embedding(x, weight, **self._size)


class SumOver(HybridBlock):
    """Sum a (B, copies * width) matrix over its `copies` blocks: -> (B, width).

    The same as `x.reshape(B, copies, width).sum(axis=1)`, as one inner product with a constant.
    """

    def __init__(self, copies, width=1, **kwargs):
        super().__init__(**kwargs)
        self._width = width
        with self.name_scope():
            self.ones = self.params.get_constant('ones', np.tile(np.eye(width), (1, copies)))

    def hybrid_forward(self, F, x, ones):
        return F.npx.fully_connected(x, ones, num_hidden=self._width, no_bias=True)


class LinearTerm(HybridBlock):
    """First-order term: ids (B, F) -> b + sum_f w[x_f], shape (B, 1).

    `weight` has shape (V, 1), `bias` (1,). Both start at 0: logistic regression is convex.
    """

    def __init__(self, field_dims, **kwargs):
        super().__init__(**kwargs)
        dims = check_field_dims(field_dims)
        self._size = {'input_dim': sum(dims), 'output_dim': 1}
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(sum(dims), 1), init=init.Zero())
            self.bias = self.params.get('bias', shape=(1,), init=init.Zero())
            self.sum = SumOver(len(dims))

    def hybrid_forward(self, F, x, weight, bias):
        w = F.npx.embedding(x, weight, **self._size)            # (B, F, 1)
        # The bias is added outside: inside fully_connected with a constant weight
        # MXNet 1.9.1 leaves its gradient at 0.
        return self.sum(F.npx.reshape(w, (-2, -1))) + bias      # (B, 1)


class BiInteraction(HybridBlock):
    """Bi-interaction pooling: vectors (B, F, K) -> sum_{i<j} e_i * e_j, shape (B, K).

    He and Chua, Neural Factorization Machines (2017), equations (3) and (4): the pairwise
    products of all fields, element by element, in O(FK) through
    ½ [(sum_f e_f)² - sum_f e_f²].
    """

    def __init__(self, num_fields, num_factors, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.sum = SumOver(num_fields, num_factors)

    def hybrid_forward(self, F, e):
        e = F.npx.reshape(e, (-2, -1))                          # (B, F * K)
        square_of_sum = F.np.square(self.sum(e))                # (B, K)
        sum_of_square = self.sum(F.np.square(e))                # (B, K)
        return 0.5 * (square_of_sum - sum_of_square)


class PairwiseTerm(HybridBlock):
    """Second-order term of an FM: vectors (B, F, K) -> sum_{i<j} <e_i, e_j>, shape (B, 1).

    Rendle, Factorization Machines (2010), lemma 3.1: O(FK) instead of O(F²K).
    """

    def __init__(self, num_fields, num_factors, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.pool = BiInteraction(num_fields, num_factors)
            self.sum = SumOver(num_factors)

    def hybrid_forward(self, F, e):
        return self.sum(self.pool(e))


class MLP(HybridBlock):
    """Hidden layers, then one output: (B, D) -> (B, 1).

    Each hidden layer is Dense, (batch normalisation,) ReLU, dropout.

    Parameters
    ----------
    in_units : int
        D, the width of the input.
    dims : sequence of int
        Widths of the hidden layers; empty gives a linear map.
    drop_rate : float
        Share of hidden units set to zero in training.
    batch_norm : bool
        Normalise before each activation.
    first : Block, optional
        Stands in for the first hidden layer's Dense, as `DotInteraction` does.
    """

    def __init__(self, in_units, dims, drop_rate=0., batch_norm=False, first=None, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.hidden = nn.HybridSequential()
            for dim in dims:
                self.hidden.add(nn.Dense(dim, in_units=in_units) if first is None else first)
                first = None
                if batch_norm:
                    self.hidden.add(nn.BatchNorm(in_channels=dim))
                self.hidden.add(nn.Activation('relu'))
                if drop_rate:
                    self.hidden.add(nn.Dropout(drop_rate))
                in_units = dim
            self.output = nn.Dense(1, in_units=in_units)

    def hybrid_forward(self, F, x):
        return self.output(self.hidden(x))


class WeightedBags(HybridBlock):
    """Pool each bag's vectors: vectors (B, M, K), weights (B, M) -> (B, G, K).

    Bag g has `sizes[g]` places, M = sum(sizes), and becomes sum_m weight_m * e_m: the sum with
    weights of 1, the mean with 1 / count. An empty place, or bag, has weights of 0.
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(**kwargs)
        ends = onp.cumsum(sizes).tolist()
        self._places = [slice(end - size, end) for size, end in zip(sizes, ends)]

    def hybrid_forward(self, F, e, weights):
        weights = F.np.expand_dims(weights, axis=1)             # (B, 1, M)
        bags = [F.npx.batch_dot(weights[:, :, places], e[:, places]) for places in self._places]
        return bags[0] if len(bags) == 1 else F.np.concatenate(bags, axis=1)


class DotInteraction(HybridBlock):
    """All pairs' dot products and the dense layer above them: vectors (B, F, K) -> (B, units).

    out = b + W [<z_i, z_j> for i > j] (+ U z_1, where `beside`)

    Naumov et al., Deep Learning Recommendation Model (2019), section 2.1.4. The products are
    computed as the full F x F matrix. Rather than pick its triangle from B rows, the one small W
    is spread over the matrix, with zeros where no pair is: that pays while `units` is small,
    for it doubles the inner product.

    Parameters
    ----------
    num_vectors, num_factors : int
        F and K.
    units : int
    with_self : bool
        Count <z_i, z_i> too: i >= j.
    beside : bool
        The first vector also enters the dense layer as it is (in DLRM the bottom MLP's output).

    `weight` has shape (units, P), P pairs by rows of the triangle: (2, 1), (3, 1), (3, 2), ...
    """

    def __init__(self, num_vectors, num_factors, units, with_self=False, beside=False, **kwargs):
        super().__init__(**kwargs)
        rows, columns = onp.tril_indices(num_vectors, 0 if with_self else -1)
        pair, is_pair = onp.zeros((2, num_vectors, num_vectors))
        pair[rows, columns], is_pair[rows, columns] = onp.arange(len(rows)), 1
        self._units = units
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(units, len(rows)))
            self.bias = self.params.get('bias', shape=(units,), init=init.Zero())
            self.pair = self.params.get_constant('pair', np.array(pair.ravel(), dtype='int32'))
            self.is_pair = self.params.get_constant(
                'is_pair', np.array(is_pair.reshape(1, -1), dtype='float32'))
            self.beside = nn.Dense(units, in_units=num_factors, use_bias=False) if beside else None

    def hybrid_forward(self, F, z, weight, bias, pair, is_pair):
        products = F.npx.batch_dot(z, z, transpose_b=True)      # (B, F, F)
        weight = F.np.take(weight, pair, axis=1, mode='clip') * is_pair     # (units, F * F)
        out = F.npx.fully_connected(F.npx.reshape(products, (-2, -1)), weight, bias,
                                    num_hidden=self._units)
        return out if self.beside is None else out + self.beside(z[:, 0])
