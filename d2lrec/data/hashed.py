"""Fields whose values have no list: a stable hash of its text gives each value a bucket.

A list of values grows with the data, and so does the table of vectors beside it. A hash needs no
list, and the table is as long as one says; but values that share a bucket share its vector. Two
hashes, each with a table of its own, tell nearly all values apart again by the pair of buckets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Optional

import numpy as np

from ..arguments import shown
from .json_files import is_whole
from .values import Column, is_missing, numbers_of, text_of

__all__ = ['HashedField']

MOST = 8  # hashes of a column


@dataclass(frozen=True)
class HashedField:
    """A field whose values have as ids the buckets that a hash puts them in.

    The hash is BLAKE2b of the value's text in UTF-8, spelled as `CTRDataset` says: its first
    eight bytes as a whole number, modulo the number of buckets. So it is the same in every
    process, Python and machine. Every value has a bucket, also one that training did not hold and
    the missing one: it is taken for those whose bucket it shares. There is no id of unknown
    values, and no value is too rare.

    A column with several hashes is as many fields. What a net makes of them is its formula: LR
    and FM add up what the fields say, an MLP reads their vectors beside each other.

    Weinberger, Dasgupta, Langford, Smola and Attenberg, Feature Hashing for Large Scale Multitask
    Learning, ICML 2009; two hashes: Zhang et al., Model Size Reduction Using Frequency Based Double
    Hashing for Recommender Systems, RecSys 2020.

    Parameters
    ----------
    name : str
    buckets : int
    kind : 'number' or 'text'
    hash : int
        Which of the column's hashes, from 0.
    column : str, optional
        Of the values; by default `name`.
    met : (int, int), optional
        How many different values the training data held, and how many of these share the bucket,
        and those of the hashes before it, with another. Equality does not look at it.

    Examples
    --------
    >>> town = HashedField('town', 10)
    >>> town.find(['Oslo', 'Rome', 'Oslo']).tolist()
    [0, 4, 0]
    """

    name: str
    buckets: int
    kind: str = 'text'
    hash: int = 0
    column: Optional[str] = None
    met: Optional[tuple] = field(default=None, compare=False, repr=False)
    unknown = None
    counts = None

    def __post_init__(self):
        place = f'the field {self.name!r}'
        if not isinstance(self.name, str) or not isinstance(self.column, (str, type(None))):
            raise ValueError(f'{place} or its column has a name that is no text: name it in words.')
        if self.column is None:
            object.__setattr__(self, 'column', self.name)
        if self.kind not in ('number', 'text'):
            raise ValueError(f"{place} is of the kind {self.kind!r}: choose 'number' or 'text'.")
        if not is_whole(self.buckets) or not 1 <= self.buckets < 2**31:
            raise ValueError(
                f'{place} has {shown(self.buckets)} buckets: give a whole number, 1 or more.'
            )
        if not is_whole(self.hash) or not 0 <= self.hash < MOST:
            raise ValueError(f'{place} has the hash number {shown(self.hash)}: give one from 0.')
        if self.met is not None and (
            not isinstance(self.met, tuple)
            or len(self.met) != 2
            or not all(is_whole(n) and n >= 0 for n in self.met)
        ):
            raise ValueError(f'{place} met {shown(self.met)}: give two whole numbers.')

    def __getstate__(self):  # without what is worked out again
        names = ('name', 'buckets', 'kind', 'hash', 'column', 'met')
        return {name: self.__dict__[name] for name in names}

    @property
    def dim(self) -> int:
        """Number of ids."""
        return self.buckets

    @cached_property
    def values(self) -> tuple:
        """What the buckets are called: the values are not known."""
        return tuple(f'bucket {i}' for i in range(self.buckets))

    @cached_property
    def ids(self) -> Mapping:
        """{(bucket, number of buckets, hash): id}: only of equal hashes are buckets the same."""
        return MappingProxyType({(i, self.buckets, self.hash): i for i in range(self.buckets)})

    def value(self, within: int) -> str:
        """What a bucket is called."""
        return f'bucket {within}'

    def find(self, cells: Sequence[Any]) -> np.ndarray:
        """The bucket of each of a column's cells, as they came."""
        numbers = numbers_of(cells) if self.kind == 'number' else [None] * len(cells)
        return self.buckets_of(
            [
                n if n is not None else '' if is_missing(c) else text_of(c)
                for c, n in zip(cells, numbers)
            ]
        )

    def buckets_of(self, words: Sequence[str]) -> np.ndarray:
        """The bucket of each value, spelled: int64 (n,)."""
        found = np.empty(len(words), np.int64)
        start = hashlib.blake2b(digest_size=8, salt=bytes([self.hash]))
        for i, word in enumerate(words):
            one = start.copy()
            try:
                one.update(word.encode())
            except UnicodeEncodeError:
                raise ValueError(
                    f'{self.column!r} has half a character (a lone surrogate), {word[:40]!a}: read '
                    'the data with its true encoding.'
                ) from None
            found[i] = int.from_bytes(one.digest(), 'big') % self.buckets
        return found

    def extend(self, column: Column, min_threshold: float = 4) -> HashedField:
        """Itself: a new value has a bucket already."""
        return self

    def notes(self) -> str:
        """What there is to say of it in a summary."""
        if self.met is None:
            return ''
        values, share = self.met
        what = 'their bucket' if not self.hash else 'the buckets of all hashes so far'
        return (
            f'; of {values:,} values in the training data {share / max(values, 1):.1%} share {what}'
        )

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        met = None if self.met is None else list(self.met)
        return {'name': self.name, 'kind': self.kind, 'column': self.column, 'hash': self.hash,
                'buckets': self.buckets, 'met': met}  # fmt: skip

    @classmethod
    def from_json(cls, entry: Mapping) -> HashedField:
        """Of what `to_json` gave, every entry checked."""
        met = entry['met']
        met = tuple(met) if isinstance(met, list) else met
        return cls(
            entry['name'], entry['buckets'], entry['kind'], entry['hash'], entry['column'], met
        )


