"""Options that say which models answer in a run, whatever its config or bundle says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from wasmind.cassettes import DamagedCassette, is_cassette, read_cassette
from wasmind.cli import compiling
from wasmind.models import Choice
from wasmind.plan import Model, RunPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wasmind_compiler.pipeline import ModelsOutcome

#: Enough for the header line of a cassette.
_HEADER_BYTES: Final = 256
_Command = TypeVar("_Command", bound="Callable[..., Any]")


def options(command: _Command) -> _Command:
    """`--model` and `--models` for a command; see `choose`."""
    one = click.option(
        "--model",
        metavar="SPEC",
        help="Let one model answer every name: PROVIDER/MODEL, a declared name, a rules file or a "
        "cassette.",
    )
    many = click.option(
        "--models",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Take [models], [litellm] and [run.budget] from FILE.",
    )
    return one(many(command))


def choose(
    plan: RunPlan, model: str | None, models: Path | None, config: Path | None = None
) -> Choice:
    """The models of a run.

    Args:
        plan: what declares models by itself.
        model: `PROVIDER/MODEL`, a declared name, or the path of a rules file or a cassette; answers
            every name.
        models: a file whose models and budget are taken instead of those of the plan.
        config: what the plan was made from; cassettes beside it may be recorded.

    Raises:
        click.UsageError: `model` is none of these.
        SystemExit: a file has errors, which were shown.
    """
    choice = Choice.of(plan)
    if models is not None:
        with compiling.compilation():
            from wasmind_compiler import pipeline

            outcome = pipeline.models(models, compiling.environment())
        choice = choice._replace(models=_read(outcome), budget=outcome.budget)
        config = models
    if config is not None:
        choice = choice._replace(models=tuple(_recordable(choice.models, config.parent)))
    if model is None:
        return choice
    return choice.everything_by(model) or choice._replace(instead=_file(model, choice))


def _recordable(models: Iterable[Model], folder: Path) -> Iterator[Model]:
    """The models, with cassettes that know where to record."""
    for each in models:
        if each.kind == "cassette":
            path = (folder / each.settings["file"]).absolute()
            each = each._replace(settings={**each.settings, "path": str(path)})
        yield each


def _file(spec: str, choice: Choice) -> Model:
    path = Path(spec)
    if not path.is_file():
        raise click.UsageError(_unknown(spec, choice))
    with path.open("rb") as file:
        beginning = file.read(_HEADER_BYTES)
    return _cassette(path) if is_cassette(beginning) else _script(path)


def _cassette(path: Path) -> Model:
    try:
        recordings = read_cassette(path.read_bytes()).recordings
    except DamagedCassette as error:
        raise click.UsageError(f"`{path}` is a damaged cassette: {error}") from None
    settings = {"file": str(path), "record": "never", "recorded": recordings}
    return Model(name=path.name, kind="cassette", settings=settings)


def _script(path: Path) -> Model:
    with compiling.compilation():
        from wasmind_compiler import pipeline

        outcome = pipeline.script(path, compiling.environment())
    return _read(outcome)[0]


def _read(outcome: ModelsOutcome) -> tuple[Model, ...]:
    return compiling.result(outcome.report, outcome.models)


def _unknown(spec: str, choice: Choice) -> str:
    # Needed for a mistake only.
    import difflib

    from wasmind.providers import providers

    declared = [model.name for model in choice.models]
    _, slash, rest = spec.partition("/")
    ways = [*declared, *(f"{name}{slash}{rest}" for name in providers() if slash)]
    near = difflib.get_close_matches(spec, ways, 1)
    mean = f"; did you mean `{near[0]}`?" if near else ""
    known = ", ".join(f"`{name}`" for name in declared) or "none"
    return (
        f"`--model {spec}` is neither PROVIDER/MODEL (providers: {', '.join(providers())}), "
        f"nor a declared model ({known}), nor a file{mean}"
    )
