"""The loops. They know no model: whatever maps a batch to outputs can be trained.

Shapes: B rows of a batch, N rows of a data set, U users, I items.
"""
import random
import time
import warnings
from collections import deque

import mxnet as mx
import numpy as onp
import pandas as pd
from mxnet import autograd, np
from tqdm import tqdm

from . import metrics

__all__ = ['History', 'evaluate', 'predict', 'set_seed', 'train_ch13', 'train_recsys_rating',
           'try_all_gpus']

# How many batches the engine may lie behind the loop. Reading a result at each batch would stop
# it; never reading one would queue a whole epoch's batches in memory.
MAX_BATCHES_AHEAD = 16


def try_all_gpus():
    """All GPUs that MXNet sees, or [cpu()] where there is none."""
    return [mx.gpu(i) for i in range(mx.context.num_gpus())] or [mx.cpu()]


def set_seed(seed):
    """Seed Python, NumPy (Gluon's sampler shuffles with it) and MXNet on every device."""
    random.seed(seed)
    onp.random.seed(seed)
    mx.random.seed(seed)


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
        raise ValueError(f'{type(net).__name__} has no weights yet: '
                         'call net.initialize() before training or predicting.') from None
    if devices is None:
        return here
    devices = [devices] if isinstance(devices, mx.Context) else list(devices)
    if not devices:
        raise ValueError('devices is empty: pass try_all_gpus(), or None for the net\'s own.')
    if params and not set(devices) <= set(here):
        raise ValueError(f'the weights are on {here} but devices is {devices}: '
                         'call net.initialize(ctx=devices) with the same list.')
    return devices


