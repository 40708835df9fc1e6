"""WM06: models."""

from wasmind_compiler.diagnostics.registry import Rule

UNKNOWN_MODEL = Rule(
    code="WM0601",
    title="unknown model",
    explanation="""
An actor's setting names a model, and neither `[models]` nor `[[litellm.models]]` has one of that
name. Actors use the names given there, not the names of providers.
""",
)

SCRIPT_NOT_FOUND = Rule(
    code="WM0602",
    title="model script cannot be read",
    explanation="""
The rules file of a scripted model does not exist or cannot be read. Its path is relative to the
config.
""",
)

NOT_A_NUMBER = Rule(
    code="WM0603",
    title="number that is not finite",
    explanation="""
`nan` and `inf` cannot be passed on to a model: JSON has no such numbers.
""",
)
