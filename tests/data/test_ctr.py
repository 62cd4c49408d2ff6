import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import d2lrec as d2l
import d2lrec.data.rows as rows_module
from d2lrec.data.batches import BatchLoader
from d2lrec.data.ctr import CTRDataset
from d2lrec.data.vocabulary import load_vocab

import numpy as np
import pandas as pd
import pytest
from mxnet import gluon, npx

npx.set_np()

LINES = ['1\tred\tx', '0\tred\ty', '0\tblue\tx', '1\tgreen\tx', '0\tblue\tz', '1\tred\tx']


def write(path, lines):
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / 'train.csv', LINES)


def reference(lines, feat_mapper, defaults):
    """Ids by dictionary look-ups, cell by cell, as the original's definition has it."""
    dims = [len(feat_mapper[f]) + 1 for f in sorted(feat_mapper)]
    rows = []
    for line in lines:
        words = line.split('\t')[1:]
        rows.append(
            [
                sum(dims[:f]) + feat_mapper[f + 1].get(w, defaults[f + 1])
                for f, w in enumerate(words)
            ]
        )
    return np.array(rows)


def test_fit_counts_orders_and_encodes(path):
    data = CTRDataset(path, min_threshold=2)
    # by falling count; red 3, blue 2; x 4; the rest share the last id of their field
    assert data.feat_mapper == {1: {'red': 0, 'blue': 1}, 2: {'x': 0}}
    assert data.defaults == {1: 2, 2: 1}
    assert data.field_dims.tolist() == [3, 2] and data.field_dims.dtype == np.int64
    assert data.offsets.tolist() == [0, 3]
    assert data.features.tolist() == [[0, 3], [0, 4], [1, 3], [2, 3], [1, 4], [0, 3]]
    assert data.features.dtype == np.int32 and data.labels.dtype == np.float32
    assert data.labels.tolist() == [1, 0, 0, 1, 0, 1]
    assert (len(data), data.count, data.NUM_FEATS) == (6, 6, 2)
    assert int(sum(data.field_dims)) == 5
    assert data.unknown.tolist() == [1 / 6, 2 / 6]
    assert data.dropped == {}


def test_equal_counts_go_by_text(tmp_path):
    data = CTRDataset(write(tmp_path / 'a', ['1\tb', '0\ta', '1\tc', '0\tc']), min_threshold=1)
    assert data.feat_mapper == {1: {'c': 0, 'a': 1, 'b': 2}}


def test_encoding_equals_the_definition_on_random_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, 'BLOCK', 300)  # words must get one code across blocks
    rng = np.random.RandomState(0)
    lines = [
        '\t'.join([str(rng.randint(2)), *(f'v{v}' for v in rng.zipf(1.5, 5))]) for _ in range(200)
    ]
    train = CTRDataset(write(tmp_path / 'train', lines[:150]), min_threshold=3)
    test = CTRDataset(write(tmp_path / 'test', lines[150:]), train.feat_mapper, train.defaults)
    for data, part in (train, lines[:150]), (test, lines[150:]):
        assert (data.features == reference(part, train.feat_mapper, train.defaults)).all()
        assert data.labels.tolist() == [float(line[0]) for line in part]
        assert data.field_dims.tolist() == train.field_dims.tolist()
    for f in range(5):  # nobody below the threshold got in, nobody above it was left out
        counts = pd.Series([line.split('\t')[f + 1] for line in lines[:150]]).value_counts()
        assert set(train.feat_mapper[f + 1]) == set(counts[counts >= 3].index)


def test_a_sample_is_the_row_and_its_label_and_gluon_collates_it(path):
    data = CTRDataset(path, min_threshold=2)
    features, label = data[3]
    assert features.tolist() == [2, 3] and features.dtype == np.int32 and label == 1
    batches = list(gluon.data.DataLoader(data, 4, num_workers=0))
    X = np.concatenate([X.asnumpy() for X, _ in batches])
    y = np.concatenate([y.asnumpy() for _, y in batches])
    assert X.dtype == np.int32 and (X == data.features).all()
    assert y.dtype == np.float32 and (y == data.labels).all()
    for (X, y), (X2, y2) in zip(batches, BatchLoader(data, batch_size=4)):
        assert (X == X2).all() and (y == y2).all() and X.dtype == X2.dtype


def test_ids_do_not_depend_on_the_hash_seed(path):
    code = (
        'import sys; from d2lrec import CTRDataset;'
        'd = CTRDataset(sys.argv[1], min_threshold=1);'
        'print(d.feat_mapper, d.features.tolist())'
    )
    seen = {
        subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', code, path],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, 'PYTHONHASHSEED': seed},
        ).stdout
        for seed in ('1', '2')
    }
    assert len(seen) == 1 and 'red' in seen.pop()


def test_unknown_values_take_the_last_id_of_their_field(path, tmp_path):
    train = CTRDataset(path, min_threshold=2)
    test = CTRDataset(write(tmp_path / 'test', ['1\tpink\tx', '0\tred\tw']), train.feat_mapper)
    assert test.features.tolist() == [[2, 3], [0, 4]]
    assert test.unknown.tolist() == [0.5, 0.5]
    assert test.defaults == train.defaults  # derived


