"""Runs that are killed at any moment and go on: do they end as if nothing had happened?

    python benchmarks/kill_resume.py                         # every case, 100 kills
    python benchmarks/kill_resume.py --cases mf fm --kills 9 # some of them
    python benchmarks/kill_resume.py --seed 2 --kills 33 --append rows.txt   # a part of them
    python benchmarks/kill_resume.py --table rows.txt        # the table of what was appended

A case is a function of a folder that works through to its end, going on from what it finds there,
and returns what it came to: weights on all devices and the history, or the bytes of a file. It is
run once without being disturbed. Then processes that do the same are killed by SIGKILL: half of
them at a random moment after training began, half of them at a random point inside a write (in the
middle of a piece, before and after the flush to disk, before and after the renaming). A run is
killed up to three times and then left to end. It has to give the same bits; no file under its
right name may ever be broken; nothing unfinished may be left beside it.
"""

import argparse
import gc
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import types
import warnings
import zipfile
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import d2lrec as d2l
from d2lrec import files
from d2lrec.data import blocks, encoded
from d2lrec.weights import weights_of

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import gluon
from mxnet.gluon import nn

EPOCHS = 6
TWO = [mx.cpu(0), mx.cpu(1)]
MOST = 3  # kills of one run


def trained(net, history):
    """What a run came to, as bytes: all replicas, all measures but times, the best epoch."""
    yield from (a.asnumpy().tobytes() for p in weights_of(net).values() for a in p.list_data())
    rows = [{k: v for k, v in row.items() if 'seconds' not in k} for row in history.rows]
    yield json.dumps([rows, history.best_epoch]).encode()


def state(folder):
    return None if folder is None else folder / 'state'


def clicks(folder, net, make=None, devices=None, last_batch='keep', **options):
    """A classifier on planted clicks."""
    data = d2l.planted(900, [9, 7, 5, 30], seed=1)
    train, valid = data[:700], data[700:]
    if 'dense' in net.inputs:
        dense = np.random.default_rng(0).normal(size=(900, net.inputs['dense']))
        parts = [(p.features, d, p.labels) for p, d in zip((train, valid), np.split(dense, [700]))]
    else:
        parts = [(p.features, p.labels) for p in (train, valid)]
    d2l.set_seed(3)
    net.initialize(ctx=devices or [mx.cpu(0)])
    net.hybridize(static_alloc=True, static_shape=True)
    train = d2l.BatchLoader(*parts[0], batch_size=64, shuffle=True, last_batch=last_batch)
    valid = d2l.BatchLoader(*parts[1], batch_size=100)
    trainer = (make or adam)(net)
    loss = gluon.loss.SigmoidBCELoss()
    history = d2l.train_ch13(
        net, train, None, loss, trainer, EPOCHS, valid_iter=valid, seed=7, verbose=False,
        checkpoint=state(folder), **options,
    )  # fmt: skip
    return trained(net, history)


def adam(net):
    schedule = mx.lr_scheduler.FactorScheduler(step=10, factor=0.9, base_lr=0.05)
    settings = {'learning_rate': 0.05, 'lr_scheduler': schedule}
    return gluon.Trainer(net.collect_params(), 'adam', settings)


def nadam(net):
    return gluon.Trainer(net.collect_params(), 'nadam', {'learning_rate': 0.01})


def normed(net, width=8):
    """With batch normalization as the last hidden layer."""
    net.mlp.hidden.add(nn.BatchNorm(in_channels=width))
    return net


DIMS = [9, 7, 5, 30]


def fm(folder):
    """FM, Adam with a schedule, rollover batches"""
    return clicks(folder, d2l.FM(DIMS, 4), last_batch='rollover')


def deepfm(folder):
    """DeepFM, dropout and BatchNorm, two devices"""
    return clicks(folder, normed(d2l.DeepFM(DIMS, 4, [8], drop_rate=0.5)), devices=TWO)


def wide_deep(folder):
    """Wide & Deep, two trainers (FTRL and AdaGrad), falling rates, AUC"""
    net = d2l.WideDeep(DIMS, 4, [8], num_dense=2)
    return clicks(folder, net, d2l.wide_deep_trainers, lr_factor=0.5, monitor='auc')


def dcn(folder):
    """DCN, dropout and BatchNorm, NAdam"""
    return clicks(folder, normed(d2l.DCN(DIMS, 4, [8], drop_rate=0.3)), nadam)


