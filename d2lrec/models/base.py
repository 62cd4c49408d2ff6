"""What the models share: they know what they were built from, and say what they read."""

from __future__ import annotations

import copy
import functools
import inspect
import numbers
import threading
from collections.abc import Sequence
from typing import Any, Optional

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd, gluon
from mxnet.gluon import HybridBlock
from numpy.typing import ArrayLike

from .. import operators
from ..arguments import check_list, check_options, check_whole, shown
from ..checks import LOOKED_AT, check_finite, check_ids
from ..data.columns import check_columns
from ..describe import cost_table
from ..layers import check_field_dims
from ..touched import touch_rows
from ..weights import weights_of

__all__ = ['Model', 'CTRModel', 'PairModel', 'HistoryModel']

ONE_THREAD = threading.RLock()


class Model(HybridBlock):
    """A model that says what it reads, can be saved whole, and describes itself.

    Attributes
    ----------
    inputs : dict {name: number of columns or None}, in the order of the call
        None is for an input with one number an example, shape (B,).
    ranges : dict {name: (first, end)}
        Of the inputs that are ids: the least one and the one after the last, as numbers or, where
        each column has its own, as arrays.
    output : 'logit' or 'rating'
        What the net returns: `predict` applies the sigmoid to logits only.
    adds_loss : bool
        Whether its `hybrid_forward` returns a pair: the outputs, and what each example adds to
        the loss in training, (B,). Called, the net returns the outputs alone; a trainer asks
        `with_loss` for both.
    config : dict or None
        What the constructor was given, by name, as far as JSON can hold it: `d2lrec.load` builds
        the model from it. None where the constructor takes `*args`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.MF(4, num_users=6, num_items=9, mean=3.5)
    >>> net.inputs, net.output
    ({'users': None, 'items': None}, 'rating')
    >>> net.config
    {'num_factors': 4, 'num_users': 6, 'num_items': 9, 'mean': 3.5}
    """

    inputs: dict[str, Optional[int]] = {}
    ranges: dict[str, tuple] = {}
    output = 'logit'
    adds_loss = False
    _lookups = None
    _origin = None  # what encoded the training data: see `d2lrec.origin`
    _compile = False  # whether layers take compiled loops: see `operators.choose`
    _kind = np.float32  # of the weights, and so of what is multiplied by them
    _of_few = None  # the graph without them, for few rows
    _by_numpy = None  # what `few` makes of a graph
    advice = ''  # what else may help where a shape is refused

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if '__init__' not in vars(cls):
            return
        build = cls.__init__

        @functools.wraps(build)
        def __init__(self, *args, **kwargs):
            if 'config' not in self.__dict__:  # the outermost class comes first
                check_options(kwargs, _known(type(self)), type(self).__name__)
                object.__setattr__(self, 'config', _config(build, args, kwargs))
                if cls.__module__.startswith('d2lrec.'):
                    _check_arguments(cls.__name__, self.config or {})
            outermost = not self.__dict__.get('_building')
            object.__setattr__(self, '_building', True)
            build(self, *args, **kwargs)
            if outermost:
                object.__setattr__(self, '_building', False)
                touch_rows(self, None)
                operators.choose(self)

        cls.__init__ = __init__

    def __init__(self, prefix: Optional[str] = None, params: Optional[gluon.ParameterDict] = None):
        super().__init__(prefix, params)

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """As Gluon has it; weights drawn anew belong to no data."""
        anew = kwargs.get('force_reinit') or (len(args) > 3 and args[3])
        others = {  # MXNet draws float32 alone
            p: p.dtype
            for p in self.collect_params().values()
            if np.dtype(p.dtype) != np.float32 and (anew or p._data is None)
        }
        for parameter in others:
            parameter.cast('float32')
        super().initialize(*args, **kwargs)
        for parameter, kind in others.items():
            parameter.cast(kind)
        if anew:
            object.__setattr__(self, '_origin', None)

    def cast(self, dtype: Any) -> None:
        """As Gluon has it; refuse a type that MXNet does not compute with here."""
        kinds = ['float32', 'float64', *['float16'] * bool(mx.context.num_gpus())]
        try:
            known = np.dtype(dtype).name in kinds
        except TypeError:
            known = False
        if not known:
            raise ValueError(
                f'dtype is {shown(dtype)}: give {" or ".join(map(repr, kinds))}; MXNet computes '
                "with 'float16' on GPUs alone."
            )
        super().cast(dtype)
        object.__setattr__(self, '_kind', np.dtype(dtype).type)

    def load_parameters(self, *args: Any, **kwargs: Any) -> None:
        """As Gluon has it; what data the weights belong to is not known then."""
        super().load_parameters(*args, **kwargs)
        object.__setattr__(self, '_origin', None)

    def input_shapes(self, rows: int) -> list[tuple[int, ...]]:
        """The shapes of the inputs for a batch of `rows`; `describe` follows them through."""
        if not self.inputs:
            raise NotImplementedError(
                f'{type(self).__name__} does not say what it reads: set self.inputs = '
                '{name: number of columns} in its constructor.'
            )
        return [(rows,) if c is None else (rows, c) for c in self.inputs.values()]

    def forward(self, *inputs):
        out = self._checked_forward(*inputs)
        return out[0] if self.adds_loss else out

    def with_loss(self, *inputs: mx.np.ndarray) -> tuple:
        """The outputs, and what each example adds to the loss (B,); None where nothing does."""
        out = self._checked_forward(*inputs)
        return tuple(out) if self.adds_loss else (out, None)

    def _checked_forward(self, *inputs):
        shapes = [getattr(x, 'shape', None) for x in inputs]
        if None not in shapes and self.inputs:  # symbols, while hybridizing, have none
            rows = shapes[0][0] if shapes and shapes[0] else 0
            if [tuple(s) for s in shapes] != self.input_shapes(rows):
                wanted = ', '.join(
                    f'{name} (rows,)' if c is None else f'{name} (rows, {c})'
                    for name, c in self.inputs.items()
                )
                raise ValueError(
                    f'{type(self).__name__} was built for {wanted} but got inputs of shape '
                    f'{", ".join(str(tuple(s)) for s in shapes) or "none"}: pass these, in this '
                    f'order, or build the model for this data{self.advice}.'
                )
            if not rows:  # of which MXNet fails later, in another call
                raise ValueError(f'{type(self).__name__} got no row: give at least one.')
            for name, x in zip(self.inputs, inputs):
                if name not in self.ranges and x.dtype != self._kind:
                    inputs = self._of_its_kind(inputs)
                    break
            if self.ranges and not LOOKED_AT and not autograd.is_recording():
                # A call of the reader's own: MXNet would take another row's vector.
                for name, ids in zip(self.inputs, inputs):
                    if name in self.ranges:
                        check_ids(ids.asnumpy(), *self.ranges[name], name)
        if None in shapes:
            return super().forward(*inputs)
        if self._active and (self._compile or self._cached_op is None):
            with ONE_THREAD:  # builds a graph, or changes between two
                return self._forward_of_arrays(inputs, shapes)
        return self._forward_of_arrays(inputs, shapes)

    def _of_its_kind(self, inputs):
        """Inputs that are no ids in the type of the weights: MXNet multiplies no others."""
        kind = next((np.dtype(p.dtype) for p in self.collect_params().values()), self._kind)
        return [
            x.astype(kind) if name not in self.ranges and x.dtype != kind else x
            for name, x in zip(self.inputs, inputs)
        ]

    def _forward_of_arrays(self, inputs, shapes):
        if not autograd.is_recording():
            if self._compile and shapes and shapes[0] and shapes[0][0] < operators.FEW:
                return self._forward_of_few(*inputs)
        elif self._lookups is not None:
            with self._lookups.of(inputs) as of_rows:
                return super().forward(*of_rows)
        return super().forward(*inputs)

    def _forward_of_few(self, *inputs):
        """By the layers' formulas, in a graph of their own."""
        whole = self._cached_graph, self._cached_op, self._cached_op_args
        self._cached_graph, self._cached_op, self._cached_op_args = self._of_few or ((), None, [])
        try:
            with operators.PLAIN:
                return super().forward(*inputs)
        finally:
            few = self._cached_graph, self._cached_op, self._cached_op_args
            object.__setattr__(self, '_of_few', few)
            self._cached_graph, self._cached_op, self._cached_op_args = whole

    def _clear_cached_op(self):
        object.__setattr__(self, '_of_few', None)
        super()._clear_cached_op()

    def __deepcopy__(self, memo: dict) -> Model:
        """A net of the same kind with the same weights, built anew: MXNet's own copy cannot train.

        Raises ValueError where the constructor's arguments are not known, or the net was changed.
        """
        name = type(self).__name__
        if self.config is None:
            raise ValueError(f'{name} does not know what it was built from: build another net.')
        net = type(self)(**copy.deepcopy(self.config, memo))
        mine, copies = weights_of(self), weights_of(net)
        if {n: p.shape for n, p in mine.items()} != {n: p.shape for n, p in copies.items()}:
            raise ValueError(f'{name} was changed after it was built: copy it by hand.')
        touch_rows(net, self._lookups is not None)
        for path, new in copies.items():
            if mine[path]._data is not None:
                new.initialize(ctx=mine[path].list_ctx())
        net.cast(next((p.dtype for p in mine.values()), 'float32'))
        for path, new in copies.items():
            old = mine[path]
            new.cast(old.dtype)
            new.grad_req, new.lr_mult, new.wd_mult = old.grad_req, old.lr_mult, old.wd_mult
            if old._data is not None:
                new.set_data(old.data(old.list_ctx()[0]))
        net.hybridize(self._active, **dict(self._flags))
        object.__setattr__(net, '_origin', self._origin)
        return net

    def __copy__(self) -> Model:
        net = object.__new__(type(self))
        net.__dict__.update(self.__dict__)
        return net

    def __reduce_ex__(self, protocol):
        raise ValueError(
            f'{type(self).__name__} cannot be pickled: d2l.save(net, path) writes it, and '
            'd2l.load(path).net is the net again, in another process too.'
        )

    def tables(self) -> dict[tuple[str, ...], list[gluon.Parameter]]:
        """The tables that hold a row for each id, by the inputs that look them up.

        Training can then touch the rows of the batch alone: see `touch_rows`.
        """
        return {}

    def check_batch(self, batch: Sequence) -> None:
        """Refuse ids of a batch that are out of their range, and numbers that are not finite.

        For batches of a foreign loader: what `BatchLoader` gives was looked at when it was made.
        """
        wanted = f'a loader whose batches hold {", ".join(self.inputs)}, then the labels'
        if list(self.inputs) == ['rows'] and getattr(batch, 'ndim', 0) == 2:
            batch = [batch]  # of a loader of a matrix
        for name, array in zip(self.inputs, check_list(batch, 'a batch', wanted)):
            array = array.asnumpy() if hasattr(array, 'asnumpy') else np.asarray(array)
            if array.dtype.kind not in 'biuf':
                raise ValueError(f'{name} of a batch are {shown(array)}: give {wanted}.')
            if name in self.ranges:
                check_ids(array, *self.ranges[name], name)
            elif name != 'rows':
                check_finite(array, name)

    def describe(self) -> pd.DataFrame:
        """Parameters and multiply-adds per example, by part: the `cost_table`."""
        return cost_table(self)


