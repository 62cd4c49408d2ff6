"""Time of one row: a request's way through d2lrec, beside PyTorch where it is installed.

    python3.11 -m venv _build/parity
    _build/parity/bin/pip install -r benchmarks/requirements-parity.txt -e .
    _build/parity/bin/python benchmarks/latency.py > benchmarks/results/latency.md

Without PyTorch, `python benchmarks/latency.py` prints d2lrec's own rows.

The model is a DeepFM of 26 fields of 4,000 ids, K = 16, MLP [64, 32], hybridized; PyTorch's is the
same with the same weights, eager, under `torch.inference_mode`, and gives the same probabilities,
or it ends with an error. Everybody gets a row that is new each time. Sides run in turn, a block of
calls at a time; the table gives the median call of the median block, and the fastest block's.

A second table is of a row of a shop's log as `d2l.read` has it: six words, two numbers and a cell
of several tags, by `predict` in the same process, and as a request to `examples/serve.py` in
another, a new connection each.
"""

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')

import http.client
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import d2lrec as d2l

import mxnet
import mxnet as mx
import numpy as np
import pandas as pd

try:
    import torch
except ImportError:
    torch = None

FIELDS, IDS, K, MLP_DIMS = 26, 4_000, 16, [64, 32]
BLOCKS, CALLS = 15, 200
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'examples')


def make_net(seed=0):
    """The DeepFM, and what raw rows it reads."""
    names = [f'c{f}' for f in range(FIELDS)]
    values = tuple(f'v{i}' for i in range(IDS - 1))
    fields = [d2l.data.vocabulary.Field(name, values, 'text', IDS - 1) for name in names]
    encoder = d2l.Encoder(d2l.Vocabulary(fields), 'click')
    net = d2l.DeepFM(encoder.vocabulary.dims, K, MLP_DIMS, drop_rate=0)
    d2l.set_seed(seed)
    net.initialize()
    for parameter in net.collect_params().values():
        shape = parameter.shape
        parameter.set_data(mx.np.random.normal(scale=0.1, size=shape))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'net')
        d2l.save(net, path, encoder)
        return d2l.load(path)


