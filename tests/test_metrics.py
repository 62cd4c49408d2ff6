"""Measures against their definitions in loops, and refusals in words."""

import math

from d2lrec import definitions, metrics

import mxnet as mx
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def clicks():
    rng = np.random.default_rng(0)
    probs = rng.random(60).round(1)  # rounded, so that there are ties
    return (rng.random(60) < probs).astype('float32'), probs


def test_log_loss_is_its_definition(clicks):
    labels, probs = clicks[0], clicks[1] * 0.98 + 0.01
    expected = sum(-math.log(p) if y else -math.log(1 - p) for y, p in zip(labels, probs)) / 60
    assert metrics.log_loss(labels, probs) == pytest.approx(expected)


def test_log_loss_of_a_certain_mistake_is_finite():
    assert 10 < metrics.log_loss([1, 0], [0.0, 0.0]) < 40


def test_auc_counts_ordered_pairs(clicks):
    labels, scores = clicks
    pairs = [
        (a > b) + (a == b) / 2
        for a, y in zip(scores, labels)
        if y
        for b, z in zip(scores, labels)
        if not z
    ]
    assert metrics.auc(labels, scores) == pytest.approx(sum(pairs) / len(pairs))


def test_shapes_do_not_broadcast(clicks):
    labels, probs = clicks
    column = mx.np.array(probs).reshape(-1, 1)
    assert metrics.auc(mx.np.array(labels), column) == pytest.approx(metrics.auc(labels, probs))
    assert (
        metrics.accuracy(mx.np.array([[1.0], [-1.0], [2.0]]), mx.np.array([1.0, 0.0, 0.0])) == 2.0
    )


def test_accuracy_of_several_classes():
    assert (
        metrics.accuracy(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0])) == 2.0
    )


def test_sigmoid_does_not_overflow():
    with np.errstate(over='raise', invalid='raise'):
        out = metrics.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    np.testing.assert_array_equal(out, [0.0, 0.5, 1.0])


def test_constant_rate_is_the_entropy_of_the_rate():
    base = metrics.constant_rate([1, 0, 0, 0])
    assert base['rate'] == 0.25 and base['auc'] == 0.5
    assert base['log_loss'] == pytest.approx(-0.25 * math.log(0.25) - 0.75 * math.log(0.75))


def test_calibration_table(clicks):
    labels, probs = clicks
    table = metrics.calibration_table(labels, probs, num_bins=7)
    assert table.rows.sum() == 60 and table.rows.max() - table.rows.min() <= 1
    assert table.predicted.is_monotonic_increasing
    assert (table.rows * table.observed).sum() == pytest.approx(labels.sum())
    assert (table.rows * table.predicted).sum() == pytest.approx(probs.sum())
    assert metrics.calibration_table([0, 0], [0.5, 0.5], 1).ratio[1] == np.inf


def test_calibration_of_true_probabilities_is_near_one():
    rng = np.random.default_rng(1)
    probs = rng.uniform(0.2, 0.8, 100_000)
    table = metrics.calibration_table(rng.random(100_000) < probs, probs)
    assert ((table.ratio - 1).abs() < 0.05).all()


def test_report_holds_the_baseline_beside_the_model(clicks):
    report = metrics.ctr_report(*clicks)
    assert report['base_log_loss'] == metrics.constant_rate(clicks[0])['log_loss']
    assert report['rate'] == pytest.approx(clicks[0].mean())
    assert math.isnan(metrics.ctr_report([1, 1], [0.5, 0.5])['auc'])


