"""One spelling of a value, whatever type its column has and whichever way it was read."""

import datetime
import decimal
import io
import random
import warnings

import d2lrec.data.rows as rows_module
from d2lrec.data import CTRDataset
from d2lrec.data.values import MISSING, numbers_of, read_column, spelled

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest


def words(values):
    """The kind of a column, and each row's value as it is spelled."""
    kind, found, codes = spelled(read_column('x', values))
    return kind, [found[c] for c in codes]


@pytest.mark.parametrize(
    'cells, expected',
    [
        (['3', '3.0', '03', 3, 3.0, ' 3 ', '+3', '3.', '30e-1'], '3'),
        (['0.1', 0.10, '.1', '0.10', '1e-1', np.float32(0.1), np.float16(0.1)], '0.1'),
        (['True', 'TRUE', 'true', True, np.True_, '1', 1], '1'),
        (['False', False, '0', '-0', '-0.0', -0.0, '000'], '0'),
        (['9007199254740993', 9007199254740993, '009007199254740993'], '9007199254740993'),
        (['100000000000000000001'], '100000000000000000001'),
        (['-7', '-007', -7.0, np.int8(-7), decimal.Decimal('-7.00')], '-7'),
        (['inf', 'Infinity', '+INF', np.inf], 'inf'),
        ([1e22, '1e22'], '10000000000000000000000'),
    ],
)
def test_spellings_of_one_number(cells, expected):
    assert numbers_of(cells) == [expected] * len(cells)
    assert words(cells) == ('number', [expected] * len(cells))


@pytest.mark.parametrize(
    'cell',
    ['a', '5e123456', '1_0', '0x10', '1,5', '１', ' True', 'tRue', ' inf', '', '-', '1 2', 1j],
)
def test_what_is_no_number(cell):
    assert numbers_of([cell]) == [None]


def test_a_column_of_text_is_taken_as_it_is():
    cells = ['5e10', '50000000000', '7', '007', '7.0', 'True', ' a', 'a']
    assert words(cells) == ('text', cells)
    assert words(['a', 3.0, True, 0.5]) == ('text', ['a', '3', 'True', '0.5'])


def test_all_that_pandas_takes_for_missing_is_one_value():
    cells = [*sorted(MISSING), None, np.nan, pd.NA, pd.NaT, decimal.Decimal('NaN')]
    assert words([*cells, 'x']) == ('text', [''] * len(cells) + ['x'])
    assert words([*cells, '05']) == ('number', [''] * len(cells) + ['5'])
    assert words(cells)[1] == [''] * len(cells)
    text = ''.join(f'"{cell}"\n' for cell in sorted(MISSING - {'None'}))  # None: since pandas 2
    assert pd.read_csv(io.StringIO(text), header=None)[0].isna().all()


TIMES = [pd.Timestamp('2020-01-01'), pd.Timestamp('2020-01-02 03:04:05'), pd.NaT]
TIME_WORDS = ['2020-01-01', '2020-01-02 03:04:05', '']


@pytest.mark.parametrize(
    'values, kind, expected',
    [
        (pd.Series(TIMES), 'text', TIME_WORDS),
        (pd.Series(TIMES, dtype=object), 'text', TIME_WORDS),
        (
            pd.Series([datetime.date(2020, 1, 1), TIMES[0]], dtype=object),
            'text',
            ['2020-01-01'] * 2,
        ),
        (pd.Series(TIMES[:1]).dt.tz_localize('UTC'), 'text', ['2020-01-01 00:00:00+00:00']),
        (pd.Series([decimal.Decimal('3.10'), None], dtype=object), 'number', ['3.1', '']),
        (pd.Series(['a', None, 'b'], dtype='category'), 'text', ['a', '', 'b']),
        (pd.Series([3, None, 4]).astype('category'), 'number', ['3', '', '4']),
        (pd.Series(pd.Categorical(['1'], ['x', '1'])), 'number', ['1']),  # nobody has x
        (pd.Series([1, 2**60 + 1, None], dtype='Int64'), 'number', ['1', str(2**60 + 1), '']),
        (pd.Series([1, 0.5, None], dtype='Float64'), 'number', ['1', '0.5', '']),
        (pd.Series([0.1, 3], dtype='Float32'), 'number', ['0.1', '3']),
        (pd.Series([True, None], dtype='boolean'), 'number', ['1', '']),
        (pd.Series(['a', None], dtype='string'), 'text', ['a', '']),
        (np.array([2**64 - 1], np.uint64), 'number', [str(2**64 - 1)]),
        (np.array([0.1, 3, np.nan], np.float32), 'number', ['0.1', '3', '']),
        (np.array([True, False]), 'number', ['1', '0']),
        (pd.Series([5, '5', 5.0, None], dtype=object), 'number', ['5', '5', '5', '']),
        (pd.Series(pd.arrays.SparseArray([0, 0, 2])), 'number', ['0', '0', '2']),
        (
            pd.period_range('2020-01', periods=2, freq='M').to_series(),
            'text',
            ['2020-01', '2020-02'],
        ),
        ([], 'number', []),
    ],
)
def test_every_type_of_column(values, kind, expected):
    assert words(values) == (kind, expected)


