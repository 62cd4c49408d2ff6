"""Data that memory need not hold: a source encoded once into a folder of memory-mapped files.

Two passes over the source, each a block at a time. The first counts values and fits what
`Table.dataset` fits; the second encodes and writes, every block to a place of its own, so that an
interrupted one goes on where it stopped. What has to fit into memory is a block, and the distinct
values of the categories with their counts.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import warnings
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional, Union

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from ..arguments import check_list, check_path, shown
from .blocks import Again, Blocks
from .ctr import Encoded, unknown_in
from .encoder import Encoder
from .formats import numbers_in, words_in
from .hashed import hashed_fields
from .json_files import is_whole, read_json, save_json
from .plan import Plan, _log_square
from .schema import Said, completed, labels_in
from .table import Table, _reads_dense, _restricted, _times, _with_true_numbers
from .values import Column, is_missing, only_spaces_apart, spelled, text_of
from .vocabulary import Field, Vocabulary, check_threshold

__all__ = ['EncodedFolder', 'encode', 'open_encoded']

DONE, BEGUN, ENCODER, STATE = 'encoded.json', 'encoding.json', 'encoder.json', 'blocks.bin'
TYPES = {'ids': '<i4', 'dense': '<f4', 'weights': '<f4', 'labels': '<f4', 'sample_weight': '<f4'}
STRETCH = 65_536  # rows that lie side by side; an epoch draws the order of the stretches
MERGE = 500_000  # counted values that wait to be added up
PART = 1_000_000  # numbers of a column that are in memory at a time


class EncodedFolder(Encoded):
    """Examples in a folder that `encode` wrote, read from there as they are needed.

    It goes wherever a data set goes: `fit`, `BatchLoader`, `predict`, `evaluate`. A slice is
    another view of the same files. A loader that shuffles reads eight stretches of 65,536 rows at
    a time, drawn anew in each epoch, and shuffles the rows of all eight.

    Attributes
    ----------
    vocabulary, encoder, features, dense, field_names, field_dims, offsets : as in `Encoded`
    labels : float32 (N,), or None where there are none
    unknown : float64 (F,), the share of these rows whose value the vocabulary does not hold
    folder, source : str, where it is, and what the rows came from
    digest : str, by which a checkpoint knows the rows again; None of rows picked by number

    Examples
    --------
    `encode` and `open_encoded` give one.

    >>> issubclass(EncodedFolder, Encoded)
    True
    """

    stretch = STRETCH
    part: Optional[tuple[int, int, int]] = None  # (k, n, rows of all parts)

    def __init__(self, folder: Union[str, os.PathLike], check: bool = True):
        self.folder = check_path(folder, 'folder')
        facts = _facts(self.folder)
        encoder = _encoder(self.folder, facts)
        self.vocabulary, self._plan = encoder.vocabulary, encoder.plan
        self._label, self._steps, self._format = encoder.label, (), 'table'
        self.source = facts['source']
        with open(os.path.join(self.folder, STATE), 'rb') as file:
            self._state = file.read()
        self.digest: Optional[str] = _digest([facts['digest'], self._state.hex()])
        rows, arrays, self._maps = facts['rows'], {}, []
        for name, width in facts['columns'].items():
            path = os.path.join(self.folder, f'{name}.bin')
            size = rows * max(width, 1) * 4
            if not os.path.isfile(path) or os.path.getsize(path) != size:
                found = os.path.getsize(path) if os.path.isfile(path) else 'no'
                raise ValueError(
                    f'{path} has {found} bytes where {rows:,} rows take {size}: remove the folder '
                    'and encode anew.'
                )
            shape = (rows, width) if width else (rows,)
            whole = np.memmap(path, TYPES[name], 'r', shape=shape)
            self._maps.append(whole)
            arrays[name] = whole.view(np.ndarray)
        self._per_row = {n: arrays.pop(n) for n in ('sample_weight',) if n in arrays}
        self.labels = arrays.pop('labels', None)
        self.columns = arrays
        self.column_names = {'dense': encoder.plan.dense_names} if 'dense' in arrays else {}
        self.bounds = _ends(encoder)
        if check:
            self._check(facts)

    def _check(self, facts):
        """Read all files once: the checksum of each block, and the range of each id."""
        whole_blocks = self._state[: len(self._state) // 8 * 8]  # a damaged file may hold less
        state = np.frombuffer(whole_blocks, '<u4').reshape(-1, 2)
        first, last = self.bounds['ids']
        whole = [m for m in self._maps if len(m)]
        for number, (start, stop) in enumerate(_places(facts)):
            value = 0
            for array in whole:
                value = zlib.crc32(array[start:stop].view(np.ndarray).data.cast('B'), value)
            ids = self.columns['ids'][start:stop]
            good = len(state) > number and state[number, 0] == 1 and state[number, 1] == value
            if not good or (ids < first).any() or (ids > last).any():
                raise ValueError(
                    f'{self.folder} is damaged in rows {start:,} to {stop - 1:,}: remove the '
                    'folder and encode anew.'
                )
            self.release()

    @property
    def unknown(self) -> np.ndarray:
        """Share (F,) of the rows whose value the vocabulary does not hold; reads all of them."""
        lost, there = np.zeros((2, len(self.vocabulary)))
        for start in range(0, len(self), STRETCH):
            rows = slice(start, start + STRETCH)
            ids = self.columns['ids'][rows]
            weights = self.columns['weights'][rows] if 'weights' in self.columns else None
            found = unknown_in(self.vocabulary, self.bag_sizes, ids, weights)
            lost, there = lost + found[0], there + found[1]
            self.release()
        return lost / np.maximum(there, 1)

    def _chosen(self, rows):
        new = super()._chosen(rows)
        new.digest, new.part = None, None
        if isinstance(rows, slice) and self.digest is not None:
            new.digest = _digest([self.digest, rows.indices(len(self))])
        return new

    def release(self) -> None:
        """Give back the memory of what was read; the files stay open."""
        for array in self._maps:
            if hasattr(mmap, 'MADV_DONTNEED') and len(array):
                array._mmap.madvise(mmap.MADV_DONTNEED)

    def __repr__(self):
        parts = [f'{len(self):,} rows', f'{len(self.vocabulary)} fields']
        parts.append(f'{self.vocabulary.num_features:,} features')
        parts += [f'{self.dense.shape[1]} dense'] if self.dense is not None else []
        parts += ['no labels'] if self.labels is None else []
        return f'EncodedFolder({self.source}: {", ".join(parts)})'


def open_encoded(
    folder: Union[str, os.PathLike], *, part: Optional[tuple[int, int]] = None, check: bool = True
) -> EncodedFolder:
    """Open what `encode` wrote.

    Parameters
    ----------
    folder : path
    part : (k, n), optional
        Only the k-th (from 0) of n parts of equally many rows, or nearly: one for each of several
        machines. They come from all over the source where the folder was written with a seed.
    check : bool
        Read everything once and hold it against the checksums and the vocabulary's ranges. The
        sizes of the files and the digest of the vocabulary are looked at in any case.

    Raises
    ------
    ValueError
        For a folder that is unfinished or damaged, or a part that is none.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> frame = pd.DataFrame({'click': [0, 1] * 8, 'town': list('abcd') * 4})
    >>> folder = tempfile.mkdtemp()
    >>> how = {'label': 'click', 'categories': ['town'], 'numbers': []}
    >>> _ = encode(frame, folder, verbose=False, **how)
    >>> open_encoded(folder, part=(1, 4))
    EncodedFolder(frame: 4 rows, 1 fields, 5 features)
    """
    data = EncodedFolder(folder, check)
    if part is None:
        return data
    if not isinstance(part, (tuple, list)) or len(part) != 2 or not all(map(is_whole, part)):
        raise ValueError(f'part is {shown(part)}: give (k, n), the k-th of n parts, from 0.')
    k, n = part
    if not 0 <= k < n or n > len(data):
        raise ValueError(
            f'part is {shown(tuple(part))} and the folder has {len(data):,} rows: give (k, n) with '
            'k from 0 to n - 1, and no more parts than rows.'
        )
    new = data[len(data) * k // n : len(data) * (k + 1) // n]
    new.part = (k, n, len(data))
    return new


def encode(
    source: Any,
    folder: Union[str, os.PathLike],
    *,
    encoder: Optional[Encoder] = None,
    numbers_as: Optional[str] = None,
    model: Any = None,
    min_threshold: float = 4,
    num_bins: int = 32,
    pool: str = 'sum',
    slots: Optional[int] = None,
    hashed: Optional[Mapping] = None,
    seed: Optional[int] = 0,
    verbose: bool = True,
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
) -> EncodedFolder:
    """Encode a source of any size into a folder, and open it: `read(...).dataset(...)` on disk.

    The ids are those that `read(source, ...).dataset(...)` gives. Called again with the same
    arguments it goes on where an earlier call was interrupted, by whatever: the first pass begins
    anew, the second at the first block that is lacking. A folder that is finished is opened, and
    what an earlier call wrote is held against its checksums.

    Parameters
    ----------
    source : as for `read`
    folder : path
        New, empty, or of an earlier call with the same arguments.
    encoder : Encoder, optional
        That of the training data, `train.encoder`: the source is read and encoded by it. Then
        none of the arguments from `numbers_as` to `hashed`, nor any of those of `read`, is given.
    numbers_as : 'quantiles', 'logsquare' or 'dense', optional
        What becomes of columns of numbers: `numbers` of `Table.dataset`.
    model, min_threshold, num_bins, pool, slots, hashed : as for `Table.dataset`
    seed : int, optional
        Of the order in which blocks are written, and of the rows of each; None for that of the
        source.
    verbose : bool
        Show a progress bar for each pass.
    label, threshold, ..., encoding : as for `read`

    Returns
    -------
    EncodedFolder

    Raises
    ------
    ValueError
        As `read` and `Table.dataset`; for a folder with anything else in it, or damaged.

    Examples
    --------
    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> path = os.path.join(folder, 'log.csv')
    >>> with open(path, 'w') as file:
    ...     _ = file.write('click,town\\n' + '1,Oslo\\n0,Rome\\n' * 50)
    >>> how = {'label': 'click', 'categories': ['town'], 'numbers': []}
    >>> data = encode(path, os.path.join(folder, 'encoded'), seed=None, verbose=False, **how)
    >>> data
    EncodedFolder(log.csv: 100 rows, 1 fields, 3 features)
    >>> data.features[:3].tolist(), data.labels[:3].tolist()
    ([[0], [1], [0]], [1.0, 0.0, 1.0])
    """
    folder = check_path(folder, 'folder')
    drop = check_list(drop, 'drop', 'a list of names of columns')
    if seed is not None and (not is_whole(seed) or seed < 0):
        raise ValueError(f'seed is {shown(seed)}: give a whole number, 0 or more, or None.')
    check_threshold(min_threshold)
    said = Said(label, threshold, categories, numbers, multi, time, weight, user, item, drop)
    how = {'format': format, 'sep': sep, 'header': header, 'names': names, 'encoding': encoding}
    if encoder is not None:
        given = {**how, **dict(said.single), 'label': label, 'categories': categories,
                 'numbers': numbers, 'multi': multi, 'numbers_as': numbers_as,
                 'hashed': hashed}  # fmt: skip
        extra = [n for n, v in given.items() if v is not None]
        if extra or getattr(encoder, 'plan', None) is None or encoder.steps:
            raise ValueError(
                f'encoder is given beside {", ".join(extra)}: leave these out.'
                if extra
                else 'the encoder was not fitted to a table of d2lrec.read, or has steps: give '
                'train.encoder of a training set that read(...).dataset() or encode made.'
            )
        how = {n: getattr(encoder.plan.schema, n) for n in how}
    else:
        how['label'] = label if isinstance(label, str) else None
    source = _Source(source, said, how, None if encoder is None else encoder.plan.schema)
    if numbers_as is None:
        numbers_as = 'dense' if _reads_dense(model) else 'quantiles'
    asked = {
        'files': source.blocks.files, 'marks': source.blocks.marks(),
        'said': repr(vars(said)), 'how': repr(how),
        'fitted': [numbers_as, min_threshold, num_bins, pool, slots], 'seed': seed,
        'encoder': None if encoder is None else _digest(encoder.to_json()),
        **({} if hashed is None else {'hashed': repr(hashed)}),
    }  # fmt: skip
    begun = _begun(folder, asked)
    if not begun:
        fitted = (numbers_as, min_threshold, num_bins, pool, slots, hashed)
        facts, encoder = _count(source, folder, encoder, fitted, seed, verbose)
        facts['asked'] = asked
        told = encoder.to_json()  # as large as its vocabulary
        save_json(os.path.join(folder, ENCODER), told)
        facts['digest'] = _digest(told)
        save_json(os.path.join(folder, BEGUN), facts)
    if os.path.exists(os.path.join(folder, BEGUN)):
        _write(source, folder, verbose)
    return EncodedFolder(folder, check=begun)  # what an earlier call wrote may be damaged by now


class _Source:
    """Blocks of a source as tables of one schema."""

    def __init__(self, source, said, how, schema):
        self._said, self._known, self._texts, self._warned = said, schema, [], False
        self._found: dict[str, Any] = {}
        self._time: Optional[str] = None  # 'M' where times are dates, 'f' where they are numbers
        self.blocks = Blocks(source, self._decide, **how)

    @property
    def name(self):
        return self.blocks.name

    def _decide(self, sample):
        if self._known is not None:
            schema = _restricted(self._known, sample)
            self._found = {'schema': schema, 'guessed': []}
            return schema.columns, schema.numbers
        said = self._said
        said.check(sample.source, list(sample.columns))
        schema, guessed, _ = completed(said, sample, sample.told)
        self._found = {'schema': schema, 'guessed': guessed}
        wanted = schema.columns if said.whole else None
        if wanted is None and said.drop:
            wanted = [n for n in sample.columns if n not in said.drop]
        return wanted, schema.numbers

    @property
    def schema(self):
        """What is known of the columns so far."""
        schema, texts = self._found['schema'], self._texts
        return replace(
            schema,
            numbers=tuple(n for n in schema.numbers if n not in texts),
            categories=(*schema.categories, *(n for n in schema.numbers if n in texts)),
        )

    def warn(self):
        guessed = self._found['guessed']
        if guessed and not self._warned:
            self._warned = True
            warnings.warn(
                f'{self.name} was read with {self.schema!r}, of which {", ".join(guessed)} '
                'was guessed: pass these arguments to confirm or to change them.',
                stacklevel=4,
            )

    def tables(self, skip=frozenset()):
        """(number, table) of each block, None in the place of those to skip."""
        row = 0
        for number, raw in self.blocks(skip):
            if raw is None:
                yield number, None
                continue
            if self._known is None:
                texts = set(self.schema.numbers)
                texts -= set(_with_true_numbers(self.schema, self._said, raw).numbers)
                if texts:
                    self._texts += sorted(texts)
                    raise Again
                if 'time' in self._found['guessed']:
                    self._check_time(raw, row)
            try:
                yield number, _Rows(raw, self.schema)
            except ValueError as error:
                raise ValueError(
                    f'in the rows from {row + 1:,} on, counted anew: {error}'
                ) from None
            row += raw.rows

    def _check_time(self, raw, row):
        """Refuse a column that was taken for the time by its first rows and is none in these."""
        name = self.schema.time
        column = words_in(name, raw.columns[name], self.name)
        there = [c for c in column.cells if not is_missing(c)]
        if not there or isinstance(raw.columns[name], np.ndarray):
            return
        try:
            kind = _times(name, Column(name, there, np.arange(len(there))), self.name).dtype.kind
        except ValueError:
            kind = None
        self._time = self._time or kind
        if kind is not None and kind == self._time:
            return
        for cell in column.cells:
            one = Column(name, [cell], np.zeros(1, np.int32))
            try:
                if is_missing(cell) or _times(name, one, self.name).dtype.kind == self._time:
                    continue
            except ValueError:
                pass
            break
        i = column.cells.index(cell)
        raise ValueError(
            f'{self.name}: by its first rows {name!r} was taken for the time, and in row '
            f'{row + column.first_row(i) + 1:,} it is {text_of(cell)[:40]!r}: pass '
            f'time={name!r} where that is the time all the same, or time=False where the column is '
            'a feature.'
        )


class _Rows(Table):
    """Some of the rows of a table, all of which may have a weight of 0."""

    def _weights(self):
        name = self.schema.weight
        weights = None if name is None else numbers_in(name, self._columns[name], self.source)
        return weights if weights is None or not weights.any() else super()._weights()

    def cells_of_label(self) -> Column:
        name = self.schema.label
        return words_in(name, self._columns[name], self.source)


# --------------------------------------------------------------------------------- the first pass


class _Counts:
    """How often each value of a column occurs."""

    def __init__(self):
        self._texts, self._counts, self._waiting = [], [], 0
        self._merged = 0
        self._others: dict[Any, int] = defaultdict(int)

    def add(self, cells: Sequence, codes: np.ndarray) -> None:
        """Enter the values of a block's rows."""
        counts = np.bincount(codes, minlength=len(cells))[: len(cells)]
        if set(map(type, cells)) <= {str, type(None)}:
            for code, cell in enumerate(cells[-1:], len(cells) - 1):  # one that is missing is last
                if cell is None:
                    self._others[type(None), None] += int(counts[code])
                    cells, counts = cells[:code], counts[:code]
        if not set(map(type, cells)) <= {str}:
            for cell, count in zip(cells, counts.tolist()):
                if count:
                    self._others[type(cell), cell] += count
            return
        there = counts > 0
        texts = pa.array(cells, pa.string())
        self._texts.append(texts if there.all() else texts.filter(pa.array(there)))
        self._counts.append(pa.array(counts[there], pa.int64()))
        self._waiting += int(there.sum())
        if self._waiting > max(MERGE, self._merged):
            self._merge()

    def _merge(self):
        table = pa.table(
            {
                'value': pa.chunked_array(self._texts, pa.string()),
                'count': pa.chunked_array(self._counts, pa.int64()),
            }
        )
        table = table.group_by('value').aggregate([('count', 'sum')])
        self._texts = table.column('value').chunks
        self._counts = table.column('count_sum').chunks
        self._waiting, self._merged = 0, len(table)

    def result(self) -> tuple[list, np.ndarray]:
        """The distinct values, as they came, and how often each occurs."""
        self._merge()
        cells = [cell for chunk in self._texts for cell in chunk.to_pylist()]
        counts = [c for chunk in self._counts for c in chunk.to_pylist()]
        cells += [cell for _, cell in self._others]
        return cells, np.array([*counts, *self._others.values()], np.int64)


