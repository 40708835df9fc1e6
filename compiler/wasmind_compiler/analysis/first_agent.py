"""Whether the first agent makes sense: who is listed needlessly, and who answers the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wasmind_compiler.analysis.contract import Contract
from wasmind_compiler.diagnostics import Collector, Label
from wasmind_compiler.diagnostics.rules import names
from wasmind_compiler.resolution.graph import Resolution

#: How a user's words reach an agent.
_USER_MESSAGE: Final = "wasmind.common.assistant.AddMessage"


def check_first_agent(
    resolution: Resolution, contracts: Mapping[str, Contract], collector: Collector
) -> None:
    """Report starting actors that join anyway, and an agent in which nobody hears the user.

    Args:
        resolution: the resolved config.
        contracts: by logical name, of the actors that could be built.
        collector: takes the findings.
    """
    _report_redundant(resolution, collector)
    listed = resolution.config.starting_actors
    if not listed or any(name.text not in contracts for name in listed):
        return
    handled = [contracts[name].handles for name in resolution.starting if name in contracts]
    # An actor that does not say what it handles receives everything.
    if all(each is not None for each in handled) and not any(
        message.type == _USER_MESSAGE for each in handled for message in each or ()
    ):
        collector.add(
            names.NOBODY_LISTENS.at(
                resolution.config.document.value(("starting_actors",)),
                "nobody in the first agent listens to the user",
                help="add an assistant, or run it with messages of its own",
            )
        )


def _report_redundant(resolution: Resolution, collector: Collector) -> None:
    for name in resolution.config.starting_actors or ():
        actor = resolution.actors.get(name.text)
        if actor is None or not actor.auto_spawn:
            continue
        said = [entry for entry in actor.entries if entry.auto_spawn is not None]
        collector.add(
            names.REDUNDANT_START.at(
                name.span(),
                f"`{name.text}` joins every agent anyway",
                labels=(Label(said[-1].key("auto_spawn"), "because of this"),),
            )
        )
