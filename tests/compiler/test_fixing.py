"""Fixes: what they change, and that they change nothing else."""

from __future__ import annotations

import tomllib
from textwrap import dedent

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.project import Project
from wasmind_compiler import pipeline
from wasmind_compiler.diagnostics import Collector, Edit, Fix
from wasmind_compiler.diagnostics.edits import Change, apply_edits, choose
from wasmind_compiler.errors import CompilerFailure
from wasmind_compiler.fixing import applicable_fixes, is_faithful, plan_changes, write_changes
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.key_path import KeyPath
from wasmind_compiler.frontend.rewriting import move_into, move_to, remove_element, rename_key
from wasmind_compiler.frontend.sections import renamed_key, renamed_section

SETTINGS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"allow_edits": {"type": "boolean"}, "level": {"type": "string"}},
}


def document(text: str) -> Document:
    parsed = parse("app.toml", text.encode(), Collector())
    assert parsed is not None
    return parsed


def fixed(text: str, fix: Fix | None) -> str:
    assert fix is not None
    return apply_edits(text.encode(), fix.edits).decode()


def fix_all(project: Project, app: str) -> str:
    """The config after all rounds of `check --fix`."""
    path = project.write("app.toml", app)
    for _ in range(10):
        report = pipeline.check(path, project.environment())
        changes = plan_changes(report.diagnostics, project.root)
        if not changes:
            break
        write_changes(changes, project.root)
    return path.read_text()


