"""What the tests of the text share: the chapters, and the Markdown of a page."""

import pytest
from d2lrec_site.anchors import page_text  # noqa: F401  what the site reads

from chapters import EDITIONS

BOOKS = [
    pytest.param(edition, path, id=f'{edition.language}-{path.stem}')
    for edition in EDITIONS
    for path in edition.notebooks
]


def markdown(book):
    """The text cells of a notebook."""
    return '\n\n'.join(cell.source for cell in book.cells if cell.cell_type == 'markdown')
