"""`filesystem`: files below the granted folders.

A path is resolved first, links included, and must then lie below a granted folder. The file is
opened step by step from that folder without following any link, so a link swapped in after the
check leads to a refusal and never outside.
"""

from __future__ import annotations

import errno
import os
import stat as stat_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from wasmind.records import Record
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.folders import Folder, granted
from wasmind.runtime.grants import to_grant
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.interface import HostFunction, Interface

_LARGEST: Final = 16 << 20
_MOST_ENTRIES: Final = 100_000
#: Parts of a path. Each costs the kernel a look, and that time is not the guest's.
_DEEPEST: Final = 255
# Systems without O_PATH (macOS) open folders for reading instead.
_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class _FileError(Exception):
    """A case of `file-error` with its text."""

    def __init__(self, case: str, text: str) -> None:
        super().__init__(text)
        self.error = (case, text)


class _Place(Record):
    """A path inside a granted folder: the folder's real path and the steps below it."""

    root: str
    steps: tuple[str, ...]
    shown: str


def _place(host: Host, path: str, *, write: bool, follow: bool = True) -> _Place:
    if "\0" in path:
        raise _FileError("denied", "the path contains a null character")
    if len(Path(path).parts) > _DEEPEST:
        raise _FileError("failed", f"the path has more than {_DEEPEST} parts")
    real = os.path.realpath(path)
    if not follow:
        around, name = os.path.split(Path(path))
        real = os.path.join(os.path.realpath(around or "."), name)  # noqa: PTH118
    obstacle: str | None = None
    for folder in granted(host.actor):
        if not _is_below(real, folder.path) or (write and not folder.writable):
            continue
        obstacle = host.protected.what(real, folder) if write else None
        if obstacle is None:
            return _place_in(folder, real, path)
    if obstacle is not None:
        raise _protected(host, path, obstacle)
    raise _not_granted(host, path, str(Path(real).parent), write=write)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _place_in(folder: Folder, real: str, shown: str) -> _Place:
    root = folder.path
    if real == root and not Path(root).is_dir():  # a grant may name a single file
        root = str(Path(root).parent)
    return _Place(root, tuple(Path(real).relative_to(root).parts), shown)


def _protected(host: Host, path: str, what: str) -> _FileError:
    text = (
        f"`{path}` is {what}, which no actor changes unless a grant names that very file or folder"
    )
    host.around.log(host, "warn", f"refused a file: {text}")
    return _FileError("denied", text)


def _not_granted(host: Host, path: str, folder: str, *, write: bool) -> _FileError:
    hint = to_grant(host.actor, "filesystem", **{"read_write" if write else "read": [folder]})
    access = "write" if write else "read"
    text = f"`{path}` lies below no folder that `{host.actor.name}` may {access}; {hint}"
    host.around.log(host, "warn", f"refused a file: {text}")
    return _FileError("denied", text)


