"""The system prompt: what everybody contributes, sorted into sections.

The same contributions give the same text, so that providers can cache it; what changes by itself,
the day, comes last in its section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Final, TypeAlias

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from settings import SystemPromptConfig

from wasmind_actor import Section, Struct
from wasmind_actor.messages import Data, Text

#: Name to display, and the texts, in order.
Rendered: TypeAlias = list[tuple[str, list[str]]]

_KEY: Final = re.compile(r"[a-z0-9_-]+:.+", re.DOTALL)
_ORDER: Final = [section.value for section in Section]
_DEFAULT_SECTION: Final = "default"
_DATETIME: Final = "system:datetime"


class Piece(Struct):
    """One contribution."""

    key: str
    content: Text | Data
    priority: int
    section: str | None


class SystemPrompt:
    """Collects contributions and renders them; `problems` says what had to be left out."""

    def __init__(self, config: SystemPromptConfig) -> None:
        self.problems: list[str] = []
        self._config = config
        self._pieces: dict[str, Piece] = {}
        self._compiled: dict[str, jinja2.Template] = {}
        for name, text in config.defaults.items():
            self.put(Piece(key=f"config:{name}", content=Text(text), priority=500, section=name))

    def put(self, piece: Piece) -> None:
        """Add a contribution of the assistant's own."""
        self._pieces[piece.key] = piece

    def put_fact(self, name: str, text: str) -> None:
        """Add or replace a fact about the system."""
        section = Section.SYSTEM_CONTEXT
        self.put(Piece(key=f"system:{name}", content=Text(text), priority=0, section=section))

    def put_day(self, now: datetime) -> None:
        """Set the calendar the model sees; a clock would make every request a new text."""
        self.put_fact("datetime", f"Current date: {now:%A, %Y-%m-%d} (UTC)")

    def accept(self, piece: Piece) -> bool:
        """Add or replace a contribution from outside; False if its key cannot be used."""
        if not _KEY.fullmatch(piece.key):
            return False
        if piece.key not in self._config.exclude:
            self.put(piece)
        return True

    def render(self) -> str:
        """The whole prompt."""
        self.problems = []
        sections = self._sections()
        template = self._config.base_template
        if template is None:
            return _lay_out(sections)
        try:
            return self._fill(template, sections=sections)
        except Exception as error:  # noqa: BLE001 - a template may raise anything
            self._complain("the base template", error)
            return _lay_out(sections)

    def _sections(self) -> Rendered:
        texts: dict[str, list[str]] = {}
        for piece in sorted(self._pieces.values(), key=_position):
            text = self._text(piece).strip()
            if text:
                texts.setdefault(_normal(piece.section), []).append(text)
        return [(display_name(section), found) for section, found in texts.items()]

    def _text(self, piece: Piece) -> str:
        if isinstance(piece.content, Text):
            return piece.content.value
        template = self._config.overrides.get(piece.key, piece.content.default_template)
        try:
            return self._fill(template, data=piece.content.data)
        except Exception as error:  # noqa: BLE001 - a template may raise anything
            self._complain(f"`{piece.key}`", error)
            return ""

    def _fill(self, template: str, **variables: object) -> str:
        if template not in self._compiled:
            self._compiled[template] = _environment().from_string(template)
        return self._compiled[template].render(variables)

    def _complain(self, what: str, error: Exception) -> None:
        self.problems.append(f"{what} does not render: {type(error).__name__}: {error}")


@cache
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment()  # on first use: most prompts contain no template


def display_name(section: str) -> str:
    """The name of a normalised section as templates see it."""
    return section.replace("_", " ").title() if section in _ORDER else section


def _normal(section: str | None) -> str:
    """A known section in its one spelling, a custom one as it is."""
    if section is None:
        return _DEFAULT_SECTION
    known = section.lower().replace("system-context", "system_context")
    return known if known in _ORDER else section


def _position(piece: Piece) -> tuple[int, str, int, bool, str]:
    section = _normal(piece.section)
    known = section in _ORDER
    rank = _ORDER.index(section) if known else len(_ORDER)
    return (
        rank,
        "" if known else section,
        -piece.priority,
        piece.key == _DATETIME,  # volatile, hence last among its equals
        piece.key,
    )


def _lay_out(sections: Iterable[tuple[str, Sequence[str]]]) -> str:
    """The layout without a template: every section in a tag."""

    def blocks() -> Iterator[str]:
        for name, texts in sections:
            tag = name.lower().replace(" ", "_")
            body = "\n\n".join(texts)
            yield f"<{tag}>\n{body}</{tag}>\n\n"

    return "".join(blocks())
