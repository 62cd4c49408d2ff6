"""From a path or a frame to raw columns: each format by a reader that is kept well.

pyarrow parses text, Parquet and JSON lines; what it gives becomes one of four kinds of column: a
`Column` of distinct cells and codes, a NumPy array of numbers, a pandas Series of whatever else,
or `Lists`, several values a row.
"""

from __future__ import annotations

import csv as python_csv
import glob
import io
import json as python_json
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ..arguments import is_number, shown
from .archive_files import copy_member, most_unpacked, too_large
from .lines import whole_lines
from .plain import PlainText, is_text, is_worth_it
from .values import (
    CONTAINERS,
    MISSING,
    TABLES,
    Column,
    is_missing,
    numbers_of,
    read_column,
    text_of,
    to_float,
)

FORMATS = ('csv', 'parquet', 'jsonl', 'criteo', 'libsvm', 'libffm')
EXCEL = re.compile(r'sep=(.)')  # its first line may say what parts the cells
URL = re.compile(r'[a-z][a-z0-9+]*://', re.IGNORECASE)
SUFFIXES = {
    '.csv': 'csv', '.tsv': 'csv', '.txt': 'csv', '.dat': 'csv', '.data': 'csv', '.tab': 'csv',
    '.parquet': 'parquet', '.pq': 'parquet', '.jsonl': 'jsonl', '.ndjson': 'jsonl',
    '.json': 'jsonl', '.libsvm': 'libsvm', '.svm': 'libsvm', '.svmlight': 'libsvm',
    '.libffm': 'libffm', '.ffm': 'libffm',
}  # fmt: skip
PACKED = ('.gz', '.bz2', '.zst', '.lz4', '.br', '.xz', '.zip')
SEPARATORS = ('\t', ',', ';', '::', '|')
LOOK = 10_000  # rows of a frame by which it is judged
HEAD = 1_000_000  # bytes of a file by which it is judged
PIECE = 1 << 20  # bytes that are unpacked at a time
BLOCK = 4_000_000  # bytes that pyarrow parses at a time: what it makes of them fits the cache
LARGEST = 256_000_000  # of these, for a line as long as that
CRITEO_COUNTS = [f'I{i}' for i in range(1, 14)]
CRITEO_NAMES = ['label', *CRITEO_COUNTS, *(f'C{i}' for i in range(1, 27))]
JSON_BLOCK = 16_000_000  # a type that changes further on is found only within one
AS_WORDS = pa.dictionary(pa.int32(), pa.string())


class Lists(NamedTuple):
    """A column of several values a row: row i has `codes[offsets[i]:offsets[i + 1]]`."""

    name: str
    cells: list  # the distinct values
    codes: np.ndarray  # int32 (values of all rows,)
    offsets: np.ndarray  # int64 (N + 1,)
    weights: Optional[np.ndarray] = None  # float32, one a value; None for 1 each

    @property
    def counts(self) -> np.ndarray:
        """Values of each row (N,)."""
        return np.diff(self.offsets)

    def row_of(self, value_number: int) -> int:
        """The row, from 0, of a value among those of all rows."""
        return int(np.searchsorted(self.offsets, value_number, side='right')) - 1


@dataclass
class Raw:
    """What was read: columns by name, as they came.

    Attributes
    ----------
    source : str, what the rows are called in messages
    columns : dict {name: Column, array, Series or Lists}
    rows : int
    told : dict, what a reader must be told to read the next such file: format, sep, names, encoding
    """

    source: str
    columns: dict
    rows: int
    told: dict = field(default_factory=dict)


# What is wanted of a file, given a look at its first rows: the names of the columns to read (None
# for all), and of those to read as numbers.
Decide = Callable[[Raw], 'tuple[Optional[Sequence[str]], Sequence[str]]']


def opened(
    source: Any, format: Optional[str], encoding: Optional[str]
) -> tuple[list, str, str, dict]:
    """Of a source of files: their paths, its name, its format, and what is told of it so far."""
    paths, name = _paths(source)
    format = _format_of(paths[0], name, format)
    told = {'format': format} if format in ('criteo', 'libsvm', 'libffm') else {}
    if encoding is not None:
        told['encoding'] = encoding
    return paths, name, format, told


def read_raw(
    source: Any,
    decide: Decide,
    *,
    format: Optional[str] = None,
    sep: Optional[str] = None,
    header: Optional[bool] = None,
    names: Optional[Sequence[str]] = None,
    encoding: Optional[str] = None,
    label: Optional[str] = None,
) -> Raw:
    """Read a frame, a file, a folder or glob of parts, or a list of files.

    Raises
    ------
    ValueError
        For what cannot be read as said: with file and line.
    """
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, decide, format)
    paths, name, format, told = opened(source, format, encoding)
    if format == 'parquet':
        return _joined(name, [_parquet(p, decide, told) for p in paths], told)
    if format in ('libsvm', 'libffm'):
        parts = [_sparse_lines(p, format, encoding) for p in paths]
        return _chosen(_sparse(name, parts, format, told), decide)
    if format == 'jsonl':
        return _chosen(_joined(name, [_json_lines(p, encoding) for p in paths], told), decide)
    return _read_text(name, paths, decide, format, sep, header, names, encoding, label, told)


def _chosen(raw, decide) -> Raw:
    """What is wanted of columns that are all there."""
    head = {n: taken(c, slice(0, LOOK)) for n, c in raw.columns.items()}
    sample = Raw(raw.source, head, min(raw.rows, LOOK), raw.told)
    wanted, _ = decide(sample)
    if wanted is not None:
        for name in wanted:  # what a schema adds, though no row has it
            if name not in raw.columns:
                raw.columns[name] = Column(name, [None], np.zeros(raw.rows, np.int32))
        raw.columns = {n: c for n, c in raw.columns.items() if n in set(wanted)}
    return raw


