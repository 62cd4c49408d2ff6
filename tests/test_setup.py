"""Set-up: its refusals, which Python it takes, the pins, and what makes the build run again."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import build
import lock
import pytest
from d2lrec_site import cache_key
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from chapters import ROOT

try:
    import tomllib
except ModuleNotFoundError:  # Python < 3.11 has none; pip carries the same parser
    from pip._vendor import tomli as tomllib

SETUP = ROOT / 'tools' / 'setup.sh'
TOOLS = ('sh', 'dirname', 'cat', 'cksum', 'rm', 'env', 'mkdir', 'cp', 'chmod')

# Makes the folder a virtual environment would be, with a pip that only notes its arguments.
FAKE_VENV = """#!/bin/sh
case "$*" in
*"import sys, venv, ensurepip"*) exit {right} ;;
esac
for last; do :; done
echo "{name} $*" >>calls
mkdir -p "$last/bin"
printf '#!/bin/sh\\necho "pip $*" >>calls\\nexit ${{FAKE_PIP:-0}}\\n' >"$last/bin/python"
chmod +x "$last/bin/python"
"""


class Machine:
    """A project folder and a PATH that hold only what a test puts there."""

    def __init__(self, folder):
        self.project, self.bin = folder / 'a project', folder / 'bin'
        (self.project / 'tools').mkdir(parents=True)
        self.bin.mkdir()
        for name in ('requirements.txt', 'pyproject.toml', 'tools/setup.sh'):
            shutil.copy(ROOT / name, self.project / name)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.fake('getconf', 'echo glibc 2.36')
        self.platform('Linux', 'x86_64')

    def fake(self, name, body):
        path = self.bin / name
        path.write_text(body if body.startswith('#!') else f'#!/bin/sh\n{body}\n')
        path.chmod(0o755)

    def platform(self, system, machine):
        self.fake('uname', f'[ "$1" = -s ] && echo {system} || echo {machine}')

    def python(self, name, right=True):
        self.fake(name, FAKE_VENV.format(name=name, right=0 if right else 1))

    def setup(self, **environment):
        return subprocess.run(
            ['sh', 'tools/setup.sh'],
            cwd=self.project,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={'PATH': str(self.bin), **environment},
        )

    def calls(self):
        path = self.project / 'calls'
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def assert_refuses(machine, *says):
    """One sentence on stderr, a code that is not 0, and nothing made."""
    done = machine.setup()
    lines = done.stderr.strip().splitlines()
    assert done.returncode != 0 and done.stdout == '' and len(lines) == 1, done
    assert re.search(r'\.$', lines[0]) and not re.search(r'\.\s+[A-Z]', lines[0]), lines[0]
    for word in says:
        assert word in lines[0]
    assert not (machine.project / '.venv').exists() and machine.calls() == []


@pytest.mark.parametrize(
    'system, processor',
    [('Linux', 'aarch64'), ('Darwin', 'arm64'), ('MINGW64_NT-10.0', 'x86_64'), ('Linux', 'i686')],
)
def test_platform_without_a_wheel_is_refused(machine, system, processor):
    machine.python('python3')
    machine.platform(system, processor)
    assert_refuses(machine, processor, 'Dockerfile', 'linux/amd64', 'Colab', 'WSL')


def test_linux_without_glibc_is_refused(machine):
    machine.python('python3')
    machine.fake('getconf', 'exit 1')
    assert_refuses(machine, 'glibc', 'Dockerfile')


def test_no_python_that_the_pins_serve_is_refused(machine):
    machine.python('python3', right=False)
    assert_refuses(machine, 'one of Python 3.9 to 3.14', 'uv', 'Dockerfile', 'Colab')


@pytest.mark.parametrize(
    'pythons, taken',
    [
        ({'python3': True, 'python3.13': True}, 'python3'),
        ({'python3': False, 'python3.9': True}, 'python3.9'),
        ({'python3.12': True}, 'python3.12'),
        ({'python3': False, 'python3.10': True, 'python3.13': True}, 'python3.13'),
    ],
)
def test_a_python_that_the_pins_serve_is_found(machine, pythons, taken):
    for name, right in pythons.items():
        machine.python(name, right)
    done = machine.setup()
    assert done.returncode == 0, done
    assert machine.calls()[0] == f'{taken} -m venv .venv'


@pytest.mark.parametrize('minor', [8, 9, 10, 11, 12, 13, 14, 15])
def test_which_pythons_are_taken(minor):
    check = re.search(r"^check='(.+)'$", SETUP.read_text(), re.MULTILINE)[1]
    said = f'import sys; sys.version_info = (3, {minor}, 0); exec({check!r})'
    code = subprocess.run([sys.executable, '-c', said]).returncode
    assert (code == 0) == ((3, minor) in lock.PYTHONS)


def test_uv_brings_a_python(machine):
    machine.python('python3', right=False)
    machine.python('uv')
    assert machine.setup().returncode == 0
    assert machine.calls()[0] == 'uv venv --seed --python 3.13 .venv'


def test_uv_that_fails_is_explained(machine):
    machine.fake('uv', 'echo no network >&2; exit 2')
    done = machine.setup()
    assert done.returncode != 0 and 'no network' in done.stderr and 'python3.13' in done.stderr


def test_macos_on_intel_is_taken(machine):
    machine.platform('Darwin', 'x86_64')
    machine.fake('getconf', 'exit 1')
    machine.python('python3')
    assert machine.setup().returncode == 0


def test_second_run_does_nothing_and_changes_install_again(machine):
    machine.python('python3')
    assert machine.setup().returncode == 0
    first = machine.calls()
    assert [c.split()[0] for c in first] == ['python3', 'pip', 'pip']
    assert '--require-hashes --no-deps -r requirements.txt' in first[1] and '--no-deps' in first[2]
    again = machine.setup()
    assert (again.returncode, again.stdout, machine.calls()) == (0, '', first)
    for name in ('requirements.txt', 'pyproject.toml'):
        with open(machine.project / name, 'a') as file:
            file.write('# changed\n')
        before = len(machine.calls())
        machine.setup()
        assert len(machine.calls()) == before + 3, name


def test_half_finished_install_is_redone(machine):
    machine.python('python3')
    assert machine.setup(FAKE_PIP='1').returncode != 0
    assert not (machine.project / '.venv' / 'd2lrec.stamp').exists()
    before = len(machine.calls())
    assert machine.setup().returncode == 0
    assert machine.calls()[before].startswith('python3 -m venv')


# --- pins


def pinned():
    """[(Requirement, checksums, the comment above)] of requirements.txt, in its order."""
    found, comment = [], ''
    text = (ROOT / 'requirements.txt').read_text(encoding='utf-8').replace(' \\\n', ' ')
    for line in text.splitlines():
        if line.startswith('#') or not line:
            comment = line.strip('# ')
        else:
            requirement, *checksums = line.split(' --hash=sha256:')
            found.append((Requirement(requirement.strip()), checksums, comment))
    return found


def pins():
    """{name: Requirement} of requirements.txt, for this platform."""
    return {
        canonicalize_name(requirement.name): requirement
        for requirement, *_ in pinned()
        if requirement.marker is None or requirement.marker.evaluate()
    }


def test_every_requirement_is_pinned_with_its_files():
    for requirement, checksums, _ in pinned():
        assert re.fullmatch(r'==[\w.]+', str(requirement.specifier)), requirement
        assert checksums and all(re.fullmatch('[0-9a-f]{64}', c.strip()) for c in checksums)
    assert '://' not in (ROOT / 'requirements.txt').read_text(encoding='utf-8')


@pytest.mark.parametrize('python, patch, system', lock.EVERYWHERE)
def test_each_package_has_one_version_everywhere(python, patch, system):
    there = [
        canonicalize_name(requirement.name)
        for requirement, *_ in pinned()
        if not requirement.marker
        or requirement.marker.evaluate(lock.environment(python, patch, system))
    ]
    assert len(there) == len(set(there)) and len(there) > 100


def test_direct_requirements_say_why_as_pyproject_does():
    reasons = {canonicalize_name(r.name): comment for r, _, comment in pinned()}
    seen = set()
    for _, requirements in lock.direct_requirements():
        for requirement, reason in requirements:
            name = canonicalize_name(Requirement(requirement).name)
            if name not in seen:
                assert reasons[name] == reason, name
            seen.add(name)
    for name in set(pins()) - seen:
        assert reasons[name] == '--- what these need in turn', name


def test_pins_are_what_pyproject_asks_for():
    for _, requirements in lock.direct_requirements():
        for wanted in map(Requirement, (r for r, _ in requirements)):
            name = canonicalize_name(wanted.name)
            for requirement, *_ in pinned():
                if canonicalize_name(requirement.name) == name:
                    version = next(iter(requirement.specifier)).version
                    assert wanted.specifier.contains(version), requirement


def test_installed_packages_are_the_pinned_ones():
    if Path(sys.prefix).resolve() != (ROOT / '.venv').resolve():
        pytest.skip("not run by the project's own .venv")
    different = {
        name: importlib.metadata.version(name)
        for name, pin in pins().items()
        if not pin.specifier.contains(importlib.metadata.version(name))
    }
    assert not different


def test_library_imports_nothing_it_does_not_ask_for():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
    optional = project['optional-dependencies']['fast']  # what works without them, too
    asked = {Requirement(line).name for line in project['dependencies'] + optional}
    asked = {'sklearn' if name == 'scikit-learn' else name for name in asked} | {'mxnet'}
    for path in (ROOT / 'd2lrec').rglob('*.py'):
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.partition('.')[0])
        # IPython: only what is called inside a notebook imports it
        alien = (
            found
            - asked
            - set(sys.stdlib_module_names)
            - {'d2lrec', 'IPython', 'matplotlib_inline'}
        )
        assert not alien, f'{path.name}: {alien}'


# --- what makes the build run again


@pytest.fixture
def tree(tmp_path):
    """A small project with every kind of file that a page is made of."""
    for name in (
        'd2lrec/models/fm.py',
        'd2lrec/__init__.py',
        'chapters/ko/fm.ipynb',
        'chapters/en/fm.ipynb',
        'img/fm.svg',
        '_ext/page.css',
        'tools/build.py',
        'requirements.txt',
        '_config.yml',
        '_config.en.yml',
        '_toc.yml',
        '_toc.en.yml',
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    'name, executes',
    [
        ('d2lrec/models/fm.py', True),
        ('requirements.txt', True),
        ('d2lrec/new.py', True),
        ('chapters/ko/fm.ipynb', False),
        ('img/fm.svg', False),
        ('_config.en.yml', False),
        ('_ext/page.css', False),
    ],
)
def test_what_a_change_sets_going(tree, name, executes):
    library, site = cache_key.library_key(tree), build.site_key(tree)
    assert (library, site) == (cache_key.library_key(tree), build.site_key(tree))
    with open(tree / name, 'a') as file:
        file.write('changed')
    assert (cache_key.library_key(tree) != library) == executes
    assert build.site_key(tree) != site


@pytest.mark.parametrize(
    'name',
    [
        'd2lrec/__pycache__/fm.pyc',
        'README.md',
        'tests/test_x.py',
        'chapters/ko/.ipynb_checkpoints/fm.ipynb',
    ],
)
def test_what_sets_nothing_going(tree, name):
    before = cache_key.library_key(tree), build.site_key(tree)
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text('new')
    assert (cache_key.library_key(tree), build.site_key(tree)) == before


def test_renaming_a_module_is_a_change(tree):
    before = cache_key.library_key(tree)
    (tree / 'd2lrec/models/fm.py').rename(tree / 'd2lrec/models/fm2.py')
    assert cache_key.library_key(tree) != before


def test_project_is_found_from_anywhere(tmp_path):
    (tmp_path / 'd2lrec').mkdir()  # as beside a clone
    done = subprocess.run(
        [sys.executable, '-c', 'import d2lrec; print(d2lrec.__file__)'],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        env={k: v for k, v in os.environ.items() if k != 'PYTHONPATH'},
    )
    assert Path(done.stdout.strip()).resolve() == ROOT / 'd2lrec' / '__init__.py', done.stderr
