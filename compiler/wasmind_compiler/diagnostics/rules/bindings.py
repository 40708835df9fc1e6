"""WM16: key bindings of the terminal interface."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Example, Rule


def _example(failing: str, fixed: str) -> Example:
    app = 'starting_actors = ["echo"]\n\n[actors.echo]\nsource = { path = "echo" }\n\n'
    return Example(failing=f"{app}{failing}\n", fixed=f"{app}{fixed}\n")


BAD_KEY = Rule(
    code="WM1601",
    title="key that cannot be bound",
    explanation="""
A key is `modifier-…-key`. Modifiers are `ctrl`, `shift`, `alt` and `cmd`, which means alt. Keys are
single ASCII characters except `-`, and `esc`, `enter`, `tab`, `backtab`, `backspace`, `delete`,
`insert`, `up`, `down`, `left`, `right`, `home`, `end`, `pageup`, `pagedown`, `space`.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"ctrl+x" = "Assist"',
        '[tui.chat.key_bindings]\n"ctrl-x" = "Assist"',
    ),
)

BOUND_TWICE = Rule(
    code="WM1602",
    title="one key bound twice",
    explanation="""
Letter case and the order of modifiers do not matter, so two spellings may name one key.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"ctrl-alt-x" = "Assist"\n"Alt-Ctrl-X" = "ToggleToolExpansion"',
        '[tui.chat.key_bindings]\n"ctrl-alt-x" = "Assist"\n"ctrl-alt-t" = "ToggleToolExpansion"',
    ),
)

BOUND_IN_TWO_TABLES = Rule(
    code="WM1603",
    title="one key in two tables",
    severity=Severity.WARNING,
    explanation="""
The dashboard takes its keys first and nobody else sees them. Keys of the graph reach the chat, too.
""",
    example=_example(
        '[tui.dashboard.key_bindings]\n"ctrl-x" = "Exit"\n\n'
        '[tui.chat.key_bindings]\n"ctrl-x" = "Assist"',
        '[tui.dashboard.key_bindings]\n"ctrl-x" = "Exit"\n\n'
        '[tui.chat.key_bindings]\n"ctrl-y" = "Assist"',
    ),
)

NOTHING_BOUND = Rule(
    code="WM1604",
    title="necessary action without a key",
    explanation="""
Without a key for `Exit` the interface cannot be left, without one for `Assist` nothing can be sent.
`clear_defaults` removes the default keys, also where no others are given.
""",
    example=_example(
        "[tui.chat]\nclear_defaults = true",
        '[tui.chat]\nclear_defaults = true\nkey_bindings = { "ctrl-x" = "Assist" }',
    ),
)

UNREACHABLE_KEY = Rule(
    code="WM1605",
    title="key that a terminal does not send",
    severity=Severity.WARNING,
    explanation="""
Terminals send the same for Ctrl-M and Enter, Ctrl-I and Tab, Ctrl-H and Backspace, Ctrl-[ and Esc,
and an upper-case letter for Shift and a letter.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"ctrl-m" = "Assist"',
        '[tui.chat.key_bindings]\n"ctrl-x" = "Assist"',
    ),
)

PLAIN_CHARACTER = Rule(
    code="WM1606",
    title="character that can no longer be typed",
    severity=Severity.WARNING,
    explanation="""
A key without a modifier that types a character is missing in every prompt once it is bound.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"x" = "Assist"',
        '[tui.chat.key_bindings]\n"ctrl-x" = "Assist"',
    ),
)

OTHER_TABLE = Rule(
    code="WM1607",
    title="action of another table",
    explanation="""
Every table under `[tui]` has its own actions: the dashboard `Exit` and `InterruptAgent`, the chat
`Assist` and `ToggleToolExpansion`, the graph `SelectUp` and `SelectDown`.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"ctrl-x" = "Exit"',
        '[tui.dashboard.key_bindings]\n"ctrl-x" = "Exit"',
    ),
)

RESERVED_KEY = Rule(
    code="WM1608",
    title="key that a terminal may keep",
    severity=Severity.NOTE,
    explanation="""
Ctrl-Z may stop the program, Ctrl-S and Ctrl-Q may stop and resume its output. Whether they reach
the interface depends on the terminal.
""",
    example=_example(
        '[tui.chat.key_bindings]\n"ctrl-s" = "Assist"',
        '[tui.chat.key_bindings]\n"ctrl-x" = "Assist"',
    ),
)
