"""Figures show the numbers they are given, and a training call shows its curves."""
import matplotlib
import numpy as onp
import pytest

matplotlib.use('Agg')
import d2lrec as d2l  # noqa: E402
from d2lrec import plot  # noqa: E402


@pytest.fixture
def run():
    history = d2l.History([])
    history.rows = [{'epoch': e, 'train_loss': .7 / e, 'valid_loss': .8 - .1 * e * (3 - e),
                     'valid_auc': .5 + .1 * e, 'seconds': 1., 'train_rows': 10}
                    for e in (1, 2, 3)]
    history.best_epoch = 2
    return history


def test_history_draws_every_measure_and_the_best_epoch(run):
    loss, auc = plot.history(run).axes
    assert [list(line.get_ydata()) for line in loss.lines[:2]] == [run['train_loss'],
                                                                   run['valid_loss']]
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
    assert run.last['epoch'] == 2 and run.rows_per_second == 10
    with pytest.raises(KeyError, match="no measure 'auc'.*valid_auc"):
        run['auc']
    with pytest.raises(ValueError, match='train for at least one epoch'):
        d2l.History([]).last


def test_calibration_draws_each_table():
    tables = {name: d2l.calibration_table([0, 1, 1, 0], [.1, .9, .6, .3], 2) for name in 'ab'}
    axis, = plot.calibration(tables).axes
    assert len(axis.lines) == 3
    onp.testing.assert_allclose(axis.lines[1].get_ydata(), tables['a'].observed)


def test_bars_write_their_values():
    axis, = plot.bars({'LR': .71, 'FM': .75}, {'LR': .01, 'FM': .02}, baseline=.5).axes
    assert {t.get_text() for t in axis.texts} == {'0.7100', '0.7500'}
    widths = [p.get_x() + p.get_width() for p in axis.patches]
    onp.testing.assert_allclose(widths, [.71, .75])


def test_heatmap_is_centred_on_zero():
    figure = plot.heatmap([[1., -3.], [onp.nan, 2.]], rows=['a', 'b'], columns=['c', 'd'])
    image = figure.axes[0].images[0]
    assert image.get_clim() == (-3., 3.)
    assert sorted(t.get_text() for t in figure.axes[0].texts) == ['-3.00', '1.00', '2.00']


def test_vectors_keep_distances_of_a_plane():
    rng = onp.random.default_rng(0)
    points = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 5))
    figure = plot.vectors(points, labels=['x'] + [''] * 29, groups=['a', 'b'] * 15)
    drawn = onp.concatenate([c.get_offsets() for c in figure.axes[0].collections])
    original = onp.concatenate([points[::2], points[1::2]])
    onp.testing.assert_allclose(onp.linalg.norm(drawn[:, None] - drawn, axis=-1),
                                onp.linalg.norm(original[:, None] - original, axis=-1), atol=1e-6)
    assert [t.get_text() for t in figure.axes[0].texts] == ['x']


def test_labels_that_would_overlap_are_left_out():
    points = onp.array([[0., 0.], [.01, 0.], [.9, 0.], [.01, 1.], [1., -1.]])
    figure = plot.vectors(points, labels=['first', 'covers it', 'right', 'above', ''])
    assert [t.get_text() for t in figure.axes[0].texts] == ['first', 'right', 'above']


def test_source_is_what_was_written():
    assert 'class FM(CTRModel)' in plot.source(d2l.FM).data
