"""Check an exercise: one call compares the reader's function with its definition.

    d2l.check.pairwise_term(mine)

answers in a sentence, in the notebook's language, what is right or what is wrong. Each check
takes a function of MXNet or NumPy arrays, calls it on small random arrays and compares what it
returns with the definition, written as loops. Known mistakes are told by name.

Shapes: B rows, F fields, K factors, D dense features, U users, I items.
"""

import os

import mxnet as mx
import numpy as np

__all__ = [
    'accumulated_rmse',
    'auc',
    'biased_mf',
    'cin_layer',
    'cross_layer',
    'cross_product',
    'dot_interaction',
    'embedding_bag',
    'fold_in',
    'ftrl_weight',
    'gauc',
    'logit_loss',
    'masked_error',
    'merge_shards',
    'pairwise_term',
    'sparse_update',
    'vocabulary',
]

LANGUAGES = 'ko', 'en'
language = None  # 'ko' or 'en' here settles what `notebook_language` has to guess


def notebook_language():
    """'ko' or 'en': the folder the notebook lies in, else what the computer speaks."""
    if language is not None:
        if language not in LANGUAGES:
            raise ValueError(f"check.language is {language!r}: set it to 'ko', 'en' or None.")
        return language
    for path in (os.getcwd(), os.path.dirname(os.environ.get('JPY_SESSION_NAME', ''))):
        if os.path.basename(path) in LANGUAGES:
            return os.path.basename(path)
    spoken = next(
        (os.environ[name] for name in ('LC_ALL', 'LC_MESSAGES', 'LANG') if os.environ.get(name)), ''
    )
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
        spans = ''.join(
            '<span lang="{}"{}>{}</span>'.format(
                name, '' if name == spoken else ' style="display:none"', escape(text)
            )
            for name, text in self.words.items()
        )
        return (
            f'<p class="d2l-check" data-passed="{str(self.passed).lower()}">'
            f'{"✓" if self.passed else "✗"} {spans}</p>'
        )


def _wrong(ko, en):
    return Verdict(False, ko, en)


def _array(value):
    return np.asarray(value.asnumpy() if hasattr(value, 'asnumpy') else value)


def _same(one, other):
    one, other = (np.asarray(a, dtype='float64') for a in (one, other))
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)


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
        return _wrong(
            '함수를 넘겨 주십시오. 호출한 결과가 아니라 함수 이름만 적으면 됩니다.',
            'Pass the function itself, not what a call of it returns.',
        )
    for arguments in cases:
        given = [
            mx.np.array(a, dtype=a.dtype) if isinstance(a, np.ndarray) else a for a in arguments
        ]
        names_ = names or [f'#{n + 1}' for n in range(len(arguments))]
        sizes = ', '.join(
            f'{name} {tuple(a.shape)}'
            for name, a in zip(names_, arguments)
            if isinstance(a, np.ndarray)
        )
        try:
            got = function(*given)
            got = None if got is None else _array(got).astype('float64')
        except Exception as error:  # whatever it is, the reader gets a sentence
            kind, text = type(error).__name__, str(error).strip().splitlines() or ['']
            return _wrong(
                f'입력 {sizes}에서 함수가 {kind} 오류를 냈습니다: {text[0][:200]}',
                f'With {sizes} the function raised {kind}: {text[0][:200]}',
            )
        if got is None:
            return _wrong(
                '함수가 아무것도 돌려주지 않습니다. return을 빠뜨리지 않았는지 보십시오.',
                'The function returns nothing: is a return missing?',
            )
        right = np.asarray(definition(*arguments), dtype='float64')
        if _same(got, right):
            continue
        for mistake, ko, en in mistakes:
            if _same(got, mistake(*arguments)):
                return _wrong(ko, en)
        if got.shape != right.shape:
            return _wrong(
                f'입력이 {sizes}이면 출력은 {right.shape} 모양이어야 하는데 {got.shape}입니다.',
                f'For {sizes} the output should have the shape {right.shape}, '
                f'but it has {got.shape}.',
            )
        if not np.isfinite(got).all():
            return _wrong('출력에 NaN이나 무한대가 있습니다.', 'The output holds NaN or infinity.')
        at = np.unravel_index(np.abs(got - right).argmax(), right.shape)
        where = list(map(int, at))  # empty where one number is returned
        return _wrong(
            f'모양은 맞지만 값이 다릅니다. {f"{where} 위치의 값은 " if where else ""}'
            f'{right[at]:.4f}이어야 하는데 {got[at]:.4f}입니다 (입력 {sizes}).',
            f'The shape is right but values differ: {f"at {where} " if where else ""}'
            f'it should be {right[at]:.4f} and is {got[at]:.4f} (with {sizes}).',
        )
    return Verdict(
        True, '맞습니다. 정의와 같은 값을 냅니다.', 'Right: it agrees with the definition.'
    )


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype('float32')


# One check an exercise, in the order of the chapters --------------------------------------------


