"""make lock: requirements.txt anew, from the requirements of pyproject.toml.

One file serves every Python and machine named below. A package has one line for each version that
is needed, with the Pythons it is for, and the checksums of the wheels that can be installed there;
a package without a wheel for one of them is an error. `uv` resolves, in a folder thrown away after.
"""

import itertools
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import tomllib

try:
    from packaging import tags
    from packaging.markers import Marker
    from packaging.utils import canonicalize_name, parse_wheel_filename
except ModuleNotFoundError:  # pip carries the same package
    from pip._vendor.packaging import tags
    from pip._vendor.packaging.markers import Marker
    from pip._vendor.packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
UV = 'uv==0.13.9'
PYTHONS = [(3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14)]
PLATFORMS = {
    'linux': [f'manylinux_2_{minor}_x86_64' for minor in range(28, 4, -1)]
    + ['manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64', 'linux_x86_64'],
    'darwin': list(tags.mac_platforms((15, 0), 'x86_64')),
}
# Python, first and last patch of it, system.
EVERYWHERE = [(p, patch, s) for p in PYTHONS for patch in (0, 99) for s in PLATFORMS]

HEADER = """\
# Every package of the book at one version, with the checksums of its files: `make lock` writes this
# from pyproject.toml, where each direct requirement has its reason. It serves Python {pythons}
# on Linux (x86_64, glibc) and on Intel Macs. Install it whole, as what MXNet and d2l ask for is out
# of date: pip install --require-hashes --no-deps -r requirements.txt
"""


def direct_requirements():
    """(heading, [(requirement, reason)]) of pyproject.toml, in its order."""
    text = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    project = tomllib.loads(text)

    def reasons(requirements):
        found = []
        for requirement in requirements:
            match = re.search(rf'^ *# (.+)\n *"{re.escape(requirement)}"', text, re.MULTILINE)
            if not match:
                raise SystemExit(f'pyproject.toml: {requirement} has no comment above it')
            found.append((requirement, match[1]))
        return found

    extras = project['project']['optional-dependencies']
    return [
        ('the framework and the older book', reasons(project['dependency-groups']['frozen'])),
        ('the library itself', reasons(project['project']['dependencies'])),
        ('the chapters', reasons(extras['notebook'])),
        ('the site', reasons(extras['book'])),
        ('the tests', reasons(extras['test'])),
        (
            'the build of the project itself',
            [(r, 'installs d2lrec in place') for r in project['build-system']['requires']],
        ),
    ]


def resolve(requirements):
    """What uv says of the requirements: the packages of a pylock.toml."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        venv.create(folder / 'venv', with_pip=True)
        python = folder / 'venv' / 'bin' / 'python'
        subprocess.run([python, '-m', 'pip', 'install', '--quiet', UV], check=True)
        (folder / 'direct.in').write_text('\n'.join(requirements))
        first = '.'.join(map(str, PYTHONS[0]))
        command = 'pip compile --quiet --universal --format pylock.toml --output-file'.split()
        subprocess.run(
            [python, '-m', 'uv', *command, folder / 'pylock.toml', '--python-version', first]
            + ['--no-build', folder / 'direct.in'],
            cwd=ROOT,  # whose [tool.uv] it follows
            check=True,
        )
        return tomllib.loads((folder / 'pylock.toml').read_text(encoding='utf-8'))['packages']


def environment(python, patch, system):
    """What markers see on that Python and system."""
    version = '.'.join(map(str, python))
    return {
        'python_version': version,
        'python_full_version': f'{version}.{patch}',
        'implementation_name': 'cpython',
        'platform_python_implementation': 'CPython',
        'sys_platform': system,
        'platform_system': system.capitalize(),
        'platform_machine': 'x86_64',
        'os_name': 'posix',
    }


def where(marker):
    """Those of `EVERYWHERE` for which the marker holds."""
    if not marker:
        return EVERYWHERE
    return [e for e in EVERYWHERE if Marker(marker).evaluate(environment(*e))]


def checksums_of(package, wanted):
    """Checksums of the wheels that fit one of the wanted (Python, system), older libraries too."""
    wheels = {}
    for wheel in package.get('wheels', []):
        name = wheel.get('name') or wheel['url'].rpartition('/')[2]
        wheels[name] = (parse_wheel_filename(name)[3], wheel['hashes']['sha256'])
    chosen = set()
    for python, system in wanted:
        fitting = {
            *tags.cpython_tags(python, platforms=PLATFORMS[system]),
            *tags.compatible_tags(python, platforms=PLATFORMS[system]),
        }
        found = {checksum for kinds, checksum in wheels.values() if kinds & fitting}
        if not found:
            raise SystemExit(
                f'{package["name"]} {package["version"]} has no wheel for Python '
                f'{".".join(map(str, python))} on {system}'
            )
        chosen |= found
    return sorted(chosen)


def short_marker(marker):
    """The fewest conditions that hold in those of `EVERYWHERE` in which the marker of uv does."""
    wanted = where(marker)
    conditions = [f'sys_platform == "{system}"' for system in PLATFORMS]
    for sign in ('<', '>='):
        conditions += [f'python_version {sign} "{a}.{b}"' for a, b in PYTHONS[1:]]
    for sign, version in re.findall(r"python_full_version (<|>=) '(\d+\.\d+\.\d+)'", marker):
        conditions.append(f'python_full_version {sign} "{version}"')
    within = {}  # conditions joined by `and` that hold nowhere else, the fewest first
    for number in range(4):
        for chosen in itertools.combinations(conditions, number):
            found = frozenset(where(' and '.join(chosen)))
            if found and found <= frozenset(wanted):
                within.setdefault(found, ' and '.join(chosen))
    for number in (1, 2, 3):
        for chosen in itertools.combinations(within, number):
            if frozenset().union(*chosen) == frozenset(wanted):
                return ' or '.join(within[part] for part in chosen)
    raise SystemExit(f'{marker}: more than a line can say')


def lines_of(packages):
    """{name: text} with one requirement a version, its marker and its checksums."""
    lines = {}
    for package in packages:
        marker = package.get('marker', '')
        wanted = {(python, system) for python, _, system in where(marker)}
        if not wanted:
            continue
        line, short = f'{package["name"]}=={package["version"]}', short_marker(marker)
        line += f'; {short}' if short else ''
        checksums = checksums_of(package, wanted)
        text = ' \\\n'.join([line, *(f'    --hash=sha256:{c}' for c in checksums)])
        name = canonicalize_name(package['name'])
        lines[name] = lines[name] + '\n' + text if name in lines else text
    return lines


def main():
    sections = direct_requirements()
    lines = lines_of(resolve([r for _, found in sections for r, _ in found]))
    pythons = f'{PYTHONS[0][0]}.{PYTHONS[0][1]} to {PYTHONS[-1][0]}.{PYTHONS[-1][1]}'
    parts = [HEADER.format(pythons=pythons)]
    for heading, requirements in sections:
        parts.append(f'# --- {heading}')
        for requirement, reason in requirements:
            text = lines.pop(canonicalize_name(re.match(r'[\w.-]+', requirement)[0]), None)
            if text:  # one that two sections name stands in the first
                parts.append(f'# {reason}\n{text}')
        parts.append('')
    parts.append('# --- what these need in turn')
    parts += [lines[name] for name in sorted(lines)]
    (ROOT / 'requirements.txt').write_text('\n'.join(parts) + '\n', encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
