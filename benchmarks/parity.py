"""Outputs of d2lrec beside those of DeepCTR-Torch, for the same random weights and inputs.

    python3.11 -m venv _build/parity
    _build/parity/bin/pip install -r benchmarks/requirements-parity.txt -e .
    _build/parity/bin/python benchmarks/parity.py > benchmarks/results/parity.md

Every weight of a d2lrec model is copied into DeepCTR-Torch's model of that name, both get the
same random rows, and the table gives the largest difference between their logits. Both compute
in float32, so they agree where it is at most 1e-5 of the largest output. Where the peer computes
something else than the paper's equation, the table says what, and gives the difference that is
left once that is undone. It ends with an error where a row does not come out as described.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import platform
import sys
from typing import NamedTuple
from unittest import mock

import d2lrec as d2l
from d2lrec import layers

import mxnet
import mxnet as mx
import numpy as np
from mxnet import gluon, npx

npx.set_np()

FIELD_DIMS, CROSS_DIMS, NUM_DENSE, K = [7, 5, 11, 3, 6], [13, 9], 3, 4
MLP_DIMS, ROWS, TOLERANCE = [8, 6], 256, 1e-5

NOTES = """\
Logits, without the sigmoid. Where d2lrec has several biases, the peer has their sum. The peer has
no FM of its own: its AFM without attention is one. Both can let half of a CIN's maps feed the next
layer and the other half the output (`split`, `split_half`); the paper's equation (8) is without.\
"""


# Weights and inputs, in NumPy


def array(param):
    return param.data().asnumpy()


def randomize(net, rng):
    """Draw every weight of `net`, and the running statistics of batch normalization."""
    net.initialize()
    for name, param in net.collect_params().items():
        value = rng.normal(scale=0.5, size=param.shape)
        value = 0.5 + abs(value) if name.endswith('running_var') else value
        param.set_data(mx.np.array(value, dtype='float32'))
    return net


def tables(name, weight, dims):
    """One matrix (V, ...) as the peer's, a matrix a field, found under the field's name."""
    parts = np.split(weight, np.cumsum(dims)[:-1])
    return {f'{name}embedding_dict.x{field}.weight': part for field, part in enumerate(parts)}


def mlp_weights(mlp):
    """The hidden layers, with their batch normalization."""
    out = {}
    for i, dense in enumerate(b for b in mlp.hidden if isinstance(b, gluon.nn.Dense)):
        out[f'dnn.linears.{i}.weight'] = array(dense.weight)
        out[f'dnn.linears.{i}.bias'] = array(dense.bias)
    for i, norm in enumerate(b for b in mlp.hidden if isinstance(b, gluon.nn.BatchNorm)):
        out.update(
            {
                f'dnn.bn.{i}.weight': array(norm.gamma),
                f'dnn.bn.{i}.bias': array(norm.beta),
                f'dnn.bn.{i}.running_mean': array(norm.running_mean),
                f'dnn.bn.{i}.running_var': array(norm.running_var),
                f'dnn.bn.{i}.num_batches_tracked': np.array(0),
            }
        )
    return out


def cross_weights(cross, prefix='crossnet.'):
    """Of either version: the peer holds all layers' weights (L, D, 1 or D) in one array."""
    if isinstance(cross, layers.CrossNetwork):
        kernels, bias = array(cross.weight)[:, :, None], array(cross.bias)
    else:
        kernels = np.stack([array(layer[0].weight) for layer in cross.layers])
        bias = np.stack([array(layer[0].bias) for layer in cross.layers])
    return {prefix + 'kernels': kernels, prefix + 'bias': bias[:, :, None]}


def low_rank_weights(cross):
    """W = U V^T as the peer's mixture of one expert: C = I; one expert's gate is always 1."""
    v = np.stack([array(layer[0].weight).T for layer in cross.layers])  # (L, D, R)
    u = np.stack([array(layer[1].weight) for layer in cross.layers])  # (L, D, R)
    bias = np.stack([array(layer[1].bias) for layer in cross.layers])
    num_layers, units, rank = v.shape
    return {
        'U_list': u[:, None],
        'V_list': v[:, None],
        'bias': bias[:, :, None],
        'C_list': np.tile(np.eye(rank), (num_layers, 1, 1, 1)),
        'gating.0.weight': np.zeros((1, units)),
    }


