"""What is wrong with the key bindings of a config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wasmind_compiler.diagnostics import Collector, Diagnostic, Edit, Fix, Label, Span
from wasmind_compiler.diagnostics.rules import bindings as rules
from wasmind_compiler.diagnostics.rules import shape
from wasmind_compiler.diagnostics.suggestions import advice, nearest
from wasmind_compiler.frontend.bindings import (
    DEFAULTS,
    MANDATORY,
    OTHER_MODIFIERS,
    BadKeyError,
    Binding,
    effective,
    entries,
    is_key,
    is_plain_character,
    is_reserved,
    is_swapped,
    normal_form,
    same_for_terminals,
)
from wasmind_compiler.frontend.key_path import quoted
from wasmind_compiler.frontend.rewriting import move_to
from wasmind_compiler.frontend.tables import Table

_KEYS: Final = frozenset({"clear_defaults", "key_bindings"})


def explain(tui: Table) -> Iterator[Diagnostic]:
    """Everything about the `[tui]` table of a config."""
    bound: list[Binding] = []
    for section in DEFAULTS:
        own: list[Binding] = []
        faulty = False
        for written, action, table in entries(tui, section):
            # An action that is none here, or is written in the key's place, is reported as that.
            faulty = faulty or action not in DEFAULTS[section].values()
            read = None if is_swapped(written, action) else _read(section, written, action, table)
            if isinstance(read, Diagnostic):
                faulty = True
                yield read
            elif read is not None:
                own.append(read)
        twice = list(_twice(own))
        faulty = faulty or bool(twice)
        yield from twice
        for binding in own:
            yield from _typing(binding)
        if not faulty:
            yield from _whole(tui, section, own)
        bound += own
    yield from _in_two_tables(bound)


def _read(section: str, written: str, action: str, table: Table) -> Binding | Diagnostic:
    try:
        combination = normal_form(written)
    except BadKeyError as error:
        return _bad_key(written, table, error)
    return Binding(
        section=section, written=written, combination=combination, action=action, table=table
    )


def report_misplaced_actions(tui: Table, collector: Collector) -> None:
    """Report actions of other tables as such, instead of as values that are not allowed."""
    for section in DEFAULTS:
        for written, action, table in entries(tui, section):
            if is_swapped(written, action):
                collector.replace(shape.BAD_VALUE, _swapped(written, action, table))
                continue
            owner = next((name for name, keys in DEFAULTS.items() if action in keys.values()), None)
            if owner is not None and owner != section:
                found = rules.OTHER_TABLE.at(
                    table.document.value((*table.path, written)),
                    f"`{action}` is an action of `tui.{owner}`",
                    help=f"move it into `[tui.{owner}.key_bindings]`",
                    fix=move_to(
                        table.document,
                        (*table.path, written),
                        (*tui.path, owner, "key_bindings"),
                    ),
                )
                collector.replace(shape.BAD_VALUE, found)


def _swapped(written: str, action: str, table: Table) -> Diagnostic:
    document, path = table.document, (*table.path, written)
    key, value = document.key(path), document.value(path)
    title = f"write `{quoted(action)} = {quoted(written)}`"
    edits = (Edit(key, quoted(action)), Edit(value, quoted(written)))
    return rules.BAD_KEY.at(
        Span(file=key.file, start=key.start, end=value.end),
        f"`{written}` is an action, which stands behind its key",
        help=title,
        fix=Fix(title=title, edits=edits, applicability="always"),
    )


def _bad_key(written: str, table: Table, error: BadKeyError) -> Diagnostic:
    path = (*table.path, written)
    span = table.document.inside_key(path, error.start, error.end)
    corrected = written.replace("+", "-")
    if "+" in written and is_key(corrected):
        at = written.index("+")
        span = table.document.inside_key(path, at, at + 1)
        return _corrected(span, f"`{written}` is not a key", table, written, corrected)
    part = written[error.start : error.end]
    near = nearest(part, error.candidates)
    if part.lower() in OTHER_MODIFIERS:
        near = (OTHER_MODIFIERS[part.lower()],)
    if len(near) == 1:
        corrected = written[: error.start] + near[0] + written[error.end :]
        if is_key(corrected):
            return _corrected(span, str(error), table, written, corrected)
    return rules.BAD_KEY.at(
        span,
        str(error),
        help=advice(part, error.candidates, "known") if error.candidates else None,
    )


def _corrected(span: Span, message: str, table: Table, written: str, corrected: str) -> Diagnostic:
    whole = table.document.key((*table.path, written))
    fix = Fix(
        title=f"write `{corrected}`",
        edits=(Edit(whole, f'"{corrected}"'),),
        applicability="always",
    )
    return rules.BAD_KEY.at(span, message, help=f"did you mean `{corrected}`?", fix=fix)


def _place(binding: Binding) -> Span:
    return binding.table.document.key((*binding.table.path, binding.written))


def _twice(own: Sequence[Binding]) -> Iterator[Diagnostic]:
    first: dict[str, Binding] = {}
    for binding in own:
        earlier = first.setdefault(binding.combination, binding)
        if earlier is not binding:
            yield rules.BOUND_TWICE.at(
                _place(binding),
                f"`{binding.written}` and `{earlier.written}` are the same key",
                labels=(Label(_place(earlier), "first bound here"),),
                help="keep one of them",
            )


def _in_two_tables(bound: Sequence[Binding]) -> Iterator[Diagnostic]:
    first: dict[str, Binding] = {}
    for binding in bound:
        earlier = first.setdefault(binding.combination, binding)
        if earlier.section != binding.section:
            who = f"`tui.{earlier.section}`"
            yield rules.BOUND_IN_TWO_TABLES.at(
                _place(binding),
                f"`{binding.combination}` is also bound in {who}",
                labels=(Label(_place(earlier), "this one gets the key"),),
                help="choose another key for one of them",
            )


def _typing(binding: Binding) -> Iterator[Diagnostic]:
    sent = same_for_terminals(binding.combination)
    if sent is not None:
        yield rules.UNREACHABLE_KEY.at(
            _place(binding),
            f"most terminals send `{sent}` for `{binding.combination}`",
            help="choose another key",
        )
    elif is_reserved(binding.combination):
        yield rules.RESERVED_KEY.at(
            _place(binding),
            f"terminals may keep `{binding.combination}` for job or flow control",
            help="choose another key",
        )
    if is_plain_character(binding.combination) and binding.section != "graph":
        yield rules.PLAIN_CHARACTER.at(
            _place(binding),
            f"with this binding `{binding.combination}` can no longer be typed",
            help=f"add a modifier: `ctrl-{binding.combination}`",
        )


def _whole(tui: Table, section: str, own: Sequence[Binding]) -> Iterator[Diagnostic]:
    """What the table comes to in the end."""
    outer = tui.table(section)
    if outer is None or not _KEYS.issuperset(outer.values):
        return  # the keys may be under the key that nobody knows
    clear = outer.boolean("clear_defaults") is True
    if clear and "key_bindings" not in outer:
        yield rules.NOTHING_BOUND.at(
            outer.document.key((*outer.path, "clear_defaults")),
            f"`clear_defaults` without `key_bindings` leaves no key in `tui.{section}`",
            help="add `key_bindings`, or remove `clear_defaults`",
        )
        return
    actions = set(effective(section, own, clear_defaults=clear).values())
    wanted = MANDATORY.get(section)
    if wanted is not None and wanted not in actions:
        default = next(key for key, action in DEFAULTS[section].items() if action == wanted)
        yield rules.NOTHING_BOUND.at(
            outer.document.header(outer.path),
            f"no key is bound to `{wanted}`",
            help=f'add `"{default}" = "{wanted}"` to `key_bindings`',
        )
