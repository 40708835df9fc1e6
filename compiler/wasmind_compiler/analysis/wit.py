"""The interfaces the host offers, read from its WIT packages with a grammar for lark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

#: The parts of WIT that our packages use: interfaces with types and functions, and worlds.
_GRAMMAR: Final = r"""
start: package (interface | world)*
package: "package" ID ":" ID "@" VERSION ";"

interface: "interface" ID "{" (function | use | typedef)* "}"
function: ID ":" "func" signature ";"
use: "use" path "." "{" ID ("," ID)* ","? "}" ";"
typedef: "type" ID "=" type ";"
    | "record" ID "{" [field ("," field)* ","?] "}"
    | "variant" ID "{" [case ("," case)* ","?] "}"
    | ("enum" | "flags") ID "{" [ID ("," ID)* ","?] "}"
    | "resource" ID (";" | "{" method* "}")
method: "constructor" parameters ";"
    | ID ":" "static"? "func" signature ";"
field: ID ":" type
case: ID ["(" type ")"]
signature: parameters ["->" type]
parameters: "(" [field ("," field)* ","?] ")"
type: ID ["<" type_argument ("," type_argument)* ">"]
type_argument: type | "_"

world: "world" ID "{" world_item* "}"
world_item: ("import" | "export" | "include") (path | field | ID ":" "func" signature) ";"
path: ID [":" ID "/" ID ["@" VERSION]]

ID: /%?[a-zA-Z][a-zA-Z0-9]*(-[a-zA-Z0-9]+)*/
VERSION: /[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*/
COMMENT: /\/\/[^\n]*/
%ignore COMMENT
%ignore /\s+/
"""


class WitError(ValueError):
    """WIT text that cannot be parsed; the message names the place."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface by its full name, like `wasmind:actor/http@0.1.0`, and its free functions."""

    name: str
    functions: tuple[str, ...]


def read_wit(text: str) -> tuple[Interface, ...]:
    """The interfaces of one WIT package.

    Raises:
        WitError: the text is not WIT, or uses a part of it the grammar lacks.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise WitError(f"line {error.line}, column {error.column}: not understood") from None
    namespace, name, version = _names(next(tree.find_data("package")))
    return tuple(
        Interface(f"{namespace}:{name}/{_names(each)[0]}@{version}", _functions(each))
        for each in tree.children
        if isinstance(each, Tree) and each.data == "interface"
    )


def offered_interfaces(folder: Path) -> tuple[Interface, ...]:
    """The interfaces of all packages below a folder, sorted by name.

    Raises:
        WitError: a file cannot be parsed.
    """
    found: list[Interface] = []
    for path in sorted(folder.rglob("*.wit")):
        found += read_wit(path.read_text(encoding="utf-8"))
    return tuple(sorted(found, key=lambda interface: interface.name))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


def _functions(interface: Tree[Token]) -> tuple[str, ...]:
    return tuple(
        _names(each)[0]
        for each in interface.children
        if isinstance(each, Tree) and each.data == "function"
    )


def _names(tree: Tree[Token]) -> list[str]:
    return [str(child).removeprefix("%") for child in tree.children if isinstance(child, str)]
