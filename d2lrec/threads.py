"""MXNet's NumPy interface in every thread: MXNet switches it on in one, and a server has many."""

from __future__ import annotations

import ctypes
import threading

import mxnet as mx
from mxnet import npx
from mxnet.util import _NumpyArrayScope

__all__: list[str] = []  # what the library does when it is imported, not for readers

EVERYWHERE = 2  # of MXSetIsNumpyShape; 1 is for the thread that says so


class _OfThread(threading.local):
    """Whether NumPy's arrays are on in this thread: in a new one as in the main thread."""

    of_new = _NumpyArrayScope(True)

    def __init__(self):
        super().__setattr__('value', self.of_new)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if threading.current_thread() is threading.main_thread():
            type(self).of_new = value


def set_np_everywhere() -> None:
    """`npx.set_np()` for this thread and all others, until the main one says `npx.reset_np()`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> set_np_everywhere()
    >>> with ThreadPoolExecutor(1) as thread:
    ...     thread.submit(mx.util.is_np_array).result()
    True
    """
    npx.set_np()
    _NumpyArrayScope._current = _OfThread()
    mx.base.check_call(
        mx.base._LIB.MXSetIsNumpyShape(ctypes.c_int(EVERYWHERE), ctypes.byref(ctypes.c_int()))
    )
