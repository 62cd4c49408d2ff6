"""What the tests of the text share: the chapters, and the Markdown of a page."""

import notebooks
import pytest

from chapters import EDITIONS

BOOKS = [
    pytest.param(edition, path, id=f'{edition.language}-{path.stem}')
    for edition in EDITIONS
    for path in edition.notebooks
]


def markdown(book):
    """The text cells of a notebook."""
    return '\n\n'.join(cell.source for cell in book.cells if cell.cell_type == 'markdown')


def page_text(path):
    """The Markdown of a page, whose path has no suffix or any: of its notebook, if it is one."""
    book = path.with_suffix('.ipynb')
    return (
        markdown(notebooks.read(book))
        if book.exists()
        else path.with_suffix('.md').read_text(encoding='utf-8')
    )
