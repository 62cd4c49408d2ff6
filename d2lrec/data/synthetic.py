"""Clicks from a known model, so that the best that any model could reach is known."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import pandas as pd

from .. import metrics
from ..arguments import check_flag, check_real, check_seed, check_whole
from ..layers import check_field_dims
from .columns import Examples

__all__ = ['Planted', 'PlantedLog', 'planted', 'planted_histories', 'planted_log']

MOST = 1_000_000_000  # rows and the like, of a wish that may be meant


class Planted(Examples):
    """Clicks with their true probabilities; N rows, F fields, V = sum(field_dims).

    Parameters
    ----------
    features : int32 (N, F), ids already offset by field
    labels : float32 (N,), 0 or 1
    probs : float64 (N,), the probability that each label was drawn with
    field_dims : int64 (F,)
    terms : dict of float64 (N,), what each effect added to the logit

    Examples
    --------
    >>> data = planted(100, [3, 2])
    >>> data[:10]
    Planted(10 rows, field_dims [3, 2])
    >>> data[:10].probs.shape, sorted(data.terms)
    ((10,), ['linear', 'nonlinear', 'pairwise', 'threeway'])
    """

    def __init__(
        self,
        features: Any,
        labels: Any,
        probs: np.ndarray,
        field_dims: Sequence[int],
        terms: Optional[Mapping[str, np.ndarray]] = None,
    ):
        super().__init__({'ids': features}, labels)
        self.field_dims = np.asarray(field_dims, 'int64')
        self._per_row = {'probs': np.asarray(probs), **_prefixed(terms or {})}
        for name, array in self._per_row.items():
            if len(array) != len(self):
                raise ValueError(f'{name} has {len(array)} rows for {len(self)} clicks.')

    @property
    def features(self) -> np.ndarray:
        """The ids, `columns['ids']`: (N, F) int32, offset by field."""
        return self.columns['ids']

    @property
    def probs(self) -> np.ndarray:
        """The probability that each label was drawn with, (N,) float64."""
        return self._per_row['probs']

    @property
    def terms(self) -> dict[str, np.ndarray]:
        """What each effect added to the logit: {name: (N,) float64}."""
        return {name[5:]: a for name, a in self._per_row.items() if name.startswith('term ')}

    @property
    def best(self) -> dict:
        """`metrics.ctr_report` of the true probabilities: no model can expect to do better."""
        return metrics.ctr_report(self.labels, self.probs)

    def _alike(self):
        return self.field_dims.tolist()

    def __repr__(self):
        return f'Planted({len(self):,} rows, field_dims {self.field_dims.tolist()})'

    def frame(self) -> pd.DataFrame:
        """A label and the ids within each field, as `CTRDataset` reads them."""
        offsets = np.cumsum(self.field_dims) - self.field_dims
        table = pd.DataFrame(
            self.features - offsets, columns=[f'field{f + 1}' for f in range(len(self.field_dims))]
        )
        table.insert(0, 'label', self.labels.astype('int64'))
        return table

    def write(self, path: Union[str, os.PathLike]) -> None:
        """Write the label-first, tab-separated file that `CTRDataset` reads."""
        self.frame().to_csv(path, sep='\t', header=False, index=False)


def _prefixed(terms):
    return {f'term {name}': np.asarray(term) for name, term in terms.items()}


def _unit(term):
    """`term` with mean 0 and variance 1, so that strengths compare."""
    spread = term.std()
    return (term - term.mean()) / spread if spread else term * 0


def planted(
    num_rows: int,
    field_dims: Sequence[int],
    *,
    linear: float = 1.0,
    pairwise: float = 1.0,
    threeway: float = 0.0,
    nonlinear: float = 0.0,
    rate: float = 0.3,
    zipf: float = 1.0,
    num_factors: int = 4,
    random_labels: bool = False,
    seed: int = 0,
) -> Planted:
    """Draw clicks from a model that is a sum of four effects, each of a chosen strength.

    logit = c + linear · z₁ + pairwise · z₂ + threeway · z₃ + nonlinear · z₄, with every z scaled
    to variance 1 over the rows:

    - z₁ = sum_f w[x_f],
    - z₂ = sum_{f<g} <a[x_f], a[x_g]>, which an FM can hold exactly,
    - z₃ = sum_{f<g<h} sum_k b[x_f]_k b[x_g]_k b[x_h]_k,
    - z₄ = sin(2 s), s a sum of one hidden number a field, of variance 1.

    Parameters
    ----------
    num_rows : int
    field_dims : sequence of int
    linear, pairwise, threeway, nonlinear : float
        Strength of each effect in logits (its standard deviation); 0 switches it off.
    rate : float
        Mean probability of a click, reached through the constant c.
    zipf : float
        Ids of a field occur in proportion to 1 / rank^zipf; 0 makes them uniform.
    num_factors : int
        Length of the vectors a and b.
    random_labels : bool
        Labels that no feature tells anything about: every model must end at AUC .5.
    seed : int

    Returns
    -------
    Planted

    Raises
    ------
    ValueError
        For fewer than one row, an empty field, or a rate outside (0, 1).

    Examples
    --------
    >>> data = planted(1_000, [5, 4], rate=0.2)
    >>> data, round(float(data.probs.mean()), 3)
    (Planted(1,000 rows, field_dims [5, 4]), 0.2)
    """
    dims = np.asarray(check_field_dims(field_dims), dtype='int64')
    num_rows = check_whole(num_rows, 'num_rows', 1, MOST)
    check_whole(num_factors, 'num_factors', 1, MOST)
    random_labels = check_flag(random_labels, 'random_labels')
    strengths = dict(linear=linear, pairwise=pairwise, threeway=threeway, nonlinear=nonlinear)
    for name, value in {**strengths, 'zipf': zipf}.items():
        check_real(value, name)
    _check_rate(rate)
    rng = np.random.default_rng(check_seed(seed))
    offsets = np.cumsum(dims) - dims
    x = np.empty((num_rows, dims.size), dtype='int32')
    for f, dim in enumerate(dims):
        with np.errstate(over='ignore'):
            weight = np.arange(1, dim + 1, dtype='float64') ** -zipf
        if not 0 < weight.sum() < np.inf:
            raise ValueError(f'zipf is {zipf}: give a number of the size of 1.')
        x[:, f] = offsets[f] + rng.choice(dim, size=num_rows, p=weight / weight.sum())

    total = int(dims.sum())
    w, hidden = rng.normal(size=total), rng.normal(size=total)
    a, b = rng.normal(size=(2, total, num_factors))

    # Power sums p_n = sum_f v_fⁿ turn sums over pairs and triples into sums over fields.
    a1, a2 = a[x].sum(1), np.square(a)[x].sum(1)
    b1, b2, b3 = b[x].sum(1), np.square(b)[x].sum(1), (b**3)[x].sum(1)
    terms = {
        'linear': linear * _unit(w[x].sum(1)),
        'pairwise': pairwise * _unit(((a1**2 - a2) / 2).sum(1)),
        'threeway': threeway * _unit(((b1**3 - 3 * b1 * b2 + 2 * b3) / 6).sum(1)),
        'nonlinear': nonlinear * _unit(np.sin(2 * _unit(hidden[x].sum(1)))),
    }
    logits = sum(terms.values())
    if random_labels:
        terms, logits = {name: t * 0 for name, t in terms.items()}, logits * 0
    probs, labels = _clicks(rng, logits, rate)
    return Planted(x, labels, probs, dims, terms)


def planted_histories(
    num_rows: int,
    num_groups: int = 20,
    group_size: int = 10,
    length: int = 10,
    *,
    linear: float = 0.5,
    related: float = 1.0,
    latest: float = 0.0,
    threeway: float = 0.0,
    rate: float = 0.3,
    seed: int = 0,
) -> Planted:
    """Draw clicks that depend on what the user had before, by effects of a chosen strength.

    Items are of groups, as films are of kinds, and each item has a sign, + or -, such as 'was
    good'. A user likes three groups: four past items in five are of these, the rest any, and
    every other item at hand too. Histories are from half of `length` to `length` items long.

    logit = c + linear · z₁ + related · z₂ + latest · z₃ + threeway · z₄, with every z scaled to
    variance 1 over the rows:

    - z₁ = w[context] + w[item],
    - z₂ = how many of the past items are of the item's group,
    - z₃ = the sign of the **latest** past item of the item's group, 0 where there is none,
    - z₄ = sum_k a_k b_k c_k, of vectors of the groups of the item, of the latest past item and of
      the earliest.

    z₂ asks for attention to what is related, z₃ for order besides, and z₄ is no model's formula.

    Parameters
    ----------
    num_rows, num_groups, group_size : int
    length : int
        L, the most items of a history.
    linear, related, latest, threeway : float
        Strength of each effect in logits (its standard deviation); 0 switches it off.
    rate : float
        Mean probability of a click, reached through the constant c.
    seed : int

    Returns
    -------
    Planted, with the columns `ids` (a context of 10 values, the item), `history` and `lengths`

    Raises
    ------
    ValueError
        For sizes below 1, or a rate outside (0, 1).

    Examples
    --------
    >>> data = planted_histories(1_000, num_groups=4, group_size=5, length=6)
    >>> {name: array.shape for name, array in data.columns.items()}
    {'ids': (1000, 2), 'history': (1000, 6), 'lengths': (1000,)}
    """
    sizes = {
        'num_rows': num_rows,
        'num_groups': num_groups,
        'group_size': group_size,
        'length': length,
    }
    for name, size in sizes.items():
        check_whole(size, name, 1, MOST)
    strengths = dict(linear=linear, related=related, latest=latest, threeway=threeway)
    for name, value in strengths.items():
        check_real(value, name)
    _check_rate(rate)
    rng, rows, contexts = np.random.default_rng(check_seed(seed)), num_rows, 10
    num_items = num_groups * group_size
    liked = rng.integers(num_groups, size=(rows, 3))

    def draw(columns, of_liked):
        """Items, of a liked group as often as said and else of any."""
        group = np.take_along_axis(liked, rng.integers(3, size=(rows, columns)), axis=1)
        any_group = rng.integers(num_groups, size=(rows, columns))
        group = np.where(rng.random((rows, columns)) < of_liked, group, any_group)
        return group * group_size + rng.integers(group_size, size=(rows, columns))

    past, item = draw(length, 0.8), draw(1, 0.5)[:, 0]
    lengths = rng.integers(-(-length // 2), length + 1, size=rows)
    context = rng.integers(contexts, size=rows)
    sign = rng.choice([-1, 1], size=num_items)
    w, w_item = rng.normal(size=contexts), rng.normal(size=num_items)
    a, b, c = rng.normal(size=(3, num_groups, 2))

    filled = np.arange(length) < lengths[:, None]
    same = filled & (past // group_size == item[:, None] // group_size)
    last = length - 1 - np.argmax(same[:, ::-1], axis=1)  # of the same group
    every, final = np.arange(rows), lengths - 1
    effects = {
        'linear': linear * _unit(w[context] + w_item[item]),
        'related': related * _unit(same.sum(axis=1).astype(float)),
        'latest': latest * _unit(np.where(same.any(axis=1), sign[past[every, last]], 0.0)),
        'threeway': threeway
        * _unit(
            (
                a[item // group_size]
                * b[past[every, final] // group_size]
                * c[past[:, 0] // group_size]
            ).sum(axis=1)
        ),
    }
    logits = sum(effects.values())
    probs, labels = _clicks(rng, logits, rate)
    ids = np.stack([context, contexts + item], axis=1)
    data = Planted(ids, labels, probs, [contexts, num_items], effects)
    history = contexts + np.where(filled, past, 0)
    return data.with_columns(history=history, lengths=lengths)


def _check_rate(rate):
    if not 0 < check_real(rate, 'rate', 'a click rate between 0 and 1') < 1:
        raise ValueError(f'rate is {rate}: choose a click rate between 0 and 1.')


def _clicks(rng, logits, rate):
    """Probabilities (N,) of this mean rate, and labels (N,) float32 drawn with them."""
    probs = metrics.sigmoid(logits + _constant_for(logits, rate))
    return probs, (rng.random(len(logits)) < probs).astype('float32')


def _constant_for(logits, rate):
    """The constant c with mean(sigmoid(logits + c)) = rate, by bisection."""
    low, high = -50.0 - logits.max(), 50.0 - logits.min()
    for _ in range(100):
        middle = (low + high) / 2
        if metrics.sigmoid(logits + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return middle


class PlantedLog(NamedTuple):
    """A log of clicks as a shop has it, with the true probabilities.

    Attributes
    ----------
    frame : DataFrame (N rows, by time)
        Its columns are time, user, city, age, item, brand, tags, price, device, hour and click.
    probs : float64 (N,), the probability that each click was drawn with
    users : DataFrame user, city, age: a row for each user
    items : DataFrame item, brand, tags, price: a row for each item

    Examples
    --------
    >>> log = planted_log(num_days=2, rows_per_day=50)
    >>> len(log.frame), log.probs.shape, list(log.items)
    (100, (100,), ['item', 'brand', 'tags', 'price'])
    """

    frame: pd.DataFrame
    probs: np.ndarray
    users: pd.DataFrame
    items: pd.DataFrame


CITIES = ['Busan', 'Daegu', 'Incheon', 'Jeju', 'Seoul', 'Suwon']
BRANDS = ['Aro', 'Bada', 'Duri', 'Garam', 'Haneul', 'Maru', 'Nuri', 'Sol']
TAGS = ['book', 'garden', 'gift', 'home', 'kids', 'music', 'sport', 'travel']
LOOKS = ['amber', 'blue', 'coral', 'green', 'ivory', 'jade', 'olive', 'plum', 'red', 'teal']
THINGS = ['bag', 'bowl', 'chair', 'clock', 'game', 'kettle', 'lamp', 'mat', 'mug', 'pen', 'rug']
THINGS += ['tent', 'vase']


def planted_log(
    num_days: int = 35,
    rows_per_day: int = 1_200,
    num_users: int = 300,
    num_items: int = 100,
    rate: float = 0.1,
    seed: int = 0,
) -> PlantedLog:
    """Draw a shop's log: names, text, numbers, several values a cell, missing cells, and time.

    logit = c + z₁ + z₂ + z₃ + z₄ + z₅, the strength (standard deviation) of each in brackets:

    - z₁ [.8], how good the item is; it walks at random from day to day,
    - z₂ [1.2], <t_u, mean of the item's tags>: each user has a taste t_u,
    - z₃ [.7], -(ln price - what the user likes to spend)²,
    - z₄ [.4], what the device and the hour of the day do together,
    - z₅ [.5], how readily the user clicks.

    A fifth of the users and of the items come one by one, later than the first day. Every sixth
    user gives no age, and every tenth item has no price in the log, which acts all the same: the
    true probabilities know a little more than is written. Popularity follows 1 / rank^.7.

    Parameters
    ----------
    num_days, rows_per_day : int
    num_users, num_items : int
        At most 130 items, which is how many names there are.
    rate : float
        Mean probability of a click.
    seed : int

    Raises
    ------
    ValueError
        For a size below 1, more than 130 items, or a rate outside (0, 1).

    Examples
    --------
    >>> log = planted_log(num_days=3, rows_per_day=100, seed=1)
    >>> log.frame.time.iloc[0][:10], round(float(log.probs.mean()), 3)
    ('2024-03-04', 0.1)
    """
    names = [f'{look} {thing}' for thing in THINGS for look in LOOKS]
    for name, size in (
        ('num_days', num_days),
        ('rows_per_day', rows_per_day),
        ('num_users', num_users),
    ):
        check_whole(size, name, 1, MOST)
    check_whole(num_items, 'num_items', 1, len(names))
    _check_rate(rate)
    rng = np.random.default_rng(check_seed(seed))
    born_u, born_i = _births(rng, num_users, num_days), _births(rng, num_items, num_days)
    tagged = np.zeros((num_items, len(TAGS)))
    for i, count in enumerate(rng.integers(1, 4, num_items)):
        tagged[i, rng.choice(len(TAGS), count, replace=False)] = 1
    city = rng.integers(0, len(CITIES), num_users)
    taste = rng.normal(size=(len(CITIES), len(TAGS)))[city]
    taste = 0.5 * taste + rng.normal(size=(num_users, len(TAGS)))
    log_price, budget = rng.normal(3, 0.8, num_items), rng.normal(3, 0.8, num_users)
    steps = rng.normal(size=(num_days, num_items)) * np.r_[1, np.full(num_days - 1, 0.15)][:, None]
    quality, eager = steps.cumsum(axis=0), rng.normal(size=num_users)
    mood = rng.normal(size=(2, 24)).cumsum(axis=1)

    day = np.repeat(np.arange(num_days), rows_per_day)
    user, item = (_drawn(rng, born, num_days, rows_per_day) for born in (born_u, born_i))
    second = np.sort(rng.integers(0, 86_400, (num_days, rows_per_day)), axis=1).reshape(-1)
    hour, device = second // 3600, rng.integers(0, 2, len(day))
    mean_tags = tagged / tagged.sum(axis=1, keepdims=True)
    terms = (
        0.8 * _unit(quality[day, item]),
        1.2 * _unit((taste[user] * mean_tags[item]).sum(axis=1)),
        0.7 * _unit(-np.square(log_price[item] - budget[user])),
        0.4 * _unit(mood[device, hour]),
        0.5 * _unit(eager[user]),
    )
    logits = sum(terms)
    probs, clicks = _clicks(rng, logits, rate)
    clicks = clicks.astype(int)

    age = rng.integers(18, 75, num_users).astype(float)
    age[::6] = np.nan
    price = np.exp(log_price).round(2)
    price[3::10] = np.nan
    users = pd.DataFrame(
        {
            'user': [f'u{u:03d}' for u in range(num_users)],
            'city': np.array(CITIES)[city],
            'age': age,
        }
    )
    chosen = rng.permutation(len(names))[:num_items]
    items = pd.DataFrame(
        {
            'item': np.array(names)[chosen],
            'brand': np.array(BRANDS)[rng.integers(0, len(BRANDS), num_items)],
            'tags': ['|'.join(t for t, has in zip(TAGS, row) if has) for row in tagged],
            'price': price,
        }
    )
    time = pd.Timestamp('2024-03-04') + pd.to_timedelta(day * 86_400 + second, unit='s')
    sides = [users.take(user).reset_index(drop=True), items.take(item).reset_index(drop=True)]
    frame = pd.concat([pd.Series(time.strftime('%Y-%m-%d %H:%M:%S'), name='time'), *sides], axis=1)
    frame['device'], frame['hour'] = np.array(['phone', 'desk'])[device], hour
    frame['click'] = clicks
    return PlantedLog(frame, probs, users, items)


def _births(rng, count, num_days):
    """The day on which each appears first: four of five on the first."""
    late = rng.random(count) < 0.2
    late[0] = False
    return np.where(late, rng.integers(0, num_days, count), 0)


def _drawn(rng, born, num_days, rows):
    """Who or what each row is of: those who are there, by 1 / rank^.7."""
    weights = rng.permutation(np.arange(1, len(born) + 1) ** -0.7)
    found = []
    for day in range(num_days):
        there = weights * (born <= day)
        found.append(rng.choice(len(born), size=rows, p=there / there.sum()))
    return np.concatenate(found)
