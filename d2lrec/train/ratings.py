"""The trainer of rating models, with the name and signature that the original chapters gave it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from .. import metrics
from ..arguments import check_call, is_number
from ..checks import LOOKED_AT
from ..origin import check_parts, remember
from .clicks import column_like
from .devices import devices_of, shards
from .history import History
from .loop import Task, checked_numbers, checked_passes, checked_trainers, kept_words, run_epochs
from .losses import in_one_pass
from .sources import source

__all__ = ['evaluator', 'train_recsys_rating']


def evaluator(
    network: gluon.Block,
    inter_matrix: Iterable,
    test_data: Any,
    devices: Optional[Sequence[mx.Context]] = None,
    mask: Any = None,
) -> float:
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

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.AutoRec(2, 3)
    >>> net.initialize(mx.init.Zero())
    >>> rows = np.array([[5.0, 0.0, 3.0]])
    >>> evaluator(net, d2l.BatchLoader(rows, batch_size=1), np.array([[0.0, 4.0, 0.0]]))
    4.0
    """
    if getattr(inter_matrix, 'shuffle', False):
        raise ValueError(
            'the loader shuffles, so that no row would meet its ratings: give one that does not.'
        )
    devices, first, squared, count = devices_of(network, devices), 0, 0.0, 0
    for values in inter_matrix:
        parts = zip(*[shards(v, devices) for v in _list(values)])
        for out in [network(shown(*s)[0]) for s in parts]:
            rows = slice(first, first + len(out))
            if rows.stop > len(test_data):
                raise ValueError(
                    f'the loader gives more rows than the {len(test_data)} of the held-out '
                    'ratings: both must be of the same rows, in order.'
                )
            s, n = metrics.squared_error(test_data[rows], out, None if mask is None else mask[rows])
            squared, count, first = squared + s, count + n, rows.stop
    if first != len(test_data):
        raise ValueError(
            f'the loader gives {first} rows for the {len(test_data)} of the held-out ratings: '
            'both must be of the same rows, in order.'
        )
    if not count:
        raise ValueError('there is no test rating to measure: check the split and inter_mat.')
    return float(np.sqrt(squared / count))


_rows_rmse = evaluator  # `train_recsys_rating` has an argument of this name


def train_recsys_rating(
    net: gluon.Block,
    train_iter: Iterable,
    test_iter: Optional[Iterable],
    loss: Callable,
    trainer: Union[gluon.Trainer, Sequence[gluon.Trainer]],
    num_epochs: int,
    devices: Optional[Sequence[mx.Context]] = None,
    evaluator: Optional[Callable] = None,
    inter_mat: Any = None,
    *,
    seed: Optional[int] = None,
    verbose: bool = True,
    inter_mask: Any = None,
    valid_iter: Optional[Iterable] = None,
    valid_mat: Any = None,
    valid_mask: Any = None,
    patience: Optional[int] = None,
    checkpoint: Any = None,
    lr_factor: Optional[float] = None,
    clip: Optional[float] = None,
) -> History:
    """Train a model of ratings; print train loss, test RMSE and speed; return a `History`.

    The arguments up to `inter_mat` are those of the function of this name in Dive into Deep
    Learning. A net either maps (users, items) to ratings, or rebuilds rows of a rating matrix;
    it is the second kind where it says so (`net.inputs` has rows), where a batch is a single
    array or two matrices of one shape, or where a matrix of held-out ratings is given.

    Parameters
    ----------
    net : a Block
        Either maps (users, items) to ratings (B,), or rows (B, D) to rows (B, D).
    train_iter : a loader
        Of (users, items, ratings); or of (rows, mask), both (B, D), where the mask is not 0 at
        observed ratings; or of rows alone, where an entry of 0 is unobserved. What is unobserved
        is never shown to the net, and counts neither in the loss nor in the number of examples.
        Of (rows, mask, target), where the net is shown `rows` and has to rebuild `target`.
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
    patience, seed, verbose, checkpoint, lr_factor, clip : as in `train_ch13`

    Returns
    -------
    History with `train_loss` (mean over ratings) and `test_rmse` for each epoch, and
    `valid_rmse` where there is a validation set.

    Raises
    ------
    ValueError
        As `train_ch13`; also for users and items out of range, and a test set of rows without
        `inter_mat`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.MF(2, num_users=3, num_items=2, mean=3.0)
    >>> net.initialize()
    >>> loader = d2l.BatchLoader([0, 1, 2], [0, 1, 1], [4.0, 3.0, 2.5], batch_size=3)
    >>> trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    >>> train_recsys_rating(net, loader, None, gluon.loss.L2Loss(), trainer, 2, verbose=False)
    History(2 epochs)
    """
    devices = devices_of(net, devices)
    trainers = checked_trainers(net, trainer)
    num_epochs, seed = checked_numbers(num_epochs, seed, patience, lr_factor, valid_iter, clip)
    held_out = {
        'valid': (valid_iter, valid_mat, valid_mask),
        'test': (test_iter, inter_mat, inter_mask),
    }
    check_call(loss, 'loss', 'a Gluon loss, such as L2Loss()')
    if evaluator is not None:
        check_call(evaluator, 'evaluator', 'a function that returns the RMSE')
    checked_passes(num_epochs, train_iter=train_iter, test_iter=test_iter, valid_iter=valid_iter)
    check_parts(net, train_iter, test_iter=test_iter, valid_iter=valid_iter)
    task = _Ratings(net, train_iter, held_out, loss, devices, evaluator)
    remember(net, train_iter)
    return run_epochs(
        net, task, trainers, num_epochs, devices, seed=seed, patience=patience,
        lr_factor=lr_factor, clip=clip, checkpoint=checkpoint, verbose=verbose,
    )  # fmt: skip