MOST_SLOTS = 2**20  # of a row: its bounds are kept for each slot, before there is any data


class CTRModel(Model):
    """A model that takes ids (B, F), and what else `inputs` names; returns logits (B, 1).

    For a data set `for_data` builds it: ``d2l.FM.for_data(train, num_factors=8)``.

    The parameters that most models share, and their own docstrings only name:

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields; V is their sum.
    num_factors : int
        K, the length of each feature's vector.
    mlp_dims : sequence of int
        Widths of the MLP's hidden layers; empty for none.
    drop_rate : float
        Share of hidden units set to zero in training, after each hidden layer.
    batch_norm : bool
        Normalize before each activation of the MLP.
    bag_sizes : sequence of int
        Number of slots of each of the last G fields, which have several values a row: the model
        then takes ids (B, S + M) and weights (B, M), and a field's vector is the sum of those of
        its values times their weights. `data.bag_sizes` has them.

    Attributes
    ----------
    field_dims, bag_sizes : list of int
    num_fields, num_features : int
        F and V.

    Raises
    ------
    ValueError
        For sizes that cannot be fields; when called, for anything but a matrix of the right
        width for each input.

    Examples
    --------
    >>> import d2lrec as d2l, mxnet as mx
    >>> net = d2l.FM([3, 5], num_factors=4)
    >>> net.initialize()
    >>> net(mx.np.array([[0, 5], [2, 7]], dtype='int32')).shape
    (2, 1)
    >>> net.inputs, [end.tolist() for end in net.ranges['ids']]
    ({'ids': 2}, [[0, 3], [3, 8]])
    >>> d2l.FM([3, 5], num_factors=4, bag_sizes=[2]).inputs
    {'ids': 3, 'weights': 2}
    """

    def __init__(self, field_dims: Sequence[int], bag_sizes: Sequence[int] = (), **kwargs):
        super().__init__(**kwargs)
        self.field_dims = check_field_dims(field_dims)
        self.num_fields, self.num_features = len(self.field_dims), sum(self.field_dims)
        self.bag_sizes = [int(size) for size in bag_sizes]
        if len(self.bag_sizes) > self.num_fields or any(size < 1 for size in self.bag_sizes):
            raise ValueError(
                f'bag_sizes is {list(bag_sizes)} for {self.num_fields} '
                'fields: give one size of at least 1 for each multi-hot field.'
            )
        if sum(self.bag_sizes) > MOST_SLOTS:
            raise ValueError(
                f'bag_sizes adds up to {sum(self.bag_sizes):,} slots a row, over the limit of '
                f'{MOST_SLOTS:,}: keep the values of most weight only.'
            )
        self._read()

    def _read(self, cross_dims=(), num_dense=0):
        """Declare what the model reads: ids of fields, slots and crosses; dense; slots' weights."""
        single = self.num_fields - len(self.bag_sizes)
        dims = [*self.field_dims, *cross_dims]
        repeats = [1] * single + self.bag_sizes + [1] * len(cross_dims)
        ends = np.cumsum(dims)
        first, end = np.repeat([ends - dims, ends], repeats, axis=1)
        widths = {'dense': int(num_dense), 'weights': sum(self.bag_sizes)}
        self.inputs = {'ids': len(end), **{name: n for name, n in widths.items() if n}}
        self.ranges = {'ids': (first, end)}

    def tables(self) -> dict[tuple[str, ...], list[gluon.Parameter]]:
        """The weights of all layers of ids, looked up by the ids and by a history of them."""
        of_ids = [p for p in self.collect_params().values() if getattr(p, 'of_ids', False)]
        return {tuple(name for name in ('ids', 'history') if name in self.inputs): of_ids}

    @classmethod
    def for_data(cls, data: Any, *args: Any, **options: Any) -> CTRModel:
        """The model for a data set: its fields, bags, crosses and dense inputs are read off it.

        Parameters
        ----------
        data : a data set, such as CTRDataset
        *args, **options : what the constructor takes beside these

        Raises
        ------
        ValueError
            Where the data has inputs that the model does not read.

        Examples
        --------
        >>> import d2lrec as d2l
        >>> clicks = d2l.planted(50, [5, 4], seed=0)
        >>> d2l.FM.for_data(clicks, num_factors=8).field_dims
        [5, 4]
        """
        takes = inspect.signature(cls.__init__).parameters
        found = {'bag_sizes': list(getattr(data, 'bag_sizes', ()))}
        dense = data.columns.get('dense')
        if dense is not None:
            if 'num_dense' not in takes:
                raise ValueError(
                    f'{cls.__name__} reads no dense inputs: make the data set with '
                    "numbers='quantiles', whose intervals are fields, or take WideDeep or DLRM."
                )
            found['num_dense'] = dense.shape[1]
        crosses = [s.dims for s in getattr(data, '_steps', ()) if hasattr(s, 'num_buckets')]
        if crosses:
            if 'cross_dims' not in takes:
                raise ValueError(
                    f'{cls.__name__} reads no crosses: give data without them, or take WideDeep.'
                )
            found['cross_dims'] = np.concatenate(crosses).tolist()
        found = {name: value for name, value in found.items() if value}
        return cls(data.field_dims, *args, **{**found, **options})


