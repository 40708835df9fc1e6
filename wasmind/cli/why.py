"""`wasmind why`: where a setting comes from, and why an actor is there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasmind.cli import compiling

if TYPE_CHECKING:
    from wasmind_compiler.analysis.provenance import Presence, SettingOrigin, Step
    from wasmind_compiler.analysis.system import System


@click.command(name="why")
@click.argument("subject")
@compiling.config_argument
@click.pass_context
def command(
    context: click.Context, subject: str, config: Path | None, config_option: Path | None
) -> None:
    """Show where a setting comes from, or why an actor is in the system.

    SUBJECT is `ACTOR.config.KEY`, another key of the actor's table like `ACTOR.auto_spawn`, or
    just `ACTOR`. All layers that speak about a key are shown, lowest first, each with its place:
    the manifests that depend on the actor, `[actors]`, `[actor_overrides]`. The last one wins.

    \b
    wasmind why assistant.config.model_name
    wasmind why bash

    Exit codes: 0 answered, 1 there is no such actor or key, 2 the request or the machine is at
    fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        outcome = pipeline.why(path, compiling.environment())
        if outcome.system is None:
            compiling.show(outcome.report)
            sys.exit(1)
        lines = list(_answer(outcome.system, subject))
    click.echo("\n".join(lines))
    if outcome.report.failed:
        click.echo("note: the config has errors, see `wasmind check`", err=True)


def _answer(system: System, subject: str) -> Iterator[str]:
    from wasmind_compiler.analysis.provenance import presence, setting_origins

    actors = system.resolution.actors
    name, keys = _split(subject, actors)
    if name is None:
        _refuse(f"there is no actor `{subject.partition('.')[0]}`", subject, actors, "actors")
    elif not keys:
        yield from _why_there(presence(system, name))
    else:
        origins = setting_origins(system, actors[name], keys)
        if not any(origin.layers or origin.default is not None for origin in origins):
            known = _known(system, name, keys)
            _refuse(f"nothing sets `{subject}`", str(keys[-1]), known, "keys that are set")
        for origin in origins:
            yield from _layers(origin)


def _split(subject: str, actors: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """The actor and the path of a subject; names with dots may stand in quotes, as in answers."""
    from wasmind_compiler.frontend.key_path import dotted, split

    spelled = {spelling: name for name in actors for spelling in (name, dotted((name,)))}
    fitting = [each for each in spelled if subject == each or subject.startswith(f"{each}.")]
    if not fitting:
        return None, ()
    spelling = max(fitting, key=len)
    rest = subject[len(spelling) + 1 :]
    return spelled[spelling], (split(rest) or tuple(rest.split("."))) if rest else ()


def _known(system: System, name: str, keys: Sequence[str]) -> list[str]:
    """The keys that are set beside one that is not."""
    from wasmind_compiler.frontend.key_path import value_at

    actor = system.resolution.actors[name]
    if keys[0] == "config" and len(keys) > 1:
        tables = [value_at(actor.config.merged, tuple(keys[1:-1]))]
    else:
        tables = [entry.document.at((*entry.path, *keys[:-1])) for entry in actor.entries]
    return list({key: None for table in tables if isinstance(table, dict) for key in table})


def _refuse(message: str, name: str, known: Iterable[str], what: str) -> None:
    from wasmind_compiler.diagnostics.suggestions import advice

    help_line = advice(name.partition(".")[0], list(known), what)
    click.echo(f"error: {message}" + (f"; {help_line}" if help_line else ""), err=True)
    sys.exit(1)


def _layers(origin: SettingOrigin) -> Iterator[str]:
    if not origin.layers:
        yield f"{origin.path} = {_shown(origin.path, origin.default)}"
        span = origin.declared
        where = f", declared at {span.file}:{span.start.line}" if span else ""
        yield f"  the actor's own default{where}; no file sets it"
        return
    yield f"{origin.path} = {_shown(origin.path, origin.layers[-1].value)}"
    rows = [
        (
            f"{said.span.file}:{said.span.start.line}",
            said.place,
            _shown(origin.path, said.value),
        )
        for said in origin.layers
    ]
    if origin.default is not None:
        rows.insert(0, ("-", "the actor's own default", _shown(origin.path, origin.default)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for number, (place, table, value) in enumerate(rows, 1):
        mark = "  wins" if number == len(rows) else ""
        yield f"  {place:<{widths[0]}}  {table:<{widths[1]}}  {value}{mark}"


def _why_there(found: Presence) -> Iterator[str]:
    yield f"{found.name} is declared:"
    yield from _steps(found.declared)
    if found.shared:
        yield "other manifests that declare it:"
        yield from _steps(found.shared)
    if not found.chain:
        yield "nothing spawns it"
        return
    yield "it is spawned because:"
    yield from _steps(found.chain)
    others = [step for step in found.reasons if step not in found.chain]
    if others:
        yield "and also because:"
        yield from _steps(others)


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield f"  {step.text} ({step.span.file}:{step.span.start.line})"


def _shown(path: str, value: Any) -> str:
    from wasmind_compiler.diagnostics.masking import masked
    from wasmind_compiler.frontend.sections import literal

    # The name of a key may promise a secret.
    prefix = f"{path.rpartition('.')[2]} = "
    return masked(prefix + literal(value))[len(prefix) :]
