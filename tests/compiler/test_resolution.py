"""Names, layers, cycles and conflicts, over real folders."""

from __future__ import annotations

import os
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.project import Project
from wasmind_compiler.diagnostics import Collector, Span
from wasmind_compiler.display import Display
from wasmind_compiler.frontend.actor_entry import ActorEntry
from wasmind_compiler.frontend.app_config import read_app_config
from wasmind_compiler.frontend.document import Document, parse
from wasmind_compiler.frontend.limits import MOST_BYTES
from wasmind_compiler.frontend.schemas import Schemas
from wasmind_compiler.resolution.layers import Layer, LayeredTable, deep_merge
from wasmind_compiler.resolution.resolver import resolve
from wasmind_compiler.resolution.sources import Sources
from wasmind_compiler.resolution.walk import Limits

DESK = 'starting_actors = ["desk"]\nactors.desk.source.path = "desk"\n'


def test_dependencies_are_found_relative_to_their_manifest(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../shared/tool"')
    project.actor("shared/tool", 'dependencies.deep.source.path = "deep"')
    project.actor("shared/tool/deep")
    app = DESK.replace('"desk"]', '"desk", "tool", "deep"]')
    assert project.found(app + "actor_overrides.deep.config = {}\n") == []


def test_one_folder_spelled_differently_is_one_source(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../tool"')
    project.actor("other", 'dependencies.tool.source.path = "../desk/../tool/"')
    project.actor("tool")
    (project.root / "link").symlink_to("tool")
    project.actor("third", 'dependencies.tool.source.path = "../link"')
    app = """
        starting_actors = ["desk", "other", "third", "tool"]
        actors.desk.source.path = "desk"
        actors.other.source.path = "other"
        actors.third.source.path = "third"
        """
    assert project.found(app) == []


def test_a_cycle_is_shown_with_every_edge(project: Project) -> None:
    project.actor("desk", 'dependencies.a.source.path = "../a"')
    project.actor("a", '[dependencies.b]\nsource = { path = "../b" }')
    project.actor("b", '[dependencies.c]\nsource = { path = "../c" }')
    project.actor("c", '[dependencies.a]\nsource = { path = "../a" }')
    assert project.text(DESK) == (
        "error[WM0407]: dependency cycle: `a` → `b` → `c` → `a`\n"
        " --> c/Wasmind.toml:2:1\n"
        "  |\n"
        "2 | [dependencies.a]\n"
        "  | ^^^^^^^^^^^^^^^^ 3: `c` needs `a`, which closes the cycle\n"
        " ::: a/Wasmind.toml:2:1\n"
        "  |\n"
        "2 | [dependencies.b]\n"
        "  | ---------------- 1: `a` needs `b`\n"
        " ::: b/Wasmind.toml:2:1\n"
        "  |\n"
        "2 | [dependencies.c]\n"
        "  | ---------------- 2: `b` needs `c`\n"
        "  = note: entered through:\n"
        "            desk (app.toml:2)\n"
        "            desk —dependency→ a (desk/Wasmind.toml:2)\n"
        "  = note: once around:\n"
        "            a —dependency→ b (a/Wasmind.toml:2)\n"
        "            b —dependency→ c (b/Wasmind.toml:2)\n"
        "            c —dependency→ a (c/Wasmind.toml:2)\n"
        "  = help: remove one of these dependencies; actors that only talk to or spawn each other "
        "need none\n"
    )


def test_long_cycles_and_ways_are_shown_from_both_ends(project: Project) -> None:
    project.actor("desk", 'dependencies.a0.source.path = "../a0"')
    for number in range(40):
        project.actor(f"a{number}", f'dependencies.a{number + 1}.source.path = "../a{number + 1}"')
    both = 'dependencies.a0.source.path = "../a0"\ndependencies.z.source.path = "../z"'
    project.actor("a40", both)
    cycle, missing = project.check(DESK).diagnostics
    assert cycle.message == (
        "dependency cycle: `a0` → `a1` → `a2` → `a3` → `a4` → `a5` → `a6` → `a7` → … 26 more → "
        "`a34` → `a35` → `a36` → `a37` → `a38` → `a39` → `a40` → `a0`"
    )
    assert len(cycle.labels) == 15
    assert cycle.labels[-1].text == "40: `a39` needs `a40`"
    assert cycle.notes[1].count("\n") == 17
    way = missing.notes[-1]
    assert way.count("\n") == 17
    assert way.splitlines()[9] == "  … 26 more"


@pytest.mark.parametrize("closing", [True, False])
def test_only_what_is_shown_of_a_way_is_located(
    project: Project, monkeypatch: pytest.MonkeyPatch, *, closing: bool
) -> None:
    count, located = 120, 0
    header = ActorEntry.header

    def counted(entry: ActorEntry) -> Span:
        nonlocal located
        located += 1
        return header(entry)

    monkeypatch.setattr(ActorEntry, "header", counted)
    project.actor("desk", 'dependencies.a0.source.path = "../a0"')
    for number in range(count):
        also = 'desk.source.path = "../desk"' if closing else f'z{number}.source.path = "../z"'
        further = f'dependencies.a{number + 1}.source.path = "../a{number + 1}"\n'
        project.actor(f"a{number}", further * (number < count - 1) + f"dependencies.{also}")
    assert len(project.check(DESK).diagnostics) == count
    assert located < 50 * count


def test_a_cycle_under_changing_names(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../tool"')
    project.actor("tool", 'dependencies.twin.source.path = "../desk"')
    report = project.check(DESK)
    assert [each.code for each in report.diagnostics] == ["WM0407"]
    assert report.diagnostics[0].notes[1] == (
        "once around:\n"
        "  desk —dependency→ tool (desk/Wasmind.toml:2), in tool\n"
        "  tool —dependency→ twin (tool/Wasmind.toml:2), in desk\n"
        "  twin has the same source as desk"
    )


def test_own_actors_of_one_folder_in_a_cycle(project: Project) -> None:
    project.actor("desk", 'dependencies.twin.source.path = "."')
    found = project.found(DESK + 'actors.twin = { source.path = "desk" }\n')
    assert [each for each in found if "WM0411" not in each] == [
        "WM0440 desk/Wasmind.toml:2:33 `desk` depends on its own source"
    ]


def test_an_actor_that_depends_on_itself(project: Project) -> None:
    project.actor("desk", 'dependencies.twin.source.path = "."')
    assert project.found(DESK) == ["WM0440 desk/Wasmind.toml:2:33 `desk` depends on its own source"]


def test_a_name_of_the_way_here_may_mean_another_actor(project: Project) -> None:
    """That is a clash of names and no cycle."""
    project.actor("desk", 'dependencies.tool.source.path = "../tool"')
    project.actor("tool", 'dependencies.desk.source.path = "../other"')
    project.actor("other")
    assert project.found(DESK) == [
        "WM0410 app.toml:2:8 own actor `desk` clashes with a dependency of `tool`"
    ]


def test_own_actors_may_be_in_a_cycle_too(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../tool"')
    project.actor("tool", 'dependencies.desk.source.path = "../desk"')
    found = project.found(DESK + 'actors.tool.source.path = "tool"\n')
    assert [each for each in found if each.startswith("WM0407")] == [
        "WM0407 tool/Wasmind.toml:2:14 dependency cycle: `desk` → `tool` → `desk`"
    ]


def diamond(project: Project) -> str:
    project.actor("one", '[dependencies.tool]\nsource = { path = "../tool-a" }')
    project.actor("two", '[dependencies.tool]\nsource = { path = "../tool-b" }')
    project.actor("tool-a")
    project.actor("tool-b")
    return """
        starting_actors = ["one", "two", "tool"]
        actors.one.source.path = "one"
        actors.two.source.path = "two"
        """


def test_a_conflict_shows_both_ways_to_it(project: Project) -> None:
    assert project.text(diamond(project)) == (
        "error[WM0408]: `tool` means two actors: path `../tool-a` and path `../tool-b`\n"
        " --> two/Wasmind.toml:3:19\n"
        "  |\n"
        '3 | source = { path = "../tool-b" }\n'
        "  |                   ^^^^^^^^^^^\n"
        " ::: one/Wasmind.toml:3:19\n"
        "  |\n"
        '3 | source = { path = "../tool-a" }\n'
        "  |                   ----------- first meant here\n"
        "  = note: first reached by:\n"
        "            one (app.toml:2)\n"
        "            one —dependency→ tool (one/Wasmind.toml:2)\n"
        "            which is: tool-a\n"
        "  = note: then by:\n"
        "            two (app.toml:3)\n"
        "            two —dependency→ tool (two/Wasmind.toml:2)\n"
        "            which is: tool-b\n"
        "  = help: decide with a `source` in `[actor_overrides.tool]`, or rename one of them\n"
    )


def test_an_override_settles_a_conflict(project: Project) -> None:
    app = diamond(project) + 'actor_overrides.tool.source.path = "tool-b"\n'
    assert project.found(app) == []


def test_an_overridden_source_is_never_looked_at(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../gone"')
    project.actor("mine")
    app = DESK.replace('"desk"]', '"desk", "tool"]')
    assert project.found(app + 'actor_overrides.tool.source.path = "mine"\n') == []


def test_shared_dependencies_must_agree_on_settings(project: Project) -> None:
    project.actor("one", 'dependencies.tool = { source.path = "../tool", config.level = 1 }')
    project.actor("two", 'dependencies.tool = { source.path = "../tool", config.level = 2 }')
    project.actor("tool", config={"type": "object"})
    app = """
        starting_actors = ["one", "two", "tool"]
        actors.one.source.path = "one"
        actors.two.source.path = "two"
        """
    assert project.found(app) == [
        "WM0409 two/Wasmind.toml:2:63 `tool` is shared, but with different `config.level`"
    ]
    assert project.found(app + "actor_overrides.tool.config.level = 3\n") == []
    assert len(project.found(app + "actor_overrides.tool.config.other = 3\n")) == 1


def test_a_difference_is_shown_where_it_is_and_not_at_what_is_settled(project: Project) -> None:
    project.actor(
        "one",
        """
        [dependencies.tool]
        source.path = "../tool"
        config = { n = 1, workers = ["x"], "a.b" = 1 }
        """,
    )
    project.actor(
        "two", '[dependencies.tool]\nsource.path = "../tool"\nconfig.n = 2\nauto_spawn = true\n'
    )
    project.actor("tool", config={"type": "object"})
    report = project.check(
        """
        starting_actors = ["one", "two", "tool"]
        actors.one.source.path = "one"
        actors.two.source.path = "two"
        actor_overrides.tool.config.n = 3
        """
    )
    (found,) = report.diagnostics
    assert found.message == (
        '`tool` is shared, but with different `config."a.b"`, `config.workers` and `auto_spawn`'
    )
    assert str(found.span) == "two/Wasmind.toml:2:1"
    assert [str(label.span) for label in found.labels] == ["one/Wasmind.toml:5:44"]


def test_saying_nothing_about_spawning_is_saying_no(project: Project) -> None:
    project.actor("one", 'dependencies.tool = { source.path = "../tool", auto_spawn = false }')
    project.actor("two", 'dependencies.tool = { source.path = "../tool" }')
    project.actor("tool")
    app = """
        starting_actors = ["one", "two", "tool"]
        actors.one.source.path = "one"
        actors.two.source.path = "two"
        """
    assert project.found(app) == []


def test_own_actors_and_dependencies_of_one_name(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../tool"')
    project.actor("tool")
    project.actor("other")
    both = DESK.replace('"desk"]', '"desk", "tool"]')
    assert project.found(both + 'actors.tool.source.path = "tool"\n') == [
        "WM0411 app.toml:3:8 own actor `tool` is also a dependency with the same source"
    ]
    assert project.found(DESK + 'actors.tool.source.path = "other"\n') == [
        "WM0410 app.toml:3:8 own actor `tool` clashes with a dependency of `desk`"
    ]


def test_names_that_lead_nowhere(project: Project) -> None:
    project.actor("desk", 'required_spawn_with = ["tool", "tol", "desk", "tool"]\n'
                  'dependencies.tool.source.path = "../tool"')  # fmt: skip
    project.actor("tool", 'required_spawn_with = ["test:desk"]')
    assert project.found(
        DESK
        + """
actor_overrides.tol.auto_spawn = true
actor_overrides.desk.auto_spawn = true
"""
    ) == [
        "WM0307 app.toml:4:17 no manifest declares a dependency called `tol`",
        "WM0306 app.toml:5:17 `desk` is an own actor and cannot be overridden",
        "WM0304 desk/Wasmind.toml:2:32 `desk` requires `tol`, which does not exist",
        "WM0305 desk/Wasmind.toml:2:39 `desk` requires itself",
        "WM0303 desk/Wasmind.toml:2:47 `tool` is listed twice",
        "WM0304 tool/Wasmind.toml:2:24 `tool` requires `test:desk`, which does not exist",
    ]


def test_an_actor_id_is_no_logical_name(project: Project) -> None:
    project.actor("desk")
    report = project.check('starting_actors = ["test:desk"]\nactors.x.source.path = "desk"\n')
    assert report.diagnostics[0].help == "`test:desk` is an actor_id; the logical name is: `x`"


def test_nothing_to_start(project: Project) -> None:
    project.actor("desk")
    own = 'actors.desk.source.path = "desk"\n'
    missing = project.check(own).diagnostics[0]
    assert (missing.code, missing.help) == ("WM0301", 'write `starting_actors = ["desk"]`')
    assert project.found("starting_actors = []\n" + own) == [
        "WM0301 app.toml:1:19 nothing to start: `starting_actors` is empty and no actor spawns "
        "automatically"
    ]
    assert project.found(own + "actors.desk.auto_spawn = true\n") == []


def test_sources_that_lead_nowhere(project: Project) -> None:
    project.write("file", "")
    project.write("empty/inner/Wasmind.toml", 'actor_id = "a:b"')
    project.write("case/wasmind.toml", 'actor_id = "a:b"')
    report = project.check(
        """
        starting_actors = ["a"]
        actors.a.source.path = "file"
        actors.b.source.path = "empty"
        actors.c.source.path = "case"
        actors.d.source.library = "asistant"
        """
    )
    assert [(each.code, each.help) for each in report.diagnostics] == [
        ("WM0402", "name the folder that holds the actor's `Wasmind.toml`"),
        ("WM0403", "folders in it that have one: `inner`"),
        ("WM0403", "rename `wasmind.toml` to `Wasmind.toml`"),
        ("WM0404", None),
    ]


def test_a_line_end_is_no_part_of_a_name(project: Project) -> None:
    project.actor("library/tool")
    report = project.check('starting_actors = ["a"]\nactors.a.source.library = "tool\\n"')
    assert [(each.code, str(each.span)) for each in report.diagnostics] == [
        ("WM0205", "app.toml:2:27")
    ]


def test_a_path_to_a_library_actor_is_that_actor(project: Project) -> None:
    project.actor("library/tool")
    project.actor("desk", 'dependencies.tool.source.library = "tool"')
    project.actor("other", 'dependencies.tool.source.path = "../library/tool"')
    app = """
        starting_actors = ["desk", "other", "tool"]
        actors.desk.source.path = "desk"
        actors.other.source.path = "other"
        """
    assert project.found(app) == []


def test_manifests_that_are_no_files(project: Project) -> None:
    (project.root / "pipe").mkdir()
    os.mkfifo(project.root / "pipe" / "Wasmind.toml")
    (project.root / "folder" / "Wasmind.toml").mkdir(parents=True)
    project.write("huge/Wasmind.toml", b"#" * (8 * 2**20 + 1))
    found = project.found(
        """
        starting_actors = ["pipe"]
        actors.pipe.source.path = "pipe"
        actors.folder.source.path = "folder"
        actors.huge.source.path = "huge"
        """
    )
    assert found == [
        "WM0111 - `huge/Wasmind.toml` is larger than 4 MiB",
        "WM0101 app.toml:2:27 cannot read `pipe/Wasmind.toml`: not a regular file",
        "WM0101 app.toml:3:29 cannot read `folder/Wasmind.toml`: Is a directory",
    ]


def test_a_huge_manifest_costs_little_memory(project: Project) -> None:
    (project.root / "huge").mkdir()
    with (project.root / "huge" / "Wasmind.toml").open("wb") as file:
        file.truncate(100 * 2**20)
    tracemalloc.start()
    found = project.found("starting_actors = ['huge']\nactors.huge.source.path = 'huge'\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["WM0111 - `huge/Wasmind.toml` is larger than 4 MiB"]
    assert peak < 3 * MOST_BYTES


def test_what_only_follows_from_an_unread_manifest_is_not_said(project: Project) -> None:
    """Near misses still are: they are mistakes whatever the manifest declares."""
    project.actor("desk", 'dependencies.tool.source.path = "../gone"')
    app = DESK.replace('"desk"]', '"desk", "inner", "dsek"]')
    assert project.found(app + "actor_overrides.deep.auto_spawn = true\n") == [
        "WM0302 app.toml:1:37 unknown starting actor `dsek`",
        "WM0401 desk/Wasmind.toml:2:33 the folder `../gone` does not exist",
    ]


def test_what_a_missing_dependency_is_needed_by(project: Project) -> None:
    project.actor("desk", 'dependencies.tool.source.path = "../tol"')
    report = project.check(DESK)
    assert report.diagnostics[0].notes == (
        "looked for: tol",
        "needed by:\n  desk (app.toml:2)",
    )


def layer(text: str) -> tuple[Document, Layer]:
    document = parse(f"{len(text)}.toml", text.encode(), Collector())
    assert document is not None
    return document, Layer(document, (), document.data)


def test_every_leaf_knows_the_file_it_is_from() -> None:
    (low, lower), (high, upper) = layer("a.x = 1\na.y = [1]\nb = 1\n"), layer("a.y = [2, 3]\nc = 1")
    table = LayeredTable((lower, upper), (low, ()))
    assert table.merged == {"a": {"x": 1, "y": [2, 3]}, "b": 1, "c": 1}
    assert table.origin(("a", "x")) == (low, ("a", "x"))
    assert table.origin(("a", "y", 1)) == (high, ("a", "y", 1))
    assert str(table.value(("c",))) == f"{high.file}:2:5"
    assert table.origin(("nothing",)) is None


TABLES = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
TOP = st.dictionaries(st.sampled_from("abc"), TABLES, max_size=3)


@given(TOP, TOP)
def test_merging_keeps_what_the_upper_layer_says(
    lower: dict[str, Any], upper: dict[str, Any]
) -> None:
    merged = deep_merge(lower, upper)
    assert deep_merge(merged, upper) == merged
    assert deep_merge({}, lower) == deep_merge(lower, {}) == lower
    assert merged.keys() == lower.keys() | upper.keys()
    for key, value in upper.items():
        if not isinstance(value, dict):
            assert merged[key] == value


TREES = st.dictionaries(
    st.sampled_from("abc"),
    st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3),
    max_size=3,
)


@given(TREES, TREES, TREES)
def test_merging_is_associative_where_shapes_agree(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    left = deep_merge(deep_merge(one, two), three)
    assert left == deep_merge(one, deep_merge(two, three))


def test_systems_without_end_are_given_up(project: Project) -> None:
    for number in range(6):
        manifest = f"""
            required_spawn_with = ["a{number + 1}"]
            dependencies.a{number + 1}.source.path = "../a{number + 1}"
            """
        project.actor(f"a{number}", manifest)
    project.actor("a6")
    config = project.write("app.toml", 'starting_actors = ["a0"]\nactors.a0.source.path = "a0"\n')

    def found(limits: Limits) -> list[str]:
        collector = Collector()
        document = parse("app.toml", config.read_bytes(), collector)
        assert document is not None
        environment = project.environment()
        schemas = Schemas(environment.schemas)
        app = read_app_config(document, schemas, collector)
        display = Display(project.root)
        sources = Sources(
            lambda: pytest.fail("no git source is here"),
            project.root,
            environment.library,
            schemas,
            display,
            collector,
        )
        resolve(app, sources, collector, limits)
        return [f"{each.code} {each.span}: {each.message}" for each in collector.diagnostics()]

    assert found(Limits()) == []
    assert found(Limits(depth=3)) == [
        "WM0443 a3/Wasmind.toml:4:14: dependencies are nested more than 3 deep"
    ]
    assert found(Limits(actors=5)) == [
        "WM0443 a4/Wasmind.toml:4:14: the system has more than 5 actors"
    ]
    # Seven actors in a row have 6 + 5 + 4 + 3 + 2 + 1 companions.
    assert found(Limits(companions=21)) == []
    assert found(Limits(companions=14)) == [
        "WM0443 a2/Wasmind.toml:3:24: with those of `a2` there are more than 14 companions"
    ]


def test_a_long_chain_is_no_problem(project: Project) -> None:
    for number in range(300):
        manifest = f"""
            required_spawn_with = ["a{number + 1}"]
            dependencies.a{number + 1}.source.path = "../a{number + 1}"
            """
        project.actor(f"a{number}", manifest)
    project.actor("a300")
    assert project.found('starting_actors = ["a0"]\nactors.a0.source.path = "a0"\n') == []
