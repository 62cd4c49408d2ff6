"""What comes in: named data sets, datasets of ids, batches."""
from .batches import BatchLoader, get_dataloader_workers
from .ctr import CTRDataset, load_vocab

__all__ = ['BatchLoader', 'get_dataloader_workers', 'CTRDataset', 'load_vocab']
