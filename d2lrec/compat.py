"""MXNet 1.9.1 on the NumPy and the Python of today.

MXNet's last release says that it needs NumPy below 1.24. Nothing in its compiled part does: only
its Python files read names that NumPy has since dropped, and make texts of NumPy's scalars that
NumPy 2 writes in another way. This file gives MXNet what it misses and then imports it, so that
the newest NumPy and Python run it.

How to use it
-------------
`import d2lrec` does it first of all, and importing `d2lrec.compat` imports `d2lrec` and so does the
same. It needs nothing of this library: copied beside a script of old MXNet code, `import compat`
before that script's `import mxnet` does it too. Where `import mxnet` was tried before and failed,
this warns and imports it; where it was imported and works, it is mended in place.

What it changes
---------------
NumPy: nothing, at no time. `numpy` has the names it had, and prints as it did.

MXNet: its modules see, under the name `numpy`, a module that falls through to NumPy and holds in
addition the names of `old_names`. They see it because each is run with an `__import__` of its own;
so do those that are imported only later. A few get something more, listed in `MENDS` and
`READINGS`: operators take NumPy's scalars as parameters, `numpy.asarray` reads an NDArray.
With a NumPy that lacks nothing and prints as MXNet expects, none of this is done.

Python: one finder stands first in `sys.meta_path`; it answers for MXNet's modules only.

What it cannot do
-----------------
It mends MXNet's own code. A script that itself says `numpy.bool` has to say `bool`, and NumPy 2's
rules hold: 300 is no uint8, and a float32 scalar times a Python number stays float32.

Raises
------
ImportError
    Where MXNet cannot be imported: one sentence with the cause and what to do.

"""

import builtins
import importlib
import importlib.machinery
import multiprocessing
import platform
import re
import sys
import types
import warnings
from importlib import metadata

import numpy

__all__ = ['old_names']

INSTALL = 'pip install --no-deps mxnet==1.9.1'

# Library -> its package in Debian and Ubuntu, and in Fedora.
SYSTEM_LIBRARIES = {
    'libquadmath.so.0': ('libquadmath0', 'libquadmath'),
    'libgomp.so.1': ('libgomp1', 'libgomp'),
    'libstdc++.so.6': ('libstdc++6', 'libstdc++'),
}


def _removed(name):
    """A function that NumPy has dropped with nothing in its place; it says so when called."""

    def gone(*_, **__):
        raise NotImplementedError(
            f'numpy.{name}, which mxnet.numpy.{name} calls, is gone from NumPy '
            f'{numpy.__version__}: use another function.'
        )

    gone.__name__ = gone.__qualname__ = name
    return gone


def old_names() -> dict:
    """The names that MXNet reads from NumPy and that this NumPy lacks, with their values.

    Returns
    -------
    dict of str to object

    Examples
    --------
    >>> import numpy as np
    >>> from d2lrec import compat
    >>> [name for name in compat.old_names() if hasattr(np, name)]
    []

    """

    def in1d(ar1, ar2, assume_unique=False, invert=False, **kwargs):
        return numpy.isin(numpy.ravel(ar1), ar2, assume_unique, invert, **kwargs)

    def alltrue(*args, **kwargs):
        return numpy.all(*args, **kwargs)

    def sometrue(*args, **kwargs):
        return numpy.any(*args, **kwargs)

    def product(*args, **kwargs):
        return numpy.prod(*args, **kwargs)

    def round_(*args, **kwargs):
        return numpy.round(*args, **kwargs)

    def msort(a):
        return numpy.sort(a, axis=0)

    def trapz(*args, **kwargs):
        return numpy.trapezoid(*args, **kwargs)

    functions = (in1d, alltrue, sometrue, product, round_, msort, trapz)
    names = {function.__name__: function for function in functions}
    names.update(bool=bool, int=int, PZERO=0.0, NZERO=-0.0, NaN=numpy.nan, NAN=numpy.nan)
    names.update(Inf=numpy.inf, PINF=numpy.inf, NINF=-numpy.inf)
    names.update(compat=types.SimpleNamespace(basestring=str))
    for name in ('mirr', 'npv', 'pmt', 'ppmt', 'pv', 'rate'):
        names[name] = _removed(name)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # NumPy 1.24 to 1.26 warn of a name that they still lack
        return {name: value for name, value in names.items() if not hasattr(numpy, name)}


