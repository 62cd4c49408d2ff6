"""d2lrec: the library of a book on deep recommenders, for MXNet Gluon.

The street: data with named columns -> batches -> a model, which says what it reads -> logits ->
loss -> measures -> plot. `fit`, `evaluate` and `predict` walk it in one step each.

`import d2lrec as d2l` also serves the code of the FM, DeepFM and AutoRec chapters of
Dive into Deep Learning; what only that needs is in `d2lrec.original`.
"""

# isort: off
from . import compat  # lets MXNet run on this NumPy: before every import of MXNet
from .threads import set_np_everywhere as _set_np_everywhere
# isort: on

from types import ModuleType as _ModuleType

_set_np_everywhere()  # Every array, block and loader of this library is in the NumPy interface.

from . import check, data, definitions, describe, instruments, layers, metrics, models, plot, train
from .data.batches import BatchLoader
from .data.columns import Examples, concat
from .data.ctr import CTRDataset
from .data.encoded import EncodedFolder, encode, open_encoded
from .data.encoder import Encoder
from .data.features import Bags, Crosses, MultiHot, Quantiles, Standardize, multi_hot
from .data.hashed import HashedField
from .data.histories import past_rows, with_history
from .data.hub import (
    DATA_HUB,
    DATA_URL,
    DataUnavailable,
    cache_folder,
    download,
    download_extract,
    fetch,
)
from .data.movielens import (
    MovieLens,
    MovieLensCTR,
    load_data_ml100k,
    load_ml100k_ctr,
    ml100k_fold,
    random_split_ml100k,
    read_data_ml100k,
    read_ml100k,
    split_and_load_ml100k,
    split_data_ml100k,
    temporal_split_ml100k,
)
from .data.negatives import Interactions, NegativeLoader, NegativeSampler
from .data.rating_files import read_ratings
from .data.ratings import RatingRows, Ratings
from .data.schema import Schema
from .data.synthetic import Planted, PlantedLog, planted, planted_histories, planted_log
from .data.table import Table, read
from .data.vocabulary import Field, Vocabulary, load_vocab
from .fitting import evaluate, fit, predict
from .metrics import (
    Interval,
    auc,
    bootstrap,
    calibration_table,
    constant_rate,
    ctr_report,
    gauc,
    hit_rate,
    log_loss,
    mae,
    masked_rmse,
    ndcg,
    normalized_entropy,
    rmse,
    sigmoid,
    squared_error,
)
from .models import (
    AFM,
    DCN,
    DIEN,
    DIN,
    DLRM,
    FFM,
    FM,
    LR,
    MF,
    NFM,
    AutoRec,
    BiasBaseline,
    DeepFM,
    DeepFMConcat,
    EmbeddingMLP,
    HistoryBag,
    NeuMF,
    WideDeep,
    XDeepFM,
)
from .original import (
    accuracy,
    evaluator,
    get_dataloader_workers,
    train_ch13,
    train_recsys_rating,
    try_all_gpus,
)
from .recommend import recommend
from .saving.checkpoint import Checkpoint
from .saving.model import Saved, load, save
from .touched import touch_rows
from .train.devices import set_seed
from .train.history import History
from .train.optim import FTRL, SGD, AdaGrad, Adam, decay_embeddings_only, wide_deep_trainers
from .train.ranking import BPRLoss, rank_report, train_ranking
from .tuning import Search, random_search
from .warm import warm_start

__version__ = '0.2.0'

# What the lines above name, and the modules that readers go into by name.
_MODULES = (
    'check',
    'data',
    'definitions',
    'describe',
    'instruments',
    'layers',
    'metrics',
    'models',
    'plot',
    'train',
)
__all__ = [
    name
    for name, value in vars().items()
    if name[0] != '_' and (not isinstance(value, _ModuleType) or name in _MODULES)
]
