"""Progress belongs on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from tests.cli.conftest import Wasmind, command, environment, write_app
from tests.compiler.repositories import Repository


def on_a_terminal(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run a command whose stderr is a terminal; exit code and all that was written to it."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=tmp_path / "work",
        env=environment(tmp_path, TERM="xterm", NO_COLOR="1", COLUMNS="200"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        if not piece:
            break
        written += piece
    os.close(mine)
    return process.wait(), written.decode()


def test_a_line_that_is_written_over(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    write_app(tmp_path / "work", remote.url)
    code, written = on_a_terminal(tmp_path, "lock", "app.toml")
    assert code == 0
    assert f"{remote.url}: Receiving objects: 100% (" in written
    assert " MiB | " in written
    # What stays: everything behind the last erasure of each line.
    stays = [line.split("\x1b[K")[-1].strip() for line in written.split("\n")]
    assert [line for line in stays if line] == [f"Fetching {remote.url}"]


def test_not_on_a_pipe(wasmind: Wasmind, remote: Repository, tmp_path: Path) -> None:
    write_app(tmp_path / "work", remote.url)
    done = wasmind("lock", "app.toml")
    assert (done.returncode, done.stderr) == (0, f"    Fetching {remote.url}\n")
