"""Building blocks the models share.

Shapes: B examples of a batch, F fields, K factors, V = sum(field_dims) features in all.

What a block holds as parameters is what it learns; its constants are made in the graph. A block
with nothing to learn needs no `initialize`.

MXNet's reductions, broadcasts and powers run slowly on a CPU while its inner products are fast.
So a sum over an axis is written here as an inner product with a constant of zeros and ones:
`benchmarks/operators.py` shows what that buys. Some layers have a compiled loop beside their
formula, which gives the same to rounding: `operators` says when it is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

import numpy as np
from mxnet import init
from mxnet.gluon import Block, HybridBlock, nn
from mxnet.ndarray import NDArray

from . import operators
from .arguments import check_list, is_number, shown

__all__ = [
    'Embedding',
    'FieldAwareEmbedding',
    'SumOver',
    'LinearTerm',
    'PairwiseTerm',
    'BiInteraction',
    'Dice',
    'Dropout',
    'MLP',
    'WeightedEmbeddingBag',
    'PoolBags',
    'DotInteraction',
    'DotInteractionDense',
    'FieldAwarePairwiseTerm',
    'AttentionPooling',
    'CrossNetwork',
    'CrossNetworkV2',
    'CIN',
    'hidden_layer',
    'hidden_layers',
    'check_field_dims',
]

ACTIVATIONS = ('sigmoid', 'relu', 'tanh', 'softrelu', 'softsign')  # that Gluon has

# The scale must not depend on the vocabulary's size, as it would with Xavier.
EMBEDDING_INIT = init.Normal(0.01)


def check_field_dims(field_dims: Iterable[int]) -> list[int]:
    """Return `field_dims` as a list of ints; refuse sizes that cannot be fields.

    Raises
    ------
    ValueError
        For no field, or one without an id.

    Examples
    --------
    >>> check_field_dims((3, 5))
    [3, 5]
    """
    wanted = 'the number of ids of each field, for example train_data.field_dims'
    dims = check_list(field_dims, 'field_dims', wanted)
    if not dims:
        raise ValueError(
            'field_dims is empty: give the number of ids of each field, '
            'for example train_data.field_dims.'
        )
    for field, dim in enumerate(dims):
        if not is_number(dim) or not 1 <= dim < 2**31 or dim != int(dim):
            raise ValueError(
                f'field_dims[{field}] is {shown(dim)}: each field needs a whole number of ids, at '
                'least one id.'
            )
    return [int(dim) for dim in dims]


class _Layer(HybridBlock):
    """A block that prints its sizes, and whose constants have the type it was cast to."""

    _dtype = 'float32'
    _sizes = ''
    _compile = False  # `operators.choose` says so to the layers of a large net

    @property
    def _compiled(self):
        return self._compile and self._dtype == 'float32' and not operators.PLAIN

    def cast(self, dtype):
        self._dtype = dtype
        super().cast(dtype)

    def __repr__(self):
        return f'{type(self).__name__}({self._sizes})'


class Dropout(nn.Dropout, _Layer):
    """Gluon's Dropout; in a large net its masks are drawn by a compiled loop, six times as fast.

    Other masks for the same seed, and as random; in prediction nothing is dropped, or drawn.

    Parameters
    ----------
    rate : float
        The share that is set to zero in training, from 0 to below 1.

    Raises
    ------
    ValueError
        For another share.

    Examples
    --------
    >>> Dropout(0.5)
    Dropout(p = 0.5, axes=())
    """

    def __init__(self, rate: float, **kwargs):
        if not is_number(rate) or not 0 <= rate < 1:
            raise ValueError(f'Dropout got rate = {shown(rate)}: give a share from 0 to below 1.')
        super().__init__(float(rate), **kwargs)

    def hybrid_forward(self, F, x):
        if not self._compiled or not self._rate:
            return super().hybrid_forward(F, x)
        coins = F.npx.dropout(F.np.ones((1, 64)), p=0.5)
        return operators.dropout(F, x, coins, F.np.full((1, 1), self._rate))


def _beside(x, parameter):
    """A child's parameter where an array is, or as a symbol where that is one."""
    return parameter.data(x.ctx) if isinstance(x, NDArray) else parameter.var()


def look_up(F, table, ids, compiled=False):
    """Rows of a table (V, K) for ids of any shape (...): (..., K).

    `npx.embedding`, but for tables of any length: training may show a net the rows of the batch
    alone (`d2lrec.touched`).
    """
    if compiled:
        return operators.look_up(F, table, ids.astype('int32'))
    return F.np.take(table, ids, axis=0, mode='clip')


