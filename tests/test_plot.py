"""Figures show the numbers they are given, and a training call shows its curves."""

import matplotlib
import numpy as np
import pytest

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


def test_bars_write_their_values():
    (axis,) = plot.bars({'LR': 0.71, 'FM': 0.75}, {'LR': 0.01, 'FM': 0.02}, baseline=0.5).axes
    assert {t.get_text() for t in axis.texts} == {'0.7100', '0.7500'}
    widths = [p.get_x() + p.get_width() for p in axis.patches]
    np.testing.assert_allclose(widths, [0.71, 0.75])


def test_heatmap_is_centred_on_zero():
    figure = plot.heatmap([[1.0, -3.0], [np.nan, 2.0]], rows=['a', 'b'], columns=['c', 'd'])
    image = figure.axes[0].images[0]
    assert image.get_clim() == (-3.0, 3.0)
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


def test_labels_that_would_overlap_are_left_out():
    points = np.array([[0.0, 0.0], [0.01, 0.0], [0.9, 0.0], [0.01, 1.0], [1.0, -1.0]])
    figure = plot.vectors(points, labels=['first', 'covers it', 'right', 'above', ''])
    assert [t.get_text() for t in figure.axes[0].texts] == ['first', 'right', 'above']


def test_source_is_what_was_written():
    assert 'class FM(CTRModel)' in plot.source(d2l.FM).data