class _Numbers:
    """The numbers of a column, in a file of their own."""

    def __init__(self, path):
        self.path, self.there, self.missing = path, 0, 0
        self._file = open(path, 'wb')

    def add(self, values: np.ndarray) -> None:
        """Enter those of a block's rows."""
        there = values[~np.isnan(values)]
        self._file.write(np.ascontiguousarray(there, '<f8').data)
        self.there += len(there)
        self.missing += len(values) - len(there)

    def parts(self, size: int = PART):
        """The numbers, some at a time."""
        self._file.flush()
        with open(self.path, 'rb') as file:
            while len(part := np.frombuffer(file.read(8 * size), '<f8')):
                yield part

    def at(self, ranks: np.ndarray) -> np.ndarray:
        """The values that have these places in the order of all, exactly, in bounded memory.

        A number's bits, turned so that they rise with it, are counted 16 at a time: four passes
        tell all 64.
        """
        ranks = np.asarray(ranks, np.int64)
        if self.there <= PART:
            return np.sort(np.concatenate([np.empty(0), *self.parts()]) + 0.0)[ranks]
        found, left = np.zeros(len(ranks), np.uint64), ranks.copy()
        for shift in (48, 32, 16, 0):
            begun = np.unique(found)
            counts = np.zeros((len(begun), 65_536), np.int64)
            for part in self.parts():
                keys = _rising(part)
                high = np.zeros_like(keys) if shift == 48 else keys >> np.uint64(shift + 16)
                place = np.searchsorted(begun, high)
                place[place == len(begun)] = 0
                mine = begun[place] == high
                low = (keys[mine] >> np.uint64(shift)) & np.uint64(65_535)
                where = place[mine] * 65_536 + low.astype(np.int64)
                counts += np.bincount(where, minlength=counts.size).reshape(counts.shape)
            for i, (before, rank) in enumerate(zip(np.searchsorted(begun, found), left)):
                sums = np.cumsum(counts[before])
                bits = int(np.searchsorted(sums, rank, side='right'))
                left[i] = rank - (int(sums[bits - 1]) if bits else 0)
                found[i] = (found[i] << np.uint64(16)) | np.uint64(bits)
        top = np.uint64(1 << 63)
        return np.where(found & top, found ^ top, ~found).view(np.float64)

    def close(self):
        self._file.close()
        os.remove(self.path)


