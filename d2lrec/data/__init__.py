"""What comes in: named data sets, data sets with named columns, batches."""

try:
    import pyarrow
except ImportError as error:  # one that is there and refuses: 26 and later ask for NumPy 2
    raise ImportError(
        f'pyarrow, which reads files for d2lrec, cannot be imported ({error}): '
        "pip install 'numpy>=2' pyarrow, or with an older NumPy pip install 'pyarrow<26'."
    ) from None
else:
    del pyarrow

from .batches import BatchLoader
from .columns import Examples, concat
from .ctr import CTRDataset
from .encoded import EncodedFolder, encode, open_encoded
from .encoder import Encoder
from .features import Bags, Crosses, MultiHot, Quantiles, Standardize, multi_hot
from .hashed import HashedField
from .histories import past_rows, with_history
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
from .rating_files import read_ratings
from .ratings import RatingRows, Ratings
from .schema import Schema
from .synthetic import Planted, PlantedLog, planted, planted_histories, planted_log
from .table import Table, read
from .vocabulary import Field, Vocabulary, load_vocab

__all__ = [
    'BatchLoader',
    'Examples',
    'concat',
    'CTRDataset',
    'EncodedFolder',
    'encode',
    'open_encoded',
    'Encoder',
    'Field',
    'HashedField',
    'Vocabulary',
    'load_vocab',
    'Bags',
    'Crosses',
    'MultiHot',
    'Quantiles',
    'Standardize',
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
    'RatingRows',
    'Ratings',
    'Schema',
    'Table',
    'read',
    'read_ratings',
    'Planted',
    'PlantedLog',
    'planted',
    'planted_histories',
    'past_rows',
    'with_history',
    'planted_log',
]
