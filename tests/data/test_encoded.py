"""Data in a folder: the ids of the way in memory, picked up again, checked, trained on."""

import gzip
import json
import os
import signal
import subprocess
import sys
import warnings

import d2lrec as d2l
from d2lrec.data import blocks, encoded

import numpy as np
import pandas as pd
import pytest

CRITEO = [*(f'I{i}' for i in range(1, 14)), *(f'C{i}' for i in range(1, 27))]
HOW = {'label': 'click', 'categories': ['town', 'ad', 'day'], 'numbers': ['price', 'age']}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, 'BYTES', 3_000)
    monkeypatch.setattr(blocks, 'ROWS', 100)
    monkeypatch.setattr(encoded, 'MERGE', 50)


def a_log(rows=700, seed=0):
    """Towns of text and a quoted comma, ads of numbers, gaps, prices and ages."""
    rng = np.random.default_rng(seed)
    towns = np.array(['Oslo', 'Rome, Lazio', '', 'NA', 'say "hi"', 'Jeju\nIsland', '007', '7'])
    ads = rng.zipf(1.5, rows) % 90
    return pd.DataFrame(
        {
            'click': rng.integers(0, 2, rows),
            'town': towns[rng.integers(0, len(towns), rows)],
            'ad': [f'{a:03d}' if a % 3 else f'{a}.0' for a in ads],
            'day': rng.integers(0, 7, rows),
            'price': np.where(rng.random(rows) < 0.1, np.nan, rng.gamma(2, 10, rows).round(2)),
            'age': rng.integers(-3, 60, rows),
        }
    )


def same(data, wanted):
    """Bit for bit what the way in memory gives."""
    assert data.vocabulary == wanted.vocabulary
    assert [f.counts for f in data.vocabulary.fields] == [
        f.counts for f in wanted.vocabulary.fields
    ]
    assert data.encoder == wanted.encoder and list(data.columns) == list(wanted.columns)
    for name, column in wanted.columns.items():
        assert data.columns[name].dtype == column.dtype
        assert data.columns[name].tobytes() == column.tobytes(), name
    assert (data.labels is None) == (wanted.labels is None)
    assert wanted.labels is None or data.labels.tobytes() == wanted.labels.tobytes()
    assert (data.sample_weight is None) == (wanted.sample_weight is None)


@pytest.mark.parametrize('numbers_as', ['quantiles', 'dense', 'logsquare'])
@pytest.mark.parametrize('kind', ['csv', 'csv.gz', 'cp949', 'parquet', 'jsonl', 'frame', 'parts'])
def test_ids_are_those_of_the_way_in_memory(kind, numbers_as, tmp_path):
    frame, path, how = a_log(), tmp_path / f'log.{kind}', dict(HOW)
    if kind == 'parquet':
        frame.to_parquet(path, row_group_size=250)
    elif kind == 'jsonl':
        frame.to_json(path, orient='records', lines=True)
    elif kind == 'parts':
        path.mkdir()
        frame[:300].to_csv(path / 'a.csv', index=False)
        frame[300:][frame.columns[::-1]].to_csv(path / 'b.csv', index=False)
    elif kind == 'cp949':
        path, how['encoding'] = tmp_path / 'log.csv', 'cp949'
        frame.replace('Oslo', '서울').to_csv(path, index=False, encoding='cp949')
    elif kind != 'frame':
        frame.to_csv(path, index=False)
    source = frame if kind == 'frame' else path
    data = d2l.encode(
        source, tmp_path / 'x', numbers_as=numbers_as, seed=None, verbose=False, **how
    )
    same(data, d2l.read(source, **how).dataset(numbers_as))
    assert len(json.loads((tmp_path / 'x' / 'encoded.json').read_text())['blocks']) > 2


def test_what_is_guessed_and_turns_out_otherwise_is_so_in_both_ways(tmp_path):
    rows = [f'{i % 2},{i * 0.5},{i % 9},{"x" if i == 650 else i * 1.5}' for i in range(700)]
    (tmp_path / 'log.csv').write_text('click,a,b,c\n' + '\n'.join(rows))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        data = d2l.encode(tmp_path / 'log.csv', tmp_path / 'x', seed=None, verbose=False)
        wanted = d2l.read(tmp_path / 'log.csv').dataset()
    assert data.field_names == wanted.field_names == ['b', 'c', 'a']
    same(data, wanted)
    assert len({str(w.message).split(', of which')[0] for w in caught if 'read with' in str(w)}) < 2


