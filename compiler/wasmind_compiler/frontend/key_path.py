"""Paths to values inside a document."""

from __future__ import annotations

import string
import tomllib
from typing import Any, Final

#: Keys of tables and indices of arrays, from the outside in.
KeyPath = tuple[str | int, ...]

_BARE: Final = frozenset(string.ascii_letters + string.digits + "_-")


def dotted(path: KeyPath) -> str:
    """A path as people write it: `actors.desk.required_spawn_with[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part and _BARE.issuperset(part) else quoted(part)
            text += f".{name}" if text else name
    return text


def split(path: str) -> tuple[str, ...] | None:
    """The keys of a dotted path as TOML reads them; None if it is not one."""
    try:
        value: Any = tomllib.loads(f"{path} = 0")
    except ValueError:
        return None
    keys: list[str] = []
    while isinstance(value, dict):
        if len(value) != 1:
            return None
        ((key, value),) = value.items()
        keys.append(key)
    return tuple(keys)


def quoted(text: str) -> str:
    """A string, or a name that is not a bare one, as TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escape(character) for character in escaped) + '"'


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def value_at(value: Any, path: KeyPath, absent: Any = None) -> Any:
    """What lies at a path in nested tables and arrays; `absent` if nothing does."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return absent
    return value
