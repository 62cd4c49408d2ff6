"""The FM of the first-steps page in PyTorch and in Keras: the same data, steps and losses.

    _build/parity/bin/python benchmarks/frameworks.py

needs the environment of parity.py. Each part between the markers is what the page shows, word for
word; a test compares them. All three start from the same weights and take the same batches of
planted clicks, so that after each epoch the losses agree to float32 rounding; the script ends with
an error where they do not.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault('KERAS_BACKEND', 'torch')

import importlib.util
import sys

import d2lrec as d2l

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

EPOCHS, ROWS, BATCH, RATE, K = 3, 4000, 500, 0.02, 4
FIELD_DIMS = [30, 20]
TOLERANCE = 2e-4


def problem():
    """Ids, labels and first weights, the same for every framework."""
    clicks = d2l.planted(ROWS, FIELD_DIMS, pairwise=2.0, seed=0)
    rng = np.random.default_rng(0)
    V = sum(FIELD_DIMS)
    w, v = rng.normal(0, 0.1, (V, 1)), rng.normal(0, 0.1, (V, K))
    return (
        clicks.features.astype('int64'),
        clicks.labels.astype('float32')[:, None],
        w.astype('float32'),
        v.astype('float32'),
    )


def in_mxnet(ids, labels, w, v):
    net = d2l.FM(FIELD_DIMS, K)
    net.initialize()
    net.linear.weight.set_data(mx.np.array(w))
    net.embedding.weight.set_data(mx.np.array(v))
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': RATE})
    epochs = []
    for _ in range(EPOCHS):
        total = 0.0
        for start in range(0, ROWS, BATCH):
            x = mx.np.array(ids[start : start + BATCH], dtype='int32')
            y = mx.np.array(labels[start : start + BATCH])
            with autograd.record():
                losses = loss(net(x), y)
            losses.backward()
            trainer.step(BATCH)
            total += float(losses.sum())
        epochs.append(total / ROWS)
    return epochs


def in_torch(ids, labels, w, v):
    # --- page: torch
    import torch
    from torch import nn

    class FM(nn.Module):
        def __init__(self, num_features, num_factors):
            super().__init__()
            self.linear = nn.Embedding(num_features, 1)
            self.embedding = nn.Embedding(num_features, num_factors)
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x):  # x: (B, F) ids
            e = self.embedding(x)  # (B, F, K)
            pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
            return self.bias + self.linear(x).sum(1) + pairs  # (B, 1) logits

    def train(net, batches, num_epochs, lr):
        loss = nn.BCEWithLogitsLoss()
        optimizer = torch.optim.Adam(net.parameters(), lr=lr)
        for _ in range(num_epochs):
            total = rows = 0
            for x, y in batches:
                optimizer.zero_grad()
                mean = loss(net(x), y)
                mean.backward()
                optimizer.step()
                total, rows = total + mean.item() * len(y), rows + len(y)
            yield total / rows

    # --- end

    net = FM(len(w), v.shape[1])
    with torch.no_grad():
        net.linear.weight.copy_(torch.from_numpy(w))
        net.embedding.weight.copy_(torch.from_numpy(v))
    ids, labels = torch.from_numpy(ids), torch.from_numpy(labels)
    batches = [(ids[s : s + BATCH], labels[s : s + BATCH]) for s in range(0, ROWS, BATCH)]
    return list(train(net, batches, EPOCHS, RATE))


def in_keras(ids, labels, w, v):
    # --- page: keras
    import keras
    from keras import layers, ops

    class FM(keras.Model):
        def __init__(self, num_features, num_factors):
            super().__init__()
            self.linear = layers.Embedding(num_features, 1)
            self.embedding = layers.Embedding(num_features, num_factors)
            self.bias = self.add_weight(shape=(1,), initializer='zeros')

        def call(self, x):  # x: (B, F) ids
            e = self.embedding(x)  # (B, F, K)
            pairs = 0.5 * ops.sum(ops.sum(e, 1) ** 2 - ops.sum(e**2, 1), 1, keepdims=True)
            return self.bias + ops.sum(self.linear(x), 1) + pairs

    def train(net, ids, labels, num_epochs, lr, batch_size):
        net.compile(
            optimizer=keras.optimizers.Adam(lr),
            loss=keras.losses.BinaryCrossentropy(from_logits=True),
        )
        return net.fit(
            ids, labels, batch_size=batch_size, epochs=num_epochs, shuffle=False, verbose=0
        ).history['loss']

    # --- end

    net = FM(len(w), v.shape[1])
    net(ids[:1])  # makes the tables
    net.linear.set_weights([w])
    net.embedding.set_weights([v])
    return train(net, ids, labels, EPOCHS, RATE, BATCH)


def main():
    given = problem()
    ours = in_mxnet(*given)
    print('training loss by epoch')
    print(f'{"d2lrec":8}', '  '.join(f'{x:.6f}' for x in ours))
    worst = 0.0
    for name, run in (('torch', in_torch), ('keras', in_keras)):
        if importlib.util.find_spec(name) is None:
            sys.exit(f'no {name} here: install benchmarks/requirements-parity.txt')
        theirs = run(*given)
        print(f'{name:8}', '  '.join(f'{x:.6f}' for x in theirs))
        worst = max(worst, *(abs(a - b) for a, b in zip(ours, theirs)))
    print(f'largest difference {worst:.1e}')
    if worst > TOLERANCE:
        sys.exit(f'the losses differ by more than {TOLERANCE}')


if __name__ == '__main__':
    main()