class _Ratings(Task):
    """Ratings of pairs, or rows of a rating matrix to rebuild."""

    no_rows = 'the training data holds no rating: check the split.'

    def __init__(self, net, train_iter, held_out, loss, devices, evaluator):
        self.net, self.loss, self.devices, self.evaluator = net, loss, devices, evaluator
        self.loss_of = in_one_pass(net, loss)
        self.loader = train_iter
        given = any(mat is not None for _, mat, _ in held_out.values())
        self.rebuilds = given or 'rows' in (getattr(net, 'inputs', None) or ())
        self.batches = source(train_iter, net, 'train_iter', rows=self.rebuilds)
        self.held_out = {}
        for name, (it, mat, mask) in held_out.items():
            if it is None:
                continue
            if self.rebuilds and mat is None and evaluator is None:
                word = 'inter_mat' if name == 'test' else 'valid_mat'
                raise ValueError(
                    f'{type(net).__name__} rebuilds rows, and {name}_iter gives what it is '
                    f'shown: pass the held-out ratings too, {word}=.'
                )
            batches = source(it, net, f'{name}_iter', rows=self.rebuilds)
            if self.rebuilds and evaluator is None:
                _check_matrix(it, mat, mask, name)
            elif evaluator is None and hasattr(it, 'batches') and batches.labels is None:
                raise ValueError(
                    f'{name}_iter has no ratings: give a loader of (users, items, ratings).'
                )
            self.held_out[name] = (it, batches, mat, mask)

    def facts(self):
        return {'loss': type(self.loss).__name__}

    def backward(self, batch):
        values = _list(batch)
        rebuilds = self.rebuilds or len(values) == 1 or _two_matrices(values)
        parts = list(zip(*[shards(v, self.devices) for v in values]))
        if rebuilds:
            parts = [shown(*s) for s in parts]
            count = sum(int(np.count_nonzero(mask.asnumpy())) for _, mask, _ in parts)
            of = self._row_loss
        else:
            count, of = int(values[-1].size), self._pair_loss
        if not count:  # rows without a rating teach nothing
            return [], 0, 0
        with autograd.record():
            losses = [of(*s) for s in parts]
            # An idle replica needs a gradient of zero, as in `forward_backward`.
            nothing = [
                of(*(v[:1].as_in_ctx(d) for v in parts[0])) * 0 for d in self.devices[len(parts) :]
            ]
        autograd.backward(losses + nothing)
        # The loss is the mean over ratings, so the step divides by their number.
        return losses, count, count

    def _row_loss(self, rows, mask, target):
        # a Gluon loss averages over the D columns: undo that
        out = getattr(self.net, 'for_known', lambda rows, _: self.net(rows))(rows, mask)
        return self.loss_of(out, target, mask) * rows.shape[1]

    def _pair_loss(self, *batch):
        out = self.net(*batch[:-1])
        return self.loss(out, column_like(batch[-1], out))

    def measures(self):
        row = {}
        for name, (it, batches, mat, mask) in self.held_out.items():
            if self.evaluator is None and mat is None:
                row[f'{name}_rmse'], _ = pairs_rmse(self.net, batches(), self.devices)
            else:
                rest = [a for a in (mat, self.devices, mask) if a is not None]
                rmse = (self.evaluator or _rows_rmse)(self.net, it, *rest)
                if not is_number(rmse) or (name == 'valid' and not np.isfinite(rmse)):
                    raise ValueError(f'evaluator returned {rmse!r}: it has to return a number.')
                row[f'{name}_rmse'] = float(rmse)
        return row

    def score(self, row):
        return row.get('valid_rmse')

    def summary(self, history):
        row = history.kept
        parts = [f'train loss {row["train_loss"]:.3f}']
        parts += [
            f'{name} RMSE {row[name + "_rmse"]:.3f}'
            for name in ('test', 'valid')
            if name + '_rmse' in row
        ]
        return [', '.join(parts + kept_words(history))]


