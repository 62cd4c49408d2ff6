"""The rows of any source that `read` reads, some at a time, in bounded memory."""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Optional

import numpy as np
import pandas as pd
import pyarrow as pa

from .formats import (
    LOOK,
    Decide,
    Lists,
    Raw,
    _by_number,
    _not_text,
    _of_arrow_table,
    _of_frame,
    _single,
    _sparse,
    _sparse_lines,
    _stream,
    _suffixes,
    columns_in,
    json_table,
    opened,
    parse_text,
    taken,
    text_layout,
)
from .lines import MARK, last_end
from .values import Column

__all__ = ['Blocks']

BYTES = 16_000_000  # of text in a block
ROWS = 65_536  # in a block of a Parquet file or a frame
QUOTED_LINES = 1_000  # that a quoted cell may go on for


class Again(Exception):
    """What was read so far has to be read anew: a column is not what its first rows said."""


class Blocks:
    """The rows of a source as `Raw` blocks, the same at each pass.

    Parameters
    ----------
    source, decide, format, sep, header, names, encoding, label : as for `read_raw`
        `decide` is asked about the first rows, and anew where `Again` was raised.
    size : int, bytes of text in a block

    Attributes
    ----------
    name : str, what the source is called in messages
    files : list of (name, bytes) of its files
    total : int or None, the bytes or rows that a pass counts up, where that is known
    step : int, those of the last block

    Examples
    --------
    >>> frame = pd.DataFrame({'y': [0, 1, 1], 'town': ['Oslo', 'Rome', 'Oslo']})
    >>> [(number, raw.rows) for number, raw in Blocks(frame, lambda raw: (None, ()))()]
    [(0, 3)]
    """

    def __init__(
        self,
        source: Any,
        decide: Decide,
        *,
        format: Optional[str] = None,
        sep: Optional[str] = None,
        header: Optional[bool] = None,
        names: Optional[Sequence[str]] = None,
        encoding: Optional[str] = None,
        label: Optional[str] = None,
        size: Optional[int] = None,
    ):
        self._decide, self._encoding, self._size = decide, encoding, size or BYTES
        self.step, self._lists, self._schema = 0, {}, None
        if isinstance(source, pd.DataFrame):
            self.told, self._given = {}, source
            self._frame = _of_frame(source, decide)
            self.name, self.format, self.total = 'frame', 'frame', self._frame.rows
            self.files = [[n, self.total] for n in self._frame.columns]
            return
        self._paths, self.name, self.format, self.told = opened(source, format, encoding)
        self.files = [[os.path.basename(p), os.path.getsize(p)] for p in self._paths]
        packed = any(_suffixes(p)[1] for p in self._paths) or self.format == 'parquet'
        self.total = None if packed or encoding else sum(size for _, size in self.files)
        self._wanted, self._decided, self._words = None, False, set()
        self._swept = False
        if self.format in ('csv', 'criteo'):
            self._layout = text_layout(
                self.name, self._paths, decide, self.format, sep, header, names, encoding, label,
                self.told,
            )  # fmt: skip

    def marks(self) -> list[int]:
        """What changes with the source: when each file was changed, a checksum of each column."""
        if self.format != 'frame':
            return [os.stat(path).st_mtime_ns for path in self._paths]
        texts = (s.astype(str) if s.dtype == object else s for _, s in self._given.items())
        return [zlib.crc32(pd.util.hash_pandas_object(s, index=False).to_numpy()) for s in texts]

    def __call__(self, skip: Collection[int] = frozenset()) -> Iterator[tuple[int, Optional[Raw]]]:
        """One pass: (number, block), None in the place of those to skip.

        Raises `Again` where a column turns out to be of another kind than before.
        """
        self._decided = False
        if self.format in ('jsonl', 'libsvm', 'libffm') and not self._swept:
            self._sweep()
        for number, make in enumerate(self._makers()):
            yield number, None if number in skip else make()

    def learned(self) -> dict:
        """What whole passes have shown of the columns' kinds, for JSON; see `learn`."""
        if self.format == 'frame':
            return {}
        schema = None if self._schema is None else self._schema.serialize().to_pybytes().hex()
        return {'words': sorted(self._words), 'lists': self._lists, 'schema': schema}

    def learn(self, facts: dict) -> None:
        """Know from the first block on what `learned` told."""
        if self.format == 'frame':
            return
        self._words, self._lists = set(facts['words']), dict(facts['lists'])
        self._swept = True
        if facts['schema'] is not None:
            self._schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(facts['schema'])))
        if self.format in ('csv', 'criteo'):
            layout = self._layout
            layout.numbers = [n for n in layout.numbers if n not in self._words]

    def _makers(self) -> Iterator[Callable[[], Raw]]:
        """A function for each block, which parses it."""
        if self.format == 'frame':
            for start in range(0, max(self._frame.rows, 1), ROWS):
                rows = slice(start, min(start + ROWS, self._frame.rows))
                self.step = rows.stop - rows.start
                columns = {n: taken(c, rows) for n, c in self._frame.columns.items()}
                yield lambda c=columns, n=self.step: Raw(self.name, c, n, self._frame.told)
            return
        for path in self._paths:
            if self.format == 'parquet':
                yield from self._parquet(path)
                continue
            mine = columns_in(path, self._layout) if self.format in ('csv', 'criteo') else None
            for data, is_first in self._texts(path):
                if self.format in ('csv', 'criteo'):
                    yield lambda d=data, f=is_first, p=path, m=mine: self._cells(p, m, d, f)
                elif self.format == 'jsonl':
                    yield lambda d=data, p=path: self._json(p, d)
                else:
                    yield lambda d=data, p=path: self._sparse(p, d)

    # ------------------------------------------------------------------------------- text
    def _texts(self, path) -> Iterator[tuple[bytes, bool]]:
        """(lines in UTF-8, whether they are the file's first)."""
        decoder = None
        if self._encoding is not None:
            decoder = codecs.getincrementaldecoder(self._encoding)()
        plain = not _suffixes(path)[1]
        rest, is_first = b'', True
        with open(path, 'rb') if plain else _stream(path) as stream:
            while True:
                data = stream.read(self._size)
                self.step, last = len(data), len(data) < self._size
                if decoder is not None:
                    try:
                        data = decoder.decode(data, last).encode()
                    except UnicodeDecodeError:
                        raise _not_text(path, self._encoding) from None
                data = rest + data
                cut = len(data) if last else _cut(data, self.format == 'csv')
                if not cut and not last and len(data) < 16 * self._size:
                    rest = data
                    continue
                cut = cut or len(data)
                if data[:cut].strip(b'\r\n'):
                    yield data[:cut], is_first
                    is_first = False
                rest = data[cut:]
                if last:
                    return

    def _cells(self, path, names, data, is_first):
        layout = self._layout
        if not is_first and data.startswith(MARK):
            data = MARK + data  # one is left out as a file's own
        raw = parse_text(path, layout, names, data, is_first)
        words = {n for n in layout.numbers if isinstance(raw.columns.get(n), Column)}
        if words - self._words:  # in a whole file they would be words from its first row on
            self._words |= words
            layout.numbers = [n for n in layout.numbers if n not in self._words]
            raise Again
        raw.source = self.name
        return raw

    # --------------------------------------------------------- what says its columns itself
    def _sweep(self):
        """Learn the kinds of all columns of lines that each say their own."""
        for path in self._paths:
            for data, _ in self._texts(path):
                if self.format == 'jsonl':
                    found = json_table(path, data).schema
                    known = self._schema
                    self._schema = found if known is None else _merged(known, found, path)
                    continue
                parts = [_sparse_lines(path, self.format, None, data)]
                for name, column in _sparse(self.name, parts, self.format, {}).columns.items():
                    is_list = isinstance(column, Lists)
                    self._lists[name] = self._lists.get(name, False) or is_list
        self._swept = True

    def _json(self, path, data):
        return self._chosen(_of_arrow_table(self.name, json_table(path, data, self._schema)))

    def _sparse(self, path, data):
        parts = [_sparse_lines(path, self.format, None, data)]
        return self._chosen(_sparse(self.name, parts, self.format, self.told))

    def _parquet(self, path):
        from pyarrow import parquet

        try:
            file = parquet.ParquetFile(path)
            names = file.schema_arrow.names
            if self._decided:  # which columns are wanted is known
                names = [n for n in names if self._wanted is None or n in self._wanted]
            for batch in file.iter_batches(batch_size=ROWS, columns=names):
                self.step = len(batch)
                yield lambda b=batch: self._chosen(
                    _of_arrow_table(self.name, pa.Table.from_batches([b]))
                )
        except (pa.ArrowInvalid, OSError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f'{path} is no Parquet file that can be read: {reason}.') from None

    def _chosen(self, raw) -> Raw:
        """The wanted columns, of one kind in every block."""
        raw.told, known = self.told, dict(self._lists)
        for name, column in raw.columns.items():
            known[name] = known.get(name, False) or isinstance(column, Lists)
        if self.format == 'parquet':
            known = {n: known[n] for n in raw.columns}
        elif known != self._lists:
            self._lists = known
            if self._decided:
                raise Again
        names = list(known)
        if self.format == 'libffm':
            fields = [n for n in names if n != 'label']
            names = [n for n in names if n == 'label']
            names += sorted(fields, key=lambda n: _by_number(n[len('field ') :]))
        columns = {}
        for name in names:
            column = raw.columns.get(name)
            if column is None:
                column = Column(name, [None], np.zeros(raw.rows, np.int32))
            if known[name] and not isinstance(column, Lists):
                column = _single(name, column)
            columns[name] = column
        raw.columns = columns
        if not self._decided:
            head = {n: taken(c, slice(0, LOOK)) for n, c in columns.items()}
            sample = Raw(raw.source, head, min(raw.rows, LOOK), self.told)
            self._wanted, _ = self._decide(sample)
            self._decided = True
        if self._wanted is not None:
            wanted = set(self._wanted)
            raw.columns = {n: c for n, c in columns.items() if n in wanted}
        return raw


