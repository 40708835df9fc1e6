"""How the process ends."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Wasmind, command, environment

WITH_A_THREAD = """
import pathlib, sys, threading, time
from wasmind.__main__ import main

def work():
    # Python waits for other threads when the main one has ended.
    while threading.main_thread().is_alive():
        time.sleep(0.01)
    pathlib.Path(sys.argv.pop()).write_text("done")

threading.Thread(target=work).start()
main()
"""

INTERRUPTED = """
import sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from wasmind.__main__ import main
main()
"""


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["chek"], 2), (["check"], 2)])
def test_exit_codes_reach_the_shell(wasmind: Wasmind, arguments: list[str], code: int) -> None:
    assert wasmind(*arguments).returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
def test_closed_streams_are_no_problem(wasmind: Wasmind, tmp_path: Path) -> None:
    line = shlex.join(command("--version"))
    ended = subprocess.run(
        ["sh", "-c", f"{line} >&- 2>&-"], env=environment(tmp_path), capture_output=True
    )
    assert ended.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["evil\x1b[2J\x9b2J\u202e"],
        ["--evil\x1b[2J"],
        ["check", "evil\x1b]0;x\x07.toml"],
        ["run", "evil\x1b[2J.toml", "-p", "x"],
        ["run", "--evil\x1b[2J"],
        ["explain", "evil\x1b[2J"],
    ],
)
def test_no_error_steers_the_terminal(wasmind: Wasmind, arguments: list[str]) -> None:
    done = wasmind(*arguments)
    assert done.returncode == 2
    assert "evil" in done.stderr
    assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(done.stderr)


def test_a_command_there_is_not(wasmind: Wasmind) -> None:
    assert "there is no command `chekc`; did you mean `check`?" in wasmind("chekc").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
def test_a_result_that_goes_nowhere_is_an_error(tmp_path: Path) -> None:
    line = shlex.join(command("explain"))
    ended = subprocess.run(
        ["sh", "-c", f"{line} >&-"], env=environment(tmp_path), capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr == "error: stdout is closed, and the result would go there\n"


def test_ctrl_c_while_the_command_line_is_loaded() -> None:
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, "Aborted!\n")


def test_a_thread_that_is_at_work_is_waited_for(tmp_path: Path) -> None:
    target = tmp_path / "result"
    ended = subprocess.run(
        [sys.executable, "-c", WITH_A_THREAD, "explain", str(target)], capture_output=True
    )
    assert target.read_text() == "done"
    assert ended.returncode == 2  # that is no code
