"""9.3, 9.6: sources and the folders they lead to."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

COORDINATOR: Final = "actors/coordinator/Wasmind.toml"
PLANNER: Final = 'source = { path = "../planner" }'

REVISION: Final = "0123456789" * 4
GIT: Final = 'git = "https://example.org/a.git"'

CLASSES: Final = (
    Defect(
        title="misspelled folder",
        area="9.6",
        code="WM0401",
        typo=True,
        instances=(
            P("offline", "app.toml", '"actors/assistant"', '⟦"actors/asistant"⟧'),
            P("network", COORDINATOR, '"../planner"', '⟦"../plannr"⟧'),
            P("deep", "lines/hall/Wasmind.toml", '"../line"', '⟦"../lime"⟧'),
            P("support", "app.toml", '"local_knowledge"', '⟦"local-knowledge"⟧'),
        ),
    ),
    Defect(
        title="folder that does not exist",
        area="9.6",
        code="WM0401",
        instances=(
            P("offline", "app.toml", '"actors/assistant"', '⟦"../elsewhere"⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦"lines/hall"⟧'),
            P("compact", "app.toml", '"actors/planner"', '⟦"vendor/something"⟧'),
        ),
    ),
    Defect(
        title="file instead of a folder",
        area="9.6",
        code="WM0402",
        instances=(
            P("offline", "app.toml", '"actors/assistant"', '⟦"actors/assistant/actor.py"⟧'),
            P("network", COORDINATOR, '"../planner"', '⟦"../planner/Wasmind.toml"⟧'),
            P("support", "app.toml", '"local_knowledge"', '⟦"local_knowledge/knowledge.wasm"⟧'),
        ),
    ),
    Defect(
        title="folder without a manifest",
        area="9.6",
        code="WM0403",
        instances=(
            P("offline", "app.toml", '"actors/assistant"', '⟦"actors"⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦"../lines"⟧'),
            P(
                "support",
                "app.toml",
                'source = { path = "technical" }',
                'source = { path = ⟦"."⟧ }',
            ),
        ),
    ),
    Defect(
        title="misspelled library actor",
        area="9.6",
        code="WM0404",
        instances=(
            P("offline", "app.toml", '{ path = "actors/assistant" }', '{ library = ⟦"asistant"⟧ }'),
            P("network", COORDINATOR, PLANNER, 'source = { library = ⟦"planer"⟧ }'),
            P("compact", "app.toml", 'source.path = "actors/planner"', 'source.library = ⟦"plan"⟧'),
        ),
    ),
    Defect(
        title="path and git together",
        area="9.3",
        code="WM0206",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ path = "actors/assistant", ⟦git⟧ = "https://example.org/a.git" }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { path = "../planner", ⟦git⟧ = "https://example.org/a.git" }',
            ),
            P(
                "compact",
                "app.toml",
                'source.path = "actors/planner"',
                'source = { path = "actors/planner", ⟦git⟧ = "https://example.org/a.git" }',
            ),
        ),
    ),
    Defect(
        title="git options beside a path",
        area="9.3",
        code="WM0201",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ path = "actors/assistant", ⟦sub_dir⟧ = "x" }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { path = "../planner", ⟦git_ref⟧ = { tag = "v1" } }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ path = "../lines", ⟦sub_dir⟧ = "hall" }',
            ),
        ),
    ),
    Defect(
        title="ref beside git instead of in git_ref",
        area="9.3",
        code="WM0201",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "https://example.org/a.git", ⟦branch⟧ = "main" }',
                fixed='{ git = "https://example.org/a.git", git_ref = { branch = "main" } }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { git = "https://example.org/a.git", ⟦tag⟧ = "v1" }',
                fixed='source = { git = "https://example.org/a.git", git_ref = { tag = "v1" } }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                f'{{ {GIT}, ⟦rev⟧ = "{REVISION}" }}',
                fixed=f'{{ {GIT}, git_ref = {{ rev = "{REVISION}" }} }}',
            ),
        ),
    ),
    Defect(
        title="branch and tag together",
        area="9.3",
        code="WM0206",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                f'{{ {GIT}, git_ref = {{ branch = "main", ⟦tag⟧ = "v1" }} }}',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                f'source = {{ {GIT}, git_ref = {{ branch = "x", ⟦tag⟧ = "y" }} }}',
            ),
            P(
                "compact",
                "app.toml",
                'source.path = "actors/planner"',
                f'source = {{ {GIT}, git_ref = {{ branch = "x", ⟦tag⟧ = "y" }} }}',
            ),
        ),
    ),
    Defect(
        title="git_ref that is a string",
        area="9.3",
        code="WM0203",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "https://example.org/a.git", git_ref = ⟦"main"⟧ }',
                fixed='{ git = "https://example.org/a.git", git_ref = { branch = "main" } }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { git = "https://example.org/a.git", git_ref = ⟦"v1.2"⟧ }',
                fixed='source = { git = "https://example.org/a.git", git_ref = { tag = "v1.2" } }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                f'{{ {GIT}, git_ref = ⟦"{REVISION}"⟧ }}',
                fixed=f'{{ {GIT}, git_ref = {{ rev = "{REVISION}" }} }}',
            ),
        ),
    ),
    Defect(
        title="source that is a string",
        area="9.3",
        code="WM0203",
        fixable=True,
        instances=(
            P(
                "offline",
                "app.toml",
                'source = { path = "actors/assistant" }',
                'source = ⟦"actors/assistant"⟧',
                fixed='source = { path = "actors/assistant" }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                'source = { path = "../lines/hall" }',
                'source = ⟦"../lines/hall"⟧',
                fixed='source = { path = "../lines/hall" }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = ⟦"https://example.org/a.git"⟧',
                fixed='source = { git = "https://example.org/a.git" }',
            ),
        ),
    ),
    Defect(
        title="source of no shape",
        area="9.3",
        code="WM0204",
        instances=(
            P("offline", "app.toml", '{ path = "actors/assistant" }', "⟦{}⟧"),
            P("network", COORDINATOR, PLANNER, 'source = ⟦{ sub_dir = "planner" }⟧'),
            P("compact", "app.toml", 'source.path = "actors/planner"', "source = ⟦{}⟧"),
        ),
    ),
    Defect(
        title="actor without a source",
        area="9.3",
        code="WM0204",
        instances=(
            P(
                "offline",
                "app.toml",
                '[actors.bash]\nsource = { path = "actors/execute_bash" }\n',
                "⟦[actors.bash]⟧\n",
            ),
            P(
                "deep",
                "app.toml",
                '[actors.observer]\nsource = { path = "observer" }\n',
                "⟦[actors.observer]⟧\n",
            ),
            P(
                "network",
                COORDINATOR,
                '[dependencies.planner]\nsource = { path = "../planner" }\n',
                "⟦[dependencies.planner]⟧\n",
            ),
        ),
    ),
    Defect(
        title="git URL that is a path",
        area="9.3",
        code="WM1101",
        instances=(
            P("offline", "app.toml", '{ path = "actors/assistant" }', '{ git = ⟦"./actors"⟧ }'),
            P("network", COORDINATOR, PLANNER, 'source = { git = ⟦"/srv/git/a.git"⟧ }'),
            P("deep", "plant/Wasmind.toml", '{ path = "../lines/hall" }', '{ git = ⟦"actors"⟧ }'),
        ),
    ),
    Defect(
        title="transport that is not allowed",
        area="9.3",
        code="WM1102",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "⟦http⟧://example.org/a.git" }',
            ),
            P("network", COORDINATOR, PLANNER, 'source = { git = "⟦ext⟧::sh -c x" }'),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ git = "⟦ftp⟧://example.org/a.git" }',
            ),
        ),
    ),
    Defect(
        title="secret in a git URL",
        area="9.3",
        code="WM1103",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "https://me:⟦s3cret⟧@example.org/a.git" }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { git = "https://x-token:⟦ghp_0123456789⟧@example.org/a.git" }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ git = "https://user:⟦pass⟧@example.org/a.git" }',
            ),
        ),
    ),
    Defect(
        title="malformed git ref",
        area="9.3",
        code="WM1105",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "https://example.org/a.git", git_ref = { branch = "my⟦ ⟧branch" } }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { git = "https://example.org/a.git", git_ref = { tag = "⟦-⟧v1" } }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ git = "https://example.org/a.git", git_ref = { branch = "a⟦..⟧b" } }',
            ),
        ),
    ),
    Defect(
        title="sub_dir out of the repository",
        area="9.3",
        code="WM1104",
        instances=(
            P(
                "offline",
                "app.toml",
                '{ path = "actors/assistant" }',
                '{ git = "https://example.org/a.git", sub_dir = "⟦..⟧/b" }',
            ),
            P(
                "network",
                COORDINATOR,
                PLANNER,
                'source = { git = "https://example.org/a.git", sub_dir = "a/⟦..⟧/../b" }',
            ),
            P(
                "deep",
                "plant/Wasmind.toml",
                '{ path = "../lines/hall" }',
                '{ git = "https://example.org/a.git", sub_dir = "⟦/⟧abs" }',
            ),
        ),
    ),
    Defect(
        title="home or variable in a path",
        area="9.3",
        code="WM1707",
        instances=(
            P("offline", "app.toml", '"actors/assistant"', '"⟦~⟧/actors/assistant"'),
            P("network", COORDINATOR, '"../planner"', '"⟦$HOME⟧/planner"'),
            P("compact", "app.toml", '"actors/planner"', '"⟦%USERPROFILE%⟧/planner"'),
        ),
    ),
    Defect(
        title="backslashes in a path",
        area="9.3",
        code="WM1708",
        instances=(
            P("offline", "app.toml", '"actors/assistant"', "'actors⟦\\⟧assistant'"),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', "'../lines⟦\\⟧hall'"),
            P("compact", "app.toml", '"actors/planner"', "'actors⟦\\⟧planner'"),
        ),
    ),
    Defect(
        title="absolute path in a manifest",
        area="9.6",
        code="WM0442",
        instances=(
            P("network", COORDINATOR, '"../planner"', '⟦"/opt/actors/planner"⟧'),
            P("deep", "plant/Wasmind.toml", '"../lines/hall"', '⟦"/srv/hall"⟧'),
            P("support", "ticket_store/Wasmind.toml", '"../mailer"', '⟦"C:/actors/mailer"⟧'),
        ),
    ),
    Defect(
        title="component file that is missing",
        area="9.6",
        code="WM0802",
        instances=(
            P("support", "mailer/Wasmind.toml", '"mailer.wasm"', '⟦"mail.wasm"⟧'),
            P("support", "audit/Wasmind.toml", '"audit.wasm"', '⟦"target/audit.wasm"⟧'),
            P("support", "billing/Wasmind.toml", '"billing.wasm"', '⟦"biling.wasm"⟧'),
        ),
    ),
)
