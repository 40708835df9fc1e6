"""What answers for each model that a system needs, and what it lacks. Nobody is asked anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wasmind.litellm_params import why_proxy
from wasmind.models.choice import Choice
from wasmind.models.endpoint import Endpoint
from wasmind.models.errors import ModelError
from wasmind.models.names import ANY, BALANCED, Names
from wasmind.models.resolve import Directory, UnusableModel
from wasmind.plan import Actor, Credential, Model, RunPlan
from wasmind.prices import Price
from wasmind.providers import Provider, split

_REFERENCE: Final = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Where a key comes from; never the key itself.

    Attributes:
        variable: of the environment; None for a file.
        file: None for a variable.
        is_set: whether a usable key is there.
        page: where people get one; may be empty.
    """

    variable: str | None = None
    file: str | None = None
    is_set: bool
    page: str = ""

    @property
    def cure(self) -> str | None:
        """The line that sets a missing variable, and where its value comes from."""
        if self.is_set or self.variable is None:
            return None
        page = f"; keys are made at {self.page}" if self.page else ""
        return f"export {self.variable}=…{page}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in which a request may go.

    Attributes:
        given: the model of the plan; its name is unique in an overview.
        by: `cassette`, `endpoint`, `litellm` (a proxy of the run) or `scripted`.
        model: what the provider calls it; for a cassette the one that it records; may be empty.
        provider: one of the table, if it is.
        url: where it is asked, if that is known before the run.
        keys: that it reads; empty where it needs none.
        context_window: in tokens; None where it is not known.
        price: None where it is not known.
        start: how its server is started, for one of this machine.
        problem: why it cannot be asked.
    """

    given: Model
    by: str
    model: str = ""
    provider: str | None = None
    url: str | None = None
    keys: tuple[Key, ...] = ()
    context_window: int | None = None
    price: Price | None = None
    start: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A model that a system needs.

    Attributes:
        name: as actors say it.
        used_by: actors whose config names it.
        falls_back_from: models that fall back on it.
        why: what makes its routes answer.
        routes: asked in turn; empty if nothing answers.
    """

    name: str
    used_by: tuple[str, ...] = ()
    falls_back_from: tuple[str, ...] = ()
    why: str
    routes: tuple[Route, ...]


def overview(plan: RunPlan, choice: Choice) -> Sequence[Need]:
    """All models that the actors of a plan name, with those they fall back on.

    Looks at the environment and at key files; whether a key is there is all that is kept of it.

    Args:
        plan: whose actors name models.
        choice: which models answer.
    """
    names = Names(choice.models, choice.instead)
    users: dict[str, list[str]] = {}
    for actor in plan.actors:
        for name in actor.models:
            users.setdefault(name, []).append(actor.name)
    if choice.instead is not None and users:
        users = {choice.instead.name: sorted({each for used in users.values() for each in used})}
    needs = {name: _need(name, names, choice, tuple(used)) for name, used in sorted(users.items())}
    for need in list(needs.values()):
        _add_fallbacks(need, needs, names, choice)
    own = (_own(actor, plan.credentials) for actor in plan.actors if not actor.models)
    return [*needs.values(), *(each for each in own if each is not None)]


def _add_fallbacks(need: Need, needs: dict[str, Need], names: Names, choice: Choice) -> None:
    for route in need.routes if choice.instead is None else ():
        for name in route.given.settings.get("fallback", ()):
            known = needs.get(name)
            found = known or _need(name, names, choice, ())
            if need.name not in found.falls_back_from:
                needs[name] = _with_origin(found, need.name)


def _with_origin(need: Need, name: str) -> Need:
    return Need(
        name=need.name,
        used_by=need.used_by,
        falls_back_from=(*need.falls_back_from, name),
        why=need.why,
        routes=need.routes,
    )


def _need(name: str, names: Names, choice: Choice, used_by: tuple[str, ...]) -> Need:
    found = names.found(name)
    routes = tuple(map(_route, names.answering(name)))
    return Need(name=name, used_by=used_by, why=_why(name, found, choice), routes=routes)


