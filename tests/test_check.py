"""The exercises' checks: the right answer passes, each known mistake is told by name."""

import inspect
import json

import d2lrec as d2l
from d2lrec import check
from d2lrec.check import words
from d2lrec.check.judge import judge as judged

import mxnet as mx
import numpy as np
import pytest


def pairwise(v):
    return 0.5 * (mx.np.square(v.sum(1)) - mx.np.square(v).sum(1)).sum(1, keepdims=True)


def logit_loss(z, y):
    return (mx.np.maximum(z, 0) - y * z + mx.np.log(1 + mx.np.exp(-mx.np.abs(z)))).mean()


def naive_loss(z, y):
    p = 1 / (1 + mx.np.exp(-z))
    return -(y * mx.np.log(p) + (1 - y) * mx.np.log(1 - p)).mean()


def three_way(table, axes=(0, 1, 2)):
    for axis in axes:
        table = table - table.mean(axis=axis, keepdims=True)
    return table


def auc(labels, scores, tie=0.5):
    labels, scores = labels.asnumpy(), scores.asnumpy()
    gaps = scores[labels == 1][:, None] - scores[labels == 0]
    return ((gaps > 0) + tie * (gaps == 0)).mean()


def vocabulary(words, min_count, by=lambda value, count: (-count, value)):
    values, inverse, counts = np.unique(words.asnumpy(), return_inverse=True, return_counts=True)
    order = sorted(
        range(len(values)), key=lambda i: (counts[i] < min_count, by(values[i], counts[i]))
    )
    rank = np.argsort(order)
    return np.minimum(rank, (counts >= min_count).sum())[inverse]


def some_unknown(change):
    def ids(words, min_count):
        out = vocabulary(words, min_count)
        return change(
            out, int((np.unique(words.asnumpy(), return_counts=True)[1] >= min_count).sum())
        )

    return ids


def biased_mf(mean, user_bias, item_bias, P, Q, users, items):
    return mean + user_bias[users] + item_bias[items] + (P[users] * Q[items]).sum(1)


def bpr_loss(scores, others):
    return mx.np.log1p(mx.np.exp(others - scores)).mean()


def fold_in(Q, rest, damping):
    Q, rest = Q.asnumpy(), rest.asnumpy()
    return np.linalg.solve(Q.T @ Q + damping * np.eye(Q.shape[1]), Q.T @ rest)


def cross(x0, x, w, b):
    return x0 * mx.np.dot(x, w)[:, None] + b + x


def cin(x, x0, weight):
    rows, _, factors = x.shape
    pairs = mx.np.expand_dims(x, 2) * mx.np.expand_dims(x0, 1)  # (B, H, F, K)
    out = mx.np.dot(
        weight.reshape(len(weight), -1), pairs.transpose(1, 2, 0, 3).reshape(-1, rows * factors)
    )  # (M, B * K)
    return out.reshape(len(weight), rows, factors).transpose(1, 0, 2)


def masked_error(outputs, ratings, mask):
    return (mask * mx.np.square(ratings - outputs)).sum() / mask.sum()


def masked_rows(outputs, ratings, mask):
    return (mask * mx.np.square(ratings - outputs)).sum(1)


def merged(means, rows):
    return (means * (rows / rows.sum()).reshape(-1, 1)).sum(0)


def updated(table, ids, grads, lr, add=None):
    table, ids, grads = (a.asnumpy().copy() for a in (table, ids, grads))
    if add is None:
        np.subtract.at(table, ids, lr * grads)
    else:
        add(table, ids, table[ids] - lr * grads)
    return table


def pieces(p, r, size):
    return [(p[a : a + size, 0], r[a : a + size]) for a in range(0, len(r), size)]


def rmse(p, r, size):
    return (sum(float(mx.np.square(a - b).sum()) for a, b in pieces(p, r, size)) / len(r)) ** 0.5


