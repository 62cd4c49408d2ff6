"""What holds whatever the data is: files, frames, JSON and archives made up by Hypothesis."""

import io
import json
import math
import warnings
import zipfile

import d2lrec as d2l
from d2lrec.data.splits import WAYS, split_rows
from d2lrec.data.vocabulary import Vocabulary
from d2lrec.saving.archive import read_archive, write_archive

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as peers

settings.register_profile(
    'd2lrec',
    derandomize=True,  # the same examples at every run
    database=None,
    deadline=None,
    max_examples=40,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile('d2lrec')

# No ends of lines, which text is read with in one spelling, and nothing that counts as missing.
MISSING = {'', 'na', 'nan', 'null', 'none', 'n/a', '#n/a', '<na>', 'nat', '-nan', '1.#qnan'}
WORDS = st.text(st.characters(exclude_categories=['Cs', 'Cc', 'Z']), min_size=1, max_size=6).filter(
    lambda w: w.lower() not in MISSING and not w.startswith('\ufeff')
)
LETTERS = st.text('abcü한"\',;|', min_size=1, max_size=4)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('made')


def quietly(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return call(*args, **kwargs)


@given(st.lists(st.tuples(st.sampled_from('01'), WORDS, WORDS), min_size=1, max_size=30))
@example([('1', 'a"', 'b'), ('0', '"', '""')])
def test_a_file_and_the_frame_of_it_are_read_alike(folder, rows):
    """Quoted as pandas quotes, whatever the words."""
    frame = pd.DataFrame(rows, columns=['y', 'a', 'b'])
    path = folder / 'log.csv'
    path.write_bytes(frame.to_csv(index=False).encode())
    how = dict(label='y', categories=['a', 'b'], numbers=[], sep=',', header=True)
    of_file = quietly(d2l.read, path, **how)
    of_frame = quietly(d2l.read, frame, label='y', categories=['a', 'b'], numbers=[])
    assert of_file.frame.astype(object).equals(of_frame.frame.astype(object))
    assert of_file.labels.tolist() == of_frame.labels.tolist() == [float(r[0]) for r in rows]
    one, two = (quietly(t.dataset, min_threshold=1) for t in (of_file, of_frame))
    assert one.vocabulary == two.vocabulary and np.array_equal(one.features, two.features)
    for f, name in enumerate(['a', 'b']):  # equal ids where, and only where, values are equal
        ids, words = one.features[:, f], frame[name].to_numpy()
        assert np.array_equal(ids[:, None] == ids, words[:, None] == words)


@given(st.lists(st.tuples(st.sampled_from('01'), WORDS, WORDS), min_size=1, max_size=20))
def test_clicks_of_a_file_get_the_ids_of_the_frame(folder, rows):
    rows = [(y, a.replace('"', 'q'), b.replace('"', 'q')) for y, a, b in rows]
    path = folder / 'log.tsv'
    path.write_bytes(''.join('\t'.join(r) + '\n' for r in rows).encode())
    of_file = quietly(d2l.CTRDataset, path, min_threshold=1, num_feat=2)
    frame = pd.DataFrame(rows, columns=['y', 'field 1', 'field 2'])
    of_frame = quietly(d2l.CTRDataset, frame, min_threshold=1)
    assert np.array_equal(of_file.features, of_frame.features)
    assert of_file.feat_mapper == of_frame.feat_mapper
    assert of_file.labels.tolist() == [float(r[0]) for r in rows]


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.just('\ud800'), st.just('\0'),
    st.lists(st.integers(0, 3), max_size=2), st.dates().map(pd.Timestamp), st.binary(max_size=2),
)  # fmt: skip


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_any_frame_is_read_or_refused_in_one_sentence(cells):
    frame = pd.DataFrame(
        {n: pd.Series([r[i] for r in cells], dtype=object) for i, n in enumerate('abc')}
    ).assign(y=[i % 2 for i in range(len(cells))])
    for call in (
        lambda: d2l.read(frame, label='y').dataset(min_threshold=1),
        lambda: d2l.CTRDataset(frame, label='y', min_threshold=1),
    ):
        try:
            data = quietly(call)
        except ValueError as refusal:
            assert str(refusal) and '\n' not in str(refusal)
            continue
        assert len(data) == len(cells) and np.isin(data.labels, (0, 1)).all()
        assert data.features.min() >= 0


FIELDS = st.dictionaries(WORDS, st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=4)


@given(FIELDS, st.integers(1, 3))
def test_a_vocabulary_comes_back_from_its_file(folder, columns, least):
    rows = max(map(len, columns.values()))
    columns = {n: (v * rows)[:rows] for n, v in columns.items()}
    made = quietly(Vocabulary.fit, columns, min_threshold=least)
    made.save(folder / 'words.json')
    again = Vocabulary.load(folder / 'words.json')
    assert again == made and again.names == list(columns)
    for f, name in enumerate(again.names):
        for value in again.fields[f].values:
            id = again.id_of(name, value)
            assert id == made.id_of(name, value) and again.value_of(id) == (name, value)
            assert columns[name].count(value) >= least
    assert again.num_features == sum(again.dims)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


def places(content):
    """All (container, key) of nested JSON."""
    for key in list(content) if isinstance(content, dict) else range(len(content)):
        yield content, key
        if isinstance(content[key], (dict, list)):
            yield from places(content[key])


ENCODER = d2l.CTRDataset(
    pd.DataFrame({'y': [0, 1] * 4, 'a': list('xyxyzzxy'), 'b': list('ppqqppqq')}), min_threshold=1
)
ENCODER = d2l.Crosses(ENCODER, [('a', 'b')], min_threshold=1).apply(ENCODER).encoder
RAW = pd.DataFrame({'a': ['x', 'new', 'z'], 'b': ['p', 'q', 'other']})


@settings(max_examples=80)
@given(JSON, st.integers(0, 10_000))
def test_an_encoder_with_another_entry_is_refused_or_sound(folder, value, at):
    content = json.loads(json.dumps(ENCODER.to_json()))
    found = list(places(content))
    container, key = found[at % len(found)]
    container[key] = value
    (folder / 'encoder.json').write_text(json.dumps(content))
    try:
        encoder = d2l.Encoder.load(folder / 'encoder.json')
        encoded = quietly(encoder.encode, RAW, label=False)
    except ValueError as refusal:
        assert '\n' not in str(refusal)
        return
    ends = np.cumsum([dim for _, dim, _ in encoder.tables()])
    assert (encoded.features >= np.concatenate([[0], ends[:-1]])).all()
    assert (encoded.features < ends).all()


ARRAYS = st.dictionaries(
    st.text('abc/.', min_size=1, max_size=5),
    st.tuples(
        st.lists(st.integers(0, 3), max_size=3),
        st.sampled_from(['<f4', '<f8', '<i4', '|b1', '|u1']),
    ),
    max_size=3,
)  # fmt: skip


@given(ARRAYS, JSON)
def test_an_archive_comes_back_bit_for_bit(folder, wanted, fact):
    rng = np.random.default_rng(0)
    arrays = {n: rng.integers(0, 2, shape).astype(t) for n, (shape, t) in wanted.items()}
    assume(not isinstance(fact, float) or math.isfinite(fact))
    write_archive(folder / 'one', {'kind': 'x', 'fact': json.loads(json.dumps(fact))}, arrays)
    facts, again = read_archive(folder / 'one', 'x', 'a test')
    assert json.dumps(facts['fact']) == json.dumps(fact) and list(again) == list(arrays)
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype and np.array_equal(again[name], array)
        assert again[name].shape == array.shape


@pytest.fixture(scope='module')
def saved(folder):
    net = d2l.FM([3, 2], 2)
    net.initialize()
    d2l.save(net, folder / 'net')
    return (folder / 'net').read_bytes(), net.embedding.weight.data().asnumpy()


@settings(max_examples=80)
@given(
    st.integers(0, 100_000), st.integers(0, 7), st.sampled_from(['flip', 'cut', 'drop', 'twice'])
)
def test_a_damaged_model_is_refused_or_the_very_same(folder, saved, at, bit, kind):
    data, weights = bytearray(saved[0]), saved[1]
    at %= len(data)
    if kind == 'flip':
        data[at] ^= 1 << bit
    elif kind == 'cut':
        del data[at:]
    else:
        data[at : at + 1 + bit] = b'' if kind == 'drop' else data[at : at + 1 + bit] * 2
    (folder / 'spoilt').write_bytes(data)
    try:
        net, _ = d2l.load(folder / 'spoilt')
    except ValueError as refusal:
        assert '\n' not in str(refusal)
    else:
        assert np.array_equal(net.embedding.weight.data().asnumpy(), weights)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_model_whose_weights_are_not_finite_is_refused(folder, saved, value):
    with zipfile.ZipFile(io.BytesIO(saved[0])) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    spoilt = io.BytesIO()
    np.save(spoilt, np.full(saved[1].shape, value, np.float32))
    members['embedding.weight.npy'] = spoilt.getvalue()
    with zipfile.ZipFile(folder / 'nan', 'w') as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match='embedding.weight, which is not finite'):
        d2l.load(folder / 'nan')


SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.4])


@settings(max_examples=100)
@given(
    st.sampled_from(WAYS),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=40),
    SHARES, SHARES, st.integers(0, 3),
)  # fmt: skip
def test_splits_are_disjoint_complete_and_what_they_are_called(by, rows, valid, test, seed):
    times, users = np.array(rows).T
    try:
        parts = split_rows(by, len(rows), valid, test, seed, times, users)
    except ValueError as refusal:
        assert '\n' not in str(refusal)
        return
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(rows)))
    again = split_rows(by, len(rows), valid, test, seed, times, users)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again))
    train, *others = parts
    if by == 'time':
        for early, late in ((train, parts[1]), (train, parts[2]), (parts[1], parts[2])):
            # Of rows at one time, those further up come first.
            assert all((times[e], e) < (times[n], n) for e in early for n in late)
    if by == 'users':
        for part in others:
            assert not set(users[part]) & set(users[train])
        assert not set(users[parts[1]]) & set(users[parts[2]])
    if by == 'last':
        for early, late in ((train, parts[1]), (parts[1], parts[2]), (train, parts[2])):
            for e in early:
                assert all((times[e], e) < (times[n], n) for n in late if users[n] == users[e])


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 4), st.booleans()), min_size=1, max_size=25
    ),
    st.integers(1, 4),
)  # fmt: skip
def test_a_history_holds_earlier_rows_of_the_same_user_only(rows, length):
    users, times, where = (np.array(c) for c in zip(*rows))
    past = d2l.past_rows(users, times, length, where)
    for row, slots in enumerate(past):
        filled = slots[slots >= 0].tolist()
        earlier = [
            r for r in range(len(rows))
            if users[r] == users[row] and times[r] < times[row] and where[r]
        ]  # fmt: skip
        earlier.sort(key=lambda r: (times[r], r))
        assert filled == earlier[-length:]  # the latest, the last one last, none of the same time
        assert (slots[len(filled) :] == -1).all()


