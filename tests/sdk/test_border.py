"""Nothing leaves Python that the component model cannot take, and it is the same in tests."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasmind_actor import BroadcastError, agents, command, files, http
from wasmind_actor.border import LARGEST, Border, utf8
from wasmind_actor.door import Host
from wasmind_actor.testing import FakeHost

ANY_TEXT = st.text(st.characters(categories=None))


@given(ANY_TEXT)
def test_text_is_valid_afterwards_and_unchanged_if_it_was(text: str) -> None:
    fit = utf8(text)
    fit.encode()
    assert fit == "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def test_every_call_to_the_host_crosses_it() -> None:
    calls = {name for name, _ in inspect.getmembers(Host, inspect.isfunction) if name[0] != "_"}
    assert calls <= {name for name, value in vars(Border).items() if inspect.isfunction(value)}


@pytest.fixture
def border() -> Border:
    host = FakeHost(
        http=lambda request: http.Response(status=200, body=repr(request).encode()),
        commands=lambda given: command.Output(
            status=command.Exited(0), stdout=repr(given).encode()
        ),
    )
    return Border(host)


def test_the_fake_host_gets_what_the_real_one_gets(border: Border) -> None:
    half = "\ud83d"
    sent = border.send(
        http.Request(
            method=half, url=half, headers=((half, half),), body=half.encode("utf-16", "replace")
        )
    )
    ran = border.run(command.Command(program=half, arguments=(half,), environment={half: half}))
    border.write(half, b"")
    border.spawn([half], half)
    for told in (sent.body.decode(), ran.stdout.decode(), str(border._host)):
        assert "?" in told
        assert "ud83d" not in told


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (BroadcastError, lambda border, text: border.broadcast("t", text)),
        (
            http.InvalidRequestError,
            lambda border, text: border.send(http.Request(method="GET", url=text)),
        ),
        (command.CommandError, lambda border, text: border.run(command.Command(program=text))),
        (agents.SpawnError, lambda border, text: border.spawn([text], "x")),
        (files.TooLargeError, lambda border, text: border.read(text)),
        (files.TooLargeError, lambda border, text: border.write("x", text.encode())),
    ],
)
def test_what_is_too_large_is_an_error_of_the_module_that_was_called(border, error, call) -> None:
    with pytest.raises(error, match=r"of 96\.\d MiB; a call can take 96 MiB"):
        call(border, "x" * (LARGEST + 1))
