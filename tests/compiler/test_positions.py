"""Every key and value of any TOML document is found where it stands."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from wasmind_compiler.frontend.positions import Node, scan

KEYS = st.text(min_size=0, max_size=6)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(datetime.UTC)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


def check(text: str, node: Node, value: Any) -> None:
    """The node has exactly the children of the value, and their text says what they are."""
    if isinstance(value, dict):
        assert set(node.children) == set(value)
        for key, inner in value.items():
            child = node.children[key]
            assert child.key is not None
            written = text[slice(*child.key)]
            assert tomllib.loads(f"{written} = 0") == {key: 0}
            check(text, child, inner)
    elif isinstance(value, list):
        assert list(node.children) == list(range(len(value)))
        for index, inner in enumerate(value):
            check(text, node.children[index], inner)
    else:
        assert tomllib.loads(f"key = {text[slice(*node.value)]}")["key"] == value


@given(DOCUMENTS)
def test_random_documents(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    check(text, scan(text), tomllib.loads(text))


@given(DOCUMENTS)
def test_windows_line_ends(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document).replace("\r", "").replace("\n", "\r\n")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a line end inside a single-line string became two characters
    node = scan(text)
    assert set(node.children) == set(value)


EVERYTHING = """\
title = "a \\"quoted\\" # value" # comment
'literal key' = '''
many ''lines'''''
dotted . "key\\n" = \"\"\"x\\\"\"\"\"\"\"
date = 1979-05-27 07:32:00Z
numbers = [ +1, 0x_ff, # one
  -inf, 1e3, [ ], ]
[ table . sub ]
inline = { a = 1, b.c = [ { d = "}" } ] }
[[list]]
[[list.inner]]
n = 1
[list.inner.deep]
m = 2
[[list]]
n = 3
[table]
late = true
""".replace("0x_ff", "0xff")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_construct(line_end: str) -> None:
    text = EVERYTHING.replace("\n", line_end)
    check(text, scan(text), tomllib.loads(text))


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (("table",), "[table]"),
        (("table", "sub"), "[ table . sub ]"),
        (("list", 0), "[[list]]"),
        (("list", 0, "inner", 0), "[[list.inner]]"),
        (("list", 0, "inner", 0, "deep"), "[list.inner.deep]"),
    ],
)
def test_headers(path: tuple[str | int, ...], header: str) -> None:
    node = scan(EVERYTHING)
    for part in path:
        node = node.children[part]
    assert node.header is not None
    assert EVERYTHING[slice(*node.header)] == header


def test_depth_costs_no_recursion() -> None:
    depth = 300
    text = "deep = " + "[" * depth + "]" * depth
    node = scan(text).children["deep"]
    for _ in range(depth - 1):
        node = node.children[0]
    assert text[slice(*node.value)] == "[]"