def _shards(array, devices):
    """Split a batch over the devices; shards may differ by a row, and some may be missing.

    Of several inputs (a list or tuple of arrays) each shard is a tuple.
    """
    if isinstance(array, (list, tuple)) and array and hasattr(array[0], 'shape'):
        return list(zip(*[_shards(a, devices) for a in array]))
    if not isinstance(array, mx.nd.NDArray):
        array = np.array(array, dtype=getattr(array, 'dtype', None))
    rows, num = array.shape[0], max(1, min(len(devices), array.shape[0]))
    if num == 1:
        return [array.as_in_ctx(devices[0])]
    bounds = [rows * i // num for i in range(num + 1)]
    return [array[start:stop].as_in_ctx(device)
            for start, stop, device in zip(bounds, bounds[1:], devices)]


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
        raise ValueError(f'the net gives outputs of shape {out.shape} for labels of shape '
                         f'{y.shape}: it must give one logit for each row, shape (B, 1).')
    return y.reshape(out.shape)


def _forward_backward(net, loss, X_shards, y_shards, devices):
    """One batch through the net and back; returns (outputs, labels, losses), a shard each."""
    outs, ys, losses = [], [], []
    idle = devices[len(X_shards):]
    with autograd.record():
        for X, y in zip(X_shards, y_shards):
            out = _call(net, X)
            y = _column_like(y, out)
            outs.append(out)
            ys.append(y)
            losses.append(loss(out, y))
        # Fewer rows than devices: an idle replica still needs a gradient, which is zero,
        # or the trainer would add the one left from the batch before.
        nothing = [loss(_call(net, _first_row(X_shards[0], d)), _first_row(ys[0], d)) * 0
                   for d in idle]
    autograd.backward(losses + nothing)
    return outs, ys, losses


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
    return (out > threshold) == (y > .5)


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
    outs = onp.concatenate([out.asnumpy().reshape(out.shape[0], -1) for out in outs])
    if labels[0] is None:
        return outs, None
    return outs, onp.concatenate([onp.asarray(y.asnumpy() if hasattr(y, 'asnumpy') else y)
                                  .reshape(-1) for y in labels])


def _batches(data, batch_size=4096):
    """`data` as something that yields batches in order: a loader stays as it is."""
    from .data import BatchLoader, CTRDataset
    if isinstance(data, CTRDataset):
        return BatchLoader(data, batch_size=batch_size)
    if isinstance(data, (onp.ndarray, mx.nd.NDArray)):
        return BatchLoader(data, batch_size=batch_size)
    if isinstance(data, tuple) and hasattr(data[0], 'shape'):   # inputs without a label
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
        raise ValueError(f'the net gives {outs.shape[1]} outputs a row: '
                         'predict needs one logit a row, shape (B, 1).')
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
    return {f'{prefix}_loss': report['log_loss'], f'{prefix}_acc': report['accuracy'],
            f'{prefix}_auc': report['auc']}, outs


def _warn_of_double_sigmoid(net, outs):
    if outs.shape[1] == 1 and outs.min() >= 0 and outs.max() <= 1:
        warnings.warn(
            f'every output of {type(net).__name__} lies in [0, 1]: if it ends in a sigmoid, '
            'SigmoidBinaryCrossEntropyLoss applies a second one and training stalls; '
            'return logits, or pass from_sigmoid=True to the loss.', stacklevel=3)


def _weights(net):
    return {name: p.data(p.list_ctx()[0]).copy()
            for name, p in net.collect_params().items()}


def _restore(net, weights):
    for name, p in net.collect_params().items():
        p.set_data(weights[name])


def train_ch13(net, train_iter, test_iter, loss, trainer, num_epochs, devices=None,
               split_f=None, *, valid_iter=None, patience=None, monitor='log_loss', seed=None,
               verbose=True):
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
        Seeds dropout, and any loader that has no seed of its own.
    verbose : bool
        Show the progress bar and print the summary.

    Returns
    -------
    History with, for each epoch, `train_loss` (mean a row, in nats for a log loss, taken while
    the weights move), `train_acc`, and `test_loss`, `test_acc`, `test_auc`, likewise `valid_…`.

    Raises
    ------
    ValueError
        For a net without weights or on other devices, outputs that do not fit the labels, a loss
        that is not a number, or `patience` without `valid_iter`.
    """
    devices = _devices_of(net, devices)
    trainers = list(trainer) if isinstance(trainer, (list, tuple)) else [trainer]
    if monitor not in ('log_loss', 'auc'):
        raise ValueError(f"monitor is {monitor!r}: choose 'log_loss' or 'auc'.")
    if patience is not None and valid_iter is None:
        raise ValueError('patience needs a validation set to watch: pass valid_iter=.')
    if seed is not None:
        set_seed(seed)
    split_f = split_f or (lambda X, y, devices: (_shards(X, devices), _shards(y, devices)))
    from_sigmoid = getattr(loss, '_from_sigmoid', False)
    history, best, best_score, warned = History(devices), None, onp.inf, from_sigmoid

    with tqdm(total=num_epochs * len(train_iter), unit='batch', leave=False,
              disable=not verbose) as bar:
        for epoch in range(1, num_epochs + 1):
            row = {'epoch': epoch,
                   **_train_epoch(net, train_iter, loss, trainers, devices, split_f,
                                   .5 if from_sigmoid else 0., bar)}
            start = time.time()
            for prefix, data_iter in (('valid', valid_iter), ('test', test_iter)):
                if data_iter is not None:
                    measures, outs = _measure(net, data_iter, devices, from_sigmoid, prefix)
                    row.update(measures)
                    if not warned:
                        _warn_of_double_sigmoid(net, outs)
                        warned = True
            row['eval_seconds'] = time.time() - start
            history.rows.append(row)
            bar.set_postfix({k: f'{v:.3f}' for k, v in row.items() if k.endswith(('loss', 'auc'))})
            if valid_iter is None:
                continue
            score = row['valid_loss'] if monitor == 'log_loss' else -row['valid_auc']
            if score < best_score:
                best_score, history.best_epoch, best = score, epoch, _weights(net)
            elif patience is not None and epoch - history.best_epoch >= patience:
                break
    if best is not None:
        _restore(net, best)
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
        for t in trainers:
            t.step(len(y))
        for out, y_shard, l in zip(outs, ys, losses):
            total += l.size
            throttle.add(loss_sum.add(l))
            correct.add(_num_correct(out, y_shard, threshold))
        rows += len(y)
        bar.update()
    if not rows:
        raise ValueError('the training data gave no batch: check its length, batch_size and '
                         "last_batch ('discard' drops a batch that is not full).")
    mean_loss = loss_sum.read() / total
    if not onp.isfinite(mean_loss):
        raise ValueError(f'the training loss became {mean_loss}: lower the learning rate, '
                         'or look for inputs that are not numbers.')
    return {'train_loss': mean_loss, 'train_acc': correct.read() / rows, 'train_rows': rows,
            'seconds': time.time() - start}


def _print_summary(history):
    row = history.last
    parts = [f"loss {row['train_loss']:.3f}", f"train acc {row['train_acc']:.3f}"]
    if 'test_acc' in row:
        parts.append(f"test acc {row['test_acc']:.3f}")
    print(', '.join(parts))
    parts = [f"{name} log loss {row[name + '_loss']:.3f}, AUC {row[name + '_auc']:.3f}"
             for name in ('valid', 'test') if name + '_loss' in row]
    if history.best_epoch:
        parts.append(f'weights of epoch {history.best_epoch}, the best of {len(history)}')
    if parts:
        print('; '.join(parts))
    print(f'{history.rows_per_second:.1f} examples/sec on {history.devices}')


def _rating_rmse(net, test_iter, devices, inter_mat=None):
    """RMSE over all test ratings: squared error and count summed up, one root.

    With `inter_mat` (N, D) the net rebuilds the rows that `test_iter` yields, and only the
    entries of `inter_mat` that are not 0 count.
    """
    squared, count, first = 0., 0, 0
    for values in test_iter:
        values = values if isinstance(values, (list, tuple)) else [values]
        feats = values if inter_mat is not None else values[:-1]
        shards = zip(*[_shards(v, devices) for v in feats])
        out = onp.concatenate([net(*s).asnumpy() for s in shards])
        if inter_mat is not None:
            target = onp.asarray(inter_mat[first:first + len(out)].asnumpy()
                                 if hasattr(inter_mat, 'asnumpy')
                                 else inter_mat[first:first + len(out)])
            observed = target != 0
            first += len(out)
        else:
            target = onp.asarray(values[-1].asnumpy()).reshape(out.shape)
            observed = onp.ones(out.shape, bool)
        squared += onp.square(out - target)[observed].sum(dtype='float64')
        count += observed.sum()
    if not count:
        raise ValueError('there is no test rating to measure: check the split and inter_mat.')
    return float(onp.sqrt(squared / count))


def train_recsys_rating(net, train_iter, test_iter, loss, trainer, num_epochs, devices=None,
                        evaluator=None, inter_mat=None, *, seed=None, verbose=True):
    """Train a model of ratings; print train loss, test RMSE and speed; return a `History`.

    The arguments up to `inter_mat` are those of the function of this name in Dive into Deep
    Learning.

    Parameters
    ----------
    net : a Block
        Either maps (users, items) to ratings (B,), or rebuilds rows (B, D) of a rating matrix.
    train_iter : a loader
        Of (users, items, ratings); or of rows (B, D) of a matrix, where an entry of 0 is
        unobserved and counts neither in the loss nor in the number of examples.
    test_iter : a loader, given to `evaluator`
    loss : a Gluon loss
    evaluator : callable, optional
        `evaluator(net, test_iter, devices)`, or `evaluator(net, test_iter, inter_mat, devices)`
        where `inter_mat` is given, returns the test RMSE. By default squared errors and their
        count are summed over all batches and devices, with one root.
    inter_mat : array (N, D), optional
        The held-out ratings of the rows of `test_iter`.
    seed, verbose : as in `train_ch13`

    Returns
    -------
    History with `train_loss` (mean over ratings) and `test_rmse` for each epoch.
    """
    devices = _devices_of(net, devices)
    trainers = list(trainer) if isinstance(trainer, (list, tuple)) else [trainer]
    if seed is not None:
        set_seed(seed)
    if evaluator is None:
        def evaluator(net, test_iter, *args):
            return _rating_rmse(net, test_iter, args[-1], *args[:-1])
    args = (devices,) if inter_mat is None else (inter_mat, devices)
    history = History(devices)
    with tqdm(total=num_epochs * len(train_iter), unit='batch', leave=False,
              disable=not verbose) as bar:
        for epoch in range(1, num_epochs + 1):
            start, loss_sum, throttle, ratings = time.time(), _Sum(), _Throttle(), 0
            for values in train_iter:
                values = list(values) if isinstance(values, (list, tuple)) else [values]
                ls, count = _rating_batch(net, loss, values, devices)
                if not count:       # rows without a rating teach nothing
                    bar.update()
                    continue
                # The loss is the mean over ratings, so the step divides by their number.
                for t in trainers:
                    t.step(count)
                for l in ls:
                    throttle.add(loss_sum.add(l))
                ratings += count
                bar.update()
            if not ratings:
                raise ValueError('the training data holds no rating: check the split.')
            row = {'epoch': epoch, 'train_loss': loss_sum.read() / ratings,
                   'train_rows': ratings, 'seconds': time.time() - start}
            row['test_rmse'] = float(evaluator(net, test_iter, *args))
            history.rows.append(row)
            bar.set_postfix(loss=f"{row['train_loss']:.3f}", rmse=f"{row['test_rmse']:.3f}")
    if verbose and history.rows:
        print(f"train loss {row['train_loss']:.3f}, test RMSE {row['test_rmse']:.3f}")
        print(f'{history.rows_per_second:.1f} examples/sec on {devices}')
    return history


def _rating_batch(net, loss, values, devices):
    """Losses of one batch, summed over its ratings (a shard each), and the number of ratings."""
    shards = list(zip(*[_shards(v, devices) for v in values]))
    if len(values) > 1:
        count, ls = int(values[-1].size), []
        with autograd.record():
            for *feats, y in shards:
                out = net(*feats)
                ls.append(loss(out, _column_like(y, out)))
    else:
        observed = [(x != 0).astype('float32') for (x,) in shards]
        count, ls = int(sum(float(m.sum()) for m in observed)), []
        if not count:
            return [], 0
        with autograd.record():
            for (x,), mask in zip(shards, observed):
                # A Gluon loss averages over the D columns: undo that, keep the sum.
                ls.append(loss(net(x), x, mask) * x.shape[1])
    autograd.backward(ls)
    return ls, count
