"""The chapters' prose: numbers that the page itself supports, and the book's own words."""

import json
import re

from d2lrec.phrases import FOLDER

import notebooks
import pytest
import yaml
from d2lrec_site import glossary
from pages import BOOKS, page_text

from chapters import BOOK, EDITIONS, ROOT

PAGES = [
    pytest.param(edition.language, ROOT / page, id=page.removeprefix('chapters/'))
    for edition in EDITIONS
    for page in edition.pages
]
SMALL = 12  # a count of a dozen or less needs no support
YEARS = range(1900, 2031)
NUMBER = re.compile(
    r'(?<![\w.,@#])(\d+(?:,\d{3})+|\d+)?(\.\d+)?(?:\s?(%|만|million\b|퍼센트))?'
    r'(?![A-Za-z\d])'
)
IN_CODE = re.compile(r'(?<![\w.])\d[\d_,]*\.?\d*(?:e-?\d+)?|(?<![\w.])\.\d+(?:e-?\d+)?')
LISTED = re.compile(
    '(?m)^## (?:{})\\s*$'.format('|'.join(re.escape(one.words['references']) for one in EDITIONS))
)
TIMES = {'만': 10_000, 'million': 1_000_000}


def prose(text):
    """A Markdown text's paragraphs, without what is no prose: code, formulas, links' targets,
    pictures, headings, comments, directives' own lines, the list of references."""
    text = LISTED.split(text)[0]
    text = re.sub(r'(?ms)^(`{3,})(?!\{).*?^\1\s*$', '', text)  # code blocks
    text = re.sub(r'(?m)^`{3,}.*$|^:\w+:.*$', '', text)  # directives' lines
    text = re.sub(r'(?m)^#{1,6} .*$|^\*?★.*$', '', text)  # headings, exercises' grades
    text = re.sub(r'(?s)\$\$.*?\$\$', '', text)
    text = re.sub(r'\$[^$\n]+\$', ' ', text)
    text = re.sub(r'(?:MXNet|Python|파이썬) \d[\d.]*\d', ' ', text)  # versions
    text = re.sub(r'!\[[^\]]*\]\([^)]*\)', '', text)
    text = re.sub(r'\]\([^)]*\)', ']', text)
    text = re.sub(r'\{(?!cite)[\w:-]+\}`[^`]*`', ' ', text)
    text = re.sub(r'(?<!\})`+[^`]+`+', ' ', text)
    return [part for part in re.split(r'\n\s*\n', text) if part.strip()]


def numbers(text):
    """(as written, value, decimals, is a percentage) of each number in a text."""
    for match in NUMBER.finditer(text):
        whole, fraction, unit = match.groups()
        if whole is None and fraction is None:
            continue
        value = float((whole or '0').replace(',', '') + (fraction or ''))
        decimals = len(fraction) - 1 if fraction else 0
        yield (match.group().strip(), value * TIMES.get(unit, 1), decimals, unit in ('%', '퍼센트'))


def support(book):
    """All numbers that the page's code gives or its checked outputs show."""
    texts = []
    for cell in book.cells:
        if cell.cell_type != 'code':
            continue
        texts.append(cell.source)
        if notebooks.CHECKED in cell.metadata.get('tags', []):
            for output in cell.outputs:
                texts.append(output.get('text') or output.get('data', {}).get('text/plain', ''))
    found = set()
    for text in texts:
        for match in IN_CODE.findall(text):
            try:
                found.add(float(match.rstrip('.,').replace('_', '').replace(',', '')))
            except ValueError:
                found.update(float(n) for n in re.findall(r'\d+', match))
    return found


def supported(value, decimals, percent, found):
    def near(other):
        return abs(other - value) <= 0.5 * 10.0**-decimals + 1e-9

    return any(near(other) or percent and near(100 * other) for other in found)


def claims(cell):
    """The texts of a cell that may hold numbers: prose, or what a plot's alt text says of it."""
    if cell.cell_type == 'markdown':
        return prose(cell.source)
    return list(cell.metadata.get('alt', {}).values())


