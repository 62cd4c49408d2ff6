"""The benchmarks run, on planted data in the layout of the real files."""

import importlib
import sys
from pathlib import Path

import d2lrec as d2l

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent.parent / 'benchmarks'
DIMS = [20, 15, 10]


@pytest.fixture(scope='module', autouse=True)
def folder():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


@pytest.fixture
def files(tmp_path):
    """frappe_x1.npz and bars_ctr.csv as they are published, with planted clicks."""
    clicks = d2l.planted(9_000, DIMS, linear=0.5, pairwise=1.5, zipf=0.5, seed=3)
    table = np.column_stack([clicks.labels, clicks.features]).astype('int16')
    np.savez(
        tmp_path / 'frappe_x1.npz',
        train=table[:6_000],
        valid=table[6_000:7_500],
        test=table[7_500:],
    )
    (tmp_path / 'bars_ctr.csv').write_text(
        'model,frappe_x1_AUC,frappe_x1_logloss,avazu_x4_001_AUC\n'
        'LR,0.5,0.69,\nFM,0.9999,0.01,0.7\nHOFM,,,0.7\n'
    )
    return tmp_path


def quality(*args):
    importlib.import_module('quality').main([str(a) for a in args])


def cells(line):
    return [cell.strip() for cell in line.strip().strip('|').split('|')]


@pytest.mark.filterwarnings('ignore:every output of LR')
def test_frappe_gives_a_row_a_model_beside_the_published_one(files, capsys):
    quality(
        'frappe',
        files / 'frappe_x1.npz',
        '--published',
        files / 'bars_ctr.csv',
        '--models',
        'LR',
        'FM',
        'DLRM',
        '--epochs',
        2,
        '--rate',
        0.05,
        '--results',
        files / 'rows.md',
    )
    printed = capsys.readouterr().out.splitlines()
    assert (files / 'rows.md').read_text().splitlines() == printed
    head, lr, fm, dlrm = [cells(line) for line in printed if not line.startswith('|---')]
    rows = [dict(zip(head, row)) for row in (lr, fm, dlrm)]
    assert [r['model'] for r in rows] == ['LR', 'FM', 'DLRM']
    assert [r['meets'] for r in rows] == ['yes', 'no', '–']
    assert [r['published AUC'] for r in rows] == ['0.5000', '0.9999', '–']
    assert float(lr[2]) - 0.5 == pytest.approx(float(rows[0]['difference in AUC']), abs=1e-5)
    assert float(rows[1]['test AUC']) > 0.5
    assert 'L2 5e-06, rate 0.05, seed 0' in rows[1]['settings']


def test_frappe_keeps_the_best_epoch_by_validation_auc(files):
    frappe = importlib.import_module('quality_frappe')
    parts, field_dims = frappe.read_parts(str(files / 'frappe_x1.npz'))
    assert list(field_dims) == DIMS
    args = type(
        'Args',
        (),
        {
            'rate': 0.3,
            'seed': 0,
            'epochs': 12,
            'progress': False,
            'l2': None,
            'dropout': None,
            'alike': None,
            'patience': 1,
            'distinct': False,
            'start': None,
            'checkpoints': str(files / 'runs'),
        },
    )
    report, history = frappe.train('FM', parts, field_dims, args)
    aucs = history['valid_auc']
    assert history.best_epoch == 1 + aucs.index(max(aucs)) == len(history) - 2 < 10
    assert report['rate'] == pytest.approx(parts['test'][1].mean())
    again = frappe.train('FM', parts, field_dims, args)  # all done: nothing but read
    assert again[0] == report and again[1].rows == history.rows


def test_frappe_begins_where_a_file_says(tmp_path):
    frappe, net = importlib.import_module('quality_frappe'), d2l.FM([3, 2], 4)
    net.initialize()
    vectors = np.arange(20, dtype='float32').reshape(5, 4)
    np.savez(tmp_path / 'start.npz', **{'embedding.weight': vectors})
    frappe.begin_with(net, tmp_path / 'start.npz')
    assert (net.embedding.weight.data().asnumpy() == vectors).all()
    assert not net.linear.weight.data().asnumpy().any()


def test_what_the_published_frappe_runs_do_besides():
    """Adam as its paper has it where gradients are tiny; a long gradient, and a small rate."""
    frappe = importlib.import_module('quality_frappe')
    net = d2l.LR([3, 2])
    net.initialize()
    trainer = frappe.AlikeTrainer(net, 1e-3, 0.0, frappe.ALIKE + frappe.OTHERS)
    weight, w, m, v = net.linear.weight, 0.0, 0.0, 0.0

    def step_by(gradient, count):
        for param, value in ((net.linear.bias, 0), (weight, gradient)):
            param.grad()[:] = value
            param.data()._fresh_grad = True
        trainer.step(count)

    for step, g in enumerate([2e-8, 1e-8, -3e-8], start=1):
        step_by(g * 4, 4)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 1e-3 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(weight.data().asnumpy(), np.full((5, 1), w), rtol=1e-3)
    assert trainer.above == 0
    step_by(1e3, 1)
    assert (trainer.above, trainer.steps) == (1, 4)
    assert trainer.largest == pytest.approx(1e3 * 5**0.5)
    trainer.set_learning_rate(1e-9)
    assert trainer.learning_rate == frappe.FLOOR


