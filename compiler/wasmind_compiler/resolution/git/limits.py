"""How much git sources may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """What git sources may cost. Whoever exceeds one is told its name.

    Attributes:
        seconds: for all git commands of a run together.
        fetched_mib: size a repository may have in the cache.
        files: files and folders an actor's folder may have.
        folder_mib: size of all files of an actor's folder.
    """

    seconds: float = 600.0
    fetched_mib: int = 2048
    files: int = 10_000
    folder_mib: int = 256
