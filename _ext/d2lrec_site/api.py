"""The API pages: of each package or module that a page names, every public name and its docstring.

A page says `{d2l-api}` and, a line each, packages and modules; one after a minus is left out of
the packages before it. Public is what `__all__` says, a module's own or, where it has none, its
package's. A name stands where it is made, once. Above them stands a list of them all, as they are
called, each with its docstring's first sentence.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import re
from functools import lru_cache
from types import ModuleType

from d2lrec.check.words import FALLBACK  # the language of the docstrings

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import _
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

from d2lrec_site.anchors import page_text
from d2lrec_site.editions import BOOK

BLOCK = re.compile(r'^```\{d2l-api\}\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def _is_made_here(module, name):
    value = vars(module).get(name)
    if isinstance(value, ModuleType):
        return False
    if callable(value) and hasattr(value, '__module__'):
        return value.__module__ == module.__name__
    return name in _assigned(module)


@lru_cache
def _assigned(module):
    """Names that the module's own code gives a value: a constant does not know its module."""
    found = set()
    for node in ast.parse(inspect.getsource(module)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, 'target', None)]
        found.update(target.id for target in targets if isinstance(target, ast.Name))
    return found


def _inner(module):
    """The public modules of a package in the order in which its `__all__` has their names."""
    if not hasattr(module, '__path__'):
        return []
    names = [found.name for found in pkgutil.iter_modules(module.__path__)]
    modules = [
        importlib.import_module(f'{module.__name__}.{name}')
        for name in names
        if not name.startswith('_')
    ]
    order = _public(module)

    def place(inner):
        return min((order.index(n) for n in order if _is_made_here(inner, n)), default=len(order))

    return sorted(modules, key=place)


def _public(module):
    parent = module.__name__.rpartition('.')[0]
    if not hasattr(module, '__all__') and parent:
        return _public(importlib.import_module(parent))
    return list(getattr(module, '__all__', ()))


def contents(name):
    """{name of a module: the public names it defines}, of a module or all those of a package."""
    module = importlib.import_module(name)
    own = [one for one in _public(module) if _is_made_here(module, one)]
    found = {name: own} if own else {}
    for inner in _inner(module):
        found.update(contents(inner.__name__))
    return found


def on_page(text):
    """{name of a module: names} that a page's text asks for.

    Raises ValueError where it names what is no module.
    """
    found = {}
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            name = line.removeprefix('-').strip()
            try:
                named = contents(name)
            except ModuleNotFoundError as error:
                if not f'{name}.'.startswith(f'{error.name}.'):
                    raise
                raise ValueError(
                    f'{{d2l-api}}: there is no {name}: name a module of the library.'
                ) from None
            if line.startswith('-'):
                found = {key: value for key, value in found.items() if key not in named}
            else:
                found.update(named)
    return found


def _comment(module, name):
    """The lines of the comment `#:` above a constant."""
    return ModuleAnalyzer.for_module(module).find_attr_docs().get(('', name), [])


LONG = 60  # letters; a longer value of a constant is left to its comment


def _section(module, names):
    constants = [
        one for one in names if not callable(getattr(importlib.import_module(module), one))
    ]
    members = ', '.join(one for one in names if one not in constants)
    lines = [f'## `{module}`', '', '```{eval-rst}', f'.. automodule:: {module}']
    lines += [f'   :members: {members}'] if members else []
    for one in constants:
        value = getattr(importlib.import_module(module), one)
        lines += ['', f'.. py:currentmodule:: {module}', '', f'.. py:data:: {one}']
        lines += [f'   :type: {type(value).__name__}']
        lines += [f'   :value: {value!r}'] if len(repr(value)) <= LONG else []
        lines += ['']
        lines += [f'   {line}' for line in _comment(module, one)]
    return '\n'.join([*lines, '```'])


def called(module, name):
    """How code calls what a module defines, by the shortest way from `d2l`.

    >>> called('d2lrec.data.batches', 'BatchLoader'), called('d2lrec.check.fm', 'pairwise_term')
    ('d2l.BatchLoader', 'd2l.check.pairwise_term')
    >>> called('d2lrec.files', 'atomic_write')
    'd2lrec.files.atomic_write'
    """
    library = importlib.import_module('d2lrec')
    room = module.split('.')[1] if '.' in module else ''
    value = getattr(importlib.import_module(module), name)
    if name in library.__all__ and getattr(library, name) is value:
        return f'd2l.{name}'
    if room in library.__all__ and name in getattr(getattr(library, room), '__all__', ()):
        return f'd2l.{room}.{name}'
    return f'{module}.{name}'


