"""A text in bytes, some whole lines at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

__all__ = ['MARK', 'last_end', 'whole_lines']

#: The mark of UTF-8, which some programs write in front of a text.
MARK = b'\xef\xbb\xbf'


def whole_lines(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, bool]]:
    """(lines, whether they are the last) of a text of which so many bytes are read at a time.

    The mark of UTF-8 in front is left out; a second one, or one later on, is text.

    Examples
    --------
    >>> import io
    >>> [*whole_lines(io.BytesIO(b'one\\ntwo\\nthree'), 6)]
    [(b'one\\n', False), (b'two\\n', False), (b'three', True)]
    """
    read, parts = stream.read(size), []
    read = read[len(MARK) :] if read.startswith(MARK) else read
    while read:
        following = stream.read(size)
        cut = last_end(read) if following else len(read)
        if cut:
            whole = cut == len(read) and not parts
            yield read if whole else b''.join([*parts, memoryview(read)[:cut]]), not following
            parts = []
        parts.append(read[cut:])
        read = following


def last_end(text: bytes) -> int:
    """Behind the last whole line of a text that goes on; 0 where there is none.

    Lines may end by a CR alone; one at the very end may be half a CR LF.

    Examples
    --------
    >>> last_end(b'one\\ntwo'), last_end(b'one\\rtwo\\r'), last_end(b'one')
    (4, 4, 0)
    """
    return text.rfind(b'\n') + 1 or text.rfind(b'\r', 0, len(text) - 1) + 1
