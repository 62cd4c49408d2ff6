"""The drawn figures: files that any page can inline, legible in a narrow column, both themes."""

import re
import xml.etree.ElementTree as ET

import d2lrec
from d2lrec import palette

import figures
import pytest
from d2lrec_site.figures import inline_svg
from drawings import canvas
from drawings.canvas import PALETTE
from pages import page_text

from chapters import EDITIONS, ROOT

FILES = sorted((ROOT / 'img').glob('*.svg'))
SVG = '{http://www.w3.org/2000/svg}'
NO_TEXT = {'logo'}
DRAWN = {'rect', 'circle', 'path', 'text'}
# switch and g: what a drawing says in several languages
ALLOWED = DRAWN | {'svg', 'style', 'defs', 'marker', 'tspan', 'switch', 'g'}
COLOUR = re.compile(r'var\(--fig-(ink|muted|paper|line|[abcd](?:-soft)?),(#[0-9a-f]{6})\)')
COLUMN = 360  # px, the narrowest page column
SMALLEST = 9  # px, the smallest text in it
PHONE = 390  # px, where the site draws it from edge to edge
READABLE = 10  # px, the smallest text there

# what a model's name is in a drawing, where that is not the class's; and what is no click model
MODELS = [
    {'embeddingmlp': 'mlp'}.get(name.lower(), name.lower())
    for name in d2lrec.models.__all__
    if name[0].isupper() and name not in ('NeuMF', 'BiasBaseline', 'DeepFMConcat', 'HistoryBag')
]

each = pytest.mark.parametrize('path', FILES, ids=[p.stem for p in FILES])


# what stays as it is in every language: models, terms of code, mathematics
NAMES = re.compile(
    r'(?:[IU]-)?AutoRec|x?DeepFM|Wide & Deep|MLPs?|Adam|−log σ|ids|n[12] rows|int32 .*|⟨.*'
    '|.*[=≈∈Σ×].*|.*biases.*'
)
ENGLISH = {
    ''.join(child.itertext())
    for path in FILES
    for child in ET.parse(path).getroot().iter(f'{SVG}text')
    if not child.get('systemLanguage')
}


def tag(element):
    assert element.tag.startswith(SVG), f'{element.tag} is not SVG'
    return element.tag[len(SVG) :]


def rules(root):
    """The style sheet as {class: {property: value}}."""
    css = root.find(f'{SVG}style').text
    found = {}
    for selector, body in re.findall(r'([^{}]+)\{([^{}]*)\}', css):
        assert re.fullmatch(r'\.[\w-]+', selector.strip()), f'{selector} is not one class'
        found[selector.strip()[1:]] = dict(d.split(':', 1) for d in body.split(';') if d)
    return found


def test_every_figure_is_on_a_page_in_every_edition():
    drawn = {p.stem for p in FILES} - NO_TEXT
    for edition in EDITIONS:
        text = '\n'.join(page_text(ROOT / page) for page in edition.pages)
        shown = set(re.findall(r'img/([\w-]+)\.svg', text))
        assert shown - NO_TEXT == drawn, f'{edition.language}: shown and drawn differ'


@each
def test_only_plain_svg_without_outside_references(path):
    root = ET.parse(path).getroot()
    for element in root.iter():
        assert tag(element) in ALLOWED, f'{path.name}: <{tag(element)}>'
        for name, value in element.attrib.items():
            assert not name.lower().startswith('on') and 'href' not in name, f'{path.name}: {name}'
            for url in re.findall(r'url\(([^)]*)\)', value):
                assert url.startswith(f'#{path.stem}-'), f'{path.name}: {url}'
    css = root.find(f'{SVG}style').text
    assert 'url(' not in css and '@' not in css


@each
def test_names_do_not_clash_in_one_page(path):
    root = ET.parse(path).getroot()
    prefix = path.stem + '-'
    ids = [e.get('id') for e in root.iter() if e.get('id')]
    used = {c for e in root.iter() for c in (e.get('class') or '').split()}
    assert len(ids) == len(set(ids))
    assert all(name.startswith(prefix) for name in [*ids, *used, *rules(root)])
    assert used == set(rules(root)), 'a class without a rule, or a rule that nothing uses'


