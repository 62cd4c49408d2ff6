"""The loops. They know no model: whatever maps a batch to outputs can be trained.

Shapes: B rows of a batch, N rows of a data set, U users, I items.
"""

import os
import random
import time
import warnings
from collections import deque

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd
from tqdm import tqdm

from . import metrics, saving
from .layers import Embedding, LinearTerm

__all__ = [
    'History',
    'decay_embeddings_only',
    'evaluate',
    'evaluator',
    'predict',
    'set_seed',
    'train_ch13',
    'train_recsys_rating',
    'try_all_gpus',
]

# How many batches the engine may lie behind the loop. Reading a result at each batch would stop
# it; never reading one would queue a whole epoch's batches in memory.
MAX_BATCHES_AHEAD = 16


def try_all_gpus():
    """All GPUs that MXNet sees, or [cpu()] where there is none."""
    return [mx.gpu(i) for i in range(mx.context.num_gpus())] or [mx.cpu()]


def set_seed(seed):
    """Seed Python, NumPy (Gluon's sampler shuffles with it) and MXNet on every device."""
    random.seed(seed)
    np.random.seed(seed)
    mx.random.seed(seed)


def decay_embeddings_only(net):
    """Let an optimizer's `wd` act on the weights of ids alone; return the net.

    These are the vectors of each `Embedding` and the weights of each `LinearTerm`. MLPs, biases
    and batch normalisation are spared. With `wd=λ`, Gluon's optimizers then minimise the mean
    loss + λ/2 · (sum of the squares of those weights), over the whole tables, whichever ids the
    batch holds. For a layer of your own, set `param.wd_mult`.
    """
    net.collect_params().setattr('wd_mult', 0.0)

    def mark(block):
        if isinstance(block, (Embedding, LinearTerm)):
            block.weight.wd_mult = 1.0

    return net.apply(mark)


class History:
    """What training did, one row an epoch.

    Attributes
    ----------
    rows : list of dict
        The measures of each epoch.
    best_epoch : int or None
        The epoch (from 1) whose weights the net holds now, if a validation set chose one.
    devices : list of mxnet.Context
    """

    def __init__(self, devices):
        self.rows, self.best_epoch, self.devices = [], None, list(devices)

    def __getitem__(self, name):
        """The values of one measure, an epoch each: `history['test_auc']`."""
        if not self.rows or name not in self.rows[0]:
            known = ', '.join(self.rows[0]) if self.rows else 'none, no epoch was run'
            raise KeyError(f'no measure {name!r} in this history; it has: {known}.')
        return [row[name] for row in self.rows]

    def __len__(self):
        return len(self.rows)

    @property
    def last(self):
        """The measures of the epoch the net stands at: the best one, else the last."""
        if not self.rows:
            raise ValueError('the history is empty: train for at least one epoch.')
        return self.rows[(self.best_epoch or len(self.rows)) - 1]

    @property
    def rows_per_second(self):
        """Training rows per second over all epochs, evaluation left out."""
        return sum(r['train_rows'] for r in self.rows) / sum(r['seconds'] for r in self.rows)

    def table(self):
        """All epochs as a DataFrame."""
        return pd.DataFrame(self.rows).set_index('epoch')

    def plot(self, **kwargs):
        """Draw the curves; see `d2lrec.plot.history`."""
        from . import plot

        return plot.history(self, **kwargs)

    def _repr_svg_(self):
        # A notebook shows the curves where a training call is a cell's last line.
        from . import plot

        return plot.as_svg(self.plot()) if self.rows else None

    def __repr__(self):
        best = f', best epoch {self.best_epoch}' if self.best_epoch else ''
        return f'History({len(self.rows)} epochs{best})'


