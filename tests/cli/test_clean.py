"""`wasmind clean` beside commands that use the cache: it waits for them, and not for ever."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import HeldFetch, Wasmind, write_app
from tests.compiler.repositories import Repository


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
