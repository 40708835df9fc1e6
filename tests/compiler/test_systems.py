"""Contracts of actors against the config and each other. The guest is a stand-in."""

from __future__ import annotations

from tests.compiler.project import Project

DESK = 'starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n'
SETTINGS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model_name"],
    "properties": {
        "model_name": {"type": "string", "x-wasmind": "model"},
        "allow_edits": {"type": "boolean"},
        "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"},
        "reviewers": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "x-wasmind": "actors",
        },
    },
}
MODEL = '[[litellm.models]]\nmodel_name = "small"\nlitellm_params.model = "openai/any"\n'


def test_a_setting_beside_source_is_told_where_it_belongs(project: Project) -> None:
    project.actor(
        "desk",
        """
        [dependencies.reader]
        source = { path = "../reader" }
        allow_edits = false
        sorce = 1
        config = { model_name = "small" }
        """,
    )
    project.actor("reader", config=SETTINGS)
    assert project.text(DESK + MODEL) == (
        "error[WM0207]: `allow_edits` in `dependencies.reader` belongs in `config`\n"
        " --> desk/Wasmind.toml:5:1\n"
        "  |\n"
        "5 | allow_edits = false\n"
        "  | ^^^^^^^^^^^ has no effect here\n"
        "  = help: move it into `[dependencies.reader.config]`\n"
        "\n"
        "error[WM0201]: unknown key `sorce` in `dependencies.reader`\n"
        " --> desk/Wasmind.toml:6:1\n"
        "  |\n"
        "6 | sorce = 1\n"
        "  | ^^^^^\n"
        "  = help: did you mean `source`?\n"
    )


def test_settings_are_reported_in_the_file_they_came_from(project: Project) -> None:
    project.actor(
        "desk",
        """
        [dependencies.reader]
        source = { path = "../reader" }
        config = { model_name = 1, allow_edits = true, colour = 1 }
        """,
    )
    project.actor("reader", config=SETTINGS)
    app = DESK + MODEL + "[actor_overrides.reader.config]\nallow_edits = 'no'\n"
    assert project.found(app) == [
        "WM0502 app.toml:7:15 `allow_edits` in the config of `reader` must be a boolean, found a"
        " string",
        "WM0502 desk/Wasmind.toml:5:25 `model_name` in the config of `reader` must be a string,"
        " found an integer",
        "WM0501 desk/Wasmind.toml:5:48 unknown key `colour` in the config of `reader`",
    ]


def test_a_missing_setting_says_where_to_put_it(project: Project) -> None:
    project.actor("desk", 'dependencies.reader.source.path = "../reader"', config=SETTINGS)
    project.actor("reader", config=SETTINGS)
    report = project.check(DESK + MODEL)
    assert [(str(each.span), each.message, each.notes) for each in report.diagnostics] == [
        (
            "app.toml:2:8",
            "missing key `model_name` in the config of `desk`",
            ("set it in `[actors.desk.config]`",),
        ),
        (
            "desk/Wasmind.toml:2:14",
            "missing key `model_name` in the config of `reader`",
            ("set it in `[actor_overrides.reader.config]`",),
        ),
    ]


def test_unknown_models(project: Project) -> None:
    project.actor("desk", config=SETTINGS)
    app = DESK + 'actors.desk.config.model_name = "smal"\n'
    report = project.check(app + MODEL)
    assert [(each.code, str(each.span), each.help) for each in report.diagnostics] == [
        ("WM0601", "app.toml:3:33", "did you mean `small`?")
    ]
    report = project.check(app)
    assert report.diagnostics[0].help == "add a table `[models.smal]`"


def test_spawn_lists_are_followed_and_checked(project: Project) -> None:
    project.actor("desk", config=SETTINGS, capabilities=["agent"])
    project.actor("worker")
    project.actor("judge")
    project.actor("idle")
    app = (
        DESK
        + """
actors.worker.source.path = "worker"
actors.judge.source.path = "judge"
actors.idle.source.path = "idle"
[actors.desk.config]
model_name = "small"
workers = ["worker", "workr"]
reviewers = { code = ["judge"], text = ["juge"] }
"""
        + MODEL
    )
    assert project.found(app) == [
        "WM0309 app.toml:9:22 `desk` spawns `workr`, which does not exist",
        "WM0309 app.toml:10:41 `desk` spawns `juge`, which does not exist",
    ]
    right = app.replace('"workr"', '"judge"').replace('"juge"', '"judge"')
    assert project.found(right) == ["WM0308 app.toml:6:8 nothing spawns `idle`"]


