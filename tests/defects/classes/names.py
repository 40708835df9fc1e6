"""9.4, 9.5: logical names, the first agent, overrides."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"

CLASSES: Final = (
    Defect(
        title="misspelled starting actor",
        area="9.4",
        code="WM0302",
        typo=True,
        instances=(
            P("offline", "app.toml", '["assistant", "bash"]', '[⟦"asistant"⟧, "bash"]'),
            P(
                "network",
                "app.toml",
                'starting_actors = ["delegation_network_coordinator"]',
                'starting_actors = [⟦"delegation-network-cordinator"⟧]',
            ),
            P(
                "support",
                "app.toml",
                '["front_desk", "billing", "technical"]',
                '["front_desk", "billing", ⟦"tecnical"⟧]',
            ),
        ),
    ),
    Defect(
        title="actor_id as starting actor",
        area="9.4",
        code="WM0302",
        instances=(
            P(
                "offline",
                "app.toml",
                '["assistant", "bash"]',
                '["assistant", ⟦"wasmind:execute_bash"⟧]',
            ),
            P("deep", "app.toml", '["plant"]', '[⟦"factory:plant"⟧]'),
            P(
                "support",
                "app.toml",
                '["front_desk", "billing", "technical"]',
                '["front_desk", ⟦"support:billing"⟧, "technical"]',
            ),
        ),
    ),
    Defect(
        title="starting actor listed twice",
        area="9.4",
        code="WM0303",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '["assistant", "bash"]',
                '["assistant", "bash", ⟦"assistant"⟧]',
                fixed='["assistant", "bash"]',
            ),
            P("deep", "app.toml", '["plant"]', '["plant", ⟦"plant"⟧]', fixed='["plant"]'),
            P(
                "experts",
                "app.toml",
                '    "execute_bash",\n    "conversation_compaction",\n',
                '    "execute_bash",\n    ⟦"root_assistant"⟧,\n    "conversation_compaction",\n',
                fixed='    "execute_bash",\n    "conversation_compaction",\n',
            ),
        ),
    ),
    Defect(
        title="empty first agent",
        area="9.4",
        code="WM0301",
        instances=(
            P(
                "support",
                "app.toml",
                '["front_desk", "billing", "technical"]',
                "⟦[]⟧",
                also=(("app.toml", "auto_spawn = true", "auto_spawn = false"),),
            ),
            P(
                "experts",
                "app.toml",
                '[\n    "root_assistant",\n'
                '    "file_interaction_with_approval",\n    "execute_bash",\n'
                '    "conversation_compaction",\n]',
                "⟦[]⟧",
            ),
            P(
                "deep",
                "app.toml",
                '["plant"]',
                "⟦[]⟧",
                also=(("app.toml", "auto_spawn = true", "auto_spawn = false"),),
            ),
        ),
    ),
    Defect(
        title="misspelled required actor",
        area="9.7",
        code="WM0304",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'required_spawn_with = ["bash"]',
                'required_spawn_with = [⟦"bsah"⟧]',
            ),
            P(
                "network",
                COORDINATOR,
                '    "planner",\n    "wait",\n',
                '    ⟦"planer"⟧,\n    "wait",\n',
            ),
            P("deep", "lines/machine/Wasmind.toml", '["sensor", "valve"]', '["sensor", ⟦"vale"⟧]'),
        ),
    ),
    Defect(
        title="required actor that nobody declares",
        area="9.7",
        code="WM0304",
        instances=(
            P("support", "app.toml", '["audit", "mailer"]', '["audit", ⟦"printer"⟧]'),
            P(
                "deep",
                "plant/Wasmind.toml",
                'required_spawn_with = ["hall"]',
                'required_spawn_with = ["hall", ⟦"office"⟧]',
            ),
            P(
                "compact",
                "app.toml",
                'required_spawn_with = ["files"]',
                'required_spawn_with = ["files", ⟦"shell"⟧]',
            ),
        ),
    ),
    Defect(
        title="actor that requires itself",
        area="9.7",
        code="WM0305",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'required_spawn_with = ["bash"]',
                'required_spawn_with = ["bash", ⟦"assistant"⟧]',
                fixed='required_spawn_with = ["bash"]',
            ),
            P(
                "deep",
                "lines/hall/Wasmind.toml",
                '["line", "clock"]',
                '[⟦"hall"⟧, "line", "clock"]',
                fixed='["line", "clock"]',
            ),
            P(
                "compact",
                "app.toml",
                'required_spawn_with = ["files"]',
                'required_spawn_with = ["files", ⟦"chat"⟧]',
                fixed='required_spawn_with = ["files"]',
            ),
        ),
    ),
    Defect(
        title="requirement listed twice",
        area="9.7",
        code="WM0303",
        fixable=True,
        instances=(
            P(
                "deep",
                "lines/hall/Wasmind.toml",
                '["line", "clock"]',
                '["line", "clock", ⟦"line"⟧]',
                fixed='["line", "clock"]',
            ),
            P(
                "support",
                "app.toml",
                '["audit", "mailer"]',
                '["audit", "mailer", ⟦"audit"⟧]',
                fixed='["audit", "mailer"]',
            ),
            P(
                "network",
                COORDINATOR,
                '    "planner",\n    "wait",\n',
                '    "planner",\n    ⟦"send_message"⟧,\n    "wait",\n',
                fixed='    "planner",\n    "wait",\n',
            ),
        ),
    ),
    Defect(
        title="required actor that is no dependency",
        area="9.7",
        code="WM0330",
        instances=(
            P(
                "deep",
                "plant/Wasmind.toml",
                'required_spawn_with = ["hall"]',
                'required_spawn_with = ["hall", ⟦"observer"⟧]',
            ),
            P(
                "support",
                "billing/Wasmind.toml",
                '["knowledge", "audit"]',
                '["knowledge", "audit", ⟦"mailer"⟧]',
            ),
            P(
                "network",
                "actors/wait/Wasmind.toml",
                'actor_id = "wasmind:wait"\n',
                'actor_id = "wasmind:wait"\nrequired_spawn_with = [⟦"planner"⟧]\n',
            ),
        ),
    ),
    Defect(
        title="list that drops what the author requires",
        area="9.7",
        code="WM0331",
        instances=(
            P(
                "support",
                "app.toml",
                'required_spawn_with = ["knowledge", "audit"]',
                'required_spawn_with = ⟦["knowledge"]⟧',
            ),
            P("support", "app.toml", '["audit", "mailer"]', '⟦["mailer"]⟧'),
            P(
                "network",
                "app.toml",
                'source = { path = "actors/coordinator" }\n',
                'source = { path = "actors/coordinator" }\nrequired_spawn_with = '
                '⟦["main_manager_assistant", "spawn_agent", "send_message", "planner", "wait"]⟧\n',
            ),
        ),
    ),
    Defect(
        title="misspelled override",
        area="9.5",
        code="WM0307",
        typo=True,
        instances=(
            P(
                "network",
                "app.toml",
                "[actor_overrides.worker_assistant.config]",
                "[actor_overrides.⟦worker_asistant⟧.config]",
            ),
            P(
                "deep",
                "app.toml",
                "[actor_overrides.sensor.config]",
                "[actor_overrides.⟦sensors⟧.config]",
            ),
            P(
                "compact",
                "app.toml",
                "actor_overrides.check_health_assistant",
                "actor_overrides.⟦check_health_asistant⟧",
            ),
            P(
                "deep",
                "app.toml",
                "[actor_overrides.valve.config.range]",
                "[actor_overrides.⟦valv⟧.config.range]",
            ),
        ),
    ),
    Defect(
        title="override of nothing",
        area="9.5",
        code="WM0307",
        instances=(
            P("offline", "app.toml", "", "\n⟦[actor_overrides.printer]⟧\nauto_spawn = true\n"),
            P(
                "support",
                "app.toml",
                "",
                "\n⟦[actor_overrides.shared_knowledge]⟧\nauto_spawn = true\n",
            ),
            P("experts", "app.toml", "", "\n[actor_overrides.⟦planner⟧.config]\nx = 1\n"),
        ),
    ),
    Defect(
        title="own actor that is overridden",
        area="9.5",
        code="WM0306",
        instances=(
            P("offline", "app.toml", "", "\n⟦[actor_overrides.bash]⟧\nauto_spawn = false\n"),
            P(
                "experts",
                "app.toml",
                "",
                "\n[actor_overrides.⟦execute_bash⟧.limits]\nmemory_mib = 64\n",
            ),
            P("deep", "app.toml", "", "\n[actor_overrides.⟦observer⟧.config]\ninterval = 9\n"),
        ),
    ),
    Defect(
        title="own actor with the name of another dependency",
        area="9.5",
        code="WM0410",
        instances=(
            P(
                "network",
                "app.toml",
                "",
                '\n⟦[actors.planner]⟧\nsource = { path = "actors/wait" }\n',
            ),
            P(
                "deep",
                "app.toml",
                "",
                '\n⟦[actors.clock]⟧\nsource = { path = "observer" }\nconfig = { interval = 1 }\n',
            ),
            P(
                "support",
                "app.toml",
                "",
                '\n⟦[actors.mailer]⟧\nsource = { path = "audit" }\nconfig = { level = "brief" }\n',
            ),
        ),
    ),
    Defect(
        title="own actor that is a dependency already",
        area="9.5",
        code="WM0411",
        instances=(
            P(
                "network",
                "app.toml",
                "",
                '\n⟦[actors.planner]⟧\nsource = { path = "actors/planner" }\n',
            ),
            P("deep", "app.toml", "", '\n⟦[actors.clock]⟧\nsource = { path = "shared/clock" }\n'),
            P("support", "app.toml", "", '\n⟦[actors.mailer]⟧\nsource = { path = "mailer" }\n'),
        ),
    ),
    Defect(
        title="required list in a dependency table",
        area="9.5",
        code="WM0412",
        instances=(
            P(
                "network",
                COORDINATOR,
                "[dependencies.wait]\n",
                '[dependencies.wait]\n⟦required_spawn_with⟧ = ["planner"]\n',
            ),
            P(
                "deep",
                "lines/line/Wasmind.toml",
                "[dependencies.machine]\n",
                '[dependencies.machine]\n⟦required_spawn_with⟧ = ["clock"]\n',
            ),
            P(
                "support",
                "ticket_store/Wasmind.toml",
                "auto_spawn = false",
                'auto_spawn = false\n⟦required_spawn_with⟧ = ["audit"]',
            ),
        ),
    ),
    Defect(
        title="actor that nothing spawns",
        area="9.7",
        code="WM0308",
        instances=(
            P(
                "offline",
                "app.toml",
                "",
                '\n⟦[actors.wait]⟧\nsource = { path = "actors/wait" }\n',
            ),
            P(
                "experts",
                "app.toml",
                "",
                '\n⟦[actors.waiting]⟧\nsource = { path = "actors/wait" }\n',
            ),
            P(
                "deep",
                "app.toml",
                '[actors.observer]\nsource = { path = "observer" }\nauto_spawn = true',
                '⟦[actors.observer]⟧\nsource = { path = "observer" }\nauto_spawn = false',
            ),
        ),
    ),
    Defect(
        title="dependency that nothing spawns",
        area="9.6",
        code="WM0444",
        instances=(
            P(
                "support",
                "ticket_store/Wasmind.toml",
                "",
                '\n⟦[dependencies.printer]⟧\nsource = { path = "../local_knowledge" }\n'
                'config = { language = "en" }\n',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                "",
                '\n⟦[dependencies.spare]⟧\nsource = { path = "../shared/clock" }\n',
            ),
            P(
                "deep",
                "shared/valve/Wasmind.toml",
                'required_spawn_with = ["clock", "sensor"]',
                'required_spawn_with = ["clock"]',
                at=("lines/machine/Wasmind.toml", "⟦[dependencies.sensor]⟧"),
                also=(("lines/machine/Wasmind.toml", '["sensor", "valve"]', '["valve"]'),),
            ),
        ),
    ),
    Defect(
        title="names that differ only in letter case",
        area="9.3",
        code="WM0310",
        instances=(
            P(
                "offline",
                "app.toml",
                "",
                '\n⟦[actors.Bash]⟧\nsource = { path = "actors/wait" }\n',
            ),
            P("deep", "app.toml", "", '\n⟦[actors.Plant]⟧\nsource = { path = "shared/clock" }\n'),
            P("support", "app.toml", "", '\n⟦[actors.Billing]⟧\nsource = { path = "mailer" }\n'),
        ),
    ),
    Defect(
        title="override that changes nothing",
        area="9.5",
        code="WM0313",
        instances=(
            P("network", "app.toml", "", "\n⟦[actor_overrides.planner]⟧\n"),
            P(
                "deep",
                "app.toml",
                'unit = "celsius"',
                'unit = "kelvin"',
                at=("app.toml", "[actor_overrides.⟦sensor⟧.config]"),
            ),
            P("support", "app.toml", "", "\n⟦[actor_overrides.mailer]⟧\nauto_spawn = false\n"),
        ),
    ),
)
