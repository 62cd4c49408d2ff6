"""Optimizers: MXNet's, faster and by rows; those of wide and deep halves; which weights decay."""

from __future__ import annotations

import math

import mxnet as mx
import numpy as np
from mxnet import gluon

from .. import kernels
from ..arguments import check_net, check_real
from .devices import devices_of

__all__ = ['Adam', 'AdaGrad', 'SGD', 'FTRL', 'decay_embeddings_only', 'wide_deep_trainers']

# MXNet adds it to the sum of squares, under the root. At its own 1e-7 a gradient must exceed 3e-4
# to count, and those of a new deep half, 1e-7 or so, do not: it would stand still.
ADAGRAD_EPS = 1e-20
ALL = 2**10  # weights that a trainer hands over at once
STEPS = 2**12  # of `kernels.LARGE` numbers take MXNet as long as compiling a loop takes


def _listed(state):
    """What an optimizer remembers of a weight, however many arrays that is."""
    return () if state is None else state if isinstance(state, (tuple, list)) else (state,)


class _Stepping(mx.optimizer.Optimizer):
    """An optimizer with a definition in `kernels`, for whole weights and for rows of a table.

    A subclass gives its definition and settings; what MXNet itself does well is left to it.
    """

    _definition = None
    _by_numpy = True  # without numba: MXNet's own is slower than NumPy
    _done = 0  # numbers of weights that were stepped, all steps together
    _seen: dict  # by index a weight's state, of which `_fits` was asked, and its size

    def create_state_multi_precision(self, index: int, weight: mx.nd.NDArray):
        """What the optimizer remembers of a weight, its memory at hand."""
        state = super().create_state_multi_precision(index, weight)
        kernels.at_hand(*(s for s in _listed(state) if isinstance(s, mx.nd.NDArray)))
        return state

    def update(self, index: int, weight: mx.nd.NDArray, grad: mx.nd.NDArray, state) -> None:
        """One step of a weight, or of the rows of it that a row-sparse gradient has."""
        states = _listed(state)
        sparse = grad.stype == 'row_sparse'
        fits = self._fits(weight, states)
        compiled = fits and kernels.usable(weight, *states, least=0 if sparse else kernels.LARGE)
        if not fits or not (compiled or sparse or self._by_numpy):
            super().update(index, weight, grad, state)
            return
        self._update_count(index)
        rows, values = rows_and_values(grad) if sparse else (None, grad)
        if rows is not None:
            if not len(rows):
                return
            kernels.large_pages(weight, *states)
        self._laid_out(index, weight)
        settings = self._settings(index)
        take = kernels.step if compiled else kernels.step_by_numpy
        take(self._definition, weight, states, values, settings, rows)

    def update_multi_precision(self, index, weight, grad, state) -> None:
        """A step of one weight, or of several at once: the loops do those that they can in one."""
        if not isinstance(index, (tuple, list)):
            super().update_multi_precision(index, weight, grad, state)
            return
        able = kernels.on_cpu(weight[0]) and kernels._numba() is not None  # a server's has no size
        some = able and self.clip_gradient is None
        each = list(zip(index, weight, grad, state))
        sizes = [self._numbers(*one) if some else 0 for one in each]
        numbers, together = sum(sizes), []
        self._done += numbers  # what compiling costs is spent first, if the weights are few
        join = max(numbers, self._done // STEPS) >= kernels.LARGE
        for one, size in zip(each, sizes):
            if join and size:
                index, weight, grad, state = one
                self._update_count(index)
                self._laid_out(index, weight)
                together.append((weight, _listed(state), grad, self._settings(index), size))
            else:
                self.update_multi_precision(*one)
        if together:
            kernels.steps(self._definition, together)

    def _numbers(self, index, weight, grad, state):
        """Of how many numbers the weight is; 0 where the loops cannot step it with others."""
        if weight.stype != 'default' or grad.stype != 'default':
            return 0
        seen, size = self._seen.get(index, (self, 0))
        if seen is not state:
            size = weight.size if self._fits(weight, _listed(state)) else 0
            self._seen[index] = state, size
        return size

    def _fits(self, weight, states):
        """Whether the definition can be taken; tables on servers are not plain."""
        plain = weight.stype == 'default' and all(isinstance(s, mx.nd.NDArray) for s in states)
        return plain and kernels.on_cpu(weight, *states) and self.clip_gradient is None

    def _laid_out(self, index, weight):
        """Wait for a layer's matrix: a prediction may have let oneDNN lay out its memory anew.

        Not for others: waiting has the engine stand still while Python prepares the next step.
        """
        param = self.param_dict.get(index)
        if weight.ndim > 1 and not any(getattr(param, w, False) for w in ('of_ids', 'looked_up')):
            weight.wait_to_read()

    def _settings(self, index):
        return [self._get_lr(index), self.rescale_grad, self._get_wd(index)]


def rows_and_values(grad):
    """Of a row-sparse gradient the rows, int64 (R,), and their values (R, ...)."""
    if hasattr(grad, 'parts'):
        return grad.parts()
    return grad.indices.asnumpy().astype(np.int64), grad.data


class Adam(_Stepping, mx.optimizer.Adam):
    """Adam as MXNet's `adam`, bit for bit, and up to four times as fast where numba is installed.

    Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015. Of a table of which only
    rows are touched (`touch_rows`) it is *lazy*: the others rest, and their moments do not fade.
    As in MXNet, epsilon is added before the second moment is corrected: at step t it counts
    1 / sqrt(1 - beta2 ** t) times as much as in the paper and in PyTorch, 32 times at the first.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon, wd : float

    Examples
    --------
    >>> weight, grad = mx.nd.array([0.5, -0.2]), mx.nd.array([3.0, 0.0])
    >>> adam = Adam(learning_rate=0.1)
    >>> adam.update(0, weight, grad, adam.create_state(0, weight))
    >>> [round(w, 4) for w in weight.asnumpy().tolist()]
    [0.4, -0.2]
    """

    _definition = staticmethod(kernels.adam)
    _by_numpy = False

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        **kwargs,
    ):
        check_real(learning_rate, 'learning_rate')
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.aggregate_num, self._seen = ALL, {}

    def _settings(self, index):
        t = self._index_update_count[index]
        rate, scale, decay = super()._settings(index)
        rate *= math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        one, beta1, beta2 = np.float32(1), np.float32(self.beta1), np.float32(self.beta2)
        return [rate, scale, decay, beta1, one - beta1, beta2, one - beta2, self.epsilon]


