"""`wasmind run`: execute a bundle, or a config that is checked and linked first."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from wasmind.cli import (
    compiling,
    json_events,
    lock_options,
    model_choice,
    prompts,
    signals,
    terminal,
)
from wasmind.cli.allocator import limit_arenas
from wasmind.cli.events import EventView, TextView
from wasmind.cli.logs import LogFile, LogLevels
from wasmind.cli.session import Session
from wasmind.models import Choice
from wasmind.plan import RunPlan
from wasmind.runtime import folders
from wasmind.runtime.bundle import Bundle, open_bundle
from wasmind.runtime.errors import BundleError, RuntimeFailure
from wasmind.system import System


@click.command(name="run")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), help="Config to run.")
@click.option(
    "-p",
    "--prompt",
    metavar="TEXT",
    help="Send TEXT, print the answer, exit; `-` sends all of stdin.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="How events are shown.",
)
@click.option(
    "--events",
    metavar="KINDS",
    multiple=True,
    help=f"What --format jsonl writes: {', '.join(json_events.KINDS)} or all, separated by commas; "
    "by default all but model_delta and payloads, which repeat the conversation at every turn.",
)
@click.option(
    "--log-level",
    metavar="[ACTOR=]LEVEL",
    multiple=True,
    help="Least level shown: debug, info, warn, error or off; for one actor or for all.",
)
@click.option(
    "--log-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append log records to a file; as JSON lines when it ends in .jsonl.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Give up on an answer after this time.",
)
@click.option("-v", "--verbose", is_flag=True, help="The same as --log-level debug.")
@click.option("--stats", is_flag=True, help="At the end, show what each actor used.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Run in DIR: relative folders of grants lie below it, and commands run in it.",
)
@model_choice.options
@lock_options.acceptance
@lock_options.lock_mode
@click.pass_context
def command(
    ctx: click.Context,
    target: Path | None,
    config: Path | None,
    prompt: str | None,
    form: str,
    events: tuple[str, ...],
    log_level: tuple[str, ...],
    log_file: Path | None,
    timeout: float | None,
    directory: Path | None,
    model: str | None,
    models: Path | None,
    *,
    verbose: bool,
    stats: bool,
    accept_capabilities: bool,
    locked: bool,
    frozen: bool,
    offline: bool,
) -> None:
    """Run a bundle folder, or a config.

    TARGET is a bundle made by `wasmind bundle`, or a config, which is checked and linked into the
    cache first. Without it, `wasmind-app.toml` here or above is run.

    With --prompt, the root agent is given one message; its answer is the only thing on stdout.
    Without, the config's `run.prompt` is sent; if there is none either, every line of stdin is a
    message, until the end of input or Ctrl-C.

    \b
    wasmind run bundle --prompt "summarise README.md"
    wasmind run bundle --prompt - < question.md
    wasmind run --format jsonl < questions.txt | jq 'select(.event == "answer")'
    wasmind run --model ollama/llama3.2 --prompt hello

    Exit codes: 0 answered, 1 the run failed, 2 the request, the bundle or the machine is at fault,
    128 + n ended by signal n (130 Ctrl-C, 143 SIGTERM, 129 SIGHUP).
    """
    signals.listen()
    lock_mode = {
        "accept_capabilities": accept_capabilities,
        "locked": locked,
        "frozen": frozen,
        "offline": offline,
        "models_given": model is not None or models is not None,
    }
    limit_arenas(2)
    levels = LogLevels.parse(log_level, default="debug" if verbose else "warn")
    view = _view(form, levels, events)
    if prompt is not None:
        prompt = prompts.given(prompt)
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed, and answers would go there")
    try:
        log = LogFile(log_file, LogLevels.parse(log_level)) if log_file else None
        with _told(view):
            folder, sources = _bundle(target or config or ctx.obj, lock_mode)

            def choose(plan: RunPlan) -> Choice:
                # The first of the sources is the config; a bundle by itself has none.
                config = sources[0] if sources else None
                return model_choice.choose(plan, model, models, config)

            def relink() -> Path:
                return _bundle(target or config or ctx.obj, lock_mode | {"anew": True})[0]

            bundle = _verified(folder, view, relink if sources else None)
            system = _open(bundle, sources, view, directory, choose)
        plan = system.bundle.plan
        _check_actors(levels, plan)
        for line in folders.describe(plan):
            terminal.status("Granting", line)
        if prompt is None:
            prompt = _configured_prompt(plan)
        sys.exit(Session(system, view, log, timeout, stats=stats).run(prompt))
    except signals.Ended as end:  # before anything ran
        sys.exit(end.code)


def _view(form: str, levels: LogLevels, events: tuple[str, ...]) -> EventView:
    if form == "jsonl":
        return json_events.JsonView(json_events.parse_kinds(events))
    if events:
        raise click.UsageError("--events needs --format jsonl")
    return TextView(levels)


@contextmanager
def _told(view: EventView) -> Iterator[None]:
    """Programs are told why nothing runs; people have read it when this is left."""
    try:
        yield
    except click.ClickException as error:
        if isinstance(view, json_events.JsonView):
            view.ended(error.message)
        raise
    except SystemExit as end:
        if isinstance(view, json_events.JsonView) and end.code == 1:
            view.ended("the config has errors")
        raise


def _verified(folder: Path, view: EventView, relink: Callable[[], Path] | None) -> Bundle:
    """The bundle, which is made anew if it is one of the cache and damaged."""
    try:
        try:
            return open_bundle(folder.absolute())
        except BundleError as error:
            if relink is None:
                raise
            terminal.status("Replacing", f"a bundle in the cache: {error}")
            return open_bundle(relink().absolute())
    except BundleError as error:
        view.fail(str(error))
        view.ended(str(error))
        sys.exit(2)


def _open(
    bundle: Bundle,
    sources: tuple[Path, ...],
    view: EventView,
    directory: Path | None,
    choose: Callable[[RunPlan], Choice],
) -> System:
    try:
        # Paths on the command line are those of the folder where it was typed.
        models = choose(bundle.plan)
        sources = tuple(source.absolute() for source in sources)
        if directory is not None:
            os.chdir(directory)
        system = System(bundle, report=terminal.status, models=models, sources=sources)
        folders.require_narrow(system.bundle.plan)
        return system
    except RuntimeFailure as error:
        view.fail(str(error))
        view.ended(str(error))
        sys.exit(2)


def _check_actors(levels: LogLevels, plan: RunPlan) -> None:
    """The actors that `--log-level` names are there."""
    known = [actor.name for actor in plan.actors]
    for name in levels.actors:
        if name not in known:
            from wasmind_compiler.diagnostics.suggestions import advice

            help_line = advice(name, known, "actors")
            hint = f"; {help_line}" if help_line else ""
            message = f"there is no actor `{name}`{hint}"
            raise click.BadParameter(message, param_hint="--log-level")


def _configured_prompt(plan: RunPlan) -> str | None:
    prompt: str | None = plan.interface.get("run", {}).get("prompt")
    if prompt is not None and not prompt.strip():
        raise compiling.EnvironmentProblem(
            "the config's `run.prompt` is empty; leave it out, or use --prompt"
        )
    return prompt


def _bundle(
    target: Path | str | None, lock_mode: Mapping[str, bool]
) -> tuple[Path, tuple[Path, ...]]:
    """The bundle folder for what the user named; a config is linked into the cache.

    Its sources come along where they are known.
    """
    if target is not None and Path(target).is_dir():
        _refuse_source(Path(target))
        # Native code is in the cache, whatever the bundle.
        compiling.keep_cache()
        return Path(target), ()
    from wasmind.cli.linking import link_into_cache

    return link_into_cache(None if target is None else Path(target), **lock_mode)


def _refuse_source(folder: Path) -> None:
    """A folder that is no bundle, but holds what one is made of, is named as what it is."""
    if (folder / "MANIFEST.json").exists():
        return
    config = folder / compiling.DEFAULT_CONFIG
    if config.is_file():
        raise compiling.EnvironmentProblem(
            f"`{folder}` is a folder, not a bundle; did you mean `{config}`?"
        )
    if (folder / compiling.MANIFEST).is_file():
        raise compiling.EnvironmentProblem(
            f"`{folder}` is an actor, not a bundle; a config that uses it can be run"
        )
