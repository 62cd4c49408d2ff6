"""Which column is what: said by the reader, guessed where it is not said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Optional, Union

import numpy as np
import pandas as pd

from ..arguments import shown as in_a_line
from .formats import CRITEO_COUNTS, CRITEO_NAMES, Lists, Raw, taken, words_in
from .rows import LABEL_NAMES
from .values import Column, is_missing, is_number, numbers_of, text_of, to_float

__all__ = ['Schema']

TIME_NAMES = ('time', 'timestamp', 'ts', 'datetime', 'date', 'when', 'event_time', 'created_at')
USER_NAMES = ('user', 'user_id', 'userid', 'uid', 'customer', 'customer_id', 'member_id')
ITEM_NAMES = (
    'item', 'item_id', 'itemid', 'movie', 'movie_id', 'movieid', 'product', 'product_id', 'ad',
    'ad_id', 'article', 'article_id', 'book', 'book_id',
)  # fmt: skip
RATING_NAMES = ('rating', 'ratings', 'stars', 'score')
WEIGHT_NAMES = ('sample_weight', 'instance_weight', 'row_weight')
LIKED = 4  # stars of five from which a rating is guessed to be a click
MANY = 50  # distinct whole numbers from which a column is guessed to be of numbers
TRUTHS = {'true': 1.0, 'yes': 1.0, 'false': 0.0, 'no': 0.0}
TRUTHS.update({word[0]: truth for word, truth in TRUTHS.items()})  # such as PostgreSQL's t and f
ROW_NUMBERS = ('', 'unnamed: 0', 'column 1', 'index')  # what pandas' index is called in a file
DATE = re.compile(r'\d{4}-\d\d?-\d\d?([ T].*)?')
# A number as a spreadsheet writes it: 1,234.50 and 1.234,5 and $3 and 40 %.
DRESSED = re.compile(r'[+-]?[$€£¥₩]?\s?\d{1,3}([.,\s]?\d{3})*([.,]\d+)?\s?[%$€£¥₩원]?')
HASH = re.compile(r'[0-9a-f]{8}')
SEVERAL = ('|', ';')  # what parts the values of a cell, where it is guessed


@dataclass(frozen=True)
class Schema:
    """Which column of a table is the label, which are categories, numbers, and so on.

    It prints as the arguments of `d2lrec.read` that say the same.

    Attributes
    ----------
    label : str or None
    threshold : number or None, the least label that counts as a click
    categories, numbers : tuple of str
    multi : dict {name: what parts the values of a cell, None for lists}
    time, weight, user, item : str or None
    format, sep, names, header, encoding : how the file is written, where that had to be said

    Examples
    --------
    >>> Schema(label='click', categories=('user', 'item'), time='when')
    label='click', categories=['user', 'item'], numbers=[], time='when'
    """

    label: Optional[str] = None
    threshold: Optional[float] = None
    categories: tuple = ()
    numbers: tuple = ()
    multi: Mapping[str, Optional[str]] = field(default_factory=dict)
    time: Optional[str] = None
    weight: Optional[str] = None
    user: Optional[str] = None
    item: Optional[str] = None
    format: Optional[str] = None
    sep: Optional[str] = None
    names: Optional[tuple] = None
    header: Optional[bool] = None
    encoding: Optional[str] = None

    @property
    def fields(self) -> list[str]:
        """The columns that a net reads, in the order of categories, numbers, multi."""
        return [*self.categories, *self.numbers, *self.multi]

    @property
    def columns(self) -> list[str]:
        """All columns that are something."""
        others = (self.label, self.time, self.weight, self.user, self.item)
        return list(dict.fromkeys([*self.fields, *(n for n in others if n is not None)]))

    def __repr__(self):
        said = [f'label={self.label!r}' if self.label else 'label=False']
        said += [f'threshold={self.threshold:g}'] if self.threshold is not None else []
        said += [f'categories={list(self.categories)}', f'numbers={list(self.numbers)}']
        said += [f'multi={dict(self.multi)}'] if self.multi else []
        for name in ('time', 'weight', 'user', 'item'):
            value = getattr(self, name)
            said += [f'{name}={value!r}'] if value is not None else []
        return ', '.join(said)

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            f.name: list(v) if isinstance(v, tuple) else dict(v) if isinstance(v, Mapping) else v
            for f in fields(self)
            for v in [getattr(self, f.name)]
        }

    @classmethod
    def from_json(cls, content: Any) -> Schema:
        """Of what `to_json` gave; KeyError, TypeError or ValueError for anything else."""
        if not isinstance(content, dict):
            raise ValueError('its schema is no dict')
        found = {f.name: content[f.name] for f in fields(cls)}
        for name in ('label', 'time', 'weight', 'user', 'item', 'format', 'sep', 'encoding'):
            if not isinstance(found[name], (str, type(None))):
                raise ValueError(f'{name} of its schema is no text')
        for name in ('categories', 'numbers', 'names'):
            value = found[name]
            if name == 'names' and value is None:
                continue
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise ValueError(f'{name} of its schema are no list of text')
            found[name] = tuple(value)
        multi, threshold = found['multi'], found['threshold']
        if not isinstance(multi, dict) or not all(
            isinstance(v, (str, type(None))) for v in multi.values()
        ):
            raise ValueError('multi of its schema is no dict of text')
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float, type(None))):
            raise ValueError('threshold of its schema is no number')
        if found['header'] not in (None, True, False):
            raise ValueError('header of its schema is neither true nor false')
        return cls(**found)


class Said:
    """What the reader of a table said, checked, until the columns are known."""

    def __init__(
        self, label, threshold, categories, numbers, multi, time, weight, user, item, drop
    ):
        self.label, self.threshold = label, threshold
        if label is not None and label is not False and not isinstance(label, str):
            raise ValueError(
                f'label is {in_a_line(label)}: give the name of a column, or False for none.'
            )
        if threshold is not None:
            if not is_number(threshold) or isinstance(threshold, (bool, np.bool_)):
                raise ValueError(f'threshold is {in_a_line(threshold)}: give a number.')
            self.threshold = float(threshold)
            if not np.isfinite(self.threshold):
                raise ValueError(f'threshold is {in_a_line(threshold)}: give a finite number.')
        self.categories, self.numbers = _names(categories, 'categories'), _names(numbers, 'numbers')
        self.multi = _multi(multi)
        self.drop = _names(drop, 'drop') or []
        self.single = {'time': time, 'weight': weight, 'user': user, 'item': item}
        for what, name in self.single.items():
            if name is not None and name is not False and not isinstance(name, str):
                raise ValueError(f'{what} is {in_a_line(name)}: give the name of a column.')
        seen: dict[str, str] = {}
        roles = [('label', [label] if isinstance(label, str) else [])]
        roles += [('categories', self.categories or []), ('numbers', self.numbers or [])]
        roles += [('multi', list(self.multi or {})), ('drop', self.drop)]
        roles += [('weight', [weight] if isinstance(weight, str) else [])]
        for role, names in roles:
            for name in names:
                if name in seen:
                    raise ValueError(
                        f'the column {name!r} is named in {seen[name]} and in {role}: choose one.'
                    )
                seen[name] = role

    @property
    def whole(self) -> bool:
        """Whether nothing is left to guess but who is the user and the item."""
        return self.label is not None and self.categories is not None and self.numbers is not None

    def wanted(self) -> Optional[list[str]]:
        """The columns to read; None for all, as long as some are to be guessed."""
        if not self.whole:
            return None
        names = [*self.categories, *self.numbers, *(self.multi or {})]
        names += [n for n in (self.label, *self.single.values()) if isinstance(n, str)]
        return list(dict.fromkeys(names))

    def check(self, source: str, columns: Sequence[str], lacking: Sequence[str] = ()) -> None:
        """Refuse a name that no column has."""
        said = [*(self.categories or []), *(self.numbers or []), *(self.multi or {}), *self.drop]
        said += [n for n in (self.label, *self.single.values()) if isinstance(n, str)]
        for name in said:
            if name not in columns and name not in lacking:
                shown = ', '.join(list(columns)[:40]) + (' and others' if len(columns) > 40 else '')
                shown = ' '.join(shown.split())  # a name may hold ends of lines
                raise ValueError(f'{source} has no column {name!r}: it has {shown}.')


def _names(names, what) -> Optional[list[str]]:
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, (list, tuple, pd.Index, np.ndarray)):
        raise ValueError(f'{what} is {in_a_line(names)}: give a list of names of columns.')
    names = [str(n) for n in names]
    if len(set(names)) < len(names):
        raise ValueError(f'{what} is {names}: name each column once.')
    return names


def _multi(multi) -> Optional[dict[str, Optional[str]]]:
    """{name: separator}; of a list of names the separator is found out."""
    if multi is None:
        return None
    if isinstance(multi, Mapping):
        for name, sep in multi.items():
            if not isinstance(name, str) or not isinstance(sep, (str, type(None))) or sep == '':
                raise ValueError(
                    f'multi is {in_a_line(dict(multi))}: give {{name: what parts its '
                    "values}, '|' say."
                )
        return dict(multi)
    return dict.fromkeys(_names(multi, 'multi'), '')  # to be found out


def completed(said: Said, sample: Raw, told: Mapping) -> tuple[Schema, list[str], list[str]]:
    """The schema, which of its arguments were guessed, and what is to be told of the guess."""
    columns = dict(sample.columns)
    if told.get('format') == 'criteo' and said.categories is None and said.numbers is None:
        named = next((n for n in columns if n.lower() == 'label'), 'label')
        given = Said(
            named if said.label is None else said.label,
            said.threshold,
            [n for n in CRITEO_NAMES[14:] if n in columns],
            [n for n in CRITEO_COUNTS if n in columns],
            None,
            *said.single.values(),
            None,
        )
        if said.label is None and named not in columns:
            given.label = False
        said = given
    left = [n for n in columns if n not in said.drop]
    guessed, notes, taken_names = [], [], set()
    for name in [*(said.categories or []), *(said.numbers or []), *(said.multi or {})]:
        taken_names.add(name)
    single = {w: n if isinstance(n, str) else None for w, n in said.single.items()}
    taken_names |= {n for n in (single['time'], single['weight']) if n}
    label, threshold = said.label or None, said.threshold
    if said.label is None:
        free = [n for n in left if n not in taken_names]
        label, threshold = _guessed_label(columns, free, threshold)
        guessed.append('label')
    taken_names |= {label} if label else set()
    if not said.whole:
        free = [n for n in left if n not in taken_names]
        for what, names in (('time', TIME_NAMES), ('weight', WEIGHT_NAMES)):
            if said.single[what] is None:
                found = [n for n in free if n.lower() in names]
                if what == 'time' and not found:
                    found = [
                        n for n in free if _is_datetime(columns[n]) or _is_dates(n, columns[n])
                    ]
                if found:
                    single[what] = found[0]
                    free.remove(found[0])
                    guessed.append(what)
    for what, names in (('user', USER_NAMES), ('item', ITEM_NAMES)):
        if said.single[what] is None:
            found = [n for n in left if n.lower() in names and n != label]
            single[what] = found[0] if found else None
    categories, numbers = list(said.categories or []), list(said.numbers or [])
    multi = {
        n: _separator_of(columns.get(n)) if sep == '' else sep
        for n, sep in (said.multi or {}).items()
    }
    if not said.whole:
        for name in free:
            if said.categories is None and said.numbers is None and _counts_rows(name, columns):
                notes.append(f'{name!r} only counts the rows and is left out')
                continue
            if said.categories is None and said.numbers is None and _ends_lines(name, columns):
                continue
            kind, sep = _kind(name, columns[name], sample.source)
            if kind == 'category' and (cell := _dressed(columns[name])):
                notes.append(f'{name!r} is no number as long as it is written like {cell!r}')
            if kind == 'multi' and said.multi is not None:
                kind = 'category' if not isinstance(columns[name], Lists) else 'multi'
            if kind == 'number' and said.numbers is not None:
                kind = 'category'
            if kind == 'category' and said.categories is not None:
                continue  # left out
            if kind == 'multi':
                multi[name] = sep
            else:
                (numbers if kind == 'number' else categories).append(name)
            guessed.append({'multi': 'multi', 'number': 'numbers'}.get(kind, 'categories'))
    if not told.get('format') and _like_criteo(columns):
        notes.append("it looks like Criteo's: say format='criteo'")
    schema = Schema(
        label, threshold, tuple(categories), tuple(numbers), multi, single['time'],
        single['weight'], single['user'], single['item'], **{k: _tuple(v) for k, v in told.items()},
    )  # fmt: skip
    if not schema.fields:
        raise ValueError(
            f'{sample.source} has no column left to learn from: it has {", ".join(columns)}; name '
            'some in categories, numbers or multi.'
        )
    return schema, list(dict.fromkeys(guessed)), notes


def _ends_lines(name, columns):
    """Whether a column has no name and no cell: each line ends in a separator."""
    if name != f'column {len(columns)}' or not isinstance(columns[name], Column):
        return False
    return name == list(columns)[-1] and all(map(is_missing, columns[name].cells))


def _like_criteo(columns):
    """Whether columns are called so, or are 39 or 40, the last 26 of them of eight hex digits."""
    names = list(columns)
    if [n.upper() for n in names[-39:]] == CRITEO_NAMES[-39:]:
        return True
    if len(names) not in (39, 40) or not all(n.startswith('column ') or n.isdigit() for n in names):
        return False
    for name in names[-26:]:
        if isinstance(columns[name], Lists):
            return False
        cells = [c for c in words_in(name, columns[name], 'The table').cells if not is_missing(c)]
        if not all(isinstance(c, str) and HASH.fullmatch(c) for c in cells):
            return False
    return True


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def _guessed_label(columns, free, threshold):
    """The column that is called a label, or a rating, or looks like one where it stands first."""
    for names in (LABEL_NAMES, RATING_NAMES):
        for name in free:
            if name.lower() not in names or isinstance(columns[name], Lists):
                continue
            found = _distinct_numbers(columns[name])
            if found is None:
                continue
            if threshold is not None or found <= {0.0, 1.0} or found <= {-1.0, 1.0}:
                return name, threshold
            if names is RATING_NAMES and found and 0 <= min(found) and max(found) == 5:
                return name, float(LIKED)
    ends = [n for n in (free[:1] + free[-1:]) if not isinstance(columns[n], Lists)]
    for name in ends:
        found = _distinct_numbers(columns[name])
        unnamed = name.startswith('column ') or name.isdigit()
        if unnamed and found in ({0.0, 1.0}, {-1.0, 1.0}):
            return name, threshold
    return None, None


def _cells_of(raw) -> list:
    """The distinct cells of a column in which there is something."""
    name = str(getattr(raw, 'name', None) or 'without a name')
    return [c for c in words_in(name, raw, 'The table').cells if not is_missing(c)]


def _distinct_numbers(raw) -> Optional[set]:
    """The distinct values as floats, missing ones left out; None where one is no number."""
    cells = _cells_of(raw)
    if len(cells) > 1000:
        return None
    found = [_truth(c) if n is None else to_float(n) for c, n in zip(cells, numbers_of(cells))]
    return None if any(v is None for v in found) else set(found)


def _truth(cell):
    return TRUTHS.get(cell.strip().lower()) if isinstance(cell, str) else None


def _is_datetime(raw):
    return isinstance(raw, pd.Series) and pd.api.types.is_datetime64_any_dtype(raw.dtype)


def _is_dates(name, raw):
    """Whether all cells are dates in the order of ISO 8601."""
    if isinstance(raw, (Lists, np.ndarray)):
        return False
    cells = [c for c in words_in(name, raw, 'The table').cells if not is_missing(c)]
    return bool(cells) and all(isinstance(c, str) and DATE.fullmatch(c.strip()) for c in cells)


def _counts_rows(name, columns):
    """Whether a column without a name of its own is 0, 1, 2 ... from row to row."""
    if name.lower() not in ROW_NUMBERS or isinstance(columns[name], Lists):
        return False
    column = words_in(name, columns[name], '')
    numbers = np.array([to_float(n) for n in numbers_of(column.cells)])[column.codes]
    return len(numbers) > 2 and numbers[0] == 0 and bool((np.diff(numbers) == 1).all())


def _dressed(raw) -> Optional[str]:
    """A cell of a column whose cells are numbers but for commas and signs of currency."""
    if isinstance(raw, Lists):
        return None
    cells = _cells_of(raw)
    odd = [c for c, n in zip(cells, numbers_of(cells)) if n is None]
    good = odd and all(isinstance(c, str) and DRESSED.fullmatch(c.strip()) for c in odd)
    return odd[0] if good else None


def _kind(name, raw, source):
    """'category', 'number' or 'multi' with what parts its values, by the first rows."""
    if isinstance(raw, Lists):
        return 'multi', None
    if _is_datetime(raw):
        return 'category', None
    column = words_in(name, taken(raw, slice(0, 10_000)), source)
    cells = [c for c in column.cells if not is_missing(c)]
    texts = [c for c in cells if isinstance(c, str)]
    sep = _separator_of(column)
    if sep and len(texts) == len(cells):
        return 'multi', sep
    found = numbers_of(cells)
    if not cells or any(n is None for n in found) or _names_something(name):
        return 'category', None
    if all(isinstance(c, (bool, np.bool_)) or c in ('True', 'False') for c in cells):
        return 'category', None
    floats = [to_float(n) for n in found]
    whole = all(f == f // 1 and abs(f) < np.inf for f in floats)
    if whole and (len(set(floats)) <= MANY or _padded(texts)):
        return 'category', None
    return 'number', None


def _names_something(name):
    """Whether a name is that of an id: 'user', 'ad_id', 'movieId', 'zip_code'."""
    low = name.lower()
    return (
        low in USER_NAMES + ITEM_NAMES
        or low.endswith(('_id', ' id', 'code', 'zip'))
        or low == 'id'
        or name.endswith(('Id', 'ID'))
    )


def _padded(texts):
    return any(len(t) > 1 and t[0] == '0' and t.isdigit() for t in texts)


def _separator_of(raw) -> Optional[str]:
    """What parts the values of a column's cells: at least one in five has it."""
    if raw is None or isinstance(raw, Lists):
        return None
    cells = [*map(text_of, _cells_of(raw))]
    for sep in SEVERAL:
        if cells and sum(sep in c for c in cells) >= max(1, len(cells) / 5):
            return sep
    return None