class AdaGrad(_Stepping, mx.optimizer.AdaGrad):
    """AdaGrad as MXNet's `adagrad`, bit for bit, and several times as fast.

    Duchi, Hazan and Singer, Adaptive Subgradient Methods, JMLR 12, 2011. Of a table of which only
    rows are touched it gives what it gives otherwise: a row without a gradient stays.

    Parameters
    ----------
    learning_rate, eps, wd : float

    Examples
    --------
    >>> weight, grad = mx.nd.array([0.5, -0.2]), mx.nd.array([3.0, 0.0])
    >>> adagrad = AdaGrad(learning_rate=0.1)
    >>> adagrad.update(0, weight, grad, adagrad.create_state(0, weight))
    >>> [round(w, 4) for w in weight.asnumpy().tolist()]
    [0.4, -0.2]
    """

    _definition = staticmethod(kernels.adagrad)

    def __init__(self, learning_rate: float = 0.01, eps: float = 1e-7, **kwargs):
        check_real(learning_rate, 'learning_rate')
        super().__init__(eps=eps, learning_rate=learning_rate, **kwargs)
        self.aggregate_num, self._seen = ALL, {}

    def create_state(self, index: int, weight: mx.nd.NDArray) -> mx.nd.NDArray:
        """The history, of zeros."""
        if weight.stype != 'default':
            return super().create_state(index, weight)
        return mx.nd.zeros(weight.shape, weight.context, dtype=weight.dtype)

    def _settings(self, index):
        return [*super()._settings(index), self.float_stable_eps]