@contextmanager
def _parent(place: _Place, *, create: bool = False) -> Iterator[int]:
    """A descriptor of the folder that holds the last step."""
    folder = os.open(place.root, _FOLDER)
    try:
        for step in place.steps[:-1]:
            if create:
                with _ignoring_existing():
                    os.mkdir(step, dir_fd=folder)
            inner = os.open(step, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


@contextmanager
def _ignoring_existing() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        return


def _last(place: _Place) -> str:
    return place.steps[-1] if place.steps else "."


def _open_file(place: _Place, folder: int) -> int:
    # Non-blocking, so that a named pipe cannot hold the call.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(_last(place), flags, dir_fd=folder)
    if not stat_module.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _FileError("wrong-kind", f"`{place.shown}` is not a file")
    return descriptor


def _read(host: Host, path: str) -> bytes:
    place = _place(host, path, write=False)
    with _parent(place) as folder, os.fdopen(_open_file(place, folder), "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        text = f"`{path}` is larger than {_LARGEST >> 20} MiB; read it in ranges"
        raise _FileError("too-large", text)
    return content


def _read_range(host: Host, path: str, offset: int, length: int) -> bytes:
    if length > _LARGEST:
        raise _FileError("too-large", f"at most {_LARGEST >> 20} MiB can be read at once")
    place = _place(host, path, write=False)
    with _parent(place) as folder, os.fdopen(_open_file(place, folder), "rb") as file:
        file.seek(min(offset, (1 << 63) - 1))
        return file.read(length)


def _write(host: Host, path: str, content: bytes) -> None:
    place = _place(host, path, write=True)
    if not place.steps:
        raise _FileError("wrong-kind", f"`{path}` is a folder")
    name = _last(place)
    with _parent(place) as folder:
        mode = _mode_of(name, folder, path)
        aside = f".{name[:200]}.{os.urandom(4).hex()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(aside, flags, 0o666, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
            os.replace(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(aside, dir_fd=folder)
            raise


def _mode_of(name: str, folder: int, shown: str) -> int | None:
    """Permissions of the file about to be replaced; None if there is none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat_module.S_ISREG(found.st_mode):
        raise _FileError("wrong-kind", f"`{shown}` is not a file")
    return stat_module.S_IMODE(found.st_mode)


def _kind(mode: int) -> str:
    if stat_module.S_ISREG(mode):
        return "file"
    return "directory" if stat_module.S_ISDIR(mode) else "other"


def _stat(host: Host, path: str) -> tuple[str, int, int]:
    place = _place(host, path, write=False)
    with _parent(place) as folder:
        found = os.stat(_last(place), dir_fd=folder, follow_symlinks=False)
    kind = _kind(found.st_mode)
    return kind, found.st_size if kind == "file" else 0, max(0, found.st_mtime_ns // 1_000_000)


def _list(host: Host, path: str) -> list[tuple[str, str]]:
    place = _place(host, path, write=False)
    with _parent(place) as folder:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(_last(place), flags, dir_fd=folder)
        try:
            with os.scandir(descriptor) as entries:
                found = [(entry.name, _entry_kind(entry)) for entry in entries]
        finally:
            os.close(descriptor)
    if len(found) > _MOST_ENTRIES:
        raise _FileError("too-large", f"`{path}` holds more than {_MOST_ENTRIES} entries")
    return sorted(found)


def _entry_kind(entry: os.DirEntry[str]) -> str:
    if entry.is_file(follow_symlinks=False):
        return "file"
    return "directory" if entry.is_dir(follow_symlinks=False) else "other"


def _make_directory(host: Host, path: str) -> None:
    place = _place(host, path, write=True)
    with _parent(place, create=True) as folder, _ignoring_existing():
        os.mkdir(_last(place), dir_fd=folder)


def _remove(host: Host, path: str) -> None:
    # The link itself is meant, not what it leads to: only the folder around it is resolved.
    name = Path(path).name
    if name in ("", ".", ".."):
        raise _FileError("wrong-kind", f"`{path}` names no entry of a folder")
    place = _place(host, path, write=True, follow=False)
    if not place.steps:
        raise _FileError("denied", f"`{path}` is a granted folder itself")
    with _parent(place) as folder:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat_module.S_ISDIR(mode):
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)


_CASES: Final = {
    errno.ENOENT: "not-found",
    errno.ENOTDIR: "wrong-kind",
    errno.EISDIR: "wrong-kind",
    errno.ELOOP: "denied",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}


def _function(body: Callable[..., Any]) -> HostFunction:
    def call(host: Host, *values: Any) -> Ok | Err:
        try:
            return Ok(body(host, *values))
        except _FileError as error:
            return Err(error.error)
        except OSError as error:
            case = _CASES.get(error.errno or 0, "failed")
            return Err((case, f"`{values[0]}`: {error.strerror or error}"))

    return HostFunction(call, lambda reason: Err(("denied", reason)))


FILESYSTEM: Final = Interface(
    name="wasmind:ext/filesystem",
    capability="filesystem",
    functions={
        "read": _function(_read),
        "read-range": _function(_read_range),
        "write": _function(_write),
        "stat": _function(_stat),
        "list-directory": _function(_list),
        "make-directory": _function(_make_directory),
        "remove": _function(_remove),
    },
)