def first_sentence(module, name):
    """What a name's docstring begins with, a constant's comment; without its stop."""
    value = getattr(importlib.import_module(module), name)
    text = inspect.getdoc(value) if callable(value) else '\n'.join(_comment(module, name))
    opening = ' '.join(text.partition('\n\n')[0].split())
    return re.split(r'\.(?= [A-Z`])|\.$|:$', opening.replace(' -> ', ' → '), maxsplit=1)[0]


def _overview(found):
    lines = ['```{eval-rst}', '.. container:: d2l-names', '']
    names = [(called(module, name), module, name) for module in found for name in found[module]]
    for shown, module, name in sorted(names, key=lambda one: one[0].startswith('d2lrec.')):
        lines += [f'   :py:obj:`{shown} <{module}.{name}>`']
        lines += [f'      {first_sentence(module, name)}', '']
    return '\n'.join([*lines, '```'])


def _homes(edition):
    """The page of each module, so that an address of before leads to where its name stands now."""
    homes = {}
    for page in edition.pages:
        if '/api_' in page:
            text = page_text(edition.root / page)
            homes.update((module, page.rpartition('/')[2]) for module in on_page(text))
    script = f'<script type="application/json" class="d2l-homes">{json.dumps(homes)}</script>'
    return f'```{{raw}} html\n{script}\n```'


def write_out(app, docname, source):
    """Puts in the place of each `{d2l-api}` a list of names, then sections for autodoc."""
    if '```{d2l-api}' not in source[0]:
        return

    def sections(match):
        found = on_page(match.group())
        return '\n\n'.join([_overview(found), *(_section(*one) for one in found.items())])

    source[0] = BLOCK.sub(sections, source[0]) + '\n' + _homes(BOOK.of(app.config.language)) + '\n'


FORMULA = re.compile(r'(?:[^=`.:]|\.\.\.){1,30} = \S')


def tidy(app, what, name, obj, options, lines):
    """Before napoleon reads a docstring: its formulas keep their lines, a property its colon."""
    for start, end in reversed(list(_paragraphs(lines))):
        text = lines[start:end]
        if FORMULA.match(text[0]) and text[0][:1].strip() and not text[-1].endswith(('.', ':')):
            text = [line.replace('`', '') for line in text]
            lines[start:end] = ['.. code-block:: text', '', *(f'    {line}' for line in text)]
    shown = lines.index('Examples') if 'Examples' in lines else len(lines)
    for at, line in enumerate(lines[:shown]):  # an arrow that no line break cuts in two;
        line = re.sub(r'(?<!\S)->(?!\S)', '→', line)  # and `F.` is a letter of the
        lines[at] = re.sub(r'^(\s+)([A-Za-z]\.)(?=\s|$)', r'\1\\\2', line)  # shapes, no item
    for at, line in enumerate(lines[:-1]):  # a sentence of several lines is one thing returned
        if line in ('Returns', 'Yields') and set(lines[at + 1]) == {'-'}:
            end = next((n for n in range(at + 2, len(lines)) if not lines[n].strip()), len(lines))
            said = lines[at + 2 : end]
            if not any(one[:1].isspace() or ' : ' in one for one in said):
                lines[at + 2 : end] = [' '.join(said)]
                break
    if what in ('attribute', 'data', 'property'):
        lines[:0] = ['..', '']  # else its first line is read as `type: description`


def leave_out(app, what, name, obj, skip, options):
    """A named tuple's field has no words of its own: those of its class describe it."""
    return True if type(obj).__name__ == '_tuplegetter' else None


def _paragraphs(lines):
    """(start, end) of each run of lines between empty ones, up to the first section or example."""
    start = None
    for n, line in enumerate([*lines, '']):
        if re.fullmatch(r'\s*-{3,}\s*', line) or line.lstrip().startswith('>>>'):
            return
        if line.strip():
            start = n if start is None else start
        elif start is not None:
            yield start, n
            start = None


ARRAY_LIKE = re.compile(
    r'(?:[\w.~]*Buffer \| )?[\w.~]*_SupportsArray\[.*?_NestedSequence\[(?:[\w.~]+ \| )*[\w.~]+\]'
)


def shorten(app, what, name, obj, options, signature, returns):
    """A default that has no source, such as a dataclass's factory, as three dots.

    `ArrayLike` stays the one word that stands in the source: NumPy's union takes six lines.
    """
    signature = re.sub(r'= <[^<>]*>', '= ...', signature or '') or None
    return tuple(ARRAY_LIKE.sub('ArrayLike', one) if one else one for one in (signature, returns))


