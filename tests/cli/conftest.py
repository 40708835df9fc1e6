"""The command line as a process of its own, with an empty HOME and cache."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime

from tests.compiler.project import ECHO
from tests.compiler.repositories import Repository
from tests.observing import wait_for

MAIN = "from wasmind.__main__ import main; main()"
Wasmind = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wasmind(tmp_path: Path) -> Wasmind:
    """Runs a command in the folder `work`."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        cwd = more.pop("cwd", str(tmp_path / "work"))
        return subprocess.run(
            command(*arguments),
            cwd=cwd,
            capture_output=True,
            text=True,
            env=environment(tmp_path, **more),
        )

    return run


@pytest.fixture
def remote(tmp_path: Path, wasmind: Wasmind) -> Repository:
    """A repository of six prebuilt actors in a chain."""
    remote = Repository.make(tmp_path / "served" / "remote")
    component = bytes(wasmtime.wat2wasm(ECHO.read_text()))
    for number in range(6):
        manifest = f'actor_id = "test:a{number}"\nbuild.component = "echo.wasm"\n'
        if number < 5:
            manifest += f'required_spawn_with = ["a{number + 1}"]\n'
            manifest += f'[dependencies.a{number + 1}]\nsource = {{ path = "../a{number + 1}" }}\n'
        remote.write(f"a{number}/Wasmind.toml", manifest)
        remote.write(f"a{number}/echo.wasm", component)
        remote.write(f"a{number}/noise.bin", random.Random(number).randbytes(200_000))
    remote.commit()
    return remote


def write_app(work: Path, url: str) -> None:
    """A config of the first actor of `remote`."""
    (work / "app.toml").write_text(
        f'starting_actors = ["a0"]\n\n[actors.a0]\nsource = {{ git = "{url}", sub_dir = "a0" }}\n'
    )


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """What `wasmind` runs in."""
    return {
        "HOME": str(tmp_path / "home"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        **more,
    }


def command(*arguments: str) -> list[str]:
    """The command line of a verb."""
    return [sys.executable, "-c", MAIN, *arguments]


class HeldFetch:
    """A `git` whose fetches begin, and then wait to be let go."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._begun, self._free = folder / "begun", folder / "free"
        self.path = f"{folder}:{os.environ['PATH']}"
        program = folder / "git"
        program.write_text(
            f'#!/bin/sh\ncase "$*" in *" fetch "*) touch {self._begun}\n'
            f"until [ -e {self._free} ]; do sleep 0.02; done;; esac\n"
            f'exec {shutil.which("git")} "$@"\n'
        )
        program.chmod(0o755)

    def start(self, tmp_path: Path) -> subprocess.Popen[bytes]:
        """Run `lock` until its fetch has begun."""
        process = subprocess.Popen(
            command("lock", "app.toml"),
            cwd=tmp_path / "work",
            env=environment(tmp_path, PATH=self.path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: self._begun.exists() or process.poll() is not None)
        assert process.poll() is None
        return process

    def let_go(self) -> None:
        """Let it and all others go on."""
        self._free.touch()

    def let_go_when(self, text: str, tmp_path: Path, *arguments: str) -> tuple[int, str]:
        """Run a command, and let go as soon as it has said something; exit code and stderr."""
        process = subprocess.Popen(
            command(*arguments),
            cwd=tmp_path / "work",
            env=environment(tmp_path, PYTHONUNBUFFERED="1"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        said = ""
        while text not in said:
            line = process.stderr.readline()
            assert line, f"it never said so: {said}"
            said += line
        self.let_go()
        said += process.communicate()[1]
        return process.returncode, said


@pytest.fixture
def held_fetch(tmp_path: Path) -> Iterator[HeldFetch]:
    """Let go at the end, so that a test that fails leaves nothing that waits."""
    held = HeldFetch(tmp_path / "bin")
    yield held
    held.let_go()


@pytest.fixture
def work(tmp_path: Path, wasmind: Wasmind) -> Path:
    """A folder with a valid config over one prebuilt actor, which needs no interpreter."""
    work = tmp_path / "work"
    (work / "echo").mkdir()
    (work / "echo" / "Wasmind.toml").write_text(
        'actor_id = "test:echo"\nbuild.component = "echo.wasm"\n'
    )
    (work / "echo" / "echo.wasm").write_bytes(wasmtime.wat2wasm(ECHO.read_text()))
    (work / "app.toml").write_text(
        'starting_actors = ["echo"]\n\n[actors.echo]\nsource = { path = "echo" }\n'
    )
    return work
