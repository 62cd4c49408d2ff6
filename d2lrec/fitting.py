"""The three verbs: fit a net to data, evaluate it, predict with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet import init as initializers

from . import metrics
from .arguments import check_call, check_flag, check_net, check_options, is_number, shown
from .data.batches import BatchLoader
from .data.columns import Examples, examples_of
from .data.negatives import Interactions, NegativeLoader
from .origin import check_origin, check_parts, remember
from .touched import touch_rows
from .train.clicks import call, ends_in_sigmoid, features_and_label, outputs, train_ch13
from .train.devices import (
    as_devices,
    devices_of,
    first_parameter,
    first_row,
    set_seed,
    try_all_gpus,
)
from .train.distributed import serve
from .train.history import History
from .train.loop import checked_numbers
from .train.optim import OPTIMIZERS
from .train.ranking import rank_report, train_ranking
from .train.ratings import evaluator, pairs_rmse, train_recsys_rating
from .train.requests import few_rows
from .train.sources import inputs_of, source
from .weights import not_finite

__all__ = ['evaluate', 'fit', 'predict']

DRAWN = 'negatives', 'power'  # of Interactions, for their NegativeLoader
MADE = '_iter', '_mat', '_mask', 'valid', 'test'  # how names end that fit gives a trainer itself
LARGE_BATCH = 4096  # rows at a time where nothing is learned
SMALL, NUMBERS_A_ROW = 2**18, 256  # numbers of a weight that are soon looked at


def fit(
    net: gluon.Block,
    train: Any,
    valid: Any = None,
    test: Any = None,
    *,
    lr: float = 0.01,
    final_lr: Optional[float] = None,
    wd: float = 0.0,
    optimizer: Union[str, mx.optimizer.Optimizer] = 'adam',
    trainer: Any = None,
    loss: Optional[Callable] = None,
    init: Optional[initializers.Initializer] = None,
    batch_size: int = 1024,
    num_epochs: int = 10,
    seed: int = 0,
    devices: Optional[Sequence[mx.Context]] = None,
    verbose: bool = False,
    kvstore: Optional[str] = None,
    rows: Optional[bool] = None,
    **options: Any,
) -> History:
    """Train a net on a data set, keep the epoch that validation finds best, measure on the test.

    A net that has no weights yet is initialized; one that has goes on from them. Rating models
    are trained by `train_recsys_rating` on the mean squared error, all others by `train_ch13` on
    the log loss; any net on `Interactions` by `train_ranking`, with negatives drawn anew for each
    epoch, on the log loss or on `loss=BPRLoss()`.

    Parameters
    ----------
    net : a model; it says what it reads, `net.inputs`
    train, valid, test : data sets, or tuples of arrays with the labels last
        `valid` and `test` may be left out. Where a data set has sample weights, its loss and
        measures are weighted.
    lr, wd : float
        Learning rate and weight decay, where the optimizer is given by name.
    final_lr : float, optional
        Where the learning rate ends, to which it falls from `lr` along half a cosine over all
        the steps; by default it stays as it is.
    optimizer : str or an optimizer
        One of Gluon's, such as 'adam', 'adagrad' or 'sgd'; or one made already, `FTRL(...)` say.
    trainer : a gluon.Trainer, a list of them, or a function of the net that returns these
        In place of `lr`, `wd` and `optimizer`; `wide_deep_trainers` is such a function.
    loss : a Gluon loss, optional
    init : an initializer, optional
        By default Gluon's own.
    batch_size, num_epochs, seed : int
    devices : list of mxnet.Context, optional
        Where a net without weights is initialized: by default the CPU, or all GPUs.
    verbose : bool
        Show a progress bar and print the summary.
    kvstore : 'dist_sync' or 'dist_async', optional
        Train over MXNet's parameter server, in a script that `python -m d2lrec.launch` started on
        every worker: each takes its share of a batch, or batches of its own part of an
        `EncodedFolder`. With 'dist_sync' the servers add up the gradients of all workers, so that
        the result is that of one process; with 'dist_async' nobody waits. The optimizer runs on
        the servers: after a restart from `checkpoint`, a path that all workers see, its moments
        begin anew. Where a table has 10,000 rows or more only the touched rows of tables travel,
        a worker holds no others until an epoch ends, and Adam and weight decay move only these.
        The history's training measures are of the worker's own share, and `history.traffic` says
        what travelled.
    rows : bool, optional
        Whether a step touches only the rows of the tables that its batch looks up, which makes
        Adam lazy: see `touch_rows`. By default where the tables hold two million numbers or more.
    **options : patience, monitor, lr_factor, clip, checkpoint, as in `train_ch13`
        Of `Interactions` also negatives (how many a pair) and power, as in `NegativeLoader`, and
        k, as in `train_ranking`.

    Returns
    -------
    History; `history.kept` are the measures of the epoch whose weights the net holds.

    Raises
    ------
    ValueError
        As `train_ch13`, before the first step.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> clicks = d2l.planted(2000, [20, 10], pairwise=2.0, seed=0)
    >>> net = d2l.FM(clicks.field_dims, num_factors=4)
    >>> history = fit(net, clicks[:1600], clicks[1600:], num_epochs=3)
    >>> len(history), round(evaluate(net, clicks[1600:])['auc'], 2) > 0.5
    (3, True)
    """
    check_settings(net, lr, wd, final_lr, init, loss)
    _, seed = checked_numbers(num_epochs, seed)
    rates, implicit = getattr(net, 'output', None) == 'rating', isinstance(train, Interactions)
    go = train_ranking if implicit else train_recsys_rating if rates else train_ch13
    more = (*DRAWN, *options_of(go)) if implicit else options_of(go)
    check_options(options, (*more, *fit.__kwdefaults__), 'fit')
    if kvstore is not None:
        if rows:
            raise ValueError('rows is for one process: with kvstore the servers take rows alone.')
        if implicit:
            raise ValueError('kvstore is for data with labels: Interactions train on one machine.')
        rows = False
    if rows is not None:
        touch_rows(net, check_flag(rows, 'rows'))
    set_seed(seed)
    if not has_weights(net):
        here = try_all_gpus() if devices is None else as_devices(devices)
        net.initialize(init or initializers.Uniform(), ctx=here)
    net.hybridize(static_alloc=True, static_shape=True)
    if implicit:
        loss = loss or gluon.loss.SigmoidBinaryCrossEntropyLoss()
        drawn = {name: options.pop(name) for name in DRAWN if name in options}
        pairwise = getattr(loss, 'pairwise', False)
        train_iter = NegativeLoader(train, batch_size, pairwise=pairwise, seed=seed, **drawn)
    else:
        train_data, held_out = split_parts(net, train, valid, test)
        if rates and data_weight(train_data) is not None:
            raise ValueError(
                f'the training data has sample weights, and {type(net).__name__} is a model of '
                'ratings, which are trained without: give with_sample_weight(None) of it.'
            )
        train_iter = BatchLoader(train_data, batch_size=batch_size, shuffle=True, seed=seed)
    if final_lr is not None:
        check_fall(lr, final_lr, optimizer, trainer, options)
    if trainer is None:
        steps = num_epochs * len(train_iter)
        trainer = trainer_of(net, optimizer, lr, wd, final_lr, steps)
    elif not isinstance(trainer, (gluon.Trainer, list, tuple)):
        trainer = trainer(net) if callable(trainer) else trainer
    if implicit:
        options.update(valid=valid, test=test, seed=seed, verbose=verbose)
        return go(net, train_iter, loss, trainer, num_epochs, devices, **options)
    if loss is None:
        loss = gluon.loss.L2Loss() if rates else gluon.loss.SigmoidBinaryCrossEntropyLoss()
    test_iter = held_out.pop('test_iter', None)
    if kvstore is not None:
        train_iter, trainer = serve(kvstore, net, train_iter, trainer, options)
        verbose = verbose and trainer.rank == 0
    options.update(held_out, seed=seed, verbose=verbose)
    remember(net, train)
    try:
        history = go(net, train_iter, test_iter, loss, trainer, num_epochs, devices, **options)
    finally:
        if kvstore is not None:
            trainer.end()
    if kvstore is not None:
        history.traffic = trainer.traffic
    return history


def options_of(trains: Callable) -> list[str]:
    """The arguments that `fit` hands on to a trainer as they are.

    Examples
    --------
    >>> options_of(train_recsys_rating)
    ['patience', 'checkpoint', 'lr_factor', 'clip']
    """
    return [
        p.name
        for p in inspect.signature(trains).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name not in fit.__kwdefaults__
        if not p.name.endswith(MADE)
    ]


def check_settings(net, lr, wd, final_lr, init, loss) -> None:
    """Refuse what would stop the first step, or lead it astray."""
    check_net(net)
    for name, value in (('lr', lr), ('wd', wd)):
        if not is_number(value) or not 0 <= value < np.inf:
            raise ValueError(f'{name} is {shown(value)}: give a number, 0 or more.')
    if final_lr is not None and not is_number(final_lr):
        raise ValueError(f'final_lr is {shown(final_lr)}: give a number from 0 to lr.')
    if init is not None and not isinstance(init, initializers.Initializer):
        raise ValueError(f'init is {shown(init)}: give an initializer, such as init.Normal(0.01).')
    if loss is not None:
        check_call(loss, 'loss', 'a Gluon loss, such as SigmoidBinaryCrossEntropyLoss()')


def check_fall(lr, final_lr, optimizer, trainer, options) -> None:
    """Refuse a falling learning rate that cannot be, or that something else governs."""
    if trainer is not None or isinstance(optimizer, mx.optimizer.Optimizer):
        raise ValueError(
            'final_lr is for an optimizer given by name: give yours an '
            'mx.lr_scheduler.CosineScheduler(steps, lr, final_lr).'
        )
    if options.get('lr_factor') is not None:
        raise ValueError('final_lr and lr_factor both lower the learning rate: give one of them.')
    if not 0 <= final_lr <= lr:
        raise ValueError(
            f'final_lr is {shown(final_lr)}: give a number from 0 to lr, which is {shown(lr)}.'
        )


def trainer_of(net, optimizer, lr, wd, final_lr=None, steps=0) -> gluon.Trainer:
    """A trainer of all weights, by an optimizer of Gluon's or one that is made already."""
    settings = {'learning_rate': lr, 'wd': wd}
    if final_lr is not None:
        settings['lr_scheduler'] = mx.lr_scheduler.CosineScheduler(max(steps, 1), lr, final_lr)
    if optimizer in OPTIMIZERS:
        optimizer = OPTIMIZERS[optimizer](**settings)
    if isinstance(optimizer, mx.optimizer.Optimizer):  # which has its own rate and decay
        return gluon.Trainer(net.collect_params(), optimizer)
    try:
        return gluon.Trainer(net.collect_params(), optimizer, settings)
    except (ValueError, TypeError, AttributeError):
        raise ValueError(
            f"optimizer is {shown(optimizer)}: give the name of one of Gluon's, such as 'adam', "
            "'adagrad' or 'sgd', or an optimizer."
        ) from None


