"""Lists of granted programs: whether they suffice for an actor, and whether they limit it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from wasmind_compiler.analysis.contract import Contract
from wasmind_compiler.analysis.starters import STARTERS
from wasmind_compiler.diagnostics import Collector, Severity, Span
from wasmind_compiler.diagnostics.rules import components
from wasmind_compiler.diagnostics.suggestions import together
from wasmind_compiler.frontend.actor_entry import Grant
from wasmind_compiler.resolution.graph import ResolvedActor


def check_programs(actor: ResolvedActor, contract: Contract, collector: Collector) -> None:
    """Report programs that an actor starts and `command.programs` leaves out.

    Without any that it may start this is an error, else a note: leaving some out may be meant.
    """
    narrowed = _narrowing(actor)
    if narrowed is None or not contract.programs:
        return
    granted, place = narrowed
    refused = [each for each in contract.programs if each not in granted]
    if not refused:
        return
    named = together([f"`{each}`" for each in refused])
    starts = "starts only" if len(refused) == len(contract.programs) else "also starts"
    found = components.PROGRAM_NOT_GRANTED.at(
        place,
        f"`{actor.name}` {starts} {named}, which `command.programs` leaves out",
        help=f"add {named} to `programs`; what is not listed is refused when it is called",
    )
    if len(refused) < len(contract.programs):
        found = found._replace(severity=Severity.NOTE)
    collector.add(found)


def check_starters(actor: ResolvedActor, collector: Collector) -> None:
    """Report granted programs that start others, so that the list does not limit the actor."""
    narrowed = _narrowing(actor)
    if narrowed is None:
        return
    granted, place = narrowed
    found = [each for each in granted if PurePath(each).name in STARTERS]
    if not found:
        return
    named = together([f"`{each}`" for each in found])
    collector.add(
        components.PROGRAM_STARTS_OTHERS.at(
            place,
            f"{named} can start any other program, so the list does not limit `{actor.name}`",
            help="leave it out where that matters, or grant `command` as if there were no list",
        )
    )


def _narrowing(actor: ResolvedActor) -> tuple[Sequence[str], Span] | None:
    """The programs that are granted, and where that is written; None if all are."""
    keys = ("command", "programs")
    for entry in reversed(actor.entries):
        if entry.grants is not None:
            programs = _programs(entry.grants)
            return None if programs is None else (programs, entry.value("grants", *keys))
    programs = _programs(actor.manifest.capabilities or ())
    if programs is None:
        return None
    return programs, actor.manifest.document.value(("capabilities", *keys))


def _programs(grants: Sequence[Grant]) -> Sequence[str] | None:
    for each in grants:
        if each.capability == "command":
            programs: Sequence[str] | None = each.limits.get("programs")
            return programs
    return None