def dcn_two(folder):
    """DCN, dropout and BatchNorm, NAdam, two devices"""
    return clicks(folder, normed(d2l.DCN(DIMS, 4, [8], drop_rate=0.3)), nadam, devices=TWO)


def large(folder):
    """FM of 1.2 million weights under Adam, whose checkpoint of 19 MB takes a while"""
    data = d2l.planted(400, [60_000, 40_000], seed=1)
    net = d2l.FM(data.field_dims, 11)
    history = d2l.fit(
        net, data[:300], data[300:], batch_size=100, num_epochs=3, checkpoint=state(folder)
    )
    return trained(net, history)


def rows(folder):
    """FM trained by touched rows, lazy Adam, two tables of 50,000 rows"""
    data = d2l.planted(900, [30_000, 20_000], zipf=1.1, seed=1)
    d2l.set_seed(3)
    net = d2l.FM(data.field_dims, 4)
    history = d2l.fit(
        net, data[:700], data[700:], batch_size=64, num_epochs=EPOCHS, rows=True, seed=7,
        checkpoint=state(folder),
    )  # fmt: skip
    return trained(net, history)


def log_of(folder):
    """A log of 3,000 rows as a file, always the same, changed at the same time."""
    path = folder / 'log.csv'
    if not path.exists():
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({
            'y': rng.integers(0, 2, 3000), 'user': rng.zipf(1.3, 3000) % 500,
            'item': rng.integers(0, 60, 3000), 'price': rng.normal(size=3000).round(3),
            'tags': [f't{a}|t{b}' for a, b in rng.integers(0, 9, (3000, 2))],
        })  # fmt: skip
        with files.atomic_write(path) as file:
            frame.to_csv(file, index=False)
        os.utime(path, (10**9, 10**9))
    blocks.BYTES = 6_000  # some 15 blocks
    return path, {
        'label': 'y', 'categories': ['user', 'item'], 'numbers': ['price'],
        'multi': {'tags': '|'}, 'verbose': False,
    }  # fmt: skip


def encoding(folder):
    """A log encoded into a folder of files"""
    path, how = log_of(folder)
    began()
    data = d2l.encode(path, folder / 'encoded', **how)
    yield data.digest.encode()
    for made in sorted((folder / 'encoded').iterdir()):
        yield made.name.encode() + made.read_bytes()


def from_folder(folder):
    """DeepFM from a folder of encoded rows, encoded on the way, rows shuffled by stretches"""
    path, how = log_of(folder)
    how['multi'] = {}
    began()
    data = d2l.encode(path, folder / 'encoded', **how)
    encoded.EncodedFolder.stretch = 100
    d2l.set_seed(3)
    net = d2l.DeepFM(data.field_dims, 4, [8])
    history = d2l.fit(
        net, data[:2500], data[2500:], batch_size=128, num_epochs=EPOCHS, seed=7,
        checkpoint=state(folder),
    )  # fmt: skip
    return trained(net, history)


def mf(folder):
    """MF of ratings, two devices"""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 40, 900), rng.integers(0, 30, 900)
    ratings = (3 + rng.normal(size=40)[users] + rng.normal(size=900)).astype('float32')
    d2l.set_seed(3)
    net = d2l.MF(4, 40, 30, mean=3.0)
    net.initialize(ctx=TWO)
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    train, valid = (
        d2l.BatchLoader(users[rows], items[rows], ratings[rows], batch_size=50, shuffle=shuffled)
        for rows, shuffled in ((slice(700), True), (slice(700, 900), False))
    )
    history = d2l.train_recsys_rating(
        net, train, None, gluon.loss.L2Loss(), trainer, EPOCHS, TWO, valid_iter=valid, seed=4,
        verbose=False, checkpoint=state(folder),
    )  # fmt: skip
    return trained(net, history)


def autorec(folder):
    """AutoRec, dropout, a trainer for the encoder and one for the decoder"""
    rng = np.random.default_rng(0)
    matrix = rng.integers(1, 6, (60, 30)).astype('float32')
    seen = rng.random(matrix.shape) < 0.5
    d2l.set_seed(3)
    net = d2l.AutoRec(6, 30, dropout=0.3)
    net.initialize()
    trainers = [
        gluon.Trainer(part.collect_params(), name, {'learning_rate': 0.05})
        for part, name in ((net.encoder, 'adam'), (net.decoder, 'adagrad'))
    ]
    loader = d2l.BatchLoader(matrix, seen, batch_size=16, shuffle=True, seed=2)
    rows = d2l.BatchLoader(matrix, seen, batch_size=16)
    history = d2l.train_recsys_rating(
        net, loader, None, gluon.loss.L2Loss(), trainers, EPOCHS, valid_iter=rows,
        valid_mat=matrix, valid_mask=~seen, seed=4, verbose=False, checkpoint=state(folder),
    )  # fmt: skip
    return trained(net, history)