def _rising(values):
    """Unsigned whole numbers in the order of these floats; -0 is 0."""
    bits = (values + 0.0).view(np.uint64)
    top = np.uint64(1 << 63)
    return np.where(bits & top, ~bits, bits | top)


def _count(source, folder, encoder, fitted, seed, verbose):
    """The first pass: what the manifest holds, and the encoder."""
    while True:
        seen = _Seen(folder, fitted[0] if encoder is None else None)
        try:
            with tqdm(
                total=source.blocks.total, desc='count', unit='B', unit_scale=True, leave=False,
                disable=not verbose,
            ) as bar:  # fmt: skip
                for _, table in source.tables():
                    seen.add(table)
                    bar.update(source.blocks.step)
            break
        except BaseException as error:
            seen.close()
            if not isinstance(error, Again):
                raise
    source.warn()
    try:
        if not sum(seen.rows):
            raise ValueError(f'{source.name} has no rows: give at least one.')
        if seen.label is not None:  # such as -1 in one block and 0 in another
            cells = seen.label.result()[0]
            column = Column(source.schema.label, cells, np.arange(len(cells), dtype=np.int32))
            labels_in(source.schema.label, column, source.schema.threshold, source.name)
        if encoder is None:
            encoder, text = _fitted(source.schema, seen, *fitted)
            for sentence in only_spaces_apart(source.name, text):
                warnings.warn(sentence, stacklevel=3)
    finally:
        seen.close()
    columns = {'ids': len(encoder.plan.field_names) - len(encoder.plan.slots)}
    columns['ids'] += sum(encoder.bag_sizes)
    if encoder.plan.dense_names:
        columns['dense'] = len(encoder.plan.dense_names)
    if encoder.plan.slots:
        columns['weights'] = sum(encoder.bag_sizes)
    columns.update({'labels': 0} if seen.label is not None else {})
    columns.update({'sample_weight': 0} if source.schema.weight is not None else {})
    facts = {
        'version': 1, 'source': source.name, 'rows': sum(seen.rows), 'blocks': seen.rows,
        'seed': seed, 'columns': columns, 'learned': source.blocks.learned(),
        'texts': source._texts,
    }  # fmt: skip
    return facts, encoder


