"""What building an actor gives."""

from __future__ import annotations

from pathlib import Path

from wasmind.records import Record
from wasmind_compiler.analysis.contract import Contract, Place
from wasmind_compiler.build.actor_files import ActorFiles
from wasmind_compiler.diagnostics import Span
from wasmind_compiler.resolution.tree import Tree


class PythonModule(Record):
    """A module of a Python actor.

    `source` is its path in the actor's folder, `code` the file with its code object in the cache.
    """

    name: str
    source: str
    code: Path


class Artifact(Record):
    """An actor as far as it is built.

    Attributes:
        tree: its folder as it was read.
        contract: what it says about itself.
        modules: for the shared interpreter; empty for a component of its own.
        component: the component's bytes; None where the shared interpreter runs the modules, and
            where it has not been built.
        imported: capabilities the component imports; None for the shared interpreter.
        optional: capabilities it could use where they are granted, but does not need.
        opens_files: whether the component opens files through WASI.
        files: its sources, for places in them; None for a component of its own.
        is_built: whether its component is known; if not, so is nothing but what the manifest says.
    """

    tree: Tree
    contract: Contract
    modules: tuple[PythonModule, ...] = ()
    component: bytes | None = None
    imported: tuple[str, ...] | None = None
    optional: tuple[str, ...] = ()
    opens_files: bool = False
    files: ActorFiles | None = None
    is_built: bool = True

    def span(self, place: Place | None) -> Span | None:
        """Where a place of its contract is; None if there is no such place."""
        return None if self.files is None or place is None else self.files.span(place)
