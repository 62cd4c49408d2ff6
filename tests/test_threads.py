"""A server answers in threads of its own: they compute what the main one does, at once too."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import d2lrec as d2l
from d2lrec import kernels, operators

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
from helpers import randomize

LOG = pd.DataFrame({'click': [1, 0] * 20, 'user': list('abcd') * 10, 'item': list('xyzxz') * 8})


def in_thread(work):
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result(timeout=60)


@pytest.fixture
def path(tmp_path):
    train = d2l.CTRDataset(LOG, min_threshold=1)
    d2l.save(randomize(d2l.DeepFM(train.field_dims, 4, [4])), tmp_path / 'net', train)
    return tmp_path / 'net'


def test_a_loaded_model_answers_in_another_thread(path):
    expected = d2l.load(path).predict(LOG)
    saved = d2l.load(path)  # whose graph the thread is the first to need
    assert saved.answer(b'{"user": "a", "item": "x"}')[0] == 200
    saved = d2l.load(path)
    assert in_thread(lambda: saved.answer(b'{"user": "a", "item": "x"}'))[0] == 200
    np.testing.assert_array_equal(in_thread(lambda: saved.predict(LOG)), expected)
    np.testing.assert_array_equal(in_thread(lambda: d2l.load(path).predict(LOG)), expected)


def test_training_in_another_thread_is_training():
    train = d2l.CTRDataset(LOG, min_threshold=1)

    def trained():
        net = d2l.DeepFM(train.field_dims, 4, [4])
        d2l.fit(net, train, num_epochs=2, seed=3)
        return d2l.predict(net, train), d2l.evaluate(net, train)['auc'], len(net.describe())

    one, other = trained(), in_thread(trained)
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1:] == other[1:]


def test_a_thread_is_as_the_main_one():
    mx.npx.reset_np()
    try:
        assert not in_thread(mx.util.is_np_array) and not in_thread(mx.util.is_np_shape)
    finally:
        d2l.threads.set_np_everywhere()
    assert in_thread(mx.util.is_np_array) and in_thread(mx.util.is_np_shape)


@pytest.mark.parametrize('compiled', [False, True])
def test_first_requests_at_once_share_one_graph(path, compiled, monkeypatch):
    if compiled and kernels._numba() is None:
        pytest.skip('numba is not installed')
    monkeypatch.setattr(operators, 'FEW', 8)
    expected, wrong = d2l.load(path).predict(LOG), []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(6):
            saved, together = d2l.load(path), threading.Barrier(5)
            if compiled:
                operators.choose(saved.net, 0)
            ids = saved.encoder.encode(LOG)

            def ask(rows, saved=saved, together=together, ids=ids):
                together.wait()
                for _ in range(4):
                    wrong.append(np.abs(d2l.predict(saved.net, ids[:rows]) - expected[:rows]).max())

            with ThreadPoolExecutor(5) as threads:
                for done in [threads.submit(ask, rows) for rows in (1, 40, 3, 40, 2)]:
                    done.result(timeout=60)
    finally:
        sys.setswitchinterval(interval)
    assert max(wrong) < 1e-6
