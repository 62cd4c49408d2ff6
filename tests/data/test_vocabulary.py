"""The vocabulary: ids by frequency, back and forth, in a file; and the views of it as dicts."""

import json
import os
import random

from d2lrec.data import CTRDataset, Field, Vocabulary, load_vocab
from d2lrec.data.vocabulary import Mappers, first_ids

import numpy as np
import pandas as pd
import pytest

COLUMNS = {'town': ['b', 'a', 'b', 'c', 'a', 'b'], 'age': [5, 6, 5.0, '7', None, '05']}


@pytest.fixture
def vocabulary():
    return Vocabulary.fit(COLUMNS, 1)


def test_values_go_by_falling_count_and_then_by_text(vocabulary):
    town, age = vocabulary.fields
    assert town == Field('town', ('b', 'a', 'c'), 'text', 3)
    assert age == Field('age', ('5', '', '6', '7'), 'number', 4)
    assert town.counts == (3, 2, 1) and age.counts == (3, 1, 1, 1)
    assert vocabulary.names == ['town', 'age']
    assert vocabulary.dims.tolist() == [4, 5] and vocabulary.dims.dtype == np.int64
    assert vocabulary.offsets.tolist() == [0, 4] and vocabulary.num_features == 9
    rare = Vocabulary.fit(COLUMNS, 2)
    assert [f.values for f in rare.fields] == [('b', 'a'), ('5',)]


def test_encode_finds_columns_by_name_and_says_what_is_unknown(vocabulary):
    ids, unknown = vocabulary.encode({'age': [6, 9], 'other': [0, 0], 'town': ['c', 'b']})
    assert ids.tolist() == [[2, 6], [0, 8]] and ids.dtype == np.int32
    assert unknown.tolist() == [0, 0.5]
    frame = pd.DataFrame({'age': [6, 9], 'town': ['c', 'b']})
    assert (vocabulary.encode(frame)[0] == ids).all()
    fitted, ids, unknown = Vocabulary.fit_encode(COLUMNS, 2)
    assert fitted == Vocabulary.fit(COLUMNS, 2)
    assert (ids == fitted.encode(COLUMNS)[0]).all()
    assert (unknown == fitted.encode(COLUMNS)[1]).all() and unknown.tolist() == [1 / 6, 0.5]


def test_ids_and_values_go_both_ways(vocabulary):
    for id in range(vocabulary.num_features):
        assert vocabulary.id_of(*vocabulary.value_of(id)) == id
    assert vocabulary.value_of(3) == ('town', None) and vocabulary.value_of(4) == ('age', '5')
    for spelling in (5, 5.0, '5', '05', '5.00', np.float32(5)):
        assert vocabulary.id_of('age', spelling) == 4
    assert vocabulary.ids_of('age') == vocabulary.ids_of(2) == slice(4, 9)


def test_unknown_values_need_not_stand_last():
    first = Field('a', ('x', 'y'), unknown=0)
    assert dict(first.ids) == {'x': 1, 'y': 2} and first.value(0) is None
    assert [first.value(i) for i in (1, 2)] == ['x', 'y']
    vocabulary = Vocabulary.from_mappers({1: {'y': 2, 'x': 1}}, {1: 0}, ['a'])
    assert vocabulary.fields[0] == first
    assert vocabulary.encode({'a': ['y', 'z', 'x']})[0].tolist() == [[2], [0], [1]]


def test_a_field_without_an_id_for_unknown_values():
    bag = Vocabulary([Field('genre', ('War', 'Crime'))])
    assert bag.dims.tolist() == [2] and dict(bag.defaults) == {}
    with pytest.raises(ValueError, match="'genre' has the value 'x'"):
        bag.encode({'genre': ['x']})
    with pytest.raises(ValueError, match="does not hold None: ask for one of .'War', 'Crime'"):
        bag.id_of('genre', None)