def test_many_mistakes_are_mended_and_everything_else_is_left_alone(project: Project) -> None:
    project.actor("desk", config=SETTINGS)
    project.actor("shell")
    result = fix_all(
        project,
        """
        # The team.
        starting_actors = ["desk", "desk", "shel"]   # who starts

        [actors.desk]   # the desk
        source = "desk"     # a folder
        auto_spwan = "true"
        allow_edits = false # read-only
        required_spawn_with = ["desk",
            "shell",  # runs commands
        ]

        [actors.shell]
        source = { path = "shell" }

        [tui.chat.key_bindings]
        "Ctrl+G" = "Asist"
        """,
    )
    assert result == dedent(
        """\
        # The team.
        starting_actors = ["desk", "shell"]   # who starts

        [actors.desk]   # the desk
        source = { path = "desk" }     # a folder
        auto_spawn = true
        config.allow_edits = false # read-only
        required_spawn_with = ["shell",  # runs commands
        ]

        [actors.shell]
        source = { path = "shell" }

        [tui.chat.key_bindings]
        "Ctrl-G" = "Assist"
        """
    )
    assert not project.check(result).failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]\nx = 1 # why\n", "[a]\nconfig.x = 1 # why\n"),
        ("[a]\nconfig.y = 2\nx = 1\n", "[a]\nconfig.y = 2\nconfig.x = 1\n"),
        ("[a]\nx = 1\n[a.config]\ny = 2\n", "[a]\n[a.config]\nx = 1\ny = 2\n"),
        ("[a]\r\nx = 1\r\n[a.config]", "[a]\r\n[a.config]\r\nx = 1\r\n"),
        ("[a]\nx = 1  # why\n[a.config]\n", "[a]\n[a.config]\nx = 1  # why\n"),
        ("[a]\r\nx = 1 # why\r\n[a.config]\r\n", "[a]\r\n[a.config]\r\nx = 1 # why\r\n"),
        ("[a]\nconfig = { y = 2 }\nx = 1\n", "[a]\nconfig = { x = 1, y = 2 }\n"),
        ("[a]\nconfig = {}\nx = [1,\n2]\n", "[a]\nconfig = { x = [1,\n2] }\n"),
        ("a = { x = 1, s = 2 }\n", "a = { config.x = 1, s = 2 }\n"),
        ("a = { x = 1, config = {} }\n", "a = { config = { x = 1 } }\n"),
        ("a = { config = { y = 2 }, x = 1 }\n", "a = { config = { x = 1, y = 2 } }\n"),
    ],
)
def test_moving_a_key_into_a_table(text: str, expected: str) -> None:
    read = document(text)
    fix = move_into(read, ("a", "x"), "config")
    assert fixed(text, fix) == expected
    result = tomllib.loads(expected)["a"]
    assert result["config"]["x"] == read.data["a"]["x"]
    assert fix is not None
    assert is_faithful(Change("app.toml", text.encode(), expected.encode()), fix.edits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[tui.chat.key_bindings]\n"ctrl-x" = "Exit" # out\n"ctrl-y" = "Assist"\n',
            '[tui.chat.key_bindings]\n"ctrl-y" = "Assist"\n'
            '\n[tui.dashboard.key_bindings]\nctrl-x = "Exit" # out\n',
        ),
        (
            "[tui.dashboard]\nkey_bindings = {}\n"
            '[tui.chat.key_bindings]\n"ctrl-x" = "Exit" # out\n',
            None,
        ),
        (
            '[tui.chat.key_bindings]\n"ctrl-x" = "Exit"\n"ctrl-y" = "Assist"\n',
            '[tui.chat.key_bindings]\n"ctrl-y" = "Assist"\n'
            '\n[tui.dashboard.key_bindings]\nctrl-x = "Exit"\n',
        ),
        (
            '[tui.dashboard]\nkey_bindings = { esc = "Exit" }\n'
            '[tui.chat]\nkey_bindings = { "ctrl-x" = "Exit", "ctrl-y" = "Assist" }\n',
            '[tui.dashboard]\nkey_bindings = { ctrl-x = "Exit", esc = "Exit" }\n'
            '[tui.chat]\nkey_bindings = { "ctrl-y" = "Assist" }\n',
        ),
    ],
)
def test_moving_a_binding_to_its_table(text: str, expected: str | None) -> None:
    read = document(text)
    path = ("tui", "chat", "key_bindings", "ctrl-x")
    fix = move_to(read, path, ("tui", "dashboard", "key_bindings"))
    if expected is None:
        assert fix is None, "a comment would be lost"
        return
    assert fix is not None
    assert fixed(text, fix) == expected
    assert is_faithful(Change("app.toml", text.encode(), expected.encode()), fix.edits)


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ('x = ["a", "b", "c"]', 1, 'x = ["a", "c"]'),
        ('x = ["a", "b"]', 1, 'x = ["a"]'),
        ('x = ["a"]', 0, "x = []"),
        ('x = [ "a" , ]', 0, "x = [ ]"),
        ('x = [\n  "a", # one\n  "b", # two\n]', 0, 'x = [\n  # one\n  "b", # two\n]'),
        ('x = [\n  "a",\n  "b",\n]', 1, 'x = [\n  "a",\n]'),
        ('x = [\n  "a",\n  "b"\n]', 1, 'x = [\n  "a",\n]'),
    ],
)
def test_removing_an_element(text: str, index: int, expected: str) -> None:
    fix = remove_element(document(text), ("x", index))
    assert fixed(text, fix) == expected
    values = tomllib.loads(text)["x"]
    assert tomllib.loads(expected)["x"] == values[:index] + values[index + 1 :]


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5), st.data())
def test_removing_any_element_of_any_list(values: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(values) - 1))
    text = tomlkit.dumps({"x": values, "y": 1})
    edited = fixed(text, remove_element(document(text), ("x", index)))
    assert tomllib.loads(edited) == {"x": values[:index] + values[index + 1 :], "y": 1}


def test_a_name_that_needs_quotes_gets_them() -> None:
    text = "[a]\nold = 1\n"
    assert fixed(text, rename_key(document(text), ("a", "old"), "a b")) == '[a]\n"a b" = 1\n'


def test_plain_keys_are_renamed_without_another_look_at_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = document("".join(f"[t{number}]\nold = 1\n" for number in range(5000)))
    monkeypatch.delattr(Document, "changed")
    fixes = [renamed_key(keys, (f"t{number}", "old"), "new", "") for number in range(5000)]
    assert all(fixes)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a.old = 1\na.new = 2\n", ("a", "old"), None),
        ("[a]\nold = 1\n[a.new]\n", ("a", "old"), None),
        ("[[a]]\nnew = 1\n[[a]]\nold = 1\n", ("a", 1, "old"), "[[a]]\nnew = 1\n[[a]]\nnew = 1\n"),
        ("a.old.x = 1\na.old.y = 1\n", ("a", "old"), None),
        ("a = { 'old' = 1 }\n", ("a", "old"), "a = { new = 1 }\n"),
        ("a = { old = [{}] }\n", ("a", "old"), "a = { new = [{}] }\n"),
    ],
)
def test_renaming_a_key(text: str, path: KeyPath, expected: str | None) -> None:
    fix = renamed_key(document(text), path, "new", "")
    assert (fix and fixed(text, fix)) == expected


