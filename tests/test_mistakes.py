"""What a reader easily gets wrong with data and nets of his own: one sentence, never a guess."""

import os
import re
import warnings

import d2lrec as d2l
from d2lrec import launch
from d2lrec.data.splits import check_one_unit
from d2lrec.instruments import Instrument, packed, rounded

import numpy as np
import pandas as pd
import pytest

HOW = {'label': 'click', 'categories': ['town'], 'numbers': []}


def towns(names='abcd', rows=64):
    return pd.DataFrame({'click': [0, 1] * (rows // 2), 'town': list(names) * (rows // len(names))})


# --- folders


def encoded(folder, frame=None):
    return d2l.encode(
        towns() if frame is None else frame, folder, verbose=False, min_threshold=1, **HOW
    )


def test_encode_looks_at_a_folder_that_was_there(tmp_path):
    encoded(tmp_path)
    with open(tmp_path / 'ids.bin', 'r+b') as file:
        file.write(b'\x07')
    with pytest.raises(ValueError, match='damaged in rows 0 to 63: remove the folder'):
        encoded(tmp_path)


def test_encode_says_to_remove_a_folder_that_lacks_a_file(tmp_path):
    encoded(tmp_path)
    os.remove(tmp_path / 'labels.bin')
    with pytest.raises(ValueError, match='has no bytes .* remove the folder and encode anew'):
        encoded(tmp_path)


def test_an_interrupted_folder_that_lost_a_file_is_not_filled_with_zeros(tmp_path):
    encoded(tmp_path)
    os.replace(tmp_path / 'encoded.json', tmp_path / 'encoding.json')  # as before the last step
    os.remove(tmp_path / 'ids.bin')
    with pytest.raises(ValueError, match='damaged in rows'):
        encoded(tmp_path)


def test_encode_into_a_file_is_refused(tmp_path):
    path = tmp_path / 'a file'
    path.write_text('x')
    for folder in (path, path / 'within'):
        with pytest.raises(ValueError, match='is a file, or lies in one: give a new folder'):
            encoded(folder)


def test_a_folder_knows_the_share_of_unknown_values(tmp_path):
    frame = pd.DataFrame(
        {'click': [0, 1] * 8, 'town': list('aaaaaaaaaaaabbcd'), 'tags': ['x|y', 'x', '', 'z'] * 4}
    )
    how = {**HOW, 'multi': {'tags': '|'}}
    table = d2l.read(frame, **how)
    for least in (1, 3, 5):
        train = table.dataset(min_threshold=least)
        folder = d2l.encode(
            frame, tmp_path / str(least), verbose=False, min_threshold=least, seed=None, **how
        )
        np.testing.assert_allclose(folder.unknown, train.unknown)
    half = d2l.open_encoded(tmp_path / '3')[8:]
    np.testing.assert_allclose(half.unknown, table.dataset(min_threshold=3)[8:].unknown)
    assert half.unknown[0] == 0.5


# --- another vocabulary of the same sizes


def two():
    ours, theirs = (d2l.CTRDataset(towns(names), min_threshold=1) for names in ('abcd', 'efgh'))
    net = d2l.LR(ours.field_dims)
    d2l.fit(net, ours, num_epochs=1)
    return net, ours, theirs


def test_data_of_another_vocabulary_is_refused_everywhere(tmp_path):
    net, ours, theirs = two()
    d2l.save(net, tmp_path / 'net', ours)
    saved = d2l.load(tmp_path / 'net')
    items = pd.DataFrame({'town': list('ab')})
    for wrong in (
        lambda: d2l.evaluate(net, theirs),
        lambda: d2l.evaluate(net, d2l.BatchLoader(theirs, batch_size=8)),
        lambda: d2l.predict(net, theirs),
        lambda: d2l.save(net, tmp_path / 'other', theirs),
        lambda: d2l.save(net, tmp_path / 'other', theirs.encoder),
        lambda: d2l.fit(net, theirs, num_epochs=1),
        lambda: d2l.evaluate(saved.net, theirs),
        lambda: saved.predict(theirs),
        lambda: d2l.recommend(net, pd.DataFrame({'user': [1]}), 1, seen=False, items=items,
                              item='town', encoder=theirs),
    ):  # fmt: skip
        with pytest.raises(ValueError, match='encoded in another way than what LR was trained on'):
            wrong()
    assert not (tmp_path / 'other').exists()
    again = d2l.CTRDataset(towns(), min_threshold=1)  # an equal vocabulary, made anew
    assert d2l.evaluate(net, again)['auc'] == d2l.evaluate(net, ours)['auc']
    assert saved.predict(again).tolist() == d2l.predict(net, ours).tolist()


def test_weights_that_begin_anew_belong_to_no_data(tmp_path):
    net, ours, theirs = two()
    net.save_parameters(str(tmp_path / 'weights'))
    net.initialize(force_reinit=True)
    d2l.fit(net, theirs, num_epochs=1)
    net.load_parameters(str(tmp_path / 'weights'))
    assert len(d2l.predict(net, ours)) == 64
    new = d2l.LR(theirs.field_dims)
    new.initialize()
    d2l.warm_start(new, theirs, net, ours)
    d2l.evaluate(new, theirs)
    with pytest.raises(ValueError, match='encoded in another way'):
        d2l.evaluate(new, ours)


def test_steps_and_intervals_that_were_fitted_apart_are_told(tmp_path):
    frame = towns().assign(price=np.arange(64.0))
    train = d2l.CTRDataset(frame, min_threshold=1, dense=['price'])
    ours, theirs = (d2l.Quantiles(m, 4).apply(train) for m in (train, train[:32]))
    net = d2l.WideDeep(train.field_dims, 2, [4], num_dense=1)
    d2l.fit(net, ours, num_epochs=1)
    with pytest.raises(ValueError, match='encoded in another way than what WideDeep'):
        d2l.evaluate(net, theirs)
    with pytest.raises(ValueError, match='steps that were fitted apart'):
        d2l.fit(d2l.WideDeep(train.field_dims, 2, [4], num_dense=1), ours, theirs, num_epochs=1)


def test_ratings_numbered_in_another_way_are_refused():
    frame = pd.DataFrame({'user': list('abab'), 'item': list('xxyy'), 'rating': [5, 4, 3, 2]})
    ours, theirs = (d2l.read_ratings(f).ratings() for f in (frame, frame[::-1]))
    net = d2l.MF(2, num_users=2, num_items=2)
    d2l.fit(net, ours, num_epochs=1)
    for wrong in (
        lambda: d2l.evaluate(net, theirs),
        lambda: d2l.predict(net, theirs),
        lambda: d2l.recommend(net, ['a'], 1, seen=theirs),
        lambda: d2l.fit(net, theirs, num_epochs=1),
    ):
        with pytest.raises(ValueError, match='numbers its users and items in another way'):
            wrong()
    with pytest.raises(ValueError, match='in another way than the training data'):
        d2l.fit(d2l.MF(2, num_users=2, num_items=2), ours, theirs, num_epochs=1)
    assert d2l.evaluate(net, ours[:2])['ratings'] == 2


# --- summaries count what a data set counts


def test_a_summary_counts_spellings_of_one_number_once():
    frame = pd.DataFrame({'click': [0, 1] * 4, 'size': ['1.1', '1.10', '2', '2.0'] * 2})
    frame['tags'] = ['1|2', '1.0', '2', '1'] * 2
    how = {'label': 'click', 'categories': ['size'], 'numbers': [], 'multi': {'tags': '|'}}
    table = d2l.read(frame, **how)
    train = table.dataset(min_threshold=1)
    counts = re.findall(r'(\d+) values', table.summary())
    assert [len(f.values) for f in train.vocabulary.fields] == [int(c) for c in counts] == [2, 2]


def test_a_value_that_tells_the_label_does_so_however_it_is_spelled():
    cells = ['1', '1.0', '2', '2.00'] * 10
    frame = pd.DataFrame({'click': [0, 0, 1, 1] * 10, 'kind': cells})
    table = d2l.read(frame, label='click', categories=['kind'], numbers=[])
    assert 'it tells the label in every row' in table.summary()


# --- times in two units


@pytest.mark.parametrize('unit, factor', [('milli', 1e3), ('micro', 1e6), ('nano', 1e9)])
@pytest.mark.parametrize('kind', [float, 'int64', str])
def test_times_in_two_units_are_refused_with_their_rows(unit, factor, kind):
    times = pd.Series(1_600_000_000 + np.arange(16))
    times.iloc[3] = int(times.iloc[3] * factor)
    frame = towns(rows=16).assign(at=times.astype(kind))
    table = d2l.read(frame, time='at', **HOW)
    for ask in (lambda: table.times, lambda: table.split('time', 0.25, 0.25)):
        with pytest.raises(ValueError, match=f'in seconds in row 1 .* in {unit}seconds in row 4'):
            ask()
    with pytest.raises(ValueError, match='bring all to one unit'):
        d2l.past_rows([1] * 16, times.to_numpy(), 2)
    ratings = pd.DataFrame({'user_id': 1, 'item_id': range(1, 17), 'rating': 3, 'timestamp': times})
    with pytest.raises(ValueError, match='bring all to one unit'):
        d2l.temporal_split_ml100k(ratings)


def test_numbers_that_only_count_are_no_times_in_two_units():
    for numbers in ([1, 5e9, 2e11], [0.0, 1.6e9, 1.7e9], [1e8, 1e10, 1e12], [], [np.nan, 2e12]):
        numbers = np.array(numbers)
        assert check_one_unit(numbers, 'at') is numbers


# --- ratings given twice, or beyond their scale

RATED = pd.DataFrame(
    {
        'user': list('abcabca'),
        'item': list('xyzxzyx'),
        'rating': [1, 2, 3, 4, 5, 4, 2],
        'time': [1, 2, 3, 9, 5, 6, 7],
    }
)
NUMBERED = pd.DataFrame(
    {'user_id': [1, 2, 3, 1], 'item_id': [1, 2, 3, 1], 'rating': [1, 2, 3, 4], 'timestamp': 1}
)
TWICE = r'1 pair of a user and an item is rated more than once, such as in rows {} and {}'
AS_RATINGS = {'label': 'rating', 'threshold': 4, 'categories': ['user', 'item'], 'numbers': []}


def quiet(ask):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return ask()


def test_a_pair_that_is_rated_twice_is_told_wherever_ratings_are_read(tmp_path):
    RATED.to_csv(tmp_path / 'log.csv', index=False)
    for source in (RATED, tmp_path / 'log.csv'):
        with pytest.warns(
            UserWarning, match=TWICE.format(1, 4) + ": all are kept; repeated='last'"
        ):
            table = d2l.read_ratings(source)
        assert len(table) == 7 and len(quiet(table.ratings)) == 7  # told once
        assert len(quiet(lambda source=source: d2l.read_ratings(source, repeated='all'))) == 7
        kept = quiet(lambda source=source: d2l.read_ratings(source, repeated='last'))
        assert kept.frame['time'].astype(int).tolist() == [2, 3, 9, 5, 6]  # the latest, not last
    placed = d2l.read_ratings(RATED.drop(columns='time'), repeated='last')
    assert placed.frame['rating'].tolist() == [2, 3, 5, 4, 2]
    clicks = quiet(lambda: d2l.read(RATED, **AS_RATINGS))
    with pytest.warns(UserWarning, match=TWICE.format(1, 4)):
        clicks.ratings()
    assert 'occur more than once: 1, such as in rows 1 and 4' in clicks.summary()
    with pytest.warns(UserWarning, match=TWICE.format(0, 3)):
        d2l.Ratings.from_frame(NUMBERED)
    with pytest.raises(ValueError, match='user 1 rated item 1 twice'):
        d2l.load_data_ml100k(NUMBERED, 3, 3)
    twice = pd.concat([RATED, RATED.assign(user='z')])
    assert len(d2l.read_ratings(twice, repeated='last')) == 5 + 3


def test_a_rating_beyond_its_scale_is_refused_with_its_rows(tmp_path):
    odd = RATED.assign(rating=[1, 7, 3, 4, 5, 0, 2])
    words = 'goes from 1 to 5, but row 2 is 7, row 6 is 0: mend'
    for ask in (
        lambda: d2l.read_ratings(odd, scale=(1, 5)),
        lambda: d2l.read_ratings(odd, scale=(1, 5), repeated='all'),
        lambda: d2l.read(odd, **AS_RATINGS).ratings(scale=(1, 5)),
    ):
        with pytest.raises(ValueError, match=words):
            ask()
    with pytest.raises(ValueError, match='goes from 1 to 3, but row 3 is 4'):
        d2l.Ratings.from_frame(NUMBERED, scale=(1, 3))
    for scale in (5, (5, 1), (1, 'x'), (1, np.inf), (1, 2, 3)):
        with pytest.raises(ValueError, match=r'give \(least, most\), such as \(1, 5\)'):
            d2l.read_ratings(RATED, scale=scale)
    (tmp_path / 'ratings.dat').write_text('1::7::5::9\n1::8::50::9\n')
    with pytest.raises(ValueError, match='goes from 0.5 to 5, but row 2 is 50'):
        d2l.read_ratings(tmp_path)


@pytest.mark.parametrize(
    'ratings, odd',
    [
        ([1, 2, 3, 4, 5, 99, 3], '99 in 1 of 7 rows, the first of them row 6, and 1 to 5'),
        ([-1, 2, 3, 4, 5, -1, 3], '-1 in 2 of 7 rows, the first of them row 1, and 2 to 5'),
        ([0.5, 2, 3, 0, 5, 0, 3], '0 in 2 of 7 rows, the first of them row 4, and 0.5 to 5'),
        ([-9.5, 2.1, 3, 4, 9.5, 99, 3], '99 in 1 of 7'),
    ],
)
def test_a_rating_that_may_stand_for_none_is_told(ratings, odd):
    frame = RATED.assign(rating=ratings, item=list('abcdefg'))
    for ask in (lambda: d2l.read_ratings(frame), lambda: d2l.read(frame, **AS_RATINGS).ratings()):
        with pytest.warns(UserWarning, match=f"the rating 'rating' is {odd}.*leave these rows out"):
            ask()
    quiet(lambda: d2l.read_ratings(frame, scale=(-10, 99)))
    assert 'may stand for none' in d2l.read(frame, **AS_RATINGS).summary()


@pytest.mark.parametrize(
    'ratings',
    [
        [1, 2, 3, 4, 5, 5, 1],
        [0.5, 1, 5, 5, 5, 4, 4],
        [-2, -1, 0, 1, 2, 2, 2],
        [1, 1, 1, 1, 1, 1, 9],
    ],
)
def test_plain_ratings_are_read_without_a_word(ratings):
    frame = RATED.assign(rating=ratings, item=list('abcdefg'))
    table = quiet(lambda: d2l.read_ratings(frame))
    assert quiet(table.ratings).ratings.tolist() == ratings


def test_an_argument_of_read_ratings_that_is_none_is_named():
    with pytest.raises(ValueError, match="read_ratings has no argument 'encodng': did you mean"):
        d2l.read_ratings(RATED, encodng='cp949')


# --- arguments of fit, checkpoints, the launcher


CLICKS = d2l.planted(200, [6, 5], seed=0)


def fitted(epochs=1, **how):
    net = d2l.FM(CLICKS.field_dims, 2)
    d2l.fit(net, CLICKS[:150], CLICKS[150:], num_epochs=epochs, **how)
    return net


@pytest.mark.parametrize(
    'how, sentence',
    [
        ({'patiense': 2}, "fit has no argument 'patiense': did you mean patience?"),
        ({'k': 3}, "fit has no argument 'k': it takes patience, monitor, "),
        ({'rows': 'yes'}, "rows is 'yes': give True or False"),
        ({'optimizer': 'adamax'}, 'divides 0 by 0 .*: take .adam.'),
    ],
)
def test_fit_refuses(how, sentence):
    with pytest.raises(ValueError, match=sentence):
        fitted(**how)


def test_a_rating_model_has_no_monitor():
    ratings = d2l.Ratings([0, 1], [0, 1], [3, 4])
    with pytest.raises(ValueError, match="fit has no argument 'monitor'"):
        d2l.fit(d2l.MF(2, num_users=2, num_items=2), ratings, monitor='auc')


@pytest.mark.parametrize(
    'then, now, sentence',
    [
        ({'final_lr': 0.001}, {}, 'final_lr = 0.001 and this trainer has None'),
        ({}, {'final_lr': 0.001}, 'final_lr = None and this trainer has 0.001'),
        ({'final_lr': 0.001}, {'final_lr': 0.002}, 'final_lr = 0.001 and .* 0.002'),
        ({'final_lr': 0.001}, {'final_lr': 0.001, 'epochs': 3}, 'num_epochs makes = 1 .* has 3'),
        ({'lr': 0.1}, {'lr': 0.2}, 'learning_rate = 0.1 and .* 0.2'),
        ({'rows': True}, {}, 'rows = True and this run has None'),
    ],
)
def test_a_checkpoint_names_the_setting_that_differs(tmp_path, then, now, sentence):
    fitted(checkpoint=tmp_path / 'run', **then)
    with pytest.raises(ValueError, match=sentence):
        fitted(checkpoint=tmp_path / 'run', **now)


def test_a_checkpoint_of_one_store_is_not_resumed_by_another(tmp_path):
    """As one process, or by turns, which comes to the same, is None; by no turns is another run."""

    class Store(d2l.Checkpoint):
        kvstore = 'dist_async'

    fitted(checkpoint=Store(tmp_path / 'run'))
    with pytest.raises(ValueError, match='kvstore = dist_async and this run has None'):
        fitted(2, checkpoint=tmp_path / 'run')
    fitted(2, checkpoint=Store(tmp_path / 'run'))


@pytest.mark.parametrize('port', ['0', '-1', '65536', '99999'])
def test_the_launcher_refuses_a_port_that_is_none(port, capsys, tmp_path):
    with pytest.raises(SystemExit):
        launch.main([f'--port={port}', __file__])
    assert 'give a port of this machine, 1 to 65535' in capsys.readouterr().err


def test_the_launcher_names_a_host_file_that_is_not_there(tmp_path):
    (tmp_path / 'bytes').write_bytes(b'\xff\xfe\x00')
    for path in ('none', 'bytes'):
        with pytest.raises(SystemExit, match='cannot be read: give a file of one address a line'):
            launch.main(['--hosts', str(tmp_path / path), __file__])


# --- a saved model


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    net, ours, _ = two()
    path = tmp_path_factory.mktemp('saved') / 'net'
    d2l.save(net, path, ours)
    return d2l.load(path)


def test_a_saved_model_takes_rows_in_a_tuple(saved):
    row = {'town': 'a'}
    assert saved.predict((row, row)).tolist() == saved.predict([row, row]).tolist()


@pytest.mark.parametrize('source', [3, None, np.zeros((2, 1)), pd.Series({'town': 'a'}), iter([])])
def test_what_a_saved_model_cannot_read_is_told_what_it_reads(saved, source):
    with pytest.raises(ValueError, match='give a row {field: value}, a list of such rows, a frame'):
        saved.predict(source)


@pytest.mark.parametrize('users', [{'user': 'ann'}, [{'user': 'ann'}], ({'user': 'ann'},)])
def test_rows_as_users_are_told_to_be_a_frame(saved, users):
    with pytest.raises(ValueError, match=r'give a frame with a row for each, pd.DataFrame\('):
        saved.recommend(users, 1, seen=False, items=pd.DataFrame({'town': ['a']}), item='town')


# --- instruments


I = d2l.instruments
LABELS, MODELS = [1, 0, 1], {'LR': [0.9, 0.2, 0.6], 'none': [0.5] * 3}
VECTORS, NAMES = np.random.default_rng(0).normal(size=(12, 4)), [f'f{i}' for i in range(12)]


def mf(**change):
    net = d2l.MF(4, num_users=3, num_items=2, mean=3.5)
    net.initialize()
    given = {'user': 0, 'item': 1, 'items': [0, 1], 'titles': ['A', 'B'], **change}
    return d2l.instruments.vectors(net, **given)


def films(**change):
    biases = d2l.BiasBaseline(damping=1).fit([0, 1], [0, 1], [5.0, 3.0], 2, 2)
    net = d2l.AutoRec(3, num_users=2)
    net.initialize()
    return I.five_films(
        **{'net': net, 'biases': biases, 'titles': list('ab'), 'mine': {0: 3}, **change}
    )


def apart(**change):
    data = d2l.CTRDataset(towns().assign(hour=list('xy') * 32), min_threshold=1)
    net = d2l.FM(data.field_dims, 2)
    net.initialize()
    return I.logit(**{'net': net, 'data': data, 'ids': data.features[:2], 'own': 'town', **change})


ODD = {
    'vectors': [(mf, {k: v}) for k, v in (
        ('user', 'a'), ('user', None), ('user', True), ('user', 1.5), ('item', '1'), ('item', 0.5),
        ('items', 5), ('items', ['x']), ('items', [-1, 1]), ('items', [[0, 1]]), ('titles', ['A']),
        ('titles', None), ('users', ['u']), ('users', 5))],
    'five_films': [(films, {k: v}) for k, v in (
        ('net', None), ('biases', None), ('biases', d2l.BiasBaseline()), ('titles', None),
        ('mine', 5), ('mine', {'z': 2}), ('mine', {0: 'x'}), ('mine', {0: 2.5}), ('rated', 'x'),
        ('listed', [9]), ('listed', [-1]))],
    'logit': [(apart, {k: v}) for k, v in (
        ('net', None), ('data', None), ('ids', 'x'), ('ids', [[0.5, 6]] * 2), ('ids', [[0, 9]] * 2),
        ('own', 5), ('names', 5), ('names', {'town': 5}), ('most', 'x'), ('most', 0))],
    'scores': [(I.scores, {'labels': LABELS, 'models': MODELS, k: v}) for k, v in (
        ('models', None), ('models', [LABELS]), ('models', {'a': None, 'b': LABELS}),
        ('models', {'a': ['x'] * 3, 'b': LABELS}), ('models', {'a': [2, 1, 1], 'b': LABELS}),
        ('labels', ['a', 'b', 'c']), ('labels', None), ('labels', [1, 1, 1]), ('labels', [0, 1, 2]),
        ('labels', [[0], [1, 2]]))],
    'moved': [(I.moved, {'probs': [0.5], k: v}) for k, v in (
        ('probs', 'x'), ('sharpness', 'x'), ('bias', None))],
    'machine': [(I.machine, {'speed': 1e9, k: v}) for k, v in (
        ('speed', 'x'), ('speed', None), ('speed', np.inf), ('own', 5), ('own', {'row': 1}),
        ('own', {'rows': 'x'}), ('memory', 'x'), ('memory', -1), ('memory', np.nan))],
    'training_needs': [(I.training_needs, {'table_rows': 1e6, 'rows': 1, k: v}) for k, v in (
        ('table_rows', 'x'), ('table_rows', None), ('rows', [1]), ('rows', np.inf),
        ('optimizer', ['Adam']), ('dense_gradient', 'no'))],
    'film_map': [(I.film_map, {'vectors': VECTORS, 'names': NAMES, k: v}) for k, v in (
        ('vectors', 'x'), ('names', 5), ('start', 'x'), ('start', 99), ('num', 'x'), ('num', 0),
        ('seed', 'x'), ('groups', 5), ('groups', {'a': 5}))],
    'nearest': [(I.nearest, {'vectors': VECTORS, 'num': v}) for v in ('x', 0, -2, 2.5)],
    'neighbours_kept': [(I.neighbours_kept, {'vectors': VECTORS, 'plane': v})
                        for v in ('x', VECTORS, VECTORS[:3, :2])],
    'order_dial': [(I.order_dial, {'auc': v}) for v in (5, pd.DataFrame())],
    'recovered': [(I.recovered, {'measured': [0.7, 0.8], 'start': 0.5, 'best': v})
                  for v in ('x', None, [0.9] * 3)],
    'packed': [(packed, {'values': [1], k: v}) for k, v in (
        ('values', 'x'), ('values', [None]), ('values', [[1], [2, 3]]), ('values', [1j]),
        ('bits', 4), ('bits', '8'))] + [(packed, {'values': [1e300], 'bits': 32})],
    'rounded': [(rounded, {'values': v}) for v in ('x', [[1], [2, 3]])],
    'Instrument': [(Instrument, {'name': 'vectors', 'data': {}, k: v}) for k, v in (
        ('name', 3), ('data', None), ('data', {'names': 5}), ('data', {'a': np.nan}))],
}  # fmt: skip


@pytest.mark.parametrize('name', ODD)
def test_an_instrument_refuses_odd_arguments_in_a_sentence(name):
    for call, given in ODD[name]:
        with pytest.raises(ValueError) as refused:
            call(**given)
        sentence = str(refused.value)
        assert 'could not convert' not in sentence and 'inhomogeneous' not in sentence, given
        assert len(sentence) < 300 and '\n' not in sentence, given


def test_scores_of_many_rows_fit_a_page_and_say_what_was_drawn():
    rng = np.random.default_rng(0)
    labels = (rng.random(80_000) < 0.01).astype(int)
    p = np.clip(rng.random(80_000), 0.01, 0.99)
    made = I.scores(labels, {'a': p, 'b': p / 2})
    assert len(made._repr_html_()) < 2_000_000
    shown = len(d2l.instruments.scores.__globals__['_sample'](labels))
    assert made.values['of'] == '80,000' and made.values['rows'] == f'{shown:,}'
    assert f'These {shown:,} rows were drawn at random from 80,000' in made.instead('en')
    assert '80,000행' in made.instead('ko')
    few = I.scores(LABELS, MODELS)
    assert 'drawn at random' not in few.instead('en') and 'of' not in few.data
    one = np.zeros(80_000)
    one[7] = 1
    assert I.scores(one, {'a': p, 'b': p / 2}).values['auc']  # the single 1 is among them


def test_an_instrument_too_large_for_a_page_is_told():
    with pytest.warns(UserWarning, match=r"'machine' has 2\.\d MB, which each page"):
        Instrument('machine', {'text': 'x' * 2_100_000})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        Instrument('machine', {'text': 'x'})


def test_a_model_names_an_argument_that_it_does_not_take():
    with pytest.raises(
        ValueError, match="DCN has no argument 'num_layer': did you mean num_layers?"
    ):
        d2l.DCN([3, 5], 4, [8], num_layer=2)
    with pytest.raises(ValueError, match="MF has no argument 'factors'"):
        d2l.MF(4, num_users=6, num_items=9, factors=2)
    assert d2l.FM([3, 5], 4, bag_sizes=[2], prefix='mine_').prefix == 'mine_'


def test_a_model_of_one_s_own_takes_what_its_constructor_names():
    class Mine(d2l.FM):
        def __init__(self, field_dims, depth, **kwargs):
            super().__init__(field_dims, 4, **kwargs)
            self.depth = depth

    assert Mine([3, 5], depth=2, bag_sizes=[1]).depth == 2
    with pytest.raises(ValueError, match="Mine has no argument 'dept': did you mean depth?"):
        Mine([3, 5], dept=2)


# --- values that are one to a reader


def told(ask):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        ask()
    return [str(w.message) for w in caught]


def padded(rows=80):
    return pd.DataFrame({
        'label': np.arange(rows) % 2, 'town': ['Seoul', 'Busan', 'Jeju', 'Ulsan'] * (rows // 4),
        'age': ['3', ' 4', '4', '5 '] * (rows // 4),
    })  # fmt: skip


def test_values_that_differ_only_by_spaces_are_told_once(tmp_path):
    frame = padded()
    frame.loc[7, 'town'] = ' Seoul'  # too rare for an id: lost, if nobody says so
    assert not told(lambda: d2l.CTRDataset(padded()))
    frame['to'] = frame['town']
    roles = {'label': 'label', 'categories': ['town', 'to'], 'numbers': []}
    frame.to_csv(tmp_path / 'log.csv', index=False)
    for ask in (
        lambda: d2l.CTRDataset(frame),
        lambda: d2l.read(frame, **roles).dataset(),
        lambda: d2l.read(tmp_path / 'log.csv', **roles).datasets(),
        lambda: d2l.encode(tmp_path / 'log.csv', tmp_path / 'folder', **roles),
    ):
        (sentence,) = told(ask)
        assert re.search("'town', 'to' have .* such as 'Seoul' and ' Seoul', ", sentence)
    data = d2l.CTRDataset(padded())
    assert not told(lambda: data.encoder.encode(frame))  # its unknown values are counted there


def test_users_that_differ_only_by_spaces_are_told():
    frame = pd.DataFrame({'user': ['ann', 'ann ', 'bob'], 'item': list('xyx'), 'rating': [3, 4, 5]})
    (sentence,) = told(lambda: d2l.read_ratings(frame).ratings())
    assert "'user' has values that differ only by spaces at their ends" in sentence
    frame['user'] = ['bob', 'ann', 'ann ']  # the last value's space, behind which none comes
    assert told(lambda: d2l.read_ratings(frame).ratings()) == [sentence]
