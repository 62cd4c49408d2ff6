"""The models, one file each."""

from .afm import AFM
from .autorec import AutoRec
from .base import CTRModel, Model, PairModel
from .bias import BiasBaseline
from .dcn import DCN
from .deepfm import DeepFM, DeepFMConcat
from .dien import DIEN
from .din import DIN, HistoryBag
from .dlrm import DLRM
from .embedding_mlp import EmbeddingMLP
from .ffm import FFM
from .fm import FM
from .lr import LR
from .mf import MF
from .neumf import NeuMF
from .nfm import NFM
from .wide_deep import WideDeep
from .xdeepfm import XDeepFM

__all__ = [
    'LR',
    'FM',
    'DeepFM',
    'DeepFMConcat',
    'EmbeddingMLP',
    'NFM',
    'AFM',
    'FFM',
    'WideDeep',
    'DCN',
    'XDeepFM',
    'DLRM',
    'HistoryBag',
    'DIN',
    'DIEN',
    'MF',
    'AutoRec',
    'NeuMF',
    'BiasBaseline',
]
