"""The notebooks that run alone: nothing in them needs another file or a special viewer."""

import io
import json
import re
import subprocess
import sys
import zipfile

import export
import nbformat
import pytest
from d2lrec_site import addresses

from chapters import BOOK, EDITIONS, ROOT

PNG = 'data:image/png;base64,iVBORw0KGgo='
KNOWN = {'smith2020': ('Smith et al.', '2020', 'https://doi.org/10.1/1')}


class NoPictures:
    """In the place of `export.Pictures`: every drawing is one and the same."""

    def address(self, svg):
        assert 'var(' not in svg and 'switch' not in svg
        return PNG


@pytest.fixture(scope='module')
def exported():
    """{(language, name): exported notebook}."""
    return {
        (edition.language, name): book
        for edition, name, book in export.pages(pictures=NoPictures(), site='')
    }


def texts(book):
    """The text cells without what is code in them."""
    return [
        re.sub(r'```.*?```|`[^`\n]+`', '', cell.source, flags=re.DOTALL)
        for cell in book.cells
        if cell.cell_type == 'markdown'
    ]


def test_every_chapter_of_every_edition_is_exported(exported):
    wanted = {(one.language, path.name) for one in EDITIONS for path in one.notebooks}
    assert set(exported) == wanted
    for book in exported.values():
        nbformat.validate(book)
        ids = [cell.id for cell in book.cells]
        assert len(ids) == len(set(ids))


def test_links_and_pictures_lead_out_of_the_notebook_or_are_in_it(exported):
    for name, book in exported.items():
        for text in texts(book):
            for picture, target in re.findall(r'(!?)\[[^\]]*\]\(([^)]*)\)', text):
                assert target.startswith('data:image/' if picture else 'https://'), (name, target)
            assert not re.search(r'<(img|a) ', text), name


def test_no_markup_of_the_book_is_left(exported):
    left = re.compile(r'\{[\w:-]+\}`|^\s*(`{3,}|:{3,})\{|^:\w+:|\$\$\s*\([\w-]+\)$|^\([\w-]+\)=$')
    for name, book in exported.items():
        for cell in book.cells:
            if cell.cell_type == 'markdown':
                for line in cell.source.split('\n'):
                    assert not left.search(line), (name, line)


def test_the_first_cell_sets_up_and_names_the_address_of_pyproject(exported):
    for book in exported.values():
        assert book.cells[0].cell_type == 'code'
        assert f'git+{addresses.REPOSITORY}' in book.cells[0].source
        assert "'--no-deps', 'mxnet==1.9.1'" in book.cells[0].source
        assert 'import d2lrec.compat' in book.cells[0].source
    assert addresses.REPOSITORY.startswith('https://')


def test_the_set_up_installs_nothing_where_all_is_there():
    code = export.SETUP.format(repository='nowhere').replace('check_call', 'no_such_function')
    exec(compile(code, 'setup', 'exec'), {})


def test_code_and_checked_outputs_are_those_of_the_chapters(exported):
    for edition in EDITIONS:
        for path in edition.notebooks:
            book = exported[edition.language, path.name]
            made = {cell.id: cell for cell in book.cells}
            for cell in nbformat.read(path, as_version=4).cells:
                if cell.cell_type == 'code':
                    assert made[cell.id].source == cell.source
                    outputs = made[cell.id].outputs
                    assert [one.output_type for one in outputs] == [
                        one.output_type for one in cell.outputs
                    ]
                    if edition.language == 'en':
                        assert outputs == cell.outputs


def test_kept_outputs_are_told_in_the_notebooks_language(exported):
    cell = next(
        one for one in exported['ko', 'first_steps.ipynb'].cells if 'by_hand.append' in one.source
    )
    assert cell.outputs[0].text.startswith('에폭 1: 학습 손실')


def test_twins_have_the_same_code(exported):
    first, *others = (one.language for one in EDITIONS)
    for (language, name), book in exported.items():
        if language == first:
            for other in others:
                codes = [
                    [(c.id, c.source) for c in one.cells if c.cell_type == 'code']
                    for one in (book, exported[other, name])
                ]
                assert codes[0] == codes[1], name


def test_a_solution_stands_under_a_heading_that_folds(exported):
    for book in exported.values():
        heads = [n for n, cell in enumerate(book.cells) if cell.metadata.get('heading_collapsed')]
        assert len(heads) >= 3
        for at in heads:
            assert re.fullmatch(r'#### .+', book.cells[at].source)
            before = [cell.source for cell in book.cells[:at] if cell.cell_type == 'markdown']
            assert any(source.startswith('### ') for source in before[-2:]), 'its exercise'
            assert not book.cells[at - 1].source, 'a cell to answer in'


