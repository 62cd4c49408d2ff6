"""One file from one address: within limits of time and of size, over https all the way.

It is not left to pooch, whose downloader follows an address anywhere, writes whatever comes until
it ends, waits for ever where bytes come one by one, and does not try again.
"""

from __future__ import annotations

import queue
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from .archive_files import DataUnavailable

__all__ = ['LARGEST', 'download_file', 'is_safe']

CONNECT, READ = 6, 30  # seconds to wait for a connection, and for the next bytes
TOTAL = 1800  # seconds for a file, with all tries
TRIES, WAIT = 3, 1.0  # tries of one address; seconds before the second, twice that before the next
REDIRECTS = 5
#: The largest file that is fetched, in bytes.
LARGEST = 1 << 30
PIECE = 1 << 16


def is_safe(url: str, of_loopback: bool = True) -> bool:
    """Whether an address is https, or http on this very machine where that is allowed.

    Examples
    --------
    >>> is_safe('https://host/x'), is_safe('http://host/x'), is_safe('http://127.0.0.1:8000/x')
    (True, False, True)
    """
    address = urlsplit(url)
    if address.scheme == 'http':
        return of_loopback and address.hostname == '127.0.0.1'
    return address.scheme == 'https' and bool(address.hostname)


class _Again(DataUnavailable):
    """What may go better at the next try."""


def download_file(url: str, target: Path, largest: int = LARGEST) -> None:
    """Write the file of an address to `target`, instead of what stood there.

    A broken connection and an answer of 500 or above are tried again. An address on 127.0.0.1 may
    do without https, and may send on to this machine alone without it.

    Raises
    ------
    DataUnavailable
        In one clause: what stood in the way.

    Examples
    --------
    >>> download_file('ftp://host/made.zip', Path('made.zip'))
    Traceback (most recent call last):
    ...
    d2lrec.data.archive_files.DataUnavailable: ftp://host/made.zip is not https
    """
    if not is_safe(url):
        raise DataUnavailable(f'{url} is not https')
    end = time.monotonic() + TOTAL
    for number in range(1, TRIES + 1):
        target.unlink(missing_ok=True)
        try:
            with open(target, 'xb') as file:  # never through a link that somebody laid there
                return _receive(url, file, target.stem, largest, end)
        except _Again as reason:
            pause = WAIT * 2 ** (number - 1)
            if number == TRIES or time.monotonic() + pause > end:
                raise DataUnavailable(*reason.args) from None
            time.sleep(pause)


def _receive(url: str, file: IO[bytes], name: str, largest: int, end: float) -> None:
    """One try: write the body as it comes, within the limits of bytes and of time."""
    host, received, bar = urlsplit(url).hostname, 0, None
    pieces = _pieces(url, end)
    try:
        declared = next(pieces)
        if declared is not None and declared > largest:
            raise DataUnavailable(
                f'{host} has a file of {declared:,} bytes, over the limit of {largest:,}'
            )
        bar = _progress(name, declared)
        for piece in pieces:
            received += len(piece)
            if received > largest:
                raise DataUnavailable(f'{host} sends more than the limit of {largest:,} bytes')
            file.write(piece)
            bar.update(len(piece))
        if declared is not None and received < declared:
            raise _Again(f'{host} broke off after {received:,} of {declared:,} bytes')
    finally:
        pieces.close()
        if bar is not None:
            bar.close()


def _progress(name, declared):
    """A bar with the file's name, where a terminal or a notebook shows one."""
    from tqdm import tqdm

    shell = sys.modules['IPython'].get_ipython() if 'IPython' in sys.modules else None
    shown = sys.stderr.isatty() or type(shell).__name__ == 'ZMQInteractiveShell'
    return tqdm(desc=name, total=declared, unit='B', unit_scale=True, disable=not shown)


