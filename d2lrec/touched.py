"""Tables of which a step of training touches only the rows that its batch looks up.

A vocabulary grows without end, but a batch looks up few of its rows, and all others have a
gradient of 0. A table made so by `touch_rows` reads and writes no others: the rows of the batch
are copied out of it, the net computes with these, small as they are, and the optimizer is given
their gradient alone. So neither time nor memory of a step depends on the number of rows.

SGD without momentum, AdaGrad and FTRL give what they give otherwise, as a row without a gradient
would stay where it is. Adam becomes *lazy*: a row that is not looked up rests, and its moments do
not fade. And weight decay, where it is not FTRL's, falls on the rows of the batch alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from . import kernels
from .arguments import check_flag, check_net

__all__ = ['touch_rows']

# Numbers of a net's tables from which on only the rows of the batch are touched, where nobody
# says otherwise: `benchmarks/vocabulary.py` has the times below and above.
LARGE_TABLE = 2**21
ROUND = 1024  # rows by which the copied rows grow: a new number of them is planned for anew


class RowsGradient(mx.nd.sparse.RowSparseNDArray):
    """A row-sparse gradient: `rows` int64 (R,), ascending, and `values` (R, ...) beside them.

    Whoever knows these two need not wait for them; for MXNet's own operators they become an array
    of its own, at the first use of its handle.
    """

    def __init__(self, rows: np.ndarray, values: mx.nd.NDArray, shape: Sequence[int]):
        self.rows, self.values, self._of, self._own = rows, values, tuple(shape), None

    @property
    def handle(self):
        if self._own is None:
            rows = mx.nd.array(self.rows, ctx=self.values.context, dtype='int64')
            self._own = mx.nd.sparse.row_sparse_array((self.values, rows), shape=self._of)
        return self._own.handle

    def parts(self) -> tuple[np.ndarray, mx.nd.NDArray]:
        """Rows and values; those of the array of its own, where there is one: it may be another."""
        if self._own is None:
            return self.rows, self.values
        return self._own.indices.asnumpy().astype(np.int64), self._own.data

    def __del__(self):
        self._own = None

    writable = True
    stype = 'row_sparse'
    shape = property(lambda self: self._of)
    dtype = property(lambda self: self.values.dtype)
    context = ctx = property(lambda self: self.values.context)


class _Copied:
    """Rows copied out of a table on one device, a variable of `autograd`."""

    def __init__(self, table, capacity):
        shape = (capacity, *table.shape[1:])
        self.array = mx.np.zeros(shape, dtype=table.dtype, ctx=table.ctx)
        self.array.attach_grad()
        kernels.at_hand(self.array, self.array.grad)
        self.capacity, self.rows = capacity, None

    def fill(self, table, rows, fetch=None):
        self.rows = rows
        if fetch is not None:
            self.array.as_nd_ndarray()[: len(rows)] = fetch(rows)
            return
        source, own = table.as_nd_ndarray(), self.array.as_nd_ndarray()
        if kernels.usable(source, own, least=0):
            kernels.step(kernels.copy, source, [], own, [], rows, writes='grad')
            return
        index = np.full(self.capacity, rows[-1] if len(rows) else 0, np.int64)
        index[: len(rows)] = rows  # the rest is looked up by nobody
        index = mx.nd.array(index, ctx=table.ctx, dtype='int64')
        mx.nd.take(source, index, mode='clip', out=own)

    @property
    def fresh(self):
        return self.rows is not None and self.array._fresh_grad

    def gradient(self, shape):
        """The gradient of these rows, as the backward pass left it."""
        self.array._fresh_grad = False
        values = self.array.grad.as_nd_ndarray()[: len(self.rows)]
        return self.rows, values


class TouchedRows(gluon.Parameter):
    """A table (V, ...) that shows the net, while it records, the rows of the batch alone."""

    _shown = None  # what `data` gives while a pass is on its way
    fetch = None  # of rows that are elsewhere: their numbers (R,) -> NDArray (R, ...)

    def _init_grad(self):
        if self.grad_req == 'add':
            raise ValueError(
                f"{self.name} has grad_req='add' and only the rows of a batch are touched: "
                'use touch_rows(net, False) to add up gradients.'
            )
        self._passes = [[] for _ in self._data]  # since the last step; most often one a device
        self._spare = [[] for _ in self._data]
        if self.grad_req == 'null':
            self._grad = None
            return
        self._grad = [
            mx.nd.sparse.zeros('row_sparse', w.shape, ctx=w.ctx, dtype=w.dtype) for w in self._data
        ]
        autograd.mark_variables(self._data, self._grad, self.grad_req)

    def data(self, ctx=None):
        return super().data(ctx) if self._shown is None else self._shown

    def show(self, rows: Optional[np.ndarray], ctx: mx.Context) -> None:
        """From now on `data` gives copies of these rows of the table on `ctx`; None: the table."""
        self._shown = None
        if rows is None:
            return
        place, table = self._ctx_list.index(ctx), super().data(ctx)
        rows = rows[: np.searchsorted(rows, len(table))]  # other tables may be longer
        passes, spare = self._passes[place], self._spare[place]
        if any(p.rows is None or p.fresh for p in passes):  # a backward pass has gone over them
            spare.extend(passes)
            passes.clear()
        one = spare.pop() if spare else None
        if one is None or one.capacity < len(rows):
            one = _Copied(table, -(-max(len(rows) + len(rows) // 8, 1) // ROUND) * ROUND)
        one.fill(table, rows, self.fetch)
        passes.append(one)
        self._shown = one.array

    def _check_and_get(self, arr_list, ctx):
        if arr_list is not None and arr_list is self._data and ctx is list:
            # The gradient of the table is as fresh as that of its rows: a Trainer asks.
            for table, passes in zip(self._data, self._passes):
                if any(p.fresh for p in passes):
                    table._fresh_grad = True
        return super()._check_and_get(arr_list, ctx)

    def list_grad(self):
        for place, passes in enumerate(self._passes if self._grad is not None else ()):
            fresh = [p for p in passes if p.fresh]
            if not fresh:
                continue
            parts = [p.gradient(self.shape) for p in fresh]
            grad = RowsGradient(*(parts[0] if len(parts) == 1 else _added(parts)), self.shape)
            for p in passes:
                p.rows = None  # done with
            # A store of several devices writes their sum into these: it needs MXNet's own.
            self._grad[place] = grad if len(self._data) == 1 else _own(grad)
            self._data[place]._fresh_grad = True
        return super().list_grad()

    def grad(self, ctx=None):
        self.list_grad()
        return super().grad(ctx)

    def zero_grad(self):
        if self._grad is not None:
            self._init_grad()

    def cast(self, dtype):
        had, self._grad = self._grad, None
        super().cast(dtype)
        if had is not None:
            self._init_grad()


def _added(parts):
    """The gradients of several passes over one table, equal rows added."""
    rows, place = np.unique(np.concatenate([rows for rows, _ in parts]), return_inverse=True)
    total = np.zeros((len(rows), *parts[0][1].shape[1:]), parts[0][1].dtype)
    np.add.at(total, place.reshape(-1), np.concatenate([v.asnumpy() for _, v in parts]))
    return rows, mx.nd.array(total, ctx=parts[0][1].context, dtype=total.dtype)


def _own(grad):
    rows = mx.nd.array(grad.rows, ctx=grad.context, dtype='int64')
    return mx.nd.sparse.row_sparse_array((grad.values, rows), shape=grad.shape)


class Lookups:
    """What a net's tables are looked up by: groups of (positions of inputs, tables)."""

    def __init__(self, groups: Sequence[tuple]):
        self.groups = list(groups)
        self._places = [np.empty(0, np.int32) for _ in self.groups]

    @contextmanager
    def of(self, inputs: Sequence[mx.np.ndarray]) -> Any:
        """The inputs, with ids that count the batch's own rows, which the tables now show."""
        inputs, tables = list(inputs), []
        try:
            for n, (positions, group) in enumerate(self.groups):
                longest = max(table.shape[0] for table in group)
                if len(self._places[n]) != longest:
                    self._places[n] = np.empty(longest, np.int32)
                ctx = inputs[positions[0]].ctx
                ids = [inputs[i].asnumpy().astype(np.int32, copy=False) for i in positions]
                flat = np.concatenate([x.reshape(-1) for x in ids])
                np.clip(flat, 0, longest - 1, out=flat)  # as a look-up does
                rows, place = kernels.distinct(flat, self._places[n])
                first = 0
                for i, x in zip(positions, ids):
                    own = place[first : first + x.size].reshape(x.shape)
                    inputs[i] = mx.np.array(own, dtype='int32', ctx=ctx)
                    first += x.size
                for table in group:
                    tables.append(table)
                    with autograd.pause():
                        table.show(rows, ctx)
            yield inputs
        finally:
            for table in tables:
                table.show(None, None)


