"""Large files that bundles in the cache have in common: one file, with a name in each bundle.

Every edit of a config makes another bundle, and each would have its own copy of the components.
Hard links instead of copies; where the file system has none, a copy it is. Only bundles in the
cache share: what is in a bundle of the user's is theirs to change.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class SharedFiles:
    """One file for each content, named by its sha256.

    Args:
        folder: where they are, on the file system of those that share them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, target: Path, content: bytes, sha256: str) -> None:
        """Give `target` this content, which has this digest, in hex."""
        kept = self._folder / f"{sha256}{target.suffix}"
        try:
            if not _has(kept, content):
                self._folder.mkdir(parents=True, exist_ok=True)
                aside = kept.with_name(f".{kept.name}.{os.getpid()}.new")
                aside.write_bytes(content)
                aside.replace(kept)
            link_or_copy(kept, target)
        except OSError:
            target.write_bytes(content)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` another name of `source`, or a copy where that cannot be done."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _has(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False
