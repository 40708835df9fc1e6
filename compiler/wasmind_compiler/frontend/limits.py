"""How large and how deep a TOML file may be.

The limits are far above what people write, and low enough that a hostile file costs little memory
and time: values deeper than this could not be walked by the functions that recurse over them.
"""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from wasmind_compiler.diagnostics import Diagnostic, TextIndex
from wasmind_compiler.diagnostics.rules import files

MOST_BYTES: Final = 4 * 1024 * 1024
DEEPEST: Final = 64

_NAME: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\n]*')"""
#: `tomllib` takes time and memory in the square of a key's parts.
_ENDLESS_KEY: Final = re.compile(
    rf"^[ \t]*(?:\[\[?[ \t]*)?(?:{_NAME}[ \t]*\.[ \t]*){{{DEEPEST}}}", re.MULTILINE
)
_MANY_DIGITS: Final = re.compile(r"[0-9][0-9_]{18}|0[xob][0-9A-Fa-f_]{16}")


def read_bounded(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file, cut off behind the first byte that is too many.

    Args:
        path: the file.
        most: how many bytes are not too many.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    # Opening a named pipe would wait for somebody to write to it.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as file:
        return read_up_to(file, most + 1, status.st_size)


def read_up_to(file: IO[bytes], most: int, size: int) -> bytes:
    """At most so many bytes of a file.

    Args:
        file: the file.
        most: the limit.
        size: what it probably has. Memory for as many bytes as are asked for is set aside before
            the first is read, which takes longer than reading a small file.
    """
    content = file.read(min(size + 1, most))
    # More if it grew in the meantime, or is a file that does not tell its size.
    return content + file.read(most - len(content)) if len(content) > size else content


def has_endless_key(text: str) -> bool:
    """Whether a line begins with a key of too many parts."""
    return "." in text and _ENDLESS_KEY.search(text) is not None


def is_too_deep(data: Mapping[str, Any], deepest: int = DEEPEST) -> bool:
    """Whether tables and arrays nest too deeply. Takes no recursion."""
    level: list[Any] = [data]
    for _ in range(deepest):
        inner: list[Any] = []
        for each in level:
            for value in each.values() if isinstance(each, dict) else each:
                if isinstance(value, dict | list):
                    inner.append(value)
        if not inner:
            return False
        level = inner
    return True


def may_have_large_numbers(text: str) -> bool:
    """Whether a number in the text may not fit into 64 bits."""
    return _MANY_DIGITS.search(text) is not None


def too_large(file: str, most: int) -> Diagnostic:
    """The diagnostic for a file of more than `most` bytes."""
    return files.TOO_LARGE.at(
        None,
        f"`{file}` is larger than {most // 1024 // 1024} MiB",
        help="name a config or manifest; large data belongs into files of its own",
    )


def too_deep(index: TextIndex) -> Diagnostic:
    """The diagnostic for values nested too deeply, at the place where they become so."""
    found = _ENDLESS_KEY.search(index.text)
    at = found.end() - 1 if found else _deepest_bracket(index.text)
    return files.TOO_LARGE.at(
        index.span(at, at + 1),
        f"values are nested more than {DEEPEST} deep",
        help="nothing Wasmind reads is nested like this",
    )


def endless_number(index: TextIndex) -> Diagnostic:
    """The diagnostic for a number that Python refuses to read."""
    found = max(re.finditer(r"[0-9_]+", index.text), key=lambda each: each.end() - each.start())
    message = "a number of so many digits does not fit into 64 bits"
    return files.LARGE_NUMBER.at(index.span(*found.span()), message)


def _deepest_bracket(text: str) -> int:
    """Where the first bracket opens that is one too many; 0 if brackets are not to blame."""
    depth = 0
    for found in re.finditer(r"[\[\]{}]", text):
        depth += 1 if found.group() in "[{" else -1
        if depth > DEEPEST:
            return found.start()
    return 0
