"""The built site, as files and as Chromium shows it."""

import io
import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import unquote, urldefrag, urlparse

import d2lrec as d2l
from d2lrec import palette, phrases, plot

import axe_playwright_python
import build
import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from d2lrec_site import api, cells, figures, finish, formulas, icons, search, typography
from d2lrec_site.anchors import FORMER
from docutils import nodes
from docutils.nodes import make_id
from nbformat import v4
from PIL import Image
from playwright.sync_api import TimeoutError as TookTooLong
from sphinx.application import Sphinx

from chapters import BOOK, EDITIONS, ROOT

pytestmark = pytest.mark.site
LANGUAGES = [edition.language for edition in EDITIONS]
WIDTHS = (360, 768, 1280)

each_edition = pytest.mark.parametrize('edition', EDITIONS, ids=LANGUAGES)


def edition_of(name):
    """The edition that a file of the site belongs to."""
    return BOOK.of(name.partition('/')[0])


@pytest.fixture(scope='module')
def pages(site):
    """{path below the site: parsed page} of every page but the redirecting ones."""
    parsed = {}
    for path in sorted(site.rglob('*.html')):
        name = path.relative_to(site).as_posix()
        redirects = (
            'index.html',
            '404.html',
            *(f'{language}/index.html' for language in LANGUAGES),
        )
        if '_static/' not in name and name not in redirects:
            parsed[name] = BeautifulSoup(path.read_text(encoding='utf-8'), 'html.parser')
    assert len(parsed) >= sum(len(edition.pages) for edition in EDITIONS)
    return parsed


def words_of(page):
    """Text of a page's article outside code and formulas."""
    article = BeautifulSoup(str(page.find('article')), 'html.parser')
    for element in article(['pre', 'code', 'script', 'style', 'svg']):
        element.extract()
    for element in article.select('.math'):
        element.extract()
    return article.get_text(' ')


# --- files


def test_every_page_of_the_contents_exists_in_every_edition(site):
    for edition in EDITIONS:
        for page in edition.pages:
            assert (site / edition.language / f'{page}.html').exists(), page


def test_language_title_and_one_heading(pages):
    for name, page in pages.items():
        edition = edition_of(name)
        assert page.html['lang'] == edition.language, name
        assert page.title.get_text().count(edition.words['title']) == 1, name
        if '/chapters/' in name:
            assert len(page.find('article').find_all('h1')) == 1, name
            heading = BeautifulSoup(str(page.find('article').h1), 'html.parser')
            for number in heading.select('.section-number'):
                number.extract()
            heading = heading.get_text().rstrip('#').strip()
            title = re.sub(r'^[\d.]+ ', '', page.title.get_text().strip())  # a chapter's number
            assert title.startswith(heading), name


def test_switch_leads_to_every_twin_and_back(site, pages):
    def leads(name):
        """{language: page of the site} of a page's switch."""
        links = pages[name].select('a.language-switch')
        assert all(link['lang'] == link['hreflang'] for link in links), name
        return {
            link['lang']: ((site / name).parent / link['href'])
            .resolve()
            .relative_to(site.resolve())
            .as_posix()
            for link in links
        }

    for name, page in pages.items():
        own = edition_of(name)
        twins = leads(name)
        assert list(twins) == [other.language for other in BOOK.others(own)], name
        for language, twin in twins.items():
            link = page.select_one(f'a.language-switch[lang={language}]')
            alternate = page.select_one(f'link[rel=alternate][hreflang={language}]')
            assert alternate['href'] == link['href'], name
            assert leads(twin)[own.language] == name


def test_no_broken_link_anchor_or_image(site, pages):
    ids = {
        name: {
            e.get('id') or e.get('name')
            for e in page.find_all(['a', True])
            if e.get('id') or e.get('name')
        }
        for name, page in pages.items()
    }
    broken = []
    for name, page in pages.items():
        for element in page.find_all(['a', 'img', 'link', 'script', 'source', 'form']):
            target = element.get('href') or element.get('src') or element.get('action')
            if not target or urlparse(target).scheme or target.startswith(('//', '?')):
                continue
            path, anchor = urldefrag(target)
            path = unquote(path.partition('?')[0])
            file = ((site / name).parent / path).resolve() if path else site / name
            if not file.is_file():
                broken.append(f'{name}: {target}')
                continue
            relative = file.relative_to(site.resolve()).as_posix() if path else name
            if anchor and relative in ids and unquote(anchor) not in ids[relative] | {'top'}:
                broken.append(f'{name}: {target}')
    assert not broken, '\n'.join(broken)


def test_nothing_is_loaded_from_another_host(site, pages):
    elsewhere = re.compile(r'^(https?:)?//')
    for name, page in pages.items():
        for element in page.find_all(
            ['script', 'img', 'iframe', 'source', 'video', 'audio', 'embed', 'object', 'link']
        ):
            if element.name == 'link' and element.get('rel') in (['alternate'], ['canonical']):
                continue
            target = element.get('src') or element.get('href') or element.get('data') or ''
            assert not elsewhere.match(target), f'{name}: {target}'
        assert 'cdn.' not in str(page) and 'unpkg.com' not in str(page), name
    for css in site.rglob('*.css'):
        text = css.read_text(encoding='utf-8')
        text = re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)
        for target in re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text):
            assert not elsewhere.match(''.join(target)), f'{css}: {target}'


def test_no_markup_is_left_over(pages):
    for name, page in pages.items():
        if '/chapters/' not in name:
            continue
        text = words_of(page)
        assert '$' not in text, f'{name}: {text[max(0, text.find("$") - 40) :][:80]!r}'
        assert not re.search(r':::|```|\{(numref|ref|eq|doc|cite|figure|exercise|solution)', text)
        assert 'problematic' not in str(page) and 'system-message' not in str(page), name


def test_signs_stay_on_the_line_of_their_formula(pages):
    """No comma at a line's beginning and no bracket at its end, where a formula is a box."""
    for name, page in pages.items():
        for formula in page.select('article span.math'):
            before, after = formula.previous_sibling, formula.next_sibling
            loose = [
                isinstance(before, str) and before.endswith(('(', '[', '“', '‘', '±')),
                isinstance(after, str) and after.startswith(tuple(')],.;:!?”’')),
            ]
            assert not any(loose) or 'd2l-keep' in formula.parent.get('class', []), (
                name,
                formula.parent.get_text()[:80],
            )


def test_build_logs_hold_no_warning(site):
    for language in LANGUAGES:
        log = (ROOT / '_build' / 'logs' / f'{language}.log').read_text(encoding='utf-8')
        assert 'build succeeded' in log
        assert 'WARNING' not in log and 'ERROR' not in log


def test_every_image_has_alt_text_and_drawings_are_in_the_page(pages):
    for name, page in pages.items():
        article = page.select_one('article.bd-article')
        if article is None:
            continue
        for image in article.find_all('img'):
            assert image.get('alt', '').strip(), f'{name}: {image.get("src")}'
            assert '/img/' not in image['src'] and not (
                image['src'].endswith('.svg') and not image.find_parent(class_='cell_output')
            ), f'{name}: {image["src"]} is not inlined'
        drawings = article.select('svg.figure-svg:not(.d2l-stacked > *)')  # each once
        ids = [e['id'] for e in page.find_all(id=True)]
        assert len(ids) == len(set(ids)), f'{name}: {[i for i in ids if ids.count(i) > 1]}'
        for drawing in drawings:
            assert drawing['role'] == 'img' and drawing['aria-label'].strip(), name


@pytest.mark.parametrize('edition', [one for one in EDITIONS if one.words.get('letters')])
def test_pages_speak_their_language(pages, edition):
    """The theme's own words, visible or read aloud, are in a script that has its own letters."""
    mine = {n: page for n, page in pages.items() if edition_of(n) == edition}
    titles = {page.h1.get_text().rstrip('#').strip() for page in mine.values() if page.h1}
    for name, page in mine.items():
        for element in page.find_all(True):
            for key in ('title', 'aria-label', 'placeholder', 'data-tooltip', 'data-bs-title'):
                value = element.get(key, '')
                alien = element.get('lang') not in (None, edition.language)
                if alien or element.find_parent('article') or not value:
                    continue
                if 'prev' in ' '.join(element.get('class', [])) or element.name == 'link':
                    continue
                known = re.search(edition.words['letters'], value) or value in titles | {'d2lrec'}
                assert known, (name, key, value)
        for english in (
            'Skip to main content',
            'Back to top',
            'Click to show',
            'next page',
            'previous page',
            'Contents',
            'Toggle primary sidebar',
            'Show code cell',
        ):
            assert english not in page.get_text(), (name, english)
            assert f'"{english}"' not in str(page), (name, english)


def test_terms_lead_to_the_glossary_once_a_page(pages):
    for name, page in pages.items():
        links = [a for a in page.select('article a.reference') if a.select('.std-term')]
        targets = [a['href'] for a in links]
        assert len(targets) == len(set(targets)), name
        assert all('glossary.html#term-' in target for target in targets), name
        if (ROOT / name.partition('/')[2].replace('.html', '.ipynb')).exists():
            assert len(targets) >= 8, (name, targets)


def test_a_check_speaks_the_pages_language(pages, site):
    said = {name: page.select('.d2l-check') for name, page in pages.items()}
    assert any(said.values())
    for name, sentences in said.items():
        for one in sentences:
            assert sorted(span['lang'] for span in one.select('[lang]')) == sorted(LANGUAGES), name
        shown = f'.d2l-check [lang={edition_of(name).language}] {{ display: inline'
        assert any(shown in style.get_text() for style in pages[name].find_all('style')), name


def test_no_progress_bar_or_error_stream_is_on_a_page(pages):
    for name, page in pages.items():
        assert not page.select('.output.stderr, .output.traceback'), name
        assert 'it/s]' not in page.get_text(), name


def test_every_figure_has_a_number_and_a_caption(pages):
    for name, page in pages.items():
        if '/chapters/' not in name:
            continue
        numbers = []
        for drawing in page.select('article svg.figure-svg:not(.d2l-stacked > *)'):
            figure = drawing.find_parent('figure')
            assert figure is not None and figure['id'].startswith('fig-'), name
            assert len(figure.select_one('.caption-text').get_text()) > 4, name
            numbers.append(figure.select_one('.caption-number').get_text().strip())
        counts = [int(re.search(r'(\d+)\.?$', number)[1]) for number in numbers]
        assert counts == list(range(1, len(counts) + 1)), (name, numbers)
        assert len({re.sub(r'\d+\.?$', '', number) for number in numbers}) <= 1, numbers
        for link in page.select('article a.reference:has(> .std-numref)'):
            assert re.search(r'\d', link.get_text()), (name, link)


def test_captions_are_those_of_figures(pages):
    known = {figure['id'] for page in pages.values() for figure in page.select('figure[id]')}
    for name, own in figures.captions(str(ROOT / figures.CAPTIONS)).items():
        assert make_id(name) in known, f'{figures.CAPTIONS} has {name}, which no page shows'
        assert sorted(own) == sorted(LANGUAGES), name


def test_each_term_leads_back_to_where_it_is_taught(pages):
    for edition in EDITIONS:
        page = pages[f'{edition.language}/{edition.chapters}/glossary.html']
        places = page.select('dl.glossary dd .d2l-taught a')
        assert len(places) == len(page.select('dl.glossary dd')) > 50
        for place in places:
            target, anchor = urldefrag(place['href'])
            there = pages[f'{edition.language}/{edition.chapters}/{target}']
            assert not anchor or there.find(id=anchor), place


def test_names_of_the_library_lead_to_its_pages(pages):
    for edition in EDITIONS:
        folder = f'{edition.language}/{edition.chapters}/'
        described = {
            e['id'].rpartition('.')[2]
            for name, page in pages.items()
            if name.startswith(f'{folder}api_')
            for e in page.select('dt.sig[id]')
            if not re.search(r'\.[A-Z]\w*\.\w+$', e['id'])  # a method is no name of the library
        }
        linked = 0
        for name, page in pages.items():
            if not name.startswith(folder) or '/api_' in name:
                continue
            for code in page.select('article :is(p, li, td) code.literal'):
                said = re.match(r'd2l\.([A-Za-z_]\w*)(\(|$)', code.get_text())
                if said and said[1] in described and not code.find_parent(['h1', 'h2', 'h3']):
                    assert code.find_parent('a'), (name, code.get_text())
                    linked += 1
        assert linked > 20


def test_the_api_pages_have_no_stray_mark(pages):
    for name, page in pages.items():
        if '/api_' not in name:
            continue
        article = BeautifulSoup(str(page.find('article')), 'html.parser')
        assert not article.select('.problematic, .system-message'), name
        assert not [q for q in article.select('blockquote') if not q.select_one('dl')], name
        for code in article.select('pre, code'):  # it can be pasted
            assert not re.search('[\u2060\u2013\u201c\u201d]', code.get_text()), code.get_text()
        for entry in article.select('dl.py > dt[id]'):
            links = entry.parent.select(':scope > dd a:not(.headerlink)')
            assert not any(a['href'].endswith(f'#{entry["id"]}') for a in links), entry['id']
        for field in article.select('dl.field-list li > p, dl.field-list dd > p'):
            head = field.get_text().partition(' – ')[0]
            assert not head.rstrip().endswith('–'), (name, head)  # what is said stands beside it
            assert all(head.count(a) == head.count(b) for a, b in ('()', '[]', '{}')), head
        for element in article.select('pre, code, .sig, .math, strong'):  # a name may be **how
            element.extract()
        stray = re.findall(r'\*\*\w|\w\*\*|(?<!\w)\*\w[^*\n]*\w\*|`|\\\*', article.get_text())
        assert not stray, (name, stray)


def test_an_api_page_begins_with_its_names(pages):
    for name, page in pages.items():
        if '/api_' not in name:
            continue
        listed = [a['href'].lstrip('#') for a in page.select('.d2l-names dt a')]
        described = [e['id'] for e in page.select('dl.py > dt.sig[id]') if not e.find_parent('dd')]
        assert sorted(listed) == sorted(described) and len(listed) > 30, name
        assert all(dd.get_text(strip=True) for dd in page.select('.d2l-names dd')), name