def split_parts(net, train, valid=None, test=None) -> tuple[Examples, dict]:
    """The training examples as the net reads them, and loaders of what is held out.

    For a net that rebuilds rows, these give what the net is shown, the training rows in order,
    and the held-out ratings are passed beside them, with their mask.
    """
    check_parts(net, train, 'the training data', valid=valid, test=test)
    if 'rows' not in (getattr(net, 'inputs', None) or ()):
        reads = inputs_of(net)
        parts = {
            f'{name}_iter': BatchLoader(part, inputs=reads, batch_size=LARGE_BATCH)
            for name, part in (('valid', valid), ('test', test))
            if part is not None
        }
        return examples_of(train, reads), parts
    train, valid, test = (None if p is None else rating_rows(net, p) for p in (train, valid, test))
    parts = {}
    for name, part, word in (('valid', valid, 'valid'), ('test', test, 'inter')):
        if part is not None:
            parts[f'{name}_iter'] = BatchLoader(train, batch_size=LARGE_BATCH)
            parts[f'{word}_mat'] = wanted(part)
            parts[f'{word}_mask'] = part.columns['mask']
    return train, parts


def rating_rows(net, data) -> Examples:
    """Ratings as rows of the length that the net rebuilds; rows stay as they are."""
    if not hasattr(data, 'rows'):
        has_target = 'target' in (getattr(data, 'columns', None) or ())
        names = ['rows', 'mask'] + ['target'] * has_target
        return examples_of(data, dict.fromkeys(names))
    by = [
        way
        for way, length in (('item', data.num_users), ('user', data.num_items))
        if length == net.inputs['rows']
    ]
    if len(by) != 1:
        raise ValueError(
            f'{type(net).__name__} rebuilds rows of {net.inputs["rows"]} ratings, and the data has '
            f'{data.num_users} users and {data.num_items} items: pass ratings.rows(by="item") or '
            'ratings.rows(by="user") of fitting length.'
        )
    return data.rows(by=by[0])


