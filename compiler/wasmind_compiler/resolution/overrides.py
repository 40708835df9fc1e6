"""What is wrong with overrides as such: they change nothing, or what cannot be changed."""

from __future__ import annotations

from wasmind_compiler.diagnostics import Applicability, Collector, Diagnostic, Fix, Label
from wasmind_compiler.diagnostics.rules import names, shape
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.key_path import dotted
from wasmind_compiler.frontend.sections import moved_section, renamed_key
from wasmind_compiler.resolution.walk import Walk


def report_overridden_actors(config: AppConfig, collector: Collector) -> None:
    """Report names that are own actors and overridden at once."""
    own = {entry.name: entry for entry in config.actors}
    for entry in config.overrides:
        if entry.name in own:
            message = f"`{entry.name}` is an own actor and cannot be overridden"
            labels = (Label(own[entry.name].header(), "defined here"),)
            help_line, fix = _moved_into(entry, entry.name, "always")
            collector.add(
                names.ACTOR_AND_OVERRIDE.at(
                    entry.header(), message, labels=labels, help=help_line, fix=fix
                )
            )


def _moved_into(
    entry: ActorEntry, actor: str, applicability: Applicability
) -> tuple[str, Fix | None]:
    """Help and fix for an override whose keys belong into an own actor's table."""
    target = ("actors", actor)
    title = f"move its keys into `[{dotted(target)}]`"
    return title, moved_section(entry.document, entry.path, target, title, applicability)


def report_missing_sources(walk: Walk, config: AppConfig, collector: Collector) -> None:
    """Report own actors without a source whose tables are about somebody else: about a dependency,
    and so an override, or about another own actor."""
    without = [entry for entry in config.actors if not entry.has_source]
    if not without:
        return
    owners = {entry.name: entry for entry in config.actors if entry.has_source}
    for found in walk.found.values():
        for dependency in found.manifest.dependencies:
            owners.setdefault(dependency.name, dependency)
    for entry in without:
        near = (entry.name,) if entry.name in owners else nearest(entry.name, owners)
        if len(near) == 1:
            collector.replace(shape.MISSING_KEY, _table_of(owners[near[0]], entry))


def _table_of(owner: ActorEntry, entry: ActorEntry) -> Diagnostic:
    """The table of an own actor without a source is about `owner`."""
    is_own = owner.section == "actors"
    target = ("actors" if is_own else "actor_overrides", owner.name)
    title = f"write `[{dotted(target)}]`"
    what = f"the {'actor' if is_own else 'dependency'} `{owner.name}` is declared here"
    sure: Applicability = "always" if entry.name == owner.name else "maybe"
    return shape.MISSING_KEY.at(
        entry.header(),
        f"missing key `source` in `{dotted(entry.path)}`",
        labels=(Label(owner.header(), what),),
        help=f"did you mean {'it' if is_own else 'to override it'}? {title}",
        fix=moved_section(entry.document, entry.path, target, title, sure),
    )


def report_lost_overrides(walk: Walk, config: AppConfig, collector: Collector) -> None:
    """Report tables at the top of a config that are called like a dependency."""
    document = config.document
    for name, found in walk.found.items():
        if found.is_own or not isinstance(document.data.get(name), dict):
            continue
        target = ("actor_overrides", name)
        title = f"write `[{dotted(target)}]`"
        better = shape.UNKNOWN_KEY.at(
            document.key((name,)),
            f"unknown key `{dotted((name,))}`",
            labels=(Label(found.entry.header(), "a dependency of this name is declared here"),),
            help=f"did you mean to override it? {title}",
            fix=moved_section(document, (name,), target, title),
        )
        collector.replace(shape.UNKNOWN_TABLE, better)


def report_overrides_of_nothing(walk: Walk, collector: Collector) -> None:
    """Report overrides of names that no manifest declares."""
    dependencies = {name: found for name, found in walk.found.items() if not found.is_own}
    for name, entry in walk.overrides.items():
        # A manifest that could not be read may declare anything, but hardly a near miss.
        if name not in walk.named and (walk.complete or nearest(name, dependencies)):
            _report(walk, list(dependencies), entry, collector)


def _report(walk: Walk, dependencies: list[str], entry: ActorEntry, collector: Collector) -> None:
    near = nearest(entry.name, dependencies)
    own = nearest(entry.name, [name for name, found in walk.found.items() if found.is_own])
    help_line, fix = advice(entry.name, dependencies, "dependencies"), None
    if not near and own:
        help_line, fix = _moved_into(entry, own[0], "maybe")
        help_line = f"`{own[0]}` is an own actor: {help_line}"
    if len(near) == 1:
        title = f"rename to `{near[0]}`"
        fix = renamed_key(entry.document, entry.path, near[0], title, applicability="always")
    notes = tuple(f"`{name}` is declared at: {walk.found[name].entry.header()}" for name in near)
    message = f"no manifest declares a dependency called `{entry.name}`"
    collector.add(
        names.OVERRIDE_OF_NOTHING.at(entry.header(), message, notes=notes, help=help_line, fix=fix)
    )