def test_the_heads_of_the_index_are_letters_that_stand_alone():
    from d2lrec_site.words import tell_index

    entries = [
        ('A', [('auc()', ([], [], None))]),
        ('D', [('d2lrec.few', ([], [('module', ['few.html'])], None))]),
        ('M', [('module', ([], [('d2lrec.few', ['few.html'])], None)), ('MF', ([], [], None))]),
        ('\u1112', [('행', ([], [], None))]),
    ]
    context = {'genindexentries': entries}
    tell_index(None, 'genindex', 'genindex.html', context, None)
    (_, _), (_, modules), (_, others), _ = found = context['genindexentries']
    assert [letter for letter, _ in found] == ['A', 'D', 'M', '\u314e']
    assert modules == [('d2lrec.few (module)', (['few.html'], [], None))]
    assert [name for name, _ in others] == ['MF']


UNTOLD = re.compile(r'\b[a-z]{2,}(?: [a-z]{2,}){2,}\b')  # three words of a sentence


@pytest.mark.parametrize('edition', [one for one in EDITIONS if one.language != BOOK.code])
def test_outputs_and_plots_speak_the_pages_language(pages, edition):
    untold = []
    for name, page in pages.items():
        if edition_of(name) != edition or '/api_' in name:
            continue
        shown = page.select('div.cell_output pre, div.cell_output :is(td, th), svg text')
        spoken = [one for one in shown if not one.find_parent(class_=re.compile('highlight-i?py'))]
        for text in (line for one in spoken for line in one.get_text(' ').split('\n')):
            own = re.search(edition.words['letters'], text) or re.search(r'[=(\[{#]', text)
            if UNTOLD.search(text) and not own:
                untold.append((name, text.strip()))
    assert not untold, untold


# What an output in another language may say in small Latin letters: names, units, words of code.
LATIN = set('lr wd id ids adam adagrad sgd ftrl tanh fit log nats beta autograd inf nan ms'.split())
LATIN |= {'wide', 'deep', 'dropout', 'ab', 'abc', 'abcd', 'cd', 'ef', 'kb', 'mb', 'gb'}
AS_IS = re.compile(  # a name, a call, a word in quotation marks, an array, a date: none is speech
    r"'[^']*'|\w*_\w+|\w+=\S*|\w+\([^)]*\)|[\[{][^\]}]*[\]}]|\w+\.\w+|\d{4}-\d\d-\d\d\S*|\w+@\w+|item-kNN"
)


@pytest.fixture(scope='module')
def told():
    """(page, text) of all that cells printed and drew in the editions that are told."""
    found = []

    def of(pages):
        if not found:
            for name, page in pages.items():
                if edition_of(name).language == BOOK.code or '/api_' in name:
                    continue
                for one in page.select(
                    'div.cell_output pre, div.cell_output :is(td, th), svg.plot-svg text'
                ):
                    if not one.find_parent(class_=re.compile('highlight-i?py')):
                        found.extend((name, line) for line in one.get_text().split('\n'))
        return found

    return of


def test_no_word_of_an_output_is_left_in_english(pages, told):
    """Words in small letters; film titles, the shop's goods and what is code stay as they are."""
    titles = d2l.read_ml100k().items.title
    bare = {re.sub(r' \(\d{4}\)\s*$', '', title) for title in titles}
    starts = {re.escape(title[:8]) for title in titles} | {re.escape(title) for title in bare}
    starts = '|'.join(sorted(starts - {''}, key=len, reverse=True))
    film = re.compile(rf'(?<![A-Za-z])(?:{starts})[^:;|]*?(?=$|  | \(|:|;)')
    shop = d2l.planted_log(num_days=2).frame
    goods = set(re.findall('[a-z]+', shop.to_csv()))
    within = ' | '.join(bare)
    left = []
    for name, text in told(pages):
        if any(title.endswith(text.strip()) for title in bare):  # the last line of a long one
            continue
        line = text.strip()
        if re.fullmatch('[A-Z].* .*', line) and f' {line} ' in within:  # a middle one
            continue
        rest = AS_IS.sub(' ', film.sub(' ', text))
        words = set(re.findall(r"(?<![\w'’&.-])[a-z]{2,}(?![\w'’])", rest)) - LATIN
        if words - (goods if name.endswith('own_log.html') else set()):
            left.append((name.rpartition('/')[2], text.strip()))
    assert not left, left


# A particle is written as the digit before it is read: 1을 (일을), 2를 (이를).
AFTER = {'은는': '013678', '이가': '013678', '을를': '013678', '과와': '013678'}


DIGIT = r'(?:(?<!\w)\([\d.]*(\d)\)|(\d))'  # of a number or "(2.1)"; in "FM(.78)을" the name has it


def wrong_particles(text):
    for one, other, said in re.findall(DIGIT + '(은|는|이|가|을|를|과|와)(?![가-힣])', text):
        pair = next(pair for pair in AFTER if said in pair)
        if (said == pair[0]) != ((one or other) in AFTER[pair]):
            yield one + other + said
    for one, other, said in re.findall(DIGIT + '(으로|로)(?![가-힣])', text):
        if (said == '으로') != ((one or other) in '036'):
            yield one + other + said


@pytest.mark.parametrize(
    'text, wrong',
    [('1을 (2)를 3과 0이 4와 9는 6으로 7로 8로 FM(.72)을', 0), ('1를 (2)을 3와 (11.2)으로 6로', 5)],
)
def test_particles_are_told_apart(text, wrong):
    assert len(list(wrong_particles(text))) == wrong


def test_particles_follow_the_digit_before_them(pages):
    found = []
    for name, page in pages.items():
        if edition_of(name).language == 'ko' and '/chapters/' in name:
            for part in page.select('article :is(p, li, td, pre, figcaption)'):
                text = part.get_text()
                found += [(name, one, text[:60]) for one in wrong_particles(text)]
    assert not found, found


@each_edition
def test_citations_speak_the_pages_language(pages, edition):
    own = edition.words.get('citations')
    said = ''
    for name, page in pages.items():
        if edition_of(name) is edition and '/api_' not in name and 'bibliography' not in name:
            article = BeautifulSoup(str(page.find('article')), 'html.parser')
            for element in article(['pre', 'code', 'script', 'svg']):
                element.extract()
            said += article.get_text()
    if own:
        assert 'et al.' not in said and f'{own["others"]}, 20' in said
    else:
        assert 'et al., 20' in said


def test_a_fold_is_called_what_is_written_on_it(pages, site):
    for name, page in pages.items():
        assert not page.select('summary[aria-label]'), name
    script = (site / 'ko' / '_static' / 'togglebutton.js').read_text(encoding='utf-8')
    assert 'Toggle hidden content' not in script  # the button of a solution


def test_solutions_have_their_word(pages):
    said = {'ko': '풀이:', 'en': 'Solution to'}
    titles = dict.fromkeys(LANGUAGES, 0)
    for name, page in pages.items():
        language = edition_of(name).language
        for title in page.select('div.solution > .admonition-title'):
            assert title.get_text().startswith(said.get(language, '')), (name, title)
            assert not title.select('a'), 'it opens the solution wherever it is touched'
            titles[language] += 1
    assert min(titles.values()) > 40


# --- the extension's own pieces


@pytest.mark.parametrize(
    'pieces, text',
    [
        (['loops -31.180', '\n', 'sums -31.180\n'], 'loops -31.180\nsums -31.180\n'),
        (['a ', 'line\n', '\nand another\n'], 'a line\n\nand another\n'),
        (['50%\r', '100%\n'], '100%\n'),
    ],
)
def test_pieces_of_a_print_are_joined_as_they_are(pieces, text):
    outputs = [v4.new_output('stream', name='stdout', text=piece) for piece in pieces]
    (merged,) = cells.merge_streams(outputs)
    assert merged['text'] == text


@pytest.mark.parametrize(
    'markup, mended',
    [
        ('<th></th><th>AUC</th>', '<td></td><th>AUC</th>'),
        ('<td>0.78</td>', '<td class="number">0.78</td>'),
        ('<td>-1,682 ± 3</td>', '<td class="number">-1,682 ± 3</td>'),
        (
            '<td>1998-04-04 19:22</td>',
            '<td class="number date"><span>1998-04-04</span> <span>19:22</span></td>',
        ),
        ('<td>Toy Story (1995)</td>', '<td>Toy Story (1995)</td>'),
        ('<style scoped>\n.dataframe th { color: red }\n</style>\n<td>A</td>', '<td>A</td>'),
        ('<tbody><th>LR</th></tbody>', '<tbody><th class="short">LR</th></tbody>'),
        ('<tbody><th>FM, two fields</th></tbody>', '<tbody><th>FM, two fields</th></tbody>'),
    ],
)
def test_a_printed_table_is_mended(markup, mended):
    assert cells.mend_table(markup) == mended


def test_long_heads_of_a_printed_table_may_break_at_their_bar():
    told = cells.mend_table('<th>valid_loss</th><tbody><th>a_b</th><td>0.5</td>')
    assert told.startswith('<th>valid_<wbr/>loss</th>') and '>a_b<' in told


@pytest.mark.parametrize(
    'code, broken',
    [
        ('d2l.check.embedding_bag(embedding_bag)', 'd2l.check.embedding_bag(<wbr>embedding_bag)'),
        ('/home/reader/d2lrec/chapters', '/home/<wbr>reader/<wbr>d2lrec/<wbr>chapters'),
        ('d2l.auc(labels)', 'd2l.auc(labels)'),
    ],
)
def test_long_code_breaks_between_names(code, broken):
    whole = '<code class="docutils literal notranslate"><span class="pre">{}</span></code>'
    assert finish.breakable(whole.format(code)) == whole.format(broken)


def test_the_name_of_rows_stands_in_the_row_of_heads():
    frame = pd.DataFrame({'AUC': [0.7, 0.8], 'film': ['A', 'B'], 'gain': [-0.0001, 0.1]})
    table = BeautifulSoup(
        cells.mend_table(frame.rename_axis('model').round(2).to_html()), 'html.parser'
    )
    (heads,) = table.select('thead tr')
    assert [one.get_text() for one in heads.find_all(['th', 'td'])] == [
        'model', 'AUC', 'film', 'gain',
    ]  # fmt: skip
    assert [one.get_text() for one in heads.select('.text')] == ['model', 'film']  # over words
    assert [one.get_text() for one in table.select('tbody td.number')] == [
        '0.7', '0.0', '0.8', '0.1',
    ]  # fmt: skip
    levels = frame.set_index(['film', 'AUC']).unstack().to_html()  # heads over heads stay
    assert len(BeautifulSoup(cells.mend_table(levels), 'html.parser').select('thead tr')) == 3


def test_a_short_word_among_numbers_stands_as_they_do():
    frame = pd.DataFrame({'age': ['M', '3'], 'title': ['Toy Story (1995)', 'Alien']})
    table = BeautifulSoup(cells.mend_table(frame.to_html()), 'html.parser')
    assert [one.get_text() for one in table.select('td.number')] == ['M', '3']


def test_heads_under_heads_stand_over_what_they_name():
    both = pd.concat({name: pd.DataFrame({'film': ['A'], 'bias': [0.5]}) for name in 'xy'}, axis=1)
    table = BeautifulSoup(cells.mend_table(both.to_html()), 'html.parser')
    assert [one.get_text() for one in table.select('th.text')] == ['film', 'film']


@pytest.mark.parametrize(
    'tex, parts',
    [
        (
            r'-y\log\sigma(z) - (1-y)\log(1-\sigma(z)) = \log(1+e^{z}) - yz',
            [r'-y\log\sigma(z) - (1-y)\log(1-\sigma(z))', r'= \log(1+e^{z}) - yz'],
        ),
        (r'h(\mathbf r) = \mathbf A \mathbf r + \mathbf c', None),  # short as it is shown
        (r'\max(z, 0) + \log(1 + e^{-|z|}) - yz + \sum_{k = 1}^K w_k', None),  # below a sum
    ],
)
def test_a_long_formula_in_a_sentence_has_two_parts(tex, parts):
    assert formulas.equal_parts(tex) == (parts or [tex])


def test_a_particle_stays_with_its_word():
    letters = '[가-힣]'
    for text, before, told in [
        (
            '기울기(gradient)를 (또) 구한 곱셈-덧셈',
            None,
            '기울기|(gradient)|를 (또) 구한 곱셈-|덧셈',
        ),
        ('는 값', nodes.literal('', '=='), '|는 값'),
        ('에는', nodes.Text('2015]'), '|에는'),
        ('(field)가', nodes.Text('필드'), '|(field)|가'),
        ('and (again) a-b', None, 'and (again) a-b'),
    ]:
        joined = typography.joined(text, before, letters)
        assert joined.replace(typography.JOINER, '|') == told
    paragraph = nodes.paragraph('', '', nodes.math('', 'f(x)'), nodes.Text('는 값'))
    told = typography.joined('는 값', paragraph[0], letters)
    typography.hold_formula(paragraph[1], told, paragraph[0], letters)
    assert [one.astext() for one in paragraph] == ['f(x)는', ' 값']


def test_wide_letters_of_printed_columns_take_two_places():
    text = '<div class="output stream highlight-x"><div class="highlight"><pre>{}</pre></div></div>'
    told = finish.wide_letters(text.format('영화  3\n한줄 3\n\n  말 하나\n말 둘'), '[가-힣]')
    said = re.findall(r'<span class="d2l-wide" style="width:(\d+)ch">(.*?)</span>', told)
    assert said == [('4', '영화'), ('4', '한줄')]  # a line beside columns keeps step with them
    assert finish.wide_letters('<p>영화  3</p>', '[가-힣]') == '<p>영화  3</p>'


def test_an_array_like_is_one_word_in_a_signature():
    union = (
        '_Buffer | _SupportsArray[dtype[Any]] | _NestedSequence[_SupportsArray[dtype[Any]]] | '
        'complex | str | _NestedSequence[complex | str]'
    )
    signature = f'(labels: {union}, n: int = <factory>, w: {union} | None = None)'
    told = api.shorten(None, '', '', None, None, signature, union)
    assert told == ('(labels: ArrayLike, n: int = ..., w: ArrayLike | None = None)', 'ArrayLike')


CONF = """
extensions = ['myst_nb']
language, nb_execution_mode = 'ko', 'off'
"""


