"""9.6: what dependencies lead to."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"
HEALTH: Final = "actors/check_health/Wasmind.toml"

CLASSES: Final = (
    Defect(
        title="dependency cycle by names",
        area="9.6",
        code="WM0407",
        instances=(
            P(
                "deep",
                "shared/clock/Wasmind.toml",
                "",
                '\n⟦[dependencies.hall]⟧\nsource = { path = "../../lines/hall" }\n',
            ),
            P(
                "network",
                "actors/planner/Wasmind.toml",
                "",
                "\n⟦[dependencies.delegation_network_coordinator]⟧\n"
                'source = { path = "../coordinator" }\n',
            ),
            P(
                "offline",
                "actors/execute_bash/Wasmind.toml",
                "",
                '\n⟦[dependencies.assistant]⟧\nsource = { path = "../assistant" }\n',
                also=(
                    (
                        "actors/assistant/Wasmind.toml",
                        "",
                        '\n[dependencies.bash]\nsource = { path = "../execute_bash" }\n',
                    ),
                ),
            ),
        ),
    ),
    Defect(
        title="dependency cycle under changing names",
        area="9.6",
        code="WM0407",
        instances=(
            P(
                "deep",
                "shared/clock/Wasmind.toml",
                "",
                '\n⟦[dependencies.factory_hall]⟧\nsource = { path = "../../lines/hall" }\n',
            ),
            P(
                "network",
                "actors/planner/Wasmind.toml",
                "",
                '\n⟦[dependencies.boss]⟧\nsource = { path = "../coordinator" }\n',
            ),
            P(
                "support",
                "mailer/Wasmind.toml",
                "",
                '\n⟦[dependencies.store]⟧\nsource = { path = "../ticket_store" }\n',
            ),
        ),
    ),
    Defect(
        title="dependency on itself",
        area="9.6",
        code="WM0440",
        instances=(
            P(
                "deep",
                "shared/valve/Wasmind.toml",
                "",
                '\n[dependencies.valve]\nsource = { path = ⟦"."⟧ }\n',
            ),
            P(
                "network",
                "actors/planner/Wasmind.toml",
                "",
                '\n[dependencies.second]\nsource = { path = ⟦"../planner"⟧ }\n',
            ),
            P(
                "support",
                "mailer/Wasmind.toml",
                "",
                '\n[dependencies.mailer]\nsource = { path = ⟦"../mailer/"⟧ }\n',
            ),
        ),
    ),
    Defect(
        title="one name for two actors",
        area="9.6",
        code="WM0408",
        instances=(
            P("deep", "shared/valve/Wasmind.toml", '"../../shared/clock"', '⟦"../../observer"⟧'),
            P("network", HEALTH, "", '\n[dependencies.planner]\nsource = { path = ⟦"../wait"⟧ }\n'),
            P("support", "ticket_store/Wasmind.toml", '"../audit"', '⟦"../mailer"⟧'),
        ),
    ),
    Defect(
        title="shared dependency with two settings",
        area="9.6",
        code="WM0409",
        instances=(
            P(
                "deep",
                "shared/valve/Wasmind.toml",
                '{ samples = 10, unit = "kelvin" }',
                '{ samples = ⟦20⟧, unit = "kelvin" }',
            ),
            P(
                "network",
                HEALTH,
                "",
                '\n[dependencies.read_file]\nsource = { path = "../file_interaction" }\n'
                "config = { allow_edits = true }\n",
                at=(COORDINATOR, "config = { allow_edits = ⟦false⟧ }"),
            ),
            P(
                "support",
                "billing/Wasmind.toml",
                "",
                '\n[dependencies.mailer]\nsource = { path = "../mailer" }\nauto_spawn = true\n',
                at=("ticket_store/Wasmind.toml", "auto_spawn = ⟦false⟧"),
            ),
        ),
    ),
    Defect(
        title="one actor_id for two actors",
        area="9.6",
        code="WM0441",
        instances=(
            P("deep", "shared/valve/Wasmind.toml", '"factory:valve"', '⟦"factory:sensor"⟧'),
            P(
                "network",
                "actors/planner/Wasmind.toml",
                '"wasmind:planner"',
                '"wasmind:wait"',
                at=("actors/wait/Wasmind.toml", '⟦"wasmind:wait"⟧'),
            ),
            P("support", "mailer/Wasmind.toml", '"support:mailer"', '⟦"support:audit"⟧'),
        ),
    ),
    Defect(
        title="settings schema that is missing or broken",
        area="9.9",
        code="WM0506",
        instances=(
            P(
                "support",
                "audit/settings.json",
                "",
                "}",
                at=("audit/Wasmind.toml", 'config_schema = ⟦"settings.json"⟧'),
            ),
            P("support", "ticket_store/Wasmind.toml", '"settings.json"', '⟦"setings.json"⟧'),
            P(
                "deep",
                "shared/sensor/actor.py",
                '"minimum": 1',
                '"minimum": "one"',
                at=("lines/machine/Wasmind.toml", '{ path = ⟦"../../shared/sensor"⟧ }'),
            ),
        ),
    ),
    Defect(
        title="syntax error in a manifest",
        area="9.6",
        code="WM010[0-9]",
        instances=(
            P(
                "deep",
                "shared/clock/Wasmind.toml",
                'actor_id = "factory:clock"',
                'actor_id = ⟦"⟧factory:clock',
            ),
            P(
                "network",
                "actors/wait/Wasmind.toml",
                'actor_id = "wasmind:wait"',
                'actor_id ⟦"wasmind:wait"⟧',
            ),
            P(
                "support",
                "mailer/Wasmind.toml",
                'version = "1.2.0"\n',
                'version = "1.2.0"\n⟦actor_id⟧ = "support:mail"\n',
            ),
        ),
    ),
)
