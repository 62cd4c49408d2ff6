"""What holds for every click model: the definition in loops, gradients, devices, refusals."""

import mxnet as mx
import numpy as np
import pytest
from helpers import check_gradients, random_ids, randomize, weights_of
from mxnet import autograd, gluon

from d2lrec import AFM, DCN, FFM, FM, LR, NFM, DeepFM, EmbeddingMLP, XDeepFM, definitions

DIMS, K = [3, 5, 2, 4], 4


def lr(w, x):
    return definitions.linear_term(w['linearterm0_weight'], w['linearterm0_bias'], x)


def fm(w, x):
    return lr(w, x) + definitions.pairwise_term(w['embedding0_weight'][x])


def deepfm(w, x):
    e = w['embedding0_weight'][x]
    layers = [(w[f'mlp0_dense{i}_weight'], w[f'mlp0_dense{i}_bias']) for i in range(3)]
    return fm(w, x) + definitions.mlp(layers, e.reshape(len(x), -1))


MODELS = {
    'LR': (lambda: LR(DIMS), lr),
    'FM': (lambda: FM(DIMS, K), fm),
    'DeepFM': (lambda: DeepFM(DIMS, K, [6, 5], drop_rate=0), deepfm),
}


def mlp(w, x, hidden=2):
    layers = [(w[f'mlp0_dense{i}_weight'], w[f'mlp0_dense{i}_bias']) for i in range(hidden + 1)]
    return definitions.mlp(layers, x)


def concatenated(w, x):
    return w['embedding0_weight'][x].reshape(len(x), -1)


def joint_deepfm(w, x):
    pooled = definitions.bi_interaction(w['embedding0_weight'][x])
    terms = np.concatenate([lr(w, x), pooled], axis=1)
    return terms @ w['dense0_weight'].T + mlp(w, concatenated(w, x))


def embedding_mlp(w, x):
    return mlp(w, concatenated(w, x))


def nfm(w, x):
    return lr(w, x) + mlp(w, definitions.bi_interaction(w['embedding0_weight'][x]))


def afm(w, x):
    pooled = definitions.attention_pooling(
        w['embedding0_weight'][x],
        w['attentionpooling0_dense0_weight'],
        w['attentionpooling0_dense0_bias'],
        w['attentionpooling0_dense1_weight'][0],
    )
    return lr(w, x) + pooled @ w['dense0_weight'].T


def ffm(w, x):
    e = w['embedding0_weight'][x].reshape(len(x), len(DIMS), len(DIMS), K)
    return lr(w, x) + definitions.field_aware_pairwise_term(e)


def cross(w, x):
    return definitions.cross_network(w['crossnetwork0_weight'], w['crossnetwork0_bias'], x)


def cross_v2(w, x):
    layers = [
        (w[f'crossnetworkv20_dense{i}_weight'], w[f'crossnetworkv20_dense{i}_bias'])
        for i in range(2)
    ]
    return definitions.cross_network_v2(layers, x)


def cross_low_rank(w, x):
    name = 'crossnetworkv20_dense'
    layers = [
        (w[f'{name}{2 * i + 1}_weight'] @ w[f'{name}{2 * i}_weight'], w[f'{name}{2 * i + 1}_bias'])
        for i in range(2)
    ]
    return definitions.cross_network_v2(layers, x)


def parallel(cross):
    def definition(w, x):
        e = concatenated(w, x)
        return cross(w, e) @ w['dense0_weight'].T + mlp(w, e)

    return definition


def stacked(cross):
    return lambda w, x: mlp(w, cross(w, concatenated(w, x)))


def xdeepfm(w, x):
    weights = [w[f'cin0_dense{i}_weight'] for i in range(2)]
    maps = definitions.cin(
        [m.reshape(len(m), -1, len(DIMS)) for m in weights], w['embedding0_weight'][x], split=True
    )
    return lr(w, x) + maps @ w['dense0_weight'].T + mlp(w, concatenated(w, x))


MODELS.update(
    {
        'DeepFM, joint head': (
            lambda **o: DeepFM(DIMS, K, [6, 5], 0, joint_head=True, **o),
            joint_deepfm,
        ),
        'EmbeddingMLP': (lambda **o: EmbeddingMLP(DIMS, K, [6, 5], 0, **o), embedding_mlp),
        'NFM': (lambda **o: NFM(DIMS, K, [6, 5], 0, **o), nfm),
        'AFM': (lambda: AFM(DIMS, K, 3, 0), afm),
        'FFM': (lambda: FFM(DIMS, K), ffm),
        'DCN': (lambda **o: DCN(DIMS, K, [6, 5], 0, 2, **o), parallel(cross)),
        'DCN, stacked': (lambda **o: DCN(DIMS, K, [6, 5], 0, 2, stacked=True, **o), stacked(cross)),
        'DCNv2': (lambda **o: DCN(DIMS, K, [6, 5], 0, 2, version=2, **o), parallel(cross_v2)),
        'DCNv2, stacked': (
            lambda **o: DCN(DIMS, K, [6, 5], 0, 2, version=2, stacked=True, **o),
            stacked(cross_v2),
        ),
        'DCNv2, low rank': (
            lambda **o: DCN(DIMS, K, [6, 5], 0, 2, version=2, rank=3, **o),
            parallel(cross_low_rank),
        ),
        'XDeepFM': (lambda **o: XDeepFM(DIMS, K, [6, 5], 0, (4, 3), **o), xdeepfm),
    }
)


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
    np.testing.assert_allclose(
        out.asnumpy(), definition(weights_of(net), x.asnumpy()), rtol=1e-4, atol=1e-4
    )
    check_gradients(net, x, definition)


