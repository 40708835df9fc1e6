"""`wasmind graph`: draw a system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmind.cli import compiling, terminal

if TYPE_CHECKING:
    from wasmind_compiler.pipeline import DrawingFormat


@click.command(name="graph")
@compiling.config_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "dot", "json", "mermaid"]),
    default="svg",
    show_default=True,
    help="What to print.",
)
@click.pass_context
def command(
    context: click.Context, config: Path | None, config_option: Path | None, form: DrawingFormat
) -> None:
    """Draw the agents of a config: the actors in each, what they can do and why they are there.

    The root agent is a box, and so is every agent that an actor can spawn. Needs no Graphviz on
    this machine. stdout holds nothing but the picture.

    \b
    wasmind graph > net.svg
    wasmind graph system.toml --format mermaid >> README.md

    Exit codes: 0 done, 1 errors in the input, 2 the request or the machine is at fault.
    """
    path = compiling.find_config(context, config, config_option)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        outcome = pipeline.graph(path, compiling.environment(), form)
    terminal.result(compiling.result(outcome.report, outcome.text), end="")
