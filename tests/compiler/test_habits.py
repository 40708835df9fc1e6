"""Mistakes that people make in configs: one problem for each, that says what to do about it.

Every row is one change to a config that is fine.
"""

from __future__ import annotations

import pytest

from tests.compiler.project import Project
from wasmind.providers import providers
from wasmind_compiler import pipeline
from wasmind_compiler.fixing import plan_changes, write_changes

DESK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["model_name"],
    "properties": {
        "model_name": {"type": "string", "x-wasmind": "model"},
        "allow_edits": {"type": "boolean", "default": True, "x-wasmind": "permission"},
        "retries": {"type": "integer", "minimum": 0},
        "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"},
    },
}
AUDIT = {"type": "object", "properties": {"level": {"enum": ["low", "high"]}}}
KINDS = "kinds: " + ", ".join(
    f"`{name}`" for name in ("scripted", "cassette", "endpoint", *providers())
)
FOUR_WAYS = (
    'the config declares `small`; declare it, for example:\n[models.gpt-4o]\nkind = "ollama"\n'
    "or name a provider, like `ollama/gpt-4o`; "
    'or let one answer for all other names: `[models."*"]`'
)
CONFIG = """\
# The team.
starting_actors = ["desk", "lead"]

# Talks to people.
[actors.desk]
source = { path = "actors/desk" }
required_spawn_with = ["shell"]

[actors.desk.config]
model_name = "small"
allow_edits = false # read-only

[actors.shell]
source = { path = "actors/shell" }

[actors.lead]
source = { path = "actors/lead" }

[actor_overrides.audit.config]
level = "low"

[models.small]
kind = "scripted"
script = "rules.toml"
"""


@pytest.fixture
def team(project: Project) -> Project:
    project.actor("actors/desk", config=DESK)
    project.actor("actors/shell")
    project.actor("actors/audit", config=AUDIT)
    project.actor(
        "actors/lead",
        'required_spawn_with = ["audit"]\ndependencies.audit.source.path = "../audit"',
    )
    project.write("rules.toml", '[[rules]]\nanswer = { text = "hi" }\n')
    return project


def test_the_config_is_fine(team: Project) -> None:
    assert team.found(CONFIG) == []


