"""Checks of the chapter on AutoRec."""

from __future__ import annotations

import numpy as np

from .. import definitions
from .judge import Function, Verdict, judge, normal


def masked_error(function: Function) -> Verdict:
    """AutoRec's loss: outputs, ratings and mask, each (B, D) -> mean squared error, a number.

    The mean is over the observed entries, where the mask is 1. What `ratings` holds elsewhere
    does not matter, and an observed rating may be 0.
    Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015, section 2.

    Examples
    --------
    >>> masked_error(lambda outputs, ratings, mask: ((ratings - outputs) ** 2 * mask).mean()).key
    'masked_error.over_all'
    """
    error = definitions.masked_error

    def mean_of_means(outputs, ratings, mask):
        squared = (mask * np.square(ratings - outputs)).sum(1)
        return (squared / np.maximum(mask.sum(1), 1)).mean()

    def by_sign(outputs, ratings, mask):
        return np.square(ratings - outputs * np.sign(ratings))

    rng, cases = np.random.default_rng(2), []
    for shape in ((4, 6), (3, 5)):
        mask = (rng.random(shape) < 0.4).astype('float32')
        mask[0, :3], mask[1] = 1, 0
        ratings = rng.integers(-2, 3, shape).astype('float32') * mask
        ratings[0, :3] = 2, -1, 0  # an observed rating of 0, and a row without any
        outputs = normal(*shape, seed=shape[1])
        cases.append({'outputs': outputs, 'ratings': ratings, 'mask': mask})
    # What stands at the unobserved entries, here 9, must not matter.
    first = cases[0]
    nines = np.where(first['mask'] > 0, first['ratings'], 9).astype('float32')
    cases.append({**first, 'ratings': nines})
    return judge(
        function,
        error,
        cases,
        mistakes=[
            ('masked_error.over_all', lambda o, r, mask: (mask * np.square(r - o)).mean()),
            ('masked_error.no_mask', lambda o, r, mask: np.square(r - o).mean()),
            ('masked_error.mean_of_means', mean_of_means),
            ('masked_error.by_sign', lambda *case: by_sign(*case).mean()),
            ('masked_error.by_sign', lambda o, r, mask: by_sign(o, r, mask).sum() / mask.sum()),
            ('masked_error.not_zero', lambda o, r, mask: error(o, r, r != 0)),
            ('masked_error.total', lambda o, r, mask: error(o, r, mask) * mask.sum()),
            ('masked_error.root', lambda *case: error(*case) ** 0.5),
        ],
    )
