"""Opening a bundle: everything in it is verified before anything of it is used.

A bundle often lies where the actors that come from it may write. So what is read later is compared
once more, as it is read: what runs is what was verified, whatever has become of the file since.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, Final

from wasmind.plan import PlanError, RunPlan
from wasmind.runtime.errors import BundleError

MANIFEST: Final = "MANIFEST.json"
PLAN: Final = "plan.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle.

    Attributes:
        root: its folder.
        digest: over all its files, as the manifest states it.
        files: what each of them has to be, by path.
    """

    root: Path
    plan: RunPlan
    digest: str
    files: Mapping[str, Entry]

    def component(self, sha256: str) -> Path:
        """Path of a component; who reads it compares it with the digest (`Engine.component`)."""
        return self.root / "components" / f"{sha256}.wasm"

    def read(self, path: str) -> bytes:
        """Content of a file the plan names.

        Raises:
            BundleError: it is not what it was when the bundle was opened, or cannot be read.
        """
        return _read(self.root, self.files[path])


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a bundle as the manifest describes it; `sha256` is in hex."""

    path: str
    size: int
    sha256: str


def open_bundle(root: Path) -> Bundle:
    """Verify the bundle in folder `root` and read its plan.

    Raises:
        BundleError: it is no bundle, a file is missing, changed or extra, or this runtime is too
            old for it. The text names the file.
    """
    manifest = _manifest(root)
    files = {entry.path: entry for entry in map(_entry, _list(manifest, "files"))}
    digest = bundle_digest((entry.sha256, entry.size, entry.path) for entry in files.values())
    if manifest.get("digest") != digest:
        raise BundleError(f"`{MANIFEST}` was changed: its digest does not match its list of files")
    _refuse_extra(root, files)
    for entry in files.values():
        _verify(root, entry)
    if PLAN not in files:
        raise BundleError(f"the bundle has no `{PLAN}`")
    try:
        plan = RunPlan.from_json(_read(root, files[PLAN]))
    except PlanError as error:
        raise BundleError(f"`{PLAN}`: {error}") from None
    _require_files(plan, files)
    return Bundle(root, plan, digest, files)


def bundle_digest(files: Any) -> str:
    """The digest of a bundle from (sha256, size, path) of its files: sha256 over sorted lines."""
    lines = sorted(f"{path}\0{size}\0{sha256}\n" for sha256, size, path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_bundle(path: Path) -> bool:
    """Whether `path` looks like a bundle, without verifying it."""
    return (path / MANIFEST).is_file()


def _manifest(root: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((root / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(f"`{root}` is not a bundle: it has no `{MANIFEST}`") from None
    except OSError as error:
        raise BundleError(f"cannot read `{root / MANIFEST}`: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BundleError(f"`{MANIFEST}` is damaged: {error}") from None
    if not isinstance(manifest, dict):
        raise BundleError(f"`{MANIFEST}` is damaged: it is no object")
    if manifest.get("version") != _VERSION:
        found = manifest.get("version")
        raise BundleError(f"bundle format {found}; this wasmind reads format {_VERSION}")
    return manifest


def _list(manifest: dict[str, Any], key: str) -> list[Any]:
    value = manifest.get(key)
    if not isinstance(value, list):
        raise BundleError(f"`{MANIFEST}` is damaged: `{key}` is no list")
    return value


def _entry(item: Any) -> Entry:
    match item:
        case {"path": str(path), "size": int(size), "sha256": str(sha256)}:
            parts = PurePosixPath(path).parts
            if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
                raise BundleError(f"`{MANIFEST}` names an unsafe path: `{path}`")
            return Entry(path, size, sha256)
    raise BundleError(f"`{MANIFEST}` is damaged: a file needs `path`, `size` and `sha256`")


def _refuse_extra(root: Path, listed: Mapping[str, Entry]) -> None:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            raise BundleError(f"`{name}` is a link; a bundle holds only files")
        if not path.is_dir() and name != MANIFEST and name not in listed:
            raise BundleError(f"`{name}` does not belong to the bundle")


def _verify(root: Path, entry: Entry) -> None:
    """Compare a file with its entry, without holding all of it."""
    with _opened(root, entry) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _require_same(entry, digest)


def _read(root: Path, entry: Entry) -> bytes:
    """Content of a file, which is compared as it was read."""
    with _opened(root, entry) as file:
        content = file.read()
    _require_same(entry, hashlib.sha256(content).hexdigest())
    return content


@contextmanager
def _opened(root: Path, entry: Entry) -> Iterator[BufferedReader]:
    try:
        with (root / entry.path).open("rb") as file:
            if os.fstat(file.fileno()).st_size != entry.size:
                raise BundleError(f"`{entry.path}` was changed: its size differs")
            yield file
    except FileNotFoundError:
        raise BundleError(f"`{entry.path}` is missing from the bundle") from None
    except OSError as error:
        raise BundleError(f"cannot read `{entry.path}`: {error.strerror}") from None


def _require_same(entry: Entry, digest: str) -> None:
    if digest != entry.sha256:
        raise BundleError(f"`{entry.path}` was changed: its content differs")


def _require_files(plan: RunPlan, listed: Mapping[str, Entry]) -> None:
    for actor in plan.actors:
        needed = [f"components/{actor.component}.wasm", *(item.path for item in actor.modules)]
        for path in needed:
            if path not in listed:
                raise BundleError(f"actor `{actor.name}` needs `{path}`, which the bundle lacks")
