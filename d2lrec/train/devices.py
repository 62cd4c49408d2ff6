"""Where a net lives, and how a batch is spread over its devices."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np

from ..arguments import check_list, check_net, check_seed, shown

__all__ = ['set_seed', 'try_all_gpus']

# How many batches the engine may lie behind the loop. Reading a result at each batch would stop
# it; never reading one would queue a whole epoch's batches in memory.
MAX_BATCHES_AHEAD = 16


def try_all_gpus() -> list[mx.Context]:
    """All GPUs that MXNet sees, or [cpu()] where there is none.

    Examples
    --------
    >>> len(try_all_gpus()) >= 1
    True
    """
    return [mx.gpu(i) for i in range(mx.context.num_gpus())] or [mx.cpu()]


def set_seed(seed: int) -> None:
    """Seed Python, NumPy (Gluon's sampler shuffles with it) and MXNet on every device.

    Examples
    --------
    >>> set_seed(0)
    >>> first = np.random.rand()
    >>> set_seed(0)
    >>> np.random.rand() == first
    True
    """
    seed = check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    mx.random.seed(seed)


def first_parameter(block):
    """One parameter of a net, or None: quicker than `collect_params`, which walks all of it."""
    for parameter in block._reg_params.values():
        return parameter
    for child in block._children.values():
        found = first_parameter(child)
        if found is not None:
            return found
    return None


def devices_of(
    net, devices: Optional[Union[mx.Context, Sequence[mx.Context]]] = None
) -> list[mx.Context]:
    """The devices to work on: those asked for, else those the net's weights are on."""
    check_net(net)
    parameter = first_parameter(net)
    try:
        here = try_all_gpus() if parameter is None else parameter.list_ctx()
    except RuntimeError:
        raise ValueError(
            f'{type(net).__name__} has no weights yet: call net.initialize() before training or '
            'predicting.'
        ) from None
    if devices is None:
        return here
    devices = as_devices(devices)
    if parameter is not None and not set(devices) <= set(here):
        raise ValueError(
            f'the weights are on {here} but devices is {devices}: '
            'call net.initialize(ctx=devices) with the same list.'
        )
    return devices


def as_devices(devices: Any) -> list[mx.Context]:
    """One device or several as a list; refuse none, and what is no device."""
    if isinstance(devices, mx.Context):
        return [devices]
    listed = check_list(devices, 'devices', 'devices such as [mx.cpu(0)] or try_all_gpus()')
    if not all(isinstance(d, mx.Context) for d in listed) or len(set(listed)) < len(listed):
        raise ValueError(
            f'devices is {shown(devices)}: give different ones, such as [mx.cpu(0)] or '
            'try_all_gpus().'
        )
    if not listed:
        raise ValueError("devices is empty: pass try_all_gpus(), or None for the net's own.")
    return list(listed)


def shards(array: Any, devices: Sequence[mx.Context]) -> list:
    """Split a batch over the devices; shards may differ by a row, and some may be missing.

    Of several inputs (a list or tuple of arrays) each shard is a tuple.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], 'shape'):
        return list(zip(*[shards(a, devices) for a in array]))
    if not isinstance(array, mx.nd.NDArray):
        array = mx.np.array(array, dtype=getattr(array, 'dtype', None))
    rows, num = array.shape[0], max(1, min(len(devices), array.shape[0]))
    if num == 1:
        return [array.as_in_ctx(devices[0])]
    bounds = [rows * i // num for i in range(num + 1)]
    return [
        array[start:stop].as_in_ctx(device)
        for start, stop, device in zip(bounds, bounds[1:], devices)
    ]


def first_row(inputs, device):
    """The first row of one input, or of a tuple of them, on a device."""
    if isinstance(inputs, tuple):
        return tuple(first_row(x, device) for x in inputs)
    return inputs[:1].as_in_ctx(device)


def settle(devices: Sequence[mx.Context]) -> None:
    """Wait for all replicas before a trainer's first step, which makes them equal.

    MXNet 1.9.1 does not hold that step back until batch normalization in a static graph has
    written its statistics: now and then the first batch would be missing from them.
    """
    if len(devices) > 1:
        mx.nd.waitall()


class Throttle:
    """Let the engine run ahead of Python, but not without bound.

    `add` hands back what was added `MAX_BATCHES_AHEAD` calls ago, computed by now, or None.
    """

    def __init__(self):
        self._pending: deque = deque()

    def add(self, array):
        self._pending.append(array)
        if len(self._pending) > MAX_BATCHES_AHEAD:
            done = self._pending.popleft()
            done.wait_to_read()
            return done
        return None


class DeviceSum:
    """A sum kept on each device and read once."""

    def __init__(self):
        self._sums: dict[str, Any] = {}

    def add(self, array):
        total = array.sum()
        key = str(array.ctx)
        self._sums[key] = self._sums[key] + total if key in self._sums else total
        return self._sums[key]

    def read(self) -> float:
        return sum(float(s.asnumpy()) for s in self._sums.values())