def cin_weights(cin, prefix='cin.'):
    """Without the biases that only the peer has."""
    return {
        f'{prefix}conv1ds.{i}.weight': array(layer.weight)[:, :, None]
        for i, layer in enumerate(cin.maps)
    }


def peer_weights(net):
    """All weights of a d2lrec model under DeepCTR-Torch's names: {name: array}.

    The peer has a single bias outside its hidden layers: it gets the sum of ours.
    """
    out = tables('', array(net.embedding.weight), net.field_dims)
    bias = np.zeros(1, dtype='float32')
    if hasattr(net, 'linear'):
        dims = net.field_dims + net.config.get('cross_dims', [])
        out.update(tables('linear_model.', array(net.linear.weight), dims))
        bias = bias + array(net.linear.bias)
    if hasattr(net, 'mlp'):
        out.update(mlp_weights(net.mlp))
        out['dnn_linear.weight'] = array(net.mlp.output.weight)
        bias = bias + array(net.mlp.output.bias)
    if isinstance(net, d2l.DCN):
        out.update(cross_weights(net.cross))
        out['dnn_linear.weight'] = np.concatenate(
            [array(net.head.weight), out['dnn_linear.weight']], axis=1
        )
    if isinstance(net, d2l.XDeepFM):
        out.update(cin_weights(net.cin))
        out['cin_linear.weight'] = array(net.head.weight)
    if isinstance(net, d2l.AFM):
        out.update(
            {
                'fm.attention_W': array(net.attention.hidden.weight).T,
                'fm.attention_b': array(net.attention.hidden.bias),
                'fm.projection_h': array(net.attention.score.weight).T,
                'fm.projection_p': array(net.head.weight).T,
            }
        )
    out['out.bias'] = bias
    return out


def peer_input(ids, dims, dense=None):
    """The peer counts ids from 0 in each field, and takes all columns as one float matrix."""
    local = (ids - (np.cumsum(dims) - dims)).astype('float32')
    return local if dense is None else np.concatenate([local, dense], axis=1)


# The comparisons


class Row(NamedTuple):
    ours: str
    theirs: str
    size: float  # largest output
    difference: float  # largest absolute one
    deviation: str = ''  # what the peer computes instead of the paper's equation
    undone: float = None  # the difference without that

    def agrees(self, difference=None):
        return (self.difference if difference is None else difference) <= TOLERANCE * self.size

    def as_described(self):
        """Whether it agrees; of a peer that deviates, whether it does so only once undone."""
        if self.deviation:
            return not self.agrees() and self.agrees(self.undone)
        return self.agrees()


def import_peer():
    """(deepctr_torch, torch). The peer would ask the network for its newest version: not here."""
    import requests  # noqa: F401 (their threads may run)
    import torch

    with mock.patch('threading.Thread.start'):
        import deepctr_torch
    torch.set_num_threads(1)
    return deepctr_torch, torch