def test_summary_names_fields_without_a_row_for_unknown_values(tmp_path):
    rows = ['1\tp\tx', '0\tp\tx', '0\tp\ty', '1\tq\tx', '0\tq\tx']
    data = CTRDataset(write(tmp_path / 'a', rows), min_threshold=2)
    lines = data.summary().split('\n')
    assert '5 rows, 2 fields, 5 features, click rate 0.400' in lines[0]
    assert lines[1].endswith('0.00% unknown, so its row is never trained')
    assert lines[2].endswith('20.00% unknown')
    test = CTRDataset(tmp_path / 'a', data.feat_mapper)
    assert 'trained' not in test.summary()


def test_malformed_lines_are_counted_by_reason(tmp_path):
    lines = ['1\ta\tb', '1\ta', '', '0\ta\tb', '2\ta\tb', '1\ta\tb\tc', 'x\ta\tb', *['0\ta\tb'] * 3]
    with pytest.warns(UserWarning) as warned:
        data = CTRDataset(write(tmp_path / 'bad.csv', lines), min_threshold=1)
    assert len(data) == 5
    assert data.dropped['number of columns'] == (3, 'line 2', '2 where 3 are expected')
    assert data.dropped['label'] == (2, 'line 5', "'2', not 0 or 1")
    said = str(warned[0].message)
    assert said == (
        'bad.csv: 5 of 10 rows dropped: 3 for its number of columns (first: line 2, '
        "2 where 3 are expected), 2 for its label (first: line 5, '2', not 0 or 1)."
    )
    assert said in data.summary() and '5 rows dropped' in repr(data)
    assert Path(warned[0].filename).name == 'test_ctr.py'  # it points at the reader's line


def test_any_number_of_fields_is_read_where_num_feat_is_left_alone(path):
    assert CTRDataset(path).NUM_FEATS == 2
    assert CTRDataset(path, num_feat=34).NUM_FEATS == 2
    assert CTRDataset(path, num_feat=2).NUM_FEATS == 2
    with pytest.raises(ValueError, match='no line that can be used .line 1 .* 3 where 6'):
        CTRDataset(path, num_feat=5)


def test_the_vocabulary_says_how_many_fields(path, tmp_path):
    train = CTRDataset(path)
    narrow = write(tmp_path / 'narrow', ['1\ta', '0\tb'])
    with pytest.raises(ValueError, match='line 1 .* 2 where 3 are expected'):
        CTRDataset(narrow, train.feat_mapper, train.defaults)
    with pytest.raises(ValueError, match='num_feat is 7 and feat_mapper has 2'):
        CTRDataset(path, train.feat_mapper, train.defaults, num_feat=7)


