"""Planted clicks: the effects are what they say, and the best measures are really the best."""

import itertools

import d2lrec as d2l
from d2lrec import metrics

import numpy as np
import pandas as pd
import pytest

DIMS = [6, 5, 4, 3]


def explained(data, order):
    """Share of the true logit's variance that indicators of all tuples of `order` fields hold."""
    logits = np.log(data.probs / (1 - data.probs))
    columns = [np.ones(len(data))]
    for fields in itertools.combinations(range(len(DIMS)), order):
        code = np.zeros(len(data), dtype='int64')
        for f in fields:
            code = code * sum(DIMS) + data.features[:, f]
        columns.extend((code == c) * 1.0 for c in np.unique(code))
    X = np.stack(columns, axis=1)
    rest = logits - X @ np.linalg.lstsq(X, logits, rcond=None)[0]
    return 1 - rest.var() / logits.var()


@pytest.mark.parametrize('effect, order', [('linear', 1), ('pairwise', 2), ('threeway', 3)])
def test_an_effect_has_its_order_and_no_less(effect, order):
    off = {'linear': 0.0, 'pairwise': 0.0, 'threeway': 0.0}
    data = d2l.planted(1_500, DIMS, **{**off, effect: 1.0}, zipf=0.3, seed=2)
    assert explained(data, order) > 0.999
    if order > 1:
        assert explained(data, order - 1) < 0.95


def test_the_nonlinearity_is_of_every_order():
    data = d2l.planted(1_500, DIMS, linear=0, pairwise=0, nonlinear=1.0, zipf=0.3, seed=2)
    assert explained(data, 2) < 0.98


def test_strengths_are_standard_deviations_of_the_logit():
    data = d2l.planted(5_000, DIMS, linear=0.5, pairwise=1.5, threeway=2.0, nonlinear=0.7)
    spread = {name: term.std() for name, term in data.terms.items()}
    assert spread == pytest.approx(
        {'linear': 0.5, 'pairwise': 1.5, 'threeway': 2.0, 'nonlinear': 0.7}
    )
    total = sum(data.terms.values())
    logits = np.log(data.probs / (1 - data.probs))
    np.testing.assert_allclose(logits - logits.mean(), total - total.mean(), atol=1e-8)


def test_rate_labels_and_probabilities_agree():
    data = d2l.planted(50_000, DIMS, rate=0.17)
    assert data.probs.mean() == pytest.approx(0.17, abs=1e-6)
    assert data.labels.mean() == pytest.approx(0.17, abs=0.006)
    table = metrics.calibration_table(data.labels, data.probs, 5)
    assert ((table.ratio - 1).abs() < 0.1).all()


def test_no_score_beats_the_true_probabilities():
    data = d2l.planted(20_000, DIMS, linear=1.0, pairwise=1.0)
    rng = np.random.default_rng(0)
    for noise in (0.1, 0.5):
        worse = metrics.sigmoid(
            np.log(data.probs / (1 - data.probs)) + noise * rng.normal(size=len(data))
        )
        assert metrics.auc(data.labels, worse) < data.best['auc']
        assert metrics.log_loss(data.labels, worse) > data.best['log_loss']


def test_random_labels_are_random():
    data = d2l.planted(50_000, DIMS, rate=0.4, random_labels=True)
    assert np.ptp(data.probs) == 0 and data.probs[0] == pytest.approx(0.4)
    assert data.best['auc'] == 0.5


def test_ids_are_zipf_distributed_and_stay_in_their_fields():
    data = d2l.planted(100_000, [50, 8], zipf=1.0)
    counts = np.bincount(data.features[:, 0], minlength=50)
    share = counts / counts.sum() * sum(1 / r for r in range(1, 51))
    np.testing.assert_allclose(share[:5], [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5], rtol=0.05)
    assert data.features[:, 1].min() >= 50 and data.features[:, 1].max() < 58
    even = np.bincount(d2l.planted(100_000, [50, 8], zipf=0.0).features[:, 0])
    assert even.min() > 0.85 * even.max()


def test_the_same_seed_gives_the_same_clicks():
    one, same, other = (d2l.planted(100, DIMS, seed=s) for s in (1, 1, 2))
    assert (one.features == same.features).all() and (one.labels == same.labels).all()
    assert (one.features != other.features).any()


