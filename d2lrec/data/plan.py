"""How the columns of a table become what a net reads, as fitted to the training part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from ..arguments import shown
from .formats import used
from .hashed import checked_hashed, field_names, hashed_fields
from .json_files import is_whole
from .schema import Schema
from .values import Column, distinct, spelled
from .vocabulary import Field, Vocabulary, fill

if TYPE_CHECKING:
    from .table import Table

__all__ = ['Plan']

NUMBERS = ('quantiles', 'logsquare', 'dense')
RANKS = 100  # quantiles of a dense number's scale
POOLS = ('sum', 'mean')


class Plan:
    """What each column becomes: a field of one value, a bag of several, or a dense input.

    **Numbers.** 'quantiles': a field whose values are `num_bins` intervals with equally many
    training rows. 'logsquare': a field whose value is floor(ln(v)^2) above 2 and floor(v) below,
    the rule of the 3 Idiots (Juan et al., 2014). 'dense': an input of its own, the share of the
    training rows below it, from 0 to 1 in steps of a hundredth.

    **Missing numbers.** As a field they are a value of their own. As a dense input they are .5,
    the middle, and where the training part misses some a second input says so, 1 or 0.

    **Several values a cell** become a bag: as many slots as the longest training row has, each an
    id and a weight, 1 or what the file says; `pool='mean'` divides the weights by their sum. A row
    without values has only weights of 0, so that its vector is 0. Of a later row with more values
    than slots the first ones count.

    Parameters
    ----------
    schema : Schema
    numbers : 'quantiles', 'logsquare' or 'dense'
    cuts : dict {name of a number: where its bins or ranks begin, but for the first}
    missing : tuple of names whose dense input has one more that says where it is missing
    slots : dict {name of a multi-valued column: number of slots}
    pool : 'sum' or 'mean'
    hashed : dict {column: buckets}, categories and multi-valued columns whose values are hashed

    Examples
    --------
    >>> Plan(Schema(label='y', numbers=('price',)), cuts={'price': [2.5]})
    Plan(0 categories; 1 numbers as quantiles)
    """

    def __init__(
        self,
        schema: Schema,
        numbers: str = 'quantiles',
        cuts: Optional[Mapping] = None,
        missing: tuple = (),
        slots: Optional[Mapping] = None,
        pool: str = 'sum',
        hashed: Optional[Mapping] = None,
    ):
        if numbers not in NUMBERS:
            raise ValueError(
                f'numbers is {shown(numbers)}: choose one of {", ".join(map(repr, NUMBERS))}.'
            )
        if pool not in POOLS:
            raise ValueError(f"pool is {shown(pool)}: choose 'sum' or 'mean'.")
        self.schema, self.numbers, self.pool = schema, numbers, pool
        self.cuts = {n: np.asarray(c, np.float64) for n, c in (cuts or {}).items()}
        self.missing, self.slots = tuple(missing), dict(slots or {})
        columns = [*schema.categories, *schema.multi]
        self.hashed = checked_hashed(hashed, columns, 'the table')
        for name in schema.multi:
            if len(self.hashed.get(name, ())) > 1:
                raise ValueError(
                    f'hashed[{name!r}] has two hashes, and {name!r} has several values a cell: '
                    'give one number.'
                )

    @property
    def bag_sizes(self) -> list[int]:
        """Number of slots of each bag, in the order of their fields."""
        return [self.slots[n] for n in self.schema.multi]

    @property
    def dense_names(self) -> list[str]:
        """What the dense inputs are called."""
        if self.numbers != 'dense':
            return []
        return [*self.schema.numbers, *(f'{n} is missing' for n in self.missing)]

    @classmethod
    def fit(
        cls,
        table: Table,
        numbers: str = 'quantiles',
        num_bins: int = 32,
        pool: str = 'sum',
        slots: Optional[int] = None,
        hashed: Optional[Mapping] = None,
    ) -> Plan:
        """The plan of a training part."""
        found = {}
        for name in table.schema.numbers:
            values = table.numbers(name)
            there = np.sort(values[~np.isnan(values)])
            found[name] = len(values) - len(there), len(there), there.__getitem__
        longest = {n: int(table.lists(n).counts.max(initial=0)) for n in table.schema.multi}
        return cls._of_counts(table.schema, numbers, num_bins, pool, slots, hashed, found, longest)

    @classmethod
    def _of_counts(cls, schema, numbers, num_bins, pool, slots, hashed, found, longest):
        """The plan by {name: (missing, there, the values in order at these ranks)} of numbers.

        `longest` has the most values of a cell of each multi-valued column.
        """
        if not is_whole(num_bins) or not 2 <= num_bins <= 10_000:
            raise ValueError(f'num_bins is {shown(num_bins)}: give a whole number, 2 or more.')
        if slots is not None and (not is_whole(slots) or slots < 1):
            raise ValueError(f'slots is {shown(slots)}: give a whole number, 1 or more.')
        plan = cls(schema, numbers, pool=pool, hashed=hashed)
        for name, (_, there, at) in found.items():
            if numbers != 'logsquare':
                count = num_bins if numbers == 'quantiles' else RANKS
                firsts = there * np.arange(1, count) // count
                cuts = at(np.append(0, firsts)) if there else np.zeros(1)
                if numbers == 'quantiles':
                    plan.cuts[name] = np.unique(cuts[cuts > cuts[0]])
                else:
                    plan.cuts[name] = cuts[1:]
        if numbers == 'dense':
            plan.missing = tuple(name for name, (missing, _, _) in found.items() if missing)
        for name, most in longest.items():
            plan.slots[name] = max(1, most) if slots is None else min(max(1, most), slots)
        return plan

    def encode(
        self, table: Table, vocabulary: Optional[Vocabulary] = None, min_threshold: float = 1
    ) -> tuple[Vocabulary, dict, np.ndarray, list]:
        """The inputs of a table's rows, by a vocabulary or by one that is fitted to them.

        Returns the vocabulary, {name: column}, the share of unknown values of each field, and the
        number of distinct values of each.
        """
        parts, fields, unknown, counts = [], [], [], []
        known = iter([None] * len(self.field_names) if vocabulary is None else vocabulary.fields)
        for column in self._singles(table):
            sizes = self.hashed.get(column.name, ())
            olds = [next(known) for _ in sizes or (0,)]
            for one, within, rows, codes, lost in _found(
                column, olds, min_threshold, self.bins, sizes
            ):
                fields.append(one)
                parts.append((within, codes))
                unknown.append(rows[lost].sum() / max(len(codes), 1))
                counts.append(int((rows > 0).sum()))
        slots = []
        for name in self.schema.multi:
            lists = table.lists(name)
            column = Column(name, lists.cells, lists.codes)
            sizes = self.hashed.get(name, ())
            ((one, within, rows, codes, lost),) = _found(
                column, [next(known)], min_threshold, sizes=sizes
            )
            fields.append(one)
            unknown.append(rows[lost].sum() / max(len(codes), 1))
            counts.append(int((rows > 0).sum()))
            slots.append(self._bag(name, lists, within, codes))
        if vocabulary is None:
            vocabulary = Vocabulary(fields, table.schema.label)
        offsets = vocabulary.offsets.astype(np.int32)
        ids = np.empty((len(table), len(parts) + sum(self.bag_sizes)), np.int32)
        fill(ids, [(w.astype(np.int32) + offsets[f], codes) for f, (w, codes) in enumerate(parts)])
        at = len(parts)
        for f, (bag, _) in enumerate(slots, len(parts)):
            ids[:, at : at + bag.shape[1]] = bag + offsets[f]
            at += bag.shape[1]
        columns = {'ids': ids}
        if self.numbers == 'dense' and self.schema.numbers:
            columns['dense'] = self._dense(table)
        if slots:
            columns['weights'] = np.concatenate([w for _, w in slots], axis=1)
        return vocabulary, columns, np.array(unknown), counts

    @property
    def field_names(self) -> list[str]:
        """The names of the fields, multi-valued ones last."""
        numbers = () if self.numbers == 'dense' else self.schema.numbers
        singles = [f for name in self.schema.categories for f in self.fields_of(name)]
        return [*singles, *numbers, *self.schema.multi]

    def fields_of(self, column: str) -> list[str]:
        """The names of a column's fields: several where it has several hashes."""
        return field_names(column, self.hashed.get(column, (0,)))

    def bins(self, name: str) -> Optional[list[str]]:
        """The values of a field of intervals; None for another field."""
        if self.numbers != 'quantiles' or name not in self.cuts:
            return None
        cuts = [f'{c:.6g}' for c in self.cuts[name]]
        if len(set(cuts)) < len(cuts):
            cuts = [repr(float(c)) for c in self.cuts[name]]
        between = [f'{a} to below {b}' for a, b in zip(cuts, cuts[1:])]
        if not cuts:
            return ['any number', '']
        return [f'below {cuts[0]}', *between, f'{cuts[-1]} or more', '']

    def _singles(self, table):
        """The columns of one value a row: categories, then numbers as intervals."""
        for name in self.schema.categories:
            yield table.category(name)
        if self.numbers == 'dense':
            return
        for name in self.schema.numbers:
            values = table.numbers(name)
            if self.numbers == 'quantiles':
                codes = np.searchsorted(self.cuts[name], values, side='right').astype(np.int32)
                codes[np.isnan(values)] = len(self.cuts[name]) + 1
                yield Column(name, self.bins(name), codes)
            else:
                yield _log_square(name, values)

    def _bag(self, name, lists, within, codes):
        """Ids within the field (N, M) and weights (N, M) of a bag."""
        rows, size = len(lists.counts), self.slots[name]
        ids, weights = np.zeros((rows, size), np.int32), np.zeros((rows, size), np.float32)
        row = np.repeat(np.arange(rows), lists.counts)
        slot = np.arange(len(codes)) - np.repeat(lists.offsets[:-1], lists.counts)
        fits = slot < size
        row, slot = row[fits], slot[fits]
        ids[row, slot] = within[codes[fits]]
        weights[row, slot] = 1 if lists.weights is None else lists.weights[fits]
        if self.pool == 'mean':
            total = weights.sum(axis=1, keepdims=True)
            weights = np.divide(weights, total, out=np.zeros_like(weights), where=total != 0)
        return ids, weights

    def _dense(self, table):
        """Ranks (N, D) from 0 to 1, and what says where one is missing."""
        columns, gaps = [], []
        for name in self.schema.numbers:
            values = table.numbers(name)
            gone, cuts = np.isnan(values), self.cuts[name]
            ranks = np.searchsorted(cuts, values, side='right') / max(len(cuts), 1)
            columns.append(np.where(gone, 0.5, ranks))
            if name in self.missing:
                gaps.append(gone)
        return np.stack([*columns, *gaps], axis=1).astype(np.float32)

    def extend(self, vocabulary: Vocabulary, table: Table, min_threshold: float) -> Vocabulary:
        """The vocabulary with what is new in a newer table; intervals stay as they are."""
        fields = []
        for one in vocabulary.fields:
            if one.name in self.schema.numbers or one.column in self.hashed:
                fields.append(one)
                continue
            if one.name in self.schema.multi:
                lists = table.lists(one.name)
                column = Column(one.name, lists.cells, lists.codes)
            else:
                column = table.category(one.name)
            fields.append(one.extend(used(column), min_threshold))
        return Vocabulary(fields, vocabulary.label)

    def __eq__(self, other):
        return isinstance(other, Plan) and self.to_json() == other.to_json()

    __hash__ = None

    def __repr__(self):
        parts = [f'{len(self.schema.categories)} categories']
        if self.schema.numbers:
            parts.append(f'{len(self.schema.numbers)} numbers as {self.numbers}')
        if self.slots:
            parts.append('bags ' + ', '.join(f'{n} of {s}' for n, s in self.slots.items()))
        return f'Plan({"; ".join(parts)})'

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            'schema': self.schema.to_json(),
            'numbers': self.numbers,
            'cuts': {n: c.tolist() for n, c in self.cuts.items()},
            'missing': list(self.missing),
            'slots': self.slots,
            'pool': self.pool,
            **({'hashed': {n: list(s) for n, s in self.hashed.items()}} if self.hashed else {}),
        }

    @classmethod
    def from_json(cls, content: Any) -> Plan:
        """Of what `to_json` gave, every entry checked."""
        schema = Schema.from_json(content['schema'])
        plan = cls(schema, content['numbers'], {}, (), content['slots'], content['pool'],
                   content.get('hashed'))  # fmt: skip
        cuts, missing = content['cuts'], content['missing']
        wanted = set() if plan.numbers == 'logsquare' else set(schema.numbers)
        if not isinstance(cuts, dict) or set(cuts) != wanted:
            raise ValueError('its cuts are not those of its numbers')
        for name, values in cuts.items():
            if not isinstance(values, list) or not all(
                isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
            ):
                raise ValueError(f'the cuts of {name!r} are no numbers')
            array = np.array(values, np.float64)
            if not np.isfinite(array).all() or (np.diff(array) < 0).any():
                raise ValueError(f'the cuts of {name!r} do not rise')
            plan.cuts[name] = array
        if not isinstance(missing, list) or not set(missing) <= set(schema.numbers):
            raise ValueError('what may be missing is not among its numbers')
        plan.missing = tuple(missing)
        if set(plan.slots) != set(schema.multi) or not all(
            is_whole(s) and 1 <= s <= 1_000_000 for s in plan.slots.values()
        ):
            raise ValueError('its slots are not those of its bags')
        return plan


