"""Contracts of actors against the config and each other. The guest is a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.project import Project
from wasmind_compiler.analysis.patterns import may_take_long
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.pipeline import Report
from wasmind_compiler.resolution.tree import Tree, read_tree

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


def fixed(report: Report) -> str:
    """The config with the one fix that is offered."""
    (fix,) = [each.fix for each in report.diagnostics if each.fix is not None]
    text = report.texts["app.toml"].text
    for edit in sorted(fix.edits, key=lambda each: each.span.start.byte, reverse=True):
        start, end = edit.span.start.byte, edit.span.end.byte
        text = text[:start] + edit.replacement + text[end:]
    return text


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
    manifest = 'required_spawn_with = ["reader"]\ndependencies.reader.source.path = "../reader"'
    project.actor("desk", manifest, config={"type": "object"})
    project.actor("reader", config=SETTINGS)
    report = project.check(DESK + "\n[actor_overrides.reader]\nauto_spawn = true\n\n" + MODEL)
    assert render_text(report.diagnostics, report.texts) == (
        "error[WM0503]: missing key `model_name` in the config of `reader`\n"
        " --> app.toml:4:1\n"
        "  |\n"
        "4 | [actor_overrides.reader]\n"
        "  | ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        " ::: desk/Wasmind.toml:3:14\n"
        "  |\n"
        '3 | dependencies.reader.source.path = "../reader"\n'
        "  |              ------ declared here, without it\n"
        "  = note: needed by:\n"
        "            desk (app.toml:2)\n"
        "            desk —dependency→ reader (desk/Wasmind.toml:3)\n"
        "  = help: add to the config:\n"
        "          [actor_overrides.reader.config]\n"
        '          model_name = "small"\n'
    )
    assert fixed(report) == (
        DESK + "\n[actor_overrides.reader]\nauto_spawn = true\n\n"
        '[actor_overrides.reader.config]\nmodel_name = "small"\n\n' + MODEL
    )


def test_what_a_dependency_lacks_is_reported_in_the_config(project: Project) -> None:
    manifest = 'required_spawn_with = ["reader"]\ndependencies.reader.source.path = "../reader"'
    project.actor("desk", manifest, config=SETTINGS)
    project.actor("reader", config={**SETTINGS, "required": ["model_name", "allow_edits"]})
    report = project.check(DESK + MODEL)
    assert [(str(each.span), each.message, each.label) for each in report.diagnostics] == [
        ("app.toml:2:8", "missing key `model_name` in the config of `desk`", ""),
        (
            "app.toml:2:8",
            "missing keys `model_name` and `allow_edits` in the config of `reader`",
            "leads to `reader`",
        ),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[actors.a]\nsource.path = 'a'\nextra = 1\n", "config.extra = 1"),
        ("[actors.a]\nextra = 1\nsource.path = 'a'\nconfig = { other = 2 }\n",
         "[actors.a]\nsource.path = 'a'\nconfig = { extra = 1, other = 2 }\n"),
        ("[actors.a]\nsource.path = 'a'\nextra = 1\n[actors.a.config]\nother = 2\n",
         "[actors.a]\nsource.path = 'a'\n[actors.a.config]\nextra = 1\nother = 2\n"),
        ("actors.a = { source.path = 'a', extra = 1 }\n",
         "actors.a = { source.path = 'a', config.extra = 1 }\n"),
        ("actors.a.source.path = 'a'\nactors.a.extra = 1\nactors.a.config.other = 2\n",
         "actors.a.config.extra = 1\n"),
    ],
)  # fmt: skip
def test_a_misplaced_setting_is_moved(project: Project, before: str, after: str) -> None:
    schema = {"properties": {"extra": {"type": "integer"}, "other": {"type": "integer"}}}
    project.actor("a", config={"type": "object", "additionalProperties": False, **schema})
    start = 'starting_actors = ["a"]\n'
    report = project.check(start + before)
    assert [each.code for each in report.diagnostics] == ["WM0207"]
    mended = fixed(report)
    assert after in mended
    assert project.found(mended) == []


def test_what_agents_may_do_is_better_said(project: Project) -> None:
    schema = {"allow_edits": {"type": "boolean", "default": True, "x-wasmind": "permission"}}
    project.actor("desk", config={"type": "object", "properties": schema})
    report = project.check(DESK)
    assert [(each.code, each.message) for each in report.diagnostics] == [
        ("WM0507", "nobody sets `allow_edits` of `desk`, so it is `true`")
    ]
    mended = fixed(report)
    assert mended == DESK + "\n[actors.desk.config]\nallow_edits = false\n"
    assert project.found(mended) == []
    assert project.found(mended.replace("false", "true")) == []


def test_names_of_settings_have_a_form(project: Project) -> None:
    key = {"type": "string", "pattern": "^x-"}
    schema = {
        "names": {"type": "array", "items": key},
        "headers": {"type": "object", "propertyNames": key},
    }
    project.actor("desk", config={"type": "object", "properties": schema})
    settings = 'actors.desk.config = { names = ["x-a", "b"], headers = { "a b" = 1, x-b = 2 } }\n'
    assert project.found(DESK + settings) == [
        "WM0504 app.toml:3:40 `names[1]` in the config of `desk` must match `^x-`",
        "WM0504 app.toml:3:58 the name `a b` in `headers` of the config of `desk` must match `^x-`",
    ]


def test_templates_are_parsed(project: Project) -> None:
    schema = {"prompt": {"type": "object", "x-wasmind": "template"}}
    project.actor("desk", config={"type": "object", "properties": schema})
    app = (
        DESK
        + """
