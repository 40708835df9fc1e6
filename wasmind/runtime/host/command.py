"""`command`: run programs.

A command gets no input, a session of its own and a clean environment. Both streams are read at
once and drained to their end, so a chatty command never blocks and its real exit status is
reported. When the call is over everything the command started is killed, whatever it did to get
away; on time-out what was read so far is returned.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wasmind.runtime.abi import Err, Ok, Owned
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

if TYPE_CHECKING:
    from selectors import BaseSelector

    from wasmind.runtime.host.launch import Launched

_CMD: Final = 110
_DEFAULT_CAP: Final = 100_000
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
    """One captured stream: the first `cap` bytes, and whether there were more."""

    cap: int
    data: bytearray = field(default_factory=bytearray)
    truncated: bool = False

    def add(self, chunk: bytes) -> None:
        room = self.cap - len(self.data)
        self.data += chunk[:room]
        self.truncated = self.truncated or len(chunk) > room


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
    return _run(host, host.resources.get(handle))


def _run_at_once(host: Host, fields: tuple[Any, ...]) -> Ok | Err:
    """`wasmind:ext/command`: the whole command in one call."""
    program, arguments, directory, timeout, cap, cleared, environment = fields
    return _run(
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


def _run(host: Host, command: _Command) -> Ok | Err:
    grant = host.actor.grants.get("command", {})
    if refusal := _refusal(command, grant):
        host.around.log(host, "warn", f"refused `{command.program}`: {refusal}")
        return Err(f"{refusal}; see `[actors.{host.actor.name}.grants]`")
    with host.around.slot("processes") as free:
        if not free:
            return Err("as many commands run as may at once (limit `processes`)")
        name = command.program.rpartition(os.sep)[2]
        with doing(host, f"running {name}"):
            return _start(host, command, grant)


def _start(host: Host, command: _Command, grant: Mapping[str, Any]) -> Ok:
    from wasmind.runtime.host.launch import Launched

    executable = _executable(command.program)
    if executable is None:
        return _output(_Stream(0), _Stream(0), ("failed-to-start", "No such file or directory"))
    try:
        run = Launched(
            [executable, *command.arguments], command.directory, _environment(command, grant)
        )
    except (OSError, ValueError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _output(_Stream(0), _Stream(0), ("failed-to-start", reason))
    with run:
        answer = _collect(host, command, run)
    if run.killed:
        text = f"killed {run.killed} processes that would have outlived `{command.program}`"
        host.around.log(host, "warn", text)
    return answer


def _refusal(command: _Command, grant: Mapping[str, Any]) -> str | None:
    """Why this command may not run, or None."""
    programs = grant.get("programs")
    if programs is not None and command.program not in programs:
        return f"the program `{command.program}` is not among the granted `command.programs`"
    folders = grant.get("directories")
    if folders is not None:
        wanted = os.path.realpath(command.directory or ".")
        if not any(_is_below(wanted, os.path.realpath(folder)) for folder in folders):
            return f"the folder `{wanted}` is not below the granted `command.directories`"
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


def _collect(host: Host, command: _Command, run: Launched) -> Ok:
    """Read both streams until the command has ended, the time is up or the actor must stop."""
    import selectors

    cap = min(command.cap, host.actor.limits.output_mib * _MIB)
    out, err = _Stream(cap), _Stream(cap)
    deadline = None if command.timeout is None else time.monotonic() + command.timeout
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(run.stdout, selectors.EVENT_READ, out)
        selector.register(run.stderr, selectors.EVENT_READ, err)
        selector.register(run.report, selectors.EVENT_READ)
        while run.status is None or len(selector.get_map()) > 1:
            now = time.monotonic()
            if run.status is None and (
                host.cancelled.is_set() or (deadline is not None and now >= deadline)
            ):
                return _output(out, err, ("timeout-expired", None))
            if run.status is not None:
                ended = ended or now
                if now - ended > _GRACE_SECONDS:
                    break
            _read_ready(selector, run, _patience(now, deadline))
    return _output(out, err, run.status)


def _patience(now: float, deadline: float | None) -> float:
    return _STEP_SECONDS if deadline is None else min(_STEP_SECONDS, max(0.0, deadline - now))


def _read_ready(selector: BaseSelector, run: Launched, patience: float) -> None:
    for key, _ in selector.select(patience):
        if key.fd == run.report:
            run.read_status()
            continue
        chunk = os.read(key.fd, _CHUNK)
        if chunk:
            key.data.add(chunk)
        else:
            selector.unregister(key.fd)


def _output(out: _Stream, err: _Stream, status: tuple[str, Any]) -> Ok:
    return Ok((bytes(out.data), bytes(err.data), status, out.truncated, err.truncated))


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
