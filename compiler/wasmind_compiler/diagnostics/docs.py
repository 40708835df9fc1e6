"""Writes `docs/diagnostics/` from the rules: `python -m wasmind_compiler.diagnostics.docs FOLDER`.

One page for each code, and an index that says which code covers which entry of the catalogue of
mistakes. Pages of codes that are gone are removed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from wasmind_compiler.diagnostics.catalogue import COVERED, LATER, SECTIONS
from wasmind_compiler.diagnostics.explain import page
from wasmind_compiler.diagnostics.registry import AREAS, all_rules, area_title, rules_of

_INDEX = """\
# Diagnostics

Every problem that `wasmind check` reports has a code. `wasmind explain CODE` shows the same text
as the pages here, which are made from the rules by

    python -m wasmind_compiler.diagnostics.docs docs/diagnostics

Errors fail a command, warnings do under `--strict`, notes never do. Under `--lenient` keys that are
unknown or misplaced are warnings, but what follows from them is not: a key that is only misspelled
is missing then. `check --fix` applies the fixes that are certain, and `check --fix --dry-run` only
shows them.

Examples take for granted: a config `app.toml`, the actor `echo` that it starts, and a repository in
the folder `actors`, which has the actor `desk` and is served as `https://git.example.org/actors`.

"""


def pages() -> Mapping[str, str]:
    """Text of every file of the folder, by name."""
    made = {f"{rule.code}.md": page(rule) for rule in all_rules()}
    return {**made, "README.md": _INDEX + _codes() + "\n" + _catalogue()}


def write(folder: Path) -> None:
    """Bring a folder up to date."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _codes() -> str:
    lines = ["## Codes", ""]
    for area in AREAS:
        rules = list(rules_of(area))
        if rules:
            lines += [f"### {area_title(area)}", "", "| Code | Title | Severity |", "|---|---|---|"]
            lines += [
                f"| [{rule.code}]({rule.code}.md) | {rule.title} | {rule.severity.value} |"
                for rule in rules
            ]
            lines.append("")
    return "\n".join(lines)


def _catalogue() -> str:
    lines = [
        "## Mistakes and their codes",
        "",
        "What can go wrong in a system, by subject, and the code that says so.",
        "",
    ]
    for section, title in SECTIONS.items():
        covered, later = COVERED.get(section, {}), LATER.get(section, {})
        lines += [f"### {title}", "", "| Mistake | Code |", "|---|---|"]
        lines += [f"| {entry} | {_linked(codes)} |" for entry, codes in covered.items()]
        lines += [f"| {entry} | later: {reason} |" for entry, reason in later.items()]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _linked(codes: str) -> str:
    return ", ".join(f"[{code}]({code}.md)" if code.startswith("WM") else code
                     for code in codes.split(", "))  # fmt: skip


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/diagnostics"))