def batch_rmse(p, r, size):  # both mistakes of the chapter on the original's defects
    return mean(
        [
            float(mx.np.square(p[a : a + size] - r[a : a + size]).mean()) ** 0.5
            for a in range(0, len(r), size)
        ]
    )


def mean(values):
    return sum(values) / len(values)


def crossed(x, c):
    return mx.np.array(
        [
            [min((a for a, on in zip(row, pick) if on), default=1.0) for pick in c.asnumpy()]
            for row in x.asnumpy()
        ]
    )


def ftrl(z, n, alpha, beta, l1, l2, sign=-1.0, pull=1.0, keep=0.0):
    shrunk = mx.np.maximum(mx.np.abs(z) - pull * l1, 0) * mx.np.sign(z)
    return (
        mx.np.where(mx.np.abs(z) > l1, shrunk, keep * z)
        * sign
        / ((beta + mx.np.sqrt(n)) / alpha + l2)
    )


def bag(table, ids, offsets, weights):
    places, ends = np.arange(len(ids)), [*offsets.asnumpy()[1:], len(ids)]
    inside = [(places >= start) & (places < end) for start, end in zip(offsets.asnumpy(), ends)]
    return mx.np.dot(mx.np.array(inside, dtype='float32') * weights, table[ids])


def ones(weights):
    return mx.np.ones(weights.shape)


def reduceat(table, ids, offsets, weights):
    products = (mx.np.expand_dims(weights, 1) * table[ids]).asnumpy()
    return np.add.reduceat(products, offsets.asnumpy(), axis=0)


def past(users, times, length, before):
    """The last rows of each row's user for which `before(time, its time, row, it)`."""
    users, times = users.asnumpy().tolist(), times.asnumpy().tolist()
    out = np.full((len(users), length), -1)
    for row, (user, time) in enumerate(zip(users, times)):
        found = [
            (t, o)
            for o, (u, t) in enumerate(zip(users, times))
            if u == user and before(t, time, o, row)
        ]
        found = [o for _, o in sorted(found)][-length:]
        out[row, : len(found)] = found
    return out


def ends(users, times, length, join):
    """The right rows, filled and empty slots joined otherwise."""
    right = past(users, times, length, lambda a, b, o, r: a < b)
    return np.array([join(row[row >= 0].tolist(), row[row < 0].tolist()) for row in right])


def products(z):
    return mx.np.matmul(z, mx.np.transpose(z, (0, 2, 1)))


def dots(z, diagonal=-1):
    i, j = np.tril_indices(z.shape[1], diagonal)
    return products(z).asnumpy()[:, i, j]


def mean_of_users(labels, scores, users, weigh=len, without=None):
    labels, scores, users = (a.asnumpy() for a in (labels, scores, users))
    total = weights = 0
    for user in set(users.tolist()):
        mine = users == user
        one_class = labels[mine].min() == labels[mine].max()
        if one_class and without is None:
            continue
        within = without if one_class else d2l.auc(labels[mine], scores[mine])
        total, weights = total + weigh(labels[mine]) * within, weights + weigh(labels[mine])
    return total / weights


# A check, a right answer, and wrong answers with a word that the English sentence must hold.
def unseen(scores, seen, k, drop=()):
    order = np.argsort(-np.asarray(scores.asnumpy(), 'float64'), kind='stable').tolist()
    kept = [i for i in order if i not in set(seen.asnumpy().tolist())][: int(k)]
    return [i for i in kept if not len(drop) or i not in set(drop.asnumpy().tolist())]


