"""Archives of facts and arrays: what was written comes back; what was not is one sentence."""

import io
import json
import pickle
import struct
import zipfile

from d2lrec.saving.archive import read_archive, write_archive

import numpy as np
import pytest

FACTS = {'kind': 'thing', 'name': '이름', 'n': [1, 2.5, None]}


def read(path):
    return read_archive(path, 'thing', 'the test')


@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32', 'int64', 'uint8', 'bool'])
@pytest.mark.parametrize('shape', [(), (0,), (3,), (2, 3), (2, 0, 4)])
def test_arrays_come_back(tmp_path, dtype, shape):
    array = (np.random.default_rng(0).normal(size=shape) * 5).astype(dtype)
    turned = np.asfortranarray(array).reshape(shape)
    write_archive(tmp_path / 'a', FACTS, {'x': array, 'y/z': turned})
    facts, arrays = read(tmp_path / 'a')
    assert facts == FACTS and list(arrays) == ['x', 'y/z']
    for back in arrays.values():
        assert back.dtype == dtype and back.shape == shape and back.flags.writeable
        np.testing.assert_array_equal(back, array)
    assert np.load(tmp_path / 'a')['x'].shape == shape  # NumPy opens it too


def npy(header, data=b''):
    header = header.encode('latin-1')
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + data


class Evil:
    def __reduce__(self):
        return open, ('/tmp/d2lrec-was-here', 'w')


def archives(path):
    """name: a file that is no archive of this kind."""

    def made(members, compression=zipfile.ZIP_STORED, facts=None):
        out = io.BytesIO()
        with zipfile.ZipFile(out, 'w', compression) as archive:
            archive.writestr('facts.json', json.dumps(FACTS) if facts is None else facts)
            for name, data in members:
                archive.writestr(name, data)
        return out.getvalue()

    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    whole = made([('x.npy', npy(good, b'\0' * 8))])
    encrypted = bytearray(whole)
    for at in (whole.index(b'PK\x03\x04') + 6, whole.index(b'PK\x01\x02') + 8):
        encrypted[at] |= 1
    return {
        'empty': b'',
        'text': b'no archive',
        'half': whole[: len(whole) // 2],
        'one byte wrong': whole.replace(b'\0' * 8, b'\0' * 7 + b'\1', 1),
        'encrypted': bytes(encrypted),
        'no facts': made([], facts='').replace(b'facts.json', b'other.json'),
        'facts are a list': made([], facts='[1]'),
        'facts are deep': made([], facts='[' * 100_000),
        'another kind': made([], facts='{"kind": "else"}'),
        'compressed': made([('x.npy', npy(good, b'\0' * 8))], zipfile.ZIP_DEFLATED),
        'a bomb': made([('x.npy', b'\0' * 10_000_000)], zipfile.ZIP_DEFLATED),
        'twice': made([('x.npy', npy(good, b'\0' * 8))] * 2),
        'pickle': made([('x.npy', pickle.dumps(Evil()))]),
        'objects': made([('x.npy', npy(good.replace('<f4', '|O'), pickle.dumps([Evil()])))]),
        'more than there is': made([('x.npy', npy(good.replace('(2,)', '(999999999999,)')))]),
        'huge product': made([('x.npy', npy(good.replace('(2,)', f'{(2**40, 2**40)}')))]),
        'negative': made([('x.npy', npy(good.replace('(2,)', '(-2,)'), b'\0' * 8))]),
        'a shape of words': made([('x.npy', npy(good.replace('(2,)', "('a',)"), b'\0' * 8))]),
        'broken header': made([('x.npy', npy('{' * 50))]),
        'deep header': made([('x.npy', npy('(' * 60_000))]),
        'no dtype': made([('x.npy', npy(good.replace('<f4', '<q9'), b'\0' * 8))]),
        'version 9': made([('x.npy', b'\x93NUMPY\x09\x00' + b'\0' * 20)]),
    }


@pytest.mark.filterwarnings('ignore:Duplicate name')
@pytest.mark.parametrize('name', archives(None))
def test_anything_else_is_refused_in_a_sentence(tmp_path, name):
    path = tmp_path / 'file'
    path.write_bytes(archives(None)[name])
    with pytest.raises(
        ValueError, match='file is not a thing, or is damaged: give a file that th'
    ) as refusal:
        read(path)
    assert '\n' not in str(refusal.value)


def test_folders_and_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist: give a file that the test wrote'):
        read(tmp_path / 'none')
    with pytest.raises(ValueError, match='is not a thing'):
        read(tmp_path)


def test_natural_damage_never_comes_back_as_something_else(tmp_path):
    """A bit flipped or bytes lost: refused, or the very same arrays."""
    arrays = {'a': np.arange(50, dtype='float32'), 'b': np.ones((3, 4), 'int32')}
    write_archive(tmp_path / 'whole', FACTS, arrays)
    whole, rng, refused = (tmp_path / 'whole').read_bytes(), np.random.default_rng(0), 0
    for _ in range(300):
        data = bytearray(whole)
        at = int(rng.integers(len(data)))
        if rng.random() < 0.5:
            data[at] ^= 1 << int(rng.integers(8))
        else:
            del data[at : at + int(rng.integers(1, 9))]
        (tmp_path / 'damaged').write_bytes(bytes(data))
        try:
            facts, back = read(tmp_path / 'damaged')
        except ValueError:
            refused += 1
        else:
            assert facts == FACTS and list(back) == list(arrays)
            for name, array in arrays.items():
                np.testing.assert_array_equal(back[name], array)
    assert refused > 200
