"""Commands run on the host, without a shell. Capability `command`.

output = command.run("git", "log", "-1", directory="/src", timeout=10)
match output.status:
    case command.Exited(code=0):
        ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from wasmind_actor import door


class CommandError(Exception):
    """The host refused, or cut the command off because the actor is to end."""


@dataclass(frozen=True, slots=True)
class Exited:
    """It ended by itself."""

    code: int


@dataclass(frozen=True, slots=True)
class Signaled:
    """A signal ended it."""

    signal: int


@dataclass(frozen=True, slots=True)
class FailedToStart:
    """There was nothing to run."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """It was ended because it took too long."""


Status: TypeAlias = Exited | Signaled | FailedToStart | TimedOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run.

    Attributes:
        program: found through the host's PATH unless it is a path.
        directory: where; the host's working directory if None.
        timeout: seconds it may take.
        max_output_bytes: how much to keep of each stream from its start, and of one that is longer
            as much again, at most 1 MiB, from its end; the host's default if None.
        environment: variables added to those the host passes on.
    """

    program: str
    arguments: tuple[str, ...] = ()
    directory: str | None = None
    timeout: int | None = None
    max_output_bytes: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    clear_environment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command ended, and what it wrote.

    Attributes:
        stdout, stderr: all of a stream, or how it starts.
        stdout_truncated, stderr_truncated: it was longer.
        stdout_end, stderr_end: how a truncated stream ends.
        stdout_missing, stderr_missing: how many bytes lie between start and end.
        left_behind: command lines of the processes that lived on after the command. They were
            ended: nothing outlives a call.
    """

    status: Status
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    stdout_end: bytes = b""
    stderr_end: bytes = b""
    stdout_missing: int = 0
    stderr_missing: int = 0
    left_behind: tuple[str, ...] = ()


def run(
    program: str,
    *arguments: str,
    directory: str | None = None,
    timeout: int | None = None,
    max_output_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Output:
    """Run a command and wait for its end; the parameters are those of `Command`.

    Raises:
        CommandError: the host refused.
    """
    return door.host().run(
        Command(
            program=program,
            arguments=arguments,
            directory=directory,
            timeout=timeout,
            max_output_bytes=max_output_bytes,
            environment=environment or {},
        )
    )