@pytest.mark.filterwarnings('ignore:.*was read with')
@pytest.mark.parametrize('cell', ['soon', '17'])
def test_a_time_that_later_rows_have_none_of_is_refused_with_its_row(cell, tmp_path):
    days = [cell if i == 650 else '' if i % 50 == 0 else '2026-01-02' for i in range(700)]
    rows = [f'{i % 2},{i % 9},{day}' for i, day in enumerate(days)]
    path = tmp_path / 'log.csv'
    path.write_text('click,b,when\n' + '\n'.join(rows))
    words = f"'when' was taken for the time, and in row 651 it is '{cell}': pass time='when' where"
    with pytest.raises(ValueError, match=words):
        d2l.encode(path, tmp_path / 'x', verbose=False)
    for given, names in (('when', ['b']), (False, ['b', 'when'])):
        data = d2l.encode(path, tmp_path / f'{given}', seed=None, verbose=False, time=given)
        assert data.field_names == names
        same(data, d2l.read(path, time=given).dataset())
    path.write_text(path.read_text().replace(f',{cell}', ',2026-03-04 05:06'))
    assert d2l.encode(path, tmp_path / 'z', verbose=False).field_names == ['b']


def interrupted(monkeypatch, *args, **how):
    """Encode, interrupted after the first block and called again."""
    write, left = encoded._write_block, [1]

    def once(*args):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(*args)

    with monkeypatch.context() as patched:
        patched.setattr(encoded, '_write_block', once)
        with pytest.raises(KeyboardInterrupt):
            d2l.encode(*args, **how)
    return d2l.encode(*args, **how)


@pytest.mark.filterwarnings('ignore:.*was read with')
@pytest.mark.parametrize('kind', ['csv', 'jsonl', 'libffm'])
def test_what_the_first_pass_learned_is_known_after_an_interruption(kind, tmp_path, monkeypatch):
    path = tmp_path / f'log.{kind}'
    if kind == 'csv':
        rows = [f'{i % 2},{i % 9},{"x" if i == 650 else f"{i % 40}.50"}' for i in range(700)]
        path.write_text('click,b,c\n' + '\n'.join(rows))
    elif kind == 'jsonl':
        rows = [
            {'click': i % 2, 'tag': '2026-01-01' if i < 600 else f'day {i % 5}'} for i in range(700)
        ]
        rows[650]['late'] = 'x'
        path.write_text('\n'.join(map(json.dumps, rows)))
    else:
        path.write_text('\n'.join(f'{i % 2} 0:{i % 7}:1 {i // 600}:{i % 5}:1' for i in range(700)))
    how = {'label': 'label' if kind == 'libffm' else 'click'}
    if kind == 'jsonl':  # the first block alone would look like times
        how['time'] = False
    data = interrupted(monkeypatch, path, tmp_path / 'x', seed=None, verbose=False, **how)
    same(data, d2l.read(path, **how).dataset())


