"""What several click models share: vectors within reach, batch normalization, an FM inside."""

import inspect

from d2lrec import DCN, DLRM, FFM, FM, DeepFM, EmbeddingMLP
from d2lrec.models.base import CTRModel, HistoryModel

import mxnet as mx
import numpy as np
import pytest
from helpers import give, random_ids, random_inputs, randomize, weights_of
from mxnet import autograd
from mxnet.gluon import nn
from zoo import DIMS, ZOO, K

CTR = [name for name, (build, _) in ZOO.items() if isinstance(build(), CTRModel)]


@pytest.mark.parametrize('name', CTR)
def test_learned_vectors_are_easy_to_reach(name):
    net = ZOO[name][0]()
    net.initialize()
    assert hasattr(net, 'linear') or isinstance(net, (EmbeddingMLP, DCN, DLRM, HistoryModel))
    if hasattr(net, 'linear'):
        ids = sum(DIMS) + sum(net.config.get('cross_dims', []))
        assert net.linear.weight.data().shape == (ids, 1)
        assert net.linear.bias.data().shape == (1,)
    if hasattr(net, 'embedding'):
        width = K * len(DIMS) if isinstance(net, FFM) else K
        assert net.embedding.weight.data().shape == (sum(DIMS), width)


def test_fm_of_two_fields_is_biased_matrix_factorization():
    users, items = 5, 7
    net = randomize(FM([users, items], K))
    w, v = (net.linear.weight.data().asnumpy()[:, 0], net.embedding.weight.data().asnumpy())
    bias = float(net.linear.bias.data()[0])
    for u in range(users):
        for i in range(items):
            mf = bias + w[u] + w[users + i] + v[u] @ v[users + i]
            out = float(net(mx.np.array([[u, users + i]], dtype='int32'))[0, 0])
            assert abs(out - mf) < 1e-4


def test_deepfm_with_its_mlp_zeroed_is_fm():
    deep, plain = randomize(DeepFM(DIMS, K, [6, 5])), randomize(FM(DIMS, K))
    for part in ('linear', 'embedding'):
        give(getattr(deep, part), getattr(plain, part))
    for param in deep.mlp.output.collect_params().values():
        param.set_data(mx.np.zeros(param.shape))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(deep(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-6)


def norms(block, path=''):
    """(path of a batch normalization, path of the layer before it) wherever there is one."""
    before = None
    for name, child in block._children.items():
        if isinstance(child, nn.BatchNorm):
            yield path + name, path + before
        yield from norms(child, f'{path}{name}.')
        before = name


def folded(net):
    """The weights of an equal net without batch normalization, outside training."""
    w = weights_of(net)
    for norm, layer in norms(net):
        scale = w[norm + '.gamma'] / np.sqrt(w[norm + '.running_var'] + 1e-5)
        shift = w[norm + '.beta'] - scale * w[norm + '.running_mean']
        if layer + '.weight' in w:
            w[layer + '.bias'] = w[layer + '.bias'] * scale + shift
            for weight in ('.weight', '.dense.weight'):  # the latter of a DotInteractionDense
                if layer + weight in w:
                    w[layer + weight] = w[layer + weight] * scale[:, None]
        else:  # of an NFM's pooled vector, before the first layer
            first = w['mlp.hidden.0.weight']
            w['mlp.hidden.0.bias'] = w['mlp.hidden.0.bias'] + first @ shift
            w['mlp.hidden.0.weight'] = first * scale
    return w


WITH_BATCH_NORM = [
    name
    for name, (build, _) in ZOO.items()
    if 'batch_norm' in inspect.signature(type(build())).parameters
]


@pytest.mark.parametrize('name', WITH_BATCH_NORM)
def test_batch_norm_wherever_an_mlp_is(name):
    build, definition = ZOO[name]
    net = randomize(build(batch_norm=True))
    assert len(list(norms(net))) >= 2
    rng, inputs = np.random.default_rng(1), random_inputs(net, 7)
    for key, param in net.collect_params().items():
        if key.endswith('running_mean'):
            param.set_data(mx.np.array(rng.normal(size=param.shape), dtype='float32'))
        elif key.endswith('running_var'):
            param.set_data(mx.np.array(rng.uniform(0.5, 2, size=param.shape), dtype='float32'))
    before = weights_of(net)
    np.testing.assert_allclose(
        net(*inputs).asnumpy(),
        definition(folded(net), *[x.asnumpy() for x in inputs]),
        rtol=1e-4,
        atol=1e-4,
    )
    with autograd.record():
        out = net(*inputs)
    out.backward()  # MXNet moves the running statistics here
    after = weights_of(net)
    for key in before:
        assert (before[key] == after[key]).all() != ('running' in key), key
