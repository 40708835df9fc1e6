"""What runs is what was verified, whatever becomes of a bundle's files afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.runtime.conftest import (  # noqa: F401 - fixtures
    PYTHON_ACTOR,
    interpreter,
    python_bundle,
    run,
    write_bundle,
)
from tests.security.conftest import PROBE
from wasmind.plan import Actor, RunPlan
from wasmind.runtime.bundle import open_bundle
from wasmind.runtime.errors import BundleError, EngineError
from wasmind.runtime.runtime import Runtime

_OTHER = """
    from wasmind_actor import Actor

    class Other(Actor):
        pass
"""


def test_the_code_of_an_actor_that_changed_after_the_start_does_not_run(
    python_bundle,  # noqa: F811
    probes,
) -> None:
    weak = PYTHON_ACTOR._replace(capabilities=("agent", "logger", "messaging"))
    bundle = python_bundle(probe=(PROBE, weak), other=_OTHER)
    running = probes(bundle)
    code = bundle.root / "actors" / "other" / "actor.code"
    code.write_bytes((bundle.root / "actors" / "probe" / "actor.code").read_bytes())
    text = running.attempt("result = agents.spawn(['other'], 'other')")
    assert not text.startswith("result:"), text
    assert "`actors/other/actor.code` was changed" in text


def test_every_later_read_is_compared_with_the_manifest(tmp_path: Path) -> None:
    actor = Actor(name="a", actor_id="test:a", component="0" * 64)
    plan = RunPlan(name="test", actors=(actor,), starting=("a",))
    files = {f"components/{'0' * 64}.wasm": b"\0asm", "actors/a/actor.code": b"code"}
    bundle = open_bundle(write_bundle(tmp_path / "bundle", plan, files))
    changed = bundle.root / "actors/a/actor.code"
    assert bundle.read("actors/a/actor.code") == b"code"
    changed.write_bytes(b"evil")
    with pytest.raises(BundleError, match=r"`actors/a/actor\.code` was changed"):
        bundle.read("actors/a/actor.code")
    changed.unlink()
    with pytest.raises(BundleError, match="is missing from the bundle"):
        bundle.read("actors/a/actor.code")


def test_a_component_that_changed_after_the_start_is_not_compiled(
    tmp_path: Path, echo_bundle
) -> None:
    bundle = echo_bundle(Actor(name="a", actor_id="test:a", component=""), starting=("a",))
    (component,) = (bundle.root / "components").iterdir()
    component.write_bytes(component.read_bytes() + b"\0")
    assert hashlib.sha256(component.read_bytes()).hexdigest() != component.stem
    # A cache of its own, so that native code has to be made from the file.
    runtime = Runtime(bundle, tmp_path / "cache")
    with pytest.raises(EngineError, match="another digest"):
        runtime.prepare()
    runtime.stop(0.1)
