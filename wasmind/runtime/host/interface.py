"""What a capability is made of: an interface of functions that guests import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from wasmind.records import Record

#: The largest `list<u8>` we hand to a guest: each byte takes some 72 on the way.
LARGEST_LIST_MIB: Final = 16


class HostFunction(Record):
    """A function guests may call.

    Attributes:
        body: called with the instance's `Host` and the lifted arguments.
        refuse: makes the answer to a call that was not granted, from its reason. Without it there
            is no room for an error in the WIT, and a refused call ends the guest.
        guarded: the call needs the interface's capability. Builders that only collect settings do
            not: the call that acts on them is refused.
        blocking: it may wait for something outside, so others must be able to run meanwhile.
    """

    body: Callable[..., Any]
    refuse: Callable[[str], Any] | None = None
    guarded: bool = True
    blocking: bool = False


class Interface(Record):
    """A WIT interface, offered in every version of the same major and minor number.

    Attributes:
        name: without the version, for example `wasmind:actor/command`.
        capability: the grant it needs; None for what every guest may use.
        functions: by canonical name, for example `[method]cmd.run`.
        resources: resource name to a number that is unique in the process.
    """

    name: str
    capability: str | None
    functions: Mapping[str, HostFunction]
    resources: Mapping[str, int] = MappingProxyType({})