def unsupported(book):
    """What the prose of a notebook claims without support, and what its plots' alt texts do."""
    found = support(book)
    for cell in book.cells:
        for paragraph in claims(cell):
            if '{cite' in paragraph:
                continue
            for written, value, decimals, percent in numbers(paragraph):
                if (
                    not percent
                    and not decimals
                    and (value <= SMALL or value in YEARS or value == 100)
                ):
                    continue
                if not supported(value, decimals, percent, found):
                    yield f'{written}  in: {" ".join(paragraph.split())[:90]}'


@pytest.mark.parametrize('edition, path', BOOKS)
def test_prose_numbers_are_on_the_page(edition, path):
    alone = list(unsupported(notebooks.read(path)))
    assert not alone, 'no checked output or code of the page supports\n  ' + '\n  '.join(alone)


@pytest.mark.parametrize('language, page', PAGES)
def test_pages_use_the_books_words(language, page):
    text = '\n'.join(prose(page_text(page)))
    wrong = [
        f'{match.group()} (the book says {entry[language]})'
        for entry in glossary.entries(str(ROOT / glossary.FILE))
        for variant in entry.get(f'{language}_avoid', [])
        for match in re.finditer(variant, text, re.IGNORECASE)
    ]
    wrong += [
        f'{match.group()} (the book says {right})'
        for variant, right in SPELLINGS.get(language, {}).items()
        for match in re.finditer(variant, text)
    ]
    assert not wrong, wrong


# Words that need no entry of the glossary but one spelling, by language.
SPELLINGS = {
    'ko': {
        r'레이어': '층',
        r'유저': '사용자',
        r'데이타': '데이터',
        r'바이어스': '편향',
        r'배치사이즈|배치 사이즈': '배치 크기',
        r'히든 레이어|숨은 층|은닉 층': '은닉층',
        r'디바이스': '장치',
        r'하이퍼파라메터|초매개변수': '하이퍼파라미터',
        r'손실함수': '손실 함수',
        r'활성화함수': '활성화 함수',
        r'가능한 최댓값|가능한 최대 ': '가능한 최선',
        r'열지도': '히트맵',
        r'교차망': '교차 네트워크',
        r'페이지': '쪽',
        r'(?<!첫)(?<!큰 )(?<!는 )(?<!몇 )(?<!한 )걸음(?! 더)': '스텝',
        r'[가-힣](?:보세요|하세요|니까요)\b': '합니다체',
    }
}


# Outputs: what the phrases say where the glossary has no entry, and a second word that is right.
SAID = {
    'ko': {
        'best possible': '가능한 최선',
        'sd': '표준편차',
        'step': '스텝',
        'bit-wise': '비트 단위',
    }
}
ALSO = {
    'ko': {
        'rank': ['순위'],  # of films; the glossary has that of a matrix
        'split': ['나누', '나눔', 'split='],  # the maps of a CIN
        'warm start': ['이어서'],  # one of the three ways of a table
    }
}


def odd_phrases(phrases, words, also):
    """The phrases that say a term in another word than the book's."""
    for term, own in words.items():
        said = re.compile(rf'(?<![A-Za-z]){re.escape(term)}(?:e?s)?(?![A-Za-z])', re.IGNORECASE)
        right = [one.replace(' ', '') for one in (own, *also.get(term, ()))]
        for phrase, told in phrases.items():
            if said.search(phrase) and not any(one in told.replace(' ', '') for one in right):
                yield f'{phrase!r}: {told!r} (the book says {own})'


@pytest.mark.parametrize('language', SAID)
def test_outputs_use_the_books_words(language):
    entries = glossary.entries(str(ROOT / glossary.FILE))
    words = {entry[BOOK.code]: entry[language] for entry in entries} | SAID[language]
    told = json.loads((FOLDER / f'{language}.json').read_text(encoding='utf-8'))
    own = {page: phrases for page, phrases in told.items() if isinstance(phrases, dict)}
    general = {phrase: text for phrase, text in told.items() if phrase not in own}
    odd = [
        one
        for given in (general, *own.values())
        for one in odd_phrases(given, words, ALSO[language])
    ]
    assert not odd, odd


def test_an_odd_phrase_is_found():
    given = {'test loss': '테스트 손실', 'two losses': '로스 둘', 'glosses': '주석', 'rank': '순위'}
    words, also = {'loss': '손실', 'rank': '랭크'}, {'rank': ['순위']}
    assert len(list(odd_phrases(given, words, also))) == 1


