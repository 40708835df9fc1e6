"""Which models of a plan answer for a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wasmind.plan import Model
from wasmind.providers import split

#: Stands for every name that no other model has.
ANY: Final = "*"
#: Kind of several endpoints that share a name and are asked in turn.
BALANCED: Final = "balanced"


class Names:
    """Looks names up: among what is declared, then as `PROVIDER/MODEL`, then `*`.

    Args:
        models: of the plan.
        instead: answers for every name, whatever `models` say.
    """

    def __init__(self, models: Sequence[Model], instead: Model | None = None) -> None:
        self._declared = {model.name: model for model in models}
        self._instead = instead

    def found(self, name: str) -> Model | None:
        """What answers for a name, under the name it is known by; None if nothing does."""
        if self._instead is not None:
            return self._instead
        if (declared := self._declared.get(name)) is not None:
            return declared
        if (known := split(name)) is not None:
            settings = {"provider": known[0].name, "model": known[1]}
            return Model(name=name, kind="endpoint", settings=settings)
        any_other = self._declared.get(ANY)
        return None if any_other is None else any_other._replace(name=name)

    def answering(self, name: str) -> Sequence[Model]:
        """The same, with endpoints that share a name one by one; empty if nothing answers."""
        found = self.found(name)
        if found is None or found.kind != BALANCED:
            return () if found is None else (found,)
        return [
            Model(name=f"{found.name}#{number}", kind="endpoint", settings=settings)
            for number, settings in enumerate(found.settings["targets"], 1)
        ]
