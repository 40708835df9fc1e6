"""Which entries of the cache the installed Wasmind would not use again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from wasmind.cli.cache_entries import Entry

_COMPONENTS: Final = "components"


def unused_entries(found: Sequence[Entry]) -> Iterator[Entry]:
    """Those that nothing leads to from here; sources are never among them.

    Raises:
        InterpreterError: it is unknown which interpreter belongs to this Wasmind.
    """
    from wasmind.cli.compiling import present_interpreter
    from wasmind.runtime.engine import native_name
    from wasmind_compiler.build.python import made_by

    key, digest = present_interpreter()
    bundles = [entry for entry in found if entry.part == "bundles" and not entry.is_leftover]
    usable = [entry for entry in bundles if _is_usable(entry.paths[0], digest)]
    components = {digest or ""} | {each.stem for entry in usable for each in _components(entry)}
    native = {native_name(component) for component in components}
    kept: dict[str, Callable[[Entry], bool]] = {
        "interpreter": lambda entry: entry.name == key,
        "actors": lambda entry: entry.name.startswith(made_by(key)),
        "bundles": lambda entry: entry in usable,
        "native": lambda entry: entry.name in native,
        _COMPONENTS: lambda entry: entry.name in components,
    }
    for entry in found:
        keeps = kept.get(entry.part)
        if entry.is_leftover or (keeps is not None and not keeps(entry)):
            yield entry


def _is_usable(bundle: Path, interpreter: str | None) -> bool:
    """Whether a bundle has no actors in Python, or runs them on the present interpreter."""
    has_python = (bundle / "actors").is_dir()
    return not has_python or (bundle / _COMPONENTS / f"{interpreter}.wasm").is_file()


def _components(bundle: Entry) -> Iterator[Path]:
    return (bundle.paths[0] / _COMPONENTS).glob("*.wasm")
