"""The host as a component sees it: the imports that componentize-py generated from the WIT."""

# ruff: noqa: D102 - the contracts are those of `door.Host`

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from componentize_py_types import Err
from wit_world.imports import (
    agent,
    command,
    commands,
    filesystem,
    host_info,
    http,
    logger,
    messaging,
)

from wasmind_actor.agents import SpawnError
from wasmind_actor.command import (
    Command,
    CommandError,
    Exited,
    FailedToStart,
    Output,
    Signaled,
    Status,
    TimedOut,
)
from wasmind_actor.files import (
    DeniedError,
    Entry,
    FileError,
    Kind,
    NotFoundError,
    Stat,
    TooLargeError,
    WrongKindError,
)
from wasmind_actor.host import OsInfo
from wasmind_actor.http import (
    HttpError,
    InvalidRequestError,
    InvalidUrlError,
    NetworkError,
    Request,
    Response,
    TimedOutError,
)
from wasmind_actor.log import Level

_LEVELS: Final = {
    Level.DEBUG: logger.LogLevel.DEBUG,
    Level.INFO: logger.LogLevel.INFO,
    Level.WARN: logger.LogLevel.WARN,
    Level.ERROR: logger.LogLevel.ERROR,
}
_KINDS: Final[dict[Any, Kind]] = {
    filesystem.FileKind.FILE: "file",
    filesystem.FileKind.DIRECTORY: "directory",
    filesystem.FileKind.OTHER: "other",
}
_FILE_ERRORS: Final[dict[type, type[FileError]]] = {
    filesystem.FileError_Denied: DeniedError,
    filesystem.FileError_NotFound: NotFoundError,
    filesystem.FileError_WrongKind: WrongKindError,
    filesystem.FileError_TooLarge: TooLargeError,
    filesystem.FileError_Failed: FileError,
}


class GuestHost:
    """See `wasmind_actor.door.Host`."""

    def broadcast(self, message_type: str, payload: bytes) -> None:
        messaging.broadcast(message_type, payload)

    def log(self, level: Level, text: str) -> None:
        logger.log(_LEVELS[level], _utf8(text))

    def send(self, request: Request) -> Response:
        handle = http.Request(request.method, request.url)
        handle = handle.headers(http.Headers(list(request.headers)))
        if request.body is not None:
            handle = handle.body(request.body)
        if request.timeout is not None:
            handle = handle.timeout(request.timeout)
        if request.retry is not None:  # in this order: `retry` may forget the statuses
            handle = handle.retry(request.retry.attempts, request.retry.delay_ms)
            handle = handle.retry_on_status_codes(list(request.retry.statuses))
        try:
            response = handle.send()
        except Err as error:
            raise _http_error(error.value) from None
        return Response(
            status=response.status, headers=tuple(response.headers.headers), body=response.body
        )

    def run(self, command_: Command) -> Output:
        handle = command.Cmd(command_.program).args(list(command_.arguments))
        if command_.clear_environment:
            handle = handle.env_clear()
        for name, value in command_.environment.items():
            handle = handle.env(name, value)
        if command_.directory is not None:
            handle = handle.current_dir(command_.directory)
        if command_.timeout is not None:
            handle = handle.timeout(command_.timeout)
        if command_.max_output_bytes is not None:
            handle = handle.max_output_bytes(command_.max_output_bytes)
        try:
            output = handle.run()
        except Err as error:
            raise CommandError(error.value) from None
        remains = commands.remains()
        return Output(
            status=_status(output.status),
            stdout=output.stdout,
            stderr=output.stderr,
            stdout_truncated=output.stdout_truncated,
            stderr_truncated=output.stderr_truncated,
            stdout_end=remains.stdout_end,
            stderr_end=remains.stderr_end,
            stdout_missing=remains.stdout_missing,
            stderr_missing=remains.stderr_missing,
            left_behind=tuple(remains.left_behind),
        )

    def spawn(self, actors: Sequence[str], name: str) -> str:
        try:
            return str(agent.spawn_agent(list(actors), name))
        except Err as error:
            raise SpawnError(error.value) from None

    def parent(self) -> str | None:
        scope: str | None = agent.get_parent_scope()
        return scope

    def parent_of(self, scope: str) -> str | None:
        parent: str | None = agent.get_parent_scope_of(scope)
        return parent

    def working_directory(self) -> str:
        return str(host_info.get_host_working_directory())

    def os_info(self) -> OsInfo:
        info = host_info.get_host_os_info()
        return OsInfo(info.os, info.arch)

    def read(self, path: str) -> bytes:
        return bytes(_file(filesystem.read, path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        return bytes(_file(filesystem.read_range, path, offset, length))

    def write(self, path: str, content: bytes) -> None:
        _file(filesystem.write, path, content)

    def stat(self, path: str) -> Stat:
        found = _file(filesystem.stat, path)
        return Stat(kind=_KINDS[found.kind], size=found.size, modified_ms=found.modified_ms)

    def entries(self, path: str) -> tuple[Entry, ...]:
        found = _file(filesystem.list_directory, path)
        return tuple(Entry(entry.name, _KINDS[entry.kind]) for entry in found)

    def make_folder(self, path: str) -> None:
        _file(filesystem.make_directory, path)

    def remove(self, path: str) -> None:
        _file(filesystem.remove, path)


def _utf8(text: str) -> str:
    """The text without lone surrogates, which the component model cannot pass."""
    return text.encode("utf-8", "replace").decode()


def _http_error(error: Any) -> HttpError:
    match error:
        case http.RequestError_Timeout():
            return TimedOutError("the request timed out")
        case http.RequestError_InvalidUrl(value):
            return InvalidUrlError(value)
        case http.RequestError_BuilderError(value):
            return InvalidRequestError(value)
        case _:
            return NetworkError(error.value)


def _status(status: Any) -> Status:
    match status:
        case command.ExitStatus_Exited(value):
            return Exited(value)
        case command.ExitStatus_Signaled(value):
            return Signaled(value)
        case command.ExitStatus_FailedToStart(value):
            return FailedToStart(value)
        case _:
            return TimedOut()


def _file(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Err as error:
        raise _FILE_ERRORS[type(error.value)](error.value.value) from None