def test_batches_of_changing_size_after_hybridizing(model):
    build, definition = model
    net = randomize(build())
    net.hybridize(static_alloc=True, static_shape=True)
    for rows in (8, 3, 8, 1):
        x = random_ids(DIMS, rows, seed=rows)
        np.testing.assert_allclose(
            net(x).asnumpy(), definition(weights_of(net), x.asnumpy()), rtol=1e-4, atol=1e-4
        )


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
        grads.append(
            [
                sum(g.asnumpy() for g in p.list_grad())
                for p in net.collect_params().values()
                if p.grad_req != 'null'
            ]
        )
    for one, two in zip(*grads):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5)


def test_learned_vectors_are_easy_to_reach(model):
    net = model[0]()
    net.initialize()
    assert hasattr(net, 'linear') or isinstance(net, (EmbeddingMLP, DCN))
    if hasattr(net, 'linear'):
        assert net.linear.weight.data().shape == (sum(DIMS), 1)
        assert net.linear.bias.data().shape == (1,)
    if hasattr(net, 'embedding'):
        width = K * len(DIMS) if isinstance(net, FFM) else K
        assert net.embedding.weight.data().shape == (sum(DIMS), width)


@pytest.mark.parametrize('hybrid', [False, True])
def test_another_number_of_fields_is_refused(model, hybrid):
    net = randomize(model[0]())
    net.hybridize(hybrid)
    with pytest.raises(ValueError, match=r'built for 4 fields.*\(2, 3\)'):
        net(mx.np.zeros((2, 3), dtype='int32'))


def test_weights_survive_a_file(model, tmp_path):
    build, _ = model
    net, other = randomize(build(), seed=1), randomize(build(), seed=2)
    x = random_ids(DIMS, 5)
    assert not np.allclose(net(x).asnumpy(), other(x).asnumpy())
    net.save_parameters(str(tmp_path / 'net.params'))
    other.load_parameters(str(tmp_path / 'net.params'))
    np.testing.assert_array_equal(net(x).asnumpy(), other(x).asnumpy())


def test_weights_can_be_set_after_a_prediction(model):
    """As keeping the best epoch does: MXNet gives some weights a layout that cannot be set."""
    build, definition = model
    net, x = randomize(build()), random_ids(DIMS, 5)
    net.hybridize(static_alloc=True, static_shape=True)
    net(x).wait_to_read()
    for param in net.collect_params().values():
        if param.grad_req != 'null':
            param.set_data(param.data() * 0.5)
    mx.nd.waitall()  # raises what the engine met
    np.testing.assert_allclose(
        net(x).asnumpy(), definition(weights_of(net), x.asnumpy()), rtol=1e-4, atol=1e-4
    )


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
        for mine, theirs in zip(
            getattr(plain, part).collect_params().values(),
            getattr(deep, part).collect_params().values(),
        ):
            mine.set_data(theirs.data())
    for param in deep.mlp.output.collect_params().values():
        param.set_data(mx.np.zeros(param.shape))
    x = random_ids(DIMS, 9)
    np.testing.assert_allclose(deep(x).asnumpy(), plain(x).asnumpy(), rtol=1e-5, atol=1e-6)


def folded(weights):
    """The weights of an equal net without batch normalisation, outside training."""
    w = dict(weights)

    def scale_and_shift(norm):
        scale = w[norm + '_gamma'] / np.sqrt(w[norm + '_running_var'] + 1e-5)
        return scale, w[norm + '_beta'] - scale * w[norm + '_running_mean']

    if 'batchnorm0_gamma' in w:  # of an NFM's pooled vector, before the first layer
        scale, shift = scale_and_shift('batchnorm0')
        w['mlp0_dense0_bias'] = w['mlp0_dense0_bias'] + w['mlp0_dense0_weight'] @ shift
        w['mlp0_dense0_weight'] = w['mlp0_dense0_weight'] * scale
    for i in range(2):
        scale, shift = scale_and_shift(f'mlp0_batchnorm{i}')
        w[f'mlp0_dense{i}_bias'] = w[f'mlp0_dense{i}_bias'] * scale + shift
        w[f'mlp0_dense{i}_weight'] = w[f'mlp0_dense{i}_weight'] * scale[:, None]
    return w


@pytest.mark.parametrize('name', [n for n in MODELS if n not in ('LR', 'FM', 'AFM', 'FFM')])
def test_batch_norm_wherever_an_mlp_is(name):
    build, definition = MODELS[name]
    if name == 'DeepFM':
        net = DeepFM(DIMS, K, [6, 5], drop_rate=0, batch_norm=True)
    else:
        net = build(batch_norm=True)
    randomize(net)
    rng, x = np.random.default_rng(1), random_ids(DIMS, 7)
    for key, param in net.collect_params().items():
        if key.endswith('running_mean'):
            param.set_data(mx.np.array(rng.normal(size=param.shape), dtype='float32'))
        elif key.endswith('running_var'):
            param.set_data(mx.np.array(rng.uniform(0.5, 2, size=param.shape), dtype='float32'))
    before = weights_of(net)
    np.testing.assert_allclose(
        net(x).asnumpy(), definition(folded(before), x.asnumpy()), rtol=1e-4, atol=1e-4
    )
    with autograd.record():
        out = net(x)
    out.backward()  # MXNet moves the running statistics here
    after = weights_of(net)
    for key in before:
        assert (before[key] == after[key]).all() != ('running' in key), key
