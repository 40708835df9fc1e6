"""Which models answer in a run: those of the plan, or what the user gives instead."""

from __future__ import annotations

from collections.abc import Iterator

from wasmind.plan import Budget, Model, RunPlan
from wasmind.providers import split
from wasmind.records import Record


class Choice(Record):
    """Models of a run.

    Attributes:
        models: by their names.
        budget: what may be spent on them.
        needed: names that actors use.
        instead: answers for every name.
    """

    models: tuple[Model, ...]
    budget: Budget | None = None
    needed: tuple[str, ...] = ()
    instead: Model | None = None

    @classmethod
    def of(cls, plan: RunPlan) -> Choice:
        """What the plan says."""
        return cls(plan.models, plan.budget, tuple(sorted(_needed(plan))))

    def everything_by(self, name: str) -> Choice | None:
        """The same, with one model for every name: a declared one, or `PROVIDER/MODEL`.

        Returns:
            None if there is no such model.
        """
        for model in self.models:
            if model.name == name:
                named = {"model": name, **model.settings} if model.kind == "endpoint" else None
                return self._replace(instead=model._replace(settings=named or model.settings))
        found = split(name)
        if found is None:
            return None
        settings = {"provider": found[0].name, "model": found[1]}
        model = Model(name=name, kind="endpoint", settings=settings)
        return self._replace(instead=model)

    @property
    def answers(self) -> bool:
        """Whether there is any model at all."""
        return bool(self.models or self.needed or self.instead)


def _needed(plan: RunPlan) -> Iterator[str]:
    for actor in plan.actors:
        yield from actor.models
