"""What a run is asked: as an argument, as a whole file, or line by line."""

from __future__ import annotations

import codecs
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Final

import click

from wasmind.cli import terminal

#: As much as a message may have by default (limit `payload_mib`).
_LARGEST: Final = 16 << 20
_STDIN: Final = "-"


def given(prompt: str) -> str:
    """The prompt of `--prompt`; `-` stands for all of stdin.

    Raises:
        click.BadParameter: it is empty, too large or not text.
    """
    if prompt == _STDIN:
        text = _decoded(_all_of_stdin(), "stdin")
    else:
        try:
            prompt.encode()
        except UnicodeEncodeError as error:
            raise _refused(_not_text("the prompt", f"at character {error.start + 1}")) from None
        text = prompt
    if not text.strip():
        raise _refused("stdin is empty" if prompt == _STDIN else "the prompt is empty")
    return text


class Lines:
    """Lines of stdin that say something, read on a thread of its own."""

    def __init__(self) -> None:
        # One ahead, and no more than that is held.
        self._read: queue.Queue[str | ValueError | None] = queue.Queue(maxsize=1)
        threading.Thread(target=self._work, name="stdin", daemon=True).start()

    def ask(self) -> None:
        """Ask for a line at a terminal."""
        if sys.stdin is not None and sys.stdin.isatty():
            terminal.ask("> ")

    def next(self, timeout: float) -> str | None:
        """The next line; None at the end of input.

        Raises:
            TimeoutError: there is none yet.
            ValueError: it is not text.
        """
        try:
            line = self._read.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(line, ValueError):
            raise line
        return line

    def _work(self) -> None:
        try:
            for line in _lines():
                self._read.put(line)
        except ValueError as error:
            self._read.put(error)
        except OSError as error:
            self._read.put(ValueError(f"cannot read stdin: {error.strerror}"))
        else:
            self._read.put(None)


def _lines() -> Iterator[str]:
    if sys.stdin is None:
        return
    for number in range(1, sys.maxsize):
        line = sys.stdin.buffer.readline()
        if not line:
            return
        try:
            text = _decoded(line, f"line {number} of stdin")
        except click.BadParameter as error:
            raise ValueError(error.message) from None
        if text.strip():
            yield text


def _all_of_stdin() -> bytes:
    if sys.stdin is None:
        raise _refused("stdin is closed")
    if sys.stdin.isatty():
        terminal.say("reading the prompt; Ctrl-D on a line of its own ends it")
    data = sys.stdin.buffer.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise _refused(f"stdin has more than {_LARGEST >> 20} MiB, the most a message may have")
    return data


def _decoded(data: bytes, what: str) -> str:
    """Text without a byte-order mark and the line end behind it, its line ends `\\n`."""
    encoding = sys.stdin.encoding if sys.stdin is not None else "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data.removeprefix(codecs.BOM_UTF8), "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"at byte {error.start + 1}"
        raise _refused(_not_text(what, place, encoding)) from None
    return text.replace("\r\n", "\n").removesuffix("\n")


def _not_text(what: str, place: str, encoding: str = "utf-8") -> str:
    name = "UTF-8" if encoding.lower() in ("utf-8", "utf8") else encoding
    return f"{what} is not {name} {place}; convert it, as with `iconv -t UTF-8`"


def _refused(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="--prompt")
