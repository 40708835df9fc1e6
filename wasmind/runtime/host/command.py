"""`command`: run programs.

A command gets no input, a session of its own and a clean environment. Both streams are read at
once and drained to their end, so a chatty command never blocks and its real exit status is
reported. When the call is over everything the command started is killed, whatever it did to get
away; on time-out what was read so far is returned. What the reference's interface has no room for,
the end of a stream that was cut and the processes that were ended with the call, is in
`wasmind:ext/command`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wasmind.plan import Actor
from wasmind.records import Record
from wasmind.runtime.abi import Err, Ok, Owned
from wasmind.runtime.grants import to_grant
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

if TYPE_CHECKING:
    from selectors import BaseSelector

    from wasmind.runtime.host.launch import Launched

_CMD: Final = 110
_DEFAULT_CAP: Final = 100_000
#: How many fields of `Ended` the `command-output` of `wasmind:actor/command` has.
_REFERENCE_FIELDS: Final = 5
_KILLED: Final = ("signaled", 9)
_MIB: Final = 1 << 20
_CHUNK: Final = 65_536
#: How long inherited pipes may stay open after the command itself has ended.
_GRACE_SECONDS: Final = 0.25
_STEP_SECONDS: Final = 0.05
#: What a child sees of the host's environment unless more is granted: nothing secret.
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "SHELL", "TZ")


@dataclass(slots=True)
class _Command:
    """Builder state. All handles of one command share it."""

    program: str
    arguments: list[str] = field(default_factory=list)
    directory: str | None = None
    timeout: float | None = None
    cap: int = _DEFAULT_CAP
    cleared: bool = False
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Stream:
    """One captured stream: its first `cap` bytes and, of what came after them, the last.

    Of the last as many again are kept, at most a MiB.
    """

    cap: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        room = self.cap - len(self.head)
        self.head += chunk[:room]
        if len(chunk) > room:
            self.tail += chunk[room:]
            if (
                len(self.tail) > 2 * self.cap + _CHUNK
            ):  # not at every chunk: cutting moves what is kept
                self._cut()

    def end(self) -> bytes:
        """What comes last of a stream that is longer than `head`."""
        self._cut()
        return bytes(self.tail)

    def missing(self) -> int:
        """How many bytes lie between `head` and `end`."""
        return self.size - len(self.head) - len(self.end())

    def _cut(self) -> None:
        del self.tail[: max(0, len(self.tail) - min(self.cap, _MIB))]


class Ended(Record):
    """How a command ended, as `wasmind:ext/command` has it.

    Attributes:
        status: a case of `exit-status` with its payload.
        stdout_end, stderr_end: of a stream that was cut, what came last.
        stdout_missing, stderr_missing: how many bytes lie before that.
        left_behind: command lines of the processes that lived on after it and were ended.
    """

    stdout: bytes
    stderr: bytes
    status: tuple[str, Any]
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    stdout_end: bytes = b""
    stdout_missing: int = 0
    stderr_end: bytes = b""
    stderr_missing: int = 0
    left_behind: tuple[str, ...] = ()


def _new(host: Host, program: str) -> Owned:
    return Owned(host.resources.add(_Command(program)), _CMD)


def _builder(change: Any) -> HostFunction:
    """A method that changes the shared state and returns one more handle to it."""

    def body(host: Host, handle: int, *values: Any) -> Owned:
        command = host.resources.get(handle)
        change(command, *values)
        return Owned(host.resources.add(command), _CMD)

    return HostFunction(body, guarded=False)


def _args(command: _Command, arguments: list[str]) -> None:
    command.arguments += arguments


def _current_dir(command: _Command, directory: str) -> None:
    command.directory = directory


def _timeout(command: _Command, seconds: int) -> None:
    command.timeout = float(seconds)


def _max_output(command: _Command, size: int) -> None:
    command.cap = size


def _env(command: _Command, key: str, value: str) -> None:
    command.variables[key] = value


def _env_clear(command: _Command) -> None:
    command.cleared = True
    command.variables.clear()


def _run_built(host: Host, handle: int) -> Ok | Err:
    """`wasmind:actor/command`: the command was put together call by call."""
    ended = _run(host, host.resources.get(handle))
    if isinstance(ended, Err):
        return ended
    # The reference's interface has no room for more.
    return Ok(tuple(ended)[:_REFERENCE_FIELDS])


def _run_at_once(host: Host, fields: tuple[Any, ...]) -> Ok | Err:
    """`wasmind:ext/command`: the whole command in one call."""
    program, arguments, directory, timeout, cap, cleared, environment = fields
    ended = _run(
        host,
        _Command(
            program,
            arguments,
            directory,
            None if timeout is None else float(timeout),
            _DEFAULT_CAP if cap is None else cap,
            cleared,
            dict(environment),
        ),
    )
    return ended if isinstance(ended, Err) else Ok(ended)


def _run(host: Host, command: _Command) -> Ended | Err:
    grant = host.actor.grants.get("command", {})
    if refusal := _refusal(host.actor, command, grant):
        host.around.log(host, "warn", f"refused `{command.program}`: {refusal}")
        return Err(refusal)
    with host.around.slot("processes") as free:
        if not free:
            return Err("as many commands run as may at once (limit `processes`)")
        name = command.program.rpartition(os.sep)[2]
        with doing(host, f"running {name}"):
            return _start(host, command, grant)


def _start(host: Host, command: _Command, grant: Mapping[str, Any]) -> Ended | Err:
    executable = _executable(command.program)
    if executable is None:
        return _not_started(f"the program `{command.program}` is not on the PATH")
    words = [executable, *command.arguments]
    try:
        directory = str(Path(command.directory or ".").absolute())
    except FileNotFoundError:
        return _not_started("the working directory does not exist any more")
    try:
        run = host.around.launchers().launch(words, directory, _environment(command, grant))
    except (OSError, ValueError) as error:
        return _not_started(str(error))
    out, err = _streams(host, command)
    with run:
        ending = _collect(host, command, run, (out, err))
    if run.left:
        text = f"ended what `{command.program}` had left behind: {', '.join(run.left)}"
        host.around.log(host, "warn", text)
    if ending is _Ending.CANCELLED:
        return Err(f"`{command.program}` was cut off, because its agent is ending")
    timed_out = ending is _Ending.TIMED_OUT
    return Ended(
        bytes(out.head),
        bytes(err.head),
        ("timeout-expired", None) if timed_out else _status(command, run.status or _KILLED),
        out.size > len(out.head),
        err.size > len(err.head),
        out.end(),
        out.missing(),
        err.end(),
        err.missing(),
        run.left,
    )


def _not_started(reason: str) -> Ended:
    return Ended(b"", b"", ("failed-to-start", reason))


def _status(command: _Command, status: tuple[str, int]) -> tuple[str, Any]:
    """The case of `exit-status`."""
    kind, number = status
    if kind in ("exited", "signaled"):
        return kind, number & 0xFF
    from wasmind.runtime.host import start_failure

    words = (command.program, *command.arguments)
    return "failed-to-start", start_failure.explain(kind, number, words, command.directory)


def _refusal(actor: Actor, command: _Command, grant: Mapping[str, Any]) -> str | None:
    """Why this command may not run, or None."""
    programs = grant.get("programs")
    if programs is not None and command.program not in programs:
        hint = to_grant(actor, "command", programs=[command.program])
        return (
            f"the program `{command.program}` is not among the granted `command.programs`; {hint}"
        )
    if programs is not None and command.variables:
        from wasmind.runtime.host.code_variables import chooses_code

        if chosen := sorted(filter(chooses_code, command.variables)):
            return (
                f"the variable `{chosen[0]}` can make a program run another one, which the list "
                "of granted `command.programs` is to prevent; leave it out"
            )
    folders = grant.get("directories")
    if folders is not None:
        wanted = os.path.realpath(command.directory or ".")
        if not any(_is_below(wanted, os.path.realpath(folder)) for folder in folders):
            hint = to_grant(actor, "command", directories=[wanted])
            return f"the folder `{wanted}` is not below the granted `command.directories`; {hint}"
    return None


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _executable(program: str) -> str | None:
    """Found through the host's PATH, whatever environment the child gets."""
    # Here and below: what only guests need that run commands.
    import shutil

    return program if os.sep in program else shutil.which(program)


