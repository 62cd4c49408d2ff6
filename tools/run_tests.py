"""make test: the style, the book, the tests, then the chapters' checked outputs."""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from chapters import EDITIONS, REPORTS, ROOT, use_own_kernel

RUFF = [sys.executable, '-m', 'ruff']
STYLE = [[*RUFF, 'check', '--quiet', '.'], [*RUFF, 'format', '--quiet', '--check', '.']]
CURE = """
The style is not the project's: run
    make format
and mend by hand what it still names (make lint shows it without changing anything)."""


def stage(name, commands, times):
    """Runs one stage's commands with their output shown; true where all succeeded."""
    print(f'\n== {name}', flush=True)
    begun = time.time()
    code = max([subprocess.call(command, cwd=ROOT) for command in commands], key=abs)
    times.append((name, time.time() - begun, code))
    return code == 0


def count(reports):
    """Passed, failed and skipped tests of the JUnit files that exist."""
    total = {'tests': 0, 'failures': 0, 'errors': 0, 'skipped': 0}
    for path in reports:
        if path.exists():
            for suite in ET.parse(path).getroot().iter('testsuite'):
                for key in total:
                    total[key] += int(suite.get(key, 0))
    failed = total['failures'] + total['errors']
    return total['tests'] - failed - total['skipped'], failed, total['skipped']


def main():
    use_own_kernel()
    os.environ['D2LREC_SITE'] = 'needed'
    REPORTS.mkdir(parents=True, exist_ok=True)
    reports = [REPORTS / 'tests.xml', REPORTS / 'chapters.xml']
    for path in reports:
        path.unlink(missing_ok=True)
    pytest, times = [sys.executable, '-m', 'pytest', '-q', '-n', '2', '--dist'], []
    # All editions have the same code and checked outputs (tests/test_notebooks.py), and the book's
    # stage ran the first one's notebooks: here the last one's run.
    chapters = [str(p.relative_to(ROOT)) for p in EDITIONS[-1].notebooks]
    if not stage('style', STYLE, times):
        sys.exit(CURE)
    tests = [*pytest, 'worksteal', '--durations=10', f'--junitxml={reports[0]}']
    outputs = [*pytest, 'loadfile', '--nbval-lax', '--nbval-current-env']
    outputs += [f'--junitxml={reports[1]}', *chapters]
    good = [
        stage('book', [[sys.executable, 'tools/build.py']], times),
        stage('tests', [tests], times),
        stage('chapters', [outputs], times),
    ]
    print()
    for name, seconds, code in times:
        print(f'{name:10}{seconds:7.0f} s  {"ok" if code == 0 else f"FAILED ({code})"}')
    passed, failed, skipped = count(reports)
    print(f'{passed} passed, {failed + (not good[0])} failed, {skipped} skipped')
    sys.exit(0 if all(good) else 1)


if __name__ == '__main__':
    main()
