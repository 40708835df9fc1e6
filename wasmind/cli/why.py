"""`wasmind why`: where a setting comes from, and why an actor is there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from wasmind import paths
from wasmind.cli import compiling, terminal

if TYPE_CHECKING:
    from wasmind_compiler.analysis.known_keys import Known
    from wasmind_compiler.analysis.provenance import Presence, SettingOrigin, Step
    from wasmind_compiler.analysis.system import System
    from wasmind_compiler.frontend.key_path import KeyPath

_MODELS: Final = "models."
#: Tables of a config that no manifest has a say in.
_OF_THE_CONFIG: Final = ("run", "litellm", "tui", "models")


@click.command(name="why")
@click.argument("subject")
@compiling.config_argument
@click.pass_context
def command(
    context: click.Context, subject: str, config: Path | None, config_option: Path | None
) -> None:
    """Show where a setting comes from, or why an actor or a model is in the system.

    SUBJECT is `ACTOR.config.KEY`, another key of the actor's table like `ACTOR.auto_spawn`, just
    `ACTOR`, `models.NAME`, or a key of another table like `run.limits.turns`. All layers that speak
    about a key are shown, lowest first, each with its place: the manifests that depend on the
    actor, `[actors]`, `[actor_overrides]`. The last one wins.

    \b
    wasmind why assistant.config.model_name
    wasmind why bash
    wasmind why models.small

    Exit codes: 0 answered, 1 there is no such actor, model or key, 2 the request or the machine is
    at fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        outcome = pipeline.why(path, compiling.environment())
        if outcome.system is None:
            compiling.show(outcome.report)
            sys.exit(1)
        lines = list(_answer(outcome.system, subject))
    terminal.result("\n".join(lines))
    if outcome.report.failed:
        terminal.say("note: the config has errors, see `wasmind check`")


def _answer(system: System, subject: str) -> Iterator[str]:
    from wasmind_compiler.analysis.provenance import presence, setting_origins

    actors = system.resolution.actors
    name, keys = _split(subject, actors)
    if name is None and (answer := _of_the_config(system, subject)) is not None:
        yield answer
    elif name is None and subject.startswith(_MODELS):
        yield from _model(system, subject.removeprefix(_MODELS))
    elif name is None:
        wanted = subject.partition(".")[0]
        _refuse(f"there is no actor `{wanted}`", wanted, actors, "actors")
    elif not keys:
        yield from _why_there(presence(system, name))
    else:
        origins = setting_origins(system, actors[name], keys)
        if any(origin.layers or origin.default is not None for origin in origins):
            for origin in origins:
                yield from _layers(origin)
        else:
            yield _unset(system, name, keys, subject)


def _unset(system: System, name: str, keys: tuple[str, ...], subject: str) -> str:
    """A key that nothing sets; one that does not exist is refused."""
    from wasmind_compiler.analysis.known_keys import known_key

    known = known_key(system, system.resolution.actors[name], keys, _app_schema())
    if known.exists is None:
        there = _known(system, name, keys)
        _refuse(f"nothing sets `{subject}`", keys[-1], there, "keys that are set")
    return _not_set(subject, keys, known)


def _not_set(subject: str, path: KeyPath, known: Known) -> str:
    if not known.exists:
        _refuse(f"there is no key `{subject}`", str(path[-1]), known.siblings, "keys")
    default = f"; the default is {_shown(subject, known.default)}"
    return f"{subject} is not set{default if known.default is not None else ''}"


def _app_schema() -> Any:
    import json

    text = (paths.shipped("schemas") / "app.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def _of_the_config(system: System, subject: str) -> str | None:
    """The answer for a key of a table that only the config has; None if it is none."""
    from wasmind_compiler.analysis.known_keys import known_in
    from wasmind_compiler.frontend.key_path import split

    path = split(subject) or ()
    if len(path) < 2 or path[0] not in _OF_THE_CONFIG or (path[0] == "models" and len(path) < 3):
        return None
    document = system.resolution.config.document
    if document.has(path):
        span = document.key(path)
        return f"{subject} = {_shown(subject, document.at(path))} ({span.file}:{span.start.line})"
    if path[0] == "models":
        return None
    schema = _app_schema()
    return _not_set(subject, path, known_in(schema, path, schema))


def _model(system: System, name: str) -> Iterator[str]:
    from wasmind_compiler.analysis.models import model_names
    from wasmind_compiler.analysis.provenance import model_origin
    from wasmind_compiler.frontend.key_path import split

    parts = split(name)
    wanted = parts[0] if parts is not None and len(parts) == 1 else name
    found = model_origin(system, wanted)
    if found is None:
        known = sorted(model_names(system.resolution.config))
        _refuse(f"there is no model `{wanted}`", wanted, known, "models")
    place = f"{found.declared.file}:{found.declared.start.line}"
    yield f"{found.name} is a model of the kind `{found.kind}` ({place})"
    if not found.users:
        yield "no setting names it"
        return
    yield "it is named by:"
    for setting, span in found.users:
        yield f"  {setting} ({span.file}:{span.start.line})"


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


def _refuse(message: str, name: str, known: Iterable[str], what: str) -> NoReturn:
    from wasmind_compiler.diagnostics.suggestions import advice

    help_line = advice(name, list(known), what)
    terminal.fail(message + (f"; {help_line}" if help_line else ""))
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
    if not found.chain and found.possible:
        listed = " and ".join(f"`{each}`" for each in found.possible)
        yield f"it may be spawned: nothing says whom {listed} will spawn"
        return
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
