"""Which regular expressions of a schema may be tried on any value.

Python's matcher goes back and tries again, and some expressions make it try for as good as ever:
`^(a+)+$` takes twice as long for each further letter. What is counted here is in how many ways an
expression may match a short text; with too many it is not tried. That errs on the safe side.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any, Final

# Parsed by the interpreter's own parser, which has no public name.
_parser: Final[Any] = importlib.import_module("re._parser")
#: A repeat without an end counts as one of so many lengths.
_LENGTHS: Final = 32
#: Five such repeats in a row.
_MOST_WAYS: Final = _LENGTHS**5
_REPEATS: Final = (_parser.MAX_REPEAT, _parser.MIN_REPEAT, _parser.POSSESSIVE_REPEAT)


def fault_of_pattern(pattern: str) -> str | None:
    """Why a text is no regular expression; None if it is one."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"`{pattern}` is no regular expression: {error}"
    return None


def may_take_long(pattern: str) -> bool:
    """Whether there may be texts for which an expression takes as good as for ever."""
    parsed = _parser.parse(pattern)
    return any("GROUPREF" in str(kind) for kind, _ in _items(parsed)) or _ways(parsed) > _MOST_WAYS


def _ways(parsed: Any) -> int:
    """In how many ways a sequence may match; not exact beyond `_MOST_WAYS`."""
    ways = 1
    for kind, value in parsed:
        if kind in _REPEATS:
            ways *= _repeated(*value)
        elif kind is _parser.BRANCH:
            each = [_ways(branch) for branch in value[1]]
            ways *= max(each) if _are_told_apart(value[1]) else sum(each)
        else:
            for part in _inside(kind, value):
                ways *= _ways(part)
        ways = min(ways, _MOST_WAYS + 1)
    return ways


def _repeated(least: int, most: int, body: Any) -> int:
    longest = min(int(most), max(least, _LENGTHS))
    lengths = longest - min(least, longest) + 1
    if any(kind in _REPEATS for kind, _ in _items(body)):
        # Rounds take time even where all of them are alike.
        lengths = max(1, longest)
    ways = 1 if _is_delimited(body) else _ways(body)
    # One way, or a base that reaches the limit with fewer than 64 factors.
    return int(lengths * ways ** min(longest, 64))


def _are_told_apart(branches: list[Any]) -> bool:
    """Whether branches begin with different characters."""
    heads = [branch[0] for branch in branches if len(branch)]
    letters = {chr(code).lower() for kind, code in heads if kind is _parser.LITERAL}
    return len(letters) == len(branches)


def _is_delimited(body: Any) -> bool:
    """Whether a sign shows where each round begins or ends, and leaves one way to match a round.

    That is how lists are written: `(,[a-z]+)*`.
    """
    while len(body) == 1 and body[0][0] is _parser.SUBPATTERN:
        body = body[0][1][-1]
    if len(body) < 2:
        return False
    inner = list(_items(body))
    variable = [each for kind, each in inner if kind in _REPEATS and each[0] != each[1]]
    if len(variable) != 1 or any(kind is _parser.BRANCH for kind, _ in inner):
        return False
    for sign, rest in ((body[0], body[1:]), (body[-1], body[:-1])):
        if sign[0] is _parser.LITERAL and not chr(sign[1]).isalnum():
            return not any(_may_be(sign[1], *each) for each in _items(rest))
    return False


def _may_be(code: int, kind: Any, value: Any) -> bool:
    """Whether part of an expression may match the character."""
    if kind is _parser.LITERAL:
        return bool(value == code)
    if kind is _parser.NOT_LITERAL:
        return bool(value != code)
    if kind is _parser.RANGE:
        return bool(value[0] <= code <= value[1])
    if kind is _parser.IN and value[0][0] is _parser.NEGATE:
        listed = [each for each in value[1:] if each[0] is not _parser.CATEGORY]
        return not any(_may_be(code, *each) for each in listed)
    if kind is _parser.IN:
        return any(_may_be(code, *each) for each in value)
    if kind is _parser.CATEGORY:
        word = value is _parser.CATEGORY_WORD and code != ord("_")
        return not (word or value is _parser.CATEGORY_DIGIT)
    return bool(kind is _parser.ANY)


def _items(parsed: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of an expression and all parts in them."""
    for kind, value in parsed:
        yield kind, value
        for part in _inside(kind, value):
            yield from _items(part)


def _inside(kind: Any, value: Any) -> list[Any]:
    if kind is _parser.BRANCH:
        return list(value[1])
    if kind is _parser.ATOMIC_GROUP:
        return [value]
    if kind in (*_REPEATS, _parser.SUBPATTERN, _parser.ASSERT, _parser.ASSERT_NOT):
        return [value[-1]]
    return []
