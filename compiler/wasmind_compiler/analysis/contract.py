"""Contracts: what an actor handles, emits, offers and needs; docs/CONTRACT.md has the JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from wasmind.records import Record
from wasmind_compiler.frontend.limits import DEEPEST, is_too_deep

VERSION: Final = 1
#: Of arrays and objects: a schema in another takes two of them.
_DEEPEST: Final = 2 * DEEPEST
#: The schema of an actor without settings.
NO_SETTINGS: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {},
    "additionalProperties": False,
}


class ContractError(ValueError):
    """Text that is no contract; the message says why."""


class Place(Record):
    """A place in a source file of an actor: lines and columns from 1, the end behind it."""

    file: str
    start: tuple[int, int]
    end: tuple[int, int]


class HandledMessage(Record):
    """A message type an actor reacts to, from its own agent or from any."""

    type: str
    scope: Literal["own", "any"]
    place: Place | None = None


class Tool(Record):
    """A tool offered to models."""

    name: str
    description: str
    place: Place | None = None


class SpawnedActors(Record):
    """The actors of one new agent, as they stand in an actor's code."""

    actors: tuple[str, ...]
    place: Place | None


class Finding(Record):
    """What is wrong with an actor's code; `others` are further places, with what is there."""

    code: str
    message: str
    help: str
    notes: tuple[str, ...]
    place: Place | None
    others: tuple[tuple[Place, str], ...]


class Contract(Record):
    """What is known about an actor. None means that it does not say.

    `settings` is the JSON Schema of its config table, which `config_schema` judges; `spawns` are
    logical names it puts into new agents, beyond those in its settings. `agents` are those of them
    that stand in its code, `programs` the programs it starts, and `places` says where its settings
    are declared, `message_places` where the messages that it sends are.
    """

    handles: tuple[HandledMessage, ...] | None = None
    emits: tuple[str, ...] | None = None
    tools: tuple[Tool, ...] | None = None
    settings: Mapping[str, Any] | None = None
    capabilities: tuple[str, ...] = ()
    spawns: tuple[str, ...] | None = None
    agents: tuple[SpawnedActors, ...] = ()
    programs: tuple[str, ...] | None = None
    places: Mapping[str, Place] = MappingProxyType({})
    message_places: Mapping[str, Place] = MappingProxyType({})

    @property
    def settings_digest(self) -> str | None:
        """sha256 of the settings' schema in canonical form."""
        return None if self.settings is None else _digest(self.settings)


def read_json(text: str | bytes) -> Any:
    """A JSON document that can be walked by recursion and written again.

    Raises:
        ValueError: it is none.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError(f"nested more than {_DEEPEST} deep") from None
    if is_too_deep({"": document}, _DEEPEST):
        raise ValueError(f"nested more than {_DEEPEST} deep")
    # An escape can be half of a character, which no file can hold.
    json.dumps(document, ensure_ascii=False).encode()
    return document


def read_described(text: str) -> tuple[Contract | None, tuple[Finding, ...]]:
    """The contract a Python actor gave when it was described, and what is wrong with the actor.

    The contract is None if it could not be loaded; a finding says why.

    Raises:
        ContractError: not a contract, or of another version.
    """
    try:
        document = read_json(text)
    except ValueError as error:
        raise ContractError(f"not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("contract") != VERSION:
        raise ContractError(f"not a contract of version {VERSION}")
    try:
        findings = tuple(_finding(each) for each in document.get("findings", ()))
        if "name" not in document and findings:
            return None, findings
        settings, programs = document["config"], document.get("programs")
        contract = read_tables(
            document,
            settings=NO_SETTINGS if settings is None else settings,
            capabilities=tuple(sorted(_texts(document["capabilities"]))),
        )
        return contract._replace(
            programs=None if programs is None else _texts(programs),
            agents=tuple(
                SpawnedActors(_texts(each["actors"]), _place(each.get("at")))
                for each in document.get("agents", ())
            ),
            places=_places(document.get("settings", {}).items()),
            message_places=_places((each["type"], each.get("at")) for each in document["emits"]),
        ), findings
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(f"incomplete: {error}") from None


def read_tables(
    tables: Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None,
    capabilities: tuple[str, ...] = (),
) -> Contract:
    """A contract from its tables, those of a described actor or `[contract]` of a manifest."""
    handles, emits = tables.get("handles"), tables.get("emits")
    tools, spawns = tables.get("tools"), tables.get("spawns")
    return Contract(
        handles=None if handles is None else tuple(_handled(each) for each in handles),
        emits=None if emits is None else tuple(sorted(_text(each["type"]) for each in emits)),
        tools=None
        if tools is None
        else tuple(
            Tool(_text(each["name"]), _text(each.get("description", "")), _place(each.get("at")))
            for each in tools
        ),
        settings=settings,
        capabilities=capabilities,
        spawns=None if spawns is None else _texts(spawns),
    )


def contract_digest(contract: Contract) -> str:
    """sha256 over what the contract says, in canonical form."""
    return _digest(
        {
            "handles": None
            if contract.handles is None
            else [[each.type, each.scope] for each in contract.handles],
            "emits": contract.emits,
            "tools": None
            if contract.tools is None
            else [[tool.name, tool.description] for tool in contract.tools],
            "capabilities": contract.capabilities,
            "spawns": contract.spawns,
        }
    )


def _handled(table: Mapping[str, Any]) -> HandledMessage:
    scope: Literal["own", "any"] = "any" if table.get("scope") == "any" else "own"
    return HandledMessage(_text(table["type"]), scope, _place(table.get("at")))


def _finding(table: Mapping[str, Any]) -> Finding:
    others = ((_place(each["at"]), _text(each["text"])) for each in table["others"])
    return Finding(
        code=_text(table["code"]),
        message=_text(table["message"]),
        help=_text(table["help"]),
        notes=_texts(table["notes"]),
        place=_place(table["at"]),
        others=tuple((place, text) for place, text in others if place is not None),
    )


def _places(named: Iterable[tuple[str, Any]]) -> Mapping[str, Place]:
    found = ((name, _place(at)) for name, at in named)
    return {name: place for name, place in found if place is not None}


def _place(table: Any) -> Place | None:
    if not isinstance(table, dict):
        return None
    line, column, end_line, end_column = (int(each) for each in table["span"])
    return Place(_text(table["file"]), (line, column), (end_line, end_column))


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{json.dumps(value)} is no array")
    return tuple(_text(item) for item in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{json.dumps(value)} is no string")
    return value


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
