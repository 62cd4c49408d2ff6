import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mxnet import gluon, npx

import d2lrec.data.ctr as ctr
from d2lrec.data.batches import BatchLoader
from d2lrec.data.ctr import CTRDataset, load_vocab

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
    monkeypatch.setattr(ctr, 'CHUNK', 7)  # words must get one code across chunks
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
    data = CTRDataset(write(tmp_path / 'a', ['1\tp\tx', '0\tp\tx', '0\tp\ty']), min_threshold=2)
    lines = data.summary().split('\n')
    assert '3 rows, 2 fields, 4 features, click rate 0.333' in lines[0]
    assert lines[1].endswith('0.00% unknown, so its row is never trained')
    assert lines[2].endswith('33.33% unknown')
    test = CTRDataset(tmp_path / 'a', data.feat_mapper)
    assert 'trained' not in test.summary()


def test_malformed_lines_are_counted_by_reason(tmp_path):
    lines = ['1\ta\tb', '1\ta', '', '0\ta\tb', '2\ta\tb', '1\ta\tb\tc', 'x\ta\tb']
    with pytest.warns(UserWarning) as warned:
        data = CTRDataset(write(tmp_path / 'bad.csv', lines), min_threshold=1)
    assert len(data) == 2
    assert data.dropped['number of columns'] == (3, 'line 2', '2 where 3 are expected')
    assert data.dropped['label'] == (2, 'line 5', "'2', not 0 or 1")
    said = str(warned[0].message)
    assert said == (
        'bad.csv: 5 of 7 rows dropped: 3 for its number of columns (first: line 2, '
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
    with pytest.raises(ValueError, match="row 1 has the label '7'"):
        CTRDataset(frame[1:3])
    with pytest.raises(ValueError, match='1 columns'):
        CTRDataset(frame[['y']])


def test_ids_and_words_go_both_ways(path):
    data = CTRDataset(path, min_threshold=2)
    for field in ('field 2', 2):
        assert data.rows_of(field) == slice(3, 5)
        assert data.row_of(field, 'x') == 3 and data.row_of(field, None) == 4
    assert data.word_of(1) == ('field 1', 'blue') and data.word_of(2) == ('field 1', None)
    for row in range(5):
        assert data.row_of(*data.word_of(row)) == row
    assert data.words(3) == {'field 1': None, 'field 2': 'x'}
    with pytest.raises(ValueError, match="'field 1' does not hold 'pink'"):
        data.row_of(1, 'pink')
    with pytest.raises(ValueError, match='no field 3'):
        data.row_of(3, 'x')
    with pytest.raises(ValueError, match='no id 5'):
        data.word_of(5)


def test_vocabulary_survives_a_file(path, tmp_path):
    data = CTRDataset(path, min_threshold=2)
    data.save_vocab(tmp_path / 'vocab.json')
    assert load_vocab(tmp_path / 'vocab.json') == (data.feat_mapper, data.defaults)
    again = CTRDataset(path, *load_vocab(tmp_path / 'vocab.json'))
    assert (again.features == data.features).all()
    assert sorted(os.listdir(tmp_path)) == ['train.csv', 'vocab.json']


def test_a_failed_save_leaves_the_old_vocabulary(path, tmp_path):
    data = CTRDataset(path, min_threshold=2)
    data.save_vocab(tmp_path / 'vocab.json')
    before = (tmp_path / 'vocab.json').read_text()
    data.defaults[2] = object()  # JSON cannot hold it: fails half way through
    with pytest.raises(TypeError):
        data.save_vocab(tmp_path / 'vocab.json')
    assert (tmp_path / 'vocab.json').read_text() == before
    assert sorted(os.listdir(tmp_path)) == ['train.csv', 'vocab.json']


@pytest.mark.parametrize(
    'content',
    [
        '',
        '[]',
        '{"fields": 3}',
        '{"fields": [{"values": {}}]}',
        '{"fields": [{"values": [1], "default": 0}]}',
        '{"a": 1}',
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path, content):
    (tmp_path / 'v').write_text(content)
    with pytest.raises(ValueError, match='is not a vocabulary'):
        load_vocab(tmp_path / 'v')


@pytest.mark.parametrize(
    'feat_mapper, defaults, message',
    [
        ({1: {'a': 2}}, {1: 1}, "field 1 gives 'a' the id 2"),
        ({1: {'a': -1}}, {1: 1}, 'the id -1'),
        ({1: {'a': 0.0}}, {1: 1}, 'the id 0.0'),
        ({1: {'a': 0}}, {1: 5}, "'unknown values' the id 5"),
        ({0: {'a': 0}}, {0: 1}, 'number both from 1 to F'),
        ({1: {'a': 0}}, {}, 'number both from 1 to F'),
    ],
)
def test_a_vocabulary_that_leads_outside_its_field_is_refused(feat_mapper, defaults, message):
    frame = pd.DataFrame({'y': [1, 0], 'x': ['a', 'b']})
    with pytest.raises(ValueError, match=message):
        CTRDataset(frame, feat_mapper, defaults)


def test_too_many_features_for_int32_are_refused():
    assert ctr._offsets(np.array([3, 2**31 - 4])).tolist() == [0, 3]
    with pytest.raises(ValueError, match='2,147,483,648 features'):
        ctr._offsets(np.array([3, 2**31 - 3]))


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
    assert (data.features == reference(lines, data.feat_mapper, data.defaults)).all()


def test_the_criteo_sample():
    data = CTRDataset.from_criteo(shared('criteo_10k.csv'))
    assert data.features.shape == (9999, 39) and data.dropped == {}
    assert round(float(data.labels.mean()), 3) == 0.218
    assert data.features.min() >= 0 and data.features.max() < data.field_dims.sum()