PAIRS_AT_ONCE = 2**17  # of users and items, where all items are scored


class HistoryModel(CTRModel):
    """A model that also takes what the user had before: history (B, L), lengths (B,).

    The history's ids are those of the item's field, which share its vectors: oldest first, in the
    first `lengths` of the L slots; what stands in the others is not looked at. `with_history`
    makes both columns.

    Parameters
    ----------
    field_dims : as in `CTRModel`
    history_length : int
        L, the number of slots.
    item_field : int
        The number of the item's field among the F; the last by default.

    Attributes
    ----------
    history_length, item_field : int

    Raises
    ------
    ValueError
        For no slot, or no such field.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.HistoryBag([3, 5], 4, [], history_length=20)
    >>> net.inputs, net.ranges['history'], net.ranges['lengths']
    ({'ids': 2, 'history': 20, 'lengths': None}, (3, 8), (0, 21))
    """

    def __init__(
        self, field_dims: Sequence[int], history_length: int, item_field: int = -1, **kwargs
    ):
        super().__init__(field_dims, **kwargs)
        whole = isinstance(item_field, numbers.Integral) and not isinstance(item_field, bool)
        if not whole or not -self.num_fields <= item_field < self.num_fields:
            raise ValueError(
                f'item_field is {shown(item_field)} and there are {self.num_fields} fields: give '
                'the number, from 0, of the field of the items.'
            )
        if history_length > MOST_SLOTS:
            raise ValueError(
                f'history_length is {history_length:,} slots, over the limit of {MOST_SLOTS:,}: '
                'keep the newest items only.'
            )
        self.history_length = int(history_length)
        self.item_field = item_field % self.num_fields
        self.inputs.update(history=self.history_length, lengths=None)
        first, end = (int(bound[self.item_field]) for bound in self.ranges['ids'])
        self.ranges.update(history=(first, end), lengths=(0, self.history_length + 1))

    def attention(self, data: Any) -> np.ndarray:
        """How much each slot of each example weighs, (N, L); 0 in the empty ones."""
        raise NotImplementedError(f'{type(self).__name__} weighs all past items alike.')

    def _top(self, F, e, interest):
        """The MLP on the vectors of the ids and the user's: (B, F, K), (B, K) -> (B, 1)."""
        return self.mlp(F.np.concatenate([F.npx.batch_flatten(e), interest], axis=1))

    def _looked_up(self, data):
        """The vectors of the ids and of the history of all examples, and the lengths."""
        data = check_columns(data, self.inputs, self.ranges, type(self).__name__)
        device = self.embedding.weight.list_ctx()[0]
        ids, history, lengths = (mx.np.array(a, ctx=device) for a in data.columns.values())
        return self.embedding(ids), self.embedding(history), lengths