def _paths(source) -> tuple[list[str], str]:
    """The files of a source, in the order of their names, and what to call them together."""
    if isinstance(source, (list, tuple)) and source:
        found = [p for s in source for p in _paths(s)[0]]
        return found, f'{os.path.basename(found[0])} and {len(found) - 1} more'
    if not isinstance(source, (str, bytes, os.PathLike)):
        raise ValueError(
            f'the source is a {type(source).__name__}: give a path, a folder, a glob, a list of '
            'paths, or a pandas.DataFrame.'
        )
    path = os.fsdecode(source)
    name = os.path.basename(path.rstrip(os.sep)) or path
    if os.path.isdir(path):
        found = sorted(
            os.path.join(path, f) for f in os.listdir(path) if not f.startswith(('.', '_'))
        )
        found = [f for f in found if os.path.isfile(f)]
        if not found:
            raise ValueError(f'the folder {path} has no file: give one with the parts of a table.')
        return found, name
    if not os.path.exists(path) and glob.has_magic(path):
        found = sorted(glob.glob(path))
        if not found:
            raise ValueError(f'no file is called {path}: give a glob that finds some.')
        return found, name
    if not os.path.exists(path) and URL.match(path):
        raise ValueError(f'{path} is an address: download it, and give the path of the file.')
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} does not exist: give the path of a file or a folder.')
    if not os.path.isfile(path):
        raise ValueError(f'{path} is no file: give a file, a folder or a glob of files.')
    return [path], name


def _format_of(path, name, format) -> str:
    if format is not None:
        if format == 'tsv':
            return 'csv'
        if format not in FORMATS:
            raise ValueError(f'format is {shown(format)}: choose one of {", ".join(FORMATS)}.')
        return format
    with open(path, 'rb') as file:
        if file.read(4) == b'PAR1':
            return 'parquet'
    return SUFFIXES.get(_suffixes(path)[0], 'csv')


def _suffixes(path) -> tuple[str, str]:
    """The suffix of the format, and that of the compression."""
    root, last = os.path.splitext(path.lower())
    if last in PACKED:
        return os.path.splitext(root)[1], last
    return last, ''


# ---------------------------------------------------------------------------------------- text


def _stream(path):
    """A file of bytes, unpacked where its suffix says so."""
    packed = _suffixes(path)[1]
    with unpacking(path):
        if packed == '.zip':
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if not m.is_dir() and not _is_mac_s(m)]
                if len(members) != 1:
                    raise ValueError(
                        f'{path} holds {len(members)} files: unpack it, and give the one to read.'
                    )
                unpacked = io.BytesIO()
                copy_member(archive, path, members[0], unpacked)
                return pa.BufferReader(unpacked.getbuffer())
        if packed == '.xz':
            return pa.PythonFile(_Unpacked(path, _Xz(path)), mode='r')
        plain = pa.input_stream(path, compression='detect')
        return pa.PythonFile(_Unpacked(path, plain), mode='r') if packed else plain


class _Unpacked(io.RawIOBase):
    """What a compressed file holds, piece by piece, and no more than a file of its size may."""

    def __init__(self, path, file):
        super().__init__()
        self._path, self._file = path, file
        self._most, self._read = most_unpacked(path), 0

    def readable(self):
        return True

    def read(self, size=-1):
        """So many bytes, fewer only at the end, in pieces that memory holds."""
        left, pieces = size if size is not None and size >= 0 else None, []
        while left is None or left > 0:
            with unpacking(self._path):
                piece = self._file.read(PIECE if left is None else min(left, PIECE))
            if not piece:
                break
            self._read += len(piece)
            if self._read > self._most:
                raise ValueError(too_large(self._path, self._most))
            pieces.append(piece)
            left = None if left is None else left - len(piece)
        return b''.join(pieces)

    def close(self):
        self._file.close()
        super().close()


class _Xz:
    """The streams of an .xz file, one after another.

    What follows the first and is no stream, Python's own reader takes for the end without a word.
    """

    def __init__(self, path):
        self._file, self._unpacker = open(path, 'rb'), lzma.LZMADecompressor()

    def read(self, size):
        while True:
            packed = b''
            if self._unpacker.eof:
                packed = self._unpacker.unused_data.lstrip(b'\0')  # zeros may fill up a stream
                while not packed:
                    more = self._file.read(PIECE)
                    if not more:
                        return b''
                    packed = more.lstrip(b'\0')
                self._unpacker = lzma.LZMADecompressor()
            elif self._unpacker.needs_input:
                packed = self._file.read(PIECE)
                if not packed:
                    raise EOFError
            unpacked = self._unpacker.decompress(packed, size)
            if unpacked:
                return unpacked

    def close(self):
        self._file.close()


def _is_mac_s(member):
    """Whether it is what macOS adds to an archive beside what was put in."""
    name = member.filename.replace('\\', '/')
    return name.startswith('__MACOSX/') or name.rsplit('/', 1)[-1] == '.DS_Store'


@contextmanager
def unpacking(path: Any) -> Iterator[None]:
    """Whatever a damaged compressed file makes its library raise, as one sentence."""
    try:
        yield
    except (FileNotFoundError, PermissionError, pa.ArrowNotImplementedError):
        raise
    except (
        OSError,
        EOFError,
        IndexError,  # of a member without a name
        RuntimeError,  # encrypted; with NotImplementedError, a compression unknown here
        OverflowError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
    ) as error:
        reason = (str(error).strip().splitlines() or ['it ends too early'])[0].rstrip('.')
        raise ValueError(f'{path} cannot be unpacked: {reason}.') from None