def test_the_file_is_read_back(tmp_path):
    data = d2l.planted(2_000, DIMS, seed=4)
    data.write(tmp_path / 'clicks.tsv')
    read = d2l.CTRDataset(str(tmp_path / 'clicks.tsv'), min_threshold=1, num_feat=4)
    assert (read.labels == data.labels).all()
    for f in range(len(DIMS)):  # other ids, for a vocabulary orders by frequency: a bijection
        pairs = set(zip(data.features[:, f], read.features[:, f]))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_a_slice_keeps_rows_together():
    data = d2l.planted(100, DIMS)
    part = data[10:30]
    assert len(part) == 20 and (part.probs == data.probs[10:30]).all()
    assert (part.features == data.features[10:30]).all()
    assert part.best == metrics.ctr_report(part.labels, part.probs)
    assert list(part.terms) == ['linear', 'pairwise', 'threeway', 'nonlinear']
    for name, term in data.terms.items():
        assert (part.terms[name] == term[10:30]).all()
    assert list(data.columns) == ['ids'] and data.columns['ids'] is data.features
    whole = d2l.concat([data[:10], part, data[30:]])
    assert isinstance(whole, d2l.Planted) and (whole.features == data.features).all()
    assert (whole.probs == data.probs).all() and (whole.labels == data.labels).all()
    assert (whole.terms['linear'] == data.terms['linear']).all()
    assert repr(whole) == 'Planted(100 rows, field_dims [6, 5, 4, 3])'
    assert (whole[np.arange(100) % 2 == 0].frame() == data.frame()[::2].reset_index(drop=True)).all(
        axis=None
    )
    with pytest.raises(ValueError, match='cannot follow'):
        d2l.concat([data, d2l.planted(10, [6, 5, 4, 4])])
    with pytest.raises(ValueError, match='probs has 1 rows for 2 clicks'):
        d2l.Planted([[0], [1]], [0, 1], [0.5], [2])


@pytest.mark.parametrize(
    'kwargs, words',
    [
        ({'num_rows': 0}, 'num_rows is 0: give a whole number, 1'),
        ({'field_dims': []}, 'field_dims is empty'),
        ({'field_dims': [3, 0]}, r'field_dims\[1\] is 0'),
        ({'rate': 1.0}, 'rate is 1.0'),
    ],
)
def test_refusals(kwargs, words):
    with pytest.raises(ValueError, match=words):
        d2l.planted(**{'num_rows': 10, 'field_dims': DIMS, **kwargs})


def test_a_planted_log_is_what_it_says():
    log = d2l.planted_log(num_days=6, rows_per_day=3_000, num_users=40, num_items=30, seed=2)
    again = d2l.planted_log(num_days=6, rows_per_day=3_000, num_users=40, num_items=30, seed=2)
    pd.testing.assert_frame_equal(log.frame, again.frame)
    frame = log.frame
    assert frame.time.is_monotonic_increasing and len(log.probs) == len(frame) == 18_000
    assert abs(log.probs.mean() - 0.1) < 1e-6
    assert abs(frame.click.mean() - 0.1) < 4 * (0.09 / len(frame)) ** 0.5
    for cut in (0.05, 0.3):  # clicks come as often as the probabilities say
        chosen = log.probs > cut
        expected = log.probs[chosen].mean()
        assert abs(frame.click[chosen].mean() - expected) < 4 * (0.25 / chosen.sum()) ** 0.5
    assert (frame.hour == frame.time.str[11:13].astype(int)).all()
    sides = frame.merge(log.users, on='user', suffixes=('', '_u')).merge(
        log.items, on='item', suffixes=('', '_i')
    )
    assert len(sides) == len(frame) and (sides.city == sides.city_u).all()
    assert (sides.tags == sides.tags_i).all() and log.items.item.is_unique
    assert log.users.age.isna().any() and log.items.price.isna().any()
    first = frame.time.str[:10] == frame.time.iloc[0][:10]
    assert set(frame.item[~first]) > set(frame.item[first])  # some come later


@pytest.mark.parametrize('wrong', [{'num_days': 0}, {'num_items': 131}, {'rate': 1.0}])
def test_a_log_that_cannot_be_planted_is_refused(wrong):
    with pytest.raises(ValueError):
        d2l.planted_log(**wrong)