class SGD(_Stepping, mx.optimizer.SGD):
    """Stochastic gradient descent as MXNet's `sgd`, bit for bit; with momentum it is MXNet's.

    Parameters
    ----------
    learning_rate, momentum, wd : float

    Examples
    --------
    >>> weight, grad = mx.nd.array([0.5, -0.2]), mx.nd.array([3.0, 0.0])
    >>> sgd = SGD(learning_rate=0.1)
    >>> sgd.update(0, weight, grad, sgd.create_state(0, weight))
    >>> [round(w, 4) for w in weight.asnumpy().tolist()]
    [0.2, -0.2]
    """

    _definition = staticmethod(kernels.sgd)
    _by_numpy = False

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, **kwargs):
        check_real(learning_rate, 'learning_rate')
        super().__init__(learning_rate=learning_rate, momentum=momentum, **kwargs)
        if not momentum:
            self.aggregate_num, self._seen = ALL, {}

    def update_multi_precision(self, index, weight, grad, state):
        """A step of one weight, or of several at once."""
        several = isinstance(index, (tuple, list))
        if self.momentum or not (several or state is None and weight.dtype == np.float32):
            mx.optimizer.SGD.update_multi_precision(self, index, weight, grad, state)
        elif several:
            super().update_multi_precision(index, weight, grad, state)
        else:
            self.update(index, weight, grad, state)


class FTRL(_Stepping, mx.optimizer.Ftrl):
    """FTRL-Proximal with L1, as MXNet's `ftrl`, faster, but it keeps the weights it is given.

    McMahan et al., Ad Click Prediction: a View from the Trenches, KDD 2013, algorithm 1.
    FTRL keeps a sum z for each weight and computes the weight from it. MXNet starts z at 0, so
    that the first step sets every weight that it did not move to 0: after a warm start all would
    be forgotten. Here z starts where it yields the weight; for a weight of 0 that is 0. And
    since the weight follows from z *and the learning rate*, another rate would change every
    weight at the next step: here z is carried over to the new rate, so that none moves.

    Parameters
    ----------
    learning_rate : float
        The paper's α.
    beta : float
        β.
    lamda1 : float
        λ₁, the weight of L1.
    wd : float
        λ₂, the weight of L2.

    Examples
    --------
    >>> weight, grad = mx.nd.array([0.5, -0.2]), mx.nd.zeros(2)
    >>> ftrl = FTRL(learning_rate=0.1, beta=1.0, lamda1=0.0)
    >>> state = ftrl.create_state(0, weight)
    >>> ftrl.set_learning_rate(0.01)
    >>> ftrl.update(0, weight, grad, state)  # nothing to learn, at a new rate
    >>> [round(w, 4) for w in weight.asnumpy().tolist()]
    [0.5, -0.2]
    """

    def __init__(
        self, lamda1: float = 0.01, learning_rate: float = 0.1, beta: float = 1.0, **kwargs
    ):
        for name, value in (('lamda1', lamda1), ('beta', beta)):
            if check_real(value, name, 'a number, 0 or more') < 0:
                raise ValueError(f'{name} is {value}: give a number, 0 or more.')
        check_real(learning_rate, 'learning_rate')
        super().__init__(lamda1, learning_rate, beta, **kwargs)
        self._rates: dict[str, float] = {}  # by index and device: the rate that z belongs to

    _definition = staticmethod(kernels.ftrl)

    def _settings(self, index):
        return [*super()._settings(index), self.lamda1, self.beta]

    def create_state(self, index: int, weight: mx.nd.NDArray) -> tuple:
        """z, where it yields the weight, and n of zeros."""
        z, n = super().create_state(index, weight)
        weight = weight.as_nd_ndarray() if hasattr(weight, 'as_nd_ndarray') else weight
        rate = self._get_lr(index)
        slope = self.beta / rate + self._get_wd(index)
        z[:] = -slope * weight - self.lamda1 * mx.nd.sign(weight)
        self._rates[f'{index} {weight.context}'] = rate
        return z, n

    def update(self, index: int, weight: mx.nd.NDArray, grad: mx.nd.NDArray, state: tuple) -> None:
        """One step; where the rate is another than before, z is carried over to it first."""
        key = f'{index} {weight.context}'
        count = self.num_update
        self.num_update = max(count, self._index_update_count.get(index, self.begin_num_update) + 1)
        rate = self._get_lr(index)  # the one that this step will use, of a schedule too
        self.num_update = count
        before = self._rates.setdefault(key, rate)
        if before != rate:
            z, n = state
            root, decay = mx.nd.sqrt(n), self._get_wd(index)
            old, new = (self.beta + root) / before + decay, (self.beta + root) / rate + decay
            beyond = z - mx.nd.clip(z, -self.lamda1, self.lamda1)  # what makes the weight
            z[:] = z - beyond + beyond * new / old
            self._rates[key] = rate
        super().update(index, weight, grad, state)


