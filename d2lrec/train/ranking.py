"""The trainer of models that rank items, on implicit feedback and drawn negatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

from .. import metrics
from ..arguments import check_call
from ..data.negatives import Interactions, NegativeLoader
from .clicks import column_like
from .devices import devices_of, first_row, shards
from .history import History
from .loop import Task, checked_numbers, checked_trainers, kept_words, run_epochs

__all__ = ['BPRLoss', 'rank_report', 'train_ranking']


class BPRLoss(gluon.loss.Loss):
    """Bayesian personalized ranking: -log σ(score of the item - score of the other), (B,).

    The log loss of "of these two it was the first". What all items of a user have in common, such
    as his bias, cancels. Rendle et al., BPR: Bayesian Personalized Ranking from Implicit
    Feedback, UAI 2009, section 4.1; its regularization is the trainer's weight decay.

    Parameters
    ----------
    weight : float, optional
        Multiplies the loss.

    Examples
    --------
    >>> loss = BPRLoss()(mx.np.array([2.0, 0.0]), mx.np.array([2.0, 3.0]))
    >>> [round(value, 4) for value in loss.tolist()]
    [0.6931, 3.0486]
    """

    pairwise = True

    def __init__(self, weight: Optional[float] = None, batch_axis: int = 0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def hybrid_forward(self, F, scores, others):
        """Scores of the items and of the others, both (B,) or (B, 1) -> losses (B,)."""
        ahead = F.npx.reshape(scores - others, (-1,))
        loss = F.npx.activation(-ahead, act_type='softrelu')  # log(1 + exp(-ahead))
        return loss if self._weight is None else loss * self._weight


def rank_report(
    net: Any, held_out: Interactions, seen: Optional[Interactions] = None, k: int = 10
) -> dict[str, float]:
    """HitRate and NDCG at k of a net, for users with a held-out item, among all unseen items.

    Parameters
    ----------
    net : a model of users and items, with a method `scores(users)`
    held_out : Interactions
    seen : Interactions, optional
        What is no candidate, because the net was trained on it.
    k : int
        The length of a user's list.

    Returns
    -------
    dict with `hit_rate`, `ndcg` and `users`, how many had a held-out item.

    Raises
    ------
    ValueError
        Where the net has no `scores`; and as `metrics.hit_rate`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.MF(2, num_users=2, num_items=3, output='logit')
    >>> net.initialize(mx.init.Zero())
    >>> net.item_bias.set_data(mx.np.array([[0.9], [0.5], [0.1]]))
    >>> rank_report(net, Interactions([0, 1], [1, 0], num_items=3), k=1)
    {'hit_rate': 0.5, 'ndcg': 0.5, 'users': 2}
    """
    _check_pairs(net, held_out, 'held_out')
    users, rows = np.unique(held_out.users, return_inverse=True)
    relevant = np.zeros((len(users), held_out.num_items), bool)
    relevant[rows, held_out.items] = True
    known = np.zeros_like(relevant)
    if seen is not None:
        _check_pairs(net, seen, 'seen')
        place = np.minimum(np.searchsorted(users, seen.users), len(users) - 1)
        mine = users[place] == seen.users
        known[place[mine], seen.items[mine]] = True
    ranks = metrics._ranks(net.scores(users), relevant, known, k)
    return {
        'hit_rate': metrics._hit_rate(*ranks, k),
        'ndcg': metrics._ndcg(*ranks, k),
        'users': len(users),
    }


def train_ranking(
    net: gluon.Block,
    train_iter: NegativeLoader,
    loss: Callable,
    trainer: Union[gluon.Trainer, Sequence[gluon.Trainer]],
    num_epochs: int,
    devices: Optional[Sequence[mx.Context]] = None,
    *,
    valid: Optional[Interactions] = None,
    test: Optional[Interactions] = None,
    k: int = 10,
    patience: Optional[int] = None,
    seed: Optional[int] = None,
    verbose: bool = True,
    checkpoint: Any = None,
    lr_factor: Optional[float] = None,
    clip: Optional[float] = None,
) -> History:
    """Train a model of users and items to rank; print losses and measures; return a `History`.

    Parameters
    ----------
    net : a model of users and items, such as `MF(..., output='logit')` or `NeuMF`
    train_iter : NegativeLoader
        Of three columns: (users, items, others) where `loss` is pairwise, as `BPRLoss`; otherwise
        (users, items, labels).
    loss : BPRLoss, or a Gluon loss of a logit and a label
    trainer : a gluon.Trainer, or a list of them
    valid : Interactions, optional
        When given, the net ends with the weights of the epoch with the best NDCG at k on it, among
        all items not seen in training.
    test : Interactions, optional
        Measured after each epoch, among the items seen neither in training nor in `valid`; decides
        nothing.
    k : int
        Length of the list that is measured.
    devices, patience, seed, verbose, checkpoint, lr_factor, clip : as in `train_ch13`

    Returns
    -------
    History with `train_loss`, and `valid_ndcg`, `valid_hit_rate`, likewise `test_…`, an epoch each.

    Raises
    ------
    ValueError
        For a loader that does not give what the loss takes, ids out of range, and as `train_ch13`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> log = Interactions([0, 0, 1, 1], [0, 1, 1, 2], num_items=5)
    >>> net = d2l.MF(2, 2, 5, output='logit')
    >>> net.initialize()
    >>> trainer = gluon.Trainer(net.collect_params(), 'adam')
    >>> loader = NegativeLoader(log, batch_size=2, pairwise=True)
    >>> train_ranking(net, loader, BPRLoss(), trainer, 2, verbose=False)
    History(2 epochs)
    """
    devices = devices_of(net, devices)
    trainers = checked_trainers(net, trainer)
    valid_iter = valid  # for `checked_numbers`: patience needs one
    num_epochs, seed = checked_numbers(num_epochs, seed, patience, lr_factor, valid_iter, clip)
    check_call(loss, 'loss', 'BPRLoss(), or a Gluon loss')
    task = _Ranking(net, train_iter, loss, devices, valid, test, k)
    return run_epochs(
        net, task, trainers, num_epochs, devices, seed=seed, patience=patience,
        lr_factor=lr_factor, clip=clip, checkpoint=checkpoint, verbose=verbose,
    )  # fmt: skip


class _Ranking(Task):
    """Pairs and what was drawn beside them: a loss of labels or of pairs, NDCG after."""

    def __init__(self, net, loader, loss, devices, valid, test, k):
        if not isinstance(loader, NegativeLoader):
            raise ValueError(
                f'train_iter is a {type(loader).__name__}: give NegativeLoader(interactions, ...), '
                'or have fit make it.'
            )
        self.pairwise = bool(getattr(loss, 'pairwise', False))
        if loader.pairwise != self.pairwise:
            given, wanted = (
                ('pairs of items', 'labels') if loader.pairwise else ('labels', 'pairs of items')
            )
            raise ValueError(
                f'the loader gives {given} and {type(loss).__name__} takes {wanted}: make it with '
                f'NegativeLoader(..., pairwise={self.pairwise}).'
            )
        _check_pairs(net, loader.data, 'the training data')
        loader.check(net)
        if metrics._whole(k, 'k') < 1:
            raise ValueError(f'k is {k}: give 1 or more.')
        self.net, self.loader, self.loss, self.devices, self.k = net, loader, loss, devices, k
        self.held_out, seen = {}, loader.data
        for name, part in (('valid', valid), ('test', test)):
            if part is not None:
                _check_pairs(net, part, name)
                _check_apart(part, seen, name)
                self.held_out[name], seen = part, _both(seen, part)

    def facts(self):
        valid = self.held_out.get('valid')
        found = valid and NegativeLoader(valid, batch_size=1).fingerprint()
        return {'loss': type(self.loss).__name__, 'k': self.k, 'checksum of validation': found}

    def batches(self):
        return self.loader.batches()

    def backward(self, batch):
        parts = [shards(column, self.devices) for column in batch]
        rows, losses = len(batch[0]), []
        idle = self.devices[len(parts[0]) :]
        with autograd.record():
            for some in zip(*parts):
                losses.append(self._loss(*some))
            first = [part[0] for part in parts]
            nothing = [self._loss(*(first_row(c, d) for c in first)) * 0 for d in idle]
        autograd.backward(losses + nothing)
        return losses, rows, rows

    def _loss(self, users, items, last):
        if not self.pairwise:
            out = self.net(users, items)
            return self.loss(out, column_like(last, out))
        both = mx.np.concatenate([users, users]), mx.np.concatenate([items, last])
        out = self.net(*both).reshape(-1)  # one pass for the items and the others
        return self.loss(out[: len(users)], out[len(users) :])

    def measures(self):
        row, seen = {}, self.loader.data
        for name, part in self.held_out.items():
            report = rank_report(self.net, part, seen, self.k)
            row.update({f'{name}_ndcg': report['ndcg'], f'{name}_hit_rate': report['hit_rate']})
            seen = _both(seen, part)
        return row

    def score(self, row):
        return -row['valid_ndcg'] if 'valid' in self.held_out else None

    def summary(self, history):
        row = history.kept
        parts = [f'train loss {row["train_loss"]:.3f}'] + [
            f'{name} NDCG@{self.k} {row[name + "_ndcg"]:.3f}, '
            f'HitRate@{self.k} {row[name + "_hit_rate"]:.3f}'
            for name in self.held_out
        ]
        return ['; '.join(parts + kept_words(history))]


def _check_apart(part, seen, name):
    """Refuse a held-out pair that is no candidate any more, and a part without any."""
    if not len(part.users):
        raise ValueError(f'{name} holds no pair: there is nothing to measure.')
    pairs, known = (p.users.astype(np.int64) * p.num_items + p.items for p in (part, seen))
    twice = np.flatnonzero(np.isin(pairs, known))
    if twice.size:
        user, item = part.users[twice[0]], part.items[twice[0]]
        raise ValueError(
            f'{name}: user {user} has item {item} both seen and held out: leave it in one.'
        )


def _both(one, other):
    """The pairs of two parts, each once in what follows."""
    return Interactions(
        np.concatenate([one.users, other.users]), np.concatenate([one.items, other.items]),
        one.num_users, one.num_items,
    )  # fmt: skip


def _check_pairs(net, data, name):
    """Refuse a net that scores no items, and data that is not of its users and items."""
    if not hasattr(net, 'scores'):
        raise ValueError(
            f'{type(net).__name__} has no method scores(users), by which all items are ranked: '
            'use a model of users and items, such as MF or NeuMF.'
        )
    if not isinstance(data, Interactions):
        raise ValueError(f'{name} is a {type(data).__name__}: give Interactions(users, items).')
    for what in ('num_users', 'num_items'):
        if getattr(data, what) > getattr(net, what, np.inf) or (
            what == 'num_items' and data.num_items != net.num_items
        ):
            raise ValueError(
                f'{name} has {what} = {getattr(data, what)} and the net {getattr(net, what)}: '
                'give both the same number.'
            )
