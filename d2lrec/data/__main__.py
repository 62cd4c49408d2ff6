"""Fetch data sets by name: ``python -m d2lrec.data [name ...]``, by default ml-100k."""

import sys

from .hub import DataUnavailable, fetch


def main(names):
    """Print where each data set lies; return 1 where one cannot be had."""
    for name in names or ['ml-100k']:
        try:
            print(f'{name}: {fetch(name)}')
        except (DataUnavailable, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
