"""Messages that no actor of a system sends, or that none of them hears."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from wasmind_compiler.build.artifact import Artifact
from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.resolution.graph import Resolution

#: Host and interfaces send and hear messages too, whose types begin with this.
_SHARED: Final = "wasmind."


def check_messages(
    resolution: Resolution, artifacts: Mapping[str, Artifact], collector: Collector
) -> None:
    """Report messages without a sender or a listener.

    Args:
        resolution: the system.
        artifacts: of all actors that can be in an agent, by logical name.
        collector: takes the findings.
    """
    contracts = [artifact.contract for artifact in artifacts.values()]
    sent = {kind for each in contracts for kind in each.emits or ()}
    heard = {message.type for each in contracts for message in each.handles or ()}
    # An actor that does not say may send anything, and hears everything.
    unsent = _own(heard - sent) if all(each.emits is not None for each in contracts) else ()
    unheard = _own(sent - heard) if all(each.handles is not None for each in contracts) else ()
    if unsent or unheard:
        _report(resolution, artifacts, unsent, unheard, collector)


def _own(types: Collection[str]) -> frozenset[str]:
    return frozenset(kind for kind in types if not kind.startswith(_SHARED))


def _report(
    resolution: Resolution,
    artifacts: Mapping[str, Artifact],
    unsent: Collection[str],
    unheard: Collection[str],
    collector: Collector,
) -> None:
    # Loaded only for what is wrong.
    from wasmind_compiler.diagnostics.rules import contracts
    from wasmind_compiler.diagnostics.suggestions import advice

    for name, artifact in artifacts.items():
        source = resolution.actors[name].source
        for message in artifact.contract.handles or ():
            if message.type in unsent:
                collector.add(
                    contracts.NOBODY_SENDS.at(
                        artifact.span(message.place) or source.span(),
                        f"`{name}` waits for `{message.type}`, which no actor of the system sends",
                        help=advice(message.type, unheard, "sent and heard by nobody"),
                    )
                )
        for kind in artifact.contract.emits or ():
            if kind in unheard:
                collector.add(
                    contracts.NOBODY_HEARS.at(
                        artifact.span(artifact.contract.message_places.get(kind)) or source.span(),
                        f"`{name}` sends `{kind}`, which no actor of the system hears",
                        help=advice(kind, unsent, "waited for and sent by nobody"),
                    )
                )
