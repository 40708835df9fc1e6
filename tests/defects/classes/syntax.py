"""9.2: files and TOML syntax."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

CLASSES: Final = (
    Defect(
        title="string without its closing quote",
        area="9.2",
        code="WM0104",
        instances=(
            P("offline", "app.toml", 'model_name = "demo"', 'model_name = ⟦"⟧demo'),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                'identity = "You lead."',
                'identity = ⟦"⟧You lead.',
            ),
            P("support", "app.toml", 'greeting = "Hello"', "greeting = ⟦'⟧Hello"),
        ),
    ),
    Defect(
        title="Windows path in a basic string",
        area="9.2",
        code="WM0105",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '"actors/execute_bash"',
                r'"actors⟦\e⟧xecute_bash"',
                fixed=r"'actors\execute_bash'",
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '"../lines/hall"',
                r'"..⟦\l⟧ines\hall"',
                fixed=r"'..\lines\hall'",
            ),
            P(
                "support",
                "app.toml",
                '"local_knowledge"',
                r'"D:⟦\l⟧ocal_knowledge"',
                fixed=r"'D:\local_knowledge'",
            ),
        ),
    ),
    Defect(
        title="key given twice",
        area="9.2",
        code="WM0106",
        instances=(
            P(
                "offline",
                "app.toml",
                "auto_spawn = true\n",
                "auto_spawn = true\n⟦auto_spawn⟧ = true\n",
            ),
            P("support", "app.toml", "memory_mib = 64\n", "memory_mib = 64\n⟦memory_mib⟧ = 128\n"),
            P(
                "support",
                "billing/Wasmind.toml",
                'version = "1.2.0"\n',
                'version = "1.2.0"\n⟦version⟧ = "1.3.0"\n',
            ),
            P("network", "app.toml", "port = 4100\n", "port = 4100\n⟦port⟧ = 4200\n"),
        ),
    ),
    Defect(
        title="table defined twice",
        area="9.2",
        code="WM0107",
        instances=(
            P("experts", "app.toml", "", "\n⟦[actors.execute_bash]⟧\nauto_spawn = true\n"),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                "",
                '\n⟦[dependencies.wait]⟧\nsource = { path = "../wait" }\n',
            ),
            P("support", "app.toml", "", '\n⟦[actor_overrides.audit.config]⟧\nlevel = "brief"\n'),
        ),
    ),
    Defect(
        title="table instead of an array of tables",
        area="9.2",
        code="WM0[12]0[38]",
        fixable=True,
        instances=(
            P(
                "experts",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "gemini-2.5-flash"',
                '⟦[litellm.models]⟧\nmodel_name = "gemini-2.5-flash"',
                fixed='[[litellm.models]]\nmodel_name = "gemini-2.5-flash"',
            ),
            P(
                "support",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "large"',
                '⟦[litellm.models]⟧\nmodel_name = "large"',
                fixed='[[litellm.models]]\nmodel_name = "large"',
            ),
            P(
                "offline",
                "demo.model.toml",
                '[[rules]]\nwhen = { tool = "execute_bash" }',
                '⟦[rules]⟧\nwhen = { tool = "execute_bash" }',
                fixed='[[rules]]\nwhen = { tool = "execute_bash" }',
            ),
        ),
    ),
    Defect(
        title="part of an element above its element",
        area="9.2",
        code="WM0108",
        instances=(
            P(
                "experts",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "gpt-4o"\n\n',
                "⟦[litellm.models.litellm_params]⟧\nseed = 1\n\n"
                '[[litellm.models]]\nmodel_name = "gpt-4o"\n\n',
            ),
            P(
                "support",
                "front_desk/Wasmind.toml",
                "[[contract.handles]]\n",
                '⟦[contract.handles.schema]⟧\ntype = "object"\n\n[[contract.handles]]\n',
            ),
            P(
                "support",
                "app.toml",
                "[[run.credentials]]\n",
                "⟦[run.credentials.extra]⟧\n\n[[run.credentials]]\n",
            ),
        ),
    ),
    Defect(
        title="inline table over several lines",
        area="9.2",
        code="WM0112",
        instances=(
            P(
                "offline",
                "app.toml",
                "limits = { agents = 10, depth = 2 }",
                "limits = { agents = 10,⟦⟧\ndepth = 2 }",
            ),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                "config = { allow_edits = false }",
                "config = {⟦⟧\n    allow_edits = false\n}",
            ),
            P(
                "compact",
                "app.toml",
                'tui.chat.key_bindings = { "ctrl-a" = "Assist" }',
                'tui.chat.key_bindings = {⟦⟧\n  "ctrl-a" = "Assist"\n}',
            ),
        ),
    ),
    Defect(
        title="number beyond 64 bits",
        area="9.2",
        code="WM0109",
        instances=(
            P("deep", "app.toml", "interval = 5", "interval = ⟦9223372036854775808⟧"),
            P(
                "network",
                "app.toml",
                "token_threshold = 50000",
                "token_threshold = ⟦100000000000000000000⟧",
            ),
            P(
                "experts",
                "app.toml",
                "min_diff_size = 80",
                "min_diff_size = ⟦0xFFFF_FFFF_FFFF_FFFF_F⟧",
            ),
        ),
    ),
    Defect(
        title="boolean as other languages write it",
        area="9.2",
        code="WM0103",
        typo=True,
        instances=(
            P("offline", "app.toml", "auto_spawn = true", "auto_spawn = ⟦True⟧"),
            P(
                "experts",
                "app.toml",
                "config = { allow_edits = false }",
                "config = { allow_edits = ⟦False⟧ }",
            ),
            P("network", "app.toml", "clear_defaults = true", "clear_defaults = ⟦yes⟧"),
        ),
    ),
    Defect(
        title="string without quotes",
        area="9.2",
        code="WM0103",
        typo=True,
        instances=(
            P("offline", "app.toml", 'model_name = "demo"', "model_name = ⟦demo⟧"),
            P("support", "app.toml", 'level = "verbose"', "level = ⟦verbose⟧"),
            P("deep", "shared/valve/Wasmind.toml", 'unit = "kelvin"', "unit = ⟦kelvin⟧"),
        ),
    ),
    Defect(
        title="header without its closing bracket",
        area="9.2",
        code="WM0103",
        typo=True,
        instances=(
            P("offline", "app.toml", "[actors.bash]\n", "[actors.bash⟦⟧\n"),
            P("support", "app.toml", "[actor_overrides.audit]\n", "[actor_overrides.audit⟦⟧\n"),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                "[dependencies.wait]\n",
                "[dependencies.wait⟦⟧\n",
            ),
        ),
    ),
    Defect(
        title="merge conflict",
        area="9.2",
        code="WM0113",
        instances=(
            P(
                "offline",
                "app.toml",
                'model_name = "demo"',
                '⟦<<<<<<< HEAD⟧\nmodel_name = "demo"\n=======\nmodel_name = "other"\n'
                ">>>>>>> 1a2b3c4 (rename)",
            ),
            P(
                "deep",
                "shared/valve/Wasmind.toml",
                'unit = "kelvin"',
                '⟦<<<<<<< ours⟧\nunit = "kelvin"\n||||||| base\n=======\n>>>>>>> theirs',
            ),
            P(
                "network",
                "actors/coordinator/Wasmind.toml",
                "[dependencies.wait]\n",
                "⟦<<<<<<< HEAD⟧\n=======\n[dependencies.clock]\n>>>>>>> x\n[dependencies.wait]\n",
            ),
        ),
    ),
)
