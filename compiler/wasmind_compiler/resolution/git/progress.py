"""What git says about its progress, on stderr among everything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_AMOUNT: Final = r"[0-9.]+ (?:bytes|[KMGT]iB)"
#: Like `Receiving objects:  42% (21/50), 12.30 MiB | 4.00 MiB/s`.
_STEP: Final = re.compile(
    r"(?:remote: )?([A-Z][a-z]+(?: [a-z]+)*:) +([0-9]{1,3}% \([0-9]+/[0-9]+\)"
    rf"(?:, {_AMOUNT}(?: \| {_AMOUNT}/s)?)?)(?:, done\.)? *"
)
_LINE_END: Final = re.compile(rb"[\r\n]")
#: No step is longer; what is longer is something else.
_LONGEST: Final = 500


class ProgressReader:
    """Finds the steps in what git prints, however it is cut into pieces.

    Args:
        show: hears each step.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._begun = b""

    def feed(self, piece: bytes) -> None:
        """Take in what git printed next."""
        *lines, self._begun = _LINE_END.split(self._begun + piece)
        if len(self._begun) > _LONGEST:
            self._begun = b""
        for line in lines:
            found = _STEP.fullmatch(line.decode("ascii", "replace"))
            if found is not None:
                self._show(f"{found[1]} {found[2]}")


def without_progress(text: str) -> str:
    """What git said besides."""
    lines = re.split(r"[\r\n]", text)
    return "\n".join(line for line in lines if _STEP.fullmatch(line) is None)
