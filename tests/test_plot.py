"""Figures show the numbers they are given, and a training call shows its curves."""

import io
import re
from xml.etree import ElementTree

import matplotlib
import matplotlib.font_manager
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

matplotlib.use('Agg')
import d2lrec as d2l
from d2lrec import plot


@pytest.fixture
def run():
    history = d2l.History([])
    history.rows = [
        {
            'epoch': e,
            'train_loss': 0.7 / e,
            'valid_loss': 0.8 - 0.1 * e * (3 - e),
            'valid_auc': 0.5 + 0.1 * e,
            'seconds': 1.0,
            'train_rows': 10,
        }
        for e in (1, 2, 3)
    ]
    history.best_epoch = 2
    return history


def test_history_draws_every_measure_and_the_best_epoch(run):
    loss, auc = plot.history(run).axes
    assert [list(line.get_ydata()) for line in loss.lines[:2]] == [
        run['train_loss'],
        run['valid_loss'],
    ]
    assert list(loss.lines[2].get_xdata()) == [2, 2]
    assert list(auc.lines[0].get_ydata()) == run['valid_auc']


def test_histories_are_compared(run):
    axes = plot.history({'a': run, 'b': run}, ['valid_auc']).axes
    assert len(axes) == 1 and list(axes[0].lines[0].get_ydata()) == run['valid_auc']
    assert [t.get_text() for t in axes[0].get_legend().get_texts()] == ['a', 'b']


def test_a_notebook_shows_the_curves(run):
    svg = run._repr_svg_()
    assert svg.lstrip().startswith('<?xml') and '</svg>' in svg
    assert d2l.History([])._repr_svg_() is None


def test_history_says_what_it_lacks(run):
    assert run.kept['epoch'] == 2 and run.rows_per_second == 10
    with pytest.raises(KeyError, match="no measure 'auc'.*valid_auc"):
        run['auc']
    with pytest.raises(ValueError, match='train for at least one epoch'):
        d2l.History([]).kept


def test_calibration_draws_each_table():
    tables = {name: d2l.calibration_table([0, 1, 1, 0], [0.1, 0.9, 0.6, 0.3], 2) for name in 'ab'}
    (axis,) = plot.calibration(tables).axes
    assert len(axis.lines) == 3
    np.testing.assert_allclose(axis.lines[1].get_ydata(), tables['a'].observed)


def test_scores_write_their_values_and_show_each_seed():
    (axis,) = plot.scores({'LR': 0.71, 'FM': 0.75}, {'LR': 0.01, 'FM': 0.02}, baseline=0.5).axes
    assert [t.get_text() for t in axis.texts] == ['0.7100', '0.7500']
    np.testing.assert_allclose(axis.lines[-1].get_xdata(), [0.71, 0.75])
    (axis,) = plot.scores({'FM': [0.74, 0.75, 0.79]}).axes
    assert [t.get_text() for t in axis.texts] == ['0.7600']
    drawn = [list(line.get_xdata()) for line in axis.lines]
    assert [0.74, 0.75, 0.79] in drawn
    (whisker,) = axis.collections[0].get_segments()
    spread = np.std([0.74, 0.75, 0.79], ddof=1)
    np.testing.assert_allclose(whisker[:, 0], [0.76 - spread, 0.76 + spread])
    with pytest.raises(ValueError, match='empty or a nested list'):
        plot.scores({'FM': []})


def test_heatmap_is_centred_on_zero():
    figure = plot.heatmap([[1.0, -3.0], [np.nan, 2.0]], rows=['a', 'b'], columns=['c', 'd'])
    cells = figure.axes[0].collections[0]
    assert cells.get_clim() == (-3.0, 3.0)
    assert sorted(t.get_text() for t in figure.axes[0].texts) == ['-3.00', '1.00', '2.00']


def test_vectors_keep_distances_of_a_plane():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 5))
    figure = plot.vectors(points, labels=['x'] + [''] * 29, groups=['a', 'b'] * 15)
    drawn = np.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    original = np.concatenate([points[::2], points[1::2]])
    np.testing.assert_allclose(
        np.linalg.norm(drawn[:, None] - drawn, axis=-1),
        np.linalg.norm(original[:, None] - original, axis=-1),
        atol=1e-6,
    )
    assert [t.get_text() for t in figure.axes[0].texts] == ['x']


