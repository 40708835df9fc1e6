"""What the walk has reached, and the way that led there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import Source
from wasmind_compiler.resolution.provider import Identity

_LONGEST_CHAIN: Final = 16


# Compared by identity: comparing fields would follow the parents all the way up.
@dataclass(slots=True, kw_only=True, eq=False)
class Found:
    """An actor the walk has reached.

    Attributes:
        entry: the table it was reached by.
        source: the one in force: the entry's, or its override's.
        parent: the actor whose manifest led here.
        depth: how many manifests lie between it and the config.
        declarations: the tables of manifests that declare it, as far as met.
    """

    entry: ActorEntry
    source: Source
    identity: Identity
    manifest: Manifest
    parent: Found | None
    depth: int
    declarations: list[ActorEntry] = field(default_factory=list)
    walked: bool = False

    @property
    def name(self) -> str:
        """Logical name."""
        return self.entry.name

    @property
    def is_own(self) -> bool:
        """Whether the config defines it."""
        return self.entry.section == "actors"

    @property
    def place(self) -> str:
        """The canonical source as people see it: the folder, or the commit and folder."""
        return self.manifest.document.file.rpartition("/")[0] or "."


def chain(found: Found, last: ActorEntry | None = None) -> str:
    """The way from an own actor to this one and on to `last`: an edge for each line."""
    steps = [last] if last is not None else []
    step: Found | None = found
    while step is not None:
        steps.append(step.entry)
        step = step.parent
    return way(steps[::-1])


def way(steps: Sequence[ActorEntry]) -> str:
    """The way that an own actor and dependencies of dependencies make: an edge for each line."""

    def line(number: int) -> str:
        if not number:
            return f"{steps[0].name} ({_place(steps[0])})"
        return edge(steps[number - 1], steps[number])

    return "\n".join(f"  {line}" for line in shortened(len(steps), line))


def edge(upper: ActorEntry, lower: ActorEntry) -> str:
    """That a table stands in the manifest of the one before."""
    return f"{upper.name} —dependency→ {lower.name} ({_place(lower)})"


def shortened(count: int, line: Callable[[int], str]) -> list[str]:
    """The lines for so many steps, of which only those are made that are shown."""
    lines = [line(number) for number in shown(count)]
    if count > len(lines):
        lines.insert(_LONGEST_CHAIN // 2, f"… {count - len(lines)} more")
    return lines


def shown(count: int) -> list[int]:
    """Which of so many steps are shown: the first and the last ones."""
    left_out = range(_LONGEST_CHAIN // 2, count - _LONGEST_CHAIN // 2)
    return [number for number in range(count) if count <= _LONGEST_CHAIN or number not in left_out]


def _place(entry: ActorEntry) -> str:
    span = entry.header()
    return f"{span.file}:{span.start.line}"