def threshold_words(schema: Schema) -> str:
    """How the label is made, in words."""
    if schema.label is None:
        return 'no label'
    at = '' if schema.threshold is None else f' >= {schema.threshold:g}'
    return f'label {schema.label}{at}'


def labels_in(
    name: str, raw: Any, threshold: Optional[float], source: str
) -> Union[np.ndarray, None]:
    """A raw column as labels of 0 and 1, float32 (N,).

    Of 0 and 1, -1 and 1, true and false, or yes and no; with a threshold, of numbers from it on.

    Raises
    ------
    ValueError
        For cells that are none of these, with their rows.
    """
    column = words_in(name, raw, source)
    numbers = numbers_of(column.cells)
    found = np.array(
        [np.nan if is_missing(c) else _truth(c) if n is None else to_float(n)
         for c, n in zip(column.cells, numbers)] + [np.nan], np.float64
    )  # fmt: skip
    rows = np.bincount(column.codes, minlength=len(found))[: len(found)]
    there = found[: len(found) - 1][rows[:-1] > 0]
    if threshold is None:
        good = np.isin(found, (0, 1))
        if set(there[~np.isnan(there)]) <= {-1.0, 1.0} and (there == -1).any():
            good, found = np.isin(found, (-1, 1)), (found + 1) / 2
        result = found
    else:
        good = ~np.isnan(found)
        result = (found >= threshold).astype(np.float64)
    bad = np.flatnonzero(~good[column.codes])
    if len(bad):
        raise _odd_labels(name, column, bad, there, threshold, source)
    return result[column.codes].astype(np.float32)


def _odd_labels(name, column, bad, there, threshold, source):
    def cell(row):
        value = column.cells[column.codes[row]]
        return 'missing' if is_missing(value) else repr(text_of(value)[:30])

    shown = ', '.join(f'row {r + 1} is {cell(r)}' for r in bad[:3])
    more = f' and {len(bad) - 3:,} more' if len(bad) > 3 else ''
    finite = set(there[~np.isnan(there)])
    if len(finite - {0.0, 1.0}) >= 2 and threshold is None:
        cure = 'say threshold=, the least value that counts as a click, or name the true label'
    elif threshold is not None:
        cure = 'leave such rows out, or give them a number'
    else:
        cure = 'mend these rows, or leave them out'
    wanted = 'a number' if threshold is not None else '0 or 1, -1 or 1, true or false, yes or no'
    return ValueError(f'{source}: the label {name!r} is to be {wanted}, but {shown}{more}: {cure}.')