def _devices_of(net, devices=None):
    """The devices to work on: those asked for, else those the net's parameters are on."""
    params = list(net.collect_params().values())
    try:
        here = params[0].list_ctx() if params else try_all_gpus()
    except RuntimeError:
        raise ValueError(
            f'{type(net).__name__} has no weights yet: '
            'call net.initialize() before training or predicting.'
        ) from None
    if devices is None:
        return here
    devices = [devices] if isinstance(devices, mx.Context) else list(devices)
    if not devices:
        raise ValueError("devices is empty: pass try_all_gpus(), or None for the net's own.")
    if params and not set(devices) <= set(here):
        raise ValueError(
            f'the weights are on {here} but devices is {devices}: '
            'call net.initialize(ctx=devices) with the same list.'
        )
    return devices


def _shards(array, devices):
    """Split a batch over the devices; shards may differ by a row, and some may be missing.

    Of several inputs (a list or tuple of arrays) each shard is a tuple.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], 'shape'):
        return list(zip(*[_shards(a, devices) for a in array]))
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


def _call(net, X):
    """The net's output for one input, or for a tuple of them."""
    return net(*X) if isinstance(X, tuple) else net(X)


def _features_and_label(batch):
    """A loader's batch as X and y: (ids, dense, label) gives the tuple (ids, dense) as X."""
    *X, y = batch
    return (X[0] if len(X) == 1 else tuple(X)), y


def _first_row(X, device):
    """The first row of one input, or of a tuple of them, on a device."""
    if isinstance(X, tuple):
        return tuple(_first_row(x, device) for x in X)
    return X[:1].as_in_ctx(device)


def _column_like(y, out):
    """Labels in the shape of the outputs: (B,) against (B, 1) would broadcast to (B, B)."""
    if y.shape == out.shape or out.ndim == 2 and out.shape[1] > 1 and y.shape == out.shape[:1]:
        return y
    if y.size != out.size:
        raise ValueError(
            f'the net gives outputs of shape {out.shape} for labels of shape '
            f'{y.shape}: it must give one logit for each row, shape (B, 1).'
        )
    return y.reshape(out.shape)


def _forward_backward(net, loss, X_shards, y_shards, devices):
    """One batch through the net and back; returns (outputs, labels, losses), a shard each."""
    outs, ys, losses = [], [], []
    idle = devices[len(X_shards) :]
    with autograd.record():
        for X, y in zip(X_shards, y_shards):
            out = _call(net, X)
            y = _column_like(y, out)
            outs.append(out)
            ys.append(y)
            losses.append(loss(out, y))
        # Fewer rows than devices: an idle replica still needs a gradient, which is zero,
        # or the trainer would add the one left from the batch before.
        nothing = [
            loss(_call(net, _first_row(X_shards[0], d)), _first_row(ys[0], d)) * 0 for d in idle
        ]
    autograd.backward(losses + nothing)
    return outs, ys, losses


def _settle(devices):
    """Wait for all replicas before a trainer's first step, which makes them equal.

    MXNet 1.9.1 does not hold that step back until batch normalisation in a static graph has
    written its statistics: now and then the first batch would be missing from them.
    """
    if len(devices) > 1:
        mx.nd.waitall()


class _Throttle:
    """Let the engine run ahead of Python, but not without bound."""

    def __init__(self):
        self._pending = deque()

    def add(self, array):
        self._pending.append(array)
        if len(self._pending) > MAX_BATCHES_AHEAD:
            self._pending.popleft().wait_to_read()


class _Sum:
    """A sum kept on each device and read once."""

    def __init__(self):
        self._sums = {}

    def add(self, array):
        total = array.sum()
        key = str(array.ctx)
        self._sums[key] = self._sums[key] + total if key in self._sums else total
        return self._sums[key]

    def read(self):
        return sum(float(s.asnumpy()) for s in self._sums.values())


def _num_correct(out, y, threshold):
    """Rows whose class is right, still on the device."""
    if out.ndim == 2 and out.shape[1] > 1:
        return out.argmax(axis=1).astype('float32') == y.astype('float32').reshape(-1)
    return (out > threshold) == (y > 0.5)


