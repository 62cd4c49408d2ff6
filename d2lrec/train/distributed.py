"""Training over MXNet's parameter server: several workers, each with a share of every batch.

The servers hold the weights and let the optimizer use the gradients, which `dist_sync` adds up over
all workers first. Of a large table only the rows travel that a worker's share touches; smaller
weights travel whole.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..arguments import shown
from ..saving.checkpoint import Checkpoint
from ..weights import weights_of

__all__ = ['serve']

KINDS = ('dist_sync', 'dist_async')
ROWS = 10_000  # from which only the touched rows of a table travel
TABLES = ('ids', 'history')  # inputs that number the rows of the tables


_open: dict[str, Any] = {'kind': None, 'store': None, 'keys': 0}


def _store(kind):
    """The one connection of this process to the servers."""
    if _open['store'] is None:
        _open.update(kind=kind, store=mx.kv.create(kind))
    if _open['kind'] != kind:
        raise ValueError(
            f'kvstore is {kind!r} and this process already trains by {_open["kind"]!r}: choose one '
            'for the whole script.'
        )
    return _open['store']


class ServedTrainer(gluon.Trainer):
    """A trainer whose weights are on servers; it takes the place of another.

    Parameters
    ----------
    net : the net, its weights on one device
    trainer : gluon.Trainer, whose optimizer the servers get
    kvstore : 'dist_sync' or 'dist_async'
    rows : int
        Tables with so many rows or more travel by touched rows, row-sparse on the servers.

    Attributes
    ----------
    rank, num_workers : int
    sent, received : int, bytes of numbers and row numbers that went to and came from the servers
        for the steps; beside them all weights come once an epoch
    tables : list of names of the weights that travel by rows
    """

    def __init__(self, net: gluon.Block, trainer: gluon.Trainer, kvstore: str, rows: int = ROWS):
        self._weights = {n: p for n, p in weights_of(net).items() if p.grad_req != 'null'}
        trained = {id(p) for p in trainer._params}
        if any(len(p.list_ctx()) > 1 for p in self._weights.values()):
            raise ValueError(
                f'the net is on several devices and kvstore is {shown(kvstore)}: a worker has one.'
            )
        self._weights = {n: p for n, p in self._weights.items() if id(p) in trained}
        super().__init__(list(self._weights.values()), copy.copy(trainer.optimizer), kvstore=None)
        self._kv_initialized, self._params_to_init, self._update_on_kvstore = True, [], False
        ends = (getattr(net, 'ranges', None) or {}).get('ids')
        size = None if ends is None else int(np.max(ends[1]))
        self.tables = [
            n for n, p in self._weights.items()
            if size is not None and size >= rows and len(p.shape) == 2 and p.shape[0] == size
        ]  # fmt: skip
        self.store = _store(kvstore)
        self.rank, self.num_workers = self.store.rank, self.store.num_workers
        self.sent = self.received = self.steps = 0
        self._begun, self._touched, self._count = False, None, 0

    def begin(self) -> None:
        """Put the first worker's weights on the servers, and have them everywhere."""
        if self._begun:
            return
        first = _open['keys']  # after those of an earlier training in this process
        self._begun, self._keys = True, {n: first + i for i, n in enumerate(self._weights)}
        _open['keys'] += len(self._weights)
        for name, key in self._keys.items():
            values = self._local(name)
            if name in self.tables:  # with its rows of zeros, which `tostype` would leave out
                rows = mx.nd.arange(len(values), dtype='int64')
                values = mx.nd.sparse.row_sparse_array((values, rows), shape=values.shape)
            self.store.init(key, values)
        optimizer = copy.copy(self._optimizer)
        optimizer.rescale_grad = 1.0  # gradients are divided before they travel
        optimizer.lr_mult = {self._keys[n]: p.lr_mult for n, p in self._weights.items()}
        optimizer.wd_mult = {self._keys[n]: p.wd_mult for n, p in self._weights.items()}
        optimizer.param_dict, optimizer.idx2name = {}, {}
        self.store.set_optimizer(optimizer)
        self.pull_all()

    def _local(self, name):
        return self._weights[name].list_data()[0].as_nd_ndarray()

    def pull(self, touched: np.ndarray, count: int) -> None:
        """Fetch what the next batch needs: all small weights, these rows of the tables.

        `count` is the number of rows of all workers' shares.
        """
        self._touched, self._count = mx.nd.array(touched, dtype='int64'), count
        for name, key in self._keys.items():
            local = self._local(name)
            if name in self.tables:
                self._pull_rows(name, key, self._touched)
                self.received += (4 * local.shape[1] + 8) * self._touched.size
            else:
                self.store.pull(key, out=local, priority=-key)
                self.received += 4 * local.size

    def _pull_rows(self, name, key, rows):
        local = self._local(name)
        out = mx.nd.sparse.zeros('row_sparse', local.shape)
        self.store.row_sparse_pull(key, out=out, row_ids=rows, priority=-key)
        local[rows] = out.data

    def pull_all(self) -> None:
        """Fetch all weights, whole, once every worker has pushed what it has to."""
        mx.nd.waitall()
        self.store._barrier()
        for name, key in self._keys.items():
            local = self._local(name)
            if name in self.tables:
                for start in range(0, local.shape[0], 1_000_000):
                    stop = min(start + 1_000_000, local.shape[0])
                    self._pull_rows(name, key, mx.nd.arange(start, stop, dtype='int64'))
            else:
                self.store.pull(key, out=local)
        mx.nd.waitall()
        self.store._barrier()

    def step(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Push the gradients of this worker's share, divided by the rows of all shares."""
        for name, key in self._keys.items():
            grad = self._weights[name].list_grad()[0].as_nd_ndarray()
            if name in self.tables:
                if not self.steps:
                    self._check_touched(name, grad)
                values = mx.nd.take(grad, self._touched) / self._count
                values = mx.nd.sparse.row_sparse_array((values, self._touched), shape=grad.shape)
                self.sent += (4 * grad.shape[1] + 8) * self._touched.size
            else:
                values = grad / self._count
                self.sent += 4 * grad.size
            self.store.push(key, values, priority=-key)
        self.steps += 1

    def _check_touched(self, name, grad):
        """Refuse a net that reads other rows of a table than its inputs name."""
        rows = np.flatnonzero(np.abs(grad.asnumpy()).sum(axis=1))
        if not np.isin(rows, self._touched.asnumpy()).all():
            raise ValueError(
                f'{name} is read at other rows than the inputs {" and ".join(TABLES)} name, so '
                'that its rows cannot travel by them: train this net on one machine.'
            )

    @property
    def traffic(self) -> dict:
        """What travelled: steps, bytes a step to and from servers, and which weights by rows."""
        steps = max(self.steps, 1)
        return {
            'steps': self.steps,
            'sent a step': self.sent / steps,
            'received a step': self.received / steps,
            'by rows': list(self.tables),
        }

    def set_learning_rate(self, lr: float) -> None:
        """Refused: the servers have the optimizer."""
        raise ValueError(
            'the servers have the optimizer and keep its rate: give final_lr, by which it falls '
            'there, instead of lr_factor.'
        )


class ServedLoader:
    """A loader's batches, of each the share of one worker; what they need is fetched first.

    Data opened by ``open_encoded(folder, part=(k, n))`` are a share already, and go in whole.
    """

    def __init__(self, loader: Any, trainer: ServedTrainer):
        self._loader, self._trainer = loader, trainer
        data = getattr(loader, '_examples', None)
        self._part = getattr(data, 'part', None)
        if self._part is not None and self._part[1] != trainer.num_workers:
            raise ValueError(
                f'the training data is part {self._part[0]} of {self._part[1]} and there are '
                f'{trainer.num_workers} workers: open a part for each.'
            )

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return getattr(self._loader, name)

    def __len__(self):
        if self._part is None:
            return len(self._loader)
        return -(-(self._part[2] // self._part[1]) // self._loader.batch_size)

    def __iter__(self) -> Iterator:
        for batch in self.batches():
            yield batch[0] if len(batch) == 1 else batch

    def batches(
        self, inputs: Optional[Mapping[str, Optional[int]]] = None, weighted: bool = False
    ) -> Iterator[list]:
        """The next epoch's batches; afterwards the net holds the weights of the servers."""
        trainer = self._trainer
        trainer.begin()
        names = list(inputs or self._loader.bound().columns)
        rank, num = trainer.rank, trainer.num_workers
        steps = len(self)
        for number, batch in enumerate(self._loader.batches(inputs, weighted)):
            rows = len(batch[-1])
            if number == steps or (self._part is None and rows < num):
                break  # a step that not every worker could take
            count = rows * num
            if self._part is None:
                low, high = rows * rank // num, rows * (rank + 1) // num
                batch, count = [a[low:high] for a in batch], rows
            touched = np.zeros(0, np.int64)
            if trainer.tables:
                found = [batch[names.index(n)].asnumpy().ravel() for n in TABLES if n in names]
                touched = np.unique(np.concatenate(found)).astype(np.int64)
            trainer.pull(touched, count)
            yield batch
        trainer.pull_all()


class _FirstWrites(Checkpoint):
    """A checkpoint that all workers read and the first one writes."""

    def __init__(self, path, trainer):
        super().__init__(path)
        self._trainer, self.kvstore = trainer, trainer.store.type

    def resume(self, net, trainers, loader, seed, facts=None):
        found = super().resume(net, trainers, loader, seed, facts or {})
        self._trainer.store._barrier()  # nobody writes before all have read
        return found

    def write(self, net, trainers, loader, state, best):
        if self._trainer.rank == 0:
            super().write(net, trainers, loader, state, best)


def serve(
    kvstore: str, net: gluon.Block, loader: Any, trainer: Any, options: dict
) -> tuple[ServedLoader, ServedTrainer]:
    """Loader and trainer over the servers; `options` of the training are seen to.

    Raises ValueError where there are no servers, or for what does not go over them.

    Examples
    --------
    >>> serve('dist_sync', None, None, None, {})
    Traceback (most recent call last):
    ...
    ValueError: kvstore is 'dist_sync' and there are no servers: run the script by ...
    """
    if kvstore not in KINDS:
        raise ValueError(f"kvstore is {shown(kvstore)}: choose 'dist_sync' or 'dist_async'.")
    if os.environ.get('DMLC_ROLE') != 'worker':
        raise ValueError(
            f'kvstore is {shown(kvstore)} and there are no servers: run the script by '
            'python -m d2lrec.launch --workers 2 --servers 1 script.py.'
        )
    if not isinstance(trainer, gluon.Trainer):
        raise ValueError(f'trainer is {shown(trainer)}: over servers there is one gluon.Trainer.')
    if options.get('lr_factor') is not None:
        raise ValueError(
            'lr_factor is given and the servers keep the rate: give final_lr, by which it falls.'
        )
    if options.get('clip') is not None:
        raise ValueError(
            'clip is given and each worker sees its own share of the gradient: leave it out.'
        )
    net.collect_params()
    if any(p.shape is None or 0 in p.shape for p in weights_of(net).values()):
        raise ValueError('the net has weights of unknown size: run it on one row first.')
    served = ServedTrainer(net, trainer, kvstore)
    if options.get('checkpoint') is not None:
        path = options['checkpoint']
        options['checkpoint'] = _FirstWrites(getattr(path, 'path', path), served)
    return ServedLoader(loader, served), served