class PairModel(Model):
    """A model that takes users (B,) and items (B,), ids from 0.

    Parameters
    ----------
    num_users, num_items : int
        U and I.

    Raises
    ------
    ValueError
        For no user or no item; when called, for anything but two vectors of one length.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.NeuMF(4, num_users=6, num_items=9, nums_hiddens=[8]).ranges
    {'users': (0, 6), 'items': (0, 9)}
    """

    def __init__(self, num_users: int, num_items: int, **kwargs):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.num_users = check_whole(num_users, f'num_users of {name}')
        self.num_items = check_whole(num_items, f'num_items of {name}')
        self.inputs = {'users': None, 'items': None}
        self.ranges = {'users': (0, self.num_users), 'items': (0, self.num_items)}

    def scores(self, users: ArrayLike) -> np.ndarray:
        """What the net gives each of these users for all items: (n,) -> (n, I), in float64.

        Logits or ratings as they are, without a sigmoid: what a list is sorted by.

        Raises
        ------
        ValueError
            For users that are no ids of this model.

        Examples
        --------
        >>> import d2lrec as d2l, mxnet as mx
        >>> net = d2l.NeuMF(4, num_users=6, num_items=9, nums_hiddens=[8])
        >>> net.initialize()
        >>> net.scores([0, 5]).shape
        (2, 9)
        """
        users = self._users(users)
        items, out = np.arange(self.num_items, dtype='int32'), []
        device = next(iter(self.collect_params().values())).list_ctx()[0]
        step = max(1, PAIRS_AT_ONCE // self.num_items)
        for first in range(0, len(users), step):
            some = users[first : first + step]
            pairs = np.repeat(some, len(items)), np.tile(items, len(some))
            with LOOKED_AT:
                logits = self(*(mx.np.array(i, dtype='int32', ctx=device) for i in pairs))
            out.append(logits.asnumpy().reshape(len(some), -1).astype('float64'))
        return np.concatenate(out) if out else np.empty((0, self.num_items))

    def _users(self, users):
        """Users as an array of ids; refuse those out of range."""
        users = np.asarray(users.asnumpy() if hasattr(users, 'asnumpy') else users)
        if users.ndim != 1 or users.size and users.dtype.kind not in 'iu':
            raise ValueError(f'users is {shown(users)}: give a list of whole numbers, one a user.')
        check_ids(users, 0, self.num_users, 'users')
        return users.astype('int32')


# By name, for all models alike: whole numbers from the one here on, one or several, or a share.
LEAST = {
    'num_factors': 1,
    'attention_dim': 1,
    'num_dense': 0,
    'history_length': 1,
    'num_layers': 1,
    'num_users': 1,
    'num_items': 1,
}
WIDTHS = (
    'mlp_dims',
    'top_dims',
    'bottom_dims',
    'cin_dims',
    'nums_hiddens',
    'bag_sizes',
    'attention_dims',
)
SHARES = ('drop_rate', 'dropout', 'pool_drop_rate', 'attention_drop_rate')
MOST_LAYERS = 1000  # each is built before a file's weights can be held against it
FEWER = f'give {MOST_LAYERS:,} or fewer'


@functools.cache
def _known(kind):
    """The names that a model's constructor takes, those that it hands on included."""
    known = {}
    for one in kind.__mro__:
        if '__init__' not in vars(one):
            continue
        taken = inspect.signature(one.__init__).parameters.values()
        known.update((p.name, None) for p in taken if p.kind not in (p.VAR_KEYWORD,))
        if all(p.kind != p.VAR_KEYWORD for p in taken):  # nothing is handed on
            break
    return tuple(name for name in known if name != 'self')


def _check_arguments(name, config):
    """Refuse sizes that are none, which Gluon would build or stumble over later."""

    def is_whole(value, least):
        return (
            isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= least
        )

    for key, value in config.items():
        wanted = None
        if key in LEAST and not is_whole(value, LEAST[key]):
            wanted = f'a whole number, {LEAST[key]} or more'
        elif key in WIDTHS or key == 'num_hidden' and isinstance(value, list):
            if not isinstance(value, list) or not all(is_whole(v, 1) for v in value):
                wanted = 'a list of whole numbers, each 1 or more'
            elif key != 'bag_sizes' and len(value) > MOST_LAYERS:
                raise ValueError(f'{name} got {key} with {len(value):,} layers: {FEWER}.')
        elif key == 'num_hidden' and not is_whole(value, 1):
            wanted = 'a whole number, 1 or more, or a list of them'
        elif key in SHARES and value is not None:
            if not isinstance(value, numbers.Real) or not 0 <= value < 1:
                wanted = 'a share from 0 to below 1'
        elif key == 'num_layers' and value > MOST_LAYERS:
            raise ValueError(f'{name} got {key} = {value:,}: {FEWER}.')
        if wanted:
            raise ValueError(f'{name} got {key} = {shown(value)}: give {wanted}.')


def _config(build, args, kwargs) -> Optional[dict[str, Any]]:
    """The arguments of a constructor by name, without those of every Block."""
    try:
        bound = inspect.signature(build).bind(None, *args, **kwargs)
    except TypeError:  # the constructor is about to say so itself
        return None
    config, kinds = {}, bound.signature.parameters
    for name, value in list(bound.arguments.items())[1:]:
        if kinds[name].kind is inspect.Parameter.VAR_POSITIONAL:
            return None
        if kinds[name].kind is inspect.Parameter.VAR_KEYWORD:
            config.update(value)
        else:
            config[name] = value
    return {name: _plain(v) for name, v in config.items() if name not in ('prefix', 'params')}


def _plain(value):
    """Arrays and tuples as lists, NumPy's numbers as Python's; all else as it is."""
    if hasattr(value, 'asnumpy'):
        value = value.asnumpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value
