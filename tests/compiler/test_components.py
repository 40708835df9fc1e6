"""What is read from components and from WIT. The components are real ones, made from text."""

from __future__ import annotations

import contextlib
import os
from typing import NoReturn

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.project import ECHO, ROOT, Project, component
from wasmind.plan import CAPABILITIES
from wasmind_compiler.analysis.component import (
    ComponentError,
    ComponentInterface,
    CoreModuleError,
    read_component,
)
from wasmind_compiler.analysis.wit import WitError, offered_interfaces, read_wit

ECHO_COMPONENT = bytes(wasmtime.wat2wasm(ECHO.read_text()))


def test_a_real_actor() -> None:
    found = read_component(ECHO_COMPONENT)
    assert found.imports == ("wasmind:actor/messaging@0.1.0",)
    assert found.exports == ("wasmind:ext/mailbox@0.1.0", "wasmind:actor/actor@0.1.0")


def test_every_kind_of_import_is_stepped_over() -> None:
    text = """
        (component
          (import "a" (instance))
          (import "b" (func (param "x" u32)))
          (import "c" (type $t (sub resource)))
          (import "d" (type (eq $t)))
          (import "e" (core module))
          (import "f" (component))
          (import "g:h/i@1.2.3" (instance (export "j" (func))))
          (instance $x)
          (export "k" (instance $x))
          (export "l" (instance $x)))
        """
    found = read_component(bytes(wasmtime.wat2wasm(text)))
    assert found.imports == ("a", "b", "c", "d", "e", "f", "g:h/i@1.2.3")
    assert found.exports == ("k", "l")


def test_core_modules_and_other_files_are_told_apart() -> None:
    with pytest.raises(CoreModuleError):
        read_component(bytes(wasmtime.wat2wasm("(module)")))
    with pytest.raises(ComponentError, match="not a WebAssembly file"):
        read_component(b"#!/bin/sh")


@given(st.integers(8, len(ECHO_COMPONENT) - 1), st.binary(min_size=1, max_size=8))
def test_damaged_files_are_refused_or_read_but_never_crash(at: int, noise: bytes) -> None:
    damaged = ECHO_COMPONENT[:at] + noise + ECHO_COMPONENT[at + len(noise) :]
    for content in (damaged, ECHO_COMPONENT[:at]):
        with contextlib.suppress(ComponentError):
            assert isinstance(read_component(content), ComponentInterface)


def test_the_wit_offers_every_capability() -> None:
    offered = {interface.name for interface in offered_interfaces(ROOT / "schemas" / "wit")}
    assert offered >= set(CAPABILITIES.values())


def test_functions_of_an_interface() -> None:
    text = "package a:b@1.0.0; interface c { /* */ f: func() -> result<_, string>; }"
    with pytest.raises(WitError, match="line 1, column 34"):
        read_wit(text)
    (found,) = read_wit(text.replace("/* */", ""))
    assert (found.name, found.functions) == ("a:b/c@1.0.0", ("f",))


def prebuilt(project: Project, content: bytes, manifest: str = "") -> str:
    project.write("x/Wasmind.toml", f'actor_id = "a:x"\nbuild.component = "x.wasm"\n{manifest}')
    project.write("x/x.wasm", content)
    return 'starting_actors = ["x"]\nactors.x.source.path = "x"\n'


def test_a_prebuilt_component_needs_no_guest(project: Project) -> None:
    assert project.found(prebuilt(project, ECHO_COMPONENT)) == []
    assert project.guests_started == 0


