"""Few rows through a net without MXNet's engine, as a request wants it: at once.

The engine hands each call of a net to a thread of its own, which takes several times as long as
what a row has to be multiplied by. A hybridized net has promised that its formula is one graph, and
MXNet keeps this graph. So few rows go through that very graph, operator by operator, by NumPy on
the memory of the net's own weights: there is no second formula, and no copy of a weight.

The first rows go both ways. Whatever NumPy would compute otherwise than MXNet, or has no operator
for, goes through the net itself from then on; so does all that is not the usual case, such as hooks
that want to be called, another precision, or weights on a GPU.
"""

from __future__ import annotations

import ast
import functools
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from . import kernels
from .checks import LOOKED_AT
from .models.base import Model
from .weights import not_finite

__all__ = ['FEW', 'of_few']

#: Rows from which on the net is faster, where its layers make much of each row.
FEW = 32
CLOSE = 1e-4  # how far NumPy's outputs may be from MXNet's, in shares of the largest


OWN = frozenset(['forward', '_checked_forward', 'with_loss'])  # a net may be given, after its kind

_READING = threading.RLock()  # Gluon makes a graph in one thread only


class _Unknown(Exception):
    """An operator, or a use of one, that is not among those below."""


def of_few(net: gluon.Block, arrays: Sequence[np.ndarray]) -> Optional[np.ndarray]:
    """The net's output (B, C) for its inputs; None where the net itself has to be called.

    Parameters
    ----------
    net : a model of this library, its weights on one CPU
    arrays : its inputs, looked at before: int32 and float32

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> net.initialize()
    >>> net.hybridize()
    >>> of_few(net, [np.array([[0, 3]], dtype='int32')]).tolist()
    [[0.0]]
    """
    if not _usual(net):
        return None
    graph = net._of_few[0] if net._compile and net._of_few else net._cached_graph
    kept = net._by_numpy
    if not graph or kept is None or kept[0] is not graph:
        with _READING:
            return _both_ways(net, arrays)
    formula = kept[1]
    return None if formula is None else formula(arrays)


def _usual(net):
    """Whether calling the net would do no more than compute its graph."""
    kind = type(net)
    return (
        isinstance(net, Model)
        and net._active
        and kind.forward is Model.forward
        and kind.__call__ is Model.__call__
        and kind._checked_forward is Model._checked_forward
        and not (net._forward_hooks or net._forward_pre_hooks or net._callback or net._backend)
        and not autograd.is_training()
        and OWN.isdisjoint(vars(net))
    )


def _both_ways(net, arrays):
    """The output; whether NumPy gives what the net gives decides on the rows to come."""
    with LOOKED_AT:
        out = net(*(mx.np.array(a, dtype=a.dtype) for a in arrays)).asnumpy()
    out = out.reshape(len(arrays[0]), -1)
    graph = net._of_few[0] if net._compile and net._of_few else net._cached_graph
    if not graph:
        return out
    try:
        formula = Formula(graph, net.collect_params())
        mine = formula(arrays)
    except Exception:  # whatever NumPy says to what it cannot do
        mine = None
    known = mine is not None and mine.shape == out.shape
    if known and not np.isfinite(mine).all() and not_finite(net):
        return mine  # where MXNet's relu makes 0 of what is no number
    alike = known and np.isfinite(out).all()
    if alike:
        alike = np.abs(mine - out).max(initial=0) <= CLOSE * max(1.0, np.abs(out).max(initial=0))
    if alike or np.isfinite(out).all():
        object.__setattr__(net, '_by_numpy', (graph, formula if alike else None))
    return mine if alike else out  # the same the first time as later