def test_extend_keeps_the_order_of_old_values():
    old = Vocabulary.fit({'town': ['b', 'b', 'a'], 'age': [5, 5, 6]}, 1, label='y')
    new = old.extend({'town': ['c', 'd', 'd', 'a', 'a', 'a'], 'age': [6, 7, '07', 8, 5, 'x']}, 2)
    assert new.fields[0] == Field('town', ('b', 'a', 'd'), 'text', 3)
    assert new.fields[1] == Field('age', ('5', '6', '7'), 'number', 3)
    assert new.fields[0].counts == (2, 4, 2) and new.fields[1].counts == (3, 2, 2)
    assert new.label == 'y' and old.fields[0].values == ('b', 'a')
    for f, one in enumerate(old.fields):
        for value, i in one.ids.items():
            assert new.fields[f].ids[value] == i


def test_extend_by_encoded_data():
    frame = pd.DataFrame({'y': [1, 0] * 3, 'town': list('aaccbb'), 'age': [5, 5, 6, 6, 7, 7]})
    old = CTRDataset(frame[:4], min_threshold=2)
    new = old.vocabulary.extend(CTRDataset(frame, min_threshold=2), 1)
    assert new.fields[0].values == ('a', 'c', 'b') and new.fields[1].values == ('5', '6', '7')


def test_text_in_a_field_of_numbers_can_be_added():
    new = Vocabulary.fit({'age': [5, 6]}, 1).extend({'age': ['old', '5.0']}, 1)
    assert new.fields[0].values == ('5', '6', 'old')
    assert new.encode({'age': ['old', 6.0]})[0].tolist() == [[2], [1]]


def test_equality_looks_at_names_values_and_kinds(vocabulary):
    assert vocabulary == Vocabulary.from_json(vocabulary.to_json())
    assert vocabulary != Vocabulary.fit(COLUMNS, 2)
    renamed = Vocabulary([Field('city', *vocabulary.fields[0].values[:0] or ((), 'text', 0))])
    assert vocabulary != renamed and vocabulary != 3


def test_a_number_finds_its_one_text():
    field = Field('zip', ('01', '7', '007', 'x'), 'text', 4)
    assert field.find([1, 1.0, None]).tolist() == [0, 0, -1]
    assert field.find([1, '1', '01']).tolist() == [-1, -1, 0]  # text is taken as it is
    assert field.find([7, 8]).tolist() == [1, -1]  # its very text comes first
    ambiguous = Field('zip', ('07', '007', 'x'), 'text', 3)
    assert ambiguous.find([7]).tolist() == [-1]
    assert field.find([True]).tolist() == [0]
    assert Field('on', ('True', 'x'), 'text', 2).find([True, 1, 0]).tolist() == [0, 0, -1]


def test_whole_numbers_that_a_float_has_rounded_are_found_where_there_is_one():
    field = Field('id', ('9007199254740993', '9223372036854775807', '5'), 'number', 3)
    assert field.find([9007199254740992.0, 2.0**63, 5.0]).tolist() == [0, 1, 2]
    twins = Field('id', ('9007199254740993', '9007199254740991', '9007199254740992'), 'number', 3)
    assert twins.find([9007199254740992.0]).tolist() == [2]


def test_the_views_are_dicts_that_remember(vocabulary):
    mapper, defaults = vocabulary.mappers, vocabulary.defaults
    assert mapper == {1: {'b': 0, 'a': 1, 'c': 2}, 2: {'5': 0, '': 1, '6': 2, '7': 3}}
    assert defaults == {1: 3, 2: 4} and isinstance(mapper, Mappers)
    assert sorted(mapper) == [1, 2] and len(mapper) == 2 and mapper[2]['6'] == 2
    assert mapper.vocabulary is vocabulary and defaults.vocabulary is vocabulary
    assert repr(defaults) == '{1: 3, 2: 4}' and repr(mapper).startswith("{1: {'b': 0")
    for change in (
        lambda: mapper.__setitem__(1, {}),
        lambda: mapper[1].update(z=9),
        lambda: defaults.__setitem__(2, 0),
    ):
        with pytest.raises((TypeError, AttributeError)):
            change()
    with pytest.raises(KeyError):
        mapper[3]
    plain = Vocabulary.from_mappers({f: dict(m) for f, m in mapper.items()}, dict(defaults))
    assert plain.names == ['field 1', 'field 2'] and plain.mappers == mapper


