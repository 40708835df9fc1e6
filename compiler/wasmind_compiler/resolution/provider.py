"""What the resolver asks of the outside world. It does no I/O of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from wasmind_compiler.diagnostics import Rule
from wasmind_compiler.frontend.manifest import Manifest
from wasmind_compiler.frontend.source import Source


@dataclass(frozen=True, slots=True)
class Identity:
    """A source in canonical form: two sources are the same actor exactly if these are equal.

    `key` is the real path of the folder for `path`, the actor's name for `library`.
    """

    kind: Literal["path", "library", "git"]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """Why a source leads nowhere. The resolver knows where the source is written and reports it."""

    rule: Rule
    message: str
    notes: tuple[str, ...] = ()
    help: str | None = None


class SourceProvider(Protocol):
    """Finds actors. Answers must not change during a resolution."""

    def identify(self, source: Source, declared_in: Identity | None) -> Identity | SourceProblem:
        """The canonical form of a source.

        Args:
            source: as written.
            declared_in: the actor whose manifest it is written in; None for the app config.
        """
        ...

    def manifest(self, identity: Identity) -> Manifest | SourceProblem | None:
        """The manifest of an actor; None if it is unusable and has been reported already."""
        ...