def auc(function):
    """Area under the ROC curve: labels (N,) and scores (N,) -> a number; ties count one half."""

    def pairs(tie):
        def count(labels, scores):
            won = [
                (p > q) + tie * (p == q)
                for p, y in zip(scores, labels)
                if y == 1
                for q, z in zip(scores, labels)
                if z == 0
            ]
            return sum(won) / len(won)

        return count

    definition = pairs(tie=0.5)

    def upside_down(labels, scores):
        return 1 - definition(labels, scores)

    def accuracy(labels, scores):
        return ((scores > 0.5) == labels).mean()

    labels = np.array([1, 0, 1, 0, 0, 1, 0], 'float32')
    scores = np.array([0.9, 0.7, 0.5, 0.5, 0.2, 0.3, 0.1], 'float32')
    return judge(
        function,
        [(labels, scores), (labels[::-1].copy(), 10 * scores - 5)],
        definition,
        [
            (
                pairs(tie=0.0),
                '동점인 짝을 진 것으로 세었습니다. 동점은 반으로 칩니다.',
                'Ties are counted as lost: a tie counts one half.',
            ),
            (
                pairs(tie=1.0),
                '동점인 짝을 이긴 것으로 세었습니다. 동점은 반으로 칩니다.',
                'Ties are counted as won: a tie counts one half.',
            ),
            (
                upside_down,
                '뒤집혔습니다. 1인 행의 점수가 0인 행보다 높은 짝을 세십시오.',
                'Upside down: count the pairs in which the row with a 1 has the higher score.',
            ),
            (
                accuracy,
                '이것은 0.5를 기준으로 한 정확도입니다. AUC는 점수의 순서만 봅니다.',
                'This is the accuracy at .5: the AUC looks only at the order of the scores.',
            ),
        ],
        ['labels', 'scores'],
    )


def vocabulary(function):
    """Ids by frequency: words (N,), whole numbers, and min_count -> ids (N,).

    Words that occur min_count times or more get 0, 1, ... from the most frequent on, the smaller
    one first among equally frequent ones; all others share the next id.
    """

    def rule(enough, key, unknown=lambda kept: kept, first=0):
        def ids(words, min_count):
            words = words.tolist()
            count = {w: words.count(w) for w in words}
            kept = sorted(
                (w for w in count if enough(count[w], min_count)), key=lambda w: key(w, count)
            )
            table = {w: i + first for i, w in enumerate(kept)}
            return np.array([table.get(w, unknown(len(kept))) for w in words])

        return ids

    def at_least(count, least):
        return count >= least

    def frequent(word, count):
        return -count[word], word

    words = np.array([7, 3, 3, 9, 7, 5, 7, 9, 2, 5, 5, 5])
    return judge(
        function,
        [(words, 2), (words[::-1].copy(), 1), (words, 4)],
        rule(at_least, frequent),
        [
            (
                rule(lambda count, least: count > least, frequent),
                "딱 min_count번 나온 값까지 '모름'이 되었습니다. 그 값도 어휘에 넣으십시오.",
                'Words that occur exactly min_count times became unknown: they belong in the '
                'vocabulary.',
            ),
            (
                rule(at_least, lambda word, count: word),
                'id가 값의 순서로 매겨졌습니다. 흔한 값부터 매기십시오.',
                "The ids follow the words' values: begin with the most frequent one.",
            ),
            (
                rule(at_least, lambda word, count: (-count[word], -word)),
                '횟수가 같은 값들의 순서가 거꾸로입니다. 작은 값이 먼저입니다.',
                'Among equally frequent words the order is reversed: the smaller one comes first.',
            ),
            (
                rule(at_least, frequent, lambda kept: -1),
                "'모름'의 id가 -1입니다. 임베딩의 행이 될 수 있게 마지막 다음 번호를 주십시오.",
                'The unknown id is -1: give the next one after the last, so that it can be a row.',
            ),
            (
                rule(at_least, frequent, lambda kept: 0, first=1),
                "'모름'에 0을 주었습니다. 흔한 값이 0부터 시작하고 '모름'은 맨 뒤입니다.",
                'Unknown has the id 0: the most frequent word has 0, and unknown comes last.',
            ),
        ],
        ['words', 'min_count'],
    )


def biased_mf(function):
    """mean, user_bias (U,), item_bias (I,), P (U, K), Q (I, K), users (B,), items (B,) -> (B,).

    Koren, Bell and Volinsky, Matrix Factorization Techniques for Recommender Systems, Computer
    42(8), 2009, equation (4).
    """

    def definition(mean, user_bias, item_bias, P, Q, users, items):
        return np.array(
            [
                mean
                + user_bias[u]
                + item_bias[i]
                + sum(P[u, k] * Q[i, k] for k in range(P.shape[1]))
                for u, i in zip(users, items)
            ]
        )

    def no_mean(mean, *rest):
        return definition(0.0, *rest)

    def no_biases(mean, user_bias, item_bias, *rest):
        return definition(mean, 0 * user_bias, 0 * item_bias, *rest)

    def all_pairs(mean, user_bias, item_bias, P, Q, users, items):
        return mean + user_bias[users][:, None] + item_bias[items] + P[users] @ Q[items].T

    def columns(mean, user_bias, item_bias, P, Q, users, items):
        return definition(mean, user_bias, item_bias, P, Q, users, items)[:, None]

    def case(rows, seed):
        rng = np.random.default_rng(seed)
        return (
            3.5,
            _normal(5, seed=seed),
            _normal(7, seed=seed + 1),
            _normal(5, 3, seed=seed + 2),
            _normal(7, 3, seed=seed + 3),
            rng.integers(0, 5, rows).astype('int32'),
            rng.integers(0, 7, rows).astype('int32'),
        )

    return judge(
        function,
        [case(4, 0), case(1, 9)],
        definition,
        [
            (no_mean, '전체 평균 μ가 빠졌습니다.', 'The global mean μ is missing.'),
            (
                no_biases,
                '사용자와 아이템의 편향이 빠졌습니다.',
                'The biases of user and item are missing.',
            ),
            (
                all_pairs,
                '모든 사용자와 모든 아이템의 (B, B) 표가 나왔습니다. 같은 행의 사용자와 '
                '아이템끼리만 내적하십시오.',
                'This is a (B, B) table of all users with all items: take the inner product within '
                'each row only.',
            ),
            (
                columns,
                '값은 맞지만 모양이 (B, 1)입니다. 평점의 모양인 (B,)로 돌려주십시오.',
                'The values are right but the shape is (B, 1): return (B,), the shape of the ratings.',
            ),
        ],
        ['mean', 'user_bias', 'item_bias', 'P', 'Q', 'users', 'items'],
    )


