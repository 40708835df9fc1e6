"""Syntax errors: what is said, where it points, and what a hostile file costs."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from wasmind_compiler.diagnostics import Collector, Diagnostic, Span
from wasmind_compiler.frontend.document import parse
from wasmind_compiler.frontend.limits import DEEPEST, MOST_BYTES, read_bounded


def read(text: str | bytes) -> tuple[Diagnostic, ...]:
    collector = Collector()
    parse("app.toml", text.encode() if isinstance(text, str) else text, collector)
    return collector.diagnostics()


def shown(text: str, span: Span | None) -> str:
    """`LINE:COLUMN` and what is underlined there."""
    assert span is not None
    content = text.encode()[span.start.byte : span.end.byte].decode()
    return f"{span.start.line}:{span.start.column} {content}".rstrip()


CONFLICT = "a = 1\n<<<<<<< HEAD\nb = 1\n||||||| base\n=======\nb = 2\n>>>>>>> theirs\nb = = 3\n"


@pytest.mark.parametrize("text", [CONFLICT, CONFLICT.replace("\n", "\r\n")])
def test_a_merge_conflict_is_one_error(text: str) -> None:
    (found,) = read(text)
    assert (found.code, shown(text, found.span)) == ("WM0113", "2:1 <<<<<<< HEAD")
    assert [shown(text, each.span) for each in found.labels] == [
        "4:1 ||||||| base",
        "5:1 =======",
        "7:1 >>>>>>> theirs",
    ]


def test_a_conflict_in_the_middle_of_a_string() -> None:
    text = 'x = """\na\n"""\n<<<<<<< HEAD\ny = "1"\n=======\ny = "2\n>>>>>>>\n'
    (found,) = read(text)
    assert (found.code, str(found.span)) == ("WM0113", "app.toml:4:1")


@pytest.mark.parametrize(
    "text",
    [
        'x = """\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"""\ny = \n',
        "x = 1\n========\n",
        "# <<<<<<< HEAD\nx = \n",
        "x = 1\n<<<<<<<< HEAD\n",
    ],
)
def test_what_only_looks_like_a_conflict(text: str) -> None:
    assert [each.code for each in read(text)] == ["WM0103"]
    assert read(text.rpartition("y")[0]) == () or "y" not in text


@pytest.mark.parametrize(
    ("text", "code", "primary", "secondary"),
    [
        ('x = "abc\ny = 1\n', "WM0104", '1:5 "', ["1:9"]),
        ("x = 'a # b\n", "WM0104", "1:5 '", ["1:11"]),
        ('x = 1\ny = """abc\nd = 1\n', "WM0104", '2:5 """', []),
        ("# it's fine\nx = '''abc\n", "WM0104", "2:5 '''", []),
        ('x = "a" # "\ny = "\\q"\n', "WM0105", "2:6 \\q", []),
        ('x = "\\\\ok \\ud800"\n', "WM0105", "1:11 \\u", []),
        ('"x\\q" = 1\n', "WM0105", "1:3 \\q", []),
        ('["x\\q"]\ny = 1\n', "WM0105", "1:4 \\q", []),
        ("a = 1\n\nb = 2\na = 3\n", "WM0106", "4:1 a", ["1:1 a"]),
        ("[t]\na.b = 1\na.b = 2\n", "WM0106", "3:3 b", ["2:3 b"]),
        ("x = [{ a = 1, a = 2 }]\n", "WM0106", "1:15 a", ["1:8 a"]),
        ("a = 1\n[a]\n", "WM0106", "2:1 [a]", ["1:1 a"]),
        ("a.b = 1\na.b.c = 2\n", "WM0106", "2:5 c", ["1:3 b"]),
        ("[a]\nx = 1\n['a'] # again\n", "WM0107", "3:1 ['a']", ["1:1 [a]"]),
        ("[[l]]\n[l.a]\n[[l]]\n[l.a]\n[l.a]\n", "WM0107", "5:1 [l.a]", ["4:1 [l.a]"]),
        ("[a]\n[a]\".b]\n", "WM0107", "2:1 [a]", ["1:1 [a]"]),
        ("[a]\n[a # ]\n", "WM0107", "2:1 [a", ["1:1 [a]"]),
        ("a = { b = 1 }\n[a.c]\n", "WM0107", "2:1 [a.c]", ["1:1 a"]),
        ("[t]\na = { b = 1 }\na.c = 1\n", "WM0107", "3:3 c", ["2:1 a"]),
        ("[a.b]\n[a]\nb.c = 1\n", "WM0103", "3:1 b.c", []),
        ("[[a.b]]\n[a.b]\n", "WM0108", "2:1 [a.b]", ["1:1 [[a.b]]"]),
        ("[a.b]\n[[a.b]]\n", "WM0108", "2:1 [[a.b]]", ["1:1 [a.b]"]),
        ("[m.params]\nx = 1\n[[m]]\n", "WM0108", "1:1 [m.params]", ["3:1 [[m]]"]),
        ("x = [1,\n     2\ny = 3\n", "WM0103", "3:1 y", ["1:5 ["]),
        ("x = { a = [1], b = 1", "WM0103", "1:21", ["1:5 {"]),
        ("x = { a = 1,\n b = 2 }\n", "WM0112", "1:13", ["1:5 {"]),
        ("x = 9223372036854775808\n", "WM0109", "1:5 9223372036854775808", []),
        ("x = [0, -0xF]\n".replace("-0xF", "0xFFFF_FFFF_FFFF_FFFF"), "WM0109",
         "1:9 0xFFFF_FFFF_FFFF_FFFF", []),
        ("x = " + "1" * 5000 + "\n", "WM0109", "1:5 " + "1" * 5000, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_places(text: str, code: str, primary: str, secondary: list[str], line_end: str) -> None:
    text = text.replace("\n", line_end)
    (found,) = read(text)
    assert found.code == code
    assert shown(text, found.span) == primary
    assert [shown(text, label.span) for label in found.labels] == secondary


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a = { b = 1 }\na.c = 1\n", "a"),
        ("[actors.a]\nconfig = { b = 1 }\nconfig.x = 1\n", "actors.a.config"),
        ("[actors.a]\nconfig = { b = 1 }\n[actors.a.config.x]\n", "actors.a.config"),
        ("[t]\n'a b'.c = {}\n'a b'.c.d = 1\n", 't."a b".c'),
        ("[[l]]\n[[l]]\na = { b = 1 }\na.c = 1\n", "l[1].a"),
        ("x = [1, { a = {}, a.b = 1, a.c = 1 }]\n", "x[1].a"),
    ],
)
def test_a_table_that_is_complete_is_named_by_its_whole_path(text: str, name: str) -> None:
    (found,) = read(text)
    assert found.message == f"the table `{name}` cannot be extended here"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ('p = "C:\\data"\n', "p = 'C:\\data'\n"),
        ('p = "it\'s \\d"\n', 'p = "it\'s \\\\d"\n'),
        ("a = True\n", "a = true\n"),
        ("a = flase\n", "a = false\n"),
        ("a = yes\n", "a = true\n"),
        ("a = hello\n", 'a = "hello"\n'),
        ("a: 1\n", "a = 1\n"),
        ("a = 1;\n", "a = 1\n"),
        ("[a\n", "[a]\n"),
        ("[[a]\n", "[[a]]\n"),
        ("[[a]]\n[a]\n", "[[a]]\n[[a]]\n"),
        ("a = .5\n", "a = 0.5\n"),
    ],
)
def test_fixes(text: str, fixed: str) -> None:
    (found,) = read(text)
    assert found.fix is not None
    content = text.encode()
    for edit in sorted(found.fix.edits, key=lambda each: -each.span.start.byte):
        start, end = edit.span.start.byte, edit.span.end.byte
        content = content[:start] + edit.replacement.encode() + content[end:]
    assert content.decode() == fixed
    assert read(fixed) == ()


def test_errors_that_do_not_depend_on_each_other_are_reported_together() -> None:
    text = 'é = "x\\qy"\na = 1\n[t]\nb = True\na = 1\na = 2\nc = "open\n'
    text = text.replace("é", '"é"')
    found = read(text)
    assert [(each.code, shown(text, each.span)) for each in found] == [
        ("WM0105", "1:9 \\q"),
        ("WM0103", "4:5 True"),
        ("WM0106", "6:1 a"),
        ("WM0104", '7:5 "'),
    ]


def test_what_follows_a_broken_string_is_not_reported() -> None:
    assert [each.code for each in read("x = 'one\ntwo'\n")] == ["WM0104"]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 10_000 + "]" * 10_000,
        "x = " + "{a=" * 10_000 + "1" + "}" * 10_000,
        ".".join("a" * 10_000) + " = 1",
        "[" + " . ".join("a" * 10_000) + "]",
        "\n".join(f"[{'.'.join('a' * depth)}]" for depth in range(1, DEEPEST + 2)),
    ],
)
def test_deep_nesting_is_refused_with_the_limit_and_a_place(text: str) -> None:
    (found,) = read(text)
    assert found.code == "WM0111"
    assert f"more than {DEEPEST} deep" in found.message
    assert found.span is not None


def test_what_is_just_deep_enough() -> None:
    assert read("x = " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)) == ()


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    (found,) = read(read_bounded(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.code, found.message) == ("WM0111", "`app.toml` is larger than 4 MiB")
    assert peak < 3 * MOST_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "\n" * MOST_BYTES,
        "#" * MOST_BYTES,
        "x = '" + "." * (MOST_BYTES - 6) + "'",
        "x = \"" + "\\\\" * (MOST_BYTES // 2 - 4) + '"',
        "x = \"" + "\\'" * (MOST_BYTES // 2 - 4) + '"',
        "x = " + "[" * (MOST_BYTES - 4),
        "a." * (MOST_BYTES // 2),
        '"' * MOST_BYTES,
        "'''" + "''x" * (MOST_BYTES // 3 - 1),
        "x = 1\n" * (MOST_BYTES // 6),
        "\n" * (MOST_BYTES - 10) + "x = [1, ",
    ],
    ids=range(11),
)  # fmt: skip
def test_the_largest_files_take_seconds_at_most(text: str) -> None:
    """Not a measurement: what takes quadratic time would not end within the hour."""
    started = time.process_time()
    read(text)
    # A hundred times what it takes; what is not in proportion to the length takes hours.
    assert time.process_time() - started < 60


def test_binary_files() -> None:
    (found,) = read(b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 1000)
    assert (found.code, found.help) == (
        "WM0102",
        "it looks like a binary file; name a TOML file",
    )
