"""The HTTP example: a real process, real requests, and what a bad one is told."""

import ast
import http.client
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import d2lrec as d2l

import pandas as pd
import pytest
from helpers import randomize

EXAMPLE = Path(__file__).resolve().parent.parent / 'examples' / 'serve.py'
LOG = pd.DataFrame(
    {'click': [1, 0] * 3, 'user': list('abcabc'), 'item': list('xyzzyx'), 'price': range(6)}
)


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    train = d2l.CTRDataset(LOG, label='click', min_threshold=1, dense=['price'])
    path = tmp_path_factory.mktemp('net') / 'net'
    d2l.save(randomize(d2l.WideDeep(train.field_dims, 4, [6], num_dense=1)), path, train)
    return path


@pytest.fixture(scope='module')
def port(saved):
    code = (
        f'import sys; sys.path.insert(0, {str(EXAMPLE.parent)!r}); import serve\n'
        f'server = serve.server({str(saved)!r}, port=0)\n'
        'print(server.server_port, flush=True); server.serve_forever()'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    timer = threading.Timer(120, process.kill)
    timer.start()
    line = process.stdout.readline()
    assert line, 'the server did not start'
    yield int(line)
    timer.cancel()
    process.kill()
    process.wait()
    process.stdout.close()


def ask(port, body, method='POST'):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    connection.request(method, '/', body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_rows_are_predicted(port, saved):
    rows = [{'user': 'a', 'item': 'x', 'price': 2}, {'item': 'new', 'user': 'b', 'price': 0.5}]
    expected = d2l.load(saved).predict(pd.DataFrame(rows)).tolist()
    status, text = ask(port, json.dumps(rows))
    assert status == 200 and json.loads(text)['probabilities'] == pytest.approx(expected)
    status, text = ask(port, json.dumps(rows[1]))
    assert status == 200 and json.loads(text)['probabilities'] == pytest.approx(expected[1:])


@pytest.mark.parametrize(
    'body, words',
    [
        ('{"user": "a", "item": "x"}', "no 'price'"),
        ('{"user": "a", "item": "x", "price": "dear"}', 'price'),
        ('{"user": "a", "item": ["x"], "price": 1}', 'item'),
        ('{"user": "a"', 'delimiter'),
        ('7', 'send a row'),
        ('[]', 'there is no row'),
        ('["a"]', 'row'),
        ('"/etc/passwd"', 'send a row'),
        ('', 'send a row'),
        (b'\xff\xfe\x00', ''),
    ],
)
def test_a_bad_request_is_told_why_in_one_sentence(port, body, words):
    status, text = ask(port, body)
    assert status == 400, text
    assert words in json.loads(text)['error'] and 'Traceback' not in text


def test_the_example_has_about_twenty_lines_of_code():
    tree = ast.parse(EXAMPLE.read_text(encoding='utf-8'))
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(
            getattr(node, 'value', None), ast.Constant
        ):
            lines.add(node.lineno)
    docs = sum(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in ast.walk(tree)
    )
    assert docs == 2 and len(lines) <= 21
    assert "('127.0.0.1', port)" in EXAMPLE.read_text(encoding='utf-8')


def test_an_answer_never_shows_what_failed_within(saved, caplog, monkeypatch):
    one = d2l.load(saved)
    monkeypatch.setattr(type(one), 'predict', lambda self, rows: 1 / 0)
    status, body = one.answer(b'{"user": "a"}')
    assert (status, json.loads(body)) == (500, {'error': 'the server failed.'})
    assert 'ZeroDivisionError' in caplog.text


@pytest.mark.parametrize('body', [b'[' * 100_000, b'{"user": 1' + b' ' * 1_000_000 + b'}', b'nul'])
def test_an_answer_refuses_what_is_no_row(saved, body):
    status, told = d2l.load(saved).answer(body)
    assert status == 400 and '\n' not in json.loads(told)['error']


def test_it_answers_on_after_a_bad_request_and_only_to_posts(port):
    assert ask(port, None, 'GET')[0] == 501
    assert ask(port, '{"user": "a", "item": "x", "price": 1}')[0] == 200


def test_a_slow_client_keeps_nobody_waiting_and_a_long_number_is_a_length(port):
    with socket.create_connection(('127.0.0.1', port), timeout=60) as slow:
        slow.sendall(b'POST / HTTP/1.1\r\n')
        assert ask(port, '{"user": "a", "item": "x", "price": 1}')[0] == 200
        slow.sendall(b'Content-Length: ' + b'9' * 5000 + b'\r\n\r\n{}')
        slow.shutdown(socket.SHUT_WR)
        assert slow.recv(100).startswith(b'HTTP/1.0 400')
