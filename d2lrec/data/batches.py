"""Batches sliced whole out of matrices that are already in memory."""

import mxnet as mx
import numpy as np
from mxnet import nd


class BatchLoader:
    """Iterate over batches of one dataset or of several arrays of equal length.

    Stands in for Gluon's ``DataLoader`` where the rows lie in memory: a batch is one ``take``
    of the matrix instead of B look-ups and a stack.

    Parameters
    ----------
    *data : CTRDataset, or arrays of shape (N, ...)
        A dataset stands for its ``features`` (N, F) and ``labels`` (N,).  Arrays are NumPy's or
        MXNet's.  float64 is kept as float32, and int64 as int32 where every value fits.
    batch_size : int
        Rows a batch, B.
    shuffle : bool
        Draw a new order for each epoch.
    seed : int, optional
        The same seed gives the same sequence of epochs.  Without one the order comes from
        NumPy's global state, as in Gluon's sampler, so that ``np.random.seed`` governs it.
    last_batch : {'keep', 'discard', 'rollover'}
        What to do with the rows that do not fill a batch: give them as a smaller batch, leave
        them out, or put them in front of the next epoch.  For anything evaluated use 'keep':
        the others see other rows on each pass.

    Yields
    ------
    list of mxnet.numpy.ndarray, each (B, ...); with a single array, the array itself.

    Raises
    ------
    ValueError
        For no data, no rows, unequal lengths, ``batch_size`` below 1, or an unknown
        ``last_batch``.
    """

    def __init__(self, *data, batch_size, shuffle=False, seed=None, last_batch='keep'):
        if len(data) == 1 and hasattr(data[0], 'features') and hasattr(data[0], 'labels'):
            data = data[0].features, data[0].labels
        if not data:
            raise ValueError('BatchLoader has no data: give a CTRDataset or at least one array.')
        self._arrays = [_as_matrix(a, i) for i, a in enumerate(data)]
        lengths = [len(a) for a in self._arrays]
        if len(set(lengths)) > 1:
            raise ValueError(f'The arrays have {lengths} rows: give arrays of equal length.')
        if lengths[0] == 0:
            raise ValueError('The data has no rows: give at least one.')
        if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
            raise ValueError(f'batch_size is {batch_size!r}: give a whole number, 1 or more.')
        if last_batch not in ('keep', 'discard', 'rollover'):
            raise ValueError(
                f"last_batch is {last_batch!r}: choose 'keep', 'discard' or 'rollover'."
            )
        self.batch_size, self.last_batch = int(batch_size), last_batch
        self._shuffle = shuffle
        self._rng = np.random if seed is None else np.random.RandomState(seed)
        self._left = np.empty(0, dtype=np.int64)  # row numbers rolled over from the last epoch

    def __len__(self):
        """Number of batches of the next epoch."""
        rows, size = len(self._arrays[0]), self.batch_size
        if self.last_batch == 'keep':
            return -(-rows // size)
        return (rows + len(self._left)) // size

    def __iter__(self):
        rows = len(self._arrays[0])
        order = self._rng.permutation(rows) if self._shuffle else None
        if len(self._left):
            order = np.concatenate([self._left, np.arange(rows) if order is None else order])
            self._left = self._left[:0]
        total = rows if order is None else len(order)
        for start in range(0, total, self.batch_size):
            stop = min(start + self.batch_size, total)
            if stop - start < self.batch_size and self.last_batch != 'keep':
                if self.last_batch == 'rollover':
                    self._left = np.arange(start, stop) if order is None else order[start:stop]
                return
            where = slice(start, stop) if order is None else order[start:stop]
            batch = [_to_mxnet(a, where) for a in self._arrays]
            yield batch[0] if len(batch) == 1 else batch

    def get_state(self):
        """What decides the order of the epochs to come, for JSON; see `set_state`."""
        rng = None if self._rng is np.random else self._rng.get_state(legacy=False)
        if rng is not None:
            rng['state']['key'] = rng['state']['key'].tolist()
        return {'rows': len(self._arrays[0]), 'rng': rng, 'left': self._left.tolist()}

    def set_state(self, state):
        """Go on as the loader did whose `get_state` this is.

        Raises ValueError where that loader had another number of rows.
        """
        rows = len(self._arrays[0])
        if state['rows'] != rows:
            raise ValueError(
                f'The state is of a loader of {state["rows"]} rows and this one has '
                f'{rows}: give the same data.'
            )
        if state['rng'] is not None:
            self._rng = np.random.RandomState()
            self._rng.set_state(state['rng'])
        self._left = np.array(state['left'], dtype=np.int64)


def _as_matrix(array, position):
    """The array in NumPy, contiguous, in the type that MXNet will see."""
    array = array.asnumpy() if hasattr(array, 'asnumpy') else np.asarray(array)
    if array.ndim == 0 or array.dtype.kind not in 'biuf':
        raise ValueError(
            f'Array {position} has shape {array.shape} and type {array.dtype}: '
            'give numbers with one row per example.'
        )
    if array.dtype.kind in 'iu' and array.dtype.itemsize > 1 and array.dtype != np.int32:
        limits = np.iinfo(np.int32)
        if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
            return np.ascontiguousarray(array, dtype=np.int64)
        array = array.astype(np.int32)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def _to_mxnet(array, where):
    """Rows ``where`` (a slice or indices) of ``array`` as an MXNet array.

    The rows are copied once.  Ids are then handed over as they are, which is three times faster
    than a second copy; floats go into MXNet's own aligned memory, since where a sum starts can
    change its last bit.
    """
    rows = array[where] if isinstance(where, slice) else array.take(where, axis=0)
    if array.dtype.kind == 'f':
        return mx.np.array(rows, dtype=rows.dtype)
    return nd.from_numpy(rows.copy() if rows.base is not None else rows).as_np_ndarray()


def get_dataloader_workers():
    """Number of worker processes for a Gluon ``DataLoader``: 0.

    MXNet's workers can hang, and rows that lie in memory as a matrix need none.
    """
    return 0
