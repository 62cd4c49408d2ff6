"""The first-steps page's PyTorch and Keras code is benchmarks/frameworks.py's, and runs alike."""

import importlib.util
import os
import re
import subprocess
import sys
import textwrap

import pytest
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
    python = os.environ.get('D2LREC_PARITY_PYTHON')
    if not python:
        missing = [m for m in ('torch', 'keras') if importlib.util.find_spec(m) is None]
        if missing:
            pytest.skip(
                f'no {" nor ".join(missing)} here: name an interpreter that has them in '
                'D2LREC_PARITY_PYTHON (benchmarks/parity.py says how to make it)'
            )
        python = sys.executable
    run = subprocess.run(
        [python, SCRIPT],
        text=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
