"""What an edition of the book is: one entry of book.yml, and the words.yml of its folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TABLE = 'book.yml'
WORDS = ('title', 'author', 'copyright', 'license', 'parts', 'name', 'switch', 'read', 'search')
WORDS += ('references', 'missing', 'meant')


@dataclass(frozen=True)
class Edition:
    """One language of the book.

    Attributes
    ----------
    language : str
        Its code, as in a page's `lang`.
    config, toc, chapters : str
        Its files for jupyter-book and its folder, below the project's.
    first : str
        The page that the edition opens with, by its name in the folder.
    parts : tuple of tuples of str
        The other pages in reading order.
    words : dict
        What its readers see outside the pages; those named in `WORDS` are there.
    root : Path
        The project's folder.
    """

    language: str
    config: str
    toc: str
    chapters: str
    first: str
    parts: tuple[tuple[str, ...], ...]
    words: dict
    root: Path

    @property
    def pages(self) -> list[str]:
        """Its pages in reading order, as paths without suffix below the project."""
        names = [self.first, *(name for part in self.parts for name in part)]
        return [f'{self.chapters}/{name}' for name in names]

    @property
    def notebooks(self) -> list[Path]:
        """Its notebooks in reading order."""
        paths = [self.root / f'{page}.ipynb' for page in self.pages]
        return [path for path in paths if path.exists()]

    def numbered(self, part: tuple[str, ...]) -> bool:
        """Whether the pages of a part are chapters with a number: where one of them is executed."""
        return any((self.root / self.chapters / f'{name}.ipynb').exists() for name in part)

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each chapter, by its name in the folder."""
        names = [name for part in self.parts if self.numbered(part) for name in part]
        return {name: number for number, name in enumerate(names, 1)}

    def page_in(self, other: Edition, page: str) -> str:
        """The name of one of its pages in another edition."""
        return page.replace(f'{self.chapters}/', f'{other.chapters}/', 1)


@dataclass(frozen=True)
class Book:
    """All editions, in the table's order, and the one for readers of any other language."""

    editions: tuple[Edition, ...]
    otherwise: Edition
    root: Path
    code: str = ''  # the language that code speaks

    def of(self, language: str) -> Edition:
        """The edition in this language; ValueError where there is none."""
        for edition in self.editions:
            if edition.language == language:
                return edition
        raise ValueError(f'{TABLE} has no edition in {language!r}: add one to its editions.')

    def others(self, edition: Edition) -> list[Edition]:
        """The editions but this one."""
        return [one for one in self.editions if one != edition]


def _words(root, entry, parts):
    path = root / entry['chapters'] / 'words.yml'
    if not path.exists():
        raise ValueError(f'{path.relative_to(root)} is not there: begin with a copy of another.')
    words = yaml.safe_load(path.read_text(encoding='utf-8'))
    missing = [key for key in WORDS if not words.get(key)]
    if missing:
        raise ValueError(f'{path.relative_to(root)} has no {missing[0]}: give it one.')
    if len(words['parts']) != parts:
        raise ValueError(
            f'{path.relative_to(root)} names {len(words["parts"])} parts but {TABLE} has {parts}: '
            'give each its name.'
        )
    return words


def read(root: Path = ROOT) -> Book:
    """The book as its table has it.

    Raises ValueError, in one sentence, where a file or a word is missing.
    """
    table = yaml.safe_load((root / TABLE).read_text(encoding='utf-8'))
    parts = tuple(map(tuple, table['parts']))
    editions = tuple(
        Edition(
            **entry,
            first=table['first'],
            parts=parts,
            words=_words(root, entry, len(parts)),
            root=root,
        )
        for entry in table['editions']
    )
    book = Book(editions, editions[0], root, table.get('code', table['otherwise']))
    return replace(book, otherwise=book.of(table['otherwise']))


BOOK = read()
EDITIONS = BOOK.editions
