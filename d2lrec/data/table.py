"""`read`: any file or frame as a table whose columns have names and kinds."""

from __future__ import annotations

import copy
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional, Union

import numpy as np
import pandas as pd

from ..arguments import check_list, shown
from .columns import picked
from .ctr import CTRDataset
from .formats import Lists, Raw, _series, lists_in, numbers_in, read_raw, taken, used, words_in
from .plan import Plan
from .ratings import Ratings, apart_from_others, look_at_ratings, pairs_twice
from .schema import RATING_NAMES, Said, Schema, completed, labels_in, threshold_words
from .splits import check_complete, check_one_unit, check_way, split_rows
from .values import Column, is_missing, numbers_of, only_spaces_apart, spelled, text_of, to_float
from .vocabulary import check_threshold

__all__ = ['Table', 'read']

DAY_OR_MONTH = re.compile(r'(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(.*)')
SHORT_YEAR = re.compile(r'\d\d?([-./])\d\d?\1\d\d?(\D.*)?')  # three numbers, none of them a year
FEW = 10  # rows a value, at least, where a column is said to tell the label


class Table:
    """Rows with named columns, and what each column is; `read` makes it.

    A slice, or an array of row numbers or booleans, gives those rows as a table.

    Attributes
    ----------
    source : str, what the rows are called in messages
    schema : Schema, which column is what; it prints as the arguments of `read`
    labels : float32 (N,) of 0 and 1, or None
    weights : float64 (N,), how many rows each row stands for, or None
    times : float64 or datetime64[ns] (N,), or None
    frame : pandas.DataFrame of the columns as they were read

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({'user': list('abab'), 'price': [1.5, 2, 3, 9], 'click': [0, 1, 1, 0]})
    >>> table = read(log, label='click', categories=['user'], numbers=['price'])
    >>> table
    Table(frame: 4 rows, label click, 1 category, 1 number)
    >>> table[:2].labels.tolist()
    [0.0, 1.0]
    """

    def __init__(self, raw: Raw, schema: Schema):
        self.source, self.schema = raw.source, schema
        self._columns, self._rows = raw.columns, raw.rows
        self._cache: dict[tuple, Any] = {}
        self.labels = self._labels()
        self.weights = self._weights()

    def __len__(self):
        return self._rows

    def __getitem__(self, rows):
        rows = np.arange(len(self))[picked(rows, len(self))]
        new = copy.copy(self)
        new._columns = {n: taken(c, rows) for n, c in self._columns.items()}
        new._rows, new._cache = len(rows), {}
        for name in ('labels', 'weights'):
            values = getattr(self, name)
            setattr(new, name, None if values is None else values[rows])
        return new

    def with_schema(self, schema: Schema) -> Table:
        """The same rows, their columns taken for something else."""
        raw = Raw(self.source, self._columns, len(self))
        return Table(raw, _restricted(schema, raw))

    def _labels(self):
        name = self.schema.label
        if name is None:
            return None
        return labels_in(name, self._columns[name], self.schema.threshold, self.source)

    def _weights(self):
        name = self.schema.weight
        if name is None:
            return None
        weights = numbers_in(name, self._columns[name], self.source)
        bad = ~(weights >= 0)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f'{self.source}: the weight {name!r} of row {row + 1} is {weights[row]:g}: give a '
                'number, 0 or more, in every row.'
            )
        if len(weights) and not weights.any():
            raise ValueError(f'{self.source}: every weight in {name!r} is 0: no row is left.')
        return weights

    def _kept(self, key, make):
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def category(self, name: str) -> Column:
        """A column as one value a row."""
        return self._kept(
            ('category', name), lambda: words_in(name, self._columns[name], self.source)
        )

    def numbers(self, name: str) -> np.ndarray:
        """A column as float64 (N,), NaN where missing."""
        return self._kept(
            ('numbers', name), lambda: numbers_in(name, self._columns[name], self.source)
        )

    def lists(self, name: str) -> Lists:
        """A column as several values a row."""
        sep = self.schema.multi.get(name)
        return self._kept(
            ('lists', name), lambda: lists_in(name, self._columns[name], sep, self.source)
        )

    @property
    def times(self) -> Optional[np.ndarray]:
        """The times of the rows: float64, or datetime64[ns] where they are dates; or None."""
        name = self.schema.time
        if name is None:
            return None
        return self._kept(('times', name), lambda: _times(name, self._columns[name], self.source))

    @property
    def frame(self) -> pd.DataFrame:
        """The columns as they were read."""
        return pd.DataFrame({n: _series(c) for n, c in self._columns.items()})

    def _users(self, name):
        """The users as whole numbers, -1 for none missing."""
        name = self.schema.user if name is None else name
        if name is None:
            raise ValueError("a split by users needs their column: name it by user='user_id' say.")
        if name not in self._columns:
            raise ValueError(
                f'{self.source} has no column {name!r}: it has {", ".join(self._columns)}.'
            )
        column = words_in(name, self._columns[name], self.source)
        gone = np.array([*(is_missing(c) for c in column.cells), False])[column.codes]
        check_complete(np.where(gone, np.nan, 0.0), 'user', self.source, name)
        return column.codes

    def split_rows(
        self,
        by: str = 'random',
        valid: float = 0.1,
        test: float = 0.1,
        *,
        seed: int = 0,
        user: Optional[str] = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The row numbers of `split`'s parts."""
        check_way(by)
        times = self.times if by in ('time', 'last') else None
        if times is not None:
            check_complete(times, 'time', self.source, self.schema.time)
        users = self._users(user) if by in ('last', 'users') else None
        return split_rows(by, len(self), valid, test, seed, times, users)

    def split(
        self,
        by: str = 'random',
        valid: float = 0.1,
        test: float = 0.1,
        *,
        seed: int = 0,
        user: Optional[str] = None,
    ) -> tuple[Table, Table, Table]:
        """The training, validation and test part.

        Parameters
        ----------
        by : 'random', 'time', 'last' or 'users'
            'random' draws rows. 'time' takes the earliest rows for training and the latest for
            the test; of rows at one time those further up in the table come first. 'last' takes,
            of each user, the latest rows for the test and those before them for validation (in
            the order of the table where there is no time). 'users' draws whole users, so that
            none is in two parts.
        valid, test : float
            Their shares: of the rows; of each user's rows, rounded down, for 'last'; of the users
            for 'users'.
        seed : int
            Of what is drawn.
        user : str, optional
            The column of the users, where the schema does not say.

        Raises
        ------
        ValueError
            Where a time or a user is missing, or a part would be empty.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({'u': list('aabbccdd'), 'y': [0, 1] * 4, 'at': range(8, 0, -1)})
        >>> log = read(frame, label='y', categories=['u'], numbers=[], time='at', user='u')
        >>> [part.frame['at'].tolist() for part in log.split('time', 0.25, 0.25)]
        [[1, 2, 3, 4], [5, 6], [7, 8]]
        >>> [sorted(set(part.frame['u'])) for part in log.split('users', 0.25, 0.25, seed=1)]
        [['c', 'd'], ['a'], ['b']]
        """
        parts = self.split_rows(by, valid, test, seed=seed, user=user)
        return tuple(self[rows] for rows in parts)

    def dataset(
        self,
        numbers: Optional[str] = None,
        *,
        model: Any = None,
        min_threshold: float = 4,
        num_bins: int = 32,
        pool: str = 'sum',
        slots: Optional[int] = None,
        hashed: Optional[Mapping] = None,
    ) -> CTRDataset:
        """These rows as a training set: fitted to them, and encoded.

        Others are encoded by what is fitted here, ``train.encoder.encode(other)``.

        Parameters
        ----------
        numbers : 'quantiles', 'logsquare' or 'dense', optional
            What becomes of columns of numbers. 'quantiles': fields whose values are intervals of
            equally many rows, for models that read ids only. 'logsquare': fields by the rule for
            counts, floor(ln(v)^2). 'dense': inputs of their own, ranks from 0 to 1. By default
            'dense' where `model` reads such inputs, else 'quantiles'. A missing number is a value
            of its own in a field; as a dense input it is .5, and a second input says so.
        model : a model's class, optional
        min_threshold : number
            Occurrences that a value needs for an id of its own.
        num_bins : int
            Intervals of each number, for 'quantiles'.
        pool : 'sum' or 'mean'
            Of the vectors of a cell's several values.
        slots : int, optional
            The most values of a cell that count; by default as many as the longest has.
        hashed : dict {column: buckets}, optional
            Categories, or columns of several values, whose values get a bucket by a stable hash
            instead of an id each, or with a list of two numbers one in each of two tables (two
            fields): `HashedField` has the rule.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({'y': [0, 1], 'tags': ['a|b', 'b'], 'price': [2.5, None]})
        >>> log = read(frame, label='y', categories=[], numbers=['price'], multi={'tags': '|'})
        >>> data = log.dataset(min_threshold=1)
        >>> data.features.tolist(), data.weights.tolist()
        ([[0, 3, 2], [1, 2, 2]], [[1.0, 1.0], [1.0, 0.0]])
        """
        check_threshold(min_threshold)
        if numbers is None:
            numbers = 'dense' if _reads_dense(model) else 'quantiles'
        if not len(self):
            raise ValueError(f'{self.source} has no rows: give at least one.')
        if numbers == 'dense' and not (self.schema.categories or self.schema.multi):
            raise ValueError(
                f'{self.source} has numbers only, and as dense inputs they leave no field: say '
                "numbers='quantiles', or name a column in categories."
            )
        if self.labels is not None and self.labels.min() == self.labels.max():
            warnings.warn(
                f'{self.source}: every label is {self.labels[0]:g}, from which nothing can be '
                'learned: give rows of both classes, or another threshold.',
                stacklevel=2,
            )
        plan = Plan.fit(self, numbers, num_bins, pool, slots, hashed)
        return CTRDataset._of_table(self, plan, None, min_threshold)

    def datasets(
        self,
        by: str = 'random',
        valid: float = 0.1,
        test: float = 0.1,
        *,
        seed: int = 0,
        user: Optional[str] = None,
        **options: Any,
    ) -> tuple[CTRDataset, CTRDataset, CTRDataset]:
        """`split`, then `dataset` of the training part, by which the other two are encoded.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({'y': [0, 1] * 50, 'town': list('abcde') * 20})
        >>> log = read(frame, label='y', categories=['town'], numbers=[])
        >>> [len(part) for part in log.datasets('random', seed=3)]
        [80, 10, 10]
        """
        train, *others = self.split(by, valid, test, seed=seed, user=user)
        train = train.dataset(**options)
        return (train, *(train.encoder.encode(part) for part in others))

    _told_ratings = False  # whether `read_ratings` has looked at them

    def _rated(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Users and items as numbers (N,), equal where they are spelled alike; the ratings."""
        sides = []
        for name in (self.schema.user, self.schema.item):
            column = self.category(name)
            sides.append(spelled(used(Column(name, column.cells, column.codes)))[2])
        label = self.schema.label
        return (*sides, numbers_in(label, self._columns[label], self.source))

    def ratings(self, scale: Optional[Sequence[float]] = None) -> Ratings:
        """The label's numbers as ratings of users and items, for models of ratings.

        Users and items are numbered in the order in which they first come, over all rows: split
        the ratings, by ``ratings[rows]`` with the `split_rows` of this table, not the table. A
        warning names pairs that are rated twice, and a rating that stands apart from all others,
        such as 99 or -1 for none.

        Parameters
        ----------
        scale : (least, most), optional
            A rating beyond it is refused.

        Raises
        ------
        ValueError
            Where the schema says no label, user or item, one is missing, or a rating is beyond
            the scale.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({'who': ['ann', 'bob'], 'film': ['Heat'] * 2, 'stars': [4.5, 2]})
        >>> log = read(
        ...     frame,
        ...     label='stars',
        ...     threshold=4,
        ...     categories=['who', 'film'],
        ...     numbers=[],
        ...     user='who',
        ...     item='film',
        ... )
        >>> log.ratings().ratings.tolist(), log.ratings().user_names
        ([4.5, 2.0], ['ann', 'bob'])
        """
        schema, sides = self.schema, []
        for what, name in (('user', schema.user), ('item', schema.item)):
            if name is None or schema.label is None:
                raise ValueError(
                    f'{self.source} has no {what} or no rating: name them by user=, item= and '
                    'label= in d2l.read, or read it by d2l.read_ratings.'
                )
            codes = self._users(name)  # refuses one that is missing
            words = spelled(used(Column(name, self.category(name).cells, codes)))
            numbers, first = pd.factorize(words[2])
            sides.append((numbers, [words[1][i] for i in first]))
        values = numbers_in(schema.label, self._columns[schema.label], self.source)
        check_complete(values, 'rating', self.source, schema.label)
        if scale is not None or not self._told_ratings:
            look_at_ratings(sides[0][0], sides[1][0], values, schema.label, self.source, scale)
        (users, user_names), (items, item_names) = sides
        names = {schema.user: user_names, schema.item: item_names}
        for sentence in only_spaces_apart(self.source, names):
            warnings.warn(sentence, stacklevel=2)
        made = Ratings(users, items, values, len(user_names), len(item_names))
        made.user_names, made.item_names = user_names, item_names
        return made

    def __repr__(self):
        schema = self.schema
        parts = [f'{len(self):,} rows', threshold_words(schema)]
        for count, one, many in (
            (len(schema.categories), 'category', 'categories'),
            (len(schema.numbers), 'number', 'numbers'),
            (len(schema.multi), 'multi-valued', 'multi-valued'),
        ):
            parts += [f'{count} {one if count == 1 else many}'] if count else []
        parts += [f'time {schema.time}'] if schema.time else []
        parts += [f'weight {schema.weight}'] if schema.weight else []
        return f'Table({self.source}: {", ".join(parts)})'

    def summary(self) -> str:
        """The columns in words, as text to print, and what to look at before training.

        Pointed out are a rating left among the features, a column that tells the label in every
        row, one that has another value in every row or only one, and missing cells.
        """
        lines = [repr(self)]
        if self.labels is not None and len(self):
            rate = float(self.labels.mean())
            note = ': one class only, from which nothing can be learned' if rate in (0, 1) else ''
            lines[0] += f'\nlabel {self.schema.label}: {rate:.1%} are 1{note}'
            lines[0] += self._of_ratings()
        kinds = {
            **dict.fromkeys(self.schema.categories, 'category'),
            **dict.fromkeys(self.schema.numbers, 'number'),
            **dict.fromkeys(self.schema.multi, 'multi-valued'),
        }
        width = max(map(len, kinds))
        for name, kind in kinds.items():
            lines.append(f'  {name:<{width}}  {kind:<12}  ' + '; '.join(self._facts(name, kind)))
        return '\n'.join(lines)

    def _of_ratings(self):
        """Of a label that is made of ratings: where they lie, and pairs that have several."""
        schema = self.schema
        if schema.threshold is None:
            return ''
        values = numbers_in(schema.label, self._columns[schema.label], self.source)
        facts = f'; its numbers go from {values.min():g} to {values.max():g}'
        odd = apart_from_others(values)
        if odd is not None:
            facts += f', of which {odd:g} ({(values == odd).mean():.1%}) may stand for none'
        if schema.user is None or schema.item is None:
            return facts
        twice = pairs_twice(*self._rated()[:2])
        if twice is not None:
            count, one, other = twice
            facts += (
                f'; pairs of {schema.user} and {schema.item} that occur more than once: {count:,}, '
                f'such as in rows {one + 1} and {other + 1}'
            )
        return facts

    def _facts(self, name, kind):
        """What there is to say of a column."""
        rows = len(self)
        if kind == 'multi-valued':
            lists = self.lists(name)
            counts = lists.counts
            there = spelled(used(Column(name, lists.cells, lists.codes)))[1]
            facts = [
                f'{len(there):,} values, {counts.mean():.1f} a row, at most {counts.max(initial=0)}'
            ]
            empty = (counts == 0).sum()
            return facts + ([f'{empty / rows:.1%} of the rows have none'] if empty else [])
        if kind == 'number':
            values = self.numbers(name)
            there = values[~np.isnan(values)]
            distinct = len(np.unique(there))
            gone = rows - len(there)
            facts = ['no number'] if not len(there) else [f'{there.min():g} to {there.max():g}']
            tells = self._number_tells(values)
            unique = False  # a measured number often is
        else:
            column = used(self.category(name))
            column = Column(name, *spelled(column)[1:])  # 1.1 and 1.10 are one, as in a data set
            empty = np.array([*map(is_missing, column.cells), False])
            gone = int(empty[column.codes].sum())
            distinct = len(column.cells) - int(empty[:-1].sum())
            facts = [f'{distinct:,} value' + ('s' if distinct != 1 else '')]
            tells = self._category_tells(column)
            unique = distinct == rows > 1
        facts += [f'{gone / rows:.1%} missing'] if gone else []
        if name.lower() in RATING_NAMES:
            facts.append('a rating, by its name: known only after the click, leave it out')
        if tells:
            facts.append('it tells the label in every row: leave it out if it is the label')
        if unique:
            facts.append('every row has a value of its own: nothing can be learned of it')
        if distinct == 1 and rows > 1 and not gone:
            facts.append('it has a single value')
        return facts

    def _category_tells(self, column):
        if self.labels is None or not 1 < len(column.cells) <= max(2, len(self) // FEW):
            return False
        rates = np.bincount(column.codes, self.labels) / np.bincount(column.codes)
        return bool(np.isin(rates, (0, 1)).all())

    def _number_tells(self, values):
        if self.labels is None:
            return False
        ones, zeros = values[self.labels == 1], values[self.labels == 0]
        if not len(ones) or not len(zeros) or len(values) < FEW:
            return False
        if np.isnan(values).any():
            return False
        return bool(ones.min() > zeros.max() or ones.max() < zeros.min())


def _reads_dense(model) -> bool:
    """Whether a model's class has dense inputs."""
    import inspect

    if model is None:
        return False
    if not inspect.isclass(model):
        raise ValueError(f'model is {shown(model)}: give the class of a model, d2l.WideDeep say.')
    return 'num_dense' in inspect.signature(model.__init__).parameters


def _times(name, raw, source) -> np.ndarray:
    """A column as times: numbers as they are, dates as datetime64[ns]; NaN or NaT where missing."""
    if isinstance(raw, np.ndarray) and raw.dtype.kind in 'iuf':
        return check_one_unit(raw.astype(np.float64), name, source)
    if isinstance(raw, pd.Series) and pd.api.types.is_datetime64_any_dtype(raw.dtype):
        if getattr(raw.dtype, 'tz', None) is not None:
            raw = raw.dt.tz_convert('UTC').dt.tz_localize(None)
        return raw.to_numpy().astype('datetime64[ns]')
    column = words_in(name, raw, source)
    cells = column.cells
    found = numbers_of(cells)
    gone = [is_missing(c) for c in cells]
    if all(n is not None or g for n, g in zip(found, gone)):
        times = np.array([*map(to_float, found), np.nan])[column.codes]
        return check_one_unit(times, name, source)
    texts = [None if g else text_of(c) for c, g in zip(cells, gone)]
    try:
        dates = _dates(texts)
    except ValueError as error:
        raise ValueError(f'{source}: the time {name!r}: {error}') from None
    bad = [i for i, (d, g) in enumerate(zip(np.isnat(dates), gone)) if d and not g]
    for code in bad:
        rows = np.flatnonzero(column.codes == code)
        if len(rows):
            raise ValueError(
                f'{source}: the time {name!r} of row {rows[0] + 1} is {texts[code][:40]!r}: give '
                'numbers or dates, YYYY-MM-DD HH:MM:SS say.'
            )
    return np.append(dates, np.datetime64('NaT'))[column.codes]


def _day_and_month(texts) -> list:
    """Texts such as 13/01/2024 as 2024-01-13, all read in one order.

    Raises ValueError where they can be read in both orders, or in none.
    """
    short = next((t for t in texts if t and SHORT_YEAR.fullmatch(t.strip())), None)
    if short is not None:
        raise ValueError(
            f'which of the numbers of {short[:40]!r} is the year cannot be told: write all as '
            'YYYY-MM-DD.'
        )
    parts = [t and DAY_OR_MONTH.fullmatch(t.strip()) for t in texts]
    if not any(parts):
        return texts
    if not all(p for p, t in zip(parts, texts) if t):
        one = next(t for p, t in zip(parts, texts) if p)
        other = next(t for p, t in zip(parts, texts) if t and not p)
        raise ValueError(
            f'{one[:40]!r} and {other[:40]!r} are written in two ways: write all as YYYY-MM-DD.'
        )
    first, second = (max(int(p[i]) for p in parts if p) for i in (1, 2))
    if (first > 12) == (second > 12):
        shown = next(t for t in texts if t)
        raise ValueError(
            f'whether {shown!r} begins with the day or the month cannot be told from the other '
            'times: write them as YYYY-MM-DD.'
        )
    day, month = (1, 2) if first > 12 else (2, 1)
    return [p and f'{p[3]}-{int(p[month]):02}-{int(p[day]):02}{p[4]}' for p in parts]


def _dates(texts) -> np.ndarray:
    """Texts as datetime64[ns], NaT where one is no date; times of zones in UTC."""
    texts = pd.Series(_day_and_month(texts), dtype=object)
    found = None
    for format in ('ISO8601', 'mixed', None):
        try:
            found = pd.to_datetime(
                texts, errors='coerce', utc=True, **({} if format is None else {'format': format})
            )
        except (ValueError, TypeError):
            continue
        if found.notna().sum() == texts.notna().sum():
            break
    return found.dt.tz_localize(None).to_numpy().astype('datetime64[ns]')


def read(
    source: Union[pd.DataFrame, str, os.PathLike, Sequence],
    *,
    label: Union[str, bool, None] = None,
    threshold: Optional[float] = None,
    categories: Optional[Sequence[str]] = None,
    numbers: Optional[Sequence[str]] = None,
    multi: Union[Mapping[str, Optional[str]], Sequence[str], None] = None,
    time: Optional[str] = None,
    weight: Optional[str] = None,
    user: Optional[str] = None,
    item: Optional[str] = None,
    drop: Sequence[str] = (),
    format: Optional[str] = None,
    sep: Optional[str] = None,
    header: Optional[bool] = None,
    names: Optional[Sequence[str]] = None,
    encoding: Optional[str] = None,
    schema: Optional[Schema] = None,
) -> Table:
    """Read a table of clicks or ratings: any file, folder or frame.

    What is not said is guessed by the first rows, and a warning of one sentence shows the guess as
    arguments: whoever passes them confirms it.

    Parameters
    ----------
    source : path, folder or glob of parts, list of paths, or pandas.DataFrame
        Text with or without header and with any separator, quoted cells, UTF-8 with or without
        its mark, any ends of lines; Parquet; JSON, an object a line or one list of them; Criteo's
        format with or without labels; libsvm and libffm. A suffix .gz, .bz2, .zst, .lz4, .xz or
        .zip is unpacked, piece by piece, to 200 times the file's size at most, or to 100 MB where
        that is more; the environment's D2LREC_MOST_UNPACKED, a number of bytes, is the limit
        instead where it is set.
    label : str or False, optional
        Its column may stand anywhere and hold 0 and 1, -1 and 1, true and false, or yes and
        no. False for rows without.
    threshold : number, optional
        For a label of other numbers, such as a rating: from it on it counts as a click.
    categories, numbers : list of str, optional
        Columns of one value a row, and of measured numbers. Where both are given all others are
        left out.
    multi : dict {name: what parts its values} or list of str, optional
        Columns of several values a cell: 'Action|Comedy', or lists.
    time, weight : str, optional
        The time of a row, by which it may be split; how many rows it stands for.
    user, item : str, optional
        Whose row it is, and of what: for splits by user, and for ratings.
    drop : list of str
        Columns that are nothing.
    format : 'csv', 'parquet', 'jsonl', 'criteo', 'libsvm' or 'libffm', optional
        By default as the suffix says.
    sep : str, optional
        What parts the cells of a text.
    header : bool, optional
        Whether the first line names the columns. Without names they are 'column 1' and so on.
    names : list of str, optional
        What the columns are called instead.
    encoding : str, optional
        Of a text that is not in UTF-8, 'cp949' say.
    schema : Schema, optional
        That of an earlier table, in place of all the others. What it names beside the features
        (label, time, weight) may be lacking.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        In one sentence, with the row: for a file that is not what it is said to be, lines with
        more or fewer cells than others, a name that no column has, labels that are none, a number
        that is none or not finite.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), 'log.csv')
    >>> with open(path, 'w') as file:
    ...     _ = file.write('user,genres,price,liked\\nann,Drama|War,3.5,1\\nbob,War,,0\\n')
    >>> log = read(
    ...     path, label='liked', categories=['user'], numbers=['price'], multi={'genres': '|'}
    ... )
    >>> log
    Table(log.csv: 2 rows, label liked, 1 category, 1 number, 1 multi-valued)
    >>> log.schema
    label='liked', categories=['user'], numbers=['price'], multi={'genres': '|'}, user='user'
    """
    if isinstance(source, Table):
        raise ValueError('the source is a Table: take table.frame, or table.with_schema(schema).')
    if schema is not None:
        if not isinstance(schema, Schema):
            raise ValueError(f'schema is a {type(schema).__name__}: give that of a table.')
        return _read_as(source, schema, label)
    drop = check_list(drop, 'drop', 'a list of names of columns')
    said = Said(label, threshold, categories, numbers, multi, time, weight, user, item, drop)
    found: dict[str, Any] = {}

    def decide(sample):
        said.check(sample.source, list(sample.columns))
        found['schema'], *found['guess'] = completed(said, sample, sample.told)
        wanted = found['schema'].columns if said.whole else None
        if wanted is None and said.drop:
            wanted = [n for n in sample.columns if n not in said.drop]
        return wanted, found['schema'].numbers

    raw = read_raw(
        source, decide, format=format, sep=sep, header=header, names=names, encoding=encoding,
        label=label if isinstance(label, str) else None,
    )  # fmt: skip
    check_rows(raw)
    schema, (guessed, notes) = _with_true_numbers(found['schema'], said, raw), found['guess']
    if guessed:
        are = 'is a guess' if len(guessed) == 1 else 'are guesses'
        what = ' and '.join([', '.join(guessed[:-1]), guessed[-1]] if guessed[1:] else guessed)
        warnings.warn(
            f'{raw.source} was read with {schema!r}, of which {what} {are}: pass these arguments '
            f'to confirm or to change them{"".join(f"; {note}" for note in notes)}.',
            stacklevel=2,
        )
    return _looked_at(Table(raw, schema))


def _with_true_numbers(schema, said, raw) -> Schema:
    """The schema, where a column that was guessed to be of numbers turned out to hold text."""
    text = []
    for name in schema.numbers:
        column = raw.columns[name]
        told = name in (said.numbers or ()) or raw.told.get('format') == 'criteo'
        if told or not isinstance(column, Column):
            continue
        if any(
            n is None and not is_missing(c) for c, n in zip(column.cells, numbers_of(column.cells))
        ):
            text.append(name)
    if not text:
        return schema
    return replace(
        schema,
        numbers=tuple(n for n in schema.numbers if n not in text),
        categories=(*schema.categories, *text),
    )


def _read_as(source, schema, label=None) -> Table:
    """Read what an earlier schema names; label, time, weight, user and item may be lacking."""
    found: dict[str, Any] = {}
    known = schema.label  # of files without a header, its place may be empty
    if isinstance(label, str):
        schema = replace(schema, label=label)
    elif label is False:
        schema = replace(schema, label=None)

    def decide(sample):
        found['schema'] = _restricted(schema, sample)
        return found['schema'].columns, found['schema'].numbers

    raw = read_raw(
        source, decide, format=schema.format, sep=schema.sep, header=schema.header,
        names=schema.names, encoding=schema.encoding, label=known,
    )  # fmt: skip
    check_rows(raw)
    return _looked_at(Table(raw, found['schema']))


def _looked_at(table):
    """The table; refuse what is said to be a number and is none."""
    for name in table.schema.numbers:
        table.numbers(name)
    return table


def check_rows(raw: Raw) -> None:
    """Refuse a table without a row."""
    if not raw.rows:
        raise ValueError(f'{raw.source} has no row, only names of columns: give at least one.')


def _restricted(schema, raw) -> Schema:
    """The schema without what may be lacking and is; refuse a feature that is."""
    for name in schema.fields:
        if name in raw.columns:
            continue
        if schema.format == 'libffm':  # a file lacks the fields that no row of it has
            raw.columns[name] = Column(name, [None], np.zeros(raw.rows, np.int32))
            continue
        shown = ', '.join(list(raw.columns)[:40])
        raise ValueError(
            f'{raw.source} has no column {name!r}, which is a feature of the training data: it has '
            f'{shown}; give it, or rename the one that it is.'
        )
    others = {w: getattr(schema, w) for w in ('label', 'time', 'weight', 'user', 'item')}
    return replace(schema, **{w: n if n in raw.columns else None for w, n in others.items()})


def as_table(data: Any, schema: Schema, label: Union[str, bool, None] = None) -> Table:
    """A table, frame or file by an earlier schema; `label` False for none."""
    if not isinstance(data, Table):
        return _read_as(data, schema, label)
    if isinstance(label, str):
        schema = replace(schema, label=label)
    elif label is False:
        schema = replace(schema, label=None)
    return data if data.schema == schema else data.with_schema(schema)