def test_rmse():
    assert metrics.rmse([1, 2, 3], mx.np.array([1.0, 2.0, 5.0])) == pytest.approx(math.sqrt(4 / 3))


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda: metrics.log_loss([], []), 'labels is empty'),
        (lambda: metrics.log_loss([0, 1], [0.5]), '2 labels but 1 probs'),
        (lambda: metrics.log_loss([0, 2], [0.5, 0.5]), r'labels\[1\] is 2'),
        (lambda: metrics.log_loss([0, 1], [0.5, 3.0]), r'probs\[1\] is 3.*sigmoid'),
        (lambda: metrics.auc([0, 1], [0.5, float('nan')]), r'scores\[1\] is nan'),
        (lambda: metrics.auc([1, 1], [0.5, 0.4]), 'both classes'),
        (lambda: metrics.auc([0, 1], np.zeros((2, 2))), r'scores has shape \(2, 2\)'),
        (lambda: metrics.calibration_table([0, 1], [0.5, 0.5], 3), 'num_bins is 3'),
    ],
)
def test_refusals_say_what_where_and_what_to_do(call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


def test_mae():
    assert metrics.mae([1, 2, 3], mx.np.array([[1.0], [2.5], [5.0]])) == pytest.approx(2.5 / 3)


@pytest.fixture
def matrix():
    """Ratings (7, 5), predictions, and a mask that keeps some zeros and drops other values."""
    rng = np.random.default_rng(0)
    ratings = rng.integers(-2, 3, (7, 5)).astype('float32')
    return ratings, rng.normal(size=(7, 5)), rng.random((7, 5)) < 0.6


def test_masked_rmse_is_its_definition_in_loops(matrix):
    ratings, predictions, mask = matrix
    for given, observed in ((mask, mask), (mask.astype(int), mask), (None, ratings != 0)):
        errors = [
            (ratings[r, c] - predictions[r, c]) ** 2
            for r in range(7)
            for c in range(5)
            if observed[r, c]
        ]
        expected = math.sqrt(sum(errors) / len(errors))
        assert metrics.masked_rmse(ratings, predictions, given) == pytest.approx(expected)
    assert (ratings[mask] == 0).any() and (ratings[~mask] != 0).any()


def test_masked_rmse_of_pieces_takes_one_root(matrix):
    cut = [slice(0, 1), slice(1, 3), slice(3, 7)]
    pieces = [[mx.np.array(a[s]) for s in cut] for a in matrix]
    assert metrics.masked_rmse(*pieces) == pytest.approx(metrics.masked_rmse(*matrix))
    assert metrics.masked_rmse(*pieces[:2]) == pytest.approx(metrics.masked_rmse(*matrix[:2]))
    total = sum(metrics.squared_error(*p)[0] for p in zip(*pieces))
    assert total / matrix[2].sum() == pytest.approx(metrics.masked_rmse(*matrix) ** 2)


def test_what_is_not_observed_may_be_anything(matrix):
    ratings, predictions, mask = (a.copy() for a in matrix)
    expected = metrics.masked_rmse(ratings, predictions, mask)
    ratings[~mask] = np.nan
    assert metrics.masked_rmse(ratings, predictions, mask) == expected


def test_gauc_is_the_weighted_mean_of_each_user_s_auc(clicks):
    labels, scores = clicks
    users = np.random.default_rng(1).integers(0, 12, 60)
    labels[users == 3], labels[users == 5] = 0, 1
    total, rows, left_out = 0.0, 0, []
    for user in set(users):
        mine = users == user
        if 0 < labels[mine].sum() < mine.sum():
            total += mine.sum() * metrics.auc(labels[mine], scores[mine])
            rows += mine.sum()
        else:
            left_out.append(user)
    assert {3, 5} <= set(left_out)
    report = metrics.gauc(labels, scores, users)
    assert report == {
        'gauc': pytest.approx(total / rows),
        'users': len(set(users)) - len(left_out),
        'users_left_out': len(left_out),
        'rows_left_out': 60 - rows,
    }
    names = [f'user {u}' for u in users]
    assert metrics.gauc(labels, scores, names) == report


def test_gauc_of_a_score_that_only_tells_users_apart():
    users = np.repeat([0, 1], 100)
    labels = np.concatenate([np.arange(100) < 80, np.arange(100) < 20]).astype(int)
    assert metrics.gauc(labels, -users, users)['gauc'] == 0.5 < metrics.auc(labels, -users) - 0.2


def test_normalized_entropy(clicks):
    labels, probs = clicks[0], clicks[1] * 0.98 + 0.01
    rate = labels.mean()
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    assert metrics.normalized_entropy(labels, probs) == pytest.approx(
        metrics.log_loss(labels, probs) / entropy
    )
    assert metrics.normalized_entropy(labels, np.full(60, rate)) == pytest.approx(1)


@pytest.fixture
def ranked():
    """Scores (30, 12) with many ties, held-out and seen items of 30 users; one has none."""
    rng = np.random.default_rng(0)
    held_out, seen = [], []
    for user in range(30):
        items = rng.permutation(12)
        held_out.append(items[: rng.integers(1, 4)].tolist() if user else [])
        seen.append(items[4 : 4 + rng.integers(0, 5)].tolist())
    return rng.integers(0, 5, (30, 12)).astype('float32'), held_out, seen


@pytest.mark.parametrize('k', [1, 3, 10, 50])
@pytest.mark.parametrize('hide', [True, False])
def test_hit_rate_and_ndcg_are_their_definitions_in_loops(ranked, k, hide):
    scores, held_out, seen = ranked
    hits, gains = [], []
    for user, order in enumerate(
        definitions.ranking(scores, held_out, seen if hide else [[]] * 30)
    ):
        if not held_out[user]:
            continue
        gain, best = 0.0, 0.0
        for place, item in enumerate(order[:k], 1):
            gain += (item in held_out[user]) / math.log2(1 + place)
        for place in range(1, min(k, len(held_out[user])) + 1):
            best += 1 / math.log2(1 + place)
        hits.append(any(item in held_out[user] for item in order[:k]))
        gains.append(gain / best)
    args = (scores, held_out, seen if hide else None, k)
    assert len(hits) == 29
    assert metrics.hit_rate(*args) == pytest.approx(sum(hits) / 29)
    assert metrics.ndcg(*args) == pytest.approx(sum(gains) / 29)


def test_items_may_come_as_matrix_dict_lists_or_one_a_user(ranked):
    scores, held_out, seen = ranked
    dense = np.zeros((2, 30, 12), bool)
    for user in range(30):
        dense[0, user, held_out[user]] = dense[1, user, seen[user]] = True
    for measure in (metrics.hit_rate, metrics.ndcg):
        expected = measure(scores, held_out, seen, 3)
        assert measure(mx.np.array(scores), *dense, k=3) == expected
        assert measure(scores, dict(enumerate(held_out)), dict(enumerate(seen)), 3) == expected
        first = np.array([(mine or [0])[0] for mine in held_out])
        assert measure(scores, first) == measure(scores, [[i] for i in first])


def test_equal_scores_earn_nothing():
    assert metrics.hit_rate(np.zeros((4, 20)), [3, 0, 5, 19], k=10) == 0
    assert metrics.ndcg(np.zeros((4, 20)), [3, 0, 5, 19], k=19) == 0
    # Of 20 items 10 are seen: among the 10 left every rank is in the first 10.
    seen = [[i for i in range(20) if i % 2 != item % 2] for item in (3, 0, 5, 19)]
    assert metrics.hit_rate(np.zeros((4, 20)), [3, 0, 5, 19], seen, k=10) == 1


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda: metrics.masked_rmse(np.ones((2, 2)), np.ones((2, 3))), r'\(2, 2\).*\(2, 3\)'),
        (lambda: metrics.masked_rmse(np.zeros((2, 2)), np.ones((2, 2))), 'no rating is observed'),
        (lambda: metrics.masked_rmse([np.ones(2)], [np.ones(2)] * 2), '1 arrays of ratings'),
        (lambda: metrics.masked_rmse(np.ones(2), np.array([1, np.inf])), 'not a number'),
        (lambda: metrics.gauc([0, 1], [0.1, 0.2], [1]), '2 labels but 1 users'),
        (lambda: metrics.gauc([0, 1], [0.1, 0.2], [1, 2]), 'none of the 2 users'),
        (lambda: metrics.normalized_entropy([1, 1], [0.1, 0.2]), 'entropy is 0'),
        (lambda: metrics.hit_rate(np.zeros(3), [0]), r'scores has shape \(3,\)'),
        (lambda: metrics.hit_rate(np.full((1, 3), np.nan), [0]), r'scores\[0, 0\] is nan'),
        (lambda: metrics.ndcg(np.zeros((2, 3)), [0]), 'held_out is for 1 users and scores for 2'),
        (lambda: metrics.ndcg(np.zeros((2, 3)), [0, 3]), r'user 1 the items \[3\].*0 to 2'),
        (lambda: metrics.ndcg(np.zeros((2, 3)), [0, 1], [[], [1]]), 'user 1 has item 1 both'),
        (lambda: metrics.ndcg(np.zeros((2, 3)), [[], []]), 'no user has a held-out item'),
        (lambda: metrics.ndcg(np.zeros((2, 3)), [0, 1], k=0), 'k is 0'),
    ],
)
def test_refusals_of_rating_and_ranking_measures(call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value)


