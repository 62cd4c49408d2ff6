"""The calling sequences of the older MXNet chapters run with `import d2lrec as d2l`, on a CPU.

The readers' own classes stand here as those chapters have readers write them, mistakes included:
a Block that ends in a sigmoid, a loader that rolls over, an evaluator of their own. The data are
made up in the layout of the real files.
"""

import os

import mxnet as mx
import numpy as onp
import pandas as pd
import pytest
from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

import d2lrec as d2l

npx.set_np()


@pytest.fixture
def ctr(tmp_path, monkeypatch):
    clicks = d2l.planted(6_000, [30] * 34, linear=1.5, pairwise=0.5, rate=0.22, seed=1)
    clicks[:5_000].write(tmp_path / 'train.csv')
    clicks[5_000:].write(tmp_path / 'test.csv')
    monkeypatch.setattr(d2l, 'download_extract', {'ctr': str(tmp_path)}.get)


@pytest.fixture
def ml_100k(tmp_path, monkeypatch):
    rng = onp.random.default_rng(0)
    pairs = rng.permutation(40 * 30)[:700]
    user, item = pairs // 30 + 1, pairs % 30 + 1
    quality = rng.normal(size=31)
    rating = onp.clip(onp.round(3 + quality[item]), 1, 5).astype(int)
    pd.DataFrame([user, item, rating, 880_000_000 + pairs]).T.to_csv(
        tmp_path / 'u.data', sep='\t', header=False, index=False
    )
    monkeypatch.setattr(d2l.data.movielens, 'download_extract', {'ml-100k': str(tmp_path)}.get)


class FM(nn.Block):
    def __init__(self, field_dims, num_factors):
        super().__init__()
        num_inputs = int(sum(field_dims))
        self.embedding = nn.Embedding(num_inputs, num_factors)
        self.fc = nn.Embedding(num_inputs, 1)
        self.linear_layer = nn.Dense(1, use_bias=True)

    def forward(self, x):
        square_of_sum = np.sum(self.embedding(x), axis=1) ** 2
        sum_of_square = np.sum(self.embedding(x) ** 2, axis=1)
        x = self.linear_layer(self.fc(x).sum(1)) + 0.5 * (square_of_sum - sum_of_square).sum(
            1, keepdims=True
        )
        return npx.sigmoid(x)


class DeepFM(nn.Block):
    def __init__(self, field_dims, num_factors, mlp_dims, drop_rate=0.1):
        super().__init__()
        num_inputs = int(sum(field_dims))
        self.embedding = nn.Embedding(num_inputs, num_factors)
        self.fc = nn.Embedding(num_inputs, 1)
        self.linear_layer = nn.Dense(1, use_bias=True)
        self.embed_output_dim = len(field_dims) * num_factors
        input_dim = self.embed_output_dim
        self.mlp = nn.Sequential()
        for dim in mlp_dims:
            self.mlp.add(nn.Dense(dim, 'relu', True, in_units=input_dim))
            self.mlp.add(nn.Dropout(rate=drop_rate))
            input_dim = dim
        self.mlp.add(nn.Dense(in_units=input_dim, units=1))

    def forward(self, x):
        embed_x = self.embedding(x)
        square_of_sum = np.sum(embed_x, axis=1) ** 2
        sum_of_square = np.sum(embed_x**2, axis=1)
        inputs = np.reshape(embed_x, (-1, self.embed_output_dim))
        x = (
            self.linear_layer(self.fc(x).sum(1))
            + 0.5 * (square_of_sum - sum_of_square).sum(1, keepdims=True)
            + self.mlp(inputs)
        )
        return npx.sigmoid(x)


