"""Builds actors, each folder once, and reports what keeps one from being built."""

from __future__ import annotations

import contextlib
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from wasmind_compiler.analysis.contract import ContractError, read_described, read_json, read_tables
from wasmind_compiler.build.actor_files import ActorFiles
from wasmind_compiler.build.artifact import Artifact
from wasmind_compiler.build.command import is_cargo, note_unbuilt, refuse_command
from wasmind_compiler.build.component import read_prebuilt
from wasmind_compiler.build.errors import GuestError
from wasmind_compiler.build.python import ModuleError, PythonBuilder, is_python
from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.rules import (
    building,
    contracts,
    files,
    graph,
    settings,
    shape,
    sources,
)
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.manifest import FILE_NAME, CommandBuild, ComponentBuild
from wasmind_compiler.resolution.graph import ResolvedActor
from wasmind_compiler.resolution.provider import Identity
from wasmind_compiler.resolution.tree import (
    LinkLeavesTreeError,
    Tree,
    TreeTooLargeError,
    read_tree,
)

#: The same as in the manifest's schema: providers refuse requests with other names.
_TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _RefusedError(Exception):
    """An actor that cannot be built, on its way to the collector.

    `diagnostic` is None where that has been reported.
    """

    def __init__(self, diagnostic: Diagnostic | None) -> None:
        super().__init__(diagnostic and diagnostic.message)
        self.diagnostic = diagnostic


