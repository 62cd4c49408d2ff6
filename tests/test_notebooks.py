"""The chapters as committed (twins, clean), as executed, and the tool that keeps them so."""

import copy
import json
import re
import shutil

import nbformat
import notebooks
import pytest
from d2lrec_site import cache_key, editions
from jupyter_cache import get_cache
from pages import BOOKS, page_text

from chapters import EDITIONS, ROOT

FIRST, *OTHERS = EDITIONS
LANGUAGES = [edition.language for edition in EDITIONS]
CHAPTERS = [pytest.param(path, id=path.stem) for path in FIRST.notebooks]
TWINS = [
    pytest.param(
        path, edition.root / edition.chapters / path.name, id=f'{edition.language}-{path.stem}'
    )
    for edition in OTHERS
    for path in FIRST.notebooks
]
TWIN_PAGES = [
    pytest.param(ROOT / page, ROOT / FIRST.page_in(edition, page), id=FIRST.page_in(edition, page))
    for edition in OTHERS
    for page in FIRST.pages
]


def headings(text):
    """Levels of the headings of a Markdown text, outside code."""
    text = re.sub(r'^(`{3,}|~{3,}).*?^\1', '', text, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r'^(#{1,6}) ', text, flags=re.MULTILINE)]


def directives(text):
    """MyST directives, labels and targets of a Markdown text, in order."""
    return re.findall(
        r'^(?:`{3,}|:{3,})(\{[\w:-]+\})|^:(?:label|name): *(\S+)'
        r'|^\((\S+)\)=|^\$\$ *\((\S+)\)',
        text,
        flags=re.MULTILINE,
    )


def files(edition):
    """What an edition's folder holds, without what editors leave."""
    folder = edition.root / edition.chapters
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*')
        if path.is_file() and '.ipynb_checkpoints' not in path.parts
    )


def hold_same_cells(one, other):
    """Twins have the same cells: ids, kinds and, of code, everything."""
    one, other = notebooks.read(one), notebooks.read(other)
    assert [c.cell_type for c in one.cells] == [c.cell_type for c in other.cells]
    assert [c.get('id') for c in one.cells] == [c.get('id') for c in other.cells], (
        'twins share ids: run make notebooks'
    )
    for mine, its in zip(one.cells, other.cells):
        assert mine.cell_type != 'code' or mine == its


def hold_same_structure(one, other):
    """Twins have the same headings, directives and labels."""
    texts = [page_text(path) for path in (one, other)]
    assert headings(texts[0]) == headings(texts[1])
    assert headings(texts[0])[0] == 1 and headings(texts[0]).count(1) == 1
    assert directives(texts[0]) == directives(texts[1])


def is_clean(path):
    """A notebook is valid and holds nothing that the next run changes."""
    book = notebooks.read(path)
    nbformat.validate(book)
    ids = [cell.get('id') for cell in book.cells]
    assert all(ids) and len(set(ids)) == len(ids), 'run make notebooks'
    assert notebooks.strip(book) == book, 'run make notebooks'
    assert 'image/' not in path.read_text(encoding='utf-8')
    checked = [c for c in book.cells if notebooks.CHECKED in c.metadata.get('tags', [])]
    assert checked and all(c.outputs for c in checked), 'a checked cell prints nothing'


def test_editions_hold_the_same_files():
    for edition in OTHERS:
        assert files(edition) == files(FIRST), edition.language


@pytest.mark.parametrize('edition', EDITIONS, ids=LANGUAGES)
def test_every_page_is_in_the_contents(edition):
    pages = {f'{edition.chapters}/{name}' for name in files(edition)}
    pages = {name.rpartition('.')[0] for name in pages if name.endswith(('.ipynb', '.md'))}
    assert pages - set(edition.pages) == set(), 'not in book.yml'
    assert set(edition.pages) - pages == set(), 'in book.yml, but there is no such file'
    assert len(edition.pages) == len(set(edition.pages)), 'twice in book.yml'