class _Seen:
    """What the first pass has met."""

    def __init__(self, folder, numbers_as):
        self._folder, self._numbers_as = folder, numbers_as
        self.rows, self.label = [], None
        self.counts: dict[str, _Counts] = defaultdict(_Counts)
        self.numbers: dict[str, _Numbers] = {}
        self.longest: dict[str, int] = defaultdict(int)

    def add(self, table):
        """Enter a block."""
        schema = table.schema
        self.rows.append(len(table))
        if schema.label is not None:
            self.label = self.label or _Counts()
            column = table.cells_of_label()
            self.label.add(column.cells, column.codes)
        if self._numbers_as is None:
            return
        for name in schema.categories:
            column = table.category(name)
            self.counts[name].add(column.cells, column.codes)
        for i, name in enumerate(schema.numbers):
            values = table.numbers(name)
            if self._numbers_as == 'logsquare':
                column = _log_square(name, values)
                self.counts[name].add(column.cells, column.codes)
            if name not in self.numbers:
                self.numbers[name] = _Numbers(os.path.join(self._folder, f'number {i}.part'))
            self.numbers[name].add(values)
        for name in schema.multi:
            lists = table.lists(name)
            self.counts[name].add(lists.cells, lists.codes)
            self.longest[name] = max(self.longest[name], int(lists.counts.max(initial=0)))

    def close(self):
        """Remove what was spilled."""
        for numbers in self.numbers.values():
            numbers.close()
        self.numbers = {}