class Embedding(_Layer):
    """One vector for each field: ids (B, F) -> vectors (B, F, K), those of the features.

    With `bag_sizes` the last G fields have several values: ids (B, S + M) and weights (B, M) give
    vectors (B, S + G, K). The first S columns are fields of one value, the M others the slots of
    the G bags, each of which becomes the sum of its vectors times their weights.

    `weight` has shape (V, K). Ids must already be offset by field, int32, within [0, V):
    MXNet clips others silently, so the range is checked where data comes in (`CTRDataset`).

    Parameters
    ----------
    num_features, num_factors : int
        V and K.
    bag_sizes : sequence of int
        Number of slots of each of the G bags.

    Examples
    --------
    >>> import mxnet as mx
    >>> embedding = Embedding(8, 4)
    >>> embedding.initialize()
    >>> embedding(mx.np.array([[0, 5], [2, 7]])).shape
    (2, 2, 4)
    >>> embedding = Embedding(8, 4, bag_sizes=[2])
    >>> embedding.initialize()
    >>> embedding(mx.np.array([[0, 5, 7]]), mx.np.array([[1.0, 0.5]])).shape
    (1, 2, 4)
    """

    def __init__(
        self, num_features: int, num_factors: int, bag_sizes: Sequence[int] = (), **kwargs
    ):
        super().__init__(**kwargs)
        size = int(num_features), int(num_factors)
        self._sizes = '{} -> {}'.format(*size) + f', bags of {list(bag_sizes)}' * bool(
            len(bag_sizes)
        )
        with self.name_scope():
            self.weight = self.params.get('weight', shape=size, init=EMBEDDING_INIT)
            self.pool = PoolBags(bag_sizes) if len(bag_sizes) else None
        self.weight.of_ids = True  # one row an id: decayed, and carried over, as such

    def hybrid_forward(self, F, x, *weights, weight):
        e = look_up(F, weight, x, self._compiled)
        return e if self.pool is None else self.pool(e, *weights)


class FieldAwareEmbedding(Embedding):
    """One vector for each feature and field: ids (B, F) -> vectors of all pairs, twice (B, P, K).

    For the P pairs of fields f < g, in the order (1, 2), (1, 3), ..., (F - 1, F), what comes out
    is the vector of field f's feature for field g, and that of field g's feature for field f.

    `weight` has shape (V, F * K): the vector of feature i for field g is
    `weight[i, g * K:(g + 1) * K]`. The vectors for a feature's own field take no part.

    Parameters
    ----------
    num_features, num_fields, num_factors : int
        V, F and K.
    bag_sizes : as in `Embedding`

    Raises
    ------
    ValueError
        For fewer than two fields: there is no pair.

    Examples
    --------
    >>> import mxnet as mx
    >>> embedding = FieldAwareEmbedding(9, 3, 4)
    >>> embedding.initialize()
    >>> [vectors.shape for vectors in embedding(mx.np.array([[0, 5, 8]]))]
    [(1, 3, 4), (1, 3, 4)]
    """

    def __init__(
        self,
        num_features: int,
        num_fields: int,
        num_factors: int,
        bag_sizes: Sequence[int] = (),
        **kwargs,
    ):
        super().__init__(num_features, num_fields * num_factors, bag_sizes, **kwargs)
        if num_fields < 2:
            raise ValueError(
                f'field-aware vectors meet in pairs of fields, but there is {num_fields} field: '
                'give at least two.'
            )
        self._fields = num_fields
        self._factors = num_factors
        self._sizes = f'{num_features} -> {num_fields} x {num_factors}'

    def hybrid_forward(self, F, x, *weights, weight):
        if self.pool is not None:
            return self._of_bags(F, x, *weights, weight)
        # One vector of K numbers a feature and field; then only what meets is looked up.
        weight = F.npx.reshape(weight, (-1, self._factors))  # (V * F, K)
        f, g = _pairs(F, self._fields)
        x = x.astype('int32')  # a float would not hold V * F ids
        x_f, x_g = F.np.take(x, f, axis=1, mode='clip'), F.np.take(x, g, axis=1, mode='clip')
        return (
            look_up(F, weight, x_f * self._fields + g),
            look_up(F, weight, x_g * self._fields + f),
        )

    def _pairwise(self, F, x):
        """What `FieldAwarePairwiseTerm` makes of the outputs, (B, 1), without them; else None."""
        if self._compiled and self.pool is None:
            return operators.field_aware(F, _beside(x, self.weight), x.astype('int32'))
        return None

    def _of_bags(self, F, x, weights, weight):
        """A bag is the weighted sum of its features' vectors for all fields at once."""
        e = self.pool(look_up(F, weight, x), weights)  # (B, F, F * K)
        e = F.npx.reshape(e, (-2, -1, self._factors))  # (B, F * F, K)
        f, g = _pairs(F, self._fields)
        return (
            F.np.take(e, f * self._fields + g, axis=1, mode='clip'),
            F.np.take(e, g * self._fields + f, axis=1, mode='clip'),
        )


def _pairs(F, num):
    """The pairs i < j of `num` things as two vectors: 0 0 ... 1 ... and 1 2 ... 2 ..."""
    left = [F.np.full((num - 1 - i,), i, dtype='int32') for i in range(num - 1)]
    right = [F.np.arange(i + 1, num, dtype='int32') for i in range(num - 1)]
    return F.np.concatenate(left, axis=0), F.np.concatenate(right, axis=0)


