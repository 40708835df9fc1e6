"""What annotations take, and what models are told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from wasmind_actor.findings import DeclarationError
from wasmind_actor.testing import FakeHost, Stage, describe, load

HEAD = """\
from __future__ import annotations
import datetime, decimal, pathlib, uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Dict, List, Literal, NamedTuple, NewType, Optional, TypedDict
from wasmind_actor import Actor, Config, FlexibleBool, Param, Record, Variant, tool

class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"
class Size(Enum):
    SMALL = 1
    LARGE = 2
class Level(IntEnum):
    LOW = 1
class Pair(Enum):
    A = (1, 2)
class Person(Record):
    name: str
class Yes(Variant): ...
class No(Variant):
    why: str
@dataclass
class Data:
    x: int
class Tuple(NamedTuple):
    x: int
class Typed(TypedDict):
    x: int
Name = NewType("Name", str)
"""


@pytest.fixture
def tool(tmp_path) -> Iterator[Any]:
    """Loads an actor with one tool, which has one parameter and answers with what it was given."""

    def make(annotation: str, default: str = "") -> Any:
        code = f"""{HEAD}
class Desk(Actor):
    @tool
    def show(self, value: {annotation}{default}) -> str:
        '''Shows.'''
        return repr(value)
"""
        (tmp_path / "actor.py").write_text(code)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("annotation", "taken", "refused"),
    [
        ("Literal[1, 2, 3]", {1: "1", 3: "3"}, [4, "1", True, None]),
        ("Literal[True]", {True: "True"}, [1, False, "true"]),
        ("Literal['a', 1, False]", {"a": "'a'", 1: "1", False: "False"}, ["1", True, 0]),
        ("Literal['a', None]", {"a": "'a'"}, ["b"]),
        ("Optional[Literal['a']]", {"a": "'a'"}, ["b"]),
        ("Literal['a'] | Literal[2]", {"a": "'a'", 2: "2"}, ["b", 3]),
        ("Colour", {"red": "<Colour.RED: 'red'>"}, ["green", 1]),
        ("Size", {2: "<Size.LARGE: 2>"}, [3, "LARGE", "2"]),
        ("Level", {1: "<Level.LOW: 1>"}, [2, True]),
        ("int | str", {1: "1", "x": "'x'"}, [1.5, True, [], {}]),
        ("int | float", {1: "1", 1.5: "1.5"}, ["1", True]),
        ("Literal['auto'] | int", {"auto": "'auto'", 5: "5"}, ["never", 1.5]),
        ("bool | str", {True: "True", "x": "'x'"}, [1]),
        ("Name", {"x": "'x'"}, [1]),
    ],
)
def test_what_a_parameter_takes(tool, annotation, taken, refused):
    desk = Stage(load(tool(annotation)))
    schema = describe(tool(annotation))["tools"][0]["parameters"]
    for given, shown in taken.items():
        jsonschema.validate({"value": given}, schema)
        assert desk.call("show", value=given).content == shown
    for given in refused:
        assert "value: expected" in desk.call_error("show", value=given).content
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"value": given}, schema)


@pytest.mark.parametrize(
    ("annotation", "given", "shown"),
    [
        ("list", [1, "a"], "[1, 'a']"),
        ("List", [1, "a"], "[1, 'a']"),
        ("tuple", [1, "a"], "(1, 'a')"),
        ("Sequence[int]", [1], "(1,)"),
        ("dict", {"a": [1]}, "{'a': [1]}"),
        ("Dict", {"a": [1]}, "{'a': [1]}"),
        ("dict[str, Any]", {"a": [1]}, "{'a': [1]}"),
        ("dict[Literal['a'], int]", {"a": 1}, "{'a': 1}"),
        ("list[str] | str", ["a"], "['a']"),
        ("list[str] | str", "a", "'a'"),
        ("Person | str", {"name": "Ada"}, "Person(name='Ada')"),
        ("Any | int", [1], "[1]"),
    ],
)
def test_what_holds_something(tool, annotation, given, shown):
    assert Stage(load(tool(annotation))).call("show", value=given).content == shown


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("datetime.datetime", "`datetime` has no JSON form; use `str`, as in `2030-01-31T12"),
        ("datetime.timedelta", "`timedelta` has no JSON form; use `float` for seconds"),
        ("pathlib.Path", "`Path` has no JSON form; use `str`"),
        ("bytes", "`bytes` has no JSON form; use `str`, holding base64"),
        ("decimal.Decimal", "`Decimal` has no JSON form; use `str` or `float`"),
        ("uuid.UUID", "`UUID` has no JSON form; use `str`"),
        ("set[str]", "`set[str]` has no JSON form; use `list[...]`"),
        ("frozenset", "`frozenset` has no JSON form; use `list[...]`"),
        ("tuple[int, str]", "`tuple[int, str]` has no JSON form; use `tuple[T, ...]`"),
        ("dict[int, str]", "`dict[int, str]` has no JSON form; the keys of a JSON object"),
        ("Pair", "`Pair` has no JSON form; JSON has `str`"),
        ("Data", "`Data` has no JSON form; make `Data` a subclass of `wasmind_actor.Record`"),
        ("Tuple", "`Tuple` has no JSON form; make `Tuple` a subclass"),
        ("Typed", "`Typed` has no JSON form; make `Typed` a subclass"),
        ("complex", "`complex` has no JSON form; JSON has `str`"),
        ("list[complex]", "`complex` has no JSON form"),
        ("Person | Yes", "has no JSON form; use variants"),
        ("str | Colour", "has no JSON form; use variants"),
        ("Literal[b'x']", "has no JSON form"),
        ("Nothing", "its annotation cannot be read: name 'Nothing' is not defined"),
    ],
)
def test_what_a_parameter_cannot_be(tool, annotation, reason):
    with pytest.raises(DeclarationError) as caught:
        load(tool(annotation))
    assert str(caught.value).startswith("parameter `value` of tool `show`: ")
    assert reason in str(caught.value)
    (found,) = describe(tool(annotation))["findings"]
    line = (tool(annotation) / "actor.py").read_text().splitlines()[found["at"]["span"][0] - 1]
    start, end = found["at"]["span"][1], found["at"]["span"][3]
    assert line[start - 1 : end - 1] == f"value: {annotation}"


@pytest.mark.parametrize(
    "annotation",
    [
        *("str", "int", "float", "bool", "FlexibleBool", "Any", "object", "list", "dict", "tuple"),
        *("Literal['a', 'b']", "Literal[1, 2]", "Literal['a', 1]", "Literal['a', None]"),
        *("Colour", "Size", "Colour | None", "Literal['a'] | None", "Any | None"),
        *("list[Any]", "dict[str, Any]", "list[Colour]", "int | str", "Person", "Yes | No"),
        *("Person | None", "list[Person]", "Annotated[Any, Param('whatever')]"),
        "Annotated[Literal['a', 'b'], Param('one of them')]",
    ],
)
@pytest.mark.parametrize("default", ["", " = None"])
def test_models_are_told_a_type_everywhere(tool, annotation, default):
    schema = describe(tool(annotation, default))["tools"][0]["parameters"]
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in parts(schema):
        assert ("type" in part) != ("anyOf" in part), json.dumps(part)
        if "enum" in part and all(isinstance(each, str) for each in part["enum"]):
            assert part["type"] == "string"


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all in it."""
    yield schema
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            below.append(schema[key])
    for each in below:
        yield from parts(each)


