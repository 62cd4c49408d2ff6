"""How a value is spelled: one text for one value, from a file or from a frame.

`CTRDataset` states the rule. Cells that occur are looked at once each, not row by row: a
`Column` holds the distinct cells and, for each row, which of them it has.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd
import pyarrow as pa

# What pandas.read_csv takes for missing by default, in its newest version.
MISSING = frozenset(
    '|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None'
    '|n/a|nan|null'.split('|')
)
BOOLEANS = {'True': '1', 'TRUE': '1', 'true': '1', 'False': '0', 'FALSE': '0', 'false': '0'}
INFINITE = {
    sign + word: '-inf' if sign == '-' else 'inf'
    for sign in ('', '+', '-')
    for word in ('inf', 'infinity')
}
SHORT_FLOATS = ('float32', 'Float32', 'float[pyarrow]')
SPACE = ' \t\n\r\f\v'  # what pandas passes over beside a number
LEADING_ZERO = re.compile(r'^0\d', re.MULTILINE)
WHOLE = re.compile(r'([+-]?)0*([0-9]+)')
DECIMAL = re.compile(r'-?(?:0|[1-9][0-9]{0,9})\.[0-9]{0,3}[1-9]')  # as a float prints itself
NUMBER = re.compile(r'[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?')
CONTAINERS = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series)
TABLES = (pd.DataFrame, pd.Index, pa.Array, pa.ChunkedArray, pa.Table)


class Column(NamedTuple):
    """A named column: its distinct cells as they came, and the number of each row's cell.

    Cells that are text must differ; see `distinct`.
    """

    name: str
    cells: list
    codes: np.ndarray  # int32 (N,)
    counts: Optional[np.ndarray] = None  # int64, the rows of each cell, where they are known

    def counted(self) -> np.ndarray:
        """How many rows have each cell."""
        if self.counts is not None:
            return self.counts
        return np.bincount(self.codes, minlength=len(self.cells))

    def first_row(self, cell_number: int) -> int:
        """The first row, from 0, that has this cell."""
        return int(np.argmax(self.codes == cell_number))


def is_missing(cell: Any) -> bool:
    """Whether pandas would read the cell as missing: '', 'NA', None, NaN, NaT and so on."""
    if isinstance(cell, str):
        return cell in MISSING
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return cell is None or cell is pd.NA or cell is pd.NaT or bool(cell != cell)


def is_number(cell: Any) -> bool:
    """Whether the cell is of a number's type, or a boolean: text that reads as one is not."""
    return isinstance(cell, (bool, np.bool_, int, float, np.number, Decimal)) and not isinstance(
        cell, (np.timedelta64, np.complexfloating)
    )


def numbers_of(cells: Sequence[Any]) -> list[Optional[str]]:
    """The canonical spelling of each cell that is a number, or reads as one; None for others.

    >>> numbers_of(['007', 3.0, '0.10', True, '5e123456', '-0', 'red'])
    ['7', '3', '0.1', '1', None, '0', None]
    """
    found: list[Optional[str]] = [None] * len(cells)
    fractions = {}
    for i, cell in enumerate(cells):
        if isinstance(cell, str):
            text = cell
            if text.isdigit() and text.isascii():
                found[i] = text if text[0] != '0' else text.lstrip('0') or '0'
                continue
            if DECIMAL.fullmatch(text):
                found[i] = text
                continue
        elif isinstance(cell, Decimal):
            text = str(cell)
        else:
            found[i] = _spelled(cell) if is_number(cell) else None
            continue
        bare = text.strip(SPACE)
        if whole := WHOLE.fullmatch(bare):
            sign, digits = whole.groups()
            found[i] = '-' + digits if sign == '-' and digits != '0' else digits
        elif NUMBER.fullmatch(bare):
            fractions[i] = bare
        elif text in BOOLEANS:
            found[i] = BOOLEANS[text]
        else:
            found[i] = INFINITE.get(text.lower())
    if fractions:  # read by pandas, whose last bit is not always Python's
        texts = np.array(list(fractions.values()), dtype=object)
        floats = pd.to_numeric(texts, errors='coerce').astype(np.float64)
        for i, number in zip(fractions, floats.tolist()):
            found[i] = _spelled(number) if np.isfinite(number) else None
    return found


def _spelled(number) -> Optional[str]:
    """A number's canonical text; None for a NaN."""
    if isinstance(number, (bool, np.bool_, int, np.integer)):
        return str(int(number))
    exact = float(number)
    if exact != exact:
        return None
    if exact in (np.inf, -np.inf):
        return 'inf' if exact > 0 else '-inf'
    if exact.is_integer():
        return str(int(exact))
    short = isinstance(number, (np.float16, np.float32))
    return repr(float(str(number)) if short else exact)


