"""Prints each edition of the built site as one PDF: `_build/pdf/d2lrec-<language>.pdf`.

Chromium prints the pages in the order of book.yml, as its own print command would; pypdf puts them
together, gives each its bookmark, numbers the pages and leads links from one to another.
"""

import functools
import http.server
import io
import os
import shutil
import sys
import threading
import urllib.parse

from build import SITE

from chapters import EDITIONS, ROOT

from d2lrec_site import addresses  # isort: skip  found by way of `chapters`

OUT = ROOT / '_build' / 'pdf'
MARGINS = dict.fromkeys(('top', 'bottom'), '16mm') | dict.fromkeys(('left', 'right'), '14mm')


# Links between the edition's own pages get an address that `linked` finds again in the PDF; one to
# any other page would lead to this tool's own server: it leads to the published one, or nowhere.
INSIDE = 'https://page.invalid'
LINKS = """([site, inside, folder]) => {
  for (const a of document.querySelectorAll('article a[href]')) {
  const url = new URL(a.href);
  if (url.origin != location.origin || url.pathname == location.pathname) continue;
  if (url.pathname.startsWith(folder)) a.href = inside + url.pathname + url.hash;
  else if (site) a.href = site + url.pathname + url.hash; else a.removeAttribute('href') } }"""
TITLE = """() => { const title = document.querySelector('article h1').cloneNode(true);
  title.querySelectorAll('a.headerlink').forEach(a => a.remove());
  return title.textContent.replace(/\\s+/g, ' ').trim() }"""
NUMBERS = """<style>@page { size: A4; margin: 0 } body { margin: 0 }
  p { box-sizing: border-box; margin: 0; height: 297mm; padding-top: 285mm; text-align: center;
  font: 9pt sans-serif; color: #555;
  break-after: page; overflow: hidden } p:last-child { break-after: auto }</style>"""


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
    """(path in the site, title, PDF) of an edition's pages in reading order."""
    for name in edition.pages:
        page, path = browser.new_page(color_scheme='light'), f'/{edition.language}/{name}.html'
        page.goto(f'{address}{path}', wait_until='load')
        page.evaluate('window.MathJax && MathJax.startup && MathJax.startup.promise')
        page.evaluate('document.fonts.ready.then(() => 1)')
        title = page.evaluate(TITLE)
        page.evaluate(LINKS, [addresses.SITE, INSIDE, f'/{edition.language}/'])
        page.emulate_media(media='print', color_scheme='light')
        yield path, title, page.pdf(format='A4', print_background=True, margin=MARGINS)
        page.close()


def bound(pypdf, parts):
    """One PDF of many, each with its bookmark, and with links that stay in the book."""
    book, firsts, places = pypdf.PdfWriter(), {}, {}
    for path, title, pdf in parts:
        reader = pypdf.PdfReader(io.BytesIO(pdf))
        firsts[path] = len(book.pages)
        for name, place in reader.named_destinations.items():
            page = firsts[path] + reader.get_destination_page_number(place)
            places[path, name.lstrip('/')] = page, place.left, place.top
        book.append(reader, outline_item=title)
    # The names of places are those of one page: in a book of many they are told apart by the page.
    book.root_object.pop('/Dests', None)
    book.root_object.pop('/Names', None)
    paths = list(firsts)
    ends = [*list(firsts.values())[1:], len(book.pages)]
    for path, end in zip(paths, ends):
        for number in range(firsts[path], end):
            for link in book.pages[number].get('/Annots') or []:
                linked(pypdf, book, link.get_object(), path, firsts, places)
    return book


def linked(pypdf, book, link, path, firsts, places):
    """Make a link within the book lead to its page and height."""
    address = (link.get('/A') or {}).get('/URI', '')
    if address.startswith(INSIDE):
        path, _, name = address[len(INSIDE) :].partition('#')
    elif '/Dest' in link:
        name = str(link['/Dest']).lstrip('/')
    else:
        return
    name = urllib.parse.unquote(name)
    page, left, top = places.get((path, name)) or (firsts.get(path), None, None)
    link.pop('/A', None)
    if page is None:  # a page that is in the site and not in the book
        link.pop('/Dest', None)
        return
    make = pypdf.generic
    spot = [make.NullObject() if x is None else make.FloatObject(x) for x in (left, top, None)]
    place = [book.pages[page].indirect_reference, make.NameObject('/XYZ'), *spot]
    link[make.NameObject('/Dest')] = make.ArrayObject(place)


def numbered(pypdf, book, browser):
    """Put its number at the foot of each page, but the first."""
    page = browser.new_page()
    total = len(book.pages)
    page.set_content(NUMBERS + ''.join(f'<p>{n or ""}</p>' for n in (0, *range(2, total + 1))))
    sheet = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    page.close()
    for number in range(1, total):
        book.pages[number].merge_page(sheet.pages[number])
        book.pages[number].compress_content_streams()


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
            book = bound(pypdf, printed(browser, address, edition))
            numbered(pypdf, book, browser)
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
