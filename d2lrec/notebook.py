"""What a notebook shows: figures as SVG in the page's own font, and words in its language.

`d2l.plot.use_style()` calls `begin`; outside IPython it does nothing.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from .check.words import notebook_language
from .phrases import phrasebook

__all__ = ['begin']


def begin() -> None:
    """Show this notebook's figures as the book does, and what its cells print in its language.

    The language is that of `d2l.check.language`, the folder the notebook lies in, or the computer,
    if `d2lrec.phrases` has its words. Figures become SVG, tables of pandas and printed lines are
    told; what a cell computes stays as it is. A second call changes nothing more.

    Examples
    --------
    >>> begin()  # no notebook here: nothing happens
    >>> type(sys.stdout).__name__ == '_Told'
    False
    """
    shell = _shell()
    if shell is None:
        return
    import matplotlib as mpl

    if 'inline' in mpl.get_backend():  # it sets the formats when it is imported: before us
        import matplotlib_inline.backend_inline  # noqa: F401
    _take_formats(shell)
    if not getattr(shell, '_d2lrec_tells', False):
        shell._d2lrec_tells = True
        shell.events.register('pre_run_cell', _listen)
        shell.events.register('post_run_cell', _leave)


def _shell() -> Any:
    if 'IPython' not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if getattr(shell, 'display_formatter', None) else None


def _take_formats(shell):
    from matplotlib.figure import Figure

    formatters = shell.display_formatter.formatters
    formatters['image/svg+xml'].for_type(Figure, _figure)
    for kind in ('image/png', 'image/jpeg'):
        formatters[kind].pop(Figure, None)
    for module in ('pandas', 'pandas.core.frame'):  # its home since pandas 3, and before
        formatters['text/html'].for_type_by_name(module, 'DataFrame', _table)


def _figure(figure):
    from .plot import as_svg

    return as_svg(figure, language=notebook_language())


def _table(frame):
    import pandas as pd

    with pd.option_context('display.max_colwidth', None):  # a film's title whole
        text = frame._repr_html_()
    book = phrasebook(notebook_language())
    return text if book is None or text is None else book.markup(text)


class _Told(io.TextIOBase):
    """Whole lines that are written go on told; a piece of a line goes on as it is at a flush.

    A text of several lines waits for the end of its last one, so that all of them line up.
    """

    def __init__(self, stream, book):
        self.stream, self.book, self.kept = stream, book, ''

    def write(self, text):
        self.kept += text
        if self.kept.endswith('\n'):
            self.stream.write(self.book.text(self.kept))
            self.kept = ''
        return len(text)

    def flush(self):
        whole, end, piece = self.kept.rpartition('\n')
        if self.kept:
            self.stream.write((self.book.text(whole) if end else '') + end + piece)
            self.kept = ''
        self.stream.flush()

    def __getattr__(self, name):  # isatty, encoding, fileno ... of the stream itself
        return getattr(self.stream, name)


def _listen(*_):
    _take_formats(_shell())  # a pyplot imported since has put its own there
    book = phrasebook(notebook_language())
    if book is not None and not isinstance(sys.stdout, _Told):
        sys.stdout = _Told(sys.stdout, book)


def _leave(*_):
    if isinstance(sys.stdout, _Told):
        told, sys.stdout = sys.stdout, sys.stdout.stream
        told.flush()
