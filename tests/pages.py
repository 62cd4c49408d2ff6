"""What the tests of the text share: the chapters, and the Markdown of a page."""

import notebooks
import pytest

from chapters import toc_notebooks

BOOKS = [
    pytest.param(path, id=f'{path.parent.name}-{path.stem}')
    for language in ('ko', 'en')
    for path in toc_notebooks(language)
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
