"""Titles, names of fields and whatever else comes from data is text on every page, never markup."""

import re
from html.parser import HTMLParser

import d2lrec as d2l
from d2lrec import notebook, plot
from d2lrec.check import words
from d2lrec.phrases import phrasebook

import numpy as np
import pandas as pd
import pytest
from helpers import randomize

HOSTILE = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '</td></table><svg onload="alert(1)">',
    '"><a href="javascript:alert(1)">epoch</a>',
    '--><!-- <b>loss</b> -->',
    '&lt;script&gt;epoch&lt;/script&gt;',
    '&#60;script>',
    '$5 off, only $3',
    r'\(x\) $$\frac{1}{2}$$ `code` **bold** [a](javascript:b)',
    '{0.__class__} {} %s %(x)s',
    'epoch',  # which the phrase book knows
    'two\nlines',
]
ATTRIBUTES = {'class', 'border', 'style', 'scope', 'scoped', 'colspan', 'rowspan', 'halign'}
ATTRIBUTES |= {'valign'}
TABLE = {'div', 'style', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'p'}


class Page(HTMLParser):
    """The tags, their attributes and the text that a browser would find."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.words = set(), set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_comment(self, data):
        self.tags.add('a comment')

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(params=['en', 'ko'])
def language(request, monkeypatch):
    for module in (notebook, words):
        monkeypatch.setattr(module, 'notebook_language', lambda: request.param)
    return request.param


def shown(frame, language):
    """A table as a notebook in this language shows it, and its text."""
    page = Page(notebook._table(frame))
    assert page.tags <= TABLE, page.tags - TABLE
    assert page.attributes <= ATTRIBUTES
    text = ''.join(page.words)
    known = phrasebook(language)
    for name in HOSTILE[:10]:
        told = name if known is None else known.line(name)
        assert re.sub(r'\s', '', told) in re.sub(r'\s|\\n', '', text), name
    return text


@pytest.fixture(autouse=True)
def wide(request):
    with pd.option_context('display.max_colwidth', None, 'display.max_columns', None):
        yield


@pytest.fixture(scope='module')
def log():
    """Clicks whose fields and values are hostile."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({'click': rng.integers(0, 2, 400)})
    for name in HOSTILE:
        frame[name] = rng.choice(HOSTILE, 400)
    return frame, d2l.CTRDataset(frame, label='click', min_threshold=1)


@pytest.mark.filterwarnings('ignore:of ')  # of the fields that are not given
def test_tables_of_the_library(language, log):
    frame, data = log
    shown(frame.head(40), language)
    history = d2l.History([])
    history.rows = [{'epoch': 1, **dict.fromkeys(HOSTILE, 0.5)}]
    shown(history.table(), language)
    net = randomize(d2l.FM(data.field_dims, 2))
    users = pd.DataFrame({HOSTILE[0]: HOSTILE})
    items = pd.DataFrame({HOSTILE[1]: HOSTILE})
    rest = dict.fromkeys(HOSTILE[2:], 'x')
    lists = d2l.recommend(
        net, users.assign(**rest), 12, seen=False, items=items.assign(title=HOSTILE),
        user=HOSTILE[0], item=HOSTILE[1], encoder=data.encoder,
    )  # fmt: skip
    shown(lists.head(12), language)
    shown(pd.DataFrame({'share': data.unknown}, index=data.field_names), language)


def test_parts_of_a_net_are_text(language):
    class Named(d2l.FM):
        def __init__(self, dims, **kwargs):
            super().__init__(dims, 2, **kwargs)
            for i, name in enumerate(HOSTILE):
                self.register_child(d2l.layers.MLP(3, [2]), name or str(i))

    net = Named([3, 4])
    frame = net.describe()
    assert Page(notebook._table(frame)).tags <= TABLE
    assert not Page(repr(net)).tags & {'script', 'svg'} or '<' in repr(net)


def test_what_is_printed_is_the_text_itself(log):
    _, data = log
    assert HOSTILE[0] in data.summary()
    for name in HOSTILE:
        for language in ('en', 'ko'):
            book = phrasebook(language)
            line = name if book is None else book.text(name)
            assert line == name or name == 'epoch' or '\n' in name


def test_answers_to_exercises_are_text(language):
    for name in HOSTILE:
        error = type(re.sub(r'\W', '_', name), (Exception,), {})(name)

        def answer(v, error=error):
            raise error

        verdict = d2l.check.judge.judge(answer, lambda v: v, [{'v': np.ones(2)}])
        page = Page(verdict._repr_html_())
        assert page.tags == {'p', 'span'} and 'onerror' not in page.attributes
        assert language in ('en', 'ko') and verdict.key == 'answer.raised'


@pytest.mark.filterwarnings('ignore:constrained_layout')
@pytest.mark.parametrize('language', ['ko'])
def test_figures_in_every_language(language):
    run = d2l.History([])
    run.rows = [
        {'epoch': e, 'train_loss': 1 / e, 'valid_loss': 2 / e, 'seconds': 1.0, 'train_rows': 1}
        for e in (1, 2)
    ]
    table = d2l.calibration_table([0, 1, 1, 0], [0.1, 0.9, 0.6, 0.3], 2)
    numbers = np.arange(24.0).reshape(12, 2) ** 2
    for figure in (
        plot.scores(dict.fromkeys(HOSTILE, 0.5), title=HOSTILE[0]),
        plot.heatmap(numbers[:6], rows=HOSTILE[:6], columns=HOSTILE[6:8], title=HOSTILE[1]),
        plot.calibration(dict.fromkeys(HOSTILE[6:9], table)),
        plot.history(dict.fromkeys(HOSTILE[6:9], run)),
        plot.vectors(numbers, HOSTILE, HOSTILE, HOSTILE[2], HOSTILE),
    ):
        svg = plot.as_svg(figure, language)
        page = Page(svg.split('?>', 1)[1])
        assert not page.tags & {'script', 'img', 'a', 'b', 'table', 'foreignobject', 'a comment'}
        assert not {a for a in page.attributes if a.startswith('on')}
        assert 'mathdefault' not in svg and HOSTILE[7] in ''.join(page.words)