@pytest.mark.parametrize(
    'content, message',
    [
        ('', 'it is empty'),
        ('1,a,b\n0,a,b\n', 'line 1: there are no tabs'),
        ('yes\ta\nno\tb\n', "line 1 was dropped for its label: 'yes', not 0 or 1"),
    ],
)
def test_a_file_without_usable_lines_is_refused(tmp_path, content, message):
    path = tmp_path / 'bad'
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        CTRDataset(path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / 'bad'
    path.write_bytes('1\té\n'.encode('latin-1'))
    with pytest.raises(ValueError, match='not text in UTF-8'):
        CTRDataset(path)


def test_line_ends_and_empty_values(tmp_path):
    path = tmp_path / 'dos'
    path.write_bytes('\ufeff1\ta\t\r\n0\t"b\tw w'.encode())
    data = CTRDataset(path, min_threshold=1)
    assert [data.words(i) for i in range(2)] == [
        {'field 1': 'a', 'field 2': ''},
        {'field 1': '"b', 'field 2': 'w w'},
    ]


def test_a_frame_reads_as_its_text(path):
    frame = pd.DataFrame({'click': [1, 0, 1], 'age': [5, 6, 5], 'town': ['a', None, 'a']})
    data = CTRDataset(frame, min_threshold=1)
    assert data.feat_mapper == {1: {'5': 0, '6': 1}, 2: {'a': 0, '': 1}}
    assert data.field_names == ['age', 'town']
    # the same values as floats, which a missing one elsewhere makes of whole numbers
    floats = frame.assign(age=[5.0, 6.0, np.nan])
    assert CTRDataset(floats, data.feat_mapper).features[:, 0].tolist() == [0, 1, 2]
    lines = pd.read_csv(path, sep='\t', header=None)
    assert (CTRDataset(lines).features == CTRDataset(path).features).all()


def test_words_that_become_equal_share_an_id():
    frame = pd.DataFrame({'y': [1, 0, 1, 0], 'x': [5, '5', 5.0, None]}, dtype=object)
    data = CTRDataset(frame, min_threshold=1)
    assert data.feat_mapper == {1: {'5': 0, '': 1}}
    assert data.features[:, 0].tolist() == [0, 0, 0, 1]


def test_a_frames_bad_labels_are_dropped_and_said():
    frame = pd.DataFrame({'y': [1, 7, np.nan, 0], 'x': list('abca')})
    with pytest.warns(UserWarning, match="2 of 4 rows .* row 2, '7', not 0 or 1"):
        data = CTRDataset(frame, min_threshold=1)
    assert data.labels.tolist() == [1, 0] and data.feat_mapper == {1: {'a': 0}}
    with pytest.raises(ValueError, match="row 1 has the label '7' in the column 'y'"):
        CTRDataset(frame[1:3])
    with pytest.raises(ValueError, match='1 columns'):
        CTRDataset(frame[['y']])


def test_ids_and_words_go_both_ways(path):
    data = CTRDataset(path, min_threshold=2)
    for field in ('field 2', 2):
        assert data.ids_of(field) == slice(3, 5)
        assert data.id_of(field, 'x') == 3 and data.id_of(field, None) == 4
    assert data.value_of(1) == ('field 1', 'blue') and data.value_of(2) == ('field 1', None)
    for row in range(5):
        assert data.id_of(*data.value_of(row)) == row
    assert data.words(3) == {'field 1': None, 'field 2': 'x'}
    with pytest.raises(ValueError, match="'field 1' does not hold 'pink'"):
        data.id_of(1, 'pink')
    with pytest.raises(ValueError, match='no field 3'):
        data.id_of(3, 'x')
    with pytest.raises(ValueError, match='no id 5'):
        data.value_of(5)


def test_vocabulary_survives_a_file(path, tmp_path):
    data = CTRDataset(path, min_threshold=2)
    data.save_vocab(tmp_path / 'vocab.json')
    assert load_vocab(tmp_path / 'vocab.json') == (data.feat_mapper, data.defaults)
    again = CTRDataset(path, *load_vocab(tmp_path / 'vocab.json'))
    assert (again.features == data.features).all()
    assert sorted(os.listdir(tmp_path)) == ['train.csv', 'vocab.json']


def test_a_vocabulary_that_leads_outside_its_field_is_refused():
    frame = pd.DataFrame({'y': [1, 0], 'x': ['a', 'b']})
    for feat_mapper, defaults in (({1: {'a': 2}}, {1: 1}), ({1: {'a': 0}}, {1: 5}), ({}, {})):
        with pytest.raises(ValueError, match='the id|number both from 1 to F'):
            CTRDataset(frame, feat_mapper, defaults)


@pytest.mark.parametrize(
    'options, message',
    [
        ({'min_threshold': 0}, 'min_threshold is 0'),
        ({'num_feat': 0}, 'num_feat is 0'),
        ({'num_feat': 2.5}, 'num_feat is 2.5'),
    ],
)
def test_bad_numbers_are_refused(path, options, message):
    with pytest.raises(ValueError, match=message):
        CTRDataset(path, **options)


def criteo(first, clicks=(1, 0)):
    return [
        [str(y), *first, *[''] * (13 - len(first)), *(f'c{i}' for i in range(26))] for y in clicks
    ]


@pytest.mark.parametrize('separator, header', [('\t', False), ('\t', True), (',', True)])
def test_criteo_reads_with_tabs_or_commas_and_header(tmp_path, separator, header):
    rows = criteo(['3', '2', '-1', '1.0', '100', '7389', '0'])
    if header:
        rows.insert(
            0, ['label', *(f'I{i}' for i in range(1, 14)), *(f'C{i}' for i in range(1, 27))]
        )
    path = write(tmp_path / 'criteo', [separator.join(r) for r in rows])
    data = CTRDataset.from_criteo(path, min_threshold=1)
    assert len(data) == 2 and data.NUM_FEATS == 39 and data.dropped == {}
    words = data.words(0)
    # floor(ln(v)^2): ln(3)^2 = 1.2, ln(100)^2 = 21.2, ln(7389)^2 = 79.3
    assert [words[f'I{i}'] for i in range(1, 9)] == [
        'bin 1',
        '2',
        '-1',
        '1',
        'bin 21',
        'bin 79',
        '0',
        '',
    ]
    assert words['C1'] == 'c0' and words['C26'] == 'c25'
    test = CTRDataset.from_criteo(path, data.feat_mapper, data.defaults)
    assert (test.features == data.features).all()


def test_criteo_counts_that_fall_into_one_bin_share_an_id(tmp_path):
    lines = ['\t'.join(r) for v in ('101', '100', '9') for r in criteo([v])]
    data = CTRDataset.from_criteo(write(tmp_path / 'c', lines), min_threshold=1)
    assert data.feat_mapper[1] == {'bin 21': 0, 'bin 4': 1}
    assert data.features[:, 0].tolist() == [0, 0, 0, 0, 1, 1]


def test_criteo_refuses_words_for_counts(tmp_path):
    lines = ['\t'.join(r) for r in criteo(['1']) + criteo(['many'])]
    with pytest.raises(ValueError, match="I1 of row 3 is 'many'"):
        CTRDataset.from_criteo(write(tmp_path / 'c', lines))


def test_a_value_is_the_same_in_a_file_and_in_a_frame(tmp_path):
    """Cells `3.0`, `007`, `True` of a file are the same values in the frame that pandas reads."""
    path = write(tmp_path / 'a', ['1\t3.0\t007\tTrue', '0\t4.0\t008\tFalse'])
    file, frame = (
        CTRDataset(source, min_threshold=1)
        for source in (path, pd.read_csv(path, sep='\t', header=None))
    )
    for train in (file, frame):
        for source in (path, pd.read_csv(path, sep='\t', header=None)):
            test = CTRDataset(source, train.feat_mapper, train.defaults)
            assert (test.features == train.features).all() and not test.unknown.any()
    assert file.words(0) == {'field 1': '3', 'field 2': '7', 'field 3': '1'}
    short = pd.DataFrame({'y': [1, 0], 'x': np.array([0.1, 0.2], np.float32)})
    long = pd.DataFrame({'y': [1, 0], 'x': [0.1, 0.2]})
    train = CTRDataset(short, min_threshold=1)
    assert CTRDataset(long, vocabulary=train.vocabulary).features.tolist() == [[0], [1]]


def test_quoted_cells_are_unquoted(tmp_path):
    lines = ['1\t"상품 ""2""호"\tx', '0\t"a\tb"\t"x"', '1\ta"b\t"x', '0\t"two\nlines"\t""']
    data = CTRDataset(write(tmp_path / 'a', lines), min_threshold=1)
    assert [tuple(data.words(i).values()) for i in range(4)] == [
        ('상품 "2"호', 'x'),
        ('a\tb', 'x'),
        ('a"b', '"x'),  # closed nowhere, so a character like any other
        ('two\nlines', ''),
    ]
    assert data.dropped == {}


@pytest.mark.parametrize('block', [60, 8_000_000])
def test_lines_are_numbered_through_blocks_and_quotes(tmp_path, monkeypatch, block):
    monkeypatch.setattr(rows_module, 'BLOCK', block)
    lines = ['1\ta\tb'] * 20 + ['0\t"x\ny"\tb', '0\ta'] + ['0\ta\tb'] * 20 + ['7\ta\tb']
    with pytest.warns(UserWarning):
        data = CTRDataset(write(tmp_path / 'a', lines), min_threshold=1)
    assert data.dropped['number of columns'] == (1, 'line 23', '2 where 3 are expected')
    assert data.dropped['label'] == (1, 'line 44', "'7', not 0 or 1")
    assert len(data) == 41 and data.words(20)['field 1'] == 'x\ny'


def test_a_quote_that_nothing_closes_costs_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_module, 'BLOCK', 500)
    lines = [f'{i % 2}\t"{i}\tb' for i in range(300)]
    data = CTRDataset(write(tmp_path / 'a', lines), min_threshold=1)
    assert len(data) == 300 and data.words(7)['field 1'] == '"7'


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
@pytest.mark.parametrize('block', [10, 37, 8_000_000])
@pytest.mark.parametrize('last', [True, False])
def test_every_end_of_line(tmp_path, monkeypatch, end, block, last):
    monkeypatch.setattr(rows_module, 'BLOCK', block)
    lines = [f'{i % 2}\ta{i}\t{"" if i % 3 else "é"}' for i in range(30)]
    (tmp_path / 'a').write_bytes(('\ufeff' + end.join(lines) + end * last).encode())
    data = CTRDataset(tmp_path / 'a', min_threshold=1)
    assert [data.words(i)['field 1'] for i in range(30)] == [f'a{i}' for i in range(30)]
    assert data.dropped == {} and data.labels.tolist() == [0, 1] * 15
    if block > 10:  # a second mark in front, or one later on, is text
        (tmp_path / 'b').write_bytes(b'0\t\xef\xbb\xbfx\n\xef\xbb\xbf1\ty\n1\tz\n0\tz\n')
        with pytest.warns(UserWarning, match="line 2, '\\\\ufeff1', not 0 or 1"):
            data = CTRDataset(tmp_path / 'b', min_threshold=1)
        assert data.words(0) == {'field 1': '\ufeffx'}


