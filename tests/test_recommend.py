"""Lists: the best unseen items, against loops over pairs; new users; what is refused."""

import copy
import importlib
import tracemalloc
import warnings

import d2lrec as d2l
from d2lrec import definitions
from d2lrec.data.columns import Examples

import numpy as np
import pandas as pd
import pytest
from helpers import randomize
from mxnet import gluon

lists = importlib.import_module('d2lrec.recommend')

CLICK_MODELS = {
    'LR': lambda dims: d2l.LR(dims),
    'FM': lambda dims: d2l.FM(dims, 4),
    'FFM': lambda dims: d2l.FFM(dims, 3),
    'DeepFM': lambda dims: d2l.DeepFM(dims, 4, [6]),
    'DCN': lambda dims: d2l.DCN(dims, 4, [6]),
}


def make_log(rows=600, num_users=12, num_items=15, seed=0):
    """Clicks of people on dishes: each side has a field of its own, and there is the hour."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, num_users, rows), rng.integers(0, num_items, rows)
    log = pd.DataFrame(
        {
            'click': rng.integers(0, 2, rows),
            'user': user,
            'dish': [f'dish {i}' for i in item],
            'hour': rng.integers(0, 4, rows),
        }
    )
    people = pd.DataFrame({'user': range(num_users), 'town': np.arange(num_users) % 3})
    dishes = pd.DataFrame(
        {
            'dish': [f'dish {i}' for i in range(num_items)],
            'kind': np.array(['soup', 'salad', 'cake'])[np.arange(num_items) % 3],
            'title': [f'The dish {i}' for i in range(num_items)],
        }
    )
    log = log.merge(people, on='user').merge(dishes[['dish', 'kind']], on='dish')
    return log, people, dishes


@pytest.fixture(scope='module')
def log():
    frame, people, dishes = make_log()
    train = d2l.CTRDataset(frame, label='click', min_threshold=1)
    return frame, people, dishes, train


def by_loops(net, encoder, users, items, frame, k, item='dish'):
    """For each row of `users`, each item not in its log, one at a time through the encoder."""
    found = []
    for _, one in users.iterrows():
        scores = []
        for _, other in items.iterrows():
            if ((frame.user == one.user) & (frame[item] == other[item])).any():
                continue
            pair = pd.DataFrame([{**one.to_dict(), **other.to_dict()}])
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                encoded = encoder.encode(pair, label=False)
            scores.append((-d2l.predict(net, encoded)[0], len(scores), other[item]))
        for rank, (score, _, name) in enumerate(sorted(scores)[:k], 1):
            found.append((one.user, rank, name, -score))
    return found


def same(frame, expected, item_first=('user', 'rank', 'item')):
    assert [tuple(r) for r in frame[[*item_first]].itertuples(index=False)] == [
        e[:3] for e in expected
    ]
    np.testing.assert_allclose(frame.score, [e[3] for e in expected], rtol=1e-5)


@pytest.mark.parametrize('name', CLICK_MODELS)
def test_the_best_unseen_items_of_a_click_model_are_those_of_loops_over_pairs(log, name):
    frame, people, dishes, train = log
    frame = frame[frame.index % 4 == 0]  # what counts as seen
    net = randomize(CLICK_MODELS[name](train.field_dims))
    users = people.iloc[[3, 7, 0]].assign(hour=[2, 0, 3])
    got = d2l.recommend(net, users, 4, seen=frame, items=dishes, item='dish', encoder=train.encoder)
    assert list(got.columns) == ['user', 'rank', 'item', 'score']
    same(got, by_loops(net, train.encoder, users, dishes, frame, 4))
    titled = d2l.recommend(
        net, users, 4, seen=frame, items=dishes, item='dish', encoder=train, name='title'
    )
    assert titled.title.tolist() == ['The ' + i for i in got.item]


@pytest.mark.parametrize('name', ['LR', 'FM'])
def test_an_inner_product_gives_what_the_net_gives_for_every_pair(log, name, monkeypatch):
    frame, people, dishes, train = log
    net = randomize(CLICK_MODELS[name](train.field_dims))
    users = people.assign(hour=1)
    ask = dict(seen=train, items=dishes, item='dish')
    monkeypatch.setattr(lists._Pairs, 'plain', lambda *a: pytest.fail('not by inner products'))
    fast = d2l.recommend(net, users, 3, **ask)
    monkeypatch.undo()
    monkeypatch.setattr(lists, '_is_inner_product', lambda *a: False)
    plain = d2l.recommend(net, users, 3, **ask)
    pd.testing.assert_frame_equal(fast, plain, rtol=1e-5)


def test_a_field_of_both_sides_at_once_is_scored_too(log):
    frame, people, dishes, train = log
    frame = frame[:50]
    crosses = d2l.Crosses(train, [('town', 'kind'), ('user', 'hour')], min_threshold=1)
    data = crosses.apply(train)
    net = randomize(d2l.WideDeep(train.field_dims, 4, [6], cross_dims=crosses.dims))
    users = people.iloc[:3].assign(hour=1)
    got = d2l.recommend(net, users, 3, seen=frame, items=dishes, item='dish', encoder=data.encoder)
    same(got, by_loops(net, data.encoder, users, dishes, frame, 3))


def test_numbers_and_bags_belong_to_their_side(log):
    frame, people, dishes, _ = log
    rng = np.random.default_rng(1)
    people = people.assign(age=rng.integers(18, 70, len(people)) / 1.0)
    hot = (rng.random((len(dishes), 3)) < 0.5).astype(int)
    dishes = dishes.drop(columns='title').assign(
        price=rng.random(len(dishes)).round(2), a=hot[:, 0], b=hot[:, 1], c=hot[:, 2]
    )
    frame = frame.drop(columns=['town', 'kind']).merge(people, on='user').merge(dishes, on='dish')
    train = d2l.CTRDataset(frame, label='click', min_threshold=1, dense=['age', 'price'])
    bags = d2l.Bags(train, {'flavour': ['a', 'b', 'c']})
    data = d2l.Standardize(train).apply(train)
    data = bags.apply(data)
    net = randomize(
        d2l.DLRM(
            data.field_dims, 4, num_dense=2, bottom_dims=[5], top_dims=[6], bag_sizes=bags.bag_sizes
        )
    )
    users, seen = people.iloc[:3].assign(hour=1), frame[:40]
    ask = dict(seen=seen, items=dishes, item='dish', encoder=data.encoder)
    got = d2l.recommend(net, users, 4, **ask)
    same(got, by_loops(net, data.encoder, users, dishes, seen, 4))


def test_seen_is_known_by_value_from_a_frame_or_from_encoded_data(log):
    frame, people, dishes, train = log
    net = randomize(d2l.FM(train.field_dims, 4))
    few = frame[::5]
    ask = dict(items=dishes, item='dish', encoder=train)
    users = people.assign(hour=0)
    by_frame = d2l.recommend(net, users, 15, seen=few, **ask)
    as_text = few.assign(user=few.user.astype(str) + '.0')
    pd.testing.assert_frame_equal(d2l.recommend(net, users, 15, seen=as_text, **ask), by_frame)
    pd.testing.assert_frame_equal(d2l.recommend(net, users, 15, seen=train[::5], **ask), by_frame)
    for person in range(12):
        listed = set(by_frame.item[by_frame.user == person])
        assert listed == set(dishes.dish) - set(few.dish[few.user == person])
    everything = d2l.recommend(net, users, 15, seen=False, **ask)
    assert len(everything) == 12 * 15


def test_new_users_and_new_items_have_the_id_of_unknown_values(log):
    frame, people, dishes, train = log
    net = randomize(d2l.DeepFM(train.field_dims, 4, [6]))
    users = pd.DataFrame({'user': [999, 3], 'town': [1, 0], 'hour': [2, 2]})
    items = pd.concat(
        [dishes, pd.DataFrame({'dish': ['brand new'], 'kind': ['soup'], 'title': ['New']})]
    )
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        got = d2l.recommend(net, users, 16, seen=False, items=items, item='dish', encoder=train)
    same(got, by_loops(net, train.encoder, users, items, frame[:0], 16))


def test_many_users_take_no_more_memory_than_few_at_once(log, monkeypatch):
    frame, people, dishes, train = log
    net = randomize(d2l.DeepFM(train.field_dims, 4, [6]))
    users = pd.concat([people.assign(hour=h % 4) for h in range(4)])
    ask = dict(seen=train, items=dishes, item='dish')
    whole = d2l.recommend(net, users, 3, **ask)
    for pairs in (7, 20, 100):  # less than the items, and more
        monkeypatch.setattr(lists, 'PAIRS', pairs)
        pd.testing.assert_frame_equal(d2l.recommend(net, users, 3, **ask), whole)
    monkeypatch.undo()
    many = pd.concat([users] * 100)  # 4,800 users, 72,000 pairs
    peaks = []
    for pairs in (2**12, 2**20):
        monkeypatch.setattr(lists, 'PAIRS', pairs)
        tracemalloc.start()
        d2l.recommend(net, many, 1, **ask)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < peaks[1] / 2


def test_equal_scores_stand_in_the_order_of_the_candidates(log):
    frame, people, dishes, train = log
    net = d2l.LR(train.field_dims)
    net.initialize()
    got = d2l.recommend(net, people[:1].assign(hour=0), 5, seen=False, items=dishes, item='dish',
                        encoder=train)  # fmt: skip
    assert got.item.tolist() == dishes.dish[:5].tolist()


GIVEN = np.nonzero(np.random.default_rng(0).random((9, 13)) < 0.4)
STARS = np.random.default_rng(1).integers(1, 11, len(GIVEN[0])) / 2
RATINGS = d2l.Ratings(*GIVEN, STARS, 9, 13)


def best_of(scores, seen, users, k, names=range(13)):
    found = []
    for row, user in zip(scores, users):
        order = sorted(set(range(len(row))) - set(seen(user)), key=lambda i: (-row[i], i))
        found += [(user, rank, names[i], row[i]) for rank, i in enumerate(order[:k], 1)]
    return found


def seen_by(ratings):
    return lambda user: ratings.items[ratings.users == user].tolist()


def test_mf_by_one_product_gives_what_it_says_of_every_pair():
    net = randomize(d2l.MF(4, 9, 13, mean=3.0))
    users = [4, 0, 8]
    scores = [d2l.predict(net, Examples({'users': [u] * 13, 'items': range(13)})) for u in users]
    got = d2l.recommend(net, users, 5, seen=RATINGS)
    same(got, best_of(scores, seen_by(RATINGS), users, 5))
    names = [f'film {i}' for i in range(13)]
    named = d2l.recommend(net, users, 5, seen=RATINGS, items=names)
    assert named.item.tolist() == [names[i] for i in got.item]
    table = pd.DataFrame({'item': range(100, 113), 'title': names})
    named = d2l.recommend(net, users, 5, seen=RATINGS, items=table, name='title')
    assert named.item.tolist() == [100 + i for i in got.item]
    assert named.title.tolist() == [names[i] for i in got.item]


def test_a_subclass_of_mf_is_asked_pair_by_pair():
    class Doubled(d2l.MF):
        def hybrid_forward(self, F, *args, **kwargs):
            return 2 * super().hybrid_forward(F, *args, **kwargs)

    net = randomize(Doubled(4, 9, 13))
    scores = [d2l.predict(net, Examples({'users': [u] * 13, 'items': range(13)})) for u in (2, 3)]
    got = d2l.recommend(net, [2, 3], 4, seen=False)
    same(got, best_of(scores, lambda u: [], [2, 3], 4))


def test_neumf_is_asked_for_every_pair(monkeypatch):
    net = randomize(d2l.NeuMF(4, 9, 13, [6]))
    scores = [d2l.predict(net, Examples({'users': [u] * 13, 'items': range(13)})) for u in range(9)]
    monkeypatch.setattr(lists, 'PAIRS', 30)
    got = d2l.recommend(net, range(9), 4, seen=RATINGS)
    same(got, best_of(scores, seen_by(RATINGS), range(9), 4))


@pytest.mark.parametrize('activation', [None, 'sigmoid'])
def test_autorec_by_item_rates_every_item_from_its_row(activation):
    net = randomize(d2l.AutoRec(6, 9, decoder_activation=activation))
    rows = RATINGS.rows('item')
    whole = d2l.predict(net, rows).T
    for seen in (RATINGS, rows):
        got = d2l.recommend(net, [4, 0, 8], 5, seen=seen)
        same(got, best_of(whole[[4, 0, 8]], seen_by(RATINGS), [4, 0, 8], 5))


def test_autorec_by_user_rates_every_item_from_the_user_s_row():
    net = randomize(d2l.AutoRec(6, 13))
    whole = d2l.predict(net, RATINGS.rows('user'))
    got = d2l.recommend(net, [4, 0, 8], 5, seen=RATINGS)
    same(got, best_of(whole[[4, 0, 8]], seen_by(RATINGS), [4, 0, 8], 5))


NEW = d2l.Ratings([7, 7, 2, 2, 2], [0, 5, 1, 2, 12], [5, 0.5, 4, 4.5, 1], num_items=13)


@pytest.mark.parametrize('damping', [0.5, 20.0])
def test_new_users_of_mf_are_folded_in(damping):
    net = randomize(d2l.MF(4, 9, 13, mean=3.0))
    q, b = net.Q.weight.data().asnumpy(), net.item_bias.data().asnumpy()[:, 0]
    with_one = np.column_stack([q, np.ones(13)]).astype('float64')
    scores = []
    for user in (2, 7):
        chosen = NEW.users == user
        i, r = NEW.items[chosen], NEW.ratings[chosen]
        side = definitions.fold_in(with_one[i], r - 3.0 - b[i], damping)
        scores.append(3.0 + b + with_one @ side)
    got = d2l.recommend(net, NEW, 5, damping=damping)
    same(got, best_of(scores, seen_by(NEW), [2, 7], 5))


def test_new_users_of_autorec_by_user_go_in_as_rows():
    net = randomize(d2l.AutoRec(6, 13))
    whole = d2l.predict(net, NEW.rows('user'))
    got = d2l.recommend(net, NEW, 5)
    same(got, best_of(whole[[2, 7]], seen_by(NEW), [2, 7], 5))


def test_new_users_of_autorec_by_item_are_folded_in_around_the_average_user():
    net = randomize(d2l.AutoRec(6, 9))
    hidden = net.encoder(mxnp(RATINGS.rows('item').columns['rows'])).asnumpy().astype('float64')
    weight = net.decoder.weight.data().asnumpy().astype('float64')
    bias = net.decoder.bias.data().asnumpy().astype('float64')
    average = hidden @ weight.mean(0) + bias.mean()
    with_one = np.column_stack([hidden, np.ones(13)])
    scores = []
    for user in (2, 7):
        chosen = NEW.users == user
        i, r = NEW.items[chosen], NEW.ratings[chosen]
        scores.append(average + with_one @ definitions.fold_in(with_one[i], r - average[i], 2.0))
    got = d2l.recommend(net, NEW, 5, seen=RATINGS, damping=2.0)
    same(got, best_of(scores, seen_by(NEW), [2, 7], 5))


def mxnp(array):
    from mxnet import np

    return np.array(array)


def test_folding_in_a_user_who_was_trained_on_comes_near_to_their_own_list():
    """On planted tastes, the folded-in user's scores follow those of the same user in training."""
    rng = np.random.default_rng(3)
    p, q = rng.normal(size=(60, 3)), rng.normal(size=(40, 3))
    users, items = np.nonzero(rng.random((60, 40)) < 0.6)
    stars = 3 + (p @ q.T)[users, items] + rng.normal(scale=0.1, size=len(users))
    ratings = d2l.Ratings(users, items, stars, 60, 40)
    old = d2l.Ratings(users[users < 55], items[users < 55], stars[users < 55], 55, 40)
    net = d2l.MF(3, 55, 40, mean=float(stars.mean()))
    d2l.fit(net, old, lr=0.02, num_epochs=60, batch_size=256)
    is_new = users >= 55
    new = d2l.Ratings(users[is_new], items[is_new], stars[is_new], 60, 40)
    got = d2l.recommend(net, new, 40, damping=0.5)
    truth = 3 + (p @ q.T)
    told = [truth[u, i] for u, i in zip(got.user, got.item)]
    level = np.full(len(told), stars.mean())
    assert np.mean((got.score - told) ** 2) < 0.5 * np.mean((level - told) ** 2)
    assert len(ratings) > len(new)


