"""`wasmind lock` killed at any moment: whoever comes next finds a usable cache and lockfile.

Nothing here goes by the clock: a process dies of its own hand, just before it changes something,
and a git that is fetching dies when half of what it asked for has arrived.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Wasmind, command, environment
from tests.compiler.repositories import Repository, serve, smart_handler
from tests.observing import DEADLINE

#: Kills itself before the change whose number it is given: a file below `HOME` or here is made,
#: renamed or removed, a lock taken or left, a program started. Without that many changes it ends.
DOOMED = f"""
import itertools, os, signal, sys

changes, last = itertools.count(), int(sys.argv.pop(1))
places = (os.environ["HOME"], os.getcwd())

def changes_something(event, arguments):
    if event in ("subprocess.Popen", "fcntl.flock"):
        return True
    if event == "open" and not (arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        return False
    if event == "open" or event.startswith("os."):
        return any(isinstance(each, str) and each.startswith(places) for each in arguments[:2])
    return False

def hook(event, arguments):
    if changes_something(event, arguments) and next(changes) == last:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
{MAIN}
"""


def write_app(work: Path, url: str) -> None:
    """A config of an actor that needs another one."""
    (work / "app.toml").write_text(
        f'starting_actors = ["a4"]\n\n[actors.a4]\nsource = {{ git = "{url}", sub_dir = "a4" }}\n'
    )


def folders(tmp_path: Path) -> list[Path]:
    """Actors in the cache."""
    sources = tmp_path / "home" / ".cache" / "wasmind" / "sources"
    return list(sources.iterdir()) if sources.is_dir() else []


@pytest.mark.slow
def test_killed_before_every_change(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    write_app(work, remote.url)
    assert wasmind("lock", "app.toml").returncode == 0
    locked = (work / "app.lock").read_bytes()
    number = 0
    while True:
        shutil.rmtree(tmp_path / "home" / ".cache")
        (work / "app.lock").unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-c", DOOMED, str(number), "lock", "app.toml"],
            cwd=work,
            env=environment(tmp_path),
            capture_output=True,
        ).returncode
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        assert not (work / "app.lock").exists(), "it is the last thing to appear"
        # What is not whole cannot be mistaken for content.
        for folder in folders(tmp_path):
            assert folder.name.startswith(".new-") or (folder / "complete").is_file()
        done = wasmind("lock", "app.toml")
        assert (done.returncode, "error" in done.stderr) == (0, False), (number, done.stderr)
        assert (work / "app.lock").read_bytes() == locked
        number += 1
    # Two folders of three files each, a repository and a lockfile take at least as many.
    assert number > 20
    assert wasmind("lock", "--check", "app.toml").returncode == 0


class HalfAnAnswer:
    """A server whose answers to fetches stop halfway while `stops` is set."""

    def __init__(self, root: Path) -> None:
        self.stops, self.stopped, self.go_on = (threading.Event() for _ in range(3))
        outer = self

        class Half(smart_handler(root, [], None)):  # type: ignore[misc]
            def do_POST(self) -> None:
                self.wfile = _Half(self.wfile, outer)
                super().do_POST()

        self.handler: type[BaseHTTPRequestHandler] = Half


class _Half:
    """Writes half of what is large, says so, and then nothing more until it is told to."""

    def __init__(self, target: object, server: HalfAnAnswer) -> None:
        self._target, self._server = target, server

    def write(self, content: bytes) -> int:
        if self._server.stops.is_set() and len(content) > 50_000:
            self._target.write(content[: len(content) // 2])
            self._target.flush()
            self._server.stopped.set()
            self._server.go_on.wait(DEADLINE)
            content = content[len(content) // 2 :]
        return self._target.write(content)

    def __getattr__(self, name: str) -> object:
        return getattr(self._target, name)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
@pytest.mark.parametrize("with_git", [False, True])
def test_killed_in_the_middle_of_a_fetch(
    wasmind: Wasmind, remote: Repository, tmp_path: Path, with_git: bool
) -> None:
    """Whether git dies with its parent, and leaves half a pack, or fetches on without it."""
    work, names = tmp_path / "work", tmp_path / "groups"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho $$ >> {names}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    server = HalfAnAnswer(remote.root.parent)
    with serve(server.handler) as address:
        write_app(work, f"{address}/remote/.git")
        server.stops.set()
        doomed = subprocess.Popen(
            command("lock", "app.toml"),
            cwd=work,
            env=environment(tmp_path, PATH=f"{program.parent}:{os.environ['PATH']}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert server.stopped.wait(DEADLINE)
        doomed.kill()
        assert doomed.wait() == -signal.SIGKILL
        if with_git:
            _kill_groups(names)
        server.stops.clear()
        server.go_on.set()
        done = wasmind("lock", "app.toml")
        assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
        assert wasmind("lock", "--check", "app.toml").returncode == 0
    assert not list((tmp_path / "home" / ".cache").rglob("tmp_pack_*")), "half a pack is removed"


def _kill_groups(names: Path) -> None:
    """Kill what git started, which is in groups of its own."""
    for group in names.read_text().split():
        try:
            os.killpg(int(group), signal.SIGKILL)
        except ProcessLookupError:
            continue  # long done