@pytest.mark.parametrize(
    ("old", "new", "expected", "help_line", "mended"),
    [
        # Sections.
        (
            "[actors.shell]",
            "[[actors.shell]]",
            "WM0203 [[actors.shell]]",
            "write `[actors.shell]`: an actor is one table, not an array of tables",
            True,
        ),
        (
            "[actors.desk.config]",
            "[[actors.desk.config]]",
            "WM0203 [[actors.desk.config]]",
            "write `[actors.desk.config]`: it is one table, not an array of tables",
            True,
        ),
        (
            "[models.small]",
            "[[models.small]]",
            "WM0203 [[models.small]]",
            "write `[models.small]`: it is one table, not an array of tables",
            True,
        ),
        (
            "[models.small]",
            '[[models]]\nname = "small"',
            "WM0203 [[models]]",
            "write a table `[models.small]` for each model",
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = [{ path = "actors/shell" }]',
            'WM0203 [{ path = "actors/shell" }]',
            'write `{ path = "actors/shell" }`',
            True,
        ),
        (
            "[models.small]",
            '[run.credentials]\nhost = "a.example"\nvariable = "A"\n\n[models.small]',
            "WM0203 [run.credentials]",
            "write `[[run.credentials]]`",
            True,
        ),
        (
            "[models.small]",
            '[run]\ncredentials = { host = "a.example", variable = "A" }\n\n[models.small]',
            'WM0203 { host = "a.example", variable = "A" }',
            'write `[{ host = "a.example", variable = "A" }]`',
            True,
        ),
        ("[actors.shell]", "[actor.shell]", "WM0201 actor", "did you mean `actors`?", True),
        ("[actors.shell]", "[Actors.shell]", "WM0201 Actors", "did you mean `actors`?", True),
        (
            "[actors.shell]",
            '["actors.shell"]',
            'WM0201 "actors.shell"',
            "write `[actors.shell]`",
            True,
        ),
        (
            "[actors.shell]",
            "[actors.shell.v2]",
            "WM0201 v2",
            'write `[actors."shell.v2"]`, or a name without a dot',
            False,
        ),
        (
            "[actors.shell]",
            '[actors." shell"]',
            'WM0205 " shell"',
            "names are not empty and have no blanks at their ends and no control characters",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            '[actor_overrides." audit".config]',
            'WM0205 " audit"',
            "names are not empty and have no blanks at their ends and no control characters",
            True,
        ),
        (
            "[actors.shell]",
            "[actors.shell]\nauto_spawn = false\n\n[actors.shell]",
            "WM0107 [actors.shell]",
            "join the two sections",
            True,
        ),
        (
            "[actors.desk.config]",
            "[desk.config]",
            "WM0201 desk",
            "did you mean `[actors.desk]`?",
            True,
        ),
        (
            "[actors.desk.config]",
            "[actors.desk.settings]",
            "WM0201 settings",
            "it is called `config`",
            True,
        ),
        (
            "[actors.desk.config]",
            "[actors.desk.cofnig]",
            "WM0201 cofnig",
            "did you mean `config`?",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[overrides.audit.config]",
            "WM0201 overrides",
            "did you mean `actor_overrides`?",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actor_override.audit.config]",
            "WM0201 actor_override",
            "did you mean `actor_overrides`?",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actors.audit.config]",
            "WM0204 audit",
            "did you mean to override it? write `[actor_overrides.audit]`",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actors.audti.config]",
            "WM0204 audti",
            "did you mean to override it? write `[actor_overrides.audit]`",
            False,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actor_overrides.audti.config]",
            "WM0307 audti",
            "did you mean `audit`?",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actor_overrides.desk.config]\nretries = 3\n\n[actor_overrides.audit.config]",
            "WM0306 desk",
            "move its keys into `[actors.desk]`",
            True,
        ),
        (
            "[actor_overrides.audit.config]",
            "[actor_overrides.shel.config]\nx = 3\n\n[actor_overrides.audit.config]",
            "WM0307 shel",
            "`shell` is an own actor: move its keys into `[actors.shell]`",
            False,
        ),
        ("[models.small]", "[model.small]", "WM0201 model", "did you mean `models`?", True),
        # Keys of the file.
        (
            'starting_actors = ["desk", "lead"]',
            'starting-actors = ["desk", "lead"]',
            "WM0201 starting-actors",
            "did you mean `starting_actors`?",
            True,
        ),
        (
            'starting_actors = ["desk", "lead"]',
            'start = ["desk", "lead"]',
            "WM0201 start",
            "did you mean `starting_actors`?",
            True,
        ),
        (
            'starting_actors = ["desk", "lead"]',
            'starting_actors = "desk, lead"',
            'WM0203 "desk, lead"',
            'write `["desk", "lead"]`',
            True,
        ),
        (
            'starting_actors = ["desk", "lead"]\n\n# Talks to people.\n[actors.desk]\n',
            '[actors.desk]\nstarting_actors = ["desk", "lead"]\n',
            "WM0201 starting_actors",
            "move `starting_actors` above the first `[table]`",
            True,
        ),
        (
            "# The team.\n",
            'actor_id = "test:team"\n',
            "WM0201 actor_id",
            "`actor_id` is a key of actors' manifests; a config has `[actors]`",
            False,
        ),
        (
            "# The team.\n",
            'dependencies.x.source.path = "x"\n',
            "WM0201 dependencies",
            "`dependencies` is a key of actors' manifests; a config has `[actors]`",
            False,
        ),
        # Keys and values of actors.
        (
            'source = { path = "actors/shell" }',
            'path = "actors/shell"',
            "WM0201 path",
            'write `source = { path = "actors/shell" }`',
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'actors.shell.source = { path = "actors/shell" }',
            "WM0201 actors",
            "write the keys without `actors.shell.`",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = "actors/shell"',
            'WM0203 "actors/shell"',
            'write `{ path = "actors/shell" }`',
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = ["actors/shell"]',
            'WM0203 ["actors/shell"]',
            'write `{ path = "actors/shell" }`',
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            "source = {}",
            "WM0204 {}",
            'write `{ path = "…" }`, `{ git = "…" }` or `{ library = "…" }`',
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { pth = "actors/shell" }',
            "WM0201 pth",
            "did you mean `path`?",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { lib = "assistant" }',
            "WM0201 lib",
            "it is called `library`",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { url = "file:///nowhere/r.git" }',
            "WM0201 url",
            "it is called `git`",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors", sub_dir = "shell" }',
            "WM0201 sub_dir",
            "add the folder to the path, or use `git`",
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { git = "file:///nowhere/r", branch = "main" }',
            "WM0201 branch",
            'write `git_ref = { branch = "main" }`',
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { git = "file:///nowhere/r", git_ref = { commit = "main" } }',
            "WM0201 commit",
            "a commit is called `rev`",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { git = "file:///nowhere/r", git_ref = {} }',
            "WM0204 {}",
            "remove it for the default branch",
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { git = "file:///nowhere/r", git_ref = "v1.0" }',
            'WM0203 "v1.0"',
            'write `{ tag = "v1.0" }`',
            False,
        ),
        (
            '[actors.shell]\nsource = { path = "actors/shell" }',
            '[actors]\nshell = "actors/shell"',
            'WM0203 "actors/shell"',
            'write `{ source = { path = "actors/shell" } }`',
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors/shell" }\nauto_spawn = "False"',
            'WM0203 "False"',
            "write `false` without quotes",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors/shell" }\nauto_spawn = 0',
            "WM0203 0",
            "write `false`",
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors/shell" }\nname = "shell"',
            "WM0201 name",
            "the header names the actor; remove the key",
            False,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors/shell" }\ngrants = ["http"]',
            'WM0203 ["http"]',
            "write `{ http = true }`",
            True,
        ),
        ('["shell"]', '"shell"', 'WM0203 "shell"', 'write `["shell"]`', True),
        ('["shell"]', '["shel"]', 'WM0304 "shel"', "did you mean `shell`?", True),
        (
            '["shell"]',
            '["test:actors_shell"]',
            'WM0304 "test:actors_shell"',
            "`test:actors_shell` is an actor_id; the logical name is: `shell`",
            False,
        ),
        ('["shell"]', '["shell", "desk"]', 'WM0305 "desk"', "remove it", True),
        # Settings and models.
        (
            'model_name = "small"',
            'model = "small"',
            "WM0501 model",
            "did you mean `model_name`?",
            False,
        ),
        (
            'model_name = "small"',
            'model_name = "smal"',
            'WM0601 "smal"',
            "did you mean `small`?",
            True,
        ),
        (
            'model_name = "small"',
            'model_name = "gpt-4o"',
            'WM0601 "gpt-4o"',
            FOUR_WAYS,
            False,
        ),
        (
            "allow_edits = false # read-only",
            'allow_edits = "false"',
            'WM0502 "false"',
            "write `false` without quotes",
            True,
        ),
        (
            "allow_edits = false # read-only",
            "allow_edit = false",
            "WM0501 allow_edit",
            "did you mean `allow_edits`?",
            True,
        ),
        (
            "allow_edits = false # read-only",
            'allow_edits = false\nretries = "3"',
            'WM0502 "3"',
            "write `3` without quotes",
            True,
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { path = "actors/shell" }\npermissions = { logger = true }',
            "WM0201 permissions",
            "it is called `grants`",
            True,
        ),
        (
            "allow_edits = false # read-only",
            'allow_edits = false\nworkers = "shell desk"',
            'WM0502 "shell desk"',
            'write `["shell desk"]`',
            False,
        ),
        (
            "allow_edits = false # read-only",
            'allow_edits = false\nworkers = "shell"',
            'WM0502 "shell"',
            'write `["shell"]`',
            True,
        ),
        (
            'required_spawn_with = ["shell"]\n\n[actors.desk.config]\n',
            '\n[actors.desk.config]\nrequired_spawn_with = ["shell"]\n',
            "WM0501 required_spawn_with",
            "it is a key of `[actors.desk]`, above `[actors.desk.config]`",
            True,
        ),
        (
            '[actors.desk.config]\nmodel_name = "small"',
            'model_name = "small"\n\n[actors.desk.config]',
            "WM0207 model_name",
            "move it into `[actors.desk.config]`",
            True,
        ),
        ('level = "low"', 'level = "hihg"', 'WM0504 "hihg"', "did you mean `high`?", True),
        ('kind = "scripted"\n', "", "WM0204 [models.small]", KINDS, False),
        (
            '[models.small]\nkind = "scripted"\nscript = "rules.toml"',
            '[models]\nsmall = "rules.toml"',
            'WM0203 "rules.toml"',
            'write `{ kind = "scripted", script = "rules.toml" }`',
            False,
        ),
        (
            'script = "rules.toml"',
            'script = "rule.toml"',
            'WM0602 "rule.toml"',
            "did you mean `rules.toml`?",
            False,
        ),
        # Tables that are not there: a proxy and key bindings.
        (
            '[models.small]\nkind = "scripted"\nscript = "rules.toml"',
            '[litellm.models]\nmodel_name = "small"\nlitellm_params = { model = "x/y" }',
            "WM0203 [litellm.models]",
            "write `[[litellm.models]]`",
            True,
        ),
        (
            '[models.small]\nkind = "scripted"\nscript = "rules.toml"',
            '[[litellm.models]]\nmodel_name = "small"\nmodel = "x/y"',
            "WM0201 model",
            "it is one of the `litellm_params`",
            True,
        ),
        (
            '[models.small]\nkind = "scripted"\nscript = "rules.toml"',
            "[litellm]\nmodels = []",
            "WM0205 []",
            "add a `[[litellm.models]]` with a `model_name` and `litellm_params`",
            False,
        ),
        (
            "[models.small]\n",
            '[tui.chat]\n"ctrl-x" = "Assist"\n\n[models.small]\n',
            'WM0201 "ctrl-x"',
            "keys are bound in `key_bindings`",
            True,
        ),
        (
            "[models.small]\n",
            '[tui.chat]\nAssist = "ctrl-x"\n\n[models.small]\n',
            "WM0201 Assist",
            "keys are bound in `key_bindings`",
            True,
        ),
        (
            "[models.small]\n",
            '[tui.chat]\n"control-x" = "Asist"\n\n[models.small]\n',
            'WM0201 "control-x"',
            "keys are bound in `key_bindings`",
            True,
        ),
        (
            "[models.small]\n",
            '[tui.chat]\nhome = "start page"\n\n[models.small]\n',
            "WM0201 home",
            "keys are bound in `key_bindings`",
            False,
        ),
        (
            "[models.small]\n",
            '[tui.chat]\nprompt = "hi there"\n\n[models.small]\n',
            "WM0201 prompt",
            "known keys: `clear_defaults`, `key_bindings`",
            False,
        ),
        (
            "[models.small]\n",
            '[tui.chat.key_bindings]\nAssist = "ctrl-x"\n\n[models.small]\n',
            'WM1601 Assist = "ctrl-x"',
            'write `"ctrl-x" = "Assist"`',
            True,
        ),
        (
            "[models.small]\n",
            '[tui.chat.key_bindings]\n"ctrl-x" = ["Assist"]\n\n[models.small]\n',
            'WM0203 ["Assist"]',
            "allowed: `Assist`, `ToggleToolExpansion`",
            False,
        ),
        (
            "[models.small]\n",
            '[tui.chat.key_bindings]\n"control-x" = "Assist"\n\n[models.small]\n',
            "WM1601 control",
            "did you mean `ctrl-x`?",
            True,
        ),
        (
            "[models.small]\n",
            '[tui.chat.key_bindings]\n"ctrl+x" = "Assist"\n\n[models.small]\n',
            "WM1601 +",
            "did you mean `ctrl-x`?",
            True,
        ),
    ],
)
def test_one_problem_and_its_help(
    team: Project, old: str, new: str, expected: str, help_line: str, mended: bool
) -> None:
    assert CONFIG.count(old) == 1
    path = team.write("app.toml", CONFIG.replace(old, new))
    report = pipeline.check(path, team.environment())
    (found,) = report.diagnostics
    assert found.span is not None
    content = path.read_bytes()
    marked = content[found.span.start.byte : found.span.end.byte].decode()
    assert (f"{found.code} {marked}", found.help) == (expected, help_line)
    write_changes(plan_changes(report.diagnostics, team.root), team.root)
    assert (path.read_bytes() != content) == mended
    after = pipeline.check(path, team.environment())
    assert not mended or found.code not in [each.code for each in after.diagnostics]


