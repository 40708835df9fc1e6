"""Bundles: a system as a folder that holds all it needs.

    plan.json  wasmind.lock  topology.dot  topology.svg
    components/<sha256>.wasm          each distinct component once
    actors/<tree digest>/             Python sources, and beside each its code object
    MANIFEST.json                     path, size and sha256 of every other file, and their digest

The bundle digest is the sha256, in hex, over one line `PATH NUL SIZE NUL SHA256 LF` for every file,
lines sorted. Nothing but the system and the interpreter go in: with the same interpreter, the same
system gives the same bytes wherever and whenever it is bundled.

A bundle is written beside its place and renamed, so that no half-written one can ever be found. A
folder that is no bundle is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wasmind_compiler.analysis.system import System
from wasmind_compiler.emit.drawing import to_dot
from wasmind_compiler.emit.plan import (
    actor_folder,
    component_digest,
    make_plan,
)
from wasmind_compiler.emit.sharing import SharedFiles, link_or_copy
from wasmind_compiler.emit.svg import draw_reproducibly
from wasmind_compiler.emit.topology import make_topology
from wasmind_compiler.errors import CompilerFailure, NotABundleError

MANIFEST: Final = "MANIFEST.json"
VERSION: Final = 1
_PLAN: Final = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The interpreter component that goes into a bundle."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """A bundle that was written: its folder and its digest in hex."""

    path: Path
    digest: str


def write_bundle(
    system: System,
    lock: str,
    interpreter: Interpreter | None,
    output: Path,
    shared: SharedFiles | None = None,
) -> WrittenBundle:
    """Write a bundle, replacing an older one at the same place.

    Args:
        system: a system without errors.
        lock: the text of its lockfile.
        interpreter: needed if `system.needs_interpreter`.
        output: the folder to make.
        shared: where components are shared with other bundles; None for a bundle on its own.

    Raises:
        NotABundleError: something else is there.
        CompilerFailure: it cannot be written.
    """
    place = output.resolve()  # a link to a folder stays one
    _refuse_foreign(place, f"`{output}`")
    aside = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        digest = _fill(aside, system, lock, interpreter, shared)
        _publish(aside, place)
    except OSError as error:
        raise CompilerFailure(f"cannot write the bundle `{output}`: {error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return WrittenBundle(output, digest)


def system_key(system: System, lock: str, interpreter: Interpreter | None) -> str:
    """Names a system among others: the same exactly if their bundles would be the same."""
    plan = make_plan(system, interpreter.sha256 if interpreter else None).to_json()
    dot = to_dot(make_topology(system))
    return hashlib.sha256("\0".join((plan, lock, dot)).encode()).hexdigest()


def existing_bundle(path: Path) -> WrittenBundle | None:
    """A bundle that is there already; its files are verified when it is run."""
    try:
        return WrittenBundle(path, json.loads((path / MANIFEST).read_bytes())["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def bundle_digest(files: Mapping[str, tuple[int, str]]) -> str:
    """The digest over the files of a bundle: path to size and sha256."""
    lines = sorted(f"{path}\0{size}\0{sha256}\n" for path, (size, sha256) in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _refuse_foreign(place: Path, shown: str) -> None:
    if not place.exists():
        return
    is_empty = place.is_dir() and not any(place.iterdir())
    if not is_empty and not all((place / name).is_file() for name in (MANIFEST, _PLAN)):
        raise NotABundleError(f"{shown} exists and is no bundle; choose another place")
    if Path.cwd().is_relative_to(place):
        # Whoever works there would be left in a folder that is gone.
        raise NotABundleError(f"{shown} is in use as the current folder; choose another place")


def _sweep(place: Path) -> None:
    """Remove what processes left beside a bundle that were killed while they wrote it."""
    left = re.compile(rf"\.{re.escape(place.name)}\.([0-9]+)\.(new|old)")
    for path in place.parent.iterdir():
        match = left.fullmatch(path.name)
        if match and not _runs(int(match[1])):
            shutil.rmtree(path, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True


def _publish(aside: Path, output: Path) -> None:
    """Put the new folder in place. A full folder cannot be replaced by a rename, so the old one
    steps aside first."""
    old = aside.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if output.exists():
        output.rename(old)
    try:
        aside.rename(output)
    except BaseException:
        if old.exists():
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fill(
    folder: Path,
    system: System,
    lock: str,
    interpreter: Interpreter | None,
    shared: SharedFiles | None,
) -> str:
    files: dict[str, tuple[int, str]] = {}
    for path, content in _contents(system, lock, interpreter):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        sha256 = hashlib.sha256(content).hexdigest()
        if shared is not None and path == _component_path(sha256):
            shared.place(target, content, sha256)
        else:
            target.write_bytes(content)
        files[path] = (len(content), sha256)
    if interpreter is not None and system.needs_interpreter:
        path = _component_path(interpreter.sha256)
        (folder / path).parent.mkdir(exist_ok=True)
        place = shutil.copyfile if shared is None else link_or_copy
        place(interpreter.path, folder / path)
        files[path] = (interpreter.path.stat().st_size, interpreter.sha256)
    digest = bundle_digest(files)
    (folder / MANIFEST).write_text(_manifest(files, digest), encoding="utf-8")
    return digest


def _contents(
    system: System, lock: str, interpreter: Interpreter | None
) -> Iterator[tuple[str, bytes]]:
    """Every file but the interpreter and the manifest."""
    sha256 = interpreter.sha256 if interpreter else None
    dot = to_dot(make_topology(system))
    yield _PLAN, make_plan(system, sha256).to_json().encode()
    yield "wasmind.lock", lock.encode()
    yield "topology.dot", dot.encode()
    yield "topology.svg", draw_reproducibly(dot).encode()
    done: set[str] = set()
    for name in sorted(system.reached):
        actor = system.actors[name]
        component, folder = actor.artifact.component, actor_folder(actor)
        if component is not None:
            folder = _component_path(component_digest(actor, sha256))
        if folder in done:
            continue
        done.add(folder)
        if component is not None:
            yield folder, component
        for module in actor.artifact.modules:
            source = actor.artifact.tree.content(module.source) or b""
            yield f"{folder}/{module.source}", source
            yield f"{folder}/{module.source.removesuffix('.py')}.code", module.code.read_bytes()


def _component_path(sha256: str) -> str:
    return f"components/{sha256}.wasm"


def _manifest(files: Mapping[str, tuple[int, str]], digest: str) -> str:
    listed = [
        {"path": path, "size": size, "sha256": sha256}
        for path, (size, sha256) in sorted(files.items())
    ]
    document = {"version": VERSION, "digest": digest, "files": listed}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
