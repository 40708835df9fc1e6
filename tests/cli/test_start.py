"""What a command loads before it says something: the modules are most of a short run's time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Wasmind

#: What clean files must not pay for: libraries, native code, and the rules nobody has broken.
UNNEEDED = frozenset(
    {"asyncio", "filelock", "graphviz", "httpx", "importlib.metadata", "jinja2", "jsonschema"}
    | {"lark", "shlex", "subprocess", "tomlkit", "wasmtime"}
    | {"wasmind_compiler.diagnostics.registry", "wasmind_compiler.frontend.findings"}
    | {"wasmind_compiler.frontend.positions", "wasmind_compiler.resolution.git.program"}
)


def loaded(work: Path, *arguments: str, status: int = 0) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", MAIN, *arguments],
        cwd=work,
        capture_output=True,
        text=True,
        env={
            "HOME": str(work),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    assert done.returncode == status, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    "arguments", [["check", "app.toml"], ["lock", "app.toml"], ["lock", "--check", "app.toml"]]
)
def test_a_clean_config_loads_little(wasmind: Wasmind, work: Path, arguments: list[str]) -> None:
    wasmind("lock", "app.toml")
    assert sorted(loaded(work, *arguments) & UNNEEDED) == []


def test_help_loads_no_verb(work: Path) -> None:
    assert not any(
        name.startswith(("wasmind.cli.", "wasmind_compiler")) for name in loaded(work, "--help")
    )


def test_findings_bring_their_rules(work: Path) -> None:
    (work / "app.toml").write_text("starting_actors = [")
    assert "wasmind_compiler.diagnostics.registry" in loaded(work, "check", "app.toml", status=1)