SCORED = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.integers(-3, 3), st.integers(0, 3), st.integers(0, 3)),
    min_size=2,
    max_size=40,
)


@given(SCORED)
def test_measures_equal_scikit_learn_and_loops(rows):
    labels, scores, users, weight = (np.array(c, float) for c in zip(*rows))
    assume(0 < labels.sum() < len(labels))
    probs = d2l.sigmoid(scores)
    close = dict(rel=1e-9, abs=1e-12)
    assert d2l.auc(labels, scores) == pytest.approx(peers.roc_auc_score(labels, scores), **close)
    assert d2l.log_loss(labels, probs) == pytest.approx(peers.log_loss(labels, probs), **close)
    assert d2l.rmse(labels, scores) == pytest.approx(
        math.sqrt(sum((a - b) ** 2 for a, b in zip(labels, scores)) / len(rows)), **close
    )
    assert d2l.mae(labels, scores) == pytest.approx(
        sum(abs(a - b) for a, b in zip(labels, scores)) / len(rows), **close
    )
    if weight.any():
        mean = sum(w * (a - b) ** 2 for a, b, w in zip(labels, scores, weight)) / weight.sum()
        assert d2l.rmse(labels, scores, sample_weight=weight) == pytest.approx(mean**0.5, **close)
        expected = peers.log_loss(labels, probs, sample_weight=weight, labels=[0, 1])
        assert d2l.log_loss(labels, probs, sample_weight=weight) == pytest.approx(expected, **close)
    if 0 < (labels * weight).sum() < weight.sum():
        expected = peers.roc_auc_score(labels, scores, sample_weight=weight)
        assert d2l.auc(labels, scores, sample_weight=weight) == pytest.approx(expected, **close)
    total = count = 0
    for user in set(users):
        mine = users == user
        if 0 < labels[mine].sum() < mine.sum():
            total += mine.sum() * peers.roc_auc_score(labels[mine], scores[mine])
            count += mine.sum()
    if count:
        assert d2l.gauc(labels, scores, users)['gauc'] == pytest.approx(total / count, **close)