def test_clean_files_are_never_scanned_for_positions(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(text: str) -> NoReturn:
        raise AssertionError(f"scanned: {text}")

    monkeypatch.setattr("wasmind_compiler.frontend.positions.scan", scan)
    assert project.found(prebuilt(project, ECHO_COMPONENT)) == []


def test_a_component_that_is_none(project: Project) -> None:
    assert project.found(prebuilt(project, bytes(wasmtime.wat2wasm("(module)")))) == [
        "WM0703 app.toml:2:24 the component of `x` is a core module"
    ]
    assert project.found(prebuilt(project, ECHO_COMPONENT[:100])) == [
        "WM0704 app.toml:2:24 the component of `x` cannot be read: the file is cut short"
    ]
    (project.root / "x/x.wasm").unlink()
    app = (project.root / "app.toml").read_text()
    assert project.found(app) == [
        "WM0802 x/Wasmind.toml:2:19 the component `x.wasm` does not exist"
    ]


def test_a_component_that_would_never_end(project: Project) -> None:
    app = prebuilt(project, ECHO_COMPONENT)
    file = project.root / "x/x.wasm"
    file.unlink()
    os.mkfifo(file)
    assert project.found(app) == [
        "WM0802 x/Wasmind.toml:2:19 the component `x.wasm` cannot be read: not a regular file"
    ]


def test_imports_and_exports_that_do_not_fit(project: Project) -> None:
    imports = """
        (import "wasmind:actor/messaging@0.2.0" (instance))
        (import "wasmind:actor/mesaging@0.1.0" (instance))
        (import "wasi:cli/environment@0.2.3" (instance))
        """
    app = prebuilt(project, component(imports, "wasmind:actor/actor@0.2.0"))
    report = project.check(app)
    assert [(each.code, each.message, each.notes, each.help) for each in report.diagnostics] == [
        (
            "WM0705",
            "`x` imports `wasmind:actor/mesaging@0.1.0`, which the host does not offer",
            (),
            "did you mean `wasmind:actor/messaging@0.1.0`?",
        ),
        (
            "WM0705",
            "`x` imports `wasmind:actor/messaging@0.2.0`, which the host does not offer",
            (),
            "the host offers `wasmind:actor/messaging@0.1.0`; build against that version",
        ),
        (
            "WM0706",
            "the component of `x` does not export `wasmind:actor/actor@0.1.0`",
            ("it exports `wasmind:actor/actor@0.2.0`",),
            "implement the resource `actor` of that interface",
        ),
    ]


def test_paths_out_of_the_folder_are_refused(project: Project) -> None:
    app = prebuilt(project, ECHO_COMPONENT)
    project.write("x/Wasmind.toml", 'actor_id = "a:x"\nbuild.component = "../y.wasm"\n')
    project.write("y.wasm", ECHO_COMPONENT)
    assert project.found(app) == [
        "WM0806 x/Wasmind.toml:2:19 `../y.wasm` lies outside the actor's folder"
    ]


HTTP = '(import "wasmind:actor/http@0.1.0" (instance))'


def test_grants_must_cover_what_a_component_imports(project: Project) -> None:
    app = prebuilt(project, component(HTTP))
    assert project.found(app) == []
    assert project.found(app + "[actors.x.grants]\nhttp = false\nlogger = true\n") == [
        "WM0701 app.toml:3:1 `x` needs the capability `http`, which is not granted",
        "WM0702 app.toml:5:1 `x` does not use the capability `logger`",
    ]
    assert project.found(app + '[actors.x.grants]\nhttp = { hosts = ["e.org"] }\n') == []


OPENS_FILES = """
    (import "wasi:filesystem/types@0.2.3" (instance
      (export "descriptor" (type $descriptor (sub resource)))
      (export "[method]descriptor.open-at" (func (param "self" (borrow $descriptor))))))
    """
IMPORTS_FILES = OPENS_FILES.replace("open-at", "write-via-stream")


@pytest.mark.parametrize(
    ("imports", "grants", "found"),
    [
        (OPENS_FILES, "", ["app.toml:2:24"]),
        (OPENS_FILES, "[actors.x.grants]\n", ["app.toml:3:1"]),
        (OPENS_FILES, "[actors.x.grants]\nfilesystem = true\n", []),
        (OPENS_FILES, "[actors.x.grants]\nfilesystem = false\n", []),
        (IMPORTS_FILES, "", []),
    ],
)
def test_a_component_that_opens_files_through_wasi_is_noted_where_it_gets_none(
    project: Project, imports: str, grants: str, found: list[str]
) -> None:
    app = prebuilt(project, component(HTTP + imports))
    grants = grants and grants + "http = true\n"
    report = project.check(app + grants)
    assert [f"{each.code} {each.span}" for each in report.diagnostics] == [
        f"WM0709 {place}" for place in found
    ]
    for each in report.diagnostics:
        assert "opens files through WASI, and no folder is granted to it" in each.message
        if not grants:
            assert "`grants = { filesystem = true, http = true }`" in (each.help or "")


def test_a_component_must_declare_what_it_imports_if_it_declares_anything(
    project: Project,
) -> None:
    app = prebuilt(project, component(HTTP), "[capabilities]\nlogger = true\n")
    assert project.found(app) == [
        "WM0707 x/Wasmind.toml:3:1 the component of `x` imports `http`, which is not declared"
    ]