def _outputs(net, data_iter, devices):
    """Outputs and labels of all rows, in order: (N, C) and (N,) NumPy arrays."""
    throttle, outs, labels = _Throttle(), [], []
    for batch in data_iter:
        X, y = _features_and_label(batch) if isinstance(batch, (tuple, list)) else (batch, None)
        outs.extend(_call(net, shard) for shard in _shards(X, devices))
        throttle.add(outs[-1])
        labels.append(y)
    if not outs:
        raise ValueError('the data to predict is empty: check the path and the split.')
    outs = np.concatenate([out.asnumpy().reshape(out.shape[0], -1) for out in outs])
    if labels[0] is None:
        return outs, None
    return outs, np.concatenate(
        [np.asarray(y.asnumpy() if hasattr(y, 'asnumpy') else y).reshape(-1) for y in labels]
    )


def _batches(data, batch_size=4096):
    """`data` as something that yields batches in order: a loader stays as it is."""
    from .data import BatchLoader, CTRDataset

    if isinstance(data, CTRDataset):
        return BatchLoader(data, batch_size=batch_size)
    if isinstance(data, (np.ndarray, mx.nd.NDArray)):
        return BatchLoader(data, batch_size=batch_size)
    if isinstance(data, tuple) and hasattr(data[0], 'shape'):  # inputs without a label
        return ((batch, None) for batch in map(tuple, BatchLoader(*data, batch_size=batch_size)))
    return data


def predict(net, data, devices=None):
    """Probability of a click for each row, in order: NumPy (N,), float64.

    Parameters
    ----------
    net : a model that returns logits (B, 1)
    data : a CTRDataset, a matrix of ids (N, F), a tuple of matrices where the net takes several
        inputs, such as (ids, dense), or a loader that does not shuffle
    devices : where to compute; by default where the net's weights are

    Raises
    ------
    ValueError
        If the net has no weights, the data is empty, or an output is not a number.
    """
    outs, _ = _outputs(net, _batches(data), _devices_of(net, devices))
    if outs.shape[1] != 1:
        raise ValueError(
            f'the net gives {outs.shape[1]} outputs a row: '
            'predict needs one logit a row, shape (B, 1).'
        )
    return metrics.sigmoid(outs[:, 0])


def evaluate(net, data, devices=None):
    """`metrics.ctr_report` of the net on labelled data: AUC, log loss, baseline, accuracy."""
    outs, labels = _outputs(net, _batches(data), _devices_of(net, devices))
    if labels is None:
        raise ValueError('the data has no labels: pass a CTRDataset or a loader of (ids, label).')
    return metrics.ctr_report(labels, metrics.sigmoid(outs))


def _measure(net, data_iter, devices, from_sigmoid, prefix):
    """One pass over held-out rows: measures under names that begin with `prefix`."""
    outs, labels = _outputs(net, data_iter, devices)
    if outs.shape[1] > 1:
        return {f'{prefix}_acc': metrics.accuracy(outs, labels) / len(labels)}, outs
    report = metrics.ctr_report(labels, outs if from_sigmoid else metrics.sigmoid(outs))
    return {
        f'{prefix}_loss': report['log_loss'],
        f'{prefix}_acc': report['accuracy'],
        f'{prefix}_auc': report['auc'],
    }, outs


def _warn_of_double_sigmoid(net, outs):
    if outs.shape[1] == 1 and outs.min() >= 0 and outs.max() <= 1:
        warnings.warn(
            f'every output of {type(net).__name__} lies in [0, 1]: if it ends in a sigmoid, '
            'SigmoidBinaryCrossEntropyLoss applies a second one and training stalls; '
            'return logits, or pass from_sigmoid=True to the loss.',
            stacklevel=3,
        )


def _weights(net):
    return {name: p.data(p.list_ctx()[0]).copy() for name, p in saving.weights_of(net).items()}


def _restore(net, weights):
    for name, p in saving.weights_of(net).items():
        p.set_data(weights[name])