def test_a_page_is_read_again_where_the_words_of_its_outputs_change(tmp_path, monkeypatch):
    source, words = tmp_path / 'source', tmp_path / 'ko.json'
    source.mkdir()
    (source / 'conf.py').write_text(CONF)
    (source / 'index.md').write_text('# Text\n\n```{toctree}\ncells\n```\n')
    printed = v4.new_output('stream', text='two films\n')
    cell = v4.new_code_cell('print()', execution_count=1, outputs=[printed])
    book = v4.new_notebook(cells=[v4.new_markdown_cell('# Cells'), cell])
    (source / 'cells.ipynb').write_text(v4.writes(book), encoding='utf-8')
    monkeypatch.setattr(phrases, 'FOLDER', tmp_path)

    def build():
        """{page: its text} of the pages that were read."""
        phrases._phrasebook.cache_clear()
        out = tmp_path / 'out'
        app = Sphinx(source, source, out, out / 'trees', 'dummy', status=None)
        app.connect('doctree-read', cells.note_words)
        app.connect('doctree-read', cells.tell_outputs)
        read = {}
        app.connect('doctree-read', lambda app, tree: read.update({app.env.docname: tree.astext()}))
        app.build()
        needed.update(app.env.dependencies)
        return read

    needed = {}
    try:
        for said in ('영화 두 편', '두 영화'):
            words.write_text(json.dumps({'two films': said}), encoding='utf-8')
            os.utime(words, (time.time() + 9, time.time() + 9))  # clocks of files are coarse
            read = build()
            assert said in read['cells']
        assert set(read) == {'cells'} and not build().get('index')
        own = str(BOOK.of('ko').root / BOOK.of('ko').chapters / 'words.yml')
        assert all(own in needed[page] for page in ('index', 'cells'))
    finally:
        phrases._phrasebook.cache_clear()


def test_korean_words_are_found_with_particles_on_them():
    words = search.SearchKorean({}).split('모델은 층을 행렬분해로 FM은 학습률이 k차원')
    for wanted in ('모델', '모델은', '층', '행렬', '행렬분해', 'FM', '학습', '학습률', '차원'):
        assert wanted in words, wanted
    assert '모' not in words


def test_a_term_in_two_forms_is_introduced():
    text = 'called logistic regression (LR). See the figure (SVG). 과적합(overfitting)입니다.'
    found = set(search.bracketed(text))
    assert found == {'logistic regression', 'LR', '과적합', 'overfitting'}


def test_a_word_in_a_heading_counts_more_than_one_in_a_text():
    language = search.SearchKorean({})
    found = search.counts(language, [[('FM FM', 1)], [('FM', 1), ('FM', search.IN_HEADING)]])
    assert found == {'fm': [1, 7]}


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" width="80" xml:lang="en">
<style>.two-box{fill:red}</style><defs><marker id="two-tip"/></defs>
<switch><text systemLanguage="ko">둘</text><text>two</text></switch>
<path marker-end="url(#two-tip)"/></svg>"""


def test_a_drawing_shown_twice_keeps_apart_and_speaks_one_language():
    html = figures.inline_svg(SVG, 'fig7', '두 상자 <와> 선', 'ko')
    root = BeautifulSoup(html, 'html.parser').svg
    assert root['aria-label'] == '두 상자 <와> 선' and root['style'] == 'max-width:80px'
    assert {e['id'] for e in root.find_all(id=True)} == {'fig7-two-tip'}
    assert root.path['marker-end'] == 'url(#fig7-two-tip)'
    assert '둘' in html and '>two<' not in html and 'lang="en"' not in html
    assert '>two<' in figures.inline_svg(SVG, 'fig7', 'x', 'en')


def test_numbers_begin_with_the_zero_of_an_edition():
    text = nodes.paragraph('', 'AUC는 .787이고 -.002에서 1.5까지, ')
    text += [nodes.literal('', 'lr=.01'), nodes.math('', r'\lambda = .003')]
    for language, told in (
        ('ko', '0.787이고 -0.002에서 1.5까지'),
        ('en', ' .787이고 -.002에서 1.5'),
    ):
        app = Mock(builder=Mock(format='html'), config=Mock(language=language))
        here = text.deepcopy()
        typography.full_numbers(app, here, '')
        assert told in here.astext() and 'lr=.01' in here.astext()
        assert (r'= 0.003' in here.astext()) == (language == 'ko')


def test_no_chapter_cuts_the_titles_of_films():
    for edition in EDITIONS:
        for path in edition.notebooks:
            text = path.read_text(encoding='utf-8')
            assert not re.search(r'title.*(str\.slice\(0|\[:\d\d\])', text), path


def plotted(draw):
    """The root of the SVG of a figure that `draw` has drawn on."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout='constrained')
    draw(figure)
    return ElementTree.fromstring(d2l.plot.as_svg(figure))


def panels(figure):
    for axis in figure.subplots(1, 2):
        axis.plot([0, 1], label='FM')
        axis.legend()
        axis.set_ylabel('loss')


def legend_beside(figure):
    axis = figure.subplots()
    axis.plot([0, 1], label='a model of many words')
    axis.legend(loc='center left', bbox_to_anchor=(1, 0.5))


def legend_over(figure):
    axis = figure.subplots()
    axis.plot([0, 1], label='FM')
    figure.legend(loc='outside upper center')


def with_colour_bar(figure):
    axis = figure.subplots()
    figure.colorbar(axis.pcolormesh([[0, 1], [2, 3]]), ax=axis)


def one_panel(figure):
    figure.subplots().plot([0, 1], label='FM')


@pytest.mark.parametrize(
    'draw, count',
    [(panels, 2), (legend_beside, 2), (legend_over, 2), (with_colour_bar, 1), (one_panel, 1)],
)
def test_what_stands_side_by_side_in_a_plot_is_found(draw, count):
    root = plotted(draw)
    boxes = figures.columns(root)
    whole, high = map(float, root.get('viewBox').split()[2:])
    assert len(boxes) == count, boxes
    assert all(
        0 <= left < right <= whole and 0 <= top < bottom <= high
        for left, right, top, bottom in boxes
    )
    pieces = figures.stacked(root, 'fig1', 500)
    assert pieces.count('href="#fig1-figure_1"') == (count if count > 1 else 0)
    if draw is legend_beside:  # cut to the legend's own height
        assert boxes[1][3] - boxes[1][2] < high / 2
        assert boxes[0][1] == boxes[1][0]


def test_an_exponent_does_not_widen_a_plot():
    part = '<tspan style="font-size: {}px">1</tspan>'
    plain, raised = (f'<text>{part.format(10)}{more}</text>' for more in ('', part.format(7)))
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">{}</svg>'
    one, two = (figures.least_width(ElementTree.fromstring(svg.format(t))) for t in (plain, raised))
    assert one == two == 340


def test_a_heat_map_and_a_map_of_vectors_fit_a_telephone():
    names = ['user', 'item', 'age_band', 'occupation', 'Independence Day'] * 2
    numbers = [[-0.12] * 10] * 10
    points = [[x, x * y, y] for x in range(4) for y in range(4)]
    for figure in (
        plot.heatmap(numbers, names, names, 'correlation of residuals'),
        plot.vectors(points, ['Raiders of the Lost Ark'] * 16, ['action', 'drama'] * 8),
    ):
        least = figures.least_width(ElementTree.fromstring(plot.as_svg(figure)))
        assert 0 < least <= figures.NARROW


def test_a_heat_map_mixes_its_colours_of_the_pages():
    """One scale for all cells, whose zero is the page's own: white, or dark in the dark."""
    numbers = [[-1.0, 0.0], [0.5, 1.0]]
    html = figures.inline_svg(plot.as_svg(plot.heatmap(numbers)), 'fig1', 'A', 'en', True)
    page = BeautifulSoup(html, 'html.parser')
    drawn = page.select('g[id*=QuadMesh] path')
    shares = [float(re.search(r'--share: ?([\d.]+)%', one['style'])[1]) for one in drawn]
    assert shares == pytest.approx([100, 0, 50, 100], abs=1)
    assert [one['class'] for one in drawn][::3] == [['d2l-a'], ['d2l-b']]
    assert drawn[0]['fill'] == palette.A and drawn[3]['fill'] == palette.B  # where nothing is mixed
    assert [len(page.select(f'text.d2l-on-{kind}')) for kind in ('full', 'pale')] == [2, 2]
    bare = figures.inline_svg(
        plot.as_svg(plot.heatmap(numbers, digits=None)), 'fig1', 'A', 'en', True
    )
    assert '<image' not in bare  # the bar is of the same colours
    stops = BeautifulSoup(bare, 'html.parser').select('stop')
    ends = [(one['class'], one['style']) for one in (stops[0], stops[-1])]
    assert [kind for kind, _ in ends] == [['d2l-a'], ['d2l-b']]  # the picture stood on its head
    assert all(float(style[8:-1]) > 98 for _, style in ends)


def test_greys_of_a_plot_are_the_pages():
    root = plotted(lambda figure: figure.subplots().axhline(1, color='0.4', linestyle='--'))
    figures.show_greys(root)
    text = ElementTree.tostring(root, encoding='unicode')
    assert 'stroke: var(--fig-quiet, #666666)' in text


def on_a_phone(draw):
    """(a plot, what a phone shows in its place, the size of the small letters there)."""
    root = plotted(draw)
    pieces = figures.for_phones(root, 'fig1', 0)
    (small,) = map(float, re.findall(r'--small:([\d.]+)px', pieces))
    return root, pieces, small


def left_out(root):
    """The texts of a plot that a phone does not show."""
    texts = root.iter(f'{{{figures.SVG}}}text')
    return [''.join(text.itertext()) for text in texts if '--shown' in text.get('style')]


def test_letters_grow_on_a_phone_as_far_as_they_have_room():
    def wide(figure):
        figure.set_size_inches(6, 3)
        axis = figure.subplots()
        axis.plot([0, 1])
        axis.set_yticks([0, 1], ['a name of many letters', 'another'])
        axis.annotate('here', (0.5, 0.5))
        axis.annotate('and here', (0.6, 0.5))

    root, pieces, small = on_a_phone(wide)
    whole = float(root.get('viewBox').split()[2])
    (box,) = re.findall(r'viewBox="([^"]*)"', pieces)
    assert float(box.split()[2]) > whole and float(box.split()[0]) < 0  # the names need room
    assert small * figures.PHONE / float(box.split()[2]) >= 10
    grown = {
        ''.join(text.itertext()): 'var(--small' in ElementTree.tostring(text, encoding='unicode')
        for text in root.iter(f'{{{figures.SVG}}}text')
    }
    assert grown['a name of many letters'] and not grown['here'] and not grown['and here']

    def dots(figure):
        axis = figure.subplots()
        axis.scatter([0, 1], [0, 1])
        axis.annotate('one', (0.5, 0.5), fontsize=7)
        axis.annotate('another', (0.54, 0.5), fontsize=7)

    root = plotted(dots)
    assert '--shown:0' in figures.for_phones(root, 'fig1', 0)
    assert left_out(root) == ['another']


def test_a_name_that_would_cover_a_dot_on_a_phone_is_left_out():
    def dots(figure):
        axis = figure.subplots()
        axis.scatter([0, 0.5, 1], [0, 0.52, 1])
        for name, place in (('covers', (0.44, 0.5)), ('clear', (0.1, 0.2))):
            axis.annotate(name, place, fontsize=7)

    root = plotted(dots)
    figures.for_phones(root, 'fig1', 0)
    assert left_out(root) == ['covers']


def test_numbers_that_would_run_together_are_fewer_on_a_phone():
    def close(figure):
        figure.set_size_inches(6, 3)
        upper, lower = figure.subplots(2, 1)
        for axis, num in ((upper, 11), (lower, 4)):
            axis.plot([0.92, 0.93])
            axis.set_xticks([n / num for n in range(num)], [f'{n / num:.3f}' for n in range(num)])

    root, _, _ = on_a_phone(close)
    shown = [
        [text.text for text in row if '--shown' not in text.get('style')]
        for row in figures.numbers_along(root)
    ]
    assert shown[0] == [f'{n / 11:.3f}' for n in range(0, 11, 2)]
    assert shown[1] == [f'{n / 4:.3f}' for n in range(4)]


def test_the_signs_of_a_power_grow_together():
    def powers(figure):
        axis = figure.subplots()
        axis.plot([0, 1], [0.01, 100])
        axis.set_yscale('log')

    root, _, _ = on_a_phone(powers)
    texts = [text for text in root.iter(f'{{{figures.SVG}}}text') if len(text) > 1]
    assert {'10−1', '102'} <= {''.join(text.itertext()) for text in texts}
    for text in texts:
        first, *others = text
        assert first.get('x') and not any(sign.get('x') for sign in others)
        assert any(float(sign.get('dy').removesuffix('em')) < -0.4 for sign in others)  # raised
        assert not ''.join(sign.tail for sign in text).strip(' ') and text.text == ''


def test_a_number_at_the_edge_has_room_on_a_phone():
    def scores(figure):
        axis = figure.subplots()
        axis.barh(['DeepFM', 'FM'], [1, 2])
        axis.text(2, 0, '0.9233', fontsize=8)

    root, pieces, small = on_a_phone(scores)
    (text,) = [t for t in root.iter(f'{{{figures.SVG}}}text') if ''.join(t.itertext()) == '0.9233']
    left, _, wide, _ = map(float, re.search(r'viewBox="([^"]*)"', pieces)[1].split())
    begin = figures.text_extent(text)[0]
    assert left + wide >= begin + small * 0.636 * (5 + 0.5)  # digits of the widest of the fonts


def test_panels_that_share_an_axis_have_its_numbers_where_each_stands_alone():
    def shared(figure):
        figure.set_size_inches(7.4, 3)
        one, two = figure.subplots(1, 2, sharey=True)
        one.plot([0, 100])
        two.plot([100, 0])
        one.set(ylabel='users')

    root = plotted(shared)
    pieces = figures.for_phones(root, 'fig1', figures.least_width(root))
    assert pieces.count('--shared:inline') == 2 and '--panel-0:none' in pieces
    (group,) = (g for g in root.iter() if 'var(--shared, none)' in g.get('style', ''))
    said = [''.join(text.itertext()) for text in group]
    assert 'users' in said and '100' in said
    second = figures.panels(root)[1]
    left, right, *_ = figures.extent(second[:1])
    assert all(left - 60 < figures.text_extent(text)[1] < left for text in group)
    begin, _, wide, _ = map(float, re.findall(r'viewBox="([^"]*)"', pieces)[1].split())
    assert begin <= min(figures.text_extent(text)[0] for text in group)
    assert begin + wide >= right


