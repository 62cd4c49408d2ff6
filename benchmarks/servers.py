"""Over MXNet's parameter server: the same weights, the bytes of a step, the steps of a second.

    OMP_NUM_THREADS=1 python benchmarks/servers.py [--out FILE]
    OMP_NUM_THREADS=1 python benchmarks/servers.py --kill

FM with 8 factors on planted ids, four fields, batches of 1,024 rows, SGD, `dist_sync`, all
processes on this machine. Tables travel by touched rows, and whole; one worker and one server, then
two and two. Each table is compared with that of `fit` in one process on the same batches. With
`--kill` a worker, then a server, is killed after an epoch of three, and the job started again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time

import d2lrec as d2l
from d2lrec.train import distributed

import numpy as np
from tables import put_out

BATCH, STEPS, FACTORS = 1024, 12, 8


def planted(rows: int):
    """Batches of ids that follow Zipf's law, and a net for them."""
    return d2l.planted(BATCH * STEPS, [rows // 4] * 4, linear=1.0, zipf=1.1, seed=0)


def fitted(rows: int, **options):
    """Weights, seconds a step and history of two epochs; the seconds are those of the second."""
    clicks = planted(rows)
    net = d2l.FM(clicks.field_dims, FACTORS)
    how = {'lr': 1.0, 'optimizer': 'sgd', 'batch_size': BATCH, 'num_epochs': 2, **options}
    history = d2l.fit(net, clicks, **how)
    return net.embedding.weight.data().asnumpy(), history['seconds'][-1] / STEPS, history


def worker(folder: str, sizes: list[int]) -> None:
    """What each worker does; the first one writes what it saw."""
    for rows in sizes:
        for by_rows in (True, False):
            distributed.ROWS = 1 if by_rows else 10**12
            weights, seconds, history = fitted(rows, kvstore='dist_sync')
            if distributed._open['store'].rank == 0:
                name = f'{folder}/{rows}-{"rows" if by_rows else "whole"}'
                np.save(name + '.npy', weights)
                with open(name + '.json', 'w', encoding='utf-8') as file:
                    json.dump({'seconds': seconds, **history.traffic}, file)


def victim(folder: str, role: str) -> None:
    """A worker that, started for the first time, kills itself or a server after an epoch."""
    distributed.ROWS, clicks = 1, planted(10_000)
    how = {'lr': 1.0, 'optimizer': 'sgd', 'batch_size': BATCH, 'kvstore': 'dist_sync',
           'checkpoint': f'{folder}/run'}  # fmt: skip
    net = d2l.FM(clicks.field_dims, FACTORS)
    if not os.path.exists(f'{folder}/killed'):
        d2l.fit(net, clicks, num_epochs=1, **how)
        if distributed._open['store'].rank:
            time.sleep(1)
            with open(f'{folder}/killed', 'w', encoding='utf-8'):
                pass
            os.kill(os.getpid() if role == 'worker' else _a_server(), signal.SIGKILL)
        time.sleep(2)
    history = d2l.fit(net, clicks, num_epochs=3, **how)
    if not distributed._open['store'].rank:
        np.save(f'{folder}/table.npy', net.embedding.weight.data().asnumpy())
        with open(f'{folder}/steps', 'w', encoding='utf-8') as file:
            file.write(str(history.traffic['steps']))


def _a_server():
    """The number of a server's process that the same launcher started."""
    parent = os.getppid()
    with open(f'/proc/{parent}/task/{parent}/children', encoding='ascii') as file:
        for child in file.read().split():
            with open(f'/proc/{child}/environ', 'rb') as environment:
                if b'DMLC_ROLE=server' in environment.read().split(b'\0'):
                    return int(child)
    raise SystemExit('no server was found')


def killed(role: str) -> str:
    """A row of the table: what is said of a process that died, and what a restart gives."""
    clicks = planted(10_000)
    alone = d2l.FM(clicks.field_dims, FACTORS)
    d2l.fit(alone, clicks, lr=1.0, optimizer='sgd', batch_size=BATCH, num_epochs=3)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'd2lrec.launch', '--workers', '2', '--servers', '2',
                   __file__, '--victim', folder, role]  # fmt: skip
        first = subprocess.run(command, capture_output=True, text=True, check=False)
        said = [x for x in first.stderr.splitlines() if x.startswith('d2lrec.launch')]
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        off = np.abs(np.load(f'{folder}/table.npy') - alone.embedding.weight.data().asnumpy()).max()
        with open(f'{folder}/steps', encoding='utf-8') as file:
            steps = file.read()
    return (
        f'| a {role} | {first.returncode} | {" ".join(said)} | {again.returncode} | {steps} of '
        f'{3 * STEPS} | {off:.0e} |'
    )


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, nargs='+', default=[10**4, 10**5, 10**6])
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--out')
    parser.add_argument('--kill', action='store_true', help='a worker and a server instead')
    parser.add_argument('--worker', help=argparse.SUPPRESS)
    parser.add_argument('--victim', nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.worker:
        worker(args.worker, args.rows)
        return
    if args.victim:
        victim(*args.victim)
        return
    if args.kill:
        lines = [
            '| killed | exit code | the sentence | of the restart | steps of the restart | off |',
            '|---|---|---|---|---|---|',
        ]
        put_out([*lines, killed('worker'), killed('server')], args.out)
        return
    lines = [
        '# Over the parameter server',
        '',
        f'FM, {FACTORS} factors, batches of {BATCH:,} rows of four fields, SGD, `dist_sync`, all '
        'processes on one machine of two cores, one thread each. "sent" and "received" are a '
        "worker's, mean of the run; \"off\" is the largest difference of a weight from one process "
        f'on the same batches. One run. Python {platform.python_version()}, {platform.machine()}. '
        'Written by `benchmarks/servers.py`.',
        '',
        '| rows of the table | workers, servers | what travels | sent a step, kB | received, kB '
        '| steps/s | of one process | off |',
        '|---|---|---|---|---|---|---|---|',
    ]  # fmt: skip
    alone = {rows: fitted(rows) for rows in args.rows}
    for count in args.processes:
        with tempfile.TemporaryDirectory() as folder:
            start = time.time()
            subprocess.run(
                [sys.executable, '-m', 'd2lrec.launch', '--workers', str(count),
                 '--servers', str(count), __file__, '--worker', folder,
                 '--rows', *map(str, args.rows)],
                check=True, env=os.environ,
            )  # fmt: skip
            print(f'{count} and {count}: {time.time() - start:.0f} s', flush=True)
            for rows in args.rows:
                for what in ('rows', 'whole'):
                    name = f'{folder}/{rows}-{what}'
                    with open(name + '.json', encoding='utf-8') as file:
                        facts = json.load(file)
                    off = np.abs(np.load(name + '.npy') - alone[rows][0]).max()
                    lines.append(
                        f'| {rows:,} | {count}, {count} | {what} | '
                        f'{facts["sent a step"] / 1e3:,.0f} | '
                        f'{facts["received a step"] / 1e3:,.0f} | {1 / facts["seconds"]:.1f} | '
                        f'{1 / alone[rows][1]:.1f} | {off:.0e} |'
                    )
    put_out(lines, args.out)


if __name__ == '__main__':
    main()
