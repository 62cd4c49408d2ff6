"""The encoder: a raw row becomes what the net read in training, by the names of its columns."""

import json
import os
import random
import warnings

from d2lrec.data import (
    Bags,
    Crosses,
    CTRDataset,
    Encoder,
    MultiHot,
    Quantiles,
    Standardize,
    Vocabulary,
)

import numpy as np
import pandas as pd
import pytest


def clicks(rows=80, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            'click': np.arange(rows) % 2,
            'user': rng.choice(list('abcdef'), rows),
            'item': rng.integers(0, 8, rows),
            'price': rng.exponential(size=rows),
            'age': rng.integers(18, 60, rows),
            'War': rng.integers(0, 2, rows),
            'Crime': rng.integers(0, 2, rows),
        }
    )


@pytest.fixture
def train():
    return CTRDataset(clicks(), min_threshold=2, dense=['price', 'age'])


def all_steps(train, kind):
    """The training data with steps of each kind applied."""
    data = Quantiles(train, 5).apply(train)
    data = Standardize(data).apply(data)
    if kind == 'crosses':
        return Crosses(train, [('user', 'item'), ('item', 'War')], 2).apply(data)
    return Bags(data, {'genre': ['War', 'Crime']}, 'mean').apply(data)


def same(one, two):
    assert list(one.columns) == list(two.columns)
    for name in one.columns:
        assert (one.columns[name] == two.columns[name]).all()
    assert one.columns['ids'].dtype == np.int32


@pytest.mark.parametrize('kind', ['crosses', 'bags'])
def test_new_rows_are_treated_as_the_training_data_were(train, kind, tmp_path):
    data = all_steps(train, kind)
    data.encoder.save(tmp_path / 'e.json')
    frame = clicks()
    shuffled = frame[['age', 'War', 'item', 'click', 'Crime', 'user', 'price']].assign(other=1)
    for encoder in (data.encoder, Encoder.load(tmp_path / 'e.json')):
        assert encoder == data.encoder and len(encoder.steps) == 3
        for given in (frame, shuffled, shuffled.iloc[:, [0, 1, 2, 4, 5, 6]]):
            encoded = encoder.encode(given)
            same(encoded, data)
            assert type(encoded) is type(data) and encoded.encoder == encoder
            if 'click' in given:
                assert (encoded.labels == data.labels).all()
            else:
                assert encoded.labels is None
    assert os.listdir(tmp_path) == ['e.json']
    assert isinstance(data, MultiHot) == (kind == 'bags')


def test_the_encoder_of_a_file_takes_columns_by_their_place(tmp_path):
    frame = clicks()[['click', 'user', 'item', 'War']]
    frame.to_csv(tmp_path / 'train', sep='\t', header=False, index=False)
    frame.iloc[:, 1:].to_csv(tmp_path / 'new', sep='\t', header=False, index=False)
    train = CTRDataset(tmp_path / 'train', min_threshold=2)
    encoder = train.encoder
    assert encoder.label is None
    for source in (tmp_path / 'train', frame):
        again = encoder.encode(source)
        same(again, train)
        assert (again.labels == train.labels).all()
    for source in (tmp_path / 'new', frame.iloc[:, 1:]):
        again = encoder.encode(source)
        same(again, train)
        assert again.labels is None
    by_name = frame.set_axis(['click', *train.field_names], axis=1).iloc[:, [2, 0, 3, 1]]
    again = encoder.encode(by_name, label='click')
    same(again, train)
    assert (again.labels == train.labels).all()
    with pytest.raises(ValueError, match="The frame has 3 columns and none called 'field 1'"):
        encoder.encode(frame[['user', 'item', 'War']], label='user')


def test_the_encoder_of_a_frame_takes_a_file_by_the_places_of_its_columns(tmp_path):
    frame = clicks()[['click', 'user', 'item']]
    frame.to_csv(tmp_path / 'f', sep='\t', header=False, index=False)
    train = CTRDataset(frame, min_threshold=2)
    same(train.encoder.encode(tmp_path / 'f'), train)


def test_labels_are_found_given_or_left_out(train):
    frame = clicks().rename(columns={'click': 'y'})
    assert train.encoder.encode(frame).labels is None
    assert (train.encoder.encode(frame, label='y').labels == train.labels).all()
    odd = clicks().assign(click=np.nan)
    assert len(train.encoder.encode(odd, label=False)) == 80
    with pytest.raises(ValueError, match='no row that can be used'):
        train.encoder.encode(odd)
    with pytest.raises(ValueError, match="no column 'z' for the label"):
        train.encoder.encode(frame, label='z')


def test_what_is_unknown_is_said_by_the_same_warning(train):
    new = clicks().assign(user='z')
    with pytest.warns(UserWarning, match="the field 'user' is unknown in 99 %") as warned:
        encoded = train.encoder.encode(new)
    assert len(warned) == 1 and warned[0].filename == __file__
    assert encoded.unknown.tolist()[0] == 1


def test_a_column_that_is_lacking_is_named(train):
    for lacking in ('user', 'item', 'price', 'age'):
        with pytest.raises(ValueError, match=f"no column '{lacking}'"):
            train.encoder.encode(clicks().drop(columns=lacking))
    with pytest.raises(ValueError, match="'price' of row 3 is missing: dense features are finite"):
        train.encoder.encode(clicks().assign(price=[1, 2, None, *[0.5] * 77]))