SETTINGS = """
class DeskConfig(Config):
    size: Literal[1, 2, 3] = 2
    loud: Literal[True, "auto"] = "auto"
class Desk(Actor[DeskConfig]):
    @tool
    def show(self) -> str:
        '''Shows.'''
        return f"{self.config.size} {self.config.loud}"
"""


@pytest.mark.parametrize(
    ("config", "shown"),
    [({}, "2 auto"), ({"size": 3, "loud": True}, "3 True"), ({"size": 1}, "1 auto")],
)
def test_choices_of_settings_that_are_not_strings(tmp_path, config, shown):
    (tmp_path / "actor.py").write_text(HEAD + SETTINGS)
    assert Stage(load(tmp_path), config=config).call("show").content == shown


def test_calls_that_are_not_answered_yet_say_so(tmp_path):
    (tmp_path / "actor.py").write_text(
        "from wasmind_actor import Actor, Call, Deferred, tool\n"
        "class Desk(Actor):\n"
        "    @tool\n"
        "    def later(self, call: Call) -> Deferred:\n"
        "        '''Answers later.'''\n"
        "        return call.defer()\n"
    )
    desk = Stage(load(tmp_path), host=FakeHost())
    for ask in (desk.call, desk.call_error):
        with pytest.raises(AssertionError, match=r"has not answered the call `call_\d` yet"):
            ask("later")
        with pytest.raises(AssertionError, match="there is no tool `lter`; the actor has: later"):
            ask("lter")