def bpr(folder):
    """MF on pairs drawn anew for each epoch (BPR)"""
    rng = np.random.default_rng(0)
    pairs = rng.permutation(40 * 30)[:700]
    train, valid = (d2l.Interactions(p // 30, p % 30, 40, 30) for p in (pairs[:600], pairs[600:]))
    d2l.set_seed(3)
    net = d2l.MF(4, 40, 30, output='logit')
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), 'adam', {'learning_rate': 0.02})
    loader = d2l.NegativeLoader(train, batch_size=64, pairwise=True, seed=3)
    history = d2l.train_ranking(
        net, loader, d2l.BPRLoss(), trainer, EPOCHS, valid=valid, seed=4, verbose=False,
        checkpoint=state(folder),
    )  # fmt: skip
    return trained(net, history)


def saved(folder):
    """A model and its vocabulary, written over older ones"""
    with tempfile.TemporaryDirectory() as own:
        folder = Path(own) if folder is None else folder
        began()
        for seed in (1, 2, 3):
            clicks = d2l.planted(500, DIMS, seed=seed)
            data = d2l.CTRDataset(clicks.frame(), min_threshold=2)
            d2l.set_seed(seed)
            net = d2l.FM(data.field_dims, 16)
            net.initialize()
            d2l.save(net, folder / 'model', data)
            data.save_vocab(folder / 'vocab.json')
        model = d2l.load(folder / 'model').net
        yield from (p.data().asnumpy().tobytes() for p in weights_of(model).values())
        yield (folder / 'vocab.json').read_bytes()


def served(folder):
    """FM over two workers and two servers, tables by rows"""
    from d2lrec.train import distributed

    distributed.ServedTrainer.__init__.__defaults__ = (1,)
    data = d2l.planted(900, [60, 40], zipf=1.1, seed=1)
    net = d2l.FM(data.field_dims, 4)
    began()
    history = d2l.fit(
        net, data[:700], data[700:], batch_size=100, num_epochs=EPOCHS, lr=1.0, optimizer='sgd',
        checkpoint=state(folder), kvstore='dist_sync',
    )  # fmt: skip
    for row in history.rows:  # training measures are of the worker's own share
        for name in [n for n in row if n.startswith('train')]:
            del row[name]
    found = list(trained(net, history))
    distributed._open['store'] = None  # says goodbye to the servers, before Python takes all apart
    gc.collect()
    return found


# A new case: a function as these, and its name here. What it writes is named in `whole` below.
CASES = (
    fm, deepfm, wide_deep, dcn, dcn_two, large, rows, mf, autorec, bpr, saved, encoding,
    from_folder, served,
)  # fmt: skip
CASES = {case.__name__: case for case in CASES}


def whole(path):
    """Whether a file under its right name is what a reader of it expects."""
    if path.is_dir():  # which says itself whether it is finished
        finished = (path / encoded.DONE).exists()
        return not finished or bool(len(d2l.open_encoded(path)))
    if path.suffix == '.csv':
        return len(path.read_text().splitlines()) == 3001
    if path.suffix == '.json':
        return bool(json.loads(path.read_text(encoding='utf-8')))
    with zipfile.ZipFile(path) as archive:
        return archive.testzip() is None


