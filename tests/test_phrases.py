"""What cells print and draw, told in the reader's language."""

import io
import json
import random
import sys

import d2lrec
from d2lrec import phrases
from d2lrec.phrases import Phrasebook, columns, phrasebook

import nbformat
import pytest
from nbclient import NotebookClient

BOOK = Phrasebook(
    {
        'films': '영화',
        'epoch': '에폭',
        'test AUC': '테스트 AUC',
        '{} of {} films': '영화 {1}편 가운데 {0}편',
        '{} of {}': '{1}의 {0}',
        'best possible AUC': '가능한 가장 높은 AUC',
        'the best of all models: {}': '모든 모델의 최선: {}',
    }
)


@pytest.mark.parametrize(
    'line, told',
    [
        ('films', '영화'),
        ('  films ', '  영화 '),
        ('filmsy', 'filmsy'),
        ('3 of 9 films', '영화 9편 가운데 3편'),  # the longest phrase first
        ('3 of Nine', 'Nine의 3'),
        ('films of epoch', 'films of epoch'),  # few letters: for numbers and names alone
        (
            'the best of all models: epoch',
            '모든 모델의 최선: 에폭',
        ),  # what stands in a place is told too
        ('films:  12', '영화:   12'),
        ('', ''),
        ('12.5', '12.5'),
        ('epoch    test AUC  films', '에폭   테스트 AUC  영화'),  # a head may begin earlier
        ('FM       0.78', 'FM       0.78'),
    ],
)
def test_a_line(line, told):
    assert BOOK.line(line) == told


def test_columns_keep_their_places():
    told = BOOK.text('epoch  films\n    1     20')
    first = told.split('\n')[0]
    assert phrases.width(first) == len('epoch  films')
    assert first.startswith('에폭 ')


def test_a_head_stands_over_the_ends_of_its_numbers():
    printed = """
           films  test AUC
    epoch
    epoch      3      0.78
    9         12      0.80"""
    assert BOOK.text(printed).split('\n')[1:] == [
        '            영화  테스트 AUC',
        '    에폭',
        '    에폭       3      0.78',
        '    9         12      0.80',
    ]


def test_a_phrase_of_a_whole_line_keeps_its_columns():
    book = Phrasebook({'{} rank of {}': '{} 순위 {}'})
    told = book.text('FM         rank of 3\nLonger     rank of 4')
    assert told == 'FM         순위 3\nLonger     순위 4'


def test_markup_stays_and_its_text_stays_text():
    given = '<td class="films">films</td><td>a &lt; epoch</td><text>epoch</text>'
    told = '<td class="films">영화</td><td>a &lt; epoch</td><text>에폭</text>'
    assert BOOK.markup(given) == told
    assert Phrasebook({'a': '<b>'}).markup('<td>a</td>') == '<td>&lt;b&gt;</td>'
    assert BOOK.markup('<style>films</style>') == '<style>films</style>'


def test_every_phrasebook_of_the_library_reads():
    files = sorted(phrases.FOLDER.glob('*.json'))
    assert files
    for path in files:
        text = path.read_text(encoding='utf-8')
        pairs = json.loads(text, object_pairs_hook=list)
        for given in [pairs, *(own for _, own in pairs if isinstance(own, list))]:
            assert len({key for key, _ in given}) == len(given), f'{path.name} has a phrase twice'
        assert phrasebook(path.stem) is not None
    assert phrasebook('en') is None and phrasebook('../check/words/ko') is None


def test_places_that_do_not_match_are_refused(tmp_path, monkeypatch):
    (tmp_path / 'xx.json').write_text('{"{} films": "영화"}', encoding='utf-8')
    monkeypatch.setattr(phrases, 'FOLDER', tmp_path)
    with pytest.raises(ValueError, match='has 1 places and its words 0'):
        phrasebook('xx')


CELLS = [
    'import d2lrec as d2l\nd2l.plot.use_style()',
    "print('epoch')\nprint('a', end='')\nprint('b')",
    "import pandas as pd\npd.DataFrame({'epoch': [1]})",
    'import matplotlib.pyplot as plt',
    "plt.plot([1, 2])\nplt.xlabel('epoch')\nplt.show()",
    'import sys\ntype(sys.stdout).__name__',
    "raise ValueError('epoch')",
]


