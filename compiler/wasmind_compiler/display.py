"""Names of files as people see them."""

from __future__ import annotations

import os
from pathlib import Path


class Display:
    """Shows paths relative to a working directory, or absolute where that is shorter."""

    def __init__(self, working_directory: Path) -> None:
        self._start = working_directory

    def __call__(self, path: Path) -> str:
        """The name of a path, with `/` between its parts."""
        # Links are not resolved: the name should be the one the user knows.
        absolute = os.path.normpath(self._start / path)
        try:
            relative = os.path.relpath(absolute, self._start)
        except ValueError:
            # Another drive on Windows.
            return Path(absolute).as_posix()
        return Path(min(relative, absolute, key=len)).as_posix()
