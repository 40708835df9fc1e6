"""The program `wasmind`, also started as `python -m wasmind`."""

from __future__ import annotations

import os
import sys
import threading
from io import TextIOWrapper
from typing import NoReturn, cast


def main() -> NoReturn:
    """Run a command and end the process.

    Python would take everything apart that it loaded, which makes up a fifth of a `check`; the
    system does that in no time. Nothing is lost: commands close what they open before they end, and
    where a thread is still at work, the ordinary end waits for it.
    """
    _prepare_streams()
    try:
        # Here, because a Ctrl-C may come while it is loaded.
        from wasmind.cli import main as command_line

        command_line(prog_name="wasmind")
    except KeyboardInterrupt:
        sys.exit("Aborted!")
    except SystemExit as end:
        if not (end.code is None or isinstance(end.code, int)) or _others_at_work():
            raise
        _leave(end.code or 0)
    _leave(0)


def _prepare_streams() -> None:
    """Make both streams take every character, and keep the places of those that are closed.

    What an encoding lacks is escaped, which beats losing the whole answer. Python is strict, or in
    the locale C passes bytes on and is strict otherwise. A file opened later must not become the
    standard output of this process and of what it starts.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and stream.errors in ("strict", "surrogateescape"):
            cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is this one


def _others_at_work() -> bool:
    threads = set(threading.enumerate()) - {threading.main_thread()}
    return any(not thread.daemon for thread in threads)


def _leave(code: int) -> NoReturn:
    # Streams are None where the shell closed them.
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    try:
        for stream in streams:
            stream.flush()
    except OSError:
        sys.exit(code)  # what cannot be written is for Python to report
    os._exit(code)


if __name__ == "__main__":
    main()
