"""How much git sources may cost, and where they may come from."""

from __future__ import annotations

from wasmind.records import Record
from wasmind_compiler.resolution.tree import DEFAULT_LIMITS, TreeLimits


class GitLimits(Record):
    """What git sources may cost and use. Whoever exceeds one is told its name.

    Attributes:
        seconds: for all git commands of a run together.
        fetched_mib: size a repository may have in the cache, and memory git may fill to fetch it.
        files: files and folders an actor's folder may have.
        folder_mib: size of all files of an actor's folder.
        hosts: the only hosts they may come from, in lower case; `*.` before a name stands for
            all hosts below it. Empty for all hosts.
    """

    seconds: float = 600.0
    fetched_mib: int = 2048
    files: int = 10_000
    folder_mib: int = 256
    hosts: tuple[str, ...] = ()

    def for_trees(self) -> TreeLimits:
        """For a folder in the cache: what was fetched under these limits or the usual ones fits."""
        usual = DEFAULT_LIMITS
        return usual._replace(
            files=max(self.files, usual.files), size=max(self.folder_mib * 2**20, usual.size)
        )

    def allows(self, host: str) -> bool:
        """Whether a host may be asked. This machine, which has no name in `file://`, always may."""
        if not self.hosts or not host:
            return True
        return any(
            host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
            for allowed in self.hosts
        )
