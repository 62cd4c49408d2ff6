"""MXNet on this NumPy: what it is given, that NumPy stays as it was, and what refusals say.

What is imported when matters here, so most tests run a program of their own.
"""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

from d2lrec import compat

import mxnet as mx
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPAT = ROOT / 'd2lrec' / 'compat.py'
OLD = not compat.old_names()  # MXNet needs nothing here

# What people set on NumPy themselves, so that MXNet imports.
BY_HAND = """
import numpy, warnings
warnings.simplefilter('ignore')
for name in ('PZERO NZERO NINF PINF NAN NaN Inf alltrue in1d mirr msort npv pmt ppmt pv rate '
             'trapz sometrue product round_ bool int').split():
    if not hasattr(numpy, name):
        setattr(numpy, name, {'bool': bool, 'int': int}.get(name, 0.0))
import sys, types
version = types.ModuleType('distutils.version')
version.LooseVersion = version.StrictVersion = str
sys.modules['distutils'] = types.ModuleType('distutils')
sys.modules['distutils.version'] = version
"""


def run(program, folder=None, *, flags=('-W', 'ignore')):
    """What a new Python prints that runs the program: with a folder, there and without d2lrec."""
    environment = {**os.environ, 'PYTHONPATH': str(folder or ROOT), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        [sys.executable, *flags, '-c', program],
        cwd=folder or ROOT,
        env=environment,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def alone(tmp_path):
    """A folder that holds a copy of the one file."""
    shutil.copy(COMPAT, tmp_path / 'compat.py')
    return tmp_path


# --- NumPy stays as it was


@pytest.mark.parametrize('name', ['d2lrec', 'd2lrec.compat'])
def test_numpy_keeps_its_names_and_its_printing(name):
    # the names of a module's own files (numpy.typing) appear when somebody imports them
    program = f"""
import numpy, pandas, types
before = {{k: v for k, v in vars(numpy).items()}}
shown = repr([numpy.int64(4), numpy.float32(.1), numpy.array([1., 2.])])
import {name}, mxnet
after = dict(vars(numpy))
new = [k for k in after if k not in before and not isinstance(after[k], types.ModuleType)]
changed = [k for k in before if after.get(k) is not before[k]]
again = repr([numpy.int64(4), numpy.float32(.1), numpy.array([1., 2.])])
print(new, changed, shown == again, numpy is mxnet.numpy)
"""
    assert run(program) == '[] [] True False'


def test_only_names_that_numpy_lacks_are_added():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        assert [name for name in compat.old_names() if hasattr(np, name)] == []


def numpy_names(path):
    """Names of NumPy that one file of MXNet reads, `linalg.norm` as `linalg`."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    modules, names = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == 'numpy'}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, 'id', None) in modules:
            names.add(node.attr)
    return names


def test_every_name_that_mxnet_reads_is_there_and_no_other_is_added():
    from mxnet.numpy_dispatch_protocol import _NUMPY_ARRAY_FUNCTION_LIST

    read = {name.partition('.')[0] for name in _NUMPY_ARRAY_FUNCTION_LIST}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for path in Path(mx.__file__).parent.rglob('*.py'):
            read |= numpy_names(path)
        lacking = {name for name in read if not hasattr(np, name)}
    assert lacking - {'version'} == set(compat.old_names())


@pytest.mark.skipif(not OLD, reason='this NumPy needs the names')
def test_nothing_is_done_where_nothing_is_needed():
    assert (
        run("""
import sys, numpy
import d2lrec, mxnet.numpy.utils
told = [type(finder).__module__ for finder in sys.meta_path]
print('d2lrec.compat' not in told, mxnet.numpy.utils.onp is numpy)
""")
        == 'True True'
    )


@pytest.mark.skipif(OLD, reason='this NumPy has the names')
def test_names_mean_what_they_meant():
    names = compat.old_names()
    a = np.array([[3, 1], [2, 4]])
    for name, args, expected in [
        ('alltrue', (a > 1,), False),
        ('sometrue', (a > 3,), True),
        ('product', (a,), 24),
        ('msort', (a,), [[2, 1], [3, 4]]),
        ('round_', (1.26, 1), 1.3),
        ('in1d', (a, [1, 2]), [False, True, True, False]),
        ('trapz', ([1, 2, 3],), 4.0),
    ]:
        if name in names:
            np.testing.assert_equal(names[name](*args), expected, name)
    assert names.get('PINF', np.inf) == np.inf and names.get('NINF', -np.inf) == -np.inf
    for name in {'npv', 'rate'} & set(names):
        with pytest.raises(NotImplementedError, match=f'numpy.{name}.*is gone'):
            names[name]()


# --- MXNet works


ALL_MODULES = """
import {name}, importlib, pkgutil, mxnet
for module in ('mxnet.gluon.contrib.estimator', 'mxnet.gluon.contrib.nn', 'mxnet.contrib.text',
               'mxnet.image', 'mxnet.recordio', 'mxnet.rnn', 'mxnet.gluon.model_zoo'):
    importlib.import_module(module)
print('done')
"""


def test_modules_imported_later_work_too():
    assert run(ALL_MODULES.format(name='d2lrec')) == 'done'


I = np.int64
A = mx.np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    'call, shape',
    [
        (lambda: mx.np.split(A, tuple(np.array([1, 3])), axis=I(1))[1], (3, 2)),
        (lambda: mx.np.zeros((I(2), 3)), (2, 3)),
        (lambda: A.reshape((I(2), I(6))), (2, 6)),
        (lambda: A.transpose((I(1), I(0))), (4, 3)),
        (lambda: A.sum(axis=(I(0),)), (4,)),
        (lambda: mx.np.tile(A, (I(2), 1)), (6, 4)),
        (lambda: mx.np.pad(A, ((0, I(1)), (0, 0))), (4, 4)),
        (lambda: mx.np.random.normal(0, np.float32(0.1), size=(I(2), I(3))), (2, 3)),
        (lambda: mx.np.random.uniform(size=I(3)), (3,)),
        (lambda: mx.np.random.choice(I(5), I(3)), (3,)),
        (lambda: mx.npx.one_hot(mx.np.array([1]), I(3)), (1, 3)),
        (lambda: mx.nd.slice(mx.nd.ones((3, 3)), (I(0), None), (I(2), None)), (2, 3)),
        (lambda: mx.npx.fully_connected(A, A, num_hidden=I(3), no_bias=np.bool_(True)), (3, 3)),
    ],
)
def test_numpy_scalars_as_parameters(call, shape):
    assert call().shape == shape


def test_numpy_scalars_in_the_symbol_interface():
    x = mx.sym.var('x', shape=(I(2), I(3)))
    assert x.attr('__shape__') == '(2, 3)'
    part = mx.sym.np.split(x.as_np_ndarray(), (I(1), I(2)), axis=I(1))[0]
    assert part.infer_shape()[1] == [(2, 1)]
    net = mx.gluon.nn.Dense(I(3), in_units=I(2))
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    assert net(mx.np.ones((4, 2))).shape == (4, 3)
    assert mx.gluon.Parameter('w', shape=(I(2), 3)).var().attr('__shape__') == '(2, 3)'


@pytest.mark.skipif(OLD, reason='MXNet does it itself')
def test_scalars_are_spelled_as_numpy_1_did():
    from mxnet._ctypes import ndarray

    for value, text in [
        ((I(4), 2), '(4, 2)'),
        ([np.float32(0.1), None], '[0.1, None]'),
        ((I(4),), '(4,)'),
        (((I(1), 2), [np.bool_(True)]), '((1, 2), [True])'),
        (('a', 1.5), "('a', 1.5)"),
        (I(4), '4'),
        (np.float64(1e-8), '1e-08'),
        ('a', 'a'),
    ]:
        assert ndarray.str(value) == text
    assert isinstance('a', ndarray.str) and not isinstance(1, ndarray.str)


def test_record_with_several_labels(tmp_path):
    header = mx.recordio.IRHeader(0, [4.0, 5.0], 7, 0)
    read, content = mx.recordio.unpack(mx.recordio.pack(header, b'abc'))
    assert read.label.tolist() == [4.0, 5.0] and read.id == 7 and content == b'abc'


@pytest.mark.skipif(OLD, reason='nothing is done to MXNet')
def test_numpy_reads_an_array_of_mxnet():
    for array in mx.nd.array([1, 2]), mx.np.array([1, 2]):
        assert np.asarray(array).tolist() == [1.0, 2.0]
        assert np.asarray(array, dtype='int32').dtype == 'int32'
        assert np.all(array == array)
        with pytest.raises(ValueError, match='copied'):
            np.array(array, copy=False)
    assert np.array([mx.np.array(2.0), mx.np.array(3.0)]).tolist() == [2.0, 3.0]
    assert type(np.float32(2) * mx.np.array([1.0])) is mx.np.ndarray
    assert type(np.mean(mx.np.array([1.0]))) is mx.np.ndarray


def test_loader_with_workers():
    assert (
        run("""
import d2lrec, mxnet as mx, numpy
data = mx.gluon.data.ArrayDataset(numpy.arange(8.), numpy.arange(8.))
loader = mx.gluon.data.DataLoader(data, batch_size=4, num_workers=1)
print([x.shape for x, y in loader])
""")
        == '[(4,), (4,)]'
    )


def test_code_of_the_older_book_imports():
    pytest.importorskip('d2l')
    assert (
        run('import d2lrec; from d2l import mxnet as d2l; print(d2l.Module.__name__)') == 'Module'
    )


# --- on its own, and after MXNet


def test_the_file_works_alone(alone):
    program = """
import compat, sys, mxnet as mx, numpy as np
print(mx.np.split(mx.np.arange(4), (np.int64(1),))[1].tolist(), 'd2lrec' in sys.modules)
"""
    assert run(program, alone) == '[1.0, 2.0, 3.0] False'


@pytest.mark.skipif(OLD, reason='MXNet imports by itself')
def test_mxnet_that_failed_before_works_after():
    program = """
import numpy as np
for _ in range(2):
    try:
        import mxnet
    except Exception as error:
        print(type(error).__name__)
import d2lrec as d2l
import mxnet as mx
net = mx.gluon.nn.Dense(2)
net.initialize()
with mx.autograd.record():
    loss = net(mx.np.ones((1, 3))).sum()
loss.backward()
print(mx.np.zeros((np.int64(2),)).shape, net.weight.grad().shape)
"""
    lines = run(program, flags=('-W', 'error::UserWarning:none')).splitlines()
    assert lines[-1] == '(2,) (2, 3)' and len(lines) == 3
    assert 'MXNet was imported before d2lrec and failed' in run(
        program.replace(
            'import d2lrec as d2l',
            """
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter('always')
    import d2lrec
print([str(w.message) for w in told if 'import d2lrec first' in str(w.message)])
""",
        )
    )


def test_mxnet_that_was_imported_before_is_mended():
    program = (
        BY_HAND
        + """
import mxnet as mx
function = mx.np.random.uniform
import d2lrec
import numpy as np, mxnet.gluon.contrib.estimator
print(mx.np.split(mx.np.arange(4), (np.int64(1),))[1].shape, function(size=np.int64(3)).shape,
      mx.sym.var('x', shape=(np.int64(2),)).attr('__shape__'))
"""
    )
    assert run(program) == '(3,) (3,) (2,)'


def test_other_modules_are_found_as_ever():
    assert run("""
import d2lrec, sys, importlib.util, numpy
print(importlib.util.find_spec('mxnet_of_mine'), importlib.util.find_spec('mxnet').name)
import json.tool, numpy.linalg
from numpy import int64
print(sys.modules['numpy'] is numpy)
""").split() == ['None', 'mxnet', 'True']


# --- refusals


REFUSED = """
import platform
platform.system, platform.machine = lambda: {system!r}, lambda: {machine!r}
platform.libc_ver = lambda *_: ({libc!r}, '')
try:
    import compat
except ImportError as error:
    print(type(error).__name__, error.name, error)
import sys
assert not [name for name in sys.modules if name.startswith('mxnet')]
"""


def refusal(folder, raising, system='Linux', machine='x86_64', libc='glibc', version=None):
    """What the file says where MXNet's import ends in that statement."""
    (folder / 'mxnet').mkdir()
    (folder / 'mxnet' / 'base.py').write_text(raising)
    (folder / 'mxnet' / '__init__.py').write_text('from . import base')
    if version:
        info = folder / f'mxnet-{version}.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: mxnet\nVersion: {version}\n')
    said = run(REFUSED.format(system=system, machine=machine, libc=libc), folder)
    kind, name, sentence = said.split(' ', 2)
    assert (kind, name) == ('ImportError', 'mxnet') and len(said.splitlines()) == 1
    assert not re.search(r'\.\s+[A-Z]', sentence), 'one sentence'
    return sentence


