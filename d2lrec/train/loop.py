"""The one loop under both trainers: epochs, steps, what is kept, and when to stop.

It knows no model and no measure: a task says what a batch is, how it goes through the net and
back, and how an epoch is judged.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Optional

import mxnet as mx
import numpy as np
from mxnet import gluon
from tqdm import tqdm

from ..arguments import check_seed, check_whole, is_number, shown
from ..saving.checkpoint import Checkpoint
from ..touched import LARGE_TABLE, touched_of
from ..weights import copy_weights, not_finite, restore_weights, sum_of_squares, weights_of
from .devices import MAX_BATCHES_AHEAD, DeviceSum, set_seed, settle
from .history import History
from .optim import rows_and_values

# Steps between two looks at the weights: one look costs about an eighth of a small net's step.
LOOK = 16
PIECE = 2**18  # rows of a table that are mended at a time
LEAST_CLIP = 1e-30  # a smaller one makes factors that float32 does not hold
LARGE = 2**22  # numbers; a larger table is looked at once an epoch


class Task:
    """What differs between the trainers. A subclass defines all of these."""

    loader: Any  # what the batches come from; its order enters a checkpoint

    def begin_epoch(self) -> None:
        """Forget what the epoch before added up."""

    def batches(self) -> Iterable:
        """The training batches of one epoch."""
        raise NotImplementedError

    def backward(self, batch) -> tuple[list, int, int]:
        """One batch through the net and back.

        Returns the losses (an array a shard), by how many the step divides the gradients (0: no
        step), and the number of terms that the losses add up.
        """
        raise NotImplementedError

    def train_measures(self, rows: int) -> dict:
        """Measures of the epoch's training rows beside the loss."""
        return {}

    def measures(self) -> dict:
        """Measures of the held-out data."""
        return {}

    def score(self, row: dict) -> Optional[float]:
        """What the kept epoch has least of; None where no validation set chooses."""
        return None

    def summary(self, history: History) -> list[str]:
        """The lines to print at the end."""
        return []

    def facts(self) -> dict:
        """What a run that goes on from a checkpoint must have alike."""
        return {}

    no_rows = 'the training data gave no batch: check its length and batch_size.'


class Run:
    """What is done around the epochs: seed each, keep the best weights, stop, resume."""

    def __init__(self, net, task, trainers, devices, seed, patience, lr_factor, clip, checkpoint):
        self.net, self.task, self.trainers = net, task, trainers
        self.seed, self.patience, self.lr_factor = seed, patience, lr_factor
        self.checkpoint = checkpoint
        self.history, self.best, self.best_score = History(devices), None, float('inf')
        if checkpoint is None:
            return
        facts = {**task.facts(), 'lr_factor': lr_factor, 'clip': clip}
        facts['net'] = getattr(net, 'config', None)
        facts['rows'] = True if touched_of(net) else None
        facts['kvstore'] = getattr(checkpoint, 'kvstore', None)  # None: as one process would
        state, best = checkpoint.resume(net, trainers, task.loader, seed, facts)
        if state is not None:
            self.seed, self.best, self.best_score = state['seed'], best, state['best_score']
            self.history.rows, self.history.best_epoch = state['rows'], state['best_epoch']
        elif seed is None:  # each epoch needs one that a later run can find again
            self.seed = int(np.random.randint(2**31))

    def epochs(self, num_epochs):
        """The epochs that are left, until patience ends.

        MXNet's random state can be set but not read. So each epoch has a seed of its own, and
        a run that begins with it, from a checkpoint, draws what a run that reaches it draws.
        """
        for epoch in range(len(self.history) + 1, num_epochs + 1):
            best = self.history.best_epoch
            if self.patience is not None and best and epoch - 1 - best >= self.patience:
                return
            if self.seed is not None:
                sequence = np.random.SeedSequence([self.seed, epoch])
                set_seed(int(sequence.generate_state(1)[0] >> 1))
            yield epoch

    def end_epoch(self, row):
        """Enter the epoch's measures, keep its weights if they are the best, write a checkpoint."""
        self.history.rows.append(row)
        score = self.task.score(row)
        if score is not None and score < self.best_score:
            self.best_score, self.best = score, copy_weights(self.net)
            self.history.best_epoch = row['epoch']
        elif self.lr_factor is not None:
            for trainer in self.trainers:
                trainer.set_learning_rate(trainer.learning_rate * self.lr_factor)
        if self.checkpoint is not None:
            state = {
                'seed': self.seed,
                'rows': self.history.rows,
                'best_score': self.best_score,
                'best_epoch': self.history.best_epoch,
            }
            self.checkpoint.write(self.net, self.trainers, self.task.loader, state, self.best)

    def go_back(self, good):
        """Give the net the best epoch's weights, else `good`; a sentence that says so.

        Of tables too large for a copy, what is no number becomes 0.
        """
        weights = self.best if self.best is not None else good
        if weights is None:
            where = 'start anew' if self.checkpoint is None or not self.history.rows else 'resume'
            if _mended(self.net):
                return (
                    'of tables so large no copy is kept, and what was not finite in the net is '
                    f'now 0: {where}'
                )
            return 'the net holds the weights of the last step'
        restore_weights(self.net, weights)
        epoch = self.history.best_epoch if self.best is not None else len(self.history)
        return (
            f'the net holds the weights of epoch {epoch}'
            if epoch
            else ('the net holds the weights it began with')
        )


