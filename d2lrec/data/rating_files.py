"""`read_ratings`: any table of (user, item, rating[, time]), and the folders of MovieLens whole."""

from __future__ import annotations

import os
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from ..arguments import check_options, check_real, shown
from .archive_files import copy_member
from .formats import _bytes, numbers_in, read_raw, unpacking
from .ratings import check_in_scale, check_scale, look_at_ratings, pairs_twice
from .schema import ITEM_NAMES, LIKED, RATING_NAMES, TIME_NAMES, USER_NAMES, Schema
from .splits import check_complete
from .table import Table, check_rows
from .values import Column

__all__ = ['read_ratings']

# Of each release: the file of the ratings, and those of what is known of items and users, with
# how they are written. Names are this library's: user, item, rating, time.
RELEASES = {
    'ratings.dat': {  # MovieLens-1M and -10M
        'scale': (0.5, 5),
        'ratings': (['user', 'item', 'rating', 'time'], '::'),
        'movies.dat': (['item', 'title', 'genres'], '::'),
        'users.dat': (['user', 'gender', 'age', 'occupation', 'zip'], '::'),
    },
    'ratings.csv': {  # MovieLens-latest, -20M, -25M, -32M
        'scale': (0.5, 5),
        'ratings': (['user', 'item', 'rating', 'time'], ','),
        'movies.csv': (['item', 'title', 'genres'], ','),
    },
    'u.data': {  # MovieLens-100K
        'scale': (1, 5),
        'ratings': (['user', 'item', 'rating', 'time'], '\t'),
        'u.user': (['user', 'age', 'gender', 'occupation', 'zip'], '|'),
    },
}
NO_GENRE = '(no genres listed)'
KINDS = 'user', 'item', 'rating', 'time'
HOW = 'format', 'sep', 'header', 'names', 'encoding'


