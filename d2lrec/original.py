"""Names that only the code of the original chapters needs.

`import d2lrec as d2l` runs the MXNet chapters on FM, DeepFM and AutoRec of Dive into Deep
Learning. What they call and this library itself has no use for stands here.
"""

from .metrics import accuracy
from .train.clicks import train_ch13
from .train.devices import try_all_gpus
from .train.ratings import evaluator, train_recsys_rating

__all__ = [
    'accuracy',
    'evaluator',
    'get_dataloader_workers',
    'train_ch13',
    'train_recsys_rating',
    'try_all_gpus',
]


def get_dataloader_workers() -> int:
    """Number of worker processes for a Gluon `DataLoader`: 0.

    MXNet's workers can hang, and rows that lie in memory as a matrix need none.

    Examples
    --------
    >>> get_dataloader_workers()
    0
    """
    return 0
