"""What no actor changes through its files: whatever decides about actors and their code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.conftest import PYTHON_ACTOR
from tests.runtime.test_host_filesystem import Around, call
from wasmind.plan import Actor
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.host.door import Host
from wasmind.runtime.protected import protected


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config, an actor of it, a repository, and the bundle that runs."""
    project = tmp_path / "project"
    for name in (
        *("office.toml", "office.lock", "notes.txt", "desk/Wasmind.toml", "desk/actor.py"),
        *(".git/config", ".git/hooks/pre-commit", "sub/.git/config", "bundle/MANIFEST.json"),
        *("bundle/plan.json", "bundle/actors/desk/actor.code", "cache/actors/x/actor.code"),
        *("older/MANIFEST.json", "older/plan.json", "older/wasmind.lock", "new/actor.py"),
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("old")
    monkeypatch.chdir(project)
    return project


def make_host(project: Path, **grant: list[str]) -> Host:
    grants = {"filesystem": grant} if grant else {}
    actor = Actor(name="desk", actor_id="test:desk", component="0" * 64, grants=grants)
    sources = (project / "office.toml", project / "office.lock", project / "desk")
    host = Host(actor, "000000", Around())
    host.protected = protected(project / "bundle", project / "cache", sources)
    return host


_FORBIDDEN = [
    *("office.toml", "office.lock", "desk/actor.py", "desk/Wasmind.toml", "desk/new.py"),
    *("bundle/plan.json", "bundle/actors/desk/actor.code", "bundle/new"),
    *("older/plan.json", "older/wasmind.lock", "cache/actors/x/actor.code"),
    *(".git/config", ".git/hooks/pre-commit", ".git/hooks/post-merge", ".GIT/config", ".git"),
    *("sub/.git/config", "new/.git", "wasmind-app.toml", "sub/wasmind-app.toml"),
    *("sub/wasmind-app.lock", "link/actor.py", "sub/../desk/actor.py"),
]


@pytest.mark.parametrize("grant", [{}, {"read_write": ["."]}, {"read_write": ["../project"]}])
@pytest.mark.parametrize("path", _FORBIDDEN)
def test_what_decides_about_actors_is_not_written(
    project: Path, grant: dict[str, Any], path: str
) -> None:
    (project / "link").symlink_to("desk")
    host = make_host(project, **grant)
    before = Path(path).read_text() if Path(path).is_file() else None
    answer = call(host, "write", path, b"new")
    assert isinstance(answer, Err)
    assert answer.value[0] == "denied"
    assert "which no actor changes unless a grant names" in answer.value[1]
    assert answer.value[1] in host.around.logged[0]
    assert (Path(path).read_text() if Path(path).is_file() else None) == before


@pytest.mark.parametrize("path", [path for path in _FORBIDDEN if "new" not in path])
def test_it_is_not_removed_either(project: Path, path: str) -> None:
    (project / "link").symlink_to("desk")
    there = os.path.lexists(path)
    answer = call(make_host(project), "remove", path)
    assert isinstance(answer, Err)
    assert answer.value[0] == "denied"
    assert os.path.lexists(path) == there


@pytest.mark.parametrize("path", [".git/hooks/new", "sub/new/.git", "new/.git/hooks", "desk/new"])
def test_no_folder_is_made_there(project: Path, path: str) -> None:
    answer = call(make_host(project), "make-directory", path)
    assert isinstance(answer, Err)
    assert not Path(path).exists()


def test_everything_else_in_the_folder_is_the_actors_to_change(project: Path) -> None:
    host = make_host(project)
    for path in ("notes.txt", "new/actor.py", "fresh.txt", ".gitignore", "sub/x.git"):
        assert call(host, "write", path, b"new") == Ok(), path
    assert call(host, "remove", "notes.txt") == Ok()
    assert call(host, "make-directory", "deep/er") == Ok()
    assert call(host, "read", "office.toml") == Ok(b"old")
    assert host.around.logged == []


@pytest.mark.parametrize(
    ("grant", "path"),
    [
        ("desk", "desk/actor.py"),
        ("office.toml", "office.toml"),
        (".git/hooks", ".git/hooks/pre-commit"),
        ("older", "older/plan.json"),
    ],
)
def test_a_grant_that_names_the_place_opens_it_and_nothing_else(
    project: Path, grant: str, path: str
) -> None:
    host = make_host(project, read_write=[".", grant])
    assert call(host, "write", path, b"new") == Ok()
    assert Path(path).read_text() == "new"
    assert isinstance(call(host, "write", "office.lock", b"new"), Err)


def test_an_actor_in_the_sandbox_cannot_replace_the_bundle_it_runs_from(
    python_bundle, probes, tmp_path: Path
) -> None:
    from tests.security.conftest import PROBE

    granted = PYTHON_ACTOR._replace(grants={"filesystem": {"read_write": [str(tmp_path)]}})
    bundle = python_bundle(probe=(PROBE, granted))
    code = bundle.root / "actors" / "probe" / "actor.code"
    before = code.read_bytes()
    running = probes(bundle)
    text = running.attempt(f"files.write({str(code)!r}, b'evil'); result = 'written'")
    assert text.startswith("DeniedError"), text
    assert "is the bundle" in text
    assert code.read_bytes() == before
    assert running.attempt(f"result = files.write({str(tmp_path / 'x')!r}, b'x')") == "result: None"


def test_a_path_of_thousands_of_parts_is_refused_before_the_kernel_walks_it(project: Path) -> None:
    answer = call(make_host(project), "stat", "a/" * 2_000)
    assert answer == Err(("failed", "the path has more than 255 parts"))
