"""Characters that look like others, or like nothing, and letters that TOML has no room for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from wasmind_compiler.frontend.slip import Slip, line_at
from wasmind_compiler.frontend.strings import LEXEME

_QUOTES: Final = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb`", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
}
_DASHES: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
_WORD: Final = re.compile(r"[\w-]+")
_JOINER: Final = "\u200d"
#: What `tomllib` says where a key should be.
_KEY_EXPECTED: Final = ("Invalid statement", "Expected '='", "Expected ']", "Invalid initial")


def lookalike(text: str, _reason: str, offset: int) -> Slip | None:
    """A character that was taken for another."""
    character = text[offset : offset + 1]
    plain = _plain(character) if character else None
    if plain is None:
        return None
    start, end = line_at(text, offset)
    edits = tuple(
        ((at, at + 1), meant)
        for at in _outside_strings(text, start, end)
        if (meant := _plain(text[at])) is not None
    )
    number = f"U+{ord(character):04X}"
    shown = "a backtick" if character == "`" else f"`{character}`"
    if plain == "":
        message, advice = f"an invisible character stands here, {number}", "remove it"
    elif plain == " ":
        message, advice = f"this blank is {number}, not a space", "write a space"
    else:
        message, advice = f"{shown} is {number}, not `{plain}`", f"write `{plain}`"
    return Slip(place=(offset, offset + 1), message=message, help=advice, edits=edits, sure=True)


def _outside_strings(text: str, start: int, end: int) -> Iterator[int]:
    at = start
    while at < end:
        lexeme = LEXEME.match(text, at) if text[at] in "\"'#" else None
        if lexeme is not None and lexeme.group("open") is None:
            at = lexeme.end()
        else:
            yield at
            at += 1


def _plain(character: str) -> str | None:
    """What a look-alike stands for; None for any other character."""
    if character in _QUOTES:
        return _QUOTES[character]
    if character in _DASHES:
        return _DASHES[character]
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    category = unicodedata.category(character)
    if category == "Zs" and character != " ":
        return " "
    return "" if category == "Cf" else None


def control_character(text: str, _reason: str, offset: int) -> Slip | None:
    """A control character, which TOML does not take as it is."""
    character = text[offset : offset + 1]
    if not character or unicodedata.category(character) != "Cc" or character in "\t\n":
        return None
    if character == "\r":
        message, advice = "a carriage return alone ends no line", "end lines with LF or CRLF"
        return Slip(place=(offset, offset + 1), message=message, help=advice)
    number = ord(character)
    return Slip(
        place=(offset, offset + 1),
        message=f"a control character stands here, U+{number:04X}",
        help=f'remove it, or write `\\u{number:04X}` in a string of `"`',
        edits=(((offset, offset + 1), ""),),
    )


def letter_in_key(text: str, reason: str, offset: int) -> Slip | None:
    """A character that a key can only have in quotes."""
    character = text[offset : offset + 1]
    if not reason.startswith(_KEY_EXPECTED) or character.isascii() or not _is_in_name(character):
        return None
    start, end = offset, offset
    while start > 0 and _is_in_name(text[start - 1]):
        start -= 1
    while end < len(text) and _is_in_name(text[end]):
        end += 1
    return Slip(
        place=(start, end),
        message="a name of more than `a` to `z`, `A` to `Z`, digits, `_` and `-` stands in quotes",
        help=f'write `"{text[start:end]}"`',
        edits=(((start, end), f'"{text[start:end]}"'),),
        sure=True,
    )


def _is_in_name(character: str) -> bool:
    """Whether a character belongs to a name, which may have to stand in quotes for it."""
    if character.isascii():
        return _WORD.fullmatch(character) is not None
    # Emoji are joined by a character that is invisible elsewhere.
    return character == _JOINER or (character.isprintable() and _plain(character) is None)
