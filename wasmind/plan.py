"""The run plan: the one document in which the compiler tells the runtime all it needs to know.

Ground floor of the house: imports nothing of ours, so that both halves can depend on it. The JSON
form is `plan.json` of a bundle and is described by `schemas/plan.schema.json`. Everything in it is
resolved and explicit; the runtime never reads TOML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

from wasmind.records import Record

VERSION: Final = 1
ROOT_SCOPE: Final = "000000"
INTERFACE: Final = "wasmind:actor@0.1.0"

#: The oldest wasmtime that a guest is not known to get out of.
OLDEST_ENGINE: Final = "43.0.1"

#: Features a plan may demand by name; a runtime refuses a plan that demands one it does not know.
FEATURES: Final = frozenset(
    {
        "balanced-models",
        "budget",
        "cassette-models",
        "endpoint-models",
        "litellm-models",
        "narrowed-grants",
        "python-actors",
        "scripted-models",
    }
)

#: Capability name to the WIT interface it opens.
CAPABILITIES: Final[Mapping[str, str]] = {
    "messaging": "wasmind:actor/messaging@0.1.0",
    "command": "wasmind:actor/command@0.1.0",
    "http": "wasmind:actor/http@0.1.0",
    "logger": "wasmind:actor/logger@0.1.0",
    "agent": "wasmind:actor/agent@0.1.0",
    "host-info": "wasmind:actor/host-info@0.1.0",
    "filesystem": "wasmind:ext/filesystem@0.1.0",
}

#: What the memory of a guest can hold, in MiB: addresses of wasm32 have 32 bits.
_MOST_IN_A_GUEST: Final = 4_096
#: More than machines have, in MiB; messages that wait are counted per receiver.
_MOST_WAITING: Final = 1_048_576
#: Requests to a model for one message, unless the plan says otherwise.
_TURNS: Final = 200

Json = Any
_T = TypeVar("_T")
RestartPolicy = Literal["permanent", "transient", "temporary"]


class PlanError(ValueError):
    """A plan that cannot be read. `path` says where, for example `actors[2].limits.memory_mib`."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path


class Limits(Record):
    """What one actor instance may use.

    Attributes:
        memory_mib: linear memory, in MiB.
        compute_seconds: guest time for one message or one construction; blocked host calls do not
            count.
        mailbox_mib: payload bytes that may wait for it, in MiB.
        payload_mib: size of one message it may send, in MiB.
        output_mib: what is kept of each output stream of a command, at most, in MiB.
        response_mib: size of the body of an HTTP response, in MiB.
    """

    memory_mib: int = 256
    compute_seconds: float = 30.0
    mailbox_mib: int = 256
    payload_mib: int = 16
    output_mib: int = 8
    response_mib: int = 64


class SystemLimits(Record):
    """What all actors of a run may use together.

    Attributes:
        agents: how many may live at once.
        depth: how many generations may come below the root agent.
        processes: commands that may run at once.
        requests: HTTP requests that may be in flight at once.
        waiting_mib: payload bytes that may wait in all mailboxes, counted per receiver, in MiB.
        turns: requests to its model that each agent may make for one message of the user's.
    """

    agents: int = 1_000
    depth: int = 16
    processes: int = 128
    requests: int = 4_096
    waiting_mib: int = 2_048
    turns: int = _TURNS


class Credential(Record):
    """A secret that the host adds to requests; the plan only says where to find it.

    Attributes:
        host: host name of the requests, exactly.
        header: name of the header to set.
        prefix: text before the secret, for example `Bearer `.
        variable: environment variable that holds the secret.
    """

    host: str
    header: str
    prefix: str
    variable: str


class Restart(Record):
    """What happens to an instance that failed, in OTP's words.

    `permanent` and `transient` restart a failed instance, `temporary` never does. More than
    `intensity` restarts within `period_seconds` end the agent.
    """

    policy: RestartPolicy = "transient"
    intensity: int = 3
    period_seconds: float = 60.0


class Module(Record):
    """One Python module of an actor: `name` as imported (packages end in `.__init__`), `path` of
    its code object inside the bundle."""

    name: str
    path: str


