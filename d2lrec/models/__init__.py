"""The models, one file each."""
from .autorec import AutoRec
from .bias import BiasBaseline
from .deepfm import DeepFM
from .fm import FM
from .lr import LR
from .mf import MF
from .neumf import NeuMF

__all__ = ['LR', 'FM', 'DeepFM', 'AutoRec', 'BiasBaseline', 'MF', 'NeuMF']
