"""What `wasmind run` says where: to people, to programs, and how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli import test_run
from tests.cli.test_run import EXAMPLE, ROOT, SCRIPT, SLOW, ended, start, wait_for, wasmind

pytestmark = test_run.pytestmark
project = test_run.project
SCHEMA = json.loads((ROOT / "schemas" / "event.schema.json").read_text())

ECHOES = r"""
[[rules]]
when = { role = "user", contains = "arrow" }
answer.text = "a → b 😀 é"

[[rules]]
when = { role = "user", contains = "steer" }
answer.text = "\u001b[2J\u009b2J\u202eevil\rover\u0007"

[[rules]]
when = { role = "user", contains = "refuse" }
answer = { status = 401, text = "the key is wrong" }

[[rules]]
when = { role = "user", contains = "wait" }
answer = { text = "at last", delay_seconds = 5 }

[[rules]]
when = { role = "user", contains = "work" }
answer.text = "I will look first."
answer.tool_calls = [{ name = "execute_bash", arguments = { command = "sleep 5" } }]

[[rules]]
answer.text = "done"
"""


@pytest.fixture
def config(project: Path) -> Path:
    """A config whose model does what it is told."""
    (project / "offline_assistant.model.toml").write_text(ECHOES)
    return project / "offline_assistant.toml"


def events_of(text: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    return events


def run_bytes(
    config: Path, *arguments: str | bytes, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [SCRIPT, "run", config, *arguments],
        cwd=config.parent,
        input=stdin,
        capture_output=True,
        timeout=300,
        env={**os.environ, **environment},
    )


def test_reason_and_exit_code_agree_in_all_formats(config: Path) -> None:
    text = wasmind("run", config, "--prompt", "refuse", cwd=config.parent)
    lines = wasmind("run", config, "--prompt", "refuse", "--format=jsonl", cwd=config.parent)
    assert (text.returncode, lines.returncode) == (1, 1)
    last = events_of(lines.stdout)[-1]
    assert last["event"] == "stopped"
    assert "the key is" in last["reason"]
    error = lines.stderr.splitlines()[-1].removeprefix("error: ")
    assert text.stderr.splitlines()[-1] == f"error: {error}"
    config.write_text(config.read_text().replace("actors =", "actor ="))
    faulty = wasmind("run", config, "--prompt", "x", "--format=jsonl", cwd=config.parent)
    assert faulty.returncode == 1
    assert events_of(faulty.stdout) == [{"event": "stopped", "reason": "the config has errors"}]


def test_a_run_that_ends_well_has_no_reason(config: Path) -> None:
    fine = wasmind("run", config, "--prompt", "x", "--format=jsonl", cwd=config.parent)
    assert events_of(fine.stdout)[-1] == {"event": "stopped", "reason": None}


def test_a_failure_is_told_once(config: Path) -> None:
    done = wasmind("run", config, "--prompt", "refuse", cwd=config.parent)
    assert done.stderr.count("the key is") == 1, done.stderr


def test_what_repeats_the_conversation_is_left_out_unless_asked_for(config: Path) -> None:
    def run(*more: str) -> list[dict[str, Any]]:
        done = wasmind("run", config, "--prompt", "x", "--format=jsonl", *more, cwd=config.parent)
        assert done.returncode == 0, done.stderr
        return events_of(done.stdout)

    repeating = ("ChatStateUpdated", "assistant.Request")
    left_out = [event for event in run() if event.get("type", "").endswith(repeating)]
    assert len(left_out) > 2
    assert all(event["left_out"]["bytes"] > 100 for event in left_out)
    whole = [event for event in run("--events=all") if event["event"] == "message"]
    assert all("payload" in event for event in whole)
    assert [event["event"] for event in run("--events", "answer")] == ["answer", "stopped"]


def test_an_event_there_is_not(config: Path) -> None:
    done = wasmind("run", config, "--format=jsonl", "--events=mesage", cwd=config.parent)
    assert done.returncode == 2
    assert "there is no event `mesage`; did you mean `message`?" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_a_run_in_good_order(project: Path, tmp_path: Path, number: int) -> None:
    (project / "offline_assistant.model.toml").write_text(SLOW)
    running, log = start(project, tmp_path, "a slow command")
    wait_for(lambda: "ExecuteToolCall" in log.read_text())
    running.send_signal(number)
    assert ended(running) == 128 + number
    last = [line for line in log.read_text().splitlines() if line.startswith("{")][-1]
    assert json.loads(last) == {
        "event": "stopped",
        "reason": f"ended by {signal.Signals(number).name}",
    }


@pytest.mark.parametrize(
    ("stdin", "content"),
    [
        (b"one\r\n\r\ntwo\r\n", "one\n\ntwo"),
        (b"\xef\xbb\xbfone", "one"),
        ("größe\n".encode(), "größe"),
        (b"x" * 400_000, "x" * 400_000),
    ],
)
def test_a_prompt_from_stdin(config: Path, stdin: bytes, content: str) -> None:
    done = run_bytes(config, "-p", "-", "--format=jsonl", stdin=stdin)
    assert done.returncode == 0, done.stderr
    contents = [
        event["payload"]["message"]["content"]
        for event in events_of(done.stdout.decode())
        if event.get("type") == "wasmind.common.assistant.AddMessage"
    ]
    assert contents == [content]


@pytest.mark.parametrize(
    ("prompt", "stdin", "reason"),
    [
        ("", b"", "the prompt is empty"),
        (" \n", b"", "the prompt is empty"),
        ("-", b"\r\n", "stdin is empty"),
        ("-", b"ab\xff", "stdin is not UTF-8 at byte 3"),
        (b"ab\xff", b"", "the prompt is not UTF-8 at character 3"),
    ],
)
def test_a_prompt_that_is_none(
    config: Path, prompt: str | bytes, stdin: bytes, reason: str
) -> None:
    done = run_bytes(config, "--prompt", prompt, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert reason in done.stderr.decode()


def test_lines_of_stdin_as_editors_of_other_systems_write_them(config: Path) -> None:
    done = run_bytes(config, "--format=jsonl", stdin=b"\xef\xbb\xbfone\r\n\r\ntwo\r\n")
    contents = [
        event["payload"]["message"]["content"]
        for event in events_of(done.stdout.decode())
        if event.get("type") == "wasmind.common.assistant.AddMessage"
    ]
    assert contents == ["one", "two"]
    broken = run_bytes(config, stdin=b"one\nt\xffwo\n")
    assert (broken.returncode, broken.stdout) == (1, b"done\n")
    assert broken.stderr.decode().splitlines()[-1].startswith("error: line 2 of stdin is not UTF-8")


def test_a_closed_stdout_is_an_error(config: Path) -> None:
    line = f"exec {SCRIPT} run {config} -p x >&-"
    done = subprocess.run(["sh", "-c", line], cwd=config.parent, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: stdout is closed, and answers would go there\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_stdout_of_few_characters_loses_nothing(config: Path, encoding: str) -> None:
    text = run_bytes(config, "-p", "arrow", PYTHONIOENCODING=encoding)
    assert text.returncode == 0, text.stderr
    shown = "é" if encoding == "cp1252" else "\\xe9"
    assert text.stdout.decode(encoding) == f"a \\u2192 b \\U0001f600 {shown}\n"
    lines = run_bytes(config, "-p", "arrow", "--format=jsonl", PYTHONIOENCODING=encoding)
    events = events_of(lines.stdout.decode("ascii"))
    assert {"event": "answer", "text": "a → b 😀 é"} in events


def test_nor_does_a_stdout_in_the_locale_c(config: Path) -> None:
    """There Python lets bytes through that are not UTF-8, and refuses what is not ASCII."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    text = run_bytes(config, "-p", "arrow", **plain)
    assert text.returncode == 0, text.stderr
    assert text.stdout == b"a \\u2192 b \\U0001f600 \\xe9\n"


