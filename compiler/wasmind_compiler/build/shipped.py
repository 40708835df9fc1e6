"""The interpreter component that a release brings along, compressed.

Two builds of the interpreter differ: CPython takes its hash seed from the machine's random numbers,
componentize-py leaves no way to choose it, and the order of what is in the snapshot follows from
it. So that all who install a release have the same bytes, a wheel holds the component itself:

    interpreter.wasm.gz     the component
    interpreter.json        its sha256 and size

gzip, because it unpacks in a third of the time that xz takes, for a wheel that is 3 MB larger.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from wasmind.records import Record
from wasmind_compiler.build.errors import InterpreterError

_PACKED: Final = "interpreter.wasm.gz"
_FACTS: Final = "interpreter.json"
_LEVEL: Final = 9


class ShippedInterpreter(Record):
    """What a release says about its interpreter. The `sha256`, in hex, is also its key."""

    sha256: str
    size: int
    packed: Path


def find_shipped(folder: Path) -> ShippedInterpreter | None:
    """The interpreter in a folder; None if there is none, as in a checkout.

    Raises:
        InterpreterError: what is there does not say what it should.
    """
    try:
        text = (folder / _FACTS).read_bytes()
    except OSError:
        return None
    try:
        facts = json.loads(text)
        return ShippedInterpreter(facts["sha256"], facts["size"], folder / _PACKED)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / _FACTS) from error


def unpack(shipped: ShippedInterpreter, target: Path) -> None:
    """Write the component to `target`.

    Raises:
        InterpreterError: it is not what the release says.
        OSError: it cannot be written.
    """
    import gzip  # not needed where the interpreter is in the cache
    import hashlib

    try:
        with gzip.open(shipped.packed) as file:
            # One byte more than it should have tells one that is too long.
            content = file.read(shipped.size + 1)
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(shipped.packed) from error
    if hashlib.sha256(content).hexdigest() != shipped.sha256:
        raise _damaged(shipped.packed)
    target.write_bytes(content)


def pack(component: Path, sha256: str, folder: Path) -> tuple[Path, ...]:
    """Write the files that a release brings along for a component; the same bytes every time.

    Args:
        component: the component.
        sha256: its digest in hex, from when it was built.
        folder: where to write them.

    Returns:
        The files.

    Raises:
        InterpreterError: the component is not what was built.
    """
    import gzip
    import hashlib

    content = component.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InterpreterError(f"the Python interpreter `{component}` is damaged; delete it")
    facts = {"sha256": sha256, "size": len(content)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PACKED).write_bytes(gzip.compress(content, _LEVEL, mtime=0))
    (folder / _FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return folder / _PACKED, folder / _FACTS


def _damaged(path: Path) -> InterpreterError:
    return InterpreterError(
        f"the Python interpreter that Wasmind brings along is damaged: `{path}`; install it again"
    )
