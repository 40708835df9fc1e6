"""What is said about the keys and values of configs and manifests."""

from __future__ import annotations

from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.compiler.project import ROOT, Project, component
from wasmind_compiler.fixing import plan_changes, write_changes
from wasmind_compiler.frontend.actor_entry import ENTRY_KEYS
from wasmind_compiler.frontend.conformance import conforms
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.frontend.source import GIT_KEYS

SCHEMAS = Schemas(ROOT / "schemas")


def test_all_problems_of_a_config_in_one_run(project: Project) -> None:
    project.actor("desk")
    assert project.text(
        """
        starting_actors = ["desk", "bsh"]

        [actors.desk]
        source = { path = "desk" }
        auto_spwan = true

        [actors.bash]
        source = { path = "nowhere" }
        auto_spawn = "true"
        """
    ) == (
        "error[WM0302]: unknown starting actor `bsh`\n"
        " --> app.toml:1:28\n"
        "  |\n"
        '1 | starting_actors = ["desk", "bsh"]\n'
        "  |                            ^^^^^\n"
        "  = help: did you mean `bash`?\n"
        "\n"
        "error[WM0201]: unknown key `auto_spwan` in `actors.desk`\n"
        " --> app.toml:5:1\n"
        "  |\n"
        "5 | auto_spwan = true\n"
        "  | ^^^^^^^^^^\n"
        "  = help: did you mean `auto_spawn`?\n"
        "\n"
        "error[WM0401]: the folder `nowhere` does not exist\n"
        " --> app.toml:8:19\n"
        "  |\n"
        '8 | source = { path = "nowhere" }\n'
        "  |                   ^^^^^^^^^\n"
        "  = note: looked for: nowhere\n"
        "  = help: folders there: `desk`\n"
        "\n"
        "error[WM0203]: `actors.bash.auto_spawn` must be a boolean, found a string\n"
        " --> app.toml:9:14\n"
        "  |\n"
        '9 | auto_spawn = "true"\n'
        "  |              ^^^^^^ expected a boolean\n"
        "  = help: write `true` without quotes\n"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            '"desk"',
            ["WM0203 app.toml:2:20 `actors.a.source` must be a table, found a string"],
        ),
        ("{}", ["WM0204 app.toml:2:20 `actors.a.source` needs `path`, `git` or `library`"]),
        ('{ pth = "x" }', ["WM0201 app.toml:2:22 unknown key `pth` in `actors.a.source`"]),
        (
            '{ path = "x", git = "https://e.org/r" }',
            ["WM0206 app.toml:2:34 `path` and `git` exclude one another in `actors.a.source`"],
        ),
        (
            '{ path = "desk", sub_dir = "x" }',
            ["WM0201 app.toml:2:37 `sub_dir` has no meaning in a path source"],
        ),
        ("{ path = 1 }", ["WM0203 app.toml:2:29 `actors.a.source.path` must be a string, found an"
                          " integer"]),
        (
            '{ git = "https://e.org/r", git_ref = { tag = "v1", rev = "abcd" } }',
            [
                "WM0206 app.toml:2:71 `tag` and `rev` exclude one another in "
                "`actors.a.source.git_ref`",
            ],
        ),
    ],
)  # fmt: skip
def test_sources_are_judged_by_the_shape_that_was_meant(
    project: Project, source: str, expected: list[str]
) -> None:
    project.actor("desk")
    found = project.found(f'starting_actors = ["a"]\nactors.a.source  = {source}\n')
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[settings]\n", "WM0202 app.toml:1:2 unknown table `settings` is ignored"),
        ("[actor.a]\n", "WM0201 app.toml:1:2 unknown key `actor`"),
        ("colour = 1\n", "WM0201 app.toml:1:1 unknown key `colour`"),
        ("[[actors]]\n", "WM0203 app.toml:1:1 `actors` must be a table, found an array"),
        ("[actors.a]\n", "WM0204 app.toml:1:1 missing key `source` in `actors.a`"),
        ('actors." ".source = 1\n', "WM0205 app.toml:1:8 ` ` is not a usable name"),
        ('actors."a\\u007f".source = 1\n', 'WM0205 app.toml:1:8 `"a\\u007f"` is not a usable name'),
        ("[litellm]\nport = 70000\nmodels = []\n", "WM0205 app.toml:2:8 `litellm.port` must be at"
         " most 65535"),
        ("[litellm]\nmodels = []\n", "WM0205 app.toml:2:10 `litellm.models` must not be empty"),
        ("[[litellm.models]]\n", "WM0204 app.toml:1:1 missing key `model_name` in"
         " `litellm.models[0]`"),
        ("[models.m]\n", "WM0204 app.toml:1:1 missing key `kind` in `models.m`"),
        ('[models.m]\nkind = "scriptd"\n', "WM0205 app.toml:2:8 unknown kind `scriptd` in"
         " `models.m`"),
        ('tui.chat.key_bindings = { a = "Asist" }\n', "WM0205 app.toml:1:31"
         " `tui.chat.key_bindings.a` cannot be `Asist`"),
        ("[run]\nprompt = 2024-01-01\n", "WM0203 app.toml:2:10 `run.prompt` must be a string, found"
         " a date or time"),
        ("[actor_overrides.x.limits]\nmemory_mib = 1.0\n", "WM0203 app.toml:2:14"
         " `actor_overrides.x.limits.memory_mib` must be an integer, found a float"),
        ("[actor_overrides.x.limits]\nmemory_mib = 4097\n", "WM0205 app.toml:2:14"
         " `actor_overrides.x.limits.memory_mib` must be at most 4096"),
        ("[run.limits]\nwaiting_mib = 1_048_577\n", "WM0205 app.toml:2:15"
         " `run.limits.waiting_mib` must be at most 1048576"),
        ("[actor_overrides.x.limits]\ncompute_seconds = nan\n", "WM0603 app.toml:2:19"
         " `actor_overrides.x.limits.compute_seconds` is not a finite number"),
        ("[actor_overrides.x.restart]\nperiod_seconds = -inf\n", "WM0603 app.toml:2:18"
         " `actor_overrides.x.restart.period_seconds` is not a finite number"),
        ("[actor_overrides.x.limits]\nmemory_mib = nan\n", "WM0203 app.toml:2:14"
         " `actor_overrides.x.limits.memory_mib` must be an integer, found a float"),
        ("[actor_overrides.x.grants.http]\nhosts = []\n", "WM0205 app.toml:2:9"
         " `actor_overrides.x.grants.http.hosts` must not be empty"),
        ("[actor_overrides.x.grants]\nhtpp = true\n", "WM0201 app.toml:2:1 unknown key `htpp` in"
         " `actor_overrides.x.grants`"),
    ],
)  # fmt: skip
def test_keys_and_values(project: Project, text: str, expected: str) -> None:
    assert expected in project.found(text)


