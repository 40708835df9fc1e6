"""How the end of a command is told, to the model and to people."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Final

from script import LONGEST_ARGUMENT

from wasmind_actor import ToolError, ToolResult
from wasmind_actor.command import Exited, FailedToStart, Output, Signaled, TimedOut

_FILTER: Final = "filter it with a pipe, for example into `head` or `grep`"
_TOO_LONG: Final = (
    f"[a program takes no argument of more than {LONGEST_ARGUMENT} bytes: pipe the text into it, "
    "or write it to a file with a here-document]"
)
#: What bash exits with when the system refuses to execute a program that it has found.
_CANNOT_EXECUTE: Final = 126
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_SHOWN: Final = 1_000
_decoder: Final = getincrementaldecoder("utf-8")


def report(command: str, output: Output) -> ToolResult:
    """The result of a command that succeeded.

    Raises:
        ToolError: it did not.
    """
    stdout = _text(output.stdout, output.stdout_end, output.stdout_missing)
    stderr = _text(output.stderr, output.stderr_end, output.stderr_missing)
    note = "".join(f"\n\n{line}" for line in _notes(command, output))
    command = shown(command)
    match output.status:
        case Exited(code=0):
            content = _streams(stdout, stderr) or "The command succeeded without output."
            return ToolResult(
                content + note,
                f"{command}: success ({_volume(stdout, stderr)})",
                _transcript(command, stdout, stderr) + note,
            )
        case Exited(code=code):
            outcome = f"The command failed with exit code {code}"
            short = f"failed with exit code {code} ({_total(stdout, stderr)})"
            body = _streams(stdout, stderr)
        case Signaled(signal=number):
            outcome = f"The command was terminated by signal {number}"
            short = f"terminated by signal {number}"
            body = _labelled(stdout, stderr) if stdout or stderr else ""
        case TimedOut():
            outcome, short = "The command timed out", "timed out"
            body = _streams(stdout, stderr)
        case FailedToStart(reason=reason):
            raise refused(command, f"The command failed to start: {reason}", reason)
    content = f"{outcome}:\n{body}" if body else f"{outcome}, without output."
    expanded = f"{_transcript(command, stdout, stderr)}\n\n{outcome}."
    raise ToolError(content + note, f"{command}: {short}", expanded + note)


def _notes(command: str, output: Output) -> Iterator[str]:
    """What the model should know besides."""
    if output.stdout_missing or output.stderr_missing:
        yield f"[output was cut: {_FILTER}]"
    if output.status == Exited(_CANNOT_EXECUTE) and (
        len(command) > LONGEST_ARGUMENT or b"Argument list too long" in output.stderr
    ):
        yield _TOO_LONG
    if output.left_behind:
        processes = "".join(f"\n{line}" for line in output.left_behind)
        yield f"[ended when the call returned, because nothing can outlive a call:{processes}]"


def refused(command: str, content: str, reason: str) -> ToolError:
    """The error for a command that never ran."""
    first_line, command = reason.partition("\n")[0], shown(command)
    return ToolError(content, f"{command}: error: {first_line}", f"Command: {command}\n\n{reason}")


def shown(command: str) -> str:
    """A command line as people see it; they need not see all of a long script."""
    return command if len(command) <= _SHOWN else f"{command[:_SHOWN]} ..."


def _text(start: bytes, end: bytes, missing: int) -> str:
    """A stream, of which `missing` bytes between start and end are not known."""
    if not missing:
        return (start + end).decode("utf-8", "replace")
    # Whole lines, unless that costs more than half of what there is.
    kept = start.rfind(b"\n") + 1
    kept = kept if 2 * kept >= len(start) else len(start)
    skipped = end.find(b"\n") + 1
    skipped = skipped if 2 * skipped <= len(end) else 0
    missing += len(start) - kept + skipped
    # A character that was cut in two is left out, too.
    above = _decoder("replace").decode(start[:kept]).removesuffix("\n")
    below = end[skipped:].lstrip(_CONTINUATION).decode("utf-8", "replace")
    return f"{above}\n[... {missing} bytes left out ...]\n{below}"


def _streams(stdout: str, stderr: str) -> str:
    """Both streams, labelled where there are two."""
    return _labelled(stdout, stderr) if stdout and stderr else stdout or stderr


def _labelled(stdout: str, stderr: str) -> str:
    return f"=== stdout ===\n{stdout}\n\n=== stderr ===\n{stderr}"


def _transcript(command: str, stdout: str, stderr: str) -> str:
    body = _labelled(stdout, stderr) if stdout or stderr else "(no output)"
    return f"Command: {command}\n\n{body}"


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n")) if text else 0


def _volume(stdout: str, stderr: str) -> str:
    if not stdout and not stderr:
        return "no output"
    output = f"{_lines(stdout)} lines output"
    return f"{output}, {_lines(stderr)} lines stderr" if stderr else output


def _total(stdout: str, stderr: str) -> str:
    count = _lines(stdout) + _lines(stderr)
    return f"{count} lines output" if count else "no output"
