"""Guards against JSON nested so deeply that decoding it would use up a guest's stack.

A guest has less stack than Python believes: where Python would raise `RecursionError`, the instance
ends and its state is lost.
"""

from __future__ import annotations

import re
from typing import Final

#: More than anything of use needs, and far from where a guest ends.
DEEPEST: Final = 100

_STRING: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"?'


def require_shallow(text: str) -> None:
    """Refuse JSON that is nested too deeply.

    Raises:
        ValueError: it is.
    """
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(_STRING, "", text, flags=re.DOTALL)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