def _fitted(schema, seen, numbers_as, min_threshold, num_bins, pool, slots, hashed) -> tuple:
    """The encoder by what the first pass counted, and the distinct values of columns of text."""
    found = {n: (f.missing, f.there, f.at) for n, f in seen.numbers.items()}
    longest = {name: seen.longest[name] for name in schema.multi}
    plan = Plan._of_counts(schema, numbers_as, num_bins, pool, slots, hashed, found, longest)
    fields, text = [], {}
    numbers = () if numbers_as == 'dense' else schema.numbers
    for name in (*schema.categories, *numbers, *schema.multi):
        bins = plan.bins(name)
        if bins is None:
            cells, counts = seen.counts[name].result()
            column = Column(name, cells, np.arange(len(cells), dtype=np.int32))
            kind, words, codes = spelled(column)
            text.update({name: words} if kind == 'text' else {})
            if name in plan.hashed:
                found = hashed_fields(name, plan.hashed[name], kind, words)
                fields += [one for one, _ in found]
                continue
            sums = np.zeros(len(words), np.int64)
            np.add.at(sums, codes, counts)
            fields.append(Field._of_counts(name, kind, words, sums, min_threshold)[0])
            continue
        counts = np.zeros(len(bins), np.int64)
        for part in seen.numbers[name].parts():
            places = np.searchsorted(plan.cuts[name], part, side='right')
            counts += np.bincount(places, minlength=len(bins))
        counts[-1] += seen.numbers[name].missing
        fields.append(Field(name, tuple(bins), 'text', None, tuple(counts.tolist())))
    vocabulary = Vocabulary(fields, schema.label)
    return Encoder(vocabulary, schema.label, plan.dense_names, (), 'table', plan), text


