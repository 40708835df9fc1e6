"""What a model script inserts into answers, and where it would come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wasmind_compiler.diagnostics import Diagnostic
from wasmind_compiler.diagnostics.rules import secrets
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.document import Document
from wasmind_compiler.frontend.key_path import KeyPath

_INSERTED: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: Keys of `when`; another one may be a misspelled `matches`.
_CONDITIONS: Final = frozenset({"role", "tool", "contains", "matches", "offers"})


def unknown_groups(script: Document) -> Iterator[Diagnostic]:
    """Every `${name}` of an answer whose rule has no group of that name.

    What looks like a variable of a shell, `${HOME}`, is one, unless a group is called almost so.
    """
    rules = script.data.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict):
            continue
        groups = _groups(rule.get("when"))
        if groups is None:
            continue
        for path, text in _strings(rule.get("answer"), ("rules", number, "answer")):
            for found in _INSERTED.finditer(text):
                name = found.group(1)
                if name not in groups and (not name.isupper() or nearest(name, groups)):
                    yield secrets.UNKNOWN_GROUP.at(
                        script.value(path),
                        f"`${{{name}}}` is left as it is: the rule has no group `{name}`",
                        help=advice(name, groups, "groups")
                        or "`when.matches` has to be a pattern with a group of that name, like "
                        f"`(?P<{name}>.*)`",
                    )


def _groups(when: Any) -> frozenset[str] | None:
    """The named groups of a rule; None if that cannot be known, because something is wrong."""
    if when is None:
        return frozenset()
    if not isinstance(when, dict) or not _CONDITIONS.issuperset(when):
        return None
    pattern = when.get("matches", "")
    try:
        return frozenset(re.compile(pattern).groupindex)
    except (re.error, TypeError):
        return None


def _strings(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
