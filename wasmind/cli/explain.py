"""`wasmind explain`: the documentation of a code."""

from __future__ import annotations

import re
from typing import Final

import click

from wasmind.cli import compiling, terminal

_CODE: Final = re.compile(r"(?:WM)?(\d{1,4})")


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain the CODE of a problem, with an example of it and how it is mended.

    Without CODE, all codes are listed by area.

    \b
    wasmind explain WM0207

    Exit codes: 0 explained, 2 there is no such code.
    """
    with compiling.compilation():
        from wasmind_compiler.diagnostics import explain
        from wasmind_compiler.diagnostics.registry import all_rules
        from wasmind_compiler.diagnostics.suggestions import advice

    if code is None:
        terminal.result(explain.listing(), end="")
        return
    rules = {rule.code: rule for rule in all_rules()}
    wanted = _full(code)
    if wanted not in rules:
        hint = advice(wanted, list(rules), "codes") or "`wasmind explain` lists all codes"
        raise compiling.EnvironmentProblem(f"there is no code `{code}`; {hint}")
    terminal.result(explain.explanation(rules[wanted]), end="")


def _full(code: str) -> str:
    """A code as it is listed: people leave out the letters and zeros in front."""
    found = _CODE.fullmatch(code.upper())
    return f"WM{found.group(1):0>4}" if found else code.upper()