class Handled(Record):
    """A message type an actor handles, from its own scope only or from any."""

    type: str
    scope: Literal["own", "any"]


class Actor(Record):
    """An actor that can be spawned.

    Attributes:
        name: logical name, unique in the plan.
        actor_id: kind of actor, the sender id of its messages.
        component: sha256 of the component, in hex; the file is `components/<sha256>.wasm`.
        modules: code objects for the shared interpreter; empty for a self-contained component.
        config: TOML text the constructor receives.
        capabilities: names out of `CAPABILITIES` it was granted.
        grants: capability name to the table that narrows it.
        auto_spawn: it is part of every agent.
        spawn_with: all actors that must join wherever this one is spawned (transitive).
        handles: what is delivered to it; None means everything.
        emits: message types it may send; None means any the host does not reserve.
        tools: names of the model tools it offers; None when it has no contract.
        models: names of the models its config mentions.
        may_spawn: logical names it may put into new agents; None means any.
        replayable: all it does passes the host's one door. False for a component that reaches
            granted folders through wasmtime's own WASI.
    """

    name: str
    actor_id: str
    component: str
    modules: tuple[Module, ...] = ()
    config: str = ""
    capabilities: tuple[str, ...] = ()
    grants: Mapping[str, Mapping[str, Json]] = MappingProxyType({})
    limits: Limits = Limits()
    restart: Restart = Restart()
    auto_spawn: bool = False
    spawn_with: tuple[str, ...] = ()
    handles: tuple[Handled, ...] | None = None
    emits: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    models: tuple[str, ...] = ()
    may_spawn: tuple[str, ...] | None = None
    replayable: bool = True


class Model(Record):
    """Something that answers chat completions under `name`.

    `kind` selects what `settings` means. For `scripted` it is a document of
    `schemas/model-script.schema.json`; for `cassette` a table of `[models]` with the lines that are
    `recorded` beside it; for `endpoint` a table of `[models]` with the `provider` beside it; for
    `litellm` an element of `[[litellm.models]]`. The name `*` stands for all names that no other
    model has.
    """

    name: str
    kind: str
    settings: Mapping[str, Json] = MappingProxyType({})


class Allowance(Record):
    """What calls of models may use; None for no limit."""

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None


class Budget(Record):
    """What a run may spend on models.

    Attributes:
        whole: all agents together.
        per_agent: each agent, with all that it spawned.
    """

    whole: Allowance = Allowance()
    per_agent: Allowance = Allowance()


