"""Bundles and runtimes to measure, made in a temporary folder."""

from __future__ import annotations

import hashlib
import json
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import wasmtime

from wasmind.paths import cache_dir, shipped
from wasmind.plan import Actor, Handled, Limits, Module, RunPlan, SystemLimits
from wasmind.runtime.bundle import Bundle, bundle_digest, open_bundle
from wasmind.runtime.interpreter import Interpreter
from wasmind.runtime.runtime import Runtime
from wasmind_compiler.build.interpreter import build_interpreter, interpreter_digest
from wasmind_compiler.reporter import Reporter

ECHO = Path(__file__).parents[1] / "tests" / "runtime" / "components" / "echo.wat"
_LIMITS = SystemLimits(agents=100_000, processes=10_000, requests=10_000)
_ALL = ("agent", "command", "filesystem", "host-info", "http", "logger", "messaging")


def bundle_of(plan: RunPlan, files: dict[str, bytes], root: Path) -> Bundle:
    """Write a bundle and open it."""
    files = {"plan.json": plan.to_json().encode(), **files}
    entries = []
    for name, content in sorted(files.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        entries.append({"path": name, "size": len(content), "sha256": sha256})
    digest = bundle_digest((item["sha256"], item["size"], item["path"]) for item in entries)
    manifest = {"version": 1, "digest": digest, "files": entries}
    (root / "MANIFEST.json").write_text(json.dumps(manifest))
    return open_bundle(root)


def echo_bundle(actors: Sequence[Actor], root: Path, *, text: bool = True) -> Bundle:
    """All actors are the echo component, and all of them start.

    Args:
        actors: their places in the plan.
        root: where to write the bundle.
        text: they take messages as text, rather than through the reference's interface alone.
    """
    source = ECHO.read_text()
    if not text:
        before, rest = source.split("  ;; text\n")
        source = before + rest.split("  ;; end of text\n")[1]
    component = bytes(wasmtime.wat2wasm(source))
    sha256 = hashlib.sha256(component).hexdigest()
    placed = tuple(actor._replace(component=sha256) for actor in actors)
    names = tuple(actor.name for actor in placed)
    plan = RunPlan(name="benchmark", actors=placed, starting=names, limits=_LIMITS)
    return bundle_of(plan, {f"components/{sha256}.wasm": component}, root)


def python_bundle(root: Path, *, every: bool = False, **sources: str) -> Bundle:
    """One Python actor for each source; the first one starts, or `every` one."""
    wit = shipped("schemas") / "wit"
    path = build_interpreter(cache_dir(), shipped("actors") / "sdk", wit, Reporter())
    sha256 = interpreter_digest(path)
    interpreter = Interpreter(path, sha256, cache_dir())
    files = {f"components/{sha256}.wasm": path.read_bytes()}
    actors = []
    for name, source in sources.items():
        code = f"actors/{name}/actor.code"
        with interpreter.session() as session:
            files[code] = session.compile("actor", textwrap.dedent(source))
            contract = json.loads(session.describe([("actor", files[code])]))
        actors.append(
            Actor(
                name=name,
                actor_id=f"benchmark:{name}",
                component=sha256,
                modules=(Module(name="actor", path=code),),
                capabilities=_ALL,
                handles=tuple(
                    Handled(type=item["type"], scope=item["scope"]) for item in contract["handles"]
                ),
                grants={"http": {"hosts": ["127.0.0.1"]}},
                limits=Limits(),
            )
        )
    interpreter.close()
    starting = tuple(actor.name for actor in actors[: None if every else 1])
    plan = RunPlan(name="benchmark", actors=tuple(actors), starting=starting, limits=_LIMITS)
    return bundle_of(plan, files, root)


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for bundles."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def running(bundle: Bundle) -> Iterator[Runtime]:
    """A started runtime."""
    runtime = Runtime(bundle, cache_dir())
    runtime.start()
    try:
        yield runtime
    finally:
        runtime.stop(timeout=30)