@pytest.mark.filterwarnings('ignore:every output')
@pytest.mark.parametrize(
    'build, known',
    [
        (lambda dims: FM(dims, num_factors=20), False),
        (lambda dims: DeepFM(dims, num_factors=10, mlp_dims=[30, 20, 10]), False),
        (lambda dims: d2l.FM(dims, num_factors=20), True),
        (lambda dims: d2l.DeepFM(dims, num_factors=10, mlp_dims=[30, 20, 10]), True),
    ],
)
def test_the_click_chapters(ctr, build, known, capsys):
    batch_size = 300
    data_dir = d2l.download_extract('ctr')
    train_data = d2l.CTRDataset(os.path.join(data_dir, 'train.csv'))
    test_data = d2l.CTRDataset(
        os.path.join(data_dir, 'test.csv'),
        feat_mapper=train_data.feat_mapper,
        defaults=train_data.defaults,
    )
    train_iter = gluon.data.DataLoader(
        train_data,
        shuffle=True,
        last_batch='rollover',
        batch_size=batch_size,
        num_workers=d2l.get_dataloader_workers(),
    )
    test_iter = gluon.data.DataLoader(
        test_data,
        shuffle=False,
        last_batch='rollover',
        batch_size=batch_size,
        num_workers=d2l.get_dataloader_workers(),
    )
    devices = d2l.try_all_gpus()
    net = build(train_data.field_dims)
    net.initialize(init.Xavier(), ctx=devices)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    history = d2l.train_ch13(net, train_iter, test_iter, loss, trainer, 4, devices)
    out = capsys.readouterr().out
    assert 'train acc' in out and 'test acc' in out and 'examples/sec on' in out
    assert len(history) == 4 and all(0 <= row['test_acc'] <= 1 for row in history.rows)
    assert history['train_loss'][-1] < history['train_loss'][0]
    if known:  # the library's own model, which ends in a logit, has learned something
        assert history.kept['test_auc'] > 0.58


class AutoRec(nn.Block):
    def __init__(self, num_hidden, num_users, dropout=0.05):
        super().__init__()
        self.encoder = nn.Dense(num_hidden, activation='sigmoid', use_bias=True)
        self.decoder = nn.Dense(num_users, use_bias=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input):
        hidden = self.dropout(self.encoder(input))
        pred = self.decoder(hidden)
        if autograd.is_training():
            return pred * np.sign(input)
        return pred


def evaluator(network, inter_matrix, test_data, devices):
    scores = []
    for values in inter_matrix:
        feat = gluon.utils.split_and_load(values, devices, even_split=False)
        scores.extend([network(i).asnumpy() for i in feat])
    recons = np.array([item for sublist in scores for item in sublist])
    rmse = np.sqrt(
        np.sum(np.square(test_data - np.sign(test_data) * recons)) / np.sum(np.sign(test_data))
    )
    return float(rmse)


def test_the_rating_chapter(ml_100k, capsys):
    devices = d2l.try_all_gpus()
    df, num_users, num_items = d2l.read_data_ml100k()
    train_data, test_data = d2l.split_data_ml100k(df, num_users, num_items)
    _, _, _, train_inter_mat = d2l.load_data_ml100k(train_data, num_users, num_items)
    _, _, _, test_inter_mat = d2l.load_data_ml100k(test_data, num_users, num_items)
    train_iter = gluon.data.DataLoader(
        train_inter_mat,
        shuffle=True,
        last_batch='rollover',
        batch_size=8,
        num_workers=d2l.get_dataloader_workers(),
    )
    test_iter = gluon.data.DataLoader(
        np.array(train_inter_mat),
        shuffle=False,
        last_batch='keep',
        batch_size=1024,
        num_workers=d2l.get_dataloader_workers(),
    )
    net = AutoRec(20, num_users)
    net.initialize(ctx=devices, force_reinit=True, init=mx.init.Normal(0.01))
    loss = gluon.loss.L2Loss()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02, 'wd': 1e-5})
    history = d2l.train_recsys_rating(
        net, train_iter, test_iter, loss, trainer, 25, devices, evaluator, inter_mat=test_inter_mat
    )
    out = capsys.readouterr().out
    assert 'train loss' in out and 'test RMSE' in out
    ratings = test_data.rating
    assert history.kept['test_rmse'] < onp.sqrt(onp.mean((ratings - train_data.rating.mean()) ** 2))
