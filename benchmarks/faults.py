"""Faults put in the library's way, and what came of each: a table.

    python benchmarks/faults.py > benchmarks/results/faults.md

Servers that lie, break off, drip and never end; archives that were made to do harm; disks that
fill up, caches that cannot be written or read, processes that fetch at once or are killed; weights
that stop being numbers and interruptions in the middle of training. Of each fault the outcome is
one of: right (what was asked for, to the last bit), refused (one sentence, what stood there before
is whole), or lost (something wrong was taken, an error of another kind, a file left over).

Everything happens on this machine, on loopback and in temporary folders.
"""

import argparse
import ast
import contextlib
import functools
import gzip
import hashlib
import io
import os
import random
import resource
import signal
import socket
import struct
import sys
import tarfile
import tempfile
import threading
import time
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import d2lrec as d2l
from d2lrec.data import hub, transfer
from d2lrec.data.archive_files import extract
from d2lrec.weights import copy_weights

import mxnet as mx
import numpy as np
from mxnet import gluon

FILES = {'made/train.csv': b'1\ta\n' * 50, 'made/test.csv': b'0\tb\n'}
RIGHT, REFUSED, LOST = 'right', 'refused', 'lost'


def zipped(files):
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of names that come twice
        with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as file:
            for name, content in files:
                file.writestr(name, content)
    return buffer.getvalue()


GOOD = zipped(FILES.items())


def outcome(act, is_right, clean=lambda: True):
    """What comes of `act()`: right, refused or lost; a reason where it is lost."""
    try:
        found = act()
    except (ValueError, OSError) as error:
        if '\n' in str(error):
            return LOST, f'several lines: {error}'
        return (REFUSED, '') if clean() else (LOST, f'left over after: {error}')
    except BaseException as error:
        return LOST, f'{type(error).__name__}: {error}'
    if not is_right(found):
        return LOST, 'something wrong was taken'
    return (RIGHT, '') if clean() else (LOST, 'something is left over')


# --- servers