@pytest.mark.parametrize('language, word', [('ko', '에폭'), ('en', 'epoch')])
def test_a_notebook_speaks_the_language_of_its_folder(tmp_path, monkeypatch, language, word):
    monkeypatch.delenv('D2LREC_LANGUAGE', raising=False)
    folder = tmp_path / language
    folder.mkdir()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    kernel = {'kernel_name': 'python3', 'resources': {'metadata': {'path': str(folder)}}}
    monkeypatch.setenv('PYTHONPATH', ':'.join(filter(None, sys.path)))
    NotebookClient(book, allow_errors=True, timeout=120, **kernel).execute()
    outputs = [cell.outputs for cell in book.cells]
    assert ''.join(o.text for o in outputs[1]) == f'{word}\nab\n'
    assert f'<th>{word}</th>' in outputs[2][0].data['text/html']
    shown = [o.data for o in outputs[4] if 'image/svg+xml' in o.get('data', {})]
    assert len(shown) == 1 and f'>{word}</text>' in shown[0]['image/svg+xml']
    assert 'image/png' not in shown[0]
    assert outputs[6][-1].evalue == 'epoch'  # and the stream was given back


def test_outside_a_notebook_nothing_changes():
    before = sys.stdout
    d2lrec.notebook.begin()
    assert sys.stdout is before


def test_a_page_says_a_word_in_its_own_way(tmp_path, monkeypatch):
    own = '{"item": "영화", "seen": "봄", "shop": {"item": "상품", "{} of {}": "{1}의 {0}"}}'
    (tmp_path / 'xx.json').write_text(own, encoding='utf-8')
    monkeypatch.setattr(phrases, 'FOLDER', tmp_path)
    assert phrasebook('xx', 'fm').text('item  seen') == '영화  봄'
    assert phrasebook('xx', 'shop').text('item  seen\n3 of 9') == '상품  봄\n9의 3'
    for name, said in (('work/shop.ipynb', '상품'), ('fm.ipynb', '영화'), ('', '영화')):
        monkeypatch.setenv('JPY_SESSION_NAME', name)
        assert phrasebook('xx').line('item') == said
    monkeypatch.setenv('D2LREC_PAGE', 'shop')
    assert phrasebook('xx').line('item') == '상품'


@pytest.mark.parametrize(
    'millions, said', [('34', '3,400만'), ('338', '3억 3,800만'), ('1,000', '10억'), ('.5', '50만')]
)
def test_millions_are_counted_as_the_language_counts(millions, said):
    book = Phrasebook({'{} million rows': '{:백만} 행'})
    assert book.line(f'  {millions} million rows') == f'  {said} 행'


def test_an_array_is_one_column_and_a_wide_head_grows_into_the_space_before_it():
    book = Phrasebook({'loops {}': '반복문 {}', 'sd': '표준편차'})
    assert book.line('loops [ 1.5  2.5]') == '반복문 [ 1.5  2.5]'
    told = book.line('        AUC      sd    loss')
    assert phrases.width(told) == len('        AUC      sd    loss')
    assert told.endswith('표준편차  loss')


@pytest.mark.parametrize(
    'said, told, lined',
    [
        # the longest name has one space before its value
        ('of all: 1\nof me:  2', '모두의 것: 1\n나:       2', '모두의 것: 1\n나:        2'),
        # the second part is told, too
        (
            'sgd     move: 0\nadagrad move: 1',
            'sgd         폭: 0\nadagrad 폭: 1',
            'sgd     폭: 0\nadagrad 폭: 1',
        ),
        # brackets hold an array, no columns
        ('a [1  2 ]\nb [10 2 ]', '가 [1  2 ]\n나 [10 2 ]', '가 [1  2 ]\n나 [10 2 ]'),
        # a table stands under its head
        (
            '    a   b\nLR  1   2\nDCN 1   2',
            '    가   나\nLR  1   2\nDCN 1   2',
            '    가   나\nLR  1   2\nDCN 1   2',
        ),
    ],
)
def test_told_lines_stand_under_each_other(said, told, lined):
    assert columns.lined_up(said, told, Phrasebook({'move: {}': '폭: {}'})) == lined