def one_page(tmp_path, *sources, site='', language='en'):
    """The text cells that a chapter of these text cells becomes."""
    path = tmp_path / 'one.ipynb'
    cells = [nbformat.v4.new_markdown_cell(source, id=f'c{n}') for n, source in enumerate(sources)]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding='utf-8')
    edition = BOOK.of(language)
    page = export.Page(edition, path, NoPictures(), KNOWN, site)
    return [cell.source for cell in page.export().cells if cell.cell_type == 'markdown']


def test_roles_become_text(tmp_path):
    (tmp_path / 'two.md').write_text('(x)=\n# The second\n')
    said = one_page(
        tmp_path,
        '$$a$$ (eq-a)\n\n$$\nb\n$$ (eq-b)',
        'By {eq}`eq-b`, `code {eq}` and {cite:t}`smith2020` {cite:p}`smith2020`; see {doc}`two` '
        'or {doc}`there <two>`.\n\n```python\n{eq}`kept`\n```',
    )
    assert said[0] == '$$a\\tag{1}$$\n\n$$\nb\n\\tag{2}$$'
    assert said[1].startswith(
        'By (2), `code {eq}` and [Smith et al. (2020)](https://doi.org/10.1/1) '
        '([Smith et al., 2020](https://doi.org/10.1/1)); see **The second** or **there**.'
    )
    assert said[1].endswith('```python\n{eq}`kept`\n```')
    (link,) = one_page(tmp_path, '{doc}`two`', site='https://x.org')
    assert link == '[The second](https://x.org/en/chapters/en/two.html)'


def test_numbers_are_written_as_on_the_page(tmp_path):
    source = 'From .787 to $-.5$, and `lr=.01`.\n\n```{note}\n.3\n```\n\n```python\n.2\n```'
    korean, english = (one_page(tmp_path, source, language=one) for one in ('ko', 'en'))
    assert english == [source.replace('```{note}\n.3\n```', '\n> .3\n')]
    for before, after in (('.787', '0.787'), ('-.5', '-0.5'), ('> .3', '> 0.3')):
        english[0] = english[0].replace(before, after)
    assert korean == english  # code stays


def test_what_a_cell_printed_stands_as_on_the_page():
    path = BOOK.of('ko').root / BOOK.of('ko').chapters / 'autorec.ipynb'
    page = export.Page(BOOK.of('ko'), path, NoPictures(), KNOWN)
    printed = nbformat.v4.new_output('stream', text='loops   [ 1.9]\nlibrary [-1.2]\n')
    assert page.told(printed).text == '반복문     [ 1.9]\n라이브러리 [-1.2]\n'


def test_directives_become_headings_and_quotes(tmp_path):
    said = one_page(
        tmp_path,
        'Before\n\n```{exercise} Title $x$\n:label: ex\n\nDo it.\n```\n\n'
        '```{solution-start} ex\n:class: dropdown\n```\n\nDone.',
        '```{solution-end}\n```\n\n:::{note} Mind\nthe gap\n:::',
    )
    assert said == [
        'Before',
        '### Exercise 1: Title $x$\n\nDo it.',
        '#### Solution to exercise 1',
        'Done.',
        '> **Mind**\n>\n> the gap',
    ]


@pytest.mark.parametrize(
    'source', ['{unknown}`x`', '```{figure} x\n```', '{eq}`nothing`', '![x](x.png)', '```{note}\nx']
)
def test_what_has_no_plain_form_is_refused_in_one_sentence(tmp_path, source):
    with pytest.raises(ValueError, match='has no plain form') as refusal:
        one_page(tmp_path, source)
    assert '\n' not in str(refusal.value)


def test_a_zip_holds_an_editions_notebooks(tmp_path):
    first, second = (
        [path.read_bytes() for path in export.write(out=tmp_path / name, pictures=NoPictures())]
        for name in ('a', 'b')
    )
    assert first == second, 'the same chapters give the same files'
    for edition in EDITIONS:
        names = zipfile.ZipFile(tmp_path / 'a' / f'd2lrec-{edition.language}.zip').namelist()
        assert len(names) == len(edition.notebooks)
        # in a folder named by the language, from which the checks take theirs
        assert all(name.split('/')[-2] == edition.language for name in names)