def fold_in(function):
    """The vector of a new user: Q (n, K) of the n items rated, rest (n,), damping -> p (K,).

    p minimizes sum_i (rest_i - <p, q_i>)^2 + damping <p, p>, a ridge regression: what alternating
    least squares does for one user (Koren, Bell and Volinsky, Matrix Factorization Techniques
    for Recommender Systems, Computer 42(8), 2009).
    """

    def solve(Q, rest, ridge):
        A, b = np.diag(np.full(Q.shape[1], float(ridge))), np.zeros(Q.shape[1])
        for q, r in zip(Q.astype('float64'), rest):
            A += np.outer(q, q)
            b += r * q
        return np.linalg.solve(A, b)

    def definition(Q, rest, damping):
        return solve(Q, rest, damping)

    def undamped(Q, rest, damping):
        return np.linalg.lstsq(Q.astype('float64'), rest, rcond=None)[0]

    def per_rating(Q, rest, damping):
        return solve(Q, rest, damping * len(Q))

    def average(Q, rest, damping):
        return Q.T @ rest

    return judge(
        function,
        [
            (_normal(6, 3), _normal(6, seed=1), 2.0),
            (_normal(2, 4, seed=2), _normal(2, seed=3), 0.5),
        ],
        definition,
        [
            (
                undamped,
                'λ가 빠졌습니다. QᵀQ의 대각선에 λ를 더하십시오.',
                'λ is missing: add it to the diagonal of QᵀQ.',
            ),
            (
                per_rating,
                'λ에 평점 수가 곱해졌습니다. 여기서는 사용자마다 λ 그대로입니다.',
                'λ is multiplied by the number of ratings: here it is λ itself for every user.',
            ),
            (
                average,
                '오른쪽 변 Qᵀr만 구했습니다. (QᵀQ + λI) p = Qᵀr을 푸십시오.',
                'This is only the right-hand side Qᵀr: solve (QᵀQ + λI) p = Qᵀr.',
            ),
        ],
        ['Q', 'rest', 'damping'],
    )


def pairwise_term(function):
    """FM's pairwise term: vectors (B, F, K) -> (B, 1), sum_{f<g} <v_f, v_g>.

    Rendle, Factorization Machines, ICDM 2010, equation (1).
    """

    def definition(v):
        rows, fields, _ = v.shape
        out = np.zeros((rows, 1))
        for b in range(rows):
            for f in range(fields):
                for g in range(f + 1, fields):
                    out[b, 0] += v[b, f] @ v[b, g]
        return out

    def no_half(v):
        return 2 * definition(v)

    def no_squares(v):
        return 0.5 * np.square(v.sum(1)).sum(1, keepdims=True)

    def one_number(v):
        return definition(v)[:, 0]

    return judge(
        function,
        [(_normal(4, 3, 2),), (_normal(1, 5, 3, seed=1),)],
        definition,
        [
            (
                no_half,
                '정확히 두 배입니다. 쌍을 두 번씩 세었으니 ½을 곱하십시오.',
                'Exactly twice what it should be: each pair is counted twice, so multiply by ½.',
            ),
            (
                no_squares,
                '대각선이 남아 있습니다. 제곱의 합(벡터 자신과의 내적)을 빼십시오.',
                'The diagonal is still in it: subtract the sum of squares, '
                'the products of vectors with themselves.',
            ),
            (
                one_number,
                '값은 맞지만 모양이 (B,)입니다. 로짓에 더할 수 있게 (B, 1)로 돌려주십시오.',
                'The values are right but the shape is (B,): return (B, 1), to be added to logits.',
            ),
        ],
        ['v'],
    )


def cross_product(function):
    """Cross-products: x (B, V) and c (C, V), both 0 and 1 -> (B, C), prod_i x_i^c_i.

    Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016, equation (1).
    """

    def definition(x, c):
        out = np.ones((len(x), len(c)))
        for b in range(len(x)):
            for k in range(len(c)):
                for i in range(x.shape[1]):
                    out[b, k] *= x[b, i] ** c[k, i]
        return out

    def any_of(x, c):
        return (x @ c.T > 0).astype('float64')

    def how_many(x, c):
        return x @ c.T

    def times(x, c):
        return (x[:, None] * c).prod(2)

    rng = np.random.default_rng(0)
    x = (rng.random((6, 5)) < 0.7).astype('float32')
    c = np.array([[1, 1, 0, 0, 0], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]], dtype='float32')
    return judge(
        function,
        [(x, c), (x[:1], c[:2])],
        definition,
        [
            (
                any_of,
                '하나라도 켜져 있으면 1을 내고 있습니다(OR). c가 고른 특성이 모두 켜져 있어야 '
                '1입니다(AND).',
                'It gives 1 as soon as one feature is on (OR): all that c picks must be on (AND).',
            ),
            (
                how_many,
                '켜져 있는 특성의 수를 세고 있습니다. 더하지 말고 곱하십시오.',
                'It counts the features that are on: multiply them, do not add.',
            ),
            (
                times,
                'x와 c를 곱하고 있습니다. c는 지수입니다. c가 고르지 않은 특성은 x⁰ = 1이 되어 '
                '빠집니다.',
                'It multiplies x by c, but c is the exponent: what is not picked drops out, for x⁰ = 1.',
            ),
        ],
        ['x', 'c'],
    )