def comparisons(seed=0):
    """The rows of the table."""
    deepctr, torch = import_peer()
    peers, parts = deepctr.models, deepctr.layers.interaction
    rng = np.random.default_rng(seed)
    dims, num_fields = FIELD_DIMS + CROSS_DIMS, len(FIELD_DIMS)
    columns = [deepctr.inputs.SparseFeat(f'x{f}', dim, K) for f, dim in enumerate(dims)]
    fields = columns[:num_fields]
    ids = np.stack(
        [rng.integers(end - dim, end, ROWS) for dim, end in zip(dims, np.cumsum(dims))], axis=1
    ).astype('int32')
    dense = rng.random((ROWS, NUM_DENSE)).astype('float32')
    e = rng.normal(scale=0.7, size=(ROWS, num_fields, K)).astype('float32')
    logits = {'task': 'regression'}  # the peer's way to leave out the sigmoid
    deep = {'dnn_hidden_units': MLP_DIMS, **logits}

    def random(weights):
        """Values of the same law for weights that only the peer has."""
        return {name: rng.normal(scale=0.5, size=shape) for name, shape in weights.items()}

    def run(peer, weights, x):
        """The peer's outputs. A weight it lacks, or does not get, is an error."""
        peer.load_state_dict(
            {
                name: torch.tensor(np.array(weight, dtype='float32'))
                for name, weight in weights.items()
            },
            strict=True,
        )
        with torch.no_grad():
            return peer.eval()(torch.tensor(x)).numpy()

    def row(ours, theirs, net, inputs, output, deviation='', undone=None):
        mine = net(*[mx.np.array(x, dtype=x.dtype) for x in inputs]).asnumpy()
        gaps = [
            None if other is None else float(abs(mine - other.reshape(mine.shape)).max())
            for other in (output, undone)
        ]
        return Row(ours, theirs, float(abs(mine).max()), gaps[0], deviation, gaps[1])

    # Layers: they get vectors instead of ids.
    net = randomize(layers.PairwiseTerm(num_fields, K), rng)
    yield row('PairwiseTerm', 'FM (layer)', net, [e], run(parts.FM(), {}, e))

    net = randomize(layers.BiInteraction(num_fields, K), rng)
    yield row(
        'BiInteraction', 'BiInteractionPooling', net, [e], run(parts.BiInteractionPooling(), {}, e)
    )

    flat = e.reshape(ROWS, -1)
    for block, kind in [(layers.CrossNetwork, 'vector'), (layers.CrossNetworkV2, 'matrix')]:
        net = randomize(block(num_fields * K, 3), rng)
        yield row(
            block.__name__,
            f"CrossNet('{kind}')",
            net,
            [flat],
            run(parts.CrossNet(num_fields * K, 3, kind), cross_weights(net, ''), flat),
        )

    net = randomize(layers.CrossNetworkV2(num_fields * K, 3, rank=2), rng)
    peer, weights = parts.CrossNetMix(num_fields * K, 2, 1, 3), low_rank_weights(net)
    with mock.patch('torch.tanh', lambda x: x):
        undone = run(peer, weights, flat)
    yield row(
        'CrossNetworkV2(rank=2)',
        'CrossNetMix (one expert)',
        net,
        [flat],
        run(peer, weights, flat),
        'has only DCN V2, equation (4), with a tanh on either side of a matrix C; the low '
        'rank by itself, equation (2), has none. Undone: tanh as identity, C = I.',
        undone,
    )

    cin_dims = [6, 4, 3]
    biases = {f'conv1ds.{i}.bias': (dim,) for i, dim in enumerate(cin_dims)}
    none = {name: np.zeros(shape) for name, shape in biases.items()}
    for split in True, False:
        net = randomize(layers.CIN(num_fields, K, cin_dims, split=split), rng)
        weights = cin_weights(net, '')
        yield row(
            f'CIN(split={split})',
            f'CIN(split_half={split})',
            net,
            [e],
            run(
                parts.CIN(num_fields, cin_dims, split_half=split), {**weights, **random(biases)}, e
            ),
            'adds a bias to each feature map, and by default a ReLU; xDeepFM, equation (6), '
            "has neither. Undone: activation='linear', biases 0.",
            run(parts.CIN(num_fields, cin_dims, 'linear', split), {**weights, **none}, e),
        )

    net = randomize(layers.CIN(num_fields, K, cin_dims, activation='relu'), rng)
    yield row(
        "CIN(activation='relu')",
        'CIN, biases 0',
        net,
        [e],
        run(parts.CIN(num_fields, cin_dims), {**cin_weights(net, ''), **none}, e),
    )

    # Models.
    x, x_ids = peer_input(ids[:, :num_fields], FIELD_DIMS), [ids[:, :num_fields]]
    net = randomize(d2l.FM(FIELD_DIMS, K), rng)
    yield row(
        'FM',
        'AFM(use_attention=False)',
        net,
        x_ids,
        run(peers.AFM(fields, fields, use_attention=False, **logits), peer_weights(net), x),
    )

    for batch_norm in False, True:
        net = randomize(d2l.DeepFM(FIELD_DIMS, K, MLP_DIMS, batch_norm=batch_norm), rng)
        yield row(
            'DeepFM' + '(batch_norm=True)' * batch_norm,
            'DeepFM' + '(dnn_use_bn=True)' * batch_norm,
            net,
            x_ids,
            run(peers.DeepFM(fields, fields, dnn_use_bn=batch_norm, **deep), peer_weights(net), x),
        )

    net = randomize(
        d2l.WideDeep(FIELD_DIMS, K, MLP_DIMS, cross_dims=CROSS_DIMS, num_dense=NUM_DENSE), rng
    )
    both = fields + [deepctr.inputs.DenseFeat('dense', NUM_DENSE)]
    yield row(
        'WideDeep, crosses, dense features',
        'WDL',
        net,
        [ids, dense],
        run(peers.WDL(columns, both, **deep), peer_weights(net), peer_input(ids, dims, dense)),
    )

    first_order = {
        f'linear_model.embedding_dict.{f.name}.weight': (f.vocabulary_size, 1) for f in fields
    }
    for version, kind in [(1, 'vector'), (2, 'matrix')]:
        net = randomize(d2l.DCN(FIELD_DIMS, K, MLP_DIMS, version=version), rng)
        weights = peer_weights(net)

        def dcn(linear):
            return peers.DCN(linear, fields, cross_num=3, cross_parameterization=kind, **deep)

        where = 'DCN, equation (5)' if version == 1 else 'DCN V2, section 3.4'
        yield row(
            f'DCN(version={version})',
            f"DCN('{kind}')",
            net,
            x_ids,
            run(dcn(fields), {**weights, **random(first_order)}, x),
            f'adds the first-order term sum_f w[x_f] to the logit; {where}, has only the '
            'outputs of both networks. Undone: no linear columns.',
            run(dcn([]), weights, x),
        )

    cin_biases = {'cin.' + name: shape for name, shape in biases.items()}
    net = randomize(d2l.XDeepFM(FIELD_DIMS, K, MLP_DIMS, cin_dims=cin_dims), rng)
    weights = peer_weights(net)

    def xdeepfm(activation):
        return peers.xDeepFM(
            fields, fields, cin_layer_size=cin_dims, cin_activation=activation, **deep
        )

    yield row(
        'XDeepFM',
        'xDeepFM',
        net,
        x_ids,
        run(xdeepfm('relu'), {**weights, **random(cin_biases)}, x),
        'as its CIN.',
        run(xdeepfm('linear'), {**weights, **{'cin.' + k: v for k, v in none.items()}}, x),
    )

    net = randomize(d2l.NFM(FIELD_DIMS, K, MLP_DIMS), rng)
    yield row(
        'NFM', 'NFM', net, x_ids, run(peers.NFM(fields, fields, **deep), peer_weights(net), x)
    )

    net = randomize(d2l.AFM(FIELD_DIMS, K, attention_dim=5), rng)
    yield row(
        'AFM',
        'AFM',
        net,
        x_ids,
        run(peers.AFM(fields, fields, attention_factor=5, **logits), peer_weights(net), x),
    )


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows = list(comparisons())
    deepctr, torch = import_peer()
    print(
        '# d2lrec beside DeepCTR-Torch\n\n'
        '`python benchmarks/parity.py`: the same random weights and inputs, float32, '
        f'{ROWS} rows.\nMXNet {mxnet.__version__}, DeepCTR-Torch {deepctr.__version__}, torch '
        f'{torch.__version__}, NumPy {np.__version__}; {os.cpu_count()}-core '
        f'{platform.machine()} CPU.\n\n'
        '| d2lrec | DeepCTR-Torch | largest output | largest difference | agrees '
        '| where the peer differs from the equation | difference once undone |\n'
        '|---|---|---|---|---|---|---|'
    )
    for r in rows:
        agrees = 'yes' if r.agrees() else 'once undone' if r.as_described() else '**no**'
        undone = '' if r.undone is None else f'{r.undone:.1e}'
        print(
            f'| {r.ours} | {r.theirs} | {r.size:.1f} | {r.difference:.1e} | {agrees} '
            f'| {r.deviation} | {undone} |'
        )
    print(f'\n{NOTES}')
    if not all(r.as_described() for r in rows):
        sys.exit(
            'Not every row came out as described: see those where the table says no, '
            'or where a deviation is described but agrees.'
        )


if __name__ == '__main__':
    main()
