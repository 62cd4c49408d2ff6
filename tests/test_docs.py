"""Every public name: types on its signature, a docstring, an example that runs, one API page."""

import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType, SimpleNamespace

import d2lrec

import mxnet as mx
import numpy as np
import pytest
from d2lrec_site import api

from chapters import EDITIONS, ROOT

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
UNKNOWN = inspect.Parameter.empty
PASSED_ON = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def modules():
    """The library's modules, but those that run something when they are imported."""
    names = [m.name for m in pkgutil.walk_packages(d2lrec.__path__, 'd2lrec.')]
    return [importlib.import_module(n) for n in ['d2lrec', *names] if not n.endswith('__main__')]


def public():
    """{module.name: value} of what `d2lrec` and its public modules offer, each where it is made."""
    made = {name: module for module, names in api.contents('d2lrec').items() for name in names}
    found = {}
    for module in modules():
        if any(part.startswith('_') for part in module.__name__.split('.')):
            continue
        for name in getattr(module, '__all__', ()):
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                continue
            home = getattr(value, '__module__', '') if callable(value) else ''
            if not home.startswith('d2lrec'):
                home = made.get(name, module.__name__)
            found[f'{home.removeprefix("d2lrec.")}.{name}'] = value
    return found


PUBLIC = public()
CALLABLE = [pytest.param(v, id=k) for k, v in PUBLIC.items() if callable(v)]
# an error is caught, not called: what it means is all there is to say
CALLED = [
    one
    for one in CALLABLE
    if not (inspect.isclass(one.values[0]) and issubclass(one.values[0], BaseException))
]


def lacks(thing):
    """What a signature leaves untyped; a constructor's return needs no type."""
    try:
        signature = inspect.signature(thing)
    except ValueError:
        return ['a signature']
    parameters = list(signature.parameters.values())
    if parameters and all(p.kind in PASSED_ON for p in parameters):
        return [f'a signature of its own instead of {signature}']
    found = [p.name for p in parameters if p.annotation is UNKNOWN and p.kind != PASSED_ON[1]]
    if not inspect.isclass(thing) and signature.return_annotation is UNKNOWN:
        found.append('return')
    return found


def methods(kind):
    """{name: function} of the public methods and properties that a class writes itself.

    What it takes over from a class of another library (`hybrid_forward`) is described there.
    """
    others = [base for base in kind.__mro__[1:] if not base.__module__.startswith('d2lrec')]
    alien = {name for base in others for name in vars(base)}
    found = {}
    for name, value in vars(kind).items():
        function = value.fget if isinstance(value, property) else getattr(value, '__func__', value)
        if not name.startswith('_') and name not in alien and inspect.isfunction(function):
            found[name] = function
    return found


def examples_of(thing):
    """The examples in a thing's own docstring, without those that are not run."""
    found = doctest.DocTestParser().get_examples(inspect.getdoc(thing) or '')
    return [one for one in found if not one.options.get(doctest.SKIP)]


@pytest.mark.parametrize('thing', CALLED)
def test_signature_has_types(thing):
    missing = lacks(thing)
    assert not missing, f'no type for: {", ".join(missing)}'


@pytest.mark.parametrize('thing', CALLABLE)
def test_has_a_docstring(thing):
    own = thing.__doc__ if not inspect.isclass(thing) else vars(thing).get('__doc__')
    assert own and own.strip(), 'no docstring of its own'
    # what a dataclass writes where there is none
    assert not own.startswith(f'{thing.__name__}('), 'no docstring of its own'


@pytest.mark.parametrize('thing', CALLED)
def test_has_an_example_that_runs(thing):
    assert any(one.want for one in examples_of(thing)), 'no example that shows something'


@pytest.mark.parametrize('kind', [one for one in CALLABLE if inspect.isclass(one.values[0])])
def test_methods_have_types_and_a_docstring(kind):
    found = []
    for name, function in methods(kind).items():
        found += [] if (function.__doc__ or '').strip() else [f'{name}: a docstring']
        # the first is the object itself
        untyped = [one for one in lacks(function) if one not in ('self', 'cls')]
        found += [f'{name}: {one}' for one in untyped]
    assert not found, 'missing: ' + '; '.join(found)


def docstrings():
    finder = doctest.DocTestFinder(exclude_empty=True)
    shared = {'d2l': d2lrec, 'np': np, 'mx': mx}
    for module in modules():
        for test in finder.find(module, extraglobs={**shared, **vars(module)}):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize('test', list(docstrings()))
