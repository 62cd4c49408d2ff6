"""Measures against their definitions in loops, and refusals in words."""
import math

import numpy as onp
import pytest
from mxnet import np

from d2lrec import metrics


@pytest.fixture
def clicks():
    rng = onp.random.default_rng(0)
    probs = rng.random(60).round(1)         # rounded, so that there are ties
    return (rng.random(60) < probs).astype('float32'), probs


def test_log_loss_is_its_definition(clicks):
    labels, probs = clicks[0], clicks[1] * .98 + .01
    expected = sum(-math.log(p) if y else -math.log(1 - p) for y, p in zip(labels, probs)) / 60
    assert metrics.log_loss(labels, probs) == pytest.approx(expected)


def test_log_loss_of_a_certain_mistake_is_finite():
    assert 10 < metrics.log_loss([1, 0], [0., 0.]) < 40


def test_auc_counts_ordered_pairs(clicks):
    labels, scores = clicks
    pairs = [(a > b) + (a == b) / 2 for a, y in zip(scores, labels) if y
             for b, z in zip(scores, labels) if not z]
    assert metrics.auc(labels, scores) == pytest.approx(sum(pairs) / len(pairs))


def test_shapes_do_not_broadcast(clicks):
    labels, probs = clicks
    column = np.array(probs).reshape(-1, 1)
    assert metrics.auc(np.array(labels), column) == pytest.approx(metrics.auc(labels, probs))
    assert metrics.accuracy(np.array([[1.], [-1.], [2.]]), np.array([1., 0., 0.])) == 2.


def test_accuracy_of_several_classes():
    assert metrics.accuracy(onp.array([[.1, .9], [.8, .2], [.3, .7]]), onp.array([1, 0, 0])) == 2.


def test_sigmoid_does_not_overflow():
    with onp.errstate(over='raise', invalid='raise'):
        out = metrics.sigmoid(onp.array([-1000., 0., 1000.]))
    onp.testing.assert_array_equal(out, [0., .5, 1.])


def test_constant_rate_is_the_entropy_of_the_rate():
    base = metrics.constant_rate([1, 0, 0, 0])
    assert base['rate'] == .25 and base['auc'] == .5
    assert base['log_loss'] == pytest.approx(-.25 * math.log(.25) - .75 * math.log(.75))


def test_calibration_table(clicks):
    labels, probs = clicks
    table = metrics.calibration_table(labels, probs, num_bins=7)
    assert table.rows.sum() == 60 and table.rows.max() - table.rows.min() <= 1
    assert table.predicted.is_monotonic_increasing
    assert (table.rows * table.observed).sum() == pytest.approx(labels.sum())
    assert (table.rows * table.predicted).sum() == pytest.approx(probs.sum())
    assert metrics.calibration_table([0, 0], [.5, .5], 1).ratio[1] == onp.inf


def test_calibration_of_true_probabilities_is_near_one():
    rng = onp.random.default_rng(1)
    probs = rng.uniform(.2, .8, 100_000)
    table = metrics.calibration_table(rng.random(100_000) < probs, probs)
    assert ((table.ratio - 1).abs() < .05).all()


def test_report_holds_the_baseline_beside_the_model(clicks):
    report = metrics.ctr_report(*clicks)
    assert report['base_log_loss'] == metrics.constant_rate(clicks[0])['log_loss']
    assert report['rate'] == pytest.approx(clicks[0].mean())
    assert math.isnan(metrics.ctr_report([1, 1], [.5, .5])['auc'])


def test_rmse():
    assert metrics.rmse([1, 2, 3], np.array([1., 2., 5.])) == pytest.approx(math.sqrt(4 / 3))


@pytest.mark.parametrize('call, words', [
    (lambda: metrics.log_loss([], []), 'labels is empty'),
    (lambda: metrics.log_loss([0, 1], [.5]), '2 labels but 1 probs'),
    (lambda: metrics.log_loss([0, 2], [.5, .5]), r'labels\[1\] is 2'),
    (lambda: metrics.log_loss([0, 1], [.5, 3.]), r'probs\[1\] is 3.*sigmoid'),
    (lambda: metrics.auc([0, 1], [.5, float('nan')]), r'scores\[1\] is nan'),
    (lambda: metrics.auc([1, 1], [.5, .4]), 'both classes'),
    (lambda: metrics.auc([0, 1], onp.zeros((2, 2))), r'scores has shape \(2, 2\)'),
    (lambda: metrics.calibration_table([0, 1], [.5, .5], 3), 'num_bins is 3')])
def test_refusals_say_what_where_and_what_to_do(call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)
