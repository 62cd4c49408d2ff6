"""Drawn negatives: never seen, in the proportions of the definition, the same by the same seed."""

import d2lrec as d2l
from d2lrec import definitions

import numpy as np
import pytest


@pytest.fixture
def log():
    rng = np.random.default_rng(0)
    pairs = np.unique(np.stack([rng.integers(0, 6, 40), rng.zipf(1.5, 40) % 9]), axis=1)
    return d2l.Interactions(*pairs, num_users=6, num_items=10)


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
def test_negatives_are_drawn_in_the_proportions_of_the_definition(log, power):
    sampler = d2l.NegativeSampler(log, power, seed=0)
    for user in range(6):
        drawn = sampler.draw(np.full(20_000, user))
        expected = definitions.negative_probabilities(
            log.users.tolist(), log.items.tolist(), 10, user, power
        )
        found = np.bincount(drawn, minlength=10) / len(drawn)
        np.testing.assert_allclose(found, expected, atol=0.02)
        assert not log.matrix()[user, drawn].any()


def test_a_user_with_one_unseen_item_of_many_gets_that_one():
    items = [i for i in range(500) if i != 321]
    log = d2l.Interactions([0] * 499 + [1], [*items, 0], num_items=500)
    assert (d2l.NegativeSampler(log).draw([0] * 30) == 321).all()


def test_a_loader_draws_anew_each_epoch_and_the_same_by_its_seed(log):
    first, again = (d2l.NegativeLoader(log, 1000, negatives=3, seed=1) for _ in range(2))
    [one], [two], [same] = list(first), list(first), list(again)
    assert [len(c) for c in one] == [len(log) * 4] * 3 and int(one[2].sum()) == len(log)
    assert all((a == b).all() for a, b in zip(one, same))
    assert not (one[1] == two[1]).all()
    users, items, labels = (c.asnumpy() for c in one)
    assert (log.matrix()[users, items] == (labels == 1)).all()
    again.set_state(first.get_state())
    assert all((a == b).all() for a, b in zip(*[next(iter(x)) for x in (first, again)]))


def test_a_pairwise_loader_sets_an_unseen_item_beside_each(log):
    batches = list(d2l.NegativeLoader(log, 4, negatives=2, pairwise=True))
    users, items, others = (np.concatenate([b[n].asnumpy() for b in batches]) for n in range(3))
    seen = log.matrix()
    assert seen[users, items].all() and not seen[users, others].any()
    assert len(users) == 2 * len(log)
    assert len(batches) == len(d2l.NegativeLoader(log, 4, negatives=2, pairwise=True))


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda log: d2l.Interactions([0], [7], num_items=7), 'items'),
        (lambda log: d2l.NegativeSampler(log.matrix()), 'give Interactions'),
        (lambda log: d2l.NegativeSampler(log, -1), 'power is -1'),
        (lambda log: d2l.NegativeSampler(d2l.Interactions([0, 0], [0, 1])), 'user 0 has seen all'),
        (lambda log: d2l.NegativeLoader(log, 0), 'batch_size is 0'),
        (lambda log: d2l.NegativeLoader(log, 2, negatives=0), 'negatives is 0'),
        (
            lambda log: d2l.NegativeLoader(log, 2).set_state(
                d2l.NegativeLoader(log, 3).get_state()
            ),
            'of other data',
        ),
    ],
)
def test_refusals(log, call, words):
    with pytest.raises(ValueError, match=words):
        call(log)