def test_examples_run(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    said = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert not said, ''.join(said)


def test_no_value_of_numpys_own_is_printed():
    """NumPy 2 writes np.float64(0.5) where NumPy 1 wrote 0.5: an example prints neither."""
    for param in docstrings():
        for one in param.values[0].examples:
            assert 'np.float' not in one.want and 'np.int' not in one.want, param.id


def fields(docstring):
    """(section, what stands before the description, the description) of each field."""
    lines = inspect.cleandoc(docstring or '').split('\n')
    section = None
    for at, line in enumerate(lines):
        if at + 1 < len(lines) and re.fullmatch('-{3,}', lines[at + 1]) and line:
            section = line
        elif line and not line.startswith((' ', '-', '>>>')) and section in FIELDS:
            end = at + 1
            while end < len(lines) and lines[end].startswith(' '):
                end += 1
            yield section, line, ' '.join(one.strip() for one in lines[at + 1 : end])


FIELDS = ('Parameters', 'Attributes', 'Returns', 'Yields')


def torn(docstring):
    """Fields of a docstring that a page would cut in two at the wrong place: the type goes on in
    the next line, or a sentence of what is returned has a colon, which is read as a type's."""
    found, told = [], list(fields(docstring))
    sentence = {  # of several lines, which the page makes one
        one
        for one in ('Returns', 'Yields')
        if not any(said or ' : ' in head for section, head, said in told if section == one)
    }
    for section, head, said in told:
        whole = all(head.count(a) == head.count(b) for a, b in ('()', '[]', '{}'))
        goes_on = head.endswith((',', ';')) or re.match(r'[a-z]{2,}\b', said) and ' : ' in head
        goes_on = goes_on or said and re.search(r' (is|are|the|of|and|or|to|in|where)$', head)
        colon = section in ('Returns', 'Yields') and re.search(r'(?<! ):(?= |$)', head)
        if colon or section not in sentence and (not whole or goes_on):
            found.append(head)
    return found


def test_a_field_of_a_docstring_is_told_whole():
    finder = doctest.DocTestFinder(exclude_empty=False)
    wrong = [
        f'{test.name}: {head}'
        for module in modules()
        for test in finder.find(module)
        for head in torn(test.docstring)
    ]
    assert not wrong, '\n'.join(wrong)
    for text in (
        'x : a dict {name:\n    array}',
        'a, b,\nc : int',
        'x : ids of a net that takes several\n    inputs',
        "x : list; 1 where y is\n    'implicit'",
    ):
        assert torn(f'Parameters\n----------\n{text}'), text
    assert torn('Returns\n-------\nDataFrame with a row a bin: `rows` and more.')
    assert not torn('Parameters\n----------\n*x : (B, F)\n    Numbers.\ny : int\n    `x` of.')


# --- the API pages


@pytest.mark.parametrize('edition', EDITIONS, ids=lambda e: e.language)
def test_every_public_name_is_on_one_api_page(edition):
    shown = [
        f'{module.removeprefix("d2lrec.")}.{name}'
        for page in edition.pages
        if page.rpartition('/')[2].startswith('api_')
        for module, names in api.on_page((ROOT / f'{page}.md').read_text(encoding='utf-8')).items()
        for name in names
    ]
    missing = sorted(set(PUBLIC) - set(shown))
    assert not missing, f'on no API page, name their modules on one: {", ".join(missing)}'
    twice = sorted({one for one in shown if shown.count(one) > 1})
    assert not twice, f'on two API pages: {", ".join(twice)}'
    assert set(shown) == set(PUBLIC)


def test_a_name_is_told_as_it_is_called():
    for module in modules():
        for name in api.contents(module.__name__).get(module.__name__, ()):
            *way, last = api.called(module.__name__, name).split('.')
            at = d2lrec if way[0] == 'd2l' else importlib.import_module('.'.join(way))
            for part in way[1:] if way[0] == 'd2l' else ():
                at = getattr(at, part)
            assert getattr(at, last) is getattr(module, name), (module, name)
    assert api.called('d2lrec.data.batches', 'BatchLoader') == 'd2l.BatchLoader'
    assert api.called('d2lrec.check.fm', 'pairwise_term') == 'd2l.check.pairwise_term'
    assert api.called('d2lrec.files', 'atomic_write') == 'd2lrec.files.atomic_write'


def test_what_opens_a_docstring_stands_in_the_list_of_names():
    assert api.first_sentence('d2lrec.fitting', 'predict').startswith('What the net says')
    assert api.first_sentence('d2lrec.few', 'FEW').startswith('Rows from which on')
    for module in modules():
        for name in api.contents(module.__name__).get(module.__name__, ()):
            said = api.first_sentence(module.__name__, name)
            assert said and not said.endswith('.') and said.count('`') % 2 == 0, (module, name)


@pytest.mark.parametrize('edition', EDITIONS, ids=lambda e: e.language)
def test_what_readers_call_is_not_among_what_is_inside(edition):
    """A name that has a short way from `d2l` stands where readers look for it."""
    texts = {
        page.rpartition('/')[2]: (ROOT / f'{page}.md').read_text(encoding='utf-8')
        for page in edition.pages
        if '/api_' in page
    }
    inside = api.on_page(texts['api_inside'])
    short = [
        api.called(module, name)
        for module, names in inside.items()
        for name in names
        if api.called(module, name).startswith('d2l.')
    ]
    assert short == []


def test_the_library_offers_what_its_rooms_do():
    """`d2l.X` is there, and the same thing, for every model, whatever `__all__` it came from."""
    for name in d2lrec.models.__all__:
        assert getattr(d2lrec, name) is getattr(d2lrec.models, name), name
        assert name in d2lrec.__all__, f'{name} is in models.__all__ but not in d2lrec.__all__'


# --- the finders themselves


def typed(a: int, *, b: str = '') -> int:
    """Has all.

    >>> typed(1)
    1
    """
    return a


def untyped(a, b: int, **kwargs):
    """Has none.

    >>> untyped(1, 2)  # doctest: +SKIP
    """


def shapeless(*args, **kwargs) -> None:
    pass


class Plain:
    def first(self, a) -> None:
        pass

    @property
    def second(self):
        """Has a docstring."""


def test_what_is_missing_is_found():
    assert lacks(typed) == [] and examples_of(typed)
    assert lacks(untyped) == ['a', 'return'] and not examples_of(untyped)
    assert 'of its own' in lacks(shapeless)[0]
    assert set(methods(Plain)) == {'first', 'second'}
    assert lacks(methods(Plain)['first']) == ['self', 'a']


@pytest.mark.parametrize('page', ['d2lrec.nothing', 'd2lrec.data\nd2lrec.no'])
def test_an_api_page_of_no_module_is_refused(page):
    with pytest.raises(ValueError, match='name a module') as refusal:
        api.on_page(f'# x\n\n```{{d2l-api}}\n{page}\n```\n')
    assert '\n' not in str(refusal.value)


def test_a_page_can_leave_modules_to_another():
    text = '```{d2l-api}\nd2lrec\n- d2lrec.data\n- d2lrec.layers\n```'
    shown = api.on_page(text)
    assert 'd2lrec.metrics' in shown and 'd2lrec.layers' not in shown
    assert not any(name.startswith('d2lrec.data') for name in shown)


def test_docstrings_become_what_their_writer_meant():
    lines = ['One line: ids -> logits.', '', 'a = b', 'c = d * e', '', 'Text = more.', '', 'Raises']
    api.tidy(None, 'class', '', None, None, lines)
    assert lines[2:6] == ['.. code-block:: text', '', '    a = b', '    c = d * e']
    assert lines[7] == 'Text = more.'
    lines = ['x', '', 'h_1, ..., h_L = GRU(`v`)', 'logit = MLP(h_L)']
    api.tidy(None, 'class', '', None, None, lines)
    assert lines[4:] == ['    h_1, ..., h_L = GRU(v)', '    logit = MLP(h_L)']
    lines = [
        'x',
        '',
        'Returns',
        '-------',
        'A frame with',
        'a row a bin.',
        '',
        'Raises',
        '------',
        'E',
    ]
    api.tidy(None, 'function', '', None, None, lines)
    assert lines[3:6] == ['-------', 'A frame with a row a bin.', '']
    lines = ['x', '', 'Returns', '-------', 'a : int', 'b : int']
    api.tidy(None, 'function', '', None, None, lines)
    assert lines[-2:] == ['a : int', 'b : int']
    lines = ['The best: or the last.']
    api.tidy(None, 'property', '', None, None, lines)
    assert lines == ['..', '', 'The best: or the last.']
    lines = ['ids ->', 'logits.', '    F.', 'Examples', '>>> FM()', 'Dense(2 -> 1)']
    api.tidy(None, 'class', '', None, None, lines)
    assert lines == ['ids →', 'logits.', '    \\F.', 'Examples', '>>> FM()', 'Dense(2 -> 1)']
    assert api.shorten(None, 0, 0, 0, 0, '(a: dict = <factory>)', None) == ('(a: dict = ...)', None)


def test_a_named_tuple_describes_its_fields():
    tuples = [
        (module, one)
        for module, names in api.contents('d2lrec').items()
        for one in (getattr(importlib.import_module(module), name) for name in names)
        if isinstance(one, type) and issubclass(one, tuple) and hasattr(one, '_fields')
    ]
    assert len(tuples) > 3
    for module, one in tuples:
        said = re.findall(r'^([\w, ]+) : ', inspect.getdoc(one), re.MULTILINE)
        assert set(one._fields) <= set(', '.join(said).split(', ')), (module, one)
        field = vars(one)[one._fields[0]]
        assert api.leave_out(None, 'class', one._fields[0], field, False, None) is True


def test_a_page_is_made_of_its_modules():
    source = ['# x\n\n```{d2l-api}\nd2lrec.data.hub\n```\n']
    app = SimpleNamespace(config=SimpleNamespace(language='en'))
    api.write_out(app, 'x', source)
    assert '## `d2lrec.data.hub`' in source[0] and '.. automodule:: d2lrec.data.hub' in source[0]
    assert 'd2l-api' not in source[0] and '`d2l.fetch <d2lrec.data.hub.fetch>`' in source[0]
    assert 'fetch' in api.contents('d2lrec.data.hub')['d2lrec.data.hub']