def in_other_width(cell: Any) -> Optional[str]:
    """A float32 as the float64 that it becomes is spelled, and the other way round.

    >>> in_other_width(np.float32(0.1)), in_other_width(0.10000000149011612), in_other_width(0.1)
    ('0.10000000149011612', '0.1', None)
    """
    if isinstance(cell, (np.float16, np.float32)):
        return _spelled(float(cell))
    if abs(cell) < 3e38 and float(np.float32(cell)) == cell:
        return _spelled(np.float32(cell))
    return None


def text_of(cell: Any) -> str:
    """A cell as text in a column of text: itself where it is text."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell))
    if isinstance(cell, (float, np.floating)):
        return _spelled(cell) or ''
    if isinstance(cell, np.datetime64):
        cell = pd.Timestamp(cell)
    if isinstance(cell, datetime.datetime):  # a Timestamp is one, too
        midnight = cell.tzinfo is None and cell == pd.Timestamp(cell).normalize()
        return str(cell)[:10] if midnight else str(pd.Timestamp(cell))
    if isinstance(cell, bytes):
        return cell.decode('utf-8', 'backslashreplace')
    return str(cell)


def to_float(spelled: Optional[str]) -> float:
    """A canonical number as a float; NaN for None."""
    return float('nan') if spelled is None else float(spelled)


def read_column(name: str, values: Any, source: str = 'The frame') -> Column:
    """Find the distinct cells of a column: a Series, an array or a list, of any type.

    Raises
    ------
    ValueError
        For a cell that is a list or another container, or text with half a character.

    Examples
    --------
    >>> column = read_column('town', ['b', None, 'a', 'b'])
    >>> column.cells, column.codes.tolist()
    (['b', 'a', None], [0, 2, 1, 0])
    """
    if isinstance(values, Column):
        return values
    if not isinstance(values, (pd.Series, pd.Index, np.ndarray)):
        values = pd.Series(list(values), dtype=object)
    values = pd.Series(values).reset_index(drop=True)
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(name, values, source)
    if isinstance(dtype, pd.SparseDtype):
        values = values.sparse.to_dense()
        dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != 'O' or not _may_hold_text(values):
        return _factorized(name, values)
    try:
        return _of_text(name, values)
    except UnicodeEncodeError:
        for row, cell in enumerate(values):
            if isinstance(cell, str):
                _check_text(cell, name, row, source)
        raise
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return _of_objects(name, values, source)


def _may_hold_text(values: pd.Series) -> bool:
    """Whether cells may be text or objects, which pandas compares only up to a NUL."""
    if isinstance(values.dtype, pd.StringDtype) or values.dtype == object:
        return True
    arrow = getattr(values.dtype, 'pyarrow_dtype', None)
    return arrow is not None and (
        pa.types.is_string(arrow)
        or pa.types.is_large_string(arrow)
        or pa.types.is_nested(arrow)
        or pa.types.is_dictionary(arrow)
    )


def _of_categories(name, values, source):
    """A categorical column: its categories, as far as rows have them."""
    codes = np.asarray(values.cat.codes, np.int64)
    categories = read_column(name, values.cat.categories, source)
    codes = np.where(codes < 0, len(categories.cells), np.append(categories.codes, -1)[codes])
    return _without_unused(name, [*categories.cells, None], codes)


def _factorized(name, values):
    """A column of numbers, times or the like."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == 'f':
        array = values.to_numpy()
        if array.dtype.itemsize not in (4, 8):  # which pandas would turn into another type
            cells, codes = np.unique(array, return_inverse=True)
            return Column(name, list(cells), codes.reshape(-1).astype(np.int32))
    codes, cells = pd.factorize(values)
    cells = cells.tolist() if hasattr(cells, 'tolist') else list(cells)
    if str(values.dtype) in SHORT_FLOATS:  # which lists turn into Python's long ones
        cells = [cell if is_missing(cell) else np.float32(cell) for cell in cells]
    return _with_missing(name, cells, np.asarray(codes))


def _of_text(name, values):
    """A column of text and missing cells, read by its whole length."""
    array = pa.array(values.array if values.dtype != object else values.to_numpy(), **_AS_TEXT)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if not pa.types.is_large_string(array.type):
        array = array.cast(pa.large_string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    found = array.dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _with_missing(name, found.dictionary.to_pylist(), codes)


_AS_TEXT = {'type': pa.large_string(), 'from_pandas': True}


def _of_objects(name, values, source):
    """A column of cells of several types, which are equal only where their types are, too."""
    numbers: dict[Any, int] = {}
    cells, codes = [], np.empty(len(values), np.int32)
    for row, cell in enumerate(values):
        if not isinstance(cell, str) and (isinstance(cell, CONTAINERS) or _is_no_value(cell)):
            raise ValueError(
                f'{source} has a {type(cell).__name__} in the column {name!r}, row {row + 1}: '
                'give one value a cell, or a column of 0 and 1 for each value and multi_hot.'
            )
        if isinstance(cell, str):
            _check_text(cell, name, row, source)
        elif is_missing(cell):
            cell = None
        try:
            code = numbers.setdefault((type(cell), cell), len(cells))
        except TypeError:  # no hash: known by its text
            code = numbers.setdefault((type(cell), str(cell)), len(cells))
        if code == len(cells):
            cells.append(cell)
        codes[row] = code
    return Column(name, cells, codes)


def _is_no_value(cell):
    """Whether it is a table, an array, or an object that no text tells from another."""
    kind = type(cell)
    nameless = kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__
    return nameless or callable(cell) or hasattr(cell, 'asnumpy') or isinstance(cell, TABLES)


def _check_text(cell, name, row, source):
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f'{source} has half a character (a lone surrogate) in the column {name!r}, row '
            f'{row + 1}, {cell!a}: read the data with its true encoding.'
        ) from None


