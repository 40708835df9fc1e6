"""Runs a program that ends when this run does, however the run ends; started as a script.

    python leash.py FOLDER PROGRAM [ARGUMENT ...]

Standard input is a pipe whose other end only the run holds. When the pipe closes, because the run
ended or was killed, the program and its whole process group are ended and FOLDER is removed. A
signal that the kernel sends at the death of the parent would be shorter, but it follows the thread
that started the program, exists on Linux only, and does not reach the program's own children.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

_GRACE_SECONDS = 5.0


def main(folder: str, command: list[str]) -> int:
    """Run `command` until it ends or standard input does; its exit status, as a shell says it."""
    # Ctrl-C reaches the whole foreground group; whether to end is the run's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"cannot start `{command[0]}`: {error.strerror}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        return 127
    threading.Thread(target=_end_with_the_run, args=(child,), daemon=True).start()
    status = child.wait()
    _signal_group(child, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


def _end_with_the_run(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(child, signal.SIGKILL)


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except OSError:  # nothing of it is left
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
