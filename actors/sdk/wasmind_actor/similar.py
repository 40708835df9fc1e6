"""What was probably meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`; None if none is."""
    # Only after a mistake.
    from difflib import get_close_matches

    spelled = {_bare(each): each for each in known}
    found = get_close_matches(_bare(name), spelled, n=1, cutoff=0.7)
    return spelled[found[0]] if found else None


def _bare(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")