class RunPlan(Record):
    """A whole system. `starting` is the closed set of logical names of the root agent.

    `engine` is the oldest version of wasmtime it may run on.
    """

    name: str
    actors: tuple[Actor, ...]
    starting: tuple[str, ...]
    models: tuple[Model, ...] = ()
    budget: Budget | None = None
    limits: SystemLimits = SystemLimits()
    credentials: tuple[Credential, ...] = ()
    interface: Mapping[str, Json] = MappingProxyType({})
    must_understand: tuple[str, ...] = ()
    engine: str = OLDEST_ENGINE

    def actor(self, name: str) -> Actor:
        """The actor of that logical name; KeyError if there is none."""
        for actor in self.actors:
            if actor.name == name:
                return actor
        raise KeyError(name)

    def to_json(self) -> str:
        """Canonical text: sorted keys, two spaces, final newline; equal plans give equal bytes."""
        document = {"version": VERSION, "wit": INTERFACE, **_plain(self)}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> RunPlan:
        """Read a plan, refusing what this runtime cannot honour.

        Raises:
            PlanError: not a plan, a newer format, or a feature this runtime lacks.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PlanError(f"not JSON: {error}") from None
        return _read_plan(_Reader(document, ""))


def _plain(value: Any) -> Any:
    """Named tuples to dicts and tuples to lists, recursively."""
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


class _Reader:
    """A JSON table being decoded: typed getters that know their path and refuse unknown keys."""

    def __init__(self, value: Json, path: str) -> None:
        if not isinstance(value, dict):
            raise PlanError(f"expected an object, found {type(value).__name__}", path)
        self._table = value
        self._path = path
        self._seen: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def get(self, key: str, kind: type[_T] | tuple[type[_T], ...]) -> _T:
        self._seen.add(key)
        if key not in self._table:
            raise PlanError("missing", self.at(key))
        value = self._table[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise PlanError(f"unexpected {type(value).__name__}", self.at(key))
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        return self.each(key, _string)

    def each(self, key: str, read: Callable[[Json, str], _T]) -> tuple[_T, ...]:
        items: list[Json] = self.get(key, list)
        return tuple(read(item, f"{self.at(key)}[{index}]") for index, item in enumerate(items))

    def optional(self, key: str, read: Callable[[str], _T]) -> _T | None:
        self._seen.add(key)
        return None if self._table.get(key) is None else read(key)

    def table(self, key: str) -> _Reader:
        return _Reader(self.get(key, dict), self.at(key))

    def done(self, result: _T) -> _T:
        unknown = sorted(set(self._table) - self._seen)
        if unknown:
            raise PlanError("unknown key", self.at(unknown[0]))
        return result


def _string(value: Json, path: str) -> str:
    if not isinstance(value, str):
        raise PlanError(f"expected a string, found {type(value).__name__}", path)
    return value


def _version(text: str, path: str) -> str:
    if not all(part.isdecimal() and part.isascii() for part in text.split(".")):
        raise PlanError(f"expected a version such as `{OLDEST_ENGINE}`, found `{text}`", path)
    return text


def _positive(reader: _Reader, key: str, most: int | None = None) -> int:
    value = reader.get(key, int)
    if value < 1:
        raise PlanError("must be at least 1", reader.at(key))
    if most is not None and value > most:
        raise PlanError(f"must be at most {most}", reader.at(key))
    return value


def _seconds(reader: _Reader, key: str) -> float:
    value = reader.get(key, (int, float))
    if not 0 < value < 1e9:
        raise PlanError("must be a positive number of seconds", reader.at(key))
    return float(value)


def _read_plan(reader: _Reader) -> RunPlan:
    version = reader.get("version", int)
    if version != VERSION:
        raise PlanError(f"plan format {version}; this wasmind reads format {VERSION}", "version")
    if (wit := reader.get("wit", str)) != INTERFACE:
        raise PlanError(f"made for `{wit}`; this runtime offers `{INTERFACE}`", "wit")
    demanded = reader.strings("must_understand")
    if unknown := sorted(set(demanded) - FEATURES):
        raise PlanError(f"needs `{unknown[0]}`, which this wasmind lacks", "must_understand")
    plan = reader.done(
        RunPlan(
            name=reader.get("name", str),
            actors=reader.each("actors", _read_actor),
            starting=reader.strings("starting"),
            models=reader.each("models", _read_model),
            budget=reader.optional("budget", lambda key: _read_budget(reader.table(key))),
            limits=_read_system_limits(reader.table("limits")),
            credentials=reader.each("credentials", _read_credential),
            interface=reader.get("interface", dict),
            must_understand=demanded,
            # Plans of before it was named.
            engine=reader.optional("engine", lambda key: _version(reader.get(key, str), key))
            or OLDEST_ENGINE,
        )
    )
    _check_references(plan)
    return plan


def _check_references(plan: RunPlan) -> None:
    names = [actor.name for actor in plan.actors]
    if len(set(names)) != len(names):
        raise PlanError("two actors share a name", "actors")
    lists: list[tuple[str, Sequence[str]]] = [("starting", plan.starting)]
    for index, actor in enumerate(plan.actors):
        lists.append((f"actors[{index}].spawn_with", actor.spawn_with))
        lists.append((f"actors[{index}].may_spawn", actor.may_spawn or ()))
    for path, members in lists:
        for member in members:
            if member not in names:
                raise PlanError(f"no actor is called `{member}`", path)


def _read_actor(value: Json, path: str) -> Actor:
    reader = _Reader(value, path)
    capabilities = reader.strings("capabilities")
    if unknown := sorted(set(capabilities) - set(CAPABILITIES)):
        raise PlanError(f"unknown capability `{unknown[0]}`", reader.at("capabilities"))
    return reader.done(
        Actor(
            name=reader.get("name", str),
            actor_id=reader.get("actor_id", str),
            component=_sha256(reader, "component"),
            modules=reader.each("modules", _read_module),
            config=reader.get("config", str),
            capabilities=capabilities,
            grants=reader.get("grants", dict),
            limits=_read_limits(reader.table("limits")),
            restart=_read_restart(reader.table("restart")),
            auto_spawn=reader.get("auto_spawn", bool),
            spawn_with=reader.strings("spawn_with"),
            handles=reader.optional("handles", lambda key: reader.each(key, _read_handled)),
            emits=reader.optional("emits", reader.strings),
            models=reader.strings("models"),
            tools=reader.optional("tools", reader.strings),
            may_spawn=reader.optional("may_spawn", reader.strings),
            replayable=reader.get("replayable", bool),
        )
    )


def _sha256(reader: _Reader, key: str) -> str:
    value = reader.get(key, str)
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise PlanError("expected a sha256 in lower-case hex", reader.at(key))
    return value


def _read_module(value: Json, path: str) -> Module:
    reader = _Reader(value, path)
    return reader.done(Module(name=reader.get("name", str), path=reader.get("path", str)))


def _read_limits(reader: _Reader) -> Limits:
    return reader.done(
        Limits(
            memory_mib=_positive(reader, "memory_mib", _MOST_IN_A_GUEST),
            compute_seconds=_seconds(reader, "compute_seconds"),
            mailbox_mib=_positive(reader, "mailbox_mib", _MOST_WAITING),
            payload_mib=_positive(reader, "payload_mib", _MOST_IN_A_GUEST),
            output_mib=_positive(reader, "output_mib", _MOST_IN_A_GUEST),
            response_mib=_positive(reader, "response_mib", _MOST_IN_A_GUEST),
        )
    )


def _read_system_limits(reader: _Reader) -> SystemLimits:
    return reader.done(
        SystemLimits(
            agents=_positive(reader, "agents"),
            depth=_positive(reader, "depth"),
            processes=_positive(reader, "processes"),
            requests=_positive(reader, "requests"),
            waiting_mib=_positive(reader, "waiting_mib", _MOST_WAITING),
            # Plans of before there was a limit do not name it.
            turns=reader.optional("turns", lambda key: _positive(reader, key)) or _TURNS,
        )
    )


def _read_budget(reader: _Reader) -> Budget:
    return reader.done(
        Budget(
            whole=_read_allowance(reader.table("whole")),
            per_agent=_read_allowance(reader.table("per_agent")),
        )
    )


def _read_allowance(reader: _Reader) -> Allowance:
    return reader.done(
        Allowance(
            usd=reader.optional("usd", lambda key: float(reader.get(key, (int, float)))),
            tokens=reader.optional("tokens", lambda key: reader.get(key, int)),
            calls=reader.optional("calls", lambda key: reader.get(key, int)),
        )
    )


def _read_credential(value: Json, path: str) -> Credential:
    reader = _Reader(value, path)
    return reader.done(
        Credential(
            host=reader.get("host", str),
            header=reader.get("header", str),
            prefix=reader.get("prefix", str),
            variable=reader.get("variable", str),
        )
    )


def _read_restart(reader: _Reader) -> Restart:
    policies: Mapping[str, RestartPolicy] = {
        "permanent": "permanent",
        "transient": "transient",
        "temporary": "temporary",
    }
    policy = reader.get("policy", str)
    if policy not in policies:
        raise PlanError(f"unknown policy `{policy}`", reader.at("policy"))
    return reader.done(
        Restart(
            policy=policies[policy],
            intensity=reader.get("intensity", int),
            period_seconds=_seconds(reader, "period_seconds"),
        )
    )


def _read_handled(value: Json, path: str) -> Handled:
    reader = _Reader(value, path)
    scope = reader.get("scope", str)
    if scope not in ("own", "any"):
        raise PlanError(f"expected `own` or `any`, found `{scope}`", reader.at("scope"))
    own: Literal["own", "any"] = "own" if scope == "own" else "any"
    return reader.done(Handled(type=reader.get("type", str), scope=own))


def _read_model(value: Json, path: str) -> Model:
    reader = _Reader(value, path)
    return reader.done(
        Model(
            name=reader.get("name", str),
            kind=reader.get("kind", str),
            settings=reader.get("settings", dict),
        )
    )
