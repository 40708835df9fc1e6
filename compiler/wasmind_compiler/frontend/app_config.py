"""The app config as typed tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from wasmind.records import Record
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.actor_entry import ActorEntry, read_entries
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.references import check_references
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.tables import Name, Table


class ModelEntry(Record):
    """A `[models.NAME]` table: `kind` says what `settings` means."""

    name: Name
    kind: str
    settings: Mapping[str, Any]


class ProxiedModel(Record):
    """A `[[litellm.models]]` table."""

    name: Name
    parameters: Mapping[str, Any]


class AppConfig(Record):
    """A whole config; `run` and `tui` are the tables of these names.

    Attributes:
        doubtful: sections and keys that are misspelled or of another type, so that what is missing
            from them may only be misplaced. That has been reported.
    """

    document: Document
    name: str
    starting_actors: tuple[Name, ...] | None
    actors: tuple[ActorEntry, ...]
    overrides: tuple[ActorEntry, ...]
    models: tuple[ModelEntry, ...]
    proxied_models: tuple[ProxiedModel, ...]
    run: Table | None
    tui: Table | None
    doubtful: frozenset[str]


def read_app_config(document: Document, schemas: Schemas, collector: Collector) -> AppConfig:
    """Check a config against its schema and read it; faulty parts are reported and left out."""
    schemas.check(document, "app", collector)
    root = Table(document, (), document.data)
    config = AppConfig(
        document=document,
        name=root.string("name") or PurePath(document.file).stem,
        starting_actors=root.names("starting_actors"),
        actors=read_entries(root, "actors"),
        overrides=read_entries(root, "actor_overrides"),
        models=tuple(_models(root)),
        proxied_models=tuple(_proxied_models(root)),
        run=root.table("run"),
        tui=root.table("tui"),
        doubtful=_doubtful(document, collector),
    )
    check_references((*config.actors, *config.overrides), collector)
    return config


def _doubtful(document: Document, collector: Collector) -> frozenset[str]:
    # Only what has been reported as an error may keep others from being reported.
    if collector.lenient or not collector.failed:
        return frozenset()
    # Loaded only for configs with findings.
    from wasmind_compiler.frontend.top_level import doubtful

    return doubtful(document)


def _models(root: Table) -> list[ModelEntry]:
    found = []
    for name, table in root.tables("models"):
        kind = table.string("kind")
        if kind is not None:
            settings = {key: value for key, value in table.values.items() if key != "kind"}
            placed = Name(name, table.document, table.path)
            found.append(ModelEntry(name=placed, kind=kind, settings=settings))
    return found


def _proxied_models(root: Table) -> list[ProxiedModel]:
    litellm = root.table("litellm")
    entries = litellm.values.get("models") if litellm is not None else None
    if litellm is None or not isinstance(entries, list):
        return []
    found = []
    for index, entry in enumerate(entries):
        name = entry.get("model_name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            placed = Name(name, root.document, (*litellm.path, "models", index, "model_name"))
            given = entry.get("litellm_params")
            parameters = given if isinstance(given, dict) else {}
            found.append(ProxiedModel(name=placed, parameters=parameters))
    return found