def run_epochs(
    net,
    task: Task,
    trainers: Sequence,
    num_epochs: int,
    devices: Sequence[mx.Context],
    *,
    seed: Optional[int] = None,
    patience: Optional[int] = None,
    lr_factor: Optional[float] = None,
    clip: Optional[float] = None,
    checkpoint=None,
    verbose: bool = True,
) -> History:
    """Train for `num_epochs`; the net ends with the weights of the epoch that the task chose."""
    if checkpoint is not None and (
        isinstance(checkpoint, type) or not hasattr(checkpoint, 'resume')
    ):
        checkpoint = Checkpoint(checkpoint)
    run = Run(net, task, trainers, devices, seed, patience, lr_factor, clip, checkpoint)
    steps = len(task.loader) if hasattr(task.loader, '__len__') else 0
    good = _copy_of_small(net) if run.best is None else None
    with tqdm(
        total=num_epochs * steps,
        initial=len(run.history) * steps,
        unit='batch',
        leave=False,
        disable=not verbose or not num_epochs,
    ) as bar:
        epoch = len(run.history)
        try:
            for epoch in run.epochs(num_epochs):
                row = {'epoch': epoch, **_epoch(net, task, trainers, devices, bar, epoch, clip)}
                start = time.time()
                row.update(task.measures())
                row['eval_seconds'] = time.time() - start
                bar.set_postfix(
                    {k: f'{v:.3f}' for k, v in row.items() if k.endswith(('loss', 'auc', 'rmse'))}
                )
                run.end_epoch(row)
                good = None if run.best is not None else _copy_of_small(net)
        except NotFinite as error:
            refusal = ValueError(f'{error}; {run.go_back(good)}.')
            refusal.history, refusal.diverged = run.history, True
            raise refusal from None
        except Exception as error:  # a batch that does not fit, found on its way in; a full disk
            error.history = run.history
            run.go_back(good)
            raise
        except KeyboardInterrupt as interrupt:
            interrupt.history = run.history
            print(f'Interrupted in epoch {epoch}: {run.go_back(good)}.')
            raise
    if run.best is not None:
        restore_weights(net, run.best)
    if verbose and run.history.rows:
        print('\n'.join([*task.summary(run.history), _speed(run.history)]))
    return run.history


def _copy_of_small(net):
    """The weights to go back to; none of a net with large tables of which rows are touched."""
    size = sum(int(np.prod(table.shape)) for table in touched_of(net))
    return None if size >= LARGE_TABLE else copy_weights(net)


def _mended(net) -> bool:
    """Put 0 for what is not finite in a net's weights; whether there was any."""
    any_bad = False
    for parameter in weights_of(net).values():
        for array in parameter.list_data():
            for start in range(0, len(array), PIECE):
                piece = array[start : start + PIECE].asnumpy()
                good = np.isfinite(piece)
                if not good.all():
                    any_bad = True
                    array[start : start + PIECE] = mx.np.array(
                        np.where(good, piece, 0), dtype=piece.dtype, ctx=array.ctx
                    )
    return any_bad


class NotFinite(ArithmeticError):
    """A loss or a weight that is no number any more."""


class _Guard:
    """Watches the loss at each step and the weights now and then, and keeps the engine in reach.

    What it reads was computed `MAX_BATCHES_AHEAD` entries ago, so that reading waits for nothing.
    """

    def __init__(self, net, epoch):
        self._net, self._epoch, self._step = net, epoch, 0
        self._pending = deque()  # (step, what, a sum that must be finite)

    def add(self, sums):
        """Enter a step: the running sums of its losses, one a device."""
        self._step += 1
        self._pending.extend((self._step, 'loss', total) for total in sums)
        if self._step % LOOK == 0:
            self._pending.append((self._step, 'weights', sum_of_squares(self._net, LARGE)))
        while len(self._pending) > MAX_BATCHES_AHEAD:
            self._look(*self._pending.popleft())

    def finish(self):
        """Read what is left of the epoch, and all weights once more."""
        while self._pending:
            self._look(*self._pending.popleft())
        self._look(self._step, 'weights', sum_of_squares(self._net))

    def _look(self, step, what, total):
        value = float(total.asnumpy().sum())
        if np.isfinite(value):
            return
        if what == 'loss':
            raise NotFinite(
                f'the training loss became {value} at step {step} of epoch {self._epoch}: lower '
                'the learning rate, or look for inputs that are not numbers'
            )
        raise NotFinite(
            f'{not_finite(self._net) or "a weight"} stopped being finite by step {step} of epoch '
            f'{self._epoch}: lower the learning rate, or look for inputs that are not numbers'
        )


