"""The models, one file each."""
from .deepfm import DeepFM
from .fm import FM
from .lr import LR

__all__ = ['LR', 'FM', 'DeepFM']