@pytest.mark.parametrize(
    ("key", "value", "expected", "written"),
    [
        ("hosts", "https://e.org:8443/x", "`https://e.org:8443/x` is not a host", '"e.org"'),
        ("hosts", "localhost:80", "`localhost:80` is not a host", '"localhost"'),
        ("hosts", "10.0.0.0/33", "`10.0.0.0/33` is not a host", '"10.0.0.0"'),
        ("hosts", "[::1]", "`[::1]` is not a host", None),
        ("hosts", "a b", "`a b` is not a host", None),
        ("methods", "get", "`get` is not a method of HTTP", '"GET"'),
        *(("hosts", host, None, None) for host in ("*", "*.e.org", "localhost", "bücher.example")),
        *(("hosts", host, None, None) for host in ("10.0.0.0/8", "::1", "fd00::/8", "1.2.3.4")),
        ("methods", "PATCH", None, None),
    ],
)
def test_what_http_is_narrowed_to_can_be_met(
    project: Project, key: str, value: str, expected: str | None, written: str | None
) -> None:
    project.actor("desk", capabilities=["http"])
    report = project.check(
        f"""
        starting_actors = ["desk"]
        [actors.desk]
        source.path = "desk"
        grants.http = {{ {key} = ["{value}"] }}
        """
    )
    found = [(each.message, each.fix and each.fix.edits[0].replacement) for each in report[0]]
    assert found == ([(expected, written)] if expected else [])


