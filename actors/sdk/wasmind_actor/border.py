"""The border every call to the host crosses: what leaves Python is made fit to travel, or refused.

The component model passes only valid UTF-8, numbers in their range, and no more in one call than
the engine takes. Anything else would end the actor, with its state; here it costs the call.
"""

# ruff: noqa: D102 - the contracts are those of `door.Host`

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from wasmind_actor.agents import SpawnError
from wasmind_actor.command import Command, CommandError, Output
from wasmind_actor.files import Entry, FileError, Stat, TooLargeError
from wasmind_actor.http import InvalidRequestError, Request, Response, Retry
from wasmind_actor.log import Level
from wasmind_actor.wire import BroadcastError

if TYPE_CHECKING:
    from wasmind_actor.door import Host
    from wasmind_actor.host import OsInfo

T = TypeVar("T")

#: Bytes that one string or body may have. The engine takes 128 MiB in all arguments of a call;
#: bytes that are not UTF-8 travel as base64.
LARGEST: Final = 96 << 20
#: How many strings one call may take.
_MOST: Final = 100_000
#: Above this it is worth finding out whether there is room for another copy.
_LARGE: Final = 1 << 20
_LONGEST_RECORD: Final = 1 << 20
_U32: Final = 1 << 32
_U64: Final = 1 << 64


class _Unfit(ValueError):
    """A value that cannot be handed over."""


class _TooLarge(_Unfit):
    """One that is too large for it."""


def utf8(text: str) -> str:
    """The text, `?` for every half of a surrogate pair: it has no UTF-8 form."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def room_for(text: str) -> str:
    """The text, once there is memory for the copies made of it on its way out.

    Raises:
        MemoryError: there is none; without this, the lack of it would end the instance.
    """
    size = len(text) if text.isascii() else 8 * len(text)
    if size > _LARGE:
        try:
            bytearray(size)
        except MemoryError:
            gc.collect()
            _try(size)
    return text


def _try(size: int) -> None:
    try:
        bytearray(size)
    except MemoryError:
        shown = f"{size / (1 << 20):.1f} MiB"
        raise MemoryError(f"no room for {shown} on their way out (limit `memory_mib`)") from None


class Border:
    """A host behind the border; see `wasmind_actor.door.Host`."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def broadcast(self, message_type: str, payload: str) -> None:
        with _refusing(BroadcastError):
            kind, text = _text(message_type), _text(payload, "a message")
        self._host.broadcast(kind, text)

    def log(self, level: Level, text: str) -> None:
        if len(text) > _LONGEST_RECORD:
            left_out = len(text) - _LONGEST_RECORD
            text = f"{text[:_LONGEST_RECORD]} ... ({left_out} characters left out)"
        self._host.log(level, utf8(text))

    def send(self, request: Request) -> Response:
        with _refusing(InvalidRequestError):
            sized = _sized(request.body, "a request body")
            fit = replace(
                request,
                method=_text(request.method),
                url=_text(request.url),
                headers=tuple((_text(key), _text(value)) for key, value in _few(request.headers)),
                body=sized,
                timeout=_number(request.timeout, "timeout"),
                retry=_retry(request.retry),
            )
        return self._host.send(fit)

    def run(self, command: Command) -> Output:
        with _refusing(CommandError):
            environment = command.environment
            fit = replace(
                command,
                program=_text(command.program),
                arguments=tuple(_text(each) for each in _few(command.arguments)),
                directory=None if command.directory is None else _text(command.directory),
                timeout=_number(command.timeout, "timeout"),
                max_output_bytes=_number(command.max_output_bytes, "max_output_bytes"),
                environment={_text(name): _text(value) for name, value in environment.items()},
            )
        return self._host.run(fit)

    def spawn(self, actors: Sequence[str], name: str) -> str:
        with _refusing(SpawnError):
            fit = [_text(each) for each in _few(actors)], _text(name)
        return self._host.spawn(*fit)

    def parent(self) -> str | None:
        return self._host.parent()

    def parent_of(self, scope: str) -> str | None:
        return self._host.parent_of(_text(scope))

    def working_directory(self) -> str:
        return self._host.working_directory()

    def os_info(self) -> OsInfo:
        return self._host.os_info()

    def read(self, path: str) -> bytes:
        return self._host.read(_path(path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        with _refusing(FileError):
            start, size = _whole(offset, "offset", _U64), _whole(length, "length", _U32)
        return self._host.read_range(_path(path), start, size)

    def write(self, path: str, content: bytes) -> None:
        with _refusing(FileError):
            sized = _sized(content, "a file") or b""
        self._host.write(_path(path), sized)

    def stat(self, path: str) -> Stat:
        return self._host.stat(_path(path))

    def entries(self, path: str) -> tuple[Entry, ...]:
        return self._host.entries(_path(path))

    def make_folder(self, path: str) -> None:
        self._host.make_folder(_path(path))

    def remove(self, path: str) -> None:
        self._host.remove(_path(path))


@contextmanager
def _refusing(error: type[Exception]) -> Iterator[None]:
    """Values that are unfit raise `error`, one of the module that was called."""
    try:
        yield
    except _TooLarge as unfit:
        raise (TooLargeError if error is FileError else error)(str(unfit)) from None
    except _Unfit as unfit:
        raise error(str(unfit)) from None


def _text(value: str | os.PathLike[str], what: str = "a text") -> str:
    plain = os.fspath(value)
    if not isinstance(plain, str):
        raise TypeError(f"expected text, found {type(plain).__name__}")
    _limit(len(plain), what)
    fit = utf8(plain)
    if len(fit) * 4 > LARGEST:
        _limit(len(fit.encode()), what)
    return fit


def _path(value: str | os.PathLike[str]) -> str:
    with _refusing(FileError):
        return _text(value, "a path")


def _sized(data: bytes | None, what: str) -> bytes | None:
    if data is not None:
        _limit(len(data), what)
    return None if data is None else bytes(data)


def _limit(size: int, what: str) -> None:
    if size > LARGEST:
        largest = LARGEST >> 20
        raise _TooLarge(f"{what} of {size / (1 << 20):.1f} MiB; a call can take {largest} MiB")


def _few(values: Sequence[T]) -> Sequence[T]:
    if len(values) > _MOST:
        raise _TooLarge(f"{len(values)} values; a call can take {_MOST}")
    return values


def _number(value: int | None, name: str) -> int | None:
    return None if value is None else _whole(value, name, _U32)


def _whole(value: int, name: str, end: int) -> int:
    if not isinstance(value, int) or not 0 <= value < end:
        raise _Unfit(f"`{name}` is {value!r}; it must be a whole number from 0 to {end - 1}")
    return int(value)


def _retry(retry: Retry | None) -> Retry | None:
    if retry is None:
        return None
    return replace(
        retry,
        attempts=_whole(retry.attempts, "attempts", _U32),
        delay_ms=_whole(retry.delay_ms, "delay_ms", _U64),
        statuses=tuple(_whole(each, "statuses", 1 << 16) for each in _few(retry.statuses)),
    )