class _Run:
    """What both loops do around their epochs: seed each, keep the best weights, stop, resume."""

    def __init__(
        self, net, trainers, train_iter, devices, seed, patience, checkpoint, lr_factor=None
    ):
        self.net, self.trainers, self.train_iter = net, trainers, train_iter
        self.seed, self.patience, self.checkpoint = seed, patience, checkpoint
        self.lr_factor = lr_factor
        self.history, self.best, self.best_score = History(devices), None, np.inf
        if checkpoint is None:
            return
        if os.path.exists(checkpoint):
            state, self.best = saving.read_checkpoint(checkpoint, net, trainers, train_iter, seed)
            self.seed, self.best_score = state['seed'], state['best_score']
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

    def end_epoch(self, row, score=None):
        """Enter the epoch's measures; `score`, if there is one, is the smaller the better."""
        self.history.rows.append(row)
        if score is not None and score < self.best_score:
            self.best_score, self.best = score, _weights(self.net)
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
            saving.write_checkpoint(
                self.checkpoint, self.net, self.trainers, self.train_iter, state, self.best
            )

    def finish(self):
        """Give the net the weights of the best epoch, where a validation set chose one."""
        if self.best is not None:
            _restore(self.net, self.best)
        return self.history


def train_ch13(
    net,
    train_iter,
    test_iter,
    loss,
    trainer,
    num_epochs,
    devices=None,
    split_f=None,
    *,
    valid_iter=None,
    patience=None,
    monitor='log_loss',
    seed=None,
    verbose=True,
    checkpoint=None,
    lr_factor=None,
):
    """Train a classifier; print loss, accuracy and speed; return a `History`.

    The first eight arguments are those of the function of this name in Dive into Deep Learning.

    Parameters
    ----------
    net : a Block whose output is one logit a row (B, 1), or C logits (B, C)
    train_iter, test_iter, valid_iter : loaders of (X, y), such as `BatchLoader`
        Where the net takes several inputs, of (ids, dense, y): the label comes last.
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
    checkpoint : path, optional
        Written after each epoch, whole or not at all. Where the file exists, training resumes
        from it and gives, bit for bit, what it would have given without the interruption: the
        same call in a new process will do. A seed is drawn if none is given. It holds weights,
        optimizers, the history, seed and order of `BatchLoader`; a loader with a random state
        of another kind starts over. As with Gluon's trainer states, open only files you trust.
    lr_factor : float, optional
        Multiply the learning rates by it after each epoch without a better one; needs
        `valid_iter`. With .1 and `patience=2` a plateau gets one epoch at a tenth of the rate.

    Returns
    -------
    History with, for each epoch, `train_loss` (mean a row, in nats for a log loss, taken while
    the weights move), `train_acc`, and `test_loss`, `test_acc`, `test_auc`, likewise `valid_…`.

    Raises
    ------
    ValueError
        For a net without weights or on other devices, outputs that do not fit the labels, a loss
        that is not a number, `patience` or `lr_factor` without `valid_iter`, or a checkpoint of
        another model, optimizer or seed.
    """
    devices = _devices_of(net, devices)
    trainers = list(trainer) if isinstance(trainer, (list, tuple)) else [trainer]
    if monitor not in ('log_loss', 'auc'):
        raise ValueError(f"monitor is {monitor!r}: choose 'log_loss' or 'auc'.")
    if patience is not None and valid_iter is None:
        raise ValueError('patience needs a validation set to watch: pass valid_iter=.')
    if lr_factor is not None and valid_iter is None:
        raise ValueError('lr_factor needs a validation set to watch: pass valid_iter=.')
    if lr_factor is not None and not 0 < lr_factor <= 1:
        raise ValueError(f'lr_factor is {lr_factor!r}: give a number above 0 and at most 1.')
    run = _Run(net, trainers, train_iter, devices, seed, patience, checkpoint, lr_factor)
    split_f = split_f or (lambda X, y, devices: (_shards(X, devices), _shards(y, devices)))
    from_sigmoid = getattr(loss, '_from_sigmoid', False)
    warned = from_sigmoid

    with tqdm(
        total=num_epochs * len(train_iter),
        initial=len(run.history) * len(train_iter),
        unit='batch',
        leave=False,
        disable=not verbose,
    ) as bar:
        for epoch in run.epochs(num_epochs):
            row = {
                'epoch': epoch,
                **_train_epoch(
                    net,
                    train_iter,
                    loss,
                    trainers,
                    devices,
                    split_f,
                    0.5 if from_sigmoid else 0.0,
                    bar,
                ),
            }
            start = time.time()
            for prefix, data_iter in (('valid', valid_iter), ('test', test_iter)):
                if data_iter is not None:
                    measures, outs = _measure(net, data_iter, devices, from_sigmoid, prefix)
                    row.update(measures)
                    if not warned:
                        _warn_of_double_sigmoid(net, outs)
                        warned = True
            row['eval_seconds'] = time.time() - start
            bar.set_postfix({k: f'{v:.3f}' for k, v in row.items() if k.endswith(('loss', 'auc'))})
            if valid_iter is None:
                run.end_epoch(row)
            else:
                run.end_epoch(
                    row, row['valid_loss'] if monitor == 'log_loss' else -row['valid_auc']
                )
    history = run.finish()
    if verbose and history.rows:
        _print_summary(history)
    return history