def test_negatives_drawn_anew_repeat_no_pair_of_user_and_item():
    frappe, rng = importlib.import_module('quality_frappe'), np.random.default_rng(0)
    parts = {}
    for name, items in (('train', 20), ('valid', 24), ('test', 24)):
        ids = np.stack([rng.integers(0, 3, items), rng.integers(3, 63, items)], axis=1)
        ids = np.hstack([ids, rng.integers(63, 66, (items, 1))]).astype('int32')
        parts[name] = ids, (rng.random(items) < 0.4).astype('float32')
    before, labels = parts['train']
    ids, after = frappe.distinct_negatives(parts)
    assert (after == labels).all() and (ids[labels == 1] == before[labels == 1]).all()
    assert (ids[:, [0, 2]] == before[:, [0, 2]]).all() and ids.dtype == before.dtype
    drawn = [tuple(pair) for pair in ids[labels == 0, :2].tolist()]
    kept = np.concatenate([before[labels == 1], parts['valid'][0], parts['test'][0]])
    others = {tuple(pair) for pair in kept[:, :2].tolist()}
    assert len(set(drawn)) == len(drawn) > 5 and not others & set(drawn)
    assert (frappe.distinct_negatives(parts)[0] == ids).all()


def test_a_rate_that_waits_falls_after_epochs_in_a_row_without_a_gain(files):
    frappe = importlib.import_module('quality_frappe')
    net = d2l.LR([3, 2])
    net.initialize()
    trainer = frappe.AlikeTrainer(net, 1e-3, 0.0, (), patience=2, epoch=3)
    rates = []
    for failed in (False, True, False, True, True, True, True):
        trainer.optimizer.num_update += 3
        if failed:
            trainer.set_learning_rate(trainer.learning_rate * 0.1)
        rates.append(trainer.learning_rate)
    assert rates == pytest.approx([1e-3] * 4 + [1e-4] * 2 + [1e-5])


@pytest.mark.parametrize(
    'case, words',
    [
        ('absent', 'does not exist: give the path of frappe_x1.npz'),
        ('no published', 'does not exist: give the path of bars_ctr.csv'),
        ('no test', 'has no array test'),
        ('overlap', 'fields whose ids overlap'),
    ],
)
def test_frappe_refuses_in_one_sentence(case, words, files):
    path, published = files / 'frappe_x1.npz', files / 'bars_ctr.csv'
    with np.load(path) as file:
        arrays = dict(file)
    if case == 'absent':
        path = files / 'nothing.npz'
    elif case == 'no published':
        published = files / 'nothing.csv'
    elif case == 'no test':
        del arrays['test']
    else:
        arrays = {name: np.hstack([a, a[:, -1:]]) for name, a in arrays.items()}
    if path.exists():
        np.savez(path, **arrays)
    with pytest.raises(SystemExit, match=words) as stop:
        quality('frappe', path, '--published', published, '--results', files / 'rows.md')
    assert '\n' not in str(stop.value)


def test_all_models_are_tried_with_the_same_settings(capsys):
    family = importlib.import_module('family')
    assert family.settings(3) == family.settings(5)[:3]
    family.main(['--planted', '--trials', '1', '--seeds', '2', '--models', 'LR'])
    rows = [cells(line) for line in capsys.readouterr().out.splitlines() if line.startswith('|')]
    mean = {row[0]: [float(n) for n in row[1:]] for row in rows[2:4]}
    assert list(mean) == ['LR', 'best possible'] and rows[0][0] == 'planted, mean'
    assert all(one < best for one, best in zip(mean['LR'], mean['best possible']))


def test_a_resampled_auc_is_that_of_the_repeated_rows():
    family, rng = importlib.import_module('family'), np.random.default_rng(0)
    labels, scores, users = rng.integers(0, 2, 60), rng.integers(0, 9, 60), rng.integers(0, 8, 60)
    for weight in family.user_draws(users, 3):
        again = np.repeat(np.arange(60), weight)
        measured = family.weighted_auc(labels, scores)(weight)
        assert measured == pytest.approx(d2l.auc(labels[again], scores[again]))
        assert all(len(set(weight[users == user])) == 1 for user in set(users))


def test_reading_gives_a_row_a_way_beside_pandas(tmp_path, monkeypatch, capsys):
    reading = importlib.import_module('reading')
    monkeypatch.setattr(reading, 'peak', lambda way, path: 1.0)  # of processes of their own
    out = tmp_path / 'reading.md'
    reading.main(['--rows', '3000', '--rounds', '1', '--out', str(out)])
    assert out.read_text(encoding='utf-8').strip() == capsys.readouterr().out.strip()
    rows = [cells(line) for line in out.read_text(encoding='utf-8').splitlines() if '|' in line]
    assert [row[0] for row in rows[2:]] == list(reading.WAYS)
    assert rows[2][2] == rows[2][4] == '1.00' and reading.high_water() > 50


def test_all_ways_of_reading_give_the_same_ids(tmp_path):
    reading = importlib.import_module('reading')
    reading.write_log(path := str(tmp_path / 'log.tsv'), 3_000)
    words, clicks = reading.by_words(path), reading.by_ctr_dataset(path)
    assert (words.features == clicks.features).all() and len(reading.by_read(path)) == 3_000
