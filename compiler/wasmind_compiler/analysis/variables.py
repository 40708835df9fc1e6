"""Environment variables that a config names and that are not set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wasmind_compiler.diagnostics import Diagnostic, Span
from wasmind_compiler.diagnostics.rules import models
from wasmind_compiler.diagnostics.suggestions import nearest
from wasmind_compiler.frontend.document import Document


def unset_credentials(document: Document, variables: Mapping[str, str]) -> Iterator[Diagnostic]:
    """The variables of `[[run.credentials]]` that are not set.

    Args:
        document: a config.
        variables: the environment.
    """
    credentials = document.at(("run", "credentials"))
    for index, each in enumerate(credentials if isinstance(credentials, list) else ()):
        name = each.get("variable") if isinstance(each, dict) else None
        if isinstance(name, str) and name and not variables.get(name, "").strip():
            span = document.value(("run", "credentials", index, "variable"))
            yield not_set(span, name, variables)


def not_set(span: Span, name: str, known: Mapping[str, str]) -> Diagnostic:
    """The diagnostic for a variable that is named at `span`; `known` ones are set."""
    near = nearest(name, known)
    return models.VARIABLE_NOT_SET.at(
        span,
        f"the environment variable `{name}` is not set",
        help=f"did you mean `{near[0]}`?" if near else f"set it: `export {name}=…`",
    )