def test_a_label_stands_clear_of_larger_numbers():
    def tight(figure):
        figure.set_size_inches(6, 3)
        axis = figure.subplots()
        axis.plot([0.78, 0.795])
        axis.set_yticks([0.78, 0.795], ['0.7800', '0.7950'])
        axis.set(ylabel='validation AUC')

    root, pieces, size = on_a_phone(tight)
    assert '--moved:1' in pieces
    ((label, numbers),) = (
        one for one in figures.labelled(figures.panels(root)[0]) if figures.is_upright(one[0])
    )
    gone = float(re.search(r'\* (-[\d.]+)px', label.get('style'))[1])
    reach = min(figures.inked(number, size)[0] for number in numbers)
    assert figures.inked(label, size)[1] + gone < reach


def test_names_that_a_text_points_to_are_kept():
    def crowded(figure):
        axis = figure.subplots()
        axis.scatter(range(4), range(4))
        axis.annotate('one', (0.5, 0.5), fontsize=7)
        axis.annotate('told', (0.6, 0.5), fontsize=7)

    for named, gone in (((), 'told'), (('told',), 'one')):
        root = plotted(crowded)
        figures.for_phones(root, 'fig1', 0, named)
        texts = root.iter(f'{{{figures.SVG}}}text')
        assert [t.text for t in texts if '--shown' in t.get('style', '')] == [gone]


def test_names_of_plots_are_drawn():
    known = {
        f'fig-{cell.id}': cell
        for path in (ROOT / 'chapters' / 'ko').glob('*.ipynb')
        for cell in nbformat.read(path, as_version=4).cells
    }
    assert set(figures.names(str(ROOT / figures.NAMES))) <= set(known)


def test_a_style_for_what_a_double_shows_has_no_ancestor():
    css = (ROOT / '_ext' / 'd2lrec_site' / 'static' / 'book.css').read_text(encoding='utf-8')
    for kind in ('d2l-pale', 'd2l-on-pale-picture', 'd2l-halo'):
        rules = re.findall(rf'^[^{{}}/\n]*\.{kind}\s*\{{', css, flags=re.MULTILINE)
        assert rules and all(' ' not in rule.strip(' {') for rule in rules), kind
    assert 'svg.plot-svg text' not in css  # the font is inherited, into a double too


def test_what_is_in_brackets_in_a_head_stays_together():
    told = cells.mend_table(
        '<table><thead><tr><th></th><th>loss (x 1000)</th></tr></thead>'
        '<tbody><tr><th>a</th><td>1</td></tr></tbody></table>'
    )
    assert '<span class="d2l-keep">(x 1000)</span>' in told


@pytest.mark.parametrize('shade, pale', [(1.0, True), (0.3, False)])
def test_a_picture_that_is_nearly_white_is_known(shade, pale):
    root = plotted(
        lambda figure: figure.subplots().imshow([[shade] * 3] * 3, cmap='gray', vmin=0, vmax=1)
    )
    (image,) = root.iter(f'{{{figures.SVG}}}image')
    assert figures.is_pale(image) is pale


def test_a_heavy_picture_of_a_plot_is_made_light():
    shades = np.random.default_rng(0).random((300, 300))
    root = plotted(lambda figure: figure.subplots().imshow(shades, cmap='Blues'))
    (image,) = root.iter(f'{{{figures.SVG}}}image')
    before = figures.picture_of(image)
    figures.make_light(image)
    after = figures.picture_of(image)
    assert len(before) > figures.HEAVY and len(after) < 0.6 * len(before)
    one, two = (
        np.asarray(Image.open(io.BytesIO(data)).convert('RGB'), dtype=int)
        for data in (before, after)
    )
    assert abs(one - two).mean() < 2


def test_the_first_page_names_every_edition():
    page = BeautifulSoup(build.root_page(), 'html.parser')
    assert [a['hreflang'] for a in page.select('body a')] == LANGUAGES
    assert [a.get_text() for a in page.select('body a')] == [e.words['read'] for e in EDITIONS]
    elsewhere = page.select_one('link[hreflang=x-default]')['href']
    assert elsewhere.startswith(f'{BOOK.otherwise.language}/')


@pytest.mark.parametrize('text, says', [('<svg', 'well-formed'), ('<svg/>', 'viewBox')])
def test_a_bad_drawing_is_refused_in_one_sentence(text, says):
    with pytest.raises(ValueError, match=says) as refusal:
        figures.inline_svg(text, 'fig1', 'alt', 'en')
    assert '\n' not in str(refusal.value)


# --- in Chromium


