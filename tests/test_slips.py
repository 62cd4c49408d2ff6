"""Small slips of the hand that no other test would notice: `tools/mutate.py` found them."""

import warnings

import d2lrec as d2l
from d2lrec.check import judge
from d2lrec.saving.rows import encode_rows

import numpy as np
import pandas as pd
import pytest


def tagged():
    frame = pd.DataFrame({'y': [0, 1] * 2, 'tags': ['p|q', 'q', 'p', 'q'], 'a': list('xyxy')})
    return d2l.read(frame, label='y', categories=['a'], numbers=[], multi={'tags': '|'})


def test_the_share_of_unknown_values_of_a_bag_is_of_those_that_are_there():
    encoder = tagged().dataset(min_threshold=1).encoder
    new = pd.DataFrame({'tags': ['p', 'z|p', '', 'z'], 'a': list('xxww')})
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        encoded = encoder.encode(new, label=False)
    assert encoded.unknown.tolist() == [0.5, 0.5]


def test_a_few_unknown_values_are_a_share_of_the_rows():
    encoder = tagged().dataset(min_threshold=1).encoder
    new = pd.DataFrame({'tags': ['p'] * 20, 'a': ['x'] * 13 + ['new'] * 7})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        encoded = encoder.encode(new, label=False)
    assert encoded.unknown.tolist() == pytest.approx([0.35, 0])


def test_numbers_and_an_empty_cell_make_a_field_of_numbers():
    assert d2l.Field.from_mapper('a', {'1': 0, '': 1}, 2, 'it').kind == 'number'
    assert d2l.Field.from_mapper('a', {'x': 0, '': 1}, 2, 'it').kind == 'text'


def test_a_label_is_not_taken_for_the_user():
    frame = pd.DataFrame({'user': [0, 1, 1, 0], 'a': list('xyxy')})
    table = d2l.read(frame, label='user', categories=['a'], numbers=[])
    assert table.schema.label == 'user' and table.schema.user is None


def test_pairs_are_only_made_where_they_are_asked_for():
    loader = d2l.NegativeLoader(d2l.Interactions([0, 1], [0, 1], 2, 4), batch_size=9)
    assert not loader.pairwise and loader.rows == 4


def test_half_a_character_among_numbers_is_refused():
    frame = pd.DataFrame({'y': [0, 1], 'a': pd.Series([1, '\ud800'], dtype=object)})
    with pytest.raises(ValueError, match='half a character'):
        d2l.CTRDataset(frame, min_threshold=1)


def test_one_value_a_row_may_be_named_multi():
    frame = pd.DataFrame({'y': [0, 1, 1], 'tag': ['p', None, 'q']})
    lists = d2l.read(frame, label='y', categories=[], numbers=[], multi=['tag']).lists('tag')
    assert lists.counts.tolist() == [1, 0, 1] and [lists.cells[c] for c in lists.codes] == [
        'p',
        'q',
    ]


def test_films_of_movielens_100k_are_joined_on(tmp_path):
    (tmp_path / 'u.data').write_text('1\t2\t5\t880000000\n1\t1\t3\t880000001\n')
    flags = ['0'] * 18
    drama = [*flags[:7], '1', *flags[8:]]
    rows = [[str(i), f'Film {i}', '', '', '', '0', *f] for i, f in ((1, flags), (2, drama))]
    (tmp_path / 'u.item').write_text(''.join('|'.join(r) + '\n' for r in rows))
    table = d2l.read_ratings(tmp_path)
    assert table.schema.multi == {'genres': '|'}
    assert table.frame.genres.fillna('').tolist() == ['Drama', '']
    assert table.frame.title.tolist() == ['Film 2', 'Film 1']
    assert np.array_equal(table.labels, [1, 0])


def test_an_error_without_a_message_is_told():
    assert judge.told(ValueError()) == '' and judge.told(ValueError('a\nb')) == 'a'


def test_a_request_of_short_floats_is_read_like_a_table_of_them():
    frame = pd.DataFrame({'y': [0, 1], 'a': np.array([0.1, 0.2], 'float32')})
    encoder = d2l.CTRDataset(frame, min_threshold=1).encoder
    wanted = encoder.encode(frame[['a']], label=False).features.tolist()
    assert encode_rows(encoder, frame[['a']]).features.tolist() == wanted == [[0], [1]]


def test_raw_rows_need_an_encoder():
    net = d2l.FM([3, 2], 2)
    net.initialize()
    with pytest.raises(ValueError, match='FM was saved without an encoder'):
        d2l.Saved(net, None).predict({'a': 'x'})


def test_times_are_all_numbers_or_all_dates():
    frame = pd.DataFrame({'y': [0, 1], 'a': ['x', 'y'], 'time': ['5', 'tomorrow']})
    with pytest.raises(ValueError, match="the time 'time' of row"):
        d2l.read(frame, label='y', categories=['a'], numbers=[], time='time').times


def test_a_folder_whose_list_of_blocks_is_cut_is_refused(tmp_path):
    frame = pd.DataFrame({'y': [0, 1] * 4, 'a': list('xyxyxyxy')})
    how = dict(label='y', categories=['a'], numbers=[])
    d2l.encode(frame, tmp_path / 'made', verbose=False, **how)
    path = tmp_path / 'made' / 'blocks.bin'
    for size in (0, 1, 4, 7):
        data = path.read_bytes()
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match='is damaged in rows 0 to'):
            d2l.open_encoded(tmp_path / 'made')
        path.write_bytes(data)
