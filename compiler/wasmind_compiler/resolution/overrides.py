"""What is wrong with overrides as such: they change nothing, or what cannot be changed."""

from __future__ import annotations

from wasmind_compiler.diagnostics import Collector, Label
from wasmind_compiler.diagnostics.rules import names
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.frontend.key_path import dotted
from wasmind_compiler.frontend.sections import renamed_key
from wasmind_compiler.resolution.walk import Walk


def report_overridden_actors(config: AppConfig, collector: Collector) -> None:
    """Report names that are own actors and overridden at once."""
    own = {entry.name: entry for entry in config.actors}
    for entry in config.overrides:
        if entry.name in own:
            message = f"`{entry.name}` is an own actor and cannot be overridden"
            labels = (Label(own[entry.name].header(), "defined here"),)
            help_line = f"change `{dotted(('actors', entry.name))}` itself"
            collector.add(
                names.ACTOR_AND_OVERRIDE.at(entry.header(), message, labels=labels, help=help_line)
            )


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
        help_line = f"`{own[0]}` is an own actor: change `{dotted(('actors', own[0]))}` itself"
    if len(near) == 1:
        title = f"rename to `{near[0]}`"
        fix = renamed_key(entry.document, entry.path, near[0], title)
    notes = tuple(f"`{name}` is declared at: {walk.found[name].entry.header()}" for name in near)
    message = f"no manifest declares a dependency called `{entry.name}`"
    collector.add(
        names.OVERRIDE_OF_NOTHING.at(entry.header(), message, notes=notes, help=help_line, fix=fix)
    )