def _bytes(path, limit=None) -> bytes:
    """The bytes of a file, or the first of them."""
    with unpacking(path), _stream(path) as stream:
        return stream.read() if limit is None else stream.read(limit)


def _decoded(data: bytes, path, encoding) -> str:
    try:
        return data.decode(encoding or 'utf-8-sig')
    except LookupError:
        raise ValueError(f'encoding is {shown(encoding)}, which Python does not know.') from None
    except UnicodeDecodeError:
        raise _not_text(path, encoding, data) from None


MAGIC = {
    b'\x1f\x8b': "is compressed by gzip: name it '….gz'",
    b'PK\x03\x04': "is a zip archive or a workbook: name it '….zip', or read it by pandas",
    b'PAR1': "is a Parquet file: say format='parquet'",
    b'\xff\xfe': "is text in UTF-16: say encoding='utf-16'",
    b'\xfe\xff': "is text in UTF-16: say encoding='utf-16'",
    b'BZh': "is compressed by bzip2: name it '….bz2'",
    b'\xfd7zXZ': "is compressed by xz: name it '….xz'",
    b'\x28\xb5\x2f\xfd': "is compressed by zstd: name it '….zst'",
}


def _not_text(path, encoding, data=b''):
    for magic, what in MAGIC.items():
        if data.startswith(magic):
            return ValueError(f'{path} {what}.')
    if encoding is not None:
        return ValueError(f'{path} is not text in {encoding}: name its true encoding.')
    return ValueError(
        f"{path} is not text in UTF-8: name its encoding, encoding='cp949' or 'latin-1' say."
    )


def _head(path, encoding) -> list[str]:
    """The first lines of a file, whole ones where it is longer."""
    data = _bytes(path, HEAD)
    if encoding is None and data.startswith(tuple(MAGIC)):
        raise _not_text(path, encoding, data)
    if len(data) == HEAD and encoding is None:
        data = data[: data.rfind(b'\n') + 1] or data
    try:
        text = _decoded(data, path, encoding)
    except ValueError:
        if len(data) < HEAD:
            raise
        text = data.decode(encoding or 'utf-8', 'ignore')  # cut within a character
        text = text[: text.rfind('\n') + 1]
    return text.replace('\r\n', '\n').replace('\r', '\n').split('\n')


def _lead(lines) -> tuple[int, Optional[str]]:
    """How many lines stand before the first row: empty ones, and `sep=;` for Excel; that `;`."""
    count, sep = 0, None
    for line in lines:
        told = EXCEL.fullmatch(line.strip('\ufeff "\r'))
        if line.strip('\ufeff') and (not told or sep is not None):
            break
        sep = told[1] if told else sep
        count += 1
    return count, sep


def _cells(lines, sep, limit=200) -> list[list[str]]:
    """The cells of the first lines that are not empty."""
    if len(sep) > 1:
        return [line.split(sep) for line in lines if line][:limit]
    found = []
    try:
        for row in python_csv.reader((line + '\n' for line in lines), delimiter=sep):
            if row:
                found.append(row)
            if len(found) == limit:
                break
    except python_csv.Error:
        pass
    return found


def _separator(path, lines) -> str:
    """The first of the usual ones that cuts the first lines into equally many cells."""
    best, score = None, 0.0
    for sep in SEPARATORS:
        widths = [len(row) for row in _cells(lines, sep, 50)]
        width = max(set(widths), key=widths.count) if widths else 1
        if width > 1:
            alike = widths.count(width) / len(widths)
            if alike > score:
                best, score = sep, alike
    if best is None:
        raise ValueError(
            f'{path}, line 1: no tab, comma, semicolon, :: or | parts it into cells: say sep=, or '
            f'format= one of {", ".join(FORMATS)}.'
        )
    return best


def _has_header(rows) -> bool:
    """Whether the first row names columns: no cell of it is empty or a number.

    But for the first one, which is empty where pandas wrote its index.
    """
    first = rows[0]
    if len(first) > 2 and first[0] == '':
        first = first[1:]
    if len(first) > 2 and first[-1] == '' and all(r[-1] == '' for r in rows):
        first = first[:-1]  # each line ends in a separator
    if any(is_missing(c) for c in first):
        return False
    return all(n is None for n in numbers_of(first))


def _read_text(name, paths, decide, format, sep, header, names, encoding, label, told) -> Raw:
    layout = text_layout(name, paths, decide, format, sep, header, names, encoding, label, told)
    parts = [parse_text(path, layout, mine) for path in paths if (mine := columns_in(path, layout))]
    return _joined(name, parts, told)


@dataclass
class Layout:
    """How a text is cut into cells, and which columns of it are wanted.

    `numbers` are those to read as numbers; where a cell of one is none, it is read as words.
    """

    first: str  # the file by which the others are judged
    sep: str
    header: bool
    names: Optional[list]  # what the columns are called instead of by a header
    label: Optional[str]
    encoding: Optional[str]
    columns: list
    wanted: Optional[Sequence[str]] = None
    numbers: Sequence[str] = ()