def test_when_much_has_been_tried_further_fixes_wait_for_the_next_run() -> None:
    """Trying all of them would take hours."""
    sections = document("".join(f"[t{number}.old]\n" for number in range(5000)))
    paths = [(f"t{number}", "old") for number in range(2000)]
    fixes = [renamed_section(sections, path, (path[0], "new"), "") for path in paths]
    assert all(fixes[:5])
    assert fixes[-1] is None


def test_a_change_of_anything_else_is_refused() -> None:
    before, after = b"a = 1\nb = 2\n", b"a = 3\nb = 4\n"
    edit = Edit(document(before.decode()).value(("a",)), "3")
    assert not is_faithful(Change("app.toml", before, after), [edit])
    assert is_faithful(Change("app.toml", before, b"a = 3\nb = 2\n"), [edit])
    assert not is_faithful(Change("app.toml", before, b"a = \nb = 2\n"), [edit])


def test_fixes_that_overlap_wait_for_the_next_round() -> None:
    read = document("abc = 1\n")
    first = rename_key(read, ("abc",), "x")
    second = Fix(title="", edits=(Edit(read.index.span(0, 1), ""),), applicability="always")
    assert choose([first, second, first]) == [first]


def test_files_of_somebody_else_are_left_alone(project: Project) -> None:
    elsewhere = project.root.parent / "elsewhere" / "rules.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("rules: []\n")
    config = project.root / "team" / "app.toml"
    config.parent.mkdir()
    config.symlink_to(elsewhere.with_name("real.toml"))
    config.write_text(f"models.m = {{ kind = 'scripted', script = '{elsewhere}' }}\nname = 3\n")
    (project.root / "work").mkdir()
    report = pipeline.check(config, project.environment())
    codes = [each.code for each in report.diagnostics if each.fix]
    assert codes == ["WM0203", "WM0103"]
    (change,) = plan_changes(report.diagnostics, project.root, config)
    assert change.file == "team/app.toml"


def test_keys_that_move_to_one_place_move_together(project: Project) -> None:
    names = [f"setting_{number}" for number in range(20)]
    project.actor("desk", config={"properties": {name: {"type": "integer"} for name in names}})
    lines = [f"{name} = 1" for name in names]
    head = ['starting_actors = ["desk"]', "[actors.desk]", 'source.path = "desk"']
    text = "\n".join([*head, *lines, "[actors.desk.config]", ""])
    path = project.write("app.toml", text)
    report = pipeline.check(path, project.environment())
    write_changes(plan_changes(report.diagnostics, project.root), project.root)
    assert path.read_text() == "\n".join([*head, "[actors.desk.config]", *lines, ""])


LIMIT = {"type": "object", "properties": {"limit": {"type": "integer"}}}


@pytest.mark.parametrize(
    "source",
    ['"actors/notes"', '{ path = "actors/ntes" }', '{ pth = "actors/notes" }', "7"],
)
def test_keys_of_an_actor_nobody_found_are_not_guessed_at(project: Project, source: str) -> None:
    """`limit` is a setting of the actor, and not what it looks like."""
    project.actor("actors/notes", config=LIMIT)
    written = f'starting_actors = ["notes"]\n\n[actors.notes]\nsource = {source}\nlimit = 3\n'
    report = project.check(written)
    (found,) = [each for each in report.diagnostics if "`limit`" in each.message]
    assert found.fix is not None
    assert found.fix.applicability == "maybe"
    assert "limits" not in fix_all(project, written)


def test_once_the_source_is_mended_the_key_is_a_setting(project: Project) -> None:
    project.actor("actors/notes", config=LIMIT)
    written = 'starting_actors = ["notes"]\n\n[actors.notes]\nsource = "actors/notes"\nlimit = 3\n'
    mended = tomllib.loads(fix_all(project, written))
    assert mended["actors"]["notes"] in (
        {"source": "actors/notes", "limit": 3},
        {"source": {"path": "actors/notes"}, "config": {"limit": 3}},
    )


