"""One row through a net, or a few, as a request wants them: at once."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import gluon, nd

from ..checks import LOOKED_AT
from ..data.columns import check_columns
from ..few import FEW, of_few

__all__ = ['few_rows']

ALIGNED = 64  # bytes, as MXNet's own memory: where a sum starts can change its last bit
_MINE = threading.local()


def few_rows(net: gluon.Block, data: Any, devices: Sequence[mx.Context]) -> Optional[np.ndarray]:
    """The net's output (B, C) for data of a few rows; None where this is not such a case.

    By NumPy, where `few` can; one row else by the net, and all others in batches.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> net.initialize()
    >>> few_rows(net, np.array([[0, 3]]), [mx.cpu()]).tolist()
    [[0.0]]
    """
    inputs = getattr(net, 'inputs', None)
    if not inputs or 'rows' in inputs or len(devices) != 1 or devices[0].device_type != 'cpu':
        return None
    if not isinstance(data, np.ndarray) and not hasattr(data, 'labels'):
        return None
    if hasattr(data, 'batches') or not 0 < len(data) < FEW:
        return None
    examples = check_columns(data, inputs, net.ranges, type(net).__name__)
    columns = [examples.columns[name] for name in inputs]
    out = of_few(net, columns)
    return _by_the_net(net, columns) if out is None and len(data) == 1 else out


def _by_the_net(net, columns):
    """One row by the net.

    A new array is handed to the net's engine as a task of its own, which takes as long as the net
    itself. Here a thread keeps, for each net, arrays that share their memory with NumPy's, and
    writes the row into them: the last one's output has been read by then.
    """
    try:
        kept = _MINE.kept
    except AttributeError:
        kept = _MINE.kept = weakref.WeakKeyDictionary()
    arrays = kept.get(net)
    if arrays is None or [(m.shape, m.dtype) for m, _ in arrays] != [
        (c.shape, c.dtype) for c in columns
    ]:
        arrays = kept[net] = [_shared(c) for c in columns]
    for (memory, _), column in zip(arrays, columns):
        memory[...] = column
    with LOOKED_AT:
        out = net(*(array for _, array in arrays)).asnumpy()
    return out.reshape(1, -1)


def _shared(like):
    """Memory of NumPy's of this shape and type, and an MXNet array of the same memory."""
    whole = np.empty(like.nbytes + ALIGNED, np.uint8)
    start = -whole.ctypes.data % ALIGNED
    memory = whole[start : start + like.nbytes].view(like.dtype).reshape(like.shape)
    return memory, nd.from_numpy(memory[...]).as_np_ndarray()
