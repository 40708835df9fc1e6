"""The documentation of diagnostics is that of the rules."""

from __future__ import annotations

from tests.compiler.project import ROOT
from wasmind_compiler.diagnostics import docs
from wasmind_compiler.diagnostics.catalogue import COVERED, LATER, SECTIONS
from wasmind_compiler.diagnostics.explain import explanation, listing
from wasmind_compiler.diagnostics.registry import all_rules


def test_the_pages_are_current() -> None:
    """Else: `python -m wasmind_compiler.diagnostics.docs docs/diagnostics`."""
    folder = ROOT / "docs" / "diagnostics"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert written == docs.pages()


def test_the_catalogue_names_codes_that_exist_and_leaves_none_out() -> None:
    codes = {rule.code for rule in all_rules()}
    named = {
        code
        for entries in COVERED.values()
        for text in entries.values()
        for code in text.split(", ")
        if code.startswith("WM")
    }
    assert named <= codes
    assert {*COVERED, *LATER} <= set(SECTIONS)
    for section, entries in COVERED.items():
        assert not set(entries) & set(LATER.get(section, {})), section


def test_every_rule_can_be_explained() -> None:
    for rule in all_rules():
        text = explanation(rule)
        assert text.startswith(f"{rule.code}: {rule.title}")
        assert rule.code in listing()
        assert "\n## Example\n" in docs.page(rule)
