"""From a reader's own file to a fitted, saved and loaded net, in ten lines of the reader's code.

Nine kinds of files hold one planted table: what is learned from it must beat chance by far, and a
new row is predicted by its names.
"""

import bz2
import gzip
import inspect
import json

import d2lrec as d2l

import numpy as np
import pandas as pd
import pytest

N = 3000


def planted(seed=0):
    """Clicks that depend on the user, the item, a price that may be missing, and tags."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 30, N), rng.integers(0, 20, N)
    price = rng.gamma(2, 3, N).round(2)
    tags = [list(rng.choice(list('abcde'), rng.integers(0, 4), replace=False)) for _ in range(N)]
    score = (user % 3 - 1) + (item % 2 - 0.5) + (price > 5) - 0.5 + 1.5 * np.array(
        [('a' in t) - ('b' in t) for t in tags]
    )  # fmt: skip
    click = (rng.random(N) < 1 / (1 + np.exp(-1.5 * score))).astype(int)
    frame = pd.DataFrame({'user': user, 'item': [f'상품 {i}' for i in item], 'price': price})
    frame['tags'], frame['time'], frame['click'] = tags, np.arange(N) // 2, click
    frame.loc[::19, 'price'] = np.nan
    return frame


def flat(frame):
    return frame.assign(tags=frame.tags.map('|'.join))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ten_lines(function):
    """Run a reader's code of at most ten lines; the AUC it returns must beat chance by far."""
    lines = inspect.getsource(function).strip().split('\n')[1:]
    assert len([line for line in lines if line.strip()]) <= 10
    auc, probs = function()
    assert auc > 0.7 and np.isfinite(probs).all() and len(probs)


def test_csv_with_header_quotes_bom_crlf_and_gzip(folder):
    text = flat(planted()).to_csv(index=False, quoting=1, lineterminator='\r\n')
    (folder / 'log.csv.gz').write_bytes(gzip.compress(text.encode('utf-8-sig')))

    def reader():
        log = d2l.read('log.csv.gz', label='click', categories=['user', 'item'],
                       numbers=['price'], multi={'tags': '|'}, time='time')  # fmt: skip
        train, valid, test = log.datasets('time')
        net = d2l.DeepFM.for_data(train, num_factors=8, mlp_dims=[16])
        d2l.fit(net, train, valid, num_epochs=6)
        d2l.save(net, 'log.d2l', train)
        probs = d2l.load('log.d2l').predict('log.csv.gz')
        return d2l.evaluate(net, test)['auc'], probs

    ten_lines(reader)


def test_tsv_without_header_in_a_folder_of_parts_in_cp949(folder):
    frame, parts = flat(planted()), folder / 'parts'
    parts.mkdir()
    for i, part in enumerate(np.array_split(np.arange(N), 3)):
        frame.iloc[part].to_csv(
            parts / f'part-{i}.tsv', sep='\t', index=False, header=False, encoding='cp949'
        )

    def reader():
        names = ['user', 'item', 'price', 'tags', 'time', 'click']
        log = d2l.read('parts', names=names, label='click', categories=['user', 'item'],
                       numbers=['price'], multi={'tags': '|'}, encoding='cp949')  # fmt: skip
        train, valid, test = log.datasets('random', seed=1)
        net = d2l.FM.for_data(train, num_factors=8)
        d2l.fit(net, train, valid, num_epochs=6)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict('parts/part-1.tsv')

    ten_lines(reader)


def test_semicolons_and_bzip2_all_guessed(folder):
    text = flat(planted()).to_csv(index=False, sep=';')
    (folder / 'log.txt.bz2').write_bytes(bz2.compress(text.encode()))

    def reader():
        with pytest.warns(UserWarning, match=r"label='click'.* are guesses: pass these"):
            log = d2l.read('log.txt.bz2')
        train, valid, test = log.datasets('time', numbers='logsquare')
        net = d2l.LR.for_data(train)
        d2l.fit(net, train, valid, num_epochs=6, lr=0.05)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict(log.frame)

    ten_lines(reader)


def test_parquet_with_lists(folder):
    planted().to_parquet(folder / 'log.parquet')

    def reader():
        log = d2l.read('log.parquet', label='click', categories=['user', 'item'],
                       numbers=['price'], multi=['tags'], user='user')  # fmt: skip
        train, valid, test = log.datasets('users', model=d2l.WideDeep)
        net = d2l.WideDeep.for_data(train, 8, [16])
        d2l.fit(net, train, valid, num_epochs=6)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict('log.parquet')

    with pytest.warns(UserWarning, match="the field 'user' is unknown"):  # new users, by design
        ten_lines(reader)


def test_json_lines_of_any_order(folder):
    rows = planted().astype({'price': object}).replace({np.nan: None}).to_dict('records')
    lines = [json.dumps(dict(sorted(r.items())), ensure_ascii=False) for r in rows]
    (folder / 'log.jsonl').write_text('\n'.join(lines), encoding='utf-8')

    def reader():
        log = d2l.read('log.jsonl', label='click', categories=['user', 'item'],
                       numbers=['price'], multi=['tags'], time='time', user='user')  # fmt: skip
        train, valid, test = log.datasets('last', pool='mean', model=d2l.DLRM)
        net = d2l.DLRM.for_data(train, 8, [16])
        d2l.fit(net, train, valid, num_epochs=6, lr=0.02)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict(planted(1))

    ten_lines(reader)


