"""Bundles of small actors, made by hand: the runtime is tested without the compiler."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from wasmind.paths import cache_dir
from wasmind.plan import Actor, RunPlan
from wasmind.runtime.bundle import Bundle, bundle_digest, open_bundle
from wasmind.runtime.events import Event, Subscription
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime

COMPONENTS = Path(__file__).parent / "components"


@pytest.fixture(scope="session")
def echo() -> bytes:
    """The echo actor as a component."""
    return bytes(wasmtime.wat2wasm((COMPONENTS / "echo.wat").read_text()))


def write_bundle(root: Path, plan: RunPlan, files: dict[str, bytes]) -> Path:
    """A bundle of `plan` and `files`, with a correct manifest."""
    files = {"plan.json": plan.to_json().encode(), **files}
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    entries = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    ]
    digest = bundle_digest((item["sha256"], item["size"], item["path"]) for item in entries)
    manifest = {"version": 1, "digest": digest, "files": entries}
    (root / "MANIFEST.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture
def echo_bundle(tmp_path: Path, echo: bytes) -> Callable[..., Bundle]:
    """Makes bundles whose actors all are the echo component."""

    def make(*actors: Actor, starting: tuple[str, ...]) -> Bundle:
        sha256 = hashlib.sha256(echo).hexdigest()
        placed = tuple(replace(actor, component=sha256) for actor in actors)
        plan = RunPlan(name="test", actors=placed, starting=starting)
        files = {f"components/{sha256}.wasm": echo}
        return open_bundle(write_bundle(tmp_path / "bundle", plan, files))

    return make


@pytest.fixture
def run() -> Iterator[Callable[[Bundle], tuple[Runtime, Subscription]]]:
    """Starts bundles and stops them at the end of the test."""
    running: list[Runtime] = []

    def start(bundle: Bundle) -> tuple[Runtime, Subscription]:
        runtime = Runtime(bundle, cache_dir())
        running.append(runtime)
        events = runtime.subscribe()
        runtime.start()
        return runtime, events

    yield start
    for runtime in running:
        runtime.stop()


def until(events: Subscription, matches: Callable[[Event], object], seconds: float = 10) -> Event:
    """The first event that matches; fails the test when none comes."""
    while (event := events.get(timeout=seconds)) is not None:
        if matches(event):
            return event
    pytest.fail(f"no matching event within {seconds} s")


def message(kind: str, **fields: object) -> Callable[[Event], bool]:
    """Matches a message of a type, with the given envelope fields."""

    def matches(event: Event) -> bool:
        return (
            isinstance(event, Envelope)
            and event.message_type == kind
            and all(getattr(event, name) == value for name, value in fields.items())
        )

    return matches
