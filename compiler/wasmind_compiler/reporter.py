"""Progress of long work, as empty hooks: the command line fills them in, tests need not."""

from __future__ import annotations


class Reporter:
    """Receives what the compiler is doing. Repositories are fetched on threads, which call it too.

    Attributes:
        shows_progress: whether `progress` is of any use; if not, it is not called often.
        wants_hosts: whether a line at the end says which hosts were asked over the network.
    """

    shows_progress: bool = False
    wants_hosts: bool = False

    def status(self, verb: str, text: str) -> None:
        """Something that takes a while begins: a verb like `Building`, and what it is done to."""

    def progress(self, text: str) -> None:
        """How far it has come, to be shown until the next call; nothing if it is done."""