def cases():
    """Labels and probabilities: ties, a rare class, booleans, float32, the ends of [0, 1]."""
    rng = np.random.default_rng(3)
    for size in (2, 3, 50, 2000):
        for probs in (
            rng.random(size),
            rng.random(size).astype('float32'),
            rng.random(size).round(1),
            rng.random(size) < 0.5,
            rng.choice([0, 5e-324, 1e-17, 0.5, 1 - 1e-16, 1], size),
            np.full(size, 0.25),
        ):
            for rate in (0.05, 0.5):
                labels = rng.random(size) < rate
                labels[:2] = [True, False]
                yield labels, probs, rng.choice([0.5, 1, 3, 10], size)


def test_measures_equal_scikit_learn_s():
    sk = pytest.importorskip('sklearn.metrics')
    for labels, probs, _ in cases():
        wide = probs.astype('float64')
        report = metrics.ctr_report(labels, probs)
        for key, expected in {
            'log_loss': sk.log_loss(labels, wide, labels=[0, 1]),
            'auc': sk.roc_auc_score(labels, wide),
            'accuracy': sk.accuracy_score(labels, wide > 0.5),
            'rate': labels.mean(),
            'mean_prob': wide.mean(),
            'base_log_loss': sk.log_loss(labels, np.full(labels.size, labels.mean())),
        }.items():
            assert report[key] == pytest.approx(expected, rel=1e-12), key
        assert metrics.log_loss(labels, probs) == report['log_loss']
        assert metrics.auc(labels, probs) == report['auc']
        assert metrics.mae(labels, probs) == pytest.approx(
            sk.mean_absolute_error(labels, wide), rel=1e-12
        )