@pytest.mark.parametrize(
    ("key", "value", "expected", "written"),
    [
        ("host", "https://e.org:8443/x", "`https://e.org:8443/x` is not a host name", '"e.org"'),
        ("host", "cafe:80", "`cafe:80` is not a host name", '"cafe"'),
        ("host", "*.e.org", "`*.e.org` is not a host name", None),
        ("host", "e.org\n", '`"e.org\\u000a"` is not a host name', '"e.org"'),
        ("host", "", "`run.credentials[0].host` must not be empty", None),
        ("header", "X Key:", "`X Key:` is not the name of a header", None),
        ("prefix", "Bearer\n", "`run.credentials[0].prefix` cannot begin the value of a header",
         None),
        ("prefix", " a", "`run.credentials[0].prefix` cannot begin the value of a header", None),
        ("prefix", "→", "`run.credentials[0].prefix` cannot begin the value of a header", None),
        *(("host", host, None, None) for host in ("localhost", "bücher.example", "1.2.3.4", "::1")),
        ("header", "x-api_key", None, None),
        *(("prefix", prefix, None, None) for prefix in ("", "Bearer ", "Schlüssel\t")),
    ],
)  # fmt: skip
def test_a_credential_can_be_sent(
    project: Project, key: str, value: str, expected: str | None, written: str | None
) -> None:
    project.actor("desk")
    credential = {"host": "e.org", "variable": "PATH", key: value}
    text = tomlkit.dumps({"run": {"credentials": [credential]}})
    report = project.check(f'starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n{text}')
    found = [(each.message, each.fix and each.fix.edits[0].replacement) for each in report[0]]
    assert found == ([(expected, written)] if expected else [])


def test_the_secret_of_a_credential_is_there(project: Project) -> None:
    project.actor("desk")
    text = project.text(
        """
        starting_actors = ["desk"]
        actors.desk.source.path = "desk"
        [[run.credentials]]
        host = "e.org"
        variable = "PAHT"
        """
    )
    assert text == (
        "warning[WM0606]: the environment variable `PAHT` is not set\n"
        " --> app.toml:5:12\n"
        "  |\n"
        '5 | variable = "PAHT"\n'
        "  |            ^^^^^^\n"
        "  = help: did you mean `PATH`?\n"
    )


def test_what_is_set_for_the_proxy_is_meant_for_its_container(project: Project) -> None:
    project.actor("desk")
    text = """
        starting_actors = ["desk"]
        actors.desk.source.path = "desk"
        [[litellm.models]]
        model_name = "m"
        litellm_params = { model = "openai/m", api_key = "sk-proj-0123456789abcdefghij" }
        [litellm.env_overrides]
        HTTP_PROXY = "http://me@127.0.0.1:3128"
        all_proxy = "localhost:1080"
        NO_PROXY = "localhost"
        OLLAMA_API_BASE = "http://host.docker.internal:11434"
        OPENAI_API_KEY = "sk-proj-0123456789abcdefghij"
        [litellm]
        image = "proxy"
        """
    report = project.check(text)
    assert [(each.code, str(each.span), each.help) for each in report.diagnostics] == [
        ("WM0620", "app.toml:5:50", 'write `api_key = "os.environ/NAME"`'),
        *(
            ("WM0609", place, "use `host.docker.internal`, or run the proxy without a container")
            for place in ("app.toml:7:25", "app.toml:8:14")
        ),
        ("WM0620", "app.toml:11:18", "remove it and export `OPENAI_API_KEY` instead"),
    ]
    outside = project.check(text.replace('image = "proxy"', ""))
    assert "WM0609" not in {each.code for each in outside.diagnostics}


def test_a_scripted_model_is_checked_with_its_script(project: Project) -> None:
    project.actor("desk")
    project.write("rules.toml", "[[rules]]\nwhen = { matches = '(' }\nanswer = { txt = 'hi' }\n")
    assert project.found(
        """
        starting_actors = ["desk"]
        actors.desk.source.path = "desk"
        models.a = { kind = "scripted", script = "rules.toml" }
        models.b = { kind = "scripted", script = "none.toml" }
        """
    ) == [
        "WM0602 app.toml:4:42 the script `none.toml` does not exist",
        "WM0205 rules.toml:2:20 `rules[0].when.matches` is not a valid regex: missing ), "
        "unterminated subpattern at position 0",
        "WM0201 rules.toml:3:12 unknown key `txt` in `rules[0].answer`",
    ]


