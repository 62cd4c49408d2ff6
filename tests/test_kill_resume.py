"""Runs that are killed go on to the same bits: three kills of the script's hundred."""

import json
import os
import subprocess
import sys
from pathlib import Path

import d2lrec as d2l

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / 'benchmarks' / 'kill_resume.py'


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs a system with fork')
def test_three_kills(tmp_path):
    """Two devices with dropout and batch normalization; touched rows; an encoding."""
    cases = ['deepfm', 'rows', 'encoding']
    command = [sys.executable, '-W', 'ignore', str(SCRIPT), '--kills', '3', '--most', '1']
    command += ['--cases', *cases]
    root = str(Path(d2l.__file__).resolve().parent.parent)
    run = subprocess.run(
        [*command, '--seed', '5', '--append', str(tmp_path / 'rows')],
        env={**os.environ, 'PYTHONPATH': root},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    rows = [json.loads(line) for line in (tmp_path / 'rows').read_text().splitlines()]
    assert sum(row['kills'] for row in rows) == 3 and {row['case'] for row in rows} == set(cases)
    assert all(row['equal'] for row in rows), run.stdout
    assert not any(row['broken'] or row['litter'] for row in rows), run.stdout
    assert run.stdout.splitlines()[-1].startswith('| **all** |')
