"""The instruments of d2lrec.instruments on a page: its language, one script for all pages."""

import json
import re
from pathlib import Path

from d2lrec.instruments.instrument import WORDS, safe_json, site_files, words_of

from bs4 import BeautifulSoup
from docutils import nodes

from d2lrec_site.cells import put
from d2lrec_site.editions import BOOK

MARK = 'class="d2lrec-instrument"'


def in_language(text, language, page=''):
    """An instrument's output for a page: its figure and words in one language, no script in it.

    The words are those of today, whenever the cell ran.
    """
    soup = BeautifulSoup(text, 'html.parser')
    for root in soup.select('.d2lrec-instrument'):
        del root['data-language']  # the page's own holds
        for code in root.select('style, script[data-d2lrec]'):
            code.decompose()
        given = root.find('script', type='application/json')
        kept = json.loads(given.string)
        words = words_of(root['data-instrument'], kept['data'], page)
        known = language if language in words else BOOK.code
        given.string = safe_json({'data': kept['data'], 'words': {known: words[known]}})
        for one in root.select('.d2i-without > [lang]'):
            if one['lang'] == known:
                del one['hidden']
                one.p.string = words[known]['without'].format(**kept['values'])
            else:
                one.decompose()
    return str(soup)


def outputs(doctree):
    """The HTML outputs of a page that hold an instrument."""
    for raw in doctree.findall(nodes.raw) if doctree is not None else ():
        if raw.get('format') == 'html' and MARK in raw.astext():
            yield raw


def settle(app, doctree):
    """Readies the instruments of a page."""
    page = app.env.docname.rpartition('/')[2]
    for raw in list(outputs(doctree)):
        for name in ['shared', *re.findall(r'data-instrument="(\w+)"', raw.astext())]:
            app.env.note_dependency(str(WORDS / f'{name}.json'))
        put(raw, in_language(raw.astext(), app.config.language, page))
        raw['d2l_told'] = True


def add_files(app, pagename, templatename, context, doctree):
    """The script and the style on a page that holds an instrument."""
    if any(True for _ in outputs(doctree)):
        app.add_css_file('instruments.css', priority=901)
        app.add_js_file('instruments.js', priority=901)


def write_files(app):
    """Puts the script and the style among the site's static files."""
    folder = Path(app.doctreedir).resolve() / 'd2l-static'
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in site_files().items():
        (folder / name).write_text(text, encoding='utf-8')
    app.config.html_static_path.append(str(folder))
