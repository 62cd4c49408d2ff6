"""An optimizer's step, written as the loop that defines it; numba makes it fast, where installed.

MXNet's own steps are compiled number by number, 3 ns each for Adam and 15 to 40 for AdaGrad and
FTRL; numba compiles the same loops for the processor at hand, 1 ns. The loops round after each
operation as MXNet's Adam and SGD do, so that their step with numba is, bit for bit, their step
without. `benchmarks/optimizers.py` has the times.

A compiled step is handed to MXNet's engine, like any operator of its own: it runs when what it
reads has been computed, and Python does not wait for it. Nothing here is compiled before a weight
has `LARGE` numbers, and nothing is where numba is not installed (`pip install d2lrec[fast]`).
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import mmap
import sys
from collections.abc import Callable, Sequence
from typing import Any, Optional

import mxnet as mx
import numpy as np

__all__: list[str] = []  # what optimizers are made of, not for readers

LARGE = 2**16  # numbers of a weight from which on compiling pays


# The definitions. `w` is a weight, `a` and `b` what the optimizer remembers of it, `g` its
# gradient, all (n,) float32 and the first three written in place; `s` holds the settings.


def sgd(w, a, b, g, s):
    """s = rate, scale, decay: w -= rate (scale g + decay w)."""
    rate, scale, decay = s[0], s[1], s[2]
    keep = np.float32(1) - rate * decay
    for i in range(w.shape[0]):
        w[i] = keep * w[i] - rate * scale * g[i]


def adam(w, a, b, g, s):
    """s = rate, scale, decay, β₁, 1 - β₁, β₂, 1 - β₂, ε; the rate with both corrections."""
    rate, scale, decay = s[0], s[1], s[2]
    beta1, rest1, beta2, rest2, epsilon = s[3], s[4], s[5], s[6], s[7]
    for i in range(w.shape[0]):
        d = g[i] * scale + w[i] * decay
        a[i] = beta1 * a[i] + rest1 * d
        b[i] = beta2 * b[i] + rest2 * d * d
        w[i] -= rate * a[i] / (np.sqrt(b[i]) + epsilon)


def adagrad(w, a, b, g, s):
    """s = rate, scale, decay, ε: the history a += (scale g)², w -= rate (scale g / √(a + ε) + …)"""
    rate, scale, decay, epsilon = s[0], s[1], s[2], s[3]
    for i in range(w.shape[0]):
        d = g[i] * scale
        a[i] += d * d
        w[i] -= rate * (d / np.sqrt(a[i] + epsilon) + w[i] * decay)


def ftrl(w, a, b, g, s):
    """s = rate, scale, λ₂, λ₁, β: a is z, b is n of McMahan et al., algorithm 1."""
    rate, scale, l2, l1, beta = s[0], s[1], s[2], s[3], s[4]
    for i in range(w.shape[0]):
        d = g[i] * scale
        before = np.sqrt(b[i])
        b[i] += d * d
        root = np.sqrt(b[i])
        a[i] += d - (root - before) * w[i] / rate
        if abs(a[i]) > l1:
            w[i] = (np.copysign(l1, a[i]) - a[i]) / ((beta + root) / rate + l2)
        else:
            w[i] = np.float32(0)


def copy(w, a, b, g, s):
    """Write what w holds to g: of rows, a look-up."""
    for i in range(w.shape[0]):
        g[i] = w[i]


# Their twins: the same operations in the same order, so that every bit is the same, by NumPy.


def _adagrad(w, a, b, g, s):
    rate, scale, decay, epsilon = s[:4]
    d = g * scale
    a += d * d
    w -= rate * (d / np.sqrt(a + epsilon) + w * decay)


def _ftrl(w, a, b, g, s):
    rate, scale, l2, l1, beta = s[:5]
    d = g * scale
    before = np.sqrt(b)
    b += d * d
    root = np.sqrt(b)
    a += d - (root - before) * w / rate
    beyond = (np.copysign(l1, a) - a) / ((beta + root) / rate + l2)
    w[...] = np.where(np.abs(a) > l1, beyond, np.float32(0))


def _sgd(w, a, b, g, s):
    rate, scale, decay = s[:3]
    w[...] = (np.float32(1) - rate * decay) * w - rate * scale * g


def _adam(w, a, b, g, s):
    rate, scale, decay, beta1, rest1, beta2, rest2, epsilon = s
    d = g * scale + w * decay
    a[...] = beta1 * a + rest1 * d
    b[...] = beta2 * b + rest2 * d * d
    w -= rate * a / (np.sqrt(b) + epsilon)


TWINS = {sgd: _sgd, adam: _adam, adagrad: _adagrad, ftrl: _ftrl}
AHEAD = 8  # rows that are on their way from memory
CHUNK = 2**14  # numbers at a time, which with what is made of them stay in the cache


@functools.cache
def _numba() -> Optional[Any]:
    try:
        import numba
    except (ImportError, OSError):  # one whose own library does not fit into memory
        return None
    return numba


def compiled(loop: Callable, **options: Any) -> Any:
    """A loop that numba compiles, its machine code kept in a file for the next process.

    Where no folder can be written that numba keeps such files in, each process compiles anew.
    """
    try:
        return _numba().njit(error_model='numpy', cache=True, **options)(loop)
    except RuntimeError:
        return _numba().njit(error_model='numpy', **options)(loop)


def on_cpu(*arrays: mx.nd.NDArray) -> bool:
    """Whether these arrays are float32 in the processor's own memory.

    Examples
    --------
    >>> on_cpu(mx.nd.zeros(4)), on_cpu(mx.nd.zeros(4, dtype='float64'))
    (True, False)
    """
    return all(x.dtype == np.float32 and x.context.device_type == 'cpu' for x in arrays)


def usable(*arrays: mx.nd.NDArray, least: int = LARGE) -> bool:
    """Whether numba is installed and these are `on_cpu`, the first of `least` numbers or more.

    Examples
    --------
    >>> usable(mx.nd.zeros(4))
    False
    """
    return arrays[0].size >= least and on_cpu(*arrays) and _numba() is not None


@functools.cache
def _pointers() -> tuple:
    """Functions for compiled code: an address as a pointer to float32, int64 or int32."""
    numba = _numba()
    types = numba.types

    def pointer_to(kind):
        @numba.extending.intrinsic
        def at(_, address):
            def code(context, builder, signature, args):
                return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

            return types.CPointer(kind)(types.int64), code

        return at

    return pointer_to(types.float32), pointer_to(types.int64), pointer_to(types.int32)


@functools.cache
def _prefetch() -> Any:
    """A function for compiled code: call for the memory at an address, which is soon needed."""
    numba = _numba()
    types, cgutils = numba.types, importlib.import_module('numba.core.cgutils')
    ir = importlib.import_module('llvmlite.ir')

    @numba.extending.intrinsic
    def prefetch(_, address):
        def code(context, builder, signature, args):
            byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            call = cgutils.get_or_insert_function(builder.module, kind, 'llvm.prefetch.p0')
            options = [ir.Constant(number, n) for n in (1, 3, 1)]  # to write; keep; data
            builder.call(call, [builder.inttoptr(args[0], byte), *options])
            return context.get_dummy_value()

        return types.none(types.int64), code

    return prefetch


@functools.cache
def _compiled(definition: Callable) -> tuple[Any, Any]:
    """The definition as a C function for the engine, `void f(void *context, int64 *task)`.

    The task holds the addresses of w, a, b, g, the rows and the settings, and two numbers: of the
    rows and of the weights in each, or how many whole weights follow and 0. What follows is for
    each the addresses of w, a, b, g and the settings, and how many numbers it has. What an
    optimizer does not remember, a or b, is w.
    """
    numba = _numba()
    types, prefetch = numba.types, _prefetch()
    floats, longs = _pointers()[:2]
    # Divisions by zero give what they give in MXNet: the check for them would cost the vectors.
    formula = numba.njit(error_model='numpy', nogil=True)(definition)
    array = numba.carray

    @numba.cfunc(types.void(types.voidptr, types.CPointer(types.int64)), error_model='numpy')
    def task(_, p):
        n, width = p[6], p[7]
        if width == 0:
            for i in range(n):
                j = 8 + 6 * i
                numbers = p[j + 5]
                formula(array(floats(p[j]), numbers), array(floats(p[j + 1]), numbers),
                        array(floats(p[j + 2]), numbers), array(floats(p[j + 3]), numbers),
                        array(floats(p[j + 4]), 8))  # fmt: skip
            return
        settings = array(floats(p[5]), 8)
        rows, wide, ahead = array(longs(p[4]), n), 4 * width, min(n, AHEAD)
        for r in range(n):
            # Rows lie anywhere in memory: those that come are called for while this one is done.
            coming = rows[min(r + ahead, n - 1)] * wide
            prefetch(p[0] + coming)
            prefetch(p[1] + coming)
            prefetch(p[2] + coming)
            row = rows[r] * wide
            w, a, b, g = p[0] + row, p[1] + row, p[2] + row, p[3] + r * wide
            if width == 1:  # a loop of known length is none
                formula(array(floats(w), 1), array(floats(a), 1), array(floats(b), 1),
                        array(floats(g), 1), settings)  # fmt: skip
            else:
                formula(array(floats(w), width), array(floats(a), width), array(floats(b), width),
                        array(floats(g), width), settings)  # fmt: skip

    return task, ctypes.c_void_p(task.address)


def distinct(ids: np.ndarray, scratch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct ids, ascending, and the place of each id among them: as `np.unique`, in O(n).

    Parameters
    ----------
    ids : int32 (n,), each from 0 to below V
    scratch : int32 (V,), whose values count for nothing

    Returns
    -------
    rows int64 (R,), and places int32 (n,).

    Examples
    --------
    >>> rows, place = distinct(np.array([7, 2, 7], np.int32), np.empty(9, np.int32))
    >>> rows.tolist(), place.tolist()
    ([2, 7], [1, 0, 1])
    """
    loops = _marking()
    if loops is None:
        rows = np.sort(_mark(ids, scratch)).astype(np.int64)
        return rows, _place(ids, rows, scratch)
    # Their table is as long as the ids are many, not as the vocabulary: it stays in the cache.
    keys, places = np.full((2, 2 << max(4, len(ids).bit_length())), -1, np.int32)
    rows = np.sort(loops[0](ids, keys))
    return rows.astype(np.int64), loops[1](ids, rows, keys, places)


