"""`read`: what is read is what the file says, and what is odd is refused in one sentence."""

import bz2
import gzip
import io
import lzma
import warnings
import zipfile

import d2lrec as d2l
from d2lrec.data import archive_files
from d2lrec.data.plan import Plan
from d2lrec.data.splits import split_rows

import numpy as np
import pandas as pd
import pytest

SAID = {'label': 'y', 'categories': ['user'], 'numbers': ['price'], 'multi': {'tags': '|'}}
TEXT = 'user,price,tags,y\nann,1.5,a|b,1\nbob,,,0\n"c, d",3,b,1\n'


def write(tmp_path, data, name='log.csv'):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    'change',
    [
        lambda t: t.encode('utf-8-sig'),
        lambda t: t.replace('\n', '\r\n').encode(),
        lambda t: t.replace('\n', '\r').encode(),
        lambda t: t.rstrip('\n').encode(),
        lambda t: t.encode('utf-16'),
        lambda t: (t + '\n\n').encode(),
    ],
)
def test_marks_and_ends_of_lines_change_nothing(tmp_path, change):
    data = change(TEXT)
    how = {'encoding': 'utf-16'} if data[:2] in (b'\xff\xfe', b'\xfe\xff') else {}
    log = d2l.read(write(tmp_path, data), **SAID, **how)
    assert log.frame.user.tolist() == ['ann', 'bob', 'c, d']
    assert log.labels.tolist() == [1, 0, 1]
    assert np.array_equal(log.numbers('price'), [1.5, np.nan, 3], equal_nan=True)
    assert [log.lists('tags').cells[c] for c in log.lists('tags').codes] == ['a', 'b', 'b']
    assert log.lists('tags').counts.tolist() == [2, 0, 1]


@pytest.mark.parametrize('sep', ['\t', ';', '::', '|', '~~', '\x01'])
def test_any_separator(tmp_path, sep):
    rows = [['user', 'price', 'y'], ['ann', '1', '1'], ['bob', '2', '0']]
    path = write(tmp_path, '\n'.join(sep.join(r) for r in rows))
    said = {'sep': sep} if sep in ('~~', '\x01') else {}
    log = d2l.read(path, label='y', categories=['user'], numbers=['price'], **said)
    assert log.frame.user.tolist() == ['ann', 'bob'] and log.labels.tolist() == [1, 0]


def test_a_quoted_cell_may_hold_lines_anywhere(tmp_path):
    rows = ''.join(f'u{i},{i},{i % 2}\n' for i in range(60_000))
    path = write(tmp_path, 'user,price,y\n' + rows + '"two\nlines",5,1\n')
    log = d2l.read(path, label='y', categories=['user'], numbers=['price'])
    assert len(log) == 60_001 and log.frame.user.iloc[-1] == 'two\nlines'


@pytest.mark.parametrize('cells', [('0', '1'), ('-1', '1'), ('false', 'True'), ('0.0', '1.0')])
def test_labels_of_every_kind_anywhere(tmp_path, cells):
    text = 'a,liked,b\n' + ''.join(f'x{i},{cells[i % 2]},z\n' for i in range(4))
    log = d2l.read(write(tmp_path, text), label='liked', categories=['a', 'b'], numbers=[])
    assert log.labels.tolist() == [0, 1, 0, 1]
    log = d2l.read(log.frame, label='liked', categories=['a', 'b'], numbers=[])
    assert log.labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    'cells, more, words',
    [
        (['0', '1', 'x', ''], {}, "row 3 is 'x', row 4 is missing: mend these rows"),
        (['0', '1', '2', '5'], {}, "row 3 is '2', row 4 is '5': say threshold="),
        (['1', '4.5', 'x'], {'threshold': 4}, "to be a number, but row 3 is 'x'"),
        (['-1', '1', '0'], {}, 'is to be 0 or 1, -1 or 1, true or false, yes or no, but row 1'),
    ],
)
def test_odd_labels_are_refused_with_their_rows(cells, more, words):
    frame = pd.DataFrame({'a': 'x', 'y': cells})
    with pytest.raises(ValueError, match=words):
        d2l.read(frame, label='y', categories=['a'], numbers=[], **more)