@each
def test_colours_can_be_switched(path):
    root = ET.parse(path).getroot()
    sheet = rules(root)
    for name, rule in sheet.items():
        for prop in {'fill', 'stroke'} & set(rule):
            value = rule[prop]
            assert value == 'none' or COLOUR.fullmatch(value), f'{path.name}: .{name} {value}'
        rest = ';'.join(v for p, v in rule.items() if p not in ('fill', 'stroke'))
        assert not re.search(r'#|rgb|hsl|color', rest), f'{path.name}: .{name}'
    for element in root.iter():
        assert not {'fill', 'stroke', 'color', 'stop-color', 'flood-color'} & set(element.attrib)
        if tag(element) in DRAWN:
            # without a fill of its own a shape is black, on a dark page too
            assert any('fill' in sheet[c] for c in element.get('class', '').split()), (
                f'{path.name}: {ET.tostring(element)[:120]}'
            )
        style = element.get('style', '')
        assert not re.search('fill|stroke|color', style)


def test_a_variable_falls_back_to_one_colour_everywhere():
    found = {}
    for path in FILES:
        for name, colour in COLOUR.findall(path.read_text(encoding='utf-8')):
            assert found.setdefault(name, colour) == colour, f'{path.name}: {name}'
    assert {'ink', 'paper', 'a', 'a-soft'} <= set(found)


@each
def test_paper_and_text(path):
    root = ET.parse(path).getroot()
    if path.stem not in NO_TEXT:
        assert root.find(f'{SVG}rect').get('class') == f'{path.stem}-paper'
        assert len(list(root.iter(f'{SVG}text'))) > 5


def test_every_model_is_on_the_map_or_in_the_family():
    """By the name that the drawings and the pages write; an MLP is one of many things."""
    text = {
        stem: ' '.join(
            ''.join(e.itertext())
            for e in ET.parse(ROOT / 'img' / f'{stem}.svg').getroot().iter(f'{SVG}text')
        )
        for stem in ('map', 'family')
    }
    drawn = set(re.findall(r'[\w&]+', ' '.join(text.values()).replace('Wide & Deep', 'WideDeep')))
    missing = set(MODELS) - {name.lower() for name in drawn}
    assert not missing, f'in neither tools/drawings/front.py nor compare.py: {missing}'


def test_the_style_sheet_has_the_palette():
    """The pages' light colours are those of plots and drawings; dark ones are theirs alone."""
    css = (ROOT / '_ext/d2lrec_site/static/book.css').read_text(encoding='utf-8')
    light, dark = (
        dict(re.findall(r'--fig-([\w-]+): ([^;]+);', block))
        for block in re.findall(r'html\[data-theme="(?:light|dark)"\] \{(.*?)\}', css, re.DOTALL)
    )
    plots = {'quiet': palette.QUIET, 'grid': palette.GRID}
    assert light == {**PALETTE, **plots, 'paper': 'transparent'}
    assert set(dark) == set(light) and dark['paper'] == 'transparent'


def test_colours_are_written_in_one_place():
    values = '|'.join(set(PALETTE.values()))
    for folder in ('d2lrec', 'tools', '_ext'):
        for path in (ROOT / folder).rglob('*.py'):
            if path.name != 'palette.py':
                text = path.read_text(encoding='utf-8')
                assert not re.search(values, text), f'{path.name}: take it from d2lrec/palette.py'


@each
def test_text_is_large_enough_in_a_narrow_column(path):
    root = ET.parse(path).getroot()
    x, y, width, height = map(float, root.get('viewBox').split())
    assert (x, y) == (0, 0) and width <= 720
    assert 'max-width:100%' in root.get('style') and 'height:auto' in root.get('style')
    shown = float(root.get('height')) / float(root.get('width'))
    assert shown == pytest.approx(height / width, abs=0.002)
    sheet = rules(root)
    sized = {}
    for name, rule in sheet.items():
        size = re.search(r'([\d.]+)px', rule.get('font', '') + rule.get('font-size', ''))
        if size:
            sized[name] = float(size.group(1))
            assert sized[name] * COLUMN / width >= SMALLEST, f'{path.name}: .{name}'
            assert sized[name] * PHONE / width >= READABLE, f'{path.name}: .{name}'
    for text in root.iter(f'{SVG}text'):
        assert text.get('class') in sized, f'{path.name}: {"".join(text.itertext())!r} has no size'


def test_files_are_what_the_script_draws(tmp_path):
    figures.main(tmp_path)
    drawn = {p.name: p.read_text(encoding='utf-8') for p in tmp_path.glob('*.svg')}
    assert set(drawn) == {p.name for p in FILES}
    for path in FILES:
        assert path.read_text(encoding='utf-8') == drawn[path.name], (
            f'{path.name} differs from the script: run python tools/figures.py'
        )


# In a browser -----------------------------------------------------------------------------------

