"""d2lrec: the library of a book on deep recommenders, for MXNet Gluon.

`import d2lrec as d2l` also serves the code of the FM, DeepFM and AutoRec chapters of
Dive into Deep Learning.
"""

# isort: off
from . import compat  # lets MXNet run on this NumPy: before every import of MXNet
from mxnet import npx as _npx
# isort: on

_npx.set_np()  # Every array, block and loader of this library is in the NumPy interface.

from . import check, data, layers, metrics, models, plot, saving, train  # noqa: E402
from .data import *  # noqa: E402, F403
from .ftrl import FTRL  # noqa: E402
from .metrics import *  # noqa: E402, F403
from .models import *  # noqa: E402, F403
from .saving import load, save  # noqa: E402
from .train import *  # noqa: E402, F403
from .warm import warm_start  # noqa: E402

__version__ = '0.1.0'
__all__ = [
    'check',
    'data',
    'layers',
    'metrics',
    'models',
    'plot',
    'saving',
    'train',
    *data.__all__,
    *metrics.__all__,
    *models.__all__,
    *train.__all__,
    'FTRL',
    'load',
    'save',
    'warm_start',
]