def test_who_may_spawn_anything_needs_no_list(project: Project) -> None:
    project.actor("desk", capabilities=["agent"])
    project.actor("idle")
    assert project.found(DESK + 'actors.idle.source.path = "idle"\n') == []


def test_tools_of_one_name_in_one_agent(project: Project) -> None:
    tool = {"name": "edit", "description": "", "parameters": {}}
    project.actor("desk", tools=[tool], spawns=["other"], capabilities=["agent"])
    project.actor("other", tools=[tool])
    app = DESK + 'actors.other.source.path = "other"\n'
    assert project.found(app) == []
    assert project.text(app + "actors.other.auto_spawn = true\n") == (
        "error[WM0902]: `desk` and `other` both offer the tool `edit` in one agent\n"
        " --> app.toml:3:8\n"
        "  |\n"
        '3 | actors.other.source.path = "other"\n'
        "  |        ^^^^^\n"
        " ::: app.toml:2:8\n"
        "  |\n"
        '2 | actors.desk.source.path = "desk"\n'
        "  |        ---- offers it too\n"
        "  = note: they meet in: root agent\n"
        "  = help: take one of them out of the agent\n"
    )


def test_a_config_for_an_actor_without_settings(project: Project) -> None:
    project.actor("desk")
    assert project.found(DESK + "actors.desk.config.x = 1\n") == [
        "WM0505 app.toml:3:13 `desk` takes no config"
    ]


def test_capabilities_of_python_actors_come_from_their_code(project: Project) -> None:
    project.actor("desk", capabilities=["http", "messaging"])
    assert project.found(DESK + "[actors.desk.grants]\nmessaging = true\n") == [
        "WM0701 app.toml:3:1 `desk` needs the capability `http`, which is not granted"
    ]


def test_a_python_module_that_does_not_compile(project: Project) -> None:
    project.actor("desk")
    project.write("desk/lib/part.py", "x = 1\nif x\n    pass\n")
    assert project.text(DESK) == (
        "error[WM0804]: Python: expected ':'\n --> desk/lib/part.py:2:5\n  |\n2 | if x\n  |     ^\n"
    )


def test_an_actor_that_cannot_be_loaded(project: Project) -> None:
    project.actor("desk")
    project.write("desk/actor.py", "raise ValueError('no')\n")
    report = project.check(DESK)
    assert [(each.code, each.message, each.notes) for each in report.diagnostics] == [
        ("WM0805", "`desk` cannot be loaded", ("Traceback: no",))
    ]


def test_folders_that_hold_nothing_to_run(project: Project) -> None:
    project.write("desk/Wasmind.toml", 'actor_id = "a:b"\n')
    assert project.found(DESK) == [
        "WM0801 app.toml:2:27 there is nothing to run in the folder of `desk`"
    ]
    project.write("desk/Cargo.toml", "")
    assert project.found(DESK) == [
        "WM0803 app.toml:2:27 `desk` is built by running `cargo component build --release`, which"
        " needs `--allow-build`"
    ]


def test_links_out_of_an_actor(project: Project) -> None:
    project.actor("desk")
    (project.root / "desk" / "link").symlink_to("/etc/hostname")
    assert project.found(DESK) == [
        "WM0406 app.toml:2:27 `link` is a link to `/etc/hostname`, which leads out of the folder of"
        " `desk`"
    ]


def test_a_checked_actor_is_not_loaded_again_until_it_changes(project: Project) -> None:
    project.actor("desk")
    assert project.found(DESK) == []
    assert project.found(DESK) == []
    assert project.guests_started == 1
    project.write("desk/tests/test_actor.py", "syntax error, but not a module\n")
    assert project.found(DESK) == []
    assert project.guests_started == 2


def test_one_folder_under_two_names_is_built_once(project: Project) -> None:
    project.actor("desk")
    project.found(DESK + 'actors.twin.source.path = "desk"\nactors.twin.auto_spawn = true\n')
    assert project.statuses == ["Compiling desk"]


def test_talking_and_logging_need_not_be_granted_to_narrow_something_else(project: Project) -> None:
    project.actor("desk", capabilities=["http", "logger", "messaging"])
    grants = '[actors.desk.grants]\nhttp = { hosts = ["example.org"] }\n'
    assert project.found(DESK + grants) == []
    assert project.found(DESK + grants + "logger = false\n") == [
        "WM0701 app.toml:3:1 `desk` needs the capability `logger`, which is not granted"
    ]
