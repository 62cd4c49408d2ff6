"""From a reader's own file to lists of recommendations, in ten lines of the reader's code each.

Ten kinds of files hold planted clicks or ratings. The net that is fitted must beat chance by far
on rows held out; it is saved, loaded, and lists for users what they have not seen, the better
items first.
"""

import bz2
import gzip
import inspect
import json

import d2lrec as d2l

import numpy as np
import pandas as pd
import pytest

N, ITEMS = 3000, 60
PRICES = np.random.default_rng(7).gamma(2, 3, ITEMS).round(2)
TAGS = [
    list(np.random.default_rng(i).choice(list('abcde'), i % 4, replace=False)) for i in range(ITEMS)
]
WORTH = (
    np.arange(ITEMS) % 2 + (PRICES > 5) + 1.5 * np.array([('a' in t) - ('b' in t) for t in TAGS])
)
WORTH = {f'상품 {i}': worth for i, worth in enumerate(WORTH - WORTH.mean())}


def planted(seed=0):
    """Clicks that depend on the user, the item, its price, which may be missing, and its tags."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 30, N), rng.integers(0, ITEMS, N)
    frame = pd.DataFrame({'user': user, 'item': [f'상품 {i}' for i in item], 'price': PRICES[item]})
    score = (user % 3 - 1) + frame.item.map(WORTH)
    click = (rng.random(N) < 1 / (1 + np.exp(-1.5 * score))).astype(int)
    frame['tags'], frame['time'] = [TAGS[i] for i in item], np.arange(N) // 2
    frame['click'] = click
    frame.loc[::19, 'price'] = np.nan
    return frame


def flat(frame):
    return frame.assign(tags=frame.tags.map('|'.join))


def shelf(frame):
    """The items' own columns, one row an item."""
    return frame.drop_duplicates('item')[['item', 'price', 'tags']]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ten_lines(function, seen=None, worth=WORTH):
    """Run a reader's code of at most ten lines, and look at the AUC and the lists it returns."""
    lines = inspect.getsource(function).strip().split('\n')[1:]
    assert len([line for line in lines if line.strip()]) <= 10
    auc, lists = function()
    assert auc > 0.7
    assert len(lists) and np.isfinite(lists.score).all()
    for _, one in lists.groupby('user'):
        assert one['rank'].tolist() == list(range(1, len(one) + 1))
        assert one.score.is_monotonic_decreasing and one.item.is_unique
    if seen is not None:
        pairs = set(zip(seen.user.astype(str), seen.item.astype(str)))
        assert not pairs & set(zip(lists.user.astype(str), lists.item.astype(str)))
    if worth is not None:  # what is listed is better than the average of all, which is 0
        assert lists.item.map(worth).mean() > 0.3


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
        saved, items = d2l.load('log.d2l'), shelf(log.frame)
        return d2l.evaluate(net, test)['auc'], saved.recommend(['1', '7'], 5, seen=log, items=items)

    ten_lines(reader, seen=planted())


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
        lists = d2l.load('log.d2l').recommend(['0'], 5, seen=log, items=shelf(log.frame))
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, seen=planted())


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
        lists = d2l.load('log.d2l').recommend(['3', '4'], 4, seen=log, items=shelf(log.frame))
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, seen=planted())


def test_parquet_with_lists(folder):
    planted().to_parquet(folder / 'log.parquet')

    def reader():
        log = d2l.read('log.parquet', label='click', categories=['user', 'item'],
                       numbers=['price'], multi=['tags'], user='user')  # fmt: skip
        train, valid, test = log.datasets('users', model=d2l.WideDeep)
        net = d2l.WideDeep.for_data(train, 8, [16])
        d2l.fit(net, train, valid, num_epochs=6)
        d2l.save(net, 'log.d2l', train)
        lists = d2l.load('log.d2l').recommend(range(30), 5, seen=log, items=shelf(log.frame))
        return d2l.evaluate(net, test)['auc'], lists

    with pytest.warns(UserWarning, match="the field 'user' is unknown"):  # new users, by design
        ten_lines(reader, seen=planted())


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
        lists = d2l.load('log.d2l').recommend([1, 2], 5, seen=log, items=shelf(planted(1)))
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, seen=planted())


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
        lists = d2l.load('log.d2l').recommend(['new', 5], 5, seen=frame, items=shelf(frame))
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, seen=frame)


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
        asked = d2l.read('test.txt', schema=log.schema).frame.drop(columns='C2')[:2]
        ads, saved = log.frame[['C2']].drop_duplicates(), d2l.load('criteo.d2l')
        lists = saved.recommend(asked, 2, seen=False, items=ads, user='C1', item='C2')
        return d2l.evaluate(net, test)['auc'], lists.assign(user=lists.index // 2)

    ten_lines(reader, worth={w: (w > '00000003') - 0.5 for w in map('{:08x}'.format, range(1, 6))})


def test_libsvm_with_labels_of_minus_one(folder):
    rng = np.random.default_rng(4)
    lines, scores = [], []
    for _ in range(N):
        on = np.sort(rng.choice(30, 5, replace=False)) + 1
        values = rng.random(5).round(3) + 0.5
        score = (values * np.where(on % 2, 1, -1)).sum()
        scores.append(score)
        label = 1 if rng.random() < 1 / (1 + np.exp(-score)) else -1
        lines.append(f'{label:+d} ' + ' '.join(f'{i}:{v}' for i, v in zip(on, values)))
    (folder / 'log.libsvm').write_text('\n'.join(lines))

    def reader():
        log = d2l.read('log.libsvm', label='label', categories=[], numbers=[], multi=['features'])
        train, valid, test = log.datasets()
        net = d2l.FM.for_data(train, num_factors=4)
        d2l.fit(net, train, valid, num_epochs=8, lr=0.02)
        d2l.save(net, 'log.d2l', train)
        items = log.frame[['features']].assign(item=range(len(log)))  # which rows are the best
        lists = d2l.load('log.d2l').recommend(['anybody'], 5, seen=False, items=items)
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, worth=dict(enumerate(scores)))


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
        items = pd.DataFrame({'item': range(15), 'field 1': [[100 + i] for i in range(15)]})
        lists = d2l.load('log.d2l').recommend([4, 5], 3, seen=False, items=items, user='field 0')
        return d2l.evaluate(net, test)['auc'], lists

    ten_lines(reader, worth={i: i % 3 - 1 for i in range(15)})


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
        d2l.save(net, 'stars.d2l')
        return 0.7 + better, d2l.load('stars.d2l').recommend(['1', '8'], 3, seen=train)

    ten_lines(reader, worth={str(i * 11 + 3): (i * 11 + 3) % 3 - 1 for i in range(30)})
    ratings = d2l.read_ratings('.').ratings()
    assert set(ratings.ratings.tolist()) == set(stars.tolist()) and 0.5 in ratings.ratings
    assert ratings.user_names[0] == '1' and len(ratings.item_names) == 30
    table = d2l.read_ratings('.')
    assert table.schema.multi == {'genres': '|'} and table.frame.title[0] == 'A, "film"'
