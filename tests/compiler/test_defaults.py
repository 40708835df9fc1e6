"""Settings that nobody sets are what the actor's code says, for the compiler as for the actor.

The actors are described by the SDK itself, on CPython.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compiler.project import Project, component
from wasmind import plan
from wasmind_compiler import pipeline
from wasmind_compiler.analysis.provenance import setting_origins
from wasmind_compiler.analysis.system import System
from wasmind_compiler.emit.plan import make_plan
from wasmind_compiler.frontend.sections import literal

APP = """
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actors.worker]
source = { path = "worker" }

[actors.helper]
source = { path = "helper" }
"""
DESK = """\
from collections.abc import Mapping
from dataclasses import field
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal

from wasmind_actor import Actor, Config, FlexibleBool, Param, Record, agents, tool


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Team(Record):
    lead: Annotated[str, Param(refers="actor")] = "worker"
    size: int = 3


class Set(Config):
    value: SETTING


class Desk(Actor[Set]):
    @tool
    def hire(self) -> str:
        '''Hires.'''
        return agents.spawn(self.config.value, "w")
"""
#: Annotation, default in Python, what that is in TOML, and another value.
SETTINGS = [
    ("str", "'a'", "a", "b"),
    ("int", "0", 0, 7),
    ("float", "1.5", 1.5, 2.5),
    ("bool", "False", False, True),
    ("FlexibleBool", "True", True, False),
    ("list", "[]", [], [1, "a"]),
    ("list[int]", "[1, 2]", [1, 2], []),
    ("tuple[str, ...]", "('a',)", ["a"], ["b", "c"]),
    ("tuple[str, ...] | None", "('a',)", ["a"], []),
    ("Mapping[str, int]", "field(default_factory=dict)", {}, {"a": 1}),
    ("Mapping[str, int]", "field(default_factory=lambda: {'a': 1})", {"a": 1}, {"b": 2}),
    ("dict", "field(default_factory=dict)", {}, {"a": [1]}),
    ("Any", "5", 5, "x"),
    ("Literal[1, 2, 3]", "2", 2, 3),
    ("Literal[True, 'auto']", "True", True, "auto"),
    ("Literal['a', 'b'] | None", "'a'", "a", "b"),
    ("Colour", "Colour.RED", "red", "blue"),
    ("Size", "Size.LARGE", 2, 1),
    ("int | str", "'a'", "a", 5),
    ("Literal['auto'] | int", "'auto'", "auto", 5),
    ("Team", "Team()", {"lead": "worker", "size": 3}, {"lead": "helper", "size": 1}),
    ("tuple[Team, ...]", "(Team(size=1),)", [{"lead": "worker", "size": 1}], []),
    ("Annotated[int, Param('x', minimum=1)]", "4", 4, 5),
]
IDS = [f"{annotation} = {default}" for annotation, default, *_ in SETTINGS]


@pytest.fixture
def project(project: Project) -> Project:
    for name in ("desk", "worker", "helper"):
        project.write(f"{name}/Wasmind.toml", f'actor_id = "test:{name}"\n')
        project.write(f"{name}/actor.py", "import wasmind_actor as w\nclass X(w.Actor): ...\n")
    return project


def linked(project: Project, setting: str, config: str = "", app: str = APP) -> System:
    """The system with a desk that has one setting, of an annotation and perhaps a default."""
    project.write("desk/actor.py", DESK.replace("SETTING", setting))
    path = project.write("app.toml", app + config)
    outcome = pipeline.why(path, project.environment())
    assert outcome.system is not None
    errors = [x for x in outcome.report.diagnostics if x.severity.value == "error"]
    assert errors == []
    return outcome.system


def told(system: System) -> tuple[Any, Any]:
    """What `why` says the value is, and the default."""
    actor = system.resolution.actors["desk"]
    value, default = {}, {}
    for origin in setting_origins(system, actor, ("config", "value")):
        path = origin.path.removeprefix("desk.config.value").removeprefix(".")
        value[path] = origin.layers[-1].value if origin.layers else origin.default
        default[path] = origin.default
    return value.get("", value), default.get("", default)


def decoded(project: Project, system: System) -> Any:
    """The value as the actor makes it of its configuration."""
    text = make_plan(system, "0" * 64).actors[0].config
    namespace: dict[str, Any] = {"__name__": "desk"}
    text_of_actor = (project.root / "desk/actor.py").read_text()
    exec(compile(text_of_actor, "actor.py", "exec", dont_inherit=True), namespace)
    actor = object.__new__(namespace["Desk"])
    return actor._read_config(text).value


@pytest.mark.parametrize(("annotation", "default", "plain", "other"), SETTINGS, ids=IDS)
def test_a_setting_is_its_default_unless_it_is_set(
    project: Project, annotation: str, default: str, plain: Any, other: Any
) -> None:
    setting = f"{annotation} = {default}"
    absent = linked(project, setting)
    value = decoded(project, absent)
    schema = absent.actors["desk"].artifact.contract.settings
    assert schema is not None
    assert schema["properties"]["value"]["default"] == plain
    assert told(absent)[0] == plain

    # To write the default down changes nothing.
    written = linked(project, setting, f"[actors.desk.config]\nvalue = {literal(plain)}\n")
    again = decoded(project, written)
    assert str(again) == str(value)
    assert told(written)[0] == plain

    changed = linked(project, setting, f"[actors.desk.config]\nvalue = {literal(other)}\n")
    set_to = decoded(project, changed)
    assert str(set_to) != str(value)
    assert told(changed)[0] == other


def only(project: Project, setting: str, config: str = "") -> tuple[plan.Actor, list[str]]:
    """The desk in the plan of a system that has it spawn others, and what `check` finds."""
    system = linked(project, setting, config)
    actors = {each.name: each for each in make_plan(system, "0" * 64).actors}
    found = [line for line in project.found(APP + config) if "WM0312" not in line]
    return actors["desk"], found


ACTORS = "Annotated[tuple[str, ...], Param('', refers='actors')]"
ACTOR = "Annotated[str, Param('', refers='actor')]"
TABLE = "Annotated[Mapping[str, tuple[str, ...]], Param('', refers='actors')]"


@pytest.mark.parametrize(
    ("setting", "config", "spawned"),
    [
        (f"{ACTORS} = ('worker', 'helper')", "", ["helper", "worker"]),
        (ACTORS, "value = ['worker', 'helper']", ["helper", "worker"]),
        (f"{ACTORS} = ('worker',)", "value = ['helper']", ["helper"]),
        (f"{ACTOR} = 'worker'", "", ["worker"]),
        (f"{TABLE} = field(default_factory=lambda: {{'a': ('worker',)}})", "", ["worker"]),
        ("Team = Team()", "", ["worker"]),
        ("Team = Team()", "value = { size = 9 }", ["worker"]),
        ("Team = Team()", "value = { lead = 'helper' }", ["helper"]),
        ("Team | None = Team(lead='helper')", "", ["helper"]),
        ("tuple[Team, ...] = (Team(),)", "", ["worker"]),
    ],
)
def test_a_default_may_be_spawned(
    project: Project, setting: str, config: str, spawned: list[str]
) -> None:
    desk, found = only(project, setting, config and f"[actors.desk.config]\n{config}\n")
    assert sorted(desk.may_spawn or ()) == spawned
    idle = sorted({"worker", "helper"} - set(spawned))
    assert [line.partition(" nothing")[0].split()[0] for line in found] == ["WM0308"] * len(idle)
    assert all(f"nothing spawns `{name}`" in "\n".join(found) for name in idle)


def test_a_default_that_names_nobody_is_told_where_it_is_declared(project: Project) -> None:
    text = DESK.replace("SETTING", f"{ACTORS} = ('wrker',)")
    project.write("desk/actor.py", text)
    line = text.splitlines().index(f"    value: {ACTORS} = ('wrker',)") + 1
    assert f"WM0309 desk/actor.py:{line}:5 `desk` spawns `wrker`, which does not exist" in (
        project.found(APP)
    )


def test_why_says_where_a_default_is_declared(project: Project) -> None:
    system = linked(project, "int = 5")
    (origin,) = setting_origins(system, system.resolution.actors["desk"], ("config",))
    line = DESK.splitlines().index("    value: SETTING") + 1
    assert (origin.path, origin.default, origin.layers) == ("desk.config.value", 5, ())
    assert str(origin.declared) == f"desk/actor.py:{line}:5"


def test_a_key_that_is_almost_a_usual_one_is_told(project: Project) -> None:
    names = {"type": "string", "examples": ["identity", "system_context"]}
    texts = {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": names}
    schema = {"type": "object", "properties": {"texts": {"$ref": "#/$defs/texts"}}}
    project.write(
        "desk/Wasmind.toml",
        'actor_id = "test:desk"\nconfig_schema = "schema.json"\nbuild.component = "desk.wasm"\n'
        "[contract]\nhandles = []\n",
    )
    project.write("desk/schema.json", json.dumps({**schema, "$defs": {"texts": texts}}))
    project.write("desk/desk.wasm", component('(import "wasmind:actor/agent@0.1.0" (instance))'))
    config = 'texts = { identty = "", Identity = "", system-context = "", mine = "" }'
    (told,) = [
        each
        for each in project.check(
            'starting_actors = ["desk"]\n[actors.desk]\n'
            f'source = {{ path = "desk" }}\nconfig = {{ {config} }}\n'
        ).diagnostics
        if each.code == "WM0504"
    ]
    assert told.message == "`texts.identty` in the config of `desk` looks misspelled"
    assert told.help == "did you mean `identity`?"


def test_defaults_of_a_schema_beside_a_component_count_too(project: Project) -> None:
    schema = {
        "type": "object",
        "$defs": {"team": {"type": "array", "x-wasmind": "actors", "default": ["worker"]}},
        "properties": {"value": {"$ref": "#/$defs/team"}},
    }
    project.write(
        "desk/Wasmind.toml",
        'actor_id = "test:desk"\nconfig_schema = "schema.json"\nbuild.component = "desk.wasm"\n'
        "[contract]\nhandles = []\n[capabilities]\nagent = true\n",
    )
    project.write("desk/schema.json", json.dumps(schema))
    project.write("desk/desk.wasm", component('(import "wasmind:actor/agent@0.1.0" (instance))'))
    app = APP[: APP.index("[actors.helper]")]
    assert [x for x in project.found(app) if "WM0308" in x] == []
