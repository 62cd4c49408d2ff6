"""What a check does: calls the reader's function, compares it with the definition, and says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Callable

import mxnet as mx
import numpy as np

from .words import notebook_language, say

Function = Callable[..., Any]


class Verdict:
    """What a check found: true where it passed, and a sentence in each language.

    Parameters
    ----------
    passed : bool
    key : str
        Of the sentence: `answer.right`, or the mistake's, such as `pairwise_term.no_half`.
    **values
        What stands in the sentence's braces.

    Examples
    --------
    >>> verdict = Verdict(False, 'answer.nothing')
    >>> bool(verdict), verdict.words['en']
    (False, 'The function returns nothing: is a return missing?')
    """

    def __init__(self, passed: bool, key: str, **values: object):
        self.passed, self.key, self.values = passed, key, values

    @property
    def words(self) -> dict[str, str]:
        """language -> the sentence."""
        return say(self.key, **self.values)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return self.words[notebook_language()]

    def _repr_html_(self) -> str:
        # Every language's sentence: a page that the editions share can show its own (book.css).
        spoken = notebook_language()
        spans = ''.join(
            '<span lang="{}"{}>{}</span>'.format(
                escape(name), '' if name == spoken else ' style="display:none"', escape(text)
            )
            for name, text in self.words.items()
        )
        return (
            f'<p class="d2l-check" data-passed="{str(self.passed).lower()}">'
            f'{"✓" if self.passed else "✗"} {spans}</p>'
        )


def judge(
    function: Function,
    definition: Function,
    cases: Sequence[Mapping[str, Any]],
    mistakes: Sequence[tuple[str, Function]] = (),
) -> Verdict:
    """Call `function` on each case and compare what it returns with the definition.

    Parameters
    ----------
    function : callable
        The reader's. It gets copies, as MXNet arrays where the case has NumPy arrays, and may
        return numbers in an MXNet or NumPy array, a list or alone.
    definition : callable
        The same arguments, as NumPy arrays, -> what is right.
    cases : list of dict {name: argument}
        The names are for the sentences; the arguments are passed by position.
    mistakes : list of (key, callable)
        What a known mistake computes, and the key of what to tell the reader (words/*.json). The
        first one counts that gives the function's value where this is not the definition's.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> twice = ('pairwise_term.no_half', lambda v: 2 * v)
    >>> judge(lambda v: v + v, lambda v: v, [{'v': np.ones(3)}], [twice]).key
    'pairwise_term.no_half'
    """
    if not callable(function):
        return Verdict(False, 'answer.not_a_function')
    for case in cases:
        arguments = case.values()
        sizes = ', '.join(f'{k} {a.shape}' for k, a in case.items() if isinstance(a, np.ndarray))
        try:
            got = function(*map(handed_over, arguments))
            if got is None:
                return Verdict(False, 'answer.nothing')
            got = np.asarray(fetched(got)).astype('float64')
        except Exception as error:  # whatever it is, the reader gets a sentence
            kind = type(error).__name__
            return Verdict(False, 'answer.raised', sizes=sizes, kind=kind, text=told(error))
        right = np.asarray(definition(*arguments), dtype='float64')
        if same(got, right):
            continue
        for key, mistake in mistakes:
            if same(got, mistake(*arguments)):
                return Verdict(False, key)
        if got.shape != right.shape:
            return Verdict(False, 'answer.shape', sizes=sizes, right=right.shape, got=got.shape)
        if not np.isfinite(got).all():
            return Verdict(False, 'answer.not_finite')
        at = np.unravel_index(np.abs(got - right).argmax(), right.shape)
        values = {'sizes': sizes, 'right': f'{right[at]:.4f}', 'got': f'{got[at]:.4f}'}
        if not at:  # one number is returned
            return Verdict(False, 'answer.value', **values)
        return Verdict(False, 'answer.value_at', where=[int(i) for i in at], **values)
    return Verdict(True, 'answer.right')


def handed_over(argument: Any) -> Any:
    """An argument as the reader's function gets it: a copy of an array, as MXNet's."""
    if isinstance(argument, np.ndarray):
        return mx.np.array(argument, dtype=argument.dtype)
    return argument


def fetched(value: Any) -> Any:
    """MXNet arrays as NumPy's, within lists, too."""
    if isinstance(value, (list, tuple)):
        return [fetched(v) for v in value]
    return value.asnumpy() if hasattr(value, 'asnumpy') else value


def told(error: Exception) -> str:
    """The line of an error's message that says something; np.int64(3), as NumPy 2 has it, is 3."""
    lines = str(error).strip().splitlines() or ['']
    text = lines[-1] if lines[0].startswith('Traceback') else lines[0]  # MXNet's own
    text = re.sub(rf'^{type(error).__name__}: ', '', text)
    return re.sub(r'\bnp\.(?:u?int|float|bool|str)\w*\(([^()]*)\)', r'\1', text)[:200]


def same(one: Any, other: Any) -> bool:
    """Equal in shape, and in value up to the rounding of float32."""
    one, other = (np.asarray(a, dtype='float64') for a in (one, other))
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers of that shape, float32, for a case."""
    return np.random.default_rng(seed).normal(size=shape).astype('float32')
