"""Talking to people on stderr: colour when it helps, progress on long work."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def use_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and not against the user's will (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def status(verb: str, text: str) -> None:
    """A line of progress: a right-aligned verb, and what it is done to."""
    shown = f"{verb:>12}"
    if use_colour(sys.stderr):
        shown = f"\x1b[1;32m{shown}\x1b[0m"
    print(f"{shown} {text}", file=sys.stderr, flush=True)
