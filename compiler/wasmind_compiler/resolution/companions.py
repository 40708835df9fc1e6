"""Companions: who must join an agent together with whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wasmind_compiler.diagnostics import Collector, Edit, Fix, Label
from wasmind_compiler.diagnostics.rules import agents, graph, names
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.key_path import quoted
from wasmind_compiler.frontend.tables import Name
from wasmind_compiler.resolution.found import Found

Companions = Mapping[str, Sequence[Name]]


def all_companions(
    required: Companions, most: int, collector: Collector
) -> dict[str, tuple[str, ...]]:
    """For each actor its companions and theirs, sorted, without itself and unknown names.

    Args:
        required: actor to the list that is in force for it.
        most: how many companions there may be, counted for each actor; a long chain of actors
            has as many as the square of its length.
        collector: takes the finding that there are more; then they are left out.
    """
    companions: dict[str, tuple[str, ...]] = {}
    left = most
    for name in required:
        companions[name] = _reachable(name, required, left)
        left -= len(companions[name])
        if left < 0:
            message = f"with those of `{name}` there are more than {most} companions"
            place = required[name][0].span()
            collector.add(graph.TOO_LARGE.at(place, message, help="shorten the chain it leads to"))
            return dict.fromkeys(required, ())
    return companions


def _reachable(start: str, required: Companions, enough: int) -> tuple[str, ...]:
    reached = {start}
    pending = [start]
    while pending and len(reached) <= enough + 1:
        for member in required[pending.pop()]:
            if member.text in required and member.text not in reached:
                reached.add(member.text)
                pending.append(member.text)
    return tuple(sorted(reached - {start}))


def is_unknown(name: str, named: Mapping[str, str], *, complete: bool) -> bool:
    """Whether it is a mistake that nobody declares a name.

    Manifests that could not be read may declare anything, so then a name has to look like one that
    is known, or be an actor_id. That they could not be read has been reported.
    """
    if name in named:
        return False
    return complete or name in named.values() or bool(nearest(name, named))


def check_companions(
    required: Companions, named: Mapping[str, str], *, complete: bool, collector: Collector
) -> None:
    """Report names that do not exist, that repeat, and that are the actor's own.

    Args:
        required: actor to the list that is in force for it.
        named: every declared logical name to its actor_id, empty where that is unknown.
        complete: every manifest could be read.
        collector: takes the findings.
    """
    for name, members in required.items():
        for member in members:
            if is_unknown(member.text, named, complete=complete):
                message = f"`{name}` requires `{member.text}`, which does not exist"
                help_line = unknown_name_advice(member.text, named)
                fix = unknown_name_fix(member, named)
                collector.add(
                    names.UNKNOWN_REQUIRED_ACTOR.at(member.span(), message, help=help_line, fix=fix)
                )
            elif member.text == name:
                message = f"`{name}` requires itself"
                collector.add(
                    names.REQUIRES_ITSELF.at(
                        member.span(), message, help="remove it", fix=_removal(member)
                    )
                )
        report_duplicates(members, collector)


def check_author_list(
    found: Found, required: Sequence[Name], named: Mapping[str, str], collector: Collector
) -> None:
    """Report companions in a manifest that it does not declare, and those a config leaves out.

    Args:
        found: the actor.
        required: the list in force for it.
        named: every declared logical name.
        collector: takes the findings.
    """
    listed = found.manifest.required_spawn_with
    if required and listed and required[0].document is not listed[0].document:
        in_force = {member.text for member in required}
        _report_dropped(
            found.name, required, [x for x in listed if x.text not in in_force], collector
        )
    declared = {entry.name for entry in found.manifest.dependencies} | {found.name}
    for member in listed:
        if member.text in named and member.text not in declared:
            message = (
                f"the manifest of `{found.name}` requires `{member.text}` but does not declare it"
            )
            help_line = f"add `[dependencies.{member.text}]` to it"
            collector.add(agents.UNDECLARED_COMPANION.at(member.span(), message, help=help_line))


def _report_dropped(
    name: str, required: Sequence[Name], dropped: Sequence[Name], collector: Collector
) -> None:
    if not dropped:
        return
    listed = ", ".join(f"`{member.text}`" for member in dropped)
    collector.add(
        agents.COMPANIONS_DROPPED.at(
            required[0].document.value(required[0].path[:-1]),
            f"this list replaces the one in the manifest of `{name}` and leaves out {listed}",
            labels=tuple(Label(member.span(), "required by the author") for member in dropped[:3]),
            help=f"add {listed}",
        )
    )


def report_duplicates(members: Sequence[Name], collector: Collector) -> None:
    """Report names that a list has more than once."""
    first: dict[str, Name] = {}
    for member in members:
        earlier = first.setdefault(member.text, member)
        if earlier is not member:
            labels = (Label(earlier.span(), "first listed here"),)
            message = f"`{member.text}` is listed twice"
            collector.add(
                names.DUPLICATE_NAME.at(
                    member.span(), message, labels=labels, help="remove it", fix=_removal(member)
                )
            )


def _removal(member: Name) -> Fix:
    # Not needed by configs without findings.
    from wasmind_compiler.frontend.rewriting import remove_element

    return remove_element(member.document, member.path)


def unknown_name_fix(member: Name, named: Iterable[str]) -> Fix | None:
    """The correction of a misspelled name, if only one is near."""
    near = nearest(member.text, named)
    if len(near) != 1:
        return None
    edit = Edit(member.span(), quoted(near[0]))
    return Fix(title=f"write `{near[0]}`", edits=(edit,), applicability="always")


def unknown_name_advice(name: str, named: Mapping[str, str]) -> str | None:
    """Help for a logical name that does not exist."""
    same_id = sorted(known for known, actor_id in named.items() if actor_id == name)
    if same_id:
        listed = ", ".join(f"`{known}`" for known in same_id)
        return f"`{name}` is an actor_id; the logical name is: {listed}"
    return advice(name, sorted(named), "actors")
