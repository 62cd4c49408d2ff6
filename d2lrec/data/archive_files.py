"""Zip and tar files: extracted only where they are safe and sound, and sealed afterwards."""

from __future__ import annotations

import errno
import hashlib
import json
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, Optional, Union

__all__ = ['DataUnavailable', 'extract', 'file_hash', 'is_complete', 'seal']

MOST_ENTRIES = 10_000
MOST_BYTES = 8 << 30  # of all files extracted
RATIO, RATIO_FROM = (
    200,
    100 << 20,
)  # at most so many times the archive's size, from so many bytes on
LIFT = 'D2LREC_MOST_UNPACKED'  # of the environment: the bytes that are allowed instead
DEEPEST = 100  # folders within folders
LONGEST_NAME = 255  # bytes, of each part of a path: what file systems take
BLOCK = 1 << 20
SEAL = '.sha256.json'
# What the libraries raise of a damaged archive.
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,  # with NotImplementedError: a compression unknown here
    ValueError,
    OverflowError,
)

PathLike = Union[str, 'os.PathLike[str]']


class DataUnavailable(OSError):
    """No source of a data set answered with the right file, or the cache cannot keep it.

    Examples
    --------
    >>> issubclass(DataUnavailable, OSError)
    True
    """


def extract(archive: PathLike, folder: PathLike) -> None:
    """Extract a zip or tar file into a folder that has none of its files yet.

    Whatever its entries say is checked before anything is written.

    Raises
    ------
    ValueError
        For links, devices, sparse files, and entries that lead outside `folder`; for names that
        come twice, are both a file and a folder, or are too long; for more entries or bytes than
        a data set has; for a damaged, encrypted or empty archive, or a file that is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = Path(folder, 'made.zip')
    ...     with zipfile.ZipFile(archive, 'w') as file:
    ...         file.writestr('made/train.csv', 'text')
    ...     extract(archive, folder)
    ...     Path(folder, 'made', 'train.csv').read_text()
    'text'
    """
    archive, folder = Path(archive), Path(folder).resolve()
    with _opened(archive) as entries:
        checked = list(_checked(archive, entries))
        if all(entry.is_folder for entry in checked):
            raise ValueError(f'{archive} holds no file: remove it.')
        for entry in checked:
            _write(archive, folder, entry)


def copy_member(
    archive: zipfile.ZipFile, path: PathLike, member: zipfile.ZipInfo, target: IO[bytes]
) -> None:
    """Unpack one file of a zip archive into an open file, within the limits of `extract`.

    Raises
    ------
    ValueError
        For what is encrypted, damaged, or larger than a file of the archive's size may be.
    """
    most = most_unpacked(path, MOST_BYTES)
    if member.flag_bits & 1:
        raise ValueError(f'{path} cannot be unpacked: {member.filename!r} is encrypted.')
    if member.file_size > most:
        raise ValueError(too_large(path, most))
    try:
        with archive.open(member) as source:  # which gives no more than the declared size
            while block := source.read(BLOCK):
                target.write(block)
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = ' '.join(str(error).split()) or 'it ends too early'
        raise ValueError(f'{path} cannot be unpacked: {reason}.') from None


def most_unpacked(path: PathLike, most: float = float('inf')) -> int:
    """How many bytes a compressed file may hold: 200 times its size, or 100 MB where that is more.

    And no more than `most`. The environment's D2LREC_MOST_UNPACKED, a number of bytes, is taken
    instead where it is set.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, 'x.gz').write_bytes(b'x' * 1_000_000)
    ...     most_unpacked(Path(folder, 'x.gz'))
    200000000
    """
    if LIFT not in os.environ:
        return int(min(most, max(RATIO_FROM, RATIO * os.path.getsize(path))))
    try:
        lifted = float(os.environ[LIFT])
        if lifted >= 0:
            return int(min(lifted, 1 << 62))
    except ValueError:
        pass
    raise ValueError(
        f'{LIFT} is {os.environ[LIFT]!r}: set it to a number of bytes, such as 20e9, or not at all.'
    )


def too_large(path: PathLike, most: int) -> str:
    """What is said of a compressed file that holds more than it may."""
    return (
        f'{path} cannot be unpacked: it holds more than the {most:,} bytes that a file of its size '
        f'may; where you trust it, set {LIFT} to the bytes that it may hold.'
    )


class _Entry(NamedTuple):
    name: str
    is_folder: bool
    size: int
    fault: str  # what makes it unsafe, or ''
    open: Callable[[], IO[bytes]]


@contextmanager
def _opened(archive):
    """The entries of an archive, which is closed again at the end."""
    with open(archive, 'rb') as file:
        is_zip = file.read(2) == b'PK'
    with _reading(archive):
        is_tar = not is_zip and tarfile.is_tarfile(archive)
    if not is_zip and not is_tar:
        raise ValueError(f'{archive} is neither a zip nor a tar file: remove it.')
    with _reading(archive):
        file = zipfile.ZipFile(archive) if is_zip else tarfile.open(archive)
    with file:
        yield _zip_entries(file) if is_zip else _tar_entries(file)


def _zip_entries(file: zipfile.ZipFile) -> Iterator[_Entry]:
    for member in file.infolist():
        plain = member.is_dir() or stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
        fault = 'encrypted' if member.flag_bits & 1 else '' if plain else 'unsafe'
        opened = partial(file.open, member)
        yield _Entry(member.filename, member.is_dir(), member.file_size, fault, opened)


