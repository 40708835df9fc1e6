"""The valid systems that defects are planted into, laid out in a folder and checked there."""

from __future__ import annotations

import os
import shutil
import tomllib
from functools import cache
from pathlib import Path
from typing import Final
from unittest import mock

import wasmtime

from tests.compiler.project import Project, component
from tests.compiler.repositories import Repository
from wasmind_compiler import pipeline

SYSTEMS: Final = Path(__file__).parent / "systems"
#: Those of the environment that the systems refer to.
VARIABLES: Final = ("OPENAI_API_KEY", "OPENROUTER_API_KEY", "TICKET_TOKEN")
#: Actors that several systems use, laid out as the folder `actors` of each.
_COMMON: Final = SYSTEMS / "actors"
NAMES: Final = tuple(sorted(x.name for x in SYSTEMS.iterdir() if x.is_dir() and x != _COMMON))


class Laboratory:
    """Folders with a copy of every system and repositories, and one cache for all of them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for name in NAMES:
            self._lay_out(name)
        _make_tools(self.repositories / "tools")

    @property
    def repositories(self) -> Path:
        """The folder of git repositories."""
        return self._root / "repositories"

    def folder(self, system: str) -> Path:
        """Where a system's files are."""
        return self._root / system

    def check(self, system: str, changes: dict[str, bytes | None]) -> pipeline.Report:
        """What the compiler says about a system with some files changed, or removed for None.

        The changes are undone afterwards.
        """
        folder = self.folder(system)
        originals = {path: _read(folder / path) for path in changes}
        try:
            for path, content in changes.items():
                _write(folder / path, content)
            with mock.patch.dict(os.environ, dict.fromkeys(VARIABLES, "set")):
                return pipeline.check(folder / "app.toml", Project(folder).environment())
        finally:
            for path, content in originals.items():
                _write(folder / path, content)

    def _lay_out(self, system: str) -> None:
        folder = self.folder(system)
        shutil.copytree(SYSTEMS / system, folder)
        shutil.copytree(_COMMON, folder / "actors")
        for manifest in folder.rglob("Wasmind.toml"):
            build = tomllib.loads(manifest.read_text()).get("build")
            if build is not None:
                target = manifest.parent / build["component"]
                target.write_bytes(_component(target.with_suffix(".wat")))


def _make_tools(root: Path) -> None:
    """A repository with two actors at three commits: `main`, the tag `v1` and the branch `next`."""
    remote = Repository.make(root)
    for name in ("meter", "planner"):
        remote.write(
            f"{name}/Wasmind.toml", f'actor_id = "tools:{name}"\nbuild.component = "actor.wasm"\n'
        )
        remote.write(f"{name}/actor.wasm", component())
    remote.commit("first")
    remote.git("tag", "v1")
    remote.commit("second")
    remote.git("checkout", "--quiet", "-b", "next")
    remote.commit("third")
    remote.git("checkout", "--quiet", "main")


@cache
def _component(text: Path) -> bytes:
    """The component written in WebAssembly text beside its manifest; without one, a plain one."""
    if text.exists():
        return bytes(wasmtime.wat2wasm(text.read_text()))
    return component()


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)
