"""Sources of all kinds: folders, the library of actors shipped with Wasmind, git repositories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.diagnostics.rules import files, sources
from wasmind_compiler.diagnostics.suggestions import MOST_LISTED, advice, nearest
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.document import parse
from wasmind_compiler.frontend.limits import read_bounded
from wasmind_compiler.frontend.manifest import FILE_NAME, Manifest, read_manifest
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.source import LibrarySource, PathSource, Source
from wasmind_compiler.resolution.provider import Identity, SourceProblem
from wasmind_compiler.resolution.tree import Tree

if TYPE_CHECKING:
    from wasmind_compiler.resolution.git_sources import GitSources


class Sources:
    """A `SourceProvider` over the file system and git. Every manifest is read once.

    Args:
        git: makes the part of git, the first time a source needs it.
        config_folder: what relative paths of the config start at.
        library: folder of the shipped actors.
        schemas: for the manifests.
        display: names of files as shown to people.
        collector: takes what is wrong inside manifests.
    """

    def __init__(
        self,
        git: Callable[[], GitSources],
        config_folder: Path,
        library: Path,
        schemas: Schemas,
        display: Display,
        collector: Collector,
    ) -> None:
        self._git = git
        self._config_folder = config_folder
        self._library = library
        self._library_folder = library.resolve()
        self._schemas = schemas
        self._display = display
        self._collector = collector
        self._manifests: dict[Identity, Manifest | SourceProblem | None] = {}
        self._listed: dict[Path, tuple[str, ...]] = {}

    def folder(self, identity: Identity) -> Path:
        """Where the files of an actor are whose manifest has been read."""
        if identity.kind == "git":
            return self._git().folder(identity)
        return self._library / identity.key if identity.kind == "library" else Path(identity.key)

    def tree(self, identity: Identity) -> Tree | None:
        """What is in that folder, if it has been read."""
        return self._git().tree(identity) if identity.kind == "git" else None

    def identify(self, source: Source, declared_in: Identity | None) -> Identity | SourceProblem:
        """The canonical form of a source; see `SourceProvider`."""
        if isinstance(source, PathSource):
            if declared_in is not None and declared_in.origin is not None:
                return self._git().identify_inside(source, declared_in.origin)
            base = self.folder(declared_in) if declared_in else self._config_folder
            try:
                return self._identify_path(source, base)
            except OSError as error:
                # A name that is too long, a folder that may not be entered.
                return _unreadable(source.path, error)
        if isinstance(source, LibrarySource):
            return self._identify_library(source.library)
        return self._git().identify(source, declared_in.origin if declared_in else None)

    def manifest(self, identity: Identity) -> Manifest | SourceProblem | None:
        """The manifest of an actor; see `SourceProvider`."""
        if identity not in self._manifests:
            self._manifests[identity] = (
                self._git().manifest(identity)
                if identity.kind == "git"
                else self._read(self.folder(identity))
            )
        return self._manifests[identity]

    def _identify_path(self, source: PathSource, base: Path) -> Identity | SourceProblem:
        path, folder = source.path, base / source.path
        if folder.is_dir():
            return self._identify_folder(folder.resolve())
        if folder.exists():
            around = PurePath(path).parent.as_posix()
            return SourceProblem(
                rule=sources.NOT_A_FOLDER,
                message=f"`{path}` is not a folder",
                help="name the folder that holds the actor's `Wasmind.toml`",
                replacement=around if holds_actor(folder.parent) else None,
            )
        # Loaded only to explain what is missing.
        from wasmind_compiler.resolution import missing_folder

        return missing_folder.explain(source, base, self._library, self._display, self._listed)

    def _identify_folder(self, folder: Path) -> Identity:
        # A path to a shipped actor means that actor.
        if folder.parent == self._library_folder and holds_actor(folder):
            return Identity("library", folder.name)
        return Identity("path", str(folder))

    def _identify_library(self, name: str) -> Identity | SourceProblem:
        if holds_actor(self._library / name):
            return Identity("library", name)
        known = sorted(manifest.parent.name for manifest in self._library.glob(f"*/{FILE_NAME}"))
        near = nearest(name, known)
        return SourceProblem(
            rule=sources.UNKNOWN_LIBRARY_ACTOR,
            message=f"the library has no actor `{name}`",
            help=advice(name, known, "library actors"),
            replacement=near[0] if len(near) == 1 else None,
        )

    def _read(self, folder: Path) -> Manifest | SourceProblem | None:
        path = folder / FILE_NAME
        try:
            content = read_bounded(path)
        except FileNotFoundError:
            return self._no_manifest(folder)
        except OSError as error:
            return _unreadable(self._display(path), error)
        document = parse(self._display(path), content, self._collector)
        return read_manifest(document, self._schemas, self._collector) if document else None

    def _no_manifest(self, folder: Path) -> SourceProblem:
        from wasmind_compiler.resolution.missing_folder import entries_of

        shown, entries = self._display(folder), entries_of(folder)
        otherwise = [name for name in entries if name.lower() == FILE_NAME.lower()]
        below = [name for name in entries if holds_actor(folder / name)]
        help_line = None
        if otherwise:
            help_line = f"rename `{otherwise[0]}` to `{FILE_NAME}`"
        elif below:
            listed = [f"`{name}`" for name in below[:MOST_LISTED]]
            more = ["…"] if len(below) > MOST_LISTED else []
            help_line = "folders in it that have one: " + ", ".join([*listed, *more])
        return SourceProblem(
            rule=sources.MISSING_MANIFEST,
            message=f"the folder `{shown}` has no `{FILE_NAME}`",
            help=help_line,
        )


def holds_actor(folder: Path) -> bool:
    """Whether a folder is one of an actor; what may not be entered is none."""
    try:
        return (folder / FILE_NAME).is_file()
    except OSError:
        return False


def _unreadable(shown: str, error: OSError) -> SourceProblem:
    return SourceProblem(rule=files.UNREADABLE, message=f"cannot read `{shown}`: {error.strerror}")