SCRIPTED = """
    starting_actors = ["desk"]
    actors.desk.source.path = "desk"
    models.a = { kind = "scripted", script = "rules.toml" }
    """


@pytest.mark.parametrize(
    ("rule", "help_line"),
    [
        ("when.matches = 'a(?P<name>.)'\nanswer.text = '${nmae}'", "did you mean `name`?"),
        ("when.matches = 'a(?P<name>.)'\nanswer.text = '${NAME}'", "did you mean `name`?"),
        (
            "answer.text = '${name}'",
            "`when.matches` has to be a pattern with a group of that name, like `(?P<name>.*)`",
        ),
        (
            "when.matches = '(?P<first>.)'\n"
            "answer.tool_calls = [{ name = 'f', arguments = { x = ['${word}'] } }]",
            "groups: `first`",
        ),
    ],
)
def test_a_script_inserts_groups_it_has(project: Project, rule: str, help_line: str) -> None:
    project.actor("desk")
    project.write("rules.toml", f"[[rules]]\n{rule}\n")
    (found,) = project.check(SCRIPTED).diagnostics
    assert (found.code, found.help) == ("WM0650", help_line)


@pytest.mark.parametrize(
    "rule",
    [
        "when.matches = 'a(?P<name>.)'\nanswer.text = '${name}'",
        "answer.tool_calls = [{ name = 'f', arguments = { command = 'ls ${HOME}' } }]",
        "answer.text = '${}'",
    ],
)
def test_what_a_script_may_have_in_an_answer(project: Project, rule: str) -> None:
    project.actor("desk")
    project.write("rules.toml", f"[[rules]]\n{rule}\n")
    assert project.found(SCRIPTED) == []


def test_a_slip_in_a_condition_is_the_only_problem(project: Project) -> None:
    project.actor("desk")
    rule = "when.match = 'a(?P<name>.)'\nanswer.text = '${name}'"
    project.write("rules.toml", f"[[rules]]\n{rule}\n")
    (found,) = project.check(SCRIPTED).diagnostics
    assert (found.code, found.help) == ("WM0201", "did you mean `matches`?")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://models.example.org/v1", True),
        ("HTTP://user@Models.Example.org:8080", True),
        ("https://models.example.org", False),
        ("http://other.example.org", False),
        ("http://127.0.0.1:8000", False),
        ("http://[fd00::1]", False),
        ("http://models", False),
        ("http://8.8.8.8", True),
    ],
)
def test_a_credential_over_plain_http_is_for_near_hosts(
    project: Project, monkeypatch: pytest.MonkeyPatch, url: str, warned: bool
) -> None:
    monkeypatch.setenv("MODELS_KEY", "x")
    project.actor("desk", config={"type": "object"})
    hosts = ("models.example.org", "127.0.0.1", "fd00::1", "models", "8.8.8.8")
    credentials = "".join(
        f'\n[[run.credentials]]\nhost = "{host}"\nvariable = "MODELS_KEY"\n' for host in hosts
    )
    project.write("app.toml", "")
    found = project.found(
        'starting_actors = ["desk"]\n\n[actors.desk]\nsource = { path = "desk" }\n'
        f'config = {{ base_url = "{url}" }}\n{credentials}'
    )
    assert [line.split()[:2] for line in found if "WM0651" in line] == (
        [["WM0651", "app.toml:5:23"]] if warned else []
    )


def test_a_script_is_judged_by_what_json_can_express(project: Project) -> None:
    schema = {"type": "object", "properties": {"patience": {"type": "number", "minimum": 0}}}
    project.actor("desk", config=schema)
    project.write(
        "rules.toml",
        """
        [[rules]]
        times = nan
        answer = { delay_seconds = inf, tool_calls = [{ name = "f", arguments = { x = [nan] } }] }
        """,
    )
    assert project.found(
        """
        starting_actors = ["desk"]
        actors.desk.source.path = "desk"
        actors.desk.config = { patience = inf }
        models.a = { kind = "scripted", script = "rules.toml" }
        """
    ) == [
        "WM0504 app.toml:3:35 `patience` in the config of `desk` is not a finite number",
        "WM0203 rules.toml:2:9 `rules[0].times` must be an integer, found a float",
        "WM0603 rules.toml:3:28 `rules[0].answer.delay_seconds` is not a finite number",
        "WM0603 rules.toml:3:80 `rules[0].answer.tool_calls[0].arguments.x[0]` is not a finite "
        "number",
    ]


