"""Slips of the pen in TOML and habits from other formats: what was meant where reading stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from wasmind_compiler.frontend.lookalikes import control_character, letter_in_key, lookalike
from wasmind_compiler.frontend.positions import Range
from wasmind_compiler.frontend.sections import line_end
from wasmind_compiler.frontend.slip import Slip, ends_line, line_at
from wasmind_compiler.frontend.strings import LEXEME

_SEVERAL_WORDS: Final = re.compile(r"\w[\w-]*(?: +\w[\w-]*)+")
_FOREIGN_COMMENT: Final = re.compile(r"(//+|;+|--+|/\*)(?=[ \t]*[^\s])")
_STATEMENT: Final = re.compile(r"[ \t]*[\w\"'.-]+[ \t]*=")
_NO_VALUE: Final = re.compile(r"(?i)(?:null|none|nil|undefined)\b")


def explain(text: str, reason: str, offset: int) -> Slip | None:
    """The slip that made `tomllib` give up.

    Args:
        text: the document.
        reason: what it said.
        offset: where it gave up.
    """
    for look in _LOOKS:
        found = look(text, reason, offset)
        if found is not None:
            return found
    return None


def mismatched_quotes(text: str, start: int) -> Slip | None:
    """A string that begins with one kind of quote and ends with the other."""
    quote = text[start]
    _, end = line_at(text, start)
    found = re.compile("['\"\u2018-\u201f\u00bb]").search(text, start + 1, end)
    if found is None:
        return None
    end = found.start()
    return Slip(
        place=(start, start + 1),
        message="this string is never closed",
        help=f"it begins with `{quote}` but ends with `{found.group()}`: write `{quote}` there",
        edits=(((end, end + 1), quote),),
        sure=True,
    )


def joined_table(text: str, opening: int) -> Slip | None:
    """An inline table over several lines, put on one line; None if comments are in the way."""
    end = _closing(text, opening)
    if end is None:
        return None
    lines = [line.strip() for line in text[opening:end].splitlines()]
    joined = lines[0]
    for line in lines[1:]:
        if line.startswith(("}", "]")):
            joined = joined.removesuffix(",")
        elif not joined.endswith(("{", "[", ",")) and line:
            joined += ","
        joined += f" {line}" if line else ""
    help_line = "write it on one line, or as a `[section]`"
    place = (opening, end)
    return Slip(place=place, message="", help=help_line, edits=((place, joined),), sure=True)


def _closing(text: str, opening: int) -> int | None:
    """The end of the inline table that begins at an offset, if no comment is in it."""
    depth, at = 0, opening
    while at < len(text):
        lexeme = LEXEME.match(text, at) if text[at] in "\"'#" else None
        if lexeme is not None:
            if lexeme.group().startswith("#") or "\n" in lexeme.group():
                return None
            at = lexeme.end()
            continue
        depth += (text[at] in "{[") - (text[at] in "}]")
        at += 1
        if depth == 0:
            return at
    return None


def _blank_in_key(text: str, reason: str, offset: int) -> Slip | None:
    if not reason.startswith(("Expected '='", "Expected ']")):
        return None
    start, end = line_at(text, offset)
    for found in _SEVERAL_WORDS.finditer(text, start, end):
        if found.start() < offset < found.end():
            written = f'"{found.group()}"'
            return Slip(
                place=found.span(),
                message="a name with blanks stands in quotes",
                help=f"write `{written}`, or a name without blanks",
                edits=((found.span(), written),),
            )
    return None


def _separator(text: str, reason: str, offset: int) -> Slip | None:
    separator = text[offset : offset + 1]
    if not reason.startswith("Expected ']") or separator not in (":", "/", "\\", ","):
        return None
    return Slip(
        place=(offset, offset + 1),
        message="the names of a header are separated by `.`",
        help=f"write `.` instead of `{separator}`",
        edits=(((offset, offset + 1), "."),),
        sure=True,
    )


def _comment(text: str, reason: str, offset: int) -> Slip | None:
    found = _FOREIGN_COMMENT.match(text, offset)
    if found is None or not reason.startswith(("Expected newline", "Invalid statement")):
        return None
    if found.group() == ";" and _STATEMENT.match(text, found.end()):
        return None
    return Slip(
        place=found.span(),
        message="a comment begins with `#`",
        help=f"write `#` instead of `{found.group()}`",
        edits=((found.span(), "#"),),
        sure=not found.group().startswith("/*"),
    )


def _comma_missing(text: str, reason: str, offset: int) -> Slip | None:
    if not reason.startswith("Unclosed") or offset >= len(text):
        return None
    element = "element" if reason.endswith("array") else "key"
    message, character = f"`,` was expected before this {element}", text[offset]
    if character == ";":
        edit = ((offset, offset + 1), ",")
        return Slip(place=edit[0], message=message, help="write `,`", edits=(edit,), sure=True)
    start, end = line_at(text, offset)
    string = LEXEME.match(text, offset) if character in "\"'" else None
    is_key = string is not None and re.match(r"[ \t]*[.=]", text[string.end() : end])
    begins_line = not text[start:offset].strip()
    if (begins_line and (string is None or is_key)) or not re.match(r"[\w\"'\[{+-]", character):
        return None
    found = string or re.compile(r"[^\s,\]}]+").match(text, offset)
    before = len(text[:offset].rstrip())
    if found is None or (begins_line and "#" in text[slice(*line_at(text, before - 1))]):
        return None
    return Slip(
        place=found.span(),
        message=message,
        help="write `,` between them",
        edits=(((before, before), ","),),
        sure=True,
    )


def _unclosed(text: str, reason: str, offset: int) -> Slip | None:
    if not reason.startswith("Unclosed"):
        return None
    bracket = "]" if reason.endswith("array") else "}"
    at = len(text[:offset].rstrip())
    commented = "#" in text[slice(*line_at(text, at - 1))]
    return Slip(
        place=_token(text, offset),
        message=f"{reason[:1].lower()}{reason[1:]}",
        help=f"close it with `{bracket}`",
        edits=() if commented else (((at, at), bracket),),
    )


def _comma_too_many(text: str, reason: str, offset: int) -> Slip | None:
    before = text[:offset].rstrip()
    if not reason.startswith("Invalid initial") or text[offset : offset + 1] != "}":
        return None
    if not before.endswith(","):
        return None
    place = (len(before) - 1, len(before))
    return Slip(
        place=place,
        message="an inline table has no comma behind its last key",
        help="remove the `,`",
        edits=((place, ""),),
        sure=True,
    )


def _no_value(text: str, reason: str, offset: int) -> Slip | None:
    if reason != "Invalid value":
        return None
    if (found := _NO_VALUE.match(text, offset)) is not None:
        message = f"TOML has no `{found.group()}`"
        return Slip(place=found.span(), message=message, help="leave the key out")
    equals = text.rfind("=", 0, offset)
    if ends_line(text, offset) and not text[equals + 1 : offset].strip():
        message = "a value was expected after `=`"
        place = (equals, equals + 1)
        return Slip(place=place, message=message, help="give the key a value, or remove it")
    if text[offset : offset + 1] == "$":
        return Slip(
            place=_token(text, offset),
            message="this is not a value",
            help="strings stand in quotes, and variables are not expanded",
        )
    if text[offset : offset + 1] == ",":
        edit = ((offset, offset + 1), "")
        message = "a value was expected before this `,`"
        return Slip(place=edit[0], message=message, help="remove it", edits=(edit,), sure=True)
    if text[offset : offset + 1] in ("=", ">") and text[offset - 1 : offset] == "=":
        edit = ((offset, offset + 1), "")
        return Slip(
            place=edit[0],
            message="one `=` is enough",
            help=f"remove the `{text[offset]}`",
            edits=(edit,),
            sure=True,
        )
    return None


def _no_equals(text: str, reason: str, offset: int) -> Slip | None:
    place, character = (offset, offset + 1), text[offset : offset + 1]
    if not reason.startswith("Expected '='") or not character:
        return None
    message = "`=` was expected after the key"
    if character in "{[\"'":
        edits, place = (((offset, offset), "= "),), _token(text, offset)
        # What looks like a string may be the next part of a name that was written wrongly.
        string = LEXEME.match(text, offset) if character in "\"'" else None
        sure = string is None or ends_line(text, string.end())
        return Slip(place=place, message=message, help="write `=`", edits=edits, sure=sure)
    if character != ":":
        return None
    if ends_line(text, offset + 1):
        start, _ = line_at(text, offset)
        name = text[start:offset].strip()
        return Slip(place=place, message=message, help=f"write `{name} = {{ … }}`, or a `[table]`")
    title = "write `=` instead of `:`"
    return Slip(place=place, message=message, help=title, edits=((place, " ="),), sure=True)


def _several_statements(text: str, reason: str, offset: int) -> Slip | None:
    if not reason.startswith("Expected newline"):
        return None
    _, end = line_at(text, offset)
    before = len(text[:offset].rstrip())
    found = re.compile(rf"[,;]?[ \t]*(?={_STATEMENT.pattern})").match(text, offset, end)
    if found is None or (before == offset and not found.group()):
        return None
    return Slip(
        place=_token(text, offset),
        message="the line should end here",
        help="put what follows on a line of its own",
        edits=(((before, found.end()), line_end(text)),),
        sure=True,
    )


def _glued(text: str, reason: str, offset: int) -> Slip | None:
    """A number or date with something at its end that is no part of one."""
    if not reason.startswith("Expected newline") or text[offset] in ",;]}":
        return None
    start = len(text[:offset]) - len(re.split(r"[\s=]", text[:offset])[-1])
    token = _token(text, start)
    if start == offset or not re.fullmatch(r"[\w.:+/-]+", text[slice(*token)]):
        return None
    return Slip(
        place=token,
        message="this is not a value",
        help=f'write `"{text[slice(*token)]}"` if it is a string',
        edits=((token, f'"{text[slice(*token)]}"'),),
    )


def _behind_header(text: str, reason: str, offset: int) -> Slip | None:
    start, _ = line_at(text, offset)
    if not reason.startswith("Expected newline") or not text[start:offset].lstrip().startswith("["):
        return None
    if text[offset] == "]":
        edit, title = ((offset, offset + 1), ""), "remove the `]`"
    else:
        edit = ((len(text[:offset].rstrip()), offset), line_end(text))
        title = "put what follows on a line of its own"
    message = "the line should end behind the header"
    return Slip(place=_token(text, offset), message=message, help=title, edits=(edit,), sure=True)


def _quote_inside(text: str, reason: str, offset: int) -> Slip | None:
    quote = text[offset - 1 : offset]
    if not reason.startswith("Expected newline") or quote not in ('"', "'"):
        return None
    if not re.match(r"[\w\"']", text[offset : offset + 1]):
        return None
    other = "'" if quote == '"' else '"'
    return Slip(
        place=(offset - 1, offset),
        message=f"the string ends at this `{quote}`",
        help=f"put the whole in `{other}`" + (', or write `\\"` inside it' if quote == '"' else ""),
    )


def _token(text: str, offset: int) -> Range:
    found = re.compile(r"[^\s]+").match(text, offset)
    return found.span() if found is not None else (offset, offset)


_LOOKS: Final[tuple[Callable[[str, str, int], Slip | None], ...]] = (
    lookalike,
    control_character,
    letter_in_key,
    _blank_in_key,
    _separator,
    _comment,
    _comma_missing,
    _unclosed,
    _comma_too_many,
    _no_value,
    _no_equals,
    _behind_header,
    _several_statements,
    _glued,
    _quote_inside,
)