CASES = [
    (
        check.pairwise_term,
        pairwise,
        [
            (lambda v: 2 * pairwise(v), 'twice'),
            (lambda v: 0.5 * mx.np.square(v.sum(1)).sum(1, keepdims=True), 'diagonal'),
            (lambda v: pairwise(v)[:, 0], '(B, 1)'),
        ],
    ),
    (
        check.logit_loss,
        logit_loss,
        [
            (lambda z, y: 5 * logit_loss(z, y), 'sum'),
            (lambda z, y: logit_loss(1 / (1 + mx.np.exp(-z)), y), 'second sigmoid'),
            (lambda z, y: logit_loss(-z, y), 'wrong way'),
            (
                lambda z, y: mx.np.maximum(z, 0) - y * z + mx.np.log(1 + mx.np.exp(-mx.np.abs(z))),
                'mean',
            ),
            (naive_loss, 'infinity'),
        ],
    ),
    (
        check.three_way,
        three_way,
        [
            (lambda t: t - t.mean(), 'constant'),
            (lambda t: three_way(t, [1]), 'other two axes'),
            (lambda t: three_way(t, [2, 0]), 'two axes'),
            (
                lambda t: (
                    t
                    - t.mean((1, 2), keepdims=True)
                    - t.mean((0, 2), keepdims=True)
                    - t.mean((0, 1), keepdims=True)
                    + 2 * t.mean()
                ),
                'those of two',
            ),
            (lambda t: t - sum(t.mean(axis, keepdims=True) for axis in range(3)), 'twice'),
            (lambda t: t - three_way(t), 'the rest'),
        ],
    ),
    (
        check.auc,
        auc,
        [
            (lambda y, s: auc(y, s, tie=0), 'as lost'),
            (lambda y, s: auc(y, s, tie=1), 'as won'),
            (lambda y, s: 1 - auc(y, s), 'Upside down'),
            (lambda y, s: ((s.asnumpy() > 0.5) == y.asnumpy()).mean(), 'accuracy'),
        ],
    ),
    (
        check.vocabulary,
        vocabulary,
        [
            (lambda w, n: vocabulary(w, n + 1), 'exactly min_count'),
            (lambda w, n: vocabulary(w, n, by=lambda value, count: value), 'most frequent'),
            (lambda w, n: vocabulary(w, n, by=lambda value, count: (-count, -value)), 'reversed'),
            (some_unknown(lambda ids, kept: np.where(ids == kept, -1, ids)), '-1'),
            (some_unknown(lambda ids, kept: (ids + 1) % (kept + 1)), 'comes last'),
        ],
    ),
    (
        check.biased_mf,
        biased_mf,
        [
            (lambda mean, *rest: biased_mf(0, *rest), 'mean'),
            (lambda mean, b_u, b_i, P, Q, u, i: mean + (P[u] * Q[i]).sum(1), 'biases'),
            (
                lambda mean, b_u, b_i, P, Q, u, i: (
                    mean + b_u[u].reshape(-1, 1) + b_i[i] + mx.np.dot(P[u], Q[i].T)
                ),
                '(B, B)',
            ),
            (lambda *a: biased_mf(*a).reshape(-1, 1), '(B,)'),
        ],
    ),
    (
        check.bpr_loss,
        bpr_loss,
        [
            (lambda s, o: bpr_loss(o, s), 'changed places'),
            (lambda s, o: bpr_loss(s, o) * len(s), 'mean'),
            (lambda s, o: -bpr_loss(s, o), 'sign'),
            (lambda s, o: bpr_loss(s, 0 * o) + bpr_loss(0 * s, o), 'pointwise'),
        ],
    ),
    (
        check.fold_in,
        fold_in,
        [
            (lambda Q, r, damping: np.linalg.pinv(Q.asnumpy()) @ r.asnumpy(), 'missing'),
            (lambda Q, r, damping: fold_in(Q, r, damping * len(Q)), 'multiplied'),
            (lambda Q, r, damping: mx.np.dot(Q.T, r), 'right-hand side'),
        ],
    ),
    (
        check.cross_layer,
        cross,
        [
            (lambda x0, x, w, b: cross(x0, x, w, b) - x, 'residual'),
            (lambda x0, x, w, b: cross(x0, x, w, b) - x + x0, 'residual that is added is x_0'),
            (lambda x0, x, w, b: cross(x, x, w, b), 'where x_0 should be'),
            (lambda x0, x, w, b: x0 * (mx.np.dot(x, w)[:, None] + b) + x, 'inside the product'),
            (lambda x0, x, w, b: x0 * x * w + b + x, 'sum over D'),
        ],
    ),
    (
        check.cin_layer,
        cin,
        [
            (
                lambda x, x0, w: cin(x, x0.sum(2, keepdims=True) * mx.np.ones_like(x0), w),
                'same coord',
            ),
            (
                lambda x, x0, w: np.einsum(
                    'bik,bjn,mij->bmkn', x.asnumpy(), x0.asnumpy(), w.asnumpy()
                ),
                'same coordinate',
            ),
            (lambda x, x0, w: cin(x, x0, w).sum(2), 'summed over k'),
            (lambda x, x0, w: cin(x, x, w), 'not by itself'),
            (lambda x, x0, w: cin(x, mx.np.ones_like(x0), w), 'weighted sum'),
        ],
    ),
    (
        check.masked_error,
        masked_error,
        [
            (lambda o, r, m: (m * mx.np.square(r - o)).mean(), 'divided by all entries'),
            (lambda o, r, m: mx.np.square(r - o).mean(), 'unobserved'),
            (lambda o, r, m: (masked_rows(o, r, m) / mx.np.maximum(m.sum(1), 1)).mean(), 'rows'),
            (lambda o, r, m: masked_error(o, r, (r != 0).astype('float32')), 'a rating of 0'),
            (lambda o, r, m: mx.np.square(r - o * mx.np.sign(r)).mean(), 'flips the output'),
            (
                lambda o, r, m: mx.np.square(r - o * mx.np.sign(r)).sum() / m.sum(),
                'flips the output',
            ),
            (lambda o, r, m: masked_rows(o, r, m).sum(), 'the sum'),
            (lambda o, r, m: mx.np.sqrt(masked_error(o, r, m)), 'root'),
            (lambda o, r, m: masked_rows(o, r, m) / m.sum(1), 'shape'),
            (lambda o, r, m: 0.5 * masked_error(o, r, m), 'should be'),
        ],
    ),
    (
        check.merge_shards,
        merged,
        [
            (lambda means, rows: means.mean(0), 'average of averages'),
            (lambda means, rows: means.sum(0), 'merely added'),
            (lambda means, rows: merged(means, rows) * rows.sum(), 'summed loss'),
        ],
    ),
    (
        check.sparse_update,
        updated,
        [
            (lambda *a: updated(*a, add=np.ndarray.__setitem__), 'overwritten'),
            (
                lambda t, i, g, lr: updated(
                    t,
                    i,
                    g / mx.np.array([3, 1, 3, 1, 3] if len(i) == 5 else [2, 2]).reshape(-1, 1),
                    lr,
                ),
                'averaged',
            ),
            (lambda t, i, g, lr: updated(t, i, g, -lr), 'sign'),
            (lambda t, i, g, lr: updated(t, i, g, 1.0), 'learning rate'),
        ],
    ),
    (
        check.accumulated_rmse,
        rmse,
        [
            (batch_rmse, 'Both mistakes'),
            (
                lambda p, r, size: mean(
                    [float(mx.np.square(a - b).mean()) ** 0.5 for a, b in pieces(p, r, size)]
                ),
                'one root',
            ),
            (
                lambda p, r, size: (
                    mean([float(mx.np.square(a - b).mean()) for a, b in pieces(p, r, size)]) ** 0.5
                ),
                'small last batch',
            ),
            (
                lambda p, r, size: (
                    (
                        sum(
                            float(mx.np.square(p[a : a + size] - r[a : a + size]).sum())
                            for a in range(0, len(r), size)
                        )
                        / len(r)
                    )
                    ** 0.5
                ),
                '(B, B)',
            ),
            (lambda p, r, size: rmse(p, r, size) ** 2, 'MSE'),
        ],
    ),
    (
        check.cross_product,
        crossed,
        [
            (lambda x, c: (mx.np.dot(x, c.T) > 0).astype('float32'), 'OR'),
            (lambda x, c: mx.np.dot(x, c.T), 'counts'),
            (lambda x, c: (mx.np.expand_dims(x, 1) * c).prod(axis=2), 'exponent'),
            (lambda x, c: crossed(x, c)[:, 0], 'shape'),
        ],
    ),
    (
        check.ftrl_weight,
        ftrl,
        [
            (lambda *a: ftrl(*a, sign=1.0), 'against'),
            (lambda z, n, a, b, l1, l2: ftrl(z, n, a, b, 0.0, l2), 'does nothing'),
            (lambda *a: ftrl(*a, pull=0.0), 'zeros are right'),
            (lambda *a: ftrl(*a, pull=-1.0), 'away'),
            (
                lambda z, n, a, b, l1, l2: (
                    -(z - mx.np.sign(z) * l1) / ((b + mx.np.sqrt(n)) / a + l2)
                ),
                'flipped',
            ),
        ],
    ),
    (
        check.embedding_bag,
        bag,
        [
            (lambda t, i, o, w: bag(t, i, o, ones(w)), 'ignored'),
            (lambda t, i, o, w: bag(t, i, o, w) / bag(ones(t), i, o, w), 'mean'),
            (lambda t, i, o, w: bag(t, i, o, ones(w)) / bag(ones(t), i, o, ones(w)), 'mean'),
            (reduceat, 'empty bag takes'),
        ],
    ),
    (
        check.past_rows,
        lambda users, times, length: d2l.past_rows(users.asnumpy(), times.asnumpy(), length),
        [
            (lambda u, t, n: np.full((len(u), n), -1), 'nothing in any'),
            (lambda u, t, n: past(u, t, n, lambda a, b, o, r: a <= b), 'its own history'),
            (lambda u, t, n: past(u, t, n, lambda a, b, o, r: a <= b and o != r), 'same time'),
            (lambda u, t, n: past(u, t, n, lambda a, b, o, r: (a, o) < (b, r)), 'same time'),
            (lambda u, t, n: past(u, t, n, lambda a, b, o, r: True), 'Later rows'),
            (lambda u, t, n: past(u, t, n, lambda a, b, o, r: o != r), 'Later rows'),
            (lambda u, t, n: past(u, t, len(u), lambda a, b, o, r: a < b)[:, :n], 'earliest'),
            (lambda u, t, n: ends(u, t, n, lambda f, e: [*f[::-1], *e]), 'latest comes first'),
            (lambda u, t, n: ends(u, t, n, lambda f, e: [*e, *f]), 'empty slots come first'),
        ],
    ),
    (
        check.augru_step,
        lambda h, u, c, a: h + a.reshape(-1, 1) * u * (c - h),
        [
            (lambda h, u, c, a: h + u * (c - h), 'plain GRU'),
            (lambda h, u, c, a: h + a.reshape(-1, 1) * (c - h), 'AGRU'),
            (lambda h, u, c, a: (1 - u) * h + a.reshape(-1, 1) * u * c, 'still fades'),
            (lambda h, u, c, a: c + a.reshape(-1, 1) * u * (h - c), 'changed places'),
        ],
    ),
    (
        check.dot_interaction,
        dots,
        [
            (lambda z: dots(z, 0), 'diagonal'),
            (lambda z: products(z).reshape(len(z), -1), 'whole matrix'),
            (products, 'whole matrix'),
            (
                lambda z: products(z).asnumpy()[:, (i := np.triu_indices(z.shape[1], 1))[0], i[1]],
                'upper triangle',
            ),
        ],
    ),
    (
        check.gauc,
        mean_of_users,
        [
            (lambda *a: mean_of_users(*a, weigh=lambda mine: 1), 'weigh the same'),
            (lambda *a: mean_of_users(*a, without=0.5), 'leave them out'),
            (lambda labels, scores, users: d2l.auc(labels, scores), 'all rows together'),
        ],
    ),
    (
        check.downsampling,
        lambda p, keep: p / (p + (1 - p) / keep),
        [
            (lambda p, keep: p * keep, 'the odds'),
            (lambda p, keep: p / (p + (1 - p) * keep), 'wrong way'),
            (lambda p, keep: p, 'unchanged'),
        ],
    ),
    (
        check.top_unseen,
        unseen,
        [
            (lambda s, seen, k: unseen(s, seen[:0], k), 'leave them out'),
            (lambda s, seen, k: unseen(-s, seen, k), 'sort the other way'),
            (lambda s, seen, k: unseen(s, seen[:0], k, drop=seen), 'too short'),
        ],
    ),
    (
        check.auc_gap,
        lambda y, p, best: d2l.auc(y, best) - d2l.auc(y, p),
        [
            (lambda y, p, best: d2l.auc(y, p) - d2l.auc(y, best), 'sign is turned'),
            (lambda y, p, best: d2l.auc(y, p), 'AUC alone'),
            (lambda y, p, best: d2l.auc(y, p) / d2l.auc(y, best), 'a share'),
            (lambda y, p, best: d2l.log_loss(y, p) - d2l.log_loss(y, best), 'log losses'),
        ],
    ),
]
ENGLISH = 'Right: it agrees with the definition.'
EXERCISES = sorted({*check.__all__} - {'Verdict', 'add_language', 'notebook_language'})
EACH = pytest.mark.parametrize('judge, right, wrong', CASES, ids=[c[0].__name__ for c in CASES])


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(check, 'language', 'en')