def _mark(ids, scratch):
    """Each id once: of equal ones the last, as its number is the one that stays."""
    order = np.arange(len(ids), dtype=np.int32)
    scratch[ids] = order
    return ids[scratch[ids] == order]


def _place(ids, rows, scratch):
    scratch[rows] = np.arange(len(rows), dtype=np.int32)
    return scratch[ids]


@functools.cache
def _marking() -> Optional[tuple]:
    """`_mark` and `_place` as loops over a hash table of the ids, by numba.

    `keys`, a power of two of numbers, is all -1 where no id is, as are `places` beside it.
    """
    numba = _numba()
    if numba is None:
        return None

    @numba.njit
    def slot(x, keys):
        mask = len(keys) - 1
        at = ((np.int64(x) * np.int64(2654435761)) >> 9) & mask
        while keys[at] != x and keys[at] != -1:
            at = (at + 1) & mask
        return at

    @numba.njit
    def mark(ids, keys):
        rows, count = np.empty_like(ids), 0
        for i in range(len(ids)):
            at = slot(ids[i], keys)
            if keys[at] == -1:
                keys[at] = ids[i]
                rows[count] = ids[i]
                count += 1
        return rows[:count]

    @numba.njit
    def place(ids, rows, keys, places):
        found = np.empty(len(ids), np.int32)
        for r in range(len(rows)):
            places[slot(rows[r], keys)] = r
        for i in range(len(ids)):
            found[i] = places[slot(ids[i], keys)]
        return found

    return mark, place