[actors.desk.config.prompt]
right = "{% for each in data %}{{ each }}{% endfor %}"
wrong = '''
Dear reader,
  {% for each in data }
'''
"""
    )
    assert project.text(app).startswith(
        "error[WM0508]: `prompt.wrong` in the config of `desk` is not a template: unexpected `}`\n"
        " --> app.toml:8:3\n"
        "  |\n"
        "8 |   {% for each in data }\n"
        "  |   ^^^^^^^^^^^^^^^^^^^^^\n"
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "{{ x is notest }}\n {{ sections | uper | nofilter }}",
            [
                "app.toml:4:32 no test named `notest`",
                "app.toml:5:2 no filter named `nofilter`",
                "app.toml:5:2 no filter named `uper`",
            ],
        ),
        ("{% filter nofilter %}a{% endfilter %}", ["app.toml:4:32 no filter named `nofilter`"]),
        ("{{ data | tojson | upper }}{{ data is mapping }}{{ 9 ** 9 ** 9 ** 9 }}", []),
        ("{% if 'own' is filter %}{{ data | own }}{% endif %}", []),
        ("{{" + "1+" * 500 + "1 }}", []),
        ("{{" + "(" * 500 + "1" + ")" * 500 + "}}", ["app.toml:4:32 it is nested too deeply"]),
    ],
)
def test_filters_and_tests_of_templates_exist(
    project: Project, template: str, expected: list[str]
) -> None:
    schema = {"prompt": {"type": "string", "x-wasmind": "template"}}
    project.actor("desk", config={"type": "object", "properties": schema})
    report = project.check(f"{DESK}\nactors.desk.config.prompt = '''{template}'''\n")
    about = "`prompt` in the config of `desk` is not a template: "
    found = [f"{each.span} {each.message.removeprefix(about)}" for each in report.diagnostics]
    assert found == expected


def test_unknown_models(project: Project) -> None:
    project.actor("desk", config=SETTINGS)
    app = DESK + 'actors.desk.config.model_name = "smal"\n'
    report = project.check(app + MODEL)
    assert [(each.code, str(each.span), each.help) for each in report.diagnostics] == [
        ("WM0601", "app.toml:3:33", "did you mean `small`?")
    ]
    report = project.check(app)
    assert report.diagnostics[0].help == (
        'declare it, for example:\n[models.smal]\nkind = "ollama"\n'
        "or name a provider, like `ollama/smal`; "
        'or let one answer for all other names: `[models."*"]`'
    )


def test_spawn_lists_are_followed_and_checked(project: Project) -> None:
    project.actor("desk", config=SETTINGS, capabilities=["agent"])
    project.actor("worker", capabilities=["http"])
    project.actor("judge", capabilities=["http"])
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


def test_agents_that_would_do_nothing(project: Project) -> None:
    project.actor("desk", config=SETTINGS, capabilities=["agent"])
    project.actor("shell")
    app = DESK + 'actors.shell.source.path = "shell"\n' + MODEL
    lists = '[actors.desk.config]\nmodel_name = "small"\nworkers = {}\n'
    assert project.found(app + lists.format("[]"))[:1] == [
        "WM0334 app.toml:9:11 `desk` would spawn an agent without actors: `workers` is empty"
    ]
    assert project.found(app + lists.format('["shell"]')) == [
        "WM0333 app.toml:9:11 no actor of the agent that `desk` spawns asks a model"
    ]
    assert project.found(app + lists.format('["shell", "desk"]')) == []


def test_two_actors_of_one_kind_in_an_agent(project: Project) -> None:
    project.actor("desk")
    app = 'starting_actors = ["a", "b"]\n' + "".join(
        f'actors.{name}.source.path = "desk"\n' for name in "ab"
    )
    assert project.found(app) == [
        "WM0332 app.toml:1:25 `a` and `b` are both `test:desk` and join one agent"
    ]


def test_a_dependency_that_nothing_spawns(project: Project) -> None:
    project.actor("desk", '[dependencies.tool]\nsource = { path = "../tool" }')
    project.actor("tool", 'dependencies.deep.source.path = "../deep"')
    project.actor("deep")
    assert project.found(DESK) == [
        "WM0444 desk/Wasmind.toml:2:1 `desk` depends on `tool`, but nothing spawns it"
    ]
    project.actor("desk", '[dependencies.tool]\nsource.path = "../tool"\nauto_spawn = true')
    assert project.found(DESK) == [
        "WM0444 tool/Wasmind.toml:2:14 `tool` depends on `deep`, but nothing spawns it"
    ]


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


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "+nan"])
def test_numbers_that_are_none(project: Project, value: str) -> None:
    """An actor cannot read them, nor could they be written as JSON."""
    ratios = {"type": "array", "items": {"type": "number"}}
    schema = {"properties": {"ratio": {"type": "number"}, "ratios": ratios, "any": {}}}
    project.actor("desk", config={"type": "object", **schema})
    config = f"actors.desk.config = {{ ratio = {value}, ratios = [1, {value}], any = {value} }}\n"
    assert project.found(DESK + config) == [
        "WM0504 app.toml:3:32 `ratio` in the config of `desk` is not a finite number",
        f"WM0504 app.toml:3:{47 + len(value)} `ratios[1]` in the config of `desk` is not a finite"
        " number",
    ]


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


def doubling(levels: int) -> dict[str, object]:
    """Definitions of which each leads to the next one twice."""
    both = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {**both, f"a{levels}": {}}


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (False, "it is no object"),
        ({"properties": []}, "`properties` is no object"),
        ({"items": 3}, "a schema in it is neither an object nor a boolean"),
        ({"anyOf": 3}, "`anyOf` is no array of schemas"),
        ({"type": "objct"}, "`type` is none of JSON: objct"),
        ({"required": [3]}, "`required` is no array of strings"),
        ({"properties": {"a": {"enum": 3}}}, "`enum` is no array"),
        ({"properties": {"a": {"x-wasmind": ["model"]}}}, "`x-wasmind` is no string"),
        ({"$ref": "#/$defs/a"}, "`$ref` leads nowhere: #/$defs/a"),
        ({"$ref": "file:///etc/hostname"}, "`$ref` leads out of it: file:///etc/hostname"),
        ({"$ref": "#"}, "`$ref` leads around in a circle: #"),
        (
            {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
            "`$ref` leads around in a circle: #/$defs/a",
        ),
        (
            {"$defs": {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(99)} | {"a99": {}}},
            "`$ref` leads through more than 64 others: #/$defs/a1",
        ),
        ({"$dynamicRef": "#a"}, "`$dynamicRef` is not supported"),
        ({"properties": {"a": {"minimum": "x"}}}, "'x' is not of type 'number'"),
        (
            {"patternProperties": {r"(a)\1": {}}},
            r"the pattern `(a)\1` may take as good as for ever",
        ),
        (
            {"properties": {"b": {"pattern": "("}}},
            "`(` is no regular expression: missing ), unterminated subpattern at position 0",
        ),
        ({"properties": {"b": {"pattern": 3}}}, "`pattern` is no string"),
        (
            {"$defs": doubling(40), "$ref": "#/$defs/a0"},
            "`$ref` leads to more than 10000 schemas: #/$defs/a27",
        ),
        (
            {"$ref": "#/default", "default": {"pattern": "(a+)+"}},
            "`$ref` leads to no schema: #/default",
        ),
        (
            {"properties": {"b": {"default": {}, "$ref": "#"}}},
            "`$ref` leads around in a circle: #",
        ),
        (
            {"patternProperties": {"^a": {}, "(?i)^b": {}}, "additionalProperties": False},
            "global flags not at the start of the expression at position 3",
        ),
    ],
)
def test_a_schema_that_is_none_is_reported_and_not_used(
    project: Project, schema: object, fault: str
) -> None:
    project.actor("desk", config=schema)
    message = f"the config schema of `desk` is invalid: {fault}"
    assert project.found(DESK + "actors.desk.config.a = 1\n") == [f"WM0506 app.toml:2:27 {message}"]


def test_a_number_that_no_multiple_can_be_compared_to(project: Project) -> None:
    """It is the value's fault, not the schema's; and only where a number is wanted."""
    project.actor("desk", config={"properties": {"a": {"multipleOf": 0.5, "type": "number"}}})
    assert project.found(DESK + "actors.desk.config.a = inf\n") == [
        "WM0504 app.toml:3:24 `a` in the config of `desk` is not a finite number"
    ]
    project.actor("desk", config={"properties": {"a": {"multipleOf": 0.5}}})
    assert project.found(DESK + "actors.desk.config.a = inf\n") == []


@pytest.mark.parametrize("valid", [True, False])
def test_values_are_judged_once_by_a_schema_that_doubles_with_their_depth(
    project: Project, *, valid: bool
) -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/list"}}}
    item: dict[str, object] = {"items": {"$ref": "#/$defs/list"}}
    if not valid:
        # A keyword that the quick look does not know.
        item["contains"] = {"$ref": "#/$defs/list"}
    project.actor("desk", config={**schema, "$defs": {"list": {"allOf": [item, item]}}})
    found = project.found(DESK + f"actors.desk.config.a = {'[' * 40}{']' * 40}\n")
    assert found == (
        []
        if valid
        else [
            "WM0506 app.toml:2:27 the config schema of `desk` is invalid: "
            "it leads to more than 100000 references"
        ]
    )


@pytest.mark.parametrize(
    ("pattern", "usable"),
    [
        (r"^[a-z0-9]+(?:-[a-z0-9]+)*$", True),
        (r"^(read|write)(,(read|write))*$", True),
        (r"^(\d{1,3}\.){3}\d{1,3}$", True),
        (r"^https?://[^/\s]+(:\d+)?(/[^\s?]*)?(\?\S*)?$", True),
        (r"^/?(?:[^/]+/)*[^/]+$", True),
        (r"^[A-Z][A-Z-]*(?!\n)$", True),
        (r"(a|aa)+$", False),
        (r"(?>(a?|b)*)$", False),
        (r"(\.[a-z]*[a-z]*)*$", False),
        (r"(-[a-z]+-?)*$", False),
        (r"(?=(a+)+$)x", False),
        ("a?" * 40, False),
        ("(?:" * 3 + "){65535}" * 3, False),
    ],
)
def test_which_patterns_may_be_tried_on_any_value(pattern: str, *, usable: bool) -> None:
    assert may_take_long(pattern) != usable


def test_a_pattern_that_may_take_for_ever_is_left_out(project: Project) -> None:
    bad = {"type": "string", "pattern": "^(a+)+$"}
    schema = {
        "additionalProperties": False,
        "properties": {"pattern": bad, "a": {"items": {**bad, "minLength": 3}}},
    }
    project.actor("desk", config=schema)
    note = "WM0509 app.toml:2:27 the pattern `^(a+)+$` in the config schema of `desk` is not tried"
    long = f"'{'a' * 99}!'"
    app = f"{DESK}actors.desk.config = {{ pattern = {long}, a = [{long}] }}\n"
    assert project.found(app) == [note]
    found = project.found(app.replace("a = [", "b = 1, a = ['x', "))
    assert found[0] == note
    assert [each[:6] for each in found[1:]] == ["WM0501", "WM0504"]
    assert project.lock(app) == [note]


def test_settings_are_understood_through_definitions_of_either_name(project: Project) -> None:
    workers = {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"}
    for name in ("$defs", "definitions"):
        properties = {"a": {"$ref": f"#/{name}/workers"}}
        project.actor("desk", config={"properties": properties, name: {"workers": workers}})
        assert project.found(DESK + 'actors.desk.config.a = ["nobody"]\n') == [
            "WM0309 app.toml:3:25 `desk` spawns `nobody`, which does not exist"
        ]


def test_a_schema_may_refer_to_itself_for_what_is_inside(project: Project) -> None:
    tree = {"type": "object", "properties": {"a": {"$ref": "#/$defs/tree"}}}
    project.actor("desk", config={"$defs": {"tree": tree}, "$ref": "#/$defs/tree"})
    app = DESK + "actors.desk.config.a.a.a = "
    assert project.found(f"{app}{{}}\n") == []
    assert project.found(f"{app}1\n") == [
        "WM0502 app.toml:3:28 `a.a.a` in the config of `desk` must be a table, found an integer"
    ]


A = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
B = {"type": "object", "required": ["y"], "properties": {"y": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"anyOf": [A, {"type": "null"}]}, "{ x = true }", "must be an integer, found a boolean"),
        (
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
            "{ x = true }",
            "must be an integer",
        ),
        (
            {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]},
            "{ y = true }",
            "must be an int",
        ),
        ({"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}, "{}", "needs `x` or `y`"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "3", "must be a string, found"),
        ({"anyOf": [{"type": ["string", "null"]}, B]}, "3", "must be a string or a table, found"),
        ({"anyOf": [{"required": ["x"]}, {"required": ["y"]}]}, "{}", "fits none of the"),
        ({"oneOf": [{"required": []}, {}]}, "3", "does not fit exactly one of the alternatives"),
        ({"oneOf": [{"properties": {"x": {}}, "required": []}, {}]}, "{}", "does not fit exactly"),
        ({"anyOf": [False]}, "3", "fits none of the alternatives"),
        (False, "3", "does not fit `false` of its schema"),
        ({"not": {"type": "integer"}}, "3", "does not fit `not` of its schema"),
        ({"enum": ["a", None]}, "3", "must be a string, found an integer"),
        ({"enum": ["a", True]}, "false", "cannot be `false`"),
        ({"multipleOf": 2}, "3", "must be a multiple of 2"),
        (
            {"additionalProperties": False, "patternProperties": {"^x": {}}},
            "{ x1 = 1, z = 2 }",
            "unknown key `z` in `a`",
        ),
    ],
)
def test_whatever_a_schema_refuses_is_said_in_words(
    project: Project, schema: object, value: str, expected: str
) -> None:
    definitions = {"A": A, "B": B}
    project.actor("desk", config={"$defs": definitions, "properties": {"a": schema}})
    (found,) = project.found(f"{DESK}actors.desk.config.a = {value}\n")
    assert expected in found


@pytest.mark.parametrize(
    "contract",
    [
        {"capabilities": "http"},
        {"capabilities": [["http"]]},
        {"handles": [{"type": 3}]},
        {"emits": [{"type": None}]},
        {"tools": [{"name": ["a"]}]},
        {"spawns": [{}]},
    ],
)
def test_a_contract_of_other_types_is_none(project: Project, contract: dict[str, object]) -> None:
    project.actor("desk", **contract)
    assert [found.split()[0] for found in project.found(DESK)] == ["WM0901"]


def test_a_manifest_that_changes_while_it_is_read(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.actor("desk")

    def read_later(path: Path) -> Tree:
        with (folder / "Wasmind.toml").open("a") as manifest:
            manifest.write("# later\n")
        return read_tree(path)

    monkeypatch.setattr("wasmind_compiler.build.builder.read_tree", read_later)
    app = 'starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n'
    (found,) = project.check(app).diagnostics
    assert (found.code, found.message) == (
        "WM0101",
        "`desk/Wasmind.toml` was changed while it was read",
    )
