"""Progress of long work, as empty hooks: the command line fills them in, tests need not."""

from __future__ import annotations


class Reporter:
    """Receives what the compiler is doing. Calls come from the compiling thread, in order."""

    def status(self, verb: str, text: str) -> None:
        """Something that takes a while begins: a verb like `Building`, and what it is done to."""
