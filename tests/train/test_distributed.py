"""Training over the parameter server, in processes on this machine; the launcher's own part."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import d2lrec as d2l
from d2lrec import launch
from d2lrec.train import distributed

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WORKER = """
import json, os, sys
import d2lrec as d2l
from d2lrec.train import distributed
import numpy as np
folder = sys.argv[1]
distributed.ROWS = 1     # all tables by rows
clicks = d2l.planted(1051, [60, 40], linear=1.0, zipf=1.1, seed=0)
net = d2l.FM(clicks.field_dims, 4)
history = d2l.fit(net, clicks, clicks[:300], lr=1.0, optimizer='sgd', batch_size=200,
                  num_epochs=2, checkpoint=folder + '/run', kvstore='dist_sync', verbose=True)
weights = {n: p.data().asnumpy() for n, p in net._collect_params_with_prefix().items()}
np.savez(f'{folder}/{os.getpid()}.npz', **weights)
with open(f'{folder}/{os.getpid()}.json', 'w') as file:
    json.dump([history.rows, history.traffic], file)
"""


def test_two_workers_and_two_servers_go_on_as_one_process_would(tmp_path):
    clicks = d2l.planted(1051, [60, 40], linear=1.0, zipf=1.1, seed=0)
    net = d2l.FM(clicks.field_dims, 4)
    how = {'lr': 1.0, 'optimizer': 'sgd', 'batch_size': 200, 'checkpoint': tmp_path / 'alone'}
    d2l.fit(net, clicks, clicks[:300], num_epochs=1, **how)
    shutil.copy(tmp_path / 'alone', tmp_path / 'run')  # from which the workers resume
    history = d2l.fit(net, clicks, clicks[:300], num_epochs=2, **how)
    (tmp_path / 'worker.py').write_text(WORKER)
    out = subprocess.run(
        [sys.executable, '-m', 'd2lrec.launch', '--workers', '2', '--servers', '2',
         str(tmp_path / 'worker.py'), str(tmp_path)],
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert out.stdout.count('examples/sec') == 1  # the first worker speaks
    workers = [np.load(f) for f in tmp_path.glob('*.npz')]
    assert len(workers) == 2
    for name, parameter in net._collect_params_with_prefix().items():
        assert (workers[0][name] == workers[1][name]).all()
        assert workers[0][name] == pytest.approx(parameter.data().asnumpy(), abs=1e-6)
    seen = [json.loads(f.read_text()) for f in tmp_path.glob('*.json')]
    for rows, traffic in seen:
        assert rows[1]['valid_loss'] == pytest.approx(history['valid_loss'][1], abs=1e-6)
        assert sorted(traffic['by rows']) == ['embedding.weight', 'linear.weight']
        assert 0 < traffic['sent a step'] <= 4 * 5 * 100 + 16 * 100 + 4 and traffic['steps'] == 6
    assert sum(rows[1]['train_rows'] for rows, _ in seen) == 1051


def test_refusals(monkeypatch):
    data, net = d2l.planted(60, [5, 4], seed=0), d2l.LR([5, 4])
    with pytest.raises(ValueError, match="choose 'dist_sync' or 'dist_async'"):
        d2l.fit(net, data, kvstore='local')
    with pytest.raises(ValueError, match='there are no servers: run the script by'):
        d2l.fit(net, data, kvstore='dist_sync')
    monkeypatch.setenv('DMLC_ROLE', 'worker')
    with pytest.raises(ValueError, match='lr_factor is given and the servers keep the rate'):
        d2l.fit(net, data, data, kvstore='dist_sync', lr_factor=0.5)
    with pytest.raises(ValueError, match='clip is given and each worker sees its own share'):
        d2l.fit(net, data, data, kvstore='dist_sync', clip=1.0)
    with pytest.raises(ValueError, match='Interactions train on one machine'):
        d2l.fit(net, d2l.Interactions([0, 1], [1, 0]), kvstore='dist_sync')


def test_a_worker_by_hand_is_told_what_it_lacks(monkeypatch):
    data, net = d2l.planted(60, [5, 4], seed=0), d2l.LR([5, 4])
    given = {
        'DMLC_ROLE': 'worker', 'DMLC_PS_ROOT_URI': '127.0.0.1', 'DMLC_NUM_WORKER': '1',
        'DMLC_PS_ROOT_PORT': str(launch.free_port()), 'DMLC_NUM_SERVER': '1',
    }  # fmt: skip
    for name in given:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(distributed, 'PATIENCE', 0)
    monkeypatch.setattr(distributed, 'PAUSE', 0)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
        if name != 'DMLC_NUM_SERVER':
            with pytest.raises(ValueError, match='its DMLC_.* is not set: start the script by'):
                d2l.fit(net, data, kvstore='dist_async')
    with pytest.raises(ValueError, match='no scheduler answers at 127.0.0.1:'):
        d2l.fit(net, data, kvstore='dist_async')
    monkeypatch.setenv('DMLC_NUM_SERVER', 'two')
    with pytest.raises(ValueError, match="its DMLC_NUM_SERVER is 'two'"):
        d2l.fit(net, data, kvstore='dist_sync')


class _Stub:
    """What a loader asks of a trainer."""

    def __init__(self, rank, num_workers, tables=('embedding.weight',)):
        self.rank, self.num_workers, self.tables, self.pulled = rank, num_workers, tables, []
        self.begin = self.pull_all = self.release = lambda: None

    def pull(self, count):
        self.pulled.append(count)


def test_a_worker_without_servers_is_told_so(tmp_path):
    given = {
        'DMLC_PS_ROOT_URI': '127.0.0.1', 'DMLC_PS_ROOT_PORT': str(launch.free_port()),
        'DMLC_NUM_WORKER': '1', 'DMLC_NUM_SERVER': '1',
    }  # fmt: skip
    environment = {**os.environ, **given, 'PYTHONPATH': os.pathsep.join(sys.path)}
    scheduler = subprocess.Popen(
        [sys.executable, '-c', 'import d2lrec, mxnet'],
        env={**environment, 'DMLC_ROLE': 'scheduler'},
    )
    code = (
        'import d2lrec as d2l; from d2lrec.train import distributed; distributed.JOINING = 1\n'
        'data, net = d2l.planted(60, [5, 4], seed=0), d2l.LR([5, 4])\n'
        "d2l.fit(net, data, kvstore='dist_sync')"
    )
    try:
        worker = subprocess.run(
            [sys.executable, '-c', code], env={**environment, 'DMLC_ROLE': 'worker'},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    finally:
        scheduler.kill()
        scheduler.wait()
    assert worker.returncode == 1
    assert 'not all of 1 server(s) and 1 worker(s) have come' in worker.stderr.splitlines()[-1]


def test_workers_shares_are_the_batch():
    data = d2l.planted(25, [5, 4], seed=0)
    loaders = [
        distributed.ServedLoader(d2l.BatchLoader(data, batch_size=8), _Stub(k, 3)) for k in range(3)
    ]
    seen = [[x.asnumpy() for x, _ in loader.batches({'ids': 2})] for loader in loaders]
    assert [len(batches) for batches in seen] == [3, 3, 3]  # one row is too few for three
    for number, parts in enumerate(zip(*seen)):
        whole = data.features[8 * number : 8 * number + 8]
        assert (np.concatenate(parts) == whole).all()
    for loader, batches in zip(loaders, seen):
        assert loader._trainer.pulled == [8] * len(batches)


def test_a_part_of_a_folder_is_a_share_already(tmp_path):
    data = d2l.planted(101, [5, 4], seed=0)
    frame = d2l.data.table.pd.DataFrame(data.features, columns=['a', 'b']).assign(y=data.labels)
    how = {'label': 'y', 'categories': ['a', 'b'], 'numbers': [], 'verbose': False}
    d2l.encode(frame, tmp_path / 'x', **how)
    seen = []
    for k in range(2):
        part = d2l.open_encoded(tmp_path / 'x', part=(k, 2))
        loader = d2l.BatchLoader(part, batch_size=10, shuffle=True, seed=0)
        served = distributed.ServedLoader(loader, _Stub(k, 2))
        seen.append([len(y) for *_, y in served.batches({'ids': 2})])
        assert len(served) == 5 and set(served._trainer.pulled) == {20}
    assert seen == [[10] * 5] * 2
    with pytest.raises(ValueError, match='is part 1 of 2 and there are 3 workers'):
        distributed.ServedLoader(loader, _Stub(0, 3))


SLEEP = 'import time; time.sleep(99)'


def job(**codes):
    """Processes that run these lines instead of training."""
    return [(n.replace('_', ' '), [sys.executable, '-c', code], {}) for n, code in codes.items()]


@pytest.mark.parametrize(
    'codes, code, words',
    [
        ({'worker_1': 'pass', 'server_1': 'import time; time.sleep(.2)'}, 0, ''),
        (
            {'server_1': SLEEP, 'worker_1': 'raise SystemExit(3)'},
            1,
            'worker 1 failed with exit code 3, so the job is ended',
        ),
        (
            {'worker_1': SLEEP, 'server_1': 'import os; os.kill(os.getpid(), 9)'},
            1,
            'server 1 was killed by SIGKILL, so the job is ended',
        ),
        (
            {'worker_1': SLEEP, 'the_scheduler': 'pass'},
            1,
            'the scheduler ended before the workers',
        ),
    ],
)  # fmt: skip
def test_a_dead_process_ends_the_job_with_a_sentence(codes, code, words, monkeypatch, capsys):
    monkeypatch.setattr(launch, 'GRACE', 1)
    assert launch.run(job(**codes)) == code
    said = capsys.readouterr().err
    assert (words in said) if words else not said


def test_hosts_get_their_processes_over_ssh(tmp_path):
    (tmp_path / 'hosts').write_text('10.0.0.1  # the first\n\n10.0.0.2\n')
    hosts = launch.read_hosts(tmp_path / 'hosts')
    made = launch.processes(3, 1, ['my train.py', '--lr', '1'], hosts, 9000)
    assert [name for name, _, _ in made] == [
        'the scheduler on 10.0.0.1', 'server 1 on 10.0.0.1', 'worker 1 on 10.0.0.1',
        'worker 2 on 10.0.0.2', 'worker 3 on 10.0.0.1',
    ]  # fmt: skip
    _, command, env = made[3]
    assert command[:2] == ['ssh', '-tt'] and '10.0.0.2' in command and not env
    for word in ("'my train.py' --lr 1", 'DMLC_ROLE=worker', 'DMLC_NODE_HOST=10.0.0.2'):
        assert word in command[-1]
    assert made[2][1] == [sys.executable, 'my train.py', '--lr', '1']
    (tmp_path / 'hosts').write_text('-oProxyCommand=x\n')
    with pytest.raises(SystemExit, match='is no host file'):
        launch.read_hosts(tmp_path / 'hosts')


def test_the_manifests_name_what_the_processes_read():
    yaml = pytest.importorskip('yaml')
    path = ROOT / 'examples' / 'kubernetes' / 'job.yaml'
    made = {(d['kind'], d['metadata']['name']): d for d in yaml.safe_load_all(path.read_text())}
    cluster = made['ConfigMap', 'd2lrec-cluster']['data']
    _, _, env = launch.processes(4, 2, ['train.py'], [], 9000)[-1]
    for role, count in (('scheduler', 1), ('server', 2), ('worker', 4)):
        spec = made['Job', f'd2lrec-{role}']['spec']
        assert spec.get('completions', 1) == spec.get('parallelism', 1) == count
        assert spec['backoffLimit'] == 0
        (container,) = spec['template']['spec']['containers']
        own = {e['name'] for e in container['env']}
        assert set(env) - {'DMLC_INTERFACE'} == set(cluster) - {'OMP_NUM_THREADS'} | own
        assert {'name': 'DMLC_ROLE', 'value': role} in container['env']
        if role != 'worker':
            assert container['command'] == ['python', '-c', launch.SERVER]
    service, port = made['Service', 'd2lrec-scheduler'], int(cluster['DMLC_PS_ROOT_PORT'])
    assert service['metadata']['name'] == cluster['DMLC_PS_ROOT_URI']
    template = made['Job', 'd2lrec-scheduler']['spec']['template']
    assert service['spec']['selector'].items() <= template['metadata']['labels'].items()
    ports = template['spec']['containers'][0]['ports']
    assert (
        [p['port'] for p in service['spec']['ports']]
        == [port]
        == [p['containerPort'] for p in ports]
    )
    pod = made['Job', 'd2lrec-worker']['spec']['template']['spec']
    mounted = {m['name'] for m in pod['containers'][0]['volumeMounts']}
    assert mounted == {v['name'] for v in pod['volumes']}
    assert int(cluster['DMLC_NUM_WORKER']) == 4 and int(cluster['DMLC_NUM_SERVER']) == 2
    script = made['Job', 'd2lrec-worker']['spec']['template']['spec']['containers'][0]['command'][1]
    assert (ROOT / script).is_file()


@pytest.mark.parametrize(
    'code, words',
    [
        (137, 'worker 2 on 10.0.0.2 was killed by SIGKILL, so the job is ended'),
        (255, 'worker 2 on 10.0.0.2 could not be reached by ssh, or was cut off, so the job'),
        (3, 'worker 2 on 10.0.0.2 failed with exit code 3'),
    ],
)
def test_a_host_that_fails_ends_the_job_with_a_sentence(code, words, monkeypatch, capsys):
    monkeypatch.setattr(launch, 'GRACE', 1)
    there = [sys.executable, '-c', f'raise SystemExit({code})']
    todo = [('worker 1 on 10.0.0.1', [sys.executable, '-c', SLEEP], {})]
    assert launch.run([*todo, ('worker 2 on 10.0.0.2', there, {})]) == 1
    assert words in capsys.readouterr().err


def test_a_host_file_and_a_port_that_are_none(tmp_path, capsys):
    with pytest.raises(SystemExit, match='none cannot be read: give a file of one address a line'):
        launch.main(['--hosts', str(tmp_path / 'none'), __file__])
    with pytest.raises(SystemExit):
        launch.main(['--port', '99999', __file__])
    assert 'give a port of this machine, 1 to 65535' in capsys.readouterr().err


SSH = """#!/bin/sh
# a stand-in: -tt -o BatchMode=yes HOST LINE, in the network namespace of that host, if there is one
echo "$4" >> {folder}/reached
case {spaces} in
  none) exec sh -c "$5" ;;
  *) exec ip netns exec {spaces}${{4##*.}} sh -c "$5" ;;
esac
"""
ASYNC = """
import os, sys
import d2lrec as d2l
from d2lrec.train import distributed
import numpy as np
distributed.ROWS = 1
clicks = d2l.planted(2000, [60, 40], linear=2.0, seed=0)
net = d2l.LR(clicks.field_dims)
history = d2l.fit(net, clicks, lr=1.0, optimizer='sgd', batch_size=100, num_epochs=2,
                  kvstore='dist_async')
np.savez(f'{sys.argv[1]}/{os.environ["DMLC_NODE_HOST"]}.npz', loss=history['train_loss'],
         table=net.linear.weight.data().asnumpy())
"""


@pytest.fixture
def two_hosts():
    """The prefix of two network namespaces, and their addresses; or this machine's own."""
    prefix, bridge = f'd2l{os.getpid() % 10_000}h', f'd2l{os.getpid() % 10_000}'
    made = [f'ip link add {bridge} type bridge', f'ip link set {bridge} up']
    for i in (1, 2):
        made += [
            f'ip netns add {prefix}{i}',
            f'ip link add {bridge}v{i} type veth peer name eth0 netns {prefix}{i}',
            f'ip link set {bridge}v{i} master {bridge} up',
            f'ip -n {prefix}{i} addr add 10.213.7.{i}/24 dev eth0',
            f'ip -n {prefix}{i} link set eth0 up',
            f'ip -n {prefix}{i} link set lo up',
        ]
    try:
        for line in made:
            subprocess.run(line.split(), check=True, capture_output=True)
        yield prefix, ['10.213.7.1', '10.213.7.2']
    except (OSError, subprocess.CalledProcessError):
        yield 'none', ['127.0.0.1', '127.0.0.2']
    finally:
        for line in (f'ip netns del {prefix}1', f'ip netns del {prefix}2', f'ip link del {bridge}'):
            with contextlib.suppress(OSError):
                subprocess.run(line.split(), check=False, capture_output=True)


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='127.0.0.2 is an address on Linux')
def test_two_hosts_over_ssh_train_without_waiting_for_each_other(tmp_path, two_hosts):
    spaces, addresses = two_hosts
    (tmp_path / 'hosts').write_text('\n'.join(addresses))
    (tmp_path / 'worker.py').write_text(ASYNC)
    (tmp_path / 'ssh').write_text(SSH.format(folder=tmp_path, spaces=spaces))
    (tmp_path / 'ssh').chmod(0o755)
    path = f'{tmp_path}{os.pathsep}{os.environ["PATH"]}'
    inside = [] if spaces == 'none' else ['ip', 'netns', 'exec', f'{spaces}1']
    out = subprocess.run(
        [*inside, sys.executable, '-m', 'd2lrec.launch', '--workers', '2', '--hosts',
         str(tmp_path / 'hosts'), str(tmp_path / 'worker.py'), str(tmp_path)],
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PATH': path},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert (tmp_path / 'reached').read_text().split() == [addresses[1]]  # the second worker's
    workers = [np.load(tmp_path / f'{a}.npz') for a in addresses]
    assert (workers[0]['table'] == workers[1]['table']).all()
    assert (
        all(w['loss'][1] < w['loss'][0] for w in workers) and abs(workers[0]['table']).max() > 0.1
    )


def test_the_manifests_are_what_kubernetes_knows():
    """By the schemas of Kubernetes, where `pip install kubernetes-validate` was said."""
    yaml, known = pytest.importorskip('yaml'), pytest.importorskip('kubernetes_validate')
    for one in yaml.safe_load_all((ROOT / 'examples' / 'kubernetes' / 'job.yaml').read_text()):
        known.validate(one, known.latest_version(), strict=True)
