"""Begin from the weights of a net trained before, although the vocabulary has grown."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon

from .data.encoder import Encoder
from .data.vocabulary import Vocabulary
from .origin import remember
from .weights import weights_of

__all__ = ['warm_start']


def warm_start(net: gluon.Block, data: Any, old_net: gluon.Block, old_data: Any) -> np.ndarray:
    """Copy the weights of `old_net` into `net`, each id's row to where that id is now.

    A vocabulary is ordered anew by each fit, so rows move: they are matched by field and value,
    those of crosses by the tuple of values, hashed ones by bucket. Ids that the old vocabulary
    does not hold keep the values that `net` was initialized with. All other weights are copied
    as they are. A trainer starts afresh; for FTRL to keep the weights use `FTRL`.

    Parameters
    ----------
    net, old_net : models of the same make, initialized, for `data` and `old_data`
    data, old_data : data sets, such as CTRDataset or MultiHot, or an Encoder or a Vocabulary
        What encodes counts, not the rows; crosses come with the encoder.

    Returns
    -------
    bool (V,), True for each id, crosses included, whose row was carried over.

    Raises
    ------
    ValueError
        Where fields, crosses or layers of the two differ, or a net is not that of its data.

    Examples
    --------
    >>> import pandas as pd
    >>> import d2lrec as d2l
    >>> frame = pd.DataFrame({'y': [1, 0, 1], 'town': ['Oslo', 'Rome', 'Lima']})
    >>> old, new = (d2l.CTRDataset(part, min_threshold=1) for part in (frame[:2], frame))
    >>> nets = [d2l.LR(part.field_dims) for part in (old, new)]
    >>> for net in nets:
    ...     net.initialize()
    >>> warm_start(nets[1], new, nets[0], old).tolist()
    [False, True, True, True]
    """
    tables, olds = _tables(data), _tables(old_data)
    for what, of in ('fields', _fields), ('crosses', _crosses):
        _check_same(what, of(tables), of(olds))
    source, old_rows = _sources(tables, olds)
    params, old_params = weights_of(net), weights_of(old_net)
    _check_same('layers', list(params), list(old_params))
    # The linear term of a net with crosses has them, its embedding does not.
    ids, old_ids = (sum(dim for name, dim, _ in t if isinstance(name, str)) for t in (tables, olds))
    for name, param in params.items():
        weight, old = _value(param), _value(old_params[name])
        if getattr(param, 'of_ids', False):
            if (len(weight), len(old)) not in ((len(source), old_rows), (ids, old_ids)):
                raise ValueError(
                    f'{name} has {len(weight)} rows and {len(old)} in the old net, '
                    f'but the data has {len(source)} and {old_rows} ids: pass the '
                    'data, with its crosses, that each net was built for.'
                )
            rows = source[: len(weight)]
            _check_same(f'columns of {name}', weight.shape[1:], old.shape[1:])
            weight[rows >= 0] = old[rows[rows >= 0]]
        else:
            _check_same(f'shapes of {name}', weight.shape, old.shape)
            weight = old
        param.set_data(mx.np.array(weight, dtype=weight.dtype))
    object.__setattr__(net, '_origin', None)
    remember(net, data)
    return source >= 0


def _tables(data):
    """(name, number of ids, {value: id}) of each field, and each cross, of what encodes `data`."""
    if isinstance(data, Vocabulary):
        return Encoder(data).tables()
    encoder = data if isinstance(data, Encoder) else getattr(data, 'encoder', None)
    if not isinstance(encoder, Encoder):
        raise ValueError(
            f'{type(data).__name__} has no vocabulary: give a CTRDataset, an Encoder or a '
            'Vocabulary.'
        )
    return encoder.tables()


def _fields(tables):
    return [name for name, _, _ in tables if isinstance(name, str)]


def _crosses(tables):
    """Name of each cross and, where it is hashed, its number of buckets."""
    return [
        (name, None if None in ids else dim)
        for name, dim, ids in tables
        if not isinstance(name, str)
    ]


def _sources(tables, olds):
    """For each id (V,), crosses last, the old id or -1; and the number of the old ids."""
    source, old_offset = [], 0
    for (_, dim, ids), (_, old_dim, old_ids) in zip(tables, olds):
        rows = np.full(dim, -1, dtype='int64')
        for value, row in ids.items():
            if value in old_ids:
                rows[row] = old_offset + old_ids[value]
        source.append(rows)
        old_offset += old_dim
    return np.concatenate(source), old_offset


def _value(param):
    return param.data(param.list_ctx()[0]).asnumpy()


def _check_same(what, new, old):
    if new != old:
        raise ValueError(
            f'the {what} differ ({new} and, before, {old}): a warm start needs the '
            'same model over the same fields, with only more ids.'
        )
