"""`wasmind bundle`: link a config into a folder that runs anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from wasmind.cli import compiling, lock_options, terminal


@click.command(name="bundle")
@compiling.config_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("bundle"),
    show_default=True,
    help="Folder to make; an older bundle there is replaced.",
)
@lock_options.acceptance
@lock_options.lock_mode
@click.pass_context
def command(
    context: click.Context,
    config: Path | None,
    config_option: Path | None,
    output: Path,
    *,
    accept_capabilities: bool,
    locked: bool,
    frozen: bool,
    offline: bool,
) -> None:
    """Link a config into a bundle: a folder with everything `wasmind run` needs.

    Checks the config, brings its lockfile up to date, and writes the run plan, the components, the
    Python actors' sources and code, a picture, and a list of all files with their digests. The
    same inputs give the same bytes with the same release of Wasmind; a checkout builds its own
    Python interpreter, which is part of the bundle, and a note says if it is not the one that the
    lockfile records. A folder that is no bundle is never overwritten.

    \b
    wasmind bundle system.toml -o dist/system
    wasmind run dist/system --prompt "hello"

    Exit codes: 0 done, 1 errors in the input, 2 the request or the machine is at fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        policy = lock_options.policy(
            locked=locked,
            frozen=frozen,
            offline=offline,
            accept_capabilities=accept_capabilities,
        )
        outcome = pipeline.bundle(path, output, compiling.environment(), policy)
    bundle = compiling.result(outcome.report, outcome.bundle)
    terminal.result(f"{bundle.path}: sha256:{bundle.digest}")
