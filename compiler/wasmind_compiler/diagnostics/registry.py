"""Rules: the codes, each with the documentation a user reads when `explain` shows it.

A rule is a constant in the module of its area below `rules/`; whoever finds the problem calls
`RULE.at(span, message)`. Codes are never reused and never change their meaning.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wasmind_compiler.diagnostics.model import Diagnostic, Fix, Label, Severity, Span

#: Modules below `rules/` in the order of their codes.
AREAS: Final = (
    "files",
    "shape",
    "names",
    "agents",
    "sources",
    "graph",
    "settings",
    "models",
    "secrets",
    "components",
    "building",
    "contracts",
    "locking",
    "fetching",
    "bindings",
    "references",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A small project that breaks a rule, and the same project mended.

    The documentation shows it and a test runs it: with `failing` the rule is reported, with
    `fixed` it is not and nothing else is an error.

    Attributes:
        failing: text of `file` that breaks the rule.
        fixed: text of `file` without the problem.
        file: path in the project; everything but `app.toml` is reached from the config.
        others: further files by path, the same in both cases. An actor `echo`, which takes any
            settings, is always there. A folder with a manifest that names a missing
            `[build] component` gets a component without imports under that name; one without
            `[build]` gets an empty `actor.py`. Files `*.wasm` are written in WebAssembly text.
        environment: variables that are set; no others of ours are.
        command: what reports it, when `check` does not.
    """

    failing: str | bytes
    fixed: str | bytes
    file: str = "app.toml"
    others: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ("check",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        code: `WM` and four digits; the first two are the area.
        title: a few words for lists.
        explanation: paragraphs that say why it matters and what to do.
        severity: what `at` gives its diagnostics.
        example: shown by `explain` and the documentation, run by a test. What takes more than
            files is shown by a shell session instead, `sessions/CODE.md`.
    """

    code: str
    title: str
    explanation: str = field(repr=False)
    severity: Severity = Severity.ERROR
    example: Example | None = field(default=None, repr=False)

    def at(
        self,
        span: Span | None,
        message: str,
        *,
        label: str = "",
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,  # noqa: A002 - the word users see
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A diagnostic of this rule."""
        return Diagnostic(
            code=self.code,
            severity=self.severity,
            message=message,
            span=span,
            label=label,
            labels=labels,
            notes=notes,
            help=help,
            fix=fix,
        )


def area_title(area: str) -> str:
    """What an area is about, with its range of codes, like `WM01: files and TOML syntax`."""
    module = importlib.import_module(f"wasmind_compiler.diagnostics.rules.{area}")
    return (module.__doc__ or area).strip().splitlines()[0].rstrip(".")


def rules_of(area: str) -> Iterator[Rule]:
    """The rules of one of `AREAS`, by code."""
    module = importlib.import_module(f"wasmind_compiler.diagnostics.rules.{area}")
    found = [value for value in vars(module).values() if isinstance(value, Rule)]
    return iter(sorted(found, key=lambda rule: rule.code))


def all_rules() -> Iterator[Rule]:
    """Every rule there is, by code."""
    for area in AREAS:
        yield from rules_of(area)