def test_a_saved_model_recommends(log, tmp_path):
    frame, people, dishes, train = log
    net = randomize(d2l.FM(train.field_dims, 4))
    d2l.save(net, tmp_path / 'fm', train)
    users = people.assign(hour=1)
    ask = dict(seen=frame, items=dishes, item='dish')
    pd.testing.assert_frame_equal(
        d2l.load(tmp_path / 'fm').recommend(users, 3, **ask),
        d2l.recommend(net, users, 3, encoder=train, **ask),
    )


def test_no_user_gives_an_empty_frame(log):
    frame, people, dishes, train = log
    net = randomize(d2l.FM(train.field_dims, 4))
    got = d2l.recommend(net, people[:0].assign(hour=0), 3, seen=train, items=dishes, item='dish')
    assert not len(got) and list(got.columns) == ['user', 'rank', 'item', 'score']
    assert not len(d2l.recommend(randomize(d2l.MF(2, 9, 13)), [], seen=RATINGS))


REFUSED = [
    (lambda a: d2l.recommend(a.fm, a.users, 0, seen=a.train, items=a.dishes), 'k is 0'),
    (lambda a: d2l.recommend(a.fm, a.users, items=a.dishes, item='dish', encoder=a.train), 'seen'),
    (lambda a: d2l.recommend(a.fm, a.users, seen=False, items=a.dishes, item='dish'), 'encoder='),
    (lambda a: d2l.recommend(a.fm, a.users, seen=a.train, item='dish'), 'items is a NoneType'),
    (lambda a: d2l.recommend(a.fm, a.users, seen=a.train, items=a.dishes), "no column 'item'"),
    (
        lambda a: d2l.recommend(
            a.fm, a.users.drop(columns='hour'), seen=a.train, items=a.dishes, item='dish'
        ),
        "reads 'hour'",
    ),
    (
        lambda a: d2l.recommend(
            a.fm, a.users.assign(kind='soup'), seen=a.train, items=a.dishes, item='dish'
        ),
        "'kind' is a column of users and of items",
    ),
    (
        lambda a: d2l.recommend(
            a.fm, a.users, seen=a.train, items=pd.concat([a.dishes, a.dishes[:1]]), item='dish'
        ),
        "'dish 0' twice",
    ),
    (
        lambda a: d2l.recommend(a.fm, a.users, seen=a.train, items=a.dishes[:0], item='dish'),
        'no rows',
    ),
    (
        lambda a: d2l.recommend(
            a.fm, a.users, seen=a.users, items=a.dishes, item='dish', encoder=a.train
        ),
        "seen has no column 'dish'",
    ),
    (
        lambda a: d2l.recommend(
            a.fm, a.users, seen=RATINGS, items=a.dishes, item='dish', encoder=a.train
        ),
        'seen is a Ratings',
    ),
    (
        lambda a: d2l.recommend(
            a.fm, a.users, seen=a.train, items=a.dishes, item='dish', name='label'
        ),
        "no column 'label'",
    ),
    (lambda a: d2l.recommend(a.fm, 'ann', seen=a.train, items=a.dishes, item='dish'), 'list of'),
    (lambda a: d2l.recommend(a.mf, [9], seen=RATINGS), 'no user 9, only those from 0 to 8: fold'),
    (lambda a: d2l.recommend(a.mf, ['ann'], seen=RATINGS), 'give their numbers'),
    (lambda a: d2l.recommend(a.mf, [1]), 'seen is not given'),
    (lambda a: d2l.recommend(a.mf, [1], seen=a.frame), 'seen is a DataFrame'),
    (lambda a: d2l.recommend(a.mf, [1], seen=RATINGS, items=['one']), '1 rows and the net 13'),
    (lambda a: d2l.recommend(a.mf, NEW, damping=-1), 'damping is -1'),
    (lambda a: d2l.recommend(randomize(d2l.NeuMF(2, 9, 13, [4])), NEW), 'cannot take in users'),
    (lambda a: d2l.recommend(randomize(d2l.AutoRec(6, 9)), [1], seen=False), 'reads the rows'),
    (
        lambda a: d2l.recommend(
            randomize(d2l.AutoRec(6, 9, decoder_activation='sigmoid')), NEW, seen=RATINGS
        ),
        'linear decoder',
    ),
    (lambda a: d2l.recommend(object(), [1], seen=False), 'does not say'),
]  # fmt: skip


