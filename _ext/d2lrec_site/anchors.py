"""Addresses of sections: the same in every edition, readable, and unmoved by a new heading.

A heading's address is made of the words of its twin in the edition for readers of no other
language. So `#what-lr-cannot-do` names one section in all editions, and the switch of languages
keeps a reader's place.
"""

import re

import nbformat
from docutils import nodes

from d2lrec_site.editions import BOOK

HEADING = re.compile(r'^(#{1,6})\s+(.+?)\s*#*\s*$')
# What a heading's address was before its words were changed: it leads there still.
FORMER = {
    'look-inside-what-the-wide-half-memorized': 'look-inside-what-the-wide-half-memorised',
    'memorization-and-generalization-measured-separately': (
        'memorisation-and-generalisation-measured-separately'
    ),
}
FENCE = re.compile(r'^\s*(`{3,}|~{3,}|:{3,})(.*)$')


def headings(text):
    """(level, words) of each heading of a Markdown text, but those within code."""
    found, within = [], []  # the blocks that are open: (their fence, whether they are code)
    for line in text.split('\n'):
        fence = FENCE.match(line)
        if fence and within and fence[1].startswith(within[-1][0]) and not fence[2].strip():
            within.pop()
        elif fence and not (within and within[-1][1]):
            within.append((fence[1], not fence[2].strip().startswith('{')))
        match = None if within and within[-1][1] else HEADING.match(line)
        if match:
            found.append((len(match[1]), match[2]))
    return found


def page_text(path):
    """The Markdown of a page, whose path has no suffix or any: of its notebook, if it is one."""
    notebook = path.with_suffix('.ipynb')
    if not notebook.exists():
        return path.with_suffix('.md').read_text(encoding='utf-8')
    cells = nbformat.v4.reads(notebook.read_text(encoding='utf-8')).cells
    return '\n\n'.join(cell.source for cell in cells if cell.cell_type == 'markdown')


def page_headings(path):
    """The headings of a page's file, in order."""
    return headings(page_text(path))


def slug(words):
    """The address that a heading's words give: 'What `fit` does' -> 'what-fit-does'."""
    words = re.sub(r'\{[\w:-]+\}`([^`<]*)[^`]*`', r'\1', words)
    words = re.sub(r'\$[^$]*\$|[`*_]', '', words)
    return re.sub(r'[^a-z0-9]+', '-', words.lower()).strip('-')


def slugs(found):
    """An address for each heading but the first, none twice."""
    made, seen = [], set()
    for number, (_, words) in enumerate(found[1:], 1):
        name = slug(words) or f'section-{number}'
        unique, count = name, 1
        while unique in seen:
            count += 1
            unique = f'{name}-{count}'
        seen.add(unique)
        made.append(unique)
    return made


def share(app, doctree):
    """Puts the common address before each section's own, which stays and leads there too."""
    edition = BOOK.of(app.config.language)
    source = edition.page_in(BOOK.otherwise, app.env.docname)
    path = edition.root / source
    if not (path.with_suffix('.ipynb').exists() or path.with_suffix('.md').exists()):
        return
    names = slugs(page_headings(path))
    # what directives make (an exercise's body) is a section too, but has no heading of its own
    sections = [s for s in doctree.findall(nodes.section) if isinstance(s[0], nodes.title)][1:]
    if len(sections) != len(names):
        return  # the editions differ here: each page keeps its own addresses
    for section, name in zip(sections, names):
        if name in section['ids']:
            section['ids'].remove(name)
        section['ids'].insert(0, name)
        if name in FORMER:
            section['ids'].append(FORMER[name])
