"""Rows that memory need not hold: encoded and trained on within 4 GiB, at 10^5, 10^6 and 10^7 rows.

    OMP_NUM_THREADS=1 python benchmarks/larger.py [--rows 100000 1000000 10000000] [--out FILE]
                                                  [--keep FOLDER]

The rows are planted in Criteo's format: label, 13 counts, 26 hashed words of Zipf-distributed ids,
4 to 10,000 in a field, clicks by a weight for each word. They are written, encoded by `d2l.encode`
and trained on for one epoch (FM, 8 factors, batches of 2,048, Adam), each in a process of its own
whose address space is limited to 4 GiB. Files are removed in the end. With `--keep` they and what
was measured stay in a folder, and called again the script goes on with the first piece that is
lacking there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import d2lrec as d2l

import numpy as np
import pyarrow as pa
from pyarrow import csv
from tables import put_out

SIZES = np.geomspace(4, 10_000, 26).astype(int)
LIMIT = 4 * 2**30  # bytes of address space
PIECE = 100_000  # rows that are planted at a time


def write_criteo(path: str, rows: int, seed: int = 0) -> None:
    """Planted rows in Criteo's format, without a header."""
    rng = np.random.default_rng(seed)
    chances = [np.cumsum(np.arange(1.0, n + 1) ** -1.1) for n in SIZES]
    words = [
        pa.array([f'{(26 * v + f + 1) * 2654435761 % 2**32:08x}' for v in range(n)])
        for f, n in enumerate(SIZES)
    ]
    weights = [rng.normal(0, 0.4, n) for n in SIZES]
    names = ['label', *(f'I{i}' for i in range(1, 14)), *(f'C{i}' for i in range(1, 27))]
    how = csv.WriteOptions(include_header=False, delimiter='\t', quoting_style='none')
    with open(path, 'wb') as file:
        for start in range(0, rows, PIECE):
            count = min(PIECE, rows - start)
            counts = np.exp(rng.normal(1, 1.6, (13, count))).astype(int)
            ids = [np.searchsorted(c, rng.random(count) * c[-1]) for c in chances]
            logits = sum(w[i] for w, i in zip(weights, ids)) - 1
            labels = (rng.random(count) < 1 / (1 + np.exp(-logits))).astype(np.int8)
            columns = [pa.array(labels), *(pa.array(c, mask=c == 0) for c in counts)]
            columns += [w.take(pa.array(i)) for w, i in zip(words, ids)]
            csv.write_csv(pa.table(columns, names), file, how)


def encode(path: str, folder: str) -> dict:
    """Both passes, and the folder opened with all its checks; first those of a few rows."""
    with tempfile.TemporaryDirectory() as few:
        head, used = os.path.join(few, 'head.tsv'), time.process_time()
        with open(path, 'rb') as file, open(head, 'wb') as target:
            target.writelines(itertools.islice(file, 2000))
        d2l.encode(head, os.path.join(few, 'x'), format='criteo', verbose=False)
        begun = time.process_time() - used
    start, used = time.perf_counter(), time.process_time()
    data = d2l.encode(path, folder, format='criteo', verbose=False)
    facts = {'encode': [time.perf_counter() - start, time.process_time() - used], 'begin': begun}
    facts['features'] = data.vocabulary.num_features
    del data  # the files are mapped once: twice would not fit the limit
    start, used = time.perf_counter(), time.process_time()
    d2l.open_encoded(folder)
    return {**facts, 'open': [time.perf_counter() - start, time.process_time() - used]}


def train(path: str, folder: str, epochs: int = 1) -> dict:
    """The last epoch of an FM."""
    data = d2l.open_encoded(folder, check=False)
    net = d2l.FM(data.field_dims, num_factors=8)
    d2l.fit(net, data[:20_000], num_epochs=1)  # the files are mapped once
    start, used = time.perf_counter(), time.process_time()
    history = d2l.fit(net, data, lr=0.002, batch_size=2048, num_epochs=epochs)
    return {
        'train': [(time.perf_counter() - start) / epochs, (time.process_time() - used) / epochs],
        'loss': history['train_loss'][-1],
    }


