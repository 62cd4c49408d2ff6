"""Files that are written whole or not at all."""

import os
from contextlib import contextmanager

__all__ = ['written_whole']


@contextmanager
def written_whole(path, mode='w'):
    """Open a file to write (text in UTF-8, or bytes for mode 'wb') that becomes `path` at the end.

    Until then it has a name of its own beside `path`; where writing fails, it goes away again and
    what stood at `path` stays.
    """
    unfinished = f'{os.fspath(path)}.{os.getpid()}.part'
    try:
        with open(unfinished, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)