def answer(status=200, body=GOOD, length=True, close=False, **headers):
    def give(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace('_', '-'), value)
        if length is not None:
            handler.send_header('Content-Length', str(len(body) if length is True else length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return give


def raw(text):
    return lambda handler: handler.wfile.write(text)


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    handler.connection.close()


def stalled(head):
    def give(handler):
        handler.wfile.write(head)
        handler.wfile.flush()
        time.sleep(1.5)

    return give


def dripping(text):
    def give(handler):
        for i in range(min(len(text), 150)):
            handler.wfile.write(text[i : i + 1])
            handler.wfile.flush()
            time.sleep(0.02)

    return give


def endless(status=200, **headers):
    def give(handler):
        answer(status, b'', None, **headers)(handler)
        for _ in range(500):
            handler.wfile.write(b'x' * 65536)

    return give


def servers():
    """name: what the server does at each question, the first of them last."""
    head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(GOOD)
    wrong = bytes([*GOOD[:40], GOOD[40] ^ 1, *GOOD[41:]])
    on = functools.partial(answer, 302, b'')
    misbehaviours = {
        'as it should': [answer()],
        '503 once': [answer(503), answer()],
        '500 twice': [answer(500), answer(500), answer()],
        '502 for ever': [answer(502)] * 9,
        '404': [answer(404)],
        '403 with the file': [answer(403)],
        '204': [answer(204, b'')],
        '206': [answer(206)],
        '304': [answer(304, b'')],
        'a page in place of the file': [answer(body=b'<html>Log in</html>')],
        'nothing': [answer(body=b'')],
        'one bit wrong': [answer(body=wrong)],
        'too long': [answer(body=GOOD + b'x')],
        'too short, as declared': [answer(body=GOOD[:-9])],
        'shorter than declared': [answer(body=GOOD[:-9], length=len(GOOD))] * 9,
        'shorter once': [answer(body=GOOD[:50], length=len(GOOD)), answer()],
        'longer than declared': [answer(length=len(GOOD) - 9)],
        'without a length': [answer(length=None)],
        'a length of nonsense': [answer(length='many')],
        'a length below 0': [answer(length=-5)],
        'a length of 10^30': [answer(length=10**30)],
        'too large, as declared': [answer(length=10**10)],
        'reset once': [reset, answer()],
        'reset for ever': [reset] * 9,
        'garbage': [raw(b'\x00\x01\r\n\r\n')] * 9,
        'a header of 1 MB': [raw(b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 10**6 + b'\r\n\r\n')] * 9,
        '1,000 headers': [raw(b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 1000 + b'\r\n')] * 9,
        'silence': [stalled(b'')],
        'silence after the header': [stalled(head)],
        'silence in the middle': [stalled(head + GOOD[:50])],
        'a header byte by byte': [dripping(b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 999)],
        'a body byte by byte': [dripping(head + GOOD)],
        'no end': [endless()],
        'gzip of the file': [answer(body=gzip.compress(GOOD), Content_Encoding='gzip')],
        'a bomb of gzip': [answer(body=gzip.compress(bytes(10**7)), Content_Encoding='gzip')],
        'gzip that is none': [answer(Content_Encoding='gzip')],
        'pieces with broken lengths': [
            raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n')
        ]
        * 9,
        'sent on to another path': [on(Location='/other'), answer()],
        'sent on for ever': [on(Location='/again')] * 9,
        'sent on to nowhere': [on()],
        'sent on with an endless page': [endless(302, Location='/other'), answer()],
    }
    for target in (
        'http://localhost:1/x', 'http://host.invalid/x', '//host.invalid/x', 'file:///etc/passwd',
        'ftp://127.0.0.1/x', 'http://127.0.0.1@host.invalid/x', 'http://[', 'javascript:x',
        'http://127.0.0.1.host.invalid/x', 'http://2130706433/x', 'HTTP://[::1]/x', '\\\\host\\x',
    ):  # fmt: skip
        misbehaviours[f'sent on to {target}'] = [on(Location=target)]
    return misbehaviours


@contextlib.contextmanager
def serving():
    script = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):
                (script.pop(0) if script else answer())(self)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=[0.02], daemon=True).start()
    yield f'http://127.0.0.1:{http.server_port}/made.zip', script
    http.shutdown()
    http.server_close()


def good(folder):
    return {p.name: p.read_bytes() for p in Path(folder).iterdir()} == {
        name.split('/')[1]: text for name, text in FILES.items()
    }


def tidy(cache):
    return not any(p.name.endswith(('.part', '.download')) for p in cache.iterdir())


@contextlib.contextmanager
def a_cache():
    with tempfile.TemporaryDirectory() as folder:
        os.environ['D2LREC_CACHE'] = folder
        yield Path(folder)
        del os.environ['D2LREC_CACHE']


def downloads():
    transfer.READ, transfer.TOTAL, transfer.WAIT = 0.5, 1.0, 0.01
    for name, script in servers().items():
        with serving() as (url, told), a_cache() as cache:
            told.extend(script)
            sha1 = hashlib.sha1(GOOD).hexdigest()
            hub.DATA_HUB['made'] = hub.DataSet(url, sha1, largest=1_000_000)
            with contextlib.redirect_stdout(io.StringIO()):
                what, why = outcome(lambda: hub.fetch('made'), good, lambda c=cache: tidy(c))
                told.clear()
                if what == REFUSED and not good(hub.fetch('made')):  # a good server later on
                    what, why = LOST, 'the next fetch fails'
        yield name, what, why


# --- archives


def tarred(files, mode='w', **attributes):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, text in files:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            for key, value in attributes.items():
                setattr(member, key, value)
            file.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def set_bytes(data, *changes):
    data = bytearray(data)
    for mark, offset, value in changes:
        data[data.index(mark) + offset] = value
    return bytes(data)


