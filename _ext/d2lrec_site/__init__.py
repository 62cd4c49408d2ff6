"""The book's Sphinx extension: what both editions' pages have beyond jupyter-book's own."""

import os
import sys
from pathlib import Path

from d2lrec_site import cache_key, figures, glossary, search, words

HERE = Path(__file__).parent
OTHER = {'ko': 'en', 'en': 'ko'}
SWITCH = {'en': ('English', 'Read this page in English'), 'ko': ('한국어', '이 쪽을 한국어로 읽기')}


def twin_page(pagename, language):
    """Page name of the same page in the other edition."""
    return pagename.replace(f'chapters/{language}/', f'chapters/{OTHER[language]}/', 1)


def use_own_kernel():
    """Makes `python3` this environment's kernel, whatever the reader has installed elsewhere."""
    own = str(Path(sys.prefix) / 'share' / 'jupyter')
    known = os.environ.get('JUPYTER_PATH', '')
    if own not in known.split(os.pathsep):
        os.environ['JUPYTER_PATH'] = os.pathsep.join(filter(None, [own, known]))


def configure(app, config):
    """Sets what YAML cannot: the cache's folder, the search words, the article header."""
    use_own_kernel()
    config.nb_execution_cache_path = str(cache_key.cache_folder(app.srcdir))
    config.nb_merge_streams = True  # one print may arrive in several pieces
    config.nb_ipywidgets_js = {}  # would come from other hosts
    config.html_search_language = config.language
    options = config.html_theme_options
    options['search_bar_text'] = {'ko': '책에서 검색', 'en': 'Search this book'}[config.language]
    options['article_header_end'] = ['language-switch.html', 'article-header-buttons.html']
    options['launch_buttons'] = {}
    options['logo'] = {'text': config.html_title}
    options['pygments_light_style'] = 'a11y-light'
    options['pygments_dark_style'] = 'github-dark'
    options['footer_content_items'] = ['copyright.html', 'extra-footer.html']
    config.html_context['default_mode'] = 'auto'
    if config.language == 'ko':
        config.togglebutton_hint, config.togglebutton_hint_hide = '펼치기', '접기'
        config.nb_code_prompt_show, config.nb_code_prompt_hide = '코드 펼치기', '코드 접기'


def use_korean_words(app):
    if app.builder.format == 'html' and app.config.language == 'ko':
        words.install(app)


def add_switch(app, pagename, templatename, context, doctree):
    """Gives the page's template the address of its twin, and the front page one title."""
    other = OTHER[app.config.language]
    up = '../' * (pagename.count('/') + 1)
    label, title = SWITCH[other]
    url = f'{up}{other}/{twin_page(pagename, app.config.language)}.html'
    context['twin'] = {'lang': other, 'label': label, 'title': title, 'url': url}
    if context.get('title') == app.config.html_title:
        context['docstitle'] = ''
    context['metatags'] = (
        context.get('metatags', '') + f'<link rel="alternate" hreflang="{other}" href="{url}" />\n'
    )


def translate_templates(app, exception):
    """Puts into Korean the words that no catalogue reaches, in the pages and in one script."""
    if exception or app.builder.format != 'html' or app.config.language != 'ko':
        return
    out = Path(app.outdir)
    words.teach_copy_button(out / '_static' / 'copybutton.js')
    for page in out.rglob('*.html'):
        text = new = page.read_text(encoding='utf-8')
        for english, korean in words.TEMPLATE_WORDS.items():
            new = new.replace(english, korean)
        if new != text:
            page.write_text(new, encoding='utf-8')


def setup(app):
    # jupyter-book sets this one for an extension that is left out here
    app.add_config_value('comments_config', {}, '')
    app.add_search_language(search.SearchKorean)
    app.connect('config-inited', configure, priority=100)
    app.connect('builder-inited', use_korean_words)
    app.connect(
        'builder-inited', lambda app: app.config.html_static_path.append(str(HERE / 'static'))
    )
    app.config.templates_path.append(str(HERE / 'templates'))
    app.add_css_file('book.css', priority=900)
    app.add_directive('d2l-glossary', glossary.Glossary)
    app.connect('doctree-read', glossary.link_first_uses)
    app.connect('doctree-read', figures.describe_plots)
    app.connect('doctree-read', figures.number_repeated_ids, priority=100)
    app.connect('doctree-resolved', figures.inline_figures)
    app.connect('html-page-context', add_switch)
    app.connect('build-finished', translate_templates, priority=900)
    return {'version': '1', 'parallel_read_safe': True, 'parallel_write_safe': True}
