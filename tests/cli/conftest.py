"""The command line as a process of its own, with an empty HOME and cache."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime

from tests.compiler.project import ECHO

MAIN = "from wasmind.cli import main; main(prog_name='wasmind')"
Wasmind = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wasmind(tmp_path: Path) -> Wasmind:
    """Runs a command in the folder `work`."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        cwd = environment.pop("cwd", str(tmp_path / "work"))
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=cwd,
            capture_output=True,
            text=True,
            env={
                "HOME": str(tmp_path / "home"),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                **environment,
            },
        )

    return run


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