# --- the finders themselves


def book_of(*cells):
    """A small notebook: text, or (code, output) of a checked cell."""
    import nbformat

    made = nbformat.v4.new_notebook()
    for cell in cells:
        if isinstance(cell, str):
            made.cells.append(nbformat.v4.new_markdown_cell(cell))
        else:
            code = nbformat.v4.new_code_cell(cell[0], metadata={'tags': [notebooks.CHECKED]})
            code.outputs = [nbformat.v4.new_output('stream', name='stdout', text=cell[1])]
            made.cells.append(code)
    return made


@pytest.mark.parametrize(
    'text',
    [
        'AUC는 0.79입니다.',
        'It rose by .0123.',
        '53%가 그렇습니다.',
        'there are 944 users',
        '10만 개',
        'about 4.6 times',
        '약 45배',
    ],
)
def test_a_number_without_support_is_found(text):
    assert list(unsupported(book_of(text, ('print(auc)', 'AUC 0.81, 943 users, 1000')))), text


@pytest.mark.parametrize('language', ['ko', 'en'])
def test_a_number_of_an_alt_text_without_support_is_found(language):
    book = book_of('', ('plot(150)', ''))
    book.cells[-1].metadata['alt'] = {'ko': '벡터 150개.', 'en': '150 vectors.'}
    assert not list(unsupported(book))
    book.cells[-1].metadata['alt'][language] += ' AUC .786.'
    assert len(list(unsupported(book))) == 1


@pytest.mark.parametrize(
    'text',
    [
        'AUC는 0.81입니다.',
        'about .8',
        '81%입니다',
        '943명',
        'In 2017, ten of 12 fields',
        '$0.345$ and `0.999`',
        '{cite:t}`he2017` report 0.91',
        '## 0.55',
        'MovieLens-100K',
        '10만 개',
        '## References\n\n0.77',
        'see {doc}`fm`, {eq}`eq-1`',
        '![0.55](../x.svg)',
    ],
)
def test_a_number_with_support_passes(text):
    assert not list(unsupported(book_of(text, ('n = 100_000', 'AUC 0.8123, 943 users')))), text


@pytest.mark.parametrize(
    'term, text, found',
    [
        ('임베딩', '이 임베딩은', True),
        ('필드', '플레이필드', False),
        ('embedding', 'two Embeddings', True),
        ('field', 'midfield', False),
        ('vocabulary', 'two vocabularies', True),
        ('AUC', 'the AUC.', True),
        ('AUC', 'GAUC', False),
        ('AUC', 'AUC는', True),
    ],
)
def test_terms_are_found_in_their_forms(term, text, found):
    assert bool(glossary.pattern(term).search(text)) == found


@pytest.mark.parametrize(
    'text, found',
    [
        ('A matrix of low rank.', ['rank']),
        ('We rank the films: of what rank?', ['rank']),
        ('A parameter server has parameters.', ['parameter server', 'parameter']),
        ('The activation unit has an activation.', ['activation']),
        ('Split the work; the split decides.', ['split']),
    ],
)
def test_a_word_is_linked_where_it_means_the_term(text, found):
    terms = glossary.senses(str(ROOT / glossary.FILE), 'en')
    assert [term for _, _, term in glossary.uses(text, terms)] == found


@pytest.mark.parametrize(
    'change, says',
    [
        (lambda entry, last: [entry], None),
        (lambda entry, last: [{**entry, f'{last}_text': ''}], 'has no .*_text'),
        (lambda entry, last: [{**entry, last: ''}], 'has no'),
        (lambda entry, last: [{**entry, 'taught': ''}], 'has no taught'),
        (lambda entry, last: [entry, {**entry, last: 'another'}], 'twice'),
    ],
)
def test_a_bad_entry_is_refused(tmp_path, change, says):
    path = tmp_path / 'glossary.yml'
    languages = [edition.language for edition in EDITIONS]
    entry = {key: key for one in languages for key in (one, f'{one}_text')} | {'taught': 'fm'}
    entries = change(entry, BOOK.editions[-1].language)
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding='utf-8')
    if says is None:
        assert glossary.entries(str(path)) == entries
    else:
        with pytest.raises(ValueError, match=says):
            glossary.entries(str(path))
