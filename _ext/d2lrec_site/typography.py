"""How lines break and what stands in citations, by the language of the page."""

import re
import unicodedata

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.alpha import Style as Alpha
from pybtex.style.sorting.author_year_title import SortingStyle
from sphinxcontrib.bibtex import plugin
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

from d2lrec_site.editions import BOOK

JOINER = '\u2060'  # no line breaks here
WHOLE = 24  # letters of code within a sentence that stay on one line
CLOSED = r'[)\]}〉》」』”’…%]'
POINT = re.compile(r'(?<![\w.])\.(?=\d)')  # of a number, with nothing before it
CODE = (nodes.literal, nodes.literal_block, nodes.doctest_block, nodes.raw, nodes.comment)
APART = (nodes.math, nodes.literal, nodes.raw)  # what a text stands beside as a whole


def keep_words(app, doctree, docname):
    """A word stays whole: no line breaks within `기울기(gradient)를`, or before a formula's `은`.

    `word-break: keep-all` holds letters together alone; at a bracket or behind a formula a line
    would break within the word. Short code stays on one line in every edition.
    """
    if app.builder.format != 'html':
        return
    for code in doctree.findall(nodes.literal):
        if len(code.astext()) <= WHOLE:
            code['classes'].append('d2l-whole')
    letters = BOOK.of(app.config.language).words.get('letters')
    if not letters:
        return
    for paragraph in doctree.findall(nodes.paragraph):
        leaves = list(paragraph.findall(lambda n: isinstance(n, (nodes.Text, *APART))))
        leaves = [leaf for leaf in leaves if not isinstance(leaf.parent, APART)]
        for at, leaf in enumerate(leaves):
            if isinstance(leaf, nodes.Text):
                before = leaves[at - 1] if at else None
                told = joined(str(leaf), before, letters)
                hold_formula(leaf, told, before, letters)


def full(text, edition):
    """A text or formula with 0.5 for .5, in an edition that writes numbers so."""
    zero = edition.words.get('zero')
    return POINT.sub(f'{zero}.', text) if zero else text


def full_numbers(app, doctree, docname):
    """The numbers of texts and formulas are written as the edition has it; code stays."""
    edition = BOOK.of(app.config.language)
    for leaf in list(doctree.findall(nodes.Text)) if app.builder.format == 'html' else ():
        if not isinstance(leaf.parent, CODE):
            told = full(leaf, edition)
            if told != leaf:
                leaf.parent.replace(leaf, nodes.Text(told))


def mend_texts(app, doctree, docname):
    """No line ends within `4e-3`; a solution's title has the apostrophes of its exercise's."""
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, (*CODE, nodes.math)):
            continue
        told = re.sub(r'(?<=\de-)(?=\d)', JOINER, text)
        title = text.parent.parent
        if isinstance(title, nodes.title) and 'solution' in title.parent.get('classes', []):
            told = re.sub(r"(?<=\w)'(?=\w)", '’', told)
        if told != text:
            text.parent.replace(text, nodes.Text(told))


def hold_formula(leaf, told, before, letters):
    """Puts a text in its place; what follows a formula goes with it, where no joiner is heeded."""
    parent = leaf.parent
    word = re.match(rf'{letters}\S*', told)
    if not word or not isinstance(before, nodes.math) or before.parent is not parent:
        if told != leaf:
            parent.replace(leaf, nodes.Text(told))
        return
    together = nodes.inline('', '', classes=['d2l-joined'])
    parent.replace(leaf, nodes.Text(told[word.end() :]))
    parent.replace(before, together)
    together += [before, nodes.Text(word[0])]


def joined(text, before, letters):
    """A text with a joiner wherever no line may break, given what stands before it."""
    places = [f'(?<={CLOSED})(?={letters})', f'(?<={letters})(?=[(])']  # (gradient)를, 로짓(logit)
    places += [f'(?<={letters}-)(?={letters})', r'(?<=\b[A-Z]-)(?=[A-Z])']  # 곱셈-덧셈, U-AutoRec
    text = re.sub('|'.join(places), JOINER, text)
    if before is None or isinstance(before, nodes.math):  # which `hold_formula` sees to
        return text
    apart = isinstance(before, APART) or re.search(f'{CLOSED}$', before.astext())
    if apart and re.match(letters, text):
        text = JOINER + text
    if text[:1] == '(' and re.search(f'{letters}$', before.astext()):
        text = JOINER + text
    return text


class InOrder(SortingStyle):
    """By author, year and title, ä among the a."""

    def sorting_key(self, entry):
        authors, *others = super().sorting_key(entry)
        return unicodedata.normalize('NFD', authors), *others


class List(Alpha):
    default_sorting_style = 'd2lrec'


def use_own_citations(config):
    """Citations by author and year, in the edition's words for `and` and `et al.`."""
    register_plugin('pybtex.style.sorting', 'd2lrec', InOrder, force=True)
    register_plugin('pybtex.style.formatting', 'd2lrec', List, force=True)
    config.bibtex_default_style = 'd2lrec'
    own = BOOK.of(config.language).words.get('citations')
    if not own:
        return

    class Style(AuthorYearReferenceStyle):
        def __init__(self):
            people = PersonStyle(
                sep2=own['between'], last_sep=own['between'], other=Text(own['others'])
            )
            super().__init__(person=people)

    plugin.register_plugin('sphinxcontrib.bibtex.style.referencing', 'd2lrec', Style, force=True)
    config.bibtex_reference_style = 'd2lrec'