class Formula:
    """A net's graph as NumPy's operations, in their order.

    Parameters
    ----------
    graph : what MXNet keeps of a hybridized net: its inputs, and the symbol of its output
    parameters : of the net, by name
    """

    def __init__(self, graph: tuple, parameters: Any):
        inputs, out = graph
        nodes = json.loads(out.tojson())
        nodes, head = nodes['nodes'], nodes['heads'][0]
        names = [i.name for i in inputs]
        wanted = _needed(nodes, head[0])
        self.values: list[Any] = [None] * len(nodes)  # constants; others while it is computed
        self.steps, self.parameters, self.inputs = [], [], [None] * len(names)
        known = set()
        for n in wanted:
            node = nodes[n]
            if node['op'] == 'null':
                if node['name'] in names:
                    self.inputs[names.index(node['name'])] = n
                else:
                    self.parameters.append((n, parameters[node['name']]))
                continue
            sources = [i for i, which, *_ in node['inputs']]
            if any(which for _, which, *_ in node['inputs']):
                raise _Unknown(node['name'])
            step = _operator(node)
            if known.issuperset(sources):
                self.values[n] = step(*(self.values[i] for i in sources))
                known.add(n)
            else:
                self.steps.append((n, step, sources))
        self.out = head[0]
        self.seen: list[tuple] = [(None, None)] * len(self.parameters)

    def __call__(self, arrays: Sequence[np.ndarray]) -> Optional[np.ndarray]:
        """The output (B, C) in float32, or None where this is not where the weights are."""
        values = self.values.copy()
        for n, array in zip(self.inputs, arrays):
            if n is not None:
                values[n] = array
        for place, (n, parameter) in enumerate(self.parameters):
            data = parameter._data
            if not data or len(data) > 1:
                return None
            array, view = self.seen[place]
            if array is not data[0]:  # a new one: loaded, or moved
                array, view = self.seen[place] = data[0], view_of(data[0])
            if view is None:
                return None
            array.wait_to_read()  # a step of training may be on its way
            values[n] = view
        with np.errstate(all='ignore'):  # as MXNet; whoever asked looks at the output
            for n, step, sources in self.steps:
                values[n] = step(*[values[i] for i in sources])
        out = values[self.out]
        return out.reshape(len(arrays[0]), -1) if out.dtype == np.float32 else None


def view_of(array: mx.nd.NDArray) -> Optional[np.ndarray]:
    """A NumPy array on the memory of one of MXNet's; None where it is not float32 on a CPU.

    Examples
    --------
    >>> array = mx.np.zeros((2, 2))
    >>> view = view_of(array)
    >>> array[:] = 1
    >>> array.wait_to_read()
    >>> view.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    if array.dtype != np.float32 or array.ctx.device_type != 'cpu' or array.stype != 'default':
        return None
    view = kernels.memory_of(array)
    view.flags.writeable = False
    return view


def _needed(nodes, head):
    """The nodes that the output needs, in order: a loss of the net's own is none of them."""
    needed, ahead = set(), [head]
    while ahead:
        n = ahead.pop()
        if n not in needed:
            needed.add(n)
            ahead += [i for i, *_ in nodes[n]['inputs']]
    return sorted(needed)


# What each of MXNet's operators is in NumPy. Those of the second table are made for a node, whose
# settings they are given: `_Unknown` and KeyError say that there is no such case here.

PLAIN = {
    '_npi_add': np.add, '_npi_subtract': np.subtract, '_npi_multiply': np.multiply,
    '_npi_true_divide': np.true_divide, '_npi_maximum': np.maximum, '_npi_minimum': np.minimum,
    '_npi_greater': np.greater, '_npi_less': np.less,
    '_npi_square': np.square, '_npi_sqrt': np.sqrt, '_npi_exp': np.exp, '_npi_log': np.log,
    '_npi_tanh': np.tanh, '_npi_absolute': np.abs, '_npi_negative': np.negative,
    '_np_copy': lambda x: x, '_np_dot': np.dot, 'Flatten': lambda x: x.reshape(len(x), -1),
}  # fmt: skip


def _sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


ACTIVATIONS = {
    'relu': lambda x: np.maximum(x, 0),
    'sigmoid': _sigmoid,
    'tanh': np.tanh,
    'softrelu': lambda x: np.logaddexp(x, np.float32(0)),
    'softsign': lambda x: x / (1 + np.abs(x)),
}
PLAIN.update({'_npx_relu': ACTIVATIONS['relu'], '_npx_sigmoid': _sigmoid})


def _fully_connected(no_bias=False, flatten=True, **_):
    def apply(x, weight, *bias):
        many = None if x.ndim == 2 or flatten else x.shape[:-1]
        if x.ndim != 2:
            x = x.reshape(len(x) if flatten else -1, weight.shape[1])
        out = np.dot(x, weight.T)
        if bias:
            out += bias[0]
        return out if many is None else out.reshape(*many, -1)

    return apply


def _take(axis=0, mode='clip'):
    def apply(x, index):
        if index.dtype.kind == 'f':
            index = index.astype(np.int64)
        return x.take(index, axis, None, mode)

    return apply


def _batch_norm(eps=1e-3, fix_gamma=True, axis=1, **_):
    def apply(x, gamma, beta, mean, var):
        shape = [1] * x.ndim
        shape[axis] = -1
        scale = 1 / np.sqrt(var + np.float32(eps))
        if not fix_gamma:
            scale *= gamma
        return (x - mean.reshape(shape)) * scale.reshape(shape) + beta.reshape(shape)

    return apply


def _dropout(mode='training', **_):
    if mode != 'training':
        raise _Unknown(mode)
    return lambda x: x


