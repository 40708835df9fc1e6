"""Every key and value of any TOML document is found where it stands."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.document import parse
from wasmind_compiler.frontend.positions import Node, scan
from wasmind_compiler.frontend.strings import character_offsets

BOM = "\ufeff".encode()
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


#: Pieces of a string as written, and what they mean.
PIECES = [
    ("a", "a"), ("日", "日"), ("😀", "😀"), ("e\u0301", "e\u0301"), ("\t", "\t"),
    (r"\n", "\n"), (r"\"", '"'), (r"\\", "\\"), (r"\u00e9", "é"), (r"\U0001F600", "😀"),
]  # fmt: skip
#: Only in multi-line strings.
LINE_ENDS = [("\r\n", "\n"), ("\n", "\n"), ("\\\n  z", "z"), ("\\ \r\n\r\nz", "z")]


@st.composite
def literals(draw: st.DrawFn) -> tuple[str, str]:
    """A string as it may be written in TOML, and its value."""
    many = draw(st.booleans())
    parts = draw(st.lists(st.sampled_from(PIECES + LINE_ENDS * many), max_size=8))
    body = "".join(written for written, _ in parts)
    value = "".join(meant for _, meant in parts)
    if not many:
        return f'"{body}"', value
    # A line end right behind the quotes is not part of the value.
    return draw(st.sampled_from(['"""\n', '"""\r\n'])) + body + '"""', value


@given(literals())
def test_every_character_of_a_string_is_found(literal: tuple[str, str]) -> None:
    written, value = literal
    assert tomllib.loads(f"key = {written}") == {"key": value}
    offsets = character_offsets(written)
    assert len(offsets) == len(value) + 1
    for at, character in zip(offsets, value, strict=False):
        # What stands there is the character, or an escape or line end that means it.
        assert written[at] in (character, "\\") or (written[at] == "\r" and character == "\n")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"'C:\no escape'", r"C:\no escape"),
        ("'''\nline\r\nnext'''", "line\nnext"),
        ("bare-key", "bare-key"),
        ("''", ""),
        ("''''''", ""),
    ],
)
def test_literal_strings_have_no_escapes(written: str, value: str) -> None:
    offsets = character_offsets(written)
    assert len(offsets) == len(value) + 1
    assert [written[at].replace("\r", "\n") for at in offsets[:-1]] == list(value)


BLANKS = st.sampled_from(["", " ", "\t", "  "])


MANY_LINES = "one 日\n\ttwo 'x'\n"


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """A document with a mark, tabs, either line end, wide names, dotted keys and inline tables."""
    document = draw(st.dictionaries(st.sampled_from(["a", "日本", "é x", "", "k"]), VALUES))
    lines = []
    for key, value in document.items():
        inline = tomlkit.inline_table()
        inline.update({"v": value})
        name = tomlkit.key(key).as_string()
        blank = draw(BLANKS)
        lines.append(f"{blank}{name}{blank}.{blank}inner{blank}={draw(BLANKS)}{inline.as_string()}")
        lines.append(draw(st.sampled_from(["# 注释\t", "", "\t"])))
        lines.append(f'{name}.many = """{MANY_LINES}"""')
    for key in document:
        name = tomlkit.key(key).as_string()
        lines += [f"[[list.{name}]]", "first = 1", f"[[list.{name}]]{draw(BLANKS)}", "second = '𝟚'"]
    text = draw(st.sampled_from(["\n", "\r\n"])).join(lines)
    return draw(st.sampled_from([b"", BOM])) + text.encode(), document


@given(laid_out())
def test_spans_name_the_bytes_lines_and_columns_of_what_they_show(
    laid_out: tuple[bytes, dict[str, Any]],
) -> None:
    content, document = laid_out
    parsed = parse("app.toml", content, Collector())
    assert parsed is not None
    lines = content.removeprefix(BOM).decode().split("\n")
    for key, value in document.items():
        for path, expected in (
            ((key, "inner", "v"), value),
            ((key, "inner"), {"v": value}),
            ((key, "many"), MANY_LINES),
            (("list", key, 0, "first"), 1),
            (("list", key, 1, "second"), "𝟚"),
        ):
            span = parsed.value(path)
            written = content[span.start.byte : span.end.byte].decode()
            assert tomllib.loads(f"x = {written}") == {"x": expected}
            line = lines[span.start.line - 1]
            assert line[span.start.column - 1 :].startswith(written.split("\n", maxsplit=1)[0])
            assert lines[span.end.line - 1][: span.end.column - 1].endswith(written.split("\n")[-1])
