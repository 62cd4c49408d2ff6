"""Start a script on several workers beside MXNet's parameter servers::

    python -m d2lrec.launch --workers 2 --servers 2 script.py [arguments of the script]

On this machine, or with `--hosts FILE` on several, over ssh: a file of one address a line, the
first of which this machine can be reached by; servers and workers are dealt out in turn. On each
of them the same Python, the library and the script must stand at the same paths.

In the script ``d2l.fit(..., kvstore='dist_sync')`` trains over the servers. The first process that
fails or is killed ends the whole job, with a sentence and the exit code 1; where the script passes
``checkpoint=`` to `fit`, started again it goes on from there.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Optional

__all__ = ['main']

# Importing MXNet in the role of a server is being one, within that import; but the optimizers that
# servers are sent are classes of this library. So it is imported first, and the role taken after.
SERVER = (
    "import os; role = os.environ.pop('DMLC_ROLE'); import d2lrec; os.environ['DMLC_ROLE'] = role; "
    'from mxnet.kvstore import kvstore_server; kvstore_server._init_kvstore_server_module()'
)
PASSED = ('PYTHONPATH', 'PATH', 'OMP_NUM_THREADS', 'LD_LIBRARY_PATH')
GRACE = 10  # seconds that the others have to end once the first has


def free_port() -> int:
    """A port of this machine that nobody listens on.

    Examples
    --------
    >>> free_port() > 1023
    True
    """
    with socket.socket() as s:
        s.bind(('', 0))
        return s.getsockname()[1]


def processes(
    workers: int, servers: int, script: Sequence[str], hosts: Sequence[str], port: int
) -> list[tuple[str, list, dict]]:
    """(what it is called, command, environment) of each process; ssh is in the command.

    Examples
    --------
    >>> [name for name, _, _ in processes(2, 1, ['train.py'], [], 9000)]
    ['the scheduler', 'server 1', 'worker 1', 'worker 2']
    """
    root = hosts[0] if hosts else '127.0.0.1'
    shared = {
        'DMLC_PS_ROOT_URI': root,
        'DMLC_PS_ROOT_PORT': str(port),
        'DMLC_NUM_WORKER': str(workers),
        'DMLC_NUM_SERVER': str(servers),
    }
    if not hosts:
        shared['DMLC_INTERFACE'] = 'lo0' if sys.platform == 'darwin' else 'lo'
    roles = [('scheduler', 'the scheduler', root)]
    for role, count in (('server', servers), ('worker', workers)):
        for i in range(count):
            host = hosts[i % len(hosts)] if hosts else root
            roles.append((role, f'{role} {i + 1}', host))
    found = []
    for role, name, host in roles:
        command = [sys.executable, *(script if role == 'worker' else ['-c', SERVER])]
        env = {**shared, 'DMLC_ROLE': role, 'DMLC_NODE_HOST': host}
        if hosts:
            name += f' on {host}'
        if hosts and host != root:
            env.update({n: os.environ[n] for n in PASSED if n in os.environ})
            words = [f'{n}={v}' for n, v in env.items()]
            line = shlex.join(['cd', os.getcwd()]) + ' && ' + shlex.join(['env', *words, *command])
            # with a terminal, so that what runs there ends with the connection
            command, env = ['ssh', '-tt', '-o', 'BatchMode=yes', host, line], {}
        found.append((name, command, env))
    return found


def run(todo: Sequence[tuple[str, list, dict]]) -> int:
    """Run all processes until the workers are done, or one process fails; the exit code."""
    running = {
        name: subprocess.Popen(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL)
        for name, command, env in todo
    }
    try:
        return _watch(running)
    except KeyboardInterrupt:
        print('d2lrec.launch: interrupted; all processes are ended.', file=sys.stderr)
        return 130
    finally:
        for process in running.values():
            if process.poll() is None:
                process.terminate()
        for process in running.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _watch(running):
    since = None  # when the first of all others than workers ended
    while True:
        codes = {name: process.poll() for name, process in running.items()}
        failed = [name for name, code in codes.items() if code not in (None, 0)]
        # A worker that fails says goodbye to the others first: it is the one to be named.
        failed.sort(key=lambda name: not name.startswith('worker'))
        over = [n for n, code in codes.items() if code == 0 and not n.startswith('worker')]
        all_done = all(code == 0 for n, code in codes.items() if n.startswith('worker'))
        since = (since or time.monotonic()) if over or all_done else None
        waited = since is not None and time.monotonic() - since > GRACE
        if failed or (waited and not all_done):
            name = (failed or over)[0]
            ending = _ending(codes[name], ' on ' in name)
            print(
                f'd2lrec.launch: {name} {ending}, so the job is ended: see its last '
                'lines; started again, the script goes on from its checkpoint.',
                file=sys.stderr,
                flush=True,
            )
            return 1
        if all_done and (waited or None not in codes.values()):
            return 0
        time.sleep(0.1)


def _ending(code, elsewhere=False):
    if code == 0:
        return 'ended before the workers'
    if elsewhere and code == 255:
        return 'could not be reached by ssh, or was cut off'
    if elsewhere and code - 128 in set(signal.Signals):
        code = 128 - code  # as a shell says it
    if code < 0:
        return f'was killed by {signal.Signals(-code).name}'
    return f'failed with exit code {code}'


def read_hosts(path: str) -> list[str]:
    """The addresses of a host file: one a line, # begins a comment."""
    try:
        with open(path, encoding='utf-8-sig') as file:
            lines = [line.split('#')[0].strip() for line in file]
    except (OSError, UnicodeDecodeError):
        raise SystemExit(f'{path} cannot be read: give a file of one address a line.') from None
    hosts = [line for line in lines if line]
    if not hosts or any(len(h.split()) > 1 or h.startswith('-') for h in hosts):
        raise SystemExit(f'{path} is no host file: give one address a line.')
    return hosts


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command line; returns the exit code.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), 'hosts')
    >>> with open(path, 'w') as file:
    ...     _ = file.write('two words')
    >>> main(['--hosts', path, path])
    Traceback (most recent call last):
    ...
    SystemExit: ... is no host file: give one address a line.
    """
    parser = argparse.ArgumentParser(
        prog='python -m d2lrec.launch', description=__doc__.split('\n')[0]
    )
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--servers', type=int, default=1)
    parser.add_argument('--hosts', help='a file of one address a line, reached by ssh')
    parser.add_argument('--port', type=int, help='of the scheduler; by default a free one')
    parser.add_argument('script', nargs=argparse.REMAINDER, help='and its arguments')
    given = parser.parse_args(arguments)
    if not given.script or given.workers < 1 or given.servers < 1:
        parser.error('give a script, and at least one worker and one server.')
    if given.port is not None and not 1 <= given.port <= 65_535:
        parser.error(f'--port is {given.port}: give a port of this machine, 1 to 65535.')
    if not os.path.isfile(given.script[0]):
        parser.error(f'{given.script[0]} is no file: give the path of a script.')
    hosts = read_hosts(given.hosts) if given.hosts else []
    port = free_port() if given.port is None else given.port
    return run(processes(given.workers, given.servers, given.script, hosts, port))


if __name__ == '__main__':
    sys.exit(main())