def test_every_check_is_tried():
    assert sorted(c[0].__name__ for c in CASES) == EXERCISES


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
@pytest.mark.parametrize(
    'function, word',
    [
        (3, 'function itself'),
        (lambda *a: None, 'returns nothing'),
        (lambda *a: 1 / 0, 'ZeroDivisionError'),
        (lambda: 0, 'TypeError'),
        (lambda *a: 'text', 'ValueError'),
    ],
    ids=['number', 'none', 'raises', 'arguments', 'text'],
)
def test_any_answer_gets_a_sentence(judge, right, wrong, function, word):
    verdict = judge(function)
    assert not verdict and word in repr(verdict)


@EACH
def test_shapes_values_and_nan_get_a_sentence(judge, right, wrong):
    def changed(change):
        def function(*arguments):
            out = right(*arguments)
            return change(np.asarray(out.asnumpy() if hasattr(out, 'asnumpy') else out))

        return judge(function)

    assert 'should be' in repr(changed(lambda a: a + 17.25))
    assert 'shape' in repr(changed(lambda a: np.stack([a, a, a])))
    assert 'NaN' in repr(changed(lambda a: a * np.nan))


@pytest.mark.parametrize(
    'folder, environment, spoken',
    [
        ('ko', {}, 'ko'),
        ('en', {'LANG': 'ko_KR.UTF-8'}, 'en'),
        ('x', {'LANG': 'ko_KR.UTF-8'}, 'ko'),
        ('x', {'JPY_SESSION_NAME': '/book/chapters/ko/fm.ipynb'}, 'ko'),
        ('x', {}, 'en'),
    ],
)
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


