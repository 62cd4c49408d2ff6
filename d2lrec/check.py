"""Check an exercise: one call compares the reader's function with its definition.

    d2l.check.pairwise_term(mine)

answers in a sentence, in the notebook's language, what is right or what is wrong. Each check
takes a function of MXNet or NumPy arrays, calls it on small random arrays and compares what it
returns with the definition, written as loops. Known mistakes are told by name.

Shapes: B rows, F fields, K factors, D dense features, U users, I items.
"""
import os

import numpy as onp
from mxnet import np

__all__ = ['logit_loss', 'pairwise_term', 'merge_shards', 'sparse_update']

LANGUAGES = 'ko', 'en'
language = None         # 'ko' or 'en' here settles what `notebook_language` has to guess


def notebook_language():
    """'ko' or 'en': the folder the notebook lies in, else what the computer speaks."""
    if language is not None:
        if language not in LANGUAGES:
            raise ValueError(f"check.language is {language!r}: set it to 'ko', 'en' or None.")
        return language
    for path in (os.getcwd(), os.path.dirname(os.environ.get('JPY_SESSION_NAME', ''))):
        if os.path.basename(path) in LANGUAGES:
            return os.path.basename(path)
    spoken = next((os.environ[name] for name in ('LC_ALL', 'LC_MESSAGES', 'LANG')
                   if os.environ.get(name)), '')
    return 'ko' if spoken.startswith('ko') else 'en'


class Verdict:
    """What a check found: true where it passed, a sentence in both languages."""

    def __init__(self, passed, ko, en):
        self.passed, self.words = passed, {'ko': ko, 'en': en}

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return self.words[notebook_language()]

    def _repr_html_(self):
        # Both sentences: a page that two editions share can show its own one (book.css).
        from html import escape
        spoken = notebook_language()
        spans = ''.join('<span lang="{}"{}>{}</span>'.format(
            name, '' if name == spoken else ' style="display:none"', escape(text))
            for name, text in self.words.items())
        return (f'<p class="d2l-check" data-passed="{str(self.passed).lower()}">'
                f'{"✓" if self.passed else "✗"} {spans}</p>')


def _wrong(ko, en):
    return Verdict(False, ko, en)


def _array(value):
    return onp.asarray(value.asnumpy() if hasattr(value, 'asnumpy') else value)


def _same(one, other):
    one, other = (onp.asarray(a, dtype='float64') for a in (one, other))
    return one.shape == other.shape and onp.allclose(one, other, rtol=1e-3, atol=1e-4)


def judge(function, cases, definition, mistakes=(), names=None):
    """Call `function` on each case and compare it with `definition`.

    Parameters
    ----------
    function : callable
        The reader's.
    cases : list of tuples
        The arguments; NumPy arrays are handed over as MXNet arrays.
    definition : callable
        The same arguments (as NumPy arrays) -> what is right, as an array.
    mistakes : list of (callable, str, str)
        What a known mistake computes, and how to tell the reader, in Korean and in English. A
        mistake counts only where it differs from the definition.
    names : list of str
        Of the arguments, for the sentences.

    Returns
    -------
    Verdict
    """
    if not callable(function):
        return _wrong('함수를 넘겨 주십시오. 호출한 결과가 아니라 함수 이름만 적으면 됩니다.',
                      'Pass the function itself, not what a call of it returns.')
    for arguments in cases:
        given = [np.array(a, dtype=a.dtype) if isinstance(a, onp.ndarray) else a
                 for a in arguments]
        names_ = names or [f'#{n + 1}' for n in range(len(arguments))]
        sizes = ', '.join(f'{name} {tuple(a.shape)}' for name, a in zip(names_, arguments)
                          if isinstance(a, onp.ndarray))
        try:
            got = function(*given)
            got = None if got is None else _array(got).astype('float64')
        except Exception as error:      # whatever it is, the reader gets a sentence
            kind, text = type(error).__name__, str(error).strip().splitlines() or ['']
            return _wrong(f'입력 {sizes}에서 함수가 {kind} 오류를 냈습니다: {text[0][:200]}',
                          f'With {sizes} the function raised {kind}: {text[0][:200]}')
        if got is None:
            return _wrong('함수가 아무것도 돌려주지 않습니다. return을 빠뜨리지 않았는지 보십시오.',
                          'The function returns nothing: is a return missing?')
        right = onp.asarray(definition(*arguments), dtype='float64')
        if _same(got, right):
            continue
        for mistake, ko, en in mistakes:
            if _same(got, mistake(*arguments)):
                return _wrong(ko, en)
        if got.shape != right.shape:
            return _wrong(f'입력이 {sizes}이면 출력은 {right.shape} 모양이어야 하는데 '
                          f'{got.shape}입니다.',
                          f'For {sizes} the output should have the shape {right.shape}, '
                          f'but it has {got.shape}.')
        if not onp.isfinite(got).all():
            return _wrong('출력에 NaN이나 무한대가 있습니다.', 'The output holds NaN or infinity.')
        at = onp.unravel_index(onp.abs(got - right).argmax(), right.shape)
        where = list(map(int, at))
        return _wrong(
            f'모양은 맞지만 값이 다릅니다. {where} 위치의 값은 {right[at]:.4f}이어야 하는데 '
            f'{got[at]:.4f}입니다 (입력 {sizes}).',
            f'The shape is right but values differ: at {where} it should be {right[at]:.4f} '
            f'and is {got[at]:.4f} (with {sizes}).')
    return Verdict(True, '맞습니다. 정의와 같은 값을 냅니다.',
                   'Right: it agrees with the definition.')