def wanted(rows: Examples) -> np.ndarray:
    """What a net has to rebuild: the target where there is one, else the rows."""
    return rows.columns.get('target', rows.columns['rows'])


def predict(
    net: gluon.Block, data: Any, devices: Optional[Sequence[mx.Context]] = None
) -> np.ndarray:
    """What the net says of each row, in order, in float64.

    Of a net that returns logits the probability of a click, (N,); of one that returns ratings
    these, (N,), or the rebuilt rows, (N, D).

    Parameters
    ----------
    net : a model, or any Block that returns logits (B, 1)
    data : a data set, a matrix of ids (N, F), a tuple of matrices, or a loader
        A tuple is for a net of several inputs, such as (ids, dense); a loader must not shuffle.
    devices : where to compute; by default where the net's weights are

    Raises
    ------
    ValueError
        If the net has no weights, the data is empty or does not fit the net (an id out of its
        field's range, a number that is not finite, a vocabulary other than the one that it was
        trained by), or an output is not a number.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> net.initialize()
    >>> predict(net, [[0, 3], [2, 4]]).tolist()
    [0.5, 0.5]
    """
    if getattr(data, 'shuffle', False):
        raise ValueError(
            'the loader shuffles, so no output could be told from another: pass one '
            'that does not, or the data.'
        )
    check_origin(net, data)
    here = devices_of(net, devices)
    outs = few_rows(net, data, here)
    if outs is None:
        outs, *_ = outputs(net, _batches(net, data, labelled=False), here)
        look_at_weights(net, len(outs))
    if not np.isfinite(outs).all():
        row = int(np.argwhere(~np.isfinite(outs))[0, 0])
        raise ValueError(
            f'the output for row {row} is {outs[row].tolist()[0]}: the net has weights that are '
            'not finite; train it anew, at a lower learning rate.'
        )
    if getattr(net, 'output', 'logit') == 'rating':
        return (outs[:, 0] if 'rows' not in net.inputs else outs).astype('float64')
    if outs.shape[1] != 1:
        raise ValueError(
            f'the net gives {outs.shape[1]} outputs a row: predict needs one logit a row, '
            'shape (B, 1).'
        )
    return (
        outs[:, 0].astype('float64')
        if gives_probabilities(net, data)
        else (metrics.sigmoid(outs[:, 0]))
    )