def test_every_edition_has_the_words_of_its_notebooks():
    keys = {one.language: sorted(one.words['notebook']) for one in EDITIONS}
    assert len(set(map(tuple, keys.values()))) == 1, keys
    for edition in EDITIONS:
        assert '{}' in edition.words['notebook']['exercise']
        assert '{}' in edition.words['notebook']['solution']


def test_launchers_are_for_github_alone(monkeypatch):
    monkeypatch.setattr(addresses, 'REPOSITORY', 'https://github.com/one/two')
    assert addresses.launchers('ko', 'fm.ipynb') == {
        'colab': 'https://colab.research.google.com/github/one/two/blob/notebooks/ko/fm.ipynb',
        'binder': 'https://mybinder.org/v2/gh/one/two/notebooks?labpath=ko%2Ffm.ipynb',
    }
    monkeypatch.setattr(addresses, 'REPOSITORY', 'https://example.org/one/two')
    assert addresses.launchers('ko', 'fm.ipynb') == {}


def test_binder_installs_what_the_set_up_cell_would():
    wanted = (ROOT / '.binder' / 'requirements.txt').read_text(encoding='utf-8')
    assert f'd2lrec @ git+{addresses.REPOSITORY}\n' in wanted
    assert '--no-deps mxnet==1.9.1' in (ROOT / '.binder' / 'postBuild').read_text(encoding='utf-8')


@pytest.mark.slow
def test_a_notebook_runs_alone(exported, tmp_path):
    """The one that trains least, in an empty folder, in this environment."""
    path = tmp_path / 'data.ipynb'
    path.write_text(nbformat.writes(exported['en', path.name]), encoding='utf-8')
    code = (
        'import sys, nbformat; from nbclient import NotebookClient; '
        'book = nbformat.read(sys.argv[1], as_version=4); '
        "NotebookClient(book, timeout=None, kernel_name='python3').execute(); "
        'nbformat.write(book, sys.argv[1])'
    )
    subprocess.run([sys.executable, '-c', code, str(path)], cwd=tmp_path, check=True)
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    outputs = [one for cell in cells for one in cell.get('outputs', [])]
    lines = [one for one in outputs if one.get('name') == 'stderr']
    assert outputs and not [one for one in outputs if one['output_type'] == 'error']
    assert len(lines) < 100, 'the progress fills the notebook'


def test_a_pdf_without_the_site_is_refused_in_one_sentence(tmp_path):
    import pdf

    with pytest.raises(SystemExit, match='run make book first') as refusal:
        pdf.tools(tmp_path)
    assert '\n' not in str(refusal.value)


def test_a_pdf_s_links_lead_to_the_page_of_their_own_chapter(browser):
    """Each chapter has its own `summary`; a link goes to its own, or to the one it names."""
    import pdf

    pypdf = pytest.importorskip('pypdf')
    inside = f'{pdf.INSIDE}/en'
    pages = {
        '/en/a.html': f'<a href="#summary">own</a> <a href="{inside}/b.html#summary">other</a>'
        f'<a href="{inside}/b.html">top</a> <a href="{inside}/gone.html">gone</a>',
        '/en/b.html': '<a href="#summary">own</a> <a href="https://example.org/">away</a>',
    }
    parts, page = [], browser.new_page()
    for path, links in pages.items():
        far = '<p style="break-before: page" id="summary">here</p>'
        page.set_content(f'<title>{path}</title><h1>top</h1>{links}{far}')
        parts.append((path, path[4], page.pdf(format='A4')))
    page.close()
    book = pdf.bound(pypdf, parts)
    pdf.numbered(pypdf, book, browser)
    kept = io.BytesIO()
    book.write(kept)
    read = pypdf.PdfReader(kept)
    numbers = {page.indirect_reference.idnum: n for n, page in enumerate(read.pages)}
    found = []
    for page in read.pages:
        for link in page.get('/Annots') or []:
            place = link.get_object().get('/Dest')
            address = (link.get_object().get('/A') or {}).get('/URI')
            found.append(address if place is None else numbers[list.__getitem__(place, 0).idnum])
    assert found == [1, 3, 2, None, 3, 'https://example.org/']
    assert [mark.title for mark in read.outline] == ['a', 'b']
    assert [page.extract_text().split()[-1] for page in read.pages] == ['gone', '2', '3', '4']
