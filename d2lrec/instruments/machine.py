"""Will one machine do? Memory, time and bandwidth of training a DLRM, from a few numbers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Optional

from .. import palette
from ..arguments import check_flag, check_options, check_real, shown
from .instrument import Instrument

__all__ = ['machine', 'training_needs']

COPIES = {'SGD': 1, 'AdaGrad': 2, 'Adam': 3}  # of the table: weights, and the optimizer's state
HIDDEN = 64, 32  # the chapter's DLRM
FLOAT = 4  # bytes
# Parameters of the embeddings and length of a vector. Naumov et al. 2019; MLPerf's DLRM, Desai et
# al. 2022, section 1; a model in production, Mudigere et al. 2022, to whose 12 trillion a length
# of 128 is taken.
SYSTEMS = {
    'DLRM, Criteo Kaggle': (540e6, 16),
    'MLPerf, Criteo terabyte': (25e9, 128),
    'Meta, production': (12e12, 128),
}


def training_needs(
    table_rows: float,
    rows: float,
    fields: int = 26,
    factors: int = 8,
    optimizer: str = 'Adam',
    dense_gradient: bool = False,
    batch: int = 1024,
    speed: float = 1e8,
    network: float = 10.0,
) -> dict[str, float]:
    """What training a DLRM takes: memory on one machine, time, and what a network would carry.

    An estimate by multiplication. It leaves out activations, the framework itself, and the time
    that looking rows up in a large table takes beyond that of a small one.

    Parameters
    ----------
    table_rows : float
        Rows of all embedding tables together.
    rows : float
        Rows of the log, of which one epoch is trained.
    fields : int
        F. Each has an equal part of the table and one value a row, drawn evenly from it.
    factors : int
        K, the length of a vector.
    optimizer : 'SGD', 'AdaGrad' or 'Adam'
    dense_gradient : bool
        A gradient as large as the table, instead of one of the rows that a batch touches.
    batch : int
    speed : float
        Multiply-adds a second, forward, while it trains: measured, with everything it waits for.
    network : float
        Gigabits a second, if machines share the work.

    Returns
    -------
    dict
        `memory` (bytes), `parameters` of the MLPs, `multiply_adds` of a row, `rows_per_second`,
        `seconds` of an epoch, `touched` rows of a batch; `mlps`, `pulled` and `whole`: bytes that
        a step carries for the MLPs added up, for the touched rows pulled and pushed, and for the
        whole table; and `mlps_share`, `pulled_share`, `whole_share`, their times on the network
        over that of a step.

    Raises
    ------
    ValueError
        For another optimizer, or a number that is not above 0.

    Examples
    --------
    >>> needs = training_needs(540e6 / 16, 1e9, factors=16)
    >>> round(needs['memory'] / 1e9, 1)  # GB: weights and Adam's two moments
    6.5
    """
    if not isinstance(optimizer, str) or optimizer not in COPIES:
        raise ValueError(f'optimizer is {shown(optimizer)}: choose one of {", ".join(COPIES)}.')
    dense_gradient = check_flag(dense_gradient, 'dense_gradient')
    for name, value in (
        ('table_rows', table_rows),
        ('rows', rows),
        ('fields', fields),
        ('factors', factors),
        ('batch', batch),
        ('speed', speed),
        ('network', network),
    ):
        if not check_real(value, name, 'a number above 0') > 0:
            raise ValueError(f'{name} is {shown(value)}: give a number above 0.')
    first, second = HIDDEN
    mlps = (fields * (fields - 1) // 2 + 1) * first + (first + 1) * second + second + 1
    multiply_adds = fields**2 * (factors + first) + first * second + second
    table = table_rows * factors
    of_field = max(table_rows / fields, 1)
    hit = -math.expm1(batch * math.log1p(-1 / of_field)) if of_field > 1 else 1.0
    touched = min(table_rows, fields * of_field * hit)
    rows_per_second = speed / multiply_adds
    step = batch / rows_per_second
    carried = {
        'mlps': 2 * FLOAT * mlps,
        'pulled': 2 * FLOAT * factors * touched,
        'whole': 2 * FLOAT * table,
    }
    return {
        'memory': FLOAT * (table + mlps) * (COPIES[optimizer] + dense_gradient),
        'parameters': mlps,
        'multiply_adds': multiply_adds,
        'rows_per_second': rows_per_second,
        'seconds': rows / rows_per_second,
        'touched': touched,
        **carried,
        **{f'{name}_share': b / (network * 1e9 / 8) / step for name, b in carried.items()},
    }


def machine(
    speed: float, own: Optional[Mapping[str, float]] = None, memory: float = 64.0
) -> Instrument:
    """Will one machine do? `training_needs` with sliders, beside what one machine has.

    Parameters
    ----------
    speed : float
        As in `training_needs`: rows a second of a DLRM that was trained, times its multiply-adds.
    own : dict, optional
        Arguments of `training_needs` to begin with.
    memory : float
        Gigabytes of the machine to begin with.

    Examples
    --------
    >>> machine(1e9, {'rows': 1e9}).data['start']['rows']
    1000000000.0
    """
    speed = check_real(speed, 'speed', 'a number above 0')
    if not check_real(memory, 'memory', 'a number of gigabytes above 0') > 0:
        raise ValueError(f'memory is {shown(memory)}: give a number of gigabytes above 0.')
    if own is not None and not isinstance(own, Mapping):
        raise ValueError(f'own is {shown(own)}: give a dict of arguments of training_needs.')
    known = list(inspect.signature(training_needs).parameters)
    check_options(own or {}, known, 'training_needs')
    start = {
        'table_rows': 540e6 / 16,
        'rows': 1e9,
        'fields': 26,
        'factors': 16,
        'optimizer': 'Adam',
        'dense_gradient': False,
        'batch': 1024,
        'speed': speed,
        'network': 10.0,
        **(own or {}),
    }
    needs = training_needs(**start)
    sizes = {
        name: training_needs(parameters / factors, 1, factors=factors)['memory'] / 1e9
        for name, (parameters, factors) in SYSTEMS.items()
    }
    return Instrument(
        'machine',
        {
            'start': start,
            'memory': memory,
            'copies': COPIES,
            'hidden': HIDDEN,
            'names': list(SYSTEMS),
            'systems': [
                [parameters / factors, factors] for parameters, factors in SYSTEMS.values()
            ],
        },
        _figure(sizes, memory),
        gigabytes=f'{needs["memory"] / 1e9:.1f}',
        hours=f'{needs["seconds"] / 3600:.1f}',
        memory=f'{memory:g}',
    )


def _figure(sizes, memory):
    """The memory of real systems beside a machine's."""
    from ..plot import _figure, _styled

    @_styled
    def draw():
        figure, (axis,) = _figure(1, width=6.0, height=1.9)
        axis.barh(range(len(sizes)), list(sizes.values()), height=0.55, color=palette.A)
        axis.axvline(memory, color=palette.MUTED, linestyle='--')
        axis.set(xscale='log', xlim=(1, 1e6), xlabel='memory with Adam, GB')
        axis.set_xticks([1, 100, 10_000, 1_000_000], ['1', '100', '10,000', '1,000,000'])
        axis.minorticks_off()
        axis.set_yticks(range(len(sizes)), list(sizes))
        axis.invert_yaxis()
        axis.grid(axis='y', visible=False)
        return figure

    return draw()
