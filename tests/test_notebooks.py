"""The chapters as committed (twins, clean), as executed, and the tool that keeps them so."""

import copy
import re

import nbformat
import notebooks
import pytest
from d2lrec_site import cache_key
from jupyter_cache import get_cache
from pages import page_text

from chapters import ROOT, toc_files, toc_notebooks

KO = toc_notebooks('ko')
EN = {path.name: path for path in toc_notebooks('en')}
PAIRS = [pytest.param(path, EN.get(path.name), id=path.stem) for path in KO]


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


def test_editions_hold_the_same_files():
    names = [
        sorted(
            p.relative_to(ROOT / 'chapters' / language).as_posix()
            for p in (ROOT / 'chapters' / language).rglob('*')
            if p.is_file() and '.ipynb_checkpoints' not in p.parts
        )
        for language in ('ko', 'en')
    ]
    assert names[0] == names[1]
    assert KO and sorted(EN) == sorted(path.name for path in KO)


@pytest.mark.parametrize('ko, en', PAIRS)
def test_twins_have_the_same_cells(ko, en):
    ko, en = notebooks.read(ko), notebooks.read(en)
    assert [c.cell_type for c in ko.cells] == [c.cell_type for c in en.cells]
    for one, other in zip(ko.cells, en.cells):
        if one.cell_type == 'code':
            assert one == other


@pytest.mark.parametrize(
    'ko, en',
    [
        pytest.param(*(ROOT / page for page in pair), id=pair[0].rpartition('/')[2])
        for pair in zip(toc_files('ko'), toc_files('en'))
    ],
)
def test_twins_have_the_same_structure(ko, en):
    texts = [page_text(path) for path in (ko, en)]
    assert headings(texts[0]) == headings(texts[1])
    assert headings(texts[0])[0] == 1 and headings(texts[0]).count(1) == 1
    assert directives(texts[0]) == directives(texts[1])


@pytest.mark.parametrize('path', [*KO, *EN.values()], ids=lambda p: f'{p.parent.name}-{p.stem}')
def test_committed_notebooks_are_clean(path):
    book = notebooks.read(path)
    nbformat.validate(book)
    assert notebooks.strip(book) == book, 'run make notebooks'
    assert 'image/' not in path.read_text(encoding='utf-8')
    checked = [c for c in book.cells if notebooks.CHECKED in c.metadata.get('tags', [])]
    assert checked and all(c.outputs for c in checked), 'a checked cell prints nothing'


def executed(path):
    """The chapter with its outputs, from the cache that the build filled."""
    folder = cache_key.cache_folder(ROOT)
    if not folder.exists():
        pytest.skip('chapters not executed: run make book')
    _, book = get_cache(folder).merge_match_into_notebook(notebooks.read(path))
    return book


@pytest.mark.site
@pytest.mark.parametrize('path', KO, ids=lambda p: p.stem)
def test_every_plot_has_alt_text_in_both_languages(path):
    drawn = 0
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
            drawn += 1
            assert sorted(alt) == ['en', 'ko'] and all(text.strip() for text in alt.values())
            assert re.search('[가-힣]', alt['ko']) and not re.search('[가-힣]', alt['en'])
        # a cell that asks for a plot must show one, or the first figure was lost
        elif re.search(r'plt\.(plot|show|subplots)|\.plot\(', cell.source):
            assert re.search(r'^\s*def ', cell.source, flags=re.MULTILINE), f'cell {number}'
    assert drawn > 0


@pytest.mark.site
@pytest.mark.parametrize('path', KO, ids=lambda p: p.stem)
def test_twins_share_one_execution(path):
    cache = get_cache(cache_key.cache_folder(ROOT))
    assert cache.match_cache_file(path).pk == cache.match_cache_file(EN[path.name]).pk


@pytest.mark.site
@pytest.mark.parametrize('path', KO, ids=lambda p: p.stem)
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


@pytest.mark.parametrize('path', KO, ids=lambda p: p.stem)
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
    ids = [c.id for c in clean.cells]
    assert len(set(ids)) == 4 and ids[3] == f'{ids[2]}-2'
    assert notebooks.strip(clean) == clean
    nbformat.validate(clean)


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


def test_carry_takes_code_and_leaves_prose():
    ko = notebooks.strip(
        book(('markdown', '안녕', [], []), ('code', 'a = 2', TAGGED, [stream('2\n')]))
    )
    en = book(('markdown', 'Hello', [], []), ('code', 'a = 1', [], [stream('1\n')]))
    made = notebooks.carry(ko, en)
    assert made.cells[0].source == 'Hello' and made.cells[1] == ko.cells[1]
    assert notebooks.carry(ko, made) == made


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
