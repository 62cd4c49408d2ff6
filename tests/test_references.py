"""The papers: each can be found by DOI or arXiv id, each is cited, each chapter names its own."""

import re

import pytest
from pages import BOOKS, page_text
from pybtex.database import parse_file

from chapters import EDITIONS, ROOT

PAPERS = parse_file(ROOT / 'chapters' / 'references.bib').entries
CITED = re.compile(r'\{cite(?::\w+)?\}`([^`]+)`')


def cited(text):
    return {key.strip() for keys in CITED.findall(text) for key in keys.split(',')}


@pytest.mark.parametrize('key', PAPERS)
def test_a_paper_has_what_finds_it(key):
    fields = PAPERS[key].fields
    assert re.fullmatch(r'10\.\d{4,}/\S+', fields.get('doi', '')) or (
        re.fullmatch(r'\d{4}\.\d{4,5}', fields.get('eprint', ''))
        and fields.get('archivePrefix') == 'arXiv'
    ), 'give a DOI or an arXiv id'
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
