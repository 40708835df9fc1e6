"""Actors' config tables against the schemas the actors publish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from wasmind_compiler.analysis.annotations import annotated, strings
from wasmind_compiler.analysis.contract import NO_SETTINGS
from wasmind_compiler.diagnostics import Collector, Diagnostic
from wasmind_compiler.diagnostics.rules import models, settings, shape
from wasmind_compiler.diagnostics.suggestions import advice
from wasmind_compiler.frontend.conformance import conforms
from wasmind_compiler.frontend.key_path import dotted
from wasmind_compiler.resolution.graph import ResolvedActor


def check_settings(actor: ResolvedActor, schema: Mapping[str, Any], collector: Collector) -> None:
    """Report settings the schema refuses or misses, each at the file its value came from."""
    report_misplaced(actor, schema, collector)
    merged = actor.config.merged
    if schema == NO_SETTINGS and merged:
        message = f"`{actor.name}` takes no config"
        collector.add(
            settings.TAKES_NO_CONFIG.at(actor.config.header(()), message, help="remove it")
        )
    elif not conforms(merged, schema, schema):
        collector.extend(_explained(actor, merged, schema))


def report_misplaced(actor: ResolvedActor, schema: Mapping[str, Any], collector: Collector) -> None:
    """Report keys beside `source` that the actor knows as settings, instead of as unknown keys."""
    known: Mapping[str, Any] = schema.get("properties", {})
    for entry in actor.entries:
        for key in entry.misplaced:
            if key in known:
                from wasmind_compiler.frontend.rewriting import move_into

                where = dotted((*entry.path, "config"))
                found = shape.MISPLACED_KEY.at(
                    entry.key(key),
                    f"`{key}` in `{dotted(entry.path)}` belongs in `config`",
                    label="has no effect here",
                    help=f"move it into `[{where}]`",
                    fix=move_into(entry.document, (*entry.path, key), "config"),
                )
                collector.replace(shape.UNKNOWN_KEY, found)


def check_models(
    actor: ResolvedActor, schema: Mapping[str, Any], known: frozenset[str], collector: Collector
) -> None:
    """Report settings that name a model the config does not have."""
    for found in annotated(actor.config.merged, schema):
        if found.kind != "model":
            continue
        for path, name in strings(found):
            if name not in known:
                help_line = advice(name, known, "models") or f"add a table `[models.{name}]`"
                message = f"unknown model `{name}` in the config of `{actor.name}`"
                collector.add(
                    models.UNKNOWN_MODEL.at(actor.config.value(path), message, help=help_line)
                )


def _explained(
    actor: ResolvedActor, merged: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    # The explaining half is imported for configs with findings only.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    from wasmind_compiler.frontend.findings import config_rules, explain

    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        message = f"the config schema of `{actor.name}` is invalid: {error.message}"
        yield settings.BAD_SCHEMA.at(actor.source.span(), message)
        return
    for found in explain(dict(merged), schema, actor.config, config_rules(actor.name)):
        missing = found.code == settings.MISSING_SETTING.code
        yield replace(found, notes=(*found.notes, _where_to_set(actor))) if missing else found


def _where_to_set(actor: ResolvedActor) -> str:
    section = "actor_overrides" if actor.is_dependency else "actors"
    return f"set it in `[{dotted((section, actor.name, 'config'))}]`"