def archives():
    names = [
        '../x', 'a/../../x', '/x', '//x', 'C:/x', 'C:x', '..\\x', 'a\\..\\x', 'a\nb', 'a\x01b',
        'x' * 300, 'a/' * 2000 + 'x', '.', '..', './', 'a/..', 'a:b', '가' * 100, '~/x', 'CON:',
    ]  # fmt: skip
    for name in names:
        if name != '~/x':
            yield f'zip: {name[:20]!r}', zipped([(name, b'x')]), REFUSED
            yield f'tar: {name[:20]!r}', tarred([(name, b'x')]), REFUSED
    yield 'zip: a tilde', zipped([('~/x', b'x')]), RIGHT
    kinds = {'link': b'2', 'hard link': b'1', 'device': b'3', 'block': b'4', 'fifo': b'6'}
    for name, kind in {**kinds, 'sparse': b'S', 'unknown': b'V'}.items():
        yield f'tar: {name}', tarred([('x', b'')], type=kind, linkname='/etc'), None
    link = zipfile.ZipInfo('x')
    link.external_attr = 0o120777 << 16
    yield 'zip: link', zipped([(link, '/etc')]), REFUSED
    for clash in (
        [('a', b'1'), ('a', b'2')], [('a', b'1'), ('a/b', b'2')], [('a/b', b'1'), ('a', b'2')],
        [('a/b', b'1'), ('a/./b', b'2')],
    ):  # fmt: skip
        yield f'zip: {clash}', zipped(clash), REFUSED
        yield f'tar: {clash}', tarred(clash), REFUSED
    yield 'zip: 500 MB of zeros', zipped([('x', bytes(500 << 20))]), REFUSED
    yield 'tar.xz: 300 MB of zeros', tarred([('x', bytes(300 << 20))], 'w:xz'), REFUSED
    yield '20,000 entries', tarred([(f'{i}', b'') for i in range(20_000)]), REFUSED
    yield 'no entry', zipped([]), REFUSED
    yield 'no archive', b'text', REFUSED
    yield 'empty', b'', REFUSED
    yield 'zip: encrypted', set_bytes(GOOD, (b'PK\1\2', 8, 1), (b'PK\3\4', 6, 1)), REFUSED
    yield 'zip: method 99', set_bytes(GOOD, (b'PK\1\2', 10, 99), (b'PK\3\4', 8, 99)), REFUSED
    yield 'zip: checksum', set_bytes(GOOD, (b'PK\1\2', 16, 0), (b'PK\3\4', 14, 0)), REFUSED
    tar = tarred(FILES.items(), 'w:gz')
    rng = random.Random(0)
    for number in range(60):
        whole = (GOOD, tar)[number % 2]
        at = rng.randrange(len(whole))
        damaged = bytearray(whole)
        if number % 3:
            damaged[at] ^= 1 << rng.randrange(8)
        else:
            del damaged[at:]
        yield f'damage {number}', bytes(damaged), None


def extractions():
    for name, data, wanted in archives():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            (root / 'archive').write_bytes(data)
            (root / 'in').mkdir()
            what, why = outcome(
                lambda root=root: extract(root / 'archive', root / 'in'),
                lambda _: True,
                lambda root=root: sorted(os.listdir(root)) == ['archive', 'in'],
            )
            if what == RIGHT and name.startswith('damage'):
                # as it was, or it is lost; a file's name or date may have been what was hit
                texts = {p.read_bytes() for p in (root / 'in').rglob('*') if p.is_file()}
                if not texts <= set(FILES.values()):
                    what, why = LOST, 'other content was taken'
            if wanted and what not in (wanted, LOST):
                what, why = LOST, f'{what} where it should be {wanted}'
        yield name, what, why


# --- disks, users, processes