# -------------------------------------------------------------------------------- the second pass


def _write(source, folder, verbose):
    """The second pass: each block that is lacking, encoded and written to its place."""
    path = os.path.join(folder, BEGUN)
    facts = read_json(path, _checked, 'beginning of an encoding')
    encoder, places = _encoder(folder, facts), _places(facts)
    source.blocks.learn(facts['learned'])  # by the process that counted, where it was another one
    source._texts = list(facts['texts'])
    files = {}
    try:
        for name, width in facts['columns'].items():
            target = os.path.join(folder, f'{name}.bin')
            files[name] = open(target, 'r+b' if os.path.exists(target) else 'w+b')
            files[name].truncate(facts['rows'] * max(width, 1) * 4)
        target = os.path.join(folder, STATE)
        state = open(target, 'r+b' if os.path.exists(target) else 'w+b')
        files[STATE] = state
        state.truncate(8 * len(places))
        done = np.frombuffer(state.read(), '<u4').reshape(-1, 2)[:, 0] == 1
        while True:
            try:
                skip = frozenset(np.flatnonzero(done).tolist())
                with tqdm(
                    total=facts['rows'], desc='encode', unit='row', unit_scale=True, leave=False,
                    disable=not verbose,
                ) as bar:  # fmt: skip
                    for number, table in source.tables(skip):
                        bar.update(facts['blocks'][number])
                        if table is not None:
                            _write_block(table, number, facts, encoder, places[number], files)
                break
            except Again:  # this time it is known from the first block on
                continue
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    finally:
        for file in files.values():
            file.close()
    os.replace(path, os.path.join(folder, DONE))


