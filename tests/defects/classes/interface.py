"""9.16: key bindings of the terminal interface."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

CLASSES: Final = (
    Defect(
        title="misspelled action",
        area="9.16",
        code="WM0205",
        typo=True,
        instances=(
            P("network", "app.toml", '"ctrl-a" = "Assist"', '"ctrl-a" = ⟦"Asist"⟧'),
            P("experts", "app.toml", '"shift-up" = "SelectUp"', '"shift-up" = ⟦"selectup"⟧'),
            P("compact", "app.toml", '"ctrl-a" = "Assist"', '"ctrl-a" = ⟦"assist"⟧'),
        ),
    ),
    Defect(
        title="action of another table",
        area="9.16",
        code="WM1607",
        instances=(
            P("network", "app.toml", '"esc" = "InterruptAgent"', '"esc" = ⟦"ToggleToolExpansion"⟧'),
            P("experts", "app.toml", '"shift-up" = "SelectUp"', '"shift-up" = ⟦"Exit"⟧'),
            P(
                "network",
                "app.toml",
                '"ctrl-t" = "ToggleToolExpansion"',
                '"ctrl-t" = ⟦"SelectDown"⟧',
            ),
        ),
    ),
    Defect(
        title="misspelled table of the interface",
        area="9.16",
        code="WM0201",
        typo=True,
        instances=(
            P("network", "app.toml", "[tui.dashboard]", "[tui.⟦dashbord⟧]"),
            P("experts", "app.toml", "[tui.graph]", "[tui.⟦grahp⟧]"),
            P("compact", "app.toml", "tui.chat.key_bindings", "tui.⟦chta⟧.key_bindings"),
        ),
    ),
    Defect(
        title="misspelled key of the interface",
        area="9.16",
        code="WM0201",
        typo=True,
        instances=(
            P("network", "app.toml", "clear_defaults = true", "⟦clear_default⟧ = true"),
            P("network", "app.toml", "[tui.chat.key_bindings]", "[tui.chat.⟦key_binding⟧]"),
            P("compact", "app.toml", "tui.chat.key_bindings", "tui.chat.⟦keybindings⟧"),
        ),
    ),
    Defect(
        title="unparsable key combination",
        area="9.16",
        code="WM1601",
        instances=(
            P("network", "app.toml", '"ctrl-a" = "Assist"', '"⟦ctl⟧-a" = "Assist"'),
            P("experts", "app.toml", '"shift-up" = "SelectUp"', '"shift-⟦upp⟧" = "SelectUp"'),
            P("compact", "app.toml", '"ctrl-a" = "Assist"', '"ctrl⟦+⟧a" = "Assist"'),
        ),
    ),
    Defect(
        title="one key twice",
        area="9.16",
        code="WM1602",
        instances=(
            P(
                "network",
                "app.toml",
                '"ctrl-t" = "ToggleToolExpansion"',
                '"ctrl-t" = "ToggleToolExpansion"\n⟦"Ctrl-A"⟧ = "ToggleToolExpansion"',
            ),
            P(
                "experts",
                "app.toml",
                '"shift-down" = "SelectDown"',
                '"shift-down" = "SelectDown", ⟦"Shift-Up"⟧ = "SelectDown"',
            ),
            P(
                "compact",
                "app.toml",
                '"ctrl-a" = "Assist"',
                '"ctrl-a" = "Assist", ⟦"CTRL-a"⟧ = "Assist"',
            ),
        ),
    ),
    Defect(
        title="no key left for what is needed",
        area="9.16",
        code="WM1604",
        instances=(
            P("network", "app.toml", '"ctrl-a" = "Assist"\n', "", at=("app.toml", "⟦[tui.chat]⟧")),
            P(
                "network",
                "app.toml",
                '[tui.dashboard]\nkey_bindings = { "ctrl-c" = "Exit",',
                "⟦[tui.dashboard]⟧\nclear_defaults = true\nkey_bindings = {",
            ),
            P(
                "experts",
                "app.toml",
                '[tui.chat]\nkey_bindings = { "ctrl-a" = "Assist",',
                "⟦[tui.chat]⟧\nclear_defaults = true\nkey_bindings = {",
            ),
        ),
    ),
    Defect(
        title="character that can no longer be typed",
        area="9.16",
        code="WM1606",
        instances=(
            P("network", "app.toml", '"ctrl-a" = "Assist"', '⟦"a"⟧ = "Assist"'),
            P("experts", "app.toml", '"esc" = "InterruptAgent"', '⟦"q"⟧ = "InterruptAgent"'),
            P(
                "compact",
                "app.toml",
                '"ctrl-a" = "Assist"',
                '"ctrl-a" = "Assist", ⟦"t"⟧ = "Assist"',
            ),
        ),
    ),
)
