"""How many commits lie between two, told only where the answer is cheap and certain.

Stores are shallow and must not be asked about history. What is needed for the answer is fetched
aside: commits without their trees, and not many of them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from wasmind_compiler.resolution.git.program import GitProgram
from wasmind_compiler.resolution.git.revisions import GIT_FAILURES
from wasmind_compiler.resolution.git.store import Repository

_DEPTH: Final = 1000
_SECONDS: Final = 10
#: Commits are small; a server that sends trees all the same is cut off here.
_MIB: Final = 16
_REMOTE: Final = "history"


def commits_between(git: GitProgram, repository: Repository, old: str, new: str) -> int | None:
    """The number of commits that `new` has on top of `old`; None if that is not known.

    Args:
        git: runs it, within limits of its own.
        repository: the remote of both.
        old: full id of a commit that may be gone by now.
        new: full id of a commit that the remote has.
    """
    cheap = GitProgram(git.home, git.limits._replace(seconds=_SECONDS, fetched_mib=_MIB))
    with repository.held(new):
        aside = repository.store(new) / "history"
        shutil.rmtree(aside, ignore_errors=True)
        try:
            _fetch(cheap, repository, aside, new)
            return _count(cheap, aside, old, new)
        except GIT_FAILURES:
            return None
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _fetch(git: GitProgram, repository: Repository, aside: Path, new: str) -> None:
    form = "sha256" if len(new) == 64 else "sha1"
    git.run(["init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(aside)])
    settings = {
        "url": repository.url.shown,
        "promisor": "true",
        "partialclonefilter": "tree:0",
    }
    packs = aside / "objects" / "pack"
    git.run(
        [
            f"--git-dir={aside}",
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *(f"--depth={_DEPTH}", _REMOTE, f"{new}:refs/heads/new"),
        ],
        url=repository.url,
        local=repository.mirror is not None,
        settings=[f"remote.{_REMOTE}.{key}={value}" for key, value in settings.items()],
        size=lambda: sum(path.stat().st_size for path in packs.glob("*")),
    )


def _count(git: GitProgram, aside: Path, old: str, new: str) -> int | None:
    """Count in a history that may be cut off.

    What was cut off cannot change the answer if every way back from `new` leads through `old`.
    """
    store = f"--git-dir={aside}"
    listed = git.run([store, "rev-list", "--parents", new, f"^{old}"]).stdout.decode().splitlines()
    parents = {words[0]: words[1:] for words in map(str.split, listed)}
    if not (aside / "shallow").exists():
        return len(parents)
    if not all(parents.values()):
        return None
    beyond = {parent for each in parents.values() for parent in each} - parents.keys()
    return len(parents) if beyond == {old} else None