def missing(library):
    return f'raise OSError("{library}: cannot open shared object file: No such file or directory")'


ABSENT = 'raise ModuleNotFoundError("No module named \'mxnet\'", name="mxnet")'


@pytest.mark.parametrize(
    'library, debian, fedora',
    [('libquadmath.so.0', 'libquadmath0', 'libquadmath'), ('libgomp.so.1', 'libgomp1', 'libgomp')],
)
def test_a_missing_system_library_is_named_with_its_package(alone, library, debian, fedora):
    said = refusal(alone, missing(library))
    assert library in said
    assert f'apt-get install {debian} ' in said and f'dnf install {fedora} ' in said


def test_another_missing_library_is_named(alone):
    assert 'libcudart.so.11.0' in refusal(alone, missing('libcudart.so.11.0'))


def test_no_mxnet_gets_the_command_that_installs_it(alone):
    said = refusal(alone, ABSENT)
    assert said == 'MXNet is not installed: pip install --no-deps mxnet==1.9.1'


def test_a_package_that_mxnet_needs_is_named(alone):
    said = refusal(alone, 'raise ModuleNotFoundError("No module named x", name="requests")')
    assert said.endswith('pip install requests')


@pytest.mark.parametrize('raising', [ABSENT, 'raise OSError("libmxnet.so: invalid ELF header")'])
@pytest.mark.parametrize(
    'system, machine, libc',
    [
        ('Darwin', 'arm64', ''),
        ('Windows', 'AMD64', ''),
        ('Linux', 'aarch64', 'glibc'),
        ('Linux', 'x86_64', ''),
    ],
)
def test_a_machine_without_a_wheel_is_told_where_it_runs(alone, raising, system, machine, libc):
    said = refusal(alone, raising, system, machine, libc, version='1.6.0')
    assert f'no working wheel for {system}' in said and machine in said and 'Colab' in said
    assert 'pip install' not in said and ('without glibc' in said) == (machine == 'x86_64')


