"""9.3: values of the wrong type or out of range."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"

CLASSES: Final = (
    Defect(
        title="quoted boolean",
        area="9.3",
        code="WM0203",
        typo=True,
        instances=(
            P("offline", "app.toml", "auto_spawn = true", 'auto_spawn = ⟦"true"⟧'),
            P("network", "app.toml", "clear_defaults = true", 'clear_defaults = ⟦"true"⟧'),
            P("network", COORDINATOR, "auto_spawn = true", "auto_spawn = ⟦'true'⟧"),
        ),
    ),
    Defect(
        title="quoted number",
        area="9.3",
        code="WM0203",
        typo=True,
        instances=(
            P("network", "app.toml", "port = 4100", 'port = ⟦"4100"⟧'),
            P("experts", "app.toml", "intensity = 5", 'intensity = ⟦"5"⟧'),
            P("support", "app.toml", "mailbox_mib = 16", 'mailbox_mib = ⟦"16"⟧'),
        ),
    ),
    Defect(
        title="one name instead of a list",
        area="9.3",
        code="WM0203",
        fixable=True,
        instances=(
            P("deep", "app.toml", 'starting_actors = ["plant"]', 'starting_actors = ⟦"plant"⟧'),
            P(
                "offline",
                "app.toml",
                'required_spawn_with = ["bash"]',
                'required_spawn_with = ⟦"bash"⟧',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                'required_spawn_with = ["hall"]',
                'required_spawn_with = ⟦"hall"⟧',
            ),
        ),
    ),
    Defect(
        title="element of the wrong type",
        area="9.3",
        code="WM0203",
        instances=(
            P(
                "support",
                "app.toml",
                '["front_desk", "billing", "technical"]',
                '["front_desk", ⟦7⟧, "technical"]',
            ),
            P("support", "app.toml", "ports = [443]", 'ports = [⟦"https"⟧]'),
            P(
                "network",
                COORDINATOR,
                '    "planner",\n    "wait",\n]',
                '    "planner",\n    ⟦true⟧,\n]',
            ),
        ),
    ),
    Defect(
        title="section that is no table",
        area="9.3",
        code="WM0203",
        instances=(
            P("network", "app.toml", "[actors.delegation_network_coordinator]", "⟦[[actors]]⟧"),
            P(
                "compact",
                "app.toml",
                'tui.chat.key_bindings = { "ctrl-a" = "Assist" }',
                "tui = ⟦true⟧",
            ),
            P(
                "deep",
                "shared/clock/Wasmind.toml",
                'actor_id = "factory:clock"\n',
                'actor_id = "factory:clock"\ndependencies = ⟦[]⟧\n',
            ),
        ),
    ),
    Defect(
        title="settings that are no table",
        area="9.3",
        code="WM0203",
        instances=(
            P("network", COORDINATOR, "config = { check_interval = 60 }", "config = ⟦60⟧"),
            P("experts", "app.toml", "config = { allow_edits = false }", "config = ⟦false⟧"),
            P(
                "deep",
                "lines/machine/Wasmind.toml",
                'config = { unit = "kelvin", samples = 10 }',
                'config = ⟦"kelvin"⟧',
            ),
        ),
    ),
    Defect(
        title="number out of range",
        area="9.3",
        code="WM0205",
        instances=(
            P("network", "app.toml", "port = 4100", "port = ⟦70000⟧"),
            P("support", "app.toml", "ports = [443]", "ports = [⟦0⟧]"),
            P("offline", "app.toml", "depth = 2", "depth = ⟦-1⟧"),
            P("network", "app.toml", "compute_seconds = 20", "compute_seconds = ⟦0⟧"),
        ),
    ),
    Defect(
        title="misspelled word of a fixed set",
        area="9.3",
        code="WM0205",
        typo=True,
        instances=(
            P("experts", "app.toml", 'policy = "permanent"', 'policy = ⟦"permanant"⟧'),
            P("support", "app.toml", 'policy = "transient"', 'policy = ⟦"Transient"⟧'),
            P("offline", "demo.model.toml", 'role = "user"', 'role = ⟦"usr"⟧'),
        ),
    ),
    Defect(
        title="misspelled kind of a model",
        area="9.3",
        code="WM0205",
        typo=True,
        instances=(
            P("offline", "app.toml", 'kind = "scripted"', 'kind = ⟦"script"⟧'),
            P("compact", "app.toml", 'kind = "scripted"', 'kind = ⟦"scipted"⟧'),
            P("offline", "app.toml", 'kind = "scripted"', 'kind = ⟦"Scripted"⟧'),
        ),
    ),
    Defect(
        title="missing key of a table",
        area="9.3",
        code="WM0204",
        instances=(
            P(
                "offline",
                "app.toml",
                '[models.demo]\nkind = "scripted"\nscript = "demo.model.toml"\n',
                '⟦[models.demo]⟧\nkind = "scripted"\n',
            ),
            P(
                "support",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "large"\n',
                "⟦[[litellm.models]]⟧\n",
            ),
            P(
                "support",
                "app.toml",
                '[[run.credentials]]\nhost = "tickets.example.org"\nvariable = "TICKET_TOKEN"\n',
                '⟦[[run.credentials]]⟧\nhost = "tickets.example.org"\n',
            ),
        ),
    ),
    Defect(
        title="manifest without actor_id",
        area="9.6",
        code="WM0204",
        instances=(
            P(
                "support",
                "mailer/Wasmind.toml",
                'actor_id = "support:mailer"\nversion',
                "⟦v⟧ersion",
            ),
            P("deep", "shared/clock/Wasmind.toml", 'actor_id = "factory:clock"\n', "⟦#⟧ a clock\n"),
            P(
                "offline",
                "actors/execute_bash/Wasmind.toml",
                'actor_id = "wasmind:execute_bash"\ndisplay',
                "⟦d⟧isplay",
            ),
        ),
    ),
    Defect(
        title="malformed actor_id",
        area="9.6",
        code="WM0446",
        fixable=True,
        instances=(
            P(
                "support",
                "mailer/Wasmind.toml",
                '"support:mailer"',
                '"⟦S⟧upport:mailer"',
                fixed='"support:mailer"',
            ),
            P(
                "deep",
                "shared/clock/Wasmind.toml",
                '"factory:clock"',
                '"factory:wall⟦ ⟧clock"',
                fixed='"factory:wall_clock"',
            ),
            P(
                "offline",
                "actors/execute_bash/Wasmind.toml",
                '"wasmind:execute_bash"',
                '"wasmind:⟦E⟧xecute_bash"',
                fixed='"wasmind:execute_bash"',
            ),
        ),
    ),
    Defect(
        title="actor_id without namespace",
        area="9.6",
        code="WM0446",
        instances=(
            P("support", "mailer/Wasmind.toml", '"support:mailer"', '⟦"mailer"⟧'),
            P("deep", "shared/clock/Wasmind.toml", '"factory:clock"', '⟦"factory:hall:clock"⟧'),
            P("network", "actors/wait/Wasmind.toml", '"wasmind:wait"', '⟦"wasmind:"⟧'),
        ),
    ),
    Defect(
        title="unusable name of an actor",
        area="9.3",
        code="WM0205",
        instances=(
            P(
                "offline",
                "app.toml",
                "[actors.bash]\n",
                '[actors.⟦" bash"⟧]\n',
                also=(("app.toml", "[actors.bash.grants]", '[actors." bash".grants]'),),
            ),
            P("deep", "app.toml", "", '\n[actors.⟦""⟧]\nsource = { path = "observer" }\n'),
            P("support", "app.toml", "", '\n[actors.⟦"a\\tb"⟧]\nsource = { path = "mailer" }\n'),
        ),
    ),
)
