"""9.3: keys that tables do not know."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"

CLASSES: Final = (
    Defect(
        title="misspelled top-level table",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "app.toml", "[models.demo]", "[⟦model⟧.demo]"),
            P(
                "support",
                "app.toml",
                "[actor_overrides.knowledge]\n",
                "[⟦actor_override⟧.knowledge]\n",
                also=(
                    (
                        "app.toml",
                        "[actor_overrides.knowledge.config]",
                        "[actor_override.knowledge.config]",
                    ),
                    ("app.toml", "[actor_overrides.audit]", "[actor_override.audit]"),
                    ("app.toml", "[actor_overrides.audit.config]", "[actor_override.audit.config]"),
                    ("app.toml", "[actor_overrides.ticket_store]", "[actor_override.ticket_store]"),
                    (
                        "app.toml",
                        "[actor_overrides.ticket_store.grants]",
                        "[actor_override.ticket_store.grants]",
                    ),
                    (
                        "app.toml",
                        "[actor_overrides.ticket_store.limits]",
                        "[actor_override.ticket_store.limits]",
                    ),
                    (
                        "app.toml",
                        "[actor_overrides.ticket_store.restart]",
                        "[actor_override.ticket_store.restart]",
                    ),
                ),
            ),
            P("offline", "app.toml", "starting_actors = [", "⟦startng_actors⟧ = ["),
            P("compact", "app.toml", "tui.chat.key_bindings", "⟦tiu⟧.chat.key_bindings"),
        ),
    ),
    Defect(
        title="misspelled key of an actor",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "app.toml", "auto_spawn = true", "⟦auto_spwan⟧ = true"),
            P(
                "support",
                "app.toml",
                'required_spawn_with = ["knowledge", "audit"]',
                '⟦require_spawn_with⟧ = ["knowledge", "audit"]',
            ),
            P("compact", "app.toml", "auto_spawn = true }", "⟦auto-spawn⟧ = true }"),
            P("offline", "app.toml", "[actors.bash.grants]", "[actors.bash.⟦grant⟧]"),
        ),
    ),
    Defect(
        title="misspelled key of an override",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("support", "app.toml", "auto_spawn = true", "⟦autospawn⟧ = true"),
            P(
                "support",
                "app.toml",
                "[actor_overrides.ticket_store.limits]",
                "[actor_overrides.ticket_store.⟦limit⟧]",
            ),
            P(
                "network",
                "app.toml",
                "[actor_overrides.worker_assistant.config]",
                "[actor_overrides.worker_assistant.⟦confg⟧]",
            ),
        ),
    ),
    Defect(
        title="misspelled key of a dependency",
        area="9.6",
        code="WM0201",
        typo=True,
        instances=(
            P("network", COORDINATOR, "auto_spawn = true", "⟦auto_spanw⟧ = true"),
            P(
                "network",
                COORDINATOR,
                "config = { check_interval = 60 }",
                "⟦confg⟧ = { check_interval = 60 }",
            ),
            P("support", "ticket_store/Wasmind.toml", "auto_spawn = false", "⟦auto_spawm⟧ = false"),
        ),
    ),
    Defect(
        title="misspelled key of a manifest",
        area="9.6",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "actors/assistant/Wasmind.toml", "display_name", "⟦displayname⟧"),
            P("support", "mailer/Wasmind.toml", "version", "⟦verson⟧"),
            P("deep", "lines/hall/Wasmind.toml", "required_spawn_with", "⟦required_spawn_wiht⟧"),
            P("support", "audit/Wasmind.toml", "config_schema", "⟦config_schme⟧"),
        ),
    ),
    Defect(
        title="misspelled key of a source",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ ⟦paht⟧ = "actors/assistant" }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ ⟦Path⟧ = "../lines/hall" }',
            ),
            P(
                "compact",
                "app.toml",
                'source.path = "actors/planner"',
                'source.⟦pth⟧ = "actors/planner"',
            ),
        ),
    ),
    Defect(
        title="misspelled key of limits, restart and grants",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("network", "app.toml", "memory_mib = 128", "⟦memory_mb⟧ = 128"),
            P("experts", "app.toml", "period_seconds = 30", "⟦period_second⟧ = 30"),
            P("support", "app.toml", "ports = [443]", "⟦port⟧ = [443]"),
            P(
                "network",
                "app.toml",
                'programs = ["jq", "uniq"]',
                '⟦program⟧ = ["jq", "uniq"]',
            ),
        ),
    ),
    Defect(
        title="misspelled capability",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("network", "app.toml", "messaging = true", "⟦mesaging⟧ = true"),
            P("compact", "app.toml", "filesystem = {", "⟦file_system⟧ = {"),
            P("support", "audit/Wasmind.toml", "logger = true", "⟦loger⟧ = true"),
        ),
    ),
    Defect(
        title="misspelled key of the model proxy",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("network", "app.toml", "container_name", "⟦containername⟧"),
            P("support", "app.toml", 'model_name = "large"', '⟦modelname⟧ = "large"'),
            P("network", "app.toml", "[litellm.env_overrides]", "[litellm.⟦env_override⟧]"),
        ),
    ),
    Defect(
        title="misspelled key of `run`",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "app.toml", "prompt =", "⟦promt⟧ ="),
            P("support", "app.toml", "requests = 64", "⟦request⟧ = 64"),
            P("support", "app.toml", 'variable = "TICKET_TOKEN"', '⟦varible⟧ = "TICKET_TOKEN"'),
        ),
    ),
    Defect(
        title="key of the wrong table",
        area="9.3",
        code="WM0201",
        instances=(
            P(
                "offline",
                "app.toml",
                "required_spawn_with =",
                '⟦actor_id⟧ = "x:y"\nrequired_spawn_with =',
            ),
            P("network", COORDINATOR, "auto_spawn = true", "auto_spawn = true\n⟦restart⟧ = {}"),
            P(
                "support",
                "technical/Wasmind.toml",
                'version = "1.2.0"\n',
                'version = "1.2.0"\n⟦auto_spawn⟧ = true\n',
            ),
        ),
    ),
    Defect(
        title="name inside an actor's table",
        area="9.3",
        code="WM0201",
        instances=(
            P("offline", "app.toml", "auto_spawn = true", 'auto_spawn = true\n⟦name⟧ = "shell"'),
            P(
                "support",
                "app.toml",
                "[actors.technical]\n",
                '[actors.technical]\n⟦name⟧ = "tech"\n',
            ),
            P("compact", "app.toml", "auto_spawn = true }", 'auto_spawn = true, ⟦name⟧ = "p" }'),
        ),
    ),
    Defect(
        title="misspelled key of a model script",
        area="9.3",
        code="WM0201",
        typo=True,
        instances=(
            P("offline", "demo.model.toml", "matches =", "⟦matchs⟧ ="),
            P("offline", "demo.model.toml", "times = 3", "⟦time⟧ = 3"),
            P("compact", "fast.model.toml", "answer =", "⟦answr⟧ ="),
        ),
    ),
)