def in_torch(net):
    """The same DeepFM as a PyTorch module."""

    class DeepFM(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Embedding(FIELDS * IDS, 1)
            self.bias = torch.nn.Parameter(torch.zeros(1))
            self.embedding = torch.nn.Embedding(FIELDS * IDS, K)
            widths, parts = [FIELDS * K, *MLP_DIMS], []
            for one, two in zip(widths, widths[1:]):
                parts += [torch.nn.Linear(one, two), torch.nn.ReLU()]
            self.mlp = torch.nn.Sequential(*parts, torch.nn.Linear(widths[-1], 1))

        def forward(self, x):
            e = self.embedding(x)
            pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
            return self.linear(x).sum(1) + self.bias + pairs + self.mlp(e.flatten(1))

    def copied(parameter, to):
        to.data = torch.from_numpy(parameter.data().asnumpy().reshape(to.shape).copy())

    peer = DeepFM().eval()
    copied(net.linear.weight, peer.linear.weight)
    copied(net.linear.bias, peer.bias)
    copied(net.embedding.weight, peer.embedding.weight)
    mine = [p for n, p in net._collect_params_with_prefix().items() if n.startswith('mlp.')]
    theirs = list(peer.mlp.parameters())
    for shape in sorted({tuple(p.shape) for p in theirs}, key=str):
        here = [p for p in mine if tuple(p.shape) == shape]
        for parameter, to in zip(here, [p for p in theirs if tuple(p.shape) == shape]):
            copied(parameter, to)
    return peer


def timed(sides):
    """The median call of each block, in ms: {name: list}."""
    times = {name: [] for name in sides}
    for block in range(BLOCKS + 1):  # the first warms up
        for name, call in sides.items():
            found = []
            for i in range(CALLS):
                start = time.perf_counter()
                call(i)
                found.append(time.perf_counter() - start)
            if block:
                times[name].append(statistics.median(found) * 1e3)
    return times


def rows_of_a_log():
    """{name: call} of one row of a planted log: `predict`, and `examples/serve.py`; its process."""
    log = d2l.planted_log(seed=0)
    table = d2l.read(
        log.frame,
        label='click',
        categories=['user', 'city', 'item', 'brand', 'device', 'hour'],
        numbers=['age', 'price'],
        multi={'tags': '|'},
    )
    train = table.dataset()
    net = d2l.DeepFM.for_data(train, num_factors=K, mlp_dims=MLP_DIMS)
    net.initialize()
    path = os.path.join(tempfile.mkdtemp(), 'log.d2l')
    d2l.save(net, path, train)
    saved = d2l.load(path)
    frame = log.frame[table.schema.fields][:CALLS].astype(object)
    rows = frame.where(frame.notna(), None).to_dict('records')
    frames = [log.frame[i : i + 1] for i in range(CALLS)]
    bodies = [json.dumps(row) for row in rows]
    code = (
        f'import sys; sys.path.insert(0, {EXAMPLES!r}); import serve\n'
        f'server = serve.server({path!r}, port=0)\n'
        'print(server.server_port, flush=True); server.serve_forever()'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    port = int(process.stdout.readline())

    def served(i):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
        connection.request('POST', '/', bodies[i])
        found = json.loads(connection.getresponse().read())
        connection.close()
        return found['probabilities']

    if np.abs(served(0) - saved.predict(rows[0])).max() > 1e-6:
        sys.exit('the server gives another probability.')
    sides = {
        '`load(path).predict(row)`, a dict': lambda i: saved.predict(rows[i]),
        'the same, a frame of one row': lambda i: saved.predict(frames[i]),
        'a request to `examples/serve.py`': served,
    }
    return sides, process


def main():
    """Print the table."""
    saved = make_net()
    net, offsets = saved.net, saved.encoder.vocabulary.offsets
    rng = np.random.default_rng(0)
    within = rng.integers(0, IDS - 1, size=(CALLS, 1, FIELDS))
    ids = (within + offsets).astype(np.int32)
    names = saved.encoder.vocabulary.names
    rows = [dict(zip(names, [f'v{i}' for i in row[0]])) for row in within]
    frames = [pd.DataFrame([row]) for row in rows]

    def bare(i):
        return net(mx.np.array(ids[i], dtype='int32')).asnumpy()

    sides = {
        'd2lrec: the net alone, `net(x)`': bare,
        'd2lrec: `predict(net, ids)`': lambda i: d2l.predict(net, ids[i]),
        'd2lrec: `load(path).predict(row)`, a dict of 26 words': lambda i: saved.predict(rows[i]),
        'd2lrec: the same, a frame of one row': lambda i: saved.predict(frames[i]),
    }  # fmt: skip
    if torch is not None:
        torch.set_num_threads(1)
        peer = in_torch(net)

        def eager(i):
            with torch.inference_mode():
                return torch.sigmoid(peer(torch.from_numpy(ids[i]).long())).numpy()

        sides['PyTorch eager: ids to probability'] = eager
        ours = d2l.predict(net, ids[:, 0])
        theirs = np.concatenate([eager(i)[:, 0] for i in range(CALLS)])
        if np.abs(ours - theirs).max() > 1e-5:
            sys.exit('the two do not compute the same function.')
    times = timed(sides)

    versions = f'MXNet {mxnet.__version__}'
    versions += f', torch {torch.__version__}' if torch is not None else ''
    print('# One row: how long a request takes\n')
    print(f'`python benchmarks/latency.py`: DeepFM, {FIELDS} fields of {IDS:,} ids, K = {K},')
    print(f'MLP {MLP_DIMS}; medians of {BLOCKS} alternating blocks of {CALLS} calls.')
    print(f'{versions}, one thread; {os.cpu_count()}-core {platform.machine()} CPU.\n')
    heads = ['call', 'ms', 'fastest block, ms']
    base = times.get('PyTorch eager: ids to probability')
    heads += ['/ PyTorch', 'fastest / fastest'] if base else []
    print('| ' + ' | '.join(heads) + ' |')
    print('|---' * len(heads) + '|')
    for name, found in times.items():
        middle, least = statistics.median(found), min(found)
        cells = [name, f'{middle:.2f}', f'{least:.2f}']
        if base:
            cells += [f'{middle / statistics.median(base):.1f}', f'{least / min(base):.1f}']
        print('| ' + ' | '.join(cells) + ' |')
    sides, process = rows_of_a_log()
    try:
        times = timed(sides)
    finally:
        process.kill()
    print('\nA row of a log that `d2l.read` read, DeepFM of nine columns: six of words, two of')
    print('numbers, one of several tags.\n')
    print('| call | ms | fastest block, ms |\n|---|---|---|')
    for name, found in times.items():
        print(f'| {name} | {statistics.median(found):.2f} | {min(found):.2f} |')


if __name__ == '__main__':
    main()