def ftrl_weight(function):
    """FTRL's weights: z (V,), n (V,), α, β, λ₁, λ₂ -> w (V,).

    w = 0 for z from -λ₁ to λ₁, else -(z - sign(z) λ₁) / ((β + √n) / α + λ₂).
    McMahan et al., Ad Click Prediction: a View from the Trenches, KDD 2013, algorithm 1.
    """

    def weights(z, n, slope, numerator):
        return np.array([numerator(z_) for z_ in z]) / slope(n)

    def slope(alpha, beta, l2):
        return lambda n: (beta + np.sqrt(n)) / alpha + l2

    def definition(z, n, alpha, beta, l1, l2):
        out = np.zeros(len(z))
        for i in range(len(z)):
            if abs(z[i]) > l1:
                out[i] = -(z[i] - np.sign(z[i]) * l1) / ((beta + np.sqrt(n[i])) / alpha + l2)
        return out

    def no_minus(*arguments):
        return -definition(*arguments)

    def no_threshold(z, n, alpha, beta, l1, l2):
        return definition(z, n, alpha, beta, 0.0, l2)

    def not_shrunk(z, n, alpha, beta, l1, l2):
        return weights(z, n, slope(alpha, beta, l2), lambda z: -z if abs(z) > l1 else 0.0)

    def wrong_way(z, n, alpha, beta, l1, l2):
        return weights(
            z, n, slope(alpha, beta, l2), lambda z: -(z + np.sign(z) * l1) if abs(z) > l1 else 0.0
        )

    def never_zero(z, n, alpha, beta, l1, l2):
        return weights(z, n, slope(alpha, beta, l2), lambda z: -(z - np.sign(z) * l1))

    cases = [
        (_normal(8, seed=s), np.square(_normal(8, seed=s + 9)), alpha, beta, 0.6, l2)
        for s, alpha, beta, l2 in ((0, 0.5, 0.3, 0.2), (1, 0.1, 1.0, 0.5))
    ]
    return judge(
        function,
        cases,
        definition,
        [
            (
                no_minus,
                '부호가 반대입니다. z는 기울기의 합이므로 가중치는 그 반대쪽으로 가야 합니다.',
                'The sign is reversed: z adds up gradients, and the weight goes against them.',
            ),
            (
                no_threshold,
                'λ₁이 하는 일이 없습니다. |z| ≤ λ₁이면 0, 아니면 z를 λ₁만큼 0 쪽으로 당기십시오.',
                'λ₁ does nothing: the weight is 0 where |z| ≤ λ₁, and elsewhere z moves by λ₁ towards 0.',
            ),
            (
                not_shrunk,
                '0으로 만드는 것은 맞지만, 남은 z도 λ₁만큼 0 쪽으로 당겨야 합니다.',
                'The zeros are right, but the other z must move by λ₁ towards 0, too.',
            ),
            (
                wrong_way,
                'λ₁의 부호가 반대입니다. z를 0에서 밀어내지 말고 0 쪽으로 당기십시오.',
                'The sign of λ₁ is reversed: it pulls z towards 0, not away.',
            ),
            (
                never_zero,
                '|z| ≤ λ₁인 가중치가 0이 아니라 부호가 뒤집혀 나옵니다. 그 경우에는 0을 내십시오.',
                'Where |z| ≤ λ₁ the weight is 0; here it comes out with its sign flipped.',
            ),
        ],
        ['z', 'n', 'α', 'β', 'λ₁', 'λ₂'],
    )


def logit_loss(function):
    """Mean log loss: logits (B, 1) and labels (B, 1) -> one number, finite for large logits."""

    def definition(z, y):
        total = 0.0
        for logit, label in zip(z[:, 0].astype('float64'), y[:, 0]):
            sign = logit if label else -logit  # of what happened
            total += max(-sign, 0) + np.log1p(np.exp(-abs(sign)))
        return total / len(z)

    def total(z, y):
        return len(z) * definition(z, y)

    def second_sigmoid(z, y):
        return definition(1 / (1 + np.exp(-z)), y)

    def swapped(z, y):
        return definition(z, 1 - y)

    def by_row(z, y):
        return np.array([[definition(z[b : b + 1], y[b : b + 1])] for b in range(len(z))])

    labels = np.array([[1], [0], [1], [0], [0]], 'float32')
    far = np.array([[60], [-60], [-60], [60], [0]], 'float32')
    return judge(
        function,
        [(_normal(5, 1), labels), (far, labels)],
        definition,
        [
            (
                total,
                '합입니다. 행 수로 나누어 평균을 구하십시오.',
                'This is the sum: divide by the number of rows.',
            ),
            (
                second_sigmoid,
                '시그모이드가 두 번 적용되었습니다. z는 확률이 아니라 로짓입니다.',
                'There is a second sigmoid in it: z are logits, not probabilities.',
            ),
            (
                swapped,
                '레이블이 뒤집혔습니다. y가 1인 행에서는 σ(z)가 클수록 손실이 작아야 합니다.',
                'The labels are the wrong way round: where y is 1, the loss falls as σ(z) grows.',
            ),
            (
                by_row,
                '행마다의 손실입니다. 평균 하나를 돌려주십시오.',
                'These are the losses of the rows: return their mean.',
            ),
        ],
        ['z', 'y'],
    )


