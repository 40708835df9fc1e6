"""A component of another toolchain: componentize-py without our guest library, one import."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.runtime.conftest import message, until, write_bundle
from tests.runtime.test_host_http import Server, answer, server  # noqa: F401 - a fixture
from wasmind.paths import cache_dir, shipped
from wasmind.plan import Actor, RunPlan
from wasmind.runtime.bundle import Bundle, open_bundle
from wasmind.runtime.engine import Engine
from wasmind.runtime.errors import EngineError
from wasmind.runtime.events import Failure, LogRecord

WORLD = """
package test:foreign@0.1.0;

world foreign {
    import wasmind:actor/messaging@0.1.0;
    import wasmind:actor/http@0.1.0;
    import wasmind:actor/logger@0.1.0;
    export wasmind:actor/actor@0.1.0;
}
"""
ACTOR = """
import os
import sys

from componentize_py_types import Err
from wit_world.exports import actor
from wit_world.imports import http, logger, messaging


class Actor(actor.Actor):
    def __init__(self, scope, config):
        self.config = config

    def handle_message(self, message):
        if message.message_type == "test.Read":
            path = message.payload.decode()
            try:
                with open(path) as file:
                    text = file.read()
            except OSError as error:
                text = type(error).__name__
            messaging.broadcast("test.Content", text.encode())
        if message.message_type == "test.Write":
            try:
                with open(message.payload.decode(), "w") as file:
                    file.write("written")
                text = "done"
            except OSError as error:
                text = type(error).__name__
            messaging.broadcast("test.Content", text.encode())

        if message.message_type == "test.Size":
            messaging.broadcast("test.Content", str(len(message.payload)).encode())
        if message.message_type == "test.Send":
            messaging.broadcast("test.Content", b"x" * int(message.payload))
        if message.message_type == "test.Get":
            request = http.Request("GET", message.payload.decode())
            try:
                text = str(len(request.send().body))
            except Err as error:
                text = str(error.value.value)
            messaging.broadcast("test.Content", text.encode())
        if message.message_type == "test.Panic":
            print("a line on the way", flush=True)
            sys.stderr.write(message.payload.decode())
            sys.stderr.flush()
            os.abort()

    def destructor(self):
        pass
