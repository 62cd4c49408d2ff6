"""Begin from the weights of a net trained before, although the vocabulary has grown."""

import mxnet as mx
import numpy as np
from mxnet.gluon.parameter import Constant

from .layers import Embedding, LinearTerm

__all__ = ['warm_start']


def warm_start(net, data, old_net, old_data, crosses=None, old_crosses=None):
    """Copy the weights of `old_net` into `net`, each id's row to where that id is now.

    A vocabulary is ordered anew by each fit, so rows move: they are matched by field and value,
    those of crosses by the tuple of values, hashed ones by bucket. Ids that the old vocabulary
    does not hold keep the values that `net` was initialized with. All other weights are copied
    as they are. A trainer starts afresh; for FTRL to keep the weights use `FTRL`.

    Parameters
    ----------
    net, old_net : models of the same make, initialized, for `data` and `old_data`
    data, old_data : CTRDataset or MultiHot
        Their vocabularies count, not their rows.
    crosses, old_crosses : Crosses, where the nets have them

    Returns
    -------
    bool (V,), True for each id, crosses included, whose row was carried over.

    Raises
    ------
    ValueError
        Where fields, crosses or layers of the two differ, or a net is not that of its data.
    """
    _check_same('fields', data.field_names, old_data.field_names)
    _check_same('crosses', *[c and (c.fields, c.num_buckets) for c in (crosses, old_crosses)])
    source, old_rows = _sources(data, old_data, crosses, old_crosses)
    ids, old_ids = int(sum(data.field_dims)), int(sum(old_data.field_dims))
    params, olds = dict(_params(net)), dict(_params(old_net))
    _check_same('layers', list(params), list(olds))
    for name, (param, is_table) in params.items():
        weight, old = _value(param), _value(olds[name][0])
        if is_table:
            if (len(weight), len(old)) not in ((len(source), old_rows), (ids, old_ids)):
                raise ValueError(
                    f'{name} has {len(weight)} rows and {len(old)} in the old net, '
                    f'but the data has {len(source)} and {old_rows} ids: pass the '
                    'data, and the crosses, that each net was built for.'
                )
            rows = source[: len(weight)]
            _check_same(f'columns of {name}', weight.shape[1:], old.shape[1:])
            weight[rows >= 0] = old[rows[rows >= 0]]
        else:
            _check_same(f'shapes of {name}', weight.shape, old.shape)
            weight = old
        param.set_data(mx.np.array(weight, dtype=weight.dtype))
    return source >= 0


def _sources(data, old_data, crosses, old_crosses):
    """For each id (V,), crosses last, the old id or -1; and the number of the old ids."""
    source, old_offset = [], 0
    pairs = list(zip(_tables(data, crosses), _tables(old_data, old_crosses)))
    for (dim, words), (old_dim, old_words) in pairs:
        rows = np.full(dim, -1, dtype='int64')
        for word, row in words.items():
            if word in old_words:
                rows[row] = old_offset + old_words[word]
        source.append(rows)
        old_offset += old_dim
    return np.concatenate(source), old_offset


def _tables(data, crosses):
    """Number of ids, and {value: id within the field}, of each field and cross, in order."""
    for f, dim in enumerate(data.field_dims, 1):
        words = dict(data.feat_mapper[f])
        if f in data.defaults:  # where every unknown value goes
            words[None] = data.defaults[f]
        yield int(dim), words
    for dim, vocab in zip(crosses.dims, crosses.vocab) if crosses else ():
        hashed = crosses.num_buckets
        yield int(dim), {b: b for b in range(hashed)} if hashed else {**vocab, None: len(vocab)}


def _params(block, prefix=''):
    """(name, (parameter, whether its rows are ids)) of all that is learned or kept."""
    for name, param in block._reg_params.items():
        if not isinstance(param, Constant):
            yield (
                prefix + name,
                (param, name == 'weight' and isinstance(block, (Embedding, LinearTerm))),
            )
    for name, child in block._children.items():
        yield from _params(child, f'{prefix}{name}.')


def _value(param):
    return param.data(param.list_ctx()[0]).asnumpy()


def _check_same(what, new, old):
    if new != old:
        raise ValueError(
            f'the {what} differ ({new} and, before, {old}): a warm start needs the '
            'same model over the same fields, with only more ids.'
        )
