"""The book's drawings put inside the page, and alt text for the plots a cell draws."""

import re
import xml.etree.ElementTree as ET

from d2lrec.phrases import phrasebook

from docutils import nodes
from sphinx.util import logging

SVG = 'http://www.w3.org/2000/svg'
XML = 'http://www.w3.org/XML/1998/namespace'
XLINK = 'http://www.w3.org/1999/xlink'
LINKS = ('href', f'{{{XLINK}}}href')
logger = logging.getLogger(__name__)


def _name(element):
    return element.tag.rpartition('}')[2]


def keep_language(element, language):
    """Resolves <switch> to the child of this language, else to the one without a language."""
    for parent in element.iter():
        if _name(parent) != 'switch':
            continue
        children = list(parent)
        mine = [c for c in children if language in c.get('systemLanguage', '').split(',')]
        plain = [c for c in children if not c.get('systemLanguage')]
        chosen = (mine or plain or children)[0]
        for child in children:
            parent.remove(child)
        parent.tag = f'{{{SVG}}}g'
        chosen.attrib.pop('systemLanguage', None)
        parent.append(chosen)


def inline_svg(text, prefix, alt, language, plotted=False):
    """One drawing as HTML in one language, readable by name.

    Its classes carry its file's name already; its ids get the prefix, for a page may show it
    twice. `prefix` must be unique on the page; `plotted` is what a cell drew. Raises ValueError
    where the text is not SVG.
    """
    ET.register_namespace('', SVG)
    ET.register_namespace('xlink', XLINK)
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f'not well-formed SVG ({error}): mend the drawing.') from None
    if _name(root) != 'svg' or not root.get('viewBox'):
        raise ValueError('no <svg viewBox=...> at the root: give the drawing a viewBox.')
    keep_language(root, language)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == 'id':
                element.set(key, f'{prefix}-{value}')
            else:
                value = re.sub(r'url\(#([^)]+)\)', rf'url(#{prefix}-\1)', value)
                element.set(key, re.sub('^#', f'#{prefix}-', value) if key in LINKS else value)
    width = float(re.sub('[^0-9.]', '', root.get('width') or root.get('viewBox').split()[2]))
    if plotted:  # points of Matplotlib, of which 72 make the 96 dots of a page
        width *= 4 / 3
    for key in ('width', 'height', 'style', f'{{{XML}}}lang'):
        root.attrib.pop(key, None)
    root.attrib.update(
        {
            'id': prefix,
            'role': 'img',
            'aria-label': alt,
            'class': 'figure-svg plot-svg' if plotted else 'figure-svg',
            'style': f'max-width:{width:g}px',
        }
    )
    return ET.tostring(root, encoding='unicode')


def inline_figures(app, doctree, docname):
    """Replaces each drawing of img/, and each plot of a cell, by the picture itself.

    A plot's words are the code's, in English: here they become the page's.
    """
    if app.builder.format != 'html':
        return
    language = app.config.language
    book = phrasebook(language)
    for number, image in enumerate(list(doctree.findall(nodes.image))):
        uri = image['uri']
        drawn = uri.startswith('img/')
        plotted = not drawn and any('cell_output' in p.get('classes', []) for p in _above(image))
        if not uri.endswith('.svg') or not (drawn or plotted):
            continue
        alt = image.get('alt', '')
        if not alt:
            logger.warning('%s has no alt text: say what it shows.', uri, location=image)
        text = (app.srcdir / uri).read_text(encoding='utf-8')
        if plotted:
            text = plain_plot(text if book is None else book.markup(text))
        try:
            html = inline_svg(text, f'fig{number}', alt, language, plotted)
        except ValueError as error:
            logger.warning('%s: %s', uri, error, location=image)
            continue
        app.builder.images.pop(uri, None)
        image.replace_self(nodes.raw('', html, format='html'))


def _above(node):
    while node.parent is not None:
        node = node.parent
        yield node


def plain_plot(text):
    """Matplotlib's SVG with its one style for everything on the root, which a page may hold."""
    text = re.sub(r'<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*', '', text, count=1)
    return re.sub(r'(<svg\b)', r'\1 stroke-linejoin="round" stroke-linecap="butt"', text, count=1)


def describe_plots(app, doctree):
    """Gives the images of a code cell the alt text that its metadata holds in this language."""
    for cell in doctree.findall(nodes.container):
        if cell.get('nb_element') != 'cell_code':
            continue
        images = list(cell.findall(nodes.image))
        language = app.config.language
        alt = cell.get('cell_metadata', {}).get('alt', {}).get(language, '')
        if images and not alt:
            logger.warning(
                f'a plot has no alt text: give its cell the metadata "alt": {{"{language}": …}}.',
                location=cell,
            )
        for image in images:
            image['alt'] = alt


def number_repeated_ids(app, doctree):
    """sphinx-exercise gives every exercise's body one and the same id; here each has its own."""
    repeated = ('exercise-content', 'solution-content')
    bodies = [
        body
        for body in doctree.findall(nodes.section)
        if body['ids'][:1] and body['ids'][0] in repeated
    ]
    for number, body in enumerate(bodies, 1):
        body['ids'] = [f'{body["ids"][0]}-{number}']
