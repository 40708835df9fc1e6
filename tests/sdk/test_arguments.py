"""Arguments as models write them: what is understood, and what they are told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pytest

from wasmind_actor import Actor, Config, Param, Record, tool
from wasmind_actor.testing import Stage


class Edit(Record):
    line: int
    text: str = ""


class Target(Record):
    host: str
    port: int
    user_name: str = ""


class Limits(Config):
    most: int = 0
    share: float = 0.5


class Editor(Actor[Limits]):
    @tool
    def edit(
        self,
        path: str,
        edits: tuple[Edit, ...] = (),
        timeout: Annotated[int, Param(minimum=1)] = 30,
        ratio: float = 1.0,
        note: Any = None,
    ) -> str:
        """Edits."""
        return repr((path, [(each.line, each.text) for each in edits], timeout, ratio, note))

    @tool
    def deploy(
        self,
        to: tuple[Target, ...] | None = None,
        by_name: Mapping[str, Target] = {},
        either: Target | str = "",
    ) -> str:
        """Deploys."""
        return "deployed"

    @tool
    def nothing(self) -> str:
        """Takes nothing."""
        return "done"


@pytest.fixture
def editor() -> Stage:
    return Stage(Editor)


@pytest.mark.parametrize(
    ("arguments", "understood"),
    [
        ('{"path": "a\nb\tc"}', "('a\\nb\\tc', [], 30, 1.0, None)"),
        ('{"path": "a", "timeout": 5.0}', "('a', [], 5, 1.0, None)"),
        ('{"path": "a", "timeout": 5e1, "ratio": 2}', "('a', [], 50, 2.0, None)"),
        ('{"path": "a", "edits": [{"line": 3.0}]}', "('a', [(3, '')], 30, 1.0, None)"),
        ('{"path": "\\ud83d"}', "('?', [], 30, 1.0, None)"),
        ('{"path": "\\uD83D\\uDE00"}', "('\N{GRINNING FACE}', [], 30, 1.0, None)"),
        ('{"path": "", "note": {"\\udc00": ["a\\udbff"]}}', "('', [], 30, 1.0, {'?': ['a?']})"),
        ('{"path": "\\\\ud83d"}', "('\\\\ud83d', [], 30, 1.0, None)"),
        ('{"path": "a", "explanation": "because"}', "('a', [], 30, 1.0, None)"),
    ],
)
def test_what_models_write_is_understood(editor, arguments, understood):
    assert editor.call("edit", arguments).content == understood


def test_all_wrong_arguments_are_reported_at_once(editor):
    error = editor.call_error(
        "edit", '{"pth": "a", "timeout": 0, "ratio": "x", "edits": [{}], "colour": "red"}'
    )
    assert error.content == (
        "the parameters of `edit` are invalid:\n"
        "- path: missing\n"
        "- edits[0].line: missing\n"
        "- timeout: expected at least 1, found 0\n"
        "- ratio: expected a number, found a string\n"
        "- pth: unknown; did you mean `path`?\n"
        "- colour: unknown; known: `path`, `edits`, `timeout`, `ratio`, `note`"
    )


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ('"to": [{"host": "a", "port": 1}, TARGET]', "to[1]"),
        ('"by_name": {"x": TARGET}', "by_name.x"),
        ('"either": TARGET', "either"),
    ],
)
def test_so_is_all_that_is_wrong_inside_of_arguments(editor, to, path):
    wrong = '{"hst": "h", "port": "x", "username": "me", "colour": "red"}'
    error = editor.call_error("deploy", "{" + to.replace("TARGET", wrong) + "}")
    known = "known: `host`, `port`, `user_name`"
    assert error.content.splitlines()[1:] == [
        f"- {path}.host: missing",
        f"- {path}.port: expected an integer, found a string",
        f"- {path}.hst: unknown; did you mean `host`?",
        f"- {path}.username: unknown; did you mean `user_name`?",
        f"- {path}.colour: unknown; {known}",
    ]


def test_a_misspelt_optional_part_of_an_argument_is_not_just_left_out(editor):
    error = editor.call_error("deploy", '{"either": {"host": "h", "port": 1, "username": "me"}}')
    assert error.content.endswith("either.username: unknown; did you mean `user_name`?")


def test_the_same_mistake_in_every_item_is_not_told_without_end(editor):
    lines = editor.call_error("edit", path="a", edits=[{}] * 500).content.splitlines()
    assert lines[-2:] == ["- edits[19].line: missing", "- and 480 more"]


def test_an_optional_argument_that_was_misspelt_is_not_just_left_out(editor):
    error = editor.call_error("edit", path="a", time_out=5)
    assert error.content.endswith("time_out: unknown; did you mean `timeout`?")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ('{"path": "a", "note": NaN}', "NaN is not a number in JSON"),
        ('{"path": "a", "note": -Infinity}', "-Infinity is not a number in JSON"),
        ('{"path": "a", "note": 1e999}', "1e999 is not a number in JSON"),
        ('{"path": "a", "timeout": 5.5}', "timeout: expected an integer, found a number"),
        ('{"path": "a", "timeout": "30"}', "timeout: expected an integer, found a string"),
        ("[]", "expected an object, found an array"),
        ('{"path": "a', "invalid JSON"),
        ("[" * 100_000, "invalid JSON"),
    ],
)
def test_what_is_not_understood_is_told(editor, arguments, reason):
    assert reason in editor.call_error("edit", arguments).content


@pytest.mark.parametrize("arguments", ["", " ", "{}", '{"reason": "x"}'])
def test_a_tool_without_parameters_takes_anything(editor, arguments):
    assert editor.call("nothing", arguments).content == "done"


def test_whole_numbers_of_a_configuration_may_be_written_with_a_point():
    assert Stage(Editor, config="most = 30.0\nshare = 1").actor.config == Limits(most=30, share=1.0)
