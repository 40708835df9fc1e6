"""The bash tool, against a host that pretends to run commands, and once against a real bash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wasmind_actor.command import (
    Command,
    CommandError,
    Exited,
    FailedToStart,
    Output,
    Signaled,
    TimedOut,
)
from wasmind_actor.messages import SystemPromptContribution, ToolsAvailable
from wasmind_actor.testing import FakeHost, Stage, describe, load

FOLDER = Path(__file__).parents[2] / "actors" / "execute_bash"
NOTE = "\n\n[output was cut: filter it with a pipe, for example into `head` or `grep`]"
BOTH = "=== stdout ===\nout\n\n=== stderr ===\nerr"


def stage(output: Output, commands: list[Command] | None = None) -> Stage:
    def run(command: Command) -> Output:
        if commands is not None:
            commands.append(command)
        return output

    return Stage(load(FOLDER), host=FakeHost(commands=run))


def test_says_how_to_use_it_before_it_offers_the_tool():
    bash = stage(Output(status=Exited(0)))
    assert [sent.message_type for sent in bash.host.bus] == [
        SystemPromptContribution.message_type,
        ToolsAvailable.message_type,
    ]
    (guide,) = bash.sent(SystemPromptContribution)
    assert (guide.key, guide.priority, guide.section) == ("execute_bash:usage_guide", 800, "tools")
    text = guide.content.value
    assert text.startswith('<tool name="execute_bash">')
    assert text.endswith("</tool>")
    (offer,) = bash.sent(ToolsAvailable)
    assert offer.tools[0].function.parameters["required"] == ["command"]


@pytest.mark.parametrize(
    ("arguments", "line", "directory", "timeout"),
    [
        ({"command": "ls"}, "ls", None, 30),
        ({"command": "ls", "args": [], "directory": None, "timeout": None}, "ls", None, 30),
        ({"command": "ls", "args": ["-l", "a b"]}, "ls -l 'a b'", None, 30),
        ({"command": "ls | wc", "directory": "/src"}, "ls | wc", "/src", 30),
        ({"command": "ls", "timeout": 0}, "ls", None, 1),
        ({"command": "ls", "timeout": 601}, "ls", None, 600),
        ({"command": "ls", "unknown": 1}, "ls", None, 30),
        ({"command": "echo \ud83d"}, "echo ?", None, 30),
    ],
)
def test_runs_bash(arguments, line, directory, timeout):
    commands: list[Command] = []
    stage(Output(status=Exited(0)), commands).call("execute_bash", **arguments)
    assert commands == [
        Command(
            program="bash",
            arguments=("-c", line),
            directory=directory,
            timeout=timeout,
            max_output_bytes=2500,
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("{}", "command: missing"),
        ('{"command": 1}', "command: expected a string, found an integer"),
        ('{"command": "ls", "args": "x"}', "args: expected an array, found a string"),
        ('{"command": "ls", "args": [1]}', "args[0]: expected a string, found an integer"),
        ('{"command": "ls", "timeout": -1}', "timeout: expected at least 0, found -1"),
        ('{"command": "ls", "timeout": 5.5}', "timeout: expected an integer, found a number"),
        ('{"command": "ls", "timeout": "5"}', "timeout: expected an integer, found a string"),
        ('{"command": ', "invalid JSON"),
        ("[]", "expected an object, found an array"),
    ],
)
def test_refuses_bad_parameters(arguments, reason):
    commands: list[Command] = []
    error = stage(Output(status=Exited(0)), commands).call_error("execute_bash", arguments)
    assert reason in error.content
    assert error.ui_display_info.collapsed == "Parameters: invalid"
    assert reason in error.ui_display_info.expanded
    assert commands == []


SUCCESSES = [
    (Output(status=Exited(0)), "The command succeeded without output.", "ls: success (no output)"),
    (Output(status=Exited(0), stdout=b"out\n"), "out\n", "ls: success (1 lines output)"),
    (
        Output(status=Exited(0), stderr=b"a\nb"),
        "a\nb",
        "ls: success (0 lines output, 2 lines stderr)",
    ),
    (
        Output(status=Exited(0), stdout=b"out", stderr=b"err"),
        BOTH,
        "ls: success (1 lines output, 1 lines stderr)",
    ),
    (
        Output(status=Exited(0), stdout=b"ou", stdout_truncated=True, stdout_end=b"t"),
        "out",
        "ls: success (1 lines output)",
    ),
    (
        Output(
            status=Exited(0),
            stdout=b"first\nsec",
            stdout_truncated=True,
            stdout_end=b"ird\nlast\n",
            stdout_missing=10,
        ),
        "first\n[... 17 bytes left out ...]\nlast\n" + NOTE,
        "ls: success (3 lines output)",
    ),
    (
        Output(
            status=Exited(0),
            stdout="ää".encode()[:3],
            stdout_truncated=True,
            stdout_end="ää".encode()[1:],
            stdout_missing=7,
        ),
        "ä\n[... 7 bytes left out ...]\nä" + NOTE,
        "ls: success (3 lines output)",
    ),
    (
        Output(status=Exited(0), stdout=b"up", left_behind=("sleep 60", "python3 -m http.server")),
        "up\n\n[ended when the call returned, because nothing can outlive a call:\n"
        "sleep 60\npython3 -m http.server]",
        "ls: success (1 lines output)",
    ),
    (Output(status=Exited(0), stdout=b"a\xff"), "a\ufffd", "ls: success (1 lines output)"),
]


@pytest.mark.parametrize(("output", "content", "collapsed"), SUCCESSES)
def test_success(output, content, collapsed):
    result = stage(output).call("execute_bash", command="ls")
    assert result.content == content
    assert result.ui_display_info.collapsed == collapsed
    assert result.ui_display_info.expanded.startswith("Command: ls\n\n")


FAILURES = [
    (
        Output(status=Exited(2)),
        "The command failed with exit code 2, without output.",
        "ls: failed with exit code 2 (no output)",
    ),
    (
        Output(status=Exited(2), stderr=b"no such file"),
        "The command failed with exit code 2:\nno such file",
        "ls: failed with exit code 2 (1 lines output)",
    ),
    (
        Output(status=Exited(2), stdout=b"out", stderr=b"err"),
        f"The command failed with exit code 2:\n{BOTH}",
        "ls: failed with exit code 2 (2 lines output)",
    ),
    (
        Output(
            status=Exited(1),
            stderr=b"warning\n",
            stderr_truncated=True,
            stderr_end=b"error: the reason\n",
            stderr_missing=90_000,
        ),
        "The command failed with exit code 1:\n"
        "warning\n[... 90000 bytes left out ...]\nerror: the reason\n" + NOTE,
        "ls: failed with exit code 1 (3 lines output)",
    ),
    (
        Output(status=Signaled(9)),
        "The command was terminated by signal 9, without output.",
        "ls: terminated by signal 9",
    ),
    (
        Output(status=Signaled(15), stdout=b"out"),
        "The command was terminated by signal 15:\n=== stdout ===\nout\n\n=== stderr ===\n",
        "ls: terminated by signal 15",
    ),
    (Output(status=TimedOut()), "The command timed out, without output.", "ls: timed out"),
    (Output(status=TimedOut(), stdout=b"out"), "The command timed out:\nout", "ls: timed out"),
    (
        Output(status=FailedToStart("no such file or directory")),
        "The command failed to start: no such file or directory",
        "ls: error: no such file or directory",
    ),
]


@pytest.mark.parametrize(("output", "content", "collapsed"), FAILURES)
def test_failure(output, content, collapsed):
    error = stage(output).call_error("execute_bash", command="ls")
    assert error.content == content
    assert error.ui_display_info.collapsed == collapsed
    assert error.ui_display_info.expanded.startswith("Command: ls\n\n")


def test_a_refusal_of_the_host_is_an_error_for_the_model():
    def refuse(command: Command) -> Output:
        raise CommandError("`bash` is not among the granted programs\nadd it")

    bash = Stage(load(FOLDER), host=FakeHost(commands=refuse))
    error = bash.call_error("execute_bash", command="ls")
    assert error.content.startswith("Could not execute `ls`: `bash` is not among")
    assert error.ui_display_info.collapsed.endswith("is not among the granted programs")


def really(command: Command) -> Output:
    done = subprocess.run([command.program, *command.arguments], capture_output=True)
    return Output(status=Exited(done.returncode), stdout=done.stdout, stderr=done.stderr)


@pytest.mark.parametrize("size", [1_000, 131_000, 131_072, 400_000, 1_500_000])
def test_a_script_of_any_length_runs_as_with_dash_c(size):
    """Two-byte characters, so that pieces are cut within some; the last line sees `$0` and `$#`."""
    text = "ä" * (size // 2)
    script = f"wc -c <<'END'\nx{text}\nEND\necho \"$0 $# ${{1-none}}\"; f() {{ return 3; }}; f"
    error = Stage(load(FOLDER), host=FakeHost(commands=really)).call_error(
        "execute_bash", command=script
    )
    assert error.content == f"The command failed with exit code 3:\n{size + 2}\nbash 0 none\n"
    assert len(error.ui_display_info.collapsed) < 2_000


@pytest.mark.parametrize(
    "arguments",
    [
        {"command": "/bin/echo", "args": ["y" * 140_000]},
        {"command": 'y=$(printf "%0140000d" 0); /bin/echo "$y"'},
    ],
)
def test_an_argument_that_is_too_long_for_a_program_is_told_with_the_way_out(arguments):
    bash = Stage(load(FOLDER), host=FakeHost(commands=really))
    error = bash.call_error("execute_bash", **arguments)
    assert error.content.startswith("The command failed with exit code 126:\n")
    assert "no argument of more than 131071 bytes: pipe the text into it, or" in error.content


def test_a_builtin_takes_arguments_of_any_length():
    bash = Stage(load(FOLDER), host=FakeHost(commands=really))
    result = bash.call("execute_bash", command="printf %s", args=["y" * 140_000])
    assert result.content == "y" * 140_000


def test_quoted_arguments_reach_a_real_bash_unchanged():
    bash = Stage(load(FOLDER), host=FakeHost(commands=really))
    result = bash.call("execute_bash", command="printf '%s|'", args=["$HOME", "a  b", "it's"])
    assert result.content == "$HOME|a  b|it's|"


def test_ignores_other_tools_and_other_scopes():
    commands: list[Command] = []
    bash = stage(Output(status=Exited(0)), commands)
    call = {"id": "c", "type": "function", "function": {"name": "other", "arguments": "{}"}}
    message = "wasmind.common.tools.ExecuteToolCall"
    bash.deliver((message, {"tool_call": call, "originating_request_id": "r"}))
    call["function"] = {"name": "execute_bash", "arguments": '{"command": "ls"}'}
    bash.deliver((message, {"tool_call": call, "originating_request_id": "r"}), from_scope="abcdef")
    assert commands == []


def test_contract():
    contract = describe(FOLDER)
    assert contract["name"] == "ExecuteBash"
    assert contract["capabilities"] == ["command", "logger", "messaging"]
    assert [tool["name"] for tool in contract["tools"]] == ["execute_bash"]
    assert [each["type"] for each in contract["handles"]] == [
        "wasmind.common.tools.ExecuteToolCall"
    ]
    assert contract["config"] is None
    assert contract["spawns"] == []
