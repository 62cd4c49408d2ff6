"""Over MXNet's parameter server: the same weights, the bytes of a step, the steps of a second.

    OMP_NUM_THREADS=1 python benchmarks/servers.py [--out FILE]

FM with 8 factors on planted ids, four fields, batches of 1,024 rows, SGD, `dist_sync`, all
processes on this machine. Tables travel by touched rows, and whole; one worker and one server, then
two and two. Each table is compared with that of `fit` in one process on the same batches.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
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


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, nargs='+', default=[10**4, 10**5, 10**6])
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2])
    parser.add_argument('--out')
    parser.add_argument('--worker', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.worker:
        worker(args.worker, args.rows)
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
