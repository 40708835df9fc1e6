"""Records are named tuples in all but the cost of their classes."""

from __future__ import annotations

import copy
import pickle
from typing import Any, NamedTuple

import pytest

from wasmind.records import Record


class Place(Record):
    """Where something is."""

    file: str
    line: int = 1
    column: int = 1

    @property
    def shown(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Nothing(Record):
    """No fields at all."""


class Further(Place):
    """A class below a record has its fields."""

    def next_line(self) -> Further:
        return self._replace(line=self.line + 1)


def test_fields_are_given_by_place_or_name() -> None:
    place = Place("a.toml", column=7)
    assert place == Place(file="a.toml", line=1, column=7) == ("a.toml", 1, 7)
    assert (place.file, place.line, place.column) == tuple(place)
    assert place.shown == "a.toml:1:7"
    assert repr(place) == "Place(file='a.toml', line=1, column=7)"
    assert Nothing() == ()


@pytest.mark.parametrize(
    ("values", "named", "problem"),
    [
        ((), {}, r"Place\.__new__\(\) missing 1 required positional argument: 'file'"),
        (("a",), {"row": 1}, "unexpected keyword argument 'row'"),
        (("a",), {"file": "b"}, "multiple values for argument 'file'"),
        (("a", 1, 2, 3), {}, "takes from 2 to 4 positional arguments but 5 were given"),
    ],
)
def test_what_does_not_fit_is_refused(
    values: tuple[Any, ...], named: dict[str, Any], problem: str
) -> None:
    with pytest.raises(TypeError, match=problem):
        Place(*values, **named)


def test_records_do_not_change() -> None:
    place = Place("a")
    with pytest.raises(AttributeError):
        place.line = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        place.other = 2  # type: ignore[attr-defined]


def test_copies() -> None:
    place = Further("a", 2)
    assert place.next_line() == Further("a", 3)
    assert type(place.next_line()) is Further
    assert place._asdict() == {"file": "a", "line": 2, "column": 1}
    assert pickle.loads(pickle.dumps(place)) == copy.deepcopy(place) == place
    with pytest.raises(TypeError, match="Further has no field row"):
        place._replace(row=1)  # type: ignore[call-arg]


def test_records_match_patterns() -> None:
    match Place("a", 3):
        case Place(file, line):
            assert (file, line) == ("a", 3)


def test_a_field_with_a_default_is_not_followed_by_one_without() -> None:
    namespace = {"__annotations__": {"first": "int", "second": "int"}, "first": 1}
    with pytest.raises(TypeError, match="Wrong: a field without a default follows"):
        type(Record)("Wrong", (Record,), namespace)


def test_a_record_says_of_itself_what_a_named_tuple_does() -> None:
    class Twin(NamedTuple):
        file: str
        line: int = 1
        column: int = 1

    for name in ("_fields", "_field_defaults", "__match_args__", "__annotations__"):
        mine, theirs = getattr(Place, name), getattr(Twin, name)
        assert list(mine) == list(theirs)
    assert not hasattr(Place("a"), "__dict__")
