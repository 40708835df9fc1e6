"""Prebuilt components: a file beside the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wasmind_compiler.diagnostics import Diagnostic
from wasmind_compiler.diagnostics.rules import building
from wasmind_compiler.frontend.key_path import quoted
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.manifest import ComponentBuild
from wasmind_compiler.resolution.graph import ResolvedActor
from wasmind_compiler.resolution.tree import Tree

#: Far above any component, and below what would exhaust a machine.
_MOST_BYTES: Final = 512 * 1024 * 1024


def read_prebuilt(
    actor: ResolvedActor, build: ComponentBuild, folder: Path, tree: Tree
) -> bytes | Diagnostic:
    """The bytes of the component that a manifest names, or why there are none.

    The file may lie where the tree digest does not look, in `target/` for example: the lockfile
    pins components by a digest of their own.
    """
    if (content := tree.content(build.component)) is not None:
        return content
    document, key = actor.manifest.document, ("build", "component")
    if "\0" in build.component:
        message = f"no file can be called `{quoted(build.component)}`"
        return building.MISSING_ARTIFACT.at(document.value(key), message, help="correct the path")
    root = folder.resolve()
    path = (root / build.component).resolve()
    if not path.is_relative_to(root):
        message = f"`{build.component}` lies outside the actor's folder"
        return building.ARTIFACT_LEAVES_FOLDER.at(document.value(key), message)
    try:
        content = read_bounded(path, _MOST_BYTES)
    except FileNotFoundError:
        message = f"the component `{build.component}` does not exist"
        return building.MISSING_ARTIFACT.at(
            document.value(key), message, help="build it, or correct the path"
        )
    except OSError as error:
        message = f"the component `{build.component}` cannot be read: {error.strerror}"
        return building.MISSING_ARTIFACT.at(document.value(key), message)
    if len(content) > _MOST_BYTES:
        message = f"the component `{build.component}` is larger than {_MOST_BYTES // 2**20} MiB"
        return building.MISSING_ARTIFACT.at(document.value(key), message)
    return content
