"""Repositories on this machine, named by `file://`."""

from __future__ import annotations

import os
import re
from typing import Final

from wasmind_compiler.resolution.git.program import (
    GitCommandError,
    GitProgram,
    LimitExceededError,
)
from wasmind_compiler.resolution.git.url import GitUrl

#: One file of `git ls-files --stage --debug -z`; submodules have the mode 160000.
_FILE: Final = re.compile(
    rb"1[02]\d{4} [0-9a-f]+ \d\t([^\0]+)\0  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n"
    rb"[^\0]*?  size: (\d+)\tflags: \w+\n"
)


def has_uncommitted_changes(git: GitProgram, url: GitUrl) -> bool:
    """Whether files that git knows were edited since they were last staged.

    Compares times and sizes with those in git's index. Were git to compare, it could run filters
    that the repository defines, and unfold trees that a hostile one can make endless.
    """
    work_tree = url.folder
    if not (work_tree / ".git").exists():
        return False
    try:
        listed = git.run(["-C", str(work_tree), "ls-files", "--stage", "--debug", "-z"]).stdout
    except (GitCommandError, LimitExceededError, OSError):
        return False
    root = os.path.join(os.fsencode(work_tree), b"")  # noqa: PTH118 - with the separator at its end
    return any(
        _is_edited(root + path, int(seconds), int(nanoseconds), int(size))
        for path, seconds, nanoseconds, size in _FILE.findall(listed)
    )


def _is_edited(path: bytes, seconds: int, nanoseconds: int, size: int) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return True
    # Git writes a size of 0 for what was changed in the moment it was staged.
    same_size = size in {0, found.st_size & 0xFFFFFFFF}
    return not same_size or found.st_mtime_ns != seconds * 10**9 + nanoseconds
