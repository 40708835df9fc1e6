"""Paths that lead nowhere: one problem for each, that says what was meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.compiler.project import Project
from wasmind_compiler.diagnostics import Severity
from wasmind_compiler.resolution import missing_folder


def found(project: Project, path: str) -> list[tuple[str, str, str | None, str | None]]:
    """Code, marked text, help and replacement for every error about an actor at `path`."""
    project.actor("actors/shell")
    project.actor("library/assistant")
    report = project.check(
        f"""
        starting_actors = ["a"]
        [actors.a]
        source = {{ path = '{path}' }}
        """
    )
    lines = report.texts["app.toml"].text.splitlines()
    return [
        (
            each.code,
            lines[each.span.start.line - 1][each.span.start.column - 1 : each.span.end.column - 1],
            each.help,
            each.fix.edits[0].replacement if each.fix else None,
        )
        for each in report.diagnostics
        if each.span is not None and each.severity is Severity.ERROR
    ]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("actors/shel", "actors/shell"),
        ("actor/shell", "actors/shell"),
        ("actor/shel", "actors/shell"),
        ("Actors/Shell", "actors/shell"),
        ("./actors/shelll", "actors/shell"),
        ("shell", "actors/shell"),
        ("/actors/shell", "actors/shell"),
    ],
)
def test_the_nearest_folder_is_offered(project: Project, path: str, meant: str) -> None:
    assert found(project, path) == [
        ("WM0401", f"'{path}'", f"did you mean `{meant}`?", f'"{meant}"')
    ]


def test_folders_are_listed_once_however_many_are_missing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[Path] = []
    entries = missing_folder.entries_of

    def counted(folder: Path) -> list[str]:
        listed.append(folder)
        return entries(folder)

    monkeypatch.setattr(missing_folder, "entries_of", counted)
    project.actor("actors/shell")
    tables = "".join(f"actors.a{n}.source.path = 'actors/shel{n}'\n" for n in range(20))
    assert len(project.check(f'starting_actors = ["a1"]\n{tables}').diagnostics) >= 20
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "actors/zebra",
            ("WM0401", "'actors/zebra'", "folders in `actors`: `shell`", None),
        ),
        (
            "assistant",
            (
                "WM0401",
                "'assistant'",
                'did you mean the shipped actor: `source = { library = "assistant" }`?',
                None,
            ),
        ),
        (
            "actors/shell/Wasmind.toml",
            (
                "WM0402",
                "'actors/shell/Wasmind.toml'",
                "name the folder that holds the actor's `Wasmind.toml`",
                '"actors/shell"',
            ),
        ),
        (
            r"actors\shell",
            ("WM1708", "\\", "write `actors/shell`, which works everywhere", '"actors/shell"'),
        ),
        (
            "~/shell",
            ("WM1707", "~", "write the folder out, best relative to this file", None),
        ),
        (
            "actors/${NAME}",
            ("WM1707", "${NAME}", "write the folder out, best relative to this file", None),
        ),
        ("file:///srv/a", ("WM0401", "'file:///srv/a'", "write `/srv/a`", None)),
        (
            "https://example.org/a.git",
            (
                "WM0401",
                "'https://example.org/a.git'",
                'write `git = "https://example.org/a.git"`',
                None,
            ),
        ),
        ("a" * 300, ("WM0101", f"'{'a' * 300}'", None, None)),
        ("", ("WM0205", "''", 'write `"."` if the folder of this file is meant', '"."')),
    ],
)
def test_one_problem_says_what_is_wrong_with_a_path(
    project: Project, path: str, expected: tuple[str, str, str | None, str | None]
) -> None:
    assert found(project, path) == [expected]


def test_a_folder_that_may_not_be_entered_is_passed_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.root.joinpath("secret").mkdir()
    stat = Path.stat

    def refusing(path: Path, **options: bool) -> os.stat_result:
        if "secret" in path.parent.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    assert found(project, "shell")[0][2] == "did you mean `actors/shell`?"
    assert found(project, ".")[0][0] == "WM0403"
    assert found(project, "secret/shell") == [("WM0101", "'secret/shell'", None, None)]