# --- what a reader's function may be


@EACH
def test_a_check_is_a_function_with_types_and_a_docstring(judge, right, wrong):
    signature = inspect.signature(judge)
    assert list(signature.parameters) == ['function']
    assert signature.return_annotation == 'Verdict'
    assert '->' in judge.__doc__ and '>>>' in judge.__doc__


@EACH
@pytest.mark.parametrize(
    'change',
    [
        mx.np.array,
        np.asarray,
        lambda a: np.asarray(a).tolist(),
        lambda a: [mx.np.array(part) for part in a] if np.ndim(a) else float(a),
    ],
    ids=['mxnet', 'numpy', 'list', 'list of arrays'],
)
def test_an_answer_may_be_any_kind_of_array_or_a_list(judge, right, wrong, change):
    def function(*arguments):
        out = right(*arguments)
        return change(out.asnumpy() if hasattr(out, 'asnumpy') else out)

    verdict = judge(function)
    assert verdict, repr(verdict)


@EACH
@pytest.mark.filterwarnings('ignore::RuntimeWarning')  # of a mean of nothing
def test_a_function_may_write_into_its_arguments(judge, right, wrong):
    def spoil(arguments):
        for a in arguments:
            if hasattr(a, 'asnumpy'):
                a[:] = 0

    def function(*arguments):
        out = right(*arguments)
        out = out.copy() if hasattr(out, 'copy') else out
        spoil(arguments)
        return out

    def too_early(*arguments):
        spoil(arguments)
        return right(*arguments)

    assert judge(function), repr(judge(function))
    assert not judge(too_early)
    assert judge(right), 'an earlier call spoiled the cases'


