"""What a training run did, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import pandas as pd

__all__ = ['History']


class History:
    """What training did: one record an epoch.

    Attributes
    ----------
    rows : list of dict
        The measures of each epoch.
    best_epoch : int or None
        The epoch (from 1) that a validation set chose, whose weights the net holds now.
    devices : list of mxnet.Context

    Examples
    --------
    >>> history = History([])
    >>> history.rows = [{'epoch': 1, 'train_loss': 0.7}, {'epoch': 2, 'train_loss': 0.6}]
    >>> history['train_loss']
    [0.7, 0.6]
    >>> history.kept['epoch']
    2
    """

    def __init__(self, devices: Sequence[Any]):
        self.rows: list[dict] = []
        self.best_epoch: Optional[int] = None
        self.devices = list(devices)

    def __getitem__(self, name: str) -> list:
        """The values of one measure, an epoch each: `history['test_auc']`."""
        if not self.rows or name not in self.rows[0]:
            known = ', '.join(self.rows[0]) if self.rows else 'none, no epoch was run'
            raise KeyError(f'no measure {name!r} in this history; it has: {known}.')
        return [row[name] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def kept(self) -> dict:
        """The measures of the epoch whose weights the net holds: the best one, else the last."""
        if not self.rows:
            raise ValueError('the history is empty: train for at least one epoch.')
        return self.rows[(self.best_epoch or len(self.rows)) - 1]

    @property
    def rows_per_second(self) -> float:
        """Training rows per second over all epochs, evaluation left out; 0 without an epoch."""
        seconds = sum(r['seconds'] for r in self.rows)
        return sum(r['train_rows'] for r in self.rows) / seconds if seconds else 0.0

    def table(self) -> pd.DataFrame:
        """All epochs as a DataFrame; empty where none was run."""
        return pd.DataFrame(self.rows, columns=None if self.rows else ['epoch']).set_index('epoch')

    def plot(self, **kwargs) -> Any:
        """Draw the curves; see `d2lrec.plot.history`."""
        from .. import plot  # the plots' own imports are slow, and few runs draw

        if not self.rows:
            raise ValueError('the history is empty: train for at least one epoch.')
        return plot.history(self, **kwargs)

    def _repr_svg_(self):
        # A notebook shows the curves where a training call is a cell's last line.
        from .. import plot
        from ..check.words import notebook_language

        return plot.as_svg(self.plot(), notebook_language()) if self.rows else None

    def __repr__(self) -> str:
        best = f', best epoch {self.best_epoch}' if self.best_epoch else ''
        return f'History({len(self.rows)} epochs{best})'