def read_ratings(
    source: Any,
    user: Optional[str] = None,
    item: Optional[str] = None,
    rating: Optional[str] = None,
    time: Optional[str] = None,
    *,
    threshold: float = LIKED,
    scale: Optional[Sequence[float]] = None,
    repeated: Optional[str] = None,
    **how: Any,
) -> Table:
    """Read ratings: a file or frame of (user, item, rating[, time]), or a folder of MovieLens.

    The table's label says whether the rating is `threshold` or more; `table.ratings()` has the
    ratings themselves, half stars kept. Of a MovieLens folder (100K, 1M, 10M, 20M, 25M, latest),
    or the zip archive of one, what is known of films and users is joined on: title, genres,
    gender, age, occupation, zip.

    Parameters
    ----------
    source : path or pandas.DataFrame
    user, item, rating, time : str, optional
        The names of the columns; by default those so called ('userId', 'movie_id', 'stars' ...),
        else the first four. False for no time.
    threshold : number, by default 4
    scale : (least, most), optional
        A rating beyond it is refused, with its row; of MovieLens it is known. Without it a
        warning names a rating that stands apart from all others, such as 99 or -1 for none.
    repeated : 'all' or 'last', optional
        What to keep of the ratings of one item by one user: all of them, or the latest, by time
        or else by place. By default all, and a warning says so.
    **how : format, sep, header, names, encoding, as in `read`

    Raises
    ------
    ValueError
        As `read`; for ratings that are no numbers or beyond the scale, with their rows.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({'userId': [7, 7, 9], 'movieId': [1, 5, 5], 'rating': [3.5, 5, 0.5]})
    >>> table = read_ratings(frame)
    >>> table
    Table(frame: 3 rows, label rating >= 4, 2 categories)
    >>> table.ratings()
    Ratings(3 ratings of 2 items by 2 users)
    >>> table.ratings().ratings.tolist(), table.ratings().item_names
    ([3.5, 5.0, 0.5], ['1', '5'])
    """
    threshold, scale = check_real(threshold, 'threshold'), check_scale(scale)
    if repeated is not None and repeated not in ('all', 'last'):
        raise ValueError(f"repeated is {shown(repeated)}: choose 'all' or 'last'.")
    check_options(how, HOW, 'read_ratings')
    for what, name in (('user', user), ('item', item), ('rating', rating), ('time', time)):
        if name is not None and name is not False and not isinstance(name, str):
            raise ValueError(f'{what} is {shown(name)}: give the name of a column.')
    found = _release(source)
    if found is not None:
        table = _read_release(*found, threshold)
        return _looked_at(table, scale or RELEASES[found[1]]['scale'], repeated)
    raw = read_raw(source, lambda sample: (None, []), **how)
    check_rows(raw)
    names = list(raw.columns)
    said = {'user': user, 'item': item, 'rating': rating, 'time': time}
    if names[:3] == ['column 1', 'column 2', 'column 3'] and not any(said.values()):
        names = [*KINDS[: len(names)], *names[4:]]  # a file without names has those of a release
        columns = zip(names, raw.columns.values())
        raw.columns = {n: c._replace(name=n) if isinstance(c, Column) else c for n, c in columns}
        raw.told['names'], raw.told['header'] = names, False
    chosen, by_place = [], []
    for what, said, known in (
        ('user', user, USER_NAMES),
        ('item', item, ITEM_NAMES),
        ('rating', rating, RATING_NAMES),
        ('time', time, TIME_NAMES),
    ):
        if said is False and what == 'time':
            chosen.append(None)
            continue
        alike = [n for n in names if n.lower() in known and n not in chosen]
        name = said or (alike[0] if alike else None)
        place = len(chosen)
        if name is None and place < len(names) and not set(chosen) & {names[place]}:
            name = names[place] if what != 'time' or len(names) == 4 else None
            by_place += [what] if name is not None else []
        if (name is None and what != 'time') or (name is not None and name not in names):
            raise ValueError(
                f'{raw.source} has no column {name or what!r}: it has {", ".join(names)}; say '
                'which is which by user=, item=, rating= and time=.'
            )
        chosen.append(name)
    user, item, rating, time = chosen
    if by_place and not names[0].startswith('column ') and not names[0].isdigit():
        told = ', '.join(f'{w}={n!r}' for w, n in zip(KINDS, chosen) if w in by_place)
        warnings.warn(
            f'{raw.source}: by their places, not by their names, the columns were taken for '
            f'{told}: pass these arguments to confirm or to change them.',
            stacklevel=2,
        )
    others = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.told.items()}
    schema = Schema(
        rating, float(threshold), (user, item), time=time, user=user, item=item, **others
    )
    table = Table(raw, schema)
    highest = float(numbers_in(rating, raw.columns[rating], raw.source).max())
    if highest > 1e6:
        raise ValueError(
            f'{raw.source}: the rating {rating!r} goes up to {highest:g}, which looks like a time '
            'stamp: say which column is which by user=, item=, rating= and time=.'
        )
    return _looked_at(table, scale, repeated)


def _looked_at(table, scale, repeated) -> Table:
    """The table; its ratings within their scale, and of one pair as many as are wanted."""
    users, items, values = table._rated()
    if repeated == 'all':
        check_in_scale(values, table.schema.label, table.source, scale)
        users, items = users[:0], items[:0]
    if repeated == 'last':
        times = np.zeros(len(table)) if table.times is None else table.times
        if pairs_twice(users, items) is not None:
            check_complete(times, 'time', table.source, table.schema.time)
        order = np.lexsort((times, items, users))  # stable: rows of one time keep their order
        u, i = users[order], items[order]
        last = np.append((u[1:] != u[:-1]) | (i[1:] != i[:-1]), True)
        rows = np.sort(order[last])
        if len(rows) < len(table):
            table = table[rows]
            users, items, values = users[rows], items[rows], values[rows]
    look_at_ratings(
        users, items, values, table.schema.label, table.source, scale,
        cure="all are kept; repeated='last' keeps the latest of each pair, 'all' confirms these",
    )  # fmt: skip
    table._told_ratings = True
    return table