@pytest.mark.parametrize('as_frame', [True, False])
def test_values_are_compared_beyond_a_nul(tmp_path, as_frame):
    words = ['a\0x', 'a\0y', 'a', '\0']
    source = write(tmp_path / 'a', [f'{i % 2}\t{w}' for i, w in enumerate(words)])
    if as_frame:
        source = pd.DataFrame({'y': [0, 1, 0, 1], 'x': words})
    data = CTRDataset(source, min_threshold=1)
    assert [tuple(data.words(i).values()) for i in range(4)] == [(w,) for w in words]


def test_half_a_character_is_refused():
    frame = pd.DataFrame({'y': [1, 0], 'x': pd.Series(['a', 'b\ud800'], dtype=object)})
    with pytest.raises(ValueError, match=r"lone surrogate.* column 'x', row 2, 'b\\ud800'"):
        CTRDataset(frame)
    with pytest.raises(ValueError, match='half a character in its name'):
        names = pd.Index(['y', 'x\ud800'], dtype=object)
        CTRDataset(pd.DataFrame([[1, 'a'], [0, 'b']], columns=names))


def named(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            'click': np.arange(rows) % 2,
            'user': rng.choice(list('abcd'), rows),
            'item': rng.integers(0, 5, rows),
            'price': rng.random(rows),
        }
    )


