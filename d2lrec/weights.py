"""A net's weights by name: copied, put back, and looked at."""

from __future__ import annotations

from typing import Optional

import mxnet as mx
import numpy as np
from mxnet import gluon

from .arguments import check_net


def weights_of(net) -> dict:
    """{name within the net: Parameter}, without constants.

    The names follow the attributes, as in `save_parameters`: unlike Gluon's own they are the
    same for every net of a kind.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> list(weights_of(d2l.LR([3, 2])))
    ['linear.weight', 'linear.bias']
    """
    check_net(net)
    return {
        name: p
        for name, p in net._collect_params_with_prefix().items()
        if not isinstance(p, gluon.Constant)
    }


def copy_weights(net) -> Optional[dict]:
    """{name: a copy of its values, on the first device}; None where a size is still unknown."""
    try:
        return {name: p.data(p.list_ctx()[0]).copy() for name, p in weights_of(net).items()}
    except gluon.parameter.DeferredInitializationError:
        return None


def restore_weights(net, weights: dict) -> None:
    """Put a copy of the weights back, on every device."""
    for name, p in weights_of(net).items():
        p.set_data(weights[name])


def sum_of_squares(net, largest: float = float('inf')):
    """The squares of all weights, added up on the first device: finite only if they all are.

    Tables of more than `largest` numbers are left out, and so is what is no float32.
    """
    arrays = [p.data(p.list_ctx()[0]) for p in weights_of(net).values()]
    arrays = [
        a.as_nd_ndarray() if hasattr(a, 'as_nd_ndarray') else a
        for a in arrays
        if a.dtype == np.float32 and 0 < a.size <= largest
    ]
    if not arrays:
        return mx.nd.zeros((1,))
    return mx.nd.multi_sum_sq(*arrays, num_arrays=len(arrays)).sum()


def not_finite(net, largest: float = float('inf')) -> Optional[str]:
    """The name of the first weight that holds what is no number, or is infinite; else None.

    Looked at are those that `sum_of_squares` adds up.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> net = d2l.LR([3, 2])
    >>> net.initialize()
    >>> not_finite(net) is None
    True
    >>> net.linear.bias.set_data(mx.np.array([float('nan')]))
    >>> not_finite(net)
    'linear.bias'
    """
    if np.isfinite(sum_of_squares(net, largest).asnumpy()).all():
        return None
    for name, p in weights_of(net).items():
        if not np.isfinite(p.data(p.list_ctx()[0]).asnumpy()).all():
            return name
    return None  # squares too large for float32