def _softmax(axis=-1, **others):
    if any(others.values()):
        raise _Unknown('softmax')

    def apply(x):
        x = np.exp(x - x.max(axis=axis, keepdims=True))
        return x / x.sum(axis=axis, keepdims=True)

    return apply


def _slice(begin, end, step=()):
    where = tuple(map(slice, begin, end, step or [None] * len(begin)))
    return lambda x: x[where]


def _batch_dot(transpose_a=False, transpose_b=False, **_):
    def apply(a, b):
        a = a.swapaxes(1, 2) if transpose_a else a
        return np.matmul(a, b.swapaxes(1, 2) if transpose_b else b)

    return apply


def _reshape(newshape, order='C', reverse=False):
    """As npx.reshape has it, with its codes below -1 for what becomes of the sizes in turn."""
    if order != 'C' or reverse:
        raise _Unknown('reshape')
    codes = (newshape,) if isinstance(newshape, int) else newshape
    if min(codes) >= -1:
        return lambda x: x.reshape(codes)

    def apply(x):
        sizes, shape, ahead = list(x.shape), [], list(codes)
        while ahead:
            code = ahead.pop(0)
            if code == -4:  # all that are left
                shape += sizes
            elif code == -6:  # one in two
                whole, parts = sizes.pop(0), (ahead.pop(0), ahead.pop(0))
                shape += [part if part > 0 else whole // max(parts) for part in parts]
            elif code == -5:  # two in one
                shape.append(sizes.pop(0) * sizes.pop(0))
            else:  # -2 keeps a size, -3 drops a 1
                size = sizes.pop(0) if sizes else None
                shape += [] if code == -3 else [size if code == -2 else code]
        return x.reshape(shape)

    return apply


def _arange(start, stop, step=1, dtype='float32', **_):
    return lambda: np.arange(start, stop, step, dtype=dtype)


def _full(shape, value, dtype='float32', **_):
    return lambda: np.full(shape, value, dtype=dtype)


def _eye(N, M=None, k=0, dtype='float32', **_):
    return lambda: np.eye(N, M, k, dtype=dtype)


def _scalar(function, swapped=False):
    def make(scalar, is_int=False):
        scalar = int(scalar) if is_int else float(scalar)
        if swapped:
            return lambda x: function(scalar, x)
        return lambda x: function(x, scalar)

    return make


OF_A_NODE: dict[str, Callable] = {
    'FullyConnected': _fully_connected,
    'take': _take,
    'Activation': lambda act_type: ACTIVATIONS[act_type],
    'BatchNorm': _batch_norm,
    'Dropout': _dropout,
    'softmax': _softmax,
    'slice': _slice,
    'batch_dot': _batch_dot,
    '_npx_reshape': _reshape,
    'Cast': lambda dtype: lambda x: x.astype(dtype, copy=False),
    'expand_dims': lambda axis: lambda x: np.expand_dims(x, axis),
    'tile': lambda reps: lambda x: np.tile(x, reps),
    '_np_transpose': lambda axes=None: lambda x: x.transpose(axes),
    '_np_sum': lambda axis=None, keepdims=False: lambda x: x.sum(axis=axis, keepdims=keepdims),
    '_npi_concatenate': lambda axis=0, **_: lambda *x: np.concatenate(x, axis),
    '_npi_stack': lambda axis=0, **_: lambda *x: np.stack(x, axis),
    '_npi_tril': lambda k=0: lambda x: np.tril(x, k),
    '_npi_full_like': lambda fill_value, **_: lambda x: np.full_like(x, fill_value),
    '_npi_arange': _arange,
    '_npi_eye': _eye,
    '_full': _full,
    '_npi_ones': functools.partial(_full, value=1),
    '_npi_zeros': functools.partial(_full, value=0),
    '_npi_add_scalar': _scalar(np.add),
    '_npi_subtract_scalar': _scalar(np.subtract),
    '_npi_rsubtract_scalar': _scalar(np.subtract, swapped=True),
    '_npi_multiply_scalar': _scalar(np.multiply),
    '_npi_true_divide_scalar': _scalar(np.true_divide),
    '_npi_rtrue_divide_scalar': _scalar(np.true_divide, swapped=True),
    '_maximum_scalar': _scalar(np.maximum),
    '_minimum_scalar': _scalar(np.minimum),
}


def _operator(node):
    """The function of a node's inputs."""
    if node['op'] in PLAIN:
        return PLAIN[node['op']]
    settings = {name: _value(text) for name, text in node.get('attrs', {}).items()}
    return OF_A_NODE[node['op']](**settings)


def _value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
