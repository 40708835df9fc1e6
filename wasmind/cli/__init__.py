"""The command line. One small module per verb, imported only when its verb is called."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

import click

from wasmind import __version__

#: Verb to its one-line help, so that `wasmind --help` imports none of the modules.
VERBS: Final[Mapping[str, str]] = {
    "check": "Find every mistake in a config before anything runs",
    "lock": "Pin all actor sources in the lockfile beside the config",
    "bundle": "Link a config into a folder that runs anywhere",
    "graph": "Draw agents, actors and message flow",
    "why": "Show where a setting comes from, or why an actor is there",
    "explain": "Explain the code of a problem, or list all codes",
    "run": "Run a bundle or a config",
    "models": "Show what answers for each model, and what it lacks",
    "clean": "Empty the cache and say what was in it",
    "info": "Show versions, folders and installed parts",
}


class _LazyGroup(click.Group):
    """Looks a verb up in `VERBS` and imports `wasmind.cli.<verb>` when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"wasmind.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Read what stands before the verb; what is wrong with it is shown like other errors."""
        try:
            return super().make_context(*arguments, **more)
        except click.ClickException as error:
            _show(error)
            sys.exit(error.exit_code)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; what the machine refuses meanwhile (a full disk, say) is an error."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _show(error)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read our output has seen enough: click's case
                raise
            from wasmind.cli import terminal

            where = f": `{error.filename}`" if error.filename else ""
            terminal.fail(f"{error.strerror or error}{where}")
            _give_up_output()
            sys.exit(2)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant; an unknown one is refused with what was probably meant."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from wasmind_compiler.diagnostics.suggestions import nearest

            near = nearest(args[0], VERBS)
            advice = f"; did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"there is no command `{args[0]}`{advice}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _show(error: click.ClickException) -> None:
    """Print an error as click does, but nothing in it steers a terminal: it may quote a file."""
    from wasmind.cli import compiling, terminal

    if isinstance(error, compiling.EnvironmentProblem):
        error.show()
        return
    shown = io.StringIO()
    error.show(shown)
    terminal.say(shown.getvalue().rstrip("\n"))


def _give_up_output() -> None:
    """Forget output that cannot be written: Python would try once more when it ends."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--config", type=click.Path(), help="Config for the verb that follows.")
@click.version_option(__version__, prog_name="wasmind")
@click.pass_context
def main(ctx: click.Context, config: str | None) -> None:
    """Compile TOML into running systems of LLM agents.

    \b
    wasmind check                       check wasmind-app.toml here or above
    wasmind graph > net.svg             look at it
    wasmind run --prompt "hello"        check, link and run it
    """
    ctx.obj = config