def forked(act):
    """What `act` returns, from a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            os.write(write, repr(act()).encode())
            status = 0
        except BaseException as error:
            os.write(write, repr((LOST, f'{type(error).__name__}: {error}')).encode())
        finally:
            os._exit(status)
    os.close(write)
    with open(read) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return ast.literal_eval(text) if text else (LOST, 'the process ended')


def written(kind, folder):
    """Write a file of this kind into the folder; what a reader of it then finds."""
    clicks = d2l.planted(300, [9, 7], seed=len(os.listdir(folder)))
    data = d2l.CTRDataset(clicks.frame(), min_threshold=2)
    path = folder / 'file'
    if kind == 'vocabulary':
        return data.save_vocab(path)
    if kind == 'encoder':
        return data.encoder.save(path)
    d2l.set_seed(1)
    if kind == 'model':
        net = d2l.FM(data.field_dims, 8)
        net.initialize()
        return d2l.save(net, path, data)
    parts = clicks[:200], clicks[200:]
    net = d2l.FM(clicks.field_dims, 8)
    return d2l.fit(net, *parts, batch_size=50, num_epochs=3, checkpoint=path)


def full_disks():
    """A file system that takes so many bytes and no more."""
    for kind in ('vocabulary', 'encoder', 'model', 'checkpoint'):
        for limit in (0, 1, 100, 700, 2000, 4000):

            def act(kind=kind, limit=limit):
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    if kind == 'checkpoint':
                        before = None
                    else:
                        written(kind, folder)
                        before = (folder / 'file').read_bytes()
                        if limit >= len(before):
                            return RIGHT, ''
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    old = resource.getrlimit(resource.RLIMIT_FSIZE)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))

                    def clean():
                        now = (folder / 'file').read_bytes() if before is not None else None
                        here = ['file'] if before is not None else []
                        return now == before and os.listdir(folder) == here

                    try:
                        found = outcome(lambda: written(kind, folder), lambda _: False, clean)
                    finally:
                        resource.setrlimit(resource.RLIMIT_FSIZE, old)
                    written(kind, folder)  # with room again
                    return found if os.listdir(folder) == ['file'] else (LOST, 'litter')

            yield f'{kind}, {limit} bytes', *forked(act)
    for limit in (0, 10, 150, len(GOOD) - 1):

        def fetched(limit=limit):
            with serving() as (url, _), a_cache() as cache:
                hub.DATA_HUB['made'] = (url, hashlib.sha1(GOOD).hexdigest())
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                old = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
                with contextlib.redirect_stdout(io.StringIO()):
                    found = outcome(lambda: hub.fetch('made'), good, lambda: tidy(cache))
                    resource.setrlimit(resource.RLIMIT_FSIZE, old)
                    return found if good(hub.fetch('made')) else (LOST, 'the next fetch fails')

        yield f'cache, {limit} bytes', *forked(fetched)


def users():
    """A cache that another user may only read, or not read; nobody's home."""
    if os.geteuid():
        return
    import shlex  # noqa: F401  what pooch asks for late, where Python may be root's own

    import pooch  # noqa: F401
    import requests  # noqa: F401

    for name, mode, wanted in (
        ('a full cache, read-only', 0o555, RIGHT),
        ('a full cache that may not be read', 0o700, REFUSED),
        ('an empty cache, read-only', 0o555, REFUSED),
    ):

        def act(name=name, mode=mode):
            with serving() as (url, _), a_cache() as cache:
                hub.DATA_HUB['made'] = (url, hashlib.sha1(GOOD).hexdigest())
                with contextlib.redirect_stdout(io.StringIO()):
                    if 'full' in name:
                        hub.fetch('made')
                    cache.chmod(mode)
                    os.setegid(65534)
                    os.seteuid(65534)
                    found = outcome(lambda: hub.fetch('made'), good)
                    os.seteuid(0)
                return found

        what, why = forked(act)
        yield name, *((what, why) if what == wanted else (LOST, f'{what} {why}'))

    def homeless():
        for name in ('D2LREC_CACHE', 'HOME', 'XDG_CACHE_HOME'):
            os.environ.pop(name, None)
        os.setuid(12345)
        return outcome(lambda: hub.fetch('ctr'), lambda _: False)

    yield 'no home', *forked(homeless)


