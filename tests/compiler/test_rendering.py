"""What people and programs see of a diagnostic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from tests.compiler.project import ROOT, Project
from wasmind_compiler.diagnostics import (
    Collector,
    Diagnostic,
    Edit,
    Fix,
    Label,
    TextIndex,
)
from wasmind_compiler.diagnostics import collector as collecting
from wasmind_compiler.diagnostics.edits import Change
from wasmind_compiler.diagnostics.masking import masked, masked_file
from wasmind_compiler.diagnostics.registry import all_rules
from wasmind_compiler.diagnostics.render_github import render_github
from wasmind_compiler.diagnostics.render_json import render_json
from wasmind_compiler.diagnostics.render_sarif import render_sarif
from wasmind_compiler.diagnostics.render_text import render_text, summary
from wasmind_compiler.diagnostics.rules import fetching, shape

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


def test_what_was_said_of_a_part_is_looked_for_on_its_lines_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = TextIndex("app.toml", "part\n" * 100)
    collector = Collector()
    for at in range(0, 400, 5):
        collector.add(fetching.BAD_URL.at(lines.span(at + 1, at + 3), "part"))
    compared = 0
    is_closer = collecting._is_closer

    def counted(found: Diagnostic, again: Diagnostic) -> bool:
        nonlocal compared
        compared += 1
        return is_closer(found, again)

    monkeypatch.setattr(collecting, "_is_closer", counted)
    for at in range(0, 500, 5):
        collector.add(fetching.BAD_URL.at(lines.span(at, at + 4), "whole"))
    assert [each.message for each in collector.diagnostics()] == ["part"] * 80 + ["whole"] * 20
    collector.add(fetching.BAD_URL.at(lines.span(0, 500), "everything"))
    assert len(collector.diagnostics()) == 100
    assert compared == 81


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


def test_spans_of_several_lines() -> None:
    text = "a = [\n\t1,\n  2,\n  3,\n  4,\n] # end\n"
    index = TextIndex("app.toml", text)
    found = shape.WRONG_TYPE.at(index.span(4, text.index("]") + 1), "no", label="here")
    assert render_text([found], {index.file: index}) == (
        "error[WM0203]: no\n"
        " --> app.toml:1:5\n"
        "  |\n"
        "1 | a = [\n"
        "  |     ^\n"
        "2 |     1,\n"
        "  |     ^^\n"
        "3 |   2,\n"
        "  |   ^^\n"
        "...\n"
        "6 | ] # end\n"
        "  | ^ here\n"
    )


def test_long_lines_are_cut_around_the_marks() -> None:
    index = TextIndex("app.toml", "k = '" + "x" * 5000 + "y" + "x" * 5000 + "'")
    at = index.text.index("y")
    shown = render_text([shape.BAD_VALUE.at(index.span(at, at + 1), "no")], {index.file: index})
    _, _, _, line, marks = shown.splitlines()
    assert len(line) < 200
    assert line[marks.index("^")] == "y"


SECRETS = [
    ("api_key = 'hunter2'", "api_key = '*******'"),
    ('x.token="abc" # t', 'x.token="***" # t'),
    ('k = "sk-proj-0123456789abcdefghij"', 'k = "' + "*" * 28 + '"'),
    ("git = 'https://me:pass word@e.org/r'", "git = 'https://me:pass word@e.org/r'"),
    ("git = 'https://me:secret@e.org/r'", "git = 'https://me:******@e.org/r'"),
    ("git = 'https://0123456789abcdefg@e.org/r'", "git = 'https://*****************@e.org/r'"),
    ("git = 'ssh://git@e.org/r'", "git = 'ssh://git@e.org/r'"),
    ("git = 'https://me:s@cr/et@e.org/r'", "git = 'https://me:*******@e.org/r'"),
    ("git = 'https://me:s@cret@e.org/r'", "git = 'https://me:******@e.org/r'"),
    ("git = 'https://me:se/cret@e.org/r'", "git = 'https://me:*******@e.org/r'"),
    ('git = "https://me:se\'cret@e.org/r"', 'git = "https://me:*******@e.org/r"'),
    ("git = 'https://e.org:8443/r@v1'", "git = 'https://e.org:8443/r@v1'"),
    ("git = 'https://e.org/r@v1'", "git = 'https://e.org/r@v1'"),
    ("git = 'https://me:12/r@v1'", "git = 'https://me:12/r@v1'"),
    ("api_key = 'os.environ/NAME'", "api_key = 'os.environ/NAME'"),
    ("token_limit = 5", "token_limit = 5"),
    (r'password = "abc\"hunter5", t = nan', r'password = "************", t = nan'),
    ('"password": "hunter9"', '"password": "*******"'),
    ("x.token.value = 'abc'", "x.token.value = '***'"),
]
#: Files only: in a sentence this would not be a value.
IN_FILES = [
    ('password = """\n hunter4\n\n""", y = 1', 'password = """\n********\n\n""", y = 1'),
    ("secret = '''\r\nabc'''", "secret = '''\r\n***'''"),
    ("api_key = hunter8 # no quotes", "api_key = ******* # no quotes"),
    ("password: hunter8", "password: *******"),
    ('api_keys = ["a", "b"], bad = nan', "api_keys = [********], bad = nan"),
    ("max_tokens = 40_000", "max_tokens = 40_000"),
    ("max_tokens = 0x1F, b = 1", "max_tokens = 0x1F, b = 1"),
    ("token = { a = 1 }", "token = { a = 1 }"),
    ("tokens = [1, 2]", "tokens = [1, 2]"),
    ("use_token = true", "use_token = true"),
    ('token = """abc', 'token = """***'),
]


@pytest.mark.parametrize(("line", "expected"), SECRETS)
def test_secrets_are_covered(line: str, expected: str) -> None:
    assert masked(line) == expected
    assert len(masked(line)) == len(line)


@pytest.mark.parametrize(("text", "expected"), [*SECRETS, *IN_FILES])
def test_secrets_of_files_are_covered(text: str, expected: str) -> None:
    assert masked_file(text) == expected


@pytest.mark.parametrize(
    "part", ["a", "token", "token=", "token=[", "eyJ-", "//a:", "1", 'token="', "password: 1"]
)
def test_covering_takes_time_in_proportion(part: str) -> None:
    # Quadratic searching would take minutes for this much.
    text = part * (2_000_000 // len(part))
    assert len(masked_file(text)) == len(text)


def test_many_problems_in_one_line() -> None:
    names = ", ".join(f"x{number} = 1" for number in range(3000))
    index = TextIndex("app.toml", f"config = {{ {names} }}\n")
    found = [
        shape.UNKNOWN_KEY.at(index.span(at, at + 2), "no")
        for at in range(0, len(index.text) - 20, 5)
    ]
    assert render_text(found, {"app.toml": index}).count("WM0201") == len(found)


def test_no_renderer_shows_a_secret() -> None:
    secret = "sk-proj-0123456789abcdefghij"
    index = TextIndex("app.toml", f"key = '{secret}'\n")
    span = index.span(6, 6 + len(secret))
    collector = Collector()
    collector.opened(index)
    collector.add(
        shape.BAD_VALUE.at(
            span,
            f"`{secret}` is wrong",
            label=secret,
            labels=(Label(span, secret),),
            notes=(secret,),
            help=secret,
            fix=Fix(title="quote it", edits=(Edit(span, f"'{secret}'"),)),
        )
    )
    found = collector.diagnostics()
    for text in (
        render_text(found, collector.texts),
        render_json(found),
        render_sarif(found, "1.0"),
        render_github(found),
        Change("app.toml", b"x", index.text.encode()).diff(),
    ):
        assert secret not in text


def test_workflow_commands() -> None:
    assert render_github([example()]) == (
        "::error file=app.toml,line=2,endLine=2,col=9,endColumn=13,"
        "title=WM0203%3A `ключ` must be a boolean%2C found a string::"
        "expected a boolean%0Adir/Wasmind.toml:100:1: declared here%0Anote: one%0Atwo"
        "%0Ahelp: write `true`\n"
    )
    assert render_github([shape.UNKNOWN_TABLE.at(None, "50%")]) == (
        "::warning title=WM0202%3A 50%25::50%25\n"
    )


def test_sarif() -> None:
    log = json.loads(render_sarif([example(), shape.MISSING_KEY.at(None, "no place")], "1.2.3"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["WM0203", "WM0204"]
    first, second = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "WM0203"
    assert second["locations"] == []
    region = {
        "startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 13,
        "byteOffset": 23, "byteLength": 8,
    }  # fmt: skip
    assert first["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "app.toml"}, "region": region},
            "message": {"text": "expected a boolean"},
        }
    ]
    (related,) = first["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"] == {"uri": "dir/Wasmind.toml"}
    (fix,) = first["fixes"]
    assert fix["artifactChanges"] == [
        {
            "artifactLocation": {"uri": "app.toml"},
            "replacements": [{"deletedRegion": region, "insertedContent": {"text": "true"}}],
        }
    ]


SARIF_SCHEMA = Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json"
FAULTY = """
    starting_actors = ["desk", "shel"]

    [actors.desk]
    source = { path = "actors/dsk" }
    colour = 1

    [actors.shell]
    source = { path = "shell" }
    required_spawn_with = ["shel"]
    """


def results(project: Project, app: str) -> list[dict[str, Any]]:
    """What SARIF has to say about a config, after it was checked against its schema."""
    log = json.loads(render_sarif(project.check(app).diagnostics, "1.2.3"))
    Draft7Validator(json.loads(SARIF_SCHEMA.read_text())).validate(log)
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def test_sarif_fits_the_published_schema(project: Project) -> None:
    project.actor("shell")
    found = results(project, FAULTY)
    assert [each["ruleId"] for each in found] == ["WM0302", "WM0401", "WM0201", "WM0304"]
    assert [each["fixes"][0]["description"]["text"] for each in found if "fixes" in each] == [
        "write `shell`", "write `shell`",
    ]  # fmt: skip
    assert found[0]["fixes"][0]["properties"] == {"applicability": "always"}
    log = json.loads(render_sarif([example(), shape.MISSING_KEY.at(None, "no place")], "1.2.3"))
    Draft7Validator(json.loads(SARIF_SCHEMA.read_text())).validate(log)


def test_sarif_recognises_problems_when_lines_move(project: Project) -> None:
    project.actor("shell")
    before = [each["partialFingerprints"] for each in results(project, FAULTY)]
    after = [each["partialFingerprints"] for each in results(project, f"# The team.\n{FAULTY}")]
    assert before == after
    assert len({str(each) for each in before}) == len(before)
