"""Building blocks for histories: what a user had before, slot by slot.

Shapes: B examples of a batch, L slots of a history, oldest first, of which the first `length` are
filled; K numbers a vector, H hidden units.
"""

from __future__ import annotations

from collections.abc import Sequence

from mxnet import init
from mxnet.gluon import nn

from .layers import SumOver, _Layer, hidden_layers

__all__ = [
    'SlotMask',
    'ActivationUnit',
    'WeightedSlots',
    'GRU',
    'AUGRU',
    'TargetAttention',
    'NextItemLoss',
]


class SlotMask(_Layer):
    """Which slots are filled: lengths (B,) -> (B, L), 1 for the first `length` slots, then 0.

    Parameters
    ----------
    num_slots : int
        L.
    mean : bool
        1 / length in place of 1, so that a sum with these weights is the mean.

    Examples
    --------
    >>> import mxnet as mx
    >>> SlotMask(3)(mx.np.array([2, 0], dtype='int32')).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, num_slots: int, mean: bool = False, **kwargs):
        super().__init__(**kwargs)
        self._slots, self._mean = num_slots, bool(mean)
        self._sizes = f'1 -> {num_slots}' + ', mean' * self._mean

    def hybrid_forward(self, F, lengths):
        lengths = F.np.expand_dims(lengths.astype(self._dtype), axis=1)
        slots = F.np.expand_dims(F.np.arange(self._slots, dtype=self._dtype), axis=0)
        mask = (lengths > slots).astype(self._dtype)
        return mask / F.np.maximum(lengths, 1) if self._mean else mask


class ActivationUnit(_Layer):
    """DIN's activation unit: slots (B, L, K), target (B, K) -> a weight for each slot (B, L).

    a(e, v) = MLP([e, v, e * v])

    The weights of an example need not add up to 1: the paper leaves out the softmax, so that
    twice as many films of a kind weigh twice as much. At first every weight is about 1 / L, and
    the weighted sum a plain one.

    Zhou et al., Deep Interest Network, KDD 2018, section 4.3 and figure 2. The authors' programs
    give the MLP e - v as well, which its first layer can make of e and v.

    Parameters
    ----------
    num_slots, num_factors : int
        L and K.
    dims : sequence of int
        Widths of the hidden layers, ReLU after each.

    Examples
    --------
    >>> ActivationUnit(20, 8, [16])
    ActivationUnit(20 slots x 8 -> 20, hidden 16)
    """

    def __init__(self, num_slots: int, num_factors: int, dims: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self._slots, self._factors = num_slots, num_factors
        self._sizes = f'{num_slots} slots x {num_factors} -> {num_slots}'
        self._sizes += f', hidden {" -> ".join(map(str, dims))}' * bool(len(dims))
        with self.name_scope():
            self.hidden = hidden_layers(3 * num_factors, dims)
            self.score = nn.Dense(
                1,
                in_units=[3 * num_factors, *dims][-1],
                bias_initializer=init.Constant(1 / num_slots),
            )

    def hybrid_forward(self, F, e, target):
        width = self._slots * self._factors
        # A product with ones copies the target to every slot.
        copies = F.np.tile(F.np.eye(self._factors, dtype=self._dtype), (self._slots, 1))
        v = F.npx.fully_connected(target, copies, num_hidden=width, no_bias=True)
        v, e = (F.npx.reshape(x, (-1, self._factors)) for x in (v, e))  # (B * L, K)
        weights = self.score(self.hidden(F.np.concatenate([e, v, e * v], axis=1)))
        return F.npx.reshape(weights, (-1, self._slots))


class WeightedSlots(_Layer):
    """Weighted sum over the slots: (B, L, K), weights (B, L) -> sum_l weight_l e_l, (B, K).

    Parameters
    ----------
    num_slots, num_factors : int
        L and K.

    Examples
    --------
    >>> import mxnet as mx
    >>> pool = WeightedSlots(2, 2)
    >>> pool(mx.np.array([[[1, 2], [3, 4]]]), mx.np.array([[0.5, 1]])).tolist()
    [[3.5, 5.0]]
    """

    def __init__(self, num_slots: int, num_factors: int, **kwargs):
        super().__init__(**kwargs)
        self._factors = num_factors
        self._sizes = f'{num_slots} x {num_factors} -> {num_factors}'

    def hybrid_forward(self, F, e, weights):
        weights = F.np.expand_dims(weights, axis=1)  # (B, 1, L)
        return F.npx.reshape(F.npx.batch_dot(weights, e), (-1, self._factors))


class GRU(_Layer):
    """Gated recurrent unit: inputs (B, L, K) -> its state after each (B, L, H).

    u_t = σ(W_u x_t + U_u h_{t-1} + b_u), r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
    c_t = tanh(W_c x_t + r_t * (U_c h_{t-1}) + b_c)
    h_t = (1 - u_t) * h_{t-1} + u_t * c_t, from h_0 = 0

    `gates` holds W_u over W_r with their biases, `candidate` W_c and b_c; `state_gates` and
    `state_candidate` hold the U.

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equations (2) to (5).

    Parameters
    ----------
    num_slots, in_units, units : int
        L, K and H.

    Examples
    --------
    >>> import mxnet as mx
    >>> gru = GRU(5, 4, 3)
    >>> gru.initialize()
    >>> gru(mx.np.ones((2, 5, 4))).shape
    (2, 5, 3)
    """

    def __init__(self, num_slots: int, in_units: int, units: int, **kwargs):
        super().__init__(**kwargs)
        self._slots, self._units = num_slots, units
        self._sizes = f'{num_slots} x {in_units} -> {units}'
        with self.name_scope():
            self.gates = nn.Dense(2 * units, in_units=in_units, flatten=False)
            self.candidate = nn.Dense(units, in_units=in_units, flatten=False)
            self.state_gates = nn.Dense(2 * units, in_units=units, use_bias=False)
            self.state_candidate = nn.Dense(units, in_units=units, use_bias=False)

    def _states(self, F, x, update=None):
        """The states, a list of (B, H); `update` (L, B, H) scales the update gates."""
        x = F.np.transpose(x, (1, 0, 2))  # a step is then one piece of memory
        gates, candidates = self.gates(x), self.candidate(x)  # of all steps at once

        def at(array, step, width):
            return F.npx.reshape(F.npx.slice(array, (step,), (step + 1,)), (-1, width))

        h, states, units = None, [], self._units
        for t in range(self._slots):
            gate, candidate = at(gates, t, 2 * units), at(candidates, t, units)
            if h is not None:
                gate = gate + self.state_gates(h)
            gate = F.npx.activation(gate, act_type='sigmoid')
            u = F.npx.slice(gate, (None, 0), (None, units))
            if update is not None:
                u = u * at(update, t, units)
            if h is None:
                h = u * F.npx.activation(candidate, act_type='tanh')
            else:
                r = F.npx.slice(gate, (None, units), (None, 2 * units))
                c = F.npx.activation(candidate + r * self.state_candidate(h), act_type='tanh')
                h = h + u * (c - h)
            states.append(h)
        return states

    def hybrid_forward(self, F, x):
        return F.np.stack(self._states(F, x), axis=1)


class AUGRU(GRU):
    """GRU with attentional update gate: inputs (B, L, K), attention (B, L) -> last state (B, H).

    h_t = (1 - a_t u_t) * h_{t-1} + a_t u_t * c_t, with u_t and c_t as in `GRU`

    A slot without attention leaves the state as it is.

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equations (11) and (12).

    Parameters
    ----------
    num_slots, in_units, units : as in `GRU`

    Examples
    --------
    >>> import mxnet as mx
    >>> augru = AUGRU(5, 4, 3)
    >>> augru.initialize()
    >>> float(mx.np.abs(augru(mx.np.ones((1, 5, 4)), mx.np.zeros((1, 5)))).max())
    0.0
    """

    def hybrid_forward(self, F, x, attention):
        a = F.npx.reshape(F.np.transpose(attention, (1, 0)), (-1, 1))  # (L * B, 1)
        ones = F.np.ones((self._units, 1), dtype=self._dtype)
        a = F.npx.fully_connected(a, ones, num_hidden=self._units, no_bias=True)
        a = F.npx.reshape(a, (self._slots, -1, self._units))
        return self._states(F, x, a)[-1]


class TargetAttention(_Layer):
    """DIEN's attention: states (B, L, H), target (B, K), mask (B, L) -> shares (B, L).

    a_t = exp(h_t W v) / sum_s exp(h_s W v), over the filled slots; 0 in the empty ones

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equation (8).

    Parameters
    ----------
    num_slots, num_factors, units : int
        L, K and H.

    Examples
    --------
    >>> TargetAttention(20, 8, 8)
    TargetAttention(20 x 8, 8 -> 20)
    """

    def __init__(self, num_slots: int, num_factors: int, units: int, **kwargs):
        super().__init__(**kwargs)
        self._slots, self._units = num_slots, units
        self._sizes = f'{num_slots} x {units}, {num_factors} -> {num_slots}'
        with self.name_scope():
            self.bilinear = nn.Dense(units, in_units=num_factors, use_bias=False)

    def hybrid_forward(self, F, states, target, mask):
        query = F.npx.reshape(self.bilinear(target), (-1, self._units, 1))
        scores = F.npx.reshape(F.npx.batch_dot(states, query), (-1, self._slots))
        return F.npx.softmax(scores + 1e4 * (mask - 1), axis=1) * mask


class NextItemLoss(_Layer):
    """DIEN's auxiliary loss: states (B, L, K), slots (B, L, K), mask (B, L) -> losses (B,).

    loss = (1 / (L - 1)) sum_t [softplus(-<h_t, e_{t+1}>) + softplus(<h_t, e'_{t+1}>)]

    A state should know the vector e_{t+1} that comes next from e'_{t+1}, what the example after it
    in the batch had in that slot (the first one for the last). Only filled slots count.

    Zhou et al., Deep Interest Evolution Network, AAAI 2019, equation (6), which draws e' from all
    items. Taken from the batch it comes as often as it is seen, and costs no look-up.

    Parameters
    ----------
    num_slots, num_factors : int
        L and K.

    Examples
    --------
    >>> import mxnet as mx
    >>> e, mask = mx.np.zeros((2, 3, 4)), mx.np.ones((2, 3))
    >>> [round(loss, 3) for loss in NextItemLoss(3, 4)(e, e, mask).tolist()]  # 2 log 2: no idea
    [1.386, 1.386]
    """

    def __init__(self, num_slots: int, num_factors: int, **kwargs):
        super().__init__(**kwargs)
        self._steps, self._factors = num_slots - 1, num_factors
        self._sizes = f'{num_slots - 1} x {num_factors} -> 1'
        with self.name_scope():
            self.sum_factors, self.sum_steps = SumOver(num_factors), SumOver(num_slots - 1)

    def hybrid_forward(self, F, states, e, mask):
        h = F.npx.slice(states, (None, 0), (None, self._steps))
        following, there = (F.npx.slice(x, (None, 1), (None, None)) for x in (e, mask))

        def others(x):  # of the next example in the batch
            again = F.np.concatenate([x, F.npx.slice(x, (0,), (1,))], axis=0)
            return F.npx.slice(again, (1,), (None,))

        def product(x):
            x = self.sum_factors(F.npx.reshape(h * x, (-1, self._factors)))
            return F.npx.reshape(x, (-1, self._steps))

        known = F.npx.activation(-product(following), act_type='softrelu') * there
        wrong = F.npx.activation(product(others(following)), act_type='softrelu')
        losses = known + wrong * there * others(there)
        return F.npx.reshape(self.sum_steps(losses), (-1,)) / self._steps