def test_manifests_are_judged_like_configs(project: Project) -> None:
    project.actor("desk")
    project.write(
        "desk/Wasmind.toml",
        """
        versoin = "1"
        build = { command = ["make"] }
        [dependencies.x]
        [system_prompt_contributions.a]
        [actors.y]
        """,
    )
    found = project.found('starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n')
    assert [each for each in found if "desk/Wasmind.toml" in each] == [
        "WM0201 desk/Wasmind.toml:1:1 unknown key `versoin`",
        "WM0204 desk/Wasmind.toml:1:1 missing key `actor_id`",
        "WM0204 desk/Wasmind.toml:2:1 missing key `output` in `build`",
        "WM0204 desk/Wasmind.toml:3:1 missing key `source` in `dependencies.x`",
        "WM0208 desk/Wasmind.toml:4:2 `system_prompt_contributions` has no effect",
        "WM0201 desk/Wasmind.toml:5:2 unknown key `actors`",
    ]


@pytest.mark.parametrize(
    ("text", "message", "help_line", "mended"),
    [
        (
            '[config]\nlevel = "low"\n',
            "unknown key `config`",
            "whoever uses the actor gives it its `config`; defaults stand in the schema that"
            " `config_schema` names, or in the `Config` class of a Python actor",
            None,
        ),
        (
            'config = "settings.json"\n',
            "unknown key `config`",
            "did you mean `config_schema`?",
            None,
        ),
        (
            "[grants]\nlogger = true\n[grants.http]\nports = [443]\n",
            "unknown key `grants`",
            "a manifest names what the actor needs in `[capabilities]`; users grant it",
            "[capabilities]\nlogger = true\n[capabilities.http]\nports = [443]\n",
        ),
        (
            "permissions.http = true\n[capabilities]\nlogger = true\n",
            "unknown key `permissions`",
            "a manifest names what the actor needs in `[capabilities]`; users grant it",
            None,
        ),
    ],
)
def test_keys_of_configs_in_a_manifest(
    project: Project, text: str, message: str, help_line: str, mended: str | None
) -> None:
    project.actor("desk")
    head = 'actor_id = "test:desk"\n'
    path = project.write("desk/Wasmind.toml", head + text)
    report = project.report_about("desk")
    (found,) = [each for each in report.diagnostics if each.code == "WM0201"]
    assert (found.message, found.help) == (message, help_line)
    write_changes(plan_changes([found], project.root), project.root)
    assert path.read_text() == head + (text if mended is None else mended)


def test_the_whole_reference_format_is_accepted(project: Project) -> None:
    project.actor(
        "desk",
        'dependencies.helper = { source = { path = "../helper" }, auto_spawn = true }\n',
        config={"type": "object"},
    )
    project.actor("helper", config={"type": "object"})
    assert (
        project.found(
            """
            starting_actors = ["desk"]

            [actors.desk]
            source = { path = "desk" }
            required_spawn_with = ["helper"]
            auto_spawn = false

            [actors.desk.config]
            model_name = "small"

            [actor_overrides.helper]
            config = { level = "verbose" }
            auto_spawn = false
            required_spawn_with = []

            [tui.dashboard]
            clear_defaults = false
            [tui.chat]
            key_bindings = { "ctrl-g" = "Assist", "ctrl-t" = "ToggleToolExpansion" }
            [tui.graph]
            key_bindings = { "k" = "SelectUp" }

            [litellm]
            port = 4100
            image = "proxy:latest"
            container_name = "proxy"
            env_overrides = { OPENAI_API_KEY = "b" }

            [[litellm.models]]
            model_name = "small"
            [litellm.models.litellm_params]
            model = "openai/some-model"
            api_key = "os.environ/OPENAI_API_KEY"
            provider = { only = ["x"] }
            when = 2024-01-01
            """
        )
        == []
    )


def test_entry_keys_are_those_of_the_schemas() -> None:
    definitions = SCHEMAS.load("app")["$defs"]
    assert ENTRY_KEYS["actors"] == definitions["actor"]["properties"].keys()
    assert ENTRY_KEYS["actor_overrides"] == definitions["override"]["properties"].keys()
    dependency = SCHEMAS.load("manifest")["$defs"]["dependency"]
    assert ENTRY_KEYS["dependencies"] == dependency["properties"].keys()