def test_keys_of_an_actor_that_cannot_be_built_are_not_guessed_at(project: Project) -> None:
    project.actor("notes")
    project.write("notes/actor.py", "raise ValueError\n")
    project.actor("desk", 'dependencies.notes = { source.path = "../notes", autospawn = true }\n')
    report = project.check('starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n')
    (found,) = [each for each in report.diagnostics if "autospawn" in each.message]
    assert found.fix is None or found.fix.applicability == "maybe"
    project.actor("notes", config=LIMIT)
    report = project.check('starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n')
    (found,) = [each for each in report.diagnostics if "autospawn" in each.message]
    assert found.fix is not None
    assert found.fix.applicability == "always"


def test_of_fixes_that_do_not_go_together_the_first_is_made(project: Project) -> None:
    project.actor("desk")
    text = 'starting_actors = ["desk"]\n[actors.desk]\nsorce.path = "desk"\nsuorce.path = "desk"\n'
    assert fix_all(project, text) == text.replace("sorce", "source")
    text = 'actors.desk.source = { git = "file:///nowhere", branch = "a", tag = "b" }\n'
    assert fix_all(project, text) == text


def test_a_file_changed_meanwhile_is_not_overwritten(project: Project) -> None:
    path = project.write("app.toml", "a = 2\n")
    with pytest.raises(CompilerFailure, match="changed by somebody else"):
        write_changes([Change("app.toml", b"a = 1\n", b"a = 3\n")], project.root)
    assert path.read_text() == "a = 2\n"


def test_mode_and_links_of_a_file_stay(project: Project) -> None:
    target = project.write("real.toml", "a = 1\n")
    target.chmod(0o640)
    link = project.root / "app.toml"
    link.symlink_to("real.toml")
    write_changes([Change("app.toml", b"a = 1\n", b"a = 2\n")], project.root)
    assert (link.is_symlink(), target.read_text()) == (True, "a = 2\n")
    assert target.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in project.root.iterdir()} == {"app.toml", "real.toml"}


@pytest.mark.parametrize(
    "rest",
    [
        'x = """\r\ntext\r\n"""\r\n',
        "x = [nan, { y = nan }]\r\n",
        "when = 2024-01-01T00:00:00Z\r\n",
    ],
)
def test_what_reads_differently_in_another_library_is_no_change(
    project: Project, rest: str
) -> None:
    project.actor("desk")
    app = 'starting_actorz = ["desk"]\r\n[actors.desk]\r\nsource = { path = "desk" }\r\n[other]\r\n'
    path = project.write("app.toml", (app + rest).encode())
    report = pipeline.check(path, project.environment())
    (change,) = plan_changes(report.diagnostics, project.root)
    assert change.after.decode() == app.replace("actorz", "actors") + rest


@pytest.mark.parametrize(
    "app",
    [
        '[actors.desk]source = { path = "desk" }\r\n',
        '[actors.desk]\r\nauto_spawn = true, source = { path = "desk" }\r\n',
    ],
)
def test_lines_that_are_parted_end_like_all_others(project: Project, app: str) -> None:
    project.actor("desk")
    path = project.write("app.toml", ('starting_actors = ["desk"]\r\n' + app).encode())
    report = pipeline.check(path, project.environment())
    (change,) = plan_changes(report.diagnostics, project.root)
    assert change.after.count(b"\n") == change.after.count(b"\r\n") > change.before.count(b"\n")


def test_only_toml_files_are_mended(project: Project) -> None:
    project.actor("desk")
    path = project.write("app.py", 'starting_actorz = ["desk"]\n')
    report = pipeline.check(path, project.environment())
    assert report.diagnostics[0].fix is not None
    assert plan_changes(report.diagnostics, project.root, path) == []


def test_only_fixes_that_will_be_made_are_offered(project: Project) -> None:
    project.actor("desk")
    app = """
        starting_actors = ["desk"]
        [actors.desk]
        source = { path = "desk" }
        [litellm.models.litellm_params]
        model = "x"
        [litellm.models]
        model_name = "x"
    """
    report = project.check(app)
    assert not applicable_fixes(report.diagnostics, project.root)
    assert plan_changes(report.diagnostics, project.root) == []
