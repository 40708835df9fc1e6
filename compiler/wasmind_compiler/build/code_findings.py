"""What is wrong with an actor's code, as its interpreter says, as diagnostics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from wasmind_compiler.analysis.contract import Finding, Tool
from wasmind_compiler.build.actor_files import ActorFiles
from wasmind_compiler.diagnostics import Diagnostic, Label, Severity
from wasmind_compiler.diagnostics.registry import Rule
from wasmind_compiler.diagnostics.rules import building, shape
from wasmind_compiler.resolution.graph import ResolvedActor

_RULES: Final[Mapping[str, Rule]] = {
    rule.code: rule
    for rule in (
        building.DESCRIBE_FAILED,
        building.NEVER_RUNS,
        building.NOT_TEXT,
        building.NO_DESCRIPTION,
        building.OWN_CONSTRUCTOR,
    )
}


def explain(
    findings: Iterable[Finding], actor: ResolvedActor, files: ActorFiles
) -> Iterator[Diagnostic]:
    """The findings about an actor, at their places in its sources.

    What only advises its author is a note to those who fetch the actor from elsewhere.
    """
    for each in findings:
        found = _RULES.get(each.code, building.DESCRIBE_FAILED).at(
            actor.source.span() if each.place is None else files.span(each.place),
            each.message,
            labels=tuple(Label(files.span(place), text) for place, text in each.others),
            notes=each.notes,
            help=each.help or None,
        )
        if actor.identity.origin is not None and found.severity is Severity.WARNING:
            found = found._replace(severity=Severity.NOTE)
        yield found


def bad_tool_names(
    tools: Iterable[Tool], allowed: re.Pattern[str], actor: ResolvedActor, files: ActorFiles
) -> Iterator[Diagnostic]:
    """Tools with names that providers refuse, and with them every request that offers the tool."""
    for tool in tools:
        if allowed.fullmatch(tool.name) is None:
            yield shape.BAD_VALUE.at(
                actor.source.span() if tool.place is None else files.span(tool.place),
                f"a tool cannot be called `{tool.name}`",
                help='use up to 64 of A-Z, a-z, 0-9, `_` and `-`, as in `@tool(name="read_all")`',
            )
