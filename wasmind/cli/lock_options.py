"""Options of the verbs that keep to a lockfile, and the policy they add up to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wasmind.cli import terminal
from wasmind.cli.compiling import EnvironmentProblem

if TYPE_CHECKING:
    from wasmind_compiler.resolution.git.limits import GitLimits
    from wasmind_compiler.resolution.policy import LockPolicy, Widening

_Command = TypeVar("_Command", bound=Callable[..., Any])


def lock_mode(command: _Command) -> _Command:
    """`--locked`, `--frozen`, `--offline` for a command; read them with `policy`."""
    locked = click.option(
        "--locked", is_flag=True, help="Fail if the lockfile is missing or stale; write nothing."
    )
    frozen = click.option("--frozen", is_flag=True, help="The same as --locked --offline.")
    offline = click.option(
        "--offline", is_flag=True, help="Use no network; what is not in the cache is an error."
    )
    return locked(frozen(offline(command)))


def acceptance(command: _Command) -> _Command:
    """`--accept-capabilities` for a command that may write the lockfile."""
    option = click.option(
        "--accept-capabilities",
        is_flag=True,
        help="Let actors do more than the lockfile says, without being asked.",
    )
    return option(command)


def policy(
    *,
    locked: bool = False,
    frozen: bool = False,
    offline: bool = False,
    accept_capabilities: bool = False,
    **further: Any,
) -> LockPolicy:
    """The policy of a command's options; `further` are fields of `LockPolicy`."""
    from wasmind_compiler.resolution.policy import LockPolicy

    return LockPolicy(
        locked=locked or frozen,
        offline=offline or frozen,
        accept_capabilities=(lambda _: True) if accept_capabilities else _ask,
        **further,
    )


def git_limits() -> GitLimits:
    """What git sources may cost and use: the defaults, unless `WASMIND_GIT_…` says otherwise.

    Raises:
        EnvironmentProblem: a variable is no positive number.
    """
    from wasmind_compiler.resolution.git.limits import GitLimits

    names = {
        "WASMIND_GIT_SECONDS": "seconds",
        "WASMIND_GIT_MIB": "fetched_mib",
        "WASMIND_GIT_FILES": "files",
        "WASMIND_GIT_FOLDER_MIB": "folder_mib",
    }
    chosen = {field: _positive(name) for name, field in names.items() if name in os.environ}
    hosts = os.environ.get("WASMIND_GIT_HOSTS", "").lower().replace(",", " ").split()
    return GitLimits(**chosen, hosts=tuple(hosts))


def _positive(name: str) -> int:
    text = os.environ[name]
    if not text.isdecimal() or int(text) == 0:
        raise EnvironmentProblem(f"`{name}` must be a whole number above 0, not `{text}`")
    return int(text)


def _ask(widenings: Sequence[Widening]) -> bool:
    """Ask at a terminal; where nobody sits the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    terminal.say("these actors would be able to do more than the lockfile says:")
    for widening in widenings:
        had = ", ".join(widening.had) or "new"
        terminal.say(f"  {widening.actor} ({had}): + {', '.join(widening.gains)}")
    return click.confirm("accept?", default=False, err=True)
