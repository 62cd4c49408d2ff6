"""A file is written whole, or what stood there stays and nothing is left over."""

import os
import subprocess
import sys

from d2lrec import files
from d2lrec.files import atomic_write, check_writable

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


def test_the_unfinished_file_has_a_fresh_name_and_safe_flags(tmp_path, monkeypatch):
    """Nobody can lay a link in its way: the name is drawn, and has to be new."""
    opened, real = [], os.open

    def watched(path, flags, mode=0o777, **options):
        opened.append((os.path.basename(path), flags, mode))
        return real(path, flags, mode, **options)

    monkeypatch.setattr(os, 'open', watched)
    for _ in range(3):
        with atomic_write(tmp_path / 'file') as file:
            file.write('x')
    ours = [o for o in opened if o[0].endswith('.part')]
    assert len({name for name, *_ in ours}) == 3
    for _, flags, mode in ours:
        assert flags & os.O_CREAT and flags & os.O_EXCL and mode == 0o600
        assert flags & getattr(os, 'O_NOFOLLOW', 0) == getattr(os, 'O_NOFOLLOW', 0)


def test_it_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    order, size = [], []
    for name, act in (('fsync', os.fsync), ('replace', os.replace)):

        def noted(*args, real=act, name=name):
            order.append(name)
            if name == 'fsync':
                size.append(os.fstat(args[0]).st_size)
            return real(*args)

        monkeypatch.setattr(files.os, name, noted)
    with atomic_write(tmp_path / 'file') as file:
        file.write('x' * 100_000)
    assert order[:2] == ['fsync', 'replace'] and size[0] == 100_000


@pytest.mark.parametrize('mode', [0o600, 0o640, 0o444, 0o755])
def test_permissions_are_kept(tmp_path, mode):
    path = tmp_path / 'file'
    path.write_text('old')
    path.chmod(mode)
    with atomic_write(path) as file:
        file.write('new')
    assert path.stat().st_mode & 0o777 == mode and path.read_text() == 'new'


@pytest.mark.parametrize('mask', [0o022, 0o077])
def test_a_new_file_is_as_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / 'file') as file:
            file.write('new')
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / 'file').stat().st_mode & 0o777 == 0o666 & ~mask


def test_links_are_followed(tmp_path):
    (tmp_path / 'there').mkdir()
    target = tmp_path / 'there' / 'file'
    target.write_text('old')
    (tmp_path / 'one').symlink_to(target)
    (tmp_path / 'two').symlink_to(tmp_path / 'one')
    (tmp_path / 'new').symlink_to(tmp_path / 'there' / 'not yet')
    for name in ('two', 'new'):
        with atomic_write(tmp_path / name) as file:
            file.write(name)
        assert (tmp_path / name).is_symlink() and (tmp_path / name).read_text() == name
    assert target.read_text() == 'two'
    assert sorted(p.name for p in (tmp_path / 'there').iterdir()) == ['file', 'not yet']


def test_what_dead_runs_left_is_removed_and_nothing_else(tmp_path):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    left = [f'.file.{dead.pid}-abc.part', f'.file.{dead.pid}-x_1.part']
    others = [
        f'.file.{os.getpid()}-abc.part',  # of a run that is at work
        f'.other.{dead.pid}-abc.part',
        f'file.{dead.pid}.part',
        '.file.notes.part',
        '.file.12-a b.part',
    ]
    for name in left + others:
        (tmp_path / name).write_text('')
    (tmp_path / 'away').write_text('mine')
    os.remove(tmp_path / left[0])
    (tmp_path / left[0]).symlink_to(tmp_path / 'away')
    with atomic_write(tmp_path / 'file') as file:
        file.write('new')
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, 'away', 'file'])
    assert (tmp_path / 'away').read_text() == 'mine'


FULL = """
import resource, signal, sys, types
sys.modules['package'] = types.ModuleType('package')    # these files alone, without MXNet
sys.modules['package'].__path__ = [sys.argv[1]]
from package.files import atomic_write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_write(sys.argv[2], 'wb') as file:
        file.write(b'x' * 5000)
except OSError as error:
    print(error.strerror)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path):
    pytest.importorskip('resource')
    (tmp_path / 'file').write_text('old')
    folder = os.path.dirname(files.__file__)
    run = subprocess.run(
        [sys.executable, '-c', FULL, folder, str(tmp_path / 'file')],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.strip() == 'File too large', run.stderr
    assert [p.name for p in tmp_path.iterdir()] == ['file']
    assert (tmp_path / 'file').read_text() == 'old'


@pytest.mark.parametrize(
    'path, words',
    [
        ('', 'it is a folder'),
        ('no such/file', 'there is no folder'),
        ('file/below', 'there is no folder'),
        ('a\0b', 'give the path of a file'),
        ('x' * 300, 'File name too long'),
        ('circle', 'its links lead in a circle|Too many levels'),
        ('pipe', 'what stands there is no file'),
    ],
)
def test_where_no_file_can_be_written_one_sentence_says_so(tmp_path, path, words):
    (tmp_path / 'file').write_text('')
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'circle').symlink_to(tmp_path / 'circle')
    with pytest.raises(ValueError, match=f'(path is|cannot be written).*({words})') as refusal:
        check_writable(os.path.join(tmp_path, path))
    assert '\n' not in str(refusal.value)
