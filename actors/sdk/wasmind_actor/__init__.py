"""Write Wasmind actors in Python.

An actor is a folder with a `Wasmind.toml` and a module `actor` that defines one subclass of
`Actor`:

    from wasmind_actor import Actor, tool

    class Clock(Actor):
        @tool
        def time(self) -> str:
            '''Tells the time in UTC.'''
            return datetime.now(UTC).isoformat()

What an actor may do beyond talking and logging comes from capability modules: `http`, `command`,
`files`, `agents` and `host`. Importing one declares the capability. Messages are in
`wasmind_actor.messages`; `wasmind_actor.testing` runs actors in ordinary tests.
"""

from wasmind_actor.actor import Actor, ConfigError, Contribution
from wasmind_actor.chat import Scope
from wasmind_actor.codec import Param
from wasmind_actor.handlers import Envelope, on
from wasmind_actor.messages import Section
from wasmind_actor.nesting import DEEPEST, require_shallow
from wasmind_actor.similar import closest
from wasmind_actor.struct import Struct, replace
from wasmind_actor.tools import Answer, Call, Deferred, ToolError, ToolResult, shorten, tool
from wasmind_actor.wire import (
    I32,
    I64,
    U32,
    BroadcastError,
    Config,
    Err,
    FlexibleBool,
    Message,
    Ok,
    Record,
    Variant,
)

__all__ = [
    "DEEPEST",
    "I32",
    "I64",
    "U32",
    "Actor",
    "Answer",
    "BroadcastError",
    "Call",
    "Config",
    "ConfigError",
    "Contribution",
    "Deferred",
    "Envelope",
    "Err",
    "FlexibleBool",
    "Message",
    "Ok",
    "Param",
    "Record",
    "Scope",
    "Section",
    "Struct",
    "ToolError",
    "ToolResult",
    "Variant",
    "closest",
    "on",
    "replace",
    "require_shallow",
    "shorten",
    "tool",
]
