"""Packed files of a reader's own, damaged or false: one sentence each; cells that are no values."""

import bz2
import gzip
import lzma
import resource
import zipfile

import d2lrec as d2l
from d2lrec.data import archive_files

import mxnet as mx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

RATINGS = '1::2::5::978300760\n1::3::4::978300761\n2::2::3::978300762\n'
CLICKS = 'y,a\n' + '1,x\n0,y\n' * 40


def packed(path, name, text, **options):
    with zipfile.ZipFile(path, 'w', **options) as archive:
        archive.writestr(name, text)
    return path


def changed(path, *changes):
    """Bytes after a mark in a file set to other ones."""
    data = bytearray(path.read_bytes())
    for mark, offset, value in changes:
        data[data.index(mark) + offset] = value
    path.write_bytes(data)
    return path


def read(path, release):
    if release:
        return d2l.read_ratings(path)
    return d2l.read(path, label='y', categories=['a'])


LOCAL, CENTRAL = b'PK\3\4', b'PK\1\2'
DAMAGE = {
    'encrypted': ([(CENTRAL, 8, 1), (LOCAL, 6, 1)], 'is encrypted'),
    'method': ([(CENTRAL, 10, 99), (LOCAL, 8, 99)], 'compression method is not supported'),
    'checksum': ([(CENTRAL, 16, 0), (LOCAL, 14, 0)], 'Bad CRC-32'),
    'larger than it says': ([(CENTRAL, 24, 5)], 'Bad CRC-32|truncated|too early'),
    'directory': ([(CENTRAL, 0, 0)], 'Bad magic number'),
}


@pytest.mark.parametrize('kind', DAMAGE)
@pytest.mark.parametrize('release', [True, False])
def test_a_damaged_zip_gets_one_sentence(tmp_path, release, kind):
    changes, words = DAMAGE[kind]
    name, text = ('ml-1m/ratings.dat', RATINGS) if release else ('clicks.csv', CLICKS)
    path = packed(tmp_path / ('ml-1m.zip' if release else 'clicks.csv.zip'), name, text)
    read(path, release)
    changed(path, *changes)
    with pytest.raises(ValueError, match=f'cannot be unpacked: .*({words})') as refusal:
        read(path, release)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize('release', [True, False])
def test_a_spoilt_stream_gets_one_sentence(tmp_path, release):
    name, text = ('ml-1m/ratings.dat', RATINGS) if release else ('clicks.csv', CLICKS)
    path = tmp_path / ('ml-1m.zip' if release else 'clicks.csv.zip')
    packed(path, name, text * 20, compression=zipfile.ZIP_DEFLATED)
    changed(path, (name.encode(), len(name), 0xFF), (name.encode(), len(name) + 1, 0xFF))
    with pytest.raises(ValueError, match='cannot be unpacked: Error -3'):
        read(path, release)


@pytest.mark.parametrize('release', [True, False])
def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch, release):
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 10_000)
    monkeypatch.setattr(archive_files, 'RATIO', 5)
    name, text = ('ml-1m/ratings.dat', RATINGS) if release else ('clicks.csv', CLICKS)
    path = tmp_path / ('ml-1m.zip' if release else 'clicks.csv.zip')
    packed(path, name, text * 300, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r'holds more than the [\d,]+ bytes that a file of its'):
        read(path, release)


ROWS = b'y,a\n' + b'0,x\n1,y\n' * 25_000
PACKERS = {
    '.gz': gzip.compress,
    '.bz2': bz2.compress,
    '.xz': lzma.compress,
    '.zst': lambda data: pa.compress(data, 'zstd', asbytes=True),
}


def bomb(folder, suffix, form='.csv', data=ROWS):
    path = folder / f'log{form}{suffix}'
    path.write_bytes(PACKERS[suffix](data))
    return path


@pytest.mark.parametrize('suffix', ['.gz', '.bz2', '.xz', '.zst'])
def test_a_bomb_of_a_stream_is_not_unpacked(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 10_000)
    monkeypatch.setattr(archive_files, 'RATIO', 5)
    how = dict(label='y', categories=['a'], numbers=[])
    words = r'cannot be unpacked: it holds more than the [\d,]+ bytes .* set D2LREC_MOST_UNPACKED'
    path = bomb(tmp_path, suffix)
    rows = b'{"y": 0, "a": "x"}\n{"y": 1, "a": "y"}\n' * 5_000
    as_json = bomb(tmp_path, suffix, '.jsonl', rows)
    as_sparse = bomb(tmp_path, suffix, '.libsvm', b'0 1:1\n1 2:1\n' * 5_000)
    for call in (
        lambda: d2l.read(path, **how),
        lambda: d2l.read(path, encoding='latin-1', **how),
        lambda: d2l.encode(path, tmp_path / 'encoded', verbose=False, **how),
        lambda: d2l.read(as_json, **how),
        lambda: d2l.read(as_sparse),
    ):
        with pytest.raises(ValueError, match=words) as refusal:
            call()
        assert '\n' not in str(refusal.value) and not isinstance(refusal.value, pa.ArrowInvalid)
    monkeypatch.setenv('D2LREC_MOST_UNPACKED', '3e5')
    assert len(d2l.read(path, **how)) == 50_000
    assert len(d2l.encode(path, tmp_path / 'encoded', verbose=False, **how)) == 50_000
    monkeypatch.setenv('D2LREC_MOST_UNPACKED', '199_000')
    with pytest.raises(ValueError, match='more than the 199,000 bytes'):
        d2l.read(path, **how)
    for odd in ('', 'much', '-1', 'nan'):
        monkeypatch.setenv('D2LREC_MOST_UNPACKED', odd)
        with pytest.raises(ValueError, match='D2LREC_MOST_UNPACKED is .*: set it to a number'):
            d2l.read(path, **how)


