"""What comes in: named data sets, datasets of ids, batches."""

from .ctr import CTRDataset, load_vocab
from .features import Crosses, MultiHot, Quantiles, multi_hot
from .hub import (
    DATA_HUB,
    DATA_URL,
    DataUnavailable,
    cache_folder,
    download,
    download_extract,
    fetch,
)
from .movielens import (
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
from .synthetic import Planted, planted

__all__ = [
    'BatchLoader',
    'CTRDataset',
    'load_vocab',
    'Crosses',
    'MultiHot',
    'Quantiles',
    'multi_hot',
    'DATA_HUB',
    'DATA_URL',
    'DataUnavailable',
    'cache_folder',
    'download',
    'download_extract',
    'fetch',
    'MovieLens',
    'MovieLensCTR',
    'load_data_ml100k',
    'load_ml100k_ctr',
    'ml100k_fold',
    'random_split_ml100k',
    'read_data_ml100k',
    'read_ml100k',
    'split_and_load_ml100k',
    'split_data_ml100k',
    'temporal_split_ml100k',
    'Planted',
    'planted',
]
