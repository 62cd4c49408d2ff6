"""Damaged files and odd arguments: each is read rightly or refused in one sentence of ours.

    python tools/fuzz.py run --part 1/12      a twelfth of 60,000 inputs; results in _build/fuzz
    python tools/fuzz.py one TARGET NUMBER    one input again, with its traceback
    python tools/fuzz.py guided --seconds 200 --corpus FOLDER     led by coverage (pip install
                                              atheris); inputs that find new code stay in FOLDER
    python tools/fuzz.py table                benchmarks/results/fuzz.md of all results

An input is a valid file (or frame, or call) changed by a generator seeded with its number. What
counts as a finding: any exception but an `OSError`, or a `ValueError` or `TypeError` that this
library itself raises, in one line; data whose ids, labels or weights are not what they have to be;
a process that dies, asks for more than 3 GB beyond what it began with, or takes over 20 seconds.
"""

import argparse
import collections
import copy
import gzip
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

if sys.argv[1:2] == ['guided']:  # counts the branches of the library that an input takes
    import atheris

    with atheris.instrument_imports(include=['d2lrec']):
        import d2lrec as d2l
else:
    import d2lrec as d2l
from d2lrec.data.vocabulary import Vocabulary

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import gluon

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = str(ROOT / 'd2lrec')
RESULTS = ROOT / '_build' / 'fuzz'
TABLE = ROOT / 'benchmarks' / 'results' / 'fuzz.md'
SEED = 0
PIECE = 250  # inputs in one forked process
LONGEST, MEMORY = 20, 3 << 30

TOKENS = [
    b'', b'0', b'1', b'-1', b'2', b'NaN', b'nan', b'inf', b'-inf', b'1e400', b'-0', b'1e-400',
    b'99999999999999999999', b'9223372036854775808', b'2147483648', b'-9223372036854775809',
    b'0x10', b'1_000', b'1,5', b'\x00', b'a\x00b', b'\xff\xfe', b'\xef\xbb\xbf', b'\xed\xa0\x80',
    b'\xf0\x9f\x98\x80', b'"', b'""', b'"a', b'a"', b"'", b'\r', b'\n', b'\r\n', b'\t', b',', b'|',
    b'::', b':', b';', b'#', b'null', b'None', b'true', b'True', b'[]', b'{}', b'[', b'{', b'[' * 3000,
    b'{"a":' * 2000, b'1-Jan-1995', b'9999-99-99', b'2020-01-01T00:00:00+99:99', b'00', b'+1',
    b'\xd9\xa1', b' ', b'\xc2\xa0', b'\x85', b'\x1c', b'\x1f', b'\x01', b'x' * 5000, b'qid:1', b'PAR1',
    b'\x1f\x8b', b'PK\x03\x04',
]  # fmt: skip
ODD = [
    None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e300, -1e300, float('nan'), float('inf'), 2**31,
    2**63, 10**30, '', 'a', '0', '\x00', '\ud800', 'NaN', [], {}, [[]], [None], [1, 'a'], {'a': 1},
    [[1.0, 2.0], [3.0]], [float('nan')], {'kind': 'text'}, 'text', 'number', -5, 60_000_000,
    [60_000_000], [-1], [[0, 1]], [1] * 40, 'x' * 300, {'a': {'b': {}}},
]  # fmt: skip
ARGUMENTS = [
    *(v for v in ODD if v not in (2**31, 60_000_000, [60_000_000])), (), (1, 2), b'bytes', {1, 2}, object(), range(3), np.float32('nan'), np.int64(3),
    np.array([]), np.array([1.5]), np.zeros((2, 0)), np.zeros((2, 2)), np.array(['a', 'b']),
    np.array([None, 1], object), np.array([[1, -1]]), pd.DataFrame(), pd.DataFrame({'a': [1]}),
    pd.Series([1, 2]), print, int, 1j, slice(None), iter([1]), Path('/no/such/path'),
]  # fmt: skip


# ---------------------------------------------------------------------------- changes of bytes


