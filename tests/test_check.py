"""The exercises' checks: the right answer passes, each known mistake is told by name."""
import numpy as onp
import pytest
from mxnet import np

import d2lrec as d2l
from d2lrec import check


def pairwise(v):
    return .5 * (np.square(v.sum(1)) - np.square(v).sum(1)).sum(1, keepdims=True)


def logit_loss(z, y):
    return (np.maximum(z, 0) - y * z + np.log(1 + np.exp(-np.abs(z)))).mean()


def naive_loss(z, y):
    p = 1 / (1 + np.exp(-z))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def merged(means, rows):
    return (means * (rows / rows.sum()).reshape(-1, 1)).sum(0)


def updated(table, ids, grads, lr, add=None):
    table, ids, grads = (a.asnumpy().copy() for a in (table, ids, grads))
    if add is None:
        onp.subtract.at(table, ids, lr * grads)
    else:
        add(table, ids, table[ids] - lr * grads)
    return table


# A check, a right answer, and wrong answers with a word that the English sentence must hold.
CASES = [
    (check.pairwise_term, pairwise, [
        (lambda v: 2 * pairwise(v), 'twice'),
        (lambda v: .5 * np.square(v.sum(1)).sum(1, keepdims=True), 'diagonal'),
        (lambda v: pairwise(v)[:, 0], '(B, 1)'),
    ]),
    (check.merge_shards, merged, [
        (lambda means, rows: means.mean(0), 'average of averages'),
        (lambda means, rows: means.sum(0), 'merely added'),
        (lambda means, rows: merged(means, rows) * rows.sum(), 'summed loss'),
    ]),
    (check.sparse_update, updated, [
        (lambda *a: updated(*a, add=onp.ndarray.__setitem__), 'overwritten'),
        (lambda t, i, g, lr: updated(t, i, g / np.array([3, 1, 3, 1, 3] if len(i) == 5 else [2, 2])
                                     .reshape(-1, 1), lr), 'averaged'),
        (lambda t, i, g, lr: updated(t, i, g, -lr), 'sign'),
        (lambda t, i, g, lr: updated(t, i, g, 1.), 'learning rate'),
    ]),
    (check.logit_loss, logit_loss, [
        (lambda z, y: 5 * logit_loss(z, y), 'sum'),
        (lambda z, y: logit_loss(1 / (1 + np.exp(-z)), y), 'second sigmoid'),
        (lambda z, y: logit_loss(-z, y), 'wrong way'),
        (lambda z, y: np.maximum(z, 0) - y * z + np.log(1 + np.exp(-np.abs(z))), 'mean'),
        (naive_loss, 'infinity'),
    ]),
]
EACH = pytest.mark.parametrize('judge, right, wrong', CASES, ids=[c[0].__name__ for c in CASES])


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(check, 'language', 'en')


def test_every_check_is_tried():
    assert sorted(c[0].__name__ for c in CASES) == sorted(check.__all__)


@EACH
def test_the_right_answer_passes_and_mistakes_are_named(judge, right, wrong):
    verdict = judge(right)
    assert verdict, repr(verdict)
    for function, word in wrong:
        verdict = judge(function)
        assert not verdict
        assert word in repr(verdict), repr(verdict)
        assert all(verdict.words.values()) and verdict.words['ko'] != verdict.words['en']


@EACH
@pytest.mark.parametrize('function, word', [
    (3, 'function itself'), (lambda *a: None, 'returns nothing'),
    (lambda *a: 1 / 0, 'ZeroDivisionError'), (lambda: 0, 'TypeError'),
    (lambda *a: 'text', 'ValueError')], ids=['number', 'none', 'raises', 'arguments', 'text'])
def test_any_answer_gets_a_sentence(judge, right, wrong, function, word):
    verdict = judge(function)
    assert not verdict and word in repr(verdict)


@EACH
def test_shapes_values_and_nan_get_a_sentence(judge, right, wrong):
    def changed(change):
        def function(*arguments):
            out = right(*arguments)
            return change(onp.asarray(out.asnumpy() if hasattr(out, 'asnumpy') else out))
        return judge(function)
    assert 'should be' in repr(changed(lambda a: a + 17.25))
    assert 'shape' in repr(changed(lambda a: onp.stack([a, a, a])))
    assert 'NaN' in repr(changed(lambda a: a * onp.nan))


@pytest.mark.parametrize('folder, environment, spoken', [
    ('ko', {}, 'ko'), ('en', {'LANG': 'ko_KR.UTF-8'}, 'en'), ('x', {'LANG': 'ko_KR.UTF-8'}, 'ko'),
    ('x', {'JPY_SESSION_NAME': '/book/chapters/ko/fm.ipynb'}, 'ko'), ('x', {}, 'en')])
def test_the_notebooks_language(monkeypatch, tmp_path, folder, environment, spoken):
    monkeypatch.setattr(check, 'language', None)
    for name in ('LC_ALL', 'LC_MESSAGES', 'LANG', 'JPY_SESSION_NAME'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    assert check.notebook_language() == spoken
    verdict = d2l.check.pairwise_term(pairwise)
    assert ('맞습니다' in repr(verdict)) == (spoken == 'ko')
    html = verdict._repr_html_()
    assert html.count('display:none') == 1 and 'data-passed="true"' in html


def test_an_unknown_language_is_refused(monkeypatch):
    monkeypatch.setattr(check, 'language', 'fr')
    with pytest.raises(ValueError, match="'ko', 'en' or None"):
        check.notebook_language()
