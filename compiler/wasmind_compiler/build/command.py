"""Actors built by a program on this machine, such as `cargo component`.

The program comes from the actor's author and runs with the user's rights, so nothing is run until
the user allows it.
"""

from __future__ import annotations

from typing import Final

from wasmind_compiler.diagnostics import Diagnostic
from wasmind_compiler.diagnostics.rules import building
from wasmind_compiler.frontend.manifest import CommandBuild
from wasmind_compiler.resolution.graph import ResolvedActor
from wasmind_compiler.resolution.tree import Tree

CARGO_MANIFEST: Final = "Cargo.toml"
CARGO_COMMAND: Final = ("cargo", "component", "build", "--release")


def is_cargo(tree: Tree) -> bool:
    """Whether the folder is a Cargo package."""
    return any(entry.path == CARGO_MANIFEST for entry in tree.entries)


def refuse_command(actor: ResolvedActor, build: CommandBuild | None) -> Diagnostic:
    """Say which program would have to run, and what to do instead.

    Args:
        actor: the actor.
        build: the command of its manifest; None for a Cargo package.
    """
    command = " ".join(build.command if build else CARGO_COMMAND)
    if build is not None:
        span = actor.manifest.document.value(("build", "command"))
    else:
        span = actor.source.span()
    return building.BUILD_NOT_ALLOWED.at(
        span,
        f"`{actor.name}` is built by running `{command}`, which needs `--allow-build`",
        notes=("this version of Wasmind cannot run build commands",),
        help='run it yourself and set `[build] component = "….wasm"` in the manifest',
    )
