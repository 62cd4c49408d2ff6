"""The glossary: one file for all editions, its terms linked where a page first uses them."""

import re
from functools import lru_cache
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from d2lrec_site.editions import BOOK, EDITIONS

logger = logging.getLogger(__name__)

FILE = 'chapters/glossary.yml'
# Pages that are lists of names themselves.
NOT_LINKED = re.compile(r'chapters/[\w-]+/(glossary|bibliography|api_\w+)$')
NOT_INSIDE = (
    nodes.title,
    nodes.rubric,
    nodes.literal,
    nodes.literal_block,
    nodes.reference,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.caption,
    nodes.image,
    nodes.comment,
    nodes.system_message,
    addnodes.pending_xref,
)


@lru_cache
def entries(path):
    """The terms: dicts that give each language's term, its text (ko_text) and avoided variants.

    Raises ValueError for an entry that lacks a term or a text, or a term given twice.
    """
    found = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    languages = [edition.language for edition in EDITIONS]
    for entry in found:
        keys = [key for language in languages for key in (language, f'{language}_text')]
        keys.append('taught')
        missing = [key for key in keys if not entry.get(key)]
        if missing:
            known = next((entry[one] for one in languages if entry.get(one)), '')
            raise ValueError(f'{FILE}: the entry {known} has no {missing[0]}: give it one.')
    for language in languages:
        terms = [entry[language].lower() for entry in found]
        twice = {term for term in terms if terms.count(term) > 1}
        if twice:
            raise ValueError(f'{FILE}: {min(twice)} is there twice: keep one entry.')
    return found


def pattern(term):
    """Where a term stands in a text: one in Hangul may carry a particle, an English one a plural.

    An abbreviation may carry a particle too, so only Latin letters and digits go on from it.
    """
    if re.search('[가-힣]', term):
        return re.compile(rf'(?<![가-힣\w]){re.escape(term)}')
    if term.upper() == term or not term.isalpha() and '@' in term:
        return re.compile(rf'(?<![A-Za-z0-9_]){re.escape(term)}(?![A-Za-z0-9_])')
    plural = (
        rf'(?:{re.escape(term[:-1])}(?:y|ies)|{re.escape(term)}(?:s|es)?)'
        if term.endswith('y')
        else rf'{re.escape(term)}(?:s|es)?'
    )
    return re.compile(rf'(?<![\w-]){plural}(?![\w-])', re.IGNORECASE)


@lru_cache
def senses(path, language):
    """[(term, where it stands, where its word means something else), ...], the longest first."""
    found = []
    for entry in entries(path):
        others = entry.get(f'{language}_other', [])
        elsewhere = [re.compile(other, re.IGNORECASE) for other in others]
        found.append((entry[language], pattern(entry[language]), elsewhere))
    return sorted(found, key=lambda one: -len(one[0]))


def uses(text, terms):
    """Each (start, end, term) in a text's order. A part of a longer term is no use of its own."""
    found = []
    for term, where, elsewhere in terms:
        taken = [(start, end) for start, end, _ in found]
        taken += [match.span() for other in elsewhere for match in other.finditer(text)]
        for match in where.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                found.append((*match.span(), term))
    return sorted(found)


class Glossary(SphinxDirective):
    """`{d2l-glossary}`: all terms of the file, in the edition's order."""

    def run(self):
        language = self.config.language
        path = Path(self.env.srcdir) / FILE
        self.env.note_dependency(str(path))
        lines = ['```{glossary}', ':sorted:']
        others = [edition.language for edition in EDITIONS if edition.language != language]
        for entry in entries(str(path)):
            own, text = entry[language], entry[f'{language}_text'].strip()
            terms = [term for term in dict.fromkeys(entry[one] for one in others) if term != own]
            lines += [own, f'  ({", ".join(terms)}) {text}' if terms else f'  {text}', '']
        lines.append('```')
        body = nodes.Element()
        self.state.nested_parse(StringList(lines, source=str(path)), self.content_offset, body)
        places = {entry[language]: entry['taught'] for entry in entries(str(path))}
        for item in body.findall(nodes.definition_list_item):
            place = places[item[0].astext()]
            item[-1] += nodes.paragraph('', '', d2l_place(place=place), classes=['d2l-taught'])
        return body.children


class d2l_place(nodes.General, nodes.Inline, nodes.Element):
    """Where a term is taught; a link once the chapters have their titles and numbers."""


def lead_back(app, doctree, docname):
    """Each entry's place becomes a link to its section, named by chapter and section."""
    edition, env = BOOK.of(app.config.language), app.env

    @lru_cache
    def titles(page):
        sections = env.get_doctree(page).findall(nodes.section)
        return {name: f' › {one[0].astext()}' for one in sections for name in one['ids']}

    for node in list(doctree.findall(d2l_place)):
        name, _, anchor = node['place'].partition('#')
        page = f'{edition.chapters}/{name}'
        if page not in env.titles:
            logger.warning('%s: there is no page %s.', FILE, name, location=node)
            continue
        title = env.titles[page].astext()
        number = '.'.join(map(str, env.toc_secnumbers.get(page, {}).get('', ())))
        words = f'{number}. {title}' if number else title
        words += titles(page).get(anchor, '')
        address = app.builder.get_relative_uri(docname, page) + (anchor and f'#{anchor}')
        node.replace_self(nodes.reference('', words, refuri=address, internal=True))


def link_first_uses(app, doctree):
    """The first time that a page's text uses a term, the term leads to the glossary."""
    page, language = app.env.docname, app.config.language
    path = Path(app.srcdir) / FILE
    if NOT_LINKED.match(page) or not page.startswith('chapters/') or not path.exists():
        return
    app.env.note_dependency(str(path))
    terms = senses(str(path), language)
    wanted = {term for term, _, _ in terms}
    for text in list(doctree.findall(nodes.Text)):
        if not wanted:
            return
        if not _is_prose(text):
            continue
        spans = []
        for start, end, term in uses(text, terms):
            if term in wanted:
                spans.append((start, end, term))
                wanted.remove(term)
        if spans:
            text.parent.replace(text, list(_pieces(text, spans, page)))


def _is_prose(text):
    node = text.parent
    inside = False
    while node is not None:
        if isinstance(node, NOT_INSIDE):
            return False
        if isinstance(node, nodes.container) and node.get('nb_element') == 'cell_code':
            return False
        inside = inside or isinstance(node, nodes.paragraph)
        node = node.parent
    return inside


def _pieces(text, spans, page):
    at = 0
    for start, end, term in spans:
        if start > at:
            yield nodes.Text(text[at:start])
        link = addnodes.pending_xref(
            '',
            refdomain='std',
            reftype='term',
            refdoc=page,
            reftarget=term,
            refexplicit=True,
            refwarn=True,
        )
        link += nodes.inline(text[start:end], text[start:end], classes=['std', 'std-term'])
        yield link
        at = end
    if at < len(text):
        yield nodes.Text(text[at:])