def _write_block(table, number, facts, encoder, place, files):
    start, stop = place
    if len(table) != stop - start:
        raise ValueError(
            f'{table.source} has changed since its values were counted: block {number + 1} has '
            f'{len(table):,} rows where it had {stop - start:,}; remove the folder, encode anew.'
        )
    _, columns, _, _ = encoder.plan.encode(table, encoder.vocabulary)
    columns.update(labels=table.labels, sample_weight=table.weights)
    order = slice(None)
    if facts['seed'] is not None:
        order = np.random.default_rng([facts['seed'], number]).permutation(len(table))
    value = 0
    for name, width in facts['columns'].items():
        block = np.ascontiguousarray(columns[name][order], TYPES[name])
        if block.dtype.kind == 'f' and not np.isfinite(block).all():
            row = int(np.argwhere(~np.isfinite(block))[0][0])
            raise ValueError(f'{name} of a row of block {number + 1} is {block[row]}: mend it.')
        value = zlib.crc32(block.data.cast('B') if block.size else b'', value)
        files[name].seek(start * max(width, 1) * 4)
        files[name].write(block.data)
        files[name].flush()
    files[STATE].seek(8 * number)
    files[STATE].write(np.array([1, value], '<u4').tobytes())
    files[STATE].flush()


# ------------------------------------------------------------------------------------- the folder