def test_the_plain_dicts_of_a_reader_say_whether_they_are_numbers():
    kinds = [
        Vocabulary.from_mappers({1: ids}).fields[0].kind
        for ids in ({'5': 0, '': 1}, {'05': 0}, {'5': 0, 'x': 1}, {5: 0})
    ]
    assert kinds == ['number', 'text', 'text', 'number']


@pytest.mark.parametrize('min_threshold', [1, 2])
def test_a_vocabulary_survives_a_file(vocabulary, tmp_path, min_threshold):
    vocabulary = Vocabulary.fit(COLUMNS, min_threshold, label='y')
    vocabulary.save(tmp_path / 'v.json')
    again = Vocabulary.load(tmp_path / 'v.json')
    assert again == vocabulary and again.label == 'y'
    assert [f.counts for f in again.fields] == [f.counts for f in vocabulary.fields]
    assert load_vocab(tmp_path / 'v.json') == (vocabulary.mappers, vocabulary.defaults)
    assert os.listdir(tmp_path) == ['v.json']


def test_a_file_of_before_is_read(tmp_path):
    old = {'fields': [{'name': 'town', 'values': {'b': 0, 'a': 1}, 'default': 2}]}
    (tmp_path / 'v').write_text(json.dumps(old))
    assert Vocabulary.load(tmp_path / 'v') == Vocabulary([Field('town', ('b', 'a'), 'text', 2)])


def test_a_failed_save_leaves_the_old_file(vocabulary, tmp_path, monkeypatch):
    vocabulary.save(tmp_path / 'v.json')
    before = (tmp_path / 'v.json').read_text()
    monkeypatch.setattr(Vocabulary, 'to_json', lambda self: {'fields': [1, object()]})
    with pytest.raises(TypeError):  # half way through
        vocabulary.save(tmp_path / 'v.json')
    assert (tmp_path / 'v.json').read_text() == before
    assert os.listdir(tmp_path) == ['v.json']


def field(**changes):
    entry = {'name': 'a', 'kind': 'text', 'unknown': 1, 'values': ['x'], 'counts': [1]}
    return json.dumps({'version': 1, 'label': None, 'fields': [{**entry, **changes}]})


@pytest.mark.parametrize(
    'content',
    [
        '',
        '[]',
        '3',
        'null',
        '{"a": 1}',
        '{"fields": 3}',
        '{"fields": []}',
        '{"fields": [3]}',
        '{"fields": [{"values": {}}]}',
        '{"fields": [{"values": [1], "default": 0}]}',
        '{"fields": [{"values": {"a": 1e400}, "default": 0}]}',
        '{"fields": [{"values": {"a": 0}, "default": 0}]}',
        '{"fields": [{"values": {"a": 0, "b": 0}, "default": 2}]}',
        '[' * 100_000,
        '{"version": 2, "fields": []}',
        field(unknown=2),
        field(unknown=-1),
        field(unknown=True),
        field(unknown=0.0),
        field(unknown=None, values=[], counts=[]),
        field(values=['x', 'x'], counts=[1, 1]),
        field(values=[3]),
        field(values='x'),
        field(values=['\ud800']),
        field(counts=[1, 2]),
        field(counts=[-1]),
        field(counts=['1']),
        field(counts=3),
        field(kind='word'),
        field(name=3),
        field(name=None),
        json.dumps({**json.loads(field()), 'label': 3}),
        json.dumps({**json.loads(field()), 'fields': json.loads(field())['fields'] * 2}),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path, content):
    (tmp_path / 'v').write_text(content)
    with pytest.raises(ValueError, match='v holds no vocabulary: ') as refusal:
        load_vocab(tmp_path / 'v')
    assert '\n' not in str(refusal.value)


def test_damaged_files_are_refused_or_sound(vocabulary, tmp_path):
    vocabulary.save(tmp_path / 'v')
    whole = (tmp_path / 'v').read_bytes()
    rng = random.Random(0)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(content))
            content[at : at + rng.randint(0, 2)] = bytes(
                rng.choices(range(256), k=rng.randint(0, 2))
            )
        (tmp_path / 'v').write_bytes(content)
        try:
            found = Vocabulary.load(tmp_path / 'v')
        except ValueError:
            continue
        ids = [i + o for f, o in zip(found.fields, found.offsets) for i in f.ids.values()]
        assert len(set(ids)) == len(ids) and all(0 <= i < found.num_features for i in ids)


