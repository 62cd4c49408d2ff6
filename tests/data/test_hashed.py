"""Fields whose ids are buckets of a stable hash: by loops, whichever way the rows come in."""

import hashlib
import subprocess
import sys

import d2lrec as d2l
from d2lrec.data.hashed import HashedField, hashed_fields

import numpy as np
import pandas as pd
import pytest

HASHED = {'town': 40, 'n': [16, 24]}


def frame(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    towns = np.array([*(f't{i}' for i in range(90)), '', 'Łódź'], dtype=object)
    return pd.DataFrame(
        {
            'y': rng.integers(0, 2, rows),
            'town': towns[rng.integers(0, len(towns), rows)],
            'n': rng.integers(0, 60, rows),
            'c': rng.choice(list('abc'), rows),
        }
    )


def bucket(word, buckets, number=0):
    """The definition: eight bytes of BLAKE2b, salted by the number of the hash."""
    salt = bytes([number]) + bytes(15)
    value = 0
    for byte in hashlib.blake2b(word.encode(), digest_size=8, salt=salt).digest():
        value = 256 * value + byte
    return value % buckets


def test_ids_are_the_definition_in_a_loop():
    rows = frame()
    data = d2l.CTRDataset(rows, min_threshold=1, hashed=HASHED)
    assert data.field_names == ['town', 'n', 'n, hash 2', 'c']
    assert data.field_dims.tolist() == [40, 16, 24, 4]
    for i, (town, n) in enumerate(zip(rows['town'], rows['n'])):
        wanted = [bucket(town, 40), 40 + bucket(str(n), 16), 56 + bucket(str(n), 24, 1)]
        assert data.features[i, :3].tolist() == wanted


def test_buckets_are_frozen_across_processes_and_versions():
    assert HashedField('x', 1000).find(['Oslo', '', 'Łódź']).tolist() == [500, 876, 911]
    code = (
        'from d2lrec.data.hashed import HashedField as H;'
        "print(H('other name', 1000, hash=1).find(['Oslo', 'Rome']).tolist())"
    )
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    here = HashedField('x', 1000, hash=1).find(['Oslo', 'Rome']).tolist()
    assert out.stdout.strip() == str(here)


def test_a_number_has_one_bucket_however_it_is_spelled():
    one = HashedField('n', 10**6, 'number')
    assert len(set(one.find(['3', 3, 3.0, '03', '3.00', np.float32(3)]).tolist())) == 1
    text = HashedField('n', 10**6, 'text')
    assert len(set(text.find(['3', '03', '3.00']).tolist())) == 3
    assert text.find([None, float('nan'), 'NA', '']).tolist() == [bucket('', 10**6)] * 4


def test_what_is_met_is_counted_in_a_loop():
    words = [f'w{i}' for i in range(200)]
    sizes, before = (90, 40, 30), [()] * len(words)
    for (one, within), size, number in zip(
        hashed_fields('x', sizes, 'text', words), sizes, range(3)
    ):
        before = [(*b, bucket(w, size, number)) for b, w in zip(before, words)]
        share = sum(1 for b in before if before.count(b) > 1)
        assert one.met == (200, share) and within.tolist() == [b[-1] for b in before]
    data = d2l.CTRDataset(frame(), hashed=HASHED)
    lines = data.summary().splitlines()
    used = [bucket(town, 40) for town in frame()['town'].unique()]
    share = sum(used.count(b) > 1 for b in used) / len(used)
    assert f'of {len(used)} values in the training data {share:.1%} share their bucket' in lines[1]
    assert 'share the buckets of all hashes so far' in lines[3] and '40 buckets' in lines[1]


def test_every_way_in_gives_the_same_ids(tmp_path):
    rows = frame()
    data = d2l.CTRDataset(rows, hashed=HASHED)
    told = {'label': 'y', 'categories': ['town', 'n', 'c'], 'numbers': []}
    table = d2l.read(rows, **told).dataset(hashed=HASHED)
    folder = d2l.encode(rows, tmp_path / 'x', seed=None, verbose=False, hashed=HASHED, **told)
    rows.to_csv(tmp_path / 'log.tsv', sep='\t', header=False, index=False)
    file = d2l.CTRDataset(tmp_path / 'log.tsv', hashed={'field 1': 40, 'field 2': (16, 24)})
    for other in (table, folder, file):
        assert (np.asarray(other.features) == data.features).all()
    assert folder.encoder == table.encoder and folder.vocabulary == data.vocabulary
    new = frame(50, seed=1)
    new.loc[0, 'town'] = 'nowhere'
    wanted = d2l.CTRDataset(new, vocabulary=data.vocabulary).features
    assert wanted[0, 0] == bucket('nowhere', 40)  # it has a bucket, as all values have
    for encoder in (data.encoder, table.encoder, folder.encoder):
        assert (encoder.encode(new, label=False).features == wanted).all()
        again = d2l.Encoder.from_json(encoder.to_json())
        assert again == encoder and (again.encode(new, label=False).features == wanted).all()
        assert [f.met for f in again.vocabulary.fields[:3]] == [
            f.met for f in data.vocabulary.fields[:3]
        ]


@pytest.mark.parametrize('way', ['frame', 'table'])
def test_a_saved_model_keeps_its_hashes(tmp_path, way):
    rows = frame()
    if way == 'frame':
        data = d2l.CTRDataset(rows, hashed=HASHED)
    else:
        log = d2l.read(rows, label='y', categories=['town', 'n', 'c'], numbers=[])
        data = log.dataset(hashed=HASHED)
    net = d2l.FM(data.field_dims, 4)
    d2l.fit(net, data, num_epochs=1)
    d2l.save(net, tmp_path / 'net', data)
    saved = d2l.load(tmp_path / 'net')
    assert (saved.predict(rows) == d2l.predict(net, data)).all()
    row = {'town': 'nowhere', 'n': 3, 'c': 'a'}
    alone = saved.predict(row)
    assert alone == pytest.approx(saved.predict(pd.DataFrame([row] * 50))[:1])
    towns, items = (
        pd.DataFrame({'town': ['t1', 'nowhere']}),
        pd.DataFrame({'n': [1, 2], 'c': list('ab')}),
    )
    found = saved.recommend(towns, 2, items=items, user='town', item='n', seen=rows)
    assert set(found['user']) <= {'t1', 'nowhere'}
    for _, line in found.iterrows():
        c = items.set_index('n')['c'][line['item']]
        one = saved.predict({'town': line['user'], 'n': line['item'], 'c': c})
        assert line['score'] == pytest.approx(float(one[0]), abs=1e-6)
    with pytest.raises(ValueError, match="its field 'town' is hashed, so that its values are not"):
        saved.recommend(towns, 2, items=items, user='town', item='n', seen=data)


def test_several_values_a_cell_are_hashed_too():
    rows = pd.DataFrame({'y': [0, 1, 1], 'tags': ['a|b', 'b', 'c|a|d']})
    log = d2l.read(rows, label='y', categories=[], numbers=[], multi={'tags': '|'})
    data = log.dataset(hashed={'tags': 7})
    for i, tags in enumerate(rows['tags']):
        there = data.features[i][data.weights[i] != 0].tolist()
        assert there == [bucket(tag, 7) for tag in tags.split('|')]
    with pytest.raises(ValueError, match="'tags' has several values a cell: give one number"):
        log.dataset(hashed={'tags': [7, 7]})


def test_later_data_and_a_warm_start():
    old = d2l.CTRDataset(frame(), hashed=HASHED)
    vocabulary = old.vocabulary.extend(frame(seed=3), 1)
    assert vocabulary.fields[:3] == old.vocabulary.fields[:3]
    other = d2l.CTRDataset(frame(), hashed={**HASHED, 'town': 41})
    nets = [d2l.LR(v.dims) for v in (old.vocabulary, vocabulary, other.vocabulary)]
    for net in nets:
        net.initialize()
    assert d2l.warm_start(nets[1], vocabulary, nets[0], old)[:80].all()
    carried = d2l.warm_start(nets[2], other, nets[0], old)
    assert not carried[:41].any() and carried[41:81].all()  # another table tells nothing


def test_refusals():
    rows = frame(20)
    for hashed, words in (
        (['town'], r"hashed is \['town'\]: give {column: number of buckets}"),
        ({'where': 3}, "hashed names 'where', and the data has no such column of values"),
        ({'town': 0}, r"hashed\['town'\] is 0: give {column: number of buckets}"),
        ({'town': []}, r"hashed\['town'\] is \[\]: give"),
        ({'town': 2.5}, r"hashed\['town'\] is 2.5: give"),
    ):
        with pytest.raises(ValueError, match=words):
            d2l.CTRDataset(rows, hashed=hashed)
    data = d2l.CTRDataset(rows, hashed={'town': 9})
    with pytest.raises(ValueError, match='hashed is given beside a vocabulary, which says it'):
        d2l.CTRDataset(rows, vocabulary=data.vocabulary, hashed={'town': 9})
    with pytest.raises(ValueError, match="the field 'x' has 0 buckets: give a whole number"):
        HashedField('x', 0)
    with pytest.raises(ValueError, match='has a bucket for every value and no id'):
        data.id_of('town', None)
    content = data.vocabulary.to_json()
    for key, value in (('buckets', 'many'), ('hash', -1), ('kind', 'x'), ('met', [1])):
        spoilt = {**content, 'fields': [{**content['fields'][0], key: value}]}
        with pytest.raises(ValueError):
            d2l.Vocabulary.from_json(spoilt)