class _Overlaid(types.ModuleType):
    """A module as MXNet's modules see it: some names laid over those of another module."""

    def __init__(self, module, names):
        super().__init__(module.__name__, module.__doc__)
        vars(self).update(vars(module))  # found at once, as often as MXNet looks
        vars(self).update(names)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)  # what a module loads only when it is asked


class _Version(tuple):
    """A version as numbers; stands for those of `distutils`, which Python 3.12 dropped."""

    def __new__(cls, text):
        return super().__new__(cls, map(int, re.findall(r'\d+', text)[:3]))


class _Spelling(type):
    def __call__(cls, value=''):
        return str(_plain(value)) if isinstance(value, (tuple, list)) else str(value)

    def __instancecheck__(cls, value):
        return isinstance(value, str)


class _Str(metaclass=_Spelling):
    """Stands for `str`, and spells `(np.int64(4),)` as NumPy 1 did: `(4,)`."""


class _Bare(str):
    """A text that stands in a list without quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


def _plain(value):
    if isinstance(value, numpy.generic):
        return _Bare(value)
    if type(value) in (tuple, list):
        return type(value)(map(_plain, value))
    return value


def _spell(module):
    """Operators take their parameters as texts, and a shape is an attribute as text."""
    module.str = _Str


def _add_array(module):
    """NumPy 2 cannot read an NDArray item by item any more, so that one says what it holds."""

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError('an NDArray is copied when it becomes an array of NumPy')
        array = self.asnumpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    if not hasattr(module.NDArray, '__array__'):
        module.NDArray.__array__ = __array__


def _flatten_sparse(module):
    """SciPy's `sparse.csr.csr_matrix` is `sparse.csr_matrix`; the first warns at every call."""
    if module.spsp:
        module.spsp = _Overlaid(module.spsp, {'csr': module.spsp})


def _fork(module):
    """MXNet's workers are made to be forked, which Python 3.14 does only when it is told."""
    if (
        sys.platform == 'linux'
        and sys.version_info >= (3, 14)
        and multiprocessing.get_start_method(allow_none=True) is None
    ):
        context = multiprocessing.get_context('fork')
        names = {name: getattr(context, name) for name in dir(context) if name[0] != '_'}
        module.multiprocessing = _Overlaid(multiprocessing, names)


# Module -> what is done to it once it has run.
MENDS = {
    'mxnet._ctypes.ndarray': _spell,
    'mxnet._ctypes.symbol': _spell,
    'mxnet.symbol.symbol': _spell,
    'mxnet.io.io': _spell,
    'mxnet.ndarray.ndarray': _add_array,
    'mxnet.ndarray.sparse': _flatten_sparse,
    'mxnet.ndarray.utils': _flatten_sparse,
    'mxnet.gluon.data.dataloader': _fork,
}

# Module -> what stands in its text, and what it reads as.
_SIZE = ('if size == ():', 'if isinstance(size, tuple) and size == ():')  # a NumPy integer is none
READINGS = {
    'mxnet.ndarray.numpy.random': _SIZE,
    'mxnet.ndarray.numpy_extension.random': _SIZE,
    'mxnet.symbol.numpy.random': _SIZE,
    'mxnet.symbol.numpy_extension.random': _SIZE,
    'mxnet.recordio': ('.tostring()', '.tobytes()'),  # the first name is gone from NumPy 2.3
}


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs one module of MXNet with the finder's builtins, and mends it."""

    def __init__(self, finder, name, path):
        super().__init__(name, path)
        self.finder = finder

    def get_code(self, name):
        if name not in READINGS:
            return super().get_code(name)
        text = self.get_source(name).replace(*READINGS[name])
        return self.source_to_code(text, self.path)  # not kept on disk: MXNet's files stay as is

    def source_to_code(self, data, path, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of backslashes in MXNet's texts, from Python 3.12 on
            return super().source_to_code(data, path, **kwargs)

    def exec_module(self, module):
        vars(module)['__builtins__'] = self.finder.builtins
        super().exec_module(module)
        MENDS.get(self.name, id)(module)


class _Finder:
    """Finds MXNet's modules, whenever they are imported, and has a `_Loader` run them."""

    def __init__(self):
        self.numpy = _Overlaid(numpy, old_names())
        self.builtins = dict(vars(builtins), __import__=self._import)

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        if level == 0 and name == 'numpy':
            return self.numpy
        if level == 0 and name == 'distutils.version':
            return types.SimpleNamespace(StrictVersion=_Version, LooseVersion=_Version)
        return builtins.__import__(name, globals, locals, fromlist, level)

    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] != 'mxnet':
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(self, name, spec.loader.path)
        return spec

    def mend(self, module):
        """What the loader would have done to a module that ran before this file."""
        for key, value in list(vars(module).items()):
            if value is numpy:
                setattr(module, key, self.numpy)
        loader = _Loader(self, module.__name__, getattr(module, '__file__', None))
        if module.__name__ in READINGS:
            exec(loader.get_code(module.__name__), vars(module))
        MENDS.get(module.__name__, id)(module)


