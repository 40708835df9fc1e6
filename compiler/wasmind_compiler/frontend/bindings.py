"""Key bindings of the terminal interface: the grammar of keys, the defaults, and what clashes.

A binding is `modifier-…-key`, in any letter case: modifiers `ctrl`, `shift`, `alt` and `cmd`, which
means alt; keys are single ASCII characters and the names in `KEYS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wasmind_compiler.frontend.tables import Table

MODIFIERS: Final[Mapping[str, str]] = {
    "ctrl": "ctrl",
    "shift": "shift",
    "alt": "alt",
    "cmd": "alt",
}
#: What other programs call them.
OTHER_MODIFIERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("control", "strg", "c", "^"), "ctrl"),
    **dict.fromkeys(("option", "opt", "meta", "m"), "alt"),
    "command": "cmd",
}
_ALIASES: Final[Mapping[str, str]] = {
    "escape": "esc",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
}
KEYS: Final = frozenset(
    {"esc", "enter", "tab", "backtab", "backspace", "delete", "insert", "up", "down", "left"}
    | {"right", "home", "end", "pageup", "pagedown", "space"}
)
#: Tables of `[tui]` in the order keys are offered to them, and their actions with default keys.
DEFAULTS: Final[Mapping[str, Mapping[str, str]]] = {
    "dashboard": {"ctrl-c": "Exit", "esc": "InterruptAgent"},
    "chat": {"ctrl-a": "Assist", "ctrl-t": "ToggleToolExpansion"},
    "graph": {"shift-up": "SelectUp", "shift-down": "SelectDown"},
}
ACTIONS: Final = frozenset(action for keys in DEFAULTS.values() for action in keys.values())
#: Actions that nobody can do without.
MANDATORY: Final[Mapping[str, str]] = {"dashboard": "Exit", "chat": "Assist"}
_SAME_AS: Final[Mapping[str, str]] = {
    "ctrl-m": "enter",
    "ctrl-i": "tab",
    "ctrl-h": "backspace",
    "ctrl-[": "esc",
}
_RESERVED: Final = frozenset({"ctrl-z", "ctrl-s", "ctrl-q"})


class BadKeyError(ValueError):
    """A text that names no key. `start` and `end` are the faulty part."""

    def __init__(self, message: str, start: int, end: int, candidates: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An entry of a `key_bindings` table. `combination` is the key in its one normal form."""

    section: str
    written: str
    combination: str
    action: str
    table: Table


def normal_form(written: str) -> str:
    """A key combination with its modifiers in the order ctrl, shift, alt.

    Raises:
        BadKeyError: it is none.
    """
    *modifiers, key = written.split("-")
    if key == "" and written:
        message = (
            "`-` cannot be bound"
            if set(written) == {"-"} or written.endswith("--")
            else ("the key is missing")
        )
        raise BadKeyError(message, 0, len(written))
    found: set[str] = set()
    at = 0
    for modifier in modifiers:
        meant = MODIFIERS.get(modifier.lower())
        if meant is None:
            message = f"`{modifier}` is not a modifier"
            raise BadKeyError(message, at, at + len(modifier), MODIFIERS)
        found.add(meant)
        at += len(modifier) + 1
    ordered = [modifier for modifier in ("ctrl", "shift", "alt") if modifier in found]
    return "-".join([*ordered, _key(key, at)])


def is_key(text: str) -> bool:
    """Whether a text names a key combination."""
    try:
        normal_form(text)
    except BadKeyError:
        return False
    return True


def is_swapped(written: str, action: str) -> bool:
    """Whether an action stands where its key should be, and the key where the action should."""
    return written in ACTIONS and action not in ACTIONS and is_key(action)


def _key(key: str, at: int) -> str:
    plain = key.lower()
    plain = _ALIASES.get(plain, plain)
    if plain in KEYS or (len(plain) == 1 and plain.isascii() and plain.isprintable()):
        return plain
    if not key.isascii():
        raise BadKeyError("only ASCII characters can be bound", at, at + len(key))
    raise BadKeyError(f"`{key}` is not a key", at, at + len(key), {*KEYS, *_ALIASES})


def same_for_terminals(combination: str) -> str | None:
    """The key a terminal sends instead, if it cannot tell the two apart."""
    *modifiers, key = combination.split("-")
    if combination in _SAME_AS:
        return _SAME_AS[combination]
    if "shift" in modifiers and len(key) == 1 and key.isalpha() and "ctrl" not in modifiers:
        return key.upper()
    return None


def is_reserved(combination: str) -> bool:
    """Whether a terminal may keep the key for job or flow control."""
    return combination in _RESERVED


def is_plain_character(combination: str) -> bool:
    """Whether the key types a character."""
    return "-" not in combination and (len(combination) == 1 or combination == "space")


def effective(section: str, own: Iterable[Binding], *, clear_defaults: bool) -> dict[str, str]:
    """Key to action in one table, the user's over the defaults."""
    result = (
        {}
        if clear_defaults
        else {normal_form(key): action for key, action in DEFAULTS[section].items()}
    )
    result.update({binding.combination: binding.action for binding in own})
    return result


def entries(tui: Table, section: str) -> Iterator[tuple[str, str, Table]]:
    """The written bindings of one table: key, action, and the `key_bindings` table."""
    outer = tui.table(section)
    table = outer.table("key_bindings") if outer is not None else None
    if table is not None:
        for key, action in table.values.items():
            if isinstance(action, str):
                yield key, action, table
