"""Granted folders, as they come out on this machine.

A relative folder lies below the working directory of the run; a bundle has no place of its own. So
the same grant can mean a project today and, started elsewhere, everything the user has. One that
comes out as the home folder, or a folder around it, holds only where it was written out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wasmind.plan import Actor, RunPlan
from wasmind.records import Record
from wasmind.runtime.errors import FolderError

_DEFAULT: Final = {"read_write": (".",)}


class Folder(Record):
    """A granted folder.

    Attributes:
        written: as in the grant.
        path: where it is, links resolved.
        writable: whether files in it may be changed, too.
    """

    written: str
    path: str
    writable: bool

    @property
    def relative(self) -> bool:
        """Whether it depends on where the run was started."""
        return not Path(self.written).is_absolute()

    @property
    def named(self) -> bool:
        """Whether the grant names it, and does not just say "here"."""
        return os.path.basename(os.path.normpath(self.written)) not in ("", ".", "..")  # noqa: PTH119


def granted(actor: Actor) -> list[Folder]:
    """The folders whose files an actor with `filesystem` may read."""
    # Without a narrower grant, the working directory is what an actor of the user works on.
    grant = actor.grants.get("filesystem") or _DEFAULT
    return [
        Folder(written, os.path.realpath(written), key == "read_write")
        for key in ("read_write", "read")
        for written in grant.get(key, ())
    ]


def require_narrow(plan: RunPlan) -> None:
    """Make sure that no grant is broader than it looks.

    Raises:
        FolderError: one is; says what to do.
    """
    written = os.path.expanduser("~")  # noqa: PTH111 - `Path.home` raises where nobody has one
    home = os.path.realpath(written) if Path(written).is_absolute() else "/"
    for actor in _with(plan, "filesystem"):
        for folder in granted(actor):
            if _around(folder.path, home) and os.path.normpath(folder.written) not in {
                folder.path,
                written,
            }:
                raise FolderError(_too_broad(actor, folder, home))


def missing(plan: RunPlan) -> Iterator[tuple[Actor, str]]:
    """Actors with folders of their grants that do not exist."""
    for actor in _with(plan, "filesystem"):
        for folder in dict.fromkeys(each.written for each in granted(actor)):
            if not Path(folder).exists():  # a grant may name a single file
                yield actor, folder
    for actor in _with(plan, "command"):
        for folder in actor.grants.get("command", {}).get("directories", ()):
            if not Path(folder).is_dir():
                yield actor, folder


def describe(plan: RunPlan) -> Iterator[str]:
    """What relative folders mean in this run, a line for each."""
    actors: dict[Folder, list[str]] = {}
    for actor in _with(plan, "filesystem"):
        for folder in granted(actor):
            if folder.relative:
                actors.setdefault(folder, []).append(f"`{actor.name}`")
    for folder, names in actors.items():
        access = "read and change" if folder.writable else "read"
        yield f"{', '.join(names)} may {access} files below {folder.path}"


def _with(plan: RunPlan, capability: str) -> Iterator[Actor]:
    return (actor for actor in plan.actors if capability in actor.capabilities)


def _around(path: str, home: str) -> bool:
    return home == path or home.startswith(path.rstrip(os.sep) + os.sep)


def _too_broad(actor: Actor, folder: Folder, home: str) -> str:
    access = "change" if folder.writable else "read"
    what = "your home folder" if folder.path == home else "a folder around your home folder"
    key = "read_write" if folder.writable else "read"
    return (
        f"`{actor.name}` may {access} files below `{folder.written}`, and that is `{folder.path}` "
        f"here, {what}: start the run in another folder, or with `--directory DIR`, or grant it as "
        f'`{key} = ["{folder.path}"]` in `[actors.{actor.name}.grants.filesystem]`'
    )