class Builder:
    """Turns resolved actors into artifacts.

    Args:
        python: builds Python actors.
        offered: names of the interfaces the host offers.
        display: names of files as shown to people.
        collector: takes what is wrong with actors.
        needs_components: an actor whose component has yet to be built is an error, not a note.
    """

    def __init__(
        self,
        python: PythonBuilder,
        offered: Callable[[], Iterable[str]],
        display: Display,
        collector: Collector,
        *,
        needs_components: bool,
    ) -> None:
        self._python = python
        self._needs_components = needs_components
        self._offered = offered
        self._display = display
        self._collector = collector
        self._built: dict[Identity, Artifact | None] = {}
        self._trees: dict[Identity, Tree] = {}

    def start(self, actors: Iterable[tuple[ResolvedActor, Path, Tree | None]]) -> None:
        """Begin with what takes time: Python actors that are not in the cache, side by side.

        Args:
            actors: with their folders, and what is in them if that is known already. What is wrong
                with one is reported by `build`.

        Raises:
            InterpreterError: Python actors cannot be built on this machine.
        """
        found = []
        for actor, folder, tree in actors:
            if tree is not None:
                self._trees[actor.identity] = tree
            if actor.manifest.build is None:
                with contextlib.suppress(_RefusedError):
                    tree = self._trees[actor.identity] = self._tree(actor, folder)
                    if is_python(tree):
                        found.append((tree, actor.name))
        self._python.start(found)

    def close(self) -> None:
        """End what has begun and nobody waits for."""
        self._python.close()

    def build(self, actor: ResolvedActor, folder: Path) -> Artifact | None:
        """The artifact of an actor; None if it cannot be built, which has been reported.

        Raises:
            InterpreterError: Python actors cannot be built on this machine.
        """
        if actor.identity not in self._built:
            try:
                self._built[actor.identity] = self._build(actor, folder)
            except _RefusedError as refused:
                if refused.diagnostic is not None:
                    self._collector.add(refused.diagnostic)
                self._built[actor.identity] = None
        return self._built[actor.identity]

    def _build(self, actor: ResolvedActor, folder: Path) -> Artifact:
        tree = self._tree(actor, folder)
        build = actor.manifest.build
        if isinstance(build, ComponentBuild):
            return self._component(actor, build, folder, tree)
        if isinstance(build, CommandBuild):
            return self._unbuilt(actor, build, tree)
        if is_python(tree):
            return self._python_actor(actor, folder, tree)
        if is_cargo(tree):
            return self._unbuilt(actor, None, tree)
        raise _RefusedError(
            building.NOTHING_TO_BUILD.at(
                actor.source.span(),
                f"there is nothing to run in the folder of `{actor.name}`",
                help="add an `actor.py`, or a `[build]` table to its manifest",
            )
        )

    def _unbuilt(self, actor: ResolvedActor, build: CommandBuild | None, tree: Tree) -> Artifact:
        """What is known of an actor without its component."""
        if self._needs_components:
            raise _RefusedError(refuse_command(actor, build))
        self._collector.add(note_unbuilt(actor, build))
        contract = read_tables(
            actor.manifest.contract or {}, settings=self._schema_file(actor, tree)
        )
        return Artifact(tree=tree, contract=contract, is_built=False)

    def _tree(self, actor: ResolvedActor, folder: Path) -> Tree:
        return self._trees.get(actor.identity) or self._read_unchanged(actor, folder)

    def _read_unchanged(self, actor: ResolvedActor, folder: Path) -> Tree:
        """The folder, provided that its manifest is the one that was judged."""
        tree, judged = self._read(actor, folder), actor.manifest.document.index
        found = (tree.content(FILE_NAME) or b"").removeprefix(BOM_UTF8)
        if found == judged.text.encode():
            return tree
        message = f"`{judged.file}` was changed while it was read"
        raise _RefusedError(files.UNREADABLE.at(actor.source.span(), message, help="try again"))

    def _read(self, actor: ResolvedActor, folder: Path) -> Tree:
        try:
            return read_tree(folder)
        except LinkLeavesTreeError as error:
            message = f"{error}, which leads out of the folder of `{actor.name}`"
            raise _RefusedError(
                sources.LINK_LEAVES_FOLDER.at(actor.source.span(), message)
            ) from error
        except TreeTooLargeError as error:
            message = f"the folder of `{actor.name}` is too large: {error}"
            notes = (f"reading stopped in: {self._display(folder / error.path)}",)
            help_line = "move what is not part of the actor out of its folder"
            raise _RefusedError(
                graph.TREE_TOO_LARGE.at(actor.source.span(), message, notes=notes, help=help_line)
            ) from error
        except OSError as error:
            shown = self._display(Path(error.filename)) if error.filename else "the folder"
            message = f"cannot read `{shown}`: {error.strerror}"
            raise _RefusedError(files.UNREADABLE.at(actor.source.span(), message)) from error

    def _component(
        self, actor: ResolvedActor, build: ComponentBuild, folder: Path, tree: Tree
    ) -> Artifact:
        # Systems of Python actors only never need the reader of components.
        from wasmind_compiler.analysis.interfaces import (
            capabilities_of,
            examine_component,
            reaches_files,
        )

        content = read_prebuilt(actor, build, folder, tree)
        if isinstance(content, Diagnostic):
            raise _RefusedError(content)
        found = examine_component(content, actor.name, actor.source.span, self._offered)
        if isinstance(found, Diagnostic):
            raise _RefusedError(found)
        self._collector.extend(found.problems)
        imported = capabilities_of(found.imports)
        schema = self._schema_file(actor, tree)
        contract = read_tables(
            actor.manifest.contract or {},
            settings=schema,
            capabilities=imported,
        )
        optional = ("filesystem",) if reaches_files(found.imports) else ()
        return Artifact(
            tree=tree,
            component=content,
            imported=imported,
            optional=optional,
            opens_files=found.opens_files,
            contract=contract,
        )

    def _schema_file(self, actor: ResolvedActor, tree: Tree) -> Mapping[str, Any] | None:
        name = actor.manifest.config_schema
        if name is None:
            return None
        content = tree.content(name)
        reason = "does not exist" if content is None else "is not a JSON object"
        try:
            schema = read_json(content) if content is not None else None
        except json.JSONDecodeError:
            schema = None
        except ValueError as error:
            schema, reason = None, f"cannot be read: {error}"
        if isinstance(schema, dict):
            return schema
        self._collector.add(
            settings.BAD_SCHEMA.at(
                actor.manifest.document.value(("config_schema",)),
                f"the config schema `{name}` {reason}",
            )
        )
        return None

    def _python_actor(self, actor: ResolvedActor, folder: Path, tree: Tree) -> Artifact:
        self._report_ignored(actor)
        files = self._files(actor, folder, tree)
        try:
            modules, described = self._python.build(tree, actor.name)
            contract, findings = read_described(described)
        except ModuleError as error:
            raise _RefusedError(_syntax_error(error, files)) from error
        except GuestError as error:
            message = f"`{actor.name}` cannot be loaded"
            notes = (error.text.strip(),)
            raise _RefusedError(
                building.DESCRIBE_FAILED.at(actor.source.span(), message, notes=notes)
            ) from error
        except ContractError as error:
            message = f"the contract of `{actor.name}` cannot be read: {error}"
            raise _RefusedError(contracts.BAD_CONTRACT.at(actor.source.span(), message)) from error
        if findings:
            # Loaded only for what is wrong.
            from wasmind_compiler.build.code_findings import explain

            self._collector.extend(explain(findings, actor, files))
        if contract is None:
            raise _RefusedError(None)
        if any(_TOOL_NAME.fullmatch(tool.name) is None for tool in contract.tools or ()):
            from wasmind_compiler.build.code_findings import bad_tool_names

            self._collector.extend(bad_tool_names(contract.tools or (), _TOOL_NAME, actor, files))
        return Artifact(tree=tree, modules=modules, contract=contract, files=files)

    def _files(self, actor: ResolvedActor, folder: Path, tree: Tree) -> ActorFiles:
        origin = actor.identity.origin

        def shown(path: str) -> str:
            return self._display(folder / path) if origin is None else origin.file(path)

        return ActorFiles(tree, shown, self._collector.opened)

    def _report_ignored(self, actor: ResolvedActor) -> None:
        """What a manifest says about a Python actor that the actor says itself."""
        document = actor.manifest.document
        for key in ("contract", "config_schema"):
            if key in document.data:
                message = f"`{key}` has no effect for a Python actor, which describes itself"
                span = document.header((key,))
                self._collector.add(shape.IGNORED_KEY.at(span, message, help="remove it"))


def _syntax_error(error: ModuleError, files: ActorFiles) -> Diagnostic:
    index = files.text(error.path)
    # Imported for modules that do not compile only.
    from wasmind_compiler.frontend.conflicts import python_conflict

    if (conflict := python_conflict(index)) is not None:
        return conflict
    start = index.offset(error.line or 1, error.column or 1)
    message = f"Python: {error.message}"
    return building.PYTHON_SYNTAX.at(index.span(start, start + 1), message)