class SumOver(_Layer):
    """Sum a (B, copies * width) matrix over its `copies` blocks: -> (B, width).

    The same as `x.reshape(B, copies, width).sum(axis=1)`, as one inner product with a constant.

    Parameters
    ----------
    copies, width : int

    Examples
    --------
    >>> import mxnet as mx
    >>> SumOver(2, 3)(mx.np.array([[1, 2, 3, 10, 20, 30]])).tolist()
    [[11.0, 22.0, 33.0]]
    """

    def __init__(self, copies: int, width: int = 1, **kwargs):
        super().__init__(**kwargs)
        self._copies, self._width = copies, width
        self._sizes = f'{copies} x {width} -> {width}'

    def hybrid_forward(self, F, x):
        ones = F.np.tile(F.np.eye(self._width, dtype=self._dtype), (1, self._copies))
        return F.npx.fully_connected(x, ones, num_hidden=self._width, no_bias=True)


class LinearTerm(_Layer):
    """First-order term: ids (B, F) -> b + sum_f w[x_f], shape (B, 1).

    With `bag_sizes`, ids (B, S + M) and weights (B, M), as in `Embedding`: a slot adds its weight
    times w.

    `weight` has shape (V, 1), `bias` (1,). Both start at 0: logistic regression is convex.

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields; V is their sum.
    bag_sizes : as in `Embedding`

    Raises
    ------
    ValueError
        For no field, or one without an id.

    Examples
    --------
    >>> import mxnet as mx
    >>> term = LinearTerm([3, 5])
    >>> term.initialize()
    >>> term(mx.np.array([[0, 5], [2, 7]])).tolist()
    [[0.0], [0.0]]
    """

    def __init__(self, field_dims: Sequence[int], bag_sizes: Sequence[int] = (), **kwargs):
        super().__init__(**kwargs)
        dims = check_field_dims(field_dims)
        self._single = len(dims) - len(bag_sizes) if len(bag_sizes) else None
        self._sizes = f'{sum(dims)} -> 1'
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(sum(dims), 1), init=init.Zero())
            self.weight.of_ids = True
            self.bias = self.params.get('bias', shape=(1,), init=init.Zero())
            self.sum_fields = SumOver(len(dims) - len(bag_sizes) + sum(bag_sizes))

    def hybrid_forward(self, F, x, *weights, weight, bias):
        if self._compiled and self._single is None:
            return operators.sum_of(F, weight, bias, x.astype('int32'))
        w = F.npx.batch_flatten(look_up(F, weight, x))  # (B, F)
        if self._single is not None:
            single, slots = w[:, : self._single], w[:, self._single :]
            w = F.np.concatenate([single, slots * weights[0]], axis=1)  # (B, S + M)
        return self.sum_fields(w) + bias  # (B, 1)


def _pooled(F, e, alone, pool, pool_of):
    """What compiled loops make of vectors; straight from their table, where no other reads them."""
    looked_up = operators.looked_up(e) if alone else None
    return pool(F, e) if looked_up is None else pool_of(F, *looked_up)


class BiInteraction(_Layer):
    """Bi-interaction pooling: vectors (B, F, K) -> sum_{i<j} e_i * e_j, shape (B, K).

    The pairwise products of all fields, element by element, in O(FK) through
    ½ [(sum_f e_f)² - sum_f e_f²].

    He and Chua, Neural Factorization Machines, SIGIR 2017, equations (3) and (4).

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.
    alone : bool
        Whether no other layer reads these vectors, so that compiled loops need not write them.

    Examples
    --------
    >>> import mxnet as mx
    >>> BiInteraction(3, 2)(mx.np.array([[[1, 0], [2, 1], [3, 1]]])).tolist()
    [[11.0, 1.0]]
    """

    def __init__(self, num_fields: int, num_factors: int, alone: bool = False, **kwargs):
        super().__init__(**kwargs)
        self._alone = alone
        self._sizes = f'{num_fields} x {num_factors} -> {num_factors}'
        with self.name_scope():
            self.sum_fields = SumOver(num_fields, num_factors)

    def hybrid_forward(self, F, e):
        if self._compiled:
            return _pooled(F, e, self._alone, operators.bi_interaction, operators.bi_interaction_of)
        e = F.npx.batch_flatten(e)  # (B, F * K)
        square_of_sum = F.np.square(self.sum_fields(e))  # (B, K)
        sum_of_square = self.sum_fields(F.np.square(e))  # (B, K)
        return 0.5 * (square_of_sum - sum_of_square)


