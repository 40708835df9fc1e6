"""Our conversion of values agrees with wasmtime-py's own, and gives back what it was given."""

from __future__ import annotations

import base64
import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import _ffi as ffi
from wasmtime.component import Component, Record, Variant

from wasmind.runtime import abi

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Case:
    """A component type, its values in our form, and how wasmtime-py shows them."""

    text: str
    values: st.SearchStrategy[Any]
    theirs: Callable[[Any], Any] = same


def record(names: list[str]) -> Callable[[Any], Any]:
    def convert(value: tuple[Any, ...]) -> Record:
        made = Record()
        for name, item in zip(names, value, strict=True):
            setattr(made, name, item)
        return made

    return convert


def travelled(data: bytes) -> Variant:
    """Bytes as the WIT says that they cross."""
    try:
        return Variant("text", data.decode())
    except UnicodeDecodeError:
        return Variant("base64", base64.b64encode(data).decode())


CASES = {
    "bool": Case("bool", st.booleans()),
    **{
        f"{sign}{bits}": Case(
            f"{sign}{bits}",
            st.integers(0, (1 << bits) - 1)
            if sign == "u"
            else st.integers(-(1 << bits - 1), (1 << bits - 1) - 1),
        )
        for sign in "us"
        for bits in (8, 16, 32, 64)
    },
    "f64": Case("f64", st.floats(allow_nan=False)),
    "f32": Case("f32", st.floats(allow_nan=False, width=32)),
    "char": Case("char", st.characters(exclude_categories=["Cs"])),
    "string": Case("string", TEXT),
    "bytes": Case("(list u8)", st.binary(max_size=300)),
    "list": Case("(list string)", st.lists(TEXT, max_size=10)),
    "nested": Case("(list (list u8))", st.lists(st.binary(max_size=9), max_size=5)),
    "tuple": Case("(tuple string u32)", st.tuples(TEXT, st.integers(0, (1 << 32) - 1))),
    "option": Case("(option string)", st.none() | TEXT),
    "record": Case(
        '(record (field "a" string) (field "b" (list u8)))',
        st.tuples(TEXT, st.binary(max_size=30)),
        record(["a", "b"]),
    ),
    "enum": Case('(enum "x" "y")', st.sampled_from(["x", "y"])),
    "variant": Case(
        '(variant (case "text" string) (case "other" string) (case "none"))',
        st.tuples(st.sampled_from(["text", "other"]), TEXT) | st.just(("none", None)),
        lambda value: Variant(*value),
    ),
    "content": Case(
        '(variant (case "text" string) (case "base64" string))',
        st.binary(max_size=300) | TEXT.map(str.encode),
        lambda value: travelled(value),
    ),
    "result": Case(
        "(result string (error string))",
        st.builds(abi.Ok, TEXT) | st.builds(abi.Err, TEXT),
        lambda value: Variant("ok" if isinstance(value, abi.Ok) else "err", value.value),
    ),
    "headers": Case("(list (tuple string string))", st.lists(st.tuples(TEXT, TEXT), max_size=5)),
}

ENGINE = wasmtime.Engine()


def reflect(text: str) -> Any:
    """The reflected type, from a component that imports a function with such a parameter.

    Types that need a name are exported by the imported instance, as toolchains do it.
    """
    named = text.startswith(("(record", "(enum", "(variant"))
    declared = f'(type $t {text}) (export "t" (type $n (eq $t)))' if named else ""
    used = "$n" if named else text
    component = f"""(component (import "i" (instance
        {declared} (export "f" (func (param "x" {used}))))))"""
    instance = Component(ENGINE, component).type.imports(ENGINE)["i"].ty
    return instance.exports(ENGINE)["f"].ty.params[0][1]


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_wasmtime_py(name: str) -> None:
    case = CASES[name]
    kind = reflect(case.text)
    shape = abi.shape_of(kind, guest_resources=False)

    @given(case.values)
    @settings(max_examples=60, deadline=None)
    def check(value: Any) -> None:
        ours = abi.Value(shape, value)
        assert shape.lift(ours.c(), None) == value

        copy = ffi.wasmtime_component_val_t()
        ffi.wasmtime_component_val_clone(ctypes.byref(ours.c()), ctypes.byref(copy))
        assert kind.convert_from_c(copy) == case.theirs(value)

        theirs = ffi.wasmtime_component_val_t()
        kind.convert_to_c(None, case.theirs(value), ctypes.pointer(theirs))
        assert shape.lift(theirs, None) == value
        ffi.wasmtime_component_val_delete(ctypes.byref(theirs))

    check()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("u8", 256),
        ("u8", -1),
        ("s64", 1 << 63),
        ("enum", "z"),
        ("variant", ("z", None)),
        ("tuple", ("a",)),
        ("record", ("a", b"", 1)),
        ("result", "bare"),
        ("list", ["fine", 3]),
        ("headers", [("a", "b"), ("c",)]),
    ],
)
def test_values_that_do_not_fit_are_refused_without_harm(name: str, wrong: Any) -> None:
    shape = abi.shape_of(reflect(CASES[name].text), guest_resources=False)
    for _ in range(100):  # a double free would show
        with pytest.raises((ValueError, TypeError, AttributeError)):  # whichever comes first
            abi.Value(shape, wrong)


def test_lone_surrogates_become_replacements() -> None:
    shape = abi.shape_of(reflect("string"), guest_resources=False)
    assert shape.lift(abi.Value(shape, "a\ud800b").c(), None) == "a?b"


@pytest.mark.parametrize("text", ["=", "YQ", "Y Q==", "YQ==\n", "ä", "YQ==YQ=="])
def test_what_is_not_base64_is_refused(text: str) -> None:
    kind = reflect(CASES["content"].text)
    shape = abi.shape_of(kind, guest_resources=False)
    theirs = ffi.wasmtime_component_val_t()
    kind.convert_to_c(None, Variant("base64", text), ctypes.pointer(theirs))
    with pytest.raises(ValueError, match="a `content` that is not base64"):
        shape.lift(theirs, None)
    ffi.wasmtime_component_val_delete(ctypes.byref(theirs))


@given(st.tuples(TEXT, TEXT, TEXT, TEXT, st.binary() | TEXT.map(str.encode)))
@settings(max_examples=60, deadline=None)
def test_a_message_made_in_one_step_equals_its_pieces(fields: tuple[Any, ...]) -> None:
    string, content = (
        abi.shape_of(reflect(CASES[name].text), guest_resources=False)
        for name in ("string", "content")
    )
    made = abi.MessageArguments(*fields)
    shapes = [string] * 4 + [content]
    lifted = [shape.lift(made.array[index], None) for index, shape in enumerate(shapes)]
    assert tuple(lifted) == fields
    assert abi.MessageArguments.fit(abi.Signature(tuple(shapes), None))


def test_memory_is_given_back() -> None:
    shape = abi.shape_of(reflect(CASES["record"].text), guest_resources=False)
    payload = b"x" * 100_000  # 3.2 MB as component values

    def work() -> None:
        for _ in range(50):
            value = abi.Value(shape, ("name", payload))
            shape.lift(value.c(), None)

    work()
    before = resident()
    work()
    assert resident() - before < 20 << 20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