def cross_layer(function):
    """A cross layer of DCN: x_0, x_l (B, D), w, b (D,) -> x_0 (x_l . w) + b + x_l, shape (B, D).

    Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, equation (3).
    """

    def layer(x0, x, w, b, residual=1, bias_within=False):
        out = np.zeros(x.shape)
        for row in range(len(x)):
            product = 0.0
            for d in range(x.shape[1]):
                product += x[row, d] * w[d]
            for d in range(x.shape[1]):
                if bias_within:
                    out[row, d] = x0[row, d] * (product + b[d])
                else:
                    out[row, d] = x0[row, d] * product + b[d]
                out[row, d] += residual * x[row, d]
        return out

    def no_residual(x0, x, w, b):
        return layer(x0, x, w, b, residual=0)

    def adds_x0(x0, x, w, b):
        return layer(x0, x, w, b, residual=0) + x0

    def crosses_itself(x0, x, w, b):
        return layer(x, x, w, b)

    def bias_within(x0, x, w, b):
        return layer(x0, x, w, b, bias_within=True)

    def by_coordinate(x0, x, w, b):
        return x0 * x * w + b + x

    cases = [
        tuple(
            _normal(*shape, seed=10 * case + n)
            for n, shape in enumerate([(rows, d), (rows, d), (d,), (d,)])
        )
        for case, (rows, d) in enumerate([(4, 3), (2, 5)])
    ]
    return judge(
        function,
        cases,
        layer,
        [
            (
                no_residual,
                '마지막에 x_l을 더하지 않았습니다. 잔차가 없으면 낮은 차수의 항이 사라집니다.',
                'x_l is not added at the end: without this residual the terms of lower order are lost.',
            ),
            (
                adds_x0,
                '잔차로 x_0을 더했습니다. 더할 것은 앞 층의 출력 x_l입니다.',
                'The residual that is added is x_0: add x_l, the output of the layer before.',
            ),
            (
                crosses_itself,
                'x_0 대신 x_l을 곱했습니다. 그러면 층마다 차수가 1씩 오르지 않고 두 배가 됩니다. '
                '내적에 곱할 것은 늘 처음 입력 x_0입니다.',
                'x_l is multiplied where x_0 should be: then the order doubles with each layer instead of '
                'rising by one. Multiply the inner product by the first input, x_0.',
            ),
            (
                bias_within,
                '편향 b가 곱 안에 들어 있습니다. 첫째 판에서는 x_0을 곱한 다음에 b를 더합니다.',
                'The bias b is inside the product: version 1 adds b after the multiplication by x_0.',
            ),
            (
                by_coordinate,
                'x_l과 w를 원소별로 곱하기만 했습니다. 내적이므로 D에 대해 더해 행마다 수 하나로 '
                '만드십시오.',
                'x_l and w are only multiplied element by element: sum over D, for the inner product is '
                'one number for each row.',
            ),
        ],
        ['x0', 'x', 'w', 'b'],
    )


def cin_layer(function):
    """A layer of CIN: x^l (B, H, K), x^0 (B, F, K), W (M, H, F) -> M feature maps (B, M, K).

    out_m = sum_{i,j} W_mij (x^l_i * x^0_j), element by element in K.

    Lian et al., xDeepFM, KDD 2018, equation (6).
    """

    def layer(x, x0, weight):
        out = np.zeros((len(x), len(weight), x.shape[2]))
        for b, m, k in np.ndindex(*out.shape):
            for i in range(x.shape[1]):
                for j in range(x0.shape[1]):
                    out[b, m, k] += weight[m, i, j] * x[b, i, k] * x0[b, j, k]
        return out

    def bit_wise(x, x0, weight):  # x_i's coordinate k meets all coordinates of x0_j
        return layer(x, np.broadcast_to(x0.sum(2, keepdims=True), x0.shape), weight)

    def all_bits(x, x0, weight):
        out = np.zeros((len(x), len(weight), x.shape[2], x.shape[2]))
        for b, m, k, n in np.ndindex(*out.shape):
            out[b, m, k, n] = x[b, :, k] @ weight[m] @ x0[b, :, n]
        return out

    def pooled(x, x0, weight):
        return layer(x, x0, weight).sum(2)

    def crosses_itself(x, x0, weight):
        return layer(x, x, weight) if x.shape == x0.shape else np.nan

    def no_cross(x, x0, weight):
        return layer(x, np.ones_like(x0), weight)

    cases = [
        tuple(
            _normal(*shape, seed=10 * case + n)
            for n, shape in enumerate([(b, h, k), (b, f, k), (m, h, f)])
        )
        for case, (b, h, f, k, m) in enumerate([(2, 3, 3, 4, 5), (3, 2, 4, 3, 2)])
    ]
    bits_ko = (
        '좌표를 서로 섞었습니다. 벡터 단위 상호작용에서는 x^l의 좌표 k가 x^0의 같은 좌표 k하고만 '
        '곱해집니다.'
    )
    bits_en = (
        'Coordinates are mixed: in a vector-wise interaction, coordinate k of x^l meets only '
        'the same coordinate k of x^0.'
    )
    return judge(
        function,
        cases,
        layer,
        [
            (bit_wise, bits_ko, bits_en),
            (all_bits, bits_ko, bits_en),
            (
                pooled,
                'k에 대해 이미 더했습니다. 특성 맵은 길이 K의 벡터로 남겨 다음 층에 넘기고, 합은 출력 직전에 '
                '구하십시오.',
                'It is already summed over k: a feature map stays a vector of length K for the next '
                'layer, and is summed only on its way to the output.',
            ),
            (
                crosses_itself,
                'x^0이 쓰이지 않았습니다. x^l을 자기 자신이 아니라 처음 입력 x^0과 곱하십시오.',
                'x^0 is not used: multiply x^l by the first input x^0, not by itself.',
            ),
            (
                no_cross,
                'x^0이 쓰이지 않았습니다. 지금은 x^l의 가중합일 뿐이니 처음 입력 x^0과 곱하십시오.',
                'x^0 is not used: this is only a weighted sum of x^l. Multiply by the first input x^0.',
            ),
        ],
        ['x', 'x0', 'W'],
    )


