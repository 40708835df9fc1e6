"""What was probably meant by a path that leads to no folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from wasmind_compiler.diagnostics.rules import references, sources
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.reference_findings import UNEXPANDED
from wasmind_compiler.frontend.source import PathSource
from wasmind_compiler.frontend.source_hints import looks_like_git
from wasmind_compiler.resolution.provider import SourceProblem
from wasmind_compiler.resolution.sources import holds_actor

#: The folders in folders. Many paths may be missing in one place.
Listed = dict[Path, tuple[str, ...]]


def explain(
    source: PathSource,
    base: Path,
    library: Path,
    shown: Callable[[Path], str],
    listed: Listed,
) -> SourceProblem:
    """The problem with a path that does not exist.

    Args:
        source: the path as written.
        base: the folder it starts at.
        library: folder of the shipped actors.
        shown: names of files for people.
        listed: what folders hold, as far as known; takes more.
    """
    path = source.path
    if looks_like_git(path):
        return _url(path, base)
    if (variable := UNEXPANDED.search(path)) is not None:
        return _not_expanded(source, variable)
    if "\\" in path:
        return _backslashes(source, base)
    replacement, help_line = _similar(path, base, library, shown, listed)
    return SourceProblem(
        rule=sources.PATH_NOT_FOUND,
        message=f"the folder `{path}` does not exist",
        notes=(f"looked for: {shown(base / path)}",),
        help=help_line,
        replacement=replacement,
    )


def _url(path: str, base: Path) -> SourceProblem:
    folder = path.removeprefix("file://")
    is_file = folder != path
    return SourceProblem(
        rule=sources.PATH_NOT_FOUND,
        message=f"`{path}` is a URL, not a path",
        help=f"write `{folder}`" if is_file else f'write `git = "{path}"`',
        replacement=folder if is_file and folder and _is_folder(base / folder) else None,
    )


def _not_expanded(source: PathSource, variable: re.Match[str]) -> SourceProblem:
    return SourceProblem(
        rule=references.NOT_EXPANDED,
        message=f"`{variable.group()}` is not expanded, and there is no folder of that name",
        help="write the folder out, best relative to this file",
        span=source.inside(*variable.span()),
        escalates=True,
    )


def _backslashes(source: PathSource, base: Path) -> SourceProblem:
    slashed, at = source.path.replace("\\", "/"), source.path.index("\\")
    return SourceProblem(
        rule=references.BACKSLASH,
        message=f"the folder `{source.path}` does not exist: only Windows separates by backslashes",
        help=f"write `{slashed}`, which works everywhere",
        span=source.inside(at, at + 1),
        replacement=slashed if _is_folder(base / slashed) else None,
        escalates=True,
    )


def _similar(
    path: str, base: Path, library: Path, shown: Callable[[Path], str], listed: Listed
) -> tuple[str | None, str | None]:
    name = PurePosixPath(path).name
    corrected, stopped = _corrected(path, base, listed)
    if corrected is None:
        corrected = _elsewhere(name, base, library, listed)
    if corrected is not None:
        return corrected, f"did you mean `{corrected}`?"
    if holds_actor(library / name):
        return None, f'did you mean the shipped actor: `source = {{ library = "{name}" }}`?'
    folder, part = stopped
    where = "there" if folder == base else f"in `{shown(folder)}`"
    return None, advice(part, _folders(folder, listed), f"folders {where}")


def _corrected(path: str, base: Path, listed: Listed) -> tuple[str | None, tuple[Path, str]]:
    """The path with every name that does not exist replaced by the one that is near it.

    Returns:
        The path, or None with the folder and the name at which it ends.
    """
    folder, parts = base, []
    for part in PurePosixPath(path).parts:
        if not _is_folder(folder / part):
            near = nearest(part, _folders(folder, listed))
            if len(near) != 1:
                return None, (folder, part)
            (part,) = near
        folder /= part
        parts.append(part)
    return posixpath.join(*parts), (folder, "")


def _elsewhere(name: str, base: Path, library: Path, listed: Listed) -> str | None:
    """The one actor of that name in a folder beside or below."""
    found = [
        candidate / name
        for candidate in (*(base / each for each in _folders(base, listed)), base.parent)
        if candidate != library
        and name in _folders(candidate, listed)
        and holds_actor(candidate / name)
    ]
    if len(found) != 1:
        return None
    above = found[0].parent == base.parent
    return f"../{name}" if above else found[0].relative_to(base).as_posix()


def entries_of(folder: Path) -> list[str]:
    """The names in a folder, sorted; none if it may not be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _folders(folder: Path, listed: Listed) -> Sequence[str]:
    if folder not in listed:
        names = entries_of(folder)
        listed[folder] = tuple(name for name in names if _is_folder(folder / name))
    return listed[folder]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
