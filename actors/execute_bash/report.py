"""How the end of a command is told, to the model and to people."""

from __future__ import annotations

from typing import Final

from wasmind_actor import ToolError, ToolResult
from wasmind_actor.command import Exited, FailedToStart, Output, Signaled, TimedOut

TRUNCATED: Final = "[output was cut off: filter it with a pipe, for example into `head` or `grep`]"


def report(command: str, output: Output) -> ToolResult:
    """The result of a command that succeeded.

    Raises:
        ToolError: it did not.
    """
    stdout, stderr = _text(output.stdout), _text(output.stderr)
    note = f"\n\n{TRUNCATED}" if output.stdout_truncated or output.stderr_truncated else ""
    match output.status:
        case Exited(code=0):
            content = _streams(stdout, stderr) or "The command succeeded without output."
            return ToolResult(
                content + note,
                f"{command}: success ({_volume(stdout, stderr)})",
                _transcript(command, stdout, stderr),
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
    raise ToolError(content + note, f"{command}: {short}", expanded)


def refused(command: str, content: str, reason: str) -> ToolError:
    """The error for a command that never ran."""
    first_line = reason.partition("\n")[0]
    return ToolError(content, f"{command}: error: {first_line}", f"Command: {command}\n\n{reason}")


def _text(stream: bytes) -> str:
    return stream.decode("utf-8", "replace")


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