def _normal(*shape, seed=0):
    return onp.random.default_rng(seed).normal(size=shape).astype('float32')


# One check an exercise, in the order of the chapters --------------------------------------------

def pairwise_term(function):
    """FM's pairwise term: vectors (B, F, K) -> (B, 1), sum_{f<g} <v_f, v_g>.

    Rendle, Factorization Machines, ICDM 2010, equation (1).
    """
    def definition(v):
        rows, fields, _ = v.shape
        out = onp.zeros((rows, 1))
        for b in range(rows):
            for f in range(fields):
                for g in range(f + 1, fields):
                    out[b, 0] += v[b, f] @ v[b, g]
        return out

    def no_half(v):
        return 2 * definition(v)

    def no_squares(v):
        return .5 * onp.square(v.sum(1)).sum(1, keepdims=True)

    def one_number(v):
        return definition(v)[:, 0]
    return judge(function, [(_normal(4, 3, 2),), (_normal(1, 5, 3, seed=1),)], definition, [
        (no_half, '정확히 두 배입니다. 쌍을 두 번씩 세었으니 ½을 곱하십시오.',
         'Exactly twice what it should be: each pair is counted twice, so multiply by ½.'),
        (no_squares, '대각선이 남아 있습니다. 제곱의 합(벡터 자신과의 내적)을 빼십시오.',
         'The diagonal is still in it: subtract the sum of squares, '
         'the products of vectors with themselves.'),
        (one_number, '값은 맞지만 모양이 (B,)입니다. 로짓에 더할 수 있게 (B, 1)로 돌려주십시오.',
         'The values are right but the shape is (B,): return (B, 1), to be added to logits.'),
    ], ['v'])


def logit_loss(function):
    """Mean log loss: logits (B, 1) and labels (B, 1) -> one number, finite for large logits."""
    def definition(z, y):
        total = 0.
        for logit, label in zip(z[:, 0].astype('float64'), y[:, 0]):
            sign = logit if label else -logit           # of what happened
            total += max(-sign, 0) + onp.log1p(onp.exp(-abs(sign)))
        return total / len(z)

    def total(z, y):
        return len(z) * definition(z, y)

    def second_sigmoid(z, y):
        return definition(1 / (1 + onp.exp(-z)), y)

    def swapped(z, y):
        return definition(z, 1 - y)

    def by_row(z, y):
        return onp.array([[definition(z[b:b + 1], y[b:b + 1])] for b in range(len(z))])
    labels = onp.array([[1], [0], [1], [0], [0]], 'float32')
    far = onp.array([[60], [-60], [-60], [60], [0]], 'float32')
    return judge(function, [(_normal(5, 1), labels), (far, labels)], definition, [
        (total, '합입니다. 행 수로 나누어 평균을 구하십시오.',
         'This is the sum: divide by the number of rows.'),
        (second_sigmoid, '시그모이드가 두 번 적용되었습니다. z는 확률이 아니라 로짓입니다.',
         'There is a second sigmoid in it: z are logits, not probabilities.'),
        (swapped, '레이블이 뒤집혔습니다. y가 1인 행에서는 σ(z)가 클수록 손실이 작아야 합니다.',
         'The labels are the wrong way round: where y is 1, the loss falls as σ(z) grows.'),
        (by_row, '행마다의 손실입니다. 평균 하나를 돌려주십시오.',
         'These are the losses of the rows: return their mean.'),
    ], ['z', 'y'])


