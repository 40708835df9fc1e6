"""Actors' config tables against the schemas the actors publish."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.analysis.contract import NO_SETTINGS
from wasmind_compiler.diagnostics import Collector, Diagnostic, Fix, Label, Span
from wasmind_compiler.diagnostics.rules import names, settings, shape
from wasmind_compiler.diagnostics.suggestions import nearest, related, together
from wasmind_compiler.frontend.actor_entry import ENTRY_KEYS, ActorEntry
from wasmind_compiler.frontend.conformance import conforms, target_of
from wasmind_compiler.frontend.key_path import KeyPath, dotted
from wasmind_compiler.frontend.sections import added_keys, literal
from wasmind_compiler.resolution.found import way
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor
from wasmind_compiler.resolution.layers import LayeredTable

_EMPTY_VALUES: Final[Mapping[str, Any]] = {
    "string": "",
    "boolean": False,
    "integer": 0,
    "number": 0,
    "array": [],
    "object": {},
}


def check_settings(
    actor: ResolvedActor,
    schema: Mapping[str, Any],
    resolution: Resolution,
    models: Collection[str],
    collector: Collector,
) -> None:
    """Report settings the schema refuses or misses, each at the file its value came from.

    Args:
        actor: the actor.
        schema: of its config table.
        resolution: the system, for the user's table that is closest to the actor.
        models: names to propose for a missing model.
        collector: takes the findings.
    """
    report_misplaced(actor, schema, collector)
    merged = actor.config.merged
    if schema == NO_SETTINGS and merged:
        message = f"`{actor.name}` takes no config"
        collector.add(
            settings.TAKES_NO_CONFIG.at(actor.config.header(()), message, help="remove it")
        )
    elif not _certainly_conforms(merged, schema):
        explained = list(_explained(actor, schema, resolution))
        if [found.code for found in explained] == [settings.BAD_SCHEMA.code]:
            collector.extend(explained)
            return
        for found in explained:
            # A list of who starts that got into the settings has been reported as such.
            if not collector.has(names.NOTHING_TO_START, found.span):
                collector.add(_moved_out(found, actor))
        if missing := _missing_keys(actor, schema, resolution, collector):
            collector.add(_missing(actor, missing, schema, resolution, models))


def _certainly_conforms(merged: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    try:
        return conforms(merged, schema, schema)
    except (AttributeError, KeyError, TypeError, ValueError, re.error):
        # The schema is the actor's and may be none; what explains findings says so.
        return False


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


def doubt_misplaced(resolution: Resolution, known: Collection[str], collector: Collector) -> None:
    """Leave open what unknown keys beside `source` mean as long as nobody knows the actor.

    `limit` looks like `limits`, and may well be a setting that belongs in `config`.

    Args:
        resolution: the system.
        known: names of the actors that were found and could be built.
        collector: has the findings about those keys.
    """
    config = resolution.config
    manifests = (actor.manifest for actor in resolution.actors.values())
    depended = (entry for manifest in manifests for entry in manifest.dependencies)
    for entry in (*config.actors, *config.overrides, *depended):
        if entry.name not in known:
            for key in entry.misplaced:
                if nearest(key, ENTRY_KEYS[entry.section] - {"source"}):
                    collector.doubt(shape.UNKNOWN_KEY, entry.key(key))


def _moved_out(found: Diagnostic, actor: ResolvedActor) -> Diagnostic:
    """The same about a setting that is a key of the actor's table, with where it belongs."""
    if found.code != settings.UNKNOWN_SETTING.code:
        return found
    for entry in actor.entries:
        for key in ENTRY_KEYS[entry.section] & (entry.config or {}).keys():
            if entry.key("config", key) == found.span:
                from wasmind_compiler.frontend.rewriting import move_to

                where = dotted(entry.path)
                fix = move_to(entry.document, (*entry.path, "config", key), entry.path)
                help_line = f"it is a key of `[{where}]`, above `[{where}.config]`"
                return found._replace(help=help_line, fix=fix)
    return found


class _UsersView:
    """A locator that names missing things where the user can add them.

    What a dependency lacks is not reported in the manifest that declares it: that is somebody
    else's file. Values and keys stay where they were written.
    """

    def __init__(self, config: LayeredTable, table: ActorEntry) -> None:
        self._config = config
        self._table = table

    def value(self, path: KeyPath) -> Span:
        return self._config.value(path)

    def key(self, path: KeyPath) -> Span:
        return self._config.key(path)

    def header(self, path: KeyPath) -> Span:
        origin = self._config.origin(path)
        if origin is not None and origin[0] is self._table.document:
            return self._config.header(path)
        return self._table.header()


def _explained(
    actor: ResolvedActor,
    schema: Mapping[str, Any],
    resolution: Resolution,
) -> Iterator[Diagnostic]:
    # The explaining half is imported for configs with findings only.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    from wasmind_compiler.frontend.findings import UnusableSchemaError, config_rules, explain

    # Missing keys of the whole table are reported together, with one section to add.
    without = {keyword: value for keyword, value in schema.items() if keyword != "required"}
    view = _UsersView(actor.config, resolution.users_table(actor.name))
    try:
        Draft202012Validator.check_schema(dict(schema))
        yield from explain(dict(actor.config.merged), without, view, config_rules(actor.name))
    except (SchemaError, UnusableSchemaError, RecursionError) as error:
        reason = error.message if isinstance(error, SchemaError) else error
        message = f"the config schema of `{actor.name}` is invalid: {reason}"
        yield settings.BAD_SCHEMA.at(actor.source.span(), message)


