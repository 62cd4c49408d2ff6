"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Union

from .arguments import check_path

__all__ = ['atomic_write', 'check_writable']


@contextmanager
def atomic_write(path: Union[str, os.PathLike], mode: str = 'w') -> Iterator[IO]:
    """Open a file to write (text in UTF-8, or bytes for mode 'wb') that becomes `path` at the end.

    Until then it has a fresh name of its own beside `path`; where writing fails, it goes away
    again and what stood at `path` stays. A link is followed, and the permissions of what stood
    there are kept. What dead runs left beside `path` is removed.

    Examples
    --------
    >>> path = os.path.join(tempfile.mkdtemp(), 'words.txt')
    >>> with atomic_write(path) as file:
    ...     written = file.write('whole')
    >>> open(path).read()
    'whole'
    """
    target = Path(os.path.realpath(os.fspath(path)))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    _remove_leftovers(target)
    handle, unfinished = _unfinished(target)
    try:
        with open(handle, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, _permissions(target))
        os.replace(unfinished, target)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def check_writable(path: Union[str, os.PathLike]) -> None:
    """Refuse a path at which no file can be written, before there is anything to write.

    Examples
    --------
    >>> check_writable('/no such folder/model')
    Traceback (most recent call last):
    ...
    ValueError: /no such folder/model cannot be written: there is no folder /no such folder.
    """
    path = check_path(path)
    try:
        target = Path(os.path.realpath(path))
        there = target.exists()
    except (ValueError, OSError) as error:  # a NUL, a name that is too long, links in a circle
        reason = getattr(error, 'strerror', None) or str(error)
        raise ValueError(f'{str(path)[:80]!r} cannot be written: {reason}.') from None
    if target.is_symlink():
        reason = 'its links lead in a circle'
    elif target.is_dir():
        reason = 'it is a folder'
    elif not target.parent.is_dir():
        reason = f'there is no folder {target.parent}'
    elif not os.access(target.parent, os.W_OK):
        reason = f'the folder {target.parent} is read-only'
    elif there and not target.is_file():
        reason = 'what stands there is no file'
    else:
        try:
            handle, probe = _unfinished(target)
        except OSError as error:  # a quota, a name that is too long with what is added to it
            reason = error.strerror or str(error)
        else:
            os.close(handle)
            os.remove(probe)
            return
    raise ValueError(f'{path} cannot be written: {reason}.')


def _unfinished(target):
    """A fresh file beside the target that nobody else can have laid there: handle and path."""
    name = f'.{target.name}.{os.getpid()}-'
    return tempfile.mkstemp(prefix=name, suffix='.part', dir=target.parent)


def _permissions(target):
    """Those of the file that is replaced, else what any new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _remove_leftovers(target):
    """Unfinished files of processes that are gone."""
    name = re.compile(rf'\.{re.escape(target.name)}\.(\d+)-\w+\.part')
    for path in target.parent.glob(f'.{glob.escape(target.name)}.*.part'):
        found = name.fullmatch(path.name)
        if found and not _alive(int(found[1])):
            path.unlink(missing_ok=True)


def _alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