def merge_shards(function):
    """Devices' mean gradients (D, P) and numbers of rows (D,) -> the batch's mean gradient (P,)."""
    def definition(means, rows):
        out = onp.zeros(means.shape[1])
        for d in range(len(rows)):
            for p in range(means.shape[1]):
                out[p] += means[d, p] * rows[d] / sum(rows)
        return out

    def mean_of_means(means, rows):
        return means.mean(axis=0)

    def sum_of_means(means, rows):
        return means.sum(axis=0)

    def not_divided(means, rows):
        return definition(means, rows) * sum(rows)
    cases = [(_normal(3, 2), onp.array([3, 1, 4], 'int32')),
             (_normal(2, 4, seed=1), onp.array([6, 1], 'int32'))]
    return judge(function, cases, definition, [
        (mean_of_means, '평균의 평균입니다. 행이 적은 장치의 행이 더 크게 셈해집니다. '
         '평균마다 그 장치의 행 수를 곱하십시오.',
         'This is the average of averages: rows on a device that has fewer of them count for '
         'more. Weigh each mean by its device\'s number of rows.'),
        (sum_of_means, '평균을 더하기만 했습니다. 평균마다 그 장치의 행 수를 곱하고 배치의 '
         '행 수로 나누십시오.',
         'These are the means, merely added: weigh each by its number of rows and divide by '
         'the rows of the batch.'),
        (not_divided, '배치 손실의 합의 기울기입니다. 배치의 행 수로 나누십시오.',
         'This is the gradient of the summed loss: divide by the rows of the batch.'),
    ], ['means', 'rows'])


def sparse_update(function):
    """A step of SGD on a batch's rows: table (V, K), ids (n,), gradients (n, K), lr -> (V, K)."""
    def definition(table, ids, grads, lr):
        out = table.astype('float64')
        for n in range(len(ids)):
            for k in range(table.shape[1]):
                out[ids[n], k] -= lr * grads[n, k]
        return out

    def overwritten(table, ids, grads, lr):
        out = table.copy()
        out[ids] -= lr * grads
        return out

    def averaged(table, ids, grads, lr):
        return definition(table, ids, grads / onp.bincount(ids)[ids][:, None], lr)

    def uphill(table, ids, grads, lr):
        return definition(table, ids, grads, -lr)

    def no_rate(table, ids, grads, lr):
        return definition(table, ids, grads, 1.)
    cases = [(_normal(5, 2), onp.array([3, 1, 3, 0, 3], 'int32'), _normal(5, 2, seed=1), .5),
             (_normal(4, 3, seed=2), onp.array([2, 2], 'int32'), _normal(2, 3, seed=3), .1)]
    return judge(function, cases, definition, [
        (overwritten, '겹치는 id의 기울기가 더해지지 않고 마지막 것만 남았습니다. '
         '같은 id의 기울기를 먼저 더하십시오.',
         'Where an id repeats, only its last gradient was used: duplicates were overwritten. '
         'Add up the gradients of equal ids first.'),
        (averaged, '겹치는 id의 기울기를 평균했습니다. 식은 합입니다.',
         'Gradients of equal ids were averaged: the formula adds them.'),
        (uphill, '부호가 반대입니다. 기울기를 빼야 손실이 줄어듭니다.',
         'The sign is wrong: subtract the gradient, so that the loss falls.'),
        (no_rate, '학습률을 곱하지 않았습니다.', 'The learning rate is missing.'),
    ], ['table', 'ids', 'grads', 'lr'])