# By the names that MXNet gives them; its own FTRL sets every weight without a gradient to 0.
OPTIMIZERS = {'adam': Adam, 'adagrad': AdaGrad, 'sgd': SGD, 'ftrl': FTRL}


def decay_embeddings_only(net: gluon.Block) -> gluon.Block:
    """Let an optimizer's `wd` act on the weights of ids alone; return the net.

    These are the parameters that say so by an attribute `of_ids`: the vectors of each `Embedding`
    and the weights of each `LinearTerm`. MLPs, biases and batch normalization are spared. With
    `wd=λ`, Gluon's optimizers then minimize the mean loss + λ/2 · (sum of the squares of those
    weights), over the whole tables, whichever ids the batch holds. For a layer of your own, set
    `param.wd_mult`.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = decay_embeddings_only(d2l.DeepFM([3, 2], 4, [8]))
    >>> net.embedding.weight.wd_mult, net.mlp.output.weight.wd_mult
    (1.0, 0.0)
    """
    check_net(net)
    for param in net.collect_params().values():
        param.wd_mult = 1.0 if getattr(param, 'of_ids', False) else 0.0
    return net


def wide_deep_trainers(
    net: gluon.Block,
    wide_lr: float = 0.1,
    l1: float = 0.0,
    deep_lr: float = 0.01,
    beta: float = 0.001,
) -> list[gluon.Trainer]:
    """The paper's two optimizers, for `train_ch13`: FTRL with L1 (wide) and AdaGrad (deep).

    Parameters
    ----------
    net : WideDeep, initialized
    wide_lr, deep_lr : float
        Learning rates.
    l1 : float
        FTRL's λ₁. A weight stays exactly 0 until its gradients, each the batch's mean, add up
        to more than this.
    beta : float
        FTRL's β, above 0: a weight moves slowly until the root of its squared gradients' sum
        exceeds it. A mean over B rows makes gradients B times smaller than the paper's, one row
        at a time, where β is 1: take the order of 1 / B, or rare crosses hardly learn.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.WideDeep([3, 2], 4, [8])
    >>> net.initialize()
    >>> [type(t.optimizer).__name__ for t in wide_deep_trainers(net)]
    ['FTRL', 'AdaGrad']
    """
    if not hasattr(net, 'wide_params'):
        raise ValueError(f'net is a {type(net).__name__}: give a WideDeep.')
    for name, value in (('wide_lr', wide_lr), ('deep_lr', deep_lr), ('l1', l1), ('beta', beta)):
        check_real(value, name)
    devices_of(net)  # refuses one without weights
    ftrl = FTRL(learning_rate=wide_lr, lamda1=l1, beta=beta)
    adagrad = AdaGrad(learning_rate=deep_lr, eps=ADAGRAD_EPS)
    return [gluon.Trainer(net.wide_params(), ftrl), gluon.Trainer(net.deep_params(), adagrad)]
