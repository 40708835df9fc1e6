"""What git's complaints mean."""

from __future__ import annotations

import re
from typing import Final

from wasmind_compiler.diagnostics.registry import Rule
from wasmind_compiler.diagnostics.rules import fetching
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.resolution.git.limits import GitLimits
from wasmind_compiler.resolution.git.program import (
    GitCommandError,
    GitMissingError,
    LimitExceededError,
)
from wasmind_compiler.resolution.git.url import GitUrl, mask_credentials
from wasmind_compiler.resolution.provider import SourceProblem

_SAID: Final[tuple[tuple[str, Rule, str], ...]] = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        fetching.HOST_KEY,
        "verify the host's fingerprint, then add it with `ssh-keyscan`",
    ),
    (
        r"Authentication failed|could not read (?:Username|Password)|Permission denied"
        r"|terminal prompts disabled|returned error: 40[13]|Access denied|HTTP Basic",
        fetching.AUTHENTICATION,
        "set up a credential program or an ssh key, or check that the repository exists",
    ),
    (
        r"transport '\w+' not allowed",
        fetching.SCHEME_NOT_ALLOWED,
        "git's `url.….insteadOf` leads there; a mirror may be a folder, or use https, ssh or what "
        "the source uses",
    ),
    (
        r"returned error: 30[12378]",
        fetching.UNREACHABLE,
        "it has moved, and with `WASMIND_GIT_HOSTS` no redirect is followed",
    ),
)
_NOT_GIVEN: Final = re.compile(
    r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref"
    r"|did not send all necessary objects|unable to find [0-9a-f]+ under|Cannot obtain needed"
    r"|bad object|could not fetch|missing blob object|remote error: upload-pack"
)
_NOT_LOCAL: Final = "transport 'file' not allowed"
_NOT_SHALLOW: Final = "does not support shallow"
_REDIRECT: Final = re.compile(r"warning: redirecting to (\S+)")
_MOST_LINES: Final = 8


def is_refusal(error: GitCommandError) -> bool:
    """Whether the remote answered, but does not give out what was asked for."""
    return _NOT_GIVEN.search(str(error)) is not None


def wants_whole_history(error: GitCommandError) -> bool:
    """Whether the remote is only files behind a web server, which cannot cut history short."""
    return _NOT_SHALLOW in str(error)


def wants_local_transport(error: GitCommandError) -> bool:
    """Whether git was sent to a repository of this machine, which it was not allowed to use."""
    return _NOT_LOCAL in str(error)


def redirected_to(stderr: str) -> str | None:
    """The URL that git was sent to."""
    found = _REDIRECT.search(stderr)
    return None if found is None else mask_credentials(found.group(1)).rstrip("/")


def host_problem(url: GitUrl, limits: GitLimits) -> SourceProblem | None:
    """The problem of a URL whose host must not be asked."""
    if limits.allows(url.host):
        return None
    return SourceProblem(
        rule=fetching.HOST_NOT_ALLOWED,
        message=f"`{url.host}` is not among the hosts that git sources may come from",
        help="`WASMIND_GIT_HOSTS` allows: " + ", ".join(limits.hosts),
    )


def explain_failure(error: Exception, shown: str) -> SourceProblem:
    """The problem behind a failure of git with a repository.

    Args:
        error: `GitCommandError`, `GitMissingError`, `LimitExceededError` or `OSError`.
        shown: the repository's URL.

    Raises:
        CompilerFailure: it is not git's but that of this machine.
    """
    if isinstance(error, OSError):
        where = f": `{error.filename}`" if error.filename else ""
        reason = f"{error.strerror or error}{where}"
        raise CompilerFailure(f"git sources cannot be used: {reason}") from error
    if isinstance(error, GitMissingError):
        return SourceProblem(rule=fetching.GIT_MISSING, message=str(error))
    if isinstance(error, LimitExceededError):
        return SourceProblem(
            rule=fetching.LIMIT_EXCEEDED,
            message=f"cannot use `{shown}`: {error}",
            help=f"the limit is `{error.name}`",
        )
    text = mask_credentials(str(error))
    lines = [line for line in text.splitlines() if line.strip()][-_MOST_LINES:]
    note = ("git said:\n" + "\n".join(lines),)
    for pattern, rule, advice in _SAID:
        if re.search(pattern, text):
            message = f"{rule.title}: `{shown}`"
            return SourceProblem(rule=rule, message=message, notes=note, help=advice)
    return SourceProblem(
        rule=fetching.UNREACHABLE,
        message=f"cannot fetch from `{shown}`",
        notes=note,
        help="check the URL and the network; `--offline` uses what is in the cache",
    )
