"""A value as the type that is wanted, where it was only written as another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from wasmind_compiler.diagnostics import Applicability, Edit, Fix, Span
from wasmind_compiler.frontend.key_path import quoted

#: How people write booleans who know other formats.
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


def retyped(value: Any, wanted: Sequence[str], span: Span) -> Fix | None:
    """What to write instead of a value of the wrong type.

    Args:
        value: what is written.
        wanted: names of JSON types.
        span: the place of the value.
    """
    if isinstance(value, str) and "array" in wanted:
        names = _names(value)
        text = "[" + ", ".join(quoted(name) for name in names) + "]"
        # Something with blanks may be several: the words of a command, for example.
        one = names == [value] and re.search(r"\s", value) is None
        return _written(text, span, "always" if one or len(names) > 1 else "maybe")
    if isinstance(value, str | bool | int) and (bare := _bare(value, wanted)) is not None:
        text, applicability = bare
        how = " without quotes" if isinstance(value, str) else ""
        return _written(text, span, applicability, how)
    if isinstance(value, bool | int) and list(wanted) == ["string"]:
        return _written(quoted(str(value).lower()), span)
    return None


def _bare(value: str | bool | int, wanted: Sequence[str]) -> tuple[str, Applicability] | None:
    """The boolean or number that a value spells."""
    text = str(value).lower()
    if "boolean" in wanted and text in _BOOLEANS:
        return _BOOLEANS[text], "always" if text in ("true", "false") else "maybe"
    is_number = isinstance(value, str) and _DIGITS.fullmatch(text) is not None
    if is_number and {"integer", "number"} & set(wanted):
        return str(int(text)), "always"
    return None


def _names(text: str) -> list[str]:
    """The names of a string that was meant as a list of them."""
    names = [part.strip() for part in text.split(",")]
    return names if all(re.fullmatch(r"[\w-]+", name) for name in names) else [text]


def _written(text: str, span: Span, applicability: Applicability = "always", how: str = "") -> Fix:
    title = f"write `{text}`{how}"
    return Fix(title=title, edits=(Edit(span, text),), applicability=applicability)
