"""The `command` capability on real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.observing import FOR_EVER, is_running, wait_for
from wasmind.plan import Actor
from wasmind.runtime.abi import Err, Ok
from wasmind.runtime.host.command import COMMAND, EXT_COMMAND, Ended
from wasmind.runtime.host.door import Host
from wasmind.runtime.host.launch import Launchers

LAUNCHERS = Launchers()


@pytest.fixture(scope="module", autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    LAUNCHERS.close()


class Around:
    """Surroundings that keep what is logged."""

    def __init__(self) -> None:
        self.logged: list[str] = []

    def launchers(self) -> Launchers:
        return LAUNCHERS

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


def _broken_programs(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "text").write_text("not a program")
    (folder / "text").chmod(0o755)
    (folder / "orphan").write_text("#!/no/such/interpreter\n")
    (folder / "orphan").chmod(0o755)
    (folder / "plain").write_text("#!/bin/sh\n")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("no-such-program", "the program `no-such-program` is not on the PATH"),
        ("/no/such/program", "the program `/no/such/program` does not exist"),
        ("./nope", "`./nope` not found in `{folder}`"),
        ("./inner", "`./inner` is a folder, not a program"),
        ("./text", "`./text` is not a program; a script needs `#!` and its interpreter on top"),
        ("./orphan", "`./orphan` exists, but the interpreter that its first line names does not"),
        ("./plain", "`./plain` may not be executed: Permission denied"),
    ],
)
def test_a_program_that_cannot_start_is_named(tmp_path: Path, program: str, reason: str) -> None:
    _broken_programs(tmp_path)
    status = run(program, current_dir=str(tmp_path))[2]
    assert status == ("failed-to-start", reason.format(folder=tmp_path))


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("/no/such/folder", "the folder `/no/such/folder` does not exist"),
        ("~", "the folder `~` does not exist: `~` is not expanded, write it out"),
        ("/etc/passwd", "`/etc/passwd` is a file; a command runs in a folder"),
        ("/etc/passwd/x", "the folder `/etc/passwd/x` does not exist: part of that path is a file"),
        ("", None),
    ],
)
def test_a_folder_that_is_not_there_is_named(folder: str, reason: str | None) -> None:
    expected = ("exited", 0) if reason is None else ("failed-to-start", reason)
    assert run("true", current_dir=folder)[2] == expected


def test_an_argument_that_is_too_long_is_told_with_the_limit() -> None:
    assert run("true", "x", "y" * 131_072)[2] == (
        "failed-to-start",
        "argument 2 of `true` has 131072 bytes; the system takes 131071 at most: "
        "hand it over in a file",
    )
    assert run("true", "y" * 131_071)[2] == ("exited", 0)
    reason = run("true", *["y" * 131_071] * 100)[2][1]
    assert reason.startswith("the arguments of `true` have 13107104 bytes together")


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
    waiting = f"{script} until [ -s {pid_file} ]; do :; done"
    assert whole("sh", "-c", waiting, host=host).left_behind == ("sleep 60",)
    assert not is_running(int(pid_file.read_text()))
    assert host.around.logged == ["warn: ended what `sh` had left behind: sleep 60"]


def test_what_was_left_behind_is_told_once_and_only_that(tmp_path: Path) -> None:
    left = whole("sh", "-c", "sleep 60 & sh -c 'sleep 61 & sleep 62' & echo done").left_behind
    assert {"sleep 60", "sleep 61"} <= set(left)
    assert whole("sh", "-c", "sleep 0.01 & wait").left_behind == ()
    timed_out = whole("sh", "-c", "sleep 60 & sleep 61", timeout=1)
    assert timed_out.left_behind == (), "ended by its time-out, not left behind"


def whole(
    *command: str, host: Host | None = None, timeout: int | None = None, cap: int | None = None
) -> Ended:
    """Run a command through the interface that leaves nothing out."""
    fields = (command[0], list(command[1:]), None, timeout, cap, False, [])
    return EXT_COMMAND.functions["run"].body(host or make_host(), fields).value


def test_a_stream_that_is_cut_keeps_its_end() -> None:
    script = "seq 1 100000; seq 1 300 >&2; exit 1"
    ended = whole("sh", "-c", script, cap=1000)
    assert (ended.status, ended.stdout_truncated, ended.stderr_truncated) == (
        ("exited", 1),
        True,
        True,
    )
    assert ended.stdout.startswith(b"1\n2\n")
    assert ended.stdout_end.endswith(b"99999\n100000\n")
    assert len(ended.stdout) == len(ended.stdout_end) == 1000
    assert ended.stdout_missing == 588_895 - 2000
    everything = b"".join(b"%d\n" % number for number in range(1, 301))
    assert (ended.stderr + ended.stderr_end, ended.stderr_missing) == (everything, 0)


SLEEPER = (
    "setsid sh -c 'echo $$ > pid; exec sleep 60' > /dev/null 2>&1 & until [ -s pid ]; do :; done;"
)
LAUNCHER_PID = "$(ps -o ppid= -p $PPID | tr -d ' ')"


@pytest.mark.parametrize(
    "attack",
    [
        "kill -9 $PPID; sleep 600",
        "kill -STOP $PPID; sleep 0.1",
        "kill 0; sleep 600",
        "kill -9 0; sleep 600",
        f"kill -9 {LAUNCHER_PID}; sleep 600",
        f"kill -STOP {LAUNCHER_PID}; sleep 0.1",
        f"kill -STOP {LAUNCHER_PID}; kill -STOP $PPID; sleep 0.1",
        f"kill -9 {LAUNCHER_PID} $PPID; sleep 600",
        f"kill -9 $PPID {LAUNCHER_PID}; sleep 600",
    ],
)
def test_a_command_can_neither_outlive_nor_hang_its_call(tmp_path: Path, attack: str) -> None:
    status = run("bash", "-c", f"{SLEEPER} {attack}", current_dir=str(tmp_path))[2]
    assert status in {("signaled", 9), ("signaled", 15)}
    assert not is_running(int((tmp_path / "pid").read_text()))
    assert run("echo", "next")[0] == b"next\n", "the next command runs as if nothing had been"


def test_a_system_ends_although_a_command_has_stopped_its_launcher(tmp_path: Path) -> None:
    launchers = Launchers()
    host = make_host()
    host.around.launchers = lambda: launchers
    script = f"{SLEEPER} kill -STOP {LAUNCHER_PID}; sleep 60"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "bash", "-c", script, current_dir=str(tmp_path), host=host)
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        host.cancelled.set()
        running.result()
        launchers.close()
    assert not is_running(int((tmp_path / "pid").read_text()))
    reason = run("true", host=host)[2][1]
    assert reason == "the system is stopping"


@pytest.mark.parametrize(
    ("interpreter", "reason"),
    [
        ("/bin/false", "the launcher of commands does not come up"),
        ("/no/python", "the launcher of commands cannot start: [Errno 2]"),
    ],
)
def test_a_launcher_that_does_not_come_up_is_told(
    monkeypatch: pytest.MonkeyPatch, interpreter: str, reason: str
) -> None:
    monkeypatch.setattr("sys.executable", interpreter)
    launchers = Launchers()
    host = make_host()
    host.around.launchers = lambda: launchers
    case, told = run("true", host=host)[2]
    launchers.close()
    assert case == "failed-to-start"
    assert told.startswith(reason)


def test_other_children_of_the_program_are_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as own:
        run("bash", "-c", f"kill -9 {LAUNCHER_PID} $PPID; sleep 600")
        assert own.poll() is None
        own.kill()


def test_a_command_learns_nothing_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    launchers = Launchers()  # started while the key is there
    host = make_host()
    host.around.launchers = lambda: launchers
    script = f"cat /proc/$PPID/environ /proc/{LAUNCHER_PID}/environ 2>&1; echo; echo end"
    out = run("bash", "-c", script, host=host)[0]
    launchers.close()
    assert out.endswith(b"end\n")
    assert b"secret-key" not in out
    assert not re.search(rb"[A-Z]+=", out)


def test_a_command_cannot_forge_its_status() -> None:
    script = (
        "for fd in /proc/$PPID/fd/*; do (echo exited 0 > $fd) 2> /dev/null; done;"
        "for fd in /proc/self/fd/*; do case $(readlink $fd) in *socket*) echo $fd;; esac; done;"
        "exit 7"
    )
    out, _, status, *_ = run("bash", "-c", script)
    assert status == ("exited", 7)
    # At first the keeper may still have the streams open, which are the command's own.
    assert out.replace(b"exited 0\n", b"") == b"", "the command has a socket of the keeper's"


def test_the_launcher_cannot_be_read_by_the_user_that_runs_it() -> None:
    """As root, who may read everything, all of it runs without root's special rights."""
    program = (
        "import os, sys; from wasmind.runtime.host.launch import Launchers\n"
        "launchers = Launchers()\n"
        "paths = {'PATH': os.environ['PATH']}\n"
        "script = 'cat /proc/$PPID/environ; cat /proc/$PPID/fd/0; cat /proc/$$/environ'\n"
        "with launchers.launch(['/bin/sh', '-c', script], '/', paths) as it:\n"
        "    while it.status is None: it.read_status()\n"
        "    sys.stderr.buffer.write(os.read(it.stderr, 10_000))\n"
        "print(it.status)\n"
        "launchers.close()\n"
    )
    plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*plain, sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "('exited', 0)\n", done.stderr
    assert done.stderr.count("Permission denied") == 2, done.stderr