def _pieces(url: str, end: float) -> Iterator[Any]:
    """First the declared size (or None), then the body of an address piece by piece.

    A thread of its own receives it: the time-outs of a connection count from byte to byte, so
    that one byte every 29 seconds would hold us for years. At the end of our time it is left
    alone, and ends with its connection.
    """
    pieces: queue.Queue = queue.Queue(16)
    gone = threading.Event()

    def put(piece):
        while not gone.is_set():
            try:
                return pieces.put(piece, timeout=0.2)
            except queue.Full:
                pass
        raise _NobodyListens

    def receive():
        try:
            try:
                with _answer(url) as response:
                    size = response.headers.get('Content-Length', '')
                    plain = 'Content-Encoding' not in response.headers
                    put(int(size) if plain and re.fullmatch('[0-9]{1,18}', size) else None)
                    for piece in response.iter_content(PIECE):
                        put(piece)
                put(StopIteration())
            except Exception as error:
                put(_told(error, urlsplit(url).hostname))
        except _NobodyListens:
            pass

    threading.Thread(target=receive, daemon=True).start()
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                host = urlsplit(url).hostname
                raise DataUnavailable(
                    f'{host} did not send the whole file in {TOTAL:g} s'
                ) from None
            if isinstance(piece, StopIteration):
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        gone.set()


class _NobodyListens(BaseException):
    pass


@contextmanager
def _answer(url):
    """The answer 200 of an address, after redirects, each of which is looked at first."""
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, _):
            return None  # requests would look at the target and read the answer's whole body

    of_loopback = urlsplit(url).hostname == '127.0.0.1'
    with Session() as session:
        for _ in range(REDIRECTS + 1):
            host = urlsplit(url).hostname
            with session.get(
                url,
                stream=True,
                timeout=(CONNECT, READ),
                allow_redirects=False,
                headers={'Accept-Encoding': 'identity'},
            ) as response:
                status = response.status_code
                target = requests.Session.get_redirect_target(session, response)
                if status == 200:
                    yield response
                    return
            if not target:
                kind = _Again if status >= 500 else DataUnavailable
                raise kind(f'{host} answered {status}')
            try:
                url = urljoin(url, target)
                safe = is_safe(url, of_loopback)
            except ValueError:
                safe = False
            if not safe:
                raise DataUnavailable(f'{host} sends on to {target[:200]!r}, which is not https')
        raise DataUnavailable(f'{host} sends on more than {REDIRECTS} times')


def _told(error, host):
    """A failure of the connection as a DataUnavailable that says what happened."""
    if isinstance(error, DataUnavailable):
        return error
    from requests import exceptions

    causes = list(_causes(error))
    words = ' '.join(map(str, causes)).lower()

    def is_a(*kinds):
        return any(isinstance(cause, kinds) for cause in causes)

    if isinstance(error, exceptions.ContentDecodingError):
        return DataUnavailable(f'{host} sent what cannot be decoded')
    if isinstance(error, exceptions.ProxyError):
        return DataUnavailable(f'the proxy does not let through to {host}')
    if isinstance(error, exceptions.SSLError):
        what = 'its certificate is not trusted' if 'certificate' in words else 'TLS failed'
        return DataUnavailable(f'{host} gives no secure connection: {what}')
    if is_a(exceptions.Timeout, socket.timeout) or 'timed out' in words:
        return DataUnavailable(f'{host} did not answer in time')
    if is_a(socket.gaierror) or 'resolve' in words:
        return DataUnavailable(f'{host} is not known here: is there a network?')
    if is_a(ConnectionRefusedError):
        return DataUnavailable(f'{host} refused the connection')
    if is_a(ConnectionError, exceptions.ChunkedEncodingError, exceptions.ConnectionError):
        return _Again(f'{host} broke off the connection')
    return DataUnavailable(f'{host} cannot be read ({" ".join(str(error).split())[:200]})')


def _causes(error):
    """An error and all that it was raised from or holds; libraries wrap them many times."""
    found = [error]
    for cause in found:
        inner = [cause.__cause__, cause.__context__, getattr(cause, 'reason', None), *cause.args]
        found += [e for e in inner if isinstance(e, BaseException) and e not in found]
    return found