@pytest.mark.parametrize('number', range(len(REFUSED)))
def test_what_cannot_be_answered_is_refused_in_one_sentence(log, number):
    frame, people, dishes, train = log

    class All:
        fm = randomize(d2l.FM(train.field_dims, 4))
        mf = randomize(d2l.MF(2, 9, 13))
        users = people.assign(hour=1)

    All.frame, All.dishes, All.train = frame, dishes, train
    ask, words = REFUSED[number]
    with pytest.raises(ValueError) as refused:
        ask(All)
    assert words in str(refused.value) and '\n' not in str(refused.value)


def test_a_context_spelled_in_another_way_is_pointed_out(log):
    frame, people, dishes, train = log
    net = randomize(d2l.FM(train.field_dims, 4))
    with pytest.warns(UserWarning, match=r"'town' \(100%\)"):
        d2l.recommend(
            net, people.assign(hour=1, town='elsewhere'), seen=train, items=dishes, item='dish'
        )


def test_ratings_that_know_names_are_asked_by_names():
    frame = pd.DataFrame({'user': RATINGS.users, 'film': RATINGS.items, 'stars': RATINGS.ratings})
    frame = frame.assign(user='u' + frame.user.astype(str), film='f' + frame.film.astype(str))
    named = d2l.read_ratings(frame, user='user', item='film', rating='stars').ratings()
    net = randomize(d2l.MF(4, named.num_users, named.num_items, mean=3.0))
    numbers = [named.user_names.index(u) for u in ('u4', 'u0')]
    plain = d2l.Ratings(named.users, named.items, named.ratings, named.num_users, named.num_items)
    expected = d2l.recommend(net, numbers, 3, seen=plain)
    got = d2l.recommend(net, ['u4', 'u0'], 3, seen=named)
    assert got.user.tolist() == ['u4'] * 3 + ['u0'] * 3
    assert got.item.tolist() == [named.item_names[i] for i in expected.item]
    with pytest.raises(ValueError, match="does not know the user 'u99'"):
        d2l.recommend(net, ['u99'], seen=named)
    new = named[:3]
    listed = d2l.recommend(net, new, 2, seen=named)
    assert set(listed.user) <= set(named.user_names)
    new = copy.copy(new)
    new.item_names = named.item_names[::-1]
    turned = [len(named.item_names) - 1 - i for i in new.items]
    new = d2l.Ratings(new.users, turned, new.ratings, new.num_users, len(named.item_names))
    new.user_names, new.item_names = named.user_names, named.item_names[::-1]
    assert d2l.recommend(net, new, 2, seen=named).equals(listed)  # found by their names


def test_what_was_seen_and_is_not_on_offer_takes_nothing_away(log):
    frame, people, dishes, train = log
    net = randomize(d2l.FM(train.field_dims, 4))
    offered = dishes.iloc[:5]
    users = people.assign(hour=1).iloc[:2]
    elsewhere = frame[~frame.dish.isin(offered.dish)]
    ask = dict(items=offered, item='dish', encoder=train.encoder)
    assert len(elsewhere)
    pd.testing.assert_frame_equal(
        d2l.recommend(net, users, 5, seen=elsewhere, **ask),
        d2l.recommend(net, users, 5, seen=False, **ask),
    )


def test_numbers_where_there_is_no_rating_are_not_read():
    class Doubled(gluon.HybridBlock):
        inputs, output = {'rows': 2}, 'rating'

        def hybrid_forward(self, F, x):
            return 2 * x

    rows = np.array([[5.0, 1], [3, 2], [4, 4]], 'float32')
    seen = d2l.RatingRows(rows, np.array([[1, 1], [0, 1], [0, 0]]))
    got = d2l.recommend(Doubled(), [0], 2, seen=seen)
    assert got['item'].tolist() == [1, 2] and got['score'].tolist() == [0, 0]
