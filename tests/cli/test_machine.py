"""What the machine refuses: full disks, a closed pipe, a damaged cache. Nothing is lost."""

from __future__ import annotations

import gzip
import hashlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Wasmind, write_app
from tests.compiler.repositories import Repository
from wasmind_compiler.build.interpreter import build_interpreter
from wasmind_compiler.build.shipped import ShippedInterpreter
from wasmind_compiler.reporter import Reporter

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


@pytest.mark.parametrize("damage", [b"", b"torn", None], ids=["empty", "torn", "gone"])
@pytest.mark.parametrize("part", ["component", "digest"])
def test_a_damaged_interpreter_in_the_cache_is_replaced(
    tmp_path: Path, part: str, damage: bytes | None
) -> None:
    component = b"\0asm, as far as a cache is concerned"
    packed = tmp_path / "interpreter.wasm.gz"
    packed.write_bytes(gzip.compress(component))
    sha256 = hashlib.sha256(component).hexdigest()
    release = ShippedInterpreter(sha256, len(component), packed)

    def get() -> Path:
        nowhere = tmp_path / "nowhere"
        return build_interpreter(tmp_path / "cache", nowhere, nowhere, Reporter(), shipped=release)

    path = get()
    damaged = path if part == "component" else path.with_suffix(".sha256")
    if damage is None:
        damaged.unlink()
    else:
        damaged.write_bytes(damage)
    assert get().read_bytes() == component
    assert path.with_suffix(".sha256").read_text() == sha256


@pytest.mark.parametrize("name", ["plan.json", "MANIFEST.json", "components/*", "wasmind.lock"])
@pytest.mark.parametrize("damage", [b"", None], ids=["empty", "gone"])
def test_a_damaged_bundle_in_the_cache_is_replaced(
    wasmind: Wasmind, work: Path, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    run = ("run", "app.toml", "--prompt", "hello", "--timeout", "0.01")
    before = wasmind(*run)
    (bundle,) = (tmp_path / "home" / ".cache" / "wasmind" / "bundles").iterdir()
    (file,) = bundle.glob(name)
    content = file.read_bytes()
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)  # whatever shares it is damaged, too
    after = wasmind(*run)
    assert (after.returncode, after.stdout) == (before.returncode, before.stdout)
    assert _errors(after.stderr) == _errors(before.stderr), after.stderr
    assert file.read_bytes() == content
    assert "Replacing" not in wasmind(*run).stderr
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]


def _errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("error")]
