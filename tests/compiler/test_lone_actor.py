"""An actor checked by itself."""

from __future__ import annotations

import pytest

from tests.compiler.project import Project

SETTINGS = {
    "type": "object",
    "properties": {"model": {"type": "string", "x-wasmind": "model"}, "limit": {"type": "integer"}},
    "required": ["model"],
    "additionalProperties": False,
}
NEEDS_TOOL = 'dependencies.tool.source.path = "../tool"\n'


def test_an_actor_without_faults(project: Project) -> None:
    project.actor("desk", NEEDS_TOOL + 'required_spawn_with = ["tool"]\n', config=SETTINGS)
    project.actor("tool")
    assert project.about("desk") == []
    assert sorted(path.name for path in (project.root / "desk").iterdir()) == [
        "Wasmind.toml",
        "actor.py",
    ]


def test_what_a_config_would_say_is_nobodys_mistake(project: Project) -> None:
    project.actor("tool", config=SETTINGS)
    # No model, a model that is not known here, nobody who listens, a dependency nobody spawns.
    project.actor("desk", NEEDS_TOOL, handles=[], config=SETTINGS, spawns=[])
    assert project.about("desk", strict=True) == []
    with_model = NEEDS_TOOL + 'dependencies.tool.config.model = "some/model"\n'
    project.actor("desk", with_model, handles=[], spawns=[])
    assert project.about("desk", strict=True) == []


def test_faults_of_the_manifest_are_found_in_it(project: Project) -> None:
    project.actor("desk", 'required_spawn_wiht = ["tool"]\n' + NEEDS_TOOL)
    project.actor("tool")
    assert project.about("desk") == [
        "WM0201 desk/Wasmind.toml:2:1 unknown key `required_spawn_wiht`"
    ]


def test_settings_for_dependencies_are_checked(project: Project) -> None:
    project.actor("desk", NEEDS_TOOL + 'dependencies.tool.config.limit = "3"\n')
    project.actor("tool", config=SETTINGS)
    assert project.about("desk") == [
        "WM0502 desk/Wasmind.toml:3:34"
        " `limit` in the config of `tool` must be an integer, found a string"
    ]


@pytest.mark.parametrize("name", ["desk", "a desk", "käse", 'quo"te', "back\\slash"])
def test_what_concerns_the_actor_as_a_whole_is_shown_at_its_id(project: Project, name: str) -> None:
    folder = project.actor("desk").rename(project.root / name)
    place = f"{name}/Wasmind.toml:1:12"
    (folder / "actor.py").write_text("raise ValueError('no')\n")
    (found,) = project.about(name)
    assert found.startswith(f"WM0805 {place} `./")
    (folder / "actor.py").unlink()
    (found,) = project.about(name)
    assert found.startswith(f"WM0801 {place} there is nothing to run in the folder of")


def test_nothing_names_the_config_that_nobody_wrote(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../toll"\n')
    report = project.report_about("desk")
    (found,) = report.diagnostics
    assert found.notes[-1] == "needed by:\n  ./desk (desk/Wasmind.toml)"
    assert "by itself" not in repr(report.diagnostics)


def test_a_dependency_may_be_called_like_the_folder(project: Project) -> None:
    project.actor("desk", 'dependencies.desk.source.path = "../other/desk"\n')
    project.actor("other/desk")
    assert project.about("desk") == []


def test_a_lockfile_in_the_folder_is_not_its_own(project: Project) -> None:
    project.actor("desk").joinpath("Wasmind.lock").write_text("<<<<<<< ours")
    assert project.about("desk") == []


def test_keys_without_meaning_can_be_warnings(project: Project) -> None:
    project.actor("desk", "colour = 1\n")
    report = project.report_about("desk", lenient=True)
    assert [found.severity.value for found in report.diagnostics] == ["warning"]
    assert project.report_about("desk", lenient=True, strict=True).failed


def test_no_fix_is_for_the_config_that_nobody_wrote(project: Project) -> None:
    # Two dependencies give one actor different settings, which an override would settle.
    project.actor("tool", config={"type": "object", "properties": {"n": {"type": "integer"}}})
    tool = 'dependencies.tool = { source.path = "../tool", config.n = '
    project.actor("one", f"{tool}1 }}\n")
    project.actor("two", f"{tool}2 }}\n")
    both = "".join(f'dependencies.{name}.source.path = "../{name}"\n' for name in ("one", "two"))
    project.actor("desk", both)
    report = project.report_about("desk")
    assert [each.code for each in report.diagnostics] == ["WM0409"]
    assert "by itself" not in repr(report.diagnostics)
