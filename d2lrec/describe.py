"""Count a net's parameters and multiply-adds, by following its graph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Callable, Optional

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import sym
from mxnet.gluon import HybridBlock, SymbolBlock

from .operators import PLAIN

__all__ = ['cost_table', 'multiply_adds']

# Look-ups, moves of data and activations; whatever is neither here nor a product or a reduction
# below is taken for arithmetic, one multiply-add for each element that comes out.
FREE = {
    'null',
    'Embedding',
    'take',
    'gather_nd',
    'pick',
    'one_hot',
    'Dropout',
    'Activation',
    'LeakyReLU',
    'SequenceMask',
    '_npx_relu',
    '_npx_sigmoid',
    'softmax',
    '_npx_softmax',
    '_npi_tanh',
    '_npi_exp',
    '_npi_log',
    '_npi_log1p',
    '_npx_reshape',
    '_np_reshape',
    'Flatten',
    '_npi_concatenate',
    '_npi_stack',
    '_np_transpose',
    'SwapAxis',
    'slice',
    'slice_axis',
    '_split_v2',
    'expand_dims',
    '_np_squeeze',
    'tile',
    'repeat',
    '_npi_broadcast_to',
    '_npi_tril',
    '_np_diag',
    '_npi_where',
    '_npi_full_like',
    '_contrib_arange_like',
    '_np_copy',
    'Cast',
    'BlockGrad',
}
PRODUCTS = {'_npi_einsum', '_npi_tensordot', '_npi_tensordot_int_axes', 'Convolution', 'RNN'}
REDUCTIONS = {'_np_sum', '_npi_mean', '_np_max', '_np_prod', '_npi_norm'}


def cost_table(
    net: HybridBlock, input_shapes: Optional[Callable[[int], Sequence[tuple]]] = None
) -> pd.DataFrame:
    """Parameters and multiply-adds per example of a net, a line for each part and their total.

    Only trained parameters count. A multiply-add is a term of an inner product (those that
    a constant's zeros remove are left out) or one element of a sum, product or square; look-ups,
    arithmetic on ids, activations and moves of data cost none. What is counted is what is
    computed: of DLRM's products the whole square, not the triangle that enters the top.

    Parameters
    ----------
    net : HybridBlock
    input_shapes : function, optional
        The shapes of the net's inputs for a number of examples; the net's own by default.

    Returns
    -------
    DataFrame with the columns `parameters` and `multiply_adds`. What lies in no child block, such
    as the sum of the parts, stands under 'rest'.

    Raises
    ------
    NotImplementedError
        For a product that it cannot count.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> cost_table(d2l.LR([3, 5])).loc['total'].tolist()
    [9, 3]
    >>> from mxnet.gluon import nn
    >>> cost_table(nn.Dense(4, in_units=3), lambda n: [(n, 3)]).loc['total'].tolist()
    [16, 12]
    """
    counted, parts = set(), dict.fromkeys(net._children, 0)
    for name, child in [*net._children.items(), (_rest(net), net)]:
        mine = [
            p
            for p in child.collect_params().values()
            if p.grad_req != 'null' and p.name not in counted
        ]
        counted.update(p.name for p in mine)
        parts[name] = sum(int(np.prod(p.shape)) for p in mine)
    adds = multiply_adds(net, input_shapes)
    rows = [
        (name, parts[name], adds[name])
        for name in parts
        if name != _rest(net) or parts[name] or adds[name]
    ]
    rows.append(('total', sum(parts.values()), sum(adds.values())))
    return pd.DataFrame(rows, columns=['part', 'parameters', 'multiply_adds']).set_index('part')


def multiply_adds(
    net: HybridBlock, input_shapes: Optional[Callable[[int], Sequence[tuple]]] = None
) -> dict[str, int]:
    """{part: multiply-adds per example}, as in `cost_table`: what a second example adds.

    Examples
    --------
    >>> from d2lrec import layers
    >>> multiply_adds(layers.SumOver(3, 2), lambda n: [(n, 6)])
    {'rest': 6}
    """
    input_shapes = input_shapes or net.input_shapes
    one, two = _count(net, input_shapes(1)), _count(net, input_shapes(2))
    return {part: two[part] - one[part] for part in one}


def _count(net, shapes):
    inputs = {f'input{i}': tuple(shape) for i, shape in enumerate(shapes)}
    with PLAIN:  # the formulas, not the compiled loops beside them
        out = net(*(sym.var(name).as_np_ndarray() for name in inputs))
    internals = (sym.Group(list(out)) if isinstance(out, (list, tuple)) else out).get_internals()
    names, sizes = internals.list_outputs(), internals.infer_shape(**inputs)[1]
    types = internals.infer_type(**dict.fromkeys(inputs, 'float32'))[1]
    counts = {**dict.fromkeys(net._children, 0), _rest(net): 0}
    prefixes = []  # of all blocks in a child: inner ones need not extend the outer one's
    for name, child in net._children.items():
        child.apply(lambda block, name=name: prefixes.append((block.prefix, name)))
    nodes, first, at = json.loads(internals.tojson())['nodes'], [], 0
    for node in nodes:  # where each node's outputs begin among `sizes`
        first.append(at)
        at += 1
        while at < len(names) and names[at] == f'{node["name"]}_output{at - first[-1]}':
            at += 1
    varies = []  # whether what a node computes depends on inputs or parameters
    for node, output in zip(nodes, first):
        prefix = (name for start, name in prefixes if node['name'].startswith(start))
        part = next(prefix, _rest(net))
        varies.append(node['op'] == 'null' or any(varies[i] for i, *_ in node['inputs']))
        where = [first[i] + k for i, k, *_ in node['inputs']]
        if np.issubdtype(types[output], np.integer):
            continue  # ids: part of a look-up
        nonzero = None
        if node['op'] == 'FullyConnected' and not varies[node['inputs'][1][0]]:
            nonzero = _nonzero(internals[where[1]])
        counts[part] += _cost(node, [sizes[i] for i in where], sizes[output], nonzero)
    return counts


def _nonzero(constant):
    """How many numbers of a constant made in the graph are not 0."""
    some = sym.var(
        'some', dtype='float32'
    ).as_np_ndarray()  # a graph is computed where its inputs are
    values, _ = SymbolBlock([constant.as_np_ndarray(), some], [some])(mx.np.zeros(1))
    return np.count_nonzero(values.asnumpy())


def _rest(net):
    """What stands for all that lies in no part: another word where a part is called so."""
    return '(rest)' if 'rest' in net._children else 'rest'


def _cost(node, ins, out, nonzero):
    """Multiply-adds of one operation; `nonzero` is that of its second input, if a constant."""
    size, attrs = int(np.prod(out)), node.get('attrs', {})
    if node['op'] in FREE:
        return 0
    if node['op'] in PRODUCTS:
        raise NotImplementedError(
            f'describe cannot count {node["op"]} ({node["name"]}): write '
            'the product as npx.fully_connected, npx.batch_dot or np.dot.'
        )
    if node['op'] == 'FullyConnected':
        weight = int(np.prod(ins[1])) if nonzero is None else int(nonzero)
        return size // out[-1] * weight
    if node['op'] == 'batch_dot':
        return size * ins[0][-2 if attrs.get('transpose_a') == 'True' else -1]
    if node['op'] in ('_np_dot', '_npi_matmul'):
        return size * ins[0][-1]
    return int(np.prod(ins[0])) if node['op'] in REDUCTIONS else size