def test_an_argument_returned_after_it_was_changed_is_no_right_answer():
    def doubled(v):
        v *= 2
        return v

    assert judged(doubled, lambda v: 2 * v, [{'v': np.ones(3)}])
    assert not judged(doubled, lambda v: v, [{'v': np.ones(3)}])


def test_a_mistake_counts_only_where_it_is_none_of_the_definition():
    cases = [{'v': np.zeros(2)}, {'v': np.ones(2)}]
    mistakes = [('pairwise_term.no_half', lambda v: 2 * v)]
    assert judged(lambda v: v, lambda v: v, cases, mistakes)
    assert judged(lambda v: v + v, lambda v: v, cases[:1], mistakes)
    assert judged(lambda v: v + v, lambda v: v, cases, mistakes).key == 'pairwise_term.no_half'
    assert judged(lambda v: v + 1, lambda v: v, cases, mistakes).key == 'answer.value_at'


def raised(error):
    def function(v):
        raise error

    return check.pairwise_term(function)


def test_no_scalar_is_told_as_numpy_2_writes_it():
    for text, told in [
        ('np.int64(3)', ' 3'),
        ('at np.float32(0.5) and np.str_(x)', ' at 0.5 and x'),
        ('np.dot(a, b) failed', ' np.dot(a, b) failed'),
    ]:
        assert repr(raised(ValueError(text))).endswith('ValueError:' + told)
    for shown in (
        check.pairwise_term(lambda v: v),
        check.pairwise_term(lambda v: pairwise(v) + 1),
        check.auc(lambda labels, scores: np.float64(7)),
        raised(KeyError(np.int64(3))),
    ):
        assert not any('np.' in text or 'int64' in text for text in shown.words.values())