class PairwiseTerm(_Layer):
    """Second-order term of an FM: vectors (B, F, K) -> sum_{i<j} <e_i, e_j>, shape (B, 1).

    The sum over the K numbers of `BiInteraction`: ½ [‖sum_f e_f‖² - sum_f ‖e_f‖²], in O(FK)
    instead of O(F²K).

    Rendle, Factorization Machines, ICDM 2010, lemma 3.1.

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.
    alone : bool
        Whether no other layer reads these vectors, so that compiled loops need not write them.

    Examples
    --------
    >>> import mxnet as mx
    >>> PairwiseTerm(3, 2)(mx.np.array([[[1, 0], [2, 1], [3, 1]]])).tolist()
    [[12.0]]
    """

    def __init__(self, num_fields: int, num_factors: int, alone: bool = False, **kwargs):
        super().__init__(**kwargs)
        self._alone = alone
        self._sizes = f'{num_fields} x {num_factors} -> 1'
        with self.name_scope():
            self.sum_fields = SumOver(num_fields, num_factors)
            self.sum_factors = SumOver(num_factors)
            self.sum_all = SumOver(num_fields * num_factors)

    def hybrid_forward(self, F, e):
        if self._compiled:
            return _pooled(F, e, self._alone, operators.pairwise, operators.pairwise_of)
        e = F.npx.batch_flatten(e)  # (B, F * K)
        square_of_sum = self.sum_factors(F.np.square(self.sum_fields(e)))  # (B, 1)
        sum_of_square = self.sum_all(F.np.square(e))  # (B, 1)
        return 0.5 * (square_of_sum - sum_of_square)


