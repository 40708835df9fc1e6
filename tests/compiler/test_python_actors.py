"""Python actors in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.compiler.project import CPythonGuest, FixedInterpreter, Project
from wasmind_compiler.build.errors import GuestError
from wasmind_compiler.build.python import PythonBuilder, PythonGuest
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.tree import read_tree


def builder(cache: Path, guest: PythonGuest) -> PythonBuilder:
    return PythonBuilder(cache, FixedInterpreter(cache / "x.wasm"), lambda: guest, Reporter())


def test_of_two_processes_the_first_to_finish_wins(project: Project, tmp_path: Path) -> None:
    tree, cache = read_tree(project.actor("desk")), tmp_path / "cache" / "actors"

    class Overtaken(CPythonGuest):
        def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
            builder(cache, CPythonGuest()).build(tree, "desk")
            return super().describe(modules)

    (module,), contract = builder(cache, Overtaken()).build(tree, "desk")
    assert module.code.is_file()
    assert '"contract": 1' in contract
    assert len(list(cache.iterdir())) == 1


def test_a_failure_leaves_nothing_in_the_cache(project: Project, tmp_path: Path) -> None:
    tree, cache = read_tree(project.actor("desk")), tmp_path / "cache" / "actors"

    class Broken(CPythonGuest):
        def describe(self, modules: Sequence[tuple[str, bytes]]) -> str:
            raise GuestError("Traceback")

    with pytest.raises(GuestError):
        builder(cache, Broken()).build(tree, "desk")
    assert list(cache.glob("*")) == []


def test_the_first_module_at_fault_is_named(project: Project) -> None:
    folder = project.actor("desk")
    for name in ("b", "c", "d"):
        (folder / f"{name}.py").write_text("pass\nprint(\n")
    found = project.found("starting_actors = ['desk']\n[actors.desk]\nsource = { path = 'desk' }\n")
    assert [line.partition(" Python")[0] for line in found] == ["WM0804 desk/b.py:2:6"]