def processes():
    """Several that fetch at once, and some that are killed while they do."""
    sha1 = hashlib.sha1(GOOD).hexdigest()

    def fetch():
        with contextlib.redirect_stdout(io.StringIO()):
            return outcome(lambda: hub.fetch('made'), good)

    for name in ('8 at once, an empty cache', '8 at once, a spoilt cache'):
        with serving() as (url, script), a_cache() as cache:
            hub.DATA_HUB['made'] = (url, sha1)
            if 'spoilt' in name:
                fetch()
                (cache / 'made.files/made/train.csv').write_text('spoilt')
            script.append(answer())
            script.extend([answer(500)] * 20)  # to be asked again is noticed
            children = []
            for _ in range(8):
                pid = os.fork()
                if not pid:
                    os._exit(0 if fetch()[0] == RIGHT else 1)
                children.append(pid)
            ends = [os.waitpid(pid, 0)[1] for pid in children]
        yield name, *((RIGHT, '') if not any(ends) else (LOST, f'{ends}'))
    rng = random.Random(0)
    for number in range(20):

        def slow(handler):
            answer(body=GOOD[:100], length=len(GOOD))(handler)
            handler.wfile.flush()
            time.sleep(0.02)
            handler.wfile.write(GOOD[100:])

        with serving() as (url, script), a_cache() as cache:
            hub.DATA_HUB['made'] = (url, sha1)
            script.append(slow)
            pid = os.fork()
            if not pid:
                os._exit(0 if fetch()[0] == RIGHT else 1)
            time.sleep(rng.uniform(0, 0.06))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            script.clear()
            what, why = fetch()
            if not tidy(cache):
                what, why = LOST, 'something is left over'
        yield f'killed fetch {number}', what, why


# --- training


def finite(net):
    return all(np.isfinite(a.asnumpy()).all() for a in copy_weights(net).values())


def trainings():
    """A weight that is no number any more, or Ctrl-C, at a random step."""
    clicks = d2l.planted(600, [9, 7, 5], seed=0)
    parts, rng, step = (clicks[:500], clicks[500:]), random.Random(0), gluon.Trainer.step
    for number in range(40):
        at, taken, kind = rng.randint(1, 40), [], ('nan', 'interrupt')[number % 2]

        def broken(trainer, *args, at=at, taken=taken, kind=kind):
            step(trainer, *args)
            taken.append(1)
            if len(taken) != at:
                return
            if kind == 'interrupt':
                raise KeyboardInterrupt
            weight = rng.choice([p for p in trainer._params if p.grad_req != 'null'])
            bad = rng.choice([np.nan, np.inf, -np.inf])
            weight.set_data(mx.np.full(weight.shape, bad))

        net = d2l.EmbeddingMLP([9, 7, 5], 4, [8], drop_rate=0.2)
        gluon.Trainer.step = broken
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                d2l.fit(net, *parts, batch_size=50, num_epochs=4)
            what, why = LOST, 'not noticed'
        except KeyboardInterrupt as stop:
            fits = len(stop.history) == (at - 1) // 10
            what, why = (REFUSED, '') if kind == 'interrupt' and fits else (LOST, 'history')
        except ValueError as error:
            what, why = (REFUSED, '') if kind == 'nan' else (LOST, str(error))
        finally:
            gluon.Trainer.step = step
        if not finite(net):
            what, why = LOST, 'the net is not finite'
        else:
            d2l.predict(net, parts[1])
        yield f'{kind} at step {at}', what, why


SECTIONS = {
    'servers that misbehave': downloads,
    'archives made to do harm, or damaged': extractions,
    'disks that fill up': full_disks,
    'caches of other users, no home': users,
    'fetching at once, fetches killed': processes,
    'weights that are no numbers, Ctrl-C': trainings,  # the last: what forks has to come before
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--sections', nargs='+', default=list(SECTIONS), choices=list(SECTIONS))
    options = parser.parse_args(arguments)
    warnings.simplefilter('ignore')
    print('| faults | injected | right all the same | refused in a sentence | lost |')
    print('|---|---|---|---|---|')
    total, lost = [], 0
    for section in options.sections:
        rows = []
        for name, what, why in SECTIONS[section]():
            rows.append(what)
            if what == LOST:
                print(f'{section}: {name}: {why}', file=sys.stderr)
        total += rows
        numbers = ' | '.join(str(rows.count(w)) for w in (RIGHT, REFUSED, LOST))
        print(f'| {section} | {len(rows)} | {numbers} |', flush=True)
    lost = total.count(LOST)
    print(f'| **all** | {len(total)} | {total.count(RIGHT)} | {total.count(REFUSED)} | {lost} |')
    return lost


if __name__ == '__main__':
    sys.exit(1 if main() else 0)
