"""The trainer of classifiers, with the name and signature that the original chapters gave it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from .. import metrics
from ..arguments import check_call, shown
from ..checks import LOOKED_AT, check_labels
from ..origin import check_parts, remember
from .devices import DeviceSum, Throttle, devices_of, first_row, shards
from .history import History
from .loop import Task, checked_numbers, checked_passes, checked_trainers, kept_words, run_epochs
from .losses import in_one_pass
from .sources import source

__all__ = ['train_ch13']

MOVES = {  # operators that only move what they are given
    '_npx_reshape', '_np_reshape', '_npi_reshape', 'Reshape', 'Flatten', '_np_copy', 'Cast',
    '_npi_copy', 'expand_dims', '_np_squeeze', '_np_transpose', 'slice', '_npi_slice',
}  # fmt: skip


def train_ch13(
    net: gluon.Block,
    train_iter: Iterable,
    test_iter: Optional[Iterable],
    loss: Callable,
    trainer: Union[gluon.Trainer, Sequence[gluon.Trainer]],
    num_epochs: int,
    devices: Optional[Sequence[mx.Context]] = None,
    split_f: Optional[Callable] = None,
    *,
    valid_iter: Optional[Iterable] = None,
    patience: Optional[int] = None,
    monitor: str = 'log_loss',
    seed: Optional[int] = None,
    verbose: bool = True,
    checkpoint: Any = None,
    lr_factor: Optional[float] = None,
    clip: Optional[float] = None,
) -> History:
    """Train a classifier; print loss, accuracy and speed; return a `History`.

    The first eight arguments are those of the function of this name in Dive into Deep Learning.

    Parameters
    ----------
    net : a Block whose output is one logit a row (B, 1), or C logits (B, C)
    train_iter, test_iter, valid_iter : loaders of (X, y), such as `BatchLoader`
        Where the net takes several inputs, of (ids, dense, y): the label comes last. Of a
        `BatchLoader` the columns that the net reads are picked by name. Where its data has
        sample weights, losses and measures are weighted means; a step's gradient is that of the
        weighted losses, in units of the mean weight.
        `test_iter` is measured after each epoch and decides nothing; it may be None.
    loss : a Gluon loss with one value a row
    trainer : a gluon.Trainer, or a list of them (one for each part of the net)
    num_epochs : int
    devices : list of mxnet.Context
        A batch is split over them, unevenly if need be. By default where the weights are.
    split_f : callable, optional
        `split_f(X, y, devices)` in place of the built-in split.
    valid_iter : loader, optional
        When given, the net ends with the weights of the epoch that `monitor` finds best on it.
    patience : int, optional
        Stop after so many epochs without a better one; needs `valid_iter`.
    monitor : 'log_loss' or 'auc'
    seed : int, optional
        Seeds dropout, and any loader that has no seed of its own, anew for each epoch.
    verbose : bool
        Show the progress bar and print the summary.
    checkpoint : path or `Checkpoint`, optional
        Written after each epoch, whole or not at all. Where the file exists, training resumes
        from it and gives, bit for bit, what it would have given without the interruption: the
        same call in a new process will do. A seed is drawn if none is given. It holds weights,
        optimizers, the history, seed and order of `BatchLoader`; a loader with a random state
        of another kind starts over.
    lr_factor : float, optional
        Multiply the learning rates by it after each epoch without a better one; needs
        `valid_iter`. With .1 and `patience=2` a plateau gets one epoch at a tenth of the rate.
    clip : float, optional
        The gradient's largest norm: the mean loss's gradient for all weights together, weight
        decay left out, is scaled down to it where it is longer. Adam remembers the square of a
        gradient for a thousand steps, so that a few huge ones at the start slow down all that
        follow: clip them where vectors begin very small before batch normalization, or where
        a GRU reads long histories.

    Returns
    -------
    History with, for each epoch, `train_loss` (mean a row, in nats for a log loss, taken while
    the weights move; with what the net itself adds, such as DIEN's auxiliary loss), `train_acc`,
    and `test_loss`, `test_acc`, `test_auc`, likewise `valid_…`.

    Raises
    ------
    ValueError
        Before the first step: for a net without weights or on other devices, data that does not
        fit the net, ids out of range, labels that are not 0 or 1, outputs or a loss that do not
        fit the labels, arguments of a wrong kind, or a checkpoint of another run. Later: where the
        loss or a weight stops being finite; the net then holds the best weights, or the last good
        ones. So it does after Ctrl-C, and where a checkpoint cannot be written any more. The
        exception's `history` has the epochs that were run.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> data = d2l.planted(200, [5, 4], seed=0)
    >>> net = d2l.FM(data.field_dims, 4)
    >>> net.initialize()
    >>> trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
    >>> loader = d2l.BatchLoader(data, batch_size=50, shuffle=True, seed=0)
    >>> train_ch13(net, loader, None, gluon.loss.SigmoidBCELoss(), trainer, 2, verbose=False)
    History(2 epochs)
    """
    devices = devices_of(net, devices)
    trainers = checked_trainers(net, trainer)
    num_epochs, seed = checked_numbers(num_epochs, seed, patience, lr_factor, valid_iter, clip)
    if not isinstance(monitor, str) or monitor not in ('log_loss', 'auc'):
        raise ValueError(f"monitor is {shown(monitor)}: choose 'log_loss' or 'auc'.")
    check_call(loss, 'loss', 'a Gluon loss, such as SigmoidBinaryCrossEntropyLoss()')
    if split_f is not None:
        check_call(split_f, 'split_f', 'a function of X, y and devices')
    checked_passes(num_epochs, train_iter=train_iter, test_iter=test_iter, valid_iter=valid_iter)
    check_parts(net, train_iter, test_iter=test_iter, valid_iter=valid_iter)
    task = _Clicks(net, train_iter, test_iter, valid_iter, loss, devices, split_f, monitor)
    remember(net, train_iter)
    return run_epochs(
        net, task, trainers, num_epochs, devices, seed=seed, patience=patience,
        lr_factor=lr_factor, clip=clip, checkpoint=checkpoint, verbose=verbose,
    )  # fmt: skip


class _Clicks(Task):
    """Rows with a label: a loss and an accuracy in training, AUC and log loss beside it after."""

    no_rows = (
        'the training data gave no batch: check its length, batch_size and last_batch '
        "('discard' and 'rollover' give no batch that is not full)."
    )

    def __init__(self, net, train_iter, test_iter, valid_iter, loss, devices, split_f, monitor):
        self.net, self.loss, self.devices, self.monitor = net, loss, devices, monitor
        self.loss_of = in_one_pass(net, loss)
        self.split = split_f or (lambda X, y, d: (shards(X, d), shards(y, d)))
        self.from_sigmoid = getattr(loss, '_from_sigmoid', False)
        self.loader = train_iter
        self.batches = source(train_iter, net, 'train_iter')
        self.held_out = {
            name: source(it, net, f'{name}_iter')
            for name, it in (('valid', valid_iter), ('test', test_iter))
            if it is not None
        }
        for name, batches in self.held_out.items():
            batches.look_through(lambda batch: _flat(features_and_label(batch)[1]))
            if batches.labels is None and batches.seen:
                raise ValueError(f'{name}_iter has no labels: give batches of (X, y).')
        weight = self.batches.sample_weight
        self.mean_weight = None if weight is None else float(weight.mean(dtype=np.float64))
        labels = self.held_out['valid'].labels if 'valid' in self.held_out else None
        if monitor == 'auc' and labels is not None and (labels == labels[0]).all():
            self._no_auc(f'{labels[0]:g}')
        self.begun = False

    def facts(self):
        valid = self.held_out.get('valid')
        return {
            'loss': type(self.loss).__name__,
            'weight of the loss': getattr(self.loss, '_weight', None),
            'monitor': self.monitor,
            'checksum of the validation data': valid and valid.fingerprint(),
        }

    def begin_epoch(self):
        self.correct = DeviceSum()

    def backward(self, batch):
        weights = None
        if self.mean_weight is not None:  # in units of their mean: the step keeps its size
            *batch, weight = batch
            weights = shards(weight / self.mean_weight, self.devices)
        X, y = features_and_label(batch)
        X_shards, y_shards = self.split(X, y, self.devices)
        outs, ys, losses = forward_backward(
            self.net, self.loss_of, X_shards, y_shards, self.devices, self._begin, weights
        )
        threshold = 0.5 if self.from_sigmoid else 0.0
        for i, (out, label) in enumerate(zip(outs, ys)):
            right = num_correct(out, label, threshold)
            self.correct.add(right if weights is None else right.reshape(-1) * weights[i])
        return losses, len(y), sum(loss.size for loss in losses)

    def _begin(self, outs, ys):
        """What can be seen once outputs are there, before the first step; inside `record`."""
        if self.begun:
            return
        self.begun, out = True, outs[0]
        if getattr(self.loss, 'pairwise', False):
            raise ValueError(
                f'{_name_of(self.loss)} compares two scores: it is for train_ranking, and for '
                'fit on Interactions.'
            )
        if out.ndim == 2 and out.shape[1] > 1:
            return self._check_classes(out.shape, ys)
        if isinstance(self.loss, gluon.loss.SoftmaxCrossEntropyLoss):
            raise ValueError(
                f'the net gives outputs of shape {out.shape}, one logit a row, and the loss is '
                'a softmax over classes: use SigmoidBinaryCrossEntropyLoss.'
            )
        labels = self.batches.labels
        if labels is None:
            self.batches.look(lambda batch: check_labels(_flat(batch[-1])))
            labels = np.concatenate([_flat(y) for y in ys])
        check_labels(labels)
        for name, batches in self.held_out.items():
            if batches.labels is not None:
                check_labels(batches.labels, f'labels of {name}_iter')
        if not self.from_sigmoid and ends_in_sigmoid(self.net, out):
            warnings.warn(
                f'{type(self.net).__name__} ends in a sigmoid and the loss applies a second one, '
                'so that training stalls: return logits, or pass from_sigmoid=True to the loss.',
                stacklevel=6,
            )

    def _check_classes(self, shape, ys):
        """What the labels, the loss and the monitor have to be where a row has C logits."""
        if isinstance(self.loss, gluon.loss.SigmoidBinaryCrossEntropyLoss) and ys[0].ndim == 1:
            raise ValueError(
                f'the net gives {shape[1]} outputs a row and the loss takes one logit for each '
                'label: build the net with one output, or use SoftmaxCrossEntropyLoss.'
            )
        if 'valid' in self.held_out and self.monitor == 'auc':
            raise ValueError(
                f'the net gives {shape[1]} outputs a row, of which there is no AUC: leave '
                'monitor out, and the accuracy decides.'
            )
        if not isinstance(self.loss, gluon.loss.SoftmaxCrossEntropyLoss):
            return
        parts = {f'{name}_iter': batches.labels for name, batches in self.held_out.items()}
        given = self.batches.labels
        parts['train_iter'] = np.concatenate([_flat(y) for y in ys]) if given is None else given
        for name, labels in parts.items():
            if labels is None or labels.size > len(labels):
                continue
            bad = np.flatnonzero(~np.isin(labels.reshape(-1), np.arange(shape[1])))
            if bad.size:
                raise ValueError(
                    f'labels of {name}[{bad[0]}] is {labels.reshape(-1)[bad[0]]:g}: the net has '
                    f'{shape[1]} outputs, so that a label is a whole number from 0 to '
                    f'{shape[1] - 1}.'
                )

    def train_measures(self, rows):
        return {'train_acc': self.correct.read() / rows}

    def measures(self):
        row = {}
        for prefix, batches in self.held_out.items():
            weight = batches.sample_weight
            outs, labels, *weights = outputs(
                self.net, batches(), self.devices, weighted=weight is not None
            )
            if labels is None:
                raise ValueError(f'{prefix}_iter has no labels: give batches of (X, y).')
            if outs.shape[1] > 1:
                row[f'{prefix}_acc'] = metrics.accuracy(outs, labels) / len(labels)
                continue
            report = metrics.ctr_report(
                labels,
                outs if self.from_sigmoid else metrics.sigmoid(outs),
                sample_weight=weights[0] if weights else None,
            )
            row[f'{prefix}_loss'] = report['log_loss']
            row[f'{prefix}_acc'] = report['accuracy']
            row[f'{prefix}_auc'] = report['auc']
        return row

    def score(self, row):
        if 'valid' not in self.held_out:
            return None
        if 'valid_loss' not in row:  # classes: there is but the accuracy
            return -row['valid_acc']
        if self.monitor == 'log_loss':
            return row['valid_loss']
        if np.isnan(row['valid_auc']):
            self._no_auc('alike')
        return -row['valid_auc']

    @staticmethod
    def _no_auc(label):
        raise ValueError(
            f"all labels of valid_iter are {label}: monitor='auc' needs both classes; split "
            "anew, or use monitor='log_loss'."
        )

    def summary(self, history):
        row = history.kept
        parts = [f'loss {row["train_loss"]:.3f}', f'train acc {row["train_acc"]:.3f}']
        if 'test_acc' in row:
            parts.append(f'test acc {row["test_acc"]:.3f}')
        lines = [', '.join(parts)]
        parts = [
            f'{name} log loss {row[name + "_loss"]:.3f}, AUC {row[name + "_auc"]:.3f}'
            for name in ('valid', 'test')
            if name + '_loss' in row
        ] + kept_words(history)
        return lines + (['; '.join(parts)] if parts else [])


def _flat(y):
    return (y.asnumpy() if hasattr(y, 'asnumpy') else np.asarray(y)).reshape(-1)


def call(net, X):
    """The net's output for one input, or for a tuple of them."""
    with LOOKED_AT:
        return net(*X) if isinstance(X, tuple) else net(X)


def call_with_loss(net, X):
    """The net's output, and what it adds to the loss itself, (B,), or None: see `Model`."""
    if getattr(net, 'adds_loss', False):
        return net.with_loss(*X) if isinstance(X, tuple) else net.with_loss(X)
    return call(net, X), None


def features_and_label(batch):
    """A loader's batch as X and y: (ids, dense, label) gives the tuple (ids, dense) as X."""
    if not isinstance(batch, (list, tuple)) or len(batch) < 2:
        raise ValueError('a batch has no label: give a loader of (X, y), such as BatchLoader.')
    *X, y = batch
    return (X[0] if len(X) == 1 else tuple(X)), y


def column_like(y, out):
    """Labels in the shape of the outputs: (B,) against (B, 1) would broadcast to (B, B)."""
    if y.dtype == np.bool_:  # a comparison of MXNet's booleans with a number is always False
        y = y.astype('float32')
    if y.shape == out.shape or out.ndim == 2 and out.shape[1] > 1 and y.shape == out.shape[:1]:
        return y
    if y.size != out.size:
        raise ValueError(
            f'the net gives outputs of shape {out.shape} for labels of shape {y.shape}: it must '
            'give one logit for each row, shape (B, 1).'
        )
    return y.reshape(out.shape)


def forward_backward(
    net, loss, X_shards, y_shards, devices, look=lambda outs, ys: None, weights=None
):
    """One batch through the net and back; returns (outputs, labels, losses), a shard each.

    With weights, an array (B,) a shard, each row's loss is multiplied by its own. What a net adds
    to the loss itself is in the losses.
    """
    outs, ys, losses, added = [], [], [], []
    idle = devices[len(X_shards) :]
    with autograd.record():
        for X, y in zip(X_shards, y_shards):
            out, more = call_with_loss(net, X)
            outs.append(out)
            ys.append(column_like(y, out))
            added.append(more)
        look(outs, ys)
        for i, (out, y, more) in enumerate(zip(outs, ys, added)):
            of_row = loss_of_rows(loss, out, y)
            of_row = of_row if more is None else of_row + more
            losses.append(of_row if weights is None else of_row.reshape(-1) * weights[i])
        # Fewer rows than devices: an idle replica still needs a gradient, which is zero,
        # or the trainer would add the one left from the batch before.
        nothing = [
            loss(call(net, first_row(X_shards[0], d)), first_row(ys[0], d)) * 0 for d in idle
        ]
    autograd.backward(losses + nothing)
    return outs, ys, losses


def loss_of_rows(loss, out, y):
    """The losses of outputs; refuse, in one sentence, a loss that is not for such outputs."""
    try:
        losses = loss(out, y)
    except ValueError:
        raise
    except Exception as error:  # whatever a loss of another kind, or a reader's own, says
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise ValueError(
            f'{_name_of(loss)} does not take outputs of shape {out.shape} and labels of shape '
            f'{y.shape} ({reason[:200]}): give a loss for them.'
        ) from error
    if getattr(losses, 'size', None) != len(out):
        raise ValueError(
            f'{_name_of(loss)} gives {getattr(losses, "size", "no array")} values for {len(out)} '
            'rows: give a loss with one value a row, not their mean.'
        )
    return losses


def _name_of(loss):
    return getattr(loss, '__name__', type(loss).__name__)


def num_correct(out, y, threshold):
    """Rows whose class is right, still on the device."""
    if out.ndim == 2 and out.shape[1] > 1:
        return out.argmax(axis=1).astype('float32') == y.astype('float32').reshape(-1)
    return (out > threshold) == (y > 0.5)


def outputs(net, batches, devices, weighted=False) -> tuple[np.ndarray, ...]:
    """Outputs and labels of all rows, in order: (N, C) and (N,) NumPy arrays; labels or None.

    Where the batches are weighted, the weights (N,) are a third.
    """
    throttle, outs, labels, weights = Throttle(), [], [], []
    for batch in batches:
        if weighted:
            *batch, weight = batch
            weights.append(_flat(weight))
        X, y = features_and_label(batch) if isinstance(batch, (tuple, list)) else (batch, None)
        outs.extend(call(net, shard) for shard in shards(X, devices))
        throttle.add(outs[-1])
        labels.append(y)
    if not outs:
        raise ValueError('the data to predict is empty: check the path and the split.')
    outs = np.concatenate([out.asnumpy().reshape(out.shape[0], -1) for out in outs])
    rest = (np.concatenate(weights),) if weighted else ()
    if labels[0] is None:
        return (outs, None, *rest)
    return (outs, np.concatenate([_flat(y) for y in labels]), *rest)


def ends_in_sigmoid(net, out) -> bool:
    """Whether the last thing the net computes is a sigmoid: its graph says so.

    `out` is an output that was just recorded. A sigmoid written out by hand is not seen.
    """
    nodes = json.loads(autograd.get_symbol(out).tojson())
    node = _last(nodes)
    if node['op'] == '_CachedOp':  # hybridized: the graph is the net's own
        if not getattr(net, '_cached_graph', None):
            return False
        nodes = json.loads(net._cached_graph[1].tojson())
        node = _last(nodes)
    return node['op'] in ('_npx_sigmoid', 'sigmoid') or (
        node['op'] == 'Activation' and node.get('attrs', {}).get('act_type') == 'sigmoid'
    )


def _last(graph):
    """The node that computes the output, moves of data left out."""
    node = graph['nodes'][graph['heads'][0][0]]
    while node['op'] in MOVES:
        node = graph['nodes'][node['inputs'][0][0]]
    return node