def test_weighted_measures_equal_scikit_learn_s():
    sk = pytest.importorskip('sklearn.metrics')
    for labels, probs, weight in cases():
        wide, given = probs.astype('float64'), {'sample_weight': weight}
        rate = np.average(labels, weights=weight)
        report = metrics.ctr_report(labels, probs, **given)
        for key, expected in {
            'log_loss': sk.log_loss(labels, wide, labels=[0, 1], **given),
            'auc': sk.roc_auc_score(labels, wide, **given),
            'accuracy': sk.accuracy_score(labels, wide > 0.5, **given),
            'rate': rate,
            'mean_prob': np.average(wide, weights=weight),
            'base_log_loss': sk.log_loss(labels, np.full(labels.size, rate), **given),
        }.items():
            assert report[key] == pytest.approx(expected, rel=1e-12), key
        assert metrics.log_loss(labels, probs, **given) == report['log_loss']
        assert metrics.auc(labels, probs, **given) == report['auc']
        assert metrics.mae(labels, probs, **given) == pytest.approx(
            sk.mean_absolute_error(labels, wide, **given), rel=1e-12
        )
        assert metrics.rmse(labels, probs, **given) == pytest.approx(
            sk.mean_squared_error(labels, wide, **given) ** 0.5, rel=1e-12
        )


