"""What a command may do with the lockfile and the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wasmind.records import Record


class Widening(Record):
    """An actor that would be able to do more than the lockfile says.

    `gains` are the capabilities that come on top, and limits of others that are wider, like
    `command.programs`, sorted.
    """

    actor: str
    had: tuple[str, ...]
    gains: tuple[str, ...]


def accept_nothing(_widenings: Sequence[Widening]) -> bool:
    """Nobody is there to ask."""
    return False


class LockPolicy(Record):
    """How the lockfile and the network are treated.

    Attributes:
        locked: the lockfile has to be there and current, and no ref is looked up.
        offline: the network is not used.
        upgrade: names of actors whose git sources are looked up again.
        upgrade_all: all git sources are.
        outdated: remotes are asked what an upgrade would find, which is said and not followed.
        accept_moved_tags: a tag may mean another commit than the locked one.
        accept_capabilities: asked before a lockfile is written that lets actors do more.
    """

    locked: bool = False
    offline: bool = False
    upgrade: frozenset[str] = frozenset()
    upgrade_all: bool = False
    outdated: bool = False
    accept_moved_tags: bool = False
    accept_capabilities: Callable[[Sequence[Widening]], bool] = accept_nothing