def test_a_reader_that_goes_away_is_not_a_failure_of_the_run(config: Path) -> None:
    line = f"{SCRIPT} run {config} -p x | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=config.parent, capture_output=True, text=True)
    assert done.stdout == "2\n"


def test_a_terminal_is_not_steered_by_an_answer_and_a_file_has_all_of_it(config: Path) -> None:
    piped = run_bytes(config, "-p", "steer")
    assert piped.stdout.decode() == "\x1b[2J\x9b2J\u202eevil\rover\x07\n"
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, "run", config, "-p", "steer"],
        cwd=config.parent,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while piece := _read(mine):
        shown += piece
    os.close(mine)
    assert process.wait() == 0
    assert shown.decode() == "\\x1b[2J\\x9b2J\\u202eevil\\rover\\x07\r\n"


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_a_model_that_takes_long_is_waited_for_aloud(config: Path) -> None:
    text = run_bytes(config, "-p", "wait")
    assert text.stdout == b"at last\n"
    assert re.search(rb"waiting for a script \(\d+ s\)", text.stderr)
    lines = run_bytes(config, "-p", "wait", "--format=jsonl")
    waits = [event for event in events_of(lines.stdout.decode()) if event["event"] == "waiting"]
    # How often it is told, and what else takes long, is a matter of the machine.
    assert ("assistant", "waiting for a script") in {
        (each["actor"], each["what"]) for each in waits
    }
    assert all(each["seconds"] >= 2 for each in waits)


