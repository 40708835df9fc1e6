"""The JSON Schemas of our own files, and the check of a value against any schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from wasmind_compiler.diagnostics import Collector
from wasmind_compiler.frontend.conformance import conforms
from wasmind_compiler.frontend.document import Document


class Schemas:
    """The folder of published schemas. Each file is read when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Mapping[str, Any]:
        """The schema `<name>.schema.json`."""
        return _load(self._folder / f"{name}.schema.json")

    def check(self, document: Document, name: str, collector: Collector) -> bool:
        """Check a document; findings go to the collector.

        Returns:
            Whether nothing was found.
        """
        schema = self.load(name)
        if conforms(document.data, schema, schema):
            return True
        # The explaining half is imported for files with findings only.
        from wasmind_compiler.frontend.findings import FILE_RULES, explain

        found = explain(document.data, schema, document, FILE_RULES, lenient=collector.lenient)
        collector.extend(found)
        return not found


@cache
def _load(path: Path) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
