"""A tool that runs command lines on the host."""

from __future__ import annotations

import shlex
from typing import Annotated, Final

from guide import GUIDE
from report import refused, report, shown
from script import bash_arguments

from wasmind_actor import U32, Actor, Contribution, Param, ToolResult, tool
from wasmind_actor.command import CommandError, run

#: Of each stream: so much of its start and, if it is longer, of its end.
MAX_OUTPUT_BYTES: Final = 2_500


class ExecuteBash(Actor):
    """Runs command lines on the host through bash."""

    contributions = (Contribution.guide("execute_bash", GUIDE, priority=800),)

    @tool
    def execute_bash(
        self,
        command: Annotated[str, Param("The command line, with everything bash understands.")],
        args: Annotated[
            tuple[str, ...], Param("More arguments, put behind the command line and quoted.")
        ] = (),
        directory: Annotated[
            str | None, Param("Where to run it; the host's working directory by default.")
        ] = None,
        timeout: Annotated[
            U32, Param("Seconds it may take.", minimum=1, maximum=600, clamp=True)
        ] = 30,
    ) -> ToolResult:
        """Runs one command line with `bash -c` and returns what it wrote.

        Pipes, redirections, loops and all other shell syntax work. Every call is a shell of its
        own: the working directory and variables do not carry over, and what still runs in the
        background when the command line has ended is ended too.
        """
        line = " ".join([command, *map(shlex.quote, args)])
        try:
            output = run(
                "bash",
                *bash_arguments(line),
                directory=directory,
                timeout=timeout,
                max_output_bytes=MAX_OUTPUT_BYTES,
            )
        except CommandError as error:
            raise refused(line, f"Could not execute `{shown(line)}`: {error}", str(error)) from None
        return report(line, output)
