"""Actors built by a program on this machine, such as `cargo component`.

The program comes from the actor's author and runs with the user's rights, so it is not run for
them. Where no component is needed, such an actor is known by its manifest alone.
"""

from __future__ import annotations

from typing import Final

from wasmind_compiler.diagnostics import Diagnostic, Span
from wasmind_compiler.diagnostics.rules import building
from wasmind_compiler.frontend.manifest import CommandBuild
from wasmind_compiler.resolution.graph import ResolvedActor
from wasmind_compiler.resolution.tree import Tree

CARGO_MANIFEST: Final = "Cargo.toml"
CARGO_COMMAND: Final = ("cargo", "component", "build", "--release")
_HELP: Final = 'run it yourself and set `[build] component = "….wasm"` in the manifest'


def is_cargo(tree: Tree) -> bool:
    """Whether the folder is a Cargo package."""
    return any(entry.path == CARGO_MANIFEST for entry in tree.entries)


def refuse_command(actor: ResolvedActor, build: CommandBuild | None) -> Diagnostic:
    """Say which program would have to run, and what to do instead.

    Args:
        actor: the actor.
        build: the command of its manifest; None for a Cargo package.
    """
    return building.NOT_BUILT.at(
        _place(actor, build),
        f"`{actor.name}` is built by `{_command(build)}`, which Wasmind does not run",
        help=_HELP,
    )


def note_unbuilt(actor: ResolvedActor, build: CommandBuild | None) -> Diagnostic:
    """Say that nothing but the manifest is known about an actor; see `refuse_command`."""
    return building.UNKNOWN_UNTIL_BUILT.at(
        _place(actor, build),
        f"the contract of `{actor.name}` is unknown until `{_command(build)}` has built it",
        help=_HELP,
    )


def _command(build: CommandBuild | None) -> str:
    return " ".join(build.command if build else CARGO_COMMAND)


def _place(actor: ResolvedActor, build: CommandBuild | None) -> Span:
    if build is None:
        return actor.source.span()
    return actor.manifest.document.value(("build", "command"))