def boxes_of(figure):
    """(labels and their boxes, points), in dots of the drawing."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axis,) = figure.axes
    points = np.concatenate([axis.transData.transform(c.get_offsets()) for c in axis.collections])
    return {
        text.get_text(): text.get_window_extent(canvas.get_renderer()) for text in axis.texts
    }, points


def test_labels_cover_no_other_and_no_point():
    points = np.random.default_rng(0).normal(size=(120, 2)) * (3, 1)
    labels = [f'label {n}' * (1 + n % 2) for n in range(120)]
    boxes, drawn = boxes_of(plot.vectors(points, labels=labels))
    assert 10 < len(boxes) < 60
    for name, box in boxes.items():
        assert not any(box.overlaps(other) for label, other in boxes.items() if label != name)
        assert not any(box.contains(*point) for point in drawn), name


def test_a_named_label_comes_before_others():
    points = np.random.default_rng(0).normal(size=(120, 2)) * (3, 1)
    middle = int(np.abs(points).sum(1).argmin())
    labels = [f'label {n}' for n in range(120)]
    assert labels[middle] not in boxes_of(plot.vectors(points, labels=labels))[0]
    boxes, _ = boxes_of(plot.vectors(points, labels=labels, named=[labels[middle]]))
    assert labels[middle] in boxes and len(boxes) > 10


def test_source_is_what_was_written():
    assert 'class FM(CTRModel)' in plot.source(d2l.FM).data


SVG = '{http://www.w3.org/2000/svg}'
HOSTILE = [
    '<script>alert(1)</script>',
    '"/><image href="http://host.invalid/x"/>',
    '--><svg onload="x">',
    '&amp;<![CDATA[x]]>',
    '$5 off, only $3',
    '$$',
    r'$\frac$',
    r'\textbf{x} 100% #1',
    'NUL \x00 and \x1b[31m',
    '\ud800 half a pair',
    '\ufffe',
    'two\nlines\r\nand\ttab',
    '_private',
    '',
]


def figures(name, run):
    """Every kind of figure, with this text wherever one can stand."""
    table = d2l.calibration_table([0, 1, 1, 0], [0.1, 0.9, 0.6, 0.3], 2)
    yield plot.scores({name: 0.71, 'FM': 0.75}, {name: 0.1, 'FM': 0}, title=name, baseline=0.5)
    yield plot.heatmap([[1.0, -3.0]], rows=[name], columns=[name, 'x'], title=name)
    yield plot.calibration({name: table, 'FM': table})
    yield plot.history({name: run, 'FM': run})
    yield plot.vectors(
        [[0, 1], [1, 0], [2, 2]], [name, 'b', ''], [name, 'g', 'g'], name, [name, name]
    )


def read(figure):
    """The SVG of a figure, parsed; it holds nothing but what matplotlib draws with."""
    known = {'svg', 'g', 'path', 'defs', 'style', 'use', 'text', 'tspan', 'metadata'}
    known |= {'clipPath', 'rect', 'image'}
    root = ElementTree.fromstring(plot.as_svg(figure))
    for element in root.iter():
        assert element.tag.startswith(SVG) or 'script' not in element.tag.lower()
        assert not element.tag.startswith(SVG) or element.tag[len(SVG) :] in known
        for key, value in element.attrib.items():
            assert not key.startswith('on') and 'host.invalid' not in value
    return ''.join(root.itertext())


@pytest.mark.filterwarnings('ignore:constrained_layout')
@pytest.mark.parametrize('kind', ['path', 'none'])  # text as outlines, and as text
def test_a_name_is_text_whatever_it_holds(run, kind):
    with matplotlib.rc_context({'svg.fonttype': kind}):
        inside = read(plot.scores(dict.fromkeys(HOSTILE, 0.5), title='$$'))
        if kind == 'none':
            for name in HOSTILE[:7]:
                assert name in inside
        for figure in figures(' '.join(HOSTILE), run):
            read(figure)


def test_dollars_are_no_formula(run):
    for figure in figures('$5 off, only $3', run):
        texts = [t for t in figure.findobj(matplotlib.text.Text) if '$' in t.get_text()]
        assert texts and not any(t.get_parse_math() for t in texts)
        assert {t.get_text() for t in texts} == {'$5 off, only $3'}
    with matplotlib.rc_context():
        plot.use_style()
        assert matplotlib.rcParams['text.parse_math']  # a reader's own formulas stay formulas


def test_names_that_begin_with_an_underscore_stand_in_the_legend(run):
    figure = plot.history({'_a': run, 'b': run})
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ['_a', 'b']


def korean_font(path, style):
    """Write a font named as one of the Korean ones, with a triangle for 모 and for 델."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 700))
    pen.lineTo((700, 0))
    pen.closePath()
    names, triangle = ['.notdef', 'mo', 'del'], pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord('모'): 'mo', ord('델'): 'del'})
    font.setupGlyf(dict.fromkeys(names, triangle))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable(
        {'familyName': 'NanumGothic', 'styleName': style, 'psName': f'NanumGothic-{style}'}
    )
    font.setupOS2(usWeightClass=700 if style == 'Bold' else 400)
    font.setupPost()
    font.save(path)


