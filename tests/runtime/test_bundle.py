"""Bundles are verified file by file before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runtime.conftest import write_bundle
from wasmind.plan import Actor, PlanError, RunPlan
from wasmind.runtime.bundle import open_bundle
from wasmind.runtime.engine import require_engine
from wasmind.runtime.errors import BundleError, EngineError
from wasmind.runtime.runtime import Runtime

ACTOR = Actor(name="a", actor_id="test:a", component="0" * 64)
PLAN = RunPlan(name="test", actors=(ACTOR,), starting=("a",))
FILES = {f"components/{'0' * 64}.wasm": b"\0asm", "topology.dot": b"digraph {}"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle", PLAN, FILES)


def test_an_untouched_bundle_opens(bundle: Path) -> None:
    assert open_bundle(bundle).plan == PLAN


@pytest.mark.parametrize("name", ["plan.json", *FILES])
def test_one_changed_byte_anywhere_is_refused_by_name(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[-1] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"`{name}` was changed"):
        open_bundle(bundle)


def test_a_missing_file_is_refused_by_name(bundle: Path) -> None:
    (bundle / "topology.dot").unlink()
    with pytest.raises(BundleError, match=r"`topology\.dot` is missing"):
        open_bundle(bundle)


def test_an_extra_file_is_refused_by_name(bundle: Path) -> None:
    (bundle / "components" / "extra").touch()
    with pytest.raises(BundleError, match="`components/extra` does not belong"):
        open_bundle(bundle)


def test_a_link_is_refused(bundle: Path) -> None:
    (bundle / "topology.dot").unlink()
    (bundle / "topology.dot").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match=r"`topology\.dot` is a link"):
        open_bundle(bundle)


def test_a_manifest_that_was_edited_is_refused(bundle: Path) -> None:
    manifest = json.loads((bundle / "MANIFEST.json").read_text())
    manifest["files"][0]["size"] += 1
    (bundle / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="digest does not match"):
        open_bundle(bundle)


@pytest.mark.parametrize("path", ["../plan.json", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_unsafe_paths_are_refused(bundle: Path, path: str) -> None:
    manifest = json.loads((bundle / "MANIFEST.json").read_text())
    manifest["files"][0]["path"] = path
    (bundle / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="unsafe path"):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "damaged"),
        (b"[]", "no object"),
        (b'{"version": 2}', "bundle format 2"),
        (b'{"version": 1}', "`files` is no list"),
        (b'{"version": 1, "files": [1]}', "a file needs"),
        (b"[" * 100_000, "damaged"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_a_damaged_manifest_is_a_clear_error(bundle: Path, content: bytes, problem: str) -> None:
    (bundle / "MANIFEST.json").write_bytes(content)
    with pytest.raises(BundleError, match=problem):
        open_bundle(bundle)


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        open_bundle(tmp_path)


def test_a_plan_that_names_files_the_bundle_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="actor `a` needs `components/0000"):
        open_bundle(write_bundle(tmp_path / "bundle", PLAN, {}))


def test_an_engine_that_is_older_than_the_plan_allows_is_refused(
    tmp_path: Path, echo_bundle
) -> None:
    bundle = echo_bundle(ACTOR, starting=("a",))
    assert bundle.plan.engine == "43.0.1"
    Runtime(bundle, tmp_path / "cache").stop(0.1)
    newer = replace(bundle, plan=bundle.plan._replace(engine="1000.0"))
    with pytest.raises(EngineError, match=r"needs wasmtime 1000\.0 or newer, and \d+.* installed"):
        Runtime(newer, tmp_path / "cache")


@pytest.mark.parametrize("installed", ["43.0.0", "42.9.9", "9.0.0"])
def test_no_plan_allows_an_engine_that_guests_get_out_of(
    monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    monkeypatch.setattr("wasmind.runtime.engine._wasmtime_version", lambda: installed)
    with pytest.raises(EngineError, match=f"{installed} is installed"):
        require_engine("1.0")


def test_an_engine_that_is_no_version_is_refused() -> None:
    text = PLAN._replace(engine="new").to_json()
    with pytest.raises(PlanError, match="engine: expected a version"):
        RunPlan.from_json(text)