def _train_epoch(net, train_iter, loss, trainers, devices, split_f, threshold, bar):
    start, rows, total = time.time(), 0, 0
    throttle, loss_sum, correct = _Throttle(), _Sum(), _Sum()
    for batch in train_iter:
        X, y = _features_and_label(batch)
        X_shards, y_shards = split_f(X, y, devices)
        outs, ys, losses = _forward_backward(net, loss, X_shards, y_shards, devices)
        if not rows:
            _settle(devices)
        for t in trainers:
            t.step(len(y))
        for out, y_shard, l in zip(outs, ys, losses):
            total += l.size
            throttle.add(loss_sum.add(l))
            correct.add(_num_correct(out, y_shard, threshold))
        rows += len(y)
        bar.update()
    if not rows:
        raise ValueError(
            'the training data gave no batch: check its length, batch_size and '
            "last_batch ('discard' drops a batch that is not full)."
        )
    mean_loss = loss_sum.read() / total
    if not np.isfinite(mean_loss):
        raise ValueError(
            f'the training loss became {mean_loss}: lower the learning rate, '
            'or look for inputs that are not numbers.'
        )
    return {
        'train_loss': mean_loss,
        'train_acc': correct.read() / rows,
        'train_rows': rows,
        'seconds': time.time() - start,
    }


def _print_summary(history):
    row = history.last
    parts = [f'loss {row["train_loss"]:.3f}', f'train acc {row["train_acc"]:.3f}']
    if 'test_acc' in row:
        parts.append(f'test acc {row["test_acc"]:.3f}')
    print(', '.join(parts))
    parts = [
        f'{name} log loss {row[name + "_loss"]:.3f}, AUC {row[name + "_auc"]:.3f}'
        for name in ('valid', 'test')
        if name + '_loss' in row
    ]
    if history.best_epoch:
        parts.append(f'weights of epoch {history.best_epoch}, the best of {len(history)}')
    if parts:
        print('; '.join(parts))
    print(f'{history.rows_per_second:.1f} examples/sec on {history.devices}')


def evaluator(network, inter_matrix, test_data, devices=None, mask=None):
    """RMSE of rebuilt rating rows on held-out ratings: one root over all batches and devices.

    The first four arguments are those of the function of this name in the AutoRec chapter of
    Dive into Deep Learning.

    Parameters
    ----------
    network : a Block that rebuilds rows (B, D)
    inter_matrix : a loader that does not shuffle, of rows (B, D) or of (rows, mask)
        What the network is shown, the N rows of `test_data` in order.
    test_data : array (N, D)
        The held-out ratings.
    devices : where to compute; by default where the network's weights are
    mask : array (N, D), optional
        True or 1 where a rating is held out; by default wherever `test_data` is not 0.

    Raises
    ------
    ValueError
        For no held-out rating, or another number of rows than `test_data` has.
    """
    devices, first, squared, count = _devices_of(network, devices), 0, 0.0, 0
    for values in inter_matrix:
        shards = zip(*[_shards(v, devices) for v in _list(values)])
        for out in [network(_shown(*s)[0]) for s in shards]:
            rows = slice(first, first + len(out))
            if rows.stop > len(test_data):
                raise ValueError(
                    f'the loader gives more rows than the {len(test_data)} of the '
                    'held-out ratings: both must be of the same rows, in order.'
                )
            s, n = metrics.squared_error(test_data[rows], out, None if mask is None else mask[rows])
            squared, count, first = squared + s, count + n, rows.stop
    if first != len(test_data):
        raise ValueError(
            f'the loader gives {first} rows for the {len(test_data)} of the held-out '
            'ratings: both must be of the same rows, in order.'
        )
    if not count:
        raise ValueError('there is no test rating to measure: check the split and inter_mat.')
    return float(np.sqrt(squared / count))