def touch_rows(net: gluon.Block, on: Optional[bool] = True) -> gluon.Block:
    """Have training touch only the rows of a net's tables that a batch looks up; return the net.

    For the optimizers of this library and MXNet's SGD, AdaGrad and Adam, in every loop and with
    every `gluon.Trainer` that is made afterwards; on one device or several. See `d2lrec.touched`
    for what changes: nothing with SGD, AdaGrad and FTRL, and Adam becomes lazy. The loops keep no
    copy of tables of 2,097,152 numbers or more to go back to, unless a validation part chooses
    an epoch: where training fails, what is not finite in them becomes 0.

    Parameters
    ----------
    net : a model of this library, or one that has a method `tables`
    on : bool or None
        False: as it is usual. None: where the tables hold 2,097,152 numbers or more, which
        a model has done itself when it was built.

    Raises
    ------
    ValueError
        Where the net does not say by which inputs its tables are looked up.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.touched.touch_rows(d2l.FM([3, 5], 4))
    >>> net.initialize()
    >>> with autograd.record():
    ...     loss = net(mx.np.array([[0, 5], [0, 7]], dtype='int32')).sum()
    >>> loss.backward()
    >>> net.embedding.weight.grad().indices.asnumpy().tolist()
    [0, 5, 7]
    """
    check_net(net)
    on = on if on is None else check_flag(on, 'on')
    groups = tables_of(net)
    if not groups and on:
        raise ValueError(
            f'{type(net).__name__} does not say which inputs its tables are looked up by: only '
            'models of ids, with a method tables(), can be trained by rows.'
        )
    tables = [table for _, group in groups for table in group]
    if on is None:
        on = sum(int(np.prod(table.shape)) for table in tables) >= LARGE_TABLE
    kind = TouchedRows if on else gluon.Parameter
    for table in tables:
        if type(table) is kind:
            continue
        table.__class__ = kind
        table._grad_stype = 'row_sparse' if on else 'default'
        if table._data is not None:
            table._init_grad()
    object.__setattr__(net, '_lookups', Lookups(groups) if on and groups else None)
    return net


def touched_of(net: gluon.Block) -> list[gluon.Parameter]:
    """The tables of a net of which only rows are touched."""
    lookups = getattr(net, '_lookups', None)
    return [] if lookups is None else [t for _, group in lookups.groups for t in group]


def tables_of(net) -> list[tuple[list[int], list]]:
    """[(positions of inputs, tables)] of a net that says them."""
    if not hasattr(net, 'tables') or not getattr(net, 'inputs', None):
        return []
    names = list(net.inputs)
    return [
        ([names.index(n) for n in inputs], list(tables))
        for inputs, tables in net.tables().items()
        if tables
    ]
