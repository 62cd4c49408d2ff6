"""A logit taken apart: bias, weights and every pair's inner product of a factorization machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .. import palette
from ..arguments import check_whole
from ..arguments import shown as in_a_line
from ..data.ctr import CTRDataset, Encoded
from ..models.fm import FM
from ..train.devices import devices_of
from .instrument import Instrument, of_kind, packed, spoken, whole_numbers

__all__ = ['logit', 'logit_terms']

FEW = 60  # values of a field that are told; more are names of users or things
GROUPS = ('bias', 'own weights', 'other weights', 'own pairs', 'other pairs', 'pairs between')


def logit_terms(net: FM, ids: ArrayLike) -> tuple[float, np.ndarray, np.ndarray]:
    """The terms that an FM's logit of one row is the sum of.

    Rendle, Factorization Machines, ICDM 2010, equation (1).

    Parameters
    ----------
    net : FM
    ids : array (F,) of whole numbers, as the net takes them

    Returns
    -------
    bias : float
    weights : array (F,)
    pairs : array (F, F)
        Above the diagonal the inner products of the fields' vectors, elsewhere 0.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> import mxnet as mx
    >>> net = d2l.FM([2, 3], 4)
    >>> net.initialize()
    >>> bias, weights, pairs = d2l.instruments.logit_terms(net, [1, 2])
    >>> whole = net(mx.np.array([[1, 2]], dtype='int32')).item()
    >>> bool(abs(bias + weights.sum() + pairs.sum() - whole) < 1e-6)
    True
    """
    of_kind(net, FM, 'net')
    devices_of(net)  # refuses one without weights
    ids = whole_numbers(ids, 'ids', net.num_features)
    if ids.ndim != 1:
        raise ValueError(f'ids has shape {ids.shape}: give those of one row, (F,).')
    weights = net.linear.weight.data().asnumpy().astype('float64')[ids, 0]
    vectors = net.embedding.weight.data().asnumpy().astype('float64')[ids]
    return float(net.linear.bias.data().item()), weights, np.triu(vectors @ vectors.T, 1)


def logit(
    net: FM,
    data: CTRDataset,
    ids: ArrayLike,
    own: str = 'user',
    names: Optional[Mapping[str, Mapping[Any, str]]] = None,
    most: int = 250,
) -> Instrument:
    """A logit taken apart, for two rows side by side: each field's value can be chosen.

    The rows differ in the field `own` and in the fields that follow from it, as a user's age
    does; all others they share.

    Parameters
    ----------
    net : FM
        Of one value a field; it may read fewer fields than there are, the first ones.
    data : CTRDataset
        Which names the fields and values, and shows which fields follow from which.
    ids : array (2, F)
        The two rows to begin with.
    own : str
        The field that is chosen for each row.
    names : dict {field: {value: text}}, or of Series, optional
        What readers know the values by, such as films' titles.
    most : int
        Values of a field to choose from, the most frequent.

    Raises
    ------
    ValueError
        For a net that is no FM or reads bags, ids that are not two rows of it, or an `own` that
        is no field.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> import pandas as pd
    >>> log = pd.DataFrame({'click': [1, 0, 1, 0], 'user': list('aabb'), 'film': list('xyxy')})
    >>> data = d2l.CTRDataset(log, min_threshold=1)
    >>> net = d2l.FM(data.field_dims, 4)
    >>> net.initialize()
    >>> d2l.instruments.logit(net, data, [data.features[0], data.features[3]]).data['fields']
    ['user', 'film']
    """
    if not isinstance(net, FM) or net.bag_sizes:
        raise ValueError(
            f'{type(net).__name__} is no FM of one value a field: its logit has other terms; '
            'give an FM.'
        )
    devices_of(net)  # refuses one without weights
    of_kind(data, Encoded, 'data')
    of_kind(names or {}, Mapping, 'names')
    for field, texts in (names or {}).items():
        if not isinstance(texts, (Mapping, pd.Series)):
            raise ValueError(
                f'names[{field!r}] is {in_a_line(texts)}: give a dict {{value: text}}.'
            )
    most = check_whole(most, 'most')
    fields = list(data.field_names[: net.num_fields])
    ids = whole_numbers(ids, 'ids', net.num_features)
    if ids.shape != (2, len(fields)):
        raise ValueError(f'ids has shape {ids.shape}: give (2, {len(fields)}), two rows.')
    if own not in fields:
        raise ValueError(f'there is no field {own!r}: choose one of {", ".join(fields)}.')
    X = data.features[:, : len(fields)]
    shown = [_shown(data, f, ids[:, f], most) for f in range(len(fields))]
    follow = {
        f: table for f in range(len(fields)) for table in [_followers(data, X, f, shown)] if table
    }
    leader = fields.index(own)
    owned = [leader, *(follow[leader][0] if leader in follow else [])]
    every = np.concatenate(shown)
    values = [
        [_named(data, i, (names or {}).get(field, {})) for i in own_ids]
        for field, own_ids in zip(fields, shown)
    ]
    few = [one for row in values if len(row) <= FEW for one in row if one and not one.isdigit()]
    given = {
        'fields': fields,
        'values': values,
        'names': sorted({*fields, *few} - set(spoken('logit')['en'])),  # told as in tables
        'bias': float(net.linear.bias.data().item()),
        'weights': packed(net.linear.weight.data().asnumpy()[every, 0]),
        'vectors': packed(net.embedding.weight.data().asnumpy()[every]),
        'own': owned,
        'follow': {f: {'fields': table[0], 'values': table[1]} for f, table in follow.items()},
        'start': [[shown[f].index(i) for f, i in enumerate(row)] for row in ids.tolist()],
    }
    totals = [_groups(net, row, owned) for row in ids]
    labels = [_named(data, row[leader], (names or {}).get(own, {})) or '?' for row in ids]
    return Instrument(
        'logit',
        given,
        _figure(totals, [f'{own} {text}'[:40] for text in labels]),
        first=f'{sum(totals[0]):.2f}',
        second=f'{sum(totals[1]):.2f}',
        fields=len(fields),
        pairs=len(fields) * (len(fields) - 1) // 2,
    )


def _shown(data, f, wanted, most):
    """The ids of a field to choose from: the most frequent, and those that are wanted."""
    own = data.ids_of(data.field_names[f])
    every = range(own.start, own.stop)
    first = list(every) if len(every) <= most else list(every)[:most]
    return sorted({*first, *map(int, wanted)})


def _followers(data, X, f, shown):
    """The fields that follow from a field, and their values for each of its own; None if none.

    A field follows where each value of the other, the unknown one left out, has one of its own.
    """
    own = data.ids_of(data.field_names[f])
    start, stop = own.start, own.stop
    known = [i for i in range(start, stop) if data.value_of(i)[1] is not None]
    inside = np.isin(X[:, f], known)
    first = np.zeros(stop - start, int)
    rows = np.flatnonzero(inside)[::-1]
    first[X[rows, f] - start] = rows
    same = (X[first[X[inside, f] - start]] == X[inside]).all(axis=0)
    dims = np.asarray(data.field_dims)[: X.shape[1]]
    followers = [g for g in np.flatnonzero(same).tolist() if g != f and dims[g] < dims[f]]
    if not followers:
        return None
    seen = set(X[inside, f].tolist())
    table = [
        [shown[g].index(int(X[first[i - start], g])) for g in followers] if i in seen else None
        for i in shown[f]
    ]
    return followers, table


def _named(data, i, names):
    value = data.value_of(int(i))[1]
    if value is None:
        return None
    return str(names.get(value, names.get(int(value) if value.isdigit() else value, value)))


def _groups(net, row, owned):
    """The sums of a row's terms by GROUPS: those of its own fields, of the others, between."""
    bias, weights, pairs = logit_terms(net, row)
    mine = np.isin(np.arange(len(row)), owned)
    both, one = np.outer(mine, mine), mine[:, None] | mine[None]
    return [
        bias,
        weights[mine].sum(),
        weights[~mine].sum(),
        pairs[both].sum(),
        pairs[~one].sum(),
        pairs[one & ~both].sum(),
    ]


def _figure(totals, titles):
    """Each row's groups as bars that add up to its logit."""
    from ..plot import _figure, _styled, _text

    @_styled
    def draw():
        figure, axes = _figure(2, width=4.0, height=2.5)
        for axis, parts, title in zip(axes, totals, titles):
            starts = np.concatenate([[0.0], np.cumsum(parts)])[:-1]
            axis.barh(
                range(6),
                parts,
                left=starts,
                height=0.6,
                color=[palette.A if part >= 0 else palette.B for part in parts],
            )
            axis.barh([6], [sum(parts)], height=0.6, color=palette.C)
            axis.axvline(0, color=palette.LINE, linewidth=1)
            axis.set(title=_text(title), xlabel='logit')
            axis.set_yticks(range(7), [*GROUPS, 'logit'])
            axis.invert_yaxis()
            axis.grid(axis='y', visible=False)
        axes[1].set_yticks(range(7), [''] * 7)
        low = min(axis.get_xlim()[0] for axis in axes)
        high = max(axis.get_xlim()[1] for axis in axes)
        for axis in axes:
            axis.set_xlim(low, high)
        return figure

    return draw()
