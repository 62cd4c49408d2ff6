"""The icons: of FontAwesome's fonts and style sheet only what the pages show.

The whole are 270 kB of fonts and 100 kB of names, before a page's first icon is drawn.
"""

import re

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = ('fa-solid-900', 'fa-brands-400')
NAMED = re.compile(r'\bfa-[a-z0-9-]+')
RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
DRAWN = re.compile(r'content:\s*"\\(f[0-9a-f]{3})"')


def used_names(out):
    """Names of icons, and of their sizes, on the pages and in the scripts of an edition."""
    files = [path for path in out.rglob('*.html') if '_static' not in path.parts]
    files += list((out / '_static').rglob('*.js'))
    return {name for path in files for name in NAMED.findall(path.read_text(encoding='utf-8'))}


def used_codes(static):
    """Icons that style sheets draw by their number."""
    sheets = [path for path in static.rglob('*.css') if path.name != 'all.min.css']
    return {code for path in sheets for code in DRAWN.findall(path.read_text(encoding='utf-8'))}


def few_rules(css, names):
    """A style sheet with the rules of these icons alone, and {their numbers}."""
    codes = set()

    def kept(match):
        own = [one for one in match[1].split(',') if one[1:].removesuffix(':before') in names]
        if not own:
            return ''
        codes.add(match[2])
        return f'{",".join(own)}{{content:"\\{match[2]}"}}'

    return RULE.sub(kept, css), codes


def small_font(path, codes):
    """Writes the icons of these numbers that a font has beside it, as WOFF."""
    font = TTFont(path, recalcTimestamp=False)
    choice = subset.Subsetter(subset.Options(layout_features=[], name_IDs=[1, 2, 4, 6]))
    choice.populate(unicodes=[int(code, 16) for code in codes])
    choice.subset(font)
    font.flavor = 'woff'
    font.save(path.with_suffix('.woff'))


def keep_used(out):
    """Makes the fonts and the style sheet of an edition small, and its pages name them."""
    static = out / '_static'
    for sheet in static.glob('vendor/fontawesome/*/css/all.min.css'):
        css, codes = few_rules(sheet.read_text(encoding='utf-8'), used_names(out))
        codes |= used_codes(static)
        fonts = sheet.parents[1] / 'webfonts'
        for name in FONTS:
            if not (fonts / f'{name}.ttf').exists():  # it has been made small already
                continue
            small_font(fonts / f'{name}.ttf', codes)
            (fonts / f'{name}.woff2').unlink(missing_ok=True)
            css = re.sub(
                rf'url\(([^)]*{name})\.woff2\) format\("woff2"\)(?:,url\([^)]*\)[^,;}}]*)?',
                r'url(\1.woff) format("woff")',
                css,
            )
        sheet.write_text(css, encoding='utf-8')


PRELOADED = re.compile(r'type="font/woff2"([^>]*webfonts/(?:' + '|'.join(FONTS) + r')\.woff)2"')


def preload(text):
    """A page that loads the small fonts early."""
    return PRELOADED.sub(r'type="font/woff"\1"', text)