@pytest.fixture
def hangul(tmp_path):
    """The name of the only Korean font that matplotlib knows of."""
    manager = matplotlib.font_manager.fontManager
    before = list(manager.ttflist)
    manager.ttflist[:] = [f for f in before if f.name not in plot.CJK]
    for style in ('Regular', 'Bold'):
        korean_font(tmp_path / f'{style}.ttf', style)
        manager.addfont(tmp_path / f'{style}.ttf')
    yield 'NanumGothic'
    manager.ttflist[:] = before


def test_korean_names_are_drawn_where_a_font_has_them(run, hangul, caplog, recwarn):
    for figure in figures('FM 모델', run):
        assert 'FM 모델' in plot.as_svg(figure)
        figure.savefig(io.BytesIO(), format='png')
    assert not [w for w in recwarn if 'lyph' in str(w.message)]
    assert 'findfont' not in caplog.text


def test_without_such_a_font_none_is_asked_for(run, caplog, monkeypatch):
    manager = matplotlib.font_manager.fontManager
    monkeypatch.setattr(manager, 'ttflist', [f for f in manager.ttflist if f.name not in plot.CJK])
    plot.as_svg(plot.history(run))
    with matplotlib.rc_context():
        plot.use_style()
        assert not set(matplotlib.rcParams['font.family']) & set(plot.CJK)
    assert 'findfont' not in caplog.text


def test_korean_labels_take_the_room_of_two_letters():
    plane = np.array([[0.0, 0.0], [0.12, 0.0], [1.0, 1.0]])  # the first two 6 letters apart
    above = plot._apart(plane, ['abcd', 'x', ''], [])
    assert above == {0: (False, False), 1: (False, False)}  # right of their points, above
    below = plot._apart(plane, ['가나다라', 'x', ''], [])
    assert below == plot._apart(plane, ['abcdefgh', 'x', ''], [])
    assert below == {0: (False, True), 1: (False, False)}


def test_heatmap_of_one_sign_takes_its_own_range():
    image = plot.heatmap([[0.5, 0.7], [0.6, np.nan]]).axes[0].collections[0]
    assert image.get_clim() == (0.5, 0.7)
    pale, middle, full = image.cmap([0.0, 0.5, 1.0])
    orange = matplotlib.colors.to_rgba(plot.COLORS[1])
    np.testing.assert_allclose(full, orange)
    assert (pale[:3] < 1).any() and (pale[:3] > middle[:3])[2] and pale[:3].min() > 0.8
    image = plot.heatmap([[-3.0, -1.0]]).axes[0].collections[0]
    assert image.get_clim() == (-3.0, -1.0)
    np.testing.assert_allclose(image.cmap(0.0), matplotlib.colors.to_rgba(plot.COLORS[0]))
    assert plot.heatmap([[0.0, 2.0]]).axes[0].collections[0].get_clim() == (0.0, 2.0)
    assert plot.heatmap([[2.0, 2.0]]).axes[0].collections[0].get_clim() == (0.0, 2.0)
    assert plot.heatmap([[0.0]]).axes[0].collections[0].get_clim() == (-1.0, 1.0)


def test_histories_without_a_validation_set_are_compared_by_their_training_loss(run):
    for row in run.rows:
        del row['valid_loss'], row['valid_auc']
    (axis,) = plot.history({'a': run}).axes
    assert list(axis.lines[0].get_ydata()) == run['train_loss']


