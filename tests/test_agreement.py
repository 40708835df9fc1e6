"""What `check` lets through can be bundled and run: small systems at random, from the schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import tomlkit
import wasmtime
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.compiler.project import ECHO, ROOT, Project
from wasmind.system import System
from wasmind_compiler import pipeline

SCHEMA: Final[Mapping[str, Any]] = json.loads((ROOT / "schemas" / "app.schema.json").read_text())
#: The models of a config reach out to others.
LEFT_OUT: Final = {"actors", "actor_overrides", "litellm", "models", "starting_actors"}
NUMBERS: Final = (0, 1, -1, 7, 3600, 2**31, 2**32, 2**63 - 1, -(2**63))
FLOATS: Final = (0.0, 0.5, -1.0, 1e-9, 1e300, float("inf"), float("nan"))
HOSTS: Final = ("localhost", "127.0.0.1", "[::1]", "::1", "example.org", "*.example.org", "a.b:80")
TEXTS: Final = (
    *("", " ", "a", "x y", "*", "/", "~", "..", "./x", "\n", "é", "A=B", "${HOME}", "<a>", "`a`"),
    *("GET", "get", "ls", "/bin/ls", "HOME", "X-Y: z", "Bearer ", "ctrl+x", "http://x", *HOSTS),
)


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without a reference at its top."""
    while "$ref" in schema:
        target: Any = SCHEMA
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        schema = {**target, **{key: schema[key] for key in schema.keys() - {"$ref"}}}
    return schema


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of about the right form, many of which are odd and some of which are wrong."""
    schema = resolved(schema)
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            return st.one_of(*map(values, schema[keyword]))
    of_type = {
        "object": tables,
        "array": lambda each: st.lists(values(each.get("items", {})), max_size=2),
        "boolean": lambda _: st.booleans(),
        "integer": lambda _: st.sampled_from(NUMBERS),
        "number": lambda _: st.sampled_from(NUMBERS + FLOATS),
        "string": lambda _: st.sampled_from(TEXTS),
    }
    kinds = schema.get("type", ["boolean", "integer", "string"])
    return st.one_of(
        *(of_type[kind](schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))
    )


def tables(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with the keys that are required and some of the others."""
    known = {
        key: st.deferred(lambda each=each: values(each))
        for key, each in schema.get("properties", {}).items()
    }
    required = {key: known.pop(key) for key in schema.get("required", ()) if key in known}
    fixed = st.fixed_dictionaries(required, optional=known)
    further = schema.get("additionalProperties")
    if not isinstance(further, Mapping):
        return fixed
    named = st.dictionaries(st.sampled_from(("x", "y-z", "a b")), values(further), max_size=1)
    return st.builds(lambda one, other: {**other, **one}, fixed, named)


def entries() -> st.SearchStrategy[dict[str, Any]]:
    """What a config says about its actor, beside where it comes from."""
    entry = resolved(resolved(SCHEMA["properties"]["actors"])["additionalProperties"])
    known = {key: values(each) for key, each in entry["properties"].items() if key != "source"}
    return st.fixed_dictionaries({}, optional=known)


def systems() -> st.SearchStrategy[str]:
    """Texts of configs over one actor."""
    rest = {key: values(each) for key, each in SCHEMA["properties"].items() if key not in LEFT_OUT}
    start = {"starting_actors": ["echo"]}

    def written(entry: dict[str, Any], others: dict[str, Any]) -> str:
        actor = {"source": {"path": "echo"}, **entry}
        return tomlkit.dumps({**start, **others, "actors": {"echo": actor}})

    return st.builds(written, entries(), st.fixed_dictionaries({}, optional=rest))


@pytest.fixture
def echo(project: Project) -> Project:
    """A project with one actor that answers."""
    project.write("echo/Wasmind.toml", 'actor_id = "test:echo"\nbuild.component = "echo.wasm"\n')
    project.write("echo/echo.wasm", bytes(wasmtime.wat2wasm(ECHO.read_text())))
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(text=systems())
def test_what_passes_check_runs(echo: Project, text: str) -> None:
    report = echo.check(text)
    # A variable that is not set is a warning: it may be set where the bundle runs.
    assume(not report.strict().failed)
    output = echo.root.parent / "bundle"
    outcome = pipeline.bundle(echo.root / "app.toml", output, echo.environment())
    assert outcome.bundle is not None, [each.message for each in outcome.report.diagnostics]
    system = System.open(output)
    system.start()
    assert system.stop(60)