def text_layout(name, paths, decide, format, sep, header, names, encoding, label, told) -> Layout:
    """Look at the first lines of the first file."""
    lines = _head(paths[0], encoding)
    if not any(line.strip() for line in lines):
        raise ValueError(f'{paths[0]} is empty: give at least one row.')
    lead, excel_s = _lead(lines)
    lines = lines[lead:]
    if sep is None and excel_s is not None:
        sep = excel_s
    elif sep is None:
        sep = _separator(paths[0], lines)
    elif not isinstance(sep, str) or not sep:
        raise ValueError(f'sep is {shown(sep)}: give the text that parts the cells.')
    else:
        told['sep'] = sep
    rows = _cells(lines, sep)
    if header is None:
        header = names is None and _has_header(rows)
    if names is not None:
        names = [str(n) for n in names]
    elif format == 'criteo' and not header:
        names, label = CRITEO_NAMES, 'label'
    elif header:
        names = None
    else:
        names = [f'column {i + 1}' for i in range(len(rows[0]))]
    own = _columns_of(paths[0], rows, names, header, label)
    if not header or names is not None:
        told['names'], told['header'] = list(names), bool(header)
    layout = Layout(paths[0], sep, bool(header), names, label, encoding, own)
    sample = rows[1:] if header else rows
    layout.wanted, layout.numbers = decide(_sample(name, own, sample, told))
    return layout


def columns_in(path: str, layout: Layout) -> Optional[list[str]]:
    """What the columns of a part are called, which has its own header or none; None if empty."""
    if path == layout.first:
        return layout.columns
    lines = _head(path, layout.encoding)
    first = _cells(lines[_lead(lines)[0] :], layout.sep)
    if not first:
        return None
    mine = _columns_of(path, first, layout.names, layout.header, layout.label)
    if sorted(mine) != sorted(layout.columns):
        raise ValueError(
            f'{path} has the columns {", ".join(mine)}, and {layout.first} has '
            f'{", ".join(layout.columns)}: give parts of one table.'
        )
    return mine


def _columns_of(path, rows, names, header, label) -> list[str]:
    """What the columns of a file are called."""
    first = rows[0]
    if names is None:
        names = [c.strip() for c in first]
        if names:
            names[0] = names[0].lstrip('\ufeff')
    elif len(first) == len(names) - 1 and label in names:  # rows without the label
        names = [n for n in names if n != label]
    if len(names) != len(first):
        raise ValueError(
            f'{path} has {len(first)} columns and {len(names)} names: give as many, or say sep= '
            'where another text parts the cells.'
        )
    for i, one in enumerate(names):
        if one == '':
            names[i] = one = f'column {i + 1}'
        if one in names[:i]:
            raise ValueError(
                f'{path}: two columns are called {one!r}: rename one by names=, or say '
                'header=False where the first line is a row.'
            )
    return list(names)


def _sample(name, names, rows, told) -> Raw:
    """The first rows as columns, to be guessed by."""
    rows = [r for r in rows if len(r) == len(names)]
    columns = {
        n: read_column(n, np.array(cells, object))
        for n, cells in zip(names, zip(*rows) if rows else [[] for _ in names])
    }
    return Raw(name, columns, len(rows), told)


def parse_text(
    path: str, layout: Layout, names: list, data: Optional[bytes] = None, header: bool = True
) -> Raw:
    """A text file by pyarrow, a column of words where it is not of numbers.

    With `data`, only these lines of it, in UTF-8; `header` says whether they begin with it.
    """
    sep, encoding = layout.sep, layout.encoding
    skip = _lead(_head(path, encoding))[0] + layout.header if header else 0
    if data is None and (encoding is not None or len(sep) > 1):
        data = _bytes(path)
        if encoding is not None:
            data = _decoded(data, path, encoding).encode()
    if len(sep) > 1:
        data, sep = data.replace(sep.encode(), b'\x1f'), '\x1f'
    wanted, numbers = layout.wanted, layout.numbers
    wanted = list(names) if wanted is None else [n for n in names if n in set(wanted)]
    as_floats = [n for n in wanted if n in set(numbers)]
    if (plain := _plain_text(path, data, sep, skip, names, wanted, as_floats)) is not None:
        return plain
    quoted, tried, size = False, 0, BLOCK
    while True:
        types = {n: pa.float64() if n in as_floats else AS_WORDS for n in wanted}
        try:
            with unpacking(path):
                table = _arrow_csv(path, data, sep, skip, names, types, quoted, size)
            break
        except pa.ArrowInvalid as error:
            text, tried = str(error), tried + 1
            at = re.search(r'column #(\d+)', text)
            if 'to double' in text and at and tried <= len(names):
                as_floats.remove(names[int(at[1])])
            elif 'straddl' in text and size < LARGEST:  # a line is longer than what is parsed
                size = min(16 * size, LARGEST)
            elif ('chunker' in text or 'straddl' in text or 'newline' in text) and not quoted:
                quoted = True
            elif 'UTF8' in text or 'utf-8' in text.lower():
                raise _not_text(path, encoding) from None
            else:
                raise _fault(path, data, sep, skip, names, size, error) from None
    columns = {n: of_arrow(n, c) for n, c in zip(table.column_names, table.columns)}
    return Raw(os.path.basename(path), columns, len(table))


def _plain_text(path, data, sep, skip, names, wanted, as_floats) -> Optional[Raw]:
    """The columns of a large text by compiled loops; None where it is not plain or not large."""
    size = os.path.getsize(path)
    if not is_worth_it(size, sep, len(names)):
        return None
    words = [n for n in wanted if n not in as_floats]
    size = size if data is None else len(data)
    text = PlainText(sep, len(names), [*map(names.index, words)], [*map(names.index, as_floats)],
                     size)  # fmt: skip
    with _stream(path) if data is None else io.BytesIO(data) as stream:
        for block, _ in whole_lines(stream, BLOCK if data is None else size):
            while skip and block:
                block = block[re.search(rb'\r\n|\n|\r|\Z', block).end() :]
                skip -= 1
            if block and not (is_text(block) and text.read(block)):
                return None
    if not text.rows:
        return None
    found = {c.name: c for c in text.words(words)}
    found.update(zip(as_floats, text.numbers()))
    return Raw(os.path.basename(path), {n: found[n] for n in wanted}, text.rows)


