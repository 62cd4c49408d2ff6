"""Training over MXNet's parameter server: several workers, each with a share of every batch.

The servers hold the weights and let the optimizer use the gradients, which `dist_sync` adds up over
all workers first. Of a large table only the rows travel that a worker's share touches; smaller
weights travel whole.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import gluon

from .. import kernels
from ..arguments import shown
from ..saving.checkpoint import Checkpoint
from ..touched import tables_of, touch_rows, touched_of
from ..weights import weights_of

__all__ = ['serve']

KINDS = ('dist_sync', 'dist_async')
ROWS = 10_000  # of a table from which on only touched rows travel
PIECE = 65_536  # rows of a table that are fetched at a time


# What tells a worker where the others are, and how long it waits for the first of them.
NUMBERS = 'DMLC_PS_ROOT_PORT', 'DMLC_NUM_WORKER', 'DMLC_NUM_SERVER'
PATIENCE = 120  # seconds
PAUSE = 0.5
# How long for all others, which a cluster may start minutes later.
JOINING = 600

_open: dict[str, Any] = {'kind': None, 'store': None, 'keys': 0}


def _store(kind):
    """The one connection of this process to the servers."""
    if _open['store'] is None:
        _find_scheduler()
        with _all_join():
            store = mx.kv.create(kind)
        _open.update(kind=kind, store=store)
    if _open['kind'] != kind:
        raise ValueError(
            f'kvstore is {kind!r} and this process already trains by {_open["kind"]!r}: choose one '
            'for the whole script.'
        )
    return _open['store']


def _find_scheduler():
    """Wait for the scheduler, but not for ever, as MXNet would; refuse a variable that lacks."""
    for name in ('DMLC_PS_ROOT_URI', *NUMBERS):
        value = os.environ.get(name, '')
        if not value or name in NUMBERS and not (value.isdecimal() and int(value) > 0):
            what = f'{value!r}' if value else 'not set'
            raise ValueError(
                f'the environment says that this is a worker, and its {name} is {what}: start the '
                'script by python -m d2lrec.launch, which sets it, or set it as for the scheduler.'
            )
    host, port = os.environ['DMLC_PS_ROOT_URI'], int(os.environ['DMLC_PS_ROOT_PORT'])
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection((host, port), 10).close()
        except (OSError, OverflowError, UnicodeError):
            if time.monotonic() > end:
                raise ValueError(
                    f'no scheduler answers at {host}:{port}, after {PATIENCE} seconds: start it '
                    'and the servers, or have python -m d2lrec.launch do so.'
                ) from None
        time.sleep(PAUSE)


@contextlib.contextmanager
def _all_join():
    """End the process where a server or a worker is missing.

    MXNet waits for them for ever, in C++, where neither an exception nor Ctrl-C gets through.
    """
    joined = threading.Event()

    def watch():
        if joined.wait(JOINING):
            return
        servers, workers = os.environ['DMLC_NUM_SERVER'], os.environ['DMLC_NUM_WORKER']
        print(
            f'the scheduler answers, but after {JOINING} seconds not all of {servers} server(s) '
            f'and {workers} worker(s) have come to it: start those that are missing, or have '
            'python -m d2lrec.launch do so.',
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        joined.set()


class ServedTrainer(gluon.Trainer):
    """A trainer whose weights are on servers; it takes the place of another.

    Parameters
    ----------
    net : the net, its weights on one device
    trainer : gluon.Trainer, whose optimizer the servers get
    kvstore : 'dist_sync' or 'dist_async'

    Tables of which rows are touched (`touch_rows`) travel by these, row-sparse on the servers. In
    an epoch a worker then holds no more of them than the rows of its share of the batch; the whole
    tables come at the end of an epoch, for measures and what is saved.

    Attributes
    ----------
    rank, num_workers : int
    sent, received : int
        Bytes of numbers and row numbers that went to and came from the servers for the steps;
        beside them all weights come once an epoch.
    tables : list of names of the weights that travel by rows
    """

    def __init__(self, net: gluon.Block, trainer: gluon.Trainer, kvstore: str):
        self._weights = {n: p for n, p in weights_of(net).items() if p.grad_req != 'null'}
        trained = {id(p) for p in trainer._params}
        if any(len(p.list_ctx()) > 1 for p in self._weights.values()):
            raise ValueError(
                f'the net is on several devices and kvstore is {shown(kvstore)}: a worker has one.'
            )
        self._weights = {n: p for n, p in self._weights.items() if id(p) in trained}
        super().__init__(list(self._weights.values()), copy.copy(trainer.optimizer), kvstore=None)
        self._kv_initialized, self._params_to_init, self._update_on_kvstore = True, [], False
        by_rows = {id(p) for p in touched_of(net)}
        self.tables = [n for n, p in self._weights.items() if id(p) in by_rows]
        self.store = _store(kvstore)
        self.rank, self.num_workers = self.store.rank, self.store.num_workers
        self.sent = self.received = self.steps = 0
        self._begun, self._count = False, 0

    def begin(self) -> None:
        """Put the first worker's weights on the servers, and have them everywhere."""
        if self._begun:
            return
        first = _open['keys']  # after those of an earlier training in this process
        self._begun, self._keys = True, {n: first + i for i, n in enumerate(self._weights)}
        _open['keys'] += len(self._weights)
        for name, key in self._keys.items():
            values = self._local(name)
            if name in self.tables and self.rank:  # the first worker's count
                values = mx.nd.sparse.zeros('row_sparse', values.shape)
            elif name in self.tables:  # with its rows of zeros, which `tostype` would leave out
                rows = mx.nd.arange(len(values), dtype='int64')
                values = mx.nd.sparse.row_sparse_array((values, rows), shape=values.shape)
            self.store.init(key, values)
        optimizer = copy.copy(self._optimizer)
        optimizer.rescale_grad = 1.0  # gradients are divided before they travel
        optimizer.lr_mult = {self._keys[n]: p.lr_mult for n, p in self._weights.items()}
        optimizer.wd_mult = {self._keys[n]: p.wd_mult for n, p in self._weights.items()}
        optimizer.param_dict, optimizer.idx2name = {}, {}
        self.store.set_optimizer(optimizer)
        for name in self.tables:
            self._weights[name].fetch = functools.partial(self._fetch, name, self._keys[name])
        mx.nd.waitall()
        self.store._barrier()

    def end(self) -> None:
        """Let the net's tables be its own again."""
        for name in self.tables:
            self._weights[name].fetch = None

    def _local(self, name):
        return self._weights[name].list_data()[0].as_nd_ndarray()

    def pull(self, count: int) -> None:
        """Fetch the small weights for the next batch; the net itself fetches rows of the tables.

        `count` is the number of rows of all workers' shares.
        """
        self._count = count
        for name, key in self._keys.items():
            if name not in self.tables:
                local = self._local(name)
                self.store.pull(key, out=local, priority=-key)
                self.received += 4 * local.size

    def _fetch(self, name, key, rows):
        """Rows of a table, whose numbers rise."""
        shape = self._weights[name].shape
        out = mx.nd.sparse.zeros('row_sparse', shape)
        rows = mx.nd.array(rows, dtype='int64')
        self.store.row_sparse_pull(key, out=out, row_ids=rows, priority=-key)
        self.received += (4 * int(np.prod(shape[1:])) + 8) * rows.size
        return out.data

    def release(self) -> None:
        """Give the memory of the tables back to the system, until `pull_all`."""
        mx.nd.waitall()
        for name in self.tables:
            kernels.give_back(self._local(name))

    def pull_all(self) -> None:
        """Fetch all weights, whole, once every worker has pushed what it has to."""
        mx.nd.waitall()
        self.store._barrier()
        for name, key in self._keys.items():
            local = self._local(name)
            if name not in self.tables:
                self.store.pull(key, out=local)
                continue
            received = self.received
            for start in range(0, local.shape[0], PIECE):
                rows = np.arange(start, min(start + PIECE, local.shape[0]))
                local[start : start + len(rows)] = self._fetch(name, key, rows)
            self.received = received  # which tells of the steps
        mx.nd.waitall()
        self.store._barrier()

    def step(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Push the gradients of this worker's share, divided by the rows of all shares."""
        for name, key in self._keys.items():
            grad = self._weights[name].list_grad()[0]
            if name in self.tables:
                touched, values = grad.parts()
                rows = mx.nd.array(touched, dtype='int64')
                shape = self._weights[name].shape
                values = mx.nd.sparse.row_sparse_array((values / self._count, rows), shape=shape)
                self.sent += (4 * int(np.prod(shape[1:])) + 8) * rows.size
            else:
                values = grad.as_nd_ndarray() / self._count
                self.sent += 4 * values.size
            self.store.push(key, values, priority=-key)
        self.steps += 1

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
        trainer.release()
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
            trainer.pull(count)
            yield batch
        trainer.pull_all()


class _FirstWrites(Checkpoint):
    """A checkpoint that all workers read and the first one writes."""

    def __init__(self, path, trainer):
        super().__init__(path)
        self._trainer = trainer
        # what goes by turns comes out as it does on one process, which may go on with it
        self.kvstore = None if trainer.store.type == 'dist_sync' else trainer.store.type

    def resume(self, net, trainers, loader, seed, facts=None):
        facts = {n: v for n, v in (facts or {}).items() if n != 'rows'}  # the same weights
        found = super().resume(net, trainers, loader, seed, facts)
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
    tables = [table for _, group in tables_of(net) for table in group]
    touch_rows(net, max((t.shape[0] for t in tables), default=0) >= ROWS)
    served = ServedTrainer(net, trainer, kvstore)
    if options.get('checkpoint') is not None:
        path = options['checkpoint']
        options['checkpoint'] = _FirstWrites(getattr(path, 'path', path), served)
    return ServedLoader(loader, served), served
