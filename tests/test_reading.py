"""Files and names as people have them, beyond the plain cases: what each is read as."""

import json
import warnings
import zipfile

import d2lrec as d2l

import numpy as np
import pandas as pd
import pytest
from helpers import randomize

LOG = 'user,item,clicked\n' + ''.join(f'u{i % 5},i{i % 7},{i % 2}\n' for i in range(40))
HOW = {'label': 'clicked', 'categories': ['user', 'item'], 'numbers': []}


def test_what_macos_adds_to_a_zip_is_passed_over(tmp_path):
    with zipfile.ZipFile(tmp_path / 'log.csv.zip', 'w') as archive:
        archive.writestr('folder/', b'')
        archive.writestr('folder/log.csv', LOG)
        archive.writestr('__MACOSX/folder/._log.csv', b'\0\5\x16\7')
        archive.writestr('folder/.DS_Store', b'\0\0')
    assert len(d2l.read(tmp_path / 'log.csv.zip', **HOW)) == 40
    made = d2l.encode(tmp_path / 'log.csv.zip', tmp_path / 'out', verbose=False, **HOW)
    assert len(made) == 40
    with zipfile.ZipFile(tmp_path / 'two.zip', 'w') as archive:
        archive.writestr('a.csv', LOG)
        archive.writestr('b.csv', LOG)
    with pytest.raises(ValueError, match='holds 2 files: unpack it'):
        d2l.read(tmp_path / 'two.zip', **HOW)


def test_an_address_is_no_path():
    with pytest.raises(ValueError, match='is an address: download it, and give the path'):
        d2l.read('https://example.org/log.csv', **HOW)


