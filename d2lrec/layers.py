"""Building blocks the models share.

Shapes: B rows of a batch, F fields, K factors, V = sum(field_dims) features in all.

MXNet's reductions, broadcasts and powers run slowly on a CPU while its inner products are fast.
So a sum over an axis is written here as an inner product with a constant of zeros and ones:
`benchmarks/operators.py` shows what that buys.
"""

import mxnet as mx
import numpy as np
from mxnet import init
from mxnet.gluon import HybridBlock, nn

__all__ = [
    'Embedding',
    'LinearTerm',
    'PairwiseTerm',
    'BiInteraction',
    'MLP',
    'WeightedBags',
    'DotInteraction',
    'FieldAwarePairwiseTerm',
    'AttentionPooling',
    'CrossNetwork',
    'CrossNetworkV2',
    'CIN',
    'check_field_dims',
]

# The scale must not depend on the vocabulary's size, as it would with Xavier.
EMBEDDING_INIT = init.Normal(0.01)


def check_field_dims(field_dims):
    """Return `field_dims` as a list of ints; refuse sizes that cannot be fields."""
    dims = [int(d) for d in field_dims]
    if not dims:
        raise ValueError(
            'field_dims is empty: give the number of ids of each field, '
            'for example train_data.field_dims.'
        )
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
            self.weight = self.params.get(
                'weight', shape=(int(num_features), int(num_factors)), init=EMBEDDING_INIT
            )
        self.weight.of_ids = True

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
            self.ones = self.params.get_constant('ones', mx.np.tile(mx.np.eye(width), (1, copies)))

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
            self.weight.of_ids = True
            self.bias = self.params.get('bias', shape=(1,), init=init.Zero())
            self.sum = SumOver(len(dims))

    def hybrid_forward(self, F, x, weight, bias):
        w = F.npx.embedding(x, weight, **self._size)  # (B, F, 1)
        # The bias is added outside: inside fully_connected with a constant weight
        # MXNet 1.9.1 leaves its gradient at 0.
        return self.sum(F.npx.reshape(w, (-2, -1))) + bias  # (B, 1)


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
        e = F.npx.reshape(e, (-2, -1))  # (B, F * K)
        square_of_sum = F.np.square(self.sum(e))  # (B, K)
        sum_of_square = self.sum(F.np.square(e))  # (B, K)
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

    def __init__(self, in_units, dims, drop_rate=0.0, batch_norm=False, first=None, **kwargs):
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
        ends = np.cumsum(sizes).tolist()
        self._places = [slice(end - size, end) for size, end in zip(sizes, ends)]

    def hybrid_forward(self, F, e, weights):
        weights = F.np.expand_dims(weights, axis=1)  # (B, 1, M)
        bags = [F.npx.batch_dot(weights[:, :, places], e[:, places]) for places in self._places]
        return bags[0] if len(bags) == 1 else F.np.concatenate(bags, axis=1)


