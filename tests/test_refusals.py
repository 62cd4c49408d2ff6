"""Every public entry point: what it is given wrongly, and the one sentence that it answers with."""

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from mxnet import gluon

DIMS = [3, 2]
IDS, LABELS = np.array([[0, 3], [1, 4], [2, 3], [0, 4]]), np.array([0.0, 1.0, 1.0, 0.0])
FRAME = pd.DataFrame({'y': [0, 1, 1, 0], 'a': list('xyxy'), 'n': [1.0, 2, 3, 4]})
RATED = pd.DataFrame(
    {'user_id': [1, 1, 2], 'item_id': [1, 2, 1], 'rating': [4, 2, 5], 'timestamp': [9, 8, 7]}
)
LOSS = gluon.loss.SigmoidBinaryCrossEntropyLoss()


def data():
    return d2l.CTRDataset(FRAME, min_threshold=1, dense=['n'])


def net():
    made = d2l.FM(DIMS, 2)
    made.initialize()
    return made


def pairs():
    made = d2l.MF(2, 3, 4)
    made.initialize()
    return made


def trainer(of=None):
    return gluon.Trainer((of or net()).collect_params(), 'sgd')


def loader():
    return d2l.BatchLoader((IDS, LABELS), batch_size=2)


def seen():
    return d2l.Interactions([0, 1], [0, 1], 3, 4)


