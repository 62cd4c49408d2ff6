"""What holds for every model: asked of all that `zoo` names, and it names all there are."""

import inspect
import json
import re

import d2lrec as d2l
from d2lrec import models
from d2lrec.models.base import CTRModel, Model

import mxnet as mx
import numpy as np
import pytest
from helpers import check_gradients, device_gradients, learned, random_inputs, randomize, weights_of
from mxnet import autograd
from mxnet.gluon import nn
from zoo import DIMS, OFFERED, ZOO


def test_every_model_is_in_the_zoo_and_on_offer():
    known = {name.split(':')[0] for name in ZOO}
    assert not OFFERED - known, f'give tests/zoo.py a line for {sorted(OFFERED - known)}'
    assert not known - OFFERED, f'name in models/__init__.py: {sorted(known - OFFERED)}'


def test_every_file_of_a_model_offers_its_models():
    defined, found = set(), [Model]
    for cls in found:
        found.extend(c for c in cls.__subclasses__() if c.__module__.startswith('d2lrec.'))
        defined.add(cls.__name__)
    assert defined - {'Model', 'CTRModel', 'PairModel', 'HistoryModel'} == OFFERED


@pytest.fixture(params=ZOO)
def model(request):
    build, definition = ZOO[request.param]
    assert type(build()).__name__ == request.param.split(':')[0]
    return build, definition


@pytest.fixture(params=sorted(OFFERED))
def cls(request):
    return getattr(models, request.param)