def embedding_bag(function):
    """Bags without empty places: table (V, K), ids (M,), offsets (B,), weights (M,) -> (B, K).

    Bag b holds the places from offsets[b] up to where the next bag begins and becomes
    sum_m weight_m * table[id_m]; an empty bag is 0.

    Naumov et al., Deep Learning Recommendation Model, 2019, equation (2) and section 4.1.
    """

    def definition(table, ids, offsets, weights):
        out = np.zeros((len(offsets), table.shape[1]))
        for b, start in enumerate(offsets):
            end = offsets[b + 1] if b + 1 < len(offsets) else len(ids)
            for m in range(start, end):
                out[b] += weights[m] * table[ids[m]]
        return out

    def unweighted(table, ids, offsets, weights):
        return definition(table, ids, offsets, np.ones_like(weights))

    def mean(table, ids, offsets, weights):
        total = definition(np.ones_like(table), ids, offsets, weights)
        return definition(table, ids, offsets, weights) / np.where(total, total, 1)

    def plain_mean(table, ids, offsets, weights):
        return mean(table, ids, offsets, np.ones_like(weights))

    def next_one(table, ids, offsets, weights):  # as NumPy's add.reduceat has it
        out = definition(table, ids, offsets, weights)
        for b in range(len(offsets) - 1):
            if offsets[b] == offsets[b + 1] < len(ids):
                out[b] = weights[offsets[b]] * table[ids[offsets[b]]]
        return out

    rng = np.random.default_rng(0)
    cases = []
    for offsets in ([0, 2], [0, 3, 3, 4], [0, 0, 2, 6, 6]):
        ids, weights = rng.integers(0, 5, 6), rng.uniform(0.5, 2, 6)
        cases.append(
            (
                _normal(5, 3, seed=len(cases)),
                ids.astype('int32'),
                np.array(offsets, 'int32'),
                weights.astype('float32'),
            )
        )
    a_mean = (
        '평균을 냈습니다. 가중치로 곱해 더하기만 하십시오. 평균은 가중치로 나타내는 것이고, '
        '개수로 나누면 빈 주머니에서 0을 0으로 나눕니다.',
        'This is a mean: only multiply by the weights and add. A mean is a matter of the '
        'weights, and dividing by the count makes 0 / 0 of an empty bag.',
    )
    return judge(
        function,
        cases,
        definition,
        [
            (
                unweighted,
                '가중치를 쓰지 않았습니다. 벡터마다 그 자리의 가중치를 곱한 다음 더하십시오.',
                'The weights are ignored: multiply each vector by the weight of its place, then add.',
            ),
            (mean, *a_mean),
            (plain_mean, *a_mean),
            (
                next_one,
                '빈 주머니가 다음 주머니의 첫 벡터를 가져왔습니다. 빈 주머니는 0이어야 합니다.',
                'An empty bag takes the first vector of the bag after it: an empty bag is 0.',
            ),
        ],
        ['table', 'ids', 'offsets', 'weights'],
    )


def dot_interaction(function):
    """DLRM's products: vectors (B, n, K) -> (B, n(n-1)/2), <z_i, z_j> for i > j, row by row.

    Naumov et al., Deep Learning Recommendation Model, 2019, section 2.2.
    """

    def triangle(z, with_self=False):
        out = []
        for row in z:
            out.append(
                [row[i] @ row[j] for i in range(len(row)) for j in range(i + 1 if with_self else i)]
            )
        return np.array(out)

    def with_self(z):
        return triangle(z, True)

    def square(z):
        return np.array([[a @ b for a in row for b in row] for row in z])

    def matrix(z):
        return square(z).reshape(len(z), z.shape[1], z.shape[1])

    def upper(z):
        return np.array(
            [
                [row[i] @ row[j] for i in range(len(row)) for j in range(i + 1, len(row))]
                for row in z
            ]
        )

    whole = (
        '내적 행렬 전체를 돌려주었습니다. 대칭이라 쌍마다 두 번씩 들어 있으니 대각선 아래쪽만 '
        '꺼내십시오.',
        'This is the whole matrix of products: it is symmetric and holds each pair twice, so '
        'return what lies below the diagonal.',
    )
    return judge(
        function,
        [(_normal(3, 4, 2),), (_normal(1, 5, 3, seed=1),)],
        triangle,
        [
            (
                with_self,
                '대각선이 들어 있습니다. 자기 자신과의 내적은 빼십시오 (i > j).',
                'The diagonal is in it: leave out the products of vectors with themselves (i > j).',
            ),
            (square, *whole),
            (matrix, *whole),
            (
                upper,
                '값은 모두 있지만 순서가 위쪽 삼각형의 것입니다. (2, 1), (3, 1), (3, 2), (4, 1)의 '
                '순서로, 아래쪽 삼각형의 행을 따라 늘어놓으십시오.',
                'All values are there, but in the order of the upper triangle: go along the rows of the '
                'lower one, (2, 1), (3, 1), (3, 2), (4, 1).',
            ),
        ],
        ['z'],
    )