MODEL = '[models.small]\nkind = "scripted"\nscript = "rules.toml"\n'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            MODEL,
            '[[litellm.models]]\nmodel_name = "small"\nlitellm_params = 3\n',
            "WM0203 3",
        ),
        (
            MODEL,
            '[[litellm.models]]\nmodel_name = "small"\n[[litellm.models.litellm_params]]\n',
            "WM0203 [[litellm.models.litellm_params]]",
        ),
        (
            MODEL,
            '[[litellm.models]]\nmodel_name = "small"\nlitellm_params.model = true\n',
            "WM0203 true",
        ),
        (MODEL, '[models.small]\nkind = 3\nscript = "rules.toml"\n', "WM0203 3"),
        (MODEL, f"{MODEL}[run.limits]\nagents = -inf\n", "WM0203 -inf"),
        (
            'source = { path = "actors/shell" }',
            'source = { library = "Shell" }',
            'WM0205 "Shell"',
        ),
        (
            'source = { path = "actors/shell" }',
            'source = { git = "file:///nowhere/r", git_ref = { rev = "abc" } }',
            'WM0205 "abc"',
        ),
        (
            'starting_actors = ["desk", "lead"]',
            'starting_actors = [["desk", "lead"]]',
            'WM0203 ["desk", "lead"]',
        ),
        (
            'starting_actors = ["desk", "lead"]\n\n',
            "[[actors]]\n\n",
            "WM0203 [[actors]]",
        ),
        (
            'starting_actors = ["desk", "lead"]\n',
            '[actors]\nstarting_actors = ["desk", "lead"]\n',
            'WM0203 ["desk", "lead"]',
        ),
        ("[actors.desk.config]", "[actor.desk.config]", "WM0201 actor"),
        ("[actors.desk.config]", "[actors.dsk.config]", "WM0204 dsk"),
        ("[actors.desk.config]", '["actors.desk.config"]', 'WM0201 "actors.desk.config"'),
    ],
)
def test_what_follows_from_a_problem_is_not_one(
    team: Project, old: str, new: str, expected: str
) -> None:
    assert CONFIG.count(old) == 1
    path = team.write("app.toml", CONFIG.replace(old, new))
    (found,) = pipeline.check(path, team.environment()).diagnostics
    assert found.span is not None
    marked = path.read_bytes()[found.span.start.byte : found.span.end.byte].decode()
    assert f"{found.code} {marked}" == expected


