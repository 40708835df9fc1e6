"""Settings by what they mean: models that exist, templates that parse, permissions given."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.analysis.annotations import Annotated, annotated, strings
from wasmind_compiler.analysis.models import ANY, has_endpoint
from wasmind_compiler.analysis.settings import attempted, section_fix
from wasmind_compiler.diagnostics import Collector, Diagnostic, Edit, Fix, Label, Span
from wasmind_compiler.diagnostics.rules import models, settings
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.key_path import KeyPath, dotted, quoted
from wasmind_compiler.frontend.sections import added_element, added_keys
from wasmind_compiler.resolution.graph import Resolution, ResolvedActor

#: Text without any of these is a template of itself.
_MARKS: Final = re.compile(r"\{[{%#]")
_MOST_LISTED: Final = 6


def check_meanings(
    actor: ResolvedActor,
    schema: Mapping[str, Any],
    resolution: Resolution,
    known_models: Collection[str] | None,
    collector: Collector,
    variables: Mapping[str, str],
) -> None:
    """Report settings that have the right type but cannot mean what they should.

    Args:
        actor: the actor.
        schema: of its config table, with annotations.
        resolution: the system.
        known_models: every model that actors may name; None if any name may be one.
        collector: takes the findings.
        variables: the environment.
    """
    meant = list(annotated(actor.config.merged, schema))
    own_endpoint = has_endpoint(actor)
    if own_endpoint and any(found.kind == "model" for found in meant):
        collector.extend(_bad_base_url(actor))
    for found in meant:
        if found.kind == "model":
            if not own_endpoint and known_models is not None:
                collector.extend(
                    _unknown_models(actor, found, resolution.config, known_models, variables)
                )
        elif found.kind == "template":
            collector.extend(_bad_templates(actor, found))
        elif (
            found.kind == "permission"
            and _is_default(actor, found)
            # Whoever gave it in the wrong place has been told so, unless that is forgiven.
            and (collector.lenient or not _is_attempted(actor, found, schema, resolution))
        ):
            collector.add(_permissive_default(actor, found, resolution))


def _bad_base_url(actor: ResolvedActor) -> Iterator[Diagnostic]:
    base = actor.config.merged["base_url"]
    if isinstance(base, str):
        # Loaded for actors with an endpoint of their own only.
        from wasmind.base_urls import faults
        from wasmind_compiler.analysis.model_findings import bad_base_url

        for fault in faults(base):
            yield bad_base_url(actor.config.value(("base_url",)), base, fault)


def _unknown_models(
    actor: ResolvedActor,
    found: Annotated,
    config: AppConfig,
    known: Collection[str],
    variables: Mapping[str, str],
) -> Iterator[Diagnostic]:
    for path, name in strings(found):
        if name in known:
            continue
        span, near = actor.config.value(path), nearest(name, known)
        behind = [x.name.text for x in config.proxied_models if x.parameters.get("model") == name]
        notes = tuple(f"`{name}` is what stands behind the model `{each}`" for each in behind)
        if "/" in name:
            # Loaded for names that may begin with a provider only.
            from wasmind_compiler.analysis.model_findings import implicit

            if answered := list(implicit(name, span, actor.name, config, variables)):
                yield answered[0]._replace(notes=notes)
                yield from answered[1:]
                continue
        if ANY in known:
            continue
        if not near and {"models", "litellm"} & config.doubtful:
            continue
        fix = _new_model(config, name)
        if len(near) == 1:
            edit = Edit(span, quoted(near[0]))
            fix = Fix(title=f"write `{near[0]}`", edits=(edit,), applicability="always")
        yield models.UNKNOWN_MODEL.at(
            span,
            f"unknown model `{name}` in the config of `{actor.name}`",
            labels=tuple(_model_labels(config, near)),
            notes=notes,
            help=(advice(name, known, "models") if near else None) or _four_ways(name, known, fix),
            fix=fix,
        )


def _four_ways(name: str, known: Collection[str], fix: Fix | None) -> str:
    """How a name comes to mean a model."""
    added = fix.edits[0].replacement.strip() if fix is not None else "[models.NAME]"
    listed = ", ".join(f"`{each}`" for each in sorted(known)[:_MOST_LISTED])
    more = " and others" if len(known) > _MOST_LISTED else ""
    declared = f"the config declares {listed}{more}; " if known else ""
    return (
        f"{declared}declare it, for example:\n{added}\n"
        f"or name a provider, like `ollama/{name}`; "
        'or let one answer for all other names: `[models."*"]`'
    )


def _new_model(config: AppConfig, name: str) -> Fix | None:
    """A model of that name, to be completed by the user."""
    if "litellm" in config.document.data:
        array = ("litellm", "models")
        lines = [f"model_name = {quoted(name)}", 'litellm_params = { model = "PROVIDER/MODEL" }']
        title = f"add a `[[{dotted(array)}]]` with `{lines[0]}`"
        return added_element(config.document, array, lines, title)
    table, lines = ("models", name), ['kind = "ollama"']
    return added_keys(config.document, table, lines, f"add a table `[{dotted(table)}]`")


def _model_labels(config: AppConfig, names: Collection[str]) -> Iterator[Label]:
    for model in config.models:
        if model.name.text in names:
            yield Label(model.name.document.key(model.name.path), "this model")
    for proxied in config.proxied_models:
        if proxied.name.text in names:
            yield Label(proxied.name.span(), "this model")


def _bad_templates(actor: ResolvedActor, found: Annotated) -> Iterator[Diagnostic]:
    for path, text in strings(found):
        if not _MARKS.search(text):
            continue
        # Imported for configs with templates only.
        from wasmind_compiler.analysis.templates import faults

        for fault in faults(text):
            yield settings.BAD_TEMPLATE.at(
                _line_span(actor, path, text, fault.line),
                f"`{dotted(path)}` in the config of `{actor.name}` is not a template:"
                f" {fault.message}",
                help=fault.help,
            )


def _line_span(actor: ResolvedActor, path: KeyPath, text: str, line: int) -> Span:
    """The line of a template that is at fault, without the blanks around it."""
    origin = actor.config.origin(path)
    if origin is None:
        return actor.config.value(path)
    document, full = origin
    lines = text.split("\n")
    line = min(line, len(lines))
    content = lines[line - 1]
    start = sum(len(each) + 1 for each in lines[: line - 1])
    blanks = len(content) - len(content.lstrip())
    return document.inside(full, start + blanks, start + len(content.rstrip()))


def _is_default(actor: ResolvedActor, found: Annotated) -> bool:
    return found.value is True and actor.config.origin(found.path) is None


def _is_attempted(
    actor: ResolvedActor, found: Annotated, schema: Mapping[str, Any], resolution: Resolution
) -> bool:
    unknown = actor.config.merged.keys() - schema.get("properties", {}).keys()
    given = attempted(actor, resolution, found.path[:1], unknown)
    return len(found.path) == 1 and found.path[0] in given


def _permissive_default(
    actor: ResolvedActor, found: Annotated, resolution: Resolution
) -> Diagnostic:
    setting, table = dotted(found.path), resolution.users_table(actor.name)
    labels: tuple[Label, ...] = ()
    if table.name != actor.name:
        labels = (Label(actor.entries[0].header(), "declared here, without it"),)
    fix = section_fix(actor, table, [f"{setting} = false"]) if len(found.path) == 1 else None
    return settings.PERMISSIVE_DEFAULT.at(
        table.header(),
        f"nobody sets `{setting}` of `{actor.name}`, so it is `true`",
        labels=labels,
        help=f"set it to `true` or `false` in the config of `{actor.name}`",
        fix=fix,
    )