"""
COMMAND = "-d wit -w foreign componentize app -o built.wasm"
COMPONENTIZE = "import sys, componentize_py; sys.exit(componentize_py.script())"


@pytest.fixture(scope="session")
def foreign() -> bytes:
    """The component; kept in the cache, because building takes ten seconds."""
    wit = shipped("schemas") / "wit" / "actor"
    key = hashlib.sha256(f"{WORLD}{ACTOR}{(wit / 'actor.wit').read_text()}".encode()).hexdigest()
    folder = cache_dir() / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"foreign-{key[:16]}.wasm"
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            work = folder / f"build-{key[:16]}"
            (work / "wit" / "deps").mkdir(parents=True, exist_ok=True)
            (work / "wit" / "world.wit").write_text(WORLD)
            (work / "wit" / "deps" / "actor.wit").write_text((wit / "actor.wit").read_text())
            (work / "actor.py").write_text(ACTOR)
            (work / "app.py").write_text("import actor\n")
            subprocess.run(
                [sys.executable, "-c", COMPONENTIZE, *COMMAND.split()],
                cwd=work,
                check=True,
                capture_output=True,
            )
            (work / "built.wasm").replace(target)
    return target.read_bytes()


@pytest.fixture
def foreign_bundle(tmp_path: Path, foreign: bytes) -> Callable[..., Bundle]:
    def make(**changes: object) -> Bundle:
        sha256 = hashlib.sha256(foreign).hexdigest()
        actor = Actor(
            name="foreign",
            actor_id="test:foreign",
            component=sha256,
            capabilities=("messaging",),
        )
        plan = RunPlan(name="test", actors=(actor._replace(**changes),), starting=("foreign",))
        files = {f"components/{sha256}.wasm": foreign}
        return open_bundle(write_bundle(tmp_path / "bundle", plan, files))

    return make


def ask(runtime, events, kind: str, path: Path | str) -> str:
    runtime._coordinator._bus.publish(
        id="root:aaaaaa",
        message_type=kind,
        from_actor_id="test",
        from_scope="000000",
        payload=str(path).encode(),
    )
    return until(events, message("test.Content")).payload.decode()


def test_it_runs_and_sees_no_files_without_a_grant(foreign_bundle, run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    runtime, events = run(foreign_bundle())
    assert "secret" not in ask(runtime, events, "test.Read", tmp_path / "secret")


def test_files_that_are_looked_for_in_vain_are_told_with_the_grant_to_add(
    foreign_bundle, run, tmp_path: Path
) -> None:
    runtime, events = run(foreign_bundle())
    everything = runtime.subscribe()
    ask(runtime, events, "test.Read", tmp_path / "secret")
    ask(runtime, events, "test.Read", tmp_path / "secret")
    runtime.stop()
    told = [each.text for each in everything if isinstance(each, LogRecord)]
    assert told == [
        "looks for files through WASI, and no folder was granted; to grant it, write "
        "`grants = { filesystem = true }` in `[actors.foreign]`"
    ]


def test_a_granted_folder_is_there_under_its_own_path(foreign_bundle, run, tmp_path: Path) -> None:
    (tmp_path / "granted").mkdir()
    (tmp_path / "granted" / "a.txt").write_text("hello")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "granted" / "link").symlink_to(tmp_path / "secret")
    runtime, events = run(
        foreign_bundle(
            capabilities=("filesystem", "messaging"),
            grants={"filesystem": {"read": [str(tmp_path / "granted")]}},
        )
    )
    assert ask(runtime, events, "test.Read", tmp_path / "granted" / "a.txt") == "hello"
    for path in ("secret", "granted/../secret", "granted/link"):
        assert ask(runtime, events, "test.Read", tmp_path / path) != "secret", path
    assert ask(runtime, events, "test.Write", tmp_path / "granted" / "new.txt") != "done"
    assert not (tmp_path / "granted" / "new.txt").exists()


def test_a_folder_may_be_granted_for_writing(foreign_bundle, run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    runtime, events = run(
        foreign_bundle(
            capabilities=("filesystem", "messaging"),
            grants={"filesystem": {"read_write": [str(tmp_path / "out")]}},
        )
    )
    assert ask(runtime, events, "test.Write", tmp_path / "out" / "new.txt") == "done"
    assert (tmp_path / "out" / "new.txt").read_text() == "written"


@pytest.mark.parametrize("name", ["wasmind-app.toml", ".git/config", "bundle"])
def test_a_folder_with_what_no_actor_changes_can_only_be_read(
    foreign_bundle, run, tmp_path: Path, name: str
) -> None:
    if name != "bundle":  # which lies in the granted folder by itself
        (tmp_path / "out" / name).parent.mkdir(parents=True)
        (tmp_path / "out" / name).write_text("old")
    granted = tmp_path if name == "bundle" else tmp_path / "out"
    runtime, events = run(
        foreign_bundle(
            capabilities=("filesystem", "messaging"),
            grants={"filesystem": {"read_write": [str(granted)]}},
        )
    )
    told = until(events, lambda event: isinstance(event, LogRecord))
    assert f"`{granted}` can only be read by this component, because" in told.text
    assert ask(runtime, events, "test.Write", granted / "new.txt") != "done"
    assert not (granted / "new.txt").exists()


def test_a_grant_it_imports_but_lacks_is_refused(foreign_bundle, run) -> None:
    runtime, events = run(foreign_bundle(capabilities=()))
    runtime.send("test.Read", "x")
    notice = until(events, message("wasmind.common.ui.UserNotification")).json()
    assert "was not granted `messaging`" in notice["message"]


MIB = 1 << 20


def test_bytes_cross_whole_where_they_are_lists(foreign_bundle, run) -> None:
    runtime, events = run(foreign_bundle())
    for size in (0, 1, 1000, 100_000):
        runtime.send("test.Size", "x" * size)
        assert until(events, message("test.Content")).payload == str(size + 2).encode()
        runtime.send("test.Send", size)
        assert until(events, message("test.Content")).payload == b"x" * size


def test_a_list_near_and_beyond_what_the_engine_takes_is_told(foreign_bundle, run) -> None:
    runtime, events = run(foreign_bundle())
    runtime.send("test.Send", MIB)
    runtime.send("test.Send", 2 * MIB)
    warning = until(events, lambda event: isinstance(event, LogRecord), 60)
    assert (warning.level, warning.text) == (
        "warn",
        "a message `test.Content` of 2.0 MiB; components of this kind can send 2.6 MiB, "
        "and fail when they send more",
    )
    until(events, lambda event: len(getattr(event, "payload", "")) == 2 * MIB, 60)
    runtime.send("test.Send", 2_700_000)
    assert len(until(events, message("test.Content"), 60).payload) == 2_700_000
    runtime.send("test.Send", 3 * MIB)
    failure = until(events, lambda event: isinstance(event, Failure), 60)
    assert failure.reason == (
        "handed the host more than fits in one call: a component that does not use the text "
        "interfaces of `wasmind:ext` can send messages, request bodies and files of at most "
        "2.6 MiB"
    )


def test_a_message_larger_than_lists_may_be_is_not_delivered_and_told(foreign_bundle, run) -> None:
    runtime, events = run(foreign_bundle())
    runtime.send("test.Size", "x" * (16 * MIB))
    notice = until(events, message("wasmind.common.ui.UserNotification")).json()
    assert notice["message"] == (
        "`test.Size`: a message of 16.0 MiB was not delivered: "
        "components of this kind can take 16 MiB"
    )
    runtime.send("test.Size", "x")
    assert until(events, message("test.Content")).payload == b"3"


def test_a_response_larger_than_lists_may_be_is_an_error_of_the_call(
    foreign_bundle,
    run,
    server: Server,  # noqa: F811
) -> None:
    server.handle = lambda handler: answer(handler, 200, b"x" * (17 * MIB))
    grants = {"http": {"hosts": ["127.0.0.1"]}}
    runtime, events = run(foreign_bundle(capabilities=("messaging", "http"), grants=grants))
    told = ask(runtime, events, "test.Get", server.url)
    limit = "16 MiB, the most that components of this kind can take"
    assert told == f"the body is larger than {limit}"


@pytest.mark.parametrize("files", [False, True], ids=["our WASI", "wasmtime's WASI"])
def test_the_last_words_of_a_component_are_the_reason_it_failed(
    foreign_bundle, run, tmp_path: Path, files: bool
) -> None:
    grants = {"filesystem": {"read": [str(tmp_path)]}}
    changes = {"capabilities": ("messaging", "filesystem"), "grants": grants} if files else {}
    runtime, events = run(foreign_bundle(**changes))
    words = (
        "starting\nthread 'main' (1) panicked at src/lib.rs:7:9:\nmissing field `model_name`\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
    )
    runtime._coordinator._bus.publish(
        id="root:aaaaaa",
        message_type="test.Panic",
        from_actor_id="test",
        from_scope="000000",
        payload=words.encode(),
    )
    failure = until(events, lambda event: isinstance(event, Failure))
    assert failure.reason == (
        "starting thread 'main' (1) panicked at src/lib.rs:7:9: missing field `model_name` "
        "(wasm `unreachable` instruction executed)"
    )
    assert failure.traceback == words.strip()


@pytest.mark.parametrize("files", [False, True], ids=["our WASI", "wasmtime's WASI"])
def test_what_a_component_prints_is_a_debug_record(
    foreign_bundle, run, tmp_path: Path, files: bool
) -> None:
    grants = {"filesystem": {"read": [str(tmp_path)]}}
    capabilities = ("messaging", "logger", *(("filesystem",) if files else ()))
    runtime, events = run(foreign_bundle(capabilities=capabilities, grants=grants))
    runtime.send("test.Panic", "")
    record = until(events, lambda event: isinstance(event, LogRecord) and event.level == "debug")
    assert record.text == "a line on the way"


def test_a_core_module_is_refused(foreign_bundle, run, tmp_path: Path) -> None:
    bundle = foreign_bundle()
    module = b"\0asm\x01\0\0\0"
    sha256 = hashlib.sha256(module).hexdigest()
    actor = bundle.plan.actors[0]._replace(component=sha256)
    plan = bundle.plan._replace(actors=(actor,))
    files = {f"components/{sha256}.wasm": module}
    with pytest.raises(EngineError, match="is a core module; an actor must be a component"):
        run(open_bundle(write_bundle(tmp_path / "core", plan, files)))


def test_a_component_is_not_compiled_under_the_digest_of_another(tmp_path: Path) -> None:
    (tmp_path / "changed.wasm").write_bytes(b"\0asm\x0d\0\x01\0")
    engine = Engine(tmp_path / "cache")
    with pytest.raises(EngineError, match="another digest"):
        engine.component(tmp_path / "changed.wasm", "0" * 64)
    engine.close()


def test_an_unknown_import_is_refused_by_name(tmp_path: Path, run) -> None:
    import wasmtime

    text = '(component (import "wasmind:actor/telepathy@0.1.0" (instance (export "f" (func)))))'
    component = bytes(wasmtime.wat2wasm(text))
    sha256 = hashlib.sha256(component).hexdigest()
    plan = RunPlan(
        name="test",
        actors=(Actor(name="x", actor_id="test:x", component=sha256),),
        starting=("x",),
    )
    bundle = open_bundle(
        write_bundle(tmp_path / "bundle", plan, {f"components/{sha256}.wasm": component})
    )
    with pytest.raises(EngineError, match=r"imports `wasmind:actor/telepathy@0\.1\.0`"):
        run(bundle)