class Dice(_Layer):
    """Data adaptive activation: (B, D) -> p(s) s + (1 - p(s)) α s, for each unit.

    p(s) = σ((s - E[s]) / sqrt(Var[s] + ε)), with the mean and variance of the batch in training
    and their moving averages in prediction: where the PReLU bends at 0, this bends, smoothly,
    where the data are. α starts at 0.

    `alpha` has shape (D,). ε is 1e-5, the least that all of MXNet's devices take; the paper has
    1e-8.

    Zhou et al., Deep Interest Network, KDD 2018, equation (9).

    Parameters
    ----------
    units : int
        D.

    Examples
    --------
    >>> import mxnet as mx
    >>> dice = Dice(2)
    >>> dice.initialize()
    >>> dice(mx.np.array([[0.0, 100.0]])).tolist()
    [[0.0, 100.0]]
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self._sizes = f'{units} -> {units}'
        with self.name_scope():
            self.alpha = self.params.get('alpha', shape=(units,), init=init.Zero())
            self.normalize = nn.BatchNorm(center=False, scale=False, in_channels=units)

    def hybrid_forward(self, F, s, alpha):
        p = F.npx.activation(self.normalize(s), act_type='sigmoid')
        low = s * alpha
        return low + p * (s - low)


def check_activation(activation: str) -> None:
    """Refuse what is no activation of `hidden_layer`.

    Examples
    --------
    >>> check_activation('gelu')
    Traceback (most recent call last):
    ...
    ValueError: activation is 'gelu': choose one of 'sigmoid', 'relu', 'tanh', 'softrelu', ...
    """
    known = (*ACTIVATIONS, 'dice')
    if not isinstance(activation, str) or activation not in known:
        choices = ', '.join(map(repr, known))
        raise ValueError(f'activation is {shown(activation)}: choose one of {choices}.')


def hidden_layer(
    dense: Block,
    units: int,
    drop_rate: float = 0.0,
    batch_norm: bool = False,
    activation: str = 'relu',
) -> list[Block]:
    """A hidden layer's parts in their order: `dense`, (batch normalization,) ReLU, dropout.

    Parameters
    ----------
    dense : Block
        What has weights: (B, D) -> (B, units).
    units : int
    drop_rate : float
        Share of the units set to zero in training.
    batch_norm : bool
        Normalize before the activation.
    activation : str
        'dice', or one of Gluon's.

    Examples
    --------
    >>> hidden_layer(nn.Dense(4), 4, drop_rate=0.5)[1:]
    [Activation(relu), Dropout(p = 0.5, axes=())]
    """
    check_activation(activation)
    layer = [dense]
    if batch_norm:
        layer.append(nn.BatchNorm(in_channels=units))
    layer.append(Dice(units) if activation == 'dice' else nn.Activation(activation))
    if drop_rate:
        layer.append(Dropout(drop_rate))
    return layer


def hidden_layers(
    in_units: int,
    dims: Sequence[int],
    drop_rate: float = 0.0,
    batch_norm: bool = False,
    activation: str = 'relu',
) -> nn.HybridSequential:
    """Dense hidden layers one after the other: (B, in_units) -> (B, dims[-1]).

    Parameters
    ----------
    in_units : int
    dims : sequence of int
        Widths; empty gives the input back.
    drop_rate, batch_norm, activation : as in `hidden_layer`

    Examples
    --------
    >>> [len(layer) for layer in (hidden_layers(4, [8, 8], drop_rate=0.5), hidden_layers(4, []))]
    [6, 0]
    """
    layers = nn.HybridSequential()
    for dim in dims:
        dense = nn.Dense(dim, in_units=in_units)
        layers.add(*hidden_layer(dense, dim, drop_rate, batch_norm, activation))
        in_units = dim
    return layers


class MLP(_Layer):
    """Hidden layers, then one output: (B, D) -> (B, 1).

    Each hidden layer is Dense, (batch normalization,) ReLU, dropout.

    Parameters
    ----------
    in_units : int
        D, the width of the input.
    dims : sequence of int
        Widths of the hidden layers; empty gives a linear map.
    drop_rate : float
        Share of hidden units set to zero in training.
    batch_norm : bool
        Normalize before each activation.
    activation : str
        Of the hidden layers: 'relu', 'dice', or another of Gluon's.

    Examples
    --------
    >>> MLP(216, [64, 64], drop_rate=0.5)
    MLP(216 -> 64 -> 64 -> 1, dropout 0.5)
    """

    def __init__(
        self,
        in_units: int,
        dims: Sequence[int],
        drop_rate: float = 0.0,
        batch_norm: bool = False,
        activation: str = 'relu',
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_activation(activation)
        self._sizes = ' -> '.join(map(str, [in_units, *dims, 1]))
        self._sizes += f', {activation}' * bool(activation != 'relu' and len(dims))
        self._sizes += ', batch norm' * bool(batch_norm and len(dims))
        self._sizes += f', dropout {drop_rate}' * bool(drop_rate and len(dims))
        with self.name_scope():
            self.hidden = hidden_layers(in_units, dims, drop_rate, batch_norm, activation)
            self.output = nn.Dense(1, in_units=[in_units, *dims][-1])

    def hybrid_forward(self, F, x):
        return self.output(self.hidden(x))


class WeightedEmbeddingBag(_Layer):
    """Pool the vectors of each bag: vectors (B, M, K), weights (B, M) -> (B, G, K).

    Bag g has `sizes[g]` slots, M = sum(sizes), and becomes sum_m weight_m * e_m: the sum with
    weights of 1, the mean with 1 / count. An empty slot, or bag, has weights of 0.

    Parameters
    ----------
    sizes : sequence of int
        Number of slots of each of the G bags.

    Examples
    --------
    >>> import mxnet as mx
    >>> bag = WeightedEmbeddingBag([2])
    >>> bag(mx.np.array([[[1, 2], [3, 4]]]), mx.np.array([[0.5, 0.5]])).tolist()
    [[[2.0, 3.0]]]
    """

    def __init__(self, sizes: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        ends = np.cumsum(sizes).tolist()
        self._slots = [slice(end - size, end) for size, end in zip(sizes, ends)]
        self._sizes = f'{" + ".join(map(str, sizes))} slots -> {len(ends)}'

    def hybrid_forward(self, F, e, weights):
        weights = F.np.expand_dims(weights, axis=1)  # (B, 1, M)
        bags = [F.npx.batch_dot(weights[:, :, slots], e[:, slots]) for slots in self._slots]
        return bags[0] if len(bags) == 1 else F.np.concatenate(bags, axis=1)


class PoolBags(_Layer):
    """Fields of one value as they are, bags pooled: (B, S + M, K), (B, M) -> (B, S + G, K).

    The last M vectors are those of the bags' slots; see `WeightedEmbeddingBag`.

    Parameters
    ----------
    bag_sizes : sequence of int
        Number of slots of each of the G bags, M = sum(bag_sizes).

    Examples
    --------
    >>> import mxnet as mx
    >>> e, weights = mx.np.array([[[9, 9], [1, 2], [3, 4]]]), mx.np.array([[0.5, 0.5]])
    >>> PoolBags([2])(e, weights).tolist()
    [[[9.0, 9.0], [2.0, 3.0]]]
    """

    def __init__(self, bag_sizes: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self._slots = sum(bag_sizes)
        with self.name_scope():
            self.bags = WeightedEmbeddingBag(bag_sizes)
        self._sizes = self.bags._sizes

    def hybrid_forward(self, F, e, weights):
        single = F.npx.slice(e, (None, None, None), (None, -self._slots, None))
        slots = F.npx.slice(e, (None, -self._slots, None), (None, None, None))
        return F.np.concatenate([single, self.bags(slots, weights)], axis=1)


class DotInteraction(_Layer):
    """All pairs' dot products: vectors (B, F, K) -> <z_i, z_j> for i > j, shape (B, P).

    The pairs stand by rows of the triangle: (2, 1), (3, 1), (3, 2), ...

    Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation
    Systems, 2019, section 2.

    Parameters
    ----------
    num_vectors : int
        F.
    self_interaction : bool
        Count <z_i, z_i> too: i >= j.

    Raises
    ------
    ValueError
        Where there is no pair.

    Examples
    --------
    >>> import mxnet as mx
    >>> DotInteraction(3)(mx.np.array([[[1, 0], [2, 1], [3, 1]]])).tolist()
    [[2.0, 3.0, 7.0]]
    """

    def __init__(self, num_vectors: int, self_interaction: bool = False, **kwargs):
        super().__init__(**kwargs)
        self._vectors, self._self = num_vectors, bool(self_interaction)
        self._sizes = f'{num_vectors} -> {_num_products(num_vectors, self_interaction)}'

    def hybrid_forward(self, F, z):
        products = F.npx.batch_flatten(F.npx.batch_dot(z, z, transpose_b=True))  # (B, F * F)
        rows = [
            F.np.arange(i * self._vectors, i * self._vectors + i + self._self, dtype='int32')
            for i in range(1 - self._self, self._vectors)
        ]
        return F.np.take(products, F.np.concatenate(rows, axis=0), axis=1, mode='clip')


class DotInteractionDense(_Layer):
    """A dense layer on all pairs' dot products: vectors (B, F, K) -> (B, units).

    out = b + W [<z_i, z_j> for i > j] (+ U z_1, where `include_dense`)

    The same as a Dense layer on `DotInteraction`, and faster while `units` is small: rather than
    pick the triangle from the F x F products of each example, the one small W is spread over the
    matrix, with zeros where no pair is.

    `weight` has shape (units, P), its columns in the order of `DotInteraction`.

    Naumov et al., Deep Learning Recommendation Model for Personalization and Recommendation
    Systems, 2019, section 2.

    Parameters
    ----------
    num_vectors, num_factors : int
        F and K.
    units : int
    self_interaction : bool
        Count <z_i, z_i> too: i >= j.
    include_dense : bool
        The first vector also enters the layer as it is: in DLRM it is what the bottom MLP makes
        of the dense features.

    Raises
    ------
    ValueError
        Where there is no pair.

    Examples
    --------
    >>> DotInteractionDense(11, 8, 3)
    DotInteractionDense(55 products of 11 x 8 -> 3)
    """

    def __init__(
        self,
        num_vectors: int,
        num_factors: int,
        units: int,
        self_interaction: bool = False,
        include_dense: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        pairs = _num_products(num_vectors, self_interaction)
        self._vectors, self._units, self._self = num_vectors, units, bool(self_interaction)
        self._factors = num_factors
        self._sizes = f'{pairs} products of {num_vectors} x {num_factors} -> {units}'
        self._sizes += ', dense included' * bool(include_dense)
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(units, pairs))
            self.bias = self.params.get('bias', shape=(units,), init=init.Zero())
            self.dense = None
            if include_dense:
                self.dense = nn.Dense(units, in_units=num_factors, use_bias=False)

    def hybrid_forward(self, F, z, weight, bias):
        if self._compiled and not self._self:
            products = operators.dots(F, z, F.np.zeros((1, self._factors)))  # (B, P)
            out = F.npx.fully_connected(products, weight, bias, num_hidden=self._units)
            return out if self.dense is None else out + self.dense(z[:, 0])
        products = F.npx.batch_dot(z, z, transpose_b=True)  # (B, F, F)
        j = F.np.arange(self._vectors)
        i = F.npx.reshape(j, (-1, 1))
        before = i * (i + (1 if self._self else -1)) / 2  # pairs in the rows above row i
        spread = F.np.take(weight, before + j, axis=1, mode='clip')  # (units, F, F)
        spread = F.np.tril(spread, 0 if self._self else -1)
        out = F.npx.fully_connected(
            F.npx.batch_flatten(products), F.npx.batch_flatten(spread), bias, num_hidden=self._units
        )
        return out if self.dense is None else out + self.dense(z[:, 0])


def _num_products(num_vectors, self_interaction):
    """Number of pairs i > j, or i >= j; refuse none."""
    pairs = num_vectors * (num_vectors + (1 if self_interaction else -1)) // 2
    if pairs < 1:
        raise ValueError(
            f'there is {num_vectors} vector, so no pair to multiply: '
            'give another, or self_interaction=True.'
        )
    return pairs


class FieldAwarePairwiseTerm(_Layer):
    """Second-order term of an FFM: twice (B, P, K) -> sum_{f<g} <e_fg, e_gf>, shape (B, 1).

    e_fg, the vector that field f's feature keeps for field g, and e_gf are the two outputs of
    `FieldAwareEmbedding`, for the P pairs of fields.

    Juan et al., Field-aware Factorization Machines for CTR Prediction, RecSys 2016, equation (4).

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.

    Examples
    --------
    >>> import mxnet as mx
    >>> e_fg, e_gf = mx.np.array([[[1, 0], [2, 1], [3, 1]]]), mx.np.ones((1, 3, 2))
    >>> FieldAwarePairwiseTerm(3, 2)(e_fg, e_gf).tolist()
    [[8.0]]
    """

    def __init__(self, num_fields: int, num_factors: int, **kwargs):
        super().__init__(**kwargs)
        pairs = num_fields * (num_fields - 1) // 2
        self._sizes = f'{pairs} x {num_factors} -> 1'
        with self.name_scope():
            self.sum_all = SumOver(pairs * num_factors)

    def hybrid_forward(self, F, e_fg, e_gf):
        return self.sum_all(F.npx.batch_flatten(e_fg * e_gf))


class AttentionPooling(_Layer):
    """Weighted sum over all pairs: vectors (B, F, K) -> sum_{i<j} a_ij (e_i * e_j), (B, K).

    a = softmax over the pairs of h . relu(W (e_i * e_j) + b).

    Xiao et al., Attentional Factorization Machines, IJCAI 2017, equations (4) and (5).

    Parameters
    ----------
    num_fields, num_factors : int
        F and K.
    attention_dim : int
        Width of the attention's hidden layer.
    drop_rate : float
        Share of the weights a_ij set to zero in training; the others grow by as much.

    Raises
    ------
    ValueError
        For fewer than two fields: there is no pair to attend to.

    Examples
    --------
    >>> AttentionPooling(3, 4, attention_dim=5)
    AttentionPooling(3 pairs x 4 -> 4, attention 5)
    """

    def __init__(
        self,
        num_fields: int,
        num_factors: int,
        attention_dim: int,
        drop_rate: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_fields < 2:
            raise ValueError(
                f'attention weighs pairs of fields, but there is {num_fields} field: '
                'give at least two.'
            )
        self._fields, self._factors = num_fields, num_factors
        self._pairs = num_fields * (num_fields - 1) // 2
        self._sizes = f'{self._pairs} pairs x {num_factors} -> {num_factors}'
        self._sizes += f', attention {attention_dim}' + f', dropout {drop_rate}' * bool(drop_rate)
        with self.name_scope():
            # No convolutions: in MXNet 1.9.1 no one can set their weights after a prediction.
            self.hidden = nn.Dense(attention_dim, in_units=num_factors, activation='relu')
            self.score = nn.Dense(1, in_units=attention_dim, use_bias=False)
            self.dropout = Dropout(drop_rate) if drop_rate else None

    def hybrid_forward(self, F, e):
        if self._compiled and self.dropout is None:  # the loop drops no weights
            W, b, h = (
                _beside(e, p) for p in (self.hidden.weight, self.hidden.bias, self.score.weight)
            )
            return operators.attention(F, e, W, F.npx.reshape(b, (-1, 1)), h)
        # With the pairs foremost, to pick and to add up fields means to move whole rows.
        e = F.npx.reshape(F.np.transpose(e, (1, 0, 2)), (self._fields, -1))  # (F, B * K)
        left, right = _pairs(F, self._fields)
        pairs = F.np.take(e, left, axis=0) * F.np.take(e, right, axis=0)  # (P, B * K)
        pairs = F.npx.reshape(pairs, (-1, self._factors))  # (P * B, K)
        score = F.npx.reshape(self.score(self.hidden(pairs)), (self._pairs, -1))
        weight = F.npx.reshape(F.npx.softmax(score, axis=0), (-1, 1))  # (P * B, 1)
        if self.dropout is not None:
            weight = self.dropout(weight)
        # Both products with ones copy or add: a weight to the K columns, the pairs to their sum.
        copy = F.np.ones((self._factors, 1), dtype=self._dtype)
        weight = F.npx.fully_connected(weight, copy, num_hidden=self._factors, no_bias=True)
        weighed = F.npx.reshape(weight * pairs, (1, self._pairs, -1))  # (1, P, B * K)
        add = F.np.ones((1, 1, self._pairs), dtype=self._dtype)
        return F.npx.reshape(F.npx.batch_dot(add, weighed), (-1, self._factors))


class CrossNetwork(_Layer):
    """Cross network with a vector a layer: (B, D) -> (B, D).

    x_{l+1} = x_0 (x_l . w_l) + b_l + x_l

    By induction x_l = a_l x_0 + c_l, with a scalar a_l for each example and a vector c_l for all:
    c_{l+1} = c_l + b_l and a_{l+1} = a_l (1 + x_0 . w_l) + c_l . w_l. So one inner product with
    all layers' vectors and a recurrence of scalars compute the same function.

    `weight` and `bias` have shape (L, D), a row a layer.

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).

    Parameters
    ----------
    in_units : int
        D, the width of the input.
    num_layers : int
        L: the output is a polynomial of degree L + 1 in the input.

    Examples
    --------
    >>> CrossNetwork(216, 3)
    CrossNetwork(216 -> 216, 3 layers)
    """

    def __init__(self, in_units: int, num_layers: int, **kwargs):
        super().__init__(**kwargs)
        self._units, self._layers = in_units, num_layers
        self._sizes = f'{in_units} -> {in_units}, {_counted(num_layers, "layer")}'
        with self.name_scope():
            self.weight = self.params.get('weight', shape=(num_layers, in_units))
            self.bias = self.params.get('bias', shape=(num_layers, in_units), init=init.Zero())

    def hybrid_forward(self, F, x, weight, bias):
        if self._compiled:
            return operators.cross(F, x, weight, bias)
        last, dtype = self._layers, self._dtype
        before = F.np.tril(F.np.ones((last + 1, last), dtype=dtype), -1)
        c = F.np.dot(before, bias)  # (L + 1, D): row l adds up b_0 ... b_{l-1}
        cw = F.np.sum(F.npx.slice(c, (0, None), (last, None)) * weight, axis=1)
        xw = F.npx.fully_connected(x, weight, num_hidden=last, no_bias=True)  # (B, L)
        one = a = F.np.ones_like(F.npx.slice(xw, (None, 0), (None, 1)))  # (B, 1)
        for l in range(last):
            a = a * (1 + F.npx.slice(xw, (None, l), (None, l + 1))) + F.npx.slice(
                cw, (l,), (l + 1,)
            )
        # Both products only copy: a to the D columns, the last c to the B rows.
        size = {'num_hidden': self._units, 'no_bias': True}
        ones = F.np.ones((self._units, 1), dtype=dtype)
        c = F.npx.reshape(F.npx.slice(c, (last, None), (last + 1, None)), (-1, 1))
        return F.npx.fully_connected(a, ones, **size) * x + F.npx.fully_connected(one, c, **size)


class CrossNetworkV2(_Layer):
    """Cross network with a matrix a layer: (B, D) -> (B, D).

    x_{l+1} = x_0 * (W_l x_l + b_l) + x_l

    With `rank` R, W_l = U_l V_l^T, where both have shape (D, R).

    Wang et al., DCN V2, WWW 2021, equations (1) and (2).

    Parameters
    ----------
    in_units : int
        D, the width of the input.
    num_layers : int
        L: the output is a polynomial of degree L + 1 in the input.
    rank : int, optional
        R; without it W_l is a full matrix.

    Examples
    --------
    >>> CrossNetworkV2(216, 3, rank=16)
    CrossNetworkV2(216 -> 216, 3 layers of rank 16)
    """

    def __init__(self, in_units: int, num_layers: int, rank: Optional[int] = None, **kwargs):
        super().__init__(**kwargs)
        self._sizes = f'{in_units} -> {in_units}, {_counted(num_layers, "layer")}'
        self._sizes += f' of rank {rank}' if rank else ''
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


class CIN(_Layer):
    """Compressed interaction network: vectors (B, F, K) -> feature maps, summed (B, H).

    X^0 = e
    x^l_h = sum_{i,j} W^l_{h,ij} (x^{l-1}_i * x^0_j)

    Each is a vector of K numbers; the output holds the sum over the K of each.

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

    Examples
    --------
    >>> CIN(27, 8, [16, 16])
    CIN(27 x 8 -> 16 -> 16 maps -> 24, split)
    """

    def __init__(
        self,
        num_fields: int,
        num_factors: int,
        dims: Sequence[int],
        split: bool = True,
        activation: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        dims = [int(dim) for dim in dims]
        if not dims:
            raise ValueError('the CIN has no layer: give the number of feature maps of each.')
        if split and any(dim % 2 for dim in dims[:-1]):
            raise ValueError(
                f'a CIN of {dims} feature maps cannot be split in halves: '
                'choose even numbers (the last may be odd), or split=False.'
            )
        self._fields, self._factors, self._activation = num_fields, num_factors, activation
        self._fed = [dim // 2 if split else 0 for dim in dims[:-1]] + [0]
        self.out_units = sum(dims) - sum(self._fed)
        maps = ' -> '.join(map(str, dims))
        self._sizes = f'{num_fields} x {num_factors} -> {maps} maps -> {self.out_units}'
        self._sizes += ', split' * bool(split) + f', {activation}' * bool(activation)
        in_units = num_fields
        with self.name_scope():
            self.maps, self.sums = nn.HybridSequential(), nn.HybridSequential()
            for dim, fed in zip(dims, self._fed):
                size = {'in_units': in_units * num_fields, 'use_bias': False}
                self.maps.add(nn.Dense(dim, activation=activation, **size))
                self.sums.add(SumOver(num_factors, dim - fed))
                in_units = fed or dim

    def _by_loops(self, F, e):
        x, outputs = e, []
        for maps, fed in zip(self.maps, self._fed):
            size = F.np.ones((1, self._factors))
            x = kept = operators.interaction(F, x, e, _beside(e, maps.weight), size)  # (B, H, K)
            if self._activation:
                x = kept = F.npx.activation(x, act_type=self._activation)
            if fed:
                x = F.npx.slice(kept, (None, 0), (None, fed))
                kept = F.npx.slice(kept, (None, fed), (None, None))
            outputs.append(F.np.sum(kept, axis=2))
        return F.np.concatenate(outputs, axis=1)

    def hybrid_forward(self, F, e):
        if self._compiled:
            return self._by_loops(F, e)
        # Factors stay apart, as examples do, so that each layer is one inner product.
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


def _counted(number, noun):
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'
