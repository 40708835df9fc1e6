"""Repositories on this machine, named by `file://`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from wasmind_compiler.resolution.git.program import GitCommandError, GitProgram
from wasmind_compiler.resolution.git.url import GitUrl


def has_uncommitted_changes(git: GitProgram, url: GitUrl) -> bool:
    """Whether files that git knows differ from what is committed.

    Only times and sizes are compared: comparing content would run the repository's filters.
    """
    work_tree = Path(unquote(urlsplit(url.shown).path))
    if not (work_tree / ".git").exists():
        return False
    here = ["-C", str(work_tree)]
    try:
        edited = git.run([*here, "diff-files", "--name-only", "--ignore-submodules"]).stdout
        added = git.run([*here, "diff-index", "--cached", "--name-only", "HEAD", "--"]).stdout
    except GitCommandError:
        return False
    return bool(edited or added)
