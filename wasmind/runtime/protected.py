"""What no guest changes through its files, whatever folder it was granted.

A grant lets an actor work on a project. It does not let it change what decides about actors: the
config and its lockfile, the sources and bundles that code comes from, the cache, Wasmind itself,
and the parts of a repository that git runs. Otherwise it would grant itself the rest, with the next
run at the latest. Only a grant that names such a place, and not just a folder around it, opens it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import wasmtime

from wasmind import paths
from wasmind.records import Record
from wasmind.runtime.bundle import MANIFEST, PLAN
from wasmind.runtime.folders import Folder

#: Read from whichever folder a command is started in, or one around it.
_CONFIGS: Final = frozenset({"wasmind-app.toml", "wasmind-app.lock"})
_GIT: Final = ".git"


class Protected(Record):
    """Places that are protected, as real paths; what is below them is protected too.

    Attributes:
        places: each with what it is.
    """

    places: tuple[tuple[str, str], ...] = ()

    def what(self, path: str, folder: Folder) -> str | None:
        """What keeps an actor from changing a path, or None.

        Args:
            path: a real path below the folder.
            folder: the grant through which it would be changed.
        """
        for place, what in self.places:
            if _is_below(path, place) and not (folder.named and _is_below(folder.path, place)):
                return what
        return _by_name(path, folder) or _in_bundle(path, folder)

    def inside(self, folder: Folder) -> str | None:
        """What makes it unsafe to hand a folder out as a whole, or None."""
        if what := self.what(folder.path, folder):
            return what
        for place, what in self.places:
            if _is_below(place, folder.path):
                return what
        for name in (*sorted(_CONFIGS), _GIT):
            if os.path.lexists(os.path.join(folder.path, name)):  # noqa: PTH118
                return f"`{name}`"
        return None


UNPROTECTED: Final = Protected()


def protected(bundle: Path, cache: Path, others: Iterable[Path] = ()) -> Protected:
    """What is protected in a run.

    Args:
        bundle: the folder of the bundle that runs.
        cache: the user's cache folder.
        others: config, lockfile and sources that the bundle was made from, where they are known.
    """
    found = {
        os.path.realpath(place): what
        for place, what in (
            *_own(),
            *((place, "something the system is made of") for place in others),
            (cache, "the cache"),
            (bundle, "the bundle"),
        )
    }
    return Protected(places=tuple(found.items()))


def _own() -> Iterator[tuple[Path, str]]:
    """Where Wasmind runs from, and what it keeps about its user."""
    what = "a folder that Wasmind runs from"
    yield Path(__file__).parent.parent, what
    yield Path(wasmtime.__file__).parent.parent, what
    yield paths.shipped("actors"), what
    if sys.prefix != sys.base_prefix:
        yield Path(sys.prefix), what
    yield paths.config_dir(), "the user's configuration of Wasmind"
    yield paths.state_dir(), "what Wasmind remembers of accepted capabilities"


def _by_name(path: str, folder: Folder) -> str | None:
    steps = Path(path).relative_to(folder.path).parts
    if any(step.lower() == _GIT for step in steps):
        return "part of a git repository's own files"
    if steps and steps[-1].lower() in _CONFIGS:
        return "a config or a lockfile"
    return None


def _in_bundle(path: str, folder: Folder) -> str | None:
    top = Path(folder.path)
    for around in (Path(path), *Path(path).parents):
        if around == top and folder.named:
            return None
        if (around / MANIFEST).is_file() and (around / PLAN).is_file():
            return "part of a bundle"
        if around == top:
            return None
    return None


def _is_below(path: str, place: str) -> bool:
    # File systems may not tell upper from lower case.
    path, place = path.casefold(), place.casefold()
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)