@pytest.mark.parametrize("name", ["app", "manifest", "lock", "plan", "diagnostics", "model-script"])
def test_schemas_are_valid_closed_and_described(name: str) -> None:
    schema = SCHEMAS.load(name)
    Draft202012Validator.check_schema(dict(schema))
    open_on_purpose = {
        "config", "litellm_params", "parameters", "schema", "settings", "arguments", "grants",
        "interface", "system_prompt_contributions", "params",
    }  # fmt: skip
    for path, part in _objects(schema, ()):
        closed = "additionalProperties" in part or "propertyNames" in part
        assert closed or path[-1] in open_on_purpose, path
        assert "title" in part or name == "model-script", path


def _objects(schema: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(schema, dict):
        return []
    found = []
    if schema.get("type") == "object":
        found.append((path or ("root",), schema))
    for keyword in ("properties", "$defs"):
        for key, part in schema.get(keyword, {}).items():
            found += _objects(part, (*path, key))
    for keyword in ("oneOf", "anyOf"):
        for index, part in enumerate(schema.get(keyword, [])):
            found += _objects(part, (*path, str(index)))
    return found + _objects(schema.get("items"), (*path, "items"))


WORDS = st.sampled_from(
    ["source", "path", "git", "git_ref", "tag", "rev", "library", "config", "auto_spawn", "x"]
)
VALUES = st.recursive(
    st.booleans() | st.integers(-1, 3) | st.floats(0, 2) | st.sampled_from(["", "a", "scripted"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
TOP = st.dictionaries(
    st.sampled_from(["actors", "actor_overrides", "starting_actors", "name", "models", "run"]),
    VALUES | st.dictionaries(WORDS, st.dictionaries(WORDS, VALUES, max_size=3), max_size=2),
    max_size=3,
)


@settings(max_examples=300)
@given(TOP)
def test_the_quick_yes_is_never_wrong(document: dict[str, Any]) -> None:
    """And it is exact for our own schemas: what jsonschema accepts, it accepts."""
    schema = SCHEMAS.load("app")
    accepted = conforms(document, schema, schema)
    # jsonschema takes 1.0 for an integer, as JSON does; we do not.
    assert accepted <= Draft202012Validator(schema).is_valid(document)
    if not _has_floats(document):
        assert accepted == Draft202012Validator(schema).is_valid(document)


def _has_floats(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_floats(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_floats(item) for item in value)
    return isinstance(value, float)


@settings(max_examples=150, deadline=None)
@given(TOP)
def test_whatever_is_refused_is_reported_with_a_place(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    project = Project(tmp_path_factory.mktemp("project"))
    text = tomlkit.dumps(document)
    report = project.check(text)
    schema = SCHEMAS.load("app")
    accepted = conforms(document, schema, schema)
    shape = [each for each in report.diagnostics if each.code.startswith("WM02")]
    assert accepted == (shape == [])
    assert all(each.span is not None for each in shape)


def test_a_faulty_contract_is_reported_and_not_read(project: Project) -> None:
    project.write("desk/desk.wasm", component())
    project.write(
        "desk/Wasmind.toml",
        'actor_id = "test:desk"\nbuild.component = "desk.wasm"\n'
        '[[contract.handles]]\nscope = "own"\n',
    )
    assert project.found('starting_actors = ["desk"]\n[actors.desk]\nsource.path = "desk"\n') == [
        "WM0204 desk/Wasmind.toml:3:1 missing key `type` in `contract.handles[0]`"
    ]


def test_readers_and_schemas_know_the_same_keys_of_git_sources() -> None:
    (keys,) = [
        set(each["properties"])
        for each in SCHEMAS.load("app")["$defs"]["source"]["oneOf"]
        if "git" in each["properties"]
    ]
    assert keys == GIT_KEYS


def test_a_git_source_that_is_not_clear_is_not_fetched(project: Project) -> None:
    source = '{ git = "file:///nowhere/repository", branch = "main" }'
    app = f'starting_actors = ["a"]\nactors.a.source = {source}\n'
    assert project.found(app) == ["WM0201 app.toml:2:57 unknown key `branch` in `actors.a.source`"]
