"""The models, one file each."""
from .afm import AFM
from .dcn import DCN
from .deepfm import DeepFM
from .embedding_mlp import EmbeddingMLP
from .ffm import FFM
from .fm import FM
from .lr import LR
from .nfm import NFM
from .xdeepfm import XDeepFM

__all__ = ['LR', 'FM', 'DeepFM', 'EmbeddingMLP', 'NFM', 'AFM', 'FFM', 'DCN', 'XDeepFM']
