"""Syntax errors in the user's terms.

`tomllib` says at which character it gave up. Here the text around that place is read once more to
say what is wrong, where it began and what was expected.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Set
from typing import Final

from wasmind_compiler.diagnostics import Applicability, Diagnostic, Edit, Fix, Label, TextIndex
from wasmind_compiler.diagnostics.rules import files
from wasmind_compiler.diagnostics.suggestions import nearest
from wasmind_compiler.frontend import slips
from wasmind_compiler.frontend.clashes import explain_clash
from wasmind_compiler.frontend.positions import Range, statement_at
from wasmind_compiler.frontend.slip import Slip, ends_line, reads_further
from wasmind_compiler.frontend.strings import LEXEME

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_GOOD_ESCAPE: Final = re.compile(
    r"""\\(?:[btnfr"\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[ \t]*\r?\n)"""
)
#: Escapes of other languages, where the backslash is not what was meant.
_FOREIGN_ESCAPE: Final = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|[0aev/])")
_WORD: Final = re.compile(r"[^\s,\]}#=]+")
#: How headers begin, and what is easily taken for it.
_OPENERS: Final = ("[", "\uff3b")
_CLASHES: Final = ("Cannot ", "Duplicate inline table key")
_BAD_ESCAPES: Final = ("Unescaped", "Invalid hex value", "Escaped character")
_OPEN_STRINGS: Final = ("Unterminated string", "Illegal character '\\n'", "Illegal character '\\r'")
_FRIENDLY: Final = {
    "Invalid value": "this is not a value",
    "Invalid statement": "a key, a `[table]` or a comment was expected",
    "Invalid initial character for a key part": "a key was expected",
    "Expected newline or end of document after a statement": "the line should end here",
    "Expected '=' after a key in a key/value pair": "`=` was expected after the key",
    "Expected ']' at the end of a table declaration": "`]` was expected at its end",
    "Expected ']]' at the end of an array declaration": "`]]` was expected at its end",
}
#: Words of other languages, and how TOML says it.
_WORDS: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}


#: After so many errors in one file the rest waits for the next run.
MOST_ERRORS: Final = 20
#: In longer files only the first error is looked for.
_MOST_REREAD: Final = 256 * 1024


#: Errors of one line that say nothing about the lines below.
_INDEPENDENT: Final = frozenset(
    {files.TOML_SYNTAX.code, files.BAD_ESCAPE.code, files.DUPLICATE_KEY.code}
    | {files.OPEN_STRING.code}
)


