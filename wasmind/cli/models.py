"""`wasmind models`: what answers for each model that a system needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wasmind.cli import compiling, model_choice, terminal
from wasmind.models.overview import Key, Need, Route, overview
from wasmind.runtime.errors import RuntimeFailure

if TYPE_CHECKING:
    from wasmind.models.ping import Pong
    from wasmind.plan import RunPlan
    from wasmind.prices import Price

#: Of the JSON form, which `schemas/models.schema.json` describes.
_VERSION: Final = 1
#: What answers from a file, at no price.
_FILES: Final = frozenset({"cassette", "scripted"})


@click.command(name="models")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), help="The same as TARGET.")
@click.option("--ping", "pings", is_flag=True, help="Send one tiny request to each.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
@model_choice.options
@click.pass_context
def command(
    ctx: click.Context,
    target: Path | None,
    config: Path | None,
    form: str,
    model: str | None,
    models: Path | None,
    *,
    pings: bool,
) -> None:
    """Show what answers for each model that a config or a bundle needs, and what it lacks.

    For each model: which actors name it, who answers and why, which variable holds the key and
    whether it is set, how much it can read, and what it costs. No key is ever shown.

    Without --ping nobody is asked anything; only ports of this machine are looked at. With it each
    model gets one request of a few tokens, which providers charge for.

    \b
    wasmind models
    wasmind models bundle --ping
    wasmind models --model ollama/llama3.2 --ping
    wasmind models --format json | jq '.models[] | select(.problems != [])'

    Exit codes: 0 nothing is missing, 1 something is, or the config has errors, 2 the request, the
    bundle or the machine is at fault.
    """
    try:
        plan = _plan(ctx, target, config, models_given=bool(model or models))
        needs = overview(plan, model_choice.choose(plan, model, models))
        pongs = _ping(needs) if pings else {}
    except RuntimeFailure as error:
        terminal.fail(str(error))
        sys.exit(2)
    silent = {} if pings else _silent(needs)
    shown = [_as_dict(need, pongs, silent) for need in needs]
    if form == "json":
        document = {"version": _VERSION, "models": shown}
        terminal.result(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        blocks = ["\n".join(_lines(*each)) for each in zip(needs, shown, strict=True)]
        terminal.result("\n\n".join(blocks) or "no actor names a model")
    sys.exit(1 if any(each["problems"] for each in shown) else 0)


def _plan(
    ctx: click.Context, target: Path | None, config: Path | None, *, models_given: bool
) -> RunPlan:
    """The plan of a bundle, or the one that a config would have."""
    before_verb = Path(ctx.obj) if isinstance(ctx.obj, str) else None
    named = {path for path in (target, config, before_verb) if path is not None}
    if len(named) == 1 and (folder := named.pop()).is_dir():
        from wasmind.runtime.bundle import open_bundle

        return open_bundle(folder).plan
    path = compiling.find_config(ctx, target, config)
    with compiling.compilation():
        from wasmind_compiler import pipeline

        surroundings = compiling.environment(models_given=models_given)
        outcome = pipeline.outline(path, surroundings)
    if outcome.plan is not None:
        # What is missing is said below, once.
        return outcome.plan
    return compiling.result(outcome.report, outcome.plan)


def _ping(needs: Sequence[Need]) -> Mapping[str, Pong]:
    from wasmind.models.ping import ping

    routes = [route for need in needs for route in need.routes if route.problem is None]
    asked = [route.given for route in routes if route.by not in _FILES]
    pongs = ping(asked, lambda text: terminal.status("LiteLLM", text), terminal.transient)
    terminal.transient("")
    return pongs


def _silent(needs: Sequence[Need]) -> Mapping[str, str]:
    """What to do about servers of this machine that do not run, by name of the model."""
    from wasmind.models.ping import is_silent

    found = {}
    for route in (route for need in needs for route in need.routes):
        if route.url and is_silent(route.url):
            start = f"; start it with `{route.start}`" if route.start else ""
            found[route.given.name] = f"nothing answers at {route.url}{start}"
    return found


def _as_dict(need: Need, pongs: Mapping[str, Pong], silent: Mapping[str, str]) -> dict[str, Any]:
    answers = [
        _answer(route, pongs.get(route.given.name), silent.get(route.given.name))
        for route in need.routes
    ]
    problems = [each["problem"] for each in answers if each["problem"]]
    return {
        "name": need.name,
        "used_by": need.used_by,
        "falls_back_from": need.falls_back_from,
        "why": need.why,
        "answers": answers,
        "problems": problems if answers else [need.why],
    }


def _answer(route: Route, pong: Pong | None, silent: str | None) -> dict[str, Any]:
    keys = [{"variable": key.variable, "file": key.file, "set": key.is_set} for key in route.keys]
    return {
        "by": route.by,
        "provider": route.provider,
        "model": route.model or None,
        "url": route.url,
        "keys": keys,
        "context_window": route.context_window,
        "price": None if route.price is None else _price(route.price),
        "ping": _latency(pong),
        "problem": route.problem or (silent if pong is None else pong.problem),
    }


def _latency(pong: Pong | None) -> dict[str, float | None] | None:
    if pong is None or pong.problem is not None:
        return None
    return {"seconds": pong.seconds, "first_token_seconds": pong.first_token}


def _price(price: Price) -> dict[str, float]:
    """Of short prompts, in USD per million tokens."""
    tier = price.tiers[0]
    return {"input": tier.input, "cached_input": tier.cached_input, "output": tier.output}


def _lines(need: Need, shown: Mapping[str, Any]) -> Iterator[str]:
    yield need.name
    if need.used_by:
        yield _line("used by", ", ".join(need.used_by))
    if need.falls_back_from:
        yield _line("fallback", f"of {', '.join(need.falls_back_from)}")
    yield _line("why", need.why)
    for route, answer in zip(need.routes, shown["answers"], strict=True):
        yield _line("answers", _who(route))
        yield from (_line("key", _key(key)) for key in route.keys)
        if route.context_window:
            yield _line("reads", f"{route.context_window:,} tokens")
        if route.by not in _FILES:
            yield _line("price", _cost(route.price))
        if pong := answer["ping"]:
            first = pong["first_token_seconds"]
            begun = "" if first is None else f", first token after {first:.2f} s"
            yield _line("ping", f"answered after {pong['seconds']:.2f} s{begun}")
        if answer["problem"] and not any(key.cure for key in route.keys):
            yield _line("problem", answer["problem"])


def _line(what: str, text: str) -> str:
    return f"  {what:<9} {text}"


def _who(route: Route) -> str:
    if route.by == "scripted":
        return "a script of rules"
    if route.by == "cassette":
        settings = route.given.settings
        records = settings.get("record", "never") != "never"
        source = f", records {settings['record']} from {route.model}" if records else ""
        return f"cassette {settings['file']}: {len(settings['recorded'])} recorded{source}"
    if route.by == "litellm":
        return f"the LiteLLM proxy of the run: {route.model}"
    where = f" at {route.url}" if route.url else ""
    return f"{route.provider or 'endpoint'}: {route.model}{where}"


def _key(key: Key) -> str:
    source = key.variable or f"the file {key.file}"
    if key.is_set:
        return f"{source} is set" if key.variable else source
    return f"{source} is not set: {key.cure}" if key.cure else f"{source} cannot be used"


def _cost(price: Price | None) -> str:
    if price is None:
        return "not known"
    tier = price.tiers[0]
    if not any((tier.input, tier.cached_input, tier.output)):
        return "free"
    longer = ", more for long prompts" if len(price.tiers) > 1 else ""
    return (
        f"${tier.input:g} in, ${tier.cached_input:g} cached, ${tier.output:g} out, "
        f"per million tokens{longer}"
    )