_rows_rmse = evaluator  # `train_recsys_rating` has an argument of this name


def _pairs_rmse(net, test_iter, devices):
    """The same of a net that maps (users, items) to ratings, on batches that end in ratings."""
    squared, count = 0.0, 0
    for *feats, ratings in test_iter:
        outs = [net(*s) for s in zip(*[_shards(v, devices) for v in feats])]
        out = np.concatenate([o.asnumpy().reshape(-1) for o in outs])
        s, n = metrics.squared_error(ratings.reshape(-1), out, np.ones(len(out), bool))
        squared, count = squared + s, count + n
    if not count:
        raise ValueError('there is no test rating to measure: check the split and test_iter.')
    return float(np.sqrt(squared / count))


def _list(values):
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _shown(rows, mask=None):
    """Rating rows with 0 for what is not observed, and the mask (B, D) of what is, as 0 and 1.

    Without a mask a rating of 0 is one that is missing.
    """
    if mask is None:
        return rows, (rows != 0).astype('float32')
    if mask.shape != rows.shape:
        raise ValueError(
            f'the mask has shape {mask.shape} and the rows {rows.shape}: '
            'give one mark for each rating.'
        )
    return mx.np.where(mask != 0, rows, mx.np.zeros_like(rows)), (mask != 0).astype('float32')


