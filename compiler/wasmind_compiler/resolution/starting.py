"""The first agent: who starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wasmind_compiler.diagnostics import Collector, Edit, Fix, Span
from wasmind_compiler.diagnostics.rules import names
from wasmind_compiler.frontend.app_config import AppConfig
from wasmind_compiler.resolution.companions import (
    is_unknown,
    report_duplicates,
    unknown_name_advice,
    unknown_name_fix,
)

_KEY: Final = "starting_actors"


def check_starting(
    config: AppConfig,
    named: Mapping[str, str],
    *,
    complete: bool,
    anyone_automatic: bool,
    collector: Collector,
) -> None:
    """Report starting actors that do not exist, and a first agent that would be empty.

    Args:
        config: the config.
        named: every declared logical name to its actor_id, empty where that is unknown.
        complete: every manifest could be read.
        anyone_automatic: whether some actor joins every agent.
        collector: takes the findings.
    """
    listed = config.starting_actors or ()
    for name in listed:
        if is_unknown(name.text, named, complete=complete):
            message = f"unknown starting actor `{name.text}`"
            help_line = unknown_name_advice(name.text, named)
            fix = unknown_name_fix(name, named)
            collector.add(
                names.UNKNOWN_STARTING_ACTOR.at(name.span(), message, help=help_line, fix=fix)
            )
    report_duplicates(listed, collector)
    if anyone_automatic or _KEY in config.doubtful:
        return
    data = config.document.data
    if _KEY not in data:
        # Actors in a section of another type, which has been reported, may join every agent.
        if isinstance(data.get("actors", {}), dict):
            _report_missing(config, collector)
    elif data[_KEY] == []:
        span = config.document.value((_KEY,))
        _report_nothing(config, span, "`starting_actors` is empty", collector)


def _report_missing(config: AppConfig, collector: Collector) -> None:
    # Loaded only to explain what is missing.
    from wasmind_compiler.frontend import top_level

    document = config.document
    lost = top_level.lost_key(document, _KEY)
    if lost is None:
        _report_nothing(config, document.whole(), "`starting_actors` is missing", collector)
        return
    hint = top_level.below_a_table(document, lost)
    message = f"nothing to start: {hint.message}"
    collector.add(
        names.NOTHING_TO_START.at(
            document.key(lost), message, labels=hint.labels, help=hint.help, fix=hint.fix
        )
    )


def _report_nothing(config: AppConfig, span: Span, reason: str, collector: Collector) -> None:
    message = f"nothing to start: {reason} and no actor spawns automatically"
    if not config.actors:
        help_line = "add an `[actors.NAME]` table"
        collector.add(names.NOTHING_TO_START.at(span, message, help=help_line))
        return
    # Not needed by configs without findings.
    from wasmind_compiler.frontend.sections import literal

    own = literal([entry.name for entry in config.actors])
    line = f"{_KEY} = {own}"
    given = _KEY in config.document.data
    edit = Edit(span, own) if given else Edit(config.document.index.span(0, 0), f"{line}\n\n")
    fix = Fix(title=f"write `{line}`", edits=(edit,))
    collector.add(names.NOTHING_TO_START.at(span, message, help=fix.title, fix=fix))
