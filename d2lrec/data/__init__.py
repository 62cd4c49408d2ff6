"""What comes in: named data sets, datasets of ids, batches."""
from .batches import BatchLoader, get_dataloader_workers
from .ctr import CTRDataset, load_vocab
from .synthetic import Planted, planted

__all__ = ['BatchLoader', 'get_dataloader_workers', 'planted', 'CTRDataset', 'Planted', 'load_vocab']
