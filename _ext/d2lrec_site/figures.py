"""The book's drawings and the plots that cells draw: alt text, number, caption, put in the page.

Each is a figure with a number and a caption: that of `CAPTIONS` under its name, else the first
sentence of its alt text. A text refers to it by that name, `{numref}`: a drawing is
`fig-<page>-<file>`, or `fig-fm` where the two are the same, a plot is `fig-<id of its cell>`.
"""

import base64
import copy
import io
import math
import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from pathlib import Path

from d2lrec import palette
from d2lrec.phrases import phrasebook, width

import nbformat
import yaml
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

SVG = 'http://www.w3.org/2000/svg'
XML = 'http://www.w3.org/XML/1998/namespace'
XLINK = 'http://www.w3.org/1999/xlink'
LEGIBLE = 8.5  # dots of a letter that can be read on a phone
NARROW = 384  # a plot that asks for less is shrunk: on a phone it has about 340
PHONE = 341  # dots of a phone's column,
EASY = 10.1  # and of a letter that is read there without effort
DIGIT = 0.64  # width of a digit over a letter's height, in the widest of the fonts
CAPTIONS = 'chapters/captions.yml'
NAMES = 'chapters/names.yml'
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


def inline_svg(text, prefix, alt, language, plotted=False, named=()):
    """One drawing as HTML in one language, readable by name.

    Its classes carry its file's name already; its ids get the prefix, for a page may show it
    twice. `prefix` must be unique on the page; `plotted` is what a cell drew, and `named` are the
    names in it that the text points to. Raises ValueError where the text is not SVG.
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
    most = float(re.sub('[^0-9.]', '', root.get('width') or root.get('viewBox').split()[2]))
    if plotted:  # points of Matplotlib, of which 72 make the 96 dots of a page
        most *= 4 / 3
        for element in root.iter():  # the page's font, in a double, too
            if 'font-family' in element.get('style', ''):
                element.set('style', re.sub('font-family: [^;]*;? ?', '', element.get('style')))
    style, pieces = f'max-width:{most:g}px', ''
    if plotted:
        least = least_width(root)
        least = least if least > NARROW else 0
        pieces = for_phones(root, prefix, least, named)
        style += f';--least:{least}px'
        for image in root.iter(f'{{{SVG}}}image'):
            make_light(image)
            if is_pale(image):
                image.set('class', 'd2l-pale')
        for panel in panels(root):
            if any(one.get('class') == 'd2l-pale' for one in panel.iter(f'{{{SVG}}}image')):
                mark_texts(panel)
        for name in names_of_dots(root):
            name.set('class', 'd2l-halo')
        shade(root, prefix)
        show_greys(root)
    for key in ('width', 'height', 'style', f'{{{XML}}}lang'):
        root.attrib.pop(key, None)
    root.attrib.update(
        {
            'id': prefix,
            'role': 'img',
            'aria-label': alt,
            'class': 'figure-svg plot-svg' if plotted else 'figure-svg',
            'style': style,
        }
    )
    drawn = ET.tostring(root, encoding='unicode')
    return f'<div class="d2l-plot">{drawn}{pieces}</div>' if plotted else drawn


# The ends of a heat map's colours, and the share of each from which on letters on it are dark where
# the page is: white does not have its contrast there any more.
ENDS = {'a': (palette.A, 0.63), 'b': (palette.B, 0.6)}


def mixed(colour):
    """(end, share) of a colour of a heat map between white and one of `ENDS`; None for another."""
    given = [255 - int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    found = []
    for end, (full, _) in ENDS.items():
        whole = [255 - int(full[at : at + 2], 16) for at in (1, 3, 5)]
        share = sum(g * w for g, w in zip(given, whole)) / sum(w * w for w in whole)
        off = max(abs(g - share * w) for g, w in zip(given, whole))
        share = min(round(share, 3), 1.0) if share > 0.01 else 0.0
        found.append((off, end, share))
    off, end, share = min(found)
    return (end, share) if off < 4 else None


def shade(root, prefix):
    """Heat maps mix their colours of the page's: in the dark zero is the page, not white.

    What is written on a cell says whether the cell is a pale or a full one; the bar beside a map,
    a picture, becomes a rectangle of the same colours.
    """
    maps = [g for g in root.iter(f'{{{SVG}}}g') if 'QuadMesh' in g.get('id', '')]
    boxes = []
    for cell in (cell for one in maps for cell in one):
        found = re.search(r'fill: (?:var\(--fig-\w+, )?(#\w{6})', cell.get('style', ''))
        known = found and mixed(found[1])
        if not known:
            continue
        end, share = known
        cell.attrib.update({'fill': found[1], 'stroke': found[1], 'stroke-width': '0.4'})
        cell.attrib.update({'class': f'd2l-{end}', 'style': f'--share:{100 * share:.4g}%'})
        boxes.append((extent_of_path(cell), share > ENDS[end][1]))
    for text in root.iter(f'{{{SVG}}}text') if boxes else ():
        left, right, top, bottom = text_extent(text)
        x, y = (left + right) / 2, (top + bottom) / 2
        for (begin, stop, high, low), full in boxes:
            if begin < x < stop and high < y < low:
                text.set('class', 'd2l-on-full' if full else 'd2l-on-pale')
    bars = [(g, image) for g in root.iter(f'{{{SVG}}}g') for image in g if _name(image) == 'image']
    for number, (group, image) in enumerate(bars if maps else ()):
        stops = bar_stops(image)
        if stops:
            name = f'{prefix}-bar{number}'
            place = {key: image.get(key) for key in ('x', 'y', 'width', 'height', 'transform')}
            bar = ET.Element(f'{{{SVG}}}rect', {**place, 'fill': f'url(#{name})'})
            colours = ET.Element(f'{{{SVG}}}linearGradient', {'id': name, 'x2': '0', 'y2': '1'})
            colours.extend(stops)
            at = list(group).index(image)
            group[at : at + 1] = [colours, bar]


def bar_stops(image):
    """The colours of a bar, from its top to its bottom; () where one of them is no map's."""
    from PIL import Image

    data = picture_of(image)
    if not data:
        return ()
    with Image.open(io.BytesIO(data)) as picture:
        wide, high = picture.size
        rows = [round(n * (high - 1) / 16) for n in range(17)]
        seen = [picture.convert('RGB').getpixel((wide // 2, row)) for row in rows]
    stops = []
    for n, colour in enumerate('#{:02x}{:02x}{:02x}'.format(*one) for one in seen):
        known = mixed(colour)
        if not known:
            return ()
        end, share = known
        one = {'offset': f'{n / 16:.4g}', 'stop-color': colour, 'class': f'd2l-{end}'}
        one['style'] = f'--share:{100 * share:.4g}%'
        stops.append(ET.Element(f'{{{SVG}}}stop', one))
    return stops


def picture_of(image):
    """The bytes of an <image> that holds them; b'' for another."""
    _, found, data = next(image.get(link, '') for link in LINKS if image.get(link)).partition(
        'base64,'
    )
    return base64.b64decode(data) if found else b''


GREY = re.compile(r'((?:fill|stroke): )#([4-9a-d][0-9a-f])\2\2\b')


def show_greys(root):
    """Greys of a cell's own code, such as '0.4' of a dashed line, are the page's in the dark."""

    def told(match):
        name = next(n for most, n in ((0x70, 'quiet'), (0xB0, 'muted'), (0xFF, 'line'))
                    if int(match[2], 16) <= most)  # fmt: skip
        return f'{match[1]}var(--fig-{name}, #{match[2] * 3})'

    for element in root.iter():
        if '#' in element.get('style', ''):
            element.set('style', GREY.sub(told, element.get('style')))


def letters(text):
    """The size of a text's letters: the largest, for an exponent is read beside its number."""
    styles = ' '.join(element.get('style', '') for element in text.iter())
    return max(map(float, re.findall(r'font(?:-size)?:[^;"]*?([\d.]+)px', styles)), default=10.0)


def least_width(root):
    """The width in dots of a page below which a plot's smallest letters are below `LEGIBLE`."""
    sizes = [letters(text) for text in root.iter(f'{{{SVG}}}text')]
    return round(LEGIBLE * float(root.get('viewBox').split()[2]) / min(sizes)) if sizes else 0


PALE = 170  # of 255, the brightness from which a picture is pale
HEAVY = 50_000  # bytes of a picture within a plot from which it is worth another form


def make_light(image):
    """A heavy picture without transparency keeps 256 colours, which nobody tells from its own."""
    from PIL import Image

    data = picture_of(image)
    if len(data) < HEAVY:
        return
    with Image.open(io.BytesIO(data)) as picture:
        if picture.convert('RGBA').getextrema()[3] != (255, 255):
            return
        few = picture.convert('RGB').quantize(256, Image.Quantize.MEDIANCUT, dither=0)
    out = io.BytesIO()
    few.save(out, 'PNG', optimize=True)
    if len(out.getvalue()) < len(data):
        link = next(one for one in LINKS if image.get(one))
        text = base64.b64encode(out.getvalue()).decode()
        image.set(link, f'data:image/png;base64,{text}')


def is_pale(image):
    """Whether an <image> is pale and covers all: in the dark it would shine, and is inverted."""
    from PIL import Image, ImageStat

    data = picture_of(image)
    if not data:
        return False
    with Image.open(io.BytesIO(data)) as picture:
        covers = picture.convert('RGBA').getextrema()[3] == (255, 255)
        return covers and ImageStat.Stat(picture.convert('L')).mean[0] > PALE


def mark_texts(panel):
    """What is written on a picture that is inverted in the dark has the page's ink there."""
    left, right, top, bottom = extent(panel[:1])
    for text in (text for one in panel if 'text_' in one.get('id', '') for text in one):
        begin, end, upper, lower = text_extent(text)
        if left < (begin + end) / 2 < right and top < (upper + lower) / 2 < bottom:
            text.set('class', 'd2l-on-pale-picture')


def stacked(root, prefix, least):
    """A plot's columns once more, for a phone to show one under the other; '' for one column.

    A plot of two panels side by side, or with a legend beside it, is wider than a phone: what is
    at the right would be out of sight.
    """
    parts = columns(root)
    whole = float(root.get('viewBox').split()[2])
    if len(parts) < 2 or not least:
        return ''
    share_axes(root, parts)
    own = [n for n, part in enumerate(parts) if part_panels(root, part)]
    for n in own if len(own) > 1 else ():
        for panel in part_panels(root, parts[n]):
            panel.set('style', f'display: var(--panel-{n}, inline)')
    size = EASY * max(right - left for left, right, _, _ in parts) / PHONE
    for n, (left, right, top, bottom) in enumerate(parts):  # larger letters, where there is room
        for text in root.iter(f'{{{SVG}}}text'):
            one, two = room(text, letters(text)), room(text, size)
            within = left <= one[0] and one[1] <= right and top <= one[2] and one[3] <= bottom
            fits = (two[0] > left - 2 or n == 0) and (two[1] < right + 2 or n == len(parts) - 1)
            if within and fits and letters(text) < size:
                grow(text)
                parts[n] = joined(parts[n], (two[0], two[1], top, bottom))
    for n in own:
        for panel in part_panels(root, parts[n]):
            for label, numbers in labelled(panel):
                ink, *others = (inked(text, size, has_grown(text)) for text in (label, *numbers))
                out = shift(label, ink, others, size)
                move(label, out)
                parts[n] = joined(parts[n], moved(ink, out))
    widest = max(right - left for left, right, _, _ in parts)
    pieces = ''.join(
        f'<svg class="figure-svg plot-svg" '
        f'viewBox="{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}" '
        f'style="width:{100 * (right - left) / widest:.1f}%;'
        f'max-width:{(right - left) * 4 / 3:.0f}px;'
        f'--least:{round(least * (right - left) / whole)}px;--small:{size:.1f}px;--moved:1;'
        f'--shared:inline{"".join(f";--panel-{m}:none" for m in own if n in own and m != n)}">'
        f'<use href="#{prefix}-figure_1"/></svg>'
        for n, (left, right, top, bottom) in enumerate(parts)
    )
    return f'<div class="d2l-stacked" aria-hidden="true">{pieces}</div>'


def part_panels(root, part):
    """The panels whose frames stand in a column."""
    frames = ((panel, extent(panel[:1])) for panel in panels(root))
    return [panel for panel, frame in frames if part[0] <= frame[0] and frame[1] <= part[1]]


def share_axes(root, parts):
    """A panel whose numbers stand at the panel beside it has its own where each stands alone.

    They are seen where `--shared` says so; its column, in `parts`, becomes as wide as they need.
    """
    known = [(extent(panel[:1]), y_axis(panel)) for panel in panels(root)]
    for frame, axis in known:
        if axis is None or ticks(axis)[1] or not ticks(axis)[0]:
            continue
        for other, donor in known:
            same = donor is not None and ticks(donor)[0] == ticks(axis)[0]
            if not same or not ticks(donor)[1] or abs(other[2] - frame[2]) > 1:
                continue
            right = frame[0] - other[0]
            group = ET.SubElement(axis, f'{{{SVG}}}g', {'style': 'display: var(--shared, none)'})
            group.extend(copied(text, right) for text in list(donor.iter(f'{{{SVG}}}text')))
            for n, (left, end, top, bottom) in enumerate(parts):
                if left <= frame[0] < end:
                    parts[n] = min(left, extent([group])[0] - 2), end, top, bottom
            break


def copied(text, right):
    """A text once more, further to the right."""
    text = copy.deepcopy(text)
    if text.get('x'):
        text.set('x', f'{float(text.get("x")) + right:g}')
    place = re.compile(r'(rotate\(\S+ |translate\()(-?[\d.]+)')
    there = place.sub(lambda m: f'{m[1]}{float(m[2]) + right:g}', text.get('transform', ''))
    text.set('transform', there)
    return text


def y_axis(panel):
    """The group of a panel's upright axis; None where it has none."""
    return next((g for g in panel if any('ytick_' in one.get('id', '') for one in g)), None)


def ticks(axis):
    """(heights of the ticks of an axis, what is written at them)."""
    found = [tick for tick in axis if 'tick_' in tick.get('id', '')]
    heights = [round(float(use.get('y'))) for tick in found for use in tick.iter(f'{{{SVG}}}use')]
    return heights, [text for tick in found for text in tick.iter(f'{{{SVG}}}text')]


def labelled(panel):
    """[(label of an axis, its numbers)] of a panel: at the left of them, or below."""
    groups = [g for g in panel if 'axis_' in g.get('id', '')]
    groups += [one for g in groups for one in g if '--shared' in one.get('style', '')]
    found = []
    for group in groups:
        inner = [one for one in group if '--shared' not in one.get('style', '')]
        texts = [text for one in inner for text in one.iter(f'{{{SVG}}}text')]
        labels = [one[0] for one in inner if 'text_' in one.get('id', '') and len(one)]
        if '--shared' in group.get('style', ''):
            labels = [text for text in texts if is_upright(text)]
        numbers = [text for text in texts if text not in labels]
        for label in labels if numbers else ():
            own, other = text_extent(label), joined(*map(text_extent, numbers))
            if own[0] < other[0] if is_upright(label) else own[3] > other[3]:
                found.append((label, numbers))
    return found


def is_upright(text):
    return 'rotate(-90' in text.get('transform', '')


def inked(text, size, grows=True):
    """The room of a text where small letters have a size; its digits and its Hangul are large."""
    size = max(letters(text), size) if grows else letters(text)
    return text_extent(text, size, DIGIT, 0.88, 0.15)


def has_grown(text):
    return '--small' in ET.tostring(text, encoding='unicode')


def shift(label, own, numbers, size):
    """(right, down) that an axis's label goes to stand clear of its numbers, given their room."""
    other = joined(*numbers)
    if is_upright(label):
        return min(0, other[0] - 0.2 * size - own[1]), 0
    return 0, max(0, other[3] + 0.1 * size - own[2])


def moved(box, out):
    """A box at another place."""
    return box[0] + out[0], box[1] + out[0], box[2] + out[1], box[3] + out[1]


def move(text, out):
    """Moves a text where `--moved` is 1."""
    if any(out):
        right, down = (f'calc(var(--moved, 0) * {one:.1f}px)' for one in out)
        text.set('style', f'{text.get("style", "")}; translate: {right} {down}')


def for_phones(root, prefix, least, named=()):
    """What a phone shows instead of a plot; '' where its letters are easy to read there.

    The plot's columns one under the other where it has some, else the plot with larger letters.
    """
    asked = min_size(root)
    whole = float(root.get('viewBox').split()[2])
    if not asked or asked * PHONE / whole >= EASY:
        return ''
    parts = columns(root)
    if len(parts) > 1 and (least or max(b - a for a, b, _, _ in parts) < 0.9 * whole):
        return stacked(root, prefix, least or least_width(root))
    return enlarged(root, prefix, named)


def min_size(root):
    """The size of a plot's smallest letters; 0 for none."""
    return min(map(letters, root.iter(f'{{{SVG}}}text')), default=0)


def enlarged(root, prefix, named=()):
    """A plot once more with letters that are easy to read on a phone, as far as they have room.

    The picture takes in what the larger letters need at its edges, and the label of an upright axis
    goes as far out as its larger numbers reach. Of names beside dots, of which a plot shows as many
    as there is room for, the later ones of those that touch, and those that now cover another dot,
    are left out; those of `named` last. Of numbers along an axis that would run together every
    second one is.
    """
    texts, names = list(root.iter(f'{{{SVG}}}text')), names_of_dots(root)
    said = [''.join(text.itertext()).strip() for text in texts]
    places = {text: n for n, text in enumerate(texts)}
    labels = [
        (places[label], [places[number] for number in numbers])
        for panel in panels(root)
        for label, numbers in labelled(panel)
    ]
    rows = [[places[text] for text in row] for row in numbers_along(root)]
    dots = places_of_dots(root)
    some = len(names) < len(dots)  # of many dots, which a phone may name fewer of
    left, top, wide, high = map(float, root.get('viewBox').split())
    own = [room(text, letters(text)) for text in texts]
    order = sorted(range(len(texts)), key=lambda n: said[n] not in named)
    fixed, hidden = set(), set()
    while True:
        size = EASY * wide / PHONE
        for _ in range(8):  # a wider picture asks for larger letters
            boxes = [
                box if n in fixed or letters(text) >= size else room(text, size)
                for n, (text, box) in enumerate(zip(texts, own))
            ]
            outs = {}
            for label, numbers in labels:
                inks = [inked(texts[n], size, n not in fixed) for n in (label, *numbers)]
                outs[label] = shift(texts[label], inks[0], inks[1:], size)
                boxes[label] = moved(inks[0], outs[label])
            shown = [box for n, box in enumerate(boxes) if n not in hidden]
            grown = [
                room(text, max(size, letters(text)), DIGIT)
                for n, text in enumerate(texts)
                if n not in fixed | hidden
            ]
            frame = joined((left, left + wide, top, top + high), *shown, *grown)
            size = EASY * (frame[1] - frame[0]) / PHONE
        over = next(
            (
                (n, m)
                for at, n in enumerate(order)
                for m in order[:at]
                if not {n, m} & hidden
                and not {n, m} <= fixed
                and (
                    touch(apart(boxes[n], size), boxes[m])
                    if some and texts[n] in names and texts[m] in names
                    else touch(boxes[n], boxes[m]) and not touch(own[n], own[m])
                )
            ),
            None,
        )
        free = [row for row in rows if not (fixed | hidden) & set(row)]
        crowded = next((row for row in free if run_together([texts[n] for n in row], size)), None)
        if crowded:
            hidden.update(crowded[1::2])
            continue
        covers = {
            n
            for n, text in enumerate(texts)
            if some and text in names and said[n] not in named and n not in hidden | fixed
            if any(inside(dot, boxes[n]) and not inside(dot, own[n]) for dot in dots)
        }
        if covers:
            hidden |= covers
            continue
        if not over:
            break
        if texts[over[0]] in names and said[over[0]] not in named:
            hidden.add(over[0])
        else:
            fixed.update(over)
    for n, text in enumerate(texts):
        if n in hidden:
            text.set('style', f'{text.get("style", "")}; opacity: var(--shown, 1)')
        elif n not in fixed and letters(text) < size:
            grow(text)
        if n in outs:
            move(text, outs[n])
    begin, end, upper, lower = frame
    return (
        '<div class="d2l-stacked" aria-hidden="true"><svg class="figure-svg plot-svg" '
        f'viewBox="{begin:.1f} {upper:.1f} {end - begin:.1f} {lower - upper:.1f}" '
        f'style="width:100%;max-width:{(end - begin) * 4 / 3:.0f}px;'
        f'--small:{size:.1f}px;--shown:0;--moved:1">'
        f'<use href="#{prefix}-figure_1"/></svg></div>'
    )


def apart(box, size):
    """A box with the room round it that a name has beside another of its size."""
    left, right, top, bottom = box
    return left - 0.2 * size, right + 0.2 * size, top - 0.1 * size, bottom + 0.15 * size


def panels(root):
    """The panels of a plot of Matplotlib."""
    return [g for g in root.iter(f'{{{SVG}}}g') if re.match(r'(?:\w+-)?axes_', g.get('id', ''))]


def run_together(texts, size):
    """Whether neighbours in a row of numbers would touch at a size."""
    boxes = [apart(room(text, size, DIGIT), size) for text in texts]
    return any(map(touch, boxes, boxes[1:]))


def numbers_along(root):
    """The texts of each lower axis of a plot that has numbers."""
    axes = [g for panel in panels(root) for g in panel if 'axis_' in g.get('id', '')]
    rows = [ticks(axis)[1] for axis in axes if any('xtick_' in one.get('id', '') for one in axis)]
    return [
        row
        for row in rows
        if all(re.fullmatch(r'[−\d.,%]+', ''.join(text.itertext()).strip()) for text in row)
    ]


def places_of_dots(root):
    """[(x, y)] of the dots of a plot of many."""
    clouds = [g for g in root.iter(f'{{{SVG}}}g') if 'PathCollection' in g.get('id', '')]
    uses = [use for cloud in clouds for use in cloud.iter(f'{{{SVG}}}use')]
    return [(float(use.get('x', 0)), float(use.get('y', 0))) for use in uses]


def inside(dot, box):
    return box[0] < dot[0] < box[1] and box[2] < dot[1] < box[3]


def names_of_dots(root):
    """The texts that stand beside the dots of a plot of many."""
    dots = [g for g in panels(root) if any('PathCollection' in one.get('id', '') for one in g)]
    found = [text for g in dots for one in g for text in one if 'text_' in one.get('id', '')]
    return [text for text in found if 'bold' not in text.get('style', '')]


def grow(text):
    """Lets a text be as large as the picture that shows it asks for: `--small`."""
    largest = letters(text)
    if re.fullmatch(r'10−?\d+', ''.join(''.join(text.itertext()).split())):
        let_flow(text)
    for element in text.iter():
        told = re.sub(
            r'(font-size: )([\d.]+)px',
            lambda m: f'{m[1]}max({m[2]}px, calc(var(--small, 0px) * {float(m[2]) / largest:.3g}))',
            element.get('style', ''),
        )
        if told:
            element.set('style', told)


def let_flow(text):
    """Lets the signs of a power, each at a place of its own, follow one another as they grow."""
    signs = list(text)
    places = [float(sign.get('y', 0)) for sign in signs]
    text.text = ''
    for sign, before, at in zip(signs, [None, *places], places):
        sign.tail = ''
        if before is not None:
            size = float(re.search(r'font-size: ([\d.]+)px', sign.get('style'))[1])
            sign.attrib.pop('x')
            sign.attrib.pop('y')
            sign.set('dy', f'{(at - before) / size:.3g}em')


def touch(one, two):
    """Whether two boxes lie on each other."""
    return one[0] < two[1] and two[0] < one[1] and one[2] < two[3] and two[2] < one[3]


def columns(root):
    """[(left, right, top, bottom)] of what stands side by side in a plot of Matplotlib.

    A column is a panel with all round it, or a legend beside one; panels under each other and a
    colour bar with what it explains are one. A legend over or under the only column is one, too.
    """
    _, _, whole, high = map(float, root.get('viewBox').split())
    figure = root.find(f'{{{SVG}}}g')
    boxes, over, frame = [], [], ()
    for group in figure if figure is not None else ():
        name = group.get('id', '').rpartition('-')[2]
        if name.startswith('axes_'):
            legends = [g for g in group if 'legend_' in g.get('id', '')]
            inner = extent([child for child in group if child not in legends])
            frame = extent(group[:1])
            for legend in legends:
                beside = extent([legend])
                if beside[3] <= frame[2] + 1 or beside[2] >= frame[3]:
                    over.append(beside)
                elif beside[0] < frame[1] - 1:  # within the panel
                    inner = joined(inner, beside)
                else:
                    boxes.append(beside)
            if boxes and frame[1] - frame[0] < 0.08 * whole:  # a colour bar
                inner = joined(boxes.pop(), inner)
            boxes.append(inner)
        elif name.startswith('legend_') and frame and extent([group])[3] <= frame[2] + 1:
            over.append(extent([group]))
        elif not name.startswith('patch_'):
            boxes.append(extent([group]))
    parts = []
    for box in sorted(box for box in boxes if box):
        if parts and box[0] < parts[-1][1] - 4:  # what letters measure is a guess
            parts[-1] = joined(parts[-1], box)
        else:
            parts.append(box)
    if len(over) == len(parts) == 1:
        left, right, top, bottom = over[0]
        legend = max(left - 6, 0), min(right + 6, whole), max(top - 6, 0), min(bottom + 6, high)
        if top < frame[2]:
            return [legend, (0, whole, bottom + 3, high)]
        return [(0, whole, 0, top - 3), legend]
    cuts = [0, *((one[1] + two[0]) / 2 for one, two in zip(parts, parts[1:])), whole]
    return [
        (left, right, max(top - 6, 0), min(bottom + 6, high))
        if bottom - top < high / 2  # a legend
        else (left, right, 0, high)
        for left, right, (_, _, top, bottom) in zip(cuts, cuts[1:], parts)
    ]


def joined(*boxes):
    """The box round boxes (left, right, top, bottom)."""
    left, right, top, bottom = zip(*(box for box in boxes if box))
    return min(left), max(right), min(top), max(bottom)


def extent(elements):
    """(left, right, top, bottom) of what elements draw, () for nothing; text is estimated."""
    boxes = []
    for element in elements:
        name = _name(element)
        if name == 'defs' or element.get('clip-path'):  # what is clipped lies in its panel
            continue
        if name == 'path':
            if re.search(r'\d', element.get('d', '')):
                boxes.append(extent_of_path(element))
        elif name == 'use' and element.get('x'):
            x, y = float(element.get('x')), float(element.get('y'))
            boxes.append((x, x, y, y))
        elif name == 'text':
            boxes.append(text_extent(element))
        elif name == 'g':
            moved = re.match(r'translate\((\S+) (\S+)\)$', element.get('transform', ''))
            x, y = map(float, moved.groups()) if moved else (0, 0)
            inner = extent(element)
            if inner:
                boxes.append((inner[0] + x, inner[1] + x, inner[2] + y, inner[3] + y))
    return joined(*boxes) if boxes else ()


def extent_of_path(path):
    """(left, right, top, bottom) of the points of a path."""
    numbers = [float(number) for number in re.findall(r'-?[\d.]+', path.get('d', ''))]
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), max(xs), min(ys), max(ys)


def room(text, size, digit=0.56):
    """(left, right, top, bottom) of a text's letters at a size, rather too wide than too narrow."""
    said = ''.join(text.itertext())
    wide = digit if sum(map(str.isdigit, said)) > len(said) / 2 else 0.56
    return text_extent(text, size, wide, 0.75, 0.1)


def text_extent(text, size=None, wide=0.5, above=1, below=0.3):
    """(left, right, top, bottom) of a text, its letters taken as half as wide as they are high."""
    size = size or letters(text)
    long = wide * size * width(''.join(text.itertext()).strip())
    x, y = float(text.get('x', 0)), float(text.get('y', 0))
    anchor = re.search(r'text-anchor: (\w+)', text.get('style', ''))
    before = {'middle': 0.5, 'end': 1}.get(anchor[1] if anchor else '', 0) * long
    moved = re.match(r'translate\((\S+) (\S+)\)', text.get('transform', ''))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    turned = re.search(r'rotate\(([^\s)]+)', text.get('transform', ''))
    angle = math.radians(float(turned[1])) if turned else 0
    corners = [
        (
            x + along * math.cos(angle) - up * math.sin(angle),
            y + along * math.sin(angle) + up * math.cos(angle),
        )
        for along in (-before, long - before)
        for up in (-above * size, below * size)
    ]
    xs, ys = zip(*corners)
    return min(xs), max(xs), min(ys), max(ys)


def inline_figures(app, doctree, docname):
    """Replaces each drawing of img/, and each plot of a cell, by the picture itself.

    A plot's words are the code's, in English: here they become the page's.
    """
    if app.builder.format != 'html':
        return
    language = app.config.language
    book = phrasebook(language, docname.rpartition('/')[2])
    named = names(str(Path(app.srcdir) / NAMES))
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
            own = named.get(next(iter(image.parent.get('names', ())), ''), ())
            html = inline_svg(text, f'fig{number}', alt, language, plotted, own)
        except ValueError as error:
            logger.warning('%s: %s', uri, error, location=image)
            continue
        app.builder.images.pop(uri, None)
        # a search lights up words of the page, but not of a picture's style or title
        html = re.sub(r'<(style|title|desc)(?=[ >])', r'<\1 class="nohighlight"', html)
        image.replace_self(nodes.raw('', html, format='html'))


def _above(node):
    while node.parent is not None:
        node = node.parent
        yield node


def plain_plot(text):
    """Matplotlib's SVG with its one style for everything on the root, which a page may hold."""
    text = re.sub(r'<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*', '', text, count=1)
    return re.sub(r'(<svg\b)', r'\1 stroke-linejoin="round" stroke-linecap="butt"', text, count=1)


DRAWING = re.compile(r'(?:.*/)?img/([\w-]+)\.svg')
SENTENCE = re.compile(r'(?<=[\w)\]\'"”’]\.)\s+(?=\S)')


def caption(alt):
    """(caption, what is left to describe) of an alt text: its first sentence, and the others.

    >>> caption('RMSE by epoch. It falls below 0.93.')
    ('RMSE by epoch.', 'It falls below 0.93.')
    >>> caption('RMSE by epoch.')
    ('RMSE by epoch.', 'RMSE by epoch.')
    """
    first, *rest = SENTENCE.split(' '.join(alt.split()), maxsplit=1)
    return first, rest[0] if rest else first


@lru_cache
def captions(path):
    """{name of a figure: {language: caption}} of a file."""
    return yaml.safe_load(Path(path).read_text(encoding='utf-8'))


@lru_cache
def names(path):
    """{name of a plot: the names beside its dots that a text points to} of a file, if there is one.

    A phone has room for some of a plot's names: for these first.
    """
    return yaml.safe_load(Path(path).read_text(encoding='utf-8')) if Path(path).exists() else {}


def name_of(address, page):
    """The name of a drawing on a page; '' for what is no drawing of the book.

    >>> name_of('../../img/onehot.svg', 'fm'), name_of('../../img/fm.svg', 'fm')
    ('fig-fm-onehot', 'fig-fm')
    """
    drawing = DRAWING.fullmatch(address)
    if not drawing:
        return ''
    return f'fig-{page}' if drawing[1] == page else f'fig-{page}-{drawing[1]}'


class NumberFigures(SphinxTransform):
    """Makes a figure, with a caption and a name, of each drawing and of each plot of a cell."""

    default_priority = 600  # names are noted for references at 850

    def apply(self):
        page = self.env.docname.rpartition('/')[2]
        path = Path(self.env.srcdir) / CAPTIONS
        self.captions = captions(str(path)) if path.exists() else {}
        self.env.note_dependency(str(path))
        self.env.note_dependency(str(Path(self.env.srcdir) / NAMES))
        made = set()
        for image in list(self.document.findall(nodes.image)):
            name = name_of(image['uri'], page)
            if not name or not image.get('alt') or isinstance(image.parent, nodes.figure):
                continue
            paragraph = image.parent
            if name not in made and isinstance(paragraph, nodes.paragraph) and len(paragraph) == 1:
                made.add(name)
                self.frame(image, paragraph, name)
        self.plots(page)

    def plots(self, page):
        language = self.config.language
        for cell in self.document.findall(nodes.container):
            if cell.get('nb_element') != 'cell_code':
                continue
            images = list(cell.findall(nodes.image))
            metadata = cell.get('cell_metadata', {})
            alt = metadata.get('alt', {}).get(language, '')
            if images and not alt:
                logger.warning(
                    'a plot has no alt text: give its cell the metadata '
                    f'"alt": {{"{language}": …}}.',
                    location=cell,
                )
            for image in images:
                image['alt'] = alt
            if images and alt:
                self.frame(images[0], images[0], f'fig-{self.cell_id(cell["cell_index"])}')

    def cell_id(self, index):
        path = self.env.doc2path(self.env.docname)
        return nbformat.read(path, as_version=4).cells[index]['id']

    def frame(self, image, place, name):
        """Puts a figure in the place of a node; the image in it keeps the rest of its alt text."""
        own = self.captions.get(name, {}).get(self.config.language)
        if own:
            words = own
        else:
            words, image['alt'] = caption(image['alt'])
        figure = nodes.figure('', names=[name], align='default')
        figure.source, figure.line = place.source, place.line
        place.replace_self(figure)
        figure += image
        figure += nodes.caption(words, words)
        self.document.note_explicit_target(figure)


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
