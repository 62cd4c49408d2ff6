"""Large plain text, read by loops, is what pyarrow and the csv module read of it."""

import warnings
from types import SimpleNamespace

import d2lrec as d2l
from d2lrec.data import lines, plain

import numpy as np
import pytest

BYTES = [  # of which cells are made, the nasty ones rare
    *'0123456789abc.-', *'0123456789', '', '', 'Oslo', '서울', '😀', '12345678', '123456789',
    'a rather long cell', 'a rather long one', ' ', 'NA', 'nan', '1e5', '+3', '007', '.5', '5.',
    '0.1', '-0', '3.14159265358979', '0.1234567890123456', '12345678901234567', 'É' * 5,
]  # fmt: skip
ODD = ['"', '"a""b"', '\r', '\0', '\t', '\n', '\r\n', '\ufeff', 'x\ty']
ALL = {'min_threshold': 1}


@pytest.fixture(params=['compiled', 'as written'])
def by_loops(request, monkeypatch):
    """Files of any size read by the loops, compiled or not; a function that turns them off."""
    if request.param == 'compiled' and plain.loops() is None:
        pytest.skip('numba is not installed')
    if request.param == 'as written':
        written = SimpleNamespace(**{loop.__name__: loop for loop in plain.LOOPS})
        monkeypatch.setattr(plain, 'loops', lambda: written)
        monkeypatch.setattr('d2lrec.data.vocabulary.loops_at_hand', lambda: written)
        monkeypatch.setattr('d2lrec.data.vocabulary.LARGE', 0)
    monkeypatch.setattr(plain, 'LEAST', 0)
    read, used = plain.PlainText.read, []

    def noted(self, block):
        used.append(read(self, block))
        return used[-1]

    monkeypatch.setattr(plain.PlainText, 'read', noted)
    return SimpleNamespace(used=used, off=lambda: monkeypatch.setattr(plain, 'LEAST', 2**60))


