"""A rule's documentation as text for terminals and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from wasmind_compiler.diagnostics.registry import AREAS, Example, Rule, area_title, rules_of

#: Examples that take more than a file: shell sessions in Markdown, `CODE.md`, which a test plays.
SESSIONS: Final = Path(__file__).with_name("sessions")

_LANGUAGES: Final = {".json": "json", ".py": "python", ".toml": "toml", ".wasm": "wat"}


def explanation(rule: Rule) -> str:
    """Everything about one rule, for a terminal."""
    parts = [f"{rule.code}: {rule.title} ({rule.severity.value})", rule.explanation.strip()]
    if (example := rule.example) is not None:
        parts += [
            f"With this `{example.file}` it is reported:",
            _indented(shown(example.failing)),
            "And with this it is not:",
            _indented(shown(example.fixed)),
        ]
        for path, text in _others(example):
            parts += [f"`{path}` is in both cases:", _indented(text)]
    if (session := _session(rule)) is not None:
        parts.append("\n".join(_without_fences(session)))
    return "\n\n".join(parts) + "\n"


def listing() -> str:
    """All codes with their titles, by area."""
    lines: list[str] = []
    for area in AREAS:
        rules = list(rules_of(area))
        if rules:
            lines += ["", area_title(area)]
            lines += [f"  {rule.code}  {rule.title}" for rule in rules]
    return "\n".join(lines[1:]) + "\n"


def page(rule: Rule) -> str:
    """The documentation page of a rule."""
    lines = [f"# {rule.code}: {rule.title}", "", f"Severity: {rule.severity.value}", ""]
    lines += [rule.explanation.strip(), ""]
    if (example := rule.example) is not None:
        lines += ["## Example", "", f"This `{example.file}` is reported:", ""]
        lines += _block(example.file, shown(example.failing))
        lines += ["This one is not:", ""]
        lines += _block(example.file, shown(example.fixed))
        for path, text in _others(example):
            lines += [f"In both cases `{path}` is:", ""]
            lines += _block(path, text)
    if (session := _session(rule)) is not None:
        lines += ["## Example", "", session]
    return "\n".join(lines).rstrip("\n") + "\n"


def shown(content: str | bytes) -> str:
    """An example's text; bytes that are no UTF-8 as escapes."""
    if isinstance(content, str):
        return content
    return content.decode("utf-8", "backslashreplace").replace("\ufeff", "\\ufeff")


def _session(rule: Rule) -> str | None:
    path = SESSIONS / f"{rule.code}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _without_fences(markdown: str) -> Iterator[str]:
    inside = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            inside = not inside
        else:
            yield f"    {line}".rstrip() if inside else line


def _others(example: Example) -> Iterator[tuple[str, str]]:
    others: Mapping[str, str] = example.others
    for path, text in others.items():
        if text:
            yield path, text


def _block(path: str, text: str) -> list[str]:
    suffix = path[path.rfind(".") :]
    return [f"```{_LANGUAGES.get(suffix, 'text')}", *text.rstrip("\n").splitlines(), "```", ""]


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").splitlines())