def _found(column, olds, min_threshold, bins=lambda name: None, sizes=()):
    """Of a column's field, or of those of its hashes: `_found_one`."""
    if sizes and olds[0] is None:
        kind, words, codes = spelled(used(column))
        rows = np.bincount(codes, minlength=len(words))
        found = hashed_fields(column.name, sizes, kind, words)
        return [(one, within, rows, codes, np.zeros(len(rows), bool)) for one, within in found]
    return [_found_one(column, known, min_threshold, bins) for known in olds]


def _found_one(column, known, min_threshold, bins):
    """A column's field; of its distinct values the ids, rows; codes; and which are unknown."""
    values = bins(column.name)
    if known is None and values is not None:  # intervals are all there, met or not
        rows = np.bincount(column.codes, minlength=len(values))
        known = Field(column.name, tuple(values), 'text', None, tuple(rows.tolist()))
        return known, np.arange(len(values)), rows, column.codes, np.zeros(len(values), bool)
    if known is None:
        one, within, rows, codes = Field._fit(used(column), min_threshold)
        return one, within, rows, codes, within == one.unknown
    within = known.find(column.cells)
    lost = within < 0
    if lost.any() and known.unknown is not None:
        within = np.where(lost, known.unknown, within)
    return known, within, column.counted(), column.codes, lost


def log_square(v: float) -> str:
    """floor(ln(v)^2) above 2, as 'bin 4'; floor(v) below; '' where missing."""
    return '' if v != v else f'bin {math.floor(math.log(v) ** 2)}' if v > 2 else str(math.floor(v))


def _log_square(name, values):
    """A column of numbers as one of their `log_square`."""
    found, codes = np.unique(values, return_inverse=True)  # NaN last
    words = [log_square(v) for v in found.tolist()]
    return Column(name, *distinct(words, codes.reshape(-1).astype(np.int32)))