def test_columns_are_found_by_their_names():
    train = CTRDataset(named(), min_threshold=2, dense=['price'])
    test = named(30, seed=1)
    expected = CTRDataset(test, vocabulary=train.vocabulary, dense=['price'])
    turned = test[['price', 'item', 'click', 'user']].assign(other='x')
    for given in (
        {'vocabulary': train.vocabulary},
        {'feat_mapper': train.feat_mapper, 'defaults': train.defaults},
        {'feat_mapper': train.feat_mapper},
        {'vocabulary': train.encoder},
        {'vocabulary': train},
    ):
        data = CTRDataset(turned, dense=['price'], **given)
        assert (data.features == expected.features).all()
        assert (data.labels == test.click).all() and (data.dense == expected.dense).all()
        assert data.vocabulary is train.vocabulary
    with pytest.raises(ValueError, match="no column 'item', .* it has click, user, article, price"):
        CTRDataset(test.rename(columns={'item': 'article'}), vocabulary=train.vocabulary)
    with pytest.raises(ValueError, match="no column 'click', which held the labels"):
        CTRDataset(test.drop(columns='click'), vocabulary=train.vocabulary)
    renamed = test.rename(columns={'click': 'y'})
    data = CTRDataset(renamed, vocabulary=train.vocabulary, label='y')
    assert (data.labels == test.click).all()


def test_the_label_is_named():
    frame = named().assign(is_mobile=1)[['is_mobile', 'user', 'item', 'click']]
    frame.loc[::3, 'is_mobile'] = 0
    data = CTRDataset(frame, label='click', min_threshold=1)
    assert data.field_names == ['is_mobile', 'user', 'item']
    assert (data.labels == frame.click).all()
    with pytest.warns(UserWarning, match="the first column, 'is_mobile', .* say label='click'"):
        assert CTRDataset(frame, min_threshold=1).field_names == ['user', 'item', 'click']
    with pytest.raises(ValueError, match="no column 'y' for the label: it has is_mobile"):
        CTRDataset(frame, label='y')
    with pytest.raises(ValueError, match="label is 'y', and a file has no names"):
        CTRDataset('nowhere', label='y')


def test_plain_dicts_take_their_names_from_the_frame():
    train = CTRDataset(named()[['click', 'user', 'item']], min_threshold=2)
    plain = {f: dict(m) for f, m in train.feat_mapper.items()}, dict(train.defaults)
    test = named(30, seed=1)[['click', 'user', 'item']]
    data = CTRDataset(test, *plain)
    assert data.field_names == ['user', 'item']
    assert (data.features == CTRDataset(test, vocabulary=train.vocabulary).features).all()
    with pytest.raises(ValueError, match='with the label and 2 fields as columns'):
        CTRDataset(named(), *plain)


def test_a_vocabulary_of_a_file_takes_a_frame_by_the_places_of_its_columns(tmp_path):
    frame = named()[['click', 'user', 'item']]
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    train = CTRDataset(tmp_path / 'f', min_threshold=2)
    assert train.vocabulary.has_default_names
    data = CTRDataset(frame, vocabulary=train.vocabulary)
    assert (data.features == train.features).all() and data.field_names == ['field 1', 'field 2']
    for wrong in (named(), frame[['click', 'user']]):
        with pytest.raises(ValueError, match="and none called 'field 1': give the label first"):
            CTRDataset(wrong, vocabulary=train.vocabulary)
    by_name = frame[['item', 'click', 'user']].set_axis(['field 2', 'y', 'field 1'], axis=1)
    data = CTRDataset(by_name, vocabulary=train.vocabulary, label='y')
    assert (data.features == train.features).all()
    with pytest.raises(ValueError, match="first column, 'field 2', is not the label but one"):
        CTRDataset(by_name, vocabulary=train.vocabulary)


def test_numbers_become_dense_features(tmp_path):
    frame = named().assign(
        price=[f'{p:.3f}' for p in named().price], age=pd.array([3] * 60, 'Int64')
    )
    data = CTRDataset(frame, min_threshold=1, dense=['price', 'age'])
    assert data.field_names == ['user', 'item'] and data.dense_names == ['price', 'age']
    assert data.dense.dtype == np.float32 and (data.dense[:, 1] == 3).all()
    np.testing.assert_allclose(data.dense[:, 0], named().price, atol=1e-3)
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    file = CTRDataset(tmp_path / 'f', min_threshold=1, dense=['field 3', 'field 4'])
    assert (file.dense == data.dense).all() and (file.features == data.features).all()
    again = CTRDataset(tmp_path / 'f', vocabulary=file.vocabulary, dense=['field 3', 'field 4'])
    assert (again.features == file.features).all() and (again.dense == file.dense).all()
    test = CTRDataset(frame, vocabulary=file.vocabulary, dense=['field 3', 'field 4'])
    assert (test.features == file.features).all() and (test.dense == file.dense).all()


@pytest.mark.parametrize(
    'values, words',
    [
        (
            [1, None, 2, 3],
            "'price' of row 2 is missing: dense features are finite numbers; fill in",
        ),
        ([1, 2, np.inf, 3], "'price' of row 3 is inf"),
        ([1, 2, 'x', 3], "'price' of row 3 is 'x'"),
        ([1, 2, 1e39, 3], "'price' of row 3 is 1e\\+39"),
        (pd.array([1, 2, 3, None], 'Int64'), "'price' of row 4 is missing"),
    ],
)
def test_dense_numbers_are_finite(tmp_path, values, words):
    frame = pd.DataFrame({'y': [1, 0, 1, 0], 'x': list('abab'), 'price': values})
    with pytest.raises(ValueError, match=words):
        CTRDataset(frame, dense=['price'])
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    with pytest.raises(ValueError, match=words.replace('price', 'field 2').split(' is ')[0]):
        CTRDataset(tmp_path / 'f', dense=['field 2'])


