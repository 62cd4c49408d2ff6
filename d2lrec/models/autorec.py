"""AutoRec: an autoencoder of rating rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

import mxnet as mx
import numpy as np
from mxnet.gluon import nn

from .. import operators
from ..arguments import check_whole, shown
from ..layers import ACTIVATIONS, Dropout
from .base import Model

__all__ = ['AutoRec']

FEW_KNOWN = 0.15  # share of the entries up to which loops over them are sooner done than products

CALLED = frozenset(['__call__', 'forward', '_checked_forward', 'hybrid_forward'])


class AutoRec(Model):
    """AutoRec: rows of a rating matrix (B, D), 0 where unknown -> all their ratings (B, D).

    h(r) = f(W · g(V r + μ) + b)

    Item-based where a row is an item's ratings by all users (D = U), user-based where it is a
    user's ratings of all items (D = I): the matrix that goes in decides. Which entries are
    known is the matter of the loss and of the measure (`mask` in `train_recsys_rating`): the
    forward pass is the same in training and in prediction, but for dropout.

    Feed it plain ratings: that an entry is not 0 says who rated, and in rows of items this alone
    predicts well. Biases may be taken off what is to be rebuilt, `ratings.rows(target=...)`; off
    what goes in, they hide it.

    Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015, section 2.
    As there, weight decay is for V and W only: the biases have wd_mult 0.

    Parameters
    ----------
    num_hidden : int, or sequence of int
        Width of the hidden layer, or widths of several.
    num_users : int
        D, the length of a row: U for I-AutoRec, I for U-AutoRec.
    dropout : float
        Share of hidden units set to zero in training.
    encoder_activation, decoder_activation : str or None
        g, after each hidden layer, and f: 'sigmoid', 'relu', 'tanh', 'softrelu', 'softsign', or
        None for the identity.

    Raises
    ------
    ValueError
        For another activation.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> d2l.AutoRec(500, num_users=943)
    AutoRec(
      (encoder): HybridSequential(
        (0): Dense(943 -> 500, Activation(sigmoid))
        (1): Dropout(p = 0.05, axes=())
      )
      (decoder): Dense(500 -> 943, linear)
    )
    """

    output = 'rating'
    advice = ', or transpose the matrix'

    def __init__(
        self,
        num_hidden: Union[int, Sequence[int]],
        num_users: int,
        dropout: float = 0.05,
        encoder_activation: Optional[str] = 'sigmoid',
        decoder_activation: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name in (encoder_activation, decoder_activation):
            if name is not None and (not isinstance(name, str) or name not in ACTIVATIONS):
                raise ValueError(
                    f'AutoRec knows no activation {shown(name)}: choose one of {ACTIVATIONS} or '
                    'None.'
                )
        dims = list(num_hidden) if hasattr(num_hidden, '__len__') else [num_hidden]
        self.num_users = in_units = check_whole(num_users, 'num_users of AutoRec')
        self.inputs = {'rows': self.num_users}
        with self.name_scope():
            self.encoder = nn.HybridSequential()
            for dim in dims:
                self.encoder.add(nn.Dense(dim, encoder_activation, in_units=in_units))
                if dropout:
                    self.encoder.add(Dropout(dropout))
                in_units = dim
            self.decoder = nn.Dense(num_users, decoder_activation, in_units=in_units)
        for param in self.collect_params('.*bias').values():
            param.wd_mult = 0.0

    def hybrid_forward(self, F, x):
        return self.decoder(self.encoder(x))

    def for_known(self, rows: mx.np.ndarray, mask: mx.np.ndarray) -> mx.np.ndarray:
        """The outputs (B, D) where a mask is not 0, and 0 elsewhere: all that training needs.

        To rounding it is `net(rows) * (mask != 0)`; rows (B, D) are 0 for what is unknown.
        Where layers take compiled loops (`operators`) it is found in the time of what is known.

        Examples
        --------
        >>> import mxnet as mx
        >>> net = AutoRec(2, num_users=3, dropout=0)
        >>> net.initialize(mx.init.One())
        >>> rows = mx.np.array([[4.0, 0.0, 2.0]])
        >>> [round(x, 3) for x in net.for_known(rows, rows != 0)[0].tolist()]
        [1.995, 0.0, 1.995]
        """
        mask = (mask != 0).astype('float32')
        if not self._can_skip(mask):
            return self(rows) * mask
        first, *rest = self.encoder
        weights = first.weight, first.bias, self.decoder.weight, self.decoder.bias
        W, b, V, c = (p.data(rows.ctx) for p in weights)
        h = operators.of_known(mx.nd, rows.astype('float32'), W, b)
        for block in rest if first.act is None else [first.act, *rest]:
            h = block(h)
        out = operators.for_known(mx.nd, h, V, c, mask)
        return out if self.decoder.act is None else self.decoder.act(out) * mask

    def _can_skip(self, mask):
        """Whether loops over the known entries give what the blocks give, and sooner."""
        layers = [self.encoder[0], self.decoder]
        return (
            self._compile
            and not operators.PLAIN
            and all(getattr(type(self), name) is getattr(AutoRec, name) for name in CALLED)
            and CALLED.isdisjoint(vars(self))
            and all(type(layer) is nn.Dense for layer in layers)
            and all(np.dtype(layer.weight.dtype) == np.float32 for layer in layers)
            and all(layer.bias is not None for layer in layers)
            and not any(
                block._forward_hooks or block._forward_pre_hooks
                for block in [self, self.encoder, *layers]
            )
            and np.count_nonzero(mask.asnumpy()) < FEW_KNOWN * mask.size
        )
