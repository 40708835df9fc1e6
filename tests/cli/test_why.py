"""`wasmind why` and `wasmind explain`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Wasmind
from tests.compiler.project import component

SETTINGS = """{
  "type": "object",
  "properties": {
    "level": {"type": "string", "default": "low"},
    "api_key": {"type": "string"},
    "workers": {"type": "array", "items": {"type": "string"}, "x-wasmind": "actors"}
  }
}
"""


@pytest.fixture
def layered(work: Path) -> Path:
    """`desk` depends on `shell` and `tail`, and spawns `tail`; the config changes `shell`."""
    shell = work / "echo" / "Wasmind.toml"
    shell.write_text(
        'actor_id = "test:echo"\nconfig_schema = "settings.json"\nbuild.component = "echo.wasm"\n'
    )
    (work / "echo" / "settings.json").write_text(SETTINGS)
    desk = work / "desk"
    desk.mkdir()
    (desk / "desk.wasm").write_bytes((work / "echo" / "echo.wasm").read_bytes())
    (desk / "settings.json").write_text(SETTINGS)
    (desk / "Wasmind.toml").write_text(
        'actor_id = "test:desk"\n'
        'required_spawn_with = ["shell"]\n'
        'config_schema = "settings.json"\n'
        'build.component = "desk.wasm"\n'
        "\n"
        "[dependencies.shell]\n"
        'source = { path = "../echo" }\n'
        'config = { level = "middle", deep = { a = 1, b = 2 } }\n'
        "\n"
        "[dependencies.tail]\n"
        'source = { path = "../echo" }\n'
    )
    (work / "app.toml").write_text(
        'starting_actors = ["desk"]\n'
        "\n"
        "[actors.desk]\n"
        'source = { path = "desk" }\n'
        'config = { workers = ["tail"] }\n'
        "\n"
        "[actor_overrides.shell.config]\n"
        'level = "high"\n'
        'api_key = "hunter2"\n'
        "deep = { a = 3 }\n"
    )
    return work


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        (
            "shell.config.level",
            'shell.config.level = "high"\n'
            '  -                    the actor\'s own default  "low"\n'
            '  desk/Wasmind.toml:8  [dependencies.shell]     "middle"\n'
            '  app.toml:8           [actor_overrides.shell]  "high"  wins\n',
        ),
        (
            "shell.config.deep",
            "shell.config.deep.a = 3\n"
            "  desk/Wasmind.toml:8  [dependencies.shell]     1\n"
            "  app.toml:10          [actor_overrides.shell]  3  wins\n"
            "shell.config.deep.b = 2\n"
            "  desk/Wasmind.toml:8  [dependencies.shell]  2  wins\n",
        ),
        (
            "desk.config.level",
            'desk.config.level = "low"\n  the actor\'s own default; no file sets it\n',
        ),
        (
            "desk.required_spawn_with",
            'desk.required_spawn_with = ["shell"]\n'
            '  desk/Wasmind.toml:2  top of the manifest  ["shell"]  wins\n',
        ),
        (
            "shell.config.api_key",
            'shell.config.api_key = "*******"\n'
            '  app.toml:9  [actor_overrides.shell]  "*******"  wins\n',
        ),
        ("desk.config.api_key", "desk.config.api_key is not set\n"),
        ("desk.limits", "desk.limits is not set\n"),
        (
            "desk.limits.memory_mib",
            "desk.limits.memory_mib is not set; the default is 256\n",
        ),
        ("desk.auto_spawn", "desk.auto_spawn is not set; the default is false\n"),
        (
            "shell",
            "shell is declared:\n"
            "  `desk` is an actor of the config (app.toml:3)\n"
            "  `desk` depends on `shell` (desk/Wasmind.toml:6)\n"
            "it is spawned because:\n"
            "  `desk` is a starting actor (app.toml:1)\n"
            "  `desk` requires `shell` (desk/Wasmind.toml:2)\n",
        ),
        (
            "tail",
            "tail is declared:\n"
            "  `desk` is an actor of the config (app.toml:3)\n"
            "  `desk` depends on `tail` (desk/Wasmind.toml:10)\n"
            "it is spawned because:\n"
            "  `desk` is a starting actor (app.toml:1)\n"
            "  `desk` spawns `tail` (app.toml:5)\n",
        ),
    ],
)
def test_answers(wasmind: Wasmind, layered: Path, subject: str, answer: str) -> None:
    done = wasmind("why", subject, "app.toml")
    assert (done.returncode, done.stdout) == (0, answer), done.stderr


@pytest.fixture
def shared(layered: Path) -> Path:
    """`side` depends on `shell` too; what it says differs, and the config decides."""
    side = layered / "side"
    side.mkdir()
    (side / "side.wasm").write_bytes((layered / "echo" / "echo.wasm").read_bytes())
    (side / "Wasmind.toml").write_text(
        'actor_id = "test:side"\n'
        'build.component = "side.wasm"\n'
        "\n"
        "[dependencies.shell]\n"
        'source = { path = "../echo" }\n'
        'config = { level = "low", deep = { a = 2, b = 2 } }\n'
        "auto_spawn = true\n"
    )
    app = (layered / "app.toml").read_text()
    (layered / "app.toml").write_text(
        app.replace('["desk"]', '["desk", "side"]')
        + "\n[actor_overrides.shell]\nauto_spawn = true\n"
        + '\n[actors.side]\nsource = { path = "side" }\n'
    )
    return layered


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        (
            "shell.config.level",
            'shell.config.level = "high"\n'
            '  -                    the actor\'s own default  "low"\n'
            '  side/Wasmind.toml:6  [dependencies.shell]     "low"\n'
            '  desk/Wasmind.toml:8  [dependencies.shell]     "middle"\n'
            '  app.toml:8           [actor_overrides.shell]  "high"  wins\n',
        ),
        (
            "shell.config.deep.b",
            "shell.config.deep.b = 2\n"
            "  side/Wasmind.toml:6  [dependencies.shell]  2\n"
            "  desk/Wasmind.toml:8  [dependencies.shell]  2  wins\n",
        ),
        (
            "shell.auto_spawn",
            "shell.auto_spawn = true\n"
            "  side/Wasmind.toml:7  [dependencies.shell]     true\n"
            "  app.toml:13          [actor_overrides.shell]  true  wins\n",
        ),
        (
            "shell",
            "shell is declared:\n"
            "  `desk` is an actor of the config (app.toml:3)\n"
            "  `desk` depends on `shell` (desk/Wasmind.toml:6)\n"
            "other manifests that declare it:\n"
            "  `side` depends on `shell` (side/Wasmind.toml:4)\n"
            "it is spawned because:\n"
            "  `shell` joins every agent (app.toml:13)\n"
            "and also because:\n"
            "  `desk` requires `shell` (desk/Wasmind.toml:2)\n",
        ),
    ],
)
def test_every_manifest_that_shares_an_actor_is_shown(
    wasmind: Wasmind, shared: Path, subject: str, answer: str
) -> None:
    assert wasmind("check", "app.toml").returncode == 0
    done = wasmind("why", subject, "app.toml")
    assert (done.returncode, done.stdout) == (0, answer), done.stderr


def test_an_own_actor_takes_nothing_of_a_manifest_that_is_not_merged(
    wasmind: Wasmind, shared: Path
) -> None:
    app = (shared / "app.toml").read_text()
    own = app.replace("[actor_overrides.shell", "[actors.shell")
    own = own.replace("auto_spawn = true\n", 'source = { path = "echo" }\n')
    (shared / "app.toml").write_text(own)
    done = wasmind("why", "shell.auto_spawn", "app.toml")
    answer = "shell.auto_spawn is not set; the default is false\n"
    assert (done.returncode, done.stdout) == (0, answer), done.stderr
    done = wasmind("why", "shell", "app.toml")
    assert done.stdout.startswith(
        "shell is declared:\n"
        "  `shell` is an actor of the config (app.toml:12)\n"
        "other manifests that declare it:\n"
        "  `desk` depends on `shell` (desk/Wasmind.toml:6)\n"
        "  `side` depends on `shell` (side/Wasmind.toml:4)\n"
    ), done.stderr


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("deskk", "error: there is no actor `deskk`; did you mean `desk`?\n"),
        ("shell.limts", "error: there is no key `shell.limts`; did you mean `limits`?\n"),
        (
            "shell.limits.memory",
            "error: there is no key `shell.limits.memory`; did you mean `memory_mib`?\n",
        ),
        ("shell.config.lvel", "error: nothing sets `shell.config.lvel`; did you mean `level`?\n"),
    ],
)
def test_questions_without_an_answer(
    wasmind: Wasmind, layered: Path, subject: str, message: str
) -> None:
    done = wasmind("why", subject, "app.toml")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


def test_what_an_answer_calls_a_key_can_be_asked_for(wasmind: Wasmind, layered: Path) -> None:
    with (layered / "app.toml").open("a") as app:
        app.write('"a.b" = [{ c = 1 }]\n\n[actors."x.y"]\nsource = { path = "echo" }\n')
        app.write("auto_spawn = true\n")
    done = wasmind("why", 'shell.config."a.b"', "app.toml")
    assert done.stdout.startswith('shell.config."a.b" = [{ c = 1 }]\n'), done.stderr
    for subject in ("x.y.auto_spawn", '"x.y".auto_spawn'):
        done = wasmind("why", subject, "app.toml")
        assert done.stdout.startswith('"x.y".auto_spawn = true\n'), done.stderr


def test_models(wasmind: Wasmind, work: Path) -> None:
    (work / "echo" / "Wasmind.toml").write_text(
        'actor_id = "test:echo"\nconfig_schema = "settings.json"\nbuild.component = "echo.wasm"\n'
    )
    (work / "echo" / "settings.json").write_text(
        '{"type": "object", "properties": {"model": {"type": "string", "x-wasmind": "model"}}}'
    )
    (work / "script.toml").write_text('[[rules]]\nanswer.text = "yes"\n')
    with (work / "app.toml").open("a") as app:
        app.write('config = { model = "small" }\n\n')
        for name in ("small", "large"):
            app.write(f'[models.{name}]\nkind = "scripted"\nscript = "script.toml"\n')
    assert wasmind("why", "models.small", "app.toml").stdout == (
        "small is a model of the kind `scripted` (app.toml:7)\n"
        "it is named by:\n"
        "  echo.config.model (app.toml:5)\n"
    )
    assert wasmind("why", "models.large", "app.toml").stdout == (
        "large is a model of the kind `scripted` (app.toml:10)\nno setting names it\n"
    )
    missing = wasmind("why", "models.smal", "app.toml")
    assert (missing.returncode, missing.stderr) == (
        1,
        "error: there is no model `smal`; did you mean `small`?\n",
    )


@pytest.mark.parametrize(
    ("subject", "code", "answer"),
    [
        ("run.limits.depth", 0, "run.limits.depth = 3 (app.toml:TOP)\n"),
        ("run.limits.turns", 0, "run.limits.turns is not set; the default is 200\n"),
        ("run.prompt", 0, "run.prompt is not set\n"),
        (
            "run.limits.turn",
            1,
            "error: there is no key `run.limits.turn`; did you mean `turns`?\n",
        ),
        ("models.small.kind", 0, 'models.small.kind = "ollama" (app.toml:MODEL)\n'),
    ],
)
def test_keys_of_other_tables_of_the_config(
    wasmind: Wasmind, layered: Path, subject: str, code: int, answer: str
) -> None:
    text = (layered / "app.toml").read_text().rstrip("\n")
    text += '\n[run.limits]\ndepth = 3\n[models.small]\nkind = "ollama"\n'
    (layered / "app.toml").write_text(text)
    lines = text.splitlines()
    for word, line in (("TOP", "depth = 3"), ("MODEL", 'kind = "ollama"')):
        answer = answer.replace(word, str(lines.index(line) + 1))
    done = wasmind("why", subject, "app.toml")
    assert (done.returncode, done.stdout or done.stderr) == (code, answer)


def test_an_actor_that_somebody_may_spawn(wasmind: Wasmind, work: Path) -> None:
    """Whoever has `agent` and says nothing of whom it spawns may spawn everybody."""
    spawner = work / "spawner"
    spawner.mkdir()
    (spawner / "Wasmind.toml").write_text(
        'actor_id = "test:spawner"\nbuild.component = "spawner.wasm"\n'
    )
    (work / "app.toml").write_text(
        'starting_actors = ["spawner"]\n\n[actors.spawner]\nsource = { path = "spawner" }\n'
        '\n[actors.echo]\nsource = { path = "echo" }\n'
    )
    imported = '(import "wasmind:actor/agent@0.1.0" (instance))'
    for imports, answer in {
        imported: "it may be spawned: nothing says whom `spawner` will spawn",
        "": "nothing spawns it",
    }.items():
        (spawner / "spawner.wasm").write_bytes(component(imports))
        done = wasmind("why", "echo", "app.toml")
        assert done.stdout.splitlines()[-1] == answer, done.stderr


@pytest.mark.parametrize("code", ["wm0106", "WM106", "106", "0106"])
def test_explain(wasmind: Wasmind, code: str) -> None:
    done = wasmind("explain", code)
    assert done.returncode == 0
    assert done.stdout.startswith("WM0106: key given twice (error)\n")
    listed = wasmind("explain").stdout
    assert "\nWM03: logical names" in listed
    assert "\n  WM0106  key given twice\n" in listed
    missing = wasmind("explain", "WM9999")
    assert missing.returncode == 2
    assert missing.stderr.startswith("error: there is no code `WM9999`; ")