def all_syntax_errors(index: TextIndex, message: str) -> Iterator[Diagnostic]:
    """The error `tomllib` met first, and those behind it that do not depend on it.

    A faulty line `key = value` is blanked out and the rest is read again. After anything else,
    a header for example, what follows would be misjudged.
    """
    before: Diagnostic | None = None
    for _ in range(MOST_ERRORS):
        found = explain_syntax(index, message)
        if before is not None and _continues(before, found):
            return
        yield found
        before = found
        blanked = _without_line(index, found)
        if blanked is None:
            return
        index = index.with_text(blanked)
        try:
            tomllib.loads(index.text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
        except (RecursionError, ValueError):
            return
        else:
            return


def _continues(before: Diagnostic, found: Diagnostic) -> bool:
    """Whether an error is only the rest of a string that should have been closed."""
    if before.code != files.OPEN_STRING.code or before.span is None or found.span is None:
        return False
    return found.span.start.line == before.span.start.line + 1 and found.code != before.code


def _without_line(index: TextIndex, found: Diagnostic) -> str | None:
    """The text with the line of an error blanked out; None if more than the line is faulty."""
    if found.code not in _INDEPENDENT or found.span is None or len(index.text) > _MOST_REREAD:
        return None
    line = found.span.start.line
    start = index.offset(line, 1)
    end = index.text.find("\n", start)
    end = len(index.text) if end == -1 else end
    written = index.text[start:end]
    if written.lstrip().startswith(_OPENERS):
        # Without its header, what is below would belong to the table above.
        return None
    if statement_at(index.text, start) != start + len(written) - len(written.lstrip()):
        return None
    if '"""' in written or "'''" in written or _opening(index.text, start, end) is not None:
        return None
    # As many bytes as before, so that places behind it stay what they are.
    return index.text[:start] + " " * len(written.encode()) + index.text[end:]


def explain_syntax(index: TextIndex, message: str) -> Diagnostic:
    """The diagnostic for what `tomllib` said about a text."""
    place = _PLACE.search(message)
    reason = message[: place.start()] if place else message
    offset = _offset(index, place)
    if reason.startswith(_CLASHES):
        offset = statement_at(index.text, offset - 1)
        clash = explain_clash(index, offset)
        if clash is not None:
            return clash
    if reason.startswith(_BAD_ESCAPES) and (escape := _bad_escape(index)) is not None:
        return escape
    if _is_open_string(reason) and (opened := _open_string(index)) is not None:
        return opened
    return _general(index, reason, offset)


def _offset(index: TextIndex, place: re.Match[str] | None) -> int:
    line, column = place.groups() if place else (None, None)
    if line is None or column is None:
        return len(index.text.rstrip())
    return index.offset(int(line), int(column))


def _is_open_string(reason: str) -> bool:
    return reason.startswith((*_OPEN_STRINGS, "Found invalid character", "Expected \"'"))


def _open_string(index: TextIndex) -> Diagnostic | None:
    """The first quote that nothing closes."""
    for found in LEXEME.finditer(index.text):
        quote = found.group("open")
        if quote is None:
            continue
        line_end = index.text.find("\n", found.start())
        line_end = len(index.text) if line_end == -1 else line_end
        line_end -= index.text.endswith("\r", found.start(), line_end)
        many = f"`{quote * 3}` around text of several lines"
        slip = slips.mismatched_quotes(index.text, found.start()) if len(quote) == 1 else None
        help_line = f"close it with `{quote}`" + (f", or put {many}" if len(quote) == 1 else "")
        return files.OPEN_STRING.at(
            index.span(*found.span()),
            "this string is never closed",
            label="opened here",
            labels=(Label(index.span(line_end, line_end), "the line ends without the quote"),)
            if len(quote) == 1
            else (),
            help=slip.help if slip else help_line,
            fix=_fix_of(index, slip) if slip else None,
        )
    return None


def _bad_escape(index: TextIndex) -> Diagnostic | None:
    for literal in LEXEME.finditer(index.text):
        if literal.group("string") is None:
            continue
        wrong = _wrong_escapes(index.text, literal.span())
        if wrong:
            return _report_escapes(index, literal.span(), wrong)
    return None


def _wrong_escapes(text: str, literal: Range) -> list[int]:
    wrong, at = [], text.find("\\", *literal)
    while at != -1:
        good = _GOOD_ESCAPE.match(text, at)
        if good is None or _is_surrogate(good.group()):
            wrong.append(at)
        at = text.find("\\", good.end() if good else at + 2, literal[1])
    return wrong


def _is_surrogate(escape: str) -> bool:
    if escape[1] not in "uU":
        return False
    number = int(escape[2:], 16)
    return 0xD800 <= number <= 0xDFFF or number > 0x10FFFF


def _report_escapes(index: TextIndex, literal: Range, wrong: list[int]) -> Diagnostic:
    written = index.text[slice(*literal)]
    quoted = written.startswith('"""')
    inner = written[3:-3] if quoted else written[1:-1]
    # With a good escape among the wrong ones nobody knows what was meant: `C:\new\qa`.
    sure = written.count("\\") == len(wrong)
    sure = sure and not any(_FOREIGN_ESCAPE.match(index.text, at) for at in wrong)
    if all(index.text.startswith("'", at + 1) for at in wrong):
        replacement, sure = _without(written, {at - literal[0] for at in wrong}), True
        title = "a `'` needs no backslash"
    elif "'" not in inner:
        replacement = f"'''{inner}'''" if quoted else f"'{inner}'"
        title = "use single quotes, in which `\\` is an ordinary character"
    else:
        replacement = written.replace("\\", "\\\\")
        title = "double the backslashes"
    span = index.span(wrong[0], wrong[0] + 2)
    shown = index.text[wrong[0] : wrong[0] + 2]
    return files.BAD_ESCAPE.at(
        span,
        f"`{shown}` is not an escape" if shown[1] not in "uU" else "not the number of a character",
        help=title,
        fix=Fix(
            title=title,
            edits=(Edit(index.span(*literal), replacement),),
            applicability="always" if sure else "maybe",
        ),
    )


def _without(text: str, places: Set[int]) -> str:
    """The text without the characters at some places."""
    return "".join(character for at, character in enumerate(text) if at not in places)


def _general(index: TextIndex, reason: str, offset: int) -> Diagnostic:
    text = index.text
    opening = _opening(text, statement_at(text, offset), offset)
    labels: tuple[Label, ...] = ()
    if opening is not None:
        kind = "array" if text[opening] == "[" else "inline table"
        labels = (Label(index.span(opening, opening + 1), f"the {kind} begins here"),)
        if text[opening] == "{" and text[offset : offset + 2].lstrip("\r")[:1] == "\n":
            return _line_end_in_inline_table(index, offset, opening, labels)
    slip = slips.explain(text, reason, offset)
    if slip is not None:
        place, message, fix = slip.place, slip.message, _fix_of(index, slip)
        help_line: str | None = slip.help
    else:
        place, message = _token(text, offset), _friendly(reason)
        fix = _fix(index, reason, offset)
        help_line = fix.title if fix else None
    return files.TOML_SYNTAX.at(
        index.span(*place),
        f"TOML syntax error: {message}",
        labels=labels,
        help=help_line,
        fix=fix,
    )


def _token(text: str, offset: int) -> Range:
    end = offset
    while end < len(text) and text[end] not in "\r\n \t":
        end += 1
    return offset, end


def _fix_of(index: TextIndex, slip: Slip) -> Fix | None:
    """The fix for a slip; certain only if it lets the file be read further."""
    if not slip.edits:
        return None
    edits = tuple(Edit(index.span(*place), text) for place, text in slip.edits)
    sure = slip.sure and reads_further(index.text, slip.edits)
    return Fix(title=slip.help, edits=edits, applicability="always" if sure else "maybe")


def _friendly(reason: str) -> str:
    if reason.startswith(_CLASHES):
        return "this table was defined before and cannot be extended here"
    return _FRIENDLY.get(reason) or reason[:1].lower() + reason[1:]


def _line_end_in_inline_table(
    index: TextIndex, offset: int, opening: int, labels: tuple[Label, ...]
) -> Diagnostic:
    slip = slips.joined_table(index.text, opening)
    return files.LINE_END_IN_INLINE_TABLE.at(
        index.span(offset, offset),
        "an inline table ends on the line it begins on",
        labels=labels,
        help="write it on one line, or as a `[section]`",
        fix=_fix_of(index, slip) if slip else None,
    )


def _opening(text: str, start: int, offset: int) -> int | None:
    """The innermost bracket of a value that is still open at an offset."""
    stack: list[int] = []
    at = text.find("=", start, offset)
    while 0 <= at < offset:
        character = text[at]
        if character in "\"'#" and (lexeme := LEXEME.match(text, at)) is not None:
            at = lexeme.end()
            continue
        if character in "[{":
            stack.append(at)
        elif character in "]}" and stack:
            stack.pop()
        at += 1
    return stack[-1] if stack else None


def _fix(index: TextIndex, reason: str, offset: int) -> Fix | None:
    """What to write instead, where that is plain."""
    text = index.text
    if reason.startswith("Expected newline") and text[offset : offset + 1] in (",", ";"):
        edit, title = Edit(index.span(offset, offset + 1), ""), f"remove the `{text[offset]}`"
        sure: Applicability = "always" if ends_line(text, offset + 1) else "maybe"
        return Fix(title=title, edits=(edit,), applicability=sure)
    rest = text[offset : text.find("\n", offset)]
    if reason.startswith("Expected ']") and "]" not in rest[1:]:
        brackets = "]]" if "]]" in reason else "]"
        missing = brackets[len(brackets) - (text[offset : offset + 1] == "]") :] or brackets
        missing = "]" if text[offset - 1 : offset + 1] == "]" else missing
        edit = Edit(index.span(offset, offset), missing)
        return Fix(title=f"close the header with `{brackets}`", edits=(edit,))
    if reason == "Invalid value" and (word := _WORD.match(text, offset)) is not None:
        return _fix_word(index, word)
    return None


def _fix_word(index: TextIndex, word: re.Match[str]) -> Fix | None:
    written, span = word.group(), index.span(*word.span())
    plain = written.lower()
    meant = _WORDS.get(plain, plain if plain in ("true", "false") else None)
    if meant is None and written.isalpha():
        meant = next(iter(nearest(written, ("true", "false"))), None)
    if meant is not None:
        return Fix(title=f"write `{meant}`", edits=(Edit(span, meant),), applicability="always")
    if re.fullmatch(r"\.\d+", written):
        return Fix(title=f"write `0{written}`", edits=(Edit(span, f"0{written}"),))
    if re.fullmatch(r"[\w./:@~-]+", written):
        return Fix(title="strings stand in quotes", edits=(Edit(span, f'"{written}"'),))
    return None
