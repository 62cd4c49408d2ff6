"""The first-steps page's PyTorch and Keras code is benchmarks/frameworks.py's, and runs alike."""

import re
import textwrap

import pytest
from helpers import run_beside_peers
from pages import page_text

from chapters import EDITIONS, ROOT

SCRIPT = ROOT / 'benchmarks' / 'frameworks.py'


@pytest.mark.parametrize('edition', EDITIONS, ids=lambda e: e.language)
@pytest.mark.parametrize('name', ['torch', 'keras'])
def test_the_page_shows_the_code_that_is_run(edition, name):
    marked = re.search(rf'(?ms)^ *# --- page: {name}\n(.*?)^ *# --- end$', SCRIPT.read_text())
    code = textwrap.dedent(marked.group(1)).strip()
    assert code in page_text(ROOT / edition.chapters / 'first_steps.ipynb')


def test_all_three_learn_alike():
    run = run_beside_peers(SCRIPT, 'torch', 'keras')
    assert run.returncode == 0, run.stdout + run.stderr
