"""`wasmind check`: find every mistake before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from wasmind import __version__
from wasmind.cli import compiling, lock_options, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasmind_compiler.diagnostics import Diagnostic
    from wasmind_compiler.diagnostics.edits import Change
    from wasmind_compiler.pipeline import Report

#: A fix may uncover the next problem: a file with a syntax error hides all others.
_MOST_ROUNDS: Final = 10


@click.command(name="check")
@compiling.config_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How problems are shown: `text` on stderr for people, the others on stdout for programs.",
)
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--lenient", is_flag=True, help="Keys that are unknown or misplaced are warnings.")
@click.option("--fix", is_flag=True, help="Apply the fixes that are certain, after showing them.")
@click.option("--diff", "--dry-run", "dry_run", is_flag=True, help="Only show what --fix would do.")
@click.option("--outdated", is_flag=True, help="Also say which git sources have newer commits.")
@lock_options.lock_mode
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    config_option: Path | None,
    *,
    form: str,
    strict: bool,
    lenient: bool,
    fix: bool,
    dry_run: bool,
    outdated: bool,
    locked: bool,
    frozen: bool,
    offline: bool,
) -> None:
    """Find every mistake in a config or an actor, each with its file, line and column.

    Reads the config and the manifests and sources of all its actors, resolves dependencies, checks
    settings against the schemas actors publish, capabilities against grants, and whether the
    actors fit together. Nothing runs but Python actors describing themselves in a sandbox.

    CONFIG may also be an actor's folder or manifest `Wasmind.toml`: then the actor is checked by
    itself, with what it depends on. Settings and models are left to configs that will use it.

    With --fix only the config and files below its folder or the working directory are changed.

    With --outdated the remotes of locked git sources are asked what `wasmind lock --upgrade` would
    find: branches with newer commits and renamed default branches are notes, moved tags warnings.
    Nothing is written, and none of it changes the exit code.

    CONFIG defaults to `wasmind-app.toml` here or above, then to the user-level config.

    \b
    wasmind check
    wasmind check actors/reviewer
    wasmind check --fix --dry-run
    wasmind check --outdated
    wasmind check system.toml --format json | jq '.diagnostics[].message'

    Exit codes: 0 no errors, 1 errors, 2 the request or the machine is at fault.
    """
    if outdated and (frozen or offline):
        raise click.UsageError("--outdated asks remotes, which the other options forbid")
    with compiling.compilation():
        actor = compiling.find_actor(context, config, config_option)
        if actor and (locked or frozen or outdated):
            raise click.UsageError(f"`{actor}` is an actor, and lockfiles belong to configs")
        path = actor or compiling.find_config(context, config, config_option)
        from wasmind_compiler import pipeline

        policy = lock_options.policy(
            locked=locked, frozen=frozen, offline=offline, outdated=outdated
        )
        surroundings = compiling.environment(hosts=True)

        def check() -> Report:
            if actor:
                return pipeline.check_actor(
                    actor.parent, surroundings, policy, strict=strict, lenient=lenient
                )
            return pipeline.check(path, surroundings, policy, strict=strict, lenient=lenient)

        report = check()
        if dry_run:
            _show_changes(_changes(report, path))
        elif fix:
            for _ in range(_MOST_ROUNDS):
                if not _apply(report, path):
                    break
                report = check()
    if form != "text":
        terminal.result(_rendered(report.diagnostics, form), end="")
        sys.exit(1 if report.failed else 0)
    compiling.show(report)
    _offer_fixes(report, path)
    if report.failed:
        sys.exit(1)
    terminal.result(f"{path}: no errors")


def _offer_fixes(report: Report, path: Path) -> None:
    if not any(found.fix is not None for found in report.diagnostics):
        return
    from wasmind_compiler.fixing import applicable_fixes

    if fixes := applicable_fixes(report.diagnostics, Path.cwd(), path):
        import shlex

        command_line = f"wasmind check --fix {shlex.quote(str(path))}"
        terminal.say(f"{len(fixes)} can be fixed: {command_line}")


def _rendered(diagnostics: Sequence[Diagnostic], form: str) -> str:
    if form == "json":
        from wasmind_compiler.diagnostics.render_json import render_json

        return render_json(diagnostics)
    if form == "sarif":
        from wasmind_compiler.diagnostics.render_sarif import render_sarif

        return render_sarif(diagnostics, __version__)
    from wasmind_compiler.diagnostics.render_github import render_github

    return render_github(diagnostics)


def _changes(report: Report, path: Path) -> Sequence[Change]:
    if not any(found.fix is not None for found in report.diagnostics):
        return []
    from wasmind_compiler.fixing import plan_changes

    return plan_changes(report.diagnostics, Path.cwd(), path)


def _apply(report: Report, path: Path) -> bool:
    """Show and write the fixes of a report; returns whether there were any."""
    changes = _changes(report, path)
    _show_changes(changes)
    if changes:
        from wasmind_compiler.fixing import write_changes

        write_changes(changes, Path.cwd())
    return bool(changes)


def _show_changes(changes: Sequence[Change]) -> None:
    tints = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}
    for line in "".join(change.diff() for change in changes).splitlines():
        terminal.say(line, tint=tints.get(line[:1], ""))
