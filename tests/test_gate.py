"""What a change must pass and must not forget: style, one table of editions, no loose end."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import editions as writer
import nbformat
import pytest
import run_tests
import yaml
from d2lrec_site import editions
from pages import page_text

from chapters import BOOK, EDITIONS, ROOT

# --- style


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """make test with every command recorded, and the exit code that the test gives it."""
    called, codes = [], {}

    def call(command, cwd):
        words = ' '.join(map(str, command))
        called.append(words)
        return next((code for word, code in codes.items() if word in words), 0)

    monkeypatch.setattr(run_tests.subprocess, 'call', call)
    monkeypatch.setattr(run_tests, 'REPORTS', tmp_path)
    monkeypatch.setenv('D2LREC_SITE', '')
    monkeypatch.setenv('JUPYTER_PATH', '')
    return called, codes


def test_style_comes_first(stages, capsys):
    called, _ = stages
    with pytest.raises(SystemExit) as end:
        run_tests.main()
    assert end.value.code == 0
    assert 'ruff check' in called[0] and 'ruff format' in called[1] and '--check' in called[1]
    assert 'build.py' in called[2] and len(called) == 5
    said = re.findall(r'^== (\w+)', capsys.readouterr().out, re.MULTILINE)
    assert said == ['style', 'book', 'tests', 'chapters']


def test_each_edition_is_run_once(stages):
    """The book's stage runs the first one's chapters; those that nbval runs are another's."""
    called, _ = stages
    with pytest.raises(SystemExit):
        run_tests.main()
    run = [word for word in called[-1].split() if word.endswith('.ipynb')]
    names = {Path(word).name for word in run}
    assert '--nbval-lax' in called[-1] and len(run) == len(names) > 0
    for edition in EDITIONS:
        assert {path.name for path in edition.notebooks} == names
    assert len(EDITIONS) == 1 or not any(BOOK.editions[0].chapters in word for word in run)


@pytest.mark.parametrize('word', ['ruff check', 'ruff format'])
def test_a_wrong_style_ends_the_tests_and_names_its_cure(stages, word):
    called, codes = stages
    codes[word] = 1
    with pytest.raises(SystemExit) as end:
        run_tests.main()
    assert 'make format' in end.value.code and len(called) == 2
    assert re.search(r'^format:', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.MULTILINE)


@pytest.mark.parametrize('code', [1, 2, -9])
def test_a_stage_that_fails_fails_the_whole(stages, code):
    called, codes = stages
    codes['build.py'] = code
    with pytest.raises(SystemExit) as end:
        run_tests.main()
    assert end.value.code == 1 and len(called) == 5