@pytest.mark.parametrize('one, other', TWINS)
def test_twins_have_the_same_cells(one, other):
    hold_same_cells(one, other)


@pytest.mark.parametrize('one, other', TWIN_PAGES)
def test_twins_have_the_same_structure(one, other):
    hold_same_structure(one, other)


@pytest.mark.parametrize('edition, path', BOOKS)
def test_committed_notebooks_are_clean(edition, path):
    is_clean(path)


@pytest.fixture
def copied(tmp_path):
    """The book's table and pages in a temporary folder, twins in order."""
    shutil.copy(ROOT / editions.TABLE, tmp_path)
    for edition in EDITIONS:
        shutil.copytree(ROOT / edition.chapters, tmp_path / edition.chapters)
    book = editions.read(tmp_path)
    for path in book.editions[0].notebooks:
        model = notebooks.strip(notebooks.read(path), path.name)
        for other in book.others(book.editions[0]):
            twin = tmp_path / other.chapters / path.name
            notebooks.save(notebooks.carry(model, notebooks.read(twin), path.name), twin)
    return book


@pytest.mark.parametrize('edition', range(len(EDITIONS)), ids=LANGUAGES)
def test_a_sentence_can_be_mended_without_running_anything(copied, edition, tmp_path):
    """A line of the file's JSON is changed, as a forge's web editor does, and nothing else."""
    path = copied.editions[edition].notebooks[-1]
    text = path.read_text(encoding='utf-8')
    before = notebooks.read(path)
    first = next(c for c in before.cells if c.cell_type == 'markdown')
    sentence = next(line for line in first.source.splitlines() if len(line) > 60)
    line = json.dumps(sentence, ensure_ascii=False)[1:-1]
    assert text.count(line) == 1
    path.write_text(text.replace(line, line + ' Mended.'), encoding='utf-8')
    after = notebooks.read(path)
    assert 'Mended.' in page_text(path) and after != before

    is_clean(path)
    notebooks.main(['--check'], copied)
    for other in copied.others(copied.editions[edition]):
        twin = tmp_path / other.chapters / path.name
        hold_same_cells(path, twin)
        hold_same_structure(path, twin)
    assert [c.id for c in after.cells] == [c.id for c in before.cells]
    # the outputs of the last run are still those of this code
    kept = get_cache(tmp_path / 'cache')
    assert kept.create_hashed_notebook(before)[1] == kept.create_hashed_notebook(after)[1]


def cache():
    """The executed chapters, as the build keeps them."""
    folder = cache_key.cache_folder(ROOT)
    if not folder.exists():
        pytest.skip('chapters not executed: run make book')
    return get_cache(folder)


def executed(path):
    """The chapter with its outputs."""
    _, book = cache().merge_match_into_notebook(notebooks.read(path))
    return book


@pytest.mark.site
@pytest.mark.parametrize('path', CHAPTERS)
def test_every_plot_has_alt_text_in_every_language(path):
    for number, cell in enumerate(executed(path).cells):
        if cell.cell_type != 'code':
            continue
        images = [
            kind
            for output in cell.outputs
            for kind in output.get('data', {})
            if kind.startswith('image/')
        ]
        alt = cell.metadata.get('alt')
        assert bool(images) == bool(alt), f'cell {number}: images {images}, alt text {alt}'
        if alt:
            assert sorted(alt) == sorted(LANGUAGES), f'cell {number}'
            assert all(text.strip() for text in alt.values())
            for edition in EDITIONS:
                letters = edition.words.get('letters')
                mine = [one for one, text in alt.items() if letters and re.search(letters, text)]
                assert mine == ([edition.language] if letters else []), f'cell {number}'
        # a cell that asks for a plot must show one, or the first figure was lost
        elif re.search(r'plt\.(plot|show|subplots)|\.plot\(', cell.source):
            assert re.search(r'^\s*def ', cell.source, flags=re.MULTILINE), f'cell {number}'


