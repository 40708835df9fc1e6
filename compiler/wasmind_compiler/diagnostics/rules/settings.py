"""WM05: the config tables of actors."""

from wasmind_compiler.diagnostics.model import Severity
from wasmind_compiler.diagnostics.registry import Rule

UNKNOWN_SETTING = Rule(
    code="WM0501",
    title="unknown actor setting",
    explanation="""
The actor publishes a schema for its config table, and this key is not in it.
""",
)

WRONG_TYPE = Rule(
    code="WM0502",
    title="actor setting of the wrong type",
    explanation="""
The actor's schema wants another type. Settings are merged from several files; the span is in the
file that the value finally came from.
""",
)

MISSING_SETTING = Rule(
    code="WM0503",
    title="missing actor setting",
    explanation="""
The actor cannot work without this setting and none of the layers gives it: not the manifests that
depend on it, not `[actors.NAME.config]`, not `[actor_overrides.NAME.config]`.
""",
)

BAD_VALUE = Rule(
    code="WM0504",
    title="actor setting not allowed",
    explanation="""
The value has the right type but the actor's schema does not allow it.
""",
)

TAKES_NO_CONFIG = Rule(
    code="WM0505",
    title="config for an actor that takes none",
    severity=Severity.WARNING,
    explanation="""
The actor has no settings, so its config table has no effect.
""",
)

BAD_SCHEMA = Rule(
    code="WM0506",
    title="actor publishes an invalid schema",
    explanation="""
The schema of the actor's config table cannot be read or is not a JSON Schema. That is a mistake of
the actor's author; until it is mended the actor's settings cannot be checked.
""",
)
