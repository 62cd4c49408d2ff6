"""The copies of weights that benchmarks/parity.py compares with; its table, where the peer is.

D2LREC_PARITY_PYTHON names the interpreter of the environment that parity.py describes.
"""

import importlib.util
from pathlib import Path

import d2lrec as d2l

import mxnet as mx
import numpy as np
import pytest
from helpers import run_beside_peers
from mxnet import gluon

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location('parity', ROOT / 'benchmarks' / 'parity.py')
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)

DIMS, K, MLP = [3, 4, 2], 3, [5, 4]
MODELS = {
    'FM': lambda: d2l.FM(DIMS, K),
    'DeepFM': lambda: d2l.DeepFM(DIMS, K, MLP, batch_norm=True),
    'WideDeep': lambda: d2l.WideDeep(DIMS, K, MLP, cross_dims=[5, 6], num_dense=2),
    'DCN': lambda: d2l.DCN(DIMS, K, MLP),
    'DCNv2': lambda: d2l.DCN(DIMS, K, MLP, version=2),
    'XDeepFM': lambda: d2l.XDeepFM(DIMS, K, MLP, cin_dims=[4, 3]),
    'NFM': lambda: d2l.NFM(DIMS, K, MLP),
    'AFM': lambda: d2l.AFM(DIMS, K, attention_dim=2),
}


@pytest.mark.parametrize('name', MODELS)
def test_every_weight_is_copied_once(name):
    net = parity.randomize(MODELS[name](), np.random.default_rng(0))
    copies = parity.peer_weights(net)
    biases = [
        part.bias
        for part in (getattr(net, 'linear', None), net.mlp.output if hasattr(net, 'mlp') else None)
        if part
    ]
    np.testing.assert_allclose(
        copies.pop('out.bias'), sum(b.data().asnumpy() for b in biases), rtol=1e-6
    )
    ours = [
        p.data().asnumpy().ravel()
        for p in net.collect_params().values()
        if not isinstance(p, gluon.Constant) and not any(p is b for b in biases)
    ]
    theirs = [w.ravel() for name, w in copies.items() if 'num_batches' not in name]
    ours, theirs = np.concatenate(ours), np.concatenate(theirs)
    assert len(np.unique(ours)) == len(ours)
    assert (np.sort(ours) == np.sort(theirs)).all()


def test_fields_own_tables_and_ids_give_the_same_logits():
    net = parity.randomize(d2l.FM(DIMS, K), np.random.default_rng(0))
    ids = np.array([[0, 3, 7], [2, 6, 8], [1, 4, 8]], dtype='int32')
    copies, local = parity.peer_weights(net), parity.peer_input(ids, DIMS).astype(int)
    for row, logit in zip(local, net(mx.np.array(ids, dtype='int32')).asnumpy()):
        e = [copies[f'embedding_dict.x{f}.weight'][i] for f, i in enumerate(row)]
        expected = copies['out.bias'] + sum(
            copies[f'linear_model.embedding_dict.x{f}.weight'][i] for f, i in enumerate(row)
        )
        expected += sum(e[f] @ e[g] for f in range(len(e)) for g in range(f))
        np.testing.assert_allclose(logit, expected, rtol=1e-5, atol=1e-6)


def outcomes(text):
    """(model, peer, whether they agree) of each row of the table."""
    rows = [line.split('|') for line in text.splitlines() if line.startswith('| ')]
    return [(row[1].strip(), row[2].strip(), row[5].strip()) for row in rows[1:]]


def test_the_committed_table_has_every_model_and_no_disagreement():
    rows = outcomes((ROOT / 'benchmarks' / 'results' / 'parity.md').read_text())
    for model in [
        'FM',
        'DeepFM',
        'WideDeep',
        'DCN(version=1)',
        'DCN(version=2)',
        'XDeepFM',
        'NFM',
        'AFM',
    ]:
        assert any(ours.startswith(model) for ours, _, _ in rows), model
    assert {agrees for _, _, agrees in rows} == {'yes', 'once undone'}


def test_the_peer_agrees_as_the_committed_table_says():
    run = run_beside_peers(ROOT / 'benchmarks' / 'parity.py', 'torch', 'deepctr_torch')
    assert run.returncode == 0, run.stdout + run.stderr
    committed = (ROOT / 'benchmarks' / 'results' / 'parity.md').read_text()
    assert outcomes(run.stdout) == outcomes(committed)
