"""What a user has accepted of each config, apart from its lockfile.

A lockfile lies in the project, where it can be lost, and where others than its user may remove
it. So the last one that was accepted is kept in the user's own folder, too: without it a missing
lockfile would be a fresh start, and what actors gained meanwhile would count as accepted.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from wasmind_compiler.atomic import replace_file
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.resolution.lock_reading import LoadedLock, load_lock


class Consent:
    """The accepted lockfile of one config.

    Args:
        folder: where they are kept.
        config: the config's file.
        schemas: for the form of lockfiles.
    """

    def __init__(self, folder: Path, config: Path, schemas: Schemas) -> None:
        name = hashlib.sha256(str(config.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
        self._path = folder / "accepted" / f"{name}.lock"
        self._config = config.name
        self._schemas = schemas

    def read(self) -> LoadedLock | None:
        """What was accepted last; None if nothing was, or it cannot be read any more."""
        return load_lock(self._path, str(self._path), self._config, self._schemas, Collector())

    def keep(self, text: str) -> None:
        """Remember a lockfile as accepted, where this machine lets us."""
        content = text.encode()
        with suppress(OSError):
            if not (self._path.is_file() and self._path.read_bytes() == content):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._path, content)
