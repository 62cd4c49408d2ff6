"""Batches sliced whole out of matrices that are already in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import nd

from ..arguments import check_flag, check_seed, shown
from ..checks import check_finite, check_ids
from .columns import Examples, as_labels, as_matrix, check_columns, examples_of

__all__ = ['BatchLoader']

STRETCHES = 8  # of data in a folder, in memory at one time


class BatchLoader:
    """Iterate over batches of a data set, or of several arrays of equal length.

    Stands in for Gluon's `DataLoader` where the rows lie in memory: a batch is one `take` of each
    matrix instead of B look-ups and a stack.

    Parameters
    ----------
    *data : a data set, a dict {name: array}, or arrays of shape (N, ...)
        Data sets are `CTRDataset`, `MultiHot`, `Planted`, `Ratings` and `Examples`. Arrays are
        NumPy's or MXNet's: float64 is kept as float32, and int64 as int32 where every value fits.
    batch_size : int
        Rows a batch, B.
    inputs : dict {name: number of columns}, optional
        What a net reads, `net.inputs`: the columns are picked by name and stand in its order, and
        arrays without names take these. Without it a batch has all columns of the data; the
        trainers pick by name then.
    shuffle : bool
        Draw a new order for each epoch.
    seed : int, optional
        The same seed gives the same sequence of epochs. Without one the order comes from
        NumPy's global state, as in Gluon's sampler, so that `np.random.seed` governs it.
    last_batch : {'keep', 'discard', 'rollover'}
        What to do with the rows that do not fill a batch: give them as a smaller batch, leave
        them out, or put them in front of the next epoch. For anything evaluated use 'keep':
        the others see other rows on each pass.

    Yields
    ------
    list of mxnet.numpy.ndarray, each (B, ...)
        The columns, and the labels last where there are any; with a single array, the array
        itself.

    Raises
    ------
    ValueError
        For no data, no rows, unequal lengths, a column that is lacking or a number that is not
        finite, `batch_size` below 1, or an unknown `last_batch`.

    Examples
    --------
    >>> data = Examples({'ids': [[0], [1], [2]], 'dense': [[0.1], [0.2], [0.3]]}, labels=[0, 1, 1])
    >>> for ids, y in BatchLoader(data, inputs={'ids': 1}, batch_size=2):
    ...     print(ids.shape, y.tolist())
    (2, 1) [0.0, 1.0]
    (1, 1) [1.0]
    """

    def __init__(
        self,
        *data: Any,
        batch_size: int,
        inputs: Optional[Mapping[str, Optional[int]]] = None,
        shuffle: bool = False,
        seed: Optional[int] = None,
        last_batch: str = 'keep',
    ):
        if not data:
            raise ValueError('BatchLoader has no data: give a data set or at least one array.')
        if len(data) == 1 and isinstance(data[0], tuple):
            data = data[0]
        if inputs is not None and not isinstance(inputs, Mapping):
            raise ValueError(f'inputs is {shown(inputs)}: give those of a net, net.inputs.')
        self._arrays, self._bound = None, {}
        if inputs is None and not _has_names(data):
            # Which array is what is known when a net's inputs are: see `bound`.
            self._arrays = [as_matrix(a, f'array {i}') for i, a in enumerate(data)]
            lengths = [len(a) for a in self._arrays]
            if len(set(lengths)) > 1:
                raise ValueError(f'the arrays have {lengths} rows: give arrays of equal length.')
            self._rows = lengths[0]
        else:
            self._examples = examples_of(data[0] if len(data) == 1 else data, inputs)
            self._rows = len(self._examples)
        if not self._rows:
            raise ValueError('the data has no rows: give at least one.')
        if (
            isinstance(batch_size, bool)
            or not isinstance(batch_size, (int, float, np.number))
            or int(batch_size) != batch_size
            or batch_size < 1
        ):
            raise ValueError(f'batch_size is {shown(batch_size)}: give a whole number, 1 or more.')
        if not isinstance(last_batch, str) or last_batch not in ('keep', 'discard', 'rollover'):
            raise ValueError(
                f"last_batch is {shown(last_batch)}: choose 'keep', 'discard' or 'rollover'."
            )
        self._stretch = None  # of data in a folder: rows that are read together
        if self._arrays is None:
            self._stretch = getattr(self._examples, 'stretch', None)
        if self._stretch and last_batch == 'rollover':
            raise ValueError(
                "last_batch is 'rollover', which data in a folder does not have: choose 'keep' or "
                "'discard'."
            )
        self.batch_size, self.last_batch = int(batch_size), last_batch
        self.shuffle = check_flag(shuffle, 'shuffle')
        self._rng = np.random if seed is None else np.random.RandomState(check_seed(seed))
        self._left = np.empty(0, dtype=np.int64)  # row numbers rolled over from the last epoch

    def __len__(self) -> int:
        """Number of batches of the next epoch."""
        rows, size = self._rows, self.batch_size
        if self.last_batch == 'keep':
            return -(-rows // size)
        return (rows + len(self._left)) // size

    def __iter__(self) -> Iterator:
        for batch in self.batches():
            yield batch[0] if len(batch) == 1 else batch

    @property
    def sample_weight(self) -> Optional[np.ndarray]:
        """How many rows each row of the data stands for, (N,) float32; None where each is one."""
        return None if self._arrays is not None else self._examples.sample_weight

    def batches(
        self, inputs: Optional[Mapping[str, Optional[int]]] = None, weighted: bool = False
    ) -> Iterator[list]:
        """The next epoch's batches, with the columns that a net reads, in its order; always lists.

        The order of the epochs goes on as if the loader itself were iterated. With `weighted` the
        sample weights, which the data must have, follow the labels.
        """
        if inputs is None and self._arrays is not None:
            arrays = self._arrays
        else:
            examples = self.bound(inputs)
            arrays = list(examples.columns.values())
            arrays += [examples.labels] if examples.labels is not None else []
            arrays += [examples.sample_weight] if weighted else []
        rows = self._rows
        if self._stretch and self.shuffle:
            yield from self._by_stretches(arrays)
            return
        order = self._rng.permutation(rows) if self.shuffle else None
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
            yield [_to_mxnet(a, where) for a in arrays]
            if self._stretch and start // self._stretch != stop // self._stretch:
                self._examples.release()

    def _by_stretches(self, arrays) -> Iterator[list]:
        """An epoch of data on disk: some stretches at a time, in an order that is drawn."""
        size, last = self.batch_size, -(-self._rows // self._stretch)
        order, left = self._rng.permutation(last), None
        for at in range(0, last, STRETCHES):
            starts = np.sort(order[at : at + STRETCHES]) * self._stretch
            read = [np.concatenate([a[s : s + self._stretch] for s in starts]) for a in arrays]
            self._examples.release()
            drawn = self._rng.permutation(len(read[0]))
            if left is not None:
                drawn = np.concatenate([np.arange(len(left[0])), drawn + len(left[0])])
                read = [np.concatenate(pair) for pair in zip(left, read)]
            whole = len(drawn) - len(drawn) % size
            for start in range(0, whole, size):
                yield [_to_mxnet(a, drawn[start : start + size]) for a in read]
            left = [a[drawn[whole:]] for a in read]
        if len(left[0]) and self.last_batch == 'keep':
            yield [_to_mxnet(a, slice(None)) for a in left]

    def bound(self, inputs: Optional[Mapping[str, Optional[int]]] = None) -> Examples:
        """The examples as a net with these inputs reads them: picked by name, in its order.

        Arrays that were given without names are taken by position, and one more as the labels.
        """
        if inputs is None and self._arrays is None:
            return self._examples
        key = None if inputs is None else tuple(inputs)
        if key not in self._bound:  # looked at once, not once an epoch
            data = self._examples if self._arrays is None else tuple(self._arrays)
            self._bound = {key: examples_of(data, inputs)}
        return self._bound[key]

    def check(
        self, net: Any, inputs: Optional[Mapping[str, Optional[int]]] = None
    ) -> Optional[np.ndarray]:
        """Hold the data against a net that reads `inputs`; returns the labels, None without any.

        Without `inputs` arrays without names go to the net as they stand; only their numbers are
        looked at, those of a rating matrix where its mask says that they are observed.

        Raises ValueError for what does not fit the net: a column that is lacking or of another
        width, an id out of its range, a number that is not finite.
        """
        if inputs is None and self._arrays is not None:
            *before, last = self._arrays
            if len(before) == 1 and before[0].ndim == 2 and before[0].shape == last.shape:
                before = [np.where(last != 0, before[0], 0)]
            for i, array in enumerate([*before, last]):
                check_finite(array, f'array {i}')
            return as_labels(last) if before and last.size == len(last) else None
        examples = self.bound(inputs)
        wanted = getattr(net, 'inputs', None)
        if wanted:
            check_columns(examples, wanted, getattr(net, 'ranges', None), type(net).__name__)
        rows = examples.columns.get('rows')
        if rows is not None:
            mask = examples.columns.get('mask')
            check_finite(rows if mask is None else np.where(mask != 0, rows, 0), 'rows')
        if examples.labels is not None:
            check_finite(examples.labels, 'labels')
        return examples.labels

    @property
    def first_shape(self) -> tuple[int, ...]:
        """Shape (N, ...) of the first column, or array."""
        columns = self._arrays or list(self._examples.columns.values())
        return columns[0].shape

    @property
    def named(self) -> bool:
        """Whether the columns have names, by which a net can pick them."""
        return self._arrays is None

    def fingerprint(self) -> int:
        """A checksum of the data, by which a checkpoint knows it again."""
        arrays, value = self._arrays, 0
        digest = None if arrays is not None else getattr(self._examples, 'digest', None)
        if digest is not None:
            return zlib.crc32(digest.encode(), self._rows)
        if arrays is None:
            arrays = [*self._examples.columns.values(), self._examples.labels]
            arrays.append(self.sample_weight)
        for array in arrays:
            if array is not None:
                value = zlib.crc32(array.view(np.uint8).data if array.size else b'', value)
        return value

    def get_state(self) -> dict:
        """What decides the order of the epochs to come, for JSON; see `set_state`."""
        rng = None if self._rng is np.random else self._rng.get_state(legacy=False)
        if rng is not None:
            rng['state']['key'] = rng['state']['key'].tolist()
        return {
            'rows': self._rows,
            'batch_size': self.batch_size,
            'rng': rng,
            'left': self._left.tolist(),
        }

    def set_state(self, state: Mapping) -> None:
        """Go on as the loader did whose `get_state` this is.

        Raises ValueError where that loader had another number of rows or another batch size.
        """
        for key, mine, what in (
            ('rows', self._rows, 'rows'),
            ('batch_size', self.batch_size, 'rows a batch'),
        ):
            if state[key] != mine:
                raise ValueError(
                    f'the state is of a loader of {state[key]} {what} and this one has {mine}: '
                    'give the same data in the same batches.'
                )
        left = np.array(state['left'], dtype=np.int64)
        check_ids(left, 0, self._rows, 'the rows left')
        if state['rng'] is not None:
            rng = np.random.RandomState()
            try:
                rng.set_state(state['rng'])
            except (KeyError, TypeError, ValueError, OverflowError):
                raise ValueError(
                    'the state of the random numbers is none: give what get_state gave.'
                ) from None
            self._rng = rng
        self._left = left


def _has_names(data):
    return len(data) == 1 and (isinstance(data[0], Mapping) or hasattr(data[0], 'columns'))


def _to_mxnet(array, where):
    """Rows `where` (a slice or indices) of `array` as an MXNet array.

    The rows are copied once. Ids are then handed over as they are, which is three times faster
    than a second copy; floats go into MXNet's own aligned memory, since where a sum starts can
    change its last bit.
    """
    rows = array[where] if isinstance(where, slice) else array.take(where, axis=0)
    if array.dtype.kind == 'f':
        return mx.np.array(rows, dtype=rows.dtype)
    return nd.from_numpy(rows.copy() if rows.base is not None else rows).as_np_ndarray()
