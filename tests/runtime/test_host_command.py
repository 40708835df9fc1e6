"""The `command` capability on real processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.observing import FOR_EVER, is_running, wait_for
from wasmind.plan import Actor
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.host.command import COMMAND
from wasmind.runtime.host.door import Host


class Around:
    """Surroundings that keep what is logged."""

    def __init__(self) -> None:
        self.logged: list[str] = []

    def log(self, host: Host, level: str, text: str) -> None:
        self.logged.append(f"{level}: {text}")

    def slot(self, limit: str) -> Any:
        return nullcontext(enter_result=True)

    def credentials(self, scheme: str, host: str) -> Any:
        return ()

    def blocked(self) -> Any:
        return nullcontext()


def make_host(**grant: Any) -> Host:
    actor = Actor(name="bash", actor_id="test:bash", component="0" * 64, grants={"command": grant})
    return Host(actor, "000000", Around())


def call(host: Host, name: str, *values: Any) -> Any:
    return COMMAND.functions[name].body(host, *values)


def run(*command: str, host: Host | None = None, **settings: Any) -> Any:
    """Run a command with builder settings; the fields of `command-output` or the error."""
    host = host or make_host()
    handle = call(host, "[constructor]cmd", command[0]).rep
    call(host, "[method]cmd.args", handle, list(command[1:]))
    for name, value in settings.items():
        values = value if isinstance(value, tuple) else (value,)
        call(host, f"[method]cmd.{name.replace('_', '-')}", handle, *values)
    answer = call(host, "[method]cmd.run", handle)
    return answer.value


def test_output_and_status() -> None:
    out, err, status, *truncated = run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (out, err, status, truncated) == (b"out\n", b"err\n", ("exited", 3), [False, False])


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 300", ("exited", 44)), ("kill -9 $$", ("signaled", 9)), ("true", ("exited", 0))],
)
def test_statuses(script: str, status: tuple[str, int]) -> None:
    assert run("sh", "-c", script)[2] == status


def test_a_program_that_does_not_exist_fails_to_start() -> None:
    _, _, (case, reason), *_ = run("no-such-program-anywhere")
    assert case == "failed-to-start"
    assert "No such file" in reason


def test_a_folder_that_does_not_exist_fails_to_start() -> None:
    assert run("true", current_dir="/no/such/folder")[2][0] == "failed-to-start"


def test_a_flood_on_stderr_does_not_block_while_stdout_is_open() -> None:
    script = "head -c 1000000 /dev/zero >&2; echo done"
    out, err, status, out_cut, err_cut = run("sh", "-c", script)
    assert (out, len(err), status) == (b"done\n", 100_000, ("exited", 0))
    assert (out_cut, err_cut) == (False, True)


def test_output_beyond_the_cap_is_drained_and_the_real_status_reported() -> None:
    out, _, status, cut, _ = run("sh", "-c", "seq 1 100000", max_output_bytes=100)
    assert (len(out), status, cut) == (100, ("exited", 0), True)


def test_output_of_exactly_the_cap_is_not_truncated() -> None:
    out, _, _, cut, _ = run("printf", "12345", max_output_bytes=5)
    assert (out, cut) == (b"12345", False)


def test_time_out_returns_what_was_read_and_kills_grandchildren(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"echo early; {FOR_EVER} & echo $! > {pid_file}; wait"
    out, _, status, *_ = run("sh", "-c", script, timeout=5)
    assert (out, status) == (b"early\n", ("timeout-expired", None))
    assert not is_running(int(pid_file.read_text()))


def test_a_background_child_does_not_keep_the_call_waiting(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    out, _, status, *_ = run("sh", "-c", f"{FOR_EVER} & echo $! > {pid_file}; echo done")
    assert (out, status) == (b"done\n", ("exited", 0))
    assert not is_running(int(pid_file.read_text()))


def test_a_child_in_a_session_of_its_own_does_not_outlive_the_call(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    host = make_host()
    script = f"setsid sh -c 'echo $$ > {pid_file}; exec sleep 60' > /dev/null 2>&1 &"
    run("sh", "-c", f"{script} until [ -s {pid_file} ]; do :; done", host=host)
    assert not is_running(int(pid_file.read_text()))
    assert host.around.logged == ["warn: killed 1 processes that would have outlived `sh`"]


def test_commands_end_with_the_host(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import os, sys; from wasmind.runtime.host.launch import Launched\n"
        f"Launched(['/bin/sh', '-c', 'echo $$ > {pid_file}; sleep 60'], None, dict(os.environ))\n"
        f"while not os.path.exists({str(pid_file)!r}) or not os.path.getsize({str(pid_file)!r}):"
        " pass\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    wait_for(lambda: not is_running(int(pid_file.read_text())))
    assert not is_running(int(pid_file.read_text()))


def test_a_cancelled_actor_does_not_wait_for_its_command(tmp_path: Path) -> None:
    host, begun = make_host(), tmp_path / "begun"

    def cancel() -> None:
        wait_for(begun.exists)
        host.cancelled.set()

    threading.Thread(target=cancel).start()
    script = f"touch {begun}; {FOR_EVER}"
    assert run("sh", "-c", script, host=host)[2] == ("timeout-expired", None)


def test_standard_input_is_empty() -> None:
    assert run("cat")[:3] == (b"", b"", ("exited", 0))


def test_secrets_of_the_host_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    names = {line.partition(b"=")[0] for line in run("env")[0].splitlines()}
    assert b"OPENAI_API_KEY" not in names
    assert b"PATH" in names


def test_a_granted_variable_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILD_ID", "42")
    host = make_host(environment=["BUILD_ID"])
    assert b"BUILD_ID=42" in run("env", host=host)[0].splitlines()


def test_env_clear_starts_from_nothing_and_keeps_what_follows() -> None:
    host = make_host()
    handle = call(host, "[constructor]cmd", "env").rep
    call(host, "[method]cmd.env", handle, "BEFORE", "1")
    call(host, "[method]cmd.env-clear", handle)
    call(host, "[method]cmd.env", handle, "AFTER", "2")
    assert call(host, "[method]cmd.run", handle).value[0] == b"AFTER=2\n"


def test_settings_reach_the_command_through_any_handle() -> None:
    host = make_host()
    first = call(host, "[constructor]cmd", "echo").rep
    second = call(host, "[method]cmd.args", first, ["a"]).rep
    call(host, "[method]cmd.args", second, ["b"])
    assert call(host, "[method]cmd.run", first).value[0] == b"a b\n"


def test_only_granted_programs_run() -> None:
    host = make_host(programs=["true"])
    assert run("true", host=host)[2] == ("exited", 0)
    handle = call(host, "[constructor]cmd", "sh").rep
    answer = call(host, "[method]cmd.run", handle)
    assert isinstance(answer, Err)
    assert "`sh` is not among the granted `command.programs`" in answer.value
    assert host.around.logged == [f"warn: refused `sh`: {answer.value.partition('; see')[0]}"]


def test_only_granted_folders_are_worked_in(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "out").symlink_to("/")
    host = make_host(directories=[str(tmp_path / "in")])
    for folder, allowed in {"in/deep": True, "in": True, ".": False, "in/out": False}.items():
        handle = call(host, "[constructor]cmd", "pwd").rep
        call(host, "[method]cmd.current-dir", handle, str(tmp_path / folder))
        assert isinstance(call(host, "[method]cmd.run", handle), Ok) == allowed, folder