@functools.cache
def _engine() -> tuple:
    """MXNet's library, and malloc and free: the engine frees a task when it is done."""
    c = ctypes.CDLL(None)
    c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    return mx.base._LIB, c.malloc, ctypes.cast(c.free, ctypes.c_void_p)


def at_hand(*arrays: mx.nd.NDArray) -> None:
    """Wait until arrays that were just made have their memory: `step` asks for its address.

    MXNet sets memory aside when an array is first written, on a thread of its own. Who asks for
    the address meanwhile may have other memory set aside, and would write where nobody reads.

    Examples
    --------
    >>> at_hand(mx.nd.zeros(3))
    """
    for array in arrays:
        array.wait_to_read()


def _address(array):
    pointer = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(pointer)))
    return pointer.value


def step(
    definition: Callable,
    weight: mx.nd.NDArray,
    states: Sequence[mx.nd.NDArray],
    grad: mx.nd.NDArray,
    settings: Sequence[float],
    rows: Optional[np.ndarray] = None,
    writes: str = 'weight',
) -> None:
    """Have the engine do a step of `definition`, on a whole weight or on some of its rows.

    Parameters
    ----------
    definition : one of this module's
    weight : NDArray (V, ...), for which `usable` holds
    states : none, one or two NDArrays of the same shape
    grad : NDArray, of the weight's shape or (R, ...) for R rows
    settings : at most eight numbers
    rows : int64 (R,), each at most once
    writes : 'weight' (and states), or 'grad'
    """
    if rows is None:
        steps(definition, [(weight, states, grad, settings, weight.size)], writes)
        return
    if not len(rows):
        return
    a, b = (_address(x) for x in (*states, weight, weight)[:2])
    task = np.empty(8 + 4 + len(rows), np.int64)
    task[8:12].view(np.float32)[: len(settings)] = settings
    task[12:] = rows
    at = _engine()[1](task.nbytes)
    width = weight.size // weight.shape[0]
    task[:8] = _address(weight), a, b, _address(grad), at + 96, at + 64, len(rows), width
    _push(definition, task, at, [(weight, states, grad)], writes)