def _tar_entries(file: tarfile.TarFile) -> Iterator[_Entry]:
    for member in file:
        plain = member.isfile() or member.isdir()
        fault = 'sparse' if member.issparse() else '' if plain else 'unsafe'
        opened = partial(file.extractfile, member)
        yield _Entry(member.name, member.isdir(), member.size, fault, opened)
    left = (
        RATIO_FROM  # gzip and bz2 compare their checksums at the very end, which tar never asks for
    )
    while left > 0 and (block := file.fileobj.read(BLOCK)):
        left -= len(block)


def _checked(archive, entries):
    """The entries, each after its check; stops at the first that breaks a rule."""
    most = most_unpacked(archive, MOST_BYTES)
    files, folders, total, number = set(), {()}, 0, 0
    while True:
        with _reading(archive):
            entry = next(entries, None)
        if entry is None:
            return
        number, total = number + 1, total + entry.size
        if number > MOST_ENTRIES:
            raise ValueError(f'{archive} holds more than {MOST_ENTRIES:,} entries: do not use it.')
        if total > most:
            raise ValueError(too_large(archive, most))
        parts = _parts(archive, entry)
        above = {parts[:depth] for depth in range(len(parts))}
        if parts in files or above & files or not entry.is_folder and parts in folders:
            raise ValueError(f'{archive} holds {entry.name!r} twice: do not use this file.')
        folders |= above
        (folders if entry.is_folder else files).add(parts)
        yield entry


def _parts(archive, entry):
    """The folders and the name of an entry, inside the folder that is extracted to."""
    name, path = entry.name, PurePosixPath(entry.name)
    unsafe = path.is_absolute() or '..' in path.parts or re.search(r'[\\:\x00-\x1f]', name)
    if unsafe or not path.parts and not entry.is_folder:
        raise ValueError(f'{archive} holds the unsafe entry {name!r}: do not use this file.')
    if entry.fault:
        raise ValueError(f'{archive} holds the {entry.fault} entry {name!r}: do not use this file.')
    if any(len(part.encode('utf-8', 'surrogatepass')) > LONGEST_NAME for part in path.parts):
        raise ValueError(
            f'{archive} holds an entry with a name of over {LONGEST_NAME} bytes, '
            f'{name[:40]!r}...: do not use this file.'
        )
    if len(path.parts) > DEEPEST:
        raise ValueError(
            f'{archive} holds an entry over {DEEPEST} folders deep, {name[:40]!r}...: do not use '
            'this file.'
        )
    return path.parts


def _write(archive, folder, entry):
    target, left = folder / entry.name, entry.size
    try:
        (target if entry.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        if entry.is_folder:
            return
        with _reading(archive, entry.name):
            source = entry.open()
        with source, open(target, 'xb') as file:
            while True:
                with _reading(archive, entry.name):
                    block = source.read(BLOCK)
                left -= len(block)
                if left < 0 or left and not block:
                    raise ValueError(_damaged(archive, f'{entry.name!r} has not its size'))
                if not block:
                    return
                file.write(block)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):  # A.csv and a.csv on a Mac
        raise ValueError(f'{archive} holds {entry.name!r} twice: do not use this file.') from None


@contextmanager
def _reading(archive, name=''):
    """What is wrong with a damaged archive, in one sentence, whichever library finds it."""
    try:
        yield
    except OSError as error:  # of bz2 and gzip, or a place before the beginning of the file
        if error.errno not in (None, errno.EINVAL):
            raise
        raise ValueError(_damaged(archive, error, name)) from None
    except DAMAGED as error:
        raise ValueError(_damaged(archive, error, name)) from None


def _damaged(archive, reason, name=''):
    reason = ' '.join(str(reason).split()) or 'it ends too early'
    at = f' at {name!r}' if name and name not in reason else ''
    return f'{archive} is damaged{at} ({reason}): remove it.'


def file_hash(path: PathLike, kind: str = 'sha256') -> str:
    """The hash of a file, in hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, 'x').write_bytes(b'')
    ...     file_hash(Path(folder, 'x'), 'sha1')[:8]
    'da39a3ee'
    """
    digest = hashlib.new(kind)
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def seal(root: PathLike) -> None:
    """Write the hashes of all files below `root` beside them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, 'x').write_text('as it was')
    ...     seal(folder)
    ...     before = is_complete(folder)
    ...     size = Path(folder, 'x').write_text('spoilt')
    ...     before, is_complete(folder)
    (True, False)
    """
    root = Path(root)
    hashes = {
        path.relative_to(root).as_posix(): file_hash(path)
        for path in sorted(root.rglob('*'))
        if path.is_file() and path.name != SEAL
    }
    (root / SEAL).write_text(json.dumps(hashes), encoding='utf-8')


def is_complete(root: PathLike, known: Optional[Mapping[str, str]] = None) -> bool:
    """Whether every file that was sealed below `root` is there as it was.

    Parameters
    ----------
    known : dict {path below root: sha256}, optional
        Files whose true hashes are known: a seal can be changed along with the files.

    Raises
    ------
    PermissionError
        Where a file is there but may not be read.

    Examples
    --------
    >>> is_complete('/no such folder')
    False
    """
    root = Path(root)
    try:
        sealed = json.loads((root / SEAL).read_text(encoding='utf-8'))
        if not _is_seal(sealed):
            return False
        wanted = [*sealed.items(), *(known or {}).items()]
        return all(file_hash(root / path) == digest for path, digest in wanted)
    except PermissionError:
        raise
    except (OSError, ValueError, RecursionError):
        return False


def _is_seal(sealed):
    return (
        isinstance(sealed, dict)
        and bool(sealed)
        and all(
            isinstance(digest, str)
            and re.fullmatch('[0-9a-f]{64}', digest)
            and not PurePosixPath(path).is_absolute()
            and '..' not in PurePosixPath(path).parts
            for path, digest in sealed.items()
        )
    )
