"""The host as a component sees it: the imports that componentize-py generated from the WIT."""

# ruff: noqa: D102 - the contracts are those of `door.Host`; strings are fit for UTF-8 here

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any, Final

from componentize_py_types import Err
from wit_world.imports import agent, command, filesystem, host_info, http, logger, messaging
from wit_world.imports.types import Content, Content_Base64, Content_Text

from wasmind_actor.agents import SpawnError
from wasmind_actor.border import room_for
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
    Retry,
    TimedOutError,
)
from wasmind_actor.log import Level
from wasmind_actor.wire import BroadcastError

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


def content(data: bytes) -> Content:
    """Bytes as they travel."""
    try:
        return Content_Text(room_for(data.decode()))
    except UnicodeDecodeError:
        coded = binascii.b2a_base64(data, newline=False)
    return Content_Base64(room_for(coded.decode("ascii")))


def bytes_of(travelled: Content) -> bytes:
    """What `content` was made of."""
    text: str = travelled.value
    if isinstance(travelled, Content_Text):
        return text.encode()
    return binascii.a2b_base64(text)


class GuestHost:
    """See `wasmind_actor.door.Host`."""

    def broadcast(self, message_type: str, payload: str) -> None:
        try:
            messaging.broadcast(message_type, Content_Text(room_for(payload)))
        except Err as error:
            raise BroadcastError(error.value) from None

    def log(self, level: Level, text: str) -> None:
        logger.log(_LEVELS[level], text)

    def send(self, request: Request) -> Response:
        try:
            response = http.send(
                http.Request(
                    request.method,
                    request.url,
                    list(request.headers),
                    None if request.body is None else content(request.body),
                    request.timeout,
                    _retry(request.retry),
                )
            )
        except Err as error:
            raise _http_error(error.value) from None
        return Response(
            status=response.status,
            headers=tuple(response.headers),
            body=bytes_of(response.body),
        )

    def run(self, command_: Command) -> Output:
        try:
            output = command.run(
                command.Command(
                    command_.program,
                    list(command_.arguments),
                    command_.directory,
                    command_.timeout,
                    command_.max_output_bytes,
                    command_.clear_environment,
                    list(command_.environment.items()),
                )
            )
        except Err as error:
            raise CommandError(error.value) from None
        return Output(
            status=_status(output.status),
            stdout=bytes_of(output.stdout),
            stderr=bytes_of(output.stderr),
            stdout_truncated=output.stdout_truncated,
            stderr_truncated=output.stderr_truncated,
            stdout_end=bytes_of(output.stdout_end),
            stderr_end=bytes_of(output.stderr_end),
            stdout_missing=output.stdout_missing,
            stderr_missing=output.stderr_missing,
            left_behind=tuple(output.left_behind),
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
        return bytes_of(_file(filesystem.read, path))

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        return bytes_of(_file(filesystem.read_range, path, offset, length))

    def write(self, path: str, content_: bytes) -> None:
        _file(filesystem.write, path, content(content_))

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


def _retry(retry: Retry | None) -> Any:
    return retry and http.Retry(retry.attempts, retry.delay_ms, list(retry.statuses))


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
