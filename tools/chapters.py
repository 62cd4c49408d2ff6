"""The chapters' files, and how one is executed; shared by build.py and notebooks.py."""

import re
import sys
import time
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / '_ext'))

from d2lrec_site import cache_key, use_own_kernel  # noqa: E402

TOC = {'ko': '_toc.yml', 'en': '_toc.en.yml'}
REPORTS = ROOT / '_build' / 'reports'


def toc_files(language, root=ROOT):
    """The edition's pages in reading order, as paths without suffix below the project."""
    toc = yaml.safe_load((root / TOC[language]).read_text(encoding='utf-8'))
    return [toc['root'], *(entry['file'] for part in toc['parts'] for entry in part['chapters'])]


def toc_notebooks(language, root=ROOT):
    """The edition's notebooks in reading order."""
    paths = [root / f'{page}.ipynb' for page in toc_files(language, root)]
    return [path for path in paths if path.exists()]


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