def test_mxnets_errors_are_told_by_the_line_that_says_something():
    verdict = check.pairwise_term(lambda v: v + mx.np.ones((7, 7, 7)))
    assert 'Traceback' not in repr(verdict) and 'broadcast' in repr(verdict)
    assert repr(verdict).count('MXNetError') == 1


def test_text_of_an_error_is_escaped_in_html():
    html = raised(ValueError('<script>alert("&")</script> {sizes}'))._repr_html_()
    assert '<script>' not in html and html.count('&lt;script&gt;alert(&quot;&amp;') == 2
    assert '{sizes}' in html and 'data-passed="false"' in html


# --- languages


@pytest.fixture
def sentences(monkeypatch):
    """The languages, to be changed by a test."""
    monkeypatch.setattr(words, 'SENTENCES', {k: dict(v) for k, v in words.SENTENCES.items()})
    return words.SENTENCES


def test_every_language_has_the_same_keys_and_braces_in_the_same_order():
    files = {path.stem: json.loads(path.read_text('utf-8')) for path in words.FOLDER.glob('*.json')}
    assert set(files) >= {'ko', 'en'} and files == words.SENTENCES
    for name, texts in files.items():
        assert list(texts) == list(files['en']), name
        for key, text in texts.items():
            assert text == text.strip() and text, (name, key)
            assert words.braces(text) == words.braces(files['en'][key]), (name, key)