def test_ndcg_equals_scikit_learn_s():
    sk = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(0)
    scores = rng.permuted(np.arange(20 * 15.0).reshape(20, 15), axis=1)  # no ties
    held_out = rng.random((20, 15)) < 0.2
    held_out[:, 0] = True
    for k in (1, 3, 10, 15, 40):
        assert metrics.ndcg(scores, held_out, k=k) == pytest.approx(
            sk.ndcg_score(held_out, scores, k=k), rel=1e-12
        )


MEASURES = {
    'auc': metrics.auc,
    'log_loss': metrics.log_loss,
    'rmse': metrics.rmse,
    'mae': metrics.mae,
    'ctr_report': metrics.ctr_report,
}


@pytest.mark.parametrize('name', MEASURES)
def test_a_weight_is_a_number_of_equal_rows(clicks, name):
    labels, probs = clicks
    weight = np.random.default_rng(1).integers(0, 4, labels.size)
    repeated = MEASURES[name](labels.repeat(weight), probs.repeat(weight))
    assert MEASURES[name](labels, probs, sample_weight=weight) == pytest.approx(repeated)
    ones = MEASURES[name](labels, probs, sample_weight=mx.np.ones((labels.size, 1)))
    assert ones == pytest.approx(MEASURES[name](labels, probs))


def test_weights_undo_a_sampling_of_the_zeros():
    rng = np.random.default_rng(0)
    probs = rng.uniform(0, 0.2, 200_000)
    labels = rng.random(200_000) < probs
    kept = labels | (rng.random(200_000) < 0.1)
    weight = np.where(labels, 1, 10)[kept]
    table = metrics.calibration_table(labels[kept], probs[kept], 4, sample_weight=weight)
    assert (table.ratio - 1).abs().max() < 0.05 and table.rows.sum() == kept.sum()
    biased = metrics.calibration_table(labels[kept], probs[kept], 4)
    assert biased.ratio.max() < 0.3
    report = metrics.ctr_report(labels[kept], probs[kept], sample_weight=weight)
    whole = metrics.ctr_report(labels, probs)
    assert report == pytest.approx(whole, rel=0.02)


def test_calibration_table_with_weights(clicks):
    labels, probs = clicks
    weight = np.tile([0, 1, 2], 20)
    table = metrics.calibration_table(labels, probs, 3, sample_weight=weight)
    kept = np.flatnonzero(weight)
    kept = kept[np.argsort(probs[kept], kind='stable')]
    for number, rows in zip((1, 2, 3), np.array_split(kept, 3)):
        total = sum(weight[r] for r in rows)
        predicted = sum(weight[r] * probs[r] for r in rows) / total
        observed = sum(weight[r] * labels[r] for r in rows) / total
        assert table.loc[number].tolist() == pytest.approx(
            [len(rows), predicted, observed, predicted / observed]
        )
    pd.testing.assert_frame_equal(
        metrics.calibration_table(labels, probs, sample_weight=np.full(60, 1.0)),
        metrics.calibration_table(labels, probs),
    )


def test_users_are_told_apart_whatever_they_are():
    labels, scores = [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.8]
    for users in (
        ['a\x00x', 'a\x00x', 'a\x00y', 'a\x00y'],
        np.array(['a\x00x', 'a\x00x', 'a\x00y', 'a\x00y']),
        ['\ud800', '\ud800', '\ud801', '\ud801'],
        [1, 1, '1', '1'],
        pd.Series(['Kim', 'Kim', '이', '이'], dtype='category'),
        mx.np.array([[7], [7], [8], [8]]),
    ):
        assert metrics.gauc(labels, scores, users) == {
            'gauc': 0.5,
            'users': 2,
            'users_left_out': 0,
            'rows_left_out': 0,
        }


def test_items_may_be_sets():
    scores = [[0.9, 0.5, 0.1], [0.2, 0.8, 0.3]]
    assert metrics.hit_rate(scores, {0: {1, 2}, 1: {0}}, k=1) == 0
    assert metrics.hit_rate(scores, [{0, 2}, frozenset()], k=1) == 1