def test_commands_run_side_by_side(tmp_path: Path) -> None:
    """Fifty that wait for one another: a queue would hang them for ever."""
    script = "touch $0; until [ $(ls | wc -l) = 50 ]; do sleep 0.05; done; echo all"
    with ThreadPoolExecutor(50) as pool:
        runs = [
            pool.submit(
                run, "sh", "-c", script, str(number), current_dir=str(tmp_path), timeout=120
            )
            for number in range(50)
        ]
        assert {future.result()[0] for future in runs} == {b"all\n"}


def test_commands_end_with_the_host(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import os, sys; from wasmind.runtime.host.launch import Launchers\n"
        "launchers = Launchers()\n"
        f"script = 'echo $$ > {pid_file}; sleep 60'\n"
        "running = launchers.launch(['/bin/sh', '-c', script], '/', dict(os.environ))\n"
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
    assert run("sh", "-c", script, host=host) == "`sh` was cut off, because its agent is ending"


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
    assert 'write `grants = { command = { programs = ["true", "sh"] } }`' in answer.value
    assert host.around.logged == [f"warn: refused `sh`: {answer.value}"]


@pytest.mark.parametrize(
    "variable",
    [
        *("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "PYTHONPATH", "ENV"),
        *("BASH_ENV", "BASH_FUNC_ls%%", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "NODE_OPTIONS"),
        *(
            "PERL5OPT",
            "IFS",
            "PATH",
            "HOME",
            "XDG_CONFIG_HOME",
            "PAGER",
            "TAR_OPTIONS",
            "GCONV_PATH",
        ),
        *("ld_preload", "RUBYOPT", "JAVA_TOOL_OPTIONS", "LESSOPEN"),
    ],
)
def test_with_a_list_of_programs_variables_that_choose_code_are_the_hosts(variable: str) -> None:
    host = make_host(programs=["env"], environment=[variable])
    text = run("env", host=host, env=(variable, "/tmp/evil.so"))
    assert isinstance(text, str)
    assert f"the variable `{variable}` can make a program run another one" in text
    assert host.around.logged == [f"warn: refused `env`: {text}"]
    assert b"\nMINE=1\n" in b"\n" + run("env", host=host, env=("MINE", "1"))[0]


def test_without_a_list_they_are_the_actors_to_set() -> None:
    assert b"PYTHONPATH=here\n" in run("env", env=("PYTHONPATH", "here"))[0]


def test_only_granted_folders_are_worked_in(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "out").symlink_to("/")
    host = make_host(directories=[str(tmp_path / "in")])
    for folder, allowed in {"in/deep": True, "in": True, ".": False, "in/out": False}.items():
        handle = call(host, "[constructor]cmd", "pwd").rep
        call(host, "[method]cmd.current-dir", handle, str(tmp_path / folder))
        assert isinstance(call(host, "[method]cmd.run", handle), Ok) == allowed, folder