def test_a_frame_with_a_label_of_true_and_false_and_weights(folder):
    frame = planted().assign(click=lambda f: f.click.astype(bool), w=1.0)
    frame.loc[::3, 'w'] = 2.0

    def reader():
        log = d2l.read(frame, label='click', weight='w', categories=['user', 'item'],
                       numbers=['price'], multi=['tags'])  # fmt: skip
        train, valid, test = log.datasets()
        net = d2l.XDeepFM.for_data(train, 8, [16], cin_dims=(8,))
        d2l.fit(net, train, valid, num_epochs=6)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict(frame[:5])

    ten_lines(reader)


def criteo_lines(labels=True):
    rng = np.random.default_rng(3)
    lines = []
    for _ in range(N):
        counts = [str(v) if v < 40 else '' for v in rng.integers(-2, 45, 13)]
        words = [f'{v:08x}' if v else '' for v in rng.integers(0, 6, 26)]
        score = (words[0] > '00000002') + (words[1] > '00000003') - 1
        click = int(rng.random() < 1 / (1 + np.exp(-3 * score)))
        lines.append('\t'.join([str(click)] * labels + counts + words))
    return '\n'.join(lines) + '\n'


def test_criteo_and_its_test_file_without_labels(folder):
    (folder / 'train.txt').write_text(criteo_lines())
    (folder / 'test.txt').write_text(criteo_lines(labels=False))

    def reader():
        log = d2l.read('train.txt', format='criteo')
        train, valid, test = log.datasets(numbers='logsquare')
        net = d2l.DCN.for_data(train, num_factors=4, mlp_dims=[16])
        d2l.fit(net, train, valid, num_epochs=4)
        d2l.save(net, 'criteo.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('criteo.d2l').predict('test.txt')

    ten_lines(reader)


def test_libsvm_with_labels_of_minus_one(folder):
    rng = np.random.default_rng(4)
    lines = []
    for _ in range(N):
        on = np.sort(rng.choice(30, 5, replace=False)) + 1
        values = rng.random(5).round(3) + 0.5
        score = (values * np.where(on % 2, 1, -1)).sum()
        label = 1 if rng.random() < 1 / (1 + np.exp(-score)) else -1
        lines.append(f'{label:+d} ' + ' '.join(f'{i}:{v}' for i, v in zip(on, values)))
    (folder / 'log.libsvm').write_text('\n'.join(lines))

    def reader():
        log = d2l.read('log.libsvm', label='label', categories=[], numbers=[], multi=['features'])
        train, valid, test = log.datasets()
        net = d2l.FM.for_data(train, num_factors=4)
        d2l.fit(net, train, valid, num_epochs=8, lr=0.02)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict('log.libsvm')

    ten_lines(reader)


def test_libffm_with_values(folder):
    rng = np.random.default_rng(5)
    lines = []
    for _ in range(N):
        user, item, value = rng.integers(0, 20), rng.integers(0, 15), round(rng.random(), 2) + 0.5
        score = 2 * (user % 2) - 1 + (item % 3 - 1) * value
        label = int(rng.random() < 1 / (1 + np.exp(-1.5 * score)))
        lines.append(f'{label} 0:{user}:1 1:{100 + item}:{value}')
    (folder / 'log.ffm').write_text('\n'.join(lines))

    def reader():
        log = d2l.read('log.ffm', label='label', categories=['field 0'], numbers=[],
                       multi=['field 1'])  # fmt: skip
        train, valid, test = log.datasets()
        net = d2l.FFM.for_data(train, num_factors=4)
        d2l.fit(net, train, valid, num_epochs=8, lr=0.02)
        d2l.save(net, 'log.d2l', train)
        return d2l.evaluate(net, test)['auc'], d2l.load('log.d2l').predict('log.ffm')

    ten_lines(reader)


def test_ratings_with_half_stars_in_the_form_of_movielens_latest(folder):
    rng = np.random.default_rng(6)
    users, items = np.arange(60).repeat(30) * 7 + 1, np.tile(np.arange(30), 60) * 11 + 3
    stars = np.clip(np.round(2 * (3 + (items % 3 - 1) + rng.normal(0, 0.7, 1800))) / 2, 0.5, 5)
    pd.DataFrame({'userId': users, 'movieId': items, 'rating': stars, 'timestamp': 1}).to_csv(
        'ratings.csv', index=False
    )
    films = pd.DataFrame({'movieId': np.arange(30) * 11 + 3, 'title': 'A, "film"'})
    films.assign(genres='Drama|War').to_csv('movies.csv', index=False)

    def reader():
        table = d2l.read_ratings('.')
        ratings = table.ratings()
        train, valid, test = (ratings[rows] for rows in table.split_rows('random'))
        net = d2l.MF(4, ratings.num_users, ratings.num_items, mean=float(train.ratings.mean()))
        d2l.fit(net, train, valid, num_epochs=20, lr=0.02)
        better = test.ratings.std() - d2l.evaluate(net, test)['rmse']
        return 0.7 + better, d2l.predict(net, test)

    ten_lines(reader)
    ratings = d2l.read_ratings('.').ratings()
    assert set(ratings.ratings.tolist()) == set(stars.tolist()) and 0.5 in ratings.ratings
    assert ratings.user_names[0] == '1' and len(ratings.item_names) == 30
    table = d2l.read_ratings('.')
    assert table.schema.multi == {'genres': '|'} and table.frame.title[0] == 'A, "film"'