@pytest.mark.parametrize('how', [['tags'], {'tags': None}])
def test_objects_of_json_lines_are_weighted_values(tmp_path, how):
    rows = [{'y': i % 2, 'tags': [{'a': 0.5, 'b': 2}, {}, None, {'b': 1}][i % 4]} for i in range(8)]
    (tmp_path / 'log.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    said = {'label': 'y', 'categories': [], 'numbers': [], 'multi': how}
    data = d2l.read(tmp_path / 'log.jsonl', **said).dataset(min_threshold=1)
    assert data.weights[:4].tolist() == [[0.5, 2], [0, 0], [0, 0], [1, 0]]
    assert data.words(0)['tags'] == ('a', 'b') and data.words(3)['tags'] == ('b',)
    frame = d2l.read(pd.DataFrame(rows), **said).dataset(min_threshold=1)
    np.testing.assert_array_equal(frame.features, data.features)
    folder = d2l.encode(
        tmp_path / 'log.jsonl', tmp_path / 'out', verbose=False, min_threshold=1, seed=None, **said
    )
    np.testing.assert_array_equal(folder.features, data.features)
    np.testing.assert_array_equal(folder.weights, data.weights)


def test_objects_that_are_no_weights_are_told_to_be_flattened(tmp_path):
    rows = [{'y': i % 2, 'who': {'id': i, 'city': 'Oslo'}} for i in range(4)]
    (tmp_path / 'log.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    with pytest.raises(ValueError, match="'who' holds objects .* pandas.json_normalize"):
        d2l.read(tmp_path / 'log.jsonl')


@pytest.mark.parametrize('ones, zeros', [('t', 'f'), ('T', 'F'), ('y', 'n'), ('Yes', 'No')])
def test_truths_by_their_letter(ones, zeros):
    frame = pd.DataFrame({'click': [ones, zeros] * 4, 'town': list('abcd') * 2})
    table = d2l.read(frame, label='click', categories=['town'], numbers=[])
    assert table.labels.tolist() == [1, 0] * 4


@pytest.mark.parametrize('labelled', [True, False])
def test_a_file_of_criteo_s_is_known_by_its_looks(tmp_path, labelled):
    rows = [
        [*([i % 2] if labelled else []), *range(i, i + 13), *(f'{i * k:08x}' for k in range(26))]
        for i in range(20)
    ]
    path = tmp_path / 'train.txt'
    path.write_text('\n'.join('\t'.join(map(str, row)) for row in rows))
    with pytest.warns(UserWarning, match="looks like Criteo's: say format='criteo'"):
        d2l.read(path)


def read_both(path, folder, **how):
    """A table of a file, held against what `encode` makes of it."""
    table = d2l.read(path, **how)
    data = table.dataset(min_threshold=1)
    out = d2l.encode(path, folder, verbose=False, min_threshold=1, seed=None, **how)
    np.testing.assert_array_equal(out.features, data.features)
    np.testing.assert_array_equal(out.labels, data.labels)
    return table


@pytest.mark.parametrize('end', ['\n', '\r\n'])
@pytest.mark.parametrize('lead', ['', '\n', '\n\n\n', 'sep=,\n', '\n"sep=,"\n\n', '\ufeffsep=,\n'])
@pytest.mark.parametrize('header', [True, False])
def test_lines_before_the_first_row_are_passed_over(tmp_path, lead, end, header):
    text = lead + (LOG if header else LOG.split('\n', 1)[1])
    path = tmp_path / 'log.csv'
    path.write_bytes(text.replace('\n', end).encode())
    names = {} if header else {'names': ['user', 'item', 'clicked']}
    table = read_both(path, tmp_path / 'out', **HOW, **names)
    assert len(table) == 40 and table.frame.user[0] == 'u0' and table.labels.sum() == 20


def test_excel_says_what_parts_the_cells(tmp_path):
    path = tmp_path / 'log.csv'
    path.write_text('sep=^\n' + LOG.replace(',', '^'))
    assert len(read_both(path, tmp_path / 'out', **HOW)) == 40
    parts = tmp_path / 'parts'
    parts.mkdir()
    (parts / '1.csv').write_text('sep=,\n' + LOG)
    (parts / '2.csv').write_text('\n' + LOG)
    (parts / '3.csv').write_text(LOG)
    assert len(read_both(parts, tmp_path / 'all', **HOW)) == 120


def test_lines_that_end_in_a_separator_have_no_column_more(tmp_path):
    path = tmp_path / 'log.csv'
    path.write_text(LOG.replace('\n', ',\n'))
    with pytest.warns(UserWarning, match='are guesses'):
        table = d2l.read(path)
    assert table.schema.categories == ('user', 'item') and len(table) == 40
    assert len(read_both(path, tmp_path / 'out', **HOW)) == 40
    path.write_text('a,b,\n1,2,x\n0,3,y\n')  # a column that has cells stays one
    with pytest.warns(UserWarning, match='guesses'):
        assert 'column 3' in d2l.read(path, header=True).schema.categories


def test_an_object_is_no_single_value():
    frame = pd.DataFrame({'y': [0, 1] * 4, 'town': [{'Oslo': 1}, {'Rome': 2}] * 4})
    with pytest.raises(ValueError, match="'town' has {value: weight} where one value is wanted"):
        d2l.read(frame, label='y', categories=['town'], numbers=[]).dataset()
    train = d2l.read(frame.assign(town=['Oslo', 'Rome'] * 4), label='y', categories=['town'],
                     numbers=[]).dataset(min_threshold=1)  # fmt: skip
    saved = d2l.Saved(randomize(d2l.LR(train.field_dims)), train.encoder)
    status, told = saved.answer(b'{"town": {"Oslo": 1}}')
    assert status == 400 and 'where one value is wanted' in json.loads(told)['error']


# --- ratings


RATED = [(u, i, 1 + (u * i) % 5, 100 + u) for u in range(1, 7) for i in range(1, 9) if (u + i) % 3]


@pytest.mark.parametrize('sep, end', [('::', '.dat'), (',', '.csv'), ('\t', '.tsv')])
def test_ratings_without_names_have_those_of_a_folder(tmp_path, sep, end):
    path = tmp_path / f'log{end}'
    path.write_text('\n'.join(sep.join(map(str, row)) for row in RATED))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        table = d2l.read_ratings(path)
    assert list(table.frame.columns) == ['user', 'item', 'rating', 'time']
    again = d2l.read(path, schema=table.schema)
    assert again.labels.tolist() == table.labels.tolist()
    assert d2l.read_ratings(path, names=['a', 'b', 'c', 'd'], user='a').schema.label == 'c'


def rated(rows=RATED):
    frame = pd.DataFrame(rows, columns=['user', 'item', 'rating', 'time'])
    return d2l.read_ratings(frame)


def test_a_model_of_ratings_keeps_names_over_save_and_load(tmp_path):
    ratings = rated().ratings()
    net = d2l.MF(3, ratings.num_users, ratings.num_items, mean=3.0)
    d2l.fit(net, ratings, num_epochs=1)
    d2l.save(net, tmp_path / 'net', ratings)
    saved = d2l.load(tmp_path / 'net')
    assert saved.encoder is None
    for users in (['2', '5'], [2, 5], np.array([2, 5]), pd.Series([2.0, 5.0])):
        got = saved.recommend(users, 3, seen=ratings)
        expected = d2l.recommend(net, users, 3, seen=ratings)
        pd.testing.assert_frame_equal(got, expected)
    alone = saved.recommend(['2'], 8, seen=False)  # by name, without the ratings
    assert sorted(alone.item) == sorted(ratings.item_names)
    with pytest.raises(ValueError, match='does not know the user 99: fold'):
        saved.recommend([99], 3, seen=False)
    other = rated(RATED[::-1]).ratings()
    with pytest.raises(ValueError, match='in another way than what MF was trained on'):
        saved.recommend(['2'], 3, seen=other)
    with pytest.raises(ValueError, match='in another way than what MF was trained on'):
        d2l.save(net, tmp_path / 'other', other)
    with pytest.raises(ValueError, match='numbers only, no names'):
        d2l.save(net, tmp_path / 'other', d2l.Ratings([0], [0], [3]))
    with pytest.raises(ValueError, match='data are ratings'):
        d2l.save(randomize(d2l.LR([3, 2])), tmp_path / 'other', ratings)


@pytest.mark.parametrize('kind', ['MF', 'AutoRec'])
def test_a_new_user_is_folded_in_by_names_of_items(kind):
    ratings = rated().ratings()
    if kind == 'MF':
        net = randomize(d2l.MF(3, ratings.num_users, ratings.num_items, mean=3.0))
    else:
        net = randomize(d2l.AutoRec(4, num_users=ratings.num_items))  # by user
    mine = {'user': 'zoe', 'item': ['7', '2', 'unheard of'], 'rating': [5, 1, 3.5]}
    new = d2l.read_ratings(pd.DataFrame(mine)).ratings()
    with pytest.warns(UserWarning, match='1 of the 3 new ratings are of items that the net does'):
        got = d2l.recommend(net, new, 4, seen=ratings)
    numbers = [ratings.item_names.index(n) for n in ('7', '2')]
    plain = d2l.Ratings([0, 0], numbers, [5, 1], 1, ratings.num_items)
    expected = d2l.recommend(net, plain, 4, seen=ratings)
    assert got.user.tolist() == ['zoe'] * 4 and got.item.tolist() == expected.item.tolist()
    np.testing.assert_allclose(got.score, expected.score, rtol=1e-6)
    stranger = d2l.read_ratings(pd.DataFrame({**mine, 'item': ['x', 'y', 'z']})).ratings()
    with pytest.raises(ValueError, match='no item of the new ratings is among those of training'):
        d2l.recommend(net, stranger, 4, seen=ratings)
