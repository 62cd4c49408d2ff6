"""Parameters and multiply-adds, counted by hand."""

import d2lrec as d2l
from d2lrec import describe
from d2lrec.describe import cost_table, multiply_adds
from d2lrec.models.base import CTRModel, Model

import mxnet as mx
import pytest
from mxnet import gluon
from mxnet.gluon import nn

DIMS, V, F, K = [3, 5, 2, 4], 14, 4, 6
LINEAR = F + 1  # F weights, one bias
# Sums over fields, over their K squares, and over all FK squares; a difference, a half.
PAIRWISE = F * K + 2 * K + 2 * F * K + 2


def counts(net):
    table = net.describe()
    return {part: tuple(row) for part, row in zip(table.index, table.to_numpy().tolist())}


def test_lr():
    assert counts(d2l.LR(DIMS)) == {'linear': (V + 1, LINEAR), 'total': (V + 1, LINEAR)}


def test_fm():
    assert counts(d2l.FM(DIMS, K)) == {
        'linear': (V + 1, LINEAR),
        'embedding': (V * K, 0),
        'pairwise': (0, PAIRWISE),
        'rest': (0, 1),
        'total': (V + 1 + V * K, LINEAR + PAIRWISE + 1),
    }


@pytest.mark.parametrize('hybrid', [False, True])
def test_deepfm(hybrid):
    net = d2l.DeepFM(DIMS, K, [5, 3])
    net.hybridize(hybrid)
    weights = F * K * 5 + 5 * 3 + 3
    assert counts(net) == {
        'linear': (V + 1, LINEAR),
        'embedding': (V * K, 0),
        'pairwise': (0, PAIRWISE),
        'mlp': (weights + 5 + 3 + 1, weights),
        'rest': (0, 2),
        'total': (V + 1 + V * K + weights + 9, LINEAR + PAIRWISE + weights + 2),
    }


def test_field_aware_pairs():
    pairs = F * (F - 1) // 2
    assert counts(d2l.FFM(DIMS, K)) == {
        'linear': (V + 1, LINEAR),
        'embedding': (V * F * K, 0),  # arithmetic on ids is a look-up's own
        'pairwise': (0, 2 * pairs * K),
        'rest': (0, 1),
        'total': (V + 1 + V * F * K, LINEAR + 2 * pairs * K + 1),
    }


def test_attention_pays_for_no_softmax():
    pairs, units = F * (F - 1) // 2, 3
    attention = pairs * (
        K + units * K + units + K + K + K
    )  # products, two layers, copy, weigh, add
    assert counts(d2l.AFM(DIMS, K, units))['attention'] == (units * (K + 2), attention)


def test_dot_products_count_as_the_square_that_is_computed():
    top = F * F * K + F * F * 5 + 5
    assert counts(d2l.DLRM(DIMS, K, [5]))['top'] == (F * (F - 1) // 2 * 5 + 5 + 5 + 1, top)


def test_rating_models():
    assert counts(d2l.MF(K, 7, 9))['total'] == ((7 + 9) * (K + 1), 2 * K + 3)
    assert counts(d2l.AutoRec([5, 3], 9)) == {
        'encoder': (9 * 5 + 5 + 5 * 3 + 3, 9 * 5 + 5 * 3),
        'decoder': (3 * 9 + 9, 3 * 9),
        'total': (9 * 5 + 5 + 5 * 3 + 3 + 3 * 9 + 9, 9 * 5 + 5 * 3 + 3 * 9),
    }
    mlp = 2 * K * 5 + 5
    assert counts(d2l.NeuMF(K, 7, 9, [5]))['total'] == (
        2 * (7 + 9) * K + K + mlp + 5 + 1,
        K + K + mlp + 1,
    )


class Odd(CTRModel):
    """A part used twice, batch normalization, products of pairs, work on the weights alone."""

    def __init__(self, field_dims, **kwargs):
        super().__init__(field_dims, **kwargs)
        with self.name_scope():
            self.embedding = d2l.layers.Embedding(V, K)
            self.twice = nn.Dense(F * K, in_units=F * K)
            self.norm = nn.BatchNorm(in_channels=F * K)
            self.scale = self.params.get('scale', shape=(F, K))

    def hybrid_forward(self, F, x, scale):
        e = self.embedding(x)
        gram = F.npx.batch_dot(e, e, transpose_b=True)
        h = self.norm(self.twice(self.twice(F.npx.reshape(e, (-2, -1)))))
        weight = F.np.square(scale)  # the same for any number of rows
        return (
            F.np.sum(gram, axis=(1, 2))
            + F.npx.fully_connected(h, F.npx.reshape(weight, (1, -1)), num_hidden=1, no_bias=True)[
                :, 0
            ]
        )


def test_any_net_is_counted_through_its_graph():
    width = F * K
    assert counts(Odd(DIMS)) == {
        'embedding': (V * K, 0),
        'twice': (width**2 + width, 2 * width**2),
        'norm': (2 * width, width),
        'rest': (F * K, F * F * K + F * F + width + 1),
        'total': (
            V * K + width**2 + 4 * width,
            2 * width**2 + width + F * F * K + F * F + width + 1,
        ),
    }


def test_a_block_that_is_no_model_is_counted_for_given_shapes():
    block = d2l.layers.MLP(6, [4])
    table = cost_table(block, lambda rows: [(rows, 6)])
    assert table.loc['total'].tolist() == [6 * 4 + 4 + 4 + 1, 6 * 4 + 4]
    bags = d2l.layers.WeightedEmbeddingBag([2, 1])
    assert multiply_adds(bags, lambda rows: [(rows, 3, K), (rows, 3)]) == {'rest': 3 * K}
    pairs = d2l.layers.FieldAwareEmbedding(V, F, K)  # of two outputs
    assert multiply_adds(pairs, lambda rows: [(rows, F)]) == {'rest': 0}


def test_counting_is_silent_and_leaves_the_net_alone(capfd, recwarn):
    net = d2l.FM(DIMS, K)
    net.describe()
    assert capfd.readouterr() == ('', '') and not recwarn.list
    net.initialize()
    assert net(mx.np.array(net.ranges['ids'][0], dtype='int32').reshape(1, F)).shape == (1, 1)


def test_a_model_that_does_not_say_what_it_takes():
    class Silent(Model):
        pass

    with pytest.raises(NotImplementedError, match='Silent does not say what it reads'):
        Silent().describe()


def test_a_product_that_cannot_be_counted_is_not_passed_over():
    class Outer(CTRModel):
        def hybrid_forward(self, F, x):
            return F.np.einsum('bi,bj->bij', x, x)

    with pytest.raises(NotImplementedError, match='cannot count _npi_einsum.*batch_dot'):
        Outer(DIMS).describe()


def test_a_part_called_rest_is_a_part_of_its_own():
    class Two(gluon.nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.rest = gluon.nn.Dense(2, in_units=3, use_bias=False)

        def hybrid_forward(self, F, x):
            return self.rest(x) + 1

    table = describe.cost_table(Two(), lambda rows: [(rows, 3)])
    assert table.multiply_adds.to_dict() == {'rest': 6, '(rest)': 2, 'total': 8}
    assert table.parameters['rest'] == table.parameters['total'] == 6
