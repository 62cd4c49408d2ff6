"""What a built edition still needs: one pass over its pages, and its files without dead weight."""

import html
import re
import shutil
from pathlib import Path

from d2lrec_site import heads, icons, words
from d2lrec_site.editions import BOOK

# FontAwesome's script draws as pictures what its style sheet draws from a font; the regular font
# has none of the icons that the pages show.
NOT_LOADED = re.compile(
    r'\s*<script src="[^"]*fontawesome/[^"]*\.js[^"]*"></script>'
    r'|\s*<link rel="preload"[^>]*fa-regular-400\.woff2"[^>]*>'
)
# What a page loads only where it has what it is for: (the tags, what is on the page)
LOADED_FOR = [
    (
        re.compile(
            r'\s*<link [^>]*sphinx-design\.min\.css[^>]*>'
            r'|\s*<script [^>]*design-tabs\.js[^>]*></script>'
        ),
        re.compile(r'class="[^"]*\bsd-'),
    )
]
MATHJAX = re.compile(r'(src=")((?:\.\./)*_static/mathjax/)')
# of an edition's folder _static: catalogues, sources of scripts and styles, doubles of fonts
DEAD = ('locales', 'vendor/**/js', '**/*.map', '**/*.ttf', '*webpack-macros.html', 'images/logo_*')
# Of MathJax the one bundle that the pages name and what it may fetch: extensions of TeX, its other
# output, speech. The rest is in the bundle already, or never asked for.
MATHJAX_KEPT = ('tex-chtml.js', 'input/tex/extensions', 'output/chtml/fonts', 'output/svg.js')
MATHJAX_KEPT += ('output/svg/fonts', 'a11y', 'sre')


# What the theme's and Sphinx's pages have against those who listen: (pattern, what replaces it)
KINDER = [
    # a button is called what is written on it
    (r'(class="btn search-button-field[^>]*?)\s+aria-label="[^"]*"', r'\1'),
    # and so is a fold
    (r'<summary aria-label="Toggle hidden content">', '<summary>'),
    # what is beside the text is a part of the page with a name
    (
        r'<div class="bd-sidebar-primary bd-sidebar',
        r'<div role="region" aria-label="{title}" class="bd-sidebar-primary bd-sidebar',
    ),
    # a list of works is paragraphs: its roles are out of use, and ask for others around them
    (r' role="(?:list|doc-biblioentry)"(?= class="citation)', ''),
    (r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r'\1'),
    # a head without words is none
    (r'<th((?: [^>]*)?)>\s*(?:<p>\s*</p>)?\s*</th>', r'<td\1></td>'),
]


def _lines(match):
    """A long signature, which Sphinx makes a list of explanations without terms, as lines."""
    if '<dt' in match[1]:
        return match[0]
    told = match[1].replace('<dd>', '<div class="sig-line">').replace('</dd>', '</div>')
    return f'<div>{told}</div>'


PRINTED = re.compile(
    r'<div class="output [^"]*highlight-[^"]*"><div class="highlight"><pre>.*?</pre>', re.DOTALL
)


def wide_letters(text, letters):
    """Where printed lines have columns the wide letters take two places each.

    No font of a reader's machine is sure to have them twice as wide as the others. The lines
    beside, up to an empty one, keep step: one of them may have a single space where others pad.
    """

    def lines(some):
        if '  ' not in re.sub(r'(?m)^ +| +$', '', some):
            return some
        return re.sub(
            f'(?:{letters})+',
            lambda m: f'<span class="d2l-wide" style="width:{2 * len(m[0])}ch">{m[0]}</span>',
            some,
        )

    return PRINTED.sub(lambda m: '\n\n'.join(map(lines, m[0].split('\n\n'))), text)


LONG = re.compile(
    r'(<code class="[^"]*\bliteral\b[^"]*"><span class="pre">)([^<]{25,})(?=</span></code>)'
)


def breakable(text):
    """Long code within a sentence breaks behind a bracket or a slash, before it breaks a name."""
    return LONG.sub(lambda m: m[1] + re.sub(r'(?<=[\w_])([(/])(?=\w)', r'\1<wbr>', m[2]), text)


# A folded solution opens by its title: a link in it, to the exercise above, would be in the way.
FOLDED = re.compile(
    r'(<div class="solution dropdown[^>]*>\s*<p class="admonition-title">)(.*?)(?=</p>)', re.DOTALL
)


def page(text, edition):
    """A page of the site as it is served: the edition's words, what it loads, its policy."""
    title = html.escape(edition.words['title'])
    for english, own in edition.words.get('html', {}).items():
        text = text.replace(english, own)
    for pattern, kinder in KINDER:
        text = re.sub(pattern, kinder.replace('{title}', title), text)
    text = FOLDED.sub(lambda m: m[1] + re.sub(r'</?a\b[^>]*>', '', m[2]), text)
    text = re.sub(r'<dl>(\s*<dd>.*?)</dl>', _lines, text, flags=re.DOTALL)
    if edition.words.get('letters'):
        text = wide_letters(text, edition.words['letters'])
    text = breakable(text)
    text = icons.preload(NOT_LOADED.sub('', text))
    for tags, purpose in LOADED_FOR:
        if not purpose.search(text):
            text = tags.sub('', text)
    text = MATHJAX.sub(r'\1../\2', text)
    return heads.with_policy(text)


def share_mathjax(out):
    """Moves MathJax beside the edition's folder, where all editions find one."""
    own, shared = out / '_static' / 'mathjax', out.parent / '_static' / 'mathjax'
    if not own.exists():
        return
    shutil.rmtree(shared, ignore_errors=True)
    shared.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(own, shared)
    kept = [shared / name for name in MATHJAX_KEPT]
    for path in sorted(shared.rglob('*'), reverse=True):
        if path.is_file() and not any(one == path or one in path.parents for one in kept):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def lighten(static):
    """Removes what no page loads, and the mentions of it."""
    for pattern in DEAD:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in [*static.rglob('*.css'), *static.glob('scripts/*.js')]:
        text = path.read_text(encoding='utf-8')
        made = re.sub(r'\s*/[/*]# sourceMappingURL=\S*(?:\s*\*/)?', '', text)
        made = re.sub(r',url\([^)]*\.ttf\) format\("truetype"\)', '', made)
        if made != text:
            path.write_text(made, encoding='utf-8')


def finish(app, exception):
    """Finishes every page that was built, and the files beside them."""
    if exception or app.builder.format != 'html':
        return
    edition, out = BOOK.of(app.config.language), Path(app.outdir)
    for path in out.rglob('*.html'):
        if '_static' not in path.relative_to(out).parts:
            path.write_text(page(path.read_text(encoding='utf-8'), edition), encoding='utf-8')
    icons.keep_used(out)
    lighten(out / '_static')
    for notebook in (out / '_sources').rglob('*.ipynb'):  # the pages offer those that run alone
        notebook.unlink()
    share_mathjax(out)
    heads.teach_doctools(out / '_static' / 'doctools.js')
    words.teach_scripts(out / '_static', edition.words.get('scripts', {}))
    if 'copy_button' in edition.words:
        script = out / '_static' / 'copybutton.js'
        words.teach_copy_button(script, edition.language, edition.words['copy_button'])