@pytest.mark.site
@pytest.mark.parametrize('path', CHAPTERS)
def test_twins_share_one_execution(path):
    kept = cache()
    keys = {
        kept.match_cache_file(edition.root / edition.chapters / path.name).pk
        for edition in EDITIONS
    }
    assert len(keys) == 1


@pytest.mark.site
@pytest.mark.parametrize('path', CHAPTERS)
def test_a_check_says_that_a_solution_is_right(path):
    said = [
        text
        for cell in executed(path).cells
        if cell.cell_type == 'code'
        for output in cell.outputs
        for text in [output.get('data', {}).get('text/html', '')]
        if 'd2l-check' in text
    ]
    assert any('data-passed="true"' in text for text in said), 'no solution is checked'
    # what the last call of a cell says stands on the page: a wrong answer only where it is shown
    # on purpose, beside the right one
    assert sum('data-passed="false"' in text for text in said) < len(said)


@pytest.mark.parametrize('path', CHAPTERS)
def test_every_exercise_has_a_solution(path):
    text = page_text(path)
    labels = re.findall(r'\{exercise(?:-start)?\}[^\n]*\n:label: *(\S+)', text)
    solved = re.findall(r'\{solution(?:-start)?\} *(\S+)\n:class: dropdown', text)
    assert len(labels) >= 3 and sorted(labels) == sorted(solved)
    assert text.count('{solution-start}') == text.count('{solution-end}')


# --- the tool, on small notebooks


def stream(text, name='stdout'):
    return nbformat.v4.new_output('stream', name=name, text=text)


def shown(**data):
    return nbformat.v4.new_output(
        'display_data', data={key.replace('_', '/'): value for key, value in data.items()}
    )


def book(*cells):
    """A notebook of (kind, source, tags, outputs) cells with what editors leave behind."""
    made = nbformat.v4.new_notebook(metadata={'widgets': {'state': {}}, 'toc': {}})
    for kind, source, tags, outputs in cells:
        new = nbformat.v4.new_code_cell if kind == 'code' else nbformat.v4.new_markdown_cell
        cell = new(
            source,
            metadata={'tags': tags, 'execution': {'iopub': 'now'}} if tags else {'scrolled': True},
        )
        if kind == 'code':
            cell.outputs, cell.execution_count = outputs, 7
        made.cells.append(cell)
    return made


TAGGED = [notebooks.CHECKED]


def test_strip_keeps_checked_text_only():
    result = nbformat.v4.new_output('execute_result', data={'text/plain': '3'}, execution_count=5)
    dirty = book(
        ('markdown', '# 제목', [], []),
        (
            'code',
            'print(1)',
            TAGGED,
            [stream('1\n'), stream('bar', 'stderr'), stream('2\n'), result],
        ),
        ('code', 'plot()', [], [shown(image_png='x')]),
        ('code', 'plot()', [], []),
    )
    before = copy.deepcopy(dirty)
    clean = notebooks.strip(dirty)
    assert dirty == before
    assert [o.get('text') or o.data['text/plain'] for o in clean.cells[1].outputs] == [
        '1\n2\n',
        '3',
    ]
    assert [c.execution_count for c in clean.cells[1:]] == [1, None, None]
    assert clean.cells[1].outputs[1].execution_count == 1
    assert clean.cells[2].outputs == []
    assert clean.metadata == notebooks.NOTEBOOK_METADATA
    assert clean.cells[1].metadata == {'tags': TAGGED} and clean.cells[0].metadata == {}
    assert [c.id for c in clean.cells] == [c.id for c in dirty.cells]
    assert notebooks.strip(clean) == clean
    nbformat.validate(clean)


def test_an_id_stays_and_one_is_made_where_none_is_good():
    dirty = book(*[('code', 'plot()', [], [])] * 4)
    kept, twice, missing, bad = dirty.cells
    kept.id = twice.id = 'plot'
    del missing['id']
    bad.id = 'no id'
    clean = notebooks.strip(dirty)
    ids = [c.id for c in clean.cells]
    assert ids[0] == 'plot' and len(set(ids)) == 4
    nbformat.validate(clean)
    assert notebooks.strip(clean) == clean == notebooks.strip(dirty)  # and always the same ones
    clean.cells[2].source = 'draw()'
    assert [c.id for c in notebooks.strip(clean).cells] == ids