@pytest.mark.parametrize('labelled', [True, False])
def test_criteo(labelled, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({n: rng.zipf(1.6, 400) % 50 - 1 for n in CRITEO})
    for name in CRITEO[13:]:
        frame[name] = [f'{v * 2654435761 % 2**32:08x}' if v else '' for v in frame[name]]
    frame.insert(0, 'label', rng.integers(0, 2, 400))
    path = tmp_path / 'train.txt'
    frame[frame.columns[1 - labelled :]].to_csv(path, sep='\t', header=False, index=False)
    packed = tmp_path / 'train.txt.gz'
    packed.write_bytes(gzip.compress(path.read_bytes()))
    wanted = d2l.read(path, format='criteo').dataset('dense')
    for source, to in ((path, 'x'), (packed, 'y')):
        how = {'numbers_as': 'dense', 'seed': None, 'verbose': False, 'format': 'criteo'}
        same(d2l.encode(source, tmp_path / to, **how), wanted)


@pytest.mark.parametrize('kind', ['libsvm', 'libffm'])
def test_sparse_lines_and_bags(kind, tmp_path):
    rng, lines = np.random.default_rng(1), []
    for i in range(500):
        fields = range(rng.integers(1, 4) if i < 300 else 5)
        entries = [(f, rng.integers(0, 9)) for f in fields for _ in range(1 + (f == 1))]
        form = '{1}:0.5' if kind == 'libsvm' else '{0}:{1}:1'
        lines.append(' '.join([str(i % 2), *(form.format(*e) for e in entries)]))
    path = tmp_path / f'log.{kind}'
    path.write_text('\n'.join(lines))
    how = {'label': 'label', 'format': kind}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        data = d2l.encode(path, tmp_path / 'x', pool='mean', seed=None, verbose=False, **how)
        same(data, d2l.read(path, **how).dataset(pool='mean'))


def test_other_rows_by_its_encoder_and_weights(tmp_path):
    frame = a_log()
    frame['w'] = np.arange(len(frame)) % 3
    how = {**HOW, 'weight': 'w'}
    data = d2l.encode(frame[:500], tmp_path / 'x', seed=None, verbose=False, **how)
    later = d2l.encode(frame[500:], tmp_path / 'y', encoder=data.encoder, seed=None, verbose=False)
    train = d2l.read(frame[:500], **how).dataset()
    same(data, train)
    assert (later.features == train.encoder.encode(frame[500:]).features).all()
    assert (data.sample_weight == frame['w'][:500]).all()
    with pytest.raises(ValueError, match='beside label: leave these out'):
        d2l.encode(frame, tmp_path / 'z', encoder=data.encoder, label='click')


def test_a_seed_gives_the_same_rows_in_another_order(tmp_path):
    frame = a_log()
    plain = d2l.encode(frame, tmp_path / 'a', seed=None, verbose=False, **HOW)
    one, two = (d2l.encode(frame, tmp_path / f, verbose=False, **HOW) for f in 'bc')
    assert (one.features == two.features).all() and (one.features != plain.features).any()
    key = np.lexsort(np.column_stack([plain.features, plain.labels]).T)
    drawn = np.lexsort(np.column_stack([one.features, one.labels]).T)
    assert (plain.features[key] == one.features[drawn]).all()
    assert (plain.labels[key] == one.labels[drawn]).all()


def test_exact_ranks_in_bounded_memory(tmp_path):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=999), [0.0, -0.0, 1e300, -1e300, 5e-324], [3.0] * 99])
    numbers = encoded._Numbers(tmp_path / 'numbers')
    for part in np.array_split(rng.permutation(values), 7):
        numbers.add(np.append(part, np.nan))
    ranks = np.arange(0, len(values), 3)
    assert (numbers.at(ranks) == np.sort(values)[ranks]).all()
    assert (numbers.there, numbers.missing) == (len(values), 7)


KILLED = """
import os, signal, sys
import pandas as pd, d2lrec as d2l
from d2lrec.data import blocks, encoded
blocks.BYTES, blocks.ROWS, encoded.MERGE = 3000, 100, 50
write, left = encoded._write_block, [2]
def once(*args):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    write(*args)
encoded._write_block = once
d2l.encode(sys.argv[1], sys.argv[2], verbose=False, label='click',
           categories=['town', 'ad', 'day'], numbers=['price', 'age'])
"""


