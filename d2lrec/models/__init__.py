"""The models, one file each."""
from .deepfm import DeepFM
from .dlrm import DLRM
from .fm import FM
from .lr import LR
from .wide_deep import WideDeep, wide_deep_trainers

__all__ = ['LR', 'FM', 'DeepFM', 'WideDeep', 'wide_deep_trainers', 'DLRM']