def test_every_sentence_is_said():
    answers = [3, lambda *a: None, lambda *a: 1 / 0, lambda *a: [17.25], lambda *a: 17.25]
    said = {
        judge(function).key
        for judge, right, wrong in CASES
        for function in [right, *answers, *(f for f, _ in wrong)]
    }
    said.add(check.pairwise_term(lambda v: pairwise(v) + 1).key)
    assert said == set(words.SENTENCES['en'])


def test_what_a_language_lacks_is_said_in_english(sentences):
    del sentences['ko']['answer.right']
    assert check.pairwise_term(pairwise).words == {'ko': ENGLISH, 'en': ENGLISH}


@pytest.mark.parametrize('spoken', ['fr_FR.UTF-8', 'C', ''])
def test_an_unknown_computer_speaks_english(monkeypatch, tmp_path, spoken):
    monkeypatch.setattr(check, 'language', None)
    monkeypatch.delenv('JPY_SESSION_NAME', raising=False)
    monkeypatch.setenv('LC_ALL', spoken)
    monkeypatch.setenv('LANG', spoken)
    monkeypatch.delenv('LC_MESSAGES', raising=False)
    monkeypatch.chdir(tmp_path)
    assert repr(check.pairwise_term(pairwise)) == ENGLISH


def test_a_third_language_is_one_file(monkeypatch, tmp_path, sentences):
    verdict = check.pairwise_term(pairwise)
    file = tmp_path / 'fr.json'
    file.write_text('{"answer.right": "C\'est juste.", "answer.raised": "{kind} !"}', 'utf-8')
    check.add_language(file)
    monkeypatch.setattr(check, 'language', 'fr')
    assert repr(verdict) == "C'est juste."
    assert repr(check.pairwise_term(lambda v: 1 / 0)) == 'ZeroDivisionError !'
    assert 'twice' in repr(check.pairwise_term(lambda v: 2 * pairwise(v)))
    html = verdict._repr_html_()
    for name in ('ko', 'en'):
        assert html.count(f'<span lang="{name}" style="display:none">') == 1
    assert '<span lang="fr">C&#x27;est juste.</span>' in html

    monkeypatch.setattr(check, 'language', None)
    folder = tmp_path / 'fr'
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert check.notebook_language() == 'fr'

    file.write_text('{"answer.right": "Juste."}', 'utf-8')  # a later file mends a part
    check.add_language(file)
    assert repr(verdict) == 'Juste.' and sentences['fr']['answer.raised'] == '{kind} !'


@pytest.mark.parametrize(
    'text, word',
    [
        ('{', 'is no JSON file'),
        ('\udcff', 'is no JSON file'),
        ('["Juste."]', 'one JSON object'),
        ('{"answer.right": 3}', 'one JSON object'),
        ('{"answer.juste": "Juste."}', "no check says 'answer.juste'"),
        ('{"answer.raised": "{error}"}', r'answer.raised has {error}'),
        ('{"answer.raised": "{kind:.2f}"}', r'answer.raised has {kind.2f}'),
        ('{"answer.right": "{kind}"}', 'no braces'),
        ('{"answer.right": "}"}', 'answer.right: '),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, sentences, text, word):
    file = tmp_path / 'fr.json'
    file.write_text(text, 'utf-8', errors='surrogateescape')
    with pytest.raises(ValueError) as refusal:
        check.add_language(file)
    assert str(refusal.value).startswith(str(file)) and word in str(refusal.value)
    assert 'fr' not in sentences