def test_dropped_rows_are_dropped_from_dense_features_too():
    frame = pd.DataFrame({'y': [1, 7, 0, 1], 'x': list('abab'), 'price': [1, None, 3, 4]})
    with pytest.warns(UserWarning):
        data = CTRDataset(frame, min_threshold=1, dense=['price'])
    assert data.dense.tolist() == [[1], [3], [4]] and data.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    'labels, words',
    [
        ([-1, 1] * 50, r"column 'y' are '-1' .50., '1' .50., .*by .label \+ 1. / 2"),
        ([-1, 1, 1] * 30, r'by .label \+ 1. / 2'),
        ([1, 2, 3, 4, 5] * 20, 'rating >= 4 say, or name the true label by label='),
        ([0, 1] * 20 + [2] * 60, '60 of 100 rows would be dropped'),
        ([3, 1, 5, 4] * 9, 'rating >= 4'),
        (list(range(200)), 'and others, and a label is 0 or 1'),
        (['yes', '0'] * 20, "'yes' .20., '0' .20."),
    ],
)
def test_labels_that_would_lose_a_class_or_most_rows_are_refused(tmp_path, labels, words):
    frame = pd.DataFrame({'y': labels, 'x': ['a'] * len(labels)})
    with pytest.raises(ValueError, match=words) as refusal:
        CTRDataset(frame)
    assert '\n' not in str(refusal.value)
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    with pytest.raises(ValueError, match=words.replace("column 'y' are", 'labels are')):
        CTRDataset(tmp_path / 'f')


def test_a_few_odd_labels_are_dropped(tmp_path):
    for odd in ([7], [None], ['x'], [2, 3, 4]):
        frame = pd.DataFrame({'y': [0, 1] * 20 + odd, 'x': ['a'] * (40 + len(odd))})
        with pytest.warns(UserWarning, match=f'{len(odd)} of {40 + len(odd)} rows dropped'):
            assert len(CTRDataset(frame)) == 40
    for constant in (0, 1):  # a part of one class, and one row that says nothing
        frame = pd.DataFrame({'y': [constant] * 200 + [None], 'x': ['a'] * 201})
        with pytest.warns(UserWarning, match='1 of 201 rows dropped'):
            assert len(CTRDataset(frame)) == 200


@pytest.mark.parametrize(
    'labels', [[True, False], ['True', 'false'], ['1.0', '0.0'], ['01', '-0'], [1.0, 0.0]]
)
def test_every_spelling_of_a_label(tmp_path, labels):
    frame = pd.DataFrame({'y': labels, 'x': ['a', 'b']})
    assert CTRDataset(frame).labels.tolist() == [1, 0]
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    assert CTRDataset(tmp_path / 'f').labels.tolist() == [1, 0]
    nullable = pd.DataFrame({'y': pd.array([True, None, False], 'boolean'), 'x': list('abc')})
    with pytest.warns(UserWarning, match="row 2, '', not 0 or 1"):
        assert CTRDataset(nullable).labels.tolist() == [1, 0]


def test_lines_of_many_shapes_are_refused(tmp_path):
    lines = ['1\ta\tb'] * 3 + ['0\ta' + '\tb' * n if n != 1 else '0' for n in range(9)]
    with pytest.raises(
        ValueError, match='9 of 12 rows would be .* number of columns .first: line 4'
    ):
        CTRDataset(write(tmp_path / 'f', lines))


def test_a_field_that_carries_nothing_is_named():
    rows = 300
    frame = pd.DataFrame(
        {'y': np.arange(rows) % 2, 'user': np.arange(rows), 'item': np.arange(rows) % 9}
    )
    with pytest.warns(
        UserWarning, match="frame: the field 'user' is unknown in 99 % .* lower"
    ) as w:
        train = CTRDataset(frame)
    assert len(w) == 1 and Path(w[0].filename).name == 'test_ctr.py'
    assert train.field_dims.tolist() == [1, 10]
    with pytest.warns(UserWarning) as w:
        CTRDataset(frame.assign(item='x'), vocabulary=train.vocabulary)
    (said,) = [str(one.message) for one in w]
    assert "2 fields are unknown in 99 % of the rows or more ('user', 'item'); their values" in said
    price = frame.assign(item=np.random.default_rng(0).random(rows))
    with pytest.warns(UserWarning, match='give numbers by dense='):
        CTRDataset(price)


def test_a_choice_of_rows_keeps_all_that_belongs_to_them():
    data = CTRDataset(named(), min_threshold=2, dense=['price'])
    test = CTRDataset(named(10).assign(user='z'), vocabulary=data.vocabulary, dense=['price'])
    for rows in (slice(3, 9), np.arange(3, 9), np.arange(60) % 7 == 0, [5, 5, 2]):
        part = data[rows]
        assert isinstance(part, CTRDataset) and part.vocabulary is data.vocabulary
        assert (part.features == data.features[rows]).all()
        assert (part.labels == data.labels[rows]).all() and (part.dense == data.dense[rows]).all()
        assert part.dense_names == ['price'] and part.source == 'frame'
        assert part.encoder == data.encoder and part.words(0) == data.words(np.arange(60)[rows][0])
    assert test.unknown.tolist() == [1, 0] and test[:0].unknown.tolist() == [0, 0]
    both = d2l.concat([data, test])
    assert len(both) == 70 and both.unknown[0] == 10 / 70 and both.source == 'frame'
    assert (both.features[60:] == test.features).all() and (both.dense[:60] == data.dense).all()
    other = CTRDataset(named(30), min_threshold=2)
    with pytest.raises(ValueError, match='cannot follow .* encoded by the same vocabulary'):
        d2l.concat([data, other])
    repr(data[:0]), data[:2].summary()


