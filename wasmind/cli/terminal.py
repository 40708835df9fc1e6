"""The one place where the command line writes: results on stdout, everything else on stderr.

What is written may come from strangers: a model, an actor, a server, the name of a file. On stderr,
which people read, and on a stdout that is a terminal nothing of it steers the terminal. Files and
pipes get results as they are.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Final, TextIO

from wasmind.visible import visible

RESET: Final = "\x1b[0m"
_ERASE: Final = "\r\x1b[K"
_UP_AND_ERASE: Final = "\x1b[1A\r\x1b[K"


def use_colour(stream: TextIO | None) -> bool:
    """Colour only on a terminal, and not against the user's will (https://no-color.org)."""
    return (
        stream is not None
        and stream.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def rewrites_lines() -> bool:
    """Whether stderr is a terminal on which a line can be written over."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def result(text: str, end: str = "\n") -> None:
    """Write a result to stdout.

    Raises:
        OSError: stdout is closed, or does not take it.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed, and the result would go there")
    _transient.erase()
    sys.stdout.write((visible(text) if sys.stdout.isatty() else text) + end)
    sys.stdout.flush()


def say(text: str, *, tint: str = "", label: str = "") -> None:
    """Write a line for people to stderr.

    Args:
        text: may have several lines.
        tint: an escape sequence; colours the label, or the text where there is none.
        label: stands before the text.
    """
    text, label = visible(text), visible(label)
    if tint and use_colour(sys.stderr):
        if label:
            label = f"{tint}{label}{RESET}"
        else:
            text = f"{tint}{text}{RESET}"
    say_rendered(label + text)


def say_rendered(text: str) -> None:
    """The same for a text that is visible already and may have colours of ours."""
    if sys.stderr is None:
        return
    _transient.erase()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(message: str) -> None:
    """Say what went wrong."""
    say(f"error: {message}")


def status(verb: str, text: str) -> None:
    """A line of progress: a right-aligned verb, and what it is done to."""
    say(f" {text}", label=f"{verb:>12}", tint="\x1b[1;32m")


def ask(text: str) -> None:
    """Ask for input: no line feed, so that the answer stands behind."""
    if sys.stderr is not None:
        _transient.erase()
        sys.stderr.write(visible(text))
        sys.stderr.flush()


def transient(text: str) -> None:
    """Lines that are written over by whatever comes next; only where that can be done."""
    if not rewrites_lines():
        return
    _transient.erase()
    if text:
        room = max(columns() - 1, 0)
        lines = [line[:room] for line in visible(text).split("\n")]
        sys.stderr.write("\n".join(lines))
        _transient.lines = len(lines)
    sys.stderr.flush()


def columns() -> int:
    """How wide the terminal is."""
    # Slow to import, and most commands never get here.
    import shutil

    return shutil.get_terminal_size().columns


class _Transient:
    """How many of the last lines on stderr are to be written over."""

    def __init__(self) -> None:
        self.lines = 0

    def erase(self) -> None:
        if self.lines:
            sys.stderr.write(_ERASE + _UP_AND_ERASE * (self.lines - 1))
            sys.stderr.flush()
            self.lines = 0


_transient: Final = _Transient()
