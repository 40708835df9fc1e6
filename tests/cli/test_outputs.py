"""`wasmind lock`, `bundle` and `graph`: exit code, stdout, stderr, files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.conftest import Wasmind
from wasmind_compiler.resolution.tree import read_tree


def test_lock_twice_changes_no_byte(wasmind: Wasmind, work: Path) -> None:
    done = wasmind("lock", "app.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "app.lock: written\n", "")
    text = (work / "app.lock").read_bytes()
    modified = (work / "app.lock").stat().st_mtime_ns
    assert wasmind("lock", "app.toml").stdout == "app.lock: up to date\n"
    assert (work / "app.lock").read_bytes() == text
    assert (work / "app.lock").stat().st_mtime_ns == modified


def test_lock_check(wasmind: Wasmind, work: Path) -> None:
    missing = wasmind("lock", "--check", "app.toml")
    assert missing.returncode == 1
    assert "error[WM1001]: the lockfile `app.lock` does not exist" in missing.stderr
    assert not (work / "app.lock").exists()
    wasmind("lock", "app.toml")
    assert wasmind("lock", "--check", "app.toml").returncode == 0
    digest = read_tree(work / "echo").digest
    (work / "echo" / "README").write_text("new")
    stale = wasmind("lock", "--check", "app.toml")
    assert (stale.returncode, stale.stdout) == (1, "")
    change = f"{digest[:7]} -> {read_tree(work / 'echo').digest[:7]}"
    assert stale.stderr == (
        "error[WM1002]: the lockfile `app.lock` is stale: `echo` differs from it\n"
        " --> app.toml:4:19\n"
        "  |\n"
        '4 | source = { path = "echo" }\n'
        "  |                   ^^^^^^\n"
        " ::: app.lock:5:1\n"
        "  |\n"
        "5 | [[actor]]\n"
        "  | --------- locked here\n"
        "  = note: digest: " + change + "\n"
        "  = help: run `wasmind lock app.toml`\n"
        "\n1 error\n"
    )


def test_bundle(wasmind: Wasmind, work: Path, tmp_path: Path) -> None:
    done = wasmind("bundle", "app.toml", "-o", "out")
    assert done.returncode == 0
    manifest = json.loads((work / "out" / "MANIFEST.json").read_text())
    assert done.stdout == f"out: sha256:{manifest['digest']}\n"
    assert (work / "app.lock").read_text() == (work / "out" / "wasmind.lock").read_text()
    elsewhere = wasmind("bundle", "work/app.toml", "-o", "again", cwd=str(tmp_path))
    assert elsewhere.stdout == f"again: sha256:{manifest['digest']}\n"


def test_bundle_leaves_other_folders_alone(wasmind: Wasmind, work: Path) -> None:
    done = wasmind("bundle", "app.toml", "-o", "echo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: `echo` exists and is no bundle; choose another place\n" in done.stderr
    assert sorted(path.name for path in (work / "echo").iterdir()) == ["Wasmind.toml", "echo.wasm"]


def test_bundle_of_a_config_with_errors(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text("starting_actors = []\n")
    done = wasmind("bundle", "app.toml", "-o", "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert not (work / "out").exists()


def test_graph_without_graphviz(wasmind: Wasmind, work: Path, tmp_path: Path) -> None:
    done = wasmind("graph", "app.toml", PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert ET.fromstring(done.stdout).tag == "{http://www.w3.org/2000/svg}svg"


def test_graph_by_a_broken_graphviz(wasmind: Wasmind, work: Path, tmp_path: Path) -> None:
    (tmp_path / "dot").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "dot").chmod(0o755)
    done = wasmind("graph", "app.toml", PATH=str(tmp_path))
    assert ET.fromstring(done.stdout).tag == "{http://www.w3.org/2000/svg}svg"


def test_graph_formats(wasmind: Wasmind, work: Path) -> None:
    assert wasmind("graph", "app.toml", "--format", "dot").stdout.startswith("digraph wasmind {")
    assert wasmind("graph", "app.toml", "--format", "mermaid").stdout == (
        "flowchart LR\n"
        '  subgraph agent0["root agent"]\n'
        '    agent0_0["echo<br/>test:echo<br/>can: messaging<br/>here: starting"]\n'
        "  end\n"
    )
    document = json.loads(wasmind("graph", "app.toml", "--format", "json").stdout)
    assert document["agents"][0]["members"][0]["name"] == "echo"
