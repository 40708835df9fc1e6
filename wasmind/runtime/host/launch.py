"""Starting a command so that nothing of it can stay behind; see `launcher`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

_LAUNCHER: Final = str(Path(__file__).with_name("launcher.py"))
_REPORT_BYTES: Final = 4096
#: The launcher gives up on what cannot be killed after two seconds; it is given a little more.
_END_SECONDS: Final = 3.0


class Launched:
    """A running command; leaving the `with` ends it and everything it started.

    Attributes:
        stdout, stderr: descriptors to read from.
        report: a descriptor that becomes readable when the command has ended.
        status: how it ended, a case of `exit-status` with its payload; None while it runs.
        killed: how many processes had to be killed after the command itself had ended.

    Raises:
        OSError: the working directory does not exist.
    """

    def __init__(
        self, command: Sequence[str], directory: str | None, environment: Mapping[str, str]
    ) -> None:
        block = b"".join(
            os.fsencode(name) + b"=" + os.fsencode(value) + b"\0"
            for name, value in environment.items()
        )
        control, self._hold = os.pipe()
        self.report, answer = os.pipe()
        self.status: tuple[str, Any] | None = None
        self.killed = 0
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", _LAUNCHER, str(control), str(answer), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                pass_fds=(control, answer),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._hold)
            os.close(self.report)
            raise
        finally:
            os.close(control)
            os.close(answer)
        _write_all(self._hold, len(block).to_bytes(4, "big") + block)
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self.stdout = self._child.stdout.fileno()
        self.stderr = self._child.stderr.fileno()

    def read_status(self) -> None:
        """Take note of how the command ended; called when `report` is readable."""
        line = os.read(self.report, _REPORT_BYTES).decode(errors="replace").partition("\n")[0]
        kind, _, detail = line.partition(" ")
        match kind:
            case "exited" | "signaled":
                self.status = (kind, int(detail) & 0xFF)
            case "failed-to-start":
                self.status = (kind, detail)
            case _:  # the launcher itself was killed
                self.status = ("failed-to-start", "the launcher ended unexpectedly")

    def __enter__(self) -> Launched:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._hold)  # the launcher sees this and ends everything
        try:
            with self._child:
                self._child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
        finally:
            self.killed = self._count_killed()
            os.close(self.report)

    def _count_killed(self) -> int:
        os.set_blocking(self.report, False)
        try:
            lines = os.read(self.report, _REPORT_BYTES).decode(errors="replace").splitlines()
        except BlockingIOError:
            return 0
        counts = [line.partition(" ")[2] for line in lines if line.startswith("killed ")]
        return int(counts[-1]) if counts else 0


def _write_all(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except BrokenPipeError:
        return  # the launcher has ended; its report, or the lack of one, tells