def steps(definition: Callable, weights: Sequence[tuple], writes: str = 'weight') -> None:
    """Have the engine do a step of `definition` on whole weights, of all in one task.

    Parameters
    ----------
    definition : one of this module's
    weights : of each the weight, states, gradient and settings of `step`, and its size
    writes : 'weight' (and states), or 'grad'
    """
    count = len(weights)
    task = np.zeros(8 + (6 + 4) * count, np.int64)
    at = _engine()[1](task.nbytes)
    task[6] = count
    for i, (weight, states, grad, settings, size) in enumerate(weights):
        own = 8 + 6 * count + 4 * i
        a, b = (_address(x) for x in (*states, weight, weight)[:2])
        task[8 + 6 * i : 14 + 6 * i] = (
            _address(weight), a, b, _address(grad), at + 8 * own, size,
        )  # fmt: skip
        task[own : own + 4].view(np.float32)[: len(settings)] = settings
    _push(definition, task, at, [one[:3] for one in weights], writes)


def _push(definition, task, memory, weights, writes):
    """Hand the task over to MXNet's engine, at an address that the engine frees."""
    library, _, free = _engine()
    ctypes.memmove(memory, task.ctypes.data, task.nbytes)
    reads, written = [], []
    for weight, states, grad in weights:
        reads.append(grad)
        written += [weight, *states]
    if writes == 'grad':
        reads, written = written, reads
    device = weights[0][0].context
    device = (ctypes.c_int * 2)(device.device_typeid, device.device_id)
    mx.base.check_call(
        library.MXEnginePushSyncND(
            _compiled(definition)[1], ctypes.c_void_p(memory), free, ctypes.byref(device),
            _handles(reads), len(reads), _handles(written), len(written),
            None, 0, definition.__name__.encode(),
        )
    )  # fmt: skip


