"""Actors that a program such as `cargo component` has yet to build: known by their manifests."""

from __future__ import annotations

import json
import shutil
import tomllib

import pytest

from tests.compiler.project import ROOT, Project, listed
from wasmind_compiler import pipeline

#: The reference's actors, one folder each.
MANIFESTS = ROOT / "tests" / "defects" / "systems" / "actors"
NAMES = sorted(folder.name for folder in MANIFESTS.iterdir())
DESK = 'starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n'
UNKNOWN = "WM0807 app.toml:2:27 the contract of `desk` is unknown until `cargo component build"
UNKNOWN += " --release` has built it"


@pytest.fixture
def crates(project: Project) -> Project:
    """All of them as Cargo packages whose sources nobody has built."""
    for name in NAMES:
        shutil.copytree(MANIFESTS / name, project.root / name)
        (project.root / name / "actor.py").unlink()
        project.write(f"{name}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\n')
        project.write(f"{name}/src/lib.rs", "")
    return project


def desk(project: Project, manifest: str = "") -> None:
    project.write("desk/Wasmind.toml", f'actor_id = "test:desk"\n{manifest}')
    project.write("desk/Cargo.toml", "")


@pytest.mark.parametrize("name", NAMES)
def test_each_actor_of_the_reference_passes_check(crates: Project, name: str) -> None:
    assert len(NAMES) == 19
    report = crates.report_about(name, strict=True)
    assert {each.code for each in report.diagnostics} == {"WM0807"}
    assert not report.failed


def test_a_system_of_them_is_checked_and_locked(crates: Project) -> None:
    config = """
        starting_actors = ["coordinator"]

        [actors.coordinator]
        source = { path = "coordinator" }
    """
    report = crates.check(config)
    assert {each.code for each in report.diagnostics} == {"WM0807"}
    assert {line.split()[0] for line in crates.lock(config)} == {"WM0807"}
    locked = tomllib.loads(crates.lockfile())["actor"]
    assert len(locked) > len(NAMES)
    assert not [each for each in locked if "contract" in each or "component" in each]
    assert not crates.check(config, locked=True).failed


def test_what_the_manifest_does_not_say_is_held_against_nobody(project: Project) -> None:
    desk(project)
    # Any setting may be right, any capability used, and anybody spawned.
    config = DESK + 'actors.desk.config = { any = 1 }\nactors.helper.source.path = "helper"\n'
    project.actor("helper")
    assert project.found(config + "[actors.desk.grants]\nagent = true\nhttp = true\n") == [UNKNOWN]
    without = project.found(config + "[actors.desk.grants]\nhttp = true\n")
    assert [line.split()[0] for line in without] == ["WM0807", "WM0308"]


def test_what_the_manifest_says_is_checked(project: Project) -> None:
    desk(project, 'config_schema = "config.json"\n[capabilities]\nhttp = true\n')
    schema = {"properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
    project.write("desk/config.json", json.dumps({"type": "object", **schema}))
    found = project.found(DESK + 'actors.desk.config.limit = "3"\n')
    assert found == [
        UNKNOWN,
        "WM0502 app.toml:3:28 `limit` in the config of `desk` must be an integer, found a string",
    ]
    assert project.lock(DESK) == [UNKNOWN]
    assert tomllib.loads(project.lockfile())["actor"][0]["capabilities"] == ["http"]


def test_the_command_of_a_manifest_is_named(project: Project) -> None:
    project.write(
        "desk/Wasmind.toml",
        'actor_id = "a:b"\n[build]\ncommand = ["make", "all"]\noutput = "desk.wasm"\n',
    )
    assert project.found(DESK) == [
        "WM0807 desk/Wasmind.toml:3:11 the contract of `desk` is unknown until `make all` has built"
        " it"
    ]


def test_a_bundle_needs_the_component(project: Project) -> None:
    desk(project)
    config = project.write("app.toml", DESK)
    outcome = pipeline.bundle(config, project.root / "out", project.environment())
    assert outcome.bundle is None
    assert listed(outcome.report) == [
        "WM0803 app.toml:2:27 `desk` is built by `cargo component build --release`, which Wasmind"
        " does not run"
    ]
    assert not (project.root / "app.lock").exists()
