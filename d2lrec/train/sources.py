"""What a trainer draws batches from, looked at before the first step."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Optional

import numpy as np
from mxnet import gluon

from ..arguments import shown


class Source:
    """Batches of a loader as a net reads them; call it for one pass.

    A `BatchLoader` is held against the net once, whole. Of a loader of another kind every batch
    of the first pass is looked at, which costs little beside reading it.

    Attributes
    ----------
    labels : array (N,), or None where they are not known beforehand
    sample_weight : array (N,), or None; where there is one, batches have it after the labels
    """

    def __init__(self, loader, net, rows=False):
        self._loader, self._inputs, self._checks = loader, None, []
        self.labels = self.sample_weight = None
        if hasattr(loader, 'batches'):
            if rows:  # with the mask of what is observed, where there is one
                self._inputs = loader.bound().columns if loader.named else None
            else:
                declared = getattr(net, 'inputs', None) or None
                self._inputs = inputs_of(net) if loader.named else declared
            self.labels = loader.check(net, self._inputs)
            self.sample_weight = getattr(loader, 'sample_weight', None)
        elif hasattr(net, 'check_batch'):
            self._checks.append(net.check_batch)

    def __call__(self) -> Iterable:
        if hasattr(self._loader, 'batches'):
            if self.sample_weight is not None:
                return self._loader.batches(self._inputs, weighted=True)
            return self._loader.batches(self._inputs)
        return self._looked_at()

    def fingerprint(self) -> Optional[int]:
        """A checksum of a `BatchLoader`'s data, None of another loader."""
        ours = hasattr(self._loader, 'fingerprint')
        return self._loader.fingerprint() if ours else None

    def look_through(self, label_of: Callable) -> None:
        """Go once through a loader of another kind, before there is anything to lose.

        Its labels are known then, and its batches looked at. An iterator, which gives its batches
        once, is left alone.
        """
        self.seen = not hasattr(self._loader, '__next__')
        if self.labels is None and self.seen and not hasattr(self._loader, 'batches'):
            labels = []
            for batch in self._loader:
                labels.append(label_of(batch))
                for check in self._checks:
                    check(batch)
            self._checks = []
            if not labels:
                raise ValueError('a held-out part gives no batch: check the path and the split.')
            self.labels = np.concatenate(labels)

    def look(self, check: Callable) -> None:
        """Have `check` see every batch from now on, until the end of a pass."""
        self._checks.append(check)

    def _looked_at(self):
        for batch in self._loader:
            for check in self._checks:
                check(batch)
            yield batch
        self._checks = []


def source(loader: Any, net, name: str, rows: bool = False) -> Source:
    """A loader's batches, by name where it has names; with `rows`, those of a rating matrix.

    Raises ValueError where it is no loader, or what it holds does not fit the net.
    """
    if hasattr(loader, 'columns') or hasattr(loader, 'iloc'):
        raise ValueError(
            f'{name} is a {type(loader).__name__}: pass BatchLoader(data, batch_size=...) of it, '
            'or let fit do it.'
        )
    if not hasattr(loader, '__iter__'):
        raise ValueError(f'{name} is {shown(loader)}: give a loader, such as BatchLoader.')
    return Source(loader, net, rows)


def inputs_of(net) -> Optional[dict]:
    """What the net says it reads. Of a net that does not say: the ids, where it takes one input."""
    inputs = getattr(net, 'inputs', None)
    if inputs:
        return inputs
    own = getattr(type(net), 'hybrid_forward', None)
    hybrid = own is not None and own is not gluon.HybridBlock.hybrid_forward
    takes = inspect.signature(net.hybrid_forward if hybrid else net.forward).parameters.values()
    arrays = [
        p.name
        for p in takes
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        and p.default is p.empty
        and p.name not in net._reg_params
    ]
    return {'ids': None} if len(arrays) - hybrid == 1 else None
