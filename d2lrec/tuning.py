"""Choosing settings on the validation set: a seeded random search with a stated budget."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Optional, Union

import numpy as np
import pandas as pd

from .arguments import check_call, check_options, check_seed, check_whole, shown

__all__ = ['Search', 'random_search']

# How the values of one setting are given: a list of choices, or the ends of a range.
Values = Union[Sequence[Any], tuple[float, float]]


@dataclass(frozen=True, repr=False)
class Search:
    """What a random search tried, and what it found best.

    Attributes
    ----------
    best : dict
        The setting of the best trial: `make_and_fit(**search.best)` trains it again.
    table : pandas.DataFrame
        All trials, the best first; the index counts them from 0 in the order they were run.
        Columns: the settings, then what validation said of each.
    histories : list
        What `make_and_fit` returned, by trial (the epochs before, of one that diverged):
        `histories[table.index[0]]` is that of the best.

    Examples
    --------
    >>> distance = lambda x: abs(x - 3)
    >>> random_search(distance, {'x': [1, 2, 5]}, trials=3, score=lambda d: -d)
    Search(3 trials, best {'x': 2})
    """

    best: dict[str, Any]
    table: pd.DataFrame
    histories: list[Any]

    def __repr__(self) -> str:
        return f'Search({len(self.histories)} trials, best {self.best})'


def random_search(
    make_and_fit: Callable[..., Any],
    space: Mapping[str, Values],
    *,
    trials: int = 8,
    seed: int = 0,
    score: Optional[Union[str, Callable[[Any], float]]] = None,
) -> Search:
    """Try settings drawn at random, and keep the one that the validation set finds best.

    Two models are compared fairly when each is given as many trials. Random draws beat a grid
    of as many points where only some of the settings matter, since each trial then tries
    another value of those that do: Bergstra and Bengio, JMLR 13, 2012.

    Parameters
    ----------
    make_and_fit : function of the settings, by name, that returns a History
        It makes a net, fits it with a validation set and returns what `fit` returned.
    space : dict from the name of a setting to its values
        A list holds choices, each as likely. A tuple (low, high) of positive numbers is a range:
        the logarithm is drawn evenly, and the value rounded to two digits, so that the setting
        is what the table shows.
    trials : int
        The budget. No setting is tried twice.
    seed : int
        Draws the settings; more trials with the same seed begin with the same ones.
    score : str or function, optional
        What decides, of the epoch that a history kept. By default `'valid_rmse'` of a rating
        model and `'valid_loss'` of all others: what `fit` chooses the epoch by. Names that end
        in loss, rmse or mae are better when lower, others when higher, such as `'valid_auc'`. A
        function is given what `make_and_fit` returned and gives a number, better when higher.

    Returns
    -------
    Search, with `best`, `table` and `histories`. Of equal scores the earlier trial is better; a
    trial whose loss or weights stop being finite comes last, with a warning.

    Raises
    ------
    ValueError
        For a range that does not run up from above 0, an empty list, more trials than the space
        has settings, a name that the function does not take, or a history without the measure;
        where no trial has a score that is a number.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> clicks = d2l.planted(2000, [20, 10], pairwise=2.0, seed=0)
    >>> def make_and_fit(K, wd):
    ...     net = d2l.FM(clicks.field_dims, num_factors=K)
    ...     return d2l.fit(net, clicks[:1600], clicks[1600:], wd=wd, num_epochs=2)
    >>> search = random_search(make_and_fit, {'K': [2, 4, 8], 'wd': (1e-5, 1e-2)}, trials=3)
    >>> sorted(search.best), len(search.table), list(search.table)[:2]
    (['K', 'wd'], 3, ['K', 'wd'])
    """
    check_call(make_and_fit, 'make_and_fit', 'a function')
    settings = _draw(space, trials, seed)
    _check_names(make_and_fit, space)
    results, rows = [], []
    for trial, setting in enumerate(settings):
        try:
            results.append(make_and_fit(**setting))
        except ValueError as error:
            if not getattr(error, 'diverged', False):
                raise
            warnings.warn(f'trial {trial}, {setting}, comes last: {error}', stacklevel=2)
            results.append(error.history)
            rows.append({})
        else:
            rows.append(_measures(results[-1], score))
    done = [row for row in rows if row]
    if not done:
        raise ValueError('every trial diverged: give smaller learning rates.')
    name = _deciding(done[0]) if score is None else score if isinstance(score, str) else 'score'
    for trial, row in enumerate(rows):
        if row and name not in row:
            raise ValueError(
                f'trial {trial} has no {name!r}, only {", ".join(row) or "no measure"}: fit with '
                'a validation set, or name another score.'
            )
    if all(math.isnan(row[name]) for row in done):
        raise ValueError(
            f'{name!r} is not a number in any trial: see that the validation part has both classes.'
        )
    table = pd.DataFrame([{**setting, **row} for setting, row in zip(settings, rows)])
    lower = name.endswith(('loss', 'rmse', 'mae'))
    table = table.sort_values(name, ascending=lower, kind='stable')  # what is not a number: last
    table.index.name = 'trial'
    return Search(settings[table.index[0]], table, results)


def _draw(space, trials, seed) -> list[dict]:
    """So many different settings, drawn one after the other."""
    if not isinstance(space, Mapping):
        raise ValueError(f'space is {shown(space)}: give a dict {{name: choices}}.')
    if not space:
        raise ValueError('space is empty: name at least one setting and its values.')
    check_whole(trials, 'trials')
    for name, values in space.items():
        _check(name, values)
    if not any(isinstance(values, tuple) for values in space.values()):
        size = math.prod(len(values) for values in space.values())
        if trials > size:
            raise ValueError(f'the space has {size} settings and {trials} trials are asked for.')
    rng = np.random.default_rng(check_seed(seed))
    settings: list[dict] = []
    for _ in range(1000 * trials):
        setting = {name: _one(values, rng) for name, values in space.items()}
        if setting not in settings:
            settings.append(setting)
        if len(settings) == trials:
            return settings
    raise ValueError(
        f'only {len(settings)} different settings were found for {trials} trials: widen a range.'
    )


def _check_names(make_and_fit, space):
    """Refuse settings that the function does not take, before the first trial."""
    try:
        takes = inspect.signature(make_and_fit).parameters.values()
    except (TypeError, ValueError):  # of a function that is not Python's
        return
    if not any(p.kind == p.VAR_KEYWORD for p in takes):
        named = [p.name for p in takes if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        check_options(space, named, 'make_and_fit')


def _check(name, values):
    if isinstance(values, tuple):
        numbers = all(isinstance(v, Real) and math.isfinite(v) for v in values)
        if len(values) != 2 or not numbers or not 0 < values[0] < values[1]:
            raise ValueError(
                f'space[{name!r}] is {values}: a tuple is a range (low, high) with 0 < low < high; '
                'put choices in a list.'
            )
    elif not isinstance(values, list) or not values:
        raise ValueError(
            f'space[{name!r}] is {shown(values)}: give a list of choices or a range (low, high).'
        )


def _one(values, rng):
    """One of the choices, or a number between low and high of two significant digits."""
    if isinstance(values, list):
        return values[rng.integers(len(values))]
    low, high = values
    drawn = math.exp(rng.uniform(math.log(low), math.log(high)))
    return float(min(max(float(f'{drawn:.2g}'), low), high))


def _measures(result, score) -> dict:
    """What validation said of a trial: the kept epoch and its `valid_…`, or the score given."""
    if callable(score):
        found = score(result)
        try:
            return {'score': float(found)}
        except (TypeError, ValueError):
            raise ValueError(
                f'score gave {shown(found)}: return a number, better when higher.'
            ) from None
    if not hasattr(result, 'kept'):
        raise ValueError(
            f'make_and_fit returned {type(result).__name__}: return the History that fit returns, '
            'or pass score=, a function of what it does return.'
        )
    kept = result.kept
    return {k: v for k, v in kept.items() if k == 'epoch' or k.startswith('valid_') or k == score}


def _deciding(row) -> str:
    """The measure that decides where none is named: the one that `fit` chooses the epoch by."""
    return 'valid_rmse' if 'valid_rmse' in row else 'valid_loss'
