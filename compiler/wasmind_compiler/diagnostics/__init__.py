"""Problems as data: what they are, how they are gathered, the rules they break.

Renderers and rules are not imported here, so that a run without findings never loads them.
"""

from wasmind_compiler.diagnostics.collector import Collector
from wasmind_compiler.diagnostics.model import (
    Applicability,
    Diagnostic,
    Edit,
    Fix,
    Label,
    Position,
    Severity,
    Span,
)
from wasmind_compiler.diagnostics.text_index import TextIndex

__all__ = [
    "Applicability",
    "Collector",
    "Diagnostic",
    "Edit",
    "Fix",
    "Label",
    "Position",
    "Severity",
    "Span",
    "TextIndex",
]