def _arrow_csv(path, data, sep, skip, names, types, quoted, size, threads=True, refuse=None):
    source = _stream(path) if data is None else pa.BufferReader(data)
    with source:
        return csv.read_csv(
            source,
            csv.ReadOptions(
                column_names=names, skip_rows=skip, block_size=size, use_threads=threads
            ),
            csv.ParseOptions(
                delimiter=sep,
                newlines_in_values=quoted,
                invalid_row_handler=refuse,
                quote_char=False if sep == '\x1f' else '"',
            ),
            csv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=sorted({'', *MISSING})
            ),
        )


def _fault(path, data, sep, skip, names, size, error) -> ValueError:
    """What is wrong with a file that pyarrow refuses, with the first line that is."""
    found = []

    def refuse(row):
        found.append(row)
        return 'skip'

    types = dict.fromkeys(names, pa.string())
    try:
        _arrow_csv(path, data, sep, skip, names, types, True, size, False, refuse)
    except pa.ArrowInvalid as fault:
        error = fault
    if not found:
        reason = str(error).splitlines()[0].replace('CSV parse error: ', '')
        return ValueError(f'{path} cannot be parsed: {reason}.')
    first = found[0]
    more = f', and {len(found) - 1:,} more lines are like it' if len(found) > 1 else ''
    return ValueError(
        f'{path}, row {first.number} ({first.text[:60]!r}) has {first.actual_columns} cells where '
        f'{first.expected_columns} are expected{more}: mend the file, or say sep=.'
    )


# -------------------------------------------------------------------------- Parquet, JSON lines


def _parquet(path, decide, told) -> Raw:
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        _check_names(path, names)
        head = next(file.iter_batches(batch_size=LOOK), None)
        sample = pa.Table.from_batches([] if head is None else [head], file.schema_arrow)
        look = _of_arrow_table(path, sample)
        look.told = told
        wanted, _ = decide(look)
        table = file.read(columns=None if wanted is None else [n for n in names if n in wanted])
        table.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'{path} is no Parquet file that can be read: {reason}.') from None
    return _of_arrow_table(path, table)


def _json_list(path, encoding) -> Optional[Raw]:
    """A file that is one list of objects; None for another."""
    if not _bytes(path, 64).lstrip().startswith(b'['):
        return None
    try:
        rows = python_json.loads(_decoded(_bytes(path), path, encoding))
    except ValueError as error:
        raise ValueError(f'{path} is not JSON that can be read: {error}.') from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(
            f'{path} is a list of what are no objects: give {{name: value}}, one a row.'
        )
    frame = pd.DataFrame(
        {n: [r.get(n) for r in rows] for n in dict.fromkeys(k for r in rows for k in r)}
    )
    return Raw(path, {n: _of_series(n, frame[n]) for n in frame}, len(frame))


def _json_lines(path, encoding) -> Raw:
    if (whole := _json_list(path, encoding)) is not None:
        return whole
    data = None if encoding is None else _decoded(_bytes(path), path, encoding).encode()
    return _of_arrow_table(path, json_table(path, data))


def json_table(path: str, data: Optional[bytes] = None, schema: Any = None) -> pa.Table:
    """JSON lines, of a file or of `data`, as a table of Arrow."""
    from pyarrow import json

    how = {} if schema is None else {'parse_options': json.ParseOptions(explicit_schema=schema)}
    try:
        with unpacking(path), _stream(path) if data is None else pa.BufferReader(data) as stream:
            table = json.read_json(stream, json.ReadOptions(block_size=JSON_BLOCK), **how)
        table.column_names  # noqa: B018  decodes them
        table.validate(full=True)  # pyarrow takes text for UTF-8 that is none
    except UnicodeDecodeError:
        raise _not_text(path, None) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0].replace('JSON parse error: ', '')
        raise ValueError(
            f'{path} is not JSON lines that can be read: {reason}; give one object a line, each '
            'key with one type.'
        ) from None
    _check_names(path, table.column_names)
    return table


def _check_names(path, names):
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f'{path}: two columns are called {name!r}: rename one.')


def _of_arrow_table(path, table) -> Raw:
    columns = {n: of_arrow(n, c) for n, c in zip(table.column_names, table.columns)}
    return Raw(os.path.basename(path), columns, len(table))


