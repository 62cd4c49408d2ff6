"""The rating benchmark on made-up ratings: it runs, and no choice sees the test part."""

import argparse
import importlib.util
import os

import numpy as np
import pandas as pd
import pytest

PATH = os.path.join(os.path.dirname(__file__), '..', 'benchmarks', 'quality_ratings.py')
SMALL = {
    'hidden': 4,
    'encoder': 'tanh',
    'batch': 16,
    'rate': 1e-2,
    'dropout': 0.0,
    'damping': 5.0,
    'epochs': 4,
    'every': 2,
}


@pytest.fixture(scope='module')
def quality():
    spec = importlib.util.spec_from_file_location('quality_ratings', PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def frame():
    """1,000 ratings by 40 users of 30 items, in random order, with effects of both."""
    rng = np.random.default_rng(0)
    cells = rng.permutation(1200)[:1000]
    users, items = cells // 30, cells % 30
    ratings = 3 + rng.normal(size=40)[users] + rng.normal(size=30)[items]
    return pd.DataFrame(
        {
            'user_id': users + 1,
            'item_id': items + 1,
            'rating': ratings.round().clip(1, 5).astype(int),
            'timestamp': 0,
        }
    )


def arguments(quality, name, argv):
    parser = argparse.ArgumentParser()
    getattr(quality, f'add_{name}_arguments')(parser)
    return parser.parse_args([str(a) for a in argv])


def small_grids(quality, monkeypatch):
    both = [
        {'side': side, 'shown': shown, 'target': 'residuals', 'decay': 1e-3, **SMALL}
        for side, shown in (('item', 'residuals'), ('user', 'mask'))
    ]
    mf = {'factors': 2, 'batch': 64, 'rate': 1e-2, 'epochs': 2, 'every': 1}
    monkeypatch.setattr(
        quality,
        'ML100K',
        {
            'BiasBaseline': (quality.fit_bias, quality.varied({}, damping=[1.0, 30.0])),
            'MF': (quality.fit_mf, quality.varied(mf, decay=[1e-4, 1e-2])),
            'I-AutoRec': (quality.fit_autorec, quality.varied(both[0], decay=[1e-4, 1e-2])),
            'U-AutoRec': (quality.fit_autorec, [both[1]]),
        },
    )
    rows = {f'{one["side"][0].upper()}-AutoRec': (quality.fit_autorec, [one]) for one in both}
    monkeypatch.setattr(quality, 'ML1M', rows)


def test_test_ratings_change_no_choice(quality, frame, monkeypatch, tmp_path):
    small_grids(quality, monkeypatch)
    args = arguments(quality, 'ml100k', ['--folds', 2, '--out', tmp_path / 'rows'])
    rows = quality.ml100k(args, (frame, 40, 30))
    other = frame.copy()
    other.loc[200:399, 'rating'] = 6 - other.rating  # fold 2's test part
    changed = quality.ml100k(args, (other, 40, 30))
    assert [r['model'] for r in rows] == ['BiasBaseline', 'MF', 'I-AutoRec', 'U-AutoRec']
    assert [r['choice'] for r in rows] == [r['choice'] for r in changed]
    assert all(abs(a['rmse'] - b['rmse']) > 0.1 for a, b in zip(rows, changed))
    assert len((tmp_path / 'rows').read_text().splitlines()) == 8
    # The same holds no longer for a rating of the training part: choices do depend on something.
    other.loc[400:, 'rating'] = 6 - other.rating
    third = quality.ml100k(args, (other, 40, 30))
    assert [r['choice'] for r in rows] != [r['choice'] for r in third]


def test_models_beat_the_global_mean(quality, frame, monkeypatch, tmp_path):
    small_grids(quality, monkeypatch)
    args = arguments(quality, 'ml100k', ['--folds', 1, '--out', tmp_path / 'rows'])
    constant = frame.rating[:200].std()
    rows = {r['model']: r['rmse'] for r in quality.ml100k(args, (frame, 40, 30))}
    assert rows['BiasBaseline'] < 0.6 * constant
    assert rows['I-AutoRec'] < 0.6 * constant


def test_unseen_users_and_items_are_rated_three(quality):
    train = quality.Ratings(
        np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5, 4, 5], 'float32'), 3, 3
    )
    asked = train._replace(users=np.array([2, 0, 1]), items=np.array([0, 2, 1]))
    for side, way in (('item', quality.RAW), ('user', quality.CENTRED)):
        setting = {'side': side, **quality.WAYS[way], 'decay': 0.0, **SMALL, 'epochs': 2}
        got = []
        quality.fit_autorec(train, setting, 0, lambda epoch, predict: got.append(predict(asked)))
        assert got[-1][:2].tolist() == [3, 3] and got[-1][2] != 3


def test_ml1m_runs_and_says_that_a_file_is_missing(quality, frame, monkeypatch, tmp_path):
    small_grids(quality, monkeypatch)
    path = tmp_path / 'ratings.parquet'
    frame.rename(columns={'user_id': 'user', 'item_id': 'movie'}).to_parquet(path)
    rows = quality.ml1m(
        arguments(quality, 'ml1m', [path, '--seeds', 0, 1, '--out', tmp_path / 'rows'])
    )
    assert [(r['seed'], r['model']) for r in rows] == [
        (0, 'I-AutoRec'),
        (1, 'I-AutoRec'),
        (0, 'U-AutoRec'),
        (1, 'U-AutoRec'),
    ]
    assert len({r['rmse'] for r in rows}) == 4
    with pytest.raises(FileNotFoundError, match='absent.parquet is not there.*skipped: give'):
        quality.ml1m(arguments(quality, 'ml1m', [tmp_path / 'absent.parquet']))


def test_what_goes_in_and_what_comes_out_are_as_named(quality, monkeypatch):
    """The rows that the net is shown, and those it has to rebuild, at the observed places."""
    train = quality.Ratings(
        np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5, 2, 4], 'float32'), 2, 2
    )
    rest = train.ratings - quality.d2l.BiasBaseline(SMALL['damping']).fit(*train).predict(
        train.users, train.items
    )
    holds = {'ratings': train.ratings, 'residuals': rest, 'mask': np.full(3, 3.0)}
    made, rows = [], quality.d2l.RatingRows
    monkeypatch.setattr(quality.d2l, 'RatingRows', lambda *a: made.append(rows(*a)) or made[-1])
    for way in quality.WAYS.values():
        setting = {'side': 'user', **way, 'decay': 0.0, **SMALL, 'epochs': 1}
        quality.fit_autorec(train, setting, 0, lambda *a: None)
        columns = made[-1].columns
        for name, column in (('shown', 'rows'), ('target', 'target')):
            found = columns[column][train.users, train.items]
            assert found == pytest.approx(holds[way[name]], abs=1e-6)
        assert columns['mask'].tolist() == [[1, 1], [1, 0]] and columns['rows'][1, 1] == 0