def _missing_keys(
    actor: ResolvedActor, schema: Mapping[str, Any], resolution: Resolution, collector: Collector
) -> list[str]:
    """The settings of the whole table that nobody gives, not even in the wrong place."""
    merged, required = actor.config.merged, schema.get("required", ())
    missing = [key for key in required if key not in merged] if isinstance(required, list) else []
    # Only what has been reported as an error may keep others from being reported.
    if collector.lenient or not collector.failed:
        return missing
    tried = attempted(actor, resolution, missing, merged.keys() - schema.get("properties", {}))
    return [key for key in missing if key not in tried]


def _missing(
    actor: ResolvedActor,
    keys: list[str],
    schema: Mapping[str, Any],
    resolution: Resolution,
    models: Collection[str],
) -> Diagnostic:
    table = resolution.users_table(actor.name)
    properties = schema.get("properties", {})
    described = {key: _dereferenced(properties.get(key), schema) for key in keys}
    named = together([f"`{key}`" for key in keys])
    labels, notes = [], []
    if actor.is_dependency:
        labels.append(Label(actor.entries[0].header(), "declared here, without it"))
        notes.append("needed by:\n" + way(resolution.route(actor.name)))
    for key, each in described.items():
        if text := each.get("description"):
            notes.append(f"`{key}`: {text}")
    own = table.name == actor.name
    lines = [f"{dotted((key,))} = {_proposed(each, models)}" for key, each in described.items()]
    fix = section_fix(actor, table, lines)
    section = dotted((users_section(actor), actor.name, "config"))
    return settings.MISSING_SETTING.at(
        _users_span(table) if own else table.header(),
        f"missing key{'s' if len(keys) > 1 else ''} {named} in the config of `{actor.name}`",
        label="" if own else f"leads to `{actor.name}`",
        labels=tuple(labels),
        notes=tuple(notes),
        help=f"add to the config:\n[{section}]\n" + "\n".join(lines),
        fix=fix,
    )


def attempted(
    actor: ResolvedActor,
    resolution: Resolution,
    missing: Collection[object],
    unknown: Iterable[str] = (),
) -> frozenset[object]:
    """Which missing settings somebody did give, but in the wrong place or misspelled.

    That is reported where it was done; that a setting is missing only follows from it.

    Args:
        actor: the actor.
        resolution: the system.
        missing: the settings nobody gives.
        unknown: settings that are given and that the actor does not know.
    """
    if any(_has_broken_config(entry) for entry in actor.entries) or _has_lost_table(
        actor.name, resolution
    ):
        return frozenset(missing)
    beside = {key for entry in actor.entries for key in entry.misplaced}
    keys = [str(key) for key in missing]
    meant = {near for key in unknown for near in nearest(key, keys) or related(key, keys)}
    return frozenset(key for key in missing if key in beside or key in meant)


def _has_lost_table(name: str, resolution: Resolution) -> bool:
    """Whether the config has a table about an actor under another name or in another place."""
    from wasmind_compiler.frontend.top_level import is_misplaced

    config = resolution.config
    return (
        "actor_overrides" in config.doubtful
        or isinstance(config.document.at((name,)), dict)
        or is_misplaced(config.document, name)
        or any(
            not entry.has_source and nearest(entry.name, [name])
            for entry in config.actors
            if entry.name != name
        )
        or any(
            entry.name not in resolution.named and nearest(entry.name, [name])
            for entry in config.overrides
        )
    )


def _has_broken_config(entry: ActorEntry) -> bool:
    """Whether a table has settings that could not be read: of another type, or misspelled."""
    if not entry.is_readable:
        return True
    if not entry.misplaced:
        return False
    from wasmind_compiler.frontend.hints import is_config

    return any(is_config(key) or nearest(key, ["config"]) for key in entry.misplaced)


def users_section(actor: ResolvedActor) -> str:
    """The table of the config that settings of an actor belong into."""
    return "actor_overrides" if actor.is_dependency else "actors"


def section_fix(actor: ResolvedActor, table: ActorEntry, lines: list[str]) -> Fix | None:
    """Lines added to the user's settings of an actor.

    Args:
        actor: the actor.
        table: a table of the config, the user's closest to the actor.
        lines: `key = value` each.
    """
    path = (users_section(actor), actor.name, "config")
    return added_keys(table.document, path, lines, f"add to `[{dotted(path)}]`")


def _users_span(table: ActorEntry) -> Span:
    if table.config is not None:
        return table.document.header((*table.path, "config"))
    return table.header()


def _proposed(described: Mapping[str, Any], models: Collection[str]) -> str:
    """A value to start from."""
    kind = described.get("x-wasmind")
    if kind == "model" and models:
        return literal(min(models))
    if "default" in described and described["default"] is not None:
        return literal(described["default"])
    if described.get("enum"):
        return literal(described["enum"][0])
    if "minimum" in described:
        return literal(described["minimum"])
    return literal(_EMPTY_VALUES.get(str(described.get("type")), ""))


def _dereferenced(described: Any, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(described, dict) and "$ref" in described:
        described = target_of(str(described["$ref"]), schema)
    return described if isinstance(described, dict) else {}
