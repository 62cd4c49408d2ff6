"""The book's Sphinx extension: what all editions' pages have beyond jupyter-book's own."""

import os
import sys
from pathlib import Path

from d2lrec_site import (
    addresses,
    anchors,
    api,
    buttons,
    cache_key,
    cells,
    figures,
    finish,
    formulas,
    glossary,
    heads,
    instruments,
    search,
    typography,
    words,
)
from d2lrec_site.editions import BOOK

HERE = Path(__file__).parent


def use_own_kernel():
    """Makes `python3` this environment's kernel, whatever the reader has installed elsewhere."""
    own = str(Path(sys.prefix) / 'share' / 'jupyter')
    known = os.environ.get('JUPYTER_PATH', '')
    if own not in known.split(os.pathsep):
        os.environ['JUPYTER_PATH'] = os.pathsep.join(filter(None, [own, known]))


def configure(app, config):
    """Sets what YAML cannot: the cache's folder, the edition's words, the article header."""
    use_own_kernel()
    cells.use_own_merge()
    typography.use_own_citations(config)
    edition = BOOK.of(config.language)
    config.nb_execution_cache_path = str(cache_key.cache_folder(app.srcdir))
    config.nb_merge_streams = True  # one print may arrive in several pieces
    config.nb_ipywidgets_js = {}  # would come from other hosts
    config.html_search_language = config.language
    # a formula is read where it stands; as a stop of the Tab key it says nothing more
    menu = {'menuOptions': {'settings': {'inTabOrder': False}}}
    config.mathjax3_config = {**(config.mathjax3_config or {}), 'options': menu}
    config.html_search_scorer = str(HERE / 'static' / 'scorer.js')
    options = config.html_theme_options
    options['search_bar_text'] = edition.words['search']
    options['article_header_end'] = ['language-switch.html', 'article-header-buttons.html']
    options['launch_buttons'] = {}
    if addresses.REPOSITORY:
        options['repository_url'] = addresses.REPOSITORY
        options['repository_branch'] = 'main'
        options['use_repository_button'] = options['use_source_button'] = True
    options['logo'] = {'text': config.html_title}
    options['pygments_light_style'] = 'a11y-light'
    options['pygments_dark_style'] = 'github-dark'
    options['extra_footer'] = heads.foot(edition)
    options['footer_content_items'] = ['copyright.html', 'extra-footer.html']
    config.html_context['default_mode'] = 'auto'
    for name, value in edition.words.get('config', {}).items():
        setattr(config, name, value)


def use_own_words(app):
    """The edition's words before the theme's."""
    own = BOOK.of(app.config.language).words.get('theme')
    if app.builder.format == 'html' and own:
        words.install(app, own)


# A check's sentence is there in every language; a page shows its own where there is one.
ONE_LANGUAGE = (
    '<style>.d2l-check:has([lang={0}]) [lang]:not([lang={0}]) {{ display: none !important; }} '
    '.d2l-check [lang={0}] {{ display: inline !important; }}</style>\n'
)


def add_switch(app, pagename, templatename, context, doctree):
    """Gives the page's template its addresses in the other editions, the front page one title."""
    edition = BOOK.of(app.config.language)
    up = '../' * (pagename.count('/') + 1)
    context['editions'], tags = [], [context.get('metatags', '')]
    tags += heads.own_alternates(edition, pagename)
    for other in BOOK.others(edition):
        url = f'{up}{other.language}/{edition.page_in(other, pagename)}.html'
        context['editions'].append(
            {
                'language': other.language,
                'name': other.words['name'],
                'title': other.words['switch'],
                'url': url,
            }
        )
        full = heads.address(other.language, edition.page_in(other, pagename)) or url
        tags.append(f'<link rel="alternate" hreflang="{other.language}" href="{full}" />\n')
    tags += [heads.tags(app, pagename, context, doctree), ONE_LANGUAGE.format(edition.language)]
    context['metatags'] = ''.join(tags)
    if context.get('title') == app.config.html_title:
        context['docstitle'] = ''


def setup(app):
    # jupyter-book sets this one for an extension that is left out here
    app.add_config_value('comments_config', {}, '')
    app.add_search_language(search.SearchKorean)
    app.connect('config-inited', configure, priority=100)
    app.connect('builder-inited', use_own_words)
    app.connect(
        'builder-inited', lambda app: app.config.html_static_path.append(str(HERE / 'static'))
    )
    app.config.templates_path.append(str(HERE / 'templates'))
    app.add_css_file('book.css', priority=900)
    app.add_js_file('book.js', priority=900)
    app.add_directive('d2l-glossary', glossary.Glossary)
    app.add_transform(figures.NumberFigures)
    app.connect('source-read', api.write_out)
    app.connect('autodoc-process-docstring', api.tidy, priority=400)
    app.connect('autodoc-process-signature', api.shorten)
    app.connect('autodoc-skip-member', api.leave_out)
    app.connect('missing-reference', api.link_by_name)
    app.connect('doctree-read', anchors.share, priority=50)  # before anything reads the ids
    app.connect('doctree-read', glossary.link_first_uses)
    app.connect('doctree-read', instruments.settle, priority=400)  # before its tables are told
    app.connect('doctree-read', cells.note_words)
    app.connect('doctree-read', cells.tell_outputs)
    app.connect('doctree-read', cells.mend_tables)
    app.connect('doctree-read', cells.name_folds)
    app.connect('doctree-read', api.name_fields)
    app.connect('doctree-read', figures.number_repeated_ids, priority=100)
    app.connect('doctree-resolved', figures.inline_figures)
    app.connect('doctree-resolved', glossary.lead_back)
    app.connect('doctree-resolved', api.link_mentions)
    app.connect('doctree-resolved', api.unlink_itself)
    app.connect('doctree-resolved', api.mark_words)
    app.connect('doctree-resolved', formulas.part_long_ones, priority=880)
    app.connect('doctree-resolved', formulas.keep_together, priority=890)
    app.connect('doctree-resolved', typography.full_numbers, priority=899)
    app.connect('doctree-resolved', typography.keep_words, priority=900)
    app.connect('doctree-resolved', typography.mend_texts, priority=900)
    app.connect('builder-inited', instruments.write_files)
    app.connect('html-page-context', instruments.add_files)
    app.connect('html-page-context', add_switch)
    app.connect('html-page-context', words.tell_index)
    app.connect('html-page-context', search.add_counts, priority=550)  # after the tags
    app.connect('html-page-context', buttons.add_buttons, priority=600)  # after the theme's own
    app.connect('build-finished', search.write_counts)
    app.connect('build-finished', buttons.copy_notebooks)
    app.connect('build-finished', finish.finish, priority=900)
    return {'version': '1', 'parallel_read_safe': True, 'parallel_write_safe': True}
