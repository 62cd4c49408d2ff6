"""Check an exercise: one call compares the reader's function with its definition.

    d2l.check.pairwise_term(mine)

answers in a sentence, in the notebook's language, what is right or what is wrong. Each check
takes a function of MXNet or NumPy arrays, calls it on small random arrays and compares what it
returns with the definition, written as loops. Known mistakes are told by name.

Shapes: B rows, F fields, K factors, D dense features, U users, I items.

The checks of a chapter stand in the file of its name, their sentences in `words/`, one file a
language. `d2l.check.language = 'en'` chooses one of them, and `add_language` adds one.
"""

from __future__ import annotations

from typing import Optional

from .autorec import masked_error
from .compare import gauc
from .data import auc, vocabulary
from .dcn import cross_layer
from .deepfm import three_way
from .defects import accumulated_rmse
from .dlrm import dot_interaction, embedding_bag
from .first_steps import logit_loss
from .fm import pairwise_term
from .growth import sparse_update
from .histories import augru_step, past_rows
from .judge import Verdict
from .mf import biased_mf, fold_in
from .own_log import auc_gap, downsampling, top_unseen
from .production import ftrl_weight
from .ranking import bpr_loss
from .scale import merge_shards
from .wide_deep import cross_product
from .words import add_language, notebook_language
from .xdeepfm import cin_layer

__all__ = [
    'Verdict',
    'accumulated_rmse',
    'add_language',
    'auc',
    'auc_gap',
    'augru_step',
    'biased_mf',
    'bpr_loss',
    'cin_layer',
    'cross_layer',
    'cross_product',
    'dot_interaction',
    'downsampling',
    'embedding_bag',
    'fold_in',
    'ftrl_weight',
    'gauc',
    'logit_loss',
    'masked_error',
    'merge_shards',
    'notebook_language',
    'pairwise_term',
    'past_rows',
    'sparse_update',
    'three_way',
    'top_unseen',
    'vocabulary',
]

language: Optional[str] = None  # 'ko' or 'en' here settles what `notebook_language` has to guess
