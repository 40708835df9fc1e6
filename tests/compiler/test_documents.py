"""Reading TOML files, and places in them."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.model import Position
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.key_path import dotted, quoted


def read(content: bytes) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    collector = Collector()
    return parse("app.toml", content, collector), collector.diagnostics()


def test_columns_count_characters_and_bytes_count_bytes() -> None:
    document, _ = read('"ключ" = "значение"\n"😀" = 1\n'.encode())
    assert document is not None
    span = document.value(("ключ",))
    assert (span.start, span.end) == (Position(1, 10, 13), Position(1, 20, 31))
    assert document.value(("😀",)).start == Position(2, 7, 41)


def test_a_byte_order_mark_moves_bytes_and_not_columns() -> None:
    document, found = read(b"\xef\xbb\xbfname = 1")
    assert document is not None
    assert [(each.code, each.span and each.span.end.byte) for each in found] == [("WM0110", 3)]
    assert document.key(("name",)).start == Position(1, 1, 3)


def test_a_path_that_does_not_exist_is_shown_at_the_table_around_it() -> None:
    document, _ = read(b"[a.b]\nc = 1\n")
    assert document is not None
    assert str(document.value(("a", "b", "missing", 3))) == "app.toml:1:1"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a = 1\nb = \n", "app.toml:2:3"),
        (b'a = "\xf0\x9f\x98\x80" x\n', "app.toml:1:9"),
        (b"a = [1,\r\n2,,]\r\n", "app.toml:2:3"),
        (b"a = {b = 1", "app.toml:1:11"),
        (b"a = 2024-13-01\n", "app.toml:1:5"),
    ],
)
def test_syntax_errors_have_a_place(content: bytes, place: str) -> None:
    document, found = read(content)
    assert document is None
    assert [(each.code, str(each.span)) for each in found] == [("WM0103", place)]


@pytest.mark.parametrize(
    ("content", "place", "help_line"),
    [
        (
            b"ok = 1\nname = '\xe9'\n",
            "app.toml:2:9",
            "it looks like Latin-1 or Windows-1252; save it as UTF-8",
        ),
        (
            b"\x00asm\x01\x00\x00\x00\xff",
            "app.toml:1:9",
            "it looks like a binary file; name a TOML file",
        ),
        ("a = 1".encode("utf-16"), "app.toml:1:1", "it looks like UTF-16; save it as UTF-8"),
    ],
)
def test_other_encodings(content: bytes, place: str, help_line: str) -> None:
    _, found = read(content)
    assert [(each.code, str(each.span), each.help) for each in found] == [
        ("WM0102", place, help_line)
    ]


def test_paths_are_written_as_in_toml() -> None:
    assert dotted(("actors", "a b", "list", 2, "")) == 'actors."a b".list[2].""'


@given(st.text())
@example('"\\\x7f\U000e0020')
def test_names_and_strings_are_read_as_they_were_written(text: str) -> None:
    assert tomllib.loads(f"{dotted((text,))} = {quoted(text)}") == {text: text}