def train_recsys_rating(
    net,
    train_iter,
    test_iter,
    loss,
    trainer,
    num_epochs,
    devices=None,
    evaluator=None,
    inter_mat=None,
    *,
    seed=None,
    verbose=True,
    inter_mask=None,
    valid_iter=None,
    valid_mat=None,
    valid_mask=None,
    patience=None,
    checkpoint=None,
):
    """Train a model of ratings; print train loss, test RMSE and speed; return a `History`.

    The arguments up to `inter_mat` are those of the function of this name in Dive into Deep
    Learning. A net either maps (users, items) to ratings, or rebuilds rows of a rating matrix;
    it is the second kind where a batch is a single array, or a matrix of held-out ratings is
    given.

    Parameters
    ----------
    net : a Block
        Either maps (users, items) to ratings (B,), or rows (B, D) to rows (B, D).
    train_iter : a loader
        Of (users, items, ratings); or of (rows, mask), both (B, D), where the mask is not 0 at
        observed ratings; or of rows alone, where an entry of 0 is unobserved. What is unobserved
        is never shown to the net, and counts neither in the loss nor in the number of examples.
    test_iter : a loader of the same kind
        For rows, those to rebuild from, in the order of `inter_mat`. May be None.
    loss : a Gluon loss
    trainer : a gluon.Trainer, or a list of them (one for each part of the net)
    evaluator : callable, optional
        `evaluator(net, test_iter, devices)`, or `evaluator(net, test_iter, inter_mat, devices)`
        where `inter_mat` is given, with `inter_mask` as a fifth argument where that is given
        too, returns the test RMSE. By default squared errors and their count are summed over all
        batches and devices, with one root.
    inter_mat : array (N, D), optional
        The held-out ratings of the rows of `test_iter`.
    inter_mask : array (N, D), optional
        Not 0 where a rating is held out; by default wherever `inter_mat` is not 0.
    valid_iter, valid_mat, valid_mask : as `test_iter`, `inter_mat`, `inter_mask`
        When given, the net ends with the weights of the epoch with the least RMSE on them.
    patience, seed, verbose, checkpoint : as in `train_ch13`

    Returns
    -------
    History with `train_loss` (mean over ratings) and `test_rmse` for each epoch, and
    `valid_rmse` where there is a validation set.
    """
    devices = _devices_of(net, devices)
    trainers = list(trainer) if isinstance(trainer, (list, tuple)) else [trainer]
    if patience is not None and valid_iter is None:
        raise ValueError('patience needs a validation set to watch: pass valid_iter=.')
    rebuilds = inter_mat is not None or valid_mat is not None

    def measure(data_iter, mat, mask):
        if evaluator is None and mat is None:
            return _pairs_rmse(net, data_iter, devices)
        args = [a for a in (mat, devices, mask) if a is not None]
        return float((evaluator or _rows_rmse)(net, data_iter, *args))

    run = _Run(net, trainers, train_iter, devices, seed, patience, checkpoint)
    with tqdm(
        total=num_epochs * len(train_iter),
        initial=len(run.history) * len(train_iter),
        unit='batch',
        leave=False,
        disable=not verbose,
    ) as bar:
        for epoch in run.epochs(num_epochs):
            start, loss_sum, throttle, ratings = time.time(), _Sum(), _Throttle(), 0
            for values in train_iter:
                ls, count = _rating_batch(net, loss, _list(values), devices, rebuilds)
                bar.update()
                if not count:  # rows without a rating teach nothing
                    continue
                if not ratings:
                    _settle(devices)
                # The loss is the mean over ratings, so the step divides by their number.
                for t in trainers:
                    t.step(count)
                for l in ls:
                    throttle.add(loss_sum.add(l))
                ratings += count
            if not ratings:
                raise ValueError('the training data holds no rating: check the split.')
            row = {
                'epoch': epoch,
                'train_loss': loss_sum.read() / ratings,
                'train_rows': ratings,
                'seconds': time.time() - start,
            }
            if not np.isfinite(row['train_loss']):
                raise ValueError(
                    f'the training loss became {row["train_loss"]}: lower the '
                    'learning rate, or look for ratings that are not numbers.'
                )
            start = time.time()
            if valid_iter is not None:
                row['valid_rmse'] = measure(valid_iter, valid_mat, valid_mask)
            if test_iter is not None:
                row['test_rmse'] = measure(test_iter, inter_mat, inter_mask)
            row['eval_seconds'] = time.time() - start
            bar.set_postfix({k: f'{v:.3f}' for k, v in row.items() if k.endswith(('loss', 'rmse'))})
            run.end_epoch(row, row.get('valid_rmse'))
    history = run.finish()
    if verbose and history.rows:
        row = history.last
        parts = [f'train loss {row["train_loss"]:.3f}']
        parts += [
            f'{name} RMSE {row[name + "_rmse"]:.3f}'
            for name in ('test', 'valid')
            if name + '_rmse' in row
        ]
        if history.best_epoch:
            parts.append(f'weights of epoch {history.best_epoch}, the best of {len(history)}')
        print(', '.join(parts))
        print(f'{history.rows_per_second:.1f} examples/sec on {devices}')
    return history


def _rating_batch(net, loss, values, devices, rebuilds):
    """Losses of one batch, summed over its ratings (a shard each), and the number of ratings."""
    shards = list(zip(*[_shards(v, devices) for v in values]))
    if rebuilds or len(values) == 1:
        shards = [_shown(*s) for s in shards]
        count = int(sum(float(mask.sum()) for _, mask in shards))

        def of(x, mask):  # a Gluon loss averages over the D columns: undo that
            return loss(net(x), x, mask) * x.shape[1]
    else:
        count = int(values[-1].size)

        def of(*batch):
            out = net(*batch[:-1])
            return loss(out, _column_like(batch[-1], out))

    if not count:
        return [], 0
    with autograd.record():
        ls = [of(*s) for s in shards]
        # An idle replica needs a gradient of zero, as in `_forward_backward`.
        nothing = [of(*(v[:1].as_in_ctx(d) for v in shards[0])) * 0 for d in devices[len(shards) :]]
    autograd.backward(ls + nothing)
    return ls, count
