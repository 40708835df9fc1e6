"""A release: the wheel that the repository builds, installed where componentize-py is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
CONFIG = "example_configs/offline_assistant.toml"
PROMPT = "How many Python files are in the folder actors?"
#: Ends a program that talks to anything but this machine.
GUARD = """
import os, sys

def guard(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        if arguments[1][0] not in ("127.0.0.1", "::1", "localhost"):
            os.write(2, f"reached out to {arguments[1]}\\n".encode())
            os._exit(97)

sys.addaudithook(guard)
"""

pytestmark = pytest.mark.slow


class Installation:
    """The wheel in an environment of its own, with a home and a cache of its own."""

    def __init__(self, root: Path, wheel: Path) -> None:
        self.root = root
        venv.create(root / "venv", symlinks=True)
        self.python = root / "venv" / "bin" / "python"
        pip(f"--python={self.python}", "install", "--no-deps", "--no-index", str(wheel))
        (self.site,) = (root / "venv" / "lib").glob("python3*/site-packages")
        for name in needed("wasmind", {"compiler"}):
            borrow(name, self.site)
        (self.site / "sitecustomize.py").write_text(GUARD)
        (root / "home").mkdir()

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.root / "home"), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [self.python, "-m", "wasmind", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
        )

    def has(self, module: str) -> bool:
        code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
        return subprocess.run([self.python, "-c", code]).returncode == 0


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)


def needed(name: str, extras: set[str]) -> Iterator[str]:
    """What a distribution with some of its extras needs, without itself."""
    found, pending = {name}, [(name, extras)]
    while pending:
        current, wanted = pending.pop()
        for text in metadata.requires(current) or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": extra}) for extra in {"", *wanted}):
                continue
            if (name := canonicalize_name(requirement.name)) not in found:
                found.add(name)
                pending.append((name, requirement.extras))
                yield name


def borrow(name: str, site: Path) -> None:
    """Make a distribution of this environment one of another, without a network."""
    distribution = metadata.distribution(name)
    tops = {file.parts[0] for file in distribution.files or () if ".." not in file.parts}
    for top in tops - {"__pycache__"}:
        (site / top).symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, with the interpreter that the other tests use."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={folder}", ".")
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo, away from the repository."""
    folder = tmp_path / "demo"
    for name in ("example_configs", "actors/assistant", "actors/execute_bash"):
        ignored = shutil.ignore_patterns("*.lock", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_two_installations_of_a_wheel_run_the_demo_and_make_the_same_bundle(
    wheel: Path, demo: Path, tmp_path: Path
) -> None:
    one, two = (Installation(tmp_path / name, wheel) for name in ("one", "two"))
    assert one.has("wasmind_compiler")
    assert not one.has("componentize_py")

    start = time.monotonic()
    done = one.run("run", CONFIG, "--prompt", PROMPT, cwd=demo)
    print(f"the first run took {time.monotonic() - start:.1f} s, native code included")
    count = len(list((demo / "actors").rglob("*.py")))
    assert (done.returncode, str(count) in done.stdout) == (0, True), done.stderr
    assert "Building" not in done.stderr

    bundles = []
    for installation in (one, two):
        output = installation.root / "bundle"
        done = installation.run("bundle", CONFIG, "-o", str(output), cwd=demo)
        assert done.returncode == 0, done.stderr
        bundles.append(content(output))
    assert bundles[0] == bundles[1]
    (shared,) = (name for name in bundles[0] if name.startswith("components/"))
    assert len(bundles[0][shared]) > 20_000_000, "the interpreter is in it"


def test_a_damaged_release_is_not_used(wheel: Path, demo: Path, tmp_path: Path) -> None:
    installation = Installation(tmp_path / "one", wheel)
    packed = installation.site / "wasmind" / "share" / "interpreter" / "interpreter.wasm.gz"
    packed.write_bytes(packed.read_bytes()[:-100_000])
    done = installation.run("run", CONFIG, "--prompt", PROMPT, cwd=demo)
    assert (done.returncode, done.stderr.count("error")) == (2, 1), done.stderr
    assert "that Wasmind brings along is damaged" in done.stderr
    cache = installation.root / "home" / ".cache" / "wasmind" / "interpreter"
    assert list(cache.glob("*.wasm")) == []
