"""Hashed fields as their buckets shrink: AUC and memory beside a list of all values.

    OMP_NUM_THREADS=1 python benchmarks/hashed.py [--seeds 0 1 2] [--out FILE]

Planted clicks, so that the best possible AUC is known: a field of 20,000 values that follow Zipf's
law, beside two of 200 and 20. FM with 8 factors is trained on a list of the values, on one hash of
that field, and on two hashes with tables of half as many rows, which take the same memory. The
epoch is chosen by the validation part; the test part is looked at once.
"""

from __future__ import annotations

import argparse
import platform
import time

import d2lrec as d2l

import numpy as np
import pandas as pd
from tables import put_out

VALUES, ROWS, PART, FACTORS = 20_000, 200_000, 40_000, 8
BUCKETS = (20_000, 10_000, 5_000, 2_500, 1_250, 625)
NAMES = ['item', 'user', 'hour']


def parts_of(seed: int):
    """Frames for training, validation and test, and the true probabilities of the test."""
    clicks = d2l.planted(
        ROWS + 2 * PART, [VALUES, 200, 20], linear=1.0, pairwise=1.0, zipf=1.05, seed=seed
    )
    words = pd.DataFrame(clicks.features.astype(str), columns=NAMES)
    words.insert(0, 'click', clicks.labels)
    ends = [0, ROWS, ROWS + PART, ROWS + 2 * PART]
    frames = [words[a:b].reset_index(drop=True) for a, b in zip(ends, ends[1:])]
    return frames, clicks.probs[ends[2] :]


def fitted(frames, hashed, min_threshold, seed):
    """Test AUC, rows of the item's tables, and what share of its values cannot be told apart."""
    train = d2l.CTRDataset(frames[0], min_threshold=min_threshold, hashed=hashed)
    valid, test = (d2l.CTRDataset(f, vocabulary=train.vocabulary) for f in frames[1:])
    net = d2l.FM(train.field_dims, FACTORS)
    d2l.fit(net, train, valid, lr=0.005, wd=1e-5, batch_size=1024, num_epochs=6, patience=1,
            seed=seed)  # fmt: skip
    own = [f for f in train.vocabulary.fields if f.column == 'item']
    share = 0.0
    if hashed:
        values, alike = own[-1].met
        share = alike / values
    return d2l.evaluate(net, test)['auc'], sum(f.dim for f in own), share


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--buckets', type=int, nargs='+', default=list(BUCKETS))
    parser.add_argument('--out')
    args = parser.parse_args(arguments)
    sides = {'all values': (None, 1), 'values met 4 times or more': (None, 4)}
    for size in args.buckets:
        sides[f'{size:,} buckets'] = ({'item': size}, 1)
        sides[f'two times {size // 2:,}'] = ({'item': [size // 2] * 2}, 1)
    found = {name: [] for name in sides}
    best = []
    start = time.process_time()
    for seed in args.seeds:
        frames, probs = parts_of(seed)
        best.append(d2l.metrics.ctr_report(frames[2]['click'].to_numpy(), probs)['auc'])
        for name, how in sides.items():
            found[name].append(fitted(frames, *how, seed))
            print(seed, name, found[name][-1], flush=True)
    lines = [
        '# Hashed fields as buckets shrink',
        '',
        f'Planted clicks, {ROWS:,} rows for training, {PART:,} each for validation and test; '
        f'fields of {VALUES:,} (Zipf, 1.05), 200 and 20 values, of which the first is hashed. FM, '
        f'{FACTORS} factors, Adam, rate .005, decay 1e-5, batches of 1,024, at most 6 epochs, the '
        f'one that validation finds best; means of seeds {", ".join(map(str, args.seeds))}, of '
        'data and of weights. "Alike" are the values in training whose buckets, all of them, are '
        "another value's, too; memory is that of the item's weights, with Adam's moments three "
        f'times as much. {time.process_time() - start:,.0f} s of CPU time, Python '
        f'{platform.python_version()}, {platform.machine()}, one thread. Written by '
        '`benchmarks/hashed.py`.',
        '',
        f'The best possible test AUC is {np.mean(best):.4f}.',
        '',
        '| the item is told by | rows | kB | alike | test AUC | ± | below all values |',
        '|---|---|---|---|---|---|---|',
    ]  # fmt: skip
    whole = np.array([auc for auc, _, _ in found['all values']])
    for name, runs in found.items():
        aucs = np.array([auc for auc, _, _ in runs])
        rows, share = (np.mean([r[i] for r in runs]) for i in (1, 2))
        lines.append(
            f'| {name} | {rows:,.0f} | {rows * (FACTORS + 1) * 4 / 1e3:,.0f} | {share:.1%} | '
            f'{aucs.mean():.4f} | {aucs.std(ddof=1) if len(aucs) > 1 else 0:.4f} | '
            f'{(whole - aucs).mean():.4f} |'
        )
    put_out(lines, args.out)


if __name__ == '__main__':
    main()
