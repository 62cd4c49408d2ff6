"""LR, FM and DLRM on the Criteo-format data of the chapter on growth, tuned in two ways.

    OMP_NUM_THREADS=1 python benchmarks/growth.py [--trials 6] [--seeds 3]

The data come from the chapter's own cells. First the weight decay alone is chosen on the
validation part (six values, learning rate .005, one seed), then learning rate and weight decay
together, by a random search that is the same for every model; the best setting is trained with
several seeds. The test part is looked at after the choice. Prints Markdown tables.
"""

import argparse
import contextlib
import io
import json
from pathlib import Path

import d2lrec as d2l

import numpy as np

CHAPTER = Path(__file__).resolve().parent.parent / 'chapters' / 'ko' / 'growth.ipynb'
CELLS = ('growth-imports', 'draw-ids', 'f4c3078d', '42095942', '34351e9f')
DECAYS = (0.0, 1e-4, 5e-4, 1e-3, 2e-3, 4e-3)


def models():
    """name -> (a function that makes the model, its three parts), by the chapter's cells."""
    cells = json.loads(CHAPTER.read_text(encoding='utf-8'))['cells']
    sources = {cell['id']: ''.join(cell['source']) for cell in cells}
    names = {}
    for cell in CELLS:
        lines = [line for line in sources[cell].splitlines() if not line.startswith('%')]
        code = '\n'.join(lines).split('hurried =')[0]
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)
    return names['makers']


def run(make, parts, lr, wd, seed=0):
    return d2l.fit(make(), *parts, lr=lr, wd=wd, num_epochs=10, patience=2, seed=seed).kept


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--trials', type=int, default=6)
    parser.add_argument('--seeds', type=int, default=3)
    options = parser.parse_args(arguments)
    makers, rng = models(), np.random.default_rng(0)
    settings = [
        (float(10 ** rng.uniform(-2.7, -1.7)), float(10 ** rng.uniform(-4, -2.3)))
        for _ in range(options.trials)
    ]
    print('| model | chosen | lr | wd | validation log loss | test AUC | ± | test log loss |')
    print('|---|---|---|---|---|---|---|---|')
    for name, (make, (train, valid, test)) in makers.items():
        for how, tried, seeds in (
            ('decay', [(0.005, wd) for wd in DECAYS], 1),
            ('rate and decay', settings, options.seeds),
        ):
            loss, lr, wd = min((run(make, (train, valid), *s)['valid_loss'], *s) for s in tried)
            kept = [run(make, (train, valid, test), lr, wd, seed) for seed in range(seeds)]
            aucs = [row['test_auc'] for row in kept]
            spread = f'{np.std(aucs, ddof=1):.4f}' if seeds > 1 else ''
            print(
                f'| {name} | {how} | {lr:.4f} | {wd:.1e} | {loss:.4f} | {np.mean(aucs):.4f} '
                f'| {spread} | {np.mean([row["test_loss"] for row in kept]):.4f} |',
                flush=True,
            )


if __name__ == '__main__':
    main()