def test_a_list_of_who_starts_among_settings_is_told_about_once(team: Project) -> None:
    line = 'starting_actors = ["desk", "lead"]\n'
    text = CONFIG.replace(line, "").replace(
        "[actors.desk.config]\n", f"[actors.desk.config]\n{line}"
    )
    assert [found.split()[0] for found in team.found(text)] == ["WM0301"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '["desk", "lead"]',
            '["desk", "lead", "zebra"]\n[tool.zebra]\nsource = "x"',
            ["WM0302 error", "WM0202 warning"],
        ),
        (
            'starting_actors = ["desk", "lead"]',
            '[tool]\nstarting_actors = ["desk"]',
            ["WM0202 warning", "WM0301 error"],
        ),
        (
            "[actor_overrides.audit.config]",
            "[audit.config]",
            ["WM0201 error"],
        ),
    ],
)
def test_a_warning_hides_no_error(team: Project, old: str, new: str, expected: list[str]) -> None:
    assert CONFIG.count(old) == 1
    report = team.check(CONFIG.replace(old, new))
    assert [f"{each.code} {each.severity.value}" for each in report.diagnostics] == expected


SCATTERED = """\
# The team.

# Talks to people.
[actors.desk]
source = { path = "actors/desk" }

[actors.desk.config]
model_name = "small"
allow_edits = false # read-only

# Patience.
[actor_overrides.desk.config] # more
retries = 3  # three

# Nobody else.
[models.small]
kind = "scripted"
script = "rules.toml"
starting_actors = ["desk"] # who starts
"""
GATHERED = """\
# The team.

starting_actors = ["desk"] # who starts

# Talks to people.
[actors.desk]
source = { path = "actors/desk" }

[actors.desk.config]
model_name = "small"
allow_edits = false # read-only
# Patience.
# more
retries = 3  # three

# Nobody else.
[models.small]
kind = "scripted"
script = "rules.toml"
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_fixes_keep_comments_and_layout(team: Project, line_end: str) -> None:
    path = team.write("app.toml", SCATTERED.replace("\n", line_end).encode())
    report = pipeline.check(path, team.environment())
    assert [each.code for each in report.diagnostics] == ["WM0306", "WM0201"]
    write_changes(plan_changes(report.diagnostics, team.root), team.root)
    assert path.read_bytes().decode() == GATHERED.replace("\n", line_end)
    assert not pipeline.check(path, team.environment()).failed
