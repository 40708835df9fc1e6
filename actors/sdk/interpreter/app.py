"""The shared interpreter: CPython with the SDK, waiting for the modules of one actor."""

from __future__ import annotations

import gc
import json
import marshal

import actor
import preload  # noqa: F401 - the standard library too
from componentize_py_types import Err
from wit_world.imports.types import Content, Content_Text

from wasmind_actor import guest
from wasmind_actor.guest_host import bytes_of, content


class Mailbox:
    """`wasmind:ext/mailbox`: messages as text."""

    def deliver(
        self, id_: str, message_type: str, from_actor_id: str, from_scope: str, payload: Content
    ) -> None:
        """Deliver one message."""
        if isinstance(payload, Content_Text):
            actor.deliver(id_, message_type, from_actor_id, from_scope, payload.value)
        else:
            data = bytes_of(payload)
            actor.deliver(id_, message_type, from_actor_id, from_scope, data)


class Contract:
    """`wasmind:ext/contract`: what the compiler asks of an interpreter."""

    def describe(self) -> str:
        """The contract of the actor in `package`, as JSON."""
        gc.disable()  # the instance ends with the answer
        return guest.describe()

    def compile(self, name: str, source: str) -> Content:
        """A module's source text to its marshalled code object."""
        path = f"<actor>/{name.replace('.', '/')}.py"
        try:
            # Without optimisation, whatever flags this interpreter was built with.
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        except SyntaxError as error:
            raise Err(_problem(error.msg, error.lineno, error.offset)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise Err(_problem(str(error), None, None)) from None
        return content(marshal.dumps(code))


def _problem(message: str, line: int | None, column: int | None) -> str:
    return json.dumps({"message": message, "line": line or None, "column": column or None})
