"""Syntax errors that people make: what is marked, what is said, and what the fix makes of it."""

from __future__ import annotations

import pytest

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.edits import apply_edits
from wasmind_compiler.frontend.document import parse


def told(text: str) -> tuple[str, str, str | None]:
    """What the first problem marks and says, and the text after its fix if that is certain."""
    collector = Collector()
    parse("app.toml", text.encode(), collector)
    found = collector.diagnostics()[0]
    assert found.span is not None
    content = text.encode()
    marked = content[found.span.start.byte : found.span.end.byte].decode()
    message = found.message.removeprefix("TOML syntax error: ")
    certain = found.fix is not None and found.fix.applicability == "always"
    fixed = apply_edits(content, found.fix.edits).decode() if found.fix and certain else None
    return marked, message, fixed


@pytest.mark.parametrize(
    ("text", "marked", "message", "fixed"),
    [
        # Characters that look like others, or like nothing.
        ("a = “x”\n", "“", '`“` is U+201C, not `"`', 'a = "x"\n'),
        ("a = `x`\n", "`", 'a backtick is U+0060, not `"`', 'a = "x"\n'),
        ("a ＝ 1 # ＝\n", "＝", "`＝` is U+FF1D, not `=`", "a = 1 # ＝\n"),
        ("［a］\n", "［", "`［` is U+FF3B, not `[`", "[a]\n"),
        ("a = –1\n", "–", "`–` is U+2013, not `-`", "a = -1\n"),
        ("\u00a0a = '\u00a0'\n", "\u00a0", "this blank is U+00A0, not a space", " a = '\u00a0'\n"),
        (
            "\u200ba = 1\n",
            "\u200b",
            "an invisible character stands here, U+200B",
            "a = 1\n",
        ),
        ('a = "x\x01"\n', "\x01", "a control character stands here, U+0001", None),
        ("a = 1 # \x7f\n", "\x7f", "a control character stands here, U+007F", None),
        ("a = 1\rb = 2\r", "\r", "a carriage return alone ends no line", None),
        # Escapes of other languages.
        (r"""a = "don\'t \\ x" """, r"\'", r"`\'` is not an escape", r"""a = "don't \\ x" """),
        ('a = "\\x41"\n', "\\x", "`\\x` is not an escape", None),
        # Names.
        (
            "[actors.größe]\n",
            "größe",
            "a name of more than `a` to `z`, `A` to `Z`, digits, `_` and `-` stands in quotes",
            '[actors."größe"]\n',
        ),
        (
            "my-👩‍💻 = 1\n",
            "my-👩‍💻",
            "a name of more than `a` to `z`, `A` to `Z`, digits, `_` and `-` stands in quotes",
            '"my-👩‍💻" = 1\n',
        ),
        ("[a.my shell]\n", "my shell", "a name with blanks stands in quotes", None),
        (
            "[actors:shell]\n",
            ":",
            "the names of a header are separated by `.`",
            "[actors.shell]\n",
        ),
        # Comments, separators and line ends of other formats.
        ("a = 1 // why\n", "//", "a comment begins with `#`", "a = 1 # why\n"),
        ("; why\na = 1\n", ";", "a comment begins with `#`", "# why\na = 1\n"),
        ("a: 1\n", ":", "`=` was expected after the key", "a = 1\n"),
        ("a:\n  b: 1\n", ":", "`=` was expected after the key", None),
        ("a { b = 1 }\n", "{", "`=` was expected after the key", "a = { b = 1 }\n"),
        ("a == 1\n", "=", "one `=` is enough", "a = 1\n"),
        ("a = 1; b = 2\n", ";", "the line should end here", "a = 1\nb = 2\n"),
        ("a = 'x', 'y'\n", ",", "the line should end here", None),
        ('"a" "b" = 1\n', '"b"', "`=` was expected after the key", None),
        ('"a" "b"\n', '"b"', "`=` was expected after the key", '"a" = "b"\n'),
        ("a = 1, b = 2\n", ",", "the line should end here", "a = 1\nb = 2\n"),
        ("[a] b = 1\n", "b", "the line should end behind the header", "[a]\nb = 1\n"),
        ("[a]]\n", "]", "the line should end behind the header", "[a]\n"),
        # Commas.
        (
            'a = ["x" "y"]\n',
            '"y"',
            "`,` was expected before this element",
            'a = ["x", "y"]\n',
        ),
        (
            'a = [\n  "x"\n  "y"\n]\n',
            '"y"',
            "`,` was expected before this element",
            'a = [\n  "x",\n  "y"\n]\n',
        ),
        (
            "a = { b = 1 c = 2 }\n",
            "c",
            "`,` was expected before this key",
            "a = { b = 1, c = 2 }\n",
        ),
        (
            "a = { b = 1, }\n",
            ",",
            "an inline table has no comma behind its last key",
            "a = { b = 1 }\n",
        ),
        ("a = [1,, 2]\n", ",", "a value was expected before this `,`", "a = [1, 2]\n"),
        ('a = ["x"\n[b]\n', "[b]", "unclosed array", None),
        # Values.
        ("a = # later\n", "=", "a value was expected after `=`", None),
        ("a = null\n", "null", "TOML has no `null`", None),
        ("a = $HOME\n", "$HOME", "this is not a value", None),
        ("a = 5s\n", "5s", "this is not a value", None),
        ("a = 'it's'\n", "'", "the string ends at this `'`", None),
        ("a = 'x\"\nb = 1\n", "'", "this string is never closed", "a = 'x'\nb = 1\n"),
        ('a = "x”\n', '"', "this string is never closed", 'a = "x"\n'),
        # Inline tables as in JSON.
        (
            'a = {\n  b = "}",\n  c = [1,\n    2],\n}\nd = 1\n',
            "",
            "an inline table ends on the line it begins on",
            'a = { b = "}", c = [1, 2] }\nd = 1\n',
        ),
        (
            "a = {\n  b = 1 # one\n}\n",
            "",
            "an inline table ends on the line it begins on",
            None,
        ),
    ],
)
def test_slips(text: str, marked: str, message: str, fixed: str | None) -> None:
    assert told(text) == (marked, message, fixed)


def test_every_line_is_told_about_once() -> None:
    collector = Collector()
    parse("app.toml", "a: 1\nb = “x”\nc = null\nd = 1 // d\n".encode(), collector)
    lines = [each.span.start.line for each in collector.diagnostics() if each.span is not None]
    assert lines == [1, 2, 3, 4]