def peak() -> float:
    """The peak memory of this process, in MB."""
    try:
        with open('/proc/self/status') as file:
            return int(next(x for x in file if x.startswith('VmHWM')).split()[1]) / 1e3
    except (OSError, StopIteration):
        unit = 1 if sys.platform == 'darwin' else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def piece(what: str, *arguments) -> dict:
    """One piece of the work in a process of its own, limited in memory."""
    done = os.path.join(os.path.dirname(arguments[0]), f'{what}.json')
    if not os.path.exists(done):
        command = [sys.executable, __file__, '--child', what, *map(str, arguments)]
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        if out.returncode:
            raise SystemExit(f'{what} ended with {out.returncode}: {out.stderr[-2000:]}')
        with open(done, 'w', encoding='utf-8') as file:
            file.write(out.stdout.splitlines()[-1])
    with open(done, encoding='utf-8') as file:
        return json.load(file)


def child(what, path, *rest):
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    if what == 'write':
        write_criteo(path, int(rest[0]))
        facts = {'bytes': os.path.getsize(path)}
    elif what == 'encode':
        facts = encode(path, rest[0])
    else:
        facts = train(path, rest[0], int(rest[1]))
    print(json.dumps({**facts, 'peak': peak()}))


def measured(rows: int, keep: str | None) -> list[str]:
    """A row of the table."""
    place = tempfile.mkdtemp() if keep is None else os.path.join(keep, str(rows))
    os.makedirs(place, exist_ok=True)
    path, folder = os.path.join(place, 'day.tsv'), os.path.join(place, 'encoded')
    size = piece('write', path, rows)['bytes']
    encoded = piece('encode', path, folder)
    on_disk = sum(e.stat().st_size for e in os.scandir(folder))
    trained = piece('train', path, folder, max(1, 500_000 // rows))
    if keep is None:
        shutil.rmtree(place)
    rates = [f'{rows / seconds:,.0f}' for part in ('encode', 'train') for seconds in (
        (encoded if part == 'encode' else trained)[part])]  # fmt: skip
    return [
        f'{rows:,}', f'{size / 1e6:,.0f}', f'{on_disk / 1e6:,.0f}', f'{encoded["features"]:,}',
        f'{encoded["begin"]:.2f}', *rates, f'{encoded["open"][0]:.1f}',
        f'{encoded["peak"]:,.0f}', f'{trained["peak"]:,.0f}', f'{trained["loss"]:.4f}',
    ]  # fmt: skip


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, nargs='+', default=[10**5, 10**6, 10**7])
    parser.add_argument('--out')
    parser.add_argument('--keep', help='a folder for the files and what was measured')
    parser.add_argument('--child', nargs='+', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        child(*args.child)
        return
    lines = [
        '# Larger than memory',
        '',
        'Planted rows in Criteo\'s format, encoded by `d2l.encode` and trained on for one epoch by '
        f'`d2l.fit` (FM, 8 factors, batches of 2,048), {os.environ.get("OMP_NUM_THREADS", "all")} '
        f'thread(s), each piece in a process whose address space is limited to {LIMIT / 2**30:.0f} '
        f'GiB. One run; rows/s by the clock and by CPU time, after 2,000 rows that load and '
        f'compile what a process needs once (CPU seconds). Python {platform.python_version()}, '
        f'{platform.machine()}. Written by `benchmarks/larger.py`.',
        '',
        '| rows | text, MB | encoded, MB | ids | once, s | encoded rows/s | by CPU '
        '| trained rows/s | by CPU | opened and checked, s | peak MB, encode '
        '| peak MB, train | loss |',
        '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ]  # fmt: skip
    for rows in args.rows:
        lines.append('| ' + ' | '.join(measured(rows, args.keep)) + ' |')
        print(lines[-1], flush=True)
    put_out(lines, args.out)


if __name__ == '__main__':
    main()