def test_a_threshold_makes_clicks_of_ratings():
    frame = pd.DataFrame({'a': 'x', 'stars': [0.5, 3.5, 4, 4.5]})
    log = d2l.read(frame, label='stars', threshold=4, categories=['a'], numbers=[])
    assert log.labels.tolist() == [0, 0, 1, 1] and repr(log).count('label stars >= 4')


def test_the_guess_is_one_sentence_and_passing_it_confirms_it(tmp_path):
    text = 'user_id,item,price,tags,timestamp,click\n' + ''.join(
        f'{i % 70},i{i % 9},{i / 7:.3f},a|b{i % 3},{i},{i % 2}\n' for i in range(500)
    )
    path = write(tmp_path, text)
    with pytest.warns(UserWarning) as said:
        log = d2l.read(path)
    assert len(said) == 1
    assert repr(log.schema) == (
        "label='click', categories=['user_id', 'item'], numbers=['price'], multi={'tags': '|'}, "
        "time='timestamp', user='user_id', item='item'"
    )
    assert f'log.csv was read with {log.schema!r}, of which' in str(said[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        again = eval(f'd2l.read(path, {log.schema!r})')
        later = d2l.read(path, schema=log.schema)
    assert again.schema == log.schema == later.schema
    assert (again.dataset().features == log.dataset().features).all()


def test_a_number_beyond_the_first_rows_that_is_text_makes_a_category(tmp_path):
    text = 'price,y\n' + ''.join(f'{i / 3:.6f},{i % 2}\n' for i in range(100_000)) + 'free,1\n'
    with pytest.warns(UserWarning, match=r"categories=\['price'\], numbers=\[\]"):
        log = d2l.read(write(tmp_path, text), label='y')
    assert log.frame.price.iloc[-1] == 'free'


@pytest.mark.parametrize(
    'data, how, words',
    [
        (b'a,b\n1,2\n1,2,3\n', {'label': 'b'}, r"row 3 \('1,2,3'\) has 3 cells where 2 are"),
        ('a,b\n상품,1\n'.encode('cp949'), {}, "not text in UTF-8: name its encoding, encoding='cp"),
        ('a,b\n상품,1\n'.encode('utf-16'), {}, "is text in UTF-16: say encoding='utf-16'"),
        (b'\x1f\x8b\x08\x00', {}, 'is compressed by gzip: name it'),
        (b'', {}, 'is empty'),
        (b'one\ntwo\n', {}, 'line 1: no tab, comma, semicolon'),
        (b'a,a\n1,2\n', {}, "two columns are called 'a': rename"),
        (b'a,b\nx,inf\n', {'label': False, 'categories': ['a'], 'numbers': ['b']}, 'is inf: give'),
        (b'a,b\nx,9,\n', {}, 'row 2'),
        (b'a,b\nx,q\n', {'label': False, 'categories': [], 'numbers': ['b']}, "row 1 is 'q'"),
        (b'a,b\nx,1\n', {'label': 'click'}, "has no column 'click': it has a, b"),
        (b'a,b\nx,1\n', {'label': 'b', 'numbers': ['b']}, "'b' is named in label and in numbers"),
        (b'a,b\nx,1\n', {'encoding': 'cp1'}, "encoding is 'cp1', which Python does not know"),
        (b'a,b\nx,1\n', {'format': 'xls'}, "format is 'xls': choose one of csv"),
        (b'a,w,b\nx,-1,1\n', {'weight': 'w', 'label': 'b'}, "weight 'w' of row 1 is -1"),
    ],
)
def test_files_that_are_refused(tmp_path, data, how, words):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with pytest.raises(ValueError, match=words) as error:
            log = d2l.read(write(tmp_path, data), **how)
            log.numbers('b')
    assert str(error.value).count('\n') == 0


@pytest.mark.parametrize(
    'name, text, words',
    [
        ('a.libsvm', '1 1:2\n0 3\n', "row 2: '3' is not index:value"),
        ('a.ffm', '1 1:2\n', "row 1: '1:2' is not field:index:value"),
        ('a.libsvm', '1 1:x\n', "row 1: the value 'x' is no finite number"),
        ('a.libsvm', '1 1:2\n1:2\n', 'row 2 .* has no label in front and others have'),
        ('a.jsonl', '{"a": 1}\n{"a": "x"}\n', 'one object a line, each key with one type'),
        ('a.parquet', 'PAR1', 'is no Parquet file that can be read'),
        ('a.csv.gz', 'no gzip', 'cannot be unpacked'),
    ],
)
def test_other_formats_that_are_refused(tmp_path, name, text, words):
    with pytest.raises(ValueError, match=words):
        d2l.read(write(tmp_path, text, name))


def test_a_source_that_is_not_there(tmp_path):
    for source, kind, words in (
        (tmp_path / 'no.csv', FileNotFoundError, 'does not exist'),
        (tmp_path / 'no*.csv', ValueError, 'no file is called'),
        (tmp_path, ValueError, 'has no file'),
        (5, ValueError, 'the source is a int'),
    ):
        with pytest.raises(kind, match=words):
            d2l.read(source)


def frame(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    made = pd.DataFrame({'user': rng.integers(0, 9, rows), 'price': rng.normal(size=rows)})
    made['tags'] = [list(rng.choice(list('abcd'), rng.integers(0, 4))) for _ in range(rows)]
    made['y'] = rng.integers(0, 2, rows)
    made.loc[::7, 'price'] = np.nan
    return made


def table(**more):
    return d2l.read(
        frame(**more),
        label='y',
        categories=['user'],
        numbers=['price'],
        multi=['tags'],
        user='user',
    )


@pytest.mark.parametrize('numbers', ['quantiles', 'logsquare', 'dense'])
@pytest.mark.parametrize('pool', ['sum', 'mean'])
def test_encoding_equals_its_definition_in_loops(numbers, pool):
    log = table()
    data = log.dataset(numbers, pool=pool, min_threshold=5, num_bins=8)
    raw, vocabulary = log.frame, data.vocabulary
    there = sorted(v for v in raw.price if v == v)
    for i in range(len(raw)):
        user, price, tags = raw.user[i], raw.price[i], raw.tags[i]
        assert data.features[i, 0] == vocabulary.id_of('user', user)
        if numbers == 'dense':
            below = sum(there[len(there) * j // 100] <= price for j in range(1, 100)) / 99
            wanted = [0.5, 1] if price != price else [below, 0]
            assert np.allclose(data.dense[i], wanted)
        elif numbers == 'logsquare':
            rule = f'bin {np.floor(np.log(price) ** 2):.0f}' if price > 2 else None
            word = '' if price != price else rule or str(int(np.floor(price)))
            assert data.words(i)['price'] in (word, None)
        else:
            cuts = sorted({there[len(there) * j // 8] for j in range(1, 8)})
            place = 8 if price != price else sum(c <= price for c in cuts)
            assert data.features[i, 1] - vocabulary.ids_of('price').start == place
        total = len(tags) if pool == 'mean' else 1
        for slot in range(data.bag_sizes[0]):
            id = data.features[i, data.columns_of(data.NUM_FEATS - 1)][slot]
            weight = data.weights[i, slot]
            assert weight == np.float32(1 / total if slot < len(tags) else 0)
            if slot < len(tags):
                assert vocabulary.value_of(int(id)) == ('tags', tags[slot])


def test_what_encodes_goes_with_the_data_and_comes_back(tmp_path):
    train = table().dataset('dense')
    train.encoder.save(tmp_path / 'encoder.json')
    encoder = d2l.Encoder.load(tmp_path / 'encoder.json')
    assert encoder == train.encoder and encoder.bag_sizes == train.bag_sizes
    later = frame(seed=1)
    a, b = (encoder.encode(later), train.encoder.encode(later[['tags', 'price', 'user']]))
    for name, column in a.columns.items():
        assert (column == b.columns[name]).all()
    assert b.labels is None and (a.labels == later.y).all()
    longer = later.assign(tags=[list('aaaaaabcd')] * len(later))
    assert encoder.encode(longer).weights.shape[1] == train.bag_sizes[0]
    with pytest.raises(ValueError, match="no column 'price', which is a feature"):
        encoder.encode(later.drop(columns='price'))
    content = encoder.to_json()
    content['plan']['slots'] = {'tags': -1}
    with pytest.raises(ValueError, match='its slots are not those of its bags'):
        d2l.Encoder.from_json(content)


def test_unknown_values_are_counted_and_beyond_a_share_warned_of():
    train = table().dataset(min_threshold=1)
    later = frame(seed=1)
    later.loc[:299, 'user'] = 99
    with pytest.warns(UserWarning, match="the field 'user' is unknown in 75 % of the rows or more"):
        data = train.encoder.encode(later)
    assert data.unknown[0] == 0.75
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        train.encoder.encode(later, too_many=0.9)


def test_an_encoder_extends_to_newer_values():
    train = table().dataset(min_threshold=1)
    later = frame(seed=1)
    later.loc[:99, 'user'] = 77
    encoder = train.encoder.extend(later, min_threshold=10)
    old = train.vocabulary.fields[0].values
    assert encoder.vocabulary.fields[0].values == (*old, '77')
    assert encoder.vocabulary.fields[1] == train.vocabulary.fields[1]
    assert encoder.encode(later).unknown[0] == 0
    nets = [d2l.FM.for_data(d, 4) for d in (train, encoder.encode(later))]
    for net in nets:
        net.initialize()
    carried = d2l.warm_start(nets[1], encoder, nets[0], train)
    assert (~carried).sum() == 1


@pytest.mark.parametrize('by', ['random', 'time', 'last', 'users'])
def test_splits_hold_each_row_once_and_are_what_they_say(by):
    rng = np.random.default_rng(0)
    times, users = rng.integers(0, 50, 1000), rng.integers(0, 40, 1000)
    parts = split_rows(by, 1000, 0.2, 0.1, 3, times, users)
    assert sorted(np.concatenate(parts).tolist()) == list(range(1000))
    assert all(
        (a == b).all() for a, b in zip(parts, split_rows(by, 1000, 0.2, 0.1, 3, times, users))
    )
    train, valid, test = parts
    if by == 'random':
        assert [len(p) for p in parts] == [700, 200, 100]
        assert (split_rows(by, 1000, 0.2, 0.1, 4)[2] != test).any()
    if by == 'time':  # of equal times the rows further up come first
        keys = [(times[i], i) for i in np.concatenate(parts)]
        assert keys == sorted(keys) and [len(p) for p in parts] == [700, 200, 100]
    if by == 'users':
        sets = [set(users[p]) for p in parts]
        assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]
        assert [len(s) for s in sets] == [28, 8, 4]
    if by == 'last':
        for user in range(40):
            mine = np.flatnonzero(users == user)
            order = sorted(mine, key=lambda i: (times[i], i))
            n, v, t = len(mine), int(len(mine) * 0.2), int(len(mine) * 0.1)
            assert set(order[n - t :]) == set(test) & set(mine)
            assert set(order[n - t - v : n - t]) == set(valid) & set(mine)


def test_splits_that_cannot_be():
    log = table()
    for by, words in (
        ('time', 'needs times: name their column by time='),
        ('mood', "by is 'mood': choose one of"),
    ):
        with pytest.raises(ValueError, match=words):
            log.split(by)
    gone = frame().assign(at=np.where(np.arange(400) == 6, np.nan, 1.0))
    with pytest.raises(ValueError, match="'at' of row 7 is missing"):
        d2l.read(gone, label='y', categories=['user'], numbers=[], time='at').split('time')
    for valid, test in ((0.6, 0.4), (-0.1, 0.1), ('x', 0.1)):
        with pytest.raises(ValueError, match='give a share|leave a share'):
            log.split('random', valid, test)
    with pytest.raises(ValueError, match='cannot be cut into shares'):
        log[:4].split('random', 0.1, 0.1)


def test_the_summary_points_out_what_gives_the_label_away():
    made = frame().assign(
        rating=lambda f: f.y * 2 + 2.5, copy=lambda f: f.y.map({0: 'no', 1: 'yes'}),
        row=lambda f: [f'r{i}' for i in range(len(f))], same='x',
    )  # fmt: skip
    log = d2l.read(
        made, label='y', categories=['user', 'copy', 'row', 'same'], numbers=['rating', 'price']
    )
    lines = {line.split()[0]: line for line in log.summary().split('\n')[2:]}
    assert 'it tells the label in every row' in lines['copy'] and 'user' in lines
    assert 'a rating, by its name' in lines['rating'] and 'tells the label' in lines['rating']
    assert 'every row has a value of its own' in lines['row']
    assert 'it has a single value' in lines['same'] and '14.5% missing' in lines['price']
    assert 'tells' not in lines['user'] and 'tells' not in lines['price']


def test_a_weight_counts_as_so_many_rows():
    """A full step of SGD on weighted rows is that on rows repeated so often; measures likewise."""
    from mxnet import gluon

    made = frame(60).assign(w=lambda f: np.arange(60) % 3)
    said = {'label': 'y', 'categories': ['user'], 'numbers': [], 'multi': ['tags']}
    weighted = d2l.read(made, weight='w', **said)
    repeated = d2l.read(made.loc[made.index.repeat(made.w)], **said)
    first = weighted.dataset(min_threshold=1)
    second = first.encoder.encode(repeated)
    nets, reports, losses = [], [], []
    for data in (first, second):
        d2l.set_seed(0)
        net = d2l.FM.for_data(first, 4)
        net.initialize()
        trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.5})
        history = d2l.fit(net, data, valid=data, trainer=trainer, batch_size=1000, num_epochs=2)
        nets.append(net.linear.weight.data().asnumpy())
        reports.append(d2l.evaluate(net, data))
        losses.append([history.rows[-1][k] for k in ('train_loss', 'train_acc', 'valid_auc')])
    assert np.allclose(*nets, atol=1e-6) and np.allclose(*losses, atol=1e-6)
    assert all(abs(reports[0][k] - reports[1][k]) < 1e-6 for k in reports[0])
    assert first[:7].sample_weight.tolist() == (np.arange(7) % 3).tolist()
    assert d2l.concat([first, first]).sample_weight.sum() == 2 * made.w.sum()
    labels, users = made.y.to_numpy(), made.user.to_numpy()
    probs, w = np.random.default_rng(0).random(60), made.w.to_numpy()
    for measure in (
        d2l.log_loss, d2l.auc, d2l.normalized_entropy,
        lambda y, p, **k: d2l.constant_rate(y, **k)['log_loss'],
    ):  # fmt: skip
        long = measure(np.repeat(labels, w), np.repeat(probs, w))
        assert abs(measure(labels, probs, sample_weight=w) - long) < 1e-9
    long = d2l.gauc(np.repeat(labels, w), np.repeat(probs, w), np.repeat(users, w))
    assert abs(d2l.gauc(labels, probs, users, sample_weight=w)['gauc'] - long['gauc']) < 1e-9
    for weights, words in (([1, -1], r'\[1\] is -1'), ([0, 0], 'every sample'), ([1], 'unequal')):
        with pytest.raises(ValueError, match=words):
            d2l.Examples({'ids': [[0], [1]]}, [0, 1], sample_weight=weights)


def test_a_model_for_data_says_what_it_does_not_read():
    dense = table().dataset('dense')
    with pytest.raises(ValueError, match='FM reads no dense inputs: make the data set with num'):
        d2l.FM.for_data(dense, 4)
    assert d2l.WideDeep.for_data(dense, 4, [8]).inputs == {'ids': 4, 'dense': 2, 'weights': 3}
    with pytest.raises(ValueError, match='a cross is of fields of one value'):
        d2l.WideDeep([3, 4], 4, [8], cross_dims=[3], bag_sizes=[2])
    with pytest.raises(ValueError, match='the data has bags already'):
        d2l.Crosses(dense, [('user', 'tags')])
    with pytest.raises(ValueError, match='numbers is .many.: choose one of'):
        table().dataset('many')
    assert Plan.from_json(dense.encoder.plan.to_json()) == dense.encoder.plan


def test_ratings_of_any_table():
    made = pd.DataFrame({'a': ['x', 'y', 'x'], 'b': [5, 5, 7], 'c': [0.5, 4.5, 3], 'd': [1, 2, 3]})
    log = d2l.read_ratings(made)
    ratings = log.ratings()
    assert ratings.ratings.tolist() == [0.5, 4.5, 3] and ratings.users.tolist() == [0, 1, 0]
    assert ratings.item_names == ['5', '7'] and log.times.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="has no column 'stars'"):
        d2l.read_ratings(made, rating='stars')
    with pytest.raises(ValueError, match="'c' is to be a number, but row 2 is missing"):
        d2l.read_ratings(made.assign(c=[1, None, 2]))


def test_movielens_1m_is_read_whole(tmp_path):
    (tmp_path / 'ratings.dat').write_text('1::10::5::978300760\n2::20::3::978302109\n')
    (tmp_path / 'movies.dat').write_bytes('10::Misérables::Drama|War\n'.encode('latin-1'))
    (tmp_path / 'users.dat').write_text('1::F::1::10::48067\n2::M::56::16::70072\n')
    log = d2l.read_ratings(tmp_path)
    assert (
        log.frame.title[0] == 'Misérables'
        and log.frame.title.isna()[1]
        and log.labels.tolist() == [1, 0]
    )
    assert log.schema.categories == ('user', 'item', 'gender', 'age', 'occupation', 'zip')
    assert log.lists('genres').counts.tolist() == [2, 0]


def packed(kind, text):
    """Text compressed, as a file of that suffix is."""
    if kind == 'zip':
        held = io.BytesIO()
        with zipfile.ZipFile(held, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('log.csv', text)
        return held.getvalue()
    return {'gz': gzip, 'bz2': bz2, 'xz': lzma}[kind].compress(text)


@pytest.mark.parametrize('kind', ['gz', 'bz2', 'xz', 'zip'])
def test_damaged_compressed_files_are_refused_or_read_as_they_were(tmp_path, kind):
    text = (TEXT.split('\n')[0] + '\n' + TEXT.split('\n', 1)[1] * 40).encode()
    whole = packed(kind, text)
    clean = d2l.read(write(tmp_path, whole, f'log.csv.{kind}'), **SAID).frame
    refused = 0
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            try:
                found = d2l.read(write(tmp_path, data, f'log.csv.{kind}'), **SAID).frame
            except ValueError as refusal:
                assert '\n' not in str(refusal)
                refused += 1
            else:
                assert found.equals(clean)
    assert refused > 40


def test_a_zip_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 1000)
    path = write(tmp_path, packed('zip', b'y,a\n' + b'1,aaaaaaaa\n' * 10**6), 'log.csv.zip')
    with pytest.raises(
        ValueError, match='log.csv.zip cannot be unpacked: it holds more than the [0-9,]+ '
    ):
        d2l.read(path, label='y')


@pytest.mark.parametrize(
    'data',
    [b'{"y": 1, "a": "x\xff"}\n', b'{"y": 1, "a\xe4": "x"}\n', b'{"y": 1, "a": ["\xed\xa0"]}\n'],
)
def test_json_lines_that_are_no_utf_8_are_refused(tmp_path, data):
    with pytest.raises(
        ValueError, match=r'log.jsonl (is not text in UTF-8|is not JSON lines)'
    ) as r:
        d2l.read(write(tmp_path, data * 2, 'log.jsonl'), label='y').frame
    assert '\n' not in str(r.value)


def test_a_name_of_several_lines_stands_on_one(tmp_path):
    path = write(tmp_path, '"a\nb",y\n1,0\n2,1\n')
    with pytest.raises(ValueError, match="has no column 'z': it has a b, y"):
        d2l.read(path, label='z')


@pytest.mark.parametrize(
    'times, words',
    [
        (['05.01.24', '31.12.23'], "which of the numbers of '05.01.24' is the year"),
        (['24-01-05', '24-03-01'], "which of the numbers of '24-01-05' is the year"),
        (['2024-01-05', '03/02/2024', '25/02/2024'], 'are written in two ways'),
    ],
)
def test_dates_that_can_be_read_in_two_ways_are_refused(times, words):
    log = pd.DataFrame({'y': [0, 1, 1][: len(times)], 'u': 'a', 'when': times})
    with pytest.raises(ValueError, match=words):
        d2l.read(log, label='y', categories=['u'], numbers=[], time='when').split(
            'time', valid=0.3, test=0.3
        )
