"""The models, one file each."""
from .autorec import AutoRec
from .bias import BiasBaseline
from .deepfm import DeepFM
from .dlrm import DLRM
from .fm import FM
from .lr import LR
from .mf import MF
from .neumf import NeuMF
from .wide_deep import WideDeep, wide_deep_trainers

__all__ = ['LR', 'FM', 'DeepFM', 'WideDeep', 'wide_deep_trainers', 'DLRM', 'MF', 'AutoRec',
           'NeuMF', 'BiasBaseline']