def test_dropped_rows_belong_to_the_whole_only():
    with pytest.warns(UserWarning):
        data = CTRDataset(named().assign(click=[7, *[0, 1] * 29, 1]), min_threshold=1)
    assert 'dropped' in repr(data) and 'dropped' not in repr(data[:9]) and data[:9].dropped == {}


def test_dense_features_are_set_and_checked():
    data = CTRDataset(named(), min_threshold=2, dense=['price'])
    part = data[:2]
    part.dense = [[1, 2], [3, 4]]
    assert part.dense_names == ['dense 1', 'dense 2'] and data.dense.shape == (60, 1)
    part.dense_names = ['a', 'b']
    part.dense = np.zeros((2, 2))
    assert part.dense_names == ['a', 'b'] and part.encoder.dense == ('a', 'b')
    part.dense = None
    assert part.dense is None and part.dense_names == [] and list(part.columns) == ['ids']
    for matrix, words in (
        (np.zeros(2), r'dense has shape \(2,\): give a matrix of 2 rows'),
        (np.zeros((3, 1)), r'dense has shape \(3, 1\)'),
        ([[1.0], [np.nan]], r'dense\[1, 0\] .dense 1. is nan: fill in'),
        ([['a'], ['b']], 'give numbers'),
    ):
        with pytest.raises(ValueError, match=words):
            part.dense = matrix
    with pytest.raises(ValueError, match="dense_names is .'a'. for 0 dense features"):
        part.dense_names = ['a']


def test_the_summary_points_at_fields_to_look_at():
    rows = 100
    frame = pd.DataFrame(
        {
            'y': np.arange(rows) % 2,
            'copy': np.arange(rows) % 2 * 5,
            'stars': np.arange(rows) % 4,
            'row': np.arange(rows),
            'same': 3,
            'plain': np.arange(rows) % 3,
        }
    )
    with pytest.warns(UserWarning, match="'row'"):
        lines = CTRDataset(frame).summary().split('\n')[1:]
    for line in lines[:2]:
        assert 'tells the label in every row' in line
    assert lines[2].endswith('; every row has a value of its own')
    assert '; it has a single value' in lines[3]
    assert lines[4].endswith('unknown, so its row is never trained')


@pytest.mark.parametrize(
    'frame, words',
    [
        (pd.DataFrame({'y': [1, 0], 'x': [['a'], ['b']]}), "a list in the column 'x', row 1"),
        (pd.DataFrame({'y': [1, 0], 'x': ['a', {'b': 1}]}), "a dict in the column 'x', row 2"),
        (pd.DataFrame({'y': [[1], 0], 'x': ['a', 'b']}), "a list in the column 'y'"),
        (pd.DataFrame([[1, 'a'], [0, 'b']], columns=[('a', 1), ('a', 2)]), 'column 1 of the frame'),
        (pd.DataFrame([[1, 'a'], [0, 'b']], columns=['y', None]), 'column 2 .* called (None|nan)'),
        (pd.DataFrame([[1, 'a'], [0, 'b']], columns=['y', 'y']), "two columns .* called 'y'"),
        (pd.DataFrame(), 'The frame has 0 rows and 0 columns'),
        (pd.DataFrame({'y': [], 'x': []}), 'The frame has 0 rows'),
        ([[1, 2]], 'the source is a list: give the path of a file, or a pandas.DataFrame'),
        (np.zeros((2, 2)), 'the source is a ndarray'),
        (None, 'the source is a NoneType'),
    ],
)
def test_sources_that_cannot_be_read(frame, words):
    with pytest.raises(ValueError, match=words) as refusal:
        CTRDataset(frame)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize(
    'content, words',
    [
        (b'\x1f\x8b\x08\x00', 'is compressed by gzip: unpack it'),
        (b'PK\x03\x04abc', 'is a zip archive or a workbook'),
        (b'PAR1abc', 'is a parquet file: give pandas.read_parquet'),
        ('1\ta\n'.encode('utf-16'), 'is text in UTF-16: save it in UTF-8'),
        ('1\t한국\n'.encode('cp949'), 'is not text in UTF-8: save it in UTF-8'),
        (b'1\ta\n0\t\xed\xa0\x80\n', 'is not text in UTF-8'),
        (b'1,a\n', 'there are no tabs: .* or the frame that pandas.read_csv makes'),
    ],
)
def test_files_of_other_kinds_say_what_they_are(tmp_path, content, words):
    (tmp_path / 'f').write_bytes(content)
    with pytest.raises(ValueError, match=words):
        CTRDataset(tmp_path / 'f')
    if b',' not in content:
        with pytest.raises(ValueError, match=words):
            CTRDataset.from_criteo(tmp_path / 'f')


def test_a_line_of_too_many_columns_is_refused_at_once(tmp_path):
    (tmp_path / 'f').write_text('1\t' * 200_000)
    with pytest.raises(ValueError, match='line 1: there are 200,001 columns'):
        CTRDataset(tmp_path / 'f')