def test_on_a_terminal_a_wait_is_a_line_that_is_written_over(config: Path) -> None:
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [SCRIPT, "run", config, "-p", "wait"],
        cwd=config.parent,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
    )
    os.close(theirs)
    shown = b""
    while piece := _read(mine):
        shown += piece
    os.close(mine)
    assert process.wait() == 0
    assert re.search(rb"waiting for a script \(\d+ s\)\r\x1b\[K", shown)
    stays = [line.split(b"\x1b[K")[-1] for line in shown.split(b"\r\n")]
    assert not any(b"waiting" in line for line in stays)


def test_a_command_that_takes_long_and_the_words_before_it(config: Path) -> None:
    done = run_bytes(config, "-p", "work")
    assert done.returncode == 0, done.stderr
    assert b"running bash (2 s)" in done.stderr
    assert b"assistant  I will look first.\n" in done.stderr


FLOODING = """
from wasmind_actor import Actor, log, on
from wasmind_actor.messages import AddMessage


class Floods(Actor):
    @on(AddMessage)
    def add(self):
        for _ in range(100_000):
            log.info("x" * 1000)
"""


def test_a_signal_is_heard_although_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "floods").mkdir()
    (tmp_path / "floods" / "Wasmind.toml").write_text('actor_id = "test:floods"\n')
    (tmp_path / "floods" / "actor.py").write_text(FLOODING)
    (tmp_path / "app.toml").write_text(
        'starting_actors = ["floods"]\n\n[actors.floods]\nsource = { path = "floods" }\n'
    )
    running = subprocess.Popen(
        [SCRIPT, "run", "app.toml", "--prompt", "x", "--format=jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        start_new_session=True,
    )
    assert running.stdout is not None
    capacity = fcntl.fcntl(running.stdout, fcntl.F_GETPIPE_SZ)

    def is_full() -> bool:
        # Pages of a pipe are not filled to the last byte by lines that do not fit.
        waiting = fcntl.ioctl(running.stdout, termios.FIONREAD, bytes(4))
        return int.from_bytes(waiting, sys.byteorder) >= capacity * 3 // 4

    wait_for(is_full)
    running.send_signal(signal.SIGINT)
    assert ended(running) == 130
    running.stdout.close()


def test_what_happens_between_lines_is_shown(config: Path) -> None:
    """Nothing waits for the next line of stdin."""
    running = subprocess.Popen(
        [SCRIPT, "run", config, "--format=jsonl"],
        cwd=config.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    for line in running.stdout:
        if "AllActorsReady" in line:
            break
    running.stdin.close()
    rest = running.stdout.read()
    running.stdout.close()
    assert running.wait() == 0
    assert events_of(rest)[-1] == {"event": "stopped", "reason": None}


def test_a_secret_that_cannot_be_sent_is_refused_by_the_name_of_its_variable(config: Path) -> None:
    with config.open("a") as file:
        file.write('\n[[run.credentials]]\nhost = "127.0.0.1"\nvariable = "SOME_KEY"\n')
    log = config.parent / "log"
    done = run_bytes(
        config, "-p", "x", "--format=jsonl", "--log-file", str(log), SOME_KEY="sk-s3cr3t\u201d"
    )
    assert done.returncode == 2
    (last,) = events_of(done.stdout.decode())
    assert "`SOME_KEY`" in last["reason"]
    assert "s3cr3t" not in done.stdout.decode() + done.stderr.decode() + log.read_text()
    fine = run_bytes(config, "-p", "x", SOME_KEY="sk-s3cr3t\n")
    assert (fine.returncode, fine.stdout) == (0, b"done\n"), fine.stderr


def test_a_folder_that_is_no_bundle_names_the_config_inside(tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "wasmind-app.toml").write_text(EXAMPLE.read_text())
    done = wasmind("run", "system", "-p", "x", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: `system` is a folder, not a bundle; did you mean `system/wasmind-app.toml`?\n",
    )


def test_a_log_level_for_an_actor_there_is_not(config: Path) -> None:
    done = wasmind("run", config, "-p", "x", "--log-level", "asistant=debug", cwd=config.parent)
    assert done.returncode == 2
    assert "there is no actor `asistant`; did you mean `assistant`?" in done.stderr
