"""Histories: what was strictly before, against loops; planted ones, and what is refused."""

import d2lrec as d2l
from d2lrec import definitions

import numpy as np
import pandas as pd
import pytest


@pytest.mark.parametrize('length', [1, 2, 5])
@pytest.mark.parametrize('seed', range(6))
def test_past_rows_are_those_of_the_loops(length, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    users, times = rng.integers(0, 4, n), rng.integers(0, 6, n)  # many ties
    where = None if seed % 2 else rng.random(n) < 0.6
    np.testing.assert_array_equal(
        d2l.past_rows(users, times, length, where),
        definitions.past_rows(users, times, length, where),
    )


def test_neither_itself_nor_a_tie_nor_the_future_is_in_a_history():
    rng = np.random.default_rng(0)
    users, times = rng.integers(0, 5, 300), rng.integers(0, 20, 300)
    past = d2l.past_rows(users, times, 8)
    for row, before in enumerate(past):
        before = before[before >= 0]
        assert (times[before] < times[row]).all() and (users[before] == users[row]).all()
        assert (np.diff(times[before]) >= 0).all()


def test_the_order_of_rows_with_other_times_does_not_matter():
    rng = np.random.default_rng(1)
    users, times = rng.integers(0, 3, 50), rng.permutation(50)
    shuffled = rng.permutation(50)
    one = d2l.past_rows(users, times, 4)
    other = d2l.past_rows(users[shuffled], times[shuffled], 4)
    np.testing.assert_array_equal(
        np.where(one < 0, -1, times[one])[shuffled], np.where(other < 0, -1, times[shuffled][other])
    )


def test_users_may_be_names_and_times_dates():
    times = pd.to_datetime(['2020-01-01', '2020-01-03', '2020-01-02'])
    past = d2l.past_rows(np.array(['Kim', 'Kim', 'Lee']), times, 1)
    assert past.tolist() == [[-1], [0], [-1]]
    assert d2l.past_rows([], [], 2).shape == (0, 2)


@pytest.mark.parametrize(
    'arguments, words',
    [
        (([0, 0], [1], 2), 'give one value a row of each'),
        (([0], [np.nan], 2), r'times\[0\] is missing'),
        (([0], [1], 0), 'length is 0: give a whole number, 1 or more'),
        (([0], [1], True), 'length is True'),
        (([0], [1], 2, [1]), 'give booleans'),
    ],
)
def test_what_is_no_table_with_times_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        d2l.past_rows(*arguments)


def test_histories_go_with_their_rows():
    data = d2l.Examples({'ids': [[0, 5], [1, 4], [0, 6], [0, 5]]}, labels=[1, 0, 1, 0])
    seen = d2l.with_history(data, d2l.past_rows([0, 1, 0, 0], [1, 1, 2, 3], 2))
    assert seen.columns['history'].tolist() == [[4, 4], [4, 4], [5, 4], [5, 6]]
    assert seen[2:].columns['lengths'].tolist() == [1, 2]
    assert seen.columns['history'].dtype == seen.columns['lengths'].dtype == np.int32
    both = d2l.concat([seen[:2], seen[2:]])
    np.testing.assert_array_equal(both.columns['history'], seen.columns['history'])


@pytest.mark.parametrize(
    'past, words',
    [
        ([[0, 1]], 'for 2 rows: give row numbers'),
        ([[0.5, 1], [0, 1]], 'type float64'),
        ([[0, 2], [0, 1]], 'past holds 0 to 2'),
        ([[0, 1], [-1, 1]], r'past\[1\] has an empty slot before a filled one'),
    ],
)
def test_what_is_no_history_is_refused(past, words):
    data = d2l.Examples({'ids': [[0, 5], [1, 4]]})
    with pytest.raises(ValueError, match=words):
        d2l.with_history(data, past)


def test_a_net_refuses_ids_of_another_field_and_wrong_lengths():
    data = d2l.planted_histories(20, 3, 4, 5)
    net = d2l.DIN(data.field_dims, 4, [8], 5)
    net.initialize()
    with pytest.raises(ValueError, match=r'history\[0, 0\] is 0, .* ids of the item.s field'):
        d2l.predict(net, data.with_columns(history=data.columns['history'] * 0))
    with pytest.raises(ValueError, match=r'lengths\[0\] is 6, outside its range, 0 to 5: give the'):
        d2l.predict(net, data.with_columns(lengths=data.columns['lengths'] * 0 + 6))
    with pytest.raises(ValueError, match='give data with history'):
        d2l.predict(net, d2l.Examples({'ids': data.columns['ids']}))


def test_planted_effects_are_what_they_say():
    data = d2l.planted_histories(
        3000, 5, 4, 6, linear=0, related=1.5, latest=0, threeway=0, rate=0.4, seed=3
    )
    ids, history = (data.columns[c] - 10 for c in ('ids', 'history'))
    filled = np.arange(6) < data.columns['lengths'][:, None]
    count = (filled & (history // 4 == ids[:, 1:] // 4)).sum(axis=1)
    assert abs(np.corrcoef(count, data.terms['related'])[0, 1]) > 0.999
    assert data.terms['related'].std() == pytest.approx(1.5)
    assert data.probs.mean() == pytest.approx(0.4)
    assert 3 <= data.columns['lengths'].min() and data.columns['lengths'].max() == 6
    assert data.best['auc'] > 0.75
    again = d2l.planted_histories(
        3000, 5, 4, 6, linear=0, related=1.5, latest=0, threeway=0, rate=0.4, seed=3
    )
    np.testing.assert_array_equal(again.labels, data.labels)


def test_the_latest_effect_is_the_sign_of_the_latest_related_item():
    data = d2l.planted_histories(2000, 3, 2, 6, linear=0, related=0, latest=1.0, seed=1)
    ids, history = (data.columns[c] - 10 for c in ('ids', 'history'))
    effect = data.terms['latest']
    kinds, seen = np.unique(effect.round(6)), {}
    assert len(kinds) == 3  # +, - and none
    for row in range(len(data)):
        past = history[row, : data.columns['lengths'][row]]
        mine = past[past // 2 == ids[row, 1] // 2]
        seen.setdefault(int(mine[-1]) if len(mine) else None, set()).add(effect[row].round(6))
    assert all(len(values) == 1 for values in seen.values())


@pytest.mark.parametrize('size', ['num_rows', 'num_groups', 'group_size', 'length'])
def test_sizes_that_are_none_are_refused(size):
    with pytest.raises(ValueError, match=f'{size} is 0'):
        d2l.planted_histories(**{'num_rows': 10, size: 0})
