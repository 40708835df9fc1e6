"""What is wrong with the machine or the request rather than with the input.

Mistakes in configs, manifests and actors are diagnostics and never raise.
"""

from __future__ import annotations


class CompilerFailure(Exception):
    """The command cannot go on; the message says which action failed and is meant for people."""


class NotABundleError(CompilerFailure):
    """The place for a bundle holds something else, which is not touched."""
