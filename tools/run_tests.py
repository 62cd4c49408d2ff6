"""make test: builds the book, then the tests, then the chapters' checked outputs."""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from chapters import REPORTS, ROOT, toc_notebooks, use_own_kernel


def stage(name, command, times):
    """Runs one stage with its output shown; true where it succeeded."""
    print(f'\n== {name}', flush=True)
    begun = time.time()
    code = subprocess.call(command, cwd=ROOT)
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
    chapters = [str(p.relative_to(ROOT)) for l in ('ko', 'en') for p in toc_notebooks(l)]
    good = [
        stage('book', [sys.executable, 'tools/build.py'], times),
        stage('tests', [*pytest, 'worksteal', '--durations=10', f'--junitxml={reports[0]}'], times),
        stage(
            'chapters',
            [
                *pytest,
                'loadfile',
                '--nbval-lax',
                '--nbval-current-env',
                f'--junitxml={reports[1]}',
                *chapters,
            ],
            times,
        ),
    ]
    print()
    for name, seconds, code in times:
        print(f'{name:10}{seconds:7.0f} s  {"ok" if code == 0 else f"FAILED ({code})"}')
    passed, failed, skipped = count(reports)
    print(f'{passed} passed, {failed + (not good[0])} failed, {skipped} skipped')
    sys.exit(0 if all(good) else 1)


if __name__ == '__main__':
    main()