def _environment(command: _Command, grant: Mapping[str, Any]) -> dict[str, str]:
    if command.cleared:
        return command.variables
    names: Sequence[str] = (*_INHERITED, *grant.get("environment", ()))
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | command.variables


class _Ending(Enum):
    """Why the host stopped reading."""

    COMPLETE = auto()
    TIMED_OUT = auto()
    CANCELLED = auto()


def _streams(host: Host, command: _Command) -> tuple[_Stream, _Stream]:
    cap = min(command.cap, host.actor.limits.output_mib * _MIB)
    return _Stream(cap), _Stream(cap)


def _collect(
    host: Host, command: _Command, run: Launched, streams: tuple[_Stream, _Stream]
) -> _Ending:
    """Read both streams until the command has ended, the time is up or the actor must stop."""
    import selectors

    deadline = None if command.timeout is None else time.monotonic() + command.timeout
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(run.stdout, selectors.EVENT_READ, streams[0])
        selector.register(run.stderr, selectors.EVENT_READ, streams[1])
        selector.register(run.report, selectors.EVENT_READ)
        while run.status is None or selector.get_map():
            now = time.monotonic()
            if run.status is None:
                if host.cancelled.is_set():
                    return _Ending.CANCELLED
                if deadline is not None and now >= deadline:
                    return _Ending.TIMED_OUT
            else:
                ended = ended or now
                if now - ended > _GRACE_SECONDS:
                    break
            _read_ready(selector, run, _patience(now, deadline))
    return _Ending.COMPLETE


def _patience(now: float, deadline: float | None) -> float:
    return _STEP_SECONDS if deadline is None else min(_STEP_SECONDS, max(0.0, deadline - now))


def _read_ready(selector: BaseSelector, run: Launched, patience: float) -> None:
    ready = selector.select(patience)
    if not ready and run.status is None:
        run.watch()
    for key, _ in ready:
        if key.fd == run.report:
            run.read_status()
            if run.status is not None:
                selector.unregister(run.report)
            continue
        chunk = os.read(key.fd, _CHUNK)
        if chunk:
            key.data.add(chunk)
        else:
            selector.unregister(key.fd)


COMMAND: Final = Interface(
    name="wasmind:actor/command",
    capability="command",
    functions={
        "[constructor]cmd": HostFunction(_new, guarded=False),
        "[method]cmd.args": _builder(_args),
        "[method]cmd.current-dir": _builder(_current_dir),
        "[method]cmd.timeout": _builder(_timeout),
        "[method]cmd.max-output-bytes": _builder(_max_output),
        "[method]cmd.env": _builder(_env),
        "[method]cmd.env-clear": _builder(_env_clear),
        "[method]cmd.run": HostFunction(_run_built, Err, blocking=True),
    },
    resources={"cmd": _CMD},
)
EXT_COMMAND: Final = Interface(
    name="wasmind:ext/command",
    capability="command",
    functions={"run": HostFunction(_run_at_once, Err, blocking=True)},
)
