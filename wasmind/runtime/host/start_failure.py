"""Why a command could not start, told in terms of the program and the folder.

The system gives one error number for many reasons: "No such file or directory" is said of a missing
program, a missing folder and a missing interpreter alike.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: The longest argument Linux passes on: MAX_ARG_STRLEN less its final null byte.
LONGEST_ARGUMENT: Final = 131_071


def explain(kind: str, number: int, words: Sequence[str], directory: str | None) -> str:
    """One line.

    Args:
        kind: `no-folder`, `failed-to-start` or `no-launcher`.
        number: an error number.
        words: the program as it was asked for, and its arguments.
        directory: where it was to run, as it was asked for.
    """
    if kind == "no-folder":
        return _folder(number, directory or ".")
    if kind == "no-launcher":
        return "the launcher of commands does not come up; can the interpreter of wasmind be run?"
    return _program(number, words, directory)


def _folder(number: int, directory: str) -> str:
    if directory.startswith("~"):
        return f"the folder `{directory}` does not exist: `~` is not expanded, write it out"
    match number:
        case errno.ENOENT:
            return f"the folder `{directory}` does not exist"
        case errno.ENOTDIR if os.path.lexists(directory):
            return f"`{directory}` is a file; a command runs in a folder"
        case errno.ENOTDIR:
            return f"the folder `{directory}` does not exist: part of that path is a file"
        case _:
            return f"the folder `{directory}` cannot be entered: {os.strerror(number)}"


def _program(number: int, words: Sequence[str], directory: str | None) -> str:
    program = words[0]
    path = Path(directory or ".") / program
    match number:
        case errno.ENOENT if os.path.lexists(path):
            return f"`{program}` exists, but the interpreter that its first line names does not"
        case errno.ENOENT | errno.ENOTDIR if os.sep not in program or Path(program).is_absolute():
            return f"the program `{program}` does not exist"
        case errno.ENOENT | errno.ENOTDIR:
            return f"`{program}` not found in `{Path(directory or '.').absolute()}`"
        case errno.EACCES if path.is_dir():
            return f"`{program}` is a folder, not a program"
        case errno.EACCES:
            return f"`{program}` may not be executed: {os.strerror(number)}"
        case errno.ENOEXEC:
            return f"`{program}` is not a program; a script needs `#!` and its interpreter on top"
        case errno.E2BIG:
            return _too_long(words)
        case _:
            return f"`{program}` could not be started: {os.strerror(number)}"


def _too_long(words: Sequence[str]) -> str:
    sizes = [len(os.fsencode(word)) for word in words]
    longest = max(range(len(words)), key=sizes.__getitem__)
    if sizes[longest] > LONGEST_ARGUMENT:
        return (
            f"argument {longest} of `{words[0]}` has {sizes[longest]} bytes; the system takes "
            f"{LONGEST_ARGUMENT} at most: hand it over in a file"
        )
    return (
        f"the arguments of `{words[0]}` have {sum(sizes)} bytes together, more than the system "
        "takes: hand them over in a file"
    )