def outcome(make):
    """What came of it: the result, or the error; and the warnings."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        try:
            found = make()
        except ValueError as error:
            found = str(error)
    return found, [str(w.message) for w in told if w.category is UserWarning]


def same_data(one, other):
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one.vocabulary == other.vocabulary
    assert [f.counts for f in one.vocabulary.fields] == [f.counts for f in other.vocabulary.fields]
    assert list(one.columns) == list(other.columns)
    for name, array in one.columns.items():
        assert array.dtype == other.columns[name].dtype
        np.testing.assert_array_equal(array, other.columns[name])
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.unknown, other.unknown)
    assert one.dropped == other.dropped and one.summary() == other.summary()


def random_log(rng, separator, odd):
    """A file of random cells: mostly plain, and with `odd` a few that are not."""
    columns, rows = int(rng.integers(1, 5)), int(rng.integers(1, 60))
    kinds = [rng.choice(BYTES, rng.integers(1, 8)) for _ in range(columns)]
    end = '\r\n' if rng.random() < 0.3 else '\n'
    lines = []
    for _ in range(rows):
        cells = [str(rng.integers(0, 2))]
        cells += [''.join(rng.choice(k, rng.integers(1, 4))) for k in kinds]
        if rng.random() < odd:
            cells[int(rng.integers(0, columns + 1))] = str(rng.choice(ODD))
        lines.append(separator.join(cells))
    text = end.join(lines) + (end if rng.random() < 0.7 else '')
    data = text.encode()
    if rng.random() < 0.1:
        data = b'\xef\xbb\xbf' + data
    if rng.random() < odd:
        data += b'\xff\n'
    return data


@pytest.mark.parametrize('odd', [0, 0.02])
def test_random_logs_are_read_alike(tmp_path, by_loops, monkeypatch, odd):
    monkeypatch.setattr('d2lrec.data.rows.BLOCK', 300)
    monkeypatch.setattr('d2lrec.data.formats.BLOCK', 300)
    rng, logs = np.random.default_rng(5), []
    for i in range(25):
        path = tmp_path / f'{i}.tsv'
        separator = str(rng.choice(['\t', '\t', ',', ';', '|']))
        path.write_bytes(random_log(rng, separator, odd))
        head = path.read_bytes().replace(b'\r', b'').split(b'\n')[0]
        names = [f'c{j}' for j in range(head.count(separator.encode()) + 1)]
        how = {'label': names[0], 'sep': separator, 'header': False, 'names': names}
        logs.append((path, how, names))

    def all_ways():
        found = []
        for path, how, names in logs:
            found.append(outcome(lambda p=path: d2l.CTRDataset(p, min_threshold=2)))
            for numbers in ([], names[-1:]):
                words = [n for n in names[1:] if n not in numbers]
                said = {**how, 'categories': words, 'numbers': numbers}
                found.append(outcome(lambda p=path, s=said: d2l.read(p, **s).dataset(**ALL)))
        return found

    ours = all_ways()
    assert sum(by_loops.used) > 200
    by_loops.off()
    theirs = all_ways()
    for (one, told), (other, said) in zip(ours, theirs):
        same_data(one, other)
        assert told == said
    assert odd or sum(not isinstance(one, str) for one, _ in ours) > 20


def test_numbers_are_those_of_pyarrow_bit_for_bit(tmp_path, by_loops):
    rng = np.random.default_rng(1)
    cells = [f'{x:.{d}f}' for x, d in zip(rng.normal(0, 1e4, 2_000), rng.integers(0, 10, 2_000))]
    cells += ['', '-0', '0', '-0.0', '007', '000.50', '999999999999999', '0.00000000000001']
    path = tmp_path / 'numbers.csv'
    path.write_text(''.join(f'{c},{i % 2}\n' for i, c in enumerate(cells)))
    how = {'names': ['x', 'y'], 'label': 'y', 'categories': [], 'numbers': ['x']}
    ours = d2l.read(path, **how).numbers('x')
    assert by_loops.used == [len(cells)]
    by_loops.off()
    theirs = d2l.read(path, **how).numbers('x')
    np.testing.assert_array_equal(ours.view(np.int64), theirs.view(np.int64))


HEADS = ['y,a\r', 'y,a\r\n', '\n\ny,a\n', '\ufeffy,a\n', '\ufeff\ufeffy,a\n', '\n\r\ny,a\n']


@pytest.mark.parametrize('head', HEADS)
def test_a_header_is_passed_over_however_it_ends(tmp_path, by_loops, monkeypatch, head):
    read = lines.whole_lines
    monkeypatch.setattr('d2lrec.data.formats.whole_lines', lambda file, size: read(file, 20))
    path = tmp_path / 'log.csv'
    path.write_bytes((head + '0,x\n1,z\n0,x\n1,w\n').encode())
    ours = outcome(lambda: d2l.read(path).frame.to_csv())
    by_loops.off()
    assert ours == outcome(lambda: d2l.read(path).frame.to_csv())
    assert '0,0,x' in ours[0] and '3,1,w' in ours[0]


@pytest.mark.parametrize('size', [90, 10**6])
def test_a_mark_of_utf_8_further_on_is_text(tmp_path, by_loops, monkeypatch, size):
    monkeypatch.setattr('d2lrec.data.blocks.BYTES', size)
    path, how = tmp_path / 'log.csv', {'label': 'y', 'categories': ['a', 'b'], 'numbers': []}
    path.write_bytes(b'a,y,b\n' + b'\xef\xbb\xbfx,1,z\nw,0,z\n' * 40)
    for switch in (lambda: None, by_loops.off):
        switch()
        folder = tmp_path / str(switch)
        data = d2l.encode(path, folder, verbose=False, min_threshold=1, seed=None, **how)
        assert data.vocabulary == d2l.read(path, **how).dataset(**ALL).vocabulary
        assert data.vocabulary.fields[0].counts == (40, 40)


@pytest.mark.parametrize('long', ['x' * 5_000, f'"{2_500 * "x,"}"'])
def test_a_cell_longer_than_a_block_is_read(tmp_path, by_loops, monkeypatch, long):
    monkeypatch.setattr('d2lrec.data.formats.BLOCK', 500)
    how = {'label': 'y', 'categories': ['a'], 'numbers': []}
    path = tmp_path / 'log.csv'
    path.write_text('y,a\n' + '1,b\n0,c\n' * 200 + f'1,{long}\n0,b\n' * 3)
    for switch in (lambda: None, by_loops.off):
        switch()
        assert d2l.read(path, **how).frame['a'].tolist().count(long.strip('"')) == 3


def test_loops_are_compiled_where_nothing_keeps_them(monkeypatch):
    caching = pytest.importorskip('numba.core.caching')
    monkeypatch.setattr(caching.FunctionCache._impl_class, '_locator_classes', [])
    loops = plain._compiled.__wrapped__()
    text = np.frombuffer(b'1,a\n', np.uint8)
    assert loops.cell_ends(text, ord(','), np.full(6, -1, np.int32)) == 2


def test_many_cells_of_all_lengths_keep_their_numbers(by_loops):
    rng = np.random.default_rng(2)
    words = [str(n) * int(rng.integers(1, 4)) for n in rng.integers(0, 3_000, 4_000)]
    text = plain.PlainText('\t', 2, [0, 1])
    for start in range(0, 4_000, 1_000):
        lines = [f'{w}\tx{w}' for w in words[start : start + 1_000]]
        assert text.read('\n'.join(lines).encode()) == 1_000
    first, second = text.words(['a', 'b'])
    assert first.cells == list(dict.fromkeys(words))
    assert [first.cells[c] for c in first.codes] == words
    assert [second.cells[c] for c in second.codes] == ['x' + w for w in words]
    assert first.counts.tolist() == np.bincount(first.codes).tolist()


def test_blocks_that_are_not_plain_are_left_to_others(by_loops):
    for block in (b'1\t"a"\n', b'1\ra\n', b'1\t\0\n', b'1\t2\t3\n', b'1\n', b'1\n2\t3\t4\n', b'\n'):
        assert plain.PlainText('\t', 2, [0, 1]).read(block) == 0
    assert plain.PlainText('\t', 2, [0, 1]).read(b'1\t2\r\n3\t4') == 2
    for number in ('1e5', ' 1', '+1', '.5', '5.', '1_0', '-', '0x1', '1.2.3', '1' * 16):
        assert plain.PlainText(',', 2, [1], [0]).read(f'{number},a\n'.encode()) == 0


def test_a_folder_is_encoded_alike(tmp_path, by_loops, monkeypatch):
    monkeypatch.setattr('d2lrec.data.blocks.BYTES', 2_000)
    rng = np.random.default_rng(3)
    rows = zip(rng.integers(0, 2, 600), rng.integers(0, 40, 600), rng.normal(0, 5, 600).round(2))
    path = tmp_path / 'log.csv'
    path.write_text('click,town,price\n' + ''.join(f'{y},t{t},{x}\n' for y, t, x in rows))
    how = {'label': 'click', 'categories': ['town'], 'numbers': ['price'], 'verbose': False}
    ours = d2l.encode(path, tmp_path / 'ours', **how)
    assert sum(by_loops.used) >= 1_200
    by_loops.off()
    theirs = d2l.encode(path, tmp_path / 'theirs', **how)
    assert ours.vocabulary == theirs.vocabulary
    np.testing.assert_array_equal(ours.features, theirs.features)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