def digest(parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


# In the process that is killed.


class Points:
    """Counts the places inside writes, and ends the process at the one that was drawn."""

    def __init__(self, deadly):
        self.count, self.deadly = 0, deadly

    def pass_by(self, before=lambda: None):
        self.count += 1
        if self.count == self.deadly:
            before()
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self):
        """Lay the points into everything that `atomic_write` does."""
        points = self

        class File(io.FileIO):
            def write(self, data):
                half = bytes(data[: len(data) // 2])
                points.pass_by(lambda: super(File, self).write(half))
                return super().write(data)

        def opened(handle, mode, encoding=None):
            buffered = io.BufferedWriter(File(handle, 'w'), 1 << 16)
            return buffered if 'b' in mode else io.TextIOWrapper(buffered, encoding=encoding)

        def around(act):
            def acted(*args, **kwargs):
                points.pass_by()
                done = act(*args, **kwargs)
                points.pass_by()
                return done

            return acted

        def opened_at(path, mode='r', **how):
            plain = not isinstance(path, str) or not set(mode) & set('w+')
            return open(path, mode, **how) if plain else File(path, mode.replace('b', ''))

        watched = types.SimpleNamespace(**vars(os))
        for name in ('fsync', 'chmod', 'replace'):
            setattr(watched, name, around(getattr(os, name)))
        files.open, files.os = opened, watched
        encoded.open, encoded.os = opened_at, watched


_BEGAN = False


def began():
    """Say that the work itself begins now: kills count from here."""
    global _BEGAN
    if not _BEGAN:
        print('began', flush=True)
    _BEGAN = True


def work(name, folder, deadly):
    warnings.simplefilter('ignore')
    points = Points(deadly)
    points.watch()
    step = gluon.Trainer.step

    def first_step(*args):
        began()
        return step(*args)

    gluon.Trainer.step = first_step
    found = digest(CASES[name](folder))
    print(json.dumps({'digest': found, 'points': points.count}), flush=True)


# In the process that kills.


class Worker:
    """A process at work; here from the moment that it said it began, or was gone.

    It is forked from this one, which has imported the library and not used it: 2 s less than a new
    interpreter. With `fresh` it is one.
    """

    fresh = False

    def __init__(self, name, folder, deadly=0):
        read, write = os.pipe()
        if self.fresh:
            command = [sys.executable, __file__, '--work', name, str(folder), str(deadly)]
            root = str(Path(d2l.__file__).parent.parent)
            environment = {**os.environ, 'PYTHONPATH': root}
            self._process = subprocess.Popen(command, stdout=write, env=environment)
            self.pid = self._process.pid
        else:
            self.pid = os.fork()
        if not self.pid:
            self._work(write, name, folder, deadly)
        os.close(write)
        self._said, self.status = open(read), None
        self._first = self._said.readline()
        self.since = time.monotonic()

    @staticmethod
    def _work(write, name, folder, deadly):
        try:
            os.dup2(write, 1)
            sys.stdout = open(1, 'w')
            work(name, folder, deadly)
            os._exit(0)
        except BaseException as error:
            print(f'{name}: {type(error).__name__}: {error}', file=sys.stderr, flush=True)
            os._exit(1)

    def wait(self, seconds=None):
        """Wait for its end, or so long; whether it has ended."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, 0 if end is None else os.WNOHANG)
            if pid:
                self.status = status
            elif time.monotonic() > end:
                return False
            else:
                time.sleep(0.002)
        return True

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    @property
    def killed(self):
        return os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL

    def result(self):
        """What it printed last, once it has ended; None where it failed."""
        self.wait()
        lines = (self._first + self._said.read()).strip().splitlines()
        self._said.close()
        return None if self.status or not lines else json.loads(lines[-1])


class Job:
    """A job over servers: `Worker` for a case whose work five processes share."""

    def __init__(self, name, folder, deadly=0):
        script = [sys.executable, '-m', 'd2lrec.launch', '--workers', '2', '--servers', '2']
        command = [*script, __file__, '--work', name, str(folder), '0']
        root = str(Path(d2l.__file__).parent.parent)
        environment = {**os.environ, 'PYTHONPATH': root}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self._first, self.killed = self._process.stdout.readline(), False
        self.since = time.monotonic()

    def wait(self, seconds=None):
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def status(self):
        return 0 if self.killed else self._process.returncode

    def kill(self, rng):
        """Kill one of its processes; the launcher is to end the others."""
        listed = Path(f'/proc/{self._process.pid}/task/{self._process.pid}/children').read_text()
        try:
            os.kill(int(rng.choice(listed.split())), signal.SIGKILL)
            self.killed = True
        except (IndexError, ProcessLookupError):  # they had just ended
            pass

    def result(self):
        said, told = self._process.communicate()
        lines = [line for line in (self._first + said).splitlines() if line.startswith('{')]
        found = [json.loads(line) for line in lines]
        if self._process.returncode or len({f['digest'] for f in found}) != 1 or len(found) != 2:
            print(told, file=sys.stderr)
            return None
        return found[0]


def undisturbed(name):
    """Digest, number of points inside writes, and seconds of work of a run that is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        worker = (Job if name == 'served' else Worker)(name, Path(folder))
        found = worker.result()
        if found is None:
            raise SystemExit(f'{name} fails without a kill.')
        return found['digest'], found['points'], time.monotonic() - worker.since


def killed_run(name, alone, kills, rng):
    """One run, killed so many times and then left to end; a dict of what happened."""
    expected, points, seconds = alone
    counts = ('kills', 'in writes', 'unfinished', 'broken', 'litter')
    seen = {'case': name, **dict.fromkeys(counts, 0)}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        tries = 0
        while seen['kills'] < kills and tries < 4 * kills:
            tries += 1
            if name == 'served':
                job = Job(name, folder)
                if not job.wait(rng.uniform(0, seconds / (1 + seen['kills']))):
                    job.kill(rng)
                job.wait()
                seen['kills'] += job.killed
                seen['broken'] += bool(job.status)
                seen['broken'] += sum(not whole(p) for p in folder.glob('[!.]*'))
                continue
            in_write = rng.random() < 0.5
            # what is left to do gets less with each kill, and so do the points
            deadly = rng.randrange(1, max(2, points // (1 + seen['kills']))) if in_write else 0
            worker = Worker(name, folder, deadly)
            if not in_write and not worker.wait(rng.uniform(0, seconds / (1 + seen['kills']))):
                worker.kill()
            worker.wait()
            if worker.killed:
                seen['kills'] += 1
                seen['in writes'] += in_write
                seen['unfinished'] += any(_unfinished(folder))
            elif worker.status:
                seen['broken'] += 1
            seen['broken'] += sum(
                not whole(p) for p in folder.iterdir() if not p.name.startswith('.')
            )
        found = (Job if name == 'served' else Worker)(name, folder).result()
        seen['equal'] = found is not None and found['digest'] == expected
        seen['litter'] = len(_unfinished(folder))
    return seen


def _unfinished(folder):
    """Files that are there for a time only: of a write, and of the first pass of an encoding."""
    names = [p for p in folder.rglob('*') if p.name[0] == '.' or p.suffix == '.part']
    return [*names, *folder.rglob(encoded.BEGUN)]


def table(rows):
    """The rows of all runs as a Markdown table, a line a case."""
    columns = 'case | runs | kills | inside writes | left an unfinished file | broken files'
    lines = [f'| {columns} | litter at the end | equal bit for bit |', '|---' * 8 + '|']
    names = [name for name in CASES if any(row['case'] == name for row in rows)]
    for name in [*names, 'all']:
        mine = [row for row in rows if name in (row['case'], 'all')]

        def total(key, mine=mine):
            return sum(row[key] for row in mine)

        title = CASES[name].__doc__ if name in CASES else '**all**'
        lines.append(
            f'| {title} | {len(mine)} | {total("kills")} | {total("in writes")} | '
            f'{total("unfinished")} | {total("broken")} | {total("litter")} | '
            f'{total("equal")} of {len(mine)} |'
        )
    return '\n'.join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cases', nargs='+', default=list(CASES), choices=list(CASES))
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--most', type=int, default=MOST, help='kills of one run')
    parser.add_argument('--runs', type=int, help='end after so many runs, killed or not')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--fresh', action='store_true', help='a new interpreter for each process')
    parser.add_argument('--append', type=Path, help='write what happened at the end of this file')
    parser.add_argument('--table', type=Path, help='print the table of such a file, and no more')
    parser.add_argument('--work', nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work:
        name, folder, deadly = options.work
        return work(name, Path(folder), int(deadly))
    if options.table:
        rows = [json.loads(line) for line in options.table.read_text().splitlines()]
        print(table(rows))
        return rows
    Worker.fresh = options.fresh
    rng, rows, alone, turn = random.Random(options.seed), [], {}, 0
    while (left := options.kills - sum(row['kills'] for row in rows)) > 0:
        if options.runs is not None and len(rows) >= options.runs:
            break
        name = options.cases[turn % len(options.cases)]
        turn += 1
        if name not in alone:
            alone[name] = undisturbed(name)
        rows.append(killed_run(name, alone[name], min(left, rng.randint(1, options.most)), rng))
        if options.append:
            with open(options.append, 'a') as file:
                file.write(json.dumps(rows[-1]) + '\n')
    print(table(rows))
    return rows


if __name__ == '__main__':
    main()
