"""A file is written whole, or what stood there stays and nothing is left over."""

from d2lrec.files import atomic_write

import pytest


@pytest.mark.parametrize('mode, old, new', [('w', 'old', '새 것'), ('wb', b'old', b'new')])
def test_a_file_appears_at_the_end(tmp_path, mode, old, new):
    path = tmp_path / 'file'
    read = path.read_bytes if 'b' in mode else lambda: path.read_text(encoding='utf-8')
    path.write_bytes(b'old')
    with atomic_write(path, mode) as file:
        file.write(new)
        file.flush()
        assert read() == old
    assert read() == new and list(tmp_path.iterdir()) == [path]


def test_what_stood_there_survives_a_failure(tmp_path):
    path = tmp_path / 'file'
    path.write_text('old')
    with pytest.raises(KeyError), atomic_write(path) as file:
        file.write('half')
        raise KeyError
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
