"""Text from strangers, made visible: what it says may be read, but must not steer a terminal.

A terminal obeys more than ESC: the C1 controls are escape sequences of one character, a carriage
return overwrites what stood before, and bidirectional controls show a text in another order than it
has. All of these become escapes as Python writes them, `\\x1b` or `\\u202e`. Letters of any script
stay, joiners included: without them some scripts and emoji fall apart.
"""

from __future__ import annotations

import re
from typing import Final

#: C0 but tab and line feed, C1, bidirectional and invisible controls, separators of lines and
#: paragraphs, halves of surrogate pairs, and tags, which hide text from people but not from models.
_STEERING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_STEERING_LINE: Final = re.compile(rf"{_STEERING.pattern[:-1]}\t\n]")
_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    """A text of any number of lines without anything a terminal would obey.

    Tabs and line feeds stay; the carriage return of `\\r\\n` goes.
    """
    if text.isprintable():
        return text
    return _STEERING.sub(_escape, text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The same for what has to stay on one line, like a name: line feeds and tabs are escaped."""
    return text if text.isprintable() else _STEERING_LINE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def json_visible(encoded: str) -> str:
    """The same for JSON text, which stays the JSON of the same value: escapes become `\\uXXXX`.

    What `json.dumps` leaves as it is can only stand inside of strings there.
    """
    return _STEERING.sub(_json_escape, encoded)


def _json_escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
