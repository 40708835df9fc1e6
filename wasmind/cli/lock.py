"""`wasmind lock`: pin what a config resolves to."""

from __future__ import annotations

from pathlib import Path

import click

from wasmind.cli import compiling


@click.command(name="lock")
@compiling.config_argument
@click.option("--check", "dry_run", is_flag=True, help="Write nothing; fail if it is not current.")
@click.pass_context
def command(
    context: click.Context, config: Path | None, config_option: Path | None, *, dry_run: bool
) -> None:
    """Write the lockfile beside a config: every actor with its source, digest and capabilities.

    The file is named like the config, ends in `.lock` and belongs into version control. It is
    written only if something changed, and then only the lines that changed differ.

    \b
    wasmind lock
    wasmind lock --check        in CI: fail if somebody forgot to lock

    Exit codes: 0 done, 1 errors in the input or a stale lockfile, 2 the request or the machine is
    at fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.environment_failures():
        from wasmind_compiler import pipeline

        outcome = pipeline.lock(path, compiling.environment(), dry_run=dry_run)
    path = compiling.result(outcome.report, outcome.path)
    state = "written" if outcome.changed else "up to date"
    click.echo(f"{path}: {state}")
