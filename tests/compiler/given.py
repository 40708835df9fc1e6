"""What the examples of rules take for granted."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import wasmtime

from tests.compiler.project import component
from wasmind_compiler.frontend.manifest import FILE_NAME

ECHO = 'actor_id = "example:echo"\nbuild.component = "echo.wasm"\n'
APP = 'starting_actors = ["echo"]\n\n[actors.echo]\nsource = { path = "echo" }\n'


def lay_out(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files, and what the actors among them are to run."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".wasm") and isinstance(text, str):
            text = bytes(wasmtime.wat2wasm(text))
        target.write_bytes(text.encode() if isinstance(text, str) else text)
    for path in files:
        if path.endswith(f"/{FILE_NAME}"):
            _complete_actor(root / path)


def _complete_actor(manifest: Path) -> None:
    """Give an actor something to run, as far as its manifest asks for it."""
    try:
        build = tomllib.loads(manifest.read_text()).get("build")
    except ValueError:
        return
    if isinstance(build, dict) and isinstance(build.get("component"), str):
        target = manifest.parent / build["component"]
        if "/" not in build["component"] and not target.exists():
            target.write_bytes(component())
    elif build is None and not list(manifest.parent.glob("actor*")):
        manifest.with_name("actor.py").write_text("")