def checked_hashed(hashed: Any, columns: Sequence[str], where: str = 'the data') -> dict:
    """{column: numbers of buckets, one for each hash}; refuse what is none.

    Examples
    --------
    >>> checked_hashed({'town': 100, 'user': [50, 50]}, ['user', 'town'])
    {'town': (100,), 'user': (50, 50)}
    """
    if hashed is None:
        return {}
    give = 'give {column: number of buckets}, or a list of two numbers for two hashes'
    if not isinstance(hashed, Mapping):
        raise ValueError(f'hashed is {shown(hashed)}: {give}.')
    found = {}
    for name, sizes in hashed.items():
        if name not in columns:
            raise ValueError(
                f'hashed names {name!r}, and {where} has no such column of values: it has '
                f'{", ".join(map(str, columns))}.'
            )
        sizes = list(sizes) if isinstance(sizes, (list, tuple, np.ndarray)) else [sizes]
        sizes = [int(s) if isinstance(s, np.integer) else s for s in sizes]
        good = all(is_whole(s) and 1 <= s < 2**31 for s in sizes)
        if not good or not 1 <= len(sizes) <= MOST:
            raise ValueError(f'hashed[{name!r}] is {shown(hashed[name])}: {give}, each 1 or more.')
        found[name] = tuple(sizes)
    return found


def field_names(column: str, sizes: Sequence[int]) -> list[str]:
    """What the fields of a hashed column are called.

    Examples
    --------
    >>> field_names('town', (50, 50))
    ['town', 'town, hash 2']
    """
    return [column if not i else f'{column}, hash {i + 1}' for i in range(len(sizes))]


def hashed_fields(
    column: str, sizes: Sequence[int], kind: str, words: Sequence[str]
) -> list[tuple[HashedField, np.ndarray]]:
    """The fields of a column, and the bucket of each of its different words in each of them."""
    found: list = []
    alike = np.zeros(len(words), np.int64)  # a number for each tuple of buckets so far
    for number, (name, size) in enumerate(zip(field_names(column, sizes), sizes)):
        within = HashedField(name, size, kind, number, column).buckets_of(words)
        _, alike, counts = np.unique(alike * size + within, return_inverse=True, return_counts=True)
        alike = alike.reshape(-1)
        met = len(words), int((counts[alike] > 1).sum())
        found.append((HashedField(name, size, kind, number, column, met), within))
    return found
