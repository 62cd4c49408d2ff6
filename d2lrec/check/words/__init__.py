"""The sentences of the checks, one file a language: `en.json`, `ko.json`.

A file maps keys such as `pairwise_term.no_half` to sentences; those that begin with `answer.` serve
every check, and what stands in braces in them, such as `{got}`, is filled in. English is complete,
and where another language lacks a sentence, English speaks. A language is added by putting its file
here, or by `d2l.check.add_language('fr.json')` from anywhere.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from string import Formatter
from typing import Union

FOLDER = Path(__file__).parent
FALLBACK = 'en'
SENTENCES: dict[str, dict[str, str]] = {}  # language -> key -> sentence


def add_language(path: Union[str, os.PathLike]) -> None:
    """Read the sentences of a language from its file, `fr.json` for French.

    The file may hold a part of the sentences: the others stay as they were, in English at first.

    Parameters
    ----------
    path : str or path
        A JSON file in UTF-8, an object of keys and sentences with the keys of `en.json`. Its name
        is the language's code, as in an HTML page's `lang`.

    Raises
    ------
    ValueError
        For a file that is no JSON object of strings, a key no check uses, or braces that the
        English sentence does not have.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), 'fr.json')
    >>> _ = path.write_text('{"answer.right": "Juste."}')
    >>> add_language(path)
    >>> say('answer.right')['fr'], say('answer.nothing')['fr']
    ('Juste.', 'The function returns nothing: is a return missing?')
    >>> del SENTENCES['fr']
    """
    path = Path(path)
    try:
        given = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:  # no UTF-8, or no JSON
        raise ValueError(f'{path} is no JSON file: {error}.') from error
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise ValueError(f'{path}: give one JSON object of keys and sentences, as in en.json.')
    english = given if not SENTENCES else SENTENCES[FALLBACK]
    for key, text in given.items():
        if key not in english:
            raise ValueError(f'{path}: no check says {key!r}; take the keys of en.json.')
        try:
            unknown = braces(text) - braces(english[key])
        except ValueError as error:
            raise ValueError(f'{path}: {key}: {error}.') from error
        if unknown:
            raise ValueError(
                f'{path}: {key} has {{{min(unknown)}}}; the English sentence has '
                f'{sorted(braces(english[key])) or "no braces"}.'
            )
    SENTENCES.setdefault(path.stem, {}).update(given)


def braces(text: str) -> set[str]:
    """What stands in braces: 'it is {got}' -> {'got'}."""
    parts = Formatter().parse(text)
    return {name + (spec or '') + (how or '') for _, name, spec, how in parts if name is not None}


def languages() -> list[str]:
    """The languages there are; the one that the others fall back to comes last."""
    return sorted(SENTENCES, key=lambda name: (name == FALLBACK, name))


def say(key: str, **values: object) -> dict[str, str]:
    """language -> the sentence of that key, with `values` in the place of its braces."""
    english = SENTENCES[FALLBACK][key]
    return {name: SENTENCES[name].get(key, english).format(**values) for name in languages()}


def notebook_language() -> str:
    """The folder the notebook lies in, 'ko' or 'en', else what the computer speaks, else English.

    `d2l.check.language = 'ko'` settles it; None, as at first, leaves it to be guessed. So does the
    environment's `D2LREC_LANGUAGE`, which the tools set to run a notebook for every edition.

    Raises
    ------
    ValueError
        Where `d2l.check.language` is a language there are no sentences in.

    Examples
    --------
    >>> notebook_language() in languages()
    True
    """
    from .. import language  # now, for it is the reader's to set

    if language is not None:
        if language not in SENTENCES:
            known = ', '.join(map(repr, languages()))
            raise ValueError(f'check.language is {language!r}: set it to {known} or None.')
        return language
    if os.environ.get('D2LREC_LANGUAGE') in SENTENCES:
        return os.environ['D2LREC_LANGUAGE']
    for path in (os.getcwd(), os.path.dirname(os.environ.get('JPY_SESSION_NAME', ''))):
        if os.path.basename(path) in SENTENCES:
            return os.path.basename(path)
    spoken = next(
        (os.environ[name] for name in ('LC_ALL', 'LC_MESSAGES', 'LANG') if os.environ.get(name)), ''
    )
    spoken = re.split('[_.@-]', spoken)[0]  # ko_KR.UTF-8
    return spoken if spoken in SENTENCES else FALLBACK


def notebook_page() -> str:
    """The name of the notebook that runs, without its ending; '' where nothing tells it.

    Jupyter says it in the environment, VS Code in the notebook's own names; the environment's
    `D2LREC_PAGE` comes first.

    Examples
    --------
    >>> os.environ['D2LREC_PAGE'] = 'fm'
    >>> notebook_page()
    'fm'
    >>> del os.environ['D2LREC_PAGE']
    """
    path = os.environ.get('D2LREC_PAGE') or os.environ.get('JPY_SESSION_NAME', '')
    if not path and 'IPython' in sys.modules:
        shell = sys.modules['IPython'].get_ipython()
        path = str(shell.user_ns.get('__vsc_ipynb_file__', '')) if shell else ''
    return re.split(r'[/\\]', path)[-1].partition('.')[0]


add_language(FOLDER / f'{FALLBACK}.json')
for _path in FOLDER.glob('*.json'):
    add_language(_path)
