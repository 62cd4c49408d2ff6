"""What the README and its fellows say: its Python runs, its addresses are the project's."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from d2lrec_site import addresses

from chapters import BOOK, EDITIONS, ROOT

README = (ROOT / 'README.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'^```python\n(.*?)^```$', README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with clicks.csv of users and items that suit each other more or less."""
    rng, rows = np.random.default_rng(0), 4000
    frame = pd.DataFrame(
        {
            'user': rng.integers(0, 100, rows),
            'item': rng.integers(0, 50, rows),
            'hour': rng.integers(0, 24, rows),
            'price': rng.gamma(2, 10, rows).round(2),
        }
    )
    user, item = rng.normal(size=100)[frame.user], rng.normal(size=50)[frame.item]
    frame['click'] = (rng.random(rows) < 1 / (1 + np.exp(-user - item))).astype(int)
    path = tmp_path_factory.mktemp('readme')
    frame.to_csv(path / 'clicks.csv', index=False)
    return path


@pytest.mark.parametrize('block', BLOCKS, ids=range(len(BLOCKS)))
def test_the_python_of_the_readme_runs(block, folder):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        [sys.executable, '-c', block], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    if 'evaluate' in block:
        assert float(re.search(r"'auc': ([\d.]+)", done.stdout)[1]) > 0.6
        assert (folder / 'clicks.d2l').exists()


def test_both_halves_of_the_readme_run_the_same_code():
    bare = [re.sub(r' +#.*', '', block) for block in BLOCKS]
    half = len(bare) // 2
    assert half and bare[:half] == bare[half:]
    shell = re.findall(r'^```bash\n(.*?)^```$', README, flags=re.MULTILINE | re.DOTALL)
    assert shell[: len(shell) // 2] == shell[len(shell) // 2 :]


def test_addresses_of_the_project_are_those_of_pyproject():
    files = ['README.md', 'CITATION.cff', '.binder/requirements.txt']
    files += [f'{one.chapters}/{page}.md' for one in EDITIONS for page in ('index', 'install')]
    for name in files:
        text = (ROOT / name).read_text(encoding='utf-8')
        for found in re.findall(r'https://[^\s)"`\']*d2lrec(?:/d2lrec)?[^\s)"`\']*', text):
            assert found.startswith(addresses.REPOSITORY), (name, found)
    pictures = re.findall(r'!\[[^\]]+\]\(([^)]+)\)', README)
    assert pictures
    for picture in pictures:  # absolute: the package index shows this file too
        assert picture.startswith(addresses.raw('')), picture
        assert (ROOT / picture[len(addresses.raw('')) :]).exists(), picture


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r'\]\((?!https?:|#)([^)#]+)\)', README):
        assert (ROOT / target).exists(), target


def test_the_citation_names_this_version():
    import d2lrec

    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
    assert citation['version'] == d2lrec.__version__
    assert BOOK.of('en').words['author'] == citation['authors'][0]['name']
    changes = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    assert re.search(r'^## (.+)$', changes, flags=re.MULTILINE)[1] == d2lrec.__version__


def test_the_map_names_folders_and_files_that_are_there():
    table = README.partition('## What is where')[2].partition('\n## ')[0]
    for row in re.findall(r'^\| (`.+?) \|', table, flags=re.MULTILINE):
        paths = re.findall(r'`([^`]+)`', row)
        folder = paths[0].rpartition('/')[0] if paths[0].endswith('.py') else ''
        for path in paths:
            near = [path, f'{folder}/{path}', f'd2lrec/{path}']
            assert any((ROOT / one).exists() for one in near), path
