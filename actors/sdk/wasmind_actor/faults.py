"""What becomes of exceptions nobody expected."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Final

_LIBRARY: Final = str(PurePath(__file__).parent)


def report(error: BaseException) -> str:
    """The traceback, without the frames of this library."""
    trace = traceback.TracebackException.from_exception(error, lookup_lines=False)
    _trim(trace)
    return "".join(trace.format()).rstrip()


def named(error: BaseException) -> str:
    """The exception in one line."""
    text = str(error)
    if isinstance(error, MemoryError) and not text:
        text = "no memory is left (limit `memory_mib`)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _trim(trace: traceback.TracebackException) -> None:
    # An explicit empty line keeps `traceback` from looking for sources: a guest has no files.
    trace.stack = traceback.StackSummary.from_list(
        traceback.FrameSummary(frame.filename, frame.lineno, frame.name, lookup_line=False, line="")
        for frame in trace.stack
        if not frame.filename.startswith(_LIBRARY)
    )
    for cause in (trace.__cause__, trace.__context__):
        if cause is not None:
            _trim(cause)