def _prepare():
    """Put the finder in place and mend what is already imported, where this NumPy needs it."""
    if not old_names() and repr(numpy.int64(4)) == '4' and sys.version_info < (3, 12):
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    for name, module in list(sys.modules.items()):
        if name.partition('.')[0] == 'mxnet' and module is not None:
            finder.mend(module)


def _clear():
    """Forget the modules of an MXNet whose import failed half-way; were there any?"""
    left = [name for name in sys.modules if name.partition('.')[0] == 'mxnet']
    for name in left:
        del sys.modules[name]
    return bool(left)


def _has_wheel():
    """Whether MXNet 1.9.1 has a working wheel for this machine."""
    system = platform.system()
    return platform.machine() in ('x86_64', 'AMD64') and (
        system == 'Darwin' or (system == 'Linux' and platform.libc_ver()[0] == 'glibc')
    )


def _installed():
    """The version of MXNet that is installed, or None."""
    for name in ('mxnet', 'mxnet-cu112', 'mxnet-cu117', 'mxnet-cu110', 'mxnet-cu102'):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return None


def _reason(error):
    """Why MXNet could not be imported and what to do, in one sentence."""
    library = re.search(r'(\S+\.so[.\d]*): cannot open shared object', str(error))
    if library and library[1] in SYSTEM_LIBRARIES:
        debian, fedora = SYSTEM_LIBRARIES[library[1]]
        return (
            f'MXNet needs the system library {library[1]}, which is not installed: '
            f'apt-get install {debian} (Debian, Ubuntu) or dnf install {fedora} (Fedora).'
        )
    if not _has_wheel():
        system = platform.system()
        if system == 'Linux' and platform.machine() == 'x86_64':
            system += ' without glibc'
        return (
            f'MXNet 1.9.1 has no working wheel for {system} on {platform.machine()}, only for '
            'Linux with glibc and macOS, both on x86_64: use Google Colab, WSL on Windows, or a '
            'container with --platform linux/amd64.'
        )
    if isinstance(error, ModuleNotFoundError) and error.name == 'mxnet':
        return f'MXNet is not installed: {INSTALL}'
    if isinstance(error, ModuleNotFoundError):
        name = error.name
        return f'MXNet needs the package {name}, which is not installed: pip install {name}'
    if library:
        return f'MXNet needs the system library {library[1]}, which is not installed.'
    version = _installed()
    if version and version != '1.9.1':
        return f'MXNet {version} is installed where 1.9.1 is needed: {INSTALL}'
    return (
        f'MXNet {version} could not be imported on Python {platform.python_version()} with NumPy '
        f'{numpy.__version__}: {type(error).__name__}: {error}'
    )


def _import_mxnet():
    failed_before = 'mxnet' not in sys.modules and _clear()
    _prepare()
    try:
        importlib.import_module('mxnet')
    except Exception as error:
        _clear()
        raise ImportError(_reason(error), name='mxnet') from error
    if failed_before:
        warnings.warn(
            'MXNet was imported before d2lrec and failed; it is imported now: import d2lrec first.',
            stacklevel=2,
        )


_import_mxnet()
