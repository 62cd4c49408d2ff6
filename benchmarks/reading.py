"""Reading and encoding a log of clicks, against pandas.read_csv of the same file.

    python benchmarks/reading.py [--rows 1000000] [--rounds 5] [--threads 1] [--out FILE]

The file is planted: a label and 34 columns with tabs between, without a header, as in the original
chapters: 20 of hashed words, 10 of whole numbers and 4 of decimals, of 10 to 200,000 distinct
values, Zipf-like. In one process the ways take turns; the median of the rounds counts, after a turn
of each that does not count: numba's loops are loaded in it. Ours are measured with these loops and
without. Peak memory is that of a process of its own which does nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import d2lrec as d2l
from d2lrec.data import plain

import numpy as np
import pandas as pd
import pyarrow as pa
from tables import put_out

COLUMNS = [f'c{i}' for i in range(34)]
NUMBERS = COLUMNS[30:]


def write_log(path: str, rows: int, seed: int = 0) -> None:
    """A file of `rows` lines: label and 34 cells, with tabs between."""
    rng = np.random.default_rng(seed)
    sizes = np.geomspace(10, 200_000, 30).astype(int)
    rng.shuffle(sizes)
    with open(path, 'w') as file:
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            columns = [rng.integers(0, 2, count)]
            for i, size in enumerate(sizes):
                values = (size * rng.random(count) ** 3).astype(int)
                if i < 20:
                    words = np.array([f'{v * 2654435761 % 2**32:08x}' for v in range(size)])
                    columns.append(words[values])
                else:
                    columns.append(values)
            columns += [rng.gamma(2, 10, count).round(2) for _ in NUMBERS]
            frame = pd.DataFrame(dict(zip(['label', *COLUMNS], columns)))
            frame.to_csv(file, sep='\t', header=False, index=False)


def by_pandas(path):
    """The file as a frame, nothing encoded."""
    return pd.read_csv(path, sep='\t', header=None)


def by_pandas_arrow(path):
    """The same by pandas' engine of pyarrow."""
    return pd.read_csv(path, sep='\t', header=None, engine='pyarrow')


def by_read(path):
    """`d2l.read`, nothing encoded."""
    return d2l.read(
        path, names=['label', *COLUMNS], label='label', categories=COLUMNS[:30], numbers=NUMBERS
    )


def by_dataset(path):
    """`d2l.read(...).dataset()`: read, the vocabulary and intervals fitted, all encoded."""
    return by_read(path).dataset()


def by_words(path):
    """All 34 as categories, read, fitted and encoded."""
    return d2l.read(
        path, names=['label', *COLUMNS], label='label', categories=COLUMNS, numbers=[]
    ).dataset()


def by_ctr_dataset(path):
    """`d2l.CTRDataset(path)`: all 34 as categories, by the reader that drops odd lines."""
    return d2l.CTRDataset(path)


def without_loops(way):
    """The same as where numba is not installed."""

    def read(path):
        least, plain.LEAST = plain.LEAST, float('inf')
        try:
            return way(path)
        finally:
            plain.LEAST = least

    return read


OURS = {
    'd2l.read': by_read,
    'd2l.read and encode': by_dataset,
    'd2l.read and encode, all 34 as categories': by_words,
    'd2l.CTRDataset, all 34 as categories': by_ctr_dataset,
}
WAYS = {
    'pandas.read_csv': by_pandas,
    'pandas.read_csv, engine pyarrow': by_pandas_arrow,
    **OURS,
    **{f'{name}; without numba': without_loops(way) for name, way in OURS.items()},
}


def high_water() -> float:
    """The peak memory of this process, in MB.

    Linux hands `ru_maxrss` down from the process that started this one; `VmHWM` is its own.
    """
    try:
        with open('/proc/self/status') as file:
            line = next(line for line in file if line.startswith('VmHWM'))
        return int(line.split()[1]) / 1e3
    except (OSError, StopIteration):
        unit = 1 if sys.platform == 'darwin' else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def peak(way: str, path: str) -> float:
    """Peak memory in MB of a process that does this and nothing else."""
    out = subprocess.run(
        [sys.executable, __file__, '--child', way, path], capture_output=True, text=True, check=True
    )
    return float(out.stdout.split()[-1])


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, default=1_000_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1, help='of pyarrow; pandas has one')
    parser.add_argument('--out')
    parser.add_argument('--child', nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        way, path = args.child
        if way in WAYS:
            kept = WAYS[way](path)
            assert len(kept)
        print(high_water())
        return
    pa.set_cpu_count(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'log.tsv')
        write_log(path, args.rows)
        size = os.path.getsize(path) / 1e6
        wall = {name: [] for name in WAYS}
        cpu = {name: [] for name in WAYS}
        for number in range(args.rounds + 1):
            for name, way in WAYS.items():
                start, used = time.perf_counter(), time.process_time()
                kept = way(path)
                if number > 0:
                    wall[name].append(time.perf_counter() - start)
                    cpu[name].append(time.process_time() - used)
                del kept
        idle = peak('nothing', path)
        memory = {name: peak(name, path) - idle for name in WAYS}
    base = statistics.median(wall['pandas.read_csv'])
    base_cpu = statistics.median(cpu['pandas.read_csv'])
    lines = [
        '# Reading and encoding',
        '',
        f'{args.rows:,} rows of a label and 34 columns, {size:,.0f} MB of text; medians of '
        f'{args.rounds} rounds in one process, the ways in turn, {pa.cpu_count()} thread(s) '
        f'of pyarrow. pandas {pd.__version__}, pyarrow {pa.__version__}, Python '
        f'{platform.python_version()}, {platform.machine()}. Written by `benchmarks/reading.py`.',
        '',
        '| | seconds | ÷ pandas.read_csv | CPU seconds | ÷ pandas.read_csv | peak memory, MB |',
        '|---|---|---|---|---|---|',
    ]
    for name in WAYS:
        seconds, used = statistics.median(wall[name]), statistics.median(cpu[name])
        lines.append(
            f'| {name} | {seconds:.2f} | {seconds / base:.2f} | {used:.2f} | '
            f'{used / base_cpu:.2f} | {memory[name]:,.0f} |'
        )
    put_out(lines, args.out)


if __name__ == '__main__':
    main()