def _release(source):
    """The files of a MovieLens release, and which kind; None for anything else."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fspath(source)
    if os.path.isdir(path):
        files = {f: os.path.join(path, f) for f in os.listdir(path)}
    elif path.lower().endswith('.zip') and os.path.isfile(path) and zipfile.is_zipfile(path):
        with unpacking(path), zipfile.ZipFile(path) as archive:
            files = {os.path.basename(n): (path, n) for n in archive.namelist() if n[-1] != '/'}
    else:
        return None
    for name in RELEASES:
        if name in files:
            return os.path.basename(path.rstrip(os.sep)), name, files
    return None


def _read_release(source, kind, files, threshold) -> Table:
    parts = {name: part for name, part in RELEASES[kind].items() if name != 'scale'}
    names, sep = parts.pop('ratings')
    raw = _part(files[kind], names, sep, ['rating', 'time'])
    raw.source = source
    categories, multi = ['user', 'item'], {}
    for file, (names, sep) in parts.items():
        if file not in files:
            continue
        side = _part(files[file], names, sep, [])
        where = _rows_of(raw.columns[names[0]], side.columns[names[0]], file)
        for name in names[1:]:
            column = side.columns[name]
            gone = len(column.cells)
            codes = np.append(column.codes, np.int32(gone))[where]
            raw.columns[name] = Column(name, [*column.cells, None], codes)
            if name == 'genres':
                cells = [None if c == NO_GENRE else c for c in raw.columns[name].cells]
                raw.columns[name] = Column(name, cells, codes)
                multi[name] = '|'
            elif name != 'title':  # which says what the item says
                categories.append(name)
    if kind == 'u.data' and 'u.item' in files:
        categories += _old_films(raw, files['u.item'], multi)
    schema = Schema(
        'rating', float(threshold), tuple(categories), multi=multi, time='time', user='user',
        item='item',
    )  # fmt: skip
    return Table(raw, schema)


def _part(file, names, sep, numbers):
    """A file of a release, or a member of its archive."""
    path, folder = file, None
    if isinstance(file, tuple):
        folder = tempfile.TemporaryDirectory()
        with unpacking(file[0]), zipfile.ZipFile(file[0]) as archive:
            path = os.path.join(folder.name, os.path.basename(file[1]))
            with open(path, 'wb') as out:
                copy_member(archive, file[0], archive.getinfo(file[1]), out)
    try:
        encoding = None
        try:
            _bytes(path).decode('utf-8')
        except UnicodeDecodeError:
            encoding = 'latin-1'
        header = path.endswith('.csv')
        return read_raw(
            path, lambda sample: (None, numbers), format='csv', sep=sep, header=header,
            names=names, encoding=encoding,
        )  # fmt: skip
    finally:
        if folder is not None:
            folder.cleanup()


def _rows_of(column, keys, file) -> np.ndarray:
    """For each row of `column` the row of `keys` with its value; -1 where none has it."""
    row_of = {keys.cells[code]: row for row, code in enumerate(keys.codes.tolist())}
    if len(row_of) < len(keys.codes):
        raise ValueError(f'{file} has an id twice: give one row for each.')
    return np.array([row_of.get(cell, -1) for cell in column.cells], np.int64)[column.codes]


def _old_films(raw, file, multi) -> list[str]:
    """MovieLens-100K's films: title, year, and genres out of 18 columns of 0 and 1."""
    from .movielens import GENRES

    names = ['item', 'title', 'release', 'video', 'url', 'unknown', *GENRES]
    films = _part(file, names, '|', [])
    where = _rows_of(raw.columns['item'], films.columns['item'], 'u.item')
    flags = np.stack(
        [np.array([c == '1' for c in films.columns[g].cells])[films.columns[g].codes]
         for g in GENRES], axis=1,
    )  # fmt: skip
    genres = ['|'.join(g for g, there in zip(GENRES, row) if there) for row in flags]
    distinct = {text: i for i, text in enumerate(dict.fromkeys([*genres, '']))}
    codes = np.array([distinct[text] for text in [*genres, '']], np.int32)[where]
    raw.columns['genres'] = Column('genres', list(distinct), codes)
    multi['genres'] = '|'
    titles = films.columns['title']
    codes = np.append(titles.codes, np.int32(len(titles.cells)))[where]
    raw.columns['title'] = Column('title', [*titles.cells, None], codes)
    return []