# Every text must lie in the viewBox and in the smallest box around its centre, off other texts
# and off the lines. A text's box is its full line height, so it is shrunk a little first.
FAULTS = """svg => {
  const faults = [], slack = 2.5, view = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll('text')].map(t => {
    const b = t.getBBox();
    return {s: t.textContent, l: b.x, r: b.x + b.width, t: b.y + slack, b: b.y + b.height - slack};
  });
  const inside = (p, q, m) => p.l >= q.l + m && p.r <= q.r - m && p.t >= q.t && p.b <= q.b;
  const boxes = [...svg.querySelectorAll('rect')].map(e => {
    const b = e.getBBox();
    return {l: b.x, r: b.x + b.width, t: b.y, b: b.y + b.height, area: b.width * b.height};
  });
  for (const [n, p] of texts.entries()) {
    if (!(p.r > p.l)) faults.push(`empty: ${p.s}`);
    if (!inside(p, {l: 0, t: 0, r: view.width, b: view.height}, 4))
      faults.push(`leaves the figure: ${p.s}`);
    const x = (p.l + p.r) / 2, y = (p.t + p.b) / 2;
    const around = boxes.filter(q => x > q.l && x < q.r && y > q.t && y < q.b)
      .sort((q, o) => q.area - o.area)[0];
    if (around && !inside(p, around, 1)) faults.push(`leaves its box: ${p.s}`);
    for (const q of texts.slice(n + 1))
      if (p.l < q.r && q.l < p.r && p.t < q.b && q.t < p.b) faults.push(`${p.s} on ${q.s}`);
  }
  for (const e of svg.querySelectorAll(':scope > path')) {
    const length = e.getTotalLength();
    for (let d = 0; d <= length; d += 2) {
      const {x, y} = e.getPointAtLength(d);
      const hit = texts.find(p => x > p.l && x < p.r && y > p.t && y < p.b);
      if (hit) { faults.push(`a line runs through ${hit.s}`); break; }
    }
  }
  return faults;
}"""


@pytest.fixture(scope='module')
def page(browser):
    return browser.new_page(viewport={'width': 740, 'height': 900})


@each
@pytest.mark.parametrize('language', [edition.language for edition in EDITIONS])
def test_nothing_collides(path, language, page):
    drawing = inline_svg(path.read_text(encoding='utf-8'), 'x', 'alt', language)
    page.set_content(f'<!doctype html><body>{drawing}')
    assert page.eval_on_selector('svg', FAULTS) == []


@pytest.mark.parametrize('language', sorted(canvas.WORDS))
def test_drawings_speak_the_language(language):
    """Every label of two small letters or more has words, but names and mathematics."""
    said = set()
    for path in FILES:
        for parent in ET.parse(path).getroot().iter():
            for child in parent:
                if child.tag == f'{SVG}text' and parent.tag != f'{SVG}switch':
                    said.add(''.join(child.itertext()))
    untold = [s for s in said if re.search('[a-z]{3}', s) and not NAMES.fullmatch(s)]
    assert not untold, f'tools/drawings/words/{language}.json has no words for {sorted(untold)}'
    drawn = {re.sub('[*_^{}]', '', words) for words in canvas.WORDS[language]}
    assert not drawn - {re.sub('[*_^{}]', '', s) for s in ENGLISH}, 'no drawing says this any more'


def test_the_collision_check_sees_collisions(page):
    page.set_content(
        '<svg viewBox="0 0 300 200" font-size="14">'
        '<rect x="40" y="10" width="40" height="30"/>'
        '<text x="30" y="30">too wide</text>'
        '<text x="20" y="90">under</text><text x="30" y="92">over</text>'
        '<text x="280" y="180">outside</text>'
        '<path d="M150 0V200"/><text x="130" y="120">crossed</text></svg>'
    )
    faults = page.eval_on_selector('svg', FAULTS)
    assert sorted(faults) == [
        'a line runs through crossed',
        'leaves its box: too wide',
        'leaves the figure: outside',
        'under on over',
    ]


@each
@pytest.mark.parametrize('width', [360, 740])
def test_scales_with_its_column(path, width, page):
    page.set_content(
        f'<!doctype html><div style="width:{width}px">{path.read_text(encoding="utf-8")}</div>'
    )
    box, ratio = page.eval_on_selector(
        'svg',
        """svg => {
        const b = svg.getBoundingClientRect(), v = svg.viewBox.baseVal;
        return [[b.width, b.height], v.height / v.width]; }""",
    )
    assert box[0] <= width
    assert box[1] / box[0] == pytest.approx(ratio, abs=0.01)
