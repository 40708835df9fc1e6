"""Bundles of small actors, made by hand: the runtime is tested without the compiler."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime

from tests.observing import DEADLINE
from wasmind.paths import cache_dir, shipped
from wasmind.plan import Actor, Module, RunPlan
from wasmind.runtime.bundle import Bundle, bundle_digest, open_bundle
from wasmind.runtime.events import Event, Subscription
from wasmind.runtime.interpreter import Interpreter
from wasmind.runtime.messages import Envelope
from wasmind.runtime.runtime import Runtime
from wasmind_compiler.build.interpreter import build_interpreter, interpreter_digest
from wasmind_compiler.reporter import Reporter

PYTHON_ACTOR = Actor(
    name="",
    actor_id="",
    component="0" * 64,
    capabilities=("agent", "command", "filesystem", "host-info", "http", "logger", "messaging"),
)
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
        placed = tuple(actor._replace(component=sha256) for actor in actors)
        plan = RunPlan(name="test", actors=placed, starting=starting)
        files = {f"components/{sha256}.wasm": echo}
        return open_bundle(write_bundle(tmp_path / "bundle", plan, files))

    return make


@pytest.fixture(scope="session")
def interpreter() -> Iterator[tuple[Path, Interpreter]]:
    """The shared Python interpreter component and a running instance of it."""
    wit = shipped("schemas") / "wit"
    path = build_interpreter(cache_dir(), shipped("actors") / "sdk", wit, Reporter())
    running = Interpreter(path, interpreter_digest(path), cache_dir())
    yield path, running
    running.close()


@pytest.fixture
def python_bundle(tmp_path: Path, interpreter: tuple[Path, Interpreter]) -> Callable[..., Bundle]:
    """Makes bundles of actors written in Python: `name=(source, changes to the plan's actor)`."""
    path, compiler = interpreter

    def make(**actors: str | tuple[str, Actor]) -> Bundle:
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        files = {f"components/{sha256}.wasm": content}
        planned = []
        for name, given in actors.items():
            source, actor = (given, PYTHON_ACTOR) if isinstance(given, str) else given
            code = f"actors/{name}/actor.code"
            with compiler.session() as session:
                files[code] = session.compile("actor", textwrap.dedent(source))
            planned.append(
                actor._replace(
                    name=name,
                    actor_id=f"test:{name}",
                    component=sha256,
                    modules=(Module(name="actor", path=code),),
                )
            )
        plan = RunPlan(name="test", actors=tuple(planned), starting=(planned[0].name,))
        return open_bundle(write_bundle(tmp_path / "python-bundle", plan, files))

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


def until(
    events: Subscription, matches: Callable[[Event], object], seconds: float = DEADLINE
) -> Event:
    """The first event that matches; fails the test when none comes."""
    while (event := events.get(timeout=seconds)) is not None:
        if matches(event):
            return event
    pytest.fail(f"no matching event within {seconds:g} s")


def message(kind: str, **fields: object) -> Callable[[Event], bool]:
    """Matches a message of a type, with the given envelope fields."""

    def matches(event: Event) -> bool:
        return (
            isinstance(event, Envelope)
            and event.message_type == kind
            and all(getattr(event, name) == value for name, value in fields.items())
        )

    return matches
