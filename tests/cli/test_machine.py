"""What the machine refuses: full disks, a closed pipe, a damaged cache. Nothing is lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Wasmind, write_app
from tests.compiler.repositories import Repository
from wasmind import paths
from wasmind_compiler.build.interpreter import interpreter_key

FULL = Path("/dev/full")
Confined = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def confined(tmp_path: Path) -> Confined:
    """Runs a command that may not write files of more than so many bytes, as on a full disk."""

    def run(*arguments: str, largest: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=tmp_path / "work",
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)),
            env={
                "HOME": str(tmp_path / "home"),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONDONTWRITEBYTECODE": "1",  # Python 3.11 would leave half of it
            },
        )

    return run


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("verb", [["check", "--format", "json"], ["graph"], ["info"]])
def test_output_that_cannot_be_written_is_an_error_without_a_traceback(
    wasmind: Wasmind, work: Path, verb: list[str]
) -> None:
    arguments = verb if verb == ["info"] else [*verb, "app.toml"]
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=work,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: No space left on device"
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(wasmind: Wasmind) -> None:
    command = [sys.executable, "-c", MAIN, "explain"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_lockfile_that_cannot_be_written_leaves_the_old_one(
    wasmind: Wasmind, work: Path, confined: Confined
) -> None:
    wasmind("lock", "app.toml")
    before = (work / "app.lock").read_bytes()
    (work / "echo" / "README").write_text("new")
    done = confined("lock", "app.toml", largest=10)
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "app.lock" in done.stderr
    assert "Traceback" not in done.stderr
    assert (work / "app.lock").read_bytes() == before
    assert sorted(item.name for item in work.iterdir()) == ["app.lock", "app.toml", "echo"]


def test_a_cache_that_cannot_be_written_is_not_the_fault_of_a_remote(
    wasmind: Wasmind, remote: Repository, tmp_path: Path
) -> None:
    write_app(tmp_path / "work", remote.url)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "git").write_text("in the way")
    done = wasmind("lock", "app.toml", WASMIND_CACHE_DIR=str(cache))
    assert done.returncode == 2
    assert f"error: git sources cannot be used: File exists: `{cache / 'git'}`" in done.stderr


def test_a_bundle_that_cannot_be_written_leaves_nothing(
    wasmind: Wasmind, work: Path, confined: Confined
) -> None:
    wasmind("lock", "app.toml")
    done = confined("bundle", "app.toml", "-o", "out", largest=100)
    assert done.returncode == 2
    assert "cannot write the bundle `out`" in done.stderr
    assert sorted(item.name for item in work.iterdir()) == ["app.lock", "app.toml", "echo"]


def test_a_damaged_interpreter_is_named_with_the_way_out(
    wasmind: Wasmind, work: Path, tmp_path: Path
) -> None:
    (work / "echo" / "Wasmind.toml").write_text('actor_id = "test:echo"\n')
    (work / "echo" / "actor.py").write_text(
        "from wasmind_actor import Actor\n\n\nclass Echo(Actor):\n    pass\n"
    )
    folder = tmp_path / "home" / ".cache" / "wasmind" / "interpreter"
    folder.mkdir(parents=True)
    key = interpreter_key(paths.shipped("actors") / "sdk", paths.shipped("schemas") / "wit")
    (folder / f"{key}.wasm").write_bytes(b"torn")
    done = wasmind("check", "app.toml")
    assert done.returncode == 2
    assert "the Python interpreter is damaged" in done.stderr
    assert "`wasmind clean`" in done.stderr