@pytest.mark.parametrize(
    'output, says',
    [
        (shown(image_png='x', text_plain='<Figure>'), 'image/png'),
        (nbformat.v4.new_output('error', ename='KeyError', evalue='', traceback=[]), 'KeyError'),
    ],
)
def test_strip_refuses_what_cannot_be_compared(output, says):
    with pytest.raises(ValueError, match=says) as refusal:
        notebooks.strip(book(('code', 'x', TAGGED, [output])), 'fm.ipynb')
    assert 'fm.ipynb, cell 0' in str(refusal.value) and '\n' not in str(refusal.value)


def test_carry_takes_code_and_ids_and_leaves_prose():
    ko = notebooks.strip(
        book(('markdown', '안녕', [], []), ('code', 'a = 2', TAGGED, [stream('2\n')]))
    )
    en = book(('markdown', 'Hello', [], []), ('code', 'a = 1', [], [stream('1\n')]))
    made = notebooks.carry(ko, en)
    assert made.cells[0].source == 'Hello' and made.cells[1] == ko.cells[1]
    assert [c.id for c in made.cells] == [c.id for c in ko.cells]
    assert notebooks.carry(ko, made) == made


def twins():
    first = notebooks.strip(
        book(('markdown', '하나', [], []), ('code', 'a', [], []), ('markdown', '둘', [], []))
    )
    second = book(('markdown', 'one', [], []), ('code', 'a', [], []), ('markdown', 'two', [], []))
    return first, notebooks.carry(first, second)


def test_carry_finds_a_text_by_its_id():
    first, second = twins()
    first.cells.insert(1, nbformat.v4.new_code_cell('new'))
    first.cells.append(first.cells.pop(0))
    del first.cells[1]
    made = notebooks.carry(first, second)
    assert [c.source for c in made.cells] == ['new', 'two', 'one']
    assert [c.id for c in made.cells] == [c.id for c in first.cells]


def test_carry_says_which_text_is_missing_or_left_over():
    first, second = twins()
    first.cells.append(nbformat.v4.new_markdown_cell('셋', id='third'))
    with pytest.raises(ValueError, match='cell 3 .id third. has no text') as refusal:
        notebooks.carry(first, second, 'fm.ipynb')
    assert '\n' not in str(refusal.value) and 'fm.ipynb' in str(refusal.value)
    del first.cells[2:]
    with pytest.raises(ValueError, match=f'has no cell {second.cells[2].id}') as refusal:
        notebooks.carry(first, second, 'fm.ipynb')
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'en, at',
    [
        ([('markdown', 'b', [], []), ('markdown', 'a', [], [])], 1),
        ([('markdown', 'b', [], [])], 1),
        ([('code', 'a', [], []), ('markdown', 'b', [], [])], 0),
    ],
)
def test_carry_refuses_other_cells(en, at):
    ko = book(('markdown', '안녕', [], []), ('code', 'a', [], []))
    with pytest.raises(ValueError, match=f'cell {at} on') as refusal:
        notebooks.carry(ko, book(*en), 'fm.ipynb')
    assert '\n' not in str(refusal.value)


def test_save_writes_only_what_changed(tmp_path, capsys):
    path = tmp_path / 'fm.ipynb'
    clean = notebooks.strip(book(('markdown', '# 제목', [], [])))
    notebooks.save(clean, path)
    assert 'written' in capsys.readouterr().out and '제목' in path.read_text(encoding='utf-8')
    stamp = path.stat().st_mtime_ns
    notebooks.save(notebooks.read(path), path)
    assert path.stat().st_mtime_ns == stamp and capsys.readouterr().out == ''
