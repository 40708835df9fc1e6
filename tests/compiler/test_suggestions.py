from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmind_compiler.diagnostics import suggestions
from wasmind_compiler.diagnostics.suggestions import advice, nearest, related

KEYS = ["auto_spawn", "config", "required_spawn_with", "source", "limits"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("auto_spwan", ("auto_spawn",)),
        ("autospawn", ("auto_spawn",)),
        ("AUTO-SPAWN", ("auto_spawn",)),
        ("sorce", ("source",)),
        ("required_spwn_wth", ("required_spawn_with",)),
        ("colour", ()),
        ("x", ()),
    ],
)
def test_nearest(written: str, expected: tuple[str, ...]) -> None:
    assert nearest(written, KEYS) == expected


def test_at_most_three_and_nearest_first() -> None:
    assert nearest("ab", ["ac", "abc", "ad", "ae", "AB"]) == ("AB", "abc", "ac")


def test_one_name_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [f"shell{number}" for number in range(1000)]
    near, alike = nearest("shel_", known), related("shell1_a", known)
    monkeypatch.delattr(suggestions, "_distance")
    monkeypatch.delattr(suggestions, "_words")
    assert all(nearest("shel_", known) == near for _ in range(1000))
    assert all(related("shell1_a", known) == alike == ("shell1",) for _ in range(1000))


def test_advice_lists_everything_when_nothing_is_near() -> None:
    assert advice("zzz", ["b", "a"], "keys") == "keys: `a`, `b`"
    assert advice("zzz", [f"name{n}" for n in range(11)], "keys") is None
    assert advice("zzz", [], "keys") is None
    assert advice("gat", ["get", "cat"], "verbs") == "did you mean `cat` or `get`?"


@given(st.text("abcXYZ019", min_size=3, max_size=12), st.integers(0, 10))
def test_one_swap_is_always_found(word: str, at: int) -> None:
    at %= len(word) - 1
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert swapped == word or nearest(swapped, [word]) == (word,)
