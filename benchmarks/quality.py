"""The models' figures on public data beside the published ones, as Markdown tables.

    python benchmarks/quality.py frappe frappe_x1.npz --published bars_ctr.csv
    python benchmarks/quality.py ml100k
    python benchmarks/quality.py ml1m ml-1m_ratings.parquet

`--help` after each lists its options. `quality_frappe.py` and `quality_ratings.py`, beside this
file, hold the settings and say where the published figures come from; `results/` holds the tables.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')  # before MXNet is imported

import argparse
import importlib
import sys

PARTS = {'frappe': 'quality_frappe', 'ml100k': 'quality_ratings', 'ml1m': 'quality_ratings'}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data', choices=PARTS)
    argv = sys.argv[1:] if argv is None else list(argv)
    name = parser.parse_args(argv[:1]).data
    module = importlib.import_module(PARTS[name])
    parser = argparse.ArgumentParser(
        prog=f'{parser.prog} {name}', description=getattr(module, name).__doc__.splitlines()[0]
    )
    getattr(module, f'add_{name}_arguments')(parser)
    args = parser.parse_args(argv[1:])
    try:
        getattr(module, name)(args)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f'{parser.prog}: {error}')


if __name__ == '__main__':
    main()
