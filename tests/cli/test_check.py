"""`wasmind check`: exit code, stdout, stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Wasmind
from tests.compiler.project import ROOT


def test_a_config_without_errors(wasmind: Wasmind, work: Path) -> None:
    done = wasmind("check", "app.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "app.toml: no errors\n", "")


FAULTY = """\
starting_actors = ["echo", "ecko"]

[actors.echo]
source = { path = "echo" }
auto_spwan = true

[actors.other]
source = { path = "ekho" }
auto_spawn = "yes"
"""


def test_all_errors_at_once(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text(FAULTY)
    done = wasmind("check", "app.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error[WM0302]: unknown starting actor `ecko`\n"
        " --> app.toml:1:28\n"
        "  |\n"
        '1 | starting_actors = ["echo", "ecko"]\n'
        "  |                            ^^^^^^\n"
        "  = help: did you mean `echo`?\n"
        "\n"
        "error[WM0201]: unknown key `auto_spwan` in `actors.echo`\n"
        " --> app.toml:5:1\n"
        "  |\n"
        "5 | auto_spwan = true\n"
        "  | ^^^^^^^^^^\n"
        "  = help: did you mean `auto_spawn`?\n"
        "\n"
        "error[WM0401]: the folder `ekho` does not exist\n"
        " --> app.toml:8:19\n"
        "  |\n"
        '8 | source = { path = "ekho" }\n'
        "  |                   ^^^^^^\n"
        "  = note: looked for: ekho\n"
        "  = help: did you mean `echo`?\n"
        "\n"
        "error[WM0203]: `actors.other.auto_spawn` must be a boolean, found a string\n"
        " --> app.toml:9:14\n"
        "  |\n"
        '9 | auto_spawn = "yes"\n'
        "  |              ^^^^^ expected a boolean\n"
        "  = help: write `true` without quotes\n"
        "\n"
        "4 errors\n"
        "2 can be fixed: wasmind check --fix app.toml\n"
    )


def test_commands_can_be_pasted(wasmind: Wasmind, work: Path) -> None:
    (work / "my app.toml").write_text(FAULTY)
    done = wasmind("check", "my app.toml")
    assert done.stderr.endswith("2 can be fixed: wasmind check --fix 'my app.toml'\n")
    (work / "my app.toml").write_text(
        'starting_actors = ["echo"]\nactors.echo.source.path = "echo"\n'
    )
    done = wasmind("check", "my app.toml", "--locked")
    assert "run `wasmind lock 'my app.toml'`" in done.stderr


def test_a_syntax_error(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text('starting_actors = ["echo"\n[actors]\n')
    done = wasmind("check", "app.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error[WM0103]: TOML syntax error: unclosed array\n"
        " --> app.toml:2:1\n"
        "  |\n"
        "2 | [actors]\n"
        "  | ^^^^^^^^\n"
        " ::: app.toml:1:19\n"
        "  |\n"
        '1 | starting_actors = ["echo"\n'
        "  |                   - the array begins here\n"
        "  = help: close it with `]`\n"
        "\n"
        "1 error\n"
    )


def test_json_for_programs(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text(FAULTY)
    done = wasmind("check", "app.toml", "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert document["summary"] == {"errors": 4, "warnings": 0, "notes": 0}
    fix = document["diagnostics"][1]["fix"]
    assert fix["edits"][0]["replacement"] == "auto_spawn"


def test_warnings_do_not_fail(wasmind: Wasmind, work: Path) -> None:
    with (work / "app.toml").open("a") as file:
        file.write("[other_tool]\n")
    done = wasmind("check", "app.toml")
    assert (done.returncode, done.stdout) == (0, "app.toml: no errors\n")
    assert done.stderr.endswith("\n\n1 warning\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "ap.toml"], "error: the config `ap.toml` does not exist; did you mean"
         " `app.toml`?\n"),
        (["lock", "echo"], "error: `echo` is a folder, not a config\n"),
        (["lock", "app.lock"], "error: `app.lock` is the name of a lockfile, not of a config; did"
         " you mean `app.toml`?\n"),
        (["lock", "/dev/null"], "error: `/dev/null` is no regular file, which a config has to"
         " be\n"),
    ],
)  # fmt: skip
def test_configs_that_are_none(
    wasmind: Wasmind, work: Path, arguments: list[str], message: str
) -> None:
    done = wasmind(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_the_config_before_or_after_the_verb(wasmind: Wasmind, work: Path) -> None:
    for arguments in (["-c", "app.toml", "check"], ["check", "-c", "app.toml"]):
        assert wasmind(*arguments).stdout == "app.toml: no errors\n"
    assert wasmind("-c", "app.toml", "check", "app.toml").returncode == 0
    done = wasmind("-c", "app.toml", "check", "other.toml")
    assert done.returncode == 2
    assert "two configs are given: `app.toml` and `other.toml`" in done.stderr


def test_the_default_config(wasmind: Wasmind, work: Path, tmp_path: Path) -> None:
    deep = work / "a" / "b"
    deep.mkdir(parents=True)
    nothing = wasmind("check", cwd=str(deep))
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("error: no config: there is no `wasmind-app.toml` here")
    user_level = tmp_path / "home" / ".config" / "wasmind"
    user_level.mkdir(parents=True)
    (user_level / "config.toml").write_text("starting_actors = []\n")
    assert wasmind("check", cwd=str(deep)).returncode == 1
    (work / "app.toml").rename(work / "wasmind-app.toml")
    assert wasmind("check", cwd=str(deep)).returncode == 0


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_on_a_terminal(
    work: Path, tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:
    (work / "app.toml").write_text(FAULTY)
    ours, theirs = os.openpty()
    environment = {
        "HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TERM": "xterm",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "check", "app.toml"],
        cwd=work,
        env=environment,
        stderr=theirs,
        stdout=subprocess.PIPE,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert done.returncode == 1
    assert (b"\x1b[1;31merror[WM0302]" in shown) is coloured
    assert (b"\x1b" in shown) is coloured


def test_colour_needs_a_terminal(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text(FAULTY)
    assert "\x1b" not in wasmind("check", "app.toml", TERM="xterm").stderr


def test_the_example_has_no_errors_of_shape(wasmind: Wasmind, work: Path) -> None:
    """Without the interpreter: only what can be said before an actor is built."""
    example = (ROOT / "example_configs" / "offline_assistant.toml").read_text()
    (work / "copy.toml").write_text(example)
    done = wasmind("check", "copy.toml", "--format", "json")
    codes = {each["code"] for each in json.loads(done.stdout)["diagnostics"]}
    # In a copy elsewhere the actors and the script are not found; nothing else is wrong.
    assert codes == {"WM0401", "WM0602"}


@pytest.mark.parametrize("verb", ["check", "lock", "bundle", "graph"])
def test_help(wasmind: Wasmind, work: Path, verb: str) -> None:
    done = wasmind(verb, "--help")
    assert done.returncode == 0
    assert "Exit codes:" in done.stdout


def test_sarif_and_workflow_commands(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text(FAULTY)
    done = wasmind("check", "app.toml", "--format", "sarif")
    assert (done.returncode, done.stderr) == (1, "")
    (run,) = json.loads(done.stdout)["runs"]
    assert [result["ruleId"] for result in run["results"]] == [
        "WM0302", "WM0201", "WM0401", "WM0203",
    ]  # fmt: skip
    done = wasmind("check", "app.toml", "--format", "github")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("::error file=app.toml,line=1,endLine=1,col=28,endColumn=34,")


def test_strict_and_lenient(wasmind: Wasmind, work: Path) -> None:
    with (work / "app.toml").open("a") as file:
        file.write("[other_tool]\n")
    done = wasmind("check", "app.toml", "--strict")
    assert done.returncode == 1
    assert done.stderr.startswith("error[WM0202]")
    (work / "app.toml").write_text(
        'starting_actors = ["echo"]\n[actors.echo]\nsource = { path = "echo" }\ncolour = 1\n'
    )
    assert wasmind("check", "app.toml").returncode == 1
    done = wasmind("check", "app.toml", "--lenient")
    assert done.returncode == 0
    assert done.stderr.startswith("warning[WM0201]")
    assert wasmind("check", "app.toml", "--lenient", "--strict").returncode == 1


FIXABLE = """\
starting_actors = ["ecko"]  # who starts

