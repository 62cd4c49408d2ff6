"""The order dial: planted effects of order 1, 2 and 3 on or off, and what each model recovers."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Union

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..arguments import shown
from .instrument import Instrument, as_numbers, rounded

__all__ = ['order_dial', 'recovered']

ORDERS = (1, 2, 3)
SETTINGS = [' + '.join(map(str, on)) for n in ORDERS for on in combinations(ORDERS, n)]


def recovered(measured: ArrayLike, start: Union[float, ArrayLike], best: ArrayLike) -> Any:
    """The share of the way from `start` to the best possible that a model has come.

    (measured - start) / (best - start), of any measure that is better when larger, such as AUC.

    Raises
    ------
    ValueError
        Where the best is no better than the start: there is nothing to recover.

    Examples
    --------
    >>> round(float(recovered(0.7, 0.5, 0.9)), 3)
    0.5
    """
    given = {'measured': measured, 'start': start, 'best': best}
    plain = {name: as_numbers(a, name) for name, a in given.items()}
    try:
        np.broadcast_shapes(*(a.shape for a in plain.values()))
    except ValueError:
        shapes = ', '.join(f'{name} {a.shape}' for name, a in plain.items())
        raise ValueError(
            f'the shapes are {shapes}: give one number of each for a model, or one for all.'
        ) from None
    if not (plain['best'] - plain['start'] > 0).all():
        raise ValueError('the best is no better than the start: there is nothing to recover.')
    # a column of a table keeps its index
    measured, start, best = (
        a if isinstance(a, (pd.Series, pd.DataFrame)) else plain[n] for n, a in given.items()
    )
    return (measured - start) / (best - start)


def order_dial(auc: pd.DataFrame, best: str = 'best possible', base: str = 'LR') -> Instrument:
    """Effects switched on and off, and the share of the best possible that each model recovers.

    Parameters
    ----------
    auc : DataFrame
        A row for each setting of the dial, '1', '2', '3', '1 + 2', '1 + 3', '2 + 3', '1 + 2 + 3',
        the orders of the effects that were planted; a column of AUCs for each model, and one of
        the best possible.
    best, base : str
        The columns of the best possible, and of the model of order 1: the way can be measured
        from its AUC in place of a coin toss.

    Raises
    ------
    ValueError
        For settings or columns that are missing, NaN, or a best possible that is no better than a
        coin toss.

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({'LR': 0.6, 'FM': 0.7, 'best possible': 0.8}, index=SETTINGS)
    >>> order_dial(runs).data['models']
    ['LR', 'FM']
    """
    if not hasattr(auc, 'loc'):
        raise ValueError(f'auc is {shown(auc)}: give a frame, a row for each setting.')
    missing = [name for name in SETTINGS if name not in auc.index]
    missing += [name for name in (best, base) if name not in auc.columns]
    if missing:
        raise ValueError(f'the table of AUCs lacks {", ".join(map(str, missing))}: add it.')
    auc = auc.loc[SETTINGS]
    as_numbers(auc.to_numpy(), 'auc')
    auc = auc.astype('float64')
    if not np.isfinite(auc.to_numpy()).all():
        raise ValueError('the table of AUCs holds NaN or infinity: give each model its run.')
    models = [name for name in auc.columns if name != best]
    share = recovered(auc[models].to_numpy(), 0.5, auc[[best]].to_numpy())
    data = {
        'models': [str(name) for name in models],
        'base': models.index(base),
        'auc': {name: rounded(auc.loc[name, models], 6) for name in SETTINGS},
        'best': {name: round(float(auc.loc[name, best]), 6) for name in SETTINGS},
    }
    from ..plot import heatmap

    figure = heatmap(share.T, rows=models, columns=SETTINGS, title='share of the best possible')
    return Instrument('order_dial', data, figure, models=len(models), settings=len(SETTINGS))
