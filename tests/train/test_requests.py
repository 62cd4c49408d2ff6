"""One row at a time: what the net says, bit for bit where it says it itself."""

import threading

import d2lrec as d2l
from d2lrec.train.requests import few_rows

import mxnet as mx
import numpy as np
import pytest
from helpers import random_inputs, randomize

DIMS = [5, 7, 3]
NETS = {
    'FM': lambda: d2l.FM(DIMS, 4),
    'WideDeep': lambda: d2l.WideDeep(DIMS, 4, [8], num_dense=3),
    'DLRM': lambda: d2l.DLRM(DIMS, 4, num_dense=3, bottom_dims=[5], top_dims=[6]),
    'NeuMF': lambda: d2l.NeuMF(4, 6, 9, [5]),
}


def row_of(inputs, i):
    return d2l.Examples({n: a[i : i + 1] for n, a in inputs.items()})


@pytest.mark.parametrize('hybridized', [False, True])
@pytest.mark.parametrize('name', NETS)
def test_rows_in_turn_give_what_the_net_gives_them(name, hybridized):
    net = randomize(NETS[name]())
    if hybridized:
        net.hybridize(static_alloc=True, static_shape=True)
    inputs = {n: a.asnumpy() for n, a in zip(net.inputs, random_inputs(net, 8))}
    for i in [0, 1, 2, 1, 7, 0]:
        alone = [mx.np.array(a[i : i + 1], dtype=a.dtype) for a in inputs.values()]
        got = few_rows(net, row_of(inputs, i), [mx.cpu()])
        expected = net(*alone).asnumpy().reshape(1, -1)
        if hybridized:  # by NumPy
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(got, expected)
    many = d2l.predict(net, d2l.Examples(inputs))
    one = [d2l.predict(net, row_of(inputs, i))[0] for i in range(8)]
    np.testing.assert_allclose(one, many, rtol=1e-5)


def test_what_is_not_one_row_on_one_cpu_goes_the_other_way():
    net = randomize(d2l.FM(DIMS, 4))
    rows = np.array([[0, 5, 12], [1, 6, 13]])
    assert few_rows(net, rows, [mx.cpu()]) is None
    assert few_rows(net, rows[:1], [mx.cpu(0), mx.cpu(1)]) is None
    assert few_rows(net, d2l.BatchLoader(rows[:1], batch_size=1), [mx.cpu()]) is None
    with pytest.raises(ValueError, match='outside its range'):
        d2l.predict(net, np.array([[5, 5, 12]]))


def test_threads_do_not_write_into_each_other_s_rows():
    net = randomize(d2l.FM(DIMS, 4))
    rows = np.array([[0, 5, 12], [1, 6, 13], [2, 7, 14], [3, 8, 12]])
    expected = d2l.predict(net, rows)
    wrong = []

    def ask(i):
        wrong.extend(
            1 for _ in range(200) if abs(d2l.predict(net, rows[i : i + 1])[0] - expected[i]) > 1e-6
        )

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