UP = [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]]


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda: metrics.auc(None, [0.5]), 'labels is None'),
        (lambda: metrics.auc(1, 0.5), r'labels has shape \(\)'),
        (lambda: metrics.rmse([1, None], [1, 2]), r'ratings\[1\] is nan'),
        (lambda: metrics.rmse(['good', 'bad'], [1, 2]), 'ratings is not an array of numbers'),
        (lambda: metrics.mae([1, 2], [[1], [1, 2]]), 'predictions is not an array of numbers'),
        (lambda: metrics.mae([1, 2], np.array([1j, 2])), 'predictions is not an array'),
        (lambda: metrics.log_loss(pd.Series(['2024-01-01'] * 2, dtype='M8[ns]'), [1, 0]), 'labels'),
        (lambda: metrics.log_loss(pd.array([1, None], dtype='Int64'), [1, 0]), 'labels'),
        (lambda: metrics.sigmoid(None), 'logits is None'),
        (lambda: metrics.accuracy([[0.1, np.nan]], [1]), r'y_hat\[0, 1\] is nan'),
        (lambda: metrics.constant_rate([0, 3]), r'labels\[1\] is 3'),
        (lambda: metrics.constant_rate([]), 'labels is empty'),
        (lambda: metrics.calibration_table([0, 1], [0, 1], 1.5), 'num_bins is 1.5'),
        (lambda: metrics.calibration_table([0, 1], [0, 1], None), 'num_bins is None'),
        (lambda: metrics.squared_error(None, [1]), 'ratings is None'),
        (lambda: metrics.masked_rmse([[1]], 1), 'ratings is a list but predictions is not'),
        (lambda: metrics.gauc([0, 1], [0, 1], None), 'users is None'),
        (lambda: metrics.gauc([0, 1], [0, 1], [1, np.nan]), r'users\[1\] is missing'),
        (lambda: metrics.gauc([0, 1], [0, 1], ['a', None]), r'users\[1\] is missing'),
        (lambda: metrics.gauc([0, 1], [0, 1], [[1, 2], [3]]), 'a user is a list'),
        (lambda: metrics.gauc([0, 1], [0, 1], [[1, 2]]), r'users has shape \(1, 2\)'),
        (lambda: metrics.gauc([0, 1], [0, 1], 5), r'users has shape \(\)'),
        (lambda: metrics.hit_rate(None, [0, 1]), 'scores is None'),
        (lambda: metrics.hit_rate(UP, None), 'held_out is NoneType'),
        (lambda: metrics.hit_rate(UP, 3), 'held_out is int'),
        (lambda: metrics.hit_rate(UP, [0, 1], k=None), 'k is None'),
        (lambda: metrics.hit_rate(UP, [0, 1], k=np.float64('nan')), 'k is nan'),
        (lambda: metrics.hit_rate(UP, [[0], [-1]]), r'user 1 the items \[-1\]'),
        (lambda: metrics.hit_rate(UP, [[0], [1.5]]), r'user 1 the items \[1.5\].*whole numbers'),
        (lambda: metrics.hit_rate(UP, [[0], None]), 'user 1 the items None.*an empty list'),
        (lambda: metrics.hit_rate(UP, [[0], ['a']]), r"user 1 the items \['a'\]"),
        (lambda: metrics.hit_rate(UP, [[True], [False]]), r'user 0 the items \[True\]'),
        (lambda: metrics.hit_rate(UP, [np.float64('inf'), 1]), 'user 0 the items inf'),
        (lambda: metrics.hit_rate(UP, {'Kim': [0]}), 'user Kim the items'),
        (lambda: metrics.ndcg(UP, [0, 1], seen=[[2], [[1], [0, 1]]]), 'seen gives user 1'),
        (lambda: metrics.auc([0, 1], [0, 1], sample_weight=[1]), '2 rows but 1 sample weights'),
        (lambda: metrics.rmse([0, 1], [0, 1], sample_weight=[1, -2]), r'sample_weight\[1\] is -2'),
        (lambda: metrics.mae([0, 1], [0, 1], sample_weight=[0, 0]), 'every sample weight is 0'),
        (lambda: metrics.mae([0, 1], [0, 1], sample_weight=[1, np.inf]), r'weight\[1\] is inf'),
        (lambda: metrics.auc([0, 1], [0, 1], sample_weight=[1, 0]), 'AUC needs both classes'),
    ],
)
def test_odd_arguments_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call()
    assert '\n' not in str(refusal.value) and refusal.value.__cause__ is None
    assert 'np.float' not in str(refusal.value)


