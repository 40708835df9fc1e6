"""The little of WASI that guests need to start and to complain; everything else traps.

No environment, no arguments, no files, no sockets. What a guest prints goes to its log, what it
writes to stderr is kept as the explanation of a trap; random bytes and clocks are real.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from wasmind.runtime.abi import Err, Ok, Owned
from wasmind.runtime.errors import CapabilityDenied
from wasmind.runtime.grants import to_grant
from wasmind.runtime.host.doing import doing
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

_POLLABLE, _INPUT, _OUTPUT, _ERROR = 101, 102, 103, 104
_STDOUT, _STDERR = 2, 3
_MOST_AT_ONCE: Final = 65_536
_MOST_RANDOM: Final = 1 << 20
_CLOSED: Final = ("closed", None)


def _random_bytes(_host: Host, size: int) -> bytes:
    if size > _MOST_RANDOM:
        raise CapabilityDenied(f"asked for {size} random bytes at once; at most {_MOST_RANDOM}")
    return os.urandom(size)


def _random_u64(_host: Host) -> int:
    return int.from_bytes(os.urandom(8), "little")


def _insecure_seed(_host: Host) -> tuple[int, int]:
    return _random_u64(_host), _random_u64(_host)


def _wall_now(_host: Host) -> tuple[int, int]:
    return divmod(time.time_ns(), 1_000_000_000)


def _write(host: Host, stream: int, data: bytes) -> Ok:
    if stream == _STDOUT:
        host.print(data)
    else:
        host.complain(data)
    return Ok()


def _subscribe_duration(host: Host, nanoseconds: int) -> Owned:
    return _pollable(host, time.monotonic_ns() + nanoseconds)


def _pollable(host: Host, when: int) -> Owned:
    return Owned(host.resources.add(when), _POLLABLE)


def _wait_until(host: Host, when: int) -> None:
    seconds = (when - time.monotonic_ns()) / 1e9
    if seconds > 0:
        with doing(host, "pausing"):
            host.cancelled.wait(seconds)


def _block(host: Host, pollable: int) -> None:
    _wait_until(host, host.resources.get(pollable))


def _ready(host: Host, pollable: int) -> bool:
    return bool(host.resources.get(pollable) <= time.monotonic_ns())


def _poll(host: Host, pollables: Sequence[int]) -> list[int]:
    times = [host.resources.get(pollable) for pollable in pollables]
    if times:
        _wait_until(host, min(times))
    now = time.monotonic_ns()
    return [index for index, when in enumerate(times) if when <= now]


def _no_folders(host: Host) -> list[Any]:
    """Where C libraries begin when a path is opened; without a folder they refuse it themselves."""
    # A Python actor has our interface; its interpreter looks around without a reason.
    if not host.actor.modules and not host.told_about_files:
        host.told_about_files = True
        hint = to_grant(host.actor, "filesystem")
        text = f"looks for files through WASI, and no folder was granted; {hint}"
        host.around.log(host, "warn", text)
    return []


def _exit(_host: Host, _status: Any) -> NoReturn:
    raise CapabilityDenied("the actor called `exit`; an actor ends when its agent does")


def _functions(**bodies: Any) -> Mapping[str, HostFunction]:
    return {name.replace("_", "-"): HostFunction(body) for name, body in bodies.items()}


def _methods(resource: str, bodies: Mapping[str, Any]) -> Mapping[str, HostFunction]:
    return {f"[method]{resource}.{name}": HostFunction(body) for name, body in bodies.items()}


def _interface(
    name: str, functions: Mapping[str, HostFunction], resources: Mapping[str, int] | None = None
) -> Interface:
    return Interface(
        name=f"wasi:{name}", capability=None, functions=functions, resources=resources or {}
    )


_STREAM_METHODS: Final = {
    **_methods(
        "output-stream",
        {
            "check-write": lambda _host, _stream: Ok(_MOST_AT_ONCE),
            "write": _write,
            "blocking-write-and-flush": _write,
            "flush": lambda _host, _stream: Ok(),
            "blocking-flush": lambda _host, _stream: Ok(),
            "subscribe": lambda host, _stream: _pollable(host, 0),
        },
    ),
    **_methods(
        "input-stream",
        {
            "read": lambda _host, _stream, _size: Err(_CLOSED),
            "blocking-read": lambda _host, _stream, _size: Err(_CLOSED),
            "subscribe": lambda host, _stream: _pollable(host, 0),
        },
    ),
}

WASI: Final[tuple[Interface, ...]] = (
    _interface(
        "cli/environment",
        _functions(
            get_environment=lambda _host: [],
            get_arguments=lambda _host: [],
            initial_cwd=lambda _host: None,
        ),
    ),
    _interface("cli/exit", _functions(exit=_exit)),
    _interface("cli/stdin", _functions(get_stdin=lambda _host: Owned(1, _INPUT))),
    _interface("cli/stdout", _functions(get_stdout=lambda _host: Owned(_STDOUT, _OUTPUT))),
    _interface("cli/stderr", _functions(get_stderr=lambda _host: Owned(_STDERR, _OUTPUT))),
    _interface("cli/terminal-stdin", _functions(get_terminal_stdin=lambda _host: None)),
    _interface("cli/terminal-stdout", _functions(get_terminal_stdout=lambda _host: None)),
    _interface("cli/terminal-stderr", _functions(get_terminal_stderr=lambda _host: None)),
    _interface(
        "random/random", _functions(get_random_bytes=_random_bytes, get_random_u64=_random_u64)
    ),
    _interface("random/insecure-seed", _functions(insecure_seed=_insecure_seed)),
    _interface(
        "random/insecure",
        _functions(get_insecure_random_bytes=_random_bytes, get_insecure_random_u64=_random_u64),
    ),
    _interface(
        "clocks/monotonic-clock",
        _functions(
            now=lambda _host: time.monotonic_ns(),
            resolution=lambda _host: 1,
            subscribe_instant=_pollable,
            subscribe_duration=_subscribe_duration,
        ),
    ),
    _interface("clocks/wall-clock", _functions(now=_wall_now, resolution=lambda _host: (0, 1_000))),
    _interface(
        "io/poll",
        {
            **_methods("pollable", {"ready": _ready}),
            "[method]pollable.block": HostFunction(_block, blocking=True),
            "poll": HostFunction(_poll, blocking=True),
        },
        {"pollable": _POLLABLE},
    ),
    _interface(
        "io/error",
        _methods("error", {"to-debug-string": lambda _host, _error: "error"}),
        {"error": _ERROR},
    ),
    _interface("io/streams", _STREAM_METHODS, {"input-stream": _INPUT, "output-stream": _OUTPUT}),
    _interface("filesystem/preopens", _functions(get_directories=_no_folders)),
)
