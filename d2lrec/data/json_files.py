"""JSON files of what was fitted: written whole or not at all, read with every entry checked."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, TypeVar

from ..arguments import check_path
from ..files import atomic_write

T = TypeVar('T')


def save_json(path: str | os.PathLike, content: Any) -> None:
    """Write as JSON in UTF-8: whole or not at all."""
    with atomic_write(path) as file:
        json.dump(content, file, ensure_ascii=False, indent=0)


def read_json(path: str | os.PathLike, build: Callable[[Any], T], what: str) -> T:
    """What `build` makes of a JSON file.

    Raises
    ------
    ValueError
        For a file that is no JSON, or that `build` refuses: in one sentence, with the path.
    """
    with open(check_path(path), encoding='utf-8') as file:
        try:
            content = json.load(file)
        except (ValueError, RecursionError):  # a UnicodeDecodeError is a ValueError
            raise ValueError(f'{path} holds no {what}: it is no JSON in UTF-8.') from None
    return built(content, build, what, f'{path} holds')


def built(content: Any, build: Callable[[Any], T], what: str, place: str = 'this is') -> T:
    """What `build` makes of JSON content; its errors, whatever they are, as one sentence."""
    try:
        return build(content)
    except KeyError as error:
        why = f'{error.args[0]!r} is lacking'
    except ValueError as error:
        why = str(error).rstrip('.')
    except (TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        why = 'an entry is of another type'
    raise ValueError(f'{place} no {what}: {why}.') from None


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)