def test_bootstrap_is_its_definition():
    rng = np.random.default_rng(1)
    users = rng.integers(0, 7, 50)
    labels, scores = rng.integers(0, 2, 50), rng.random(50)
    found = metrics.bootstrap(metrics.auc, labels, scores, groups=users, draws=40, seed=5)

    rng = np.random.default_rng(5)
    names = list(dict.fromkeys(users.tolist()))
    drawn = []
    for _ in range(40):
        rows = []
        for pick in rng.integers(len(names), size=len(names)):
            rows += [row for row in range(50) if users[row] == names[pick]]
        drawn.append(metrics.auc([labels[r] for r in rows], [scores[r] for r in rows]))
    mean = sum(drawn) / 40
    assert found.value == metrics.auc(labels, scores)
    assert found.low == pytest.approx(np.quantile(drawn, 0.025))
    assert found.high == pytest.approx(np.quantile(drawn, 0.975))
    assert found.error == pytest.approx(math.sqrt(sum((d - mean) ** 2 for d in drawn) / 39))


def test_rows_of_one_user_are_worth_less_than_as_many_users():
    rng = np.random.default_rng(0)
    of_user = np.repeat(rng.normal(size=200), 25)  # 5,000 rows that are 200 numbers
    users = np.repeat(np.arange(200), 25)
    rows = metrics.bootstrap(np.mean, of_user, draws=300)
    clustered = metrics.bootstrap(np.mean, of_user, groups=users, draws=300)
    assert rows.value == clustered.value
    assert clustered.error == pytest.approx(of_user.std() / math.sqrt(200), rel=0.15)
    assert rows.error == pytest.approx(of_user.std() / math.sqrt(5000), rel=0.15)


def test_a_lead_is_measured_on_the_same_draws():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=400)
    one, two = truth + 1, truth + rng.normal(size=400) * 0.1 + 0.9
    lead = metrics.bootstrap(lambda a, b: (a - b).mean(), one, two, draws=200)
    assert lead.low > 0.08 and lead.high < 0.12
    assert lead == metrics.bootstrap(lambda a, b: (a - b).mean(), one, mx.np.array(two), draws=200)


@pytest.mark.parametrize(
    'columns, options, words',
    [
        ([], {}, 'no column'),
        ([[1, 2, 3], [1, 2]], {}, '3 and 2 rows'),
        ([[1, 2, 3]], {'groups': [1, 2]}, 'groups has 2'),
        ([[1, 2, 3]], {'groups': [1, 1, 1]}, '1 groups'),
        ([[1, 2, 3]], {'groups': [1, None, 1]}, 'missing'),
        ([[1, 2, 3]], {'draws': 1}, 'draws is 1'),
        ([[1, 2, 3]], {'draws': 2.5}, 'whole number'),
        ([[1, 2, 3]], {'level': 95}, 'level is 95'),
    ],
)
def test_bootstrap_refuses(columns, options, words):
    with pytest.raises(ValueError, match=words):
        metrics.bootstrap(lambda *c: 0.0, *columns, **options)


def test_logits_in_a_column_of_one_are_those_of_a_vector():
    logits, labels = np.array([1.5, -0.5, 2.0, -1.0]), [1, 0, 1, 1]
    assert metrics.accuracy(logits[:, None], labels) == metrics.accuracy(logits, labels) == 3