def test_a_killed_encoding_goes_on_where_it_stopped(tmp_path, monkeypatch):
    a_log().to_csv(tmp_path / 'log.csv', index=False)
    killed = subprocess.run(
        [sys.executable, '-c', KILLED, str(tmp_path / 'log.csv'), str(tmp_path / 'x')], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(ValueError, match='is not finished: call encode with the same arguments'):
        d2l.open_encoded(tmp_path / 'x')
    with pytest.raises(ValueError, match='from another source or with other arguments'):
        d2l.encode(tmp_path / 'log.csv', tmp_path / 'x', seed=1, verbose=False, **HOW)
    written, write = [], encoded._write_block
    monkeypatch.setattr(
        encoded, '_write_block', lambda t, n, *rest: (written.append(n), write(t, n, *rest))
    )
    data = d2l.encode(tmp_path / 'log.csv', tmp_path / 'x', verbose=False, **HOW)
    whole = d2l.encode(tmp_path / 'log.csv', tmp_path / 'y', verbose=False, **HOW)
    blocks_of = len(json.loads((tmp_path / 'x' / 'encoded.json').read_text())['blocks'])
    assert written == [*range(2, blocks_of), *range(blocks_of)]
    assert (data.features == whole.features).all() and (data.labels == whole.labels).all()
    written.clear()
    assert len(d2l.encode(tmp_path / 'log.csv', tmp_path / 'x', verbose=False, **HOW)) == 700
    assert not written


def test_a_folder_is_checked_when_it_is_opened(tmp_path):
    folder = tmp_path / 'x'
    d2l.encode(a_log(), folder, verbose=False, **HOW)
    assert len(d2l.open_encoded(folder)) == 700
    with pytest.raises(ValueError, match='holds nothing that encode wrote'):
        d2l.open_encoded(tmp_path)
    with pytest.raises(ValueError, match='holds .* and is not empty'):
        d2l.encode(a_log(), tmp_path, verbose=False, **HOW)
    ids = np.memmap(folder / 'ids.bin', '<i4', 'r+')
    ids[777] += 1
    ids.flush()
    with pytest.raises(ValueError, match=r'is damaged in rows \d+ to \d+'):
        d2l.open_encoded(folder)
    ids[777] -= 1
    ids.flush()
    text = (folder / 'encoder.json').read_text()
    (folder / 'encoder.json').write_text(text.replace('Oslo', 'Ulsan'))
    with pytest.raises(ValueError, match='is not what the rows were encoded by'):
        d2l.open_encoded(folder)
    (folder / 'encoder.json').write_text(text)
    with open(folder / 'labels.bin', 'ab') as file:
        file.write(b'1')
    with pytest.raises(ValueError, match='has 2801 bytes where 700 rows take 2800'):
        d2l.open_encoded(folder)


@pytest.fixture
def planted_folder(tmp_path, monkeypatch):
    clicks = d2l.planted(3_000, [30, 20, 10], linear=1.0, pairwise=1.0, seed=0)
    frame = pd.DataFrame(clicks.features, columns=list('abc')).assign(click=clicks.labels)
    how = {'label': 'click', 'categories': list('abc'), 'numbers': []}
    monkeypatch.setattr(encoded.EncodedFolder, 'stretch', 128)
    return d2l.encode(frame, tmp_path / 'x', seed=None, verbose=False, **how)


def test_a_loader_gives_every_row_once_an_epoch(planted_folder):
    for last, rows in (('keep', 3_000), ('discard', 2_944)):
        loader = d2l.BatchLoader(
            planted_folder, batch_size=64, shuffle=True, seed=0, last_batch=last
        )
        epochs = [np.concatenate([x.asnumpy() for x, _ in loader]) for _ in range(2)]
        assert {len(e) for e in epochs} == {rows} and len(loader) == -(-rows // 64)
        assert (epochs[0] != epochs[1]).any()
    plain = np.concatenate([x.asnumpy() for x, _ in d2l.BatchLoader(planted_folder, batch_size=64)])
    assert (plain == planted_folder.features).all()
    assert (np.sort(epochs[0], axis=0)[:9] == np.sort(plain, axis=0)[:9]).all()
    with pytest.raises(ValueError, match="'rollover', which data in a folder does not have"):
        d2l.BatchLoader(planted_folder, batch_size=64, last_batch='rollover')


def test_it_trains_like_data_in_memory_and_goes_on_from_a_checkpoint(planted_folder, tmp_path):
    def run(epochs, checkpoint=None):
        d2l.set_seed(0)
        net = d2l.FM(planted_folder.field_dims, 4)
        net.initialize()
        d2l.fit(net, planted_folder, num_epochs=epochs, batch_size=64, checkpoint=checkpoint)
        return net

    whole, path = run(3), tmp_path / 'run'
    run(1, path)
    resumed = run(3, path)
    assert (whole.embedding.weight.data() == resumed.embedding.weight.data()).all()
    assert d2l.evaluate(whole, planted_folder)['auc'] > 0.7
    memory = d2l.Examples({'ids': planted_folder.features.copy()}, planted_folder.labels.copy())
    assert (d2l.predict(whole, memory) == d2l.predict(whole, planted_folder)).all()
    with pytest.raises(ValueError, match='was built for ids of shape|outside its range'):
        d2l.fit(d2l.FM([30, 20, 5], 4), planted_folder, num_epochs=1)


def test_parts_are_all_rows_once(planted_folder):
    parts = [d2l.open_encoded(planted_folder.folder, part=(k, 7)) for k in range(7)]
    assert {len(p) for p in parts} <= {428, 429}
    assert (np.concatenate([p.features for p in parts]) == planted_folder.features).all()
    assert len({p.digest for p in parts}) == 7
    for part in [(7, 7), (-1, 2), (0, 3_001), 'half']:
        with pytest.raises(ValueError, match='part is'):
            d2l.open_encoded(planted_folder.folder, part=part)


def test_no_labels_and_no_rows(tmp_path):
    data = d2l.encode(a_log(), tmp_path / 'x', verbose=False, **{**HOW, 'label': False})
    assert data.labels is None and 'no labels' in repr(data)
    with pytest.raises(ValueError, match='has no rows'):
        d2l.encode(a_log()[:0], tmp_path / 'y', verbose=False, **HOW)
    with pytest.raises(ValueError, match='label'):
        bad = a_log().assign(click=[-1] * 300 + [0] * 400)
        d2l.encode(bad, tmp_path / 'z', verbose=False, **HOW)
    assert os.listdir(tmp_path / 'z') == []


def test_a_source_that_changed_in_place_is_told(tmp_path):
    frame = a_log(60)
    how = {'label': 'click', 'seed': None, 'verbose': False, 'categories': ['town'], 'numbers': []}
    path = tmp_path / 'log.csv'
    for number, source in enumerate((frame, path)):
        frame.to_csv(path, index=False)
        folder = tmp_path / f'encoded{number}'
        d2l.encode(source, folder, **how)
        assert len(d2l.encode(source, folder, **how).labels) == 60  # as it was: opened
        changed = frame.assign(click=1 - frame.click)
        changed.to_csv(path, index=False)  # as long as before
        with pytest.raises(ValueError, match='was encoded from another source'):
            d2l.encode(changed if number == 0 else path, folder, **how)


def test_a_finished_folder_is_looked_at_when_it_is_encoded_again(tmp_path):
    frame = pd.DataFrame({'y': [0, 1] * 20, 'a': list('wxyz') * 10})
    how = dict(label='y', categories=['a'], numbers=[], verbose=False)
    place = tmp_path / 'made'
    d2l.encode(frame, place, **how)
    for name in ('ids.bin', 'labels.bin', 'blocks.bin', 'encoder.json'):
        kept = (place / name).read_bytes()
        (place / name).unlink()
        for call in (lambda: d2l.encode(frame, place, **how), lambda: d2l.open_encoded(place)):
            with pytest.raises(ValueError, match='remove the folder and encode anew'):
                call()
        if name.endswith('.bin'):
            (place / name).write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
            with pytest.raises(ValueError, match='is damaged in rows'):
                d2l.encode(frame, place, **how)
        (place / name).write_bytes(kept)
    assert len(d2l.encode(frame, place, **how)) == 40
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='file is a file, or lies in one: give a new folder'):
        d2l.encode(frame, tmp_path / 'file', **how)


def test_a_source_that_is_refused_leaves_nothing_behind(tmp_path):
    frame = pd.DataFrame({'y': [0, 1] * 20, 'a': ['x'] * 40, 'x': range(40)})
    path, folder = tmp_path / 'log.csv', tmp_path / 'folder'
    path.write_text(frame.to_csv(index=False) + '0,x\n')
    with pytest.raises(ValueError, match='has 2 cells where 3 are expected'):
        d2l.encode(path, folder, label='y', categories=['a'], numbers=['x'], verbose=False)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    'key, value',
    [
        *(('seed', v) for v in ('a', -1, 1.5, [0], True)),
        *(('source', v) for v in (None, 3, ['a'])),
        *(('digest', v) for v in (None, 3)),
        *(('texts', v) for v in (None, 'a', [3])),
        *(('rows', v) for v in (40.0, '40', None)),
        *(('columns', v) for v in (None, [], {'ids': 1.0}, {'ids': -1}, {'a': 1})),
        *(('blocks', v) for v in (None, 40, [40.0], [[40]])),
        *(('learned', v) for v in (None, [], 3)),
        *((key, ...) for key in ('seed', 'source', 'digest', 'texts', 'rows', 'blocks', 'learned')),
    ],
)
def test_every_entry_of_the_facts_is_looked_at(tmp_path, key, value):
    frame = pd.DataFrame({'y': [0, 1] * 20, 'a': list('wxyz') * 10})
    d2l.encode(frame, tmp_path, label='y', categories=['a'], numbers=[], verbose=False)
    facts = json.loads((tmp_path / 'encoded.json').read_text())
    facts.update({key: value})
    if value is ...:
        facts.pop(key)
    (tmp_path / 'encoded.json').write_text(json.dumps(facts))
    with pytest.raises(ValueError, match='holds no encoding|is not what the rows') as refusal:
        d2l.open_encoded(tmp_path)
    assert '\n' not in str(refusal.value)
