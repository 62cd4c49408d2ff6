"""Checks of the chapter on scale."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def merge_shards(function: Function) -> Verdict:
    """Devices' mean gradients and numbers of rows (G,) -> the batch's mean gradient.

    A row of mean gradients for each of G devices.

    Examples
    --------
    >>> merge_shards(lambda means, rows: means.mean(0)).key
    'merge_shards.mean_of_means'
    """
    merged = definitions.merge_shards
    return judge(
        function,
        merged,
        cases=[
            {'means': normal(3, 2), 'rows': np.array([3, 1, 4], 'int32')},
            {'means': normal(2, 4, seed=1), 'rows': np.array([6, 1], 'int32')},
        ],
        mistakes=[
            ('merge_shards.mean_of_means', lambda means, rows: means.mean(0)),
            ('merge_shards.sum_of_means', lambda means, rows: means.sum(0)),
            ('merge_shards.not_divided', lambda means, rows: merged(means, rows) * sum(rows)),
        ],
    )