def assert_defined(net, definition, inputs):
    np.testing.assert_allclose(
        net(*inputs).asnumpy(),
        definition(weights_of(net), *[x.asnumpy() for x in inputs]),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize('hybrid', [False, True, 'static'])
@pytest.mark.parametrize('rows', [1, 6])
def test_forward_and_gradients_equal_the_definition(model, rows, hybrid):
    build, definition = model
    net = randomize(build())
    net.hybridize(bool(hybrid), static_alloc=hybrid == 'static', static_shape=hybrid == 'static')
    inputs = random_inputs(net, rows)
    assert_defined(net, definition, inputs)
    out = net(*inputs)
    assert len(out) == rows and out.dtype == np.float32
    if isinstance(net, CTRModel):
        assert out.shape == (rows, 1)
    # A single example may leave every unit of a layer off.
    check_gradients(net, random_inputs(net, 6), definition)


def test_batches_of_changing_size_after_hybridizing(model):
    build, definition = model
    net = randomize(build())
    net.hybridize(static_alloc=True, static_shape=True)
    for rows in (8, 3, 8, 1):
        assert_defined(net, definition, random_inputs(net, rows, seed=rows))


@pytest.mark.parametrize('hybrid', [False, True])
@pytest.mark.parametrize('rows', [8, 7, 2])
def test_two_devices_give_the_gradients_of_one(model, rows, hybrid):
    def build():
        net = model[0]()
        net.hybridize(hybrid, static_alloc=hybrid, static_shape=hybrid)
        return net

    inputs = random_inputs(build(), rows)
    one = device_gradients(build, inputs, [mx.cpu(0)])
    two = device_gradients(build, inputs, [mx.cpu(0), mx.cpu(1)])
    for name, gradient in one.items():
        np.testing.assert_allclose(two[name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)


def test_all_that_is_held_is_learned_but_the_statistics_of_batch_norm(model):
    net = model[0]()
    assert set(learned(net)) == set(net._collect_params_with_prefix())
    if 'batch_norm' in inspect.signature(type(net)).parameters:
        held = set(model[0](batch_norm=True)._collect_params_with_prefix())
        kept = held - set(learned(model[0](batch_norm=True)))
        assert kept and all('running' in name for name in kept)


def test_weights_survive_a_file(model, tmp_path):
    net, other = randomize(model[0](), seed=1), randomize(model[0](), seed=2)
    inputs = random_inputs(net, 5)
    assert not np.allclose(net(*inputs).asnumpy(), other(*inputs).asnumpy())
    net.save_parameters(str(tmp_path / 'net.params'))
    other.load_parameters(str(tmp_path / 'net.params'))
    np.testing.assert_array_equal(net(*inputs).asnumpy(), other(*inputs).asnumpy())


def test_a_saved_model_is_loaded_whole(model, tmp_path):
    net = randomize(model[0]())
    inputs = random_inputs(net, 5)
    d2l.save(net, tmp_path / 'net')
    loaded, encoder = d2l.load(tmp_path / 'net')
    assert type(loaded) is type(net) and loaded.config == net.config and encoder is None
    np.testing.assert_array_equal(loaded(*inputs).asnumpy(), net(*inputs).asnumpy())


def test_weights_can_be_set_after_a_prediction(model):
    """As keeping the best epoch does: MXNet gives some weights a layout that cannot be set."""
    build, definition = model
    net = randomize(build())
    inputs = random_inputs(net, 5)
    net.hybridize(static_alloc=True, static_shape=True)
    net(*inputs).wait_to_read()
    for param in learned(net).values():
        param.set_data(param.data() * 0.5)
    mx.nd.waitall()  # raises what the engine met
    assert_defined(net, definition, inputs)


def test_it_can_be_cast(model):
    build, definition = model
    net = randomize(build())
    net.cast('float64')
    inputs = [x.astype('float64') if x.dtype == 'float32' else x for x in random_inputs(net, 5)]
    out = net(*inputs)
    assert out.dtype == np.float64
    np.testing.assert_allclose(
        out.asnumpy(),
        definition(weights_of(net), *[x.asnumpy() for x in inputs]),
        rtol=1e-9,
        atol=1e-9,
    )


def test_it_builds_again_from_its_config(model):
    net = model[0]()
    config = json.loads(json.dumps(net.config))
    again = type(net)(**config)
    assert again.config == net.config
    assert (again.inputs, again.output) == (net.inputs, net.output)
    shapes = [
        {name: p.shape for name, p in n._collect_params_with_prefix().items()} for n in (net, again)
    ]
    assert shapes[0] == shapes[1]


def test_it_says_what_it_reads(model):
    net = randomize(model[0]())
    assert net.inputs and net.output in ('logit', 'rating')
    assert all(columns is None or columns > 0 for columns in net.inputs.values())
    assert set(net.ranges) <= set(net.inputs)
    for name, ends in net.ranges.items():
        width = net.inputs[name]
        first, end = (np.broadcast_to(e, (width or 1,)) for e in ends)
        assert (first >= 0).all() and (first < end).all()
    if isinstance(net, CTRModel):
        assert next(iter(net.inputs)) == 'ids'
        assert net.num_features == sum(net.field_dims) == sum(DIMS)
        tables = [net.embedding.weight] if hasattr(net, 'embedding') else []
        assert all(len(table.data()) == net.num_features for table in tables)


def test_its_cost_is_that_of_its_parts(model):
    net = model[0]()
    table = net.describe()
    assert table.parameters['total'] == sum(int(np.prod(p.shape)) for p in learned(net).values())
    assert table.multiply_adds['total'] > 0
    assert (table.drop('total').sum() == table.loc['total']).all()
    net.hybridize()
    assert net.describe().equals(table)


def test_it_prints_its_sizes(model):
    net = model[0]()
    lines = repr(net).splitlines()
    assert lines[0] == f'{type(net).__name__}('
    for name, child in net._children.items():
        assert any(line.startswith(f'  ({name}): ') for line in lines), name
        if not isinstance(child, (nn.HybridSequential, nn.Dropout)):
            line = next(line for line in lines if line.startswith(f'  ({name}): '))
            assert re.search(r'\(\d.* -> \d', line), line


@pytest.mark.parametrize('hybrid', [False, True])
def test_other_inputs_are_refused(model, hybrid):
    net = randomize(model[0]())
    net.hybridize(hybrid)
    inputs = random_inputs(net, 2)
    wider = [mx.np.concatenate([x, x[:, :1]], axis=1) if x.ndim > 1 else x[:, None] for x in inputs]
    wrong = [
        [*inputs[:n], other, *inputs[n + 1 :]]  # one input of another width
        for n, other in enumerate(wider)
    ]
    wrong += [inputs[:-1], [*inputs, inputs[0]]] if len(inputs) > 1 else [[*inputs, inputs[0]]]
    wrong += [[inputs[0], *[x[:1] for x in inputs[1:]]]] if len(inputs) > 1 else []
    for case in wrong:
        with pytest.raises(ValueError, match=f'{type(net).__name__} was built for') as refusal:
            net(*case)
        assert '\n' not in str(refusal.value)
        assert all(name in str(refusal.value) for name in net.inputs)


def test_its_docstring_explains_its_constructor(cls):
    doc = inspect.getdoc(cls)  # without the indentation, which Python 3.13 leaves out
    assert '>>> ' in doc
    parameters = inspect.signature(cls).parameters
    assert 'args' not in parameters
    for name in parameters:
        if name != 'kwargs':
            documented = doc.split('Parameters\n')[1]
            assert re.search(rf'^(\w+, )*{name}(, \w+)* : ', documented, re.M), (
                f'the docstring of {cls.__name__} does not explain {name}'
            )


def test_one_device_after_the_other():
    """Constants that a graph makes are made where its inputs are."""
    net = randomize(models.AFM(DIMS, 4, 3, 0), ctx=[mx.cpu(0), mx.cpu(1)])
    net.hybridize(static_alloc=True, static_shape=True)
    (x,) = random_inputs(net, 4)
    outs = []
    for device in (mx.cpu(1), mx.cpu(0), mx.cpu(1)):
        with autograd.record():
            out = net(x.as_in_ctx(device))
        out.backward()
        assert out.ctx == device
        outs.append(out.asnumpy())
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


@pytest.mark.parametrize(
    'build, words',
    [
        (lambda: d2l.FM(DIMS, 0), 'FM got num_factors = 0: give a whole number, 1 or more'),
        (lambda: d2l.FM(DIMS, 2.5), 'FM got num_factors = 2.5'),
        (lambda: d2l.FM(DIMS, True), 'FM got num_factors = True'),
        (lambda: d2l.DeepFM(DIMS, 4, 8), 'DeepFM got mlp_dims = 8: give a list of whole numbers'),
        (lambda: d2l.DeepFM(DIMS, 4, [8, 0]), r'DeepFM got mlp_dims = \[8, 0\]'),
        (lambda: d2l.DeepFM(DIMS, 4, [8], 1.5), 'drop_rate = 1.5: give a share from 0 to below 1'),
        (lambda: d2l.WideDeep(DIMS, 4, [8], num_dense=-1), 'num_dense = -1: give a whole.* 0 or'),
        (lambda: d2l.AFM(DIMS, 4, 0), 'AFM got attention_dim = 0'),
        (lambda: d2l.XDeepFM(DIMS, 4, [8], cin_dims=4), 'XDeepFM got cin_dims = 4'),
        (lambda: d2l.MF(0, 3, 4), 'MF got num_factors = 0'),
        (lambda: d2l.NeuMF(2, 3, 4, 8), 'NeuMF got nums_hiddens = 8'),
        (lambda: d2l.AutoRec(0, 3), 'AutoRec got num_hidden = 0: give .* or a list of them'),
        (lambda: d2l.AutoRec([4, 0], 3), r'AutoRec got num_hidden = \[4, 0\]'),
    ],
)
def test_sizes_that_are_none_are_refused_by_name(build, words):
    with pytest.raises(ValueError, match=words) as refusal:
        build()
    assert '\n' not in str(refusal.value)
