"""Did you mean: the names valid at a place that look like the one written there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

MOST_SUGGESTED: Final = 3
MOST_LISTED: Final = 10


def nearest(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """At most three candidates within a third of the name's length, nearest first.

    Letter case and the choice between `-` and `_` count nothing. Candidates more than twice as far
    away as the nearest are left out.
    """
    return _nearest(name, frozenset(candidates))


# One misspelled name may stand in many places.
@lru_cache(maxsize=16)
def _nearest(name: str, candidates: frozenset[str]) -> tuple[str, ...]:
    limit = max(1, len(name) // 3)
    plain = _plain(name)
    letters = set(plain)
    scored = []
    for candidate in candidates:
        other = _plain(candidate)
        # One letter more than most plurals have.
        if (plain and f"{plain}es" == other) or (other and f"{other}es" == plain):
            scored.append((1, candidate))
            continue
        # An edit takes away one letter and brings one; this is much cheaper to rule out.
        if len(letters ^ set(other)) > 2 * limit:
            continue
        distance = _distance(plain, other, limit)
        if distance <= limit and candidate != name:
            scored.append((distance, candidate))
    scored.sort()
    farthest = max(1, 2 * scored[0][0]) if scored else 0
    near = [candidate for distance, candidate in scored if distance <= farthest]
    return tuple(near[:MOST_SUGGESTED])


def related(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """At most three candidates that have all words of the name, or of which it has all words."""
    return _related(name, frozenset(candidates))


@lru_cache(maxsize=16)
def _related(name: str, candidates: frozenset[str]) -> tuple[str, ...]:
    words = _words(name)
    found = sorted(other for other in candidates if words < _words(other) or _words(other) < words)
    return tuple(found[:MOST_SUGGESTED])


def advice(name: str, candidates: Collection[str], what: str) -> str | None:
    """The help line for an unknown name.

    Args:
        name: what was written.
        candidates: what is valid there.
        what: the plural to list them under, like `keys`.
    """
    if near := nearest(name, candidates) or related(name, candidates):
        return f"did you mean {either([f'`{candidate}`' for candidate in near])}?"
    if 0 < len(candidates) <= MOST_LISTED:
        return f"{what}: " + ", ".join(f"`{candidate}`" for candidate in sorted(candidates))
    return None


def either(items: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return _joined(items, "or")


def together(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return _joined(items, "and")


def _joined(items: list[str], word: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def _words(name: str) -> frozenset[str]:
    return frozenset(name.lower().replace("-", "_").split("_"))


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _distance(left: str, right: str, limit: int) -> int:
    """Damerau-Levenshtein distance (adjacent swaps count one); anything above `limit` is equal."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, 1):
        current = [row]
        for column, b in enumerate(right, 1):
            cost = min(
                previous[column] + 1,
                current[column - 1] + 1,
                previous[column - 1] + (a != b),
            )
            if row > 1 and column > 1 and a == right[column - 2] and left[row - 2] == b:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        # An adjacent swap reaches two rows back, so both have to be beyond the limit.
        if min(current) > limit and min(previous) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]