def changed_bytes(rng, data, others=()):
    """A few small changes of a file."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(9)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 2:
            del data[at : at + rng.choice((1, 2, 4, 16, 100))]
        elif kind == 3:
            data[at:at] = rng.choice(TOKENS)
        elif kind == 4:
            size = rng.choice((1, 4, 30, 200))
            data[at:at] = data[max(0, at - size) : at]
        elif kind == 5 and rng.random() < 0.4:
            del data[at:]
        elif kind == 6 and others:
            other = rng.choice(others)
            cut = rng.randrange(len(other) + 1)
            data[at:] = other[cut : cut + 500]
        elif kind == 7:
            data[at : at + 4] = struct.pack('<i', rng.choice((-1, 0, 1, 2**31 - 1, 1000)))
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 3, 8))))
    return bytes(data)


def changed_text(rng, data, seps=(b',', b'\t', b'|', b'::', b' ', b':')):
    """Changes of lines and cells, as editors and exports make them."""
    lines = data.split(b'\n')
    for _ in range(rng.choice((1, 1, 2, 4))):
        i = rng.randrange(len(lines))
        kind = rng.randrange(9)
        if kind == 0:
            lines.insert(i, rng.choice(lines))
        elif kind == 1 and len(lines) > 1:
            lines.pop(i)
        elif kind == 2:
            lines[i] = rng.choice(TOKENS)
        elif kind == 3:
            lines[i] += rng.choice(TOKENS)
        elif kind == 4:
            rng.shuffle(lines)
        elif kind == 5 and rng.random() < 0.3:
            lines = [line + b'\r' for line in lines]
        else:
            found = [s for s in seps if s in lines[i]]
            if not found:
                continue
            sep = rng.choice(found)
            cells = lines[i].split(sep)
            j = rng.randrange(len(cells))
            if kind == 6:
                cells[j] = rng.choice(TOKENS)
            elif kind == 7:
                cells.insert(j, rng.choice(cells))
            else:
                cells.pop(j)
            lines[i] = sep.join(cells)
        if not lines:
            lines = [b'']
    text = b'\n'.join(lines)
    if rng.random() < 0.05:
        text = text.decode('utf-8', 'replace').encode(
            rng.choice(('utf-16', 'utf-32', 'cp037')), 'replace'
        )
    return text


def changed_json(rng, content):
    """JSON of which a few entries are something else, gone or twice."""
    content = json.loads(json.dumps(content))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = []

        def walk(node):
            for key in list(node) if isinstance(node, dict) else range(len(node)):
                places.append((node, key))
                if isinstance(node[key], (dict, list)):
                    walk(node[key])

        if not isinstance(content, (dict, list)) or not content:
            return content
        walk(content)
        node, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind == 0:
            node.pop(key)
        elif kind == 1 and isinstance(node, list):
            node.append(copy.deepcopy(node[key]))
        elif kind == 2 and isinstance(node, dict):
            node[rng.choice(('', 'kind', 'values', 'a', '\ud800'))] = copy.deepcopy(node[key])
        elif kind == 3:
            one, other = rng.choice(places)
            if not isinstance(one[other], (dict, list)):
                node[key] = one[other]
        elif kind == 4 and isinstance(node[key], (int, float)):
            node[key] = rng.choice((node[key] + 1, -node[key], node[key] * 1000, str(node[key])))
        else:
            node[key] = copy.deepcopy(rng.choice(ODD))  # or it would be changed for those after it
    return content


def changed_archive(rng, data):
    """A model or checkpoint with other facts, headers, members, or damaged bytes."""
    if rng.random() < 0.35:
        return changed_bytes(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {m.filename: archive.read(m) for m in archive.infolist()}
    kind = rng.randrange(8)
    arrays = [n for n in members if n.endswith('.npy')]
    method = zipfile.ZIP_STORED
    if kind <= 2:
        facts = changed_json(rng, json.loads(members['facts.json']))
        members['facts.json'] = json.dumps(facts).encode()
    elif kind == 3 and arrays:
        name = rng.choice(arrays)
        shape = rng.choice(((), (0,), (2, 2), (10**12,), (-1,), (3, 0), (2**62, 4)))
        descr = rng.choice(('<f4', '<f8', '|O', '<U9', '<M8[s]', '<c8', '>f4', '|b1', 'x', '<f999'))
        header = repr({'descr': descr, 'fortran_order': rng.random() < 0.2, 'shape': shape})
        header = rng.choice((header, header[:-1], '[' * 5000, '', header.replace('shape', 'sharp')))
        packed = header.encode('latin-1') + b'\n'
        members[name] = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(packed)) + packed
        members[name] += b'\x00' * rng.choice((0, 4, 16, 64))
    elif kind == 4 and arrays:
        name = rng.choice(arrays)
        array = np.load(io.BytesIO(members[name]))
        new = rng.choice((
            array.astype(rng.choice(('float64', 'float16', 'int32', 'bool', 'uint8'))),
            array[:0], array[..., None], array.T, array.ravel(), np.full_like(array, 1e38),
            np.full(array.shape, np.nan), np.array('text'), np.zeros((5, 5)),
        ))  # fmt: skip
        held = io.BytesIO()
        np.save(held, new)
        members[name] = held.getvalue()
    elif kind == 5:
        name = rng.choice(list(members))
        members[name] = changed_bytes(rng, members[name])
    elif kind == 6:
        name = rng.choice(list(members))
        if rng.random() < 0.5:
            members.pop(name)
        else:
            members[rng.choice(('x.npy', '../x.npy', 'weights/x/0.npy', ' '))] = members[name]
    else:
        method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with zipfile.ZipFile(held, 'w', method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    return held.getvalue()


# ------------------------------------------------------------------------------- what is valid


def make_seeds(folder):
    """Valid files of every kind, small."""
    rng = random.Random(1)
    made = {}
    log = b'user,genres,price,when,liked\nann,Drama|War,3.5,2020-01-01,1\nbob,War,,2020-01-02,0\n'
    log += b'"c, d",Drama,-2e3,2020-01-03 10:00,1\n' + b'eve,,1,2020-02-01,0\n' * 3
    more = b'a;b;y\n1;x;1\n2;y;0\n', b'1\t2\tx\n0\t3\ty\n', b'u::v::4\nw::v::2\n'
    made['csv'] = [log, *more, log.replace(b',', b'\t'), 'y,도시\n1,서울\n0,부산\n'.encode('cp949')]
    rows = [{'user': 'ann', 'tags': ['a', 'b'], 'price': 1.5, 'y': 1, 'ok': True}]
    rows += [{'user': 'bob', 'tags': [], 'price': None, 'y': 0, 'ok': False}]
    made['jsonl'] = ['\n'.join(map(json.dumps, rows)).encode() + b'\n']
    made['libsvm'] = [b'1 1:0.5 3:1\n-1 2:1 # note\n1 qid:3 1:2\n', b'1:1 2:1\n3:.5\n']
    made['libffm'] = [b'1 0:1:1 1:3:1\n0 0:2:1 1:4:1\n1 0:1:1 2:9:0.5\n']
    criteo = b''
    for i in range(12):
        numbers = [str(rng.randrange(-2, 200)) if rng.random() < 0.8 else '' for _ in range(13)]
        words = [f'{rng.randrange(16):08x}' if rng.random() < 0.9 else '' for _ in range(26)]
        criteo += '\t'.join([str(i % 2), *numbers, *words]).encode() + b'\n'
    made['criteo'] = [criteo]
    made['clicks'] = [b''.join(b'%d\t%d\tw%d\n' % (i % 2, i % 3, i % 4) for i in range(12))]
    tables = [
        pd.DataFrame({'user': list('abca'), 'n': [1, 2, 3, 4], 'x': [0.5, None, 2, 3], 'y': [0, 1, 1, 0]}),
        pd.DataFrame({'tags': [['a'], ['b', 'a'], [], None], 'y': [True, False, True, False]}),
        pd.DataFrame({'day': pd.to_datetime(['2020-01-01', None, '2021-05-05', '2022-01-01']),
                      'c': pd.Categorical(list('abab')), 'y': [1.0, 0, 1, 0]}),
    ]  # fmt: skip
    made['parquet'] = []
    for table in tables:
        held = io.BytesIO()
        table.to_parquet(held)
        made['parquet'].append(held.getvalue())
    made['gz'], held = [gzip.compress(log)], io.BytesIO()
    with zipfile.ZipFile(held, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('log.csv', log)
    made['zip'] = [held.getvalue()]
    import bz2
    import lzma

    import pyarrow as pa

    made['bz2'], made['xz'] = [bz2.compress(log)], [lzma.compress(log)]
    for name, codec in (('zst', 'zstd'), ('lz4', 'lz4')):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(log)
        made[name] = [sink.getvalue().to_pybytes()]
    made['u.data'] = [b'1\t2\t5\t880000000\n2\t1\t3\t880000100\n1\t1\t4\t880000200\n']
    made['u.user'] = [b'1|24|M|baker|01234\n2|53|F|other|V3N4P\n']
    flags = b'|'.join([b'0'] * 18)
    made['u.item'] = [
        b''.join(b'%d|Caf\xe9 %d|1-Jan-1995||u|0|%s\n' % (i, i, flags) for i in (1, 2))
    ]
    made['ratings.dat'] = [b'1::2::5::978300760\n2::1::3.5::978300761\n']
    made['movies.dat'] = [b'1::A (1995)::Drama|War\n2::B::Comedy\n']
    made['users.dat'] = [b'1::F::1::10::48067\n2::M::56::16::70072\n']
    made['ratings.csv'] = [
        b'userId,movieId,rating,timestamp\n1,2,4.0,1112486027\n2,1,.5,1112486027\n'
    ]
    made['movies.csv'] = [b'movieId,title,genres\n1,"A, B",Drama\n2,C,(no genres listed)\n']
    clicks = d2l.CTRDataset(_file(folder, 'seed.tsv', made['clicks'][0]), min_threshold=1)
    frame = pd.DataFrame(
        {'y': [0, 1] * 4, 'a': list('xyxyzzxy'), 'b': list('ppqqppqq'), 'n': range(8)}
    )
    both = d2l.CTRDataset(frame, min_threshold=1, dense=['n'])
    made['vocabulary'] = [json.dumps(clicks.vocabulary.to_json()).encode()]
    steps = {
        'crosses': d2l.Crosses(both, [('a', 'b')], min_threshold=1),
        'quantiles': d2l.Quantiles(both),
        'standardize': d2l.Standardize(both),
        'bags': d2l.Bags(d2l.CTRDataset(pd.DataFrame({'y': [0, 1], 'u': ['a', 'b'], 'g': [1, 0], 'h': 1}),
                                        min_threshold=1), {'genre': ['g', 'h']}),
    }  # fmt: skip
    for name, step in steps.items():
        made[name] = [json.dumps(step.to_json()).encode()]
    log_frame = pd.DataFrame({'user': list('abcabc'), 'tags': ['p|q', 'q', 'p', '', 'q|r', 'r'],
                              'price': [1.0, 2, 3, 4, 5, 6], 'y': [0, 1] * 3})  # fmt: skip
    table = d2l.read(
        log_frame, label='y', categories=['user'], numbers=['price'], multi={'tags': '|'}
    )
    planned = table.dataset()
    made['encoder'] = [json.dumps(e.to_json()).encode()
                       for e in (clicks.encoder, steps['crosses'].apply(both).encoder, planned.encoder)]  # fmt: skip
    place = folder / 'encoded'
    d2l.encode(
        log_frame, place, verbose=False, label='y', categories=['user'], numbers=['price'],
        multi={'tags': '|'},
    )  # fmt: skip
    made['encoded'] = [(p.name, p.read_bytes()) for p in place.iterdir()]
    nets = [
        (d2l.FM(list(clicks.field_dims), 2), clicks),
        (d2l.WideDeep(list(both.field_dims), 2, [4], num_dense=1), both),
        (d2l.MF(2, 3, 4), None),
        (d2l.AutoRec(3, 4), None),
    ]
    made['model'] = []
    for net, data in nets:
        net.initialize()
        d2l.save(net, folder / 'seed.model', data)
        made['model'].append((folder / 'seed.model').read_bytes())
    state = folder / 'seed.state'
    state.unlink(missing_ok=True)
    train_once(state)
    made['checkpoint'] = [state.read_bytes()]
    return made


def _file(folder, name, data):
    path = Path(folder) / name
    path.write_bytes(data)
    return str(path)


IDS = np.array([[0, 3], [1, 4], [2, 3], [0, 4]] * 2, np.int32)


def train_once(path, epochs=1):
    """A training of two epochs at most, with a checkpoint."""
    net = d2l.FM([3, 2], 2)
    net.initialize(force_reinit=True)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.01})
    loader = d2l.BatchLoader(
        (IDS, np.array([0, 1] * 4, 'float32')), batch_size=4, shuffle=True, seed=1
    )
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    d2l.train_ch13(net, loader, None, loss, trainer, epochs, [mx.cpu()],
                   verbose=False, seed=1, checkpoint=str(path))  # fmt: skip
    return net


# --------------------------------------------------------------------------------- the targets
# name -> (inputs of 60,000, make(rng, seeds, folder) -> a function that reads one input)


def looked_at(data):
    """What must hold of encoded data, whatever it was read from."""
    ids = data.columns['ids']
    high = np.cumsum([dim for _, dim, _ in data.encoder.tables()])
    low = np.concatenate([[0], high[:-1]])
    if not data.bag_sizes:
        assert ids.shape == (len(data), len(low)), 'another number of fields'
        assert ((ids >= low) & (ids < high)).all(), 'an id outside its field'
    assert ids.min(initial=0) >= 0 and ids.max(initial=-1) < high[-1], 'an id outside the table'
    if data.labels is not None:
        assert np.isin(data.labels, (0, 1)).all(), 'a label that is none'
    for name, column in data.columns.items():
        assert np.isfinite(column).all(), f'{name} is not finite'


def text_target(kind, suffix, hows):
    def make(rng, seeds, folder):
        valid = seeds[kind]
        change = changed_text if rng.random() < 0.6 else changed_bytes
        at = rng.randrange(len(valid))
        path = _file(folder, f'in{suffix}', change(rng, valid[at]))
        fits = FITTING.get(kind, ())
        how = fits[at] if at < len(fits) and rng.random() < 0.6 else rng.choice(hows)

        def call():
            table = d2l.read(path, **how)
            assert len(table.frame) == len(table), 'another number of rows'
            if table.labels is None:
                return
            table.summary()
            looked_at(table.dataset())

        return call

    return make


CSV_HOWS = [
    {}, {}, {'label': 'liked'}, {'label': 'y'}, {'encoding': 'cp949'}, {'sep': ','}, {'header': False},
    dict(label='liked', categories=['user'], numbers=['price'], multi={'genres': '|'}, time='when'),
    dict(label='liked', numbers=['price'], multi=['genres']), {'sep': '\t', 'header': False},
    dict(label='column 1', header=False, categories=['column 2']), {'format': 'jsonl'},
    dict(label='price', threshold=1.0), dict(label='liked', weight='price'), {'drop': ['price']},
    {'format': 'libsvm'}, {'format': 'parquet'}, {'encoding': 'utf-16'}, {'encoding': 'latin-1'},
]  # fmt: skip
FITTING = {  # how each of the valid files is read rightly
    'csv': [
        dict(label='liked', categories=['user'], numbers=['price'], multi={'genres': '|'}, time='when'),
        dict(label='y', categories=['b'], numbers=['a']), dict(label='column 1', header=False),
        dict(label='column 3', threshold=4), dict(label='liked', sep='\t', drop=['when']),
        dict(label='y', encoding='cp949'),
    ],
    'jsonl': [dict(label='y', categories=['user'], numbers=['price'], multi=['tags'])],
}  # fmt: skip
FRAME_HOWS = [
    {},
    {},
    {'label': 'y'},
    dict(label='y', categories=['user'], numbers=['price', 'x', 'n']),
]


def packed_target(rng, seeds, folder):
    kind = rng.choice(('gz', 'zip', 'bz2', 'xz', 'zst', 'lz4'))
    path = _file(folder, f'in.csv.{kind}', changed_bytes(rng, seeds[kind][0]))
    return lambda: d2l.read(path, **rng.choice(CSV_HOWS))


def click_target(rng, seeds, folder):
    valid = seeds['clicks'][0]
    change = changed_text if rng.random() < 0.6 else changed_bytes
    path = _file(folder, 'in.tsv', change(rng, valid))
    given = rng.choice(((), (), d2l.load_vocab(_file(folder, 'v', seeds['vocabulary'][0]))))
    number = rng.choice((34, 2, 2, 2))

    def call():
        looked_at(d2l.CTRDataset(path, *given, min_threshold=rng.choice((1, 4)), num_feat=number))

    return call


def criteo_target(rng, seeds, folder):
    change = changed_text if rng.random() < 0.6 else changed_bytes
    path = _file(folder, 'in.txt', change(rng, seeds['criteo'][0]))
    if rng.random() < 0.7:
        return lambda: looked_at(d2l.CTRDataset.from_criteo(path, min_threshold=1))
    return lambda: looked_at(d2l.read(path, format='criteo').dataset())


def json_target(kind, read):
    def make(rng, seeds, folder):
        valid = rng.choice(seeds[kind])
        if rng.random() < 0.7:
            data = json.dumps(changed_json(rng, json.loads(valid))).encode()
        else:
            data = changed_bytes(rng, valid, [valid])
        path = _file(folder, 'in.json', data)
        return lambda: read(path)

    return make


def read_vocabulary(path):
    vocabulary = Vocabulary.load(path)
    frame = pd.DataFrame({n: ['0', 'w1', None] for n in vocabulary.names})
    assert sum(vocabulary.dims) == vocabulary.num_features
    for name in vocabulary.names:
        vocabulary.ids_of(name)
    d2l.load_vocab(path)
    label = vocabulary.label or 'label'
    if label not in frame.columns and len(frame.columns):
        frame.insert(0, label, [0, 1, 0])
        looked_at(d2l.CTRDataset(frame, vocabulary=vocabulary, label=label))


def read_encoder(path):
    encoder = d2l.Encoder.load(path)
    names = [*encoder.vocabulary.names, *encoder.dense]
    raw = pd.DataFrame({n: [1, 2, None] if n in encoder.dense else ['x', 'a', 'q'] for n in names})
    raw = raw.assign(price=[1.0, 2, 3], tags=['p', 'q|r', ''], user=['a', 'b', 'z'])
    looked_at(encoder.encode(raw.fillna(0), label=False))


def step_reader(cls):
    def read(path):
        step = cls.load(path)
        frame = pd.DataFrame(
            {'y': [0, 1] * 4, 'a': list('xyxyzzxy'), 'b': list('ppqqppqq'), 'n': range(8)}
        )
        data = d2l.CTRDataset(frame, min_threshold=1, dense=['n'])
        if cls is d2l.Bags:
            frame = pd.DataFrame({'y': [0, 1], 'u': ['a', 'b'], 'g': [1, 0], 'h': 1})
            data = d2l.CTRDataset(frame, min_threshold=1)
        looked_at(step.apply(data))

    return read


def movielens_target(rng, seeds, folder):
    names = ('u.data', 'u.user', 'u.item')
    spoilt = rng.choice(names)
    for name in names:
        data = seeds[name][0]
        if name == spoilt:
            data = (changed_text if rng.random() < 0.8 else changed_bytes)(rng, data)
        _file(folder, name, data)

    def call():
        got = d2l.read_ml100k(folder)
        assert got.ratings.rating.between(1, 5).all() and got.users.user_id.is_unique
        assert got.items.iloc[:, 3:].isin((0, 1)).all().all()
        clicks = got.ratings.assign(y=(got.ratings.rating > 3).astype(int))
        looked_at(d2l.CTRDataset(clicks, label='y', min_threshold=1))

    return call


def ratings_target(rng, seeds, folder):
    release = rng.choice((
        ('ratings.dat', 'movies.dat', 'users.dat'), ('ratings.csv', 'movies.csv'),
        ('u.data', 'u.user', 'u.item'),
    ))  # fmt: skip
    spoilt = rng.choice(release)
    place = Path(folder) / 'release'
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in release:
        data = seeds[name][0]
        if name == spoilt:
            data = (changed_text if rng.random() < 0.8 else changed_bytes)(rng, data)
        (place / name).write_bytes(data)
    kind = rng.randrange(3)
    source = place
    if kind == 1:
        source = place / spoilt
    elif kind == 2:
        source = Path(folder) / 'release.zip'
        with zipfile.ZipFile(source, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name in release:
                archive.write(place / name, f'ml/{name}')
        if rng.random() < 0.5:
            source.write_bytes(changed_bytes(rng, source.read_bytes()))

    def call():
        table = d2l.read_ratings(source)
        made = table.ratings()
        assert np.isfinite(made.ratings).all() and len(made.ratings) == len(table)
        looked_at(table.dataset())

    return call


def model_target(rng, seeds, folder):
    path = _file(folder, 'in.model', changed_archive(rng, rng.choice(seeds['model'])))

    def call():
        saved = d2l.load(path)
        for name, p in saved.net._collect_params_with_prefix().items():
            assert np.isfinite(p.data().asnumpy()).all(), f'{name} is not finite'
        if saved.encoder is not None:
            frame = pd.DataFrame(
                {'field 1': ['0'], 'field 2': ['w1'], 'a': ['x'], 'b': ['p'], 'n': [1.0]}
            )
            with np.errstate(all='ignore'):
                out = saved.predict(frame)
            assert out.shape[0] == 1

    return call


def checkpoint_target(rng, seeds, folder):
    path = _file(folder, 'in.state', changed_archive(rng, seeds['checkpoint'][0]))

    def call():
        net = train_once(path, rng.choice((1, 2)))
        for name, p in net._collect_params_with_prefix().items():
            assert np.isfinite(p.data().asnumpy()).all(), f'{name} is not finite'

    return call


def parquet_target(rng, seeds, folder):
    how = rng.choice(FRAME_HOWS)
    if rng.random() < 0.6:
        path = _file(folder, 'in.parquet', changed_bytes(rng, rng.choice(seeds['parquet'])))
        return lambda: d2l.read(path, **how).summary()
    path = str(Path(folder) / 'in.parquet')
    try:
        odd_frame(rng).to_parquet(path)
    except Exception:  # what pandas cannot write is nobody's file
        return lambda: None
    return lambda: looked_at_table(d2l.read(path, **how))


def looked_at_table(table):
    table.summary()
    if table.labels is not None:
        looked_at(table.dataset())


CELLS = [
    1, 0, 2.5, float('nan'), None, 'a', '', '\x00', 'a\x00b', '\ud800', True, b'b', [1, 2], {'a': 1},
    {'a': 'x'}, {1, 2}, (1,), float('inf'), 10**30, pd.Timestamp('2020-01-01'), pd.NaT, pd.NA, 1j,
    np.array([1, 2]), np.float32(3), np.datetime64('NaT'), pd.Timedelta(1), object, [None], [[1]], -1,
]  # fmt: skip


def odd_frame(rng):
    """A frame of odd columns."""
    rows = rng.choice((0, 1, 4, 12))
    columns = []
    for _ in range(rng.choice((0, 1, 2, 3, 4))):
        kind = rng.randrange(9)
        few = rng.sample(CELLS, rng.choice((1, 2, 3)))
        if kind < 4:
            column = pd.Series([rng.choice(few) for _ in range(rows)], dtype=object)
        elif kind == 4:
            column = pd.Series([rng.choice((1, 0, 5, -3)) for _ in range(rows)], dtype='int64')
        elif kind == 5:
            column = pd.Series(
                [rng.choice((1.5, np.nan, np.inf)) for _ in range(rows)], dtype='float64'
            )
        elif kind == 6:
            column = pd.Series([rng.choice('abc') for _ in range(rows)]).astype('category')
        elif kind == 7:
            kinds = ('Int64', 'boolean', 'string', 'float32', 'Float64')
            column = pd.Series([rng.choice((1, 0, None)) for _ in range(rows)]).astype(object)
            try:
                column = column.astype(rng.choice(kinds))
            except (TypeError, ValueError):
                pass
        else:
            column = pd.Series(pd.to_datetime(['2020-01-01'] * rows))
        columns.append(column)
    names = [
        'user',
        'x',
        'n',
        'tags',
        'price',
        '',
        None,
        3,
        ('a', 'b'),
        '\ud800',
        'label',
        'user',
        1.5,
    ]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(rows))
    frame.columns = pd.Index(
        [rng.choice(names) for _ in columns], dtype=object, tupleize_cols=False
    )
    if rng.random() < 0.8:
        where = rng.randrange(len(columns) + 1)
        frame.insert(where, 'y', [i % 2 for i in range(rows)], allow_duplicates=True)
    return frame


def frame_target(rng, seeds, folder):
    frame, kind = odd_frame(rng), rng.randrange(5)
    how = rng.choice(FRAME_HOWS)
    if kind == 0:
        return lambda: looked_at_table(d2l.read(frame, **how))
    if kind == 1:
        return lambda: d2l.read_ratings(frame).ratings()
    if kind == 2:
        return lambda: looked_at(d2l.CTRDataset(frame, label='y', min_threshold=1))
    if kind == 3:
        dense = [rng.choice(('x', 'n', 'price'))]
        return lambda: looked_at(d2l.CTRDataset(frame, label='y', dense=dense, min_threshold=1))
    return lambda: looked_at(d2l.CTRDataset(frame, min_threshold=1))


def request_target(rng, seeds, folder):
    saved = d2l.load(_file(folder, 'ok.model', rng.choice(seeds['model'][:2])))
    names = [*saved.encoder.vocabulary.names, *saved.encoder.dense]
    row = {n: rng.choice(CELLS) if rng.random() < 0.5 else 1 for n in names}
    if rng.random() < 0.2:
        row.pop(rng.choice(names))
    kind = rng.randrange(4)
    source = (
        [row, [row], [row, row]][kind]
        if kind < 3
        else pd.DataFrame({n: pd.Series([c], dtype=object) for n, c in row.items()})
    )

    def call():
        out = saved.predict(source)
        assert np.isfinite(out).all(), 'a prediction that is not finite'

    return call


def calls():
    """Every public callable with arguments that are right, to be changed one or two at a time."""
    ids, labels = IDS, np.array([0, 1] * 4, 'float32')
    scores, users = np.linspace(-1, 1, 8), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    frame = pd.DataFrame({'user_id': [1, 1, 2, 2], 'item_id': [1, 2, 1, 2], 'rating': [4, 2, 5, 3],
                          'timestamp': [9, 8, 7, 6]})  # fmt: skip
    clicks = pd.DataFrame({'user': list('aabbccaa'), 'item': list('xyxyxyzz'), 'y': [0, 1] * 4,
                           'time': range(8), 'n': [1.0] * 8})  # fmt: skip
    data = d2l.CTRDataset(clicks[['y', 'user', 'item']], min_threshold=1)
    dense = d2l.CTRDataset(clicks[['y', 'user', 'item', 'n']], min_threshold=1, dense=['n'])
    net = d2l.FM([3, 2], 2)
    net.initialize()
    own = d2l.FM(list(data.field_dims), 2)
    own.initialize()
    mf = d2l.MF(2, 3, 4)
    mf.initialize()
    touched = d2l.FM([3, 2], 2)
    touched.initialize()
    seen = d2l.Interactions([0, 1, 2], [0, 1, 2], 3, 4)
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    loader = d2l.BatchLoader((ids, labels), batch_size=4)
    trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    cpu = [mx.cpu()]
    dims, size = [3, 2], 2
    D = d2l
    return {
        'read': (D.read, (clicks,), dict(label='y', categories=['user'], numbers=['n'], multi=None,
                 time='time', weight='n', user='user', item='item', drop=['item'], threshold=None)),
        'read file': (D.read, ('/no/such/file',), dict(sep=',', header=True, names=['a'], encoding='utf-8',
                      format='csv', schema=None)),
        'read_ratings': (D.read_ratings, (frame,), dict(user='user_id', item='item_id', rating='rating',
                         time='timestamp', threshold=3)),
        'CTRDataset': (D.CTRDataset, (clicks,), dict(feat_mapper=None, defaults=None, min_threshold=1,
                       num_feat=4, label='y', dense=['n'])),
        'BatchLoader': (D.BatchLoader, (ids, labels), dict(batch_size=4, shuffle=True, seed=1,
                        last_batch='keep', inputs=None)),
        'Examples': (D.Examples, ({'ids': ids}, labels), {}),
        'concat': (D.concat, ([data, data],), {}),
        'Crosses': (D.Crosses, (data, [('user', 'item')]), dict(min_threshold=1, num_buckets=None)),
        'Quantiles': (D.Quantiles, (dense,), dict(num_quantiles=4, names=None)),
        'Standardize': (D.Standardize, (dense,), dict(names=None)),
        'past_rows': (D.past_rows, (users, np.arange(8), 3), dict(where=None)),
        'with_history': (D.with_history, (data, D.past_rows(users, np.arange(8), 3)), dict(item_field=-1)),
        'random_split_ml100k': (D.random_split_ml100k, (frame, 0.2, 0.2, 0), {}),
        'temporal_split_ml100k': (D.temporal_split_ml100k, (frame, 0.2, 0.2), {}),
        'split_data_ml100k': (D.split_data_ml100k, (frame, 2, 2, 'random', 0.2, 0), {}),
        'load_data_ml100k': (D.load_data_ml100k, (frame, 2, 2, 'explicit'), {}),
        'ml100k_fold': (D.ml100k_fold, (pd.DataFrame({'rating': range(10)}), 1), {}),
        'Interactions': (D.Interactions, ([0, 1], [0, 1], 2, 3), {}),
        'NegativeSampler': (D.NegativeSampler, (seen,), dict(power=0.5, seed=0)),
        'NegativeLoader': (D.NegativeLoader, (seen, 2), dict(negatives=1, pairwise=False, power=0.0, seed=1)),
        'Ratings': (D.Ratings, ([0, 1], [0, 1], [3, 4.0], 2, 3), {}),
        'RatingRows': (D.RatingRows, (np.ones((3, 4)), np.ones((3, 4))), dict(by='item', target=None)),
        'planted': (D.planted, (50, [3, 2, 4]), dict(linear=1.0, pairwise=1.0, threeway=0.0, nonlinear=0.0,
                    rate=0.3, zipf=1.0, num_factors=4, random_labels=False, seed=0)),
        'planted_log': (D.planted_log, (2, 30, 9, 5), dict(rate=0.1, seed=0)),
        'planted_histories': (D.planted_histories, (50, 3, 4, 5), dict(linear=0.5, related=1.0, latest=0.0,
                              threeway=0.0, rate=0.3, seed=0)),
        'evaluate': (D.evaluate, (net, loader), dict(devices=cpu)),
        'predict': (D.predict, (net, ids), dict(devices=cpu)),
        'fit': (D.fit, (net, loader, loader, None), dict(num_epochs=1, lr=0.1, verbose=False, wd=0.0,
                optimizer='adam', final_lr=None, batch_size=4, seed=0, patience=1)),
        'auc': (D.auc, (labels, scores), {}), 'log_loss': (D.log_loss, (labels, scores), {}),
        'gauc': (D.gauc, (labels, scores, users), {}), 'rmse': (D.rmse, (labels, scores), {}),
        'mae': (D.mae, (labels, scores), {}), 'squared_error': (D.squared_error, (labels, scores), {}),
        'masked_rmse': (D.masked_rmse, (labels, scores, labels), {}),
        'ndcg': (D.ndcg, (np.ones((2, 3)), [[0], [1]]), dict(seen=None, k=2)),
        'hit_rate': (D.hit_rate, (np.ones((2, 3)), [[0], [1]]), dict(seen=None, k=2)),
        'calibration_table': (D.calibration_table, (labels, scores, 2), {}),
        'constant_rate': (D.constant_rate, (labels,), {}),
        'ctr_report': (D.ctr_report, (labels, scores), {}),
        'normalized_entropy': (D.normalized_entropy, (labels, scores), {}),
        'sigmoid': (D.sigmoid, (scores,), {}),
        'bootstrap': (D.bootstrap, (D.rmse, labels, scores), dict(seed=0, draws=5, groups=None, level=0.9)),
        'LR': (D.LR, (dims,), {}), 'FM': (D.FM, (dims, size), {}), 'FFM': (D.FFM, (dims, size), {}),
        'DeepFM': (D.DeepFM, (dims, size, [4], 0.1), {}), 'AFM': (D.AFM, (dims, size, 2, 0.1), {}),
        'NFM': (D.NFM, (dims, size, [4], 0.1), {}), 'DCN': (D.DCN, (dims, size, 2, [4]), {}),
        'XDeepFM': (D.XDeepFM, (dims, size, [4]), dict(cin_dims=[2])),
        'WideDeep': (D.WideDeep, (dims, size, [4]), dict(num_dense=1)),
        'DLRM': (D.DLRM, (dims, size, [4]), dict(num_dense=1, bottom_dims=[2], bag_sizes=())), 'EmbeddingMLP': (D.EmbeddingMLP, (dims, size, [4]), {}),
        'DIN': (D.DIN, (dims, size, [4], 3), dict(item_field=-1, attention_dims=(2,), activation='relu')),
        'DIEN': (D.DIEN, (dims, size, [4], 3), dict(item_field=-1, auxiliary=1.0)),
        'HistoryBag': (D.HistoryBag, (dims, size, [4], 3), {}), 'MF': (D.MF, (2, 3, 4), {}),
        'NeuMF': (D.NeuMF, (2, 3, 4, [4]), {}), 'AutoRec': (D.AutoRec, (3, 4, 0.1), {}),
        'BiasBaseline': (D.BiasBaseline, (), {}),
        'train_ch13': (D.train_ch13, (net, loader, loader, loss, trainer, 1, cpu),
                       dict(verbose=False, seed=1, patience=1, monitor='log_loss', valid_iter=loader,
                       lr_factor=0.5, checkpoint=None)),
        'recommend': (D.recommend, (own, ['a']), dict(k=2, seen=data, user='user', item='item',
                      encoder=data.encoder)),
        'random_search': (D.random_search, (lambda lr: lr, {'lr': [0.1]}), dict(trials=1, seed=0,
                          score=lambda h: h)),
        'warm_start': (D.warm_start, (own, data, own, data), {}),
        'rank_report': (D.rank_report, (mf, seen), dict(seen=None, k=2)),
        'set_seed': (D.set_seed, (1,), {}), 'save': (D.save, (net, '/dev/shm/fuzz-out'), {}),
        'load': (D.load, ('/no/such/file',), {}), 'Checkpoint': (D.Checkpoint, ('/dev/shm/x',), {}),
        'load_vocab': (D.load_vocab, ('/no/such/file',), {}),
        'FTRL': (D.FTRL, (), dict(learning_rate=0.1, lamda1=1.0, beta=1.0)),
        'decay_embeddings_only': (D.decay_embeddings_only, (own,), {}),
        'wide_deep_trainers': (D.wide_deep_trainers, (d2l.WideDeep(dims, size, [4]),), dict(wide_lr=0.1, l1=0.0,
                               deep_lr=0.01, beta=0.001)),
        'Encoder': (D.Encoder, (data.vocabulary,), dict(label='y', dense=[], steps=[])),
        'encode': (data.encoder.encode, (clicks,), dict(label='y')),
        'id_of': (data.id_of, ('user', 'a'), {}), 'value_of': (data.value_of, (0,), {}),
        'Vocabulary.fit': (D.Vocabulary.fit, ({'a': ['x', 'y']},), dict(min_threshold=1)),
        'split': (D.read(clicks, label='y', categories=['user'], numbers=[]).split, ('random', 0.1, 0.1),
                  dict(seed=0, user='user')),
        'data[rows]': (data.__getitem__, ([0, 1],), {}),
        'fetch': (D.fetch, ('no such data set',), {}),
        'open_encoded': (D.open_encoded, ('/no/such folder',), dict(part=(0, 2), check=True)),
        'touch_rows': (D.touch_rows, (touched, True), {}),
        'vectors': (D.instruments.vectors, (mf, 0, 1, [0, 1], ['a', 'b', 'c']), dict(users=[1, 2])),
        'scores': (D.instruments.scores, (labels, {'a': D.sigmoid(scores), 'b': D.sigmoid(-scores)}), {}),
        'moved': (D.instruments.moved, ([0.5],), dict(sharpness=1.0, bias=0.0)),
        'machine': (D.instruments.machine, (1e9,), dict(own={'rows': 1e9}, memory=64.0)),
        'training_needs': (D.instruments.training_needs, (1e9, 1e9), dict(fields=26, factors=8,
                           optimizer='Adam', dense_gradient=False, batch=1024, speed=1e8, network=10.0)),
        'packed': (D.instruments.packed, ([1.0],), dict(bits=16)),
    }  # fmt: skip


CALLS = {}


def call_target(rng, seeds, folder):
    if not CALLS:
        CALLS.update(calls())
    name = rng.choice(sorted(CALLS))
    function, given, named = CALLS[name]
    given, named = list(given), dict(named)
    places = [*range(len(given)), *named] or [0]
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 1, 2)))):
        value = rng.choice(ARGUMENTS)
        if isinstance(place, int):
            given[place : place + 1] = [value]
        else:
            named[place] = value

    def call():
        try:
            function(*given, **named)
        except TypeError as error:  # of an argument too many or too few: Python's own sentence
            if name == 'BiasBaseline' and 'argument' in str(error):
                return
            raise

    call.what = f'{name}(*{given!r:.300}, **{named!r:.300})'
    return call


def folder_target(rng, seeds, folder):
    place = Path(folder) / 'encoded'
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    files = dict(seeds['encoded'])
    spoilt = rng.choice(sorted(files))
    if spoilt.endswith('.json') and rng.random() < 0.7:
        files[spoilt] = json.dumps(changed_json(rng, json.loads(files[spoilt]))).encode()
    else:
        files[spoilt] = changed_bytes(rng, files[spoilt])
    if rng.random() < 0.05:
        files.pop(spoilt)
    for name, data in files.items():
        (place / name).write_bytes(data)
    part = rng.choice((None, None, (0, 2), (1, 3), (5, 2), 'a'))

    def call():
        data = d2l.open_encoded(place, part=part)
        looked_at(data)
        d2l.BatchLoader(data, batch_size=4)

    return call


TARGETS = {
    'encoded folder': (2000, folder_target),
    'text': (9000, text_target('csv', '.csv', CSV_HOWS)),
    'compressed text': (3000, packed_target),
    'JSON lines': (3000, text_target('jsonl', '.jsonl', FRAME_HOWS)),
    'Parquet': (3000, parquet_target),
    'libsvm': (3000, text_target('libsvm', '.libsvm', [{}])),
    'libffm': (3000, text_target('libffm', '.libffm', [{}])),
    'Criteo': (2000, criteo_target),
    'clicks (CTRDataset)': (4000, click_target),
    'MovieLens-100K': (3000, movielens_target),
    'ratings (read_ratings)': (3000, ratings_target),
    'vocabulary': (3000, json_target('vocabulary', read_vocabulary)),
    'encoder': (3000, json_target('encoder', read_encoder)),
    'crosses': (1500, json_target('crosses', step_reader(d2l.Crosses))),
    'quantiles': (1000, json_target('quantiles', step_reader(d2l.Quantiles))),
    'standardize': (1000, json_target('standardize', step_reader(d2l.Standardize))),
    'bags': (1000, json_target('bags', step_reader(d2l.Bags))),
    'model': (4000, model_target),
    'checkpoint': (2500, checkpoint_target),
    'frame': (4000, frame_target),
    'request (Saved.predict)': (2000, request_target),
    'arguments': (6000, call_target),
}


# ------------------------------------------------------------------------------------- judging


def verdict(call):
    """('read' or 'refused' or what is wrong, what was said)."""
    try:
        call()
        mx.nd.waitall()
        return 'read', ''
    except AssertionError as error:
        return f'WRONG: {error}', traceback.format_exc()
    except (ValueError, TypeError, OSError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        name, text = type(error).__name__, str(error)
        if isinstance(error, OSError) and not text.strip().count('\n'):
            return 'refused', text
        module = type(error).__module__
        if not last.startswith(LIBRARY) or module.startswith(('pyarrow', 'pandas', 'zipfile')):
            return f'FOREIGN {name}', traceback.format_exc()
        source = traceback.extract_tb(error.__traceback__)[-1].line or ''
        if not source.lstrip().startswith(('raise', 'return')) and 'raise' not in source:
            return f'FOREIGN {name}', traceback.format_exc()  # of Python itself, in a line of ours
        if not text.strip() or '\n' in text.strip():
            return f'SAID IN LINES {name}', traceback.format_exc()
        return 'refused', text
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return f'FOREIGN {type(error).__name__}', traceback.format_exc()


class TooLong(BaseException):
    pass


def _too_long(*_):
    raise TooLong


def one(target, number, seeds, folder):
    """Judge one input."""
    rng = random.Random(f'{SEED} {target} {number}')
    random.seed(number)
    call = TARGETS[target][1](rng, seeds, folder)
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return (*verdict(call), getattr(call, 'what', ''))
    finally:
        signal.alarm(0)


def piece(target, numbers, seeds, results):
    """Judge inputs in a forked process; what kills it counts, and the rest goes on."""
    numbers = list(numbers)
    while numbers:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            where = '/dev/shm' if os.path.isdir('/dev/shm') else None
            with tempfile.TemporaryDirectory(dir=where) as folder, os.fdopen(write, 'w') as out:
                os.chdir(folder)  # an odd path may be written to
                for number in numbers:
                    found, said, what = one(target, number, seeds, folder)
                    said = '' if found in ('read', 'refused') else said
                    out.write(json.dumps([number, found, said, what if said else '']) + '\n')
                    out.flush()
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as lines:
            done = [json.loads(line) for line in lines]
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        results += done
        numbers = numbers[len(done) :]
        if status != 0 and numbers:
            results.append([numbers.pop(0), f'DIED ({status})', '', ''])


def run(part, scale, only, seconds):
    number, of = map(int, part.split('/'))
    RESULTS.mkdir(parents=True, exist_ok=True)
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            seeds = make_seeds(Path(folder))
    for target, (count, _) in TARGETS.items():
        if only and target not in only:
            continue
        record = RESULTS / f'{target.replace("/", " ")} {number} of {of}.json'
        if record.exists() and not only:
            continue
        if time.time() - begun > seconds:
            print('time is up: run the same again to go on')
            return
        start, results = time.time(), []
        mine = list(range(int(count * scale)))[number - 1 :: of]
        for at in range(0, len(mine), PIECE):
            piece(target, mine[at : at + PIECE], seeds, results)
        record.write_text(json.dumps(results))
        counts = collections.Counter(r[1] for r in results)
        print(f'{target:25} {time.time() - start:6.1f} s', dict(counts), flush=True)
        shown = collections.Counter()
        for n, found, said, what in results:
            if found not in ('read', 'refused') and shown[found] < 3:
                shown[found] += 1
                tail = ' | '.join(line.strip() for line in said.strip().splitlines()[-5:])
                print(f'    {n}: {found} {what[:150]} {tail[-400:]}')


# --------------------------------------------------------------------------- led by coverage


def readers(seeds, folder):
    """(suffix, valid files, what reads one) of each kind, for inputs that are bytes."""

    def archive_of(valid):
        with zipfile.ZipFile(io.BytesIO(valid)) as archive:
            members = {m.filename: archive.read(m) for m in archive.infolist()}

        def read(path, load):
            facts = Path(path).read_bytes()
            with zipfile.ZipFile(path, 'w') as archive:
                for name, content in members.items():
                    archive.writestr(name, facts if name == 'facts.json' else content)
            load(path)

        return members['facts.json'], read

    model, read_model = archive_of(seeds['model'][1])
    state, read_state = archive_of(seeds['checkpoint'][0])

    def movielens(name):
        def read(path):
            for other in ('u.data', 'u.user', 'u.item'):
                spoilt = Path(path).read_bytes() if other == name else seeds[other][0]
                _file(folder, other, spoilt)
            d2l.read_ml100k(folder)

        return read

    return [
        *((".csv", [valid], lambda p, how=how: looked_at_table(d2l.read(p, **how)))
          for valid, how in zip(seeds['csv'], FITTING['csv'])),
        ('.csv', seeds['csv'], lambda p: looked_at_table(d2l.read(p))),
        ('.jsonl', seeds['jsonl'], lambda p: looked_at_table(d2l.read(p, **FITTING['jsonl'][0]))),
        ('.libsvm', seeds['libsvm'], lambda p: looked_at_table(d2l.read(p))),
        ('.libffm', seeds['libffm'], lambda p: looked_at_table(d2l.read(p))),
        ('.parquet', seeds['parquet'], lambda p: looked_at_table(d2l.read(p, label='y'))),
        ('.txt', seeds['criteo'], lambda p: looked_at(d2l.CTRDataset.from_criteo(p))),
        ('.tsv', seeds['clicks'],
         lambda p: looked_at(d2l.CTRDataset(p, min_threshold=1, num_feat=2))),
        ('.json', seeds['vocabulary'], read_vocabulary), ('.json', seeds['encoder'], read_encoder),
        *(('.json', seeds[name], step_reader(cls)) for name, cls in (
            ('crosses', d2l.Crosses), ('quantiles', d2l.Quantiles), ('bags', d2l.Bags))),
        ('.dat', seeds['ratings.dat'], lambda p: d2l.read_ratings(p).ratings()),
        *(('.cells', seeds[n], movielens(n)) for n in ('u.data', 'u.user', 'u.item')),
        ('.model', [model], lambda p: read_model(p, d2l.load)),
        ('.state', [state], lambda p: read_state(p, train_once)),
    ]  # fmt: skip


def guided(seconds, corpus):
    """Change inputs that found new code, again and again."""
    corpus, found = Path(corpus), {}
    corpus.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        kinds = readers(make_seeds(folder), folder)
    for i, (_, valid, _) in enumerate(kinds):
        for j, data in enumerate(valid):
            (corpus / f'seed-{i}-{j}').write_bytes(bytes([i]) + data)
    counts = collections.Counter()

    def try_one(data):
        if not data:
            return
        suffix, _, read = kinds[data[0] % len(kinds)]
        path = _file(folder, 'in' + suffix, data[1:])
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(LONGEST)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            what, said = verdict(lambda: read(path))
        signal.alarm(0)
        if sum(counts.values()) % 200 == 0:
            report()
        counts[what if what in ('read', 'refused') else 'finding'] += 1
        if what not in ('read', 'refused'):
            where = [line for line in said.splitlines() if LIBRARY in line]
            key = what + (where[-1] if where else '')
            if key not in found:
                found[key] = said
                RESULTS.mkdir(parents=True, exist_ok=True)
                (RESULTS / f'finding-{len(found)}-{time.time():.0f}').write_bytes(data)
                print(f'FOUND {key}\n{said[-600:]}', file=sys.stderr, flush=True)

    record = RESULTS / f'guided-{time.time():.0f}.json'

    def report():  # now and then: libFuzzer ends the process by itself
        RESULTS.mkdir(parents=True, exist_ok=True)
        kept = len(list(corpus.iterdir()))
        facts = {'seconds': seconds, 'counts': counts, 'findings': list(found), 'kept': kept}
        record.write_text(json.dumps(facts))

    options = [f'-max_total_time={seconds}', '-max_len=20000', '-timeout=60', '-rss_limit_mb=6000',
               '-print_final_stats=1', str(corpus)]  # fmt: skip
    atheris.Setup(['fuzz', *options], try_one)
    atheris.Fuzz()


# --------------------------------------------------------------------------------------- table


def table():
    """Write the table of all results; what stands below it in the file stays."""
    counts = {target: collections.Counter() for target in TARGETS}
    for record in RESULTS.glob('* of *.json'):
        target = record.name.rsplit(' ', 3)[0]
        for _, found, *_ in json.loads(record.read_text()):
            kind = found if found in ('read', 'refused') else 'findings'
            counts[target][kind] += 1
    rows = [(t, sum(c.values()), c['read'], c['refused'], c['findings']) for t, c in counts.items()]
    total = [sum(column) for column in zip(*(r[1:] for r in rows))]
    led = [json.loads(p.read_text()) for p in RESULTS.glob('guided-*.json')]
    lines = [
        '# Damaged files and odd arguments',
        '',
        f'`tools/fuzz.py`, seed {SEED}, {total[0]:,} inputs: valid files, frames and calls, changed a '
        'little. An input is a finding where it gets anything but data that holds together or one '
        'sentence (`ValueError` or `TypeError` raised here, or `OSError`), kills the process, takes '
        'over 20 s or 3 GB. Python 3.11, NumPy 2.4, pandas 3, pyarrow; 2 cores x86_64, one thread.',
        '',
        '| what is read | inputs | read | refused | findings |',
        '|---|---:|---:|---:|---:|',
        *(f'| {t} | {n:,} | {a:,} | {b:,} | {c} |' for t, n, a, b, c in rows),
        f'| **all** | **{total[0]:,}** | **{total[1]:,}** | **{total[2]:,}** | **{total[3]}** |',
        '',
    ]
    if led:
        seconds, inputs = (
            sum(f['seconds'] for f in led),
            sum(sum(f['counts'].values()) for f in led),
        )
        lines += [
            f'Led by coverage (atheris, {seconds} s in {len(led)} pieces with one corpus): {inputs:,} '
            f'inputs, {max(f["kept"] for f in led):,} of which took a branch of their own, '
            f'{sum(f["counts"].get("finding", 0) for f in led)} findings.',
            '',
        ]
    old = TABLE.read_text(encoding='utf-8') if TABLE.exists() else '## Found'
    TABLE.write_text('\n'.join(lines) + '\n' + old[old.index('## Found') :], encoding='utf-8')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    command = commands.add_parser('run')
    command.add_argument('--part', default='1/1')
    command.add_argument('--scale', type=float, default=1.0)
    command.add_argument('--only', nargs='*')
    command.add_argument('--seconds', type=float, default=1e9)
    command = commands.add_parser('one')
    command.add_argument('target')
    command.add_argument('number', type=int)
    command = commands.add_parser('guided')
    command.add_argument('--seconds', type=int, default=600)
    command.add_argument('--corpus', default=str(RESULTS / 'corpus'))
    commands.add_parser('table')
    given = parser.parse_args()
    if given.command == 'run':
        run(given.part, given.scale, given.only, given.seconds)
    elif given.command == 'table':
        table()
    elif given.command == 'guided':
        guided(given.seconds, given.corpus)
    elif given.command == 'one':
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            print(*one(given.target, given.number, make_seeds(Path(folder)), folder), sep='\n')


if __name__ == '__main__':
    main()
