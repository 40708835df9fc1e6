"""`wasmind check`: find every mistake before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wasmind.cli import compiling, lock_options


@click.command(name="check")
@compiling.config_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How problems are shown: `text` on stderr for people, `json` on stdout for programs.",
)
@lock_options.lock_mode
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    config_option: Path | None,
    form: str,
    *,
    locked: bool,
    frozen: bool,
    offline: bool,
) -> None:
    """Find every mistake in a config, each with its file, line and column.

    Reads the config and the manifests and sources of all its actors, resolves dependencies, checks
    settings against the schemas actors publish, capabilities against grants, and whether the
    actors fit together. Nothing runs but Python actors describing themselves in a sandbox.

    CONFIG defaults to `wasmind-app.toml` here or above, then to the user-level config.

    \b
    wasmind check
    wasmind check system.toml --format json | jq '.diagnostics[].message'

    Exit codes: 0 no errors, 1 errors, 2 the request or the machine is at fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.environment_failures():
        from wasmind_compiler import pipeline

        policy = lock_options.policy(locked=locked, frozen=frozen, offline=offline)
        report = pipeline.check(path, compiling.environment(), policy)
    if form == "json":
        from wasmind_compiler.diagnostics.render_json import render_json

        click.echo(render_json(report.diagnostics), nl=False)
        sys.exit(1 if report.failed else 0)
    compiling.show(report)
    if report.failed:
        sys.exit(1)
    click.echo(f"{path}: no errors")