[actors.echo]
source = { path = "echo" }
auto_spwan = true
"""


def test_a_fix_is_shown_before_it_is_made(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").write_text(FIXABLE)
    diff = (
        "--- app.toml\n"
        "+++ app.toml\n"
        "@@ -1,5 +1,5 @@\n"
        '-starting_actors = ["ecko"]  # who starts\n'
        '+starting_actors = ["echo"]  # who starts\n'
        " \n"
        " [actors.echo]\n"
        ' source = { path = "echo" }\n'
        "-auto_spwan = true\n"
        "+auto_spawn = true\n"
    )
    shown = wasmind("check", "app.toml", "--fix", "--dry-run")
    assert shown.returncode == 1
    assert shown.stderr.startswith(diff)
    assert (work / "app.toml").read_text() == FIXABLE
    done = wasmind("check", "app.toml", "--fix")
    assert (done.returncode, done.stdout) == (0, "app.toml: no errors\n")
    assert done.stderr.startswith(diff)
    assert (work / "app.toml").read_text() == FIXABLE.replace("ecko", "echo").replace(
        "auto_spwan", "auto_spawn"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01" + bytes(range(256)),
        b"a" * 5_000_000,
        b"x = " + b"[" * 10_000 + b"]" * 10_000,
        b"a." * 10_000 + b"a = 1",
        b"[" + b"a." * 10_000 + b"a]",
        b"\n" * 3_000_000 + b"x = [",
    ],
    ids=["binary", "large", "arrays", "dotted", "header", "lines"],
)
def test_hostile_files_are_refused_clearly(wasmind: Wasmind, work: Path, content: bytes) -> None:
    (work / "bad.toml").write_bytes(content)
    done = wasmind("check", "bad.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("error[WM01")
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2000


def test_a_hostile_manifest(wasmind: Wasmind, work: Path) -> None:
    (work / "echo" / "Wasmind.toml").write_text("[" + "a." * 10_000 + "a]\n")
    done = wasmind("check", "app.toml")
    assert done.returncode == 1
    assert "values are nested more than 64 deep" in done.stderr


@pytest.mark.parametrize("named", ["echo", "echo/Wasmind.toml", "./echo/"])
def test_an_actor_by_itself(wasmind: Wasmind, work: Path, named: str) -> None:
    done = wasmind("check", named)
    assert (done.returncode, done.stdout) == (0, "echo/Wasmind.toml: no errors\n")
    with (work / "echo" / "Wasmind.toml").open("a") as manifest:
        manifest.write("colour = 1\n")
    assert wasmind("check", "-c", named, "--fix", "--diff").returncode == 1
    done = wasmind("-c", named, "check", "--format", "json")
    (found,) = json.loads(done.stdout)["diagnostics"]
    assert (found["code"], found["span"]["file"]) == ("WM0201", "echo/Wasmind.toml")


def test_an_actor_has_no_lockfile(wasmind: Wasmind, work: Path) -> None:
    for option in ("--locked", "--frozen", "--outdated"):
        done = wasmind("check", "echo", option)
        assert done.returncode == 2
        assert "`echo/Wasmind.toml` is an actor, and lockfiles belong to configs" in done.stderr


def test_an_actor_is_only_checked_when_it_is_named(wasmind: Wasmind, work: Path) -> None:
    (work / "app.toml").unlink()
    done = wasmind("check", cwd=str(work / "echo"))
    assert done.returncode == 2
    assert done.stderr.endswith("; `wasmind check .` checks the actor here\n")
    assert wasmind("check", ".", cwd=str(work / "echo")).stdout == "Wasmind.toml: no errors\n"


def test_what_is_neither_config_nor_actor(wasmind: Wasmind, work: Path) -> None:
    (work / "empty").mkdir()
    (work / "lower").mkdir()
    (work / "lower" / "wasmind.toml").write_text("")
    (work / "echo" / "actor.py").write_text("workers: int = ()\n")
    for arguments, message in (
        (["empty"], "`empty` is a folder without `Wasmind.toml`"),
        (["lower"], "`lower` is a folder without `Wasmind.toml`; rename `wasmind.toml` to that"),
        (
            ["echo/actor.py", "--fix"],
            "`echo/actor.py` is a file of an actor, not a config; `wasmind check echo` checks the"
            " actor",
        ),
    ):
        done = wasmind("check", *arguments)
        assert (done.returncode, done.stderr) == (2, f"error: {message}\n")
    assert (work / "echo" / "actor.py").read_text() == "workers: int = ()\n"


def test_a_corrupt_lockfile_is_not_mended(wasmind: Wasmind, work: Path) -> None:
    assert wasmind("lock", "app.toml").returncode == 0
    lockfile = work / "app.lock"
    faulty = lockfile.read_text().replace("version = ", "version: ", 1)
    lockfile.write_text(faulty)
    done = wasmind("check", "app.toml", "--fix")
    assert (done.returncode, lockfile.read_text()) == (1, faulty)
    assert "WM1004" in done.stderr
    assert "can be fixed" not in done.stderr
