"""An archive of facts and arrays: what models and checkpoints are written as.

A zip archive of `facts.json` and arrays in NumPy's format, stored, not compressed; `numpy.load`
opens it too. Nothing in it is code, and nothing is unpickled.
"""

from __future__ import annotations

import ast
import json
import os
import zipfile
from collections.abc import Mapping

import numpy as np

from ..arguments import check_path
from ..files import atomic_write

KINDS = 'biuf'  # of arrays: booleans, whole numbers, floats


def write_archive(path, facts: Mapping, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an archive, whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), 'one')
    >>> write_archive(path, {'kind': 'example'}, {'a': np.arange(3)})
    >>> facts, arrays = read_archive(path, 'example', 'write_archive')
    >>> facts['kind'], arrays['a'].tolist()
    ('example', [0, 1, 2])
    """
    with atomic_write(path, 'wb') as file, zipfile.ZipFile(file, 'w') as archive:
        # Names stand in the facts too, which a checksum guards: none can get lost unnoticed.
        content = {**facts, 'arrays': list(arrays)}
        archive.writestr('facts.json', json.dumps(content, ensure_ascii=False))
        for name, array in arrays.items():
            with archive.open(f'{name}.npy', 'w', force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def read_archive(path, kind: str, writer: str) -> tuple[dict, dict[str, np.ndarray]]:
    """The facts and the arrays of an archive of this kind.

    What a header claims is held against the size of the file before memory is taken for it.

    Raises
    ------
    FileNotFoundError
        Where there is no file.
    ValueError
        For one that `writer` did not write, or that is damaged.
    """
    path = check_path(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} does not exist: give a file that {writer} wrote.')
    try:
        if not os.path.isfile(path):
            raise ValueError('it is no file')
        size = os.path.getsize(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                # Stored and not encrypted, as written: so no member is larger than the file.
                if member.compress_type or member.flag_bits & 1 or member.file_size > size:
                    raise ValueError(f'{member.filename} is not as it was written')
            if len({m.filename for m in members}) < len(members):
                raise ValueError('a name stands twice')
            facts = json.loads(archive.read('facts.json'))
            arrays = {
                m.filename[: -len('.npy')]: _read_array(archive, m)
                for m in members
                if m.filename.endswith('.npy')
            }
        if not isinstance(facts, dict) or facts.get('kind') != kind:
            raise ValueError('it is of another kind')
        if facts.pop('arrays', list(arrays)) != list(arrays):
            raise ValueError('an array is not there')
    except (Exception, RecursionError) as error:  # whatever a damaged file makes a reader raise
        if isinstance(error, PermissionError):
            raise
        raise ValueError(
            f'{path} is not a {kind}, or is damaged: give a file that {writer} wrote.'
        ) from None
    return facts, arrays


def _read_array(archive, member):
    """An array whose header claims no more than the member holds."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError('another version of the format')
        length = int.from_bytes(file.read(2), 'little')
        header = ast.literal_eval(file.read(length).decode('latin-1'))
        dtype, shape = np.dtype(header['descr']), header['shape']
        if dtype.kind not in KINDS or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError('no array of numbers')
        count = 1
        for n in shape:
            count *= n
        if count * dtype.itemsize != member.file_size - file.tell():
            raise ValueError('the header claims another size')
        array = np.frombuffer(file.read(count * dtype.itemsize), dtype=dtype)
        order = 'F' if header['fortran_order'] else 'C'
        return array.reshape(shape, order=order).copy()


def check_weights(path, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse weights of which one is not finite."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f'{path} holds {name}, which is not finite throughout: train and save it anew.'
            )


def same_shapes(path, what: str, mine: Mapping, theirs: Mapping) -> None:
    """Refuse weights of other names or shapes; a size still to be inferred fits any."""
    for name in [*mine, *theirs]:
        ours, other = mine.get(name, 'no such weight'), theirs.get(name, 'no such weight')
        fits = (
            name in mine
            and name in theirs
            and (
                ours is None
                or len(ours) == len(other)
                and all(a in (b, 0, -1) for a, b in zip(ours, other))
            )
        )
        if not fits:
            raise ValueError(
                f'{path} does not fit this {what}: for {name} it has {other}, the net {ours}; '
                'build the net with the same arguments, or give another path.'
            )
