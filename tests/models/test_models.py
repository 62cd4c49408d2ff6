"""What holds for every click model: the definition in loops, gradients, devices, refusals."""
import definitions
import mxnet as mx
import numpy as onp
import pytest
from helpers import check_gradients, random_ids, randomize, weights_of
from mxnet import autograd, gluon, np

from d2lrec import FM, LR, DeepFM

DIMS, K = [3, 5, 2, 4], 4


def lr(w, x):
    return definitions.linear_term(w['linearterm0_weight'], w['linearterm0_bias'], x)


def fm(w, x):
    return lr(w, x) + definitions.pairwise_term(w['embedding0_weight'][x])


def deepfm(w, x):
    e = w['embedding0_weight'][x]
    layers = [(w[f'mlp0_dense{i}_weight'], w[f'mlp0_dense{i}_bias']) for i in range(3)]
    return fm(w, x) + definitions.mlp(layers, e.reshape(len(x), -1))


MODELS = {'LR': (lambda: LR(DIMS), lr),
          'FM': (lambda: FM(DIMS, K), fm),
          'DeepFM': (lambda: DeepFM(DIMS, K, [6, 5], drop_rate=0), deepfm)}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [1, 7])
def test_forward_and_gradients_equal_the_definition(model, rows, hybrid):
    build, definition = model
    net = randomize(build())
    net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
    x = random_ids(DIMS, rows)
    out = net(x)
    assert out.shape == (rows, 1)
    onp.testing.assert_allclose(out.asnumpy(), definition(weights_of(net), x.asnumpy()),
                                rtol=1e-4, atol=1e-4)
    check_gradients(net, x, definition)


def test_batches_of_changing_size_after_hybridizing(model):
    build, definition = model
    net = randomize(build())
    net.hybridize(static_alloc=True, static_shape=True)
    for rows in (8, 3, 8, 1):
        x = random_ids(DIMS, rows, seed=rows)
        onp.testing.assert_allclose(net(x).asnumpy(), definition(weights_of(net), x.asnumpy()),
                                    rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('rows', [8, 7, 2])
def test_two_devices_give_the_gradients_of_one(model, rows):
    build, _ = model
    x = random_ids(DIMS, rows)
    grads = []
    for devices in ([mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]):
        net = randomize(build(), ctx=devices)
        with autograd.record():
            outs = [net(s) for s in gluon.utils.split_and_load(x, devices, even_split=False)]
        autograd.backward(outs)
        grads.append([sum(g.asnumpy() for g in p.list_grad())
                      for p in net.collect_params().values() if p.grad_req != 'null'])
    for one, two in zip(*grads):
        onp.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5)


def test_learned_vectors_are_easy_to_reach(model):
    net = model[0]()
    net.initialize()
    assert net.linear.weight.data().shape == (sum(DIMS), 1)
    assert net.linear.bias.data().shape == (1,)
    if hasattr(net, 'embedding'):
        assert net.embedding.weight.data().shape == (sum(DIMS), K)


@pytest.mark.parametrize('hybrid', [False, True])
def test_another_number_of_fields_is_refused(model, hybrid):
    net = randomize(model[0]())
    net.hybridize(hybrid)
    with pytest.raises(ValueError, match=r'built for 4 fields.*\(2, 3\)'):
        net(np.zeros((2, 3), dtype='int32'))


def test_weights_survive_a_file(model, tmp_path):
    build, _ = model
    net, other = randomize(build(), seed=1), randomize(build(), seed=2)
    x = random_ids(DIMS, 5)
    assert not onp.allclose(net(x).asnumpy(), other(x).asnumpy())
    net.save_parameters(str(tmp_path / 'net.params'))
    other.load_parameters(str(tmp_path / 'net.params'))
    onp.testing.assert_array_equal(net(x).asnumpy(), other(x).asnumpy())


def test_fm_of_two_fields_is_biased_matrix_factorization():
    users, items = 5, 7
    net = randomize(FM([users, items], K))
    w, v = (net.linear.weight.data().asnumpy()[:, 0], net.embedding.weight.data().asnumpy())
    bias = float(net.linear.bias.data()[0])
    for u in range(users):
        for i in range(items):
            mf = bias + w[u] + w[users + i] + v[u] @ v[users + i]
            out = float(net(np.array([[u, users + i]], dtype='int32'))[0, 0])
            assert abs(out - mf) < 1e-4


def test_deepfm_with_its_mlp_zeroed_is_fm():
    deep, plain = randomize(DeepFM(DIMS, K, [6, 5])), randomize(FM(DIMS, K))
    for part in ('linear', 'embedding'):
        for mine, theirs in zip(getattr(plain, part).collect_params().values(),
                                getattr(deep, part).collect_params().values()):
            mine.set_data(theirs.data())
    for param in deep.mlp.output.collect_params().values():
        param.set_data(np.zeros(param.shape))
    x = random_ids(DIMS, 9)
    onp.testing.assert_allclose(deep(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-6)
