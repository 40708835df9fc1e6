"""`wasmind clean` beside commands that use the cache: it waits for them, and not for ever."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import HeldFetch, Wasmind, command, environment, write_app
from tests.compiler.repositories import Repository
from wasmind.cli import cache_use
from wasmind.cli.sizes import human
from wasmind_compiler.emit.sharing import SharedFiles


def content(tmp_path: Path) -> list[str]:
    """What the cache holds, locks left out."""
    cache = tmp_path / "home" / ".cache" / "wasmind"
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_nothing_is_removed_while_a_command_uses_the_cache(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, held_fetch: HeldFetch
) -> None:
    write_app(tmp_path / "work", remote.url)
    running = held_fetch.start(tmp_path)
    refused = wasmind("clean", "--wait", "0.2")
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: the cache is in use: waited 0.2 s for others to be done with the cache\n",
    )
    assert content(tmp_path) == ["git"]
    waited = held_fetch.let_go_when("Waiting", tmp_path, "clean")
    assert running.wait() == 0, "it was not disturbed"
    assert waited == (0, "     Waiting for others to be done with the cache\n")
    assert content(tmp_path) == []


def test_a_git_without_its_parent_is_waited_for(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, held_fetch: HeldFetch
) -> None:
    write_app(tmp_path / "work", remote.url)
    running = held_fetch.start(tmp_path)
    running.kill()
    running.wait()
    assert wasmind("clean", "--wait", "0").returncode == 2
    waiting = "Waiting for the process that holds"
    code, _ = held_fetch.let_go_when(waiting, tmp_path, "clean")
    assert code == 0
    assert content(tmp_path) == []
    assert wasmind("lock", "app.toml").returncode == 0


def test_commands_share_the_cache(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, held_fetch: HeldFetch
) -> None:
    write_app(tmp_path / "work", remote.url)
    assert wasmind("lock", "app.toml").returncode == 0
    (tmp_path / "work" / "app.lock").unlink()
    running = held_fetch.start(tmp_path)
    (tmp_path / "work" / "local.toml").write_text("starting_actors = []\n")
    assert wasmind("clean", "--dry-run").returncode == 0
    assert "Waiting" not in wasmind("check", "local.toml").stderr
    assert running.poll() is None, "still at it"
    held_fetch.let_go()
    assert running.wait() == 0


DAY = 86_400.0


def age(path: Path, days: float) -> None:
    """Make it look as if nothing had used it for so long."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def entry(tmp_path: Path, name: str, days: float) -> Path:
    """A folder of the cache with a file of one MiB, last used so long ago."""
    folder = tmp_path / "home" / ".cache" / "wasmind" / name
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(bytes(1 << 20))
    age(folder, days)
    return folder


def native(tmp_path: Path, name: str, days: float) -> Path:
    """Native code in the cache with its lock, last used so long ago."""
    folder = tmp_path / "home" / ".cache" / "wasmind" / "native"
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("lock", "cwasm"):
        path = folder / f"{name}.{ending}"
        path.write_bytes(bytes(1000))
        age(path, days)
    return path


def test_only_what_nothing_has_used_for_long(wasmind: Wasmind, tmp_path: Path) -> None:
    old, young = entry(tmp_path, "bundles/old", 8), entry(tmp_path, "bundles/young", 6)
    old_code, young_code = native(tmp_path, "a", 8), native(tmp_path, "b", 6)
    shown = wasmind("clean", "--older-than", "7d", "--dry-run").stdout
    assert old.is_dir()
    done = wasmind("clean", "--older-than", "1w")
    assert done.stdout == shown.replace("would remove", "removed")
    assert "1.0 MiB" in done.stdout
    assert [path.exists() for path in (old, young, old_code, young_code)] == [0, 1, 0, 1]
    assert not old_code.with_suffix(".lock").exists()
    assert "nothing to clean" in wasmind("clean", "--older-than", "7d").stdout


def test_an_age_that_is_none(wasmind: Wasmind, tmp_path: Path) -> None:
    entry(tmp_path, "bundles/old", 8)
    done = wasmind("clean", "--older-than", "7")
    assert (done.returncode, "`7` is not an age; `12h`, `7d` and `2w` are" in done.stderr) == (2, 1)


def test_what_this_version_would_not_use_again(
    wasmind: Wasmind, work: Path, tmp_path: Path
) -> None:
    wasmind("run", "app.toml", "--prompt", "hello", "--timeout", "0.01")
    cache = tmp_path / "home" / ".cache" / "wasmind"
    used = {path for part in ("bundles", "native") for path in (cache / part).iterdir()}
    assert len(used) >= 2
    unused = [
        entry(tmp_path, "actors/0123456789abcdef-01", 0),
        entry(tmp_path, "bundles/b/actors/a", 0).parent.parent,
        entry(tmp_path, "bundles/.b.17.new", 0),
        entry(tmp_path, "interpreter/build-x", 0),
        native(tmp_path, "other", 0),
    ]
    sources = entry(tmp_path, "sources/s", 400)
    done = wasmind("clean", "--unused")
    assert (done.returncode, [path for path in unused if path.exists()]) == (0, []), done.stderr
    assert sources.is_dir()
    assert [path for path in used if not path.exists()] == []