def _why(name: str, found: Model | None, choice: Choice) -> str:
    if found is None:
        return f"nothing answers: neither declared, nor `PROVIDER/MODEL`, nor `{ANY}`"
    declared = any(model.name == name for model in choice.models)
    if choice.instead is not None:
        reason = "`--model`"
    elif declared:
        reason = "declared"
    else:
        reason = "its name begins with a provider" if split(name) else f'`[models."{ANY}"]`'
    if found.kind == BALANCED:
        reason += f", balanced over {len(found.settings['targets'])}"
    if found.kind == "litellm":
        reasons = map(why_proxy, found.settings["entries"])
        only = next((each for each in reasons if each), '`proxy = "always"`')
        reason += f", proxy: {only}"
    return reason


def _route(given: Model) -> Route:
    if given.kind == "cassette":
        return Route(given=given, by=given.kind, model=given.settings.get("model", ""))
    try:
        model = Directory((given,)).first(given.name)
    except (UnusableModel, ModelError) as error:
        provider, name = given.settings.get("provider"), given.settings.get("model", given.name)
        return Route(given=given, by=given.kind, provider=provider, model=name, problem=str(error))
    facts: dict[str, Any] = {"context_window": model.context_window, "price": model.price}
    if given.kind == "litellm":
        return _proxied(given, facts)
    if not isinstance(model.upstream, Endpoint):
        return Route(given=given, by=given.kind, **facts)
    target = model.upstream.target
    provider, problem = target.provider, None
    try:
        has_key = target.key() is not None
    except ModelError as error:
        has_key, problem = False, str(error)
    return Route(
        given=given,
        by=given.kind,
        model=target.model,
        provider=given.settings.get("provider"),
        url=target.url,
        keys=() if problem is None and not has_key else _keys(given, provider, is_set=has_key),
        start=provider.start,
        problem=problem,
        **facts,
    )


def _keys(given: Model, provider: Provider, *, is_set: bool) -> tuple[Key, ...]:
    source = given.settings.get("api_key")
    if source is not None:
        return (Key(variable=source.get("env"), file=source.get("file"), is_set=is_set),)
    import os

    variable = provider.key(os.environ) or provider.keys[0]
    return (Key(variable=variable, is_set=is_set, page=provider.key_page),)


def _proxied(given: Model, facts: Mapping[str, Any]) -> Route:
    import os

    entries = given.settings["entries"]
    known = {**os.environ, **given.settings["proxy"].get("env_overrides", {})}
    names = dict.fromkeys(name for each in entries for name in _references(each))
    keys = tuple(Key(variable=name, is_set=bool(known.get(name))) for name in names)
    missing = " and ".join(f"`{key.variable}`" for key in keys if not key.is_set)
    return Route(
        given=given,
        by=given.kind,
        model=", ".join(str(each.get("model", given.name)) for each in entries),
        keys=keys,
        problem=f"the environment variable {missing} is not set" if missing else None,
        **facts,
    )


def _references(value: Any) -> Iterator[str]:
    """Variables that `os.environ/NAME` anywhere in a value names."""
    if isinstance(value, str):
        yield from _REFERENCE.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)


def _own(actor: Actor, credentials: Sequence[Credential]) -> Need | None:
    """The model of an actor whose config has an endpoint of its own."""
    if "base_url" not in actor.config:
        return None
    import tomllib

    config = tomllib.loads(actor.config)
    url, name = config.get("base_url"), config.get("model_name")
    if not isinstance(url, str) or not url or not isinstance(name, str):
        return None
    settings: dict[str, Any] = {"base_url": url, "model": name, "stream": False}
    host = urlsplit(url).hostname
    for each in credentials:
        if (each.host, each.header, each.prefix) == (host, "Authorization", "Bearer "):
            settings["api_key"] = {"env": each.variable}
    given = Model(name=f"{name} of {actor.name}", kind="endpoint", settings=settings)
    why = f"`base_url` in the config of `{actor.name}`"
    return Need(name=name, used_by=(actor.name,), why=why, routes=(_route(given),))
