"""A score slider: two models' predictions, moved, and what measures them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import check_real, shown
from ..metrics import auc, calibration_table, log_loss
from .instrument import Instrument, as_numbers, packed

__all__ = ['moved', 'scores']

LEAST = 1e-7  # a probability's distance from 0 and 1: a logit of 16


def moved(probs: ArrayLike, sharpness: float = 1.0, bias: float = 0.0) -> np.ndarray:
    """Probabilities whose logits are multiplied and shifted: σ(sharpness · logit(p) + bias).

    Parameters
    ----------
    probs : array (N,)
    sharpness : float
        Above 1 they move away from a half, below 1 towards it; at 0 all are alike.
    bias : float
        Added to each logit.

    Examples
    --------
    >>> moved([0.5, 0.8], sharpness=2.0).round(3).tolist()
    [0.5, 0.941]
    """
    p = np.clip(as_numbers(probs, 'probs'), LEAST, 1 - LEAST)
    sharpness, bias = check_real(sharpness, 'sharpness'), check_real(bias, 'bias')
    return 1 / (1 + np.exp(-(sharpness * np.log(p / (1 - p)) + bias)))


def scores(labels: ArrayLike, models: Mapping[str, ArrayLike]) -> Instrument:
    """Two models' predictions of the same rows, with sliders for threshold, sharpness and bias.

    Shown are the ROC curve and the calibration, AUC and log loss, and at the threshold accuracy,
    precision and recall.

    Parameters
    ----------
    labels : array (N,) of 0 and 1
    models : dict {name: probabilities (N,)}
        Two of them. The sliders move the first, or the second if the reader says so.

    Raises
    ------
    ValueError
        Unless there are two models, with one probability for each label.

    Examples
    --------
    >>> one = scores([1, 0, 1], {'LR': [0.9, 0.2, 0.6], 'constant': [0.5, 0.5, 0.5]})
    >>> one.data['names']
    ['LR', 'constant']
    """
    labels = as_numbers(labels, 'labels').ravel()
    if not isinstance(models, Mapping):
        raise ValueError(f'models is {shown(models)}: give {{name: probabilities}} of two models.')
    given = {str(name): as_numbers(p, f'models[{name!r}]').ravel() for name, p in models.items()}
    if len(given) != 2 or any(p.shape != labels.shape for p in given.values()):
        shapes = ', '.join(f'{name} {p.shape}' for name, p in given.items())
        raise ValueError(f'models are {shapes}: give two, each with {labels.size} probabilities.')
    clipped = {name: np.clip(p, LEAST, 1 - LEAST) for name, p in given.items()}
    bins = min(10, labels.size)
    data = {
        'names': list(given),
        'labels': packed(labels, 8),
        'logits': [packed(np.log(p / (1 - p)), 32) for p in clipped.values()],
    }
    first, second = data['names']
    drawn = {
        first: given[first],
        f'{first}, sharpness 2': moved(given[first], 2.0),
        second: given[second],
    }
    from ..plot import calibration

    return Instrument(
        'scores',
        data,
        calibration({n[:40]: calibration_table(labels, p, bins) for n, p in drawn.items()}),
        rows=f'{labels.size:,}',
        auc=f'{auc(labels, given[first]):.3f}',
        loss=f'{log_loss(labels, given[first]):.3f}',
        sharp=f'{log_loss(labels, drawn[f"{first}, sharpness 2"]):.3f}',
    )