@pytest.mark.parametrize(
    'feat_mapper, defaults, message',
    [
        ({1: {'a': 2}}, {1: 1}, "field 1 gives 'a' the id 2"),
        ({1: {'a': -1}}, {1: 1}, 'the id -1'),
        ({1: {'a': 0.0}}, {1: 1}, 'the id 0.0'),
        ({1: {'a': True}}, {1: 0}, 'the id True'),
        ({1: {'a': 0}}, {1: 5}, "'unknown values' the id 5"),
        ({1: {'a': 0}}, {1: None}, "'unknown values' the id 'None'"),
        ({1: {'a': 0, 'b': 0}}, {1: 2}, "gives 'a' and 'b' the same id, 0"),
        ({1: {'a': 0}}, {1: 0}, "gives 'unknown values' and 'a' the same id, 0"),
        ({0: {'a': 0}}, {0: 1}, 'number both from 1 to F'),
        ({1: {'a': 0}}, {}, 'number both from 1 to F'),
        ({}, {}, 'number both from 1 to F'),
        ({1: ['a']}, {1: 1}, 'field 1 is a list'),
        ([{'a': 0}], {1: 1}, 'feat_mapper is a list'),
        ({1: {'a': 0}}, [1], 'defaults is a list'),
    ],
)
def test_a_vocabulary_that_leads_outside_its_field_is_refused(feat_mapper, defaults, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary.from_mappers(feat_mapper, defaults)


def test_too_many_features_for_int32_are_refused():
    assert first_ids(np.array([3, 2**31 - 4])).tolist() == [0, 3]
    with pytest.raises(ValueError, match='2,147,483,648 features'):
        first_ids(np.array([3, 2**31 - 3]))


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda v: v.id_of(1, 'pink'), "'town' does not hold 'pink': ask for None"),
        (lambda v: v.id_of('village', 'a'), "no field 'village'"),
        (lambda v: v.ids_of(0), 'no field 0'),
        (lambda v: v.ids_of(True), 'no field True'),
        (lambda v: v.value_of(9), 'no id 9: give one from 0 to 8'),
        (lambda v: v.value_of(1.0), 'no id 1.0'),
        (lambda v: v.encode({'town': ['a']}), "no column 'age': the data has town"),
        (lambda v: v.encode({'town': ['a'], 'age': [1, 2]}), r'the columns have \[1, 2\] rows'),
        (lambda v: v.encode(3), 'the columns are a int'),
        (lambda v: v.extend(COLUMNS, 0), 'min_threshold is 0'),
        (lambda v: v.extend({'town': []}), "no column 'age'"),
        (lambda v: Vocabulary.fit({}), 'has no field'),
        (lambda v: Vocabulary.fit(COLUMNS, '4'), "min_threshold is '4'"),
        (lambda v: Vocabulary([v.fields[0]] * 2), "two fields are called 'town'"),
        (lambda v: Vocabulary.fit({'a': [[1], 'x']}), "a list in the column 'a', row 1"),
        (lambda v: Vocabulary.fit({'a': ['x', 'y\ud800']}), r"column 'a', row 2, 'y\\ud800'"),
    ],
)
def test_refusals_say_what_where_and_what_to_do(vocabulary, call, words):
    with pytest.raises(ValueError, match=words) as refusal:
        call(vocabulary)
    assert '\n' not in str(refusal.value)
