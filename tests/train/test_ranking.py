"""Learning to rank: the loss is its definition, planted tastes are found, and leaks are refused."""

import d2lrec as d2l
from d2lrec import definitions

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

U, I = 60, 40


@pytest.fixture(scope='module')
def planted():
    """Users of four tastes; each watches films of his own taste, popular ones more often."""
    rng = np.random.default_rng(0)
    pull = np.exp(2.5 * (np.arange(I)[None] % 4 == np.arange(U)[:, None] % 4) - np.arange(I) / 15)
    pairs = [
        (u, i) for u in range(U) for i in rng.choice(I, 9, replace=False, p=pull[u] / pull[u].sum())
    ]
    users, items = np.array(pairs).T
    last = np.arange(len(users)) % 9 >= 7
    part = lambda rows: d2l.Interactions(users[rows], items[rows], U, I)  # noqa: E731
    return part(~last), part(last)


def test_the_bpr_loss_is_its_definition_and_so_is_its_gradient():
    rng = np.random.default_rng(1)
    scores, others = rng.normal(size=(2, 8))
    loss, x = d2l.BPRLoss(), mx.np.array(scores, dtype='float64')
    x.attach_grad()
    with autograd.record():
        out = loss(x.reshape(-1, 1), mx.np.array(others, dtype='float64').reshape(-1, 1))
    out.backward()
    assert out.shape == (8,)
    assert float(out.mean()) == pytest.approx(definitions.bpr_loss(scores, others), rel=1e-6)
    for n in range(8):
        step = np.where(np.arange(8) == n, 1e-5, 0)
        slope = definitions.bpr_loss(scores + step, others) - definitions.bpr_loss(
            scores - step, others
        )
        assert float(x.grad[n]) == pytest.approx(8 * slope / 2e-5, rel=1e-4)
    extreme = loss(mx.np.array([-500.0, 500.0]), mx.np.zeros(2))
    assert extreme.tolist() == pytest.approx([500, 0])


@pytest.mark.parametrize('kind', ['pairwise', 'pointwise', 'NeuMF', 'by popularity'])
def test_planted_tastes_are_ranked_better_than_by_popularity(planted, kind):
    train, valid = planted
    net = d2l.NeuMF(6, U, I, [12]) if kind == 'NeuMF' else d2l.MF(6, U, I, output='logit')
    options = {'loss': d2l.BPRLoss()} if kind in ('pairwise', 'by popularity') else {'negatives': 3}
    if kind == 'by popularity':
        options['power'] = 0.5
    history = d2l.fit(
        net, train, valid, init=mx.init.Normal(0.1), lr=0.02, batch_size=100, num_epochs=25,
        **options,
    )  # fmt: skip
    popular = np.tile(train.counts().astype(float), (U, 1))
    baseline = d2l.ndcg(popular, valid.matrix(), train.matrix())
    report = d2l.evaluate(net, valid, shown=train)
    assert report['ndcg'] > baseline + 0.1
    assert report['ndcg'] == pytest.approx(max(history['valid_ndcg'])) and report['users'] == U
    scores = net.scores(np.arange(U))
    assert report['hit_rate'] == d2l.hit_rate(scores, valid.matrix(), train.matrix())
    some = net(mx.np.array([3, 3], dtype='int32'), mx.np.array([0, 7], dtype='int32'))
    np.testing.assert_allclose(scores[3, [0, 7]], some.asnumpy().reshape(-1), atol=1e-4)


def test_one_seed_gives_one_net(planted):
    nets = [d2l.MF(3, U, I, output='logit') for _ in range(2)]
    for net in nets:
        d2l.fit(net, planted[0], num_epochs=2, seed=4, loss=d2l.BPRLoss())
    assert (nets[0].scores([0, 5]) == nets[1].scores([0, 5])).all()


@pytest.mark.parametrize('kind', ['pairwise', 'pointwise'])
def test_two_devices_take_the_steps_of_one(planted, kind):
    found = []
    for devices in ([mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]):
        net = d2l.MF(3, U, I, output='logit')
        loss = d2l.BPRLoss() if kind == 'pairwise' else None
        d2l.fit(
            net,
            planted[0],
            num_epochs=1,
            seed=4,
            loss=loss,
            devices=devices,
            batch_size=101,
            lr=0.1,
            optimizer='sgd',
        )
        found.append(net.scores(np.arange(U)))
    np.testing.assert_allclose(*found, atol=1e-4)


def test_a_resumed_run_is_the_run(planted, tmp_path):
    def run(epochs, path):
        net = d2l.MF(3, U, I, output='logit')
        d2l.fit(net, *planted, num_epochs=epochs, checkpoint=path, loss=d2l.BPRLoss())
        return net.scores(np.arange(U))

    whole = run(4, tmp_path / 'one')
    run(2, tmp_path / 'two')
    assert (run(4, tmp_path / 'two') == whole).all()


def test_scores_of_no_user_and_of_wrong_ones():
    net = d2l.MF(3, U, I, output='logit')
    net.initialize()
    assert net.scores([]).shape == (0, I)
    for users in ([U], [-1], [[0]], [0.5]):
        with pytest.raises(ValueError, match='users'):
            net.scores(users)
    with pytest.raises(ValueError, match='output'):
        d2l.MF(3, U, I, output='click')


def test_refusals(planted):
    train, valid = planted
    net = d2l.MF(3, U, I, output='logit')
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam')
    loader = d2l.NegativeLoader(train, 100)
    for call, words in (
        (lambda: d2l.train_ranking(net, loader, d2l.BPRLoss(), trainer, 1), 'pairwise=True'),
        (lambda: d2l.train_ranking(net, train, d2l.BPRLoss(), trainer, 1), 'give NegativeLoader'),
        (lambda: d2l.fit(net, train, d2l.Interactions([0], [1])), 'num_items = 2'),
        (lambda: d2l.fit(net, train, (valid.users, valid.items)), 'give Interactions'),
        (lambda: d2l.fit(d2l.LR([3, 2]), train), 'no method scores'),
        (lambda: d2l.fit(net, train, patience=1), 'patience'),
    ):
        with pytest.raises(ValueError, match=words):
            call()
