"""A component's imports against what the host offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from wasmind.plan import CAPABILITIES, INTERFACE
from wasmind.records import Record
from wasmind_compiler.analysis.component import (
    ComponentError,
    ComponentInterface,
    CoreModuleError,
    read_component,
)
from wasmind_compiler.diagnostics import Diagnostic, Span
from wasmind_compiler.diagnostics.rules import components
from wasmind_compiler.diagnostics.suggestions import advice

ACTOR_EXPORT: Final = INTERFACE.replace("@", "/actor@")
#: The same capabilities by another door, where bytes travel as text.
_AS_TEXT: Final = ("messaging", "command", "http")
_BY_INTERFACE: Final = {
    **{interface: name for name, interface in CAPABILITIES.items()},
    **{f"wasmind:ext/{name}@0.1.0": name for name in _AS_TEXT},
}
#: Offered without being a capability: types, and the modules of a Python actor.
_FREE: Final = frozenset({ACTOR_EXPORT, "wasmind:ext/package@0.1.0", "wasmind:ext/types@0.1.0"})
_WASI: Final = re.compile(r"wasi:(cli|clocks|filesystem|io|random|sockets)/[a-z0-9-]+@0\.2\.\d+")


class Examined(Record):
    """A component that could be read: its imports, and what keeps it from being an actor."""

    imports: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
    opens_files: bool = False


def examine_component(
    content: bytes, name: str, where: Callable[[], Span], offered: Callable[[], Iterable[str]]
) -> Examined | Diagnostic:
    """Read a component and find what keeps it from being an actor.

    Args:
        content: the file.
        name: the actor's name.
        where: tells where its source is written.
        offered: names of the interfaces the host offers; asked only when an import is unknown.

    Returns:
        What was found, or why it cannot be read.
    """
    try:
        found = read_component(content)
    except CoreModuleError:
        message = f"the component of `{name}` is a core module"
        help_line = "build it as a component, for example with `cargo component build --release`"
        return components.CORE_MODULE.at(where(), message, help=help_line)
    except ComponentError as error:
        message = f"the component of `{name}` cannot be read: {error}"
        return components.UNREADABLE_COMPONENT.at(where(), message, help="build it again")
    problems: list[Diagnostic] = []
    if unknown := [imported for imported in found.imports if not _is_known(imported)]:
        names = sorted(offered())
        problems += [_unknown_import(each, name, where(), names) for each in unknown]
    if ACTOR_EXPORT not in found.exports:
        problems.append(_missing_export(found, name, where()))
    return Examined(found.imports, tuple(problems), found.opens_files)


def reaches_files(imports: Iterable[str]) -> bool:
    """Whether a component could reach files through WASI, as far as folders are granted to it.

    Toolchains import these interfaces whether an actor uses them or not, so it is no need.
    """
    return any(each.startswith("wasi:filesystem/") for each in imports)


def capabilities_of(imports: Iterable[str]) -> tuple[str, ...]:
    """The capabilities that imports need, sorted."""
    return tuple(sorted(_BY_INTERFACE[each] for each in imports if each in _BY_INTERFACE))


def _is_known(name: str) -> bool:
    return name in _BY_INTERFACE or name in _FREE or _WASI.fullmatch(name) is not None


def _unknown_import(imported: str, name: str, span: Span, offered: Sequence[str]) -> Diagnostic:
    message = f"`{name}` imports `{imported}`, which the host does not offer"
    same = list(_other_versions(imported, offered))
    if same:
        help_line: str | None = f"the host offers `{same[0]}`; build against that version"
    else:
        help_line = advice(imported, offered, "offered interfaces")
    return components.UNKNOWN_IMPORT.at(span, message, help=help_line)


def _other_versions(imported: str, offered: Sequence[str]) -> Iterator[str]:
    plain = imported.partition("@")[0]
    return (each for each in offered if each.partition("@")[0] == plain)


def _missing_export(found: ComponentInterface, name: str, span: Span) -> Diagnostic:
    others = list(_other_versions(ACTOR_EXPORT, found.exports))
    notes = (f"it exports `{others[0]}`",) if others else ()
    return components.MISSING_EXPORT.at(
        span,
        f"the component of `{name}` does not export `{ACTOR_EXPORT}`",
        notes=notes,
        help="implement the resource `actor` of that interface",
    )