def test_memory_stays_bounded_while_a_bomb_is_unpacked(tmp_path, monkeypatch):
    """1 GB within 2 MB: refused when 60 MB came out, piece by piece."""
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 60_000_000)
    monkeypatch.setattr(archive_files, 'RATIO', 20)
    path = tmp_path / 'bomb.csv.gz'
    piece = gzip.compress((b'1,' + b'y' * 1000 + b'\n') * 1000, 9)
    path.write_bytes(gzip.compress(b'y,a\n') + piece * 1000)
    for read in (
        lambda: d2l.read(path, label='y'),
        lambda: d2l.encode(path, tmp_path / 'encoded', label='y', verbose=False),
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ValueError, match='bytes that a file of its size may'):
            read()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 350_000  # kB


@pytest.mark.parametrize('suffix', ['.gz', '.bz2', '.xz', '.zst'])
def test_a_damaged_stream_is_encoded_to_one_sentence(tmp_path, suffix):
    path = bomb(tmp_path, suffix)
    data = path.read_bytes()
    for spoilt in (data[: len(data) // 2], data[:30] + b'\xff\x00' * 8 + data[46:]):
        path.write_bytes(spoilt)
        for call in (
            lambda: d2l.read(path, label='y'),
            lambda: d2l.encode(path, tmp_path / 'encoded', label='y', verbose=False),
        ):
            with pytest.raises(ValueError) as refusal:
                call()
            assert '\n' not in str(refusal.value), suffix


@pytest.mark.parametrize('suffix', ['.gz', '.bz2', '.xz', '.zst'])
def test_a_file_of_several_streams_is_read_whole_or_refused(tmp_path, suffix):
    path = bomb(tmp_path, suffix)
    one = path.read_bytes()
    second = PACKERS[suffix](b'1,z\n')
    path.write_bytes(one + (bytes(8) if suffix == '.xz' else b'') + second)
    assert len(d2l.read(path, label='y')) == 50_001
    broken = b'\xff\x00' * 4
    for spoilt in (broken + second[8:], second[: len(second) // 2], b'no stream at all'):
        path.write_bytes(one + spoilt)
        for call in (
            lambda: d2l.read(path, label='y'),
            lambda: d2l.encode(path, tmp_path / 'encoded', label='y', verbose=False),
        ):
            with pytest.raises(ValueError, match='cannot be unpacked') as refusal:
                call()
            assert '\n' not in str(refusal.value), suffix


@pytest.mark.parametrize(
    'cell',
    [pd.DataFrame({'x': [1]}), pd.Index([1]), object(), len, int, mx.np.ones(2)],
    ids=['a frame', 'an index', 'an object', 'a function', 'a class', 'an MXNet array'],
)
@pytest.mark.parametrize(
    'read',
    [
        lambda frame: d2l.CTRDataset(frame, min_threshold=1),
        lambda frame: d2l.read(frame, label='y').clicks(),
    ],
    ids=['CTRDataset', 'read'],
)
def test_cells_that_are_no_values(read, cell):
    """Text of an address would be another value in the next process."""
    column = np.empty(4, object)
    column[:] = ['a', 'b', 'a', 'b']
    column[2] = cell
    frame = pd.DataFrame({'y': [1, 0, 1, 0], 'v': column})
    with pytest.raises(ValueError, match=r"a \w+ in the column 'v', row 3: give one value a cell"):
        read(frame)


def test_nul_characters_tell_values_apart():
    values = ['a\0x', 'a\0y', 'a', 'a\0x', '\0', '']
    frame = pd.DataFrame({'y': [1, 0] * 3, 'v': values})
    data = d2l.CTRDataset(frame, min_threshold=1)
    ids = data.features[:, 0].tolist()
    assert [ids.index(i) for i in ids] == [values.index(v) for v in values]


@pytest.mark.parametrize('release', [True, False])
def test_a_member_without_a_name_gets_one_sentence(tmp_path, release):
    path = tmp_path / ('ml-1m.zip' if release else 'clicks.csv.zip')
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('ml-1m/ratings.dat' if release else 'clicks.csv', CLICKS)
        archive.writestr(zipfile.ZipInfo(''), 'x')
    with pytest.raises(ValueError, match='cannot be unpacked|holds 2 files') as refusal:
        read(path, release)
    assert '\n' not in str(refusal.value)


def test_an_empty_separator_gets_one_sentence():
    frame = pd.DataFrame({'y': [0, 1], 'tags': ['a|b', 'a']})
    with pytest.raises(ValueError, match='multi is .*give {name: what parts its values}'):
        d2l.read(frame, label='y', categories=[], numbers=[], multi={'tags': ''})


def test_an_empty_separator_of_cells_gets_one_sentence(tmp_path):
    (tmp_path / 'log.csv').write_text(CLICKS)
    for sep in ('', 3, b','):
        with pytest.raises(ValueError, match='sep is .*: give the text that parts the cells'):
            d2l.read(tmp_path / 'log.csv', label='y', sep=sep)