def test_bundles_in_the_cache_share_their_components(
    wasmind: Wasmind, work: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "home" / ".cache" / "wasmind"
    text = (work / "app.toml").read_text()
    for number in range(3):
        (work / "app.toml").write_text(f'name = "number {number}"\n{text}')
        wasmind("run", "app.toml", "--prompt", "hello", "--timeout", "0.01")
    components = list((cache / "bundles").glob("*/components/*.wasm"))
    assert len(components) == 3
    (shared,) = (cache / "components").iterdir()
    assert {path.stat().st_ino for path in components} == {shared.stat().st_ino}
    for bundle in (cache / "bundles").iterdir():
        age(bundle, 1)
    shown = wasmind("clean", "--older-than", "12h", "--dry-run").stdout
    expected = sum(
        path.stat().st_size
        for path in (cache / "bundles").rglob("*")
        if path.is_file() and path.suffix != ".wasm"
    )
    assert f"would remove {human(expected)} in" in shown, "the component stays in the cache"
    own = wasmind("bundle", "app.toml", "-o", "own")
    assert own.returncode == 0
    (component,) = (work / "own" / "components").iterdir()
    assert component.stat().st_nlink == 1, "what belongs to the user is theirs alone"


def test_where_files_cannot_be_shared_they_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    SharedFiles(tmp_path / "shared").place(tmp_path / "a.wasm", b"content", "abc")
    assert (tmp_path / "a.wasm").read_bytes() == b"content"


def test_a_damaged_shared_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "abc.wasm").write_bytes(b"kontent")
    SharedFiles(tmp_path).place(tmp_path / "target.wasm", b"content", "abc")
    assert (tmp_path / "target.wasm").read_bytes() == b"content"
    assert (tmp_path / "abc.wasm").samefile(tmp_path / "target.wasm")


def test_a_cache_over_its_limit_loses_what_was_not_used_for_a_month(
    wasmind: Wasmind, work: Path, tmp_path: Path
) -> None:
    assert wasmind("check", "app.toml").returncode == 0
    lock = tmp_path / "home" / ".cache" / "wasmind" / "in-use.lock"
    old, young = entry(tmp_path, "bundles/old", 31), entry(tmp_path, "bundles/young", 29)

    wasmind("check", "app.toml", WASMIND_CACHE_MIB="1")
    assert old.is_dir(), "it was looked after today"

    age(lock, 2)
    wasmind("check", "app.toml", WASMIND_CACHE_MIB="3")
    assert old.is_dir(), "there is room"

    age(lock, 2)
    with cache_use.shared(lock.parent):
        wasmind("check", "app.toml", WASMIND_CACHE_MIB="1")
    assert old.is_dir(), "somebody uses the cache"

    done = wasmind("check", "app.toml", WASMIND_CACHE_MIB="1")
    assert (old.exists(), young.exists()) == (False, True)
    assert (done.stdout, done.stderr) == ("app.toml: no errors\n", "")


def test_what_is_used_is_marked(wasmind: Wasmind, work: Path, tmp_path: Path) -> None:
    wasmind("run", "app.toml", "--prompt", "hello", "--timeout", "0.01")
    cache = tmp_path / "home" / ".cache" / "wasmind"
    used = [*(cache / "bundles").iterdir(), *(cache / "native").glob("*.cwasm")]
    assert len(used) == 2
    for path in used:
        age(path, 40)
    wasmind("run", "app.toml", "--prompt", "hello", "--timeout", "0.01")
    assert [path for path in used if path.stat().st_mtime < time.time() - DAY] == []


def test_killed_while_it_cleans_it_leaves_whole_entries(wasmind: Wasmind, tmp_path: Path) -> None:
    bundles = [entry(tmp_path, f"bundles/b{number}", 1) for number in range(20)]
    for bundle in bundles:
        for number in range(200):
            (bundle / str(number)).write_bytes(b"")
        age(bundle, 1)
    cleaning = subprocess.Popen(
        command("clean", "--older-than", "1h"),
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
    )
    while cleaning.poll() is None and not list(bundles[0].parent.glob(".removing-*")):
        pass
    cleaning.kill()
    cleaning.wait()
    assert {len(list(bundle.iterdir())) for bundle in bundles if bundle.exists()} <= {201}
    assert wasmind("clean").returncode == 0
    assert content(tmp_path) == []


def test_two_commands_at_once_share_what_both_make(
    wasmind: Wasmind, work: Path, tmp_path: Path
) -> None:
    text = (work / "app.toml").read_text()
    running = []
    for number in range(4):
        (work / f"app{number}.toml").write_text(f'name = "number {number}"\n{text}')
        arguments = ("run", f"app{number}.toml", "--prompt", "hello", "--timeout", "0.01")
        running.append(
            subprocess.Popen(
                command(*arguments),
                cwd=work,
                env=environment(tmp_path),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for process in running:
        assert "no answer within" in process.communicate()[1]
    cache = tmp_path / "home" / ".cache" / "wasmind"
    components = list((cache / "bundles").glob("*/components/*.wasm"))
    assert (len(components), len({path.read_bytes() for path in components})) == (4, 1)
    assert [path.name for path in (cache / "components").iterdir()] == [components[0].name]