# Name -> (a call, the beginning of its sentence or a part of it), ...
BAD = {
    'AdaGrad': [(lambda: d2l.AdaGrad('fast'), "learning_rate is 'fast': give a number")],
    'Adam': [(lambda: d2l.Adam(None), 'learning_rate is None: give a number')],
    'HashedField': [
        (lambda: d2l.HashedField('a', 0), "the field 'a' has 0 buckets: give a whole number"),
        (lambda: d2l.HashedField(3, 5), 'a name that is no text: name it in words'),
        (lambda: d2l.HashedField('a', 5, hash=-1), 'the hash number -1: give one from 0'),
    ],
    'SGD': [(lambda: d2l.SGD([0.1]), 'learning_rate is [0.1]: give a number')],
    'AFM': [
        (lambda: d2l.AFM(3, 2), 'field_dims is 3: give the number of ids of each field'),
        (lambda: d2l.AFM(DIMS, 2, None), 'AFM got attention_dim = None: give a whole number'),
    ],
    'AutoRec': [
        (lambda: d2l.AutoRec(3, 'a'), "AutoRec got num_users = 'a': give a whole number"),
        (lambda: d2l.AutoRec(3, 4, 0.1, [1]), 'AutoRec knows no activation [1]: choose one of'),
    ],
    'BPRLoss': [
        (lambda: d2l.train_ranking(pairs(), 3, d2l.BPRLoss(), trainer(), 1), 'the trainer is not'),
    ],
    'Bags': [
        (lambda: d2l.Bags(IDS, {'g': ['a']}), 'Bags'),
        (lambda: d2l.Bags(data(), {'g': ['b']}), "there is no field 'b': choose from"),
        (lambda: d2l.Bags(data(), {}), 'The groups must be one or more'),
    ],
    'BatchLoader': [
        (lambda: d2l.BatchLoader(batch_size=2), 'BatchLoader has no data'),
        (lambda: d2l.BatchLoader(IDS, LABELS, batch_size=0), 'batch_size is 0: give a whole'),
        (lambda: d2l.BatchLoader(IDS, batch_size=2, seed=-1), 'seed is -1: give a whole number'),
        (lambda: d2l.BatchLoader(IDS, batch_size=2, shuffle='no'), "shuffle is 'no': give True"),
        (lambda: d2l.BatchLoader(IDS, batch_size=2, last_batch=[]), "last_batch is []: choose"),
        (lambda: d2l.BatchLoader(IDS, batch_size=2, inputs=3), 'inputs is 3: give those of a net'),
    ],
    'BiasBaseline': [
        (lambda: d2l.BiasBaseline('a'), "damping is 'a': give a number, 0 or more"),
        (lambda: d2l.BiasBaseline(-1), 'damping is -1: give a number, 0 or more'),
        (lambda: d2l.BiasBaseline(num_passes=0), 'num_passes is 0: give a whole number, 1'),
        (lambda: d2l.BiasBaseline().fit(3), 'users is 3: give Ratings, or users and items'),
        (lambda: d2l.BiasBaseline().fit([0, 2], [0, 1], [3, 4], num_users=2), 'users[1] is 2'),
        (lambda: d2l.BiasBaseline().fit([0], [0], [3], num_users=0), 'num_users is 0: give'),
        (lambda: d2l.BiasBaseline().fit([0.5], [0], [3]), 'the user ids are of type float64'),
    ],
    'CTRDataset': [
        (lambda: d2l.CTRDataset(IDS), 'the source is a ndarray: give the path of a file'),
        (lambda: d2l.CTRDataset(FRAME, min_threshold='4'), "min_threshold is '4': give a number"),
        (lambda: d2l.CTRDataset(FRAME, label='z'), "has no column 'z'"),
    ],
    'Checkpoint': [
        (lambda: d2l.Checkpoint(3), 'checkpoint is 3: give the path of a file'),
        (lambda: d2l.Checkpoint(''), "checkpoint is '': give the path of a file"),
        (lambda: d2l.Checkpoint('a\0b'), 'give the path of a file'),
    ],
    'Crosses': [
        (lambda: d2l.Crosses(data(), 'a'), "fields is 'a': give a list of tuples of field names"),
        (lambda: d2l.Crosses(data(), [('a', 'b')]), "there is no field 'b'"),
        (lambda: d2l.Crosses(data(), [('a',)], num_buckets=0.5), 'num_buckets is 0.5: give'),
    ],
    'DCN': [(lambda: d2l.DCN(['a'], 2, [4]), "field_dims[0] is 'a': each field needs a whole")],
    'DIEN': [
        (lambda: d2l.DIEN(DIMS, 2, [4], 0), 'DIEN got history_length = 0: give a whole number'),
        (lambda: d2l.DIEN(DIMS, 2, [4], 3, auxiliary='a'), "auxiliary is 'a': give the weight"),
        (lambda: d2l.DIEN(DIMS, 2, [4], 3, auxiliary=-1), 'auxiliary is -1: give the weight'),
    ],
    'DIN': [
        (lambda: d2l.DIN(DIMS, 2, [4], 3, item_field=2), 'item_field is 2 and there are 2 fields'),
        (lambda: d2l.DIN(DIMS, 2, [4], 3, item_field='a'), "item_field is 'a' and there are 2"),
        (lambda: d2l.DIN(DIMS, 2, [4], 3, activation='gelu'), "activation is 'gelu': choose one"),
    ],
    'DLRM': [(lambda: d2l.DLRM(DIMS, 2, 4), 'DLRM got top_dims = 4: give a list of whole')],
    'DeepFM': [(lambda: d2l.DeepFM(DIMS, 2, [4], 1), 'DeepFM got drop_rate = 1: give a share')],
    'DeepFMConcat': [
        (lambda: d2l.DeepFMConcat([], 2, [4]), 'field_dims is empty: give the number of ids'),
        (lambda: d2l.DeepFMConcat(DIMS, 0, [4]), 'DeepFMConcat got num_factors = 0: give'),
    ],
    'EmbeddingMLP': [
        (lambda: d2l.EmbeddingMLP([3, 0], 2, [4]), 'field_dims[1] is 0: each field needs'),
        (lambda: d2l.EmbeddingMLP([[1], [2]], 2, [4]), 'field_dims[0] is [1]: each field needs'),
    ],
    'Encoder': [
        (lambda: d2l.Encoder(3), 'vocabulary is a int: give a Vocabulary'),
        (lambda: d2l.Encoder(data().vocabulary, dense=3), 'dense is 3: give a list of names'),
        (lambda: d2l.Encoder(data().vocabulary, steps=3), 'steps is 3: give a list of steps'),
        (lambda: d2l.Encoder(data().vocabulary, format=[]), "format is []: choose 'table'"),
    ],
    'Examples': [
        (lambda: d2l.Examples(3), 'columns is 3: give a dict {name: array}'),
        (lambda: d2l.Examples({}), 'there is no column'),
        (lambda: d2l.Examples({'ids': [[1], [1, 2]]}), 'ids is [[1], [1, 2]]: give numbers, as'),
        (lambda: d2l.Examples({'ids': IDS}, [0]), 'labels'),
    ],
    'FFM': [(lambda: d2l.FFM({'a': 3}, 2), "field_dims is {'a': 3}: give the number of ids")],
    'FM': [
        (lambda: d2l.FM('32', 2), "field_dims is '32': give the number of ids of each field"),
        (lambda: d2l.FM([5.9], 2), 'field_dims[0] is 5.9: each field needs a whole number'),
        (lambda: d2l.FM([float('nan')], 2), 'field_dims[0] is nan: each field needs a whole'),
    ],
    'FTRL': [(lambda: d2l.FTRL(learning_rate=0.1, beta=-1), 'beta is -1: give a number, 0 or')],
    'Field': [(lambda: d2l.Field('a', ('x', 'x')), "'a'")],
    'HistoryBag': [
        (lambda: d2l.HistoryBag(DIMS, 2, [4], 'a'), "HistoryBag got history_length = 'a': give"),
    ],
    'Interactions': [
        (lambda: d2l.Interactions([0], [0, 1]), 'users'),
        (lambda: d2l.Interactions([0], [3], 1, 2), 'items[0] is 3, outside its range, 0 to 1'),
        (lambda: d2l.Interactions([[0], [0, 1]], [1, 2]), 'give numbers, as many in each row'),
    ],
    'LR': [(lambda: d2l.LR(None), 'field_dims is None: give the number of ids of each field')],
    'MF': [
        (lambda: d2l.MF(2, 0, 3), 'MF got num_users = 0: give a whole number, 1 or more'),
        (lambda: d2l.MF(2, 3, 'a'), "MF got num_items = 'a': give a whole number, 1 or more"),
    ],
    'NFM': [(lambda: d2l.NFM(DIMS, 2, 'a'), "NFM got mlp_dims = 'a': give a list of whole")],
    'NegativeLoader': [
        (lambda: d2l.NegativeLoader(seen(), 0), 'batch_size is 0: give a whole number, 1'),
        (lambda: d2l.NegativeLoader(seen(), 2, 0), 'negatives is 0: give a whole number, 1'),
        (lambda: d2l.NegativeLoader(seen(), 2, pairwise=2), 'pairwise is 2: give True or False'),
        (lambda: d2l.NegativeLoader(IDS, 2), 'seen is a ndarray: give Interactions'),
    ],
    'NegativeSampler': [
        (lambda: d2l.NegativeSampler(IDS), 'seen is a ndarray: give Interactions(users, items)'),
        (lambda: d2l.NegativeSampler(seen(), 'a'), "power is 'a': give a number, 0 (uniform)"),
        (lambda: d2l.NegativeSampler(seen(), seed=-1), 'seed is -1: give a whole number, 0 to'),
    ],
    'NeuMF': [(lambda: d2l.NeuMF(2, 3, None, [4]), 'NeuMF got num_items = None: give a whole')],
    'Planted': [(lambda: d2l.Planted(IDS, LABELS, [0.5], DIMS), 'rows')],
    'Quantiles': [
        (lambda: d2l.Quantiles([[1.0]], 'a'), "num_quantiles is 'a': give a whole number, 2"),
        (lambda: d2l.Quantiles([1.0]), 'The features have shape (1,): give a matrix (N, D)'),
        (lambda: d2l.Quantiles([[1.0], [1.0, 2.0]]), 'The features are [[1.0], [1.0, 2.0]]: give'),
        (lambda: d2l.Quantiles([[1.0]], 2, names=3), 'names is 3: give a name for each column'),
    ],
    'RatingRows': [
        (lambda: d2l.RatingRows(np.ones((2, 3)), np.ones((2, 2))), 'the shapes are'),
        (lambda: d2l.RatingRows(np.ones((2, 3)), np.ones((2, 3)), by=[]), "by is []: choose"),
    ],
    'Ratings': [
        (lambda: d2l.Ratings([0, 0], [0, 0], [1, 2]).rows(), 'user 0 rated item 0 twice'),
        (lambda: d2l.Ratings([0], [0], [np.nan]), 'rating'),
        (lambda: d2l.Ratings([0], [5], [1.0], 1, 2), 'outside its range, 0 to 1'),
    ],
    'Standardize': [
        (lambda: d2l.Standardize(d2l.CTRDataset(FRAME[['y', 'a']], min_threshold=1)), 'dense'),
        (lambda: d2l.Standardize([['a']]), 'The features are no numbers'),
    ],
    'Vocabulary': [
        (lambda: d2l.Vocabulary.fit(3), 'the columns are a int: give a dict {name: values}'),
        (lambda: d2l.Vocabulary.fit([3]), 'the columns are [3]: give a dict {name: values}'),
        (lambda: d2l.Vocabulary.load(3), 'path is 3: give the path of a file'),
        (lambda: data().value_of(99), 'there is no id 99: give one from 0 to'),
        (lambda: data().id_of('b', 1), "there is no field 'b': choose from"),
    ],
    'WideDeep': [
        (lambda: d2l.WideDeep(DIMS, 2, [4], num_dense='a'), "WideDeep got num_dense = 'a': give"),
    ],
    'XDeepFM': [
        (lambda: d2l.XDeepFM(DIMS, 2, [4], cin_dims=[0]), 'XDeepFM got cin_dims = [0]: give'),
    ],
    'accuracy': [(lambda: d2l.accuracy([0.1, 0.2], [1]), 'y_hat')],
    'auc': [
        (lambda: d2l.auc([1, 1], [0.1, 0.2]), 'class'),
        (lambda: d2l.auc([1, 0], [0.1, np.nan]), 'nan'),
        (lambda: d2l.auc(None, [0.1]), 'labels'),
    ],
    'bootstrap': [
        (lambda: d2l.bootstrap(3, LABELS, LABELS), 'measure is 3: give a function, such as rmse'),
        (lambda: d2l.bootstrap(print, LABELS), 'measure gives None: give a function that gives'),
        (lambda: d2l.bootstrap(d2l.rmse, LABELS, LABELS, draws=1), 'draws is 1: give a whole'),
        (lambda: d2l.bootstrap(d2l.rmse, LABELS, LABELS, level='a'), "level is 'a': give a share"),
        (lambda: d2l.bootstrap(d2l.rmse, LABELS, LABELS, seed='a'), "seed is 'a': give a whole"),
    ],
    'calibration_table': [(lambda: d2l.calibration_table(LABELS, [2.0] * 4), 'probs')],
    'concat': [
        (lambda: d2l.concat(3), 'parts is 3: give a list of data sets'),
        (lambda: d2l.concat([]), 'there is nothing to concatenate'),
        (lambda: d2l.concat([3]), 'give'),
    ],
    'constant_rate': [(lambda: d2l.constant_rate([]), 'labels')],
    'ctr_report': [(lambda: d2l.ctr_report(LABELS, [0.5]), 'probs')],
    'decay_embeddings_only': [
        (lambda: d2l.decay_embeddings_only([1]), 'net is [1]: give a model, such as d2l.FM'),
    ],
    'download': [(lambda: d2l.download('none'), "there is no data set 'none': choose from")],
    'download_extract': [(lambda: d2l.download_extract(3), 'there is no data set 3: choose from')],
    'encode': [
        (lambda: d2l.encode(FRAME, 3), 'folder is 3: give the path of a file'),
        (lambda: d2l.encode(FRAME, 'x', seed='a'), "seed is 'a': give a whole number, 0 or more"),
        (lambda: d2l.encode(FRAME, 'x', drop=3), 'drop is 3: give a list of names of columns'),
        (lambda: d2l.encode(FRAME, 'x', min_threshold='a'), "min_threshold is 'a': give a number"),
    ],
    'evaluate': [
        (lambda: d2l.evaluate(3, loader()), 'net is 3: give a model, such as d2l.FM'),
        (lambda: d2l.evaluate(net(), loader(), devices=3), 'devices is 3: give devices such as'),
        (lambda: d2l.evaluate(d2l.FM(DIMS, 2), loader()), 'FM has no weights yet: call net.init'),
    ],
    'evaluator': [(lambda: d2l.evaluator(3, None, None), 'net is 3: give a model')],
    'fetch': [(lambda: d2l.fetch(None), 'there is no data set None: choose from')],
    'fit': [
        (lambda: d2l.fit(3, loader()), 'net is 3: give a model, such as d2l.FM'),
        (lambda: d2l.fit(net(), loader(), num_epochs=-1), 'num_epochs is -1: give a whole number'),
        (lambda: d2l.fit(net(), loader(), seed='a'), "seed is 'a': give a whole number"),
    ],
    'gauc': [(lambda: d2l.gauc(LABELS, LABELS, None), 'users is None: give the user of each row')],
    'hit_rate': [(lambda: d2l.hit_rate(np.ones((1, 3)), [[0]], k='a'), "k is 'a': give a whole")],
    'load': [
        (lambda: d2l.load(3), 'path is 3: give the path of a file'),
        (lambda: d2l.load([]), 'path is []: give the path of a file'),
    ],
    'load_data_ml100k': [
        (lambda: d2l.load_data_ml100k(RATED, 0, 2), 'num_users is 0: give a whole number, 1'),
        (lambda: d2l.load_data_ml100k(RATED, 1, 2), 'Row 2 has the user id 2: give whole ids'),
        (lambda: d2l.load_data_ml100k(RATED, 2, 2, []), "feedback is []: choose 'explicit'"),
    ],
    'load_ml100k_ctr': [(lambda: d2l.load_ml100k_ctr('abc', folder='none'), "split is 'abc")],
    'load_vocab': [(lambda: d2l.load_vocab({}), 'path is {}: give the path of a file')],
    'log_loss': [(lambda: d2l.log_loss(LABELS, [0.5, 0.5, 0.5, 2]), 'probs')],
    'mae': [(lambda: d2l.mae([1], [np.inf]), 'inf')],
    'masked_rmse': [(lambda: d2l.masked_rmse([1], [2], [0]), 'no rating is observed')],
    'ml100k_fold': [
        (lambda: d2l.ml100k_fold(RATED, 0), 'There is no fold 0: choose 1 to 5'),
        (lambda: d2l.ml100k_fold(3, 1), 'data is 3: give the frame that read_data_ml100k returns'),
        (lambda: d2l.ml100k_fold(RATED, 1), 'The folds are fifths of the whole of u.data'),
    ],
    'multi_hot': [(lambda: d2l.multi_hot(data(), {'g': ['a']}, pool='max'), "pool is 'max'")],
    'ndcg': [(lambda: d2l.ndcg(np.ones((1, 3)), [[5]]), '5')],
    'normalized_entropy': [
        (lambda: d2l.normalized_entropy([1, 1], [0.5, 0.5]), 'all 2 labels are 1: their entropy'),
    ],
    'open_encoded': [
        (lambda: d2l.open_encoded(None), 'folder is None: give the path of a file'),
        (lambda: d2l.open_encoded('/no/such folder'), '/no/such folder'),
    ],
    'past_rows': [
        (lambda: d2l.past_rows(3, [1], 2), 'users is 3: give one value a row'),
        (lambda: d2l.past_rows([0], [1], 0), 'length is 0: give a whole number, 1 or more'),
    ],
    'planted': [
        (lambda: d2l.planted(0, DIMS), 'num_rows is 0: give a whole number, 1 to 1000000000'),
        (lambda: d2l.planted(5, DIMS, rate='a'), "rate is 'a': give a click rate between 0 and 1"),
        (lambda: d2l.planted(5, DIMS, zipf='a'), "zipf is 'a': give a number"),
        (lambda: d2l.planted(5, DIMS, zipf=-1e300), 'zipf is -1e+300: give a number of the size'),
        (lambda: d2l.planted(5, DIMS, random_labels=[]), 'random_labels is []: give True or'),
    ],
    'planted_histories': [
        (lambda: d2l.planted_histories(5, length=0), 'length is 0: give a whole number, 1 to'),
        (lambda: d2l.planted_histories(5, related=None), 'related is None: give a number'),
    ],
    'planted_log': [
        (lambda: d2l.planted_log(0), 'num_days is 0: give a whole number, 1 to'),
        (lambda: d2l.planted_log(1, num_items=1000), 'num_items is 1000: give a whole number, 1'),
    ],
    'predict': [
        (lambda: d2l.predict('FM', IDS), "net is 'FM': give a model, such as d2l.FM"),
        (lambda: d2l.predict(net(), IDS + 9), 'outside its range'),
        (lambda: d2l.predict(net(), {1, 2}), 'a batch is 1: give a loader whose batches hold ids'),
    ],
    'random_search': [
        (lambda: d2l.random_search(3, {'a': [1]}), 'make_and_fit is 3: give a function'),
        (lambda: d2l.random_search(abs, [1]), 'space is [1]: give a dict {name: choices}'),
        (lambda: d2l.random_search(abs, {'a': [1]}, trials=0), 'trials is 0: give a whole number'),
        (lambda: d2l.random_search(abs, {'a': [1]}, trials=1, seed='a'), "seed is 'a': give"),
    ],
    'random_split_ml100k': [
        (lambda: d2l.random_split_ml100k(3), 'data is 3: give the frame that read_data_ml100k'),
        (lambda: d2l.random_split_ml100k(RATED, 'a'), "valid_ratio is 'a': give a share of the"),
        (lambda: d2l.random_split_ml100k(RATED, 0.5, 0.5), 'valid_ratio is 0.5 and test_ratio'),
        (lambda: d2l.random_split_ml100k(RATED, seed=[]), 'seed is []: give a whole number, 0'),
    ],
    'rank_report': [(lambda: d2l.rank_report(pairs(), 3), 'held_out')],
    'read': [
        (lambda: d2l.read(3), 'the source is a int: give a path, a folder, a glob'),
        (lambda: d2l.read(FRAME, label='z'), "has no column 'z'"),
        (lambda: d2l.read(FRAME, drop=3), 'drop is 3: give a list of names of columns'),
        (lambda: d2l.read(FRAME, schema=3), 'schema is a int: give that of a table'),
    ],
    'read_ml100k': [(lambda: d2l.read_ml100k('/no/such folder'), 'has no file u.user')],
    'read_ratings': [
        (lambda: d2l.read_ratings(RATED, threshold='a'), "threshold is 'a': give a number"),
        (lambda: d2l.read_ratings(RATED, user=3), 'user is 3: give the name of a column'),
        (lambda: d2l.read_ratings(RATED, rating='z'), "has no column 'z'"),
    ],
    'recommend': [
        (lambda: d2l.recommend(net(), ['a'], 0), 'k is 0: give the length of the lists'),
        (lambda: d2l.recommend(net(), ['a']), 'seen is not given: pass what'),
    ],
    'rmse': [(lambda: d2l.rmse([], []), 'ratings')],
    'save': [
        (lambda: d2l.save(3, 'x'), 'int does not know what it was built from'),
        (lambda: d2l.save(net(), 3), 'path is 3: give the path of a file'),
        (lambda: d2l.save(net(), '/no/such folder/x'), 'cannot be written: there is no folder'),
    ],
    'set_seed': [
        (lambda: d2l.set_seed('a'), "seed is 'a': give a whole number, 0 to 4294967295"),
        (lambda: d2l.set_seed(2**32), 'seed is 4294967296: give a whole number, 0 to'),
    ],
    'sigmoid': [(lambda: d2l.sigmoid(['a']), 'logits')],
    'split_and_load_ml100k': [
        (lambda: d2l.split_and_load_ml100k(batch_size=0), 'batch_size is 0: give a whole number'),
    ],
    'split_data_ml100k': [
        (lambda: d2l.split_data_ml100k(RATED, 2, 2, []), "split_mode is []: choose 'random'"),
        (lambda: d2l.split_data_ml100k(RATED, 2, 'a'), "num_items is 'a': give a whole number"),
    ],
    'squared_error': [(lambda: d2l.squared_error([1], [1, 2]), 'predictions')],
    'temporal_split_ml100k': [
        (lambda: d2l.temporal_split_ml100k(RATED, 0.1, None), 'test_ratio is None: give a share'),
    ],
    'touch_rows': [
        (lambda: d2l.touch_rows('FM'), "net is 'FM': give a model"),
        (lambda: d2l.touch_rows(d2l.AutoRec(2, 3)), 'AutoRec does not say which inputs'),
    ],
    'train_ch13': [
        (lambda: d2l.train_ch13(3, loader(), None, LOSS, trainer(), 1), 'net is 3: give a model'),
        (lambda: d2l.train_ch13(net(), loader(), None, 3, trainer(), 1), ''),
        (lambda: d2l.train_ch13(net(), loader(), None, LOSS, [], 1), ''),
    ],
    'train_ranking': [
        (lambda: d2l.train_ranking(3, 3, d2l.BPRLoss(), trainer(), 1), 'net is 3: give a model'),
    ],
    'train_recsys_rating': [
        (lambda: d2l.train_recsys_rating(3, 3, None, LOSS, trainer(), 1), 'net is 3: give a model'),
    ],
    'warm_start': [
        (lambda: d2l.warm_start(3, data(), net(), data()), 'net is 3: give a model'),
    ],
    'wide_deep_trainers': [
        (lambda: d2l.wide_deep_trainers(net()), 'net is a FM: give a WideDeep'),
        (lambda: d2l.wide_deep_trainers(d2l.WideDeep(DIMS, 2, [4])), 'WideDeep has no weights'),
    ],
    'with_history': [
        (lambda: d2l.with_history(3, [[0]]), 'data is 3: give a data set with ids'),
        (lambda: d2l.with_history(data(), [[0]] * 4, 5), 'item_field is 5: give a whole number'),
        (lambda: d2l.with_history(data(), [[0], [1, 2]]), 'past is [[0], [1, 2]]: give numbers'),
    ],
}  # fmt: skip

# Made by the library, or with nothing to be given.
OTHERS = {
    'DataUnavailable', 'EncodedFolder', 'History', 'Interval', 'MovieLens', 'MovieLensCTR',
    'MultiHot', 'PlantedLog', 'Saved', 'Schema', 'Search', 'Table', 'cache_folder',
    'get_dataloader_workers', 'read_data_ml100k', 'try_all_gpus',
}  # fmt: skip


def test_every_public_name_has_its_table():
    public = {name for name in d2l.__all__ if callable(getattr(d2l, name))}
    assert set(BAD) == public - OTHERS, 'give it a line in BAD'


@pytest.mark.parametrize('name', BAD)
def test_what_is_wrong_is_said_in_one_sentence(name):
    for number, (call, words) in enumerate(BAD[name]):
        with pytest.raises((ValueError, OSError)) as refusal:
            call()
        said = str(refusal.value)
        assert words in said and '\n' not in said, (name, number, said)
        where = refusal.traceback[-1].path if refusal.type is ValueError else None
        assert where is None or 'd2lrec' in str(where), (name, number, said)
    mx.nd.waitall()
