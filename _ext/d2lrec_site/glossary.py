"""The glossary: one file for both editions, its terms linked where a page first uses them."""

import re
from functools import lru_cache
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

FILE = 'chapters/glossary.yml'
# Pages that are lists of names themselves.
NOT_LINKED = re.compile(r'chapters/\w+/(glossary|bibliography|api_\w+)$')
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
    """The terms: a list of dicts with ko, en, ko_text, en_text and, for some, ko_avoid, en_avoid.

    Raises ValueError for an entry that lacks one of the first four, or a term given twice.
    """
    found = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    for entry in found:
        missing = {key for key in ('ko', 'en', 'ko_text', 'en_text') if not entry.get(key)}
        if missing:
            raise ValueError(
                f'{FILE}: the entry {entry.get("en") or entry.get("ko")} '
                f'has no {min(missing)}: give it one.'
            )
    for language in ('ko', 'en'):
        terms = [entry[language].lower() for entry in found]
        twice = {term for term in terms if terms.count(term) > 1}
        if twice:
            raise ValueError(f'{FILE}: {min(twice)} is there twice: keep one entry.')
    return found


def pattern(term, language):
    """Where a term stands in a text: Korean ones may carry a particle, English ones a plural."""
    if re.search('[가-힣]', term):
        return re.compile(rf'(?<![가-힣\w]){re.escape(term)}')
    if term.upper() == term or not term.isalpha() and '@' in term:
        return re.compile(
            rf'(?<!\w){re.escape(term)}(?!\w)'
            if language == 'en'
            else rf'(?<![A-Za-z]){re.escape(term)}(?![A-Za-z])'
        )
    plural = (
        rf'(?:{re.escape(term[:-1])}(?:y|ies)|{re.escape(term)}(?:s|es)?)'
        if term.endswith('y')
        else rf'{re.escape(term)}(?:s|es)?'
    )
    return re.compile(rf'(?<![\w-]){plural}(?![\w-])', re.IGNORECASE)


class Glossary(SphinxDirective):
    """`{d2l-glossary}`: all terms of the file, in the edition's order."""

    def run(self):
        language = self.config.language
        path = Path(self.env.srcdir) / FILE
        self.env.note_dependency(str(path))
        lines = ['```{glossary}', ':sorted:']
        other = {'ko': 'en', 'en': 'ko'}[language]
        for entry in entries(str(path)):
            same = entry[language] == entry[other]
            text = entry[f'{language}_text'].strip()
            lines += [entry[language], f'  {text}' if same else f'  ({entry[other]}) {text}', '']
        lines.append('```')
        body = nodes.Element()
        self.state.nested_parse(StringList(lines, source=str(path)), self.content_offset, body)
        return body.children


def link_first_uses(app, doctree):
    """The first time that a page's text uses a term, the term leads to the glossary."""
    page, language = app.env.docname, app.config.language
    path = Path(app.srcdir) / FILE
    if NOT_LINKED.match(page) or not page.startswith('chapters/') or not path.exists():
        return
    app.env.note_dependency(str(path))
    wanted = [(entry[language], pattern(entry[language], language)) for entry in entries(str(path))]
    wanted.sort(key=lambda one: -len(one[0]))  # the longer term first: it may hold another
    for text in list(doctree.findall(nodes.Text)):
        if not wanted:
            return
        if not _is_prose(text):
            continue
        spans = []
        for term, where in list(wanted):
            for match in where.finditer(text):
                if all(match.end() <= start or match.start() >= end for start, end, _ in spans):
                    spans.append((match.start(), match.end(), term))
                    wanted.remove((term, where))
                    break
        if spans:
            text.parent.replace(text, list(_pieces(text, sorted(spans), page)))


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