def masked_error(function):
    """AutoRec's loss: outputs, ratings and mask, each (B, D) -> mean squared error, a number.

    The mean is over the observed entries, where the mask is 1. What `ratings` holds elsewhere
    does not matter, and an observed rating may be 0.
    Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015, section 2.
    """

    def definition(outputs, ratings, mask):
        squared = count = 0.0
        for b in range(mask.shape[0]):
            for d in range(mask.shape[1]):
                if mask[b, d]:
                    squared += (ratings[b, d] - outputs[b, d]) ** 2
                    count += 1
        return squared / count

    def over_all(outputs, ratings, mask):
        return (mask * np.square(ratings - outputs)).mean()

    def no_mask(outputs, ratings, mask):
        return np.square(ratings - outputs).mean()

    def mean_of_rows(outputs, ratings, mask):
        squared = (mask * np.square(ratings - outputs)).sum(1)
        return (squared / np.maximum(mask.sum(1), 1)).mean()

    def not_zero(outputs, ratings, mask):
        return definition(outputs, ratings, ratings != 0)

    def by_sign(outputs, ratings, mask):
        return np.square(ratings - outputs * np.sign(ratings)).mean()

    def by_sign_over_observed(outputs, ratings, mask):
        return np.square(ratings - outputs * np.sign(ratings)).sum() / mask.sum()

    def a_sum(outputs, ratings, mask):
        return definition(outputs, ratings, mask) * mask.sum()

    def a_root(outputs, ratings, mask):
        return definition(outputs, ratings, mask) ** 0.5

    rng, cases = np.random.default_rng(2), []
    for shape in ((4, 6), (3, 5)):
        mask = (rng.random(shape) < 0.4).astype('float32')
        mask[0, :3], mask[1] = 1, 0
        ratings = rng.integers(-2, 3, shape).astype('float32') * mask
        ratings[0, :3] = 2, -1, 0  # an observed rating of 0, and a row without any
        cases.append((_normal(*shape, seed=shape[1]), ratings, mask))
    # What stands at the unobserved entries, here 9, must not matter.
    cases.append(
        (cases[0][0], np.where(cases[0][2] > 0, cases[0][1], 9).astype('float32'), cases[0][2])
    )
    sign = (
        'sign(ratings)를 마스크로 썼습니다. 음수 평점에서는 출력의 부호가 뒤집히고, 관측된 0은 '
        '사라집니다. mask를 쓰십시오.',
        'sign(ratings) served as the mask: it flips the output where a rating is negative, '
        'and an observed 0 disappears. Use mask.',
    )
    return judge(
        function,
        cases,
        definition,
        [
            (
                over_all,
                '관측되지 않은 칸까지 세어 나누었습니다. B·D가 아니라 mask의 합으로 나누십시오.',
                'The sum is divided by all entries, B·D: divide it by the number observed, the sum of '
                'mask.',
            ),
            (
                no_mask,
                '관측되지 않은 칸의 오차까지 들어 있습니다. 오차에 mask를 곱하십시오.',
                'Errors of unobserved entries are in it: multiply the errors by mask.',
            ),
            (
                mean_of_rows,
                '행마다 평균한 뒤 다시 평균했습니다. 평점이 하나뿐인 행이 백 개인 행과 같은 무게를 '
                '갖습니다. 합과 개수를 모아 한 번만 나누십시오.',
                "This is a mean of the rows' means: a row with one rating weighs as much as one with a "
                'hundred. Add up errors and counts and divide once.',
            ),
            (by_sign, *sign),
            (by_sign_over_observed, *sign),
            (
                not_zero,
                '0이 아닌 칸을 관측된 것으로 보았습니다. 값이 0인 평점도 관측된 평점입니다. mask를 '
                '쓰십시오.',
                'Entries that are not 0 were taken as observed, but a rating of 0 is observed too: use '
                'mask.',
            ),
            (
                a_sum,
                '합입니다. 관측된 칸의 수로 나누십시오.',
                'This is the sum: divide it by the number of observed entries.',
            ),
            (
                a_root,
                '제곱근이 씌워져 있습니다. 손실은 MSE이고, 제곱근은 보고할 때 씌웁니다.',
                'The root is taken: the loss is the MSE; the root is for reporting.',
            ),
        ],
        ['outputs', 'ratings', 'mask'],
    )


def gauc(function):
    """AUC by user: labels (N,), scores (N,), users (N,) -> one number.

    The AUC within each user, averaged with the users' numbers of rows as weights; users whose
    labels are all alike have none and are left out. Zhu et al., Optimized Cost per Click in
    Taobao Display Advertising, KDD 2017.
    """

    def auc(labels, scores):
        wins = [
            float(one > zero) + 0.5 * (one == zero)
            for one in scores[labels == 1]
            for zero in scores[labels == 0]
        ]
        return np.mean(wins) if wins else None

    def average(labels, scores, users, weight, without=None):
        total, weights = 0.0, 0.0
        for user in np.unique(users):
            mine = users == user
            within = auc(labels[mine], scores[mine])
            within = without if within is None else within
            if within is not None:
                total += weight(labels[mine]) * within
                weights += weight(labels[mine])
        return total / weights

    def definition(labels, scores, users):
        return average(labels, scores, users, len)

    def unweighted(labels, scores, users):
        return average(labels, scores, users, lambda mine: 1)

    def with_half(labels, scores, users):
        return average(labels, scores, users, len, without=0.5)

    def all_rows(labels, scores, users):
        return auc(labels, scores)

    cases = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        users = np.repeat([7, 2, 9, 4], [2, 5, 12, 4]).astype('int32')
        labels = rng.permutation(np.arange(len(users)) % 2).astype('float32')
        labels[:7], labels[users == 4] = [0, 1, 1, 0, 1, 0, 0], 1  # user 4 has no zero
        scores = rng.integers(0, 6, len(users)).astype('float32') + users  # with ties
        order = rng.permutation(len(users))
        cases.append((labels[order], scores[order], users[order]))
    return judge(
        function,
        cases,
        definition,
        [
            (
                unweighted,
                '사용자마다 같은 무게로 평균했습니다. 행이 많은 사용자일수록 무겁도록 '
                '행 수를 가중치로 쓰십시오.',
                'All users weigh the same in your mean: weigh each by the number of their rows.',
            ),
            (
                with_half,
                '레이블이 한 가지뿐인 사용자를 0.5로 셌습니다. 이런 사용자는 AUC가 없으니 '
                '분자와 분모에서 모두 빼십시오.',
                'Users with labels of one class are counted as .5. They have no AUC: leave them out '
                'of the sum and of the weights.',
            ),
            (
                all_rows,
                '모든 행을 한데 모은 AUC입니다. 사용자별로 나누어 구한 다음 평균하십시오.',
                'This is the AUC of all rows together: compute it within each user first, '
                'then average.',
            ),
        ],
        ['labels', 'scores', 'users'],
    )


