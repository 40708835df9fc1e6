"""What strangers say is shown, and steers nothing."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmind.visible import json_visible, visible, visible_line

ANY = st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs, too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("100 %\rerror", "100 %\\rerror"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0041", "\\U000e0041"),
        ("größe 你好 👩‍🔬 می‌خواهم", "größe 你好 👩‍🔬 می‌خواهم"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_name_stays_on_its_line() -> None:
    assert visible_line("a\nerror: b\tc") == "a\\nerror: b\\tc"


@given(ANY)
def test_nothing_that_steers_is_left(text: str) -> None:
    for character in visible(text):
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
        assert unicodedata.bidirectional(character) not in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        )
    assert "\n" not in visible_line(text)
    visible(text).encode()


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)))
def test_json_says_the_same_and_is_plain(value: object) -> None:
    encoded = json_visible(json.dumps(value, ensure_ascii=False))
    assert json.loads(encoded) == json.loads(json.dumps(value))
    assert visible_line(encoded) == encoded
