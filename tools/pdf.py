"""Prints each edition of the built site as one PDF: `_build/pdf/d2lrec-<language>.pdf`.

Chromium prints the pages in the order of book.yml, as its own print command would; pypdf puts them
together and gives each its bookmark.
"""

import functools
import http.server
import io
import os
import shutil
import sys
import threading

from build import SITE

from chapters import EDITIONS, ROOT

from d2lrec_site import addresses  # isort: skip  found by way of `chapters`

OUT = ROOT / '_build' / 'pdf'
MARGINS = dict.fromkeys(('top', 'bottom'), '16mm') | dict.fromkeys(('left', 'right'), '14mm')


# A link to another page would lead to this tool's own server: to the published one, or nowhere.
LINKS = """site => { for (const a of document.querySelectorAll('article a[href]')) {
  const url = new URL(a.href);
  if (url.origin != location.origin || url.pathname == location.pathname) continue;
  if (site) a.href = site + url.pathname + url.hash; else a.removeAttribute('href') } }"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def tools(site=SITE):
    """Chromium's path, playwright and pypdf; or the end, with what is missing in a sentence."""
    missing = [
        f'{edition.language}/{page}.html'
        for edition in EDITIONS
        for page in edition.pages
        if not (site / edition.language / f'{page}.html').exists()
    ]
    if missing:
        sys.exit(f'The site is not built ({missing[0]} is missing): run make book first.')
    program = shutil.which('chromium') or shutil.which('chromium-browser')
    if program is None:
        sys.exit('A PDF needs Chromium, and there is none on the path: install chromium.')
    try:
        import playwright.sync_api
        import pypdf
    except ImportError as error:
        sys.exit(f'A PDF needs the package {error.name}: .venv/bin/pip install {error.name}.')
    return program, playwright.sync_api.sync_playwright, pypdf


def printed(browser, address, edition):
    """(title, PDF) of an edition's pages in reading order."""
    for name in edition.pages:
        page = browser.new_page(color_scheme='light')
        page.goto(f'{address}/{edition.language}/{name}.html', wait_until='load')
        page.evaluate('window.MathJax && MathJax.startup && MathJax.startup.promise')
        page.evaluate('document.fonts.ready.then(() => 1)')
        title = page.evaluate("document.querySelector('article h1').firstChild.textContent.trim()")
        page.evaluate(LINKS, addresses.SITE)
        page.emulate_media(media='print', color_scheme='light')
        yield title, page.pdf(format='A4', print_background=True, margin=MARGINS)
        page.close()


def main():
    program, sync_playwright, pypdf = tools()
    handler = functools.partial(Quiet, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f'http://127.0.0.1:{server.server_address[1]}'
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        arguments = ['--no-sandbox'] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        for edition in EDITIONS:
            book = pypdf.PdfWriter()
            for title, pdf in printed(browser, address, edition):
                book.append(io.BytesIO(pdf), outline_item=title)
            book.add_metadata(
                {'/Title': edition.words['title'], '/Author': edition.words['author']}
            )
            path = OUT / f'd2lrec-{edition.language}.pdf'
            book.write(path)
            print(f'  {path.relative_to(ROOT)}: {len(book.pages)} pages', flush=True)
        browser.close()
    server.shutdown()


if __name__ == '__main__':
    main()
