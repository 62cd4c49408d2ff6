"""AutoRec: an autoencoder of rating rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

from mxnet.gluon import nn

from ..arguments import check_whole, shown
from ..layers import ACTIVATIONS, Dropout
from .base import Model

__all__ = ['AutoRec']


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
