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


def pieces(p, r, size):
    return [(p[a:a + size, 0], r[a:a + size]) for a in range(0, len(r), size)]


def rmse(p, r, size):
    return (sum(float(np.square(a - b).sum()) for a, b in pieces(p, r, size)) / len(r)) ** .5


def batch_rmse(p, r, size):     # both mistakes of the chapter on the original's defects
    return mean([float(np.square(p[a:a + size] - r[a:a + size]).mean()) ** .5
                 for a in range(0, len(r), size)])


def mean(values):
    return sum(values) / len(values)


# A check, a right answer, and wrong answers with a word that the English sentence must hold.
CASES = [
    (check.pairwise_term, pairwise, [
        (lambda v: 2 * pairwise(v), 'twice'),
        (lambda v: .5 * np.square(v.sum(1)).sum(1, keepdims=True), 'diagonal'),
        (lambda v: pairwise(v)[:, 0], '(B, 1)'),
    ]),
    (check.logit_loss, logit_loss, [
        (lambda z, y: 5 * logit_loss(z, y), 'sum'),
        (lambda z, y: logit_loss(1 / (1 + np.exp(-z)), y), 'second sigmoid'),
        (lambda z, y: logit_loss(-z, y), 'wrong way'),
        (lambda z, y: np.maximum(z, 0) - y * z + np.log(1 + np.exp(-np.abs(z))), 'mean'),
        (naive_loss, 'infinity'),
    ]),
    (check.accumulated_rmse, rmse, [
        (batch_rmse, 'Both mistakes'),
        (lambda p, r, size: mean([float(np.square(a - b).mean()) ** .5
                                  for a, b in pieces(p, r, size)]), 'one root'),
        (lambda p, r, size: mean([float(np.square(a - b).mean())
                                  for a, b in pieces(p, r, size)]) ** .5, 'small last batch'),
        (lambda p, r, size: (sum(float(np.square(p[a:a + size] - r[a:a + size]).sum())
                                 for a in range(0, len(r), size)) / len(r)) ** .5, '(B, B)'),
        (lambda p, r, size: rmse(p, r, size) ** 2, 'MSE'),
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