def of_arrow(name: str, column: pa.ChunkedArray) -> Any:
    """A column of Arrow as one of the four kinds."""
    kind = column.type
    if pa.types.is_null(kind):
        return Column(name, [None], np.zeros(len(column), np.int32))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _of_arrow_lists(name, column)
    if pa.types.is_dictionary(kind):
        if not pa.types.is_string(kind.value_type):
            return of_arrow(name, column.cast(kind.value_type))
        return _of_dictionary(name, column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_dictionary(name, column.cast(pa.string()).dictionary_encode())
    if pa.types.is_boolean(kind):
        return column.to_pandas() if column.null_count else column.to_numpy()
    if pa.types.is_integer(kind):
        if not column.null_count:
            return column.to_numpy()
        whole = pd.UInt64Dtype() if pa.types.is_unsigned_integer(kind) else pd.Int64Dtype()
        to = pa.uint64() if pa.types.is_unsigned_integer(kind) else pa.int64()
        return column.cast(to).to_pandas(types_mapper={to: whole}.get)
    if pa.types.is_floating(kind):
        return column.to_numpy()
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return _of_objects(name, column)
    return column.to_pandas()


def _of_objects(name, column) -> Lists:
    """Cells {value: weight}; a value that a cell lacks is None where the type is a struct."""
    cells = [None if c is None else dict(c) for c in column.to_pylist()]
    there = [None if c is None else {k: w for k, w in c.items() if w is not None} for c in cells]
    if any(not is_number(w) for c in there if c for w in c.values()):
        raise ValueError(
            f'{name!r} holds objects that are no {{value: weight}}: flatten them, by '
            'pandas.json_normalize say, and give the frame.'
        )
    return _of_lists(name, [*there])


def _of_dictionary(name, column) -> Column:
    if not column.num_chunks:
        return Column(name, [], np.zeros(0, np.int32))
    chunks = column.unify_dictionaries().chunks
    cells = chunks[-1].dictionary.to_numpy(zero_copy_only=False).tolist()
    codes = np.empty(len(column), np.int32)
    at, missing = 0, column.null_count > 0
    for chunk in chunks:
        indices = chunk.indices
        if indices.null_count:
            indices = indices.fill_null(len(cells))
        codes[at : at + len(chunk)] = indices.to_numpy(zero_copy_only=False)
        at += len(chunk)
    return Column(name, [*cells, None] if missing else cells, codes)


def _of_arrow_lists(name, column) -> Lists:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    values = read_column(name, _series(of_arrow(name, pa.chunked_array([array.flatten()]))))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Lists(name, values.cells, values.codes, offsets)


# ------------------------------------------------------------------------------ libsvm, libffm


def _sparse_lines(path, format, encoding, data=None):
    """The tokens of lines `label index:value ...` or `label field:index:value ...`."""
    if data is None and encoding is not None:
        data = _decoded(_bytes(path), path, encoding).encode()
    try:
        with unpacking(path), _stream(path) if data is None else pa.BufferReader(data) as stream:
            lines = csv.read_csv(
                stream,
                csv.ReadOptions(column_names=['line'], block_size=BLOCK),
                csv.ParseOptions(delimiter='\x01', quote_char=False),
                csv.ConvertOptions(column_types={'line': pa.string()}),
            ).column(0)
    except (pa.ArrowInvalid, OSError) as error:
        if 'UTF8' in str(error):
            raise _not_text(path, encoding, _bytes(path, 8)) from None
        reason = str(error).splitlines()[0]
        raise ValueError(f'{path} cannot be read as {format}: {reason}.') from None
    lines = pc.utf8_trim_whitespace(pc.replace_substring_regex(lines, r'\s*#.*', ''))
    lines = pc.replace_substring_regex(lines, r'\s+qid:\S+', '').combine_chunks()
    if isinstance(lines, pa.ChunkedArray):
        lines = lines.chunk(0)
    tokens = pc.utf8_split_whitespace(lines)
    words, counts = tokens.flatten(), pc.list_value_length(tokens).to_numpy()
    row = np.repeat(np.arange(len(lines)), counts)
    first = np.concatenate([[0], np.cumsum(counts)])[:-1]
    colons = pc.count_substring(words, ':').to_numpy()
    wanted = 1 if format == 'libsvm' else 2
    labelled = colons[first] == 0
    if labelled.any() and not labelled.all():
        bad = int(np.argmin(labelled))
        raise ValueError(
            f'{path}, row {bad + 1} ({lines[bad].as_py()[:60]!r}) has no label in front and others '
            'have: give one in every row, or in none.'
        )
    rest = np.ones(len(words), bool)
    labels = None
    if labelled.all() and len(lines):
        labels = read_column('label', pd.Series(words.take(pa.array(first)).to_pylist()))
        rest[first] = False
    wrong = rest & (colons != wanted)
    if wrong.any():
        bad = int(np.argmax(wrong))
        shape = 'index:value' if format == 'libsvm' else 'field:index:value'
        raise ValueError(
            f'{path}, row {row[bad] + 1}: {words[bad].as_py()[:40]!r} is not {shape}, as every '
            f'entry of {format} is.'
        )
    parts = pc.split_pattern(words.filter(pa.array(rest)), ':').flatten()
    columns = [
        parts.take(pa.array(np.arange(i, len(parts), wanted + 1))) for i in range(wanted + 1)
    ]
    try:
        values = columns[-1].cast(pa.float32()).to_numpy()
        finite = np.isfinite(values)
    except pa.ArrowInvalid:
        values = np.array([to_float(n) for n in numbers_of(columns[-1].to_pylist())], np.float32)
        finite = np.isfinite(values)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise ValueError(
            f'{path}, row {row[rest][bad] + 1}: the value {columns[-1][bad].as_py()!r} is no '
            'finite number.'
        )
    return labels, len(lines), row[rest], columns[:-1], values


def _sparse(name, parts, format, told) -> Raw:
    """The parts put together: a column 'label', and 'features' or one of each field."""
    rows = sum(p[1] for p in parts)
    starts = np.cumsum([0, *(p[1] for p in parts)])
    row = np.concatenate([p[2] + start for p, start in zip(parts, starts)])
    values = np.concatenate([p[4] for p in parts])
    words = [
        pa.chunked_array([p[3][i] for p in parts], pa.string()) for i in range(len(parts[0][3]))
    ]
    index = _of_dictionary('index', words[-1].dictionary_encode())
    columns = {}
    if all(p[0] is not None for p in parts) and rows:
        columns['label'] = joined_columns('label', [p[0] for p in parts])
    elif any(p[0] is not None for p in parts):
        raise ValueError(f'{name}: some parts have labels and others have none: give one kind.')
    if format == 'libsvm':
        columns['features'] = _lists('features', index, row, values, rows)
        return Raw(name, columns, rows, told)
    fields = _of_dictionary('field', words[0].dictionary_encode())
    for code in sorted(range(len(fields.cells)), key=lambda i: _by_number(fields.cells[i])):
        mine = np.flatnonzero(fields.codes == code)
        one = f'field {fields.cells[code]}'
        part = Column('index', index.cells, index.codes[mine])
        columns[one] = _lists(one, part, row[mine], values[mine], rows)
    return Raw(name, columns, rows, told)


def _by_number(word):
    return (0, int(word), word) if word.isdigit() else (1, 0, word)


def _lists(name, index, row, values, rows):
    """Values by row as `Lists`; as a `Column` where each row has one of weight 1, or none."""
    counts = np.bincount(row, minlength=rows)
    used, codes = np.unique(index.codes, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int32)
    cells = [index.cells[i] for i in used]
    if name != 'features' and counts.max(initial=0) <= 1 and (values == 1).all():
        whole = np.full(rows, len(cells), np.int32)
        whole[row] = codes
        return Column(name, cells if counts.all() else [*cells, None], whole)
    return Lists(name, cells, codes, np.concatenate([[0], np.cumsum(counts)]), values)


# -------------------------------------------------------------------------------------- frames


def _of_frame(frame, decide, format=None) -> Raw:
    from .rows import names_of

    names, columns = names_of(frame), {}
    told = {'format': 'criteo'} if format == 'criteo' else {}
    if told and all(n.isdigit() for n in names) and len(names) in (39, 40):
        names = CRITEO_NAMES[-len(names) :]
    for i, name in enumerate(names):
        columns[name] = _of_series(name, frame.iloc[:, i].reset_index(drop=True))
    return _chosen(Raw('frame', columns, len(frame), told), decide)


def _of_series(name, series) -> Any:
    """A column of a frame: lists apart, all else as pandas has it."""
    arrow = getattr(series.dtype, 'pyarrow_dtype', None)
    if arrow is not None and (pa.types.is_list(arrow) or pa.types.is_large_list(arrow)):
        series = series.astype(object)
    if series.dtype == object:
        first = next((c for c in series if not _no_cell(c)), None)
        if isinstance(first, CONTAINERS):
            return _of_lists(name, series)
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in 'biuf':
        return series.to_numpy()
    return series


def _no_cell(cell):
    return not isinstance(cell, (*CONTAINERS, *TABLES)) and is_missing(cell)


def _of_lists(name, series) -> Lists:
    """Cells that are lists, sets, arrays, or dicts {value: weight}."""
    values, counts, weights = [], [], []
    weighted = False
    for cell in series:
        if _no_cell(cell):
            cell = ()
        elif isinstance(cell, dict):
            weighted = True
            weights.extend(cell.values())
        elif isinstance(cell, (set, frozenset)):
            cell = sorted(cell, key=str)
        elif not isinstance(cell, CONTAINERS):
            cell = (cell,)
        if not isinstance(cell, dict):
            weights.extend([1] * len(cell))
        values.extend(cell)
        counts.append(len(cell))
    column = read_column(name, np.array([*values, None], object)[:-1])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    try:
        weights = np.array(weights, np.float32) if weighted else None
    except (TypeError, ValueError):
        raise ValueError(
            f'{name!r} has weights that are no numbers: give {{value: number}}.'
        ) from None
    return Lists(name, column.cells, column.codes, offsets, weights)


# ------------------------------------------------------------------------------------ together


def _joined(name, parts: Sequence[Raw], told: Mapping) -> Raw:
    """Parts of one table, one below the other."""
    if len(parts) == 1:
        return Raw(
            parts[0].source if name is None else name, parts[0].columns, parts[0].rows, dict(told)
        )
    first = parts[0]
    for part in parts[1:]:
        if sorted(part.columns) != sorted(first.columns):
            raise ValueError(
                f'{part.source} has the columns {", ".join(part.columns)}, and {first.source} has '
                f'{", ".join(first.columns)}: give parts of one table.'
            )
    columns = {n: _stacked(n, [p.columns[n] for p in parts]) for n in first.columns}
    return Raw(name, columns, sum(p.rows for p in parts), dict(told))


def _stacked(name, parts):
    if all(isinstance(p, Column) for p in parts):
        return joined_columns(name, parts)
    if all(isinstance(p, np.ndarray) for p in parts):
        return np.concatenate(parts)
    if any(isinstance(p, Lists) for p in parts):
        parts = [p if isinstance(p, Lists) else _single(name, p) for p in parts]
        values = joined_columns(name, [Column(name, p.cells, p.codes) for p in parts])
        counts = np.concatenate([p.counts for p in parts])
        weights = None
        if any(p.weights is not None for p in parts):
            weights = np.concatenate(
                [
                    np.ones(len(p.codes), np.float32) if p.weights is None else p.weights
                    for p in parts
                ]
            )
        return Lists(
            name, values.cells, values.codes, np.concatenate([[0], np.cumsum(counts)]), weights
        )
    return pd.concat([_series(p) for p in parts], ignore_index=True)


def _single(name, raw) -> Lists:
    """A column of one value a row, or none, as lists."""
    column = raw if isinstance(raw, Column) else read_column(name, raw)
    empty = np.array([is_missing(c) for c in column.cells], bool)
    there = ~empty[column.codes] if len(column.cells) else np.zeros(len(column.codes), bool)
    offsets = np.concatenate([[0], np.cumsum(there)]).astype(np.int64)
    return Lists(name, column.cells, column.codes[there], offsets)


def joined_columns(name: str, parts: Sequence[Column]) -> Column:
    """Columns one below the other, equal cells with one code."""
    numbers: dict = {}
    codes = []
    for part in parts:
        mine = [numbers.setdefault((type(c), c), len(numbers)) for c in part.cells]
        codes.append(np.array([*mine, 0], np.int32)[part.codes])
    return Column(name, [cell for _, cell in numbers], np.concatenate(codes))


def _series(raw) -> pd.Series:
    """A raw column as pandas has it."""
    if isinstance(raw, Column):
        return pd.Series(np.array([*raw.cells, None], object)[raw.codes])
    if isinstance(raw, Lists):
        cells = np.array([*raw.cells, None], object)
        split = np.split(raw.codes, raw.offsets[1:-1])
        if raw.weights is None:
            return pd.Series([[cells[c] for c in row] for row in split], dtype=object)
        weights = np.split(raw.weights, raw.offsets[1:-1])
        return pd.Series([_weighed(cells[c], w) for c, w in zip(split, weights)], dtype=object)
    return pd.Series(raw)


def _weighed(cells, weights) -> dict:
    """{value: weight} of a row, those of equal values added up."""
    found: dict = {}
    for cell, weight in zip(cells.tolist(), weights.tolist()):
        found[cell] = found.get(cell, 0.0) + weight
    return found


def taken(raw: Any, rows: Any) -> Any:
    """The chosen rows, a slice or row numbers, of a raw column."""
    if isinstance(raw, Column):
        return raw._replace(codes=raw.codes[rows], counts=None)
    if isinstance(raw, Lists):
        rows = np.arange(len(raw.offsets) - 1)[rows]
        counts = raw.counts[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        where = np.repeat(raw.offsets[:-1][rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        weights = None if raw.weights is None else raw.weights[where]
        return Lists(raw.name, raw.cells, raw.codes[where], offsets, weights)
    if isinstance(raw, pd.Series):
        return raw.iloc[rows].reset_index(drop=True)
    return raw[rows]


def used(column: Column) -> Column:
    """The column without cells that no row has."""
    rows = column.counted()
    if rows.all():
        return column
    kept = np.flatnonzero(rows)
    numbers = np.zeros(len(rows), np.int32)
    numbers[kept] = np.arange(len(kept), dtype=np.int32)
    return Column(column.name, [column.cells[i] for i in kept], numbers[column.codes])


def words_in(name: str, raw: Any, source: str) -> Column:
    """A raw column as one value a row."""
    if isinstance(raw, Column):
        return raw
    if isinstance(raw, Lists):
        if raw.counts.max(initial=0) > 1:
            row = int(np.argmax(raw.counts > 1))
            raise ValueError(
                f'{source}: {name!r} has {raw.counts[row]} values in row {row + 1}: name it in '
                'multi, where a cell may have several.'
            )
        if raw.weights is not None:
            raise ValueError(
                f'{source}: {name!r} has {{value: weight}} where one value is wanted: name it in '
                'multi, or give the value.'
            )
        codes = np.full(len(raw.counts), len(raw.cells), np.int32)
        codes[raw.counts == 1] = raw.codes
        return Column(name, [*raw.cells, None], codes)
    return read_column(name, raw, source)


def numbers_in(name: str, raw: Any, source: str) -> np.ndarray:
    """A raw column as float64 (N,), NaN where missing.

    Raises ValueError for a cell that is no finite number, with its row.
    """
    if isinstance(raw, np.ndarray) and raw.dtype.kind in 'biuf':
        numbers, column = raw.astype(np.float64, copy=False), None
    else:
        column = words_in(name, raw, source)
        floats = [to_float(n) for n in numbers_of(column.cells)]
        numbers = np.array([*floats, np.nan])[column.codes]
        for code, (cell, number) in enumerate(zip(column.cells, floats)):
            if np.isnan(number) and not is_missing(cell):
                rows = np.flatnonzero(column.codes == code)
                if len(rows):
                    raise ValueError(
                        f'{source}: {name!r} of row {rows[0] + 1} is {text_of(cell)[:40]!r}, which '
                        'is no number (3.5 or 1200 is): mend it, leave the cell empty, or name '
                        'the column in categories.'
                    )
    if np.isinf(numbers).any():
        row = int(np.argmax(np.isinf(numbers)))
        raise ValueError(
            f'{source}: {name!r} of row {row + 1} is {numbers[row]}: give a finite number, or '
            'leave the cell empty.'
        )
    return numbers


def lists_in(name: str, raw: Any, sep: Optional[str], source: str) -> Lists:
    """A raw column as several values a row: lists as they are, text parted at `sep`."""
    if isinstance(raw, Lists):
        return raw
    if not sep:
        return _single(name, raw)
    column = words_in(name, raw, source)
    numbers: dict[str, int] = {}
    parts = []
    for cell in column.cells:
        values = [] if is_missing(cell) else [v.strip() for v in text_of(cell).split(sep)]
        parts.append([numbers.setdefault(v, len(numbers)) for v in values if v])
    sizes = np.array([len(p) for p in parts], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    flat = np.array([c for p in parts for c in p], np.int32)
    whole = Lists(name, list(numbers), flat, starts)
    return taken(whole, column.codes)