def look_at_weights(net, rows) -> None:
    """Refuse weights that are not finite: a relu of MXNet's makes 0 of what is no number.

    A table with more numbers than a prediction of so many rows may look up is not looked at, and
    no weight of a net without activations, of which such outputs are no numbers either.
    """
    if not has_activations(net):
        return
    name = not_finite(net, max(SMALL, NUMBERS_A_ROW * rows))
    if name is not None:
        raise ValueError(
            f'{name} of the net is not finite, so that no output can be trusted: train it anew, at '
            'a lower learning rate.'
        )


def has_activations(block) -> bool:
    """Whether a block has hidden layers with an activation of Gluon's."""
    return isinstance(block, gluon.nn.Activation) or any(
        map(has_activations, block._children.values())
    )


def gives_probabilities(net, data) -> bool:
    """Whether a net that does not say what it returns ends in a sigmoid: its graph says so."""
    if hasattr(net, 'output'):
        return False
    batch = next(iter(_batches(net, data, labelled=False)))
    X = features_and_label(batch)[0] if isinstance(batch, (tuple, list)) else batch
    with autograd.record(train_mode=False):
        out = call(net, first_row(X, devices_of(net)[0]))
    return ends_in_sigmoid(net, out)


def evaluate(
    net: gluon.Block, data: Any, devices: Optional[Sequence[mx.Context]] = None, shown: Any = None
) -> dict:
    """How good the net is on labelled data.

    Of a net that returns logits `metrics.ctr_report`: AUC, log loss, its baseline, accuracy. Of
    one that returns ratings `{'rmse': ..., 'ratings': how many}`. On `Interactions` the
    `rank_report`: HitRate and NDCG at 10 among all items that are not `shown`.

    Parameters
    ----------
    net, devices : as for `predict`
    data : a data set with labels, a tuple of matrices with the labels last, or a loader
    shown : RatingRows or Ratings, for a net that rebuilds rows; Interactions
        What it is shown of each row, while `data` holds the ratings held out; of interactions
        those that it was trained on.

    Raises
    ------
    ValueError
        As `predict`; for data without labels, or labels that are not 0 or 1 where the net
        returns logits.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> net.initialize()
    >>> report = evaluate(net, ([[0, 3], [2, 4]], [1, 0]))
    >>> report['auc'], report['accuracy']
    (0.5, 0.5)
    """
    check_origin(net, data)
    here = devices_of(net, devices)
    if isinstance(data, Interactions):
        return rank_report(net, data, shown)
    if 'rows' in (getattr(net, 'inputs', None) or ()):
        if shown is None:
            raise ValueError(
                f'{type(net).__name__} rebuilds rows: pass what it is shown of them, '
                'shown=the training part, beside the ratings held out.'
            )
        held_out, rows = rating_rows(net, data), rating_rows(net, shown)
        mask = held_out.columns['mask']
        loader = BatchLoader(rows, batch_size=LARGE_BATCH)
        loader.check(net, rows.columns)
        rmse = evaluator(net, loader, wanted(held_out), here, mask)
        return {'rmse': rmse, 'ratings': int((mask != 0).sum())}
    batches = _batches(net, data, labelled=True)
    look_at_weights(net, LARGE_BATCH)
    if getattr(net, 'output', 'logit') == 'rating':
        rmse, count = pairs_rmse(net, batches, here)
        return {'rmse': rmse, 'ratings': count}
    weighted = data_weight(data) is not None
    outs, labels, *weights = outputs(net, batches, here, weighted)
    probs = outs if gives_probabilities(net, data) else metrics.sigmoid(outs)
    return metrics.ctr_report(labels, probs, sample_weight=weights[0] if weighted else None)