@pytest.mark.parametrize(
    'said, told, lined',
    [
        # the name of one line has grown past the others' column
        (
            'one    loss 1, mean 2\nthree  loss 1, mean 2',
            '하나하나  손실 1, 평균 2\n셋  손실 1, 평균 2',
            '하나하나  손실 1, 평균 2\n셋        손실 1, 평균 2',
        ),
        # a number in a sentence had room before it in some lines alone
        (
            ' 1 rows: 100% (a),  98% (b)\n10 rows:  93% (a),   4% (b)',
            ' 1행: 100% (가),  98% (나)\n10행:    93% (가),  4% (나)',
            ' 1행: 100% (가), 98% (나)\n10행:  93% (가),  4% (나)',
        ),
        # what stands so already, a table under its head, and lines that are indented stay
        ('a: 1\nbb: 2', '가: 1\n나나: 2', '가: 1\n나나: 2'),
        ('    a   b\nLR  1   2', '    가   나\nLR  1   2', '    가   나\nLR  1   2'),
        ('v1 [1]\n   of [1]', '첫째 [1]\n   의 [1]', '첫째 [1]\n   의 [1]'),
    ],
)
def test_told_columns_and_numbers_stand_as_in_the_code(said, told, lined):
    assert columns.lined_up(said, told, Phrasebook({})) == lined


@pytest.mark.parametrize(
    'said, lined',
    [
        # a head longer than its column asks for a wider one, and so does a name
        (
            '           AUC  std  ms a step\n'
            'best one  0.50           0.687\n'
            'LR        0.77  0.1      1,024\n'
            'its end: 3',
            '               AUC  표준편차  한 스텝의 ms\n'
            '가장 좋은 것  0.50                   0.687\n'
            'LR            0.77       0.1         1,024\n'
            'its end: 3',
        ),
        # the name of the lines has a line of its own
        (
            '        AUC  std\nmodel           \nLR     0.77  0.1\nDCN 2  0.50  0.2',
            '        AUC  표준편차\nmodel\nLR     0.77       0.1\nDCN 2  0.50       0.2',
        ),
        # a number that is part of a name under numbers that are none: no table to lay anew
        (
            '        AUC  std\nDCN 22  .7  0.1\nLR   2  .5  0.2',
            '        AUC  표준편차\nDCN 22  .7  0.1\nLR   2  .5  0.2',
        ),
        # one that stands back from the margin stays there
        (
            '      AUC  std\n  LR   .7    1\n  FM   .8    2',
            '      AUC  표준편차\n  LR   .7    1\n  FM   .8    2',
        ),
    ],
)
def test_a_table_is_as_wide_as_its_told_words_ask(said, lined):
    words = {'std': '표준편차', 'best one': '가장 좋은 것', 'ms a step': '한 스텝의 ms'}
    assert Phrasebook(words).text(said) == lined


def test_a_text_that_is_written_at_once_lines_up_in_a_notebook():
    written = io.StringIO()
    told = d2lrec.notebook._Told(written, Phrasebook({'sd': '표준편차'}))
    print('    AUC  sd\nLR  .77  .1\nFM  .79  .2', file=told)
    assert written.getvalue() == '    AUC  표준편차\nLR  .77        .1\nFM  .79        .2\n'
    told.write('sd\nsd')
    told.flush()
    assert written.getvalue().endswith('.2\n표준편차\nsd')


PRINTED = [*'a1[]%\t\n\r', ' ', '  ', '   ', 'AUC', '0.5', ': ', '= ', '한']


def test_what_no_phrase_tells_stays_as_it_was_printed():
    book, draw = Phrasebook({}), random.Random(3)
    for _ in range(300):
        text = ''.join(draw.choices(PRINTED, k=draw.randrange(80)))
        assert book.text(text) == text
    assert book.text('\n'.join(['  1' * 130 + 'x'] * 200)).count('\n') == 199  # and is soon done
