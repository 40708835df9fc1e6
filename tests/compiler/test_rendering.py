"""What people and programs see of a diagnostic."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from tests.compiler.project import ROOT
from wasmind_compiler.diagnostics import (
    Collector,
    Diagnostic,
    Edit,
    Fix,
    Label,
    TextIndex,
)
from wasmind_compiler.diagnostics.registry import all_rules
from wasmind_compiler.diagnostics.render_json import render_json
from wasmind_compiler.diagnostics.render_text import render_text, summary
from wasmind_compiler.diagnostics.rules import shape

APP = TextIndex("app.toml", 'name = "x"\n\tключ = "日本" # tab\n')
OTHER = TextIndex("dir/Wasmind.toml", "\n" * 99 + "[dependencies.a]\r\n")


def example() -> Diagnostic:
    start = APP.text.index('"日本"')
    header = OTHER.text.index("[")
    span = APP.span(start, start + 4)
    return shape.WRONG_TYPE.at(
        span,
        "`ключ` must be a boolean, found a string",
        label="expected a boolean",
        labels=(Label(OTHER.span(header, header + 16), "declared here"),),
        notes=("one\ntwo",),
        help="write `true`",
        fix=Fix(title="write `true`", edits=(Edit(span, "true"),), applicability="always"),
    )


def test_text() -> None:
    texts = {APP.file: APP, OTHER.file: OTHER}
    assert render_text([example()], texts) == (
        "error[WM0203]: `ключ` must be a boolean, found a string\n"
        "   --> app.toml:2:9\n"
        "    |\n"
        '  2 |     ключ = "日本" # tab\n'
        "    |            ^^^^^^ expected a boolean\n"
        "   ::: dir/Wasmind.toml:100:1\n"
        "    |\n"
        "100 | [dependencies.a]\n"
        "    | ---------------- declared here\n"
        "    = note: one\n"
        "            two\n"
        "    = help: write `true`\n"
    )


def test_colour_only_adds_escapes() -> None:
    texts = {APP.file: APP, OTHER.file: OTHER}
    coloured = render_text([example()], texts, colour=True)
    assert coloured.startswith("\x1b[1;31merror[WM0203]\x1b[0m")
    assert "\x1b" not in render_text([example()], texts)


def test_a_file_cannot_command_the_terminal() -> None:
    index = TextIndex("app.toml", "k = '\x1b[2J\u202e'\n")
    found = shape.UNKNOWN_KEY.at(index.span(0, 1), "unknown key `\x1b[2J`")
    shown = render_text([found], {index.file: index})
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_json_follows_its_schema() -> None:
    document = json.loads(render_json([example(), shape.MISSING_KEY.at(None, "no place")]))
    schema = json.loads((ROOT / "schemas" / "diagnostics.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    first = document["diagnostics"][0]
    assert first["span"]["start"] == {"line": 2, "column": 9, "byte": 23}
    assert first["fix"]["edits"][0]["replacement"] == "true"
    assert document["summary"] == {"errors": 2, "warnings": 0, "notes": 0}


def test_summary() -> None:
    warning = shape.UNKNOWN_TABLE.at(None, "x")
    assert summary([example(), warning, warning]) == "1 error, 2 warnings"
    assert summary([]) == ""


def test_order_is_that_of_files_and_places_and_duplicates_vanish() -> None:
    collector = Collector()
    collector.opened(OTHER)
    collector.opened(APP)
    late = shape.UNKNOWN_KEY.at(APP.span(5, 6), "late")
    early = shape.UNKNOWN_KEY.at(APP.span(0, 1), "early")
    elsewhere = shape.UNKNOWN_KEY.at(OTHER.span(0, 1), "elsewhere")
    nowhere = shape.UNKNOWN_KEY.at(None, "nowhere")
    collector.extend([late, early, elsewhere, nowhere, late])
    assert collector.diagnostics() == (nowhere, elsewhere, early, late)
    assert collector.failed


def test_a_better_diagnostic_takes_the_place_of_another() -> None:
    collector = Collector()
    span = APP.span(0, 1)
    collector.extend([shape.UNKNOWN_KEY.at(span, "worse"), shape.UNKNOWN_KEY.at(None, "other")])
    better = shape.MISPLACED_KEY.at(span, "better")
    collector.replace(shape.UNKNOWN_KEY, better)
    assert [each.message for each in collector.diagnostics()] == ["other", "better"]


def test_rules_are_documented_and_codes_unique() -> None:
    rules = list(all_rules())
    codes = [rule.code for rule in rules]
    assert len(set(codes)) == len(codes)
    assert codes == sorted(codes)
    for rule in rules:
        assert len(rule.explanation.strip()) > 40, rule.code
        assert rule.title == rule.title.strip()
        assert not rule.title.endswith(".")


def test_every_rule_is_used() -> None:
    source = "".join(
        path.read_text()
        for path in (ROOT / "compiler").rglob("*.py")
        if "rules" not in path.parent.parts
    )
    unused = [
        name
        for path in (ROOT / "compiler/wasmind_compiler/diagnostics/rules").glob("*.py")
        for name in _constants(path)
        if name not in source
    ]
    assert unused == []


def _constants(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines() if line.endswith("Rule(")]