def _with_missing(name, cells, codes):
    """A column whose codes are -1 where the cell is missing."""
    if len(codes) and codes.min() < 0:
        codes = np.where(codes < 0, len(cells), codes)
        cells = [*cells, None]
    return Column(name, cells, codes.astype(np.int32))


def _without_unused(name, cells, codes):
    """A column without the cells that no row has."""
    used, codes = np.unique(codes, return_inverse=True)
    return Column(name, [cells[i] for i in used], codes.reshape(-1).astype(np.int32))


def spelled(column: Column, kind: Optional[str] = None) -> tuple[str, list[str], np.ndarray]:
    """The kind of a column, its distinct values as they are spelled, and each row's value.

    >>> spelled(read_column('age', ['3', 4.0, '04', None]))[:2]
    ('number', ['3', '4', ''])
    """
    cells, numbers = column.cells, None
    if kind != 'text':
        numbers = _numbers(cells, all_or_none=kind is None)
        kind = 'text' if numbers is None else 'number'
    if numbers is cells or (numbers is None and set(map(type, cells)) <= {str}):
        if MISSING.isdisjoint(cells):
            return kind, cells, column.codes
        return kind, *distinct(['' if c in MISSING else c for c in cells], column.codes)
    words = [
        n if n is not None else '' if is_missing(cell) else text_of(cell)
        for cell, n in zip(cells, numbers or [None] * len(cells))
    ]
    return kind, *distinct(words, column.codes)


def _numbers(cells, all_or_none):
    """`numbers_of`, or the cells themselves where that is what they are.

    With `all_or_none`, None as soon as a cell is neither a number nor missing.
    """
    if set(map(type, cells)) <= {str}:
        digits = ''.join(cells)
        plain = digits.isdigit() and digits.isascii()
        if plain and not LEADING_ZERO.search('\n'.join(cells)):
            return cells
    found = []
    for start in range(0, len(cells), 1_000):
        part = cells[start : start + 1_000]
        numbers = numbers_of(part)
        if all_or_none and any(n is None and not is_missing(c) for n, c in zip(numbers, part)):
            return None
        found += numbers
    return found


def only_spaces_apart(source: str, columns: dict[str, Sequence]) -> list[str]:
    """A sentence on columns of which values differ only by spaces at their ends, if there are any.

    Looked at are distinct values of text, by the column's name.

    Examples
    --------
    >>> only_spaces_apart('log.csv', {'town': ['Seoul', 'Busan', ' Seoul'], 'to': ['Seoul']})
    ["log.csv: 'town' has values that differ only by spaces at their ends, such as 'Seoul' and ..."]
    """
    found = []
    for name, cells in columns.items():
        if set(map(type, cells)) <= {str} and not re.search(r'\s', ''.join(cells)):
            continue
        padded = [c for c in cells if isinstance(c, str) and c != c.strip() and not is_missing(c)]
        if not padded:
            continue
        bare = {c.strip(): c for c in cells if isinstance(c, str) and c == c.strip()}
        for cell in padded:
            other = bare.setdefault(cell.strip(), cell)
            if other != cell:
                found.append((name, *sorted((other, cell), key=len)))
                break
    if not found:
        return []
    name, one, other = found[0]
    names = ', '.join(repr(n) for n, *_ in found[:10]) + (' and others' if found[10:] else '')
    return [
        f'{source}: {names} {"has" if len(found) == 1 else "have"} values that differ only by '
        f'spaces at their ends, such as {one[:40]!r} and {other[:40]!r}, and count as different: '
        f'where they are one, strip them first, frame[{name!r}].str.strip() say.'
    ]


def distinct(words, codes):
    """Distinct words and each row's code, where several of the words are equal."""
    numbers: dict[str, int] = {}
    merged = [numbers.setdefault(w, len(numbers)) for w in words]
    if len(numbers) == len(words):
        return words, codes
    return list(numbers), np.array(merged, np.int32)[codes]