def _epoch(net, task, trainers, devices, bar, epoch, clip):
    """One pass over the training data; its measures."""
    start, rows, terms = time.time(), 0, 0
    loss_sum, guard = DeviceSum(), _Guard(net, epoch)
    task.begin_epoch()
    for batch in task.batches():
        losses, count, added = task.backward(batch)
        bar.update()
        if not count:
            continue
        if not rows:
            settle(devices)
        # The trainers divide by it: by more, where the gradient is too long.
        by = count if clip is None else max(count, gradient_norm(trainers) / clip)
        for trainer in trainers:
            trainer.step(by)
        guard.add([loss_sum.add(loss) for loss in losses])
        rows, terms = rows + count, terms + added
    if not rows:
        raise ValueError(task.no_rows)
    guard.finish()
    return {
        'train_loss': loss_sum.read() / terms,
        **task.train_measures(rows),
        'train_rows': rows,
        'seconds': time.time() - start,
    }


def gradient_norm(trainers: Sequence[gluon.Trainer]) -> float:
    """The length of all gradients together, as `backward` left them, summed over devices."""
    total = 0.0
    for trainer in trainers:
        for param in trainer._params:
            if param.grad_req != 'null':
                total += _sum_of_squares(param.list_grad())
    return math.sqrt(total)


def _sum_of_squares(grads):
    """Of the sum of one parameter's gradients on its devices; their rows may differ."""
    if grads[0].stype == 'default':
        whole = grads[0]
        for grad in grads[1:]:
            whole = whole + grad.as_in_ctx(whole.ctx)
        return float((whole * whole).sum().asnumpy())
    parts = [rows_and_values(grad) for grad in grads]
    rows, place = np.unique(np.concatenate([rows for rows, _ in parts]), return_inverse=True)
    values = np.concatenate([values.asnumpy() for _, values in parts]).astype(np.float64)
    sums = np.zeros((len(rows), *values.shape[1:]))
    np.add.at(sums, place.reshape(-1), values)
    return float(np.square(sums).sum())


def _speed(history):
    return f'{history.rows_per_second:.1f} examples/sec on {history.devices}'


def kept_words(history: History) -> list[str]:
    """Which epoch's weights the net holds, where a validation set chose, for the summary."""
    if not history.best_epoch:
        return []
    return [f'weights of epoch {history.best_epoch}, the best of {len(history)}']


def checked_trainers(net, trainer) -> list:
    """The trainers as a list; refuse none, and one of another net."""
    trainers = list(trainer) if isinstance(trainer, (list, tuple)) else [trainer]
    if not trainers or not all(isinstance(t, gluon.Trainer) for t in trainers):
        raise ValueError(f'trainer is {shown(trainer)}: give a gluon.Trainer, or a list of them.')
    if not any(p.grad_req != 'null' for t in trainers for p in t._params):
        raise ValueError(
            f"no weight of this {type(net).__name__} is trained, as all have grad_req='null': give "
            "some of them grad_req='write'."
        )
    trained = [id(p) for t in trainers for p in t._params]
    if len(set(trained)) < len(trained):
        raise ValueError('two trainers train the same weights: give each weight to one of them.')
    if any(isinstance(t.optimizer, mx.optimizer.Adamax) for t in trainers):
        raise ValueError(
            "the optimizer is MXNet's Adamax, which divides 0 by 0 where a weight has had no "
            "gradient yet, such as the row of a value that the batch lacks: take 'adam'."
        )
    mine = {id(p) for p in net.collect_params().values()}
    if not all(id(p) in mine for t in trainers for p in t._params):
        raise ValueError(
            f'the trainer is not of this {type(net).__name__}: make it from '
            'net.collect_params() of the net that is trained.'
        )
    return trainers


def checked_numbers(
    num_epochs, seed, patience=None, lr_factor=None, valid_iter=None, clip=None
) -> tuple[int, Optional[int]]:
    """The number of epochs and the seed as ints; refuse arguments that cannot work."""
    num_epochs = check_whole(num_epochs, 'num_epochs', 0)
    if seed is not None:
        seed = check_seed(seed)
    if patience is not None:
        check_whole(patience, 'patience')
    for name, value in (('patience', patience), ('lr_factor', lr_factor)):
        if value is not None and valid_iter is None:
            raise ValueError(f'{name} needs a validation set to watch: pass valid_iter=.')
    if lr_factor is not None and not (is_number(lr_factor) and 0 < lr_factor <= 1):
        raise ValueError(f'lr_factor is {shown(lr_factor)}: give a number above 0 and at most 1.')
    if clip is not None and not (is_number(clip) and LEAST_CLIP <= clip < np.inf):
        raise ValueError(f'clip is {shown(clip)}: give a number above 0, {LEAST_CLIP:g} or more.')
    return num_epochs, seed


def checked_passes(num_epochs: int, **loaders: Any) -> None:
    """Refuse an iterator, which gives its batches once, where there are several epochs."""
    for name, loader in loaders.items():
        if num_epochs > 1 and hasattr(loader, '__next__'):
            raise ValueError(
                f'{name} is a {type(loader).__name__}, which gives its batches once, for '
                f'{num_epochs} epochs: give a loader, or a list of batches.'
            )