def test_a_missing_library_on_a_machine_without_a_wheel(alone):
    said = refusal(alone, missing('libarmpl_lp64_mp.so'), machine='aarch64')
    assert 'no working wheel' in said


def test_another_version_of_mxnet_is_told(alone):
    said = refusal(alone, 'raise AttributeError("x")', version='1.5.1')
    assert said == (
        'MXNet 1.5.1 is installed where 1.9.1 is needed: pip install --no-deps mxnet==1.9.1'
    )


def test_any_other_failure_names_the_versions(alone):
    said = refusal(alone, 'raise AttributeError("no such thing")', version='1.9.1')
    assert np.__version__ in said and 'MXNet 1.9.1' in said and 'no such thing' in said


def test_importing_again_after_a_refusal(alone):
    refusal(alone, ABSENT)
    shutil.rmtree(alone / 'mxnet')
    assert run('import compat, mxnet; print(mxnet.__version__)', alone) == '1.9.1'


def test_it_is_the_first_import_of_the_package():
    module = ast.parse((ROOT / 'd2lrec' / '__init__.py').read_text(encoding='utf-8'))
    first = next(n for n in module.body if isinstance(n, (ast.Import, ast.ImportFrom)))
    assert ast.unparse(first) == 'from . import compat'
    assert importlib.import_module('d2lrec').compat is compat


def test_a_pyarrow_that_wants_another_numpy_is_told():
    program = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == 'pyarrow':
            raise ImportError('pyarrow requires NumPy 2.0 or newer, found 1.23.5')
sys.meta_path.insert(0, Finder())
try:
    import d2lrec
except ImportError as error:
    print(error)
"""
    said = run(program)
    assert 'found 1.23.5' in said and "pip install 'pyarrow<26'" in said and said.count('\n') == 0
