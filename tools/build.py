"""Builds all editions into _build/site: data, chapters run once, notebooks, pages, root page."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from jupyter_cache import get_cache

from chapters import BOOK, EDITIONS, ROOT, addresses, cache_key, executed, heads, use_own_kernel

SITE = ROOT / '_build' / 'site'
STAMP = ROOT / '_build' / 'site.stamp'
LOGS = ROOT / '_build' / 'logs'
RUN_BOOK = 'import sys; from jupyter_book.cli.main import main; sys.exit(main())'

MISSING_PAGE = """<!DOCTYPE html>
<html lang="{otherwise}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>404 · d2lrec</title>
<style>
{look}
  body {{ font-size: 1.15rem; line-height: 1.8; max-width: 34rem; margin: 12vh auto;
         padding: 0 1.5rem; }}
  p {{ text-wrap: pretty; }}
</style>
</head>
<body>
<main>
<h1>404</h1>
{paragraphs}
</main>
</body>
</html>
"""

ROOT_PAGE = """<!DOCTYPE html>
<html lang="{otherwise}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>d2lrec</title>
<link rel="icon" href="{otherwise}/_static/logo.svg">
{alternates}
<script>
  var pages = {pages};
  var first = (navigator.languages && navigator.languages[0]) || navigator.language || "";
  location.replace(pages[first.split("-")[0].toLowerCase()] || pages["{otherwise}"]);
</script>
<style>
{look}
  body {{ font-size: 1.25rem; line-height: 1.8; display: grid; place-content: center;
         min-height: 100vh; margin: 0; text-align: center; }}
  a {{ display: block; padding: .5rem 1rem; }}
</style>
</head>
<body>
<main>
<h1>d2lrec</h1>
<p>{links}</p>
</main>
</body>
</html>
"""


def look():
    """The book's letters and colours, in both schemes, for the pages that stand outside it."""
    css = (ROOT / '_ext' / 'd2lrec_site' / 'static' / 'book.css').read_text(encoding='utf-8')
    family = r'html\[data-theme\](?::lang\((\w+)\))? \{\s*--[\w-]+-base-system: ([^;]+);'
    fonts = {of: ' '.join(said.split()) for of, said in re.findall(family, css)}
    lines = [
        f'  :lang({one.language}) {{ font-family: {fonts.get(one.language, fonts[""])}; }}'
        for one in EDITIONS
    ]

    def colours(theme, *names):
        block = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', css, re.DOTALL)[1]
        return [re.search(rf'--{name}: ([^;]+);', block)[1] for name in names]

    ink, link = colours('light', 'fig-ink', 'pst-color-link')
    pale, pale_link, ground = colours('dark', 'fig-ink', 'pst-color-link', 'pst-color-background')
    lines += [
        '  :root { color-scheme: light dark; }',
        f'  body {{ color: {ink}; background: #fff; }}',
        f'  a {{ color: {link}; text-underline-offset: 0.2em; }}',
        '  @media (prefers-color-scheme: dark) {',
        f'    body {{ color: {pale}; background: {ground}; }}',
        f'    a {{ color: {pale_link}; }}',
        '  }',
        '  :lang(ko) { word-break: keep-all; }',
    ]
    return '\n'.join(lines)


def root_page(book=BOOK):
    """The site's first page: it leads to the edition in the browser's language."""
    firsts = {one.language: f'{one.language}/{one.pages[0]}.html' for one in book.editions}
    alternate = '<link rel="alternate" hreflang="{}" href="{}">'
    return ROOT_PAGE.format(
        otherwise=book.otherwise.language,
        look=look(),
        pages=json.dumps(firsts),
        alternates='\n'.join(
            alternate.format(*one)
            for one in [*firsts.items(), ('x-default', firsts[book.otherwise.language])]
        ),
        links='\n'.join(
            f'<a href="{firsts[one.language]}" lang="{one.language}" hreflang="{one.language}">'
            f'{html.escape(one.words["read"])}</a>'
            for one in book.editions
        ),
    )


def missing_page(book=BOOK):
    """What a server shows for an address that is none: a sentence and the way in, in each language.

    Its links begin at the site's own address, or at the server's root while there is none.
    """
    base = addresses.SITE or ''
    paragraphs = []
    for one in [book.otherwise, *book.others(book.otherwise)]:
        first = f'{base}/{one.language}/{one.pages[0]}.html'
        search = f'{base}/{one.language}/search.html'
        said = (
            html.escape(one.words['missing'])
            .replace('[', f'<a href="{first}">', 1)
            .replace(']', '</a>', 1)
        )
        said = said.replace('[', f'<a href="{search}">', 1).replace(']', '</a>', 1)
        paragraphs.append(f'<p lang="{one.language}">{said}</p>')
    return MISSING_PAGE.format(
        otherwise=book.otherwise.language, look=look(), paragraphs='\n'.join(paragraphs)
    )


def sitemap(book=BOOK, base=None):
    """The site's pages and their twins for search engines; '' while the site has no address."""
    base = addresses.SITE if base is None else base
    if not base:
        return ''
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">',
    ]
    for edition in book.editions:
        for page in edition.pages:
            twins = [
                f'<xhtml:link rel="alternate" hreflang="{one.language}" '
                f'href="{base}/{one.language}/{edition.page_in(one, page)}.html"/>'
                for one in book.editions
            ]
            here = f'{base}/{edition.language}/{page}.html'
            lines.append(f'<url><loc>{here}</loc>{"".join(twins)}</url>')
    return '\n'.join([*lines, '</urlset>', ''])