@given(st.data(), st.integers(2, 6), st.integers(1, 4))
def test_ranking_measures_equal_loops(data, items, k):
    scores = data.draw(
        st.lists(st.permutations(range(items)), min_size=1, max_size=4).map(np.array)
    )
    held = [data.draw(st.lists(st.integers(0, items - 1), min_size=1, unique=True)) for _ in scores]
    seen = [[i for i in range(items) if i not in h][:1] for h in held]
    hits, gains = [], []
    for s, h, old in zip(scores, held, seen):
        order = [i for i in sorted(range(items), key=lambda i: -s[i]) if i not in old]
        found = [1 / math.log2(2 + place) for place, i in enumerate(order[:k]) if i in h]
        best = sum(1 / math.log2(2 + place) for place in range(min(k, len(h))))
        hits.append(bool(found))
        gains.append(sum(found) / best)
    assert d2l.hit_rate(scores, held, seen, k) == pytest.approx(np.mean(hits))
    assert d2l.ndcg(scores, held, seen, k) == pytest.approx(np.mean(gains))


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=20, unique=True),
    st.integers(1, 6),
)
def test_lists_are_sorted_and_hold_nothing_that_was_seen(rows, k):
    users, items = zip(*rows)
    log = d2l.Ratings(users, items, np.full(len(rows), 3.0), 4, 6)
    net = d2l.MF(2, 4, 6)
    d2l.set_seed(len(rows))
    net.initialize(force_reinit=True)
    lists = d2l.recommend(net, [0, 1, 2, 3], k, seen=log)
    for user, mine in lists.groupby('user'):
        unseen = [i for i in range(6) if (user, i) not in rows]
        assert mine['rank'].tolist() == list(range(1, min(k, len(unseen)) + 1))
        assert set(mine['item']) <= set(unseen) and mine['item'].is_unique
        assert (mine['score'].diff().dropna() <= 0).all()
        rest = [i for i in unseen if i not in set(mine['item'])]
        if rest:
            assert net.scores([user])[0][rest].max() <= mine['score'].min() + 1e-6


@given(st.lists(WORDS, min_size=1, max_size=12), st.integers(1, 4), st.integers(0, 5))
def test_negatives_were_not_seen_and_every_pair_comes_once(words, negatives, seed):
    users = np.arange(len(words)) % 3
    items = np.unique(words, return_inverse=True)[1].reshape(-1)
    pairs = sorted(set(zip(users.tolist(), items.tolist())))
    log = d2l.Interactions(*zip(*pairs), num_users=3, num_items=int(items.max()) + 3)
    drawn = d2l.NegativeSampler(log, seed=seed).draw(np.repeat(users, negatives))
    for user, item in zip(np.repeat(users, negatives).tolist(), drawn.tolist()):
        assert 0 <= item < log.num_items and (user, item) not in pairs