def _cut(data: bytes, quotes: bool) -> int:
    """Where the last whole line of a text ends, at best behind as many quotes as pair up."""
    cut = last_end(data)
    if not quotes or not data.endswith(b'\n', 0, cut):
        return cut
    end, odd = cut, data.count(b'"', 0, cut) % 2
    for _ in range(QUOTED_LINES):
        if not odd:
            return end
        before = data.rfind(b'\n', 0, end - 1) + 1
        if not before:
            break
        odd ^= data.count(b'"', before, end) % 2
        end = before
    return cut


def _merged(one: pa.Schema, other: pa.Schema, path) -> pa.Schema:
    """The schema of rows of both, where each key has one type."""
    types = {f.name: f.type for f in one}
    for field in other:
        types[field.name] = _common(types.get(field.name, field.type), field.type, field.name, path)
    return pa.schema(list(types.items()))


def _common(one, other, name, path):
    kinds = pa.types
    if one.equals(other) or kinds.is_null(other):
        return one
    if kinds.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if kinds.is_list(one) and kinds.is_list(other):
        return pa.list_(_common(one.value_type, other.value_type, name, path))
    if {kinds.is_timestamp(one), kinds.is_timestamp(other)} == {True, False} and (
        kinds.is_string(one) or kinds.is_string(other)
    ):
        return pa.string()
    raise ValueError(
        f'{path} is not JSON lines that can be read: {name!r} is {one} in some rows and {other} in '
        'others; give one object a line, each key with one type.'
    )