def test_the_rules_of_criteos_format_travel(tmp_path):
    rng = random.Random(0)
    rows = [
        [str(i % 2)]
        + [rng.choice(['', '-1', '3', '100']) for _ in range(13)]
        + [rng.choice('ab') for _ in range(26)]
        for i in range(40)
    ]
    names = ['label', *(f'I{i}' for i in range(1, 14)), *(f'C{i}' for i in range(1, 27))]
    for name, some in ('train', rows), ('new', [row[1:] for row in rows]):
        (tmp_path / name).write_text('\n'.join('\t'.join(row) for row in some) + '\n')
    data = CTRDataset.from_criteo(tmp_path / 'train', min_threshold=2, dense=True)
    encoder = Encoder.from_json(json.loads(json.dumps(data.encoder.to_json())))
    assert encoder == data.encoder and encoder.format == 'criteo'
    frame = pd.DataFrame(rows, columns=names)
    for source in (tmp_path / 'train', tmp_path / 'new', frame, frame[names[:0:-1]]):
        encoded = encoder.encode(source)
        same(encoded, data)
        assert encoded.dense_names == data.dense_names
        has_label = source is frame or str(source).endswith('train')
        assert (encoded.labels is None) != has_label


def test_it_shows_itself_and_knows_its_equals(train):
    encoder = all_steps(train, 'crosses').encoder
    assert repr(encoder).startswith('Encoder(Vocabulary(4 fields, ') and 'Crosses([' in repr(
        encoder
    )
    assert encoder != train.encoder and train.encoder == Encoder(
        train.vocabulary, dense=['price', 'age']
    )
    assert train.encoder.label == 'click' and encoder != 3


def test_the_tables_are_those_of_the_embedding(train):
    crossed, bags = (all_steps(train, kind) for kind in ('crosses', 'bags'))
    tables = crossed.encoder.tables()
    assert [name for name, _, _ in tables] == [
        'user',
        'item',
        'War',
        'Crime',
        ('user', 'item'),
        ('item', 'War'),
    ]
    assert (
        sum(dim for _, dim, _ in tables)
        == crossed.field_dims.sum() + crossed.encoder.steps[2].dims.sum()
    )
    tables = bags.encoder.tables()
    assert [(name, dim) for name, dim, _ in tables] == list(zip(bags.field_names, bags.field_dims))
    assert tables[2][2] == {'War': 0, 'Crime': 1}


def edited(encoder, **changes):
    return json.dumps({**encoder.to_json(), **changes})


@pytest.mark.parametrize(
    'changes',
    [
        {'version': 2},
        {'version': None},
        {'format': 'x'},
        {'label': 3},
        {'dense': 'price'},
        {'dense': [3]},
        {'steps': {}},
        {'steps': [3]},
        {'steps': [{'kind': 'Encoder'}]},
        {'steps': [{'kind': ['Crosses']}]},
        {'steps': [{'kind': 'Quantiles'}]},
        {'vocabulary': None},
        {'vocabulary': {}},
    ],
)
def test_json_that_is_no_encoder_is_refused(train, tmp_path, changes):
    (tmp_path / 'e').write_text(edited(train.encoder, **changes))
    with pytest.raises(ValueError, match='e holds no encoder: ') as refusal:
        Encoder.load(tmp_path / 'e')
    assert '\n' not in str(refusal.value)
    with pytest.raises(ValueError, match='this is no encoder: '):
        Encoder.from_json(json.loads((tmp_path / 'e').read_text()))


@pytest.mark.parametrize('content', ['', '[]', 'null', '[' * 100_000, '{"version": 1}'])
def test_files_that_hold_something_else_are_refused(tmp_path, content):
    (tmp_path / 'e').write_text(content)
    with pytest.raises(ValueError, match='e holds no encoder: '):
        Encoder.load(tmp_path / 'e')


def test_damaged_files_are_refused_or_sound(train, tmp_path):
    all_steps(train, 'crosses').encoder.save(tmp_path / 'e')
    whole = (tmp_path / 'e').read_bytes()
    rng = random.Random(1)
    for _ in range(150):
        content = bytearray(whole)
        at = rng.randrange(len(content))
        content[at : at + rng.randint(0, 2)] = bytes(rng.choices(b'0123456789[]{}",-e', k=2))
        (tmp_path / 'e').write_bytes(content)
        try:
            encoder = Encoder.load(tmp_path / 'e')
        except ValueError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                ids = encoder.encode(clicks()).features
            except ValueError:
                continue
        assert ids.min() >= 0
        assert ids.max() < sum(dim for _, dim, _ in encoder.tables())


@pytest.mark.parametrize(
    'build, words',
    [
        (lambda v: Encoder(3), 'vocabulary is a int'),
        (lambda v: Encoder(v, label=3), 'label is 3'),
        (lambda v: Encoder(v, dense='age'), "dense is 'age'"),
        (lambda v: Encoder(v, format='csv'), "format is 'csv'"),
        (lambda v: Encoder(v).encode([1]), 'the source is a list'),
    ],
)
def test_refusals(build, words):
    with pytest.raises(ValueError, match=words):
        build(Vocabulary.fit({'a': ['x']}, 1))