def link_by_name(app, env, node, content):
    """A name in backticks leads to where it is described, whichever module that is in.

    A single word is a function, class or constant that code can call by a short way, or one on
    the same page: else a parameter may have the name of one inside the library.
    """
    target = node.get('reftarget', '')
    if (node.get('refdomain'), node.get('reftype')) != ('py', 'obj') or '(' in target:
        return None
    objects = env.get_domain('py').objects
    parts = re.sub(r'^(d2lrec|d2l)\.', '', target).split('.')
    found = full_name(parts)
    found = found if found in objects else described(objects, parts)
    if not found:
        return None
    entry = objects[found]
    if len(parts) == 1 and (
        entry.objtype not in ('class', 'function', 'data', 'exception')
        or entry.docname.endswith('api_inside')
        and entry.docname != node['refdoc']
    ):
        return None
    return make_refnode(app.builder, node['refdoc'], entry.docname, entry.node_id, content, found)


def unlink_itself(app, doctree, docname):
    """In a name's description the name leads nowhere: it is here."""
    for described in doctree.findall(addnodes.desc):
        own = {name for signature in described[:-1] for name in signature.get('ids', ())}
        for link in list(described[-1].findall(nodes.reference)):
            if link.get('refid', link.get('refuri', '').rpartition('#')[2]) in own:
                link.replace_self(link.children)


SHAPE = re.compile(r'\([A-Z1-9][\w*+· -]{0,8}(?:, ?[\w*+· -]{1,9}){0,3},?\)')


def mark_words(app, doctree, docname):
    """A shape, (B, F, K), stays on one line; what is not in the page's language says so."""
    for description in doctree.findall(addnodes.desc_content):
        for text in list(description.findall(nodes.Text)):
            if isinstance(text.parent, (nodes.literal_block, nodes.doctest_block)):
                continue
            told = SHAPE.sub(lambda match: match[0].replace(' ', '\u00a0'), text)
            if told != text:
                text.parent.replace(text, nodes.Text(told))
        if app.config.language != FALLBACK:
            for paragraph in description.findall(nodes.paragraph):
                if f'language-{FALLBACK}' not in paragraph['classes']:
                    paragraph['classes'].append(f'language-{FALLBACK}')


NAME = re.compile(r'd2l\.([A-Za-z_][\w.]*)')


def link_mentions(app, doctree, docname):
    """A name of the library in a chapter's text, `d2l.fit(...)`, leads to where it is described."""
    if app.builder.format != 'html' or '/api_' in docname:
        return
    objects = app.env.get_domain('py').objects
    for literal in list(doctree.findall(nodes.literal)):
        match = NAME.match(literal.astext())
        inside = literal.parent
        while inside is not None and not isinstance(inside, (nodes.reference, nodes.title)):
            inside = inside.parent
        if not match or inside is not None:
            continue
        parts = match[1].rstrip('.').split('.')
        found = full_name(parts)
        if found not in objects:
            found = described(objects, parts)
        if found:
            entry = objects[found]
            link = make_refnode(
                app.builder, docname, entry.docname, entry.node_id, literal.deepcopy(), found
            )
            literal.replace_self(link)


def full_name(parts):
    """Where what `d2l.<parts>` is was made: 'd2lrec.fitting.fit'; None for what is not there."""
    value = importlib.import_module('d2lrec')
    for part in parts:
        value = getattr(value, part, None)
    module, name = (getattr(value, key, None) for key in ('__module__', '__qualname__'))
    return f'{module}.{name}' if module and name else None


def described(objects, parts):
    """The full name of what `d2l.<parts>` is among the described objects; None where none is it.

    >>> described({'d2lrec.fitting.fit': 1, 'd2lrec.plot.fit': 2}, ['plot', 'fit'])
    'd2lrec.plot.fit'
    """
    last = parts[-1]
    names = [name for name in objects if name.rpartition('.')[2] == last]
    best = [name for name in names if set(parts) <= set(name.split('.'))]
    if len(parts) == 1 and len(best) > 1:  # a function or class rather than somebody's method
        best = [name for name in best if objects[name].objtype in ('class', 'function', 'data')]
    return best[0] if len(best) == 1 else None


def name_fields(app, doctree):
    """A section of napoleon that its own catalogue does not know, such as Attributes, is told.

    So is what a module raises: Sphinx tells that of functions and classes alone.
    """
    own = BOOK.of(app.config.language).words.get('theme', {})
    for field in doctree.findall(nodes.field_name):
        raised = re.fullmatch(r'raises (\w+)', field.astext())
        if raised:
            field[:] = [nodes.Text(_('Raises'))]
            for said in field.parent[-1].findall(nodes.paragraph):
                said[:0] = [nodes.strong('', raised[1]), nodes.Text(' – ')]
                break
        if field.astext() in own:
            field[:] = [nodes.Text(own[field.astext()])]