class Visit:
    """A page of the site in a fresh context; what it asks of other hosts is noted (and fails)."""

    def __init__(self, browser, address, **options):
        self.address, self.elsewhere, self.complaints = address, [], []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on(
            'request',
            lambda request: (
                request.url.startswith((address, 'data:', 'blob:'))
                or self.elsewhere.append(request.url)
            ),
        )
        self.page.on(
            'console',
            lambda message: (
                message.type in ('error', 'warning') and self.complaints.append(message.text)
            ),
        )
        self.page.on('pageerror', lambda error: self.complaints.append(str(error)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def go(self, path):
        self.page.goto(f'{self.address}/{path}', wait_until='load')
        self.page.evaluate('window.MathJax && MathJax.startup && MathJax.startup.promise')
        return self.page

    def is_calm(self):
        return not self.elsewhere and not self.complaints


SEARCHING = "() => document.querySelector('.search-button__wrapper').classList.contains('show')"


@each_edition
@pytest.mark.parametrize('begin', ['button', 'link'])
def test_the_search_field_is_a_dialog(browser, address, edition, begin):
    with Visit(browser, address, viewport={'width': 1300, 'height': 900}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/fm.html')
        selector = {'button': '.search-button__button:visible', 'link': 'a.language-switch'}[begin]
        opener = page.locator(selector).first
        for close in ('Escape', 'overlay'):
            opener.focus()
            page.keyboard.press('Enter' if begin == 'button' else 'Control+k')
            page.wait_for_function(SEARCHING)
            box = page.get_by_role('dialog', name=edition.words['search'])
            assert box.get_attribute('aria-modal') == 'true'
            for key in ('Tab', 'Shift+Tab'):
                page.keyboard.press(key)
                assert box.locator('input').evaluate('field => field === document.activeElement')
            if close == 'overlay':
                page.mouse.click(5, 400)
            else:
                page.keyboard.press('Escape')
            page.wait_for_function(f'() => !({SEARCHING})()')
            page.wait_for_timeout(50)
            assert opener.evaluate('one => one === document.activeElement'), close


def chapter_pages():
    return [(edition.language, page) for edition in EDITIONS for page in edition.pages]


@pytest.fixture(
    scope='module', params=chapter_pages(), ids=lambda one: f'{one[0]}-{one[1].split("/")[-1]}'
)
def opened(request, browser, address):
    """A page that is opened once for all the tests that look at it; they run in this order."""
    language, name = request.param
    with ExitStack() as stack:
        for _ in range(2):
            visit = Visit(browser, address, viewport={'width': 1280, 'height': 900})
            stack.enter_context(visit).go(f'{language}/{name}.html')
            if draws(visit.page):
                break
        visit.page.add_style_tag(
            content='* { transition: none !important; animation: none !important }'
        )
        yield visit


def draws(page):
    """Whether a tab comes to its next frame: once in thousands a browser never draws one."""
    try:
        page.wait_for_function('() => true', timeout=10000)
    except TookTooLong:
        return False
    return True


def settle(visit, scheme='light', width=1280, media='screen'):
    """The page of a visit in this scheme and width."""
    page = visit.page
    page.emulate_media(media=media, color_scheme=scheme)
    page.set_viewport_size({'width': width, 'height': 900})
    page.wait_for_function('s => document.documentElement.dataset.theme == s', arg=scheme)
    return page


# Columns of numbers that do not stand right; a table of cards has no columns.
LEFT = """() => [...document.querySelectorAll('article :not(.d2l-cards) > table')]
  .flatMap(table => {
  const rows = [...table.tBodies].flatMap(body => [...body.rows]);
  const wide = Math.max(0, ...rows.map(row => row.cells.length));
  return [...Array(wide).keys()].map(n => rows.map(row => row.cells[n]).filter(e =>
    e && e.tagName === 'TD' && e.checkVisibility() && e.textContent.trim())).filter(column =>
    column.length && column.every(e => /^[-+−]?[\\d.,]+( ?%)?$/.test(e.textContent.trim()))
    && !column.every(e => ['right', 'end'].includes(getComputedStyle(e).textAlign)))
    .map(column => column.map(e => e.textContent).join(' ')) })"""


# On a phone: letters of drawings and plots of less than ten dots; numbers in the cells of a heat
# map and other plots of many words of less than eight.
# A plot of columns is seen as these; one of small letters as its double with larger ones.
SMALL = """() => {
  const plots = [...document.querySelectorAll('svg.plot-svg:not(.d2l-stacked > *)')];
  const found = plots.flatMap(plot => {
    const next = plot.nextElementSibling;
    const stacked = next && next.matches('.d2l-stacked') && next.checkVisibility();
    const shown = stacked ? [...next.children] : [plot];
    const scale = Math.min(...shown.map(e => e.getScreenCTM().a));
    const small = parseFloat(shown[0].style.getPropertyValue('--small')) || 0;
    const many = plot.querySelectorAll('text').length > 30;
    const left = shown[0].style.getPropertyValue('--shown') ? '[style*="--shown"]' : 'nothing';
    return [...plot.querySelectorAll(`text:not(${left})`)].filter(e => {
      const own = [e, ...e.querySelectorAll('tspan')].map(part =>
        parseFloat(getComputedStyle(part).fontSize));
      const told = e.outerHTML.includes('--small') ? small : 0;
      return Math.max(...own, told) * scale < (many ? 8.2 : 9.95) }).map(e => e.textContent) });
  const drawings = [...document.querySelectorAll('svg.figure-svg:not(.plot-svg)')];
  return found.concat(drawings.flatMap(one => [...one.querySelectorAll('text')].filter(e =>
    parseFloat(getComputedStyle(e).fontSize) * one.getScreenCTM().a < 10)
    .map(e => e.textContent))) }"""


CUT = """() => [...document.querySelectorAll('article pre')]
  .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.textContent.split('\\n').sort((a, b) => b.length - a.length)[0])"""


def test_page_shows_well_in_chromium(opened):
    page = settle(opened)
    assert page.evaluate(LEFT) == []
    assert page.evaluate(CUT) == [], 'lines of code or print that go on to the right'
    written = page.locator('span.math, div.math').count()
    assert page.locator('mjx-container').count() >= written
    boxes = page.evaluate(
        "[...document.querySelectorAll('mjx-container')]"
        '.filter(e => e.checkVisibility()).map('
        'e => e.getBoundingClientRect().width * '
        "e.querySelectorAll('mjx-c, mjx-utext').length)"
    )
    assert len(boxes) >= written / 2 and all(box > 0 for box in boxes)
    assert page.locator('mjx-merror').count() == 0
    page.set_viewport_size({'width': 390, 'height': 900})
    starts = page.evaluate(
        "[...document.querySelectorAll('div.math')].map(e => e.querySelector('mjx-container')"
        '.getBoundingClientRect().x - e.getBoundingClientRect().x)'
    )
    assert all(start >= -1 for start in starts), "a long formula's start cannot be reached"
    if written:
        fonts = page.evaluate(
            "[...document.fonts].filter(f => f.family.startsWith('MJX') "
            "&& f.status == 'loaded').length"
        )
        assert fonts > 0
    sizes = page.evaluate(
        "Promise.all([...document.querySelectorAll('article img')]"
        '.map(e => e.decode().then(() => e.naturalWidth)))'
    )
    assert all(size > 0 for size in sizes)
    drawings = page.eval_on_selector_all(
        'svg.figure-svg:not(:has(+ .d2l-stacked))',
        'all => all.map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])',
    )
    assert all(width > 50 and height > 25 for width, height in drawings), drawings
    assert page.evaluate(SMALL) == [], 'letters that nobody can read on a phone'
    hidden = page.eval_on_selector_all(
        'details, .toggle-button, div.admonition.dropdown > button',
        'all => all.filter(e => !e.checkVisibility() && !e.parentElement.closest('
        "'.toggle-hidden, details:not([open])')).length",
    )
    assert hidden == 0
    assert page.evaluate(LEFT) == []
    assert opened.is_calm(), (opened.elsewhere, opened.complaints)


CONTRAST = """() => { const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] };
  const back = lum(rgb(getComputedStyle(document.body).backgroundColor));
  const own = 'svg.figure-svg text:not([style*="#1f2934"])';  // those on a colour of their own
  return [...document.querySelectorAll(`${own}, article p, article h2`)].map(t => {
    const l = lum(rgb(getComputedStyle(t)[t.closest('svg') ? 'fill' : 'color']));
    return (Math.max(l, back) + .05) / (Math.min(l, back) + .05) }) }"""


# Titles of pages before and after that are cut, buttons over words of their title, and formulas of
# a sentence that are cut and do not scroll.
CROWDED = """() => {
  const said = e => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 40)}`;
  const box = e => e.getBoundingClientRect();
  const cut = [...document.querySelectorAll('.prev-next-area a')].filter(e =>
    e.scrollWidth > e.clientWidth + 1 || box(e).right > innerWidth);
  const over = [...document.querySelectorAll('.admonition-title > button.toggle-button')]
    .filter(button => {
      const title = button.parentElement, own = box(button), words = document.createRange();
      words.setStart(title, 0);
      words.setEndBefore(button);
      return own.bottom > box(title).bottom + 1 || [...words.getClientRects()].some(r =>
        r.right > own.left + 1 && r.bottom > own.top + 2 && r.top < own.bottom - 2) });
  const hidden = [...document.querySelectorAll('article span.math')].filter(e =>
    e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'auto');
  return [...cut, ...over, ...hidden].map(said) }"""


def test_fits_the_window_and_is_legible_in_both_schemes(opened):
    """Nothing wider than the window; text of page and drawings has a contrast of 4.5."""
    for scheme in ('light', 'dark'):
        ratios = settle(opened, scheme).evaluate(CONTRAST)
        assert ratios and min(ratios) >= 4.5, scheme
    for width in WIDTHS:
        page = settle(opened, width=width)
        wide = page.evaluate('document.documentElement.scrollWidth - innerWidth')
        article = page.evaluate(
            "(e => e.scrollWidth - e.clientWidth)(document.querySelector('article.bd-article'))"
        )
        assert wide <= 0 and article <= 1, (width, wide, article)
        assert page.evaluate(CROWDED) == [], width
        for link in page.locator('a.language-switch').all():
            box = link.bounding_box()
            assert box['x'] >= 0 and box['x'] + box['width'] <= width


def test_solutions_are_closed_and_open(opened):
    page = settle(opened)
    closed = page.eval_on_selector_all(
        'div.solution > section',
        'all => all.map(e => e.checkVisibility({visibilityProperty: true}))',
    )
    assert not any(closed)
    if closed:
        first = page.locator('div.solution').first
        first.locator('> .admonition-title').click(position={'x': 60, 'y': 12})  # its words
        assert first.locator('> section').is_visible()
        first.locator('button.toggle-button').click()
        page.locator('div.solution button.toggle-button').first.focus()
        page.keyboard.press('Enter')
    shown = page.eval_on_selector_all(
        'div.solution',
        """all => all.map((solution, n) => {
        if (n) solution.querySelector('button.toggle-button').click();
        return solution.querySelector(':scope > section')
          .checkVisibility({visibilityProperty: true}) })""",
    )
    assert all(shown) and len(shown) == len(closed)
    page.eval_on_selector_all(
        'div.solution button.toggle-button', 'all => all.forEach(button => button.click())'
    )


# What a sheet shows: {selector: visible?}, boxes beyond its edge, lines cut, text too pale for its
# ground, grounds that are not white or nearly so.
SHEET = """() => { const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] };
  const ground = e => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > .5) return lum(c) } return 1 };
  const edge = document.documentElement.clientWidth + 1, article = 'article.bd-article ';
  const said = e => `${e.tagName}.${e.getAttribute('class')}: ${e.textContent.trim().slice(0, 40)}`;
  const all = s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility());
  const texts = all(['p', 'h2', 'h3', 'li', 'td', 'pre', 'pre span', 'a', 'code', 'svg text']
    .map(s => article + s).join()).filter(e => e.textContent.trim());
  return {
    wide: all(article + '*').filter(e => !e.closest('mjx-assistive-mml')
      && !(e.matches('code') && e.children.length)  // a space may hang over the end of its line
      && e.getBoundingClientRect().right > edge).map(said),
    cut: all(article + 'pre').filter(e => e.scrollWidth > e.clientWidth + 1).map(said),
    pale: texts.filter(e => { const g = ground(e);
      const l = lum(rgb(getComputedStyle(e)[e.closest('svg') ? 'fill' : 'color']));
      return (Math.max(l, g) + .05) / (Math.min(l, g) + .05) < 4.5 || g < .5 }).map(said),
    broken: all(article + 'td.number').filter(e => {
      const words = document.createRange(); words.selectNodeContents(e.querySelector('p') || e);
      return new Set([...words.getClientRects()].map(b => Math.round(b.top))).size > 1 }).map(said),
    screen: all('.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .copybtn, '
      + '.prev-next-area, .toggle-button, a.language-switch, article details > summary').map(said),
    closed: [...document.querySelectorAll(article + 'div.solution > section')]
      .filter(e => !e.checkVisibility() || e.getBoundingClientRect().height < 20).map(said),
    titles: all('h1').length } }"""


def test_prints_whole_and_dark_on_white(opened):
    """From the dark scheme, on a sheet of A4: all of it there, nothing that only a screen uses."""
    page = settle(opened, 'dark', 690)
    page.emulate_media(media='print', color_scheme='dark')
    page.wait_for_timeout(200)
    seen = page.evaluate(SHEET)
    assert seen.pop('titles') == 1
    assert not any(seen.values()), seen


# Before axe looks: what is folded lies open, and of what looks just alike three pieces stay, for
# its time grows with the square of a page. Letters of code, formulas and links of one class,
# colour, size and ground are one case; the pictures' insides are read by their label alone.
THIN = """() => {
  for (const e of document.querySelectorAll('details')) e.open = true;
  for (const e of document.querySelectorAll('.toggle-hidden')) e.classList.remove('toggle-hidden');
  for (const e of document.querySelectorAll('svg.figure-svg')) e.replaceChildren();
  for (const e of [...document.querySelectorAll('mjx-container')].slice(3)) e.replaceWith('x');
  const seen = new Map(), inline = 'article :is(span, em, strong, b, i, code, a.reference)';
  const looks = [...document.querySelectorAll(inline)].filter(e => e.textContent.trim()
    && [...e.attributes].every(a => ['class', 'href', 'title'].includes(a.name))).map(e => {
    const own = getComputedStyle(e), around = getComputedStyle(e.parentElement);
    return [e, [e.tagName, e.className, e.parentElement.className, own.color, own.fontSize,
      own.backgroundColor, own.fontWeight, own.display, around.backgroundColor].join()] });
  for (const [e, look] of looks) {       // all are looked at before the first goes: quicker by far
    seen.set(look, (seen.get(look) || 0) + 1);
    if (seen.get(look) > 3) e.replaceWith(...e.childNodes);
  }
  document.body.normalize() }"""
AXE = """options => axe.run(document, {resultTypes: ['violations'], ...options}).then(found =>
  found.violations.map(v =>
    [v.id, v.impact, v.nodes.map(n => [n.target.join(' '), n.html.slice(0, 120)]).slice(0, 5)]))"""
# The rules that a scheme can break: those of colours. Twelve entries of a list of names show all,
# and twelve bars of an instrument.
OF_COLOURS = ['color-contrast', 'link-in-text-block']
ENTRIES = """for (const e of [...[...document.querySelectorAll('article dl.py')].slice(12),
  ...document.querySelectorAll('.d2i-bar:nth-child(n + 13)')]) e.remove()"""


def test_axe_finds_nothing_in_either_scheme(opened):
    """No violation of any impact; the rules of colours in the light and in the dark."""
    code = Path(axe_playwright_python.__file__).with_name('axe.min.js')
    page = settle(opened)
    page.evaluate(THIN)
    page.wait_for_timeout(200)  # what was unfolded is looked at by the page's own script
    page.evaluate(code.read_text(encoding='utf-8'))
    others = {'rules': {rule: {'enabled': False} for rule in OF_COLOURS}}
    assert page.evaluate(AXE, others) == []
    page.evaluate(ENTRIES)
    for scheme in ('light', 'dark'):
        assert settle(opened, scheme).evaluate(AXE, {'runOnly': OF_COLOURS}) == [], scheme


# Pages beside the chapters. Of a list of names one letter shows what all do.
CARDS = [f'{one}/chapters/{one}/first_steps.html' for one in LANGUAGES]  # tables as cards
OTHERS = [
    '404.html',
    *CARDS,
    *(f'{one}/{name}' for one in LANGUAGES for name in ('search.html', 'genindex.html')),
]
SET = "[...document.querySelectorAll('.math')].every(e => e.querySelector('mjx-container'))"
LETTER = "[...document.querySelectorAll('.genindextable')].slice(1).forEach(e => e.remove())"


@pytest.mark.parametrize('name', OTHERS)
def test_axe_finds_nothing_beside_the_chapters(browser, address, name):
    """The search with results, the index, and the page for an address that is none."""
    code = Path(axe_playwright_python.__file__).with_name('axe.min.js')
    searches = name.endswith('search.html')
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{name}?q=FM' if searches else name)
        if searches:
            page.wait_for_function(DONE, timeout=10000)
        page.evaluate(LETTER)
        page.wait_for_function(SET)  # formulas have their own letters
        page.evaluate('document.fonts.ready')
        page.wait_for_timeout(500)
        page.add_style_tag(content='* { transition: none !important }')
        page.evaluate(code.read_text(encoding='utf-8'))
        for scheme in ('light', 'dark'):
            page.emulate_media(color_scheme=scheme)
            if name != '404.html':
                page.wait_for_function(
                    's => document.documentElement.dataset.theme == s', arg=scheme
                )
            assert page.evaluate(AXE, {}) == [], scheme
        assert not visit.elsewhere


# On a phone: what goes on to the side and does not fade there, or fades where nothing follows;
# numbers of formulas that are out of sight.
HINTED = """() => {
  const said = e => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 40)}`;
  const all = s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility());
  const sides = '.bd-article :is(pre, .cell_output, .text_html, .pst-scrollable-table-container, '
    + 'div.math, .d2l-plot)';
  const wrong = all(sides).filter(e => {
    const more = e.scrollWidth - e.clientWidth - e.scrollLeft > 2;
    const fades = getComputedStyle(e).maskImage.includes('to left');
    return ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && more !== fades });
  const cut = all('.bd-article div.math > .eqno').filter(e =>
    e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1);
  return [...wrong, ...cut].map(said) }"""


def test_the_highest_line_of_a_formula_is_not_cut(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go('en/chapters/en/dcn.html')
        rooms = page.locator('.bd-article mjx-math').evaluate_all(
            'all => all.map(one => parseFloat(getComputedStyle(one).paddingTop))'
        )
        assert rooms and min(rooms) >= 1


@pytest.mark.parametrize('name', ['compare', 'histories', 'dlrm'])
def test_a_telephone_shows_what_goes_on_to_the_side(browser, address, name):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'en/chapters/en/{name}.html')
        page.wait_for_function('() => document.fonts.status == "loaded"')
        page.wait_for_timeout(400)  # formulas are fitted, then what scrolls is looked at
        assert page.evaluate(HINTED) == []
        sizes = page.evaluate(
            """() => { const size = e => parseFloat(getComputedStyle(e).fontSize);
            return [...document.querySelectorAll('table mjx-container')].map(e =>
              size(e) / size(e.parentElement)) }"""
        )
        assert min(sizes, default=1) > 0.95, 'a formula of a table is set smaller'
        seen = page.evaluate(
            """() => [...document.querySelectorAll('.bd-article pre')].filter(e =>
            e.scrollWidth > e.clientWidth + 2).map(e => { e.scrollLeft = 1e6; return e })
            .map(e => e.scrollLeft)[0]"""
        )
        assert seen > 0, 'no code of this page is wider than a telephone'
        page.wait_for_function(
            "() => document.querySelector('pre.d2l-before:not(.d2l-after)') !== null"
        )
        names = page.evaluate(  # the names of rows leave room for the numbers
            "[...document.querySelectorAll('table.dataframe tbody th')].filter(e => "
            'e.checkVisibility()).map(e => e.getBoundingClientRect().width)'
        )
        assert all(width <= 180 for width in names)
        page.emulate_media(media='print')
        faded = "getComputedStyle(e).maskImage !== 'none'"
        assert page.evaluate(f"[...document.querySelectorAll('pre')].some(e => {faded})") is False


def test_buttons_give_the_notebook_that_runs_alone(pages, site):
    for edition in EDITIONS:
        for path in edition.notebooks:
            name = f'{edition.language}/{edition.chapters}/{path.stem}.html'
            link = pages[name].select_one('a.btn-download-notebook-button')
            file = ((site / name).parent / link['href']).resolve()
            assert '# Set-up' in file.read_text(encoding='utf-8'), name
            archive = pages[name].select_one('a.btn-download-zip-button')
            assert ((site / name).parent / archive['href']).exists(), name
            launchers = [a['href'] for a in pages[name].select('a[class*=btn-launch-]')]
            assert all(f'{edition.language}' in url and path.stem in url for url in launchers), name


# What readers ask for, by the pages one of which has to come first: where it is introduced.
# `*` is any page but a list of names.
QUERIES = {
    'ko': {
        'api_data': 'CTRDataset',
        'api_data first_steps': 'BatchLoader',
        'autorec': 'AutoRec, 마스크를, 오토레크, 오토인코더, 마스크',
        'compare': 'GAUC, 정규화 엔트로피',
        'data': """
            AUC, AUC가 뭐야, 임베딩, 임베딩은, 로그 손실, 콜드 스타트, 보정, 데이터 누수,
            임베딩이란, 로지스틱 회귀, RMSE, 로그손실, 로그로스, 캘리브레이션, 콜드스타트가, 누수,
            누출, 임베딩의, 원핫, 시그모이드, 기준선, 데이터 나누기, MovieLens, 임배딩,
            cold start, 명시적 피드백, 어휘, 피처
        """,
        'data fm': '클릭률, 광고 클릭률, CTR, 클릭 예측',
        'data growth own_log': '모르는 값',
        'data index': '추천시스템, 추천 시스템',
        'data mf': '편향, 평점',
        'data ranking': 'NDCG, HitRate, 암묵적 피드백, 인기순',
        'dcn': 'DCN, 교차 네트워크, DCN v2',
        'deepfm': 'DeepFM, deep fm, 드롭아웃, 딥FM, deepmf, DEEPFM, 초기값, 드랍아웃',
        'defects': '과적합, 오버피팅, 과적햅, overfitting',
        'dlrm': 'DLRM, 멀티핫, 수치 특성, 임베딩 백',
        'dlrm growth': '희소 특성',
        'first_steps': """
            손실 함수, 옵티마이저, 조기 종료, 조기종료, 미니배치, 기울기, PyTorch, 파이토치,
            d2l.fit, early stopping, 에폭, 에포크, 그래디언트
        """,
        'first_steps api_training': 'fit',
        'first_steps protocol': '학습률은 어떻게',
        'first_steps scale': '배치 크기',
        'fm': 'FM, 팩토라이제이션 머신, 매개변수, FM이란 무엇인가, 파라메터',
        'growth': '해싱, Criteo, 해시 충돌',
        'growth own_log scale': 'encode',
        'growth production': 'AdaGrad',
        'growth protocol': '가중치 감쇠',
        'growth scale': '건드린 행, 메모리',
        'histories': '어텐션, DIN, GRU, 배치 정규화, 활성화 함수, 이력, 어텐션을',
        'install': '설치, Colab, GPU에서, 설치 방법, GPU, 코랩, 도커, 애플 실리콘, 윈도우',
        'mf': """
            MF, 행렬 분해, 행렬분해, SVD, ALS, 교대 최소 제곱, 규제, 잔차, 랭크, 내적, 협업 필터링,
            협업필터링
        """,
        'mf autorec': '평점 행렬',
        'mf data': '평점 예측',
        'mf histories compare': '정규화',
        'own_log': '다운샘플링, 내 데이터, 불러오기, CSV 읽기',
        'own_log data': '시간순 분할',
        'own_log production': """
            저장하기, 모델 저장, 저장, 새 상품, 서비스, 배포, 모델을 저장하려면
        """,
        'own_log protocol compare': '튜닝',
        'own_log ranking data': '추천 목록, 추천 목록 만들기',
        'production': 'FTRL, 분위수, 웜 스타트, 웜스타트, 표준화, ftrl',
        'production api_training': 'warm_start',
        'protocol': """
            시드, 부트스트랩, 신뢰 구간, 무작위 탐색, 하이퍼파라미터, 하이퍼파라미터 튜닝
        """,
        'protocol data': '검증 데이터',
        'protocol first_steps': '학습률, 학습률을, 러닝 레이트, 학습율, learning rate',
        'ranking': """
            네거티브 샘플링, NeuMF, item-kNN, BPR, 음성 샘플링, 후보 추출, 랭킹, 네거티브샘플링
        """,
        'ranking autorec': 'EASE',
        'ranking autorec compare': '최근접 이웃',
        'scale': '분산학습, 분산 학습, 분산학습이란, 파라미터 서버, kvstore, 데이터 병렬',
        'where_next': '투 타워, 밴딧, 강화 학습, 그래프',
        'wide_deep': 'widedeep, 교차 특성, 교차특성을, 앙상블, 와이드 앤 딥, 암기, 일반화',
        'xdeepfm': 'xDeepFM, xDeepFM이란, CIN',
        '*': '새 사용자 추천, 인기도',
    },
    'en': {
        'api_data': 'CTRDataset',
        'api_data first_steps': 'BatchLoader',
        'autorec': 'AutoRec, mask, autoencoder',
        'autorec first_steps': 'learning rate schedule',
        'compare': 'GAUC, FFM, AFM, normalized entropy',
        'data': """
            what is AUC, what is an embedding,
            AUC, log loss, calibration, embedding, cold start, leakage, sigmoid,
            logistic regression, RMSE, leak, data leakage, one-hot, baseline, train test split,
            MovieLens, log los, COLD START, Log Loss, explicit feedback, vocabulary,
            one hot encoding, precision recall
        """,
        'data fm': 'CTR',
        'data growth own_log': 'unknown id',
        'data mf': 'bias',
        'data own_log': 'new users not in training',
        'data protocol': 'test set',
        'data ranking': """
            NDCG, hit rate, hitrate, implicit feedback, ndcg, implicit, popularity baseline
        """,
        'dcn': 'DCN, cross network, DCN v2, polynomial, cross layer',
        'deepfm': 'DeepFM, deep fm, dropout, deepmf, xavier, initialization',
        'deepfm fm': 'Frappe',
        'defects': 'overfitting, overfiting',
        'dlrm': 'DLRM, multi-hot, embedding bag',
        'dlrm growth': 'sparse features',
        'dlrm mf': 'dot product',
        'first_steps': """
            optimizer, early stopping, mini batch, gradient, PyTorch, d2l.fit, epoch, loss function
        """,
        'first_steps api_training': 'fit',
        'first_steps scale': 'batch size',
        'fm': 'FM, factorization machine',
        'fm mf': 'vector length',
        'growth': 'hashing, Zipf, Criteo, hash collision, row sparse',
        'growth own_log production': 'encode',
        'growth production': 'AdaGrad, adagrad',
        'growth protocol': 'weight decay',
        'growth scale': 'touched rows, memory',
        'histories': """
            attention, GRU, DIN, batch normalization, activation function, dice, AUGRU, history
        """,
        'install': 'install, Colab, GPU, Docker, kaggle, apple silicon',
        'mf': """
            MF, matrix factorization, matrix factorisation, SVD, ALS, regularization, residual,
            inner product, implicit als, residuals, collaborative filtering
        """,
        'mf autorec': 'rating matrix',
        'mf data': 'predict ratings',
        'mf ranking': 'rank',
        'own_log': """
            downsampling, load csv, how do I bring my own csv, own data, recommend top 10,
            serve model
        """,
        'own_log data': 'time split',
        'own_log production': 'save model, load a model, new items, deploy',
        'own_log protocol compare': 'tune',
        'own_log ranking': 'top k',
        'production': 'FTRL, quantiles, warm start, standardization',
        'production api_training': 'warm_start',
        'protocol': """
            seed, bootstrap, confidence interval, random search, hyperparameters,
            hyperparameter tuning
        """,
        'protocol api_training': 'random_search',
        'protocol data': 'validation',
        'protocol first_steps': 'learning rate, learing rate',
        'ranking': 'negative sampling, NeuMF, item-kNN, BPR, retrieval',
        'ranking autorec': 'EASE',
        'scale': 'parameter server, distributed training, kvstore, data parallel',
        'where_next': 'two towers, bandit, reinforcement learning',
        'wide_deep': """
            wide and deep, widedeep, cross features, ensemble, wide & deep, memorization
        """,
        'xdeepfm': 'xDeepFM, CIN',
        '*': 'new user, popularity',
    },
}
# What readers type who mean it: each finds what the query before it finds, in its order.
MEANT = {
    'ko': {
        '임베딩': '임베딩이란 임베딩은 임베딩에서는 임배딩 임베딩으로부터',
        '학습률': '학습률은 학습률이란 학습률까지 학습율',
        '콜드 스타트': '콜드스타트 콜드스타트를',
        'GPU': 'GPU에서 GPU는 gpu로',
        'DCN v2': 'dcnv2 dcn-v2 DCNv2는',
        'DeepFM': 'deep-fm DeepFM은 deefpm depfm',
        '행렬 분해': '행렬분해 행렬분해란',
        '팩토라이제이션': '팩토라이제이숀 팩토라이제이션의',
        'factorization': 'factorisation facotrization factorizaton',
        'log loss': 'logloss',
        '정확도': '정확도를 정확도의',
        '네거티브 샘플링': '네거티브샘플링',
        '어텐션': '어텐션에게 어탠션',
    },
    'en': {
        'factorization': 'factorisation facotrization factorizaton factorizattion',
        'regularization': 'regularisation regularizaton',
        'optimizer': 'optimiser optmizer optimzier',
        'normalized': 'normalised',
        'modeling': 'modelling',
        'behaviour': 'behavior',
        'embedding': 'embeding embeddding',
        'recommender': 'recomender recommeder',
        'calibration': 'calibratoin callibration',
        'log loss': 'logloss log-loss LogLoss',
        'DCN v2': 'dcnv2 dcn-v2',
        'DeepFM': 'deep-fm deepmf deepfmm',
        'xDeepFM': 'x-deep-fm xdepfm',
        'AutoRec': 'auto-rec atuorec',
        'DLRM': 'drlm',
        'gradient': 'gradeint',
        'parameter server': 'paramter-server',
    },
}
# found as a page's name, or in a list alone: what is typed stays what it is
KEPT = {'ko': ['FM', '유사도', '정확도', 'kvstore'], 'en': ['FM', 'kvstore', 'WideDeep', 'd2l.fit']}
LISTS = ('api_', 'genindex', 'glossary', 'bibliography')
# A page that has its index is asked again, as if the reader had come with this query.
ASK = """query => {
  document.querySelector('#search-results').replaceChildren();
  for (const field of document.querySelectorAll('input[name=q]')) field.value = query;
  Search.performSearch(query); }"""
DONE = """() => document.querySelector('#search-results ul.search li a')
  && !document.querySelector('#search-results h2 span')?.innerText"""


# What is found, the best first, without the time that it takes to show it.
FOUND = """query => {
  for (const field of document.querySelectorAll('input[name=q]')) field.value = query;
  return Search._performSearch(...Search._parseQuery(query)).reverse().slice(0, 10)
    .map(one => one[0] + one[2]) }"""


@pytest.fixture(scope='module')
def asked(browser, address):
    """{language: the search page with its index}, opened once for all the queries."""
    with ExitStack() as stack:
        visits = {}
        for language in QUERIES:
            visit = stack.enter_context(Visit(browser, address))
            page = visit.go(f'{language}/search.html?q=FM')
            page.wait_for_function(DONE, timeout=10000)
            visits[language] = visit
        yield visits


@pytest.mark.parametrize('language', QUERIES)
def test_search_shows_what_it_finds(asked, language):
    page = asked[language].page
    shown = page.locator('#search-results ul.search li a').evaluate_all(
        "links => links.map(a => a.getAttribute('href').replace('.html', ''))"
    )
    found = page.evaluate(FOUND, 'FM')
    assert shown and shown[:10] == found[: len(shown)]


@pytest.mark.parametrize(
    'language, query, pages',
    [
        pytest.param(language, query.strip(), pages, id=f'{language}-{query.strip()}')
        for language, table in QUERIES.items()
        for pages, queries in table.items()
        for query in queries.split(',')
    ],
)
def test_search_finds_the_chapter_first(asked, language, query, pages):
    links = asked[language].page.evaluate(FOUND, query)
    names = [link.rpartition('/')[2].partition('#')[0] for link in links]
    if pages == '*':
        assert not names[0].startswith(LISTS), names[:4]
    else:
        assert names and names[0] in pages.split(), names[:4]
    assert asked[language].is_calm(), (asked[language].elsewhere, asked[language].complaints)


# Names of the library, and the entries that follow the chapter.
OWN_ENTRIES = {
    'd2l.recommend': 'api_training#d2lrec.recommend.recommend',
    'd2l.evaluate': 'api_training#d2lrec.fitting.evaluate',
    'd2l.auc': 'api_training#d2lrec.metrics.auc',
    'AUC': 'api_training#d2lrec.metrics.auc',
    'FM': 'api_models#d2lrec.models.fm.FM',
    'deep fm': 'api_models#d2lrec.models.deepfm.DeepFM',
}


@pytest.mark.parametrize('query', OWN_ENTRIES)
@pytest.mark.parametrize('language', QUERIES)
def test_search_finds_an_objects_own_entry_second(asked, language, query):
    first, second = asked[language].page.evaluate(FOUND, query)[:2]
    assert not first.rpartition('/')[2].startswith(LISTS), first
    assert second.rpartition('/')[2] == OWN_ENTRIES[query]


@pytest.mark.parametrize('language', MEANT)
def test_search_finds_what_was_meant(browser, address, language):
    with Visit(browser, address) as visit:
        page = visit.go(f'{language}/search.html?q=FM')
        page.wait_for_function(DONE, timeout=10000)
        missed = []
        for query, others in MEANT[language].items():
            wanted = page.evaluate(FOUND, query)
            if not wanted or wanted[0].rpartition('/')[2].startswith(LISTS):
                missed.append((query, wanted))
            found = {other: page.evaluate(FOUND, other) for other in others.split()}
            for other, got in found.items():
                first = min(3, len(wanted))
                if got[:first] != wanted[:first]:
                    missed.append((query, other, got[:3]))
        assert not missed
        for query in KEPT[language]:
            assert page.evaluate('query => Asked.meant(query)', query) == query


@each_edition
def test_search_says_what_it_looked_for(browser, address, edition):
    with Visit(browser, address) as visit:
        page = visit.go(f'{edition.language}/search.html?q=facotrization')
        page.wait_for_function(DONE, timeout=10000)
        said = edition.words['meant'].format('factorization')
        assert said in page.locator('#search-results').inner_text()
        quoted = page.locator('#search-results p.context')
        quoted.first.wait_for()
        assert any('factorization' in one.lower() for one in quoted.all_inner_texts())
        page.evaluate(ASK, 'FM')
        assert said not in page.locator('#search-results').inner_text()


@pytest.mark.parametrize(
    'tex, plain',
    [
        (r'\(\mathbf x_m\)', 'xₘ'),
        (r'\(w_{ui}\)', 'w_ui'),
        (r'\(x_{1} \times 2\)', 'x₁ × 2'),
        (r'\(\frac{1}{2}\)', '…'),
    ],
)
def test_a_result_quotes_a_formula_as_letters(asked, tex, plain):
    assert asked['en'].page.evaluate('tex => Scorer.plain(tex)', tex) == plain


# Queries whose words are said with other endings, in code alone, or in the lists.
QUOTED = {
    'ko': ['학습률', '분산학습', '행렬분해', 'Guo', 'touch_rows', 'AUC', 'kvstore', '콜드 스타트'],
    'en': [
        'memory',
        'regularization',
        'Guo',
        'touch_rows',
        'AUC',
        'calibrated',
        'matrix factorization',
    ],
}
# All results stand there, those of pages with what is quoted of them.
SETTLED = """() => document.querySelector('#search-results .search-summary')?.innerText
  && [...document.querySelectorAll('#search-results li')].every(one =>
    one.querySelector('span, p.context'))"""
# Results that are quoted without any of the words, and have none in their title either.
SILENT = """words => [...document.querySelectorAll('#search-results li')].filter(one =>
  one.querySelector('p.context')).filter(one => {
    const said = one.textContent.toLowerCase(), stemmer = new Stemmer();
    const written = said.match(/[\\p{Letter}\\p{Number}_]+/gu) || [];
    const stems = new Set(written.map(word => stemmer.stemWord(word)));
    return !words.some(word => said.includes(word) || stems.has(word)) })
    .map(one => one.textContent)"""


@pytest.mark.parametrize('language', QUOTED)
def test_results_quote_what_was_asked_for(browser, address, language):
    with Visit(browser, address) as visit:
        for query in QUOTED[language]:
            page = visit.go(f'{language}/search.html?q={query}')
            page.wait_for_function(SETTLED, timeout=10000)
            words = page.evaluate('query => [...Search._parseQuery(query)[1]]', query)
            assert page.evaluate(SILENT, words) == [], query
            quoted = page.locator('#search-results p.context').all_inner_texts()
            labels = [one for one in quoted if re.search(r'\[[A-Z][A-Za-z+]*\d\d[a-z]?\]', one)]
            assert quoted and not labels, (query, labels)


# What the first result quotes: the words together, in a sentence.
TOGETHER = {
    'en': ['learning rate', 'log loss', 'early stopping', 'cold start'],
    'ko': ['로그 손실', '조기 종료', '학습률', '과적합'],
}


@pytest.mark.parametrize('language', TOGETHER)
def test_the_first_result_quotes_the_words_together(browser, address, language):
    with Visit(browser, address) as visit:
        for query in TOGETHER[language]:
            page = visit.go(f'{language}/search.html?q={query}')
            page.wait_for_function(SETTLED, timeout=10000)
            quoted = page.locator('#search-results p.context').first.inner_text()
            assert query in quoted.lower(), (query, quoted)
            assert re.match(r'(… )?[\w“"‘(\[⟨+−-]', quoted), quoted


@each_edition
def test_the_search_page_speaks_the_pages_language(browser, address, edition):
    said = edition.words['scripts']
    found = next(own for english, own in said.items() if 'resultCount' in english)
    with Visit(browser, address) as visit:
        page = visit.go(f'{edition.language}/search.html?q=FM')
        page.wait_for_function(SETTLED, timeout=10000)
        told = page.locator('#search-results .search-summary').inner_text()
        assert re.fullmatch(re.escape(found).replace(r'\$\{resultCount\}', r'\d+'), told)
        scripts = page.evaluate("fetch('_static/searchtools.js').then(one => one.text())")
        assert not [english for english in said if f'"{english}"' in scripts]


@each_edition
def test_a_telephone_shows_every_panel_and_legend(browser, address, edition):
    own = f'{address}/{edition.language}/{edition.chapters}'
    visit = browser.new_page(viewport={'width': 390, 'height': 844})
    try:
        for name, count in (('own_log', 2), ('defects', 4), ('growth', 2), ('dlrm', 4)):
            visit.goto(f'{own}/{name}.html', wait_until='load')
            ends = visit.eval_on_selector_all(
                '.d2l-stacked > svg, .d2l-plot:not(:has(.d2l-stacked)) g[id*="legend_"] text',
                """all => all.map(one => one.getBoundingClientRect())
                  .flatMap(box => [box.left, box.right])""",
            )
            assert ends and min(ends) >= 0 and max(ends) <= 390, (name, ends)
            assert visit.locator('.d2l-stacked > svg').count() == count, name
    finally:
        visit.close()


def test_a_telephone_shows_formulas_whole(browser, address):
    visit = browser.new_page(viewport={'width': 390, 'height': 844})
    try:
        visit.goto(f'{address}/ko/chapters/ko/fm.html')
        visit.wait_for_function("document.querySelectorAll('div.math > mjx-container').length > 3")
        visit.wait_for_timeout(200)
        over = visit.eval_on_selector_all(
            'div.math', 'all => all.map(one => one.scrollWidth - one.clientWidth)'
        )
        assert sum(one > 1 for one in over) <= 1, over  # the longest may still scroll
        for name in ('first_steps', 'deepfm'):  # a long one within a solution
            visit.goto(f'{address}/en/chapters/en/{name}.html')
            visit.wait_for_function("document.querySelectorAll('.solution mjx-container').length")
            visit.eval_on_selector_all(
                'div.solution button.toggle-button', 'all => all.forEach(button => button.click())'
            )
            visit.wait_for_timeout(300)
            sizes = visit.eval_on_selector_all(
                'div.solution span.math mjx-container',
                'all => all.map(e => parseFloat(getComputedStyle(e).fontSize))',
            )
            assert min(sizes) > 15, (name, sizes)
        visit.goto(f'{address}/en/chapters/en/data.html')  # three formulas side by side
        visit.wait_for_selector('div.math.d2l-lines')
        sizes = visit.eval_on_selector_all(
            '.d2l-lines > mjx-container',
            'all => all.map(e => parseFloat(getComputedStyle(e).fontSize))',
        )
        assert min(sizes) > 14, sizes
        over = visit.eval_on_selector_all(
            '.d2l-lines', 'all => all.map(e => e.scrollWidth - e.clientWidth)'
        )
        assert max(over) <= 1, over
    finally:
        visit.close()


@each_edition
def test_code_is_copied_by_keyboard(browser, address, edition):
    """The button is seen while it has the focus, and what it did is told."""
    allowed = {'permissions': ['clipboard-read', 'clipboard-write']}
    with Visit(browser, address, **allowed) as visit:
        page = visit.go(f'{edition.language}/chapters/{edition.language}/install.html')
        page.keyboard.press('Tab')  # so that the focus is seen
        page.locator('.copybtn').first.focus()
        page.wait_for_function('() => getComputedStyle(document.activeElement).opacity == 1')
        page.keyboard.press('Enter')
        told = {'ko': '복사했습니다', 'en': 'Copied!'}[edition.language]
        page.locator('body > [role=status]').get_by_text(told).wait_for(state='attached')
        assert page.evaluate('navigator.clipboard.readText()').strip()


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', ['compare', 'mf'])
@each_edition
def test_a_formula_with_room_is_none_to_scroll(browser, address, edition, name, width):
    """Nor a stop of the Tab key that says so to those who listen."""
    with Visit(browser, address, viewport={'width': width, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/chapters/{edition.language}/{name}.html')
        page.wait_for_function("() => document.querySelectorAll('span.math mjx-math').length > 20")
        page.wait_for_timeout(300)  # the page's own script has looked at them
        wrong = page.eval_on_selector_all(
            '.bd-article span.math[role=group]',
            'all => all.filter(e => e.querySelector("mjx-math").getBoundingClientRect().width'
            ' < e.clientWidth + 1).map(e => e.textContent)',
        )
        assert wrong == []


def test_a_table_that_is_a_little_too_wide_is_tightened(browser, address):
    visit = browser.new_page(viewport={'width': 390, 'height': 844})
    try:
        visit.goto(f'{address}/en/chapters/en/own_log.html')
        visit.wait_for_selector('.d2l-tight table')
        over = visit.eval_on_selector_all(
            '.text_html:has(table)', 'all => all.map(e => e.scrollWidth - e.clientWidth)'
        )
        assert over and max(over) <= 1, over
    finally:
        visit.close()


# Tables that are wider than a phone, and a form in which one of them fits there.
FITTED = [
    ('first_steps', 'd2l-cards'),
    ('compare', 'd2l-cards'),
    ('fm', 'd2l-turned'),
    ('defects', 'd2l-tight'),
]


@each_edition
@pytest.mark.parametrize('name, form', FITTED)
def test_a_wide_table_takes_a_form_that_fits_a_telephone(browser, address, edition, name, form):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/{name}.html')
        page.wait_for_selector(f'.{form} table')
        page.wait_for_timeout(200)
        over = page.eval_on_selector_all(
            f'.{form}', 'all => all.map(e => e.scrollWidth - e.clientWidth)'
        )
        assert max(over) <= 1, over
        prose = page.eval_on_selector_all(  # tables of the text all do
            '.pst-scrollable-table-container', 'all => all.map(e => e.scrollWidth - e.clientWidth)'
        )
        assert max(prose, default=0) <= 1, prose
        heads = page.evaluate(  # a card says what each of its lines is
            """() => [...document.querySelectorAll('.d2l-cards tbody td')].filter(cell =>
            cell.cellIndex > 1 && cell.textContent.trim()
            && getComputedStyle(cell, '::before').content.length < 4).map(e => e.textContent)"""
        )
        assert heads == []
        roles = page.eval_on_selector_all(
            '.d2l-cards table, .d2l-turned table', 'all => all.map(e => e.getAttribute("role"))'
        )
        assert set(roles) <= {'table'}
        page.set_viewport_size({'width': 1280, 'height': 900})  # and is a table again with room
        page.wait_for_function('form => !document.querySelector("." + form + " table")', arg=form)
        assert visit.is_calm(), (visit.elsewhere, visit.complaints)


@each_edition
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_names_of_rows_stay_in_sight(browser, address, edition, scheme):
    phone = {'viewport': {'width': 390, 'height': 844}, 'color_scheme': scheme}
    with Visit(browser, address, **phone) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/wide_deep.html')
        page.wait_for_selector('.d2l-stuck table')
        wrong = page.eval_on_selector_all(
            '.d2l-stuck',
            """all => all.flatMap(box => { box.scrollLeft = 120;
            const ground = getComputedStyle(document.body).backgroundColor;
            return [...box.querySelectorAll('tr > :first-child')].filter(cell =>
              Math.abs(cell.getBoundingClientRect().left - box.getBoundingClientRect().left) > 2
              || getComputedStyle(cell).backgroundColor !== ground)
              .map(cell => cell.textContent + getComputedStyle(cell).backgroundColor) })""",
        )
        assert wrong == []


@each_edition
def test_printed_sentences_break_on_a_telephone_and_columns_do_not(browser, address, edition):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/own_log.html')
        page.wait_for_selector('pre.d2l-broken')
        kinds = page.evaluate(
            """() => { const columns = /\\S(?: {2,}|[ \\u00a0]*\\u00a0[ \\u00a0]*)\\S/;
            return [...document.querySelectorAll('.cell_output .highlight-myst-ansi pre')]
            .filter(e => e.checkVisibility()).map(e => [columns.test(e.textContent),
              e.classList.contains('d2l-broken'), e.scrollWidth > e.clientWidth + 1]) }"""
        )
        assert any(broken for _, broken, _ in kinds)
        assert all(columns for columns, _, over in kinds if over)
        assert not any(broken for columns, broken, _ in kinds if columns)


@each_edition
def test_the_section_asked_for_is_in_sight_once_formulas_are_set(browser, address, edition):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/compare.html#summary')
        page.wait_for_selector('mjx-container')
        page.wait_for_timeout(1500)
        top = page.evaluate("document.getElementById('summary').getBoundingClientRect().top")
        assert 0 <= top < 150, top


@each_edition
def test_formulas_are_no_stops_and_the_way_up_is_in_a_corner(browser, address, edition):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/compare.html')
        page.wait_for_selector('mjx-container')
        assert page.locator('mjx-container[tabindex]').count() == 0
        page.mouse.wheel(0, 6000)
        page.wait_for_timeout(500)
        page.mouse.wheel(0, -900)
        button = page.locator('#pst-back-to-top')
        button.wait_for()
        box = button.bounding_box()
        assert box['x'] > 300 and box['x'] + box['width'] <= 390, box
        assert box['width'] >= 24 and box['height'] >= 24 and box['y'] > 760, box


def test_a_word_searched_for_lights_up_beside_pictures(browser, address):
    """Words of a picture's title and style are left alone, and nothing fails."""
    with Visit(browser, address, viewport={'width': 1280, 'height': 900}) as visit:
        page = visit.go('en/chapters/en/fm.html?highlight=user')
        page.wait_for_selector('article .highlighted')
        page.wait_for_timeout(300)
        inside = 'svg :is(style, title, desc) :is(span, tspan)'
        assert page.locator(inside).count() == 0 and visit.is_calm(), visit.complaints


def test_an_example_is_copied_without_its_prompts(browser, address):
    with Visit(browser, address, viewport={'width': 1280, 'height': 900}) as visit:
        visit.context.grant_permissions(['clipboard-read', 'clipboard-write'])
        page = visit.go('en/chapters/en/api_training.html')
        example = page.locator('.highlight', has_text='>>> accuracy(').first
        example.hover()
        example.locator('button.copybtn').click()
        page.wait_for_timeout(300)
        assert page.evaluate('navigator.clipboard.readText()') == (
            'accuracy([1.5, -0.5, 2.0], [1, 0, 0])'
        )


def test_a_card_has_no_line_without_words(browser, address):
    """Cells that are empty go, and none is told without its head where some are."""
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go('en/chapters/en/teach.html')
        page.wait_for_selector('.d2l-cards table')
        told = page.evaluate(
            """[...document.querySelector('.d2l-cards table').tBodies[0].rows].flatMap(row =>
            [...row.cells].slice(1).filter(e => e.checkVisibility()).map(e =>
            [e.innerText.trim().length > 0, getComputedStyle(e, '::before').content.length > 4]))"""
        )
        assert len(told) > 12 and all(map(all, told))


@each_edition
def test_a_table_of_models_sorts_as_cards_too(browser, address, edition):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/compare.html')
        page.wait_for_selector('.d2l-cards table.sortable')
        first = page.locator('.d2l-cards table.sortable').first
        button = first.locator('button.d2l-sort').first
        assert button.bounding_box()['x'] >= 0 and button.bounding_box()['height'] >= 24
        button.click()
        said = first.evaluate('table => [...table.tBodies[0].rows].map(r => r.cells[0].innerText)')
        assert said == sorted(said, key=str.lower)


def test_an_instrument_is_as_wide_in_the_dark(browser, address):
    visit = browser.new_page(viewport={'width': 390, 'height': 844}, color_scheme='dark')
    try:
        visit.goto(f'{address}/en/chapters/en/compare.html')
        visit.wait_for_selector('.d2lrec-instrument .d2i-live')
        wide, room = visit.evaluate(
            "(e => [e.getBoundingClientRect().width, e.closest('.cell_output').clientWidth])"
            "(document.querySelector('.d2lrec-instrument'))"
        )
        assert abs(wide - room) < 2, (wide, room)
    finally:
        visit.close()


def test_heads_stand_over_their_numbers(browser, address):
    """Also beside a table of two rows of heads, whose own style pandas gives the whole page."""
    visit = browser.new_page()
    try:
        visit.goto(f'{address}/en/chapters/en/dcn.html')
        apart = visit.evaluate(
            """() => [...document.querySelectorAll('table.dataframe')].flatMap(table => {
              const heads = [...table.tHead.rows].at(-1).cells;
              return [...table.tBodies[0].rows[0].cells].filter((cell, n) =>
                cell.matches('.number') && getComputedStyle(heads[n]).textAlign !== 'right')
                .map(cell => cell.textContent) })"""
        )
        assert apart == []
    finally:
        visit.close()


@pytest.mark.parametrize(
    'asked',
    [
        'd2lrec.plot.heatmap',
        'module-d2lrec.data.lines',
        'd2lrec-layers-sequence',
        'd2lrec.check.fm.pairwise_term',
    ],
)
def test_a_name_that_moved_to_another_page_is_found_there(browser, address, asked):
    with Visit(browser, address) as visit:
        page = visit.go(f'en/chapters/en/api_training.html#{asked}')
        page.wait_for_function("name => !location.pathname.includes('api_training')", timeout=5000)
        page.wait_for_function('name => document.getElementById(name)', arg=asked)
        assert page.evaluate('location.hash') == f'#{asked}'
        assert visit.is_calm(), (visit.elsewhere, visit.complaints)


def test_the_switch_keeps_the_section(browser, address):
    for own, other in zip(BOOK.editions, BOOK.editions[1:] + BOOK.editions[:1]):
        with Visit(browser, address) as visit:
            page = visit.go(f'{own.language}/{own.chapters}/fm.html')
            names = page.eval_on_selector_all(
                '.bd-article section section[id]', 'all => all.map(s => s.id)'
            )
            assert all(re.fullmatch('[a-z0-9-]+', name) for name in names)
            page = visit.go(f'{own.language}/{own.chapters}/fm.html#{names[3]}')
            page.wait_for_function('!window.MathJax || MathJax.startup.promise.then(() => true)')
            page.evaluate('name => document.getElementById(name).scrollIntoView()', names[3])
            page.wait_for_function(  # the page scrolls smoothly, which takes a while
                'name => { const top = document.getElementById(name).getBoundingClientRect().top;'
                ' return 0 <= top && top < innerHeight / 4 }',
                arg=names[3],
            )
            # Playwright's own click scrolls what stands fast at the top of the window
            page.eval_on_selector(f'a.language-switch[lang={other.language}]', 'a => a.click()')
            page.wait_for_url(f'**/{other.language}/**#{names[3]}')
            assert page.evaluate("document.querySelector(':target h2, :target h3') !== null"), (
                'the section is not there in the other edition'
            )


def test_editions_have_the_same_addresses_of_sections(pages):
    for name, page in pages.items():
        edition = edition_of(name)
        if '/chapters/' not in name:
            continue
        own = [s['id'] for s in page.select('article section section[id]')]
        twin = name.replace(edition.language, BOOK.otherwise.language)
        theirs = [s['id'] for s in pages[twin].select('article section section[id]')]
        assert own == theirs, name


def test_the_former_address_of_a_section_leads_there(pages):
    for name, former in FORMER.items():
        found = [page for page in pages.values() if page.select_one(f'article section#{name}')]
        assert len(found) == len(LANGUAGES), name
        assert all(page.select_one(f'section#{name} #{former}') for page in found), former


def test_a_page_says_what_it_is(pages, site):
    for name, page in pages.items():
        if '/chapters/' in name:
            said = page.select_one('meta[name=description]')['content']
            assert 20 < len(said) <= 161, name
            assert page.select_one('meta[property="og:title"]')['content'], name
        policy = page.select_one('meta[http-equiv=Content-Security-Policy]')['content']
        scripts = re.search('script-src ([^;]*);', policy)[1]
        assert "'unsafe-inline'" not in scripts and "'unsafe-eval'" not in scripts, name
        assert not [
            tag for tag in page.find_all(True) if any(a.startswith('on') for a in tag.attrs)
        ]
    assert 'User-agent: *' in (site / 'robots.txt').read_text()


def test_an_address_that_is_none_leads_back(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go('404.html')
        for edition in EDITIONS:
            links = page.eval_on_selector_all(
                f'p[lang={edition.language}] a', 'all => all.map(a => a.getAttribute("href"))'
            )
            assert len(links) == 2 and all(f'/{edition.language}/' in link for link in links)
        assert visit.is_calm(), (visit.elsewhere, visit.complaints)


# Cells of heat maps: [share of the full colour, luminance, contrast of what is written on them].
SHADES = """() => { const canvas = document.createElement('canvas').getContext('2d');
  const lum = colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const f = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => { v /= 255;
      return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] };
  return [...document.querySelectorAll('svg.plot-svg:not(.d2l-stacked > *)')].flatMap(plot => {
    const texts = [...plot.querySelectorAll('text[class*=d2l-on]')].map(e => [e, e.getBBox()]);
    return [...plot.querySelectorAll('path.d2l-a, path.d2l-b')].map(cell => {
      const box = cell.getBBox(), own = lum(getComputedStyle(cell).fill);
      const holds = (x, y) => x > box.x && x < box.x + box.width
        && y > box.y && y < box.y + box.height;
      const on = texts.find(([, b]) => holds(b.x + b.width / 2, b.y + b.height / 2));
      const said = on && lum(getComputedStyle(on[0]).fill);
      return [parseFloat(cell.style.getPropertyValue('--share')), own,
        on ? (Math.max(own, said) + .05) / (Math.min(own, said) + .05) : 0] }) }) }"""


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('name', ['mf', 'histories', 'compare'])
def test_a_heat_map_is_no_white_card_in_the_dark(browser, address, name, width):
    """Its zero is dark and what is written on a cell can be read, also in its double on a phone."""
    size = {'width': width, 'height': 900}
    with Visit(browser, address, color_scheme='dark', viewport=size) as visit:
        page = visit.go(f'en/chapters/en/{name}.html')
        page.wait_for_function('document.documentElement.dataset.theme == "dark"')
        shades = page.evaluate(SHADES)
        assert len(shades) > 30
        assert max((lum for share, lum, _ in shades if share < 5), default=0) < 0.05
        assert min((ratio for _, _, ratio in shades if ratio), default=9) >= 4.4
        # what is drawn, by its pixels: the double's own style cannot be asked
        drawn = page.locator('.d2l-plot:has(path.d2l-a, path.d2l-b)').first
        shot = Image.open(io.BytesIO(drawn.screenshot())).convert('L')
        assert np.asarray(shot).mean() < 100


DASHED = """() => { const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
    return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] };
  const back = lum(rgb(getComputedStyle(document.body).backgroundColor));
  return [...document.querySelectorAll('svg.plot-svg path[style*=dasharray]')].map(e => {
    const own = lum(rgb(getComputedStyle(e).stroke));
    return (Math.max(own, back) + .05) / (Math.min(own, back) + .05) }) }"""


@pytest.mark.parametrize('name', ['defects', 'autorec', 'scale', 'compare'])
def test_dashed_lines_are_seen_in_the_dark(browser, address, name):
    with Visit(browser, address, color_scheme='dark') as visit:
        page = visit.go(f'en/chapters/en/{name}.html')
        page.wait_for_function('document.documentElement.dataset.theme == "dark"')
        ratios = page.evaluate(DASHED)
        assert ratios and min(ratios) > 3, ratios


@pytest.mark.parametrize('name', ['autorec', 'scale', 'data', 'fm'])
def test_nothing_stands_below_the_foot_on_a_telephone(browser, address, name):
    with Visit(browser, address, viewport={'width': 390, 'height': 844}) as visit:
        page = visit.go(f'en/chapters/en/{name}.html')
        page.wait_for_selector('.d2lrec-instrument .d2i-live')
        for _ in range(2):
            below = page.evaluate(
                'document.documentElement.scrollHeight - scrollY - document.querySelector('
                "'footer.bd-footer-content').getBoundingClientRect().bottom"
            )
            assert below < 4, below
            page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
            page.wait_for_timeout(300)


@each_edition
def test_pages_outside_the_book_have_its_letters(browser, address, edition):
    family = '(e => getComputedStyle(e).fontFamily)(document.querySelector("{}"))'
    with Visit(browser, address) as visit:
        page = visit.go(f'{edition.language}/{edition.pages[0]}.html')
        own = page.evaluate(family.format('article p'))
        for scheme in ('light', 'dark'):
            page = visit.go('404.html')
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(family.format(f'p[lang={edition.language}]')) == own
            ratios = page.evaluate(CONTRAST.replace('article p', 'main p, main a'))
            assert min(ratios) >= 4.5


def test_the_sitemap_names_every_page_and_its_twins():
    assert build.sitemap(BOOK, '') == ''
    text = build.sitemap(BOOK, 'https://host.invalid/book')
    for edition in EDITIONS:
        for page in edition.pages:
            assert f'<loc>https://host.invalid/book/{edition.language}/{page}.html</loc>' in text
    assert text.count('<loc>') == sum(len(edition.pages) for edition in EDITIONS)
    assert 'https://host.invalid/book/sitemap.xml' in build.robots('https://host.invalid/book')


def test_the_site_is_light(site):
    files = [path for path in site.rglob('*') if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 35e6
    heavy = {}
    for path in files:
        if path.suffix == '.html' and path.stat().st_size > 1e6:  # with instruments: up to twice
            page = path.read_bytes()
            rest = re.sub(rb'<script type="application/json">.*?</script>', b'', page, flags=re.S)
            if len(page) > 2e6 or len(rest) > 1e6:
                heavy[path.name] = len(page), len(rest)
    assert not heavy
    assert len(list(site.rglob('tex-chtml.js'))) == 1


def test_icons_are_small_and_all_there(pages, site):
    from fontTools.ttLib import TTFont

    for language in LANGUAGES:
        vendor = site / language / '_static' / 'vendor' / 'fontawesome'
        (sheet,) = vendor.glob('*/css/all.min.css')
        codes = {
            name: int(code, 16)
            for names, code in icons.RULE.findall(sheet.read_text(encoding='utf-8'))
            for name in re.findall(r'fa-[a-z0-9-]+', names)
        }
        assert sheet.stat().st_size < 25e3
        fonts = [path for path in vendor.rglob('*') if path.stem in icons.FONTS]
        assert [path.suffix for path in fonts] == ['.woff'] * 2
        assert all(path.stat().st_size < 8e3 for path in fonts)
        drawn = {code for path in fonts for code in TTFont(path).getBestCmap()}
        for name, page in pages.items():
            if edition_of(name).language != language:
                continue
            for icon in page.select('i[class*="fa-"]'):
                own = [one for one in icon['class'] if one in codes]
                assert len(own) == 1 and codes[own[0]] in drawn, (name, icon)
    for name, page in pages.items():
        for link in page.select('link[rel=preload][as=font]'):
            assert ((site / name).parent / link['href']).stat().st_size < 8e3, (name, link)


@each_edition
def test_a_first_visit_is_light(browser, address, site, edition):
    """What a page of text loads, and one of formulas beside MathJax, in bytes of files."""
    for name, most in (('teach', 0.75e6), ('deepfm', 1.1e6)):
        with Visit(browser, address) as visit:
            asked = []
            visit.page.on('request', lambda request: asked.append(request.url))
            visit.go(f'{edition.language}/{edition.chapters}/{name}.html')
            paths = {url.partition('?')[0].replace(address, str(site)) for url in asked}
            sizes = {path: os.path.getsize(path) for path in paths if '/mathjax/' not in path}
            assert sum(sizes.values()) < most, sorted(sizes.items(), key=lambda one: -one[1])[:8]


@each_edition
def test_the_table_of_models_sorts_by_keyboard(browser, address, edition):
    with Visit(browser, address) as visit:
        page = visit.go(f'{edition.language}/{edition.chapters}/compare.html')
        table = page.locator('table.sortable').first
        column = 'table => [...table.tBodies[0].rows].map(row => row.cells[0].innerText.trim())'
        before = table.evaluate(column)
        table.locator('button.d2l-sort').first.focus()
        for key, order in (('Enter', 'ascending'), ('Space', 'descending')):
            page.keyboard.press(key)
            assert table.locator('th').first.get_attribute('aria-sort') == order
            after = table.evaluate(column)
            assert sorted(after) == sorted(before) and after != before
        assert table.locator(f'th[aria-sort={order}]').count() == 1
        page.keyboard.press('Tab')
        page.keyboard.press('Enter')
        assert table.locator('th').nth(1).get_attribute('aria-sort') == 'ascending'
        assert table.locator('th').first.get_attribute('aria-sort') == 'none'
        assert visit.is_calm(), (visit.elsewhere, visit.complaints)


def test_results_of_a_search_fit_a_telephone(browser, address):
    with Visit(browser, address, viewport={'width': 390, 'height': 800}) as visit:
        page = visit.go('en/search.html?q=embedding')  # excerpts are code, too
        page.wait_for_function(DONE, timeout=10000)
        assert page.evaluate('document.documentElement.scrollWidth') <= 390
        page.locator('#search-results p.context').first.wait_for()
        quoted = ' '.join(page.locator('#search-results p.context').all_inner_texts())
        for raw in ('\\(', 'self.', '0 0 0 1', 'Show source'):  # TeX, code, a drawing, a button
            assert raw not in quoted
        begun = page.locator('#search-results p.context').all_inner_texts()
        assert all(len(one) < 300 for one in begun)
        assert all(re.match(r'(… )?[\w“"‘(\[⟨+−-]', one) for one in begun), begun
        field = page.locator('article input[name=q], main input[name=q]').first
        lens = field.locator('xpath=preceding-sibling::i').bounding_box()
        begins = field.evaluate(
            'e => e.getBoundingClientRect().x + parseFloat(getComputedStyle(e).paddingLeft)'
        )
        assert begins > lens['x'] + lens['width']


def test_search_finds_nothing_for_a_word_that_is_not_there(browser, address):
    with Visit(browser, address) as visit:
        page = visit.go('ko/search.html?q=두루미가')
        page.wait_for_timeout(500)
        assert page.locator('#search-results ul.search li').count() == 0


@pytest.mark.parametrize(
    'locale, language',
    [*((f'{one}-XX', one) for one in LANGUAGES), ('xx-XX', BOOK.otherwise.language)],
)
def test_root_page_follows_the_browsers_language(browser, address, locale, language):
    with Visit(browser, address, locale=locale) as visit:
        page = visit.go('')
        page.wait_for_url(f'{address}/{language}/**')
        assert page.evaluate('document.documentElement.lang') == language
        assert visit.is_calm(), (visit.elsewhere, visit.complaints)


@pytest.mark.parametrize('language', LANGUAGES)
def test_root_page_offers_every_edition_without_scripts(browser, address, language):
    with Visit(browser, address, java_script_enabled=False) as visit:
        page = visit.go('')
        page.locator(f'a[hreflang={language}]').click()
        assert page.locator('html').get_attribute('lang') == language


@each_edition
def test_switch_works_by_keyboard(browser, address, edition):
    for other in BOOK.others(edition):
        with Visit(browser, address) as visit:
            page = visit.go(f'{edition.language}/{edition.pages[0]}.html')
            page.locator(f'a.language-switch[lang={other.language}]').focus()
            page.keyboard.press('Enter')
            page.wait_for_url(f'{address}/{other.language}/**')


@pytest.mark.parametrize('language', ['ko', 'en'])
def test_the_index_fits_a_telephone(browser, address, language):
    with Visit(browser, address, viewport={'width': 390, 'height': 800}) as visit:
        page = visit.go(f'{language}/genindex.html')
        assert page.locator('table.genindextable td').count() > 20
        assert page.evaluate('document.documentElement.scrollWidth') <= 390
