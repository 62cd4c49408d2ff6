"""The random search: what it draws, what it calls best, and what it refuses."""

import d2lrec as d2l
from d2lrec import tuning

import pytest


def history(**kept):
    """A history of one epoch with these measures."""
    out = d2l.History([])
    out.rows = [{'epoch': 1, 'train_loss': 0.5, **kept}]
    return out


def bowl(lr, K=2):
    """A model whose loss is lowest at lr = .1 and K = 4."""
    return history(valid_loss=abs(lr - 0.1) + abs(K - 4), valid_auc=lr)


SPACE = {'lr': (0.001, 1.0), 'K': [1, 2, 4, 8]}


def test_the_best_trial_is_the_one_of_the_lowest_validation_loss():
    search = tuning.random_search(bowl, SPACE, trials=20, seed=3)
    losses = [h.kept['valid_loss'] for h in search.histories]
    assert search.table.valid_loss.tolist() == sorted(losses)
    assert search.histories[search.table.index[0]].kept['valid_loss'] == min(losses)
    assert search.best == {k: search.table.iloc[0][k] for k in SPACE}
    assert bowl(**search.best).kept['valid_loss'] == min(losses)
    assert list(search.table) == ['lr', 'K', 'epoch', 'valid_loss', 'valid_auc']


def test_settings_are_in_their_ranges_seeded_and_all_different():
    tables = [tuning.random_search(bowl, SPACE, trials=30, seed=s).table for s in (0, 0, 1)]
    assert tables[0].equals(tables[1])
    assert not tables[0].lr.equals(tables[2].lr)
    assert tables[0].lr.between(0.001, 1).all() and set(tables[0].K) == {1, 2, 4, 8}
    assert not tables[0].duplicated(['lr', 'K']).any()
    small = tuning.random_search(bowl, SPACE, trials=5, seed=0).table
    assert small.lr.sort_index().tolist() == tables[0].lr.sort_index().tolist()[:5]


def test_ranges_are_drawn_evenly_in_the_logarithm():
    table = tuning.random_search(bowl, {'lr': (1e-4, 1.0)}, trials=250).table
    counts = [((low <= table.lr) & (table.lr < 10 * low)).sum() for low in (1e-4, 1e-3, 1e-2, 1e-1)]
    assert min(counts) > 35  # about 62 in each factor of ten; even draws would put 225 in the last


def test_what_the_table_shows_is_the_setting():
    search = tuning.random_search(bowl, {'lr': (0.0123, 0.0456)}, trials=8)
    for trial, setting in search.table.lr.items():
        assert setting == float(f'{setting:.2g}') or setting in (0.0123, 0.0456)
        assert search.histories[trial].kept['valid_auc'] == setting


def test_a_choice_of_all_settings_is_the_grid():
    search = tuning.random_search(bowl, {'lr': [0.1, 0.2], 'K': [4, 8]}, trials=4)
    assert search.best == {'lr': 0.1, 'K': 4}
    assert len(search.table) == 4


def test_choices_of_any_kind_are_passed_on():
    shapes = []

    def make_and_fit(shape):
        shapes.append(shape)
        return history(valid_rmse=len(shape))

    search = tuning.random_search(make_and_fit, {'shape': [[16], [32, 16], (8, 4, 2)]}, trials=3)
    assert search.best == {'shape': [16]}
    assert sorted(map(len, shapes)) == [1, 2, 3]


def test_other_scores():
    assert tuning.random_search(bowl, SPACE, trials=9, score='valid_auc').best['lr'] == max(
        tuning.random_search(bowl, SPACE, trials=9).table.lr
    )
    search = tuning.random_search(lambda lr: lr, {'lr': [1, 3, 2]}, trials=3, score=lambda x: -x)
    assert search.best == {'lr': 1}
    assert search.table.score.tolist() == [-1, -2, -3]


def test_a_trial_without_a_number_comes_last():
    search = tuning.random_search(
        lambda lr: history(valid_loss=float('nan') if lr == 1 else lr), {'lr': [1, 2, 3]}, trials=3
    )
    assert search.table.lr.tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    'space, trials, words',
    [
        ({}, 2, 'at least one setting'),
        ({'lr': (0.1, 0.01)}, 2, '0 < low < high'),
        ({'lr': (0, 0.01)}, 2, '0 < low < high'),
        ({'lr': (0.1, 0.2, 0.3)}, 2, 'choices in a list'),
        ({'lr': []}, 2, 'a list of choices'),
        ({'lr': 0.1}, 2, 'a list of choices'),
        ({'lr': [0.1, 0.2]}, 3, '2 settings and 3 trials'),
        ({'lr': (0.01, 0.011)}, 50, 'widen a range'),
        ({'lr': (0.1, 0.2)}, 0, 'whole number'),
        ({'lr': (0.1, 0.2)}, 1.5, 'whole number'),
    ],
)
def test_refusals(space, trials, words):
    with pytest.raises(ValueError, match=words):
        tuning.random_search(bowl, space, trials=trials)


def test_what_a_trial_must_return():
    with pytest.raises(ValueError, match='return the History'):
        tuning.random_search(lambda lr: None, {'lr': [1]}, trials=1)
    with pytest.raises(ValueError, match="trial 0 has no 'valid_loss'"):
        tuning.random_search(lambda lr: history(), {'lr': [1]}, trials=1)
    with pytest.raises(ValueError, match='has no .valid_mae.*valid_loss'):
        tuning.random_search(bowl, {'lr': [1]}, trials=1, score='valid_mae')


def test_it_turns_down_a_weight_decay_under_which_nothing_is_learned():
    clicks = d2l.planted(1500, [40, 40], pairwise=1.0, seed=0)

    def make_and_fit(wd):
        net = d2l.FM(clicks.field_dims, num_factors=16)
        return d2l.fit(net, clicks[:1000], clicks[1000:], wd=wd, num_epochs=4, batch_size=100)

    assert d2l.random_search(make_and_fit, {'wd': [1.0, 1e-3]}, trials=2).best == {'wd': 1e-3}


def test_a_trial_that_diverges_comes_last_and_loses_no_other():
    data = d2l.planted(200, [5, 4], pairwise=2.0, seed=0)

    def make_and_fit(lr):
        net = d2l.FM(data.field_dims, 4)
        return d2l.fit(net, data[:150], data[150:], optimizer='sgd', lr=lr, num_epochs=2)

    with pytest.warns(UserWarning, match='trial ., .*comes last.*lower the learning rate'):
        search = d2l.random_search(make_and_fit, {'lr': [1e30, 0.1]}, trials=2, seed=5)
    assert search.best == {'lr': 0.1} and search.table.lr.tolist() == [0.1, 1e30]
    assert len(search.histories) == 2
    with pytest.warns(UserWarning), pytest.raises(ValueError, match='every trial diverged'):
        d2l.random_search(make_and_fit, {'lr': [1e30, 1e29]}, trials=2)


@pytest.mark.parametrize(
    'score, words',
    [
        (lambda _: None, 'score gave None: return a number'),
        (lambda _: 'high', "score gave 'high': return a number"),
        (lambda _: float('nan'), "'score' is not a number in any trial"),
    ],
)
def test_scores_that_are_no_numbers(score, words):
    with pytest.raises(ValueError, match=words):
        d2l.random_search(lambda x: x, {'x': [1, 2]}, trials=2, score=score)


def test_a_setting_that_the_function_does_not_take():
    with pytest.raises(ValueError, match="no argument 'lrr': did you mean lr"):
        d2l.random_search(lambda lr: 1 / 0, {'lrr': [1, 2]}, trials=2)