def robots(base=None):
    """What search engines may read: everything but the raw sources."""
    base = addresses.SITE if base is None else base
    lines = ['User-agent: *', *(f'Disallow: /{one.language}/_sources/' for one in EDITIONS)]
    if base:
        lines.append(f'Sitemap: {base}/sitemap.xml')
    return '\n'.join([*lines, ''])


def site_key(root=ROOT):
    """Digest of every file that the pages are made of."""
    files = [
        path
        for folder in ('chapters', 'img', '_ext', 'tools', 'd2lrec')
        for path in (root / folder).rglob('*')
        if path.is_file()
        and '__pycache__' not in path.parts
        and '.ipynb_checkpoints' not in path.parts
    ]
    files += [root / name for one in EDITIONS for name in (one.config, one.toc)]
    files += [
        root / name
        for name in ('book.yml', 'requirements.txt', 'pyproject.toml')
        if (root / name).exists()
    ]
    return cache_key.digest(root, files)


def fetch_data():
    """Fetches what the chapters read; a second time it only checks what is there."""
    print('Data', flush=True)
    if subprocess.call([sys.executable, '-m', 'd2lrec.data'], cwd=ROOT):
        sys.exit('The data could not be fetched; the lines above say why.')


def execute_chapters():
    """Executes the chapters that have no outputs yet for this library; twins share them."""
    folder = cache_key.cache_folder(ROOT)
    if folder.parent.exists():
        for old in folder.parent.iterdir():
            if old != folder:
                shutil.rmtree(old)
    print('Chapters', flush=True)
    get_cache(folder).change_cache_limit(100)  # its tables, before two processes make them
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for edition in EDITIONS:  # the second one finds the first one's outputs
            running = [pool.submit(executed, path) for path in edition.notebooks]
            try:
                for one in as_completed(running):
                    one.result()
            except BaseException:  # a cell that failed: begin no further chapter
                for one in running:
                    one.cancel()
                raise


def export_notebooks():
    """Writes the notebooks that run alone, which the pages' buttons lead to."""
    print('Notebooks', flush=True)
    if subprocess.call([sys.executable, ROOT / 'tools' / 'export.py'], cwd=ROOT):
        sys.exit('The notebooks were not written; the lines above say why.')


def build_editions():
    """Runs jupyter-book for all editions at once; a warning is an error."""
    print('Pages', flush=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    begun, running = time.time(), []
    for edition in EDITIONS:
        out = ROOT / '_build' / edition.language
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, '-c', RUN_BOOK, 'build', '.', '-W', '--keep-going']
        command += ['--config', edition.config, '--toc', edition.toc, '--path-output', str(out)]
        log = open(LOGS / f'{edition.language}.log', 'w', encoding='utf-8')
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'NO_COLOR': '1', 'PYTHONIOENCODING': 'utf-8'},
        )
        running.append((edition, log, process))
    failed = []
    for edition, log, process in running:
        language, pages = edition.language, edition.pages
        code = process.wait()
        log.close()
        folder = ROOT / '_build' / language / '_build' / 'html'
        missing = [page for page in pages if not (folder / f'{page}.html').exists()]
        if code or missing:
            failed.append(language)
            text = (LOGS / f'{language}.log').read_text(encoding='utf-8')
            print(
                text,
                f'  {language}: failed, for what the log above and these lines say:',
                *re.findall(r'^.*(?:WARNING|ERROR|rror:).*$', text, flags=re.MULTILINE),
                *(f'no page {page}' for page in missing),
                sep='\n',
            )
        else:
            print(f'  {language}: {len(pages)} pages, {time.time() - begun:.0f} s')
    if failed:
        sys.exit(f'The pages were not built ({", ".join(failed)}); the logs are in {LOGS}.')


def assemble_site():
    """Moves all editions into one folder, with a page that picks the reader's language."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    for edition in EDITIONS:
        out = ROOT / '_build' / edition.language
        shutil.move(out / '_build' / 'html', SITE / edition.language)
        if not (SITE / '_static').exists():  # MathJax, the same for all editions
            shutil.move(out / '_build' / '_static', SITE / '_static')
        shutil.rmtree(out)
    for name, text in (('index.html', root_page()), ('404.html', missing_page())):
        (SITE / name).write_text(heads.with_policy(text), encoding='utf-8')
    shutil.copy(ROOT / 'img' / heads.CARD, SITE)
    (SITE / 'robots.txt').write_text(robots(), encoding='utf-8')
    if sitemap():
        (SITE / 'sitemap.xml').write_text(sitemap(), encoding='utf-8')
    (SITE / '.nojekyll').touch()


def main():
    use_own_kernel()
    os.chdir(ROOT)
    fetch_data()
    key = site_key()
    execute_chapters()
    if STAMP.exists() and STAMP.read_text() == key and (SITE / 'index.html').exists():
        print('Pages\n  nothing changed')
    else:
        STAMP.unlink(missing_ok=True)
        export_notebooks()
        build_editions()
        assemble_site()
        STAMP.write_text(key)
    print(f'\nOpen {SITE / "index.html"}  (or: make serve)')


if __name__ == '__main__':
    main()