def _batches(net, data, labelled):
    """`data` in batches, looked at; of what has labels without them, unless they are wanted."""
    missing = 'the data has no labels: pass a data set with labels, or the labels as last array.'
    if _is_loader(data):
        if getattr(data, 'last_batch', 'keep') != 'keep':
            raise ValueError(
                f"the loader's last_batch is {data.last_batch!r}, so that rows would be left out: "
                "pass one with 'keep', or the data."
            )
        loader = source(data, net, 'the data')
        if not labelled:
            loader.sample_weight = None
        if labelled and hasattr(data, 'batches') and loader.labels is None:
            raise ValueError(missing)
        return loader()
    reads = inputs_of(net)
    if 'rows' in (reads or ()) and hasattr(data, 'columns'):
        data = rating_rows(net, data)
        rows, mask = data.columns['rows'], data.columns['mask']
        data = data.with_columns(rows=np.where(mask != 0, rows, 0))  # what is not observed
    if reads is None:  # a net that does not say what it reads: all arrays are inputs
        arrays = list(data) if isinstance(data, tuple) else [data]
        loader = BatchLoader(*arrays, batch_size=LARGE_BATCH)
        loader.check(net)
        batches = loader.batches()
        return batches if labelled else ((*batch, None) for batch in batches)
    loader = BatchLoader(data, inputs=reads, batch_size=LARGE_BATCH)
    labels = loader.check(net, reads)
    if labelled and labels is None:
        raise ValueError(missing)
    weighted = labelled and loader.sample_weight is not None
    batches = loader.batches(weighted=weighted)
    return batches if labels is not None else ((*batch, None) for batch in batches)


def data_weight(data) -> Optional[np.ndarray]:
    """The sample weights of a data set or a loader, where it has any."""
    if isinstance(data, dict):
        return data.get('sample_weight')
    return getattr(data, 'sample_weight', None)


def _is_loader(data):
    """Whether it is iterated for batches, and is not itself the data."""
    if isinstance(data, list):  # of batches, or a matrix written as lists
        return bool(data) and (isinstance(data[0], tuple) or hasattr(data[0], 'asnumpy'))
    return hasattr(data, '__iter__') and not (
        isinstance(data, (tuple, dict)) or hasattr(data, 'shape') or hasattr(data, 'columns')
    )


def has_weights(net) -> bool:
    """Whether the net has been initialized; a net without parameters counts as such."""
    check_net(net)
    parameter = first_parameter(net)
    if parameter is None:
        return True
    return parameter._data is not None or bool(parameter._deferred_init)
