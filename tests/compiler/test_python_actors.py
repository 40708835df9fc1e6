"""Python actors in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event, active_count

import pytest

from tests.compiler.project import CPythonGuest, FixedInterpreter, Project
from tests.observing import DEADLINE, wait_for
from wasmind_compiler.build.errors import GuestError
from wasmind_compiler.build.python import PythonBuilder, PythonGuest, python_modules
from wasmind_compiler.reporter import Reporter
from wasmind_compiler.resolution.tree import read_tree


def builder(cache: Path, guest: PythonGuest | None, *, is_new: bool = False) -> PythonBuilder:
    """A builder with the library `library` beside the cache; without a guest it cannot build."""

    def start() -> PythonGuest:
        assert guest is not None, "something is not in the cache"
        return guest

    interpreter = FixedInterpreter(cache / "x.wasm", is_new=is_new)
    return PythonBuilder(cache, cache.parent / "library", interpreter, start, Reporter())


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


@pytest.mark.parametrize("part", ["contract.json", "actor.code"])
def test_an_entry_that_was_deleted_in_part_is_made_again(
    project: Project, tmp_path: Path, part: str
) -> None:
    tree, cache = read_tree(project.actor("desk")), tmp_path / "cache" / "actors"
    builder(cache, CPythonGuest()).build(tree, "desk")
    (entry,) = cache.iterdir()
    (entry / part).unlink()
    (module,), contract = builder(cache, CPythonGuest()).build(tree, "desk")
    assert module.code.is_file()
    assert '"contract": 1' in contract
    assert list(cache.iterdir()) == [entry]


@pytest.mark.parametrize("part", ["contract.json", "actor.code", "sha256"])
def test_an_entry_that_was_damaged_is_made_again(
    project: Project, tmp_path: Path, part: str
) -> None:
    tree, cache = read_tree(project.actor("desk")), tmp_path / "cache" / "actors"
    builder(cache, CPythonGuest()).build(tree, "desk")
    (entry,) = cache.iterdir()
    content = (entry / part).read_bytes()
    for damaged in (b"", content[:-1], content[:-1] + b"\xff"):
        (entry / part).write_bytes(damaged)
        builder(cache, CPythonGuest()).build(tree, "desk")
        assert (entry / part).read_bytes() == content
    assert list(cache.iterdir()) == [entry]


def test_modules_behind_links(project: Project) -> None:
    folder = project.actor("desk")
    (folder / "actor.py").rename(folder / "real.py")
    (folder / "one.py").symlink_to("real.py")
    (folder / "actor.py").symlink_to("one.py")
    (folder / "dangling.py").symlink_to("missing.py")
    tree = read_tree(folder)
    assert [name for name, _ in python_modules(tree)] == ["actor", "one", "real"]
    assert tree.content("actor.py") == (folder / "real.py").read_bytes()


def test_the_first_module_at_fault_is_named(project: Project) -> None:
    folder = project.actor("desk")
    for name in ("b", "c", "d"):
        (folder / f"{name}.py").write_text("pass\nprint(\n")
    found = project.found("starting_actors = ['desk']\n[actors.desk]\nsource = { path = 'desk' }\n")
    assert [line.partition(" Python")[0] for line in found] == ["WM0804 desk/b.py:2:6"]


def test_the_library_is_built_along_with_the_interpreter(project: Project, tmp_path: Path) -> None:
    desk, cache = read_tree(project.actor("desk")), tmp_path / "actors"
    shelf = read_tree(project.actor("library/shelf"))
    (project.actor("library/broken") / "actor.py").write_text("(")
    (project.root / "library").rename(tmp_path / "library")
    builder(cache, CPythonGuest(), is_new=True).build(desk, "desk")
    (module,), _ = builder(cache, None).build(shelf, "shelf")
    assert module.code.is_file()
    assert len(list(cache.iterdir())) == 2


def test_the_library_waits_for_an_interpreter_that_is_new(project: Project, tmp_path: Path) -> None:
    desk, cache = read_tree(project.actor("desk")), tmp_path / "actors"
    project.actor("library/shelf")
    (project.root / "library").rename(tmp_path / "library")
    builder(cache, CPythonGuest()).build(desk, "desk")
    assert len(list(cache.iterdir())) == 1


def test_what_nobody_waits_for_is_given_up(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With one instance at a time, one of the two parts begins after the end.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    cache, begun, proceed = tmp_path / "actors", Event(), Event()
    folder = project.actor("desk")
    for name in ("first", "second"):
        (folder / f"{name}.py").write_text("x = 1\n" * 2_000)

    class Waiting(CPythonGuest):
        def compile(self, name: str, source: str) -> bytes:
            begun.set()
            proceed.wait(DEADLINE)
            return super().compile(name, source)

    before = active_count()
    running = builder(cache, Waiting())
    running.start([(read_tree(folder), "desk")])
    assert begun.wait(DEADLINE)
    running.close()
    proceed.set()
    wait_for(lambda: active_count() <= before)
    assert list(cache.glob("*")) == []