def _begun(folder, asked) -> bool:
    """Whether the folder holds the beginning, or all, of what is asked for."""
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f'{folder} is a file, or lies in one: give a new folder.') from None
    for name in (DONE, BEGUN):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            facts = read_json(path, _checked, 'encoding')
            if facts.get('asked') != json.loads(json.dumps(asked)):
                raise ValueError(
                    f'{folder} was encoded from another source or with other arguments: give '
                    'these, or another folder.'
                )
            return True
    ours = {ENCODER, STATE, *(f'{n}.bin' for n in TYPES)}
    others = [n for n in os.listdir(folder) if n not in ours and not n.endswith('.part')]
    if others:
        raise ValueError(f'{folder} holds {sorted(others)[0]!r} and is not empty: give another.')
    for name in os.listdir(folder):  # what an interrupted first pass left
        os.remove(os.path.join(folder, name))
    return False


def _checked(facts):
    """What a manifest holds, every entry looked at."""
    if facts['version'] != 1:
        raise ValueError(f'it is of version {facts["version"]!r}, and this library knows 1')
    blocks, columns, seed = facts['blocks'], facts['columns'], facts['seed']
    texts = [facts['source'], facts['digest'], *facts['texts'], *facts['learned'].get('words', ())]
    if not all(isinstance(text, str) for text in texts) or not isinstance(facts['texts'], list):
        raise ValueError('its source, digest or columns of words are no texts')
    if seed is not None and (not is_whole(seed) or seed < 0):
        raise ValueError('its seed is no whole number, 0 or more')
    if not isinstance(blocks, list) or not all(is_whole(b) and b >= 0 for b in blocks):
        raise ValueError('its blocks are no list of numbers of rows')
    if not is_whole(facts['rows']) or not isinstance(columns, dict):
        raise ValueError('its rows are no number, or its columns no names')
    if sum(blocks) != facts['rows'] or 'ids' not in columns or not set(columns) <= set(TYPES):
        raise ValueError('its blocks or columns do not fit its rows')
    if not all(is_whole(w) and w >= 0 for w in columns.values()):
        raise ValueError('its columns have no widths')
    return facts


def _facts(folder):
    path = os.path.join(folder, DONE)
    if os.path.exists(os.path.join(folder, BEGUN)):
        raise ValueError(
            f'{folder} is not finished: call encode with the same arguments, and it goes on.'
        )
    if not os.path.exists(path):
        raise ValueError(f'{folder} holds nothing that encode wrote: give such a folder.')
    for name in (ENCODER, STATE):
        if not os.path.isfile(os.path.join(folder, name)):
            raise ValueError(f'{folder} has no {name}: remove the folder and encode anew.')
    return read_json(path, _checked, 'encoding')


def _encoder(folder, facts) -> Encoder:
    encoder = Encoder.load(os.path.join(folder, ENCODER))
    if _digest(encoder.to_json()) != facts['digest']:
        raise ValueError(
            f'{os.path.join(folder, ENCODER)} is not what the rows were encoded by: remove the '
            'folder and encode anew.'
        )
    return encoder


def _digest(content) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _places(facts) -> list[tuple[int, int]]:
    """(first row, the one after the last) of each block of the source."""
    blocks = np.array(facts['blocks'], np.int64)
    order = np.arange(len(blocks))
    if facts['seed'] is not None:
        order = np.random.default_rng([facts['seed']]).permutation(len(blocks))
    starts = np.zeros(len(blocks), np.int64)
    starts[order] = np.cumsum(blocks[order]) - blocks[order]
    return list(zip(starts.tolist(), (starts + blocks).tolist()))


def _ends(encoder) -> dict:
    """{name: the least and the greatest that each column may hold} of what was checked."""
    plan, vocabulary = encoder.plan, encoder.vocabulary
    sizes = [1] * (len(vocabulary) - len(plan.slots)) + plan.bag_sizes
    first = np.repeat(vocabulary.offsets, sizes)
    last = np.repeat(vocabulary.offsets + vocabulary.dims - 1, sizes)
    bounds = {'ids': np.stack([first, last]).astype(np.int32)}
    empty = np.zeros((0, 1), np.float32)
    return {**bounds, 'dense': empty, 'weights': empty}
