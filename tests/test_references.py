"""What a text refers to: each paper can be found by DOI or arXiv id and is cited where its chapter
lists it; each figure of a chapter is named by its number where the text reads it."""

import re

import nbformat
import notebooks
import pytest
from d2lrec_site import figures
from pages import BOOKS, markdown, page_text
from pybtex.database import parse_file

from chapters import EDITIONS, ROOT

PAPERS = parse_file(ROOT / 'chapters' / 'references.bib').entries
CITED = re.compile(r'\{cite(?::\w+)?\}`([^`]+)`')


def cited(text):
    return {key.strip() for keys in CITED.findall(text) for key in keys.split(',')}


@pytest.mark.parametrize('key', PAPERS)
def test_a_paper_has_what_finds_it(key):
    fields = PAPERS[key].fields
    found = [
        # numbers under 10.5555 look like a DOI, but nobody registers them: they lead nowhere
        re.fullmatch(r'10\.(?!5555/)\d{4,}/\S+', fields.get('doi', '')),
        re.fullmatch(r'\d{4}\.\d{4,5}', fields.get('eprint', ''))
        and fields.get('archivePrefix') == 'arXiv',
        re.fullmatch(r'https://\S+', fields.get('url', '')),
    ]
    assert any(found) and bool(found[0]) == ('doi' in fields), 'give a DOI, an arXiv id or a page'
    assert fields.get('title') and re.fullmatch(r'\d{4}', fields.get('year', ''))
    assert PAPERS[key].persons.get('author')


def test_no_paper_is_there_twice():
    for field in ('doi', 'eprint'):
        given = [e.fields[field].lower() for e in PAPERS.values() if field in e.fields]
        assert len(given) == len(set(given))


@pytest.mark.parametrize('edition, path', BOOKS)
def test_a_chapter_lists_what_it_cites(edition, path):
    text = page_text(path)
    heading = f'## {edition.words["references"]}'
    parts = re.split(rf'(?m)^{re.escape(heading)}\s*$', text)
    assert len(parts) == 2, f'the chapter has no list of its papers: end it with {heading}'
    body, references = parts
    assert cited(references), f'no paper under {heading}'
    assert cited(text) <= set(PAPERS), 'not in chapters/references.bib'
    assert cited(body) <= cited(references), 'cited, but not in the list'
    assert all(
        CITED.search(line) for line in references.strip().splitlines() if line.startswith('- ')
    )


def test_every_paper_is_cited():
    pages = (ROOT / page for edition in EDITIONS for page in edition.pages)
    assert set(PAPERS) == set().union(*(cited(page_text(page)) for page in pages))


def shown(book, page):
    """The names of a chapter's figures: drawings of its text, plots of its cells."""
    for cell in book.cells:
        if cell.cell_type == 'code':
            if cell.metadata.get('alt'):
                yield f'fig-{cell.id}'
        else:
            for address in re.findall(r'!\[[^\]]*\]\(([^)]*)\)', cell.source):
                yield figures.name_of(address, page)


@pytest.mark.parametrize('edition, path', BOOKS)
def test_each_figure_is_named_by_its_number(edition, path):
    book = notebooks.read(path)
    named = set(re.findall(r'\{numref\}`([^`]+)`', markdown(book)))
    unread = [name for name in shown(book, path.stem) if name and name not in named]
    assert not unread, f'let the sentence that reads it say {{numref}}`{unread[0]}`: {unread}'


def test_figures_of_text_and_cells_are_found():
    new = nbformat.v4
    book = new.new_notebook()
    book.cells = [
        new.new_markdown_cell('![A map.](../../img/map.svg)\n\n![By hand.](photo.png)'),
        new.new_code_cell('plt.show()', id='curve', metadata={'alt': {'en': 'A curve.'}}),
        new.new_code_cell('1 + 1', id='sum'),
    ]
    assert [name for name in shown(book, 'fm') if name] == ['fig-fm-map', 'fig-curve']
