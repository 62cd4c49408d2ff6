"""What a page says of itself to those who find it: description, address, card, policy."""

import base64
import hashlib
import html
import re

from docutils import nodes

from d2lrec_site import addresses
from d2lrec_site.editions import BOOK

CARD = 'card.png'  # what a link to a page shows elsewhere; tools/card.py draws it
LONGEST = 160  # letters of a description
TEMPLATE_PAGES = ('search', 'genindex')


def description(doctree, fallback=''):
    """The page's first paragraph as one line, ended at a word."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else ():
        text = ' '.join(paragraph.astext().split())
        if len(text) > 40:
            if len(text) <= LONGEST:
                return text
            return text[:LONGEST].rsplit(' ', 1)[0].rstrip(' ,.;:') + '…'
    return fallback


def address(language, page):
    """A page's full address; '' while the site has none."""
    return f'{addresses.SITE}/{language}/{page}.html' if addresses.SITE else ''


def own_alternates(edition, page):
    """The page itself among its twins, and the one for readers of no edition's language."""
    if not addresses.SITE:
        return []
    ones = {edition.language: edition, 'x-default': BOOK.otherwise}
    return [
        f'<link rel="alternate" hreflang="{name}" '
        f'href="{address(one.language, edition.page_in(one, page))}" />\n'
        for name, one in ones.items()
    ]


def foot(edition):
    """The licence, and how to cite, beneath every page."""
    said = html.escape(edition.words['license'], quote=False)
    cite = html.escape(edition.words.get('cite', ''), quote=False)
    if cite and addresses.REPOSITORY:
        said += f' <a href="{addresses.REPOSITORY}/blob/main/CITATION.cff">{cite}</a>'
    return f'<p>{said}</p>'


def tags(app, pagename, context, doctree):
    """The <meta> and <link> elements of a page, as text."""
    edition = BOOK.of(app.config.language)
    title = html.unescape(re.sub('<[^>]+>', '', context.get('title', ''))) or edition.words['title']
    said = description(doctree, edition.words['title'])
    made = [
        _meta('name', 'description', said),
        _meta('property', 'og:type', 'article' if pagename in edition.pages else 'website'),
        _meta('property', 'og:title', title),
        _meta('property', 'og:description', said),
        _meta('property', 'og:site_name', edition.words['title']),
        _meta('property', 'og:locale', edition.words.get('locale', '')),
        _meta('name', 'twitter:card', 'summary_large_image'),
    ]
    if addresses.SITE:
        here = address(edition.language, pagename)
        made += [
            f'<link rel="canonical" href="{here}" />',
            _meta('property', 'og:url', here),
            _meta('property', 'og:image', f'{addresses.SITE}/{CARD}'),
            _meta('property', 'og:image:alt', edition.words['title']),
        ]
    if pagename in TEMPLATE_PAGES:
        made.append(_meta('name', 'robots', 'noindex'))
    return '\n'.join(filter(None, made)) + '\n'


def _meta(kind, name, content):
    return f'<meta {kind}="{name}" content="{html.escape(content)}" />' if content else ''


# --- a content security policy: only what the site itself holds, only the scripts it was built with

SCRIPT = re.compile(r'<script(?![^>]*\ssrc=)([^>]*)>(.*?)</script>', re.DOTALL)
LISTENED = {'toggleFullScreen()': 'fullscreen', 'window.print()': 'print'}
HANDLER = re.compile(r'\son[a-z]+="([^"]*)"')


def policy(page):
    """The policy of a page: its inline scripts and handlers are named by their digests."""

    def digest(text):
        made = base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()
        return f"'sha256-{made}'"

    inline = {
        digest(code)
        for attributes, code in SCRIPT.findall(page)
        if 'application/' not in attributes or 'javascript' in attributes
    }
    handlers = {digest(html.unescape(code)) for code in HANDLER.findall(page)}
    hashes = sorted(inline | handlers)
    scripts = ' '.join(["'self'", *(["'unsafe-hashes'"] if handlers else []), *hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'"
    )


def with_policy(text):
    """A built page with its policy, before anything that it governs.

    The theme's two handlers within tags become names that book.js listens for: the search parses
    pages, where handlers would be reported.
    """
    for code, name in LISTENED.items():
        text = text.replace(f'onclick="{code}"', f'data-d2l-click="{name}"')
    if 'Content-Security-Policy' in text or '<head' not in text:
        return text
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(text)}" />'
    # after the charset, which has to stand among a page's first bytes
    return re.sub(r'(<meta charset="[^"]*"\s*/?>)', rf'\1\n{meta}', text, count=1, flags=re.I)


def teach_doctools(script):
    """Takes the one piece of code in a string out of a script: no page's policy lets that run."""
    text = script.read_text(encoding='utf-8')
    made = re.sub(  # the plural's rule
        r'new Function\(\s*"n",\s*`return \(\$\{catalog\.plural_expr\}\)`,?\s*\)',
        '(n) => (catalog.plural_expr === "0" ? 0 : Number(n !== 1))',
        text,
    )
    if 'new Function' in made:
        raise ValueError(f'{script} makes code of a text: teach heads.teach_doctools its new form.')
    script.write_text(made, encoding='utf-8')
