"""Progress of long work, as empty hooks: the command line fills them in, tests need not."""

from __future__ import annotations

from collections.abc import Sequence


class Reporter:
    """Receives what the compiler is doing. Repositories are fetched on threads, which call it too.

    Attributes:
        shows_progress: whether `progress` is of any use; if not, it is not called often.
    """

    shows_progress: bool = False

    def status(self, verb: str, text: str) -> None:
        """Something that takes a while begins: a verb like `Building`, and what it is done to."""

    def contacted(self, hosts: Sequence[str]) -> None:
        """At the end of a run: names of the hosts that were asked over the network, sorted."""

    def progress(self, text: str) -> None:
        """How far it has come, to be shown until the next call; nothing if it is done."""