@pytest.mark.parametrize(
    'given, words',
    [
        ({'vocabulary': 3}, 'vocabulary is a int'),
        ({'feat_mapper': [3]}, 'feat_mapper is a list'),
        ({'defaults': {1: 2}}, 'defaults is given without feat_mapper'),
        ({'dense': 'price'}, "dense is 'price': give a list"),
        ({'dense': ['price', 'price']}, 'name each column once'),
        ({'dense': ['weight']}, "no column 'weight', which is asked for as dense"),
        ({'dense': ['click']}, "'click' is the label and dense"),
        ({'label': 'user', 'dense': ['user']}, "'user' is the label and dense"),
        ({'num_feat': None}, 'num_feat is None'),
        ({'num_feat': float('nan')}, 'num_feat is nan'),
        ({'num_feat': True}, 'num_feat is True'),
        ({'num_feat': '3'}, "num_feat is '3'"),
        ({'num_feat': 2}, 'with the label and 2 fields as columns'),
        ({'min_threshold': '4'}, "min_threshold is '4'"),
        ({'min_threshold': None}, 'min_threshold is None'),
        ({'min_threshold': float('nan')}, 'min_threshold is nan'),
    ],
)
def test_bad_arguments_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        CTRDataset(named(), **given)


def test_a_vocabulary_is_given_once():
    data = CTRDataset(named(), min_threshold=2)
    with pytest.raises(ValueError, match='vocabulary and feat_mapper are given'):
        CTRDataset(named(), data.feat_mapper, vocabulary=data.vocabulary)
    assert CTRDataset(named(), data.vocabulary).vocabulary is data.vocabulary
    moved = CTRDataset(named(), data.feat_mapper, dict(data.defaults))
    assert moved.vocabulary is data.vocabulary


def test_criteo_counts_as_dense_features(tmp_path):
    rows = criteo(['3', '-2', '', '0', '7.5']) + criteo(['1', '2', '3', '-1', ''])
    path = write(tmp_path / 'c', ['\t'.join(r) for r in rows])
    data = CTRDataset.from_criteo(path, min_threshold=1, dense=True)
    assert data.dense_names == [f'I{i}' for i in range(1, 14)]
    expected = np.log1p(np.array([[3, 0, 0, 0, 7.5], [1, 2, 3, 0, 0]]))
    np.testing.assert_allclose(data.dense[::2, :5], expected, rtol=1e-6)
    assert (data.dense[:, 5:] == 0).all()
    plain = CTRDataset.from_criteo(path, min_threshold=1)
    assert plain.dense is None and (plain.features == data.features).all()
    test = CTRDataset.from_criteo(path, vocabulary=data.vocabulary, dense=True)
    assert (test.features == data.features).all() and (test.dense == data.dense).all()
    with pytest.raises(ValueError, match='dense is 3'):
        CTRDataset.from_criteo(path, dense=3)
    with pytest.raises(ValueError, match="has the fields .'user'.* give one that from_criteo"):
        CTRDataset.from_criteo(path, vocabulary=CTRDataset(named()[['click', 'user']]).vocabulary)


@pytest.mark.parametrize('cell', ['\0', '\\N', '1,5', 'inf', '5e999'])
def test_criteo_counts_are_numbers(tmp_path, cell):
    lines = ['\t'.join(r) for r in criteo(['1']) + criteo([cell])]
    with pytest.raises(ValueError, match='c: I1 of row 3 is .*: give a number or leave'):
        CTRDataset.from_criteo(write(tmp_path / 'c', lines))


def test_a_data_set_can_be_copied_and_sent_to_another_process():
    data = CTRDataset(named(), min_threshold=2, dense=['price'])
    for again in (copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        assert again.vocabulary == data.vocabulary and (again.features == data.features).all()
        assert repr(again) == repr(data) and again.encoder == data.encoder


def shared(name):
    """A file for checks that the project does not carry; skip where it is absent."""
    folder = os.environ.get('D2LREC_DATA')
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f'{name} is not here: set D2LREC_DATA to a folder that holds it')
    return Path(folder) / name


def test_the_ads_data_of_the_original_chapters():
    path = shared('ads_ctr_3000.tsv')
    data = CTRDataset(path)
    lines = path.read_text().rstrip('\n').split('\n')
    assert data.features.shape == (3000, 34) and data.labels.sum() == 1504
    assert data.dropped == {}
    plain = [  # leading zeros are no part of a number
        '\t'.join(
            c if one is None or one.kind == 'text' else c.lstrip('0') or '0'
            for c, one in zip(line.split('\t'), [None, *data.vocabulary.fields])
        )
        for line in lines
    ]
    assert (data.features == reference(plain, data.feat_mapper, data.defaults)).all()
    frame = pd.read_csv(path, sep='\t', header=None)
    assert (CTRDataset(frame).features == data.features).all()
    assert (CTRDataset(frame, data.feat_mapper, data.defaults).features == data.features).all()


def test_the_criteo_sample():
    data = CTRDataset.from_criteo(shared('criteo_10k.csv'))
    assert data.features.shape == (9999, 39) and data.dropped == {}
    assert round(float(data.labels.mean()), 3) == 0.218
    assert data.features.min() >= 0 and data.features.max() < data.field_dims.sum()