ARROW = [
    (pa.array([1, None]), 'number', ['1', '']),
    (pa.array([0.1, None], pa.float32()), 'number', ['0.1', '']),
    (pa.array([True, None]), 'number', ['1', '']),
    (pa.array(['a\0x', 'a', None]), 'text', ['a\0x', 'a', '']),
    (pa.array(['a', 'b', None]).dictionary_encode(), 'text', ['a', 'b', '']),
    (pa.array([decimal.Decimal('3.10'), None]), 'number', ['3.1', '']),
    (pa.array(TIMES[:2], pa.timestamp('us')), 'text', TIME_WORDS[:2]),
    (pa.array([datetime.date(2020, 1, 1)]), 'text', ['2020-01-01']),
]


@pytest.mark.parametrize('values, kind, expected', ARROW)
def test_every_type_of_arrow(values, kind, expected):
    array = getattr(pd.arrays, 'ArrowExtensionArray', None)
    if array is None:
        pytest.skip('this pandas has no columns of Arrow')
    assert words(pd.Series(array(values))) == (kind, expected)


@pytest.mark.parametrize('dtype', [object, 'string'])
def test_text_is_compared_beyond_a_nul(dtype):
    cells = ['a\0x', 'a\0y', 'a', 'a\0x']
    assert words(pd.Series(cells, dtype=dtype)) == ('text', cells)


def test_numbers_are_equal_as_pandas_reads_them():
    rng = random.Random(0)
    for _ in range(40):
        cells = []
        for _ in range(30):
            digits = ''.join(rng.choices('0123456789', k=rng.randint(1, 20)))
            at = rng.randint(0, len(digits))
            cells.append(f'{digits[:at]}.{digits[at:]}' + rng.choice(['', 'e-5', 'E+3', 'e280']))
        column = pd.read_csv(io.StringIO('\n'.join(cells)), header=None)[0]
        assert words(cells) == words(column)


OVERFLOWS = pd.read_csv(io.StringIO('5e123456\n'), header=None)[0].dtype.kind == 'f'  # pandas 3


POOLS = {
    'whole': lambda r: str(r.randint(-5, 5)),
    'zeros': lambda r: f'{r.randint(0, 12):03d}',
    'floats': lambda r: r.choice(
        ['3', '3.0', '3.10', '.5', '5.', '1e2', '-0', '-0.0', '1e-7', '+4']
    ),
    'booleans': lambda r: r.choice(['True', 'False', 'TRUE', 'false']),
    'either': lambda r: r.choice(['True', '1', '0', 'False']),
    'text': lambda r: r.choice(['a', '007', '7', '7.0', 'True', 'b c', '5e10']),
    'hashes': lambda r: r.choice(['5e123456', '5e3', '123', 'e5']),
    'overflow': lambda r: r.choice(['5e123456', '5e3456', '123']),
    'infinite': lambda r: r.choice(['inf', '-inf', 'Infinity', '3', '3.0']),
    'huge': lambda r: r.choice(['18446744073709551616', '100000000000000000001', '7', '007']),
    'long': lambda r: r.choice(['0.1234567890123455', '0.84442185152504812', '123456.78901234567']),
    'missing': lambda r: r.choice(['', 'NA', 'nan', 'null', 'N/A', '#N/A']),
    'quoted': lambda r: r.choice(
        ['"a ""b"""', '"x\ty"', 'a"b', '"3"', '"NA"', '""', '"q"r', '"line\nbreak"', 'z']
    ),
    'spaces': lambda r: r.choice([' 3', '3 ', ' 4.0', '5']),
    'blanks': lambda r: r.choice([' 3', '3', ' ', 'a ']),
    'letters': lambda r: r.choice(
        ['é', 'e\u0301', '상품', '\u2028', '1\u00a0', '１', '\x85', '\x1c']
    ),
}


@pytest.mark.parametrize('seed', range(120))
def test_a_table_gives_the_same_ids_as_a_file_and_as_a_frame(tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    monkeypatch.setattr(rows_module, 'BLOCK', rng.choice([300, 8_000_000]))
    pools = [name for name in POOLS if not OVERFLOWS or name not in ('hashes', 'overflow')]
    kinds = [rng.choice(pools) for _ in range(rng.randint(1, 4))]
    gaps = [rng.choice([0, 0, 0.3]) for _ in kinds]
    rows = [
        [str(i % 2)]
        + [
            rng.choice(['', 'NA', 'NaN']) if rng.random() < gap else POOLS[kind](rng)
            for kind, gap in zip(kinds, gaps)
        ]
        for i in range(rng.choice([4, 10, 40]))
    ]
    path = tmp_path / 'table.tsv'
    lines = rng.choice(['\n', '\r\n']).join('\t'.join(row) for row in rows)
    path.write_bytes((lines + '\n').encode())
    frame = pd.read_csv(path, sep='\t', header=None)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.filterwarnings('ignore', '.*differ only by spaces')
        a, b = (CTRDataset(source, min_threshold=1) for source in (path, frame))
        assert a.features.tolist() == b.features.tolist() and a.unknown.tolist() == [0] * len(kinds)
        assert a.vocabulary.mappers == b.vocabulary.mappers
        assert (CTRDataset(frame, vocabulary=a.vocabulary).features == a.features).all()
        assert (CTRDataset(path, vocabulary=b.vocabulary).features == a.features).all()
        assert (CTRDataset(path, a.feat_mapper, a.defaults).features == a.features).all()