def memory_of(array: mx.nd.NDArray) -> np.ndarray:
    """A NumPy array of an NDArray's own memory, once nobody computes with it.

    Examples
    --------
    >>> x = mx.nd.zeros(2)
    >>> memory_of(x)[1] = 5
    >>> x.asnumpy().tolist()
    [0.0, 5.0]
    """
    mx.base.check_call(mx.base._LIB.MXNDArrayWaitToWrite(array.handle))
    kind = np.ctypeslib.as_ctypes_type(array.dtype)
    pointer = ctypes.cast(_address(array), ctypes.POINTER(kind))
    return np.ctypeslib.as_array(pointer, shape=array.shape)


_laid: set[tuple[int, int]] = set()
PAGES = 2**22  # bytes of an array from which on large pages pay


def large_pages(*arrays: mx.nd.NDArray) -> None:
    """Ask the system for large pages for arrays whose rows are read here and there, once each.

    With pages of 4 kB the processor looks up nearly every row's page in memory first, which takes
    as long as the row; pages of 2 MB are few enough to be known. Of Linux from 6.1 on, or where
    an array is not written yet; elsewhere nothing happens.

    Examples
    --------
    >>> large_pages(mx.nd.zeros((4, 2)))
    """
    if not sys.platform.startswith('linux'):
        return
    for array in arrays:
        size = array.size * np.dtype(array.dtype).itemsize
        if size < PAGES or array.context.device_type != 'cpu':
            continue
        address = _address(array)
        if (address, size) in _laid:
            continue
        _laid.add((address, size))
        first = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
        length = (address + size - first) // mmap.PAGESIZE * mmap.PAGESIZE
        advise = ctypes.CDLL(None).madvise
        for advice in (14, 25):  # MADV_HUGEPAGE, MADV_COLLAPSE
            advise(ctypes.c_void_p(first), ctypes.c_size_t(length), advice)


def give_back(array: mx.nd.NDArray) -> None:
    """Let the system have the memory of an array that counts for nothing now, until it is written.

    Where the system can: of whole pages, which read as zeros then.

    Examples
    --------
    >>> x = mx.nd.ones(3)
    >>> give_back(x)  # too small for a page
    >>> x.asnumpy().tolist()
    [1.0, 1.0, 1.0]
    """
    if not sys.platform.startswith('linux') or array.context.device_type != 'cpu':
        return
    memory, page = memory_of(array), mmap.PAGESIZE
    first = -(-memory.ctypes.data // page) * page
    length = (memory.ctypes.data + memory.nbytes - first) // page * page
    if length > 0:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(length), 4)  # DONTNEED


def step_by_numpy(
    definition: Callable,
    weight: mx.nd.NDArray,
    states: Sequence[mx.nd.NDArray],
    grad: mx.nd.NDArray,
    settings: Sequence[float],
    rows: Optional[np.ndarray] = None,
) -> None:
    """The same as `step`, without numba: at once, in Python's own thread.

    Examples
    --------
    >>> weight, history, grad = mx.nd.ones(2), mx.nd.zeros(2), mx.nd.array([2.0, 0.0])
    >>> step_by_numpy(adagrad, weight, [history], grad, [0.5, 1, 0, 1e-7])
    >>> weight.asnumpy().tolist(), history.asnumpy().tolist()
    ([0.5, 1.0], [4.0, 0.0])
    """
    arrays = [memory_of(x) for x in (weight, *states)]
    g, twin = memory_of(grad), TWINS[definition]
    settings = np.array(settings, np.float32)
    width = 1 if rows is None else max(1, weight.size // weight.shape[0])
    arrays = [x.reshape(-1) if rows is None else x.reshape(-1, width) for x in arrays]
    g = g.reshape(-1) if rows is None else g.reshape(-1, width)
    with np.errstate(all='ignore'):
        for first in range(0, len(g), CHUNK // width + 1):
            part = slice(first, first + CHUNK // width + 1)
            where = part if rows is None else rows[part]
            some = [x[where] for x in arrays]
            twin(*(some + some[:1] * (3 - len(some))), g[part], settings)
            if rows is not None:
                for x, changed in zip(arrays, some):
                    x[where] = changed


def _handles(arrays):
    return (ctypes.c_void_p * len(arrays))(*(x.handle for x in arrays))