def merge_shards(function):
    """Devices' mean gradients (D, P) and numbers of rows (D,) -> the batch's mean gradient (P,)."""

    def definition(means, rows):
        out = np.zeros(means.shape[1])
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

    cases = [
        (_normal(3, 2), np.array([3, 1, 4], 'int32')),
        (_normal(2, 4, seed=1), np.array([6, 1], 'int32')),
    ]
    return judge(
        function,
        cases,
        definition,
        [
            (
                mean_of_means,
                '평균의 평균입니다. 행이 적은 장치의 행이 더 크게 셈해집니다. '
                '평균마다 그 장치의 행 수를 곱하십시오.',
                'This is the average of averages: rows on a device that has fewer of them count for '
                "more. Weigh each mean by its device's number of rows.",
            ),
            (
                sum_of_means,
                '평균을 더하기만 했습니다. 평균마다 그 장치의 행 수를 곱하고 배치의 '
                '행 수로 나누십시오.',
                'These are the means, merely added: weigh each by its number of rows and divide by '
                'the rows of the batch.',
            ),
            (
                not_divided,
                '배치 손실의 합의 기울기입니다. 배치의 행 수로 나누십시오.',
                'This is the gradient of the summed loss: divide by the rows of the batch.',
            ),
        ],
        ['means', 'rows'],
    )


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
        return definition(table, ids, grads / np.bincount(ids)[ids][:, None], lr)

    def uphill(table, ids, grads, lr):
        return definition(table, ids, grads, -lr)

    def no_rate(table, ids, grads, lr):
        return definition(table, ids, grads, 1.0)

    cases = [
        (_normal(5, 2), np.array([3, 1, 3, 0, 3], 'int32'), _normal(5, 2, seed=1), 0.5),
        (_normal(4, 3, seed=2), np.array([2, 2], 'int32'), _normal(2, 3, seed=3), 0.1),
    ]
    return judge(
        function,
        cases,
        definition,
        [
            (
                overwritten,
                '겹치는 id의 기울기가 더해지지 않고 마지막 것만 남았습니다. '
                '같은 id의 기울기를 먼저 더하십시오.',
                'Where an id repeats, only its last gradient was used: duplicates were overwritten. '
                'Add up the gradients of equal ids first.',
            ),
            (
                averaged,
                '겹치는 id의 기울기를 평균했습니다. 식은 합입니다.',
                'Gradients of equal ids were averaged: the formula adds them.',
            ),
            (
                uphill,
                '부호가 반대입니다. 기울기를 빼야 손실이 줄어듭니다.',
                'The sign is wrong: subtract the gradient, so that the loss falls.',
            ),
            (no_rate, '학습률을 곱하지 않았습니다.', 'The learning rate is missing.'),
        ],
        ['table', 'ids', 'grads', 'lr'],
    )


def accumulated_rmse(function):
    """RMSE of predictions (N, 1) on ratings (N,), read in batches of `batch_size` -> a number.

    The root of the mean squared error over all N rows: the batch size must not change it.
    """

    def definition(predictions, ratings, batch_size):
        squared = 0.0
        for n in range(len(ratings)):
            squared += (predictions[n, 0] - ratings[n]) ** 2
        return (squared / len(ratings)) ** 0.5

    def batches(predictions, ratings, batch_size):
        for start in range(0, len(ratings), batch_size):
            rows = slice(start, start + batch_size)
            yield predictions[rows], ratings[rows]

    def untouched(*arguments):
        return np.mean([np.square(p - r).mean() ** 0.5 for p, r in batches(*arguments)])

    def mean_of_roots(*arguments):
        return np.mean([np.square(p[:, 0] - r).mean() ** 0.5 for p, r in batches(*arguments)])

    def mean_of_means(*arguments):
        return np.mean([np.square(p[:, 0] - r).mean() for p, r in batches(*arguments)]) ** 0.5

    def all_pairs(*arguments):
        pieces = [np.square(p - r) for p, r in batches(*arguments)]
        return (sum(s.sum() for s in pieces) / sum(s.size for s in pieces)) ** 0.5

    def all_pairs_by_rows(*arguments):
        squared = sum(np.square(p - r).sum() for p, r in batches(*arguments))
        return (squared / len(arguments[1])) ** 0.5

    def no_root(*arguments):
        return definition(*arguments) ** 2

    shapes = (
        '(B, 1)에서 (B,)를 빼서 (B, B)가 되었습니다. 빼기 전에 두 모양을 같게 하십시오.',
        'Subtracting (B,) from (B, 1) gave (B, B): make the shapes equal first.',
    )
    cases = [
        (_normal(n, 1, seed=n), _normal(n, seed=n + 1) + 3, size)
        for n, size in ((7, 3), (6, 2), (5, 8))
    ]
    return judge(
        function,
        cases,
        definition,
        [
            (
                untouched,
                '오류가 둘 다 남아 있습니다. 빼는 두 배열의 모양과, 제곱근을 씌우는 때를 보십시오.',
                'Both mistakes are still in it: look at the shapes that are subtracted, and at when '
                'the root is taken.',
            ),
            (
                mean_of_roots,
                '배치마다 제곱근을 씌워 평균했습니다. 제곱 오차의 합과 개수를 모은 뒤 '
                '한 번만 씌우십시오.',
                "This is the mean of the batches' roots: add up squared errors and their count, and "
                'take one root at the end.',
            ),
            (
                mean_of_means,
                '작은 마지막 배치가 큰 배치와 같은 무게로 들어갔습니다. 배치 평균 대신 합과 '
                '개수를 모으십시오.',
                'A small last batch weighs as much as a full one: add up sums and counts instead of '
                'averaging means.',
            ),
            (all_pairs, *shapes),
            (all_pairs_by_rows, *shapes),
            (
                no_root,
                '제곱근이 빠졌습니다. 값이 MSE입니다.',
                'The root is missing: this is the MSE.',
            ),
        ],
        ['predictions', 'ratings', 'batch_size'],
    )
