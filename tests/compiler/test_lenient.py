"""`--lenient`: keys without a meaning are warnings, and nothing else becomes harmless by that."""

from __future__ import annotations

import pytest

from tests.compiler.project import Project, listed
from wasmind_compiler import pipeline

SETTINGS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["level"],
    "properties": {
        "level": {"type": "string"},
        "allow_edits": {"type": "boolean", "default": True, "x-wasmind": "permission"},
    },
}
APP = """\
starting_actors = ["desk"]

[actors.desk]
source = { path = "desk" }

[actors.desk.config]
level = "low"
allow_edits = false
"""


def found(project: Project, app: str) -> list[str]:
    """`SEVERITY CODE` for each problem of a lenient check."""
    project.actor("desk", config=SETTINGS)
    project.actor("tool")
    path = project.write("app.toml", app)
    report = pipeline.check(path, project.environment(), lenient=True)
    return [f"{each.severity.value} {each.code}" for each in report.diagnostics]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[actors.desk]\n", '[actors.desk]\ncolour = "red"\n', ["warning WM0201"]),
        ("{ path", '{ sub_dir = "x", path', ["warning WM0201"]),
        ("allow_edits", 'colour = "red"\nallow_edits', ["warning WM0501"]),
        (
            "[actors.desk.config]\n",
            "allow_edits = true\n\n[actors.desk.config]\n",
            ["warning WM0207"],
        ),
        ("[actors.desk]\n", "[tui.dashbord]\n[actors.desk]\n", ["warning WM0201"]),
        ('starting_actors = ["desk"]', 'start = ["desk"]', ["error WM0301", "warning WM0201"]),
        ("source = {", "souce = {", ["error WM0204", "warning WM0201"]),
        ("{ path", "{ pth", ["error WM0204", "warning WM0201"]),
        ("level", "levle", ["error WM0503", "warning WM0501"]),
        ("desk.config]", "desk.settings]", ["error WM0503", "warning WM0507", "warning WM0201"]),
        ("allow_edits", "allow_edit", ["warning WM0507", "warning WM0501"]),
        ('"low"', "1", ["error WM0502"]),
    ],
)
def test_what_is_forgiven(project: Project, old: str, new: str, expected: list[str]) -> None:
    assert sorted(found(project, APP.replace(old, new, 1))) == sorted(expected)


def test_companions_in_a_dependency_table_are_forgiven(project: Project) -> None:
    app = APP.replace('path = "desk"', 'path = "lead"')
    project.actor(
        "lead",
        'dependencies.desk2 = { source = { path = "../tool" }, required_spawn_with = [] }',
        config=SETTINGS,
    )
    assert found(project, app) == ["warning WM0444", "warning WM0412"]


def test_what_is_forgiven_has_no_effect(project: Project) -> None:
    app = APP.replace('path = "desk"', 'path = "lead"')
    tool = '{ source.path = "../tool", grants.http = true }'
    project.actor("lead", f"dependencies.tool = {tool}", config=SETTINGS)
    # Nor is the grant said to be one that `tool` has no use for.
    assert found(project, app) == ["warning WM0444", "warning WM0201"]


def test_strictly_only_the_cause_is_reported(project: Project) -> None:
    project.actor("desk", config=SETTINGS)
    for old, new in (("level", "levle"), ("{ path", "{ pth"), ("desk.config]", "desk.settings]")):
        path = project.write("app.toml", APP.replace(old, new, 1))
        (only,) = listed(pipeline.check(path, project.environment()))
        assert only.split()[0] in ("WM0201", "WM0501")
