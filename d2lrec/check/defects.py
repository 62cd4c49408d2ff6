"""Checks of the chapter on the original's defects."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def accumulated_rmse(function: Function) -> Verdict:
    """RMSE of predictions (N, 1) on ratings (N,), read in batches of `batch_size` -> a number.

    The root of the mean squared error over all N rows: the batch size must not change it.

    Examples
    --------
    >>> accumulated_rmse(
    ...     lambda predictions, ratings, size: ((predictions.T - ratings) ** 2).mean()
    ... ).key
    'accumulated_rmse.no_root'
    """

    def definition(predictions, ratings, batch_size):
        return definitions.rmse(predictions[:, 0], ratings)

    def batches(predictions, ratings, batch_size):
        """Squared errors by batch: of (B, 1) with (B,), which make (B, B), and row by row."""
        for start in range(0, len(ratings), batch_size):
            p, r = predictions[start : start + batch_size], ratings[start : start + batch_size]
            yield np.square(p - r), np.square(p[:, 0] - r)

    def untouched(*case):
        return np.mean([table.mean() ** 0.5 for table, _ in batches(*case)])

    def mean_of_roots(*case):
        return np.mean([errors.mean() ** 0.5 for _, errors in batches(*case)])

    def mean_of_means(*case):
        return np.mean([errors.mean() for _, errors in batches(*case)]) ** 0.5

    def all_pairs(*case):
        tables = [table for table, _ in batches(*case)]
        return (sum(t.sum() for t in tables) / sum(t.size for t in tables)) ** 0.5

    def all_pairs_by_rows(*case):
        return (sum(table.sum() for table, _ in batches(*case)) / len(case[1])) ** 0.5

    return judge(
        function,
        definition,
        cases=[
            {
                'predictions': normal(n, 1, seed=n),
                'ratings': normal(n, seed=n + 1) + 3,
                'batch_size': size,
            }
            for n, size in ((7, 3), (6, 2), (5, 8))
        ],
        mistakes=[
            ('accumulated_rmse.untouched', untouched),
            ('accumulated_rmse.mean_of_roots', mean_of_roots),
            ('accumulated_rmse.mean_of_means', mean_of_means),
            ('accumulated_rmse.all_pairs', all_pairs),
            ('accumulated_rmse.all_pairs', all_pairs_by_rows),
            ('accumulated_rmse.no_root', lambda *case: definition(*case) ** 2),
        ],
    )