def test_the_linter_sees_code_that_nobody_uses_in_notebooks_and_modules(tmp_path):
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('x = undefined')])
    nbformat.write(book, tmp_path / 'a.ipynb')
    (tmp_path / 'b.py').write_text('x = 1  # noqa: E501\n')
    done = subprocess.run(
        [sys.executable, '-m', 'ruff', 'check', '--no-cache', '--output-format', 'concise', '.'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    if 'No module named' in done.stderr:
        pytest.skip('no ruff in this environment')
    assert 'a.ipynb' in done.stdout and 'F821' in done.stdout, done.stdout + done.stderr
    assert 'b.py' in done.stdout and 'RUF100' in done.stdout


# --- editions


@pytest.mark.parametrize('name, text', writer.files().items(), ids=writer.files())
def test_what_jupyter_book_reads_is_what_the_table_says(name, text):
    assert (ROOT / name).read_text(encoding='utf-8') == text, 'run make editions'
    assert yaml.safe_load(text)


@pytest.mark.parametrize('edition', EDITIONS, ids=lambda e: e.language)
def test_an_edition_has_its_own_title_and_contents(edition):
    config = yaml.safe_load(writer.config(edition))
    assert config['title'] == edition.words['title'] and config['author'] == edition.words['author']
    assert config['sphinx']['config']['language'] == edition.language
    toc = yaml.safe_load(writer.toc(edition))
    assert [toc['root'], *(c['file'] for p in toc['parts'] for c in p['chapters'])] == edition.pages
    assert [part['caption'] for part in toc['parts']] == edition.words['parts']


def test_configurations_differ_in_words_and_language_alone():
    configs = [yaml.safe_load(writer.config(edition)) for edition in EDITIONS]
    for config in configs:
        for key in ('title', 'author', 'copyright'):
            del config[key]
        del config['sphinx']['config']['language']
    assert all(config == configs[0] for config in configs)


def test_the_first_edition_is_what_jupyter_book_builds_alone():
    assert (EDITIONS[0].config, EDITIONS[0].toc) == ('_config.yml', '_toc.yml')


@pytest.fixture
def small(tmp_path):
    """A book of one page in three languages."""
    table = {'first': 'index', 'parts': [['a']], 'otherwise': 'xx', 'editions': []}
    for language in ('ko', 'en', 'xx'):
        folder = f'chapters/{language}'
        (tmp_path / folder).mkdir(parents=True)
        words = {word: f'{word}: {language}' for word in editions.WORDS}
        words['parts'] = [f'part, {language}']
        (tmp_path / folder / 'words.yml').write_text(yaml.safe_dump(words))
        entry = {'language': language, 'config': f'c.{language}', 'toc': f't.{language}'}
        table['editions'].append({**entry, 'chapters': folder})
    (tmp_path / 'book.yml').write_text(yaml.safe_dump(table))
    return tmp_path


def test_a_third_edition_is_an_entry_and_its_words(small):
    book = editions.read(small)
    assert [one.language for one in book.editions] == ['ko', 'en', 'xx']
    assert book.otherwise.language == 'xx'
    assert [one.language for one in book.others(book.of('en'))] == ['ko', 'xx']
    assert book.of('ko').page_in(book.of('xx'), 'chapters/ko/a') == 'chapters/xx/a'
    assert book.of('ko').page_in(book.of('xx'), 'search') == 'search'
    writer.main([], book, small)
    for edition in book.editions:
        toc = yaml.safe_load((small / edition.toc).read_text(encoding='utf-8'))
        assert toc['parts'][0]['caption'] == f'part, {edition.language}'
        config = yaml.safe_load((small / edition.config).read_text(encoding='utf-8'))
        assert config['title'] == f'title: {edition.language}'
    writer.main(['--check'], book, small)
    (small / 'c.xx').write_text('title: mine\n')
    with pytest.raises(SystemExit, match='c.xx: .*make editions'):
        writer.main(['--check'], book, small)


@pytest.mark.parametrize(
    'change, says',
    [
        (lambda words: {**words, 'search': ''}, 'xx/words.yml has no search'),
        (lambda words: {**words, 'parts': ['a', 'b']}, 'names 2 parts but book.yml has 1'),
        (None, 'xx/words.yml is not there'),
    ],
)
def test_what_an_edition_lacks_is_said_in_one_sentence(small, change, says):
    path = small / 'chapters/xx/words.yml'
    words = yaml.safe_load(path.read_text(encoding='utf-8'))
    path.unlink()
    if change:
        path.write_text(yaml.safe_dump(change(words)))
    with pytest.raises(ValueError, match=says) as refusal:
        editions.read(small)
    assert '\n' not in str(refusal.value)


def test_a_language_without_an_edition_is_refused():
    with pytest.raises(ValueError, match="no edition in 'zz'"):
        BOOK.of('zz')


@pytest.mark.parametrize('folder', ['tools', '_ext'])
def test_no_tool_knows_the_editions_by_heart(folder):
    languages = '|'.join(edition.language for edition in EDITIONS)
    for path in (ROOT / folder).rglob('*.py'):
        text = path.read_text(encoding='utf-8')
        found = re.findall(rf"""["'](?:{languages})["']|chapters/(?:{languages})\b""", text)
        # the search of Korean, and a script of another project that speaks English first
        allowed = {'search.py': ["'ko'"], 'words.py': ["'en'"]}.get(path.name, [])
        assert found == allowed, path.name


def test_one_place_finds_the_extension():
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ('tools', '_ext')
        for path in (ROOT / folder).rglob('*.py')
        if 'sys.path.insert' in path.read_text(encoding='utf-8')
    ]
    assert found == ['tools/chapters.py']


# --- what is easily forgotten


def test_the_checks_speak_the_languages_of_the_book():
    files = (ROOT / 'd2lrec' / 'check' / 'words').glob('*.json')
    assert sorted(path.stem for path in files) == sorted(edition.language for edition in EDITIONS)


@pytest.mark.parametrize('edition', EDITIONS, ids=lambda e: e.language)
def test_the_first_page_leads_to_every_chapter(edition):
    text = page_text(ROOT / edition.pages[0])
    linked = set(re.findall(r'\{doc\}`(?:[^`<]*<)?(\w+)>?`', text))
    missing = [path.stem for path in edition.notebooks if path.stem not in linked]
    assert not missing, f'{edition.pages[0]}.md has no link to {", ".join(missing)}'
