"""Cassettes: recorded answers of models, one JSON document a line behind a header line.

Both halves read them: the compiler puts what is recorded into the plan, and a run appends to the
file. A line is `{"completion": …, "request": …}`; with `"anew": true` earlier answers to the same
request no longer count. What follows the last newline may be torn by a crash; it is then left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from wasmind.records import Record

#: What may be asked for: answers are only replayed, missing ones are recorded, or all are.
RECORD: Final = ("never", "missing", "all")
HEADER: Final = b'{"cassette": 1}\n'
_VERSION: Final = 1

Recording = Mapping[str, Any]


class DamagedCassette(ValueError):
    """A line is not what it should be; says which, and why."""


class Contents(Record):
    """What a cassette holds.

    Attributes:
        recordings: in the order in which they were made.
        whole: bytes in front of a torn last line.
    """

    recordings: tuple[Recording, ...]
    whole: int


def is_cassette(beginning: bytes) -> bool:
    """Whether a file that begins like this is a cassette, even a damaged one."""
    header = _decoded(beginning.partition(b"\n")[0])
    return isinstance(header, dict) and "cassette" in header


def read_cassette(content: bytes) -> Contents:
    """Everything in a cassette; an empty file is one without recordings.

    Raises:
        DamagedCassette: a line other than a torn last one is not a recording.
    """
    lines = content.split(b"\n")
    torn = lines.pop()
    if torn and _decoded(torn) is not None:
        lines.append(torn)  # whole: an editor has left out the newline
        torn = b""
    if lines:
        _check_header(lines[0])
    kept = ((number, line) for number, line in enumerate(lines[1:], 2) if line.strip())
    recordings = tuple(_recording(number, line) for number, line in kept)
    return Contents(recordings, len(content) - len(torn))


def _check_header(line: bytes) -> None:
    header = _decoded(line)
    version = header.get("cassette") if isinstance(header, dict) else None
    if version is None:
        raise DamagedCassette(f"line 1 is not `{HEADER.decode().strip()}`")
    if version != _VERSION:
        raise DamagedCassette(f"line 1: version {version} is not known, only {_VERSION}")


def _recording(number: int, line: bytes) -> Recording:
    found = _decoded(line)
    if not isinstance(found, dict):
        raise DamagedCassette(f"line {number} is not a JSON object")
    request, completion = found.get("request"), found.get("completion")
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        raise DamagedCassette(f"line {number} has no `request` with `messages`")
    choices = completion.get("choices") if isinstance(completion, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        raise DamagedCassette(f"line {number} has no `completion` with a message")
    return found


def _decoded(line: bytes) -> Any:
    """The JSON of a line; None if it is not JSON."""
    try:
        return json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(constant: str) -> None:
    raise ValueError(constant)
