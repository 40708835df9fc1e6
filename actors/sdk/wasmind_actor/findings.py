"""What is wrong with an actor's code, as data.

A mistake in a declaration is raised where the class is made. While an actor is described, mistakes
are collected instead, so that all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

#: Codes of the compiler's rules that findings belong to.
CANNOT_LOAD: Final = "WM0805"
NEVER_RUNS: Final = "WM0811"
NOT_TEXT: Final = "WM0812"
NO_DESCRIPTION: Final = "WM0813"
OWN_CONSTRUCTOR: Final = "WM0814"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is about.

    Attributes:
        module: name of the module that defines it.
        owner: qualified name of a class or function; empty for the module.
        member: a field of that class, a parameter of that function, or `return`.
        line: where it is, for what has no name.
    """

    module: str
    owner: str = ""
    member: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake; `others` are further places, with what is there."""

    code: str
    message: str
    subject: Subject
    help: str = ""
    notes: tuple[str, ...] = ()
    others: tuple[tuple[Subject, str], ...] = ()


class DeclarationError(TypeError):
    """A class or method is not declared as this library needs it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.message}; {finding.help}" if finding.help else finding.message)
        self.finding = finding


class StandIn(type):
    """What is imported from a module that is missing, so that the rest can be looked at too."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(name, (), {})

    def __call__(cls, *values: Any, **_named: Any) -> Any:
        """Whatever it makes; as a decorator, it leaves things as they are."""
        return values[0] if len(values) == 1 and callable(values[0]) else cls


_collected: list[Finding] | None = None


def refuse(finding: Finding) -> None:
    """Raise a mistake, unless mistakes are collected.

    Raises:
        DeclarationError: nobody collects.
    """
    if _collected is None:
        raise DeclarationError(finding)
    _collected.append(finding)


@contextmanager
def collected() -> Iterator[list[Finding]]:
    """Collect what is refused meanwhile."""
    global _collected
    before, _collected = _collected, []
    try:
        yield _collected
    finally:
        _collected = before


def subject_of(thing: Any, member: str = "") -> Subject:
    """A class or function as a subject."""
    owner = getattr(thing, "__qualname__", "")
    return Subject(module=getattr(thing, "__module__", ""), owner=owner, member=member)
