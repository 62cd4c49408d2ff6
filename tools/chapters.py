"""How a chapter is executed, and the way to the site's extension; shared by the tools."""

import os
import re
import sys
import time
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# Here alone: the other tools, and pytest by its configuration, find the extension from then on.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / '_ext'))

from d2lrec_site import addresses, cache_key, heads, use_own_kernel  # noqa: F401
from d2lrec_site.editions import BOOK, EDITIONS, ROOT  # noqa: F401

REPORTS = ROOT / '_build' / 'reports'


class Progress:
    """One line a chapter and ten seconds: cells done and seconds."""

    def __init__(self, label, cells):
        self.label, self.cells, self.begun, self.said = label, cells, time.time(), time.time()
        self.show(0)

    def show(self, done):
        now = time.time()
        line = f'  {self.label}: {done}/{self.cells} cells, {now - self.begun:.0f} s'
        last = done == self.cells
        if done == 0 or last or now - self.said > 10:
            self.said = now
            print(line, flush=True)


def _label(path):
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def execute(path):
    """Executes a notebook in its own folder and returns it with outputs, and the seconds.

    An error in a cell ends the program: the cell and the error are shown and kept in a report.
    """
    use_own_kernel()
    os.environ['D2LREC_LANGUAGE'] = (
        BOOK.code
    )  # what code says itself: each edition's pages translate it
    os.environ['D2LREC_PAGE'] = path.stem
    notebook = nbformat.read(path, as_version=4)
    code = [
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == 'code' and cell.source.strip()
    ]
    label = _label(path)
    progress = Progress(label, len(code))
    done = []

    def cell_done(cell, cell_index, **_):
        if cell_index in code:
            done.append(cell_index)
            progress.show(len(done))

    # Recorded timings would enter the cells' metadata, and with it the cache's key.
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name='python3',
        record_timing=False,
        extra_arguments=['--IPKernelApp.log_level=40'],
        resources={'metadata': {'path': str(path.parent)}},
        on_cell_executed=cell_done,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        REPORTS.mkdir(parents=True, exist_ok=True)
        report = REPORTS / f'{path.parent.name}-{path.stem}.log'
        report.write_text(re.sub(r'\x1b\[[0-9;]*m', '', str(error)), encoding='utf-8')
        sys.exit(f'\n{error}\n{label} stopped at the cell above; the report is in {report}.')
    return notebook, time.time() - progress.begun


def executed(path):
    """The notebook with outputs: those kept for this library and this code, else of a run now."""
    cache = get_cache(cache_key.cache_folder(ROOT))
    cache.change_cache_limit(100)
    try:
        record, notebook = cache.merge_match_into_notebook(nbformat.read(path, as_version=4))
        kept = cache.get_cache_record(record).created
        print(f'  {_label(path)}: outputs of {kept:%Y-%m-%d %H:%M} (UTC) kept', flush=True)
    except KeyError:
        notebook, seconds = execute(path)
        cache.cache_notebook_bundle(
            CacheBundleIn(notebook, str(path), data={'execution_seconds': seconds}),
            check_validity=False,
            overwrite=True,
        )
    return notebook
