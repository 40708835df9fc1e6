"""`wasmind run`: execute a bundle, or a config that is checked and linked first."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from wasmind.cli import compiling, lock_options, model_choice, terminal
from wasmind.cli.allocator import limit_arenas
from wasmind.cli.events import EventView, make_view
from wasmind.cli.growing import Growing
from wasmind.cli.logs import LogFile, LogLevels
from wasmind.runtime.bundle import open_bundle
from wasmind.runtime.errors import RuntimeFailure
from wasmind.runtime.events import Event, Stopped
from wasmind.system import Answer, NoAnswer, System

_STOP_SECONDS: Final = 1.5
#: How often the main thread looks up while something goes on beside it.
_GLANCE_SECONDS: Final = 0.05
#: How often what is waited for is shown anew.
_LOOK_SECONDS: Final = 1.0
_INTERRUPTED: Final = 130


@click.command(name="run")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), help="Config to run.")
@click.option("-p", "--prompt", metavar="TEXT", help="Send TEXT, print the answer, exit.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="How events are shown.",
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
@click.option("--deltas", is_flag=True, help="With jsonl, show answers also while they grow.")
@click.option("-v", "--verbose", is_flag=True, help="The same as --log-level debug.")
@click.option("--stats", is_flag=True, help="At the end, show what each actor used.")
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
    log_level: tuple[str, ...],
    log_file: Path | None,
    timeout: float | None,
    model: str | None,
    models: Path | None,
    *,
    deltas: bool,
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
    wasmind run --format jsonl < questions.txt | jq 'select(.event == "answer")'
    wasmind run --model ollama/llama3.2 --prompt hello

    Exit codes: 0 answered, 1 the run failed, 2 the bundle or the machine is at fault, 130 Ctrl-C.
    """
    lock_mode = {
        "accept_capabilities": accept_capabilities,
        "locked": locked,
        "frozen": frozen,
        "offline": offline,
        "models_given": model is not None or models is not None,
    }
    limit_arenas(2)
    levels = LogLevels.parse(log_level, default="debug" if verbose else "warn")
    view = make_view(form, levels)
    log = LogFile(log_file, LogLevels.parse(log_level)) if log_file else None
    try:
        bundle = _bundle(target or config or ctx.obj, lock_mode)
        opened = open_bundle(bundle)
        choice = model_choice.choose(opened.plan, model, models)
        system = System(opened, report=terminal.status, models=choice)
    except RuntimeFailure as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    if prompt is None:
        prompt = system.bundle.plan.interface.get("run", {}).get("prompt")
    session = _Session(system, view, log, timeout, stats=stats, deltas=deltas, form=form)
    sys.exit(session.run(prompt))


def _bundle(target: Path | str | None, lock_mode: Mapping[str, bool]) -> Path:
    """The bundle folder for what the user named; a config is linked into the cache."""
    if target is not None and Path(target).is_dir():
        # Native code is in the cache, whatever the bundle.
        compiling.keep_cache()
        return Path(target)
    from wasmind.cli.linking import link_into_cache

    return link_into_cache(None if target is None else Path(target), **lock_mode)


class _Session:
    """One run: the main thread only waits and prints, so that Ctrl-C is heard at any moment."""

    def __init__(
        self,
        system: System,
        view: EventView,
        log: LogFile | None,
        timeout: float | None,
        *,
        stats: bool,
        deltas: bool,
        form: str,
    ) -> None:
        self._timeout = timeout
        self._system = system
        self._view = view
        self._log = log
        self._stats = stats
        self._growing = Growing.on_terminal() if form == "text" else None
        watched = self._growing is not None or (deltas and form == "jsonl")
        self._events = system.subscribe(deltas=watched)

    def run(self, prompt: str | None) -> int:
        """Until the answer, the end of input or Ctrl-C; returns the exit code."""
        try:
            try:
                self._beside(self._system.start)
                return self._converse() if prompt is None else self._ask(prompt)
            except (RuntimeFailure, ValueError) as error:
                self._drain()
                self._fail(error)
                return 1
            except KeyboardInterrupt:
                click.echo("stopping; Ctrl-C once more ends at once", err=True)
                return _INTERRUPTED
            finally:
                self._beside(lambda: self._system.stop(_STOP_SECONDS))
                self._finish()
        except KeyboardInterrupt:
            os._exit(_INTERRUPTED)

    def _ask(self, prompt: str) -> int:
        self._system.require_listener()
        self._system.tell(prompt)
        answer = Answer()
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while (event := self._next(deadline)) is not None:
            self._show(event)
            if answer.see(event):
                self._wipe()
                self._view.answer(answer.text())
                return 0
        raise NoAnswer(f"no answer within {self._timeout:g} s")

    def _next(self, deadline: float | None) -> Event | None:
        """The next event; None when there is none before the deadline."""
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            if self._growing is None:
                return self._events.get(left)
            event = self._events.get(min(left or _LOOK_SECONDS, _LOOK_SECONDS))
            if event is not None:
                return event
            self._growing.paint()

    def _converse(self) -> int:
        """Lines of stdin are messages; answers are shown as they come."""
        self._system.require_listener()
        code = 0
        while (line := _read_line()) is not None:
            if not line.strip():
                continue
            try:
                self._ask(line.rstrip("\n"))
            except NoAnswer as error:
                self._fail(error)
                code = 1
                if self._system.wait(0):
                    break
        return code

    def _beside(self, work: Callable[[], object]) -> None:
        """Do `work` beside the main thread, which alone receives signals and shows what happens.

        A signal handler must never run inside a guest's call: it would unwind through native code.
        """
        problem: list[BaseException] = []

        def attempt() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again below
                problem.append(error)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        while thread.is_alive():
            self._drain()
            thread.join(_GLANCE_SECONDS)
        if problem:
            raise problem[0]

    def _drain(self) -> None:
        """Show what has happened until now; it explains a failure."""
        while (event := self._events.get(timeout=0)) is not None:
            self._show(event)
            if isinstance(event, Stopped):
                return

    def _fail(self, error: Exception) -> None:
        """Say why there is no answer, unless that was said already."""
        self._wipe()
        if not self._view.told(str(error)):
            click.echo(f"error: {error}", err=True)

    def _wipe(self) -> None:
        if self._growing is not None:
            self._growing.wipe()

    def _show(self, event: Event) -> None:
        if self._growing is not None:
            if self._growing.see(event):
                return
            self._growing.wipe()
        self._view.show(event)
        if self._log is not None:
            self._log.see(event)

    def _finish(self) -> None:
        """What happened while stopping, and the figures."""
        self._drain()
        self._wipe()
        if self._stats:
            self._view.summary(self._system.summary())
        if self._log is not None:
            self._log.close()


def _read_line() -> str | None:
    if sys.stdin.isatty():
        click.echo("> ", nl=False, err=True)
    return sys.stdin.readline() or None
