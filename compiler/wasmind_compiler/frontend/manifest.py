"""The manifest of an actor, `Wasmind.toml`, as typed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import shape
from wasmind_compiler.frontend.actor_entry import ActorEntry, Grant, read_entries, read_grants
from wasmind_compiler.frontend.actor_id import check_actor_id
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.references import check_references
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.tables import Name, Table

FILE_NAME: Final = "Wasmind.toml"


class ComponentBuild(Record):
    """A component that is already built."""

    component: str


class CommandBuild(Record):
    """A program that builds the component and leaves it at `output`."""

    command: tuple[str, ...]
    output: str


Build = ComponentBuild | CommandBuild


class Manifest(Record):
    """A whole manifest. `build` is None when it has to be detected.

    `contract` is the `[contract]` table as written; `config_schema` names a JSON file beside the
    manifest. `complete` says that no dependency is hidden by a mistake that has been reported.
    """

    document: Document
    actor_id: str
    version: str | None
    display_name: str | None
    description: str | None
    required_spawn_with: tuple[Name, ...]
    dependencies: tuple[ActorEntry, ...]
    build: Build | None
    capabilities: tuple[Grant, ...] | None
    contract: Mapping[str, Any] | None
    config_schema: str | None
    complete: bool = True


def read_manifest(document: Document, schemas: Schemas, collector: Collector) -> Manifest:
    """Check a manifest against its schema and read it; faulty parts are reported and left out."""
    conforms = schemas.check(document, "manifest", collector)
    root = Table(document, (), document.data)
    _report_ignored(root, collector)
    check_actor_id(document, collector)
    manifest = Manifest(
        document=document,
        actor_id=root.string("actor_id") or "",
        version=root.string("version"),
        display_name=root.string("display_name"),
        description=root.string("description"),
        required_spawn_with=root.names("required_spawn_with") or (),
        dependencies=read_entries(root, "dependencies"),
        build=_build(root.table("build")),
        capabilities=read_grants(root.table("capabilities")),
        # Read without further checks, so only what the schema has accepted.
        contract=root.mapping("contract") if conforms else None,
        config_schema=root.string("config_schema"),
        complete=conforms or collector.lenient or not _hides_dependencies(document),
    )
    check_references(manifest.dependencies, collector)
    return manifest


def _hides_dependencies(document: Document) -> bool:
    # Loaded only for manifests with findings.
    from wasmind_compiler.frontend.top_level import hides

    called_actors = "actors" in document.data and "dependencies" not in document.data
    return called_actors or hides(document, "dependencies")


def _build(table: Table | None) -> Build | None:
    if table is None:
        return None
    if (component := table.string("component")) is not None:
        return ComponentBuild(component)
    command, output = table.names("command"), table.string("output")
    if command is not None and output is not None:
        return CommandBuild(tuple(word.text for word in command), output)
    return None


def _report_ignored(root: Table, collector: Collector) -> None:
    key = "system_prompt_contributions"
    if key in root:
        span = root.document.header((key,))
        message = f"`{key}` has no effect"
        advice = "contribute to the prompt by a `SystemPromptContribution` message"
        collector.add(shape.IGNORED_KEY.at(span, message, help=advice))
