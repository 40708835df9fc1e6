"""9.8: models and the environment."""

from __future__ import annotations

from typing import Final

from tests.defects.defect import Defect
from tests.defects.defect import Planted as P

CLASSES: Final = (
    Defect(
        title="misspelled model",
        area="9.8",
        code="WM0601",
        typo=True,
        instances=(
            P("offline", "app.toml", 'model_name = "demo"', 'model_name = ⟦"dmeo"⟧'),
            P(
                "experts",
                "app.toml",
                'model_name = "gemini-2.5-flash"\ntool_timeout_seconds',
                'model_name = ⟦"gemini-2.5-flsh"⟧\ntool_timeout_seconds',
            ),
            P(
                "support",
                "app.toml",
                'model_name = "small"\ngreeting',
                'model_name = ⟦"smal"⟧\ngreeting',
            ),
            P(
                "network",
                "app.toml",
                '[actor_overrides.worker_assistant.config]\nmodel_name = "qwen/qwen3-coder"',
                '[actor_overrides.worker_assistant.config]\nmodel_name = ⟦"qwen/qwen3-code"⟧',
            ),
        ),
    ),
    Defect(
        title="provider's model instead of the config's",
        area="9.8",
        code="WM0610",
        instances=(
            P(
                "experts",
                "app.toml",
                'model_name = "gemini-2.5-flash"\ntool_timeout_seconds',
                'model_name = ⟦"openrouter/google/gemini-2.5-flash"⟧\ntool_timeout_seconds',
            ),
            P(
                "support",
                "app.toml",
                'model_name = "small"\ngreeting',
                'model_name = ⟦"openai/gpt-4o-mini"⟧\ngreeting',
            ),
            P(
                "network",
                "app.toml",
                'model_name = "qwen/qwen3-coder"\ntoken_threshold',
                'model_name = ⟦"openrouter/qwen/qwen3-coder"⟧\ntoken_threshold',
            ),
        ),
    ),
    Defect(
        title="renamed model",
        area="9.8",
        code="WM0601",
        instances=(
            P(
                "offline",
                "app.toml",
                "[models.demo]",
                "[models.rehearsal]",
                at=("app.toml", 'model_name = ⟦"demo"⟧'),
            ),
            P(
                "support",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "small"',
                '[[litellm.models]]\nmodel_name = "tiny"',
                at=("app.toml", 'model_name = ⟦"small"⟧\ngreeting'),
            ),
            P(
                "compact",
                "app.toml",
                "models.fast =",
                "models.slow =",
                at=(
                    "app.toml",
                    'required_spawn_with = ["files"], config = { model_name = ⟦"fast"⟧ }',
                ),
            ),
        ),
    ),
    Defect(
        title="script that does not exist",
        area="9.8",
        code="WM0602",
        instances=(
            P("offline", "app.toml", '"demo.model.toml"', '⟦"demo.toml"⟧'),
            P("compact", "app.toml", '"fast.model.toml"', '⟦"scripts/fast.model.toml"⟧'),
            P("offline", "app.toml", '"demo.model.toml"', '⟦"actors"⟧'),
        ),
    ),
    Defect(
        title="number that is not finite",
        area="9.8",
        code="WM0603",
        instances=(
            P("experts", "app.toml", "temperature = 0.2", "temperature = ⟦nan⟧"),
            P(
                "support",
                "app.toml",
                '{ model = "openai/gpt-4o",',
                '{ top_p = ⟦inf⟧, model = "openai/gpt-4o",',
            ),
            P(
                "network",
                "app.toml",
                '{ model = "openrouter/qwen/qwen3-coder",',
                '{ extra = [⟦-inf⟧], model = "openrouter/qwen/qwen3-coder",',
            ),
        ),
    ),
    Defect(
        title="two models of one name",
        area="9.8",
        code="WM0604",
        instances=(
            P(
                "support",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "large"',
                '[[litellm.models]]\nmodel_name = ⟦"small"⟧',
            ),
            P(
                "experts",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "gpt-4o"',
                '[[litellm.models]]\nmodel_name = "gemini-2.5-flash"',
                at=(
                    "app.toml",
                    '[[litellm.models]]\nmodel_name = ⟦"gemini-2.5-flash"⟧\n\n'
                    '[litellm.models.litellm_params]\nmodel = "openrouter',
                ),
            ),
            P(
                "network",
                "app.toml",
                "[tui.dashboard]\n",
                '[[litellm.models]]\nmodel_name = ⟦"qwen/qwen3-coder"⟧\n'
                'litellm_params = { model = "x/y" }\n\n[tui.dashboard]\n',
            ),
        ),
    ),
    Defect(
        title="no models",
        area="9.8",
        code="WM0205",
        instances=(
            P("offline", "app.toml", "", "\n[litellm]\nmodels = ⟦[]⟧\n"),
            P("compact", "app.toml", "", "litellm.models = ⟦[]⟧\n"),
            P("deep", "app.toml", "", "\n[litellm]\nport = 4000\nmodels = ⟦[]⟧\n"),
        ),
    ),
    Defect(
        title="model without its provider's name",
        area="9.8",
        code="WM0605",
        instances=(
            P(
                "support",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "large"\n'
                'litellm_params = { model = "openai/gpt-4o", api_key',
                '⟦[[litellm.models]]⟧\nmodel_name = "large"\nlitellm_params = { api_key',
            ),
            P(
                "network",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "qwen/qwen3-coder"\n'
                'litellm_params = { model = "openrouter/qwen/qwen3-coder", api_key',
                '⟦[[litellm.models]]⟧\nmodel_name = "qwen/qwen3-coder"\nlitellm_params = { api_key',
            ),
            P(
                "experts",
                "app.toml",
                '[[litellm.models]]\nmodel_name = "gpt-4o"\n\n'
                '[litellm.models.litellm_params]\nmodel = "openai/gpt-4o"\n',
                '⟦[[litellm.models]]⟧\nmodel_name = "gpt-4o"\n\n[litellm.models.litellm_params]\n',
            ),
        ),
    ),
    Defect(
        title="malformed reference to the environment",
        area="9.8",
        code="WM0607",
        fixable=True,
        instances=(
            P(
                "experts",
                "app.toml",
                '"os.environ/OPENAI_API_KEY"',
                '⟦"os.environ.OPENAI_API_KEY"⟧',
                fixed='"os.environ/OPENAI_API_KEY"',
            ),
            P(
                "network",
                "app.toml",
                '"os.environ/OPENROUTER_API_KEY"',
                '⟦"${OPENROUTER_API_KEY}"⟧',
                fixed='"os.environ/OPENROUTER_API_KEY"',
            ),
            P(
                "experts",
                "app.toml",
                '"os.environ/OPENROUTER_API_KEY"',
                '⟦"env:OPENROUTER_API_KEY"⟧',
                fixed='"os.environ/OPENROUTER_API_KEY"',
            ),
        ),
    ),
    Defect(
        title="secret in the config",
        area="9.8",
        code="WM0608",
        instances=(
            P(
                "experts",
                "app.toml",
                '"os.environ/OPENAI_API_KEY"',
                '⟦"sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"⟧',
            ),
            P(
                "network",
                "app.toml",
                '"os.environ/OPENROUTER_API_KEY"',
                '⟦"sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef"⟧',
            ),
            P(
                "network",
                "app.toml",
                'LITELLM_LOG = "ERROR"',
                'LITELLM_LOG = "ERROR"\n'
                'OPENAI_API_KEY = ⟦"sk-0123456789abcdefghijklmnopqrstuvwxyz"⟧',
            ),
        ),
    ),
    Defect(
        title="environment variable that is not set",
        area="9.8",
        code="WM0606",
        instances=(
            P("experts", "app.toml", '"os.environ/OPENAI_API_KEY"', '"os.environ/⟦OPENAI_KEY⟧"'),
            P("network", "app.toml", "os.environ/OPENROUTER_API_KEY", "os.environ/⟦OPENROUTER⟧"),
            P("experts", "app.toml", "os.environ/OPENROUTER_API_KEY", "os.environ/⟦ROUTER_KEY⟧"),
        ),
    ),
)
