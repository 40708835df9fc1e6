"""The form of an `actor_id`."""

from __future__ import annotations

import re
from typing import Final

from wasmind_compiler.diagnostics import Collector, Edit, Fix
from wasmind_compiler.diagnostics.rules import graph
from wasmind_compiler.frontend.document import Document

LONGEST: Final = 200
_NAME: Final = "[a-z0-9_-]+"
_FORM: Final = re.compile(rf"{_NAME}:{_NAME}")
_WRONG: Final = re.compile(r"[^a-z0-9_:-]+")


def check_actor_id(document: Document, collector: Collector) -> None:
    """Report an `actor_id` of a manifest that is not `namespace:name`."""
    actor_id = document.data.get("actor_id")
    # That it is missing, empty or no string is a matter of the schema.
    if not isinstance(actor_id, str) or not actor_id:
        return
    if _FORM.fullmatch(actor_id) and len(actor_id) <= LONGEST:
        return
    path = ("actor_id",)
    wrong = _WRONG.search(actor_id)
    span = document.inside(path, *wrong.span()) if wrong else document.value(path)
    fix, cleaned = None, _cleaned(actor_id)
    if _FORM.fullmatch(cleaned):
        edits = (Edit(document.value(path), f'"{cleaned}"'),)
        fix = Fix(title=f"write `{cleaned}`", edits=edits)
    collector.add(
        graph.BAD_ACTOR_ID.at(
            span,
            f"`{actor_id}` is not an `actor_id`: {_reason(actor_id)}",
            help="write `namespace:name` of lower-case letters, digits, `-` and `_`",
            fix=fix,
        )
    )


def _reason(actor_id: str) -> str:
    if len(actor_id) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if wrong := _WRONG.search(actor_id):
        return f"it contains `{wrong.group()}`"
    colons = actor_id.count(":")
    if colons == 1:
        return "a name beside the colon is empty"
    return "it has no colon" if colons == 0 else f"it has {colons} colons"


def _cleaned(actor_id: str) -> str:
    return _WRONG.sub("_", actor_id.strip().lower()).strip("_")