class DotInteraction(HybridBlock):
    """All pairs' dot products and the dense layer above them: vectors (B, F, K) -> (B, units).

    out = b + W [<z_i, z_j> for i > j] (+ U z_1, where `beside`)

    Naumov et al., Deep Learning Recommendation Model (2019), section 2.2. The products are
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
        rows, columns = np.tril_indices(num_vectors, 0 if with_self else -1)
        pair, is_pair = np.zeros((2, num_vectors, num_vectors))
        pair[rows, columns], is_pair[rows, columns] = np.arange(len(rows)), 1
        self._units = units
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(units, len(rows)))
            self.bias = self.params.get('bias', shape=(units,), init=init.Zero())
            self.pair = self.params.get_constant('pair', mx.np.array(pair.ravel(), dtype='int32'))
            self.is_pair = self.params.get_constant(
                'is_pair', mx.np.array(is_pair.reshape(1, -1), dtype='float32')
            )
            self.beside = nn.Dense(units, in_units=num_factors, use_bias=False) if beside else None

    def hybrid_forward(self, F, z, weight, bias, pair, is_pair):
        products = F.npx.batch_dot(z, z, transpose_b=True)  # (B, F, F)
        weight = F.np.take(weight, pair, axis=1, mode='clip') * is_pair  # (units, F * F)
        out = F.npx.fully_connected(
            F.npx.reshape(products, (-2, -1)), weight, bias, num_hidden=self._units
        )
        return out if self.beside is None else out + self.beside(z[:, 0])


class FieldAwarePairwiseTerm(HybridBlock):
    """Second-order term of an FFM: (B, F, F * K) -> sum_{f<g} <e_fg, e_gf>, shape (B, 1).

    e_fg, the vector that field f's feature keeps for field g, is the g-th run of K numbers in
    row f. The vectors e_ff take no part and get no gradient.

    Juan et al., Field-aware Factorization Machines for CTR Prediction, RecSys 2016, equation (4).
    """

    def __init__(self, num_fields, num_factors, **kwargs):
        super().__init__(**kwargs)
        self._shape = num_fields, num_fields, num_factors
        # Each pair occurs twice, as (f, g) and as (g, f).
        half = np.where(np.eye(num_fields), 0.0, 0.5).repeat(num_factors)
        with self.name_scope():
            self.half = self.params.get_constant('half', mx.np.array(half[None], dtype='float32'))

    def hybrid_forward(self, F, e, half):
        e = F.npx.reshape(e, (-2, *self._shape))  # (B, F, F, K)
        products = e * F.np.transpose(e, (0, 2, 1, 3))  # e_fg * e_gf
        return F.npx.fully_connected(products, half, num_hidden=1, no_bias=True)


class AttentionPooling(HybridBlock):
    """Weighted sum over all pairs: vectors (B, F, K) -> sum_{i<j} a_ij (e_i * e_j), (B, K).

    a = softmax over the pairs of h . relu(W (e_i * e_j) + b).

    Xiao et al., Attentional Factorization Machines, IJCAI 2017, equations (4) and (5).

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.
    attention_dim : int
        Width of the attention's hidden layer.

    Raises
    ------
    ValueError
        For fewer than two fields: there is no pair to attend to.
    """

    def __init__(self, num_fields, num_factors, attention_dim, **kwargs):
        super().__init__(**kwargs)
        if num_fields < 2:
            raise ValueError(
                f'attention weighs pairs of fields, but there is {num_fields} field: '
                'give at least two.'
            )
        left, right = np.triu_indices(num_fields, 1)
        self._fields, self._factors, self._pairs = num_fields, num_factors, len(left)
        with self.name_scope():
            self.left = self.params.get_constant('left', mx.np.array(left, dtype='int32'))
            self.right = self.params.get_constant('right', mx.np.array(right, dtype='int32'))
            self.copy = self.params.get_constant('copy', mx.np.ones((num_factors, 1)))
            self.add = self.params.get_constant('add', mx.np.ones((1, 1, len(left))))
            # No convolutions: in MXNet 1.9.1 no one can set their weights after a prediction.
            self.hidden = nn.Dense(attention_dim, in_units=num_factors, activation='relu')
            self.score = nn.Dense(1, in_units=attention_dim, use_bias=False)

    def hybrid_forward(self, F, e, left, right, copy, add):
        # With the pairs foremost, to pick and to add up fields means to move whole rows.
        e = F.npx.reshape(F.np.transpose(e, (1, 0, 2)), (self._fields, -1))  # (F, B * K)
        pairs = F.np.take(e, left, axis=0) * F.np.take(e, right, axis=0)  # (pairs, B * K)
        pairs = F.npx.reshape(pairs, (-1, self._factors))  # (pairs * B, K)
        score = F.npx.reshape(self.score(self.hidden(pairs)), (self._pairs, -1))
        weight = F.npx.reshape(F.npx.softmax(score, axis=0), (-1, 1))  # (pairs * B, 1)
        weight = F.npx.fully_connected(weight, copy, num_hidden=self._factors, no_bias=True)
        weighed = F.npx.reshape(weight * pairs, (1, self._pairs, -1))  # (1, pairs, B * K)
        return F.npx.reshape(F.npx.batch_dot(add, weighed), (-1, self._factors))


class CrossNetwork(HybridBlock):
    """Cross network with a vector a layer: (B, D) -> (B, D).

    x_{l+1} = x_0 (x_l . w_l) + b_l + x_l

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).
    `weight` and `bias` have shape (L, D), a row a layer.

    By induction x_l = a_l x_0 + c_l, with a scalar a_l for each row and a vector c_l for all:
    c_{l+1} = c_l + b_l and a_{l+1} = a_l (1 + x_0 . w_l) + c_l . w_l. So one inner product with
    all layers' vectors and a recurrence of scalars compute the same function.
    """

    def __init__(self, in_units, num_layers, **kwargs):
        super().__init__(**kwargs)
        self._units, self._layers = in_units, num_layers
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(num_layers, in_units))
            self.bias = self.params.get('bias', shape=(num_layers, in_units), init=init.Zero())
            before = np.tri(num_layers + 1, num_layers, -1)  # row l adds up b_0 ... b_{l-1}
            self.before = self.params.get_constant('before', mx.np.array(before, dtype='float32'))
            self.ones = self.params.get_constant('ones', mx.np.ones((in_units, 1)))

    def hybrid_forward(self, F, x, weight, bias, before, ones):
        last = self._layers
        c = F.np.dot(before, bias)  # (L + 1, D)
        cw = F.np.sum(F.npx.slice(c, (0, None), (last, None)) * weight, axis=1)
        xw = F.npx.fully_connected(x, weight, num_hidden=last, no_bias=True)  # (B, L)
        one = a = F.np.ones_like(F.npx.slice(xw, (None, 0), (None, 1)))  # (B, 1)
        for l in range(last):
            a = a * (1 + F.npx.slice(xw, (None, l), (None, l + 1))) + F.npx.slice(
                cw, (l,), (l + 1,)
            )
        # Both products only copy: a to the D columns, the last c to the B rows.
        size = {'num_hidden': self._units, 'no_bias': True}
        c = F.npx.reshape(F.npx.slice(c, (last, None), (last + 1, None)), (-1, 1))
        return F.npx.fully_connected(a, ones, **size) * x + F.npx.fully_connected(one, c, **size)


class CrossNetworkV2(HybridBlock):
    """Cross network with a matrix a layer: (B, D) -> (B, D).

    x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, or with `rank` R, W_l = U_l V_l^T of shapes (D, R).

    Wang et al., DCN V2, WWW 2021, equations (1) and (2).

    Parameters
    ----------
    in_units : int
        D, the width of a row.
    num_layers : int
        L: the output is a polynomial of degree L + 1 in the input.
    rank : int, optional
        R; without it W_l is a full matrix.
    """

    def __init__(self, in_units, num_layers, rank=None, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.layers = nn.HybridSequential()
            for _ in range(num_layers):
                layer = nn.HybridSequential()
                if rank:
                    layer.add(nn.Dense(rank, in_units=in_units, use_bias=False))
                layer.add(nn.Dense(in_units, in_units=rank or in_units))
                self.layers.add(layer)

    def hybrid_forward(self, F, x):
        x0 = x
        for layer in self.layers:
            x = x0 * layer(x) + x
        return x


class CIN(HybridBlock):
    """Compressed interaction network: vectors (B, F, K) -> feature maps, summed (B, H).

    X^0 = e and x^l_h = sum_{i,j} W^l_{h,ij} (x^{l-1}_i * x^0_j), each a vector of K numbers; the
    output holds the sum over the K of each.

    Lian et al., xDeepFM, KDD 2018, equations (6) and (7). Without an activation, which is what
    the paper found best.

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.
    dims : sequence of int
        Number of feature maps of each layer.
    split : bool
        Of each layer but the last, let the first half feed the next layer and the second half
        the output, instead of all feeding both.
    activation : str, optional
        For each feature map, such as 'relu'.

    Attributes
    ----------
    out_units : int
        H, the number of feature maps that reach the output.

    Raises
    ------
    ValueError
        For no layer, or an odd number of maps to split.
    """

    def __init__(self, num_fields, num_factors, dims, split=True, activation=None, **kwargs):
        super().__init__(**kwargs)
        dims = [int(dim) for dim in dims]
        if not dims:
            raise ValueError('the CIN has no layer: give the number of feature maps of each.')
        if split and any(dim % 2 for dim in dims[:-1]):
            raise ValueError(
                f'a CIN of {dims} feature maps cannot be split in halves: '
                'choose even numbers (the last may be odd), or split=False.'
            )
        self._fields, self._factors = num_fields, num_factors
        self._fed = [dim // 2 if split else 0 for dim in dims[:-1]] + [0]
        self.out_units = sum(dims) - sum(self._fed)
        in_units = num_fields
        with self.name_scope():
            self.maps, self.sums = nn.HybridSequential(), nn.HybridSequential()
            for dim, fed in zip(dims, self._fed):
                self.maps.add(
                    nn.Dense(
                        dim, in_units=in_units * num_fields, use_bias=False, activation=activation
                    )
                )
                self.sums.add(SumOver(num_factors, dim - fed))
                in_units = fed or dim

    def hybrid_forward(self, F, e):
        # Factors stay apart, as rows do, so that each layer is one inner product.
        x = x0 = F.npx.reshape(F.np.transpose(e, (0, 2, 1)), (-1, self._fields))  # (B * K, F)
        outputs = []
        for maps, fed, total in zip(self.maps, self._fed, self.sums):
            pairs = F.npx.batch_dot(F.np.expand_dims(x, 2), F.np.expand_dims(x0, 1))
            x = kept = maps(pairs)  # (B * K, maps)
            if fed:
                x = F.npx.slice(kept, (None, 0), (None, fed))
                kept = F.npx.slice(kept, (None, fed), (None, None))
            kept = F.npx.reshape(kept, (-6, -1, self._factors, -2))  # (B, K, maps)
            outputs.append(total(kept))
        return F.np.concatenate(outputs, axis=1)