def test_points_all_alike_are_drawn():
    figure = plot.vectors(np.ones((3, 2)), labels=['a', 'b', 'c'])
    assert '(0% of the variance)' in figure.axes[0].get_xlabel()
    plot.as_svg(figure)


@pytest.mark.parametrize(
    'draw, words',
    [
        (lambda: plot.history({}), 'no run to draw'),
        (lambda: plot.history(d2l.History([])), 'the history has no epoch'),
        (lambda: plot.history({'FM': d2l.History([])}), 'FM has no epoch'),
        (lambda: plot.history({'FM': 0.7}), 'FM is float: give what a training call returns'),
        (lambda: plot.calibration({}), 'no table to draw'),
        (lambda: plot.calibration([1, 2]), 'no table to draw'),
        (lambda: plot.scores({}), 'no score to draw'),
        (lambda: plot.scores([1, 2]), 'no score to draw'),
        (lambda: plot.scores({'FM': float('nan')}), 'values holds nan'),
        (lambda: plot.scores({'FM': None}), 'values holds nan|values is not an array'),
        (lambda: plot.scores({'FM': 'high'}), 'values is not an array of numbers'),
        (lambda: plot.scores({'FM': 1}, {'LR': 1}), "errors has no 'FM'"),
        (lambda: plot.heatmap([1, 2]), r'the matrix has shape \(2,\)'),
        (lambda: plot.heatmap([[]]), r'the matrix has shape \(1, 0\)'),
        (lambda: plot.heatmap([[np.nan]]), 'holds no number'),
        (lambda: plot.heatmap([[np.inf, 1]]), 'the matrix holds inf'),
        (lambda: plot.heatmap([[1, 2]], columns=['a']), '1 names for 2 columns'),
        (lambda: plot.vectors([[1], [2]]), r'points has shape \(2, 1\)'),
        (lambda: plot.vectors([[1, np.nan], [2, 3]]), 'points holds nan'),
        (lambda: plot.vectors([[1, 2], [2, 3]], ['a']), '1 names for 2 points'),
        (lambda: plot.vectors([[1, 2], [2, 3]], ['a', 'b'], named=['c']), "named holds 'c'"),
        (lambda: plot.source(5), 'no source to show'),
    ],
)
def test_what_cannot_be_drawn_gets_one_sentence(draw, words):
    with pytest.raises(ValueError, match=words) as refusal:
        draw()
    assert '\n' not in str(refusal.value)


def test_a_measure_that_a_run_lacks(run):
    for runs in (run, {'a': run}):
        with pytest.raises(KeyError, match="no measure 'auc'"):
            plot.history(runs, ['auc'])


def test_source_with_and_without_docstrings():
    whole, code = (d2l.plot.source(d2l.FM, docstrings=d).data for d in (True, False))
    assert '"""Factorization machine' in whole and '"""' not in code
    compiled = code.removeprefix('```python\n').removesuffix('\n```')
    assert compile(compiled, 'fm', 'exec') and 'self.linear(*x) + self.pairwise' in compiled
    with pytest.raises(ValueError, match='there is no source to show'):
        d2l.plot.source(3)


def test_a_figure_has_the_pages_colours_and_font_and_speaks_its_language(run):
    svg = plot.as_svg(plot.history(run), 'ko')
    assert '>에폭</text>' in svg and '>epoch</text>' not in svg
    assert '>epoch</text>' in plot.as_svg(plot.history(run))
    assert f'var(--fig-a, {plot.COLORS[0]})' in svg and f'var(--fig-ink, {plot.palette.INK})' in svg
    assert '<!--' not in svg and 'rdf:' not in svg


def test_numbers_on_a_colour_keep_their_ink():
    svg = plot.as_svg(plot.heatmap([[1.0, -3.0]]))
    (cell,) = [line for line in svg.split('\n') if line.endswith('>-3.00</text>')]
    assert 'var(' not in cell


def test_a_readers_own_figure_keeps_its_formulas():
    figure = matplotlib.figure.Figure()
    axis = figure.subplots()
    axis.plot([1, 1000], [1, 10])
    axis.set_xscale('log')
    axis.legend(['a legend beside it'], loc='center left', bbox_to_anchor=(1, 0.5))
    svg = plot.as_svg(figure)
    assert '$' not in svg and 'mathdefault' not in svg
    right = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    assert right > 72 * figure.get_figwidth()  # the legend is in the picture