def pairs_rmse(net, batches, devices) -> tuple[float, int]:
    """RMSE of a net that maps (users, items) to ratings, and their number."""
    squared, count = 0.0, 0
    for *inputs, ratings in batches:
        with LOOKED_AT:
            outs = [net(*s) for s in zip(*[shards(v, devices) for v in inputs])]
        out = np.concatenate([o.asnumpy().reshape(-1) for o in outs])
        s, n = metrics.squared_error(ratings.reshape(-1), out, np.ones(len(out), bool))
        squared, count = squared + s, count + n
    if not count:
        raise ValueError('there is no test rating to measure: check the split and test_iter.')
    return float(np.sqrt(squared / count)), count


def shown(rows, mask=None, target=None):
    """Rows with 0 for what is not observed, the mask (B, D) of what is, and what to rebuild.

    Without a mask a rating of 0 is one that is missing; without a target it is the rows.
    """
    if mask is None:
        return rows, (rows != 0).astype('float32'), rows
    for name, other in (('mask', mask), ('target', target)):
        if other is not None and other.shape != rows.shape:
            raise ValueError(
                f'the {name} has shape {other.shape} and the rows {rows.shape}: '
                'give one mark for each rating.'
            )
    rows = mx.np.where(mask != 0, rows, mx.np.zeros_like(rows))
    return rows, (mask != 0).astype('float32'), rows if target is None else target


def _check_matrix(loader, mat, mask, name):
    """Hold held-out ratings against the rows that a loader shows, before anything is learned."""
    word = 'inter' if name == 'test' else 'valid'
    if getattr(loader, 'shuffle', False):
        raise ValueError(
            f'{name}_iter shuffles, so that no row would meet its ratings in {word}_mat: give a '
            'loader that does not.'
        )
    mat = mat.asnumpy() if hasattr(mat, 'asnumpy') else np.asarray(mat)
    if mat.ndim != 2 or mat.dtype.kind not in 'biuf':
        raise ValueError(
            f'{word}_mat has shape {mat.shape} and type {mat.dtype}: give the matrix of the '
            'held-out ratings.'
        )
    if mask is not None:
        mask = mask.asnumpy() if hasattr(mask, 'asnumpy') else np.asarray(mask)
        if mask.shape != mat.shape:
            raise ValueError(
                f'{word}_mask has shape {mask.shape} and {word}_mat {mat.shape}: give one mark '
                'for each rating.'
            )
    held = mat[mat != 0 if mask is None else mask != 0]
    if not held.size:
        raise ValueError(f'there is no {name} rating to measure: check the split and {word}_mat.')
    if not np.isfinite(held).all():
        raise ValueError(f'{word}_mat holds {held[~np.isfinite(held)][0]}: mark it in {word}_mask.')
    if not hasattr(loader, 'batches'):
        return
    shape = loader.first_shape
    if len(mat) < shape[0]:
        raise ValueError(
            f'the loader gives more rows than the {len(mat)} of the held-out ratings: both must '
            'be of the same rows, in order.'
        )
    if len(mat) > shape[0]:
        raise ValueError(
            f'the loader gives {shape[0]} rows for the {len(mat)} of the held-out ratings: both '
            'must be of the same rows, in order.'
        )
    if mat.shape[1:] != shape[1:]:
        raise ValueError(
            f'{word}_mat has rows of {mat.shape[1]} ratings and {name}_iter shows rows of '
            f'{shape[1]}: give both for the same users and items.'
        )


def _list(values):
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _two_matrices(values):
    """(rows, mask): two matrices of one shape, and not a pair of inputs with its ratings."""
    return len(values) == 2 and values[0].ndim == 2 and values[0].shape == values[1].shape
